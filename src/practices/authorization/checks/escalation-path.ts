/** Ways from a workload to the whole cluster. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import { accountOf } from '#kube/accounts.ts';
import { toJson } from '#kube/json.ts';
import type { KubeObject } from '#kube/objects.ts';
import {
  escalationsOf,
  groupsOf,
  type Principal,
  principalsOf,
  principalText,
  type Step,
} from '#paths/escalations.ts';
import { BINDINGS, isShipped, ROLES, subjectsOf } from '#paths/grants.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { bound } from '../examples.ts';

interface Way {
  readonly who: string;
  readonly steps: readonly string[];
}

/** The service accounts that workloads of the input run as. */
function accountsOfWorkloads(world: World): ReadonlySet<string> {
  const accounts = new Set<string>();
  for (const { object } of world.declared)
    for (const { spec } of podsOf(world, object).pods)
      accounts.add(`${namespaceOf(object) ?? ''}/${accountOf(spec)}`);
  return accounts;
}

/** Whether all bindings of a way stand in one folder: then they are applied together, and to one namespace. */
function areTogether(steps: readonly Step[], world: World): boolean {
  const folders = steps
    .flatMap(({ bindings }) => bindings)
    .map(binding => (world.declarationOf(binding)?.origin.file ?? '').replace(/[^/]*$/, ''));
  return new Set(folders).size <= 1;
}

/** The ways of each principal, with the binding where each begins: searched for once, when they are asked for. */
const searched = (): Map<Principal, readonly (readonly [KubeObject, Way])[]> => new Map();

/** The ways that begin at a binding. */
function waysFrom(binding: KubeObject, world: World): readonly Way[] {
  const known = world.fact(searched);
  return world.fact(candidates).flatMap(principal => {
    // A way begins with what is granted to the principal itself.
    if (!isGrantedTo(binding, principal)) return [];
    let ways = known.get(principal);
    if (ways === undefined) {
      ways = waysOf(principal, world);
      known.set(principal, ways);
    }
    return ways.flatMap(([begin, way]) => (begin === binding ? way : []));
  });
}

/**
 * Whether a way may begin at a binding in a view. What leads nowhere with everything in sight leads nowhere with less,
 * as long as roles and namespaces mean the same: no facts of the view need be worked out for it.
 */
function mayReach(binding: KubeObject, view: World): boolean {
  return (
    view.fact(meansOtherwise) ||
    view.whole
      .fact(candidates)
      .some(principal => isGrantedTo(binding, principal) && view.whole.fact(reaching)(principal))
  );
}

/** Whether a principal reaches cluster-admin, in whatever way; searched for once. */
const reaching = (world: World): ((principal: Principal) => boolean) => {
  const known = new Map<Principal, boolean>();
  return principal => {
    let answer = known.get(principal);
    if (answer === undefined) {
      answer = escalationsOf(world, principal).some(({ goal }) => goal === 'cluster-admin');
      known.set(principal, answer);
    }
    return answer;
  };
};

/** Whether something that a view does not see means other than what it has under that name. */
const meansOtherwise = (view: World): boolean =>
  [...ROLES, '/Namespace'].some(kind => {
    const seen = view.ofKind(kind);
    const all = view.whole.ofKind(kind);
    if (seen.length === all.length) return false;
    const own = new Set(seen);
    return all.some(one => {
      if (own.has(one)) return false;
      const { object } = one;
      const other = view.find(kind, namespaceOf(object), String(object.metadata?.name));
      return other !== undefined && meaningOf(other) !== meaningOf(object);
    });
  });

const meaningOf = (object: KubeObject): string =>
  toJson([object['rules'], object['aggregationRule'], object.kind === 'Namespace' ? object.metadata : null]);

/** Service accounts that workloads run as, and that are granted something. */
const candidates = (world: World): readonly Principal[] => {
  const run = world.fact(accountsOfWorkloads);
  return principalsOf(world).filter(
    ({ kind, namespace, name }) => kind === 'ServiceAccount' && run.has(`${namespace ?? ''}/${name}`),
  );
};

function isGrantedTo(binding: KubeObject, principal: Principal): boolean {
  const groups = groupsOf(principal);
  return subjectsOf(binding).some(({ kind, name, namespace }) =>
    kind === 'ServiceAccount'
      ? name === principal.name && namespace === (principal.namespace ?? '')
      : kind === 'Group' && groups.includes(name),
  );
}

function waysOf(principal: Principal, world: World): readonly (readonly [KubeObject, Way])[] {
  return escalationsOf(world, principal).flatMap(({ goal, direct, steps }) => {
    const begin = steps[0]?.bindings[0];
    if (goal !== 'cluster-admin' || direct || begin === undefined) return [];
    if (steps.some(({ unplaced }) => unplaced === true) && !areTogether(steps, world)) return [];
    return [[begin, { who: principalText(principal), steps: steps.map(({ text }) => text) }] as const];
  });
}

export default defineCheck({
  practice: 'authorization',
  name: 'escalation-path',
  title: 'Workload that can make itself administrator',
  severity: 'critical',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.8'), owasp('K03'), mitre('T1068')],
  why: 'Whoever gets into the workload gets its token, and with it, step by step, the whole cluster.',
  remediation:
    'Cut the way: `sallyport authorization escalations` shows each step with the rule that grants it, and the fewest bindings that must go.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: [
    'accounts',
    'aws-auth',
    'tokens',
    'admissionregistration.k8s.io/MutatingAdmissionPolicy',
    'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
    'apiextensions.k8s.io/CustomResourceDefinition',
    '/Namespace',
    '/ServiceAccount',
    'rbac.authorization.k8s.io/ClusterRole',
    'rbac.authorization.k8s.io/ClusterRoleBinding',
    'rbac.authorization.k8s.io/Role',
    'rbac.authorization.k8s.io/RoleBinding',
  ],
  evaluate({ object }, { world }) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    if (world !== world.whole && !mayReach(object, world)) return pass;
    const ways = waysFrom(object, world);
    return ways.length === 0 ? pass : fail(ways, ['roleRef', 'name']);
  },
  message: ways => {
    const [{ who, steps }] = ways as [Way];
    const more = ways.length === 1 ? '' : ` (and ${ways.length - 1} more)`;
    return `${who}${more}, which a workload runs as, reaches cluster-admin: ${steps.join('; ')}`;
  },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: robot, namespace: ops }
      spec:
        serviceAccountName: robot
        containers: [{ name: web, image: "robot:1.4.2" }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles, clusterrolebindings], verbs: [bind, create] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: robot, namespace: ops }
      spec:
        serviceAccountName: robot
        containers: [{ name: web, image: "robot:1.4.2" }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
      bound(
        '[{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles, clusterrolebindings], verbs: [bind, create] }]',
      ),
    ],
  },
});
