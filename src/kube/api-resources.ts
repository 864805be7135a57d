/**
 * The resources that the API server serves, for names as people type them. Source: the API types of Kubernetes 1.25
 * to 1.37; a custom resource is known from its definition in the input.
 */
import { isRecord, type KubeObject, valueAt } from './objects.ts';

export interface ApiResource {
  /** Plural, as in roles: `deployments`. */
  readonly name: string;
  readonly group: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly subresources: readonly string[];
}

/** `name kind scope short,short subresource,subresource`: n is namespaced, c cluster-scoped. */
const TABLE: Readonly<Record<string, string>> = {
  '': `bindings Binding n - -
componentstatuses ComponentStatus c cs -
configmaps ConfigMap n cm -
endpoints Endpoints n ep -
events Event n ev -
limitranges LimitRange n limits -
namespaces Namespace c ns finalize,status
nodes Node c no proxy,status,metrics,stats,log,spec,checkpoint,configz,healthz,pods
persistentvolumeclaims PersistentVolumeClaim n pvc status
persistentvolumes PersistentVolume c pv status
pods Pod n po attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status
podtemplates PodTemplate n - -
replicationcontrollers ReplicationController n rc scale,status
resourcequotas ResourceQuota n quota status
secrets Secret n - -
serviceaccounts ServiceAccount n sa token
services Service n svc proxy,status
users User c - -
groups Group c - -`,
  apps: `controllerrevisions ControllerRevision n - -
daemonsets DaemonSet n ds status
deployments Deployment n deploy scale,status
replicasets ReplicaSet n rs scale,status
statefulsets StatefulSet n sts scale,status`,
  batch: `cronjobs CronJob n cj status
jobs Job n - status`,
  autoscaling: 'horizontalpodautoscalers HorizontalPodAutoscaler n hpa status',
  policy:
    'poddisruptionbudgets PodDisruptionBudget n pdb status\npodsecuritypolicies PodSecurityPolicy c psp -',
  'networking.k8s.io': `ingressclasses IngressClass c - -
ingresses Ingress n ing status
ipaddresses IPAddress c ip -
networkpolicies NetworkPolicy n netpol status
servicecidrs ServiceCIDR c - status`,
  'rbac.authorization.k8s.io': `clusterrolebindings ClusterRoleBinding c - -
clusterroles ClusterRole c - -
rolebindings RoleBinding n - -
roles Role n - -`,
  'storage.k8s.io': `csidrivers CSIDriver c - -
csinodes CSINode c - status
csistoragecapacities CSIStorageCapacity n - -
storageclasses StorageClass c sc -
volumeattachments VolumeAttachment c - status
volumeattributesclasses VolumeAttributesClass c vac -`,
  'admissionregistration.k8s.io': `mutatingadmissionpolicies MutatingAdmissionPolicy c - -
mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding c - -
mutatingwebhookconfigurations MutatingWebhookConfiguration c - -
validatingadmissionpolicies ValidatingAdmissionPolicy c - status
validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding c - -
validatingwebhookconfigurations ValidatingWebhookConfiguration c - -`,
  'apiextensions.k8s.io': 'customresourcedefinitions CustomResourceDefinition c crd,crds status',
  'apiregistration.k8s.io': 'apiservices APIService c - status',
  'authentication.k8s.io': `selfsubjectreviews SelfSubjectReview c - -
tokenreviews TokenReview c - -
uids UID c - -
userextras UserExtra c - -`,
  'authorization.k8s.io': `localsubjectaccessreviews LocalSubjectAccessReview n - -
selfsubjectaccessreviews SelfSubjectAccessReview c - -
selfsubjectrulesreviews SelfSubjectRulesReview c - -
subjectaccessreviews SubjectAccessReview c - -`,
  'certificates.k8s.io': `certificatesigningrequests CertificateSigningRequest c csr approval,status
clustertrustbundles ClusterTrustBundle c - -
podcertificaterequests PodCertificateRequest n - status
signers Signer c - -`,
  'coordination.k8s.io': 'leases Lease n - -\nleasecandidates LeaseCandidate n - -',
  'discovery.k8s.io': 'endpointslices EndpointSlice n - -',
  'events.k8s.io': 'events Event n ev -',
  'flowcontrol.apiserver.k8s.io':
    'flowschemas FlowSchema c - status\nprioritylevelconfigurations PriorityLevelConfiguration c - status',
  'node.k8s.io': 'runtimeclasses RuntimeClass c - -',
  'scheduling.k8s.io': 'priorityclasses PriorityClass c pc -\nworkloads Workload n - status',
  'resource.k8s.io': `deviceclasses DeviceClass c - -
devicetaintrules DeviceTaintRule c - status
resourceclaims ResourceClaim n - status
resourceclaimtemplates ResourceClaimTemplate n - -
resourceslices ResourceSlice c - -`,
};

const list = (text: string): readonly string[] => (text === '-' ? [] : text.split(','));

export const builtInResources: readonly ApiResource[] = Object.entries(TABLE).flatMap(([group, text]) =>
  text.split('\n').map(row => {
    const [name, kind, scope, short, subresources] = row.split(' ') as [
      string,
      string,
      string,
      string,
      string,
    ];
    return {
      name,
      group,
      kind,
      namespaced: scope === 'n',
      shortNames: list(short),
      subresources: list(subresources),
    };
  }),
);

/** The resource that a CustomResourceDefinition defines; undefined where it does not say enough. */
export function resourceOf(definition: KubeObject): ApiResource | undefined {
  const names = valueAt(definition, ['spec', 'names']);
  const group = valueAt(definition, ['spec', 'group']);
  if (!isRecord(names) || typeof group !== 'string' || typeof names['plural'] !== 'string') return undefined;
  const { plural, kind, shortNames } = names;
  return {
    name: plural as string,
    group,
    kind: typeof kind === 'string' ? kind : '',
    namespaced: valueAt(definition, ['spec', 'scope']) !== 'Cluster',
    shortNames: Array.isArray(shortNames) ? shortNames.filter(name => typeof name === 'string') : [],
    subresources: ['scale', 'status'],
  };
}

/**
 * The resource that a word means: plural, singular by its kind, or a short name; with a group behind a dot where it
 * is ambiguous. The first of several wins, as with kubectl.
 */
export function findResource(word: string, resources: readonly ApiResource[]): ApiResource | undefined {
  const dot = word.indexOf('.');
  const name = (dot < 0 ? word : word.slice(0, dot)).toLowerCase();
  const group = dot < 0 ? undefined : word.slice(dot + 1);
  return resources.find(
    resource =>
      (group === undefined || resource.group === group) &&
      (resource.name === name || resource.kind.toLowerCase() === name || resource.shortNames.includes(name)),
  );
}
