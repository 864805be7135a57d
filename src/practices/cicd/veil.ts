/**
 * Lines of the user's files as reports may show them: what looks like a secret is covered but for its first characters,
 * whatever the finding beside it is about, and whether or not a check found it. The length stays, and with it every
 * column.
 */
import { formatsIn, isSecretName, passwordInUrl, secretIn } from './secrets.ts';

/** A longer line is not shown at all: nobody reads it, and a minified file would be searched once a finding. */
const LONGEST = 50_000;
/** How far up and down a secret's kind or the begin of its key is looked for. */
const FAR = 400;
/** How many lines apart the name and the value of one environment variable stand. */
const NEAR = 3;

/** A word of every name that means a secret: most lines hold none, and need no search for pairs. */
const MAY_NAME_SECRET = /pass|pwd|secret|key|token|credential/i;

const VALUE = String.raw`(?:"(?<double>[^"]{1,4096})"|'(?<single>[^']{1,4096})'|(?<plain>[^\s"',{}[\]][^\s"',}\]]{0,4095}))`;
const NAME = String.raw`["']?(?<name>[A-Za-z][\w.-]{0,80})["']?`;
const SPACE = String.raw`[ \t]{0,8}`;

/** `password: x`, `"password": "x"`, `password=x`. */
const PAIR = new RegExp(`${NAME}${SPACE}[:=]${SPACE}${VALUE}`, 'dg');
/** `name: PASSWORD, value: x`, and the other way round. */
const ENTRY = new RegExp(
  `["']?name["']?${SPACE}:${SPACE}${NAME}${SPACE},${SPACE}["']?value["']?${SPACE}:${SPACE}${VALUE}`,
  'dg',
);
const TURNED = new RegExp(
  `["']?value["']?${SPACE}:${SPACE}${VALUE}${SPACE},${SPACE}["']?name["']?${SPACE}:${SPACE}${NAME}`,
  'dg',
);
/** `--password x`, `"--password", "x"`. */
const FLAG = new RegExp(`--?(?<name>[A-Za-z][\\w.-]{1,80})["']?[ \\t,]{1,8}${VALUE}`, 'dg');
const PATTERNS = [PAIR, ENTRY, TURNED, FLAG];
/** `value: x` on a line of its own. */
const OWN_VALUE = new RegExp(
  `^[ \\t]*(?:-[ \\t]+)?["']?value["']?${SPACE}:${SPACE}(?<value>\\S.*?)[ \\t,]*$`,
  'd',
);
const OWN_NAME =
  /^[ \t]*(?:-[ \t]+)?["']?name["']?[ \t]{0,8}:[ \t]{0,8}["']?([\w.-]{1,80})["']?[ \t,]*(?:#.*)?$/;
const OWN_FLAG = /^[ \t]*-[ \t]+["']?--?([A-Za-z][\w.-]{1,80})["']?[ \t,]*$/;
const KEY_OF_BLOCK = /^[ \t]*(?:-[ \t]+)?["']?([\w.-]{1,80})["']?[ \t]*:[ \t]*[|>][-+0-9]*[ \t]*(?:#.*)?$/;
const URL_PASSWORD = /:\/\/[^\s:/@]{0,100}:(?<value>[^\s/@]{1,200})@/dg;
/** `Authorization: Bearer x`. */
const BEARER = /\b(?:Bearer|Basic)[ \t]{1,8}(?<value>[\w.~+/=-]{8,4096})/dg;
const KIND = /^[ \t]*(?:-[ \t]+)?["']?kind["']?[ \t]*:[ \t]*["']?(\w+)/;
/** What a Secret says of itself; everything else of it is its content. */
const OF_SECRETS =
  /^[ \t]*(?:-[ \t]+)?(?:#.*|---.*|["']?(?:apiVersion|kind|name|namespace|type|immutable|generateName)["']?[ \t]*:[^{]*|["']?(?:metadata|data|stringData|labels|annotations)["']?[ \t]*:[ \t]*)?$/;

/**
 * One line of a text, its secrets covered.
 *
 * @param at from 0
 * @returns undefined where the whole line is better not shown
 */
export function veiledLine(lines: readonly (string | undefined)[], at: number): string | undefined {
  const line = lines[at];
  if (line === undefined || line.length > LONGEST || isInKey(lines, at)) return undefined;
  if (isInSecret(lines, at) && !OF_SECRETS.test(line)) return undefined;
  const covered: [from: number, to: number][] = [...formatsIn(line)];
  for (const pattern of MAY_NAME_SECRET.test(line) ? PATTERNS : [])
    for (const match of line.matchAll(pattern)) {
      const { name } = match.groups!;
      const group = ['double', 'single', 'plain'].find(one => match.groups![one] !== undefined)!;
      if (isSecret(name!, match.groups![group]!)) covered.push(match.indices!.groups![group]!);
    }
  for (const match of line.matchAll(BEARER)) covered.push(match.indices!.groups!['value']!);
  for (const match of line.matchAll(URL_PASSWORD))
    if (passwordInUrl(line) !== undefined) covered.push(match.indices!.groups!['value']!);
  const own = ownValue(lines, at);
  if (own !== undefined) covered.push(own);
  return covered.reduce((text, [from, to]) => cover(text, from, to), line);
}

/** Where a whole line is a secret for what stands above or below it. */
function ownValue(
  lines: readonly (string | undefined)[],
  at: number,
): [from: number, to: number] | undefined {
  const line = lines[at]!;
  const value = OWN_VALUE.exec(line);
  if (value !== null) {
    const text = value.groups!['value']!.replace(/^["']|["']$/g, '');
    for (let near = at - NEAR; near <= at + NEAR; near++) {
      const name = OWN_NAME.exec(lines[near] ?? '')?.[1];
      if (name !== undefined && isSecret(name, text)) return value.indices!.groups!['value'];
    }
  }
  const start = line.search(/\S/);
  if (start < 0) return undefined;
  const item: [number, number] = [
    start + (/^-[ \t]+/.exec(line.slice(start))?.[0].length ?? 0),
    line.trimEnd().length,
  ];
  const flag = OWN_FLAG.exec(lines[at - 1] ?? '')?.[1];
  if (flag !== undefined && isSecret(flag, line.slice(...item).replace(/^["']|["']$/g, ''))) return item;
  for (let above = at - 1; above >= Math.max(0, at - FAR); above--) {
    const parent = lines[above];
    if (parent === undefined || parent.trim() === '' || parent.search(/\S/) >= start) continue;
    const key = KEY_OF_BLOCK.exec(parent)?.[1];
    return key !== undefined && isSecretName(key) ? [start, line.trimEnd().length] : undefined;
  }
  return undefined;
}

function isSecret(name: string, value: string): boolean {
  return isSecretName(name) && secretIn(name, value) !== undefined;
}

/** Between the first and the last line of a private key. */
function isInKey(lines: readonly (string | undefined)[], at: number): boolean {
  for (let above = at; above >= Math.max(0, at - FAR); above--) {
    const line = lines[above] ?? '';
    if (!line.includes('-----')) continue;
    if (above < at && /-----END [A-Z ]{0,40}-----/.test(line)) return false;
    if (/-----BEGIN [A-Z ]{0,40}PRIVATE KEY/.test(line)) return true;
  }
  return false;
}

function isInSecret(lines: readonly (string | undefined)[], at: number): boolean {
  const nearest = (step: number): boolean => {
    for (let i = at; i >= 0 && i < lines.length && Math.abs(i - at) < FAR; i += step) {
      const line = lines[i] ?? '';
      if (i !== at && line.startsWith('---')) return false;
      if (!line.includes('kind')) continue;
      const kind = KIND.exec(line)?.[1];
      if (kind !== undefined) return kind === 'Secret';
      if (/["']?kind["']?[ \t]*:[ \t]*["']?Secret\b/.test(line)) return true;
    }
    return false;
  };
  return nearest(-1) || nearest(1);
}

/** Four characters at most, and never more than a third of it, stay. */
function cover(text: string, from: number, to: number): string {
  const shown = Math.min(4, Math.floor((to - from) / 3));
  return text.slice(0, from + shown) + '•'.repeat(to - from - shown) + text.slice(to);
}
