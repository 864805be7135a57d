/**
 * Who may act as whom: the classic verb `impersonate`, and the constrained modes that are on since Kubernetes 1.36.
 * Sources: apiserver pkg/endpoints/filters/impersonation/{impersonation,constrained_impersonation,mode}.go.
 */
import { dnsSubdomain } from '#decide/cel/formats.ts';
import type { Attributes, UserInfo } from './attributes.ts';
import type { Features } from './features.ts';

export type ImpersonationMode =
  | 'associated-node'
  | 'arbitrary-node'
  | 'serviceaccount'
  | 'user-info'
  | 'legacy';

/** One question that the API server asked its authorizers. */
export interface ImpersonationCheck {
  readonly mode: ImpersonationMode;
  readonly attributes: Attributes;
  readonly decision: 'allow' | 'deny' | 'no-opinion' | 'unknown';
}

export interface Impersonation {
  readonly decision: 'allow' | 'deny' | 'unknown';
  /** The mode that allowed it. */
  readonly mode?: ImpersonationMode;
  /** As whom the request is served. */
  readonly user?: UserInfo;
  /** Why not. */
  readonly reason: string;
  readonly checks: readonly ImpersonationCheck[];
}

type Ask = (attributes: Attributes) => {
  readonly decision: ImpersonationCheck['decision'];
  readonly reason: string;
};

const MODES: readonly ImpersonationMode[] = [
  'associated-node',
  'arbitrary-node',
  'serviceaccount',
  'user-info',
  'legacy',
];
const AUTHENTICATION = 'authentication.k8s.io';
const NODE_NAME = 'authentication.kubernetes.io/node-name';
/** With so many groups or extra values the wildcard is asked for first. */
const MANY = 4;

/** @param request what the requestor asks; its user is the requestor */
export function impersonate(
  wanted: UserInfo,
  request: Attributes,
  features: Features,
  ask: Ask,
): Impersonation {
  const checks: ImpersonationCheck[] = [];
  if ((wanted.name ?? '') === '')
    return { decision: 'deny', reason: 'impersonation needs the name of a user', checks };
  let reason: string | undefined;
  let unknown = false;
  for (const mode of features.constrainedImpersonation ? MODES : (['legacy'] as const)) {
    if (!supports(mode, wanted, request.user)) continue;
    const attempt = new Attempt(mode, wanted, request, ask, checks).run();
    if (attempt === true)
      return {
        decision: unknown ? 'unknown' : 'allow',
        mode,
        user: impersonated(mode, wanted),
        reason: unknown ? (reason ?? '') : '',
        checks,
      };
    if (attempt.unknown) unknown = true;
    reason ??= attempt.reason;
  }
  return {
    decision: unknown ? 'unknown' : 'deny',
    reason: reason ?? 'all impersonation modes failed',
    checks,
  };
}

function supports(mode: ImpersonationMode, wanted: UserInfo, requestor: UserInfo): boolean {
  const name = wanted.name ?? '';
  const onlyName =
    (wanted.uid ?? '') === '' &&
    (wanted.groups ?? []).length === 0 &&
    Object.keys(wanted.extra ?? {}).length === 0;
  const node = nodeName(name);
  switch (mode) {
    case 'associated-node': {
      const values = requestor.extra?.[NODE_NAME] ?? [];
      return (
        onlyName &&
        node !== undefined &&
        serviceAccount(requestor.name ?? '') !== undefined &&
        values.length === 1 &&
        values[0] === node
      );
    }
    case 'arbitrary-node':
      return onlyName && node !== undefined;
    case 'serviceaccount':
      return onlyName && serviceAccount(name) !== undefined;
    case 'user-info':
      return node === undefined && serviceAccount(name) === undefined;
    case 'legacy':
      return true;
  }
}

class Attempt {
  readonly #mode: ImpersonationMode;
  readonly #wanted: UserInfo;
  readonly #request: Attributes;
  readonly #ask: Ask;
  readonly #checks: ImpersonationCheck[];
  readonly #verb: string;
  readonly #constrained: boolean;

  constructor(
    mode: ImpersonationMode,
    wanted: UserInfo,
    request: Attributes,
    ask: Ask,
    checks: ImpersonationCheck[],
  ) {
    this.#mode = mode;
    this.#wanted = wanted;
    this.#request = request;
    this.#ask = ask;
    this.#checks = checks;
    this.#constrained = mode !== 'legacy';
    this.#verb = this.#constrained ? `impersonate:${mode}` : 'impersonate';
  }

  /** True, or why not. */
  run(): true | { readonly reason: string; readonly unknown: boolean } {
    try {
      if (this.#constrained)
        this.#check({ ...this.#request, verb: `impersonate-on:${this.#mode}:${this.#request.verb ?? ''}` });
      this.#name();
      const { uid = '' } = this.#wanted;
      if (uid !== '') this.#check(this.#identity('uids', uid, AUTHENTICATION));
      this.#groups();
      this.#extra();
      return true;
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      return { reason: refusal.message, unknown: refusal.unknown };
    }
  }

  #identity(resource: string, name: string, apiGroup: string): Attributes {
    return {
      user: this.#request.user,
      verb: this.#verb,
      apiGroup,
      apiVersion: 'v1',
      resource,
      name,
      resourceRequest: true,
    };
  }

  #check(attributes: Attributes): void {
    const asked = this.#mode === 'associated-node' ? associated(attributes) : attributes;
    const { decision, reason } = this.#ask(asked);
    this.#checks.push({ mode: this.#mode, attributes: asked, decision });
    if (decision !== 'allow') throw new Refusal(reason, decision === 'unknown');
  }

  get #userGroup(): string {
    return this.#constrained ? AUTHENTICATION : '';
  }

  #name(): void {
    const { name = '', groups = [] } = this.#wanted;
    const node = this.#constrained ? nodeName(name) : undefined;
    const account = serviceAccount(name);
    if (node !== undefined) {
      if (groups.length > 0) throw new Refusal('when impersonating a node, cannot impersonate groups');
      this.#check(this.#identity('nodes', node, AUTHENTICATION));
      return;
    }
    if (account !== undefined) {
      if (this.#constrained && groups.length > 0)
        throw new Refusal('when impersonating a service account, cannot impersonate groups');
      this.#check({
        ...this.#identity('serviceaccounts', account.name, this.#userGroup),
        namespace: account.namespace,
      });
      return;
    }
    this.#check(this.#identity('users', name, this.#userGroup));
  }

  #groups(): void {
    const { groups = [] } = this.#wanted;
    if (this.#constrained) {
      if (groups.includes('')) throw new Refusal('impersonating the empty string group is not allowed');
      if (groups.includes('system:masters'))
        throw new Refusal('impersonating the system:masters group is not allowed');
      if (groups.length >= MANY && this.#allows(this.#identity('groups', '*', this.#userGroup))) return;
    }
    for (const group of groups) this.#check(this.#identity('groups', group, this.#userGroup));
  }

  #extra(): void {
    const entries = Object.entries(this.#wanted.extra ?? {});
    if (this.#constrained) {
      for (const [key, values] of entries) {
        if (key === '') throw new Refusal('impersonating the empty string key in extra is not allowed');
        if (!isDomainPath(key)) throw new Refusal('impersonating an invalid key in extra is not allowed');
        if (key !== key.toLowerCase())
          throw new Refusal(`impersonating a non-lowercase key in extra is not allowed: "${key}"`);
        if (values.length === 0) throw new Refusal('impersonating empty values in extra is not allowed');
        if (values.includes(''))
          throw new Refusal('impersonating the empty string value in extra is not allowed');
      }
      const count = entries.reduce((sum, [, values]) => sum + values.length, 0);
      const all = { ...this.#identity('userextras', '*', AUTHENTICATION), subresource: '*' };
      if ((entries.length >= MANY || count >= MANY) && this.#allows(all)) return;
    }
    for (const [key, values] of entries)
      for (const value of values)
        this.#check({ ...this.#identity('userextras', value, AUTHENTICATION), subresource: key });
  }

  #allows(attributes: Attributes): boolean {
    try {
      this.#check(attributes);
      return true;
    } catch (refusal) {
      if (refusal instanceof Refusal && !refusal.unknown) return false;
      throw refusal;
    }
  }
}

class Refusal extends Error {
  readonly unknown: boolean;
  constructor(reason: string, unknown = false) {
    super(reason);
    this.unknown = unknown;
  }
}

/** The authorizers see neither which node it is, nor more of the requestor's extra than its keys. */
function associated(attributes: Attributes): Attributes {
  const keys = Object.keys(attributes.user.extra ?? {}).sort();
  return {
    ...attributes,
    user: { ...attributes.user, extra: { 'authentication.kubernetes.io/associated-node-keys': keys } },
    ...(attributes.verb === 'impersonate:associated-node' ? { name: '*' } : {}),
  };
}

function impersonated(mode: ImpersonationMode, wanted: UserInfo): UserInfo {
  const { name = '' } = wanted;
  let groups = wanted.groups ?? [];
  const account = serviceAccount(name);
  if (mode !== 'legacy' && nodeName(name) !== undefined) groups = ['system:nodes'];
  if (account !== undefined && groups.length === 0)
    groups = ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  const has = (group: string) => groups.includes(group);
  if (name === 'system:anonymous') {
    if (!has('system:unauthenticated')) groups = [...groups, 'system:unauthenticated'];
  } else if (!has('system:unauthenticated') && !has('system:authenticated'))
    groups = [...groups, 'system:authenticated'];
  return { ...wanted, groups };
}

function nodeName(name: string): string | undefined {
  const node = name.startsWith('system:node:') ? name.slice('system:node:'.length) : undefined;
  return node !== undefined && dnsSubdomain(node).length === 0 ? node : undefined;
}

function serviceAccount(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const parts = /^system:serviceaccount:([^:]*):([^:]*)$/.exec(user);
  if (parts === null) return undefined;
  const [, namespace, name] = parts as unknown as [string, string, string];
  const valid = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace) && dnsSubdomain(name).length === 0;
  return valid ? { namespace, name } : undefined;
}

/** Source: apimachinery pkg/util/validation/validation.go (IsDomainPrefixedPath). */
const HTTP_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

function isDomainPath(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash <= 0 || slash === key.length - 1) return false;
  return dnsSubdomain(key.slice(0, slash)).length === 0 && HTTP_PATH.test(key.slice(slash + 1));
}
