/** How a function of templates is written down: the types of its parameters, and what it does. */
import type { Context, Fn, ParamType } from './exec.ts';
import type { Value } from './value.ts';

export type Call = (args: Value[], context: Context) => Value;

/** A function from its types, as `string, int, ...any`. */
export function define(types: string, call: Call): Fn {
  const params = types === '' ? [] : types.split(', ');
  const last = params.at(-1);
  if (last?.startsWith('...')) {
    return { params: params.slice(0, -1) as ParamType[], rest: last.slice(3) as ParamType, call };
  }
  return { params: params as ParamType[], rest: undefined, call };
}
