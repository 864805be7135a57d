/**
 * Which Sidecar a proxy follows, and what it sees through it: hosts, with the ports of each; what it takes in itself.
 *
 * Sources: istio pilot/pkg/model/push_context.go (initSidecarScopes, doGetSidecarScope), pilot/pkg/model/sidecar.go
 * (convertIstioListenerToWrapper, selectServices, collectImportedServices, appendSidecarServices),
 * pilot/pkg/model/virtualservice.go (SelectVirtualServices).
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import { NO, YES } from '#decide/network/labels.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { PortProtocol } from './authorize.ts';
import { byAge, isOf, selectorMatch } from './policies.ts';
import {
  type Client,
  type ExportDefaults,
  exportsOf,
  fullName,
  hostMatches,
  hostsOverlap,
  isExportedTo,
  type Registered,
  type Registry,
} from './registry.ts';
import { protocolNamed } from './services.ts';

const NETWORKING = 'networking.istio.io';

/** What a proxy knows of a host: the entry that counts for it, and the ports of which it knows. */
export interface Seen {
  readonly entry: Registered;
  readonly ports: readonly number[];
}

export interface Visibility {
  readonly seen: Seen | undefined;
  /** What hides it, where something does. */
  readonly by?: KubeObject;
  readonly path?: Path;
}

export class SidecarScopes {
  readonly #registry: Registry;
  readonly #sidecars: readonly KubeObject[];
  readonly #virtualServices: readonly KubeObject[];
  readonly #rootNamespace: string;
  readonly #defaults: ExportDefaults;
  readonly #followed = new Map<string, readonly KubeObject[]>();

  constructor(
    objects: readonly KubeObject[],
    registry: Registry,
    rootNamespace: string,
    defaults: ExportDefaults,
  ) {
    this.#registry = registry;
    const all = objects.filter(object => isOf(object, NETWORKING, 'Sidecar')).sort(byAge);
    this.#sidecars = [
      ...all.filter(object => selectorOf(object) !== undefined),
      ...all.filter(object => selectorOf(object) === undefined),
    ];
    this.#virtualServices = objects
      .filter(object => isOf(object, NETWORKING, 'VirtualService') && isForMesh(object))
      .sort(byAge);
    this.#rootNamespace = rootNamespace;
    this.#defaults = defaults;
  }

  /** The Sidecars that a proxy may follow: one, `undefined` for none, or several where its labels are not known. */
  of(client: Client): readonly (KubeObject | undefined)[] {
    if (client.router === true || this.#sidecars.length === 0) return [undefined];
    const found: (KubeObject | undefined)[] = [];
    for (const sidecar of this.#sidecars) {
      if (namespaceOf(sidecar) !== client.namespace) continue;
      const labels = selectorOf(sidecar);
      const match = labels === undefined ? YES : selectorMatch(labels, client.labels);
      if (match === NO) continue;
      found.push(sidecar);
      if (match === YES) return found;
    }
    const root = this.#sidecars.find(
      sidecar => namespaceOf(sidecar) === this.#rootNamespace && selectorOf(sidecar) === undefined,
    );
    return [...found, root];
  }

  /** What a client knows of a host through a Sidecar. */
  sees(client: Client, sidecar: KubeObject | undefined, host: string): Visibility {
    const candidates = this.#registry.ofHost(host);
    const visible = candidates.filter(one => isExportedTo(one.exportTo, one.namespace, client.namespace));
    const [hidden] = candidates;
    if (hidden === undefined) return { seen: undefined };
    const stated = sidecar === undefined ? [] : itemsOf(valueAt(sidecar, ['spec', 'egress']));
    if (visible.length === candidates.length && stated.length === 0)
      return { seen: whole(pick(visible, client.namespace)) };
    // Gateways know what is exported to them; other clients also what routes lead to, even where it is not.
    if (client.router === true)
      return visible.length === 0 ? hiddenBy(hidden) : { seen: whole(pick(visible, client.namespace)) };
    const egress = stated.length === 0 ? EVERYTHING : stated;
    let seen: Seen | undefined;
    for (const listener of egress) {
      const hosts = importsOf(listener, client.namespace);
      const port = listenerPort(listener);
      const imported = visible.flatMap((entry): Seen[] => {
        if (!hosts.imports(entry.namespace, host)) return [];
        if (port === undefined) return [{ entry, ports: entry.ports }];
        return entry.ports.includes(port) ? [{ entry, ports: [port] }] : [];
      });
      const chosen = pick(
        imported.map(({ entry }) => entry),
        client.namespace,
      );
      for (const one of imported)
        if (chosen !== undefined && one.entry.namespace === chosen.namespace) seen = joined(seen, one);
      for (const ports of this.#routedTo(client, hosts, host)) {
        const target = this.#routeTarget(candidates, client.namespace);
        const open =
          target === undefined
            ? []
            : port !== undefined
              ? target.ports.filter(one => one === port)
              : ports.size === 0 || ports.has(0)
                ? target.ports
                : target.ports.filter(one => ports.has(one));
        if (target !== undefined && open.length > 0) seen = joined(seen, { entry: target, ports: open });
      }
    }
    if (visible.length === 0 && seen === undefined) return hiddenBy(hidden);
    return stated.length === 0 ? { seen } : { seen, by: sidecar!, path: ['spec', 'egress'] };
  }

  /**
   * What Sidecars with listeners of their own for what comes in say that a port speaks: those take the place of all that
   * Services say, and on a port without one the protocol is found out. Undefined where no Sidecar has such listeners.
   */
  ingressProtocols(client: Client, port: number): readonly PortProtocol[] | undefined {
    const found = this.of(client).map((sidecar): PortProtocol | undefined => {
      const listeners = sidecar === undefined ? [] : itemsOf(valueAt(sidecar, ['spec', 'ingress']));
      if (listeners.length === 0) return undefined;
      const own = listeners.find(listener => valueAt(listener, ['port', 'number']) === port);
      return own === undefined ? 'AUTO' : protocolNamed(String(valueAt(own, ['port', 'protocol']) ?? ''));
    });
    const said = found.filter(protocol => protocol !== undefined);
    // Where only some of them have such listeners, the others' ports are as Services say, which is not known here.
    return said.length === 0 ? undefined : said.length < found.length ? [...said, 'AUTO'] : said;
  }

  /** The ports of a host that the VirtualServices of a listener lead to, once for each; `0` stands for all. */
  #routedTo(client: Client, hosts: Imports, host: string): readonly ReadonlySet<number>[] {
    return this.#virtualServices.flatMap(object => {
      const namespace = namespaceOf(object);
      if (!isExportedTo(exportsOf(object, this.#defaults.virtualServices), namespace, client.namespace))
        return [];
      const own = itemsOf(valueAt(object, ['spec', 'hosts'])).filter(item => typeof item === 'string');
      if (!own.some(name => hosts.importsRoute(namespace, fullName(name, namespace)))) return [];
      const ports = destinationsOf(object, client.namespace).get(host);
      return ports === undefined ? [] : [ports];
    });
  }

  /** The entry of a host that a route leads to: that of the client's namespace, a Service, else the oldest one. */
  #routeTarget(candidates: readonly Registered[], client: string): Registered | undefined {
    const own = candidates.find(({ namespace }) => namespace === client);
    if (own !== undefined) return own;
    const visible = candidates.filter(one => isExportedTo(one.exportTo, one.namespace, client));
    return visible.find(({ kubernetes }) => kubernetes) ?? visible[0];
  }

  /** The VirtualServices that clients of a namespace follow. */
  followedBy(namespace: string): readonly KubeObject[] {
    let found = this.#followed.get(namespace);
    if (found === undefined) {
      found = this.#virtualServices.filter(object =>
        isExportedTo(exportsOf(object, this.#defaults.virtualServices), namespaceOf(object), namespace),
      );
      this.#followed.set(namespace, found);
    }
    return found;
  }
}

/** What a proxy listens for that no Sidecar narrows. */
const EVERYTHING: readonly unknown[] = [{ hosts: ['*/*'] }];

/** A host that is not exported to the client. */
function hiddenBy({ kubernetes, object }: Registered): Visibility {
  return { seen: undefined, by: object, path: kubernetes ? ['metadata'] : ['spec', 'exportTo'] };
}

function whole(entry: Registered | undefined): Seen | undefined {
  return entry === undefined ? undefined : { entry, ports: entry.ports };
}

/** Of several entries with one host: that of the client's namespace, then a Service, then the first. */
function pick(list: readonly Registered[], client: string): Registered | undefined {
  let best: Registered | undefined;
  for (const one of list) {
    if (best === undefined || one.namespace === client) best = one;
    else if (!best.kubernetes && one.kubernetes && best.namespace !== client) best = one;
  }
  // A namespace may hold both: the Service counts.
  return list.find(one => one.namespace === best?.namespace && one.kubernetes) ?? best;
}

/** A host that several listeners know: ports of one entry together; a Service takes the place of an entry. */
function joined(seen: Seen | undefined, more: Seen): Seen {
  if (seen === undefined || seen.entry === more.entry) {
    const ports = [...new Set([...(seen?.ports ?? []), ...more.ports])];
    return { entry: more.entry, ports };
  }
  return !seen.entry.kubernetes && more.entry.kubernetes ? more : seen;
}

function selectorOf(sidecar: KubeObject): Readonly<Record<string, string>> | undefined {
  const selector = valueAt(sidecar, ['spec', 'workloadSelector']);
  if (!isRecord(selector)) return undefined;
  const labels = selector['labels'];
  return isRecord(labels) ? (labels as Record<string, string>) : {};
}

/** A listener for one port knows that port of its hosts only; one for a forward proxy has a port and knows all. */
function listenerPort(listener: unknown): number | undefined {
  const number = valueAt(listener, ['port', 'number']);
  if (typeof number !== 'number' || number === 0) return undefined;
  const protocol = String(valueAt(listener, ['port', 'protocol']) ?? '');
  return protocol.toUpperCase() === 'HTTP_PROXY' ? undefined : number;
}

interface Imports {
  imports(namespace: string, host: string): boolean;
  importsRoute(namespace: string, host: string): boolean;
}

/** `namespace/host`: `.` the own namespace, `*` all; `~` before the namespace takes away. */
function importsOf(listener: unknown, client: string): Imports {
  const included = new Map<string, string[]>();
  const excluded = new Map<string, string[]>();
  for (const item of itemsOf(valueAt(listener, ['hosts']))) {
    if (typeof item !== 'string') continue;
    const parts = item.split('/');
    if (parts.length !== 2) continue;
    let [namespace, host] = parts as [string, string];
    const into = namespace.startsWith('~') ? excluded : included;
    if (into === excluded) namespace = namespace.slice(1) || '*';
    if (namespace === '.') namespace = client;
    into.set(namespace, [...(into.get(namespace) ?? []), host]);
  }
  const lists = (map: ReadonlyMap<string, string[]>, namespace: string): readonly string[] => [
    ...(map.get(namespace) ?? []),
    ...(map.get('*') ?? []),
  ];
  const isExcluded = (namespace: string, host: string): boolean =>
    lists(excluded, namespace).some(pattern => hostMatches(pattern, host));
  return {
    imports: (namespace, host) =>
      !isExcluded(namespace, host) && lists(included, namespace).some(pattern => hostMatches(pattern, host)),
    importsRoute: (namespace, host) =>
      !isExcluded(namespace, host) && lists(included, namespace).some(pattern => hostsOverlap(pattern, host)),
  };
}

/** Whether sidecars follow a VirtualService, and not gateways only. */
function isForMesh(object: KubeObject): boolean {
  const gateways = itemsOf(valueAt(object, ['spec', 'gateways']));
  return gateways.length === 0 || gateways.includes('mesh');
}

/** The hosts that a VirtualService leads to, with the ports that it names; `0` where it names none. */
function destinationsOf(object: KubeObject, client: string): ReadonlyMap<string, ReadonlySet<number>> {
  const found = new Map<string, Set<number>>();
  const add = (destination: unknown): void => {
    const host = valueAt(destination, ['host']);
    if (typeof host !== 'string') return;
    const port = valueAt(destination, ['port', 'number']);
    const name = fullName(host, namespaceOf(object));
    const ports = found.get(name) ?? new Set();
    found.set(name, ports.add(typeof port === 'number' ? port : 0));
  };
  for (const route of itemsOf(valueAt(object, ['spec', 'http']))) {
    const sources = itemsOf(valueAt(route, ['match'])).flatMap(match => {
      const source = valueAt(match, ['sourceNamespace']);
      return typeof source === 'string' && source !== '' ? [source] : [];
    });
    if (sources.length > 0 && !sources.includes(client)) continue;
    for (const one of itemsOf(valueAt(route, ['route']))) add(valueAt(one, ['destination']));
    add(valueAt(route, ['mirror']));
    for (const one of itemsOf(valueAt(route, ['mirrors']))) add(valueAt(one, ['destination']));
  }
  for (const kind of ['tls', 'tcp'])
    for (const route of itemsOf(valueAt(object, ['spec', kind])))
      for (const one of itemsOf(valueAt(route, ['route']))) add(valueAt(one, ['destination']));
  return found;
}
