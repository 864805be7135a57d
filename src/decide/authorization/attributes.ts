/** What an authorizer is asked, and what it answers. Source: apiserver pkg/authorization/authorizer/interfaces.go. */
import type { Because } from '#kube/objects.ts';

export interface UserInfo {
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** One request. An absent string is the empty string; non-resource requests carry only user, verb and path. */
export interface Attributes {
  readonly user: UserInfo;
  readonly verb?: string;
  readonly namespace?: string;
  readonly apiGroup?: string;
  readonly apiVersion?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly path?: string;
  readonly resourceRequest?: boolean;
  readonly fieldSelector?: readonly {
    readonly field: string;
    readonly operator: string;
    readonly value: string;
  }[];
  readonly labelSelector?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export type Decision = 'allow' | 'deny' | 'no-opinion';

export interface Answer {
  readonly decision: Decision;
  /** The API server's own words; empty where it says nothing. */
  readonly reason: string;
  /** Everything that allows it, the one that the API server would name first. */
  readonly because: readonly Because[];
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** What gives each rule, beside it and not in it: rules are compared and printed as the API server tells them. */
const origins = new WeakMap<object, () => readonly Because[]>();

/** Remembers of a rule what gives it. */
export function givenBy<Rule extends ResourceRule | NonResourceRule>(
  rule: Rule,
  because: () => readonly Because[],
): Rule {
  origins.set(rule, because);
  return rule;
}

/** What gives a rule of `rulesFor`, this very object: the binding and the rule of its role, or the line of a policy. */
export function becauseOfRule(rule: ResourceRule | NonResourceRule): readonly Because[] {
  return origins.get(rule)?.() ?? [];
}

/** What a user may do in a namespace, as a SelfSubjectRulesReview tells it. */
export interface Rules {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  readonly incomplete: boolean;
  readonly error?: string;
}

export interface Subject {
  readonly kind: string;
  readonly name: string;
  /** Of service accounts. */
  readonly namespace?: string;
}

/** A subject that may do what was asked, with how. */
export interface Holder extends Subject {
  /** Groups in which it must be besides: only ABAC can ask for that. */
  readonly within?: readonly string[];
  readonly because: readonly Because[];
}

export interface Authorizer {
  authorize(attributes: Attributes): Answer;
  rulesFor(user: UserInfo, namespace: string): Rules;
  /** Whom it lets do something: users, groups and service accounts by name. */
  whoCan(request: Omit<Attributes, 'user'>): readonly Holder[];
}

/** Everybody, as groups: who is known, and who is not. */
export function everybody(because: readonly Because[]): Holder[] {
  return ['system:authenticated', 'system:unauthenticated'].map(name => ({ kind: 'Group', name, because }));
}
