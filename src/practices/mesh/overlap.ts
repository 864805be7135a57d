/** Objects of which one counts for a workload: two that select one pod, or two of a namespace that select none. */
import { byAge } from '#decide/mesh/policies.ts';
import type { KubeObject, Path } from '#kube/objects.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { type Labelled, podsIn } from './facts.ts';
import { hasLabels, labelsAt, named } from './istio.ts';

export interface Overlap {
  /** The object that counts instead. */
  readonly other: string;
  /** For whom. */
  readonly of: string;
}

/**
 * The older object that takes the place of this one; undefined where there is none. By time of creation, then by name,
 * as Istio sorts them.
 *
 * @param selectorAt where the kind has its selector
 */
export function overlapOf(
  world: World,
  kind: string,
  selectorAt: Path,
  object: KubeObject,
): Overlap | undefined {
  const namespace = namespaceOf(object);
  const older = world
    .ofKind(kind)
    .map(one => one.object)
    .filter(one => namespaceOf(one) === namespace && one !== object && byAge(one, object) < 0);
  if (older.length === 0) return undefined;
  const selector = labelsAt(object, selectorAt);
  if (selector === undefined) {
    const other = older.find(one => labelsAt(one, selectorAt) === undefined);
    return other === undefined
      ? undefined
      : { other: named(other), of: `all of namespace ${namespace ?? 'default'}` };
  }
  for (const pod of podsIn(namespace, world)) {
    if (!hasLabels(pod, selector)) continue;
    const other = older.find(one => {
      const wanted = labelsAt(one, selectorAt);
      return wanted !== undefined && hasLabels(pod, wanted);
    });
    if (other !== undefined) return { other: named(other), of: describe(pod) };
  }
  return undefined;
}

function describe({ labels }: Labelled): string {
  return `the pods with ${Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')}`;
}

/** Whether an object's namespace is in ambient mode. Source: pkg/config/analysis/analyzers/util/in_mesh.go. */
export function isInAmbientNamespace(object: KubeObject, world: World): boolean {
  const namespace = world.find('/Namespace', undefined, namespaceOf(object) ?? '');
  const labels = valueAt(namespace, ['metadata', 'labels']);
  return (
    valueAt(labels, ['istio.io/dataplane-mode']) === 'ambient' &&
    valueAt(labels, ['istio-injection']) !== 'enabled' &&
    (valueAt(labels, ['istio.io/rev']) ?? '') === ''
  );
}
