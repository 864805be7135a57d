/** The guide from the first scan to a gate shows what the program prints. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/guides/from-first-scan-to-a-gate.md'), 'utf8');
const sections = guide.split(/^## /m).slice(1);

const bin = folderOf({
  sallyport: `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/cli.cjs')}" "$@"\n`,
});
chmodSync(join(bin, 'sallyport'), 0o755);

function shell(folder: string, command: string): string {
  const { stdout } = spawnSync('sh', ['-c', `{ ${command}\n} 2>&1`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: {
      PATH: `${bin}:${process.env['PATH']}`,
      NO_COLOR: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com' },
      ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' },
    },
  });
  return stdout;
}

/** What is shown, with what moves with the day and the commit left out; `…` stands for whatever is between. */
function holds(printed: string, shown: string, command: string): void {
  const settled = (text: string) =>
    text
      .trim()
      .replace(/\(\d+ days\)/g, '(days)')
      .replace(/\b[0-9a-f]{12}\b|\b[0-9a-f]{40}\b/g, 'COMMIT');
  const parts = settled(shown).split(/\s*…\s*/);
  let rest = settled(printed);
  assert.ok(rest.startsWith(parts[0]!), `${command}:\n${printed}`);
  for (const part of parts) {
    const at = rest.indexOf(part);
    assert.ok(at >= 0, `${command} does not print\n${part}\nbut\n${printed}`);
    rest = rest.slice(at + part.length);
  }
  assert.ok(parts.at(-1) === '' || rest === '', `${command} prints more:\n${rest}`);
}

const example = (name: string) => readFileSync(join(root, 'examples/online-shop', name), 'utf8');

describe('the guide to a gate', () => {
  const folder = folderOf(
    Object.fromEntries(['cart.yaml', 'namespace.yaml', 'storefront.yaml'].map(name => [name, example(name)])),
  );
  const edit = (file: string, from: string | RegExp, to: string) => {
    const before = readFileSync(join(folder, file), 'utf8');
    const after = before.replace(from, to);
    assert.notEqual(after, before);
    writeFileSync(join(folder, file), after);
  };
  const commit = () => shell(folder, 'git add -A && git commit --quiet -m x');
  shell(folder, 'git init --quiet --initial-branch=main');
  commit();
  /** What the reader does before a command, by its beginning and how often it was met. */
  const before: Readonly<Record<string, () => void>> = {
    'sallyport exceptions list': () => {
      shell(folder, 'sallyport fix --review --yes --check pod-security/privilege-escalation');
      const comment = /^ *(# sallyport: allow .*)\n/m.exec(guide)![1]!;
      edit('storefront.yaml', /^( *)- name: web$/m, `$1${comment}\n$1- name: web`);
    },
    'sallyport scan 2': () =>
      writeFileSync(join(folder, 'sallyport.yaml'), 'baseline: sallyport-baseline.txt\n'),
    'sallyport diff HEAD~1 HEAD': () => {
      commit();
      edit('namespace.yaml', /(pod-security.kubernetes.io\/enforce: )baseline/, '$1privileged');
      edit('storefront.yaml', 'registry.example.com/', 'evil.example.com/');
      commit();
    },
  };
  const met = new Map<string, number>();
  for (const section of sections)
    for (const [, command, shown] of section.matchAll(
      /^```sh\n([^\n]*)\n```\n\n```text\n([\s\S]*?)\n```$/gm,
    )) {
      const times = (met.get(command!) ?? 0) + 1;
      met.set(command!, times);
      it(`${command}${times > 1 ? ', again' : ''}`, () => {
        before[times > 1 ? `${command} ${times}` : command!]?.();
        holds(shell(folder, command!), shown!, command!);
      });
    }
  it('shows every step', () => assert.ok(met.size >= 6, [...met.keys()].join('\n')));

  const fresh = folderOf({ 'cart.yaml': example('cart.yaml') });
  shell(fresh, 'git init --quiet && git remote add origin https://github.com/shop/shop');
  for (const [, command, shown] of guide.matchAll(/^```text\n\$ (sallyport init[^\n]*)\n([\s\S]*?)\n```$/gm))
    it(`${command}, in a new clone`, () => holds(shell(fresh, command!), shown!, command!));
});
