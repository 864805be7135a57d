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

  it('says of what is no pod that it is none, and of what is no type that it cannot be decoded', () => {
    const warn = namespace({ 'pod-security.kubernetes.io/warn': 'baseline' });
    const pod = { apiVersion: 'v1', kind: 'Pod', spec: {} };
    const answer = (object: object | null) =>
      admit({ ...create('pods', 'Pod', {}), object }, { namespace: warn }).message;
    assert.equal(answer(null), 'failed to decode pod');
    assert.equal(answer({ ...pod, kind: 'Service' }), 'failed to decode pod');
    assert.equal(answer({ ...pod, apiVersion: [1] }), 'failed to decode object');
    assert.equal(answer({ ...pod, apiVersion: 'apps/v1' }), 'failed to decode object');
    const update = { ...create('pods', 'Pod', pod), operation: 'UPDATE', oldObject: null };
    assert.equal(admit(update, { namespace: warn }).message, 'failed to decode old pod');
    const renamed = { ...create('namespaces', 'Namespace', warn), operation: 'UPDATE', oldObject: null };
    assert.equal(admit(renamed, {}).message, 'failed to decode  old namespace');
    assert.equal(admit(create('namespaces', 'Namespace', pod), {}).message, 'failed to decode namespace');
  });

  it('takes what a controller holds by the type that it says it is', () => {
    const answer = (object: object) =>
      admit(create('deployments', 'Deployment', object), {
        namespace: namespace({ 'pod-security.kubernetes.io/warn': 'baseline' }),
      });
    const spec = { hostPID: true };
    assert.match(answer({ apiVersion: 'v1', kind: 'Pod', spec }).warnings[0]!, /host namespaces/);
    const error = (object: object) => answer(object).auditAnnotations['error'];
    const template = { spec };
    assert.match(error({ apiVersion: null, kind: 'Job', spec: { template } })!, /^failed to decode object/);
    assert.match(
      error({ apiVersion: 'x', kind: 'ReplicationController', spec: { template } })!,
      /^failed to decode/,
    );
    assert.match(
      error({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: 5 })!,
      /^failed to decode object/,
    );
    assert.equal(
      error(namespace({})),
      'failed to extract pod template: unexpected object type: /v1, Kind=Namespace',
    );
  });
});
