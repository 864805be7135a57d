/** Connections for programs: CSV, Graphviz DOT, Mermaid. */
import { safe } from '../safe.ts';
import { type MapEdge, type MeshMap, sourceWords, TRAVEL_WORDS } from './map.ts';

export function csvOf({ edges, workloads }: MeshMap): string {
  const rows = edges.map(({ from, to, port, travel, allowed }) => [from, to, port, travel, allowed]);
  for (const { id, exposed, outside } of workloads) {
    for (const way of exposed) rows.push(['outside', id, way, 'unknown', 'yes']);
    for (const { to, ports } of outside) rows.push([id, to, ports, 'unknown', 'yes']);
  }
  return `${[['from', 'to', 'port', 'transport', 'allowed'], ...rows].map(row => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** Quoted, and never a formula: a spreadsheet runs what begins like one. */
function cell(text: string): string {
  const shown = safe(text);
  const inert = /^[=+\-@]/.test(shown) ? `'${shown}` : shown;
  return `"${inert.replaceAll('"', '""')}"`;
}

export function dotOf(map: MeshMap): string {
  const names = numbered();
  const lines = ['digraph mesh {', '  rankdir=LR; node [shape=box, fontname="sans-serif"];'];
  for (const [namespace, workloads] of byNamespace(map)) {
    lines.push(`  subgraph ${dot(`cluster_${namespace}`)} {`, `    label=${dot(namespace)};`);
    for (const { id, name, exposed } of workloads)
      lines.push(`    ${names(id)} [label=${dot(name)}${exposed.length > 0 ? ', color=red' : ''}];`);
    lines.push('  }');
  }
  lines.push(...more(map).map(from => `  ${names(from)} [label=${dot(sourceWords(from))}, shape=oval];`));
  for (const edge of merged(map)) {
    const style = edge.travel === 'plaintext' ? 'dashed' : edge.travel === 'unknown' ? 'dotted' : 'solid';
    lines.push(`  ${names(edge.from)} -> ${names(edge.to)} [label=${dot(edge.port)}, style=${style}];`);
  }
  const exposed = map.workloads.filter(({ exposed }) => exposed.length > 0);
  if (exposed.length > 0) lines.push('  outside [shape=oval, color=red];');
  lines.push(...exposed.map(({ id }) => `  outside -> ${names(id)} [color=red];`), '}');
  return `${lines.join('\n')}\n`;
}

function dot(text: string): string {
  return `"${safe(text).replace(/["\\]/g, '\\$&')}"`;
}

export function mermaidOf(map: MeshMap): string {
  const names = numbered();
  const lines = ['flowchart LR'];
  for (const [namespace, workloads] of byNamespace(map)) {
    lines.push(`  subgraph ${names(`namespace ${namespace}`)}[${mermaid(namespace)}]`);
    for (const { id, name } of workloads) lines.push(`    ${names(id)}[${mermaid(name)}]`);
    lines.push('  end');
  }
  lines.push(...more(map).map(from => `  ${names(from)}([${mermaid(sourceWords(from))}])`));
  for (const edge of merged(map)) {
    const arrow = edge.travel === 'plaintext' || edge.travel === 'unknown' ? '-.->' : '-->';
    lines.push(
      `  ${names(edge.from)} ${arrow}|${mermaid(`${edge.port} ${TRAVEL_WORDS[edge.travel]}`)}| ${names(edge.to)}`,
    );
  }
  const exposed = map.workloads.filter(({ exposed }) => exposed.length > 0);
  if (exposed.length > 0)
    lines.push('  outside([outside])', '  classDef exposed stroke:#c2271e,stroke-width:2px');
  for (const { id } of exposed) lines.push(`  outside ==> ${names(id)}`, `  class ${names(id)} exposed`);
  return `${lines.join('\n')}\n`;
}

/** Mermaid reads entities in quoted text: whatever could end the quote or be markup is written as one. */
function mermaid(text: string): string {
  return `"${safe(text).replace(/[^\w ./:,*-]/gu, character => `#${character.codePointAt(0)};`)}"`;
}

function byNamespace({ workloads }: MeshMap): Map<string, MeshMap['workloads'][number][]> {
  const found = new Map<string, MeshMap['workloads'][number][]>();
  for (const workload of workloads) {
    const list = found.get(workload.namespace);
    if (list === undefined) found.set(workload.namespace, [workload]);
    else list.push(workload);
  }
  return found;
}

/** Sources that are no single workload of the map. */
function more({ workloads, edges }: MeshMap): string[] {
  const known = new Set(workloads.map(({ id }) => id));
  return [...new Set(edges.map(({ from }) => from))].filter(from => !known.has(from));
}

/** One arrow for the ports between two ends that travel alike. */
function merged({ edges }: MeshMap): MapEdge[] {
  const found = new Map<string, MapEdge>();
  for (const edge of edges) {
    const key = `${edge.from}\0${edge.to}\0${edge.travel}`;
    const known = found.get(key);
    found.set(key, known === undefined ? edge : { ...known, port: `${known.port}, ${edge.port}` });
  }
  return [...found.values()];
}

function numbered(): (id: string) => string {
  const numbers = new Map<string, string>();
  return id => {
    const name = numbers.get(id) ?? `n${numbers.size + 1}`;
    numbers.set(id, name);
    return name;
  };
}
