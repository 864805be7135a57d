/**
 * Authorizers in a row: the first that allows or denies decides. Sources: apiserver pkg/authorization/union/union.go,
 * pkg/authorization/authorizerfactory/builtin.go, plugin/pkg/authorizer/webhook/webhook.go.
 */
import { joinErrors } from '#kube/go-text.ts';
import type { Because } from '#kube/objects.ts';
import type { Answer, Attributes, Authorizer, Holder, Rules, UserInfo } from './attributes.ts';
import { type MatchCondition, matchesConditions } from './match-conditions.ts';

/** What a webhook would say, if it were asked. */
export interface WebhookAnswer {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
  /** It cannot be reached, or answers with an error. */
  readonly fail?: boolean;
}

export interface Webhook {
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  readonly matchConditions: readonly MatchCondition[];
}

export type Link =
  | { readonly name: string; readonly authorizer: Authorizer }
  | { readonly name: string; readonly webhook: Webhook };

export interface Decided {
  /** `unknown` where a webhook decides whose mind is not known. */
  readonly decision: 'allow' | 'deny' | 'no-opinion' | 'unknown';
  readonly reason: string;
  /** The webhooks that are asked, in order; those behind one whose answer is not known are not listed. */
  readonly webhooksCalled: readonly string[];
  readonly because: readonly Because[];
  /** What went wrong on the way. Beside `no-opinion` the API server answers with status 500, not 403. */
  readonly error?: string;
}

/** Whom some authorizer of a chain allows something. */
export interface ChainHolder extends Holder {
  /** Webhooks that are asked before, and may deny it. */
  readonly unless?: readonly string[];
}

interface Step extends Answer {
  readonly error?: string;
}

export class Chain {
  readonly #links: readonly Link[];
  /** Whether reasons name their authorizer: one alone speaks for itself. */
  readonly #named: boolean;

  constructor(links: readonly Link[], named: boolean) {
    this.#links = links;
    this.#named = named;
  }

  authorize(attributes: Attributes, answers: Readonly<Record<string, WebhookAnswer>>): Decided {
    return this.#from(0, attributes, answers, [], [], []);
  }

  #from(
    start: number,
    attributes: Attributes,
    answers: Readonly<Record<string, WebhookAnswer>>,
    reasons: readonly string[],
    errors: readonly string[],
    called: readonly string[],
  ): Decided {
    const told = [...reasons];
    const failed = [...errors];
    const webhooksCalled = [...called];
    for (let index = start; index < this.#links.length; index++) {
      const link = this.#links[index]!;
      const step: Step | 'not known' =
        'authorizer' in link
          ? link.authorizer.authorize(attributes)
          : ask(link, attributes, answers, webhooksCalled);
      if (step === 'not known') {
        const rest = this.#from(index + 1, attributes, answers, told, failed, []);
        return {
          decision: 'unknown',
          reason: `${decisionText(rest.decision)} unless webhook "${link.name}" decides first${rest.reason === '' ? '' : ` (${rest.reason})`}`,
          webhooksCalled,
          because: rest.because,
        };
      }
      const { decision, reason, because, error } = step;
      if (error !== undefined) failed.push(error);
      if (decision !== 'no-opinion')
        return { decision, reason, webhooksCalled, because, ...(error === undefined ? {} : { error }) };
      if (reason !== '') told.push(this.#named ? `${link.name}: ${reason}` : reason);
    }
    return {
      decision: 'no-opinion',
      reason: told.join('\n'),
      webhooksCalled,
      because: [],
      ...(failed.length === 0 ? {} : { error: joinErrors(failed) }),
    };
  }

  /** The webhooks, in order. */
  get webhooks(): readonly string[] {
    return this.#links.flatMap(link => ('webhook' in link ? [link.name] : []));
  }

  /**
   * Whom the authorizers allow it. None of them but a webhook denies, so what one allows stands, unless a webhook before
   * it denies; and whom a webhook allows nobody knows.
   */
  whoCan(request: Omit<Attributes, 'user'>): ChainHolder[] {
    const holders = new Map<string, { holder: ChainHolder; because: Because[] }>();
    const before: string[] = [];
    for (const link of this.#links) {
      if ('webhook' in link) {
        before.push(link.name);
        continue;
      }
      for (const { because, ...subject } of link.authorizer.whoCan(request)) {
        const key = JSON.stringify([subject.kind, subject.namespace, subject.name, subject.within]);
        const known = holders.get(key);
        if (known !== undefined) known.because.push(...because);
        else {
          const all = [...because];
          const unless = before.length === 0 ? {} : { unless: [...before] };
          holders.set(key, { holder: { ...subject, ...unless, because: all }, because: all });
        }
      }
    }
    return [...holders.values()].map(({ holder }) => holder);
  }

  rulesFor(user: UserInfo, namespace: string): Rules {
    const all = this.#links.map(
      (link): Rules =>
        'authorizer' in link
          ? link.authorizer.rulesFor(user, namespace)
          : {
              resourceRules: [],
              nonResourceRules: [],
              incomplete: true,
              error: 'webhook authorizer does not support user rule resolution',
            },
    );
    const errors = all.flatMap(({ error }) => error ?? []);
    return {
      resourceRules: all.flatMap(({ resourceRules }) => resourceRules),
      nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
      incomplete: all.some(({ incomplete }) => incomplete),
      ...(errors.length > 0 ? { error: joinErrors(errors) } : {}),
    };
  }
}

function decisionText(decision: Decided['decision']): string {
  return decision === 'allow'
    ? 'allowed'
    : decision === 'deny'
      ? 'denied'
      : decision === 'unknown'
        ? 'not known'
        : 'not allowed';
}

function ask(
  { name, webhook }: Extract<Link, { readonly webhook: Webhook }>,
  attributes: Attributes,
  answers: Readonly<Record<string, WebhookAnswer>>,
  called: string[],
): Step | 'not known' {
  const onError = (error: string): Step => ({
    decision: webhook.failurePolicy === 'Deny' ? 'deny' : 'no-opinion',
    reason: '',
    because:
      webhook.failurePolicy === 'Deny'
        ? [{ text: `webhook "${name}" fails, and its failurePolicy is Deny` }]
        : [],
    error,
  });
  const matches = matchesConditions(webhook.matchConditions, attributes);
  if (typeof matches === 'object') return onError(matches.error);
  if (!matches) return { decision: 'no-opinion', reason: '', because: [] };
  called.push(name);
  const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
  if (answer === undefined) return 'not known';
  if (answer.fail === true) return onError(`webhook "${name}" cannot be asked`);
  const { allowed = false, denied = false, reason = '' } = answer;
  const because = [{ text: `webhook "${name}" answers` }];
  if (denied)
    return {
      decision: 'deny',
      reason,
      because,
      ...(allowed ? { error: 'webhook subject access review returned both allow and deny response' } : {}),
    };
  return allowed ? { decision: 'allow', reason, because } : { decision: 'no-opinion', reason, because: [] };
}
