/**
 * The hosts that proxies of Istio know: Services and ServiceEntries, and who may see them.
 *
 * Sources: istio pilot/pkg/model/push_context.go (initServiceRegistry, serviceExportTo, servicesExportedToNamespace),
 * pilot/pkg/serviceregistry/kube/conversion.go (ConvertService), pilot/pkg/serviceregistry/serviceentry/conversion.go
 * (convertServices), pkg/config/host/name.go (matching of names).
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import type { KnownLabels } from '#decide/network/labels.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { byAge, isOf } from './policies.ts';

const NETWORKING = 'networking.istio.io';

export type Resolution = 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS';

/** One host of the registry. */
export interface Registered {
  readonly object: KubeObject;
  readonly host: string;
  readonly namespace: string;
  /** The ports that clients ask for. */
  readonly ports: readonly number[];
  readonly kubernetes: boolean;
  /** Said to be outside of the mesh: nothing is encrypted by itself. */
  readonly external: boolean;
  /** `NONE`: clients go to the address that they have. */
  readonly resolution: Resolution;
  readonly exportTo: ReadonlySet<string>;
}

/** A client: where its proxy stands. */
export interface Client {
  readonly namespace: string;
  readonly labels: KnownLabels;
  /** A gateway, which no Sidecar narrows. */
  readonly router?: boolean;
}

/** To whom objects are exported that say nothing themselves. */
export interface ExportDefaults {
  readonly services: readonly string[];
  readonly destinationRules: readonly string[];
  readonly virtualServices: readonly string[];
}

export class Registry {
  readonly #byHost = new Map<string, Registered[]>();
  readonly #byObject = new Map<KubeObject, readonly Registered[]>();

  /** @param objects each once; the oldest of two with one host counts for more */
  constructor(objects: readonly KubeObject[], defaults: ExportDefaults) {
    const own = objects.filter(
      object =>
        (object.apiVersion === 'v1' && object.kind === 'Service') || isOf(object, NETWORKING, 'ServiceEntry'),
    );
    for (const object of own.sort(byAge)) {
      const entries = isOf(object, NETWORKING, 'ServiceEntry')
        ? ofEntry(object, defaults)
        : [ofService(object, defaults)];
      this.#byObject.set(object, entries);
      for (const entry of entries) {
        const known = this.#byHost.get(entry.host);
        if (known === undefined) this.#byHost.set(entry.host, [entry]);
        else known.push(entry);
      }
    }
  }

  /** All entries of a host: those exported by name first, then those for everybody, the oldest first. */
  ofHost(host: string): readonly Registered[] {
    const found = this.#byHost.get(host) ?? [];
    if (found.length < 2) return found;
    return [...found.filter(one => !one.exportTo.has('*')), ...found.filter(one => one.exportTo.has('*'))];
  }

  /** What an object registers: a Service one host, a ServiceEntry each of its own. */
  ofObject(object: KubeObject): readonly Registered[] {
    return this.#byObject.get(object) ?? [];
  }

  /** The entry with wildcards that names a host best; undefined where none does. */
  wildcardFor(host: string): readonly Registered[] {
    let best: string | undefined;
    for (const name of this.#byHost.keys())
      if (isWild(name) && hostMatches(name, host) && (best === undefined || name.length > best.length))
        best = name;
    return best === undefined ? [] : this.ofHost(best);
  }
}

/** Whether clients of a namespace see what is exported so. `~` hides it from all, `.` is the object's own namespace. */
export function isExportedTo(exportTo: ReadonlySet<string>, own: string, client: string): boolean {
  if (exportTo.has('*')) return true;
  if (exportTo.has('~')) return false;
  return exportTo.has(client) || (exportTo.has('.') && own === client);
}

/** What an object says of its visibility, else the default of the mesh. */
export function exportsOf(object: KubeObject, defaults: readonly string[]): ReadonlySet<string> {
  const list = itemsOf(valueAt(object, ['spec', 'exportTo'])).filter(item => typeof item === 'string');
  return new Set(list.length > 0 ? list : defaults);
}

function ofService(service: KubeObject, defaults: ExportDefaults): Registered {
  const text = service.metadata?.annotations?.['networking.istio.io/exportTo'];
  const stated =
    typeof text === 'string'
      ? text
          .split(',')
          .map(item => item.trim())
          .filter(item => item !== '')
      : [];
  const external = valueAt(service, ['spec', 'type']) === 'ExternalName';
  return {
    object: service,
    host: `${nameOf(service)}.${namespaceOf(service)}.svc.cluster.local`,
    namespace: namespaceOf(service),
    ports: itemsOf(valueAt(service, ['spec', 'ports'])).flatMap(port => numberAt(port, 'port')),
    kubernetes: true,
    external,
    resolution: !external && valueAt(service, ['spec', 'clusterIP']) === 'None' ? 'NONE' : 'STATIC',
    exportTo: new Set(stated.length > 0 ? stated : defaults.services),
  };
}

const RESOLUTIONS: readonly string[] = ['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'];

function ofEntry(entry: KubeObject, defaults: ExportDefaults): Registered[] {
  const stated = valueAt(entry, ['spec', 'resolution']);
  const resolution = (RESOLUTIONS.includes(stated as string) ? stated : 'NONE') as Resolution;
  const common = {
    object: entry,
    namespace: namespaceOf(entry),
    ports: itemsOf(valueAt(entry, ['spec', 'ports'])).flatMap(port => numberAt(port, 'number')),
    kubernetes: false,
    external: valueAt(entry, ['spec', 'location']) !== 'MESH_INTERNAL',
    resolution,
    exportTo: exportsOf(entry, defaults.services),
  };
  return itemsOf(valueAt(entry, ['spec', 'hosts'])).flatMap(host =>
    typeof host === 'string' && host !== '' ? [{ ...common, host }] : [],
  );
}

function numberAt(port: unknown, field: string): number[] {
  const number = isRecord(port) ? port[field] : undefined;
  return typeof number === 'number' ? [number] : [];
}

/** The host of a rule or a route as a full name: one without dots is a Service of the object's own namespace. */
export function fullName(host: string, namespace: string): string {
  return host.includes('.') || host.includes('*') ? host : `${host}.${namespace}.svc.cluster.local`;
}

export function isWild(host: string): boolean {
  return host.startsWith('*');
}

/** Whether a name with or without a wildcard covers another. */
export function hostMatches(pattern: string, name: string): boolean {
  if (!isWild(pattern)) return pattern === name;
  if (isWild(name) && name.length < pattern.length) return false;
  return name.endsWith(pattern.slice(1));
}

/** Whether either covers the other. */
export function hostsOverlap(a: string, b: string): boolean {
  if (isWild(a) && isWild(b))
    return a.length < b.length ? b.slice(1).endsWith(a.slice(1)) : a.slice(1).endsWith(b.slice(1));
  return hostMatches(a, b) || hostMatches(b, a);
}
