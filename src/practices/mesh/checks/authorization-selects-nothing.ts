/** Policies of the mesh that protect nobody. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { WEB_POD } from '../examples.ts';
import { allPods, makesPods, podsIn, rootNamespace, selectedOf } from '../facts.ts';
import { isWhole, nearlySelected, WHOLE_CLUSTER } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'authorization-selects-nothing',
  title: 'AuthorizationPolicy selects no workload',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), owasp('K07')],
  why: 'What it denies, or restricts to some callers, stays open.',
  remediation: 'Correct the labels or the namespace.',

  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: ['security.istio.io/AuthorizationPolicy'],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    if (['targetRef', 'targetRefs'].some(field => valueAt(object, ['spec', field]) !== undefined))
      return notApplicable('it is attached by reference');
    const namespace = namespaceOf(object);
    const everywhere = namespace === rootNamespace(world);
    const selector = valueAt(object, ['spec', 'selector']);
    if (everywhere && selector === undefined) return pass;
    const pods = everywhere ? allPods(world) : podsIn(namespace, world);
    const selected = selectedOf(selector, pods);
    if (selected === undefined) return unknown('its selector is none that Istio takes');
    if (selected.length > 0) return pass;
    // Policies are often kept apart from what they are for: only one that nearly fits is a slip.
    const meant = makesPods(namespace, world) ? undefined : nearlySelected(selector, pods);
    return meant !== undefined || isWhole(options)
      ? fail({ meant }, ['spec', 'selector'])
      : notApplicable('the pods are not in the input');
  },
  message: ({ meant }) => `it selects no workload${meant === undefined ? '' : `: did you mean ${meant}?`}`,

  examples: {
    bad: [
      `
      ${WEB_POD}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: wbe } } }
      `,
    ],
    good: [
      `
      ${WEB_POD}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } } }
      `,
    ],
  },
});
