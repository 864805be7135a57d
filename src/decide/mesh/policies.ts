/**
 * AuthorizationPolicies as they stand in the input, and to which proxies they attach.
 * Sources: istio pilot/pkg/model/policyattachment.go (ShouldAttachPolicy), pilot/pkg/model/authorization.go (namespaces
 * and order), pilot/pkg/security/authz/builder/builder.go (isDryRun).
 */

import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import { type KnownLabels, MAYBE, type Match, NO, YES } from '#decide/network/labels.ts';
import { compareBytes, parseBool } from '#kube/go-text.ts';
import { groupOf, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import type { Action, Attachment, AuthorizationPolicy, Fields, Rule, TargetRef } from './policy.ts';
import { refusalOfPolicy } from './refusals.ts';

/** A proxy that policies attach to: that of a workload, or one that stands for many. */
export interface MeshProxy {
  readonly namespace: string;
  readonly labels: KnownLabels;
  readonly waypoint?: boolean;
  /** The Service or ServiceEntry that the request is for, at a waypoint. */
  readonly service?: {
    readonly kind: 'Service' | 'ServiceEntry';
    readonly namespace: string;
    readonly name: string;
  };
}

export function isOf(object: KubeObject, group: string, kind: string): boolean {
  return object.kind === kind && groupOf(object.apiVersion) === group;
}

const SECURITY = 'security.istio.io';
const ACTIONS: readonly Action[] = ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'];

/** Objects of one kind of Istio's security group, oldest first. Source: pilot/pkg/model/config.go. */
export function securityObjects(objects: readonly KubeObject[], kind: string): KubeObject[] {
  return objects.filter(object => isOf(object, SECURITY, kind)).sort(byAge);
}

/** By time of creation, then name, then namespace; an object that states no time counts as the oldest. */
export function byAge(a: KubeObject, b: KubeObject): number {
  const [first, second] = [createdAt(a), createdAt(b)];
  if (first !== second) return first < second ? -1 : 1;
  return compareBytes(nameOf(a), nameOf(b)) || compareBytes(namespaceOf(a), namespaceOf(b));
}

function createdAt(object: KubeObject): number {
  const text = object.metadata?.['creationTimestamp'];
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? 0 : time;
}

export function readPolicies(objects: readonly KubeObject[]): AuthorizationPolicy[] {
  return securityObjects(objects, 'AuthorizationPolicy').map(readPolicy);
}

/** Something in an object that its schema does not allow. */
class Malformed extends Error {
  override readonly name = 'Malformed';
  readonly path: Path;

  constructor(path: Path, text: string) {
    super(text);
    this.path = path;
  }
}

function readPolicy(object: KubeObject): AuthorizationPolicy {
  const namespace = namespaceOf(object);
  const action = valueAt(object, ['spec', 'action']) ?? 'ALLOW';
  const provider = valueAt(object, ['spec', 'provider', 'name']);
  let problem: AuthorizationPolicy['problem'];
  let rules: readonly Rule[] = [];
  let attachment: Attachment = { selector: undefined, targetRefs: [] };
  try {
    attachment = readAttachment(object);
    if (!ACTIONS.includes(action as Action))
      throw new Malformed(['spec', 'action'], `the action ${JSON.stringify(action)} is none`);
    rules = listAt(object, ['spec', 'rules']).map((rule, index) => readRule(rule, ['spec', 'rules', index]));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    problem = { path: error.path, text: error.message };
  }
  const policy = {
    object,
    namespace,
    name: nameOf(object),
    action: ACTIONS.includes(action as Action) ? (action as Action) : 'ALLOW',
    provider: typeof provider === 'string' ? provider : '',
    dryRun: parseBool(object.metadata?.annotations?.['istio.io/dry-run']) === true,
    ...attachment,
    rules,
    problem,
  };
  let refusal: AuthorizationPolicy['refusal'];
  let isAsked = problem !== undefined;
  return {
    ...policy,
    // Asked for only where the policy attaches to somebody.
    get refusal() {
      if (!isAsked) {
        refusal = refusalOfPolicy(policy);
        isAsked = true;
      }
      return refusal;
    },
  };
}

/** @throws Malformed where selector or targets are not what the schema says */
function readAttachment(object: KubeObject): Attachment {
  const selector = valueAt(object, ['spec', 'selector']);
  const labels = valueAt(selector, ['matchLabels']) ?? {};
  if (selector !== undefined && selector !== null && !isRecord(selector))
    throw new Malformed(['spec', 'selector'], 'the selector is no mapping');
  if (!isRecord(labels) || Object.values(labels).some(value => typeof value !== 'string'))
    throw new Malformed(['spec', 'selector', 'matchLabels'], 'matchLabels is no mapping of strings');
  const single = valueAt(object, ['spec', 'targetRef']);
  const list = listAt(object, ['spec', 'targetRefs']);
  const refs = list.length === 0 && isRecord(single) ? [single] : list;
  const text = (ref: unknown, field: string): string => {
    const value = valueAt(ref, [field]);
    return typeof value === 'string' ? value : '';
  };
  return {
    selector: isRecord(selector) ? (labels as Record<string, string>) : undefined,
    targetRefs: refs.map(ref => ({
      group: text(ref, 'group'),
      kind: text(ref, 'kind'),
      name: text(ref, 'name'),
      namespace: text(ref, 'namespace'),
    })),
  };
}

/** The attachment of an object whose other fields are someone else's; nothing where it is malformed. */
export function attachmentOf(object: KubeObject): Attachment | undefined {
  try {
    return readAttachment(object);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function readRule(rule: unknown, path: Path): Rule {
  if (!isRecord(rule)) throw new Malformed(path, 'the rule is no mapping');
  return {
    from: listAt(rule, ['from'], path).map((one, index) =>
      readFields(valueAt(one, ['source']), [...path, 'from', index, 'source']),
    ),
    to: listAt(rule, ['to'], path).map((one, index) =>
      readFields(valueAt(one, ['operation']), [...path, 'to', index, 'operation']),
    ),
    when: listAt(rule, ['when'], path).map((one, index) => {
      const at = [...path, 'when', index];
      const { values, notValues } = readFields(isRecord(one) ? { ...one, key: undefined } : one, at);
      const key = valueAt(one, ['key']);
      if (typeof key !== 'string') throw new Malformed([...at, 'key'], 'the condition has no key');
      return { key, values: values ?? [], notValues: notValues ?? [] };
    }),
  };
}

function readFields(value: unknown, path: Path): Fields {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw new Malformed(path, 'not a mapping');
  const fields: Record<string, readonly string[]> = {};
  for (const [field, list] of Object.entries(value)) {
    if (list === undefined || list === null) continue;
    if (!Array.isArray(list) || list.some(item => typeof item !== 'string'))
      throw new Malformed([...path, field], 'not a list of strings');
    fields[field] = list;
  }
  return fields;
}

function listAt(value: unknown, path: Path, base: Path = []): readonly unknown[] {
  const list = valueAt(value, path);
  if (list !== undefined && list !== null && !Array.isArray(list))
    throw new Malformed([...base, ...path], 'not a list');
  return itemsOf(list);
}

const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';

/** Whether a policy attaches to a proxy, its namespace already known to be one that counts there. */
export function attaches(
  { selector, targetRefs }: Attachment,
  namespace: string,
  proxy: MeshProxy,
  rootNamespace: string,
): Match {
  const gateway = Object.hasOwn(proxy.labels.labels, GATEWAY_NAME)
    ? proxy.labels.labels[GATEWAY_NAME]
    : undefined;
  const selected = (): Match => selectorMatch(selector, proxy.labels);
  if (gateway === undefined) return targetRefs.length > 0 ? NO : selected();
  if (targetRefs.length === 0) return proxy.waypoint === true ? NO : selected();
  const hit = targetRefs.some(ref => {
    const { service } = proxy;
    if (proxy.waypoint === true && service !== undefined)
      if (isKind(ref, service.kind) && ref.name === service.name && namespace === service.namespace)
        return true;
    if (proxy.waypoint === true && namespace === rootNamespace)
      if (isKind(ref, 'GatewayClass') && ref.name === 'istio-waypoint') return true;
    if (namespace !== proxy.namespace) return false;
    if (ref.namespace !== '' && ref.namespace !== proxy.namespace) return false;
    return isKind(ref, 'Gateway') && ref.name === gateway;
  });
  return hit ? YES : NO;
}

const GROUPS: Readonly<Record<string, string>> = {
  Service: '',
  ServiceEntry: 'networking.istio.io',
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
};

function isKind({ group, kind }: TargetRef, wanted: string): boolean {
  return kind === wanted && (group === 'core' ? '' : group) === GROUPS[wanted];
}

/** Whether labels hold all of a selector's; an absent selector means all workloads. */
export function selectorMatch(
  selector: Readonly<Record<string, string>> | undefined,
  labels: KnownLabels,
): Match {
  let result: Match = YES;
  // Asked of every pod and policy: nothing is made on the way.
  for (const key in selector) {
    if (Object.hasOwn(labels.labels, key)) {
      if (labels.labels[key] !== selector[key]) return NO;
    } else if (labels.open === 'any' || (labels.open !== 'none' && labels.open.has(key))) result = MAYBE;
    else return NO;
  }
  return result;
}
