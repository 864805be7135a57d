/** Text from the input is hostile: it may hold escape sequences, line breaks and marks that turn the reading direction. */

// Control characters, and the marks that reorder or hide text (Unicode TR36, "Trojan Source").
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** One line of text in which nothing acts: what would is shown as `\\u001b`. */
export function safe(text: string): string {
  return text.replace(UNSAFE, character =>
    character === '\t'
      ? '  '
      : character === '\n'
        ? '\\n'
        : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
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
  const shown = name === '' ? '(no name)' : name;
  return safe(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${shown}`);
}

/** `1 finding`, `2 findings`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
