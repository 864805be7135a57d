/**
 * Patterns of values files: `*` and `?` within one part of a path, `[a-z]` and `{a,b}`, `**` for any folders. Source:
 * bmatcuk/doublestar v4, which Argo CD takes for `valueFiles`.
 */
import { globMatcher } from '#sources/helm/glob.ts';

/** More parts that stand for any folders than this would cost too much. */
const MOST_DEEP = 4;

export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** A matcher of whole paths; a pattern that is too deep matches nothing. */
export function matcherOf(pattern: string): (path: string) => boolean {
  const parts = pattern.split('/').filter((part, i, all) => part !== '**' || all[i - 1] !== '**');
  if (parts.filter(part => part === '**').length > MOST_DEEP) return () => false;
  const matchers = parts.map(part => (part === '**' ? undefined : globMatcher(part)));
  return path => {
    const names = path.split('/');
    const from = (part: number, name: number): boolean => {
      if (part === matchers.length) return name === names.length;
      const matches = matchers[part];
      if (matches !== undefined)
        return name < names.length && matches(names[name]!) && from(part + 1, name + 1);
      for (let skip = name; skip <= names.length; skip++) if (from(part + 1, skip)) return true;
      return false;
    };
    return from(0, 0);
  };
}
