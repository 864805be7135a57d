/**
 * Where a change of a rendered object can be written down in its chart: in the values that the place comes from, in a
 * value that the template would take it from, or in the template where it is literal text. These are only proposals,
 * likely ones first: each is proven by rendering the chart again.
 */
import type { Change } from '#check/change.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import type { ChartOrigin, WrittenLine } from '#sources/helm/declared.ts';
import { EditRefused } from '#sources/manifests/edit.ts';
import type { Rendering } from '#sources/manifests/rendering.ts';
import type { EditRequest } from '#yaml/edit.ts';
import { readDocuments } from '#yaml/read.ts';
import { wordsFor } from './proof.ts';
import { editable, edited, type Files, keyAt, lineOf, type Proposal } from './texts.ts';

/** Each proposal costs a rendering; what is not found among these is left to a person. */
export const MOST_PROPOSALS = 14;

export interface ChartPlace {
  readonly origin: ChartOrigin;
  readonly rendering: Rendering;
  readonly environments: readonly string[];
  readonly files: Files;
}

/** @param change of the object that was rendered */
export function* chartProposals(place: ChartPlace, change: Change): Generator<Proposal> {
  const known = new Set<string>();
  for (const proposal of all(place, change)) {
    const key = `${proposal.file}\0${proposal.line}\0${proposal.words}`;
    if (known.has(key)) continue;
    known.add(key);
    if (known.size > MOST_PROPOSALS) return;
    yield proposal;
  }
}

function* all(place: ChartPlace, change: Change): Generator<Proposal> {
  const { path: found, located } = place.origin.locator.nearest(change.path);
  const rest = change.path.slice(found.length);
  if (rest.length === 0) yield* ofExisting(place, change, located.key?.line ?? located.value.line);
  else if (change.op === 'remove') return;
  else {
    yield* besideValues(place, change, found);
    yield* byReference(place, change, found);
  }
  yield* inLiteral(place, change, found);
  if (rest.length > 0) yield* besideLiteral(place, change, found);
}

/** The value stands in what was rendered: it is changed where it was written. */
function* ofExisting(place: ChartPlace, change: Change, line: number): Generator<Proposal> {
  const { files, origin } = place;
  for (const value of (origin.writtenAt(line)?.values ?? []).toReversed()) {
    const key = keyAt(files, value);
    if (key === undefined) continue;
    yield inValues(files, value.file, key.document, { ...change, path: key.path }, change);
    if (change.op === 'remove')
      yield inValues(files, value.file, key.document, { op: 'set', path: key.path, value: false }, change);
  }
  // A value that an environment leaves to the chart's own: it can say it itself.
  for (const value of (origin.writtenAt(line)?.values ?? []).toReversed())
    for (const file of environmentFiles(place)) {
      const key = keyAt(files, value);
      if (file === value.file || key === undefined || change.op === 'append') continue;
      const value_ = change.op === 'set' ? change.value : false;
      yield inValues(files, file, 0, { op: 'set', path: key.path, value: value_ }, change);
    }
}

/** The mapping above is written by values, its other keys among them: the new one goes beside those. */
function* besideValues({ origin, files }: ChartPlace, change: Change, found: Path): Generator<Proposal> {
  const rest = change.path.slice(found.length);
  for (const { step, located } of origin.locator.children(found)) {
    const value = origin.writtenAt((located.key ?? located.value).line)?.values.at(-1);
    const key = value === undefined ? undefined : keyAt(files, value);
    if (key === undefined || key.path.at(-1) !== step) continue;
    const path = [...key.path.slice(0, -1), ...rest];
    yield inValues(files, value!.file, key.document, asSet({ ...change, path }), change);
    break;
  }
  // `securityContext: {}`, as toYaml prints what holds nothing yet.
  const { located } = origin.locator.nearest(found);
  if (/^(?:\{\s*\}|\[\s*\]|null|~|)$/.test(origin.text.slice(located.value.start, located.value.end)))
    for (const value of (origin.writtenAt(located.value.line)?.values ?? []).toReversed()) {
      const key = keyAt(files, value);
      if (key === undefined) continue;
      const path = [...key.path, ...rest];
      yield inValues(files, value.file, key.document, asSet({ ...change, path }), change);
    }
}

/** A value that the template would take it from, if it were there: it bears the name of what is missing. */
function* byReference(place: ChartPlace, change: Change, found: Path): Generator<Proposal> {
  const { origin, files, rendering } = place;
  const references: { readonly path: readonly string[]; readonly distance: number }[] = [];
  const above = origin.writtenAt(origin.locator.nearest(found).located.entry.line)?.template;
  const templates = new Set([above?.file, origin.template].filter(file => file !== undefined));
  for (const { file, line, values } of origin.leftOut())
    for (const value of values) {
      const key = keyAt(files, value);
      if (key === undefined) continue;
      for (const path of matched(key.path.map(String), change, found))
        if (value.file.endsWith('values.yaml') || environmentFiles(place).includes(value.file))
          references.push({ path, distance: file === above?.file ? near(line, above.line) : FAR });
    }
  for (const file of templates)
    for (const [index, line] of (files.read(file) ?? '').split('\n').entries())
      for (const [, reference] of line.matchAll(/\.Values((?:\.[A-Za-z_]\w*)+)/g))
        for (const path of matched(reference!.slice(1).split('.'), change, found))
          references.push({ path, distance: file === above?.file ? near(index + 1, above.line) : FAR });
  references.sort((a, b) => a.distance - b.distance);
  const own = `${rendering.folder === '' ? '' : `${rendering.folder}/`}values.yaml`;
  // The values of a chart inside of the chart are its own file's.
  const inner = /^(.*\/charts\/[^/]+)\/templates\//.exec(above?.file ?? '')?.[1];
  for (const { path } of references)
    for (const file of [
      ...(inner === undefined ? [own] : [`${inner}/values.yaml`]),
      ...environmentFiles(place),
    ]) {
      const request = asSet({ ...change, path });
      yield inValues(files, file, 0, request, change);
    }
}

const FAR = 100_000;

/** What follows the place is likelier meant than what stands before it. */
const near = (line: number, from: number): number => (line >= from ? line - from : (from - line) * 4);

/** The paths in the values at which a change would be written, if a reference stands for a piece of its path. */
function* matched(reference: readonly string[], change: Change, found: Path): Generator<readonly string[]> {
  const last = reference.at(-1)?.toLowerCase() ?? '';
  for (let at = found.length; at < change.path.length; at++) {
    const step = String(change.path[at]).toLowerCase();
    const rest = change.path.slice(at + 1);
    if (last.endsWith(step) && rest.every(one => typeof one === 'string')) yield [...reference, ...rest];
  }
  // A mapping that is there and was left out in part: `{{ with .Values.securityContext.seccompProfile }}`.
  const above = found.at(-1);
  if (typeof above === 'string' && last.endsWith(above.toLowerCase())) {
    const rest = change.path.slice(found.length);
    if (rest.every(one => typeof one === 'string')) yield [...reference, ...(rest as string[])];
  }
}

function environmentFiles({ rendering, environments }: ChartPlace): string[] {
  return [...new Set(environments.flatMap(one => [...rendering.valueFilesOf(one)].reverse()))];
}

function asSet(request: EditRequest): EditRequest {
  return request.op === 'append' ? { op: 'set', path: request.path, value: [request.value] } : request;
}

function inValues(
  files: Files,
  file: string,
  document: number,
  request: EditRequest,
  change: Change,
): Proposal {
  const line = lineOf(files, file, document, request.path);
  const said = request.op === 'remove' ? { ...change, path: request.path } : (request as Change);
  return {
    file,
    line,
    words: wordsFor(said, 0),
    make: () => new Map([[file, edited(files, file, document, [request])]]),
  };
}

/** Lines that the template itself holds, as they come out: what stands there can be edited as any YAML. */
function* inLiteral({ origin, files }: ChartPlace, change: Change, found: Path): Generator<Proposal> {
  const rendered = origin.text.split('\n');
  for (let depth = found.length; depth > 0; depth--) {
    const step = found[depth - 1]!;
    const { entry } = origin.locator.nearest(found.slice(0, depth)).located;
    const last = entry.endColumn === 1 ? entry.endLine - 1 : entry.endLine;
    const block = literalBlock(files, rendered, line => origin.writtenAt(line), entry.line, last);
    if (block === undefined) return;
    // The block begins with the entry's own line: a list item is a list of one, a key a mapping of one.
    const first = rendered[entry.line - 1]!.trimStart();
    if (typeof step === 'number' ? !first.startsWith('- ') : !startsWithKey(first, step)) continue;
    const rival =
      depth === change.path.length ? undefined : rivalBeside(files, origin, found, change.path[found.length]);
    const inner = [typeof step === 'number' ? 0 : step, ...change.path.slice(depth)];
    const request: EditRequest = { ...change, path: inner };
    const isGone = change.op === 'remove' && depth === change.path.length;
    yield {
      file: block.file,
      line: block.from,
      words: wordsFor(change, Math.max(0, change.path.length - (change.path.length - depth) - 1)),
      make: () => {
        const text = editable(files, block.file);
        const lines = text.split('\n');
        const own = lines.slice(block.from - 1, block.to).join('\n');
        if (rival !== undefined)
          throw new EditRefused(`the template may write ${rival.key} itself in line ${rival.line}`);
        return new Map([
          [block.file, spliced(lines, block, isGone ? '' : editedFragment(files, block.file, own, request))],
        ]);
      },
    };
    return;
  }
}

const startsWithKey = (line: string, key: string): boolean =>
  [`${key}:`, `"${key}":`, `'${key}':`].some(start => line.startsWith(start));

/** A line that would write the same key into the same mapping, if a condition let it. */
function rivalBeside(
  files: Files,
  origin: ChartOrigin,
  found: Path,
  key: string | number | undefined,
): { readonly key: string; readonly line: number } | undefined {
  if (typeof key !== 'string') return undefined;
  for (const { located } of origin.locator.children(found)) {
    const template = origin.writtenAt((located.key ?? located.value).line)?.template;
    if (template === undefined) continue;
    const line = rivalOf((files.read(template.file) ?? '').split('\n'), template.line, key);
    return line === undefined ? undefined : { key, line };
  }
  return undefined;
}

interface Block {
  readonly file: string;
  /** Lines of the template, from 1, both inclusive. */
  readonly from: number;
  readonly to: number;
}

function literalBlock(
  files: Files,
  rendered: readonly string[],
  writtenAt: (line: number) => WrittenLine | undefined,
  from: number,
  to: number,
): Block | undefined {
  const first = writtenAt(from)?.template;
  if (first === undefined) return undefined;
  const lines = (files.read(first.file) ?? '').split('\n');
  let shift: number | undefined;
  for (let line = from; line <= to; line++) {
    const text = (rendered[line - 1] ?? '').trimEnd();
    const own = (lines[first.line + line - from - 1] ?? '').trimEnd();
    const written = writtenAt(line)?.template;
    if (!isWrittenAs(own, text)) return undefined;
    if (text.trim() === '') continue;
    // What an action puts into a line comes from elsewhere, and so does the place that is known for it.
    const isHere = written?.file === first.file && written.line === first.line + line - from;
    if (!isHere && !own.includes('{{')) return undefined;
    // `nindent` moves a block as a whole.
    const moved = indentOf(text) - indentOf(own);
    if (shift !== undefined && moved !== shift) return undefined;
    shift = moved;
  }
  return { file: first.file, from: first.line, to: first.line + to - from };
}

const ACTION = /\{\{.*?\}\}/g;

/** Whether a line of a template, with whatever its actions put into it, is the line that came out. */
function isWrittenAs(own: string, text: string): boolean {
  if (!own.includes('{{')) return own.trim() === text.trim();
  const parts = own.trim().split(ACTION);
  // A line of nothing but actions may have become many lines, or none.
  if (/[{}]{2}/.test(parts.join('')) || parts.join('').trim() === '' || /\bn?indent\b/.test(own))
    return false;
  const line = text.trim();
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  if (!line.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = line.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return line.length - last.length >= at && line.endsWith(last);
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** A piece of a template as a file of its own. @throws EditRefused */
function editedFragment(files: Files, name: string, text: string, request: EditRequest): string {
  // The break behind the last line is not part of the piece, but the half of it that a line keeps is.
  const ending = text.endsWith('\r') ? '\r' : '';
  const actions: string[] = [];
  // A word that stands for each action: in quotes and without them it is a text.
  const masked = text.replace(ACTION, action => `xq${actions.push(action) - 1}qx`);
  const alone: Files = {
    read: () => masked.slice(0, masked.length - ending.length),
    mayEdit: files.mayEdit,
  };
  const after = edited(alone, name, 0, [request]) + ending;
  if (actions.some((_, index) => !after.includes(`xq${index}qx`)))
    throw new EditRefused('what a value decides there would be fixed for all');
  return after.replace(/xq(\d+)qx/g, (word, index: string) => actions[Number(index)] ?? word);
}

function spliced(lines: readonly string[], { from, to }: Block, text: string): string {
  return [...lines.slice(0, from - 1), ...(text === '' ? [] : [text]), ...lines.slice(to)].join('\n');
}

/**
 * The template writes the keys beside it: the new one goes below one of those, which is neither in a condition nor in a
 * loop that the others are not in.
 */
function* besideLiteral({ origin, files }: ChartPlace, change: Change, found: Path): Generator<Proposal> {
  const rest = change.path.slice(found.length);
  const [key] = rest;
  if (typeof key !== 'string') return;
  const rendered = origin.text.split('\n');
  const places: {
    readonly file: string;
    readonly line: number;
    readonly below: boolean;
    readonly weight: number;
  }[] = [];
  for (const [index, { step, located }] of origin.locator.children(found).entries()) {
    if (located.key === undefined) continue;
    const { template } = origin.writtenAt(located.key.line) ?? {};
    if (template === undefined) continue;
    const own = (files.read(template.file) ?? '').split('\n')[template.line - 1];
    if (own === undefined) continue;
    const dashed = own.trimStart().startsWith('- ');
    if (
      !own
        .trimStart()
        .replace(/^(?:- +)+/, '')
        .startsWith(`${step}:`)
    )
      continue;
    const depth = blockDepth(files.read(template.file)!, template.line);
    const oneLine =
      located.value.endLine === located.key.line &&
      /\S/.test(own.slice(own.indexOf(':') + 1)) &&
      !/\bn?indent\b/.test(own) &&
      !/[|>][+-]?\d?\s*$/.test(own) &&
      rendered[located.key.line - 1]!.trim().startsWith(dashed ? '- ' : String(step));
    if (oneLine) places.push({ ...template, below: true, weight: depth * 1000 - index });
    else if (!dashed) places.push({ ...template, below: false, weight: depth * 1000 + 500 + index });
  }
  places.sort((a, b) => a.weight - b.weight);
  for (const { file, line, below } of places) {
    const lines = (files.read(file) ?? '').split('\n');
    const rival = rivalOf(lines, line, key);
    const from = found.length;
    yield {
      file,
      line,
      words: `${wordsFor(change, from)} ${below ? 'below' : 'above'} this line`,
      make: () => {
        if (rival !== undefined)
          throw new EditRefused(`the template may write ${key} itself in line ${rival}`);
        const own = editable(files, file).split('\n');
        const at = below ? line : line - 1;
        const column = /^\s*(?:- +)*/.exec(own[line - 1]!)![0].length;
        const ending = own[line - 1]!.endsWith('\r') ? '\r' : '';
        const value = change.op === 'append' ? [change.value] : (change as { readonly value: unknown }).value;
        const fresh = blockOf(rest, value).map(text => `${' '.repeat(column)}${text}${ending}`);
        return new Map([[file, [...own.slice(0, at), ...fresh, ...own.slice(at)].join('\n')]]);
      },
    };
  }
}

/** The lines of a new key with a value below it. */
function blockOf(path: Path, value: unknown): string[] {
  const lines: string[] = [];
  path.forEach((step, depth) => {
    const name = `${'  '.repeat(depth)}${String(step)}:`;
    if (depth < path.length - 1) lines.push(name);
    else lines.push(...belowKey(name, value, '  '.repeat(depth + 1)));
  });
  return lines;
}

function belowKey(name: string, value: unknown, indent: string): string[] {
  if (isRecord(value) && Object.keys(value).length > 0)
    return [
      name,
      ...Object.entries(value).flatMap(([key, item]) => belowKey(`${indent}${key}:`, item, `${indent}  `)),
    ];
  if (Array.isArray(value) && value.length > 0 && value.every(item => typeof item !== 'object'))
    return [name, ...value.map(item => `${indent}- ${plain(item)}`)];
  return [`${name} ${plain(value)}`];
}

function plain(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z][\w./-]*$/.test(value)) {
    const [read] = readDocuments(value);
    if (read?.is === 'value' && read.value === value) return value;
  }
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? Number(item) : item));
}

/** How many conditions, loops and definitions of a template are open at a line. */
function blockDepth(text: string, line: number): number {
  const above = text
    .split('\n')
    .slice(0, line - 1)
    .join('\n')
    .replace(/\{\{-?\s*\/\*[\s\S]*?\*\/\s*-?\}\}/g, '');
  let depth = 0;
  for (const [, word] of above.matchAll(/\{\{-?\s*(if|with|range|define|block|end)\b/g))
    depth += word === 'end' ? -1 : 1;
  return Math.max(0, depth);
}

/** Another line of the same mapping that would write the key, if a condition let it. */
function rivalOf(lines: readonly string[], from: number, key: string): number | undefined {
  const column = /^\s*(?:- +)*/.exec(lines[from - 1] ?? '')![0].length;
  const scan = (at: number, by: 1 | -1): number | undefined => {
    for (let i = at; i >= 0 && i < lines.length; i += by) {
      const line = lines[i]!;
      if (line.trim() === '' || /^\s*(?:\{\{|#)/.test(line)) continue;
      const own = /^\s*(?:- +)*/.exec(line)![0].length;
      if (own < column) return undefined;
      if (own === column && line.slice(own).startsWith(`${key}:`)) return i + 1;
      // The first key of a list item: what stands before it belongs to another one, and so does what follows a dash.
      if (own === column && line.trimStart().startsWith('- ') && by < 0) return undefined;
      if (own === column && by > 0 && line.trimStart().startsWith('- ')) return undefined;
    }
    return undefined;
  };
  if ((lines[from - 1] ?? '').trimStart().startsWith('- ')) return scan(from, 1);
  return scan(from - 2, -1) ?? scan(from, 1);
}
