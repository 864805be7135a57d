/**
 * Judges a world: walks it once, hands each check exactly the subject it names, and gathers what they say into one
 * finding per object and problem.
 */
import { type Check, type Context, idOf, looksAtOf, type OptionValues } from '#check/check.ts';
import type { Finding, Occurrence, Unknown } from '#check/finding.ts';
import { formatReference } from '#check/frameworks.ts';
import type { Severity } from '#check/severity.ts';
import { severities } from '#check/severity.ts';
import { unknown as notKnown, type Verdict } from '#check/verdict.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import {
  formatPath,
  groupOf,
  isRecord,
  type KubeObject,
  type Path,
  referenceOf,
  valueAt,
} from '#kube/objects.ts';
import type { Position } from '#world/origin.ts';
import type { ContainerSubject, PodSubject } from '#world/subjects.ts';
import { type Declared, kindKey, namespaceOf, type View, type World } from '#world/world.ts';
import { fingerprintOf } from './hash.ts';

/** A check with what the configuration makes of it. */
export interface Selected {
  readonly check: Check;
  /** Overrides the check's own severity. */
  readonly severity?: Severity;
  readonly options: OptionValues;
}

export interface Judged {
  readonly findings: readonly Finding[];
  readonly unknowns: readonly Unknown[];
  readonly workloads: number;
  /** Which declaration each finding is about. */
  readonly declared: ReadonlyMap<Finding, Declared>;
  /** Of a finding that several environments or objects made at one line: theirs, each of one object. */
  readonly parts: ReadonlyMap<Finding, readonly Finding[]>;
  /** What was accepted, by whom or what: it is no finding of the report, and no secret either. */
  readonly accepted: readonly Accepted[];
}

/** One offending place, before it is known whether anybody accepted it. */
export interface Place {
  readonly check: Check;
  readonly id: string;
  readonly declared: Declared;
  /** In the object. */
  readonly path: Path;
  /** The container's name, where the place lies in one. */
  readonly container?: string;
  /** What it is, in words that outlive moved lines, reordered lists and renamed files. 32 hexadecimal digits. */
  readonly identity: string;
  /** Where it stands; worked out once, when it is asked for. */
  readonly position: Position;
}

/** Says who or what accepts a place, in any words of its own; undefined where nobody does. */
export type Accept = (place: Place) => object | undefined;

/** A finding that is made of the places that one record accepted. */
export interface Accepted {
  readonly check: Check;
  readonly finding: Finding;
  readonly by: object;
}

/** Everything that failed, not yet gathered into findings. */
export interface Judgement {
  readonly places: readonly Place[];
  readonly unknowns: readonly Unknown[];
  readonly workloads: number;
  /** Makes findings of the places that nobody accepts. */
  gather(accept?: Accept): Judged;
}

/** A check with the defaults of its options. */
export function asSelected(check: Check): Selected {
  const options = Object.entries(check.options ?? {}).map(([name, option]) => [name, option.default]);
  return { check, options: Object.fromEntries(options) };
}

/** One failing subject of a check in one object. */
interface Failure {
  readonly evidence: unknown;
  readonly places: readonly FailedPlace[];
  readonly container?: ContainerSubject;
  /** Relative to the subject, with the way from there to the object: what a fix needs. */
  readonly at: readonly Path[];
  readonly pathOf: (path: Path) => Path;
  /** The evidence without what was accepted, where a pod was judged as a whole. */
  readonly without?: (accepted: readonly Place[], kept: readonly Place[]) => unknown;
  /** Places of the same failure that somebody accepted: no fix may touch them. */
  readonly spared?: readonly Path[];
}

/** All that failed of one check in one object, in some of its environments. */
interface Group {
  readonly one: Selected;
  readonly declared: Declared;
  readonly failures: Failure[];
}

type Groups = Map<Selected, Map<string, Group>>;

/** What a verdict says, in words. */
function signOf(check: Check, verdict: Verdict<unknown>): string {
  if (verdict.is !== 'fail') return JSON.stringify(verdict);
  const { evidence, at } = verdict;
  return JSON.stringify([check.severityOf?.(evidence), check.message(evidence), at]);
}

class FailedPlace implements Place {
  readonly id: string;
  readonly check: Check;
  readonly declared: Declared;
  readonly path: Path;
  readonly container?: string;
  #identity: string | undefined;
  #position: Position | undefined;

  constructor(check: Check, declared: Declared, path: Path, container: string | undefined) {
    this.check = check;
    this.id = idOf(check);
    this.declared = declared;
    this.path = path;
    if (container !== undefined) this.container = container;
  }

  get identity(): string {
    const { object } = this.declared;
    const { namespace, name } = referenceOf(object);
    this.#identity ??= fingerprintOf(
      [this.id, kindKey(object), namespace ?? '', name, stablePath(object, this.path)].join('\0'),
    );
    return this.#identity;
  }

  get position(): Position {
    this.#position ??= this.declared.origin.positionOf(this.path);
    return this.#position;
  }
}

/**
 * Judges every object of the world.
 *
 * @returns findings sorted by file, line, column and check; the gaps of the world are among the unknowns
 */
export function scan(world: World, selected: readonly Selected[], accept?: Accept): Judged {
  return judge(world, selected).gather(accept);
}

/** Whether a check is asked about an object: what nobody doubts need not be asked again. */
export type Asks = (one: Selected, declared: Declared) => boolean;

/**
 * Judges every object of the world, and leaves open what is accepted.
 *
 * @param asks confines the judgement; every check is asked about every object where it is absent
 */
export function judge(world: World, selected: readonly Selected[], asks?: Asks): Judgement {
  return new Scan(world, selected, asks).run();
}

class Scan {
  readonly #world: World;
  readonly #asks: Asks | undefined;
  readonly #byKind = new Map<string, Selected[]>();
  readonly #anyKind: Selected[] = [];
  readonly #ofPods: Selected[] = [];
  readonly #ofContainers: Selected[] = [];
  readonly #runs: (id: string) => boolean;
  readonly #contexts = new Map<Selected, Context>();
  /** Of the worlds of single environments. */
  readonly #contextsOf = new Map<World, Map<Selected, Context>>();
  readonly #looksAt = new Map<Selected, readonly string[]>();
  readonly #groups: Group[] = [];
  readonly #unknowns: Unknown[] = [];

  constructor(world: World, selected: readonly Selected[], asks: Asks | undefined) {
    this.#world = world;
    this.#asks = asks;
    const ids = new Set(selected.map(({ check }) => idOf(check)));
    this.#runs = id => ids.has(id);
    for (const one of selected) {
      this.#contexts.set(one, { world, options: one.options, runs: this.#runs });
      if (one.check.subject === 'pod') this.#ofPods.push(one);
      else if (one.check.subject === 'container') this.#ofContainers.push(one);
      else if (one.check.kinds === undefined) this.#anyKind.push(one);
      else
        for (const kind of one.check.kinds) {
          const list = this.#byKind.get(kind);
          if (list === undefined) this.#byKind.set(kind, [one]);
          else list.push(one);
        }
    }
  }

  run(): Judgement {
    for (const { file, line, column, object, reason } of this.#world.gaps)
      this.#unknowns.push({
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
        ...(object === undefined ? {} : { object: referenceOf(object) }),
        reason,
      });
    let workloads = 0;
    for (const declared of this.#world.declared) {
      if (this.#world.isWorkload(declared.object)) workloads++;
      this.#judge(declared);
    }
    this.#unknowns.sort(compareUnknowns);
    const unknowns = this.#unknowns;
    const groups = this.#groups;
    return {
      places: groups.flatMap(({ failures }) => failures.flatMap(({ places }) => places)),
      unknowns,
      workloads,
      gather: accept => ({ ...new Gathering(accept).all(groups), unknowns, workloads }),
    };
  }

  #judge(declared: Declared): void {
    const { object } = declared;
    const groups: Groups = new Map();
    const views = this.#world.viewsOf(declared);
    const asked = (list: readonly Selected[]): readonly Selected[] =>
      this.#asks === undefined ? list : list.filter(one => this.#asks!(one, declared));
    for (const one of asked(this.#byKind.get(kindKey(object)) ?? []))
      this.#ask(one, { object }, declared, views, groups);
    for (const one of asked(this.#anyKind)) this.#ask(one, { object }, declared, views, groups);
    const [ofPods, ofContainers] = [asked(this.#ofPods), asked(this.#ofContainers)];
    if ((ofPods.length > 0 || ofContainers.length > 0) && !this.#isOwnedHere(object, views)) {
      const { pods, refused } = podsOf(this.#world, object);
      for (const { path, reason } of refused) this.#unknown(declared, path, reason);
      for (const pod of pods) {
        for (const one of ofPods) this.#ask(one, pod, declared, views, groups, pod);
        for (const one of ofContainers)
          for (const container of pod.containers)
            if (!container.injected) this.#ask(one, container, declared, views, groups, pod, container);
      }
    }
    for (const of of groups.values()) this.#groups.push(...of.values());
  }

  /** A pod whose controller is in the input too is judged there: nobody needs to hear it twice. */
  #isOwnedHere(object: KubeObject, views: readonly View[]): boolean {
    const owners = object.metadata?.ownerReferences;
    if (!Array.isArray(owners)) return false;
    return owners.some(
      owner =>
        isRecord(owner) &&
        owner['controller'] === true &&
        typeof owner['apiVersion'] === 'string' &&
        views.every(
          ({ world }) =>
            world.find(
              `${groupOf(String(owner['apiVersion']))}/${String(owner['kind'])}`,
              namespaceOf(object),
              String(owner['name']),
            ) !== undefined,
        ),
    );
  }

  #context(one: Selected, world: World): Context {
    if (world === this.#world) return this.#contexts.get(one)!;
    let of = this.#contextsOf.get(world);
    if (of === undefined) {
      of = new Map();
      this.#contextsOf.set(world, of);
    }
    let context = of.get(one);
    if (context === undefined) {
      context = { world, options: one.options, runs: this.#runs };
      of.set(one, context);
    }
    return context;
  }

  /** The world that a check has to be given: what a view hides matters only to checks that would look at it. */
  #worldFor(one: Selected, { world, hidden }: View): World {
    if (hidden.size === 0) return world;
    // Asked for late: most checks are not read before there is something for them.
    let looksAt = this.#looksAt.get(one);
    if (looksAt === undefined) {
      looksAt = looksAtOf(one.check);
      this.#looksAt.set(one, looksAt);
    }
    return looksAt.some(what => !what.includes('/') || hidden.has(what)) ? world : this.#world;
  }

  #ask(
    one: Selected,
    subject: { readonly object: KubeObject } | PodSubject | ContainerSubject,
    declared: Declared,
    views: readonly View[],
    groups: Groups,
    pod?: PodSubject,
    container?: ContainerSubject,
  ): void {
    const [first] = views;
    if (views.length === 1) {
      const world = this.#worldFor(one, first!);
      this.#heard(one, this.#verdict(one, subject, world), world, declared, groups, pod, container);
      return;
    }
    // What is the same in several environments is said once, of all of them.
    const said = new Map<string, { verdict: Verdict<unknown>; world: World; environments: string[] }>();
    const answers = new Map<World, Verdict<unknown>>();
    for (const view of views) {
      const world = this.#worldFor(one, view);
      const verdict = answers.get(world) ?? this.#verdict(one, subject, world);
      answers.set(world, verdict);
      const sign = signOf(one.check, verdict);
      const same = said.get(sign);
      if (same === undefined) said.set(sign, { verdict, world, environments: [...view.environments!] });
      else same.environments.push(...view.environments!);
    }
    for (const { verdict, world, environments } of said.values()) {
      const of = said.size === 1 ? declared : { ...declared, environments };
      const heard =
        verdict.is === 'unknown' && said.size > 1
          ? notKnown(`${verdict.because} (in ${environments.join(', ')})`)
          : verdict;
      this.#heard(one, heard, world, of, groups, pod, container);
    }
  }

  #verdict(
    one: Selected,
    subject: { readonly object: KubeObject } | PodSubject | ContainerSubject,
    world: World,
  ): Verdict<unknown> {
    try {
      // The three lists were made by the checks' own word for their subject, so the types agree.
      return (one.check as Check<'object'>).evaluate(subject as never, this.#context(one, world));
    } catch (error) {
      return notKnown(`the check failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** @param world that the verdict is about */
  #heard(
    one: Selected,
    verdict: Verdict<unknown>,
    world: World,
    declared: Declared,
    groups: Groups,
    pod?: PodSubject,
    container?: ContainerSubject,
  ): void {
    if (verdict.is === 'unknown') {
      const path = container !== undefined && pod !== undefined ? pod.pathOf(container.path) : [];
      this.#unknown(declared, path, verdict.because, one);
    } else if (verdict.is === 'fail') {
      const base = container === undefined ? [] : container.path;
      const pathOf = (path: Path): Path =>
        pod === undefined ? path : pod.pathOf(base.length === 0 ? path : [...base, ...path]);
      let paths = (verdict.at.length === 0 ? [[]] : verdict.at).map(pathOf);
      if (pod?.partial === true) {
        // Only what the fragment states can be held against it: a controller fills in the rest.
        paths = paths.filter(path => valueAt(declared.object, path) !== undefined);
        if (paths.length === 0) return;
      }
      const failure: Failure = {
        evidence: verdict.evidence,
        places: paths.map(
          path => new FailedPlace(one.check, declared, path, (container ?? containerAt(pod, path))?.name),
        ),
        ...(container === undefined ? {} : { container }),
        at: verdict.at,
        pathOf,
        ...(pod !== undefined && container === undefined
          ? {
              without: (accepted, kept) => {
                const rest = withoutContainers(pod, accepted, kept);
                const again = (one.check as Check<'pod'>).evaluate(rest, this.#context(one, world));
                return again.is === 'fail' ? again.evidence : (verdict as { evidence: unknown }).evidence;
              },
            }
          : {}),
      };
      let of = groups.get(one);
      if (of === undefined) {
        of = new Map();
        groups.set(one, of);
      }
      const key = declared.environments?.join('\n') ?? '';
      const group = of.get(key);
      if (group === undefined) of.set(key, { one, declared, failures: [failure] });
      else group.failures.push(failure);
    }
  }

  #unknown({ object, origin }: Declared, path: Path, reason: string, one?: Selected): void {
    const { file, line, column } = origin.positionOf(path);
    this.#unknowns.push({
      file,
      line,
      column,
      object: referenceOf(object),
      ...(one === undefined ? {} : { check: idOf(one.check) }),
      reason,
    });
  }
}

/** Makes findings: one of what nobody accepted, and one for each who accepted something. */
class Gathering {
  readonly #accept: Accept | undefined;
  readonly #findings: Finding[] = [];
  readonly #accepted: Accepted[] = [];
  readonly #declared = new Map<Finding, Declared>();
  readonly #fingerprints = new Map<string, number>();

  constructor(accept: Accept | undefined) {
    this.#accept = accept;
  }

  all(groups: readonly Group[]): Pick<Judged, 'findings' | 'accepted' | 'declared' | 'parts'> {
    for (const group of groups)
      for (const [by, failures] of this.#split(group.failures)) {
        const finding = this.#finding(group.one, failures, group.declared, by !== undefined);
        if (by === undefined) this.#findings.push(finding);
        else this.#accepted.push({ check: group.one.check, finding, by });
        this.#declared.set(finding, group.declared);
      }
    const parts = new Map<Finding, readonly Finding[]>();
    const findings = mergeEnvironments(this.#findings, this.#declared, parts).sort(compareFindings);
    this.#accepted.sort((a, b) => compareFindings(a.finding, b.finding));
    return { findings, accepted: this.#accepted, declared: this.#declared, parts };
  }

  #split(failures: readonly Failure[]): ReadonlyMap<object | undefined, readonly Failure[]> {
    const accept = this.#accept;
    if (accept === undefined) return new Map([[undefined, failures]]);
    const parts = new Map<object | undefined, Failure[]>();
    for (const failure of failures)
      for (const [by, places] of Map.groupBy(failure.places, accept)) {
        const narrowed = places.length === failure.places.length ? failure : narrow(failure, places);
        const part = parts.get(by);
        if (part === undefined) parts.set(by, [narrowed]);
        else part.push(narrowed);
      }
    return parts;
  }

  #finding(one: Selected, failures: readonly Failure[], { object }: Declared, isAccepted: boolean): Finding {
    const { check } = one;
    const occurrences = failures
      .flatMap(({ places }): Occurrence[] =>
        places.map(({ path, position, container }) => ({
          ...position,
          path: formatPath(path),
          ...(container === undefined ? {} : { container }),
        })),
      )
      .toSorted((a, b) => a.line - b.line || a.column - b.column);
    const { path, container: _, ...region } = occurrences[0]!;
    const id = idOf(check);
    const reference = referenceOf(object);
    const fix = fixOf(check, failures);
    return {
      check: id,
      title: check.title,
      severity: one.severity ?? worst(check, failures),
      practice: check.practice,
      object: reference,
      ...region,
      path,
      occurrences,
      message: messageOf(check, failures),
      ...(check.sensitive === true ? { sensitive: true as const } : {}),
      why: check.why,
      remediation: check.remediation,
      frameworks: check.frameworks.map(formatReference),
      fingerprint: this.#fingerprint(
        [id, kindKey(object), reference.namespace ?? '', reference.name, ...placesOf(object, failures)].join(
          '\0',
        ),
        isAccepted,
      ),
      ...(fix === undefined ? {} : { fix }),
    };
  }

  /**
   * The same finding of an object that is declared twice gets a number: fingerprints are unique among what is open, and
   * among what is accepted. What is accepted does not change the others.
   */
  #fingerprint(identity: string, isAccepted: boolean): string {
    const key = isAccepted ? `accepted\0${identity}` : identity;
    const count = this.#fingerprints.get(key) ?? 0;
    this.#fingerprints.set(key, count + 1);
    return fingerprintOf(count === 0 ? identity : `${identity}\0${count}`);
  }
}

/** One part of a failure: as if the other places were in order. */
function narrow(failure: Failure, places: readonly FailedPlace[]): Failure {
  const others = failure.places.filter(place => !places.includes(place));
  return {
    ...failure,
    places,
    evidence: failure.without === undefined ? failure.evidence : failure.without(others, places),
    spared: others.map(({ path }) => path),
  };
}

function containerAt(pod: PodSubject | undefined, path: Path): ContainerSubject | undefined {
  return pod?.containers.find(container => isAtOrBelow(path, pod.pathOf(container.path)));
}

function isAtOrBelow(path: Path, above: Path): boolean {
  return above.length <= path.length && above.every((step, i) => path[i] === step);
}

/** What no control of the Pod Security Standards and no check of ours has anything against. */
const IN_ORDER = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** The pod with blameless containers in the place of those of which only accepted things are said. */
function withoutContainers(pod: PodSubject, accepted: readonly Place[], kept: readonly Place[]): PodSubject {
  const containers = new Map<string, ContainerSubject>();
  for (const one of pod.containers) {
    const path = pod.pathOf(one.path);
    const has = (places: readonly Place[]) => places.some(place => isAtOrBelow(place.path, path));
    if (!has(accepted) || has(kept)) continue;
    const { name, image } = one.container;
    containers.set(one.path.join('/'), {
      ...one,
      container: {
        ...(name === undefined ? {} : { name }),
        ...(image === undefined ? {} : { image }),
        securityContext: IN_ORDER,
      },
    });
  }
  if (containers.size === 0) return pod;
  const replaced = (field: 'initContainers' | 'containers' | 'ephemeralContainers') => {
    const list = pod.spec[field];
    if (list === undefined) return {};
    return {
      [field]: list.map((own, i) => containers.get(['spec', field, i].join('/'))?.container ?? own),
    };
  };
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...replaced('initContainers'),
      ...replaced('containers'),
      ...replaced('ephemeralContainers'),
    },
    containers: pod.containers.map(one => containers.get(one.path.join('/')) ?? one),
    pathOf: path => pod.pathOf(path),
  };
}

/**
 * What several environments make of one line is one finding, with those that have it: there is one place to mend. Where
 * all of them have it, as with a scan of one overlay, nothing need be said.
 */
function mergeEnvironments(
  findings: readonly Finding[],
  declared: Map<Finding, Declared>,
  parts: Map<Finding, readonly Finding[]>,
): Finding[] {
  const groups = new Map<string, { readonly of: Finding[]; readonly environments: Set<string> }>();
  const result: Finding[] = [];
  for (const finding of findings) {
    const { environments } = declared.get(finding) ?? {};
    if (environments === undefined) {
      result.push(labelled(finding, declared, undefined));
      continue;
    }
    const { check, file, line, column, path, message } = finding;
    const key = JSON.stringify([check, file, line, column, path, message]);
    const group = groups.get(key) ?? { of: [], environments: new Set<string>() };
    groups.set(key, group);
    group.of.push(finding);
    for (const one of environments) group.environments.add(one);
  }
  for (const { of, environments } of groups.values()) {
    const first = of[0]!;
    const { among = 1 } = declared.get(first)!;
    const names = [...environments].map(one => (one === '' ? '.' : one)).join(', ');
    const merged = labelled(first, declared, environments.size < among ? `in ${names}` : undefined);
    if (of.length > 1) parts.set(merged, of);
    result.push(merged);
  }
  return result;
}

/** A finding that says where it holds, and that it is about a hook of Helm, which only runs at certain times. */
function labelled(
  finding: Finding,
  declared: Map<Finding, Declared>,
  environments: string | undefined,
): Finding {
  const of = declared.get(finding)!;
  const annotations = of.object.metadata?.annotations;
  const hook = isRecord(annotations) ? annotations['helm.sh/hook'] : undefined;
  const labels = [
    ...(typeof hook === 'string' && hook !== ''
      ? [`a ${hook.startsWith('test') ? 'test' : `${hook} hook`}`]
      : []),
    ...(environments === undefined ? [] : [environments]),
  ];
  if (labels.length === 0) return finding;
  const result = { ...finding, message: `${finding.message} (${labels.join(', ')})` };
  declared.set(result, of);
  return result;
}

function worst(check: Check, failures: readonly Failure[]): Severity {
  if (check.severityOf === undefined) return check.severity;
  const all = failures.map(({ evidence }) => severities.indexOf(check.severityOf!(evidence)));
  return severities[Math.min(...all)]!;
}

function fixOf(check: Check, failures: readonly Failure[]): Finding['fix'] {
  const { fix } = check;
  if (fix === undefined) return undefined;
  const changes = failures.flatMap(({ evidence, at, pathOf, spared = [] }) =>
    fix
      .changes(evidence, at)
      .map(change => ({ ...change, path: pathOf(change.path) }))
      .filter(({ path }) => !spared.some(other => isAtOrBelow(path, other))),
  );
  // Where one of the places cannot be mended by itself, mending the others would look like the whole cure.
  const whole = failures.every(({ evidence, at }) => fix.changes(evidence, at).length > 0);
  return whole ? { title: fix.title, kind: fix.kind, changes } : undefined;
}

const ROLES = { init: 'init container', container: 'container', ephemeral: 'ephemeral container' } as const;

/** What is wrong; for containers led by their names, those of which the same is said joined. */
function messageOf(check: Check, failures: readonly Failure[]): string {
  const said = new Map<string, Map<string, string[]>>();
  for (const { evidence, container } of failures) {
    const phrase = check.message(evidence);
    const roles = said.get(phrase) ?? new Map<string, string[]>();
    said.set(phrase, roles);
    if (container === undefined) continue;
    const role = ROLES[container.role];
    const names = roles.get(role) ?? [];
    roles.set(role, names);
    if (!names.includes(container.name)) names.push(container.name);
  }
  return [...said]
    .map(([phrase, roles]) => (roles.size === 0 ? phrase : `${whoIs(roles)}: ${phrase}`))
    .join('; ');
}

function whoIs(roles: ReadonlyMap<string, readonly string[]>): string {
  return [...roles]
    .map(
      ([role, names]) => `${role}${names.length > 1 ? 's' : ''} ${names.map(name => `"${name}"`).join(', ')}`,
    )
    .join(' and ');
}

/** Where a finding is, in words that outlive moved lines and reordered lists. */
function placesOf(object: KubeObject, failures: readonly Failure[]): string[] {
  const places = failures.flatMap(({ container, places }) =>
    container === undefined ? places.map(({ path }) => stablePath(object, path)) : [container.name],
  );
  return [...new Set(places)].sort();
}

/** A path with list indexes replaced by the names of the items, where they have one. */
function stablePath(object: KubeObject, path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'string') return step;
      const item = valueAt(object, path.slice(0, index + 1));
      const name = isRecord(item) ? item['name'] : item;
      return typeof name === 'string' ? name : String(step);
    })
    .join('\u0001');
}

export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.check, b.check)
  );
}

function compareUnknowns(a: Unknown, b: Unknown): number {
  return (
    compareText(a.file ?? '', b.file ?? '') ||
    (a.line ?? 0) - (b.line ?? 0) ||
    compareText(a.reason, b.reason)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
