/** In a pipeline: what is compared, and what is written, follows from the environment. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { pipelineOf } from '../../src/cli/commands/ci.ts';
import { folderOf, pod } from './program.ts';

const program = resolve(import.meta.dirname, '../../dist/cli.cjs');

describe('ci', () => {
  const cases: readonly (readonly [string, Record<string, string>, string, string | undefined])[] = [
    ['a branch on GitHub', { GITHUB_ACTIONS: 'true', GITHUB_BASE_REF: '' }, 'github', undefined],
    [
      'a pull request on GitHub',
      { GITHUB_ACTIONS: 'true', GITHUB_BASE_REF: 'main' },
      'github',
      'origin/main',
    ],
    ['a branch on GitLab', { GITLAB_CI: 'true' }, 'text', undefined],
    [
      'a merge request on GitLab',
      { GITLAB_CI: 'true', CI_MERGE_REQUEST_DIFF_BASE_SHA: 'abc' },
      'text',
      'abc',
    ],
    [
      'Azure',
      { TF_BUILD: 'True', SYSTEM_PULLREQUEST_TARGETBRANCH: 'refs/heads/main' },
      'text',
      'origin/main',
    ],
    ['a push on Drone', { DRONE: 'true', DRONE_TARGET_BRANCH: 'main' }, 'text', undefined],
    [
      'a pull request on Drone',
      { DRONE: 'true', DRONE_TARGET_BRANCH: 'main', DRONE_PULL_REQUEST: '7' },
      'text',
      'origin/main',
    ],
    ['nowhere', {}, 'text', undefined],
  ];
  for (const [name, env, log, base] of cases)
    it(`knows ${name}`, () => {
      const pipeline = pipelineOf(env);
      assert.deepEqual([pipeline.log, pipeline.base], [log, base]);
      assert.ok(pipeline.files.some(({ format }) => format === 'sarif'));
    });

  it('scans a branch, and writes annotations, summary and files', () => {
    const folder = folderOf({ 'a.yaml': pod('a', '  hostPID: true\n') });
    const summary = join(folder, 'summary.md');
    const { status, stdout } = spawnSync(process.execPath, [program, 'ci'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary },
    });
    assert.equal(status, 1);
    assert.match(stdout, /^::error file=a\.yaml,line=6/);
    assert.match(readFileSync(summary, 'utf8'), /^<!-- sallyport -->\n❌/);
    for (const file of ['sallyport.sarif', 'sallyport-junit.xml'])
      assert.ok(existsSync(join(folder, file)), file);
  });
});
