/** Setting up a repository: what is written is valid, nothing is overwritten, and twice is once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { checks } from '#practices/index.ts';
import { readDocuments } from '#yaml/read.ts';
import { parseConfig } from '../../src/cli/config.ts';
import { type System, stepOf, systems } from '../../src/cli/pipelines.ts';
import { folderOf, pod, run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');

function values(text: string): unknown[] {
  return readDocuments(text).map(document => {
    assert.ok(document.is === 'value', `not valid: ${text}`);
    return document.value;
  });
}

function gitConfig(url: string): string {
  return `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${url}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`;
}

function contents(folder: string): Record<string, string> {
  const files = globSync('**/*', { cwd: folder, withFileTypes: true }).filter(entry => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      readFileSync(join(parentPath, name), 'utf8'),
    ]),
  );
}

describe('init', () => {
  for (const system of systems)
    it(`writes a step for ${system} once`, () => {
      const folder = folderOf({ 'a.yaml': pod('a') });
      const first = run(folder, ['init', '--ci', system]);
      assert.equal(first.code, 0, first.err);
      const { file, text } = stepOf(system, 'main');
      assert.equal(readFileSync(join(folder, file), 'utf8'), text);
      assert.match(text, /sallyport@\d+\.\d+\.\d+ /);
      if (system !== 'jenkins') assert.equal(values(text).length, 1);
      const before = contents(folder);
      const second = run(folder, ['init', '--ci', system]);
      assert.equal(second.code, 0);
      assert.match(second.err, /Everything is there already/);
      assert.deepEqual(contents(folder), before);
    });

  it('writes steps with the structure that each system asks for', () => {
    const of = (system: System) => parse(stepOf(system, 'main').text) as Record<string, never>;
    const github = of('github') as unknown as {
      on: object;
      jobs: { sallyport: { steps: { uses?: string; run?: string }[] } };
    };
    assert.deepEqual(Object.keys(github.on), ['pull_request', 'merge_group', 'push']);
    for (const { uses, run: line } of github.jobs.sallyport.steps) {
      assert.ok((uses === undefined) !== (line === undefined));
      if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w/-]+@[0-9a-f]{40}$/);
    }
    const circle = of('circleci') as unknown as {
      jobs: object;
      workflows: { sallyport: { jobs: string[] } };
    };
    assert.deepEqual(circle.workflows.sallyport.jobs, Object.keys(circle.jobs));
    const bitbucket = of('bitbucket') as unknown as {
      pipelines: Record<string, Record<string, { step: { script: string[] } }[]>>;
    };
    for (const branches of Object.values(bitbucket.pipelines))
      for (const steps of Object.values(branches))
        for (const { step } of steps) assert.equal(step.script.length, 2);
    assert.deepEqual(Object.keys(of('azure')), ['trigger', 'pr', 'pool', 'steps']);
    assert.equal(of('drone')['kind'] as unknown, 'pipeline');
    assert.deepEqual(Object.keys(of('woodpecker')), ['when', 'clone', 'steps']);
    const jenkins = stepOf('jenkins', 'main').text;
    assert.equal(jenkins.split('{').length, jenkins.split('}').length);
  });

  it('writes steps that no name of a branch breaks', () => {
    for (const system of systems)
      if (system !== 'jenkins')
        for (const branch of ['a"b', "it's", '1.0', 'true', 'a#b', 'x: y'])
          assert.equal(values(stepOf(system, branch).text).length, 1);
    for (const branch of ['a"b', "it's", 'a#b', 'x: y', '1.0']) {
      const { jobs } = values(stepOf('circleci', branch).text)[0] as {
        jobs: { sallyport: { steps: [unknown, { run: string }] } };
      };
      const shell = `npx() { printf '%s' "$5"; }; ${jobs.sallyport.steps[1].run}`;
      assert.equal(spawnSync('sh', ['-c', shell], { encoding: 'utf8' }).stdout, `origin/${branch}`);
    }
    const { when } = values(stepOf('woodpecker', '1.0').text)[0] as { when: { branch?: string }[] };
    assert.equal(when[1]!.branch, '1.0');
  });

  it('writes a task for Tekton that passes its own scan', () => {
    const folder = folderOf({ 'task.yaml': stepOf('tekton', 'main').text });
    const { findings } = JSON.parse(run(folder, ['scan', '--format', 'json']).out) as { findings: unknown[] };
    assert.deepEqual(findings, []);
  });

  it('writes a configuration that is valid, with its comments and without their marks', async () => {
    const folder = folderOf({
      'a.yaml': pod('a'),
      'chart\n/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
    });
    assert.equal(run(folder, ['init']).code, 0);
    const text = readFileSync(join(folder, 'sallyport.yaml'), 'utf8');
    const schema = JSON.parse(readFileSync(join(root, 'schemas/sallyport.schema.json'), 'utf8')) as object;
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
    const all = text
      .split('\n')
      .slice(1)
      .join('\n')
      .replace(/^( *)# (?=[a-zA-Z/-]+:(?: \S+)?$| +[-a-z])/gm, '$1');
    assert.match(all, /^exceptions:$/m);
    assert.match(all, /^ignore:$/m);
    for (const form of [text, all.replace(/^ {2}(?:objects|charts|kustomizations).*\n/gm, '')]) {
      const config = await parseConfig(form, 'sallyport.yaml', async () => checks);
      assert.equal(config.failOn, 'high');
      assert.ok(validate(values(form)[0]), JSON.stringify(validate.errors));
    }
    assert.match(text, /# {3}charts: chart\\n$/m);
    assert.equal(run(folder, ['scan', '--fail-on', 'never', '--allow-unknown']).code, 0);
  });

  it('recognises the host of the repository, and its branch', () => {
    for (const [url, file] of [
      ['https://github.com/shop/gitlab.git', '.github/workflows/sallyport.yml'],
      ['git@gitlab.example.org:shop/github.git', '.gitlab-ci.yml'],
      ['https://user@dev.azure.com/a/b/_git/c', 'azure-pipelines.yml'],
      ['ssh://git@bitbucket.org/a/b', 'bitbucket-pipelines.yml'],
      ['https://codeberg.org/a/b', '.woodpecker/sallyport.yaml'],
    ] as const) {
      const folder = folderOf({
        '.git/config': gitConfig(url),
        '.git/HEAD': 'ref: refs/heads/topic\n',
        '.git/refs/remotes/origin/HEAD': 'ref: refs/remotes/origin/trunk\n',
      });
      const { code, out, err } = run(folder, ['init', '--dry-run']);
      assert.equal(code, 0, err);
      assert.ok(out.includes(`${file}: would be written`), out);
      assert.equal(out.includes('trunk'), !file.startsWith('.gitlab'));
      assert.ok(!existsSync(join(folder, 'sallyport.yaml')));
    }
  });

  it('takes the systems that have files here, rather than that of the host', () => {
    const folder = folderOf({
      '.git/config': gitConfig('https://github.com/a/b'),
      '.git/HEAD': 'ref: refs/heads/main\n',
      Jenkinsfile: 'pipeline { }\n',
    });
    const { out } = run(folder, ['init']);
    assert.match(out, /Jenkinsfile: is there, and was left as it is\. Please put this/);
    assert.equal(readFileSync(join(folder, 'Jenkinsfile'), 'utf8'), 'pipeline { }\n');
    assert.ok(!existsSync(join(folder, '.github')));
  });

  it('adds to files only where that touches nothing else', () => {
    const gitlab = '# ours\r\nstages: [build, deploy]\r\nbuild:\r\n  script: [make]';
    const preCommit = 'repos:\n- repo: https://example.org/x\n  rev: v1\n  hooks:\n  - id: x\n';
    const drone = 'kind: pipeline\nname: build\n';
    const folder = folderOf({
      '.gitlab-ci.yml': gitlab,
      '.pre-commit-config.yaml': preCommit,
      '.drone.yml': drone,
    });
    const { code, out, err } = run(folder, ['init']);
    assert.equal(code, 0, err);
    assert.match(out, /^\+sallyport:/m);
    const merged = readFileSync(join(folder, '.gitlab-ci.yml'), 'utf8');
    assert.ok(merged.startsWith(gitlab));
    assert.ok(!/(?<!\r)\n/.test(merged));
    assert.equal((values(merged)[0] as { sallyport: { stage: string } }).sallyport.stage, 'build');
    const hooks = values(readFileSync(join(folder, '.pre-commit-config.yaml'), 'utf8'))[0] as {
      repos: { hooks: { id: string }[] }[];
    };
    assert.deepEqual(
      hooks.repos.map(({ hooks: [hook] }) => hook!.id),
      ['x', 'sallyport'],
    );
    assert.equal(values(readFileSync(join(folder, '.drone.yml'), 'utf8')).length, 2);
    const before = contents(folder);
    assert.match(run(folder, ['init']).err, /Everything is there already/);
    assert.deepEqual(contents(folder), before);
  });

  it('says what to paste where adding is not safe', () => {
    const files = {
      '.gitlab-ci.yml': '{ build: { script: [make] } }\n',
      '.pre-commit-config.yaml': 'repos: []\n',
      '.drone.yml': 'a: [\n',
    };
    const folder = folderOf(files);
    const { code, out } = run(folder, ['init']);
    assert.equal(code, 0);
    for (const [file, text] of Object.entries(files)) {
      assert.ok(out.includes(`${file}: is there, and was left as it is. Please put this`), out);
      assert.equal(readFileSync(join(folder, file), 'utf8'), text);
    }
  });

  it('writes nothing through a link that leads out, and nothing below the root', () => {
    const outside = folderOf({});
    const folder = folderOf({ 'a.yaml': pod('a') });
    symlinkSync(outside, join(folder, '.github'));
    const { code, err } = run(folder, ['init', '--ci', 'github']);
    assert.equal(code, 3);
    assert.match(err, /would lie outside of this folder; nothing was written/);
    assert.ok(!existsSync(join(folder, 'sallyport.yaml')));
    const repository = folderOf({ '.git/HEAD': 'ref: refs/heads/main\n' });
    mkdirSync(join(repository, 'deploy'));
    assert.match(run(join(repository, 'deploy'), ['init']).err, /CI files belong to its root/);
  });
});
