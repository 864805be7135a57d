/**
 * The Services in front of a workload's port, and the ServiceEntries that select it; what they say about its protocol.
 * Source for the latter: istio pilot/pkg/serviceregistry/serviceentry (a workloadSelector selects pods of its namespace).
 */
import { itemsOf, namespaceOf, type PodEndpoint } from '#decide/network/inventory.ts';
import {
  compileSelector,
  type Match,
  matchLabels,
  NO,
  type Selector,
  SelectorError,
} from '#decide/network/labels.ts';
import { numbersOf, portsOfService, type ServicePort } from '#decide/network/services.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import type { PortProtocol } from './authorize.ts';
import { isOf } from './policies.ts';

/** A Service that leads to a pod's port. */
export interface Front {
  /** A Service or a ServiceEntry. */
  readonly service: KubeObject;
  /** The name that clients ask for. */
  readonly host: string;
  readonly port: ServicePort;
  readonly protocol: PortProtocol;
  /** Whether it surely selects the pod. */
  readonly match: Match;
}

interface Indexed {
  readonly service: KubeObject;
  readonly ports: readonly (ServicePort & { readonly speaks?: PortProtocol })[];
  readonly hosts: readonly string[];
  readonly selector: Selector;
  readonly order: number;
}

/** The Services of a namespace: by a label that they ask for, so that few are tried on a pod whose labels are known. */
interface InNamespace {
  readonly all: Indexed[];
  readonly byLabel: Map<string, Indexed[]>;
}

export class ServiceIndex {
  readonly #byNamespace = new Map<string, InNamespace>();
  readonly #fronts = new WeakMap<PodEndpoint, Map<number, readonly Front[]>>();

  constructor(objects: readonly KubeObject[]) {
    for (const service of objects) {
      const isEntry = isOf(service, 'networking.istio.io', 'ServiceEntry');
      if (!isEntry && (service.apiVersion !== 'v1' || service.kind !== 'Service')) continue;
      const labels = valueAt(
        service,
        isEntry ? ['spec', 'workloadSelector', 'labels'] : ['spec', 'selector'],
      );
      if (!isRecord(labels) || Object.keys(labels).length === 0) continue;
      try {
        const selector = compileSelector({ matchLabels: labels });
        const here: InNamespace = this.#byNamespace.get(namespaceOf(service)) ?? {
          all: [],
          byLabel: new Map(),
        };
        const named = isEntry
          ? entryOf(service)
          : { ports: portsOfService(service), hosts: [hostOf(service)] };
        const indexed = { service, selector, order: here.all.length, ...named };
        here.all.push(indexed);
        const [[key, value]] = Object.entries(labels) as [[string, unknown]];
        const label = `${key}=${String(value)}`;
        here.byLabel.set(label, [...(here.byLabel.get(label) ?? []), indexed]);
        this.#byNamespace.set(namespaceOf(service), here);
      } catch (error) {
        if (!(error instanceof SelectorError)) throw error;
      }
    }
  }

  #candidates({ namespace, labels: { labels, open } }: PodEndpoint): readonly Indexed[] {
    const here = this.#byNamespace.get(namespace ?? '');
    if (here === undefined || open !== 'none') return here?.all ?? [];
    return Object.entries(labels)
      .flatMap(([key, value]) => here.byLabel.get(`${key}=${value}`) ?? [])
      .sort((a, b) => a.order - b.order);
  }

  /** The Services that lead to a pod, on one of its ports. */
  inFrontOf(endpoint: PodEndpoint, port: number): readonly Front[] {
    let known = this.#fronts.get(endpoint);
    if (known === undefined) {
      known = new Map();
      this.#fronts.set(endpoint, known);
    }
    let fronts = known.get(port);
    if (fronts === undefined) {
      fronts = this.#find(endpoint, port);
      known.set(port, fronts);
    }
    return fronts;
  }

  #find(endpoint: PodEndpoint, port: number): readonly Front[] {
    const found: Front[] = [];
    for (const { service, selector, ports, hosts } of this.#candidates(endpoint)) {
      const match = matchLabels(selector, endpoint.labels);
      if (match === NO) continue;
      for (const one of ports) {
        if (one.protocol !== 'TCP' || !numbersOf(one, endpoint).includes(port)) continue;
        const protocol = one.speaks ?? protocolOf(service, one);
        for (const host of hosts) found.push({ service, host, port: one, protocol, match });
      }
    }
    return found;
  }
}

const HTTP: ReadonlySet<string> = new Set(['http', 'http2', 'grpc', 'http_proxy']);
const TCP: ReadonlySet<string> = new Set(['tcp', 'https', 'tls', 'mongo', 'redis', 'mysql']);
/** Ports whose servers speak first: plain TCP where nothing says otherwise. */
const WELL_KNOWN: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/**
 * The protocol of a Service's port, as far as it matters to filters. Source: istio pkg/config/kube/conversion.go
 * (ConvertProtocol), pkg/config/protocol/instance.go (Parse).
 */
function protocolOf(service: KubeObject, port: ServicePort): PortProtocol {
  const declared = itemsOf(valueAt(service, ['spec', 'ports']))[Number(port.path.at(-1))];
  const app = valueAt(declared, ['appProtocol']);
  if (app === 'kubernetes.io/h2c' || app === 'kubernetes.io/ws') return 'HTTP';
  if (app === 'kubernetes.io/wss') return 'TCP';
  const name = (typeof app === 'string' ? app : (port.name ?? '')).toLowerCase();
  if (name.startsWith('grpc-web')) return 'HTTP';
  const [word] = name.split('-') as [string];
  if (HTTP.has(word)) return 'HTTP';
  return TCP.has(word) || WELL_KNOWN.has(port.port) ? 'TCP' : 'AUTO';
}

/** The hosts of a ServiceEntry, and its ports as those of a Service. */
function entryOf(entry: KubeObject): Pick<Indexed, 'ports' | 'hosts'> {
  const hosts = itemsOf(valueAt(entry, ['spec', 'hosts'])).filter(host => typeof host === 'string');
  const ports = itemsOf(valueAt(entry, ['spec', 'ports'])).flatMap((port, index): Indexed['ports'] => {
    const [number, target] = [valueAt(port, ['number']), valueAt(port, ['targetPort'])];
    if (typeof number !== 'number') return [];
    const word = String(valueAt(port, ['protocol']) ?? '').toLowerCase();
    const name = valueAt(port, ['name']);
    return [
      {
        path: ['spec', 'ports', index],
        name: typeof name === 'string' ? name : undefined,
        port: number,
        protocol: word === 'udp' ? 'UDP' : 'TCP',
        target: typeof target === 'number' ? target : number,
        nodePort: undefined,
        speaks: protocolNamed(word),
      },
    ];
  });
  return { ports, hosts };
}

/** What a protocol of Istio's own objects means to filters. Source: pkg/config/protocol/instance.go (Parse). */
export function protocolNamed(name: string): PortProtocol {
  const word = name.toLowerCase();
  if (HTTP.has(word) || word === 'grpc-web' || word === 'grpc-web-text') return 'HTTP';
  return TCP.has(word) ? 'TCP' : 'AUTO';
}

/** The name that clients ask for. */
export function hostOf(service: KubeObject): string {
  return `${nameOf(service)}.${namespaceOf(service)}.svc.cluster.local`;
}
