/**
 * The baseline: findings that were there when the gate was built, one line each, in a file that is committed and
 * reviewed. Lines are sorted, and each stands alone, so that two branches which both mend something merge.
 */
import { formatPath, nameOf } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import type { KnownPlace } from './known.ts';
import type { Place } from './scan.ts';

export interface BaselineEntry extends KnownPlace {
  readonly check: string;
  readonly object: string;
  /** The container and the path, for people. */
  readonly place: string;
}

const FORMAT = 1;
const HEADER = `# sallyport baseline ${FORMAT}: findings accepted when the gate was built.`;
const ABOUT = [
  '# One line each: identity, check, file, object, place. Made by sallyport baseline;',
  '# lines may be removed by hand, never added.',
];

export class BaselineError extends Error {
  override readonly name = 'BaselineError';
  readonly line: number;
  readonly hint: string | undefined;

  constructor(line: number, message: string, hint?: string) {
    super(message);
    this.line = line;
    this.hint = hint;
  }
}

export function entryOf({ identity, id, declared, path, container }: Place): BaselineEntry {
  const { object, environments, among } = declared;
  const namespace = namespaceOf(object);
  // What only some environments have is told apart for people too: no two lines of a file are alike without a reason.
  const where =
    environments === undefined || (among !== undefined && environments.length >= among)
      ? ''
      : ` (in ${environments.map(one => (one === '' ? '.' : one)).join(', ')})`;
  return {
    identity,
    check: id,
    file: declared.origin.file,
    object: `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${nameOf(object)}`,
    place: `${container === undefined ? '' : `${container}: `}${formatPath(path)}${where}`,
  };
}

/** The text of a baseline; equal entries are kept as often as they occur. */
export function formatBaseline(entries: readonly BaselineEntry[]): string {
  const lines = entries
    .map(({ identity, check, file, object, place }) =>
      [identity, check, file, object, place].map(oneField).join('\t'),
    )
    .toSorted(byWhatPeopleRead);
  return `${[HEADER, ...ABOUT, ...lines].join('\n')}\n`;
}

/** By file, check, object and place, so that a review sees together what belongs together. */
function byWhatPeopleRead(a: string, b: string): number {
  const key = (line: string) => {
    const [identity, check, ...rest] = line.split('\t');
    return [rest[0], check, rest[1], rest[2], identity].join('\t');
  };
  const [x, y] = [key(a), key(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** @throws BaselineError with the line, for conflict markers, a newer form, and anything that is no entry */
export function parseBaseline(text: string): BaselineEntry[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const version = /^# sallyport baseline (\d+)\b/.exec(lines[0] ?? '')?.[1];
  if (version === undefined)
    throw new BaselineError(1, 'this is no baseline: its first line does not say so');
  if (Number(version) > FORMAT)
    throw new BaselineError(
      1,
      `the baseline has form ${version}, which a newer Sallyport wrote; this one reads ${FORMAT}`,
    );
  return entriesIn(lines);
}

function entriesIn(lines: readonly string[]): BaselineEntry[] {
  const entries: BaselineEntry[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (MARKER.test(line))
      throw new BaselineError(
        index + 1,
        'a merge conflict that was not resolved',
        'sallyport baseline update resolves it: what both sides accept, less what is mended',
      );
    const [identity = '', check, file, object, place, ...more] = line.split('\t');
    if (!/^[0-9a-f]{32}$/.test(identity) || place === undefined || more.length > 0)
      throw new BaselineError(index + 1, 'no entry of a baseline');
    entries.push({
      identity,
      check: field(check!),
      file: field(file!),
      object: field(object!),
      place: field(place),
    });
  }
  return entries;
}

/** What Git writes around the two sides of a conflict, and before what both began with. Source: git-merge(1). */
const TORN = 'markers of merge conflicts that do not fit together';
const MARKER = /^(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)/;

export interface Unconflicted {
  readonly text: string;
  readonly conflicts: number;
  /** What stands on one side only, and was kept: the other side had taken it out, or never had it. */
  readonly oneSided: readonly BaselineEntry[];
}

/**
 * Resolves the conflicts of a merge line by line, for no line depends on its neighbours: a line is kept where both sides
 * have it, and where one side added it. Where the conflict does not show what both began with (merge.conflictStyle
 * diff3 does), what one side took out cannot be told from what the other one added, and is kept.
 *
 * @throws BaselineError with the line, where markers do not make a conflict, or something in it is no entry
 */
export function resolveConflicts(text: string): Unconflicted {
  const lines = text.split(/\r?\n/);
  // Said with their lines here, for behind this the lines are others.
  entriesIn(lines.map(line => (MARKER.test(line) ? '' : line)));
  const kept: string[] = [];
  const oneSided: BaselineEntry[] = [];
  let conflicts = 0;
  /** The parts of the conflict that is open: ours, what both began with, theirs. */
  let parts: { ours: string[]; base?: string[]; theirs?: string[] } | undefined;
  for (const [index, line] of lines.entries()) {
    const marker = MARKER.test(line) ? line[0] : undefined;
    const isOpening = marker === '<';
    if (marker !== undefined && isOpening === (parts !== undefined)) throw new BaselineError(index + 1, TORN);
    if (marker === undefined)
      if (parts === undefined) kept.push(line);
      else (parts.theirs ?? parts.base ?? parts.ours).push(line);
    else if (isOpening) parts = { ours: [] };
    else if (marker === '|' && parts!.base === undefined && parts!.theirs === undefined) parts!.base = [];
    else if (marker === '=' && parts!.theirs === undefined) parts!.theirs = [];
    else if (marker !== '>' || parts!.theirs === undefined) throw new BaselineError(index + 1, TORN);
    else {
      const { ours, base, theirs } = parts! as { ours: string[]; base?: string[]; theirs: string[] };
      parts = undefined;
      conflicts++;
      const [left, right, before] = [ours, theirs, base ?? []].map(countsOf) as [Counts, Counts, Counts];
      for (const one of new Set([...ours, ...theirs])) {
        const [a, b] = [left.get(one) ?? 0, right.get(one) ?? 0];
        const count = base === undefined ? Math.max(a, b) : a + b - (before.get(one) ?? 0);
        for (let i = 0; i < count; i++) kept.push(one);
        if (count > Math.min(a, b)) oneSided.push(...entriesIn([one]));
      }
    }
  }
  if (parts !== undefined) throw new BaselineError(lines.length, TORN);
  return { text: kept.join('\n'), conflicts, oneSided };
}

type Counts = ReadonlyMap<string, number>;

function countsOf(lines: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** Names come from the input and may hold anything; a line must stay one, and fields must not run together. */
function oneField(text: string): string {
  return text.replace(/[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, character =>
    character === '\\' ? '\\\\' : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

function field(text: string): string {
  return text.replace(/\\(?:\\|u\{([0-9a-f]{1,6})\})/g, (_, hex: string | undefined) =>
    hex === undefined ? '\\' : String.fromCodePoint(Math.min(Number.parseInt(hex, 16), 0x10ffff)),
  );
}
