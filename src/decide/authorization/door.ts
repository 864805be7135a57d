/**
 * Who may do what, decided as the API server decides it: RBAC and ABAC, alone or in a chain.
 * Source of the chain: apiserver pkg/authorization/union/union.go.
 */
import type { KubeObject } from '#kube/objects.ts';
import { AbacAuthorizer } from './abac.ts';
import type { Answer, Attributes, Authorizer, Decision, Rules, UserInfo } from './attributes.ts';
import { type Holder, RbacAuthorizer } from './rbac.ts';

export { type AbacPolicy, PolicyError, parsePolicies } from './abac.ts';
export { aggregate } from './aggregation.ts';
export type {
  Answer,
  Attributes,
  Decision,
  NonResourceRule,
  ResourceRule,
  Rules,
  UserInfo,
} from './attributes.ts';
export type { Holder, Subject } from './rbac.ts';
export { covers, type PolicyRule } from './rules.ts';

export type Mode = 'system:masters' | 'AlwaysAllow' | 'AlwaysDeny' | 'RBAC' | 'ABAC';

export interface AuthorizerInput {
  /** Roles, ClusterRoles and their bindings, in input order. */
  readonly objects?: readonly KubeObject[];
  /** The text of an ABAC policy file. */
  readonly abacPolicy?: string;
  /** Exactly these, in this order; default system:masters, then RBAC. */
  readonly chain?: readonly Mode[];
  /** Groups that an identity provider gives its users, added to those of a request. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

export interface ChainAuthorizer {
  authorize(attributes: Attributes): Answer;
  rulesFor(user: UserInfo, namespace: string): Rules;
  /** Whom RBAC lets do it: users, groups and service accounts by name. */
  whoCan(request: Omit<Attributes, 'user'>): readonly Holder[];
  /** Bindings whose role is not in the input: what they grant is not known. */
  dangling(): readonly { readonly object: KubeObject; readonly error: string }[];
}

/** @throws PolicyError for an ABAC policy file with which the API server would not start */
export function createAuthorizer(input: AuthorizerInput): ChainAuthorizer {
  const rbac = new RbacAuthorizer(input.objects ?? []);
  const chain = (input.chain ?? ['system:masters', 'RBAC']).map(mode => ({
    name: mode.toLowerCase(),
    authorizer: make(mode, rbac, input.abacPolicy ?? ''),
  }));
  const withGroups = (user: UserInfo): UserInfo => {
    const more =
      input.groups !== undefined && Object.hasOwn(input.groups, user.name ?? '')
        ? input.groups[user.name ?? '']!
        : [];
    return more.length === 0 ? user : { ...user, groups: [...new Set([...(user.groups ?? []), ...more])] };
  };
  return {
    authorize(attributes) {
      const request = { ...attributes, user: withGroups(attributes.user) };
      const reasons: string[] = [];
      for (const { name, authorizer } of chain) {
        const answer = authorizer.authorize(request);
        if (answer.decision !== 'no-opinion') return answer;
        if (answer.reason !== '')
          reasons.push(chain.length === 1 ? answer.reason : `${name}: ${answer.reason}`);
      }
      return { decision: 'no-opinion', reason: reasons.join('\n'), because: [] };
    },
    rulesFor(user, namespace) {
      // The privileged group is hard-wired, and no resolver of rules.
      const all = chain
        .filter(({ name }) => name !== 'system:masters')
        .map(({ authorizer }) => authorizer.rulesFor(withGroups(user), namespace));
      const errors = all.flatMap(({ error }) => error ?? []);
      return {
        resourceRules: all.flatMap(({ resourceRules }) => resourceRules),
        nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
        incomplete: all.some(({ incomplete }) => incomplete),
        ...(errors.length > 0 ? { error: errors.join(', ') } : {}),
      };
    },
    whoCan: request => rbac.whoCan(request),
    dangling: () => rbac.dangling(),
  };
}

function make(mode: Mode, rbac: RbacAuthorizer, abacPolicy: string): Authorizer {
  switch (mode) {
    case 'RBAC':
      return rbac;
    case 'ABAC':
      return new AbacAuthorizer(abacPolicy);
    case 'AlwaysAllow':
      return constant(() => 'allow', '', '*');
    case 'AlwaysDeny':
      return constant(() => 'no-opinion', 'Everything is forbidden.');
    case 'system:masters':
      return constant(
        ({ groups }) => ((groups ?? []).includes('system:masters') ? 'allow' : 'no-opinion'),
        '',
      );
  }
}

/** Source: apiserver pkg/authorization/authorizerfactory/builtin.go. */
function constant(decide: (user: UserInfo) => Decision, reason: string, rules?: '*'): Authorizer {
  return {
    authorize: ({ user }) => ({ decision: decide(user), reason, because: [] }),
    rulesFor: () => ({
      resourceRules: rules === undefined ? [] : [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: rules === undefined ? [] : [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    }),
  };
}
