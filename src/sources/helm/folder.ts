/** The files of a chart's folder, or of its archive: nothing outside it is read, whatever links it holds. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { readArchive } from './archive.ts';
import { GoError } from './value.ts';

const MAX_FILES = 20_000;
const MAX_TOTAL = 100 * 1024 * 1024;
const MAX_DEPTH = 60;

/** Reads a chart from a folder or a .tgz; names are relative to the chart, with forward slashes. */
export function readChart(path: string): Map<string, Uint8Array> {
  if (statSync(path).isFile()) return readArchive(readFileSync(path));
  const root = realpathSync(path);
  const files = new Map<string, Uint8Array>();
  let total = 0;
  const walk = (folder: string, name: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw new GoError(`folders lie in each other more than ${MAX_DEPTH} deep`);
    for (const entry of readdirSync(folder)) {
      const full = join(folder, entry);
      let real: string;
      try {
        real = realpathSync(full);
      } catch {
        continue;
      }
      // helm follows links anywhere; a scan of strangers' charts must not.
      if (real !== root && !real.startsWith(root + sep)) continue;
      const stats = statSync(real);
      if (stats.isDirectory()) walk(full, `${name}${entry}/`, depth + 1);
      else if (stats.isFile()) {
        total += stats.size;
        if (files.size >= MAX_FILES || total > MAX_TOTAL)
          throw new GoError('the chart is larger than a chart may be');
        files.set(name + entry, readFileSync(real));
      }
    }
  };
  walk(root, '', 0);
  return files;
}
