/** What judging yields: findings, what could not be judged, and the whole report. Plain data, ready for any format. */
import type { ObjectReference } from '#kube/objects.ts';
import type { Change } from './change.ts';
import type { ExceptionRecord } from './exception.ts';
import type { Practice } from './practices.ts';
import type { Severity } from './severity.ts';

/** A place in a file. Lines and columns count from 1; columns are UTF-16 code units; the end is exclusive. */
export interface Region {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** One offending place of a finding. */
export interface Occurrence extends Region {
  /** Inside the object: `spec.template.spec.containers[0].image`. */
  readonly path: string;
  /** The container's name, where the place lies in one. */
  readonly container?: string;
}

export interface Finding extends Region {
  /** `practice/name`. */
  readonly check: string;
  readonly title: string;
  readonly severity: Severity;
  readonly practice: Practice;
  readonly object: ObjectReference;
  /** The first offending place; all of them are in `occurrences`. */
  readonly path: string;
  readonly occurrences: readonly Occurrence[];
  readonly message: string;
  /** The place holds a secret: no report may show its text. */
  readonly sensitive?: true;
  readonly why: string;
  readonly remediation: string;
  /** For example `PSS baseline`, `CIS 5.2.2`. */
  readonly frameworks: readonly string[];
  /** Stays the same when lines move. 32 hexadecimal digits. */
  readonly fingerprint: string;
  readonly fix?: FindingFix;
}

export interface FindingFix {
  readonly title: string;
  readonly kind: 'safe' | 'review';
  /** At paths of the object. */
  readonly changes: readonly Change[];
}

/** Something that could not be judged. It is counted, shown, and fails the gate unless unknowns are allowed. */
export interface Unknown {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly object?: ObjectReference;
  readonly check?: string;
  readonly reason: string;
}

/** What a report says of a check that was run, so that formats need no registry. */
export interface CheckDescription {
  readonly id: string;
  readonly practice: Practice;
  readonly title: string;
  readonly severity: Severity;
  readonly why: string;
  readonly remediation: string;
  readonly frameworks: readonly string[];
  readonly since: string;
}

export interface Summary {
  readonly files: number;
  readonly documents: number;
  readonly objects: number;
  readonly workloads: number;
  readonly findings: Readonly<Record<Severity, number>>;
  readonly unknowns: number;
}

/** A finding that an exception took out of the report's own: it is listed, and fails nothing. */
export interface Excepted {
  readonly finding: Finding;
  readonly exception: ExceptionRecord;
}

export interface Report {
  readonly schema: string;
  /** The version of Sallyport. */
  readonly version: string;
  readonly summary: Summary;
  /** Sorted by file, line, column and check. */
  readonly findings: readonly Finding[];
  readonly unknowns: readonly Unknown[];
  /** What somebody takes upon himself. Absent where there is nothing. */
  readonly excepted?: readonly Excepted[];
  /** How many findings the baseline knows; they are not listed. Absent without a baseline. */
  readonly known?: number;
  /** The checks that were run. */
  readonly checks: readonly CheckDescription[];
}
