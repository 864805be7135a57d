/** Who a resource is: group, version, kind, name, namespace. Source: kyaml/resid/gvk.go, resid.go. */
import type { Schemas } from './schemas.ts';

export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ResId extends Gvk {
  readonly name: string;
  readonly namespace: string;
  readonly clusterScoped: boolean;
}

export const NO_GVK: Gvk = { group: '', version: '', kind: '' };

export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function apiVersionOf({ group, version }: Gvk): string {
  return group === '' ? version : `${group}/${version}`;
}

export function makeId(gvk: Gvk, name: string, namespace: string, schemas: Schemas): ResId {
  const { group, version, kind } = gvk;
  return {
    group,
    version,
    kind,
    name,
    namespace,
    clusterScoped: schemas.isClusterScoped(apiVersionOf(gvk), kind),
  };
}

export function gvkText({ group, version, kind }: Gvk): string {
  return `${kind || '[noKind]'}.${version || '[noVer]'}.${group || '[noGrp]'}`;
}

export function idText(id: Gvk & { readonly name: string; readonly namespace: string }): string {
  return `${gvkText(id)}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`;
}

export function sameGvk(a: Gvk, b: Gvk): boolean {
  return a.group === b.group && a.version === b.version && a.kind === b.kind;
}

/** Does the selector, whose empty words fit anything, take it? */
export function isSelected(gvk: Gvk, selector: Gvk): boolean {
  return (
    (selector.group === '' || selector.group === gvk.group) &&
    (selector.version === '' || selector.version === gvk.version) &&
    (selector.kind === '' || selector.kind === gvk.kind)
  );
}

/** No Kubernetes name looks like it. */
export const NO_NAMESPACE = '_non_namespaceable_';

export function effectiveNamespace(id: {
  readonly namespace: string;
  readonly clusterScoped: boolean;
}): string {
  if (id.clusterScoped) return NO_NAMESPACE;
  return id.namespace === '' ? 'default' : id.namespace;
}

export function sameNamespace(a: ResId, b: ResId): boolean {
  return effectiveNamespace(a) === effectiveNamespace(b);
}

export function sameId(a: ResId, b: ResId): boolean {
  return a.name === b.name && sameGvk(a, b) && sameNamespace(a, b);
}

/** A selector without regular expressions, as replacements have it. Source: resid.go (IsSelectedBy). */
export function isSelectedBy(
  id: ResId,
  selector: Gvk & { readonly name: string; readonly namespace: string },
): boolean {
  return (
    (selector.name === '' || selector.name === id.name) &&
    (selector.namespace === '' || (selector.namespace || 'default') === effectiveNamespace(id)) &&
    isSelected(id, selector)
  );
}

const FIRST = (
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole ' +
  'RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume ' +
  'PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget'
).split(' ');
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

export function ranks(first: readonly string[] = FIRST, last: readonly string[] = LAST): Map<string, number> {
  const order = new Map<string, number>();
  first.forEach((kind, i) => {
    order.set(kind, i - first.length);
  });
  last.forEach((kind, i) => {
    order.set(kind, i + 1);
  });
  return order;
}

const RANKS = ranks();

export function sortText({ group, version, kind }: Gvk): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}

/** Go compares texts byte by byte. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for characters beyond all others.
    const isHigh = (code: number) => code >= 0xd800 && code <= 0xdfff;
    if (isHigh(x) !== isHigh(y)) return isHigh(x) ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

export function compareGvk(a: Gvk, b: Gvk): number {
  const rank = (RANKS.get(a.kind) ?? 0) - (RANKS.get(b.kind) ?? 0);
  return rank === 0 ? compareText(sortText(a), sortText(b)) : rank;
}
