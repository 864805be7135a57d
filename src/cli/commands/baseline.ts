/** `sallyport baseline`: what was there when the gate was built. */
import { existsSync } from 'node:fs';
import { idOf } from '#check/check.ts';
import { type BaselineEntry, entryOf, formatBaseline } from '#judge/baseline.ts';
import { matchKnown } from '#judge/known.ts';
import type { Place } from '#judge/scan.ts';
import { toJson } from '#kube/json.ts';
import { checks } from '#practices/index.ts';
import { count, safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { type Config, readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { judgeManifests, readBaseline } from '../judging.ts';
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
  const { open, unknowns } = await failing(parsed, config);
  writeWhole(file, formatBaseline(open.map(entryOf)));
  if (!parsed.has('quiet')) {
    print(`${file}: ${count(open.length, 'place')} accepted as they are today\n`);
    if (unknowns > 0)
      tell(`${count(unknowns, 'place')} could not be judged, and no baseline accepts that.\n`);
    if (config.baseline === undefined)
      tell(`Commit it, and write "baseline: ${file}" into sallyport.yaml, or scan with --baseline.\n`);
  }
  return EXIT.clean;
}

export async function update(parsed: Parsed): Promise<number> {
  const { config, file } = await where(parsed);
  const entries = readBaseline(file);
  const { open, ran } = await failing(parsed, config);
  // What this run did not ask about is neither fixed nor there.
  const asked = entries.filter(entry => ran.has(entry.check) && isBelow(entry.file, parsed.operands));
  const { gone, moved, accept } = matchKnown(open, asked);
  const fresh = open.filter(place => accept(place) === undefined);
  const gonePlaces = new Set(gone);
  const elsewhere = new Map(moved.map(({ known, file: now }) => [known, now]));
  const kept = entries
    .filter(entry => !gonePlaces.has(entry))
    .map(entry => ({ ...entry, file: elsewhere.get(entry) ?? entry.file }));
  const added = parsed.has('accept-new') ? fresh.map(entryOf) : [];
  writeWhole(file, formatBaseline([...kept, ...added]));
  if (!parsed.has('quiet')) print(summary(gone, moved, added.length, fresh.length, kept.length));
  return EXIT.clean;
}

function summary(
  gone: readonly BaselineEntry[],
  moved: readonly { readonly known: BaselineEntry; readonly file: string }[],
  added: number,
  fresh: number,
  kept: number,
): string {
  const lines = [
    ...gone.map(entry => `fixed    ${shown(entry)}`),
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

function isBelow(file: string, operands: readonly string[]): boolean {
  if (operands.length === 0) return true;
  return operands.some(operand => {
    const folder = operand.replace(/^\.\//, '').replace(/\/$/, '');
    return folder === '.' || folder === '' || file === folder || file.startsWith(`${folder}/`);
  });
}

async function where(parsed: Parsed): Promise<{ config: Config; file: string }> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  return { config, file: parsed.value('file') ?? config.baseline ?? FILE };
}

async function failing(
  parsed: Parsed,
  config: Config,
): Promise<{
  readonly open: readonly Place[];
  readonly unknowns: number;
  readonly ran: ReadonlySet<string>;
}> {
  const selected = selection(parsed, config);
  const manifests = await readInput(parsed, parsed.operands, config);
  const minor = minorOf(parsed.value('target-kubernetes') ?? config.targetKubernetes, '--target-kubernetes');
  const { open, judgement } = await judgeManifests(manifests, selected, config, minor, honoredTools(parsed));
  return {
    open,
    unknowns: judgement.unknowns.length,
    ran: new Set(selected.map(({ check }) => idOf(check))),
  };
}
