/** Puts together what a report says: the judged world, what was read, and which checks were asked. */
import { type Check, idOf } from '#check/check.ts';
import type { CheckDescription, Excepted, Finding, Report, Summary, Unknown } from '#check/finding.ts';
import { formatReference } from '#check/frameworks.ts';
import { type Severity, severities } from '#check/severity.ts';
import type { Selected } from './scan.ts';

/** The version of Sallyport: package.json says the same, and a test sees to it. */
export const version = '0.1.0';

/** The name of the report's form; its number changes when a reader of the old form would break. */
export const REPORT_SCHEMA = 'sallyport-report/1';

export interface ReportInput {
  readonly findings: readonly Finding[];
  readonly unknowns: readonly Unknown[];
  readonly workloads: number;
  readonly files: number;
  readonly documents: number;
  readonly objects: number;
  readonly selected: readonly Selected[];
  readonly excepted?: readonly Excepted[];
  readonly known?: number;
}

export function reportOf(input: ReportInput): Report {
  const counts = Object.fromEntries(severities.map(severity => [severity, 0])) as Record<Severity, number>;
  for (const { severity } of input.findings) counts[severity]++;
  const summary: Summary = {
    files: input.files,
    documents: input.documents,
    objects: input.objects,
    workloads: input.workloads,
    findings: counts,
    unknowns: input.unknowns.length,
  };
  return {
    schema: REPORT_SCHEMA,
    version,
    summary,
    findings: input.findings,
    unknowns: input.unknowns,
    ...(input.excepted === undefined || input.excepted.length === 0 ? {} : { excepted: input.excepted }),
    ...(input.known === undefined ? {} : { known: input.known }),
    // Few formats tell what every check is about, and the program may not have read their words yet.
    get checks() {
      return input.selected.map(({ check, severity }) => describe(check, severity));
    },
  };
}

export function describe(check: Check, severity?: Severity): CheckDescription {
  return {
    id: idOf(check),
    practice: check.practice,
    title: check.title,
    severity: severity ?? check.severity,
    why: check.why,
    remediation: check.remediation,
    frameworks: check.frameworks.map(formatReference),
    since: check.since,
  };
}
