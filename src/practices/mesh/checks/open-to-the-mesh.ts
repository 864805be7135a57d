/** Workloads of the mesh that ask nobody who he is. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import type { World } from '#world/world.ts';
import { AUTHORIZATION_POLICY, policiesOf } from '../authorization.ts';
import { WEB } from '../examples.ts';
import { meshOf, peerOf, rootNamespace, stringsIn } from '../facts.ts';

/** Whether anything is of Istio: of most input, no mesh has to be made to know that there is none. */
const usesIstio = (world: World): boolean =>
  [...world.kinds()].some(kind => /^[a-z.]+\.istio\.io\//.test(kind)) ||
  world
    .ofKind('/Namespace')
    .some(({ object }) =>
      ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode'].some(key =>
        Object.hasOwn(object.metadata?.labels ?? {}, key),
      ),
    );

export default defineCheck({
  practice: 'mesh',
  name: 'open-to-the-mesh',
  title: 'No AuthorizationPolicy restricts the workload',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K06'), owasp('K07')],
  why: 'It is in the mesh and knows its callers, but lets each of them do everything.',
  remediation:
    'Allow nothing in the namespace (an AuthorizationPolicy with an empty spec), then what each caller needs.',

  subject: 'pod',
  looksAt: ['network'],
  evaluate({ object, metadata, partial, namespace }, { world }) {
    if (partial || !world.fact(usesIstio)) return notApplicable('it is not in a mesh of Istio');
    const labels = stringsIn(metadata.labels);
    const root = rootNamespace(world);
    const isRestricted =
      world.ofKind(AUTHORIZATION_POLICY).length > 0 &&
      [...policiesOf(world).values()].some(
        ({ action, dryRun, namespace: of, selector, targetRefs }) =>
          // Whoever writes for a waypoint thought of the namespace: whether it stands before this one is not asked.
          (action === 'ALLOW' || action === 'CUSTOM') &&
          !dryRun &&
          (of === root || of === namespace || (of === 'default' && namespace === undefined)) &&
          (targetRefs.length > 0 ||
            Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value)),
      );
    if (isRestricted) return pass;
    const to = peerOf(object, world);
    if (to === undefined) return notApplicable('it is no workload of its own');
    const { mesh, dataplane } = meshOf(world).member(to);
    return mesh === 'istio' && (dataplane === 'sidecar' || dataplane === 'ambient')
      ? fail({}, ['metadata'])
      : notApplicable('it is not in a mesh of Istio');
  },
  message: () => 'every caller may do everything: no AuthorizationPolicy is for it',
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB}
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: nothing, namespace: shop }
      spec: {}
      `,
    ],
  },
});
