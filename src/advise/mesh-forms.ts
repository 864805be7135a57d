/**
 * Policies for what has to work, in the forms that are asked for, with the stages in which they can be applied without
 * breaking anybody, and a proof of the end and of each stage.
 */
import { createMesh, type MeshOptions, TUNNEL_PORT } from '#decide/mesh/door.ts';
import { createNetwork, formatPorts, type NetworkOptions } from '#decide/network/door.ts';
import { endpointId, namespaceOf } from '#decide/network/inventory.ts';
import { groupOf, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { istioPolicies } from './mesh-istio.ts';
import { linkerdPolicies } from './mesh-linkerd.ts';
import {
  closable,
  type Dataplane,
  enrolled,
  isNamespace,
  type MeshName,
  type MeshPolicies,
  type PlaintextPort,
} from './mesh-parts.ts';
import { proveMesh, type Remaining, unmetNeeds } from './mesh-proof.ts';
import {
  adviseNetworkPolicies,
  allowBeside,
  DENY_ALL,
  type Surplus,
  type Unmet,
  unmetConnections,
} from './network.ts';
import { asPackets, asScraped, meshNeeds, withTunnels } from './network-mesh.ts';
import { actorsOf, idOf, type Need } from './network-needs.ts';
import { lessThose, Workloads } from './network-workloads.ts';

export type Form = 'network-policy' | MeshName;

export interface FormOptions {
  /** The layers to write; of two meshes only one. */
  readonly forms: readonly Form[];
  readonly namespaces?: readonly string[];
  /** How workloads that are in no mesh yet join Istio's. */
  readonly dataplane?: Dataplane;
  readonly mesh?: MeshOptions;
  readonly network?: NetworkOptions;
}

/** Objects to apply together, and what to see before the next. */
export interface Stage {
  /** `10-allow.yaml` */
  readonly file: string;
  readonly title: string;
  readonly objects: readonly KubeObject[];
  readonly watch: readonly string[];
  /** The needs that would not surely work once it is applied: none, in a roll-out that breaks nobody. */
  readonly unmet: readonly Unmet[];
}

export interface PolicyAdvice {
  /** What has to work, with what the mesh itself needs. */
  readonly needs: readonly Need[];
  readonly stages: readonly Stage[];
  /** What is there in the end. */
  readonly policies: readonly KubeObject[];
  /** Objects of the input to delete at the end. */
  readonly replaced: readonly KubeObject[];
  readonly unmet: readonly Unmet[];
  readonly remaining: readonly Remaining[];
  readonly plaintext: readonly PlaintextPort[];
  readonly notes: readonly string[];
  /** The cluster as it is in the end. */
  readonly after: readonly KubeObject[];
}

interface Layer {
  readonly stages: readonly Omit<Stage, 'unmet'>[];
  readonly policies: readonly KubeObject[];
  readonly replaced: readonly KubeObject[];
  readonly unmet: readonly Unmet[];
  readonly remaining: readonly Remaining[];
  readonly plaintext: readonly PlaintextPort[];
  readonly notes: readonly string[];
}

/**
 * @param stated the connections that have to work, those of the mesh itself left out
 * @throws NeedError where a need names what the input does not have
 */
export function advisePolicies(
  objects: readonly KubeObject[],
  stated: readonly Need[],
  options: FormOptions,
): PolicyAdvice {
  const mesh = options.forms.find(form => form !== 'network-policy');
  const closed = mesh === undefined ? [] : closable(objects, options.namespaces);
  const start =
    mesh === undefined
      ? { objects, changed: [] }
      : enrolled(objects, closed, mesh, options.dataplane ?? 'sidecar');
  const joined = createMesh(start.objects, options.mesh);
  const needs =
    mesh === undefined
      ? uniqueNeeds(stated)
      : uniqueNeeds([
          ...asScraped(stated, start.objects, joined),
          ...meshNeeds(start.objects, joined, closed),
        ]);
  const layers: Layer[] = [];
  let now = start.objects;
  if (options.forms.includes('network-policy')) {
    const layer = networkLayer(now, needs, options);
    layers.push(layer);
    now = [...lessThose(now, layer.replaced), ...layer.policies];
  } else if (mesh !== undefined) {
    const layer = meshNetworkLayer(now, objects, stated, needs, closed, mesh, options);
    layers.push(layer);
    now = [...now, ...layer.policies];
  }
  if (mesh !== undefined) {
    const layer = meshLayer(now, needs, closed, mesh, options);
    layers.push(layer);
    now = [...lessThose(now, layer.replaced), ...layer.policies];
  }
  const stages = proveStages(
    objects,
    inOrder(
      layers,
      start.changed,
      mesh,
      options,
      objects.some(({ kind }) => /^(?:Cron)?Job$/.test(kind)),
    ),
    needs,
    options,
    mesh,
  );
  const policies = layers.flatMap(layer => layer.policies);
  return {
    needs,
    stages,
    policies: [...start.changed.filter(one => !policies.some(other => isSame(one, other))), ...policies],
    replaced: layers
      .flatMap(layer => layer.replaced)
      .filter(object => !policies.some(policy => isSame(policy, object))),
    unmet: layers.flatMap(layer => layer.unmet),
    // A caller that one layer keeps out is out: only what the last layer, asked about all of them, lets in is left.
    remaining: [
      ...(mesh === undefined ? [] : layers.slice(0, -1).flatMap(layer => layer.remaining.filter(isOutgoing))),
      ...(layers.at(-1)?.remaining ?? []),
    ],
    plaintext: layers.flatMap(layer => layer.plaintext),
    notes: [...new Set(layers.flatMap(layer => layer.notes))],
    after: now,
  };
}

function uniqueNeeds(needs: readonly Need[]): Need[] {
  return [...new Map(needs.map(need => [JSON.stringify(need), need])).values()];
}

/** A proxy asks its control plane from the moment it is there: the network has to let it before. */
function inOrder(
  layers: readonly Layer[],
  changed: readonly KubeObject[],
  mesh: MeshName | undefined,
  options: FormOptions,
  hasJobs: boolean,
): Omit<Stage, 'unmet'>[] {
  const stages = layers.flatMap(layer => layer.stages);
  if (changed.length === 0 || mesh === undefined) return stages;
  const before = layers[0]!.stages.length;
  return [...stages.slice(0, before), enrolment(changed, mesh, options, hasJobs), ...stages.slice(before)];
}

/** What network policies leave open towards addresses, which no mesh restricts. */
function isOutgoing({ to }: Remaining): boolean {
  return /^(?:[\d.]+|[\da-f:]+)(?:[/-]|$)/.test(to);
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return (
    a.kind === b.kind &&
    groupOf(a.apiVersion) === groupOf(b.apiVersion) &&
    nameOf(a) === nameOf(b) &&
    (isNamespace(a) || namespaceOf(a) === namespaceOf(b))
  );
}

function networkLayer(objects: readonly KubeObject[], needs: readonly Need[], options: FormOptions): Layer {
  const mesh = options.forms.find(form => form !== 'network-policy');
  const packets = withTunnels(needs, createMesh([...objects, ...actorsOf(needs, mesh)], options.mesh));
  const advice = adviseNetworkPolicies(objects, packets.needs, {
    ...options.network,
    ...(options.namespaces === undefined ? {} : { namespaces: options.namespaces }),
  });
  const isDeny = ({ metadata }: KubeObject): boolean => metadata?.name === DENY_ALL;
  const [allow, deny] = [advice.policies.filter(policy => !isDeny(policy)), advice.policies.filter(isDeny)];
  const staged = hasCalico(objects) ? [calicoStage([...allow, ...deny])] : [];
  return {
    policies: [...allow, ...deny],
    replaced: advice.replaced,
    unmet: advice.unmet,
    remaining: advice.surplus.map(remainingOf),
    plaintext: [],
    notes: [
      ...beyondPolicies(objects, [...new Set(advice.policies.map(namespaceOf))]),
      ...(packets.tunnel === undefined
        ? []
        : [
            `between workloads of the mesh the network sees the tunnel only (port ${packets.tunnel}): it tells them apart, not their ports; the policies of --as ${packets.tunnel === TUNNEL_PORT ? 'istio' : 'linkerd'} do`,
          ]),
    ],
    stages: [
      ...staged,
      {
        file: '10-allow.yaml',
        title: 'Network: what is needed is allowed',
        objects: allow,
        watch: [
          'each workload that a policy selects is closed to everything else from now on; the others are as open as before',
          'watch for dropped packets: hubble observe --verdict DROPPED, the flow logs of Calico (action deny), or time-outs in the logs of clients',
          'to go back: kubectl delete -f 10-allow.yaml',
        ],
      },
      {
        file: '20-default-deny.yaml',
        title: 'Network: everything else is denied',
        objects: deny,
        watch: ['to go back: kubectl delete -f 20-default-deny.yaml'],
      },
    ],
  };
}

/** Workloads of the closed namespaces that no policy can name, or that none reaches. */
function beyondPolicies(objects: readonly KubeObject[], closed: readonly string[]): string[] {
  const workloads = new Workloads(objects);
  const found: string[] = [];
  for (const object of workloads.all()) {
    if (!closed.includes(namespaceOf(object))) continue;
    const id = endpointId(object);
    if (valueAt(podTemplateOf(object)?.pod.spec, ['hostNetwork']) === true)
      found.push(
        `${id} is in the network of its node: no policy restricts it, and the proof says nothing of it`,
      );
    else if (workloads.selector(object) === undefined)
      found.push(
        `${id}: its pods have no labels, so no policy can name them: they get what every pod of the namespace gets; give the template a label`,
      );
  }
  return found;
}

/**
 * NetworkPolicies of the input stay where only a mesh is asked for; what the mesh itself puts on the network, and they
 * would stop, is allowed beside them: proxies ask their control plane, connections that work today go into tunnels.
 */
function meshNetworkLayer(
  objects: readonly KubeObject[],
  today: readonly KubeObject[],
  stated: readonly Need[],
  needs: readonly Need[],
  closed: readonly string[],
  mesh: MeshName,
  options: FormOptions,
): Layer {
  const own = new Set(stated.map(need => JSON.stringify(need)));
  const before = createNetwork([...today, ...actorsOf(stated, undefined)], options.network);
  // What the network stops today is not the mesh's matter: the proof says that it is stopped.
  const stopped = new Set(unmetConnections(stated, before).map(({ need }) => JSON.stringify(need)));
  const working = needs.filter(need => !stopped.has(JSON.stringify(need)));
  const packets = asPackets(working, createMesh([...objects, ...actorsOf(needs, mesh)], options.mesh)).needs;
  const ofMesh = packets.filter(need => !own.has(JSON.stringify(need)));
  const policies = allowBeside(objects, ofMesh, new Set(closed), options.network ?? {});
  return {
    policies,
    replaced: [],
    unmet: [],
    remaining: [],
    plaintext: [],
    notes:
      policies.length === 0
        ? []
        : [
            `the input's own NetworkPolicies stay, and stop what the mesh itself sends: ${policies.map(one => `${namespaceOf(one)}/${nameOf(one)}`).join(', ')} let${policies.length === 1 ? 's' : ''} it through`,
          ],
    stages:
      policies.length === 0
        ? []
        : [
            {
              file: '15-mesh-network.yaml',
              title: 'Network: what the mesh itself sends is allowed',
              objects: policies,
              watch: [
                'before any pod gets a proxy: without it, a proxy whose control plane is out of reach does not start, and its pod neither',
                'to go back: kubectl delete -f 15-mesh-network.yaml',
              ],
            },
          ],
  };
}

function remainingOf({ from, to, ports, certain, why }: Surplus): Remaining {
  return { from: [from], to, ports: formatPorts(ports), certain, why };
}

function hasCalico(objects: readonly KubeObject[]): boolean {
  return objects.some(({ apiVersion }) => /(?:^|\.)projectcalico\.org\//.test(apiVersion));
}

/** Source: projectcalico/calico api/pkg/apis/projectcalico/v3/stagedkubernetesnetworkpolicy.go. */
function calicoStage(policies: readonly KubeObject[]): Omit<Stage, 'unmet'> {
  return {
    file: '05-staged.yaml',
    title: 'Network: Calico logs what the policies would deny',
    objects: policies.map(policy => ({
      ...policy,
      apiVersion: 'projectcalico.org/v3',
      kind: 'StagedKubernetesNetworkPolicy',
      spec: { stagedAction: 'Set', ...(policy['spec'] as object) },
    })),
    watch: [
      'nothing is denied yet: look at the flow logs for pending policies that deny, and add what is missing with --flows',
      'delete these before the next step: kubectl delete -f 05-staged.yaml',
    ],
  };
}

function meshLayer(
  objects: readonly KubeObject[],
  needs: readonly Need[],
  closed: readonly string[],
  mesh: MeshName,
  options: FormOptions,
): Layer {
  const task = { objects, needs, closed, options: options.mesh ?? {} };
  const made = mesh === 'istio' ? istioPolicies(task) : linkerdPolicies(task);
  const policies =
    mesh === 'istio'
      ? [...made.allow, ...made.deny, ...made.strict]
      : [...made.allow.filter(({ kind }) => kind !== 'Server'), ...made.deny, ...made.strict];
  const { unmet, remaining } = proveMesh({
    objects: [...lessThose(objects, made.replaced), ...policies],
    needs,
    closed,
    mesh,
    plaintext: made.plaintext,
    ...(options.mesh === undefined ? {} : { meshOptions: options.mesh }),
    ...(options.network === undefined ? {} : { networkOptions: options.network }),
  });
  // What ends at pods that the input does not hold, and UDP, no proxy decides: the network alone does.
  const aside = needs.filter(({ to, protocol = 'TCP' }) => protocol !== 'TCP' || 'labels' in to);
  const network = createNetwork([...objects, ...actorsOf(needs, mesh)], options.network);
  return {
    policies,
    replaced: made.replaced,
    unmet: [...(options.forms.includes('network-policy') ? [] : unmetConnections(aside, network)), ...unmet],
    remaining,
    plaintext: made.plaintext,
    notes: [...made.notes, ...beyondPolicies(objects, closed)],
    stages: mesh === 'istio' ? istioStages(made, closed, objects, options) : linkerdStages(made),
  };
}

const RESTART =
  'pods get it when they start: kubectl -n NAMESPACE rollout restart deployment,statefulset,daemonset';

function enrolment(
  changed: readonly KubeObject[],
  mesh: MeshName,
  { dataplane }: FormOptions,
  hasJobs: boolean,
): Omit<Stage, 'unmet'> {
  const ambient = mesh === 'istio' && dataplane === 'ambient';
  return {
    file: '25-enrol.yaml',
    title: `Mesh: the namespaces join ${mesh === 'istio' ? 'Istio' : 'Linkerd'}`,
    objects: changed,
    watch: [
      'these are your Namespaces with one line more: change your own manifests likewise',
      ambient ? 'no restart: ztunnel takes the connections of running pods too' : RESTART,
      ...(hasJobs && !ambient
        ? ['pods of Jobs end only where the proxy is a native sidecar (an init container that keeps running)']
        : []),
      mesh === 'istio'
        ? 'wait until all pods are in the mesh: istioctl proxy-status, or istioctl ztunnel-config workloads'
        : 'wait until all pods are in the mesh: linkerd check --proxy',
    ],
  };
}

function istioStages(
  { lenient, allow, deny, strict, plaintext }: MeshPolicies,
  closed: readonly string[],
  objects: readonly KubeObject[],
  { dataplane }: FormOptions,
): Omit<Stage, 'unmet'>[] {
  const ambient = dataplane === 'ambient' || isAmbient(objects);
  const dryRun = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, annotations: { 'istio.io/dry-run': 'true' } },
  });
  const withPlaintext = (namespace: string): number =>
    plaintext.filter(({ to }) => to.startsWith(`${namespace}/`)).length;
  const order = [...closed].sort((a, b) => withPlaintext(a) - withPlaintext(b) || (a < b ? -1 : 1));
  return [
    ...(lenient.length === 0
      ? []
      : [
          {
            file: '30-permissive.yaml',
            title: 'Istio: both mutual TLS and plain text are taken',
            objects: lenient,
            watch: [
              'callers in the mesh now come with mutual TLS; find those that do not: istio_requests_total and istio_tcp_connections_opened_total with reporter="destination" and connection_security_policy="none"',
            ],
          },
        ]),
    ...(ambient
      ? []
      : [
          {
            file: '40-dry-run.yaml',
            title: 'Istio: the rules are tried, and only logged',
            objects: [...allow, ...deny].map(dryRun),
            watch: [
              'watch the metrics envoy_http_inbound_…_rbac with authz_dry_run_action="allow" and authz_dry_run_result="denied": what they count would be denied',
              'missing callers: write them down (from,to,port) and give the file to mesh advise --flows',
            ],
          },
        ]),
    {
      file: '50-allow.yaml',
      title: 'Istio: callers are allowed by identity and port',
      objects: allow,
      watch: [
        ...(ambient
          ? [
              'ambient mode has no dry run: apply it namespace by namespace, and watch the log of ztunnel for "policy rejection"',
            ]
          : []),
        'each workload that a policy selects is closed to everybody else from now on: watch response code 403 and the flag UAEX, or RBAC: access denied in the logs',
        'to go back: kubectl delete -f 50-allow.yaml',
      ],
    },
    {
      file: '60-allow-nothing.yaml',
      title: 'Istio: nothing else is allowed',
      objects: deny,
      watch: ['to go back: kubectl delete -f 60-allow-nothing.yaml'],
    },
    ...order.map((namespace, index) => ({
      file: `${Math.min(70 + index, 99)}-strict-${namespace}.yaml`,
      title: `Istio: mutual TLS only, in namespace ${namespace}`,
      objects: strict.filter(object => namespaceOf(object) === namespace),
      watch: [
        ...plaintext
          .filter(({ to }) => to.startsWith(`${namespace}/`))
          .map(
            ({ to, port, callers }) =>
              `${to} keeps port ${port} open to plain text, for ${callers.join(', ')}`,
          ),
        'before: connection_security_policy="none" has been zero for as long as your rarest job needs',
        `to go back: set the mode of the PeerAuthentication in ${namespace} to PERMISSIVE`,
      ],
    })),
  ];
}

function isAmbient(objects: readonly KubeObject[]): boolean {
  return objects.some(
    object => isNamespace(object) && object.metadata?.labels?.['istio.io/dataplane-mode'] === 'ambient',
  );
}

function linkerdStages({ lenient, allow, deny, strict, plaintext }: MeshPolicies): Omit<Stage, 'unmet'>[] {
  return [
    {
      file: '30-audit.yaml',
      title: 'Linkerd: what no Server covers is let in and logged',
      objects: lenient,
      watch: [RESTART, 'the default policy of a pod is that of its namespace when it was injected'],
    },
    {
      file: '40-allow-audited.yaml',
      title: 'Linkerd: callers are allowed by identity; the others are let in and logged',
      objects: allow,
      watch: [
        'watch inbound_http_authz_allow_total and inbound_tcp_authz_allow_total with authz_name="audit": whoever they count would be denied',
        'missing callers: write them down (from,to,port) and give the file to mesh advise --flows',
      ],
    },
    {
      file: '50-deny.yaml',
      title: 'Linkerd: each Server denies everybody else',
      objects: deny,
      watch: [
        ...plaintext.map(
          ({ to, port, callers }) =>
            `${to} keeps port ${port} open to callers without an identity, for ${callers.join(', ')}`,
        ),
        'watch inbound_http_authz_deny_total and inbound_tcp_authz_deny_total',
        'to go back: kubectl apply -f 40-allow-audited.yaml',
      ],
    },
    {
      file: '60-default-deny.yaml',
      title: 'Linkerd: ports without a Server are closed',
      objects: strict,
      watch: [
        RESTART,
        'with the extension viz: linkerd viz allow-scrapes --namespace NAMESPACE | kubectl apply -f -, or the metrics of the proxies stop',
        'to go back: kubectl apply -f 30-audit.yaml, and restart',
      ],
    },
  ];
}

/** Each stage on top of those before, nothing deleted yet. What a stage cannot touch is not asked again. */
function proveStages(
  objects: readonly KubeObject[],
  stages: readonly Omit<Stage, 'unmet'>[],
  needs: readonly Need[],
  options: FormOptions,
  mesh: MeshName | undefined,
): Stage[] {
  let now = objects;
  let onNetwork: readonly Unmet[] = [];
  let inMesh: readonly Unmet[] | undefined;
  return stages.map((stage, index) => {
    now = [...now.filter(one => !stage.objects.some(other => isSame(one, other))), ...stage.objects];
    const joins = stage.objects.some(isNamespace);
    if (index === 0 || joins || stage.objects.some(({ kind }) => kind === 'NetworkPolicy'))
      onNetwork = unmetConnections(
        asPackets(needs, createMesh([...now, ...actorsOf(needs, mesh)], options.mesh)).needs,
        createNetwork([...now, ...actorsOf(needs, mesh)], options.network),
      );
    if (mesh === undefined || onNetwork.length > 0) return { ...stage, unmet: onNetwork };
    const before = inMesh;
    const touched = new Set(stage.objects.map(one => (isNamespace(one) ? nameOf(one) : namespaceOf(one))));
    const concerns = ({ from, to }: Need): boolean => {
      const [source, target] = [idOf(from), idOf(to)].map(id => id?.split('/', 1)[0] ?? '');
      return before === undefined || touched.has(target!) || (joins && touched.has(source!));
    };
    inMesh = [
      ...(before ?? []).filter(({ need }) => !concerns(need)),
      ...unmetNeeds({
        objects: now,
        needs: needs.filter(concerns),
        closed: [],
        mesh,
        ...(options.mesh === undefined ? {} : { meshOptions: options.mesh }),
        ...(options.network === undefined ? {} : { networkOptions: options.network }),
      }),
    ];
    return { ...stage, unmet: inMesh };
  });
}
