/** `sallyport init`: writes the configuration and the CI step, and never over anything. */
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { version } from '#judge/report.ts';
import { isEqual } from '#kube/equal.ts';
import { isRecord } from '#kube/objects.ts';
import { safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { CONFIG_FILE } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, replaceFile, tell } from '../output.ts';
import { PRE_COMMIT_FILE, preCommitEntry, type Step, type System, stepOf, systems } from '../pipelines.ts';
import { type Holdings, holdingsOf, survey } from '../repository-survey.ts';
import { unifiedDiff } from '../unified-diff.ts';

/** What becomes of one file. */
type Plan =
  | { readonly is: 'new'; readonly file: string; readonly text: string }
  | { readonly is: 'merged'; readonly file: string; readonly before: string; readonly text: string }
  | { readonly is: 'there'; readonly file: string }
  | { readonly is: 'paste'; readonly file: string; readonly text: string };

export async function run(parsed: Parsed): Promise<number> {
  if (parsed.operands.length > 0)
    throw new UsageError('init takes no paths: it sets up the folder it runs in');
  const cwd = process.cwd();
  const { present, hosted, branch, root } = survey(cwd);
  if (root !== undefined && realpathSync(root) !== realpathSync(cwd))
    throw new UsageError(
      'this is a folder inside of a repository, and CI files belong to its root',
      `go to ${safe(root)} first`,
    );
  const chosen = chosenSystems(parsed, present, hosted);
  const plans: Plan[] = [];
  const holdings = holdingsOf(await readInput(parsed, []));
  plans.push(
    existsSync(CONFIG_FILE) ? { is: 'there', file: CONFIG_FILE } : fresh(CONFIG_FILE, configText(holdings)),
  );
  for (const system of chosen) plans.push(await planStep(stepOf(system, branch)));
  const preCommit = await planPreCommit(parsed.has('pre-commit'));
  if (preCommit !== undefined) plans.push(preCommit);
  const dry = parsed.has('dry-run');
  // All are looked at before the first is written.
  for (const plan of plans) if (plan.is === 'new' || plan.is === 'merged') inside(cwd, plan.file);
  for (const plan of plans) {
    show(plan, dry);
    if (!dry) write(plan);
  }
  if (parsed.has('quiet')) return EXIT.clean;
  if (chosen.length === 0 && !parsed.values('ci').includes('none'))
    tell(`No CI system was recognised; --ci NAME writes its step: ${systems.join(', ')}\n`);
  if (preCommit === undefined) tell(`No ${PRE_COMMIT_FILE} here; --pre-commit makes one.\n`);
  if (plans.every(({ is }) => is === 'there')) tell('Everything is there already; nothing was written.\n');
  else if (!dry)
    tell('Next: sallyport scan; sallyport fix; sallyport baseline create accepts what is left for now.\n');
  return EXIT.clean;
}

function chosenSystems(
  parsed: Parsed,
  present: readonly System[],
  hosted: System | undefined,
): readonly System[] {
  const named = parsed.values('ci');
  if (named.length > 0) return [...new Set(named)].filter(name => name !== 'none') as System[];
  if (present.length > 0) return present;
  return hosted === undefined ? [] : [hosted];
}

function fresh(file: string, text: string): Plan {
  return { is: 'new', file, text };
}

async function planStep({ file, text, merge, part }: Step): Promise<Plan> {
  const before = existing(file);
  if (before === undefined) return fresh(file, text);
  if (/\bsallyport\b/.test(before)) return { is: 'there', file };
  const merged =
    merge === 'key'
      ? await withKey(before, part)
      : merge === 'document'
        ? await withDocument(before, part)
        : undefined;
  return merged === undefined
    ? { is: 'paste', file, text: part }
    : { is: 'merged', file, before, text: merged };
}

async function planPreCommit(wanted: boolean): Promise<Plan | undefined> {
  const before = existing(PRE_COMMIT_FILE);
  if (before === undefined)
    return wanted ? fresh(PRE_COMMIT_FILE, `repos:\n${indented(preCommitEntry, '  ')}`) : undefined;
  if (/\bsallyport\b/.test(before)) return { is: 'there', file: PRE_COMMIT_FILE };
  const merged = await withEntry(before, preCommitEntry);
  return merged === undefined
    ? { is: 'paste', file: PRE_COMMIT_FILE, text: preCommitEntry }
    : { is: 'merged', file: PRE_COMMIT_FILE, before, text: merged };
}

function existing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`${file} could not be read: ${(error as Error).message}`);
  }
}

const indented = (text: string, by: string) => text.replace(/^(?=.)/gm, by);

/** The values of all documents; undefined where one was not understood. */
async function valuesOf(text: string): Promise<unknown[] | undefined> {
  const { readDocuments } = await import('#yaml/read.ts');
  const documents = readDocuments(text).filter(({ is }) => is !== 'empty');
  const values = documents.map(document => (document.is === 'value' ? document.value : undefined));
  return values.includes(undefined) ? undefined : values;
}

/** Appended text has the line ends of the file. */
function joined(before: string, part: string): string {
  const end = before === '' || before.endsWith('\n') ? '' : '\n';
  const added = end + part;
  return before + (before.includes('\r\n') ? added.replaceAll('\n', '\r\n') : added);
}

/** A mapping with one more key at its end, where it reads as that; a list of stages decides in which one it runs. */
async function withKey(before: string, part: string): Promise<string | undefined> {
  const values = await valuesOf(before);
  const [old, ...more] = values ?? [];
  const [added] = (await valuesOf(part))!;
  if (more.length > 0 || !isRecord(old) || !isRecord(added)) return undefined;
  const [key] = Object.keys(added);
  const stages = old['stages'];
  let text = `\n${part}`;
  if (Array.isArray(stages) && !stages.includes('test')) {
    const [first] = stages as unknown[];
    if (typeof first !== 'string' || !/^[\w-]+$/.test(first)) return undefined;
    text = text.replace(':\n', `:\n  stage: ${first}\n`);
  }
  const merged = joined(before, text);
  const [now, ...others] = (await valuesOf(merged)) ?? [];
  if (others.length > 0 || !isRecord(now) || key === undefined || key in old) return undefined;
  const { [key]: own, ...rest } = now;
  return isRecord(own) && isEqual(rest, old) ? merged : undefined;
}

async function withDocument(before: string, part: string): Promise<string | undefined> {
  const old = await valuesOf(before);
  const added = (await valuesOf(part))!;
  if (old === undefined) return undefined;
  const merged = joined(before, `---\n${part}`);
  return isEqual(await valuesOf(merged), [...old, ...added]) ? merged : undefined;
}

/** The list `repos` with one more entry, where it stands last in the file. */
async function withEntry(before: string, part: string): Promise<string | undefined> {
  const [old, ...more] = (await valuesOf(before)) ?? [];
  if (more.length > 0 || !isRecord(old) || !Array.isArray(old['repos'])) return undefined;
  const [added] = (await valuesOf(part)) as [unknown[]];
  const intended = { ...old, repos: [...(old['repos'] as unknown[]), ...added] };
  for (const by of ['', '  ', '    ']) {
    const merged = joined(before, indented(part, by));
    const now = await valuesOf(merged);
    if (now?.length === 1 && isEqual(now[0], intended)) return merged;
  }
  return undefined;
}

/** @throws UsageError where a link on the way leads out of the folder, or a file stands where a folder should */
function inside(cwd: string, file: string): void {
  const path = resolve(cwd, file);
  const root = realpathSync(cwd);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new UsageError(`${file} is a link; nothing was written`);
  let folder = dirname(path);
  while (lstatSync(folder, { throwIfNoEntry: false }) === undefined) folder = dirname(folder);
  let real: string;
  try {
    real = realpathSync(folder);
  } catch {
    throw new UsageError(`${file} would lie behind a link that leads nowhere; nothing was written`);
  }
  if (real !== root && !real.startsWith(root + sep))
    throw new UsageError(`${file} would lie outside of this folder; nothing was written`);
  if (!lstatSync(real).isDirectory())
    throw new UsageError(`${safe(folder)} is no folder, so ${file} cannot lie in it; nothing was written`);
}

function show(plan: Plan, dry: boolean): void {
  const would = dry ? 'would be ' : '';
  if (plan.is === 'there') print(`${plan.file}: is there, left as it is\n\n`);
  else if (plan.is === 'new') print(`${plan.file}: ${would}written\n\n${indented(plan.text, '  ')}\n`);
  else if (plan.is === 'merged')
    print(`${plan.file}: ${would}added to\n\n${unifiedDiff(plan.file, plan.before, plan.text)}\n`);
  else
    print(
      `${plan.file}: is there, and was left as it is. Please put this where it belongs:\n\n${indented(plan.text, '  ')}\n`,
    );
}

function write(plan: Plan): void {
  if (plan.is === 'new')
    try {
      mkdirSync(dirname(join(process.cwd(), plan.file)), { recursive: true });
      // Fails where the file came into being meanwhile.
      writeFileSync(plan.file, plan.text, { flag: 'wx' });
    } catch (error) {
      throw new UsageError(`${plan.file} could not be written: ${(error as Error).message}`);
    }
  if (plan.is !== 'merged') return;
  if (existing(plan.file) !== plan.before)
    throw new UsageError(`${plan.file} changed since it was read (or is no UTF-8); it was left alone`);
  replaceFile(plan.file, plan.text);
}

const MOST_NAMES = 8;

function configText({ objects, charts, overlays, environments }: Holdings): string {
  const list = (title: string, names: readonly string[]) => {
    if (names.length === 0) return [];
    const more = names.length > MOST_NAMES ? [`and ${names.length - MOST_NAMES} more`] : [];
    return [`#   ${title}: ${[...names.slice(0, MOST_NAMES).map(safe), ...more].join(', ')}`];
  };
  return `${[
    `# yaml-language-server: $schema=https://unpkg.com/sallyport@${version}/schemas/sallyport.schema.json`,
    '#',
    '# How Sallyport judges this repository. Found when this was written:',
    `#   objects: ${objects}`,
    ...list('charts', charts),
    ...list('kustomizations', overlays),
    ...list('environments', environments),
    '',
    '# Which checks run: default, strict, reliability, pss-baseline, pss-restricted, all.',
    'profile: default',
    '',
    '# What shuts the gate: critical, high, medium, low, info, never.',
    'failOn: high',
    '',
    'checks:',
    '  # Checks that are newer than this wait, so that an upgrade turns no pipeline red.',
    `  version: "${version}"`,
    '  # One check may be switched off for all:',
    '  # pod-security/host-port: off',
    '',
    '# The version of Kubernetes that the objects are meant for.',
    '# targetKubernetes: "1.34"',
    '',
    '# Paths that are left out, as in .gitignore.',
    '# ignore:',
    '#   - test/fixtures/',
    '',
    '# Findings accepted for now: sallyport baseline create writes the file.',
    '# baseline: sallyport-baseline.txt',
    '',
    '# What somebody answers for, and until when.',
    '# exceptions:',
    '#   - check: pod-security/host-namespaces',
    '#     object: DaemonSet/node-agent',
    '#     reason: reads the metrics of the node',
    "#     owner: '@platform'",
    '#     until: "2027-06-30"',
  ].join('\n')}\n`;
}
