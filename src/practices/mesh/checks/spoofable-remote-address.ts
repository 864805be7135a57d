/**
 * Rules by an address that the client states itself. Source: istio pilot/pkg/networking/core/listener_inbound.go and
 * listener_builder.go: a sidecar takes the last entry of X-Forwarded-For for the remote address, whoever sent it.
 */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { notApplicable, unknown } from '#check/verdict.ts';
import type { Path } from '#kube/objects.ts';
import { valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { AUTHORIZATION_POLICY, policiesOf, selectedWorkloads } from '../authorization.ts';
import { WEB } from '../examples.ts';
import { stringsIn, verdictOf } from '../facts.ts';
import { isGateway } from '../istio.ts';

const FIELDS = ['remoteIpBlocks', 'notRemoteIpBlocks'];

export default defineCheck({
  practice: 'mesh',
  name: 'spoofable-remote-address',
  title: 'Sidecar decides by X-Forwarded-For',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), mitre('T1190')],
  why: 'A sidecar believes the header of whoever connects to it: each client of the mesh can state an address that is allowed.',
  remediation: 'Decide by remoteIpBlocks at the gateway, and behind it by the identity of the gateway.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const policy = policiesOf(world).get(object)!;
    if (policy.targetRefs.length > 0) return notApplicable('it is for a gateway or a waypoint');
    if (policy.problem !== undefined) return unknown(policy.problem.text);
    const at: Path[] = policy.rules.flatMap((rule, index) => [
      ...rule.from.flatMap((source, place) =>
        FIELDS.flatMap((field): Path[] =>
          (source[field] ?? []).length > 0 ? [['spec', 'rules', index, 'from', place, 'source', field]] : [],
        ),
      ),
      ...rule.when.flatMap(({ key }, place): Path[] =>
        key === 'remote.ip' ? [['spec', 'rules', index, 'when', place]] : [],
      ),
    ]);
    if (at.length === 0) return notApplicable('it asks for no remote address');
    const sidecar = selectedWorkloads(object, world).find(({ object: workload, dataplane }) => {
      const labels = stringsIn(valueAt(podTemplateOf(workload)?.pod.metadata, ['labels']));
      return dataplane === 'sidecar' && labels['istio'] === undefined && !isGateway(labels, world);
    });
    return verdictOf(sidecar === undefined ? [] : at.map(path => ({ what: sidecar.id, path })));
  },
  message: ([workload]) =>
    `the sidecar of ${workload} takes the last address of X-Forwarded-For for the client's`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: office, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { remoteIpBlocks: [198.51.100.0/24] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: edge, labels: { istio-injection: enabled } }
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: gateway, namespace: edge }
      spec: { selector: { matchLabels: { istio: ingressgateway } }, template: { metadata: { labels: { istio: ingressgateway } }, spec: { containers: [{ name: istio-proxy, image: auto }] } } }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: office, namespace: edge }
      spec: { selector: { matchLabels: { istio: ingressgateway } }, rules: [{ from: [{ source: { remoteIpBlocks: [198.51.100.0/24] } }] }] }
      `,
    ],
  },
});
