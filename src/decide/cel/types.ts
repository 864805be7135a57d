/** The static types of expressions. Source: cel-go common/types/types.go, checker/types.go. */

export type Type =
  | { readonly kind: Simple }
  | { readonly kind: 'list'; readonly of: readonly [Type] }
  | { readonly kind: 'map'; readonly of: readonly [Type, Type] }
  | { readonly kind: 'type'; readonly of: readonly [Type] }
  | { readonly kind: 'optional'; readonly of: readonly [Type] }
  | {
      readonly kind: 'object';
      readonly name: string;
      /** Of what type a field is; undefined where values are only used through functions. */
      readonly fields: { get(name: string): Type | undefined } | undefined;
    }
  | { readonly kind: 'param'; readonly name: string };

type Simple =
  | 'dyn'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp';

export const DYN: Type = { kind: 'dyn' };
export const ERROR: Type = { kind: 'error' };
export const NULL: Type = { kind: 'null' };
export const BOOL: Type = { kind: 'bool' };
export const INT: Type = { kind: 'int' };
export const UINT: Type = { kind: 'uint' };
export const DOUBLE: Type = { kind: 'double' };
export const STRING: Type = { kind: 'string' };
export const BYTES: Type = { kind: 'bytes' };
export const DURATION: Type = { kind: 'duration' };
export const TIMESTAMP: Type = { kind: 'timestamp' };

export const listOf = (element: Type): Type => ({ kind: 'list', of: [element] });
export const mapOf = (key: Type, value: Type): Type => ({ kind: 'map', of: [key, value] });
export const typeOf = (type: Type): Type => ({ kind: 'type', of: [type] });
export const optionalOf = (type: Type): Type => ({ kind: 'optional', of: [type] });
export const param = (name: string): Type => ({ kind: 'param', name });
/** A type with known fields; a typo in one is an error when the expression is compiled. */
export const objectOf = (name: string, fields: Readonly<Record<string, Type>>): Type => ({
  kind: 'object',
  name,
  fields: new Map(Object.entries(fields)),
});
/** A type whose values are only used through functions. */
export const opaque = (name: string): Type => ({ kind: 'object', name, fields: undefined });

/** A type as the API server prints it. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.of[0])})`;
    case 'map':
      return `map(${typeText(type.of[0])}, ${typeText(type.of[1])})`;
    case 'type':
      return `type(${typeText(type.of[0])})`;
    case 'optional':
      return `optional_type(${typeText(type.of[0])})`;
    case 'object':
      return type.name;
    case 'param':
      return type.name;
    case 'duration':
      return 'google.protobuf.Duration';
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'null':
      return 'null_type';
    case 'error':
      return '!error!';
    default:
      return type.kind;
  }
}

function parametersOf(type: Type): readonly Type[] {
  return 'of' in type ? type.of : [];
}

/** What type parameters stand for, while the arguments of one call are looked at. */
export class Substitution {
  #bound: Map<string, Type>;

  constructor(bound: ReadonlyMap<string, Type> = new Map()) {
    this.#bound = new Map(bound);
  }

  copy(): Substitution {
    return new Substitution(this.#bound);
  }

  /** The type with all parameters filled in; those that stayed free are `dyn` where asked. */
  apply(type: Type, free: 'keep' | 'dyn'): Type {
    switch (type.kind) {
      case 'param': {
        const bound = this.#bound.get(type.name);
        if (bound !== undefined) return this.apply(bound, free);
        return free === 'dyn' ? DYN : type;
      }
      case 'list':
        return listOf(this.apply(type.of[0], free));
      case 'map':
        return mapOf(this.apply(type.of[0], free), this.apply(type.of[1], free));
      case 'type':
        return typeOf(this.apply(type.of[0], free));
      case 'optional':
        return optionalOf(this.apply(type.of[0], free));
      default:
        return type;
    }
  }

  /** Whether a value of the one type may stand where the other is wanted; parameters are bound on the way. */
  assignable(from: Type, to: Type): boolean {
    const kept = new Map(this.#bound);
    if (this.#fits(this.#resolve(from), this.#resolve(to))) return true;
    this.#bound = kept;
    return false;
  }

  #resolve(type: Type): Type {
    let resolved = type;
    while (resolved.kind === 'param') {
      const bound = this.#bound.get(resolved.name);
      if (bound === undefined) return resolved;
      resolved = bound;
    }
    return resolved;
  }

  #fits(from: Type, to: Type): boolean {
    if (to.kind === 'param') return this.#bind(to.name, from);
    if (from.kind === 'param') return this.#bind(from.name, to);
    if (from.kind === 'dyn' || to.kind === 'dyn' || from.kind === 'error' || to.kind === 'error') return true;
    if (from.kind === 'null') return nullable(to);
    if (to.kind === 'null') return nullable(from);
    if (from.kind !== to.kind) return false;
    if (from.kind === 'object') return from.name === (to as typeof from).name;
    // Types are compared by their names.
    if (from.kind === 'type') return true;
    const a = parametersOf(from);
    const b = parametersOf(to);
    return a.every((type, index) => this.#fitsBound(type, b[index]!));
  }

  #fitsBound(from: Type, to: Type): boolean {
    // A parameter that is bound already becomes the more general of both.
    if (to.kind === 'param') return this.#widen(to.name, from);
    if (from.kind === 'param') return this.#widen(from.name, to);
    return this.#fits(from, to);
  }

  #widen(name: string, type: Type): boolean {
    const bound = this.#bound.get(name);
    if (bound === undefined) return this.#bind(name, type);
    if (!this.#fits(this.#resolve(type), this.#resolve(bound))) return false;
    if (lessSpecific(type, bound)) this.#bound.set(name, type);
    return true;
  }

  #bind(name: string, type: Type): boolean {
    if (type.kind === 'param' && type.name === name) return true;
    if (mentions(type, name)) return false;
    this.#bound.set(name, type);
    return true;
  }

  /** As {@link assignable} for the arguments of a call, which may share parameters. */
  assignableAll(from: readonly Type[], to: readonly Type[]): boolean {
    const kept = new Map(this.#bound);
    if (from.every((type, index) => this.#fitsBound(type, to[index]!))) return true;
    this.#bound = kept;
    return false;
  }
}

function mentions(type: Type, name: string): boolean {
  return type.kind === 'param' ? type.name === name : parametersOf(type).some(one => mentions(one, name));
}

function nullable(type: Type): boolean {
  return (
    type.kind === 'null' ||
    type.kind === 'object' ||
    type.kind === 'duration' ||
    type.kind === 'timestamp' ||
    type.kind === 'optional'
  );
}

/** Whether the first says no more than the second. */
export function lessSpecific(a: Type, b: Type): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true;
  if (a.kind !== b.kind) return false;
  const of = parametersOf(b);
  return parametersOf(a).every((type, index) => lessSpecific(type, of[index]!));
}

/** Whether two types are the same, `dyn` being only itself. */
export function sameType(a: Type, b: Type): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'object' || a.kind === 'param') return a.name === (b as typeof a).name;
  const of = parametersOf(b);
  return parametersOf(a).every((type, index) => sameType(type, of[index]!));
}
