/** Text from the input is hostile: it may hold escape sequences, line breaks and marks that turn the reading direction. */

/**
 * Control and format characters, line separators, halves of surrogate pairs, private and non-characters, and letters
 * and selectors that show nothing. Source: Unicode TR36 and TR39, and "Trojan Source" (CVE-2021-42574).
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\u180b-\u180d]|\u180f|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu;

/** Nearly all text is printable ASCII without `#`, and needs no second look. */
const UNUSUAL = /[^ -"$-~]/;

/**
 * A log of a CI system is read by its runner: `##[…]` is a command to GitHub's and `##vso[…]` to Azure's wherever it
 * stands in a line, `##teamcity[…]` to TeamCity. Source: actions/runner, ActionCommand.cs (TryParse).
 */
const COMMAND_MARK = /#(?=#(?:\[|vso\[|teamcity\[))/gi;

/** One line of text in which nothing acts: what would is shown as `\\u001b`. */
export function safe(text: string): string {
  if (!UNUSUAL.test(text)) return text;
  return text.replace(UNSAFE, shown).replace(COMMAND_MARK, shown);
}

function shown(character: string): string {
  if (character === '\t') return '  ';
  if (character === '\n') return '\\n';
  const hex = character.codePointAt(0)!.toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/** The beginning of a text that may be of any length, for places where a line is read and not a book. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  // Not half a character at the end.
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** `Deployment shop/cart`, as every format names an object. */
export function objectName({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string {
  const shownName = name === '' ? '(no name)' : name;
  return safe(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${shownName}`);
}

/** `1 finding`, `2 findings`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
