/** What must hold of rules whatever they are: over a small universe, in which everything can be tried. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '#kube/objects.ts';
import type { Attributes } from './attributes.ts';
import { createAuthorizer } from './door.ts';
import { covers, type PolicyRule, ruleAllows } from './rules.ts';

const GROUP = 'rbac.authorization.k8s.io';
const VERBS = ['get', 'create', 'bind'];
const GROUPS = ['', 'apps'];
const RESOURCES = ['pods', 'pods/log', 'scales', 'scales/log'];
const NAMES = ['a', 'b'];
const URLS = ['/metrics', '/api', '/api/v1', '/'];
const NAMESPACES = ['shop', 'ops'];

/** Every request of the universe; `other` is a name that no rule says. */
const requests: readonly Omit<Attributes, 'user'>[] = [
  ...VERBS.flatMap(verb =>
    GROUPS.flatMap(apiGroup =>
      RESOURCES.flatMap(full => {
        const [resource, subresource = ''] = full.split('/');
        return ['', 'other', ...NAMES].map(name => ({
          verb,
          apiGroup,
          resource: resource!,
          subresource,
          name,
          resourceRequest: true,
        }));
      }),
    ),
  ),
  ...VERBS.flatMap(verb => URLS.map(path => ({ verb, path, resourceRequest: false }))),
];

const some = (words: readonly string[], minLength = 0): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...words), { minLength, maxLength: 2 });

function rule(stars: boolean): fc.Arbitrary<PolicyRule> {
  const more = (words: readonly string[]): readonly string[] => (stars ? words : []);
  return fc.record({
    verbs: some([...VERBS, ...more(['*'])]),
    apiGroups: some([...GROUPS, ...more(['*'])]),
    resources: some([...RESOURCES, ...more(['*', '*/log', 'pods/*'])]),
    // A list of names is rarer than none.
    resourceNames: fc.oneof(fc.constant([]), fc.constant([]), some([...NAMES, ...more(['*'])])),
    nonResourceURLs: fc.oneof(fc.constant([]), some([...URLS, ...more(['*', '/api*', '/api/*'])])),
  });
}

const rules = (stars: boolean): fc.Arbitrary<PolicyRule[]> => fc.array(rule(stars), { maxLength: 4 });

const allowed = (of: readonly PolicyRule[]): boolean[] =>
  requests.map(request => of.some(one => ruleAllows(one, { ...request, user: {} })));

/** A rule that names objects never covers addresses, its own neither: the API server refuses such rules. */
const areValid = (list: readonly PolicyRule[]): boolean =>
  list.every(
    ({ resourceNames = [], nonResourceURLs = [] }) =>
      resourceNames.length === 0 || nonResourceURLs.length === 0,
  );

/** One verb of a rule, on one name. */
const narrowed = ({ verbs = [], resourceNames = [], ...rest }: PolicyRule): PolicyRule => ({
  ...rest,
  verbs: verbs.slice(0, 1),
  resourceNames: resourceNames.length === 0 ? ['a'] : resourceNames.slice(0, 1),
  nonResourceURLs: [],
});

describe('covers', () => {
  it('is reflexive', () => {
    fc.assert(
      fc.property(rules(true).filter(areValid), list => covers(list, list).covered),
      { numRuns: 2000 },
    );
  });
  it('is transitive', () => {
    let met = 0;
    fc.assert(
      fc.property(rules(true), rules(true), rules(true), (a, b, c) => {
        // Of random ones few cover each other: what is missing is added.
        const wide = [...a, ...covers(a, b).uncovered];
        const middle = [...b, ...covers(b, c).uncovered];
        const widest = [...wide, ...covers(wide, middle).uncovered];
        if (!covers(widest, middle).covered || !covers(middle, c).covered) return true;
        met++;
        return covers(widest, c).covered;
      }),
      { numRuns: 3000 },
    );
    assert.ok(met > 1000, `${met}`);
  });
  it('grants nothing away that the owner may not do', () => {
    let met = 0;
    fc.assert(
      fc.property(rules(true), rules(true), (owner, servant) => {
        if (!covers(owner, servant).covered) return;
        met++;
        const [all, part] = [allowed(owner), allowed(servant)];
        assert.ok(part.every((may, at) => !may || all[at]));
      }),
      { numRuns: 5000 },
    );
    assert.ok(met > 100, `${met}`);
  });
  it('refuses nothing that the owner may do, where no stars reach beyond the universe', () => {
    let covered = 0;
    fc.assert(
      fc.property(rules(false).filter(areValid), rules(false), fc.boolean(), (owner, other, inPart) => {
        const servant = inPart ? [...owner.map(narrowed), ...other.slice(1)] : other;
        const [all, part] = [allowed(owner), allowed(servant)];
        const expected = part.every((may, at) => !may || all[at]);
        if (expected && part.includes(true)) covered++;
        assert.equal(covers(owner, servant).covered, expected);
      }),
      { numRuns: 5000 },
    );
    assert.ok(covered > 100, `${covered}`);
  });
  it('says what is missing: with it, nothing is', () => {
    fc.assert(
      fc.property(rules(true), rules(true), (owner, servant) => {
        const { covered, uncovered } = covers(owner, servant);
        assert.equal(covered, uncovered.length === 0);
        assert.ok(covers([...owner, ...uncovered], servant).covered);
        for (const one of uncovered) assert.ok(!covers(owner, [one]).covered);
      }),
      { numRuns: 2000 },
    );
  });
});

interface Grant {
  readonly rules: readonly PolicyRule[];
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined;
  readonly subject: object;
  /** Bound, and not there. */
  readonly absent: boolean;
}

const grant: fc.Arbitrary<Grant> = fc.record({
  rules: fc.array(rule(true), { maxLength: 3 }),
  namespace: fc.constantFrom(undefined, ...NAMESPACES),
  subject: fc.constantFrom<object>(
    { kind: 'User', name: 'jane' },
    { kind: 'User', name: 'joe' },
    { kind: 'Group', name: 'ops' },
    { kind: 'ServiceAccount', name: 'robot', namespace: 'shop' },
    { kind: 'ServiceAccount', name: 'robot' },
  ),
  absent: fc.constantFrom(false, false, false, true),
});

/** A role with its binding for each: a Role or a ClusterRole where it holds in a namespace. */
function objectsOf(grants: readonly Grant[]): KubeObject[] {
  return grants.flatMap(({ rules, namespace, subject, absent }, at): KubeObject[] => {
    const local = namespace !== undefined && at % 2 === 0;
    const kind = local ? 'Role' : 'ClusterRole';
    const name = `r${at}`;
    const place = namespace === undefined ? {} : { namespace };
    const role = { apiVersion: `${GROUP}/v1`, kind, metadata: { name, ...(local ? place : {}) }, rules };
    const binding = {
      apiVersion: `${GROUP}/v1`,
      kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
      metadata: { name, ...place },
      roleRef: { apiGroup: GROUP, kind, name },
      subjects: [subject],
    };
    return absent ? [binding] : [role, binding];
  });
}

const users = [
  { name: 'jane', groups: ['ops', 'system:authenticated'] },
  { name: 'joe', groups: ['system:authenticated'] },
  { name: 'system:serviceaccount:shop:robot', groups: ['system:serviceaccounts'] },
  { name: 'system:serviceaccount:ops:robot', groups: [] },
];

describe('rulesFor', () => {
  it('tells exactly what is allowed, in every namespace and beyond', () => {
    let yes = 0;
    fc.assert(
      fc.property(fc.array(grant, { minLength: 1, maxLength: 5 }), grants => {
        const authorizer = createAuthorizer({ objects: objectsOf(grants), chain: ['RBAC'] });
        for (const user of users)
          for (const namespace of ['', ...NAMESPACES]) {
            const { resourceRules, nonResourceRules, error } = authorizer.rulesFor(user, namespace);
            for (const request of requests) {
              // Addresses are in no namespace: what a RoleBinding says of them counts nowhere.
              if (request.resourceRequest !== true && namespace !== '') continue;
              const asked = { ...request, namespace, user };
              const told = [...resourceRules, ...nonResourceRules].some(one => ruleAllows(one, asked));
              const { decision, reason, because } = authorizer.authorize(asked);
              assert.equal(decision === 'allow', told, JSON.stringify(asked));
              assert.equal(because.length > 0, told);
              // A role that is not there is said where nothing else allows it.
              if (!told) assert.equal(reason.includes('not found'), error !== undefined);
              if (told) yes++;
            }
          }
      }),
      { numRuns: 150 },
    );
    assert.ok(yes > 1000, `${yes}`);
  });
  it('agrees with who can, user by user', () => {
    fc.assert(
      fc.property(
        fc.array(grant, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...requests),
        fc.constantFrom('', ...NAMESPACES),
        (grants, request, namespace) => {
          const authorizer = createAuthorizer({ objects: objectsOf(grants), chain: ['RBAC'] });
          const asked = request.resourceRequest === true ? { ...request, namespace } : request;
          const holders = authorizer.whoCan(asked);
          for (const user of users) {
            const named = holders.some(holder =>
              holder.kind === 'User'
                ? holder.name === user.name
                : holder.kind === 'Group'
                  ? (user.groups as readonly string[]).includes(holder.name)
                  : `system:serviceaccount:${holder.namespace}:${holder.name}` === user.name,
            );
            assert.equal(authorizer.authorize({ ...asked, user }).decision === 'allow', named);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('long lists', () => {
  const many = (word: string, count = 100): string[] =>
    Array.from({ length: count }, (_, i) => `${word}${i}`);
  const role = (rules: readonly object[]): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'long' },
    rules,
  });
  const binding = (subjects: readonly object[]): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'long' },
    roleRef: { kind: 'ClusterRole', name: 'long' },
    subjects,
  });
  const jane = [{ kind: 'User', name: 'jane' }];
  const ask = (objects: readonly KubeObject[], request: object) =>
    createAuthorizer({ objects: [...objects], chain: ['RBAC'] }).authorize({
      resourceRequest: true,
      user: { name: 'jane', groups: ['devs'] },
      ...request,
    });

  it('of words allow what short ones do', () => {
    const rule = {
      verbs: many('do'),
      apiGroups: many('group'),
      resources: [...many('thing'), ...many('thing').map(one => `${one}/status`), '*/scale'],
      resourceNames: many('name'),
    };
    const request = { verb: 'do7', apiGroup: 'group99', resource: 'thing50', name: 'name3' };
    for (const [change, decision] of [
      [{}, 'allow'],
      [{ subresource: 'status' }, 'allow'],
      [{ resource: 'other', subresource: 'scale' }, 'allow'],
      [{ subresource: 'exec' }, 'no-opinion'],
      [{ verb: 'do100' }, 'no-opinion'],
      [{ apiGroup: '' }, 'no-opinion'],
      [{ name: '' }, 'no-opinion'],
      [{ resource: 'other' }, 'no-opinion'],
    ] as const)
      assert.equal(
        ask([role([rule]), binding(jane)], { ...request, ...change }).decision,
        decision,
        JSON.stringify(change),
      );
  });
  it('of addresses keep their stars', () => {
    const rule = { verbs: ['get'], nonResourceURLs: [...many('/a/'), '/logs/*'] };
    for (const [path, decision] of [
      ['/a/42', 'allow'],
      ['/logs/x', 'allow'],
      ['/a/100', 'no-opinion'],
    ] as const)
      assert.equal(
        ask([role([rule]), binding(jane)], { verb: 'get', path, resourceRequest: false }).decision,
        decision,
      );
  });
  it('of rules are asked in their order, those of all groups among them', () => {
    const groups = many('group').map(group => ({
      verbs: ['get'],
      apiGroups: [group],
      resources: ['things'],
    }));
    const rules = [
      ...groups.slice(0, 50),
      { verbs: ['*'], apiGroups: ['*'], resources: ['things'] },
      ...groups.slice(50),
      { verbs: ['get'], nonResourceURLs: ['*'] },
    ];
    const indexes = (request: object): unknown[] =>
      ask([role(rules), binding(jane)], request).because.flatMap(({ path }) =>
        path?.[0] === 'rules' ? [path[1]] : [],
      );
    assert.deepEqual(indexes({ verb: 'get', apiGroup: 'group99', resource: 'things' }), [50, 100]);
    assert.deepEqual(indexes({ verb: 'get', apiGroup: 'group1', resource: 'things' }), [1, 50]);
    assert.deepEqual(indexes({ verb: 'list', apiGroup: '*', resource: 'things' }), [50]);
    assert.deepEqual(indexes({ verb: 'get', apiGroup: 'other', resource: 'others' }), []);
    assert.deepEqual(indexes({ verb: 'get', path: '/healthz', resourceRequest: false }), [101]);
  });
  it('of subjects name the first that is meant', () => {
    const others = many('user').map(name => ({ kind: 'User', name }));
    const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
    for (const [subjects, who] of [
      [[...others, { kind: 'Group', name: 'devs' }, ...jane], 'Group "devs"'],
      [[...others, ...jane, { kind: 'Group', name: 'devs' }], 'User "jane"'],
    ] as const)
      assert.match(
        ask([role(rules), binding(subjects)], { verb: 'get', apiGroup: '', resource: 'pods' }).reason,
        new RegExp(`to ${who}`),
      );
  });
});
