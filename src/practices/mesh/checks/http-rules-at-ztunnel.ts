/** Rules on requests where only connections are seen. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { endpointId } from '#decide/network/inventory.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { namespaceOf } from '#world/world.ts';
import { ambientWorkloads, itemsOf, rootNamespace } from '../facts.ts';

const REQUEST_FIELDS = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'];
const TOKEN_FIELDS = ['requestPrincipals', 'notRequestPrincipals', 'remoteIpBlocks', 'notRemoteIpBlocks'];

/** The places of a policy that speak of requests. */
function requestFields(policy: KubeObject): Path[] {
  const found: Path[] = [];
  for (const [index, rule] of itemsOf(valueAt(policy, ['spec', 'rules'])).entries())
    for (const [list, part, fields] of [
      ['to', 'operation', REQUEST_FIELDS],
      ['from', 'source', TOKEN_FIELDS],
    ] as const)
      for (const [at, one] of itemsOf(valueAt(rule, [list])).entries())
        for (const field of fields)
          if (itemsOf(valueAt(one, [part, field])).length > 0)
            found.push(['spec', 'rules', index, list, at, part, field]);
  return found;
}

export default defineCheck({
  practice: 'mesh',
  name: 'http-rules-at-ztunnel',
  title: 'Policy on requests is enforced by ztunnel',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), owasp('K07')],
  why: 'ztunnel sees no requests: an ALLOW policy refuses everybody for these rules, and a DENY policy denies more than it says.',
  remediation: 'Attach the policy to a waypoint with targetRefs.',

  subject: 'object',
  kinds: ['security.istio.io/AuthorizationPolicy'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (['targetRef', 'targetRefs'].some(field => valueAt(object, ['spec', field]) !== undefined))
      return notApplicable('it is attached by reference');
    const at = requestFields(object);
    if (at.length === 0) return notApplicable('it says nothing about requests');
    const namespace = namespaceOf(object);
    const everywhere = namespace === rootNamespace(world);
    const labels = valueAt(object, ['spec', 'selector', 'matchLabels']);
    const wanted = Object.entries(isRecord(labels) ? labels : {});
    for (const pod of ambientWorkloads(world, everywhere ? undefined : (namespace ?? ''))) {
      const own = valueAt(podTemplateOf(pod)?.pod.metadata, ['labels']);
      if (wanted.every(([key, value]) => valueAt(own, [key]) === value)) return fail(endpointId(pod), ...at);
    }
    return pass;
  },
  message: pod => `ztunnel enforces it for ${pod}, and sees no requests`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web } }
      spec: { containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ to: [{ operation: { methods: [GET] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web } }
      spec: { containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ to: [{ operation: { ports: ["8080"] } }] }] }
      `,
    ],
  },
});
