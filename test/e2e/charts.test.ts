/** Charts and overlays in every command that takes files, and their environments. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run, scanJson } from './program.ts';

const TEMPLATE = `apiVersion: v1
kind: Pod
metadata: { name: shop }
spec:
  hostPID: {{ .Values.hostPID }}
  containers: [{ name: web, image: "shop:{{ .Values.tag }}" }]
`;

const CHART = {
  'shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'shop/values.yaml': 'hostPID: false\ntag: 1.4.2\n',
  'shop/values-prod.yaml': 'hostPID: true\n',
  'shop/environments/stage.yaml': 'tag: latest\n',
  'shop/values.example.yaml': 'hostPID: true\n',
  'shop/templates/pod.yaml': TEMPLATE,
};

const OVERLAY = {
  'base/kustomization.yaml': 'resources: [pod.yaml]\n',
  'base/pod.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: { name: shop }\nspec:\n  containers: [{ name: web, image: "shop:1.4.2" }]\n',
  'dev/kustomization.yaml': 'resources: [../base]\n',
  'prod/kustomization.yaml': 'resources: [../base]\npatches: [{ path: patch.yaml }]\n',
  'prod/patch.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: shop }\nspec: { hostPID: true }\n',
};

describe('environments', () => {
  it('of a chart are judged at once, and a finding names those that have it', () => {
    const { findings } = scanJson(folderOf(CHART));
    const shown = findings.map(({ check, file, line, message }) => [
      check,
      `${file}:${line}`,
      /\(([^()]*)\)$/.exec(message)?.[1],
    ]);
    assert.deepEqual(
      shown.filter(([check]) => check === 'pod-security/host-namespaces' || check === 'cicd/image-tag'),
      [
        ['cicd/image-tag', 'shop/environments/stage.yaml:1', 'in stage'],
        ['pod-security/host-namespaces', 'shop/values-prod.yaml:1', 'in prod'],
      ],
    );
    // What holds in all of them is one finding, and says nothing of environments.
    const everywhere = shown.filter(([check]) => check === 'pod-security/privilege-escalation');
    assert.deepEqual(everywhere, [
      ['pod-security/privilege-escalation', 'shop/templates/pod.yaml:6', undefined],
    ]);
  });

  it('of overlays are named where they differ', () => {
    const { findings } = scanJson(folderOf(OVERLAY));
    assert.match(
      findings.find(({ check }) => check === 'pod-security/host-namespaces')!.message,
      /hostPID=true \(in prod\)$/,
    );
    const everywhere = findings.filter(({ check }) => check === 'pod-security/privilege-escalation');
    assert.equal(everywhere.length, 1);
    assert.doesNotMatch(everywhere[0]!.message, /\(in/);
  });

  it('do not see each other: an account of one is missing in the other', () => {
    const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: robot, namespace: shop }\n';
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: shop, namespace: shop }\nspec: { serviceAccountName: robot, containers: [{ name: web, image: "shop:1.4.2" }] }\n';
    const other = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: other, namespace: shop }\n';
    const missing = (files: Record<string, string>) =>
      scanJson(folderOf({ 'other.yaml': other, ...files }), ['.', '--profile', 'strict'])
        .findings.filter(({ check }) => check === 'authorization/missing-service-account')
        .map(({ message }) => /\(([^()]*)\)$/.exec(message)?.[1] ?? 'everywhere');
    const overlay = {
      'base/kustomization.yaml': 'resources: [pod.yaml]\n',
      'base/pod.yaml': pod,
      'dev/kustomization.yaml': 'resources: [../base]\n',
      'prod/kustomization.yaml': 'resources: [../base, account.yaml]\n',
      'prod/account.yaml': account,
    };
    assert.deepEqual(missing(overlay), ['in dev']);
    assert.deepEqual(missing({ ...overlay, 'common.yaml': account }), []);
    const chart = {
      'shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
      'shop/values.yaml': 'account: false\n',
      'shop/values-prod.yaml': 'account: true\n',
      'shop/templates/pod.yaml': pod,
      'shop/templates/account.yaml': `{{ if .Values.account }}\n${account}{{ end }}\n`,
    };
    assert.deepEqual(missing(chart), ['in default values']);
    // What the chart makes for prod goes with the overlay of that name, and not with the one beside it.
    const { 'prod/account.yaml': _, ...rest } = overlay;
    const beside = { ...chart, ...rest, 'prod/kustomization.yaml': 'resources: [../base]\n' };
    assert.deepEqual(missing(beside), ['in dev', 'in default values']);
  });

  it('are named in the inventory, where an object is not the same in all', () => {
    const { out } = run(folderOf(OVERLAY), ['inventory', '.']);
    assert.match(out, /^ {2}1: Pod shop \(v1\) in dev$/m);
    assert.match(out, /^ {2}1: Pod shop \(v1\) in prod$/m);
    const same = { ...OVERLAY, 'prod/kustomization.yaml': 'resources: [../base]\n' };
    assert.match(run(folderOf(same), ['inventory', '.']).out, /^ {2}1: Pod shop \(v1\)$/m);
  });

  it('are asked about one at a time, by name', () => {
    const cwd = folderOf(CHART);
    const places = (...words: string[]) =>
      scanJson(cwd, ['.', ...words]).findings.map(({ check, file }) => `${check} ${file}`);
    const hostPID = 'pod-security/host-namespaces shop/values-prod.yaml';
    assert.ok(places('--environment', 'prod').includes(hostPID));
    const stage = places('--environment', 'stage');
    assert.ok(!stage.includes(hostPID) && stage.includes('cicd/image-tag shop/environments/stage.yaml'));
    const { code, err } = run(cwd, ['scan', '.', '--environment', 'prd']);
    assert.equal(code, 3);
    assert.match(err, /no chart or overlay has an environment prd\n.*there are default values, /);
    assert.match(run(cwd, ['mesh', 'connections', '.']).err, /3 environments are taken for one cluster/);
    assert.equal(run(cwd, ['mesh', 'connections', '.', '--environment', 'prod']).err, '');
  });

  it('that do not render are unknown, by name', () => {
    const broken = { ...CHART, 'shop/values-prod.yaml': 'hostPID: [\n' };
    const { unknowns, findings } = scanJson(folderOf(broken));
    assert.ok(
      unknowns.some(({ reason }) => /does not render \(in prod\)/.test(reason)),
      JSON.stringify(unknowns),
    );
    assert.ok(findings.some(({ check }) => check === 'cicd/image-tag'));
  });
});

describe('hooks', () => {
  it('are judged, and labelled', () => {
    const hook = TEMPLATE.replace(
      '{ name: shop }',
      '{ name: hook, annotations: { helm.sh/hook: pre-install } }',
    );
    const { findings } = scanJson(folderOf({ ...CHART, 'shop/templates/hook.yaml': hook }));
    const found = findings.find(
      ({ check, object }) => check === 'pod-security/privilege-escalation' && object.name === 'hook',
    );
    assert.match(found!.message, /\(a pre-install hook\)$/);
  });
});

describe('a chart and an overlay', () => {
  const folder = folderOf({ ...CHART, ...OVERLAY });
  for (const [name, words] of [
    ['inventory', ['inventory']],
    ['pod-security levels', ['pod-security', 'levels']],
    ['mesh exposure', ['mesh', 'exposure']],
  ] as const)
    it(`are taken by ${name}`, () => {
      for (const path of ['shop', 'prod']) {
        const { out, err } = run(folder, [...words, path]);
        assert.doesNotMatch(err, /internal|stack|TypeError/, err);
        assert.notEqual(out, '');
      }
    });

  it('are taken by authorization', () => {
    const { code, out, err } = run(folder, ['authorization', 'escalations', '-f', 'shop', '-f', 'prod']);
    assert.ok(code === 0 || code === 2, out + err);
  });

  it('are not edited by fix where nobody asked for their files', () => {
    const { err } = run(folder, ['fix', '--review', '--yes', '--profile', 'all', '--diff']);
    assert.match(err, /would be mended in \d+ files/);
    for (const [file, content] of Object.entries({ ...CHART, ...OVERLAY }))
      assert.equal(readFileSync(join(folder, file), 'utf8'), content, file);
  });
});

describe('render', () => {
  const folder = folderOf({
    ...CHART,
    ...OVERLAY,
    'with-chart/kustomization.yaml':
      'helmGlobals: { chartHome: charts }\nhelmCharts:\n- name: shop\n  releaseName: shop\n  valuesInline: { tag: 9.9.9 }\nnamePrefix: a-\n',
    'with-chart/charts/shop/Chart.yaml': CHART['shop/Chart.yaml'],
    'with-chart/charts/shop/values.yaml': CHART['shop/values.yaml'],
    'with-chart/charts/shop/templates/pod.yaml': TEMPLATE,
    'plain/pod.yaml': OVERLAY['base/pod.yaml'],
    'broken/kustomization.yaml': 'resources: [missing.yaml]\n',
  });

  it('prints an overlay as kubectl kustomize does', () => {
    const { code, out } = run(folder, ['render', 'prod']);
    assert.equal(code, 0);
    assert.equal(
      out,
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: shop\nspec:\n  containers:\n  - image: shop:1.4.2\n    name: web\n  hostPID: true\n',
    );
  });

  it('renders the charts of a kustomization with its values', () => {
    const { code, out, err } = run(folder, ['render', 'with-chart']);
    assert.equal(code, 0, err);
    assert.equal(
      out,
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a-shop\nspec:\n  containers:\n  - image: shop:9.9.9\n    name: web\n  hostPID: false\n',
    );
    const { findings, unknowns } = scanJson(folder, ['with-chart']);
    assert.deepEqual(unknowns, []);
    assert.ok(findings.every(({ object }) => object.name === 'a-shop'));
    assert.ok(findings.length > 0);
  });

  it('prints the manifests of a plain folder', () => {
    assert.match(run(folder, ['render', 'plain']).out, /^---\napiVersion: v1\nkind: Pod\n/);
  });

  it('says why a kustomization was not built', () => {
    const { code, err } = run(folder, ['render', 'broken']);
    assert.equal(code, 2);
    assert.match(err, /^error: .*missing\.yaml/);
  });
});

describe('what is installed as it is written', () => {
  it('by sallyport.yaml: values, a release and environments', () => {
    const config = `charts:
- path: shop
  release: web
  namespace: apps
  environments:
    one: { set: { tag: latest } }
    two: { values: [shop/values-prod.yaml] }
`;
    const { findings } = scanJson(folderOf({ ...CHART, 'sallyport.yaml': config }));
    const messages = findings.map(({ message }) => message);
    assert.ok(
      messages.some(message => /Pod apps\/shop|latest/.test(message) && message.endsWith('(in one)')),
    );
    assert.ok(messages.some(message => message.endsWith('hostPID=true (in two)')));
    assert.ok(messages.every(message => !message.includes('stage')));
  });

  it('by sallyport.yaml, whose mistakes have a place', () => {
    const folder = folderOf({ ...CHART, 'sallyport.yaml': 'charts:\n- path: shop\n  realease: web\n' });
    const { code, err } = run(folder, ['scan']);
    assert.equal(code, 3, err);
    assert.match(err, /sallyport\.yaml:3:3: unknown key "realease"[\s\S]*release/);
  });

  it('by an Argo CD Application', () => {
    const application = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: shop-eu, namespace: argocd }
spec:
  destination: { namespace: eu }
  source:
    repoURL: https://git.example.com/shop
    path: shop
    helm: { valueFiles: [values-prod.yaml], values: "tag: latest" }
`;
    const { findings, unknowns } = scanJson(folderOf({ ...CHART, 'argocd/shop.yaml': application }));
    assert.deepEqual(unknowns, []);
    const found = findings.map(({ check, file }) => `${check} ${file}`);
    assert.ok(found.includes('pod-security/host-namespaces shop/values-prod.yaml'), found.join('\n'));
    // The Application states the tag: that is the place to change.
    assert.ok(found.includes('cicd/image-tag argocd/shop.yaml'), found.join('\n'));
  });
});

describe('a scan', () => {
  it('shows what was rendered from the line to change, where it is asked', () => {
    const { out } = run(folderOf(CHART), [
      'scan',
      '--show-rendered',
      '--check',
      'pod-security/host-namespaces',
    ]);
    assert.match(
      out,
      /shop\/values-prod\.yaml\n[\s\S]*1 \| hostPID: true\n[\s\S]*rendered:\n[\s\S]*> \d+ \| {3}hostPID: true\n/,
    );
    const { out: without } = run(folderOf(CHART), ['scan']);
    assert.doesNotMatch(without, /rendered:/);
  });

  it('leaves hooks out with --no-hooks', () => {
    const hook = TEMPLATE.replace('{ name: shop }', '{ name: hook, annotations: { helm.sh/hook: test } }');
    const folder = folderOf({ ...CHART, 'shop/templates/hook.yaml': hook });
    const names = (...args: string[]) =>
      new Set(
        (
          JSON.parse(run(folder, ['scan', '-o', 'json', ...args]).out) as {
            findings: { object: { name: string } }[];
          }
        ).findings.map(({ object }) => object.name),
      );
    assert.ok(names().has('hook'));
    assert.ok(!names('--no-hooks').has('hook'));
  });

  it('judges what renders where a schema would have to be fetched, and says so', () => {
    const schema = '{"properties": {"tag": {"$ref": "https://example.com/common.json#/x"}}}';
    const { findings, unknowns } = scanJson(folderOf({ ...CHART, 'shop/values.schema.json': schema }));
    assert.ok(findings.length > 0);
    assert.match(
      unknowns.map(({ reason }) => reason).join('\n'),
      /values of shop were not checked against its schema, which speaks of https:\/\/example\.com\/common\.json/,
    );
  });
});

describe('render', () => {
  const APPLICATION = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: shop-eu, namespace: argocd }
spec:
  destination: { namespace: eu }
  source:
    path: shop
    helm:
      valuesObject:
        tag: "9"
      parameters: [{ name: hostPID, value: "true" }]
`;
  const OF_OVERLAY = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: over }
spec:
  source:
    path: prod
    kustomize:
      images: ["shop=mirror/shop:7"]
`;
  const folder = folderOf({
    ...CHART,
    ...OVERLAY,
    'apps/shop.yaml': APPLICATION,
    'apps/over.yaml': OF_OVERLAY,
  });

  it('shows what an Application installs, with its values and where they stand', () => {
    const { code, out } = run(folder, ['render', 'apps/shop.yaml']);
    assert.equal(code, 0);
    assert.match(out, /^---\n# Source: shop\/templates\/pod\.yaml\n/);
    assert.match(out, /hostPID: true\n[\s\S]*image: "shop:9"/);
    const { out: gutter } = run(folder, ['render', 'apps/shop.yaml', '--provenance']);
    assert.match(gutter, /apps\/shop\.yaml:10 → shop\/templates\/pod\.yaml:6 +\| +containers/);
  });

  it('shows what an Application makes of an overlay, from any folder', () => {
    const { code, out, err } = run(join(folder, 'apps'), ['render', 'over.yaml', '--provenance']);
    assert.equal(code, 2, 'without a repository around it, only what lies beside the file is known');
    assert.match(err, /prod of an unnamed repository is outside/);
    assert.equal(out, '');
    const above = run(folder, ['render', 'apps/over.yaml', '--provenance']);
    assert.equal(above.code, 0, above.err);
    assert.match(above.out, /apps\/over\.yaml:8 +\| {3}- image: mirror\/shop:7/);
    assert.match(above.out, /prod\/patch\.yaml:4 +\| {3}hostPID: true/);
  });

  it('builds an overlay that lies elsewhere, bases and all', () => {
    const { code, out, err } = run(folderOf({ 'a.txt': '' }), ['render', join(folder, 'prod')]);
    assert.equal(code, 0, err);
    assert.match(out, /hostPID: true/);
    const json = run(folder, ['render', 'prod', '-o', 'json']);
    const { documents } = JSON.parse(json.out) as {
      documents: { values: { path: string; file: string; line: number }[] }[];
    };
    assert.deepEqual(
      documents[0]!.values.find(({ path }) => path === 'spec.hostPID'),
      { path: 'spec.hostPID', file: 'prod/patch.yaml', line: 4, column: 9 },
    );
  });
});
