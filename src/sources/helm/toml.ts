/** TOML as BurntSushi/toml writes it (encode.go), and reads it as far as charts use it. */
import { formatFloat } from './numbers.ts';
import { readInteger } from './parse.ts';
import { compareStrings, GoError, GoMap, GoSlice, Int, sortedKeys, type Value } from './value.ts';

const isTable = (value: Value): value is GoMap => value instanceof GoMap;
const isTableArray = (value: Value): value is GoSlice =>
  value instanceof GoSlice && value.items.length > 0 && value.items.every(isTable);

export function writeToml(value: Value): string {
  if (value === null || value === undefined)
    throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  if (!(value instanceof GoMap)) return inline(value);
  const lines: string[] = [];
  table(lines, value, [], '');
  return lines.join('');
}

const key = (name: string): string => (/^[A-Za-z0-9_-]+$/.test(name) ? name : quoteToml(name));

function quoteToml(text: string): string {
  let result = '"';
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character === '"' || character === '\\') result += `\\${character}`;
    else if (character === '\n') result += '\\n';
    else if (character === '\t') result += '\\t';
    else if (character === '\r') result += '\\r';
    else if (character === '\b') result += '\\b';
    else if (character === '\f') result += '\\f';
    else if (code < 0x20 || code === 0x7f) result += `\\u${code.toString(16).padStart(4, '0')}`;
    else result += character;
  }
  return `${result}"`;
}

function table(lines: string[], map: GoMap, path: readonly string[], indent: string): void {
  const names = sortedKeys(map);
  const later: string[] = [];
  for (const name of names) {
    const value = map.entries.get(name);
    if (value === null || value === undefined) continue;
    if (isTable(value) || isTableArray(value)) later.push(name);
    else lines.push(`${indent}${key(name)} = ${inline(value)}\n`);
  }
  for (const name of later) {
    const value = map.entries.get(name);
    const inner = [...path, name];
    const header = inner.map(key).join('.');
    const deeper = path.length === 0 ? '' : `${indent}`;
    if (isTableArray(value)) {
      for (const item of value.items) {
        if (lines.length > 0) lines.push('\n');
        lines.push(`${deeper}[[${header}]]\n`);
        table(lines, item as GoMap, inner, `${deeper}  `);
      }
    } else if (isTable(value)) {
      if (path.length === 0 && lines.length > 0) lines.push('\n');
      lines.push(`${deeper}[${header}]\n`);
      table(lines, value, inner, `${deeper}  `);
    }
  }
}

function inline(value: Value): string {
  if (value === null || value === undefined) throw new GoError('toml: cannot encode array with nil element');
  if (typeof value === 'string') return quoteToml(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'nan';
    if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
    const text = formatFloat(value, 'g', -1);
    return /^-?\d+$/.test(text) ? `${text}.0` : text;
  }
  if (value instanceof Int) return value.value.toString();
  if (value instanceof GoSlice) return `[${value.items.map(inline).join(', ')}]`;
  if (value instanceof GoMap) {
    return `{${[...value.entries]
      .sort(([a], [b]) => compareStrings(a, b))
      .map(([name, item]) => `${key(name)} = ${inline(item)}`)
      .join(', ')}}`;
  }
  return quoteToml(value instanceof Object && 'text' in value ? (value.text ?? '') : '');
}

/** Reads TOML 1.0, except dates, which stay text. */
export function readToml(text: string): GoMap {
  const root = new GoMap();
  let current = root;
  let at = 0;
  let line = 1;
  let lastKey = '';
  const fail = (message: string): never => {
    const key = lastKey === '' ? '' : ` (last key ${JSON.stringify(lastKey)})`;
    const end = at >= text.length && /^expected value/.test(message) ? 'unexpected EOF; ' : '';
    throw new GoError(`toml: line ${line}${key}: ${end}${message}`);
  };
  const space = (breaks: boolean): void => {
    for (;;) {
      const character = text[at];
      if (character === ' ' || character === '\t' || character === '\r') at++;
      else if (character === '#') while (at < text.length && text[at] !== '\n') at++;
      else if (breaks && character === '\n') {
        at++;
        line++;
      } else return;
    }
  };
  const word = (): string => {
    const quote = text[at];
    if (quote === '"' || quote === "'") return string();
    const match = /^[A-Za-z0-9_-]+/.exec(text.slice(at, at + 500));
    if (match === null) return fail(`expected a key, but found ${JSON.stringify(text[at] ?? 'the end')}`);
    at += match[0].length;
    return match[0];
  };
  const keys = (): string[] => {
    const path = [word()];
    for (;;) {
      space(false);
      if (text[at] !== '.') return path;
      at++;
      space(false);
      path.push(word());
    }
  };
  const string = (): string => {
    const quote = text[at]!;
    const multi = text.startsWith(quote.repeat(3), at);
    at += multi ? 3 : 1;
    if (multi && text[at] === '\n') at++;
    let result = '';
    for (;;) {
      const character = text[at];
      if (character === undefined || (!multi && character === '\n')) return fail('unexpected end of string');
      if (multi ? text.startsWith(quote.repeat(3), at) : character === quote) {
        at += multi ? 3 : 1;
        return result;
      }
      if (character === '\\' && quote === '"') {
        const letter = text[at + 1] ?? '';
        const simple: Record<string, string> = {
          b: '\b',
          t: '\t',
          n: '\n',
          f: '\f',
          r: '\r',
          '"': '"',
          '\\': '\\',
          e: '\x1b',
        };
        if (Object.hasOwn(simple, letter)) {
          result += simple[letter];
          at += 2;
        } else if (letter === 'u' || letter === 'U') {
          const digits = text.slice(at + 2, at + (letter === 'u' ? 6 : 10));
          if (!/^[0-9a-fA-F]+$/.test(digits) || Number.parseInt(digits, 16) > 0x10ffff)
            fail('invalid escape');
          result += String.fromCodePoint(Number.parseInt(digits, 16));
          at += 2 + digits.length;
        } else if (multi && /^\\[ \t]*\n/.test(text.slice(at, at + 200))) {
          at++;
          while (/\s/.test(text[at] ?? '')) at++;
        } else fail(`invalid escape character '${letter}'`);
        continue;
      }
      result += character;
      at++;
    }
  };
  const enter = (map: GoMap, path: readonly string[]): GoMap => {
    let here = map;
    for (const name of path) {
      let next = here.entries.get(name);
      if (next === undefined) {
        next = new GoMap();
        here.entries.set(name, next);
      }
      if (next instanceof GoSlice) next = next.items.at(-1);
      if (!(next instanceof GoMap)) return fail(`Key '${name}' has already been defined.`);
      here = next;
    }
    return here;
  };
  const assign = (map: GoMap): void => {
    const path = keys();
    space(false);
    if (text[at] !== '=')
      fail(at >= text.length ? "unexpected EOF; expected key separator '='" : "expected '=' after a key");
    lastKey = path.join('.');
    at++;
    space(false);
    const target = enter(map, path.slice(0, -1));
    const name = path.at(-1)!;
    if (target.entries.has(name)) fail(`Key '${path.join('.')}' has already been defined.`);
    target.entries.set(name, value(0));
  };
  const value = (depth: number): Value => {
    if (depth > 200) return fail('nested too deeply');
    const character = text[at];
    if (character === '"' || character === "'") return string();
    if (character === '[') {
      at++;
      const items: Value[] = [];
      for (;;) {
        space(true);
        if (text[at] === ']') {
          at++;
          return new GoSlice(items);
        }
        items.push(value(depth + 1));
        space(true);
        if (text[at] === ',') at++;
        else if (text[at] !== ']') return fail('expected a comma or array terminator');
      }
    }
    if (character === '{') {
      at++;
      const map = new GoMap();
      space(false);
      while (text[at] !== '}') {
        assign(map);
        space(false);
        if (text[at] === ',') at++;
        else if (text[at] !== '}') return fail("expected a comma or an inline table terminator '}'");
        space(false);
      }
      at++;
      return map;
    }
    const match = /^[^\s,\]}#]+/.exec(text.slice(at, at + 200));
    if (match === null) return fail('expected value');
    const literal = match[0];
    at += literal.length;
    if (literal === 'true' || literal === 'false') return literal === 'true';
    if (/^[+-]?(inf|nan)$/.test(literal))
      return literal.includes('nan') ? Number.NaN : literal.startsWith('-') ? -Infinity : Infinity;
    if (/^[+-]?\d[\d_]*$|^0[xob][0-9a-fA-F_]+$/.test(literal)) {
      const integer = readInteger(literal.replaceAll('_', ''));
      if (integer !== undefined) return new Int('int64', integer);
    }
    if (/^[+-]?\d[\d_]*(\.\d[\d_]*)?([eE][+-]?\d+)?$/.test(literal))
      return Number(literal.replaceAll('_', ''));
    if (/^\d{4}-\d\d-\d\d/.test(literal)) return literal;
    return fail(`expected value but found ${JSON.stringify(literal)} instead`);
  };
  for (;;) {
    space(true);
    if (at >= text.length) return root;
    if (text.startsWith('[[', at)) {
      at += 2;
      space(false);
      const path = keys();
      if (!text.startsWith(']]', at)) fail("expected table array name delimiter ']]'");
      at += 2;
      const parent = enter(root, path.slice(0, -1));
      const name = path.at(-1)!;
      const before = parent.entries.get(name);
      current = new GoMap();
      if (before instanceof GoSlice) before.items.push(current);
      else parent.entries.set(name, new GoSlice([current], '[]map[string]interface {}'));
    } else if (text[at] === '[') {
      at++;
      space(false);
      const path = keys();
      if (text[at] !== ']') fail("expected a table name delimiter ']'");
      at++;
      current = enter(root, path);
    } else assign(current);
    space(false);
    if (at < text.length && text[at] !== '\n')
      fail(`expected a top-level item to end with a newline, comment, or EOF, but got '${text[at]}' instead`);
  }
}
