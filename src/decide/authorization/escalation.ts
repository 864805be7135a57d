/**
 * May this role or binding be written? The second question, that the API server asks after the request itself was
 * allowed: nobody gives away what they do not have. Sources: kubernetes pkg/registry/rbac/escalation_check.go,
 * pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go,
 * pkg/registry/rbac/validation/rule.go (ConfirmNoEscalation).
 */
import { isEqual } from '#kube/equal.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import type { Attributes, UserInfo } from './attributes.ts';
import { covers, type PolicyRule, rulesOf } from './rules.ts';

export interface WriteRequest {
  readonly user: UserInfo;
  readonly verb: 'create' | 'update' | 'patch';
  /** A Role, ClusterRole, RoleBinding or ClusterRoleBinding as it shall be. */
  readonly object: KubeObject;
  /** As it is now, for an update. */
  readonly old?: KubeObject;
}

export interface WriteAnswer {
  readonly decision: 'allow' | 'deny' | 'unknown';
  /** What let it through: `escalate` or `bind`, the rules that the user has, or that nothing is checked. */
  readonly by?: 'system:masters' | 'escalate' | 'bind' | 'covered' | 'unchanged';
  /** What the user would give away and has not. */
  readonly uncovered: readonly PolicyRule[];
  readonly reason: string;
}

interface Asked {
  readonly authorize: (attributes: Attributes) => {
    readonly decision: 'allow' | 'deny' | 'no-opinion' | 'unknown';
    readonly reason: string;
  };
  /** What RBAC alone lets the user do there: other authorizers do not count. */
  readonly rbacRules: (user: UserInfo, namespace: string) => readonly PolicyRule[];
  readonly referenced: (binding: KubeObject) => readonly PolicyRule[] | { readonly error: string };
}

const RBAC = 'rbac.authorization.k8s.io';
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export function mayWrite(request: WriteRequest, asked: Asked): WriteAnswer {
  const { user, object, old } = request;
  if ((user.groups ?? []).includes('system:masters')) return allow('system:masters');
  if (old !== undefined && onlyOwnersDiffer(object, old)) return allow('unchanged');
  const namespace = object.metadata?.namespace ?? '';
  switch (object.kind) {
    case 'Role':
    case 'ClusterRole':
      return mayWriteRole(request, object.kind === 'Role' ? namespace : '', asked);
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return mayWriteBinding(request, object.kind === 'RoleBinding' ? namespace : '', asked);
    default:
      return deny(`${object.kind} is neither a role nor a binding`, []);
  }
}

function mayWriteRole(
  { user, verb, object, old }: WriteRequest,
  namespace: string,
  asked: Asked,
): WriteAnswer {
  const escalate = asked.authorize({
    user,
    verb: 'escalate',
    apiGroup: RBAC,
    apiVersion: '*',
    resource: object.kind === 'Role' ? 'roles' : 'clusterroles',
    namespace,
    // The name is that of the request: a create has none.
    name: verb === 'create' ? '' : nameOf(object),
    resourceRequest: true,
  });
  if (escalate.decision === 'allow') return allow('escalate');
  const owned = asked.rbacRules(user, namespace);
  const needed = [
    ...rulesOf(object),
    ...(hasAggregation(object) || (old !== undefined && hasAggregation(old)) ? EVERYTHING : []),
  ];
  return verdict(owned, needed, escalate.decision === 'unknown');
}

function mayWriteBinding({ user, object }: WriteRequest, namespace: string, asked: Asked): WriteAnswer {
  const kind = valueAt(object, ['roleRef', 'kind']);
  const name = valueAt(object, ['roleRef', 'name']);
  const bind =
    kind === 'ClusterRole' || kind === 'Role'
      ? asked.authorize({
          user,
          verb: 'bind',
          apiGroup: RBAC,
          apiVersion: '*',
          resource: kind === 'Role' ? 'roles' : 'clusterroles',
          namespace,
          name: typeof name === 'string' ? name : '',
          resourceRequest: true,
        })
      : undefined;
  if (bind?.decision === 'allow') return allow('bind');
  const rules = asked.referenced(object);
  if ('error' in rules) return deny(rules.error, []);
  return verdict(asked.rbacRules(user, namespace), rules, bind?.decision === 'unknown');
}

function verdict(owned: readonly PolicyRule[], needed: readonly PolicyRule[], unknown: boolean): WriteAnswer {
  const { covered, uncovered } = covers(owned, needed);
  if (covered) return allow('covered');
  if (unknown) return { decision: 'unknown', uncovered, reason: 'a webhook may allow it' };
  return deny('the user is attempting to grant RBAC permissions not currently held', uncovered);
}

function allow(by: NonNullable<WriteAnswer['by']>): WriteAnswer {
  return { decision: 'allow', by, uncovered: [], reason: '' };
}

function deny(reason: string, uncovered: readonly PolicyRule[]): WriteAnswer {
  return { decision: 'deny', uncovered, reason };
}

function hasAggregation(role: KubeObject): boolean {
  return isRecord(role['aggregationRule']);
}

/** Owner references and finalizers belong to the garbage collector. */
function onlyOwnersDiffer(object: KubeObject, old: KubeObject): boolean {
  const strip = ({ metadata, ...rest }: KubeObject) => {
    const { ownerReferences: _owners, finalizers: _finalizers, ...others } = metadata ?? {};
    return { ...rest, metadata: others };
  };
  return isEqual(strip(object), strip(old));
}
