/**
 * Packs what would be published, installs it into an empty folder as a user would, and runs it there: no development
 * dependency, no file that was forgotten.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-package-'));

function run(command: string, words: readonly string[], cwd: string, expected = 0): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== expected)
    throw new Error(`${command} ${words.join(' ')} left with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

try {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  ) as {
    filename: string;
    size: number;
    entryCount: number;
  }[];
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', join(folder, packed!.filename)], folder);
  cpSync(join(root, 'examples/online-shop'), join(folder, 'shop'), { recursive: true });
  const program = join(folder, 'node_modules/sallyport/dist/cli.cjs');
  const { summary } = JSON.parse(
    run(process.execPath, [program, 'scan', 'shop', '--format', 'json'], folder, 1),
  ) as {
    summary: { objects: number };
  };
  if (summary.objects === 0) throw new Error('the installed program saw no objects');
  writeFileSync(
    join(folder, 'use.js'),
    [
      "import { checks, version } from 'sallyport';",
      "import { evaluate } from 'sallyport/pod-security';",
      "const { allowed } = evaluate({ spec: { containers: [], hostPID: true } }, { level: 'baseline', version: 'latest' });",
      "if (allowed || checks.length === 0) throw new Error('the doors do not work');",
      'console.log(version);',
      '',
    ].join('\n'),
  );
  const version = run(process.execPath, ['use.js'], folder).trim();
  console.log(
    `${packed!.filename}: ${packed!.entryCount} files, ${Math.round(packed!.size / 1024)} KB; version ${version} runs where only it is installed`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
