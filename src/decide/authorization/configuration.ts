/**
 * AuthorizationConfiguration files as kube-apiserver loads them: strict decoding, defaults, validation, CEL.
 * Sources: apiserver pkg/apis/apiserver/{load,v1/types,v1/defaults,validation/validation}.go, kubernetes
 * pkg/kubeapiserver/authorizer/{config,reload}.go.
 */

import { dnsSubdomain } from '#decide/cel/formats.ts';
import { CelCompileError, CelProgramError } from '#decide/cel/issues.ts';
import { parseDuration } from '#decide/cel/time.ts';
import { joinErrors, quoted } from '#kube/go-text.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import { Locator } from '#yaml/locate.ts';
import { readDocuments } from '#yaml/read.ts';
import { compileMatchCondition, type MatchCondition, NoCondition } from './match-conditions.ts';

/** A configuration with which the API server would not start, in its words; with the line where one is known. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** From 1, where the configuration was text. */
  readonly line: number | undefined;
  /** The field that is wrong, or the first of them, as the message names it: `authorizers[0].type`. */
  readonly path: string;

  constructor(message: string, line?: number, path = '') {
    super(message);
    this.line = line;
    this.path = path;
  }
}

type AuthorizerType = 'Webhook' | 'Node' | 'RBAC' | 'ABAC' | 'AlwaysAllow' | 'AlwaysDeny';

type ConfiguredAuthorizer =
  | { readonly type: Exclude<AuthorizerType, 'Webhook'>; readonly name: string }
  | {
      readonly type: 'Webhook';
      readonly name: string;
      readonly failurePolicy: 'NoOpinion' | 'Deny';
      readonly matchConditions: readonly MatchCondition[];
    };

const TYPES: readonly AuthorizerType[] = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'];
const VERSIONS = ['v1alpha1', 'v1beta1', 'v1'].map(version => `apiserver.config.k8s.io/${version}`);
const PREFIX = 'failed to load AuthorizationConfiguration from file: ';
const MAX_CONDITIONS = 64;

/**
 * @param configuration YAML or JSON text, or what it says
 * @param kubernetesMinor the release whose CEL functions there are
 * @throws ConfigurationError where kube-apiserver would not start
 */
export function loadConfiguration(
  configuration: string | object,
  kubernetesMinor: number,
): readonly ConfiguredAuthorizer[] {
  const { value, lineOf } =
    typeof configuration === 'string' ? read(configuration) : { value: configuration, lineOf: undefined };
  try {
    return load(value, kubernetesMinor);
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.line !== undefined || lineOf === undefined)
      throw error;
    throw new ConfigurationError(error.message, lineOf(error.path), error.path);
  }
}

function load(value: unknown, kubernetesMinor: number): readonly ConfiguredAuthorizer[] {
  if (!isRecord(value)) throw new ConfigurationError(`${PREFIX}it is no mapping`);
  const { apiVersion, kind } = value;
  if (typeof kind !== 'string' || kind === '')
    throw new ConfigurationError(`${PREFIX}Object 'Kind' is missing`);
  if (typeof apiVersion !== 'string' || apiVersion === '')
    throw new ConfigurationError(`${PREFIX}Object 'apiVersion' is missing`);
  if (!VERSIONS.includes(apiVersion) || kind !== 'AuthorizationConfiguration')
    throw new ConfigurationError(
      `${PREFIX}no kind ${quoted(kind)} is registered for version ${quoted(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  const decoder = new Decoder();
  const authorizers = decoder.configuration(value);
  const [unknown] = decoder.unknown;
  if (unknown !== undefined)
    throw new ConfigurationError(
      `${PREFIX}strict decoding error: ${decoder.unknown.map(path => `unknown field ${quoted(path)}`).join(', ')}`,
      undefined,
      unknown,
    );
  const validated = validate(authorizers, kubernetesMinor);
  return validated;
}

interface Text {
  readonly value: unknown;
  readonly lineOf: (path: string) => number;
}

function read(whole: string): Text {
  const text = whole.replace(/^\ufeff/, '');
  const [document] = readDocuments(text);
  if (document === undefined || document.is === 'empty') throw new ConfigurationError(`${PREFIX}it is empty`);
  if (document.is === 'error')
    throw new ConfigurationError(`${PREFIX}line ${document.line}: ${document.message}`, document.line);
  const [duplicate] = document.duplicateKeys;
  if (duplicate !== undefined)
    throw new ConfigurationError(
      `${PREFIX}strict decoding error: key ${quoted(String(duplicate.path.at(-1)))} already set in map`,
      duplicate.line,
    );
  const locator = new Locator(text, document);
  return {
    value: document.value,
    lineOf: path => {
      const { located } = locator.nearest(stepsOf(path));
      return (located.key ?? located.value).line;
    },
  };
}

/** `authorizers[0].webhook` as steps. */
function stepsOf(path: string): Path {
  return path
    .split(/[.[\]]+/)
    .filter(step => step !== '')
    .map(step => (/^\d+$/.test(step) ? Number(step) : step));
}

interface Webhook {
  readonly authorizedTTL: bigint;
  readonly unauthorizedTTL: bigint;
  readonly timeout: bigint;
  readonly subjectAccessReviewVersion: string;
  readonly matchConditionSubjectAccessReviewVersion: string;
  readonly failurePolicy: string;
  readonly connection: { readonly type: string; readonly kubeConfigFile: string | undefined };
  readonly matchConditions: readonly string[];
}

interface Decoded {
  readonly type: string;
  readonly name: string;
  readonly webhook: Webhook | undefined;
}

const SECOND = 1_000_000_000n;

/** What the file says, with defaults. Field names are case-sensitive, and one that is not known is an error. */
class Decoder {
  readonly unknown: string[] = [];

  configuration(value: Readonly<Record<string, unknown>>): Decoded[] {
    this.#known(value, '', ['apiVersion', 'kind', 'authorizers']);
    return this.#list(value['authorizers'], 'authorizers').map((item, index) => {
      const path = `authorizers[${index}]`;
      const one = this.#mapping(item, path);
      this.#known(one, path, ['type', 'name', 'webhook']);
      const webhook = one['webhook'];
      return {
        type: this.#text(one, 'type', path),
        name: this.#text(one, 'name', path),
        webhook:
          webhook === undefined || webhook === null ? undefined : this.#webhook(webhook, `${path}.webhook`),
      };
    });
  }

  #webhook(value: unknown, path: string): Webhook {
    const one = this.#mapping(value, path);
    this.#known(one, path, [
      'authorizedTTL',
      'cacheAuthorizedRequests',
      'unauthorizedTTL',
      'cacheUnauthorizedRequests',
      'timeout',
      'subjectAccessReviewVersion',
      'matchConditionSubjectAccessReviewVersion',
      'failurePolicy',
      'connectionInfo',
      'matchConditions',
    ]);
    for (const flag of ['cacheAuthorizedRequests', 'cacheUnauthorizedRequests']) {
      const set = one[flag] ?? false;
      if (typeof set !== 'boolean') throw mistyped(`${path}.${flag}`, 'true or false');
    }
    const connection = this.#mapping(one['connectionInfo'] ?? {}, `${path}.connectionInfo`);
    this.#known(connection, `${path}.connectionInfo`, ['type', 'kubeConfigFile']);
    return {
      authorizedTTL: this.#duration(one, 'authorizedTTL', path) || 300n * SECOND,
      unauthorizedTTL: this.#duration(one, 'unauthorizedTTL', path) || 30n * SECOND,
      timeout: this.#duration(one, 'timeout', path),
      subjectAccessReviewVersion: this.#text(one, 'subjectAccessReviewVersion', path),
      matchConditionSubjectAccessReviewVersion: this.#text(
        one,
        'matchConditionSubjectAccessReviewVersion',
        path,
      ),
      failurePolicy: this.#text(one, 'failurePolicy', path),
      connection: {
        type: this.#text(connection, 'type', `${path}.connectionInfo`),
        kubeConfigFile:
          (connection['kubeConfigFile'] ?? undefined) === undefined
            ? undefined
            : this.#text(connection, 'kubeConfigFile', `${path}.connectionInfo`),
      },
      matchConditions: this.#list(one['matchConditions'], `${path}.matchConditions`).map((item, index) => {
        const place = `${path}.matchConditions[${index}]`;
        const condition = this.#mapping(item, place);
        this.#known(condition, place, ['expression']);
        return this.#text(condition, 'expression', place);
      }),
    };
  }

  #known(value: Readonly<Record<string, unknown>>, path: string, fields: readonly string[]): void {
    for (const field of Object.keys(value))
      if (!fields.includes(field)) this.unknown.push(path === '' ? field : `${path}.${field}`);
  }

  #mapping(value: unknown, path: string): Readonly<Record<string, unknown>> {
    if (value === null) return {};
    if (!isRecord(value)) throw mistyped(path, 'a mapping');
    return value;
  }

  #list(value: unknown, path: string): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw mistyped(path, 'a list');
    return value;
  }

  #text(value: Readonly<Record<string, unknown>>, field: string, path: string): string {
    const text = value[field] ?? '';
    if (typeof text !== 'string') throw mistyped(`${path}.${field}`, 'a string');
    return text;
  }

  #duration(value: Readonly<Record<string, unknown>>, field: string, path: string): bigint {
    // Null is no duration either: the type decodes itself, as a text.
    const text = value[field];
    if (text === undefined) return 0n;
    const duration = typeof text === 'string' ? parseDuration(text) : undefined;
    if (duration === undefined) throw mistyped(`${path}.${field}`, 'a duration such as 3s');
    return duration.nanos;
  }
}

function mistyped(path: string, expected: string): ConfigurationError {
  return new ConfigurationError(`${PREFIX}${path}: expected ${expected}`, undefined, path);
}

/** All that is wrong, as the API server joins it. */
function validate(authorizers: readonly Decoded[], kubernetesMinor: number): ConfiguredAuthorizer[] {
  const errors: string[] = [];
  const result: ConfiguredAuthorizer[] = [];
  const required = (path: string, detail = '') =>
    void errors.push(`${path}: Required value${detail === '' ? '' : `: ${detail}`}`);
  const invalid = (path: string, value: string, detail: string) =>
    void errors.push(`${path}: Invalid value: ${quoted(value)}: ${detail}`);
  const unsupported = (path: string, value: string, supported: readonly string[]) =>
    void errors.push(
      `${path}: Unsupported value: ${quoted(value)}: supported values: ${supported.map(quoted).join(', ')}`,
    );
  const duplicate = (path: string, value: string) =>
    void errors.push(`${path}: Duplicate value: ${quoted(value)}`);
  if (authorizers.length === 0) required('authorizers', 'at least one authorization mode must be defined');
  const types = new Set<string>();
  const names = new Set<string>();
  authorizers.forEach(({ type, name, webhook }, index) => {
    const path = `authorizers[${index}]`;
    if (type === '') {
      required(`${path}.type`);
      return;
    }
    const known = TYPES.find(one => one === type);
    if (known === undefined) {
      unsupported(`${path}.type`, type, TYPES);
      return;
    }
    if (types.has(type) && known !== 'Webhook') {
      duplicate(`${path}.type`, type);
      return;
    }
    types.add(type);
    const issues = dnsSubdomain(name);
    if (name === '') required(`${path}.name`);
    else if (names.has(name)) duplicate(`${path}.name`, name);
    else if (issues.length > 0)
      invalid(`${path}.name`, name, `authorizer name is invalid: ${issues.join(', ')}`);
    names.add(name);
    if (known !== 'Webhook') {
      if (webhook !== undefined)
        invalid(`${path}.webhook`, 'non-null', 'may only be specified when type=Webhook');
      result.push({ type: known, name });
      return;
    }
    if (webhook === undefined) {
      required(`${path}.webhook`, 'required when type=Webhook');
      return;
    }
    const duration = (field: 'timeout' | 'authorizedTTL' | 'unauthorizedTTL', most: bigint | undefined) => {
      const nanos = webhook[field];
      if (nanos === 0n) required(`${path}.${field}`);
      else if (nanos < 0n || (most !== undefined && nanos > most))
        invalid(
          `${path}.${field}`,
          durationText(nanos),
          most === undefined ? 'must be > 0s' : 'must be > 0s and <= 30s',
        );
    };
    duration('timeout', 30n * SECOND);
    duration('authorizedTTL', undefined);
    duration('unauthorizedTTL', undefined);
    const choice = (field: 'subjectAccessReviewVersion' | 'failurePolicy', supported: readonly string[]) => {
      if (webhook[field] === '') required(`${path}.${field}`);
      else if (!supported.includes(webhook[field]))
        unsupported(`${path}.${field}`, webhook[field], supported);
    };
    choice('subjectAccessReviewVersion', ['v1', 'v1beta1']);
    const version = webhook.matchConditionSubjectAccessReviewVersion;
    const versionPath = `${path}.matchConditionSubjectAccessReviewVersion`;
    if (version === '') {
      if (webhook.matchConditions.length > 0)
        required(versionPath, 'required if match conditions are specified');
    } else if (version !== 'v1') unsupported(versionPath, version, ['v1']);
    choice('failurePolicy', ['NoOpinion', 'Deny']);
    const { type: connection, kubeConfigFile } = webhook.connection;
    const filePath = `${path}.connectionInfo.kubeConfigFile`;
    switch (connection) {
      case '':
        required(`${path}.connectionInfo.type`);
        break;
      case 'InClusterConfig':
        if (kubeConfigFile !== undefined)
          invalid(filePath, kubeConfigFile, 'can only be set when type=KubeConfigFile');
        // It passes the validation, and then the API server crashes for want of a file: reload.go.
        else
          errors.push(
            `${path}.connectionInfo.type: InClusterConfig makes kube-apiserver crash; use KubeConfigFile`,
          );
        break;
      case 'KubeConfigFile':
        if (kubeConfigFile === undefined || kubeConfigFile === '') required(filePath);
        else if (!kubeConfigFile.startsWith('/'))
          invalid(filePath, kubeConfigFile, 'must be an absolute path');
        break;
      default:
        unsupported(`${path}.connectionInfo.type`, connection, ['InClusterConfig', 'KubeConfigFile']);
    }
    result.push({
      type: 'Webhook',
      name,
      failurePolicy: webhook.failurePolicy === 'Deny' ? 'Deny' : 'NoOpinion',
      matchConditions: conditions(webhook.matchConditions, path, kubernetesMinor, errors),
    });
  });
  const [first] = errors;
  // Each begins with its field.
  if (first !== undefined)
    throw new ConfigurationError(joinErrors(errors), undefined, first.slice(0, first.indexOf(': ')));
  for (const [index, { type, name }] of result.entries())
    if (type !== 'Webhook' && name !== type.toLowerCase())
      throw new ConfigurationError(
        `expected name ${type.toLowerCase()} for authorizer ${type} instead of ${name}`,
        undefined,
        `authorizers[${index}].name`,
      );
  return result;
}

function conditions(
  expressions: readonly string[],
  path: string,
  kubernetesMinor: number,
  errors: string[],
): MatchCondition[] {
  if (expressions.length > MAX_CONDITIONS) {
    errors.push(
      `${path}.matchConditions: Too many: ${expressions.length}: must have at most ${MAX_CONDITIONS} items`,
    );
    return [];
  }
  const seen = new Set<string>();
  return expressions.flatMap((expression, index) => {
    const place = `${path}.matchConditions[${index}].expression`;
    if (expression.trim() === '') errors.push(`${place}: Required value`);
    else if (seen.has(expression)) errors.push(`${place}: Duplicate value: ${quoted(expression)}`);
    else {
      seen.add(expression);
      try {
        return [compileMatchCondition(expression, kubernetesMinor)];
      } catch (error) {
        if (error instanceof CelProgramError) {
          errors.push(`${place}: Internal error: ${error.message}`);
          return [];
        }
        const detail =
          error instanceof CelCompileError
            ? `compilation failed: ${error.message}`
            : error instanceof NoCondition
              ? error.message
              : undefined;
        if (detail === undefined) throw error;
        errors.push(`${place}: Invalid value: ${quoted(expression)}: ${detail}`);
      }
    }
    return [];
  });
}

/** Go's time.Duration as text. */
function durationText(nanos: bigint): string {
  const sign = nanos < 0n ? '-' : '';
  const absolute = nanos < 0n ? -nanos : nanos;
  const unit = (size: bigint, name: string) => {
    const fraction = String(absolute % size)
      .padStart(String(size).length - 1, '0')
      .replace(/0+$/, '');
    return `${sign}${absolute / size}${fraction === '' ? '' : `.${fraction}`}${name}`;
  };
  if (absolute < 1000n) return `${sign}${absolute}ns`;
  if (absolute < 1_000_000n) return unit(1000n, 'µs');
  if (absolute < SECOND) return unit(1_000_000n, 'ms');
  const hours = absolute / (3600n * SECOND);
  const minutes = (absolute / (60n * SECOND)) % 60n;
  const rest = absolute % (60n * SECOND);
  const fraction = String(rest % SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const seconds = `${rest / SECOND}${fraction === '' ? '' : `.${fraction}`}s`;
  return `${sign}${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}`;
}
