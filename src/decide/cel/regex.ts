/**
 * Regular expressions of RE2, in time linear in the text whatever the pattern: expressions and objects are hostile.
 */
import { RE2JS } from 're2js';

const MAX_KEPT = 500;
const compiled = new Map<string, RE2JS | string>();

/** The expression, or what is wrong with it. */
function compile(pattern: string): RE2JS | string {
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    try {
      regex = RE2JS.compile(pattern);
    } catch (error) {
      regex = (error as Error).message;
    }
    if (compiled.size >= MAX_KEPT) compiled.clear();
    compiled.set(pattern, regex);
  }
  return regex;
}

/** What is wrong with a pattern, or undefined. */
export function regexIssue(pattern: string): string | undefined {
  const regex = compile(pattern);
  return typeof regex === 'string' ? regex : undefined;
}

export function regexMatches(pattern: string, text: string): boolean {
  const regex = compile(pattern);
  return typeof regex !== 'string' && regex.test(text);
}

/** The first matches, from left to right; all of them where the limit is negative. */
export function regexFind(pattern: string, text: string, limit: number): string[] {
  const regex = compile(pattern);
  const found: string[] = [];
  if (typeof regex === 'string') return found;
  const matcher = regex.matcher(text);
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}
