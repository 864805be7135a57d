/**
 * Who may do what, decided as the API server decides it: RBAC, ABAC, nodes and webhooks, alone or in a chain; what may
 * be given away; and as whom one may act.
 */
import type { KubeObject } from '#kube/objects.ts';
import { AbacAuthorizer } from './abac.ts';
import {
  type Attributes,
  type Authorizer,
  type Decision,
  everybody,
  type Holder,
  type Rules,
  type UserInfo,
} from './attributes.ts';
import { Chain, type ChainHolder, type Decided, type Link, type WebhookAnswer } from './chain.ts';
import { loadConfiguration } from './configuration.ts';
import { mayWrite, type WriteAnswer, type WriteRequest } from './escalation.ts';
import { type Features, featuresOf } from './features.ts';
import { type Impersonation, impersonate } from './impersonation.ts';
import { NodeAuthorizer } from './node.ts';
import { RbacAuthorizer } from './rbac.ts';

export { type AbacPolicy, PolicyError, parsePolicies } from './abac.ts';
export { aggregate } from './aggregation.ts';
export { askOf } from './ask.ts';
export type {
  Answer,
  Attributes,
  Decision,
  Holder,
  NonResourceRule,
  ResourceRule,
  Rules,
  Subject,
  UserInfo,
} from './attributes.ts';
export { becauseOfRule } from './attributes.ts';
export type { ChainHolder, Decided, WebhookAnswer } from './chain.ts';
export { ConfigurationError } from './configuration.ts';
export type { WriteAnswer, WriteRequest } from './escalation.ts';
export { VersionError } from './features.ts';
export type { Impersonation, ImpersonationCheck, ImpersonationMode } from './impersonation.ts';
export { attributesOf, RequestError } from './request.ts';
export { covers, invalidRules, type PolicyRule } from './rules.ts';

export type Mode = 'system:masters' | 'AlwaysAllow' | 'AlwaysDeny' | 'Node' | 'RBAC' | 'ABAC';

export interface AuthorizerInput {
  /** Roles, bindings, and for the Node authorizer Pods, PersistentVolumes, VolumeAttachments, …; in input order. */
  readonly objects?: readonly KubeObject[];
  /** The text of an ABAC policy file. */
  readonly abacPolicy?: string;
  /** Exactly these, in this order; default system:masters, Node, RBAC. */
  readonly chain?: readonly Mode[];
  /** An AuthorizationConfiguration, as text or data, instead of a chain; system:masters comes first. */
  readonly configuration?: string | object;
  /** Groups that an identity provider gives its users, added to those of a request. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** The release whose feature gates and CEL functions there are, for example 1.33; the newest known where not stated. */
  readonly kubernetes?: string;
}

export interface Answers {
  /** What each webhook would say if it were asked, by its name. */
  readonly webhooks?: Readonly<Record<string, WebhookAnswer>>;
}

export interface ChainAuthorizer {
  authorize(attributes: Attributes, answers?: Answers): Decided;
  rulesFor(user: UserInfo, namespace: string): Rules;
  /**
   * Everyone whom the chain lets do it: users, groups and service accounts by name, from the first authorizer on. Users
   * whose groups were given are named too. Whom a webhook lets do it nobody knows: see `webhooks`.
   */
  whoCan(request: Omit<Attributes, 'user'>): readonly ChainHolder[];
  /** Whether a role or binding may be written: the API server's check against giving away what one has not. */
  mayWrite(request: WriteRequest, answers?: Answers): WriteAnswer;
  /** Whether a request may be made as somebody else; the user of the request is who asks. */
  impersonate(wanted: UserInfo, request: Attributes, answers?: Answers): Impersonation;
  /** Bindings whose role is not in the input: what they grant is not known. */
  dangling(): readonly { readonly object: KubeObject; readonly error: string }[];
  /** The types in the order in which they are asked, the privileged group left out. */
  readonly authorizers: readonly string[];
  /** The webhooks among them, by name: they may let others do things, or nobody. */
  readonly webhooks: readonly string[];
}

const DEFAULT_CHAIN: readonly Mode[] = ['system:masters', 'Node', 'RBAC'];
const PRIVILEGED = 'system:masters';
const MASTERS = 'the group system:masters may do everything';

/**
 * @throws PolicyError for an ABAC policy file with which the API server would not start
 * @throws ConfigurationError for a configuration with which it would not start
 * @throws VersionError for what is no release of Kubernetes
 */
export function createAuthorizer(input: AuthorizerInput): ChainAuthorizer {
  const features = featuresOf(input.kubernetes);
  const objects = input.objects ?? [];
  const rbac = new RbacAuthorizer(objects);
  const make = (mode: Mode): Authorizer => authorizerOf(mode, rbac, input, features);
  let links: Link[];
  let authorizers: readonly string[];
  if (input.configuration === undefined) {
    const modes = input.chain ?? DEFAULT_CHAIN;
    links = modes.map(mode => ({ name: mode.toLowerCase(), authorizer: make(mode) }));
    authorizers = modes.filter(mode => mode !== PRIVILEGED);
  } else {
    const configured = loadConfiguration(input.configuration, features.minor);
    links = [
      { name: PRIVILEGED, authorizer: make(PRIVILEGED) },
      ...configured.map(
        (one): Link =>
          one.type === 'Webhook'
            ? { name: one.name, webhook: one }
            : { name: one.name, authorizer: make(one.type) },
      ),
    ];
    authorizers = configured.map(({ type }) => type);
  }
  const chain = new Chain(links, links.length > 1);
  // The privileged group is hard-wired, and no resolver of rules.
  const resolvers = new Chain(
    links.filter(({ name }) => name !== PRIVILEGED),
    true,
  );
  const withGroups = (user: UserInfo): UserInfo => {
    const more =
      input.groups !== undefined && Object.hasOwn(input.groups, user.name ?? '')
        ? input.groups[user.name ?? '']!
        : [];
    return more.length === 0 ? user : { ...user, groups: [...new Set([...(user.groups ?? []), ...more])] };
  };
  const authorize = (attributes: Attributes, answers: Answers = {}): Decided => {
    const user = withGroups(attributes.user);
    return chain.authorize(
      user === attributes.user ? attributes : { ...attributes, user },
      answers.webhooks ?? {},
    );
  };
  return {
    authorize,
    authorizers,
    rulesFor: (user, namespace) => resolvers.rulesFor(withGroups(user), namespace),
    webhooks: chain.webhooks,
    whoCan: request => withMembers(chain.whoCan(request), input.groups ?? {}),
    mayWrite: (request, answers) =>
      mayWrite(
        { ...request, user: withGroups(request.user) },
        {
          authorize: attributes => authorize(attributes, answers),
          rbacRules: (user, namespace) => {
            const { resourceRules, nonResourceRules } = rbac.rulesFor(user, namespace);
            return [...resourceRules, ...nonResourceRules];
          },
          referenced: binding => rbac.referenced(binding),
        },
      ),
    impersonate: (wanted, request, answers) =>
      impersonate(wanted, { ...request, user: withGroups(request.user) }, features, attributes =>
        authorize(attributes, answers),
      ),
    dangling: () => rbac.dangling(),
  };
}

/** Users of whom the groups are known, behind the groups through which they may. */
function withMembers(
  holders: readonly ChainHolder[],
  groups: Readonly<Record<string, readonly string[]>>,
): readonly ChainHolder[] {
  const members = Object.entries(groups).flatMap(([name, of]): ChainHolder[] => {
    if (holders.some(holder => holder.kind === 'User' && holder.name === name && holder.within === undefined))
      return [];
    const through = holders.find(
      ({ kind, name: group }) => kind === 'Group' && (of.includes(group) || group === 'system:authenticated'),
    );
    return through === undefined
      ? []
      : [
          {
            ...through,
            kind: 'User',
            name,
            because: [{ text: `is in the group ${through.name}` }, ...through.because],
          },
        ];
  });
  return members.length === 0 ? holders : [...holders, ...members];
}

function authorizerOf(
  mode: Mode,
  rbac: RbacAuthorizer,
  { abacPolicy, objects }: AuthorizerInput,
  features: Features,
): Authorizer {
  switch (mode) {
    case 'RBAC':
      return rbac;
    case 'ABAC':
      return new AbacAuthorizer(abacPolicy ?? '');
    case 'Node':
      return new NodeAuthorizer(objects ?? [], features);
    case 'AlwaysAllow':
      return constant(() => 'allow', '', 'AlwaysAllow', everybody([{ text: 'AlwaysAllow' }]), '*');
    case 'AlwaysDeny':
      return constant(() => 'no-opinion', 'Everything is forbidden.', 'AlwaysDeny', []);
    case 'system:masters':
      return constant(
        ({ groups }) => ((groups ?? []).includes(PRIVILEGED) ? 'allow' : 'no-opinion'),
        '',
        MASTERS,
        [{ kind: 'Group', name: PRIVILEGED, because: [{ text: MASTERS }] }],
      );
  }
}

/** Source: apiserver pkg/authorization/authorizerfactory/builtin.go. */
function constant(
  decide: (user: UserInfo) => Decision,
  reason: string,
  text: string,
  holders: readonly Holder[],
  rules?: '*',
): Authorizer {
  return {
    whoCan: () => holders,
    authorize: ({ user }) => {
      const decision = decide(user);
      return { decision, reason, because: decision === 'no-opinion' ? [] : [{ text }] };
    },
    rulesFor: () => ({
      resourceRules: rules === undefined ? [] : [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: rules === undefined ? [] : [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    }),
  };
}
