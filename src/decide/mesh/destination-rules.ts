/**
 * What a client's proxy does to a connection: which DestinationRule it follows, and whether it sees the host at all.
 *
 * Sources: istio pilot/pkg/model/push_context.go (destinationRule), pilot/pkg/model/destination_rule.go (merging),
 * pilot/pkg/xds/endpoints/mtls_checker.go, pilot/pkg/model/sidecar.go.
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import { type KnownLabels, NO } from '#decide/network/labels.ts';
import { isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import { byAge, isOf, selectorMatch } from './policies.ts';

const NETWORKING = 'networking.istio.io';
const MODES = ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'] as const;

export type ClientMode = (typeof MODES)[number];

/** A mode that a rule sets, with its place; without one the mesh decides by itself. */
export interface ClientTls {
  readonly mode: ClientMode | undefined;
  readonly object?: KubeObject;
  readonly path?: Path;
}

/** A host that clients ask for. */
export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
  /** Labels of the pod that answers, for subsets. */
  readonly labels: KnownLabels;
}

/** A client: where its proxy stands. */
export interface Client {
  readonly namespace: string;
  readonly labels: KnownLabels;
}

export class ClientRules {
  readonly #rules: readonly KubeObject[];
  readonly #sidecars: readonly KubeObject[];
  readonly #routed: ReadonlySet<string>;
  readonly #rootNamespace: string;
  readonly #registryOnly: boolean;

  constructor(objects: readonly KubeObject[], rootNamespace: string, registryOnly: boolean) {
    this.#rules = objects.filter(object => isOf(object, NETWORKING, 'DestinationRule')).sort(byAge);
    this.#sidecars = objects.filter(object => isOf(object, NETWORKING, 'Sidecar')).sort(byAge);
    this.#routed = new Set(
      objects
        .filter(object => isOf(object, NETWORKING, 'VirtualService'))
        .flatMap(object => destinationHosts(object)),
    );
    this.#rootNamespace = rootNamespace;
    this.#registryOnly = registryOnly;
  }

  /** The modes that a rule may set: several where subsets differ and routes lead to them. */
  tls(client: Client, host: Host): readonly ClientTls[] {
    const rules = this.#select(client, host);
    if (rules.length === 0) return [{ mode: undefined }];
    const policy = rules.find(rule => isRecord(valueAt(rule, ['spec', 'trafficPolicy'])));
    const whole: ClientTls =
      policy === undefined
        ? { mode: undefined }
        : (tlsOf(policy, ['spec', 'trafficPolicy'], host.port) ?? { mode: undefined });
    if (!this.#routed.has(host.name)) return [whole];
    const subsets = rules.flatMap(rule =>
      itemsOf(valueAt(rule, ['spec', 'subsets'])).flatMap((subset, index): ClientTls[] => {
        const labels = valueAt(subset, ['labels']);
        if (isRecord(labels) && selectorMatch(labels as Record<string, string>, host.labels) === NO)
          return [];
        return [tlsOf(rule, ['spec', 'subsets', index, 'trafficPolicy'], host.port) ?? whole];
      }),
    );
    return [whole, ...subsets.filter(({ mode }) => mode !== whole.mode)];
  }

  #select(client: Client, host: Host): readonly KubeObject[] {
    const root = this.#rootNamespace;
    const local = (rule: KubeObject): boolean => {
      if (namespaceOf(rule) !== client.namespace) return false;
      return client.namespace !== root || isPrivate(rule);
    };
    const exported =
      (namespace: string) =>
      (rule: KubeObject): boolean =>
        namespaceOf(rule) === namespace && isExported(rule, client.namespace);
    for (const among of [local, exported(host.namespace), exported(root)]) {
      const found = this.#mostSpecific(this.#rules.filter(among), client, host.name);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** The rules of the host that names the destination best; one for other clients only counts for those. */
  #mostSpecific(rules: readonly KubeObject[], client: Client, name: string): readonly KubeObject[] {
    let best: string | undefined;
    for (const rule of rules) {
      const host = ruleHost(rule);
      if (host === undefined || !hostMatches(host, name)) continue;
      if (best === undefined || isMoreSpecific(host, best)) best = host;
    }
    if (best === undefined) return [];
    const same = rules.filter(rule => ruleHost(rule) === best);
    const selecting = same.filter(rule => {
      const labels = valueAt(rule, ['spec', 'workloadSelector', 'matchLabels']);
      return isRecord(labels) && selectorMatch(labels as Record<string, string>, client.labels) !== NO;
    });
    if (selecting.length > 0) return selecting;
    return same.filter(rule => !isRecord(valueAt(rule, ['spec', 'workloadSelector', 'matchLabels'])));
  }

  /** The Sidecar that narrows what a client sees, or undefined. */
  sidecarOf(client: Client): KubeObject | undefined {
    const labelsOf = (object: KubeObject): unknown => valueAt(object, ['spec', 'workloadSelector', 'labels']);
    const inNamespace = this.#sidecars.filter(object => namespaceOf(object) === client.namespace);
    const open = (list: readonly KubeObject[]): KubeObject | undefined =>
      list.find(object => !isRecord(labelsOf(object)));
    return (
      inNamespace.find(object => {
        const labels = labelsOf(object);
        return isRecord(labels) && selectorMatch(labels as Record<string, string>, client.labels) !== NO;
      }) ??
      open(inNamespace) ??
      open(this.#sidecars.filter(object => namespaceOf(object) === this.#rootNamespace))
    );
  }

  /** Whether the client's proxy knows the host. */
  sees(
    client: Client,
    host: Host,
    service: KubeObject | undefined,
  ): { visible: boolean; by?: KubeObject; path?: Path } {
    if (service !== undefined && !isVisible(service, client.namespace))
      return { visible: false, by: service, path: ['metadata'] };
    const sidecar = this.sidecarOf(client);
    const egress = valueAt(sidecar, ['spec', 'egress']);
    if (sidecar === undefined || !Array.isArray(egress) || egress.length === 0) return { visible: true };
    const visible = egress.some(listener => {
      const port = valueAt(listener, ['port', 'number']);
      if (typeof port === 'number' && port !== host.port) return false;
      return itemsOf(valueAt(listener, ['hosts'])).some(
        item => typeof item === 'string' && egressHostMatches(item, client.namespace, host),
      );
    });
    return { visible, by: sidecar, path: ['spec', 'egress'] };
  }

  /** Whether what the client's registry does not know is refused. */
  registryOnly(client: Client): { is: boolean; by?: KubeObject; path?: Path } {
    const sidecar = this.sidecarOf(client);
    const mode = valueAt(sidecar, ['spec', 'outboundTrafficPolicy', 'mode']);
    if (sidecar !== undefined && typeof mode === 'string')
      return {
        is: mode === 'REGISTRY_ONLY',
        by: sidecar,
        path: ['spec', 'outboundTrafficPolicy', 'mode'],
      };
    return { is: this.#registryOnly };
  }
}

/** The mode of a traffic policy for a port; what stands at the port replaces the rest. */
function tlsOf(object: KubeObject, at: Path, port: number): ClientTls | undefined {
  const policy = valueAt(object, at);
  if (!isRecord(policy)) return undefined;
  const own = modeAt(object, [...at, 'tls']);
  for (const [index, setting] of itemsOf(policy['portLevelSettings']).entries()) {
    if (valueAt(setting, ['port', 'number']) !== port) continue;
    const found = modeAt(object, [...at, 'portLevelSettings', index, 'tls']);
    if (found !== undefined) return found;
    // Without a mode of its own, the port is left to the mesh, which still asks the rule whether it wants mutual TLS.
    return own === undefined || own.mode === 'ISTIO_MUTUAL'
      ? { mode: undefined }
      : { ...own, mode: 'DISABLE' };
  }
  return own;
}

function modeAt(object: KubeObject, path: Path): ClientTls | undefined {
  const tls = valueAt(object, path);
  if (!isRecord(tls)) return undefined;
  const mode = tls['mode'] ?? 'DISABLE';
  if (!MODES.includes(mode as ClientMode)) return undefined;
  return { mode: mode as ClientMode, object, path: [...path, 'mode'] };
}

/** The host of a rule as a full name: one without dots is a Service of the rule's own namespace. */
function ruleHost(rule: KubeObject): string | undefined {
  const host = valueAt(rule, ['spec', 'host']);
  if (typeof host !== 'string' || host === '') return undefined;
  return fullName(host, namespaceOf(rule));
}

function fullName(host: string, namespace: string): string {
  return host.includes('.') || host.includes('*') ? host : `${host}.${namespace}.svc.cluster.local`;
}

function hostMatches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : pattern === name;
}

function isMoreSpecific(a: string, b: string): boolean {
  const [wildA, wildB] = [a.startsWith('*'), b.startsWith('*')];
  if (wildA !== wildB) return wildB;
  return a.length > b.length;
}

function isPrivate(rule: KubeObject): boolean {
  const to = itemsOf(valueAt(rule, ['spec', 'exportTo']));
  return to.length > 0 && to.every(item => item === '.' || item === namespaceOf(rule));
}

function isExported(object: KubeObject, client: string): boolean {
  const to = itemsOf(valueAt(object, ['spec', 'exportTo']));
  return (
    to.length === 0 ||
    to.some(item => item === '*' || item === client || (item === '.' && namespaceOf(object) === client))
  );
}

function isVisible(service: KubeObject, client: string): boolean {
  const text = service.metadata?.annotations?.['networking.istio.io/exportTo'];
  if (isOf(service, NETWORKING, 'ServiceEntry')) return isExported(service, client);
  if (typeof text !== 'string' || text.trim() === '') return true;
  return text
    .split(',')
    .map(item => item.trim())
    .some(item => item === '*' || item === client || (item === '.' && namespaceOf(service) === client));
}

/** `namespace/host`: `.` the own namespace, `*` all, `~` none. */
function egressHostMatches(item: string, client: string, host: Host): boolean {
  const slash = item.indexOf('/');
  if (slash < 0) return false;
  const namespace = item.slice(0, slash);
  const of = namespace === '.' ? client : namespace;
  return (of === '*' || of === host.namespace) && hostMatches(item.slice(slash + 1), host.name);
}

/** The hosts that a VirtualService leads to by subset. */
function destinationHosts(object: KubeObject): string[] {
  const found: string[] = [];
  for (const kind of ['http', 'tls', 'tcp'])
    for (const route of itemsOf(valueAt(object, ['spec', kind])))
      for (const one of itemsOf(valueAt(route, ['route']))) {
        const host = valueAt(one, ['destination', 'host']);
        if (typeof host === 'string' && valueAt(one, ['destination', 'subset']) !== undefined)
          found.push(fullName(host, namespaceOf(object)));
      }
  return found;
}

export function describeRule(object: KubeObject): string {
  return `${object.kind} ${namespaceOf(object)}/${nameOf(object)}`;
}
