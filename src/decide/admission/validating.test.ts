import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askOf, createAuthorizer } from '#decide/authorization/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import type { AdmissionInput } from './expressions.ts';
import type { AdmissionRequest } from './request.ts';
import { ValidatingAdmission } from './validating.ts';

const API = 'admissionregistration.k8s.io/v1';
const PODS = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };

const policy = (spec: object): KubeObject => ({
  apiVersion: API,
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: 'policy' },
  spec: { matchConstraints: { resourceRules: [PODS] }, ...spec },
});
const binding = (spec: object = {}): KubeObject => ({
  apiVersion: API,
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name: 'binding' },
  spec: { policyName: 'policy', validationActions: ['Deny'], ...spec },
});
const namespace: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'default', labels: { env: 'dev' } },
};
const request = (more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  operation: 'CREATE',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  resource: { group: '', version: 'v1', resource: 'pods' },
  namespace: 'default',
  name: 'web',
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: { x: 1 },
  },
  userInfo: { username: 'alice' },
  ...more,
});
const admit = (
  objects: readonly KubeObject[],
  asked: AdmissionRequest = request(),
  more: Omit<AdmissionInput, 'objects'> = {},
) => new ValidatingAdmission({ objects, ...more }).admit(asked);

const never = { validations: [{ expression: 'false' }] };

describe('a policy', () => {
  it('is about the requests that it names', () => {
    const objects = [policy(never), binding(), namespace];
    assert.equal(admit(objects).decision, 'deny');
    assert.equal(admit(objects, request({ operation: 'UPDATE' })).decision, 'allow');
    assert.equal(admit(objects, request({ subResource: 'status' })).decision, 'allow');
    assert.equal(admit([policy(never), namespace]).decision, 'allow', 'no binding, no effect');
    const excluded = {
      matchConstraints: {
        resourceRules: [PODS],
        excludeResourceRules: [{ ...PODS, resourceNames: ['web'] }],
      },
    };
    assert.equal(admit([policy({ ...never, ...excluded }), binding(), namespace]).decision, 'allow');
    const other = { matchResources: { objectSelector: { matchLabels: { app: 'db' } } } };
    assert.equal(admit([policy(never), binding(other), namespace]).decision, 'allow');
  });

  it('never applies by guess: labels of an unknown namespace make it unknown', () => {
    const selects = { matchResources: { namespaceSelector: { matchLabels: { env: 'prod' } } } };
    assert.equal(admit([policy(never), binding(selects), namespace]).decision, 'allow');
    assert.equal(admit([policy(never), binding(selects)]).decision, 'unknown');
    const reads = { validations: [{ expression: "namespaceObject.metadata.labels.env == 'dev'" }] };
    assert.equal(admit([policy(reads), binding(), namespace]).decision, 'allow');
    assert.equal(admit([policy(reads), binding()]).decision, 'unknown');
  });

  it('says what its author wrote', () => {
    const message = (validation: object) =>
      admit([policy({ validations: [validation] }), binding(), namespace]).message;
    const start = "ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: ";
    assert.equal(message({ expression: 'false' }), `${start}failed expression: false`);
    assert.equal(message({ expression: 'false', message: 'no' }), `${start}no`);
    assert.equal(
      message({ expression: 'false', message: 'no', messageExpression: "'not ' + object.metadata.name" }),
      `${start}not web`,
    );
    assert.equal(
      message({ expression: 'false', message: 'no', messageExpression: 'object.absent' + ' + ""' }),
      `${start}no`,
    );
  });

  it('fails open or closed as its failurePolicy says', () => {
    const broken = { validations: [{ expression: 'object.spec.absent == 1' }] };
    const closed = admit([policy(broken), binding(), namespace]);
    assert.equal(closed.decision, 'deny');
    assert.equal(closed.denials[0]!.outcome, 'error');
    assert.match(
      closed.message,
      /expression 'object\.spec\.absent == 1' resulted in error: no such key: absent$/,
    );
    assert.equal(
      admit([policy({ ...broken, failurePolicy: 'Ignore' }), binding(), namespace]).decision,
      'allow',
    );
    const mistake = policy({ validations: [{ expression: 'objekt == 1' }] });
    assert.match(
      new ValidatingAdmission({ objects: [mistake] }).issues()[0]!.message,
      /undeclared reference to 'objekt'/,
    );
    assert.equal(admit([mistake, binding(), namespace]).decision, 'deny');
  });

  it('is left alone where a match condition is false', () => {
    const conditions = (...expressions: string[]) =>
      policy({
        ...never,
        matchConditions: expressions.map((expression, i) => ({ name: `c${i}`, expression })),
      });
    assert.equal(
      admit([conditions("request.userInfo.username != 'alice'"), binding(), namespace]).decision,
      'allow',
    );
    assert.equal(admit([conditions('object.absent == 1', 'false'), binding(), namespace]).decision, 'allow');
    assert.equal(
      admit([conditions('object.absent == 1'), binding(), namespace]).denials[0]!.outcome,
      'error',
    );
  });

  it('has variables that are worked out when they are asked for', () => {
    const spec = {
      variables: [
        { name: 'one', expression: 'object.spec.x' },
        { name: 'two', expression: 'variables.one + 1' },
        { name: 'broken', expression: 'object.absent' },
      ],
      validations: [{ expression: 'variables.two == 2' }, { expression: 'true || variables.broken == 1' }],
    };
    assert.equal(admit([policy(spec), binding(), namespace]).decision, 'allow');
  });

  it('takes parameters, and what is missing is not guessed', () => {
    const limit = (name: string, most: number): KubeObject => ({
      apiVersion: 'example.com/v1',
      kind: 'Limit',
      metadata: { name },
      most,
    });
    const spec = {
      paramKind: { apiVersion: 'example.com/v1', kind: 'Limit' },
      validations: [{ expression: 'object.spec.x <= params.most' }],
    };
    const bound = (paramRef: object) =>
      binding({ paramRef: { parameterNotFoundAction: 'Deny', ...paramRef } });
    const run = (paramRef: object, ...limits: KubeObject[]) =>
      admit([policy(spec), bound(paramRef), namespace, ...limits]);
    assert.equal(run({ name: 'a' }, limit('a', 1)).decision, 'allow');
    assert.equal(run({ name: 'a' }, limit('a', 0)).decision, 'deny');
    assert.equal(run({ selector: {} }, limit('a', 1), limit('b', 0)).decision, 'deny');
    assert.equal(run({ name: 'b' }, limit('a', 1)).decision, 'deny');
    assert.equal(run({ name: 'b', parameterNotFoundAction: 'Allow' }, limit('a', 0)).decision, 'allow');
    assert.equal(run({ name: 'a' }).decision, 'unknown');
  });

  it('asks the authorizer', () => {
    const spec = { validations: [{ expression: "authorizer.requestResource.check('special').allowed()" }] };
    const objects = [policy(spec), binding(), namespace];
    assert.equal(admit(objects).decision, 'unknown');
    const ask: NonNullable<AdmissionInput['ask']> = ({ verb, resource, user }) => ({
      decision: verb === 'special' && resource === 'pods' && user.name === 'alice' ? 'allow' : 'no-opinion',
      reason: '',
    });
    assert.equal(admit(objects, request(), { ask }).decision, 'allow');
    assert.equal(admit(objects, request({ userInfo: { username: 'bob' } }), { ask }).decision, 'deny');
  });

  it('can be asked of the roles of the input', () => {
    const rbac = 'rbac.authorization.k8s.io';
    const authorizer = createAuthorizer({
      objects: [
        {
          apiVersion: `${rbac}/v1`,
          kind: 'ClusterRole',
          metadata: { name: 'special' },
          rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['special'], resourceNames: ['web'] }],
        },
        {
          apiVersion: `${rbac}/v1`,
          kind: 'ClusterRoleBinding',
          metadata: { name: 'special' },
          roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'special' },
          subjects: [{ kind: 'User', name: 'alice' }],
        },
      ],
    });
    const ask = askOf(attributes => authorizer.authorize(attributes));
    const run = (expression: string) =>
      admit([policy({ validations: [{ expression }] }), binding(), namespace], request(), { ask }).decision;
    assert.equal(run("authorizer.requestResource.check('special').allowed()"), 'allow');
    assert.equal(run("authorizer.group('').resource('pods').check('special').allowed()"), 'deny');
    assert.equal(
      run(
        "authorizer.group('').resource('pods').name('web').fieldSelector('a=b').check('special').reason() != ''",
      ),
      'allow',
    );
    assert.equal(
      run("authorizer.serviceAccount('default', 'x').path('/healthz').check('get').allowed()"),
      'deny',
    );
  });

  it('warns and audits where its binding says so', () => {
    const answer = admit([
      policy({ ...never, auditAnnotations: [{ key: 'x', valueExpression: 'string(object.metadata.name)' }] }),
      binding({ validationActions: ['Warn', 'Audit'] }),
      namespace,
    ]);
    assert.equal(answer.decision, 'allow');
    assert.deepEqual(answer.warnings, [
      "Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'binding': failed expression: false",
    ]);
    assert.equal(answer.audits.length, 1);
    assert.deepEqual(answer.auditAnnotations, { 'policy/x': 'web' });
  });
});
