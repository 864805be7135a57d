/**
 * Whether Linkerd's proxy lets a request in: the Server of the port, or the default policy where there is none, then
 * the authorizations of the Server and of the route that the request takes.
 *
 * Sources: linkerd2 policy-controller/k8s/index/src: inbound/index.rs (reindex_servers: the oldest Server wins a port;
 * client_authzs; policy_client_authz: whatever is missing voids a policy; default_inbound_http_routes: probes),
 * inbound/server.rs (an absent access policy denies), defaults.rs, cluster_info.rs (identities),
 * policy-controller/core/src/identity_match.rs, inbound/server_authorization.rs.
 */
import { itemsOf, namespaceOf, type PodEndpoint } from '#decide/network/inventory.ts';
import {
  compileSelector,
  type KnownLabels,
  labelsOf,
  MAYBE,
  type Match,
  matchLabels,
  NO,
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
import { matchingRoute, type RouteChoice } from './linkerd-routes.ts';
import { LINKERD_DEFAULTS, type LinkerdSettings, linkerdIdentity } from './linkerd-settings.ts';
import { byAge, isOf } from './policies.ts';
import { addressOf, isIn, rangeOf } from './ranges.ts';

const POLICY = 'policy.linkerd.io';
const DEFAULT_POLICY = 'config.linkerd.io/default-inbound-policy';
const REQUIRE_IDENTITY = 'config.linkerd.io/proxy-require-identity-inbound-ports';

/** Who may come: from which networks, as whom. */
interface Client {
  readonly networks: readonly Network[];
  /** Undefined: anybody. */
  readonly identities: readonly string[] | 'any-tls' | undefined;
  readonly because: Because;
}

interface Network {
  readonly cidr: string;
  readonly except: readonly string[];
}

const EVERYWHERE: readonly Network[] = ['0.0.0.0/0', '::/0'].map(cidr => ({ cidr, except: [] }));

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
    for (const server of this.#servers.get(namespace) ?? []) {
      const match = selects(server, workload.endpoint, request.port);
      if (match === NO) continue;
      answers.push(this.#byServer(server, workload, request));
      if (match === YES) return agree(answers);
    }
    return agree([...answers, this.#byDefault(workload, request)]);
  }

  #byDefault(workload: LinkerdWorkload, request: MeshRequest): Authorization {
    const { policy, because } = this.#defaultOf(workload);
    const probe = probeOf(workload.endpoint, request);
    if (probe !== undefined) return allowed(probe);
    const strict = ports(workload.config[REQUIRE_IDENTITY])(request.port);
    const clients = this.#clientsOfDefault(policy, because, strict);
    return decide(clients, request, because);
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
    const routes = this.#in(namespace)
      .filter(object => isRoute(object) && isAttached(object, name))
      .sort(byAge);
    if (routes.length === 0) {
      // Without routes of its own a Server has those of the pod's probes, like a port that no Server has.
      const probe = probeOf(endpoint, request);
      return probe === undefined ? decide(clients, request, refused) : allowed(probe);
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
      const name = valueAt(object, ['spec', 'server', 'name']);
      const selected =
        typeof name === 'string'
          ? name === nameOf(server)
          : labelSelectorMatch(valueAt(object, ['spec', 'server', 'selector']) ?? {}, labels) === YES;
      const client = selected ? this.#oldClient(object) : undefined;
      return client === undefined ? [] : [client];
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
    const networks = networksOf(valueAt(client, ['networks']));
    const because = lets(object);
    const where = networks.length === 0 ? this.#clusterNetworks() : networks;
    if (valueAt(client, ['unauthenticated']) === true)
      return { networks: where, identities: undefined, because };
    const mtls = valueAt(client, ['meshTLS']);
    if (!isRecord(mtls)) return undefined;
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
      const client = this.#client(object);
      return client === undefined ? [] : [client];
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
          networks = networksOf(valueAt(found, ['spec', 'networks']));
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
    const refs = itemsOf(valueAt(object, ['spec', 'identityRefs'])).flatMap(ref => {
      const target = targetOf(ref);
      if (target?.kind === 'ServiceAccount') return [this.#accountIdentity(ref, object)];
      if (target?.kind === 'Namespace')
        return [`*.${target.name}.serviceaccount.identity.${controlPlaneNamespace}.${identityDomain}`];
      return [];
    });
    return [...texts(valueAt(object, ['spec', 'identities'])), ...refs];
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
  for (const client of clients) {
    const match = admits(client, request);
    if (match === YES) return allowed(client.because);
    if (match === MAYBE) doubts.push(client.because);
  }
  return doubts.length > 0
    ? {
        allowed: 'unknown',
        outcome: 'unknown',
        because: [{ text: 'the address of the client is not known' }, ...doubts],
      }
    : { allowed: false, outcome: 'rbac', because: [refused] };
}

function admits({ networks, identities }: Client, { sourcePrincipal, sourceIP }: MeshRequest): Match {
  if (identities !== undefined) {
    if (sourcePrincipal === null) return NO;
    if (sourcePrincipal === undefined)
      return identities === 'any-tls' || identities.includes('*') ? inNetworks(networks, sourceIP) : MAYBE;
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

/** `*` is any identity, `*.` begins a suffix; anything else is exact. */
function identityMatches(pattern: string, identity: string): boolean {
  const name = identity.toLowerCase();
  if (pattern === '*') return name !== '';
  if (pattern.startsWith('*.')) return name.endsWith(pattern.slice(1).toLowerCase());
  return name === pattern.toLowerCase();
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

/** Whether a Server is for a pod's port; a name means every TCP port of any container that has it. */
function selects(server: KubeObject, endpoint: PodEndpoint, port: number): Match {
  const selector = valueAt(server, ['spec', 'podSelector']);
  if (!isRecord(selector)) return NO;
  const wanted = valueAt(server, ['spec', 'port']);
  const named = (): boolean => {
    const template = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object);
    const spec = template?.pod.spec ?? {};
    return [...itemsOf(spec['containers']), ...itemsOf(spec['initContainers'])]
      .flatMap(container => itemsOf(valueAt(container, ['ports'])))
      .some(
        one =>
          valueAt(one, ['name']) === wanted &&
          String(valueAt(one, ['protocol']) ?? 'TCP').toUpperCase() === 'TCP' &&
          valueAt(one, ['containerPort']) === port,
      );
  };
  const covers = typeof wanted === 'number' ? wanted === port : wanted === String(port) || named();
  return covers ? labelSelectorMatch(selector, endpoint.labels) : NO;
}

function labelSelectorMatch(selector: unknown, labels: KnownLabels): Match {
  try {
    return matchLabels(compileSelector(selector), labels);
  } catch (error) {
    if (error instanceof SelectorError) return NO;
    throw error;
  }
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
    ref => valueAt(ref, ['kind']) === 'Server' && valueAt(ref, ['group']) === POLICY,
  );
  const valid = parents.every(ref => {
    const namespace = valueAt(ref, ['namespace']);
    return (
      (namespace === undefined || namespace === namespaceOf(route)) &&
      valueAt(ref, ['port']) === undefined &&
      valueAt(ref, ['sectionName']) === undefined
    );
  });
  return valid && parents.some(ref => valueAt(ref, ['name']) === server);
}

function networksOf(value: unknown): readonly Network[] {
  return itemsOf(value).flatMap((item): Network[] => {
    const cidr = valueAt(item, ['cidr']);
    return typeof cidr === 'string' ? [{ cidr, except: texts(valueAt(item, ['except'])) }] : [];
  });
}

function texts(value: unknown): readonly string[] {
  return itemsOf(value).filter(item => typeof item === 'string');
}

/** A GET on a path that one of the pod's probes asks for: let in from anywhere, as the chart's probe networks are. */
function probeOf(endpoint: PodEndpoint, { method, path, port }: MeshRequest): Because | undefined {
  if (method !== 'GET' || path === undefined || endpoint.object === undefined) return undefined;
  const template = podTemplateOf(endpoint.object);
  const plain = path.replace(/[?#].*$/s, '');
  for (const [index, container] of itemsOf(template?.pod.spec['containers']).entries())
    for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      const get = valueAt(container, [probe, 'httpGet']);
      if (!isRecord(get)) continue;
      const wanted = get['port'];
      const number =
        typeof wanted === 'number'
          ? wanted
          : itemsOf(valueAt(container, ['ports']))
              .filter(one => valueAt(one, ['name']) === wanted)
              .map(one => valueAt(one, ['containerPort']))[0];
      if (number !== port || (get['path'] ?? '/') !== plain) continue;
      return {
        object: endpoint.object,
        path: template!.pathOf(['spec', 'containers', index, probe, 'httpGet']),
        text: `the path is that of the ${probe} of ${endpoint.id}, which is let in`,
      };
    }
  return undefined;
}

function ports(list: string | undefined): (port: number) => boolean {
  const found = new Set((list ?? '').split(',').map(part => Number(part.trim())));
  return port => found.has(port);
}
