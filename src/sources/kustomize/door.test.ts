import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BuildError, build } from './door.ts';

function files(texts: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  return new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
}

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    spec:
      containers:
        - name: web
          image: shop:1
          securityContext:
            privileged: false
`;

describe('provenance', () => {
  const built = build(
    files({
      'base/kustomization.yaml': 'resources: [shop.yaml]\n',
      'base/shop.yaml': DEPLOYMENT,
      'prod/patch.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
        - name: web
          securityContext:
            privileged: true
`,
      'prod/app.env': 'A=1\nB=2\n',
      'prod/kustomization.yaml': `resources: [../base]
patches:
  - path: patch.yaml
  - target: {kind: Deployment}
    patch: |-
      - op: add
        path: /spec/replicas
        value: 3
images:
  - name: shop
    newTag: "2"
configMapGenerator:
  - name: c
    literals:
      - x=1
    envs: [app.env]
`,
    }),
    'prod',
  );
  const place = (document: number, path: (string | number)[]) => {
    const { file, line } = built.origins[document]!.positionOf(path);
    return `${file}:${line}`;
  };
  const container = ['spec', 'template', 'spec', 'containers', 0];

  for (const [name, document, path, expected] of [
    ['a value of the base', 1, [...container, 'name'], 'base/shop.yaml:9'],
    ['a value of a patch', 1, [...container, 'securityContext', 'privileged'], 'prod/patch.yaml:10'],
    ['a value of a JSON patch inside the file', 1, ['spec', 'replicas'], 'prod/kustomization.yaml:8'],
    ['an image', 1, [...container, 'image'], 'prod/kustomization.yaml:11'],
    ['a literal', 0, ['data', 'x'], 'prod/kustomization.yaml:15'],
    ['a line of an environment file', 0, ['data', 'B'], 'prod/app.env:2'],
    ['an absent field: the nearest above', 1, ['spec', 'template', 'spec', 'hostPID'], 'base/shop.yaml:7'],
  ] as const)
    it(name, () => assert.equal(place(document, [...path]), expected));
});

describe('bounds', () => {
  const refused = (texts: Readonly<Record<string, string>>, root: string, message: RegExp) =>
    assert.throws(() => build(files(texts), root), { message });

  it('a cycle', () =>
    refused(
      {
        'a/kustomization.yaml': 'resources: [../b]\n',
        'b/kustomization.yaml': 'resources: [../a]\n',
      },
      'a',
      /cycle detected: candidate root '\/a' contains visited root '\/a'/,
    ));
  it('a file outside of the folder', () =>
    refused(
      { 'a/kustomization.yaml': 'patches: [{path: ../secret.yaml}]\n', 'secret.yaml': DEPLOYMENT },
      'a',
      /security; file '\/secret.yaml' is not in or below '\/a'/,
    ));
  it('a path out of the tree', () =>
    refused(
      { 'a/kustomization.yaml': 'configMapGenerator: [{name: c, files: [../../../etc/passwd]}]\n' },
      'a',
      /no such file or directory/,
    ));
  it('a remote base', () =>
    refused(
      { 'kustomization.yaml': 'resources: ["github.com/org/repo//base?ref=v1"]\n' },
      '',
      /remote base github.com\/org\/repo\/\/base\?ref=v1 is not fetched/,
    ));
  it('a remote file', () =>
    refused({ 'kustomization.yaml': 'resources: ["https://x.invalid/a.yaml"]\n' }, '', /is not fetched/));
  it('an external plugin', () =>
    refused(
      {
        'kustomization.yaml': 'transformers: [t.yaml]\n',
        't.yaml': 'apiVersion: x/v1\nkind: Fn\nmetadata: {name: f}\n',
      },
      '',
      /external plugins disabled/,
    ));
  it('aliases that grow without end', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    refused(
      { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': `${DEPLOYMENT}${lines.join('\n')}\n` },
      '',
      /excessive aliasing/,
    );
  });
  it('an anchor that holds itself', () =>
    refused(
      { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': `${DEPLOYMENT}x: &a [*a]\n` },
      '',
      /anchor contains itself/,
    ));
  it('charts, with the values that they were to have', () =>
    refused(
      {
        'kustomization.yaml':
          'helmCharts: [{ name: shop, releaseName: "", valuesInline: { debug: { enabled: false, level: 0 } } }]\n',
      },
      '',
      /name: shop\nvaluesInline:\n {2}debug:\n {4}enabled: false\n {4}level: 0\n`: must specify --enable-helm/,
    ));

  describe('what a build may cost', () => {
    const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\ndata: { a: b }\n';
    const limits = { nodes: 20_000, folders: 100, time: 10_000 };
    const stopped = (texts: Readonly<Record<string, string>>, message: RegExp, own = limits) =>
      assert.throws(
        () => build(files(texts), '', { limits: own }),
        (error: Error) => error instanceof BuildError && message.test(error.message),
      );
    const doubled = (line: (at: number) => string) =>
      Array.from({ length: 40 }, (_, at) => line(at)).join('');

    it('a JSON patch that doubles what there is, operation by operation', () =>
      stopped(
        {
          'kustomization.yaml': 'resources: [x.yaml]\npatches: [{ target: { name: x }, path: p.yaml }]\n',
          'x.yaml': MAP,
          'p.yaml': doubled(at => `- { op: copy, from: /data, path: /data/a${at} }\n`),
        },
        /^stopped: it makes more than 20000 values$/,
      ));
    it('replacements that do', () =>
      stopped(
        {
          'kustomization.yaml': `resources: [x.yaml]\nreplacements:\n${doubled(
            at =>
              `- { source: { kind: ConfigMap, name: x, fieldPath: data }, targets: [{ select: { name: x }, fieldPaths: [data.a${at}], options: { create: true } }] }\n`,
          )}`,
          'x.yaml': MAP,
        },
        /^stopped: it makes more than 20000 values$/,
      ));

    const folders: Record<string, string> = {
      'kustomization.yaml': 'resources: [k0]\n',
      'k25/kustomization.yaml': 'resources: [x.yaml]\n',
      'k25/x.yaml': MAP,
    };
    for (let at = 0; at < 25; at++) {
      folders[`k${at}/kustomization.yaml`] = `resources: [../k${at + 1}, again]\nnamePrefix: a\n`;
      folders[`k${at}/again/kustomization.yaml`] = `resources: [../../k${at + 1}]\nnamePrefix: b\n`;
    }
    it('folders that use the next one twice each', () =>
      stopped(folders, /^stopped: it enters more than 100 folders$/));
    it('time', () => stopped(folders, /^stopped after 0 ms$/, { ...limits, time: 0 }));

    it('does not count what builds before it have cost', () => {
      const few = { 'kustomization.yaml': 'resources: [x.yaml]\n', 'x.yaml': MAP };
      stopped(folders, /folders/);
      for (let at = 0; at < 200; at++)
        assert.equal(build(files(few), '', { limits: { ...limits, nodes: 200 } }).documents.length, 1);
    });
  });
});
