/**
 * What `init` writes, the action and the template, run as the CI systems run them: their own shells and options, their
 * variables, clones such as they make, conditions read by GitHub's own evaluator of expressions. Only what they would
 * download is replaced: `npx` by the build, `gh` by one that writes down what it is asked.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { version } from '#judge/report.ts';
import { type System, stepOf, systems } from '../../src/cli/pipelines.ts';
import { folderOf, pod } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
type Environment = Readonly<Record<string, string>>;

const bin = folderOf({
  npx: `#!/bin/sh
[ "$1 $2" = "--yes sallyport@${version}" ] || { echo "npx $*: not what is published" >&2; exit 97; }
shift 2
exec "${process.execPath}" "${join(root, 'dist/cli.cjs')}" "$@"
`,
  gh: `#!/bin/sh
echo "$@" >> "$ASKED"
[ -z "$GH_FAILS" ] || { echo 'HTTP 403: Resource not accessible by integration' >&2; exit 1; }
case "$*" in *--jq*) jq -r "$(echo "$*" | sed 's/.*--jq //')" "$COMMENTS";; esac
`,
});
for (const name of ['npx', 'gh']) chmodSync(join(bin, name), 0o755);

const common: Environment = {
  PATH: `${bin}:${process.env['PATH']}`,
  GIT_CONFIG_GLOBAL: '/dev/null',
  ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com' },
  ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' },
};

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function ran(cwd: string, command: string, words: readonly string[], env: Environment): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...common, ...env },
  });
  assert.equal(error, undefined);
  return { code: status, out: stdout, err: stderr };
}

function git(cwd: string, ...words: string[]): string {
  const { code, out, err } = ran(cwd, 'git', words, {});
  assert.equal(code, 0, err);
  return out.trim();
}

/** A repository whose branch `topic` adds a Pod that is bad to one that is no better, while `main` went on. */
function origin(head = pod('mine', '  hostPID: true\n')): string {
  const folder = folderOf({ 'old.yaml': pod('old', '  hostPID: true\n') });
  git(folder, 'init', '--quiet', '--initial-branch=main');
  const commit = (name: string, text: string) => {
    writeFileSync(join(folder, `${name}.yaml`), text);
    git(folder, 'add', '.');
    git(folder, 'commit', '--quiet', '-m', name);
  };
  commit('first', pod('first'));
  git(folder, 'checkout', '--quiet', '-b', 'topic');
  commit('mine', head);
  git(folder, 'checkout', '--quiet', 'main');
  commit('theirs', pod('theirs', '  hostIPC: true\n'));
  return folder;
}

/** All branches, and of a pull request what it would be merged: what actions/checkout makes of `fetch-depth: 0`. */
function clone(from: string, branch: string): string {
  const folder = folderOf({});
  git(folder, 'clone', '--quiet', `file://${from}`, '.');
  git(folder, 'checkout', '--quiet', '--detach', 'origin/main');
  if (branch !== 'main') git(folder, 'merge', '--quiet', '--no-edit', `origin/${branch}`);
  return folder;
}

/** One branch, with its history and no other one. */
function narrow(from: string, branch: string): string {
  const folder = folderOf({});
  git(folder, 'clone', '--quiet', '--single-branch', '--branch', branch, `file://${from}`, '.');
  return folder;
}

interface Run {
  /** What the system does with the lines: the shell, and how it calls it. */
  readonly shell: readonly [command: string, ...words: string[]];
  /** The lines of the file that it runs. */
  lines(text: string): readonly string[];
  clone(from: string, branch: string): string;
  readonly always: Environment;
  readonly change: (folder: string) => Environment;
  readonly branch: Environment;
  /** What it says it compares with. */
  readonly base: RegExp;
}

type Tree = Record<string, never>;
const tree = (text: string) => parse(text) as Tree;
interface Script {
  readonly script: string[];
}

/** Of the runners: what they call, and the variables that they set. Where they are from says `pipelineOf`. */
const RUNS: Readonly<Record<System, Run>> = {
  github: {
    // "Workflow syntax": the shell of a step that names none.
    shell: ['bash', '-e'],
    lines: text => {
      const { jobs } = tree(text) as unknown as { jobs: { sallyport: { steps: { run?: string }[] } } };
      return jobs.sallyport.steps.flatMap(({ run }) => run ?? []);
    },
    clone,
    always: { CI: 'true', GITHUB_ACTIONS: 'true' },
    change: () => ({ GITHUB_EVENT_NAME: 'pull_request', GITHUB_BASE_REF: 'main', GITHUB_HEAD_REF: 'topic' }),
    branch: { GITHUB_EVENT_NAME: 'push', GITHUB_BASE_REF: '', GITHUB_HEAD_REF: '' },
    base: /origin\/main/,
  },
  gitlab: {
    shell: ['sh', '-e'],
    lines: text => (tree(text) as unknown as { sallyport: Script }).sallyport.script,
    // GIT_DEPTH 0: the history of the branch, detached, without branches of the remote but its own.
    clone: narrow,
    always: { CI: 'true', GITLAB_CI: 'true' },
    change: folder => ({
      CI_PIPELINE_SOURCE: 'merge_request_event',
      CI_MERGE_REQUEST_DIFF_BASE_SHA: git(folder, 'rev-parse', 'HEAD~1'),
      CI_MERGE_REQUEST_TARGET_BRANCH_SHA: '',
    }),
    branch: { CI_PIPELINE_SOURCE: 'push', CI_COMMIT_BRANCH: 'main' },
    base: /[0-9a-f]{40}/,
  },
  jenkins: {
    // durable-task, BourneShellScript: `sh -xe`.
    shell: ['sh', '-xe'],
    lines: text => [...text.matchAll(/^\s*sh '([^']*)'$/gm)].map(([, line]) => line!),
    clone: narrow,
    always: { BUILD_TAG: 'jenkins-shop-7', JENKINS_URL: 'https://j.example.com/' },
    change: () => ({ CHANGE_ID: '7', CHANGE_TARGET: 'main', BRANCH_NAME: 'PR-7' }),
    branch: { BRANCH_NAME: 'main' },
    base: /origin\/main/,
  },
  circleci: {
    // "Configuration reference", run: default shell options.
    shell: ['bash', '-eo', 'pipefail'],
    lines: text => {
      type Steps = { sallyport: { steps: { run?: string }[] } };
      const { jobs } = tree(text) as unknown as { jobs: Steps };
      return jobs.sallyport.steps.flatMap(({ run }) => run ?? []);
    },
    clone: (from, branch) => {
      const folder = clone(from, 'main');
      git(folder, 'checkout', '--quiet', branch);
      return folder;
    },
    always: { CI: 'true', CIRCLECI: 'true' },
    change: () => ({ CIRCLE_BRANCH: 'topic', CIRCLE_PULL_REQUEST: 'https://github.com/a/b/pull/7' }),
    branch: { CIRCLE_BRANCH: 'main' },
    base: /origin\/main/,
  },
  azure: {
    // BashV3 and the shorthand `script`: without -e; the exit code of the script is that of its last line.
    shell: ['bash', '--noprofile', '--norc'],
    lines: text => {
      const { steps } = tree(text) as unknown as { steps: { script?: string }[] };
      return steps.flatMap(({ script }) => script ?? []);
    },
    clone,
    always: { TF_BUILD: 'True' },
    change: () => ({ BUILD_REASON: 'PullRequest', SYSTEM_PULLREQUEST_TARGETBRANCH: 'refs/heads/main' }),
    branch: { BUILD_REASON: 'IndividualCI' },
    base: /origin\/main/,
  },
  bitbucket: {
    shell: ['bash', '-e'],
    lines: text => {
      type Steps = { step: Script }[];
      const { pipelines } = tree(text) as unknown as {
        pipelines: { 'pull-requests': { '**': Steps }; branches: { main: Steps } };
      };
      const [own] = pipelines['pull-requests']['**'];
      assert.deepEqual(pipelines.branches.main, [own]);
      return own!.step.script;
    },
    clone: narrow,
    always: { CI: 'true', BITBUCKET_BUILD_NUMBER: '7' },
    change: () => ({ BITBUCKET_PR_ID: '7', BITBUCKET_PR_DESTINATION_BRANCH: 'main' }),
    branch: { BITBUCKET_BRANCH: 'main' },
    base: /origin\/main/,
  },
  tekton: {
    // A script is a file that is run by what its first line names.
    shell: ['sh'],
    lines: text => {
      const { spec } = tree(text) as unknown as { spec: { steps: { script: string }[] } };
      const [step] = spec.steps;
      assert.match(step!.script, /^#!\/bin\/sh\n/);
      return step!.script.split('\n').slice(1);
    },
    clone,
    always: {},
    change: () => ({ BASE: 'origin/main' }),
    branch: { BASE: '' },
    base: /origin\/main/,
  },
  woodpecker: {
    shell: ['sh', '-e'],
    lines: text => {
      const { steps } = tree(text) as unknown as { steps: { commands: string[] }[] };
      return steps[0]!.commands;
    },
    clone: narrow,
    always: { CI: 'woodpecker', CI_PIPELINE_NUMBER: '7' },
    change: () => ({ CI_PIPELINE_EVENT: 'pull_request', CI_COMMIT_TARGET_BRANCH: 'main' }),
    branch: { CI_PIPELINE_EVENT: 'push', CI_COMMIT_BRANCH: 'main' },
    base: /origin\/main/,
  },
  drone: {
    shell: ['sh', '-e'],
    lines: text => {
      const { steps } = tree(text) as unknown as { steps: { commands: string[] }[] };
      return steps[0]!.commands;
    },
    clone: narrow,
    always: { CI: 'true', DRONE: 'true' },
    change: () => ({
      DRONE_BUILD_EVENT: 'pull_request',
      DRONE_PULL_REQUEST: '7',
      DRONE_TARGET_BRANCH: 'main',
    }),
    branch: { DRONE_BUILD_EVENT: 'push', DRONE_TARGET_BRANCH: 'main' },
    base: /origin\/main/,
  },
};

/** Runs lines one after the other, as one script. */
function runLines(folder: string, { shell }: Run, lines: readonly string[], env: Environment): Ran {
  const script = join(folderOf({ script: `${lines.join('\n')}\n` }), 'script');
  const [command, ...words] = shell;
  return ran(folder, command, [...words, script], env);
}

const jobs: readonly (readonly [name: string, system: System, text: string])[] = [
  ...systems.map(system => [system, system, stepOf(system, 'main').text] as const),
  [
    'the GitLab template',
    'gitlab',
    String(parseAllDocuments(readFileSync(join(root, 'templates/gitlab-ci.yml'), 'utf8'))[1])
      .replaceAll('$[[ inputs.version ]]', version)
      .replaceAll('$[[ inputs.stage ]]', 'test'),
  ],
];

describe('the job of a pipeline', () => {
  const from = origin();
  for (const [name, system, text] of jobs) {
    const one = RUNS[system];
    const lines = one.lines(text);
    const isTekton = system === 'tekton';
    it(`of ${name} judges what a pull request changes`, () => {
      const folder = one.clone(from, 'topic');
      const { code, out, err } = runLines(folder, one, lines, { ...one.always, ...one.change(folder) });
      assert.equal(code, 1, err);
      if (!isTekton) assert.match(err, new RegExp(`compared with ${one.base.source}`));
      assert.match(out, /mine/);
      assert.doesNotMatch(out, /\bold\b|theirs/);
      if (!isTekton) assert.ok(existsSync(join(folder, 'sallyport.sarif')));
    });
    it(`of ${name} judges all of a branch`, () => {
      const folder = one.clone(from, 'main');
      const { code, out, err } = runLines(folder, one, lines, { ...one.always, ...one.branch });
      assert.equal(code, 1, err);
      assert.match(out, /\bold\b/);
      assert.match(out, /theirs/);
      if (!isTekton) assert.ok(existsSync(join(folder, 'sallyport-junit.xml')));
    });
  }
});

interface ActionStep {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly with?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly 'working-directory'?: string;
}
interface Action {
  readonly inputs: Record<string, { readonly default: string }>;
  readonly outputs: Record<string, { readonly value: string }>;
  readonly runs: { readonly steps: readonly ActionStep[] };
}

/** GitHub's own evaluator comes with its parser of workflows. */
async function evaluator() {
  try {
    const { Lexer, Parser, Evaluator, data } = await import('@actions/expressions');
    const dataOf = (
      value: unknown,
    ): InstanceType<typeof data.Dictionary> | InstanceType<typeof data.StringData> =>
      typeof value === 'object' && value !== null
        ? new data.Dictionary(...Object.entries(value).map(([key, one]) => ({ key, value: dataOf(one) })))
        : new data.StringData(String(value));
    return (expression: string, contexts: Record<string, unknown>) => {
      const { tokens } = new Lexer(expression).lex();
      const parsed = new Parser(tokens, Object.keys(contexts), []).parse();
      return new Evaluator(parsed, dataOf(contexts) as InstanceType<typeof data.Dictionary>).evaluate();
    };
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return undefined;
  }
}
const evaluate = await evaluator();
const lacking =
  evaluate === undefined
    ? '@actions/expressions is not installed: npm ci'
    : spawnSync('jq', ['--version']).status === 0
      ? false
      : 'jq is not installed';

describe('the action, step by step', { skip: lacking }, () => {
  const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as Action;

  interface Outcome {
    readonly code: number;
    readonly log: string;
    readonly summary: string;
    /** What the steps that use other actions were given. */
    readonly used: readonly { readonly uses: string; readonly with: Record<string, string> }[];
    readonly asked: string;
    readonly outputs: Record<string, string>;
  }

  /** As the runner does it: a step that fails ends the action; every step has its own files for outputs and summary. */
  function runAction(
    workspace: string,
    inputs: Record<string, string>,
    event: Record<string, unknown>,
    env: Environment,
  ): Outcome {
    const temporary = folderOf({ 'comments.json': '[]', asked: '', summary: '' });
    const github = { token: 'secret', repository: 'a/b', ...event };
    const contexts: Record<string, unknown> = { github, inputs: {}, steps: {} };
    const filled = (text: string) =>
      String(text).replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) =>
        evaluate!(expression.trim(), contexts).coerceString(),
      );
    contexts['inputs'] = Object.fromEntries(
      Object.entries(action.inputs).map(([name, { default: value }]) => [
        name,
        inputs[name] ?? filled(value),
      ]),
    );
    const steps: Record<string, unknown> = {};
    contexts['steps'] = steps;
    const used: { uses: string; with: Record<string, string> }[] = [];
    const filledAll = (all: Record<string, string> = {}) =>
      Object.fromEntries(Object.entries(all).map(([name, value]) => [name, filled(value)]));
    let [log, code] = ['', 0];
    for (const [index, step] of action.runs.steps.entries()) {
      if (code !== 0) break;
      if (step.if !== undefined) {
        const met = evaluate!(step.if.replace(/^\$\{\{(.*)\}\}$/, '$1'), contexts).coerceString();
        if (met !== 'true') continue;
      }
      if (step.uses !== undefined) used.push({ uses: step.uses, with: filledAll(step.with) });
      if (step.run === undefined) continue;
      assert.equal(step.shell, 'bash');
      const files = folderOf({ output: '', script: step.run });
      const done = ran(
        resolve(workspace, filled(step['working-directory'] ?? '.')),
        'bash',
        ['--noprofile', '--norc', '-eo', 'pipefail', join(files, 'script')],
        {
          ...{ CI: 'true', GITHUB_ACTIONS: 'true', RUNNER_TEMP: temporary },
          ...{ GITHUB_OUTPUT: join(files, 'output'), GITHUB_STEP_SUMMARY: join(temporary, 'summary') },
          ...{ ASKED: join(temporary, 'asked'), COMMENTS: join(temporary, 'comments.json') },
          ...env,
          ...filledAll(step.env),
        },
      );
      log += done.out + done.err;
      code = done.code ?? -1;
      const outputs = Object.fromEntries(
        readFileSync(join(files, 'output'), 'utf8')
          .split('\n')
          .filter(line => line !== '')
          .map(line => {
            assert.match(line, /^[\w-]+=/, `step ${index}: no output is ${line}`);
            return [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)];
          }),
      );
      if (step.id !== undefined) steps[step.id] = { outputs };
    }
    const of = (name: string) => readFileSync(join(temporary, name), 'utf8');
    const outputs = Object.fromEntries(
      Object.entries(action.outputs).map(([name, { value }]) => [name, filled(value)]),
    );
    return { code, log, summary: of('summary'), used, asked: of('asked'), outputs };
  }

  const PULL = { event_name: 'pull_request', event: { pull_request: { number: 7 } } };
  const PULL_ENV = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_BASE_REF: 'main' };
  const PUSH = { event_name: 'push', event: {} };
  const PUSH_ENV = { GITHUB_EVENT_NAME: 'push', GITHUB_BASE_REF: '' };
  const from = origin();

  it('on a pull request: annotations, summary, SARIF, a comment, and the verdict last', () => {
    const { code, log, summary, used, asked, outputs } = runAction(
      clone(from, 'topic'),
      { comment: 'true' },
      PULL,
      PULL_ENV,
    );
    assert.equal(code, 1, log);
    assert.match(log, /^::error file=mine\.yaml/m);
    assert.doesNotMatch(log, /old\.yaml/);
    assert.match(summary, /^<!-- sallyport-diff -->/);
    assert.deepEqual(
      used.map(({ uses }) => uses.split('@')[0]),
      ['actions/setup-node', 'github/codeql-action/upload-sarif'],
    );
    const sarif = JSON.parse(readFileSync(used[1]!.with['sarif_file']!, 'utf8')) as { version: string };
    assert.equal(sarif.version, '2.1.0');
    assert.match(asked, /POST repos\/a\/b\/issues\/7\/comments -F body=@.*\n$/);
    assert.equal(outputs['exit-code'], '1');
    assert.match(readFileSync(outputs['markdown-file']!, 'utf8'), /^<!-- sallyport-diff -->/);
  });

  it('on a pull request that changes nothing of security: no finding, and the gate is open', () => {
    const quiet = origin(pod('mine'));
    const { code, outputs, log } = runAction(clone(quiet, 'topic'), {}, PULL, PULL_ENV);
    assert.equal(code, 0, log);
    assert.equal(outputs['exit-code'], '0');
  });

  it('on a push: all is judged, and nobody is there to be told by a comment', () => {
    const { code, log, asked, used } = runAction(
      clone(from, 'main'),
      { comment: 'true', 'upload-sarif': 'false' },
      PUSH,
      PUSH_ENV,
    );
    assert.equal(code, 1, log);
    assert.match(log, /^::error file=old\.yaml/m);
    assert.equal(asked, '');
    assert.equal(used.length, 1);
  });

  it('with mode scan judges all of a pull request, and of a merge queue', () => {
    const folder = clone(from, 'topic');
    const event = join(folder, '.git/event.json');
    writeFileSync(
      event,
      JSON.stringify({ merge_group: { base_sha: git(folder, 'rev-parse', 'origin/main') } }),
    );
    const queue = { GITHUB_EVENT_NAME: 'merge_group', GITHUB_EVENT_PATH: event };
    for (const [event, env] of [
      [PULL, PULL_ENV],
      [{ event_name: 'merge_group', event: {} }, queue],
    ] as const) {
      const { code, log } = runAction(folder, { mode: 'scan' }, event, env);
      assert.equal(code, 1, log);
      assert.match(log, /^::error file=old\.yaml/m);
    }
    assert.doesNotMatch(
      runAction(folder, {}, { event_name: 'merge_group', event: {} }, queue).log,
      /old\.yaml/,
    );
  });

  it('takes profile, severity and folder', () => {
    const folder = clone(from, 'main');
    mkdirSync(join(folder, 'deploy'));
    writeFileSync(join(folder, 'deploy/a.yaml'), pod('a'));
    const { code, log, outputs } = runAction(
      folder,
      { 'working-directory': 'deploy', profile: 'strict', 'fail-on': 'critical' },
      PUSH,
      PUSH_ENV,
    );
    assert.equal(code, 0, log);
    assert.doesNotMatch(log, /old\.yaml/);
    assert.match(log, /cicd\/image-digest/);
    assert.equal(outputs['sarif-file'], join(folder, 'deploy/sallyport.sarif'));
  });

  it('fails where it could not judge, without a comment or an upload of a run before', () => {
    const folder = narrow(from, 'topic');
    writeFileSync(join(folder, 'sallyport.sarif'), 'of yesterday');
    const { code, log, used, asked } = runAction(folder, { comment: 'true' }, PULL, PULL_ENV);
    assert.equal(code, 3, log);
    assert.match(log, /git fetch --no-tags origin/);
    assert.deepEqual([used.length, asked], [1, '']);
  });

  it('says so where it may not comment, and judges all the same', () => {
    const quiet = origin(pod('mine'));
    const { code, log } = runAction(clone(quiet, 'topic'), { comment: 'true' }, PULL, {
      ...PULL_ENV,
      GH_FAILS: 'true',
    });
    assert.equal(code, 0, log);
    assert.match(log, /^::warning::.*pull-requests: write/m);
  });

  it('cannot be made to run what a branch or an input is called', () => {
    const folder = clone(from, 'main');
    const { code, log } = runAction(
      folder,
      { 'fail-on': '$(touch pwned)', profile: '"; touch pwned; "' },
      PUSH,
      PUSH_ENV,
    );
    assert.equal(code, 3, log);
    assert.ok(!existsSync(join(folder, 'pwned')));
  });
});

describe('the image', () => {
  it('runs from what it copies, as nobody, over a folder that it may only read', () => {
    const last = readFileSync(join(root, 'Dockerfile'), 'utf8')
      .split(/^FROM /m)
      .at(-1)!;
    const image = folderOf({});
    const place = (path: string) => join(image, path);
    for (const [, source, target] of last.matchAll(/^COPY --from=build \/build\/(\S+) (\S+)$/gm)) {
      mkdirSync(resolve(place(target!), '..'), { recursive: true });
      assert.equal(ran(root, 'cp', ['-r', source!, place(target!)], {}).code, 0);
    }
    const [, entry] = /^ENTRYPOINT (.*)$/m.exec(last)!;
    const [, program] = JSON.parse(entry!) as string[];
    const [, command] = /^CMD (.*)$/m.exec(last)!;
    const [, user] = /^USER (\d+):/m.exec(last)!;
    const work = folderOf({ 'a.yaml': pod('a', '  hostPID: true\n') });
    for (const folder of [image, work]) ran(root, 'chmod', ['-R', 'a=rX', folder], {});
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [place(program!), ...(JSON.parse(command!) as string[])],
      {
        cwd: work,
        encoding: 'utf8',
        env: {},
        ...(process.getuid?.() === 0 ? { uid: Number(user), gid: Number(user) } : {}),
      },
    );
    assert.equal(status, 1, stderr);
    assert.match(stdout, /hostPID=true/);
    const size = Number(ran(image, 'du', ['-sk', image], {}).out.split('\t')[0]);
    assert.ok(size < 12_000, `${size} KiB`);
  });
});
