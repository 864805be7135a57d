/** What a change of objects is said to do: each line of it, from two texts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Comparison, SecurityChange } from '#check/comparison.ts';
import { gateOf } from '#report/gate.ts';
import { newestMinor, World } from '#world/world.ts';
import { worldOf } from '../../test/worlds.ts';
import { authorizationChanges } from '../cli/authorization-changes.ts';
import { meshChanges } from '../cli/mesh-changes.ts';
import { compare, type Side } from './compare.ts';
import { AUTHORIZATION } from './facets.ts';
import { judge } from './scan.ts';

function side(name: string, world: World): Side {
  const judgement = judge(world, []);
  return {
    name,
    world,
    judgement,
    accept: () => undefined,
    open: judgement.places,
    exceptions: [],
    problems: [],
    contentOf: () => name,
  };
}

function comparison(before: string, after: string): Comparison {
  return compare(side('base', worldOf(before)), side('head', worldOf(after)), {
    selected: [],
    views: [
      { looksAt: AUTHORIZATION, view: authorizationChanges },
      { looksAt: ['network'], view: meshChanges },
    ],
  });
}

const changes = (before: string, after: string): readonly SecurityChange[] =>
  comparison(before, after).changes;

/** As `worse high cicd/weakened-guard: removed`. */
const told = (before: string, after: string): string[] =>
  changes(before, after).map(
    ({ direction, severity, kind, text }) => `${direction} ${severity} ${kind}: ${text}`,
  );

const object = (apiVersion: string, kind: string, name: string, rest: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop }\n${rest}\n`;
const documents = (...texts: string[]) => texts.join('---\n');

const workload = (name: string, more = '', labels = `app: ${name}`): string =>
  object(
    'apps/v1',
    'Deployment',
    name,
    `spec:\n  template:\n    metadata: { labels: { ${labels} } }\n    spec:\n      containers: [{ name: c, image: "registry.example.com/shop/${name}:1.4.2", ports: [{ containerPort: 8080 }] }]\n${more}`,
  );

describe('guards', () => {
  const RULE = (operations: string, resources: string) =>
    `{ apiGroups: [""], apiVersions: [v1], operations: [${operations}], resources: [${resources}] }`;
  const admission = (kind: string, spec: string) =>
    object('admissionregistration.k8s.io/v1', kind, 'x', `spec: { ${spec} }`);
  const istio = (kind: string, spec: string) => object('security.istio.io/v1', kind, 'x', `spec: ${spec}`);
  const cases: readonly (readonly [what: string, before: string, after: string, expected: RegExp])[] = [
    [
      'a PeerAuthentication becomes permissive on one port',
      istio('PeerAuthentication', '{ mtls: { mode: STRICT } }'),
      istio('PeerAuthentication', '{ mtls: { mode: STRICT }, portLevelMtls: { "80": { mode: DISABLE } } }'),
      /^worse high cicd\/weakened-guard: mode of port 80 is DISABLE, before STRICT$/,
    ],
    [
      'an AuthorizationPolicy allows more',
      istio('AuthorizationPolicy', '{ rules: [{ to: [{ operation: { paths: [/a] } }] }] }'),
      istio('AuthorizationPolicy', '{ rules: [{ to: [{ operation: { paths: [/a] } }] }, {}] }'),
      /^worse high cicd\/weakened-guard: 1 rule more$/,
    ],
    [
      'an AuthorizationPolicy denies less',
      istio('AuthorizationPolicy', '{ action: DENY, rules: [{ to: [{ operation: { paths: [/a] } }] }, {}] }'),
      istio('AuthorizationPolicy', '{ action: DENY, rules: [{}] }'),
      /^worse high cicd\/weakened-guard: 1 rule fewer$/,
    ],
    [
      'a validation goes',
      object(
        'admissionregistration.k8s.io/v1',
        'ValidatingAdmissionPolicy',
        'x',
        'spec: { validations: [{ expression: "true" }, { expression: "false" }] }',
      ),
      object(
        'admissionregistration.k8s.io/v1',
        'ValidatingAdmissionPolicy',
        'x',
        'spec: { validations: [{ expression: "true" }] }',
      ),
      /^worse high cicd\/weakened-guard: 1 validation fewer$/,
    ],
    ...(
      [
        [
          'a mutation goes',
          'Mutating',
          'mutations: [{ a: 1 }, { a: 2 }]',
          'mutations: [{ a: 1 }]',
          /1 mutation fewer$/,
        ],
        [
          'what a mutation cannot judge passes',
          'Mutating',
          'failurePolicy: Fail',
          'failurePolicy: Ignore',
          /failurePolicy is Ignore, before Fail$/,
        ],
        [
          'a mutation is not asked again',
          'Mutating',
          'reinvocationPolicy: IfNeeded',
          'reinvocationPolicy: Never',
          /reinvocationPolicy is Never, before IfNeeded$/,
        ],
        [
          'a condition comes',
          'Mutating',
          'matchConditions: []',
          'matchConditions: [{ name: a }]',
          /1 condition more$/,
        ],
        [
          'an operation goes from a rule',
          'Mutating',
          `matchConstraints: { resourceRules: [${RULE('CREATE, UPDATE', 'pods')}] }`,
          `matchConstraints: { resourceRules: [${RULE('CREATE', 'pods')}] }`,
          /looks no more at UPDATE of pods$/,
        ],
        [
          'a star becomes a resource',
          'Validating',
          `matchConstraints: { resourceRules: [${RULE('"*"', '"*"')}] }`,
          `matchConstraints: { resourceRules: [${RULE('"*"', 'pods')}] }`,
          /looks no more at \*$/,
        ],
        [
          'resources are left out',
          'Validating',
          'matchConstraints: { excludeResourceRules: [] }',
          `matchConstraints: { excludeResourceRules: [${RULE('CREATE', 'pods')}] }`,
          /leaves out CREATE of pods now$/,
        ],
        [
          'a namespace is kept out by its name',
          'Validating',
          'matchConstraints: { namespaceSelector: { matchExpressions: [{ key: a, operator: NotIn, values: [kube] }] } }',
          'matchConstraints: { namespaceSelector: { matchExpressions: [{ key: a, operator: NotIn, values: [kube, shop] }] } }',
          /namespaceSelector takes in less$/,
        ],
        [
          'equivalent versions are not looked at',
          'Validating',
          'matchConstraints: {}',
          'matchConstraints: { matchPolicy: Exact }',
          /matchPolicy is Exact, before Equivalent$/,
        ],
      ] as const
    ).map(
      ([what, flavour, before, after, text]) =>
        [
          what,
          ...[before, after].map(spec => admission(`${flavour}AdmissionPolicy`, spec)),
          new RegExp(`^worse high cicd/weakened-guard: ${text.source}`),
        ] as unknown as (typeof cases)[number],
    ),
    ...(
      [
        [
          'a validation denies no more',
          'Validating',
          'validationActions: [Deny]',
          'validationActions: [Audit]',
          /denies no more$/,
        ],
        [
          'a binding without rules gets one',
          'Mutating',
          'policyName: a',
          `policyName: a, matchResources: { resourceRules: [${RULE('"*"', 'pods')}] }`,
          /looks no more at everything$/,
        ],
        [
          'a binding is for fewer objects',
          'Mutating',
          'matchResources: {}',
          'matchResources: { objectSelector: { matchLabels: { a: b } } }',
          /objectSelector takes in less$/,
        ],
        [
          'missing parameters let pass',
          'Validating',
          'paramRef: { parameterNotFoundAction: Deny }',
          'paramRef: { parameterNotFoundAction: Allow }',
          /parameterNotFoundAction is Allow, before Deny$/,
        ],
      ] as const
    ).map(
      ([what, flavour, before, after, text]) =>
        [
          what,
          ...[before, after].map(spec => admission(`${flavour}AdmissionPolicyBinding`, spec)),
          new RegExp(`^worse high cicd/weakened-guard: ${text.source}`),
        ] as unknown as (typeof cases)[number],
    ),
    ...['MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicyBinding'].map(
      kind =>
        [
          `a ${kind} goes`,
          documents(workload('a'), admission(kind, 'a: b')),
          workload('a'),
          /^worse high cicd\/weakened-guard: removed$/,
        ] as const,
    ),
    [
      'a webhook is asked about fewer namespaces',
      object(
        'admissionregistration.k8s.io/v1',
        'ValidatingWebhookConfiguration',
        'x',
        'webhooks: [{ name: a }]',
      ),
      object(
        'admissionregistration.k8s.io/v1',
        'ValidatingWebhookConfiguration',
        'x',
        'webhooks: [{ name: a, namespaceSelector: { matchLabels: { a: b } } }]',
      ),
      /^worse high cicd\/weakened-guard: webhook "a" has another namespaceSelector$/,
    ],
    [
      'Gatekeeper leaves a namespace out',
      object(
        'constraints.gatekeeper.sh/v1beta1',
        'K8sAllowedRepos',
        'x',
        'spec: { match: { excludedNamespaces: [a] } }',
      ),
      object(
        'constraints.gatekeeper.sh/v1beta1',
        'K8sAllowedRepos',
        'x',
        'spec: { match: { excludedNamespaces: [a, b] } }',
      ),
      /^worse high cicd\/weakened-guard: 1 excluded namespace more$/,
    ],
    [
      'an exemption comes',
      workload('a'),
      documents(workload('a'), object('kyverno.io/v2', 'PolicyException', 'x', 'spec: {}')),
      /^worse high cicd\/weakened-guard: new: exempts from policies$/,
    ],
    [
      'a namespace leaves the mesh',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: enabled } }\n',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: disabled } }\n',
      /^worse high cicd\/weakened-guard: its pods join the mesh no more/,
    ],
    [
      'a namespace is enforced less',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { pod-security.kubernetes.io/enforce: baseline } }\n',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n',
      /^worse high cicd\/weakened-guard: enforces privileged:latest, before baseline:latest$/,
    ],
  ];
  for (const [what, before, after, expected] of cases)
    it(what, () => {
      const [first, ...rest] = told(before, after).filter(line => line.includes('cicd/weakened-guard'));
      assert.match(first ?? '', expected);
      assert.deepEqual(rest, []);
      // The other way round it is for the better, or for people to judge.
      const back = told(after, before).filter(line => line.includes('cicd/weakened-guard'));
      assert.ok(
        back.every(line => !line.startsWith('worse')),
        back.join('\n'),
      );
    });
});

describe('permissions', () => {
  const role = (verbs: string, name = 'r') =>
    object(
      'rbac.authorization.k8s.io/v1',
      'Role',
      name,
      `rules: [{ apiGroups: [""], resources: [secrets], verbs: [${verbs}] }]`,
    );
  const binding = (subject: string, name = 'r') =>
    object(
      'rbac.authorization.k8s.io/v1',
      'RoleBinding',
      name,
      `roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${name} }\nsubjects: [${subject}]`,
    );
  const anna = '{ kind: User, name: anna }';
  const robot = '{ kind: ServiceAccount, name: robot, namespace: shop }';

  it('are compared by what is held, not by how it is written', () => {
    const one = documents(role('get, create'), binding(anna));
    const split = documents(role('get'), binding(anna), role('create', 's'), binding(anna, 's'));
    assert.deepEqual(told(one, split), []);
  });

  it('are said of each subject, with the place of the rule', () => {
    const [gained] = changes(
      documents(role('create'), binding(anna)),
      documents(role('create, list'), binding(anna)),
    );
    assert.match(
      gained!.text,
      /^user anna may now list secrets in namespace shop, through RoleBinding shop\/r$/,
    );
    assert.equal(gained!.path, 'rules[0]');
    assert.match(
      told(documents(role('create, list'), binding(anna)), documents(role('create'), binding(anna)))[0]!,
      /^better .*user anna may no longer list secrets/,
    );
  });

  it('of roles that nothing binds are little, and said', () => {
    assert.match(
      told(role('get'), role('get, list'))[0]!,
      /^worse low .*grants list secrets now, to whoever/,
    );
  });

  it('come with an identity', () => {
    const rights = documents(role('list'), binding(robot));
    const lines = told(
      documents(rights, workload('web')),
      documents(rights, workload('web', '      serviceAccountName: robot\n')),
    );
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(
      lines[0]!,
      /^worse high authorization\/new-identity: runs as service account shop\/robot now/,
    );
  });

  it('lead to ways up, which are said where no check said them', () => {
    const raise =
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: raise }\nrules: [{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles, clusterrolebindings], verbs: [create, bind] }]\n';
    const bound =
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: raise }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: raise }\nsubjects: [{ kind: User, name: anna }]\n';
    const lines = told(raise, documents(raise, bound));
    assert.ok(
      lines.some(line =>
        /^worse critical authorization\/new-escalation: user anna reaches cluster-admin now: 1\. /.test(line),
      ),
      lines.join('\n'),
    );
    assert.ok(told(documents(raise, bound), raise).some(line => /^better .*no more$/.test(line)));
  });
});

describe('workloads', () => {
  const image = (text: string) => workload('a').replace(/registry\.example\.com[^"]*/, text);
  for (const [before, after, expected] of [
    ['shop/a:1', 'shop/a:2', /^neutral/],
    ['shop/a:1', 'evil/a:1', /^worse medium .*another owner$/],
    ['shop/a:1', 'quay.io/shop/a:1', /^worse medium .*another registry$/],
    ['shop/a:1', 'shop/a:latest', /^worse medium .*no longer a certain version$/],
    [`shop/a:1@sha256:${'0'.repeat(64)}`, 'shop/a:1', /^worse medium .*no longer pinned by digest$/],
    ['shop/a:1', `shop/a:1@sha256:${'0'.repeat(64)}`, /^better/],
  ] as const)
    it(`run ${after}, before ${before}`, () => {
      const lines = told(image(before), image(after));
      assert.equal(lines.length, 1);
      assert.match(lines[0]!, expected);
    });

  it('are told apart by environment, and what is so in all of them is said once', () => {
    const [dev, prod] = ['dev', 'prod'].map(environment =>
      worldOf(workload('a')).declared.map(one => ({ ...one, environments: [environment], among: 2 })),
    );
    const bad = (environments: readonly string[]) =>
      worldOf(workload('a', '      hostPID: true\n')).declared.map(one => ({
        ...one,
        environments,
        among: 2,
      }));
    const world = (declared: World['declared']) => new World({ declared, kubernetesMinor: newestMinor });
    const lines = (head: World['declared']) =>
      compare(side('base', world([...dev!, ...prod!])), side('head', world(head)), {
        selected: [],
      }).changes.map(({ text }) => text);
    assert.deepEqual(lines([...dev!, ...bad(['prod'])]), ['meets privileged, and met baseline (in prod)']);
    assert.deepEqual(lines(bad(['dev', 'prod'])), ['meets privileged, and met baseline']);
    assert.deepEqual(lines([...bad(['dev']), ...bad(['prod'])]), ['meets privileged, and met baseline']);
  });
});

describe('connections', () => {
  const namespace =
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: enabled } }\n';
  const peers = (mode: string) =>
    object('security.istio.io/v1', 'PeerAuthentication', 'default', `spec: { mtls: { mode: ${mode} } }`);
  const service = (name: string) =>
    object(
      'v1',
      'Service',
      name,
      `spec: { selector: { app: ${name} }, ports: [{ port: 80, targetPort: 8080 }] }`,
    );
  const both = documents(namespace, workload('web'), workload('cart'), service('web'), service('cart'));

  it('lose their encryption in the mesh', () => {
    const lines = told(documents(both, peers('STRICT')), documents(both, peers('DISABLE')));
    assert.ok(
      lines.some(line => /^worse high mesh\/lost-encryption: .*no longer by mutual TLS$/.test(line)),
      lines.join('\n'),
    );
  });

  it('too many to look at each are unknown, which shuts the gate', () => {
    const many = documents(namespace, ...Array.from({ length: 250 }, (_, i) => workload(`w${i}`)));
    const {
      report,
      unknowns,
      changes: found,
    } = comparison(documents(many, peers('STRICT')), documents(many, peers('DISABLE')));
    assert.deepEqual(
      unknowns.map(({ object, reason }) => [object?.kind, /^whether connections lose/.test(reason)]),
      [['PeerAuthentication', true]],
    );
    assert.equal(report.summary.unknowns, 1);
    assert.ok(found.every(({ kind }) => kind !== 'mesh/lost-encryption'));
    assert.equal(gateOf(report.summary, { failOn: 'never', allowUnknown: false }).is, 'shut by unknowns');
  });

  it('of very many ports are said in few lines, and how many more there are', () => {
    const some = documents(
      namespace,
      ...Array.from({ length: 30 }, (_, i) => documents(workload(`w${i}`), service(`w${i}`))),
    );
    const lost = told(documents(some, peers('STRICT')), documents(some, peers('DISABLE'))).filter(line =>
      line.includes('lost-encryption'),
    );
    assert.equal(lost.length, 21);
    assert.match(lost.join('\n'), /and 10 ports more: no longer by mutual TLS/);
  });

  it('are let in by the mesh', () => {
    const policy = object('security.istio.io/v1', 'AuthorizationPolicy', 'none', 'spec: {}');
    const lines = told(documents(both, policy), both);
    assert.ok(
      lines.some(line => /^worse medium mesh\/opened-connection: .*let in by the mesh now$/.test(line)),
      lines.join('\n'),
    );
  });

  it('are opened by a policy that goes, in one line', () => {
    const policy = object(
      'networking.k8s.io/v1',
      'NetworkPolicy',
      'none',
      'spec: { podSelector: {}, policyTypes: [Ingress] }',
    );
    const lines = told(documents(both, policy), both).filter(line => line.includes('opened-connection'));
    assert.equal(lines.length, 1, lines.join('\n'));
  });

  it('from outside lose TLS', () => {
    const ingress = (tls: string) =>
      object(
        'networking.k8s.io/v1',
        'Ingress',
        'web',
        `spec:\n  ${tls}\n  rules: [{ host: shop.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]`,
      );
    const tls = documents(
      workload('web'),
      service('web'),
      ingress('tls: [{ hosts: [shop.example.com], secretName: s }]'),
    );
    const plain = documents(workload('web'), service('web'), ingress('ingressClassName: nginx'));
    assert.match(told(tls, plain)[0]!, /^worse high mesh\/lost-encryption: .*without TLS now$/);
  });
});
