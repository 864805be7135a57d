/** Images from elsewhere than the team agreed on. Says nothing until the registries are configured. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { parseImage } from '#kube/images.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'foreign-registry',
  title: 'Image from a registry that is not on the allow-list',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K02'), nsa('secure images'), mitre('T1204.003')],
  why: 'An image from anywhere brings whatever its author put into it, past every scan and signature of your own registry.',
  remediation:
    'Copy the image into a registry of the list, or add its registry to the list in sallyport.yaml.',
  options: {
    registries: {
      type: 'strings',
      default: [],
      description:
        'Allowed registries, with or without a path: registry.example.com, ghcr.io/our-team. Empty allows all.',
    },
  },

  subject: 'container',
  looksAt: [],
  evaluate({ container: { image } }, { options }) {
    const allowed = options['registries'] as readonly string[];
    if (allowed.length === 0) return notApplicable('no registries are configured');
    const reference = image === undefined ? undefined : parseImage(image);
    if (reference === undefined) return notApplicable('no image is stated');
    const full = `${reference.registry}/${reference.repository}`;
    // Whole path segments only: registry.example.com must not allow registry.example.com.evil.org.
    if (allowed.some(prefix => full.startsWith(`${prefix.replace(/\/+$/, '')}/`) || full === prefix))
      return pass;
    return fail({ image: image!, registry: reference.registry }, ['image']);
  },
  message: ({ image, registry }) => `image "${image}" comes from ${registry}, which is not on the list`,

  examples: {
    options: { registries: ['registry.example.com'] },
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "registry.example.com.evil.org/shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "registry.example.com/shop:1.4.2" }]
      `,
    ],
  },
});
