/** The tree of an expression: what the parser makes, the checker completes and the evaluator runs. */
import type { CelValue } from './values.ts';

interface Node {
  /** Where it stands in the source: an offset in code points, as the compiler of the API server counts. */
  readonly at: number;
}

interface ConstantExpr extends Node {
  readonly kind: 'constant';
  readonly value: CelValue;
}

interface IdentExpr extends Node {
  readonly kind: 'ident';
  readonly name: string;
}

interface SelectExpr extends Node {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  /** `has(a.b)`, `a.?b`, or plain `a.b`. */
  readonly mode: 'get' | 'has' | 'optional';
}

interface IndexExpr extends Node {
  readonly kind: 'index';
  readonly operand: Expr;
  readonly index: Expr;
  /** `a[?b]` */
  readonly optional: boolean;
}

export interface CallExpr extends Node {
  readonly kind: 'call';
  /** Operators have the names of the CEL specification: `_+_`, `_==_`, `!_`, `@in`. */
  readonly name: string;
  readonly target?: Expr;
  readonly args: readonly Expr[];
}

/** `a && b && c` and `a || b || c`: flat, so that generated chains of any length are no deeper than two terms. */
interface LogicExpr extends Node {
  readonly kind: 'logic';
  readonly operator: '&&' | '||';
  readonly terms: readonly Expr[];
}

interface ConditionalExpr extends Node {
  readonly kind: 'conditional';
  readonly condition: Expr;
  readonly then: Expr;
  readonly otherwise: Expr;
}

interface ListExpr extends Node {
  readonly kind: 'list';
  readonly elements: readonly { readonly value: Expr; readonly optional: boolean }[];
}

interface MapExpr extends Node {
  readonly kind: 'map';
  readonly entries: readonly { readonly key: Expr; readonly value: Expr; readonly optional: boolean }[];
}

interface StructExpr extends Node {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly {
    readonly name: string;
    readonly value: Expr;
    readonly optional: boolean;
    readonly at: number;
  }[];
}

export type FoldKind =
  | 'all'
  | 'exists'
  | 'exists_one'
  | 'map'
  | 'filter'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'
  | 'sortBy'
  | 'optMap'
  | 'optFlatMap';

/** A macro that binds variables: `list.all(x, …)`, `map.exists(k, v, …)`, `optional.optMap(x, …)`. */
export interface FoldExpr extends Node {
  readonly kind: 'fold';
  readonly fold: FoldKind;
  readonly range: Expr;
  readonly variables: readonly string[];
  /** What decides about each element; undefined where every one counts. */
  readonly filter?: Expr;
  /** What each becomes; undefined where it stays itself. */
  readonly transform?: Expr;
}

export type Expr =
  | ConstantExpr
  | IdentExpr
  | SelectExpr
  | IndexExpr
  | CallExpr
  | LogicExpr
  | ConditionalExpr
  | ListExpr
  | MapExpr
  | StructExpr
  | FoldExpr;
