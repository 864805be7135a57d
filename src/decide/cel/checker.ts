/**
 * The types of an expression, and the mistakes for which the API server refuses it.
 * Source: cel-go checker/checker.go, cel/validator.go.
 */
import type { CallExpr, Expr, FoldExpr } from './ast.ts';
import type { Functions, Overload } from './declare.ts';
import { formatIssue } from './format.ts';
import type { Issue } from './issues.ts';
import { regexIssue } from './regex.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  ERROR,
  INT,
  lessSpecific,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  param,
  STRING,
  Substitution,
  sameType,
  type Type,
  typeOf,
  typeText,
  UINT,
} from './types.ts';
import { type CelValue, Uint } from './values.ts';

export interface Environment {
  readonly variables: ReadonlyMap<string, Type>;
  /** Names that are types: `int`, `net.IP`. */
  readonly types: ReadonlyMap<string, Type>;
  /** Objects that the expression may make: `Object.spec{…}`. Undefined for a name that is none. */
  readonly struct?: (name: string) => Type | undefined;
  readonly functions: Functions;
  /** Whether literals are looked at closely too, as they are since Kubernetes 1.29. */
  readonly literals: boolean;
}

/** What a call can mean; the evaluator picks the first that fits the values. */
export interface Resolved {
  /** A dotted name that is one variable, or one type. */
  readonly names: ReadonlyMap<Expr, { readonly name: string; readonly isType: boolean }>;
  readonly calls: ReadonlyMap<
    Expr,
    { readonly name: string; readonly overloads: readonly Overload[]; readonly target: Expr | undefined }
  >;
  readonly output: Type;
  readonly issues: readonly Issue[];
}

export function check(expr: Expr, environment: Environment): Resolved {
  return new Checker(environment).run(expr);
}

class Checker {
  readonly #environment: Environment;
  readonly #names = new Map<Expr, { name: string; isType: boolean }>();
  readonly #calls = new Map<
    Expr,
    { name: string; overloads: readonly Overload[]; target: Expr | undefined }
  >();
  readonly #issues: Issue[] = [];
  /** What is looked at when all types are known and right. */
  readonly #later: (() => void)[] = [];
  /** The types of what is inside calls of `format`. */
  readonly #types = new Map<Expr, Type>();
  /** How many of those calls we are in. */
  #formats = 0;
  readonly #substitution = new Substitution();
  readonly #scopes: ReadonlyMap<string, Type>[] = [];
  #fresh = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  run(expr: Expr): Resolved {
    const type = this.#type(expr);
    if (this.#issues.length === 0 && this.#environment.literals) for (const look of this.#later) look();
    return {
      names: this.#names,
      calls: this.#calls,
      output: this.#substitution.apply(type, 'dyn'),
      issues: this.#issues,
    };
  }

  #issue(message: string, at: number): Type {
    this.#issues.push({ message, at });
    return ERROR;
  }

  #free(): Type {
    return param(`_var${this.#fresh++}`);
  }

  #text(type: Type): string {
    return typeText(this.#substitution.apply(type, 'dyn'));
  }

  #resolve(type: Type): Type {
    return this.#substitution.apply(type, 'keep');
  }

  #local(name: string): Type | undefined {
    return this.#scopes.findLast(scope => scope.has(name))?.get(name);
  }

  /** `a.b.c` as one name, where its beginning is no variable of a macro. */
  #dotted(expr: Expr): string | undefined {
    const parts: string[] = [];
    let at = expr;
    while (at.kind === 'select' && at.mode === 'get') {
      parts.push(at.field);
      at = at.operand;
    }
    if (at.kind !== 'ident' || this.#local(at.name) !== undefined) return undefined;
    return [at.name, ...parts.reverse()].join('.');
  }

  #named(expr: Expr, name: string): Type | undefined {
    const { variables, types } = this.#environment;
    const variable = variables.get(name);
    const type = types.get(name);
    if (variable === undefined && type === undefined) return undefined;
    this.#names.set(expr, { name, isType: variable === undefined });
    return variable ?? typeOf(type!);
  }

  #type(expr: Expr): Type {
    const type = this.#typeOf(expr);
    if (this.#formats > 0) this.#types.set(expr, type);
    return type;
  }

  #typeOf(expr: Expr): Type {
    switch (expr.kind) {
      case 'constant':
        return typeOfConstant(expr.value);
      case 'ident':
        return (
          this.#local(expr.name) ??
          this.#named(expr, expr.name) ??
          this.#issue(`undeclared reference to '${expr.name}' (in container '')`, expr.at)
        );
      case 'select': {
        const dotted = expr.mode === 'get' ? this.#dotted(expr) : undefined;
        const named = dotted === undefined ? undefined : this.#named(expr, dotted);
        if (named !== undefined) return named;
        const operand = this.#resolve(this.#type(expr.operand));
        const inside = operand.kind === 'optional' ? operand.of[0] : operand;
        const field = this.#field(inside, expr.field, expr.at);
        if (expr.mode === 'has') return BOOL;
        if (expr.mode === 'optional' || operand.kind === 'optional')
          return field.kind === 'optional' ? field : optionalOf(field);
        return field;
      }
      case 'index':
        return this.#index(expr);
      case 'call':
        return this.#call(expr);
      case 'logic': {
        const name = `_${expr.operator}_`;
        for (const term of expr.terms) {
          const type = this.#type(term);
          if (this.#substitution.assignable(type, BOOL)) continue;
          const first = term === expr.terms[0];
          const types = first ? [this.#text(type), 'bool'] : ['bool', this.#text(type)];
          this.#issue(`found no matching overload for '${name}' applied to '(${types.join(', ')})'`, expr.at);
        }
        return BOOL;
      }
      case 'conditional': {
        const types = [this.#type(expr.condition), this.#type(expr.then), this.#type(expr.otherwise)];
        const either = this.#free();
        if (this.#substitution.assignableAll(types, [BOOL, either, either])) return this.#resolve(either);
        return this.#noOverload('_?_:_', types, false, expr.at);
      }
      case 'list': {
        let element: Type | undefined;
        const types: Placed[] = [];
        for (const { value, optional } of expr.elements) {
          const type = this.#element(value, optional);
          types.push({ type, at: value.at });
          element = this.#join(element, type, value.at);
        }
        this.#alike(types, 'first');
        return listOf(element ?? this.#free());
      }
      case 'map': {
        let key: Type | undefined;
        let value: Type | undefined;
        const keys: Placed[] = [];
        const values: Placed[] = [];
        for (const entry of expr.entries) {
          const keyType = this.#type(entry.key);
          keys.push({ type: keyType, at: entry.key.at });
          key = this.#join(key, keyType, entry.key.at);
          const valueType = this.#element(entry.value, entry.optional);
          values.push({ type: valueType, at: entry.value.at });
          value = this.#join(value, valueType, entry.value.at);
        }
        this.#alike(keys, 'all');
        this.#alike(values, 'all');
        return mapOf(key ?? this.#free(), value ?? this.#free());
      }
      case 'struct': {
        const type = this.#environment.struct?.(expr.name);
        if (type === undefined)
          return this.#issue(`undeclared reference to '${expr.name}' (in container '')`, expr.at);
        for (const { name, value, optional, at } of expr.fields) {
          const wanted = this.#field(type, name, at);
          const is = this.#element(value, optional);
          if (!this.#substitution.assignable(is, wanted))
            this.#issue(
              `expected type of field '${name}' is '${this.#text(wanted)}' but provided type is '${this.#text(is)}'`,
              at,
            );
        }
        return type;
      }
      case 'fold':
        return this.#fold(expr);
    }
  }

  #element(value: Expr, optional: boolean): Type {
    const type = this.#type(value);
    if (!optional) return type;
    const inside = this.#free();
    if (this.#substitution.assignable(type, optionalOf(inside))) return this.#resolve(inside);
    return this.#issue(
      `expected type 'optional_type(${this.#text(type)})' but found '${this.#text(type)}'`,
      value.at,
    );
  }

  /**
   * In literals not even `dyn` stands beside another type, except for what `format` gets.
   * Source: cel-go cel/validator.go (homogeneousAggregateLiteralValidator).
   */
  #alike(types: readonly Placed[], told: 'first' | 'all'): void {
    if (this.#formats > 0 || types.length < 2) return;
    this.#later.push(() => {
      const [first, ...rest] = types.map(({ type, at }) => ({
        type: this.#substitution.apply(type, 'dyn'),
        at,
      }));
      for (const { type, at } of rest) {
        if (sameType(type, first!.type)) continue;
        this.#issue(`expected type '${typeText(first!.type)}' but found '${typeText(type)}'`, at);
        if (told === 'first') return;
      }
    });
  }

  /** All elements of a list, and all keys and values of a map, have one type. */
  #join(known: Type | undefined, type: Type, at: number): Type {
    if (known === undefined) return type;
    if (this.#substitution.assignable(type, known)) {
      const [a, b] = [this.#resolve(known), this.#resolve(type)];
      return lessSpecific(a, b) ? a : b;
    }
    this.#issue(`expected type '${this.#text(known)}' but found '${this.#text(type)}'`, at);
    return known;
  }

  #field(operand: Type, field: string, at: number): Type {
    switch (operand.kind) {
      case 'dyn':
      case 'error':
        return DYN;
      case 'param':
        this.#substitution.assignable(operand, DYN);
        return DYN;
      case 'map':
        return operand.of[1];
      case 'object':
        return operand.fields?.get(field) ?? this.#issue(`undefined field '${field}'`, at);
      default:
        return this.#issue(`type '${this.#text(operand)}' does not support field selection`, at);
    }
  }

  #index(expr: Extract<Expr, { kind: 'index' }>): Type {
    const operand = this.#resolve(this.#type(expr.operand));
    const index = this.#type(expr.index);
    const inside = operand.kind === 'optional' ? operand.of[0] : operand;
    const result = this.#indexed(inside, index);
    if (result === undefined)
      return this.#noOverload(expr.optional ? '_[?_]' : '_[_]', [operand, index], false, expr.at);
    // Of what is not known at all it is not known either that it is optional.
    if (expr.optional && operand.kind === 'dyn') return DYN;
    return expr.optional || operand.kind === 'optional' ? optionalOf(result) : result;
  }

  #indexed(operand: Type, index: Type): Type | undefined {
    switch (operand.kind) {
      case 'dyn':
      case 'error':
      case 'param':
        return DYN;
      case 'list':
        return this.#substitution.assignable(index, INT) || this.#isNumber(index) ? operand.of[0] : undefined;
      case 'map':
        return this.#substitution.assignable(index, operand.of[0]) ? operand.of[1] : undefined;
      default:
        return undefined;
    }
  }

  #isNumber(type: Type): boolean {
    return this.#resolve(type).kind === 'dyn';
  }

  #noOverload(name: string, types: readonly Type[], isMember: boolean, at: number): Type {
    const [first, ...rest] = types.map(type => this.#text(type));
    const applied = isMember
      ? `${first}.(${rest.join(', ')})`
      : `(${types.map(type => this.#text(type)).join(', ')})`;
    return this.#issue(`found no matching overload for '${name}' applied to '${applied}'`, at);
  }

  #call(expr: CallExpr): Type {
    const isFormat = expr.name === 'format';
    if (isFormat) this.#formats++;
    const type = this.#called(expr);
    if (isFormat) this.#formats--;
    return type;
  }

  #called(expr: CallExpr): Type {
    const { functions } = this.#environment;
    const { name, args, at } = expr;
    const find = (full: string) => (Object.hasOwn(functions, full) ? functions[full] : undefined);
    if (expr.target !== undefined) {
      // `sets.contains(a, b)` is one name, unless `sets` is something of its own.
      const dotted = this.#dotted(expr.target);
      const qualified = dotted === undefined ? undefined : find(`${dotted}.${name}`);
      if (qualified !== undefined)
        return this.#overloads(expr, `${dotted}.${name}`, undefined, args, qualified);
    }
    const declared = find(name);
    const types = expr.target === undefined ? args : [expr.target, ...args];
    if (declared === undefined) {
      for (const one of types) this.#type(one);
      return this.#issue(`undeclared reference to '${name}' (in container '')`, at);
    }
    return this.#overloads(expr, name, expr.target, types, declared);
  }

  #overloads(
    expr: CallExpr,
    name: string,
    target: Expr | undefined,
    args: readonly Expr[],
    declared: readonly Overload[],
  ): Type {
    const types = args.map(arg => this.#type(arg));
    const matching: Overload[] = [];
    let result: Type | undefined;
    for (const overload of declared) {
      if (overload.member !== (target !== undefined) || overload.args.length !== types.length) continue;
      const rename = new Map<string, Type>();
      const instance = overload.args.map(arg => this.#instantiate(arg, rename));
      if (!this.#substitution.assignableAll(types, instance)) continue;
      matching.push(overload);
      const type = this.#resolve(this.#instantiate(overload.result, rename));
      result = result === undefined ? type : typeText(result) === typeText(type) ? result : DYN;
    }
    this.#calls.set(expr, { name, overloads: matching, target });
    if (result === undefined) return this.#noOverload(name, types, target !== undefined, expr.at);
    this.#later.push(() => this.#literals(name, args, matching));
    const pattern = target?.kind === 'constant' ? target.value : undefined;
    const list = expr.args[0];
    if (name === 'format' && typeof pattern === 'string' && list?.kind === 'list')
      this.#later.push(() => this.#format(pattern, list, expr.at));
    return result;
  }

  #instantiate(type: Type, rename: Map<string, Type>): Type {
    switch (type.kind) {
      case 'param': {
        let fresh = rename.get(type.name);
        if (fresh === undefined) {
          fresh = this.#free();
          rename.set(type.name, fresh);
        }
        return fresh;
      }
      case 'list':
        return listOf(this.#instantiate(type.of[0], rename));
      case 'map':
        return mapOf(this.#instantiate(type.of[0], rename), this.#instantiate(type.of[1], rename));
      case 'type':
        return typeOf(this.#instantiate(type.of[0], rename));
      case 'optional':
        return optionalOf(this.#instantiate(type.of[0], rename));
      default:
        return type;
    }
  }

  /** Literal durations, timestamps and regular expressions are looked at when the expression is compiled. */
  #literals(name: string, args: readonly Expr[], overloads: readonly Overload[]): void {
    const literal = args[name === 'matches' ? 1 : 0];
    if (literal?.kind !== 'constant' || typeof literal.value !== 'string' || overloads.length !== 1) return;
    const { value, at } = literal;
    if (name === 'duration' && parseDuration(value) === undefined)
      this.#issue('invalid duration argument', at);
    if (name === 'timestamp' && parseTimestamp(value) === undefined)
      this.#issue('invalid timestamp argument', at);
    if (name === 'matches' && regexIssue(value) !== undefined) this.#issue('invalid matches argument', at);
  }

  #format(pattern: string, list: Extract<Expr, { kind: 'list' }>, at: number): void {
    const issue = formatIssue(
      pattern,
      list.elements.map(({ value }) => ({ types: this.#formatted(value) })),
      typeName,
    );
    if (issue !== undefined) this.#issue(issue.message, issue.at ?? at);
  }

  /** The types of an argument, and of what it holds where it is a literal itself. */
  #formatted(expr: Expr): Placed[] {
    const type = this.#substitution.apply(this.#types.get(expr) ?? DYN, 'dyn');
    const inside =
      expr.kind === 'list'
        ? expr.elements.flatMap(({ value }) => this.#formatted(value))
        : expr.kind === 'map'
          ? expr.entries.flatMap(({ key, value }) => [...this.#formatted(key), ...this.#formatted(value)])
          : [];
    return [{ type, at: expr.at }, ...inside];
  }

  #fold(expr: FoldExpr): Type {
    const range = this.#resolve(this.#type(expr.range));
    if (expr.fold === 'optMap' || expr.fold === 'optFlatMap') return this.#optional(expr, range);
    let key: Type = DYN;
    let element: Type = DYN;
    switch (range.kind) {
      case 'list':
        key = INT;
        element = range.of[0];
        break;
      case 'map':
        [key, element] = range.of;
        break;
      case 'dyn':
      case 'error':
      case 'param':
        break;
      default:
        this.#issue(
          `expression of type '${this.#text(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
          expr.range.at,
        );
    }
    const two = expr.variables.length === 2;
    const single = range.kind === 'map' ? key : element;
    const scope = new Map(
      two
        ? [
            [expr.variables[0]!, key],
            [expr.variables[1]!, element],
          ]
        : [[expr.variables[0]!, single]],
    );
    this.#scopes.push(scope);
    if (expr.filter !== undefined) {
      const type = this.#type(expr.filter);
      if (!this.#substitution.assignable(type, BOOL)) {
        const operator = expr.fold === 'all' ? '_&&_' : expr.fold === 'exists' ? '_||_' : '_?_:_';
        const applied =
          operator === '_?_:_'
            ? `(${this.#text(type)}, ${expr.fold === 'exists_one' ? 'int, int' : 'list, list'})`
            : `(bool, ${this.#text(type)})`;
        this.#issue(`found no matching overload for '${operator}' applied to '${applied}'`, expr.at);
      }
    }
    const transform = expr.transform === undefined ? single : this.#type(expr.transform);
    this.#scopes.pop();
    switch (expr.fold) {
      case 'all':
      case 'exists':
      case 'exists_one':
        return BOOL;
      case 'map':
      case 'transformList':
        return listOf(transform);
      case 'filter':
      case 'sortBy':
        return listOf(single);
      case 'transformMap':
        return mapOf(key, transform);
      case 'transformMapEntry':
        return this.#resolve(transform);
    }
  }

  #optional(expr: FoldExpr, range: Type): Type {
    const inside = this.#free();
    if (!this.#substitution.assignable(range, optionalOf(inside)))
      return this.#noOverload(expr.fold, [range], true, expr.at);
    this.#scopes.push(new Map([[expr.variables[0]!, this.#resolve(inside)]]));
    const result = this.#type(expr.transform!);
    this.#scopes.pop();
    return expr.fold === 'optMap' ? optionalOf(result) : result;
  }
}

interface Placed {
  readonly type: Type;
  readonly at: number;
}

/** The name of a type without what it holds. */
function typeName(type: Type): string {
  switch (type.kind) {
    case 'list':
    case 'map':
    case 'type':
      return type.kind;
    case 'optional':
      return 'optional_type';
    default:
      return typeText(type);
  }
}

function typeOfConstant(value: CelValue): Type {
  switch (typeof value) {
    case 'boolean':
      return BOOL;
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return STRING;
    default:
      return value === null ? NULL : value instanceof Uint ? UINT : BYTES;
  }
}
