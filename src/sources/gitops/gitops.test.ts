import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import type { Declared } from '#world/world.ts';
import { readDocuments } from '#yaml/read.ts';
import { applicationsOf } from './application-sets.ts';
import { asDeployed } from './deployed.ts';
import { deploymentsOf } from './deployments.ts';

function declared(text: string, file = 'apps/app.yaml'): Declared[] {
  return readDocuments(text).flatMap((document, index) =>
    document.is === 'value'
      ? [
          {
            object: document.value as KubeObject,
            origin: {
              file,
              line: document.line,
              document: index,
              positionOf: () => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 }),
            },
          },
        ]
      : [],
  );
}

const treeOf = (files: Readonly<Record<string, string>>) => ({
  names: Object.keys(files),
  text: (name: string) => files[name],
});

const TREE = treeOf({
  'charts/shop/Chart.yaml': '',
  'charts/shop/values-prod.yaml': 'a: 1\n',
  'apps/eu/pod.yaml': '',
  'apps/us/pod.yaml': '',
  'clusters/eu.json': '{"cluster": {"name": "eu"}}',
});

describe('an Argo CD Application', () => {
  it('is followed to its folder, with its values', () => {
    const { deployments, gaps } = deploymentsOf(
      declared(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: shop }
spec:
  destination: { namespace: shop-prod }
  source:
    repoURL: https://git.example.com/shop
    path: ./charts/shop
    helm:
      releaseName: web
      valueFiles: [values-prod.yaml, missing.yaml]
      valuesObject: { tag: 2 }
      parameters: [{ name: a.b, value: "1", forceString: true }]
`),
      TREE,
    );
    const [{ declared: _, values, ...one }] = deployments as [(typeof deployments)[0]];
    assert.deepEqual(
      values.map(({ value, path }) => [value, path]),
      [[{ tag: 2 }, ['spec', 'source', 'helm', 'valuesObject']]],
    );
    assert.deepEqual(one, {
      name: 'shop',
      folder: 'charts/shop',
      releaseName: 'web',
      namespace: 'shop-prod',
      valueFiles: ['charts/shop/values-prod.yaml'],
      parameters: [{ text: 'a.b=1', kind: 'string' }],
      chart: {},
      substitutions: undefined,
      overrides: undefined,
      isDeep: false,
    });
    assert.match(gaps[0]!.reason, /values file missing\.yaml/);
  });

  it('that points out of the tree is unknown, with the reference', () => {
    const { deployments, gaps } = deploymentsOf(
      declared(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: redis }
spec: { source: { repoURL: https://charts.example.com, chart: redis, targetRevision: 1.2.3 } }
`),
      TREE,
    );
    assert.deepEqual(deployments, []);
    assert.match(
      gaps[0]!.reason,
      /^Application redis: chart redis 1\.2\.3 of https:\/\/charts\.example\.com is outside/,
    );
  });
});

describe('an ApplicationSet', () => {
  const template = { metadata: { name: '{{path.basename}}' }, spec: { source: { path: '{{path}}' } } };

  it('makes an application of each folder of a Git generator, but the excluded ones', () => {
    const { applications } = applicationsOf(
      {
        generators: [{ git: { directories: [{ path: 'apps/*' }, { path: 'apps/us', exclude: true }] } }],
        template,
      },
      TREE,
    );
    assert.deepEqual(applications, [{ metadata: { name: 'eu' }, spec: { source: { path: 'apps/eu' } } }]);
  });

  it('takes parameters from lists and files, in Go templates too', () => {
    const made = (spec: Readonly<Record<string, unknown>>) => applicationsOf(spec, TREE).applications;
    assert.deepEqual(
      made({
        generators: [{ list: { elements: [{ name: 'a' }, { name: 'b' }] } }],
        template: { n: '{{ name }}' },
      }),
      [{ n: 'a' }, { n: 'b' }],
    );
    assert.deepEqual(
      made({
        goTemplate: true,
        generators: [{ git: { files: [{ path: 'clusters/*.json' }] } }],
        template: { n: '{{.cluster.name}}-{{ .path.basename }}' },
      }),
      [{ n: 'eu-clusters' }],
    );
  });

  it('says what it cannot know', () => {
    const { applications, problems } = applicationsOf({ generators: [{ clusters: {} }], template }, TREE);
    assert.deepEqual(
      [applications, problems],
      [[], ['its clusters generator asks for more than the tree holds']],
    );
    const go = {
      goTemplate: true,
      generators: [{ list: { elements: [{ a: 1 }] } }],
      template: { n: '{{ upper .a }}' },
    };
    assert.match(applicationsOf(go, TREE).problems[0]!, /upper/);
  });
});

describe('Flux', () => {
  it('substitutes variables in what a Kustomization deploys', () => {
    const all = declared(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: eu, namespace: flux-system }
spec:
  path: ./apps/eu
  targetNamespace: shop
  sourceRef: { kind: GitRepository, name: flux-system }
  postBuild:
    substitute: { tag: "1.2" }
    substituteFrom: [{ kind: ConfigMap, name: vars }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: vars, namespace: flux-system }
data: { replicas: "3", tag: "0" }
`);
    const own = declared(
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { replicas: "${replicas}", image: "web:${tag}", more: "${none:=x}$${kept}" }\n',
      'apps/eu/pod.yaml',
    );
    const { deployments, gaps } = deploymentsOf([...all, ...own], TREE);
    assert.deepEqual(gaps, []);
    const changed = asDeployed([...all, ...own], deployments).filter(
      ({ object }) => object.kind === 'Deployment',
    );
    assert.deepEqual(
      changed.map(({ object, environments }) => [object.metadata?.namespace, object['spec'], environments]),
      [['shop', { replicas: 3, image: 'web:1.2', more: 'x${kept}' }, ['eu']]],
    );
  });

  it('installs a HelmRelease with values of the input, its own last', () => {
    const { deployments, gaps } = deploymentsOf(
      declared(`apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: shop, namespace: web }
spec:
  chart: { spec: { chart: ./charts/shop, sourceRef: { kind: GitRepository, name: repo } } }
  valuesFrom: [{ kind: Secret, name: values }, { kind: ConfigMap, name: gone }]
  values: { b: 2 }
---
apiVersion: v1
kind: Secret
metadata: { name: values, namespace: web }
data: { values.yaml: "${Buffer.from('a: 1\n').toString('base64')}" }
`),
      TREE,
    );
    assert.deepEqual(
      deployments.map(one => [one.releaseName, one.namespace, one.values.map(({ value }) => value)]),
      [['shop', 'web', ['a: 1\n', { b: 2 }]]],
    );
    assert.match(gaps[0]!.reason, /ConfigMap gone with values\.yaml is not in the input/);
  });
});
