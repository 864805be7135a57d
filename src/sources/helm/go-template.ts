/**
 * One Go template with sprig's functions and without helm's: what other tools than helm fill in. Source: text/template,
 * sprig's TxtFuncMap.
 */
import { Budget } from './budget.ts';
import { type Context, execute, type Fn, isStackOverflow } from './exec.ts';
import { functions } from './functions.ts';
import { parseTemplate } from './parse.ts';
import { fromPlain } from './read-values.ts';
import { GoError, rejoined, wellFormed } from './value.ts';

/** What helm adds to sprig, or takes the place of (pkg/engine/funcs.go). */
const HELMS_OWN = new Set(
  'include tpl required lookup toYaml mustToYaml toYamlPretty fromYaml fromYamlArray toToml mustToToml fromToml toJson mustToJson fromJson fromJsonArray'.split(
    ' ',
  ),
);
/** Of those, what sprig has too. */
const SPRIGS_TOO = new Set('toJson mustToJson fromJson'.split(' '));

const LIMITS = { steps: 200_000, output: 4 * 1024 * 1024, time: 2000 };

export interface GoTemplateOptions {
  /** A key that is not there is an error: `missingkey=error`. */
  readonly strict: boolean;
  /** More functions than sprig's. */
  readonly functions: Readonly<Record<string, Fn>>;
}

interface FunctionSet {
  readonly all: Map<string, Fn>;
  readonly names: Set<string>;
}

const sets = new WeakMap<GoTemplateOptions['functions'], FunctionSet>();

/** Sprig's functions with more; a program has few such sets, and fills in many templates with each. */
function setOf(more: GoTemplateOptions['functions']): FunctionSet {
  let set = sets.get(more);
  if (set === undefined) {
    const sprigs = [...functions].filter(([name]) => !HELMS_OWN.has(name) || SPRIGS_TOO.has(name));
    const all = new Map([...sprigs, ...Object.entries(more)]);
    set = { all, names: new Set(all.keys()) };
    sets.set(more, set);
  }
  return set;
}

/**
 * Fills in a template.
 *
 * @param data plain data: what the dot is
 * @throws GoError with the words of text/template, BudgetError for one that does not end
 */
export function goTemplate(text: string, data: object, options: GoTemplateOptions): string {
  const { all, names } = setOf(options.functions);
  const context: Context = {
    templates: parseTemplate('', text, names),
    functions: all,
    budget: new Budget(LIMITS),
    tracer: undefined,
    including: new Map(),
    depth: 0,
    ...(options.strict ? { missingKey: 'error' } : {}),
  };
  try {
    return wellFormed(rejoined(execute(context, '', fromPlain(data))));
  } catch (error) {
    if (error instanceof RangeError || isStackOverflow(error))
      throw new GoError('the template nests too deeply');
    throw error;
  }
}
