/**
 * Whole processes, start included: how long a scan of 1, 15, 250 and all files of a corpus takes, and how much memory.
 *
 * npm run bench [-- CORPUS] measures this build; npm run bench -- --against COMMIT also builds that commit in a folder
 * of its own and prints the ratios; --growth scans the corpus once, twice, four and eight times over, to show that time
 * grows with the input and no faster. Without a corpus, one is made: plain Deployments, Services and ConfigMaps.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { against: { type: 'string' }, runs: { type: 'string' }, growth: { type: 'boolean' } },
});
const runs = Number(values.runs ?? 11);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));

interface Measure {
  readonly milliseconds: number;
  readonly megabytes: number;
}

/** The median of several runs, after one that fills the caches. */
function measure(words: readonly string[]): Measure {
  const times: number[] = [];
  let memory = 0;
  for (let i = 0; i <= runs; i++) {
    const start = performance.now();
    const { stderr } = spawnSync(process.execPath, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, SALLYPORT_MEMORY: '1' },
    });
    if (i > 0) times.push(performance.now() - start);
    memory = Math.max(memory, Number(/peak memory (\d+)/.exec(String(stderr))?.[1] ?? 0));
  }
  return {
    milliseconds: times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!,
    megabytes: memory / 1024,
  };
}

function corpus(): string {
  if (positionals[0] !== undefined) return resolve(positionals[0]);
  const made = join(folder, 'corpus');
  const files = globSync('examples/online-shop/*.yaml', { cwd: root });
  for (let i = 0; i < 500; i++) {
    mkdirSync(join(made, `shop-${i}`), { recursive: true });
    for (const file of files)
      cpSync(join(root, file), join(made, `shop-${i}`, file.slice(file.lastIndexOf('/') + 1)));
  }
  return made;
}

function samples(from: string): [name: string, folder: string][] {
  const files = globSync('**/*.{yaml,yml,json}', { cwd: from }).sort();
  const parts: [string, string][] = [1, 15, 250].map(size => {
    const part = join(folder, `part-${size}`);
    mkdirSync(part);
    // Spread over the corpus, so that a part looks like the whole.
    for (let i = 0; i < size; i++) {
      const file = files[Math.floor((i * files.length) / size)]!;
      cpSync(join(from, file), join(part, `${i}-${file.replaceAll('/', '_')}`));
    }
    return [String(size), part];
  });
  return [...parts, [`all ${files.length}`, from]];
}

/** The corpus several times over, each copy in a folder of its own. */
function copies(from: string, times: number): string {
  const made = join(folder, `times-${times}`);
  for (let i = 0; i < times; i++) cpSync(from, join(made, `copy-${i}`), { recursive: true });
  return made;
}

function build(commit: string): string {
  const tree = join(folder, 'against');
  const archive = spawnSync('git', ['archive', '--format=tar', commit], { cwd: root, maxBuffer: 2 ** 30 });
  if (archive.status !== 0) throw new Error(`git archive ${commit} failed: ${String(archive.stderr)}`);
  mkdirSync(tree);
  spawnSync('tar', ['-x'], { cwd: tree, input: archive.stdout });
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  const { status, stderr } = spawnSync(process.execPath, ['tools/build.ts'], { cwd: tree });
  if (status !== 0) throw new Error(`the build of ${commit} failed: ${String(stderr)}`);
  return join(tree, 'dist/cli.cjs');
}

try {
  const program = join(root, 'dist/cli.cjs');
  if (!existsSync(program)) throw new Error('build first: npm run build');
  const other = values.against === undefined ? undefined : build(values.against);
  const bare = measure(['-e', '0']);
  console.log(`node ${process.version}, median of ${runs}: bare start ${bare.milliseconds.toFixed(0)} ms`);
  for (const [name, words] of [
    ['--version', ['--version']],
    ['--help', ['--help']],
  ] as const) {
    const { milliseconds } = measure([program, ...words]);
    console.log(
      `${name.padStart(9)}: ${milliseconds.toFixed(0)} ms (${(milliseconds - bare.milliseconds).toFixed(0)} above)`,
    );
  }
  const all = corpus();
  const parts = values.growth
    ? [1, 2, 4, 8].map((times): [string, string] => [`${times} ×`, copies(all, times)])
    : samples(all);
  let first: number | undefined;
  for (const [name, part] of parts) {
    const { milliseconds, megabytes } = measure([program, 'scan', part, '--format', 'json', '--no-ignore']);
    const against =
      other === undefined ? undefined : measure([other, 'scan', part, '--format', 'json', '--no-ignore']);
    const ratio =
      against === undefined
        ? ''
        : `, ${(milliseconds / against.milliseconds).toFixed(2)} × ${values.against}`;
    const above = milliseconds - bare.milliseconds;
    first ??= above;
    const growth = values.growth ? `, ${(above / first).toFixed(1)} times the first` : '';
    console.log(
      `${name.padStart(9)}: ${milliseconds.toFixed(0)} ms (${above.toFixed(0)} above), ${megabytes.toFixed(0)} MB${ratio}${growth}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
