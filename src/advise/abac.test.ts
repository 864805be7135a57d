/** What a conversion claims, checked with requests that it did not choose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthorizer } from '#decide/authorization/door.ts';
import { builtInResources } from '#kube/api-resources.ts';
import { convertPolicies } from './abac.ts';

describe('a converted policy', () => {
  it('decides 20,000 random requests as the policy does, or is in the list of differences', () => {
    let state = 11;
    const pick = <Item>(items: readonly Item[]): Item => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return items[Math.floor((state / 2_147_483_648) * items.length)]!;
    };
    let allowed = 0;
    let different = 0;
    for (let round = 0; round < 100; round++) {
      const lines = Array.from({ length: 1 + (round % 5) }, () =>
        JSON.stringify({
          apiVersion: 'abac.authorization.kubernetes.io/v1beta1',
          kind: 'Policy',
          spec: {
            user: pick(['', 'a', 'b', '*']),
            group: pick(['', '', 'g', 'h']),
            readonly: pick([true, false]),
            apiGroup: pick(['', '*', 'apps']),
            resource: pick(['', '*', 'pods', 'deployments', 'nodes', 'namespaces', 'widgets']),
            namespace: pick(['', '*', 'x', 'y']),
            nonResourcePath: pick(['', '', '*', '/a', '/a/**', 'b']),
          },
        }),
      );
      const text = lines.join('\n');
      const { objects, differences, partial } = convertPolicies(text, builtInResources);
      assert.equal(partial, false);
      assert.ok(
        differences.every(({ abac }) => abac),
        'a conversion never grants more',
      );
      const abac = createAuthorizer({ abacPolicy: text, chain: ['ABAC'] });
      const rbac = createAuthorizer({ objects, chain: ['RBAC'] });
      for (let i = 0; i < 200; i++) {
        const user = {
          name: pick(['a', 'b', 'c']),
          groups: pick([[], ['g'], ['h'], ['g', 'h'], ['system:authenticated', 'g']]),
        };
        const [group, resource, subresource] = pick([
          ['', 'pods', ''],
          ['', 'pods', 'exec'],
          ['apps', 'deployments', 'scale'],
          ['', 'nodes', ''],
          ['', 'namespaces', ''],
          ['apps', 'widgets', 'status'],
          ['', 'secrets', ''],
        ] as const);
        const namespace = resource === 'nodes' ? '' : pick(['', 'x', 'y', 'z']);
        const request = pick([true, true, false])
          ? {
              verb: pick(['get', 'watch', 'create', 'bind']),
              apiGroup: group,
              resource,
              subresource,
              namespace,
              name: 'n',
              resourceRequest: true,
            }
          : {
              verb: pick(['get', 'post']),
              path: pick(['/', '/a', '/a/', '/a/b', '/c']),
              resourceRequest: false,
            };
        const before = abac.authorize({ ...request, user }).decision === 'allow';
        const after = rbac.authorize({ ...request, user }).decision === 'allow';
        if (before) allowed++;
        if (before === after) continue;
        different++;
        const line = /line (\d+)/.exec(abac.authorize({ ...request, user }).because[0]!.text)![1];
        assert.ok(
          differences.some(({ lines }) => lines.includes(Number(line))),
          `${text}\n${JSON.stringify({ user, request })}`,
        );
      }
    }
    assert.ok(allowed > 1000 && different > 50, `${allowed} allowed, ${different} different`);
  });
});
