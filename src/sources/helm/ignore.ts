/** `.helmignore`: pkg/ignore/rules.go of helm, which is not quite what Git does with such a file. */
import { GoError } from './value.ts';

interface Rule {
  readonly matches: (path: string) => boolean;
  readonly negate: boolean;
  readonly mustBeFolder: boolean;
}

/** Whether a file, or a folder above it, is left out. */
export function ignoreRules(text: string): (path: string) => boolean {
  const rules = [...text.replace(/^\ufeff/, '').split('\n'), 'templates/.?*']
    .map(parseRule)
    .filter(rule => rule !== undefined);
  const ignored = (path: string, isFolder: boolean): boolean => {
    for (const rule of rules) {
      if (rule.negate) {
        if (rule.mustBeFolder && !isFolder) return true;
        if (!rule.matches(path)) return true;
        continue;
      }
      if (rule.mustBeFolder && !isFolder) continue;
      if (rule.matches(path)) return true;
    }
    return false;
  };
  const folders = new Map<string, boolean>();
  const isFolderIgnored = (folder: string): boolean => {
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const above = folder.lastIndexOf('/');
    const result = (above > 0 && isFolderIgnored(folder.slice(0, above))) || ignored(folder, true);
    folders.set(folder, result);
    return result;
  };
  return path => {
    const above = path.lastIndexOf('/');
    return (above > 0 && isFolderIgnored(path.slice(0, above))) || ignored(path, false);
  };
}

function parseRule(line: string): Rule | undefined {
  let rule = line.trim();
  if (rule === '' || rule.startsWith('#')) return undefined;
  if (rule.includes('**')) throw new GoError('double-star (**) syntax is not supported');
  if (!isPattern(rule)) throw new GoError('syntax error in pattern');
  const negate = rule.startsWith('!');
  if (negate) rule = rule.slice(1);
  const mustBeFolder = rule.endsWith('/');
  if (mustBeFolder) rule = rule.replace(/\/$/, '');
  if (rule.startsWith('/')) {
    const pattern = fileMatcher(rule.slice(1));
    return { negate, mustBeFolder, matches: pattern };
  }
  const pattern = fileMatcher(rule);
  if (rule.includes('/')) return { negate, mustBeFolder, matches: pattern };
  return { negate, mustBeFolder, matches: path => pattern(path.slice(path.lastIndexOf('/') + 1)) };
}

function isPattern(pattern: string): boolean {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '\\' && ++at >= pattern.length) return false;
    if (pattern[at] === '[') {
      const close = pattern.indexOf(']', at + 2);
      if (close < 0) return false;
      at = close;
    }
  }
  return true;
}

/** filepath.Match: a star stays inside a folder's name. Linear in pattern times name. */
export function fileMatcher(pattern: string): (name: string) => boolean {
  // Nearly all patterns are a name, or a star and an ending.
  if (!/[*?[\\]/.test(pattern)) return name => name === pattern;
  const ending = pattern.slice(1);
  if (pattern.startsWith('*') && !/[*?[\\/]/.test(ending))
    return name => name.endsWith(ending) && !name.slice(0, name.length - ending.length).includes('/');
  const parts: (string | RegExp | '*')[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') {
      if (parts.at(-1) !== '*') parts.push('*');
    } else if (character === '?') parts.push(/^[^/]$/su);
    else if (character === '[') {
      const close = pattern.indexOf(']', at + 2);
      if (close < 0) return () => false;
      const inner = pattern.slice(at + 1, close);
      parts.push(
        new RegExp(
          `^[${inner.startsWith('^') ? '^' : ''}${inner.replace(/^\^/, '').replace(/[\\\]^[]/g, '\\$&')}]$`,
          'su',
        ),
      );
      at = close;
    } else if (character === '\\') {
      at++;
      parts.push(`=${pattern[at] ?? ''}`);
    } else parts.push(`=${character}`);
  }
  return name => {
    const characters = [...name];
    const one = (part: string | RegExp, character: string): boolean =>
      typeof part === 'string' ? part === `=${character}` : character !== '/' && part.test(character);
    let [p, c, star, mark] = [0, 0, -1, 0];
    while (c < characters.length) {
      if (p < parts.length && parts[p] !== '*' && one(parts[p]!, characters[c]!)) {
        p++;
        c++;
      } else if (p < parts.length && parts[p] === '*') {
        star = p++;
        mark = c;
      } else if (star >= 0 && characters[mark] !== '/') {
        p = star + 1;
        c = ++mark;
      } else return false;
    }
    while (parts[p] === '*') p++;
    return p === parts.length;
  };
}
