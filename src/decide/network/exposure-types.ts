/** The form of what is reachable from outside: entries, the ways inwards, and where they end. */
import type { Because, KubeObject } from '#kube/objects.ts';
import type { PodEndpoint } from './inventory.ts';
import type { Protocol } from './ports.ts';
import type { Target } from './services.ts';

export interface Entry {
  readonly is:
    | 'load-balancer'
    | 'node-port'
    | 'external-ip'
    | 'host-port'
    | 'host-network'
    | 'ingress'
    | 'route'
    | 'gateway'
    | 'istio-gateway';
  /** The port outside; undefined where it is given at run time, or is the controller's matter. */
  readonly port: number | undefined;
  /** The host names it answers to; empty: all. */
  readonly hosts: readonly string[];
  /** The addresses that it answers on, where they are stated. */
  readonly addresses: readonly string[];
}

export interface Exposure {
  readonly entry: Entry;
  /** The objects on the way inwards, by identity: Gateway, Route, Service. */
  readonly through: readonly KubeObject[];
  readonly workload: KubeObject;
  /** As in a {@link Peer}: `ns/name` of a pod, `ns/kind/name` of a workload. */
  readonly id: string;
  /** The pod's port. */
  readonly port: number;
  readonly protocol: Protocol;
  /** Whether the client's connection to the entry is TLS, and who ends it. */
  readonly tls: 'terminated' | 'passthrough' | 'none' | 'unknown';
  /** The blocks of addresses that may come; empty: all. */
  readonly sources: readonly string[];
  /** An annotation asks the cloud for an address that is not public. */
  readonly internal: boolean;
  /** What network policies say of the last step, from outside or from the proxy that takes the connection. */
  readonly reachable: boolean | 'unknown';
  /**
   * Where a proxy of the cluster takes the connection: its pods and workloads, as `id` names them; empty where the input
   * does not show them.
   */
  readonly proxies?: readonly string[];
}

export interface Exposures {
  readonly exposures: readonly Exposure[];
  /** References that lead nowhere, and what was not followed. */
  readonly gaps: readonly Because[];
}

/** A way that a proxy in the cluster opens to a Service. */
export interface ProxyRoute {
  readonly entry: Entry;
  readonly through: readonly KubeObject[];
  readonly target: Target;
  readonly tls: Exposure['tls'];
  /** The proxy's pods, where the input has them; else any pod of the cluster may be the proxy. */
  readonly proxies: readonly PodEndpoint[];
  readonly internal: boolean;
  readonly sources: readonly string[];
}
