/**
 * The least policies of Linkerd for what has to work: a Server for each port that somebody needs, with authorizations for
 * the identities that do, and for networks where callers have none; everything else is denied by default.
 *
 * Sources: linkerd2 policy-controller/k8s/api/src/policy (the resources), policy-controller/k8s/index/src/inbound
 * (a Server closes its port; probes of the kubelet pass a Server without routes; the default policy is read when the proxy
 * is injected), charts/linkerd-control-plane/values.yaml (ports that are opaque by default).
 */
import { LINKERD_SETTINGS } from '#decide/mesh/linkerd-settings.ts';
import { isOpaquePort } from '#decide/mesh/tunnels.ts';
import { endpointId, itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import { type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import {
  isNamespace,
  isOfGroup,
  type MeshPolicies,
  MeshScene,
  type MeshTask,
  Names,
  peerOf,
  peerOfObject,
} from './mesh-parts.ts';
import { idOf, type Need, namespaceOfDescribed, sideText } from './network-needs.ts';
import { lessThose, sorted } from './network-workloads.ts';

const POLICY = 'policy.linkerd.io';
const DEFAULT_POLICY = 'config.linkerd.io/default-inbound-policy';
const OPAQUE_PORTS = 'config.linkerd.io/opaque-ports';
const KINDS = [
  'Server',
  'ServerAuthorization',
  'AuthorizationPolicy',
  'MeshTLSAuthentication',
  'NetworkAuthentication',
];

/** An identity, as a reference that no trust domain is part of. */
interface IdentityRef {
  readonly kind: 'ServiceAccount' | 'Namespace';
  readonly name: string;
  readonly namespace?: string;
}

interface OpenPort {
  readonly object: KubeObject;
  readonly port: number;
  readonly identities: Map<string, IdentityRef>;
  /** Blocks from which callers without an identity come. */
  readonly networks: Set<string>;
  readonly nameless: Set<string>;
}

export function linkerdPolicies(task: MeshTask): MeshPolicies {
  const closed = new Set(task.closed);
  const replaced = task.objects.filter(
    object => closed.has(namespaceOf(object)) && KINDS.some(kind => isOfGroup(object, POLICY, kind)),
  );
  const scene = new MeshScene(task, lessThose(task.objects, replaced), 'linkerd');
  const { open, notes } = openPorts(scene, task.needs);
  const made = objectsFor(scene, open);
  const servers = (accessPolicy: string): KubeObject[] =>
    made.servers.map(server => ({ ...server, spec: { ...(server['spec'] as object), accessPolicy } }));
  return {
    lenient: withDefault(task, 'audit'),
    allow: [...servers('audit'), ...made.authorizations],
    deny: servers('deny'),
    strict: withDefault(task, 'deny'),
    replaced,
    notes: [...notes],
    plaintext: open
      .filter(({ nameless }) => nameless.size > 0)
      .map(({ object, port, nameless }) => ({ to: endpointId(object), port, callers: [...nameless].sort() })),
  };
}

/** The Namespaces with a default policy for ports that no Server has. */
function withDefault({ objects, closed }: MeshTask, policy: string): KubeObject[] {
  return closed.map(name => {
    const known = objects.findLast(object => isNamespace(object) && nameOf(object) === name);
    const { metadata } = known ?? {};
    return {
      ...known,
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...metadata, name, annotations: { ...metadata?.annotations, [DEFAULT_POLICY]: policy } },
    };
  });
}

function openPorts(scene: MeshScene, needs: readonly Need[]): { open: OpenPort[]; notes: Set<string> } {
  const found = new Map<string, OpenPort>();
  const notes = new Set<string>();
  const of = (object: KubeObject, port: number): OpenPort => {
    const key = `${endpointId(object)} ${String(port).padStart(5, '0')}`;
    let open = found.get(key);
    if (open === undefined) {
      open = { object, port, identities: new Map(), networks: new Set(), nameless: new Set() };
      found.set(key, open);
    }
    return open;
  };
  for (const need of needs) {
    const object = scene.destination(need, 'linkerd');
    if (object === undefined) continue;
    const { from, port, endPort } = need;
    if (endPort !== undefined && endPort !== port) {
      notes.add(`${endpointId(object)}: a Server has one port, so ports ${port}-${endPort} are left out`);
      continue;
    }
    const open = of(object, port);
    if ('cidr' in from) {
      for (const cidr of from.cidr === '0.0.0.0/0' ? ['0.0.0.0/0', '::/0'] : [from.cidr])
        open.networks.add(cidr);
      open.nameless.add(sideText(from));
      continue;
    }
    const peer = peerOf(from);
    const { mode } = scene.mesh.transport({ from: peer, to: peerOfObject(object), port });
    if (mode !== 'mtls') {
      for (const cidr of LINKERD_SETTINGS.clusterNetworks) open.networks.add(cidr);
      open.nameless.add(sideText(from));
      continue;
    }
    const ref = identityRef(scene, from);
    open.identities.set(JSON.stringify(ref), ref);
  }
  for (const { object, port, container } of grpcProbes(scene)) {
    // The proxy lets requests of HTTP probes in by their path; those of gRPC it cannot tell from others.
    const open = of(object, port);
    for (const cidr of LINKERD_SETTINGS.clusterNetworks) open.networks.add(cidr);
    open.nameless.add(`the kubelet (gRPC probe of container ${container})`);
  }
  return { open: [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, open]) => open), notes };
}

function identityRef(scene: MeshScene, from: Exclude<Need['from'], { readonly cidr: string }>): IdentityRef {
  if ('labels' in from) {
    const namespace = namespaceOfDescribed(from);
    return from.account === undefined
      ? { kind: 'Namespace', name: namespace }
      : { kind: 'ServiceAccount', name: from.account, namespace };
  }
  const object = scene.workloads.find(idOf(from)!);
  const spec = podTemplateOf(object)?.pod.spec;
  const account = valueAt(spec, ['serviceAccountName']) ?? valueAt(spec, ['serviceAccount']) ?? 'default';
  return { kind: 'ServiceAccount', name: String(account), namespace: namespaceOf(object) };
}

function* grpcProbes(scene: MeshScene): Iterable<{ object: KubeObject; port: number; container: string }> {
  for (const object of scene.workloads.all()) {
    if (!scene.closed.has(namespaceOf(object))) continue;
    if (scene.mesh.member(peerOfObject(object)).mesh !== 'linkerd') continue;
    for (const container of itemsOf(podTemplateOf(object)?.pod.spec['containers']))
      for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
        const port = valueAt(container, [probe, 'grpc', 'port']);
        if (typeof port === 'number') yield { object, port, container: String(valueAt(container, ['name'])) };
      }
  }
}

function objectsFor(
  scene: MeshScene,
  open: readonly OpenPort[],
): { servers: KubeObject[]; authorizations: KubeObject[] } {
  const names = new Names();
  const servers: KubeObject[] = [];
  const authorizations: KubeObject[] = [];
  for (const { object, port, identities, networks } of open) {
    const namespace = namespaceOf(object);
    const labels = scene.workloads.selector(object);
    if (labels === undefined) {
      continue;
    }
    const name = names.of(namespace, `${nameOf(object)}-${port}`, object.kind);
    servers.push(
      linkerd('Server', 'v1beta3', name, namespace, {
        podSelector: { matchLabels: sorted(labels) },
        port,
        ...(isOpaque(object, port) ? { proxyProtocol: 'opaque' } : {}),
      }),
    );
    const policy = (suffix: string, kind: string): KubeObject =>
      linkerd('AuthorizationPolicy', 'v1alpha1', `${name}-${suffix}`, namespace, {
        targetRef: { group: POLICY, kind: 'Server', name },
        requiredAuthenticationRefs: [{ group: POLICY, kind, name: `${name}-${suffix}` }],
      });
    const anybody = networks.has('0.0.0.0/0');
    if (identities.size > 0 && !anybody) {
      const identityRefs = [...identities].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ref]) => ref);
      authorizations.push(
        linkerd('MeshTLSAuthentication', 'v1alpha1', `${name}-clients`, namespace, { identityRefs }),
        policy('clients', 'MeshTLSAuthentication'),
      );
    }
    if (networks.size > 0)
      authorizations.push(
        linkerd('NetworkAuthentication', 'v1alpha1', `${name}-networks`, namespace, {
          networks: [...networks].sort().map(cidr => ({ cidr })),
        }),
        policy('networks', 'NetworkAuthentication'),
      );
  }
  return { servers, authorizations };
}

function isOpaque(object: KubeObject, port: number): boolean {
  const stated = valueAt(podTemplateOf(object)?.pod.metadata, ['annotations', OPAQUE_PORTS]);
  return isOpaquePort(typeof stated === 'string' ? stated : undefined, port);
}

function linkerd(kind: string, version: string, name: string, namespace: string, spec: object): KubeObject {
  return { apiVersion: `${POLICY}/${version}`, kind, metadata: { name, namespace }, spec };
}
