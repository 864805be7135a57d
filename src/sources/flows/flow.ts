/** One observed connection, and how the readers of single formats answer. */

/**
 * A connection that was seen. A side is `namespace/name` of a pod or workload, an address, `spiffe://…` of a client that
 * proved it, or `service:HOST` where a Service was asked.
 */
export interface ObservedFlow {
  readonly from: string;
  readonly to: string;
  /** That of the Service where one was asked; left out where the record does not say: every port of it. */
  readonly port?: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** Undefined for what is no connection that was made, a text for what cannot be read. */
export type FlowLine = ObservedFlow | string | undefined;

/** Connections that were seen, and of which the record does not say who met whom: they are missing from what was read. */
export const UNNAMED = {
  side: 'it does not say who connects to whom',
  aggregated: 'the address of one side was aggregated away',
  metric: 'the metric does not say who asked whom',
  lost: 'Hubble lost events here',
} as const;

/** A record of a format that was recognised, or none. */
export type Recognised = { readonly is: 'known'; readonly flow: FlowLine } | { readonly is: 'foreign' };

export const FOREIGN: Recognised = { is: 'foreign' };

export function known(flow: FlowLine): Recognised {
  return { is: 'known', flow };
}

const PROTOCOLS: Readonly<Record<string, ObservedFlow['protocol']>> = {
  TCP: 'TCP',
  UDP: 'UDP',
  SCTP: 'SCTP',
  '6': 'TCP',
  '17': 'UDP',
  '132': 'SCTP',
};

/** @param protocol by name, or by the number that IANA gave it */
export function flowOf(from: unknown, to: unknown, port: unknown, protocol: string): FlowLine {
  if (typeof from !== 'string' || typeof to !== 'string' || from === '' || to === '') return UNNAMED.side;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    return 'its port is none from 1 to 65535';
  const upper = protocol.toUpperCase();
  const found = Object.hasOwn(PROTOCOLS, upper) ? PROTOCOLS[upper] : undefined;
  if (found === undefined) return `protocol "${upper.slice(0, 40)}" is not known`;
  return { from, to, port, protocol: found };
}

/** From here on ports are those that clients get at random. Source: Linux, net.ipv4.ip_local_port_range. */
const FIRST_EPHEMERAL = 32_768;

/** Whether a packet is the answer of a server: it comes from a known port and goes to a random one. */
export function isReply(sourcePort: number, destinationPort: number): boolean {
  return sourcePort > 0 && sourcePort < FIRST_EPHEMERAL && destinationPort >= FIRST_EPHEMERAL;
}

/** `10.0.0.1:80`, `[::1]:80`. */
export function splitAddress(text: unknown): { address: string; port: number } | undefined {
  if (typeof text !== 'string') return undefined;
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9a-fA-F.:]*?)):(\d{1,5})$/.exec(text);
  const address = found?.[1] ?? found?.[2];
  return address === undefined || address === '' ? undefined : { address, port: Number(found![3]) };
}
