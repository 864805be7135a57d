/** The baseline: what is known stays quiet, what is new does not, what is gone is said. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const FILE = 'sallyport-baseline.txt';
const pod = (name: string, more = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop }\nspec:\n  hostPID: true\n${more}  containers: [{ name: web, image: "shop:1.4.2" }]\n`;
const words = ['--check', 'pod-security/host-namespaces'];
const scan = (folder: string) => run(folder, ['scan', '--baseline', FILE, ...words]);

describe('a baseline', () => {
  it('quiets what is known, through moved lines and renamed files, and nothing else', () => {
    const folder = folderOf({ 'a.yaml': pod('a'), 'b.yaml': pod('b') });
    assert.equal(run(folder, ['baseline', 'create', ...words]).code, 0);
    assert.equal(scan(folder).code, 0);
    writeFileSync(join(folder, 'a.yaml'), `# a\n\n${pod('a', '  dnsPolicy: Default\n')}`);
    renameSync(join(folder, 'b.yaml'), join(folder, 'c.yaml'));
    const { code, out } = scan(folder);
    assert.equal(code, 0, out);
    assert.match(out, /2 findings known from the baseline/);
    // A second offending field of a known object is new.
    writeFileSync(join(folder, 'a.yaml'), pod('a', '  hostIPC: true\n'));
    assert.equal(scan(folder).code, 1);
    // And so is a copy of a known object.
    writeFileSync(join(folder, 'a.yaml'), pod('a'));
    writeFileSync(join(folder, 'copy.yaml'), pod('a'));
    assert.match(scan(folder).out, /^copy\.yaml\n/);
  });

  it('is sorted, one line each, and the same whatever the order of the files', () => {
    const one = folderOf({ 'a.yaml': pod('b'), 'b.yaml': pod('a') });
    run(one, ['baseline', 'create', ...words]);
    const text = readFileSync(join(one, FILE), 'utf8');
    const lines = text.trimEnd().split('\n').slice(3);
    assert.deepEqual(
      lines.map(line => line.split('\t').slice(1)),
      [
        ['pod-security/host-namespaces', 'a.yaml', 'Pod shop/b', 'spec.hostPID'],
        ['pod-security/host-namespaces', 'b.yaml', 'Pod shop/a', 'spec.hostPID'],
      ],
    );
    run(one, ['baseline', 'create', '--force', ...words]);
    assert.equal(readFileSync(join(one, FILE), 'utf8'), text);
  });

  it('is updated: what was mended goes and is said, what is new is not accepted unasked', () => {
    const folder = folderOf({ 'a.yaml': pod('a'), 'b.yaml': pod('b') });
    run(folder, ['baseline', 'create', ...words]);
    writeFileSync(join(folder, 'a.yaml'), pod('a').replace('  hostPID: true\n', ''));
    writeFileSync(join(folder, 'c.yaml'), pod('c'));
    renameSync(join(folder, 'b.yaml'), join(folder, 'd.yaml'));
    const { out } = run(folder, ['baseline', 'update', ...words]);
    assert.equal(
      out,
      'fixed    a.yaml pod-security/host-namespaces Pod shop/a: spec.hostPID\nmoved    b.yaml pod-security/host-namespaces Pod shop/b: spec.hostPID is in d.yaml now\n1 fixed and removed, 1 moved, 0 added; 1 remain\n1 place new, and not accepted: mend them, or use --accept-new\n',
    );
    assert.equal(scan(folder).code, 1);
    run(folder, ['baseline', 'update', '--accept-new', ...words]);
    assert.equal(scan(folder).code, 0);
    assert.match(run(folder, ['baseline', 'show']).out, /pod-security\/host-namespaces: 2\n/);
  });

  it('merges in Git where two branches mend apart, and says what to do where they mend side by side', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const folder = folderOf(Object.fromEntries(names.map(name => [`${name}.yaml`, pod(name)])));
    const git = (...more: string[]) =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...more], {
        cwd: folder,
        encoding: 'utf8',
      });
    run(folder, ['baseline', 'create', ...words]);
    git('init', '--quiet', '--initial-branch=main');
    const commit = () => {
      git('add', '.');
      git('commit', '--quiet', '-m', 'x');
    };
    const mend = (branch: string, name: string) => {
      git('checkout', '--quiet', '-b', branch, 'main');
      writeFileSync(join(folder, `${name}.yaml`), pod(name).replace('  hostPID: true\n', ''));
      run(folder, ['baseline', 'update', ...words]);
      commit();
    };
    commit();
    mend('one', 'a');
    mend('two', 'd');
    mend('three', 'e');
    git('checkout', '--quiet', 'two');
    assert.equal(git('merge', '--no-edit', 'one').status, 0);
    const merged = readFileSync(join(folder, FILE), 'utf8');
    assert.deepEqual(merged.match(/[a-e]\.yaml/g), ['b.yaml', 'c.yaml', 'e.yaml']);
    assert.equal(scan(folder).code, 0);
    // Lines that are neighbours are one conflict to Git.
    assert.equal(git('merge', '--no-edit', 'three').status, 1);
    const { code, err } = scan(folder);
    assert.equal(code, 3);
    assert.match(err, /a merge conflict that was not resolved\n.*keep the lines of both sides/);
    const both = readFileSync(join(folder, FILE), 'utf8').replace(/^(?:<{7}|={7}|>{7}|\|{7}).*\n/gm, '');
    writeFileSync(join(folder, FILE), both);
    run(folder, ['baseline', 'update', ...words]);
    assert.deepEqual(readFileSync(join(folder, FILE), 'utf8').match(/[a-e]\.yaml/g), ['b.yaml', 'c.yaml']);
  });

  it('keeps what an update did not ask about', () => {
    const folder = folderOf({ 'x/a.yaml': pod('a'), 'y/b.yaml': pod('b') });
    run(folder, ['baseline', 'create', '--profile', 'all']);
    const before = readFileSync(join(folder, FILE), 'utf8');
    run(folder, ['baseline', 'update', 'x', ...words]);
    assert.equal(readFileSync(join(folder, FILE), 'utf8'), before);
  });

  it('is refused where it cannot be trusted, with its line', () => {
    const folder = folderOf({ 'a.yaml': pod('a') });
    run(folder, ['baseline', 'create', ...words]);
    const good = readFileSync(join(folder, FILE), 'utf8');
    for (const [text, message] of [
      [
        good.replace('baseline 1', 'baseline 2'),
        /:1: the baseline has form 2, which a newer Sallyport wrote/,
      ],
      [`${good}<<<<<<< ours\n`, /:5: a merge conflict/],
      [`${good}nonsense\n`, /:5: no entry of a baseline/],
      ['', /:1: this is no baseline/],
    ] as const) {
      writeFileSync(join(folder, FILE), text);
      const { code, err } = scan(folder);
      assert.equal(code, 3);
      assert.match(err, message);
    }
    assert.equal(run(folder, ['scan', '--baseline', 'nowhere.txt']).code, 3);
    assert.equal(run(folder, ['baseline', 'create']).code, 3);
  });

  it('survives names that hold anything', () => {
    const odd = 'a\\tb\\u2028c\\\\u{9}';
    const folder = folderOf({ 'a.yaml': pod(`"${odd}"`) });
    run(folder, ['baseline', 'create', ...words]);
    assert.equal(scan(folder).code, 0);
  });
});
