/** `sallyport fix`: mends findings in the files that hold them, and touches nothing else. */
import { lstatSync, readFileSync, readSync } from 'node:fs';
import type { Finding } from '#check/finding.ts';
import { scan } from '#judge/scan.ts';
import { checks } from '#practices/index.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { type FilePlan, fixDiff, planFixes } from '../fixes.ts';
import { readInput } from '../input.ts';
import { isTerminal, print, replaceFile, tell } from '../output.ts';
import { selection } from '../selection.ts';
import { unifiedDiff } from '../unified-diff.ts';
import { minorOf } from '../version-range.ts';

export async function run(parsed: Parsed): Promise<number> {
  if (parsed.operands.includes('-')) throw new UsageError('fix edits files; standard input is none');
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  const selected = selection(parsed, config);
  const manifests = await readInput(parsed, parsed.operands, config.ignore);
  const world = new World({
    declared: manifests.declared,
    gaps: manifests.gaps,
    kubernetesMinor: minorOf(
      parsed.value('target-kubernetes') ?? config.targetKubernetes,
      '--target-kubernetes',
    ),
  });
  const { findings, declared } = scan(world, selected);
  const mendable = findings.filter(({ fix }) => fix !== undefined);
  const review = parsed.has('review');
  const chosen = mendable.filter(({ fix }) => fix!.kind === 'safe' || review);
  const asks = review && !parsed.has('yes') && !parsed.has('diff');
  if (asks && !(isTerminal() && process.stdin.isTTY))
    throw new UsageError(
      '--review asks for each fix, and there is no terminal',
      'add --yes to make them all, or --diff to see them',
    );
  const wanted = asks
    ? chosen.filter(
        finding => finding.fix!.kind === 'safe' || agrees(finding, fixDiff(finding, declared.get(finding))),
      )
    : chosen;
  const plans = await planFixes(wanted, declared);
  const changed = plans.filter(({ before, after }) => before !== after);
  if (parsed.has('diff'))
    for (const { file, before, after } of changed) print(unifiedDiff(file, before, after));
  else for (const plan of changed) write(plan);
  report(parsed, plans, findings.length, mendable.length - chosen.length);
  return EXIT.clean;
}

/** @throws UsageError where the file is not what was read */
function write({ file, before, after }: FilePlan): void {
  if (lstatSync(file).isSymbolicLink())
    throw new UsageError(`${file} is a link; the file that it leads to was left alone`);
  const marked = readFileSync(file, 'utf8');
  const mark = marked.startsWith('\ufeff') ? '\ufeff' : '';
  if (marked !== mark + before)
    throw new UsageError(`${file} changed since it was read (or is no UTF-8); it was left alone`);
  replaceFile(file, mark + after);
}

function agrees(finding: Finding, diff: readonly string[] | undefined): boolean {
  const { file, line, check, object, message, fix } = finding;
  print(`${safe(file)}:${line} ${check}\n  ${objectName(object)}: ${safe(message)}\n  ${fix!.title}:\n`);
  for (const changed of diff ?? []) print(`    ${safe(changed)}\n`);
  print('  make this change? [y/N] ');
  const buffer = Buffer.alloc(64);
  return /^y(?:es)?\s*$/i.test(buffer.subarray(0, readSync(0, buffer)).toString());
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
