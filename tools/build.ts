/**
 * Builds what is published into dist/: the program as a few files of modules (program.ts) and the one that starts them,
 * the library's doors as ES modules, and their types.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { doors } from './doors.ts';
import { bundleProgram, type Pack } from './program.ts';

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

const programs = {
  scan: await bundleProgram(root, common, 'scan'),
  render: await bundleProgram(root, common, 'render'),
};
const all = Object.values(programs).flat();
mkdirSync(join(dist, 'cli'), { recursive: true });
for (const { name, code } of all) writeFileSync(join(dist, `cli/${name}.js`), code);
const id = createHash('sha256')
  .update(all.map(({ code }) => code).join('\n'))
  .digest('hex')
  .slice(0, 16);

const names = (packs: readonly Pack[]) => packs.map(({ name, first }) => ({ name, first }));

/** The file that starts the program, with what it prints by itself. */
async function start(answers: Readonly<Record<string, string>>): Promise<void> {
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
    define: {
      BUILD: JSON.stringify({ id, answers, packs: names(programs.scan), render: names(programs.render) }),
    },
    entryPoints: ['src/cli/start.ts'],
    outfile: join(dist, 'cli.cjs'),
  });
}

const run = (words: readonly string[], environment = {}) =>
  spawnSync(process.execPath, [join(dist, 'cli.cjs'), ...words], {
    encoding: 'utf8',
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1', ...environment },
  }).stdout;
await start({});
await start(Object.fromEntries(['--version', '-V', '--help', '-h'].map(word => [word, run([word])])));
chmodSync(join(dist, 'cli.cjs'), 0o755);

// The first run of the main job compiles; its compiled code is laid beside the program for the later ones.
run(['scan', join(root, 'examples/online-shop')], { NODE_DISABLE_COMPILE_CACHE: '', SALLYPORT_BUILD: id });

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
