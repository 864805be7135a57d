/** Registries that were switched off or frozen. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { parseImage } from '#kube/images.ts';

/** What became of them: Kubernetes blog 2023-03-10 (k8s.gcr.io), Google Cloud's notice on Container Registry, Quay's and CoreOS's end. */
const RETIRED: Readonly<Record<string, string>> = {
  'k8s.gcr.io': 'frozen since April 2023; use registry.k8s.io',
  'gcr.io/google-containers': 'frozen; use registry.k8s.io',
  'gcr.io/google_containers': 'frozen; use registry.k8s.io',
  'gcr.io/kubernetes-helm': 'gone with Helm 2',
  'docker.pkg.github.com': 'retired; use ghcr.io',
  'openshift.io': 'retired; use quay.io/openshift',
};

export default defineCheck({
  practice: 'cicd',
  name: 'retired-registry',
  title: 'Image from a registry that was retired',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K02')],
  why: 'No fixes arrive there any more, and one day the pull fails, in the middle of a rollout or a node replacement.',
  remediation: 'Take the image from the registry that succeeded it.',

  subject: 'container',
  evaluate({ container: { image } }) {
    const reference = image === undefined ? undefined : parseImage(image);
    if (reference === undefined) return notApplicable('no image is stated');
    const full = `${reference.registry}/${reference.repository}`;
    const registry = Object.keys(RETIRED).find(prefix => full.startsWith(`${prefix}/`));
    return registry === undefined ? pass : fail({ image: image!, registry }, ['image']);
  },
  message: ({ image, registry }) => `image "${image}" comes from ${registry}: ${RETIRED[registry]}`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: pause }
      spec:
        containers: [{ name: pause, image: "k8s.gcr.io/pause:3.9" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: pause }
      spec:
        containers: [{ name: pause, image: "registry.k8s.io/pause:3.9" }]
      `,
    ],
  },
});
