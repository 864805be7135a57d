/** Every authorizer, their chain and the escalation check against answers of the real API server's code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  type Attributes,
  type ChainHolder,
  ConfigurationError,
  covers,
  createAuthorizer,
  PolicyError,
  type PolicyRule,
  parsePolicies,
  type UserInfo,
  type WebhookAnswer,
} from '#decide/authorization/door.ts';
import { refusedReference, refusedRules, refusedSubjects } from '#decide/authorization/validation.ts';
import type { KubeObject } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

interface Case {
  readonly attributes: Attributes;
  readonly decision: string;
  readonly reason: string;
  readonly error?: string;
  readonly webhooks?: Record<string, WebhookAnswer>;
  readonly webhooksCalled?: readonly string[] | null;
}

interface RulesCase {
  readonly user: UserInfo;
  readonly namespace: string;
  readonly resourceRules: readonly Record<string, unknown>[];
  readonly nonResourceRules: readonly Record<string, unknown>[];
  readonly incomplete: boolean;
  readonly error?: string;
}

interface World {
  readonly objects?: readonly KubeObject[];
  readonly extraObjects?: readonly KubeObject[];
  readonly policyFile?: string;
  readonly configuration?: string;
  readonly abacPolicy?: string;
  readonly authorizers?: readonly string[];
  readonly loadError?: string;
  readonly loads?: boolean;
  readonly errorLine?: number;
  readonly policies?: readonly object[];
  readonly cases: readonly Case[];
  readonly rules?: readonly RulesCase[];
}

/** Go's nil lists are null in JSON; for a rule they say the same as empty ones. */
function plain(rules: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return rules.map(rule =>
    Object.fromEntries(Object.entries(rule).map(([key, value]) => [key, value ?? []])),
  );
}

const EVERYBODY = ['system:authenticated', 'system:unauthenticated'];

/** Whether somebody is whom a holder names. Requests of these cases may come from users without any group. */
function isHolder({ kind, name, namespace, within = [] }: ChainHolder, user: UserInfo): boolean {
  const groups = user.groups ?? [];
  if (!within.every(group => groups.includes(group))) return false;
  if (kind === 'Group')
    return (
      groups.includes(name) ||
      (name === 'system:authenticated' && !groups.some(group => EVERYBODY.includes(group)))
    );
  return (user.name ?? '') === (kind === 'User' ? name : `system:serviceaccount:${namespace}:${name}`);
}

/**
 * Who may do something is the same question from the other side: whoever is allowed is named, and whoever is named is
 * allowed. Webhooks know no such list: whom they decide about is left out.
 */
function compareHolders(authorizer: ReturnType<typeof createAuthorizer>, cases: readonly Case[]): number {
  let named = 0;
  for (const { attributes, decision, webhooksCalled } of cases) {
    const { user, ...request } = attributes;
    const holders = authorizer.whoCan(request);
    const where = JSON.stringify(attributes);
    if ((webhooksCalled ?? []).length === 0 && authorizer.webhooks.length === 0) {
      const fits = holders.some(holder => isHolder(holder, user));
      if (decision === 'allow') assert.ok(fits, where);
    }
    for (const { kind, name, namespace, within = [], unless } of holders) {
      if (unless !== undefined) continue;
      const as: UserInfo =
        kind === 'Group'
          ? { name: name === 'system:nodes' ? 'system:node:some' : 'some', groups: [name] }
          : { name: kind === 'User' ? name : `system:serviceaccount:${namespace}:${name}`, groups: within };
      assert.equal(
        authorizer.authorize({ ...request, user: as }).decision,
        'allow',
        `${where} ${kind} ${name}`,
      );
      named++;
    }
  }
  return named;
}

function compare(authorizer: ReturnType<typeof createAuthorizer>, { cases, rules = [] }: World): void {
  for (const { attributes, decision, reason } of cases) {
    const answer = authorizer.authorize(attributes);
    assert.deepEqual([answer.decision, answer.reason], [decision, reason ?? ''], JSON.stringify(attributes));
    assert.equal(answer.because.length > 0, decision === 'allow');
  }
  compareHolders(authorizer, cases);
  for (const { user, namespace, resourceRules, nonResourceRules, incomplete, error } of rules) {
    const answer = authorizer.rulesFor(user, namespace);
    assert.deepEqual(
      [
        plain(answer.resourceRules as never),
        plain(answer.nonResourceRules as never),
        answer.incomplete,
        answer.error,
      ],
      [plain(resourceRules ?? []), plain(nonResourceRules ?? []), incomplete, error],
    );
  }
}

withShared('conformance/authorization/rbac.json.gz', path => {
  const { worlds } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as { worlds: World[] };
  it(`decides ${worlds.reduce((sum, { cases }) => sum + cases.length, 0)} requests in ${worlds.length} random worlds`, () => {
    for (const world of worlds)
      compare(createAuthorizer({ objects: world.objects!, chain: ['RBAC'] }), world);
  });
});

withShared('conformance/authorization/rbac.json.gz', path => {
  const { worlds } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
    worlds: (World & {
      readonly validation: readonly { readonly index: number; readonly errors: string[] }[];
    })[];
  };
  /** `rules[0].verbs: Required value: …` as the field that is meant. */
  const fieldOf = (error: string): string => error.slice(0, error.indexOf(': '));
  const pathText = (steps: readonly (string | number)[]): string =>
    steps
      .map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${step}`))
      .join('');
  it(`refuses what the API server refuses, field by field, of ${worlds.reduce((sum, { objects }) => sum + objects!.length, 0)} roles and bindings`, () => {
    let refused = 0;
    for (const { objects, validation } of worlds) {
      const errors = new Map(validation.map(({ index, errors }) => [index, errors]));
      objects!.forEach((object, index) => {
        const found = /Binding$/.test(object.kind)
          ? [...refusedReference(object), ...refusedSubjects(object)]
          : refusedRules(object);
        const expected = errors.get(index) ?? [];
        refused += expected.length;
        assert.deepEqual(
          found.map(({ path }) => pathText(path)),
          expected.map(fieldOf),
          JSON.stringify([object, expected]),
        );
      });
    }
    assert.ok(refused > 1000);
  });
});

withShared('conformance/authorization/rbac-defaults.json', path => {
  const { worlds } = JSON.parse(readFileSync(path, 'utf8')) as { worlds: World[] };
  const defaults = readDocuments(readFileSync(join(dirname(path), 'default-objects.yaml'), 'utf8')).flatMap(
    document => (document.is === 'value' ? [document.value as KubeObject] : []),
  );
  it(`decides ${worlds.reduce((sum, { cases }) => sum + cases.length, 0)} requests on the roles that ship with Kubernetes`, () => {
    assert.ok(defaults.length > 100);
    for (const world of worlds)
      compare(
        createAuthorizer({ objects: [...defaults, ...(world.extraObjects ?? [])], chain: ['RBAC'] }),
        world,
      );
  });
});

withShared('conformance/authorization/escalation.json', path => {
  interface Escalation {
    readonly ownerRules: readonly PolicyRule[] | null;
    readonly servantRules: readonly PolicyRule[] | null;
    readonly covered: boolean;
    readonly uncovered: readonly PolicyRule[] | null;
  }
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Escalation[] };
  const typed = (rules: readonly PolicyRule[] | null) => plain((rules ?? []) as never) as PolicyRule[];
  it(`covers as the API server does, ${cases.length} times`, () => {
    for (const { ownerRules, servantRules, covered, uncovered } of cases)
      assert.deepEqual(covers(typed(ownerRules), typed(servantRules)), {
        covered,
        uncovered: uncovered ?? [],
      });
  });
});

withShared('conformance/authorization/abac.json', path => {
  const { worlds } = JSON.parse(readFileSync(path, 'utf8')) as { worlds: World[] };
  it(`loads or refuses ${worlds.length} policy files, and decides their requests`, () => {
    for (const world of worlds) {
      const { policyFile, loads, errorLine, policies } = world;
      if (loads !== true) {
        assert.throws(
          () => parsePolicies(policyFile!),
          (error: unknown) => error instanceof PolicyError && error.line === errorLine,
          policyFile!.slice(0, 500),
        );
        continue;
      }
      assert.deepEqual(
        parsePolicies(policyFile!).map(({ line: _, ...policy }) => policy),
        policies ?? [],
      );
      compare(createAuthorizer({ abacPolicy: policyFile!, chain: ['ABAC'] }), world);
    }
  });
});

withShared('conformance/authorization/node.json', path => {
  const { worlds } = JSON.parse(readFileSync(path, 'utf8')) as { worlds: World[] };
  it(`decides ${worlds.reduce((sum, { cases }) => sum + cases.length, 0)} requests of nodes`, () => {
    for (const world of worlds)
      compare(createAuthorizer({ objects: world.objects!, chain: ['Node'] }), world);
  });
});

withShared('conformance/authorization/chain.json', path => {
  const { worlds } = JSON.parse(readFileSync(path, 'utf8')) as { worlds: World[] };
  const create = ({ configuration, objects, abacPolicy }: World) =>
    createAuthorizer({
      configuration: configuration!,
      objects: objects ?? [],
      ...(abacPolicy === undefined ? {} : { abacPolicy }),
    });
  it(`loads or refuses ${worlds.length} configurations, and decides their requests`, () => {
    for (const world of worlds) {
      if (world.loads !== true) {
        assert.throws(
          () => create(world),
          (error: unknown) => error instanceof ConfigurationError && error.message === world.loadError,
          world.configuration,
        );
        continue;
      }
      const authorizer = create(world);
      assert.deepEqual(authorizer.authorizers, world.authorizers);
      for (const { attributes, decision, reason, error, webhooks, webhooksCalled } of world.cases) {
        const answer = authorizer.authorize(attributes, { webhooks: webhooks ?? {} });
        const where = `${world.configuration}\n${JSON.stringify({ attributes, webhooks })}`;
        assert.deepEqual(
          [answer.decision, answer.reason, answer.webhooksCalled],
          [decision, reason ?? '', webhooksCalled ?? []],
          where,
        );
        assert.equal(answer.error !== undefined, error !== undefined, `${where} ${answer.error} ${error}`);
        // The words of expressions are ours to match; those of a failing connection are its own.
        if (error !== undefined && !error.includes('on the server')) assert.equal(answer.error, error, where);
      }
      compareHolders(authorizer, world.cases);
      compare(authorizer, { ...world, cases: [] });
    }
  });
});
