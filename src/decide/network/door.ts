/** Who may connect to whom in a cluster: the door `sallyport/network`. */
export type { EndpointClass } from './classes.ts';
export { type ChangedPair, type ChangedSide, compareNetworks, type NetworkChanges } from './compare.ts';
export type { Entry, Exposure, Exposures } from './exposure-types.ts';
export {
  type Answer,
  type Connection,
  createNetwork,
  exposure,
  type Network,
  type NetworkOptions,
  type Peer,
  type Query,
  QueryError,
} from './network.ts';
export { formatPorts, type PortRange, type PortSet, type Protocol } from './ports.ts';
export type { Connectivity, Pair } from './relation.ts';
