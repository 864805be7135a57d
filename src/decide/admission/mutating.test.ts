import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { MutatingAdmission, type MutationInput } from './mutating.ts';
import type { AdmissionRequest } from './request.ts';

const API = 'admissionregistration.k8s.io/v1';
const policy = (name: string, spec: object): KubeObject => ({
  apiVersion: API,
  kind: 'MutatingAdmissionPolicy',
  metadata: { name },
  spec: {
    matchConstraints: {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
    reinvocationPolicy: 'Never',
    ...spec,
  },
});
const binding = (policyName: string, spec: object = {}): KubeObject => ({
  apiVersion: API,
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: `${policyName}-binding` },
  spec: { policyName, ...spec },
});
const applies = (...expressions: string[]) => ({
  mutations: expressions.map(expression => ({
    patchType: 'ApplyConfiguration',
    applyConfiguration: { expression },
  })),
});
const patches = (expression: string) => ({
  mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
});
const request = (spec: object = { containers: [{ name: 'web', image: 'x' }] }): AdmissionRequest => ({
  operation: 'CREATE',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  resource: { group: '', version: 'v1', resource: 'pods' },
  namespace: 'default',
  name: 'web',
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec },
});
const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
const admit = (spec: object, pod?: object, more: Partial<MutationInput> = {}) =>
  new MutatingAdmission({ objects: [policy('p', spec), binding('p'), namespace], ...more }).admit(
    request(pod),
  );
const specOf = (answer: { readonly object?: KubeObject }) =>
  answer.object?.['spec'] as Record<string, unknown>;

describe('an apply configuration', () => {
  it('is merged by the schema: containers by their name, the rest stays', () => {
    const pod = {
      containers: [
        { name: 'web', image: 'x', ports: [{ containerPort: 80 }] },
        { name: 'log', image: 'y', securityContext: { privileged: true } },
      ],
    };
    const answer = admit(
      applies(
        'Object{spec: Object.spec{securityContext: Object.spec.securityContext{runAsUser: 7}, containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, securityContext: Object.spec.containers.securityContext{readOnlyRootFilesystem: true}})}}',
      ),
      pod,
    );
    assert.equal(answer.message, '');
    assert.deepEqual(specOf(answer), {
      containers: [
        {
          name: 'web',
          image: 'x',
          ports: [{ containerPort: 80 }],
          securityContext: { readOnlyRootFilesystem: true },
        },
        { name: 'log', image: 'y', securityContext: { privileged: true, readOnlyRootFilesystem: true } },
      ],
      securityContext: { runAsUser: 7 },
    });
    assert.deepEqual([answer.changed, answer.applied], [true, ['p']]);
  });

  it('leaves out what is optional and not there', () => {
    const answer = admit(
      applies('Object{spec: Object.spec{?hostname: optional.none(), ?subdomain: optional.of("a")}}'),
    );
    assert.equal(specOf(answer)['subdomain'], 'a');
    assert.ok(!('hostname' in specOf(answer)));
  });

  for (const [what, expression, message] of [
    [
      'may not touch what can only be replaced',
      'Object{spec: Object.spec{securityContext: Object.spec.securityContext{supplementalGroups: [1]}}}',
      /may not mutate atomic arrays, maps or structs: \.spec\.securityContext\.supplementalGroups$/,
    ],
    [
      'may not name fields that there are not',
      'Object{spec: Object.spec{hostPid: true}}',
      /failed to convert patch object to typed object: \.spec\.hostPid: field not declared in schema$/,
    ],
    [
      'may not hold values of another type',
      'Object{spec: Object.spec{hostPID: "yes"}}',
      /\.spec\.hostPID: expected boolean, got "yes"$/,
    ],
    [
      'may not name another place than its own',
      'Object{spec: Object.spec.containers{}}',
      /type mismatch: unexpected type name "Object\.spec\.containers", expected "Object\.spec"/,
    ],
    [
      'may not name one container twice',
      'Object{spec: Object.spec{containers: [Object.spec.containers{name: "a"}, Object.spec.containers{name: "a"}]}}',
      /duplicate entries for key \[name="a"\]/,
    ],
  ] as const)
    it(what, () => {
      const answer = admit(applies(expression));
      assert.equal(answer.decision, 'deny');
      assert.match(answer.message, message);
      assert.match(answer.message, /^policy 'p' with binding 'p-binding' denied request: /);
      assert.equal(admit({ ...applies(expression), failurePolicy: 'Ignore' }).decision, 'allow');
    });

  it('sees what the mutation before it made', () => {
    const answer = admit(
      applies(
        'Object{spec: Object.spec{hostname: "a"}}',
        'Object{spec: Object.spec{subdomain: object.spec.hostname + "b"}}',
      ),
    );
    assert.equal(specOf(answer)['subdomain'], 'ab');
  });

  it('of a type that is not known here is unknown', () => {
    const objects = [
      policy('p', {
        matchConstraints: {
          resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
        },
        ...applies('Object{}'),
      }),
      binding('p'),
      namespace,
    ];
    const answer = new MutatingAdmission({ objects }).admit({
      ...request(),
      kind: { group: 'example.com', version: 'v1', kind: 'Widget' },
      resource: { group: 'example.com', version: 'v1', resource: 'widgets' },
    });
    assert.equal(answer.decision, 'unknown');
    assert.match(answer.unknowns[0]!.message, /how Widget of example\.com\/v1 is merged is not known here/);
  });
});

describe('a JSON patch', () => {
  it('replaces whole lists', () => {
    const answer = admit(
      patches(
        'object.spec.containers.transformList(i, c, JSONPatch{op: "add", path: "/spec/containers/" + string(i) + "/securityContext", value: Object.spec.containers.securityContext{capabilities: Object.spec.containers.securityContext.capabilities{drop: ["ALL"]}}})',
      ),
    );
    assert.deepEqual(specOf(answer)['containers'], [
      { name: 'web', image: 'x', securityContext: { capabilities: { drop: ['ALL'] } } },
    ]);
  });

  it('is left alone as a whole where a test in it fails', () => {
    const answer = admit(
      patches(
        '[JSONPatch{op: "add", path: "/spec/hostname", value: "a"}, JSONPatch{op: "test", path: "/spec/containers/0/name", value: "other"}]',
      ),
    );
    assert.deepEqual([answer.decision, answer.changed], ['allow', false]);
  });

  it('escapes keys, and refuses places that there are not', () => {
    const escaped = admit(
      patches(
        '[JSONPatch{op: "add", path: "/metadata/labels", value: {"x": "y"}}, JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b~c"), value: "1"}]',
      ),
    );
    assert.deepEqual(escaped.object?.metadata?.labels, { x: 'y', 'a/b~c': '1' });
    const missing = admit(patches('[JSONPatch{op: "replace", path: "/spec/a/b", value: 1}]'));
    assert.match(
      missing.message,
      /JSON Patch: replace operation does not apply: doc is missing path: \/spec\/a\/b: missing value$/,
    );
  });

  it('that makes no object of the type ends the request, whatever the policy says of failures', () => {
    const answer = admit({
      ...patches('[JSONPatch{op: "add", path: "/spec/hostPid", value: true}]'),
      failurePolicy: 'Ignore',
    });
    assert.equal(answer.decision, 'deny');
    assert.match(answer.message, /^Internal error occurred: /);
  });
});

describe('several policies', () => {
  const add = (name: string, text: string, more: object = {}) => [
    policy(name, {
      ...applies(
        `Object{metadata: Object.metadata{annotations: {"log": object.metadata.?annotations["log"].orValue("") + "${text}"}}}`,
      ),
      ...more,
    }),
    binding(name),
  ];
  const log = (objects: readonly KubeObject[]) =>
    new MutatingAdmission({ objects: [...objects, namespace] }).admit(request());

  it('are unknown together where their order matters, for it is not fixed', () => {
    const answer = log([...add('a', '1'), ...add('b', '2')]);
    assert.equal(answer.decision, 'unknown');
    assert.match(answer.unknowns[0]!.message, /depends on the order of 'a', 'b'/);
    assert.equal(answer.object, undefined);
  });

  it('are asked once more after a change where they say so', () => {
    const once = log(add('a', '1'));
    assert.equal(once.object?.metadata?.annotations?.['log'], '1');
    const twice = log(add('a', '1', { reinvocationPolicy: 'IfNeeded' }));
    assert.equal(twice.object?.metadata?.annotations?.['log'], '11');
  });

  it('apply where their conditions hold', () => {
    const condition = (expression: string) => ({ matchConditions: [{ name: 'c', expression }] });
    assert.equal(log(add('a', '1', condition('object.spec.containers.size() > 1'))).changed, false);
    assert.equal(log(add('a', '1', condition('object.spec.containers.size() == 1'))).changed, true);
    assert.equal(log(add('a', '1', condition('object.spec.x == 1'))).decision, 'deny');
  });
});
