/**
 * Whether a connection is made, layer by layer: the packet by network policies, the transport by both sides' proxies,
 * the request by the policies of the server's proxy. Each layer says which object decided.
 */
import type { Answer, Connection, Network, Peer } from '#decide/network/network.ts';
import type { Because } from '#kube/objects.ts';
import type { Authorization, MeshRequest } from './authorize.ts';
import type { HostPeer, Mesh } from './mesh.ts';
import type { Transport } from './transport.ts';

export interface FlowQuery {
  readonly from: Peer;
  /** A workload, an address, or a host outside by its name. */
  readonly to: Peer | HostPeer;
  /** The destination pod's port. */
  readonly port: number;
  /** What is known of the request; left out where it may be anything. */
  readonly request?: Omit<MeshRequest, 'sourcePrincipal' | 'port'>;
}

export type LayerName = 'network' | 'transport' | 'authorization';

export interface Flow {
  readonly allowed: Answer;
  /** The first layer that refuses, or the first that leaves it open. */
  readonly decidedBy?: LayerName;
  readonly network: Connection;
  readonly transport: Transport;
  readonly authorization: Authorization;
  /** What the layers make of each other: rules that name an identity, where none arrives. */
  readonly notes: readonly Because[];
}

export { TUNNEL_PORT } from './tunnels.ts';

/**
 * @throws QueryError where the query names what does not exist
 */
export function deriveFlow(network: Network, mesh: Mesh, query: FlowQuery): Flow {
  const { from, to, port } = query;
  const transport = mesh.transport({ from, to, port });
  const packet = packetOf(network, mesh, query, transport);
  const authorization = authorize(mesh, query, transport);
  const layers: readonly (readonly [LayerName, Answer])[] = [
    ['network', packet.allowed],
    ['transport', transport.mode === 'refused' ? false : transport.mode === 'unknown' ? 'unknown' : true],
    ['authorization', authorization.allowed],
  ];
  const refused = layers.find(([, answer]) => answer === false);
  const open = layers.find(([, answer]) => answer === 'unknown');
  const decidedBy = (refused ?? open)?.[0];
  return {
    allowed: refused !== undefined ? false : open !== undefined ? 'unknown' : true,
    ...(decidedBy === undefined ? {} : { decidedBy }),
    network: packet,
    transport,
    authorization,
    notes: voidRules(mesh, query, transport),
  };
}

/** What the mesh puts into a tunnel goes to the tunnel's port, whatever port is meant inside. */
function packetOf(
  network: Network,
  mesh: Mesh,
  { from, to, port }: FlowQuery,
  { mode }: Transport,
): Connection {
  if ('host' in to) return packetOut(network, from, mesh.addressesOf(to.host), port);
  const plain = (): Connection => network.connection({ from, to, port });
  const inside = mode === 'mtls' || mode === 'unknown' ? mesh.tunnel(to, port) : undefined;
  if (inside === undefined) return plain();
  const tunnel = (): Connection => {
    const found = network.connection({ from, to, port: inside.port });
    return {
      ...found,
      because: [{ text: `the packet is for port ${inside.port}, ${inside.text}` }, ...found.because],
    };
  };
  if (mode === 'mtls') return tunnel();
  const answers = [plain(), tunnel()] as const;
  if (answers[0].allowed === answers[1].allowed) return answers[0];
  return { ...answers[0], allowed: 'unknown', because: answers.flatMap(({ because }) => because) };
}

/**
 * To a host outside: to its addresses where the input states them, else to any; certain where all have one answer. Where
 * policies tell IPv4 from IPv6 only, the answer is that of IPv4, and says so.
 */
function packetOut(network: Network, from: Peer, stated: readonly string[], port: number): Connection {
  const addresses =
    stated.length > 0
      ? stated
      : network
          .connections()
          .classes.flatMap(({ ranges }) => ranges.map(range => range.split(/[-/]/, 1)[0]!));
  const ask = (list: readonly string[]): Connection | undefined =>
    oneAnswer(list.map(ip => network.connection({ from, to: { ip }, port })));
  const [old, other] = [
    addresses.filter(ip => !ip.includes(':')),
    addresses.filter(ip => ip.includes(':')),
  ].map(ask);
  if (old === undefined) return other ?? network.connection({ from, to: { ip: '192.0.2.1' }, port });
  if (other === undefined || other.allowed === old.allowed || old.allowed === 'unknown') return old;
  const word = other.allowed === 'unknown' ? 'not certain' : other.allowed ? 'allowed' : 'denied';
  return { ...old, because: [...old.because, { text: `over IPv4; over IPv6 it is ${word}` }] };
}

function oneAnswer(answers: readonly Connection[]): Connection | undefined {
  const [first] = answers;
  const other = answers.find(({ allowed }) => allowed !== first?.allowed);
  if (first === undefined || other === undefined) return first;
  return {
    ...first,
    allowed: 'unknown',
    egress: 'unknown',
    because: [
      { text: 'which addresses it has is not in the input, and policies tell addresses apart' },
      ...first.because,
      ...other.because,
    ],
  };
}

function authorize(mesh: Mesh, query: FlowQuery, transport: Transport): Authorization {
  const { from, to, port } = query;
  const own = mesh.member(from);
  const address = 'ip' in from ? from.ip : own.address;
  const request = {
    ...(address === undefined ? {} : { sourceIP: address }),
    ...query.request,
    port,
  };
  if ('host' in to)
    return {
      allowed: true,
      outcome: 'allowed',
      because: [{ text: `${to.host} is outside: nothing of the mesh restricts it there` }],
    };
  const ask = (sourcePrincipal: string | null | undefined): Authorization =>
    mesh.authorize({
      workload: to,
      request: { ...request, sourcePrincipal },
      // Only ztunnel leads its clients to a waypoint; sidecars and gateways go past it.
      ...(own.dataplane === 'ambient' ? {} : { via: 'pod' as const }),
    });
  const identity = (transport.identity ?? own.identity)?.replace(/^spiffe:\/\//, '');
  switch (transport.mode) {
    case 'mtls':
      return ask(identity);
    case 'plaintext':
    case 'tls':
    case 'refused':
      return ask(transport.mode === 'refused' ? identity : null);
    case 'unknown': {
      const answers = [ask(null), ask(identity)] as const;
      if (answers[0].allowed === answers[1].allowed) return answers[0];
      return {
        allowed: 'unknown',
        outcome: 'unknown',
        because: [
          { text: 'it depends on whether the client proves its identity' },
          ...answers.flatMap(({ because }) => because),
        ],
      };
    }
  }
}

/** Rules that name clients by identity, where the connection comes without one. */
function voidRules(mesh: Mesh, { to, port }: FlowQuery, { mode }: Transport): Because[] {
  if ((mode !== 'plaintext' && mode !== 'tls') || 'host' in to) return [];
  return mesh.identityRules(to, port).map(({ because, action }) => ({
    ...because,
    text:
      action === 'DENY'
        ? `${because.text} denies by identity, and the connection comes without one: it does not hold here`
        : `${because.text} allows by identity, and the connection comes without one: it cannot match`,
  }));
}
