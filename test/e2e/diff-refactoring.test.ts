/** A change that leaves every object what it was is no change for security, however much text it moves. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

type Files = Readonly<Record<string, string>>;

function git(folder: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    'git',
    ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false', ...words],
    { cwd: folder, encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** Two commits: what was there, and what is there instead. */
function changed(before: Files, after: Files): string {
  const folder = folderOf(before);
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'before');
  for (const name of readdirSync(folder))
    if (name !== '.git') rmSync(join(folder, name), { recursive: true });
  for (const [name, content] of Object.entries(after)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', 'after');
  return folder;
}

const ALLOW = '# sallyport: allow pod-security/host-namespaces --';
const pod = (name: string, { comment = '', more = '' } = {}) =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop }\nspec:\n${comment === '' ? '' : `  ${comment}\n`}  hostPID: true\n${more}  containers:\n  - name: web\n    image: "shop:1.4.2"\n    securityContext: { privileged: true }\n`;
const map = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: shop }\ndata: { a: b }\n`;
const chart = 'apiVersion: v2\nname: shop\nversion: 0.1.0\n';
const template = (image: string, name = '{{ .Release.Name }}') =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  hostPID: true\n  containers:\n  - name: web\n    image: ${image}\n`;
const record = (file: string) =>
  `exceptions:\n- { check: pod-security/privileged, file: ${file}, reason: a driver, owner: "@ops" }\n`;
const overlay = 'resources: [../../base]\npatches:\n- path: p.yaml\n';
const patch = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec: { hostIPC: true }\n';
const base = { 'base/kustomization.yaml': 'resources: [a.yaml]\n', 'base/a.yaml': pod('a') };

const same: readonly (readonly [what: string, before: Files, after: Files])[] = [
  ['a comment', { 'a.yaml': pod('a') }, { 'a.yaml': `# why\n${pod('a')}# end\n` }],
  ['a file renamed', { 'a.yaml': pod('a') }, { 'pods/web.yaml': pod('a') }],
  [
    'a file renamed and commented',
    { 'a.yaml': pod('a') },
    { 'pods/web.yaml': `# The web server\n${pod('a')}` },
  ],
  [
    'a file renamed with the exception in it',
    { 'a.yaml': pod('a', { comment: `${ALLOW} it traces (owner @ops)` }) },
    { 'b.yaml': pod('a', { comment: `${ALLOW} it traces (owner @ops)` }) },
  ],
  [
    'a file renamed with an exception that ended',
    { 'a.yaml': pod('a', { comment: `${ALLOW} it traces (owner @ops, until 2020-01-31)` }) },
    { 'b.yaml': pod('a', { comment: `${ALLOW} it traces (owner @ops, until 2020-01-31)` }) },
  ],
  [
    'a file renamed with an exception that is none',
    { 'a.yaml': pod('a', { comment: `${ALLOW} it traces` }) },
    { 'b.yaml': `# moved\n${pod('a', { comment: `${ALLOW} it traces` })}` },
  ],
  [
    'a file renamed with an exception of no use',
    { 'a.yaml': map('m').replace('data', `${ALLOW} x (owner @ops)\ndata`) },
    { 'b.yaml': map('m').replace('data', `${ALLOW} x (owner @ops)\ndata`) },
  ],
  [
    'a file renamed together with the record that excepts it',
    { 'a.yaml': pod('a'), 'sallyport.yaml': record('a.yaml') },
    { 'b.yaml': pod('a'), 'sallyport.yaml': record('b.yaml') },
  ],
  [
    'a broken file renamed',
    { 'a.yaml': 'apiVersion: v1\nkind: [\n' },
    { 'b.yaml': 'apiVersion: v1\nkind: [\n' },
  ],
  [
    'a file that is split',
    { 'a.yaml': [pod('a'), pod('b'), map('m')].join('---\n') },
    { 'a.yaml': pod('a'), 'b.yaml': pod('b'), 'm.yaml': map('m') },
  ],
  [
    'files that are joined in another order',
    { 'a.yaml': pod('a'), 'b.yaml': pod('b'), 'm.yaml': map('m') },
    { 'all.yaml': [map('m'), pod('b'), pod('a')].join('---\n') },
  ],
  [
    'documents that become a list',
    { 'a.yaml': [pod('a'), pod('b')].join('---\n') },
    {
      'a.yaml': `apiVersion: v1\nkind: List\nitems:\n${[pod('a'), pod('b')]
        .map(text => `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`)
        .join('')}`,
    },
  ],
  [
    'keys in another order and style',
    { 'a.yaml': pod('a') },
    {
      'a.json':
        '{"spec":{"containers":[{"securityContext":{"privileged":true},"image":"shop:1.4.2","name":"web"}],"hostPID":true},"metadata":{"namespace":"shop","name":"a"},"kind":"Pod","apiVersion":"v1"}\n',
    },
  ],
  [
    'values through an anchor',
    { 'a.yaml': pod('a') },
    {
      'a.yaml': pod('a')
        .replace('name: a,', 'name: &n a,')
        .replace('metadata:', 'metadata: &m')
        .replace('"shop:1.4.2"', '&i "shop:1.4.2"'),
    },
  ],
  [
    'a template renamed',
    { 'c/Chart.yaml': chart, 'c/templates/pod.yaml': template('shop:1.0') },
    { 'c/Chart.yaml': chart, 'c/templates/web.yaml': template('shop:1.0') },
  ],
  [
    'a value in place of text',
    { 'c/Chart.yaml': chart, 'c/templates/pod.yaml': template('shop:1.0') },
    {
      'c/Chart.yaml': chart,
      'c/values.yaml': 'image: shop:1.0\n',
      'c/templates/pod.yaml': template('{{ .Values.image }}'),
    },
  ],
  [
    'a helper in place of text',
    { 'c/Chart.yaml': chart, 'c/templates/pod.yaml': template('shop:1.0') },
    {
      'c/Chart.yaml': chart,
      'c/templates/_helpers.tpl': '{{- define "image" -}}shop:1.0{{- end -}}\n',
      'c/templates/pod.yaml': template('{{ include "image" . }}'),
    },
  ],
  [
    'a chart in another folder',
    { 'c/Chart.yaml': chart, 'c/templates/pod.yaml': template('shop:1.0') },
    { 'charts/web/Chart.yaml': chart, 'charts/web/templates/pod.yaml': template('shop:1.0') },
  ],
  [
    'the values of an environment renamed',
    {
      'c/Chart.yaml': chart,
      'c/values.yaml': 'image: shop:1.0\n',
      'c/values-prod.yaml': 'image: shop:1.1\n',
      'c/templates/pod.yaml': template('{{ .Values.image }}'),
    },
    {
      'c/Chart.yaml': chart,
      'c/values.yaml': 'image: shop:1.0\n',
      'c/values-production.yaml': 'image: shop:1.1\n',
      'c/templates/pod.yaml': template('{{ .Values.image }}'),
    },
  ],
  [
    'an overlay in another folder',
    { ...base, 'overlays/prod/kustomization.yaml': overlay, 'overlays/prod/p.yaml': patch },
    { ...base, 'envs/production/kustomization.yaml': overlay, 'envs/production/p.yaml': patch },
  ],
  [
    'a patch written into the kustomization',
    { ...base, 'overlays/prod/kustomization.yaml': overlay, 'overlays/prod/p.yaml': patch },
    {
      ...base,
      'overlays/prod/kustomization.yaml': `resources: [../../base]\npatches:\n- patch: |-\n    ${patch.trimEnd().replaceAll('\n', '\n    ')}\n`,
    },
  ],
  [
    'a base taken out of an overlay',
    { 'o/kustomization.yaml': 'resources: [a.yaml]\n', 'o/a.yaml': pod('a') },
    { ...base, 'o/kustomization.yaml': 'resources: [../base]\n' },
  ],
  [
    'manifests that become a chart',
    { 'a.yaml': template('shop:1.0', 'web') },
    { 'c/Chart.yaml': chart, 'c/templates/a.yaml': template('shop:1.0', 'web') },
  ],
  [
    'manifests that become an overlay',
    { 'a.yaml': pod('a') },
    { 'o/kustomization.yaml': 'resources: [a.yaml]\n', 'o/a.yaml': pod('a') },
  ],
  ['a README beside', { 'a.yaml': pod('a') }, { 'a.yaml': pod('a'), 'README.md': '# Shop\n' }],
];

describe('a change of no object', () => {
  for (const [what, before, after] of same)
    it(`is no change for security: ${what}`, () => {
      const folder = changed(before, after);
      for (const sides of [
        ['HEAD~1', 'HEAD'],
        ['HEAD', 'HEAD~1'],
      ]) {
        const { code, out, err } = run(folder, ['diff', ...sides]);
        assert.match(out, /^No security-relevant change/m, `${sides.join(' ')}\n${out}${err}`);
        assert.equal(code, 0, out);
      }
    });

  it('is not known of a file that nobody can read, once its content changes too', () => {
    const broken = 'apiVersion: v1\nkind: Pod\nmetadata: {\n# one\n# two\n';
    const { code } = run(changed({ 'a.yaml': broken }, { 'b.yaml': `${broken}# three\n` }), [
      'diff',
      'HEAD~1',
      'HEAD',
    ]);
    assert.equal(code, 2);
  });

  it('is one where a file is not the one that an exception was for', () => {
    const other = map('other').repeat(3).replaceAll('other', 'another-one-of-many-settings');
    for (const after of [
      // Another file takes the name's place.
      { 'b.yaml': [pod('a'), other].join('---\n'), 'sallyport.yaml': record('c.yaml'), 'c.yaml': pod('c') },
      // The file stays, and the record goes elsewhere.
      { 'a.yaml': pod('a'), 'b.yaml': pod('b'), 'sallyport.yaml': record('b.yaml') },
    ]) {
      const before = { 'a.yaml': pod('a'), 'sallyport.yaml': record('a.yaml') };
      const { code, out } = run(changed(before, after), ['diff', 'HEAD~1', 'HEAD']);
      assert.equal(code, 1, out);
      assert.match(out, /pod-security\/privileged/);
    }
  });
});
