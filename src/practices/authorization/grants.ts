/** What a binding grants, judged where the risk becomes real: on the binding, by the rules of its role. */
import type { Context } from '#check/check.ts';
import { fail, notApplicable, pass, type Verdict } from '#check/verdict.ts';
import type { Attributes } from '#decide/authorization/attributes.ts';
import { type PolicyRule, ruleAllows } from '#decide/authorization/rules.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { BINDINGS, grantedRules, isShipped, shippedRules, subjectsOf } from '#paths/grants.ts';
import { namespaceOf, type World } from '#world/world.ts';

/** One request of those that make a permission dangerous. */
export type Request = Omit<Attributes, 'user' | 'namespace'>;

/** A resource request, written short: `get secrets`, `create pods/exec`, `update deployments.apps`. */
export function request(verb: string, resource: string, apiGroup = ''): Request {
  const [name, subresource] = resource.split('/');
  return {
    verb,
    resource: name!,
    ...(subresource === undefined ? {} : { subresource }),
    apiGroup,
    resourceRequest: true,
  };
}

/** Several verbs on one resource. */
export function requests(verbs: readonly string[], resource: string, apiGroup = ''): readonly Request[] {
  return verbs.map(verb => request(verb, resource, apiGroup));
}

/** The verbs that change what is there, and those that make it. */
export const CHANGE: readonly string[] = ['update', 'patch'];
export const WRITE: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];

export interface Granted {
  readonly who: string;
  readonly role: string;
  /** Everywhere, or in one namespace. */
  readonly where: string;
  readonly everywhere: boolean;
  /** Of the requests those that it allows. */
  readonly hits: readonly Request[];
  /** The release that the objects are meant for. */
  readonly minor: number;
}

/** `service account shop/cart, group devs`. */
export function whoIs(binding: KubeObject): string {
  const shown = subjectsOf(binding).map(({ kind, name, namespace }) =>
    kind === 'ServiceAccount'
      ? `service account ${namespace === '' ? '' : `${namespace}/`}${name}`
      : `${kind.toLowerCase()} ${name}`,
  );
  return shown.length > 4 ? `${shown.slice(0, 4).join(', ')} and ${shown.length - 4} more` : shown.join(', ');
}

export interface GrantOptions {
  /** Only a grant for the whole cluster is worth a word. */
  readonly onlyEverywhere?: boolean;
  /** And beside it, a grant in this namespace. */
  readonly orIn?: string;
  /** Only a grant in this namespace is worth a word: of one for the whole cluster another check speaks. */
  readonly onlyIn?: string;
  /** Rules that no list of requests can tell, by what they say. */
  readonly orRule?: (rule: PolicyRule) => boolean;
  /** What includes this: where the check of it runs, and speaks of the same binding, nothing is said beside it. */
  readonly leftTo?: readonly Stronger[];
  /** And one of these must be allowed to its subjects too, by this binding or by others that hold everywhere. */
  readonly together?: readonly Request[];
}

/** What is worse than something else, with the check that speaks of it. */
const STRONGER = {
  /** Commands in every container of every node, and so the nodes. */
  'node-proxy': {
    check: 'node-proxy',
    requests: requests(['get', 'create'], 'nodes/proxy'),
    onlyEverywhere: true,
  },
  'node-write': { check: 'node-write', requests: requests(CHANGE, 'nodes'), onlyEverywhere: true },
  'pod-exec': { check: 'pod-exec', requests: [request('create', 'pods/exec')], onlyEverywhere: false },
  'pod-creation': { check: 'pod-creation', requests: [request('create', 'pods')], onlyEverywhere: true },
  'secrets-readable': {
    check: 'secrets-readable',
    requests: requests(['get', 'list', 'watch'], 'secrets'),
    onlyEverywhere: true,
  },
  'token-request': {
    check: 'token-request',
    requests: [request('create', 'serviceaccounts/token')],
    onlyEverywhere: false,
  },
  impersonation: {
    check: 'impersonation',
    requests: [request('impersonate', 'users'), request('impersonate', 'groups')],
    onlyEverywhere: true,
  },
  escalate: {
    check: 'escalate-or-bind',
    requests: [request('escalate', 'clusterroles', 'rbac.authorization.k8s.io')],
    onlyEverywhere: false,
  },
  bind: {
    check: 'escalate-or-bind',
    requests: [request('bind', 'clusterroles', 'rbac.authorization.k8s.io')],
    onlyEverywhere: false,
  },
} satisfies Readonly<
  Record<
    string,
    { readonly check: string; readonly requests: readonly Request[]; readonly onlyEverywhere: boolean }
  >
>;

export type Stronger = keyof typeof STRONGER;

/** Whether a check of this practice is asked in this run. */
export function isAsked({ runs }: Pick<Context, 'runs'>, name: string): boolean {
  return runs === undefined || runs(`authorization/${name}`);
}

/** What makes somebody administrator of a namespace, in its pods and its secrets. */
const ADMINISTRATION: readonly Request[] = [
  request('get', 'secrets'),
  request('update', 'secrets'),
  request('create', 'pods'),
  request('create', 'pods/exec'),
  request('create', 'deployments', 'apps'),
  request('delete', 'configmaps'),
];
const WELL_KNOWN = new Set(['admin', 'edit']);

const allows = (rules: readonly PolicyRule[], one: Request): boolean =>
  rules.some(rule => ruleAllows(rule, { ...one, user: {} }));

const CHANGES = new Set(['create', ...CHANGE, '*']);

/** Whether a rule changes every resource of every group: what is missing of everything helps nobody. */
export function isSweeping({
  verbs = [],
  apiGroups = [],
  resources = [],
  resourceNames = [],
}: PolicyRule): boolean {
  return (
    verbs.some(verb => CHANGES.has(verb)) &&
    apiGroups.includes('*') &&
    resources.includes('*') &&
    resourceNames.length === 0
  );
}

const READ = new Set(['get', 'list', 'watch']);
/** What is read is more than it looks like. */
const READ_MORE: readonly Request[] = [
  ...requests(['get', 'list', 'watch'], 'secrets'),
  ...['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy', 'nodes/proxy'].map(
    resource => request('get', resource),
  ),
];

/** Whether rules only let things be read, and no secret or way into a container is among them. */
export function readsOnly(rules: readonly PolicyRule[]): boolean {
  return (
    rules.every(({ verbs = [] }) => verbs.every(verb => READ.has(verb))) &&
    !READ_MORE.some(one =>
      rules.some(rule => ruleAllows({ ...rule, resourceNames: [] }, { ...one, user: {} })),
    )
  );
}

const administering = new WeakMap<readonly PolicyRule[], boolean>();

/** Whether whoever has these rules administers the namespaces in which they hold, as `admin` and `edit` do. */
export function administers(rules: readonly PolicyRule[]): boolean {
  let known = administering.get(rules);
  if (known === undefined) {
    known = ADMINISTRATION.every(one => allows(rules, one));
    administering.set(rules, known);
  }
  return known;
}

/**
 * Whether a request is part of what a role is known to be: `edit` in a namespace is what it is for, and of an
 * administrator of every namespace one check speaks as a whole.
 */
function isPartOf(
  binding: KubeObject,
  rules: readonly PolicyRule[],
  context: Pick<Context, 'runs'>,
): (one: Request) => boolean {
  if (binding.kind === 'ClusterRoleBinding' && !isAsked(context, 'namespace-admin-everywhere'))
    return () => false;
  const name = valueAt(binding, ['roleRef', 'name']);
  const wellKnown =
    valueAt(binding, ['roleRef', 'kind']) === 'ClusterRole' &&
    typeof name === 'string' &&
    WELL_KNOWN.has(name);
  if (!wellKnown && (binding.kind !== 'ClusterRoleBinding' || !administers(rules))) return () => false;
  const shipped = shippedRules(wellKnown ? name : 'admin');
  const everywhere = binding.kind === 'ClusterRoleBinding';
  return one =>
    allows(shipped, one) || (everywhere && LESSER.has(`${one.resource}/${one.subresource ?? ''}`));
}

/** What shipped roles leave out for the cluster's sake, and means little beside every secret and every pod. */
const LESSER = new Set(['endpoints/', 'endpointslices/', 'namespaces/', 'services/status']);

/** Whether rules are all of the cluster, or of a namespace: what the check of it looks for. */
export function isAll(rules: readonly PolicyRule[], everywhere: boolean): boolean {
  return rules.some(rule => ADMIN.some(one => allows([rule], one)) || (everywhere && isSweeping(rule)));
}

/** By subject, what ClusterRoleBindings grant. */
function everywhereBySubject(world: World): ReadonlyMap<string, readonly PolicyRule[]> {
  const granted = new Map<string, PolicyRule[]>();
  for (const kind of BINDINGS)
    for (const { object } of world.ofKind(kind))
      if (object.kind === 'ClusterRoleBinding')
        for (const subject of subjectsOf(object)) {
          const key = JSON.stringify(subject);
          const rules = granted.get(key) ?? [];
          granted.set(key, rules);
          rules.push(...(grantedRules(object, world) ?? []));
        }
  return granted;
}

/** Whether a binding lets anyone do one of the requests. */
export function grants(
  binding: KubeObject,
  context: Pick<Context, 'world' | 'runs'>,
  requests: readonly Request[],
  {
    onlyEverywhere = false,
    orIn,
    onlyIn,
    orRule = () => false,
    leftTo = [],
    together = [],
  }: GrantOptions = {},
): Verdict<Granted> {
  const { world } = context;
  const everywhere = binding.kind === 'ClusterRoleBinding';
  const namespace = namespaceOf(binding);
  if (onlyEverywhere && !everywhere && (orIn === undefined || namespace !== orIn))
    return notApplicable('it holds in one namespace only');
  if (onlyIn !== undefined && (everywhere || namespace !== onlyIn))
    return notApplicable(`it does not hold in ${onlyIn} alone`);
  if (isShipped(binding)) return notApplicable('it ships with Kubernetes');
  const rules = grantedRules(binding, world);
  if (rules === undefined) return notApplicable('its role is not in the input');
  const who = whoIs(binding);
  if (who === '') return notApplicable('it binds nobody');
  const name = String(valueAt(binding, ['roleRef', 'name']));
  // Of a role that is all of the cluster one check speaks, and no other need to.
  if (requests !== ADMIN && isAsked(context, 'cluster-admin') && isAll(rules, everywhere))
    return notApplicable('it grants everything, which has a check of its own');
  const hits = requests.filter(one => allows(rules, one));
  if (hits.length === 0 && !rules.some(orRule)) return pass;
  const isPart = isPartOf(binding, rules, context);
  if (requests !== ADMIN && onlyIn === undefined && hits.length > 0 && hits.every(isPart))
    return notApplicable('it is part of administering a namespace');
  const speaks = (name: Stronger): boolean => {
    const { check, requests: worse, onlyEverywhere: scope } = STRONGER[name];
    // What holds in one namespace is no word of a check of the whole cluster.
    if (!isAsked(context, check) || (scope && !everywhere)) return false;
    return worse.some(one => allows(rules, one) && !isPart(one));
  };
  if (leftTo.some(speaks)) return notApplicable('it grants what includes this, which has a check of its own');
  if (together.length > 0) {
    const all = world.fact(everywhereBySubject);
    const both = subjectsOf(binding).some(subject => {
      const has = all.get(JSON.stringify(subject)) ?? [];
      return together.some(one => allows(has, one) || allows(rules, one));
    });
    if (!both) return notApplicable('what it takes besides is granted to none of its subjects');
  }
  const where = everywhere ? 'in the whole cluster' : `in namespace ${namespace ?? '(not stated)'}`;
  return fail({ who, role: name, where, everywhere, hits, minor: world.kubernetesMinor }, [
    'roleRef',
    'name',
  ]);
}

/** The signers that Kubernetes itself trusts. Source: pkg/apis/certificates/types.go. */
const SIGNERS = [
  'kube-apiserver-client',
  'kube-apiserver-client-kubelet',
  'kubelet-serving',
  'legacy-unknown',
];

/** A verb on the signers of Kubernetes: on one of them, or on all at once. Source: pkg/certauthorization. */
export function onSigners(verb: string): readonly Request[] {
  return [...SIGNERS, '*'].map(name => ({
    ...request(verb, 'signers', 'certificates.k8s.io'),
    name: `kubernetes.io/${name}`,
  }));
}

export const ADMIN: readonly Request[] = [request('*', '*', '*')];
