/** `sallyport fix`: mends findings in the files that hold them, and touches nothing else. */
import { existsSync, lstatSync, mkdirSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import type { Finding } from '#check/finding.ts';
import { levelsOf } from '#judge/levels.ts';
import { checks } from '#practices/index.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { decode } from '#sources/manifests/decode.ts';
import { type Gap, World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { type Config, readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { type FileChange, type FilePlan, planAll } from '../fixes.ts';
import { readInput } from '../input.ts';
import { judgeManifests } from '../judging.ts';
import { isTerminal, print, replaceFile, tell, writeWhole } from '../output.ts';
import { selection } from '../selection.ts';
import { unifiedDiff } from '../unified-diff.ts';
import { minorOf } from '../version-range.ts';
import { wrap } from '../wrap.ts';

export async function run(parsed: Parsed): Promise<number> {
  if (parsed.operands.includes('-')) throw new UsageError('fix edits files; standard input is none');
  const level = parsed.value('level');
  if (level !== undefined && parsed.has('profile'))
    throw new UsageError('--level says which checks to mend, and so does --profile', 'leave one of them out');
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  const minor = minorOf(parsed.value('target-kubernetes') ?? config.targetKubernetes, '--target-kubernetes');
  const selected = selection(level === undefined ? parsed : withProfile(parsed, `pss-${level}`), config);
  const review = parsed.has('review') || level !== undefined;
  const asks = parsed.has('review') && level === undefined && !parsed.has('yes') && !parsed.has('diff');
  if (asks && !(isTerminal() && process.stdin.isTTY))
    throw new UsageError(
      '--review asks for each fix, and there is no terminal',
      'add --yes to make them all, or --diff to see them',
    );
  const declined = new Set<string>();
  let forAll: 'yes' | 'no' | undefined;
  const agreed = (finding: Finding, changed: readonly FileChange[]): boolean => {
    if (declined.has(finding.fingerprint)) return false;
    if (finding.fix!.kind === 'safe') return true;
    const answer = forAll ?? ask(finding, changed);
    if (answer === 'all') forAll = 'yes';
    if (answer === 'quit') forAll = 'no';
    if (answer === 'yes' || answer === 'all') return true;
    declined.add(finding.fingerprint);
    return false;
  };
  let all = 0;
  let left = 0;
  let unread: readonly Gap[] = [];
  const plans = await planAll(async edited => {
    const manifests = await readInput(parsed, parsed.operands, config, { edited });
    const judging = await judgeManifests(manifests, selected, config, minor);
    // What somebody excepted is as it should be.
    const { findings, declared, parts } = judging.judgement.gather(place => judging.accept(place));
    const mendable = findings.filter(({ fix }) => fix !== undefined);
    const chosen = mendable.filter(({ fix }) => fix!.kind === 'safe' || review);
    all = Math.max(all, findings.length);
    left = mendable.length - chosen.length;
    unread = manifests.gaps.filter(({ object, file }) => object === undefined && file !== undefined);
    const files = new Set(manifests.files.map(({ file }) => file));
    const charts = manifests.renderings.filter(({ kind }) => kind === 'chart').map(({ folder }) => folder);
    return {
      findings: chosen.filter(({ fingerprint }) => !declined.has(fingerprint)),
      declared,
      parts,
      renderings: manifests.renderings,
      read: textOnDisk,
      // Helpers of templates are no manifests, so the walk does not list them.
      mayEdit: file =>
        files.has(file) || (file.endsWith('.tpl') && charts.some(chart => isBelow(file, chart))),
      asPatch: parsed.has('as-patch'),
      ...(asks ? { agrees: agreed } : {}),
    };
  });
  const changed = plans.filter(({ before, after }) => before !== after);
  if (parsed.has('diff'))
    for (const { file, before, after } of changed) print(unifiedDiff(file, before, after));
  else writeAll(changed, parsed.value('output-dir'));
  report(parsed, plans, all, left);
  if (!parsed.has('quiet')) {
    for (const { file, line, reason } of unread.slice(0, MOST_UNREAD))
      tell(`not mended: ${safe(file!)}${line === undefined ? '' : `:${line}`}: ${safe(reason)}\n`);
    if (unread.length > MOST_UNREAD)
      tell(`not mended: ${unread.length - MOST_UNREAD} more that were not read: sallyport scan names them\n`);
  }
  if (level !== undefined) {
    tolerances(plans);
    if (!parsed.has('diff') && !parsed.has('output-dir')) await sayLevels(parsed, config, level, minor);
  }
  return EXIT.clean;
}

/** Of what was not read, so much is said; a scan says it all. */
const MOST_UNREAD = 10;

/** A file's text without its byte order mark; undefined where there is none, or it is no text. */
function textOnDisk(file: string): string | undefined {
  try {
    const decoded = decode(readFileSync(file));
    return decoded.is === 'text' ? decoded.text : undefined;
  } catch {
    return undefined;
  }
}

const isBelow = (file: string, folder: string): boolean => folder === '' || file.startsWith(`${folder}/`);

function withProfile(parsed: Parsed, profile: string): Parsed {
  return { ...parsed, value: option => (option === 'profile' ? profile : parsed.value(option)) };
}

/** Every file is looked at before the first one is written: either all of them can be, or none is touched. */
function writeAll(plans: readonly FilePlan[], outputDir: string | undefined): void {
  if (outputDir !== undefined) {
    writeBelow(outputDir, plans);
    return;
  }
  const ready = plans.map(plan => ({ plan, mark: isNew(plan) ? undefined : unchangedSince(plan) }));
  for (const { plan, mark } of ready)
    if (mark === undefined) writeWhole(plan.file, plan.after);
    else replaceFile(plan.file, mark + plan.after);
}

/** A patch that is made: nobody has a file of that name. */
function isNew({ file, before }: FilePlan): boolean {
  return before === '' && lstatSync(file, { throwIfNoEntry: false }) === undefined;
}

/**
 * Makes sure that the file is what was read.
 *
 * @returns its byte order mark, if it has one
 * @throws UsageError where it is not, or must not be written
 */
function unchangedSince({ file, before }: FilePlan): string {
  if (lstatSync(file).isSymbolicLink())
    throw new UsageError(`${file} is a link; the file that it leads to was left alone`);
  if ((statSync(file).mode & 0o222) === 0) throw new UsageError(`${file} is read-only; nothing was written`);
  const marked = readFileSync(file, 'utf8');
  const mark = marked.startsWith('\ufeff') ? '\ufeff' : '';
  if (marked !== mark + before)
    throw new UsageError(`${file} changed since it was read (or is no UTF-8); nothing was written`);
  return mark;
}

/** @throws UsageError for a file that would lie outside of the folder */
function writeBelow(folder: string, plans: readonly FilePlan[]): void {
  const root = resolve(folder);
  for (const { file, after } of plans) {
    const path = resolve(root, file);
    if (!path.startsWith(root + sep))
      throw new UsageError(`${file} lies outside of this folder, so it has no place in ${folder}`);
    mkdirSync(dirname(path), { recursive: true });
    // A link in the output folder could lead anywhere.
    if (!`${realpathSync(dirname(path))}${sep}`.startsWith(realpathSync(root) + sep))
      throw new UsageError(`${join(folder, file)} would lie outside of ${folder}`);
    if (existsSync(path) && lstatSync(path).isSymbolicLink())
      throw new UsageError(`${join(folder, file)} is a link`);
    writeWhole(path, after);
  }
}

/** What an image must bear once a control is kept: who applies a fix wants to know what to try out. */
const TOLERANCES: Readonly<Record<string, string>> = {
  'pod-security/run-as-root': 'the image must run as a user that is not 0, and own what it writes',
  'pod-security/root-user': 'the image must run as a user that is not 0, and own what it writes',
  'pod-security/privilege-escalation': 'sudo, su and other setuid programs no longer gain anything',
  'pod-security/capabilities-kept': 'no chown, ping, or ports below 1024 without NET_BIND_SERVICE',
  'pod-security/capability-added': 'what needed the capability fails with "operation not permitted"',
  'pod-security/dangerous-capability': 'what needed the capability fails with "operation not permitted"',
  'pod-security/writable-root-filesystem': 'writes outside of mounted volumes fail: give /tmp an emptyDir',
  'pod-security/no-user-namespace':
    'the runtime and the file systems of its volumes must support user namespaces',
  'authorization/token-mounted': 'the program can no longer call the API server',
  'pod-security/seccomp-missing': 'rare system calls (mount, ptrace of others, kexec) are refused',
  'pod-security/seccomp-unconfined': 'rare system calls (mount, ptrace of others, kexec) are refused',
  'pod-security/privileged': 'no devices of the node, no changes of its kernel',
  'pod-security/host-namespaces': "the node's network, processes and memory are out of reach",
  'pod-security/host-port': "it is reached by a Service, no longer on the node's own port",
};

function tolerances(plans: readonly FilePlan[]): void {
  const mended = new Set(plans.flatMap(({ fixed }) => fixed.map(({ check }) => check)));
  const lines = new Set([...mended].flatMap(check => TOLERANCES[check] ?? []));
  if (lines.size > 0)
    tell(`What the images must bear now:\n${[...lines].map(line => `  ${line}\n`).join('')}`);
}

/** Reads everything again, and says who does not meet the level yet. */
async function sayLevels(parsed: Parsed, config: Config, level: string, minor: number): Promise<void> {
  const { declared, gaps } = await readInput(parsed, parsed.operands, config);
  const { workloads } = levelsOf(new World({ declared, gaps, kubernetesMinor: minor }), 'latest');
  const short = workloads.filter(
    one => one.level !== level && (level === 'restricted' || one.level === 'privileged'),
  );
  for (const { file, line, object, violations } of short) {
    const ids = [...new Set(violations.map(({ id }) => id))].join(', ');
    tell(`${safe(file)}:${line} ${objectName(object)} does not meet ${level} yet: ${ids}\n`);
  }
  if (!parsed.has('quiet'))
    tell(`${workloads.length - short.length} of ${count(workloads.length, 'workload')} meet ${level} now.\n`);
}

type Answer = 'yes' | 'no' | 'all' | 'quit';

/** Shows what a fix would do, why, and what it may break, and asks. Where the input ends, nobody agrees to more. */
function ask(finding: Finding, changed: readonly FileChange[]): Answer {
  const { file, line, check, object, message, why, fix } = finding;
  const say = (text: string) => print(`${wrap(safe(text), '  ', '  ').join('\n')}\n`);
  print(`\n${safe(file)}:${line} ${check}\n`);
  say(`${objectName(object)}: ${message}`);
  say(why);
  const tolerance = TOLERANCES[check];
  if (tolerance !== undefined) say(`Then: ${tolerance}.`);
  print(`  ${fix!.title}:\n`);
  for (const one of changed)
    for (const text of unifiedDiff(one.file, one.before, one.after).trimEnd().split('\n'))
      print(`    ${safe(text)}\n`);
  for (;;) {
    print('  Make this change? [y]es, [N]o, [a]ll that follow, [q]uit asking: ');
    const word = readAnswer();
    if (word === undefined) return 'quit';
    const answer = (['yes', 'no', 'all', 'quit'] as const).find(one => one.startsWith(word || 'n'));
    if (answer !== undefined) return answer;
  }
}

/** A line of the terminal, in small letters; undefined at its end. */
function readAnswer(): string | undefined {
  const bytes: number[] = [];
  const buffer = Buffer.alloc(1);
  for (;;) {
    let read = 0;
    try {
      read = readSync(0, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
        continue;
      }
      if ((error as NodeJS.ErrnoException).code !== 'EOF') throw error;
    }
    if (read === 0)
      return bytes.length === 0 ? undefined : Buffer.from(bytes).toString().trim().toLowerCase();
    if (buffer[0] === 10) return Buffer.from(bytes).toString().trim().toLowerCase();
    if (bytes.length < 64) bytes.push(buffer[0]!);
  }
}

function report(parsed: Parsed, plans: readonly FilePlan[], all: number, left: number): void {
  const made = plans.flatMap(({ fixed }) => fixed);
  const verb = parsed.has('diff') ? 'would be mended' : 'mended';
  for (const { file, refused } of plans)
    for (const { finding, reason } of refused)
      tell(
        `${safe(file)}:${finding.line} ${finding.check}: left as it is, for ${reason}: ${safe(finding.remediation)}\n`,
      );
  if (parsed.has('quiet')) return;
  const files = plans.filter(({ before, after }) => before !== after).length;
  tell(`${count(made.length, 'finding')} of ${all} ${verb} in ${count(files, 'file')}.\n`);
  if (left > 0)
    tell(`${count(left, 'fix', 'fixes')} may change what a workload does: --review shows them.\n`);
}
