/**
 * What kinds of objects a file may hold, told from its bytes in one pass, without parsing them. A skim never says no
 * where there is one: what writes the words in any other way than the plain one (escapes, tags, anchors, aliases,
 * templates, other encodings) may hold anything.
 */
import { isAscii } from 'node:buffer';

/** What a file may hold. */
export interface Skim {
  /** It may hold any object: a word is not written plainly. */
  readonly any: boolean;
  /** It may hold objects of any group. */
  readonly anyGroup: boolean;
  /** Where not `any`: how the words behind `kind:` begin, as far as they are written without a break. */
  readonly kinds: readonly string[];
  /** The same behind `apiVersion:`. */
  readonly versions: readonly string[];
  /** It speaks of an object's owners: whether such an object is judged depends on whether these are there. */
  readonly owners: boolean;
  /** It speaks of containers, as every definition of a workload does. */
  readonly pods: boolean;
  /** It speaks of generators, as kustomizations do. */
  readonly generates: boolean;
}

/** What may stand between a key and its value: comments, and line breaks. */
const BETWEEN = String.raw`["']?(?:\s+#[^\n]*)?\s*:\s*(?:#[^\n]*\n\s*)*`;
/** A value that is not written plainly: an alias, a tag, an anchor, a block, an escape, a template. */
const ODD_VALUE = String.raw`[&*!|>@%{\[]|"[^"\n]*\\|[^\n]*\{\{`;
const LONGEST = 63;
const WORD = String.raw`["']?([^\s"',\]}]{0,${LONGEST}})`;
const STATED = new RegExp(`(kind|apiVersion)${BETWEEN}(?:(${ODD_VALUE})|${WORD})`, 'g');
const ESCAPED_KEY = /"[^"\n]*\\[xuU][^"\n]*"\s*:/;
const ESCAPES = ['\\x', '\\u', '\\U'];
const BROKEN_KEY = /^[ -]*\? +"[^"]*\\\r?\n/m;
/** A key that is an alias. */
const ALIASED_KEY = /(?:^|[\s,{[?-])\*[^\s,[\]{}]+\s+:/;
/** Line breaks that only YAML knows: U+0085, U+2028, U+2029. */
const RARE_BREAK = /\xc2\x85|\xe2\x80[\xa8\xa9]/;

const ANYTHING: Skim = {
  any: true,
  anyGroup: true,
  kinds: [],
  versions: [],
  owners: true,
  pods: true,
  generates: true,
};

/** Keys with escapes in them, characters of two bytes, rare line breaks: nearly no file has any. */
function isOdd(bytes: Buffer, text: string): boolean {
  return (
    text.includes('\0') ||
    (text.includes('\\') && (hasEscapedKey(text) || (text.includes('? "') && BROKEN_KEY.test(text)))) ||
    (text.includes('&') && text.includes('*') && ALIASED_KEY.test(text)) ||
    (!isAscii(bytes) && RARE_BREAK.test(text))
  );
}

/** Long texts in quotes, dashboards for example, are only searched where they hold such an escape. */
function hasEscapedKey(text: string): boolean {
  return ESCAPES.some(one => text.includes(one)) && ESCAPED_KEY.test(text);
}

/** Words as strings of their own: what is cut out of a text keeps all of the text. */
const words = new Map<string, string>();

function wordOf(cut: string): string {
  let word = words.get(cut);
  if (word === undefined) {
    word = Buffer.from(cut, 'latin1').toString('latin1');
    words.set(word, word);
  }
  return word;
}

export function skim(bytes: Buffer): Skim {
  // The same bytes as characters: all that is looked for is ASCII.
  const text = bytes.toString('latin1');
  if (isOdd(bytes, text)) return ANYTHING;
  const kinds = new Set<string>();
  const versions = new Set<string>();
  let anyGroup = false;
  STATED.lastIndex = 0;
  for (let found = STATED.exec(text); found !== null; found = STATED.exec(text)) {
    const [, key, odd, cut] = found;
    if (odd === undefined) (key === 'kind' ? kinds : versions).add(wordOf(cut!));
    else if (key === 'kind') return ANYTHING;
    else anyGroup = true;
  }
  return {
    any: false,
    anyGroup,
    kinds: [...kinds],
    versions: [...versions],
    owners: text.includes('ownerReferences'),
    pods: text.includes('containers'),
    generates: text.includes('Generator'),
  };
}

/** As much of a word as a skim holds of it. */
const BROKEN = new RegExp(String.raw`^[^\s"',\]}]{0,${LONGEST}}`);

/**
 * @param kinds `group/Kind`
 * @returns whether a file may hold an object of one of them; items of a list of them may say no kind of their own
 */
export function mayHold(kinds: Iterable<string>): (seen: Skim) => boolean {
  const list = [...kinds];
  const parts = (part: (kind: string) => string) => [
    ...new Set(list.map(kind => BROKEN.exec(part(kind))![0])),
  ];
  const isMeant = beginsWith(parts(kind => kind.slice(kind.indexOf('/') + 1)));
  const isOfGroup = beginsWith(parts(kind => kind.slice(0, kind.indexOf('/'))));
  return ({ any, anyGroup, kinds: own, versions }) =>
    any || (own.some(isMeant) && (anyGroup || versions.some(isOfGroup)));
}

/** The same few words are asked about again and again. */
function beginsWith(beginnings: readonly string[]): (word: string) => boolean {
  const known = new Map<string, boolean>();
  return word => {
    let answer = known.get(word);
    if (answer === undefined) {
      answer = beginnings.some(one => word.startsWith(one));
      known.set(word, answer);
    }
    return answer;
  };
}
