/**
 * How long a kustomization takes against the real kubectl, process start included there.
 *
 *     node bench/kustomize.ts path/to/kubectl FOLDER…
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from '#sources/kustomize/door.ts';

const RUNS = 10;
const [kubectl, ...folders] = process.argv.slice(2);
if (kubectl === undefined || folders.length === 0)
  throw new Error('usage: node bench/kustomize.ts path/to/kubectl FOLDER…');

function median(run: () => void): number {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[RUNS / 2]!;
}

for (const folder of folders) {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(relative(folder, path), readFileSync(path));
  }
  const theirs = median(() => spawnSync(kubectl, ['kustomize', folder]));
  const ours = median(() => build(files, ''));
  console.log(
    `${folder}: kubectl ${theirs.toFixed(1)} ms, ours ${ours.toFixed(1)} ms, ratio ${(theirs / ours).toFixed(1)}`,
  );
}
