/** Ports that Linkerd lets nobody in to. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { WEB_SERVER } from '../examples.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'server-without-authorization',
  title: 'Linkerd Server has no authorization',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'A Server without authorization refuses every request, those of the kubelet too.',
  remediation: 'Add an AuthorizationPolicy for the Server, or set its accessPolicy.',

  subject: 'object',
  kinds: ['policy.linkerd.io/Server'],
  looksAt: ['policy.linkerd.io/AuthorizationPolicy', 'policy.linkerd.io/ServerAuthorization'],
  evaluate({ object }, { world }) {
    if ((valueAt(object, ['spec', 'accessPolicy']) ?? 'deny') !== 'deny')
      return notApplicable('it has an accessPolicy');
    const namespace = namespaceOf(object);
    const name = object.metadata?.name;
    const aimed = world.ofKind('policy.linkerd.io/AuthorizationPolicy').some(one => {
      if (namespaceOf(one.object) !== namespace) return false;
      const target = valueAt(one.object, ['spec', 'targetRef']);
      // A route may lead to the Server: whether it does is not asked.
      return valueAt(target, ['kind']) !== 'Server' || valueAt(target, ['name']) === name;
    });
    const old = world
      .ofKind('policy.linkerd.io/ServerAuthorization')
      .some(one => namespaceOf(one.object) === namespace);
    return aimed || old ? pass : fail({}, ['metadata', 'name']);
  },
  message: () => 'nothing authorizes anybody for it: every request is refused',
  examples: {
    bad: [
      `
      ${WEB_SERVER}
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
