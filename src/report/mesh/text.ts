/** Connections for people: by namespace and workload, callers joined that do the same. */
import { safe } from '../safe.ts';
import { wrapped } from '../style.ts';
import { type MapEdge, type MapWorkload, type MeshMap, sourceWords, TRAVEL_WORDS } from './map.ts';

const WIDTH = 80;

export function textOf({ workloads, edges, assumptions }: MeshMap): string {
  const lines: string[] = [];
  const into = new Map<string, MapEdge[]>();
  for (const edge of edges) into.set(edge.to, [...(into.get(edge.to) ?? []), edge]);
  let namespace: string | undefined;
  for (const workload of workloads) {
    if (workload.namespace !== namespace) {
      if (namespace !== undefined) lines.push('');
      namespace = workload.namespace;
      lines.push(`Namespace ${safe(namespace)}`);
    }
    lines.push(...workloadLines(workload, into.get(workload.id) ?? []));
  }
  if (workloads.length === 0) lines.push('No workloads in what was asked for.');
  return `${lines.join('\n')}\n${assumedText(assumptions)}`;
}

/** What an answer takes for granted, as the last lines of a text; empty where nothing. */
export function assumedText(assumptions: readonly string[]): string {
  if (assumptions.length === 0) return '';
  const lines = assumptions.flatMap(text => indented(`- ${safe(text)}`, 2));
  return `\n${['Assumed', ...lines].join('\n')}\n`;
}

function workloadLines(workload: MapWorkload, edges: readonly MapEdge[]): string[] {
  const { kind, name, mesh, exposed, outside } = workload;
  const lines = [`  ${safe(kind)} ${safe(name)}${mesh === 'none' ? '' : ` (${mesh})`}`];
  for (const way of exposed) lines.push(...indented(`exposed   ${safe(way)}`, 4, 14));
  const byPort = new Map<string, Map<string, string[]>>();
  for (const { port, from, travel, allowed } of edges) {
    const condition = allowed === 'yes' ? '' : allowed === 'some' ? ', some requests' : ', not certain';
    const how = `${TRAVEL_WORDS[travel]}${condition}`;
    const hows = byPort.get(port) ?? new Map<string, string[]>();
    byPort.set(port, hows);
    hows.set(how, [...(hows.get(how) ?? []), sourceWords(from)]);
  }
  for (const [port, hows] of byPort)
    for (const [how, sources] of hows)
      lines.push(...indented(`${port.padEnd(9)} from ${safe(sources.join(', '))} [${how}]`, 4, 14));
  if (edges.length === 0) lines.push('    nobody reaches a port that it declares');
  for (const { to, ports } of outside) lines.push(...indented(`outside   ${safe(to)}, ${ports}`, 4, 14));
  if (outside.length === 0) lines.push('    outside   nothing');
  return lines;
}

function indented(text: string, first: number, next = first + 2): string[] {
  const leading = /^\S+\s+/.exec(text)?.[0] ?? '';
  const rest = text.slice(leading.length);
  return wrapped(rest, WIDTH - next).map((line, index) =>
    index === 0 ? `${' '.repeat(first)}${leading}${line}` : `${' '.repeat(next)}${line}`,
  );
}
