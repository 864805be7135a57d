/** Containers that get requests before they can answer. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { groupOf } from '#kube/objects.ts';

const SERVING = new Set([
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'apps/ReplicaSet',
  '/ReplicationController',
]);

export default defineCheck({
  practice: 'production',
  name: 'no-readiness-probe',
  title: 'No readiness probe',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Requests reach the container while it starts or when it cannot answer, and a rollout goes on although the new version is broken.',
  remediation: 'Add a readinessProbe that asks what requests need.',

  subject: 'container',
  evaluate({ container, role, sidecar, pod }) {
    if (role !== 'container' || sidecar) return notApplicable('only what serves is probed');
    if (!SERVING.has(`${groupOf(pod.object.apiVersion)}/${pod.object.kind}`))
      return notApplicable('it runs to its end');
    return container.readinessProbe === undefined ? fail({}, ['readinessProbe']) : pass;
  },
  message: () => 'there is no readinessProbe',

  examples: {
    bad: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: shop, namespace: shop }
      spec:

        selector: { matchLabels: { app: shop } }
        template:
          metadata: { labels: { app: shop } }
          spec:
            containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: shop, namespace: shop }
      spec:

        selector: { matchLabels: { app: shop } }
        template:
          metadata: { labels: { app: shop } }
          spec:
            containers: [{ name: web, image: "shop:1.4.2", readinessProbe: { httpGet: { port: 8080 } } }]
      `,
    ],
  },
});
