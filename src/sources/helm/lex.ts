/**
 * The scanner of Go templates: text/template/parse/lex.go. A token list is made at once; an error is its last token,
 * met by the parser in its turn.
 */
export type TokenType =
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'complex'
  | 'assign'
  | 'declare'
  | 'eof'
  | 'field'
  | 'identifier'
  | 'leftDelim'
  | 'leftParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'rightDelim'
  | 'rightParen'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | 'block'
  | 'break'
  | 'continue'
  | 'dot'
  | 'define'
  | 'else'
  | 'end'
  | 'if'
  | 'nil'
  | 'range'
  | 'template'
  | 'with';

export interface Token {
  readonly type: TokenType;
  readonly at: number;
  readonly text: string;
  readonly line: number;
}

const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'nil',
  'template',
  'with',
]);
const KEYWORD_TYPES = new Set<string>(KEYWORDS);

/** Keywords, which an error shows in ‹›. */
export const isKeyword = (type: TokenType): boolean => type === 'dot' || KEYWORD_TYPES.has(type);

const SPACES = ' \t\r\n';
const isSpace = (character: string | undefined): boolean =>
  character !== undefined && character !== '' && SPACES.includes(character);
const ALNUM = /[\p{L}\p{Nd}_]/u;
const isAsciiWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95;
const isAlphaNumeric = (character: string | undefined): boolean => {
  if (character === undefined || character === '') return false;
  const code = character.charCodeAt(0);
  return code < 128 ? isAsciiWord(code) : ALNUM.test(character);
};

export function lex(text: string): Token[] {
  return new Lexer(text).run();
}

class Lexer {
  private readonly text: string;
  private readonly tokens: Token[] = [];
  private start = 0;
  private at = 0;
  private line = 1;
  private startLine = 1;
  private depth = 0;
  private nextBreak = -1;
  private inside = false;

  constructor(text: string) {
    this.text = text;
  }

  run(): Token[] {
    for (;;) {
      const more = this.inside ? this.action() : this.outside();
      if (!more) return this.tokens;
    }
  }

  private emit(type: TokenType): true {
    const text = this.text.slice(this.start, this.at);
    this.tokens.push({ type, at: this.start, text, line: this.startLine });
    this.skip();
    return true;
  }

  /** Leaves out what was read since the last token. */
  private skip(): void {
    while (this.nextBreak < this.at) {
      if (this.nextBreak >= this.start) this.line++;
      this.nextBreak = this.text.indexOf('\n', Math.max(this.start, this.nextBreak + 1));
      if (this.nextBreak < 0) this.nextBreak = Number.POSITIVE_INFINITY;
    }
    this.start = this.at;
    this.startLine = this.line;
  }

  private fail(message: string): false {
    this.tokens.push({ type: 'error', at: this.start, text: message, line: this.startLine });
    return false;
  }

  private peek(): string {
    const unit = this.text.charCodeAt(this.at);
    if (unit < 128) return this.text[this.at]!;
    const code = this.text.codePointAt(this.at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  private next(): string {
    const character = this.peek();
    this.at += character.length;
    return character;
  }

  /** Letters and digits; nearly all are ASCII, which need no look into Unicode's tables. */
  private letters(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code < 128) {
        if (!isAsciiWord(code)) return;
        this.at++;
      } else if (isAlphaNumeric(this.peek())) this.next();
      else return;
    }
  }

  private accept(set: string): boolean {
    const character = this.text[this.at];
    if (character !== undefined && set.includes(character)) {
      this.at++;
      return true;
    }
    return false;
  }

  private acceptRun(set: string): void {
    while (this.accept(set)) {
      // one after the other
    }
  }

  private outside(): boolean {
    const found = this.text.indexOf('{{', this.at);
    if (found < 0) {
      this.at = this.text.length;
      if (this.at > this.start) this.emit('text');
      this.emit('eof');
      return false;
    }
    let end = found;
    const trims = this.text[found + 2] === '-' && isSpace(this.text[found + 3]);
    if (trims) while (end > this.start && isSpace(this.text[end - 1])) end--;
    this.at = end;
    if (end > this.start) this.emit('text');
    this.at = found;
    this.skip();
    return this.leftDelim(trims);
  }

  private leftDelim(trims: boolean): boolean {
    this.at += 2;
    const after = trims ? 2 : 0;
    if (this.text.startsWith('/*', this.at + after)) {
      this.at += after;
      this.skip();
      return this.comment();
    }
    this.emit('leftDelim');
    this.at += after;
    this.skip();
    this.depth = 0;
    this.inside = true;
    return true;
  }

  private comment(): boolean {
    this.at += 2;
    const end = this.text.indexOf('*/', this.at);
    if (end < 0) return this.fail('unclosed comment');
    this.at = end + 2;
    const [closes, trims] = this.atRightDelim();
    if (!closes) return this.fail('comment ends before closing delimiter');
    if (trims) this.at += 2;
    this.at += 2;
    if (trims) while (isSpace(this.text[this.at])) this.at++;
    this.skip();
    return true;
  }

  private atRightDelim(): [boolean, boolean] {
    if (
      isSpace(this.text[this.at]) &&
      this.text[this.at + 1] === '-' &&
      this.text.startsWith('}}', this.at + 2)
    )
      return [true, true];
    return [this.text.startsWith('}}', this.at), false];
  }

  private rightDelim(trims: boolean): true {
    if (trims) {
      this.at += 2;
      this.skip();
    }
    this.at += 2;
    this.emit('rightDelim');
    if (trims) {
      while (isSpace(this.text[this.at])) this.at++;
      this.skip();
    }
    this.inside = false;
    return true;
  }

  private action(): boolean {
    const [closes, trims] = this.atRightDelim();
    if (closes) {
      if (this.depth === 0) return this.rightDelim(trims);
      return this.fail('unclosed left paren');
    }
    const character = this.next();
    switch (character) {
      case '':
        return this.fail('unclosed action');
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        return this.space();
      case '=':
        return this.emit('assign');
      case ':':
        if (this.next() !== '=') return this.fail('expected :=');
        return this.emit('declare');
      case '|':
        return this.emit('pipe');
      case '"':
        return this.quoted('"', 'string', 'unterminated quoted string');
      case '`':
        return this.raw();
      case '$':
        return this.fieldOrVariable('variable');
      case "'":
        return this.quoted("'", 'charConstant', 'unterminated character constant');
      case '(':
        this.depth++;
        return this.emit('leftParen');
      case ')':
        this.depth--;
        if (this.depth < 0) return this.fail('unexpected right paren');
        return this.emit('rightParen');
      default:
        break;
    }
    if (character === '.') {
      const follows = this.text[this.at];
      if (this.at < this.text.length && (follows! < '0' || follows! > '9'))
        return this.fieldOrVariable('field');
      if (this.at >= this.text.length) return this.fieldOrVariable('field');
      this.at--;
      return this.number();
    }
    if (character === '+' || character === '-' || (character >= '0' && character <= '9')) {
      this.at--;
      return this.number();
    }
    if (isAlphaNumeric(character)) {
      this.at -= character.length;
      return this.identifier();
    }
    const code = character.codePointAt(0)!;
    if (code > 0x20 && code < 0x7f) return this.emit('char');
    return this.fail(`unrecognized character in action: ${unicode(character)}`);
  }

  private space(): boolean {
    let count = 1;
    while (isSpace(this.text[this.at])) {
      this.at++;
      count++;
    }
    // Be careful about a trim-marked closing delimiter, which has a minus after a space.
    if (
      isSpace(this.text[this.at - 1]) &&
      this.text[this.at] === '-' &&
      this.text.startsWith('}}', this.at + 1)
    ) {
      this.at--;
      if (count === 1) return this.rightDelim(true);
    }
    return this.emit('space');
  }

  private identifier(): boolean {
    this.letters();
    const word = this.text.slice(this.start, this.at);
    if (!this.atTerminator()) return this.fail(`bad character ${unicode(this.peek())}`);
    if (KEYWORDS.has(word)) return this.emit(word as TokenType);
    if (word === 'true' || word === 'false') return this.emit('bool');
    return this.emit('identifier');
  }

  private fieldOrVariable(type: 'field' | 'variable'): boolean {
    if (this.atTerminator()) return this.emit(type === 'variable' ? 'variable' : 'dot');
    this.letters();
    if (!this.atTerminator()) return this.fail(`bad character ${unicode(this.peek())}`);
    return this.emit(type);
  }

  private atTerminator(): boolean {
    const code = this.text.charCodeAt(this.at);
    // The end, spaces and . , | : ( )
    if (Number.isNaN(code) || code === 32 || code === 9 || code === 10 || code === 13) return true;
    if (code === 46 || code === 44 || code === 124 || code === 58 || code === 40 || code === 41) return true;
    return this.text.startsWith('}}', this.at);
  }

  private quoted(quote: string, type: TokenType, unterminated: string): boolean {
    for (;;) {
      const character = this.next();
      if (character === '\\') {
        const escaped = this.next();
        if (escaped !== '' && escaped !== '\n') continue;
        return this.fail(unterminated);
      }
      if (character === '' || character === '\n') return this.fail(unterminated);
      if (character === quote) return this.emit(type);
    }
  }

  private raw(): boolean {
    const end = this.text.indexOf('`', this.at);
    if (end < 0) return this.fail('unterminated raw quoted string');
    this.at = end + 1;
    return this.emit('rawString');
  }

  private number(): boolean {
    if (!this.scanNumber()) return this.fail(`bad number syntax: "${this.text.slice(this.start, this.at)}"`);
    const sign = this.text[this.at];
    if (sign === '+' || sign === '-') {
      // Complex: 1+2i. No spaces, must end in 'i'.
      if (!this.scanNumber() || this.text[this.at - 1] !== 'i')
        return this.fail(`bad number syntax: "${this.text.slice(this.start, this.at)}"`);
      return this.emit('complex');
    }
    return this.emit('number');
  }

  private scanNumber(): boolean {
    this.accept('+-');
    let digits = '0123456789_';
    if (this.accept('0')) {
      if (this.accept('xX')) digits = '0123456789abcdefABCDEF_';
      else if (this.accept('oO')) digits = '01234567_';
      else if (this.accept('bB')) digits = '01_';
    }
    this.acceptRun(digits);
    if (this.accept('.')) this.acceptRun(digits);
    if (digits.length === 11 && this.accept('eE')) {
      this.accept('+-');
      this.acceptRun('0123456789_');
    }
    if (digits.length === 23 && this.accept('pP')) {
      this.accept('+-');
      this.acceptRun('0123456789_');
    }
    this.accept('i');
    if (isAlphaNumeric(this.peek())) {
      this.next();
      return false;
    }
    return true;
  }
}

/** %#U of a character. */
function unicode(character: string): string {
  const code = character.codePointAt(0) ?? -1;
  const hex = code.toString(16).toUpperCase().padStart(4, '0');
  return code > 0x20 && code !== 0x7f ? `U+${hex} '${character}'` : `U+${hex}`;
}
