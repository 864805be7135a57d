/** Connections that manifests say are needed: environment and arguments that name Services, DNS, ways in from outside. */
import type { Exposure } from '#decide/network/door.ts';
import { endpointId, namespaceOf, takeInventory } from '#decide/network/inventory.ts';
import { portsOfService, Services } from '#decide/network/services.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import type { Need } from './network.ts';

export interface Intent {
  readonly need: Need;
  /** Where it was read, in words. */
  readonly why: string;
}

/** `name`, `name.namespace`, `name.namespace.svc…`, with a port or without. */
const ADDRESS =
  /(?<![\w.-])([a-z][a-z0-9-]{0,62})(?:\.([a-z0-9-]{1,63}))?(?:\.svc(?:\.[a-z0-9.-]+)?)?(?::(\d{1,5}))?(?![\w-])/g;
const LONGEST = 4096;

const DNS = {
  labels: { 'k8s-app': 'kube-dns' },
  namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
};

export function declaredNeeds(
  objects: readonly KubeObject[],
  exposures: readonly Exposure[],
  namespaces?: readonly string[],
): Intent[] {
  const inventory = takeInventory(objects, 'unknown');
  const services = new Services(objects, inventory);
  const byName = new Map<string, KubeObject>();
  for (const service of services.all()) byName.set(`${namespaceOf(service)}/${nameOf(service)}`, service);
  const found = new Map<string, Intent>();
  const add = (need: Need, why: string): void => {
    const key = JSON.stringify(need);
    if (!found.has(key)) found.set(key, { need, why });
  };
  for (const endpoint of inventory.endpoints) {
    const { object, namespace = 'default' } = endpoint;
    if (object === undefined || (namespaces !== undefined && !namespaces.includes(namespace))) continue;
    const from = sideOf(object);
    for (const protocol of ['UDP', 'TCP'] as const)
      add({ from, to: DNS, port: 53, protocol }, 'names are looked up');
    for (const { text, where } of textsOf(object, objects))
      for (const [, name, other, port] of text.slice(0, LONGEST).matchAll(ADDRESS)) {
        const service =
          (other === undefined ? undefined : byName.get(`${other}/${name}`)) ??
          byName.get(`${namespace}/${name}`);
        if (service === undefined) continue;
        const ports = portsOfService(service);
        // A bare word that happens to be a Service's name is no address, unless the variable says that it is one.
        if (port === undefined && other === undefined && !/host|addr|url|uri|server|endpoint/i.test(where))
          continue;
        for (const one of ports.filter(one => port === undefined || one.port === Number(port)))
          for (const target of services.targets(service, one))
            if (target.endpoint.object !== undefined && target.endpoint.id !== endpoint.id)
              add(
                { from, to: sideOf(target.endpoint.object), port: target.port, protocol: target.protocol },
                `${where} of ${endpoint.id} names ${nameOf(service)}`,
              );
      }
  }
  for (const { entry, workload, port, protocol, sources } of exposures) {
    if (podTemplateOf(workload) === undefined) continue;
    // Behind a proxy of the cluster the caller is that proxy, which only the cluster knows.
    if (!['load-balancer', 'node-port', 'external-ip', 'host-port'].includes(entry.is)) continue;
    const blocks = sources.length > 0 ? sources : ['0.0.0.0/0'];
    for (const cidr of blocks)
      add({ from: { cidr }, to: sideOf(workload), port, protocol }, `${entry.is} of ${endpointId(workload)}`);
  }
  return [...found.values()];
}

function sideOf(object: KubeObject): { readonly workload: string } | { readonly pod: string } {
  const id = endpointId(object);
  return object.kind === 'Pod' ? { pod: id } : { workload: id };
}

/** Values of the environment (ConfigMaps too), commands and arguments, each with its name. */
function textsOf(object: KubeObject, objects: readonly KubeObject[]): { text: string; where: string }[] {
  const spec = podTemplateOf(object)?.pod.spec;
  const texts: { text: string; where: string }[] = [];
  const add = (value: unknown, where: string): void => {
    if (typeof value === 'string') texts.push({ text: value, where });
  };
  const configMap = (name: unknown): Readonly<Record<string, unknown>> => {
    const map = objects.find(
      one => one.kind === 'ConfigMap' && nameOf(one) === name && namespaceOf(one) === namespaceOf(object),
    );
    const data = valueAt(map, ['data']);
    return isRecord(data) ? data : {};
  };
  for (const container of [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]) {
    for (const variable of listAt(container, 'env')) {
      const name = String(valueAt(variable, ['name']));
      add(valueAt(variable, ['value']), name);
      const reference = valueAt(variable, ['valueFrom', 'configMapKeyRef']);
      if (reference !== undefined)
        add(configMap(valueAt(reference, ['name']))[String(valueAt(reference, ['key']))], name);
    }
    for (const source of listAt(container, 'envFrom')) {
      const name = valueAt(source, ['configMapRef', 'name']);
      if (name !== undefined) for (const [key, value] of Object.entries(configMap(name))) add(value, key);
    }
    for (const field of ['command', 'args']) for (const value of listAt(container, field)) add(value, field);
  }
  return texts;
}

function listAt(value: unknown, field: string): readonly unknown[] {
  const list = valueAt(value, [field]);
  return Array.isArray(list) ? list : [];
}
