/** Starting from compiled code: where it is kept, whom it is taken from, and that nothing depends on it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, pod } from './program.ts';

const program = resolve(import.meta.dirname, '../../dist/cli.cjs');

function levels(folder: string, environment: Readonly<Record<string, string>> = {}): string {
  const { stdout, stderr } = spawnSync(process.execPath, [program, 'pod-security', 'levels', 'pod.yaml'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'caches'), ...environment },
  });
  assert.equal(stderr, '');
  return stdout;
}

const kept = (folder: string) => {
  const code = join(folder, 'caches/sallyport/code');
  return existsSync(code) ? readdirSync(code).map(name => join(code, name)) : [];
};

describe('starting from compiled code', () => {
  it('keeps the code of a command for its user alone, and answers the same with it', () => {
    const folder = folderOf({ 'pod.yaml': pod('a') });
    const first = levels(folder);
    const files = kept(folder);
    assert.ok(files.length > 0);
    const times = files.map(file => statSync(file).mtimeMs);
    for (const file of files) {
      assert.match(file, /-pod-security-[a-z]+$/);
      assert.equal(statSync(file).mode & 0o77, 0);
    }
    assert.equal(levels(folder), first);
    assert.deepEqual(kept(folder), files);
    assert.deepEqual(
      files.map(file => statSync(file).mtimeMs),
      times,
      'what is good stays',
    );
  });

  it('goes on where the file is broken, and makes it anew', () => {
    const folder = folderOf({ 'pod.yaml': pod('a') });
    const first = levels(folder);
    const [file] = kept(folder);
    const good = readFileSync(file!).length;
    writeFileSync(file!, 'not compiled code');
    assert.equal(levels(folder), first);
    assert.ok(Math.abs(readFileSync(file!).length - good) < good / 10);
  });

  it('takes no code that others could have written', { skip: process.getuid === undefined }, () => {
    const folder = folderOf({ 'pod.yaml': pod('a') });
    const first = levels(folder);
    const [file] = kept(folder);
    chmodSync(file!, 0o666);
    assert.equal(levels(folder), first);
    assert.equal(statSync(file!).mode & 0o77, 0, 'it was not used, but made anew');
  });

  it('keeps nothing where it is told not to, or cannot, and nothing for a mistyped line', () => {
    const folder = folderOf({ 'pod.yaml': pod('a') });
    const first = levels(folder, { NODE_DISABLE_COMPILE_CACHE: '1' });
    assert.deepEqual(kept(folder), []);
    assert.equal(levels(folder, { XDG_CACHE_HOME: '/dev/null' }), first);
    const { status } = spawnSync(process.execPath, [program, 'scna'], {
      env: { ...process.env, XDG_CACHE_HOME: join(folder, 'caches') },
    });
    assert.equal(status, 3);
    assert.deepEqual(kept(folder), []);
  });

  it('throws away what no build used for a month', () => {
    const folder = folderOf({ 'pod.yaml': pod('a') });
    levels(folder);
    const files = kept(folder);
    const [file] = files;
    const old = file!.replace(/[0-9a-f]{16}/, '0123456789abcdef');
    writeFileSync(old, '');
    utimesSync(old, 1e9, 1e9);
    writeFileSync(file!, '');
    levels(folder);
    assert.deepEqual(kept(folder), files);
  });
});
