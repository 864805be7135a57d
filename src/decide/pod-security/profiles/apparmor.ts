/**
 * Reads profiles of AppArmor: what they hold, block by block. Includes are named, not followed.
 *
 * Source: apparmor.d(5); parser/parser_lex.l and parser_yacc.y of AppArmor for where a brace opens a block.
 */

export interface AppArmorRule {
  /** The first word: `capability`, `mount`, `file`… */
  readonly kind: string;
  readonly deny: boolean;
  /** What stands behind the first word. */
  readonly rest: string;
  /** For kind `file`: expanded paths; all files where there is none. */
  readonly paths?: readonly string[];
  readonly access?: string;
  readonly line: number;
}

export interface AppArmorProfile {
  /** `parent//child` for children and hats. */
  readonly name: string;
  readonly line: number;
  readonly flags: readonly string[];
  readonly rules: readonly AppArmorRule[];
  readonly includes: readonly string[];
}

export interface ReadAppArmor {
  readonly profiles: readonly AppArmorProfile[];
  readonly errors: readonly { readonly line: number; readonly message: string }[];
}

interface Statement {
  readonly text: string;
  readonly line: number;
  readonly end: ',' | '{' | '}' | 'line' | 'eof';
}

interface Open {
  name: string;
  line: number;
  flags: string[];
  rules: AppArmorRule[];
  includes: string[];
  /** An `if`: its rules belong to what is around it. */
  isConditional: boolean;
}

const DEEPEST = 32;
/** No profile that anybody wrote is as long; expanding every glob of a longer one would take too long. */
const LONGEST = 256 * 1024;
const MOST_EXPANSIONS = 256;
const KINDS = new Set(
  'capability network mount remount umount pivot_root ptrace signal dbus unix userns io_uring mqueue change_profile set link file rlimit all'.split(
    ' ',
  ),
);

export function readAppArmor(text: string): ReadAppArmor {
  if (text.length > LONGEST)
    return { profiles: [], errors: [{ line: 1, message: 'it is longer than 256 KiB: not judged' }] };
  const errors: { line: number; message: string }[] = [];
  const profiles: AppArmorProfile[] = [];
  const variables = new Map<string, string[]>();
  const stack: Open[] = [];
  for (const { text: statement, line, end } of statements(text)) {
    const fail = (message: string): number => errors.push({ line, message });
    const inner = stack.at(-1);
    if (end === '{') {
      if (stack.length >= DEEPEST) {
        fail('blocks stand too deep inside each other');
        return { profiles, errors };
      }
      stack.push(open(statement, line, inner));
    } else if (end === '}') {
      if (statement !== '') fail(`"${short(statement)}" has no comma at its end`);
      const done = stack.pop();
      if (done === undefined) fail('a brace closes nothing');
      else if (!done.isConditional) profiles.push(done);
    } else if (end === 'eof') {
      if (statement !== '') fail(`"${short(statement)}" has no comma at its end`);
    } else if (/^#?include\b/.test(statement)) {
      const [, name = ''] = /^#?include\s+(?:if\s+exists\s+)?[<"]?([^>"]*)/.exec(statement) ?? [];
      inner?.includes.push(name);
    } else if (/^(?:@\{|\$)[^=]*=/.test(statement)) define(statement, variables);
    else if (/^(?:abi|alias)\b/.test(statement)) continue;
    else if (inner === undefined) fail(`"${short(statement)}" stands outside of a profile`);
    else {
      const rule = ruleOf(statement, line, variables);
      if (typeof rule === 'string') fail(rule);
      else inner.rules.push(rule);
    }
  }
  for (const { name, line } of stack)
    errors.push({ line, message: `the block of "${short(name)}" is not closed` });
  // What was read of a broken profile is judged all the same.
  profiles.push(...stack.filter(({ isConditional }) => !isConditional));
  return { profiles: profiles.sort((a, b) => a.line - b.line), errors };
}

function open(header: string, line: number, inner: Open | undefined): Open {
  if (/^(?:else\b|if\b)/.test(header) && inner !== undefined) return { ...inner, isConditional: true };
  const flags = /\bflags\s*=\s*\(?([^){]*)\)?/.exec(header)?.[1] ?? /\(([^)]*)\)\s*$/.exec(header)?.[1] ?? '';
  const [, name = '?'] = /^(?:profile\s+|hat\s+|\^)?("[^"]*"|\S+)/.exec(header) ?? [];
  const own = name.replaceAll('"', '');
  return {
    name: inner === undefined ? own : `${inner.name}//${own}`,
    line,
    flags: flags.split(/[\s,]+/).filter(word => word !== ''),
    rules: [],
    includes: [],
    isConditional: false,
  };
}

/** Cuts a text into what ends with a comma, a brace or a line. */
function statements(text: string): Statement[] {
  const found: Statement[] = [];
  let buffer = '';
  let line = 1;
  let startLine = 1;
  let braces = 0;
  let parentheses = 0;
  let isQuoted = false;
  const finish = (end: Statement['end']): void => {
    found.push({ text: buffer.trim(), line: buffer.trim() === '' ? line : startLine, end });
    buffer = '';
    braces = 0;
    parentheses = 0;
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    const before = at === 0 ? '\n' : text[at - 1]!;
    const after = text[at + 1] ?? '\n';
    if (buffer.trim() === '') startLine = line;
    if (char === '\n') {
      line++;
      isQuoted = false;
      if (/^\s*(?:#?include\b|(?:@\{|\$)[^=]*=)/.test(buffer)) finish('line');
      else buffer += ' ';
      continue;
    }
    if (char === '\\' && !/\s/.test(after)) {
      buffer += char + after;
      at++;
    } else if (isQuoted || char === '"') {
      if (char === '"') isQuoted = !isQuoted;
      buffer += char;
    } else if (char === '#' && /\s/.test(before) && !/^#include\b/.test(text.slice(at, at + 9))) {
      while (at + 1 < text.length && text[at + 1] !== '\n') at++;
    } else if (char === '{' && braces === 0 && /[\s)]/.test(before) && /[\s#]/.test(after)) finish('{');
    else if (char === '}' && braces === 0) finish('}');
    else if (char === ',' && braces === 0 && parentheses === 0 && /[\s#}]/.test(after)) finish(',');
    else {
      if (char === '{') braces++;
      else if (char === '}') braces--;
      else if (char === '(') parentheses++;
      else if (char === ')') parentheses = Math.max(0, parentheses - 1);
      buffer += char;
    }
  }
  finish('eof');
  return found;
}

function define(statement: string, variables: Map<string, string[]>): void {
  const at = statement.indexOf('=');
  const name = statement.slice(0, at).replace(/\+$/, '').trim();
  const values = statement
    .slice(at + 1)
    .trim()
    .split(/\s+/)
    .map(word => word.replaceAll('"', ''));
  const isMore = statement[at - 1] === '+';
  variables.set(name, isMore ? [...(variables.get(name) ?? []), ...values] : values);
}

function ruleOf(
  statement: string,
  line: number,
  variables: ReadonlyMap<string, string[]>,
): AppArmorRule | string {
  let text = statement;
  let deny = false;
  for (;;) {
    const prefix = /^(audit|deny|allow|quiet|owner|other|priority\s*=\s*-?\d+)\s+/.exec(text);
    if (prefix === null) break;
    if (prefix[1] === 'deny') deny = true;
    text = text.slice(prefix[0].length);
  }
  const [, word = '', rest = ''] = /^([a-z_]+)\b\s*(.*)$/s.exec(text) ?? [];
  if (KINDS.has(word) && word !== 'file') return { kind: word, deny, rest, line };
  const file = word === 'file' ? rest : text;
  if (word === 'file' && rest === '') return { kind: 'file', deny, rest, access: 'rwmlkix', line };
  const path = /^("[^"]*"|[/@]\S*)\s+([a-zA-Z]+)(?:\s+->\s+(.+))?$/s.exec(file);
  const turned = /^([a-zA-Z]+)\s+("[^"]*"|[/@]\S*)(?:\s+->\s+(.+))?$/s.exec(file);
  const [raw, access] =
    path !== null ? [path[1]!, path[2]!] : turned !== null ? [turned[2]!, turned[1]!] : [];
  if (raw === undefined || access === undefined) return `"${short(statement)}" is no rule`;
  return { kind: 'file', deny, rest: file, paths: expand(raw.replaceAll('"', ''), variables), access, line };
}

/** Puts the values of variables in; one that is not defined stands for one part of a path. */
function expand(path: string, variables: ReadonlyMap<string, string[]>): string[] {
  let all = [path];
  for (let round = 0; round < 16 && all.some(one => one.includes('@{')); round++)
    all = all
      .flatMap(one => {
        const match = /@\{[^}]*\}/.exec(one);
        if (match === null) return [one];
        const values = variables.get(match[0]) ?? [USUAL[match[0]] ?? '*'];
        return values.map(value =>
          (one.slice(0, match.index) + value + one.slice(match.index + match[0].length)).replaceAll(
            '//',
            '/',
          ),
        );
      })
      .slice(0, MOST_EXPANSIONS);
  return all;
}

/** Source: tunables/global of AppArmor. */
const USUAL: Readonly<Record<string, string>> = {
  '@{PROC}': '/proc/',
  '@{HOMEDIRS}': '/home/',
  '@{HOME}': '/home/*/',
  '@{sys}': '/sys/',
  '@{run}': '/run/',
  '@{pid}': '[0-9]*',
  '@{pids}': '[0-9]*',
  '@{tid}': '[0-9]*',
};

/** Whether a path matches a glob of AppArmor; time grows with the product of their lengths only. */
export function matchesGlob(glob: string, path: string): boolean {
  const wild = glob.search(/[*?[{\\]/);
  // Most globs part from the path before anything in them has to be expanded.
  if (!path.startsWith(wild < 0 ? glob : glob.slice(0, wild))) return false;
  return alternativesOf(glob).some(one => matchOne(one, path));
}

function alternativesOf(glob: string): string[] {
  let all = [glob];
  for (let round = 0; round < 8; round++) {
    if (!all.some(one => /\{[^{}]*\}/.test(one))) break;
    all = all
      .flatMap(one => {
        const match = /\{([^{}]*)\}/.exec(one);
        if (match === null) return [one];
        return match[1]!
          .split(',')
          .map(word => one.slice(0, match.index) + word + one.slice(match.index + match[0].length));
      })
      .slice(0, MOST_EXPANSIONS);
  }
  return all;
}

function matchOne(glob: string, path: string): boolean {
  const known = new Map<number, boolean>();
  const from = (g: number, p: number): boolean => {
    const key = g * (path.length + 1) + p;
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = step(g, p);
    known.set(key, answer);
    return answer;
  };
  const step = (g: number, p: number): boolean => {
    if (g >= glob.length) return p === path.length;
    const char = glob[g]!;
    if (char === '*') {
      const isDeep = glob[g + 1] === '*';
      const next = g + (isDeep ? 2 : 1);
      return from(next, p) || (p < path.length && (isDeep || path[p] !== '/') && from(g, p + 1));
    }
    if (p >= path.length) return false;
    if (char === '?') return path[p] !== '/' && from(g + 1, p + 1);
    if (char === '[') {
      const close = glob.indexOf(']', g + 2);
      if (close > 0) return inClass(glob.slice(g + 1, close), path[p]!) && from(close + 1, p + 1);
    }
    const isEscape = char === '\\' && g + 1 < glob.length;
    return (isEscape ? glob[g + 1] : char) === path[p] && from(g + (isEscape ? 2 : 1), p + 1);
  };
  return glob.length <= 4096 && from(0, 0);
}

function inClass(body: string, char: string): boolean {
  const isNot = body.startsWith('^') || body.startsWith('!');
  let found = false;
  for (let at = isNot ? 1 : 0; at < body.length; at++)
    if (body[at + 1] === '-' && at + 2 < body.length) {
      if (char >= body[at]! && char <= body[at + 2]!) found = true;
      at += 2;
    } else if (body[at] === char) found = true;
  return found !== isNot && char !== '/';
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
