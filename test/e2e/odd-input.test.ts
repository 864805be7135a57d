/** Whatever is odd in one file costs nothing beside it, and is said. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, pod, run, scanJson } from './program.ts';

const program = resolve(import.meta.dirname, '../../dist/cli.cjs');
const BAD = '  hostPID: true\n';

/** Each odd thing lies beside a pod with a finding; that finding must be there, and the odd thing be accounted for. */
const ODD: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string | Buffer>>,
  unknown: RegExp | undefined,
])[] = [
  ['broken YAML', { 'a.yaml': 'kind: Pod\napiVersion: v1\nspec: [\n' }, /a\.yaml.*not valid YAML/],
  [
    'a broken document among good ones',
    { 'a.yaml': `${pod('one')}---\nkind: Pod\napiVersion: v1\n  x: [\n---\n${pod('two')}` },
    /not valid YAML/,
  ],
  ['a binary file', { 'a.yaml': Buffer.from([0, 1, 2, 3]) }, /a\.yaml.*NUL/],
  [
    'no UTF-8',
    { 'a.yaml': Buffer.concat([Buffer.from('kind: Pod\napiVersion: v1\nx: '), Buffer.from([0xe9, 0x0a])]) },
    /byte 29 is not valid UTF-8/,
  ],
  ['an empty file', { 'a.yaml': '' }, undefined],
  ['only comments', { 'a.yaml': '# kind apiVersion\n---\n# none\n' }, undefined],
  ['a values file', { 'values.yaml': 'image: { tag: "1" }\n' }, undefined],
  ['a CI file', { '.github/workflows/ci.yaml': 'on: push\njobs: {}\n' }, undefined],
  [
    'an OpenAPI document',
    {
      'api.yaml':
        'openapi: 3.1.0\ninfo: {}\ncomponents: { schemas: { A: { properties: { kind: {}, apiVersion: {} } } } }\n',
    },
    undefined,
  ],
  [
    'an object without apiVersion',
    { 'a.yaml': 'kind: Pod\nmetadata: { name: x }\nspec: {}\n' },
    /without an apiVersion/,
  ],
  [
    'a template',
    { 'a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: {{ .name }} }\n{{ if x }}\n' },
    /template that was not rendered/,
  ],
  [
    'a chart',
    {
      'chart/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
      'chart/templates/a.yaml': '{{ if x }}\nkind: Pod\napiVersion: v1\n{{ end }}\n',
    },
    /chart\/Chart\.yaml.*Helm chart/,
  ],
  [
    'a kustomization with a remote base',
    {
      'k/kustomization.yaml':
        'resources: [a.yaml, "https://x.invalid/b.yaml"]\npatches: [{ path: p.yaml }]\n',
      'k/a.yaml': pod('base'),
      'k/p.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: base }\nspec: { hostIPC: true }\n',
    },
    /kustomization[\s\S]*not fetched/,
  ],
  [
    'a pod that cannot be decoded',
    {
      'a.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: { hostPID: "yes", containers: [] }\n',
    },
    /hostPID: expected true or false, got the string "yes"/,
  ],
  [
    'containers that are no list',
    { 'a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: { containers: { a: 1 } }\n' },
    /spec\.containers: expected a list/,
  ],
  [
    'a spec that is text',
    { 'a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: nonsense\n' },
    /spec: expected a mapping/,
  ],
  [
    'deep nesting',
    { 'a.json': `{"kind":"Pod","apiVersion":"v1","a":${'['.repeat(5000)}${']'.repeat(5000)}}` },
    /not valid YAML/,
  ],
  [
    'polluting keys',
    {
      'a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n__proto__: { hostPID: false }\nconstructor: { prototype: 1 }\n',
    },
    undefined,
  ],
];

describe('beside something odd', () => {
  for (const [name, files, unknown] of ODD)
    it(name, () => {
      const folder = folderOf({ ...files, 'z/healthy.yaml': pod('healthy', BAD) });
      const { findings, unknowns } = scanJson(folder);
      assert.ok(
        findings.some(
          ({ check, object }) => check === 'pod-security/host-namespaces' && object.name === 'healthy',
        ),
        'the pod beside it was judged',
      );
      const said = unknowns.map(({ file, line, reason }) => `${file}:${line} ${reason}`);
      if (unknown === undefined) assert.deepEqual(said, []);
      else
        assert.ok(
          said.some(text => unknown.test(text)),
          said.join('\n'),
        );
    });

  it('a patch that lies ready beside a kustomization is no object, and a whole object is no patch', () => {
    const piece = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: base }\n';
    const bad = 'template: { spec: { hostPID: true, containers: [{ name: app }] } }';
    const folder = folderOf({
      'k/kustomization.yaml': 'resources: [a.yaml]\n# patches: [{ path: manager_patch.yaml }]\n',
      'k/a.yaml': pod('base', BAD),
      'k/manager_patch.yaml': `${piece}spec: { ${bad} }\n`,
      'k/patches/webhook.yaml':
        'apiVersion: admissionregistration.k8s.io/v1beta1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: x }\n',
      'k/whole-patch.yaml': `${piece}spec: { selector: { matchLabels: { app: a } }, ${bad} }\n`,
      'k/other.yaml': `${piece}spec: { ${bad} }\n`,
      'elsewhere/manager_patch.yaml': `${piece}spec: { ${bad} }\n`,
    });
    const { findings, unknowns } = scanJson(folder);
    const files = (check: string) => findings.filter(one => one.check === check).map(({ file }) => file);
    assert.deepEqual(files('pod-security/host-namespaces').sort(), [
      'elsewhere/manager_patch.yaml',
      'k/a.yaml',
      'k/other.yaml',
      'k/whole-patch.yaml',
    ]);
    assert.deepEqual(files('cicd/removed-api'), []);
    assert.deepEqual(unknowns, []);
  });

  it('standard output that takes nothing is said in words, and is no mistake of ours', {
    skip: existsSync('/dev/full') ? false : 'no /dev/full here',
  }, () => {
    const folder = folderOf({ 'a.yaml': pod('a', BAD) });
    const shell = (words: string) =>
      spawnSync('sh', ['-c', `"${process.execPath}" "${program}" ${words}`], {
        cwd: folder,
        encoding: 'utf8',
      });
    const full = shell('scan a.yaml > /dev/full');
    assert.equal(full.status, 3);
    assert.equal(full.stderr, 'sallyport: standard output could not be written: no space left on the disk\n');
    assert.equal(shell('scan a.yaml > /dev/full 2> /dev/full').status, 3);
    assert.match(
      shell('scan a.yaml --format json=none/x.json').stderr,
      /none\/x\.json could not be written: its folder does not exist\n/,
    );
  });

  it('a secret is not shown beside a finding of another kind, in a pod that nobody could judge either', () => {
    const secret = 'hB7qLw2ZrT9xKp4vNs6D';
    const entry = (type: string) => `{ name: DB_PASSWORD, value: ${secret}, ${type} }`;
    const folder = folderOf({
      'flow.yaml': `apiVersion: v1\nkind: Pod\nmetadata: { name: flow }\nspec: { hostPID: true, containers: [{ name: a, env: [${entry('x: 1')}] }] }\n`,
      'block.yaml': `${pod('block', BAD)}  x:\n  - name: DB_PASSWORD\n    value: ${secret}\n    value: ${secret}\n  containers: 3\n`,
      'separator.yaml': `${pod('separator')}--- ${secret}\n`,
    });
    for (const format of ['text', 'html', 'json', 'sarif', 'markdown'])
      for (const check of ['pod-security', 'cicd/duplicate-key']) {
        const { out } = run(folder, ['scan', '--check', check, '--format', format, '--verbose']);
        assert.match(out, /host-namespaces|duplicate-key/);
        assert.ok(!out.includes(secret.slice(0, 5)), `${format} of ${check}`);
      }
  });

  it('a named pipe, a folder named like a file, links', () => {
    const folder = folderOf({
      'real/healthy.yaml': pod('healthy', BAD),
      'x.yaml/inner.yml': pod('inner', BAD),
      'outside.txt': '',
    });
    assert.equal(spawnSync('mkfifo', [join(folder, 'pipe.yaml')]).status, 0);
    symlinkSync('real', join(folder, 'again'));
    symlinkSync('..', join(folder, 'real/loop'));
    symlinkSync('/etc/hostname', join(folder, 'outside.yaml'));
    symlinkSync('nowhere.yaml', join(folder, 'dangling.yaml'));
    const { findings, unknowns } = scanJson(folder);
    const names = findings
      .filter(({ check }) => check === 'pod-security/host-namespaces')
      .map(({ object }) => object.name);
    assert.deepEqual(names.sort(), ['healthy', 'inner']);
    const said = unknowns.map(({ file, reason }) => `${file}: ${reason}`).join('\n');
    assert.match(said, /pipe\.yaml: .*named pipe/);
    assert.match(said, /outside\.yaml: .*outside what is scanned/);
    assert.match(said, /dangling\.yaml/);
  });

  it('a root that is a link', () => {
    const folder = folderOf({ 'real/healthy.yaml': pod('healthy', BAD) });
    symlinkSync('real', join(folder, 'link'));
    const { findings } = scanJson(folder, ['link']);
    assert.ok(findings.some(({ file }) => file === 'link/healthy.yaml'));
  });

  it('a file that may not be read', {
    skip: process.getuid?.() === 0 ? 'root may read everything' : false,
  }, () => {
    const folder = folderOf({ 'a.yaml': pod('a'), 'healthy.yaml': pod('healthy', BAD) });
    chmodSync(join(folder, 'a.yaml'), 0);
    const { unknowns } = scanJson(folder);
    assert.ok(unknowns.some(({ reason }) => reason.includes('permission denied')));
  });
});

describe('what is read', () => {
  const cases: readonly (readonly [
    name: string,
    files: Readonly<Record<string, string | Buffer>>,
    objects: number,
    findings: readonly string[],
  ])[] = [
    [
      'lists in lists',
      {
        'a.yaml': `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: PodList\n  items:\n  - metadata: { name: inner }\n    spec: { hostPID: true, containers: [] }\n`,
      },
      1,
      ['inner:8'],
    ],
    [
      'UTF-16',
      { 'a.yaml': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(pod('wide', BAD), 'utf16le')]) },
      1,
      ['wide:6'],
    ],
    ['a byte order mark', { 'a.yaml': `\ufeff${pod('marked', BAD)}` }, 1, ['marked:6']],
    [
      'Windows line ends in two documents',
      { 'a.yaml': `${pod('one', BAD)}---\n${pod('two', BAD)}`.replaceAll('\n', '\r\n') },
      2,
      ['one:6', 'two:13'],
    ],
    [
      'JSON',
      {
        'a.json':
          '{\n"apiVersion": "v1", "kind": "Pod",\n"metadata": {"name": "json"},\n"spec": {"hostPID": true, "containers": []}}',
      },
      1,
      ['json:4'],
    ],
    ['YAML 1.1 booleans', { 'a.yaml': pod('agrees', '  hostPID: yes\n') }, 1, ['agrees:6']],
    [
      'generateName',
      {
        'a.yaml':
          'apiVersion: v1\nkind: Pod\nmetadata: { generateName: job- }\nspec: { hostPID: true, containers: [{ image: "x:1" }] }\n',
      },
      1,
      ['job-*:4'],
    ],
    ['hidden folders', { '.deploy/a.yaml': pod('hidden', BAD) }, 1, ['hidden:6']],
    [
      'what .gitignore leaves in',
      {
        '.gitignore': 'out/\n*.tmp.yaml\n!keep.tmp.yaml\n',
        'out/a.yaml': pod('out', BAD),
        'x.tmp.yaml': pod('x', BAD),
        'keep.tmp.yaml': pod('keep', BAD),
        'sub/.gitignore': 'b.yaml\n',
        'sub/b.yaml': pod('b', BAD),
      },
      1,
      ['keep:6'],
    ],
  ];
  for (const [name, files, objects, expected] of cases)
    it(name, () => {
      const { summary, findings } = scanJson(folderOf(files));
      assert.equal(summary.objects, objects);
      const found = findings.filter(({ check }) => check === 'pod-security/host-namespaces');
      assert.deepEqual(found.map(({ object, line }) => `${object.name}:${line}`).sort(), expected);
    });

  it('standard input', () => {
    const { findings } = scanJson(folderOf({}), ['-'], pod('piped', BAD));
    assert.ok(findings.some(({ file, object }) => file === '<stdin>' && object.name === 'piped'));
  });

  it('pod templates of custom resources, known and learnt', () => {
    const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: engines.example.com }
spec:
  group: example.com
  names: { kind: Engine, plural: engines }
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              pod:
                properties:
                  metadata: { type: object }
                  spec:
                    properties:
                      containers: { items: { properties: { image: {}, name: {} } } }
                      initContainers: {}
                      volumes: {}
`;
    const engine =
      'apiVersion: example.com/v1\nkind: Engine\nmetadata: { name: learnt }\nspec:\n  pod:\n    spec:\n      hostPID: true\n      containers: []\n';
    const rollout =
      'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: { name: known }\nspec:\n  template:\n    spec:\n      hostPID: true\n      containers: []\n';
    const { findings } = scanJson(
      folderOf({ 'crd.yaml': crd, 'engine.yaml': engine, 'rollout.yaml': rollout }),
    );
    const found = findings.filter(({ check }) => check === 'pod-security/host-namespaces');
    assert.deepEqual(found.map(({ object, line }) => `${object.name}:${line}`).sort(), [
      'known:7',
      'learnt:7',
    ]);
  });

  it('the same file once, however often it is named', () => {
    const folder = folderOf({ 'a.yaml': pod('a', BAD) });
    assert.equal(scanJson(folder, ['.', 'a.yaml', './a.yaml']).summary.objects, 1);
  });
});

describe('inventory', () => {
  it('gives objects as kubectl reads them, exactly', () => {
    const folder = folderOf({
      'a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\ndata: { a: yes, big: 9007199254740993 }\n---\n# nothing\n---\nkind: Service\napiVersion: v1\nmetadata: { name: two, namespace: z }\n',
    });
    const { out, code } = run(folder, ['inventory', '--format', 'json', '--full']);
    assert.equal(code, 0);
    assert.match(out, /"big": 9007199254740993\b/);
    const { files, objects } = JSON.parse(out) as { files: unknown[]; objects: Record<string, unknown>[] };
    assert.deepEqual(files, [{ file: 'a.yaml', understood: 'kubernetes', documents: 2 }]);
    assert.deepEqual(
      objects.map(({ file, line, document, kind, namespace, name }) => ({
        file,
        line,
        document,
        kind,
        namespace,
        name,
      })),
      [
        { file: 'a.yaml', line: 1, document: 0, kind: 'ConfigMap', namespace: null, name: 'x' },
        { file: 'a.yaml', line: 8, document: 2, kind: 'Service', namespace: 'z', name: 'two' },
      ],
    );
  });
});

describe('a merge conflict that was not resolved', () => {
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n';
  const sides = (one: string, other: string) => `<<<<<<< HEAD\n${one}=======\n${other}>>>>>>> topic\n`;
  const manifest = `${pod}${sides('  hostPID: true\n', '  hostIPC: true\n')}  containers: [{ name: a, image: a }]\n`;

  it('is said of a manifest with its line, and nothing is written', () => {
    for (const text of [manifest, manifest.replaceAll('\n', '\r\n')]) {
      const scanned = run(folderOf({ 'a.yaml': text }), ['scan']);
      assert.equal(scanned.code, 2);
      assert.match(scanned.out, /^ {2}a\.yaml:5\n +a merge conflict that was not resolved/m);
    }
    const folder = folderOf({ 'a.yaml': manifest });
    const fixed = run(folder, ['fix']);
    assert.match(fixed.err, /^not mended: a\.yaml:5: a merge conflict that was not resolved$/m);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), manifest);
  });

  it('is no other mistake, and none inside a text', () => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\ndata:\n  a: |\n    ${sides('x\n', 'y\n').trimEnd().replaceAll('\n', '\n    ')}\n`;
    assert.equal(run(folderOf({ 'a.yaml': text }), ['scan']).code, 0);
    const { out } = run(folderOf({ 'a.yaml': `${pod}  a: b: c\n<<<<<<< HEAD\n` }), ['scan']);
    assert.match(out, /not valid YAML/);
  });

  it('is said of the configuration, and ends every command before it writes', () => {
    const folder = folderOf({
      'a.yaml': `${pod}  hostPID: true\n  containers: [{ name: a, image: a }]\n`,
      'sallyport.yaml': `profile: strict\n${sides('failOn: low\n', 'failOn: high\n')}`,
    });
    for (const words of [['scan'], ['ci'], ['fix'], ['baseline', 'create'], ['baseline', 'update']]) {
      const { code, err } = run(folder, words);
      assert.equal(code, 3, words.join(' '));
      assert.match(err, /sallyport\.yaml:2:1: a merge conflict that was not resolved/);
    }
    assert.deepEqual(readdirSync(folder).sort(), ['a.yaml', 'sallyport.yaml']);
  });
});
