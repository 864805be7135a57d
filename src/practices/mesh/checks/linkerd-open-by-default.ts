/**
 * Ports that Linkerd leaves open. Source: linkerd2 policy-controller/k8s/index/src/defaults.rs and cluster_info.rs: a
 * port without a Server follows the default policy, which lets in everybody unless something else is stated.
 */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { notApplicable } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import type { World } from '#world/world.ts';
import { WEB_WITH_PORT } from '../examples.ts';
import { meshOf, peerOf, servedPorts, verdictOf } from '../facts.ts';

/** Whether anything asks for Linkerd's proxy: of most input, no mesh has to be made for that. */
const usesLinkerd = (world: World): boolean =>
  world.declared.some(({ object }) =>
    [object.metadata, podTemplateOf(object)?.pod.metadata].some(
      metadata => valueAt(metadata, ['annotations', 'linkerd.io/inject']) !== undefined,
    ),
  );

/** Somebody who has no identity, and no address of the cluster. */
const STRANGER = { sourcePrincipal: null, sourceIP: '203.0.113.1' };

export default defineCheck({
  practice: 'mesh',
  name: 'linkerd-open-by-default',
  title: "Linkerd's default policy lets everybody in",
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K06'), owasp('K07')],
  why: 'Without a Server for the port, clients need neither an identity nor mutual TLS.',
  remediation:
    'Set config.linkerd.io/default-inbound-policy to all-authenticated or deny, or write a Server with its authorizations.',

  subject: 'pod',
  looksAt: ['network'],
  evaluate({ object, metadata, partial }, { world }) {
    const own = metadata.annotations?.['config.linkerd.io/default-inbound-policy'];
    if (own !== undefined && !own.endsWith('unauthenticated'))
      return notApplicable('its default policy is closed');
    if (!world.fact(usesLinkerd)) return notApplicable('nothing of the input is in Linkerd');
    const to = partial ? undefined : peerOf(object, world);
    if (to === undefined || !('workload' in to || 'pod' in to))
      return notApplicable('it is no workload of its own');
    const mesh = meshOf(world);
    if (mesh.member(to).mesh !== 'linkerd') return notApplicable('it is not in Linkerd');
    const workload = 'workload' in to ? to.workload : to.pod;
    return verdictOf(
      servedPorts(object, world).flatMap(port => {
        const { allowed, because } = mesh.authorize({ workload, request: { ...STRANGER, port } });
        const byDefault = because.some(({ text }) => text.includes('default policy'));
        return allowed === true && byDefault ? [{ what: port, path: ['metadata'] }] : [];
      }),
    );
  },
  message: ports => `no Server has port ${ports.join(', ')}, and the default policy lets everybody in`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, annotations: { linkerd.io/inject: enabled } }
      ---
      ${WEB_WITH_PORT}
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, annotations: { linkerd.io/inject: enabled, config.linkerd.io/default-inbound-policy: deny } }
      ---
      ${WEB_WITH_PORT}
      `,
    ],
  },
});
