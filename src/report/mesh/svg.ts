/** Connections as a picture: namespaces as boxes, solid arrows encrypted, dashed plain, red exposed. */
import { cut } from '../columns.ts';
import { xml } from '../markup.ts';
import { type MapEdge, type MapWorkload, type MeshMap, sourceWords, TRAVEL_WORDS } from './map.ts';

const CARD = { width: 168, height: 34, gapX: 44, gapY: 14 };
const BOX = { pad: 18, head: 26, gap: 60 };

interface Placed {
  readonly workload: MapWorkload;
  readonly x: number;
  readonly y: number;
}

interface Box {
  readonly namespace: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly placed: readonly Placed[];
}

export function svgOf(map: MeshMap): string {
  const boxes = layOut(map);
  const width = Math.max(300, ...boxes.map(box => box.x + box.width)) + BOX.pad;
  const height = Math.max(120, ...boxes.map(box => box.y + box.height)) + BOX.pad;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui,sans-serif" font-size="13" role="img" aria-label="Connections">
<rect width="100%" height="100%" fill="#fff"/><defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#59626c"/></marker></defs>
${boxes.map(boxMarkup).join('\n')}
${edgesMarkup(map, boxes)}
${boxes.flatMap(({ placed }) => placed.map(one => card(one, map))).join('\n')}
</svg>
`;
}

/** Callers stand left of those they call; namespaces fill rows of about equal width. */
function layOut({ workloads, edges }: MeshMap): Box[] {
  const ranks = ranksOf(workloads, edges);
  const shapes = [...Map.groupBy(workloads, ({ namespace }) => namespace)].map(([namespace, own]) => {
    const columns = columnsOf(own, ranks);
    const tallest = Math.max(...columns.map(({ length }) => length));
    return {
      namespace,
      columns,
      width: columns.length * (CARD.width + CARD.gapX) - CARD.gapX + 2 * BOX.pad,
      height: tallest * (CARD.height + CARD.gapY) - CARD.gapY + 2 * BOX.pad + BOX.head,
    };
  });
  const area = shapes.reduce((sum, { width, height }) => sum + (width + BOX.gap) * (height + BOX.gap), 0);
  const limit = Math.max(Math.sqrt(area * 1.6), ...shapes.map(({ width }) => width));
  const boxes: Box[] = [];
  let [x, y, row] = [BOX.pad, BOX.pad, 0];
  for (const { namespace, columns, width, height } of shapes) {
    if (x > BOX.pad && x + width > limit) [x, y, row] = [BOX.pad, y + row + BOX.gap, 0];
    const [left, top] = [x, y];
    const placed = columns.flatMap((column, i) =>
      column.map((workload, j) => ({
        workload,
        x: left + BOX.pad + i * (CARD.width + CARD.gapX),
        y: top + BOX.pad + BOX.head + j * (CARD.height + CARD.gapY),
      })),
    );
    boxes.push({ namespace, x, y, width, height, placed });
    x += width + BOX.gap;
    row = Math.max(row, height);
  }
  return boxes;
}

/** Steps from the outside, along connections of single callers. */
function ranksOf(workloads: readonly MapWorkload[], edges: readonly MapEdge[]): ReadonlyMap<string, number> {
  const called = new Set(edges.map(({ to }) => to));
  const next = Map.groupBy(edges, ({ from }) => from);
  const ranks = new Map<string, number>();
  let layer = workloads
    .filter(({ id, exposed }) => exposed.length > 0 || !called.has(id))
    .map(({ id }) => id);
  for (let rank = 0; layer.length > 0; rank++) {
    for (const id of layer) ranks.set(id, rank);
    const following = layer.flatMap(id => (next.get(id) ?? []).map(({ to }) => to));
    layer = [...new Set(following)].filter(id => !ranks.has(id));
  }
  return ranks;
}

/** At most so many in a column that the box is no wider than high by much. */
function columnsOf(own: readonly MapWorkload[], ranks: ReadonlyMap<string, number>): MapWorkload[][] {
  const most = Math.max(4, Math.ceil(Math.sqrt(own.length * 2)));
  const byRank = Map.groupBy(own, ({ id }) => ranks.get(id) ?? Number.MAX_SAFE_INTEGER);
  return [...byRank]
    .sort(([a], [b]) => a - b)
    .flatMap(([, list]) =>
      Array.from({ length: Math.ceil(list.length / most) }, (_, i) => list.slice(i * most, (i + 1) * most)),
    );
}

function boxMarkup({ namespace, x, y, width, height }: Box): string {
  return `<g class="ns" data-ns="${xml(namespace)}"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="#f6f6f3" stroke="#c9ccc6"/><text x="${x + BOX.pad}" y="${y + 26}" font-weight="600" fill="#59626c">${xml(cut(namespace, Math.floor(width / 9)))}</text></g>`;
}

function card({ workload, x, y }: Placed, { edges }: MeshMap): string {
  const { id, namespace, name, mesh, exposed, outside } = workload;
  const into = edges.filter(({ to }) => to === id);
  const open = into.filter(({ from }) => from === '*');
  const stroke = exposed.length > 0 ? '#c2271e' : open.length > 0 ? '#e3a02a' : '#8d949b';
  const title = [
    id,
    ...exposed.map(way => `exposed: ${way}`),
    ...into.map(({ from, port, travel }) => `${port} from ${sourceWords(from)}, ${TRAVEL_WORDS[travel]}`),
    ...outside.map(({ to, ports }) => `to ${to}, ${ports}`),
  ].join('\n');
  const badge =
    mesh === 'none'
      ? ''
      : `<circle cx="${x + CARD.width - 12}" cy="${y + 17}" r="4" fill="${mesh === 'unknown' ? '#c9ccc6' : '#26733a'}"/>`;
  const bad = exposed.length > 0 || open.length > 0;
  // Line breaks are wanted here, and only here: each line is made safe by itself.
  const said = title.split('\n').map(xml).join('\n');
  return `<g class="w" tabindex="0" data-id="${xml(id)}" data-ns="${xml(namespace)}" data-bad="${bad}" data-ports="${xml(into.map(({ port }) => port).join(' '))}"><title>${said}</title><rect x="${x}" y="${y}" width="${CARD.width}" height="${CARD.height}" rx="7" fill="#fff" stroke="${stroke}" stroke-width="${bad ? 2 : 1}"/><text x="${x + 10}" y="${y + 22}">${xml(cut(name, 20))}</text>${badge}</g>`;
}

function edgesMarkup({ edges }: MeshMap, boxes: readonly Box[]): string {
  const places = new Map(boxes.flatMap(({ placed }) => placed.map(one => [one.workload.id, one])));
  const frames = new Map(boxes.map(box => [`${box.namespace}/*`, box]));
  const joined = Map.groupBy(
    edges.filter(({ from }) => from !== '*'),
    ({ from, to, travel }) => `${from}\0${to}\0${travel}`,
  );
  return [...joined.values()]
    .map(list => {
      const [{ from, to, travel }] = list as [MapEdge];
      const end = places.get(to);
      const start = places.get(from);
      const frame = frames.get(from);
      if (end === undefined || (start === undefined && frame === undefined)) return '';
      // From the frame of the own namespace an arrow would cross everything: a short one from its edge says it.
      const [x1, y1] =
        start !== undefined
          ? [start.x + CARD.width, start.y + CARD.height / 2]
          : frame!.x < end.x && frame!.x + frame!.width > end.x
            ? [end.x - 16, end.y + CARD.height / 2]
            : [frame!.x + frame!.width, frame!.y + 20];
      const [x2, y2] = [end.x, end.y + CARD.height / 2];
      const bend = Math.max(16, Math.min(120, Math.abs(x2 - x1) / 2));
      const dash =
        travel === 'plaintext'
          ? ' stroke-dasharray="5 4"'
          : travel === 'unknown'
            ? ' stroke-dasharray="1 4"'
            : '';
      const ports = list.map(({ port }) => port).join(' ');
      return `<path class="e" data-from="${xml(from)}" data-to="${xml(to)}" d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" fill="none" stroke="#59626c" stroke-opacity=".65"${dash} marker-end="url(#a)"><title>${xml(`${sourceWords(from)} to ${to}, ${ports}, ${TRAVEL_WORDS[travel]}`)}</title></path>`;
    })
    .filter(text => text !== '')
    .join('\n');
}
