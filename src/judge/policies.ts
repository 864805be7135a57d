/**
 * Which PodSecurityPolicy admits each workload of a world, on whose behalf, and why the others do not. Pods are looked
 * at as Kubernetes 1.24 hands them to the policies: with their service account, and with its token's volume.
 */
import { type ChainAuthorizer, createAuthorizer } from '#decide/authorization/door.ts';
import { applyPolicy, type PolicyResult, PreparedPod } from '#decide/pod-security/policy/apply.ts';
import { type Account, admitByPolicies, type PolicyDecision } from '#decide/pod-security/policy/plugin.ts';
import { DecodeError } from '#kube/decode.ts';
import { isEqual } from '#kube/equal.ts';
import { compareBytes } from '#kube/go-text.ts';
import {
  formatPath,
  isRecord,
  type KubeObject,
  type ObjectReference,
  type Path,
  referenceOf,
} from '#kube/objects.ts';
import type { PodTemplate } from '#kube/workloads.ts';
import type { Declared, World } from '#world/world.ts';

export interface PoliciesOptions {
  /** Where objects that state no namespace go. */
  readonly namespace: string;
  /** Who makes plain pods; the pods of a controller are made by that controller. */
  readonly user?: Account;
}

/** `unknown` where no binding is in the input, or one whose role is not. */
export type Usable = 'yes' | 'no' | 'unknown';

export interface PolicyAnswer extends Omit<PolicyResult, 'mutated'> {
  readonly policy: string;
  readonly usable: Usable;
  /** What the policy writes into the pod: the path, and the value afterwards. */
  readonly changes: readonly PolicyChange[];
}

export interface PolicyChange {
  /** In the pod, as text. */
  readonly path: string;
  readonly value: unknown;
  /** Where it would stand in the manifest, or what is nearest to that. */
  readonly file: string;
  readonly line: number;
}

/** Where a workload comes from, for whoever edits it. */
export interface PolicySource {
  readonly declared: Declared;
  /** From a path in the pod to the path in the object. */
  readonly pathOf: (path: Path) => Path;
  /** What the policy that admits the pod writes, with paths in the pod. */
  readonly writes: readonly { readonly at: Path; readonly value: unknown }[];
}

export interface WorkloadPolicies {
  readonly file: string;
  readonly line: number;
  readonly object: ObjectReference;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Absent for a plain pod where nobody was named, and for controllers that are not Kubernetes' own. */
  readonly user?: string;
  /** What a server says in the end: it may reset what the policy had let pass. */
  readonly allowed: boolean;
  /** What admission says if every permission that is not known is there. */
  readonly decision: PolicyDecision;
  /** Whether it rests on a permission that is not known. */
  readonly isAssumed: boolean;
  readonly policies: readonly PolicyAnswer[];
}

export interface Unjudged {
  readonly file: string;
  readonly line: number;
  readonly object: ObjectReference;
  readonly reason: string;
}

export interface PolicyReport {
  /** How many policies could be read. */
  readonly policies: number;
  readonly workloads: readonly WorkloadPolicies[];
  readonly unknowns: readonly Unjudged[];
  readonly sources: ReadonlyMap<WorkloadPolicies, PolicySource>;
}

/** Source: kubernetes cmd/kube-controller-manager, the names of the controllers' service accounts. */
const CONTROLLERS: ReadonlyMap<string, string> = new Map([
  ['apps/Deployment', 'replicaset-controller'],
  ['apps/ReplicaSet', 'replicaset-controller'],
  ['apps/StatefulSet', 'statefulset-controller'],
  ['apps/DaemonSet', 'daemon-set-controller'],
  ['/ReplicationController', 'replication-controller'],
  ['batch/Job', 'job-controller'],
  ['batch/CronJob', 'job-controller'],
]);

/** The policy's own group had another name before 1.10; bindings of either count. */
const POLICY_KINDS = ['policy/PodSecurityPolicy', 'extensions/PodSecurityPolicy'];
const GRANTING_GROUPS = ['policy', 'extensions'];

export function policiesOf(world: World, options: PoliciesOptions): PolicyReport {
  const unknowns: Unjudged[] = [];
  const policies: { readonly name: string; readonly object: KubeObject }[] = [];
  for (const declared of POLICY_KINDS.flatMap(kind => world.ofKind(kind))) {
    const { object } = declared;
    try {
      applyPolicy(object, { spec: { containers: [] } });
      policies.push({ name: object.metadata?.name ?? '', object });
    } catch (error) {
      unknowns.push(unjudged(declared, error));
    }
  }
  policies.sort((a, b) => compareBytes(a.name, b.name));
  const usable = usageOf(world);
  const workloads: WorkloadPolicies[] = [];
  const sources = new Map<WorkloadPolicies, PolicySource>();
  for (const declared of world.declared)
    for (const template of world.templatesOf(declared.object)) {
      if (template.partial) continue;
      try {
        const { workload, writes } = judge(declared, template, policies, usable, world, options);
        workloads.push(workload);
        sources.set(workload, { declared, pathOf: template.pathOf, writes });
      } catch (error) {
        unknowns.push(unjudged(declared, error));
      }
    }
  return { policies: policies.length, workloads, unknowns, sources };
}

function unjudged({ object, origin }: Declared, error: unknown): Unjudged {
  if (!(error instanceof DecodeError)) throw error;
  return { file: origin.file, line: origin.line, object: referenceOf(object), reason: error.message };
}

type Usage = (account: Account, policy: string, namespace: string) => Usable;

function usageOf(world: World): Usage {
  const bindings = ['RoleBinding', 'ClusterRoleBinding'].flatMap(kind =>
    world.ofKind(`rbac.authorization.k8s.io/${kind}`),
  );
  const authorizer = createAuthorizer({ objects: world.declared.map(({ object }) => object) });
  const known = new Map<string, Usable>();
  return (account, policy, namespace) => {
    const key = JSON.stringify([account.name, account.groups, policy, namespace]);
    let answer = known.get(key);
    if (answer === undefined) {
      answer = ask(authorizer, account, policy, namespace);
      if (answer === 'no' && bindings.length === 0) answer = 'unknown';
      known.set(key, answer);
    }
    return answer;
  };
}

function ask(authorizer: ChainAuthorizer, user: Account, policy: string, namespace: string): Usable {
  const answers = GRANTING_GROUPS.map(apiGroup =>
    authorizer.authorize({
      user,
      verb: 'use',
      apiGroup,
      resource: 'podsecuritypolicies',
      name: policy,
      namespace,
      resourceRequest: true,
    }),
  );
  if (answers.some(({ decision }) => decision === 'allow')) return 'yes';
  // The reason names the roles that bindings of this account refer to and nobody declared.
  return answers.some(({ reason }) => reason.includes('not found')) ? 'unknown' : 'no';
}

function judge(
  { object, origin }: Declared,
  { pod: submitted, pathOf }: PodTemplate,
  policies: readonly { readonly name: string; readonly object: KubeObject }[],
  usage: Usage,
  world: World,
  options: PoliciesOptions,
): { readonly workload: WorkloadPolicies; readonly writes: PolicySource['writes'] } {
  const namespace = object.metadata?.namespace || options.namespace;
  const { pod, serviceAccount } = withServiceAccount(submitted, namespace, world);
  const user = creatorOf(object, options);
  const decision = admitByPolicies({
    policies: policies.map(({ object }) => object),
    namespace,
    user: user ?? { name: '', groups: [] },
    authorized: (account, policy) => account.name !== '' && usage(account, policy, namespace) !== 'no',
    operation: 'CREATE',
    pod,
  });
  const accounts = [serviceAccountUser(namespace, serviceAccount), ...(user === undefined ? [] : [user])];
  const prepared = new PreparedPod(pod);
  let chosen: PolicySource['writes'] = [];
  const answers = policies.map(({ name, object: policy }) => {
    const { mutated, ...result } = applyPolicy(policy, prepared);
    const usable = accounts.map(account => usage(account, name, namespace));
    const writes = result.changed ? writesOf(pod, mutated) : [];
    if (name === decision.policyChosen) chosen = writes;
    return {
      policy: name,
      usable: usable.includes('yes') ? 'yes' : usable.includes('unknown') ? 'unknown' : 'no',
      ...result,
      changes: writes.map(({ at, value }) => {
        const { file, line } = origin.positionOf(pathOf(at));
        return { path: formatPath(at), value, file, line };
      }),
    } satisfies PolicyAnswer;
  });
  const isFit = ({ admitted, usable }: PolicyAnswer): boolean => admitted && usable === 'unknown';
  const workload: WorkloadPolicies = {
    file: origin.file,
    line: origin.line,
    object: referenceOf(object),
    namespace,
    serviceAccount,
    ...(user === undefined ? {} : { user: user.name }),
    allowed: decision.allowed && decision.validatePrepared?.allowed !== false,
    decision,
    isAssumed: answers.some(isFit),
    policies: answers,
  };
  return { workload, writes: chosen };
}

/** The groups as the plugin itself derives them: a service account looked up is in no group of all who are known. */
function serviceAccountUser(namespace: string, name: string): Account {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

function creatorOf(object: KubeObject, { user }: PoliciesOptions): Account | undefined {
  const { apiVersion = '', kind = '' } = object;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  if (group === '' && kind === 'Pod') return user;
  const controller = CONTROLLERS.get(`${group}/${kind}`);
  if (controller === undefined) return undefined;
  const { name, groups } = serviceAccountUser('kube-system', controller);
  return { name, groups: [...groups, 'system:authenticated'] };
}

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The pod as the plugin ServiceAccount leaves it, which runs before the policies are asked.
 * Source: kubernetes v1.24 plugin/pkg/admission/serviceaccount/admission.go.
 */
function withServiceAccount(
  pod: { readonly metadata?: unknown; readonly spec: unknown },
  namespace: string,
  world: World,
): {
  readonly pod: { readonly metadata?: unknown; readonly spec: unknown };
  readonly serviceAccount: string;
} {
  if (!isRecord(pod.spec)) return { pod, serviceAccount: 'default' };
  const { spec } = pod;
  const stated = [spec['serviceAccountName'], spec['serviceAccount']].find(
    one => one !== undefined && one !== '',
  );
  // What is no text is refused when the pod is decoded.
  const serviceAccount = typeof stated === 'string' ? stated : 'default';
  const account = world.find('/ServiceAccount', namespace, serviceAccount);
  const mounts = spec['automountServiceAccountToken'] ?? account?.['automountServiceAccountToken'] ?? true;
  const volumes = spec['volumes'] ?? [];
  const needsToken = ['initContainers', 'containers'].some(list => {
    const containers = spec[list];
    return Array.isArray(containers) && containers.some(container => !hasOwnToken(container));
  });
  const token = {
    name: 'kube-api-access',
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
  return {
    pod: {
      ...pod,
      spec: {
        ...spec,
        ...(stated === undefined ? { serviceAccountName: serviceAccount } : {}),
        ...(mounts === true && needsToken && Array.isArray(volumes) ? { volumes: [...volumes, token] } : {}),
      },
    },
    serviceAccount,
  };
}

function hasOwnToken(container: unknown): boolean {
  const mounts = isRecord(container) ? container['volumeMounts'] : undefined;
  return Array.isArray(mounts) && mounts.some(mount => isRecord(mount) && mount['mountPath'] === TOKEN_PATH);
}

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Leaves that the policy wrote: those of the result that the pod did not have. */
function writesOf(
  { metadata, spec }: { readonly metadata?: unknown; readonly spec: unknown },
  after: PolicyResult['mutated'],
): PolicySource['writes'] {
  const writes: { at: Path; value: unknown }[] = [];
  const compare = (before: unknown, now: unknown, at: Path): void => {
    if (isRecord(now)) {
      for (const [key, value] of Object.entries(now)) {
        const own = isRecord(before) && Object.hasOwn(before, key) ? before[key] : undefined;
        compare(own, value, [...at, key]);
      }
    } else if (now !== null && now !== undefined && !isEqual(before, now)) writes.push({ at, value: now });
  };
  const pod = isRecord(spec) ? spec : {};
  compare(isRecord(metadata) ? metadata['annotations'] : undefined, after?.annotations, [
    'metadata',
    'annotations',
  ]);
  compare(pod['runtimeClassName'], after?.runtimeClassName, ['spec', 'runtimeClassName']);
  compare(pod['securityContext'], after?.securityContext, ['spec', 'securityContext']);
  for (const list of LISTS)
    for (const [i, context] of (after?.[list] ?? []).entries()) {
      const containers = pod[list];
      const container: unknown = Array.isArray(containers) ? containers[i] : undefined;
      const own = isRecord(container) ? container['securityContext'] : undefined;
      compare(own, context, ['spec', list, i, 'securityContext']);
    }
  return writes;
}
