/**
 * Records in lines of words: ztunnel's text log, Envoy's access log, flow logs of Amazon's VPCs, Calico's flow logs of older
 * kind, and metrics of Istio.
 *
 * Sources: istio pilot/pkg/model/telemetry_logging.go (EnvoyTextLogFormat); Amazon VPC, flow log records (version 2 and
 * custom formats); Calico documentation, flow log format; Prometheus exposition formats; istio.io, standard metrics.
 */
import { type FlowLine, flowOf, isReply, known, type Recognised, UNNAMED } from './flow.ts';
import { fromEnvoy, fromZtunnel } from './json.ts';
import { fromVpcWords } from './vpc.ts';

/** What `kubectl logs --prefix` puts before a line. */
const PREFIX = /^\[pod\/([a-z0-9.-]{1,253})\/[a-z0-9-]{1,63}\]\s*/;

export function fromText(line: string, vpc: readonly string[] | undefined): Recognised {
  const prefix = PREFIX.exec(line);
  const rest = prefix === null ? line : line.slice(prefix[0].length);
  if (rest.includes('src.addr=')) return known(fromZtunnel(pairsOf(rest)));
  if (/^\[[^\]]{1,40}\] "/.test(rest))
    return known(envoyLine(rest, prefix === null ? undefined : `?/${prefix[1]}`));
  const metric = /^([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)(?:\s+\d+)?$/.exec(rest);
  if (
    metric !== null &&
    (metric[2] !== undefined || /^[+-]?(?:[\d.]+(?:e[+-]?\d+)?|NaN|Inf)$/i.test(metric[3]!))
  )
    return known(fromMetric(metric[1]!, metric[2] ?? '', Number(metric[3])));
  if (/^\d{9,11} \d{9,11} (?:wep|net|ns|hep) /.test(rest)) return known(calicoLine(rest));
  return fromVpcWords(rest, vpc);
}

/** `key=value` and `key="value"`. */
function pairsOf(line: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, key = '', quoted, plain] of line.matchAll(/([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g))
    found[key] = quoted ?? plain ?? '';
  return found;
}

/** The words of Envoy's line, those in quotes whole. */
const ENVOY = [
  'request',
  'response_code',
  'response_flags',
  'response_code_details',
  'connection_termination_details',
  'upstream_transport_failure_reason',
  'bytes_received',
  'bytes_sent',
  'duration',
  'upstream_service_time',
  'x_forwarded_for',
  'user_agent',
  'request_id',
  'authority',
  'upstream_host',
  'upstream_cluster',
  'upstream_local_address',
  'downstream_local_address',
  'downstream_remote_address',
  'requested_server_name',
  'route_name',
];

function envoyLine(line: string, pod: string | undefined): FlowLine {
  const words = [...line.slice(line.indexOf(']') + 1).matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
  // Before Istio 1.8 there was one field less.
  if (words.length < ENVOY.length - 1) return 'it is not the access log that Istio writes by default';
  const record = Object.fromEntries(ENVOY.map((name, index) => [name, words[index] ?? '-']));
  return fromEnvoy(record, pod);
}

function calicoLine(line: string): FlowLine {
  // Labels are in brackets, and the only thing that may hold a space.
  const words = [...line.matchAll(/\[[^\]]*\]|\S+/g)].map(([word]) => word);
  const [
    ,
    ,
    sourceType,
    sourceSpace,
    source,
    ,
    type,
    space,
    destination,
    ,
    sourceIp,
    ip,
    protocol,
    sourcePort,
    port,
  ] = words;
  if (words.includes('deny')) return undefined;
  const side = (kind = '', namespace = '', name = '', address = ''): string =>
    kind === 'wep' && name !== '-' ? `${namespace}/${name.replace(/-?\*$/, '')}` : address.replace(/^-$/, '');
  const from = side(sourceType, sourceSpace, source, sourceIp);
  const to = side(type, space, destination, ip);
  if (from === '' || to === '') return UNNAMED.aggregated;
  if (isReply(Number(sourcePort) || 0, Number(port))) return undefined;
  return flowOf(from, to, Number(port), protocol ?? '');
}

/** Istio's counters of requests and connections; other metrics of the same page are nobody's connection. */
function fromMetric(name: string, labels: string, value: number): FlowLine {
  if (!/^istio_(?:requests_total|tcp_connections_opened_total)$/.test(name)) return undefined;
  if (!(value > 0)) return undefined;
  const found: Record<string, string> = {};
  for (const [, key = '', text = ''] of labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g))
    found[key] = text;
  // Refused by the proxy: nobody needs it.
  if (/UAEX|NR|NC/.test(found['response_flags'] ?? '')) return undefined;
  const isKnown = (text: string | undefined): text is string =>
    text !== undefined && text !== '' && text !== 'unknown' && text !== '-';
  const workload = (side: 'source' | 'destination'): string | undefined => {
    const [namespace, own] = [found[`${side}_workload_namespace`], found[`${side}_workload`]];
    return isKnown(namespace) && isKnown(own) ? `${namespace}/${own}` : undefined;
  };
  const principal = found['source_principal'];
  const from = workload('source') ?? (isKnown(principal) ? principal : undefined);
  const service = found['destination_service'];
  const to = workload('destination') ?? (isKnown(service) ? `service:${service}` : undefined);
  if (from === undefined || to === undefined) return UNNAMED.metric;
  return { from, to, protocol: 'TCP' };
}
