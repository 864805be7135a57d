/** Text broken into lines that fit a terminal of 80 columns. */

const WIDTH = 80;

/**
 * @param first what stands before the first line
 * @param next what stands before the others
 */
export function wrap(text: string, first: string, next: string): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = next + word;
    } else line = empty ? line + word : `${line} ${word}`;
    empty = false;
  }
  lines.push(line);
  return lines;
}
