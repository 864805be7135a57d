import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import type { Declared } from '#world/world.ts';
import { readDocuments } from '#yaml/read.ts';
import { applicationsOf } from './application-sets.ts';
import { asDeployed } from './deployed.ts';
import { deploymentsOf } from './deployments.ts';
import { builtDeployments } from './kustomized.ts';

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
      cluster: undefined,
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

  it('combines two generators in a matrix, the second speaking of the first', () => {
    const { applications, problems } = applicationsOf(
      {
        goTemplate: true,
        goTemplateOptions: ['missingkey=error'],
        generators: [
          {
            matrix: {
              generators: [
                { git: { directories: [{ path: 'apps/*' }] } },
                { list: { elements: [{ name: '{{ .path.basename }}-a' }, { name: 'b', size: 2 }] } },
              ],
            },
          },
        ],
        template: { n: '{{ .path.basename }}/{{ .name | upper }}/{{ dig "size" 1 . }}' },
      },
      TREE,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(
      applications.map(({ n }) => n),
      ['eu/EU-A/1', 'eu/B/2', 'us/US-A/1', 'us/B/2'],
    );
  });

  it('lays generators over each other by their keys, and takes what a selector takes', () => {
    const { applications, problems } = applicationsOf(
      {
        generators: [
          {
            merge: {
              mergeKeys: ['name'],
              generators: [
                {
                  list: {
                    elements: [
                      { name: 'a', tier: 'low' },
                      { name: 'b', tier: 'low' },
                    ],
                  },
                },
                { list: { elements: [{ name: 'b', tier: 'high' }] } },
              ],
            },
            selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['high'] }] },
          },
        ],
        template: { n: '{{name}}-{{tier}}' },
      },
      TREE,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(applications, [{ n: 'b-high' }]);
  });

  it('reads files with a pathspec, gives their values, and patches what it made', () => {
    const { applications, problems } = applicationsOf(
      {
        goTemplate: true,
        generators: [{ git: { files: [{ path: '*.json' }], values: { where: '{{ .cluster.name }}-x' } } }],
        template: { metadata: { name: 'n', finalizers: ['a'] }, spec: { project: 'p', source: {} } },
        templatePatch:
          'metadata: { finalizers: [b] }\nspec:\n  project: other\n  source:\n    helm: { releaseName: {{ .values.where }} }\n',
      },
      TREE,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(applications, [
      {
        metadata: { name: 'n', finalizers: ['a', 'b'] },
        spec: { project: 'p', source: { helm: { releaseName: 'eu-x' } } },
      },
    ]);
  });

  it('refuses what would not end, and a key that no generator gives', () => {
    const made = (template: string) =>
      applicationsOf(
        {
          goTemplate: true,
          goTemplateOptions: ['missingkey=error'],
          generators: [{ list: { elements: [{ a: 1 }] } }],
          template: { n: template },
        },
        TREE,
      );
    assert.match(made('{{ .b }}').problems[0]!, /map has no entry for key "b"/);
    assert.match(
      made('{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}').problems[0]!,
      /stopped/,
    );
    assert.match(made('{{ include "x" . }}').problems[0]!, /function "include" not defined/);
    assert.match(made('{{ uuidv4 }}').problems[0]!, /something new every time/);
    assert.deepEqual(made('{{ normalize "A_b." }}|{{ slugify 4 true "Ab-cdef" }}').applications, [
      { n: 'a-b|ab' },
    ]);
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
    assert.match(applicationsOf(go, TREE).problems[0]!, /wrong type for value; expected string; got float64/);
  });
});

describe('the kustomize options of an Application', () => {
  const files = new Map(
    Object.entries({
      'apps/kustomization.yaml':
        'resources: [d.yaml]\nimages: [{ name: web, newName: mirror/web, newTag: "1" }]\npatches: [{ target: { kind: Deployment }, patch: \'[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]\' }]\n',
      'apps/d.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: { template: { spec: { containers: [{ name: c, image: web:0 }] } } }\n',
    }).map(([name, text]) => [name, Buffer.from(text)] as const),
  );
  const application = (kustomize: string) =>
    declared(
      `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: shop }
spec:
  destination: { namespace: prod }
  source:
    path: apps
    kustomize:
${kustomize.replace(/^/gm, '      ')}
`,
      'app.yaml',
    );
  const builtOf = (kustomize: string) => {
    const { deployments } = deploymentsOf(application(kustomize), {
      names: [...files.keys()],
      text: () => '',
    });
    return builtDeployments(deployments, files, [...files.keys()], new Set(['apps']), { top: '.' });
  };

  it('are set in it as kustomize edit does, and values point at them', () => {
    const { built, gaps } = builtOf(`namePrefix: p-
images: ['web=*:2@sha256:${'a'.repeat(64)}']
replicas: [{ name: d, count: 3 }]
commonLabels: { team: x }
labelWithoutSelector: true
patches:
- target: { kind: Deployment }
  patch: |-
    - op: add
      path: /spec/template/spec/hostPID
      value: true`);
    assert.deepEqual(gaps, []);
    const [[one]] = [...built.values()] as [[Declared]];
    assert.equal(one.object.metadata?.name, 'p-d');
    assert.deepEqual(one.object.metadata?.labels, { a: 'b', team: 'x' });
    const spec = one.object['spec'] as { replicas: number; template: { spec: Record<string, unknown> } };
    assert.equal(spec.replicas, 3);
    assert.equal(spec.template.spec['hostPID'], true);
    assert.deepEqual(spec.template.spec['containers'], [
      { image: `mirror/web:2@sha256:${'a'.repeat(64)}`, name: 'c' },
    ]);
    const where = (...path: (string | number)[]) => one.origin.positionOf(path).file;
    assert.equal(where('spec', 'template', 'spec', 'hostPID'), 'apps/app.yaml'.slice(5));
    assert.equal(where('spec', 'template', 'spec', 'containers', 0, 'name'), 'apps/d.yaml');
  });

  it('that kustomize refuses are said', () => {
    assert.match(
      builtOf('components: [nope]').gaps[0]!.reason,
      /^Application shop: apps was not built as it is deployed: /,
    );
    assert.match(builtOf('images: [web]').gaps[0]!.reason, /invalid format of image 'web'/);
    assert.match(builtOf('patches: [{ patch: 1 }]').gaps[0]!.reason, /was not built|cannot unmarshal/);
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
