/** Answers of the real plugin that the samples of its cases do not hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit, ConfigurationError } from './admission.ts';

const namespace = (labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'n', labels },
});
const create = (resource: string, kind: string, object: object) =>
  ({
    operation: 'CREATE',
    group: resource === 'deployments' ? 'apps' : '',
    resource,
    kind,
    namespace: 'n',
    object,
  }) as const;

describe('Pod Security Admission', () => {
  it('decodes its configuration strictly', () => {
    const config = {
      apiVersion: 'pod-security.admission.config.k8s.io/v1',
      kind: 'PodSecurityConfiguration',
    };
    for (const [wrong, message] of [
      [{ more: {} }, 'more: unknown field'],
      [{ defaults: { Enforce: 'restricted' } }, 'defaults.Enforce: unknown field'],
      [{ exemptions: { users: [] } }, 'exemptions.users: unknown field'],
    ] as const)
      assert.throws(
        () => admit(create('pods', 'Pod', {}), { config: { ...config, ...wrong } as never }),
        (error: unknown) => error instanceof ConfigurationError && error.message === message,
      );
  });

  it('reads a version as far as 64 bits go', () => {
    const answer = (version: string) =>
      admit(create('pods', 'Pod', { apiVersion: 'v1', kind: 'Pod', spec: { hostPID: true } }), {
        namespace: namespace({
          'pod-security.kubernetes.io/warn': 'baseline',
          'pod-security.kubernetes.io/warn-version': version,
        }),
      });
    assert.equal(answer('v1.9223372036854775807').auditAnnotations['error'], undefined);
    assert.match(answer('v1.9223372036854775808').auditAnnotations['error']!, /must be "latest" or "v1.x"/);
  });

  it('judges the annotations of a template without a spec', () => {
    const { warnings } = admit(
      create('deployments', 'Deployment', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        spec: {
          template: {
            metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' } },
          },
        },
      }),
      { namespace: namespace({ 'pod-security.kubernetes.io/warn': 'baseline' }) },
    );
    assert.match(warnings[0]!, /forbidden AppArmor profile/);
  });

  it('refuses a namespace that does not decode', () => {
    for (const wrong of [{ spec: { finalizers: 3 } }, { metadata: { labels: { a: 1 } } }, { spec: [] }])
      assert.equal(admit(create('namespaces', 'Namespace', wrong), {}).message, 'failed to decode object');
  });
});
