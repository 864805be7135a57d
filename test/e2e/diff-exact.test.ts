/**
 * A comparison of commits reads and judges only what the change concerns. What it says must be what a comparison of
 * everything says: random changes of a small estate, with deletions that are felt elsewhere, compared both ways.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Parsed } from '../../src/cli/command.ts';
import { compared } from '../../src/cli/compared.ts';
import { folderOf } from './program.ts';

const ROUNDS = Number(process.env['SALLYPORT_ROUNDS'] ?? 40);

/** Numbers that are the same at every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 12)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof randomOf>;

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random(items.length)]!;
const NAMESPACES = ['shop', 'bank', 'kube-system', 'istio-system'];
const NAMES = ['web', 'cart', 'db'];

const head = (apiVersion: string, kind: string, name: string, namespace?: string, more = '') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name}${namespace === undefined ? '' : `, namespace: ${namespace}`}${more} }\n`;

function podSpec(random: Random, indent: string): string {
  const lines = [
    ...(random(3) === 0 ? [`serviceAccountName: ${pick(random, NAMES)}`] : []),
    ...(random(4) === 0 ? ['hostPID: true'] : []),
    ...(random(5) === 0 ? ['hostNetwork: true'] : []),
    ...(random(4) === 0 ? ['automountServiceAccountToken: false'] : []),
    ...(random(5) === 0 ? ['volumes: [{ name: s, secret: { secretName: keys } }]'] : []),
    `containers: [{ name: c, image: "registry.example.com/shop/${pick(random, NAMES)}:${random(3)}"${random(3) === 0 ? ', securityContext: { privileged: true }' : ''}${random(2) === 0 ? ', ports: [{ name: http, containerPort: 8080 }]' : ''}${random(15) === 0 ? ', env: 7' : ''} }]`,
  ];
  return lines.map(line => `${indent}${line}\n`).join('');
}

const workload = (random: Random, kind: string, name: string, namespace: string | undefined) =>
  `${head('apps/v1', kind, name, namespace)}spec:\n  replicas: ${1 + random(3)}\n  selector: { matchLabels: { app: ${name} } }\n  template:\n    metadata: { labels: { app: ${pick(random, [name, name, 'other'])} } }\n    spec:\n${podSpec(random, '      ')}`;

const rules = (random: Random) =>
  `rules: [{ apiGroups: ["${pick(random, ['', 'apps', 'rbac.authorization.k8s.io', '*'])}"], resources: [${pick(random, ['pods', 'secrets', 'clusterrolebindings', '"*"'])}], verbs: [${pick(random, ['get', 'create, bind', '"*"'])}] }]\n`;

/** One object of any kind that some judgement looks at. */
function anObject(random: Random): string {
  const [name, namespace] = [pick(random, NAMES), pick(random, NAMESPACES)];
  const makers: readonly (() => string)[] = [
    () => workload(random, 'Deployment', name, namespace),
    () => workload(random, pick(random, ['Deployment', 'StatefulSet', 'DaemonSet']), name, namespace),
    () =>
      `${head('v1', 'Pod', name, namespace, random(2) === 0 ? ', ownerReferences: [{ apiVersion: apps/v1, kind: Deployment, name: web, uid: a, controller: true }]' : '')}spec:\n${podSpec(random, '  ')}`,
    () =>
      `${head('v1', 'ServiceAccount', pick(random, [...NAMES, 'default']), namespace)}${random(2) === 0 ? 'automountServiceAccountToken: false\n' : ''}`,
    () =>
      head(
        'v1',
        'Namespace',
        namespace,
        undefined,
        pick(random, [
          '',
          ', labels: { pod-security.kubernetes.io/enforce: baseline }',
          ', labels: { istio-injection: enabled }',
          ', labels: { istio.io/dataplane-mode: ambient }',
        ]),
      ),
    () => `${head('rbac.authorization.k8s.io/v1', 'Role', name, namespace)}${rules(random)}`,
    () => `${head('rbac.authorization.k8s.io/v1', 'ClusterRole', name)}${rules(random)}`,
    () =>
      `${head('rbac.authorization.k8s.io/v1', 'RoleBinding', name, namespace)}roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${pick(random, ['Role', 'ClusterRole'])}, name: ${pick(random, [...NAMES, 'view'])} }\nsubjects: [{ kind: ServiceAccount, name: ${pick(random, NAMES)}, namespace: ${namespace} }]\n`,
    () =>
      `${head('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', name)}roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${pick(random, NAMES)} }\nsubjects: [{ kind: ${pick(random, ['User', 'Group'])}, name: ${name} }]\n`,
    () =>
      `${head('networking.k8s.io/v1', 'NetworkPolicy', name, namespace)}spec: { podSelector: { matchLabels: { app: ${name} } }, policyTypes: [${pick(random, ['Ingress', 'Egress'])}]${random(2) === 0 ? ', ingress: [{ from: [{ podSelector: {} }] }]' : ''} }\n`,
    () =>
      `${head('v1', 'Service', name, namespace)}spec: { type: ${pick(random, ['ClusterIP', 'LoadBalancer'])}, selector: { app: ${name} }, ports: [{ port: 80, targetPort: 8080 }] }\n`,
    () =>
      `${head('policy/v1', 'PodDisruptionBudget', name, namespace)}spec: { selector: { matchLabels: { app: ${name} } } }\n`,
    () =>
      `${head('autoscaling/v2', 'HorizontalPodAutoscaler', name, namespace)}spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: ${name} }, maxReplicas: 3 }\n`,
    () =>
      `${head('v1', 'Secret', name, namespace, ', annotations: { kubernetes.io/service-account.name: web }')}type: ${pick(random, ['Opaque', 'kubernetes.io/service-account-token'])}\n`,
    () => `${head('v1', 'ConfigMap', pick(random, [name, 'aws-auth', 'istio']), namespace)}data: { a: b }\n`,
    () =>
      `${head('security.istio.io/v1', 'PeerAuthentication', name, namespace)}spec: { mtls: { mode: ${pick(random, ['STRICT', 'PERMISSIVE', 'DISABLE'])} } }\n`,
    () =>
      `${head('security.istio.io/v1', 'AuthorizationPolicy', name, namespace)}spec: { action: ${pick(random, ['ALLOW', 'DENY'])}, selector: { matchLabels: { app: ${name} } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/${name}] } }] }] }\n`,
    () =>
      `${head('networking.istio.io/v1', 'DestinationRule', name, namespace)}spec: { host: ${name}, subsets: [{ name: ${pick(random, NAMES)}, labels: { app: ${name} } }] }\n`,
    () =>
      `${head('networking.istio.io/v1', 'VirtualService', name, namespace)}spec: { hosts: [${name}], http: [{ route: [{ destination: { host: ${name}, subset: web } }] }] }\n`,
    () =>
      `${head('policy.linkerd.io/v1beta3', 'Server', name, namespace)}spec: { podSelector: {}, port: http }\n`,
    () =>
      `${head('policy.linkerd.io/v1alpha1', 'AuthorizationPolicy', name, namespace)}spec: { targetRef: { kind: Server, name: ${name} }, requiredAuthenticationRefs: [] }\n`,
    () =>
      `${head('example.com/v1', 'Shop', name, namespace)}spec:\n  template:\n    spec:\n${podSpec(random, '      ')}`,
    () => `${head('example.com/v1', 'Thing', name, namespace)}spec: { a: ${random(3)} }\n`,
  ];
  return pick(random, makers)();
}

/** A file of objects, now and then with an exception, a broken document, a word that is not written plainly. */
function aFile(random: Random): string {
  const texts = Array.from({ length: 1 + random(3) }, () => anObject(random));
  if (random(6) === 0) texts.unshift('# sallyport: allow pod-security/privileged -- a test (owner @a)\n');
  if (random(10) === 0) texts.push('a: [\n');
  if (random(10) === 0)
    texts.push(
      'apiVersion: v1\n"k\\x69nd": "Service\\x41ccount"\nmetadata: { name: web, namespace: shop }\n',
    );
  return texts.join('---\n');
}

const DEFINITION =
  'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: shops.example.com }\nspec:\n  group: example.com\n  names: { kind: Shop, plural: shops }\n  scope: Namespaced\n  versions:\n    - name: v1\n      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { template: { type: object, properties: { metadata: { type: object }, spec: { type: object, properties: { containers: { type: array, items: { type: object, properties: { name: { type: string }, image: { type: string } } } }, hostPID: { type: boolean }, serviceAccountName: { type: string } } } } } } } } } }\n';

/** Files that are not judged as they are written. */
function aPart(random: Random): readonly [name: string, text: string] {
  return pick<() => readonly [string, string]>(random, [
    () => ['chart/values.yaml', `hostPID: ${random(2) === 0}\nimage: shop:${random(3)}\n`],
    () => ['chart/values-prod.yaml', `hostPID: ${random(2) === 0}\n`],
    () => ['chart/values-test.yaml', `replicas: ${random(2)}\n`],
    () => [
      'chart/templates/a.yaml',
      `${head('apps/v1', 'Deployment', 'charted', 'shop')}spec:\n  template:\n    metadata: { labels: { app: charted } }\n    spec:\n      hostPID: {{ .Values.hostPID }}\n      serviceAccountName: ${pick(random, NAMES)}\n      containers: [{ name: c, image: {{ .Values.image | default "shop:1" | quote }} }]\n`,
    ],
    () => [
      'chart/templates/account.yaml',
      `${head('v1', 'ServiceAccount', '{{ .Chart.Name }}', 'shop')}automountServiceAccountToken: ${random(2) === 0}\n`,
    ],
    () => ['base/a.yaml', workload(random, 'Deployment', 'built', undefined)],
    () => ['base/account.yaml', head('v1', 'ServiceAccount', pick(random, NAMES))],
    // Kustomizations that have nothing in common: one side's stay what they were when another one's files change.
    () => [`${pick(random, ['solo', 'duo'])}/a.yaml`, workload(random, 'Deployment', 'alone', 'shop')],
    () => ['duo/account.yaml', head('v1', 'ServiceAccount', pick(random, NAMES), 'shop')],
    () => [
      'duo/kustomization.yaml',
      `resources: [a.yaml, ${pick(random, ['account.yaml', 'absent.yaml', '../solo'])}]\n${random(2) === 0 ? 'patches: [{ patch: "[{ op: add, path: /metadata/labels, value: { a: b } }]", target: { name: alone } }]\n' : ''}`,
    ],
    () => [
      'overlays/prod/kustomization.yaml',
      `resources: [../../base]\nnamespace: ${pick(random, NAMESPACES)}\n`,
    ],
    () => [
      'overlays/test/kustomization.yaml',
      `resources: [../../base]\nnamespace: shop\n${random(2) === 0 ? 'configMapGenerator: [{ name: istio, literals: [a=b] }]\n' : ''}`,
    ],
    () => [
      'apps/live.yaml',
      `${head('argoproj.io/v1alpha1', 'Application', 'live', 'argocd')}spec:\n  destination: { namespace: ${pick(random, NAMESPACES)} }\n  source: { repoURL: https://git.example.com/a.git, path: ${pick(random, ['chart', 'plain/x'])}, helm: { valuesObject: { hostPID: ${random(2) === 0} } } }\n`,
    ],
    () => ['plain/x/crd.yaml', DEFINITION],
    () => [
      'overlays/prod/kustomization.yaml',
      `resources: [../../base]\nnamePrefix: ${pick(random, ['a-', 'b-'])}\nconfigMapGenerator: [{ name: notes, files: [notes.txt] }]\n`,
    ],
    () => ['overlays/prod/notes.txt', `note ${random(3)}\n`],
    () => ['README.md', `note ${random(9)}\n`],
    () => ['chart/templates/_names.tpl', `{{- define "n" }}${random(3)}{{ end }}\n`],
    () => ['plain/x/note.txt', `note ${random(9)}\n`],
    () => [
      'apps/overlay.yaml',
      `${head('argoproj.io/v1alpha1', 'Application', 'overlay', 'argocd')}spec:\n  destination: { namespace: ${pick(random, NAMESPACES)} }\n  source: { repoURL: https://git.example.com/a.git, path: overlays/${pick(random, ['prod', 'test'])}, kustomize: { namePrefix: ${pick(random, ['x-', 'y-'])}${random(3) === 0 ? ', components: [../../parts]' : ''} } }\n`,
    ],
    () => [
      'apps/set.yaml',
      `${head('argoproj.io/v1alpha1', 'ApplicationSet', 'set', 'argocd')}spec:\n  generators: [{ git: { repoURL: https://git.example.com/a.git, ${pick(random, ['directories: [{ path: plain/* }]', 'files: [{ path: "settings/*.json" }]'])} } }]\n  template: { metadata: { name: "{{path.basename}}" }, spec: { destination: { namespace: "{{path.basename}}" }, source: { repoURL: https://git.example.com/a.git, path: "${pick(random, ['{{path}}', 'chart'])}" } } }\n`,
    ],
    () => [`settings/${pick(random, NAMES)}.json`, `{ "a": "${random(3)}" }\n`],
    () => [
      'apps/flux.yaml',
      `${head('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', 'flux', 'flux-system')}spec: { path: ./${pick(random, ['plain/y', 'base', 'overlays/test', 'more'])}, sourceRef: { kind: GitRepository, name: a }${random(2) === 0 ? `, targetNamespace: ${pick(random, NAMESPACES)}` : ''}${random(2) === 0 ? ', postBuild: { substituteFrom: [{ kind: ConfigMap, name: settings }] }' : ''} }\n`,
    ],
    () => [
      'apps/settings.yaml',
      `${head('v1', 'ConfigMap', 'settings', 'flux-system')}data: { level: "${random(3)}", values.yaml: "hostPID: ${random(2) === 0}" }\n`,
    ],
    () => [
      'apps/release.yaml',
      `${head('helm.toolkit.fluxcd.io/v2', 'HelmRelease', 'release', 'flux-system')}spec: { chart: { spec: { chart: ./chart, sourceRef: { kind: GitRepository, name: a } } }, valuesFrom: [{ kind: ConfigMap, name: settings }] }\n`,
    ],
    () => [
      'parts/kustomization.yaml',
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [a.yaml]\n',
    ],
    () => ['parts/a.yaml', workload(random, 'Deployment', 'part', undefined)],
    () => [
      `more/${pick(random, NAMES)}.yaml`,
      workload(
        random,
        'Deployment',
        `more-${pick(random, NAMES)}`,
        pick(random, [undefined, 'shop']),
      ).replace('replicas: 1', 'replicas: ${level:=1}'),
    ],
    () => ['more/sub/kustomization.yaml', 'resources: [a.yaml]\n'],
    () => ['more/sub/a.yaml', head('v1', 'ServiceAccount', pick(random, NAMES))],
    () => ['sallyport.yaml', `profile: all\nfailOn: ${pick(random, ['high', 'low'])}\n`],
    () => [
      'sallyport.yaml',
      `profile: all\nexceptions: [{ check: pod-security/privileged, object: Deployment/${pick(random, NAMES)}, reason: a test, owner: "@a" }]\n`,
    ],
  ])();
}

/** What people change most: a little of what is there. */
function anEdit(random: Random, text: string): string {
  const [from, to] = pick<readonly [RegExp, string]>(random, [
    [/:\d"/, `:${random(5)}"`],
    [/replicas: \d/, `replicas: ${1 + random(3)}`],
    [/hostPID: true/, 'hostIPC: true'],
    [/hostIPC: true/, 'hostPID: true'],
    [/hostPID: (?:true|false)/, `hostPID: ${random(2) === 0}`],
    [/privileged: true/, 'privileged: false'],
    [/privileged: false/, 'privileged: true'],
    [/automountServiceAccountToken: \w+/, `automountServiceAccountToken: ${random(2) === 0}`],
    [/secretName: \w+/, `secretName: keys${random(3)}`],
    [/^/, '# moved\n\n'],
    [/\n---\n[\s\S]*$/, '\n'],
    [/env: 7/, 'tty: true'],
    [/tty: true/, 'env: 7'],
    [/verbs: \[[^\]]*\]/, 'verbs: [get, list]'],
  ]);
  return text.replace(from, to);
}

const given = (profile: string): Parsed => ({
  operands: [],
  has: () => false,
  value: name => (name === 'profile' ? profile : undefined),
  values: () => [],
});

describe('a comparison of what changed', () => {
  const cwd = process.cwd();
  after(() => process.chdir(cwd));

  it(`says what a comparison of everything says, ${ROUNDS} times`, async () => {
    const random = randomOf(Number(process.env['SALLYPORT_SEED'] ?? 7));
    const folder = folderOf({
      'chart/Chart.yaml': 'apiVersion: v2\nname: charted\nversion: 1.0.0\n',
      'base/kustomization.yaml': 'resources: [a.yaml, account.yaml]\n',
      'solo/kustomization.yaml': 'resources: [a.yaml]\n',
      'solo/a.yaml': workload(random, 'Deployment', 'alone', 'shop'),
      'duo/kustomization.yaml': 'resources: [a.yaml]\n',
      'duo/a.yaml': workload(random, 'Deployment', 'alone', 'bank'),
    });
    process.chdir(folder);
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'gc.auto=0', ...words], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
      });
    const write = (name: string, text: string) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    };
    const plain = () => `plain/${pick(random, ['x', 'y'])}/${random(12)}.yaml`;
    git('init', '-q', '-b', 'main');
    for (let i = 0; i < 20; i++) write(plain(), aFile(random));
    for (let i = 0; i < 60; i++) write(...aPart(random));
    git('add', '-A');
    git('commit', '-q', '-m', 'start');
    let [quiet, told] = [0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const done: string[] = [];
      for (let i = 1 + random(3); i > 0; i--) {
        const name = plain();
        if (random(8) === 0 && existsSync(join(folder, name))) {
          rmSync(join(folder, name));
          done.push(`removed ${name}`);
        } else if (random(4) > 0 && existsSync(join(folder, name))) {
          write(name, anEdit(random, readFileSync(join(folder, name), 'utf8')));
          done.push(`edited ${name}`);
        } else {
          const [part, text] = random(3) === 0 ? aPart(random) : [name, aFile(random)];
          write(part, text);
          done.push(`wrote ${part}`);
        }
      }
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', `round ${round}`);
      // Of fewer checks, fewer look at things that the comparison itself looks at too.
      const parsed = given(pick(random, ['all', 'all', 'default', 'strict']));
      const [changed, whole] = [
        await compared(parsed, 'HEAD~1', 'HEAD'),
        await compared(parsed, 'HEAD~1', 'HEAD', [], true),
      ];
      assert.deepEqual(changed.comparison, whole.comparison, `round ${round}: ${done.join(', ')}`);
      const { new: added, fixed, changes } = whole.comparison;
      if (added.length + fixed.length + changes.length === 0) quiet++;
      else told++;
    }
    assert.ok(told > ROUNDS / 3, `${told} comparisons said something, ${quiet} did not`);
  });
});
