/** In a pipeline: what is compared, and what is written, follows from the environment. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { pipelineOf } from '../../src/cli/commands/ci.ts';
import { folderOf, pod } from './program.ts';

const program = resolve(import.meta.dirname, '../../dist/cli.cjs');

const GITHUB = { GITHUB_ACTIONS: 'true' };
const SHA = 'a'.repeat(40);

describe('ci', () => {
  const cases: readonly (readonly [
    string,
    Record<string, string>,
    system: string,
    bases: readonly string[],
  ])[] = [
    ['a push on GitHub', { ...GITHUB, GITHUB_EVENT_NAME: 'push', GITHUB_BASE_REF: '' }, 'GitHub Actions', []],
    ['a schedule on GitHub', { ...GITHUB, GITHUB_EVENT_NAME: 'schedule' }, 'GitHub Actions', []],
    [
      'a pull request on GitHub',
      { ...GITHUB, GITHUB_EVENT_NAME: 'pull_request', GITHUB_BASE_REF: 'release/1.0' },
      'GitHub Actions',
      ['origin/release/1.0'],
    ],
    [
      'a merge queue on GitHub whose event cannot be read',
      { ...GITHUB, GITHUB_EVENT_NAME: 'merge_group', GITHUB_EVENT_PATH: '/nowhere' },
      'GitHub Actions',
      [],
    ],
    ['a branch on GitLab', { GITLAB_CI: 'true', CI_COMMIT_BRANCH: 'main' }, 'GitLab CI', []],
    [
      'a merge request on GitLab, detached',
      {
        GITLAB_CI: 'true',
        CI_MERGE_REQUEST_EVENT_TYPE: 'detached',
        CI_MERGE_REQUEST_DIFF_BASE_SHA: SHA,
        CI_MERGE_REQUEST_TARGET_BRANCH_SHA: '',
      },
      'GitLab CI',
      [SHA],
    ],
    [
      'a merge request on GitLab, merged: what came to the target since is not its doing',
      {
        GITLAB_CI: 'true',
        CI_MERGE_REQUEST_EVENT_TYPE: 'merged_result',
        CI_MERGE_REQUEST_DIFF_BASE_SHA: SHA,
        CI_MERGE_REQUEST_TARGET_BRANCH_SHA: 'b'.repeat(40),
      },
      'GitLab CI',
      ['b'.repeat(40), SHA],
    ],
    ['a push on Azure', { TF_BUILD: 'True', BUILD_REASON: 'IndividualCI' }, 'Azure Pipelines', []],
    [
      'a pull request on Azure',
      { TF_BUILD: 'True', SYSTEM_PULLREQUEST_TARGETBRANCH: 'refs/heads/main' },
      'Azure Pipelines',
      ['origin/main'],
    ],
    [
      'a pull request of GitHub on Azure',
      { TF_BUILD: 'True', SYSTEM_PULLREQUEST_TARGETBRANCH: 'main' },
      'Azure Pipelines',
      ['origin/main'],
    ],
    [
      'a branch on Bitbucket',
      { BITBUCKET_BUILD_NUMBER: '3', BITBUCKET_BRANCH: 'main' },
      'Bitbucket Pipelines',
      [],
    ],
    [
      'a pull request on Bitbucket',
      {
        BITBUCKET_BUILD_NUMBER: '3',
        BITBUCKET_PR_DESTINATION_BRANCH: 'main',
        BITBUCKET_PR_DESTINATION_COMMIT: 'abc123def456',
      },
      'Bitbucket Pipelines',
      ['origin/main', 'abc123def456'],
    ],
    ['a branch on Jenkins', { JENKINS_URL: 'https://j/', BRANCH_NAME: 'main' }, 'Jenkins', []],
    [
      'a pull request of a multibranch project on Jenkins, whose address nobody set',
      { BUILD_TAG: 'jenkins-shop-PR-7-1', BRANCH_NAME: 'PR-7', CHANGE_ID: '7', CHANGE_TARGET: 'main' },
      'Jenkins',
      ['origin/main'],
    ],
    ['CircleCI', { CIRCLECI: 'true', CIRCLE_PULL_REQUEST: 'https://github.com/a/b/pull/7' }, 'CircleCI', []],
    ['a push on Woodpecker', { CI: 'woodpecker', CI_PIPELINE_NUMBER: '3' }, 'Woodpecker', []],
    [
      'a pull request on Woodpecker',
      { CI: 'woodpecker', CI_PIPELINE_NUMBER: '3', CI_COMMIT_TARGET_BRANCH: 'main' },
      'Woodpecker',
      ['origin/main'],
    ],
    ['a push on Drone', { DRONE: 'true', DRONE_TARGET_BRANCH: 'main' }, 'Drone', []],
    [
      'a pull request on Drone',
      { DRONE: 'true', DRONE_TARGET_BRANCH: 'main', DRONE_PULL_REQUEST: '7' },
      'Drone',
      ['origin/main'],
    ],
    ['nothing', {}, 'no known CI system', []],
  ];
  for (const [name, env, system, bases] of cases)
    it(`knows ${name}`, () => {
      const pipeline = pipelineOf(env);
      assert.deepEqual([pipeline.system, pipeline.bases], [system, bases]);
      assert.equal(pipeline.log, system === 'GitHub Actions' ? 'github' : 'text');
      for (const format of ['sarif', 'junit']) assert.ok(pipeline.files.some(one => one.format === format));
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

  /** A clone of a repository whose topic branch adds a Pod that is bad, while its target has got one of its own since. */
  const cloned = (): string => {
    const origin = folderOf({ 'old.yaml': pod('old', '  hostPID: true\n') });
    const git = (...words: string[]) => gitIn(origin, ...words);
    git('init', '--quiet', '--initial-branch=main');
    const commit = (name: string) => {
      writeFileSync(join(origin, `${name}.yaml`), pod(name, '  hostPID: true\n'));
      git('add', '.');
      git('commit', '--quiet', '-m', name);
    };
    commit('first');
    git('checkout', '--quiet', '-b', 'topic');
    commit('mine');
    git('checkout', '--quiet', 'main');
    commit('theirs');
    const clone = folderOf({});
    gitIn(clone, 'clone', '--quiet', origin, '.');
    gitIn(clone, 'checkout', '--quiet', 'topic');
    return clone;
  };
  const idOf = (folder: string, revision: string) => gitIn(folder, 'rev-parse', revision).trim();
  const ci = (cwd: string, env: Record<string, string>, ...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'ci', ...words], {
      cwd,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...env },
    });
    return { code: status, out: stdout, err: stderr };
  };
  const pullRequests: readonly (readonly [string, (folder: string) => Record<string, string>])[] = [
    ['GitHub', () => ({ ...GITHUB, GITHUB_EVENT_NAME: 'pull_request', GITHUB_BASE_REF: 'main' })],
    [
      'a merge queue of GitHub',
      folder => {
        const event = join(folder, '.git/event.json');
        writeFileSync(event, JSON.stringify({ merge_group: { base_sha: idOf(folder, 'origin/main') } }));
        return { ...GITHUB, GITHUB_EVENT_NAME: 'merge_group', GITHUB_EVENT_PATH: event };
      },
    ],
    [
      'GitLab',
      folder => ({ GITLAB_CI: 'true', CI_MERGE_REQUEST_DIFF_BASE_SHA: idOf(folder, 'origin/main~1') }),
    ],
    ['Azure', () => ({ TF_BUILD: 'True', SYSTEM_PULLREQUEST_TARGETBRANCH: 'refs/heads/main' })],
    [
      'Bitbucket, where only the commit is known',
      folder => ({
        BITBUCKET_BUILD_NUMBER: '3',
        BITBUCKET_PR_DESTINATION_BRANCH: 'gone',
        BITBUCKET_PR_DESTINATION_COMMIT: idOf(folder, 'origin/main').slice(0, 12),
      }),
    ],
    ['Jenkins', () => ({ BUILD_TAG: 'jenkins-x', CHANGE_TARGET: 'main' })],
    ['Woodpecker', () => ({ CI_PIPELINE_NUMBER: '3', CI_COMMIT_TARGET_BRANCH: 'main' })],
    ['Drone', () => ({ DRONE: 'true', DRONE_TARGET_BRANCH: 'main', DRONE_PULL_REQUEST: '7' })],
  ];
  const clone = cloned();
  for (const [system, env] of pullRequests)
    it(`judges only the change on ${system}`, () => {
      const { code, out, err } = ci(clone, env(clone));
      assert.equal(code, 1, err);
      assert.match(err, /a pull request, compared with /);
      assert.match(out, /mine/);
      assert.doesNotMatch(out, /old\.yaml|theirs/);
    });

  it('judges only the change where --base says what it goes into, and all of the base itself', () => {
    const circle = { CIRCLECI: 'true' };
    assert.doesNotMatch(ci(clone, circle, '--base', 'origin/main').out, /old\.yaml/);
    assert.match(ci(clone, circle).out, /old\.yaml/);
    const all = ci(clone, circle, '--base', 'origin/topic');
    assert.match(all.err, /all of it is in origin\/topic already, so everything is scanned/);
    assert.match(all.out, /old\.yaml/);
  });

  it('refuses a pull request whose target is checked out in its place', () => {
    const folder = cloned();
    gitIn(folder, 'checkout', '--quiet', 'main');
    const env = { ...GITHUB, GITHUB_EVENT_NAME: 'pull_request_target', GITHUB_BASE_REF: 'main' };
    const { code, err } = ci(folder, env);
    assert.equal(code, 3);
    assert.match(err, /origin\/main itself, and not the pull request/);
  });

  it('says what to fetch where the clone does not reach', () => {
    const env = { ...GITHUB, GITHUB_EVENT_NAME: 'pull_request', GITHUB_BASE_REF: 'main' };
    const origin = cloned();
    gitIn(origin, 'branch', '--force', 'main', 'origin/main');
    const shallow = folderOf({});
    gitIn(shallow, 'clone', '--quiet', '--depth=1', '--no-single-branch', `file://${origin}`, '.');
    const narrow = folderOf({});
    gitIn(narrow, 'clone', '--quiet', '--single-branch', `file://${origin}`, '.');
    for (const [folder, message] of [
      [shallow, /too shallow to see where .* parted; fetch more of it \(GitHub: fetch-depth: 0/],
      [narrow, /"origin\/main" is no branch.*\n.*git fetch --no-tags origin "\+refs\/heads\/main:/],
      [folderOf({ 'a.yaml': pod('a') }), /here is no Git repository to compare with/],
    ] as const) {
      const { code, err, out } = ci(folder, env);
      assert.equal(code, 3);
      assert.match(err, message);
      assert.equal(out, '');
      assert.ok(!existsSync(join(folder, 'sallyport.sarif')));
    }
  });
});

function gitIn(cwd: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', words, {
    cwd,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com' },
      ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' },
    },
  });
  assert.equal(status, 0, stderr);
  return stdout;
}
