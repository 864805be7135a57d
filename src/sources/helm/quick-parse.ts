/**
 * The usual way to parse a template: one pass from text to tree, and silent about texts that need the parser of
 * parse.ts, which knows every token of Go's and every message. What this one gives, that one gives too.
 */
import type {
  BranchNode,
  CommandNode,
  ListNode,
  Operand,
  PipeNode,
  Source,
  StatementNode,
  Template,
  TemplateNode,
} from './nodes.ts';
import { isEmptyTree } from './nodes.ts';
import { unquote } from './quote.ts';
import { GoError } from './value.ts';

/** What is rare, or wrong: the other parser decides. */
const UNUSUAL = { unusual: true };

/** Blocks and parentheses inside each other; more are rare. */
const MAX_DEPTH = 100;

/** The trees of a text, whatever the file is called that it stands in. */
export interface Trees {
  readonly main: ListNode;
  /** Those of the templates that it defines. */
  readonly defined: ReadonlyMap<string, ListNode>;
}

/** @returns undefined where something in the text needs `parseThoroughly` (parse.ts), which is slower */
export function parseQuickly(
  file: string,
  text: string,
  functions: ReadonlySet<string>,
): Map<string, Template> | undefined {
  const trees = quickTrees(text, functions);
  return trees === undefined ? undefined : named(trees, file);
}

/** The templates of a file; undefined where it defines one of its own name, which may be wrong. */
export function named({ main, defined }: Trees, file: string): Map<string, Template> | undefined {
  if (defined.has(file)) return undefined;
  const templates = new Map<string, Template>();
  for (const [name, root] of defined) templates.set(name, { name, root, file });
  return templates.set(file, { name: file, root: main, file });
}

/** As `parseQuickly`, for a text that may stand in several files. */
export function quickTrees(text: string, functions: ReadonlySet<string>): Trees | undefined {
  try {
    return new QuickParser(text, functions).file();
  } catch (error) {
    if (error === UNUSUAL) return undefined;
    throw error;
  }
}

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const DOUBLE = 34;
const DOLLAR = 36;
const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const DASH = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const EQUALS = 61;
const BACKSLASH = 92;
const BACKQUOTE = 96;
const BAR = 124;
const BRACE = 125;

/** By character: 1 for letters, digits and the underscore, 2 for white space. */
const KINDS = new Uint8Array(128);
for (let code = 0; code < 128; code++)
  if (/\w/.test(String.fromCharCode(code))) KINDS[code] = 1;
  else if (' \t\r\n'.includes(String.fromCharCode(code))) KINDS[code] = 2;

const WORD = 1;
const BLANK = 2;

/** What stands outside of actions. */
const TEXT = 0;
const ACTION = 1;
const END = 2;

type Stop = 'end' | 'else';

class QuickParser {
  readonly #defined = new Map<string, ListNode>();
  readonly #source: Source;
  readonly #text: string;
  readonly #functions: ReadonlySet<string>;
  #variables = ['$'];
  #ranges = 0;
  #depth = 0;
  /** Where the next character is read. */
  #at = 0;
  /** What comes next outside of actions, where it begins, and where its text ends. */
  #kind: number = END;
  #start = 0;
  #textEnd = 0;
  /** Behind the delimiter of the action that comes next. */
  #inside = 0;

  constructor(text: string, functions: ReadonlySet<string>) {
    this.#source = { text };
    this.#text = text;
    this.#functions = functions;
  }

  file(): Trees {
    this.#outside();
    const list = this.#newList(this.#start);
    while (this.#kind !== END) {
      if (this.#kind === ACTION) {
        this.#at = this.#inside;
        if (this.#skipSpaces() && this.#takeWord('define')) {
          this.#definition();
          continue;
        }
      }
      const stop = this.#statement(list.nodes);
      if (stop !== undefined) throw UNUSUAL;
    }
    return { main: list, defined: this.#defined };
  }

  #newList(at: number): ListNode {
    return { type: 'list', at, tree: this.#source, nodes: [] };
  }

  #add(name: string, root: ListNode): void {
    const before = this.#defined.get(name);
    if (before === undefined || isEmptyTree(before)) this.#defined.set(name, root);
    else if (!isEmptyTree(root)) throw UNUSUAL;
  }

  /** Finds what stands from here on, outside of an action. Comments are nothing. */
  #outside(): void {
    const text = this.#text;
    let start = this.#at;
    for (;;) {
      const found = text.indexOf('{{', start);
      if (found < 0) {
        this.#kind = start < text.length ? TEXT : END;
        this.#start = start;
        this.#textEnd = text.length;
        this.#inside = -1;
        return;
      }
      const trims = text.charCodeAt(found + 2) === DASH && isBlank(text.charCodeAt(found + 3));
      let end = found;
      if (trims) while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
      const inside = found + (trims ? 4 : 2);
      if (end > start) {
        this.#kind = TEXT;
        this.#start = start;
        this.#textEnd = end;
        this.#at = found;
        this.#inside = inside;
        return;
      }
      if (!text.startsWith('/*', inside)) {
        this.#kind = ACTION;
        this.#start = found;
        this.#inside = inside;
        return;
      }
      start = this.#behindComment(inside);
    }
  }

  /** Behind a text: an action or a comment, which begins where `#inside` says, or the end. */
  #behindText(): void {
    const text = this.#text;
    if (this.#inside < 0) {
      this.#kind = END;
      this.#start = text.length;
    } else if (text.startsWith('/*', this.#inside)) {
      this.#at = this.#behindComment(this.#inside);
      this.#outside();
    } else {
      this.#kind = ACTION;
      this.#start = this.#at;
    }
  }

  #behindComment(from: number): number {
    const text = this.#text;
    const end = text.indexOf('*/', from + 2);
    if (end < 0) throw UNUSUAL;
    let at = end + 2;
    if (text.startsWith('}}', at)) return at + 2;
    if (!isBlank(text.charCodeAt(at)) || !text.startsWith('-}}', at + 1)) throw UNUSUAL;
    at += 4;
    while (isBlank(text.charCodeAt(at))) at++;
    return at;
  }

  /** One text or action. @returns the word that ends the list it stands in, where it is one */
  #statement(nodes: StatementNode[]): Stop | undefined {
    if (this.#kind === TEXT) {
      const at = this.#start;
      nodes.push({ type: 'text', at, tree: this.#source, text: this.#text.slice(at, this.#textEnd) });
      this.#behindText();
      return undefined;
    }
    this.#at = this.#inside;
    this.#skipSpaces();
    const tree = this.#source;
    const at = this.#at;
    const code = this.#text.charCodeAt(at);
    // Keywords begin with a letter from b to w; most actions do not begin with one of them.
    if (code >= 98 && code <= 119) {
      const word = this.#word();
      switch (word) {
        case 'if':
        case 'with':
        case 'range':
          nodes.push(this.#control(word));
          return undefined;
        case 'end':
          this.#close();
          return 'end';
        case 'else':
          return 'else';
        case 'template': {
          this.#skipSpaces();
          const nameAt = this.#at;
          const name = this.#string();
          this.#skipSpaces();
          const pipe = this.#isClosing() ? undefined : this.#pipeline('template', false);
          this.#close();
          nodes.push({ type: 'template', at: nameAt, tree, name, pipe });
          return undefined;
        }
        case 'block':
          nodes.push(this.#block());
          return undefined;
        case 'break':
        case 'continue':
          if (this.#ranges === 0) throw UNUSUAL;
          this.#close();
          nodes.push({ type: word, at, tree });
          return undefined;
        case 'define':
          throw UNUSUAL;
        default:
          this.#at = at;
      }
    }
    const pipe = this.#pipeline('command', false);
    this.#close();
    nodes.push({ type: 'action', at, tree, pipe });
    return undefined;
  }

  #definition(): void {
    this.#skipSpaces();
    const name = this.#string();
    this.#close();
    this.#body(name);
  }

  #block(): TemplateNode {
    this.#skipSpaces();
    const at = this.#at;
    const name = this.#string();
    this.#skipSpaces();
    const pipe = this.#pipeline('block', false);
    this.#close();
    this.#body(name);
    return { type: 'template', at, tree: this.#source, name, pipe };
  }

  /** The list of a named template, up to its end. */
  #body(name: string): void {
    const [variables, ranges] = [this.#variables, this.#ranges];
    this.#variables = ['$'];
    this.#ranges = 0;
    const list = this.#newList(this.#start);
    if (this.#list(list) !== 'end') throw UNUSUAL;
    this.#add(name, list);
    this.#variables = variables;
    this.#ranges = ranges;
  }

  #list(list: ListNode): Stop {
    if (++this.#depth > MAX_DEPTH) throw UNUSUAL;
    const { nodes } = list;
    while (this.#kind !== END) {
      const stop = this.#statement(nodes);
      if (stop === undefined) continue;
      this.#depth--;
      return stop;
    }
    throw UNUSUAL;
  }

  #control(type: 'if' | 'range' | 'with'): BranchNode {
    const tree = this.#source;
    const mark = this.#variables.length;
    this.#skipSpaces();
    const pipe = this.#pipeline(type, false);
    this.#close();
    if (type === 'range') this.#ranges++;
    const list = this.#newList(this.#start);
    const stop = this.#list(list);
    if (type === 'range') this.#ranges--;
    let otherwise: ListNode | undefined;
    if (stop === 'else') {
      this.#skipSpaces();
      if (this.#isClosing()) {
        this.#close();
        otherwise = this.#newList(this.#start);
        if (this.#list(otherwise) !== 'end') throw UNUSUAL;
      } else {
        const at = this.#at;
        if (type === 'range' || !this.#takeWord(type)) throw UNUSUAL;
        if (++this.#depth > MAX_DEPTH) throw UNUSUAL;
        otherwise = this.#newList(at);
        otherwise.nodes.push(this.#control(type));
        this.#depth--;
      }
    }
    this.#variables.length = mark;
    return { type, at: pipe.at, tree, pipe, list, otherwise };
  }

  /** @param context of a range, which may declare two variables; else any other word */
  #pipeline(context: string, isNested: boolean): PipeNode {
    const text = this.#text;
    const tree = this.#source;
    const commands: CommandNode[] = [];
    const pipe: PipeNode = { type: 'pipe', at: this.#at, tree, isAssign: false, decl: [], commands };
    if (text.charCodeAt(this.#at) === DOLLAR) this.#declarations(pipe, context);
    for (;;) {
      this.#skipSpaces();
      const code = text.charCodeAt(this.#at);
      if (isNested ? code === CLOSE : this.#isClosing()) {
        if (commands.length === 0) throw UNUSUAL;
        return pipe;
      }
      const command = this.#command();
      if (commands.length > 0 && !mayBePiped(command.args[0]!)) throw UNUSUAL;
      commands.push(command);
    }
  }

  #declarations(pipe: PipeNode, context: string): void {
    const text = this.#text;
    for (;;) {
      const at = this.#at;
      if (text.charCodeAt(at) !== DOLLAR) throw UNUSUAL;
      const end = this.#wordEnd(at + 1);
      this.#at = end;
      this.#skipSpaces();
      const code = text.charCodeAt(this.#at);
      const isAssign = code === EQUALS;
      const declares = isAssign || (code === COLON && text.charCodeAt(this.#at + 1) === EQUALS);
      if (!declares && code !== COMMA) {
        // No declaration after all, if there was none before.
        if (pipe.decl.length > 0) throw UNUSUAL;
        this.#at = at;
        return;
      }
      if (!isTerminator(text, end)) throw UNUSUAL;
      const name = text.slice(at, end);
      pipe.decl.push({ type: 'variable', at, tree: this.#source, ident: [name] });
      this.#variables.push(name);
      if (declares) {
        pipe.isAssign = isAssign;
        this.#at += isAssign ? 1 : 2;
        return;
      }
      if (context !== 'range' || pipe.decl.length >= 2) throw UNUSUAL;
      this.#at++;
      this.#skipSpaces();
    }
  }

  #command(): CommandNode {
    const text = this.#text;
    const args: Operand[] = [];
    const command: CommandNode = { type: 'command', at: this.#at, tree: this.#source, args };
    for (;;) {
      args.push(this.#operand());
      const code = text.charCodeAt(this.#at);
      if (code === BAR) {
        this.#at++;
        return command;
      }
      if (!isBlank(code)) {
        if (code !== CLOSE && !text.startsWith('}}', this.#at)) throw UNUSUAL;
        return command;
      }
      this.#skipSpaces();
      const next = text.charCodeAt(this.#at);
      if (next === BAR) {
        this.#at++;
        return command;
      }
      if (next === CLOSE || this.#isClosing()) return command;
    }
  }

  #operand(): Operand {
    const text = this.#text;
    const node = this.#term();
    if (text.charCodeAt(this.#at) !== DOT) return node;
    // Numbers may begin with a dot.
    const at = this.#at;
    const fields: string[] = [];
    while (text.charCodeAt(this.#at) === DOT) fields.push(this.#field());
    const tree = this.#source;
    switch (node.type) {
      case 'field':
        return { type: 'field', at, tree, ident: [...node.ident, ...fields] };
      case 'variable':
        return { type: 'variable', at, tree, ident: [...node.ident, ...fields] };
      case 'identifier':
      case 'pipe':
        return { type: 'chain', at, tree, node, fields };
      default:
        throw UNUSUAL;
    }
  }

  /** `.name`: only the name. */
  #field(): string {
    const from = this.#at + 1;
    const end = this.#wordEnd(from);
    if (end === from || !isTerminator(this.#text, end)) throw UNUSUAL;
    const code = this.#text.charCodeAt(from);
    if (code >= ZERO && code <= NINE) throw UNUSUAL;
    this.#at = end;
    return this.#text.slice(from, end);
  }

  #term(): Operand {
    const text = this.#text;
    const tree = this.#source;
    const at = this.#at;
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (isTerminator(text, at + 1)) {
        this.#at = at + 1;
        return { type: 'dot', at, tree };
      }
      return { type: 'field', at, tree, ident: [this.#field()] };
    }
    if (code === DOUBLE || code === BACKQUOTE) {
      const value = this.#string();
      return { type: 'string', at, tree, quoted: text.slice(at, this.#at), value };
    }
    if (code === OPEN) {
      if (++this.#depth > MAX_DEPTH) throw UNUSUAL;
      this.#at = at + 1;
      this.#skipSpaces();
      const pipe = this.#pipeline('parenthesized', true);
      this.#depth--;
      this.#at++;
      return pipe;
    }
    if (code === DOLLAR) {
      const end = this.#wordEnd(at + 1);
      const name = text.slice(at, end);
      if (!isTerminator(text, end) || !this.#variables.includes(name)) throw UNUSUAL;
      this.#at = end;
      return { type: 'variable', at, tree, ident: [name] };
    }
    if (code === DASH || (code >= ZERO && code <= NINE)) return this.#integer(at);
    const name = this.#word();
    if (this.#functions.has(name)) return { type: 'identifier', at, tree, name };
    if (name === 'true' || name === 'false') return { type: 'bool', at, tree, value: name === 'true' };
    if (name === 'nil') return { type: 'nil', at, tree };
    throw UNUSUAL;
  }

  /** A number of a few digits, and nothing more. */
  #integer(at: number): Operand {
    const text = this.#text;
    const isNegative = text.charCodeAt(at) === DASH;
    const from = isNegative ? at + 1 : at;
    let end = from;
    for (let code = text.charCodeAt(end); code >= ZERO && code <= NINE; code = text.charCodeAt(++end));
    const digits = end - from;
    if (digits === 0 || digits > 15 || (text.charCodeAt(from) === ZERO && (digits > 1 || isNegative)))
      throw UNUSUAL;
    const code = text.charCodeAt(end);
    if (!isBlank(code) && code !== CLOSE && code !== BAR && code !== BRACE) throw UNUSUAL;
    this.#at = end;
    const written = text.slice(at, end);
    const float = Number(written);
    const int = BigInt(float);
    return {
      type: 'number',
      at,
      tree: this.#source,
      text: written,
      int,
      uint: isNegative ? undefined : int,
      float,
      complex: undefined,
    };
  }

  /** A text in quotes, read. */
  #string(): string {
    const text = this.#text;
    const from = this.#at;
    const quote = text.charCodeAt(from);
    if (quote === BACKQUOTE) {
      const end = text.indexOf('`', from + 1);
      if (end < 0) throw UNUSUAL;
      this.#at = end + 1;
      const inner = text.slice(from + 1, end);
      return inner.includes('\r') ? inner.replaceAll('\r', '') : inner;
    }
    if (quote !== DOUBLE) throw UNUSUAL;
    let isEscaped = false;
    let at = from + 1;
    for (let code = text.charCodeAt(at); code !== DOUBLE; code = text.charCodeAt(++at)) {
      if (code === NEWLINE || at >= text.length) throw UNUSUAL;
      if (code !== BACKSLASH) continue;
      isEscaped = true;
      if (text.charCodeAt(++at) === NEWLINE) throw UNUSUAL;
    }
    this.#at = at + 1;
    return isEscaped ? unescaped(text.slice(from, at + 1)) : text.slice(from + 1, at);
  }

  /** A word that ends where a word may end. */
  #word(): string {
    const from = this.#at;
    const end = this.#wordEnd(from);
    if (end === from || !isTerminator(this.#text, end)) throw UNUSUAL;
    this.#at = end;
    return this.#text.slice(from, end);
  }

  #takeWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at) || !isTerminator(this.#text, this.#at + word.length))
      return false;
    this.#at += word.length;
    return true;
  }

  #wordEnd(from: number): number {
    const text = this.#text;
    let at = from;
    while (KINDS[text.charCodeAt(at)] === WORD) at++;
    return at;
  }

  /** Over white space, but not over the blank of a delimiter with a dash. */
  #skipSpaces(): true {
    const text = this.#text;
    let at = this.#at;
    if (!isBlank(text.charCodeAt(at))) return true;
    while (isBlank(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === DASH && text.startsWith('}}', at + 1)) at--;
    this.#at = at;
    return true;
  }

  #isClosing(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    return code === BRACE ? this.#text.charCodeAt(this.#at + 1) === BRACE : isBlank(code);
  }

  /** Over the end of an action, and on to what follows. */
  #close(): void {
    this.#skipSpaces();
    const text = this.#text;
    let at = this.#at;
    if (isBlank(text.charCodeAt(at))) {
      // Only before a dash spaces are left over.
      at += 4;
      while (isBlank(text.charCodeAt(at))) at++;
    } else if (text.startsWith('}}', at)) at += 2;
    else throw UNUSUAL;
    this.#at = at;
    this.#outside();
  }
}

const isBlank = (code: number): boolean =>
  code === SPACE || code === NEWLINE || code === TAB || code === RETURN;

/** Whether a name may end there. */
function isTerminator(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (
    KINDS[code] === BLANK ||
    code === DOT ||
    code === COMMA ||
    code === BAR ||
    code === COLON ||
    code === OPEN ||
    code === CLOSE ||
    (code === BRACE && text.charCodeAt(at + 1) === BRACE)
  );
}

function mayBePiped({ type }: Operand): boolean {
  return type !== 'bool' && type !== 'dot' && type !== 'nil' && type !== 'number' && type !== 'string';
}

function unescaped(quoted: string): string {
  try {
    return unquote(quoted);
  } catch (error) {
    if (error instanceof GoError) throw UNUSUAL;
    throw error;
  }
}
