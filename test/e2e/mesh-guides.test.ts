/** The guides to zero trust and to strict mutual TLS show what happens: their files and commands, one after the other. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');

/** What a terminal shows of one command; `> FILE` takes standard output away. */
function shown(folder: string, command: string): string {
  const [line = '', target] = command.split(' > ');
  const [program, ...words] = line.split(' ');
  if (program === 'ls') return `${readdirSync(join(folder, words[0]!)).sort().join('\n')}\n`;
  if (program === 'cat') return readFileSync(join(folder, words[0]!), 'utf8');
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

describe('the guides of the mesh', () => {
  for (const name of ['zero-trust-in-an-afternoon.md', 'from-permissive-to-strict-mtls.md'])
    it(name, () => {
      const folder = folderOf({});
      cpSync(join(root, 'examples/online-shop'), join(folder, 'online-shop'), { recursive: true });
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
          assert.ok(
            isAsShown(actual, expected),
            `${command} shows\n${actual}\nand the guide has\n${expected}`,
          );
          commands++;
        }
      }
      assert.ok(commands >= 4);
    });
});
