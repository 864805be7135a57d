/** Runs the dependency rules, and makes sure that they were run on something. */
import { resolve } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
// The rules are plain JavaScript, as dependency-cruiser's own command wants them.
// @ts-expect-error: no declaration
import configuration from '../.dependency-cruiser.mjs';

const root = resolve(import.meta.dirname, '..');
/** Far below what there is, far above nothing: a parser that sees no modules also sees no violations. */
const LEAST_MODULES = 100;

export interface Outcome {
  readonly modules: number;
  readonly violations: readonly { readonly rule: string; readonly from: string; readonly to: string }[];
}

export async function judgeDependencies(folder: string): Promise<Outcome> {
  const { forbidden, options } = configuration;
  const { output } = await cruise(['src'], {
    ...options,
    baseDir: folder,
    ruleSet: { forbidden },
    validate: true,
  } as never);
  const { summary, modules } = output as ICruiseResult;
  return {
    modules: modules.filter(({ source }) => source.startsWith('src/')).length,
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}

if (import.meta.main) {
  const { modules, violations } = await judgeDependencies(root);
  for (const { rule, from, to } of violations) console.error(`${rule}: ${from} imports ${to}`);
  if (modules < LEAST_MODULES)
    console.error(`only ${modules} modules were seen; the rules were run on nothing`);
  else console.log(`${modules} modules, ${violations.length} violations of the dependency rules`);
  process.exitCode = violations.length > 0 || modules < LEAST_MODULES ? 1 : 0;
}
