/**
 * ValidatingAdmissionPolicies as kube-apiserver decides with them. Sources: apiserver
 * pkg/admission/plugin/policy/validating/{dispatcher,validator,plugin}.go, pkg/admission/plugin/policy/generic,
 * pkg/admission/plugin/cel/{condition,composition}.go, pkg/apis/cel/config.go.
 */
import { isUnknown } from '#decide/cel/cel.ts';
import { BOOL, NULL, STRING } from '#decide/cel/types.ts';
import { CelError, type CelValue, typeNameOf } from '#decide/cel/values.ts';
import { type Because, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import {
  type AdmissionInput,
  BUDGET,
  type Compiled,
  Expressions,
  isSeen,
  Meter,
  namespaceFor,
  PolicySet,
  paramsOf,
  textAt,
} from './expressions.ts';
import { matchesResources } from './matching.ts';
import { type AdmissionRequest, valuesOf } from './request.ts';

const MAX_MESSAGE = 5_120;
const MAX_ANNOTATION = 10 * 1024;

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

export class ValidatingAdmission {
  readonly #set: PolicySet<Policy>;

  constructor(input: AdmissionInput) {
    this.#set = new PolicySet(input, 'ValidatingAdmissionPolicy', Policy);
  }

  /** See {@link PolicySet.issues}. */
  issues(): ReturnType<PolicySet<Policy>['issues']> {
    return this.#set.issues();
  }

  admit(request: AdmissionRequest): AdmissionAnswer {
    const collected = new Collected();
    if (isSeen(request)) for (const policy of this.#set.policies) this.#apply(policy, request, collected);
    return collected.answer();
  }

  #apply(policy: Policy, request: AdmissionRequest, collected: Collected): void {
    const namespace = namespaceFor(this.#set.objects, request);
    const bindings = this.#set.bindingsOf(policy.name);
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
      const params = paramsOf(this.#set.objects, policy.object, binding, request);
      if ('unknown' in params) unknownAt(at, params.unknown, ['spec', 'paramRef']);
      else if ('error' in params)
        failAt(at, `failed to configure binding: ${params.error}`, ['spec', 'paramRef']);
      else
        for (const param of params.found)
          policy.validate(at, valuesOf(request, param, namespace, this.#set.ask));
    }
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
  readonly #expressions: Expressions;
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
    const expressions = new Expressions(object, kubernetesMinor);
    this.#expressions = expressions;
    this.#validations = expressions.each('validations').map(path => ({
      expression: expressions.compile([...path, 'expression'], [BOOL]),
      message:
        valueAt(object, [...path, 'messageExpression']) === undefined
          ? undefined
          : expressions.compile([...path, 'messageExpression'], [STRING], { authorizer: false }),
      fixed: textAt(object, [...path, 'message']).trim(),
      reason: textAt(object, [...path, 'reason']) || 'Invalid',
    }));
    this.#annotations = expressions.each('auditAnnotations').map(path => ({
      key: textAt(object, [...path, 'key']),
      value: expressions.compile([...path, 'valueExpression'], [STRING, NULL]),
    }));
  }

  get issues(): Expressions['issues'] {
    return this.#expressions.issues;
  }

  validate(at: At, given: Record<string, CelValue>): void {
    const [broken] = this.issues;
    if (broken !== undefined) {
      failAt(at, broken.error, broken.path);
      return;
    }
    if (!this.#matches(at, given)) return;
    const meter = new Meter(BUDGET);
    const values = { ...given, variables: this.#expressions.variables(given, meter) };
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
    const matches = this.#expressions.conditions(given);
    if (typeof matches === 'boolean') return matches;
    const { value, text, path } = matches;
    if (isUnknown(value)) unknownAt(at, value.message, path);
    else failAt(at, `expression '${text}' resulted in error: ${value.message}`, path);
    return false;
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

/** What a messageExpression says; nothing where it is of no use. */
function messageOf(expression: Compiled | undefined, values: Record<string, CelValue>, meter: Meter): string {
  if (expression === undefined || !('program' in expression)) return '';
  const { value } = meter.run(expression.program, values);
  if (typeof value !== 'string') return '';
  const text = value.trim();
  return text.length > MAX_MESSAGE || text.includes('\n') ? '' : text;
}
