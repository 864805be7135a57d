/** Subsets without a pod. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { isRecord, type Path, valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { WEB_SERVICE } from '../examples.ts';
import { itemsOf, selectedBy } from '../facts.ts';
import { isWhole, WHOLE_CLUSTER } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'subset-selects-nothing',
  title: 'Subset of a DestinationRule selects no pod',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'Requests that are sent to the subset fail with 503.',
  remediation: 'Correct the labels of the subset, or those of the pods.',

  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    const host = String(valueAt(object, ['spec', 'host']));
    const [name, namespace = namespaceOf(object), ...domain] = host.split('.');
    if (domain.length > 0 && domain[0] !== 'svc') return notApplicable('the host is no Service');
    const service = world.find('/Service', namespace, name!);
    const selector = service === undefined ? undefined : valueAt(service, ['spec', 'selector']);
    const pods = isRecord(selector) ? selectedBy({ matchLabels: selector }, namespace, world) : undefined;
    if (pods === undefined || (pods.length === 0 && !isWhole(options)))
      return notApplicable('the pods are not in the input');
    const empty: { name: string; path: Path }[] = [];
    for (const [index, subset] of itemsOf(valueAt(object, ['spec', 'subsets'])).entries()) {
      const labels = valueAt(subset, ['labels']);
      if (!isRecord(labels)) continue;
      if (!pods.some(pod => Object.entries(labels).every(([key, value]) => pod.labels[key] === value)))
        empty.push({ name: String(valueAt(subset, ['name'])), path: ['spec', 'subsets', index] });
    }
    return empty.length === 0
      ? pass
      : fail(
          empty.map(one => one.name),
          ...empty.map(({ path }) => path),
        );
  },
  message: names =>
    `no pod of the Service has the labels of subset ${names.map(name => `"${name}"`).join(', ')}`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web, version: v1 } }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      ---
      ${WEB_SERVICE}
      ---
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web, subsets: [{ name: v2, labels: { version: v2 } }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web, version: v1 } }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      ---
      ${WEB_SERVICE}
      ---
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, subsets: [{ name: v1, labels: { version: v1 } }] }
      `,
    ],
  },
});
