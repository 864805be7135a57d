/** `sallyport pod-security levels`: what each workload and namespace meets today. */
import { VersionError } from '#decide/pod-security/evaluate.ts';
import {
  type Levels,
  levelsOf,
  type NamespaceLevel,
  type WorkloadLevel,
  type WorkloadProfile,
} from '#judge/levels.ts';
import { toJson } from '#kube/json.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { newestMinor, World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { type Config, readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const version = parsed.value('version') ?? 'latest';
  const { declared, gaps } = await readInput(parsed, parsed.operands, config);
  const profiles = config.podSecurityProfiles;
  const levels = levelsAt(new World({ declared, gaps, kubernetesMinor: newestMinor }), version, profiles);
  if (parsed.value('format') === 'json') {
    const unread = gaps.map(({ file, line, reason }) => ({ file, line, reason }));
    print(toJson({ ...levels, unknowns: [...levels.unknowns, ...unread] }));
  } else print(text(levels, gaps.length));
  if (levels.workloads.length === 0 && levels.unknowns.length === 0 && !parsed.has('quiet'))
    tell('sallyport: no workloads found\n');
  return levels.workloads.length === 0 || levels.unknowns.length + gaps.length > 0
    ? EXIT.unknown
    : EXIT.clean;
}

function levelsAt(world: World, version: string, profiles: Config['podSecurityProfiles']): Levels {
  try {
    return levelsOf(world, version, profiles);
  } catch (error) {
    if (error instanceof VersionError) throw new UsageError(`--version: "${version}" ${error.message}`);
    throw error;
  }
}

function text({ version, workloads, namespaces, unknowns }: Levels, gaps: number): string {
  const lines = [`Pod Security Standards ${version}`, ''];
  const byNamespace = Map.groupBy(workloads, ({ object }) => object.namespace ?? null);
  for (const namespace of namespaces) {
    lines.push(...describeNamespace(namespace));
    for (const workload of byNamespace.get(namespace.name) ?? []) lines.push(...describeWorkload(workload));
    lines.push('');
  }
  for (const { file, line, object, reason } of unknowns)
    lines.push(`${safe(file)}:${line} ${objectName(object)}: could not be judged: ${safe(reason)}`);
  const counts = (['restricted', 'baseline', 'privileged'] as const).map(
    level => `${workloads.filter(workload => workload.level === level).length} ${level}`,
  );
  lines.push(`${count(workloads.length, 'workload')}: ${counts.join(', ')}`);
  const own = workloads.flatMap(({ profile }) => profile ?? []);
  if (own.length > 0) {
    const of = (kept: boolean | null) => own.filter(one => one.kept === kept).length;
    const unsure = of(null) === 0 ? '' : `, ${of(null)} unknown`;
    lines.push(`profiles of your own: ${of(true)} kept, ${of(false)} broken${unsure}`);
  }
  if (gaps > 0) lines.push(`${count(gaps, 'place')} could not be read; sallyport inventory tells where.`);
  return `${lines.join('\n')}\n`;
}

function describeNamespace({ name, enforced, level, problems, nextWarns }: NamespaceLevel): string[] {
  const who = name === null ? 'no namespace stated' : `namespace ${safe(name)}`;
  const today = name === null ? '' : enforced === null ? ', enforces nothing' : `, enforces ${enforced}`;
  return [
    `${who}: meets ${level}${today}`,
    ...problems.map(
      ({ label, value, problem, means }) =>
        `  label ${safe(label)} "${safe(value)}" ${problem}: it means ${means}`,
    ),
    ...nextWarns.map(warning => `  next level: ${safe(warning)}`),
  ];
}

function placesIn(paths: WorkloadLevel['violations'][number]['paths']): string {
  const places = [
    ...new Set(paths.map(path => `${path.file === undefined ? '' : `${safe(path.file)}:`}${path.line}`)),
  ].join(', ');
  return places === '' ? '' : ` (${places.includes(':') ? 'at' : 'line'} ${places})`;
}

function describeProfile({
  name,
  reason,
  extends: level,
  kept,
  violations,
  unknowns,
}: WorkloadProfile): string[] {
  const verdict = kept === true ? 'kept' : kept === false ? 'broken' : 'unknown';
  return [
    ...(name === undefined ? [] : [`    profile ${safe(name)} (${safe(reason ?? '')}): ${verdict}`]),
    ...violations.map(({ field, detail, container, paths }) => {
      // The standards name the containers themselves.
      const who = container === undefined || field === 'extends' ? '' : `container "${safe(container)}": `;
      return `      ${field === 'extends' ? `extends ${level}` : field}: ${who}${safe(detail)}${placesIn(paths)}`;
    }),
    ...unknowns.map(reason => `      unknown: ${safe(reason)}`),
  ];
}

function describeWorkload({ file, line, object, level, violations, profile }: WorkloadLevel): string[] {
  return [
    `  ${level.padEnd(11)}${safe(file)}:${line} ${objectName(object)}`,
    ...violations.map(
      ({ level: of, id, detail, paths }) => `    ${of} ${id}: ${safe(detail)}${placesIn(paths)}`,
    ),
    ...(profile === undefined ? [] : describeProfile(profile)),
  ];
}
