/** How wide text is on a terminal. */

const UNUSUAL = /[^ -~]/;
const ZERO = /^\p{M}$/u;

/** The first and last code points of ranges whose characters take two columns. Source: Unicode TR11, W and F. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x26aa, 0x26ab],
  [0x2705, 0x2705],
  [0x274c, 0x274e],
  [0x2753, 0x2755],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f7e0, 0x1f7eb],
  [0x1f900, 0x1f9ff],
  [0x1fa70, 0x1faff],
  [0x20000, 0x3fffd],
];

function columnsOf(character: string): number {
  if (!UNUSUAL.test(character)) return 1;
  const code = character.codePointAt(0)!;
  if (WIDE.some(([first, last]) => code >= first && code <= last)) return 2;
  return ZERO.test(character) ? 0 : 1;
}

/** The columns that a text without control characters takes. */
export function columns(text: string): number {
  if (!UNUSUAL.test(text)) return text.length;
  let sum = 0;
  for (const character of text) sum += columnsOf(character);
  return sum;
}

/** As much of the text as fits, its last column an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let shown = '';
  let sum = 0;
  for (const character of text) {
    sum += columnsOf(character);
    if (sum > width - 1) break;
    shown += character;
  }
  return `${shown}…`;
}

/** Beginning and end of the text as far as they fit, an ellipsis between: of names the end tells them apart. */
export function cutWithin(text: string, width: number): string {
  if (columns(text) <= width) return text;
  const half = Math.floor((width - 1) / 2);
  const backwards = (word: string): string => [...word].reverse().join('');
  const end = backwards(cut(backwards(text), half + 1)).slice(1);
  return `${cut(text, width - columns(end)).slice(0, -1)}…${end}`;
}
