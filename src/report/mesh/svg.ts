/** Connections as a picture: namespaces as boxes, solid arrows encrypted, dashed plain, red exposed. */
import { cut, cutWithin } from '../columns.ts';
import { xml } from '../markup.ts';
import { type MapEdge, type MapWorkload, type MeshMap, sourceWords, TRAVEL_WORDS } from './map.ts';

interface Sizes {
  readonly card: {
    readonly width: number;
    readonly height: number;
    readonly gapX: number;
    readonly gapY: number;
  };
  readonly box: { readonly pad: number; readonly head: number; readonly gap: number };
  readonly font: number;
  /** Letters of a name on a card. */
  readonly letters: number;
}

const ROOMY: Sizes = {
  card: { width: 168, height: 34, gapX: 44, gapY: 14 },
  box: { pad: 18, head: 26, gap: 60 },
  font: 13,
  letters: 20,
};
/** Large letters on small cards: so many workloads are still read where the whole fills a screen. */
const DENSE: Sizes = {
  card: { width: 178, height: 30, gapX: 28, gapY: 7 },
  box: { pad: 14, head: 30, gap: 32 },
  font: 20,
  letters: 14,
};
const MANY = 60;
/** Width to height of what a screen leaves for the picture. */
const SCREEN = 2.1;

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
  const sizes = map.workloads.length > MANY ? DENSE : ROOMY;
  const boxes = layOut(map, sizes);
  const width = Math.max(300, ...boxes.map(box => box.x + box.width)) + sizes.box.pad;
  const height = Math.max(120, ...boxes.map(box => box.y + box.height)) + sizes.box.pad;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui,sans-serif" font-size="${sizes.font}" role="img" aria-label="Connections">
<rect width="100%" height="100%" fill="#fff"/><defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#59626c"/></marker></defs>
${boxes.map(box => boxMarkup(box, sizes)).join('\n')}
${edgesMarkup(map, boxes, sizes)}
${cards(map, boxes, sizes)}
</svg>
`;
}

interface Shape {
  readonly namespace: string;
  readonly columns: readonly (readonly MapWorkload[])[];
  readonly width: number;
  readonly height: number;
}

/** Callers stand left of those they call; namespaces fill rows of about equal width. */
function layOut({ workloads, edges }: MeshMap, sizes: Sizes): Box[] {
  const { card, box } = sizes;
  const ranks = ranksOf(workloads, edges);
  const shapes = [...Map.groupBy(workloads, ({ namespace }) => namespace)].map(([namespace, own]): Shape => {
    const columns = sizes === DENSE ? fullColumns(own, ranks) : columnsOf(own, ranks);
    const tallest = Math.max(...columns.map(({ length }) => length));
    const wide = columns.length * (card.width + card.gapX) - card.gapX;
    return {
      namespace,
      columns,
      width: Math.max(wide, card.width) + 2 * box.pad,
      height: tallest * (card.height + card.gapY) - card.gapY + 2 * box.pad + box.head,
    };
  });
  return rowsOf(shapes, bestLimit(shapes, sizes), sizes).map(({ shape, x, y }) => ({
    namespace: shape.namespace,
    width: shape.width,
    height: shape.height,
    x,
    y,
    placed: shape.columns.flatMap((column, i) =>
      column.map((workload, j) => ({
        workload,
        x: x + box.pad + i * (card.width + card.gapX),
        y: y + box.pad + box.head + j * (card.height + card.gapY),
      })),
    ),
  }));
}

function rowsOf(
  shapes: readonly Shape[],
  limit: number,
  { box }: Sizes,
): { readonly shape: Shape; readonly x: number; readonly y: number }[] {
  let [x, y, row] = [box.pad, box.pad, 0];
  return shapes.map(shape => {
    if (x > box.pad && x + shape.width > limit) [x, y, row] = [box.pad, y + row + box.gap, 0];
    const place = { shape, x, y };
    x += shape.width + box.gap;
    row = Math.max(row, shape.height);
    return place;
  });
}

/** The width of the rows with which the whole is largest on a screen: one of the widths of the first so many boxes. */
function bestLimit(shapes: readonly Shape[], sizes: Sizes): number {
  let [best, least, limit] = [0, Number.POSITIVE_INFINITY, sizes.box.pad];
  // Beyond that many in a row no screen is wide enough.
  for (const shape of shapes.slice(0, 40)) {
    limit += shape.width + sizes.box.gap;
    const rows = rowsOf(shapes, limit, sizes);
    const width = Math.max(...rows.map(({ shape: one, x }) => x + one.width));
    const height = Math.max(...rows.map(({ shape: one, y }) => y + one.height));
    const size = Math.max(width / SCREEN, height);
    if (size < least) [best, least] = [limit, size];
  }
  return best;
}

/** Columns that are full but for the last, in the order of the steps. */
function fullColumns(own: readonly MapWorkload[], ranks: ReadonlyMap<string, number>): MapWorkload[][] {
  const rank = ({ id }: MapWorkload): number => ranks.get(id) ?? Number.MAX_SAFE_INTEGER;
  const sorted = own.toSorted((a, b) => rank(a) - rank(b));
  const { width, height, gapX, gapY } = DENSE.card;
  const rows = Math.ceil(Math.sqrt((own.length * (width + gapX)) / ((height + gapY) * SCREEN)));
  return Array.from({ length: Math.ceil(own.length / rows) }, (_, i) =>
    sorted.slice(i * rows, (i + 1) * rows),
  );
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

function boxMarkup({ namespace, x, y, width, height }: Box, { box, font }: Sizes): string {
  return `<g class="ns" data-ns="${xml(namespace)}"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="#f6f6f3" stroke="#c9ccc6"/><text x="${x + box.pad}" y="${y + font + 13}" font-weight="600" fill="#59626c">${xml(cut(namespace, Math.floor((width * 1.4) / font)))}</text></g>`;
}

function cards({ edges }: MeshMap, boxes: readonly Box[], sizes: Sizes): string {
  const into = Map.groupBy(edges, ({ to }) => to);
  return boxes
    .flatMap(({ placed }) => placed.map(one => card(one, into.get(one.workload.id) ?? [], sizes)))
    .join('\n');
}

function card({ workload, x, y }: Placed, into: readonly MapEdge[], sizes: Sizes): string {
  const { id, namespace, name, mesh, exposed, outside } = workload;
  const { width, height } = sizes.card;
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
      : `<circle cx="${x + width - 12}" cy="${y + height / 2}" r="4" fill="${mesh === 'unknown' ? '#c9ccc6' : '#26733a'}"/>`;
  const bad = exposed.length > 0 || open.length > 0;
  // Line breaks are wanted here, and only here: each line is made safe by itself.
  const said = title.split('\n').map(xml).join('\n');
  return `<g class="w" tabindex="0" data-id="${xml(id)}" data-ns="${xml(namespace)}" data-bad="${bad}" data-open="${open.length > 0}" data-ports="${xml(into.map(({ port }) => port).join(' '))}"><title>${said}</title><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="7" fill="#fff" stroke="${stroke}" stroke-width="${bad ? (sizes === DENSE ? 4 : 2) : 1}"/><text x="${x + 10}" y="${y + Math.round(height / 2 + sizes.font * 0.36)}">${xml(cutWithin(name, sizes.letters - (badge === '' ? 0 : 2)))}</text>${badge}</g>`;
}

function edgesMarkup({ edges }: MeshMap, boxes: readonly Box[], sizes: Sizes): string {
  const { width, height } = sizes.card;
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
          ? [start.x + width, start.y + height / 2]
          : frame!.x < end.x && frame!.x + frame!.width > end.x
            ? [end.x - 16, end.y + height / 2]
            : [frame!.x + frame!.width, frame!.y + 20];
      const [x2, y2] = [end.x, end.y + height / 2];
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
