/** Who is let in by the proxies of a mesh, encrypted or not, as whom: the door `sallyport/mesh`. */
export { type Peer, QueryError } from '#decide/network/network.ts';
export type { Authorization, IdentityRule, MeshRequest, PortProtocol, RefusedPolicies } from './authorize.ts';
export { deriveFlow, type Flow, type FlowQuery, type LayerName, TUNNEL_PORT } from './derive.ts';
export type { LinkerdDefault, LinkerdSettings } from './linkerd-settings.ts';
export type { Dataplane, MissingNamespaces } from './members.ts';
export {
  type AuthorizeQuery,
  createMesh,
  type HostPeer,
  type Inbound,
  type Mesh,
  type MeshOptions,
  type MeshWorkload,
  settingsOf,
  type TransportQuery,
  type WorkloadMembership,
} from './mesh.ts';
export type { MeshConfig, MeshSettings } from './mesh-config.ts';
export { type NormalizedPath, normalizePath, type PathNormalization, type PathOptions } from './paths.ts';
export type { TlsMode } from './peer-authentication.ts';
export { readPolicies } from './policies.ts';

export type { AuthorizationPolicy, Rule } from './policy.ts';

export { attachesWherever, coversRule } from './rule-cover.ts';
export type { Token } from './tokens.ts';
export { PROBES_OF_AMBIENT, type Transport } from './transport.ts';
export type { Tunnel } from './tunnels.ts';
export type { Waypoint } from './waypoints.ts';
export { type FateAtTunnel, fateAtTunnel } from './ztunnel-rules.ts';
