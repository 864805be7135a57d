/**
 * Policies that a waypoint does not read. Source: istio pilot/pkg/model/policyattachment.go (a waypoint takes policies
 * by targetRefs only), pkg/config/analysis/analyzers/k8sgateway/workloadselector.go (IST0166).
 */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { labelsAt } from '../istio.ts';

const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';

export default defineCheck({
  practice: 'mesh',
  name: 'selector-at-waypoint',
  title: 'Policy selects a waypoint by labels',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'A waypoint takes policies by targetRefs only: what the policy denies, or verifies, is let through.',
  remediation: 'Name the Gateway, or the Services behind it, in targetRefs.',

  subject: 'object',
  kinds: [
    'security.istio.io/AuthorizationPolicy',
    'security.istio.io/RequestAuthentication',
    'telemetry.istio.io/Telemetry',
    'extensions.istio.io/WasmPlugin',
  ],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const labels = labelsAt(object, ['spec', 'selector', 'matchLabels']);
    if (labels === undefined) return notApplicable('it has no selector');
    const name = labels[GATEWAY_NAME];
    const gateway =
      name === undefined
        ? undefined
        : world.find('gateway.networking.k8s.io/Gateway', namespaceOf(object), name);
    const className = String(valueAt(gateway, ['spec', 'gatewayClassName']));
    const managed = labels['gateway.istio.io/managed'] === 'istio.io-mesh-controller';
    return managed || (className.includes('waypoint') && gateway !== undefined)
      ? fail(name ?? 'of the mesh', ['spec', 'selector', 'matchLabels'])
      : pass;
  },
  message: name => `waypoint ${name} does not read it: it has no targetRefs`,
  examples: {
    bad: [
      `
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: { name: waypoint, namespace: shop }
      spec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { gateway.networking.k8s.io/gateway-name: waypoint } }, action: DENY, rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: { name: waypoint, namespace: shop }
      spec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: waypoint }], action: DENY, rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] }
      `,
    ],
  },
});
