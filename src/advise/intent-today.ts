/** Callers that today's policies let in by name, that the input does not hold, and that nothing declares. */
import type { NetworkOptions } from '#decide/network/door.ts';
import { itemsOf, NAMESPACE_NAME, namespaceOf } from '#decide/network/inventory.ts';
import { groupOf, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import type { Declared, Intent, Open } from './intent-search.ts';
import { keptConnections } from './network-keep.ts';
import { type DescribedPods, idOf, type Need, namespaceOfDescribed, needText } from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

/**
 * @param needs what is known to be needed
 * @param callers those that the user named: what today's policies let them do is needed
 * @returns those needs, and ways that would end with today's policies
 */
export function undeclaredToday(
  objects: readonly KubeObject[],
  needs: readonly Need[],
  namespaces: readonly string[] | undefined,
  options: NetworkOptions,
  callers: readonly DescribedPods[],
): Declared {
  const intents: Intent[] = [];
  const open = byNetworkPolicy(objects, needs, namespaces, options, callers, intents);
  return { intents, open: [...open, ...byIdentity(objects, needs, namespaces)] };
}

function byNetworkPolicy(
  objects: readonly KubeObject[],
  needs: readonly Need[],
  namespaces: readonly string[] | undefined,
  options: NetworkOptions,
  callers: readonly DescribedPods[],
  intents: Intent[],
): Open[] {
  if (!objects.some(({ kind }) => kind === 'NetworkPolicy')) return [];
  const own = new Set(new Workloads(objects).namespaces());
  const declared = new Set(needs.map(needKey));
  const found = new Map<string, Open>();
  for (const { need } of keptConnections(objects, namespaces, options, 'named')) {
    const { from, to } = need;
    if (!('labels' in from) || 'labels' in to) continue;
    const namespace = from.namespaceLabels[NAMESPACE_NAME];
    // Whoever may be anybody is no caller that somebody thought of.
    if (namespace === undefined || own.has(namespace) || declared.has(needKey(need))) continue;
    const named = callers.find(side => namespaceOfDescribed(side) === namespace);
    if (named !== undefined) {
      intents.push({ need: { ...need, from: named }, why: "today's policies let it in" });
      continue;
    }
    const text = `today's policies let in ${needText(need)}, and nothing declares it: --ingress ${namespace}, --scraper ${namespace}, --flows or --keep does`;
    found.set(text, { is: 'way-in', text });
  }
  return [...found.values()];
}

function needKey({ from, to, port, protocol = 'TCP' }: Need): string {
  return `${'labels' in from ? namespaceOfDescribed(from) : ''} ${idOf(to)} ${port} ${protocol}`;
}

/** ALLOW rules of Istio that name an identity of a namespace that the input does not hold. */
function byIdentity(
  objects: readonly KubeObject[],
  needs: readonly Need[],
  namespaces: readonly string[] | undefined,
): Open[] {
  const own = new Set(new Workloads(objects).namespaces());
  const declared = new Set(
    needs.flatMap(({ from }) =>
      'labels' in from ? [`${namespaceOfDescribed(from)}/${from.account ?? '*'}`] : [],
    ),
  );
  const found: Open[] = [];
  for (const object of objects) {
    if (object.kind !== 'AuthorizationPolicy' || groupOf(object.apiVersion) !== 'security.istio.io') continue;
    if ((valueAt(object, ['spec', 'action']) ?? 'ALLOW') !== 'ALLOW') continue;
    if (namespaces !== undefined && !namespaces.includes(namespaceOf(object))) continue;
    for (const [index, rule] of itemsOf(valueAt(object, ['spec', 'rules'])).entries())
      for (const from of itemsOf(valueAt(rule, ['from'])))
        for (const principal of itemsOf(valueAt(from, ['source', 'principals']))) {
          const [, namespace, account] =
            /\/ns\/([a-z0-9-]+)\/sa\/([a-z0-9.-]+)$/.exec(String(principal)) ?? [];
          if (namespace === undefined || account === undefined || own.has(namespace)) continue;
          if (declared.has(`${namespace}/${account}`) || declared.has(`${namespace}/*`)) continue;
          found.push({
            is: 'way-in',
            object,
            path: ['spec', 'rules', index],
            text: `AuthorizationPolicy ${nameOf(object)} lets in ${String(principal)}, and nothing declares it: --ingress ${namespace}/${account}, --scraper ${namespace}/${account} or --flows does`,
          });
        }
  }
  return found;
}
