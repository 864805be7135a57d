/** From manifests and a configuration to a report: exceptions and the baseline applied, and themselves judged. */

import { idOf } from '#check/check.ts';
import type { Exception } from '#check/exception.ts';
import type { Finding, Report } from '#check/finding.ts';
import type { BaselineEntry } from '#judge/baseline.ts';
import { CUSTOM_PROFILE, permittedBy } from '#judge/custom-profiles.ts';
import { exceptionChecks } from '#judge/exception-checks.ts';
import { Exceptions, exceptionsIn, recordOf } from '#judge/exceptions.ts';
import { matchKnown } from '#judge/known.ts';
import { reportOf } from '#judge/report.ts';
import {
  type Asks,
  compareFindings,
  type Judged,
  type Judgement,
  judge,
  type Place,
  type Selected,
} from '#judge/scan.ts';
import { matchesGlob } from '#kube/glob.ts';
import { checks } from '#practices/index.ts';
import type { Manifests } from '#sources/manifests/manifests.ts';
import { folderOf, isChartName, isKustomizationName } from '#sources/manifests/recognise.ts';
import { World } from '#world/world.ts';
import type { Config } from './config.ts';

export interface Judging {
  readonly manifests: Manifests;
  readonly world: World;
  readonly selected: readonly Selected[];
  readonly exceptions: Exceptions;
  readonly judgement: Judgement;
  /** The places that no exception accepts. */
  readonly open: readonly Place[];
  accept(place: Place): Exception | undefined;
}

/** The day of the run, in UTC: an exception holds to the end of its last day. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/**
 * Judges, and asks of every failing place whether somebody excepted it.
 *
 * @param asks confines which check is asked about which object
 */
export async function judgeManifests(
  manifests: Manifests,
  selected: readonly Selected[],
  config: Config,
  kubernetesMinor: number,
  honored: readonly string[] = [],
  asks?: Asks,
): Promise<Judging> {
  const world = new World({ declared: manifests.declared, gaps: manifests.gaps, kubernetesMinor });
  const marks = manifests.comments.filter(({ tool }) => tool === undefined);
  const read = exceptionsIn(marks, checks);
  const foreign =
    honored.length === 0
      ? []
      : (await import('#judge/foreign-exceptions.ts')).foreignExceptions(
          manifests.declared,
          manifests.comments,
          honored,
          checks,
        );
  const exceptions = new Exceptions({
    exceptions: [...config.exceptions, ...read.exceptions, ...foreign],
    problems: read.problems,
    rules: config.exceptionRules,
    checks,
    today: today(),
  });
  const judgement = judge(world, selected, asks);
  const { podSecurityProfiles: profiles = [] } = config;
  const permitted =
    profiles.length > 0 && selected.some(({ check }) => idOf(check) === CUSTOM_PROFILE)
      ? permittedBy(world, profiles, config.exceptionRules)
      : () => undefined;
  const accepted = new Map<Place, Exception>();
  const open: Place[] = [];
  for (const place of judgement.places) {
    const exception = exceptions.accept(place) ?? permitted(place);
    if (exception === undefined) open.push(place);
    else accepted.set(place, exception);
  }
  return {
    manifests,
    world,
    selected,
    exceptions,
    judgement,
    open,
    accept: place => accepted.get(place),
  };
}

export interface ReportOfRun {
  readonly report: Report;
  readonly judged: Judged;
  /** Of the baseline: what is not there any more. */
  readonly gone: readonly BaselineEntry[];
}

/**
 * The report of what was judged.
 *
 * @param whole everything below the working directory was read, so an exception that excepts nothing is of no use
 */
export function reportOfRun(
  judging: Judging,
  baseline: readonly BaselineEntry[] | undefined,
  whole: boolean,
): ReportOfRun {
  const { manifests, selected, judgement, open } = judging;
  const known = matchKnown(open, baseline ?? []);
  const judged = judgement.gather(place => judging.accept(place) ?? known.accept(place));
  const own = exceptionFindings(judging, whole);
  const findings = [...judged.findings, ...own].sort(compareFindings);
  const excepted = judged.accepted.flatMap(({ finding, by }) =>
    'check' in by ? [{ finding, exception: recordOf(by as Exception) }] : [],
  );
  const report = reportOf({
    ...judged,
    findings,
    files: manifests.files.length,
    documents: manifests.files.reduce((sum, { documents }) => sum + documents, 0),
    objects: manifests.declared.length,
    selected:
      own.length === 0 ? selected : [...selected, ...exceptionChecks.map(check => ({ check, options: {} }))],
    excepted,
    ...(baseline === undefined ? {} : { known: judged.accepted.length - excepted.length }),
  });
  return { report, judged, gone: known.gone };
}

/** What is wrong with the exceptions themselves. */
export function exceptionFindings(judging: Judging, whole: boolean): Finding[] {
  const { exceptions, selected, manifests } = judging;
  const judged = wasJudged(judging);
  return exceptions.findings(
    new Set(selected.map(({ check }) => idOf(check))),
    exception =>
      (exception.source === 'comment' ||
        (exception.source === 'configuration' &&
          (whole || manifests.files.some(({ file }) => isConfinedTo(exception, file))))) &&
      judged(exception),
  );
}

function isConfinedTo({ scope }: Exception, file: string): boolean {
  return scope.file !== undefined && matchesGlob(scope.file, file);
}

/**
 * Whether all that an exception could be about was judged: of a file that could not be read, a chart that does not
 * render, a kustomization that was not built, nobody knows what it excepts.
 */
export function wasJudged(judging: Judging): (exception: Exception) => boolean {
  const unjudged = unjudgedOf(judging);
  return ({ check, source, scope, file }) => {
    if (source === 'comment') return !unjudged.isAt(check, name => name === file);
    if (scope.file === undefined) return !unjudged.isAny;
    return !unjudged.isAt(check, name => matchesGlob(scope.file!, name));
  };
}

interface Unjudged {
  /** Whether any file, or what it makes, was not judged. */
  readonly isAny: boolean;
  /** Whether a check could not judge something of the files that a question is about. */
  isAt(check: string, isAbout: (file: string) => boolean): boolean;
}

/** What could not be judged, by file: all of it, or by one check. */
export function unjudgedOf({ manifests, judgement }: Judging): Unjudged {
  const { unknowns } = judgement;
  if (unknowns.length === 0) return { isAny: false, isAt: () => false };
  const files = new Set(unknowns.flatMap(({ file, object }) => (object === undefined ? (file ?? []) : [])));
  const made = [...files].filter(file => isChartName(file) || isKustomizationName(file));
  const charts = made.filter(isChartName).map(file => folderOf(file));
  let written: ReadonlySet<string> | undefined;
  // What is not judged as it is written may be part of what could not be made.
  const isWritten = (file: string) => {
    written ??= new Set(manifests.declared.map(({ origin }) => origin.file));
    return written.has(file);
  };
  const isOpen = (file: string) =>
    files.has(file) ||
    charts.some(folder => folder === '' || file.startsWith(`${folder}/`)) ||
    (made.length > 0 && !isWritten(file));
  return {
    isAny: files.size > 0,
    isAt: (check, isAbout) =>
      unknowns.some(one => (one.check ?? check) === check && one.file !== undefined && isAbout(one.file)) ||
      manifests.files.some(({ file }) => isAbout(file) && isOpen(file)),
  };
}
