/**
 * CPU time of rendering, whole processes, interleaved with the real helm where it is to be had:
 * node bench/helm.ts [CHART…]; without charts, the larger ones of the conformance suite and of examples/. The binary is
 * that of SALLYPORT_HELM, or the one in the cache folder. Build first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { readChart } from '../src/sources/helm/folder.ts';
import { renderChartFiles } from '../src/sources/helm/render.ts';
import '../src/sources/helm/re2.ts';

const ROUNDS = 9;
const root = resolve(import.meta.dirname, '..');
const shared = process.env['SALLYPORT_SHARED'] ?? join(root, '../shared');
const helm =
  process.env['SALLYPORT_HELM'] ??
  [join(homedir(), '.cache/sallyport/helm-v4/helm/helm'), join(homedir(), '.cache/sallyport/helm')].find(
    existsSync,
  );

const given = process.argv.slice(2);
const charts = given.length > 0 ? given : [join(root, 'examples/online-shop/chart'), ...largest(8)];
if (helm === undefined) console.error('There is no helm: only our own times are measured.');

/** Of the conformance suite, the charts with the longest templates that render. */
function largest(count: number): string[] {
  const folder = join(shared, 'conformance/rendering/helm-charts');
  return globSync('*/chart/Chart.yaml', { cwd: folder })
    .map(name => dirname(join(folder, name)))
    .map(chart => ({ chart, size: size(chart) }))
    .filter(({ chart }) => renders(chart))
    .sort((a, b) => b.size - a.size)
    .slice(0, count)
    .map(({ chart }) => chart);
}

function size(chart: string): number {
  return globSync('**/templates/**', { cwd: chart }).reduce(
    (sum, name) => sum + statSync(join(chart, name)).size,
    0,
  );
}

function renders(chart: string): boolean {
  try {
    renderChartFiles(readChart(chart));
    return true;
  } catch {
    return false;
  }
}

/**
 * Milliseconds that all children took that have ended, of user and system together (proc(5): cutime and cstime, in
 * hundredths of a second); where there is no /proc, those of the clock.
 */
function spent(): number {
  if (!existsSync('/proc/self/stat')) return performance.now();
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

function run(program: string, words: readonly string[]): number {
  const before = spent();
  spawnSync(program, words, { stdio: 'ignore' });
  return spent() - before;
}

const programs: readonly (readonly [name: string, program: string, words: readonly string[]])[] = [
  ['node alone', process.execPath, ['-e', '0']],
  ['sallyport render', process.execPath, [join(root, 'dist/cli.cjs'), 'render']],
  ...(helm === undefined ? [] : [['helm template', helm, ['template']] as const]),
];

console.log(
  `CPU ms, means of ${ROUNDS} runs: ${programs.map(([name]) => name).join(', ')}; helm through ours`,
);
for (const chart of charts) {
  const wordsFor = (words: readonly string[]) => (words[0] === '-e' ? words : [...words, chart]);
  // The first run compiles.
  for (const [, program, words] of programs) run(program, wordsFor(words));
  const sums = programs.map(() => 0);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, [, program, words]] of programs.entries()) sums[i]! += run(program, wordsFor(words));
  const means = sums.map(sum => sum / ROUNDS);
  const ratio = helm === undefined ? '' : `  ${(means[2]! / means[1]!).toFixed(2)}`;
  console.log(`${means.map(mean => mean.toFixed(0).padStart(6)).join('')}${ratio}  ${chart}`);
}
