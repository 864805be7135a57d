/**
 * How a connection travels: what the client's proxy sends, what the server's proxy takes, and as whom.
 *
 * Sources: istio pilot/pkg/networking/core/cluster_tls.go (buildUpstreamTLSSettings), pilot/pkg/xds/endpoints
 * (mtls_checker.go), pilot/pkg/serviceregistry/ambient/workloads.go (setTunnelProtocol),
 * tests/integration/security/reachability_test.go; for Linkerd its documentation of automatic mTLS.
 */
import { MAYBE } from '#decide/network/labels.ts';
import { type Because, type KubeObject, valueAt } from '#kube/objects.ts';
import { type ClientRules, type ClientTls, describeRule } from './destination-rules.ts';
import type { Member } from './members.ts';
import { describeMode, type PeerAuthentications, type ServerMode } from './peer-authentication.ts';
import type { Front } from './services.ts';
import { hostOf } from './services.ts';

export interface Transport {
  /**
   * `mtls`: encrypted by the mesh, the client known by its certificate; `tls`: encrypted by what the client itself or a
   * rule for it starts, no identity of the mesh; `refused`: the sides do not fit, or the client's proxy does not let it
   * out.
   */
  readonly mode: 'mtls' | 'plaintext' | 'tls' | 'refused' | 'unknown';
  /** Of the client, as the server sees it; only where it is proven. */
  readonly identity?: string;
  readonly because: readonly Because[];
}

/** A side of a connection: a workload, or an address that no workload has. */
export type Side =
  | { readonly is: 'member'; readonly member: Member }
  | { readonly is: 'address'; readonly id: string };

export interface TransportFacts {
  readonly peers: PeerAuthentications;
  readonly clientRules: ClientRules;
  readonly autoMtls: boolean;
  /** The Services that lead to the destination's port. */
  fronts(to: Member, port: number): readonly Front[];
  identityOf(member: Member): string | undefined;
  /** Whether all pods of a Service have a sidecar, for those without an address of their own. */
  allInjected(service: KubeObject): boolean | 'unknown';
  /** Whether a workload is a gateway, whose servers decide for themselves. */
  gatewayOf(member: Member): KubeObject | undefined;
  /** A ServiceEntry that knows an outside address on a port. */
  entryFor(address: string, port: number): KubeObject | undefined;
}

/** What leaves the client. */
interface Sent {
  readonly is: 'mtls' | 'plaintext' | 'tls' | 'nothing' | 'unknown';
  readonly because: readonly Because[];
}

export function transport(facts: TransportFacts, from: Side, to: Side, port: number): Transport {
  if (to.is === 'address') return saidOnce(leaving(facts, from, to.id, port));
  const sent = send(facts, from, to.member, port);
  const answers = sent.flatMap(one => receive(facts, one, from, to.member, port));
  return saidOnce(agree(answers));
}

/** Both sides are often in the mesh for one reason, and both ask for the server's mode. */
function saidOnce(answer: Transport): Transport {
  const seen = new Set<string>();
  const because = answer.because.filter(({ text }) => !seen.has(text) && seen.add(text) !== undefined);
  return { ...answer, because };
}

function agree(answers: readonly Transport[]): Transport {
  const [first] = answers as [Transport];
  if (answers.every(({ mode, identity }) => mode === first.mode && identity === first.identity)) return first;
  return {
    mode: 'unknown',
    because: [
      { text: 'it depends on the way the client takes' },
      ...answers.flatMap(({ because }) => because),
    ],
  };
}

/** What the client sends: once for each way it may take. */
function send(facts: TransportFacts, from: Side, to: Member, port: number): readonly Sent[] {
  if (from.is === 'address')
    return [
      { is: 'plaintext', because: [{ text: `${from.id} is outside of the mesh: it has no identity` }] },
    ];
  const client = from.member;
  if (client.dataplane === 'unknown') return [{ is: 'unknown', because: [client.because] }];
  if (client.dataplane === 'none') return [{ is: 'plaintext', because: [client.because] }];
  if (client.mesh === 'linkerd') return [sendLinkerd(client, to, port)];
  if (client.dataplane === 'ambient') return [sendAmbient(client, to)];
  const fronts = facts.fronts(to, port);
  if (fronts.length === 0)
    return [passThrough(facts, client, port, `no Service leads to port ${port} of ${to.endpoint.id}`)];
  return fronts.flatMap(front => sendSidecar(facts, client, to, port, front));
}

function sendLinkerd(client: Member, to: Member, port: number): Sent {
  const because = [client.because];
  if (!client.takesOutbound(port))
    return {
      is: 'plaintext',
      because: [...because, { ...client.because, text: `${client.endpoint.id} skips outbound port ${port}` }],
    };
  if (to.dataplane === 'unknown') return { is: 'unknown', because: [...because, to.because] };
  return to.mesh === 'linkerd' && to.takesInbound(port)
    ? { is: 'mtls', because: [...because, to.because] }
    : { is: 'plaintext', because: [...because, to.because] };
}

function sendAmbient(client: Member, to: Member): Sent {
  const because = [client.because, to.because];
  if (to.dataplane === 'unknown') return { is: 'unknown', because };
  const tunnels =
    to.mesh === 'istio' &&
    (to.dataplane === 'ambient' || to.endpoint.labels.labels['networking.istio.io/tunnel'] === 'http');
  if (tunnels) return { is: 'mtls', because };
  return {
    is: 'plaintext',
    because: [
      ...because,
      ...(to.dataplane === 'sidecar'
        ? [{ text: 'ztunnel sends plain text to a sidecar that does not offer its tunnel' }]
        : []),
    ],
  };
}

function passThrough(facts: TransportFacts, client: Member, port: number, why: string): Sent {
  const { is, by, path } = facts.clientRules.registryOnly(clientOf(client));
  const because: Because[] = [client.because];
  if (!client.takesOutbound(port)) return { is: 'plaintext', because: [...because, skipped(client, port)] };
  if (is)
    return {
      is: 'nothing',
      because: [
        ...because,
        {
          ...(by === undefined ? {} : { object: by, ...(path === undefined ? {} : { path }) }),
          text: `${why}, and the client may reach what its registry knows only`,
        },
      ],
    };
  return { is: 'plaintext', because: [...because, { text: `${why}: it goes out as it is` }] };
}

function skipped(client: Member, port: number): Because {
  return { ...client.because, text: `the proxy of ${client.endpoint.id} leaves outbound port ${port} alone` };
}

function sendSidecar(
  facts: TransportFacts,
  client: Member,
  to: Member,
  port: number,
  front: Front,
): readonly Sent[] {
  const { service } = front;
  const name = hostOf(service);
  const host = {
    name,
    namespace: to.endpoint.namespace ?? '',
    port: front.port.port,
    labels: to.endpoint.labels,
  };
  if (!client.takesOutbound(host.port))
    return [{ is: 'plaintext', because: [client.because, skipped(client, host.port)] }];
  const seen = facts.clientRules.sees(clientOf(client), host, service);
  if (!seen.visible) {
    const sent = passThrough(facts, client, host.port, `${name} is hidden from the client`);
    const by: Because = {
      ...(seen.by === undefined
        ? {}
        : { object: seen.by, ...(seen.path === undefined ? {} : { path: seen.path }) }),
      text: `${name} is not in what ${client.endpoint.id} sees`,
    };
    return [{ ...sent, because: [by, ...sent.because] }];
  }
  return facts.clientRules
    .tls(clientOf(client), host)
    .map(rule => byRule(facts, client, to, port, front, rule));
}

function byRule(
  facts: TransportFacts,
  client: Member,
  to: Member,
  port: number,
  front: Front,
  rule: ClientTls,
): Sent {
  const doubt =
    front.match === MAYBE ? [{ object: front.service, text: 'whether it selects the pod is not known' }] : [];
  const because: Because[] = [client.because, ...doubt];
  if (rule.mode !== undefined) {
    const is = { DISABLE: 'plaintext', SIMPLE: 'tls', MUTUAL: 'tls', ISTIO_MUTUAL: 'mtls' } as const;
    return {
      is: is[rule.mode],
      because: [
        ...because,
        {
          ...(rule.object === undefined
            ? {}
            : { object: rule.object, ...(rule.path === undefined ? {} : { path: rule.path }) }),
          text: `${describeRule(rule.object!)} sets the client's TLS to ${rule.mode}`,
        },
      ],
    };
  }
  if (!facts.autoMtls)
    return { is: 'plaintext', because: [...because, { text: 'automatic mutual TLS is off in the mesh' }] };
  if (to.dataplane === 'unknown') return { is: 'unknown', because: [...because, to.because] };
  if (to.mesh !== 'istio') return { is: 'plaintext', because: [...because, to.because] };
  if (to.endpoint.labels.labels['security.istio.io/tlsMode'] === 'disabled')
    return {
      is: 'plaintext',
      because: [...because, { text: `${to.endpoint.id} has the label security.istio.io/tlsMode: disabled` }],
    };
  if (to.dataplane === 'sidecar') {
    if (!to.takesInbound(port))
      // The client does not know that the server's proxy leaves the port alone.
      return { is: 'mtls', because: [...because, to.because] };
    if (front.headless) {
      const all = facts.allInjected(front.service);
      if (all === 'unknown')
        return {
          is: 'unknown',
          because: [
            ...because,
            { object: front.service, text: 'whether all of its pods have a proxy is not known' },
          ],
        };
      if (!all)
        return {
          is: 'plaintext',
          because: [
            ...because,
            {
              object: front.service,
              text: 'it has no address of its own, and not all of its pods have a proxy',
            },
          ],
        };
    }
    const modes = facts.peers.modes(clientOf(to), port);
    if (modes.every(({ mode }) => mode === 'DISABLE'))
      return { is: 'plaintext', because: [...because, to.because, serverBecause(modes[0]!)] };
    if (modes.some(({ mode }) => mode === 'DISABLE'))
      return { is: 'unknown', because: [...because, ...modes.map(serverBecause)] };
  }
  return { is: 'mtls', because: [...because, to.because] };
}

function clientOf({ endpoint }: Member): { namespace: string; labels: Member['endpoint']['labels'] } {
  return { namespace: endpoint.namespace ?? '', labels: endpoint.labels };
}

function serverBecause(mode: ServerMode): Because {
  const { object, path } = mode;
  return {
    ...(object === undefined ? {} : { object, ...(path === undefined ? {} : { path }) }),
    text: describeMode(mode),
  };
}

/** What the server's side makes of it. */
function receive(
  facts: TransportFacts,
  sent: Sent,
  from: Side,
  to: Member,
  port: number,
): readonly Transport[] {
  const { is, because } = sent;
  if (is === 'unknown') return [{ mode: 'unknown', because }];
  if (is === 'nothing') return [{ mode: 'refused', because }];
  const ok = (mode: 'mtls' | 'plaintext' | 'tls', more: readonly Because[]): Transport => {
    const identity = mode === 'mtls' && from.is === 'member' ? facts.identityOf(from.member) : undefined;
    return { mode, ...(identity === undefined ? {} : { identity }), because: [...because, ...more] };
  };
  if (to.dataplane === 'unknown') return [{ mode: 'unknown', because: [...because, to.because] }];
  if (to.dataplane === 'none' || !to.takesInbound(port)) {
    const why =
      to.dataplane === 'none'
        ? to.because
        : { ...to.because, text: `the proxy of ${to.endpoint.id} leaves inbound port ${port} alone` };
    return is === 'mtls'
      ? [
          {
            mode: 'refused',
            because: [...because, { ...why, text: `${why.text}: it cannot answer mutual TLS` }],
          },
        ]
      : [ok(is, [why])];
  }
  if (to.mesh === 'linkerd') return [ok(is, [to.because])];
  const gateway = facts.gatewayOf(to);
  if (gateway !== undefined)
    return [
      {
        mode: 'unknown',
        because: [
          ...because,
          { object: gateway, text: `${to.endpoint.id} is a gateway: its servers decide what it takes` },
        ],
      },
    ];
  return facts.peers.modes(clientOf(to), port, to.dataplane === 'ambient').map(mode => {
    const said = serverBecause(mode);
    const refused = (mode.mode === 'STRICT' && is !== 'mtls') || (mode.mode === 'DISABLE' && is === 'mtls');
    if (refused) return { mode: 'refused' as const, because: [...because, said] };
    return ok(is, [to.because, said]);
  });
}

/** A connection to an address that no workload of the input has. */
function leaving(facts: TransportFacts, from: Side, address: string, port: number): Transport {
  if (from.is === 'address')
    return { mode: 'plaintext', because: [{ text: 'both sides are outside of the mesh' }] };
  const client = from.member;
  if (client.dataplane === 'unknown') return { mode: 'unknown', because: [client.because] };
  if (client.dataplane !== 'sidecar' || client.mesh === 'linkerd')
    return { mode: 'plaintext', because: [client.because, { text: `${address} is outside of the mesh` }] };
  const entry = facts.entryFor(address, port);
  if (entry === undefined) {
    const sent = passThrough(facts, client, port, `nothing in the registry has the address ${address}`);
    return { mode: sent.is === 'nothing' ? 'refused' : 'plaintext', because: sent.because };
  }
  const hosts = valueAt(entry, ['spec', 'hosts']);
  const name = Array.isArray(hosts) && typeof hosts[0] === 'string' ? hosts[0] : '';
  const host = {
    name,
    namespace: String(entry.metadata?.namespace ?? 'default'),
    port,
    labels: { labels: {}, open: 'none' as const },
  };
  const seen = facts.clientRules.sees(clientOf(client), host, entry);
  if (!seen.visible) {
    const sent = passThrough(facts, client, port, `${describeRule(entry)} is hidden from the client`);
    return { mode: sent.is === 'nothing' ? 'refused' : 'plaintext', because: sent.because };
  }
  const answers = facts.clientRules.tls(clientOf(client), host).map((rule): Transport => {
    const because: Because[] = [
      client.because,
      { object: entry, text: `${describeRule(entry)} knows the address` },
    ];
    if (rule.mode === undefined || rule.mode === 'DISABLE') return { mode: 'plaintext', because };
    return {
      mode: rule.mode === 'ISTIO_MUTUAL' ? 'mtls' : 'tls',
      because: [
        ...because,
        {
          object: rule.object!,
          path: rule.path!,
          text: `${describeRule(rule.object!)} sets the client's TLS to ${rule.mode}`,
        },
      ],
    };
  });
  return agree(answers);
}
