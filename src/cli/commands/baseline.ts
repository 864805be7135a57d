/** `sallyport baseline`: what was there when the gate was built. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type BaselineEntry, entryOf, formatBaseline } from '#judge/baseline.ts';
import { matchKnown } from '#judge/known.ts';
import { toJson } from '#kube/json.ts';
import { checks } from '#practices/index.ts';
import { count, safe } from '#report/safe.ts';
import { reachOf, readBaseline, readMerged } from '../baselines.ts';
import type { Parsed } from '../command.ts';
import { type Config, readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { type Judging, judgeManifests } from '../judging.ts';
import { print, tell, writeWhole } from '../output.ts';
import { honoredTools, selection } from '../selection.ts';
import { minorOf } from '../version-range.ts';

const FILE = 'sallyport-baseline.txt';

export async function create(parsed: Parsed): Promise<number> {
  const { config, file } = await where(parsed);
  if (existsSync(file) && !parsed.has('force'))
    throw new UsageError(
      `${file} is there already`,
      'sallyport baseline update removes what was mended; --force begins anew',
    );
  const { open, judgement } = await judgingOf(parsed, config);
  const unknowns = judgement.unknowns.length;
  writeWhole(file, formatBaseline(open.map(entryOf)));
  if (!parsed.has('quiet')) {
    print(`${file}: ${count(open.length, 'place')} accepted as they are today\n`);
    if (unknowns > 0)
      tell(`${count(unknowns, 'place')} could not be judged, and no baseline accepts that.\n`);
    if (config.baseline === undefined)
      tell(`Commit it, and write "baseline: ${file}" into sallyport.yaml, or scan with --baseline.\n`);
    if (!isUnion(file))
      tell(`Git merges it without conflicts where .gitattributes says "${basename(file)} merge=union".\n`);
  }
  return EXIT.clean;
}

export async function update(parsed: Parsed): Promise<number> {
  const { config, file } = await where(parsed);
  const { entries, conflicts, oneSided } = readMerged(file);
  const judging = await judgingOf(parsed, config);
  const { open } = judging;
  const { isAsked, isJudged } = reachOf(judging, parsed);
  // What this run did not ask about is neither fixed nor there.
  const { gone: unmatched, moved, accept } = matchKnown(open, entries.filter(isAsked));
  const gone = unmatched.filter(isJudged);
  const fresh = open.filter(place => accept(place) === undefined);
  const gonePlaces = new Set(gone);
  const elsewhere = new Map(moved.map(({ known, file: now }) => [known, now]));
  const kept = entries
    .filter(entry => !gonePlaces.has(entry))
    .map(entry => ({ ...entry, file: elsewhere.get(entry) ?? entry.file }));
  const added = parsed.has('accept-new') ? fresh.map(entryOf) : [];
  writeWhole(file, formatBaseline([...kept, ...added]));
  if (parsed.has('quiet')) return EXIT.clean;
  if (conflicts > 0) print(resolved(conflicts, oneSided, gone));
  print(summary(gone, moved, added.length, fresh.length, kept.length));
  const unsure = unmatched.length - gone.length;
  if (unsure > 0)
    tell(`${count(unsure, 'line')} kept: what stands there could not be judged, or was left out\n`);
  return EXIT.clean;
}

/** What became of a merge conflict; a person has to know of what only one side accepts. */
function resolved(
  conflicts: number,
  oneSided: readonly BaselineEntry[],
  gone: readonly BaselineEntry[],
): string {
  const left = new Map<string, number>();
  const keyOf = ({ identity, file, place }: BaselineEntry) => [identity, file, place].join('\0');
  for (const entry of gone) left.set(keyOf(entry), (left.get(keyOf(entry)) ?? 0) + 1);
  const kept = oneSided.filter(entry => {
    const count = left.get(keyOf(entry)) ?? 0;
    left.set(keyOf(entry), count - 1);
    return count <= 0;
  });
  return [
    `${count(conflicts, 'merge conflict')} resolved`,
    ...kept.map(entry => `one side ${shown(entry)}`),
    ...(kept.length === 0
      ? []
      : [
          `${count(kept.length, 'line')} accepted by one side only, and kept: take out by hand what should not be`,
        ]),
    '',
  ].join('\n');
}

function summary(
  gone: readonly BaselineEntry[],
  moved: readonly { readonly known: BaselineEntry; readonly file: string }[],
  added: number,
  fresh: number,
  kept: number,
): string {
  const lines = [
    ...gone.map(entry => `fixed    ${shown(entry)}`).sort(),
    ...moved.map(({ known, file }) => `moved    ${shown(known)} is in ${safe(file)} now`),
    `${gone.length} fixed and removed, ${moved.length} moved, ${added} added; ${kept + added} remain`,
  ];
  if (fresh > added)
    lines.push(`${count(fresh, 'place')} new, and not accepted: mend them, or use --accept-new`);
  return `${lines.join('\n')}\n`;
}

export async function show(parsed: Parsed): Promise<number> {
  const { file } = await where(parsed);
  const entries = readBaseline(file);
  if (parsed.value('format') === 'json') print(toJson(entries));
  else {
    const byCheck = [...Map.groupBy(entries, ({ check }) => check)].toSorted(
      (a, b) => b[1].length - a[1].length,
    );
    const lines = byCheck.flatMap(([check, of]) => [
      `${safe(check)}: ${of.length}`,
      ...of.map(entry => `  ${safe(entry.file)} ${safe(entry.object)}: ${safe(entry.place)}`),
    ]);
    print(`${[...lines, `${count(entries.length, 'place')} in ${file}`].join('\n')}\n`);
  }
  return EXIT.clean;
}

function shown({ check, file, object, place }: BaselineEntry): string {
  return `${safe(file)} ${safe(check)} ${safe(object)}: ${safe(place)}`;
}

/** Whether a `.gitattributes` here says how the file is merged; in a folder above it somebody may have said so too. */
function isUnion(file: string): boolean {
  try {
    return readFileSync(join(dirname(file), '.gitattributes'), 'utf8')
      .split('\n')
      .some(line => line.includes(basename(file)) && /\smerge=\S/.test(line));
  } catch {
    return false;
  }
}

async function where(parsed: Parsed): Promise<{ config: Config; file: string }> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  return { config, file: parsed.value('file') ?? config.baseline ?? FILE };
}

async function judgingOf(parsed: Parsed, config: Config): Promise<Judging> {
  const selected = selection(parsed, config);
  const manifests = await readInput(parsed, parsed.operands, config);
  const minor = minorOf(parsed.value('target-kubernetes') ?? config.targetKubernetes, '--target-kubernetes');
  return judgeManifests(manifests, selected, config, minor, honoredTools(parsed));
}
