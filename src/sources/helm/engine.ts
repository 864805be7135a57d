/** Rendering the templates of charts: helm's pkg/engine/engine.go, with its order and the form of its errors. */
import { Budget, BudgetError, type RenderLimits } from './budget.ts';
import { type Context, execute, isStackOverflow } from './exec.ts';
import { functionNames, functions } from './functions.ts';
import { isEmptyTree, type Template } from './nodes.ts';
import { parseTemplate } from './parse.ts';
import { type Traced, Tracer } from './trace.ts';
import { GoError, GoMap, rejoined, sortStrings, type Value } from './value.ts';

export interface Renderable {
  readonly text: string;
  /** What the template sees; each template of a chart gets a `Template` of its own. */
  readonly values: GoMap;
  /** `chart/templates`. */
  readonly basePath: string;
}

export interface Rendered {
  readonly text: string;
  readonly traced: Traced | undefined;
}

export interface RenderedFiles {
  readonly files: ReadonlyMap<string, Rendered>;
  /** Something in them is new at every run; only told where origins are traced. */
  readonly hasUnresolved: boolean;
}

/** Renders all templates; throws a GoError with the message that helm prints. */
export function renderAll(
  templates: ReadonlyMap<string, Renderable>,
  options: { readonly trace?: boolean; readonly limits?: RenderLimits } = {},
): RenderedFiles {
  try {
    return rendering(templates, options);
  } catch (error) {
    // The call stack, or the longest string there is: the chart asked for more than it may have.
    if (error instanceof RangeError || isStackOverflow(error))
      throw new BudgetError('stopped: the templates nest too deeply, or make a text that is too long');
    throw error;
  }
}

function rendering(
  templates: ReadonlyMap<string, Renderable>,
  options: { readonly trace?: boolean; readonly limits?: RenderLimits },
): RenderedFiles {
  const depths = new Map(Array.from(templates.keys(), file => [file, file.split('/').length] as const));
  const order = sortStrings([...templates.keys()])
    .reverse()
    .sort((a, b) => depths.get(b)! - depths.get(a)!);
  const known = new Map<string, Template>();
  for (const file of order) {
    try {
      for (const [name, template] of parseTemplate(file, templates.get(file)!.text, functionNames)) {
        // An empty template does not take the place of another (template.associate).
        if (!known.has(name) || !isEmptyTree(template.root)) known.set(name, template);
      }
    } catch (error) {
      if (error instanceof GoError) throw new GoError(parseMessage(error.message));
      throw error;
    }
  }
  const tracer = options.trace === true ? new Tracer() : undefined;
  const context: Context = {
    templates: known,
    functions,
    budget: new Budget(options.limits),
    tracer,
    including: new Map(),
    depth: 0,
  };
  const rendered = new Map<string, Rendered>();
  for (const file of order) {
    if (file.slice(file.lastIndexOf('/') + 1).startsWith('_')) continue;
    const { values, basePath } = templates.get(file)!;
    values.entries.set(
      'Template',
      new GoMap(
        new Map<string, Value>([
          ['Name', file],
          ['BasePath', basePath],
        ]),
        'common.Values',
      ),
    );
    try {
      const text = rejoined(execute(context, file, values)).replaceAll('<no value>', '');
      rendered.set(file, { text, traced: tracer?.take() });
    } catch (error) {
      if (error instanceof GoError) throw new GoError(executionMessage(error));
      throw error;
    }
  }
  return { files: rendered, hasUnresolved: tracer?.hasUnresolved === true };
}

function parseMessage(message: string): string {
  const tokens = message.split(': ');
  if (tokens.length === 1) return `parse error in: ${message}`;
  return `parse error at (${tokens[1]}): ${tokens.at(-1)}`;
}

interface Trace {
  readonly location: string;
  readonly executed: string;
  readonly message: string;
}

/** reformatExecErrorMsg: a chain of template errors in lines, anything else as it is. */
function executionMessage(error: GoError): string {
  if (!error.placed) return error.message;
  const tokens = error.message.split(': ');
  if (tokens.length < 3) return error.message;
  const rest = tokens.slice(2).join(': ');
  const start = rest.indexOf('HELM_ERR_START');
  const end = rest.lastIndexOf('HELM_ERR_END');
  if (start >= 0 && end > start)
    return `execution error at (${tokens[1]}): ${rest.slice(start + 'HELM_ERR_START'.length, end)}`;
  const traces: Trace[] = [];
  for (let current: GoError | undefined = error; current !== undefined; current = current.wrapped) {
    const trace = traceOf(current.message);
    if (trace === undefined) return error.message;
    const last = traces.at(-1);
    if (
      last === undefined ||
      last.location !== trace.location ||
      last.message !== trace.message ||
      last.executed !== trace.executed
    )
      traces.push(trace);
  }
  return traces
    .map(({ location, executed, message }) => {
      let text = '';
      if (location !== '') text += `${location}\n  `;
      if (executed !== '') text += `${executed}\n    `;
      if (message !== '') text += `${message}\n`;
      return text;
    })
    .join('')
    .trim();
}

function traceOf(text: string): Trace | undefined {
  if (!text.startsWith('template: ')) return undefined;
  const rest = text.slice('template: '.length);
  if (rest.startsWith('no template ')) return { location: '', executed: '', message: text };
  const cut = (message: string): string => {
    const at = message.indexOf(' template:');
    return at < 0 ? message : message.slice(0, at);
  };
  const executing = rest.indexOf(': executing ');
  if (executing >= 0) {
    const after = rest.slice(executing + ': executing '.length);
    if (after[0] !== '"') return undefined;
    const quote = after.indexOf('"', 1);
    if (quote < 0) return undefined;
    const tail = after.slice(quote + 1);
    if (!tail.startsWith(' at <')) return undefined;
    const close = tail.indexOf('>: ');
    if (close < 0) return undefined;
    return {
      location: rest.slice(0, executing),
      executed: `executing "${after.slice(1, quote)}" at <${tail.slice(5, close)}>:`,
      message: cut(tail.slice(close + 3)),
    };
  }
  const separator = rest.lastIndexOf(': ');
  if (separator < 0) return undefined;
  return { location: rest.slice(0, separator), executed: '', message: cut(rest.slice(separator + 2)) };
}
