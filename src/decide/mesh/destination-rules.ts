/**
 * What a client's proxy does to a connection: which DestinationRule it follows, and how it encrypts because of it.
 *
 * Sources: istio pilot/pkg/model/push_context.go (setDestinationRules, destinationRule), pilot/pkg/model/destination_rule.go
 * (mergeDestinationRule), pilot/pkg/model/sidecar.go (SidecarScope.DestinationRule), pilot/pkg/model/config.go
 * (MostSpecificHostMatch), pilot/pkg/networking/core/cluster_tls.go (buildUpstreamTLSSettings,
 * buildUpstreamClusterTLSContext), pilot/pkg/networking/util/util.go (GetPortLevelTrafficPolicy,
 * MergeSubsetTrafficPolicy), pilot/pkg/xds/endpoints/mtls_checker.go.
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import { type KnownLabels, NO, YES } from '#decide/network/labels.ts';
import { type Because, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import type { MeshSettings } from './mesh-config.ts';
import { oddMode } from './odd-objects.ts';
import { byAge, isOf, selectorMatch } from './policies.ts';
import { type Client, fullName, hostMatches, isWild, type Registered, Registry } from './registry.ts';
import { SidecarScopes } from './sidecar-scopes.ts';

const NETWORKING = 'networking.istio.io';
const MODES = ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'] as const;

export type ClientMode = (typeof MODES)[number];

/** A mode that a rule sets, with its place; without one the mesh decides by itself. */
export interface ClientTls {
  readonly mode: ClientMode | undefined;
  readonly object?: KubeObject;
  readonly path?: Path;
  /** What the mode comes to, where it is not what it says. */
  readonly quirk?: string;
  /** A mode that there is not, and so is none. */
  readonly odd?: Because;
  /**
   * What the rule says of endpoints where it sets no mode for the port: automatic mutual TLS is off for them unless it
   * is ISTIO_MUTUAL, and is not asked of PeerAuthentications then.
   */
  readonly endpoints?: ClientTls;
}

/** A host that clients ask for. */
export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
  /** Labels of the pod that answers, for subsets. */
  readonly labels: KnownLabels;
}

/** Rules of one namespace for one host that count as one: the first traffic policy, and the subsets of all. */
interface Merged {
  readonly exportTo: ReadonlySet<string>;
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly rules: KubeObject[];
}

type Index = Map<string, Merged[]>;

export class ClientRules {
  readonly registry: Registry;
  readonly scopes: SidecarScopes;
  /** By namespace: for its own clients, for those of others, and the private ones of the root namespace. */
  readonly #local = new Map<string, Index>();
  readonly #exported = new Map<string, Index>();
  readonly #privateRoot: Index = new Map();
  readonly #rootNamespace: string;
  readonly #registryOnly: boolean;

  constructor(objects: readonly KubeObject[], settings: MeshSettings) {
    const { rootNamespace, exportTo } = settings;
    this.registry = new Registry(objects, exportTo);
    this.scopes = new SidecarScopes(objects, this.registry, rootNamespace, exportTo);
    this.#rootNamespace = rootNamespace;
    this.#registryOnly = settings.registryOnly;
    const rules = objects.filter(object => isOf(object, NETWORKING, 'DestinationRule')).sort(byAge);
    const selective = rules.filter(rule => selectorOf(rule) !== undefined);
    const others = rules.filter(rule => selectorOf(rule) === undefined);
    for (const rule of [...selective, ...others]) this.#add(rule, new Set(exportTo.destinationRules));
  }

  #add(rule: KubeObject, defaults: ReadonlySet<string>): void {
    const host = ruleHost(rule);
    if (host === undefined) return;
    const namespace = namespaceOf(rule);
    const selector = selectorOf(rule);
    // A rule for some clients is for those of its own namespace only.
    const exportTo =
      selector === undefined
        ? new Set(itemsOf(valueAt(rule, ['spec', 'exportTo'])).filter(item => typeof item === 'string'))
        : new Set(['.']);
    const own = { exportTo, selector, rules: [rule] };
    if (exportTo.size === 0 || ['*', '.', namespace].some(one => exportTo.has(one)))
      merge(indexOf(this.#local, namespace), host, own);
    const isPrivate =
      exportTo.size === 0
        ? defaults.has('.')
        : exportTo.size === 1 && (exportTo.has('.') || exportTo.has(namespace));
    if (!isPrivate) merge(indexOf(this.#exported, namespace), host, own);
    else if (namespace === this.#rootNamespace) merge(this.#privateRoot, host, own);
  }

  /** The modes that rules may set: several where the client's labels are not known, or routes lead to subsets. */
  tls(client: Client, host: Host): readonly ClientTls[] {
    const found: ClientTls[] = [];
    for (const merged of this.#for(client, host)) {
      if (merged === undefined) found.push({ mode: undefined });
      else found.push(...this.#modes(client, merged, host));
    }
    return found;
  }

  #modes(client: Client, merged: Merged, host: Host): ClientTls[] {
    const policy = policyOf(merged);
    const whole = modeOf(policy, ['spec', 'trafficPolicy'], host.port);
    const finished = (tls: ClientTls): ClientTls =>
      !client.router && merged.selector === undefined ? withoutCredentials(tls) : tls;
    const routed = this.#routedSubsets(client, host.name);
    if (routed.size === 0) return [finished(whole)];
    const names = new Set<string>();
    const subsets = merged.rules.flatMap(rule =>
      itemsOf(valueAt(rule, ['spec', 'subsets'])).flatMap((subset, index): ClientTls[] => {
        const name = String(valueAt(subset, ['name']));
        const labels = valueAt(subset, ['labels']);
        if (names.has(name) || !routed.has(name)) return [];
        names.add(name);
        if (isRecord(labels) && selectorMatch(labels as Record<string, string>, host.labels) === NO)
          return [];
        return [subsetMode(rule, index, policy, host.port)];
      }),
    );
    const differs = ({ mode, endpoints, odd }: ClientTls): boolean =>
      mode !== whole.mode || endpoints?.mode !== whole.endpoints?.mode || odd !== undefined;
    return [whole, ...subsets.filter(differs)].map(finished);
  }

  /** The subsets of a host that the VirtualServices of a client lead to. */
  #routedSubsets(client: Client, host: string): ReadonlySet<string> {
    const found = new Set<string>();
    for (const object of this.scopes.followedBy(client.namespace))
      for (const kind of ['http', 'tls', 'tcp'])
        for (const route of itemsOf(valueAt(object, ['spec', kind])))
          for (const one of itemsOf(valueAt(route, ['route']))) {
            const [name, subset] = [
              valueAt(one, ['destination', 'host']),
              valueAt(one, ['destination', 'subset']),
            ];
            if (typeof name !== 'string' || typeof subset !== 'string') continue;
            if (fullName(name, namespaceOf(object)) === host) found.add(subset);
          }
    return found;
  }

  /** The rules that a client follows for a host: one, or several where its labels are not known. */
  #for(client: Client, host: Host): readonly (Merged | undefined)[] {
    const list = this.#select(client.namespace, host);
    let everybody: Merged | undefined;
    const found: (Merged | undefined)[] = [];
    for (const merged of list) {
      if (merged.selector === undefined) {
        everybody = merged;
        continue;
      }
      if (namespaceOf(merged.rules[0]!) !== client.namespace) continue;
      const match = selectorMatch(merged.selector, client.labels);
      if (match === NO) continue;
      found.push(merged);
      if (match === YES) return found;
    }
    return [...found, everybody];
  }

  /** Of the client's namespace, else exported ones of the host's, else of the root namespace. */
  #select(client: string, host: Host): readonly Merged[] {
    const own = client === this.#rootNamespace ? this.#privateRoot : this.#local.get(client);
    const local = mostSpecific(own, host.name);
    if (local !== undefined) return local;
    for (const namespace of [host.namespace, this.#rootNamespace]) {
      const exported = mostSpecific(this.#exported.get(namespace), host.name) ?? [];
      const visible = exported.filter(
        ({ exportTo }) => exportTo.size === 0 || exportTo.has('*') || exportTo.has(client),
      );
      if (visible.length > 0) return visible;
    }
    return [];
  }

  /** Whether what a proxy's registry does not know is refused. */
  registryOnly(sidecar: KubeObject | undefined): { is: boolean; by?: KubeObject; path?: Path } {
    const policy = valueAt(sidecar, ['spec', 'outboundTrafficPolicy']);
    if (sidecar === undefined || !isRecord(policy)) return { is: this.#registryOnly };
    // A policy without a mode is REGISTRY_ONLY, the first of its values.
    const mode = policy['mode'] ?? 'REGISTRY_ONLY';
    return {
      is: mode === 'REGISTRY_ONLY',
      by: sidecar,
      path: ['spec', 'outboundTrafficPolicy', ...(policy['mode'] === undefined ? [] : ['mode'])],
    };
  }

  /**
   * Whether clients go to addresses of their own choice: by the host itself, or by the load balancing that a rule sets.
   * `whole`: for all of the rule's ports, so that one endpoint without mutual TLS turns it off for all; `port`: on this
   * one, where its cluster does not tell endpoints apart.
   */
  passthrough(client: Client, entry: Registered, port: number): { whole: boolean; port: boolean } {
    // Gateways know the endpoints of such a host.
    if (entry.resolution === 'NONE') return { whole: true, port: client.router !== true };
    const host = { name: entry.host, namespace: entry.namespace, port, labels: NO_LABELS };
    const passes = (policy: unknown): boolean =>
      valueAt(policy, ['loadBalancer', 'simple']) === 'PASSTHROUGH';
    for (const merged of this.#for(client, host)) {
      const policy = valueAt(merged && policyOf(merged), ['spec', 'trafficPolicy']);
      if (!isRecord(policy)) continue;
      const own = portSetting(policy, port);
      const found = { whole: passes(policy), port: passes(own === undefined ? policy : own.value) };
      if (found.whole || found.port) return found;
    }
    return { whole: false, port: false };
  }
}

/** Of rules that count as one, the first with a traffic policy sets it. */
function policyOf({ rules }: Merged): KubeObject | undefined {
  return rules.find(rule => isRecord(valueAt(rule, ['spec', 'trafficPolicy'])));
}

const NO_LABELS: KnownLabels = { labels: {}, open: 'none' };

function indexOf(map: Map<string, Index>, namespace: string): Index {
  let index = map.get(namespace);
  if (index === undefined) {
    index = new Map();
    map.set(namespace, index);
  }
  return index;
}

/** A rule joins those of its host with the same clients, and stands alone where it has clients of its own. */
function merge(index: Index, host: string, own: Merged): void {
  const list = index.get(host);
  if (list === undefined) {
    index.set(host, [{ ...own, rules: [...own.rules] }]);
    return;
  }
  let apart = true;
  for (const one of list) {
    if (equal(one.exportTo, own.exportTo)) apart = false;
    else {
      apart = true;
      if (one.exportTo.size === 0 || !contains(own.exportTo, one.exportTo)) continue;
    }
    if (one.selector !== undefined && own.selector !== undefined && !sameLabels(one.selector, own.selector)) {
      apart = true;
      continue;
    }
    if ((one.selector === undefined) === (own.selector === undefined)) apart = false;
    one.rules.push(...own.rules);
  }
  if (apart) list.push({ ...own, rules: [...own.rules] });
}

function equal(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && contains(a, b);
}

function contains(all: ReadonlySet<string>, some: ReadonlySet<string>): boolean {
  return [...some].every(one => all.has(one));
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([key, value]) => b[key] === value);
}

/** The rules of the host that names a destination best: the very name, else the longest wildcard. */
function mostSpecific(index: Index | undefined, name: string): readonly Merged[] | undefined {
  if (index === undefined) return undefined;
  const exact = index.get(name);
  if (exact !== undefined) return exact;
  let best: string | undefined;
  for (const host of index.keys())
    if (isWild(host) && hostMatches(host, name) && (best === undefined || host.length > best.length))
      best = host;
  return best === undefined ? undefined : index.get(best);
}

/** The setting of a traffic policy for a port, where it has one: it takes the place of the rest. */
function portSetting(
  policy: Readonly<Record<string, unknown>>,
  port: number,
): { readonly at: number; readonly value: unknown } | undefined {
  for (const [at, value] of itemsOf(policy['portLevelSettings']).entries())
    if (valueAt(value, ['port', 'number']) === port) return { at, value };
  return undefined;
}

/** What a policy sets for the cluster of a port; undefined: nothing, so that the mesh decides. */
function clusterTls(object: KubeObject, at: Path, port: number): ClientTls | undefined {
  const policy = valueAt(object, at);
  if (!isRecord(policy)) return undefined;
  const own = portSetting(policy, port);
  return own === undefined
    ? modeAt(object, [...at, 'tls'])
    : modeAt(object, [...at, 'portLevelSettings', own.at, 'tls']);
}

/** What a policy says of endpoints where the mesh decides: a port without a mode of its own asks the whole rule. */
function endpointTls(object: KubeObject, at: Path, port: number): ClientTls | undefined {
  const policy = valueAt(object, at);
  if (!isRecord(policy)) return undefined;
  for (const [index, value] of itemsOf(policy['portLevelSettings']).entries())
    if (valueAt(value, ['port', 'number']) === port && isRecord(valueAt(value, ['tls'])))
      return modeAt(object, [...at, 'portLevelSettings', index, 'tls']);
  return modeAt(object, [...at, 'tls']);
}

/** The mode for the cluster, else what the rule says of endpoints where the mesh decides. */
function bothModes(cluster: ClientTls | undefined, endpoints: ClientTls | undefined): ClientTls {
  return cluster ?? { mode: undefined, ...(endpoints === undefined ? {} : { endpoints }) };
}

function modeOf(policy: KubeObject | undefined, at: Path, port: number): ClientTls {
  if (policy === undefined) return { mode: undefined };
  return bothModes(clusterTls(policy, at, port), endpointTls(policy, at, port));
}

/** A subset's policy over that of its rule. */
function subsetMode(rule: KubeObject, index: number, whole: KubeObject | undefined, port: number): ClientTls {
  const top: Path = ['spec', 'trafficPolicy'];
  const at: Path = ['spec', 'subsets', index, 'trafficPolicy'];
  const policy = valueAt(rule, at);
  if (!isRecord(policy)) return modeOf(whole, top, port);
  const inherited = whole !== undefined && portSetting(policy, port) === undefined;
  return bothModes(
    clusterTls(rule, at, port) ?? (inherited ? clusterTls(whole, top, port) : undefined),
    endpointTls(rule, at, port) ?? (whole === undefined ? undefined : endpointTls(whole, top, port)),
  );
}

function modeAt(object: KubeObject, path: Path): ClientTls | undefined {
  const tls = valueAt(object, path);
  if (!isRecord(tls)) return undefined;
  const mode = tls['mode'] ?? 'DISABLE';
  if (!MODES.includes(mode as ClientMode))
    return { mode: undefined, odd: oddMode(object, [...path, 'mode']) };
  return { mode: mode as ClientMode, object, path: tls['mode'] === undefined ? path : [...path, 'mode'] };
}

/** A Secret that a rule names is for gateways and for rules of some workloads: sidecars send plain text then. */
function withoutCredentials(tls: ClientTls): ClientTls {
  if ((tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL') || tls.object === undefined) return tls;
  const at = tls.path!.at(-1) === 'mode' ? tls.path!.slice(0, -1) : tls.path!;
  const name = valueAt(tls.object, [...at, 'credentialName']);
  if (typeof name !== 'string' || name === '' || name.startsWith('configmap://')) return tls;
  return {
    ...tls,
    mode: 'DISABLE',
    path: [...at, 'credentialName'],
    quirk: `${tls.mode} with a credentialName counts for gateways only, or with a workloadSelector: sidecars send plain text`,
  };
}

function selectorOf(rule: KubeObject): Readonly<Record<string, string>> | undefined {
  const selector = valueAt(rule, ['spec', 'workloadSelector']);
  if (!isRecord(selector)) return undefined;
  const labels = selector['matchLabels'];
  return isRecord(labels) ? (labels as Record<string, string>) : {};
}

/** The host of a rule as a full name. */
function ruleHost(rule: KubeObject): string | undefined {
  const host = valueAt(rule, ['spec', 'host']);
  return typeof host === 'string' && host !== '' ? fullName(host, namespaceOf(rule)) : undefined;
}

export function describeRule(object: KubeObject): string {
  return `${object.kind} ${namespaceOf(object)}/${nameOf(object)}`;
}
