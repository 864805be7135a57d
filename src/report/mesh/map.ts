/** Who reaches whom, as plain data: what every picture and table of connections is made from. */

/** How a connection travels. */
export type Travel = 'mtls' | 'tls' | 'plaintext' | 'unknown';

export interface MapWorkload {
  /** `ns/kind/name`, or `ns/name` of a pod. */
  readonly id: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly mesh: 'istio' | 'linkerd' | 'none' | 'unknown';
  /** The identity that its proxy proves. */
  readonly identity?: string;
  /** The ways in from outside of the cluster, in words. */
  readonly exposed: readonly string[];
  /** What of the outside it may reach: addresses with ports. */
  readonly outside: readonly { readonly to: string; readonly ports: string }[];
}

/** Connections to one port of one workload that travel alike. */
export interface MapEdge {
  /** A workload's id, `ns/*` for all of a namespace, or `*` for all workloads of the input. */
  readonly from: string;
  readonly to: string;
  /** `8080/TCP`. */
  readonly port: string;
  readonly travel: Travel;
  /** `some`: it depends on the request; `unknown`: on something that the input does not say. */
  readonly allowed: 'yes' | 'some' | 'unknown';
}

export interface MeshMap {
  readonly workloads: readonly MapWorkload[];
  readonly edges: readonly MapEdge[];
  readonly assumptions: readonly string[];
}

export const TRAVEL_WORDS: Readonly<Record<Travel, string>> = {
  mtls: 'mTLS',
  tls: 'TLS',
  plaintext: 'plain text',
  unknown: 'encryption unknown',
};

/** The sources of an edge in words. */
export function sourceWords(from: string): string {
  if (from === '*') return 'every workload';
  return from.endsWith('/*') ? `namespace ${from.slice(0, -2)}` : from;
}
