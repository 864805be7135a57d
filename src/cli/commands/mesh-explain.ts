/** `sallyport mesh explain`: one connection, decided layer by layer. */
import { oppositeOf } from '#advise/opposite.ts';
import { deriveFlow, type Flow, type FlowQuery, QueryError } from '#decide/mesh/door.ts';
import { toJson } from '#kube/json.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { type Cluster, clusterOf, peerOf, steps } from '../mesh.ts';
import { print } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const [from, to] = [parsed.value('from'), parsed.value('to')];
  if (from === undefined || to === undefined)
    throw new UsageError('explain needs --from and --to', 'for example: --from shop/cart --to shop/payments');
  const cluster = await clusterOf(parsed, parsed.operands);
  const source = peerOf(from, cluster);
  const destination = isHost(to) ? { host: to } : peerOf(to, cluster);
  const ports = portsAsked(parsed, to, cluster);
  const request = requestOf(parsed);
  const flows = ports.map(port => {
    const query: FlowQuery = { from: source, to: destination, port, request };
    try {
      return { port, query, flow: deriveFlow(cluster.network, cluster.mesh, query) };
    } catch (error) {
      if (error instanceof QueryError) throw new UsageError(error.message);
      throw error;
    }
  });
  if (parsed.value('format') === 'json')
    print(
      toJson(flows.map(({ port, query, flow }) => ({ port, ...asData(flow, query, { from, to }, cluster) }))),
    );
  else {
    for (const { query, flow } of flows) print(textOf({ from, to }, query, flow, cluster));
    print((await import('#report/mesh/text.ts')).assumedText(cluster.assumptions));
  }
  const answers = flows.map(({ flow }) => flow.allowed);
  return answers.includes(false) ? EXIT.findings : answers.includes('unknown') ? EXIT.unknown : EXIT.clean;
}

/** A name with dots and without a slash: no workload is written so, and no address. */
function isHost(text: string): boolean {
  return /^(?=.*[a-z])[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(text);
}

function portsAsked(parsed: Parsed, to: string, cluster: Cluster): number[] {
  const given = parsed.value('port');
  if (given !== undefined) {
    const port = Number(given);
    if (!/^\d+$/.test(given) || port < 1 || port > 65_535)
      throw new UsageError(`--port: "${given}" is not a port from 1 to 65535`);
    return [port];
  }
  if (isHost(to)) throw new UsageError(`${to} is outside: its ports are not known`, 'name one with --port');
  const peer = peerOf(to, cluster);
  const id = 'workload' in peer ? peer.workload : 'pod' in peer ? peer.pod : undefined;
  const own = cluster.network
    .connections()
    .classes.flatMap(({ members }) => members.filter(member => member.id === id));
  const ports = own
    .flatMap(member => member.ports ?? [])
    .filter(({ protocol }) => protocol === 'TCP')
    .map(({ port }) => port);
  if (ports.length === 0) throw new UsageError(`${to} declares no TCP port`, 'name one with --port');
  return [...new Set(ports)];
}

function requestOf(parsed: Parsed): { method?: string; path?: string } {
  const [method, path] = [parsed.value('method'), parsed.value('path')];
  return { ...(method === undefined ? {} : { method }), ...(path === undefined ? {} : { path }) };
}

function layersOf({ network, transport, authorization }: Flow) {
  return [
    { layer: 'network', says: word(network.allowed), because: network.because },
    { layer: 'transport', says: transport.mode, because: transport.because },
    { layer: 'authorization', says: word(authorization.allowed), because: authorization.because },
  ];
}

function word(answer: boolean | 'unknown'): string {
  return answer === 'unknown' ? 'unknown' : answer ? 'allowed' : 'denied';
}

function asData(flow: Flow, query: FlowQuery, asked: Asked, cluster: Cluster): object {
  return {
    allowed: flow.allowed,
    ...(flow.decidedBy === undefined ? {} : { decidedBy: flow.decidedBy }),
    ...(flow.transport.identity === undefined ? {} : { identity: flow.transport.identity }),
    layers: layersOf(flow).map(({ because, ...rest }) => ({ ...rest, because: steps(because, cluster) })),
    notes: steps(flow.notes, cluster),
    opposite: otherwise(flow, query, asked, cluster),
    assumptions: cluster.assumptions,
  };
}

function textOf(asked: Asked, query: FlowQuery, flow: Flow, cluster: Cluster): string {
  const lines = [`${asked.from} -> ${asked.to}:${query.port} is ${word(flow.allowed)}`];
  for (const { layer, says, because } of layersOf(flow)) {
    lines.push(`  ${layer.padEnd(14)} ${says}`);
    lines.push(...steps(because, cluster).map(step => `      ${step}`));
  }
  if (flow.transport.identity !== undefined) lines.push(`  identity       ${flow.transport.identity}`);
  if (flow.notes.length > 0) lines.push('  note', ...steps(flow.notes, cluster).map(step => `      ${step}`));
  lines.push(...otherwiseText(otherwise(flow, query, asked, cluster)));
  return `${lines.join('\n')}\n`;
}

/** What would have to be different for the other answer: lists of steps. */
function otherwise(flow: Flow, query: FlowQuery, { from, to }: Asked, cluster: Cluster): Otherwise {
  if (flow.allowed === 'unknown') return { unknown: stillOpen(flow, query) };
  const { is, lists } = oppositeOf(cluster.objects, query, flow, {
    from,
    to,
    mesh: cluster.meshOptions,
    ...(cluster.networkOptions === undefined ? {} : { network: cluster.networkOptions }),
  });
  const said = lists.map(list => steps(list, cluster));
  return is === 'close' ? { oneOf: said } : { allOf: said };
}

function stillOpen({ decidedBy }: Flow, { request }: FlowQuery): string {
  const bare = request?.method === undefined && request?.path === undefined;
  return decidedBy === 'authorization' && bare
    ? 'it may depend on the request: name it with --method and --path; else the input has to say what is unknown above'
    : 'the input has to say what is unknown above (see --assume)';
}

/** `oneOf`: each list is a way, with all of its steps. `allOf`: of each list one step is needed. */
type Otherwise =
  | { readonly unknown: string }
  | { readonly oneOf: readonly (readonly string[])[] }
  | { readonly allOf: readonly (readonly string[])[] };

function otherwiseText(said: Otherwise): string[] {
  if ('unknown' in said) return [`  to change it   ${said.unknown}`];
  const lines =
    'oneOf' in said
      ? said.oneOf.map(list => list.join('; and '))
      : said.allOf.map(list => list.join('; or '));
  const [only = 'nothing that is known'] = lines;
  if (lines.length < 2) return [`  to change it   ${only}`];
  return [
    `  to change it   ${'oneOf' in said ? 'one of these' : 'all of these'}`,
    ...lines.map(line => `      ${line}`),
  ];
}

interface Asked {
  readonly from: string;
  readonly to: string;
}
