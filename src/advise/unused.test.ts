import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createAuthorizer } from '#decide/authorization/door.ts';
import { type PolicyRule, ruleAllows } from '#decide/authorization/rules.ts';
import { worldOf } from '../../test/worlds.ts';
import type { Used } from './roles.ts';
import { unusedGrants } from './unused.ts';

const some = (...words: string[]): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 4 });

const rules: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: some('get', 'list', '*'),
    apiGroups: fc.constant(['']),
    resources: some('pods', 'pods/log', 'nodes/log', '*/log', '*'),
  }),
  fc.record({ verbs: some('get', 'list', '*'), nonResourceURLs: some('/a', '/a/b', '/a/*', '*', '/c*') }),
);
const requests: readonly Used['request'][] = ['get', 'list'].flatMap(verb => [
  ...['', 'log'].map(subresource => ({
    verb,
    apiGroup: '',
    resource: 'pods',
    subresource,
    name: 'x',
    resourceRequest: true,
  })),
  { verb, apiGroup: '', resource: 'nodes', subresource: 'log', name: 'x', resourceRequest: true },
  ...['/a', '/a/b', '/c', '/d'].map(path => ({ verb, path, resourceRequest: false })),
]);

describe('words of a rule that is used', () => {
  it('are unused where no request of the log is allowed by the rule with that word alone', () => {
    let told = 0;
    fc.assert(
      fc.property(rules, fc.subarray([...requests], { minLength: 1 }), (rule, asked) => {
        const world = worldOf(
          `
          apiVersion: rbac.authorization.k8s.io/v1
          kind: ClusterRole
          metadata: { name: r }
          rules: [${JSON.stringify(rule)}]
          ---
          apiVersion: rbac.authorization.k8s.io/v1
          kind: ClusterRoleBinding
          metadata: { name: r }
          roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r }
          subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: jane }]
          `,
        );
        const authorizer = createAuthorizer({
          objects: world.declared.map(({ object }) => object),
          chain: ['RBAC'],
        });
        const used = asked.map((request): Used => ({ user: 'jane', groups: [], request, count: 1 }));
        const { unused } = unusedGrants(world, authorizer, used);
        const allowed = (one: PolicyRule): boolean =>
          asked.some(request => ruleAllows(one, { ...request, user: {} }));
        const fields = ['verbs', 'resources', 'nonResourceURLs'] as const;
        const expected = fields.map(field =>
          (rule[field] ?? []).filter(word => !allowed({ ...rule, [field]: [word] })),
        );
        if (!allowed(rule)) {
          assert.equal(unused[0]?.whole, true);
          return;
        }
        const [one] = unused.flatMap(binding => binding.rules);
        if (one !== undefined) told++;
        assert.deepEqual(
          fields.map(field => one?.[field] ?? []),
          expected,
        );
      }),
      { numRuns: 400 },
    );
    assert.ok(told > 50, `${told}`);
  });
});
