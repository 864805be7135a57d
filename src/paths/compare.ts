/**
 * What a change gives away: permissions gained and lost, subject by subject; workloads that newly run as somebody; ways
 * up that were not there. Effective permissions are compared, not texts: a role that is split in two changes nothing,
 * and a label that lets a role be aggregated into another one changes everything.
 */
import { breakdown, covers, type PolicyRule } from '#decide/authorization/rules.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import { accountOf } from '#kube/accounts.ts';
import { type KubeObject, nameOf, type ObjectReference, referenceOf, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { type Capability, capabilitiesOf } from './capabilities.ts';
import {
  type Escalation,
  escalationsOf,
  type Goal,
  keyOf,
  type Principal,
  principalsOf,
} from './escalations.ts';
import { BINDINGS, grantedRules, roleOf, subjectsOf } from './grants.ts';

export const weights = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Weight = (typeof weights)[number];

/** A permission that one side has and the other has not. */
export interface PermissionChange {
  readonly subject: Principal;
  /** Undefined for the whole cluster. */
  readonly namespace?: string;
  /** One grant each; absent where a role that ships with Kubernetes is granted as a whole. */
  readonly rule?: PolicyRule;
  readonly shippedRole?: string;
  readonly severity: Weight;
  /** The binding that gives it, on the side that has it, and its role where that is in the input. */
  readonly binding: KubeObject;
  readonly role?: KubeObject;
  /** Of a group: the service accounts of the input that are in it. */
  readonly members: readonly Principal[];
}

/** A workload that newly runs as an account to which something is granted. */
export interface CarrierChange {
  readonly workload: KubeObject;
  readonly account: Principal;
  readonly severity: Weight;
  /** What that account reaches. */
  readonly goals: readonly Goal[];
}

export interface WayChange {
  readonly way: Escalation;
  readonly severity: Weight;
}

export interface AuthorizationComparison {
  readonly gained: readonly PermissionChange[];
  readonly lost: readonly PermissionChange[];
  readonly carriers: readonly CarrierChange[];
  readonly newWays: readonly WayChange[];
  /** Ways that are no longer there. */
  readonly closedWays: readonly WayChange[];
  /** New bindings of the head whose role is not in the input: what they give is not known. */
  readonly unknown: readonly KubeObject[];
}

interface Holding {
  readonly binding: KubeObject;
  readonly namespace: string | undefined;
  /** Undefined where nobody knows. */
  readonly rules: readonly PolicyRule[] | undefined;
  /** A role that ships with Kubernetes and of which not every rule is known. */
  readonly shipped: string | undefined;
}

interface Side {
  readonly world: World;
  readonly principals: ReadonlyMap<string, Principal>;
  readonly holdings: ReadonlyMap<string, readonly Holding[]>;
  /** Workloads by the key of the account that they run as. */
  readonly carriers: ReadonlyMap<string, ReadonlyMap<string, KubeObject>>;
}

/** Everything that one world allows and the other does not. */
export function compareAuthorization(base: World, head: World): AuthorizationComparison {
  const [before, after] = [sideOf(base), sideOf(head)];
  const principals = new Map([...before.principals, ...after.principals]);
  const gained: PermissionChange[] = [];
  const lost: PermissionChange[] = [];
  const newWays: WayChange[] = [];
  const closedWays: WayChange[] = [];
  const ways = new Map<string, readonly Escalation[]>();
  const asked = new Map(
    [...principalsOf(base), ...principalsOf(head), ...principals.values()].map(
      one => [keyOf(one), one] as const,
    ),
  );
  for (const [key, principal] of asked) {
    gained.push(...grantedBeyond(before, after, principal, principals));
    lost.push(...grantedBeyond(after, before, principal, principals));
    const [old, now] = [escalationsOf(base, principal), escalationsOf(head, principal)];
    ways.set(key, now);
    newWays.push(...waysBeyond(old, now));
    closedWays.push(...waysBeyond(now, old));
  }
  return {
    gained: gained.sort(bySeverity),
    lost: lost.sort(bySeverity),
    carriers: carriersBeyond(before, after, principals, ways).sort(bySeverity),
    newWays: newWays.sort(bySeverity),
    closedWays: closedWays.sort(bySeverity),
    unknown: unknownBeyond(before, after),
  };
}

function bySeverity(a: { readonly severity: Weight }, b: { readonly severity: Weight }): number {
  return weights.indexOf(a.severity) - weights.indexOf(b.severity);
}

const SHIPPED_IN_PART = new Set(['admin', 'edit', 'view']);

function sideOf(world: World): Side {
  const principals = new Map<string, Principal>();
  const holdings = new Map<string, Holding[]>();
  for (const kind of BINDINGS)
    for (const { object: binding } of world.ofKind(kind)) {
      const roleName = valueAt(binding, ['roleRef', 'name']);
      const shipped =
        typeof roleName === 'string' && SHIPPED_IN_PART.has(roleName) && roleOf(binding, world) === undefined
          ? valueAt(binding, ['roleRef', 'kind']) === 'ClusterRole'
            ? roleName
            : undefined
          : undefined;
      const holding: Holding = {
        binding,
        namespace: binding.kind === 'RoleBinding' ? (namespaceOf(binding) ?? '') : undefined,
        rules: shipped === undefined ? grantedRules(binding, world) : [],
        shipped,
      };
      for (const { kind, name, namespace } of subjectsOf(binding)) {
        if (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount') continue;
        const principal: Principal = kind === 'ServiceAccount' ? { kind, name, namespace } : { kind, name };
        principals.set(keyOf(principal), principal);
        const list = holdings.get(keyOf(principal));
        if (list === undefined) holdings.set(keyOf(principal), [holding]);
        else if (!list.includes(holding)) list.push(holding);
      }
    }
  const carriers = new Map<string, Map<string, KubeObject>>();
  for (const { object } of world.declared) {
    if (!world.isWorkload(object)) continue;
    for (const pod of podsOf(world, object).pods) {
      const account: Principal = {
        kind: 'ServiceAccount',
        namespace: pod.namespace ?? '',
        name: accountOf(pod.spec),
      };
      principals.set(keyOf(account), account);
      const list = carriers.get(keyOf(account)) ?? new Map<string, KubeObject>();
      carriers.set(keyOf(account), list);
      list.set(referenceKey(referenceOf(object)), object);
    }
  }
  return { world, principals, holdings, carriers };
}

function referenceKey({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

/** The groups that the API server puts somebody in. */
function groupKeysOf({ kind, namespace }: Principal): string[] {
  if (kind === 'Group') return [];
  const groups =
    kind === 'User' ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace ?? ''}`];
  return [...groups, 'system:authenticated'].map(name => keyOf({ kind: 'Group', name }));
}

function holdingsOf(side: Side, principal: Principal): readonly Holding[] {
  return [keyOf(principal), ...groupKeysOf(principal)].flatMap(key => side.holdings.get(key) ?? []);
}

/** What a subject is granted by name on one side and held in no way on the other. */
function grantedBeyond(
  less: Side,
  more: Side,
  subject: Principal,
  principals: ReadonlyMap<string, Principal>,
): PermissionChange[] {
  const own = more.holdings.get(keyOf(subject)) ?? [];
  if (own.length === 0) return [];
  const known = holdingsOf(less, subject);
  const rulesIn = (holdings: readonly Holding[], namespace: string | undefined): PolicyRule[] =>
    holdings
      .filter(one => one.namespace === undefined || one.namespace === namespace)
      .flatMap(({ rules }) => rules ?? []);
  const members =
    subject.kind === 'Group'
      ? [...principals.values()].filter(one => groupKeysOf(one).includes(keyOf(subject)))
      : [];
  const changes: PermissionChange[] = [];
  const seen = new Set<string>();
  const everywhere = own
    .filter(({ namespace }) => namespace === undefined)
    .flatMap(({ rules }) => rules ?? []);
  for (const { binding, namespace, rules, shipped } of own) {
    const role = roleOf(binding, more.world);
    const about = {
      subject,
      ...(namespace === undefined ? {} : { namespace }),
      binding,
      ...(role === undefined ? {} : { role }),
      members,
    };
    if (shipped !== undefined) {
      const had = known.some(
        one => one.shipped === shipped && (one.namespace === undefined || one.namespace === namespace),
      );
      if (!had)
        changes.push({
          ...about,
          shippedRole: shipped,
          severity: raised(shipped === 'view' ? 'medium' : 'high', subject),
        });
      continue;
    }
    const { uncovered } = covers(rulesIn(known, namespace), rules ?? []);
    for (const rule of uncovered) {
      if (namespace !== undefined && covers(everywhere, [rule]).covered) continue;
      const key = JSON.stringify([namespace, rule]);
      if (seen.has(key)) continue;
      seen.add(key);
      changes.push({ ...about, rule, severity: raised(weightOf(rule, namespace), subject) });
    }
  }
  return changes;
}

/** Harmless enough in one namespace, as far as the capability alone says. */
const MEDIUM: ReadonlySet<Capability> = new Set([
  'createPods',
  'changeWorkloads',
  'createSecrets',
  'changeNamespaces',
]);
const LOW: ReadonlySet<Capability> = new Set(['createClaims', 'changeConfigMaps', 'createRequests']);
const READ = new Set(['get', 'list', 'watch']);

/** How much it matters that somebody has this: by what it leads to, and how far it reaches. */
function weightOf(rule: PolicyRule, namespace: string | undefined): Weight {
  const capabilities = capabilitiesOf([rule]).map(({ capability }) => capability);
  if (capabilities.includes('everything')) return namespace === undefined ? 'critical' : 'high';
  const strong = capabilities.filter(one => !LOW.has(one) && !MEDIUM.has(one));
  if (strong.length > 0) return 'high';
  if (capabilities.some(one => MEDIUM.has(one))) return namespace === undefined ? 'high' : 'medium';
  if ([rule.verbs, rule.resources, rule.apiGroups].some(words => words?.includes('*'))) return 'medium';
  if (capabilities.length > 0) return 'low';
  return (rule.verbs ?? []).every(verb => READ.has(verb)) ? 'info' : 'low';
}

/** What everybody gets matters more. */
function raised(weight: Weight, { kind, name }: Principal): Weight {
  const everybody = kind === 'Group' ? /^system:(?:un)?authenticated$/ : /^system:anonymous$/;
  return everybody.test(name) ? weights[Math.max(0, weights.indexOf(weight) - 1)]! : weight;
}

function waysBeyond(less: readonly Escalation[], more: readonly Escalation[]): WayChange[] {
  // Who becomes cluster-admin reaches the other goals too.
  const had = new Set(less.map(({ goal }) => goal));
  return more
    .filter(({ goal }) => !had.has(goal) && !had.has('cluster-admin'))
    .map(way => ({ way, severity: way.goal === 'cluster-admin' ? 'critical' : 'high' }));
}

function carriersBeyond(
  before: Side,
  after: Side,
  principals: ReadonlyMap<string, Principal>,
  ways: ReadonlyMap<string, readonly Escalation[]>,
): CarrierChange[] {
  const changes: CarrierChange[] = [];
  for (const [key, workloads] of after.carriers) {
    const account = principals.get(key)!;
    const goals = (ways.get(key) ?? []).map(({ goal }) => goal);
    const held = (after.holdings.get(key) ?? []).flatMap(({ rules, namespace, shipped }) => [
      ...(shipped === undefined ? [] : [shipped === 'view' ? ('medium' as const) : ('high' as const)]),
      ...(rules ?? []).flatMap(breakdown).map(rule => weightOf(rule, namespace)),
    ]);
    if (held.length === 0 && goals.length === 0) continue;
    const reach: Weight[] = goals.map(goal => (goal === 'cluster-admin' ? 'critical' : 'high'));
    const severity = weights.find(weight => held.includes(weight) || reach.includes(weight))!;
    for (const [name, workload] of workloads)
      if (before.carriers.get(key)?.has(name) !== true) changes.push({ workload, account, severity, goals });
  }
  return changes;
}

function unknownBeyond(before: Side, after: Side): KubeObject[] {
  const dangling = ({ holdings }: Side): Map<string, KubeObject> =>
    new Map(
      [...holdings].flatMap(([key, list]) =>
        list
          .filter(({ rules }) => rules === undefined)
          .map(
            ({ binding, namespace }) =>
              [JSON.stringify([key, namespace, binding['roleRef']]), binding] as const,
          ),
      ),
    );
  const old = dangling(before);
  return [...new Set([...dangling(after)].filter(([key]) => !old.has(key)).map(([, binding]) => binding))];
}

/** `get pods.apps/status (only a, b)`, `everything`, `everything in ClusterRole view`. */
export function permissionText({ rule, shippedRole }: PermissionChange): string {
  if (rule === undefined) return `everything in ClusterRole ${shippedRole}`;
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const [group = ''] = apiGroups;
  if ([verbs, apiGroups, resources].every(words => words.join() === '*')) return 'everything';
  const what = nonResourceURLs.length > 0 ? nonResourceURLs : resources.map(one => groupedName(one, group));
  const only = resourceNames.length === 0 ? '' : ` (only ${resourceNames.join(', ')})`;
  return `${verbs.join(', ')} ${what.join(', ')}${only}`;
}

function groupedName(resource: string, group: string): string {
  if (group === '') return resource;
  const [name = '', ...sub] = resource.split('/');
  return [`${name}.${group}`, ...sub].join('/');
}

/** `RoleBinding shop/release`. */
export function bindingName(binding: KubeObject): string {
  const namespace = namespaceOf(binding);
  return `${binding.kind} ${namespace === undefined ? '' : `${namespace}/`}${nameOf(binding)}`;
}
