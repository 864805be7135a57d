/** Guards: objects that keep something out. What a change takes away from them is what a reviewer must not miss. */
import type { SecurityChange } from '#check/comparison.ts';
import type { Exception } from '#check/exception.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import { isEqual } from '#kube/equal.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { type Declared, kindKey, namespaceOf, type World } from '#world/world.ts';
import { kindOf } from './change-kinds.ts';
import { changeOf, type Pair, type Pairs } from './sides.ts';

/** Groups of which every kind is a guard, and kinds of other groups. */
const GUARD_GROUPS = [
  'constraints.gatekeeper.sh',
  'policies.kyverno.io',
  'policy.linkerd.io',
  'policy.networking.k8s.io',
];
const GUARDS = new Set([
  'networking.k8s.io/NetworkPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'kyverno.io/ClusterPolicy',
  'kyverno.io/Policy',
  'templates.gatekeeper.sh/ConstraintTemplate',
  'security.istio.io/PeerAuthentication',
  'security.istio.io/AuthorizationPolicy',
  'security.istio.io/RequestAuthentication',
  'cilium.io/CiliumNetworkPolicy',
  'cilium.io/CiliumClusterwideNetworkPolicy',
  'crd.projectcalico.org/NetworkPolicy',
  'crd.projectcalico.org/GlobalNetworkPolicy',
  'projectcalico.org/NetworkPolicy',
  'projectcalico.org/GlobalNetworkPolicy',
  'policy/PodSecurityPolicy',
  '/ResourceQuota',
  '/LimitRange',
]);
/** They keep order rather than intruders. */
const LESSER = new Set(['/ResourceQuota', '/LimitRange']);

export function guardChanges(head: World, { changed, added, removed }: Pairs): SecurityChange[] {
  const found: SecurityChange[] = [];
  for (const pair of removed) {
    const key = kindKey(pair.base.object);
    if (!isGuard(key)) continue;
    // A namespace that goes with all that is in it needs no guard.
    const alone = isEmptied(head, pair.base);
    found.push(
      changeOf('cicd/weakened-guard', pair, alone ? 'removed, with all that it guarded' : 'removed', {
        direction: alone ? 'neutral' : 'worse',
        ...(LESSER.has(key) ? { severity: 'low' as const } : {}),
      }),
    );
  }
  for (const pair of added)
    if (isGuard(kindKey(pair.head.object)))
      found.push(changeOf('cicd/weakened-guard', pair, 'new', { direction: 'better' }));
  for (const pair of changed) {
    found.push(...weakened(pair));
    found.push(...permissionChanges(pair));
  }
  for (const pair of added) found.push(...permissionChanges(pair));
  for (const pair of removed) found.push(...permissionChanges(pair));
  return found;
}

function isGuard(key: string): boolean {
  return GUARDS.has(key) || GUARD_GROUPS.includes(key.slice(0, key.indexOf('/')));
}

function isEmptied(head: World, { object }: Declared): boolean {
  const namespace = namespaceOf(object);
  return (
    namespace !== undefined &&
    !head.declared.some(one => namespaceOf(one.object) === namespace && head.isWorkload(one.object))
  );
}

/** A word somewhere in a guard that says how strict it is, from the strictest to the laxest. */
interface Strictness {
  readonly kinds: RegExp;
  readonly path: Path;
  readonly order: readonly string[];
  readonly absent: string;
}

const STRICTNESS: readonly Strictness[] = [
  {
    kinds: /^admissionregistration\.k8s\.io\/ValidatingAdmissionPolicy$/,
    path: ['spec', 'failurePolicy'],
    order: ['Fail', 'Ignore'],
    absent: 'Fail',
  },
  {
    kinds: /^kyverno\.io\/(?:Cluster)?Policy$/,
    path: ['spec', 'validationFailureAction'],
    order: ['Enforce', 'enforce', 'Audit', 'audit'],
    absent: 'Audit',
  },
  {
    kinds: /^constraints\.gatekeeper\.sh\//,
    path: ['spec', 'enforcementAction'],
    order: ['deny', 'warn', 'dryrun'],
    absent: 'deny',
  },
  {
    kinds: /^security\.istio\.io\/PeerAuthentication$/,
    path: ['spec', 'mtls', 'mode'],
    order: ['STRICT', 'PERMISSIVE', 'UNSET', 'DISABLE'],
    absent: 'UNSET',
  },
];

function weakened(pair: Pair & { readonly base: Declared; readonly head: Declared }): SecurityChange[] {
  const [before, after] = [pair.base.object, pair.head.object];
  const key = kindKey(after);
  const found: SecurityChange[] = [];
  for (const { kinds, path, order, absent } of STRICTNESS) {
    if (!kinds.test(key)) continue;
    const [was, is] = [String(valueAt(before, path) ?? absent), String(valueAt(after, path) ?? absent)];
    if (was === is || !order.includes(was) || !order.includes(is)) continue;
    found.push(
      changeOf('cicd/weakened-guard', pair, `${path.at(-1)} is ${is}, before ${was}`, {
        direction: order.indexOf(is) > order.indexOf(was) ? 'worse' : 'better',
        path,
      }),
    );
  }
  if (key === 'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding') {
    const actions = (object: KubeObject) => valueAt(object, ['spec', 'validationActions']);
    const denies = (object: KubeObject) => {
      const list = actions(object);
      return Array.isArray(list) && list.includes('Deny');
    };
    if (denies(before) !== denies(after))
      found.push(
        changeOf('cicd/weakened-guard', pair, denies(after) ? 'denies now' : 'denies no more', {
          direction: denies(after) ? 'better' : 'worse',
          path: ['spec', 'validationActions'],
        }),
      );
  }
  if (key === 'admissionregistration.k8s.io/ValidatingWebhookConfiguration') {
    const [was, is] = [webhooks(before), webhooks(after)];
    for (const [name, policy] of was) {
      const now = is.get(name);
      if (now === undefined || (policy === 'Fail' && now === 'Ignore'))
        found.push(
          changeOf(
            'cicd/weakened-guard',
            pair,
            now === undefined
              ? `webhook "${name}" removed`
              : `webhook "${name}" lets pass what it cannot judge`,
            { direction: 'worse', path: ['webhooks'] },
          ),
        );
    }
  }
  // What else changed in a guard is for people: whether it is looser is not a matter of one word.
  const spec = (object: KubeObject) => ({ ...object, metadata: undefined });
  if (isGuard(key) && found.length === 0 && !isEqual(spec(before), spec(after)))
    found.push(changeOf('cicd/weakened-guard', pair, 'changed', { direction: 'neutral', severity: 'info' }));
  return found;
}

function webhooks(object: KubeObject): Map<string, string> {
  const list = object['webhooks'];
  const found = new Map<string, string>();
  if (Array.isArray(list))
    for (const one of list)
      if (isRecord(one)) found.set(String(one['name']), String(one['failurePolicy'] ?? 'Fail'));
  return found;
}

const RBAC = 'rbac.authorization.k8s.io/';

/** Rules and subjects that come and go: what is granted on paper, whoever holds it. */
function permissionChanges(pair: Pair): SecurityChange[] {
  const key = kindKey((pair.head ?? pair.base)!.object);
  if (!key.startsWith(RBAC)) return [];
  const words = (one: Declared | undefined): Map<string, Path> =>
    one === undefined ? new Map() : key.endsWith('Binding') ? boundBy(one.object) : grantedBy(one.object);
  const [before, after] = [words(pair.base), words(pair.head)];
  return [
    ...[...after]
      .filter(([what]) => !before.has(what))
      .map(([what, path]) =>
        changeOf('authorization/gained-permission', pair, what, {
          direction: 'worse',
          ...(pair.base === undefined && key.endsWith('Role') ? { severity: 'low' as const } : {}),
          path,
        }),
      ),
    ...[...before.keys()]
      .filter(what => !after.has(what))
      .map(what =>
        changeOf('authorization/gained-permission', pair, `no more: ${what}`, { direction: 'better' }),
      ),
  ];
}

function grantedBy(role: KubeObject): Map<string, Path> {
  const granted = new Map<string, Path>();
  for (const [i, rule] of rulesOf(role).entries()) {
    const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
    const only = resourceNames.length === 0 ? '' : ` named ${[...resourceNames].sort().join(', ')}`;
    const targets = [
      ...resources.flatMap(resource =>
        apiGroups.map(group => (group === '' ? resource : `${resource}.${group}`)),
      ),
      ...nonResourceURLs,
    ];
    for (const verb of verbs)
      for (const target of targets) granted.set(`grants ${verb} on ${target}${only}`, ['rules', i]);
  }
  return granted;
}

function boundBy(binding: KubeObject): Map<string, Path> {
  const bound = new Map<string, Path>();
  const role = binding['roleRef'];
  const subjects = binding['subjects'];
  if (!isRecord(role) || !Array.isArray(subjects)) return bound;
  const where =
    binding.kind === 'RoleBinding' ? `in namespace ${namespaceOf(binding) ?? '(none stated)'}` : 'everywhere';
  for (const [i, subject] of subjects.entries()) {
    if (!isRecord(subject)) continue;
    const { kind, name, namespace } = subject;
    const full = namespace === undefined ? `${String(name)}` : `${String(namespace)}/${String(name)}`;
    bound.set(`${String(kind)} ${full} holds ${String(role['kind'])} ${String(role['name'])} ${where}`, [
      'subjects',
      i,
    ]);
  }
  return bound;
}

/** Exceptions that came, went, or hold for longer. */
export function exceptionChanges(base: readonly Exception[], head: readonly Exception[]): SecurityChange[] {
  const key = ({ check, scope: { lines: _, ...scope } }: Exception) => JSON.stringify([check, scope]);
  const before = Map.groupBy(base, key);
  const found: SecurityChange[] = [];
  const add = (
    one: Exception,
    text: string,
    side: 'base' | 'head',
    direction: SecurityChange['direction'],
  ) => {
    const { practice, severity } = kindOf('cicd/new-exception');
    found.push({
      kind: 'cicd/new-exception',
      practice,
      direction,
      severity,
      side,
      object: { apiVersion: 'sallyport/v1', kind: 'Exception', name: one.check },
      file: one.file,
      line: one.line,
      column: one.column,
      endLine: one.line,
      endColumn: one.column + 1,
      path: '',
      text,
    });
  };
  for (const one of head) {
    const old = before.get(key(one))?.shift();
    const end = one.until === undefined ? 'without end' : `until ${one.until}`;
    if (old === undefined) add(one, `new, ${end}: ${one.reason} (${one.owner})`, 'head', 'worse');
    else if (old.until !== one.until) {
      const longer = one.until === undefined || (old.until !== undefined && one.until > old.until);
      add(one, `holds ${end}, before ${old.until ?? 'without end'}`, 'head', longer ? 'worse' : 'better');
    }
  }
  for (const gone of before.values()) for (const one of gone) add(one, 'removed', 'base', 'better');
  return found;
}
