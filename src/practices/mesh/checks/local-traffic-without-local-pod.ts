/** Nodes on which a Service leads nowhere. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { podsIn } from '../facts.ts';
import { labelsAt } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'local-traffic-without-local-pod',
  title: 'Service stays on the node, where no pod has to be',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'With internalTrafficPolicy Local, clients on a node without a pod of the Service get no answer, though others could give one.',
  remediation: 'Run the pods as a DaemonSet, or use trafficDistribution PreferSameNode.',

  subject: 'object',
  kinds: ['/Service'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (valueAt(object, ['spec', 'internalTrafficPolicy']) !== 'Local')
      return notApplicable('it leads to all nodes');
    const selector = labelsAt(object, ['spec', 'selector']) ?? {};
    if (Object.keys(selector).length === 0) return notApplicable('it has no selector');
    const selected = podsIn(namespaceOf(object), world).filter(({ labels }) =>
      Object.entries(selector).every(([key, value]) => labels[key] === value),
    );
    const some = selected.filter(one => one.object.kind !== 'DaemonSet' && one.object.kind !== 'Pod');
    return some.length > 0 && some.length === selected.length
      ? fail(some[0]!.object.kind, ['spec', 'internalTrafficPolicy'])
      : pass;
  },
  message: kind => `internalTrafficPolicy is Local, and its pods are of a ${kind}`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: cache, namespace: shop }
      spec: { internalTrafficPolicy: Local, selector: { app: cache }, ports: [{ port: 6379 }] }
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: cache, namespace: shop }
      spec: { selector: { matchLabels: { app: cache } }, template: { metadata: { labels: { app: cache } }, spec: { containers: [{ name: cache, image: "redis:7.4.1" }] } } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: cache, namespace: shop }
      spec: { internalTrafficPolicy: Local, selector: { app: cache }, ports: [{ port: 6379 }] }
      ---
      apiVersion: apps/v1
      kind: DaemonSet
      metadata: { name: cache, namespace: shop }
      spec: { selector: { matchLabels: { app: cache } }, template: { metadata: { labels: { app: cache } }, spec: { containers: [{ name: cache, image: "redis:7.4.1" }] } } }
      `,
    ],
  },
});
