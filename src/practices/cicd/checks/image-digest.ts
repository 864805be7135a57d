/** Images that are named by a tag alone, which can be moved. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { isTemplated, parseImage } from '#kube/images.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'image-digest',
  title: 'Image not pinned by digest',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K02'), mitre('T1195.002')],
  why: 'A tag can be pushed again: the image that was scanned and signed need not be the one that runs.',
  remediation: 'Add the digest that the tag has today: image: shop/cart:2.8.1@sha256:….',

  subject: 'container',
  evaluate({ container: { image } }) {
    if (image === undefined || image === '' || isTemplated(image)) return notApplicable('no image is stated');
    const reference = parseImage(image);
    if (reference === undefined || reference.digest !== undefined) return pass;
    return fail({ image }, ['image']);
  },
  message: ({ image }) => `image "${image}" is named by a tag, which can be moved`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - name: web
            image: shop:1.4.2@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
      `,
    ],
  },
});
