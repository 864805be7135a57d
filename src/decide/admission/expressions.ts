/**
 * What ValidatingAdmissionPolicies and MutatingAdmissionPolicies share: expressions with their variables and conditions,
 * what they may cost, the parameters of a binding. Sources: apiserver pkg/admission/plugin/policy/generic,
 * pkg/admission/plugin/cel/{condition,composition}.go, pkg/apis/cel/config.go.
 */

import type { Ask } from '#decide/cel/authorizer.ts';
import { compile, isUnknown, type Program } from '#decide/cel/cel.ts';
import { CelCompileError } from '#decide/cel/issues.ts';
import { BOOL, DYN, sameType, type Type, typeText } from '#decide/cel/types.ts';
import { CelError, type CelValue, LazyObject } from '#decide/cel/values.ts';
import { groupOf, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, matchesSelector } from '#kube/selectors.ts';
import { type AdmissionRequest, declarationsOf } from './request.ts';

/** What all expressions of a policy may cost for one request, and its match conditions. */
export const BUDGET = 10_000_000;
const MATCH_BUDGET = 2_500_000;
export const GROUP = 'admissionregistration.k8s.io';

export type Compiled =
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

export function isSeen({ resource }: AdmissionRequest): boolean {
  return !NOT_SEEN.has(`${resource.group}/${resource.resource}`);
}

/** The objects of a kind of this API group. */
function ofKind(objects: readonly KubeObject[], kind: string): KubeObject[] {
  return objects.filter(object => object.kind === kind && groupOf(object.apiVersion) === GROUP);
}

/** Bindings by the policy that they name. */
function byPolicy(bindings: readonly KubeObject[]): ReadonlyMap<string, readonly KubeObject[]> {
  return Map.groupBy(bindings, binding => textAt(binding, ['spec', 'policyName']));
}

/** The namespace of a request; null where it has none, undefined where it is not among the objects. */
export function namespaceFor(
  objects: readonly KubeObject[],
  { namespace = '', resource }: AdmissionRequest,
): KubeObject | null | undefined {
  if (namespace === '' || (resource.group === '' && resource.resource === 'namespaces')) return null;
  return objects.findLast(
    object => object.kind === 'Namespace' && object.apiVersion === 'v1' && nameOf(object) === namespace,
  );
}

/** The parameters that a binding gives to its policy; null stands for none at all. */
export function paramsOf(
  objects: readonly KubeObject[],
  policy: KubeObject,
  binding: KubeObject,
  { namespace = '' }: AdmissionRequest,
):
  | { readonly found: readonly (KubeObject | null)[] }
  | { readonly error: string }
  | { readonly unknown: string } {
  const kind = valueAt(policy, ['spec', 'paramKind']);
  const reference = valueAt(binding, ['spec', 'paramRef']);
  if (!isRecord(kind) || !isRecord(reference)) return { found: [null] };
  const { apiVersion, kind: name } = kind;
  const ofKind = objects.filter(
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

/** What stood in the way of a policy's conditions. */
export interface Obstacle {
  readonly value: CelError;
  readonly text: string;
  readonly path: Path;
}

/** The expressions of one policy. */
export class Expressions {
  readonly object: KubeObject;
  readonly issues: { readonly path: Path; readonly error: string }[] = [];
  readonly #kubernetesMinor: number | undefined;
  readonly #params: boolean;
  readonly #conditions: readonly Compiled[];
  readonly #variables = new Map<string, Compiled>();
  readonly #variableTypes: Record<string, Type> = {};

  constructor(object: KubeObject, kubernetesMinor: number | undefined) {
    this.object = object;
    this.#kubernetesMinor = kubernetesMinor;
    this.#params = isRecord(valueAt(object, ['spec', 'paramKind']));
    this.#conditions = this.each('matchConditions').map(path =>
      this.compile([...path, 'expression'], [BOOL], { withVariables: false }),
    );
    // A variable may use those before it.
    for (const path of this.each('variables')) {
      const name = textAt(object, [...path, 'name']);
      const variable = this.compile([...path, 'expression'], undefined);
      this.#variables.set(name, variable);
      this.#variableTypes[name] = 'program' in variable ? declared(variable.program.output) : DYN;
    }
  }

  /** The paths of the elements of a list of the spec. */
  each(field: string): readonly Path[] {
    const list = valueAt(this.object, ['spec', field]);
    return Array.isArray(list) ? list.map((_, index) => ['spec', field, index]) : [];
  }

  /** @param wanted the types that it may have; any where undefined */
  compile(
    path: Path,
    wanted: readonly Type[] | undefined,
    options: {
      readonly authorizer?: boolean;
      readonly withVariables?: boolean;
      /** See {@link compile} of the language. */
      readonly struct?: (name: string) => Type | undefined;
    } = {},
  ): Compiled {
    const { authorizer = true, withVariables = true, struct } = options;
    const text = valueAt(this.object, path);
    let error = 'no expression';
    if (typeof text === 'string')
      try {
        const program = compile(text, {
          variables: declarationsOf({
            params: this.#params,
            authorizer,
            ...(withVariables ? { variables: this.#variableTypes } : {}),
          }),
          ...(this.#kubernetesMinor === undefined ? {} : { kubernetesMinor: this.#kubernetesMinor }),
          ...(struct === undefined ? {} : { struct }),
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
  }

  /** False where a condition is; otherwise what is in the way, if anything. */
  conditions(given: Record<string, CelValue>): boolean | Obstacle {
    const meter = new Meter(MATCH_BUDGET);
    let error: Obstacle | undefined;
    for (const condition of this.#conditions) {
      if (!('program' in condition)) continue;
      const { value } = meter.run(condition.program, given);
      if (value === false) return false;
      if (value instanceof CelError && (error === undefined || isUnknown(value)))
        error = { value, text: condition.text, path: condition.path };
    }
    return error ?? true;
  }

  /** The variables of the policy, each worked out when it is asked for. */
  variables(given: Record<string, CelValue>, meter: Meter): LazyObject {
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
}

/** Adds up what expressions cost, and stops where nothing is left. */
export class Meter {
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

/** The type of a variable as other expressions see it: objects lose their fields. */
function declared(type: Type): Type {
  return type.kind === 'param' || type.kind === 'error' ? DYN : type;
}

export function textAt(value: unknown, path: Path): string {
  const text = valueAt(value, path);
  return typeof text === 'string' ? text : '';
}

/** What admission policies are decided by. */
export interface AdmissionInput {
  /** Policies, bindings, the objects that they take as parameters, and Namespaces. */
  readonly objects: readonly KubeObject[];
  /** The minor version of Kubernetes 1 whose CEL functions there are. */
  readonly kubernetesMinor?: number;
  /** Answers what expressions ask of `authorizer`; without it such an answer is not known. */
  readonly ask?: Ask;
}

/** The policies of a kind, their bindings, and what they may ask of the cluster. */
export class PolicySet<Policy extends Pick<Expressions, 'object' | 'issues'>> {
  readonly policies: readonly Policy[];
  readonly objects: readonly KubeObject[];
  readonly ask: Ask;
  readonly #bindings: ReadonlyMap<string, readonly KubeObject[]>;

  /** @param kind that of the policies; their bindings are of the kind `…Binding` */
  constructor(
    { objects, kubernetesMinor, ask }: AdmissionInput,
    kind: string,
    read: new (object: KubeObject, kubernetesMinor: number | undefined) => Policy,
  ) {
    this.objects = objects;
    this.ask = ask ?? (() => ({ decision: 'unknown', reason: 'who may do what is not in the input' }));
    this.policies = ofKind(objects, kind).map(object => new read(object, kubernetesMinor));
    this.#bindings = byPolicy(ofKind(objects, `${kind}Binding`));
  }

  bindingsOf(policy: string): readonly KubeObject[] {
    return this.#bindings.get(policy) ?? [];
  }

  /** What is wrong with the expressions of the policies: the API server would not take them. */
  issues(): { readonly object: KubeObject; readonly path: Path; readonly message: string }[] {
    return this.policies.flatMap(({ object, issues }) =>
      issues.map(({ path, error }) => ({ object, path, message: error })),
    );
  }
}
