/** PodSecurityPolicy against the answers of Kubernetes 1.24 to random policies, pods and requests. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  admitByPolicies,
  applyPolicy,
  type PolicyDecision,
  type PolicyRequest,
  type PolicyResult,
  type SubmittedPod,
} from '#decide/pod-security/door.ts';
import { withShared } from '#test/shared.ts';

withShared('conformance/pod-security-policy/psp.json.gz', path => {
  interface ProviderCase extends Partial<Omit<PolicyResult, 'errors'>> {
    readonly kind: 'provider';
    readonly policy: object;
    readonly pod: SubmittedPod;
    readonly details?: readonly (readonly [field: string, type: string, detail: string])[];
  }
  interface PluginCase extends Omit<PolicyRequest, 'policies'>, PolicyDecision {
    readonly kind: 'plugin';
    readonly policies?: readonly object[];
    readonly focus?: unknown;
    readonly invalidPolicies?: unknown;
    readonly podInvalid?: unknown;
  }
  const { cases } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
    cases: (ProviderCase | PluginCase)[];
  };

  const applied = cases.filter(one => one.kind === 'provider');
  it(`applies ${applied.length} policies as the provider does`, () => {
    assert.ok(applied.length > 2000);
    for (const { policy, pod, admitted, changed, mutated, details = [], providerError } of applied) {
      const expected = {
        admitted,
        changed: changed ?? false,
        ...(mutated === undefined ? {} : { mutated }),
        errors: details.map(([field, type, detail]) => ({ field, type, detail })),
        ...(providerError === undefined ? {} : { providerError }),
      };
      assert.deepEqual(applyPolicy(policy, pod), expected);
    }
  });

  const requests = cases.filter(one => one.kind === 'plugin');
  it(`answers ${requests.length} requests as the admission plugin does`, () => {
    assert.ok(requests.length > 200);
    for (const one of requests) {
      const { kind, policies = [], namespace, user, serviceAccount, authorized, operation, ...rest } = one;
      const { subresource, pod, oldPod, focus, invalidPolicies, podInvalid, ...expected } = rest;
      const decision = admitByPolicies({
        policies,
        namespace,
        user,
        ...(serviceAccount === undefined ? {} : { serviceAccount }),
        authorized,
        operation,
        ...(subresource === undefined ? {} : { subresource }),
        pod,
        ...(oldPod === undefined ? {} : { oldPod }),
      });
      assert.deepEqual(decision, expected);
    }
  });
});
