/** Text as Go prints and sorts it: messages of Kubernetes are only equal where these are. */

/** The order of UTF-8 bytes, which is that of code points and not of UTF-16 units. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return isSurrogate(x) !== isSurrogate(y) ? (isSurrogate(x) ? 1 : -1) : x - y;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** Of Go's quoted texts. Source: strconv/quote.go (appendEscapedRune). */
export const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Go's %q. Source: strconv/quote.go. */
export function quoted(text: string): string {
  let result = '"';
  for (const character of text) {
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) result += short;
    else if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) result += character;
    else {
      const code = character.codePointAt(0)!;
      if (code < 0x80) result += `\\x${code.toString(16).padStart(2, '0')}`;
      else if (code < 0x10000) result += `\\u${code.toString(16).padStart(4, '0')}`;
      else result += `\\U${code.toString(16).padStart(8, '0')}`;
    }
  }
  return `${result}"`;
}

const SPACE = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** Go's strings.TrimSpace: a byte order mark is no space, and the control character NEL is. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text[start]!)) start++;
  while (end > start && SPACE.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/**
 * Without the escapes of a URL; undefined where one is broken. Bytes that are no UTF-8 stay bytes in Go, and are each
 * the replacement character here. Source: net/url/url.go (unescape).
 */
export function percentDecoded(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, run => {
    let decoded = '';
    for (let at = 0; at < run.length; ) {
      const lead = Number.parseInt(run.slice(at + 1, at + 3), 16);
      const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      try {
        decoded += decodeURIComponent(run.slice(at, at + 3 * length));
        at += 3 * length;
      } catch {
        decoded += '\ufffd';
        at += 3;
      }
    }
    return decoded;
  });
}

/** Several errors as one: alone plain, several in brackets, equal ones once. Source: apimachinery util/errors (Aggregate). */
export function joinErrors(errors: readonly string[]): string {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}

/** The byte offset of Go's TrimRight(text, "*") and HasPrefix: whether a path matches a pattern with trailing stars. */
export function matchesTrailingStars(pattern: string, path: string): boolean {
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''));
}

const TRUE: ReadonlySet<unknown> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE: ReadonlySet<unknown> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** What a text says to strconv.ParseBool; undefined for what is refused. */
export function parseBool(text: unknown): boolean | undefined {
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined;
}
