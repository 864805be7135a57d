/**
 * Whether Linkerd's proxy lets a request in: the Server of the port, or the default policy where there is none, then
 * the authorizations of the Server and of the route that the request takes.
 *
 * Sources: linkerd2 policy-controller/k8s/index/src: inbound/index.rs (reindex_servers: the oldest Server wins a port;
 * client_authzs; policy_client_authz: whatever is missing voids a policy; default_inbound_http_routes: probes),
 * inbound/workload.rs (named ports, probes), inbound/routes.rs (parents), ports.rs,
 * inbound/server.rs (an absent access policy denies), defaults.rs, cluster_info.rs (identities),
 * policy-controller/core/src/identity_match.rs, inbound/server_authorization.rs, inbound/meshtls_authentication.rs;
 * policy-controller/runtime/src/admission.rs and validation.rs (what is refused: the cluster has an older version of such
 * an object, or none, so what it does is not known); policy-controller/grpc/src/inbound.rs (which routes a protocol has);
 * linkerd2-proxy linkerd/app/inbound/src/policy.rs and linkerd/proxy/server-policy/src (localhost is always let in;
 * identities are compared byte by byte).
 */
import type { AddressRange } from '#decide/network/addresses.ts';
import { itemsOf, namespaceOf, type PodEndpoint } from '#decide/network/inventory.ts';
import {
  both,
  compileSelector,
  labelsOf,
  MAYBE,
  type Match,
  matchLabels,
  NO,
  type Selector,
  SelectorError,
  YES,
} from '#decide/network/labels.ts';
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
import type { Authorization, MeshRequest } from './authorize.ts';
import { matchingRoute, type RouteChoice, unreadableRoute } from './linkerd-routes.ts';
import { LINKERD_DEFAULTS, type LinkerdSettings, linkerdIdentity, linkerdPorts } from './linkerd-settings.ts';
import { byAge, isOf } from './policies.ts';
import { addressOf, isIn, rangeOf } from './ranges.ts';
import { isOpaquePort, OPAQUE_PORTS } from './tunnels.ts';

const POLICY = 'policy.linkerd.io';
const DEFAULT_POLICY = 'config.linkerd.io/default-inbound-policy';
const REQUIRE_IDENTITY = 'config.linkerd.io/proxy-require-identity-inbound-ports';

/** Who may come: from which networks, as whom. */
interface Client {
  readonly networks: readonly Network[];
  /** Undefined: anybody. */
  readonly identities: readonly string[] | 'any-tls' | undefined;
  readonly because: Because;
  /** The object is one that Linkerd refuses: whom it lets in is not known. */
  readonly refused?: true;
}

/** Something in an object that Linkerd's admission webhook refuses. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly because: Because;

  constructor(object: KubeObject, path: Path, text: string) {
    super(text);
    this.because = {
      object,
      path,
      text: `Linkerd refuses ${object.kind} ${namespaceOf(object)}/${nameOf(object)}: ${text}`,
    };
  }
}

interface Network {
  readonly cidr: string;
  readonly except: readonly string[];
}

const EVERYWHERE: readonly Network[] = ['0.0.0.0/0', '::/0'].map(cidr => ({ cidr, except: [] }));
const PROTOCOLS: readonly unknown[] = ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'];
/** A name of TLS as an identity may be stated; names of SPIFFE are left to their controllers. */
const IDENTITY =
  /^(?:spiffe:\/\/.+|(?:\*|[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*)$/;

/** A workload that Linkerd's proxy stands before. */
export interface LinkerdWorkload {
  readonly endpoint: PodEndpoint;
  readonly annotations: Readonly<Record<string, string>>;
  /** What configures its proxy: its annotations, and those of its namespace that it has none of. */
  readonly config: Readonly<Record<string, string>>;
  readonly namespace: KubeObject | undefined;
}

export class LinkerdAuthorizer {
  /** What policies are made of, by namespace: the rest of the input is not walked for every request. */
  readonly #objects: ReadonlyMap<string, readonly KubeObject[]>;
  /** The oldest first. */
  readonly #servers: ReadonlyMap<string, readonly KubeObject[]>;
  readonly #settings: LinkerdSettings;

  constructor(objects: readonly KubeObject[], settings: LinkerdSettings) {
    const own = objects.filter(object => groupOf(object.apiVersion) === POLICY || isRoute(object));
    this.#objects = Map.groupBy(own, namespaceOf);
    this.#servers = Map.groupBy(
      own.filter(object => isOf(object, POLICY, 'Server')).sort(byAge),
      namespaceOf,
    );
    this.#settings = settings;
  }

  authorize(workload: LinkerdWorkload, request: MeshRequest): Authorization {
    const namespace = workload.endpoint.namespace ?? 'default';
    const answers: Authorization[] = [];
    // The proxy lets in what comes from its own pod, whatever the policies say.
    if (request.sourceIP !== undefined && isLocalhost(request.sourceIP))
      return allowed({ text: "Linkerd's proxy lets in what comes from its own pod" });
    for (const server of this.#servers.get(namespace) ?? []) {
      const problem = refusedBy(() => checkServer(server));
      if (problem !== undefined) {
        if (!mayCover(server, workload.endpoint, request.port)) continue;
        answers.push({ allowed: 'unknown', outcome: 'unknown', because: [problem] });
        continue;
      }
      const match = selects(server, workload.endpoint, request.port);
      if (match === NO) continue;
      answers.push(this.#byServer(server, workload, request));
      if (match === YES) return agree(answers);
    }
    return agree([...answers, this.#byDefault(workload, request)]);
  }

  #byDefault(workload: LinkerdWorkload, request: MeshRequest): Authorization {
    const { policy, because } = this.#defaultOf(workload);
    const strict = linkerdPorts(workload.config[REQUIRE_IDENTITY])(request.port);
    const clients = this.#clientsOfDefault(policy, because, strict);
    if (isOpaquePort(workload.config[OPAQUE_PORTS], request.port)) return decide(clients, request, because);
    return this.#withProbes(workload.endpoint, clients, request, because);
  }

  /** The pod's annotation, else the namespace's, else what the control plane was installed with. */
  #defaultOf({ endpoint, annotations, namespace }: LinkerdWorkload): { policy: string; because: Because } {
    const own = annotations[DEFAULT_POLICY];
    const path: Path = ['metadata', 'annotations', DEFAULT_POLICY];
    if (own !== undefined && LINKERD_DEFAULTS.includes(own)) {
      const { object } = endpoint;
      const at = object === undefined ? undefined : podTemplateOf(object)?.pathOf(path);
      const where = object === undefined || at === undefined ? {} : { object, path: at };
      return { policy: own, because: { ...where, text: `the default policy of ${endpoint.id} is ${own}` } };
    }
    const of = namespace?.metadata?.annotations?.[DEFAULT_POLICY];
    if (own === undefined && typeof of === 'string' && LINKERD_DEFAULTS.includes(of))
      return {
        policy: of,
        because: {
          object: namespace!,
          path,
          text: `the default policy of namespace ${nameOf(namespace!)} is ${of}`,
        },
      };
    const policy = this.#settings.defaultInboundPolicy;
    return { policy, because: { text: `no Server has the port, and the default policy is ${policy}` } };
  }

  #clientsOfDefault(policy: string, because: Because, strict: boolean): readonly Client[] {
    if (policy === 'deny') return [];
    const networks = policy.startsWith('cluster-') ? this.#clusterNetworks() : EVERYWHERE;
    const authenticated = policy.endsWith('-authenticated') || (strict && policy !== 'audit');
    return [{ networks, identities: authenticated ? ['*'] : undefined, because }];
  }

  /** Where a port has no routes of its own, those of the pod's probes are let in from the networks of probes. */
  #withProbes(
    endpoint: PodEndpoint,
    clients: readonly Client[],
    request: MeshRequest,
    refused: Because,
  ): Authorization {
    const { probeNetworks } = this.#settings;
    const because = probeNetworks.length === 0 ? undefined : probeOf(endpoint, request);
    if (because === undefined) return decide(clients, request, refused);
    const networks = probeNetworks.includes('0.0.0.0/0')
      ? EVERYWHERE
      : probeNetworks.map(cidr => ({ cidr, except: [] }));
    return decide([{ networks, identities: undefined, because }, ...clients], request, refused);
  }

  #clusterNetworks(): readonly Network[] {
    return this.#settings.clusterNetworks.map(cidr => ({ cidr, except: [] }));
  }

  #byServer(server: KubeObject, { endpoint }: LinkerdWorkload, request: MeshRequest): Authorization {
    const name = nameOf(server);
    const namespace = namespaceOf(server);
    const here: Because = {
      object: server,
      path: ['spec'],
      text: `Server ${namespace}/${name} has the port`,
    };
    const protocol = valueAt(server, ['spec', 'proxyProtocol']);
    const clients = [...this.#serverClients(server), ...this.#accessPolicy(server)];
    const refused: Because = {
      ...here,
      text: `no authorization of Server ${namespace}/${name} lets the client in`,
    };
    if (protocol === 'opaque' || protocol === 'TLS') return decide(clients, request, refused);
    // A port of gRPC has GRPCRoutes only, and others have none of them.
    const grpc = protocol === 'gRPC';
    const routes = this.#in(namespace)
      .filter(object => isRoute(object) && (object.kind === 'GRPCRoute') === grpc && isAttached(object, name))
      .sort(byAge);
    if (routes.length === 0) {
      // Without routes of its own a Server has those of the pod's probes, like a port that no Server has.
      return grpc ? decide(clients, request, refused) : this.#withProbes(endpoint, clients, request, refused);
    }
    for (const route of routes) {
      const wrong = unreadableRoute(route);
      if (wrong === undefined) continue;
      const { because } = new Refused(route, wrong.path, wrong.text);
      return { allowed: 'unknown', outcome: 'unknown', because: [because] };
    }
    const choices = matchingRoute(routes, request);
    return agree(choices.map(choice => this.#onRoute(choice, clients, request, here)));
  }

  #onRoute(
    choice: RouteChoice,
    clients: readonly Client[],
    request: MeshRequest,
    server: Because,
  ): Authorization {
    if (choice === 'none')
      return {
        allowed: false,
        outcome: 'rbac',
        because: [{ ...server, text: `${server.text}, and no route of it matches the request` }],
      };
    const { route } = choice;
    const own = this.#authorizationPolicies(namespaceOf(route), target => isTarget(target, route));
    const id = `${route.kind} ${namespaceOf(route)}/${nameOf(route)}`;
    return decide([...clients, ...own], request, {
      object: route,
      path: ['spec'],
      text: `no authorization of ${id}, or of its Server, lets the client in`,
    });
  }

  #serverClients(server: KubeObject): readonly Client[] {
    const namespace = namespaceOf(server);
    const labels = labelsOf(server.metadata?.labels);
    const old = this.#in(namespace).flatMap((object): Client[] => {
      if (!isOf(object, POLICY, 'ServerAuthorization')) return [];
      return clientsOf(() => {
        const name = valueAt(object, ['spec', 'server', 'name']);
        const path = ['spec', 'server', 'selector'];
        const selected =
          typeof name === 'string'
            ? name === nameOf(server)
            : matchLabels(selectorOf(object, path, {}), labels) === YES;
        return selected ? this.#oldClient(object) : undefined;
      });
    });
    return [
      ...old,
      ...this.#authorizationPolicies(
        namespace,
        target => target.kind === 'Namespace' || (target.kind === 'Server' && target.name === nameOf(server)),
      ),
    ];
  }

  #accessPolicy(server: KubeObject): readonly Client[] {
    const policy = valueAt(server, ['spec', 'accessPolicy']);
    if (typeof policy !== 'string' || !LINKERD_DEFAULTS.includes(policy)) return [];
    const because = {
      object: server,
      path: ['spec', 'accessPolicy'],
      text: `the access policy of Server ${namespaceOf(server)}/${nameOf(server)} is ${policy}`,
    };
    return this.#clientsOfDefault(policy, because, false);
  }

  /** ServerAuthorization: what the policies were before. Without networks it is for those of the cluster. */
  #oldClient(object: KubeObject): Client | undefined {
    const client = valueAt(object, ['spec', 'client']);
    const networks = networksOf(object, ['spec', 'client', 'networks']);
    const because = lets(object);
    const where = networks.length === 0 ? this.#clusterNetworks() : networks;
    if (valueAt(client, ['unauthenticated']) === true && isRecord(valueAt(client, ['meshTLS'])))
      throw new Refused(
        object,
        ['spec', 'client', 'unauthenticated'],
        'unauthenticated and meshTLS exclude each other',
      );
    if (valueAt(client, ['unauthenticated']) === true)
      return { networks: where, identities: undefined, because };
    const mtls = valueAt(client, ['meshTLS']);
    if (!isRecord(mtls)) return undefined;
    const stated = [...texts(mtls['identities']), ...itemsOf(mtls['serviceAccounts'])];
    if (mtls['unauthenticatedTLS'] === true && stated.length > 0)
      throw new Refused(
        object,
        ['spec', 'client', 'meshTLS', 'unauthenticatedTLS'],
        'unauthenticatedTLS and identities exclude each other',
      );
    if (mtls['unauthenticatedTLS'] === true) return { networks: where, identities: 'any-tls', because };
    const accounts = itemsOf(mtls['serviceAccounts']).map(account => this.#accountIdentity(account, object));
    const identities = [...texts(mtls['identities']), ...accounts];
    return identities.length === 0 ? undefined : { networks: where, identities, because };
  }

  #accountIdentity(account: unknown, object: KubeObject): string {
    const namespace = valueAt(account, ['namespace']);
    return linkerdIdentity(
      this.#settings,
      typeof namespace === 'string' ? namespace : namespaceOf(object),
      String(valueAt(account, ['name'])),
    );
  }

  #authorizationPolicies(namespace: string, targets: (target: Target) => boolean): readonly Client[] {
    return this.#in(namespace).flatMap((object): Client[] => {
      if (!isOf(object, POLICY, 'AuthorizationPolicy')) return [];
      const target = targetOf(valueAt(object, ['spec', 'targetRef']));
      if (target === undefined || !targets(target)) return [];
      return clientsOf(() => {
        if (target.kind === 'Namespace' && target.name !== namespace)
          throw new Refused(
            object,
            ['spec', 'targetRef', 'name'],
            `it targets another namespace, ${target.name}`,
          );
        return this.#client(object);
      });
    });
  }

  /** All authentications must hold; one that is missing, or a second of a kind, voids the policy. */
  #client(object: KubeObject): Client | undefined {
    let identities: readonly string[] | undefined;
    let networks: readonly Network[] | undefined;
    for (const ref of itemsOf(valueAt(object, ['spec', 'requiredAuthenticationRefs']))) {
      const target = targetOf(ref);
      const stated = valueAt(ref, ['namespace']);
      const namespace = typeof stated === 'string' ? stated : namespaceOf(object);
      switch (target?.kind) {
        case 'ServiceAccount':
          if (identities !== undefined) return undefined;
          identities = [linkerdIdentity(this.#settings, namespace, target.name)];
          break;
        case 'MeshTLSAuthentication': {
          const found = this.#find('MeshTLSAuthentication', namespace, target.name);
          if (found === undefined || identities !== undefined) return undefined;
          identities = this.#identitiesOf(found);
          if (identities.length === 0) return undefined;
          break;
        }
        case 'NetworkAuthentication': {
          const found = this.#find('NetworkAuthentication', namespace, target.name);
          if (found === undefined || networks !== undefined) return undefined;
          networks = networksOf(found, ['spec', 'networks']);
          if (networks.length === 0) return undefined;
          break;
        }
        default:
          return undefined;
      }
    }
    return { networks: networks ?? EVERYWHERE, identities, because: lets(object) };
  }

  #identitiesOf(object: KubeObject): readonly string[] {
    const { controlPlaneNamespace, identityDomain } = this.#settings;
    const refs = itemsOf(valueAt(object, ['spec', 'identityRefs'])).map((ref, index) => {
      const path = ['spec', 'identityRefs', index];
      const target = targetOf(ref);
      if (target?.kind === 'ServiceAccount') return this.#accountIdentity(ref, object);
      if (target?.kind !== 'Namespace')
        throw new Refused(object, path, 'an identityRef is neither a ServiceAccount nor a Namespace');
      if (typeof valueAt(ref, ['namespace']) === 'string')
        throw new Refused(object, [...path, 'namespace'], 'an identityRef to a Namespace is in a namespace');
      return `*.${target.name}.serviceaccount.identity.${controlPlaneNamespace}.${identityDomain}`;
    });
    const stated = texts(valueAt(object, ['spec', 'identities']));
    for (const [index, identity] of stated.entries())
      if (!IDENTITY.test(identity))
        throw new Refused(
          object,
          ['spec', 'identities', index],
          `${JSON.stringify(identity)} is neither a DNS name, * or *. before one, nor a SPIFFE id`,
        );
    return [...stated, ...refs];
  }

  #in(namespace: string): readonly KubeObject[] {
    return this.#objects.get(namespace) ?? [];
  }

  #find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.#in(namespace).find(object => isOf(object, POLICY, kind) && nameOf(object) === name);
  }
}

function decide(clients: readonly Client[], request: MeshRequest, refused: Because): Authorization {
  const doubts: Because[] = [];
  let refusals = true;
  for (const client of clients) {
    const match = client.refused ? MAYBE : admits(client, request);
    if (match === MAYBE && !client.refused) refusals = false;
    if (match === YES) return allowed(client.because);
    if (match === MAYBE) doubts.push(client.because);
  }
  return doubts.length > 0
    ? {
        allowed: 'unknown',
        outcome: 'unknown',
        because: [
          ...(refusals ? [] : [{ text: 'the address or the identity of the client is not known' }]),
          ...doubts,
        ],
      }
    : { allowed: false, outcome: 'rbac', because: [refused] };
}

function admits({ networks, identities }: Client, { sourcePrincipal, sourceIP }: MeshRequest): Match {
  if (identities !== undefined) {
    if (sourcePrincipal === null) return NO;
    if (sourcePrincipal === undefined)
      return identities === 'any-tls' || identities.includes('*')
        ? inNetworks(networks, sourceIP)
        : both(MAYBE, inNetworks(networks, sourceIP));
    if (identities !== 'any-tls' && !identities.some(one => identityMatches(one, sourcePrincipal))) return NO;
  }
  return inNetworks(networks, sourceIP);
}

function inNetworks(networks: readonly Network[], sourceIP: string | undefined): Match {
  if (networks === EVERYWHERE) return YES;
  const address = sourceIP === undefined ? undefined : addressOf(sourceIP);
  if (address === undefined) return MAYBE;
  const inside = (cidr: string): boolean => {
    const range = rangeOf(cidr);
    return range !== undefined && isIn(address, range);
  };
  return networks.some(({ cidr, except }) => inside(cidr) && !except.some(inside)) ? YES : NO;
}

function isLocalhost(text: string): boolean {
  return text === '127.0.0.1' || text === '::1';
}

/** `*` is any identity but one of SPIFFE, `*.` begins a suffix of such; anything else is exact. */
function identityMatches(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.') && pattern !== '*') return name === pattern;
  return name !== '' && !name.includes('://') && name.endsWith(pattern.slice(1));
}

/** What a policy lets in; one that Linkerd refuses may let in anybody. */
function clientsOf(read: () => Client | undefined): Client[] {
  let client: Client | undefined;
  const problem = refusedBy(() => {
    client = read();
  });
  if (problem !== undefined)
    return [{ networks: EVERYWHERE, identities: undefined, because: problem, refused: true }];
  return client === undefined ? [] : [client];
}

function refusedBy(read: () => void): Because | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.because;
    throw error;
  }
}

function checkServer(server: KubeObject): void {
  const protocol = valueAt(server, ['spec', 'proxyProtocol']);
  if (protocol !== undefined && protocol !== null && !PROTOCOLS.includes(protocol))
    throw new Refused(
      server,
      ['spec', 'proxyProtocol'],
      `proxyProtocol ${JSON.stringify(protocol)} is none of ${PROTOCOLS.join(', ')}`,
    );
  const policy = valueAt(server, ['spec', 'accessPolicy']);
  if (policy !== undefined && policy !== null && !LINKERD_DEFAULTS.includes(policy as string))
    throw new Refused(
      server,
      ['spec', 'accessPolicy'],
      `accessPolicy ${JSON.stringify(policy)} is none of ${LINKERD_DEFAULTS.join(', ')}`,
    );
  if (valueAt(server, ['spec', 'podSelector']) !== undefined) selectorOf(server, ['spec', 'podSelector'], {});
}

/** Whether a refused Server may mean a port: its selector is not asked where it is what is wrong. */
function mayCover(server: KubeObject, endpoint: PodEndpoint, port: number): boolean {
  if (valueAt(server, ['spec', 'podSelector']) === undefined || !coversPort(server, endpoint, port))
    return false;
  try {
    return matchLabels(selectorOf(server, ['spec', 'podSelector'], {}), endpoint.labels) !== NO;
  } catch (error) {
    if (error instanceof Refused) return true;
    throw error;
  }
}

function selectorOf(object: KubeObject, path: Path, absent: object): Selector {
  try {
    return compileSelector(valueAt(object, path) ?? absent);
  } catch (error) {
    if (error instanceof SelectorError) throw new Refused(object, path, error.message);
    throw error;
  }
}

function allowed(because: Because): Authorization {
  return { allowed: true, outcome: 'allowed', because: [because] };
}

function agree(answers: readonly Authorization[]): Authorization {
  const [first] = answers as [Authorization];
  if (answers.every(answer => answer.allowed === first.allowed)) return first;
  return {
    allowed: 'unknown',
    outcome: 'unknown',
    because: [
      { text: 'which Server or route takes the request is not known' },
      ...answers.flatMap(({ because }) => because),
    ],
  };
}

function lets(object: KubeObject): Because {
  return {
    object,
    path: ['spec'],
    text: `${object.kind} ${namespaceOf(object)}/${nameOf(object)} lets the client in`,
  };
}

/** Whether a Server is for a pod's port. */
function selects(server: KubeObject, endpoint: PodEndpoint, port: number): Match {
  if (!isRecord(valueAt(server, ['spec', 'podSelector'])) || !coversPort(server, endpoint, port)) return NO;
  return matchLabels(selectorOf(server, ['spec', 'podSelector'], {}), endpoint.labels);
}

/** A name means every TCP port of any container that has it; a number in quotes is a name, which no port can have. */
function coversPort(server: KubeObject, endpoint: PodEndpoint, port: number): boolean {
  const wanted = valueAt(server, ['spec', 'port']);
  if (typeof wanted === 'number') return wanted === port;
  const template = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object);
  return containersOf(template?.pod.spec).some(([container]) =>
    tcpPortsOf(container).some(one => one.name === wanted && one.number === port),
  );
}

/** Every container of a pod with its place, those that only start it last. */
function containersOf(spec: unknown): readonly (readonly [unknown, Path])[] {
  return ['containers', 'initContainers'].flatMap(field =>
    itemsOf(valueAt(spec, [field])).map((container, index) => [container, ['spec', field, index]] as const),
  );
}

function tcpPortsOf(container: unknown): readonly { readonly name: string; readonly number: unknown }[] {
  return itemsOf(valueAt(container, ['ports'])).flatMap(one => {
    const name = valueAt(one, ['name']);
    const isTcp = String(valueAt(one, ['protocol']) ?? 'TCP').toUpperCase() === 'TCP';
    return typeof name === 'string' && isTcp ? [{ name, number: valueAt(one, ['containerPort']) }] : [];
  });
}

interface Target {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

const TARGET_GROUPS: Readonly<Record<string, readonly string[]>> = {
  Server: [POLICY],
  MeshTLSAuthentication: [POLICY],
  NetworkAuthentication: [POLICY],
  HTTPRoute: [POLICY, 'gateway.networking.k8s.io'],
  GRPCRoute: ['gateway.networking.k8s.io'],
  Namespace: ['', 'core'],
  ServiceAccount: ['', 'core'],
};

function targetOf(ref: unknown): Target | undefined {
  const [group, kind, name] = [valueAt(ref, ['group']) ?? '', valueAt(ref, ['kind']), valueAt(ref, ['name'])];
  if (typeof group !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return undefined;
  const known = Object.keys(TARGET_GROUPS).find(one => one.toLowerCase() === kind.toLowerCase());
  if (known === undefined || !TARGET_GROUPS[known]!.includes(group.toLowerCase())) return undefined;
  return { group: group.toLowerCase(), kind: known, name };
}

function isTarget({ group, kind, name }: Target, object: KubeObject): boolean {
  return isOf(object, group, kind) && nameOf(object).toLowerCase() === name.toLowerCase();
}

function isRoute(object: KubeObject): boolean {
  return (
    isOf(object, POLICY, 'HTTPRoute') ||
    isOf(object, 'gateway.networking.k8s.io', 'HTTPRoute') ||
    isOf(object, 'gateway.networking.k8s.io', 'GRPCRoute')
  );
}

/** Whether a route names the Server as its parent; one that names another namespace, a port or a section is invalid. */
function isAttached(route: KubeObject, server: string): boolean {
  const parents = itemsOf(valueAt(route, ['spec', 'parentRefs'])).filter(
    ref =>
      String(valueAt(ref, ['kind'])).toLowerCase() === 'server' &&
      String(valueAt(ref, ['group'])).toLowerCase() === POLICY,
  );
  const valid = parents.every(ref => {
    const namespace = valueAt(ref, ['namespace']);
    return (
      (namespace === undefined || namespace === namespaceOf(route)) &&
      valueAt(ref, ['port']) === undefined &&
      valueAt(ref, ['sectionName']) === undefined
    );
  });
  return valid && parents.some(ref => valueAt(ref, ['name']) === server) && !isRejected(route, server);
}

/** Whether the controller says in the route's status that it does not take it; files state no status. */
function isRejected(route: KubeObject, server: string): boolean {
  return itemsOf(valueAt(route, ['status', 'parents'])).some(
    parent =>
      valueAt(parent, ['controllerName']) === 'linkerd.io/policy-controller' &&
      valueAt(parent, ['parentRef', 'kind']) === 'Server' &&
      valueAt(parent, ['parentRef', 'name']) === server &&
      itemsOf(valueAt(parent, ['conditions'])).some(
        one => valueAt(one, ['type']) === 'Accepted' && valueAt(one, ['status']) === 'False',
      ),
  );
}

/** Networks of a policy: blocks or single addresses, each exception within what it is taken from. */
function networksOf(object: KubeObject, path: Path): readonly Network[] {
  const range = (value: unknown, at: Path): AddressRange => {
    const found = typeof value === 'string' ? rangeOf(value) : undefined;
    if (found === undefined)
      throw new Refused(
        object,
        at,
        `${JSON.stringify(value) ?? 'nothing'} is neither an address nor a block of them`,
      );
    return found;
  };
  return itemsOf(valueAt(object, path)).map((item, index): Network => {
    const cidr = valueAt(item, ['cidr']);
    const [first, last] = range(cidr, [...path, index, 'cidr']);
    const except = itemsOf(valueAt(item, ['except'])).map((one, place) => {
      const at = [...path, index, 'except', place];
      const [from, to] = range(one, at);
      if (from < first || to > last)
        throw new Refused(object, at, `the exception ${String(one)} is not within ${String(cidr)}`);
      if (from === first && to === last)
        throw new Refused(object, at, `the exception ${String(one)} takes away all of ${String(cidr)}`);
      return String(one);
    });
    return { cidr: String(cidr), except };
  });
}

function texts(value: unknown): readonly string[] {
  return itemsOf(value).filter(item => typeof item === 'string');
}

/**
 * A GET on a path that one of the pod's probes asks for, sidecars among the init containers included. Like the controller
 * it knows a port's name in any case, and compares paths without their query.
 */
function probeOf(endpoint: PodEndpoint, { method, path, port }: MeshRequest): Because | undefined {
  if (method !== 'GET' || path === undefined || endpoint.object === undefined) return undefined;
  const template = podTemplateOf(endpoint.object);
  const asked = withoutQuery(path);
  for (const [container, place] of containersOf(template?.pod.spec))
    for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      const get = valueAt(container, [probe, 'httpGet']);
      if (!isRecord(get)) continue;
      const wanted = get['port'];
      const number =
        typeof wanted === 'string'
          ? tcpPortsOf(container).find(one => one.name.toLowerCase() === wanted.toLowerCase())?.number
          : wanted;
      const stated = get['path'] ?? '/';
      if (number !== port || typeof stated !== 'string' || withoutQuery(stated) !== asked) continue;
      return {
        object: endpoint.object,
        path: template!.pathOf([...place, probe, 'httpGet']),
        text: `the path is that of the ${probe} of ${endpoint.id}, which is let in`,
      };
    }
  return undefined;
}

function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '');
}
