/**
 * What a change gives to whom, as a comparison says it: effective permissions subject by subject, workloads that newly
 * run as somebody, ways up that were not there, and bindings of which nobody knows what they give.
 */
import type { SecurityChange } from '#check/comparison.ts';
import { covers, rulesOf } from '#decide/authorization/rules.ts';
import type { Side, View } from '#judge/compare.ts';
import { changeOf, type Pair, type Pairs } from '#judge/sides.ts';
import type { KubeObject, Path } from '#kube/objects.ts';
import {
  bindingName,
  type CarrierChange,
  compareAuthorization,
  type PermissionChange,
  permissionText,
  type WayChange,
  weights,
} from '#paths/compare.ts';
import { keyOf, principalText } from '#paths/escalations.ts';

/** So many permissions of one subject are spelt out. */
const SHOWN = 6;
const MEMBERS = 3;

export const authorizationChanges: View['view'] = (base, head, pairs) => {
  const { gained, lost, carriers, newWays, closedWays, unknown } = compareAuthorization(
    base.world,
    head.world,
  );
  const touched = new Touched(pairs);
  return [
    ...permissions(gained).map(group => permissionChange(group, head, touched, 'worse')),
    ...permissions(lost).map(group => permissionChange(group, base, touched, 'better')),
    ...carriers.map(carrier => carrierChange(carrier, head)),
    // Who was given the goal outright needs no way: that is a permission gained.
    ...newWays.filter(({ way }) => !way.direct).flatMap(way => wayChange(way, head, touched, 'worse')),
    ...closedWays.filter(({ way }) => !way.direct).flatMap(way => wayChange(way, base, touched, 'better')),
    ...unknown.map(binding =>
      changeOf(
        'authorization/gained-permission',
        placeOf(head, binding),
        `binds a role that is not in the input, so what it gives is not known`,
        { direction: 'worse', path: ['roleRef', 'name'] },
      ),
    ),
  ];
};

/** Which objects the change touched. */
class Touched {
  readonly #objects: ReadonlySet<KubeObject>;

  constructor({ changed, added, removed }: Pairs) {
    this.#objects = new Set(
      [...changed, ...added, ...removed].flatMap(({ base, head }) =>
        [base, head].flatMap(one => (one === undefined ? [] : [one.object])),
      ),
    );
  }

  /** The first that the change touched, or else the first: there the reason stands. */
  firstOf(objects: readonly KubeObject[]): KubeObject | undefined {
    return objects.find(object => this.#objects.has(object)) ?? objects[0];
  }
}

function placeOf({ world }: Side, object: KubeObject, side: 'base' | 'head' = 'head'): Pair {
  const declared = world.declarationOf(object);
  return side === 'head' ? { base: undefined, head: declared } : { base: declared, head: undefined };
}

/** By subject, place and binding. */
function permissions(changes: readonly PermissionChange[]): (readonly PermissionChange[])[] {
  return [
    ...Map.groupBy(changes, ({ subject, namespace, binding }) =>
      JSON.stringify([keyOf(subject), namespace, bindingName(binding)]),
    ).values(),
  ];
}

function permissionChange(
  group: readonly PermissionChange[],
  side: Side,
  touched: Touched,
  direction: 'worse' | 'better',
): SecurityChange {
  const [{ subject, namespace, binding, role, members, rule }] = group as [PermissionChange];
  const object = touched.firstOf(role === undefined ? [binding] : [role, binding])!;
  const where =
    namespace === undefined
      ? 'in the whole cluster'
      : namespace === ''
        ? 'in a namespace that is not stated'
        : `in namespace ${namespace}`;
  const among =
    members.length === 0
      ? ''
      : `; in that group: ${members.slice(0, MEMBERS).map(principalText).join(', ')}${members.length > MEMBERS ? ` and ${members.length - MEMBERS} more` : ''}`;
  const severity = weights.find(weight => group.some(one => one.severity === weight))!;
  const may = direction === 'worse' ? 'may now' : 'may no longer';
  return changeOf(
    'authorization/gained-permission',
    placeOf(side, object, direction === 'worse' ? 'head' : 'base'),
    `${principalText(subject)} ${may} ${granted(group)} ${where}, through ${bindingName(binding)}${among}`,
    { direction, severity, path: object === role ? ruleAt(role, rule) : ['subjects'] },
  );
}

/** Grants of one resource joined, the gravest first. */
function granted(group: readonly PermissionChange[]): string {
  const byWhat = new Map<string, { readonly verbs: Set<string>; readonly change: PermissionChange }>();
  for (const change of group.toSorted((a, b) => weights.indexOf(a.severity) - weights.indexOf(b.severity))) {
    const key = JSON.stringify([change.shippedRole, { ...change.rule, verbs: [] }]);
    const one = byWhat.get(key) ?? { verbs: new Set<string>(), change };
    byWhat.set(key, one);
    for (const verb of change.rule?.verbs ?? []) one.verbs.add(verb);
  }
  const texts = [...byWhat.values()].map(({ verbs, change }) => {
    const text = permissionText(
      change.rule === undefined ? change : { ...change, rule: { ...change.rule, verbs: [...verbs] } },
    );
    return change.shippedRole === undefined && text !== 'everything' ? text : `do ${text}`;
  });
  const more = texts.length > SHOWN ? ` and ${texts.length - SHOWN} more` : '';
  return texts.slice(0, SHOWN).join('; ') + more;
}

/** The rule of a role that gives it. */
function ruleAt(role: KubeObject, rule: PermissionChange['rule']): Path {
  const at = rule === undefined ? -1 : rulesOf(role).findIndex(one => covers([one], [rule]).covered);
  return at < 0 ? ['rules'] : ['rules', at];
}

function carrierChange({ workload, account, severity, goals }: CarrierChange, head: Side): SecurityChange {
  const [pod] = head.world.templatesOf(workload);
  return changeOf(
    'authorization/new-identity',
    placeOf(head, workload),
    `runs as ${principalText(account)} now, ${goals.length === 0 ? 'which has permissions' : `which reaches ${goals.join(', ')}`}`,
    {
      direction: 'worse',
      severity,
      path: pod === undefined ? [] : pod.pathOf(['spec', 'serviceAccountName']),
    },
  );
}

function wayChange(
  { way: { subject, goal, steps }, severity }: WayChange,
  side: Side,
  touched: Touched,
  direction: 'worse' | 'better',
): SecurityChange[] {
  const object = touched.firstOf(steps.flatMap(({ bindings }) => bindings));
  if (object === undefined) return [];
  const who = principalText(subject);
  const text =
    direction === 'worse'
      ? `${who} reaches ${goal} now: ${steps.map((step, i) => `${i + 1}. ${step.text}`).join('; ')}`
      : `${who} reaches ${goal} no more`;
  return [
    changeOf(
      'authorization/new-escalation',
      placeOf(side, object, direction === 'worse' ? 'head' : 'base'),
      text,
      { direction, severity, path: ['roleRef', 'name'] },
    ),
  ];
}
