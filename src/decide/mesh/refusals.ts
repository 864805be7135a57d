/**
 * Policies of Istio that its admission webhook refuses: such an object is not in a cluster whose webhook works, and is
 * taken as far as it goes where it came in without.
 *
 * Sources: istio pkg/config/validation/validation.go (ValidateAuthorizationPolicy, validateMetadata,
 * validatePolicyTargetReference, validateWorkloadSelector) and pkg/config/security/security.go (ValidateAttribute,
 * ValidateIPs, ValidatePorts, CheckServiceAccount, CheckTrustDomainValues, CheckValidPathTemplate), of 2026-08-27
 * (eed52ebb66ad, before 1.31).
 */
import { parseBool } from '#kube/go-text.ts';
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { isPathSegment, isPathTemplate } from './paths.ts';
import {
  type Attachment,
  type AuthorizationPolicy,
  type Fields,
  IDENTITY_KEYS,
  type Refusal,
  type Rule,
  type TargetRef,
} from './policy.ts';
import { portOf, rangeOf } from './ranges.ts';

type Found = Refusal | undefined;
/** Why a value is refused; undefined where it is not. */
type Test = (value: string) => string | undefined;

const DRY_RUN = 'istio.io/dry-run';
/** No more service accounts than this in one list, nor longer ones. */
const MOST_ACCOUNTS = 16;
const LONGEST_ACCOUNT = 320;

/** @returns the first thing for which an AuthorizationPolicy is refused; undefined where it is taken */
export function refusalOfPolicy(policy: Omit<AuthorizationPolicy, 'refusal'>): Found {
  return first(
    () => ofMetadata(policy),
    () => ofAttachment(policy),
    () => ofAction(policy),
    ...policy.rules.map(
      (rule, index) => () => ofRule(rule, ['spec', 'rules', index], policy.action === 'CUSTOM'),
    ),
  );
}

function first(...tests: readonly (() => Found)[]): Found {
  for (const test of tests) {
    const found = test();
    if (found !== undefined) return found;
  }
  return undefined;
}

function ofMetadata({ object, action }: Pick<AuthorizationPolicy, 'object' | 'action'>): Found {
  const stated = object.metadata?.annotations?.[DRY_RUN];
  if (stated === undefined) return undefined;
  const path = ['metadata', 'annotations', DRY_RUN];
  if (action !== 'ALLOW' && action !== 'DENY') return { path, text: `${action} knows no dry run` };
  return parseBool(stated) === undefined
    ? { path, text: `${JSON.stringify(stated)} is no truth value` }
    : undefined;
}

function ofAttachment({ object, selector, targetRefs }: Attachment & { object: KubeObject }): Found {
  const single = valueAt(object, ['spec', 'targetRef']);
  const isSingle = single !== undefined && single !== null;
  const hasList = isSingle ? valueAt(object, ['spec', 'targetRefs']) : targetRefs;
  const set = [selector !== undefined, isSingle, Array.isArray(hasList) && hasList.length > 0];
  if (set.filter(Boolean).length > 1)
    return { path: ['spec', 'selector'], text: 'only one of selector, targetRef and targetRefs can be set' };
  for (const [key, value] of Object.entries(selector ?? {}))
    if (key === '' || `${key}${value}`.includes('*'))
      return {
        path: ['spec', 'selector', 'matchLabels', key],
        text: key === '' ? 'a label without a name' : 'labels are selected without *',
      };
  for (const [index, ref] of targetRefs.entries()) {
    const text = ofTarget(ref);
    if (text !== undefined)
      return { path: isSingle ? ['spec', 'targetRef'] : ['spec', 'targetRefs', index], text };
  }
  return undefined;
}

const TARGETS: readonly string[] = [
  'core/Service',
  'networking.istio.io/ServiceEntry',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
];

function ofTarget({ group, kind, name, namespace }: TargetRef): string | undefined {
  if (name === '') return 'the target has no name';
  if (namespace !== '') return 'a target is in the namespace of the policy: it states none';
  return TARGETS.includes(`${group === '' ? 'core' : group}/${kind}`)
    ? undefined
    : `${kind === '' ? 'a target without a kind' : kind} is nothing that a policy can be for`;
}

function ofAction({ action, rules, provider, object }: Omit<AuthorizationPolicy, 'refusal'>): Found {
  if ((action === 'DENY' || action === 'CUSTOM') && rules.length === 0)
    return { path: ['spec'], text: `${action} without rules` };
  if (action === 'CUSTOM')
    return provider === '' ? { path: ['spec', 'provider'], text: 'CUSTOM without a provider' } : undefined;
  const stated = valueAt(object, ['spec', 'provider']);
  return stated === undefined || stated === null
    ? undefined
    : { path: ['spec', 'provider'], text: `${action} has no provider` };
}

/** The fields of a source, and what is refused in each. */
const SOURCES: Readonly<Record<string, Test>> = {
  ipBlocks: address,
  remoteIpBlocks: address,
  principals: notEmpty,
  requestPrincipals: notEmpty,
  namespaces: notEmpty,
  serviceAccounts: account,
  trustDomains: trustDomain,
};
const OPERATIONS: Readonly<Record<string, Test>> = {
  ports: port,
  methods: notEmpty,
  hosts: notEmpty,
  paths: value => notEmpty(value) ?? pathOf(value),
};
/** What may stand in a source of CUSTOM: identities are not asked for there. */
const OF_CUSTOM: readonly string[] = ['ipBlocks', 'remoteIpBlocks'];

function ofRule(rule: Rule, at: Path, custom: boolean): Found {
  return first(
    ...rule.from.map((source, index) => () => ofSource(source, [...at, 'from', index, 'source'], custom)),
    ...rule.to.map(
      (operation, index) => () => ofFields(operation, OPERATIONS, [...at, 'to', index, 'operation']),
    ),
    ...rule.when.map((when, index) => () => ofCondition(when, [...at, 'when', index], custom)),
  );
}

function ofSource(source: Fields, at: Path, custom: boolean): Found {
  const has = (...names: readonly string[]): boolean =>
    names.some(name => (source[name] ?? []).length + (source[notOf(name)] ?? []).length > 0);
  if (has('serviceAccounts') && has('principals', 'namespaces'))
    return { path: at, text: 'serviceAccounts beside principals or namespaces' };
  for (const name of Object.keys(SOURCES))
    if (custom && !OF_CUSTOM.includes(name) && has(name))
      return { path: at, text: `CUSTOM knows no ${name}` };
  for (const name of ['serviceAccounts', 'notServiceAccounts'])
    if ((source[name] ?? []).length > MOST_ACCOUNTS)
      return { path: [...at, name], text: `more than ${MOST_ACCOUNTS} service accounts` };
  return ofFields(source, SOURCES, at);
}

/** The first value that is refused; nothing at all is refused too. */
function ofFields(fields: Fields, tests: Readonly<Record<string, Test>>, at: Path): Found {
  let isEmpty = true;
  for (const [known, test] of Object.entries(tests))
    for (const name of [known, notOf(known)])
      for (const [index, value] of (fields[name] ?? []).entries()) {
        isEmpty = false;
        const text = test(value);
        if (text !== undefined) return { path: [...at, name, index], text };
      }
  return isEmpty ? { path: at, text: `an empty ${String(at.at(-1))}` } : undefined;
}

function notOf(name: string): string {
  return `not${name[0]!.toUpperCase()}${name.slice(1)}`;
}

function ofCondition({ key, values, notValues }: Rule['when'][number], at: Path, custom: boolean): Found {
  const path = [...at, 'key'];
  if (custom && (key.startsWith('request.auth.') || IDENTITY_KEYS.includes(key)))
    return { path, text: `CUSTOM knows no ${key}` };
  if (key === '') return { path, text: 'a condition without a key' };
  if (values.length === 0 && notValues.length === 0) return { path: at, text: 'a condition without values' };
  const test = testOfKey(key);
  if (typeof test === 'string') return { path, text: test };
  for (const [name, list] of [
    ['values', values],
    ['notValues', notValues],
  ] as const) {
    if (key === 'source.serviceAccount' && list.length > MOST_ACCOUNTS)
      return { path: [...at, name], text: `more than ${MOST_ACCOUNTS} service accounts` };
    for (const [index, value] of list.entries()) {
      const text = notEmpty(value) ?? test(value);
      if (text !== undefined) return { path: [...at, name, index], text };
    }
  }
  return undefined;
}

const ANY: Test = () => undefined;
const KEYS: ReadonlyMap<string, Test> = new Map([
  ['source.ip', address],
  ['remote.ip', address],
  ['destination.ip', address],
  ['destination.port', port],
  ['source.serviceAccount', account],
  ['source.trustDomain', wildcard],
  ...[
    'source.namespace',
    'source.principal',
    'request.auth.principal',
    'request.auth.audiences',
    'request.auth.presenter',
    'connection.sni',
  ].map(key => [key, ANY] as const),
]);
/** Keys with a name in brackets. */
const MAPS = ['request.headers', 'request.auth.claims', 'experimental.envoy.filters.'];

function testOfKey(key: string): Test | string {
  const known = KEYS.get(key);
  if (known !== undefined) return known;
  if (!MAPS.some(start => key.startsWith(start))) return `${key} is no key`;
  const open = key.indexOf('[');
  return key.endsWith(']') && open > 0 && open < key.length - 2 ? ANY : `${key} names nothing in brackets`;
}

function notEmpty(value: string): string | undefined {
  return value === '' ? 'an empty value' : undefined;
}

function address(value: string): string | undefined {
  return rangeOf(value) === undefined
    ? `${JSON.stringify(value)} is neither an address nor a block`
    : undefined;
}

function port(value: string): string | undefined {
  return portOf(value) === undefined ? `${JSON.stringify(value)} is no port` : undefined;
}

function account(value: string): string | undefined {
  const wrong =
    value.includes('*') ||
    value.length > LONGEST_ACCOUNT ||
    value.split('/').length > 2 ||
    value.split('/').includes('');
  return wrong ? `${JSON.stringify(value)} is neither NAME nor NAMESPACE/NAME` : undefined;
}

function wildcard(value: string): string | undefined {
  const star = value.indexOf('*');
  const only = star < 0 || (star === value.lastIndexOf('*') && (star === 0 || star === value.length - 1));
  return only ? notEmpty(value) : `* stands at one end only, not as in ${JSON.stringify(value)}`;
}

function trustDomain(value: string): string | undefined {
  return wildcard(value) ?? (value.includes('/') ? `${JSON.stringify(value)} is no trust domain` : undefined);
}

function pathOf(value: string): string | undefined {
  const template = isPathTemplate(value);
  let open = true;
  for (const segment of value.replace(/^\/+|\/+$/g, '').split('/')) {
    if (segment === '{*}' || segment === '{**}') {
      if (!open) return `nothing but names stands behind {**}, not as in ${JSON.stringify(value)}`;
      if (segment === '{**}') open = false;
    } else if (/[{}]/.test(segment) || (template && !isPathSegment(segment)))
      return `${JSON.stringify(value)} is no template of a path: each segment is a name, {*} or {**}`;
  }
  return undefined;
}
