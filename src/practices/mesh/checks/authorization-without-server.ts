/** Authorization of a Server or a route that is not there. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { WEB_SERVER } from '../examples.ts';

/** What a policy may be for, with the groups that have the kind. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  Server: ['policy.linkerd.io'],
  HTTPRoute: ['policy.linkerd.io', 'gateway.networking.k8s.io'],
  GRPCRoute: ['gateway.networking.k8s.io'],
};

export default defineCheck({
  practice: 'mesh',
  name: 'authorization-without-server',
  title: 'Linkerd AuthorizationPolicy names no Server or route of its namespace',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'The policy holds for nothing: the port keeps the default, which may let everybody in.',
  remediation: 'Correct targetRef.name, or add what it names.',

  subject: 'object',
  kinds: ['policy.linkerd.io/AuthorizationPolicy'],
  looksAt: ['policy.linkerd.io/Server'],
  evaluate({ object }, { world }) {
    const kind = String(valueAt(object, ['spec', 'targetRef', 'kind']));
    const groups = KINDS[kind];
    if (groups === undefined) return notApplicable('its target is neither a Server nor a route');
    const namespace = namespaceOf(object);
    const targets = groups
      .flatMap(group => world.ofKind(`${group}/${kind}`))
      .filter(one => namespaceOf(one.object) === namespace);
    if (targets.length === 0) return notApplicable('what it is for is not in the input');
    const name = String(valueAt(object, ['spec', 'targetRef', 'name']));
    return targets.some(one => one.object.metadata?.name === name)
      ? pass
      : fail({ kind, name }, ['spec', 'targetRef', 'name']);
  },
  message: ({ kind, name }) => `its namespace has no ${kind} "${name}"`,
  examples: {
    bad: [
      `
      ${WEB_SERVER}
      ---
      apiVersion: policy.linkerd.io/v1alpha1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: wbe }, requiredAuthenticationRefs: [{ group: policy.linkerd.io, kind: MeshTLSAuthentication, name: web }] }
      `,
    ],
    good: [
      `
      ${WEB_SERVER}
      ---
      apiVersion: policy.linkerd.io/v1alpha1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: web }, requiredAuthenticationRefs: [{ group: policy.linkerd.io, kind: MeshTLSAuthentication, name: web }] }
      `,
    ],
  },
});
