/** What several checks ask of Istio's objects: hosts, gateways, and the pods that they speak of. */
import type { CheckOptions, OptionValues } from '#check/check.ts';
import { IDENTITY_KEYS } from '#decide/mesh/policy.ts';
import { nearest } from '#kube/nearest.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { itemsOf, type Labelled, stringsIn } from './facts.ts';

export const GATEWAY = 'networking.istio.io/Gateway';
export const VIRTUAL_SERVICE = 'networking.istio.io/VirtualService';
export const SERVICE_ENTRY = 'networking.istio.io/ServiceEntry';

/** Of checks that speak of what is not there: manifests are often kept apart from what they refer to. */
export const WHOLE_CLUSTER: CheckOptions = {
  wholeCluster: {
    type: 'boolean',
    default: false,
    description: 'The input is all that the cluster holds: what it refers to and does not hold is missing.',
  },
};

export function isWhole(options: OptionValues): boolean {
  return options['wholeCluster'] === true;
}

/**
 * A host as Istio completes it. Source: pkg/config/analysis/analyzers/util/hosts.go (ConvertHostToFQDN); `name.ns` and
 * `name.ns.svc` are names that clients use and Istio leaves alone, so callers see them unchanged.
 */
export function fullHost(host: string, namespace: string | undefined): string {
  return host.startsWith('*') || host.includes('.')
    ? host
    : `${host}.${namespace ?? 'default'}.svc.cluster.local`;
}

/** Whether two hosts, either of them with a star in front, have names in common. Source: pkg/config/host/name.go (Matches). */
export function hostsMeet(a: string, b: string): boolean {
  const [wildA, wildB] = [a.startsWith('*'), b.startsWith('*')];
  if (wildA && wildB) {
    const [long, short] = a.length < b.length ? [b, a] : [a, b];
    return long.slice(1).endsWith(short.slice(1));
  }
  if (wildA) return b.endsWith(a.slice(1));
  return wildB ? a.endsWith(b.slice(1)) : a === b;
}

/** The namespaces that see an object: `*` for all. Source: pkg/config/analysis/analyzers/util/exportto.go. */
export function scopesOf(object: KubeObject): ReadonlySet<string> {
  const stated = textsAt(object, ['spec', 'exportTo']);
  if (stated.length === 0 || stated.includes('*')) return new Set(['*']);
  return new Set(stated.map(one => (one === '.' ? (namespaceOf(object) ?? '') : one)));
}

/** `name`, or `namespace/name`. */
export function gatewayReference(
  text: string,
  own: string | undefined,
): { readonly namespace: string | undefined; readonly name: string } {
  const slash = text.indexOf('/');
  return slash < 0
    ? { namespace: own, name: text }
    : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** Labels that an object asks for; undefined where it states none. */
export function labelsAt(object: KubeObject, path: Path): Readonly<Record<string, string>> | undefined {
  const labels = valueAt(object, path);
  if (!isRecord(labels) || Object.keys(labels).length === 0) return undefined;
  return Object.values(labels).every(value => typeof value === 'string')
    ? (labels as Record<string, string>)
    : undefined;
}

/** Whether a pod has all labels that are wanted. */
export function hasLabels(pod: Pick<Labelled, 'labels'>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => pod.labels[key] === value);
}

export function textsAt(root: unknown, path: Path): readonly string[] {
  return itemsOf(valueAt(root, path)).filter(item => typeof item === 'string');
}

/** Objects of a kind that have something in common: each with the others of it. */
export function othersOf(
  world: World,
  kind: string,
  keysOf: (object: KubeObject) => Iterable<string>,
): ReadonlyMap<string, readonly KubeObject[]> {
  const groups = new Map<string, KubeObject[]>();
  for (const { object } of world.ofKind(kind))
    for (const key of new Set(keysOf(object))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [object]);
      else group.push(object);
    }
  return groups;
}

/** `namespace/name`, or the name where no namespace is stated. */
export function named(object: KubeObject): string {
  const namespace = namespaceOf(object);
  return namespace === undefined
    ? (object.metadata?.name ?? '')
    : `${namespace}/${object.metadata?.name ?? ''}`;
}

const IDENTITY_FIELDS = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains'];

/** Whether a rule of an AuthorizationPolicy names clients by what their certificates say. */
export function isByIdentity(rule: unknown): boolean {
  const from = itemsOf(valueAt(rule, ['from']));
  const named = (source: unknown): boolean =>
    IDENTITY_FIELDS.some(field => itemsOf(valueAt(source, ['source', field])).length > 0);
  return (
    (from.length > 0 && from.every(named)) ||
    itemsOf(valueAt(rule, ['when'])).some(
      one =>
        IDENTITY_KEYS.includes(String(valueAt(one, ['key']))) && itemsOf(valueAt(one, ['values'])).length > 0,
    )
  );
}

/**
 * The labels that a selector was probably meant to ask for: those of a pod that has all of them but one, whose value or
 * key looks like what it has.
 */
export function nearlySelected(selector: unknown, pods: readonly Labelled[]): string | undefined {
  const wanted = Object.entries(stringsIn(valueAt(selector, ['matchLabels'])));
  for (const { labels } of pods) {
    const [wrong, ...more] = wanted.filter(([key, value]) => labels[key] !== value);
    if (wrong === undefined || more.length > 0) continue;
    const [key, value] = wrong;
    const own = labels[key];
    if (own !== undefined && nearest(value, [own]) !== undefined) return `${key}=${own}`;
    const slip = Object.entries(labels).find(
      ([name, is]) => is === value && nearest(key, [name]) !== undefined,
    );
    if (slip !== undefined) return `${slip[0]}=${value}`;
  }
  return undefined;
}

/** The traffic policies of a DestinationRule: its own, those of its ports, of its subsets, and of the ports of these. */
export function trafficPolicies(
  object: KubeObject,
): readonly { readonly policy: unknown; readonly path: Path }[] {
  const at = (path: Path): { policy: unknown; path: Path }[] => {
    const policy = valueAt(object, path);
    if (!isRecord(policy)) return [];
    const ports = itemsOf(policy['portLevelSettings']).map((one, index) => ({
      policy: one,
      path: [...path, 'portLevelSettings', index],
    }));
    return [{ policy, path }, ...ports];
  };
  return [
    ...at(['spec', 'trafficPolicy']),
    ...[...itemsOf(valueAt(object, ['spec', 'subsets'])).keys()].flatMap(index =>
      at(['spec', 'subsets', index, 'trafficPolicy']),
    ),
  ];
}

const gatewaySelectors = (world: World): readonly (readonly (readonly [string, string])[])[] => {
  const distinct = new Map<string, readonly (readonly [string, string])[]>();
  for (const { object } of world.ofKind(GATEWAY)) {
    const wanted = Object.entries(labelsAt(object, ['spec', 'selector']) ?? {});
    if (wanted.length > 0) distinct.set(JSON.stringify(wanted), wanted);
  }
  return [...distinct.values()];
};

/** Whether pods with these labels are a gateway, whose servers decide what it takes: a Gateway selects them. */
export function isGateway(labels: Readonly<Record<string, string>>, world: World): boolean {
  return world.fact(gatewaySelectors).some(wanted => wanted.every(([key, value]) => labels[key] === value));
}
