/**
 * Which sides of a world a change touches. Judgements about many objects at once (who reaches whom, who may do what) are
 * asked again only where one of the objects that they look at changed in what they look at.
 */

import { looksAtOf } from '#check/check.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import { accountOf } from '#kube/accounts.ts';
import { isEqual } from '#kube/equal.ts';
import { groupOf, isRecord, type KubeObject } from '#kube/objects.ts';
import { WORKLOAD_KINDS } from '#kube/workloads.ts';
import { type Declared, kindKey, namespaceOf, type World } from '#world/world.ts';
import type { Selected } from './scan.ts';
import { allEnvironments, type Pair, type Pairs } from './sides.ts';

/**
 * A kind (`group/Kind`) of which an object changed, came or went; or a word for what runs through all kinds: `network`
 * (who reaches whom, in a mesh too), `accounts` (which workloads run as whom), `tokens` (long-lived ones, in Secrets),
 * `aws-auth`, and `everything`.
 */
export type Facet = string;

/** Kinds that no decision about the network or a mesh looks at. */
const OUTSIDE_OF_NETWORK: ReadonlySet<string> = new Set([
  '/Event',
  '/LimitRange',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  '/ResourceQuota',
  '/Secret',
  'autoscaling/HorizontalPodAutoscaler',
  'policy/PodDisruptionBudget',
  'policy/PodSecurityPolicy',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/StorageClass',
]);

/** Fields of a container, a pod and a workload that the network does not depend on. */
const CONTAINER_FIELDS = new Set([
  'args',
  'command',
  'env',
  'envFrom',
  'image',
  'imagePullPolicy',
  'lifecycle',
  'resources',
  'securityContext',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'volumeMounts',
  'workingDir',
]);
const POD_FIELDS = new Set([
  'affinity',
  'automountServiceAccountToken',
  'hostIPC',
  'hostPID',
  'imagePullSecrets',
  'priorityClassName',
  'securityContext',
  'shareProcessNamespace',
  'terminationGracePeriodSeconds',
  'tolerations',
  'topologySpreadConstraints',
  'volumes',
]);
const WORKLOAD_FIELDS = new Set([
  'minReadySeconds',
  'progressDeadlineSeconds',
  'replicas',
  'revisionHistoryLimit',
  'strategy',
  'updateStrategy',
]);
/** The way from a workload to its pod. */
const TEMPLATES = new Set(['spec', 'template', 'jobTemplate']);
const CONTAINERS = new Set(['containers', 'initContainers', 'ephemeralContainers']);
/** Its image says whether the injector put it there. */
const PROXY = 'istio-proxy';

/** Everything that the differences of two worlds touch. */
export function facetsOf(base: World, head: World, { changed, added, removed }: Pairs): ReadonlySet<Facet> {
  const facets = new Set<Facet>();
  // Who sees what follows from the names of environments, of whatever else there is.
  const [were, are] = [base.fact(allEnvironments), head.fact(allEnvironments)];
  const differ = were.size !== are.size || [...were].some(one => !are.has(one));
  if (differ && [base, head].some(({ declared }) => declared.some(({ apart }) => apart !== undefined)))
    facets.add('everything');
  for (const pair of [...changed, ...added, ...removed]) {
    const { object } = (pair.head ?? pair.base)!;
    const key = kindKey(object);
    facets.add(key);
    if (touchesNetwork(base, head, pair)) facets.add('network');
    if (!isEqual(accountsOf(base, pair.base), accountsOf(head, pair.head))) facets.add('accounts');
    if (key === '/ConfigMap' && isAwsAuth(object)) facets.add('aws-auth');
    if (key === '/Secret' && [pair.base, pair.head].some(one => one?.object['type'] === TOKEN))
      facets.add('tokens');
    // What is a workload, and which fields are known, follows from definitions.
    if (key === 'apiextensions.k8s.io/CustomResourceDefinition') facets.add('everything');
  }
  return facets;
}

/** Whether something that looks at these facets has to be asked again. */
export function isTouched(touched: ReadonlySet<Facet>, looksAt: readonly Facet[]): boolean {
  return (
    touched.has('everything') ||
    (touched.size > 0 && looksAt.includes('everything')) ||
    looksAt.some(one => touched.has(one))
  );
}

const TOKEN = 'kubernetes.io/service-account-token';

/** Groups of Kubernetes itself, none of whose kinds carries pods by a definition. */
const BUILT_IN =
  /^(?:admissionregistration|apiextensions|apiregistration|certificates|coordination|discovery|events|flowcontrol\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage)\.k8s\.io$/;

/** CustomResourceDefinitions as far as they make workloads of their kinds. */
export const DEFINITIONS = 'definitions';

/**
 * The kinds behind the words of what is needed.
 *
 * @param worlds of both sides, as far as they are known: definitions tell of more workloads
 */
export function kindsOf(needed: ReadonlySet<Facet>, worlds: readonly World[]): ReadonlySet<string> {
  const kinds = new Set(needed);
  if (kinds.has('tokens')) kinds.add('/Secret');
  if (kinds.has('aws-auth')) kinds.add('/ConfigMap');
  if (!kinds.has('accounts')) return kinds;
  kinds.add(DEFINITIONS);
  for (const kind of WORKLOAD_KINDS) kinds.add(kind);
  for (const world of worlds) for (const kind of world.definedWorkloads()) kinds.add(kind);
  return kinds;
}

/**
 * What of a world has to be known to compare it with another one.
 *
 * @param touched what the change touches
 * @param objects those that changed
 * @param hasPods whether one of them is a workload: pods and containers are asked about
 * @param views what is compared beside the checks, by what it looks at
 * @param has whether an object of a kind was read
 * @returns kinds, and words that `kindsOf` knows; undefined for all
 */
export function neededKinds(
  selected: readonly Selected[],
  touched: ReadonlySet<Facet>,
  objects: readonly KubeObject[],
  hasPods: boolean,
  views: readonly (readonly Facet[])[],
  has: (kind: string) => boolean,
): ReadonlySet<string> | undefined {
  const kinds = new Set(objects.map(kindKey));
  const needed = new Set<string>();
  for (const { check } of selected) {
    const looksAt = looksAtOf(check);
    if (looksAt.length === 0) continue;
    if (isTouched(touched, looksAt)) {
      // Any object of its kinds may be judged otherwise now.
      if (check.kinds === undefined) return undefined;
      for (const kind of check.kinds) needed.add(kind);
      // What they are judged by only matters where there are any.
      if (check.kinds.some(has)) for (const kind of looksAt) needed.add(kind);
    } else if (
      !looksAt.includes('network') &&
      (check.subject === 'object' || hasPods) &&
      (check.kinds?.some(kind => kinds.has(kind)) ?? objects.length > 0)
    )
      for (const kind of looksAt) needed.add(kind);
  }
  for (const looksAt of views) if (isTouched(touched, looksAt)) for (const kind of looksAt) needed.add(kind);
  for (const object of objects) {
    for (const owner of object.metadata?.ownerReferences ?? [])
      if (isRecord(owner)) needed.add(`${groupOf(String(owner['apiVersion']))}/${String(owner['kind'])}`);
    // What is known of somebody's own kinds stands in their definitions.
    const group = groupOf(object.apiVersion);
    if (group.includes('.') && !BUILT_IN.test(group)) needed.add(DEFINITIONS);
  }
  return ['network', 'everything'].some(word => needed.has(word)) ? undefined : needed;
}

/**
 * Kinds that the comparison of the changed objects themselves looks up: whether a token is mounted is for the account to
 * say where the pod says nothing, on one of the sides.
 */
export function kindsBeside(base: World, head: World, { changed }: Pairs): readonly string[] {
  const stated = (world: World, { object }: Declared) =>
    podsOf(world, object).pods.map(({ spec }) => spec.automountServiceAccountToken !== undefined);
  return changed.some(pair => !isEqual(stated(base, pair.base), stated(head, pair.head)))
    ? ['/ServiceAccount']
    : [];
}

/** What the permissions of a world and the ways through them look at. */
export const AUTHORIZATION: readonly Facet[] = [
  'accounts',
  'aws-auth',
  'tokens',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
  'apiextensions.k8s.io/CustomResourceDefinition',
  '/Namespace',
  '/ServiceAccount',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
];

function isAwsAuth(object: KubeObject): boolean {
  return namespaceOf(object) === 'kube-system' && object.metadata?.name === 'aws-auth';
}

/** Whether a difference touches who reaches whom. */
export function touchesNetwork(base: World, head: World, pair: Pair): boolean {
  const [before, after] = [pair.base?.object, pair.head?.object];
  const object = (after ?? before)!;
  const key = kindKey(object);
  if (OUTSIDE_OF_NETWORK.has(key)) return false;
  // Its one ConfigMap that counts carries the settings of the mesh.
  if (key === '/ConfigMap') return object.metadata?.name === 'istio';
  if (before === undefined || after === undefined) return true;
  if (!base.isWorkload(before) || !head.isWorkload(after)) {
    // A resource of somebody's own counts by being there.
    return isOfNetwork(groupOf(object.apiVersion)) || !groupOf(object.apiVersion).includes('.');
  }
  // A pod that the API server refuses is no pod to anybody who asks about pods.
  if (podsOf(base, before).refused.length > 0 || podsOf(head, after).refused.length > 0) return true;
  return !isEqual(connectable(before), connectable(after));
}

/** Groups whose objects say who reaches whom; those of other custom resources only count by being there. */
export function isOfNetwork(group: string): boolean {
  return /(?:^|\.)(?:k8s\.io|istio\.io|linkerd\.io|cilium\.io|projectcalico\.org|antrea\.io|openshift\.io|ovn\.org|kubevirt\.io|x-k8s\.io|sailoperator\.io)$/.test(
    group,
  );
}

/** A workload without what no connection depends on; what has another form than the usual kinds stays whole. */
function connectable(object: unknown): unknown {
  if (!isRecord(object)) return object;
  const isPod = Object.keys(object).some(key => CONTAINERS.has(key));
  const without = isPod ? POD_FIELDS : WORKLOAD_FIELDS;
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, field]): [string, unknown][] => {
      if (without.has(key)) return [];
      if (isPod && CONTAINERS.has(key) && Array.isArray(field))
        return [[key, field.map(connectableContainer)]];
      return [[key, !isPod && TEMPLATES.has(key) ? connectable(field) : field]];
    }),
  );
}

function connectableContainer(container: unknown): unknown {
  if (!isRecord(container)) return container;
  const keepsImage = container['name'] === PROXY;
  return Object.fromEntries(
    Object.entries(container).filter(
      ([key]) => !CONTAINER_FIELDS.has(key) || (key === 'image' && keepsImage),
    ),
  );
}

/** As whom a workload runs, and whether on every node. */
function accountsOf(world: World, declared: Declared | undefined): unknown {
  if (declared === undefined || !world.isWorkload(declared.object)) return [];
  const { object } = declared;
  return podsOf(world, object).pods.map(({ namespace, spec }) => [
    object.kind === 'DaemonSet',
    namespace,
    accountOf(spec),
  ]);
}
