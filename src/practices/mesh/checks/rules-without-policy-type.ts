/** Rules that are never looked at. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { ONLY_ITSELF, WEB_WITH_NAMED_PORT } from '../examples.ts';
import { NETWORK_POLICY, rulesOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'rules-without-policy-type',
  title: 'NetworkPolicy has rules for a direction that it does not restrict',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.3.2'), owasp('K07'), nsa('network policies')],
  why: 'Rules count only in the directions that policyTypes names: these are never looked at, and the direction stays open.',
  remediation: 'Add the direction to policyTypes, or remove the rules.',

  subject: 'object',
  kinds: NETWORK_POLICY,
  evaluate({ object }) {
    const types = valueAt(object, ['spec', 'policyTypes']);
    if (!Array.isArray(types) || types.length === 0) return pass;
    const dead = (['ingress', 'egress'] as const).filter(
      direction =>
        rulesOf(object, direction).length > 0 &&
        !types.includes(direction === 'ingress' ? 'Ingress' : 'Egress'),
    );
    return dead.length === 0 ? pass : fail(dead, ...dead.map(direction => ['spec', direction]));
  },
  message: dead => `its ${dead.join(' and ')} rules do nothing: policyTypes leaves the direction out`,
  fix: {
    title: 'Name the direction in policyTypes',
    kind: 'review',
    changes: dead =>
      dead.map(direction => ({
        op: 'append',
        path: ['spec', 'policyTypes'],
        value: direction === 'ingress' ? 'Ingress' : 'Egress',
      })),
  },
  examples: {
    bad: [
      `
      ${WEB_WITH_NAMED_PORT}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: { name: web, namespace: shop }
      spec:
        podSelector: { matchLabels: { app: web } }
        policyTypes: [Ingress]
        egress: [{ ports: [{ port: 53, protocol: UDP }] }]
      `,
    ],
    good: [
      `
      ${WEB_WITH_NAMED_PORT}
      ---
      ${ONLY_ITSELF}
      `,
    ],
  },
});
