/** JSON text that may be printed to a terminal or into the log of a CI system: the values stay, nothing acts. */
import { toJson } from '#kube/json.ts';

/** Beyond the characters that `toJson` escapes: what shows nothing, or hides text in tags. */
const UNSEEN =
  /[\u00ad\u115f\u1160\u180e\u3164\uffa0\ufffe\uffff]|\u034f|\u17b4|\u17b5|[\u180b-\u180d]|\u180f|[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]/gu;

/**
 * As `toJson`, with invisible characters escaped, and `##` written so that no runner takes `##[…]` in a text for a
 * command of its own (see safe.ts). A reader of JSON sees the same values: both marks stand only inside texts.
 */
export function jsonText(value: unknown): string {
  return toJson(value).replaceAll('##', '#\\u0023').replace(UNSEEN, escaped);
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at))}`).join('');
}

function hex(unit: number): string {
  return unit.toString(16).padStart(4, '0');
}
