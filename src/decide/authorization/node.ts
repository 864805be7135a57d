/**
 * The Node authorizer: a kubelet reads what its pods need. Sources: kubernetes
 * plugin/pkg/auth/authorizer/node/{node_authorizer,graph,graph_populator}.go, pkg/auth/nodeidentifier/default.go,
 * pkg/api/v1/pod/util.go (VisitPodSecretNames), pkg/api/v1/persistentvolume/util.go, and the static rules of
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (NodeRules).
 */
import { quoted } from '#kube/go-text.ts';
import {
  type Because,
  groupOf,
  isRecord,
  type KubeObject,
  nameOf,
  type Path,
  valueAt,
} from '#kube/objects.ts';
import type { Answer, Attributes, Authorizer, Holder, Rules, UserInfo } from './attributes.ts';
import type { Features } from './features.ts';
import { type PolicyRule, ruleAllows } from './rules.ts';

const PREFIX = 'system:node:';
const NODES = 'system:nodes';
const LEASES = 'kube-node-lease';
const MIRROR = 'kubernetes.io/config.mirror';

type Vertex =
  | 'pod'
  | 'secret'
  | 'configmap'
  | 'pvc'
  | 'pv'
  | 'resourceclaim'
  | 'volumeattachment'
  | 'resourceslice'
  | 'serviceaccount'
  | 'podcertificaterequest';

/** One step towards a node: to the node itself, or to what leads there. */
interface Edge {
  readonly to: { readonly node: string } | { readonly vertex: string };
  readonly because: Because;
}

function key(type: Vertex, namespace: string, name: string): string {
  return `${type}\0${namespace}\0${name}`;
}

/** What leads to which node. */
class Graph {
  readonly #edges = new Map<string, Edge[]>();
  readonly #nodes = new Set<string>();

  constructor(objects: readonly KubeObject[]) {
    // The last declaration of an object is the one that is left after all were applied.
    const last = new Map<string, KubeObject>();
    for (const object of objects) {
      const kind = KINDS[`${groupOf(object.apiVersion)}/${object.kind}`];
      if (kind !== undefined) last.set(`${kind}\0${namespaceOf(object)}\0${nameOf(object)}`, object);
    }
    for (const object of last.values()) {
      switch (object.kind) {
        case 'Pod':
          this.#pod(object);
          break;
        case 'PersistentVolume':
          this.#volume(object);
          break;
        case 'VolumeAttachment':
          this.#direct('volumeattachment', '', object);
          break;
        case 'ResourceSlice':
          this.#direct('resourceslice', '', object);
          break;
        case 'PodCertificateRequest':
          this.#direct('podcertificaterequest', namespaceOf(object), object);
          break;
      }
    }
  }

  #add(from: string, to: Edge['to'], object: KubeObject, path: Path, text: string): void {
    if ('node' in to) this.#nodes.add(to.node);
    const edges = this.#edges.get(from);
    const edge = { to, because: { object, path, text } };
    if (edges === undefined) this.#edges.set(from, [edge]);
    else edges.push(edge);
  }

  #direct(type: Vertex, namespace: string, object: KubeObject): void {
    const node = textAt(object, ['spec', 'nodeName']);
    if (node === '') return;
    this.#add(
      key(type, namespace, nameOf(object)),
      { node },
      object,
      ['spec', 'nodeName'],
      `${object.kind} ${quoted(nameOf(object))} belongs to node ${quoted(node)}`,
    );
  }

  #pod(pod: KubeObject): void {
    const node = textAt(pod, ['spec', 'nodeName']);
    if (node === '') return;
    const namespace = namespaceOf(pod);
    const vertex = key('pod', namespace, nameOf(pod));
    this.#add(
      vertex,
      { node },
      pod,
      ['spec', 'nodeName'],
      `Pod ${quoted(`${namespace}/${nameOf(pod)}`)} runs on node ${quoted(node)}`,
    );
    // A node must not be able to create a pod that gives it more.
    const { annotations } = pod.metadata ?? {};
    if (isRecord(annotations) && Object.hasOwn(annotations, MIRROR)) return;
    for (const { type, name, path } of usesOf(pod))
      this.#add(
        key(type, namespace, name),
        { vertex },
        pod,
        path,
        `Pod ${quoted(`${namespace}/${nameOf(pod)}`)} uses ${type} ${quoted(name)}`,
      );
  }

  #volume(volume: KubeObject): void {
    const claim = valueAt(volume, ['spec', 'claimRef']);
    if (!isRecord(claim)) return;
    const claimNamespace = textAt(claim, ['namespace']);
    const vertex = key('pv', '', nameOf(volume));
    this.#add(
      vertex,
      { vertex: key('pvc', claimNamespace, textAt(claim, ['name'])) },
      volume,
      ['spec', 'claimRef'],
      `PersistentVolume ${quoted(nameOf(volume))} is bound`,
    );
    for (const { namespace, name, path } of secretsOfVolume(volume, claimNamespace))
      this.#add(
        key('secret', namespace, name),
        { vertex },
        volume,
        path,
        `PersistentVolume ${quoted(nameOf(volume))} uses secret ${quoted(name)}`,
      );
  }

  /** The nodes that something leads to. */
  get nodes(): Iterable<string> {
    return this.#nodes;
  }

  /** The steps from an object to a node; undefined where there are none. */
  wayTo(node: string, from: string): readonly Because[] | undefined {
    if (!this.#nodes.has(node)) return undefined;
    const seen = new Set<string>();
    const walk = (vertex: string): Because[] | undefined => {
      if (seen.has(vertex)) return undefined;
      seen.add(vertex);
      for (const { to, because } of this.#edges.get(vertex) ?? []) {
        if ('node' in to) {
          if (to.node === node) return [because];
          continue;
        }
        const rest = walk(to.vertex);
        if (rest !== undefined) return [because, ...rest];
      }
      return undefined;
    };
    return walk(from);
  }
}

const KINDS: Readonly<Record<string, string>> = {
  '/Pod': 'pod',
  '/PersistentVolume': 'pv',
  'storage.k8s.io/VolumeAttachment': 'va',
  'resource.k8s.io/ResourceSlice': 'slice',
  'certificates.k8s.io/PodCertificateRequest': 'pcr',
};

function namespaceOf(object: KubeObject): string {
  const namespace = object.metadata?.namespace;
  return typeof namespace === 'string' ? namespace : '';
}

function textAt(value: unknown, path: Path): string {
  const text = valueAt(value, path);
  return typeof text === 'string' ? text : '';
}

function listAt(value: unknown, path: Path): readonly unknown[] {
  const list = valueAt(value, path);
  return Array.isArray(list) ? list : [];
}

interface Use {
  readonly type: Vertex;
  readonly name: string;
  readonly path: Path;
}

/** Where a volume names a secret; the first source that is there is the volume's. */
const VOLUME_SECRETS: readonly (readonly [string, Path])[] = [
  ['azureFile', ['secretName']],
  ['cephfs', ['secretRef', 'name']],
  ['cinder', ['secretRef', 'name']],
  ['flexVolume', ['secretRef', 'name']],
  ['projected', []],
  ['rbd', ['secretRef', 'name']],
  ['secret', ['secretName']],
  ['scaleIO', ['secretRef', 'name']],
  ['iscsi', ['secretRef', 'name']],
  ['storageos', ['secretRef', 'name']],
  ['csi', ['nodePublishSecretRef', 'name']],
];

/** The secrets, config maps, claims and the account that a pod names. */
function usesOf(pod: KubeObject): Use[] {
  const uses: Use[] = [];
  const use = (type: Vertex, path: Path): void => {
    const name = textAt(pod, path);
    if (name !== '') uses.push({ type, name, path });
  };
  use('serviceaccount', ['spec', 'serviceAccountName']);
  const each = (path: Path, visit: (path: Path, item: unknown) => void): void =>
    listAt(pod, path).forEach((item, index) => void visit([...path, index], item));
  each(['spec', 'imagePullSecrets'], path => use('secret', [...path, 'name']));
  for (const containers of ['initContainers', 'containers', 'ephemeralContainers'])
    each(['spec', containers], container => {
      each([...container, 'envFrom'], path => {
        use('secret', [...path, 'secretRef', 'name']);
        use('configmap', [...path, 'configMapRef', 'name']);
      });
      each([...container, 'env'], path => {
        use('secret', [...path, 'valueFrom', 'secretKeyRef', 'name']);
        use('configmap', [...path, 'valueFrom', 'configMapKeyRef', 'name']);
      });
    });
  each(['spec', 'volumes'], (path, volume) => {
    if (!isRecord(volume)) return;
    const source = VOLUME_SECRETS.find(([name]) => isRecord(volume[name]));
    if (source !== undefined && source[0] !== 'projected') use('secret', [...path, source[0], ...source[1]]);
    if (isRecord(volume['projected']))
      each([...path, 'projected', 'sources'], projection => {
        if (source?.[0] === 'projected') use('secret', [...projection, 'secret', 'name']);
        use('configmap', [...projection, 'configMap', 'name']);
      });
    else use('configmap', [...path, 'configMap', 'name']);
    if (isRecord(volume['persistentVolumeClaim']))
      use('pvc', [...path, 'persistentVolumeClaim', 'claimName']);
    else if (isRecord(volume['ephemeral']))
      uses.push({
        type: 'pvc',
        name: `${nameOf(pod)}-${textAt(volume, ['name'])}`,
        path: [...path, 'ephemeral'],
      });
  });
  each(['spec', 'resourceClaims'], (path, claim) => {
    if (!isRecord(claim)) return;
    if (typeof claim['resourceClaimName'] === 'string') use('resourceclaim', [...path, 'resourceClaimName']);
    else if (typeof claim['resourceClaimTemplateName'] === 'string') {
      const index = listAt(pod, ['status', 'resourceClaimStatuses']).findIndex(
        status => isRecord(status) && status['name'] === claim['name'],
      );
      if (index >= 0) use('resourceclaim', ['status', 'resourceClaimStatuses', index, 'resourceClaimName']);
    }
  });
  use('resourceclaim', ['status', 'extendedResourceClaimStatus', 'resourceClaimName']);
  return uses;
}

/** Sources of persistent volumes whose secret lies in the claim's namespace where it names none. */
const CLAIM_NAMESPACE = new Set(['cephfs', 'flexVolume', 'rbd', 'scaleIO', 'iscsi']);
const VOLUME_SOURCES = [
  'azureFile',
  'cephfs',
  'cinder',
  'flexVolume',
  'rbd',
  'scaleIO',
  'iscsi',
  'storageos',
  'csi',
];

/** The secrets of a volume that a kubelet needs; those of the controllers are none of its business. */
function secretsOfVolume(
  volume: KubeObject,
  claimNamespace: string,
): { readonly namespace: string; readonly name: string; readonly path: Path }[] {
  const spec = valueAt(volume, ['spec']);
  const source = VOLUME_SOURCES.find(name => isRecord(valueAt(spec, [name])));
  if (source === undefined) return [];
  const at = (path: Path) => textAt(spec, [source, ...path]);
  const secret = (name: string, namespace: string, path: Path) =>
    name === '' ? [] : [{ name, namespace, path: ['spec', source, ...path] }];
  if (source === 'azureFile')
    return secret(at(['secretName']), at(['secretNamespace']) || claimNamespace, ['secretName']);
  if (source === 'csi')
    return ['nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef'].flatMap(reference =>
      secret(at([reference, 'name']), at([reference, 'namespace']), [reference]),
    );
  const namespace = at(['secretRef', 'namespace']);
  return secret(
    at(['secretRef', 'name']),
    namespace === '' && CLAIM_NAMESPACE.has(source) ? claimNamespace : namespace,
    ['secretRef'],
  );
}

const READ = ['get', 'list', 'watch'];

function rule(apiGroups: string, resources: string, verbs: readonly string[]): PolicyRule {
  return { apiGroups: apiGroups.split(','), resources: resources.split(','), verbs };
}

/** What every node may do, whatever runs on it. */
function staticRules(features: Features): PolicyRule[] {
  return [
    rule('authentication.k8s.io', 'tokenreviews', ['create']),
    rule('authorization.k8s.io', 'localsubjectaccessreviews,subjectaccessreviews', ['create']),
    rule('', 'services', READ),
    rule('', 'nodes', ['create', ...READ, 'patch', 'update']),
    rule('', 'nodes/status', ['patch', 'update']),
    rule(',events.k8s.io', 'events', ['create', 'patch', 'update']),
    rule('', 'pods', [...READ, 'create', 'delete']),
    rule('', 'pods/status', ['patch', 'update']),
    rule('', 'pods/eviction', ['create']),
    rule('', 'endpoints', ['get']),
    rule('certificates.k8s.io', 'certificatesigningrequests', ['create', ...READ]),
    rule('storage.k8s.io', 'csidrivers', READ),
    rule('node.k8s.io', 'runtimeclasses', READ),
    ...(features.clusterTrustBundle ? [rule('certificates.k8s.io', 'clustertrustbundles', READ)] : []),
  ];
}

type Verdict = { readonly because: readonly Because[] } | string;

export class NodeAuthorizer implements Authorizer {
  readonly #graph: Graph;
  readonly #features: Features;
  readonly #rules: readonly PolicyRule[];

  /** @param objects Pods, PersistentVolumes, VolumeAttachments, ResourceSlices and PodCertificateRequests; others are ignored */
  constructor(objects: readonly KubeObject[], features: Features) {
    this.#graph = new Graph(objects);
    this.#features = features;
    this.#rules = staticRules(features);
  }

  authorize(attributes: Attributes): Answer {
    const node = nodeOf(attributes.user);
    if (node === undefined) return { decision: 'no-opinion', reason: '', because: [] };
    const verdict =
      node === ''
        ? `unknown node for user ${quoted(attributes.user.name ?? '')}`
        : this.#decide(node, attributes);
    return typeof verdict === 'string'
      ? { decision: 'no-opinion', reason: verdict, because: [] }
      : { decision: 'allow', reason: '', because: verdict.because };
  }

  /** Every node as a group where any node may; else those that may, of the input and of the request. */
  whoCan(request: Omit<Attributes, 'user'>): Holder[] {
    const asked = (node: string): Verdict =>
      this.#decide(node, { ...request, user: { name: `${PREFIX}${node}`, groups: [NODES] } });
    // No node is called like this: what is said of it holds for all.
    const any = asked('\0');
    if (typeof any !== 'string') return [{ kind: 'Group', name: NODES, because: any.because }];
    const nodes = new Set(this.#graph.nodes);
    for (const name of [request.name, ...(request.fieldSelector ?? []).map(({ value }) => value)])
      if (name !== undefined && name !== '') nodes.add(name);
    return [...nodes].flatMap(node => {
      const verdict = asked(node);
      return typeof verdict === 'string'
        ? []
        : [{ kind: 'User', name: `${PREFIX}${node}`, within: [NODES], because: verdict.because }];
    });
  }

  rulesFor(user: UserInfo): Rules {
    const none = { resourceRules: [], nonResourceRules: [] };
    return nodeOf(user) === undefined
      ? { ...none, incomplete: false }
      : { ...none, incomplete: true, error: 'node authorizer does not support user rule resolution' };
  }

  #decide(node: string, request: Attributes): Verdict {
    const features = this.#features;
    const { subresource = '', namespace = '' } = request;
    if (request.resourceRequest === true)
      switch (`${request.apiGroup ?? ''}/${request.resource ?? ''}`) {
        case '/secrets':
        case '/configmaps': {
          const type = request.resource === 'secrets' ? 'secret' : 'configmap';
          if (!READ.includes(request.verb ?? '')) return 'can only read resources of this type';
          if (subresource !== '') return 'cannot read subresource';
          if (namespace === '') return 'can only read namespaced object of this type';
          return this.#related(node, type, request);
        }
        case '/persistentvolumeclaims':
          if (subresource !== 'status') return this.#get(node, 'pvc', request);
          return request.verb === 'update' || request.verb === 'patch'
            ? this.#related(node, 'pvc', request)
            : 'can only get/update/patch this type';
        case '/persistentvolumes':
          return this.#get(node, 'pv', request);
        case 'resource.k8s.io/resourceclaims':
          return this.#get(node, 'resourceclaim', request);
        case 'storage.k8s.io/volumeattachments':
          return this.#get(node, 'volumeattachment', request);
        case '/serviceaccounts':
          return this.#account(node, request);
        case 'coordination.k8s.io/leases':
          return lease(node, request);
        case 'storage.k8s.io/csinodes':
          return this.#csiNode(node, request);
        case 'resource.k8s.io/resourceslices':
          return this.#slice(node, request);
        case '/nodes':
          if (features.authorizeNodeWithSelectors) return nodeObject(node, request);
          break;
        case '/pods':
          if (features.authorizeNodeWithSelectors) return this.#pod(node, request);
          break;
        case 'certificates.k8s.io/podcertificaterequests':
          if (features.podCertificateRequest) return this.#certificate(node, request);
          break;
      }
    return this.#rules.some(one => ruleAllows(one, request)) ? allowed('every node may') : '';
  }

  #related(node: string, type: Vertex, { namespace = '', name = '' }: Attributes): Verdict {
    if (name === '') return 'No Object name found';
    const because = this.#graph.wayTo(node, key(type, namespace, name));
    return because === undefined
      ? `no relationship found between node '${node}' and this object`
      : { because };
  }

  #get(node: string, type: Vertex, request: Attributes): Verdict {
    if (request.verb !== 'get') return 'can only get individual resources of this type';
    if ((request.subresource ?? '') !== '') return 'cannot get subresource';
    return this.#related(node, type, request);
  }

  #account(node: string, request: Attributes): Verdict {
    const { verb, subresource = '', name = '', namespace = '' } = request;
    if (this.#features.serviceAccountTokenForCredentialProviders && verb === 'get' && subresource === '') {
      if (namespace === '') return 'can only read namespaced object of this type';
      return this.#related(node, 'serviceaccount', request);
    }
    if (verb !== 'create' || name === '') return 'can only create tokens for individual service accounts';
    if (subresource !== 'token') return 'can only create token subresource of serviceaccount';
    return this.#related(node, 'serviceaccount', request);
  }

  #csiNode(node: string, { verb, subresource = '', name = '' }: Attributes): Verdict {
    if (subresource === 'status' && !this.#features.csiVolumeHealth && this.#features.minor >= 37)
      return 'CSINode status access requires CSIVolumeHealth feature';
    if (subresource !== '') return 'cannot authorize CSINode subresources';
    if (!WRITE.includes(verb ?? '')) return 'can only get, create, update, patch, or delete a CSINode';
    if (verb !== 'create' && name !== node)
      return 'can only access CSINode with the same name as the requesting node';
    return allowed('the CSINode of the node itself');
  }

  #slice(node: string, request: Attributes): Verdict {
    if ((request.subresource ?? '') !== '') return 'cannot authorize ResourceSlice subresources';
    switch (request.verb) {
      case 'create':
        return allowed('the NodeRestriction admission plugin looks at what is created');
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return this.#related(node, 'resourceslice', request);
      case 'watch':
      case 'list':
      case 'deletecollection':
        if (!this.#features.authorizeNodeWithSelectors || selects(request, ['spec.nodeName'], node))
          return allowed('slices of the node itself');
        return 'can only list/watch/deletecollection resourceslices with nodeName field selector';
      default:
        return 'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection';
    }
  }

  #pod(node: string, request: Attributes): Verdict {
    const { verb = '', name = '' } = request;
    switch (request.subresource ?? '') {
      case '':
        if (verb === 'get') return this.#get(node, 'pod', request);
        if (verb === 'list' || verb === 'watch') {
          if (selects(request, ['spec.nodeName'], node)) return allowed('pods of the node itself');
          if (name !== '') return this.#related(node, 'pod', request);
          return 'can only list/watch pods with spec.nodeName field selector';
        }
        if (verb === 'create' || verb === 'delete')
          return allowed('the NodeRestriction admission plugin limits it to mirror pods and own pods');
        break;
      case 'status':
        if (verb === 'update' || verb === 'patch')
          return allowed('the NodeRestriction admission plugin limits it to own pods');
        break;
      case 'eviction':
        if (verb === 'create') return allowed('the NodeRestriction admission plugin limits it to own pods');
        break;
    }
    return '';
  }

  #certificate(node: string, request: Attributes): Verdict {
    const { verb = '', subresource = '' } = request;
    if (subresource !== '') return 'nodes may not access the status subresource of PodCertificateRequests';
    switch (verb) {
      case 'create':
        return allowed('the NodeRestriction admission plugin looks at what is created');
      case 'get':
        return this.#related(node, 'podcertificaterequest', request);
      case 'list':
      case 'watch':
        return selects(request, ['spec.nodeName'], node)
          ? allowed('requests of the node itself')
          : 'can only list/watch podcertificaterequests with nodeName field selector';
      default:
        return `nodes may not ${verb} podcertificaterequests`;
    }
  }
}

const WRITE = ['get', 'create', 'update', 'patch', 'delete'];

function allowed(text: string): Verdict {
  return { because: [{ text: `Node authorizer: ${text}` }] };
}

/** The node that a user is; empty for one that cannot be told, undefined for users that are no nodes. */
export function nodeOf({ name = '', groups = [] }: UserInfo): string | undefined {
  return name.startsWith(PREFIX) && groups.includes(NODES) ? name.slice(PREFIX.length) : undefined;
}

/** Only `=`: the API server compares with the operator that a parsed field selector has. */
function selects({ fieldSelector = [] }: Attributes, fields: readonly string[], node: string): boolean {
  return fieldSelector.some(
    ({ field, operator, value }) => fields.includes(field) && operator === '=' && value === node,
  );
}

function lease(node: string, { verb = '', namespace = '', name = '' }: Attributes): Verdict {
  if (!WRITE.includes(verb)) return 'can only get, create, update, patch, or delete a node lease';
  if (namespace !== LEASES) return `can only access leases in the ${quoted(LEASES)} system namespace`;
  if (verb !== 'create' && name !== node)
    return 'can only access node lease with the same name as the requesting node';
  return allowed('the lease of the node itself');
}

function nodeObject(node: string, { verb = '', subresource = '', name = '' }: Attributes): Verdict {
  if (subresource === '') {
    if (verb === 'create' || verb === 'update' || verb === 'patch')
      return allowed('the NodeRestriction admission plugin limits it to the node itself');
    if (READ.includes(verb)) {
      if (name === node) return allowed('the node itself');
      return name === ''
        ? `node '${node}' cannot read all nodes, only its own Node object`
        : `node '${node}' cannot read '${name}', only its own Node object`;
    }
  }
  if (subresource === 'status' && (verb === 'update' || verb === 'patch'))
    return allowed('the NodeRestriction admission plugin limits it to the node itself');
  return '';
}
