/**
 * What would have to change for the opposite answer about a connection. Each proposal is tried: the deciders are asked
 * again with the rule taken out, or with the object that is proposed, and what does not change the answer is not said.
 *
 * NetworkPolicies only add up (API documentation of NetworkPolicy): a further one takes nothing away from what another
 * one allows, so that each rule that allows has to be named.
 */
import { createMesh, deriveFlow, type Flow, type FlowQuery, type MeshOptions } from '#decide/mesh/door.ts';
import { createNetwork, type NetworkOptions } from '#decide/network/door.ts';
import {
  type Because,
  groupOf,
  isRecord,
  type KubeObject,
  nameOf,
  type Path,
  valueAt,
} from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';

/** `close`: each list is one way, and all of it is needed. `open`: all lists are needed, and one of each is enough. */
export interface Opposite {
  readonly is: 'close' | 'open';
  readonly lists: readonly (readonly Because[])[];
}

export interface OppositeOptions {
  readonly network?: NetworkOptions;
  readonly mesh?: MeshOptions;
  /** How the two sides are called. */
  readonly from: string;
  readonly to: string;
}

type Direction = 'egress' | 'ingress';

/** Rules that are taken out one after the other; who needs more is told those. */
const MOST_RULES = 8;
const RULE_LISTS = new Set(['ingress', 'egress', 'ingressDeny', 'egressDeny', 'rules']);

/** @param flow the answer to the query, which is no `unknown` */
export function oppositeOf(
  objects: readonly KubeObject[],
  query: FlowQuery,
  flow: Flow,
  options: OppositeOptions,
): Opposite {
  const search = new Search(objects, query, options);
  return flow.allowed === true
    ? { is: 'close', lists: search.closing(flow) }
    : { is: 'open', lists: search.opening(flow) };
}

class Search {
  readonly #objects: readonly KubeObject[];
  readonly #query: FlowQuery;
  readonly #options: OppositeOptions;

  constructor(objects: readonly KubeObject[], query: FlowQuery, options: OppositeOptions) {
    this.#objects = objects;
    this.#query = query;
    this.#options = options;
  }

  #ask(objects: readonly KubeObject[]): Flow {
    const { network, mesh } = this.#options;
    const list = [...objects];
    return deriveFlow(createNetwork(list, network), createMesh(list, mesh), this.#query);
  }

  closing(flow: Flow): (readonly Because[])[] {
    const ways = [
      ...this.#subjects().map(direction => this.#closeNetwork(direction)),
      this.#closeTransport(flow),
      this.#closeAuthorization(flow),
    ];
    return ways.filter(way => way !== undefined);
  }

  /** The directions whose policies can decide: an address has none of its own. */
  #subjects(): Direction[] {
    const { from, to } = this.#query;
    return [
      ...('ip' in from ? [] : (['egress'] as const)),
      ...('ip' in to || 'host' in to ? [] : (['ingress'] as const)),
    ];
  }

  #closeNetwork(direction: Direction): Because[] | undefined {
    const { port } = this.#query;
    const found: Because[] = [];
    let objects = this.#objects;
    for (let round = 0; round < MOST_RULES; round++) {
      const { network } = this.#ask(objects);
      if (network[direction] === false) return found;
      const allowing = network.because.find(one => speaksOf(one, direction));
      if (allowing?.object === undefined) {
        if (this.#ask([...objects, this.#policy(direction, [])]).network[direction] !== false)
          return undefined;
        found.push({
          text: `a NetworkPolicy that selects ${this.#name(direction)} for ${direction} and does not allow port ${port}`,
        });
        return found;
      }
      found.push({ ...allowing, text: `${titleOf(allowing.object)} must not allow this ${direction}` });
      objects = without(objects, allowing);
    }
    return undefined;
  }

  #closeTransport({ transport: { mode, because } }: Flow): Because[] | undefined {
    const { port } = this.#query;
    if (mode !== 'plaintext' && mode !== 'tls') return undefined;
    const strict = this.#ask(this.#withMode('STRICT'));
    if (strict.transport.mode !== 'refused') return undefined;
    const present = because.find(({ object }) => object?.kind === 'PeerAuthentication');
    return [
      { ...present, text: `port ${port} of ${this.#options.to} has to be STRICT (PeerAuthentication)` },
    ];
  }

  #closeAuthorization({ transport: { identity } }: Flow): Because[] | undefined {
    const { port } = this.#query;
    const { to, from } = this.#options;
    const found: Because[] = [];
    let objects = this.#objects;
    for (let round = 0; round < MOST_RULES; round++) {
      const { authorization } = this.#ask(objects);
      if (authorization.allowed === false) return found;
      const allowing = authorization.because.find(({ object }) => isPolicyOfMesh(object));
      if (allowing?.object === undefined) break;
      found.push({ ...allowing, text: `${titleOf(allowing.object)} must not let it in` });
      objects = without(objects, allowing);
    }
    const who = identity ?? ('ip' in this.#query.from ? from : 'callers without an identity');
    for (const [added, text] of [
      [this.#denial(identity), `an AuthorizationPolicy of ${to} that denies ${who} port ${port}`],
      [this.#server('deny'), `a Server for port ${port} of ${to} that authorizes others only`],
    ] as const)
      if (this.#ask([...objects, added]).authorization.allowed === false) return [...found, { text }];
    return undefined;
  }

  opening(flow: Flow): (readonly Because[])[] {
    const { network, transport, authorization } = flow;
    return [
      ...this.#subjects()
        .filter(direction => network[direction] === false)
        .flatMap(direction => this.#openNetwork(direction).map(step => [step])),
      ...(transport.mode === 'refused' ? [this.#openTransport(flow)] : []),
      ...(authorization.allowed === false && authorization.outcome !== 'transport'
        ? this.#openAuthorization(flow).map(step => [step])
        : []),
    ];
  }

  #openNetwork(direction: Direction): Because[] {
    const { port } = this.#query;
    const { from, to } = this.#options;
    const found: Because[] = [];
    let objects = this.#objects;
    for (let round = 0; round < MOST_RULES; round++) {
      const { network } = this.#ask(objects);
      if (network[direction] !== false) return found;
      const allowed = this.#ask([...objects, this.#policy(direction, [{}])]).network[direction];
      if (allowed !== false) {
        const place = direction === 'egress' ? `egress of ${from} to ${to}` : `ingress of ${to} from ${from}`;
        return [...found, { text: `a NetworkPolicy that allows port ${port} in the ${place}` }];
      }
      const denying = network.because.find(one => speaksOf(one, direction));
      if (denying?.object === undefined) break;
      found.push({ ...denying, text: `${titleOf(denying.object)} must not deny this ${direction}` });
      objects = without(objects, denying);
    }
    return found.length > 0 ? found : [{ text: 'the two networks have to be joined' }];
  }

  #openTransport({ transport: { because } }: Flow): Because[] {
    const { port } = this.#query;
    const { from, to } = this.#options;
    const found: Because[] = [];
    const opens = (objects: readonly KubeObject[]): boolean =>
      this.#ask(objects).transport.mode !== 'refused';
    const joined = this.#joined();
    if (joined !== undefined && opens(joined)) found.push({ text: `${from} has to join the mesh` });
    for (const one of because)
      if (
        one.object !== undefined &&
        (one.object.kind === 'DestinationRule' || one.object.kind === 'Sidecar') &&
        opens(this.#objects.filter(object => object !== one.object))
      )
        found.push({ ...one, text: `${titleOf(one.object)} must not say this` });
    if (opens(this.#withMode('PERMISSIVE'))) {
      const present = because.find(({ object }) => object?.kind === 'PeerAuthentication');
      found.push({ ...present, text: `port ${port} of ${to} has to be PERMISSIVE (PeerAuthentication)` });
    }
    return found.length > 0 ? found : [{ text: 'client and server have to agree on how to encrypt' }];
  }

  #openAuthorization({ transport: { identity } }: Flow): Because[] {
    const { port } = this.#query;
    const { to } = this.#options;
    const found: Because[] = [];
    let objects = this.#objects;
    for (let round = 0; round < MOST_RULES; round++) {
      const { authorization } = this.#ask(objects);
      if (authorization.allowed !== false) return found;
      if (authorization.outcome === 'jwt')
        return [...found, { ...authorization.because[0], text: 'the request needs a token that is valid' }];
      const who = identity ?? 'callers without an identity';
      const linkerd = authorization.because.find(({ object }) => isOfLinkerd(object));
      const opens = (...added: KubeObject[]): boolean =>
        this.#ask([...objects, ...added]).authorization.allowed !== false;
      if (linkerd?.object !== undefined && opens(this.#linkerdPermission()))
        return [
          ...found,
          { ...linkerd, text: `${titleOf(linkerd.object)} needs an authorization of ${who}` },
        ];
      if (opens(this.#server('all-unauthenticated')))
        return [...found, { text: `a Server for port ${port} of ${to}, with an authorization of ${who}` }];
      if (opens(this.#permission())) {
        return [...found, { text: `an AuthorizationPolicy of ${to} that lets ${who} come to port ${port}` }];
      }
      const denying = authorization.because.find(({ object }) => object !== undefined);
      if (denying?.object === undefined) break;
      found.push({ ...denying, text: `${titleOf(denying.object)} has to leave this out` });
      objects = without(objects, denying);
    }
    return found.length > 0 ? found : [{ text: `${to} has to let it in` }];
  }

  #name(direction: Direction): string {
    return direction === 'egress' ? this.#options.from : this.#options.to;
  }

  /** The namespace of the side whose policies speak of a direction. */
  #namespaceOf(direction: Direction): string {
    const side = direction === 'egress' ? this.#query.from : this.#query.to;
    const id = 'workload' in side ? side.workload : 'pod' in side ? side.pod : '';
    return id.split('/', 1)[0]!;
  }

  #policy(direction: Direction, rules: readonly object[]): KubeObject {
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: PROPOSED, namespace: this.#namespaceOf(direction) },
      spec: {
        podSelector: {},
        policyTypes: [direction === 'egress' ? 'Egress' : 'Ingress'],
        [direction]: rules,
      },
    };
  }

  /** One PeerAuthentication for the namespace, and no others. */
  #withMode(mode: string): KubeObject[] {
    const metadata = { name: PROPOSED, namespace: this.#namespaceOf('ingress') };
    return [
      ...this.#objects.filter(({ kind }) => kind !== 'PeerAuthentication'),
      { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata, spec: { mtls: { mode } } },
    ];
  }

  #rule(action: string, from: object | undefined): KubeObject {
    return {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: PROPOSED, namespace: this.#namespaceOf('ingress') },
      spec: { action, rules: [from === undefined ? {} : { from: [{ source: from }] }] },
    };
  }

  #denial(identity: string | undefined): KubeObject {
    const { from } = this.#query;
    if (identity !== undefined)
      return this.#rule('DENY', { principals: [identity.replace(/^spiffe:\/\//, '')] });
    return this.#rule('DENY', 'ip' in from ? { ipBlocks: [from.ip] } : { notPrincipals: ['*'] });
  }

  #permission(): KubeObject {
    return this.#rule('ALLOW', undefined);
  }

  /** Of everybody, on all Servers of the namespace. */
  #linkerdPermission(): KubeObject {
    const namespace = this.#namespaceOf('ingress');
    return {
      apiVersion: 'policy.linkerd.io/v1alpha1',
      kind: 'AuthorizationPolicy',
      metadata: { name: PROPOSED, namespace },
      spec: { targetRef: { kind: 'Namespace', name: namespace }, requiredAuthenticationRefs: [] },
    };
  }

  #server(accessPolicy: string): KubeObject {
    return {
      apiVersion: 'policy.linkerd.io/v1beta3',
      kind: 'Server',
      // The older of two Servers counts, and of those of one age the first by name.
      metadata: {
        name: '0',
        namespace: this.#namespaceOf('ingress'),
        creationTimestamp: '1970-01-01T00:00:00Z',
      },
      spec: { podSelector: {}, port: this.#query.port, accessPolicy },
    };
  }

  /** With a sidecar for the client. */
  #joined(): KubeObject[] | undefined {
    const { from } = this.#query;
    if (!('workload' in from) && !('pod' in from)) return undefined;
    const parts = ('workload' in from ? from.workload : from.pod).split('/');
    const isMeant = (object: KubeObject): boolean =>
      nameOf(object) === parts.at(-1) &&
      (object.metadata?.namespace ?? 'default') === parts[0] &&
      object.kind === (parts.length === 3 ? parts[1] : 'Pod');
    return this.#objects.map(object => {
      if (!isMeant(object)) return object;
      const place = podTemplateOf(object)?.pathOf([]);
      if (place === undefined) return object;
      return changed(object, [...place, 'metadata', 'labels'], labels => ({
        ...(isRecord(labels) ? labels : {}),
        'sidecar.istio.io/inject': 'true',
      })) as KubeObject;
    });
  }
}

const PROPOSED = 'sallyport-proposed';

function speaksOf({ object, path = [], text }: Because, direction: Direction): boolean {
  if (object === undefined) return false;
  return (
    path.some(step => typeof step === 'string' && step.startsWith(direction)) ||
    text.includes(`for ${direction},`)
  );
}

/** AuthorizationPolicies of Istio, and what authorizes in Linkerd. */
function isPolicyOfMesh(object: KubeObject | undefined): boolean {
  return object?.kind === 'AuthorizationPolicy' || object?.kind === 'ServerAuthorization';
}

function isOfLinkerd(object: KubeObject | undefined): boolean {
  return object !== undefined && groupOf(object.apiVersion) === 'policy.linkerd.io';
}

/** The objects with the rule taken out that a reason names; the whole object where it names none. */
function without(objects: readonly KubeObject[], { object, path = [] }: Because): KubeObject[] {
  const at = path.findIndex(
    (step, index) => typeof step === 'number' && RULE_LISTS.has(String(path[index - 1])),
  );
  return objects.flatMap(one => {
    if (one !== object) return [one];
    const list = at < 0 ? undefined : valueAt(one, path.slice(0, at));
    return Array.isArray(list) ? [withoutItem(one, path.slice(0, at), path[at] as number)] : [];
  });
}

function withoutItem(object: KubeObject, path: Path, index: number): KubeObject {
  const rest = changed(object, path, list => (list as unknown[]).toSpliced(index, 1));
  if (object.kind !== 'NetworkPolicy') return rest as KubeObject;
  // A policy without types is one for egress only as long as it has rules of it: it stays what it was.
  const egress = valueAt(object, ['spec', 'egress', 0]) === undefined ? [] : ['Egress'];
  return changed(rest, ['spec', 'policyTypes'], types =>
    Array.isArray(types) && types.length > 0 ? types : ['Ingress', ...egress],
  ) as KubeObject;
}

/** A copy with another value at one place; the rest is shared. */
function changed(value: unknown, [step, ...path]: Path, change: (value: unknown) => unknown): unknown {
  if (step === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((item, index) => (index === step ? changed(item, path, change) : item));
  const record = isRecord(value) ? value : {};
  return { ...record, [step]: changed(Object.hasOwn(record, step) ? record[step] : undefined, path, change) };
}

function titleOf(object: KubeObject): string {
  const namespace = object.metadata?.namespace;
  const name = nameOf(object);
  return `${object.kind} ${typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name}`;
}
