/** Services: which pods one leads to, on which of their ports. */
import {
  type Because,
  groupOf,
  isRecord,
  type KubeObject,
  nameOf,
  type Path,
  valueAt,
} from '#kube/objects.ts';
import { type Inventory, itemsOf, namespaceOf, type PodEndpoint } from './inventory.ts';
import { compileSelector, type Match, matchLabels, NO, SelectorError } from './labels.ts';
import { LAST_PORT, PROTOCOLS, type Protocol } from './ports.ts';

export interface ServicePort {
  readonly path: Path;
  readonly name: string | undefined;
  readonly port: number;
  readonly protocol: Protocol;
  readonly target: number | string;
  readonly nodePort: number | undefined;
}

/** A pod behind a Service, on the port where it is asked. */
export interface Target {
  readonly endpoint: PodEndpoint;
  readonly port: number;
  readonly protocol: Protocol;
  readonly match: Match;
}

/** Finds Services and what is behind them, and notes what leads nowhere. */
export class Services {
  /** Objects that lead nowhere, with the place that says where to. */
  readonly gaps: Because[] = [];
  readonly #byName = new Map<string, KubeObject>();
  readonly #pods = new Map<string, PodEndpoint[]>();
  readonly #noted = new Set<string>();

  constructor(objects: readonly KubeObject[], inventory: Inventory) {
    for (const object of objects)
      if (object.apiVersion === 'v1' && object.kind === 'Service')
        this.#byName.set(`${namespaceOf(object)}/${nameOf(object)}`, object);
    for (const endpoint of inventory.endpoints) {
      const list = this.#pods.get(endpoint.namespace ?? '');
      if (list === undefined) this.#pods.set(endpoint.namespace ?? '', [endpoint]);
      else list.push(endpoint);
    }
  }

  all(): Iterable<KubeObject> {
    return this.#byName.values();
  }

  note(object: KubeObject, path: Path, text: string): void {
    const key = `${object.kind} ${namespaceOf(object)}/${nameOf(object)} ${path.join('.')} ${text}`;
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    this.gaps.push({ object, path, text });
  }

  /** The Service that an object refers to; a missing one is noted. */
  find(namespace: string, name: unknown, referrer: KubeObject, path: Path): KubeObject | undefined {
    const service = typeof name === 'string' ? this.#byName.get(`${namespace}/${name}`) : undefined;
    if (service === undefined)
      this.note(referrer, path, `there is no Service ${namespace}/${String(name)} in the input`);
    return service;
  }

  /** What a Service leads to by one of its ports. */
  targets(service: KubeObject, port: ServicePort): readonly Target[] {
    const found = this.#selected(service).flatMap(({ endpoint, match }) =>
      numbersOf(port, endpoint).map(number => ({ endpoint, match, port: number, protocol: port.protocol })),
    );
    if (found.length === 0)
      this.note(service, port.path, `${nameOf(service)} leads to no pod on port ${port.port}`);
    return found;
  }

  #selected(service: KubeObject): readonly { endpoint: PodEndpoint; match: Match }[] {
    const labels = valueAt(service, ['spec', 'selector']);
    if (!isRecord(labels) || Object.keys(labels).length === 0) return [];
    return this.selected(labels, namespaceOf(service));
  }

  /** The pods with these labels, in one namespace or in all. */
  selected(
    labels: unknown,
    namespace: string | undefined,
  ): readonly { endpoint: PodEndpoint; match: Match }[] {
    try {
      const selector = compileSelector({ matchLabels: labels });
      const candidates =
        namespace === undefined ? [...this.#pods.values()].flat() : (this.#pods.get(namespace) ?? []);
      return candidates
        .map(endpoint => ({ endpoint, match: matchLabels(selector, endpoint.labels) }))
        .filter(({ match }) => match !== NO);
    } catch (error) {
      if (error instanceof SelectorError) return [];
      throw error;
    }
  }
}

/** The ports of a Service; of an ExternalName, none. */
export function portsOfService(service: KubeObject): ServicePort[] {
  if (valueAt(service, ['spec', 'type']) === 'ExternalName') return [];
  return itemsOf(valueAt(service, ['spec', 'ports'])).flatMap((value, index): ServicePort[] => {
    if (!isRecord(value) || !isPort(value['port'])) return [];
    const { name, port, nodePort, protocol = 'TCP' } = value;
    const target = value['targetPort'] ?? port;
    if (!PROTOCOLS.includes(protocol as Protocol)) return [];
    return [
      {
        path: ['spec', 'ports', index],
        name: typeof name === 'string' ? name : undefined,
        port,
        protocol: protocol as Protocol,
        target: typeof target === 'string' || typeof target === 'number' ? target : port,
        nodePort: isPort(nodePort) ? nodePort : undefined,
      },
    ];
  });
}

/** Whether a reference by number or name means a port of a Service; nothing at all means every port. */
export function means(reference: unknown, port: ServicePort): boolean {
  if (reference === undefined || reference === null) return true;
  return typeof reference === 'string' && !/^[0-9]+$/.test(reference)
    ? port.name === reference
    : port.port === Number(reference);
}

export function isService(reference: Readonly<Record<string, unknown>>): boolean {
  const { kind = 'Service', group = '' } = reference;
  return kind === 'Service' && (group === '' || group === null);
}

/** A string field of a record that may be anything. */
export function textAt(value: unknown, path: Path): string | undefined {
  const text = valueAt(value, path);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

export function isOf(object: KubeObject, group: string, kind: string): boolean {
  return object.kind === kind && groupOf(object.apiVersion) === group;
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LAST_PORT;
}

/** The numbers that a Service's port has on a pod. */
export function numbersOf(port: ServicePort, endpoint: PodEndpoint): readonly number[] {
  const { target, protocol } = port;
  if (typeof target === 'number') return isPort(target) ? [target] : [];
  if (/^[0-9]+$/.test(target)) return [Number(target)].filter(isPort);
  const named = (endpoint.ports ?? []).filter(
    declared => declared.name === target && declared.protocol === protocol,
  );
  return named.slice(0, 1).map(declared => declared.port);
}

/** The strings of a list; of anything else, none. */
export function textsAt(value: unknown, field: string): string[] {
  return itemsOf(valueAt(value, [field])).filter(item => typeof item === 'string');
}
