/**
 * JSON Schema as helm checks values with it: santhosh-tekuri/jsonschema v6, with its sentences (kind/kind.go) and the
 * order and indentation of its output. References lead inside the schema only; nothing is fetched.
 */
import { jsonNumber, quoteJson, readJson } from './json.ts';
import { GoError, GoMap, GoSlice, type Value } from './value.ts';

/** A schema speaks of another one, which would have to be fetched. */
export class SchemaNotLocal extends GoError {
  readonly url: string;

  constructor(url: string) {
    super(`failing loading ${quoteJson(url, false)}: schemas are not fetched`);
    this.url = url;
  }
}

/** Something that is wrong at a place of the values; a group holds what its branches say. */
interface Problem {
  readonly at: string;
  readonly message: string;
  readonly causes: readonly Problem[];
}

/** How deep schemas may lead into each other, and how many steps checking may take. */
const MAX_DEPTH = 200;
const MAX_STEPS = 1_000_000;

/** The lines that helm prints under the chart's name; none where the values are as the schema wants them. */
export function schemaErrors(
  schemaText: string,
  values: Value,
  matches: (pattern: string, text: string) => boolean,
): string[] {
  let schema: Value;
  try {
    schema = readJson(schemaText.replace(/^\ufeff/, ''));
  } catch (error) {
    if (error instanceof GoError) return [error.message];
    throw error;
  }
  const problems = new Checker(schema, matches).check(schema, values, '', 0);
  return problems.flatMap(problem => lines(problem, 0));
}

function lines(problem: Problem, depth: number): string[] {
  return [
    `${'  '.repeat(depth)}- at '${problem.at}': ${problem.message}`,
    ...problem.causes.flatMap(cause => lines(cause, depth + 1)),
  ];
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const isNumber = (value: Value): value is number => typeof value === 'number';

function typeName(value: Value): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (value instanceof GoMap) return 'object';
  if (value instanceof GoSlice) return 'array';
  return 'number';
}

const isType = (value: Value, type: string): boolean =>
  type === 'integer' ? isNumber(value) && Number.isInteger(value) : typeName(value) === type;

function same(a: Value, b: Value): boolean {
  if (a instanceof GoMap && b instanceof GoMap) {
    if (a.entries.size !== b.entries.size) return false;
    return [...a.entries].every(([key, value]) => b.entries.has(key) && same(value, b.entries.get(key)));
  }
  if (a instanceof GoSlice && b instanceof GoSlice)
    return a.items.length === b.items.length && a.items.every((item, at) => same(item, b.items[at]));
  return (a ?? null) === (b ?? null);
}

/** A value as the sentences show it. */
function shown(value: Value): string {
  if (typeof value === 'string') return quote(value);
  if (isNumber(value)) return jsonNumber(value);
  if (value === null || value === undefined) return 'null';
  return typeof value === 'boolean' ? String(value) : typeName(value);
}

class Checker {
  readonly #root: Value;
  readonly #matches: (pattern: string, text: string) => boolean;
  #steps = 0;

  constructor(root: Value, matches: (pattern: string, text: string) => boolean) {
    this.#root = root;
    this.#matches = matches;
  }

  check(schema: Value, value: Value, at: string, depth: number): Problem[] {
    if (depth > MAX_DEPTH || ++this.#steps > MAX_STEPS) throw new GoError('the schema leads too deep');
    if (schema === false) return [{ at, message: 'false schema', causes: [] }];
    if (!(schema instanceof GoMap)) return [];
    const problems: Problem[] = [];
    const say = (message: string, causes: readonly Problem[] = []): void => {
      problems.push({ at, message, causes });
    };
    const get = (key: string): Value => schema.entries.get(key);
    const below = (inner: Value, one: Value, place: string): Problem[] =>
      this.check(inner, one, place, depth + 1);

    const reference = get('$ref');
    if (typeof reference === 'string') problems.push(...below(this.#resolve(reference), value, at));

    const type = get('type');
    const types = typeof type === 'string' ? [type] : type instanceof GoSlice ? (type.items as string[]) : [];
    if (types.length > 0 && !types.some(one => isType(value, one))) {
      say(`got ${typeName(value)}, want ${types.join(' or ')}`);
      return problems;
    }
    if (schema.entries.has('const') && !same(value, get('const')))
      say(`value must be ${shown(get('const'))}`);
    const allowed = get('enum');
    if (allowed instanceof GoSlice && !allowed.items.some(one => same(one, value))) {
      const simple = allowed.items.every(one => !(one instanceof GoMap) && !(one instanceof GoSlice));
      const list = allowed.items.map(shown).join(', ');
      say(
        simple
          ? allowed.items.length === 1
            ? `value must be ${list}`
            : `value must be one of ${list}`
          : 'enum failed',
      );
    }
    if (value instanceof GoMap) this.#object(schema, value, at, say, below, problems);
    else if (value instanceof GoSlice) this.#array(schema, value, at, say, below, problems);
    else if (typeof value === 'string') this.#string(schema, value, say);
    else if (isNumber(value)) this.#number(schema, value, say);

    const not = get('not');
    if (not !== undefined && below(not, value, at).length === 0) say("'not' failed");
    const all = get('allOf');
    if (all instanceof GoSlice) {
      const causes = all.items.flatMap(one => below(one, value, at));
      if (causes.length > 0) say("'allOf' failed", causes);
    }
    const any = get('anyOf');
    if (any instanceof GoSlice) {
      const answers = any.items.map(one => below(one, value, at));
      if (!answers.some(answer => answer.length === 0)) say("'anyOf' failed", answers.flat());
    }
    const one = get('oneOf');
    if (one instanceof GoSlice) {
      const answers = one.items.map(each => below(each, value, at));
      const right = answers.flatMap((answer, index) => (answer.length === 0 ? [index] : []));
      if (right.length === 0) say("'oneOf' failed, none matched", answers.flat());
      else if (right.length > 1) say(`'oneOf' failed, subschemas ${right[0]}, ${right[1]} matched`);
    }
    const condition = get('if');
    if (condition !== undefined) {
      const branch = below(condition, value, at).length === 0 ? get('then') : get('else');
      if (branch !== undefined) problems.push(...below(branch, value, at));
    }
    return problems;
  }

  #object(
    schema: GoMap,
    value: GoMap,
    at: string,
    say: (message: string, causes?: readonly Problem[]) => void,
    below: (schema: Value, value: Value, at: string) => Problem[],
    problems: Problem[],
  ): void {
    const get = (key: string): Value => schema.entries.get(key);
    const count = (key: string, words: string, bad: (limit: number) => boolean): void => {
      const limit = get(key);
      if (isNumber(limit) && bad(limit)) say(`${words}: got ${value.entries.size}, want ${limit}`);
    };
    count('minProperties', 'minProperties', limit => value.entries.size < limit);
    count('maxProperties', 'maxProperties', limit => value.entries.size > limit);
    const required = get('required');
    if (required instanceof GoSlice) {
      const missing = (required.items as string[]).filter(key => !value.entries.has(key)).map(quote);
      if (missing.length > 0)
        say(`missing ${missing.length === 1 ? 'property' : 'properties'} ${missing.join(', ')}`);
    }
    const properties = get('properties');
    const patterns = get('patternProperties');
    const additional = get('additionalProperties');
    const extra: string[] = [];
    for (const [key, one] of value.entries) {
      const place = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      let known = false;
      if (properties instanceof GoMap && properties.entries.has(key)) {
        known = true;
        problems.push(...below(properties.entries.get(key), one, place));
      }
      if (patterns instanceof GoMap) {
        for (const [pattern, inner] of patterns.entries) {
          if (!this.#matches(pattern, key)) continue;
          known = true;
          problems.push(...below(inner, one, place));
        }
      }
      if (known || additional === undefined) continue;
      if (additional === false) extra.push(quote(key));
      else problems.push(...below(additional, one, place));
    }
    if (extra.length > 0) say(`additional properties ${extra.join(', ')} not allowed`);
    const names = get('propertyNames');
    if (names !== undefined) {
      for (const key of value.entries.keys()) {
        const causes = below(names, key, at);
        if (causes.length > 0) say(`invalid propertyName ${quote(key)}`, causes);
      }
    }
    const dependent = get('dependentRequired') ?? get('dependencies');
    if (dependent instanceof GoMap) {
      for (const [key, needs] of dependent.entries) {
        if (!value.entries.has(key)) continue;
        if (needs instanceof GoSlice) {
          const missing = (needs.items as string[]).filter(need => !value.entries.has(need)).map(quote);
          if (missing.length > 0) say(`properties ${missing.join(', ')} required, if ${quote(key)} exists`);
        } else problems.push(...below(needs, value, at));
      }
    }
  }

  #array(
    schema: GoMap,
    value: GoSlice,
    at: string,
    say: (message: string) => void,
    below: (schema: Value, value: Value, at: string) => Problem[],
    problems: Problem[],
  ): void {
    const get = (key: string): Value => schema.entries.get(key);
    const [least, most] = [get('minItems'), get('maxItems')];
    if (isNumber(least) && value.items.length < least)
      say(`minItems: got ${value.items.length}, want ${least}`);
    if (isNumber(most) && value.items.length > most) say(`maxItems: got ${value.items.length}, want ${most}`);
    if (get('uniqueItems') === true) {
      outer: for (let second = 1; second < Math.min(value.items.length, 2000); second++)
        for (let first = 0; first < second; first++)
          if (same(value.items[first], value.items[second])) {
            say(`items at ${first} and ${second} are equal`);
            break outer;
          }
    }
    const items = get('items');
    const prefix = get('prefixItems') ?? (items instanceof GoSlice ? items : undefined);
    const rest = items instanceof GoSlice ? get('additionalItems') : items;
    value.items.forEach((item, index) => {
      const own = prefix instanceof GoSlice && index < prefix.items.length ? prefix.items[index] : rest;
      if (own !== undefined) problems.push(...below(own, item, `${at}/${index}`));
    });
    const contains = get('contains');
    if (contains !== undefined && !value.items.some(item => below(contains, item, at).length === 0))
      say('no items match contains schema');
  }

  #string(schema: GoMap, value: string, say: (message: string) => void): void {
    const [least, most, pattern] = ['minLength', 'maxLength', 'pattern'].map(key => schema.entries.get(key));
    const length = [...value].length;
    if (isNumber(least) && length < least) say(`minLength: got ${length}, want ${least}`);
    if (isNumber(most) && length > most) say(`maxLength: got ${length}, want ${most}`);
    if (typeof pattern === 'string' && !this.#matches(pattern, value))
      say(`${quote(value)} does not match pattern ${quote(pattern)}`);
  }

  #number(schema: GoMap, value: number, say: (message: string) => void): void {
    const limit = (key: string, bad: (limit: number) => boolean): void => {
      const wanted = schema.entries.get(key);
      if (isNumber(wanted) && bad(wanted))
        say(`${key}: got ${jsonNumber(value)}, want ${jsonNumber(wanted)}`);
    };
    limit('minimum', least => value < least);
    limit('maximum', most => value > most);
    limit('exclusiveMinimum', least => value <= least);
    limit('exclusiveMaximum', most => value >= most);
    limit('multipleOf', step => step > 0 && !Number.isInteger(value / step));
  }

  /** A reference as the schema's own address makes it whole. */
  #url(reference: string): string {
    const id = this.#root instanceof GoMap ? (this.#root.get('$id') ?? this.#root.get('id')) : undefined;
    const base = typeof id === 'string' && URL.canParse(id) ? id : 'file:///values.schema.json';
    const { href, hash } = URL.canParse(reference, base) ? new URL(reference, base) : new URL(base);
    return href.slice(0, href.length - hash.length);
  }

  #resolve(reference: string): Value {
    if (!reference.startsWith('#')) throw new SchemaNotLocal(this.#url(reference));
    let here = this.#root;
    for (const step of reference.slice(1).split('/').slice(1)) {
      const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      if (here instanceof GoMap) here = here.entries.get(key);
      else if (here instanceof GoSlice) here = here.items[Number(key)];
      else break;
    }
    if (here === undefined) throw new GoError(`invalid jsonpointer in ${quoteJson(reference, false)}`);
    return here;
  }
}
