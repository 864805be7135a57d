/** `sallyport authorization abac`: policy files of the ABAC authorizer, checked, explained, and turned into RBAC. */
import { readFileSync } from 'node:fs';
import {
  type AbacDifference,
  type AbacProblem,
  convertPolicies,
  explainPolicy,
  lintPolicies,
  OTHER,
  requestText,
} from '#advise/abac.ts';
import { type AbacPolicy, PolicyError, parsePolicies } from '#decide/authorization/door.ts';
import { type ApiResource, builtInResources, resourceOf } from '#kube/api-resources.ts';
import { toJson } from '#kube/json.ts';
import type { KubeObject } from '#kube/objects.ts';
import { yamlDocuments } from '#kube/yaml-text.ts';
import { count, safe } from '#report/safe.ts';
import { folding, printedAsData } from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';
import { wrap } from '../wrap.ts';

/** So many differences are shown as text; JSON has them all. */
const SHOWN = 20;

function policyText({ operands: [path, ...more] }: Parsed): { readonly path: string; readonly text: string } {
  if (path === undefined || more.length > 0)
    throw new UsageError('one ABAC policy file is needed', 'the file of --authorization-policy-file');
  try {
    return { path, text: readFileSync(path === '-' ? 0 : path, 'utf8') };
  } catch (error) {
    throw new UsageError(`${path} could not be read: ${(error as Error).message}`);
  }
}

/** What Kubernetes serves, and what the CustomResourceDefinitions below `-f` define. */
async function resourcesOf(parsed: Parsed): Promise<readonly ApiResource[]> {
  const paths = parsed.values('filename');
  if (paths.length === 0) return builtInResources;
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const { declared } = await readInput(parsed, paths, config, { lean: false });
  return [...builtInResources, ...declared.flatMap(({ object }) => definedBy(object))];
}

function definedBy(object: KubeObject): ApiResource[] {
  const resource = object.kind === 'CustomResourceDefinition' ? resourceOf(object) : undefined;
  return resource === undefined ? [] : [resource];
}

export function lint(parsed: Parsed): number {
  const { path, text } = policyText(parsed);
  const problems = lintPolicies(text);
  if (!printedAsData(parsed, () => ({ problems }))) {
    const wrap = folding(parsed);
    const lines = problems.flatMap(({ line, level, message }) =>
      wrap(`${safe(path)}:${line} ${level}: ${safe(message)}`, '', '  '),
    );
    const of = (level: AbacProblem['level']) => problems.filter(one => one.level === level).length;
    lines.push(
      `${count(of('error'), 'error')}, ${count(of('danger'), 'danger')}, ${of('useless')} useless, ${count(of('note'), 'note')}`,
    );
    print(`${lines.join('\n')}\n`);
  }
  return problems.some(({ level }) => level !== 'note') ? EXIT.findings : EXIT.clean;
}

export async function convert(parsed: Parsed): Promise<number> {
  const { path, text } = policyText(parsed);
  const resources = await resourcesOf(parsed);
  const { objects, left, classes, differences, partial } = reading(path, () =>
    convertPolicies(text, resources),
  );
  if (parsed.value('format') === 'json')
    print(
      toJson({
        objects,
        left,
        classes,
        differences: differences.map(one => ({ ...one, text: requestText(one) })),
        partial,
      }),
    );
  else {
    const proof =
      differences.length === 0
        ? `${count(classes, 'class', 'classes')} of requests, each decided by both: all alike.`
        : `${count(classes, 'class', 'classes')} of requests: ${count(classes - differences.length, 'class', 'classes')} alike, ${differences.length} not.`;
    // A resource of a policy means its subresources too, those that a later version adds as well.
    const below =
      'Subresources are those that Kubernetes serves up to v1.37; the policy means later ones too.';
    const head = [...wrap(proof, '# ', '#   '), ...wrap(below, '# ', '#   ')];
    print(`${head.join('\n')}\n${yamlDocuments(objects)}`);
    for (const { line, reason } of left)
      for (const said of wrap(`${safe(path)}:${line} left out: ${safe(reason)}`, '', '  ')) tell(`${said}\n`);
    for (const one of differences.slice(0, SHOWN))
      for (const said of wrap(differenceText(one), '', '  ')) tell(`${said}\n`);
    if (differences.length > SHOWN)
      tell(
        `and ${differences.length - SHOWN} more; -o json has them all (${OTHER} is any that no line names)\n`,
      );
  }
  if (partial) {
    tell(`sallyport: only ${classes} classes of requests were compared; the rest is not known\n`);
    return EXIT.unknown;
  }
  return differences.length > 0 ? EXIT.findings : EXIT.clean;
}

function differenceText(one: AbacDifference): string {
  const by = one.lines.length === 0 ? '' : ` (line ${one.lines.join(', ')})`;
  return `${one.abac ? 'only the policy allows' : 'only RBAC allows'} ${safe(requestText(one))}${by}`;
}

export async function explain(parsed: Parsed): Promise<number> {
  const { path, text } = policyText(parsed);
  const resources = await resourcesOf(parsed);
  const policies = reading(path, () => parsePolicies(text));
  const words = (policy: AbacPolicy) => explainPolicy(policy, resources);
  const printed = printedAsData(parsed, () => ({
    policies: policies.map(policy => ({ ...policy, means: words(policy) })),
  }));
  const wrap = folding(parsed);
  if (!printed)
    print(
      `${[
        ...policies.flatMap(policy => wrap(`${safe(path)}:${policy.line} ${safe(words(policy))}`, '', '  ')),
        'A request is allowed if any line allows it, in any order; no line can deny.',
      ].join('\n')}\n`,
    );
  return EXIT.clean;
}

function reading<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const at = error.line === undefined ? path : `${path}:${error.line}`;
    throw new UsageError(
      `${at}: the API server would not start: ${error.message.replace(/^line \d+: /, '')}`,
      'sallyport authorization abac lint says all that is wrong',
    );
  }
}
