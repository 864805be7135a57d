/**
 * What RequestAuthentication makes of a request's token.
 * Sources: istio pilot/pkg/security/authn/policy_applier.go (convertToEnvoyJwtConfig: a token that is there must be
 * valid for one of the rules; an absent one is let through; CORS preflights skip it), envoy
 * source/extensions/filters/http/jwt_authn (issuer, then audience, then signature; claims `scope` and `permission` and
 * those that the rule names are split at spaces).
 */
import { itemsOf } from '#decide/network/inventory.ts';
import { MAYBE, type Match, NO, YES } from '#decide/network/labels.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { Header } from './facts.ts';

export interface Token {
  readonly claims: object;
  readonly badSignature?: boolean;
}

/** A rule of a RequestAuthentication with its place. */
export interface TokenRule {
  readonly object: KubeObject;
  readonly path: Path;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly forward: boolean;
  readonly split: readonly string[];
  readonly headers: readonly { readonly header: string; readonly claim: string }[];
  readonly payloadHeader: string | undefined;
  /** Whether the workload's labels leave open if the object applies. */
  readonly attached: Match;
}

export type TokenAnswer =
  | { readonly is: 'absent' }
  | { readonly is: 'accepted'; readonly rule: TokenRule; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly is: 'refused'; readonly rule: TokenRule; readonly text: string }
  | { readonly is: 'unknown'; readonly rule: TokenRule };

export function tokenRulesOf(object: KubeObject, attached: Match): TokenRule[] {
  return itemsOf(valueAt(object, ['spec', 'jwtRules'])).flatMap((rule, index): TokenRule[] => {
    if (!isRecord(rule)) return [];
    const payloadHeader = rule['outputPayloadToHeader'];
    return [
      {
        object,
        path: ['spec', 'jwtRules', index],
        issuer: typeof rule['issuer'] === 'string' ? rule['issuer'] : '',
        audiences: itemsOf(rule['audiences']).filter(item => typeof item === 'string'),
        forward: rule['forwardOriginalToken'] === true,
        split: [
          'permission',
          'scope',
          ...itemsOf(rule['spaceDelimitedClaims']).filter(item => typeof item === 'string'),
        ],
        headers: itemsOf(rule['outputClaimToHeaders']).flatMap(item => {
          const [header, claim] = [valueAt(item, ['header']), valueAt(item, ['claim'])];
          return typeof header === 'string' && typeof claim === 'string'
            ? [{ header: header.toLowerCase(), claim }]
            : [];
        }),
        payloadHeader: typeof payloadHeader === 'string' ? payloadHeader.toLowerCase() : undefined,
        attached,
      },
    ];
  });
}

/**
 * The answer of the proxy's filter. The token is taken to stand where the rules look for it, and to be within its time.
 */
export function checkToken(rules: readonly TokenRule[], token: Token | undefined): TokenAnswer {
  const possible = rules.filter(({ attached }) => attached !== NO);
  if (token === undefined || possible.length === 0) return { is: 'absent' };
  let refusal: { rule: TokenRule; text: string } | undefined;
  let sure = false;
  for (const rule of possible) {
    sure ||= rule.attached === YES;
    const wrong = whyNot(rule, token);
    if (wrong === undefined) {
      if (rule.attached === MAYBE) return { is: 'unknown', rule };
      return { is: 'accepted', rule, claims: splitClaims(token.claims, rule.split) };
    }
    if (refusal === undefined || wrong.ofIssuer) refusal = { rule, text: wrong.text };
  }
  return sure ? { is: 'refused', ...refusal! } : { is: 'unknown', rule: refusal!.rule };
}

function whyNot(
  rule: TokenRule,
  { claims, badSignature }: Token,
): { text: string; ofIssuer: boolean } | undefined {
  const issuer = valueAt(claims, ['iss']);
  if (rule.issuer !== '' && issuer !== rule.issuer)
    return { text: `no rule accepts the issuer ${JSON.stringify(issuer ?? '')}`, ofIssuer: false };
  const audience = valueAt(claims, ['aud']);
  const has = Array.isArray(audience) ? audience : audience === undefined ? [] : [audience];
  // Trailing slash and scheme do not count. Source: jwt_verify_lib check_audience.cc (SanitizeAudience).
  const accepted = new Set(rule.audiences.map(plainAudience));
  if (accepted.size > 0 && !has.some(one => typeof one === 'string' && accepted.has(plainAudience(one))))
    return { text: `the audience ${JSON.stringify(audience ?? '')} is not accepted`, ofIssuer: true };
  return badSignature === true ? { text: 'the signature is wrong', ofIssuer: true } : undefined;
}

function plainAudience(text: string): string {
  return text.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

function splitClaims(claims: object, split: readonly string[]): Readonly<Record<string, unknown>> {
  const entries = Object.entries(claims).map(([key, value]) =>
    typeof value === 'string' && split.includes(key)
      ? [key, value.split(' ').filter(part => part !== '')]
      : [key, value],
  );
  return Object.fromEntries(entries);
}

/**
 * What the filter does to a header that later filters read; undefined where it leaves it alone. A header that a rule
 * writes is taken from the client's request in any case.
 */
export function tokenHeader(
  rules: readonly TokenRule[],
  answer: TokenAnswer,
  name: string,
): Header | undefined {
  const writers = rules.filter(
    ({ headers, payloadHeader }) => payloadHeader === name || headers.some(({ header }) => header === name),
  );
  const accepted = answer.is === 'accepted' ? answer.rule : undefined;
  if (name === 'authorization' && accepted !== undefined && !accepted.forward) return { present: NO };
  if (writers.length === 0) return undefined;
  if (answer.is === 'unknown') return { present: MAYBE };
  if (answer.is !== 'accepted' || !writers.includes(answer.rule)) return { present: NO };
  if (answer.rule.payloadHeader === name) return { present: YES };
  const claim = answer.rule.headers.find(({ header }) => header === name)!.claim;
  const value = valueAt(answer.claims, claim.split('.'));
  if (value === undefined) return { present: NO };
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? { present: YES, value: String(value) }
    : { present: YES };
}
