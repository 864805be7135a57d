/** Containers that run as the proxy. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'proxy-user',
  title: 'Container runs as the user of the Istio proxy',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1562.001')],
  why: 'What user 1337 sends is not sent through the proxy: it leaves without mutual TLS and without policies.',
  remediation: 'Use another user id.',

  subject: 'container',
  evaluate({ container, pod }) {
    // A gateway is a proxy itself.
    const gateway = pod.metadata.labels?.['gateway.networking.k8s.io/gateway-name'] !== undefined;
    if (container.name === 'istio-proxy' || gateway) return pass;
    const own = container.securityContext?.runAsUser;
    if (own === 1337) return fail({}, ['securityContext', 'runAsUser']);
    return own === undefined && pod.spec.securityContext?.runAsUser === 1337
      ? fail({}, ['securityContext', 'runAsUser'])
      : pass;
  },
  message: () => 'runAsUser is 1337, whose traffic passes by the proxy',
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec: { containers: [{ name: web, image: "shop:1.4.2", securityContext: { runAsUser: 1337 } }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec: { containers: [{ name: web, image: "shop:1.4.2", securityContext: { runAsUser: 1000 } }] }
      `,
    ],
  },
});
