/**
 * Records with named fields: JSON lines, or the rows of a CSV with a header.
 *
 * Sources: cilium api/v1/flow/flow.proto (Hubble); ztunnel src/proxy/metrics.rs (names of the log's fields); Calico, flow log
 * data types of its documentation (field names; `-` for what was aggregated away), and
 * whisker-backend/pkg/apis/v1/flows.go (FlowResponse); Istio, default access log
 * (istio pilot/pkg/model/telemetry_logging.go); Google Cloud, record format of VPC flow logs.
 */
import { isRecord, valueAt } from '#kube/objects.ts';
import {
  type FlowLine,
  FOREIGN,
  flowOf,
  isReply,
  known,
  type Recognised,
  splitAddress,
  UNNAMED,
} from './flow.ts';
import { fromAws, fromVpcWords } from './vpc.ts';

type Fields = Readonly<Record<string, unknown>>;

/** @param vpc the columns of VPC records, where a header named them */
export function fromJson(line: string, vpc: readonly string[] | undefined): FlowLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'it is no JSON';
  }
  if (!isRecord(value)) return 'it is none of the formats that are known';
  const hubble = value['flow'];
  if (isRecord(hubble)) return fromHubble(hubble);
  if (value['verdict'] !== undefined && isRecord(value['l4'])) return fromHubble(value);
  if (isRecord(value['lost_events'])) return UNNAMED.lost;
  if (isRecord(value['node_status'])) return undefined;
  const payload = value['jsonPayload'] ?? value['json_payload'];
  if (isRecord(payload)) return fromGoogle(payload);
  if (isRecord(value['connection']) && valueAt(value, ['connection', 'dest_ip']) !== undefined)
    return fromGoogle(value);
  const found = fromRecord(value);
  if (found.is === 'known') return found.flow;
  // CloudWatch puts the line of a VPC flow log into a message.
  const { message } = value;
  if (typeof message === 'string') {
    const inner = fromVpcWords(message, vpc);
    if (inner.is === 'known') return inner.flow;
  }
  return 'it is none of the formats that are known';
}

/** Records whose fields are flat: of ztunnel, Calico, Envoy, and tables of VPC flow logs. */
export function fromRecord(record: Fields): Recognised {
  if (record['dst.addr'] !== undefined) return known(fromZtunnel(record));
  if (record['dest_name_aggr'] !== undefined || record['dest_type'] !== undefined)
    return known(fromCalico(record));
  if (
    record['source_name'] !== undefined &&
    record['dest_name'] !== undefined &&
    record['reporter'] !== undefined
  )
    return known(fromWhisker(record));
  if (record['upstream_cluster'] !== undefined && record['downstream_remote_address'] !== undefined)
    return known(fromEnvoy(record));
  if (record['srcaddr'] !== undefined && record['dstaddr'] !== undefined) return known(fromAws(record));
  if (record['src_ip'] !== undefined && record['dest_ip'] !== undefined)
    return known(fromGoogle({ connection: record }));
  return FOREIGN;
}

function hasLabel(flow: Fields, label: string): boolean {
  const labels = valueAt(flow, ['source', 'labels']);
  return Array.isArray(labels) && labels.includes(label);
}

function fromHubble(flow: Fields): FlowLine {
  const verdict = flow['verdict'];
  if (verdict === 'DROPPED' || verdict === 'ERROR' || flow['is_reply'] === true) return undefined;
  // The node's own traffic, such as the probes of the kubelet: no policy keeps a node from its pods.
  if (hasLabel(flow, 'reserved:host')) return undefined;
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

/** ztunnel's log, whose fields are the same in JSON and in text. */
export function fromZtunnel(line: Fields): FlowLine {
  if (line['error'] !== undefined) return undefined;
  const side = (name: 'src' | 'dst'): unknown => {
    const [namespace, workload] = [line[`${name}.namespace`], line[`${name}.workload`]];
    if (typeof namespace === 'string' && typeof workload === 'string') return `${namespace}/${workload}`;
    return splitAddress(line[`${name}.addr`])?.address;
  };
  // In a tunnel the packet is for port 15008; the port that is meant stands beside it.
  const port = splitAddress(line['dst.hbone_addr'])?.port ?? splitAddress(line['dst.addr'])?.port;
  return flowOf(side('src'), side('dst'), port, 'TCP');
}

function fromCalico(record: Fields): FlowLine {
  const action = record['action'];
  if (action === 'deny') return undefined;
  const text = (field: string): string => {
    const value = record[field];
    return typeof value === 'string' && value !== '-' ? value : '';
  };
  const side = (name: 'source' | 'dest'): string => {
    const named = text(`${name}_name`) || text(`${name}_name_aggr`);
    if (text(`${name}_type`) === 'wep' && named !== '')
      return `${text(`${name}_namespace`)}/${named.replace(/-?\*$/, '')}`;
    return text(`${name}_ip`);
  };
  const [from, to] = [side('source'), side('dest')];
  if (from === '' || to === '') return UNNAMED.aggregated;
  const port = Number(record['dest_port']);
  const source = Number(record['source_port'] ?? 0);
  if (isReply(source, port)) return undefined;
  const protocol = String(record['proto'] ?? 'tcp').toUpperCase();
  if (/^(?:ICMP|ICMPV6|ICMP6|1|58)$/.test(protocol)) return undefined;
  return flowOf(from, to, port, protocol);
}

/** What Calico's Whisker shows: without addresses, and named by what made the pods. */
function fromWhisker(record: Fields): FlowLine {
  if (String(record['action']).toLowerCase() === 'deny') return undefined;
  const side = (name: 'source' | 'dest'): string => {
    const [namespace, own] = [record[`${name}_namespace`], record[`${name}_name`]];
    if (typeof namespace !== 'string' || typeof own !== 'string' || /^-?$/.test(namespace)) return '';
    return `${namespace}/${own.replace(/-?\*$/, '')}`;
  };
  const [from, to] = [side('source'), side('dest')];
  if (from === '' || to === '') return UNNAMED.aggregated;
  const protocol = String(record['protocol'] ?? 'tcp');
  if (/^icmp/i.test(protocol)) return undefined;
  return flowOf(from, to, Number(record['dest_port']), protocol);
}

/** One request of Envoy's access log: who asked whom, from the side of the client or of the server. */
export function fromEnvoy(record: Fields, pod?: string): FlowLine {
  const details = String(record['response_code_details'] ?? '');
  const termination = String(record['connection_termination_details'] ?? '');
  if (/rbac_access_denied/.test(details) || /rbac_access_denied/.test(termination)) return undefined;
  const upstream = splitAddress(record['upstream_host']);
  const [direction, port, , host] = String(record['upstream_cluster'] ?? '').split('|');
  const remote = splitAddress(record['downstream_remote_address'])?.address;
  if (direction === 'inbound') {
    const uri = record['downstream_peer_uri_san'];
    const from = typeof uri === 'string' && uri.startsWith('spiffe://') ? uri : remote;
    const local = splitAddress(record['downstream_local_address']);
    // What the client's proxy asked for stands in its name for the server: `outbound_.80_.SUBSET_.HOST`.
    const asked = /^outbound_\.(\d{1,5})_\.[^_]*_\.(.+)$/.exec(String(record['requested_server_name'] ?? ''));
    if (pod === undefined && asked !== null)
      return flowOf(from, `service:${asked[2]}`, Number(asked[1]), 'TCP');
    return flowOf(from, pod ?? local?.address, Number(port) || local?.port, 'TCP');
  }
  // No connection was made: no route, no healthy host, nothing known by the name.
  if (upstream === undefined) return undefined;
  const from = pod ?? remote;
  if (direction === 'outbound' && host !== undefined && host !== '')
    return flowOf(from, `service:${host}`, Number(port), 'TCP');
  return flowOf(from, upstream.address, upstream.port, 'TCP');
}

function fromGoogle(payload: Fields): FlowLine {
  const { disposition } = payload;
  if (disposition === 'DROPPED' || disposition === 'DENIED') return undefined;
  const connection = payload['connection'];
  const side = (name: 'src' | 'dest'): unknown => {
    const details = payload[`${name}_gke_details`];
    const namespace = valueAt(details, ['pod', 'pod_namespace']);
    const workload =
      valueAt(details, ['pod', 'pod_workload', 'workload_name']) ?? valueAt(details, ['pod', 'pod_name']);
    return typeof namespace === 'string' && typeof workload === 'string'
      ? `${namespace}/${workload}`
      : valueAt(connection, [`${name}_ip`]);
  };
  const port = Number(valueAt(connection, ['dest_port']));
  const source = Number(valueAt(connection, ['src_port']) ?? 0);
  const protocol = String(valueAt(connection, ['protocol']) ?? '6');
  if (/^(?:1|58)$/.test(protocol) || isReply(source, port)) return undefined;
  return flowOf(side('src'), side('dest'), port, protocol);
}
