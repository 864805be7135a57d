/** Overlays for tests: written for one feature each, and put together at random. */

export type Tree = Readonly<Record<string, string>>;

/** Numbers that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WORKLOAD = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: { app: web }
spec:
  replicas: 2 # as many as there are
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels: { app: web }
      annotations: { "a/b": "1" }
    spec:
      serviceAccountName: robot
      initContainers:
        - name: init
          image: registry.example.com/init:1
      containers:
        - name: web
          image: nginx:1.27
          args: ["--host=$(HOST)", '--flag', |-
            two
            lines]
          env:
            - name: HOST
              value: web
            - name: FROM
              valueFrom: { configMapKeyRef: { name: settings, key: a } }
            - name: SECRET
              valueFrom: { secretKeyRef: { name: keys, key: b, optional: true } }
          envFrom:
            - configMapRef: { name: settings }
          ports:
            - { name: http, containerPort: 8080 }
            - { name: dns, containerPort: 8080, protocol: UDP }
          volumeMounts:
            - { name: data, mountPath: /data }
        - name: side
          image: "registry.example.com:5000/side@sha256:${'0'.repeat(64)}"
      volumes:
        - name: data
          configMap: { name: settings }
        - name: more
          projected:
            sources:
              - secret: { name: keys }
              - configMap: { name: settings }
`.replace("'--flag', |-\n            two\n            lines]", '\'--flag\', "two\\nlines"]');

const OTHERS: Tree = {
  'service.yaml':
    'apiVersion: v1\nkind: Service\nmetadata: { name: web, annotations: { n: "0123" } }\nspec:\n  selector: { app: web }\n  ports:\n  - { port: 80, targetPort: http }\n  - { port: 80, protocol: UDP, name: dns }\n',
  'settings.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata:\n  a: "1"\n  on: "yes"\n  text: |\n    first\n    second: "x"\n  folded: >-\n    a b\n    c\n  "odd key": \'it\'\'s\'\n',
  'keys.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: { name: keys }\nstringData: { b: two }\n',
  'robot.yaml':
    'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: robot }\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: reader }\nrules: [{ apiGroups: [""], resources: [configmaps], resourceNames: [settings], verbs: [get] }]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: reader }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }\nsubjects: [{ kind: ServiceAccount, name: robot }]\n',
  'ingress.yaml':
    'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web }\nspec:\n  tls: [{ secretName: keys, hosts: [a.example.com] }]\n  rules:\n  - host: a.example.com\n    http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }] }\n',
  'scaler.yaml':
    'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: web }\nspec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }, minReplicas: 1, maxReplicas: 3 }\n',
  'stateful.yaml':
    'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: db }\nspec:\n  serviceName: web\n  selector: { matchLabels: { app: db } }\n  template:\n    metadata: { labels: { app: db } }\n    spec: { containers: [{ name: db, image: "postgres:17", env: [] }] }\n  volumeClaimTemplates:\n  - metadata: { name: data }\n    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }\n',
  'job.yaml':
    'apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: nightly }\nspec:\n  schedule: "0 3 * * *"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n          containers: [{ name: job, image: "busybox", envFrom: [{ secretRef: { name: keys } }] }]\n',
  'policy.yaml':
    'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: deny }\nspec: { podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: [{ from: [{ podSelector: { matchLabels: { app: db } } }] }] }\n',
  'custom.yaml':
    'apiVersion: example.com/v1\nkind: Widget\nmetadata: { name: widget }\nspec: { list: [{ name: a, value: 1 }, { name: b, value: 2.50 }], image: nginx:1.27, nothing: null, big: 12345678901234567890, float: 1e3, oct: 0o17, date: 2024-01-02 }\n',
  'namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n',
};

/** A kustomization put together at random: a base, perhaps a component, and an overlay over both. */
export function randomOverlay(seed: number): Tree {
  const random = randomOf(seed);
  const chance = (of: number): boolean => random() < of;
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const some = <Item>(items: readonly Item[], of = 0.5): Item[] => items.filter(() => chance(of));
  const files: Record<string, string> = { 'base/web.yaml': WORKLOAD };
  const resources = ['web.yaml'];
  for (const [name, text] of Object.entries(OTHERS))
    if (chance(0.6)) {
      files[`base/${name}`] = text;
      resources.push(name);
    }
  const base: Record<string, unknown> = { resources };
  const has = (name: string): boolean => resources.includes(name);

  const transform = (into: Record<string, unknown>, folder: string): void => {
    if (chance(0.3)) into['namePrefix'] = pick(['dev-', 'a.', 'x']);
    if (chance(0.25)) into['nameSuffix'] = pick(['-v1', '-eu']);
    if (chance(0.3)) into['namespace'] = pick(['shop', 'other']);
    if (chance(0.3)) into['commonLabels'] = { team: pick(['red', '1', 'true']) };
    if (chance(0.3))
      into['labels'] = [
        {
          pairs: { tier: pick(['front', 'no', '007']) },
          ...(chance(0.5) ? { includeSelectors: chance(0.5) } : {}),
          ...(chance(0.4) ? { includeTemplates: true } : {}),
        },
      ];
    if (chance(0.3))
      into['commonAnnotations'] = { note: pick(['with: colon', '', "it's", '{ braces }', 'null']) };
    if (chance(0.4))
      into['images'] = some([
        { name: 'nginx', newTag: pick(['1.28', '1.0', '2']) },
        { name: 'registry.example.com/init', newName: 'mirror.example.com/init' },
        { name: 'registry.example.com:5000/side', digest: `sha256:${'1'.repeat(64)}` },
        { name: 'postgres', newName: 'pg', newTag: 'latest' },
        { name: 'busybox', newTag: 'stable', newName: 'mirror.example.com:5000/busybox' },
      ]);
    if (chance(0.25)) into['replicas'] = [{ name: 'web', count: pick([0, 1, 5]) }];
    if (chance(0.4)) {
      const generated = some<Record<string, unknown>>([
        { name: `made-${folder}`, literals: ['a=b', 'c="quoted"', "d='x=y'", 'e='] },
        { name: `files-${folder}`, files: ['file.txt', 'renamed=file.txt'] },
        { name: `env-${folder}`, envs: ['vars.env'] },
        ...(has('settings.yaml') && folder !== 'base'
          ? [{ name: 'settings', behavior: pick(['merge', 'replace']), literals: ['a=other', 'new=1'] }]
          : []),
      ]);
      for (const one of generated)
        if (chance(0.3))
          one['options'] = { disableNameSuffixHash: chance(0.5), labels: { g: 'x' }, immutable: true };
      if (generated.length > 0) into['configMapGenerator'] = generated;
      files[`${folder}/file.txt`] = pick(['one\ntwo\n', 'no end', 'tab\there\n', '  led by spaces\n', '']);
      files[`${folder}/vars.env`] = '# comment\nA=1\nB = spaced\nC=\n';
    }
    if (chance(0.25))
      into['secretGenerator'] = [
        { name: `secret-${folder}`, literals: ['k=v', 'long='.padEnd(120, 'x')], type: 'Opaque' },
      ];
    if (chance(0.15))
      into['generatorOptions'] = { annotations: { generated: 'yes' }, disableNameSuffixHash: chance(0.3) };
    if (chance(0.15)) into['sortOptions'] = { order: pick(['legacy', 'fifo']) };
    if (chance(0.15))
      into['buildMetadata'] = some(['originAnnotations', 'transformerAnnotations', 'managedByLabel'], 0.5);
  };

  const patches = (): unknown[] =>
    some<unknown>(
      [
        {
          patch:
            'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { replicas: 7, template: { spec: { containers: [{ name: web, env: [{ name: HOST, value: patched }, { name: NEW, value: "1" }] }, { name: added, image: "added:1" }] } } }\n',
        },
        {
          patch:
            'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { template: { spec: { initContainers: [{ name: init, $patch: delete }], volumes: [{ name: data, emptyDir: {}, configMap: null }] } } }\n',
        },
        {
          patch:
            'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { template: { spec: { containers: [{ name: web, ports: [{ containerPort: 8080, protocol: TCP, name: web }, { containerPort: 9090 }] }] } } }\n',
        },
        {
          patch:
            'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { template: { metadata: { annotations: { "a/b": null, c: d } }, spec: { $setElementOrder/containers: [{ name: side }, { name: web }], containers: [{ name: side, command: [run] }] } } }\n',
        },
        {
          target: { kind: 'Deployment', name: 'web|api' },
          patch:
            '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--more"},{"op":"replace","path":"/spec/replicas","value":9}]',
        },
        {
          target: { kind: 'Deployment' },
          patch:
            '- op: copy\n  from: /spec/template/spec/containers/0/env\n  path: /spec/template/spec/containers/1/env\n- op: remove\n  path: /spec/template/spec/containers/0/envFrom\n- op: add\n  path: /metadata/annotations\n  value: { x~y: "1" }\n',
        },
        { target: { labelSelector: 'app=web' }, patch: '- op: add\n  path: /spec/paused\n  value: true\n' },
        {
          target: { version: 'v1', kind: '.*(Set|Deployment)' },
          patch: 'apiVersion: any/v1\nkind: Any\nmetadata: { name: any, labels: { patched: "yes" } }\n',
        },
        ...(has('service.yaml')
          ? [
              {
                patch:
                  'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80, protocol: UDP, nodePort: 30053 }, { port: 443, name: https }] }\n',
              },
            ]
          : []),
        ...(has('custom.yaml')
          ? [
              {
                patch:
                  'apiVersion: example.com/v1\nkind: Widget\nmetadata: { name: widget }\nspec: { list: [{ name: b, value: 3 }], image: null, added: { deep: [1, two, 3.0] } }\n',
              },
            ]
          : []),
        ...(has('ingress.yaml')
          ? [
              {
                target: { kind: 'Ingress' },
                patch: '- { op: replace, path: /spec/rules/0/host, value: b.example.com }\n',
              },
            ]
          : []),
        ...(has('job.yaml')
          ? [{ patch: 'apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: nightly }\n$patch: delete\n' }]
          : []),
      ],
      0.3,
    );

  if (chance(0.5)) transform(base, 'base');
  const overlay: Record<string, unknown> = { resources: ['../base'] };
  transform(overlay, 'overlay');
  const chosen = patches();
  if (chosen.length > 0) overlay['patches'] = chosen;
  if (chance(0.3)) {
    overlay['components'] = ['../part'];
    const part: Record<string, unknown> = {
      apiVersion: 'kustomize.config.k8s.io/v1alpha1',
      kind: 'Component',
    };
    const own = patches();
    if (own.length > 0 && chance(0.7)) part['patches'] = own;
    transform(part, 'part');
    files['part/kustomization.yaml'] = JSON.stringify(part, undefined, 1);
  }
  if (chance(0.3))
    overlay['replacements'] = some(
      [
        {
          source: { kind: 'Deployment', name: 'web', fieldPath: 'metadata.name' },
          targets: [
            {
              select: { kind: 'Deployment' },
              fieldPaths: ['spec.template.spec.containers.[name=web].env.[name=HOST].value'],
              options: pick([{}, { create: true }, { delimiter: '-', index: 0 }]),
            },
          ],
        },
        {
          source: {
            kind: 'Deployment',
            fieldPath: 'spec.template.spec.containers.0.image',
            options: { delimiter: ':', index: 1 },
          },
          targets: [
            {
              select: { kind: 'Deployment' },
              reject: [{ name: 'nobody' }],
              fieldPaths: ['metadata.labels.version', 'spec.template.metadata.labels.version'],
              options: { create: true },
            },
          ],
        },
      ],
      0.6,
    );
  if (chance(0.25) && has('service.yaml'))
    overlay['vars'] = [
      {
        name: 'HOST',
        objref: { kind: 'Service', name: 'web', apiVersion: 'v1' },
        ...(chance(0.5) ? { fieldref: { fieldpath: 'metadata.name' } } : {}),
      },
    ];
  files['base/kustomization.yaml'] = JSON.stringify(base, undefined, 1);
  files['overlay/kustomization.yaml'] = JSON.stringify(overlay, undefined, 1);
  return files;
}

const CHART: Tree = {
  'overlay/charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: "7"\n',
  'overlay/charts/shop/values.yaml':
    'replicas: 2\nname: shop\nflag: true\nempty: ""\nzero: 0\nlist: [a, b]\nmap: { a: 1, b: { c: d } }\nimage: { repository: shop, tag: "" }\n',
  'overlay/charts/shop/templates/all.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-{{ .Values.name }}
  namespace: {{ .Release.Namespace }}
  labels: { chart: "{{ .Chart.Name }}-{{ .Chart.Version }}", kube: "{{ .Capabilities.KubeVersion.Minor }}" }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers:
      - name: shop
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        envFrom: [{ configMapRef: { name: "{{ .Release.Name }}-settings" } }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: "{{ .Release.Name }}-settings" }
data:
  values: {{ toJson .Values | quote }}
  flag: {{ .Values.flag | quote }}
  {{- if .Capabilities.APIVersions.Has "example.com/v1" }}
  example: "yes"
  {{- end }}
`,
  'overlay/charts/shop/templates/hook.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: { name: hook, annotations: { helm.sh/hook: pre-install } }\nspec: { containers: [{ name: c, image: "hook:1" }] }\n',
  'overlay/charts/shop/templates/tests/test.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: { name: test, annotations: { helm.sh/hook: test } }\nspec: { containers: [{ name: c, image: "test:1" }] }\n',
  'overlay/charts/shop/crds/crd.yaml':
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: widgets.example.com }\nspec: { group: example.com, names: { kind: Widget, plural: widgets }, scope: Namespaced, versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }] }\n',
  'overlay/more.yaml': 'replicas: 5\nmap: { b: { e: f } }\n',
  'overlay/other.yaml': 'name: other\nlist: [c]\n',
};

const withChart = (chart: object, more: object = {}, files: Tree = {}): Tree => ({
  ...CHART,
  ...files,
  'overlay/kustomization.yaml': JSON.stringify({ helmCharts: [chart], ...more }),
});

/** Kustomizations with a chart beside them. */
export const CHART_CASES: Readonly<Record<string, Tree>> = {
  'a chart with its own values': withChart({ name: 'shop', releaseName: 'r' }),
  'a namespace of its own and one of the kustomization': withChart(
    { name: 'shop', releaseName: 'r', namespace: 'inner' },
    { namespace: 'outer', namePrefix: 'p-' },
  ),
  'hooks left out': withChart({ name: 'shop', releaseName: 'r', skipHooks: true }),
  'tests left out': withChart({ name: 'shop', releaseName: 'r', skipTests: true }),
  'with definitions': withChart({ name: 'shop', releaseName: 'r', includeCRDs: true }),
  'for a version and further APIs': withChart({
    name: 'shop',
    releaseName: 'r',
    kubeVersion: '1.29.0',
    apiVersions: ['example.com/v1'],
  }),
  'values in line': withChart({
    name: 'shop',
    releaseName: 'r',
    valuesInline: { replicas: 3, map: { b: { c: 'x', new: [1] } }, list: ['z'] },
  }),
  'values in line that are empty': withChart({
    name: 'shop',
    releaseName: 'r',
    valuesInline: {
      replicas: 0,
      name: '',
      flag: false,
      list: [],
      map: { a: null, b: null, n: null },
      empty: null,
      fresh: null,
      image: null,
    },
  }),
  'values in line below those of the chart': withChart({
    name: 'shop',
    releaseName: 'r',
    valuesMerge: 'merge',
    valuesInline: {
      replicas: 3,
      empty: 'filled',
      zero: 4,
      new: 1,
      none: null,
      map: { a: 2, z: 1, b: { c: 1, d: null } },
      list: ['z'],
      flag: null,
      image: { tag: 't' },
    },
  }),
  'values in line in the place of all': withChart({
    name: 'shop',
    releaseName: 'r',
    valuesMerge: 'replace',
    valuesInline: { replicas: 3 },
  }),
  'no such way to merge': withChart({
    name: 'shop',
    releaseName: 'r',
    valuesMerge: 'mix',
    valuesInline: { replicas: 3 },
  }),
  'a values file': withChart({ name: 'shop', releaseName: 'r', valuesFile: 'more.yaml' }),
  'values files, and values in line': withChart({
    name: 'shop',
    releaseName: 'r',
    valuesFile: 'more.yaml',
    additionalValuesFiles: ['other.yaml'],
    valuesInline: { replicas: 9, name: 'inline' },
  }),
  'a values file that is missing': withChart({ name: 'shop', releaseName: 'r', valuesFile: 'no.yaml' }),
  'a chart that is missing': withChart({ name: 'nothing', releaseName: 'r' }),
  'a template of the name': withChart({ name: 'shop', nameTemplate: 'made' }),
  'patched, with labels and other images': withChart(
    { name: 'shop', releaseName: 'r' },
    {
      images: [{ name: 'shop', newTag: '8' }],
      labels: [{ pairs: { team: 'x' }, includeTemplates: true }],
      patches: [{ target: { kind: 'Deployment' }, patch: '- { op: add, path: /spec/paused, value: true }' }],
    },
  ),
  'beside resources, which they may name': withChart(
    { name: 'shop', releaseName: 'r' },
    {
      resources: ['pod.yaml'],
      nameSuffix: '-s',
      configMapGenerator: [{ name: 'r-settings', behavior: 'merge', literals: ['more=1'] }],
    },
    {
      'overlay/pod.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { containers: [{ name: c, image: "c:1", envFrom: [{ configMapRef: { name: r-settings } }] }] }\n',
    },
  ),
  'another home': {
    ...Object.fromEntries(
      Object.entries(CHART).map(([name, text]) => [name.replace('overlay/charts/', 'overlay/vendor/'), text]),
    ),
    'overlay/kustomization.yaml': JSON.stringify({
      helmGlobals: { chartHome: 'vendor' },
      helmCharts: [{ name: 'shop', releaseName: 'r' }],
    }),
  },
  'as a generator of its own': {
    ...CHART,
    'overlay/kustomization.yaml': 'generators: [chart.yaml]\n',
    'overlay/chart.yaml':
      'apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: { name: any }\nname: shop\nreleaseName: r\nvaluesInline: { replicas: 4 }\n',
  },
};

const FULL: Tree = {
  'base/web.yaml': WORKLOAD,
  ...Object.fromEntries(Object.entries(OTHERS).map(([name, text]) => [`base/${name}`, text])),
  'base/kustomization.yaml': JSON.stringify({ resources: ['web.yaml', ...Object.keys(OTHERS)] }),
};

const over = (kustomization: object, files: Tree = {}): Tree => ({
  ...FULL,
  ...files,
  'overlay/kustomization.yaml': JSON.stringify({ resources: ['../base'], ...kustomization }),
});

/** One kustomization for each feature, each over every kind of object. */
export const FEATURES: Readonly<Record<string, Tree>> = {
  'nothing but a base': over({}),
  'prefix and suffix': over({ namePrefix: 'p-', nameSuffix: '-s' }),
  'a namespace': over({ namespace: 'other' }),
  'common labels': over({ commonLabels: { team: 'x', num: '1', on: 'yes' } }),
  'labels in selectors': over({ labels: [{ pairs: { a: 'b' }, includeSelectors: true }] }),
  'labels in templates': over({ labels: [{ pairs: { a: 'b' }, includeTemplates: true }] }),
  'labels in fields of one’s own': over({
    labels: [{ pairs: { a: 'b' }, fields: [{ path: 'spec/labels', kind: 'Widget', create: true }] }],
  }),
  'common annotations': over({ commonAnnotations: { a: '1', b: 'null', c: 'x: y' } }),
  images: over({
    images: [
      { name: 'nginx', newName: 'mirror/nginx', newTag: '1.0' },
      { name: 'registry.example.com:5000/side', newTag: 'v2' },
      { name: 'registry.example.com/init', digest: `sha256:${'2'.repeat(64)}` },
      { name: 'busybox', tagSuffix: '-slim' },
    ],
  }),
  replicas: over({
    replicas: [
      { name: 'web', count: 0 },
      { name: 'db', count: 3 },
    ],
  }),
  'replicas of nothing': over({ replicas: [{ name: 'nobody', count: 1 }] }),
  generators: over({
    configMapGenerator: [
      { name: 'settings', behavior: 'merge', literals: ['a=2', 'multi=one\ntwo'] },
      { name: 'new', literals: ['x=1'], options: { immutable: true, annotations: { n: 'y' } } },
    ],
    secretGenerator: [{ name: 'keys', behavior: 'replace', literals: ['c=d'] }],
    generatorOptions: { labels: { made: 'true' } },
  }),
  'generators from files': over(
    {
      configMapGenerator: [
        { name: 'f', files: ['a.txt', 'other=b.bin'], envs: ['c.env'] },
        { name: 'none', files: ['a.txt'], options: { disableNameSuffixHash: true } },
      ],
    },
    { 'overlay/a.txt': 'x\r\ny\n', 'overlay/b.bin': 'a\u0000b', 'overlay/c.env': '#no\nA=1\n\nB\n' },
  ),
  replacements: over({
    replacements: [
      {
        source: { kind: 'Service', name: 'web', fieldPath: 'metadata.name' },
        targets: [
          {
            select: { kind: 'Ingress' },
            fieldPaths: ['spec.rules.0.host', 'spec.tls.*.hosts.0'],
            options: { delimiter: '.', index: 0 },
          },
          {
            select: { kind: 'Deployment' },
            fieldPaths: ['spec.template.spec.containers.[name=web].args.0'],
            options: { delimiter: '=', index: 1 },
          },
          { select: { kind: 'Widget' }, fieldPaths: ['spec.list.*.name'] },
        ],
      },
    ],
  }),
  vars: over({
    vars: [
      { name: 'HOST', objref: { kind: 'Service', name: 'web', apiVersion: 'v1' } },
      {
        name: 'LEFT',
        objref: { kind: 'ConfigMap', name: 'settings', apiVersion: 'v1' },
        fieldref: { fieldpath: 'data.a' },
      },
    ],
    namePrefix: 'v-',
  }),
  'patches of every form': over(
    {
      patchesStrategicMerge: ['patch.yaml'],
      patchesJson6902: [
        { target: { group: 'apps', version: 'v1', kind: 'Deployment', name: 'web' }, path: 'patch.json' },
      ],
      patches: [
        { path: 'many.yaml' },
        {
          target: { kind: 'Role|RoleBinding', annotationSelector: 'n!=1' },
          patch: '- { op: add, path: /metadata/labels, value: { r: r } }',
        },
        {
          target: { kind: 'Deployment' },
          options: { allowNameChange: true },
          patch: 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: renamed }\n',
        },
      ],
    },
    {
      'overlay/patch.yaml':
        'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: db }\nspec:\n  template:\n    spec:\n      $patch: replace\n      containers:\n      - { name: other, image: "other:1" }\n',
      'overlay/patch.json': '[{"op":"move","from":"/spec/replicas","path":"/spec/minReadySeconds"}]',
      'overlay/many.yaml':
        'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80, $patch: delete }] }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { a: null, more: |\n  x\n }\n'.replace(
          'more: |\n  x\n }',
          'more: "x" }',
        ),
    },
  ),
  'a component': over(
    { components: ['../part'] },
    {
      'part/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\nresources: [extra.yaml]\npatches: [{ target: { kind: Deployment }, patch: "- { op: remove, path: /spec/replicas }" }]\n',
      'part/extra.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra }\n',
    },
  ),
  'two ways to the same base': {
    ...FULL,
    'a/kustomization.yaml': 'resources: [../base]\nnamePrefix: a-\n',
    'b/kustomization.yaml': 'resources: [../base]\nnamespace: b\n',
    'overlay/kustomization.yaml': 'resources: [../a, ../b]\ncommonLabels: { all: both }\n',
  },
  'the same base twice': {
    ...FULL,
    'a/kustomization.yaml': 'resources: [../base]\n',
    'overlay/kustomization.yaml': 'resources: [../a, ../base]\n',
  },
  'the old order': over({ sortOptions: { order: 'legacy' } }),
  'an order of one’s own': over({
    sortOptions: { order: 'legacy', legacySortOptions: { orderFirst: ['Widget'], orderLast: ['Namespace'] } },
  }),
  'metadata of the build': over({
    buildMetadata: ['originAnnotations', 'transformerAnnotations', 'managedByLabel'],
    namePrefix: 'p-',
  }),
  'configurations of one’s own': over(
    { namePrefix: 'p-', configurations: ['config.yaml'], images: [{ name: 'nginx', newTag: '2' }] },
    {
      'overlay/config.yaml':
        'images: [{ path: spec/image, kind: Widget }]\nnamePrefix: [{ path: metadata/name, kind: Widget }]\nnameReference:\n- kind: ConfigMap\n  fieldSpecs: [{ path: spec/list/name, kind: Widget }]\n',
    },
  ),
  'transformers as files': over(
    { transformers: ['t.yaml'] },
    {
      'overlay/t.yaml':
        'apiVersion: builtin\nkind: LabelTransformer\nmetadata: { name: l }\nlabels: { t: x }\nfieldSpecs: [{ path: metadata/labels, create: true }]\n---\napiVersion: builtin\nkind: PatchTransformer\nmetadata: { name: p }\npatch: "- { op: add, path: /spec/paused, value: true }"\ntarget: { kind: Deployment }\n---\napiVersion: builtin\nkind: NamespaceTransformer\nmetadata: { name: n, namespace: all }\nunsetOnly: true\n',
    },
  ),
  'a field that there is not': over({ resourses: [] }),
  'a patch of nothing': over({
    patches: [{ patch: 'apiVersion: v1\nkind: Pod\nmetadata: { name: nobody }\n' }],
  }),
  'a file that is missing': over({ resources: ['../base', 'no.yaml'] }),
};
