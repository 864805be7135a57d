/** Which checks are run, with which severity and options: profiles, names, practices and frameworks made one list. */
import { type Check, idOf, type OptionValues, type Profile } from '#check/check.ts';
import { formatReference } from '#check/frameworks.ts';
import type { Severity } from '#check/severity.ts';
import { asSelected, type Selected } from './scan.ts';

export interface Selection {
  /** `all` is every check that is not in preview. */
  readonly profile: Profile | 'all';
  /** Only these: ids, practices (`cicd`), or frameworks (`PSS`, `CIS 5.2.2`); they need not be in the profile. */
  readonly only: readonly string[];
  /** In addition to the profile. */
  readonly enable: readonly string[];
  /** Never these; the same words. */
  readonly skip: readonly string[];
  readonly severities: Readonly<Record<string, Severity>>;
  readonly options: Readonly<Record<string, OptionValues>>;
  /** Of a profile only the checks that this version of Sallyport had: an upgrade turns no pipeline red by surprise. */
  readonly version?: string;
}

/** The checks to run, in registry order. Words that match no check select nothing: see {@link unmatched}. */
export function select(checks: readonly Check[], selection: Selection): Selected[] {
  return checks
    .filter(check => isSelected(check, selection))
    .map(check => {
      const id = idOf(check);
      const { options } = asSelected(check);
      const severity = selection.severities[id];
      return {
        check,
        options: { ...options, ...selection.options[id] },
        ...(severity === undefined ? {} : { severity }),
      };
    });
}

function isSelected(check: Check, { profile, only, enable, skip, version }: Selection): boolean {
  if (skip.some(word => matches(check, word))) return false;
  if (only.length > 0) return only.some(word => matches(check, word));
  if (enable.some(word => matches(check, word))) return true;
  if (version !== undefined && compareVersions(check.since, version) > 0) return false;
  return check.stage !== 'preview' && (profile === 'all' || check.profiles.includes(profile));
}

/** Whether a word means this check: its id, its practice, its framework, or one control of it. */
export function matches(check: Check, word: string): boolean {
  const lower = word.toLowerCase();
  return (
    idOf(check) === lower ||
    check.practice === lower ||
    check.frameworks.some(
      reference =>
        reference.framework.toLowerCase() === lower || formatReference(reference).toLowerCase() === lower,
    )
  );
}

/** The words that mean no check at all: surely typing errors. */
export function unmatched(checks: readonly Check[], words: readonly string[]): string[] {
  return words.filter(word => !checks.some(check => matches(check, word)));
}

/** Of two versions like `1.2.3` the order; what is no number counts as nothing. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string) => version.split('.').map(part => Number.parseInt(part, 10) || 0);
  const [x, y] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) - (y[i] ?? 0);
  return 0;
}
