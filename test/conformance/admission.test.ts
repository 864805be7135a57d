/** ValidatingAdmissionPolicies of a public library, each with the verdicts that its authors got from a cluster. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ValidatingAdmission } from '#decide/admission/validating.ts';
import { groupOf, type KubeObject } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

interface Test {
  readonly name: string;
  readonly template: string;
  readonly expected: 'pass' | 'fail';
  readonly field_change_list?: readonly string[];
}

function read(path: string): unknown[] {
  return readDocuments(readFileSync(path, 'utf8')).flatMap(document =>
    document.is === 'value' ? [structuredClone(document.value)] : [],
  );
}

/** `spec.containers.[0].image=nginx`; values are YAML. */
function change(object: Record<string, unknown>, edit: string): void {
  const equals = edit.indexOf('=');
  const steps = edit
    .slice(0, equals)
    .split('.')
    .map(step => (/^\[\d+\]$/.test(step) ? Number(step.slice(1, -1)) : step));
  const [document] = readDocuments(edit.slice(equals + 1));
  const value = document?.is === 'value' ? document.value : document?.is === 'empty' ? '' : null;
  let at = object as Record<string | number, unknown>;
  steps.slice(0, -1).forEach((step, index) => {
    if (at[step] === undefined || at[step] === null)
      at[step] = typeof steps[index + 1] === 'number' ? [] : {};
    at = at[step] as Record<string | number, unknown>;
  });
  at[steps.at(-1)!] = value;
}

const PLURALS: Readonly<Record<string, string>> = {
  Ingress: 'ingresses',
  Endpoints: 'endpoints',
  CSIStorageCapacity: 'csistoragecapacities',
};

withShared('conformance/validating-admission-policy', folder => {
  const configuration = (file: string) => read(join(folder, 'test-resources', file))[0] as KubeObject;
  for (const control of readdirSync(join(folder, 'controls'))) {
    const [policy] = read(join(folder, 'controls', control, 'policy.yaml')) as [KubeObject];
    const tests = JSON.parse(readFileSync(join(folder, 'controls', control, 'tests.json'), 'utf8')) as Test[];
    const params = configuration('default-control-configuration.yaml');
    const admission = new ValidatingAdmission({
      objects: [
        policy,
        params,
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicyBinding',
          metadata: { name: 'binding' },
          spec: {
            policyName: policy.metadata!.name,
            validationActions: ['Deny'],
            ...(policy['spec'] !== undefined && 'paramKind' in (policy['spec'] as object)
              ? { paramRef: { name: params.metadata!.name, parameterNotFoundAction: 'Deny' } }
              : {}),
          },
        },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } },
      ],
    });
    it(`${control}: ${tests.length} objects`, () => {
      assert.deepEqual(admission.issues(), []);
      for (const { name, template, expected, field_change_list: edits = [] } of tests) {
        const [object] = read(join(folder, 'test-resources', template)) as [KubeObject];
        for (const edit of edits) change(object as unknown as Record<string, unknown>, edit);
        const group = groupOf(object.apiVersion);
        const version = object.apiVersion.slice(group === '' ? 0 : group.length + 1);
        const answer = admission.admit({
          operation: 'CREATE',
          kind: { group, version, kind: object.kind },
          resource: { group, version, resource: PLURALS[object.kind] ?? `${object.kind.toLowerCase()}s` },
          name: object.metadata?.name ?? '',
          namespace: 'default',
          object,
        });
        assert.equal(answer.decision, expected === 'pass' ? 'allow' : 'deny', `${name}: ${answer.message}`);
        if (expected === 'fail')
          assert.ok(
            answer.denials.every(({ outcome }) => outcome === 'deny'),
            `${name}: ${answer.message}`,
          );
      }
    });
  }
});
