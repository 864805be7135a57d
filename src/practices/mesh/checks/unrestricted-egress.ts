/** Policies that let everything out. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, valueAt } from '#kube/objects.ts';
import { ONLY_ITSELF, WEB_WITH_NAMED_PORT } from '../examples.ts';
import { itemsOf, NETWORK_POLICY, rulesOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'unrestricted-egress',
  title: 'NetworkPolicy lets everything out',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.3.2'), owasp('K07'), nsa('network policies')],
  why: 'What gets into the pod can send data anywhere, and reach everything inside of the cluster.',
  remediation: 'Name the destinations that are needed, with their ports.',

  subject: 'object',
  kinds: NETWORK_POLICY,
  evaluate({ object }) {
    const types = valueAt(object, ['spec', 'policyTypes']);
    if (Array.isArray(types) && types.length > 0 && !types.includes('Egress')) return pass;
    const open = rulesOf(object, 'egress').filter(
      ({ rule }) => isRecord(rule) && itemsOf(rule['to']).length === 0 && itemsOf(rule['ports']).length === 0,
    );
    return open.length === 0 ? pass : fail({}, ...open.map(({ path }) => path));
  },
  message: () => 'an egress rule without peers and ports allows every destination',
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
        policyTypes: [Egress]
        egress: [{}]
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
