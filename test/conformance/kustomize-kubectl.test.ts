/**
 * The real kubectl and ours, side by side, over every kustomization of the shared corpus. It is looked for in
 * `$SALLYPORT_KUBECTL`, then in the cache folder; where it is not to be had, that is said and the tests skip.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, it } from 'node:test';
import { build } from '#sources/kustomize/door.ts';
import { withShared } from '#test/shared.ts';

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const kubectl = process.env['SALLYPORT_KUBECTL'] ?? join(homedir(), '.cache/sallyport/kubectl-v35/kubectl');
/** Nothing is fetched, by neither. */
const OFFLINE = Object.fromEntries(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map(name => [name, 'http://127.0.0.1:1']),
);

withShared('corpus/real-manifests.tar.gz', archive => {
  if (!existsSync(kubectl)) {
    it('SKIPPED: no kubectl', { skip: `no kubectl at ${kubectl}; set SALLYPORT_KUBECTL` }, () => {});
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-kustomize-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  assert.equal(spawnSync('tar', ['xzf', archive, '-C', folder]).status, 0);
  for (const repository of readdirSync(folder)) {
    const top = join(folder, repository);
    const files = new Map<string, Uint8Array>();
    const roots: string[] = [];
    for (const entry of readdirSync(top, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = relative(top, join(entry.parentPath, entry.name));
      files.set(path, readFileSync(join(top, path)));
      if (NAMES.includes(entry.name)) roots.push(relative(top, entry.parentPath));
    }
    for (const root of roots)
      it(`${repository}/${root}`, () => {
        const real = spawnSync(kubectl, ['kustomize', join(top, root)], {
          encoding: 'utf8',
          env: { ...process.env, ...OFFLINE },
        });
        if (real.status === 0) assert.equal(build(files, root, { top }).text, real.stdout);
        else assert.throws(() => build(files, root, { top }));
      });
  }
});
