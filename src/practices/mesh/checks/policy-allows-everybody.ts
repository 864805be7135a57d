/** Policies that let everybody in. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, valueAt } from '#kube/objects.ts';
import { ONLY_ITSELF, WEB_WITH_NAMED_PORT } from '../examples.ts';
import { itemsOf, NETWORK_POLICY, rulesOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'policy-allows-everybody',
  title: 'NetworkPolicy lets everybody in',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.3.2'), owasp('K07'), nsa('network policies'), mitre('T1046')],
  why: 'A rule without peers and ports allows every source on every port: other rules, and other policies, no longer matter for these pods.',
  remediation: 'Name who may connect, and to which ports.',

  subject: 'object',
  kinds: NETWORK_POLICY,
  evaluate({ object }) {
    const open = rulesOf(object, 'ingress').filter(
      ({ rule }) =>
        isRecord(rule) && itemsOf(rule['from']).length === 0 && itemsOf(rule['ports']).length === 0,
    );
    const types = valueAt(object, ['spec', 'policyTypes']);
    // Rules of a direction that policyTypes leaves out do nothing.
    if (Array.isArray(types) && types.length > 0 && !types.includes('Ingress')) return pass;
    return open.length === 0 ? pass : fail({}, ...open.map(({ path }) => path));
  },
  message: () => 'an ingress rule without peers and ports allows every source on every port',
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
        ingress: [{}]
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
