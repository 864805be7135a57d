/** Authorization: roles from audit logs, what nobody uses, what a change gives away, ABAC. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { folderOf, run } from './program.ts';

const RELEASE = 'system:serviceaccount:shop:release';

function event(verb: string, resource: string, more: object = {}): object {
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    stage: 'ResponseComplete',
    verb,
    requestURI: `/api/v1/namespaces/shop/${resource}`,
    user: { username: RELEASE, groups: ['system:serviceaccounts', 'system:authenticated'] },
    objectRef: { resource, namespace: 'shop', apiVersion: 'v1' },
    responseStatus: { code: 200 },
    annotations: { 'authorization.k8s.io/decision': 'allow' },
    ...more,
  };
}

const LIST = event('list', 'pods');
const line = JSON.stringify(LIST);
const google = {
  protoPayload: {
    '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
    authenticationInfo: { principalEmail: RELEASE },
    authorizationInfo: [{ granted: true, permission: 'io.k8s.core.v1.pods.list' }],
    methodName: 'io.k8s.core.v1.pods.list',
    resourceName: 'core/v1/namespaces/shop/pods',
  },
};

/** A batch as a subscription of CloudWatch Logs sends it. */
const packed = gzipSync(
  JSON.stringify({ messageType: 'DATA_MESSAGE', logEvents: [{ id: '1', message: line }] }),
).toString('base64');

describe('authorization learn', () => {
  const logs: Readonly<Record<string, string | Buffer>> = {
    'lines.log': `${line}\n${line}\n`,
    'lines.log.gz': gzipSync(`${line}\n`),
    'without-last-break.log': line,
    'windows.log': `${line}\r\n`,
    'list.json': JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items: [LIST] }),
    'list-over-lines.json': JSON.stringify(
      { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items: [LIST, LIST] },
      null,
      2,
    ),
    'one-over-lines.json': JSON.stringify(LIST, null, 2),
    'v1beta1.log': line.replace('k8s.io/v1', 'k8s.io/v1beta1'),
    'v1alpha1.log': line.replace('k8s.io/v1', 'k8s.io/v1alpha1'),
    'gke.log': JSON.stringify(google),
    'gke-read.json': JSON.stringify([google], null, 2),
    'eks-filter.json': JSON.stringify({ events: [{ timestamp: 1, message: line }] }, null, 4),
    'eks-subscription.log': JSON.stringify({
      messageType: 'DATA_MESSAGE',
      logEvents: [{ id: '1', message: line }],
    }),
    'eks-insights.json': JSON.stringify({ results: [[{ field: '@message', value: line }]] }),
    'eks-export.log': `2026-01-01T00:00:00.000Z ${line}\n`,
    'eks-firehose.log': JSON.stringify({
      messageType: 'DATA_MESSAGE',
      logEvents: [{ message: line }],
    }).repeat(3),
    'eks-function.log': JSON.stringify({ awslogs: { data: packed } }),
    'eks-stream.json': JSON.stringify({ Records: [{ Data: packed, SequenceNumber: '1' }] }, null, 2),
    'eks-stream-function.log': JSON.stringify({ Records: [{ kinesis: { data: packed } }] }),
    'gke-group.log': JSON.stringify({
      protoPayload: { ...google.protoPayload, serviceName: 'k8s.io', methodName: 'core.v1.pods.list' },
    }),
    'aks-table.json': JSON.stringify([
      {
        Verb: 'list',
        RequestUri: '/api/v1/namespaces/shop/pods?limit=500',
        Stage: 'ResponseComplete',
        User: JSON.stringify({ username: RELEASE, groups: ['system:authenticated'] }),
        Annotations: { 'authorization.k8s.io/decision': 'allow' },
        ResponseStatus: { code: 200 },
      },
    ]),
    'aks.log': JSON.stringify({ category: 'kube-audit', properties: { log: line } }),
    'aks-records.json': JSON.stringify({
      records: [{ category: 'kube-audit', properties: JSON.stringify({ log: line }) }],
    }),
    'aks-analytics.log': JSON.stringify({ Category: 'kube-audit', log_s: line }),
  };
  for (const [name, log] of Object.entries(logs))
    it(`reads ${name}`, () => {
      const { code, out, err } = run(folderOf({ [name]: log }), [
        'authorization',
        'learn',
        name,
        '-o',
        'json',
      ]);
      assert.equal(code, 0, err);
      const { objects, proven } = JSON.parse(out) as { objects: { rules?: object[] }[]; proven: number };
      assert.deepEqual(objects[0]?.rules, [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
      assert.ok(proven > 0);
      assert.doesNotMatch(err, /skipped/);
    });

  it('counts lines that are cut off or foreign, and learns from the rest', () => {
    const log = `I0101 starting\n${line}\n{"kind":"Event","verb":"li\n[1]\n\n${line.slice(0, 90)}`;
    const { code, err } = run(folderOf({ 'a.log': log }), ['authorization', 'learn', 'a.log']);
    assert.equal(code, 0);
    assert.match(err, /skipped: 2 no audit entries, 2 cut off; a.log:1 is no audit entry/);
  });

  it('does not take a first line that is cut off for the beginning of a document', () => {
    const log = `{"kind":"Event","user":{"username":"x"},\n${line}\n`;
    const { err } = run(folderOf({ 'a.log': log }), ['authorization', 'learn', 'a.log']);
    assert.match(err, /1 entry read: 1 allowed/);
    assert.match(err, /skipped: 1 cut off; a.log:1 is cut off/);
  });

  it('reads a long list on one line, whatever the pieces in which it comes', () => {
    const items = Array.from({ length: 20_000 }, (_, i) => event('get', 'pods', { auditID: `"]}{[\\${i}` }));
    const list = JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items });
    assert.ok(list.length > 6_000_000);
    const { err } = run(folderOf({ 'a.json': list }), ['authorization', 'learn', 'a.json']);
    assert.match(err, /20000 entries read: 20000 allowed\n$/);
  });

  it('says that a gzip file or a document ends early', () => {
    const zipped = gzipSync(
      Array.from({ length: 500 }, (_, i) => JSON.stringify(event('get', `pods/p${i}`))).join('\n'),
    );
    const list = JSON.stringify({ items: [LIST, LIST] }, null, 2);
    const folder = folderOf({
      'a.log.gz': zipped.subarray(0, zipped.length - 40),
      'b.json': list.slice(0, -60),
    });
    for (const name of ['a.log.gz', 'b.json']) {
      const { err } = run(folder, ['authorization', 'learn', name]);
      assert.match(err, /skipped: .*1 cut off/, name);
    }
  });

  it('writes YAML that grants what was used when it is read again', () => {
    const folder = folderOf({
      'audit.log': [
        line,
        JSON.stringify(event('get', 'pods', { requestURI: '/api/v1/namespaces/shop/pods/on' })),
      ].join('\n'),
    });
    const { out } = run(folder, ['authorization', 'learn', 'audit.log']);
    const roles = folderOf({ 'roles.yaml': out });
    const may = (...words: string[]) =>
      run(roles, ['authorization', 'can-i', ...words, '-n', 'shop', '--as', RELEASE]).out;
    assert.match(may('list', 'pods'), /^yes/);
    assert.match(may('get', 'pods', 'on'), /^yes/);
    assert.match(may('get', 'pods', 'off'), /^no/);
    assert.match(may('watch', 'pods'), /^no/);
  });

  it('reads a proxied request of GKE as it was asked, and takes no refused one for a grant', () => {
    const entry = (status: object, granted?: boolean) => ({
      protoPayload: {
        '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
        authenticationInfo: { principalEmail: RELEASE },
        authorizationInfo: [
          { ...(granted === undefined ? {} : { granted }), permission: 'io.k8s.core.v1.nodes.proxy.get' },
        ],
        methodName: 'io.k8s.core.v1.nodes.proxy.get',
        resourceName: 'core/v1/nodes/gke-a/proxy/metrics/cadvisor',
        serviceName: 'k8s.io',
        status,
      },
    });
    const learn = (one: object) =>
      run(folderOf({ 'gke.log': JSON.stringify(one) }), ['authorization', 'learn', 'gke.log']);
    const { out } = learn(entry({ code: 0 }, true));
    assert.match(out, /resources: \["?nodes\/proxy"?\]/);
    assert.match(out, /resourceNames: \[gke-a\]/);
    const refused = learn(entry({ code: 7, message: 'Forbidden' }));
    assert.equal(refused.code, 2);
    assert.match(refused.err, /0 allowed; not counted: 1 denied/);
  });
  it('reads rows of the tables of Azure, their dynamic columns as objects or as text', () => {
    const row = {
      TimeGenerated: '2026-11-25T10:00:00Z',
      Annotations: { 'authorization.k8s.io/decision': 'allow' },
      ObjectRef: JSON.stringify({ resource: 'pods', namespace: 'shop', apiVersion: 'v1' }),
      RequestUri: '/api/v1/namespaces/shop/pods?limit=500',
      ResponseStatus: { code: 200 },
      Stage: 'ResponseComplete',
      User: { username: RELEASE, groups: ['system:authenticated'] },
      Verb: 'list',
      Type: 'AKSAudit',
    };
    const { out } = run(folderOf({ 'aks.json': JSON.stringify([row], null, 2) }), [
      'authorization',
      'learn',
      'aks.json',
    ]);
    assert.match(out, /verbs: \[list\]/);
    assert.match(out, /resources: \[pods\]/);
  });
  it('learns only what was asked for in one namespace', () => {
    const other = JSON.stringify(
      event('get', 'secrets', {
        requestURI: '/api/v1/namespaces/ops/secrets/a',
        objectRef: { resource: 'secrets', namespace: 'ops', name: 'a', apiVersion: 'v1' },
      }),
    );
    const folder = folderOf({ 'audit.log': `${line}\n${other}\n` });
    const { out } = run(folder, ['authorization', 'learn', 'audit.log', '-n', 'shop']);
    assert.match(out, /resources: \[pods\]/);
    assert.doesNotMatch(out, /secrets/);
  });
  it('refuses what is not there', () => {
    const { code, err } = run(folderOf({}), ['authorization', 'learn', 'absent.log']);
    assert.equal(code, 3);
    assert.match(err, /absent.log could not be read/);
  });
});

const RBAC = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: release, namespace: shop }
rules:
- { apiGroups: [""], resources: [pods, services], verbs: [get, list] }
- { apiGroups: [""], resources: [secrets], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: release, namespace: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: release }
subjects: [{ kind: ServiceAccount, name: release, namespace: shop }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: nobody, namespace: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: release }
subjects: [{ kind: User, name: nobody }]
`;

describe('authorization who-can', () => {
  const ask = (files: Readonly<Record<string, string>>, ...words: string[]) =>
    run(folderOf({ 'rbac.yaml': RBAC, ...files }), ['authorization', 'who-can', ...words]);

  it('asks the authorizers beside RBAC too, and says what they rest on', () => {
    const policy = JSON.stringify({
      apiVersion: 'abac.authorization.kubernetes.io/v1beta1',
      kind: 'Policy',
      spec: { user: 'bob', group: 'ops', resource: 'secrets', namespace: 'shop' },
    });
    const { code, out } = ask(
      { 'policy.jsonl': policy },
      'get',
      'secrets',
      '-n',
      'shop',
      '--abac-policy',
      'policy.jsonl',
    );
    assert.equal(code, 0);
    assert.match(
      out,
      /^ServiceAccount shop\/release\nUser nobody\nUser bob, if in the group ops\n {2}by line 1 of the ABAC policy file\n/,
    );
    assert.match(out, /Group system:masters\n/);
    assert.match(ask({}, 'delete', 'secrets').out, /^nobody but the group system:masters\n$/);
  });
  it('points at a namespace where more can, and only there', () => {
    const hint = /in single namespaces more can: -n shop shows them/;
    assert.match(ask({}, 'get', 'secrets').err, hint);
    for (const words of [
      ['get', 'secrets', '-n', 'shop'],
      ['delete', 'secrets'],
      ['get', 'secrets', '-q'],
      ['get', 'nodes'],
    ])
      assert.doesNotMatch(ask({}, ...words).err, /single namespaces/);
  });
  it('takes no file for the name of an object', () => {
    const { code, err } = ask({}, 'get', 'secrets', 'manifests/rbac.yaml');
    assert.equal(code, 3);
    assert.match(err, /"manifests\/rbac.yaml" is no name of an object/);
    assert.match(err, /-f/);
  });
  it('does not know whom a webhook lets do it', () => {
    const configuration = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: hook
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    failurePolicy: NoOpinion
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: /etc/hook }
- { type: RBAC, name: rbac }
`;
    const words = ['get', 'secrets', '-n', 'shop', '--authorization-config', 'authz.yaml'];
    const { code, out, err } = ask({ 'authz.yaml': configuration }, ...words);
    assert.equal(code, 2);
    assert.match(out, /User nobody, unless hook denies it first/);
    assert.match(err, /hook may let others do it/);
    const broken = ask({ 'authz.yaml': configuration.replace('3s', 'soon') }, ...words);
    assert.equal(broken.code, 3);
    assert.match(broken.err, /authz.yaml:7: the API server would not start with it/);
  });
  it('knows the groups that a file tells of, and where the file is wrong', () => {
    const rbac = RBAC.replace('{ kind: User, name: nobody }', '{ kind: Group, name: ops }');
    const words = ['get', 'secrets', '-n', 'shop', '--groups', 'groups.yaml', '--explain'];
    const { out } = ask({ 'rbac.yaml': rbac, 'groups.yaml': 'jane: [ops]\njoe: []\n' }, ...words);
    assert.match(out, /User jane\n {2}by is in the group ops\n/);
    assert.doesNotMatch(out, /joe/);
    const { code, err } = ask({ 'groups.yaml': 'jane: [ops]\njoe: ops\n' }, ...words);
    assert.equal(code, 3);
    assert.match(err, /groups.yaml:2: a mapping of users to lists of groups is expected/);
  });
});

describe('authorization who-can --indirect', () => {
  const objects = `${RBAC}---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: builder }
rules:
- { apiGroups: [apps], resources: [deployments], verbs: [create] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: builder, namespace: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: builder }
subjects: [{ kind: User, name: jane }]
`;
  const ask = (...words: string[]) =>
    run(folderOf({ 'rbac.yaml': objects }), [
      'authorization',
      'who-can',
      'get',
      'secrets',
      '-n',
      'shop',
      ...words,
    ]);

  it('names who can become somebody who may, with every step and its place', () => {
    assert.doesNotMatch(ask().out, /jane/);
    const { code, out } = ask('--indirect', '-o', 'wide');
    assert.equal(code, 0);
    assert.match(out, /user jane, in 1 step\n {2}1\. runs a pod as service account shop\/release/);
    assert.match(
      out,
      /rbac.yaml:\d+ user jane may create deployments.apps in namespace shop, by RoleBinding builder/,
    );
    assert.match(out, /so: rbac.yaml:6 service account shop\/release may get secrets in namespace shop/);
  });
  it('says the same as JSON and as YAML', () => {
    const json = JSON.parse(ask('--indirect', '-o', 'json').out) as { name: string; indirect?: object[] }[];
    const jane = json.find(({ name }) => name === 'jane');
    assert.equal(jane?.indirect?.length, 1);
    assert.match(ask('--indirect', '-o', 'yaml').out, /^- kind: ServiceAccount\n {2}name: release\n/m);
  });
  it('takes -A for what it is, and not beside -n', () => {
    assert.equal(ask('-A').code, 3);
    assert.match(ask('-A').err, /-n and -A exclude each other/);
  });
});

describe('authorization unused', () => {
  it('names bindings, rules, verbs and resources that no request needed', () => {
    const folder = folderOf({ 'rbac.yaml': RBAC, 'audit.log': line });
    const { code, out } = run(folder, ['authorization', 'unused', 'audit.log', '-f', 'rbac.yaml']);
    assert.equal(code, 1);
    assert.match(out, /rbac.yaml:8 RoleBinding shop\/release: used in part/);
    assert.match(out, /rbac.yaml:5 rule 1 of Role release: not used: verbs get; resources services/);
    assert.match(out, /rbac.yaml:6 rule 2 of Role release: never used/);
    assert.match(out, /rbac.yaml:14 RoleBinding shop\/nobody: never used/);
    assert.match(out, /Not seen is not the same as not needed/);
  });
  it('tells of the bindings that name somebody or a group of his, and of the RoleBindings of a namespace', () => {
    const GROUP = 'rbac.authorization.k8s.io';
    const bind = (kind: string, name: string, subject: string): string =>
      `---\napiVersion: ${GROUP}/v1\nkind: ${kind}\nmetadata: { name: ${name}${kind === 'RoleBinding' ? ', namespace: shop' : ''} }\nroleRef: { apiGroup: ${GROUP}, kind: ClusterRole, name: all }\nsubjects: [${subject}]\n`;
    const rbac =
      `apiVersion: ${GROUP}/v1\nkind: ClusterRole\nmetadata: { name: all }\nrules: [{ apiGroups: [""], resources: [nodes], verbs: [get] }]\n` +
      bind('ClusterRoleBinding', 'jane', '{ kind: User, name: jane }') +
      bind('ClusterRoleBinding', 'devs', '{ kind: Group, name: devs }') +
      bind('RoleBinding', 'robots', '{ kind: Group, name: "system:serviceaccounts:shop" }');
    const folder = folderOf({ 'rbac.yaml': rbac, 'audit.log': line, 'groups.yaml': 'jane: [devs]\n' });
    const named = (...words: string[]): string[] => {
      const { out } = run(folder, [
        'authorization',
        'unused',
        'audit.log',
        '-f',
        'rbac.yaml',
        '-o',
        'json',
        ...words,
      ]);
      const { unused } = JSON.parse(out) as { unused: { binding: { name: string } }[] };
      return unused.map(({ binding }) => binding.name);
    };
    assert.deepEqual(named(), ['jane', 'devs', 'robots']);
    assert.deepEqual(named('--as', 'jane'), ['jane']);
    assert.deepEqual(named('--as', 'jane', '--as-group', 'devs'), ['jane', 'devs']);
    assert.deepEqual(named('--as', 'jane', '--groups', 'groups.yaml'), ['jane', 'devs']);
    assert.deepEqual(named('--as', RELEASE), ['robots']);
    assert.deepEqual(named('-n', 'shop'), ['robots']);
    assert.deepEqual(named('-n', 'shop', '--as', 'jane'), []);
    const { code } = run(folder, ['authorization', 'unused', 'audit.log', '-f', 'rbac.yaml', '-n', 'ops']);
    assert.equal(code, 0);
  });
  it('knows nothing from a log without requests', () => {
    const folder = folderOf({ 'rbac.yaml': RBAC, 'audit.log': '' });
    assert.equal(run(folder, ['authorization', 'unused', 'audit.log', '-f', 'rbac.yaml']).code, 2);
  });

  const POLICY = (rules: string) => `apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n${rules}`;
  it('does not call unused what the audit policy keeps out of the log', () => {
    const folder = folderOf({
      'rbac.yaml': RBAC,
      'policy.yaml': POLICY(
        '- { level: None, resources: [{ group: "", resources: [secrets] }] }\n- { level: Metadata }\n',
      ),
      'audit.log': line,
    });
    const { code, out } = run(folder, ['authorization', 'unused', 'audit.log', '-f', '.']);
    assert.equal(code, 1);
    assert.match(out, /RoleBinding shop\/release: not known; the audit policy keeps this/);
    assert.match(out.replace(/\s+/g, ' '), /rbac.yaml:6 rule 2 of Role release, by policy.yaml:4/);
    assert.doesNotMatch(out, /rule 2 of Role release: never used/);
    assert.match(out, /RoleBinding shop\/nobody: no use seen/);
    assert.match(out, /rbac.yaml:5 rule 1 of Role release: not used: verbs get; resources services/);
    const named = run(folder, [
      'authorization',
      'unused',
      'audit.log',
      '-f',
      'rbac.yaml',
      '--audit-policy',
      'policy.yaml',
    ]);
    assert.equal(named.out, out);
  });
  it('knows nothing of what a policy leaves out as a whole, and says no more', () => {
    const folder = folderOf({
      'rbac.yaml': RBAC,
      'policy.yaml': POLICY(
        '- { level: Metadata, verbs: [list], resources: [{ group: "", resources: [pods] }] }\n',
      ),
      'audit.log': line,
    });
    const { out } = run(folder, ['authorization', 'unused', 'audit.log', '-f', '.', '-o', 'json']);
    const { unused, notObservable } = JSON.parse(out) as { unused: object[]; notObservable: object[] };
    assert.ok(notObservable.length > 0);
    // What of rule 1 is for pods could be seen, in part.
    assert.match(JSON.stringify(unused), /"logged":"some"/);
  });
  it('refuses a policy with which the API server would not start, and two of them', () => {
    const bad = folderOf({
      'rbac.yaml': RBAC,
      'policy.yaml': POLICY('- { level: Alles }\n'),
      'audit.log': line,
    });
    const one = run(bad, ['authorization', 'unused', 'audit.log', '-f', '.']);
    assert.equal(one.code, 3);
    assert.match(one.err, /policy.yaml:4: the API server would not start with it: rules\[0\].level/);
    const two = folderOf({
      'rbac.yaml': RBAC,
      'a.yaml': POLICY('- { level: None }\n'),
      'b.yaml': POLICY('- { level: None }\n'),
      'audit.log': line,
    });
    assert.match(run(two, ['authorization', 'unused', 'audit.log', '-f', '.']).err, /several audit policies/);
  });
  it('names the fewest bindings that would do, and what is used without need', () => {
    const wide = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules:
- { apiGroups: [""], resources: [pods], verbs: [list] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }
subjects: [{ kind: ServiceAccount, name: release, namespace: shop }]
`;
    const other = JSON.stringify(
      event('list', 'pods', {
        requestURI: '/api/v1/namespaces/ops/pods',
        objectRef: { resource: 'pods', namespace: 'ops', apiVersion: 'v1' },
      }),
    );
    const folder = folderOf({ 'rbac.yaml': RBAC + wide, 'audit.log': `${line}\n${other}` });
    const { out } = run(folder, ['authorization', 'unused', 'audit.log', '-f', 'rbac.yaml', '-o', 'wide']);
    assert.match(
      out,
      /RoleBinding shop\/release: used, and not needed: 1 distinct request, which ClusterRoleBinding reader allows too/,
    );
    assert.match(
      out,
      /The fewest bindings that would still allow all of it: 1 of 2 that are used \(ClusterRoleBinding reader\)/,
    );
  });
});

describe('authorization diff', () => {
  const role = (name: string, rules: string, labels = '') =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: ${name}${labels} }\nrules: ${rules}\n---\n`;
  const bind = (name: string, of: string, subject: string) =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: ${name} }\nroleRef: { kind: ClusterRole, name: ${of} }\nsubjects: [${subject}]\n---\n`;
  const job = (account: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: job, namespace: shop }\nspec: { serviceAccountName: ${account}, containers: [{ name: a, image: a }] }\n---\n`;
  const AGGREGATING = `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: all }\naggregationRule: { clusterRoleSelectors: [{ matchLabels: { into: all } }] }\nrules: []\n---\n`;
  const JANE = '{ kind: User, name: jane }';
  const ROOT = `[{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }]`;
  const PODS = '[{ apiGroups: [""], resources: [pods], verbs: [get, list] }]';
  const compare = (base: string, head: string, ...words: string[]) =>
    run(folderOf({ 'a/x.yaml': base, 'b/x.yaml': head }), ['authorization', 'diff', 'a', 'b', ...words]);

  it('finds nothing where a role is only written differently', () => {
    const halves =
      '[{ apiGroups: [""], resources: [pods], verbs: [get] }, { apiGroups: [""], resources: [pods], verbs: [list] }]';
    const { code, out } = compare(
      role('r', PODS) + bind('b', 'r', JANE),
      role('r', halves) + bind('c', 'r', JANE),
    );
    assert.equal(code, 0, out);
    assert.match(out, /^0 permissions gained, 0 lost; 0 new ways up/);
  });
  it('says who gains what, where and how, and shuts the gate only from the severity on', () => {
    const base = role('r', PODS) + bind('b', 'r', JANE);
    const head = role('r', PODS.replace('pods', 'pods, secrets')) + bind('b', 'r', JANE);
    const { code, out } = compare(base, head);
    assert.equal(code, 1);
    assert.match(out, /Gained in the whole cluster by user jane, through ClusterRoleBinding b/);
    assert.match(out, /\+ high: get, list secrets/);
    assert.match(out, /user jane newly reaches secrets/);
    assert.equal(compare(base, head, '--fail-on', 'critical').code, 0);
    const back = compare(head, base);
    assert.equal(back.code, 0);
    assert.match(back.out, /- high: get, list secrets/);
    assert.match(back.out, /no longer reaches secrets/);
  });
  it('is narrowed to a subject with its groups, and to what counts in a namespace; so is the gate', () => {
    const base = role('r', '[]');
    const head =
      role('r', ROOT) +
      bind('b', 'r', JANE) +
      bind('g', 'r', '{ kind: Group, name: devs }') +
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: n, namespace: shop }\nroleRef: { kind: ClusterRole, name: r }\nsubjects: [{ kind: ServiceAccount, name: robot }]\n---\n`;
    const named = (...words: string[]): string[] => {
      const { out } = compare(base, head, '-o', 'json', ...words);
      const { gained } = JSON.parse(out) as { gained: { subject: { name: string } }[] };
      return gained.map(({ subject }) => subject.name).sort();
    };
    assert.deepEqual(named(), ['devs', 'jane', 'robot']);
    assert.deepEqual(named('--as', 'jane'), ['jane']);
    assert.deepEqual(named('--as', 'jane', '--as-group', 'devs'), ['devs', 'jane']);
    assert.deepEqual(named('--as', 'group:devs'), ['devs']);
    assert.deepEqual(named('--as', 'system:serviceaccount:shop:robot', '-n', 'shop'), ['robot']);
    assert.deepEqual(named('-n', 'ops'), ['devs', 'jane']);
    assert.deepEqual(named('-A'), ['devs', 'jane', 'robot']);
    assert.equal(compare(base, head, '--as', 'joe').code, 0);
    assert.equal(compare(base, head, '--as', 'jane').code, 1);
    assert.equal(compare(base, head, '-n', 'shop', '-A').code, 3);
    const other = compare(base, head, '--as', 'system:serviceaccount:shop:robot', '-n', 'ops');
    assert.match(other.out, /^0 permissions gained, 0 lost; 0 new ways up/);
  });
  it('says it as data, whole lines, and with the rules of the roles', () => {
    const base = role('r', PODS) + bind('b', 'r', JANE);
    const head =
      role('r', `[${PODS.slice(1, -1)}, { apiGroups: [""], resources: [secrets], verbs: [get] }]`) +
      bind('b', 'r', JANE);
    const { out } = compare(base, head, '--explain');
    assert.match(out, /^ {2}\+ high: get secrets\n {6}by x.yaml:4 rule 2 of ClusterRole r$/m);
    assert.doesNotMatch(compare(base, head).out, /rule 2/);
    assert.match(compare(base, head, '-o', 'wide').out, /rule 2 of ClusterRole r/);
    const yaml = compare(base, head, '-o', 'yaml');
    assert.equal(yaml.code, 1);
    assert.match(yaml.out, /^gained:\n- subject:\n {4}kind: User\n {4}name: jane$/m);
    const shipped = compare('', bind('b', 'view', JANE), '--explain').out;
    assert.match(
      shipped,
      /\+ medium: everything in ClusterRole view\n {6}by ClusterRole view, which ships with Kubernetes/,
    );
  });
  it('follows aggregation labels', () => {
    const bound = AGGREGATING + bind('b', 'all', JANE);
    const { code, out } = compare(
      bound + role('root', ROOT),
      bound + role('root', ROOT, ', labels: { into: all }'),
    );
    assert.equal(code, 1);
    assert.match(out, /critical: everything$/m);
    assert.match(out, /user jane newly reaches cluster-admin/);
  });
  it('names the accounts of a group that gains', () => {
    const group = '{ kind: Group, name: "system:serviceaccounts:shop" }';
    const { out } = compare(job('web'), job('web') + role('r', PODS) + bind('b', 'r', group));
    assert.match(out.replace(/\s+/g, ' '), /in that group: service account shop\/web/);
  });
  it('finds a workload that newly runs as a strong account', () => {
    const strong =
      role('r', ROOT) + bind('b', 'r', '{ kind: ServiceAccount, name: strong, namespace: shop }');
    const { code, out } = compare(strong + job('weak'), strong + job('strong'));
    assert.equal(code, 1);
    assert.match(
      out.replace(/\s+/g, ' '),
      /critical: Pod shop\/job \(x.yaml:\d+\) newly runs as service account shop\/strong, which reaches cluster-admin/,
    );
  });
  it('does not pass what it cannot know', () => {
    const { code, out } = compare('', bind('b', 'absent', JANE));
    assert.equal(code, 2);
    assert.match(out, /\? ClusterRoleBinding b \(x.yaml:1\) names a role that is not in the/);
    assert.match(compare('', bind('b', 'view', JANE)).out, /medium: everything in ClusterRole view/);
  });
});

describe('authorization abac', () => {
  const v1 = (spec: object) =>
    JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec });
  const abac = (what: string, lines: readonly string[], ...words: string[]) =>
    run(folderOf({ 'policy.jsonl': lines.join('\n') }), [
      'authorization',
      'abac',
      what,
      'policy.jsonl',
      ...words,
    ]);
  const ALICE = { user: 'alice', namespace: 'shop', resource: 'pods', apiGroup: '' };

  it('says every error with its line, not only the first', () => {
    const { code, out } = abac('lint', [
      '# comment',
      '{"kind":',
      v1(ALICE),
      '{"apiVersion":"x/v1","kind":"Policy"}',
    ]);
    assert.equal(code, 1);
    assert.match(out, /policy.jsonl:2 error: the API server does not start: no JSON/);
    assert.match(out, /policy.jsonl:4 error/);
    assert.match(out, /^2 errors, 0 dangers, 0 useless, 0 notes$/m);
  });
  const lints: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a spec whose apiVersion was forgotten',
      ['{"spec":{"user":"alice","resource":"pods"}}'],
      /:1 danger: a spec without the apiVersion/,
    ],
    [
      'a star that swallows the user',
      [v1({ ...ALICE, group: '*' })],
      /:1 danger: beside \* "alice" is not looked at/,
    ],
    ['a field that nobody reads', [v1({ ...ALICE, readOnly: true })], /:1 danger: readOnly: no such field/],
    ['a line for nobody', [v1({ resource: 'pods' })], /:1 useless: neither user nor group/],
    ['a line for nothing', [v1({ user: 'alice' })], /:1 useless: neither resource nor nonResourcePath/],
    ['the same twice', [v1(ALICE), v1(ALICE)], /:2 useless: line 1 says the same/],
    [
      'a line that a later one covers',
      [v1({ ...ALICE, readonly: true }), v1(ALICE)],
      /:1 useless: line 2 allows all of it already/,
    ],
    [
      'reading that runs commands',
      [v1({ ...ALICE, readonly: true })],
      /:1 danger: readonly does not keep out/,
    ],
    ['a user and a group', [v1({ ...ALICE, group: 'devs' })], /:1 note: both must hold/],
  ];
  for (const [name, lines, expected] of lints)
    it(`finds ${name}`, () => assert.match(abac('lint', lines).out.replace(/\n {2}/g, ' '), expected));
  it('finds nothing in a good line', () => assert.equal(abac('lint', [v1(ALICE)]).code, 0));

  it('converts custom resources too, in whatever scope their definitions give them', () => {
    const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: clusterbackups.example.com }
spec: { group: example.com, scope: Cluster, names: { plural: clusterbackups, kind: ClusterBackup } }
`;
    const line = v1({ user: 'alice', resource: 'clusterbackups', apiGroup: 'example.com' });
    const folder = folderOf({ 'policy.jsonl': line, 'crds/a.yaml': crd });
    const convert = (...words: string[]) =>
      run(folder, ['authorization', 'abac', 'convert', 'policy.jsonl', ...words]);
    const can = (...words: string[]) =>
      run(folder, ['authorization', 'can-i', ...words, '--as', 'alice', '-f', 'crds']);
    assert.equal(can('get', 'clusterbackups').code, 1);
    assert.equal(can('get', 'clusterbackup').code, 1);
    assert.match(can('get', 'clusterbackps').err, /did you mean clusterbackups\?/);
    // Without the definition nobody knows that a ClusterRoleBinding would say the same.
    assert.match(convert().err, /policy.jsonl:1 left out/);
    const { code, out, err } = convert('-f', 'crds');
    assert.equal(code, 0, err);
    assert.match(out, /kind: ClusterRoleBinding/);
    assert.match(out, /resources: \[clusterbackups, /);
  });
  it('converts, and decides every class of requests alike', () => {
    const { code, out, err } = abac('convert', [
      v1(ALICE),
      v1({ group: 'devs', readonly: true, resource: '*', apiGroup: '*', namespace: '*' }),
      v1({ user: '*', nonResourcePath: '/healthz*', readonly: true }),
      v1({ user: 'system:serviceaccount:shop:bot', resource: 'nodes' }),
      '{"user":"bob"}',
    ]);
    assert.equal(code, 0, err);
    assert.match(out, /^# \d+ classes of requests, each decided by both: all alike/);
    assert.match(out, /pods\/exec/);
    const may = (as: string, ...words: string[]) =>
      run(folderOf({ 'rbac.yaml': out }), ['authorization', 'can-i', ...words, '--as', as]).out.slice(0, 3);
    assert.equal(may('alice', 'create', 'pods/exec', '-n', 'shop'), 'yes');
    assert.equal(may('alice', 'create', 'pods/exec', '-n', 'other'), 'no\n');
    assert.equal(may('bob', 'delete', 'secrets'), 'yes');
    assert.equal(may('carol', 'get', '/healthz/etcd'), 'yes');
  });
  it('leaves out what RBAC cannot say, and lists the difference exactly', () => {
    const both = abac('convert', [v1({ ...ALICE, group: 'devs' })], '-o', 'json');
    assert.equal(both.code, 1);
    const { objects, left, differences } = JSON.parse(both.out) as {
      objects: object[];
      left: { line: number }[];
      differences: { abac: boolean; rbac: boolean; text: string; user: { groups: string[] } }[];
    };
    assert.deepEqual([objects.length, left.map(({ line }) => line)], [0, [1]]);
    assert.ok(differences.length > 0 && differences.every(one => one.abac && !one.rbac));
    assert.ok(
      differences.every(({ text }) => /^alice in group devs: \S+ pods\S* in namespace shop$/.test(text)),
    );
    const { err } = abac('convert', [v1({ user: 'alice', resource: '*', apiGroup: '*' })]);
    assert.match(err.replace(/\n {2}/g, ' '), /policy.jsonl:1 left out: no namespace is stated/);
    assert.match(err, /only the policy allows alice: get namespaces in no namespace \(line 1\)/);
  });
  it('prints findings and explanations as YAML and as whole lines too', () => {
    const lines = [
      v1({ ...ALICE, readonly: true }),
      v1({ user: '*', group: 'ops', resource: '*', namespace: '*' }),
    ];
    assert.match(abac('lint', lines, '-o', 'yaml').out, /^problems:\n- line: 1\n {2}level: danger$/m);
    assert.equal(
      abac('lint', lines, '-o', 'wide')
        .out.split('\n')
        .filter(one => one.startsWith(' ')).length,
      0,
    );
    assert.match(abac('explain', lines, '-o', 'yaml').out, /^policies:\n- user: alice$/m);
    assert.match(
      abac('explain', lines, '-o', 'wide').out,
      /^policy.jsonl:1 user alice may get, list and watch pods and what is below them .* in namespace shop/,
    );
  });
  it('explains each line, and says where it cannot be read', () => {
    assert.match(
      abac('explain', [v1({ ...ALICE, readonly: true })]).out.replace(/\n {2}/g, ' '),
      /^policy.jsonl:1 user alice may get, list and watch pods and what is below them \(.*pods\/exec.*\) of the core API in namespace shop/,
    );
    const { code, err } = abac('explain', ['{']);
    assert.equal(code, 3);
    assert.match(err, /policy.jsonl:1: the API server would not start/);
  });
});

describe('authorization can-i', () => {
  const ask = (files: Readonly<Record<string, string>>, ...words: string[]) =>
    run(folderOf({ 'rbac.yaml': RBAC, ...files }), ['authorization', 'can-i', '--as', RELEASE, ...words]);
  const CONFIG = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: first
  webhook:
    timeout: 3s
    authorizedTTL: 30s
    unauthorizedTTL: 30s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: /etc/webhook.yaml }
- { type: RBAC, name: rbac }
`;
  it('takes a request as HTTP makes it', () => {
    assert.match(ask({}, '--raw', 'GET', '/api/v1/namespaces/shop/pods?limit=5').out, /^yes/);
    assert.match(ask({}, '--raw', 'GET', '/api/v1/namespaces/shop/pods?watch=1').out, /^no/);
    assert.equal(ask({}, '--raw', 'GET').code, 3);
    assert.equal(ask({}, '--raw', 'GET', '/api/v1/%zz').code, 3);
  });
  it('lists all that somebody may do in a namespace', () => {
    const { code, out } = ask({}, '--list', '-n', 'shop');
    assert.equal(code, 0);
    assert.equal(out, 'In namespace shop\n  get, list: pods, services\n  get: secrets\n');
  });
  it('lists with reasons: every binding and rule that gives it, and the lines of a policy', () => {
    const policy = JSON.stringify({
      apiVersion: 'abac.authorization.kubernetes.io/v1beta1',
      kind: 'Policy',
      spec: { user: RELEASE, resource: 'events', namespace: 'shop' },
    });
    const files = { 'policy.jsonl': `# one\n${policy}` };
    const words = ['--list', '-n', 'shop', '--abac-policy', 'policy.jsonl'];
    const { out } = ask(files, ...words, '-o', 'wide');
    assert.match(
      out,
      /^ {2}get: secrets\n {4}by rbac.yaml:\d+ RoleBinding "release\/shop" of Role "release" to ServiceAccount "release\/shop"\n {4}by rbac.yaml:\d+ rule 2 of Role "release"$/m,
    );
    assert.match(out, /^ {2}\*: events\n {4}by line 2 of the ABAC policy file$/m);
    const { resourceRules } = JSON.parse(ask(files, ...words, '-o', 'json').out) as {
      resourceRules: { resources: string[]; because: { text: string; file?: string }[] }[];
    };
    assert.deepEqual(
      resourceRules.map(({ because }) => because.length),
      [2, 2, 1],
    );
    assert.equal(resourceRules[0]!.because[1]!.file, 'rbac.yaml');
  });
  it('asks webhooks as the configuration says, and knows nothing where one may deny first', () => {
    const asked = (...more: string[]) =>
      ask(
        { 'conf.yaml': CONFIG },
        'list',
        'pods',
        '-n',
        'shop',
        '--authorization-config',
        'conf.yaml',
        ...more,
      );
    assert.equal(asked().code, 2);
    assert.match(asked().out, /^unknown/);
    assert.equal(asked('--webhook', 'first=no-opinion').code, 0);
    assert.equal(asked('--webhook', 'first=deny').code, 1);
    assert.equal(asked('--webhook', 'first=fail').code, 1);
    assert.equal(asked('--webhook', 'first=perhaps').code, 3);
  });
  it('refuses a configuration with which the API server would not start', () => {
    const { code, err } = ask(
      { 'conf.yaml': 'kind: x' },
      'list',
      'pods',
      '--authorization-config',
      'conf.yaml',
    );
    assert.equal(code, 3);
    assert.match(err, /conf.yaml:1: the API server would not start with it/);
  });
});

describe('authorization permissions', () => {
  const twice = `${RBAC}---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules: [{ apiGroups: [""], resources: ["*"], verbs: [get, list] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }
subjects: [{ kind: ServiceAccount, name: release, namespace: shop }, { kind: User, name: nobody }]
`;
  const ask = (text: string, ...words: string[]) =>
    run(folderOf({ 'rbac.yaml': text }), ['authorization', 'permissions', ...words]);
  it('says by which binding and rule, for each namespace its own', () => {
    const { out } = ask(RBAC, RELEASE, '--explain', '-n', 'shop');
    assert.match(
      out,
      /^In namespace shop\n {2}get, list: pods, services\n {4}by rbac.yaml:\d+ RoleBinding "release\/shop" of Role "release" to\n {6}ServiceAccount "release\/shop"\n {4}by rbac.yaml:\d+ rule 1 of Role "release"\n/,
    );
    const other = `${RBAC}---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: release, namespace: ops }
rules: [{ apiGroups: [""], resources: [pods, services], verbs: [get, list] }, { apiGroups: [""], resources: [secrets], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: other, namespace: ops }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: release }
subjects: [{ kind: ServiceAccount, name: release, namespace: shop }]
`;
    assert.match(ask(other, RELEASE).out, /^In namespaces ops, shop$/m);
    const data = JSON.parse(ask(other, RELEASE, '-o', 'json').out) as {
      namespaces: { namespace: string; rules: { resourceRules: { because: { text: string }[] }[] } }[];
    };
    assert.deepEqual(
      data.namespaces.map(({ namespace, rules }) => [
        namespace,
        rules.resourceRules[0]!.because[0]!.text.slice(0, 21),
      ]),
      [
        ['ops', 'RoleBinding "other/op'],
        ['shop', 'RoleBinding "release/'],
      ],
    );
  });
  it('takes the user as kubectl names one', () => {
    assert.equal(ask(RBAC, '--as', RELEASE).out, ask(RBAC, RELEASE).out);
    assert.equal(ask(RBAC, 'jane', '--as', RELEASE).code, 3);
  });
  it('names every binding that is enough by itself, and what is said once stays said once', () => {
    const { out } = ask(twice, RELEASE, '-o', 'wide');
    assert.match(out, /^In the whole cluster\n {2}get, list: \*\n/);
    assert.doesNotMatch(out, /In namespace/);
    const both = ask(
      twice.replace('resources: ["*"]', 'resources: [pods, services]'),
      RELEASE,
      '-o',
      'wide',
    ).out;
    assert.match(
      both,
      /In the whole cluster\n {2}get, list: pods, services\n {4}by .* ClusterRoleBinding "reader" of/,
    );
  });
  it('says all the same as YAML', () => {
    const { out } = ask(RBAC, RELEASE, '-o', 'yaml');
    assert.match(out, /^ {4}- verbs: \[get, list\]$/m);
    assert.match(out, /^ {6}because:\n {6}- text: .*\n {8}file: rbac.yaml\n {8}line: \d+$/m);
  });
});

describe('authorization escalations', () => {
  const grants = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: binder }
rules: [{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles, clusterrolebindings], verbs: [bind, create] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: binder }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: binder }
subjects: [{ kind: ServiceAccount, name: a, namespace: shop }, { kind: ServiceAccount, name: b, namespace: ops }, { kind: User, name: jane }]
`;
  const ask = (...words: string[]) =>
    run(folderOf({ 'rbac.yaml': grants }), ['authorization', 'escalations', ...words]);
  it('are of all subjects, of one, or of the service accounts of a namespace', () => {
    assert.match(ask().out, /^3 subjects: 3 to cluster-admin/m);
    assert.match(ask('-A').out, /^3 subjects/m);
    assert.match(
      ask('-n', 'shop').out,
      /^service account shop\/a reaches cluster-admin in 1 step$[\s\S]*^1 subject: 1/m,
    );
    assert.equal(ask('--as', 'jane').out, ask('jane').out);
    assert.equal(ask('jane', '-n', 'shop').code, 3);
  });
  it('say the binding of each step too', () => {
    assert.match(ask('jane', '--explain').out, /^ {5}rbac.yaml:9 ClusterRoleBinding binder$/m);
    assert.doesNotMatch(ask('jane').out, /^ {5}rbac.yaml:9 /m);
  });
});

describe('authorization of roles that cannot be decoded', () => {
  const odd = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: odd }
rules: [{ apiGroups: "", resources: [pods], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: odd }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: odd }
subjects: [{ kind: User, name: jane }]
`;
  it('is not known, whoever asks', () => {
    const folder = folderOf({ 'rbac.yaml': odd, 'audit.log': line, 'empty/x.yaml': '' });
    const ask = (...words: string[]) => run(folder, ['authorization', ...words]);
    assert.match(ask('can-i', 'get', 'pods', '--as', 'jane', '-f', 'rbac.yaml').out, /^unknown/);
    assert.match(ask('matrix', '-f', 'rbac.yaml', '--resource', 'pods').out, /^user jane +\?$/m);
    assert.match(
      ask('unused', 'audit.log', '-f', 'rbac.yaml').out.replace(/\n {2}/g, ' '),
      /ClusterRoleBinding odd: its role is not in the input, or cannot be decoded/,
    );
    for (const words of [
      ['who-can', 'get', 'pods', '-f', 'rbac.yaml'],
      ['permissions', 'jane', '-f', 'rbac.yaml'],
      ['escalations', '-f', 'rbac.yaml'],
      ['diff', 'empty', 'rbac.yaml'],
    ])
      assert.equal(ask(...words).code, 2, words.join(' '));
  });
});

describe('authorization matrix', () => {
  const hostile = `${RBAC}---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: root }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ kind: User, name: "<script>alert(1)</script>" }, { kind: User, name: "=1+1" }]
`;
  const folder = () => folderOf({ 'rbac.yaml': hostile });
  it('is a table', () => {
    const { code, out } = run(folder(), [
      'authorization',
      'matrix',
      '--resource',
      'secrets',
      '--resource',
      'pods/exec',
    ]);
    assert.equal(code, 0);
    assert.match(out, /^sa shop\/release +read +-$/m);
    assert.match(out, /^user =1\+1 +ALL +ALL$/m);
  });
  it('is data with verbs by namespace', () => {
    const { out } = run(folder(), ['authorization', 'matrix', '-o', 'json', '--resource', 'pods']);
    const { rows } = JSON.parse(out) as { rows: { subject: { name: string }; cells: unknown[] }[] };
    assert.deepEqual(rows.find(({ subject }) => subject.name === 'release')?.cells, [
      { everywhere: [], within: { shop: ['get', 'list'] }, named: false },
    ]);
  });
  it('says what a row does not hold, and puts known groups into the rows of their users', () => {
    const { out } = run(folder(), ['authorization', 'matrix', '--resource', 'pods']);
    assert.match(out.replace(/\s+/g, ' '), /what its groups have .* stands in their rows/);
    const group = hostile.replace('{ kind: User, name: "=1+1" }', '{ kind: Group, name: ops }');
    const known = folderOf({ 'rbac.yaml': group, 'groups.yaml': 'jane: [ops]\njoe: [devs]\n' });
    const table = run(known, [
      'authorization',
      'matrix',
      '--resource',
      'pods',
      '--groups',
      'groups.yaml',
    ]).out;
    assert.match(table, /^user jane +ALL$/m);
    assert.doesNotMatch(table, /joe/);
  });
  it('is wide: names whole, cells with their verbs; and says which bindings and rules stand behind a row', () => {
    const wide = run(folder(), ['authorization', 'matrix', '-o', 'wide', '--resource', 'pods']).out;
    assert.match(wide, /^sa shop\/release +in shop: get list$/m);
    const why = run(folder(), ['authorization', 'matrix', '--explain', '--resource', 'pods']).out;
    assert.match(
      why,
      /^sa shop\/release\n {2}rbac.yaml:\d+ RoleBinding shop\/release\n {2}rbac.yaml:\d+ rule 1 of Role release$/m,
    );
    assert.match(why, /ClusterRoleBinding root\n {2}by the role that ships with Kubernetes$/m);
    const refused = run(folder(), ['authorization', 'matrix', '-A', '-n', 'shop']);
    assert.equal(refused.code, 3);
  });
  it('is a page in which nothing of the input is markup, and CSV that no spreadsheet runs', () => {
    const page = run(folder(), ['authorization', 'matrix', '-o', 'html']).out;
    assert.ok(!page.includes('<script>alert'));
    assert.ok(page.includes('&lt;script&gt;alert(1)'));
    assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
    assert.match(run(folder(), ['authorization', 'matrix', '-o', 'csv']).out, /^user =1\+1,,,/m);
  });
});
