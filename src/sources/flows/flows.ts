/**
 * Observed flows: Hubble's JSON lines (`hubble observe -o json`), ztunnel's JSON log, and CSV with the columns from, to,
 * port and protocol. Replies, and what was dropped, are no needs.
 */
import { isRecord, valueAt } from '#kube/objects.ts';

/** A connection that was seen. Sides are `namespace/name` of a pod or workload, or an address. */
export interface ObservedFlow {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

export interface Flows {
  readonly flows: readonly ObservedFlow[];
  /** Lines that could not be read, with the reason. */
  readonly gaps: readonly { readonly line: number; readonly reason: string }[];
}

const LONGEST_LINE = 2 ** 20;

export function readFlows(text: string): Flows {
  const found = new Map<string, ObservedFlow>();
  const gaps: { line: number; reason: string }[] = [];
  let columns: readonly string[] = ['from', 'to', 'port', 'protocol'];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const gap = (reason: string): number => gaps.push({ line: index + 1, reason });
    if (line.length > LONGEST_LINE) {
      gap('the line is too long');
      continue;
    }
    let flow: ObservedFlow | string | undefined;
    if (line.startsWith('{')) flow = fromJson(line);
    else {
      const cells = line.split(',').map(cell => cell.trim().replace(/^"(.*)"$/, '$1'));
      if (cells.some(cell => cell.toLowerCase() === 'port')) {
        columns = cells.map(cell => cell.toLowerCase());
        continue;
      }
      const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
      flow = flowOf(cell('from'), cell('to'), Number(cell('port')), cell('protocol') || 'TCP');
    }
    if (typeof flow === 'string') gap(flow);
    else if (flow !== undefined) found.set(JSON.stringify(flow), flow);
  }
  return { flows: [...found.values()], gaps };
}

function flowOf(from: unknown, to: unknown, port: unknown, protocol: string): ObservedFlow | string {
  if (typeof from !== 'string' || typeof to !== 'string' || from === '' || to === '')
    return 'it does not say who connects to whom';
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    return 'its port is none from 1 to 65535';
  const upper = protocol.toUpperCase();
  if (upper !== 'TCP' && upper !== 'UDP' && upper !== 'SCTP') return `protocol "${upper}" is not known`;
  return { from, to, port, protocol: upper };
}

/** @returns undefined for what is no connection that was made, a text for what cannot be read */
function fromJson(line: string): ObservedFlow | string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'it is no JSON';
  }
  const hubble = valueAt(value, ['flow']);
  if (isRecord(hubble)) return fromHubble(hubble);
  if (valueAt(value, ['dst.addr']) !== undefined) return fromZtunnel(value);
  return 'it is none of the formats that are known';
}

function fromHubble(flow: Readonly<Record<string, unknown>>): ObservedFlow | string | undefined {
  const verdict = flow['verdict'];
  if (verdict === 'DROPPED' || verdict === 'ERROR' || flow['is_reply'] === true) return undefined;
  const l4 = flow['l4'];
  const protocol = isRecord(l4) ? Object.keys(l4).find(key => /^(?:TCP|UDP|SCTP)$/.test(key)) : undefined;
  if (protocol === undefined) return undefined;
  const side = (name: 'source' | 'destination'): unknown => {
    const namespace = valueAt(flow, [name, 'namespace']);
    const workload = valueAt(flow, [name, 'workloads', 0, 'name']) ?? valueAt(flow, [name, 'pod_name']);
    return typeof namespace === 'string' && namespace !== '' && typeof workload === 'string'
      ? `${namespace}/${workload}`
      : valueAt(flow, ['IP', name]);
  };
  return flowOf(side('source'), side('destination'), valueAt(l4, [protocol, 'destination_port']), protocol);
}

function fromZtunnel(line: unknown): ObservedFlow | string | undefined {
  const at = (key: string): unknown => valueAt(line, [key]);
  if (at('error') !== undefined) return undefined;
  const side = (name: 'src' | 'dst'): unknown => {
    const [namespace, workload] = [at(`${name}.namespace`), at(`${name}.workload`)];
    if (typeof namespace === 'string' && typeof workload === 'string') return `${namespace}/${workload}`;
    const address = at(`${name}.addr`);
    return typeof address === 'string' ? address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') : undefined;
  };
  const address = at('dst.addr');
  const port = typeof address === 'string' ? Number(/:(\d+)$/.exec(address)?.[1]) : undefined;
  return flowOf(side('src'), side('dst'), port, 'TCP');
}
