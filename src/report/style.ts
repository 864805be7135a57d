/** Colours and line breaks of text for terminals. */
import { columns } from './columns.ts';

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'magenta';

/** The codes that begin and end a style. Source: ECMA-48, SGR. */
const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

export function styled(style: Style, text: string): string {
  const [on, off] = CODES[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** The lines of a text, none wider than `width`: broken at spaces, and within a word only where it is longer. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(' ').flatMap(word => pieces(word, width))) {
    const length = visible(word);
    if (line !== '' && used + 1 + length > width) {
      lines.push(line);
      line = '';
      used = 0;
    }
    used += line === '' ? length : length + 1;
    line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

/** The columns that a word takes, without the codes that colour it. */
function visible(word: string): number {
  return columns(word.includes('\u001b') ? word.replaceAll(/\u001b\[\d+m/g, '') : word);
}

function pieces(word: string, width: number): string[] {
  if (word.includes('\u001b') || columns(word) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const character of word) {
    const wide = columns(character);
    if (used + wide > width) {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += character;
    used += wide;
  }
  return [...parts, part];
}
