/**
 * Brings the JSON Schemas of CI systems into a folder of the user's cache, for test/conformance/pipeline-schemas.test.ts:
 * those that the Python package check-jsonschema ships, for no package of npm has them. The wheel is pinned by its hash,
 * and nothing of it runs. Where there is no pip, or nothing to fetch from, that is said and is no failure: the test skips.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const WHEEL = 'check-jsonschema==0.39.0';
const HASH = 'sha256:14ce5c94871c551268ea948ffe21e9f1464dc48fb20bf9a4c13deeaaf756cf9b';

/** Where the schemas lie when they were brought. */
export const pipelineSchemas = join(homedir(), '.cache/sallyport/pipeline-schemas-0.39.0');

function bring(): string | undefined {
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-schemas-'));
  try {
    const needed = join(scratch, 'requirements.txt');
    writeFileSync(needed, `${WHEEL} --hash=${HASH}\n`);
    const run = (...words: string[]) => {
      const { status, stderr, error } = spawnSync('python3', ['-m', ...words], {
        encoding: 'utf8',
        timeout: 120_000,
      });
      return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1));
    };
    const wanted = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--disable-pip-version-check'];
    const failed = run('pip', 'download', '--quiet', ...wanted, '--dest', scratch, '--requirement', needed);
    if (failed !== undefined) return failed;
    const wheel = readdirSync(scratch).find(name => name.endsWith('.whl'));
    const unpacked = run('zipfile', '-e', join(scratch, wheel!), join(scratch, 'wheel'));
    if (unpacked !== undefined) return unpacked;
    mkdirSync(dirname(pipelineSchemas), { recursive: true });
    // The last step, so that a folder that is there is whole.
    const whole = `${pipelineSchemas}.${process.pid}`;
    cpSync(join(scratch, 'wheel/check_jsonschema/builtin_schemas/vendor'), whole, { recursive: true });
    if (existsSync(pipelineSchemas)) rmSync(whole, { recursive: true });
    else renameSync(whole, pipelineSchemas);
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main && !existsSync(pipelineSchemas)) {
  const failed = bring();
  console.log(
    failed === undefined
      ? `schemas of CI systems: ${pipelineSchemas}`
      : `no schemas of CI systems, so their test will skip: ${failed}`,
  );
}
