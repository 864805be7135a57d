/** Patterns of `.Files.Glob` as gobwas/glob reads them with `/` as separator: `**` crosses folders, braces choose. */

const MAX_PATTERN = 1000;
/** More stars than this would cost too much time: such a pattern matches nothing. */
const MAX_STARS = 12;

/** A matcher; a pattern that is none matches everything, as helm falls back to `**`. */
export function globMatcher(pattern: string): (name: string) => boolean {
  const source = pattern.length > MAX_PATTERN ? undefined : translate(pattern);
  if (source === undefined) return () => true;
  if ((source.match(/\*/g) ?? []).length > MAX_STARS) return () => false;
  const expression = new RegExp(`^${source}$`, 'su');
  return name => expression.test(name);
}

function translate(pattern: string): string | undefined {
  let result = '';
  let braces = 0;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') {
      if (pattern[at + 1] === '*') {
        while (pattern[at + 1] === '*') at++;
        result += '.*';
      } else result += '[^/]*';
    } else if (character === '?') result += '[^/]';
    else if (character === '{') {
      braces++;
      result += '(?:';
    } else if (character === '}') {
      if (braces === 0) return undefined;
      braces--;
      result += ')';
    } else if (character === ',' && braces > 0) result += '|';
    else if (character === '[') {
      const close = pattern.indexOf(']', at + 2);
      if (close < 0) return undefined;
      const inner = pattern.slice(at + 1, close);
      const negated = inner.startsWith('!');
      result += `[${negated ? '^' : ''}${(negated ? inner.slice(1) : inner).replace(/[\\\\\]^]/g, '\\$&')}]`;
      at = close;
    } else if (character === '\\') {
      at++;
      result += (pattern[at] ?? '').replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    } else result += character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  }
  return braces === 0 ? result : undefined;
}
