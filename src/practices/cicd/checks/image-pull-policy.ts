/** Nodes that run what they happen to have under a tag that moves. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { parseImage } from '#kube/images.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'image-pull-policy',
  title: 'Cached image is used although its tag moves',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K02')],
  why: 'With a tag that moves, nodes that pulled on different days run different images, and a pod may use an image on the node that it has no right to pull.',
  remediation: 'Set imagePullPolicy to Always, or pin the image by digest.',

  subject: 'container',
  evaluate({ container: { image, imagePullPolicy } }) {
    const reference = image === undefined ? undefined : parseImage(image);
    if (reference === undefined || reference.digest !== undefined)
      return notApplicable('the image does not move');
    // Unset means Always for latest (and no tag), IfNotPresent otherwise.
    if (reference.tag !== undefined && reference.tag !== 'latest') return pass;
    if (imagePullPolicy === undefined || imagePullPolicy === 'Always') return pass;
    return fail({ imagePullPolicy }, ['imagePullPolicy']);
  },
  message: ({ imagePullPolicy }) => `imagePullPolicy is ${imagePullPolicy} for an image whose tag moves`,

  fix: {
    title: 'Always pull',
    kind: 'safe',
    changes: () => [{ op: 'set', path: ['imagePullPolicy'], value: 'Always' }],
  },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:latest", imagePullPolicy: IfNotPresent }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - { name: web, image: "shop:latest" }
          - { name: log, image: "shop:1.4.2", imagePullPolicy: IfNotPresent }
      `,
    ],
  },
});
