import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { chartObjects } from '#sources/helm/declared.ts';
import type { Declared } from '#world/world.ts';
import { readDocuments } from '#yaml/read.ts';
import { applicationsOf } from './application-sets.ts';
import { deploymentRuns } from './charts.ts';
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
      replacesDefaults: false,
      commonMetadata: undefined,
      postRenderers: [],
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

describe('values files of an Application', () => {
  const tree = treeOf({
    'apps/shop/Chart.yaml': '',
    'apps/shop/values.yaml': '',
    'apps/shop/more/a.yaml': '',
    'apps/shop/more/b.yaml': '',
    'apps/shop/more/deep/c.yaml': '',
    'apps/shop/shop.yaml': '',
    'values/eu/shop.yaml': '',
    'values/us/shop.yaml': '',
  });
  const filesOf = (helm: string, sources = '') => {
    const { deployments, gaps } = deploymentsOf(
      declared(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: shop }
spec:
  destination: { namespace: prod }
  sources:
  - path: apps/shop
    helm: ${helm}
${sources}`),
      tree,
    );
    return [
      deployments[0]!.valueFiles.map(file => file.replace('apps/shop/', '')),
      gaps.map(({ reason }) => reason.replace(/^Application shop: values file (.*) is not.*/, '$1')),
      deployments[0]!.parameters.map(({ text }) => text),
    ];
  };

  it('may be patterns: what is named itself keeps its place, and nothing counts twice', () => {
    assert.deepEqual(filesOf('{ valueFiles: ["more/*.yaml"] }')[0], ['more/a.yaml', 'more/b.yaml']);
    assert.deepEqual(filesOf('{ valueFiles: ["more/**/*.yaml", "more/a.yaml"] }')[0], [
      'more/b.yaml',
      'more/deep/c.yaml',
      'more/a.yaml',
    ]);
    assert.deepEqual(
      filesOf('{ valueFiles: ["/values/[e-f]?/shop.yaml", "values.yaml", "./values.yaml"] }')[0],
      ['values/eu/shop.yaml', 'values.yaml'],
    );
  });

  it('that are missing are said, unless they may be', () => {
    assert.deepEqual(filesOf('{ valueFiles: ["no/*.yaml", no.yaml, values.yaml] }').slice(0, 2), [
      ['values.yaml'],
      ['no/*.yaml', 'no.yaml'],
    ]);
    assert.deepEqual(
      filesOf('{ ignoreMissingValueFiles: true, valueFiles: ["no/*.yaml", no.yaml] }').slice(0, 2),
      [[], []],
    );
  });

  it('may come from another source, and speak of the build environment', () => {
    const other = '  - { repoURL: https://git.example.com/values, ref: values }\n';
    assert.deepEqual(filesOf('{ valueFiles: [$values/values/eu/shop.yaml] }', other).slice(0, 2), [
      ['values/eu/shop.yaml'],
      [],
    ]);
    // Without such a source it is a variable, and that one is empty.
    assert.deepEqual(filesOf('{ valueFiles: [$value/values/eu/shop.yaml] }', other)[0], [
      'values/eu/shop.yaml',
    ]);
    assert.deepEqual(
      filesOf(
        '{ valueFiles: ["${ARGOCD_APP_NAME}.yaml"], parameters: [{ name: host, value: "$ARGOCD_APP_NAME.$ARGOCD_APP_NAMESPACE,$$" }] }',
      ).slice(0, 3),
      [['shop.yaml'], [], ['host=shop.prod\\,$']],
    );
    assert.deepEqual(
      filesOf('{ fileParameters: [{ name: text, path: $values/values/us/shop.yaml }] }', other)[2],
      ['text=values/us/shop.yaml'],
    );
  });
});

describe('what Flux does after helm', () => {
  const release = (spec: string) =>
    declared(`apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: shop, namespace: web }
spec:
  chart: { spec: { chart: ./charts/shop, sourceRef: { kind: GitRepository, name: repo } } }
${spec}`);
  const chart = new Map(
    Object.entries({
      'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
      'values.yaml': 'image: web:1\nreplicas: 1\n',
      'templates/all.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: { replicas: {{ .Values.replicas }}, template: { spec: { containers: [{ name: c, image: {{ .Values.image }} }] } } }\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: h, annotations: { helm.sh/hook: test } }\nspec: { containers: [{ name: c, image: web:1 }] }\n',
    }).map(([name, text]) => [name, Buffer.from(text)] as const),
  );
  const madeOf = async (spec: string) => {
    const { deployments, gaps } = deploymentsOf(release(spec), TREE);
    const runs = await deploymentRuns(deployments, () => '');
    const made = await chartObjects(
      () => ({ files: chart, left: [] }),
      'charts/shop',
      () => runs,
    );
    return { ...made, gaps: [...gaps, ...made.gaps] };
  };

  it('kustomizes what is no hook, and its patches are where a value comes from', async () => {
    const made = await madeOf(`  commonMetadata: { labels: { team: x }, annotations: { note: yes-it-is } }
  postRenderers:
  - kustomize:
      images: [{ name: web, newTag: "2" }]
      patches:
      - target: { kind: Deployment }
        patch: |
          - op: add
            path: /spec/template/spec/hostPID
            value: true
  - kustomize:
      patchesStrategicMerge:
      - { apiVersion: apps/v1, kind: Deployment, metadata: { name: d }, spec: { replicas: 5 } }
`);
    assert.deepEqual(made.gaps, []);
    const [deployment, hook] = made.declared as [Declared, Declared];
    assert.deepEqual(deployment.object, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'web', labels: { team: 'x' }, annotations: { note: 'yes-it-is' } },
      spec: {
        replicas: 5,
        template: { spec: { containers: [{ image: 'web:2', name: 'c' }], hostPID: true } },
      },
    });
    assert.equal((hook.object['spec'] as { containers: { image: string }[] }).containers[0]!.image, 'web:1');
    assert.equal(hook.object.metadata?.labels?.['team'], 'x');
    const where = (...path: (string | number)[]) => deployment.origin.positionOf(path).file;
    assert.equal(where('spec', 'template', 'spec', 'hostPID'), 'apps/app.yaml');
    assert.equal(
      where('spec', 'template', 'spec', 'containers', 0, 'name'),
      'charts/shop/templates/all.yaml',
    );
  });

  it('takes values at a path in their order, below what the release states itself', () => {
    const { deployments, gaps } = deploymentsOf(
      [
        ...release(`  valuesFrom:
  - { kind: ConfigMap, name: v, valuesKey: one, targetPath: a.b }
  - { kind: ConfigMap, name: v, valuesKey: text, targetPath: c }
  - { kind: ConfigMap, name: v, valuesKey: more }
  - { kind: ConfigMap, name: v, valuesKey: none, optional: true }
  values: { d: 1 }
`),
        ...declared(
          "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: v, namespace: web }\ndata: { one: '7', text: '\"8\"', more: 'c: 9' }\n",
        ),
      ],
      TREE,
    );
    assert.deepEqual(gaps, []);
    assert.deepEqual(deployments[0]!.parameters, []);
    assert.deepEqual(
      deployments[0]!.values.map(({ value }) => value),
      [{ a: { b: 7 } }, { c: '8' }, 'c: 9', { d: 1 }],
    );
  });

  it('follows a release to its HelmChart, and no further than the tree', () => {
    const chart = (kind: string) =>
      declared(`apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: shop, namespace: web }
spec: { chartRef: { kind: ${kind}, name: shop } }
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: { name: shop, namespace: web }
spec: { chart: ./charts/shop, sourceRef: { kind: GitRepository, name: repo } }
`);
    assert.equal(deploymentsOf(chart('HelmChart'), TREE).deployments[0]?.folder, 'charts/shop');
    const { deployments, gaps } = deploymentsOf(chart('OCIRepository'), TREE);
    assert.deepEqual(deployments, []);
    assert.match(gaps[0]!.reason, /chart of OCIRepository shop is outside of what was scanned/);
  });

  it('labels what a Kustomization deploys', () => {
    const flux = declared(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: eu, namespace: flux-system }
spec: { path: ./apps/eu, sourceRef: { kind: GitRepository, name: r }, commonMetadata: { labels: { a: new, b: c } } }
`);
    const pod = declared(
      'apiVersion: v1\nkind: Pod\nmetadata: { name: p, labels: { a: old } }\n',
      'apps/eu/pod.yaml',
    );
    const all = [...flux, ...pod];
    const changed = asDeployed(all, deploymentsOf(all, TREE).deployments).at(-1)!;
    assert.deepEqual(changed.object.metadata?.labels, { a: 'new', b: 'c' });
  });

  it('is said where it fails', async () => {
    const made = await madeOf(
      '  postRenderers: [{ kustomize: { patches: [{ target: { kind: Deployment }, patch: "[{\\"op\\":\\"remove\\",\\"path\\":\\"/no\\"}]" }] } }]\n',
    );
    assert.equal(made.declared.length, 2);
    assert.match(
      made.gaps[0]!.reason,
      /^HelmRelease shop: its postRenderers failed, so the chart was judged without/,
    );
  });

  it('takes values files for the own values of the chart', async () => {
    const tree = treeOf({
      'charts/shop/Chart.yaml': '',
      'charts/shop/values.yaml': '',
      'charts/shop/more.yaml': '',
    });
    const of = (files: string) =>
      deploymentsOf(
        release('').map(one => ({
          ...one,
          object: {
            ...one.object,
            spec: {
              chart: {
                spec: {
                  chart: './charts/shop',
                  sourceRef: { kind: 'GitRepository', name: 'repo' },
                  valuesFiles: files.split(' '),
                },
              },
            },
          } as never,
        })),
        tree,
      ).deployments;
    const runs = await deploymentRuns(of('charts/shop/more.yaml'), () => 'replicas: 7\n');
    const made = await chartObjects(
      () => ({ files: chart, left: [] }),
      'charts/shop',
      () => runs,
    );
    assert.equal(made.failed, undefined);
    assert.deepEqual((made.declared[0]!.object['spec'] as { replicas: unknown }).replicas, 7);
    // Nothing of the chart's own values is left.
    assert.match(JSON.stringify(made.declared[0]!.object), /"image":null/);
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

  it('shortens the name of a HelmRelease that is too long for helm, as Flux does', () => {
    const { deployments } = deploymentsOf(
      declared(`apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: ${'n'.repeat(40)}, namespace: web }
spec:
  targetNamespace: ${'t'.repeat(20)}
  chart: { spec: { chart: ./charts/shop, sourceRef: { kind: GitRepository, name: repo } } }
`),
      TREE,
    );
    const long = `${'t'.repeat(20)}-${'n'.repeat(40)}`;
    const sum = createHash('sha256').update(long).digest('hex').slice(0, 12);
    assert.deepEqual(
      deployments.map(one => one.releaseName),
      [`${long.slice(0, 40)}-${sum}`],
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
