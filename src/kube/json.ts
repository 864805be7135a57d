/** JSON text of plain values with whole numbers beyond 2^53 written exactly. */

const raw = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** Invisible characters and those that turn the reading direction: JSON may hold them escaped, and terminals should not see them. */
const UNSEEN = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/**
 * Two spaces of indentation and a final line break.
 *
 * @param value plain data; `bigint` is written as the number it is
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? raw(String(item)) : item),
    2,
  );
  return `${text.replace(UNSEEN, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
