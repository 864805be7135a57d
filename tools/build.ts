/**
 * Builds what is published into dist/: the program as one CommonJS file (Node starts that fastest), the library's
 * doors as ES modules, and their types.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
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
writeFileSync(
  join(dist, 'cli.cjs'),
  [
    '#!/usr/bin/env node',
    // An older Node would fail somewhere inside, in words that help nobody.
    "if(parseInt(process.versions.node)<24){process.stderr.write('sallyport: Node 24 or newer is needed; this is '+process.version+'\\n');process.exit(3)}",
    // The cache of compiled code is a gift where the home can be written, and no loss where it cannot.
    "try{require('node:module').enableCompileCache()}catch{}",
    "require('./cli/main.cjs').main(process.argv.slice(2)).then(code=>{process.exitCode=code;",
    // For the benchmarks: only the process itself knows its peak.
    "if(process.env.SALLYPORT_MEMORY)process.stderr.write('peak memory '+process.resourceUsage().maxRSS)})",
    '',
  ].join('\n'),
);
chmodSync(join(dist, 'cli.cjs'), 0o755);

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
