/**
 * Pod Security Admission: what the API server answers to a request, with its words, warnings and audit annotations.
 * Source: pod-security-admission admission/admission.go, api/helpers.go, admission/api (configuration).
 */

import { DecodeError, decodePod } from '#kube/decode.ts';
import { compareBytes, joinErrors, quoted } from '#kube/go-text.ts';
import { isRecord, type KubeObject, valueAt } from '#kube/objects.ts';
import type { Pod } from '#kube/pods.ts';
import { isBuiltInWorkload } from '#kube/workloads.ts';
import { withDefaults } from './defaults.ts';
import { type Evaluation, evaluateDecoded, tryVersion } from './evaluate.ts';
import type { Level } from './standards/registry.ts';

export interface PodSecurityConfiguration {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly defaults?: Readonly<Record<string, string>>;
  readonly exemptions?: {
    readonly usernames?: readonly string[];
    readonly namespaces?: readonly string[];
    readonly runtimeClasses?: readonly string[];
  };
}

export interface AdmissionRequest {
  readonly operation: string;
  readonly group: string;
  readonly version?: string;
  readonly resource: string;
  readonly kind: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly user?: string;
  readonly object?: unknown;
  readonly oldObject?: unknown;
}

export interface AdmissionContext {
  /** The plugin's configuration; its built-in defaults where absent. */
  readonly config?: PodSecurityConfiguration | null;
  /** The stored namespace of the request; null or absent where it does not exist. */
  readonly namespace?: unknown;
  /** The pods that run in the namespace: what an update of its labels is tried against. */
  readonly existingPods?: readonly unknown[];
  /** What API defaulting adds to pods before; `none` unless said otherwise, for requests come defaulted. */
  readonly defaults?: 'api-server' | 'none';
}

export interface AdmissionResponse {
  readonly allowed: boolean;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly warnings: string[];
  /** Without the prefix `pod-security.kubernetes.io/`. */
  readonly auditAnnotations: Record<string, string>;
}

/** A configuration that the API server would not start with; the message begins with the path. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

export interface LevelVersion {
  readonly level: Level;
  /** As it is shown: `latest` or `v1.N`. */
  readonly version: string;
}

export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

/** A label of a namespace that does not say what it should. */
export interface LabelError {
  readonly label: string;
  readonly value: string;
  readonly problem: string;
}

const MODES = ['enforce', 'audit', 'warn'] as const;
const PREFIX = 'pod-security.kubernetes.io/';
const BAD_LEVEL = 'must be one of privileged, baseline, restricted';
const BAD_VERSION = 'must be "latest" or "v1.x"';
const RANK: Readonly<Record<Level, number>> = { privileged: 0, baseline: 1, restricted: 2 };
const MAX_PODS = 3000;
/** The versions in which Kubernetes has ever had kinds that make pods. Source: client-go kubernetes/scheme. */
const REGISTERED = /^(?:v1|apps\/v1(?:beta[12])?|batch\/v1(?:beta1)?)$/;
const IGNORED_SUBRESOURCES = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
]);

export const privilegedPolicy: Policy = {
  enforce: { level: 'privileged', version: 'latest' },
  audit: { level: 'privileged', version: 'latest' },
  warn: { level: 'privileged', version: 'latest' },
};

function isLevel(text: string): text is Level {
  return Object.hasOwn(RANK, text);
}

/**
 * What a namespace's labels ask for. A wrong enforce level means restricted, a wrong version latest, a wrong level to
 * audit or warn privileged: each is also reported. Source: api/helpers.go (PolicyToEvaluate).
 */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy = privilegedPolicy,
): { readonly policy: Policy; readonly errors: readonly LabelError[] } {
  const errors: LabelError[] = [];
  const has = (mode: string) => labels !== undefined && Object.hasOwn(labels, PREFIX + mode);
  const level = (mode: string, before: Level, fallback: Level): Level => {
    if (!has(mode)) return before;
    const value = labels![PREFIX + mode]!;
    if (isLevel(value)) return value;
    errors.push({ label: PREFIX + mode, value, problem: BAD_LEVEL });
    return fallback;
  };
  const version = (mode: string, before: string): string => {
    if (!has(`${mode}-version`)) return before;
    const value = labels![`${PREFIX}${mode}-version`]!;
    if (tryVersion(value) !== undefined) return value;
    errors.push({ label: `${PREFIX}${mode}-version`, value, problem: BAD_VERSION });
    return 'latest';
  };
  const enforceLevel = level('enforce', defaults.enforce.level, 'restricted');
  const validEnforce = has('enforce') && errors.length === 0;
  const enforce = { level: enforceLevel, version: version('enforce', defaults.enforce.version) };
  const audit = {
    level: level('audit', defaults.audit.level, 'privileged'),
    version: version('audit', defaults.audit.version),
  };
  let warn = {
    level: level('warn', defaults.warn.level, 'privileged'),
    version: version('warn', defaults.warn.version),
  };
  if (!has('warn') && validEnforce && RANK[enforce.level] > RANK[warn.level])
    warn = { level: enforce.level, version: has('warn-version') ? warn.version : enforce.version };
  return { policy: { enforce, audit, warn }, errors };
}

function show({ level, version }: LevelVersion): string {
  return `${level}:${version}`;
}

/** As field.ErrorList shows itself. */
function showErrors(errors: readonly LabelError[]): string {
  return joinErrors(
    errors.map(
      ({ label, value, problem }) => `metadata.labels[${label}]: Invalid value: ${quoted(value)}: ${problem}`,
    ),
  );
}

function allowed(auditAnnotations: Record<string, string> = {}, warnings: string[] = []): AdmissionResponse {
  return { allowed: true, warnings, auditAnnotations };
}

function refused(code: number, reason: string, message: string, cause?: string): AdmissionResponse {
  const auditAnnotations: Record<string, string> =
    cause === undefined ? {} : { error: `${message}: ${cause}` };
  return { allowed: false, code, reason, message, warnings: [], auditAnnotations };
}

const badRequest = (message: string): AdmissionResponse => refused(400, 'BadRequest', message);

/**
 * What the plugin answers to one request.
 *
 * @throws ConfigurationError for a configuration that the API server would not start with
 */
export function admit(request: AdmissionRequest, context: AdmissionContext): AdmissionResponse {
  return new Admission(context).admit(request);
}

class Admission {
  readonly #context: AdmissionContext;
  readonly #defaults: Policy;
  readonly #usernames: ReadonlySet<string>;
  readonly #namespaces: ReadonlySet<string>;
  readonly #runtimeClasses: ReadonlySet<string>;

  constructor(context: AdmissionContext) {
    this.#context = context;
    const { defaults, exemptions } = loadConfiguration(context.config);
    this.#defaults = defaults;
    this.#usernames = new Set(exemptions.usernames);
    this.#namespaces = new Set(exemptions.namespaces);
    this.#runtimeClasses = new Set(exemptions.runtimeClasses);
  }

  admit(request: AdmissionRequest): AdmissionResponse {
    if (request.group === '' && request.resource === 'namespaces') return this.#namespace(request);
    if (request.group === '' && request.resource === 'pods') return this.#pod(request);
    return this.#controller(request);
  }

  #namespace(request: AdmissionRequest): AdmissionResponse {
    if (isSet(request.subresource)) return allowed();
    if (!isOfKind(request.object, 'Namespace')) return badRequest('failed to decode namespace');
    const labels = labelsOf(request.object);
    if (labels === undefined) return badRequest('failed to decode object');
    const { policy, errors } = policyOf(labels, this.#defaults);
    const name = stringAt(request.object, 'name');
    const invalid = () =>
      refused(
        422,
        'Invalid',
        `${request.kind} ${quoted(request.name ?? '')} is invalid: ${showErrors(errors)}`,
      );
    if (request.operation === 'CREATE') {
      if (errors.length > 0) return invalid();
      return this.#isExempt(request.namespace)
        ? allowed({}, this.#exemptWarning(name, policy, labels))
        : allowed();
    }
    if (request.operation !== 'UPDATE') return allowed();
    // Two blanks, as in the original.
    if (!isOfKind(request.oldObject, 'Namespace')) return badRequest('failed to decode  old namespace');
    const oldLabels = labelsOf(request.oldObject);
    if (oldLabels === undefined) return badRequest('failed to decode  old object');
    const before = policyOf(oldLabels, this.#defaults);
    if (errors.length > 0 && !sameErrors(errors, before.errors)) return invalid();
    const { enforce } = policy;
    const old = before.policy.enforce;
    const sameVersion = enforce.version === old.version;
    if (enforce.level === old.level && sameVersion) return allowed();
    if (enforce.level === 'privileged') return allowed();
    if (sameVersion && RANK[enforce.level] <= RANK[old.level]) return allowed();
    if (this.#isExempt(request.namespace)) return allowed({}, this.#exemptWarning(name, policy, labels));
    return allowed({}, this.#tryExisting(name, enforce));
  }

  #isExempt(namespace: string | undefined): boolean {
    return isSet(namespace) && this.#namespaces.has(namespace!);
  }

  #exemptWarning(name: string, policy: Policy, labels: Readonly<Record<string, string>>): string[] {
    if (isFullyPrivileged(policy) || areEquivalent(policy, this.#defaults)) return [];
    const said = MODES.filter(
      mode =>
        policy[mode].level !== 'privileged' &&
        (Object.hasOwn(labels, PREFIX + mode) || Object.hasOwn(labels, `${PREFIX}${mode}-version`)),
    ).map(mode => `${mode}=${show(policy[mode])}`);
    return [
      `namespace ${quoted(name)} is exempt from Pod Security, and the policy (${said.join(', ')}) will be ignored`,
    ];
  }

  #pod(request: AdmissionRequest): AdmissionResponse {
    if (IGNORED_SUBRESOURCES.has(request.subresource ?? '')) return allowed();
    const exemption = this.#exemption(request);
    if (exemption !== undefined) return exemption;
    const labels = this.#namespaceLabels();
    if (labels === undefined)
      return refused(
        500,
        'InternalError',
        `Internal error occurred: failed to lookup namespace ${quoted(request.namespace ?? '')}`,
        `namespaces ${quoted(request.namespace ?? '')} not found`,
      );
    const { policy, errors } = policyOf(labels, this.#defaults);
    if (errors.length === 0 && isFullyPrivileged(policy))
      return allowed({ 'enforce-policy': 'privileged:latest' });
    if (!isOfKind(request.object, 'Pod')) return badRequest('failed to decode pod');
    const pod = this.#decode(request.object);
    if (pod === undefined) return badRequest('failed to decode object');
    if (request.operation === 'UPDATE') {
      if (!isOfKind(request.oldObject, 'Pod')) return badRequest('failed to decode old pod');
      const old = this.#decode(request.oldObject);
      if (old === undefined) return badRequest('failed to decode old object');
      if (!isSignificantUpdate(pod, old)) return allowed();
    }
    return this.#evaluate(request, policy, errors, pod, true);
  }

  #controller(request: AdmissionRequest): AdmissionResponse {
    if (isSet(request.subresource)) return allowed();
    const exemption = this.#exemption(request);
    if (exemption !== undefined) return exemption;
    const namespace = request.namespace ?? '';
    const labels = this.#namespaceLabels();
    if (labels === undefined)
      return allowed({
        error: `failed to lookup namespace ${quoted(namespace)}: namespaces ${quoted(namespace)} not found`,
      });
    const { policy, errors } = policyOf(labels, this.#defaults);
    if (errors.length === 0 && policy.warn.level === 'privileged' && policy.audit.level === 'privileged')
      return allowed();
    const { object } = request;
    if (!isRecord(object)) return allowed({ error: 'failed to decode object: it is no mapping' });
    const { apiVersion, kind } = object;
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || kind === '')
      return allowed({ error: 'failed to decode object: it has no apiVersion and kind' });
    const isBuiltIn = isBuiltInWorkload(object as KubeObject);
    if (isBuiltIn && !REGISTERED.test(apiVersion))
      return allowed({
        error: `failed to decode object: no kind "${kind}" is registered for version "${apiVersion}"`,
      });
    if (!isBuiltIn) {
      const type = `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
      return allowed({ error: `failed to extract pod template: unexpected object type: ${type}` });
    }
    try {
      decodePod({ metadata: object['metadata'] });
      const template = kind === 'Pod' ? object : templateIn(object, kind);
      // A ReplicationController holds a pointer to its template: nil is nothing to judge. Elsewhere it is empty.
      if (template === undefined && kind === 'ReplicationController') return allowed();
      return this.#evaluate(request, policy, errors, decodePod(template ?? {}), false);
    } catch (error) {
      if (error instanceof DecodeError)
        return allowed({ error: `failed to decode object: ${error.message}` });
      throw error;
    }
  }

  #exemption({ namespace, user }: AdmissionRequest): AdmissionResponse | undefined {
    if (this.#isExempt(namespace)) return allowed({ exempt: 'namespace' });
    return isSet(user) && this.#usernames.has(user!) ? allowed({ exempt: 'user' }) : undefined;
  }

  #namespaceLabels(): Readonly<Record<string, string>> | undefined {
    const { namespace } = this.#context;
    return namespace === null || namespace === undefined ? undefined : labelsOf(namespace);
  }

  #decode(object: unknown): Pod | undefined {
    if (!isRecord(object) || !isTyped(object)) return undefined;
    try {
      const pod = decodePod(object);
      return this.#context.defaults === 'api-server' ? withDefaults(pod) : pod;
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #evaluate(
    request: AdmissionRequest,
    policy: Policy,
    errors: readonly LabelError[],
    pod: Pod,
    enforce: boolean,
  ): AdmissionResponse {
    if (this.#hasExemptRuntimeClass(pod)) return allowed({ exempt: 'runtimeClass' });
    const auditAnnotations: Record<string, string> = {};
    if (errors.length > 0) auditAnnotations['error'] = `Failed to parse policy: ${showErrors(errors)}`;
    let message: string | undefined;
    if (enforce) {
      auditAnnotations['enforce-policy'] = show(policy.enforce);
      const result = evaluateAt(pod, policy.enforce);
      if (!result.allowed) message = `violates PodSecurity ${quoted(show(policy.enforce))}: ${result.detail}`;
    }
    const audit = evaluateAt(pod, policy.audit);
    if (!audit.allowed)
      auditAnnotations['audit-violations'] =
        `would violate PodSecurity ${quoted(show(policy.audit))}: ${audit.detail}`;
    if (message !== undefined) {
      const resource = request.group === '' ? request.resource : `${request.resource}.${request.group}`;
      const who = isSet(request.name) ? `${resource} ${quoted(request.name!)}` : resource;
      return { ...refused(403, 'Forbidden', `${who} is forbidden: ${message}`), auditAnnotations };
    }
    const warn = evaluateAt(pod, policy.warn);
    return allowed(
      auditAnnotations,
      warn.allowed ? [] : [`would violate PodSecurity ${quoted(show(policy.warn))}: ${warn.detail}`],
    );
  }

  #hasExemptRuntimeClass({ spec }: Pod): boolean {
    return isSet(spec.runtimeClassName) && this.#runtimeClasses.has(spec.runtimeClassName!);
  }

  /** The dry run against the pods of a namespace whose labels change. */
  #tryExisting(namespace: string, enforce: LevelVersion): string[] {
    const pods = prioritized((this.#context.existingPods ?? []).filter(isRecord), pod =>
      this.#isExemptPod(pod),
    );
    const checked = pods.slice(0, MAX_PODS);
    const found = new Map<string, { first: string; count: number }>();
    for (const raw of checked) {
      const pod = this.#decode(raw);
      if (pod === undefined) continue;
      const { allowed: isAllowed, reason } = evaluateAt(pod, enforce);
      if (isAllowed) continue;
      const name = pod.metadata?.name ?? '';
      const seen = found.get(reason);
      if (seen === undefined) found.set(reason, { first: name, count: 1 });
      else {
        seen.count++;
        if (compareBytes(name, seen.first) < 0) seen.first = name;
      }
    }
    const lines = [...found].map(([reason, { first, count }]) => {
      const others = count === 1 ? '' : count === 2 ? ' (and 1 other pod)' : ` (and ${count - 1} other pods)`;
      return `${first}${others}: ${reason}`;
    });
    return [
      ...(checked.length < pods.length
        ? [
            `new PodSecurity enforce level only checked against the first ${checked.length} of ${pods.length} existing pods`,
          ]
        : []),
      ...(lines.length > 0
        ? [
            `existing pods in namespace ${quoted(namespace)} violate the new PodSecurity enforce level ${quoted(show(enforce))}`,
          ]
        : []),
      ...lines.sort(compareBytes),
    ];
  }

  #isExemptPod(pod: Readonly<Record<string, unknown>>): boolean {
    const runtimeClass = valueAt(pod, ['spec', 'runtimeClassName']);
    return typeof runtimeClass === 'string' && runtimeClass !== '' && this.#runtimeClasses.has(runtimeClass);
  }
}

function evaluateAt(
  pod: Pod,
  { level, version }: LevelVersion,
): Pick<Evaluation, 'allowed' | 'reason' | 'detail'> {
  return evaluateDecoded(pod, level, tryVersion(version)!);
}

/**
 * The template of a built-in controller, undefined where it has none. What stands in it beside a missing `spec` counts:
 * annotations are judged too. Source: admission.go (ExtractPodSpec).
 *
 * @throws DecodeError for what is no mapping
 */
function templateIn(
  object: Readonly<Record<string, unknown>>,
  kind: string,
): Readonly<Record<string, unknown>> | undefined {
  const path = ['spec', ...(kind === 'CronJob' ? ['jobTemplate', 'spec'] : []), 'template'];
  let at = object;
  for (const [index, step] of (kind === 'PodTemplate' ? ['template'] : path).entries()) {
    const next = at[step] ?? undefined;
    if (next === undefined) return undefined;
    if (!isRecord(next)) throw new DecodeError(path.slice(0, index + 1), 'a mapping', next);
    at = next;
  }
  return at;
}

/** Pods without a controller and the first of each controller go first; those with an exempt runtime class not at all. */
function prioritized<P extends Readonly<Record<string, unknown>>>(
  pods: readonly P[],
  isExempt: (pod: P) => boolean,
): P[] {
  const first: P[] = [];
  const duplicates: P[] = [];
  const controllers = new Set<string>();
  for (const pod of pods) {
    if (isExempt(pod)) continue;
    const owners = valueAt(pod, ['metadata', 'ownerReferences']);
    const controller = Array.isArray(owners)
      ? owners.find(owner => isRecord(owner) && owner['controller'] === true)
      : undefined;
    if (controller === undefined) first.push(pod);
    else {
      const uid = String((controller as Record<string, unknown>)['uid'] ?? '');
      if (controllers.has(uid)) duplicates.push(pod);
      else {
        controllers.add(uid);
        first.push(pod);
      }
    }
  }
  return [...first, ...duplicates];
}

/** Only these changes of a pod are judged again. Source: admission.go (isSignificantPodUpdate). */
function isSignificantUpdate({ spec }: Pod, { spec: old }: Pod): boolean {
  for (const field of ['containers', 'initContainers'] as const) {
    const now = spec[field] ?? [];
    const before = old[field] ?? [];
    if (now.length !== before.length) return true;
    if (now.some(({ image }, i) => (image ?? '') !== (before[i]!.image ?? ''))) return true;
  }
  return (spec.ephemeralContainers ?? []).some(({ name, image }) => {
    const before = (old.ephemeralContainers ?? []).find(other => (other.name ?? '') === (name ?? ''));
    return before === undefined || (before.image ?? '') !== (image ?? '');
  });
}

function isFullyPrivileged({ enforce, audit, warn }: Policy): boolean {
  return [enforce, audit, warn].every(({ level }) => level === 'privileged');
}

function areEquivalent(a: Policy, b: Policy): boolean {
  return MODES.every(
    mode =>
      a[mode].level === b[mode].level &&
      (a[mode].level === 'privileged' || a[mode].version === b[mode].version),
  );
}

function sameErrors(a: readonly LabelError[], b: readonly LabelError[]): boolean {
  return (
    a.length === b.length && a.every(({ label, value }, i) => label === b[i]!.label && value === b[i]!.value)
  );
}

/**
 * Whether an object can be of this kind: another one is no mistake of decoding, and answered with other words. One that
 * does not say what it is, is taken for it.
 */
function isOfKind(object: unknown, kind: string): boolean {
  if (object === null || object === undefined) return false;
  return !isRecord(object) || typeof object['kind'] !== 'string' || ['', kind].includes(object['kind']);
}

/** What a pod or namespace says of its type can be decoded, as far as it says it. */
function isTyped({ apiVersion, kind }: Readonly<Record<string, unknown>>): boolean {
  return (
    (apiVersion === undefined || apiVersion === 'v1') &&
    (kind === undefined || (typeof kind === 'string' && kind !== ''))
  );
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== '';
}

function stringAt(object: unknown, field: string): string {
  const value = valueAt(object, ['metadata', field]);
  return typeof value === 'string' ? value : '';
}

/** @returns undefined for what cannot be decoded as a namespace */
function labelsOf(object: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(object) || !isTyped(object)) return undefined;
  const { metadata, spec } = object;
  const finalizers = isRecord(spec)
    ? (spec['finalizers'] ?? [])
    : spec === undefined || spec === null
      ? []
      : '';
  if (!Array.isArray(finalizers) || finalizers.some(one => one !== null && typeof one !== 'string'))
    return undefined;
  try {
    return decodePod({ metadata }).metadata?.labels ?? {};
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

const GROUP = 'pod-security.admission.config.k8s.io/';
const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'];
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

interface Loaded {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly namespaces: readonly string[];
    readonly runtimeClasses: readonly string[];
  };
}

/** Source: admission/api/load, admission/api/v1/defaults.go, admission/api/validation/validation.go. */
function loadConfiguration(config: PodSecurityConfiguration | null | undefined): Loaded {
  if (config === null || config === undefined)
    return { defaults: privilegedPolicy, exemptions: { usernames: [], namespaces: [], runtimeClasses: [] } };
  if (!isRecord(config)) throw new ConfigurationError('the configuration is no mapping');
  const { apiVersion, kind } = config;
  if (kind !== 'PodSecurityConfiguration' || !VERSIONS.some(version => apiVersion === GROUP + version))
    throw new ConfigurationError(
      `apiVersion: ${String(apiVersion)} ${String(kind)} is no PodSecurityConfiguration of ${GROUP}v1`,
    );
  const defaults = config.defaults ?? {};
  if (!isRecord(defaults)) throw new ConfigurationError('defaults: expected a mapping');
  const exemptions = config.exemptions ?? {};
  if (!isRecord(exemptions)) throw new ConfigurationError('exemptions: expected a mapping');
  refuseUnknown(config, '', ['apiVersion', 'kind', 'defaults', 'exemptions']);
  refuseUnknown(
    defaults,
    'defaults.',
    MODES.flatMap(mode => [mode, `${mode}-version`]),
  );
  refuseUnknown(exemptions, 'exemptions.', ['usernames', 'namespaces', 'runtimeClasses']);
  const policy = Object.fromEntries(
    MODES.map(mode => {
      const level = setting(defaults, mode, 'privileged');
      const version = setting(defaults, `${mode}-version`, 'latest');
      if (!isLevel(level))
        throw new ConfigurationError(`defaults.${mode}: Invalid value: ${quoted(level)}: ${BAD_LEVEL}`);
      if (tryVersion(version) === undefined)
        throw new ConfigurationError(
          `defaults.${mode}-version: Invalid value: ${quoted(version)}: ${BAD_VERSION}`,
        );
      return [mode, { level, version }];
    }),
  );
  return {
    defaults: policy as unknown as Policy,
    exemptions: {
      namespaces: exempt(exemptions, 'namespaces', name => name.length <= 63 && LABEL.test(name)),
      runtimeClasses: exempt(
        exemptions,
        'runtimeClasses',
        name => name.length <= 253 && SUBDOMAIN.test(name),
      ),
      usernames: exempt(exemptions, 'usernames', name => name !== ''),
    },
  };
}

/** The file is decoded strictly. Source: admission/api/scheme/scheme.go (EnableStrict). */
function refuseUnknown(part: object, at: string, known: readonly string[]): void {
  const unknown = Object.keys(part).find(field => !known.includes(field));
  if (unknown !== undefined) throw new ConfigurationError(`${at}${unknown}: unknown field`);
}

function setting(defaults: Readonly<Record<string, unknown>>, name: string, otherwise: string): string {
  const value = defaults[name] ?? '';
  if (typeof value !== 'string') throw new ConfigurationError(`defaults.${name}: expected a string`);
  return value === '' ? otherwise : value;
}

function exempt(
  exemptions: Readonly<Record<string, unknown>>,
  field: string,
  isValid: (name: string) => boolean,
): readonly string[] {
  const list = exemptions[field] ?? [];
  if (!Array.isArray(list)) throw new ConfigurationError(`exemptions.${field}: expected a list`);
  const seen = new Set<string>();
  list.forEach((name: unknown, i) => {
    const path = `exemptions.${field}[${i}]`;
    if (typeof name !== 'string') throw new ConfigurationError(`${path}: expected a string`);
    if (!isValid(name)) throw new ConfigurationError(`${path}: Invalid value: ${quoted(name)}`);
    if (seen.has(name)) throw new ConfigurationError(`${path}: Duplicate value: ${quoted(name)}`);
    seen.add(name);
  });
  return list as string[];
}
