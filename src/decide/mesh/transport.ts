/**
 * How a connection travels: what the client's proxy sends, what the server's proxy takes, and as whom.
 *
 * Sources: istio pilot/pkg/networking/core/cluster_tls.go (buildUpstreamTLSSettings), pilot/pkg/xds/endpoints
 * (mtls_checker.go), pilot/pkg/serviceregistry/ambient/workloads.go (setTunnelProtocol),
 * tests/integration/security/reachability_test.go; for Linkerd its documentation of automatic mTLS.
 */
import { type KnownLabels, MAYBE } from '#decide/network/labels.ts';
import type { Because, KubeObject } from '#kube/objects.ts';
import { type ClientRules, type ClientTls, describeRule } from './destination-rules.ts';
import type { GatewayServer } from './gateway-servers.ts';
import type { Member } from './members.ts';
import { describeMode, type PeerAuthentications, type ServerMode } from './peer-authentication.ts';
import type { Client, Registered } from './registry.ts';
import type { Front } from './services.ts';

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

/** A side of a connection: a workload, an address that no workload has, or a host that the registry or DNS knows. */
export type Side =
  | { readonly is: 'member'; readonly member: Member }
  | { readonly is: 'address'; readonly id: string }
  | { readonly is: 'host'; readonly id: string };

export interface TransportFacts {
  readonly peers: PeerAuthentications;
  readonly clientRules: ClientRules;
  readonly autoMtls: boolean;
  /** The Services that lead to the destination's port. */
  fronts(to: Member, port: number): readonly Front[];
  identityOf(member: Member): string | undefined;
  /** Whether all pods of a Service offer mutual TLS, for those without an address of their own. */
  allInjected(service: KubeObject): boolean | 'unknown';
  /** Whether a workload is a gateway and no sidecar. */
  isRouter(member: Member): boolean;
  /** The servers of a gateway on a port; undefined where the workload is none. */
  serversOf(member: Member, port: number): readonly GatewayServer[] | undefined;
  /** What the registry knows an outside address as, with the port that clients ask for. */
  entryFor(address: string, port: number): Outside | undefined;
}

/** An address or a name outside of the input, as the registry knows it. */
export interface Outside {
  readonly entry: Registered;
  /** The port that clients ask for. */
  readonly port: number;
  /** What the entry says of the endpoint that answers. */
  readonly endpoint?: { readonly inMesh: boolean; readonly labels: KnownLabels };
}

/**
 * The address that stands for the kubelet's probes in pods of ambient mode: those pass ztunnel by.
 * Source: istio cni/pkg/iptables/iptables.go (HostProbeSNATAddress).
 */
export const PROBES_OF_AMBIENT = '169.254.7.127';
export const PROBES_PASS = 'probes of the kubelet pass ztunnel by';

export function isProbeOfAmbient({ dataplane }: Member, address: string | undefined): boolean {
  return dataplane === 'ambient' && address === PROBES_OF_AMBIENT;
}

/** What leaves the client. */
interface Sent {
  readonly is: 'mtls' | 'plaintext' | 'tls' | 'nothing' | 'unknown';
  readonly because: readonly Because[];
}

export function transport(facts: TransportFacts, from: Side, to: Side, port: number): Transport {
  if (to.is !== 'member') return saidOnce(leaving(facts, from, to.id, port));
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
  if (from.is !== 'member')
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
    return facts.clientRules.scopes
      .of(proxyOf(facts, client))
      .map(sidecar =>
        passThrough(facts, client, sidecar, port, `no Service leads to port ${port} of ${to.endpoint.id}`),
      );
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

/** What the proxy does with a connection that its registry does not know. */
function passThrough(
  facts: TransportFacts,
  client: Member,
  sidecar: KubeObject | undefined,
  port: number,
  why: string,
): Sent {
  const because: Because[] = [client.because];
  if (!client.takesOutbound(port)) return { is: 'plaintext', because: [...because, skipped(client, port)] };
  if (facts.isRouter(client))
    return {
      is: 'nothing',
      because: [...because, { text: `${why}, and a gateway passes on what it knows only` }],
    };
  const { is, by, path } = facts.clientRules.registryOnly(sidecar);
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

/** Where the client's proxy stands, as rules ask for it. */
function proxyOf(facts: TransportFacts, member: Member): Client {
  return { ...clientOf(member), ...(facts.isRouter(member) ? { router: true } : {}) };
}

function sendSidecar(
  facts: TransportFacts,
  client: Member,
  to: Member,
  port: number,
  front: Front,
): readonly Sent[] {
  const asked = front.port.port;
  if (!client.takesOutbound(asked))
    return [{ is: 'plaintext', because: [client.because, skipped(client, asked)] }];
  const proxy = proxyOf(facts, client);
  return facts.clientRules.scopes.of(proxy).flatMap((sidecar): readonly Sent[] => {
    const { seen, by, path } = facts.clientRules.scopes.sees(proxy, sidecar, front.host);
    if (seen === undefined || !seen.ports.includes(asked))
      return [hidden(facts, client, sidecar, front.host, asked, { by, path })];
    const host = {
      name: front.host,
      namespace: seen.entry.namespace,
      port: asked,
      labels: to.endpoint.labels,
    };
    return facts.clientRules
      .tls(proxy, host)
      .map(rule => byRule(facts, { client, proxy, to, port, front, entry: seen.entry }, rule));
  });
}

/** A host that the client does not see, by its Sidecar or by what the host exports itself to. */
function hidden(
  facts: TransportFacts,
  client: Member,
  sidecar: KubeObject | undefined,
  name: string,
  port: number,
  place: { by?: KubeObject | undefined; path?: Because['path'] },
): Sent {
  const sent = passThrough(facts, client, sidecar, port, `${name} is hidden from the client`);
  const by: Because = {
    ...(place.by === undefined
      ? {}
      : { object: place.by, ...(place.path === undefined ? {} : { path: place.path }) }),
    text: `${name} port ${port} is not in what ${client.endpoint.id} sees`,
  };
  return { ...sent, because: [by, ...sent.because] };
}

/** One way of a client to a port of a workload: by a host of the registry. */
interface Way {
  readonly client: Member;
  readonly proxy: Client;
  readonly to: Member;
  readonly port: number;
  readonly front: Front;
  readonly entry: Registered;
}

/** What a rule sets; undefined where it leaves that to the mesh. */
function stated(rule: ClientTls): (Pick<Sent, 'is'> & { said: Because }) | undefined {
  if (rule.mode === undefined || rule.object === undefined) return undefined;
  const is = { DISABLE: 'plaintext', SIMPLE: 'tls', MUTUAL: 'tls', ISTIO_MUTUAL: 'mtls' } as const;
  return {
    is: is[rule.mode],
    said: {
      object: rule.object,
      ...(rule.path === undefined ? {} : { path: rule.path }),
      text:
        rule.quirk === undefined
          ? `${describeRule(rule.object)} sets the client's TLS to ${rule.mode}`
          : `${describeRule(rule.object)}: ${rule.quirk}`,
    },
  };
}

function byRule(facts: TransportFacts, way: Way, rule: ClientTls): Sent {
  const { client, to, front } = way;
  const doubt =
    front.match === MAYBE ? [{ object: front.service, text: 'whether it selects the pod is not known' }] : [];
  const odd = rule.odd === undefined ? [] : [rule.odd];
  const because: Because[] = [client.because, ...doubt, ...odd];
  const set = stated(rule);
  if (set !== undefined) return { is: set.is, because: [...because, set.said] };
  const sent = automatic(facts, way, rule.endpoints);
  return {
    is: sent.is,
    because: [...because, ...sent.because, ...(sent.because.length === 0 ? [to.because] : [])],
  };
}

/** Automatic mutual TLS: what the client's proxy was told of the endpoint. */
function automatic(
  facts: TransportFacts,
  { proxy, to, port, front, entry }: Way,
  rule: ClientTls | undefined,
): Sent {
  if (entry.external)
    return {
      is: 'plaintext',
      because: [{ object: entry.object, text: `${entry.host} is said to be outside of the mesh` }],
    };
  if (!facts.autoMtls)
    return { is: 'plaintext', because: [{ text: 'automatic mutual TLS is off in the mesh' }] };
  if (to.dataplane === 'unknown') return { is: 'unknown', because: [to.because] };
  const ofNamespace = facts.peers.modeOfNamespace(entry.namespace);
  if (ofNamespace.mode === 'DISABLE' && to.dataplane !== 'ambient')
    return {
      is: 'plaintext',
      because: [
        to.because,
        {
          ...serverBecause(ofNamespace),
          text: `namespace ${entry.namespace} is DISABLE: clients encrypt nothing`,
        },
      ],
    };
  const passes = facts.clientRules.passthrough(proxy, entry, front.port.port);
  if (passes.whole && to.dataplane === 'sidecar') {
    const sent = asPassed(facts, front, to);
    if (passes.port || sent.is !== 'mtls') return sent;
  } else if (passes.port && !passes.whole)
    return { is: 'mtls', because: [{ object: front.service, text: PASSED }] };
  if (to.mesh !== 'istio') return { is: 'plaintext', because: [to.because] };
  const label = to.endpoint.labels.labels[TLS_MODE];
  if (label !== undefined && label !== 'istio')
    return { is: 'plaintext', because: [{ text: `${to.endpoint.id} has the label ${TLS_MODE}: ${label}` }] };
  if (to.dataplane === 'sidecar') {
    if (label === undefined && facts.isRouter(to))
      return {
        is: 'plaintext',
        because: [to.because, { text: `${to.endpoint.id} is a gateway: it says nothing of mutual TLS` }],
      };
    if (rule?.object !== undefined) return byEndpointRule(rule, rule.object);
    // The client does not know that the server's proxy leaves the port alone.
    if (!to.takesInbound(port)) return { is: 'mtls', because: [to.because] };
    const modes = facts.peers.modes(clientOf(to), port);
    if (modes.every(({ mode }) => mode === 'DISABLE'))
      return { is: 'plaintext', because: [to.because, serverBecause(modes[0]!)] };
    if (modes.some(({ mode }) => mode === 'DISABLE'))
      return { is: 'unknown', because: modes.map(serverBecause) };
  }
  return { is: 'mtls', because: [to.because] };
}

const PASSED = 'its clients go to the addresses of pods, all with mutual TLS';
const TLS_MODE = 'security.istio.io/tlsMode';

/**
 * Whether the registry says of a pod that its proxy takes mutual TLS: by the label that the injector sets, which a pod
 * may set itself and gateways do not have. Source: istio pilot/pkg/model/push_context.go (BestEffortInferServiceMTLSMode).
 */
export function offersMtls({ mesh, dataplane, endpoint }: Member, isGateway: boolean): boolean {
  if (mesh !== 'istio' || dataplane !== 'sidecar') return false;
  const label = endpoint.labels.labels[TLS_MODE];
  return label === undefined ? !isGateway : label !== 'disabled';
}

/** A port with settings of its own that set no mode: what the rule sets beside them counts for its endpoints only. */
function byEndpointRule({ mode, path }: ClientTls, object: KubeObject): Sent {
  const place = { object, ...(path === undefined ? {} : { path }) };
  const rule = `${describeRule(object)}: ${mode}`;
  return mode === 'ISTIO_MUTUAL'
    ? { is: 'mtls', because: [{ ...place, text: `${rule} counts for endpoints with a proxy` }] }
    : {
        is: 'plaintext',
        because: [
          {
            ...place,
            text: `${rule} does not count for a port with settings of its own, and mutual TLS is off for it`,
          },
        ],
      };
}

/** To a host whose clients go to addresses of their own choice: mutual TLS where all of its pods have a proxy. */
function asPassed(facts: TransportFacts, front: Front, to: Member): Sent {
  const all = facts.allInjected(front.service);
  if (all === 'unknown')
    return {
      is: 'unknown',
      because: [{ object: front.service, text: 'whether all of its pods take mutual TLS is not known' }],
    };
  if (all) return { is: 'mtls', because: [to.because] };
  return {
    is: 'plaintext',
    because: [
      {
        object: front.service,
        text: 'its clients go to the addresses of pods, and not all of its pods take mutual TLS',
      },
    ],
  };
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
  if (from.is === 'address' && isProbeOfAmbient(to, from.id))
    return [ok('plaintext', [{ text: PROBES_PASS }])];
  const servers = facts.serversOf(to, port);
  if (servers !== undefined) return atGateway(sent, to, port, servers, ok);
  return facts.peers.modes(clientOf(to), port, to.dataplane === 'ambient').map(mode => {
    const said = serverBecause(mode);
    const refused = (mode.mode === 'STRICT' && is !== 'mtls') || (mode.mode === 'DISABLE' && is === 'mtls');
    if (refused) return { mode: 'refused' as const, because: [...because, said] };
    return ok(is, [to.because, said]);
  });
}

/** A gateway takes what its servers say; on other ports nothing listens. */
function atGateway(
  { is, because }: Sent,
  to: Member,
  port: number,
  servers: readonly GatewayServer[],
  ok: (mode: 'mtls' | 'plaintext' | 'tls', more: readonly Because[]) => Transport,
): readonly Transport[] {
  if (servers.length === 0)
    return [
      {
        mode: 'refused',
        because: [
          ...because,
          { text: `${to.endpoint.id} is a gateway, and no server of a Gateway listens on port ${port}` },
        ],
      },
    ];
  return servers.map(server => {
    const said: Because = {
      object: server.object,
      path: server.path,
      text: `${describeRule(server.object)} serves port ${port} with ${server.stated}`,
    };
    if (server.match === MAYBE)
      return {
        mode: 'unknown',
        because: [...because, { ...said, text: `${said.text}, if it selects the workload` }],
      };
    switch (server.tls) {
      case 'mesh':
        return is === 'mtls'
          ? ok('mtls', [said])
          : {
              mode: 'refused',
              because: [...because, { ...said, text: `${said.text}: no identity, no connection` }],
            };
      case 'none':
        return is === 'mtls'
          ? {
              mode: 'refused',
              because: [...because, { ...said, text: `${said.text}: it cannot answer mutual TLS` }],
            }
          : ok(is === 'tls' ? 'tls' : 'plaintext', [said]);
      default:
        // Whoever asks such a port starts TLS itself, which the proxy of a client passes on.
        return is === 'mtls' && server.tls === 'terminated'
          ? {
              mode: 'refused',
              because: [
                ...because,
                { ...said, text: `${said.text}: it does not know certificates of the mesh` },
              ],
            }
          : ok('tls', [{ ...said, text: `${said.text}: the client starts TLS itself` }]);
    }
  });
}

/** A connection to an address or a host that no workload of the input has. */
function leaving(facts: TransportFacts, from: Side, address: string, port: number): Transport {
  if (from.is !== 'member')
    return { mode: 'plaintext', because: [{ text: 'both sides are outside of the mesh' }] };
  const client = from.member;
  if (client.dataplane === 'unknown') return { mode: 'unknown', because: [client.because] };
  if (client.dataplane !== 'sidecar' || client.mesh === 'linkerd')
    return { mode: 'plaintext', because: [client.because, { text: `${address} is outside of the mesh` }] };
  const proxy = proxyOf(facts, client);
  const outside = facts.entryFor(address, port);
  return agree(
    facts.clientRules.scopes.of(proxy).flatMap((sidecar): readonly Transport[] => {
      const asTransport = ({ is, because }: Sent): Transport => ({
        mode: is === 'nothing' ? 'refused' : is,
        because,
      });
      if (outside === undefined)
        return [
          asTransport(
            passThrough(
              facts,
              client,
              sidecar,
              port,
              `nothing in the registry knows ${address} on port ${port}`,
            ),
          ),
        ];
      const { entry } = outside;
      if (!client.takesOutbound(outside.port))
        return [{ mode: 'plaintext', because: [client.because, skipped(client, outside.port)] }];
      const { seen, by, path } = facts.clientRules.scopes.sees(proxy, sidecar, entry.host);
      if (seen === undefined || !seen.ports.includes(outside.port))
        return [asTransport(hidden(facts, client, sidecar, entry.host, outside.port, { by, path }))];
      const host = {
        name: entry.host,
        namespace: seen.entry.namespace,
        port: outside.port,
        labels: outside.endpoint?.labels ?? { labels: {}, open: 'none' as const },
      };
      return facts.clientRules.tls(proxy, host).map((rule): Transport => {
        const because: Because[] = [
          client.because,
          { object: entry.object, text: `${describeRule(entry.object)} knows ${address}` },
          ...(rule.odd === undefined ? [] : [rule.odd]),
        ];
        const set = stated(rule);
        if (set !== undefined) return asTransport({ is: set.is, because: [...because, set.said] });
        const own = facts.peers.modeOfNamespace(entry.namespace);
        const encrypts =
          !entry.external && facts.autoMtls && own.mode !== 'DISABLE' && outside.endpoint?.inMesh === true;
        return {
          mode: encrypts ? 'mtls' : 'plaintext',
          because: [
            ...because,
            {
              object: entry.object,
              text: entry.external
                ? `${entry.host} is said to be outside of the mesh: nothing is encrypted by itself`
                : encrypts
                  ? 'its endpoint is said to be in the mesh'
                  : 'nothing says that its endpoint is in the mesh',
            },
          ],
        };
      });
    }),
  );
}
