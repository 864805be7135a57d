/**
 * The parser of Go templates: text/template/parse/parse.go and node.go. It gives the named templates of a text; each
 * error is the one that Go gives, with file and line.
 */
import { isKeyword, lex, type Token, type TokenType } from './lex.ts';
import {
  type BranchNode,
  type ChainNode,
  type CommandNode,
  isEmptyTree,
  type ListNode,
  type NumberNode,
  type Operand,
  type PipeNode,
  type Source,
  type StatementNode,
  show,
  type Template,
} from './nodes.ts';
import { named, quickTrees, type Trees } from './quick-parse.ts';
import { goQuote, unquote, unquoteCharacter } from './quote.ts';
import { GoError } from './value.ts';

interface Stop {
  readonly type: 'end' | 'else';
  readonly stops: true;
}

/** How deep parentheses may nest: fewer than Go's 10,000, for the call stack's sake. */
const MAX_PARENTHESES = 500;
/** How deep blocks may nest: beyond it the call stack would run out before Go's would. */
const MAX_BLOCKS = 1000;

/** Parses a text: the template named as the file, and those that it defines. */
export function parseTemplate(
  file: string,
  text: string,
  functions: ReadonlySet<string>,
): ReadonlyMap<string, Template> {
  return parsedBefore(file, text, functions) ?? parseThoroughly(file, text, functions);
}

/**
 * The trees of texts that were parsed before: charts hold the same libraries, and are rendered for several environments.
 * What nobody asked for while so many characters were parsed is forgotten.
 */
class Parsed {
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  #size = 0;

  get(text: string): Known | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, known: Known): void {
    this.#size += text.length;
    if (this.#size > MOST_PARSED) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#size = text.length;
    }
    this.#young.set(text, known);
  }
}

interface Known {
  readonly trees: Trees;
  /** The templates as the last file had them. */
  file: string;
  named: Map<string, Template> | undefined;
}

const MOST_PARSED = 1_500_000;
const parsed = new WeakMap<ReadonlySet<string>, Parsed>();

/** @returns undefined where the other parser has to be asked */
function parsedBefore(
  file: string,
  text: string,
  functions: ReadonlySet<string>,
): ReadonlyMap<string, Template> | undefined {
  let cache = parsed.get(functions);
  if (cache === undefined) {
    cache = new Parsed();
    parsed.set(functions, cache);
  }
  let known = cache.get(text);
  if (known === undefined) {
    const trees = quickTrees(text, functions);
    if (trees === undefined) return undefined;
    known = { trees, file, named: named(trees, file) };
    cache.set(text, known);
  } else if (known.file !== file) {
    known.file = file;
    known.named = named(known.trees, file);
  }
  return known.named;
}

/** The same, with the error that Go gives where the text is no template. */
export function parseThoroughly(
  file: string,
  text: string,
  functions: ReadonlySet<string>,
): Map<string, Template> {
  const parser = new Parser(file, text, functions);
  parser.file();
  return parser.defined;
}

class Parser {
  readonly defined = new Map<string, Template>();
  private readonly source: Source;
  private readonly fileName: string;
  private readonly functions: ReadonlySet<string>;
  private readonly tokens: readonly Token[];
  private position = 0;
  private furthest = 0;
  private variables = ['$'];
  private rangeDepth = 0;
  private parentheses = 0;
  private blocks = 0;
  private actionLine = 0;

  constructor(file: string, text: string, functions: ReadonlySet<string>) {
    this.source = { text };
    this.fileName = file;
    this.functions = functions;
    this.tokens = lex(text);
  }

  file(): void {
    const list = this.newList(this.peek().at);
    while (this.peek().type !== 'eof') {
      if (this.peek().type === 'leftDelim') {
        const before = this.position;
        this.next();
        if (this.nextNonSpace().type === 'define') {
          this.definition();
          continue;
        }
        this.position = before;
      }
      const node = this.textOrAction();
      if ('stops' in node) this.fail(`unexpected {{${node.type}}}`);
      else list.nodes.push(node);
    }
    this.add(this.fileName, list);
  }

  private add(name: string, root: ListNode): void {
    const before = this.defined.get(name);
    if (before === undefined || isEmptyTree(before.root))
      this.defined.set(name, { name, root, file: this.fileName });
    else if (!isEmptyTree(root)) this.fail(`multiple definition of template ${goQuote(name)}`);
  }

  private definition(): void {
    const context = 'define clause';
    const token = this.nextNonSpace();
    if (token.type !== 'string' && token.type !== 'rawString') this.unexpected(token, context);
    const name = this.unquoted(token.text);
    this.expect('rightDelim', context);
    const [variables, depth, line] = [this.variables, this.rangeDepth, this.actionLine];
    this.variables = ['$'];
    this.rangeDepth = 0;
    this.actionLine = 0;
    const [list, stop] = this.itemList();
    if (stop.type !== 'end') this.fail(`unexpected {{${stop.type}}} in ${context}`);
    this.add(name, list);
    this.variables = variables;
    this.rangeDepth = depth;
    this.actionLine = line;
  }

  private itemList(): [ListNode, Stop] {
    if (++this.blocks > MAX_BLOCKS) this.fail('blocks are nested too deeply');
    const list = this.newList(this.peekNonSpace().at);
    while (this.peekNonSpace().type !== 'eof') {
      const node = this.textOrAction();
      if ('stops' in node) {
        this.blocks--;
        return [list, node];
      }
      list.nodes.push(node);
    }
    return this.fail('unexpected EOF');
  }

  private textOrAction(): StatementNode | Stop {
    const token = this.nextNonSpace();
    if (token.type === 'text') return { type: 'text', at: token.at, tree: this.source, text: token.text };
    if (token.type === 'leftDelim') {
      this.actionLine = token.line;
      const node = this.action();
      this.actionLine = 0;
      return node;
    }
    return this.unexpected(token, 'input');
  }

  private action(): StatementNode | Stop {
    const before = this.position;
    const token = this.nextNonSpace();
    switch (token.type) {
      case 'block':
        return this.block();
      case 'break':
      case 'continue': {
        const after = this.nextNonSpace();
        if (after.type !== 'rightDelim') this.unexpected(after, `{{${token.type}}}`);
        if (this.rangeDepth === 0) this.fail(`{{${token.type}}} outside {{range}}`);
        return { type: token.type, at: token.at, tree: this.source };
      }
      case 'else': {
        const follows = this.peekNonSpace();
        if (follows.type === 'if' || follows.type === 'with') return { type: 'else', stops: true };
        this.expect('rightDelim', 'else');
        return { type: 'else', stops: true };
      }
      case 'end':
        this.expect('rightDelim', 'end');
        return { type: 'end', stops: true };
      case 'if':
      case 'range':
      case 'with':
        return this.control(token.type);
      case 'template': {
        const name = this.nextNonSpace();
        const text = this.templateName(name, 'template clause');
        const here = this.position;
        let pipe: PipeNode | undefined;
        if (this.nextNonSpace().type !== 'rightDelim') {
          this.position = here;
          pipe = this.pipeline('template clause', 'rightDelim');
        }
        return { type: 'template', at: name.at, tree: this.source, name: text, pipe };
      }
      default:
        break;
    }
    // Go backs up over the word alone: spaces before it stay read.
    this.position = before;
    const first = this.peekNonSpace();
    return { type: 'action', at: first.at, tree: this.source, pipe: this.pipeline('command', 'rightDelim') };
  }

  private block(): StatementNode {
    const context = 'block clause';
    const token = this.nextNonSpace();
    const name = this.templateName(token, context);
    const pipe = this.pipeline(context, 'rightDelim');
    const [variables, depth] = [this.variables, this.rangeDepth];
    this.variables = ['$'];
    this.rangeDepth = 0;
    const [list, stop] = this.itemList();
    if (stop.type !== 'end') this.fail(`unexpected {{${stop.type}}} in ${context}`);
    this.add(name, list);
    this.variables = variables;
    this.rangeDepth = depth;
    return { type: 'template', at: token.at, tree: this.source, name, pipe };
  }

  private control(type: 'if' | 'range' | 'with'): BranchNode {
    const mark = this.variables.length;
    const pipe = this.pipeline(type, 'rightDelim');
    if (type === 'range') this.rangeDepth++;
    const [list, stop] = this.itemList();
    if (type === 'range') this.rangeDepth--;
    let otherwise: ListNode | undefined;
    if (stop.type === 'else') {
      const follows = this.peek().type === 'space' ? this.peekNonSpace() : this.peek();
      if (type !== 'range' && follows.type === type) {
        this.next();
        otherwise = this.newList(follows.at);
        if (++this.blocks > MAX_BLOCKS) this.fail('blocks are nested too deeply');
        otherwise.nodes.push(this.control(type));
        this.blocks--;
      } else {
        const [rest, end] = this.itemList();
        if (end.type !== 'end') this.fail(`expected end; found {{${end.type}}}`);
        otherwise = rest;
      }
    }
    this.variables.length = mark;
    return { type, at: pipe.at, tree: this.source, pipe, list, otherwise };
  }

  private templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') return this.unexpected(token, context);
    return this.unquoted(token.text);
  }

  private pipeline(context: string, end: TokenType): PipeNode {
    const first = this.peekNonSpace();
    const pipe: PipeNode = {
      type: 'pipe',
      at: first.at,
      tree: this.source,
      isAssign: false,
      decl: [],
      commands: [],
    };
    this.declarations(pipe, context);
    for (;;) {
      const before = this.position;
      const token = this.nextNonSpace();
      if (token.type === end) {
        this.checkPipeline(pipe, context);
        return pipe;
      }
      switch (token.type) {
        case 'bool':
        case 'charConstant':
        case 'complex':
        case 'dot':
        case 'field':
        case 'identifier':
        case 'number':
        case 'nil':
        case 'rawString':
        case 'string':
        case 'variable':
        case 'leftParen':
          this.position = before;
          pipe.commands.push(this.command());
          break;
        default:
          this.unexpected(token, context);
      }
    }
  }

  private declarations(pipe: PipeNode, context: string): void {
    for (;;) {
      const variable = this.peekNonSpace();
      if (variable.type !== 'variable') return;
      const before = this.position;
      this.next();
      const follows = this.peekNonSpace();
      if (follows.type === 'assign' || follows.type === 'declare') {
        pipe.isAssign = follows.type === 'assign';
        this.nextNonSpace();
        this.addVariable(pipe, variable);
        return;
      }
      if (follows.type !== 'char' || follows.text !== ',') {
        this.position = before;
        return;
      }
      this.nextNonSpace();
      this.addVariable(pipe, variable);
      if (context !== 'range' || pipe.decl.length >= 2) this.fail(`too many declarations in ${context}`);
      const type = this.peekNonSpace().type;
      if (type !== 'variable' && type !== 'rightDelim' && type !== 'rightParen')
        this.fail('range can only initialize variables');
    }
  }

  private addVariable(pipe: PipeNode, token: Token): void {
    pipe.decl.push({ type: 'variable', at: token.at, tree: this.source, ident: [token.text] });
    this.variables.push(token.text);
  }

  private checkPipeline(pipe: PipeNode, context: string): void {
    if (pipe.commands.length === 0) this.fail(`missing value for ${context}`);
    pipe.commands.forEach((command, index) => {
      if (index === 0) return;
      const type = command.args[0]!.type;
      if (type === 'bool' || type === 'dot' || type === 'nil' || type === 'number' || type === 'string')
        this.fail(`non executable command in pipeline stage ${index + 1}`);
    });
  }

  private command(): CommandNode {
    const command: CommandNode = { type: 'command', at: this.peekNonSpace().at, tree: this.source, args: [] };
    for (;;) {
      this.peekNonSpace();
      const operand = this.operand();
      if (operand !== undefined) command.args.push(operand);
      const token = this.next();
      if (token.type === 'space') continue;
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.position--;
      else if (token.type !== 'pipe') this.unexpected(token, 'operand');
      break;
    }
    if (command.args.length === 0) this.fail('empty command');
    return command;
  }

  private operand(): Operand | undefined {
    const node = this.term();
    if (node === undefined || this.peek().type !== 'field') return node;
    const at = this.peek().at;
    const fields: string[] = [];
    while (this.peek().type === 'field') fields.push(this.next().text.slice(1));
    switch (node.type) {
      case 'field':
        return { type: 'field', at, tree: this.source, ident: [...node.ident, ...fields] };
      case 'variable':
        return { type: 'variable', at, tree: this.source, ident: [...node.ident, ...fields] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.fail(`unexpected . after term ${goQuote(show(node))}`);
      default: {
        const chain: ChainNode = { type: 'chain', at, tree: this.source, node, fields };
        return chain;
      }
    }
  }

  private term(): Operand | undefined {
    const token = this.nextNonSpace();
    const { at } = token;
    const tree = this.source;
    switch (token.type) {
      case 'identifier':
        if (!this.functions.has(token.text)) this.fail(`function ${goQuote(token.text)} not defined`);
        return { type: 'identifier', at, tree, name: token.text };
      case 'dot':
        return { type: 'dot', at, tree };
      case 'nil':
        return { type: 'nil', at, tree };
      case 'variable':
        if (!this.variables.includes(token.text)) this.fail(`undefined variable ${goQuote(token.text)}`);
        return { type: 'variable', at, tree, ident: [token.text] };
      case 'field':
        return { type: 'field', at, tree, ident: [token.text.slice(1)] };
      case 'bool':
        return { type: 'bool', at, tree, value: token.text === 'true' };
      case 'charConstant':
      case 'complex':
      case 'number':
        try {
          return { type: 'number', at, tree, ...readNumber(token) };
        } catch (error) {
          if (error instanceof GoError) return this.fail(error.message);
          throw error;
        }
      case 'leftParen': {
        if (this.parentheses >= MAX_PARENTHESES) this.fail('max expression depth exceeded');
        this.parentheses++;
        const pipe = this.pipeline('parenthesized pipeline', 'rightParen');
        this.parentheses--;
        return pipe;
      }
      case 'string':
      case 'rawString':
        return { type: 'string', at, tree, quoted: token.text, value: this.unquoted(token.text) };
      default:
        // Spaces before the token stay read, as in Go.
        this.position--;
        return undefined;
    }
  }

  private unquoted(text: string): string {
    try {
      return unquote(text);
    } catch (error) {
      if (error instanceof GoError) return this.fail(error.message);
      throw error;
    }
  }

  private newList(at: number): ListNode {
    return { type: 'list', at, tree: this.source, nodes: [] };
  }

  private peek(): Token {
    const index = Math.min(this.position, this.tokens.length - 1);
    if (index > this.furthest) this.furthest = index;
    return this.tokens[index]!;
  }

  private next(): Token {
    const token = this.peek();
    this.position++;
    return token;
  }

  private nextNonSpace(): Token {
    let token = this.next();
    while (token.type === 'space') token = this.next();
    return token;
  }

  private peekNonSpace(): Token {
    while (this.peek().type === 'space') this.position++;
    return this.peek();
  }

  private expect(type: TokenType, context: string): Token {
    const token = this.nextNonSpace();
    if (token.type !== type) this.unexpected(token, context);
    return token;
  }

  private unexpected(token: Token, context: string): never {
    if (token.type === 'error') {
      let extra = '';
      if (this.actionLine !== 0 && this.actionLine !== token.line) {
        extra = ` in action started at ${this.fileName}:${this.actionLine}`;
        if (token.text.endsWith(' action')) extra = extra.slice(' in action'.length);
      }
      return this.failAt(token.line, token.text + extra);
    }
    return this.fail(`unexpected ${showToken(token)} in ${context}`);
  }

  private fail(message: string): never {
    // Go takes the line of the token that was read last, looked-ahead ones included.
    return this.failAt(this.tokens[this.furthest]?.line ?? 1, message);
  }

  private failAt(line: number, message: string): never {
    throw new GoError(`template: ${this.fileName}:${line}: ${message}`);
  }
}

/** The token as an error names it: parse.item's String method. */
function showToken(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (token.type === 'error') return token.text;
  if (isKeyword(token.type)) return `<${token.text}>`;
  const characters = [...token.text];
  if (characters.length > 10) return `${goQuote(characters.slice(0, 10).join(''))}...`;
  return goQuote(token.text);
}

/** The number that a constant stands for, as every kind that it fits: parse.newNumber. */
function readNumber(token: Token): Omit<NumberNode, 'type' | 'at' | 'tree'> {
  const text = token.text;
  if (token.type === 'charConstant') {
    const { code, next } = unquoteCharacter(text, 1, "'");
    if (text[next] !== "'" || next !== text.length - 1)
      throw new GoError(`malformed character constant: ${text}`);
    return { text, int: BigInt(code), uint: BigInt(code), float: code, complex: undefined };
  }
  if (token.type === 'complex') {
    const split = Math.max(text.lastIndexOf('+'), text.lastIndexOf('-'));
    const re = readFloat(text.slice(0, split));
    const im = readFloat(text.slice(split, -1));
    if (re === undefined || im === undefined) throw new GoError(`illegal number syntax: ${goQuote(text)}`);
    return simplified(text, re, im);
  }
  if (text.endsWith('i')) {
    const im = readFloat(text.slice(0, -1));
    if (im !== undefined) return simplified(text, 0, im);
  }
  let integer = readInteger(text);
  let uint =
    integer !== undefined && integer >= 0n && integer < 1n << 64n && !/^[+-]/.test(text)
      ? integer
      : undefined;
  if (integer !== undefined && (integer >= 1n << 63n || integer < -(1n << 63n))) integer = undefined;
  let float: number | undefined;
  if (integer !== undefined) {
    float = Number(integer);
    if (integer === 0n) uint = 0n;
  } else if (uint !== undefined) float = Number(uint);
  else {
    float = readFloat(text);
    if (float !== undefined) {
      if (!/[.eEpP]/.test(text)) throw new GoError(`integer overflow: ${goQuote(text)}`);
      if (Number.isInteger(float)) {
        if (Math.abs(float) < 2 ** 63) integer = BigInt(float);
        if (float >= 0 && float < 2 ** 64) uint = BigInt(float);
      }
    }
  }
  if (integer === undefined && uint === undefined && float === undefined)
    throw new GoError(`illegal number syntax: ${goQuote(text)}`);
  return { text, int: integer, uint, float, complex: undefined };
}

function simplified(text: string, re: number, im: number): Omit<NumberNode, 'type' | 'at' | 'tree'> {
  const real = im === 0;
  const whole = real && Number.isInteger(re);
  return {
    text,
    complex: [re, im],
    float: real ? re : undefined,
    int: whole && Math.abs(re) < 2 ** 63 ? BigInt(re) : undefined,
    uint: whole && re >= 0 && re < 2 ** 64 ? BigInt(re) : undefined,
  };
}

/** The text without its underscores, which may stand between digits and after the base's prefix (underscoreOK). */
function withoutUnderscores(text: string): string | undefined {
  if (!text.includes('_')) return text;
  const match = /^[+-]?(0[xXoObB])?(.*)$/.exec(text)!;
  const digit = /^0[xX]$/.test(match[1] ?? '') ? '[0-9a-fA-F]' : '[0-9]';
  const rest = (match[1] === undefined ? '' : '0') + match[2]!;
  const legal = new RegExp(`(?<=${digit})_(?=${digit})`, 'g');
  if (rest.replace(legal, '').includes('_')) return undefined;
  return text.replaceAll('_', '');
}

/** strconv.ParseInt and ParseUint with base 0, without the bounds of 64 bits. */
export function readInteger(text: string): bigint | undefined {
  const clean = withoutUnderscores(text);
  if (clean === undefined) return undefined;
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)$/.exec(clean);
  if (match === null) return undefined;
  let digits = match[2]!;
  if (/^0[0-7]+$/.test(digits)) digits = `0o${digits.slice(1)}`;
  const value = BigInt(digits.toLowerCase());
  return match[1] === '-' ? -value : value;
}

/** strconv.ParseFloat of a literal: decimal, or hexadecimal with a p exponent; undefined where out of range. */
function readFloat(text: string): number | undefined {
  const prefixed = /^[+-]?0[xX]/.test(text);
  const clean = withoutUnderscores(text);
  if (clean === undefined) return undefined;
  if (prefixed) return readHexFloat(clean);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(clean)) return undefined;
  const value = Number(clean);
  return Number.isFinite(value) ? value : undefined;
}

function readHexFloat(text: string): number | undefined {
  const match = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(text);
  if (match === null || (match[2] === '' && match[3] === '')) return undefined;
  const digits = BigInt(`0x${match[2]}${match[3] ?? ''}`);
  const value = Number(digits) * 2 ** (Number(match[4]) - 4 * match[3]!.length);
  if (!Number.isFinite(value)) return undefined;
  return match[1] === '-' ? -value : value;
}
