/** `sallyport pod-security upgrade`: what newer standards change for each namespace and workload. */
import { type NamespaceUpgrade, type Upgrade, upgradeOf, type WorkloadChange } from '#judge/upgrade.ts';
import { toJson } from '#kube/json.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { newestMinor, World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';
import { minorOf } from '../version-range.ts';

export async function run(parsed: Parsed): Promise<number> {
  const start = parsed.value('from');
  if (start === undefined)
    throw new UsageError('upgrade needs --from', 'the version that the cluster has today: v1.33');
  const [from, to] = [minorOf(start, '--from'), minorOf(parsed.value('to'), '--to')];
  if (from > to) throw new UsageError(`--from v1.${from} is newer than --to v1.${to}`);
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const { declared, gaps } = await readInput(parsed, parsed.operands, config);
  const upgrade = upgradeOf(new World({ declared, gaps, kubernetesMinor: newestMinor }), from, to);
  const { namespaces, unlabelled, unknowns } = upgrade;
  const unread = gaps.map(({ file, line, reason }) => ({ file, line, reason }));
  if (parsed.value('format') === 'json')
    print(toJson({ from: `v1.${from}`, to: `v1.${to}`, ...upgrade, unknowns: [...unknowns, ...unread] }));
  else print(text(upgrade, from, to));
  for (const { file, line, object, reason } of unknowns)
    tell(`sallyport: ${safe(file)}:${line}: ${objectName(object)}: ${safe(reason)}\n`);
  for (const { file, line, reason } of unread)
    tell(`sallyport: ${safe(file ?? '')}${line === undefined ? '' : `:${line}`}: ${safe(reason)}\n`);
  if (namespaces.some(({ workloads }) => workloads.some(breaks))) return EXIT.findings;
  return namespaces.length === 0 || unlabelled.length + unknowns.length + gaps.length > 0
    ? EXIT.unknown
    : EXIT.clean;
}

function breaks({ mode, by, before, after }: WorkloadChange): boolean {
  return mode === 'enforce' && by === 'cluster' && before === 'allowed' && after === 'denied';
}

function text({ namespaces, unlabelled }: Upgrade, from: number, to: number): string {
  const broken = namespaces.flatMap(({ workloads }) => workloads.filter(breaks));
  return [
    `Pod Security Standards v1.${from} -> v1.${to}`,
    '',
    ...namespaces.flatMap(one => describe(one, to)),
    ...unlabelled.map(
      ({ name, workloads }) =>
        `${name === null ? 'no namespace stated' : `namespace ${safe(name)}`}: labels not in the input, ${count(workloads, 'workload')} not judged`,
    ),
    `${count(namespaces.length, 'namespace')}: ${count(broken.length, 'workload')} refused after the upgrade`,
    '',
  ].join('\n');
}

function describe(
  { name, file, line, modes, mistakes, workloads, warnings }: NamespaceUpgrade,
  to: number,
): string[] {
  return [
    `${safe(file)}:${line} namespace ${safe(name)}`,
    ...modes
      .filter(({ level }) => level !== 'privileged')
      .map(({ mode, level, version, isPinned, isDead }) => {
        const moves = isDead
          ? 'pinned to a release without support'
          : isPinned
            ? 'pinned: the upgrade does not move it'
            : `becomes v1.${to} with the cluster`;
        return `  ${mode} ${level}:${version}: ${moves}`;
      }),
    ...mistakes.map(({ label, line, says }) => `  ${safe(file)}:${line} ${safe(label)}: ${safe(says)}`),
    ...(modes.every(({ level }) => level === 'privileged') ? ['  enforces nothing: nothing changes'] : []),
    ...workloads.flatMap(({ file, line, object, mode, by, before, after, added, removed }) => [
      `  ${mode}: ${safe(file)}:${line} ${objectName(object)}: ${before === after ? `still ${after}` : `${before} -> ${after}`}${by === 'label' ? `, if the label moves to v1.${to}` : ''}`,
      ...added.map(({ id, detail }) => `    new ${id}: ${safe(detail)}`),
      ...removed.map(({ id, detail }) => `    gone ${id}: ${safe(detail)}`),
    ]),
    ...warnings.map(warning => `  the API server warns: ${safe(warning)}`),
    '',
  ];
}
