/** The dashboard of old. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'kubernetes-dashboard',
  title: 'Kubernetes Dashboard',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1613'), owasp('K09')],
  why: 'The project is archived, and a dashboard that can be reached has been the way into more than one cluster.',
  remediation: 'Remove it, or keep it unreachable from outside and its service account without rights.',

  subject: 'container',
  evaluate({ container: { image } }) {
    if (
      image === undefined ||
      !/(?:^|\/)(?:kubernetes-dashboard|kubernetesui\/dashboard|dashboard-(?:web|api|auth))(?:-(?:amd64|arm64|arm))?(?:[:@]|$)/.test(
        image,
      )
    )
      return pass;
    return fail({ image }, ['image']);
  },
  message: ({ image }) => `"${image}" is the Kubernetes Dashboard`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: ui, image: "kubernetesui/dashboard:v2.7.0" }]
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
