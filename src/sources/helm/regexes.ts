/** sprig's regular expressions: RE2's, as Go's regexp has them, so that none takes more than linear time. */
import type { RE2JS } from 're2js';
import { define } from './define.ts';
import type { Fn } from './exec.ts';
import { GoError, GoSlice, type Int, isAscii, nilOf, type Value } from './value.ts';

/** Of RE2JS, what is asked here. */
interface Pattern {
  matcher(text: string): Matcher;
  namedGroups(): unknown;
}

interface Matcher {
  find(): boolean;
  start(): number;
  end(): number;
  groupCount(): number;
  group(index: number): string | null;
}

/**
 * Patterns that mean the same to JavaScript: letters, plain classes, at most one repetition and no groups. Nearly all
 * that charts use are such, and RE2 takes longer to load than many a chart to render.
 */
const ITEM = /(?:[\w :/@,=%-]|\\[dWw.]|\[\^?(?:a-z|A-Z|0-9|a-f|A-F|[\w.:/@ ])+-?\])[+*?]?/.source;
const PLAIN = new RegExp(`^\\^?(?:${ITEM})+\\$?(?:\\|\\^?(?:${ITEM})+\\$?)*$`);
/** With one repetition a match takes at most the square of the length. */
const LONGEST_TEXT = 2000;

export function isPlain(source: string): boolean {
  return source.length < 200 && PLAIN.test(source) && (source.match(/[+*?]/g)?.length ?? 0) <= 1;
}

/** A plain pattern. Of texts that are long, or not ASCII, RE2 decides. */
class PlainPattern implements Pattern {
  readonly #source: string;
  readonly #pattern: RegExp;
  #re2: Pattern | undefined;

  constructor(source: string) {
    this.#source = source;
    this.#pattern = new RegExp(source, 'g');
  }

  matcher(text: string): Matcher {
    if (text.length > LONGEST_TEXT || !isAscii(text)) {
      this.#re2 ??= loaded().compile(this.#source);
      return this.#re2.matcher(text);
    }
    const pattern = this.#pattern;
    let at = 0;
    let found: RegExpExecArray | null = null;
    return {
      find: () => {
        if (at > text.length) return false;
        pattern.lastIndex = at;
        found = pattern.exec(text);
        if (found === null) return false;
        at = found.index + Math.max(1, found[0].length);
        return true;
      },
      start: () => found!.index,
      end: () => found!.index + found![0].length,
      groupCount: () => 0,
      group: () => found![0],
    };
  }

  namedGroups(): Readonly<Record<string, number>> {
    return {};
  }
}

let library: typeof RE2JS | undefined;

/** Gives the library: see re2.ts. */
export function useRe2(re2: typeof RE2JS): void {
  library = re2;
}

function loaded(): typeof RE2JS {
  if (library === undefined) throw new Error('regular expressions were not loaded');
  return library;
}

const patterns = new Map<string, Pattern>();
const MOST_PATTERNS = 500;

function compile(source: string, must: boolean): Pattern {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  let pattern: Pattern;
  try {
    pattern = isPlain(source) ? new PlainPattern(source) : loaded().compile(source);
  } catch (error) {
    if (library === undefined) throw error;
    const message = `error parsing regexp: ${(error as Error).message.replace(/^error parsing regexp: /, '')}`;
    throw new GoError(must ? message : `regexp: Compile(${backquoted(source)}): ${message}`);
  }
  if (patterns.size >= MOST_PATTERNS) patterns.clear();
  patterns.set(source, pattern);
  return pattern;
}

/** A pattern of a schema, anywhere in the text; one that is no pattern matches nothing. */
export function patternMatches(pattern: string, text: string): boolean {
  try {
    return compile(pattern, true).matcher(text).find();
  } catch (error) {
    if (error instanceof GoError) return false;
    throw error;
  }
}

const backquoted = (text: string): string => (text.includes('`') ? JSON.stringify(text) : `\`${text}\``);

const t = (value: Value): string => value as string;
const n = (value: Value): number => Number((value as Int).value);

interface Found {
  readonly start: number;
  readonly end: number;
  readonly group: (index: number | string) => string;
}

/** All matches as regexp.FindAll finds them: an empty one right behind another does not count. */
function findAll(pattern: Pattern, text: string, most: number): Found[] {
  const result: Found[] = [];
  const matcher = pattern.matcher(text);
  let previousEnd = -1;
  while ((most < 0 || result.length < most) && matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    if (start === end && start === previousEnd) continue;
    previousEnd = end;
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? '');
    const names = pattern.namedGroups() as Readonly<Record<string, number>>;
    result.push({
      start,
      end,
      group: index => groups[typeof index === 'number' ? index : (names[index] ?? -1)] ?? '',
    });
  }
  return result;
}

/** Regexp.Expand: $1, ${1}, $name; the longest name is taken, an unknown one is empty. */
function expand(template: string, found: Found): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (all, braced?: string, bare?: string) => {
      if (all === '$$') return '$';
      const name = braced ?? bare!;
      return found.group(/^\d+$/.test(name) ? Number(name) : name);
    },
  );
}

function replaceAll(pattern: Pattern, text: string, make: (found: Found) => string): string {
  let result = '';
  let at = 0;
  for (const found of findAll(pattern, text, -1)) {
    result += text.slice(at, found.start) + make(found);
    at = found.end;
  }
  return result + text.slice(at);
}

function split(pattern: Pattern, source: string, text: string, most: number): Value {
  if (most === 0) return nilOf(new GoSlice([], '[]string'));
  if (source.length > 0 && text.length === 0) return new GoSlice([''], '[]string');
  const parts: string[] = [];
  let [begin, end] = [0, 0];
  for (const found of findAll(pattern, text, most)) {
    if (most > 0 && parts.length === most - 1) break;
    end = found.start;
    if (found.end !== 0) parts.push(text.slice(begin, end));
    begin = found.end;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return new GoSlice(parts, '[]string');
}

function both(name: string, types: string, call: (args: Value[], must: boolean) => Value): [string, Fn][] {
  const must = `must${name[0]!.toUpperCase()}${name.slice(1)}`;
  return [
    [name, define(types, args => call(args, false))],
    [must, define(types, args => call(args, true))],
  ];
}

export const regexFunctions: Readonly<Record<string, Fn>> = Object.fromEntries([
  [
    'regexMatch',
    define('string, string', ([source, text]) => {
      try {
        return compile(t(source), true).matcher(t(text)).find();
      } catch (error) {
        if (error instanceof GoError) return false;
        throw error;
      }
    }),
  ] as [string, Fn],
  [
    'mustRegexMatch',
    define('string, string', ([source, text]) => compile(t(source), true).matcher(t(text)).find()),
  ] as [string, Fn],
  ...both(
    'regexFind',
    'string, string',
    ([source, text], must) => findAll(compile(t(source), must), t(text), 1)[0]?.group(0) ?? '',
  ),
  ...both('regexFindAll', 'string, string, int', ([source, text, most], must) => {
    const all = findAll(compile(t(source), must), t(text), n(most)).map(found => found.group(0));
    const list = new GoSlice(all, '[]string');
    return all.length === 0 ? nilOf(list) : list;
  }),
  ...both('regexReplaceAll', 'string, string, string', ([source, text, by], must) =>
    replaceAll(compile(t(source), must), t(text), found => expand(t(by), found)),
  ),
  ...both('regexReplaceAllLiteral', 'string, string, string', ([source, text, by], must) =>
    replaceAll(compile(t(source), must), t(text), () => t(by)),
  ),
  ...both('regexSplit', 'string, string, int', ([source, text, most], must) =>
    split(compile(t(source), must), t(source), t(text), n(most)),
  ),
  ['regexQuoteMeta', define('string', ([text]) => t(text).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'))] as [
    string,
    Fn,
  ],
]);
