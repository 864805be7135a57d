/**
 * How long kustomizations take against the real kubectl, process start included there.
 *
 *     node bench/kustomize.ts                              written for each feature, and put together at random
 *     node bench/kustomize.ts path/to/kubectl [FOLDER…]
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { build } from '#sources/kustomize/door.ts';
import { FEATURES, randomOverlay, type Tree } from '#test/overlays.ts';

const RUNS = 10;
const RANDOM = 20;
const [kubectl = join(homedir(), '.cache/sallyport/kubectl-v35/kubectl'), ...folders] = process.argv.slice(2);
const has = existsSync(kubectl);
if (!has) console.log(`no kubectl at ${kubectl}: only our own times`);

function median(run: () => void): number {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[RUNS / 2]!;
}

let [all, theirs] = [0, 0];
let count = 0;

function measure(name: string, folder: string, files: ReadonlyMap<string, Uint8Array>, root: string): void {
  try {
    build(files, root);
  } catch {
    return; // What both refuse takes no time worth a line.
  }
  const ours = median(() => build(files, root).text);
  const real = has ? median(() => spawnSync(kubectl, ['kustomize', join(folder, root)])) : undefined;
  all += ours;
  theirs += real ?? 0;
  count++;
  const ratio =
    real === undefined ? '' : `, kubectl ${real.toFixed(1)} ms, ratio ${(real / ours).toFixed(1)}`;
  console.log(`${name}: ours ${ours.toFixed(1)} ms${ratio}`);
}

function measureTree(name: string, tree: Tree): void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  try {
    for (const [file, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const files = new Map(Object.entries(tree).map(([file, text]) => [file, Buffer.from(text)]));
    measure(name, folder, files, 'overlay');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const folder of folders) {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(relative(folder, path), readFileSync(path));
  }
  measure(folder, folder, files, '');
}
if (folders.length === 0) {
  for (const [name, tree] of Object.entries(FEATURES)) measureTree(name, tree);
  for (let seed = 0; seed < RANDOM; seed++) measureTree(`seed ${seed}`, randomOverlay(seed));
}
console.log(
  `${count} kustomizations: ours ${all.toFixed(0)} ms${has ? `, kubectl ${theirs.toFixed(0)} ms, ratio ${(theirs / all).toFixed(1)}` : ''}`,
);
