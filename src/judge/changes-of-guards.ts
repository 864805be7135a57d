/** Guards: objects that keep something out. What a change takes away from them is what a reviewer must not miss. */
import type { SecurityChange } from '#check/comparison.ts';
import type { Exception } from '#check/exception.ts';
import type { Severity } from '#check/severity.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import { isEqual } from '#kube/equal.ts';
import { toJson } from '#kube/json.ts';
import { isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import { type Declared, kindKey, metadataOf, namespaceOf, type World } from '#world/world.ts';
import { kindOf } from './change-kinds.ts';
import { admissionChanges, isMutating } from './changes-of-admission.ts';
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
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
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
/** Objects that let something through: the other way round. */
const EXEMPTIONS = new Set(['kyverno.io/PolicyException', 'policies.kyverno.io/PolicyException']);
/** They keep order rather than intruders. */
const LESSER = new Set(['/ResourceQuota', '/LimitRange']);

export function guardChanges(base: World, head: World, { changed, added, removed }: Pairs): SecurityChange[] {
  const found: SecurityChange[] = [];
  for (const pair of removed) {
    const key = kindKey(pair.base.object);
    if (EXEMPTIONS.has(key))
      found.push(changeOf('cicd/weakened-guard', pair, 'exempts no more', { direction: 'better' }));
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
  for (const pair of added) {
    const key = kindKey(pair.head.object);
    if (EXEMPTIONS.has(key))
      found.push(changeOf('cicd/weakened-guard', pair, 'new: exempts from policies', { direction: 'worse' }));
    // What a check says of it, it says itself: it may as well loosen what others wrote.
    else if (isMutating(key))
      found.push(
        changeOf('cicd/weakened-guard', pair, 'new: changes what others wrote', { direction: 'neutral' }),
      );
    else if (isGuard(key)) found.push(changeOf('cicd/weakened-guard', pair, 'new', { direction: 'better' }));
  }
  for (const pair of changed) {
    found.push(...weakened(pair));
    if (kindKey(pair.head.object) === '/Namespace') found.push(...namespaceMarks(pair));
  }
  for (const pair of [...changed, ...added, ...removed]) found.push(...permissionChanges(base, head, pair));
  return found;
}

function isGuard(key: string): boolean {
  if (EXEMPTIONS.has(key)) return false;
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

/** A list or mapping in a guard of which more, or less, lets more through. */
interface Extent {
  readonly kinds: RegExp;
  readonly path: Path;
  readonly looser: 'more' | 'fewer';
  /** What one of them is. */
  readonly noun: string;
  readonly severity?: Severity;
}

const EXTENTS: readonly Extent[] = [
  { kinds: /^kyverno\.io\/(?:Cluster)?Policy$/, path: ['spec', 'rules'], looser: 'fewer', noun: 'rule' },
  {
    kinds: /^kyverno\.io\/(?:Cluster)?Policy$/,
    path: ['spec', 'validationFailureActionOverrides'],
    looser: 'more',
    noun: 'override',
  },
  {
    kinds: /^(?:constraints\.gatekeeper\.sh\/|config\.gatekeeper\.sh\/Config$)/,
    path: ['spec', 'match', 'excludedNamespaces'],
    looser: 'more',
    noun: 'excluded namespace',
  },
  {
    kinds: /^constraints\.gatekeeper\.sh\//,
    path: ['spec', 'match', 'kinds'],
    looser: 'fewer',
    noun: 'matched kind',
  },
  { kinds: /^config\.gatekeeper\.sh\/Config$/, path: ['spec', 'match'], looser: 'more', noun: 'exemption' },
  {
    kinds: /^security\.istio\.io\/RequestAuthentication$/,
    path: ['spec', 'jwtRules'],
    looser: 'more',
    noun: 'accepted issuer',
  },
  {
    kinds: /^policy\.linkerd\.io\/AuthorizationPolicy$/,
    path: ['spec', 'requiredAuthenticationRefs'],
    looser: 'fewer',
    noun: 'required authentication',
  },
  {
    kinds: /^policy\.linkerd\.io\/MeshTLSAuthentication$/,
    path: ['spec', 'identities'],
    looser: 'more',
    noun: 'admitted identity',
  },
  {
    kinds: /^policy\.linkerd\.io\/NetworkAuthentication$/,
    path: ['spec', 'networks'],
    looser: 'more',
    noun: 'admitted network',
  },
  { kinds: /^\/ResourceQuota$/, path: ['spec', 'hard'], looser: 'fewer', noun: 'bound', severity: 'low' },
  { kinds: /^\/LimitRange$/, path: ['spec', 'limits'], looser: 'fewer', noun: 'bound', severity: 'low' },
];

/** Of a rule that allows more is looser, of one that denies fewer. Source: Istio "Authorization Policy" reference. */
function extentsOf(key: string, object: KubeObject): readonly Extent[] {
  const own = EXTENTS.filter(({ kinds }) => kinds.test(key));
  if (key !== 'security.istio.io/AuthorizationPolicy') return own;
  const action = valueAt(object, ['spec', 'action']) ?? 'ALLOW';
  const looser = action === 'ALLOW' ? 'more' : 'fewer';
  return [{ kinds: /./, path: ['spec', 'rules'], looser, noun: 'rule' }];
}

/** Items by what they are: their name where they have one, else all of them. A mapping has entries. */
function itemsAt(object: KubeObject, path: Path): Set<string> {
  const value = valueAt(object, path);
  if (Array.isArray(value)) return new Set(value.map((item: unknown) => toJson(item)));
  return new Set(isRecord(value) ? Object.keys(value) : []);
}

function countBeyond(some: ReadonlySet<string>, others: ReadonlySet<string>): number {
  return [...some].filter(one => !others.has(one)).length;
}

function extentChanges(pair: Changed, key: string): SecurityChange[] {
  return extentsOf(key, pair.head.object).flatMap(({ path, looser, noun, severity }) => {
    const [was, is] = [itemsAt(pair.base.object, path), itemsAt(pair.head.object, path)];
    const [more, fewer] = [countBeyond(is, was), countBeyond(was, is)];
    // Where some came and others went, one of them may only have been rewritten.
    if (more === fewer || (more > 0 && fewer > 0)) return [];
    const [count, sign] = more > 0 ? [more, 'more'] : [fewer, 'fewer'];
    return [
      changeOf('cicd/weakened-guard', pair, `${count} ${noun}${count === 1 ? '' : 's'} ${sign}`, {
        direction: sign === looser ? 'worse' : 'better',
        path,
        ...(severity === undefined ? {} : { severity }),
      }),
    ];
  });
}

/** Modes of single ports, where they differ from that of the whole. */
function portModes(object: KubeObject): ReadonlyMap<string, string> {
  const ports = valueAt(object, ['spec', 'portLevelMtls']);
  const whole = String(valueAt(object, ['spec', 'mtls', 'mode']) ?? 'UNSET');
  return new Map(
    Object.entries(isRecord(ports) ? ports : {}).map(([port, one]) => [
      port,
      String((isRecord(one) ? one['mode'] : undefined) ?? whole),
    ]),
  );
}

function portModeChanges(pair: Changed): SecurityChange[] {
  const [was, is] = [portModes(pair.base.object), portModes(pair.head.object)];
  const whole = (object: KubeObject) => String(valueAt(object, ['spec', 'mtls', 'mode']) ?? 'UNSET');
  const order = ['STRICT', 'PERMISSIVE', 'UNSET', 'DISABLE'];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap(port => {
    const before = was.get(port) ?? whole(pair.base.object);
    const after = is.get(port) ?? whole(pair.head.object);
    if (before === after || !order.includes(before) || !order.includes(after)) return [];
    return [
      changeOf('cicd/weakened-guard', pair, `mode of port ${port} is ${after}, before ${before}`, {
        direction: order.indexOf(after) > order.indexOf(before) ? 'worse' : 'better',
        path: ['spec', 'portLevelMtls', port],
      }),
    ];
  });
}

/** What a namespace says to meshes and policy engines: with a mark the guard is there, or with it it is not. */
const MARKS: readonly {
  readonly in: 'labels' | 'annotations';
  readonly name: string;
  readonly isGuarded: (value: string | undefined) => boolean;
  readonly text: readonly [guarded: string, unguarded: string];
}[] = [
  {
    in: 'labels',
    name: 'istio-injection',
    isGuarded: value => value === 'enabled',
    text: ['its pods join the mesh', 'its pods join the mesh no more (istio-injection)'],
  },
  {
    in: 'labels',
    name: 'istio.io/dataplane-mode',
    isGuarded: value => value === 'ambient',
    text: ['its pods join the mesh', 'its pods join the mesh no more (istio.io/dataplane-mode)'],
  },
  {
    in: 'annotations',
    name: 'linkerd.io/inject',
    isGuarded: value => value === 'enabled' || value === 'ingress',
    text: ['its pods join the mesh', 'its pods join the mesh no more (linkerd.io/inject)'],
  },
  {
    in: 'labels',
    name: 'admission.gatekeeper.sh/ignore',
    isGuarded: value => value === undefined,
    text: ['Gatekeeper looks at it', 'Gatekeeper looks at it no more'],
  },
];

function namespaceMarks(pair: Changed): SecurityChange[] {
  return MARKS.flatMap(({ in: where, name, isGuarded, text: [guarded, unguarded] }) => {
    const said = ({ object }: Declared) => metadataOf(object.metadata)[where]?.[name];
    const [was, is] = [isGuarded(said(pair.base)), isGuarded(said(pair.head))];
    if (was === is) return [];
    return [
      changeOf('cicd/weakened-guard', pair, is ? `${guarded} now` : unguarded, {
        direction: is ? 'better' : 'worse',
        path: ['metadata', where, name],
      }),
    ];
  });
}

type Changed = Pair & { readonly base: Declared; readonly head: Declared };

function weakened(pair: Changed): SecurityChange[] {
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
  found.push(...admissionChanges(pair, key));
  if (key === 'admissionregistration.k8s.io/ValidatingWebhookConfiguration') {
    const [was, is] = [webhooks(before), webhooks(after)];
    for (const [name, hook] of was) {
      const now = is.get(name);
      const say = (text: string) =>
        found.push(changeOf('cicd/weakened-guard', pair, text, { direction: 'worse', path: ['webhooks'] }));
      if (now === undefined) say(`webhook "${name}" removed`);
      else {
        const policy = (one: Readonly<Record<string, unknown>>) => one['failurePolicy'] ?? 'Fail';
        if (policy(hook) === 'Fail' && policy(now) === 'Ignore')
          say(`webhook "${name}" lets pass what it cannot judge`);
        const [asked, asks] = [hook, now].map(one => itemsAt(one as unknown as KubeObject, ['rules']));
        if (countBeyond(asked!, asks!) > 0 && countBeyond(asks!, asked!) === 0)
          say(`webhook "${name}" is asked about less`);
        for (const selector of ['namespaceSelector', 'objectSelector', 'matchConditions'])
          if (isNarrower(hook[selector], now[selector])) say(`webhook "${name}" has another ${selector}`);
      }
    }
  }
  found.push(...extentChanges(pair, key));
  if (key === 'security.istio.io/PeerAuthentication') found.push(...portModeChanges(pair));
  if (key === 'security.istio.io/AuthorizationPolicy') found.push(...actionChanges(pair));
  // What else changed in a guard is for people: whether it is looser is not a matter of one word.
  const spec = (object: KubeObject) => ({ ...object, metadata: undefined });
  if (isGuard(key) && found.length === 0 && !isEqual(spec(before), spec(after)))
    found.push(changeOf('cicd/weakened-guard', pair, 'changed', { direction: 'neutral', severity: 'info' }));
  return found;
}

/** A selector that was not there, or asks for more than it did. */
function isNarrower(was: unknown, is: unknown): boolean {
  const isAny = (value: unknown) =>
    value === undefined || value === null || (isRecord(value) && Object.keys(value).length === 0);
  return !isAny(is) && !isEqual(was, is);
}

/** ALLOW lets in, all other actions keep out. */
function actionChanges(pair: Changed): SecurityChange[] {
  const action = ({ object }: Declared) => String(valueAt(object, ['spec', 'action']) ?? 'ALLOW');
  const [was, is] = [action(pair.base), action(pair.head)];
  if (was === is) return [];
  return [
    changeOf('cicd/weakened-guard', pair, `action is ${is}, before ${was}`, {
      direction: was === 'DENY' ? 'worse' : is === 'DENY' ? 'better' : 'neutral',
      path: ['spec', 'action'],
    }),
  ];
}

function webhooks(object: KubeObject): Map<string, Readonly<Record<string, unknown>>> {
  const list = object['webhooks'];
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  if (Array.isArray(list)) for (const one of list) if (isRecord(one)) found.set(String(one['name']), one);
  return found;
}

const RBAC = 'rbac.authorization.k8s.io/';

/** A fact: the roles that bindings of the input name. */
function boundRoles(world: World): ReadonlySet<string> {
  return new Set(
    ['RoleBinding', 'ClusterRoleBinding'].flatMap(kind =>
      world.ofKind(RBAC + kind).map(({ object }) => {
        const [role, name] = [valueAt(object, ['roleRef', 'kind']), valueAt(object, ['roleRef', 'name'])];
        return `${String(role)} ${role === 'Role' ? (namespaceOf(object) ?? '') : ''}/${String(name)}`;
      }),
    ),
  );
}

/**
 * Rules of roles that nothing of the input binds: who holds them is not known, but somebody may. What is bound is
 * compared subject by subject.
 */
function permissionChanges(base: World, head: World, pair: Pair): SecurityChange[] {
  const { object } = (pair.head ?? pair.base)!;
  const key = kindKey(object);
  if (key !== `${RBAC}Role` && key !== `${RBAC}ClusterRole`) return [];
  const reference = `${object.kind} ${object.kind === 'Role' ? (namespaceOf(object) ?? '') : ''}/${nameOf(object)}`;
  if (base.fact(boundRoles).has(reference) || head.fact(boundRoles).has(reference)) return [];
  const [before, after] = [pair.base, pair.head].map(one =>
    one === undefined ? new Map<string, Path>() : grantedBy(one.object),
  );
  const gained = [...after!].filter(([what]) => !before!.has(what));
  const lost = [...before!.keys()].filter(what => !after!.has(what));
  const list = (texts: readonly string[]) =>
    texts.slice(0, SHOWN).join('; ') + (texts.length > SHOWN ? ` and ${texts.length - SHOWN} more` : '');
  return [
    ...(gained.length === 0
      ? []
      : [
          changeOf(
            'authorization/gained-permission',
            pair,
            `grants ${list(gained.map(([what]) => what))} now, to whoever is bound to it`,
            { direction: 'worse', severity: 'low', path: gained[0]![1] },
          ),
        ]),
    ...(lost.length === 0
      ? []
      : [
          changeOf('authorization/gained-permission', pair, `grants ${list(lost)} no more`, {
            direction: 'better',
          }),
        ]),
  ];
}

const SHOWN = 6;

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
      for (const target of targets) granted.set(`${verb} ${target}${only}`, ['rules', i]);
  }
  return granted;
}

/** Exceptions that came, went, or hold for longer. */
export function exceptionChanges(
  base: readonly Exception[],
  head: readonly Exception[],
  wasCalled: (file: string) => string = file => file,
): SecurityChange[] {
  const key = ({ check, scope: { lines: _, file, ...scope } }: Exception, name = file) =>
    JSON.stringify([check, name, scope]);
  const before = Map.groupBy(base, one => key(one));
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
    const { file } = one.scope;
    const old = before.get(key(one, file === undefined ? undefined : wasCalled(file)))?.shift();
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
