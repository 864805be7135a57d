/** The Services in front of a workload's port, and what they say about its protocol. */
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

/** A Service that leads to a pod's port. */
export interface Front {
  readonly service: KubeObject;
  readonly port: ServicePort;
  readonly protocol: PortProtocol;
  /** Whether it surely selects the pod. */
  readonly match: Match;
  readonly headless: boolean;
}

interface Indexed {
  readonly service: KubeObject;
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
      if (service.apiVersion !== 'v1' || service.kind !== 'Service') continue;
      const labels = valueAt(service, ['spec', 'selector']);
      if (!isRecord(labels) || Object.keys(labels).length === 0) continue;
      try {
        const selector = compileSelector({ matchLabels: labels });
        const here: InNamespace = this.#byNamespace.get(namespaceOf(service)) ?? {
          all: [],
          byLabel: new Map(),
        };
        const indexed = { service, selector, order: here.all.length };
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
    for (const { service, selector } of this.#candidates(endpoint)) {
      const match = matchLabels(selector, endpoint.labels);
      if (match === NO) continue;
      for (const one of portsOfService(service)) {
        if (one.protocol !== 'TCP' || !numbersOf(one, endpoint).includes(port)) continue;
        const headless = valueAt(service, ['spec', 'clusterIP']) === 'None';
        found.push({ service, port: one, protocol: protocolOf(service, one), match, headless });
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

/** The name that clients ask for. */
export function hostOf(service: KubeObject): string {
  return `${nameOf(service)}.${namespaceOf(service)}.svc.cluster.local`;
}
