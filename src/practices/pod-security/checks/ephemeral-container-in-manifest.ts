/** Containers for debugging in manifests. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'ephemeral-container-in-manifest',
  title: 'Ephemeral container in a manifest',
  severity: 'low',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'Ephemeral containers are added to running pods for debugging; in a manifest the API server refuses them, and in an exported pod they are left-overs.',
  remediation: 'Remove ephemeralContainers from the manifest.',

  subject: 'pod',
  evaluate({ spec: { ephemeralContainers } }) {
    const names = (ephemeralContainers ?? []).map(({ name }) => name ?? '');
    return names.length === 0 ? pass : fail(names, ['spec', 'ephemeralContainers']);
  },
  message: names => `ephemeral containers ${names.map(name => `"${name}"`).join(', ')}`,
  fix: {
    title: 'Remove the ephemeral containers',
    kind: 'safe',
    changes: () => [{ op: 'remove', path: ['spec', 'ephemeralContainers'] }],
  },
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
        ephemeralContainers: [{ name: debug, image: "busybox:1.37" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
