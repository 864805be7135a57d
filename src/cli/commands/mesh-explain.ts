/** `sallyport mesh explain`: one connection, decided layer by layer. */
import { deriveFlow, QueryError } from '#decide/mesh/door.ts';
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
    try {
      return {
        port,
        flow: deriveFlow(cluster.network, cluster.mesh, { from: source, to: destination, port, request }),
      };
    } catch (error) {
      if (error instanceof QueryError) throw new UsageError(error.message);
      throw error;
    }
  });
  if (parsed.value('format') === 'json')
    print(toJson(flows.map(({ port, flow }) => ({ port, ...asData(flow, { from, to, port }, cluster) }))));
  else {
    for (const { port, flow } of flows) print(textOf(from, to, port, flow, cluster));
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

type Flow = ReturnType<typeof deriveFlow>;

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

function asData(flow: Flow, asked: Asked, cluster: Cluster): object {
  return {
    allowed: flow.allowed,
    ...(flow.decidedBy === undefined ? {} : { decidedBy: flow.decidedBy }),
    ...(flow.transport.identity === undefined ? {} : { identity: flow.transport.identity }),
    layers: layersOf(flow).map(({ because, ...rest }) => ({ ...rest, because: steps(because, cluster) })),
    notes: steps(flow.notes, cluster),
    opposite: opposite(flow, asked),
    assumptions: cluster.assumptions,
  };
}

function textOf(from: string, to: string, port: number, flow: Flow, cluster: Cluster): string {
  const lines = [`${from} -> ${to}:${port} is ${word(flow.allowed)}`];
  for (const { layer, says, because } of layersOf(flow)) {
    lines.push(`  ${layer.padEnd(14)} ${says}`);
    lines.push(...steps(because, cluster).map(step => `      ${step}`));
  }
  if (flow.transport.identity !== undefined) lines.push(`  identity       ${flow.transport.identity}`);
  if (flow.notes.length > 0) lines.push('  note', ...steps(flow.notes, cluster).map(step => `      ${step}`));
  lines.push(`  to change it   ${opposite(flow, { from, to, port })}`);
  return `${lines.join('\n')}\n`;
}

/** What would have to be different for the other answer. */
function opposite(
  { allowed, decidedBy, network, transport, authorization }: Flow,
  { from, to, port }: Asked,
): string {
  if (allowed === true)
    return `a NetworkPolicy that selects ${from} for egress, or ${to} for ingress, and does not let port ${port} through${transport.identity === undefined ? '' : `; or an AuthorizationPolicy for ${to} that does not name ${transport.identity}`}`;
  if (allowed === 'unknown') return 'the input has to say what is unknown above (see --assume)';
  if (decidedBy === 'transport') {
    const [last] = [...transport.because].reverse();
    return `client and server have to agree on how to encrypt${last === undefined ? '' : `; now: ${last.text}`}`;
  }
  if (decidedBy === 'authorization') {
    const denies = authorization.because.some(({ text }) => /denies/i.test(text));
    const who = transport.identity ?? 'callers without an identity';
    return denies
      ? 'the DENY rule above has to leave this out'
      : `an ALLOW rule for ${to} that lets ${who} come to port ${port}`;
  }
  const sides = [
    network.egress === true ? undefined : `egress of ${from}`,
    network.ingress === true ? undefined : `ingress of ${to}`,
  ].filter(side => side !== undefined);
  return sides.length === 0
    ? 'the two networks have to be joined'
    : `a policy that allows port ${port} in the ${sides.join(' and in the ')}`;
}

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}
