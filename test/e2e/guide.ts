/** Guides show what happens: their commands are run, one after the other, in a folder of their own. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from './program.ts';

export const root: string = resolve(import.meta.dirname, '../..');

/** What a terminal shows of one command; `> FILE` takes standard output away. */
function shown(folder: string, command: string): string {
  const [line = '', target] = command.split(' > ');
  const [program, ...words] = line.split(' ');
  if (program === 'ls') return `${readdirSync(join(folder, words[0]!)).sort().join('\n')}\n`;
  if (program === 'cat') return readFileSync(join(folder, words[0]!), 'utf8');
  if (program === 'head') {
    const lines = readFileSync(join(folder, words[1]!), 'utf8').split('\n');
    return `${lines.slice(0, -Number(words[0])).join('\n')}\n`;
  }
  assert.equal(program, 'sallyport', command);
  const { out, err } = run(folder, words);
  if (target !== undefined) writeFileSync(join(folder, target), out);
  return target === undefined ? err + out : err;
}

/** Whether a text is as it stands in a guide, where a line `…` stands for any lines. */
function isAsShown(text: string, guide: string): boolean {
  const parts = guide.split(/^…\n/m);
  let rest = text;
  for (const [index, part] of parts.entries()) {
    const at = rest.indexOf(part);
    if (at < 0 || (index === 0 && at > 0)) return false;
    rest = rest.slice(at + part.length);
  }
  return rest === '' || parts.at(-1) === '';
}

/**
 * Follows a guide: files whose first line is a comment with their name are written, commands are run and compared.
 *
 * @param after what the guide tells the reader to do with a file, by the command after which it does
 * @returns how many commands it has
 */
export function follow(
  name: string,
  folder: string,
  after: Readonly<Record<string, () => void>> = {},
): number {
  const guide = readFileSync(join(root, 'docs/guides', name), 'utf8');
  let commands = 0;
  for (const [, language = '', block = ''] of guide.matchAll(/^```([a-z]+)\n([\s\S]*?)^```$/gm)) {
    const file = /^# (\S+)\n/.exec(block);
    if (/^(?:yaml|csv)$/.test(language) && file !== null) writeFileSync(join(folder, file[1]!), block);
    if (language !== 'console') continue;
    for (const part of block.split(/^\$ /m).slice(1)) {
      const [command = '', ...lines] = part.split('\n');
      const expected = lines.join('\n');
      const actual = shown(folder, command);
      assert.ok(isAsShown(actual, expected), `${command} shows\n${actual}\nand the guide has\n${expected}`);
      commands++;
      after[command]?.();
    }
  }
  return commands;
}
