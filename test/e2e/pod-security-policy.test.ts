/** The commands about PodSecurityPolicies and labels, as a user calls them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const ANY = '{ rule: RunAsAny }';
const psp = (name: string, spec: string) => `apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: { name: ${name} }
spec:
  runAsUser: ${ANY}
  seLinux: ${ANY}
  supplementalGroups: ${ANY}
  fsGroup: ${ANY}
${spec}
---
`;
const USE = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: psp }
rules: [{ apiGroups: [policy], resources: [podsecuritypolicies], verbs: [use] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: psp, namespace: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp }
subjects: [{ kind: Group, name: 'system:serviceaccounts:shop' }]
---
`;
const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: 'web:1' }] }
`;

describe('psp migrate --mutating', () => {
  it('writes a policy of the version that the cluster has, and no patch', () => {
    const folder = folderOf({
      'a.yaml': psp('narrow', '  readOnlyRootFilesystem: true\n  volumes: [secret]') + WEB,
    });
    const words = ['pod-security', 'psp', 'migrate', 'a.yaml', '--mutating', '--output', 'out'];
    const { code: status, out: stdout, err: stderr } = run(folder, [...words, '--target-kubernetes', '1.35']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /by a MutatingAdmissionPolicy, compared pod by pod/);
    // The label knows SELinux, which the policy let be.
    assert.doesNotMatch(stdout, /^ {4}(?:looser|other|unknown)/m);
    assert.match(stdout, /--runtime-config=admissionregistration\.k8s\.io\/v1beta1=true/);
    assert.deepEqual(readdirSync(join(folder, 'out')), [
      '05-defaults.yaml',
      '10-warn-and-audit.yaml',
      '20-enforce.yaml',
      '30-remove.txt',
    ]);
    const written = readFileSync(join(folder, 'out', '05-defaults.yaml'), 'utf8');
    assert.match(
      written,
      /^apiVersion: admissionregistration\.k8s\.io\/v1beta1\nkind: MutatingAdmissionPolicy$/m,
    );
    assert.match(written, /\?readOnlyRootFilesystem: .*optional\.of\(true\)/);
    assert.match(run(folder, words).out, /^ {2}enforce /m);
    assert.match(
      readFileSync(join(folder, 'out', '05-defaults.yaml'), 'utf8'),
      /^apiVersion: admissionregistration\.k8s\.io\/v1$/m,
    );
  });

  it('says which versions have no such policies', () => {
    const folder = folderOf({ 'a.yaml': psp('narrow', '  volumes: [secret]') + WEB });
    const words = ['pod-security', 'psp', 'migrate', 'a.yaml', '--mutating', '--target-kubernetes', '1.31'];
    const { code: status, err: stderr } = run(folder, words);
    assert.equal(status, 3);
    assert.match(
      stderr,
      /Kubernetes v1\.31 has no MutatingAdmissionPolicy\n {2}v1\.32 is the first that does/,
    );
  });
});

describe('psp evaluate', () => {
  it('names policies that another one always comes before', () => {
    const both = psp('all', "  privileged: true\n  volumes: ['*']") + psp('strict', '  volumes: [secret]');
    const folder = folderOf({ 'a.yaml': both + USE + WEB });
    const words = ['pod-security', 'psp', 'evaluate', 'a.yaml'];
    assert.match(run(folder, words).out, /^strict is never chosen: all comes first, /m);
    const { shadowed } = JSON.parse(run(folder, [...words, '-o', 'json']).out) as { shadowed: unknown };
    assert.deepEqual(shadowed, [{ policy: 'strict', by: 'all' }]);
    const elsewhere = folderOf({ 'a.yaml': both + WEB });
    assert.doesNotMatch(run(elsewhere, words).out, /never chosen/);
  });
});

describe('upgrade', () => {
  it('says which labels do not mean what they were meant to', () => {
    const folder = folderOf({
      'a.yaml': `apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    pod-security.kubernetes.io/enforce: baseline
    pod-security.kubernetes.io/enforce-verson: v1.24
    pod-security.kubernetes.io/warn: restrictd
---
${WEB}`,
    });
    const { out: stdout } = run(folder, ['pod-security', 'upgrade', '--from', 'v1.33', 'a.yaml']);
    assert.match(
      stdout,
      /a\.yaml:7 pod-security\.kubernetes\.io\/enforce-verson: no such label, it does nothing: did you mean enforce-version\?/,
    );
    assert.match(
      stdout,
      /a\.yaml:8 pod-security\.kubernetes\.io\/warn: "restrictd" must be one of privileged, baseline, restricted: it means privileged/,
    );
  });
});

describe('show', () => {
  const folder = folderOf({ 'a.yaml': WEB, 'web/b.yaml': WEB.replaceAll('web', 'api') });
  const show = (...words: string[]) => run(folder, ['pod-security', 'show', ...words]);

  it('takes a workload as its first word, in the forms of kubectl', () => {
    for (const word of ['deployment/web', 'deploy/web', 'Deployment/web', 'shop/deployments/web']) {
      const { code: status, out: stdout, err: stderr } = show(word, 'a.yaml');
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^a\.yaml:1 Deployment shop\/web, container web$/m);
    }
    const { out: stdout } = show('deployment/api');
    assert.match(stdout, /^web\/b\.yaml:1 Deployment shop\/api/m);
    assert.doesNotMatch(stdout, /shop\/web/);
  });

  it('takes what is there for a path, and says what there is instead of what is not', () => {
    assert.match(show('web').out, /^web\/b\.yaml:1 Deployment shop\/api/);
    assert.match(show('--workload', 'web', '.').out, /^a\.yaml:1 Deployment shop\/web/);
    for (const word of ['deployment/wed', 'statefulset/web', 'other/deployment/web']) {
      const { code: status, err: stderr } = show(word, 'a.yaml');
      assert.equal(status, 3);
      assert.match(
        stderr,
        new RegExp(
          `there is no workload ${word} in the input, and no path of that name\n {2}there is shop/deployment/web`,
        ),
      );
    }
  });
});
