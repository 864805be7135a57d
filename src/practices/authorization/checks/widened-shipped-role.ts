/** More for everybody who may look. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { ruleAllows, rulesOf } from '#decide/authorization/rules.ts';
import { shippedRules } from '#paths/grants.ts';
import { request } from '../grants.ts';
import { isKept } from '../roles.ts';

const LABEL = 'rbac.authorization.k8s.io/aggregate-to-';

const RISKS = {
  'read secrets': request('get', 'secrets'),
  'list secrets': request('list', 'secrets'),
  'create pods': request('create', 'pods'),
  'run commands in containers': request('create', 'pods/exec'),
  'make tokens of service accounts': request('create', 'serviceaccounts/token'),
  'impersonate users': request('impersonate', 'users'),
  'escalate roles': request('escalate', 'roles', 'rbac.authorization.k8s.io'),
  'bind roles': request('bind', 'clusterroles', 'rbac.authorization.k8s.io'),
  'reach kubelets': request('get', 'nodes/proxy'),
};

export default defineCheck({
  practice: 'authorization',
  name: 'widened-shipped-role',
  title: 'Aggregation label that widens view, edit or admin',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.1'), owasp('K03'), mitre('T1098.006')],
  why: 'Everyone who is bound to view, edit or admin, in any namespace, gets the rules of a ClusterRole with this label.',
  remediation: 'Leave the label out, and bind the role to those who need it.',

  subject: 'object',
  kinds: ['rbac.authorization.k8s.io/ClusterRole'],
  evaluate({ object }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const rules = rulesOf(object);
    const labels = ['view', 'edit', 'admin'].filter(
      name => object.metadata?.labels?.[`${LABEL}${name}`] === 'true',
    );
    if (labels.length === 0) return notApplicable('it is part of no role that ships with Kubernetes');
    const found = labels.flatMap(role => {
      const own = shippedRules(role);
      const more = Object.entries(RISKS).flatMap(([text, one]) => {
        const asked = { ...one, user: {} };
        return rules.some(rule => ruleAllows(rule, asked)) && !own.some(rule => ruleAllows(rule, asked))
          ? [text]
          : [];
      });
      return more.length === 0 ? [] : [{ role, more }];
    });
    if (found.length === 0) return pass;
    return fail(found, ...found.map(({ role }) => ['metadata', 'labels', `${LABEL}${role}`]));
  },
  message: found => found.map(({ role, more }) => `whoever has ${role} may ${more.join(', ')}`).join('; '),

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot, labels: { rbac.authorization.k8s.io/aggregate-to-view: "true" } }
      rules: [{ apiGroups: [""], resources: [secrets], verbs: [get] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot, labels: { rbac.authorization.k8s.io/aggregate-to-edit: "true" } }
      rules: [{ apiGroups: [""], resources: [secrets], verbs: [get] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
    ],
  },
});
