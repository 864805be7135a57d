/** Roles that are not what their name says. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { covers, type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import { isRecord, nameOf } from '#kube/objects.ts';
import { ROLES, shippedRules } from '#paths/grants.ts';
import { shippedOf } from '../roles.ts';

/** More single grants than these are not compared. */
const MOST = 100_000;

const size = (rules: readonly PolicyRule[]): number =>
  rules.reduce(
    (sum, { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }) =>
      sum +
      verbs.length *
        (apiGroups.length * resources.length * Math.max(1, resourceNames.length) + nonResourceURLs.length),
    0,
  );

function textOf([first, ...more]: readonly PolicyRule[]): string {
  const { verbs = [], apiGroups = [], resources = [], nonResourceURLs = [] } = first ?? {};
  const what =
    resources.length > 0 ? `${resources[0]}${apiGroups[0] ? `.${apiGroups[0]}` : ''}` : nonResourceURLs[0];
  return `${verbs[0]} ${what}${more.length === 0 ? '' : ` and ${more.length} more`}`;
}

export default defineCheck({
  practice: 'authorization',
  name: 'shipped-role-changed',
  title: 'Role differs from the shipped role of its name',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03'), mitre('T1098.006')],
  why: 'Everyone takes a role of that name for the one that ships with Kubernetes: more rights in it go unseen, and fewer are put back, or break what relies on it.',
  remediation: 'Leave the role as it ships, and give further rights by a role of your own.',

  subject: 'object',
  kinds: ROLES,
  evaluate({ object }) {
    const shipped = shippedOf(object);
    if (shipped === undefined) return notApplicable('no role of that name ships with Kubernetes');
    // The controller fills it in; what it gathers is judged where it is declared.
    if (isRecord(shipped['aggregationRule']) && isRecord(object['aggregationRule'])) return pass;
    const theirs = rulesOf(object);
    const ours = object.kind === 'Role' ? rulesOf(shipped) : shippedRules(nameOf(object));
    if (size(theirs) > MOST) return unknown('its rules are too many');
    const more = covers(ours, theirs).uncovered;
    const less = covers(theirs, ours).uncovered;
    if (more.length === 0 && less.length === 0) return pass;
    return fail({ more, less }, ['rules']);
  },
  severityOf: ({ more }) => (more.length > 0 ? 'medium' : 'low'),
  message: ({ more, less }) =>
    `differs from the shipped role of v1.37: ${[
      ...(more.length === 0 ? [] : [`it grants besides ${textOf(more)}`]),
      ...(less.length === 0 ? [] : [`it lacks ${textOf(less)}`]),
    ].join(', ')}`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: system:basic-user }
      rules: [{ apiGroups: [""], resources: [secrets], verbs: [get] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: system:basic-user }
      rules: 
        - { apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews, selfsubjectrulesreviews], verbs: [create] }
        - { apiGroups: [authentication.k8s.io], resources: [selfsubjectreviews], verbs: [create] }
      `,
    ],
  },
});
