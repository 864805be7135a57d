/** JSON text of plain values with whole numbers beyond 2^53 written exactly. */

const raw = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/**
 * Two spaces of indentation and a final line break.
 *
 * @param value plain data; `bigint` is written as the number it is
 */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? raw(String(item)) : item), 2)}\n`;
}
