/** PodSecurityPolicies as the checks look at them: what each lets in, and who may use it. */
import { createAuthorizer, type Holder } from '#decide/authorization/door.ts';
import { isShadowedBy } from '#decide/pod-security/policy/covers.ts';
import { decodePolicy, type Policy, type PolicySpec } from '#decide/pod-security/policy/policy.ts';
import { DecodeError } from '#kube/decode.ts';
import { type KubeObject, nameOf, type Path } from '#kube/objects.ts';
import { metadataOf, namespaceOf, type World } from '#world/world.ts';
import { DANGERS } from './capabilities.ts';

export const POLICY_KINDS = ['policy/PodSecurityPolicy', 'extensions/PodSecurityPolicy'] as const;

/** The release that does not know policies any more. */
export const REMOVED_IN = 25;

/** The policy as the API server decodes it, or why it would not. */
export function readPolicy(object: KubeObject): Policy | { readonly refused: string } {
  try {
    return decodePolicy(object);
  } catch (error) {
    if (error instanceof DecodeError) return { refused: error.message };
    throw error;
  }
}

/** Something that a policy lets pods have. */
export interface Power {
  readonly what: string;
  /** The level of the standards that forbids it. */
  readonly level: 'baseline' | 'restricted';
  readonly at: Path;
}

export function powersOf(spec: PolicySpec): Power[] {
  const powers: Power[] = [];
  const add = (condition: boolean, what: string, level: Power['level'], field: keyof PolicySpec) => {
    if (condition) powers.push({ what, level, at: ['spec', field] });
  };
  add(spec.privileged, 'privileged containers', 'baseline', 'privileged');
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
    add(spec[field], field, 'baseline', field);
  const folders = spec.volumes.includes('*') || spec.volumes.includes('hostPath');
  const { allowedHostPaths: paths } = spec;
  add(folders && paths.length === 0, 'every folder of the node', 'baseline', 'volumes');
  const writable = paths.filter(({ pathPrefix, readOnly }) => !readOnly || pathPrefix === '/');
  const named = (list: typeof paths) => list.map(({ pathPrefix }) => pathPrefix).join(', ');
  add(
    folders && writable.length > 0,
    `folders of the node (${named(writable)})`,
    'baseline',
    'allowedHostPaths',
  );
  // What can only be read gives less away than what the node's own programs would find changed.
  add(
    folders && paths.length > 0 && writable.length === 0,
    `reading folders of the node (${named(paths)})`,
    'restricted',
    'allowedHostPaths',
  );
  const strong = spec.allowedCapabilities.filter(one => one === '*' || strongest(one));
  add(
    strong.length > 0,
    strong.includes('*') ? 'every capability' : `capability ${strong.join(', ')}`,
    'baseline',
    'allowedCapabilities',
  );
  add(
    spec.allowedProcMountTypes.includes('Unmasked'),
    'an unmasked /proc',
    'baseline',
    'allowedProcMountTypes',
  );
  const { rule, ranges } = spec.runAsUser;
  add(
    rule === 'RunAsAny' || (rule === 'MustRunAs' && ranges.some(({ min }) => Number(min) === 0)),
    'user 0',
    'restricted',
    'runAsUser',
  );
  add(spec.allowPrivilegeEscalation, 'privilege escalation', 'restricted', 'allowPrivilegeEscalation');
  return powers;
}

/** Whether a capability is one of those with which a node is lost. */
function strongest(capability: string): boolean {
  const severity = DANGERS[capability]?.severity;
  return severity === 'critical' || severity === 'high';
}

/** Who may use policies, asked of the input's own roles. */
export interface Usage {
  /** Whether the input binds anybody to anything: without that, nothing is known. */
  readonly isKnown: boolean;
  /** Whether a binding refers to a role that is not in the input, so that somebody may have more than is seen. */
  readonly isPartial: boolean;
  holdersOf(policy: string): readonly Holder[];
  /** The namespaces in which it may be somebody else who may use a policy; the empty one is all others. */
  readonly namespaces: readonly string[];
  holdersIn(policy: string, namespace: string): readonly Holder[];
}

export function usageOf(world: World): Usage {
  return world.fact(usage);
}

const BINDINGS = ['ClusterRoleBinding', 'RoleBinding'].map(kind => `rbac.authorization.k8s.io/${kind}`);

function usage(world: World): Usage {
  const bindings = BINDINGS.flatMap(kind => world.ofKind(kind)).map(({ object }) => object);
  // What roles give; that system:masters may use every policy says nothing of one.
  const objects = world.declared.map(({ object }) => object);
  const authorizer = createAuthorizer({ objects, chain: ['RBAC'] });
  const namespaces = ['', ...new Set(bindings.flatMap(object => namespaceOf(object) ?? []))];
  const known = new Map<string, readonly Holder[]>();
  const holdersIn = (policy: string, namespace: string): readonly Holder[] => {
    const key = `${namespace}/${policy}`;
    let holders = known.get(key);
    if (holders === undefined) {
      holders = ['policy', 'extensions'].flatMap(apiGroup =>
        authorizer.whoCan({
          verb: 'use',
          apiGroup,
          resource: 'podsecuritypolicies',
          name: policy,
          namespace,
          resourceRequest: true,
        }),
      );
      known.set(key, holders);
    }
    return holders;
  };
  return {
    isKnown: bindings.length > 0,
    isPartial: bindings.some(binding => !hasRole(world, binding)),
    namespaces,
    holdersIn,
    holdersOf: policy => namespaces.flatMap(namespace => holdersIn(policy, namespace)),
  };
}

function hasRole(world: World, binding: KubeObject): boolean {
  const role = binding['roleRef'] as { readonly kind?: unknown; readonly name?: unknown } | undefined;
  const kind = `rbac.authorization.k8s.io/${String(role?.kind)}`;
  const namespace = role?.kind === 'Role' ? namespaceOf(binding) : undefined;
  return world.find(kind, namespace, String(role?.name)) !== undefined;
}

/** The namespaces of the input whose labels enforce no level. */
export function unguarded(world: World): string[] {
  return world.ofKind('/Namespace').flatMap(({ object }) => {
    const level = metadataOf(object.metadata).labels?.['pod-security.kubernetes.io/enforce'];
    return level === undefined || level === 'privileged' ? [nameOf(object)] : [];
  });
}

/** The policy that always comes before one, for all who may use it; undefined where none does or that is not known. */
export function shadowOf(world: World, object: KubeObject): string | undefined {
  const policy = readPolicy(object);
  const usage = usageOf(world);
  // Who may use a policy by bindings that are elsewhere may not be able to use the other.
  if ('refused' in policy || !usage.isKnown || usage.isPartial) return undefined;
  if (usage.holdersOf(policy.name).length === 0) return undefined;
  for (const { object: another } of POLICY_KINDS.flatMap(kind => world.ofKind(kind))) {
    const other = readPolicy(another);
    if ('refused' in other || !isShadowedBy(policy, other)) continue;
    if (isUsedByAllOf(usage, policy.name, other.name)) return other.name;
  }
  return undefined;
}

const EVERYBODY = 'system:authenticated';
const ALL_ACCOUNTS = 'system:serviceaccounts';

/** Whether all who may use one policy may use another, wherever: by the same name, or as a group that holds them. */
function isUsedByAllOf(usage: Usage, policy: string, other: string): boolean {
  return usage.namespaces.every(namespace => {
    const others = usage.holdersIn(other, namespace);
    const names = new Set(others.map(keyOf));
    const groups = new Set(others.flatMap(({ kind, name }) => (kind === 'Group' ? [name] : [])));
    return usage.holdersIn(policy, namespace).every(holder => {
      if (names.has(keyOf(holder))) return true;
      if (groups.has(EVERYBODY)) return holder.name !== 'system:unauthenticated';
      return (
        holder.kind === 'ServiceAccount' &&
        (groups.has(ALL_ACCOUNTS) || groups.has(`${ALL_ACCOUNTS}:${holder.namespace ?? ''}`))
      );
    });
  });
}

function keyOf({ kind, name, namespace }: Holder): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}
