/** Policies of the mesh that protect nobody. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { allPods, makesPods, podsIn, rootNamespace, selectedBy, selectedOf } from '../facts.ts';
import { isWhole, WHOLE_CLUSTER } from '../istio.ts';

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
    const whole = isWhole(options);
    const known =
      whole ||
      everywhere ||
      podsIn(namespace, world).length > 0 ||
      world.find('/Namespace', undefined, namespace ?? '') !== undefined;
    // Namespaces are often declared apart from what runs in them.
    if (!known || (!whole && (allPods(world).length === 0 || makesPods(namespace, world))))
      return notApplicable('the pods are not in the input');
    const selected = everywhere
      ? selectedOf(selector, allPods(world))
      : selectedBy(selector, namespace, world);
    if (selected === undefined) return unknown('its selector is none that Istio takes');
    return selected.length === 0 ? fail({}, ['spec', 'selector']) : pass;
  },
  message: () => 'it selects no workload',

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web } }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: wbe } } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web } }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } } }
      `,
    ],
  },
});
