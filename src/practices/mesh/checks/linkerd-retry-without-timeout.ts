/** Retries of Linkerd that have no end. Source: linkerd2 policy-controller/k8s/index/src/outbound/index/http.rs and index.rs. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';

const TIMEOUTS = ['retry.linkerd.io/timeout', 'timeout.linkerd.io/request', 'timeout.linkerd.io/response'];

export default defineCheck({
  practice: 'mesh',
  name: 'linkerd-retry-without-timeout',
  title: 'Linkerd retries without a timeout',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'A try that hangs is never given up: the retry that should have helped does not come.',
  remediation: 'Set retry.linkerd.io/timeout, or timeout.linkerd.io/request.',

  subject: 'object',
  kinds: [
    '/Service',
    'gateway.networking.k8s.io/HTTPRoute',
    'gateway.networking.k8s.io/GRPCRoute',
    'policy.linkerd.io/HTTPRoute',
  ],
  evaluate({ object }) {
    const annotations = object.metadata?.annotations ?? {};
    const retried = ['retry.linkerd.io/http', 'retry.linkerd.io/grpc'].find(key =>
      Object.hasOwn(annotations, key),
    );
    if (retried === undefined) return notApplicable('it asks for no retries');
    return TIMEOUTS.some(key => Object.hasOwn(annotations, key))
      ? pass
      : fail(retried, ['metadata', 'annotations', retried]);
  },
  message: key => `${key} is set, and no timeout`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop, annotations: { retry.linkerd.io/http: 5xx } }
      spec: { selector: { app: web }, ports: [{ port: 80 }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop, annotations: { retry.linkerd.io/http: 5xx, retry.linkerd.io/timeout: 300ms } }
      spec: { selector: { app: web }, ports: [{ port: 80 }] }
      `,
    ],
  },
});
