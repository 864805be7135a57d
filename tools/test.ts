/** Runs every test in one process: isolation would cost more than the tests themselves. Words are files to run instead. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const named = process.argv.slice(2);
const files =
  named.length > 0
    ? named
    : globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'], { cwd: root }).sort();
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-isolation=none', '--test-reporter=./tools/test-reporter.ts', ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
