/**
 * Where each piece of the output came from. While a template runs, every printed piece is noted with its place in the
 * template, the values that it was made of, and, where an include or a toYaml gave it, the lines of those.
 */
import type { ActionNode, AnyNode, BranchNode, PipeNode, Source, TextNode } from './nodes.ts';
import { show } from './nodes.ts';
import { LaterPlace } from './read-values.ts';
import type { GoMap, Place, Value } from './value.ts';
import type { WrittenYaml } from './yaml-write.ts';

/** A place in a template file. */
export interface TemplatePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A part of a line that came from one place of a template. */
export interface Span {
  /** Offsets in the line; the end is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly template: TemplatePlace;
  /** The values it was made of, the one that decides it last. */
  readonly values: readonly Place[];
  /** What is given by helm, as `.Release.Name`. */
  readonly given: readonly string[];
  /** It is what stands for a value that is not set: the values that are not. */
  readonly instead: readonly string[];
  /** A function whose result is new at every run. */
  readonly unresolved: string | undefined;
  /** It is text of the template as it stands. */
  readonly literal: boolean;
}

/** What a line of the output came from. */
export interface LineOrigin {
  /** The place in a template file. */
  readonly template: TemplatePlace;
  /** The values that stand on the line, the one that decides it last. */
  readonly values: readonly Place[];
  /** A function whose result is new at every run. */
  readonly unresolved: string | undefined;
  /** The parts of the line, in order. */
  readonly spans: readonly Span[];
}

/** A block that was left out, or taken, by a condition. */
export interface BranchTaken {
  readonly file: string;
  readonly line: number;
  readonly condition: string;
  readonly taken: boolean;
  readonly values: readonly Place[];
  /** The line of the output, from 0, at which the block stands or would stand. */
  readonly outputLine: number;
}

interface Piece {
  readonly text: string;
  /** Where it, or the action that printed it, begins; no node, for with one would stay its whole tree. */
  readonly at: number;
  readonly source: Source;
  readonly file: string;
  readonly literal: boolean;
  readonly action: Action | undefined;
}

/** A part of a line that still waits for the place of the action that prints it. */
type Part = Omit<Span, 'template'> & { readonly template: TemplatePlace | undefined };

/** A line that a function gave, and may stand in the text that is printed in the end. */
interface Candidate {
  /** Without the spaces around it. */
  readonly text: string;
  /** Their offsets count from the first letter. */
  readonly parts: readonly Part[];
}

/** What may be told of an action; what it means for the lists below is worked out when somebody asks. */
type Told =
  | { readonly is: 'value'; readonly place: Place }
  | { readonly is: 'later'; readonly place: LaterPlace; readonly otherwise: Action | undefined }
  | { readonly is: 'given'; readonly name: string }
  | { readonly is: 'instead'; readonly missing: AnyNode | undefined }
  | { readonly is: 'insteadOf'; readonly words: string }
  | { readonly is: 'used'; readonly carried: Action }
  | { readonly is: 'template'; readonly output: Output; readonly text: string }
  | { readonly is: 'yaml'; readonly written: WrittenYaml; readonly mayBeNew: boolean }
  | { readonly is: 'unresolved'; readonly name: string };

/** What an action is made of. */
interface Known {
  readonly values: Place[];
  readonly given: string[];
  readonly instead: string[];
  readonly inner: Candidate[];
  unresolved: string | undefined;
}

const NOTHING: Readonly<Known> = { values: [], given: [], instead: [], inner: [], unresolved: undefined };

/**
 * What was read, and what functions gave, while something is worked out. Most of it nobody ever asks for, so it is only
 * noted, and put together for the first one who does.
 */
class Action {
  /** The last key that a map did not have. */
  missing: AnyNode | undefined;
  /** How many actions hang on each other that are not put together yet. */
  depth = 0;
  /** Something that is new at every run may be in it: told at once, so that where there is none nobody looks. */
  mayBeNew = false;
  /** What was told and is not put together yet: most actions are told nothing. */
  #told: Told[] | undefined;
  #known: Known | undefined;

  constructor(told?: Told[]) {
    this.#told = told;
    if (told?.some(one => one.is === 'unresolved') === true) this.mayBeNew = true;
  }

  /** Nothing was told. */
  get isEmpty(): boolean {
    return this.#told === undefined && this.#known === undefined;
  }

  tell(one: Told): void {
    if (this.#told === undefined) this.#told = [one];
    else this.#told.push(one);
    if (mayBeNew(one)) this.mayBeNew = true;
    const depth =
      one.is === 'used'
        ? one.carried.depth
        : one.is === 'template'
          ? one.output.depth
          : one.is === 'later'
            ? Math.max(one.place.depth, one.otherwise?.depth ?? 0)
            : -1;
    if (depth < this.depth) return;
    this.depth = depth + 1;
    // What hangs on each other in a long chain is put together link by link: the call stack has an end.
    if (this.depth > MOST_LINKS) this.#know();
  }

  /** As it is now, whatever is told later. */
  copy(): Action {
    const copy = new Action(this.#told === undefined ? undefined : [...this.#told]);
    copy.depth = this.depth;
    copy.mayBeNew = this.mayBeNew;
    const known = this.#known;
    if (known !== undefined)
      copy.#known = {
        values: [...known.values],
        given: [...known.given],
        instead: [...known.instead],
        inner: [...known.inner],
        unresolved: known.unresolved,
      };
    return copy;
  }

  get values(): readonly Place[] {
    return this.#know().values;
  }

  get given(): readonly string[] {
    return this.#know().given;
  }

  get instead(): readonly string[] {
    return this.#know().instead;
  }

  /** Texts of templates and of YAML that were made on the way. */
  get inner(): readonly Candidate[] {
    return this.#know().inner;
  }

  get unresolved(): string | undefined {
    return this.#know().unresolved;
  }

  #know(): Readonly<Known> {
    const told = this.#told;
    if (told === undefined) return this.#known ?? NOTHING;
    this.#known ??= { values: [], given: [], instead: [], inner: [], unresolved: undefined };
    this.#told = undefined;
    this.depth = 0;
    for (const one of told) this.#learn(one, this.#known);
    return this.#known;
  }

  #learn(one: Told, known: Known): void {
    switch (one.is) {
      case 'value':
        known.values.push(one.place);
        break;
      case 'later': {
        const place = one.place.settled;
        const used = place === undefined ? one.otherwise : madeOf(place)?.carried;
        if (used !== undefined) learnUsed(used, known);
        else if (place !== undefined) known.values.push(place);
        break;
      }
      case 'given':
        note(known.given, one.name);
        break;
      case 'instead':
        note(known.instead, one.missing === undefined ? '' : show(one.missing));
        break;
      case 'insteadOf':
        note(known.instead, one.words);
        break;
      case 'used':
        learnUsed(one.carried, known);
        break;
      case 'template':
        learnTemplate(one.output, one.text, known);
        break;
      case 'yaml':
        learnYaml(one.written, known);
        break;
      case 'unresolved':
        known.unresolved = one.name;
        break;
    }
  }
}

function mayBeNew(one: Told): boolean {
  switch (one.is) {
    case 'unresolved':
      return true;
    case 'used':
      return one.carried.mayBeNew;
    case 'template':
      return one.output.mayBeNew;
    case 'later':
      return one.place.mayBeNew || one.otherwise?.mayBeNew === true;
    case 'yaml':
      return one.mayBeNew;
    default:
      return false;
  }
}

function learnUsed({ values, given, instead, inner, unresolved }: Action, known: Known): void {
  if (known.values.length < MOST_CARRIED) known.values.push(...values);
  if (known.given.length < MOST_CARRIED) known.given.push(...given);
  if (known.instead.length < MOST_CARRIED) known.instead.push(...instead);
  if (known.inner.length < MOST_LINES) for (const candidate of inner) known.inner.push(candidate);
  if (unresolved !== undefined) known.unresolved = unresolved;
}

function learnTemplate({ pieces, source }: Output, text: string, known: Known): void {
  const lines = partsOf(pieces);
  if (source !== undefined) fromSource(lines, source);
  text.split('\n').forEach((line, at) => {
    const parts = lines[at] ?? [];
    remember(known.inner, line, parts);
    for (const { values, given, instead, unresolved } of parts) {
      for (const place of values) note(known.values, place);
      for (const one of given) note(known.given, one);
      for (const one of instead) note(known.instead, one);
      if (unresolved !== undefined) known.unresolved = unresolved;
    }
  });
}

function learnYaml(written: WrittenYaml, known: Known): void {
  const lines = written.text.split('\n');
  lines.forEach((line, at) => {
    const given = written.places[at];
    const place = given === undefined ? undefined : settled(given);
    const made = place === undefined ? undefined : madeOf(place);
    // A lone scalar, or an empty map, is what the action has read.
    const isAll = lines.length === 1 && place === undefined;
    const text = line.trim();
    const margin = line.length - line.trimStart().length;
    remember(known.inner, line, [
      {
        from: margin,
        to: margin + text.length,
        template: made?.at,
        values: isAll ? known.values : (made?.carried.values ?? (place === undefined ? [] : [place])),
        given: isAll ? known.given : (made?.carried.given ?? []),
        instead: isAll ? known.instead : (made?.carried.instead ?? []),
        unresolved: isAll ? known.unresolved : made?.carried.unresolved,
        literal: false,
      },
    ]);
  });
}

/** Where the lines of a text were made: asked of few texts, so worked out for the first line that is asked for. */
export interface PlacesOfLines {
  /** How long the chain of what is worked out then is. */
  readonly depth: number;
  /** Something that is new at every run may be in the text. */
  readonly mayBeNew: boolean;
  placeOf(line: string): Place | undefined;
}

/** What a variable, or the dot, was made of. */
export type Carried = Action;

/** What a template put into a map or a list: where it stands there, and what it was made of. */
interface Made {
  readonly carried: Action;
  readonly at: TemplatePlace | undefined;
}

/** The place of something that a template made. */
function madePlace(made: Made): Place {
  return { file: '', line: 0, column: 0, path: '', made };
}

const madeOf = (place: Place): Made | undefined => place.made as Made | undefined;

/** The place that it turns out to be; undefined for one of which nobody knows where it was made. */
const settled = (place: Place): Place | undefined => (place instanceof LaterPlace ? place.settled : place);

/** What one template gave. */
export class Traced {
  #output: Output | undefined;
  readonly #text: string;
  readonly branches: readonly BranchTaken[];
  /** False where nothing in it is new at every run. */
  readonly mayBeNew: boolean;
  #lines: LineOrigin[] | undefined;

  constructor(output: Output, text: string, branches: readonly BranchTaken[]) {
    this.#output = output;
    this.mayBeNew = output.mayBeNew;
    this.#text = text;
    this.branches = branches;
  }

  get lines(): readonly LineOrigin[] {
    if (this.#lines === undefined) {
      this.#lines = finished(partsOf(this.#output!.pieces), this.#text);
      // Nobody needs the pieces any more.
      this.#output = undefined;
    }
    return this.#lines;
  }
}

/** Put into words when somebody asks. */
class Branch implements BranchTaken {
  readonly taken: boolean;
  readonly outputLine: number;
  readonly file: string;
  readonly #type: BranchNode['type'];
  readonly #pipe: PipeNode;
  readonly #at: number;
  readonly #action: Action;

  constructor(node: BranchNode, file: string, taken: boolean, action: Action, outputLine: number) {
    this.#type = node.type;
    this.#pipe = node.pipe;
    this.#at = node.at;
    this.file = file;
    this.taken = taken;
    this.#action = action;
    this.outputLine = outputLine;
  }

  get line(): number {
    return position(this.#pipe.tree, this.#at).line;
  }

  get condition(): string {
    return `${this.#type} ${show(this.#pipe)}`;
  }

  get values(): readonly Place[] {
    return this.#action.values.map(found);
  }

  toJSON(): BranchTaken {
    const { file, line, condition, taken, values, outputLine } = this;
    return { file, line, condition, taken, values, outputLine };
  }
}

/** Of many values only the last so many are told: the ones before them decide nothing any more. */
const MOST_VALUES = 20;
/** A variable that is set again and again carries no more than about so many. */
const MOST_CARRIED = 1000;
const MOST_LINKS = 100;
/** Lines that are kept to be found again. */
const MOST_LINES = 50_000;

interface Output {
  readonly pieces: Piece[];
  /** Breaks of lines so far; counted for a file, not for what it includes. */
  lines: number;
  /** How long the longest chain of actions is that hangs on its pieces. */
  depth: number;
  /** Something that is new at every run may be in it. */
  mayBeNew: boolean;
  /** For a text that `tpl` runs: what the text itself was made of. */
  readonly source: { readonly text: string; readonly made: Action } | undefined;
}

export class Tracer {
  /** Something that is new at every run was made. */
  hasUnresolved = false;
  private readonly outputs: Output[] = [];
  private readonly actions: Action[] = [];
  private branches: BranchTaken[] = [];
  private last: Traced | undefined;
  private nextSource: string | undefined;

  /** The template that is opened next is this text: `tpl`. */
  running(source: string): void {
    this.nextSource = source;
  }

  open(): void {
    const made = this.actions.at(-1);
    const source =
      this.nextSource === undefined || made === undefined
        ? undefined
        : { text: this.nextSource, made: made.copy() };
    this.nextSource = undefined;
    this.outputs.push({
      pieces: [],
      lines: 0,
      depth: source?.made.depth ?? 0,
      mayBeNew: source?.made.mayBeNew === true,
      source,
    });
    this.actions.push(new Action());
  }

  close(text: string): void {
    const output = this.outputs.pop()!;
    this.actions.pop();
    if (this.outputs.length === 0) {
      this.last = new Traced(output, text, this.branches);
      this.branches = [];
    } else this.actions.at(-1)?.tell({ is: 'template', output, text });
  }

  /** What the template that just ended was made of. */
  take(): Traced | undefined {
    return this.last;
  }

  beginAction(): Action {
    const action = this.actions.at(-1)!;
    this.actions[this.actions.length - 1] = new Action();
    return action;
  }

  private endAction(before: Action): Action {
    const action = this.actions.at(-1)!;
    this.actions[this.actions.length - 1] = before;
    return action;
  }

  text(node: TextNode, file: string): void {
    this.note({ text: node.text, at: node.at, source: node.tree, file, literal: true, action: undefined });
  }

  printed(node: ActionNode, file: string, text: string, before: Action): void {
    const action = this.endAction(before);
    this.note({
      text,
      at: node.at,
      source: node.tree,
      file,
      literal: false,
      action: action.isEmpty ? undefined : action,
    });
  }

  /** A variable was set: what it was made of belongs to those that print it. */
  declared(before: Action): Carried | undefined {
    const action = this.endAction(before);
    return action.isEmpty ? undefined : action;
  }

  /**
   * An argument was worked out apart from the others: what it was made of is the place of what becomes of it.
   *
   * @param before what `beginAction` gave
   */
  argument(node: AnyNode, file: string, before: Action): Place {
    const carried = this.endAction(before);
    this.used(carried);
    return madePlace({ carried, at: { file, ...position(node.tree, node.at) } });
  }

  /**
   * What the place of an element of a list stands for.
   *
   * @param otherwise what stands for it where nobody knows the place
   */
  carriedBy(place: Place, otherwise: Carried | undefined): Carried {
    if (place instanceof LaterPlace) {
      const later = new Action();
      later.tell({ is: 'later', place, otherwise });
      return later;
    }
    return madeOf(place)?.carried ?? new Action([{ is: 'value', place }]);
  }

  /** What the action that runs has read until now. */
  current(): Carried | undefined {
    const action = this.actions.at(-1)!;
    return action.isEmpty ? undefined : action.copy();
  }

  /** A variable, or the dot, was read: with it comes what it was made of. */
  used(carried: Carried | undefined): void {
    if (carried !== undefined) this.actions.at(-1)!.tell({ is: 'used', carried });
  }

  private note(piece: Piece): void {
    const output = this.outputs.at(-1)!;
    output.pieces.push(piece);
    if (piece.action !== undefined) {
      if (piece.action.depth > output.depth) output.depth = piece.action.depth;
      if (piece.action.mayBeNew) output.mayBeNew = true;
    }
    if (this.outputs.length > 1) return;
    for (let at = piece.text.indexOf('\n'); at >= 0; at = piece.text.indexOf('\n', at + 1)) output.lines++;
  }

  branched(node: BranchNode, file: string, taken: boolean, before: Action): void {
    const action = this.endAction(before);
    if (this.outputs.length !== 1 && taken) return;
    this.branches.push(new Branch(node, file, taken, action, this.outputs[0]?.lines ?? 0));
  }

  read(map: GoMap, key: string, value: Value, node: AnyNode | undefined): void {
    const action = this.actions.at(-1);
    if (action === undefined) return;
    const place = map.places?.get(key);
    if (place instanceof LaterPlace) {
      action.tell({ is: 'later', place, otherwise: undefined });
      return;
    }
    const made = place === undefined ? undefined : madeOf(place);
    if (made !== undefined) this.used(made.carried);
    else if (place !== undefined) action.tell({ is: 'value', place });
    else if (value === undefined) action.missing = node;
  }

  /** Something that helm gives was read: `.Release.Name`, a file. */
  given(name: string): void {
    this.actions.at(-1)?.tell({ is: 'given', name });
  }

  /** What stands for a value that is not set was taken. */
  fellBack(): void {
    const action = this.actions.at(-1);
    action?.tell({ is: 'instead', missing: action.missing });
  }

  yaml(written: WrittenYaml): void {
    const mayBeNew =
      this.hasUnresolved &&
      written.places.some(place =>
        place instanceof LaterPlace
          ? place.mayBeNew
          : place !== undefined && madeOf(place)?.carried.mayBeNew === true,
      );
    this.actions.at(-1)?.tell({ is: 'yaml', written, mayBeNew });
  }

  /** What tells of a line of a text what it was made of, where the action that runs has made it. */
  placesOfLines(): PlacesOfLines {
    const made = this.actions.at(-1)?.copy() ?? new Action();
    let last: Map<string, Part> | undefined;
    const placeOf = (line: string): Place | undefined => {
      if (last === undefined) {
        last = new Map();
        for (const { text, parts } of made.inner) {
          const part = parts.at(-1);
          if (part !== undefined) last.set(text, part);
        }
      }
      const part = last.get(line.trim());
      if (part === undefined) return undefined;
      const value = part.values.at(-1);
      if (value !== undefined) return value;
      const carried = new Action([
        ...part.given.map(name => ({ is: 'given', name }) as const),
        ...part.instead.map(words => ({ is: 'insteadOf', words }) as const),
        ...(part.unresolved === undefined ? [] : [{ is: 'unresolved', name: part.unresolved } as const]),
      ]);
      return madePlace({ carried, at: part.template });
    };
    return { depth: made.depth, mayBeNew: made.mayBeNew, placeOf };
  }

  unresolved(name: string): void {
    this.hasUnresolved = true;
    this.actions.at(-1)?.tell({ is: 'unresolved', name });
  }
}

/**
 * The origin of a part of a line, as that of a line: of a scalar that shares its line with others.
 *
 * @param from offsets in the line; the end is exclusive
 */
export function narrowed(origin: LineOrigin, from: number, to: number): LineOrigin {
  const spans = origin.spans.filter(one => one.from < to && one.to > from);
  const best =
    spans.findLast(({ values }) => values.length > 0) ??
    spans.findLast(({ literal }) => !literal) ??
    spans[0];
  if (best === undefined) return origin;
  const { template } = best;
  return {
    // Text of the template stands there letter by letter.
    template: best.literal
      ? { ...template, column: template.column + Math.max(0, from - best.from) }
      : template,
    values: [...spans.flatMap(({ values }) => (values === best.values ? [] : values)), ...best.values],
    unresolved: spans.findLast(({ unresolved }) => unresolved !== undefined)?.unresolved,
    spans,
  };
}

function note<Item>(list: Item[], item: Item): void {
  if (list.length < MOST_VALUES && !list.includes(item)) list.push(item);
}

function remember(inner: Candidate[], line: string, parts: readonly Part[]): void {
  if (inner.length >= MOST_LINES) return;
  const text = line.trim();
  const margin = line.length - line.trimStart().length;
  inner.push({
    text,
    parts:
      margin === 0 ? parts : parts.map(part => ({ ...part, from: part.from - margin, to: part.to - margin })),
  });
}

const lineStarts = new WeakMap<Source, number[]>();

function position(source: Source, offset: number): { line: number; column: number } {
  let starts = lineStarts.get(source);
  if (starts === undefined) {
    const { text } = source;
    starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    lineStarts.set(source, starts);
  }
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

/** Quotes around a text do not hide where it came from. */
const bare = (text: string): string => text.replace(/^(["'])(.*)\1$/s, '$2');

/** Finds the lines that functions gave among those that were printed, in order. */
class Search {
  readonly #candidates: readonly Candidate[];
  #byText: Map<string, number[]> | undefined;
  #next = 0;

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates;
  }

  find(text: string): Candidate | undefined {
    if (this.#byText === undefined) {
      this.#byText = new Map();
      for (const [at, { text: key }] of this.#candidates.entries()) {
        const known = this.#byText.get(key);
        if (known === undefined) this.#byText.set(key, [at]);
        else known.push(at);
      }
    }
    const found = this.#byText.get(text) ?? this.#byText.get(bare(text));
    if (found === undefined) return undefined;
    const at = found.find(one => one >= this.#next) ?? found[0]!;
    this.#next = at + 1;
    return this.#candidates[at];
  }
}

/** The parts of each line of the pieces put together. */
function partsOf(pieces: readonly Piece[]): Part[][] {
  const lines: Part[][] = [[]];
  let column = 0;
  for (const { text, at, source, file, literal, action } of pieces) {
    let offset = at;
    const here: TemplatePlace | undefined = literal ? undefined : { file, ...position(source, at) };
    const search = action === undefined || action.inner.length === 0 ? undefined : new Search(action.inner);
    const rows = text.split('\n');
    rows.forEach((row, number) => {
      const line = lines.at(-1)!;
      if (row !== '') {
        const content = row.trim();
        const margin = row.length - row.trimStart().length;
        const found = content === '' ? undefined : search?.find(content);
        if (found !== undefined && found.parts.length > 0)
          for (const part of found.text === content ? found.parts : [whole(found, content)])
            line.push({
              ...part,
              from: column + margin + part.from,
              to: column + margin + part.to,
              template: part.template ?? here,
            });
        else
          line.push({
            from: column + (here === undefined && content !== '' ? margin : 0),
            to: column + row.length,
            template: here ?? {
              file,
              ...position(source, offset + (content === '' ? 0 : margin)),
            },
            values: action?.values ?? [],
            given: action?.given ?? [],
            instead: action?.instead ?? [],
            unresolved: action?.unresolved,
            literal,
          });
        column += row.length;
      }
      offset += row.length + 1;
      if (number < rows.length - 1) {
        lines.push([]);
        column = 0;
      }
    });
  }
  return lines;
}

/** A line that stands in quotes: all of it is made of what the line was made of. */
function whole({ parts }: Candidate, text: string): Part {
  const last = parts.at(-1)!;
  return {
    ...last,
    from: 0,
    to: text.length,
    values: parts.flatMap(({ values }) => values),
    given: parts.flatMap(({ given }) => given),
    instead: parts.flatMap(({ instead }) => instead),
  };
}

/** What a text that `tpl` ran gave, as what the text itself was made of gave it. */
function fromSource(lines: Part[][], { text, made }: NonNullable<Output['source']>): void {
  const search = new Search(made.inner);
  const sources = text.split('\n').map(line => search.find(line.trim()));
  for (const line of lines)
    line.forEach((part, at) => {
      if (part.template?.file !== TPL) return;
      const source = sources[part.template.line - 1];
      const own = source?.parts.at(-1);
      line[at] = {
        ...part,
        template: own?.template,
        values: [...(own?.values ?? made.values), ...part.values],
        given: [...(own?.given ?? made.given), ...part.given],
        literal: false,
      };
    });
}

/** The name under which `tpl` runs a text. */
export const TPL = 'gotpl';

const isFound = ({ found }: Place): boolean => found !== undefined;
const found = (place: Place): Place => place.found ?? place;

/** Lines with the origin of each as a whole: the part with a value decides, then the last with a letter. */
function finished(lines: readonly (readonly Part[])[], text: string): LineOrigin[] {
  const rows = text.split('\n');
  let before: TemplatePlace = { file: '', line: 1, column: 1 };
  return lines.map((parts, at) => {
    const row = rows[at] ?? '';
    const spans: Span[] = [];
    let best: Span | undefined;
    let weight = -1;
    const values: Place[] = [];
    for (const part of parts) {
      const span: Span = {
        ...part,
        template: part.template ?? before,
        values: part.values.some(isFound) ? part.values.map(found) : part.values,
      };
      spans.push(span);
      const isBlank = row.slice(part.from, part.to).trim() === '';
      const own = isBlank ? 0 : part.literal ? 1 : part.values.length > 0 ? 3 : 2;
      if (!isBlank) values.push(...span.values);
      if (own > weight) [best, weight] = [span, own];
    }
    if (best !== undefined) before = best.template;
    return {
      template: best?.template ?? before,
      // The values of the part that decides come last.
      values: best === undefined ? [] : [...values.filter(one => !best.values.includes(one)), ...best.values],
      unresolved: spans.findLast(({ unresolved }) => unresolved !== undefined)?.unresolved,
      spans,
    };
  });
}
