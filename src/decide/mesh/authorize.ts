/**
 * Whether a workload's proxy lets a request in: transport, then tokens, then CUSTOM, DENY and ALLOW policies.
 * Sources: istio pilot/pkg/security/authz/builder/builder.go (dry run, providers of CUSTOM),
 * pilot/pkg/networking/core/listener_builder.go (order of the filters),
 * pilot/pkg/networking/plugin/authn/util.go (trust domains checked in the handshake),
 * pilot/pkg/networking/core/listener_builder.go (what a sidecar takes for the remote address); for ztunnel istio/ztunnel
 * src/state.rs (assert_rbac). Compared with filters that istiod of 2026-08-27 (eed52ebb66ad, before 1.31) generates, in a
 * real Envoy 1.40.0.
 */

import { namespaceOf } from '#decide/network/inventory.ts';
import { both, type KnownLabels, MAYBE, type Match, NO, YES } from '#decide/network/labels.ts';
import { type Because, type KubeObject, nameOf, type Path } from '#kube/objects.ts';
import { compileEnvoyRule } from './envoy-rules.ts';
import { type Condition, type Facts, type Header, unknownCondition } from './facts.ts';
import type { MeshSettings } from './mesh-config.ts';
import { normalizePath } from './paths.ts';
import { describeMode, type PeerAuthentications, type ServerMode } from './peer-authentication.ts';
import { attaches, attachmentOf, type MeshProxy, securityObjects } from './policies.ts';

import { type AuthorizationPolicy, IDENTITY_KEYS } from './policy.ts';

import { addressOf } from './ranges.ts';
import { trustDomainOf } from './text-match.ts';
import {
  checkToken,
  type Token,
  type TokenAnswer,
  type TokenRule,
  tokenHeader,
  tokenRulesOf,
} from './tokens.ts';
import { compileTunnelRule, httpParts } from './ztunnel-rules.ts';

export interface MeshRequest {
  /**
   * `trust-domain/ns/NAMESPACE/sa/NAME` of the client's certificate; null: it comes without one; undefined: with one of
   * the mesh, which is not known.
   */
  readonly sourcePrincipal: string | null | undefined;
  readonly sourceIP?: string;
  readonly destinationIP?: string;
  /** The workload's port. */
  readonly port: number;
  readonly sni?: string | null;
  readonly method?: string;
  /** As it stands in the request line. */
  readonly path?: string;
  readonly host?: string;
  /** Left out: what headers there are is not known. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly jwt?: Token;
}

export interface Authorization {
  readonly allowed: boolean | 'unknown';
  /** What decided: an AuthorizationPolicy (`rbac`), the token, or that the connection was not taken at all. */
  readonly outcome: 'allowed' | 'rbac' | 'jwt' | 'transport' | 'unknown';
  readonly because: readonly Because[];
  /** Of an unknown answer: no request however complete would decide it, for the input does not say enough. */
  readonly lacks?: 'input';
}

export type PortProtocol = 'HTTP' | 'TCP' | 'AUTO';

export interface Target {
  readonly proxy: MeshProxy;
  readonly ambient: boolean;
  /** The protocols that the port may have. */
  readonly protocols: readonly PortProtocol[];
  readonly podIP: string | undefined;
}

interface Compiled {
  readonly policy: AuthorizationPolicy;
  /** Whether one of its rules matches, and the place of that rule. */
  readonly rules: readonly { readonly index: number; readonly condition: Condition }[];
}

/**
 * What is taken of policies that Istio's webhook refuses: they are not in the cluster, or came in without it and count as
 * far as they go; `unknown` where that makes a difference.
 */
export type RefusedPolicies = 'unknown' | 'absent' | 'applied';

/** The policies of a mesh, asked about one request after the other. */
export class Authorizer {
  readonly #settings: MeshSettings;
  readonly #policies: readonly AuthorizationPolicy[];
  readonly #tokens: readonly KubeObject[];
  readonly #peers: PeerAuthentications;
  readonly #envoy: string | undefined;
  readonly #refused: RefusedPolicies;
  readonly #compiled = new Map<string, Compiled>();
  /** The policies of proxies and of ztunnel that were asked for already, by the labels of the workload. */
  readonly #proxies = new WeakMap<KnownLabels, readonly Attached[]>();
  readonly #tunnels = new WeakMap<KnownLabels, readonly Attached[]>();
  /** The policies of some namespaces together, in their order. */
  readonly #ofNamespaces = new Map<string, readonly AuthorizationPolicy[]>();

  constructor(
    objects: readonly KubeObject[],
    settings: MeshSettings,
    policies: readonly AuthorizationPolicy[],
    peers: PeerAuthentications,
    envoy: string | undefined,
    refused: RefusedPolicies = 'unknown',
  ) {
    this.#settings = settings;
    this.#policies = policies;
    this.#tokens = securityObjects(objects, 'RequestAuthentication');
    this.#peers = peers;
    this.#envoy = envoy;
    this.#refused = refused;
  }

  authorize(target: Target, request: MeshRequest): Authorization {
    const transport = this.#transport(target, request);
    if (transport.allowed === false) return transport;
    const answer = this.#behindTransport(target, request);
    if (transport.allowed === 'unknown')
      return answer.allowed === false
        ? answer
        : { ...transport, because: [...transport.because, ...answer.because] };
    return answer.allowed === true
      ? { ...answer, because: [...transport.because, ...answer.because] }
      : answer;
  }

  /** A waypoint is reached through tunnels only: there is no transport to refuse. */
  authorizeAtWaypoint(target: Target, request: MeshRequest): Authorization {
    return this.#behindTransport(target, request);
  }

  #behindTransport(target: Target, request: MeshRequest): Authorization {
    const speaksHttp =
      request.method !== undefined ||
      request.path !== undefined ||
      request.host !== undefined ||
      request.headers !== undefined;
    const kinds = new Set(
      target.protocols.flatMap(protocol =>
        protocol === 'AUTO' ? (speaksHttp ? [false] : [true, false]) : [protocol === 'TCP'],
      ),
    );
    const answers = target.ambient
      ? [this.#tunnel(target, request)]
      : [...kinds].map(tcp => this.#envoyAnswer(target, request, tcp));
    return agree(answers, 'whether the port carries HTTP is not known');
  }

  /** The rules of attached policies that name clients by identity, not by what they are not. */
  identityRules(proxy: MeshProxy): readonly IdentityRule[] {
    return this.#attached(proxy).flatMap(({ policy }) => {
      const { action, dryRun } = policy;
      if (dryRun || (action !== 'ALLOW' && action !== 'DENY')) return [];
      return policy.rules.flatMap((rule, index): IdentityRule[] => {
        const from = rule.from.length > 0 && rule.from.every(source => names(source, IDENTITY_FIELDS));
        const when = rule.when.some(({ key, values }) => IDENTITY_KEYS.includes(key) && values.length > 0);
        if (!from && !when) return [];
        const because = {
          object: policy.object,
          path: ['spec', 'rules', index],
          text: `AuthorizationPolicy ${idOf(policy.object)}`,
        };
        return [{ action, because }];
      });
    });
  }

  #transport(target: Target, request: MeshRequest): Authorization {
    const { sourcePrincipal: principal, port } = request;
    const modes = this.#peers.modes(target.proxy, port, target.ambient);
    const answers = modes.map((mode): Authorization => {
      const refuses = principal === null ? mode.mode === 'STRICT' : mode.mode === 'DISABLE';
      const because = [{ ...placeOf(mode), text: describeMode(mode) }];
      return refuses
        ? { allowed: false, outcome: 'transport', because }
        : { allowed: true, outcome: 'allowed', because };
    });
    const answer = agree(answers, 'which PeerAuthentication applies is not known');
    if (answer.allowed !== true || typeof principal !== 'string' || target.ambient) return answer;
    const domain = trustDomainOf(`spiffe://${principal}`) ?? '';
    if (this.#settings.acceptedTrustDomains.has(domain)) return answer;
    const text = `the trust domain "${domain}" is neither the mesh's own nor an alias`;
    return { allowed: false, outcome: 'transport', because: [{ text }] };
  }

  #envoyAnswer(target: Target, request: MeshRequest, tcp: boolean): Authorization {
    const { proxy } = target;
    const attached = this.#attached(proxy);
    let path: string | undefined;
    if (!tcp) {
      if (request.path !== undefined) {
        const { normalization } = this.#settings;
        const normalized = normalizePath(request.path, {
          normalization,
          ...(this.#envoy === undefined ? {} : { envoy: this.#envoy }),
        });
        if ('status' in normalized)
          return {
            allowed: false,
            outcome: 'transport',
            because: [{ text: `the proxy refuses the path with status ${normalized.status}` }],
          };
        ({ path } = normalized);
      }
    }
    const compile = (policy: AuthorizationPolicy): Compiled => this.#compile(policy, tcp);
    // CUSTOM comes before tokens are read: it sees the headers as they came, and no claims.
    const raw = this.#facts(target, request, tcp, path, [], { is: 'absent' });
    const custom = decideCustom(attached, evaluator(compile, raw), this.#custom(attached, tcp));
    if (custom.refused !== undefined) return custom.refused;
    const tokenRules = tcp ? [] : this.#tokenRules(proxy);
    const token: TokenAnswer =
      tcp || isPreflight(request) ? { is: 'absent' } : checkToken(tokenRules, request.jwt);
    if (token.is === 'refused')
      return {
        allowed: false,
        outcome: 'jwt',
        because: [{ object: token.rule.object, path: token.rule.path, text: token.text }],
      };
    const facts = tokenRules.length === 0 ? raw : this.#facts(target, request, tcp, path, tokenRules, token);
    const answer = decide(attached, evaluator(compile, facts), custom.doubts);
    if (token.is !== 'unknown' || answer.allowed === false) return answer;
    return {
      allowed: 'unknown',
      outcome: 'unknown',
      because: [
        {
          object: token.rule.object,
          path: token.rule.path,
          text: `whether RequestAuthentication ${idOf(token.rule.object)} applies is not known`,
        },
        ...answer.because,
      ],
    };
  }

  #tunnel({ proxy, podIP }: Target, request: MeshRequest): Authorization {
    const attached = this.#attachedToTunnel(proxy);
    const facts: Facts = {
      principal: spiffeId(request.sourcePrincipal),
      sourceIP: addressIn(request.sourceIP),
      remoteIP: undefined,
      destinationIP: addressIn(request.destinationIP ?? podIP),
      port: request.port,
      sni: '',
      path: undefined,
      header: () => ({ present: MAYBE }),
      claims: null,
    };
    return decide(
      attached,
      evaluator(policy => this.#compileTunnel(policy), facts),
    );
  }

  /** What ztunnel asks before a workload. */
  #attachedToTunnel(proxy: MeshProxy): readonly Attached[] {
    const known = this.#tunnels.get(proxy.labels);
    if (known !== undefined) return known;
    const root = this.#settings.rootNamespace;
    const found = this.#policiesOf([root, proxy.namespace]).flatMap(policy => {
      if (policy.targetRefs.length > 0 || policy.action === 'CUSTOM' || policy.action === 'AUDIT') return [];
      // An empty selector makes the policy one of workloads, and attaches it to none.
      if (policy.selector !== undefined && Object.keys(policy.selector).length === 0) return [];
      const match = attaches(
        { selector: policy.selector, targetRefs: [] },
        policy.namespace,
        withoutGateway(proxy),
        root,
      );
      return this.#attachedAs(policy, match);
    });
    this.#tunnels.set(proxy.labels, found);
    return found;
  }

  #attached(proxy: MeshProxy): readonly Attached[] {
    // A waypoint stands for many; the labels of a workload are its own, and of one namespace.
    if (proxy.waypoint === true || proxy.service !== undefined) return this.#attach(proxy);
    let found = this.#proxies.get(proxy.labels);
    if (found === undefined) {
      found = this.#attach(proxy);
      this.#proxies.set(proxy.labels, found);
    }
    return found;
  }

  #attach(proxy: MeshProxy): readonly Attached[] {
    const root = this.#settings.rootNamespace;
    return this.#policiesOf([root, proxy.namespace, proxy.service?.namespace]).flatMap(policy => {
      return this.#attachedAs(policy, attaches(policy, policy.namespace, proxy, root));
    });
  }

  #attachedAs(policy: AuthorizationPolicy, match: Match): readonly Attached[] {
    if (match === NO) return [];
    if (policy.refusal === undefined || this.#refused === 'applied') return [{ policy, match }];
    return this.#refused === 'absent' ? [] : [{ policy, match: MAYBE }];
  }

  /** Policies of other namespaces are not looked at for every request. */
  #policiesOf(namespaces: readonly (string | undefined)[]): readonly AuthorizationPolicy[] {
    const key = namespaces.join(' ');
    let found = this.#ofNamespaces.get(key);
    if (found === undefined) {
      found = this.#policies.filter(({ namespace }) => namespaces.includes(namespace));
      this.#ofNamespaces.set(key, found);
    }
    return found;
  }

  #tokenRules(proxy: MeshProxy): readonly TokenRule[] {
    const root = this.#settings.rootNamespace;
    const namespaces = new Set([root, proxy.namespace, proxy.service?.namespace]);
    return this.#tokens
      .flatMap(object => {
        const namespace = namespaceOf(object);
        const attachment = attachmentOf(object);
        if (!namespaces.has(namespace) || attachment === undefined) return [];
        const match = attaches(attachment, namespace, proxy, root);
        return match === NO ? [] : tokenRulesOf(object, match);
      })
      .sort((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0));
  }

  #compile(policy: AuthorizationPolicy, tcp: boolean): Compiled {
    return this.#cached(`${tcp} ${idOf(policy.object)}`, policy, rule =>
      compileEnvoyRule(rule, {
        action: policy.action,
        namespace: policy.namespace,
        trustDomains: this.#settings.trustDomains,
        tcp,
      }),
    );
  }

  #compileTunnel(policy: AuthorizationPolicy): Compiled {
    return this.#cached(`ztunnel ${idOf(policy.object)}`, policy, rule =>
      compileTunnelRule(rule, policy.action, policy.namespace),
    );
  }

  #cached(
    key: string,
    policy: AuthorizationPolicy,
    compile: (rule: AuthorizationPolicy['rules'][number]) => Condition | undefined,
  ): Compiled {
    let found = this.#compiled.get(key);
    if (found === undefined || found.policy !== policy) {
      found = {
        policy,
        rules:
          policy.problem !== undefined
            ? [{ index: -1, condition: unknownCondition }]
            : policy.rules.flatMap((rule, index) => {
                const condition = compile(rule);
                return condition === undefined ? [] : [{ index, condition }];
              }),
      };
      this.#compiled.set(key, found);
    }
    return found;
  }

  /** What happens to a request that a CUSTOM policy matches. */
  #custom(attached: readonly Attached[], tcp: boolean): (policy: AuthorizationPolicy) => CustomAnswer {
    const all = enforced(attached, 'CUSTOM');
    const providers = (list: readonly Attached[]): number =>
      new Set(list.map(({ policy }) => policy.provider)).size;
    // Istio asks one provider for a workload: where policies name several, what they match is denied.
    const several = providers(all) > 1;
    const surely = several && providers(all.filter(({ match }) => match === YES)) > 1;
    const known = this.#settings.providers;
    return ({ provider }) => {
      if (several) return surely ? 'deny' : 'ask';
      if (known === undefined) return 'ask';
      const found = known.get(provider);
      if (found === undefined) return 'deny';
      return tcp && !found.tcp ? 'skip' : 'ask';
    };
  }

  #facts(
    { podIP }: Target,
    request: MeshRequest,
    tcp: boolean,
    path: string | undefined,
    tokenRules: readonly TokenRule[],
    token: TokenAnswer,
  ): Facts {
    const headers = headersOf(request);
    const header = (name: string): Header => {
      switch (name) {
        case ':method':
          return known(request.method);
        case ':path':
          return known(path);
        case ':authority':
        case 'host':
          return known(request.host);
        case ':scheme':
          return {
            present: YES,
            ...(request.sourcePrincipal === null ? { value: 'http' } : { value: 'https' }),
          };
      }
      const changed = tokenHeader(tokenRules, token, name);
      if (changed !== undefined) return changed;
      if (headers === undefined) return { present: MAYBE };
      const value = headers.get(name);
      if (value !== undefined) return { present: YES, value };
      if (name === 'authorization' && request.jwt !== undefined) return { present: YES };
      // Hop-by-hop headers are the parser's business, and the proxy adds some of its own.
      return ADDED_BY_PROXY.has(name) ? { present: MAYBE } : { present: NO };
    };
    const sourceIP = addressIn(request.sourceIP);
    const forwarded = headers?.get('x-forwarded-for');
    const last = forwarded === undefined ? undefined : addressOf(forwarded.split(',').at(-1)!.trim());
    return {
      principal: spiffeId(request.sourcePrincipal),
      sourceIP,
      remoteIP: tcp ? sourceIP : headers === undefined ? undefined : (last ?? sourceIP),
      destinationIP: addressIn(request.destinationIP ?? podIP),
      port: request.port,
      sni: request.sni ?? '',
      path,
      header,
      claims: token.is === 'accepted' ? token.claims : null,
    };
  }
}

const IDENTITY_FIELDS = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains'];

/** A rule that means nothing to a client without an identity. */
export interface IdentityRule {
  readonly action: 'ALLOW' | 'DENY';
  readonly because: Because;
}

function names(fields: Readonly<Record<string, readonly string[]>>, wanted: readonly string[]): boolean {
  return wanted.some(field => (fields[field] ?? []).length > 0);
}

interface Attached {
  readonly policy: AuthorizationPolicy;
  readonly match: Match;
}

type CustomAnswer = 'deny' | 'ask' | 'skip';

/** Evaluates the rules of one policy. */
type Evaluate = (one: Attached) => Evaluated;

interface Evaluated {
  /** Whether a rule matches, where the policy applies. */
  readonly rules: Match;
  /** Whether the policy applies and a rule matches. */
  readonly match: Match;
  readonly because: Because;
  /** Whether it is the input that leaves it open, and not the request. */
  readonly ofInput: boolean;
}

function evaluator(compile: (policy: AuthorizationPolicy) => Compiled, facts: Facts): Evaluate {
  return ({ policy, match }) => {
    let best: Match = NO;
    let at = -1;
    for (const { index, condition } of compile(policy).rules) {
      const found = condition(facts);
      if (found > best) [best, at] = [found, index];
      if (best === YES) break;
    }
    const found = both(match, best);
    return {
      rules: best,
      match: found,
      because: becauseOf(policy, at, found),
      ofInput: found === MAYBE && (match === MAYBE || policy.problem !== undefined),
    };
  };
}

/** The policies that a filter enforces: AUDIT policies and those in dry run only write logs. */
function enforced(attached: readonly Attached[], action: AuthorizationPolicy['action']): readonly Attached[] {
  return attached.filter(({ policy }) => policy.action === action && (!policy.dryRun || action === 'CUSTOM'));
}

/** What CUSTOM policies come to: a refusal, or what is asked of others. */
function decideCustom(
  attached: readonly Attached[],
  evaluate: Evaluate,
  answerOf: (policy: AuthorizationPolicy) => CustomAnswer,
): { readonly refused?: Authorization; readonly doubts: readonly Because[] } {
  const doubts: Because[] = [];
  for (const one of enforced(attached, 'CUSTOM')) {
    const found = evaluate(one);
    if (found.match === NO) continue;
    const answer = answerOf(one.policy);
    if (answer === 'skip') continue;
    if (answer === 'deny' && found.match === YES && !one.policy.dryRun) {
      const because = [{ ...found.because, text: `${found.because.text}, and its provider cannot be asked` }];
      return { refused: { allowed: false, outcome: 'rbac', because }, doubts };
    }
    doubts.push({ ...found.because, text: `${found.because.text}: "${one.policy.provider}" is asked` });
  }
  return { doubts };
}

/** DENY, then ALLOW. */
function decide(
  attached: readonly Attached[],
  evaluate: Evaluate,
  asked: readonly Because[] = [],
): Authorization {
  const doubts: Because[] = [...asked];
  let ofInput = false;
  for (const one of enforced(attached, 'DENY')) {
    const found = evaluate(one);
    if (found.match === YES) return { allowed: false, outcome: 'rbac', because: [found.because] };
    if (found.match === MAYBE) doubts.push(found.because);
    ofInput ||= found.ofInput;
  }
  const allow = enforced(attached, 'ALLOW');
  let matched: Match = NO;
  let because: Because[] = [];
  // Where no policy surely applies, the request is refused only if one applies that does not allow it.
  let admitted = true;
  for (const one of allow) {
    const found = evaluate(one);
    if (found.match > matched) [matched, because] = [found.match, []];
    if (found.match === matched && found.match !== NO) because.push(found.because);
    if (matched === YES) break;
    admitted &&= found.rules === YES;
    ofInput ||= found.ofInput || (found.rules === NO && one.match === MAYBE);
  }
  if (matched === NO && allow.some(({ match }) => match === YES))
    return {
      allowed: false,
      outcome: 'rbac',
      because: allow.map(({ policy }) => ({
        object: policy.object,
        path: policy.rules.length === 0 ? ['spec'] : ['spec', 'rules'],
        text:
          policy.rules.length === 0
            ? `AuthorizationPolicy ${idOf(policy.object)} allows nothing: it has no rules`
            : `no rule of AuthorizationPolicy ${idOf(policy.object)} allows the request`,
      })),
    };
  const open = matched !== YES && !admitted;
  if (doubts.length > 0 || open) {
    const reasons = matched === NO ? allow.map(({ policy }) => becauseOf(policy, -1, MAYBE)) : because;
    return {
      allowed: 'unknown',
      outcome: 'unknown',
      because: [...doubts, ...(open ? reasons : [])],
      ...(ofInput ? { lacks: 'input' } : {}),
    };
  }
  return {
    allowed: true,
    outcome: 'allowed',
    because:
      because.length > 0 ? because : [{ text: 'no AuthorizationPolicy that allows applies to the workload' }],
  };
}

function becauseOf(policy: AuthorizationPolicy, rule: number, match: Match): Because {
  const { object, action, problem, refusal } = policy;
  const id = `AuthorizationPolicy ${idOf(object)}`;
  if (problem !== undefined)
    return {
      object,
      path: problem.path,
      text: `${id} is not valid (${problem.text}): what it does is not known`,
    };
  if (refusal !== undefined && match !== YES)
    return {
      object,
      path: refusal.path,
      text: `Istio's webhook refuses ${id} (${refusal.text}): whether it is in the cluster is not known`,
    };
  const verb = { ALLOW: 'allows', DENY: 'denies', CUSTOM: 'asks about', AUDIT: 'logs' }[action];
  const skipped = policy.rules[rule] === undefined ? [] : httpParts(policy.rules[rule]);
  return {
    object,
    path: rule < 0 ? ['spec'] : ['spec', 'rules', rule],
    text:
      match === YES
        ? `${id} ${verb} the request`
        : `whether ${id} ${verb} the request is not known${skipped.length > 0 ? ` (${skipped.join(', ')})` : ''}`,
  };
}

function placeOf({ object, path }: ServerMode): { object?: KubeObject; path?: Path } {
  return object === undefined ? {} : { object, ...(path === undefined ? {} : { path }) };
}

export function idOf(object: KubeObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`;
}

/** One answer of several that may be right. */
export function agree(answers: readonly Authorization[], doubt: string): Authorization {
  const [first] = answers as [Authorization];
  if (answers.every(({ allowed }) => allowed === first.allowed)) return first;
  return {
    allowed: 'unknown',
    outcome: 'unknown',
    because: [{ text: doubt }, ...answers.flatMap(({ because }) => because)],
  };
}

function withoutGateway(proxy: MeshProxy): MeshProxy {
  const labels = Object.fromEntries(
    Object.entries(proxy.labels.labels).filter(([key]) => key !== 'gateway.networking.k8s.io/gateway-name'),
  );
  return { ...proxy, labels: { ...proxy.labels, labels } };
}

function spiffeId(principal: string | null | undefined): string | null | undefined {
  return typeof principal === 'string' ? `spiffe://${principal}` : principal;
}

function addressIn(text: string | undefined): bigint | undefined {
  return text === undefined ? undefined : addressOf(text);
}

function known(value: string | undefined): Header {
  return value === undefined ? { present: YES } : { present: YES, value };
}

/** Headers by lower-case name; several of one name are one list. */
function headersOf({ headers }: MeshRequest): ReadonlyMap<string, string> | undefined {
  if (headers === undefined) return undefined;
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(headers)) {
    const name = key.toLowerCase();
    const text = value.replace(/^[ \t]+|[ \t]+$/g, '');
    const before = found.get(name);
    found.set(name, before === undefined ? text : `${before},${text}`);
  }
  return found;
}

/** Headers that Envoy adds before its filters run. */
const ADDED_BY_PROXY: ReadonlySet<string> = new Set([
  'x-request-id',
  'x-forwarded-proto',
  'x-forwarded-client-cert',
  'x-envoy-expected-rq-timeout-ms',
]);

/** Source: envoy jwt_authn filter.cc (isCorsPreflightRequest). */
function isPreflight(request: MeshRequest): boolean {
  const headers = headersOf(request);
  const has = (name: string): boolean => (headers?.get(name) ?? '') !== '';
  return request.method === 'OPTIONS' && has('origin') && has('access-control-request-method');
}
