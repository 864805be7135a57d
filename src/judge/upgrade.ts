/** What another version of the Pod Security Standards changes for the namespaces and workloads of a world. */
import { admit, type LabelError, policyOf } from '#decide/pod-security/admission.ts';
import { evaluateDecoded, tryVersion } from '#decide/pod-security/evaluate.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import type { Level } from '#decide/pod-security/standards/registry.ts';
import { nearest } from '#kube/nearest.ts';
import { type ObjectReference, referenceOf } from '#kube/objects.ts';
import type { PodSubject } from '#world/subjects.ts';
import { type Declared, metadataOf, type World } from '#world/world.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const MODES = ['enforce', 'audit', 'warn'] as const;
type Mode = (typeof MODES)[number];
/** Kubernetes looks after three minor releases; a fourth is given for the upgrade. */
const SUPPORTED = 4;

export interface ModeChange {
  readonly mode: Mode;
  readonly level: Level;
  /** As the labels say it: `latest` or `v1.N`. */
  readonly version: string;
  /** The version stays where it is when the cluster moves. */
  readonly isPinned: boolean;
  /** Pinned to a release without support once the cluster has moved. */
  readonly isDead: boolean;
}

export interface WorkloadChange {
  readonly file: string;
  readonly line: number;
  readonly object: ObjectReference;
  readonly mode: Mode;
  /** `cluster`: the upgrade itself does it; `label`: only moving the pinned version does. */
  readonly by: 'cluster' | 'label';
  readonly before: 'allowed' | 'denied';
  readonly after: 'allowed' | 'denied';
  /** What the newer version objects to and the older did not, and the other way round. */
  readonly added: readonly { readonly id: string; readonly detail: string }[];
  readonly removed: readonly { readonly id: string; readonly detail: string }[];
}

export interface LabelMistake {
  readonly label: string;
  readonly line: number;
  /** What is wrong with it, and what it means instead. */
  readonly says: string;
}

export interface NamespaceUpgrade {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly modes: readonly ModeChange[];
  /** Labels that do not mean what they were meant to, with the line of each. */
  readonly mistakes: readonly LabelMistake[];
  readonly workloads: readonly WorkloadChange[];
  /** What the API server says when the enforced version is set to the new one; workloads stand for their pods. */
  readonly warnings: readonly string[];
}

export interface Upgrade {
  readonly namespaces: readonly NamespaceUpgrade[];
  /** Namespaces of workloads that are not in the input, so that their labels are not known. */
  readonly unlabelled: readonly { readonly name: string | null; readonly workloads: number }[];
  readonly unknowns: readonly {
    readonly file: string;
    readonly line: number;
    readonly object: ObjectReference;
    readonly reason: string;
  }[];
}

interface Workload {
  readonly declared: Declared;
  readonly pods: readonly PodSubject[];
}

/** @param from and `to` are minor versions of Kubernetes 1 */
export function upgradeOf(world: World, from: number, to: number): Upgrade {
  const unknowns: Upgrade['unknowns'][number][] = [];
  const workloads = new Map<string, Workload[]>();
  for (const declared of world.declared) {
    const { pods, refused } = podsOf(world, declared.object);
    for (const { path, reason } of refused) {
      const { file, line } = declared.origin.positionOf(path);
      unknowns.push({ file, line, object: referenceOf(declared.object), reason });
    }
    const whole = pods.filter(({ partial }) => !partial);
    if (whole.length === 0 || refused.length > 0) continue;
    const name = whole[0]!.namespace ?? '';
    const known = workloads.get(name);
    if (known === undefined) workloads.set(name, [{ declared, pods: whole }]);
    else known.push({ declared, pods: whole });
  }
  const namespaces = world.ofKind('/Namespace').map(declared => {
    const name = metadataOf(declared.object.metadata).name ?? '';
    const own = workloads.get(name) ?? [];
    workloads.delete(name);
    return namespaceUpgrade(declared, name, own, from, to);
  });
  const unlabelled = [...workloads].map(([name, { length }]) => ({
    name: name === '' ? null : name,
    workloads: length,
  }));
  return { namespaces, unlabelled, unknowns };
}

function namespaceUpgrade(
  { object, origin }: Declared,
  name: string,
  workloads: readonly Workload[],
  from: number,
  to: number,
): NamespaceUpgrade {
  const { labels } = metadataOf(object.metadata);
  const { policy, errors } = policyOf(labels);
  const mistakes = [...errors.map(mistakeOf), ...unknownLabels(labels)].map(one => ({
    ...one,
    line: origin.positionOf(['metadata', 'labels', one.label]).line,
  }));
  const modes = MODES.map((mode): ModeChange => {
    const { level, version } = policy[mode];
    const pinned = version === 'latest' ? undefined : tryVersion(version);
    return {
      mode,
      level,
      version,
      isPinned: pinned !== undefined,
      isDead: pinned !== undefined && pinned <= to - SUPPORTED,
    };
  });
  const changes = modes.flatMap(({ mode, level, version, isPinned }) => {
    const before = isPinned ? tryVersion(version)! : from;
    return workloads.flatMap(({ declared, pods }) =>
      changeOf(declared, pods, level, before, to).map(
        (change): WorkloadChange => ({ ...change, mode, by: isPinned ? 'label' : 'cluster' }),
      ),
    );
  });
  const { level, version } = policy.enforce;
  return {
    name,
    file: origin.file,
    line: origin.line,
    modes,
    mistakes,
    workloads: changes,
    warnings: warningsOf(
      name,
      level,
      version === 'latest' ? `v1.${from}` : version,
      `v1.${to}`,
      workloads.flatMap(({ pods }) => pods),
    ),
  };
}

/** What the API server takes a wrong value for: see {@link policyOf}. */
function mistakeOf({ label, value, problem }: LabelError): Omit<LabelMistake, 'line'> {
  const means = label.endsWith('-version')
    ? 'latest'
    : label === `${PREFIX}enforce`
      ? 'restricted'
      : 'privileged';
  return { label, says: `"${value}" ${problem}: it means ${means}` };
}

const NAMES = MODES.flatMap(mode => [mode, `${mode}-version`]);

/** Labels of this group that the API server does not know: it ignores them without a word. */
function unknownLabels(labels: Readonly<Record<string, string>> = {}): Omit<LabelMistake, 'line'>[] {
  return Object.keys(labels).flatMap(label => {
    const name = label.slice(PREFIX.length);
    if (!label.startsWith(PREFIX) || NAMES.includes(name)) return [];
    const meant = nearest(name, NAMES);
    return [
      {
        label,
        says: `no such label, it does nothing${meant === undefined ? '' : `: did you mean ${meant}?`}`,
      },
    ];
  });
}

function changeOf(
  { object, origin }: Declared,
  pods: readonly PodSubject[],
  level: Level,
  from: number,
  to: number,
): Omit<WorkloadChange, 'mode' | 'by'>[] {
  const objectionsAt = (minor: number) =>
    pods.flatMap(({ metadata, spec }) =>
      evaluateDecoded({ metadata, spec }, level, minor).checks.filter(({ allowed }) => !allowed),
    );
  const [before, after] = [objectionsAt(from), objectionsAt(to)];
  const without = (list: typeof before, others: typeof before) =>
    list
      .filter(({ id, detail }) => !others.some(other => other.id === id && other.detail === detail))
      .map(({ id, detail }) => ({ id, detail }));
  const [added, removed] = [without(after, before), without(before, after)];
  if (added.length + removed.length === 0) return [];
  const verdict = ({ length }: typeof before) => (length === 0 ? 'allowed' : 'denied');
  return [
    {
      file: origin.file,
      line: origin.line,
      object: referenceOf(object),
      before: verdict(before),
      after: verdict(after),
      added,
      removed,
    },
  ];
}

function warningsOf(
  name: string,
  level: Level,
  from: string,
  to: string,
  pods: readonly PodSubject[],
): readonly string[] {
  const object = (version: string) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { [`${PREFIX}enforce`]: level, [`${PREFIX}enforce-version`]: version } },
  });
  return admit(
    {
      operation: 'UPDATE',
      group: '',
      version: 'v1',
      resource: 'namespaces',
      kind: 'Namespace',
      namespace: name,
      name,
      object: object(to),
      oldObject: object(from),
    },
    {
      existingPods: pods.map(pod => ({
        metadata: { ...pod.metadata, name: referenceOf(pod.object).name },
        spec: pod.spec,
      })),
    },
  ).warnings;
}
