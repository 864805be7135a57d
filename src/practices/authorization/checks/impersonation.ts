/**
 * Acting as somebody else: by the classic verb, or in a constrained mode, which Kubernetes has since 1.36.
 *
 * Users, groups and nodes are in no namespace, so that a RoleBinding says nothing of them; service accounts are. A
 * constrained mode is worth nothing without a verb `impersonate-on:MODE:…` on something, by whatever binding. The mode
 * `associated-node` is left out: it is how an agent on a node does with less than a node may. Source: apiserver
 * pkg/endpoints/filters/impersonation/{impersonation,constrained_impersonation,mode}.go.
 */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { limitsImpersonation, type Mode } from '#paths/capabilities.ts';
import { groupsOf, type Principal } from '#paths/escalations.ts';
import { BINDINGS, grantedRules, ROLES, subjectsOf } from '#paths/grants.ts';
import type { World } from '#world/world.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, type Request, request } from '../grants.ts';

const ACCOUNTS = [request('impersonate', 'serviceaccounts')];
const REQUESTS = [request('impersonate', 'users'), request('impersonate', 'groups'), ...ACCOUNTS];

const CONSTRAINED_SINCE = 36;
const AUTHENTICATION = 'authentication.k8s.io';
/** By mode, what it takes on the identity, and whether the identity is in a namespace. */
const CONSTRAINED: readonly {
  readonly mode: Mode;
  readonly requests: readonly Request[];
  readonly namespaced: boolean;
}[] = [
  {
    mode: 'user-info',
    requests: [
      request('impersonate:user-info', 'users', AUTHENTICATION),
      request('impersonate:user-info', 'groups', AUTHENTICATION),
    ],
    namespaced: false,
  },
  {
    mode: 'serviceaccount',
    requests: [request('impersonate:serviceaccount', 'serviceaccounts', AUTHENTICATION)],
    namespaced: true,
  },
  {
    mode: 'arbitrary-node',
    requests: [request('impersonate:arbitrary-node', 'nodes', AUTHENTICATION)],
    namespaced: false,
  },
];

/** By subject, the modes in which something may be done as somebody else. */
function modesBySubject(world: World): ReadonlyMap<string, ReadonlySet<Mode>> {
  const modes = new Map<string, Set<Mode>>();
  for (const kind of BINDINGS)
    for (const { object } of world.ofKind(kind)) {
      const rules = (grantedRules(object, world) ?? []).filter(rule => limitsImpersonation([rule]));
      if (rules.length === 0) continue;
      const verbs = rules.flatMap(({ verbs = [] }) => verbs);
      const allowed = CONSTRAINED.filter(({ mode }) =>
        verbs.some(verb => verb === '*' || verb.startsWith(`impersonate-on:${mode}:`)),
      );
      for (const { kind, namespace, name } of subjectsOf(object)) {
        const key = subjectKey({ kind, namespace, name });
        const known = modes.get(key) ?? new Set<Mode>();
        modes.set(key, known);
        for (const { mode } of allowed) known.add(mode);
      }
    }
  return modes;
}

interface Subject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

function subjectKey({ kind, namespace, name }: Subject): string {
  return `${kind} ${kind === 'ServiceAccount' ? `${namespace}/` : ''}${name}`;
}

function actsIn(mode: Mode, subject: Subject, world: World): boolean {
  const modes = world.fact(modesBySubject);
  const groups =
    subject.kind === 'User' || subject.kind === 'ServiceAccount' ? groupsOf(subject as Principal) : [];
  return [subjectKey(subject), ...groups.map(name => `Group ${name}`)].some(
    key => modes.get(key)?.has(mode) === true,
  );
}

export default defineCheck({
  practice: 'authorization',
  name: 'impersonation',
  title: 'Binding lets others be impersonated',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.8'), owasp('K03'), mitre('T1078')],
  why: 'Whoever may impersonate users or groups is any of them, system:masters among them; in a constrained mode as far as impersonate-on goes.',
  remediation: 'Name the users or groups in resourceNames, or remove it.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: [...ROLES, ...BINDINGS],
  evaluate({ object }, context) {
    const everywhere = object.kind === 'ClusterRoleBinding';
    const classic = grants(object, context, everywhere ? REQUESTS : ACCOUNTS);
    if (classic.is !== 'pass' || context.world.kubernetesMinor < CONSTRAINED_SINCE) return classic;
    const requests = CONSTRAINED.filter(({ namespaced }) => everywhere || namespaced);
    // Asked first, for it is rare: what each subject may do as others is worked out from all bindings.
    if (
      grants(
        object,
        context,
        requests.flatMap(one => one.requests),
      ).is !== 'fail'
    )
      return classic;
    return grants(
      object,
      context,
      requests
        .filter(({ mode }) => subjectsOf(object).some(subject => actsIn(mode, subject, context.world)))
        .flatMap(one => one.requests),
    );
  },
  severityOf: ({ everywhere }) => (everywhere ? 'high' : 'medium'),
  message: ({ who, role, where, hits: [hit] }) =>
    hit?.verb === 'impersonate'
      ? `${who} may impersonate others ${where}, by role "${role}"`
      : `${who} may impersonate others ${where}, as far as impersonate-on allows, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: [""], resources: [users, groups], verbs: [impersonate] }]'),
      boundIn('shop', '[{ apiGroups: [""], resources: [serviceaccounts], verbs: [impersonate] }]'),
      bound(`
        - { apiGroups: [authentication.k8s.io], resources: [users], verbs: ["impersonate:user-info"] }
        - { apiGroups: [""], resources: [secrets], verbs: ["impersonate-on:user-info:get"] }`),
      bound(`
        - { apiGroups: [authentication.k8s.io], resources: [nodes], verbs: ["impersonate:arbitrary-node"] }
        - { apiGroups: [""], resources: [secrets], verbs: ["impersonate-on:arbitrary-node:get"] }`),
      boundIn(
        'shop',
        `
        - { apiGroups: [authentication.k8s.io], resources: [serviceaccounts], verbs: ["impersonate:serviceaccount"] }
        - { apiGroups: [""], resources: [secrets], verbs: ["impersonate-on:serviceaccount:get"] }`,
      ),
    ],
    good: [
      HARMLESS,
      boundIn('shop', '[{ apiGroups: [""], resources: [users, groups], verbs: [impersonate] }]'),
      bound('[{ apiGroups: [""], resources: [users], verbs: [impersonate], resourceNames: [jane] }]'),
      bound('[{ apiGroups: [authentication.k8s.io], resources: [users], verbs: ["impersonate:user-info"] }]'),
      bound(`
        - { apiGroups: [authentication.k8s.io], resources: [nodes], verbs: ["impersonate:associated-node"] }
        - { apiGroups: [""], resources: [pods], verbs: ["impersonate-on:associated-node:list"] }`),
    ],
  },
});
