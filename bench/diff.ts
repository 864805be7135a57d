/**
 * Whole processes, start included: how long a comparison of two commits takes that differ in a few of thousands of
 * files, beside the start of Node alone.
 *
 * node bench/diff.ts CORPUS [--against PROGRAM] [--runs N]: CORPUS is a folder of manifests; the example is put beside it and is
 * what changes. PROGRAM is the cli.cjs of another build.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { against: { type: 'string' }, runs: { type: 'string' } },
});
const runs = Number(values.runs ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));

type Edit = readonly [file: string, from: string | RegExp, to: string];

/** What people change: each a branch. */
const CHANGES: Readonly<Record<string, readonly Edit[]>> = {
  'three workloads': [
    ['shop/storefront.yaml', 'storefront:latest', 'storefront:2.0.0'],
    ['shop/cart.yaml', 'cart:2.8.1', 'cart:2.8.2'],
    ['shop/payments.yaml', /replicas: \d+/, 'replicas: 5'],
  ],
  'values of a chart': [['shop/chart/values-prod.yaml', 'SYS_PTRACE', 'SYS_ADMIN']],
  'patch of an overlay': [['shop/overlays/prod/debug.yaml', 'hostPID: true', 'hostIPC: true']],
  'network policy': [
    ['shop/network.yaml', '- namespaceSelector: {}', '- namespaceSelector: { matchLabels: { a: b } }'],
    ['shop/cart.yaml', /(\n {6}labels: \{ app: cart) \}/, '$1, tier: back }'],
  ],
  'role binding': [['shop/release.yaml', /(subjects:[\s\S]*name: )release/, '$1robot']],
  readme: [['README.md', /$/, 'more\n']],
};

function git(...words: string[]): void {
  const { status, stderr } = spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
    cwd: folder,
  });
  if (status !== 0) throw new Error(`git ${words.join(' ')} failed: ${String(stderr)}`);
}

/** Milliseconds of the processor: how long a busy machine takes says little. */
function processorTime(words: readonly string[]): number {
  const { stdout } = spawnSync(
    '/bin/sh',
    ['-c', '"$@" >/dev/null 2>&1; times', 'sh', process.execPath, ...words],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}

const median = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;

try {
  const corpus = positionals[0];
  if (corpus === undefined) throw new Error('name a folder of manifests');
  cpSync(resolve(corpus), folder, { recursive: true });
  cpSync(join(root, 'examples/online-shop'), join(folder, 'shop'), { recursive: true });
  writeFileSync(join(folder, 'README.md'), '# Manifests\n');
  git('init', '-q', '-b', 'main');
  git('add', '-A', '-f');
  git('commit', '-q', '-m', 'all');
  git('gc', '-q');
  for (const [name, edits] of Object.entries(CHANGES)) {
    git('checkout', '-q', '-b', name.replaceAll(' ', '-'), 'main');
    for (const [file, from, to] of edits)
      writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace(from, to));
    git('commit', '-q', '-a', '-m', name);
  }
  const programs = [
    join(root, 'dist/cli.cjs'),
    ...(values.against === undefined ? [] : [resolve(values.against)]),
  ];
  for (const name of Object.keys(CHANGES)) {
    const bare: number[] = [];
    const times = programs.map((): number[] => []);
    for (let run = 0; run <= runs; run++) {
      const measured = [
        ['-e', '0'],
        ...programs.map(program => [program, 'diff', 'main', name.replaceAll(' ', '-')]),
      ].map(processorTime);
      // The first run of each fills the caches.
      if (run === 0) continue;
      bare.push(measured[0]!);
      for (const [i, list] of times.entries()) list.push(measured[i + 1]!);
    }
    const [own, other] = times.map(median);
    const node = median(bare);
    console.log(
      `${name.padStart(20)}: ${own!.toFixed(0)} ms, ${(own! / node).toFixed(1)} × Node's start${other === undefined ? '' : `, ${(own! / other).toFixed(2)} × the other build`}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
