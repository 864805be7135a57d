/**
 * Objects that the mesh or a gateway did not take. Source: istio
 * pkg/config/analysis/analyzers/conditions/conditions.go (IST0171).
 */
import { defineCheck } from '#check/check.ts';
import type { Severity } from '#check/severity.ts';
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';

const ROUTE = ['Accepted', 'Programmed', 'ResolvedRefs'];
const WAYPOINT = ['istio.io/WaypointBound'];

/** The conditions that say, where they are false, that the object does nothing. */
const CONDITIONS: Readonly<Record<string, readonly string[]>> = {
  Service: WAYPOINT,
  ServiceEntry: WAYPOINT,
  WorkloadEntry: WAYPOINT,
  AuthorizationPolicy: ['ZtunnelAccepted', 'WaypointAccepted'],
  Gateway: ROUTE,
  HTTPRoute: ROUTE,
  GRPCRoute: ROUTE,
};

function* conditionsOf(object: KubeObject): Generator<{ condition: unknown; path: Path }> {
  const at = function* (path: Path): Generator<{ condition: unknown; path: Path }> {
    for (const [index, condition] of itemsOf(valueAt(object, [...path, 'conditions'])).entries())
      yield { condition, path: [...path, 'conditions', index] };
  };
  if (object.kind !== 'HTTPRoute' && object.kind !== 'GRPCRoute') return yield* at(['status']);
  for (const index of itemsOf(valueAt(object, ['status', 'parents'])).keys())
    yield* at(['status', 'parents', index]);
}

export default defineCheck({
  practice: 'mesh',
  name: 'refused-by-mesh',
  title: 'The mesh did not take the object',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Its status says so: what it denies, routes or protects does not hold.',
  remediation: 'Read the reason in the status, and correct the object or what it refers to.',

  subject: 'object',
  kinds: [
    '/Service',
    'networking.istio.io/ServiceEntry',
    'networking.istio.io/WorkloadEntry',
    'security.istio.io/AuthorizationPolicy',
    'gateway.networking.k8s.io/Gateway',
    'gateway.networking.k8s.io/HTTPRoute',
    'gateway.networking.k8s.io/GRPCRoute',
  ],
  evaluate({ object }) {
    if (valueAt(object, ['status']) === undefined) return verdictOf<Refused>([]);
    const wanted = CONDITIONS[object.kind] ?? [];
    return verdictOf(
      [...conditionsOf(object)].flatMap(({ condition, path }) => {
        const type = String(valueAt(condition, ['type']));
        const refused = wanted.includes(type) && valueAt(condition, ['status']) === 'False';
        const partly =
          object.kind === 'AuthorizationPolicy' &&
          type === 'WaypointAccepted' &&
          valueAt(condition, ['reason']) === 'PartiallyInvalid';
        if (!refused && !partly) return [];
        const text = valueAt(condition, ['message']) ?? valueAt(condition, ['reason']);
        return [
          {
            what: { kind: object.kind, text: `${type}: ${String(text).replace(/\s+/g, ' ').slice(0, 200)}` },
            path,
          },
        ];
      }),
    );
  },
  severityOf: (found): Severity =>
    found.some(({ kind }) => kind === 'AuthorizationPolicy') ? 'high' : 'medium',
  message: found => found.map(({ text }) => text.replace(/\.$/, '')).join('; '),
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { action: CUSTOM, provider: { name: login }, rules: [{}] }
      status: { conditions: [{ type: ZtunnelAccepted, status: "False", reason: UnsupportedValue, message: "ztunnel does not support the CUSTOM action" }] }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { rules: [{ from: [{ source: { namespaces: [shop] } }] }] }
      status: { conditions: [{ type: ZtunnelAccepted, status: "True", reason: Accepted }] }
      `,
    ],
  },
});

interface Refused {
  readonly kind: string;
  readonly text: string;
}
