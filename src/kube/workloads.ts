/**
 * The one table of objects that carry pods: the built-in workloads and the well-known custom resources, with the
 * places of their pod templates.
 */
import { groupOf, isRecord, type KubeObject, type Path, valueAt } from './objects.ts';

/** How a place in an object describes a pod. */
type Shape =
  /** `metadata` and `spec` of a pod stand below the path (a PodTemplateSpec, or a Pod itself for the empty path). */
  | 'template'
  /** The path leads to a PodSpec without metadata. */
  | 'spec'
  /** The path leads to fields of a PodSpec without its containers, which a controller makes. */
  | 'fragment'
  /** The path leads to one container, or to a list of containers; the pod around them is made by a controller. */
  | 'container'
  | 'containers';

interface Place {
  readonly shape: Shape;
  /** `*` stands for every item of a list or every value of a mapping. */
  readonly path: readonly string[];
}

/** A pod template inside an object. */
export interface PodTemplate {
  /** The pod as a client would submit it: raw, not yet decoded. */
  readonly pod: { readonly metadata?: unknown; readonly spec: Readonly<Record<string, unknown>> };
  /** From a path inside `pod` (`['spec', 'containers', 0, 'image']`) to the path inside the object. */
  readonly pathOf: (pathInPod: Path) => Path;
  /** What a fragment leaves open: a controller makes the rest of the pod, so an unset field says nothing. */
  readonly partial: boolean;
}

const template = (...path: string[]): Place => ({ shape: 'template', path });
const spec = (...path: string[]): Place => ({ shape: 'spec', path });
const container = (...path: string[]): Place => ({ shape: 'container', path });
const containers = (...path: string[]): Place => ({ shape: 'containers', path });

const SPEC_TEMPLATE = [template('spec', 'template')];
/** Argo's templates hold pod fragments: main container, script, init containers and sidecars. */
const ARGO_TEMPLATES = (...at: string[]): Place[] => [
  container(...at, '*', 'container'),
  container(...at, '*', 'script'),
  containers(...at, '*', 'containerSet', 'containers'),
  containers(...at, '*', 'initContainers'),
  containers(...at, '*', 'sidecars'),
];
const KUBEFLOW = (field: string): Place[] => [template('spec', field, '*', 'template')];
/**
 * What Strimzi lets be set of its pods and of their containers, by name. Source: api model, KafkaClusterTemplate.java
 * and its siblings (PodTemplate, ContainerTemplate).
 */
const STRIMZI = (at: readonly string[], ...names: string[]): Place[] => [
  { shape: 'fragment', path: ['spec', ...at, 'template', 'pod'] },
  ...names.map(name => container('spec', ...at, 'template', name)),
];

/** By `group/kind`; versions do not matter, for no version of these moved its template. */
const PLACES: Readonly<Record<string, readonly Place[]>> = {
  '/Pod': [template()],
  '/PodTemplate': [template('template')],
  '/ReplicationController': SPEC_TEMPLATE,
  'apps/ReplicaSet': SPEC_TEMPLATE,
  'apps/Deployment': SPEC_TEMPLATE,
  'apps/StatefulSet': SPEC_TEMPLATE,
  'apps/DaemonSet': SPEC_TEMPLATE,
  'extensions/ReplicaSet': SPEC_TEMPLATE,
  'extensions/Deployment': SPEC_TEMPLATE,
  'extensions/DaemonSet': SPEC_TEMPLATE,
  'batch/Job': SPEC_TEMPLATE,
  'batch/CronJob': [template('spec', 'jobTemplate', 'spec', 'template')],
  // OpenShift
  'apps.openshift.io/DeploymentConfig': SPEC_TEMPLATE,
  // Argo
  'argoproj.io/Rollout': SPEC_TEMPLATE,
  'argoproj.io/Workflow': ARGO_TEMPLATES('spec', 'templates'),
  'argoproj.io/WorkflowTemplate': ARGO_TEMPLATES('spec', 'templates'),
  'argoproj.io/ClusterWorkflowTemplate': ARGO_TEMPLATES('spec', 'templates'),
  'argoproj.io/CronWorkflow': ARGO_TEMPLATES('spec', 'workflowSpec', 'templates'),
  'argoproj.io/AnalysisTemplate': [template('spec', 'metrics', '*', 'provider', 'job', 'spec', 'template')],
  'argoproj.io/ClusterAnalysisTemplate': [
    template('spec', 'metrics', '*', 'provider', 'job', 'spec', 'template'),
  ],
  // Knative
  'serving.knative.dev/Service': SPEC_TEMPLATE,
  'serving.knative.dev/Configuration': SPEC_TEMPLATE,
  'serving.knative.dev/Revision': [template()],
  'sources.knative.dev/ContainerSource': SPEC_TEMPLATE,
  // Tekton
  'tekton.dev/Task': [containers('spec', 'steps'), containers('spec', 'sidecars')],
  'tekton.dev/ClusterTask': [containers('spec', 'steps'), containers('spec', 'sidecars')],
  'tekton.dev/StepAction': [container('spec')],
  'tekton.dev/TaskRun': [containers('spec', 'taskSpec', 'steps'), containers('spec', 'taskSpec', 'sidecars')],
  'tekton.dev/Pipeline': [
    containers('spec', 'tasks', '*', 'taskSpec', 'steps'),
    containers('spec', 'tasks', '*', 'taskSpec', 'sidecars'),
    containers('spec', 'finally', '*', 'taskSpec', 'steps'),
  ],
  'tekton.dev/PipelineRun': [
    containers('spec', 'pipelineSpec', 'tasks', '*', 'taskSpec', 'steps'),
    containers('spec', 'pipelineSpec', 'tasks', '*', 'taskSpec', 'sidecars'),
    containers('spec', 'pipelineSpec', 'finally', '*', 'taskSpec', 'steps'),
  ],
  // Data processing
  'sparkoperator.k8s.io/SparkApplication': [
    template('spec', 'driver', 'template'),
    template('spec', 'executor', 'template'),
    container('spec', 'driver'),
    container('spec', 'executor'),
  ],
  'sparkoperator.k8s.io/ScheduledSparkApplication': [
    template('spec', 'template', 'driver', 'template'),
    template('spec', 'template', 'executor', 'template'),
    container('spec', 'template', 'driver'),
    container('spec', 'template', 'executor'),
  ],
  'flink.apache.org/FlinkDeployment': [
    template('spec', 'podTemplate'),
    template('spec', 'jobManager', 'podTemplate'),
    template('spec', 'taskManager', 'podTemplate'),
  ],
  'kafka.strimzi.io/Kafka': [
    ...STRIMZI(['kafka'], 'kafkaContainer', 'initContainer'),
    ...STRIMZI(['zookeeper'], 'zookeeperContainer'),
    ...STRIMZI(['entityOperator'], 'topicOperatorContainer', 'userOperatorContainer', 'tlsSidecarContainer'),
    ...STRIMZI(['kafkaExporter'], 'container'),
    ...STRIMZI(['cruiseControl'], 'cruiseControlContainer', 'tlsSidecarContainer'),
  ],
  'kafka.strimzi.io/KafkaNodePool': STRIMZI([], 'kafkaContainer', 'initContainer'),
  'kafka.strimzi.io/KafkaConnect': STRIMZI([], 'connectContainer', 'initContainer'),
  'kafka.strimzi.io/KafkaMirrorMaker2': STRIMZI([], 'connectContainer', 'initContainer'),
  'kafka.strimzi.io/KafkaBridge': STRIMZI([], 'bridgeContainer', 'initContainer'),
  'ray.io/RayCluster': [
    template('spec', 'headGroupSpec', 'template'),
    template('spec', 'workerGroupSpecs', '*', 'template'),
  ],
  'ray.io/RayJob': [
    template('spec', 'rayClusterSpec', 'headGroupSpec', 'template'),
    template('spec', 'rayClusterSpec', 'workerGroupSpecs', '*', 'template'),
    template('spec', 'submitterPodTemplate'),
  ],
  'ray.io/RayService': [
    template('spec', 'rayClusterConfig', 'headGroupSpec', 'template'),
    template('spec', 'rayClusterConfig', 'workerGroupSpecs', '*', 'template'),
  ],
  // Kubeflow
  'kubeflow.org/TFJob': KUBEFLOW('tfReplicaSpecs'),
  'kubeflow.org/PyTorchJob': KUBEFLOW('pytorchReplicaSpecs'),
  'kubeflow.org/MPIJob': KUBEFLOW('mpiReplicaSpecs'),
  'kubeflow.org/XGBoostJob': KUBEFLOW('xgbReplicaSpecs'),
  'kubeflow.org/PaddleJob': KUBEFLOW('paddleReplicaSpecs'),
  'kubeflow.org/JAXJob': KUBEFLOW('jaxReplicaSpecs'),
  'kubeflow.org/Notebook': SPEC_TEMPLATE,
  // Batch and sets
  'keda.sh/ScaledJob': [template('spec', 'jobTargetRef', 'template')],
  'leaderworkerset.x-k8s.io/LeaderWorkerSet': [
    template('spec', 'leaderWorkerTemplate', 'leaderTemplate'),
    template('spec', 'leaderWorkerTemplate', 'workerTemplate'),
  ],
  'jobset.x-k8s.io/JobSet': [template('spec', 'replicatedJobs', '*', 'template', 'spec', 'template')],
  'batch.volcano.sh/Job': [template('spec', 'tasks', '*', 'template')],
  'apps.kruise.io/CloneSet': SPEC_TEMPLATE,
  'apps.kruise.io/StatefulSet': SPEC_TEMPLATE,
  'apps.kruise.io/DaemonSet': SPEC_TEMPLATE,
  'apps.kruise.io/BroadcastJob': SPEC_TEMPLATE,
  'apps.kruise.io/AdvancedCronJob': [
    template('spec', 'template', 'jobTemplate', 'spec', 'template'),
    template('spec', 'template', 'broadcastJobTemplate', 'spec', 'template'),
  ],
  'apps.kruise.io/SidecarSet': [containers('spec', 'containers'), containers('spec', 'initContainers')],
  'apps.kruise.io/UnitedDeployment': [
    template('spec', 'template', 'deploymentTemplate', 'spec', 'template'),
    template('spec', 'template', 'statefulSetTemplate', 'spec', 'template'),
    template('spec', 'template', 'cloneSetTemplate', 'spec', 'template'),
  ],
  'agents.x-k8s.io/Sandbox': [template('spec', 'podTemplate')],
  'extensions.agents.x-k8s.io/SandboxTemplate': [template('spec', 'podTemplate')],
  // Operators that take a pod template or containers
  'monitoring.coreos.com/Prometheus': [
    containers('spec', 'containers'),
    containers('spec', 'initContainers'),
  ],
  'monitoring.coreos.com/Alertmanager': [
    containers('spec', 'containers'),
    containers('spec', 'initContainers'),
  ],
  'monitoring.coreos.com/ThanosRuler': [
    containers('spec', 'containers'),
    containers('spec', 'initContainers'),
  ],
  'elasticsearch.k8s.elastic.co/Elasticsearch': [template('spec', 'nodeSets', '*', 'podTemplate')],
  'kibana.k8s.elastic.co/Kibana': [template('spec', 'podTemplate')],
  'apm.k8s.elastic.co/ApmServer': [template('spec', 'podTemplate')],
  'beat.k8s.elastic.co/Beat': [
    template('spec', 'deployment', 'podTemplate'),
    template('spec', 'daemonSet', 'podTemplate'),
  ],
  'agent.k8s.elastic.co/Agent': [
    template('spec', 'deployment', 'podTemplate'),
    template('spec', 'daemonSet', 'podTemplate'),
  ],
  'agones.dev/GameServer': [template('spec', 'template')],
  'agones.dev/Fleet': [template('spec', 'template', 'spec', 'template')],
  'opentelemetry.io/OpenTelemetryCollector': [
    containers('spec', 'initContainers'),
    containers('spec', 'additionalContainers'),
  ],
  'k8s.mariadb.com/MariaDB': [containers('spec', 'initContainers'), containers('spec', 'sidecarContainers')],
};

/** All kinds of the table, as `group/kind`. */
export const WORKLOAD_KINDS: readonly string[] = Object.keys(PLACES);

/** The kinds whose pods a built-in controller creates, as Pod Security Admission knows them (its `audit` and `warn`). */
const BUILT_IN = new Set(Object.keys(PLACES).filter(key => /^(?:|apps|batch)\//.test(key)));

/** Places of pod templates in kinds that the input itself defines, found in their CustomResourceDefinitions. */
export type MorePlaces = ReadonlyMap<string, readonly Place[]>;

/** Whether Kubernetes itself runs this kind of workload (a Pod, or what a built-in controller makes pods of). */
export function isBuiltInWorkload(object: KubeObject): boolean {
  return BUILT_IN.has(`${groupOf(object.apiVersion)}/${object.kind}`);
}

/** Whether the kind is one that carries pods, whatever this object holds. */
export function isWorkload(object: KubeObject, more?: MorePlaces): boolean {
  const key = `${groupOf(object.apiVersion)}/${object.kind}`;
  return Object.hasOwn(PLACES, key) || (more?.has(key) ?? false);
}

/**
 * Every pod template in an object, in the order of the table. Places that hold nothing, or something that is no
 * mapping, are left out: what the API server says of those is the schema's business.
 *
 * @param more places learnt from the CustomResourceDefinitions of the input
 */
export function podTemplatesOf(object: KubeObject, more?: MorePlaces): PodTemplate[] {
  const key = `${groupOf(object.apiVersion)}/${object.kind}`;
  const places = Object.hasOwn(PLACES, key) ? PLACES[key] : more?.get(key);
  if (places === undefined) return [];
  const found: PodTemplate[] = [];
  for (const { shape, path } of places)
    for (const at of expand(object, path)) {
      const made = make(shape, valueAt(object, at), at);
      if (made !== undefined) found.push(made);
    }
  return found;
}

/** The first (for the built-in kinds: the only) pod template of an object. */
export function podTemplateOf(object: KubeObject, more?: MorePlaces): PodTemplate | undefined {
  return podTemplatesOf(object, more)[0];
}

function make(shape: Shape, value: unknown, at: Path): PodTemplate | undefined {
  switch (shape) {
    case 'template': {
      if (!isRecord(value) || !isRecord(value['spec'])) return undefined;
      const pod = { metadata: value['metadata'], spec: value['spec'] };
      return { pod, pathOf: path => (at.length === 0 ? path : [...at, ...path]), partial: false };
    }
    case 'spec':
      if (!isRecord(value)) return undefined;
      return { pod: { spec: value }, pathOf: path => [...at, ...path.slice(1)], partial: false };
    case 'fragment':
      if (!isRecord(value)) return undefined;
      return {
        pod: { metadata: value['metadata'], spec: { ...value, metadata: undefined } },
        pathOf: path => [...at, ...(path[0] === 'spec' ? path.slice(1) : path)],
        partial: true,
      };
    case 'container':
      if (!isRecord(value)) return undefined;
      return {
        pod: { spec: { containers: [value] } },
        pathOf: path => [...at, ...path.slice(3)],
        partial: true,
      };
    case 'containers':
      if (!Array.isArray(value) || value.length === 0) return undefined;
      return {
        pod: { spec: { containers: value } },
        pathOf: path => [...at, ...path.slice(2)],
        partial: true,
      };
  }
}

function expand(root: unknown, path: readonly string[]): Path[] {
  const star = path.indexOf('*');
  if (star < 0) return [path];
  const before = path.slice(0, star);
  const after = path.slice(star + 1);
  const value = valueAt(root, before);
  const keys = Array.isArray(value)
    ? value.map((_, index) => index)
    : isRecord(value)
      ? Object.keys(value)
      : [];
  return keys.flatMap(key => expand(valueAt(value, [key]), after).map(rest => [...before, key, ...rest]));
}

const POD_SPEC_MARKS = [
  'initContainers',
  'serviceAccountName',
  'nodeSelector',
  'tolerations',
  'restartPolicy',
  'volumes',
  'securityContext',
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'affinity',
  'imagePullSecrets',
];
const SCHEMA_DEPTH = 24;

/** Whether a definition's schemas could teach anything: of the kinds in the table all is known. */
export function mayTeachPlaces(definition: KubeObject): boolean {
  const group = valueAt(definition, ['spec', 'group']);
  const kind = valueAt(definition, ['spec', 'names', 'kind']);
  return !Object.hasOwn(PLACES, `${group}/${kind}`);
}

/** The key without which no schema shows a pod template. */
export const MARK_OF_PODS = 'containers';

/**
 * The places of pod templates that a CustomResourceDefinition's schemas show: a subtree shaped like a
 * PodTemplateSpec (`spec` with `containers`) or a PodSpec (`containers` beside other fields that only pods have).
 *
 * @returns the kind as `group/kind` with its places; undefined where it has none
 */
export function placesOfDefinition(definition: KubeObject): { key: string; places: Place[] } | undefined {
  const group = valueAt(definition, ['spec', 'group']);
  const kind = valueAt(definition, ['spec', 'names', 'kind']);
  if (typeof group !== 'string' || typeof kind !== 'string') return undefined;
  const versions = valueAt(definition, ['spec', 'versions']);
  const schemas: unknown[] = [valueAt(definition, ['spec', 'validation', 'openAPIV3Schema'])];
  if (Array.isArray(versions))
    for (const version of versions) schemas.push(valueAt(version, ['schema', 'openAPIV3Schema']));
  const places = new Map<string, Place>();
  for (const schema of schemas) search(schema, [], places, SCHEMA_DEPTH);
  return places.size === 0 ? undefined : { key: `${group}/${kind}`, places: [...places.values()] };
}

function search(schema: unknown, path: readonly string[], places: Map<string, Place>, depth: number): void {
  if (depth === 0 || !isRecord(schema)) return;
  const properties = schema['properties'];
  if (isRecord(properties)) {
    if (isPodSpecSchema(properties['spec']) && path.length > 0) {
      places.set(path.join('\0'), template(...path));
      return;
    }
    if (isPodSpecSchema(schema) && path.length > 0) {
      places.set(
        path.join('\0'),
        path.at(-1) === 'spec' && path.length > 1 ? template(...path.slice(0, -1)) : spec(...path),
      );
      return;
    }
    for (const key of Object.keys(properties)) search(properties[key], [...path, key], places, depth - 1);
  }
  if (isRecord(schema['items'])) search(schema['items'], [...path, '*'], places, depth - 1);
  if (isRecord(schema['additionalProperties']))
    search(schema['additionalProperties'], [...path, '*'], places, depth - 1);
}

function isPodSpecSchema(schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  const properties = schema['properties'];
  if (!isRecord(properties)) return false;
  if (valueAt(properties, [MARK_OF_PODS, 'items', 'properties', 'image']) === undefined) return false;
  return POD_SPEC_MARKS.filter(mark => Object.hasOwn(properties, mark)).length >= 2;
}
