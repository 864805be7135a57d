/**
 * Ingress (networking.k8s.io/v1, and the older forms) and Route of OpenShift: from host and path to Services.
 * Source: the API documentation of both.
 */
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { Exposure, ProxyRoute } from './exposure-types.ts';
import { coversHost } from './hosts.ts';
import { itemsOf, namespaceOf } from './inventory.ts';
import { MAYBE } from './labels.ts';
import { isOf, means, portsOfService, type ServicePort, type Services, textAt, textsAt } from './services.ts';

export function ingressRoutes(objects: readonly KubeObject[], services: Services): ProxyRoute[] {
  return objects
    .filter(object => isOf(object, 'networking.k8s.io', 'Ingress') || isOf(object, 'extensions', 'Ingress'))
    .flatMap(object => backends(object).flatMap(backend => follow(object, backend, services)));
}

interface Backend {
  readonly service: unknown;
  readonly port: unknown;
  readonly host: string | undefined;
  readonly path: Path;
}

function backends(ingress: KubeObject): Backend[] {
  const found: Backend[] = [];
  const add = (value: unknown, path: Path, host: string | undefined): void => {
    if (!isRecord(value)) return;
    const current = value['service'];
    if (isRecord(current)) {
      const port = valueAt(current, ['port', 'number']) ?? valueAt(current, ['port', 'name']);
      found.push({ service: current['name'], port, host, path: [...path, 'service'] });
    } else if (value['serviceName'] !== undefined)
      found.push({ service: value['serviceName'], port: value['servicePort'], host, path });
  };
  for (const field of ['defaultBackend', 'backend'])
    add(valueAt(ingress, ['spec', field]), ['spec', field], undefined);
  for (const [index, rule] of itemsOf(valueAt(ingress, ['spec', 'rules'])).entries())
    for (const [place, item] of itemsOf(valueAt(rule, ['http', 'paths'])).entries()) {
      const path = ['spec', 'rules', index, 'http', 'paths', place, 'backend'];
      add(valueAt(item, ['backend']), path, textAt(rule, ['host']));
    }
  return found;
}

function follow(ingress: KubeObject, backend: Backend, services: Services): ProxyRoute[] {
  const service = services.find(namespaceOf(ingress), backend.service, ingress, backend.path);
  if (service === undefined) return [];
  const all = portsOfService(service);
  const exact = all.filter(port => means(backend.port, port));
  if (exact.length === 0)
    services.note(ingress, backend.path, `the Service has no port ${String(backend.port)}`);
  // ingress-nginx takes such a number for the pods' port; other controllers route nothing.
  const ports = exact.length > 0 ? exact : all.filter(port => String(port.target) === String(backend.port));
  return ports.flatMap(port =>
    services.targets(service, port).map(({ match, ...target }) => ({
      target: { ...target, match: exact.length > 0 ? match : MAYBE },
      entry: {
        is: 'ingress' as const,
        port: undefined,
        hosts: backend.host === undefined ? [] : [backend.host],
        addresses: [],
      },
      through: [ingress, service],
      tls: tlsOf(ingress, backend.host),
      proxies: [],
      internal: false,
      sources: [],
    })),
  );
}

/** An entry of `tls` without hosts is for all of them. */
function tlsOf(ingress: KubeObject, host: string | undefined): Exposure['tls'] {
  const entries = itemsOf(valueAt(ingress, ['spec', 'tls']));
  const covered = entries.some(entry => {
    const hosts = textsAt(entry, 'hosts');
    return hosts.length === 0 || (host !== undefined && hosts.some(pattern => coversHost(pattern, host)));
  });
  return covered ? 'terminated' : 'none';
}

export function openShiftRoutes(objects: readonly KubeObject[], services: Services): ProxyRoute[] {
  return objects
    .filter(object => isOf(object, 'route.openshift.io', 'Route') || isOf(object, '', 'Route'))
    .flatMap(route => {
      const references: [unknown, Path][] = [
        [valueAt(route, ['spec', 'to']), ['spec', 'to']],
        ...itemsOf(valueAt(route, ['spec', 'alternateBackends'])).map((item, index): [unknown, Path] => [
          item,
          ['spec', 'alternateBackends', index],
        ]),
      ];
      return references.flatMap(([reference, path]) => routeTo(route, reference, path, services));
    });
}

function routeTo(route: KubeObject, reference: unknown, path: Path, services: Services): ProxyRoute[] {
  if (!isRecord(reference) || (reference['kind'] ?? 'Service') !== 'Service' || reference['weight'] === 0)
    return [];
  const service = services.find(namespaceOf(route), reference['name'], route, path);
  if (service === undefined) return [];
  const wanted = valueAt(route, ['spec', 'port', 'targetPort']);
  const ports = portsOfService(service).filter(port => isTarget(wanted, port));
  if (ports.length === 0)
    services.note(route, ['spec', 'port'], `the Service has no port for ${String(wanted)}`);
  const host = textAt(route, ['spec', 'host']);
  return ports.flatMap(port =>
    services.targets(service, port).map(target => ({
      entry: {
        is: 'route' as const,
        port: undefined,
        hosts: host === undefined ? [] : [host],
        addresses: [],
      },
      through: [route, service],
      target,
      tls: terminationOf(route),
      proxies: [],
      internal: false,
      sources: [],
    })),
  );
}

/** The router looks for the name, or for the pods' number, among the endpoints of the Service. */
function isTarget(wanted: unknown, port: ServicePort): boolean {
  if (wanted === undefined || wanted === null) return true;
  return port.name === wanted || String(port.target) === String(wanted);
}

function terminationOf(route: KubeObject): Exposure['tls'] {
  const termination = textAt(route, ['spec', 'tls', 'termination']);
  if (termination === undefined) return 'none';
  return termination === 'passthrough' ? 'passthrough' : 'terminated';
}
