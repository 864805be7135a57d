/** `sallyport pod-security evaluate`: the exact verdict and words of the API server. */
import { type Evaluation, evaluate, VersionError } from '#decide/pod-security/evaluate.ts';
import type { Level } from '#decide/pod-security/standards/registry.ts';
import { DecodeError } from '#kube/decode.ts';
import { toJson } from '#kube/json.ts';
import { type ObjectReference, referenceOf } from '#kube/objects.ts';
import { objectName, safe } from '#report/safe.ts';
import { type Declared, newestMinor, World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';

interface Answer {
  readonly file: string;
  readonly line: number;
  readonly object: ObjectReference;
  readonly evaluation: Evaluation | { readonly error: string };
}

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const level = parsed.value('level') as Level | undefined;
  if (level === undefined)
    throw new UsageError('evaluate needs --level', 'one of privileged, baseline, restricted');
  const version = parsed.value('version') ?? 'latest';
  const { declared, gaps } = await readInput(
    parsed,
    [...parsed.operands, ...parsed.values('filename')],
    config,
  );
  const world = new World({ declared, gaps, kubernetesMinor: newestMinor });
  const answers = declared.flatMap(one => answersFor(one, world, level, version));
  if (answers.length === 0 && gaps.length === 0)
    throw new UsageError('there is no pod, and nothing that makes pods, in the input');
  print(parsed.value('format') === 'json' ? json(answers) : text(answers, level, version));
  for (const { file, line, reason } of gaps)
    tell(`sallyport: ${file ?? ''}${line === undefined ? '' : `:${line}`}: ${reason}\n`);
  if (answers.some(({ evaluation }) => !('error' in evaluation) && !evaluation.allowed)) return EXIT.findings;
  return gaps.length > 0 || answers.some(({ evaluation }) => 'error' in evaluation)
    ? EXIT.unknown
    : EXIT.clean;
}

function answersFor({ object, origin }: Declared, world: World, level: Level, version: string): Answer[] {
  return world
    .templatesOf(object)
    .filter(({ partial }) => !partial)
    .map(({ pod }) => ({
      file: origin.file,
      line: origin.line,
      object: referenceOf(object),
      evaluation: answer(pod, level, version),
    }));
}

function answer(
  pod: { readonly metadata?: unknown; readonly spec: unknown },
  level: Level,
  version: string,
): Answer['evaluation'] {
  try {
    return evaluate(pod, { level, version });
  } catch (error) {
    if (error instanceof DecodeError) return { error: error.message };
    if (error instanceof VersionError) throw new UsageError(`--version: "${version}" ${error.message}`);
    throw error;
  }
}

/** One pod gives one object, several give a list. */
function json(answers: readonly Answer[]): string {
  const all = answers.map(({ evaluation, ...where }) => ({ ...where, ...evaluation }));
  return toJson(all.length === 1 ? all[0] : all);
}

function text(answers: readonly Answer[], level: Level, version: string): string {
  const lines = answers.map(({ file, line, object, evaluation }) => {
    const who = `${safe(file)}:${line} ${objectName(object)}`;
    if ('error' in evaluation) return `${who}: the API server would refuse it: ${safe(evaluation.error)}`;
    return evaluation.allowed
      ? `${who}: allowed at ${level}:${version}`
      : `${who}: violates PodSecurity "${level}:${version}": ${safe(evaluation.detail)}`;
  });
  return `${lines.join('\n')}\n`;
}
