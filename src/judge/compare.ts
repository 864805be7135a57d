/** Compares two judged worlds: what came, what went, and what that means for security. */
import { looksAtOf } from '#check/check.ts';
import type { ComparedSide, Comparison, SecurityChange } from '#check/comparison.ts';
import type { Exception } from '#check/exception.ts';
import type { Excepted, Finding, Unknown } from '#check/finding.ts';
import { severities } from '#check/severity.ts';
import type { World } from '#world/world.ts';
import { changeKinds, kindOf } from './change-kinds.ts';
import { exceptionChanges, guardChanges } from './changes-of-guards.ts';
import { networkChanges } from './changes-of-network.ts';
import { podChanges } from './changes-of-pods.ts';
import { problemFingerprint, recordOf } from './exceptions.ts';
import { type Facet, facetsOf, isTouched } from './facets.ts';
import { fingerprintOf } from './hash.ts';
import { renamesOf, type SideFiles } from './renames.ts';
import { reportOf, version } from './report.ts';
import {
  type Accept,
  compareFindings,
  type Judged,
  type Judgement,
  type Place,
  type Selected,
} from './scan.ts';
import { matchSides, type Pairs, pairsOf } from './sides.ts';

/** The name of the comparison's form; its number changes when a reader of the old form would break. */
export const COMPARISON_SCHEMA = 'sallyport-comparison/1';

export interface Side {
  readonly name: string;
  readonly commit?: string;
  readonly world: World;
  readonly judgement: Judgement;
  /** The exception that accepts a place, if one does. */
  readonly accept: Accept;
  /** The places that no exception accepts. */
  readonly open: readonly Place[];
  readonly exceptions: readonly Exception[];
  /** What is wrong with the exceptions themselves. */
  readonly problems: readonly Finding[];
  /** Names the content of a file, or of what is rendered or built where that file stands: a change of it is a change. */
  contentOf(file: string): string;
  /** All files of the side, and their lines: for those that were renamed. Without them none was. */
  readonly files?: Pick<SideFiles, 'names' | 'linesOf'>;
}

/** Another view on the two sides, for example who may do what: asked where the change touches what it looks at. */
export interface View {
  readonly looksAt: readonly Facet[];
  /** @param unknown takes what the view could not work out: it shuts the gate, as what no check could judge does */
  view(base: Side, head: Side, pairs: Pairs, unknown: (one: Unknown) => void): readonly SecurityChange[];
}

export interface CompareOptions {
  readonly selected: readonly Selected[];
  /** Changes that are known from elsewhere: of the configuration. */
  readonly also?: readonly SecurityChange[];
  readonly views?: readonly View[];
}

export function compare(
  base: Side,
  head: Side,
  { selected, also = [], views = [] }: CompareOptions,
): Comparison {
  const pairs = pairsOf(base.world, head.world);
  const facets = facetsOf(base.world, head.world, pairs);
  const unseen: Unknown[] = [];
  const wasCalled = namesBefore(base, head);
  const all = inEnvironments([
    ...also,
    ...guardChanges(base.world, head.world, pairs),
    ...exceptionChanges(base.exceptions, head.exceptions, wasCalled),
    ...podChanges(base.world, head.world, pairs),
    ...networkChanges(base.world, head.world, pairs, facets),
    ...views.flatMap(({ looksAt, view }) =>
      isTouched(facets, looksAt) ? view(base, head, pairs, one => unseen.push(one)) : [],
    ),
  ]).sort(byWeight);
  const known = matchSides(head.open, base.open, head.world, base.world);
  const still = matchSides(base.open, head.open, base.world, head.world);
  const now = head.judgement.gather(place => head.accept(place) ?? known(place));
  const before = base.judgement.gather(place => base.accept(place) ?? still(place));
  const old = new Set(base.problems.map(({ fingerprint }) => fingerprint));
  const isNew = (one: Finding) =>
    !old.has(one.fingerprint) && !old.has(problemFingerprint(one.check, wasCalled(one.file), one.message));
  const added = [...now.findings, ...head.problems.filter(isNew)].sort(compareFindings);
  const changes = withoutEchoes(all, added);
  const excepted = newlyExcepted(head, base);
  const unknowns = [...newUnknowns(base, head, wasCalled), ...unseen];
  const worse = changes.filter(({ direction }) => direction === 'worse');
  const touched = [...pairs.changed, ...pairs.added, ...pairs.removed].map(pair => (pair.head ?? pair.base)!);
  const report = reportOf({
    findings: [...added, ...worse.map(asFinding)].sort(compareFindings),
    unknowns,
    workloads: touched.filter(({ object }) => head.world.isWorkload(object)).length,
    files: new Set(touched.map(({ origin }) => origin.file)).size,
    documents: touched.length,
    objects: touched.length,
    selected,
    excepted,
  });
  return {
    schema: COMPARISON_SCHEMA,
    version,
    base: described(base),
    head: described(head),
    objects: { added: pairs.added.length, removed: pairs.removed.length, changed: pairs.changed.length },
    changes,
    new: added,
    fixed: before.findings,
    unchanged: countUnchanged(now, pairs, facets),
    unknowns,
    excepted,
    report: { ...report, checks: [...report.checks, ...changeKinds] },
  };
}

/** What a file of the head was called in the base, where something is said of it by its name. */
function namesBefore(base: Side, head: Side): (file: string) => string {
  if (base.files === undefined || head.files === undefined) return file => file;
  const asked = new Set([
    ...head.exceptions.flatMap(({ file, scope }) => [file, scope.file ?? file]),
    ...head.problems.map(({ file }) => file),
    ...head.judgement.unknowns.flatMap(({ file }) => file ?? []),
  ]);
  const filesOf = ({ files, contentOf }: Side): SideFiles => ({ ...files!, contentOf });
  const renamed = renamesOf(filesOf(base), filesOf(head), asked);
  return file => renamed.get(file) ?? file;
}

/** Of the objects that changed, what was wrong with them before and still is: of the rest nobody needs to hear. */
function countUnchanged(
  { accepted, declared }: Judged,
  { changed }: Pairs,
  facets: ReadonlySet<Facet>,
): number {
  const heads = new Set(changed.map(pair => pair.head));
  return accepted.filter(
    ({ finding, by, check }) =>
      !('check' in by) &&
      heads.has(declared.get(finding)!) &&
      (isTouched(facets, ['network']) || !looksAtOf(check).includes('network')),
  ).length;
}

/**
 * Without what is said better elsewhere: a way up that a check found, and an account that a workload newly runs as
 * where what the account reaches is said too.
 */
function withoutEchoes(changes: readonly SecurityChange[], added: readonly Finding[]): SecurityChange[] {
  const key = ({ kind, namespace = '', name }: SecurityChange['object']) => `${kind} ${namespace}/${name}`;
  const found = new Set(
    added.flatMap(({ check, object }) => (check === 'authorization/escalation-path' ? [key(object)] : [])),
  );
  const identities = new Map<string, SecurityChange>();
  for (const change of changes)
    if (change.kind === 'authorization/new-identity' && change.direction === 'worse') {
      const known = identities.get(key(change.object));
      if (known === undefined || severities.indexOf(change.severity) < severities.indexOf(known.severity))
        identities.set(key(change.object), change);
    }
  return changes.filter(change => {
    if (change.direction !== 'worse') return true;
    if (change.kind === 'authorization/new-escalation') return !found.has(key(change.object));
    return change.kind !== 'authorization/new-identity' || identities.get(key(change.object)) === change;
  });
}

/** What several environments have in common is one change, which says where it is so if that is not everywhere. */
function inEnvironments(changes: readonly SecurityChange[]): SecurityChange[] {
  const groups = new Map<string, { readonly first: SecurityChange; readonly names: Set<string> }>();
  for (const change of changes) {
    const { kind, direction, object, file, line, column, path, text, environments = [] } = change;
    const key = JSON.stringify([kind, direction, object, file, line, column, path, text]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: change, names: new Set(environments) });
    else for (const name of environments) group.names.add(name);
  }
  return [...groups.values()].map(({ first: { environments: _, among = 0, ...change }, names }) =>
    names.size === 0 || names.size >= among
      ? change
      : {
          ...change,
          environments: [...names],
          text: `${change.text} (in ${[...names].join(', ')})`,
        },
  );
}

function described({ name, commit }: Side): ComparedSide {
  return { name, ...(commit === undefined ? {} : { commit }) };
}

/** What an exception accepts that was not there, or was not accepted, before. */
function newlyExcepted(head: Side, base: Side): Excepted[] {
  const exceptedBy = ({ judgement, accept }: Side) =>
    judgement.places.filter(place => accept(place) !== undefined);
  const before = matchSides(exceptedBy(head), exceptedBy(base), head.world, base.world);
  const { accepted } = head.judgement.gather(place =>
    before(place) === undefined ? head.accept(place) : { is: 'known' },
  );
  return accepted.flatMap(({ finding, by }) =>
    'check' in by ? [{ finding, exception: recordOf(by as Exception) }] : [],
  );
}

/**
 * Unknowns are the same by what is not known of whom; where it stands may move. What is not known of a whole file is
 * not known of its change either.
 */
function newUnknowns(base: Side, head: Side, wasCalled: (file: string) => string): Unknown[] {
  const key = ({ file, object, check, reason }: Unknown, name = file) =>
    JSON.stringify([name, object, check, reason]);
  const before = new Map<string, number>();
  for (const unknown of base.judgement.unknowns)
    before.set(key(unknown), (before.get(key(unknown)) ?? 0) + 1);
  return head.judgement.unknowns.filter(unknown => {
    const { file, object, check } = unknown;
    const name = file === undefined ? undefined : wasCalled(file);
    const own = key(unknown, name);
    const left = before.get(own) ?? 0;
    if (left > 0) before.set(own, left - 1);
    if (left === 0) return true;
    const isOfFile = file !== undefined && object === undefined && check === undefined;
    return isOfFile && base.contentOf(name!) !== head.contentOf(file);
  });
}

function byWeight(a: SecurityChange, b: SecurityChange): number {
  const rank = ({ direction, kind, severity }: SecurityChange) =>
    (direction === 'worse' ? 0 : direction === 'better' ? 100 : 200) +
    (kind === 'cicd/weakened-guard' ? 0 : 10) +
    severities.indexOf(severity);
  return rank(a) - rank(b) || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);
}

/** A change for the worse in the form of a finding, for formats that know nothing else. */
function asFinding(change: SecurityChange): Finding {
  const { kind, practice, severity, object, path, text, file, line, column, endLine, endColumn } = change;
  const { title, why, remediation } = kindOf(kind as Parameters<typeof kindOf>[0]);
  const region = { file, line, column, endLine, endColumn };
  return {
    check: kind,
    title,
    severity,
    practice,
    object,
    ...region,
    path,
    occurrences: [{ ...region, path }],
    message: text,
    why,
    remediation,
    frameworks: [],
    fingerprint: fingerprintOf([kind, object.kind, object.namespace ?? '', object.name, text].join('\0')),
  };
}
