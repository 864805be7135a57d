/** Policies that protect nobody. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { ONLY_ITSELF, WEB_WITH_NAMED_PORT } from '../examples.ts';
import { makesPods, NETWORK_POLICY, podsIn, selectedBy } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'policy-selects-nothing',
  title: 'NetworkPolicy selects no pod of its namespace',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.3.2'), owasp('K07'), nsa('network policies')],
  why: 'The pods that it was written for are as open as before, and whoever reads the policy believes otherwise.',
  remediation: 'Correct the labels or the namespace, or remove the policy.',

  subject: 'object',
  kinds: NETWORK_POLICY,
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const namespace = namespaceOf(object);
    if (podsIn(namespace, world).length === 0 || makesPods(namespace, world))
      return notApplicable('the pods are not in the input');
    const selected = selectedBy(valueAt(object, ['spec', 'podSelector']), namespace, world);
    if (selected === undefined) return unknown('its selector is none that the API server takes');
    return selected.length === 0 ? fail({}, ['spec', 'podSelector']) : pass;
  },
  message: () => 'its podSelector matches no workload of its namespace',
  examples: {
    bad: [
      `
      ${WEB_WITH_NAMED_PORT}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: { name: web, namespace: shop }
      spec:
        podSelector: { matchLabels: { app: wbe } }
        policyTypes: [Ingress]
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
