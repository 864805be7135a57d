/**
 * Builds what is published into dist/: the program as one CommonJS file (Node starts that fastest), the library's
 * doors as ES modules, and their types.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { doors } from './doors.ts';
import { lazyModules } from './lazy-modules.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  conditions: ['source'],
  legalComments: 'none',
  logLevel: 'warning',
};

// One file: what is imported dynamically lies in it too, but is evaluated only when it is asked for. Several files
// would each cost a third of a millisecond to find and open.
await build({
  ...common,
  format: 'cjs',
  minify: true,
  entryPoints: ['src/cli/main.ts'],
  outfile: join(dist, 'cli/main.cjs'),
  plugins: [lazyModules(root)],
});
const program = join(dist, 'cli/main.cjs');
// Read as latin1, which is the fastest; esbuild leaves regular expressions as they are written.
const code = readFileSync(program, 'utf8').replaceAll(
  /[^\0-\x7f]/g,
  unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
);
writeFileSync(program, code);

/** What the program prints whatever surrounds it; asked of itself. */
const answer = (word: string) =>
  spawnSync(process.execPath, ['-e', `require(${JSON.stringify(program)}).main([${JSON.stringify(word)}])`], {
    encoding: 'utf8',
  }).stdout;
const id = createHash('sha256').update(code).digest('hex').slice(0, 16);
const answers = Object.fromEntries(['--version', '-V', '--help', '-h'].map(word => [word, answer(word)]));
await build({
  ...common,
  // An older Node must get as far as the sentence that tells it so.
  target: 'node12',
  format: 'cjs',
  minify: true,
  banner: {
    js: [
      '#!/usr/bin/env node',
      "if(parseInt(process.versions.node)<24){process.stderr.write('sallyport: Node 24 or newer is needed; this is '+process.version+'\\n');process.exit(3)}",
    ].join('\n'),
  },
  define: { BUILD: JSON.stringify({ id, answers }) },
  entryPoints: ['src/cli/start.ts'],
  outfile: join(dist, 'cli.cjs'),
});
chmodSync(join(dist, 'cli.cjs'), 0o755);

// The first run of the main job compiles; its compiled code is laid beside the program for the later ones.
spawnSync(process.execPath, [join(dist, 'cli.cjs'), 'scan', join(root, 'examples/online-shop')], {
  env: { ...process.env, SALLYPORT_BUILD: id },
});

const entries = Object.entries(doors).filter(([, source]) => existsSync(join(root, source)));
await build({
  ...common,
  format: 'esm',
  splitting: true,
  entryPoints: Object.fromEntries(entries.map(([name, source]) => [name, source])),
  outdir: join(dist, 'lib'),
  // Dependencies stay what they are: the user's own package manager brings them.
  packages: 'external',
});

const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
