/**
 * Servers of gateways that take each other's place. Source: istio pilot/pkg/model/gateway.go (mergeGateways,
 * CheckDuplicates: the later server is skipped where a host of it terminates TLS already, or where plain protocols on
 * one port cannot be merged); pkg/config/analysis/analyzers/gateway/conflictinggateway.go (IST0145).
 */
import { defineCheck } from '#check/check.ts';
import { byAge } from '#decide/mesh/policies.ts';
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { allPods, itemsOf, verdictOf } from '../facts.ts';
import { GATEWAY, hasLabels, labelsAt, named, textsAt } from '../istio.ts';

interface Server {
  readonly gateway: KubeObject;
  readonly path: Path;
  readonly port: string;
  readonly bind: string;
  readonly hosts: readonly string[];
  readonly tls: boolean;
  readonly http: boolean;
}

function serversOf(gateway: KubeObject): Server[] {
  return itemsOf(valueAt(gateway, ['spec', 'servers'])).map((server, index) => ({
    gateway,
    path: ['spec', 'servers', index],
    port: String(valueAt(server, ['port', 'number'])),
    bind: String(valueAt(server, ['bind']) ?? ''),
    hosts: textsAt(server, ['hosts']).map(host => host.slice(host.indexOf('/') + 1)),
    tls: valueAt(server, ['tls']) !== undefined && valueAt(server, ['tls', 'httpsRedirect']) !== true,
    http: /^(?:HTTP|HTTP2|GRPC|GRPC-WEB)$/i.test(String(valueAt(server, ['port', 'protocol']))),
  }));
}

const servers = (world: World): ReadonlyMap<string, readonly Server[]> =>
  Map.groupBy(
    world.ofKind(GATEWAY).flatMap(({ object }) => serversOf(object)),
    ({ port }) => port,
  );

/** Whether a pod has both selectors: they are the same, or one is wider and a pod of the input shows it. */
function meet(a: KubeObject, b: KubeObject, world: World): boolean {
  if (a === b) return true;
  const first = labelsAt(a, ['spec', 'selector']) ?? {};
  const second = labelsAt(b, ['spec', 'selector']) ?? {};
  const within = (
    narrow: Readonly<Record<string, string>>,
    wide: Readonly<Record<string, string>>,
  ): boolean => Object.entries(wide).every(([key, value]) => narrow[key] === value);
  const [forth, back] = [within(first, second), within(second, first)];
  if (forth && back) return true;
  return (forth || back) && allPods(world).some(pod => hasLabels(pod, { ...first, ...second }));
}

/** What the two cannot both have; undefined where they are merged. */
function dispute(a: Server, b: Server): string | undefined {
  if (a.bind !== b.bind) return undefined;
  if (a.tls && b.tls) return a.hosts.find(host => b.hosts.includes(host));
  return a.tls || b.tls || (a.http && b.http) ? undefined : `port ${a.port}`;
}

export default defineCheck({
  practice: 'mesh',
  name: 'gateways-of-one-host',
  title: 'Server of a gateway is skipped for another',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'The gateway follows the older one and skips the other: its TLS settings and routes hold for nobody.',
  remediation: 'Make one server of them, or tell hosts, ports or selectors apart.',

  subject: 'object',
  kinds: [GATEWAY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    return verdictOf(
      serversOf(object).flatMap(server => {
        for (const other of world.fact(servers).get(server.port) ?? []) {
          const isOlder =
            other.gateway === object
              ? Number(other.path[2]) < Number(server.path[2])
              : byAge(other.gateway, object) < 0;
          if (!isOlder) continue;
          const what = meet(object, other.gateway, world) ? dispute(server, other) : undefined;
          if (what !== undefined)
            return [
              {
                what: `${what} (${other.gateway === object ? 'here' : named(other.gateway)})`,
                path: server.path,
              },
            ];
        }
        return [];
      }),
    );
  },
  message: places => `an older server has it already: ${[...new Set(places)].join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec:
        selector: { istio: ingressgateway }
        servers:
        - { port: { number: 443, name: https, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: web } }
        - { port: { number: 443, name: tls, protocol: TLS }, hosts: [shop.example.com], tls: { mode: PASSTHROUGH } }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec:
        selector: { istio: ingressgateway }
        servers:
        - { port: { number: 443, name: https, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: web } }
        - { port: { number: 443, name: tls, protocol: TLS }, hosts: [raw.example.com], tls: { mode: PASSTHROUGH } }
      `,
    ],
  },
});
