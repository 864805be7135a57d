/**
 * Builds what is published into dist/: the program as small CommonJS pieces (Node starts those fastest) that load
 * each other only when needed, the library's doors as ES modules, and their types.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build, transform } from 'esbuild';
import { doors } from './doors.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });

const common: BuildOptions & { readonly splitting: true } = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  splitting: true,
  minify: true,
  conditions: ['source'],
  legalComments: 'none',
  logLevel: 'warning',
};

await build({
  ...common,
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: join(dist, 'cli'),
  outExtension: { '.js': '.cjs' },
});
// Splitting exists for ES modules only; each piece is then turned into CommonJS, and so are the imports between them.
for (const file of readdirSync(join(dist, 'cli'))) {
  const path = join(dist, 'cli', file);
  const { code } = await transform(readFileSync(path, 'utf8'), {
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    supported: { 'dynamic-import': false },
    minify: true,
  });
  writeFileSync(path, code);
}
writeFileSync(
  join(dist, 'cli.cjs'),
  [
    '#!/usr/bin/env node',
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
  minify: false,
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
