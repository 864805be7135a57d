/**
 * ValidatingAdmissionPolicies as kube-apiserver decides with them. Sources: apiserver
 * pkg/admission/plugin/policy/validating/{dispatcher,validator,plugin}.go, pkg/admission/plugin/policy/generic,
 * pkg/admission/plugin/cel/{condition,composition}.go, pkg/apis/cel/config.go.
 */
import type { Ask } from '#decide/cel/authorizer.ts';
import { compile, isUnknown, type Program } from '#decide/cel/cel.ts';
import { CelCompileError } from '#decide/cel/issues.ts';
import { BOOL, DYN, NULL, STRING, sameType, type Type, typeText } from '#decide/cel/types.ts';
import { CelError, type CelValue, LazyObject, typeNameOf } from '#decide/cel/values.ts';
import {
  type Because,
  groupOf,
  isRecord,
  type KubeObject,
  nameOf,
  type Path,
  valueAt,
} from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, matchesSelector } from '#kube/selectors.ts';
import { matchesResources } from './matching.ts';
import { type AdmissionRequest, declarationsOf, valuesOf } from './request.ts';

/** What all expressions of a policy may cost for one request, and its match conditions. */
const BUDGET = 10_000_000;
const MATCH_BUDGET = 2_500_000;
const MAX_MESSAGE = 5_120;
const MAX_ANNOTATION = 10 * 1024;
const GROUP = 'admissionregistration.k8s.io';

export interface ValidationResult {
  readonly policy: string;
  /** Empty where the policy itself is at fault. */
  readonly binding: string;
  /** `unknown`: a fact is missing that the expression asks for. */
  readonly outcome: 'deny' | 'error' | 'unknown';
  readonly message: string;
  readonly reason: string;
  readonly because: Because;
}

export interface AdmissionAnswer {
  readonly decision: 'allow' | 'deny' | 'unknown';
  /** The API server's words for the client; empty where it allows. */
  readonly message: string;
  readonly denials: readonly ValidationResult[];
  readonly unknowns: readonly ValidationResult[];
  readonly warnings: readonly string[];
  /** Failures that are only written to the audit log. */
  readonly audits: readonly ValidationResult[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

export interface AdmissionInput {
  /** Policies, bindings, the objects that they take as parameters, and Namespaces. */
  readonly objects: readonly KubeObject[];
  /** The minor version of Kubernetes 1 whose CEL functions there are. */
  readonly kubernetesMinor?: number;
  /** Answers what expressions ask of `authorizer`; without it such an answer is not known. */
  readonly ask?: Ask;
}

type Compiled =
  | { readonly program: Program; readonly text: string; readonly path: Path }
  | { readonly error: string; readonly path: Path };

/** Requests that no policy sees. */
const NOT_SEEN = new Set([
  `${GROUP}/validatingadmissionpolicies`,
  `${GROUP}/validatingadmissionpolicybindings`,
  `${GROUP}/mutatingadmissionpolicies`,
  `${GROUP}/mutatingadmissionpolicybindings`,
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
]);

export class ValidatingAdmission {
  readonly #policies: readonly Policy[];
  readonly #bindings = new Map<string, KubeObject[]>();
  readonly #objects: readonly KubeObject[];
  readonly #ask: Ask;

  constructor({ objects, kubernetesMinor, ask }: AdmissionInput) {
    this.#objects = objects;
    this.#ask = ask ?? (() => ({ decision: 'unknown', reason: 'who may do what is not in the input' }));
    const of = (kind: string) =>
      objects.filter(object => object.kind === kind && groupOf(object.apiVersion) === GROUP);
    this.#policies = of('ValidatingAdmissionPolicy').map(object => new Policy(object, kubernetesMinor));
    for (const binding of of('ValidatingAdmissionPolicyBinding')) {
      const policy = textAt(binding, ['spec', 'policyName']);
      const list = this.#bindings.get(policy);
      if (list === undefined) this.#bindings.set(policy, [binding]);
      else list.push(binding);
    }
  }

  /** What is wrong with the expressions of the policies: the API server would not take them. */
  issues(): { readonly object: KubeObject; readonly path: Path; readonly message: string }[] {
    return this.#policies.flatMap(policy =>
      policy.issues.map(({ path, error }) => ({ object: policy.object, path, message: error })),
    );
  }

  admit(request: AdmissionRequest): AdmissionAnswer {
    const collected = new Collected();
    if (!NOT_SEEN.has(`${request.resource.group}/${request.resource.resource}`))
      for (const policy of this.#policies) this.#apply(policy, request, collected);
    return collected.answer();
  }

  #apply(policy: Policy, request: AdmissionRequest, collected: Collected): void {
    const namespace = this.#namespaceOf(request);
    const bindings = this.#bindings.get(policy.name) ?? [];
    if (bindings.length === 0) return;
    const matches = matchesResources(
      valueAt(policy.object, ['spec', 'matchConstraints']),
      request,
      namespace,
    );
    if (matches === false) return;
    for (const binding of bindings) {
      const at: At = { policy, binding, collected };
      const bound = matchesResources(valueAt(binding, ['spec', 'matchResources']), request, namespace);
      if (bound === false) continue;
      const unknown = matches === true ? (bound === true ? undefined : bound.unknown) : matches.unknown;
      if (unknown !== undefined) {
        unknownAt(at, unknown, ['spec', 'matchConstraints']);
        continue;
      }
      const params = this.#params(policy, binding, request);
      if ('unknown' in params) unknownAt(at, params.unknown, ['spec', 'paramRef']);
      else if ('error' in params)
        failAt(at, `failed to configure binding: ${params.error}`, ['spec', 'paramRef']);
      else
        for (const param of params.found) policy.validate(at, valuesOf(request, param, namespace, this.#ask));
    }
  }

  /** Null where the request has none. */
  #namespaceOf({ namespace = '', resource }: AdmissionRequest): KubeObject | null | undefined {
    if (namespace === '' || (resource.group === '' && resource.resource === 'namespaces')) return null;
    return this.#objects.findLast(
      object => object.kind === 'Namespace' && object.apiVersion === 'v1' && nameOf(object) === namespace,
    );
  }

  #params(
    policy: Policy,
    binding: KubeObject,
    { namespace = '' }: AdmissionRequest,
  ):
    | { readonly found: readonly (KubeObject | null)[] }
    | { readonly error: string }
    | { readonly unknown: string } {
    const kind = valueAt(policy.object, ['spec', 'paramKind']);
    const reference = valueAt(binding, ['spec', 'paramRef']);
    if (!isRecord(kind) || !isRecord(reference)) return { found: [null] };
    const { apiVersion, kind: name } = kind;
    const ofKind = this.#objects.filter(
      object =>
        object.kind === name &&
        typeof apiVersion === 'string' &&
        groupOf(object.apiVersion) === groupOf(apiVersion),
    );
    // An input without a single object of the kind does not say that the cluster has none.
    if (ofKind.length === 0) return { unknown: `no ${String(name)} is in the input` };
    const wanted = textAt(reference, ['namespace']) || namespace;
    const near = ofKind.filter(object => {
      const home = object.metadata?.namespace ?? '';
      return home === '' || home === wanted;
    });
    const selector = reference['selector'];
    const found =
      typeof reference['name'] === 'string' && reference['name'] !== ''
        ? near.filter(object => nameOf(object) === reference['name']).slice(-1)
        : invalidSelector(selector) === undefined
          ? near.filter(object => matchesSelector((selector ?? {}) as LabelSelector, object.metadata?.labels))
          : [];
    if (found.length > 0) return { found };
    return reference['parameterNotFoundAction'] === 'Allow'
      ? { found: [] }
      : { error: 'no params found for policy binding with `Deny` parameterNotFoundAction' };
  }
}

interface At {
  readonly policy: Policy;
  readonly binding: KubeObject;
  readonly collected: Collected;
}

function unknownAt({ policy, binding, collected }: At, message: string, path: Path): void {
  collected.unknowns.push({
    policy: policy.name,
    binding: nameOf(binding),
    outcome: 'unknown',
    message,
    reason: '',
    because: { object: policy.object, path, text: message },
  });
}

/** An error counts as the policy's failurePolicy says. */
function failAt(at: At, message: string, path: Path, always = false): void {
  if (at.policy.ignoresFailure) return;
  record(at, { outcome: 'error', message, reason: 'Invalid', path }, always);
}

function record(
  { policy, binding, collected }: At,
  failure: {
    readonly outcome: 'deny' | 'error';
    readonly message: string;
    readonly reason: string;
    readonly path: Path;
  },
  always = false,
): void {
  const { outcome, message, reason, path } = failure;
  const result: ValidationResult = {
    policy: policy.name,
    binding: nameOf(binding),
    outcome,
    message,
    reason,
    because: { object: policy.object, path, text: message },
  };
  const actions = valueAt(binding, ['spec', 'validationActions']);
  const does = (action: string) => always || (Array.isArray(actions) && actions.includes(action));
  if (does('Deny')) collected.denials.push(result);
  if (always) return;
  if (does('Audit')) collected.audits.push(result);
  if (does('Warn'))
    collected.warnings.push(
      `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${nameOf(binding)}': ${message}`,
    );
}

class Collected {
  readonly denials: ValidationResult[] = [];
  readonly unknowns: ValidationResult[] = [];
  readonly audits: ValidationResult[] = [];
  readonly warnings: string[] = [];
  readonly annotations: Record<string, string> = {};

  answer(): AdmissionAnswer {
    const [first] = this.denials;
    return {
      decision: first !== undefined ? 'deny' : this.unknowns.length > 0 ? 'unknown' : 'allow',
      message:
        first === undefined
          ? ''
          : `ValidatingAdmissionPolicy '${first.policy}' with binding '${first.binding}' denied request: ${first.message}`,
      denials: this.denials,
      unknowns: this.unknowns,
      warnings: this.warnings,
      audits: this.audits,
      auditAnnotations: this.annotations,
    };
  }
}

class Policy {
  readonly object: KubeObject;
  readonly name: string;
  readonly ignoresFailure: boolean;
  readonly issues: { readonly path: Path; readonly error: string }[] = [];
  readonly #conditions: readonly Compiled[];
  readonly #variables: ReadonlyMap<string, Compiled>;
  readonly #validations: readonly {
    readonly expression: Compiled;
    readonly message: Compiled | undefined;
    readonly fixed: string;
    readonly reason: string;
  }[];
  readonly #annotations: readonly { readonly key: string; readonly value: Compiled }[];

  constructor(object: KubeObject, kubernetesMinor: number | undefined) {
    this.object = object;
    this.name = nameOf(object);
    this.ignoresFailure = valueAt(object, ['spec', 'failurePolicy']) === 'Ignore';
    const params = isRecord(valueAt(object, ['spec', 'paramKind']));
    const variableTypes: Record<string, Type> = {};
    const compiled = (
      path: Path,
      wanted: readonly Type[] | undefined,
      authorizer: boolean,
      withVariables = true,
    ): Compiled => {
      const text = valueAt(object, path);
      let error = 'no expression';
      if (typeof text === 'string')
        try {
          const program = compile(text, {
            variables: declarationsOf({
              params,
              authorizer,
              ...(withVariables ? { variables: variableTypes } : {}),
            }),
            ...(kubernetesMinor === undefined ? {} : { kubernetesMinor }),
          });
          if (wanted === undefined || wanted.some(type => sameType(type, program.output)))
            return { program, text, path };
          error = `must evaluate to ${wanted.length === 1 ? typeText(wanted[0]!) : `one of [${wanted.map(typeText).join(' ')}]`} but got ${typeText(program.output)}`;
        } catch (refused) {
          if (!(refused instanceof CelCompileError)) throw refused;
          error = `compilation failed: ${refused.message}`;
        }
      this.issues.push({ path, error });
      return { error, path };
    };
    const each = (field: string): readonly Path[] => {
      const list = valueAt(object, ['spec', field]);
      return Array.isArray(list) ? list.map((_, index) => ['spec', field, index]) : [];
    };
    this.#conditions = each('matchConditions').map(path =>
      compiled([...path, 'expression'], [BOOL], true, false),
    );
    // A variable may use those before it.
    const variables = new Map<string, Compiled>();
    for (const path of each('variables')) {
      const name = textAt(object, [...path, 'name']);
      const variable = compiled([...path, 'expression'], undefined, true);
      variables.set(name, variable);
      variableTypes[name] = 'program' in variable ? declared(variable.program.output) : DYN;
    }
    this.#variables = variables;
    this.#validations = each('validations').map(path => ({
      expression: compiled([...path, 'expression'], [BOOL], true),
      message:
        valueAt(object, [...path, 'messageExpression']) === undefined
          ? undefined
          : compiled([...path, 'messageExpression'], [STRING], false),
      fixed: textAt(object, [...path, 'message']).trim(),
      reason: textAt(object, [...path, 'reason']) || 'Invalid',
    }));
    this.#annotations = each('auditAnnotations').map(path => ({
      key: textAt(object, [...path, 'key']),
      value: compiled([...path, 'valueExpression'], [STRING, NULL], true),
    }));
  }

  validate(at: At, given: Record<string, CelValue>): void {
    const [broken] = this.issues;
    if (broken !== undefined) {
      failAt(at, broken.error, broken.path);
      return;
    }
    if (!this.#matches(at, given)) return;
    const meter = new Meter(BUDGET);
    const values = { ...given, variables: this.#lazy(given, meter) };
    for (const { expression, message, fixed, reason } of this.#validations) {
      if (!('program' in expression)) continue;
      const { value } = meter.run(expression.program, values);
      if (isUnknown(value)) unknownAt(at, value.message, expression.path);
      else if (value instanceof CelError)
        failAt(at, `expression '${expression.text}' resulted in error: ${value.message}`, expression.path);
      else if (value !== true)
        record(at, {
          outcome: 'deny',
          message:
            messageOf(message, values, meter) || fixed || `failed expression: ${expression.text.trim()}`,
          reason,
          path: expression.path,
        });
    }
    this.#annotate(at, values);
  }

  /** A condition that is false ends it; an error without one counts by the failurePolicy. */
  #matches(at: At, given: Record<string, CelValue>): boolean {
    const meter = new Meter(MATCH_BUDGET);
    let error: { readonly value: CelError; readonly text: string; readonly path: Path } | undefined;
    for (const condition of this.#conditions) {
      if (!('program' in condition)) continue;
      const { value } = meter.run(condition.program, given);
      if (value === false) return false;
      if (value instanceof CelError && (error === undefined || isUnknown(value)))
        error = { value, text: condition.text, path: condition.path };
    }
    if (error === undefined) return true;
    if (isUnknown(error.value)) unknownAt(at, error.value.message, error.path);
    else failAt(at, `expression '${error.text}' resulted in error: ${error.value.message}`, error.path);
    return false;
  }

  #lazy(given: Record<string, CelValue>, meter: Meter): LazyObject {
    const lazy: LazyObject = new LazyObject('kubernetes.variables', new Set(this.#variables.keys()), name => {
      const variable = this.#variables.get(name)!;
      if (!('program' in variable))
        return new CelError(`composited variable "${name}" fails to compile: ${variable.error}`);
      const { value } = meter.run(variable.program, { ...given, variables: lazy });
      if (!(value instanceof CelError) || isUnknown(value)) return value;
      return new CelError(`composited variable "${name}" fails to evaluate: ${value.message}`);
    });
    return lazy;
  }

  #annotate(at: At, values: Record<string, CelValue>): void {
    const meter = new Meter(BUDGET);
    for (const { key, value: expression } of this.#annotations) {
      if (!('program' in expression)) continue;
      const { value } = meter.run(expression.program, values);
      if (typeof value === 'string') {
        const text = value.trim().slice(0, MAX_ANNOTATION);
        const name = `${this.name}/${key}`;
        const known = at.collected.annotations[name];
        if (text === '') continue;
        if (known === undefined) at.collected.annotations[name] = text;
        else if (!known.split(', ').includes(text)) at.collected.annotations[name] = `${known}, ${text}`;
      } else if (isUnknown(value)) unknownAt(at, value.message, expression.path);
      else if (value !== null)
        failAt(
          at,
          value instanceof CelError
            ? `expression '${expression.text}' resulted in error: ${value.message}`
            : `valueExpression '${expression.text}' resulted in unsupported return type: ${typeNameOf(value)}. Return type must be either string or null.`,
          expression.path,
          true,
        );
    }
  }
}

/** Adds up what expressions cost, and stops where nothing is left. */
class Meter {
  #left: number;

  constructor(budget: number) {
    this.#left = budget;
  }

  run(program: Program, values: Record<string, CelValue>): { readonly value: CelValue } {
    if (this.#left < 0)
      return {
        value: new CelError(
          'validation failed due to running out of cost budget, no further validation rules will be run',
        ),
      };
    const { value, cost } = program.evaluate(values);
    this.#left -= cost;
    if (this.#left < 0)
      return {
        value: new CelError(
          'validation failed due to running out of cost budget, no further validation rules will be run',
        ),
      };
    return { value };
  }
}

/** What a messageExpression says; nothing where it is of no use. */
function messageOf(expression: Compiled | undefined, values: Record<string, CelValue>, meter: Meter): string {
  if (expression === undefined || !('program' in expression)) return '';
  const { value } = meter.run(expression.program, values);
  if (typeof value !== 'string') return '';
  const text = value.trim();
  return text.length > MAX_MESSAGE || text.includes('\n') ? '' : text;
}

/** The type of a variable as other expressions see it: objects lose their fields. */
function declared(type: Type): Type {
  return type.kind === 'param' || type.kind === 'error' ? DYN : type;
}

function textAt(value: unknown, path: Path): string {
  const text = valueAt(value, path);
  return typeof text === 'string' ? text : '';
}
