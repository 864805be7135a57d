/**
 * Runs a checked expression. Errors are values until the end: `true || error` is true, and a macro that has its answer
 * forgets the errors before. Source: cel-spec doc/langdef.md (Evaluation), cel-go interpreter, interpreter/runtimecost.go.
 */
import type { Expr, FoldExpr } from './ast.ts';
import type { Resolved } from './checker.ts';
import { fits, NO_OVERLOAD, selfCompareCost } from './declare.ts';
import { CelProgramError } from './issues.ts';
import { regexIssue } from './regex.ts';
import { sortBy } from './strings.ts';
import {
  CelError,
  CelMap,
  CelStruct,
  CelUnknown,
  type CelValue,
  isList,
  keyText,
  LazyObject,
  Optional,
  TypeValue,
  typeNameOf,
  Uint,
} from './values.ts';

/** The values of variables; undefined where a variable has none. */
export type Activation = (name: string) => CelValue | undefined;

interface Frame {
  readonly variables: Activation;
  /** Variables of macros, by their depth. */
  readonly locals: CelValue[];
  cost: number;
  readonly limit: number;
}

export type Run = (frame: Frame) => CelValue;

/** Thrown where an expression costs more than it may. */
export class CostExceeded extends Error {
  override readonly name = 'CostExceeded';
}

export function plan(expr: Expr, resolved: Resolved): Run {
  return new Planner(resolved).plan(expr, []);
}

function charge(frame: Frame, cost: number): void {
  frame.cost += cost;
  if (frame.cost > frame.limit) throw new CostExceeded();
}

/** Of several errors the first; what is not known outweighs them, because it could be any of them or none. */
function worse(a: CelError | undefined, b: CelError): CelError {
  return a === undefined || (b instanceof CelUnknown && !(a instanceof CelUnknown)) ? b : a;
}

class Planner {
  readonly #resolved: Resolved;
  readonly #constants = new Map<Expr, CelValue | undefined>();

  constructor(resolved: Resolved) {
    this.#resolved = resolved;
  }

  plan(expr: Expr, scope: readonly string[]): Run {
    const constant = this.#constant(expr);
    if (constant !== undefined) return () => constant;
    const named = this.#resolved.names.get(expr);
    if (named !== undefined) {
      if (!named.isType) return variable(named.name);
      return () => new TypeValue(named.name);
    }
    switch (expr.kind) {
      case 'constant': {
        const { value } = expr;
        return () => value;
      }
      case 'ident': {
        const slot = scope.lastIndexOf(expr.name);
        return frame => {
          charge(frame, 1);
          return frame.locals[slot]!;
        };
      }
      case 'select': {
        const operand = this.plan(expr.operand, scope);
        const { field, mode } = expr;
        const cost = mode === 'has' ? 0 : isAttribute(expr.operand) ? 1 : 2;
        return frame => {
          const value = operand(frame);
          if (value instanceof CelError) return value;
          if (mode === 'optional') return chosen(frame, cost, maybe(value, field));
          charge(frame, cost);
          return mode === 'get' ? select(value, field) : has(value, field);
        };
      }
      case 'index': {
        const operand = this.plan(expr.operand, scope);
        const index = this.plan(expr.index, scope);
        const cost = isAttribute(expr.operand) ? 1 : 2;
        const { optional } = expr;
        return frame => {
          const value = operand(frame);
          if (value instanceof CelError) return value;
          const at = index(frame);
          if (at instanceof CelError) return at;
          if (optional) return chosen(frame, cost, maybe(value, at));
          charge(frame, cost);
          return select(value, at);
        };
      }
      case 'logic': {
        const terms = expr.terms.map(term => this.plan(term, scope));
        const decisive = expr.operator === '||';
        return frame => {
          let error: CelError | undefined;
          for (const term of terms) {
            const value = term(frame);
            if (value === decisive) return decisive;
            if (typeof value !== 'boolean')
              error = worse(error, value instanceof CelError ? value : NO_OVERLOAD);
          }
          return error ?? !decisive;
        };
      }
      case 'conditional': {
        const condition = this.plan(expr.condition, scope);
        const then = this.plan(expr.then, scope);
        const otherwise = this.plan(expr.otherwise, scope);
        return frame => {
          const value = condition(frame);
          if (typeof value === 'boolean') return value ? then(frame) : otherwise(frame);
          return value instanceof CelError ? value : NO_OVERLOAD;
        };
      }
      case 'list': {
        const elements = expr.elements.map(({ value, optional }) => ({
          run: this.plan(value, scope),
          optional,
        }));
        return frame => {
          const list: CelValue[] = [];
          for (const { run, optional } of elements) {
            const value = run(frame);
            if (value instanceof CelError) return value;
            if (!optional) list.push(value);
            else if (!(value instanceof Optional)) return NO_OVERLOAD;
            else if (value.value !== undefined) list.push(value.value);
          }
          charge(frame, 10);
          return list;
        };
      }
      case 'map': {
        const entries = expr.entries.map(({ key, value, optional }) => ({
          key: this.plan(key, scope),
          value: this.plan(value, scope),
          optional,
        }));
        return frame => {
          const map = new CelMap();
          for (const entry of entries) {
            const key = entry.key(frame);
            if (key instanceof CelError) return key;
            const value = entry.value(frame);
            if (value instanceof CelError) return value;
            let stored: CelValue = value;
            if (entry.optional) {
              if (!(value instanceof Optional)) return NO_OVERLOAD;
              if (value.value === undefined) continue;
              stored = value.value;
            }
            if (!isKey(key)) return new CelError('unsupported key type');
            if (!map.set(key, stored)) return new CelError(`Failed with repeated key: ${keyText(key)}`);
          }
          charge(frame, 30);
          return map;
        };
      }
      case 'struct': {
        const fields = expr.fields.map(({ name: field, value, optional }) => ({
          field,
          run: this.plan(value, scope),
          optional,
        }));
        const type = expr.name;
        return frame => {
          const values = new Map<string, CelValue>();
          for (const { field, run, optional } of fields) {
            const value = run(frame);
            if (value instanceof CelError) return value;
            if (!optional) values.set(field, value);
            else if (!(value instanceof Optional)) return NO_OVERLOAD;
            else if (value.value !== undefined) values.set(field, value.value);
          }
          charge(frame, 40);
          return new CelStruct(type, values);
        };
      }
      case 'call':
        return this.#call(expr, scope);
      case 'fold':
        return expr.fold === 'optMap' || expr.fold === 'optFlatMap'
          ? this.#optional(expr, scope)
          : this.#fold(expr, scope);
    }
  }

  /**
   * The value of what is worked out when the program is made: constants, what is made of them alone, and their
   * conversions. Source: cel-go interpreter/decorators.go (decOptimize).
   *
   * @throws CelProgramError where a conversion fails, however unlikely it is to be reached
   */
  #constant(expr: Expr): CelValue | undefined {
    if (expr.kind === 'constant') return expr.value;
    const known = this.#constants.get(expr);
    if (known !== undefined || this.#constants.has(expr)) return known;
    const value = this.#folded(expr);
    this.#constants.set(expr, value);
    return value;
  }

  #folded(expr: Expr): CelValue | undefined {
    const named = this.#resolved.names.get(expr);
    if (named !== undefined) return named.isType ? new TypeValue(named.name) : undefined;
    switch (expr.kind) {
      case 'list': {
        const values = expr.elements.map(({ value, optional }) =>
          optional ? undefined : this.#constant(value),
        );
        return values.includes(undefined) ? undefined : (values as CelValue[]);
      }
      case 'map': {
        const map = new CelMap();
        for (const entry of expr.entries) {
          const key = this.#constant(entry.key);
          const value = entry.optional ? undefined : this.#constant(entry.value);
          if (key === undefined || value === undefined || !isKey(key) || !map.set(key, value))
            return undefined;
        }
        return map;
      }
      case 'call': {
        const call = this.#resolved.calls.get(expr);
        if (call === undefined || call.target !== undefined) return undefined;
        if (call.name === '@in') {
          const list = this.#constant(expr.args[1]!);
          return list !== undefined && isList(list) && list.length === 0 ? false : undefined;
        }
        if (!CONVERSIONS.has(call.name) || expr.args.length !== 1) return undefined;
        const argument = this.#constant(expr.args[0]!);
        if (argument === undefined) return undefined;
        const overload = call.overloads.find(({ args: [type] }) => fits(argument, type!));
        const value = overload === undefined ? noOverload(call.name, [argument]) : overload.run([argument]);
        if (value instanceof CelError) throw new CelProgramError(value.message);
        return value;
      }
      default:
        return undefined;
    }
  }

  #call(expr: Extract<Expr, { kind: 'call' }>, scope: readonly string[]): Run {
    const { name, overloads, target } = this.#resolved.calls.get(expr)!;
    const args = (target === undefined ? expr.args : [target, ...expr.args]).map(arg =>
      this.plan(arg, scope),
    );
    // The second is only looked at where the first has nothing.
    if (target !== undefined && (name === 'or' || name === 'orValue') && args.length === 2)
      return frame => {
        const first = args[0]!(frame);
        if (first instanceof CelError) return first;
        if (!(first instanceof Optional)) return NO_OVERLOAD;
        if (first.value === undefined) return args[1]!(frame);
        return name === 'or' ? first : first.value;
      };
    // Whether something is among constants is worked out without going over them.
    const among = name === '@in' ? this.#constant(expr.args[1]!) : undefined;
    const free = among !== undefined && isList(among) && among.every(isPrimitive);
    // Their cost is known by the overload, and where only the values choose it, it is not.
    const isOpen = overloads.length > 1 && (/^[_@]/.test(name) || name === 'sort' || CONVERSIONS.has(name));
    const pattern = PATTERNS.has(name) && target !== undefined ? this.#constant(expr.args[0]!) : undefined;
    const issue = typeof pattern === 'string' ? regexIssue(pattern) : undefined;
    if (issue !== undefined) throw new CelProgramError(issue);
    return frame => {
      const values: CelValue[] = [];
      for (const arg of args) {
        const value = arg(frame);
        if (value instanceof CelError) return value;
        values.push(value);
      }
      for (const { args: types, run, cost } of overloads) {
        if (!types.every((type, index) => fits(values[index]!, type))) continue;
        const result = run(values);
        if (!free) charge(frame, cost === undefined || isOpen ? 1 : cost(values, result));
        return result;
      }
      return noOverload(name, values);
    };
  }

  #optional(expr: FoldExpr, scope: readonly string[]): Run {
    const range = this.plan(expr.range, scope);
    const transform = this.plan(expr.transform!, [...scope, expr.variables[0]!]);
    const slot = scope.length;
    return frame => {
      const before = frame.cost;
      const value = range(frame);
      if (value instanceof CelError) return value;
      if (!(value instanceof Optional)) return NO_OVERLOAD;
      // The macro asks whether there is a value, and goes the way to it once more.
      const way = frame.cost - before;
      charge(frame, 1);
      if (value.value === undefined) {
        charge(frame, 1);
        return value;
      }
      charge(frame, way + (expr.fold === 'optMap' ? 2 : 1));
      frame.locals[slot] = value.value;
      const result = transform(frame);
      return expr.fold === 'optFlatMap' || result instanceof CelError ? result : new Optional(result);
    };
  }

  #fold(expr: FoldExpr, scope: readonly string[]): Run {
    const range = this.plan(expr.range, scope);
    const inner = [...scope, ...expr.variables];
    const filter = expr.filter === undefined ? undefined : this.plan(expr.filter, inner);
    const transform = expr.transform === undefined ? undefined : this.plan(expr.transform, inner);
    const slot = scope.length;
    const two = expr.variables.length === 2;
    /** Calls `visit` for each element, its variables set, until it says stop. */
    const each = (
      value: CelValue,
      frame: Frame,
      visit: (key: CelValue, item: CelValue) => boolean,
    ): boolean => {
      const step = (key: CelValue, item: CelValue): boolean => {
        frame.locals[slot] = two ? key : item;
        if (two) frame.locals[slot + 1] = item;
        return visit(key, item);
      };
      if (isList(value)) {
        for (let i = 0; i < value.length; i++) if (!step(two ? BigInt(i) : 0n, value[i]!)) break;
        return true;
      }
      if (value instanceof CelMap) {
        for (const { key, value: item } of value.entries()) if (!step(key, two ? item : key)) break;
        return true;
      }
      return false;
    };
    const { fold } = expr;
    switch (fold) {
      case 'all':
      case 'exists': {
        const decisive = fold === 'exists';
        const cost = decisive ? 4 : 3;
        return frame => {
          const value = range(frame);
          if (value instanceof CelError) return value;
          let error: CelError | undefined;
          let decided = false;
          const known = each(value, frame, () => {
            charge(frame, cost);
            const result = filter!(frame);
            if (result === decisive) {
              decided = true;
              return false;
            }
            if (typeof result !== 'boolean')
              error = worse(error, result instanceof CelError ? result : NO_OVERLOAD);
            return true;
          });
          if (!known) return notIterable(value, expr.variables.length);
          charge(frame, 1);
          return decided ? decisive : (error ?? !decisive);
        };
      }
      case 'exists_one':
        return frame => {
          const value = range(frame);
          if (value instanceof CelError) return value;
          let error: CelError | undefined;
          let count = 0;
          const known = each(value, frame, () => {
            const result = filter!(frame);
            if (typeof result !== 'boolean') {
              error = result instanceof CelError ? result : NO_OVERLOAD;
              return false;
            }
            charge(frame, result ? 2 : 1);
            if (result) count++;
            return true;
          });
          if (!known) return notIterable(value, expr.variables.length);
          charge(frame, 2);
          return error ?? count === 1;
        };
      default: {
        // The list of one element that is added costs nothing where it is a constant.
        const isFixed = expr.transform !== undefined && this.#constant(expr.transform) !== undefined;
        const step = transform === undefined ? 13 : isFixed ? 2 : 12;
        return frame => {
          const value = range(frame);
          if (value instanceof CelError) return value;
          let error: CelError | undefined;
          const items: CelValue[] = [];
          const keys: CelValue[] = [];
          const known = each(value, frame, (key, item) => {
            const wanted = filter === undefined ? true : filter(frame);
            if (typeof wanted !== 'boolean') error = wanted instanceof CelError ? wanted : NO_OVERLOAD;
            else if (!wanted) charge(frame, 1);
            else {
              charge(frame, step);
              const result = transform === undefined ? item : transform(frame);
              if (result instanceof CelError) error = result;
              else {
                items.push(fold === 'sortBy' ? item : result);
                keys.push(fold === 'sortBy' ? result : key);
              }
            }
            return error === undefined;
          });
          if (!known) return notIterable(value, expr.variables.length);
          if (error !== undefined) return error;
          charge(frame, 1);
          if (fold === 'sortBy') {
            charge(frame, 2 + selfCompareCost(keys));
            return sortBy(items, keys);
          }
          return fold === 'transformMap' || fold === 'transformMapEntry' ? mapFrom(fold, keys, items) : items;
        };
      }
    }
  }
}

function mapFrom(
  fold: 'transformMap' | 'transformMapEntry',
  keys: readonly CelValue[],
  items: readonly CelValue[],
): CelValue {
  const map = new CelMap();
  for (const [index, item] of items.entries()) {
    const entries =
      fold === 'transformMap'
        ? [{ key: keys[index]!, value: item }]
        : item instanceof CelMap
          ? item.entries()
          : undefined;
    if (entries === undefined) return NO_OVERLOAD;
    for (const { key, value } of entries)
      if (!map.set(key, value)) return new CelError(`insert failed: key ${keyText(key)} already exists`);
  }
  return map;
}

function variable(name: string): Run {
  return frame => {
    charge(frame, 1);
    const value = frame.variables(name);
    return value === undefined ? new CelError(`no such attribute(s): ${name}`) : value;
  };
}

/** Kinds of values that an operator is defined on at all. Source: cel-go common/types, the traits of its types. */
const OPERANDS: Readonly<Record<string, RegExp>> = {
  '_+_': /^(?:int|uint|double|string|bytes|list|google\.protobuf\.(?:Duration|Timestamp))$/,
  '_-_': /^(?:int|uint|double|google\.protobuf\.(?:Duration|Timestamp))$/,
  '_*_': /^(?:int|uint|double)$/,
  '_/_': /^(?:int|uint|double)$/,
  '_%_': /^(?:int|uint)$/,
};
const COMPARED = /^(?:bool|int|uint|double|string|bytes|google\.protobuf\.(?:Duration|Timestamp))$/;
const OWN_METHODS = new Set(['contains', 'startsWith', 'endsWith', 'matches']);

/** The words depend on who notices: the value, the operator, or the function. Source: cel-go interpreter, common/decls. */
function noOverload(name: string, values: readonly CelValue[]): CelError {
  const types = values.map(typeNameOf);
  if (name === 'size') return new CelError('no such overload: size');
  if (/^[_@!-]/.test(name)) {
    const known = OPERANDS[name] ?? (/^_[<>]=?_$/.test(name) ? COMPARED : undefined);
    return known?.test(types[0] ?? '') === false ? new CelError(`no such overload: ${name}`) : NO_OVERLOAD;
  }
  return OWN_METHODS.has(name) ? NO_OVERLOAD : new CelError(`no such overload: ${name}(${types.join(', ')})`);
}

const GO_TYPES: Readonly<Record<string, string>> = {
  bool: 'Bool',
  int: 'Int',
  uint: 'Uint',
  double: 'Double',
  string: 'String',
  bytes: 'Bytes',
  null_type: 'Null',
  'google.protobuf.Duration': 'Duration',
  'google.protobuf.Timestamp': 'Timestamp',
};

function notIterable(value: CelValue, variables: number): CelError {
  const type = GO_TYPES[typeNameOf(value)];
  if (type === undefined) return NO_OVERLOAD;
  return new CelError(
    variables === 1
      ? `got 'types.${type}', expected iterable type`
      : `unsupported comprehension range type: types.${type}`,
  );
}

/** What the interpreter folds into one look-up: a variable, and fields and constant indexes of it. */
function isAttribute(expr: Expr): boolean {
  return expr.kind === 'ident' || expr.kind === 'select' || expr.kind === 'index';
}

function isPrimitive(value: CelValue): boolean {
  return typeof value !== 'object' || value instanceof Uint;
}

/** Source: cel-go common/overloads/overloads.go (IsTypeConversionFunction). */
const CONVERSIONS = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
]);
/** Functions whose constant patterns are compiled when the program is made. */
const PATTERNS = new Set(['matches', 'find', 'findAll']);

function isKey(value: CelValue): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'bigint' ||
    value instanceof Uint
  );
}

function select(value: CelValue, key: CelValue): CelValue {
  if (value instanceof Optional) {
    return maybe(value, key);
  }
  const found = look(value, key);
  return found === undefined ? missing(value, key) : found;
}

/** A value that has no places is one without this key. Source: cel-go interpreter/attributes.go (refQualify). */
function missing(value: CelValue, key: CelValue): CelError {
  if (!isList(value)) return new CelError(`no such key: ${keyText(key)}`);
  if (typeof key === 'number' && !Number.isInteger(key))
    return new CelError(`unsupported index value ${key} in list`);
  return typeof key === 'bigint' || typeof key === 'number' || key instanceof Uint
    ? new CelError(`index out of bounds: ${keyText(key)}`)
    : new CelError(`unsupported index type '${typeNameOf(key)}' in list`);
}

function isIndex(key: CelValue): boolean {
  return typeof key === 'bigint' || key instanceof Uint || (typeof key === 'number' && Number.isInteger(key));
}

/** The value at a key or index; undefined where there is none, or where the value has no such places. */
function look(value: CelValue, key: CelValue): CelValue | undefined {
  if (value instanceof CelMap) return value.get(key);
  if (isList(value)) {
    const index = key !== null && typeof key === 'object' && 'value' in key ? key.value : key;
    if (typeof index === 'bigint' || (typeof index === 'number' && Number.isInteger(index)))
      return index >= 0 && index < value.length ? value[Number(index)] : undefined;
    return undefined;
  }
  if (value instanceof LazyObject) return typeof key === 'string' ? value.get(key) : undefined;
  if (value instanceof CelStruct) return typeof key === 'string' ? value.fields.get(key) : undefined;
  return undefined;
}

function has(value: CelValue, field: string): CelValue {
  if (value instanceof Optional) return value.value === undefined ? false : has(value.value, field);
  if (value instanceof LazyObject) return value.has(field);
  return isList(value) ? missing(value, field) : look(value, field) !== undefined;
}

/** Going to where nothing is costs nothing itself. */
function chosen(frame: Frame, cost: number, found: CelValue): CelValue {
  charge(frame, found instanceof Optional && found.value === undefined ? cost - 1 : cost);
  return found;
}

function maybe(value: CelValue, key: CelValue): CelValue {
  if (value instanceof Optional) return value.value === undefined ? value : maybe(value.value, key);
  const found = look(value, key);
  if (found instanceof CelError) return found;
  if (found !== undefined) return new Optional(found);
  return isList(value) && !isIndex(key) ? missing(value, key) : new Optional();
}
