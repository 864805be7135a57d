/** The variable `authorizer`: an expression asks who may do what. Source: apiserver pkg/cel/library/authz.go. */
import { type Functions, member, since } from './declare.ts';
import { dnsLabel, dnsSubdomain } from './formats.ts';
import { BOOL, opaque, STRING } from './types.ts';
import { CelError, CelUnknown, type CelValue, Opaque } from './values.ts';

export const AUTHORIZER = opaque('kubernetes.authorization.Authorizer');
const PATH_CHECK = opaque('kubernetes.authorization.PathCheck');
const GROUP_CHECK = opaque('kubernetes.authorization.GroupCheck');
export const RESOURCE_CHECK = opaque('kubernetes.authorization.ResourceCheck');
const DECISION = opaque('kubernetes.authorization.Decision');

interface CheckedUser {
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What an expression asks. Absent strings are empty; selectors are as the expression wrote them. */
export interface Check {
  readonly user: CheckedUser;
  readonly verb: string;
  readonly resourceRequest: boolean;
  readonly path?: string;
  readonly apiGroup?: string;
  readonly apiVersion?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly rawFieldSelector?: string;
  readonly rawLabelSelector?: string;
}

export type Ask = (check: Check) => {
  readonly decision: 'allow' | 'deny' | 'no-opinion' | 'unknown';
  readonly reason: string;
  readonly error?: string;
};

type CheckInput = Omit<Check, 'user' | 'verb'>;

/** An authorizer as the value of a variable, and everything that is built from it on the way to a decision. */
abstract class Step extends Opaque {
  readonly ask: Ask;
  readonly user: CheckedUser;
  readonly check: CheckInput;

  constructor(ask: Ask, user: CheckedUser, check: CheckInput) {
    super();
    this.ask = ask;
    this.user = user;
    this.check = check;
  }

  equals(other: Opaque): boolean {
    return other === this;
  }
}

export class AuthorizerValue extends Step {
  readonly typeName = 'kubernetes.authorization.Authorizer';
  static of(ask: Ask, user: CheckedUser): AuthorizerValue {
    return new AuthorizerValue(ask, user, { resourceRequest: false });
  }
}

class PathCheck extends Step {
  readonly typeName = 'kubernetes.authorization.PathCheck';
}

class GroupCheck extends Step {
  readonly typeName = 'kubernetes.authorization.GroupCheck';
}

export class ResourceCheck extends Step {
  readonly typeName = 'kubernetes.authorization.ResourceCheck';
  with(more: Partial<CheckInput>): ResourceCheck {
    return new ResourceCheck(this.ask, this.user, { ...this.check, ...more });
  }
}

class DecisionValue extends Opaque {
  readonly typeName = 'kubernetes.authorization.Decision';
  readonly answer: ReturnType<Ask>;
  constructor(answer: ReturnType<Ask>) {
    super();
    this.answer = answer;
  }
  equals(other: Opaque): boolean {
    return other === this;
  }
}

function decide({ ask, user, check }: Step, verb: string): CelValue {
  const answer = ask({ ...check, user, verb });
  return answer.decision === 'unknown' ? new CelUnknown(answer.reason) : new DecisionValue(answer);
}

/** An authorization check is dear on purpose: an expression has room for two. */
const CHECK_COST = 350_000;
const selectorCost = ([, text]: readonly CelValue[]): number => {
  const length = (text as string).length;
  return 10 + Math.ceil(length * 0.1) + Math.ceil(Math.ceil(length * 0.5) * 50);
};

export const authorization: Functions = {
  path: [
    member([AUTHORIZER, STRING], PATH_CHECK, ({ ask, user }: AuthorizerValue, path: string) =>
      path.trim() === ''
        ? new CelError('path must not be empty')
        : new PathCheck(ask, user, { resourceRequest: false, path }),
    ),
  ],
  group: [
    member(
      [AUTHORIZER, STRING],
      GROUP_CHECK,
      ({ ask, user }: AuthorizerValue, apiGroup: string) =>
        new GroupCheck(ask, user, { resourceRequest: true, apiGroup }),
    ),
  ],
  serviceAccount: [
    member(
      [AUTHORIZER, STRING, STRING],
      AUTHORIZER,
      ({ ask }: AuthorizerValue, namespace: string, name: string) => {
        if (dnsSubdomain(name).length > 0) return new CelError('Invalid service account name');
        if (dnsLabel(namespace).length > 0) return new CelError('Invalid service account namespace');
        return AuthorizerValue.of(ask, {
          name: `system:serviceaccount:${namespace}:${name}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        });
      },
    ),
  ],
  resource: [
    member([GROUP_CHECK, STRING], RESOURCE_CHECK, ({ ask, user, check }: GroupCheck, resource: string) =>
      resource.trim() === ''
        ? new CelError('resource must not be empty')
        : new ResourceCheck(ask, user, { ...check, resource, apiVersion: '*' }),
    ),
  ],
  subresource: [
    member([RESOURCE_CHECK, STRING], RESOURCE_CHECK, (check: ResourceCheck, subresource: string) =>
      check.with({ subresource }),
    ),
  ],
  namespace: [
    member([RESOURCE_CHECK, STRING], RESOURCE_CHECK, (check: ResourceCheck, namespace: string) =>
      check.with({ namespace }),
    ),
  ],
  name: [
    member([RESOURCE_CHECK, STRING], RESOURCE_CHECK, (check: ResourceCheck, name: string) =>
      check.with({ name }),
    ),
  ],
  ...since(31, {
    fieldSelector: [
      member(
        [RESOURCE_CHECK, STRING],
        RESOURCE_CHECK,
        (check: ResourceCheck, rawFieldSelector: string) => check.with({ rawFieldSelector }),
        selectorCost,
      ),
    ],
    labelSelector: [
      member(
        [RESOURCE_CHECK, STRING],
        RESOURCE_CHECK,
        (check: ResourceCheck, rawLabelSelector: string) => check.with({ rawLabelSelector }),
        selectorCost,
      ),
    ],
  }),
  check: [
    member([PATH_CHECK, STRING], DECISION, decide, () => CHECK_COST),
    member([RESOURCE_CHECK, STRING], DECISION, decide, () => CHECK_COST),
  ],
  allowed: [member([DECISION], BOOL, ({ answer }: DecisionValue) => answer.decision === 'allow')],
  reason: [member([DECISION], STRING, ({ answer }: DecisionValue) => answer.reason)],
  errored: [member([DECISION], BOOL, ({ answer }: DecisionValue) => answer.error !== undefined)],
  error: [member([DECISION], STRING, ({ answer }: DecisionValue) => answer.error ?? '')],
};
