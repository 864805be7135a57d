/**
 * networking.k8s.io/v1 NetworkPolicy, with the defaults and the refusals of the API server.
 * Source: pkg/apis/networking/v1/defaults.go and pkg/apis/networking/validation/validation.go of Kubernetes.
 */
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import { MAYBE } from './labels.ts';
import {
  blockAt,
  blockWithout,
  type Direction,
  listAt,
  orUncertain,
  type Peer,
  type PodsPeer,
  type Policy,
  type PortSpec,
  portNumber,
  portSpec,
  protocolOf,
  Refusal,
  type Rule,
  recordOf,
  selectorAt,
} from './policy.ts';
import { LAST_PORT, type PortRange } from './ports.ts';

const PORT_NAME = /^(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/;
const PEERS = { ingress: 'from', egress: 'to' } as const;
const SPEC: Path = ['spec'];

/** The form of before Kubernetes 1.16 has the same fields. */
const VERSIONS: readonly string[] = ['networking.k8s.io/v1', 'extensions/v1beta1'];

/** @param namespace where the policy stands, defaulted by the caller */
export function compileNetworkPolicy(object: KubeObject, namespace: string): Policy {
  const subject = (): PodsPeer => {
    const spec = isRecord(object['spec']) ? object['spec'] : {};
    const pods = selectorAt(spec['podSelector'], [...SPEC, 'podSelector']);
    return { is: 'pods', namespace, pods, hostNetwork: MAYBE };
  };
  const scope = (): PodsPeer => {
    try {
      return subject();
    } catch (error) {
      if (error instanceof Refusal) return { is: 'pods', namespace, hostNetwork: MAYBE };
      throw error;
    }
  };
  return orUncertain(object, 'namespaced', scope, () => {
    if (!VERSIONS.includes(object.apiVersion))
      throw new Refusal(['apiVersion'], `NetworkPolicy of ${object.apiVersion} is not known`);
    const spec = recordOf(object['spec'] ?? {}, SPEC);
    const rules = (direction: Direction): Rule[] =>
      listAt(spec, direction, SPEC).map((rule, index) =>
        compileRule(rule, [...SPEC, direction, index], PEERS[direction], namespace),
      );
    const ingress = rules('ingress');
    const egress = rules('egress');
    const types = policyTypes(spec, egress.length > 0);
    return {
      object,
      tier: 'namespaced',
      priority: 0,
      subject: subject(),
      ingress: types.has('Ingress') ? ingress : undefined,
      egress: types.has('Egress') ? egress : undefined,
    };
  });
}

function policyTypes(spec: Readonly<Record<string, unknown>>, hasEgress: boolean): ReadonlySet<unknown> {
  const path = [...SPEC, 'policyTypes'];
  const types = listAt(spec, 'policyTypes', SPEC);
  if (types.length === 0) return new Set(hasEgress ? ['Ingress', 'Egress'] : ['Ingress']);
  if (types.length > 2) throw new Refusal(path, 'policyTypes has more than two items');
  for (const [index, type] of types.entries())
    if (type !== 'Ingress' && type !== 'Egress')
      throw new Refusal(
        [...path, index],
        `policy type ${JSON.stringify(type)} is neither Ingress nor Egress`,
      );
  return new Set(types);
}

function compileRule(value: unknown, path: Path, field: 'from' | 'to', namespace: string): Rule {
  const rule = recordOf(value ?? {}, path);
  const peers = listAt(rule, field, path).map((peer, index) => {
    const at = [...path, field, index];
    return { path: at, peer: compilePeer(recordOf(peer, at), at, namespace) };
  });
  return {
    action: 'accept',
    path,
    peers: peers.length === 0 ? undefined : peers,
    ports: compilePorts(listAt(rule, 'ports', path), [...path, 'ports']),
  };
}

function compilePeer(peer: Readonly<Record<string, unknown>>, path: Path, namespace: string): Peer {
  const { ipBlock = null, namespaceSelector = null, podSelector = null } = peer;
  if (ipBlock !== null) {
    if (namespaceSelector !== null || podSelector !== null)
      throw new Refusal(path, 'a peer with ipBlock may not have a selector');
    return compileBlock(recordOf(ipBlock, [...path, 'ipBlock']), [...path, 'ipBlock']);
  }
  if (namespaceSelector === null && podSelector === null)
    throw new Refusal(path, 'a peer has one of ipBlock, namespaceSelector, podSelector');
  return {
    is: 'pods',
    ...(namespaceSelector === null
      ? { namespace }
      : { namespaces: selectorAt(namespaceSelector, [...path, 'namespaceSelector']) }),
    ...(podSelector === null ? {} : { pods: selectorAt(podSelector, [...path, 'podSelector']) }),
    hostNetwork: MAYBE,
  };
}

function compileBlock(ipBlock: Readonly<Record<string, unknown>>, path: Path): Peer {
  const block = blockAt(ipBlock['cidr'], [...path, 'cidr']);
  const exceptions = listAt(ipBlock, 'except', path).map((except, index) => {
    const at: Path = [...path, 'except', index];
    return [blockAt(except, at), at] as [ReturnType<typeof blockAt>, Path];
  });
  return { is: 'addresses', set: blockWithout(block, exceptions), podsOpen: true };
}

function compilePorts(ports: readonly unknown[], path: Path): PortSpec | undefined {
  if (ports.length === 0) return undefined;
  return portSpec(
    ports.map((value, index) => {
      const at = [...path, index];
      const item = recordOf(value, at);
      const protocol = protocolOf(item['protocol'], [...at, 'protocol']);
      const { port = null, endPort = null } = item;
      if (port === null) {
        if (endPort !== null) throw new Refusal([...at, 'endPort'], 'endPort needs port');
        return { protocol, range: [1, LAST_PORT] as PortRange };
      }
      if (typeof port === 'string') {
        if (endPort !== null) throw new Refusal([...at, 'endPort'], 'endPort needs a numeric port');
        if (port.length > 15 || !PORT_NAME.test(port))
          throw new Refusal([...at, 'port'], `"${port}" is not a valid port name`);
        return { name: port, protocol };
      }
      const first = portNumber(port, [...at, 'port']);
      const last = endPort === null ? first : portNumber(endPort, [...at, 'endPort']);
      if (last < first) throw new Refusal([...at, 'endPort'], 'endPort is below port');
      return { protocol, range: [first, last] as PortRange };
    }),
  );
}
