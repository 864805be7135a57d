/**
 * Reads profiles of AppArmor: what they hold, block by block, with what they include.
 *
 * Source: apparmor.d(5); parser/parser_lex.l (where a brace opens a block, how includes are found), parser_yacc.y
 * (rules, flags) and parser_variable.c (variables) of AppArmor.
 */
import { nearest } from '#kube/nearest.ts';
import { type Glob, globOf } from './apparmor-glob.ts';

export interface AppArmorRule {
  /** The first word: `capability`, `mount`, `file`… */
  readonly kind: string;
  readonly deny: boolean;
  /** What stands behind the first word. */
  readonly rest: string;
  /** For kind `file`: expanded paths; all files where there is none. */
  readonly paths?: readonly string[];
  /** Those of the paths that the parser takes, made ready. */
  readonly globs?: readonly Glob[];
  readonly access?: string;
  /** Of the include that brought it, where there is one: lines are those of the profile's own text. */
  readonly line: number;
}

export interface AppArmorProfile {
  /** `parent//child` for children and hats. */
  readonly name: string;
  readonly line: number;
  readonly flags: readonly string[];
  readonly rules: readonly AppArmorRule[];
  /** As they are named. */
  readonly includes: readonly string[];
  /** Those that were not found and are none of AppArmor's harmless ones: worth a word. */
  readonly missing: readonly { readonly name: string; readonly line: number }[];
  /** All that were not found, but for tunables: what they allow is unknown. */
  readonly absent: readonly string[];
}

export interface ReadAppArmor {
  readonly profiles: readonly AppArmorProfile[];
  readonly errors: readonly { readonly line: number; readonly message: string }[];
}

/** The text behind the name of an include: `abstractions/base`; undefined where it is not at hand. */
export type Include = (name: string) => string | undefined;

interface Statement {
  readonly text: string;
  readonly line: number;
  readonly end: ',' | '{' | '}' | 'line' | 'eof' | 'long';
}

interface Open {
  name: string;
  line: number;
  flags: string[];
  rules: AppArmorRule[];
  includes: string[];
  missing: { name: string; line: number }[];
  absent: string[];
  /** An `if`: its rules belong to what is around it. */
  isConditional: boolean;
}

const DEEPEST = 32;
/** No profile that anybody wrote is as long; expanding every glob of a longer one would take too long. */
const LONGEST = 256 * 1024;
/** No rule that anybody wrote is as long. */
const LONGEST_STATEMENT = 16 * 1024;
/** Includes of includes. */
const DEEPEST_INCLUDE = 16;
/** Of all includes together. */
const MOST_INCLUDED = 2 * LONGEST;
const MOST_EXPANSIONS = 256;
/** Characters, of all rules together: variables of variables can stand for more paths than there is memory. */
const MOST_EXPANDED = 2_000_000;
const MOST_ERRORS = 100;
const KINDS = new Set(
  'capability network mount remount umount pivot_root ptrace signal dbus unix userns io_uring mqueue change_profile set link file rlimit all'.split(
    ' ',
  ),
);

/** Source: parser/profile.h of AppArmor. */
const FLAGS = new Set(
  'enforce complain kill unconfined prompt default_allow audit mediate_deleted delegate_deleted attach_disconnected no_attach_disconnected chroot_attach chroot_no_attach chroot_relative namespace_relative hat interruptible debug'.split(
    ' ',
  ),
);
const CAPABILITIES = new Set(
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'.split(
    ' ',
  ),
);

/**
 * Abstractions and tunables of AppArmor itself that give nothing away. Others are said where they are not at hand.
 * Source: profiles/apparmor.d/abstractions and tunables of AppArmor.
 */
const HARMLESS =
  /^(?:tunables\/.*|abi\/.*|local\/.*|abstractions\/(?:base|consoles|nameservice(?:-strict)?|openssl|ssl_certs|python|perl|bash|ruby|php|mysql|fonts|crypto|dconf|wutmp|ldapclient|nis|mdns|p11-kit|hosts_access|apache2-common|web-data))$/;

/**
 * @param include where included text is looked for; nowhere by itself
 * @param longest what is longer is not judged; a text of our own may be
 */
export function readAppArmor(
  text: string,
  include: Include = () => undefined,
  longest = LONGEST,
): ReadAppArmor {
  if (text.length > longest)
    return { profiles: [], errors: [{ line: 1, message: 'it is longer than 256 KiB: not judged' }] };
  const reader = new Reader(include);
  reader.read(text, undefined, []);
  return reader.finish();
}

class Reader {
  readonly #include: Include;
  readonly #errors: { line: number; message: string }[] = [];
  readonly #profiles: AppArmorProfile[] = [];
  readonly #variables = new Map<string, string[]>();
  readonly #stack: Open[] = [];
  readonly #budget = { expanded: MOST_EXPANDED, included: MOST_INCLUDED };
  #isStopped = false;
  /** Something that is not at hand may define what looks undefined. */
  #isPartial = false;

  constructor(include: Include) {
    this.#include = include;
  }

  finish(): ReadAppArmor {
    for (const { name, line } of this.#stack) this.#fail(line, `the block of "${short(name)}" is not closed`);
    // What was read of a broken profile is judged all the same.
    this.#profiles.push(...this.#stack.filter(({ isConditional }) => !isConditional));
    return { profiles: this.#profiles.sort((a, b) => a.line - b.line), errors: this.#errors };
  }

  #fail(line: number, message: string): void {
    if (this.#errors.length === MOST_ERRORS) this.#errors.push({ line, message: 'and more that is wrong' });
    if (this.#errors.length < MOST_ERRORS) this.#errors.push({ line, message });
  }

  /**
   * @param from the line that included the text; undefined for the text itself
   * @param names the includes that led here
   */
  read(text: string, from: number | undefined, names: readonly string[]): void {
    const depth = this.#stack.length;
    for (const { text: statement, line: own, end } of statements(text)) {
      if (this.#isStopped) return;
      const line = from ?? own;
      const inner = this.#stack.at(-1);
      if (end === 'long') {
        this.#fail(line, 'a rule is too long, or has no comma at its end: not judged from here');
        this.#isStopped = true;
      } else if (end === '{') this.#open(statement, line, inner);
      else if (end === '}') {
        if (statement !== '') this.#fail(line, `"${short(statement)}" has no comma at its end`);
        const done = this.#stack.length > depth || from === undefined ? this.#stack.pop() : undefined;
        if (done === undefined) this.#fail(line, 'a brace closes nothing');
        else if (!done.isConditional) this.#profiles.push(done);
      } else if (end === 'eof') {
        if (statement !== '') this.#fail(line, `"${short(statement)}" has no comma at its end`);
      } else if (/^#?include\b/.test(statement)) this.#included(statement, line, names);
      else if (/^(?:@\{|\$)[^=]*=/.test(statement)) define(statement, this.#variables);
      else if (/^(?:abi|alias)\b/.test(statement)) continue;
      else if (inner === undefined) this.#fail(line, `"${short(statement)}" stands outside of a profile`);
      else {
        const rule = this.#rule(statement, line);
        if (typeof rule === 'string') this.#fail(line, rule);
        else inner.rules.push(rule);
      }
    }
  }

  #open(header: string, line: number, inner: Open | undefined): void {
    if (this.#stack.length >= DEEPEST) {
      this.#fail(line, 'blocks stand too deep inside each other');
      this.#isStopped = true;
      return;
    }
    const block = open(header, line, inner);
    for (const flag of block.isConditional ? [] : block.flags)
      if (!FLAGS.has(flag) && !/^(?:kill\.signal|error|attach_disconnected(?:\.path|\.ipc)?)=/.test(flag)) {
        const meant = nearest(flag, FLAGS);
        this.#fail(
          line,
          `"${short(flag)}" is no flag: the profile does not load${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        );
      }
    this.#stack.push(block);
  }

  #included(statement: string, line: number, names: readonly string[]): void {
    const [, exists, name = ''] = /^#?include\s+(if\s+exists\s+)?[<"]?([^>"]*)/.exec(statement) ?? [];
    const inner = this.#stack.at(-1);
    if (names.length === 0) inner?.includes.push(name);
    if (names.includes(name)) {
      this.#fail(line, `"${short(name)}" includes itself`);
      return;
    }
    const text = names.length < DEEPEST_INCLUDE ? this.#include(name) : undefined;
    if (text === undefined) {
      this.#isPartial ||= !name.startsWith('tunables/global');
      if (!/^(?:tunables|abi)\//.test(name)) inner?.absent.push(name);
      if (!HARMLESS.test(name) && exists === undefined) inner?.missing.push({ name, line });
      return;
    }
    this.#budget.included -= text.length;
    if (this.#budget.included < 0) {
      this.#fail(line, 'the includes are too long: not judged from here');
      this.#isStopped = true;
      return;
    }
    this.read(text, line, [...names, name]);
  }

  #rule(statement: string, line: number): AppArmorRule | string {
    const rule = ruleOf(statement, line);
    if (typeof rule === 'string') return rule;
    if (rule.kind === 'capability')
      for (const word of rule.rest.split(/[\s,]+/))
        if (word !== '' && !CAPABILITIES.has(word)) {
          const meant = nearest(word, CAPABILITIES);
          this.#fail(
            line,
            `"${short(word)}" is no capability: the profile does not load${meant === undefined ? '' : `; did you mean ${meant}?`}`,
          );
        }
    if (rule.path === undefined) return rule;
    const paths = this.#expand(rule.path, line);
    const globs: Glob[] = [];
    for (const path of paths) {
      const glob = globOf(path);
      if (typeof glob === 'string') {
        this.#fail(line, `"${short(path)}": ${glob}`);
        break;
      }
      globs.push(glob);
    }
    const { path: _path, ...rest } = rule;
    return { ...rest, paths, globs };
  }

  /** Puts the values of variables in; one that is not defined stands for one part of a path. */
  #expand(path: string, line: number): string[] {
    let all = [path];
    for (let round = 0; round < 16 && all.some(one => one.includes('@{')); round++)
      all = all
        .flatMap(one => {
          const match = /@\{[^}]*\}/.exec(one);
          if (match === null) return [one];
          const values = this.#variables.get(match[0]) ?? [this.#usual(match[0], line)];
          this.#budget.expanded -= values.length * one.length;
          if (this.#budget.expanded < 0) return [];
          return values
            .slice(0, MOST_EXPANSIONS)
            .map(value =>
              `${one.slice(0, match.index)}${value}${one.slice(match.index + match[0].length)}`.slice(
                0,
                4200,
              ),
            );
        })
        .slice(0, MOST_EXPANSIONS);
    if (this.#budget.expanded < 0 && !this.#isStopped) {
      this.#fail(line, 'variables stand for too many paths: not judged from here');
      this.#isStopped = true;
    }
    return all.map(one => one.replace(/\/{2,}/g, '/'));
  }

  #usual(name: string, line: number): string {
    if (Object.hasOwn(USUAL, name)) return USUAL[name]!;
    if (!this.#isPartial) {
      this.#fail(line, `the variable ${short(name)} is not defined: the profile does not load`);
      this.#isPartial = true; // Once is enough.
    }
    return '*';
  }
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
    missing: [],
    absent: [],
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
  let isBlank = true;
  let isAssignment = false;
  const add = (piece: string): void => {
    if (isBlank && !/^\s/.test(piece)) isBlank = false;
    if (!isBlank) buffer += piece;
    if (piece === '=') isAssignment = true;
  };
  /** What ends with its line, not with a comma: an include, or a variable. */
  const isWholeLine = (): boolean =>
    (isAssignment && /^(?:@\{|\$)/.test(buffer)) || /^#?include\b/.test(buffer);
  const finish = (end: Statement['end']): void => {
    const whole = buffer.trim();
    found.push({ text: whole, line: whole === '' ? line : startLine, end });
    buffer = '';
    isBlank = true;
    isAssignment = false;
    braces = 0;
    parentheses = 0;
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    const before = at === 0 ? '\n' : text[at - 1]!;
    const after = text[at + 1] ?? '\n';
    if (isBlank) startLine = line;
    if (buffer.length > LONGEST_STATEMENT) {
      finish('long');
      return found;
    }
    if (char === '\n') {
      line++;
      isQuoted = false;
      if (isWholeLine()) finish('line');
      else add(' ');
      continue;
    }
    if (char === '\\' && !/\s/.test(after)) {
      add(char + after);
      at++;
    } else if (isQuoted || char === '"') {
      if (char === '"') isQuoted = !isQuoted;
      add(char);
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
      add(char);
    }
  }
  finish(isWholeLine() ? 'line' : 'eof');
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
  const known = variables.get(name);
  if (statement[at - 1] === '+' && known !== undefined) for (const value of values) known.push(value);
  else variables.set(name, values);
}

type Written = AppArmorRule & { readonly path?: string };

function ruleOf(statement: string, line: number): Written | string {
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
  return { kind: 'file', deny, rest: file, path: raw.replaceAll('"', ''), access, line };
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

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
