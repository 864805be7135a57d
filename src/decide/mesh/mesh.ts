/** The mesh of a cluster: who is let in, as which identity, encrypted or not. The door's `createMesh`. */
import { parseAddress } from '#decide/network/addresses.ts';
import {
  addressesOf,
  type Inventory,
  itemsOf,
  latest,
  NAMESPACE_NAME,
  namespaceOf,
  type PodEndpoint,
  takeInventory,
} from '#decide/network/inventory.ts';
import { labelsOf, NO } from '#decide/network/labels.ts';
import { type Peer, QueryError } from '#decide/network/network.ts';
import { type Because, groupOf, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { readDocuments } from '#yaml/read.ts';
import {
  type Authorization,
  Authorizer,
  agree,
  type IdentityRule,
  type MeshRequest,
  type PortProtocol,
  type RefusedPolicies,
} from './authorize.ts';
import { ClientRules } from './destination-rules.ts';
import { type GatewayServer, GatewayServers, isRouter } from './gateway-servers.ts';
import { LinkerdAuthorizer } from './linkerd.ts';
import {
  LINKERD_SETTINGS,
  type LinkerdSettings,
  linkerdIdentity,
  statedLinkerdSettings,
} from './linkerd-settings.ts';
import {
  type Dataplane,
  type Member,
  type MissingNamespaces,
  memberOf,
  showsIstio,
  showsLinkerd,
  showsMesh,
} from './members.ts';
import { type MeshConfig, type MeshSettings, meshSettings } from './mesh-config.ts';
import { oddObjects } from './odd-objects.ts';
import { PeerAuthentications, type TlsMode } from './peer-authentication.ts';
import { isOf, readPolicies, selectorMatch } from './policies.ts';
import { addressOf, isIn, rangeOf } from './ranges.ts';
import type { Registry } from './registry.ts';
import { type Front, ServiceIndex } from './services.ts';
import {
  isProbeOfAmbient,
  type Outside,
  offersMtls,
  PROBES_PASS,
  type Side,
  type Transport,
  type TransportFacts,
  transport,
} from './transport.ts';
import { type Tunnel, tunnelTo } from './tunnels.ts';
import { accountOfWaypoint, type Waypoint, waypointOf } from './waypoints.ts';

export interface MeshOptions {
  /** Istio's configuration; left out: that of the input (ConfigMap `istio`), else Istio's defaults. */
  readonly meshConfig?: MeshConfig;
  /** Where policies hold for all namespaces; `istio-system` where neither this nor the configuration says. */
  readonly rootNamespace?: string;
  /** The proxy's version, for example `1.40.0`. */
  readonly envoy?: string;
  /**
   * Whether namespaces that the input names and does not hold are in the mesh. Left out: `'unknown'` where the input
   * shows anything of a mesh, else `'unlabelled'`.
   */
  readonly missingNamespaces?: MissingNamespaces;
  /** Policies that Istio's webhook refuses; `'unknown'` where left out. */
  readonly refusedPolicies?: RefusedPolicies;
  /** What Linkerd was installed with; its chart's defaults where left out. */
  readonly linkerd?: Partial<LinkerdSettings>;
}

/** A workload of the input (`ns/kind/name`, or `ns/name` of a pod), a side of a connection, or one that is described. */
export type MeshWorkload =
  | string
  | Peer
  | {
      readonly namespace: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly podIP?: string;
      /** What a Service exposes; on any other port the protocol is sniffed. */
      readonly ports?: readonly { readonly port: number; readonly protocol: PortProtocol }[];
      /** `sidecar` where left out. */
      readonly dataplane?: Dataplane;
    };

export interface AuthorizeQuery {
  readonly workload: MeshWorkload;
  readonly request: MeshRequest;
  /**
   * In ambient mode: whether the client asks a Service, and so the waypoint before it, or the pod itself. Left out: a
   * Service, where one leads to the port.
   */
  readonly via?: 'service' | 'pod';
}

/** A host outside of the input, by its name: what ServiceEntries and DNS know. */
export interface HostPeer {
  readonly host: string;
}

export interface TransportQuery {
  readonly from: Peer;
  readonly to: Peer | HostPeer;
  /** The destination pod's port. */
  readonly port: number;
}

/** A workload's place in the mesh. */
export interface WorkloadMembership {
  readonly mesh: 'istio' | 'linkerd' | 'none' | 'unknown';
  readonly dataplane: Dataplane | 'unknown';
  /** The SPIFFE id that it holds (of Linkerd: its TLS name); undefined without a proxy. */
  readonly identity?: string;
  /** The pod's own address, where its status states one. */
  readonly address?: string;
  readonly because: readonly Because[];
}

/** How a workload's port is served. */
export interface Inbound {
  readonly dataplane: Dataplane | 'unknown';
  /** Whether the proxy takes what comes in: what it leaves alone is under no policy of the mesh. */
  readonly captured: boolean;
  /** What Services say that it speaks; `AUTO`, which is found out, where none leads to it. */
  protocols(): readonly PortProtocol[];
  /**
   * What it takes: several where it is not known which PeerAuthentication applies; none without a proxy of Istio. Of a
   * workload of which it is not known whether it has a proxy, what a sidecar would take.
   */
  readonly modes: readonly TlsMode[];
}

export interface Mesh {
  /**
   * Whether the proxy of a workload lets a request in.
   *
   * @throws QueryError where the query names what does not exist
   */
  authorize(query: AuthorizeQuery): Authorization;
  /**
   * How a connection travels, and as whom.
   *
   * @throws QueryError where the query names what does not exist
   */
  transport(query: TransportQuery): Transport;
  /**
   * Whether a workload is in the mesh, and as whom.
   *
   * @throws QueryError where there is no such workload
   */
  member(peer: Peer): WorkloadMembership;
  /**
   * The rules of a workload's policies that name clients by identity: void for whoever comes without one.
   *
   * @throws QueryError where there is no such workload
   */
  identityRules(peer: Peer, port: number): readonly IdentityRule[];
  /**
   * What the proxy of a workload does on a port, before any policy: of each of its templates.
   *
   * @throws QueryError where there is no such workload
   */
  inbound(peer: Peer, port: number): readonly Inbound[];
  /**
   * The tunnel in which clients of the same mesh reach a workload's port: what network policies see of them.
   *
   * @throws QueryError where there is no such workload
   */
  tunnel(peer: Peer, port: number): Tunnel | undefined;
  /** The addresses that ServiceEntries state for a host outside; none where only DNS knows them. */
  addressesOf(host: string): readonly string[];
  /** The waypoint that stands before a Service, as labels say. */
  waypointOf(service: KubeObject): Waypoint;
  /** Identities that several workloads hold, with those workloads: whoever lets one in lets all of them in. */
  sharedIdentities(): ReadonlyMap<string, readonly string[]>;
  /** The pods of a workload (`ns/kind/name`), or a pod (`ns/name`); none where the input has no such thing. */
  endpointsOf(id: string): readonly PodEndpoint[];
  /** What was taken for granted because the input does not say it, or says what cannot be. */
  readonly assumptions: readonly string[];
  /** The same, each with its place in the input, where it has one. */
  readonly assumed: readonly Because[];
}

/** The mesh that objects describe. Objects of other kinds are ignored; of several with one name, the last one counts. */
export function createMesh(objects: readonly KubeObject[], options: MeshOptions = {}): Mesh {
  return new ClusterMesh(latest(objects), options);
}

/**
 * What holds for the whole mesh, where nothing but the configuration is asked for.
 *
 * @param objects those that may configure the mesh: ConfigMaps, and the resources of Istio's operators
 */
export function settingsOf(objects: readonly KubeObject[]): MeshSettings {
  return meshSettings(objects, undefined, undefined, parseYaml);
}

class ClusterMesh implements Mesh {
  readonly #objects: readonly KubeObject[];
  readonly #settings: MeshSettings;
  readonly #linkerd: LinkerdSettings;
  readonly #linkerdStated: boolean;
  readonly #peers: PeerAuthentications;
  readonly #envoy: string | undefined;
  readonly #refused: RefusedPolicies | undefined;
  /** What is of any mesh: read for connections, when one is asked for. */
  readonly #istioObjects: readonly KubeObject[];
  /** Read when a question needs them: most questions of a scan are of membership and PeerAuthentications. */
  #clientRules: ClientRules | undefined;
  #istioAuthorizer: Authorizer | undefined;
  #linkerdAuthorizer: LinkerdAuthorizer | undefined;
  #serviceIndex: ServiceIndex | undefined;
  #gatewayServers: GatewayServers | undefined;
  readonly #namespaces = new Map<string, KubeObject>();
  readonly #missing: MissingNamespaces;
  /** Those that single connections ask for, taken out once: of Istio, and of the Gateway API. */
  readonly #entries: readonly KubeObject[];
  readonly #waypoints: readonly KubeObject[];
  readonly #assumptions: Because[];
  readonly #members = new Map<PodEndpoint, Member>();
  #inventory: Inventory | undefined;

  constructor(all: readonly KubeObject[], options: MeshOptions) {
    this.#objects = all;
    // Each part looks for its own kinds: of a large input, few objects are of any.
    const objects = all.filter(isOfMesh);
    this.#settings = meshSettings(objects, options.meshConfig, options.rootNamespace, parseYaml);
    const { rootNamespace } = this.#settings;
    this.#peers = new PeerAuthentications(objects, rootNamespace);
    this.#envoy = options.envoy;
    this.#refused = options.refusedPolicies;
    const linkerd = statedLinkerdSettings(objects, parseYaml);
    this.#linkerd = { ...LINKERD_SETTINGS, ...linkerd?.settings, ...options.linkerd };
    this.#istioObjects = objects;
    for (const object of objects)
      if (object.apiVersion === 'v1' && object.kind === 'Namespace')
        this.#namespaces.set(nameOf(object), object);
    this.#entries = objects.filter(object => isOf(object, 'networking.istio.io', 'ServiceEntry'));
    this.#waypoints = objects.filter(({ apiVersion }) => groupOf(apiVersion) === 'gateway.networking.k8s.io');
    this.#assumptions = [...this.#settings.assumptions, ...(linkerd?.problems ?? [])];
    this.#linkerdStated = linkerd !== undefined || options.linkerd !== undefined;
    if (options.missingNamespaces !== undefined) this.#missing = options.missingNamespaces;
    else if (showsMesh(all)) this.#missing = 'unknown';
    else {
      this.#missing = 'unlabelled';
      this.#assumptions.push({
        text: 'nothing in the input is of a mesh: namespaces outside of it are taken to have none',
      });
    }
  }

  get assumptions(): readonly string[] {
    return this.assumed.map(({ text }) => text);
  }

  get assumed(): readonly Because[] {
    const linkerd = showsLinkerd(this.#objects);
    // What Istio does by default is of no interest where there is only another mesh.
    const ofIstio = !linkerd || showsIstio(this.#objects);
    const assumed = [
      ...this.#assumptions.filter(
        one => ofIstio || one !== this.#settings.absent || one.object !== undefined,
      ),
      ...oddObjects(this.#istioObjects),
    ];
    if (this.#linkerdStated || !linkerd) return assumed;
    return [
      ...assumed,
      { text: 'the ConfigMap linkerd-config is not in the input: the defaults of its chart are taken' },
    ];
  }

  /** Taken when a workload is named: requests to described ones need none of it. */
  get #pods(): Inventory {
    this.#inventory ??= takeInventory(this.#objects, 'unknown');
    return this.#inventory;
  }

  authorize({ workload, request, via }: AuthorizeQuery): Authorization {
    checkPort(request.port);
    if (typeof workload === 'string' || !('namespace' in workload)) {
      const sides = typeof workload === 'string' ? members(this.#named(workload)) : this.#sides(workload);
      return agree(
        sides.map(side =>
          side.is === 'member'
            ? this.#authorizeMember(side.member, request, via)
            : outside({ text: `${side.id} is no workload of the input` }),
        ),
        'the pods of the workload differ',
      );
    }
    const { dataplane = 'sidecar', ports, namespace, podIP } = workload;
    if (dataplane === 'none') return outside({ text: 'the workload has no proxy' });
    const port = ports?.find(one => one.port === request.port);
    return this.#authorizer.authorize(
      {
        proxy: { namespace, labels: labelsOf(workload.labels) },
        ambient: dataplane === 'ambient',
        protocols: [port?.protocol ?? 'AUTO'],
        podIP,
      },
      request,
    );
  }

  #authorizeMember(member: Member, request: MeshRequest, via: AuthorizeQuery['via']): Authorization {
    const { endpoint, because } = member;
    if (member.dataplane === 'none') return outside(because);
    if (request.sourcePrincipal === null && isProbeOfAmbient(member, request.sourceIP))
      return outside({ text: PROBES_PASS });
    if (!member.takesInbound(request.port))
      return outside({
        ...because,
        text: `the proxy of ${endpoint.id} leaves inbound port ${request.port} alone`,
      });
    if (member.mesh === 'linkerd')
      return this.#linkerdRules.authorize(
        {
          endpoint,
          annotations: member.annotations,
          config: member.config,
          namespace: this.#namespaces.get(endpoint.namespace ?? ''),
        },
        request,
      );
    const fronts = this.#services.inFrontOf(endpoint, request.port);
    const protocols = this.#protocolsOf(member, request.port, fronts);
    const atPod = (asked: MeshRequest): Authorization =>
      this.#authorizer.authorize(
        {
          proxy: { namespace: endpoint.namespace ?? '', labels: endpoint.labels },
          ambient: member.dataplane === 'ambient',
          protocols,
          podIP: podIPOf(endpoint.object),
        },
        asked,
      );
    // Whoever is not in the mesh goes to the pod, past any waypoint.
    if (member.dataplane === 'ambient' && request.sourcePrincipal !== null) {
      const asked = via === 'pod' ? [undefined] : fronts.length === 0 ? [undefined] : fronts;
      return agree(
        asked.map(front => this.#throughWaypoint(member, front, request, atPod)),
        'it depends on the Service that the client asks',
      );
    }
    const decided = atPod(request);
    if (member.dataplane !== 'unknown') return decided;
    return agree([decided, outside(because)], because.text);
  }

  /** The waypoint before a Service or a pod decides first; ztunnel then sees it as the client. */
  #throughWaypoint(
    { endpoint }: Member,
    front: Front | undefined,
    request: MeshRequest,
    atPod: (request: MeshRequest) => Authorization,
  ): Authorization {
    const namespaceName = endpoint.namespace ?? 'default';
    const template = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object);
    const found = waypointOf(
      this.#waypoints,
      {
        object: front === undefined ? endpoint.object : front.service,
        labels: front === undefined ? endpoint.labels.labels : (front.service.metadata?.labels ?? {}),
        path:
          front === undefined
            ? (template?.pathOf(['metadata', 'labels']) ?? ['metadata', 'labels'])
            : ['metadata', 'labels'],
        namespace: this.#namespaces.get(namespaceName),
        namespaceName,
        namespaceLabels: endpoint.namespaceLabels,
      },
      front === undefined ? 'workload' : 'service',
    );
    if (found.is === 'none') return atPod(request);
    if (found.is === 'missing')
      return {
        allowed: 'unknown',
        outcome: 'unknown',
        because: [{ ...found.because, text: `${found.because.text}, which is not in the input` }],
      };
    const { gateway } = found;
    const namespace = namespaceOf(gateway);
    const atWaypoint = this.#authorizer.authorizeAtWaypoint(
      {
        proxy: {
          namespace,
          labels: labelsOf({ 'gateway.networking.k8s.io/gateway-name': nameOf(gateway) }),
          waypoint: true,
          ...(front === undefined
            ? {}
            : {
                service: {
                  kind:
                    front.service.kind === 'ServiceEntry' ? ('ServiceEntry' as const) : ('Service' as const),
                  namespace: namespaceName,
                  name: nameOf(front.service),
                },
              }),
        },
        ambient: false,
        protocols: [front?.protocol ?? 'AUTO'],
        podIP: undefined,
      },
      front === undefined
        ? request
        : { ...withoutDestination(request), port: front.port.port, ...clusterIP(front.service) },
    );
    const because = [found.because, ...atWaypoint.because];
    if (atWaypoint.allowed === false) return { ...atWaypoint, because };
    const [trustDomain] = this.#settings.trustDomains as [string];
    const principal = `${trustDomain}/ns/${namespace}/sa/${accountOfWaypoint(gateway)}`;
    const behind = atPod({ ...request, sourcePrincipal: principal });
    if (behind.allowed === false || atWaypoint.allowed === true)
      return {
        ...behind,
        because: [
          ...because,
          ...behind.because.map(one => ({ ...one, text: `${one.text} (the client here is the waypoint)` })),
        ],
      };
    return { ...atWaypoint, because: [...because, ...behind.because] };
  }

  transport({ from, to, port }: TransportQuery): Transport {
    checkPort(port);
    const [sources, destinations] = [this.#sides(from), this.#sides(to)];
    const answers = sources.flatMap(source =>
      destinations.map(destination => transport(this.#facts, source, destination, port)),
    );
    const [first] = answers as [Transport];
    if (answers.every(({ mode, identity }) => mode === first.mode && identity === first.identity))
      return first;
    return {
      mode: 'unknown',
      because: [{ text: 'the pods of the workload differ' }, ...answers.flatMap(({ because }) => because)],
    };
  }

  member(peer: Peer): WorkloadMembership {
    const [side] = this.#sides(peer) as [Side];
    if (side.is !== 'member')
      return {
        mesh: 'none',
        dataplane: 'none',
        because: [{ text: `${side.id} is no workload of the input` }],
      };
    const { mesh, dataplane, because } = side.member;
    const identity = this.#identity(side.member);
    const address = podIPOf(side.member.endpoint.object);
    return {
      mesh,
      dataplane,
      ...(identity === undefined ? {} : { identity }),
      ...(address === undefined ? {} : { address }),
      because: [because],
    };
  }

  identityRules(peer: Peer, port: number): readonly IdentityRule[] {
    return this.#sides(peer).flatMap(side => {
      if (side.is !== 'member') return [];
      const { mesh, dataplane, endpoint } = side.member;
      if (mesh !== 'istio' || dataplane === 'none' || !side.member.takesInbound(port)) return [];
      return this.#authorizer.identityRules({
        namespace: endpoint.namespace ?? '',
        labels: endpoint.labels,
      });
    });
  }

  tunnel(peer: Peer, port: number): Tunnel | undefined {
    const [side] = this.#sides(peer) as [Side];
    return side.is !== 'member' ? undefined : tunnelTo(side.member, port, this.#linkerd);
  }

  addressesOf(host: string): readonly string[] {
    const entries = this.#rules.registry.ofHost(host).filter(({ kubernetes }) => !kubernetes);
    return entries.flatMap(({ object }) => {
      const endpoints = itemsOf(valueAt(object, ['spec', 'endpoints'])).map(one => valueAt(one, ['address']));
      const own = endpoints.length > 0 ? endpoints : itemsOf(valueAt(object, ['spec', 'addresses']));
      return own.flatMap(text =>
        typeof text === 'string' && parseAddress(text) !== undefined ? [text] : [],
      );
    });
  }

  waypointOf(service: KubeObject): Waypoint {
    const namespaceName = namespaceOf(service);
    const namespace = this.#namespaces.get(namespaceName);
    return waypointOf(
      this.#waypoints,
      {
        object: service,
        labels: service.metadata?.labels ?? {},
        path: ['metadata', 'labels'],
        namespace,
        namespaceName,
        namespaceLabels: labelsOf(namespace?.metadata?.labels, namespace === undefined ? 'any' : 'none'),
      },
      'service',
    );
  }

  inbound(peer: Peer, port: number): readonly Inbound[] {
    checkPort(port);
    return this.#sides(peer).flatMap((side): Inbound[] => {
      if (side.is !== 'member') return [];
      const { endpoint, dataplane, mesh } = side.member;
      const proxy = { namespace: endpoint.namespace ?? '', labels: endpoint.labels };
      const ofIstio = dataplane === 'unknown' || (mesh === 'istio' && dataplane !== 'none');
      return [
        {
          dataplane,
          captured: dataplane !== 'none' && side.member.takesInbound(port),
          modes: ofIstio
            ? this.#peers.modes(proxy, port, dataplane === 'ambient').map(({ mode }) => mode)
            : [],
          protocols: () => {
            return this.#protocolsOf(side.member, port, this.#services.inFrontOf(endpoint, port));
          },
        },
      ];
    });
  }

  endpointsOf(id: string): readonly PodEndpoint[] {
    const pod = this.#pods.pods.get(id);
    return pod === undefined ? (this.#pods.workloads.get(id) ?? []) : [pod];
  }

  sharedIdentities(): ReadonlyMap<string, readonly string[]> {
    const holders = new Map<string, Set<string>>();
    for (const endpoint of this.#pods.endpoints) {
      const identity = this.#identity(this.#memberOf(endpoint));
      if (identity === undefined) continue;
      const known = holders.get(identity) ?? new Set();
      known.add(endpoint.id);
      holders.set(identity, known);
    }
    return new Map(
      [...holders].filter(([, ids]) => ids.size > 1).map(([identity, ids]) => [identity, [...ids].sort()]),
    );
  }

  get #authorizer(): Authorizer {
    this.#istioAuthorizer ??= new Authorizer(
      this.#istioObjects,
      this.#settings,
      readPolicies(this.#istioObjects),
      this.#peers,
      this.#envoy,
      this.#refused,
    );
    return this.#istioAuthorizer;
  }

  get #linkerdRules(): LinkerdAuthorizer {
    this.#linkerdAuthorizer ??= new LinkerdAuthorizer(this.#istioObjects, this.#linkerd);
    return this.#linkerdAuthorizer;
  }

  get #services(): ServiceIndex {
    this.#serviceIndex ??= new ServiceIndex(this.#istioObjects);
    return this.#serviceIndex;
  }

  get #gateways(): GatewayServers {
    this.#gatewayServers ??= new GatewayServers(this.#istioObjects);
    return this.#gatewayServers;
  }

  get #rules(): ClientRules {
    this.#clientRules ??= new ClientRules(this.#istioObjects, this.#settings);
    return this.#clientRules;
  }

  /** What the way of a connection is worked out from. */
  get #facts(): TransportFacts {
    const clientRules = this.#rules;
    return {
      peers: this.#peers,
      clientRules,
      autoMtls: this.#settings.autoMtls,
      fronts: (to, port): readonly Front[] => this.#services.inFrontOf(to.endpoint, port),
      identityOf: member => this.#identity(member),
      allInjected: service => this.#allInjected(service),
      isRouter,
      serversOf: (member, port) => this.#serversOf(member, port),
      entryFor: (address, port) => this.#entryFor(clientRules.registry, address, port),
    };
  }

  /** What a port speaks: as the servers of a gateway say, a Sidecar's own listeners, else the Services before it. */
  #protocolsOf(member: Member, port: number, fronts: readonly Front[]): readonly PortProtocol[] {
    const { endpoint, mesh, dataplane } = member;
    const ofSidecar =
      mesh === 'istio' && dataplane === 'sidecar'
        ? this.#rules.scopes.ingressProtocols(
            { namespace: endpoint.namespace ?? '', labels: endpoint.labels, router: isRouter(member) },
            port,
          )
        : undefined;
    const found = ofSidecar ?? (this.#serversOf(member, port) ?? fronts).map(({ protocol }) => protocol);
    return found.length === 0 ? ['AUTO'] : [...new Set(found)];
  }

  /** The servers of a gateway of Istio; undefined where a workload is none. */
  #serversOf(member: Member, port: number): readonly GatewayServer[] | undefined {
    if (member.mesh !== 'istio' || member.dataplane !== 'sidecar') return undefined;
    // A sidecar that a Gateway selects serves nothing of it; of pods that are only described, it is what they are for.
    const described = member.endpoint.object === undefined && this.#gateways.areAt(member);
    if (!isRouter(member) && !described) return undefined;
    return this.#gateways.on(member, port, this.#services.inFrontOf(member.endpoint, port));
  }

  #allInjected(service: KubeObject): boolean | 'unknown' {
    const selector = valueAt(service, ['spec', 'selector']) as Readonly<Record<string, string>>;
    const namespace = namespaceOf(service);
    let answer: boolean | 'unknown' = true;
    for (const endpoint of this.#pods.endpoints) {
      if (endpoint.namespace !== namespace || selectorMatch(selector, endpoint.labels) === NO) continue;
      const member = this.#memberOf(endpoint);
      if (member.dataplane === 'unknown') answer = 'unknown';
      else if (!offersMtls(member, isRouter(member))) return false;
    }
    return answer;
  }

  /** What the registry knows an address or a host as: by its own addresses, those of its endpoints, or its name. */
  #entryFor(registry: Registry, address: string, port: number): Outside | undefined {
    const place = addressOf(address);
    if (place === undefined) {
      const named = registry.ofHost(address);
      const known = named.length > 0 ? named : registry.wildcardFor(address);
      const entry = known.find(({ ports }) => ports.includes(port)) ?? known[0];
      return entry === undefined ? undefined : { entry, port };
    }
    const within = (text: unknown): boolean => {
      const range = typeof text === 'string' ? rangeOf(text) : undefined;
      return range !== undefined && isIn(place, range);
    };
    for (const object of this.#entries) {
      const [entry] = registry.ofObject(object);
      if (entry === undefined) continue;
      if (entry.ports.includes(port) && itemsOf(valueAt(object, ['spec', 'addresses'])).some(within))
        return { entry, port };
      for (const endpoint of itemsOf(valueAt(object, ['spec', 'endpoints']))) {
        if (!within(valueAt(endpoint, ['address']))) continue;
        const asked = itemsOf(valueAt(object, ['spec', 'ports'])).find(one => portAt(endpoint, one) === port);
        const number = valueAt(asked, ['number']);
        if (typeof number !== 'number') continue;
        const labels = labelsOf(valueAt(endpoint, ['labels']));
        const mode = labels.labels['security.istio.io/tlsMode'];
        const account = valueAt(endpoint, ['serviceAccount']);
        const inMesh = mode === undefined ? typeof account === 'string' && account !== '' : mode === 'istio';
        return { entry, port: number, endpoint: { inMesh, labels } };
      }
    }
    return undefined;
  }

  #identity(member: Member): string | undefined {
    const { mesh, dataplane, account, endpoint } = member;
    if (dataplane === 'none' || dataplane === 'unknown' || account === undefined) return undefined;
    const namespace = endpoint.namespace ?? 'default';
    if (mesh === 'linkerd') return linkerdIdentity(this.#linkerd, namespace, account);
    return `spiffe://${this.#settings.trustDomains[0]}/ns/${namespace}/sa/${account}`;
  }

  #memberOf(endpoint: PodEndpoint): Member {
    let member = this.#members.get(endpoint);
    if (member === undefined) {
      const namespace =
        endpoint.namespace === undefined ? undefined : this.#namespaces.get(endpoint.namespace);
      member = memberOf(endpoint, namespace, this.#missing, this.#linkerd);
      this.#members.set(endpoint, member);
    }
    return member;
  }

  #named(id: string): readonly Member[] {
    const endpoints = this.endpointsOf(id);
    if (endpoints.length === 0) throw new QueryError(`there is no workload ${id} with pods`);
    return endpoints.map(endpoint => this.#memberOf(endpoint));
  }

  #sides(peer: Peer | HostPeer): readonly Side[] {
    if ('host' in peer) return [{ is: 'host', id: peer.host }];
    if ('pod' in peer) return members(this.#named(peer.pod));
    if ('workload' in peer) return members(this.#named(peer.workload));
    if ('ip' in peer) {
      const address = parseAddress(peer.ip);
      if (address === undefined) throw new QueryError(`"${peer.ip}" is not an IP address`);
      const pod = this.#pods.byAddress.get(address);
      return pod === undefined ? [{ is: 'address', id: peer.ip }] : members([this.#memberOf(pod)]);
    }
    return members([this.#memberOf(this.#described(peer.labels, peer.namespaceLabels))]);
  }

  #described(
    labels: Readonly<Record<string, string>>,
    namespaceLabels: Readonly<Record<string, string>>,
  ): PodEndpoint {
    const namespace = namespaceLabels[NAMESPACE_NAME];
    return {
      is: 'pod',
      object: undefined,
      id: `a pod with ${JSON.stringify(labels)}`,
      namespace,
      namespaceLabels: labelsOf(namespaceLabels),
      labels: labelsOf(labels),
      ports: undefined,
      hostNetwork: false,
      addresses: addressesOf([]),
      addressesKnown: false,
      node: undefined,
      network: undefined,
    };
  }
}

/** Whether an object says something about a mesh, beside the pods that are in it. */
function isOfMesh({ apiVersion, kind }: KubeObject): boolean {
  if (apiVersion === 'v1') return kind === 'Namespace' || kind === 'Service' || kind === 'ConfigMap';
  return /^(?:[a-z0-9.-]+\.)?(?:istio\.io|sailoperator\.io|linkerd\.io|gateway\.networking\.k8s\.io)\//.test(
    apiVersion,
  );
}

/** The port on which an endpoint of a ServiceEntry answers for one of the entry's: its own, else the entry's target. */
function portAt(endpoint: unknown, port: unknown): unknown {
  const own = valueAt(endpoint, ['ports', String(valueAt(port, ['name']))]);
  return own ?? valueAt(port, ['targetPort']) ?? valueAt(port, ['number']);
}

function members(list: readonly Member[]): Side[] {
  return list.map(member => ({ is: 'member', member }));
}

function outside(because: Because): Authorization {
  return {
    allowed: true,
    outcome: 'allowed',
    because: [{ ...because, text: `${because.text}: nothing of the mesh restricts it` }],
  };
}

function checkPort(port: unknown): void {
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
    throw new QueryError(`${String(port)} is not a port from 1 to 65535`);
}

function withoutDestination({ destinationIP: _, ...rest }: MeshRequest): MeshRequest {
  return rest;
}

/** What a client of a Service addresses. */
function clusterIP(service: KubeObject): { destinationIP?: string } {
  const address = valueAt(service, ['spec', 'clusterIP']);
  return typeof address === 'string' && address !== 'None' ? { destinationIP: address } : {};
}

function podIPOf(object: KubeObject | undefined): string | undefined {
  const address = valueAt(object, ['status', 'podIP']);
  return typeof address === 'string' ? address : undefined;
}

function parseYaml(text: string): unknown {
  const [document] = readDocuments(text);
  return document?.is === 'value' ? document.value : undefined;
}
