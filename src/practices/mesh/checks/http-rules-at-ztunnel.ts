/**
 * Rules on requests where only connections are seen. Source: istio pilot/pkg/serviceregistry/ambient/authorization.go
 * (handleRule), istio/ztunnel src/rbac.rs: what ztunnel does not know is left out, and a clause of which nothing is left
 * matches nobody.
 */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { notApplicable, unknown } from '#check/verdict.ts';
import { type FateAtTunnel, fateAtTunnel } from '#decide/mesh/door.ts';
import { endpointId } from '#decide/network/inventory.ts';
import { valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { namespaceOf } from '#world/world.ts';
import { AUTHORIZATION_POLICY, policiesOf } from '../authorization.ts';
import { WEB_POD_WITH_PORT } from '../examples.ts';
import { ambientWorkloads, rootNamespace, verdictOf } from '../facts.ts';
import { labelsAt } from '../istio.ts';

const SAID: Readonly<Record<'ALLOW' | 'DENY', Partial<Record<FateAtTunnel, string>>>> = {
  ALLOW: {
    dropped: 'lets nobody in',
    void: 'lets nobody in',
    narrower: 'lets in fewer than it says',
    wider: 'lets in more than it says',
  },
  DENY: {
    void: 'denies nothing',
    narrower: 'denies less than it says',
    wider: 'denies more than it says',
  },
};

/** Fates with which somebody gets in whom the policy keeps out. */
const OPEN = ['denies nothing', 'denies less than it says', 'lets in more than it says'];

export default defineCheck({
  practice: 'mesh',
  name: 'http-rules-at-ztunnel',
  title: 'Policy on requests is enforced by ztunnel',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), owasp('K07'), mitre('T1562.001')],
  why: 'ztunnel sees connections only, and no trust domains: an ALLOW rule that asks for more lets nobody in, and a DENY rule of which a clause has nothing left denies nobody.',
  remediation: 'Attach the policy to a waypoint with targetRefs.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const policy = policiesOf(world).get(object)!;
    const { action, rules, targetRefs, dryRun, problem } = policy;
    if (targetRefs.length > 0) return notApplicable('it is attached by reference');
    if (problem !== undefined) return unknown(problem.text);
    if (dryRun || (action !== 'ALLOW' && action !== 'DENY')) return notApplicable('ztunnel does not read it');
    const lost = rules.flatMap((rule, index) => {
      const text = SAID[action][fateAtTunnel(rule, action)];
      return text === undefined ? [] : [{ text, path: ['spec', 'rules', index] }];
    });
    if (lost.length === 0) return notApplicable('it speaks of connections only');
    const namespace = namespaceOf(object);
    const selector = labelsAt(object, ['spec', 'selector', 'matchLabels']) ?? {};
    const pod = ambientWorkloads(
      world,
      namespace === rootNamespace(world) ? undefined : (namespace ?? ''),
    ).find(one => {
      const labels = valueAt(podTemplateOf(one)?.pod.metadata, ['labels']);
      return Object.entries(selector).every(([key, value]) => valueAt(labels, [key]) === value);
    });
    return verdictOf(
      pod === undefined ? [] : lost.map(({ text, path }) => ({ what: { text, pod: endpointId(pod) }, path })),
    );
  },
  severityOf: lost => (lost.some(({ text }) => OPEN.includes(text)) ? 'high' : 'medium'),
  message: lost =>
    `ztunnel enforces it for ${lost[0]!.pod}, and sees no requests: it ${[...new Set(lost.map(({ text }) => text))].join(', and ')}`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ to: [{ operation: { methods: [GET] } }] }] }
      `,
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { action: DENY, rules: [{ from: [{ source: { namespaces: [guests] } }], to: [{ operation: { methods: [POST] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ to: [{ operation: { ports: ["8080"] } }] }] }
      `,
    ],
  },
});
