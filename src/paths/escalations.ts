/**
 * Ways from a permission to the whole cluster, to its nodes, or to all its secrets: a search over AND/OR steps with the
 * preconditions that Kubernetes really has. What is needed for one step may come from several bindings and from several
 * identities taken before. Every step names the permission and the rule that gives it, and what is assumed beyond the
 * input.
 *
 * Sources of the steps: Kubernetes "RBAC good practices" (privilege escalation risks), pkg/registry/rbac/*\/policybased
 * (bind and escalate), plugin/pkg/admission/serviceaccount, kubelet server/auth.go (nodes/proxy), apiserver
 * pkg/endpoints/filters/impersonation (constrained impersonation), pkg/controller/certificates/approver/sarapprove.go
 * (certificates of nodes), plugin/pkg/auth/authorizer/node/node_authorizer.go (tokens of the accounts of its pods),
 * apiserver pkg/admission/plugin/policy/mutating (policies count only with a binding), kube-aggregator
 * pkg/controllers/autoregister (the APIServices of built-in groups are put right once, when the API server starts),
 * apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go (a conversion may change all but the identity
 * of a custom resource), Argo CD and Flux (their objects say what their controllers apply).
 */
import type { Attributes } from '#decide/authorization/attributes.ts';
import { type PolicyRule, ruleAllows, rulesOf } from '#decide/authorization/rules.ts';
import { shippedObjects } from '#decide/authorization/shipped.ts';
import { policyOf } from '#decide/pod-security/admission.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import { accountOf } from '#kube/accounts.ts';
import { type Because, isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { metadataOf, namespaceOf, type World } from '#world/world.ts';
import {
  type Capability,
  capabilitiesBoth,
  capabilitiesOf,
  type Given,
  limitsImpersonation,
  type Mode,
  onVerb,
} from './capabilities.ts';
import { BINDINGS, grantedRules, isShipped, roleOf, rulesOfClusterRole, subjectsOf } from './grants.ts';

export const goals = ['cluster-admin', 'node', 'secrets'] as const;
export type Goal = (typeof goals)[number];

/** Who holds permissions: a user, a group, or a service account. */
export interface Principal {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  /** Of service accounts. */
  readonly namespace?: string;
}

export interface Step {
  /** What is done: `bind cluster-admin to itself in namespace kube-system`. */
  readonly text: string;
  /** With which permissions, as whom, by which rules. */
  readonly because: readonly Because[];
  /** What must be true beyond what the input says. */
  readonly assumes?: string;
  /** It is done in a namespace that nobody states: whoever is met there may be somewhere else. */
  readonly unplaced?: boolean;
  /** The bindings that it needs. */
  readonly bindings: readonly KubeObject[];
}

export interface Escalation {
  readonly subject: Principal;
  readonly goal: Goal;
  /** In an order in which they can be done. Empty never: the last one reaches the goal. */
  readonly steps: readonly Step[];
  /** It was given the goal outright: an administrator, not a path. */
  readonly direct: boolean;
}

/** Somebody who may not do what is asked, and can bring it about. */
export interface IndirectHolder {
  readonly subject: Principal;
  /** In an order in which they can be done, as few as there are. */
  readonly steps: readonly Step[];
  /** Who may do it in the end; undefined where the last step gives it to the subject itself. */
  readonly as?: Principal;
  /** Of `as`: by which rule it may, and through which binding. */
  readonly because: readonly Because[];
  readonly bindings: readonly KubeObject[];
}

/** One subject of one binding with what the binding's role gives. */
interface Grant {
  readonly binding: KubeObject;
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined;
  readonly given: readonly Given[];
  readonly rules: readonly PolicyRule[];
  /** Whether they may say where somebody else may be impersonated. */
  readonly limits: boolean;
  readonly role: KubeObject | undefined;
}

interface Facts {
  /** By the key of a principal. */
  readonly grants: ReadonlyMap<string, readonly Grant[]>;
  readonly principals: ReadonlyMap<string, Principal>;
  /** The service accounts of each namespace that the input shows, with the workloads that run as them. */
  readonly accounts: ReadonlyMap<string, ReadonlyMap<string, readonly KubeObject[]>>;
  /** Of them those to whom something is granted, themselves or through a group. */
  readonly useful: ReadonlyMap<string, readonly Principal[]>;
  /** Accounts that run on every node. */
  readonly onEveryNode: readonly Principal[];
  readonly namespaces: ReadonlyMap<string, KubeObject>;
  /** Accounts with a long-lived token in a Secret. */
  readonly tokenSecrets: readonly { readonly account: Principal; readonly secret: string }[];
  readonly hasAwsAuth: boolean;
  /** The MutatingAdmissionPolicies of the input that a binding of the input names. */
  readonly boundMutatingPolicies: readonly string[];
  /** Definitions of the input whose objects say what is applied, with the accounts that watch them and run somewhere. */
  readonly deployers: readonly { readonly definition: string; readonly accounts: readonly Principal[] }[];
  readonly administrators: readonly Principal[];
  /** Everyone else of the input who is a user by name. */
  readonly users: readonly Principal[];
  /** What rules give, worked out once for each list of rules. */
  readonly given: (rules: readonly PolicyRule[]) => readonly Given[];
  readonly world: World;
  /** The names of the Roles of each namespace. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  /** The ClusterRoles that gather the rules of others by label, those of every cluster included. */
  readonly gathering: ReadonlySet<string>;
}

/** A request for which ways are looked for. */
interface Target {
  readonly request: Omit<Attributes, 'user'>;
  /** Who may do it without any step, by the key of a principal. */
  readonly holders: ReadonlyMap<string, readonly TargetGrant[]>;
}

interface TargetGrant {
  readonly principal: Principal;
  readonly binding: KubeObject;
  readonly because: () => Because;
}

/**
 * The controller whose account may write any ClusterRole. kube-controller-manager makes it where it runs its
 * controllers with accounts of their own (`--use-service-account-credentials`), as kubeadm, kops and the managed
 * offerings do. Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go.
 */
const CONTROLLER = 'clusterrole-aggregation-controller';
const SYSTEM = 'kube-system';
const ADMISSION = 'admissionregistration.k8s.io';
const CONTROLLERS_HAVE_ACCOUNTS =
  'kube-controller-manager runs its controllers with service accounts of their own';
/** So many holdings of one capability are kept apart by who has them, for the sake of short ways. */
const MOST_HELD = 64;
const SAME_NAMESPACE = 'what states no namespace is applied to the same one';
const HOLDS_ALL = 'holds every permission in the whole cluster';
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const KUBELET_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const NODE_USER = 'system:node:';
const NODE_AUTHORIZER = 'the API server has the Node authorizer in its chain';
const CONSTRAINED_SINCE = 36;
/** MutatingAdmissionPolicy is switched on by default from here on. */
const MUTATING_POLICIES_SINCE = 36;
/** The custom resources whose controllers apply what their objects name, by their definition. */
const DEPLOYERS: readonly {
  readonly definition: string;
  readonly resource: string;
  readonly group: string;
}[] = [
  ['applications', 'argoproj.io'],
  ['kustomizations', 'kustomize.toolkit.fluxcd.io'],
  ['helmreleases', 'helm.toolkit.fluxcd.io'],
].map(([resource, group]) => ({ definition: `${resource}.${group}`, resource: resource!, group: group! }));
const CONSTRAINED: ReadonlySet<Capability> = new Set([
  'actAsUsers',
  'actWithGroups',
  'actAsAccounts',
  'actAsNodes',
  'actAsOwnNode',
]);

export function keyOf({ kind, namespace, name }: Principal): string {
  return kind === 'ServiceAccount' ? `${kind} ${namespace ?? ''}/${name}` : `${kind} ${name}`;
}

/** `service account shop/release`. */
export function principalText({ kind, namespace, name }: Principal): string {
  return kind === 'ServiceAccount'
    ? namespace === undefined || namespace === ''
      ? `service account ${name} (namespace not stated)`
      : `service account ${namespace}/${name}`
    : `${kind.toLowerCase()} ${name}`;
}

/** Everyone to whom a binding that Kubernetes does not ship gives something, in input order. */
export function principalsOf(world: World): readonly Principal[] {
  return [...world.fact(factsOf).principals.values()];
}

/**
 * The ways of one subject, one for each goal that it reaches; what cluster-admin includes is not said again.
 *
 * @param without bindings that are taken as removed
 */
export function escalationsOf(
  world: World,
  subject: Principal,
  without: ReadonlySet<KubeObject> = new Set(),
): readonly Escalation[] {
  return new Search(world.fact(factsOf), subject, without).run();
}

/**
 * Everyone whom no binding lets do something and who can still bring it about: by becoming somebody who may, or by
 * giving the permission to itself. Each with one of its shortest ways, the shortest first.
 */
export function indirectHolders(world: World, request: Omit<Attributes, 'user'>): readonly IndirectHolder[] {
  const facts = world.fact(factsOf);
  const target = targetOf(world, request);
  return principalsOf(world)
    .filter(
      principal =>
        ![keyOf(principal), ...groupsOf(principal).map(name => keyOf({ kind: 'Group', name }))].some(key =>
          target.holders.has(key),
        ),
    )
    .flatMap(subject => new Search(facts, subject, new Set(), target).toTarget() ?? [])
    .sort((a, b) => a.steps.length - b.steps.length);
}

function targetOf(world: World, request: Omit<Attributes, 'user'>): Target {
  const holders = new Map<string, TargetGrant[]>();
  const allowing = new Map<readonly PolicyRule[], number>();
  for (const kind of BINDINGS)
    for (const { object: binding } of world.ofKind(kind)) {
      const namespace = binding.kind === 'RoleBinding' ? (namespaceOf(binding) ?? '') : undefined;
      if (!countsFor(request, namespace)) continue;
      const rules = grantedRules(binding, world);
      if (rules === undefined) continue;
      let index = allowing.get(rules);
      if (index === undefined) {
        index = rules.findIndex(rule => ruleAllows(rule, { ...request, user: {} }));
        allowing.set(rules, index);
      }
      if (index < 0) continue;
      const rule = index;
      for (const { kind, name, namespace: home } of subjectsOf(binding)) {
        if (name === '' || (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount')) continue;
        const principal: Principal =
          kind === 'ServiceAccount' ? { kind, name, namespace: home } : { kind, name };
        const because = (): Because => grantText(principal, requestText(request), binding, rule, world);
        const list = holders.get(keyOf(principal));
        if (list === undefined) holders.set(keyOf(principal), [{ principal, binding, because }]);
        else list.push({ principal, binding, because });
      }
    }
  return { request, holders };
}

/** Whether what is granted in a namespace (undefined: in the whole cluster) says something about a request. */
function countsFor({ namespace = '' }: Omit<Attributes, 'user'>, granted: string | undefined): boolean {
  return granted === undefined || (namespace !== '' && granted === namespace);
}

/** `get secrets in namespace shop`. */
function requestText({
  verb = '',
  apiGroup = '',
  resource = '',
  subresource = '',
  name = '',
  namespace = '',
  path = '',
  resourceRequest,
}: Omit<Attributes, 'user'>): string {
  if (resourceRequest !== true) return `${verb} ${path}`;
  const group = apiGroup === '' || apiGroup === '*' ? '' : `.${apiGroup}`;
  const sub = subresource === '' ? '' : `/${subresource}`;
  const place = namespace === '' ? '' : ` in namespace ${namespace}`;
  return `${verb} ${resource}${group}${sub}${name === '' ? '' : ` ${name}`}${place}`;
}

function grantText(
  principal: Principal,
  words: string,
  binding: KubeObject,
  rule: number,
  world: World,
): Because {
  const role = roleOf(binding, world);
  return {
    object: role ?? binding,
    ...(role === undefined ? {} : { path: ['rules', rule] }),
    text: `${principalText(principal)} may ${words}, by ${binding.kind} ${nameOf(binding)} and ${role === undefined ? 'the role that ships with Kubernetes' : `${role.kind} ${nameOf(role)}`}`,
  };
}

/**
 * The smallest set of bindings without which a subject no longer reaches a goal.
 *
 * Each way must lose one of its bindings: the search branches over the bindings of a way that is still open, and
 * deepens by one until nothing is open. A set larger than the limit is not looked for.
 *
 * @returns undefined where more than `limit` bindings would have to go
 */
export function smallestCut(
  world: World,
  subject: Principal,
  goal: Goal,
  limit = 4,
): readonly KubeObject[] | undefined {
  const reaches = (without: ReadonlySet<KubeObject>): Escalation | undefined => {
    const found = escalationsOf(world, subject, without);
    // Who is cluster-admin reaches the other goals too.
    return found.find(one => one.goal === goal) ?? found.find(one => one.goal === 'cluster-admin');
  };
  const deepen = (removed: readonly KubeObject[], left: number): readonly KubeObject[] | undefined => {
    const open = reaches(new Set(removed));
    if (open === undefined) return removed;
    if (left === 0) return undefined;
    for (const binding of new Set(open.steps.flatMap(({ bindings }) => bindings))) {
      const cut = deepen([...removed, binding], left - 1);
      if (cut !== undefined) return cut;
    }
    return undefined;
  };
  for (let size = 1; size <= limit; size++) {
    const cut = deepen([], size);
    if (cut !== undefined) return cut;
  }
  return undefined;
}

function factsOf(world: World): Facts {
  const grants = new Map<string, Grant[]>();
  const principals = new Map<string, Principal>();
  const administrators: Principal[] = [];
  const known = new Map<readonly PolicyRule[], readonly Given[]>();
  const given = (rules: readonly PolicyRule[]): readonly Given[] => {
    let capabilities = known.get(rules);
    if (capabilities === undefined) {
      capabilities = capabilitiesOf(rules).filter(one => counts(one, world.kubernetesMinor));
      known.set(rules, capabilities);
    }
    return capabilities;
  };
  const constrained = world.kubernetesMinor >= CONSTRAINED_SINCE;
  const accounts = new Map<string, Map<string, KubeObject[]>>();
  const account = (namespace: string, name: string): KubeObject[] => {
    const names = accounts.get(namespace) ?? new Map<string, KubeObject[]>();
    accounts.set(namespace, names);
    const workloads = names.get(name) ?? [];
    names.set(name, workloads);
    return workloads;
  };
  for (const kind of BINDINGS)
    for (const { object: binding } of world.ofKind(kind)) {
      const rules = grantedRules(binding, world);
      if (rules === undefined) continue;
      const capabilities = given(rules);
      const grant: Grant = {
        binding,
        namespace: binding.kind === 'RoleBinding' ? (namespaceOf(binding) ?? '') : undefined,
        given: capabilities,
        rules,
        limits: constrained && limitsImpersonation(rules),
        role: roleOf(binding, world),
      };
      for (const { kind, name, namespace } of subjectsOf(binding)) {
        if (name === '' || (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount')) continue;
        const principal: Principal = kind === 'ServiceAccount' ? { kind, name, namespace } : { kind, name };
        const key = keyOf(principal);
        const list = grants.get(key);
        if (list === undefined) grants.set(key, [grant]);
        else list.push(grant);
        if (kind === 'ServiceAccount') account(namespace, name);
        if (
          grant.namespace === undefined &&
          capabilities.some(({ capability, names }) => capability === 'everything' && names === undefined)
        )
          administrators.push(principal);
        if (!isShipped(binding)) principals.set(key, principal);
      }
    }
  for (const { object } of world.ofKind('/ServiceAccount'))
    account(namespaceOf(object) ?? '', nameOf(object));
  const onEveryNode = new Map<string, Principal>();
  for (const { object } of world.declared) {
    if (!world.isWorkload(object)) continue;
    for (const pod of podsOf(world, object).pods) {
      const namespace = pod.namespace ?? '';
      const name = accountOf(pod.spec);
      account(namespace, name).push(object);
      if (object.kind === 'DaemonSet') {
        const principal: Principal = { kind: 'ServiceAccount', namespace, name };
        onEveryNode.set(keyOf(principal), principal);
      }
    }
  }
  const useful = new Map(
    [...accounts].map(([namespace, names]) => [
      namespace,
      [...names.keys()]
        .map((name): Principal => ({ kind: 'ServiceAccount', namespace, name }))
        .filter(one =>
          [keyOf(one), ...groupsOf(one).map(group => `Group ${group}`)].some(key => grants.has(key)),
        ),
    ]),
  );
  const users = new Map<string, Principal>();
  for (const key of grants.keys())
    if (key.startsWith('User ')) users.set(key, { kind: 'User', name: key.slice('User '.length) });
  for (const administrator of administrators) users.delete(keyOf(administrator));
  const gathers = (role: KubeObject): string[] => (isRecord(role['aggregationRule']) ? [nameOf(role)] : []);
  return {
    grants,
    principals,
    accounts,
    useful,
    administrators,
    users: [...users.values()],
    given,
    world,
    roles: new Map(
      [
        ...Map.groupBy(
          world.ofKind('rbac.authorization.k8s.io/Role'),
          ({ object }) => namespaceOf(object) ?? '',
        ),
      ].map(([namespace, roles]) => [namespace, roles.map(({ object }) => nameOf(object))]),
    ),
    gathering: new Set([
      ...shippedObjects().flatMap(gathers),
      ...world.ofKind('rbac.authorization.k8s.io/ClusterRole').flatMap(({ object }) => gathers(object)),
    ]),
    onEveryNode: [...onEveryNode.values()],
    namespaces: new Map(world.ofKind('/Namespace').map(({ object }) => [nameOf(object), object])),
    tokenSecrets: world.ofKind('/Secret').flatMap(({ object }) => {
      const name = valueAt(object, ['metadata', 'annotations', 'kubernetes.io/service-account.name']);
      return object['type'] === 'kubernetes.io/service-account-token' && typeof name === 'string'
        ? [
            {
              account: { kind: 'ServiceAccount' as const, namespace: namespaceOf(object) ?? '', name },
              secret: nameOf(object),
            },
          ]
        : [];
    }),
    boundMutatingPolicies: boundMutatingPolicies(world),
    deployers: deployersOf(world, accounts, grants),
    hasAwsAuth: world.find('/ConfigMap', SYSTEM, 'aws-auth') !== undefined,
  };
}

function boundMutatingPolicies(world: World): string[] {
  const policies = new Set(
    world.ofKind(`${ADMISSION}/MutatingAdmissionPolicy`).map(({ object }) => nameOf(object)),
  );
  return world.ofKind(`${ADMISSION}/MutatingAdmissionPolicyBinding`).flatMap(({ object }) => {
    const name = valueAt(object, ['spec', 'policyName']);
    return typeof name === 'string' && policies.has(name) ? [name] : [];
  });
}

function deployersOf(
  world: World,
  accounts: Facts['accounts'],
  grants: ReadonlyMap<string, readonly Grant[]>,
): Facts['deployers'] {
  return DEPLOYERS.flatMap(({ definition, resource, group }) => {
    if (world.find('apiextensions.k8s.io/CustomResourceDefinition', undefined, definition) === undefined)
      return [];
    // A controller reads the objects of all names, and says afterwards how far it is.
    const acts = (rules: readonly PolicyRule[]): boolean =>
      ['watch', 'patch'].every(verb =>
        rules.some(rule =>
          ruleAllows(rule, { verb, apiGroup: group, resource, resourceRequest: true, user: {} }),
        ),
      );
    const running = [...accounts].flatMap(([namespace, names]) =>
      [...names].flatMap(([name, workloads]): Principal[] =>
        workloads.length === 0 ? [] : [{ kind: 'ServiceAccount', namespace, name }],
      ),
    );
    const acting = running.filter(account =>
      acts((grants.get(keyOf(account)) ?? []).flatMap(({ rules }) => rules)),
    );
    return acting.length === 0 ? [] : [{ definition, accounts: acting }];
  });
}

/**
 * From 1.35 on who gets into a pod needs create too; constrained impersonation and MutatingAdmissionPolicy are on since
 * 1.36. Sources: kubernetes pkg/registry/core/pod/rest/subresources.go, apiserver pkg/features/kube_features.go.
 */
function counts({ capability, verbs }: Given, kubernetesMinor: number): boolean {
  if (CONSTRAINED.has(capability)) return kubernetesMinor >= CONSTRAINED_SINCE;
  if (capability === 'writeMutatingPolicies' || capability === 'writeMutatingPolicyBindings')
    return kubernetesMinor >= MUTATING_POLICIES_SINCE;
  return capability !== 'enterPods' || kubernetesMinor < 35 || verbs.some(verb => verb !== 'get');
}

/** Something reached: as whom, or what. */
interface Reached {
  /** Undefined for where the search begins. */
  readonly text: string | (() => string) | undefined;
  readonly held: readonly Held[];
  readonly needs: readonly Reached[];
  readonly assumes: string | undefined;
}

/** A capability held: where, of what, through which binding, and by what it was reached. */
interface Held extends Given {
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined;
  readonly because: () => Because;
  readonly binding: KubeObject | undefined;
  readonly through: Reached;
}

/** A role that is bound to somebody one is. */
interface OwnRole {
  readonly kind: 'Role' | 'ClusterRole';
  readonly name: string;
  /** Undefined where it is not in the input. */
  readonly role: KubeObject | undefined;
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined;
}

/** What counts of everything in one namespace. */
const OWNED = [
  'requestTokens',
  'readSecrets',
  'createSecrets',
  'createPods',
  'changeWorkloads',
  'enterPods',
  'impersonateAccounts',
  'createClaims',
] as const satisfies readonly Capability[];

class Search {
  readonly #facts: Facts;
  readonly #subject: Principal;
  readonly #without: ReadonlySet<KubeObject>;
  readonly #held = new Map<Capability, Held[]>();
  readonly #identities = new Map<string, Reached>();
  readonly #owned = new Set<string>();
  /** Holdings with which tokens were made already. */
  readonly #minted = new Set<Held>();
  readonly #goals = new Map<Goal, Reached>();
  /** ClusterRoles bound to somebody one is, in the whole cluster; Roles by namespace. */
  readonly #ownRoles: OwnRole[] = [];
  /** What was reached in this round and counts from the next one on: so the first way that is found is a shortest. */
  #pending: (() => void)[] = [];
  readonly #target: Target | undefined;
  #targetReached: { readonly reached: Reached; readonly grant?: TargetGrant } | undefined;
  /** Roles that were bound to oneself. */
  readonly #bound = new Set<string>();
  /** Grants of somebody one is that say where others may be impersonated. */
  readonly #acting: { readonly principal: Principal; readonly grant: Grant; readonly through: Reached }[] =
    [];
  /** Who was acted as already, by what. */
  readonly #acted = new Set<string>();
  /** The credentials of whatever node one likes. */
  #node: Reached | undefined;
  /** How many holdings of a capability a rule has gone through: none is looked at twice. */
  readonly #gone = new Map<string, number>();

  constructor(facts: Facts, subject: Principal, without: ReadonlySet<KubeObject>, target?: Target) {
    this.#facts = facts;
    this.#subject = subject;
    this.#without = without;
    this.#target = target;
  }

  run(): Escalation[] {
    this.#search();
    const reached = this.#won ? (['cluster-admin'] as const) : goals;
    return reached.flatMap(goal => {
      const end = this.#goals.get(goal);
      if (end === undefined) return [];
      const steps = stepsOf(end);
      return [
        {
          subject: this.#subject,
          goal,
          steps,
          direct: steps.length === 1 && steps[0]!.text === HOLDS_ALL,
        },
      ];
    });
  }

  /** How the subject brings the target about; undefined where no way was found. */
  toTarget(): IndirectHolder | undefined {
    this.#search();
    const admin = this.#goals.get('cluster-admin');
    const end = this.#targetReached ?? (admin === undefined ? undefined : { reached: admin });
    if (end === undefined) return undefined;
    const { grant, reached } = end;
    return {
      subject: this.#subject,
      steps: stepsOf(reached),
      ...(grant === undefined ? {} : { as: grant.principal }),
      because: grant === undefined ? [] : [grant.because()],
      bindings: grant === undefined ? [] : [grant.binding],
    };
  }

  #search(): void {
    this.#become(this.#subject, { text: undefined, held: [], needs: [], assumes: undefined });
    while (this.#pending.length > 0 && !this.#won) {
      const pending = this.#pending;
      this.#pending = [];
      for (const gain of pending) gain();
      if (!this.#won) this.#round();
    }
  }

  #become(principal: Principal, reached: Reached): void {
    const key = keyOf(principal);
    if (this.#won || this.#identities.has(key)) return;
    this.#identities.set(key, reached);
    for (const group of groupsOf(principal)) this.#become({ kind: 'Group', name: group }, reached);
    const grant = this.#target?.holders.get(key)?.find(({ binding }) => !this.#without.has(binding));
    if (grant !== undefined) {
      this.#targetReached ??= { reached, grant };
      return;
    }
    this.#pending.push(() => this.#expand(principal, reached));
  }

  #expand(principal: Principal, reached: Reached): void {
    const key = keyOf(principal);
    if (key === 'Group system:masters')
      this.#reach('cluster-admin', 'is in the group system:masters', [], [reached]);
    for (const grant of this.#facts.grants.get(key) ?? []) {
      const { binding, namespace, given, role } = grant;
      if (this.#without.has(binding)) continue;
      if (grant.limits) this.#acting.push({ principal, grant, through: reached });
      const name = valueAt(binding, ['roleRef', 'name']);
      if (typeof name === 'string')
        this.#ownRoles.push({
          kind: valueAt(binding, ['roleRef', 'kind']) === 'Role' ? 'Role' : 'ClusterRole',
          name,
          role,
          namespace,
        });
      for (const one of given)
        this.#hold({
          ...one,
          namespace,
          binding,
          through: reached,
          because: () => grantText(principal, heldText(one, namespace), binding, one.rule, this.#facts.world),
        });
    }
  }

  /** Binds a role to itself, where it is known what it gives. */
  #bind(
    kind: 'Role' | 'ClusterRole',
    name: string,
    namespace: string | undefined,
    held: readonly Held[],
  ): void {
    const key = `${kind} ${name} ${namespace ?? ''}`;
    if (this.#bound.has(key) || this.#won) return;
    const { world, given } = this.#facts;
    const role = kind === 'Role' ? world.find('rbac.authorization.k8s.io/Role', namespace, name) : undefined;
    const rules = kind === 'ClusterRole' ? rulesOfClusterRole(name, world) : role && rulesOf(role);
    if (rules === undefined) return;
    this.#bound.add(key);
    const place = namespace === undefined ? '' : ` in ${namespaceText(namespace)}`;
    const reached: Reached = {
      text: `binds the ${kind} ${name} to itself${place}`,
      held,
      needs: [],
      assumes: undefined,
    };
    const { request } = this.#target ?? {};
    if (
      request !== undefined &&
      countsFor(request, namespace) &&
      rules.some(rule => ruleAllows(rule, { ...request, user: {} }))
    )
      this.#targetReached ??= { reached };
    const gained = given(rules);
    if (gained.length === 0) return;
    this.#pending.push(() => {
      for (const one of gained)
        this.#hold({
          ...one,
          namespace,
          binding: undefined,
          through: reached,
          because: () => ({
            text: `${principalText(this.#subject)} may ${heldText(one, namespace)} after the step before`,
          }),
        });
    });
  }

  #hold(held: Held): void {
    const list = this.#held.get(held.capability);
    if (list === undefined) this.#held.set(held.capability, [held]);
    // One way to hold it everywhere, or in a namespace, is enough; names add up.
    else if (
      held.names === undefined &&
      list.some(one => (one.through === held.through || list.length > MOST_HELD) && includes(one, held))
    )
      return;
    else list.push(held);
    if (held.capability === 'everything' && held.namespace === undefined && held.names === undefined)
      this.#reach('cluster-admin', HOLDS_ALL, [held], []);
  }

  /**
   * How a capability is held in a namespace (undefined: in the whole cluster), of a name where one is asked for.
   *
   * @param beside what else is needed: a way that needs no other identity is the shorter one
   */
  #has(
    capability: Capability,
    namespace: string | undefined,
    name?: string,
    beside?: Held,
  ): Held | undefined {
    const fitting = (held: Held): boolean =>
      (held.namespace === undefined || held.namespace === namespace) &&
      (held.names === undefined || (name !== undefined && held.names.includes(name)));
    const list = this.#held.get(capability);
    return (
      (beside === undefined
        ? undefined
        : list?.find(held => held.through === beside.through && fitting(held))) ?? list?.find(fitting)
    );
  }

  #all(capability: Capability): readonly Held[] {
    return this.#held.get(capability) ?? [];
  }

  /** The holdings that a rule has not seen yet, those that it adds while it runs included. */
  *#fresh(rule: string, capability: Capability): Generator<Held> {
    const key = `${rule} ${capability}`;
    for (let at = this.#gone.get(key) ?? 0; at < this.#all(capability).length && !this.#won; at++) {
      this.#gone.set(key, at + 1);
      yield this.#all(capability)[at]!;
    }
  }

  get #won(): boolean {
    return this.#targetReached !== undefined || this.#goals.has('cluster-admin');
  }

  #reach(goal: Goal, text: string, held: readonly Held[], needs: readonly Reached[], assumes?: string): void {
    if (this.#goals.has(goal)) return;
    this.#goals.set(goal, { text, held, needs, assumes });
    // The round after this one sees it.
    this.#pending.push(() => {});
  }

  #take(account: Principal, text: () => string, held: readonly Held[], assumes?: string): void {
    if (account.namespace === SYSTEM && account.name === CONTROLLER)
      this.#reach(
        'cluster-admin',
        `${text()}, which may write any ClusterRole`,
        held,
        [],
        CONTROLLERS_HAVE_ACCOUNTS,
      );
    else this.#become(account, { text, held, needs: [], assumes });
  }

  /** Everything in one namespace. */
  #own(namespace: string, text: string, held: readonly Held[]): void {
    if (this.#owned.has(namespace)) return;
    this.#owned.add(namespace);
    const reached: Reached = { text, held, needs: [], assumes: undefined };
    if (this.#target !== undefined && namespace !== '' && this.#target.request.namespace === namespace) {
      this.#targetReached ??= { reached };
      return;
    }
    this.#pending.push(() => {
      for (const [index, capability] of OWNED.entries())
        this.#hold({
          capability,
          words: 'everything',
          verbs: ['*'],
          rule: index,
          namespace,
          binding: undefined,
          through: reached,
          because: () => ({ text: `everything in namespace ${namespace} is allowed after the step before` }),
        });
    });
  }

  #round(): void {
    for (const rule of [
      () => this.#allSecrets(),
      () => this.#bindAndEscalate(),
      () => this.#impersonate(),
      () => this.#actAsOthers(),
      () => this.#credentials(),
      () => this.#execution(),
      () => this.#nodes(),
      () => this.#controlPlane(),
    ])
      if (!this.#won) rule();
  }

  #allSecrets(): void {
    const secrets = this.#has('readSecrets', undefined);
    if (secrets !== undefined) this.#reach('secrets', 'reads every secret of the cluster', [secrets], []);
  }

  #bindAndEscalate(): void {
    const bindings = this.#has('writeClusterRoleBindings', undefined);
    const bind = this.#has('bindClusterRoles', undefined, 'cluster-admin', bindings);
    if (bindings !== undefined && bind !== undefined)
      this.#reach('cluster-admin', 'binds cluster-admin to itself', [bindings, bind], []);
    this.#bindByName();
    this.#raise();
    for (const held of this.#all('writeRoleBindings')) {
      if (held.names !== undefined) continue;
      for (const place of this.#homes(held)) {
        const bindThere = this.#has('bindClusterRoles', place, 'cluster-admin', held);
        if (bindThere !== undefined)
          this.#own(place, `binds the ClusterRole cluster-admin to itself in ${namespaceText(place)}`, [
            held,
            bindThere,
          ]);
      }
    }
  }

  /** The namespaces in which something that is held everywhere is worth using. */
  #homes({ namespace }: Held): readonly string[] {
    if (namespace !== undefined) return [namespace];
    const target = this.#target?.request.namespace ?? '';
    return target === '' || target === SYSTEM ? [SYSTEM] : [target, SYSTEM];
  }

  /** Where `bind` is limited to some roles, or a binding can only be changed: what those roles give. */
  #bindByName(): void {
    for (const write of this.#all('writeClusterRoleBindings')) {
      if (write.namespace !== undefined) continue;
      for (const bind of this.#all('bindClusterRoles')) {
        if (bind.namespace !== undefined) continue;
        if (makes(write))
          for (const name of bind.names ?? []) this.#bind('ClusterRole', name, undefined, [write, bind]);
        else
          for (const name of write.names ?? []) {
            const binding = this.#facts.world.find(
              'rbac.authorization.k8s.io/ClusterRoleBinding',
              undefined,
              name,
            );
            const role = binding === undefined ? undefined : valueAt(binding, ['roleRef', 'name']);
            if (typeof role === 'string' && (bind.names === undefined || bind.names.includes(role)))
              this.#bind('ClusterRole', role, undefined, [write, bind]);
          }
      }
    }
    for (const write of this.#all('writeRoleBindings')) {
      if (!makes(write)) continue;
      for (const [capability, kind] of [
        ['bindClusterRoles', 'ClusterRole'],
        ['bindRoles', 'Role'],
      ] as const)
        for (const bind of this.#all(capability))
          for (const place of this.#homes(write.namespace === undefined ? bind : write)) {
            if (bind.namespace !== undefined && bind.namespace !== place) continue;
            const names = bind.names ?? (kind === 'Role' ? (this.#facts.roles.get(place) ?? []) : []);
            for (const name of names) this.#bind(kind, name, place, [write, bind]);
          }
    }
  }

  /** A role of one's own may be raised where escalate allows more than one holds. */
  #raise(): void {
    const mayRaise = this.#held.has('escalateClusterRoles') || this.#held.has('escalateRoles');
    for (const { kind, name, role, namespace } of mayRaise ? this.#ownRoles : []) {
      const cluster = kind === 'ClusterRole';
      const place = cluster ? undefined : namespace;
      const change =
        role === undefined
          ? undefined
          : this.#has(cluster ? 'changeClusterRoles' : 'changeRoles', place, name);
      const escalate =
        change && this.#has(cluster ? 'escalateClusterRoles' : 'escalateRoles', place, name, change);
      if (change !== undefined && escalate !== undefined) {
        this.#raised(namespace, `raises its own ${kind} ${name} to every permission`, [change, escalate]);
        continue;
      }
      // A new role is asked for without its name.
      const create = this.#has('createClusterRoles', undefined);
      const any = create && this.#has('escalateClusterRoles', undefined, undefined, create);
      if (any !== undefined && cluster && this.#facts.gathering.has(name))
        this.#raised(
          namespace,
          `makes a ClusterRole of every permission whose label adds it to its own ClusterRole ${name}`,
          [create!, any],
        );
    }
  }

  #raised(namespace: string | undefined, text: string, held: readonly Held[]): void {
    if (namespace === undefined) this.#reach('cluster-admin', text, held, []);
    else this.#own(namespace, `${text} in ${namespaceText(namespace)}`, held);
  }

  #impersonate(): void {
    const users = this.#all('impersonateUsers').find(({ namespace }) => namespace === undefined);
    const accounts = this.#all('impersonateAccounts');
    const groups = this.#has('impersonateGroups', undefined, 'system:masters');
    // A group can be put on only together with a user or a service account.
    const asSomebody = users ?? accounts[0];
    if (groups !== undefined && asSomebody !== undefined)
      this.#reach('cluster-admin', 'impersonates the group system:masters', [asSomebody, groups], []);
    for (const held of this.#all('impersonateUsers')) {
      if (held.namespace !== undefined) continue;
      for (const principal of [...this.#facts.administrators, ...this.#facts.users])
        if (principal.kind === 'User' && (held.names === undefined || held.names.includes(principal.name)))
          this.#take(principal, () => `impersonates ${principalText(principal)}`, [held]);
      for (const name of held.names ?? [])
        this.#take({ kind: 'User', name }, () => `impersonates user ${name}`, [held]);
    }
    if (asSomebody !== undefined)
      for (const held of this.#all('impersonateGroups'))
        for (const name of held.names ?? [])
          this.#take({ kind: 'Group', name }, () => `impersonates the group ${name}`, [asSomebody, held]);
    this.#takeAccounts('impersonateAccounts', account => `impersonates ${account}`);
  }

  /** Constrained impersonation: what somebody else may, as far as `impersonate-on` allows it too. */
  #actAsOthers(): void {
    if (this.#acting.length === 0) return;
    const { administrators, users, grants } = this.#facts;
    const apart = ({ name }: Principal): boolean =>
      !name.startsWith(NODE_USER) && !name.startsWith('system:serviceaccount:');
    const named = (kind: 'User' | 'Group', { names = [] }: Held): Principal[] =>
      names.map(name => ({ kind, name }));
    const among = (all: readonly Principal[], kind: 'User' | 'Group', held: Held): Principal[] =>
      held.names === undefined
        ? all.filter(one => one.kind === kind && apart(one))
        : named(kind, held).filter(apart);
    for (const held of this.#all('actAsUsers'))
      if (held.namespace === undefined)
        for (const user of among([...administrators, ...users], 'User', held))
          this.#actAs('user-info', user, [held]);
    const asSomebody = this.#all('actAsUsers').find(({ namespace }) => namespace === undefined);
    if (asSomebody !== undefined)
      for (const held of this.#all('actWithGroups')) {
        if (held.namespace !== undefined) continue;
        const groups = [...grants.keys()].flatMap((key): Principal[] =>
          key.startsWith('Group ') ? [{ kind: 'Group', name: key.slice('Group '.length) }] : [],
        );
        for (const group of among(groups, 'Group', held))
          if (group.name !== 'system:masters') this.#actAs('user-info', group, [asSomebody, held]);
      }
    for (const held of this.#all('actAsAccounts'))
      for (const [namespace, accounts] of this.#facts.accounts)
        if (held.namespace === undefined || held.namespace === namespace)
          for (const name of accounts.keys())
            if (held.names === undefined || held.names.includes(name))
              this.#actAs('serviceaccount', { kind: 'ServiceAccount', namespace, name }, [held]);
    for (const held of this.#all('actAsNodes'))
      if (held.namespace === undefined)
        this.#actAsNode(
          'arbitrary-node',
          held,
          held.names === undefined ? undefined : 'the pod runs on one of these nodes',
        );
    // Only a token of a pod says on which node it is.
    const own = [...this.#identities.keys()].some(key => key.startsWith('ServiceAccount '))
      ? this.#has('actAsOwnNode', undefined, '*')
      : undefined;
    if (own !== undefined)
      this.#actAsNode(
        'associated-node',
        own,
        'the pod runs on the same node, which the token of a pod names',
      );
  }

  #actAs(mode: Mode, principal: Principal, by: readonly Held[]): void {
    const { grants, world } = this.#facts;
    if (this.#identities.has(keyOf(principal))) return;
    for (const [at, acting] of this.#acting.entries()) {
      const key = `${mode} ${keyOf(principal)} ${at} ${by.length}`;
      if (this.#acted.has(key) || this.#won) continue;
      this.#acted.add(key);
      const on = (rule: number, words: string): Held => this.#onHeld(acting, rule, words);
      const step = (held: Held): Reached => ({
        text: `acts as ${principalText(principal)} (constrained impersonation)`,
        held: [...by, held],
        needs: [],
        assumes: undefined,
      });
      const reached = new Map<number, Reached>();
      for (const of of [
        keyOf(principal),
        ...groupsOf(principal).map(name => keyOf({ kind: 'Group', name })),
      ]) {
        for (const grant of grants.get(of) ?? []) {
          const { binding, namespace, rules } = grant;
          const place = both(namespace, acting.grant.namespace);
          if (this.#without.has(binding) || place === 'nowhere') continue;
          for (const one of capabilitiesBoth(mode, rules, acting.grant.rules)) {
            if (!counts(one, world.kubernetesMinor)) continue;
            const through = reached.get(one.on) ?? step(on(one.on, one.onWords));
            reached.set(one.on, through);
            this.#pending.push(() =>
              this.#hold({
                ...one,
                namespace: place.namespace,
                binding,
                through,
                because: () => grantText(principal, heldText(one, place.namespace), binding, one.rule, world),
              }),
            );
          }
        }
        this.#actForTarget(mode, of, acting, step);
      }
    }
  }

  /** Whether what is asked for may be done while acting as somebody who may do it. */
  #actForTarget(
    mode: Mode,
    key: string,
    acting: { readonly principal: Principal; readonly grant: Grant; readonly through: Reached },
    step: (held: Held) => Reached,
  ): void {
    const grant = this.#target?.holders.get(key)?.find(({ binding }) => !this.#without.has(binding));
    if (grant === undefined) return;
    const { request } = this.#target!;
    if (!countsFor(request, acting.grant.namespace)) return;
    const asked = { ...request, verb: onVerb(mode, request.verb ?? '') };
    const rule = acting.grant.rules.findIndex(one => ruleAllows(one, { ...asked, user: {} }));
    if (rule >= 0)
      this.#targetReached ??= { reached: step(this.#onHeld(acting, rule, requestText(asked))), grant };
  }

  /** As a node, the tokens of the accounts of its pods. */
  #actAsNode(mode: Mode, by: Held, assumes: string | undefined): void {
    const token = {
      verb: onVerb(mode, 'create'),
      resource: 'serviceaccounts',
      subresource: 'token',
      apiGroup: '',
      resourceRequest: true,
      user: {},
    };
    for (const acting of this.#acting)
      for (const [namespace, accounts] of this.#facts.accounts) {
        const { grant } = acting;
        if (grant.namespace !== undefined && grant.namespace !== namespace) continue;
        for (const [name, [workload]] of accounts) {
          const account: Principal = { kind: 'ServiceAccount', namespace, name };
          if (workload === undefined || this.#identities.has(keyOf(account))) continue;
          const rule = grant.rules.findIndex(one => ruleAllows(one, { ...token, name, namespace }));
          if (rule < 0) continue;
          this.#take(
            account,
            () =>
              `acts as the node of ${workload.kind} ${namespace}/${nameOf(workload)} (constrained impersonation) and requests a token of ${principalText(account)}`,
            [by, this.#onHeld(acting, rule, `${token.verb} serviceaccounts/token`)],
            assumes === undefined ? NODE_AUTHORIZER : `${NODE_AUTHORIZER}, and ${assumes}`,
          );
        }
      }
  }

  #onHeld(
    {
      principal,
      grant,
      through,
    }: { readonly principal: Principal; readonly grant: Grant; readonly through: Reached },
    rule: number,
    words: string,
  ): Held {
    const { binding, namespace } = grant;
    const { world } = this.#facts;
    const place = namespace === undefined ? '' : ` in namespace ${namespace}`;
    return {
      capability: 'actAsUsers',
      words,
      verbs: [],
      rule,
      namespace,
      binding,
      through,
      because: () => grantText(principal, `${words}${place}`, binding, rule, world),
    };
  }

  #credentials(): void {
    this.#takeAccounts('requestTokens', account => `requests a token of ${account}`);
    for (const { account, secret } of this.#facts.tokenSecrets) {
      const read = this.#has('readSecrets', account.namespace, secret);
      if (read !== undefined)
        this.#take(account, () => `reads the token of ${principalText(account)} in Secret ${secret}`, [read]);
    }
    for (const create of this.#all('createSecrets')) {
      const namespace = create.namespace ?? SYSTEM;
      const read = this.#has('readSecrets', namespace, undefined, create);
      if (read === undefined || this.#minted.has(create)) continue;
      this.#minted.add(create);
      for (const account of this.#accountsIn(namespace))
        this.#take(account, () => `makes a token Secret for ${principalText(account)} and reads it`, [
          create,
          read,
        ]);
    }
    const request = this.#has('createRequests', undefined);
    const approve = this.#has('approveRequests', undefined, undefined, request);
    const signer =
      this.#has('approveSigners', undefined, CLIENT_SIGNER) ??
      this.#has('approveSigners', undefined, 'kubernetes.io/*');
    if (request !== undefined && approve !== undefined && signer !== undefined)
      this.#reach(
        'cluster-admin',
        `has a client certificate made for an administrator, through signer ${CLIENT_SIGNER}`,
        [request, approve, signer],
        [],
        'some user or group other than system:masters, whose certificates admission refuses, holds cluster-admin rights',
      );
    this.#nodeCredentials(request, approve);
  }

  /** The name and the group of a node: by a certificate, or by being put on. */
  #nodeCredentials(request: Held | undefined, approve: Held | undefined): void {
    if (this.#node !== undefined) return;
    const kubelet =
      this.#has('approveSigners', undefined, KUBELET_SIGNER) ??
      this.#has('approveSigners', undefined, 'kubernetes.io/*');
    const text = `has a client certificate made for a node, through signer ${KUBELET_SIGNER}`;
    if (request !== undefined && approve !== undefined && kubelet !== undefined)
      this.#asNode(text, [request, approve, kubelet]);
    const itself = this.#has('requestNodeCertificates', undefined, undefined, request);
    if (request !== undefined && itself !== undefined)
      this.#asNode(`${text}, which approves it by itself`, [request, itself]);
    const user = this.#all('impersonateUsers').find(
      ({ namespace, names }) =>
        namespace === undefined && (names === undefined || names.some(name => name.startsWith(NODE_USER))),
    );
    const group = this.#has('impersonateGroups', undefined, 'system:nodes', user);
    if (user !== undefined && group !== undefined)
      this.#asNode('impersonates a node and its group system:nodes', [user, group]);
  }

  #asNode(text: string, held: readonly Held[]): void {
    if (this.#node !== undefined) return;
    this.#node = { text, held, needs: [], assumes: NODE_AUTHORIZER };
    this.#reach('node', text, held, [], NODE_AUTHORIZER);
    this.#pending.push(() => {});
  }

  /** Whoever may act for the service accounts of a namespace, or of some by name, becomes them. */
  #takeAccounts(capability: Capability, text: (account: string) => string): void {
    for (const held of this.#fresh('accounts', capability)) {
      const namespaces =
        held.namespace === undefined ? [SYSTEM, ...this.#facts.accounts.keys()] : [held.namespace];
      for (const namespace of namespaces)
        for (const account of this.#accountsIn(namespace))
          if (held.names === undefined || held.names.includes(account.name))
            this.#take(account, () => text(principalText(account)), [held]);
    }
  }

  #accountsIn(namespace: string): readonly Principal[] {
    const useful = this.#facts.useful.get(namespace) ?? [];
    // First, for it is the shortest way.
    return namespace === SYSTEM
      ? [{ kind: 'ServiceAccount', namespace, name: CONTROLLER }, ...useful]
      : useful;
  }

  #execution(): void {
    for (const held of this.#fresh('run', 'createPods'))
      for (const namespace of held.namespace === undefined
        ? [SYSTEM, ...this.#facts.accounts.keys()]
        : [held.namespace])
        for (const account of this.#accountsIn(namespace))
          this.#take(account, () => `runs a pod as ${principalText(account)}`, [held]);
    for (const capability of ['changeWorkloads', 'enterPods'] as const)
      for (const held of this.#fresh('workloads', capability))
        for (const [namespace, accounts] of this.#facts.accounts)
          if (held.namespace === undefined || held.namespace === namespace)
            for (const [name, workloads] of accounts)
              for (const workload of workloads) {
                const target = `${workload.kind} ${namespace}/${nameOf(workload)}`;
                if (capability === 'changeWorkloads' && !changes(held, workload)) continue;
                // The names of pods are made up by their controllers: nothing is known of a rule that lists them.
                if (capability === 'enterPods' && held.names !== undefined) continue;
                this.#take(
                  { kind: 'ServiceAccount', namespace, name },
                  () =>
                    capability === 'enterPods'
                      ? `enters a pod of ${target}, which runs as service account ${namespace}/${name}`
                      : `changes ${target}, which runs as service account ${namespace}/${name}`,
                  [held],
                  capability === 'enterPods' ? 'the token is mounted in the pod' : undefined,
                );
              }
  }

  #nodes(): void {
    // Of a round before: what is reached in this one counts from the next one on.
    const node = this.#goals.get('node');
    for (const pods of this.#goals.has('node')
      ? []
      : [...this.#all('createPods'), ...this.#all('changeWorkloads')]) {
      if (pods.names !== undefined) continue;
      const namespaces =
        pods.namespace === undefined ? [SYSTEM, ...this.#facts.namespaces.keys()] : [pods.namespace];
      const open = namespaces.find(namespace => this.#admitsPrivileged(namespace) !== 'refused');
      if (open !== undefined)
        this.#reach(
          'node',
          `runs a privileged pod in ${namespaceText(open)}, which has its node`,
          [pods],
          [],
          this.#admitsPrivileged(open) === 'unknown'
            ? `nothing refuses privileged pods in ${namespaceText(open)}, whose labels are not in the input`
            : 'no other admission control refuses it',
        );
      const label = namespaces
        .map(namespace => this.#has('changeNamespaces', namespace, namespace))
        .find(held => held !== undefined);
      if (label !== undefined)
        this.#reach(
          'node',
          'takes the Pod Security labels from a namespace and runs a privileged pod in it',
          [label, pods],
          [],
        );
      const volumes = this.#has('createVolumes', undefined);
      const claims = this.#has('createClaims', pods.namespace, undefined, pods);
      if (volumes !== undefined && claims !== undefined)
        this.#reach(
          'node',
          'mounts the disk of a node through a hostPath PersistentVolume, which no Pod Security level refuses',
          [volumes, claims, pods],
          [],
        );
    }
    const proxy = this.#has('proxyNodes', undefined);
    if (proxy !== undefined)
      this.#reach(
        'node',
        'runs commands in any container through the kubelet (nodes/proxy)',
        [proxy],
        [],
        'a privileged pod, such as kube-proxy, runs on the node',
      );
    const itself = this.#node;
    if (itself !== undefined)
      for (const [namespace, accounts] of this.#facts.accounts)
        for (const [name, [workload]] of accounts) {
          const account: Principal = { kind: 'ServiceAccount', namespace, name };
          if (workload === undefined || this.#identities.has(keyOf(account))) continue;
          this.#become(account, {
            text: () =>
              `as the node of ${workload.kind} ${namespace}/${nameOf(workload)}, requests a token of ${principalText(account)}`,
            held: [],
            needs: [itself],
            assumes: undefined,
          });
        }
    if (node !== undefined)
      for (const account of this.#facts.onEveryNode)
        if (!this.#identities.has(keyOf(account)))
          this.#become(account, {
            text: `takes the token of ${principalText(account)}, which a DaemonSet runs on every node`,
            held: [],
            needs: [node],
            assumes: undefined,
          });
  }

  /** A policy counts with a binding: both are written, or one that is there is changed. */
  #mutatingPolicies(): void {
    const policies = this.#has('writeMutatingPolicies', undefined);
    if (policies === undefined) return;
    const afterwards = 'an administrator or controller writes something afterwards';
    const bindings = this.#has('writeMutatingPolicyBindings', undefined, undefined, policies);
    if (bindings !== undefined && makes(policies) && makes(bindings))
      this.#reach(
        'cluster-admin',
        'makes a MutatingAdmissionPolicy and its binding, which rewrite what administrators apply',
        [policies, bindings],
        [],
        afterwards,
      );
    const [there] = this.#facts.boundMutatingPolicies;
    if (there !== undefined && policies.verbs.some(verb => verb !== 'create'))
      this.#reach(
        'cluster-admin',
        `changes the MutatingAdmissionPolicy ${there}, which has a binding, so that it rewrites what administrators apply`,
        [policies],
        [],
        `${afterwards}, and it is in what the binding matches`,
      );
  }

  /** Custom resources that say what is applied, changed on their way to the controller that applies it. */
  #conversions(): void {
    for (const { definition, accounts } of this.#facts.deployers) {
      const change = this.#has('changeDefinitions', undefined, definition);
      for (const account of change === undefined ? [] : accounts)
        this.#take(
          account,
          () =>
            `puts a conversion webhook into the CustomResourceDefinition ${definition}, and has ${principalText(account)} apply what it likes`,
          [change!],
          'its controller applies what these objects name, with its own permissions',
        );
    }
  }

  #admitsPrivileged(namespace: string): 'admitted' | 'refused' | 'unknown' {
    const object = this.#facts.namespaces.get(namespace);
    if (object === undefined) return 'unknown';
    const { policy } = policyOf(metadataOf(object.metadata).labels);
    return policy.enforce.level === 'privileged' ? 'admitted' : 'refused';
  }

  #controlPlane(): void {
    const mutating = this.#has('writeMutatingWebhooks', undefined);
    if (mutating !== undefined)
      this.#reach(
        'cluster-admin',
        'puts a webhook in front of the API server that rewrites what administrators apply',
        [mutating],
        [],
        'an administrator or controller writes something afterwards',
      );
    this.#mutatingPolicies();
    const services = this.#has('writeApiServices', undefined);
    if (services !== undefined)
      this.#reach(
        'cluster-admin',
        'answers for the API group apps through an APIService, and has controllers make pods of its choice',
        [services],
        [],
        'a Service leads to a program of its own, and the controllers of the cluster read that group',
      );
    this.#conversions();
    const validating = this.#has('writeValidatingWebhooks', undefined);
    if (validating !== undefined)
      this.#reach(
        'secrets',
        'puts a webhook in front of the API server that is sent every secret that is written',
        [validating],
        [],
        'the secrets are written afterwards',
      );
    const awsAuth = this.#facts.hasAwsAuth ? this.#has('changeConfigMaps', SYSTEM, 'aws-auth') : undefined;
    if (awsAuth !== undefined)
      this.#reach(
        'cluster-admin',
        'maps a cloud role to system:masters in ConfigMap kube-system/aws-auth',
        [awsAuth],
        [],
        'the cluster reads aws-auth (EKS)',
      );
  }
}

/** Where what is granted in two places holds: undefined is the whole cluster. */
function both(
  one: string | undefined,
  other: string | undefined,
): { readonly namespace: string | undefined } | 'nowhere' {
  if (one !== undefined && other !== undefined && one !== other) return 'nowhere';
  return { namespace: one ?? other };
}

/** Whether a permission to change workloads holds for this one. Pods may be patched too, where no names limit it. */
function changes({ resources = [], names }: Held, workload: KubeObject): boolean {
  const own = resources.includes(`${workload.kind.toLowerCase()}s`);
  if (names === undefined) return own || resources.includes('pods');
  return own && names.includes(nameOf(workload));
}

/** Whether what one holding allows is all that the other does. */
function includes(one: Held, other: Held): boolean {
  return (
    one.names === undefined &&
    (one.namespace === undefined || one.namespace === other.namespace) &&
    (other.resources ?? []).every(resource => one.resources?.includes(resource) === true)
  );
}

/** Whether a permission to write lets one make what is new, under any name. */
function makes({ verbs, names }: Held): boolean {
  return names === undefined && verbs.some(verb => verb === 'create' || verb === '*');
}

/** `create pods (a, b) in namespace shop`. */
function heldText({ words, names }: Given, namespace: string | undefined): string {
  return `${words}${names === undefined ? '' : ` (${names.join(', ')})`}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
}

function namespaceText(namespace: string): string {
  return namespace === '' ? 'its namespace' : `namespace ${namespace}`;
}

/** The groups that the API server puts a principal into. */
/** The groups that a principal is in by being what it is. */
export function groupsOf({ kind, namespace }: Principal): string[] {
  if (kind === 'Group') return [];
  return kind === 'User'
    ? ['system:authenticated']
    : ['system:serviceaccounts', `system:serviceaccounts:${namespace ?? ''}`, 'system:authenticated'];
}

/** The steps behind something, each after those that it needs, each once. */
function stepsOf(end: Reached): Step[] {
  const steps: Step[] = [];
  const seen = new Set<Reached>();
  const visit = (reached: Reached): void => {
    if (seen.has(reached)) return;
    seen.add(reached);
    const { text, held, needs, assumes } = reached;
    for (const { through } of held) visit(through);
    for (const need of needs) visit(need);
    if (text === undefined) return;
    const unplaced = held.some(({ namespace }) => namespace === '');
    steps.push({
      text: typeof text === 'string' ? text : text(),
      because: held.map(({ because }) => because()),
      ...(unplaced ? { unplaced } : {}),
      bindings: [...new Set(held.flatMap(({ binding }) => (binding === undefined ? [] : [binding])))],
      ...(assumes === undefined && !unplaced ? {} : { assumes: assumes ?? SAME_NAMESPACE }),
    });
  };
  visit(end);
  return steps;
}
