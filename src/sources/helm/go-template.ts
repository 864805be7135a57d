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

/**
 * Fills in a template.
 *
 * @param data plain data: what the dot is
 * @throws GoError with the words of text/template, BudgetError for one that does not end
 */
export function goTemplate(text: string, data: object, options: GoTemplateOptions): string {
  const all = new Map<string, Fn>();
  for (const [name, fn] of functions) if (!HELMS_OWN.has(name) || SPRIGS_TOO.has(name)) all.set(name, fn);
  for (const [name, fn] of Object.entries(options.functions)) all.set(name, fn);
  const context: Context = {
    templates: parseTemplate('', text, new Set(all.keys())),
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
