/** Rules for a port that no pod has. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import type { Path } from '#kube/objects.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { ONLY_ITSELF, WEB_WITH_NAMED_PORT } from '../examples.ts';
import { itemsOf, NETWORK_POLICY, rulesOf, selectedBy } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'dead-port-name',
  title: 'NetworkPolicy names a port that its pods do not have',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.3.2'), owasp('K07'), nsa('network policies')],
  why: 'The rule allows nothing: a connection that was meant to work is refused.',
  remediation: 'Write the name that a container declares, or the number.',

  subject: 'object',
  kinds: NETWORK_POLICY,
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const pods = selectedBy(valueAt(object, ['spec', 'podSelector']), namespaceOf(object), world);
    if (pods === undefined || pods.length === 0) return notApplicable('it selects no pod of the input');
    const dead: { name: string; path: Path }[] = [];
    for (const { rule, path } of rulesOf(object, 'ingress'))
      for (const [index, item] of itemsOf(valueAt(rule, ['ports'])).entries()) {
        const name = valueAt(item, ['port']);
        if (typeof name === 'string' && !pods.some(({ portNames }) => portNames.has(name)))
          dead.push({ name, path: [...path, 'ports', index, 'port'] });
      }
    return dead.length === 0
      ? pass
      : fail(
          dead.map(({ name }) => name),
          ...dead.map(({ path }) => path),
        );
  },
  message: names =>
    `no container that it selects declares a port named ${names.map(name => `"${name}"`).join(', ')}`,
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
        ingress: [{ ports: [{ port: web }] }]
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
