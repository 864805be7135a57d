/**
 * Tokens to a tree, macros unfolded. Source: cel-spec doc/langdef.md (Syntax, Macros), cel-go parser/macro.go,
 * ext/comprehensions.go, cel/library.go (optional syntax).
 */
import type { Expr, FoldKind } from './ast.ts';
import { SyntaxIssue, type Token, tokenize } from './lexer.ts';
import { MAX_INT, MAX_UINT, MIN_INT, Uint } from './values.ts';

/** As cel-go's parser: deeper nesting is refused. */
const MAX_DEPTH = 250;
/** As cel-go's parser: a longer expression is refused. */
const MAX_CODE_POINTS = 100_000;
const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
const RELATIONS: Readonly<Record<string, string>> = {
  '==': '_==_',
  '!=': '_!=_',
  '<': '_<_',
  '<=': '_<=_',
  '>': '_>_',
  '>=': '_>=_',
};

/** @throws SyntaxIssue */
export function parse(source: string): Expr {
  if (source.length > MAX_CODE_POINTS)
    throw new SyntaxIssue(
      `expression code point size exceeds limit: size: ${source.length}, limit ${MAX_CODE_POINTS}`,
      0,
    );
  const parser = new Parser(tokenize(source));
  const expr = parser.expression();
  parser.end();
  return expr;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #is(text: string): boolean {
    const { is, text: has } = this.#token;
    return has === text && (is === 'operator' || is === 'ident');
  }

  #take(text: string): Token | undefined {
    if (!this.#is(text)) return undefined;
    return this.#tokens[this.#next++];
  }

  #expect(text: string): Token {
    const token = this.#take(text);
    if (token === undefined) throw this.#unexpected(`expecting '${text}'`);
    return token;
  }

  #unexpected(expecting: string): SyntaxIssue {
    const { text, at } = this.#token;
    return new SyntaxIssue(`mismatched input '${text}' ${expecting}`, at);
  }

  end(): void {
    if (this.#token.is !== 'end') throw this.#unexpected('expecting <EOF>');
  }

  expression(): Expr {
    if (++this.#depth > MAX_DEPTH)
      throw new SyntaxIssue(`expression recursion limit exceeded: ${MAX_DEPTH}`, this.#token.at);
    const condition = this.#logic('||');
    const question = this.#take('?');
    let expr = condition;
    if (question !== undefined) {
      const then = this.#logic('||');
      this.#expect(':');
      expr = { kind: 'conditional', condition, then, otherwise: this.expression(), at: question.at };
    }
    this.#depth--;
    return expr;
  }

  #logic(operator: '&&' | '||'): Expr {
    const part = () => (operator === '||' ? this.#logic('&&') : this.#relation());
    const first = part();
    const terms = [first];
    let at = 0;
    for (let token = this.#take(operator); token !== undefined; token = this.#take(operator)) {
      at ||= token.at;
      terms.push(part());
    }
    return terms.length === 1 ? first : { kind: 'logic', operator, terms, at };
  }

  #relation(): Expr {
    let left = this.#sum();
    for (let links = 0; ; links++) {
      const { text, at, is } = this.#token;
      const name =
        is === 'operator' && Object.hasOwn(RELATIONS, text)
          ? RELATIONS[text]!
          : is === 'ident' && text === 'in'
            ? '@in'
            : undefined;
      if (name === undefined) return left;
      this.#chained(links);
      this.#next++;
      left = { kind: 'call', name, args: [left, this.#sum()], at };
    }
  }

  #sum(): Expr {
    let left = this.#product();
    for (let links = 0; ; links++) {
      const { at } = this.#token;
      const name = this.#take('+') ? '_+_' : this.#take('-') ? '_-_' : undefined;
      if (name === undefined) return left;
      this.#chained(links);
      left = { kind: 'call', name, args: [left, this.#product()], at };
    }
  }

  #product(): Expr {
    let left = this.#unary();
    for (let links = 0; ; links++) {
      const { at } = this.#token;
      const name = this.#take('*') ? '_*_' : this.#take('/') ? '_/_' : this.#take('%') ? '_%_' : undefined;
      if (name === undefined) return left;
      this.#chained(links);
      left = { kind: 'call', name, args: [left, this.#unary()], at };
    }
  }

  /** A chain of one operator leans left: its tree is as deep as it is long. */
  #chained(links: number): void {
    if (links > 1000) throw new SyntaxIssue('expression recursion limit exceeded: 1000', this.#token.at);
  }

  #unary(): Expr {
    const { at } = this.#token;
    for (const [operator, name] of [
      ['!', '!_'],
      ['-', '-_'],
    ] as const) {
      let count = 0;
      while (this.#take(operator)) count++;
      if (count === 0) continue;
      // A number's own sign belongs to it, so that the smallest int can be written.
      const { is } = this.#token;
      if (operator === '-' && (is === 'int' || is === 'double')) {
        this.#next--;
        count--;
      }
      const operand = operator === '-' && count >= 0 && this.#is('-') ? this.#negative() : this.#member();
      return count % 2 === 0 ? operand : { kind: 'call', name, args: [operand], at };
    }
    return this.#member();
  }

  #negative(): Expr {
    const { at } = this.#expect('-');
    const token = this.#tokens[this.#next++]!;
    const value = token.is === 'double' ? -Number(token.text) : -BigInt(token.text);
    if (typeof value === 'bigint' && value < MIN_INT) throw new SyntaxIssue('invalid int literal', at);
    return this.#suffixes({ kind: 'constant', value, at });
  }

  #member(): Expr {
    return this.#suffixes(this.#primary());
  }

  #suffixes(start: Expr): Expr {
    let expr = start;
    for (let links = 0; ; links++) {
      this.#chained(links);
      const { at } = this.#token;
      if (this.#take('.')) {
        const optional = this.#take('?') !== undefined;
        const field = this.#tokens[this.#next]!;
        if (
          field.is !== 'ident' ||
          field.text === 'in' ||
          field.text === 'true' ||
          field.text === 'false' ||
          field.text === 'null'
        )
          throw this.#unexpected('expecting an identifier');
        this.#next++;
        if (optional || !this.#is('(')) {
          expr = {
            kind: 'select',
            operand: expr,
            field: field.text,
            mode: optional ? 'optional' : 'get',
            at,
          };
          continue;
        }
        const open = this.#expect('(');
        expr = this.#call(field.text, expr, this.#arguments(')'), open.at);
      } else if (this.#take('[')) {
        const optional = this.#take('?') !== undefined;
        const index = this.expression();
        this.#expect(']');
        expr = { kind: 'index', operand: expr, index, optional, at };
      } else return expr;
    }
  }

  #arguments(close: string): Expr[] {
    const args: Expr[] = [];
    if (!this.#is(close))
      do args.push(this.expression());
      while (this.#take(','));
    this.#expect(close);
    return args;
  }

  #primary(): Expr {
    const token = this.#token;
    const { at, text } = token;
    this.#next++;
    switch (token.is) {
      case 'string':
        return { kind: 'constant', value: text, at };
      case 'bytes':
        return { kind: 'constant', value: token.bytes, at };
      case 'int': {
        const value = BigInt(text);
        if (value > MAX_INT) throw new SyntaxIssue('invalid int literal', at);
        return { kind: 'constant', value, at };
      }
      case 'uint': {
        const value = BigInt(text);
        if (value > MAX_UINT) throw new SyntaxIssue('invalid uint literal', at);
        return { kind: 'constant', value: new Uint(value), at };
      }
      case 'double':
        return { kind: 'constant', value: Number(text), at };
      case 'ident':
        return this.#identifier(text, at);
      case 'operator':
        if (text === '(') {
          const inner = this.expression();
          this.#expect(')');
          return inner;
        }
        if (text === '[') return this.#list(at);
        if (text === '{') return this.#map(at);
        if (text === '.' && this.#token.is === 'ident') {
          const name = this.#token.text;
          this.#next++;
          return this.#identifier(name, at);
        }
    }
    this.#next--;
    throw new SyntaxIssue(
      `mismatched input '${text}' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`,
      at,
    );
  }

  #identifier(name: string, at: number): Expr {
    if (name === 'true' || name === 'false') return { kind: 'constant', value: name === 'true', at };
    if (name === 'null') return { kind: 'constant', value: null, at };
    if (name === 'in') throw new SyntaxIssue(`mismatched input 'in'`, at);
    if (RESERVED.has(name)) throw new SyntaxIssue(`reserved identifier: ${name}`, at);
    if (this.#is('(')) {
      const open = this.#expect('(');
      return this.#call(name, undefined, this.#arguments(')'), open.at);
    }
    // `Name{…}` and `a.b.Name{…}` make a typed object.
    let length = 0;
    while (
      this.#tokens[this.#next + length]?.text === '.' &&
      this.#tokens[this.#next + length + 1]?.is === 'ident'
    )
      length += 2;
    const brace = this.#tokens[this.#next + length];
    if (brace?.is !== 'operator' || brace.text !== '{') return { kind: 'ident', name, at };
    let full = name;
    for (let i = 1; i < length; i += 2) full += `.${this.#tokens[this.#next + i]!.text}`;
    this.#next += length;
    return this.#struct(full);
  }

  #struct(name: string): Expr {
    const { at } = this.#expect('{');
    const fields: { name: string; value: Expr; optional: boolean; at: number }[] = [];
    while (!this.#is('}')) {
      const optional = this.#take('?') !== undefined;
      const field = this.#token;
      if (field.is !== 'ident') throw this.#unexpected('expecting an identifier');
      this.#next++;
      const colon = this.#expect(':');
      fields.push({ name: field.text, value: this.expression(), optional, at: colon.at });
      if (!this.#take(',')) break;
    }
    this.#expect('}');
    return { kind: 'struct', name, fields, at };
  }

  #list(at: number): Expr {
    const elements: { value: Expr; optional: boolean }[] = [];
    while (!this.#is(']')) {
      const optional = this.#take('?') !== undefined;
      elements.push({ value: this.expression(), optional });
      if (!this.#take(',')) break;
    }
    this.#expect(']');
    return { kind: 'list', elements, at };
  }

  #map(at: number): Expr {
    const entries: { key: Expr; value: Expr; optional: boolean }[] = [];
    while (!this.#is('}')) {
      const optional = this.#take('?') !== undefined;
      const key = this.expression();
      this.#expect(':');
      entries.push({ key, value: this.expression(), optional });
      if (!this.#take(',')) break;
    }
    this.#expect('}');
    return { kind: 'map', entries, at };
  }

  #call(name: string, target: Expr | undefined, args: readonly Expr[], at: number): Expr {
    if (target === undefined && name === 'has' && args.length === 1) {
      const [operand] = args;
      if (operand!.kind !== 'select') throw issue('invalid argument to has() macro', at);
      return { ...operand, mode: 'has', at };
    }
    return (
      (target === undefined ? undefined : macro(name, target, args, at)) ?? {
        kind: 'call',
        name,
        args,
        at,
        ...(target === undefined ? {} : { target }),
      }
    );
  }
}

function issue(message: string, at: number): SyntaxIssue {
  const error = new SyntaxIssue(message, at);
  return Object.assign(error, { issue: { message, at } });
}

function variable(expr: Expr): string {
  if (expr.kind === 'ident') return expr.name;
  throw issue('argument must be a simple name', expr.at);
}

function macro(name: string, range: Expr, args: readonly Expr[], at: number): Expr | undefined {
  const fold = (
    kind: FoldKind,
    variables: readonly Expr[],
    parts: { filter?: Expr; transform?: Expr },
  ): Expr => {
    const names = variables.map(variable);
    if (names.length === 2 && names[0] === names[1])
      throw issue(`duplicate iteration variable name: ${names[0]}`, at);
    if (names.includes('__result__')) throw issue('iteration variable overwrites accumulator variable', at);
    return { kind: 'fold', fold: kind, range, variables: names, at, ...parts };
  };
  const [first, second, third, fourth] = args as [Expr, Expr, Expr, Expr];
  switch (name) {
    case 'all':
    case 'exists':
    case 'exists_one':
    case 'existsOne': {
      const kind = name === 'existsOne' ? 'exists_one' : name;
      // The short spelling is only one of the macro with two variables.
      if (args.length === 2 && name !== 'existsOne') return fold(kind, [first], { filter: second });
      if (args.length === 3) return fold(kind, [first, second], { filter: third });
      return undefined;
    }
    case 'map':
      if (args.length === 2) return fold('map', [first], { transform: second });
      if (args.length === 3) return fold('map', [first], { filter: second, transform: third });
      return undefined;
    case 'filter':
      return args.length === 2 ? fold('filter', [first], { filter: second }) : undefined;
    case 'transformList':
    case 'transformMap':
    case 'transformMapEntry':
      if (args.length === 3) return fold(name, [first, second], { transform: third });
      if (args.length === 4) return fold(name, [first, second], { filter: third, transform: fourth });
      return undefined;
    case 'sortBy':
    case 'optMap':
    case 'optFlatMap':
      return args.length === 2 ? fold(name, [first], { transform: second }) : undefined;
    default:
      return undefined;
  }
}
