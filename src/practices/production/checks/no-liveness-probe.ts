/** Containers that hang for ever. */
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
  name: 'no-liveness-probe',
  title: 'No liveness probe',
  severity: 'info',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'A container that hangs stays as it is until somebody notices.',
  remediation: 'Add a livenessProbe that only a hung program fails; not the same as the readiness probe.',

  subject: 'container',
  evaluate({ container, role, sidecar, pod }) {
    if (role !== 'container' || sidecar) return notApplicable('only what serves is probed');
    if (!SERVING.has(`${groupOf(pod.object.apiVersion)}/${pod.object.kind}`))
      return notApplicable('it runs to its end');
    return container.livenessProbe === undefined ? fail({}, ['livenessProbe']) : pass;
  },
  message: () => 'there is no livenessProbe',

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
            containers: [{ name: web, image: "shop:1.4.2", livenessProbe: { httpGet: { port: 8080 } } }]
      `,
    ],
  },
});
