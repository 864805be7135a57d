/** What stands in the way of a rule for each workload: shared labels, shared identities; and who is called by nobody. */
import type { Mesh } from '#decide/mesh/door.ts';
import { endpointId, namespaceOf } from '#decide/network/inventory.ts';
import { type Because, isRecord, type KubeObject, valueAt } from '#kube/objects.ts';
import { matchesSelector } from '#kube/selectors.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { idOf, type Need } from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

/**
 * @param advice the policies that were made
 * @param mesh of the input, or of the cluster as it will be
 */
export function warningsOf(
  objects: readonly KubeObject[],
  { policies }: { readonly policies: readonly KubeObject[] },
  mesh: Mesh,
): Because[] {
  const closed = new Set(policies.map(namespaceOf));
  const workloads = new Workloads(objects);
  const found: Because[] = [];
  const said = new Set<string>();
  for (const object of workloads.all()) {
    if (!closed.has(namespaceOf(object))) continue;
    const others = workloads.alsoSelected(object).map(endpointId);
    const id = endpointId(object);
    if (others.length === 0 || others.every(other => said.has(`${other} ${id}`))) continue;
    for (const other of others) said.add(`${id} ${other}`);
    found.push({
      object,
      path: podTemplateOf(object)?.pathOf(['metadata', 'labels']) ?? ['metadata'],
      text: `${id} has no label that ${others.join(', ')} lack${others.length === 1 ? 's' : ''}: what one of them may, all of them may`,
    });
  }
  for (const [identity, ids] of mesh.sharedIdentities()) {
    const own = ids.filter(id => workloads.has(id) && closed.has(id.split('/', 1)[0]!));
    if (own.length < 2) continue;
    found.push({
      object: workloads.find(own[0]!),
      text: `${own.join(', ')} share the identity ${identity}: rules cannot tell them apart; give each a service account of its own`,
    });
  }
  return found;
}

/**
 * Workloads behind a Service that no need leads to: they are closed to everybody, which is right only if nobody calls
 * them. Manifests do not name callers that know the address from their own code.
 */
export function neverCalled(
  objects: readonly KubeObject[],
  { policies, needs }: { readonly policies: readonly KubeObject[]; readonly needs: readonly Need[] },
): string[] {
  const closed = new Set(policies.map(namespaceOf));
  const workloads = new Workloads(objects);
  const called = new Set(needs.map(({ to }) => idOf(to)));
  const selectors = objects.flatMap(object => {
    const selector = valueAt(object, ['spec', 'selector']);
    return object.apiVersion === 'v1' && object.kind === 'Service' && isRecord(selector)
      ? [{ namespace: namespaceOf(object), matchLabels: selector as Record<string, string> }]
      : [];
  });
  return [...workloads.all()]
    .filter(object => {
      const labels = valueAt(podTemplateOf(object)?.pod.metadata, ['labels']);
      return (
        closed.has(namespaceOf(object)) &&
        !called.has(endpointId(object)) &&
        selectors.some(
          ({ namespace, matchLabels }) =>
            namespace === namespaceOf(object) &&
            Object.keys(matchLabels).length > 0 &&
            matchesSelector({ matchLabels }, (labels ?? {}) as Record<string, string>),
        )
      );
    })
    .map(endpointId)
    .sort();
}
