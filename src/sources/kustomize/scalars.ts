/**
 * What a node's text means: YAML as go-yaml v3 reads it (resolve.go, decode.go), which kyaml uses for resources. It
 * differs from kubectl's own dialect in a few words (`yes`, `on`, `y` are texts) and in dates.
 */
import { NOT_IN_JSON, resolvePlain, resolveTagged, ScalarError } from '#yaml/scalars.ts';
import { BOOL, BuildError, FLOAT, INT, MAP, Node, NULL, SEQ, STR } from './node.ts';

export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

const TIMESTAMP = '!!timestamp';
const BINARY = '!!binary';
const MERGE = '!!merge';

/** YAML 1.1 has them for booleans, go-yaml v3 does not. */
const ONLY_IN_1_1 = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][-+]?[01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/;
const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);
const DATE =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?(Z|[-+][0-9]{2}:[0-9]{2}))|(?: ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?))?$/;

/** The tag of a scalar that is written without quotes and tag. */
export function tagOf(value: string): string {
  if (value === '<<') return MERGE;
  if (ONLY_IN_1_1.test(value)) return STR;
  const resolved = resolvePlain(value);
  if (resolved === null) return NULL;
  if (typeof resolved === 'boolean') return BOOL;
  if (typeof resolved === 'string') return dateOf(value) === undefined ? STR : TIMESTAMP;
  if (resolved === NOT_IN_JSON) return FLOAT;
  return isInteger(value) ? INT : FLOAT;
}

function isInteger(value: string): boolean {
  const plain = value.replaceAll('_', '');
  if (!INTEGER.test(plain)) return false;
  if (plain.length < 16) return true;
  const number = integerOf(plain);
  return number >= MIN_INT64 && number <= MAX_UINT64;
}

function integerOf(plain: string): bigint {
  const sign = plain.startsWith('-') ? -1n : 1n;
  const digits = plain.replace(/^[-+]/, '');
  return sign * BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
}

/** Does YAML 1.1 take the text for anything but a text? Source: kyaml/yaml/compatibility.go (IsValueNonString). */
export function isNonString(value: string): boolean {
  if (value === '' || value.includes('\n')) return false;
  const resolved = resolvePlain(value.trim());
  if (typeof resolved !== 'string') return true;
  // A text of several nodes is none either.
  return /^(?:[[{]|- |.*:(?: |$))/.test(value) && !/^[[{][^\]}]*$/.test(value);
}

/** Go's RFC 3339 for a date that YAML knows; undefined for any other text. Source: go-yaml v3 resolve.go. */
function dateOf(value: string): string | undefined {
  const parts = DATE.exec(value);
  if (parts === null) return undefined;
  const [, year, month, day, h1, m1, s1, f1, zone, h2, m2, s2, f2] = parts;
  const [hour, minute, second] = [h1 ?? h2 ?? '0', m1 ?? m2 ?? '0', s1 ?? s2 ?? '0'].map(Number) as [
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = (f1 ?? f2 ?? '').slice(0, 9).replace(/0+$/, '');
  const two = (number: number) => String(number).padStart(2, '0');
  const offset = zone === undefined || /^[-+]00:00$/.test(zone) ? 'Z' : zone;
  return `${year}-${two(Number(month))}-${two(Number(day))}T${two(hour)}:${two(minute)}:${two(second)}${
    fraction === '' ? '' : `.${fraction}`
  }${offset}`;
}

const QUOTED = new Set(['single', 'double', 'literal', 'folded']);

/**
 * The tag with which the node would be read again after having been written: what decides its value.
 * Source: go-yaml v3 encode.go (node).
 */
function effectiveTag(node: Node): string {
  const quoted = QUOTED.has(node.style);
  if (node.tag === STR) return STR;
  const own = tagOf(node.value);
  // A tag that says nothing new is not written, and quotes then make a text of it.
  if (node.tag === '' || (node.tag === own && !node.tagged)) return quoted ? STR : own;
  return node.tag;
}

/** @throws BuildError for a tag that does not fit the text, and for what JSON cannot hold */
export function scalarValue(node: Node): Json {
  const tag = effectiveTag(node);
  const { value } = node;
  switch (tag) {
    case STR:
      return node.style === 'folded' ? foldedAgain(value) : value;
    case NULL:
      return null;
    case TIMESTAMP:
      return dateOf(value) ?? value;
    case BINARY:
      return tagged('binary', value);
    case INT:
    case FLOAT:
    case BOOL: {
      const own = tagOf(value);
      if (own === INT) {
        if (tag === BOOL) break;
        const integer = integerOf(value.replaceAll('_', ''));
        if (tag === FLOAT) return Number(integer);
        const number = Number(integer);
        return Number.isSafeInteger(number) ? number : integer;
      }
      if (own !== tag) break;
      const resolved = resolvePlain(value);
      if (resolved === NOT_IN_JSON) throw new BuildError(`json: unsupported value: ${infinity(value)}`);
      return resolved;
    }
    default:
      // A tag of one's own says nothing of the value.
      return value;
  }
  throw new BuildError(`cannot decode ${tagOf(value)} \`${value}\` as a ${tag}`);
}

/**
 * A folded text (`>`) after it was written and read again, which is how kyaml makes JSON: it writes a second line break
 * behind every line that is not indented, as long as the text itself begins with a letter, whatever stands next; where
 * an indented line follows, both breaks stay. Source: go-yaml v3 emitterc.go (yaml_emitter_write_folded_scalar),
 * scannerc.go (yaml_parser_scan_block_scalar).
 */
function foldedAgain(value: string): string {
  // What no block can hold is written in quotes, and stays as it is.
  if (
    !value.includes('\n') ||
    / $| \n|[^\n\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(value)
  )
    return value;
  const doubles = !/^\n*(?:[ \t]|$)/.test(value);
  const written: string[] = [];
  for (const line of value.split('\n')) {
    written.push(line);
    if (doubles && line !== '' && !isBlank(line)) written.push('');
  }
  // Behind the last line stands no break of its own.
  if (written.at(-1) === '' && !value.endsWith('\n')) written.pop();
  let text = '';
  let [lastBlank, breaks, first] = [false, 0, true];
  for (const line of written) {
    if (line === '') {
      breaks++;
      continue;
    }
    if (first) text += '\n'.repeat(breaks);
    else if (!lastBlank && !isBlank(line)) text += breaks === 0 ? ' ' : '\n'.repeat(breaks);
    else text += '\n'.repeat(breaks + 1);
    text += line;
    [lastBlank, breaks, first] = [isBlank(line), 0, false];
  }
  if (first || value.endsWith('\n\n')) return text + '\n'.repeat(breaks);
  return value.endsWith('\n') ? `${text}\n` : text;
}

const isBlank = (line: string): boolean => line.startsWith(' ') || line.startsWith('\t');

function tagged(name: string, value: string): Json {
  try {
    return resolveTagged(`tag:yaml.org,2002:${name}`, value) as Json;
  } catch (error) {
    if (error instanceof ScalarError) throw new BuildError(error.message);
    throw error;
  }
}

function infinity(value: string): string {
  return value.toLowerCase() === '.nan' ? 'NaN' : value.startsWith('-') ? '-Inf' : '+Inf';
}

/** A tree may not go deeper: nothing real does, and the stack is not endless. */
export const MAX_DEPTH = 1000;

/**
 * The node as plain data, as it stands in the result.
 *
 * @throws BuildError for what cannot be written as JSON: keys that are no texts, keys stated twice
 */
export function toJson(node: Node, top = true, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new BuildError(`more than ${MAX_DEPTH} mappings and lists inside each other`);
  switch (node.kind) {
    case 'list':
      return node.content.map(item => toJson(item, false, depth + 1));
    case 'map': {
      const result: { [key: string]: Json } = {};
      const { content } = node;
      for (let i = 0; i + 1 < content.length; i += 2) {
        const key = content[i]!;
        if (key.kind !== 'scalar') throw new BuildError('invalid map key: a mapping or a list');
        if (!top && effectiveTag(key) !== STR)
          throw new BuildError(`json: unsupported type: map[interface {}]interface {} (key ${key.value})`);
        if (Object.hasOwn(result, key.value))
          throw new BuildError(`mapping key "${key.value}" already defined${lineOf(key)}`);
        set(result, key.value, toJson(content[i + 1]!, false, depth + 1));
      }
      return result;
    }
    case 'scalar':
      return scalarValue(node);
    case '':
      return null;
    case 'alias':
      return node.alias === undefined ? null : toJson(node.alias, false, depth + 1);
  }
}

function lineOf({ at }: Node): string {
  return at === undefined ? '' : ` (line ${at.source.lineOf(at.start)})`;
}

function set(target: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/**
 * Makes the node what it is after a way through JSON and back: tags resolved, numbers as float64. Keys and order of
 * mappings do not show in any result, so they stay. Source: kyaml/yaml/rnode.go (MarshalJSON, UnmarshalJSON).
 */
export function throughJson(node: Node): void {
  // Refuses what JSON refuses, first.
  toJson(node);
  normalize(node);
}

function normalize(node: Node): void {
  if (node.kind === 'map' || node.kind === 'list') {
    node.tag = node.kind === 'map' ? MAP : SEQ;
    node.style = '';
    node.anchor = '';
    node.content.forEach((child, i) => {
      if (node.kind === 'map' && i % 2 === 0) {
        child.tag = STR;
        child.tagged = false;
        child.style = isNonString(child.value) ? 'double' : '';
      } else normalize(child);
    });
    return;
  }
  if (node.kind !== 'scalar') {
    node.become(fromJson(toJson(node)));
    return;
  }
  const { at } = node;
  node.become(fromJson(scalarValue(node)));
  node.at = at;
}

/** Source: go-yaml v3 encode.go, for what encoding/json decodes. */
export function fromJson(value: Json, at?: Node['at']): Node {
  const node = fromJsonValue(value, at);
  node.at = at;
  return node;
}

function fromJsonValue(value: Json, at: Node['at']): Node {
  if (value === null) return newScalar(NULL, 'null', '');
  if (typeof value === 'string') {
    const style = value.includes('\n')
      ? 'literal'
      : tagOf(value) !== STR || isNonString(value)
        ? 'double'
        : '';
    return newScalar(STR, value, style);
  }
  if (typeof value === 'boolean') return newScalar(BOOL, String(value), '');
  if (typeof value === 'number' || typeof value === 'bigint') {
    const written = goFloat(Number(value));
    return newScalar(tagOf(written), written, '');
  }
  const isList = Array.isArray(value);
  const node = new Node(isList ? 'list' : 'map', isList ? SEQ : MAP);
  if (isList) for (const item of value) node.content.push(fromJson(item, at));
  else
    for (const [key, item] of Object.entries(value)) {
      const keyNode = newScalar(STR, key, isNonString(key) ? 'double' : '');
      keyNode.at = at;
      node.content.push(keyNode, fromJson(item, at));
    }
  return node;
}

function newScalar(tag: string, value: string, style: Node['style']): Node {
  return new Node('scalar', tag, value, style);
}

/** Go's FormatFloat(x, 'g', -1, 64): an exponent from a million on, and below 1e-4. Source: strconv/ftoa.go. */
export function goFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 6)
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return String(value);
}
