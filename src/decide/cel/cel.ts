/**
 * CEL as the API server uses it: compiled against declared variables, with the functions of a release of Kubernetes,
 * and stopped where it costs too much. Source: apiserver pkg/cel/environment/base.go, pkg/apis/cel/config.go.
 */
import { check, type Environment } from './checker.ts';
import { type Functions, merge } from './declare.ts';
import { type Activation, CostExceeded, plan, type Run } from './evaluate.ts';
import { CelCompileError } from './issues.ts';
import { jsonPatch, KUBERNETES_TYPES, kubernetes } from './kubernetes.ts';
import { SyntaxIssue } from './lexer.ts';
import { parse } from './parser.ts';
import { BASE_TYPES, optionals, standard } from './standard.ts';
import { lists, sets, strings } from './strings.ts';
import type { Type } from './types.ts';
import { CelError, CelUnknown, type CelValue } from './values.ts';

/** What one evaluation may cost. Source: apiserver pkg/apis/cel/config.go (PerCallLimit). */
const PER_CALL_LIMIT = 1_000_000;

export interface Declarations {
  readonly variables: Readonly<Record<string, Type>>;
  /** The minor version of Kubernetes 1 whose functions there are; the newest where not stated. */
  readonly kubernetesMinor?: number;
  /** Objects that the expression may make, for policies that change objects. */
  readonly struct?: (name: string) => Type | undefined;
}

export interface Evaluation {
  /** A value, or what went wrong with it: an error, or something that is not known. */
  readonly value: CelValue;
  readonly cost: number;
}

export interface Program {
  /** The static type of what it evaluates to. */
  readonly output: Type;
  evaluate(variables: Activation | Readonly<Record<string, CelValue>>, limit?: number): Evaluation;
}

const NEWEST = 37;
const environments = new Map<string, Functions>();

function functionsOf(minor: number, patches: boolean): Functions {
  const key = `${minor}${patches}`;
  let functions = environments.get(key);
  if (functions === undefined) {
    const all = merge(
      standard,
      ...(minor >= 28 ? [optionals] : []),
      strings,
      sets,
      kubernetes,
      lists,
      ...(patches ? [jsonPatch] : []),
    );
    functions = Object.fromEntries(
      Object.entries(all)
        .map(([name, overloads]) => [name, overloads.filter(({ since = 0 }) => since <= minor)] as const)
        .filter(([, overloads]) => overloads.length > 0),
    );
    environments.set(key, functions);
  }
  return functions;
}

const TYPES: ReadonlyMap<string, Type> = new Map([
  ...Object.entries(BASE_TYPES),
  ...Object.entries(KUBERNETES_TYPES),
]);

/**
 * An expression, ready to be evaluated any number of times.
 *
 * @throws CelCompileError where the API server would refuse it, with its words
 */
export function compile(expression: string, declarations: Declarations): Program {
  const environment: Environment = {
    variables: new Map(Object.entries(declarations.variables)),
    types: TYPES,
    functions: functionsOf(declarations.kubernetesMinor ?? NEWEST, declarations.struct !== undefined),
    literals: (declarations.kubernetesMinor ?? NEWEST) >= 29,
    ...(declarations.struct === undefined ? {} : { struct: declarations.struct }),
  };
  let run: Run;
  let output: Type;
  try {
    const expr = parse(expression);
    const resolved = check(expr, environment);
    if (resolved.issues.length > 0) throw new CelCompileError(resolved.issues, expression);
    output = resolved.output;
    run = plan(expr, resolved);
  } catch (error) {
    if (error instanceof SyntaxIssue) throw new CelCompileError([error.issue], expression);
    throw error;
  }
  return {
    output,
    evaluate(variables, limit = PER_CALL_LIMIT) {
      const activation: Activation =
        typeof variables === 'function'
          ? variables
          : name => (Object.hasOwn(variables, name) ? variables[name] : undefined);
      const frame = { variables: activation, locals: [], cost: 0, limit: Math.min(limit, PER_CALL_LIMIT) };
      try {
        const value = run(frame);
        return { value, cost: frame.cost };
      } catch (error) {
        if (!(error instanceof CostExceeded)) throw error;
        return { value: new CelError('operation cancelled: actual cost limit exceeded'), cost: frame.cost };
      }
    },
  };
}

/** Whether a value says that something was not known. */
export function isUnknown(value: CelValue): value is CelUnknown {
  return value instanceof CelUnknown;
}
