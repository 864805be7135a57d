/** The guide to seccomp profiles shows what the program prints. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/guides/a-seccomp-profile-that-fits.md'), 'utf8');

describe('the guide to seccomp profiles', () => {
  const files = Object.fromEntries(
    [...guide.matchAll(/^`([\w.]+)`:\n\n```\w+\n([\s\S]*?\n)```$/gm)].map(([, name, text]) => [name!, text!]),
  );
  const folder = folderOf(files);
  const blocks = [...guide.matchAll(/^```console\n([\s\S]*?)\n```$/gm)].map(([, block]) => block!);

  it('has files and commands', () => {
    assert.deepEqual(Object.keys(files), ['old.json', 'strace.log', 'audit.log']);
    assert.equal(blocks.length, 6);
  });

  for (const block of blocks)
    for (const part of block.split(/^\$ sallyport /m).filter(text => text !== '')) {
      const [, command = '', shown = ''] = /^((?:.*\\\n)*.*)\n([\s\S]*)$/.exec(part) ?? [];
      const words = command.replaceAll('\\\n', ' ').trim().split(/\s+/);
      it(words.join(' '), () => {
        const at = words.indexOf('>');
        const { out, err } = run(folder, at < 0 ? words : words.slice(0, at));
        if (at >= 0) writeFileSync(join(folder, words[at + 1]!), out);
        assert.equal((at < 0 ? out + err : err).trimEnd(), shown.trimEnd());
      });
    }
});
