/**
 * Connections that manifests say are needed: addresses in the environment, arguments and files of workloads, DNS, ways
 * in from outside, scraping, webhooks, and replicas that talk to each other. What cannot be told is said.
 */
import { parseAddress } from '#decide/network/addresses.ts';
import type { Exposure } from '#decide/network/door.ts';
import {
  itemsOf,
  NAMESPACE_NAME,
  namespaceOf,
  type PodEndpoint,
  sideOfId,
  takeInventory,
} from '#decide/network/inventory.ts';
import { portsOfService, Services } from '#decide/network/services.ts';
import { groupOf, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { hostsIn, type NamedHost, Texts } from './intent-names.ts';
import { platformIntents } from './intent-platform.ts';
import type { Declared, Intent, IntentOptions, Open, Search } from './intent-search.ts';
import type { NeedSide } from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

const DNS = {
  labels: { 'k8s-app': 'kube-dns' },
  namespaceLabels: { [NAMESPACE_NAME]: 'kube-system' },
};

/**
 * @param exposures the ways in from outside, as {@link Network.exposure} finds them
 */
export function declaredNeeds(
  objects: readonly KubeObject[],
  exposures: readonly Exposure[],
  options: IntentOptions = {},
): Declared {
  const inventory = takeInventory(objects, 'unknown');
  const workloads = new Workloads(objects);
  const wanted = options.namespaces === undefined ? undefined : new Set(options.namespaces);
  const found = new Map<string, Intent>();
  const open = new Map<string, Open>();
  const concerns = (side: NeedSide): boolean => {
    if (wanted === undefined) return true;
    const id = 'workload' in side ? side.workload : 'pod' in side ? side.pod : undefined;
    return id !== undefined && wanted.has(id.split('/', 1)[0]!);
  };
  const search: Search = {
    objects,
    services: new Services(objects, inventory),
    workloads,
    endpoints: inventory.endpoints.filter(({ id }) => workloads.has(id)),
    options,
    need: (from, { endpoint, port, protocol }) => ({
      from,
      to: sideOfId(workloads.top(endpoint.id)),
      port,
      protocol,
    }),
    add: (need, why, usual = false) => {
      const key = JSON.stringify(need);
      if (found.has(key) || (!usual && !concerns(need.from) && !concerns(need.to))) return;
      found.set(key, { need, why, ...(usual ? { usual } : {}) });
    },
    tell: one => {
      if (!open.has(one.text)) open.set(one.text, one);
    },
  };
  for (const namespace of wanted ?? new Set(search.endpoints.map(({ namespace = 'default' }) => namespace)))
    for (const protocol of ['UDP', 'TCP'] as const) {
      const from = { labels: {}, namespaceLabels: { [NAMESPACE_NAME]: namespace } };
      search.add({ from, to: DNS, port: 53, protocol }, 'names are looked up', true);
    }
  new Names(search).run();
  replicas(search);
  platformIntents(search, exposures);
  return { intents: [...found.values()], open: [...open.values()] };
}

/** Names and addresses in the texts of workloads, resolved as the cluster's DNS resolves them. */
class Names {
  readonly #search: Search;
  readonly #services = new Map<string, KubeObject>();
  readonly #routes: ReadonlyMap<string, readonly KubeObject[]>;
  readonly #entries: readonly KubeObject[];

  constructor(search: Search) {
    this.#search = search;
    for (const service of search.services.all())
      this.#services.set(`${namespaceOf(service)}/${nameOf(service)}`, service);
    this.#routes = this.#meshRoutes();
    this.#entries = search.objects.filter(object => isIstio(object, 'ServiceEntry'));
  }

  run(): void {
    const texts = new Texts(this.#search.objects);
    for (const endpoint of this.#search.endpoints)
      for (const text of texts.textsOf(endpoint.object!))
        for (const host of hostsIn(text)) this.#follow(endpoint, host, text.where);
  }

  #follow(endpoint: PodEndpoint, { host, port, certain }: NamedHost, where: string): void {
    const { add, tell } = this.#search;
    const namespace = endpoint.namespace ?? 'default';
    const from = sideOfId(endpoint.id);
    const because = (text: string): Open => ({ is: 'way-out', object: endpoint.object!, text });
    if (parseAddress(host) !== undefined) {
      if (port === undefined || /^(?:127\.|0\.|169\.254\.)/.test(host)) return;
      const service = [...this.#services.values()].find(one => valueAt(one, ['spec', 'clusterIP']) === host);
      if (service !== undefined) this.#toService(endpoint, service, port, where);
      else add({ from, to: { cidr: `${host}/32` }, port }, `${where} of ${endpoint.id} names ${host}`);
      return;
    }
    const service = this.#serviceOf(host, namespace);
    if (service !== undefined) {
      this.#toService(endpoint, service, port, where);
      return;
    }
    if (!certain || host === 'localhost') return;
    const labels = host.split('.');
    const at = port === undefined ? host : `${host}:${port}`;
    if (labels.includes('svc'))
      tell(because(`${where} of ${endpoint.id} names ${at}, and the input has no such Service`));
    else if (labels.length === 1 && /^[a-z]/.test(host) && port !== undefined)
      tell(because(`${where} of ${endpoint.id} names ${at}, and namespace ${namespace} has no such Service`));
    else if (labels.length > 1 && /^[a-z]{2,}$/.test(labels.at(-1)!) && port !== undefined)
      this.#toOutside(endpoint, host, port, where);
  }

  /** `service`, `service.namespace`, the full name, and the name of a pod of a headless Service in front of those. */
  #serviceOf(host: string, namespace: string): KubeObject | undefined {
    const labels = host.split('.');
    const end = labels.indexOf('svc');
    const [first = '', second, third] = end > 0 ? labels.slice(0, end) : labels;
    const found = (name: string, of: string): KubeObject | undefined => this.#services.get(`${of}/${name}`);
    const count = end > 0 ? end : labels.length;
    if (count === 1) return end > 0 ? undefined : found(first, namespace);
    if (count === 2) return found(first, second!) ?? (end > 0 ? undefined : found(second!, namespace));
    return count === 3 ? found(second!, third!) : undefined;
  }

  #toService(endpoint: PodEndpoint, named: KubeObject, port: number | undefined, where: string): void {
    const { add, need, tell, services } = this.#search;
    const from = sideOfId(endpoint.id);
    const id = `${namespaceOf(named)}/${nameOf(named)}`;
    const why = `${where} of ${endpoint.id} names ${nameOf(named)}`;
    const routed = this.#routes.get(id) ?? [];
    for (const service of [named, ...routed]) {
      const all = portsOfService(service);
      const ports = all.filter(one => port === undefined || one.port === port);
      if (service === named && ports.length === 0 && all.length > 0)
        tell({
          is: 'remark',
          object: endpoint.object!,
          text: `${where} of ${endpoint.id} names port ${port} of Service ${id}, which has ${all.map(one => one.port).join(', ')}`,
        });
      const via = service === named ? '' : `, which routes lead to ${nameOf(service)}`;
      for (const one of ports)
        for (const target of services.targets(service, one)) {
          const wanted = need(from, target);
          if (JSON.stringify(wanted.to) !== JSON.stringify(from)) add(wanted, `${why}${via}`);
        }
    }
  }

  /** A host outside of the cluster: policies name addresses, and only a ServiceEntry may know those. */
  #toOutside(endpoint: PodEndpoint, host: string, port: number, where: string): void {
    const { add, tell } = this.#search;
    const entry = this.#entries.find(one => itemsOf(valueAt(one, ['spec', 'hosts'])).includes(host));
    const addresses = [
      ...itemsOf(valueAt(entry, ['spec', 'addresses'])),
      ...itemsOf(valueAt(entry, ['spec', 'endpoints'])).map(one => valueAt(one, ['address'])),
    ].filter(one => typeof one === 'string' && parseAddress(one.split('/', 1)[0]!) !== undefined) as string[];
    for (const address of addresses)
      add(
        {
          from: sideOfId(endpoint.id),
          to: { cidr: address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}` },
          port,
        },
        `${where} of ${endpoint.id} names ${host}`,
      );
    if (addresses.length === 0)
      tell({
        is: 'way-out',
        object: endpoint.object!,
        text: `${where} of ${endpoint.id} names ${host}:${port}, which is outside: its addresses are not known`,
      });
  }

  /** Where VirtualServices for the mesh lead those who ask for a Service. */
  #meshRoutes(): ReadonlyMap<string, readonly KubeObject[]> {
    const found = new Map<string, KubeObject[]>();
    for (const object of this.#search.objects) {
      if (!isIstio(object, 'VirtualService')) continue;
      const gateways = itemsOf(valueAt(object, ['spec', 'gateways']));
      if (gateways.length > 0 && !gateways.includes('mesh')) continue;
      const destinations = ['http', 'tls', 'tcp']
        .flatMap(kind => itemsOf(valueAt(object, ['spec', kind])))
        .flatMap(rule => [
          ...itemsOf(valueAt(rule, ['route'])).map(one => valueAt(one, ['destination', 'host'])),
          valueAt(rule, ['mirror', 'host']),
          ...itemsOf(valueAt(rule, ['mirrors'])).map(one => valueAt(one, ['destination', 'host'])),
        ]);
      for (const host of itemsOf(valueAt(object, ['spec', 'hosts']))) {
        const asked = typeof host === 'string' ? this.#serviceOf(host, namespaceOf(object)) : undefined;
        if (asked === undefined) continue;
        const id = `${namespaceOf(asked)}/${nameOf(asked)}`;
        const list = found.get(id) ?? [];
        for (const destination of destinations) {
          const to =
            typeof destination === 'string' ? this.#serviceOf(destination, namespaceOf(object)) : undefined;
          if (to !== undefined && to !== asked && !list.includes(to)) list.push(to);
        }
        found.set(id, list);
      }
    }
    return found;
  }
}

/** Replicas of a StatefulSet find each other by its headless Service. */
function replicas({ endpoints, services, add, need }: Search): void {
  for (const { object, id, namespace } of endpoints) {
    if (object?.kind !== 'StatefulSet' || Number(valueAt(object, ['spec', 'replicas']) ?? 1) < 2) continue;
    for (const service of services.all()) {
      if (namespaceOf(service) !== namespace || nameOf(service) !== valueAt(object, ['spec', 'serviceName']))
        continue;
      if (valueAt(service, ['spec', 'clusterIP']) !== 'None') continue;
      for (const port of portsOfService(service))
        for (const target of services.targets(service, port))
          if (target.endpoint.id === id)
            add(need(sideOfId(id), target), `replicas of ${id} meet by Service ${nameOf(service)}`);
    }
  }
}

function isIstio(object: KubeObject, kind: string): boolean {
  return object.kind === kind && groupOf(object.apiVersion) === 'networking.istio.io';
}
