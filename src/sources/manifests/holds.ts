/**
 * Whether a file may hold an object of certain kinds, told from its bytes without parsing them. It never says no where
 * there is one: what writes the words in any other way than the plain one (escapes, tags, anchors, templates, other
 * encodings) may hold anything.
 */
import { isAscii } from 'node:buffer';

/** What may stand between a key and its value: comments, and line breaks. */
const BETWEEN = String.raw`["']?(?:\s+#[^\n]*)?\s*:\s*(?:#[^\n]*\n\s*)*`;
/** A value that is not written plainly: an alias, a tag, an anchor, a block, an escape, a template. */
const ODD_VALUE = String.raw`(?:[&*!|>@%{\[]|"[^"\n]*\\|[^\n]*\{\{)`;
const ODD_VERSION = new RegExp(`apiVersion${BETWEEN}${ODD_VALUE}`);
const ESCAPED_KEY = /"[^"\n]*\\[xuU][^"\n]*"\s*:/;
const BROKEN_KEY = /^[ -]*\? +"[^"]*\\\r?\n/m;
/** Line breaks that only YAML knows: U+0085, U+2028, U+2029. */
const RARE_BREAK = /\xc2\x85|\xe2\x80[\xa8\xa9]/;
const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

/** Keys with escapes in them, characters of two bytes, rare line breaks: nearly no file has any. */
function isOdd(bytes: Buffer, text: string): boolean {
  return (
    bytes.includes(0) ||
    (bytes.includes('\\') && (ESCAPED_KEY.test(text) || (bytes.includes('? "') && BROKEN_KEY.test(text)))) ||
    (!isAscii(bytes) && RARE_BREAK.test(text))
  );
}

/**
 * @param kinds `group/Kind`
 * @returns a test of a file's bytes
 */
export function holderOf(kinds: Iterable<string>): (bytes: Buffer) => boolean {
  const list = [...kinds];
  const names = [...new Set(list.map(kind => kind.slice(kind.indexOf('/') + 1)))];
  const groups = [...new Set(list.map(kind => kind.slice(0, kind.indexOf('/'))))];
  const plain = names.map(name => name.replace(SPECIAL, '\\$&')).join('|');
  const wanted = new RegExp(`kind${BETWEEN}(?:["']?(?:${plain})|${ODD_VALUE})`);
  return bytes => {
    // The same bytes as characters: all that is looked for is ASCII.
    const text = bytes.toString('latin1');
    const mayBeOfGroup = groups.some(group => bytes.includes(group)) || ODD_VERSION.test(text);
    return (mayBeOfGroup && wanted.test(text)) || isOdd(bytes, text);
  };
}

/** Whether the file speaks of an object's owners: whether it is judged depends on whether these are there. */
export function speaksOfOwners(bytes: Buffer): boolean {
  return bytes.includes('ownerReferences') || isOdd(bytes, bytes.toString('latin1'));
}
