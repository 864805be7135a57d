/** Authorization of a Server that is not there. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'authorization-without-server',
  title: 'Linkerd AuthorizationPolicy names no Server of its namespace',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'The policy holds for nothing: the port keeps the default, which may let everybody in.',
  remediation: 'Correct targetRef.name, or add the Server.',

  subject: 'object',
  kinds: ['policy.linkerd.io/AuthorizationPolicy'],
  looksAt: ['policy.linkerd.io/Server'],
  evaluate({ object }, { world }) {
    if (valueAt(object, ['spec', 'targetRef', 'kind']) !== 'Server')
      return notApplicable('its target is no Server');
    const namespace = namespaceOf(object);
    const servers = world
      .ofKind('policy.linkerd.io/Server')
      .filter(one => namespaceOf(one.object) === namespace);
    if (servers.length === 0) return notApplicable('the Servers are not in the input');
    const name = String(valueAt(object, ['spec', 'targetRef', 'name']));
    return servers.some(one => one.object.metadata?.name === name)
      ? pass
      : fail(name, ['spec', 'targetRef', 'name']);
  },
  message: name => `its namespace has no Server "${name}"`,
  examples: {
    bad: [
      `
      apiVersion: policy.linkerd.io/v1beta3
      kind: Server
      metadata: { name: web, namespace: shop }
      spec: { podSelector: { matchLabels: { app: web } }, port: http }
      ---
      apiVersion: policy.linkerd.io/v1alpha1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: wbe }, requiredAuthenticationRefs: [{ group: policy.linkerd.io, kind: MeshTLSAuthentication, name: web }] }
      `,
    ],
    good: [
      `
      apiVersion: policy.linkerd.io/v1beta3
      kind: Server
      metadata: { name: web, namespace: shop }
      spec: { podSelector: { matchLabels: { app: web } }, port: http }
      ---
      apiVersion: policy.linkerd.io/v1alpha1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: web }, requiredAuthenticationRefs: [{ group: policy.linkerd.io, kind: MeshTLSAuthentication, name: web }] }
      `,
    ],
  },
});
