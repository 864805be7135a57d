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
  it('knows nothing from a log without requests', () => {
    const folder = folderOf({ 'rbac.yaml': RBAC, 'audit.log': '' });
    assert.equal(run(folder, ['authorization', 'unused', 'audit.log', '-f', 'rbac.yaml']).code, 2);
  });
});
