/** Fixes of what charts and overlays make: where they are written, and when they are not. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run, scanJson } from './program.ts';

const CHART = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Chart.Name }}
spec:
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      {{- with .Values.podSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: web # the shop
          image: "shop:{{ .Values.tag }}"
          imagePullPolicy: {{ .Values.pullPolicy }}
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
        - name: log
          image: log:1.0
          securityContext:
            privileged: true # it was quicker
            runAsNonRoot: true
`;
const VALUES = `# What can be set.
tag: latest
pullPolicy: IfNotPresent # moves
podSecurityContext: {}
  # fsGroup: 2000
securityContext:
  runAsUser: 1000 # the image's
`;

const chart = (more: Readonly<Record<string, string>> = {}) =>
  folderOf({
    'shop/Chart.yaml': CHART,
    'shop/values.yaml': VALUES,
    'shop/templates/deployment.yaml': DEPLOYMENT,
    ...more,
  });
const textOf = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8');
const fix = (folder: string, ...words: string[]) => run(folder, ['fix', '--review', '--yes', ...words]);

describe('fix in a chart', () => {
  it('changes the key that a value comes from, and the line where the template says it itself', () => {
    const folder = chart();
    const { code, err } = fix(
      folder,
      '--check',
      'pod-security/privileged',
      '--check',
      'cicd/image-pull-policy',
    );
    assert.equal(code, 0, err);
    assert.equal(textOf(folder, 'shop/values.yaml'), VALUES.replace('IfNotPresent', 'Always'));
    assert.equal(
      textOf(folder, 'shop/templates/deployment.yaml'),
      DEPLOYMENT.replace('privileged: true', 'privileged: false'),
    );
  });

  it('puts new keys below the key of a toYaml, and into the block that a condition leaves out', () => {
    const folder = chart();
    const { err } = fix(folder, '--level', 'restricted');
    assert.match(err, /1 of 1 workload meet restricted now/);
    const values = textOf(folder, 'shop/values.yaml');
    assert.match(
      values,
      /^ {2}runAsUser: 1000 # the image's\n(?: {2}.*\n)* {2}allowPrivilegeEscalation: false$/m,
    );
    assert.match(values, /^ {2}capabilities:\n {4}drop:\n {6}- ALL$/m);
    assert.match(values, /^ {2}# fsGroup: 2000$/m);
    const template = textOf(folder, 'shop/templates/deployment.yaml');
    assert.match(template, /^ {12}runAsNonRoot: true\n(?: {12}.*\n)* {12}allowPrivilegeEscalation: false$/m);
    assert.deepEqual(scanJson(folder, ['.', '--profile', 'pss-restricted']).findings, []);
    fix(folder, '--level', 'restricted');
    assert.equal(textOf(folder, 'shop/values.yaml'), values);
    assert.equal(textOf(folder, 'shop/templates/deployment.yaml'), template);
  });

  it('changes the values file of the environment that has it', () => {
    const prod = 'securityContext:\n  privileged: true # for the profiler\n';
    const folder = chart({ 'shop/values-prod.yaml': prod });
    fix(folder, '--check', 'pod-security/privileged');
    assert.equal(textOf(folder, 'shop/values-prod.yaml'), prod.replace('true', 'false'));
    assert.equal(textOf(folder, 'shop/values.yaml'), VALUES);
  });

  it('keeps line ends, and asks before it writes', () => {
    const folder = chart({
      'shop/values.yaml': VALUES.replaceAll('\n', '\r\n'),
      'shop/templates/deployment.yaml': DEPLOYMENT.replaceAll('\n', '\r\n'),
    });
    fix(folder, '--level', 'baseline');
    fix(folder, '--level', 'restricted');
    for (const file of ['shop/values.yaml', 'shop/templates/deployment.yaml']) {
      const text = textOf(folder, file);
      assert.equal(text.replaceAll('\r\n', '').includes('\n'), false, file);
    }
    assert.deepEqual(scanJson(folder, ['.', '--profile', 'pss-restricted']).findings, []);
  });

  it('refuses what would change something else too, and says what to write and where', () => {
    const folder = chart({
      'shop/values.yaml': `${VALUES}privileged: true\n`,
      'shop/templates/deployment.yaml': DEPLOYMENT.replace(
        'privileged: true # it was quicker',
        'privileged: {{ .Values.privileged }}',
      ),
      'shop/templates/map.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shop }\ndata: { privileged: "{{ .Values.privileged }}" }\n',
    });
    const { code, err } = fix(folder, '--check', 'pod-security/privileged');
    assert.equal(code, 0);
    assert.match(
      err,
      /shop\/values\.yaml:8 pod-security\/privileged: left as it is, for ConfigMap shop would change elsewhere too; by hand, at shop\/values\.yaml:8: /,
    );
    assert.match(textOf(folder, 'shop/values.yaml'), /^privileged: true$/m);
  });

  it('does not write a key that the template may write itself', () => {
    const folder = chart({
      'shop/values.yaml': VALUES.replace("securityContext:\n  runAsUser: 1000 # the image's\n", ''),
      'shop/templates/deployment.yaml': DEPLOYMENT.replace(
        '          securityContext:\n            {{- toYaml .Values.securityContext | nindent 12 }}\n',
        '          {{- if .Capabilities.APIVersions.Has "no/v1" }}\n          securityContext:\n            privileged: false\n          {{- end }}\n',
      ),
    });
    const { err } = fix(folder, '--check', 'pod-security/capabilities-kept');
    assert.match(
      err,
      /the template may write securityContext itself in line \d+; by hand, at shop\/templates/,
    );
    assert.equal(textOf(folder, 'shop/templates/deployment.yaml').match(/drop/g), null);
  });

  it('does not touch a values file outside of what was named', () => {
    const folder = chart({ 'values/prod.yaml': 'securityContext: { privileged: true }\n' });
    const settings = 'charts:\n  - path: shop\n    environments: { prod: { values: [values/prod.yaml] } }\n';
    const { err } = run(
      folder,
      ['fix', '--review', '--yes', '--check', 'pod-security/privileged', '--config', 's.yaml', 'shop'],
      '',
    );
    assert.match(err, /s\.yaml/);
    const named = folderOf({
      'sallyport.yaml': settings,
      'shop/Chart.yaml': CHART,
      'shop/values.yaml': VALUES,
      'shop/templates/deployment.yaml': DEPLOYMENT.replace(
        'privileged: true # it was quicker',
        'privileged: false',
      ),
      'values/prod.yaml': 'securityContext: { privileged: true }\n',
    });
    const refused = run(named, ['fix', '--review', '--yes', '--check', 'pod-security/privileged', 'shop']);
    assert.match(
      refused.err,
      /values\/prod\.yaml is not among the files to mend; by hand, at values\/prod\.yaml:1: /,
    );
    assert.equal(textOf(named, 'values/prod.yaml'), 'securityContext: { privileged: true }\n');
  });
});

const BASE = {
  'base/kustomization.yaml': 'resources: [deployment.yaml] # the base\n',
  'base/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers:
        - name: web # the shop
          image: shop:latest
          imagePullPolicy: IfNotPresent
`,
  'prod/kustomization.yaml':
    'resources:\n  - ../base\nnamePrefix: prod-\n# ours\npatches:\n  - path: host.yaml # why?\n',
  'prod/host.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: shop }\nspec: { template: { spec: { hostPID: true } } }\n',
};

describe('fix in an overlay', () => {
  it('changes the base or the patch that holds the place', () => {
    const folder = folderOf(BASE);
    const { err } = fix(
      folder,
      '--check',
      'pod-security/host-namespaces',
      '--check',
      'pod-security/capabilities-kept',
    );
    assert.match(err, /2 findings of 2 mended in 2 files/);
    assert.match(textOf(folder, 'prod/host.yaml'), /hostPID: false/);
    assert.match(textOf(folder, 'base/deployment.yaml'), /drop:\n/);
    assert.deepEqual(readdirSync(join(folder, 'prod')), ['host.yaml', 'kustomization.yaml']);
  });

  for (const [name, words] of [
    ['where the base is not among the named files', ['prod']],
    ['where it is asked to', ['--as-patch']],
  ] as const)
    it(`writes a patch next to the overlay ${name}`, () => {
      const folder = folderOf(BASE);
      const { err } = fix(folder, '--profile', 'pss-restricted', ...words);
      assert.match(err, /mended in \d files/);
      assert.equal(textOf(folder, 'base/deployment.yaml'), BASE['base/deployment.yaml']);
      assert.match(
        textOf(folder, 'prod/kustomization.yaml'),
        /# ours\npatches:\n {2}- path: host\.yaml # why\?\n {2}- path: sallyport-deployment-shop\.yaml$/m,
      );
      const patch = textOf(folder, 'prod/sallyport-deployment-shop.yaml');
      assert.match(patch, /^apiVersion: apps\/v1\nkind: Deployment\nmetadata:\n {2}name: shop\n/);
      assert.match(patch, /- name: web\n {8}securityContext:\n/);
      assert.deepEqual(scanJson(folder, ['prod', '--profile', 'pss-restricted']).findings, []);
      const again = fix(folder, '--profile', 'pss-restricted', ...words);
      assert.match(again.err, /^0 findings of 0 mended in 0 files/);
      // A patch that is there gets more, and keeps what somebody wrote into it.
      const path = join('prod', 'sallyport-deployment-shop.yaml');
      run(folder, ['fix', '--profile', 'all', ...words]);
      assert.match(textOf(folder, path), /imagePullPolicy: Always/);
    });

  it('patches custom resources with operations', () => {
    const folder = folderOf({
      ...BASE,
      'base/kustomization.yaml': 'resources: [deployment.yaml, rollout.yaml]\n',
      'base/rollout.yaml': BASE['base/deployment.yaml']
        .replace('apps/v1', 'argoproj.io/v1alpha1')
        .replace('kind: Deployment', 'kind: Rollout'),
    });
    fix(folder, '--profile', 'pss-restricted', '--as-patch');
    assert.match(
      textOf(folder, 'prod/sallyport-rollout-shop-operations.yaml'),
      /- op: add\n {2}path: "\/spec\/template\/spec\/containers\/0\/securityContext"/,
    );
    assert.match(textOf(folder, 'prod/kustomization.yaml'), /target:\n {6}group: argoproj\.io\n/);
    assert.deepEqual(scanJson(folder, ['.', '--profile', 'pss-restricted']).findings, []);
  });

  it('shows a new file as such', () => {
    const folder = folderOf(BASE);
    const { out } = fix(folder, '--check', 'pod-security/host-namespaces', '--as-patch', '--diff');
    assert.match(
      out,
      /^--- \/dev\/null\n\+\+\+ b\/prod\/sallyport-deployment-shop\.yaml\n@@ -0,0 \+1,\d+ @@\n\+apiVersion/m,
    );
    assert.deepEqual(readdirSync(join(folder, 'prod')), ['host.yaml', 'kustomization.yaml']);
  });
});
