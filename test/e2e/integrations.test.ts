/** What others load from this repository: the action, the template, the hooks and the image. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import type { Comparison } from '#check/comparison.ts';
import { version } from '#judge/report.ts';
import { comparisonReporter } from '#report/comparison.ts';
import { empty, options } from '#test/contracts/reports.ts';
import { commands } from '../../src/cli/commands.ts';
import { ACTIONS, stepOf } from '../../src/cli/pipelines.ts';
import { folderOf, pod } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
const text = (file: string) => readFileSync(join(root, file), 'utf8');

interface Action {
  readonly inputs: Record<string, { description: string; default: string }>;
  readonly outputs: Record<string, { description: string; value: string }>;
  readonly runs: {
    readonly using: string;
    readonly steps: {
      uses?: string;
      run?: string;
      shell?: string;
      id?: string;
      env?: Record<string, string>;
    }[];
  };
}

const NOTHING: Comparison = {
  ...{ schema: 'sallyport-comparison/1', version: '0.0.0', base: { name: 'a' }, head: { name: 'b' } },
  objects: { added: 0, removed: 0, changed: 0 },
  ...{ changes: [], new: [], fixed: [], unchanged: 0, unknowns: [], excepted: [] },
  report: empty,
};

describe('the GitHub action', () => {
  const action = parse(text('action.yml')) as Action;
  const { steps } = action.runs;

  it('is composite, pinned, and names only inputs and outputs that exist', () => {
    assert.equal(action.runs.using, 'composite');
    assert.equal(action.inputs['version']!.default, version);
    for (const [, name] of text('action.yml').matchAll(/inputs\.([\w-]+)/g))
      assert.ok(name! in action.inputs, name);
    const used = steps.flatMap(({ uses }) => uses ?? []);
    const pinned = Object.values(ACTIONS).map(pin => pin.split(' ')[0]);
    for (const uses of used) assert.ok(pinned.includes(uses), uses);
    const judge = steps.find(({ id }) => id === 'judge')!;
    for (const { value } of Object.values(action.outputs))
      assert.ok(judge.run!.includes(`${/outputs\.([\w-]+)/.exec(value)![1]}=`), value);
  });

  it('never puts an expression into a script, where it would be code', () => {
    for (const { run, shell } of steps)
      if (run !== undefined) {
        assert.equal(shell, 'bash');
        assert.doesNotMatch(run, /\$\{\{/);
        const { stderr } = spawnSync('bash', ['-n'], { input: run, encoding: 'utf8' });
        assert.equal(stderr, '');
      }
  });

  it('judges, says so in the summary, and hands the exit code on', () => {
    const folder = folderOf({
      'a.yaml': pod('a', '  hostPID: true\n'),
      'bin/npx': `#!/bin/sh\nshift 2\nexec "${process.execPath}" "${join(root, 'dist/cli.cjs')}" "$@"\n`,
    });
    chmodSync(join(folder, 'bin/npx'), 0o755);
    const { status, stdout } = spawnSync(
      'bash',
      ['-eo', 'pipefail', '-c', steps.find(({ id }) => id === 'judge')!.run!],
      {
        cwd: folder,
        encoding: 'utf8',
        env: {
          PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
          GITHUB_ACTIONS: 'true',
          GITHUB_BASE_REF: 'main',
          GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
          GITHUB_OUTPUT: join(folder, 'output'),
          RUNNER_TEMP: folder,
          SALLYPORT_VERSION: version,
          MODE: 'scan',
          PROFILE: '',
          FAIL_ON: 'high',
        },
      },
    );
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^::error file=a\.yaml/);
    const output = readFileSync(join(folder, 'output'), 'utf8');
    assert.match(output, /^exit-code=1$/m);
    assert.ok(existsSync(/^sarif-file=(.+)$/m.exec(output)![1]!));
    assert.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /^<!-- sallyport -->/);
  });
});

describe('the comment of the action', () => {
  const script = (parse(text('action.yml')) as Action).runs.steps.find(({ run }) => run?.includes('gh api'))!
    .run!;
  const comments = (bodies: readonly string[]) => bodies.map((body, i) => ({ id: i + 1, body }));

  /** Runs the script with a `gh` that answers from a file and writes down what it is asked. */
  function asked(bodies: readonly string[], body: string): string {
    const folder = folderOf({
      'comments.json': JSON.stringify(comments(bodies)),
      'body.md': body,
      'bin/gh': `#!/bin/sh\necho "$@" >> asked\ncase "$*" in *--jq*) for last; do :; done; jq -r "$(echo "$*" | sed 's/.*--jq //')" comments.json;; esac\n`,
    });
    chmodSync(join(folder, 'bin/gh'), 0o755);
    const { status, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', script], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
        REPOSITORY: 'a/b',
        NUMBER: '7',
        BODY: join(folder, 'body.md'),
      },
    });
    assert.equal(status, 0, stderr);
    return readFileSync(join(folder, 'asked'), 'utf8');
  }

  const jq = spawnSync('jq', ['--version']).status === 0 ? false : 'jq is not installed';
  const quiet = comparisonReporter({ ...NOTHING }, 'markdown')!.render(NOTHING.report, options);
  for (const body of [quiet, '<!-- sallyport -->\nx'])
    it(`replaces its own of the run before, which begins ${body.split('\n')[0]}`, { skip: jq }, () => {
      assert.match(
        asked(['hello', `I like <!-- sallyport -->`, body], body),
        /PATCH repos\/a\/b\/issues\/comments\/3 /,
      );
      assert.match(asked(['hello'], body), /POST repos\/a\/b\/issues\/7\/comments /);
    });
});

describe('the GitLab template', () => {
  it('is two documents, and the job that init writes', () => {
    const [head, body] = parseAllDocuments(text('templates/gitlab-ci.yml')).map(document => {
      assert.deepEqual(document.errors, []);
      return document.toJS() as Record<string, unknown>;
    });
    assert.equal(
      (head!['spec'] as { inputs: { version: { default: string } } }).inputs.version.default,
      version,
    );
    const { stage, script, ...job } = body!['sallyport'] as { stage: string; script: string[] };
    const written = (parse(stepOf('gitlab', 'main').text) as { sallyport: { script: string[] } }).sallyport;
    const { script: own, ...rest } = written;
    assert.deepEqual(job, rest);
    assert.equal(stage, '$[[ inputs.stage ]]');
    assert.deepEqual(
      script.map(line => line.replace('$[[ inputs.version ]]', version)),
      own,
    );
  });
});

describe('the pre-commit hooks', () => {
  it('call commands that exist with options that exist', () => {
    const hooks = parse(text('.pre-commit-hooks.yaml')) as { id: string; entry: string; files: string }[];
    assert.deepEqual(
      hooks.map(({ id }) => id),
      ['sallyport', 'sallyport-fix'],
    );
    for (const { entry, files } of hooks) {
      assert.ok(commands.some(({ name }) => name === entry.split(' ')[1]));
      assert.match('charts/a.yaml', new RegExp(files));
    }
  });
});

describe('the image', () => {
  it('has two stages, is rootless, and copies what the build makes', () => {
    const lines = text('Dockerfile')
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'));
    for (const line of lines) assert.match(line, /^(?:FROM|WORKDIR|COPY|RUN|USER|ENTRYPOINT|CMD) /);
    const last = lines.slice(lines.findLastIndex(line => line.startsWith('FROM ')));
    assert.ok(last.includes('USER 65532:65532'));
    for (const [, from] of last.join('\n').matchAll(/--from=build \/build\/(\S+)/g))
      assert.ok(existsSync(join(root, from!)), from);
    for (const line of lines.filter(line => /^(?:ENTRYPOINT|CMD)/.test(line)))
      assert.ok(Array.isArray(JSON.parse(line.slice(line.indexOf('[')))));
  });
});
