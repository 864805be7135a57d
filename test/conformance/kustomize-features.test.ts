/**
 * Kustomizations written for each feature, and others put together at random, beside the real kubectl; charts of
 * kustomizations beside kubectl with the real helm. Both are looked for in `$SALLYPORT_KUBECTL` and `$SALLYPORT_HELM`, then
 * in the cache folder; where they are not to be had, that is said and the tests skip.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { chartsForKustomize } from '#sources/helm/declared.ts';
import { readChart } from '#sources/helm/folder.ts';
import { build } from '#sources/kustomize/door.ts';
import { CHART_CASES, FEATURES, randomOverlay, type Tree } from '#test/overlays.ts';

const cache = join(homedir(), '.cache/sallyport');
const kubectl = process.env['SALLYPORT_KUBECTL'] ?? join(cache, 'kubectl-v35/kubectl');
const helm = process.env['SALLYPORT_HELM'] ?? join(cache, 'helm-v4/helm/helm');
/** More by `SALLYPORT_SEEDS=1000:2000`. */
const [FROM, TO] = (process.env['SALLYPORT_SEEDS'] ?? '0:40').split(':').map(Number) as [number, number];
/** Nothing is fetched, by neither. */
const OFFLINE = Object.fromEntries(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map(name => [name, 'http://127.0.0.1:1']),
);

if (!existsSync(kubectl))
  it('SKIPPED: no kubectl', { skip: `no kubectl at ${kubectl}; set SALLYPORT_KUBECTL` }, () => {});
else {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-overlays-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;

  /** Builds it with both, and compares text, or the last line of the message. */
  const compare = (tree: Tree, root: string, flags: readonly string[] = [], files = filesOf(tree)): void => {
    const top = join(folder, String(count++));
    for (const [name, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(top, name)), { recursive: true });
      writeFileSync(join(top, name), text);
    }
    const real = spawnSync(kubectl, ['kustomize', ...flags, join(top, root)], {
      encoding: 'utf8',
      env: { ...process.env, ...OFFLINE },
    });
    const options = {
      top,
      ...(flags.length === 0
        ? {}
        : { renderChart: chartsForKustomize(chart => readChart(join(top, chart))) }),
    };
    if (real.status === 0) {
      assert.equal(build(files, root, options).text, real.stdout);
      return;
    }
    const last = withoutAddresses(real.stderr.trim().split('\n').at(-1)!);
    assert.throws(
      () => build(files, root, options),
      ({ message }: Error) => {
        // Of helm's own errors only the reason is ours.
        if (flags.length === 0)
          assert.ok(last.endsWith(message.trim().split('\n').at(-1)!), `${last}\n${message}`);
        return true;
      },
    );
  };

  describe('written for a feature', () => {
    for (const [name, tree] of Object.entries(FEATURES)) it(name, () => compare(tree, 'overlay'));
  });

  describe('put together at random', () => {
    for (let seed = FROM; seed < TO; seed++)
      it(`seed ${seed}`, () => compare(randomOverlay(seed), 'overlay'));
  });

  describe('charts of kustomizations', () => {
    if (!existsSync(helm)) {
      it('SKIPPED: no helm', { skip: `no helm at ${helm}; set SALLYPORT_HELM` }, () => {});
      return;
    }
    // kustomize refuses every helm that does not say it is version 3.
    const third = join(folder, 'helm');
    writeFileSync(third, `#!/bin/sh\ncase "$1" in version) echo v3.20.0;; *) exec "${helm}" "$@";; esac\n`, {
      mode: 0o755,
    });
    for (const [name, tree] of Object.entries(CHART_CASES))
      it(name, () => compare(tree, 'overlay', ['--enable-helm', `--helm-command=${third}`]));
  });
}

function filesOf(tree: Tree): Map<string, Uint8Array> {
  return new Map(Object.entries(tree).map(([name, text]) => [name, Buffer.from(text)]));
}

/** kubectl prints the address of a generator. */
function withoutAddresses(message: string): string {
  return message.replace(/ &\{0x[0-9a-f]+ <nil>\}/g, '');
}
