/**
 * Aggregated ClusterRoles, filled in as the controller does it in a cluster.
 * Source: kubernetes pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
 */
import { isEqual } from '#kube/equal.ts';
import { compareBytes } from '#kube/go-text.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, matchesSelector } from '#kube/selectors.ts';
import { type PolicyRule, rulesOf } from './rules.ts';

/** More rounds than a chain of aggregating roles has links are never needed; this many no sane cluster has. */
const MAX_ROUNDS = 64;

/** The rules of every ClusterRole, aggregated ones included; a hand-written list on an aggregated role is overwritten. */
export function aggregate(
  clusterRoles: readonly KubeObject[],
): ReadonlyMap<KubeObject, readonly PolicyRule[]> {
  const rules = new Map(clusterRoles.map(role => [role, rulesOf(role)] as const));
  const aggregating = clusterRoles.filter(role => selectorsOf(role) !== undefined);
  if (aggregating.length === 0) return rules;
  const sorted = clusterRoles.toSorted((a, b) => compareBytes(nameOf(a), nameOf(b)));
  for (const role of aggregating) rules.set(role, []);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const role of aggregating) {
      const gathered = gather(role, sorted, rules);
      if (isEqual(gathered, rules.get(role))) continue;
      rules.set(role, gathered);
      changed = true;
    }
    if (!changed) break;
  }
  return rules;
}

function gather(
  role: KubeObject,
  sorted: readonly KubeObject[],
  rules: ReadonlyMap<KubeObject, readonly PolicyRule[]>,
): readonly PolicyRule[] {
  const gathered: PolicyRule[] = [];
  for (const selector of selectorsOf(role)!) {
    if (invalidSelector(selector) !== undefined) continue;
    for (const other of sorted) {
      if (nameOf(other) === nameOf(role)) continue;
      if (!matchesSelector(selector as LabelSelector, other.metadata?.labels)) continue;
      for (const rule of rules.get(other)!)
        if (!gathered.some(known => isEqual(known, rule))) gathered.push(rule);
    }
  }
  return gathered;
}

function selectorsOf(role: KubeObject): readonly unknown[] | undefined {
  if (!isRecord(role['aggregationRule'])) return undefined;
  const selectors = valueAt(role, ['aggregationRule', 'clusterRoleSelectors']);
  return Array.isArray(selectors) ? selectors : [];
}
