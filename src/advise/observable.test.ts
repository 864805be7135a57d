/** What an audit policy lets be seen: single requests as the API server decides them, and whole permissions beside them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuditPolicyError, auditOf, auditPolicyOf, isLogged } from '#decide/authorization/audit-policy.ts';
import type { Attributes } from '#decide/authorization/door.ts';
import { type PolicyRule, ruleAllows } from '#decide/authorization/rules.ts';
import { observable } from './observable.ts';

const policyOf = (rules: unknown, more: object = {}) =>
  auditPolicyOf({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more });

const request = (more: Partial<Attributes> = {}): Attributes => ({
  user: { name: 'jane', groups: ['devs', 'system:authenticated'] },
  verb: 'get',
  apiGroup: '',
  resource: 'pods',
  namespace: 'shop',
  resourceRequest: true,
  ...more,
});

describe('an audit policy', () => {
  const level = (rules: readonly object[], asked: Partial<Attributes> = {}) =>
    auditOf(policyOf(rules), request(asked)).level;
  const none = (rule: object) => [{ level: 'None', ...rule }, { level: 'Metadata' }];
  const pods = (...resources: string[]) => ({ resources: [{ group: '', resources }] });

  const CASES: readonly (readonly [string, object, Partial<Attributes>, string])[] = [
    ['a user', { users: ['jane'] }, {}, 'None'],
    ['another user', { users: ['joe'] }, {}, 'Metadata'],
    ['a group', { userGroups: ['devs'] }, {}, 'None'],
    ['a user and a group that must both match', { users: ['jane'], userGroups: ['ops'] }, {}, 'Metadata'],
    ['a verb', { verbs: ['get'] }, {}, 'None'],
    ['an asterisk, which is no wildcard among verbs', { verbs: ['*'] }, {}, 'Metadata'],
    ['a resource', pods('pods'), {}, 'None'],
    ['a resource beside its subresource', pods('pods'), { subresource: 'log' }, 'Metadata'],
    ['a subresource', pods('pods/log'), { subresource: 'log' }, 'None'],
    ['pods/*, which means the pods too', pods('pods/*'), {}, 'None'],
    ['pods/*', pods('pods/*'), { subresource: 'log' }, 'None'],
    ['*/log', pods('*/log'), { subresource: 'log' }, 'None'],
    ['*/log beside the resource', pods('*/log'), {}, 'Metadata'],
    ['all resources of a group', { resources: [{ group: 'apps' }] }, { apiGroup: 'apps' }, 'None'],
    ['another group', { resources: [{ group: 'apps' }] }, {}, 'Metadata'],
    ['every group', { resources: [{ group: '*', resources: ['*'] }] }, {}, 'None'],
    [
      'a name',
      { resources: [{ group: '', resources: ['pods'], resourceNames: ['a'] }] },
      { name: 'a' },
      'None',
    ],
    [
      'a request without the name',
      { resources: [{ group: '', resources: ['pods'], resourceNames: ['a'] }] },
      {},
      'Metadata',
    ],
    ['a namespace', { namespaces: ['shop'] }, {}, 'None'],
    ['the empty namespace, which is the cluster', { namespaces: [''] }, { namespace: '' }, 'None'],
    [
      'a namespace beside a URL',
      { namespaces: ['shop'] },
      { resourceRequest: false, path: '/healthz' },
      'Metadata',
    ],
    ['a URL', { nonResourceURLs: ['/healthz*'] }, { resourceRequest: false, path: '/healthz/ping' }, 'None'],
    ['a URL beside a resource', { nonResourceURLs: ['*'] }, {}, 'Metadata'],
  ];
  for (const [name, rule, asked, expected] of CASES)
    it(`decides ${name}`, () => assert.equal(level(none(rule), asked), expected));

  it('writes nothing that no rule matches, and not the end of what it omits the end of', () => {
    assert.equal(level([{ level: 'Metadata', users: ['joe'] }]), 'None');
    const omitting = policyOf([{ level: 'Metadata', omitStages: ['RequestReceived'] }], {
      omitStages: ['ResponseComplete'],
    });
    const audited = auditOf(omitting, request());
    assert.deepEqual(audited.omitStages, ['ResponseComplete', 'RequestReceived']);
    assert.equal(isLogged(audited), false);
  });

  for (const [name, rules, pattern] of [
    ['no rules', [], /at least one rule/],
    ['no level', [{}], /rules\[0\]\.level/],
    ['a level that is none', [{ level: 'Metadata' }, { level: 'All' }], /rules\[1\]\.level/],
    ['a stage that is none', [{ level: 'None', omitStages: ['End'] }], /"End" is none of/],
    ['a URL without slash', [{ level: 'None', nonResourceURLs: ['healthz'] }], /must begin with \//],
    ['a star inside a URL', [{ level: 'None', nonResourceURLs: ['/a*b'] }], /may only end/],
    ['both kinds', [{ level: 'None', nonResourceURLs: ['/a'], namespaces: ['b'] }], /not for both/],
    [
      'names without resources',
      [{ level: 'None', resources: [{ resourceNames: ['a'] }] }],
      /at least one resource/,
    ],
    ['verbs that are no list', [{ level: 'None', verbs: 'get' }], /verbs is no list of strings/],
  ] as const)
    it(`is refused with ${name}`, () => {
      assert.throws(
        () => policyOf(rules),
        (error: Error) => error instanceof AuditPolicyError && pattern.test(error.message),
      );
    });
});

describe('whether the use of a permission can be seen', () => {
  const account = { kind: 'ServiceAccount', namespace: 'shop', name: 'robot' };
  const seen = (
    rules: readonly object[],
    rule: PolicyRule,
    subject: { kind: string; name: string; namespace?: string } = account,
    namespace: string | undefined = 'shop',
  ) => observable(policyOf(rules), [subject], namespace, rule);
  const POD_READS = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] };

  it('is no where all of it is left out, with the rule that does it', () => {
    const rules = [
      { level: 'Metadata', verbs: ['delete'] },
      { level: 'None', verbs: ['get', 'list', 'watch'] },
    ];
    assert.deepEqual(seen([...rules, { level: 'Metadata' }], POD_READS), { logged: 'none', hiddenBy: [1] });
  });
  it('is no where the list of rules ends before it', () => {
    assert.deepEqual(seen([{ level: 'Metadata', verbs: ['delete'] }], POD_READS), {
      logged: 'none',
      hiddenBy: [undefined],
    });
  });
  it('is in part where one verb is left out', () => {
    assert.deepEqual(seen([{ level: 'None', verbs: ['list'] }, { level: 'Metadata' }], POD_READS), {
      logged: 'some',
      hiddenBy: [0],
    });
  });
  it('is yes where only others are left out', () => {
    const rules = [
      { level: 'None', users: ['system:kube-proxy'] },
      { level: 'None', userGroups: ['system:nodes'] },
      { level: 'None', namespaces: ['kube-system'] },
      { level: 'Metadata' },
    ];
    for (const subject of [account, { kind: 'User', name: 'jane' }, { kind: 'Group', name: 'devs' }])
      assert.equal(seen(rules, POD_READS, subject).logged, 'all', subject.name);
  });
  it('is in part for a group of which some members are left out, and for a user who may be in a group', () => {
    const rules = (rule: object) => [{ level: 'None', ...rule }, { level: 'Metadata' }];
    assert.equal(seen(rules({ users: ['jane'] }), POD_READS, { kind: 'Group', name: 'devs' }).logged, 'some');
    assert.equal(
      seen(rules({ userGroups: ['devs'] }), POD_READS, { kind: 'User', name: 'jane' }).logged,
      'some',
    );
    assert.equal(seen(rules({ userGroups: ['devs'] }), POD_READS).logged, 'all');
  });

  it('agrees with every single request, in 600 random cases', () => {
    let state = 5;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >>> 8) % below;
    };
    const pick = <Item>(list: readonly Item[]): Item => list[random(list.length)]!;
    const some = <Item>(list: readonly Item[]): Item[] => list.filter(() => random(3) === 0);
    const VERBS = ['get', 'list', 'patch'];
    const RESOURCES = ['pods', 'pods/log', 'secrets', 'deployments/log'];
    const user = {
      name: 'system:serviceaccount:shop:robot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    };
    const counts = { all: 0, some: 0, none: 0 };
    for (let round = 0; round < 600; round++) {
      const rules = Array.from({ length: 1 + random(4) }, () => ({
        level: pick(['None', 'Metadata']),
        ...(random(3) === 0 ? { verbs: some(VERBS) } : {}),
        ...(random(4) === 0 ? { users: [pick([user.name, 'jane'])] } : {}),
        ...(random(4) === 0 ? { userGroups: [pick(['system:serviceaccounts', 'devs'])] } : {}),
        ...(random(3) === 0 ? { namespaces: some(['shop', 'ops', '']) } : {}),
        ...(random(2) === 0
          ? {
              resources: [
                {
                  group: pick(['', 'apps', '*']),
                  resources: some([...RESOURCES, 'pods/*', '*/log', '*']),
                },
              ],
            }
          : {}),
      }));
      const policy = policyOf(rules);
      const rule: PolicyRule = {
        verbs: random(5) === 0 ? ['*'] : [pick(VERBS), pick(VERBS)],
        apiGroups: [pick(['', 'apps', '*'])],
        resources: [pick([...RESOURCES, '*', '*/log']), pick(RESOURCES)],
        ...(random(4) === 0 ? { resourceNames: ['a'] } : {}),
      };
      const namespace = pick([undefined, 'shop', 'ops']);
      const { logged } = observable(policy, [account], namespace, rule);
      counts[logged]++;
      for (const verb of VERBS)
        for (const full of RESOURCES)
          for (const apiGroup of ['', 'apps'])
            for (const name of ['a', 'b'])
              for (const home of namespace === undefined ? ['shop', 'ops', 'dev'] : [namespace]) {
                const [resource = '', subresource = ''] = full.split('/');
                const asked = {
                  user,
                  verb,
                  apiGroup,
                  resource,
                  subresource,
                  name,
                  namespace: home,
                  resourceRequest: true,
                };
                if (!ruleAllows(rule, asked)) continue;
                const shown = isLogged(auditOf(policy, asked));
                if (logged === 'all') assert.ok(shown, JSON.stringify([rules, rule, asked]));
                if (logged === 'none') assert.ok(!shown, JSON.stringify([rules, rule, asked]));
              }
    }
    assert.ok(Math.min(...Object.values(counts)) > 20, JSON.stringify(counts));
  });
});
