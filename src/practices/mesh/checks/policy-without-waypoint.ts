/**
 * Policies that wait for a waypoint. Source: istio pilot/pkg/model/policyattachment.go (what is attached by reference
 * is enforced there only), pilot/pkg/serviceregistry/ambient/waypoints.go.
 */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { notApplicable } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { AUTHORIZATION_POLICY } from '../authorization.ts';
import { itemsOf, meshOf, verdictOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'policy-without-waypoint',
  title: 'Policy for a Service that has no waypoint',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), owasp('K07'), mitre('T1562.001')],
  why: 'A policy that names a Service is enforced by the waypoint before it, and by nothing else: without one every request gets in.',
  remediation: 'Label the Service or its namespace with istio.io/use-waypoint, or select the pods by labels.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY, 'security.istio.io/RequestAuthentication'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const namespace = namespaceOf(object);
    const list = itemsOf(valueAt(object, ['spec', 'targetRefs']));
    const single = valueAt(object, ['spec', 'targetRef']);
    const refs =
      list.length > 0
        ? list.map((ref, index) => ({ ref, path: ['spec', 'targetRefs', index] }))
        : single === undefined
          ? []
          : [{ ref: single, path: ['spec', 'targetRef'] }];
    if (refs.length === 0) return notApplicable('it is not attached by reference');
    // The label may stand at a namespace that is not in the input.
    const known = world.find('/Namespace', undefined, namespace ?? '') !== undefined;
    return verdictOf(
      refs.flatMap(({ ref, path }) => {
        if (valueAt(ref, ['kind']) !== 'Service') return [];
        const name = String(valueAt(ref, ['name']));
        const service = world.find('/Service', namespace, name);
        if (service === undefined) return [];
        const isOff = valueAt(service, ['metadata', 'labels', 'istio.io/use-waypoint']) === 'none';
        if (!known && !isOff) return [];
        return meshOf(world).waypointOf(service).is === 'none' ? [{ what: name, path }] : [];
      }),
    );
  },
  message: names => `Service ${[...new Set(names)].join(', ')} has no waypoint: nothing enforces it`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { targetRefs: [{ kind: Service, group: "", name: web }], action: DENY, rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient, istio.io/use-waypoint: waypoint } }
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: { name: waypoint, namespace: shop }
      spec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { targetRefs: [{ kind: Service, group: "", name: web }], action: DENY, rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] }
      `,
    ],
  },
});
