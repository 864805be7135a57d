/** Which Pod Security level each workload and each namespace of a world meets, and what holds it back. */
import { admit, type LabelError, type Policy, policyOf } from '#decide/pod-security/admission.ts';
import { type CustomProfile, judgePod } from '#decide/pod-security/custom/custom.ts';
import { evaluateDecoded, parseVersion } from '#decide/pod-security/evaluate.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import type { Level } from '#decide/pod-security/standards/registry.ts';
import { formatPath, type ObjectReference, type Path, referenceOf } from '#kube/objects.ts';
import type { PodSubject } from '#world/subjects.ts';
import { type Declared, metadataOf, type World } from '#world/world.ts';

export interface LevelViolation {
  /** The level that the control belongs to. */
  readonly level: 'baseline' | 'restricted';
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
  readonly paths: readonly PlaceInFile[];
}

export interface PlaceInFile {
  readonly path: string;
  /** Where that is another file than the object's: a values file, or an overlay's patch. */
  readonly file?: string;
  readonly line: number;
  readonly column: number;
}

/** What the team's own profile for a workload says of it. */
export interface WorkloadProfile {
  /** Absent where it is not known which profile is for the workload. */
  readonly name?: string;
  readonly reason?: string;
  /** The level that holds where the profile says nothing. */
  readonly extends?: Level;
  /** Null where it is not known; `unknowns` say why. */
  readonly kept: boolean | null;
  readonly violations: readonly {
    readonly field: string;
    readonly detail: string;
    readonly container?: string;
    readonly paths: readonly PlaceInFile[];
  }[];
  readonly unknowns: readonly string[];
}

export interface WorkloadLevel {
  readonly file: string;
  readonly line: number;
  readonly document: number;
  readonly item?: number;
  readonly object: ObjectReference;
  readonly level: Level;
  readonly violations: readonly LevelViolation[];
  /** Only where a profile of the team's own is for it. */
  readonly profile?: WorkloadProfile;
}

export interface Blocker {
  readonly object: ObjectReference;
  readonly file: string;
  readonly line: number;
  readonly ids: readonly string[];
}

export interface NamespaceLevel {
  /** Null for workloads whose manifest states no namespace. */
  readonly name: string | null;
  /** `level:version` by its labels; null where the namespace is not in the input or says nothing. */
  readonly enforced: string | null;
  /** The highest level that all its workloads meet. */
  readonly level: Level;
  /** What stands in the way of the next one. */
  readonly blockedBy: readonly Blocker[];
  /** The labels that enforce what it meets today. */
  readonly propose: Readonly<Record<string, string>>;
  /** What the API server would warn of if the next level were enforced. */
  readonly nextWarns: readonly string[];
  /** Labels that do not say what they were meant to. */
  readonly problems: readonly {
    readonly label: string;
    readonly value: string;
    readonly problem: string;
    readonly means: string;
  }[];
}

export interface Levels {
  readonly version: string;
  readonly workloads: readonly WorkloadLevel[];
  readonly namespaces: readonly NamespaceLevel[];
  readonly unknowns: readonly {
    readonly file: string;
    readonly line: number;
    readonly object: ObjectReference;
    readonly reason: string;
  }[];
}

const PREFIX = 'pod-security.kubernetes.io/';
const NEXT: Readonly<Record<Level, Level | undefined>> = {
  privileged: 'baseline',
  baseline: 'restricted',
  restricted: undefined,
};

/**
 * @param version of the standards: `latest` or `v1.N`
 * @param profiles of the team's own
 * @throws VersionError
 */
export function levelsOf(world: World, version: string, profiles: readonly CustomProfile[] = []): Levels {
  const minor = parseVersion(version);
  const workloads: WorkloadLevel[] = [];
  const unknowns: Levels['unknowns'][number][] = [];
  const pods = new Map<string, PodSubject[]>();
  const byNamespace = new Map<string, WorkloadLevel[]>();
  for (const declared of world.declared) {
    const { object, origin } = declared;
    const { pods: found, refused } = podsOf(world, object);
    for (const { path, reason } of refused) {
      const { file, line } = origin.positionOf(path);
      unknowns.push({ file, line, object: referenceOf(object), reason });
    }
    // A fragment is no pod: a controller makes the rest, and with it the answer.
    const whole = found.filter(({ partial }) => !partial);
    if (whole.length === 0 || refused.length > 0) continue;
    const profile = profiles.length === 0 ? undefined : profileOf(world, declared, whole, profiles);
    const workload = {
      ...levelOf(declared, whole, minor),
      ...(profile === undefined ? {} : { profile }),
    };
    workloads.push(workload);
    const namespace = whole[0]!.namespace ?? '';
    append(byNamespace, namespace, workload);
    for (const pod of whole) append(pods, namespace, pod);
  }
  for (const { object } of world.ofKind('/Namespace')) {
    const name = object.metadata?.name;
    if (typeof name === 'string' && !byNamespace.has(name)) byNamespace.set(name, []);
  }
  const namespaces = [...byNamespace]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, of]) => namespaceLevel(world, name, of, pods.get(name) ?? [], version));
  return { version, workloads, namespaces, unknowns };
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function levelOf({ object, origin }: Declared, pods: readonly PodSubject[], minor: number): WorkloadLevel {
  let level: Level = 'restricted';
  const violations: LevelViolation[] = [];
  for (const pod of pods) {
    const decoded = { metadata: pod.metadata, spec: pod.spec };
    const baseline = evaluateDecoded(decoded, 'baseline', minor);
    const restricted = evaluateDecoded(decoded, 'restricted', minor);
    if (!restricted.allowed) level = level === 'privileged' || !baseline.allowed ? 'privileged' : 'baseline';
    const broken = [...baseline.checks, ...restricted.checks.filter(check => check.level === 'restricted')];
    for (const { id, level: of, allowed, reason, detail, violations: places } of broken) {
      if (allowed) continue;
      const paths = places.map(({ path }) => placeOf(origin, pod.pathOf(path)));
      violations.push({ level: of, id, reason, detail, paths });
    }
  }
  const { file, line, document, item } = origin;
  return {
    file,
    line,
    document,
    ...(item === undefined ? {} : { item }),
    object: referenceOf(object),
    level,
    violations,
  };
}

function placeOf(origin: Declared['origin'], path: Path): PlaceInFile {
  const { file, line, column } = origin.positionOf(path);
  return { path: formatPath(path), ...(file === origin.file ? {} : { file }), line, column };
}

/** Of several pods in one object the first that breaks its profile speaks for all. */
function profileOf(
  world: World,
  { origin }: Declared,
  pods: readonly PodSubject[],
  profiles: readonly CustomProfile[],
): WorkloadProfile | undefined {
  const answers = pods.flatMap((pod): WorkloadProfile[] => {
    const answer = judgePod(world, pod, profiles);
    if (answer.is === 'none') return [];
    if (answer.is === 'unknown') return [{ kept: null, violations: [], unknowns: [answer.because] }];
    const { profile, breaches, unknowns } = answer;
    return [
      {
        name: profile.name,
        reason: profile.reason,
        extends: profile.extends,
        kept: breaches.length > 0 ? false : unknowns.length > 0 ? null : true,
        violations: breaches.map(({ field, detail, container, path }) => ({
          field,
          detail,
          ...(container === undefined ? {} : { container }),
          paths: [placeOf(origin, pod.pathOf(path))],
        })),
        unknowns,
      },
    ];
  });
  return (
    answers.find(({ kept }) => kept === false) ?? answers.find(({ kept }) => kept === null) ?? answers[0]
  );
}

function namespaceLevel(
  world: World,
  name: string,
  workloads: readonly WorkloadLevel[],
  pods: readonly PodSubject[],
  version: string,
): NamespaceLevel {
  const level: Level = workloads.some(workload => workload.level === 'privileged')
    ? 'privileged'
    : workloads.some(workload => workload.level === 'baseline')
      ? 'baseline'
      : 'restricted';
  const next = NEXT[level];
  const blockedBy = workloads
    .filter(workload => next !== undefined && workload.level === level)
    .map(({ object, file, line, violations }) => ({
      object,
      file,
      line,
      ids: [
        ...new Set(
          violations
            .filter(violation => next === 'restricted' || violation.level === 'baseline')
            .map(({ id }) => id),
        ),
      ],
    }));
  const namespace = name === '' ? undefined : world.find('/Namespace', undefined, name);
  const labels = namespace === undefined ? undefined : metadataOf(namespace.metadata).labels;
  const { policy, errors } = policyOf(labels);
  return {
    name: name === '' ? null : name,
    enforced: labels === undefined || !statesEnforce(labels) ? null : shown(policy),
    level,
    blockedBy,
    propose: { [`${PREFIX}enforce`]: level, [`${PREFIX}enforce-version`]: version },
    nextWarns: next === undefined || name === '' ? [] : warningsOf(name, next, version, pods),
    problems: errors.map(error => ({ ...error, means: meaningOf(error) })),
  };
}

function statesEnforce(labels: Readonly<Record<string, string>>): boolean {
  return Object.keys(labels).some(label => label.startsWith(`${PREFIX}enforce`));
}

function shown({ enforce }: Policy): string {
  return `${enforce.level}:${enforce.version}`;
}

function meaningOf({ label }: LabelError): string {
  if (label.endsWith('-version')) return 'latest';
  return label === `${PREFIX}enforce` ? 'restricted' : 'privileged';
}

/** What the API server says when the labels of a namespace with these pods change. Workloads stand for their pods. */
function warningsOf(
  name: string,
  level: Level,
  version: string,
  pods: readonly PodSubject[],
): readonly string[] {
  const object = (labels: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  });
  const { warnings } = admit(
    {
      operation: 'UPDATE',
      group: '',
      version: 'v1',
      resource: 'namespaces',
      kind: 'Namespace',
      namespace: name,
      name,
      object: object({ [`${PREFIX}enforce`]: level, [`${PREFIX}enforce-version`]: version }),
      oldObject: object({}),
    },
    {
      existingPods: pods.map(pod => ({
        metadata: { ...pod.metadata, name: referenceOf(pod.object).name },
        spec: pod.spec,
      })),
    },
  );
  return warnings;
}
