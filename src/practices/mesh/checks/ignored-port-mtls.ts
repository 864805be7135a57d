/** Settings that Istio ignores. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, valueAt } from '#kube/objects.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'ignored-port-mtls',
  title: 'PeerAuthentication for ports without a selector',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K07')],
  why: 'Istio looks at portLevelMtls only where the policy selects workloads: here it does nothing.',
  remediation: 'Add a selector.',

  subject: 'object',
  kinds: ['security.istio.io/PeerAuthentication'],
  evaluate({ object }) {
    const ports = valueAt(object, ['spec', 'portLevelMtls']);
    const labels = valueAt(object, ['spec', 'selector', 'matchLabels']);
    if (!isRecord(ports) || Object.keys(ports).length === 0) return pass;
    return isRecord(labels) && Object.keys(labels).length > 0 ? pass : fail({}, ['spec', 'portLevelMtls']);
  },
  message: () => 'portLevelMtls does nothing without a selector',
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { mtls: { mode: STRICT }, portLevelMtls: { 8080: { mode: STRICT } } }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, portLevelMtls: { 8080: { mode: STRICT } } }
      `,
    ],
  },
});
