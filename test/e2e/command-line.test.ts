/** The command line as people use it, mistakes included. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { version } from '#judge/report.ts';
import { folderOf, pod, run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');

describe('exit codes', () => {
  const cases: readonly (readonly [
    name: string,
    files: Readonly<Record<string, string>>,
    words: readonly string[],
    code: number,
  ])[] = [
    ['findings', { 'a.yaml': pod('a', '  hostPID: true\n') }, ['scan'], 1],
    [
      'findings below the threshold',
      { 'a.yaml': pod('a', '  hostPID: true\n') },
      ['scan', '--fail-on', 'critical'],
      0,
    ],
    ['findings that never fail', { 'a.yaml': pod('a', '  hostPID: true\n') }, ['scan', '--fail-on=never'], 0],
    ['something unknown', { 'a.yaml': pod('a'), 'b.yaml': 'kind: Pod\napiVersion: [\n' }, ['scan'], 2],
    [
      'something unknown, accepted',
      { 'a.yaml': pod('a'), 'b.yaml': 'kind: Pod\napiVersion: [\n' },
      ['scan', '--allow-unknown'],
      0,
    ],
    ['nothing at all', { 'a.txt': '' }, ['scan'], 2],
    [
      'a clean scan',
      { 'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: {}\n' },
      ['scan'],
      0,
    ],
    ['a missing path', {}, ['scan', 'nowhere'], 3],
    ['an unknown flag', {}, ['scan', '--formt', 'json'], 3],
    ['an unknown command', {}, ['sacn'], 3],
    ['help', {}, ['--help'], 0],
  ];
  for (const [name, files, words, code] of cases)
    it(`${code} for ${name}`, () => {
      const ran = run(folderOf(files), words);
      assert.equal(ran.code, code, ran.err);
      assert.doesNotMatch(ran.err, /\n {4}at /, 'no stack trace');
    });
});

describe('mistakes', () => {
  const cases: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [['sacn'], /"sacn" is no command\n {2}did you mean scan\?/],
    [
      ['pod-security'],
      /pod-security needs one of: levels, evaluate, psp evaluate, upgrade, show, psp migrate, export, profile lint, profile diff, profile explain, profile derive/,
    ],
    [['scan', '--formt', 'json'], /unknown option --formt\n {2}did you mean --format\?/],
    [['scan', '--format', 'jsn'], /"jsn" is none of .*\n {2}did you mean json\?/],
    [['scan', '--format'], /--format needs a value/],
    [['scan', '--verbose=yes'], /--verbose takes no value/],
    [['scan', '--check', 'pod-security/privilegd'], /did you mean pod-security\/privileged\?/],
    [['scan', 'nowhere'], /nowhere: no such file or folder/],
    [['scan', '--target-kubernetes', '2.0'], /"2\.0" is no version of Kubernetes/],
    [['scan', '--target-kubernetes', '1.99'], /newer than what is known/],
    [['explain', 'nothing'], /"nothing" is no check/],
    [['pod-security', 'evaluate'], /evaluate needs --level/],
    [['pod-security', 'levels', '--version', '1.25'], /"1\.25" must be "latest" or "v1\.x"/],
    [['scan', '-o', 'json', '-o', 'sarif'], /only one report can go to standard output/],
  ];
  for (const [words, says] of cases)
    it(words.join(' '), () => {
      const { code, err, out } = run(folderOf({ 'a.yaml': pod('a') }), words);
      assert.equal(code, 3);
      assert.match(err, says);
      assert.equal(out, '');
    });
});

describe('configuration', () => {
  const cases: readonly (readonly [config: string, says: RegExp])[] = [
    ['profil: strict\n', /sallyport\.yaml:1:1: unknown key "profil"\n {2}did you mean "profile"\?/],
    ['profile: strikt\n', /sallyport\.yaml:1:1: "strikt" is none of/],
    [
      'checks:\n  cicd/image-tg: off\n',
      /sallyport\.yaml:2:3: "cicd\/image-tg" is no check\n {2}did you mean "cicd\/image-tag"\?/,
    ],
    ['checks:\n  cicd/image-tag: { severty: low }\n', /sallyport\.yaml:2:21: unknown key "severty"/],
    ['failOn: [\n', /not valid YAML/],
    ['targetKubernetes: 1.34\n', /a version in quotes/],
    ['ignore: a\n', /ignore is not a list of strings/],
    ['profile: strict\nprofile: default\n', /sallyport\.yaml:2:1: "profile" is stated twice/],
  ];
  for (const [config, says] of cases)
    it(`refuses ${JSON.stringify(config)}`, () => {
      const { code, err } = run(folderOf({ 'sallyport.yaml': config, 'a.yaml': pod('a') }), ['scan']);
      assert.equal(code, 3);
      assert.match(err, says);
    });

  it('is obeyed, and the command line wins', () => {
    const folder = folderOf({
      'sallyport.yaml':
        'failOn: never\nignore: [skip/]\nchecks:\n  pod-security/run-as-root: off\n  pod-security/privilege-escalation: { severity: critical }\n  cicd/foreign-registry: { options: { registries: [example.com] } }\n',
      'a.yaml': pod('a'),
      'skip/b.yaml': pod('b'),
    });
    const { code, out } = run(folder, ['scan', '--format', 'json']);
    assert.equal(code, 0);
    const { findings, summary } = JSON.parse(out) as {
      findings: { check: string; severity: string }[];
      summary: { objects: number };
    };
    assert.equal(summary.objects, 1);
    assert.deepEqual(findings.map(({ check, severity }) => `${check} ${severity}`).sort(), [
      'cicd/foreign-registry medium',
      'pod-security/privilege-escalation critical',
    ]);
    assert.equal(run(folder, ['scan', '--fail-on', 'high']).code, 1);
  });
});

describe('output', () => {
  it('goes to several files at once, whole', () => {
    const folder = folderOf({ 'a.yaml': pod('a', '  hostPID: true\n') });
    const { code, out } = run(folder, [
      'scan',
      'a.yaml',
      '--format',
      'sarif=out.sarif',
      '--format',
      'html=out.html',
      '--format',
      'text',
    ]);
    assert.equal(code, 1);
    assert.match(out, /pod-security\/host-namespaces/);
    assert.deepEqual(readdirSync(folder).sort(), ['a.yaml', 'out.html', 'out.sarif']);
    assert.equal(
      (JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8')) as { version: string }).version,
      '2.1.0',
    );
  });

  it('keeps the old report where the new one cannot be written', {
    skip: existsSync('/dev/full') ? false : 'no /dev/full here',
  }, () => {
    const folder = folderOf({ 'a.yaml': pod('a') });
    symlinkSync('/dev/full', join(folder, 'full.json'));
    const { code, err } = run(folder, ['scan', 'a.yaml', '--format', 'json=full.json', '--fail-on', 'never']);
    assert.equal(code, 3);
    assert.match(err, /full\.json could not be written/);
    const { code: missing } = run(folder, ['scan', 'a.yaml', '--format', 'json=no/such/folder.json']);
    assert.equal(missing, 3);
  });

  it('ends quietly when its reader goes away', () => {
    const folder = folderOf(
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.yaml`, pod(`p${i}`)])),
    );
    const program = join(root, 'dist/cli.cjs');
    const { stderr, stdout } = spawnSync(
      'sh',
      ['-c', `"${process.execPath}" "${program}" scan --verbose . | head -n 1`],
      { cwd: folder, encoding: 'utf8' },
    );
    assert.equal(stderr, '');
    assert.equal(stdout.trim().split('\n').length, 1);
  });

  it('says its version, the one of the package', () => {
    const { version: packaged } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(version, packaged);
    assert.equal(run(root, ['--version']).out, `${packaged}\n`);
  });

  it('is the same for the same input', () => {
    const words = ['scan', 'examples/online-shop', '--format', 'json'];
    assert.equal(run(root, words).out, run(root, words).out);
  });

  it('keeps fingerprints when lines move', () => {
    const prints = (text: string) => {
      const { out } = run(folderOf({ 'a.yaml': text }), ['scan', '--format', 'json']);
      return (JSON.parse(out) as { findings: { fingerprint: string }[] }).findings
        .map(({ fingerprint }) => fingerprint)
        .sort();
    };
    assert.deepEqual(prints(pod('a')), prints(`# moved\n\n\n${pod('a')}`));
    assert.notDeepEqual(prints(pod('a')), prints(pod('b')));
  });

  it('never shows a secret', () => {
    const folder = folderOf({
      'a.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers:\n  - name: web\n    image: x:1\n    env: [{ name: DB_PASSWORD, value: Wn7-tulip-Ostrich }]\n',
    });
    for (const format of ['text', 'json', 'sarif', 'junit', 'github', 'gitlab', 'markdown', 'html', 'csv']) {
      const { out } = run(folder, ['scan', '--format', format, '--verbose']);
      assert.match(out, /literal.credential/, format);
      assert.doesNotMatch(out, /tulip/, format);
    }
  });
});

describe('pod-security', () => {
  it('upgrade says what newer standards refuse, and show where each value stands', () => {
    const folder = folderOf({
      'a.yaml':
        'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { pod-security.kubernetes.io/enforce: baseline } }\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop }\nspec:\n  securityContext:\n    runAsUser: 0\n  containers:\n  - { name: web, image: x, livenessProbe: { httpGet: { host: 10.0.0.1, port: 80 } } }\n',
    });
    const upgrade = run(folder, ['pod-security', 'upgrade', '--from', 'v1.33', '--to', 'v1.37']);
    assert.equal(upgrade.code, 1, upgrade.err);
    assert.match(upgrade.out, /Pod shop\/web: allowed -> denied/);
    assert.match(upgrade.out, /the API server warns: web: probe or lifecycle host/);
    const same = run(folder, ['pod-security', 'upgrade', '--from', 'v1.33', '--to', 'v1.33']);
    assert.equal(same.code, 0, same.out);
    const shown = run(folder, ['pod-security', 'show', '--workload', 'Pod/web', '--format', 'json']);
    const [{ values }] = JSON.parse(shown.out);
    const user = values.find(({ field }: { field: string }) => field === 'runAsUser');
    assert.deepEqual([user.value, user.from, user.line], [0, 'pod', 10]);
  });

  it('levels says what holds a workload back, and where', () => {
    const folder = folderOf({
      'a.yaml':
        'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { pod-security.kubernetes.io/enforce: basline } }\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec:\n  hostPID: true\n  containers: []\n',
    });
    const { out } = run(folder, ['pod-security', 'levels', '--format', 'json', '--version', 'v1.37']);
    const {
      version: of,
      workloads,
      namespaces,
    } = JSON.parse(out) as {
      version: string;
      workloads: {
        level: string;
        document: number;
        violations: { level: string; id: string; paths: { path: string; line: number }[] }[];
      }[];
      namespaces: {
        name: string;
        enforced: string;
        level: string;
        blockedBy: { ids: string[] }[];
        problems: { means: string }[];
      }[];
    };
    assert.equal(of, 'v1.37');
    assert.deepEqual([workloads[0]!.level, workloads[0]!.document], ['privileged', 1]);
    const { level, id, paths } = workloads[0]!.violations[0]!;
    assert.deepEqual(
      [level, id, paths[0]!.path, paths[0]!.line],
      ['baseline', 'hostNamespaces', 'spec.hostPID', 9],
    );
    const [namespace] = namespaces;
    assert.deepEqual(
      [namespace!.name, namespace!.enforced, namespace!.level],
      ['shop', 'restricted:latest', 'privileged'],
    );
    assert.deepEqual(namespace!.blockedBy[0]!.ids, ['hostNamespaces']);
    assert.equal(namespace!.problems[0]!.means, 'restricted');
  });

  it('evaluate gives the verdict of the API server', () => {
    const { code, out } = run(
      folderOf({}),
      ['pod-security', 'evaluate', '--level', 'baseline', '-f', '-', '-o', 'json'],
      pod('a', '  hostPID: true\n'),
    );
    assert.equal(code, 1);
    const { allowed, reason, detail } = JSON.parse(out) as {
      allowed: boolean;
      reason: string;
      detail: string;
    };
    assert.deepEqual([allowed, reason, detail], [false, 'host namespaces', 'host namespaces (hostPID=true)']);
  });
});
