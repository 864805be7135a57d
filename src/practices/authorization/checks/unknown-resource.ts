/** Resources that nobody serves. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import { builtInResources } from '#kube/api-resources.ts';
import { nearest } from '#kube/nearest.ts';
import { ROLES } from '#paths/grants.ts';
import { isBuiltIn, isKept } from '../roles.ts';

/** Names of one group, subresources with them. */
const SERVED = new Map<string, Set<string>>();
for (const { group, name, subresources } of builtInResources) {
  const names = SERVED.get(group) ?? new Set();
  SERVED.set(group, names);
  for (const one of [name, ...subresources.map(sub => `${name}/${sub}`)]) names.add(one);
}

const RESTRICTED = new Set(['endpoints/restricted', 'endpointslices/restricted']);

/** The name of one that was meant, `null` where none is near; undefined where it is served. */
function meant(resource: string, groups: readonly string[]): string | null | undefined {
  if (resource.includes('*')) return undefined;
  // Asked for without being served: by the admission plugin for owner references, and by OpenShift.
  if (resource.endsWith('/finalizers') || RESTRICTED.has(resource)) return undefined;
  const names = groups.flatMap(group => [...(SERVED.get(group) ?? [])]);
  return names.includes(resource) ? undefined : (nearest(resource, names) ?? null);
}

export default defineCheck({
  practice: 'authorization',
  name: 'unknown-resource',
  title: 'Rule for a resource that does not exist',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03')],
  why: 'The rule grants nothing: what it was to grant is missing, and sooner or later somebody grants more.',
  remediation: 'Correct the name (plural, in small letters) or the group.',

  subject: 'object',
  kinds: ROLES,
  evaluate({ object }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const found = rulesOf(object).flatMap((rule, index) =>
      isBuiltIn(rule)
        ? (rule.resources ?? []).flatMap((resource, at) => {
            const name = meant(resource, rule.apiGroups ?? []);
            return name === undefined
              ? []
              : [{ index, at, resource, name, groups: (rule.apiGroups ?? []).map(group => group || 'core') }];
          })
        : [],
    );
    if (found.length === 0) return pass;
    return fail(found, ...found.map(({ index, at }) => ['rules', index, 'resources', at]));
  },
  message: found =>
    found
      .map(
        ({ resource, groups, name }) =>
          `group ${groups.join(', ')} has no resource "${resource}"${name === null ? '' : ` (meant ${name}?)`}`,
      )
      .join('; '),

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [pods/logs], verbs: [get] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [deployments], verbs: [get] }]
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
      metadata: { name: robot }
      rules: [{ apiGroups: [example.com], resources: [robots], verbs: [get] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: ["", apps], resources: [pods, deployments], verbs: [get] }]
      `,
    ],
  },
});
