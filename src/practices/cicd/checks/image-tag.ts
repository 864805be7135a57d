/** Images whose tag says nothing of what will run. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { isTemplated, parseImage } from '#kube/images.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'image-tag',
  title: 'Image without a tag, or with the tag "latest"',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K02'), nsa('secure images'), mitre('T1525')],
  why: 'What runs then depends on the day a node pulls it: two replicas may differ, a rollback brings the same broken image, and whoever can push to the registry decides what runs next.',
  remediation: 'Name the version that was tested, best by digest: image: shop/cart:2.8.1@sha256:….',

  subject: 'container',
  evaluate({ container: { image } }) {
    if (image === undefined || image === '') return notApplicable('the image is set by someone else');
    if (isTemplated(image)) return unknown(`the image "${image}" is not filled in yet`);
    const reference = parseImage(image);
    if (reference === undefined) return unknown(`"${image}" is no valid image reference`);
    if (reference.digest !== undefined) return pass;
    if (reference.tag !== undefined && reference.tag !== 'latest') return pass;
    return fail({ image, tag: reference.tag }, ['image']);
  },
  message: ({ image, tag }) =>
    tag === undefined
      ? `image "${image}" has no tag, which means latest`
      : `image "${image}" is whatever is latest`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:latest" }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "registry.example.com:5000/shop" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - { name: web, image: "shop:1.4.2" }
          - { name: log, image: "shop@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef" }
      `,
    ],
  },
});
