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
  const { object } = declared;
  const namespace = namespaceOf(object);
  return {
    identity,
    check: id,
    file: declared.origin.file,
    object: `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${nameOf(object)}`,
    place: `${container === undefined ? '' : `${container}: `}${formatPath(path)}`,
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
  const entries: BaselineEntry[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (/^(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)/.test(line))
      throw new BaselineError(
        index + 1,
        'a merge conflict that was not resolved',
        'keep the lines of both sides, then sallyport baseline update',
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
