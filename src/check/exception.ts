/** Exceptions as records: who accepts what, where exactly, why, and until when. */

/** What an exception is confined to; every word that is stated must fit. */
export interface ExceptionScope {
  /** A path as reports show it, with `*`, `?` and `**`; a folder means all below it. */
  readonly file?: string;
  /** `Kind/name`; both may hold `*`. */
  readonly object?: string;
  readonly namespace?: string;
  readonly container?: string;
  /** A path in the object, and all below it: `spec.template.spec.volumes[*].hostPath`. */
  readonly field?: string;
  readonly environment?: string;
  /** Lines of the file, for a comment: the first and the last of what it stands at. */
  readonly lines?: readonly [from: number, to: number];
}

/** What reports say of an exception. */
export interface ExceptionRecord {
  /** `practice/name`. */
  readonly check: string;
  readonly reason: string;
  readonly owner: string;
  /** The last day on which it holds: `2027-01-31`. */
  readonly until?: string;
  readonly ticket?: string;
  /** `comment` beside the object, `configuration` in sallyport.yaml, or the tool whose mark was honoured. */
  readonly source: string;
  readonly file: string;
  readonly line: number;
}

export interface Exception extends ExceptionRecord {
  readonly column: number;
  readonly scope: ExceptionScope;
}

/** How exceptions may be stated. */
export interface ExceptionRules {
  /** The longest time from today to its end, in days; none where absent. */
  readonly maxDays?: number;
  /** Every exception must say until when it holds. */
  readonly expiry: 'required' | 'optional';
  /** Checks that nobody may except, beside those that say so themselves. */
  readonly nonBypassable: readonly string[];
}

export const defaultRules: ExceptionRules = { expiry: 'optional', nonBypassable: [] };

/** Something that looks like an exception and is none. */
export interface ExceptionProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
}
