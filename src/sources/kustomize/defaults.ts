/**
 * The field specs that Kustomize brings along. Source: api/internal/konfig/builtinpluginconsts/*.go; most of them are
 * the same fields of the pod spec in every kind that has one, so they are put together from those.
 */
import {
  type Config,
  type FieldSpec,
  type LISTS,
  mergeReference,
  type NameReference,
  sorted,
} from './field-specs.ts';
import { NO_GVK } from './ids.ts';

function spec(path: string, kind = '', group = '', version = '', create = false): FieldSpec {
  return { ...NO_GVK, path, kind, group, version, create };
}

const TEMPLATE = 'spec/template/';
const CRON_TEMPLATE = 'spec/jobTemplate/spec/template/';
/** Where each kind has its pod template, or its pod. */
const PODS: Readonly<Record<string, string>> = {
  Pod: '',
  PodTemplate: 'template/',
  Deployment: TEMPLATE,
  ReplicaSet: TEMPLATE,
  DaemonSet: TEMPLATE,
  StatefulSet: TEMPLATE,
  ReplicationController: TEMPLATE,
  Job: TEMPLATE,
  CronJob: CRON_TEMPLATE,
};

function inPods(kinds: string, fields: string): FieldSpec[] {
  return kinds
    .split(' ')
    .flatMap(kind => fields.split(' ').map(field => spec(`${PODS[kind]}spec/${field}`, kind)));
}

const ANNOTATED = [
  spec('metadata/annotations', '', '', '', true),
  spec(`${TEMPLATE}metadata/annotations`, 'ReplicationController', '', 'v1', true),
  ...['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'].map(kind =>
    spec(`${TEMPLATE}metadata/annotations`, kind, '', '', true),
  ),
  spec(`${TEMPLATE}metadata/annotations`, 'Job', 'batch', '', true),
  spec('spec/jobTemplate/metadata/annotations', 'CronJob', 'batch', '', true),
  spec(`${CRON_TEMPLATE}metadata/annotations`, 'CronJob', 'batch', '', true),
];

const LABELLED = [
  spec('metadata/labels', '', '', '', true),
  spec(`${TEMPLATE}metadata/labels`, 'ReplicationController', '', 'v1', true),
  ...['Deployment', 'ReplicaSet', 'DaemonSet'].map(kind =>
    spec(`${TEMPLATE}metadata/labels`, kind, '', '', true),
  ),
  spec(`${TEMPLATE}metadata/labels`, 'StatefulSet', 'apps', '', true),
  spec('spec/volumeClaimTemplates[]/metadata/labels', 'StatefulSet', 'apps', '', true),
  spec(`${TEMPLATE}metadata/labels`, 'Job', 'batch', '', true),
  spec('spec/jobTemplate/metadata/labels', 'CronJob', 'batch', '', true),
  spec(`${CRON_TEMPLATE}metadata/labels`, 'CronJob', 'batch', '', true),
];

/** The selectors inside a pod spec that name pods like its own. */
const POD_SELECTORS = [
  'affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'topologySpreadConstraints/labelSelector/matchLabels',
];

const SELECTING = [
  spec('spec/selector', 'Service', '', 'v1', true),
  spec('spec/selector', 'ReplicationController', '', 'v1', true),
  ...['Deployment', 'ReplicaSet', 'DaemonSet'].map(kind =>
    spec('spec/selector/matchLabels', kind, '', '', true),
  ),
  spec('spec/selector/matchLabels', 'StatefulSet', 'apps', '', true),
  ...['Deployment', 'StatefulSet'].flatMap(kind =>
    POD_SELECTORS.map(path => spec(`${TEMPLATE}spec/${path}`, kind, 'apps')),
  ),
  spec('spec/selector/matchLabels', 'Job', 'batch'),
  spec('spec/jobTemplate/spec/selector/matchLabels', 'CronJob', 'batch'),
  spec('spec/selector/matchLabels', 'PodDisruptionBudget', 'policy'),
  ...['podSelector', 'ingress/from/podSelector', 'egress/to/podSelector'].map(path =>
    spec(`spec/${path}/matchLabels`, 'NetworkPolicy', 'networking.k8s.io'),
  ),
];

const IMAGES = ['', TEMPLATE].flatMap(template =>
  ['containers[]/image', 'initContainers[]/image', 'volumes[]/image/reference'].map(path =>
    spec(`${template}spec/${path}`, '', '', '', true),
  ),
);

const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';
/** The kinds whose pods may name ConfigMaps and Secrets. */
const USERS = 'PodTemplate Deployment ReplicaSet DaemonSet StatefulSet Job CronJob';
/** The kinds whose pods may name accounts, claims and priority classes. */
const HOLDERS = 'Pod StatefulSet Deployment ReplicationController CronJob Job DaemonSet';

function fromEnvironment(name: string): string {
  return ['containers', 'initContainers']
    .flatMap(list => [`${list}/env/valueFrom/${name}KeyRef/name`, `${list}/envFrom/${name}Ref/name`])
    .join(' ');
}

const CONFIG_MAP_FIELDS = `volumes/configMap/name ${fromEnvironment('configMap')} volumes/projected/sources/configMap/name`;
const SECRET_FIELDS = `volumes/secret/secretName ${fromEnvironment('secret')} imagePullSecrets/name volumes/projected/sources/secret/name`;

const ofPodV1 = (fields: string): FieldSpec[] =>
  inPods('Pod', fields).map(one => ({ ...one, version: 'v1' }));

function reference(kind: string, group: string, version: string, ...referrers: FieldSpec[]): NameReference {
  return { kind, group, version, referrers };
}

const REFERENCES: readonly NameReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map(kind =>
    reference(kind, '', '', spec('spec/scaleTargetRef/name', 'HorizontalPodAutoscaler')),
  ),
  reference(
    'ConfigMap',
    '',
    'v1',
    ...ofPodV1(CONFIG_MAP_FIELDS),
    ...inPods(USERS, CONFIG_MAP_FIELDS),
    spec('spec/configSource/configMap', 'Node'),
    spec('rules/resourceNames', 'Role'),
    spec('rules/resourceNames', 'ClusterRole'),
    spec('metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap', 'Ingress'),
  ),
  reference(
    'Secret',
    '',
    'v1',
    ...ofPodV1(SECRET_FIELDS),
    ...inPods(USERS, SECRET_FIELDS),
    spec('spec/tls/secretName', 'Ingress'),
    ...[
      'ingress.kubernetes.io\\/auth-secret',
      'nginx.ingress.kubernetes.io\\/auth-secret',
      'nginx.ingress.kubernetes.io\\/auth-tls-secret',
    ].map(name => spec(`metadata/annotations/${name}`, 'Ingress')),
    spec('imagePullSecrets/name', 'ServiceAccount'),
    ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map(name =>
      spec(`parameters/${name}`, 'StorageClass'),
    ),
    spec('rules/resourceNames', 'Role'),
    spec('rules/resourceNames', 'ClusterRole'),
    spec(
      `${TEMPLATE}spec/containers/env/valueFrom/secretKeyRef/name`,
      'Service',
      'serving.knative.dev',
      'v1',
    ),
    spec('spec/azureFile/secretName', 'PersistentVolume'),
  ),
  reference(
    'Service',
    '',
    'v1',
    spec('spec/serviceName', 'StatefulSet', 'apps'),
    ...[
      'rules/http/paths/backend/serviceName',
      'backend/serviceName',
      'rules/http/paths/backend/service/name',
      'defaultBackend/service/name',
    ].map(path => spec(`spec/${path}`, 'Ingress')),
    spec('spec/service/name', 'APIService', 'apiregistration.k8s.io'),
    spec('webhooks/clientConfig/service', 'ValidatingWebhookConfiguration', ADMISSION),
    spec('webhooks/clientConfig/service', 'MutatingWebhookConfiguration', ADMISSION),
  ),
  reference('Role', RBAC, '', spec('roleRef/name', 'RoleBinding', RBAC)),
  reference(
    'ClusterRole',
    RBAC,
    '',
    spec('roleRef/name', 'RoleBinding', RBAC),
    spec('roleRef/name', 'ClusterRoleBinding', RBAC),
  ),
  reference(
    'ServiceAccount',
    '',
    'v1',
    spec('subjects', 'RoleBinding', RBAC),
    spec('subjects', 'ClusterRoleBinding', RBAC),
    ...inPods(HOLDERS, 'serviceAccountName'),
  ),
  reference('PersistentVolumeClaim', '', 'v1', ...inPods(HOLDERS, 'volumes/persistentVolumeClaim/claimName')),
  reference(
    'PersistentVolume',
    '',
    'v1',
    spec('spec/volumeName', 'PersistentVolumeClaim'),
    spec('rules/resourceNames', 'ClusterRole'),
  ),
  reference(
    'StorageClass',
    'storage.k8s.io',
    'v1',
    spec('spec/storageClassName', 'PersistentVolume'),
    spec('spec/storageClassName', 'PersistentVolumeClaim'),
    spec('spec/volumeClaimTemplates/spec/storageClassName', 'StatefulSet'),
  ),
  reference('PriorityClass', 'scheduling.k8s.io', 'v1', ...inPods(HOLDERS, 'priorityClassName')),
  // The group is what Kustomize itself has there, so it never fits.
  reference('IngressClass', 'networking.k8s.io/v1', 'v1', spec('spec/ingressClassName', 'Ingress')),
  reference(
    'ValidatingAdmissionPolicy',
    ADMISSION,
    '',
    spec('spec/policyName', 'ValidatingAdmissionPolicyBinding', ADMISSION),
  ),
];

const OF_CONTAINERS = ['containers', 'initContainers']
  .flatMap(list =>
    ['args', 'command', 'env/value', 'volumeMounts/mountPath'].map(field => `${list}/${field}`),
  )
  .join(' ');

const VARIABLES: readonly FieldSpec[] = [
  ...inPods('CronJob', OF_CONTAINERS),
  spec(`${CRON_TEMPLATE}volumes/nfs/server`, 'CronJob'),
  ...inPods('DaemonSet Deployment Job Pod ReplicaSet StatefulSet', OF_CONTAINERS),
  ...inPods('DaemonSet Deployment Job Pod ReplicaSet', 'volumes/nfs/server'),
  spec(`${TEMPLATE}metadata/annotations`, 'Deployment'),
  spec('spec/rules/host', 'Ingress'),
  spec('spec/tls/hosts', 'Ingress'),
  spec('spec/tls/secretName', 'Ingress'),
  spec('spec/ports/port', 'Service'),
  spec('spec/ports/targetPort', 'Service'),
  spec('spec/volumeClaimTemplates/spec/nfs/server', 'StatefulSet'),
  spec('spec/nfs/server', 'PersistentVolume'),
  spec('metadata/labels'),
  spec('metadata/annotations'),
];

let known: Config | undefined;

/** The same object every time: a merge with itself is none. */
export function defaultConfig(): Config {
  if (known === undefined) {
    const lists: Record<(typeof LISTS)[number], readonly FieldSpec[]> = {
      namePrefix: [spec('metadata/name')],
      nameSuffix: [spec('metadata/name')],
      namespace: [
        spec('metadata/name', 'Namespace', '', '', true),
        spec('spec/service/namespace', 'APIService', 'apiregistration.k8s.io', '', true),
        spec(
          'spec/conversion/webhook/clientConfig/service/namespace',
          'CustomResourceDefinition',
          'apiextensions.k8s.io',
        ),
      ],
      commonLabels: [...SELECTING, ...LABELLED],
      labels: [],
      templateLabels: LABELLED,
      commonAnnotations: ANNOTATED,
      varReference: VARIABLES,
      images: IMAGES,
      replicas: ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map(kind =>
        spec('spec/replicas', kind, '', '', true),
      ),
    };
    known = sorted({
      ...lists,
      nameReference: REFERENCES.reduce<readonly NameReference[]>(
        (list, one) => mergeReference(list, one),
        [],
      ),
    });
  }
  return known;
}
