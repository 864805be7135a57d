/**
 * The ABAC authorizer: a file with one policy a line. Sources: kubernetes pkg/auth/authorizer/abac/abac.go,
 * pkg/apis/abac/v0/conversion.go, pkg/apis/abac/v1beta1/conversion.go.
 */
import { matchesTrailingStars, trimSpace } from '#kube/go-text.ts';
import { type Because, isRecord } from '#kube/objects.ts';
import { readDocuments } from '#yaml/read.ts';
import {
  type Answer,
  type Attributes,
  type Authorizer,
  everybody,
  givenBy,
  type Holder,
  type NonResourceRule,
  type ResourceRule,
  type Rules,
  type UserInfo,
} from './attributes.ts';

/** A policy file with which the API server would not start. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  /** From 1; undefined where the mistake is not one of a line that was read. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(line === undefined ? message : `line ${line}: ${message}`);
    this.line = line;
  }
}

/** A policy after conversion: what the API server decides with. Absent strings are empty. */
export interface AbacPolicy {
  readonly user?: string;
  readonly group?: string;
  readonly readonly?: boolean;
  readonly apiGroup?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly nonResourcePath?: string;
  /** Where it stands, from 1. */
  readonly line: number;
}

const GROUP = 'abac.authorization.kubernetes.io/';
const AUTHENTICATED = 'system:authenticated';
const READ_VERBS = ['get', 'list', 'watch'];
/** Go's bufio.Scanner gives up at a longer line. */
const MAX_LINE_BYTES = 65_536;

/**
 * The policies of a file, in order.
 *
 * @throws PolicyError where the API server would refuse to start
 */
export function parsePolicies(text: string): AbacPolicy[] {
  const policies: AbacPolicy[] = [];
  const lines = text.split('\n');
  lines.forEach((whole, index) => {
    // The scanner's buffer holds the line break too.
    if (utf8Length(whole) >= MAX_LINE_BYTES) throw new PolicyError('a line is longer than 64 KiB');
    const line = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
    const trimmed = trimSpace(line);
    if (trimmed === '' || trimmed.startsWith('#')) return;
    policies.push({ ...parseLine(line, index + 1), line: index + 1 });
  });
  return policies;
}

function utf8Length(text: string): number {
  if (text.length * 3 < MAX_LINE_BYTES) return 0;
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

type Fields = Omit<AbacPolicy, 'line'>;

function parseLine(line: string, number: number): Fields {
  const value = decodeLine(line, number);
  const text = (key: string, of: Readonly<Record<string, unknown>> = value): string => {
    const field = Object.hasOwn(of, key) ? of[key] : undefined;
    if (field === undefined || field === null) return '';
    if (typeof field !== 'string') throw new PolicyError(`${key} is no string`, number);
    return field.toWellFormed();
  };
  const flag = (key: string, of: Readonly<Record<string, unknown>>): boolean => {
    const field = Object.hasOwn(of, key) ? of[key] : undefined;
    if (field === undefined || field === null) return false;
    if (typeof field !== 'boolean') throw new PolicyError(`${key} is neither true nor false`, number);
    return field;
  };
  const apiVersion = typeField(value, 'apiVersion', number).replace(EMPTY_VERSION, '');
  const kind = typeField(value, 'kind', number);
  if (kind !== '' && kind !== 'Policy') throw new PolicyError(`no kind "${kind}" is registered`, number);
  const spec = (key: string): Readonly<Record<string, unknown>> => {
    const field = Object.hasOwn(value, key) ? value[key] : undefined;
    if (field === undefined || field === null) return {};
    if (!isRecord(field)) throw new PolicyError(`${key} is no mapping`, number);
    return field;
  };
  // Without an apiVersion a line is of the oldest form, whatever it looks like: a `spec` says nothing there.
  if (apiVersion === '' || apiVersion === `${GROUP}v0`)
    return fromV0({
      user: text('user'),
      group: text('group'),
      readonly: flag('readonly', value),
      resource: text('resource'),
      namespace: text('namespace'),
    });
  if (apiVersion !== `${GROUP}v1beta1` && apiVersion !== `${GROUP}__internal`)
    throw new PolicyError(`no kind "Policy" is registered for version "${apiVersion}"`, number);
  if (kind === '') throw new PolicyError(`apiVersion ${apiVersion} without kind Policy`, number);
  if (apiVersion === `${GROUP}__internal`) {
    const of = spec('Spec');
    return compact({
      user: text('User', of),
      group: text('Group', of),
      readonly: flag('Readonly', of),
      apiGroup: text('APIGroup', of),
      resource: text('Resource', of),
      namespace: text('Namespace', of),
      nonResourcePath: text('NonResourcePath', of),
    });
  }
  const of = spec('spec');
  const user = text('user', of);
  const group = text('group', of);
  const everyone = user === '*' || group === '*';
  return compact({
    user: everyone ? '' : user,
    group: everyone ? AUTHENTICATED : group,
    readonly: flag('readonly', of),
    apiGroup: text('apiGroup', of),
    resource: text('resource', of),
    namespace: text('namespace', of),
    nonResourcePath: text('nonResourcePath', of),
  });
}

/** Neither group nor version, or the group of ABAC alone: the decoder fills in what is missing. */
const EMPTY_VERSION = /^(?:\/|abac\.authorization\.kubernetes\.io\/)$/;

/**
 * What a line says of its type. These two fields, and only these, are found in any case, and the last one counts.
 * Source: apimachinery pkg/runtime/serializer/json/meta.go (Interpret), which decodes with Go's encoding/json.
 */
function typeField(value: Readonly<Record<string, unknown>>, name: string, number: number): string {
  let found = '';
  for (const [key, field] of Object.entries(value)) {
    if (key !== name && folded(key) !== name.toLowerCase()) continue;
    if (field === null) continue;
    if (typeof field !== 'string') throw new PolicyError(`${key} is no string`, number);
    found = field;
  }
  return found;
}

/** To Go, the Kelvin sign is a k and the long s an s. */
function folded(key: string): string {
  return key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
}

function fromV0({
  user,
  group,
  readonly,
  resource,
  namespace,
}: Required<Pick<AbacPolicy, 'user' | 'group' | 'readonly' | 'resource' | 'namespace'>>): Fields {
  const everyone = user === '*' || group === '*';
  return compact({
    user: everyone ? '' : user,
    group: everyone || (user === '' && group === '') ? AUTHENTICATED : group,
    readonly,
    apiGroup: '*',
    resource: resource === '' ? '*' : resource,
    namespace: namespace === '' ? '*' : namespace,
    nonResourcePath: resource === '' && namespace === '' ? '*' : '',
  });
}

function compact(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== false));
}

/** JSON where the line begins with a brace, else YAML: the decoder is a universal one. */
function decodeLine(line: string, number: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  if (line.trimStart().startsWith('{') && !line.startsWith('\ufeff')) {
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new PolicyError(`no JSON: ${(error as Error).message}`, number);
    }
  } else {
    // On the line of a document's start only a collection in braces is a mapping, and kubectl's reader wants nothing there.
    const begun = /^\ufeff?---[ \t]+(?=[^#\s])/.exec(line);
    const text = begun === null ? line.replace(/^\ufeff/, '') : line.slice(begun[0].length);
    const [document] = readDocuments(text);
    if (document?.is === 'error') throw new PolicyError(`neither JSON nor YAML: ${document.message}`, number);
    value = document?.is === 'value' ? document.value : {};
    if (begun !== null && isRecord(value) && !text.startsWith('{'))
      throw new PolicyError('a mapping cannot begin on the line of "---"', number);
  }
  if (value === null) return {};
  if (!isRecord(value)) throw new PolicyError('a policy is a mapping', number);
  return value;
}

export class AbacAuthorizer implements Authorizer {
  readonly policies: readonly AbacPolicy[];

  /** @throws PolicyError where the API server would refuse to start */
  constructor(text: string) {
    this.policies = parsePolicies(text);
  }

  authorize(attributes: Attributes): Answer {
    const because = this.policies.filter(policy => matches(policy, attributes)).map(lineOf);
    return because.length > 0
      ? { decision: 'allow', reason: '', because }
      : { decision: 'no-opinion', reason: 'No policy matched.', because };
  }

  whoCan(request: Omit<Attributes, 'user'>): Holder[] {
    return this.policies
      .filter(policy => requestMatches(policy, request))
      .flatMap((policy): Holder[] => {
        const { user, group } = policy;
        const because = [lineOf(policy)];
        // An asterisk is left only in the internal form, where it means those too who are not known.
        const groups = group === undefined || group === '*' ? [] : [group];
        if (user !== undefined && user !== '*')
          return [{ kind: 'User', name: user, ...(groups.length > 0 ? { within: groups } : {}), because }];
        if (groups.length > 0) return groups.map(name => ({ kind: 'Group', name, because }));
        return user === undefined && group === undefined ? [] : everybody(because);
      });
  }

  rulesFor(user: UserInfo, namespace: string): Rules {
    const resourceRules: ResourceRule[] = [];
    const nonResourceRules: NonResourceRule[] = [];
    for (const policy of this.policies) {
      if (!subjectMatches(policy, user)) continue;
      if (policy.namespace !== '*' && (policy.namespace ?? '') !== namespace) continue;
      const verbs = policy.readonly === true ? READ_VERBS : ['*'];
      const because = (): Because[] => [lineOf(policy)];
      if (policy.resource !== undefined) {
        const rule = { verbs, apiGroups: [policy.apiGroup ?? ''], resources: [policy.resource] };
        resourceRules.push(givenBy(rule, because));
      }
      if (policy.nonResourcePath !== undefined)
        nonResourceRules.push(givenBy({ verbs, nonResourceURLs: [policy.nonResourcePath] }, because));
    }
    return { resourceRules, nonResourceRules, incomplete: false };
  }
}

function lineOf({ line }: AbacPolicy): Because {
  return { text: `line ${line} of the ABAC policy file` };
}

function matches(policy: AbacPolicy, request: Attributes): boolean {
  return subjectMatches(policy, request.user) && requestMatches(policy, request);
}

function requestMatches(policy: AbacPolicy, request: Omit<Attributes, 'user'>): boolean {
  if (policy.readonly === true && !READ_VERBS.includes(request.verb ?? '')) return false;
  if (request.resourceRequest === true)
    return (
      isOrAny(policy.namespace, request.namespace) &&
      isOrAny(policy.resource, request.resource) &&
      isOrAny(policy.apiGroup, request.apiGroup)
    );
  return (
    isOrAny(policy.nonResourcePath, request.path) ||
    matchesTrailingStars(policy.nonResourcePath ?? '', request.path ?? '')
  );
}

function isOrAny(pattern: string | undefined, value: string | undefined): boolean {
  return pattern === '*' || (pattern ?? '') === (value ?? '');
}

/** Where user and group are both stated, both must hold; where neither is, nobody is meant. */
function subjectMatches({ user, group }: AbacPolicy, { name, groups }: UserInfo): boolean {
  if (user === undefined && group === undefined) return false;
  if (user !== undefined && user !== '*' && user !== (name ?? '')) return false;
  return group === undefined || group === '*' || (groups ?? []).includes(group);
}
