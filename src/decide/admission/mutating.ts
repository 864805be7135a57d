/**
 * MutatingAdmissionPolicies as kube-apiserver changes objects with them. Sources: apiserver
 * pkg/admission/plugin/policy/mutating/{dispatcher,compilation,reinvocationcontext}.go, its folder patch, and
 * pkg/admission/reinvocation.go.
 */
import type { Ask } from '#decide/cel/authorizer.ts';
import { isUnknown } from '#decide/cel/cel.ts';
import {
  APPLY_CONFIGURATION,
  JSON_PATCHES,
  jsonOf,
  misplaced,
  NotJsonError,
  patchType,
} from '#decide/cel/patches.ts';
import { CelError, CelStruct, type CelValue, isList } from '#decide/cel/values.ts';
import { isEqual } from '#kube/equal.ts';
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
import { applyJsonPatch, JsonPatchError, type JsonPatchOperation } from './json-patch.ts';
import { matchesResources } from './matching.ts';
import { type AdmissionRequest, valuesOf } from './request.ts';
import { applyConfiguration, asRead, MergeError, misfits, schemaOf } from './structured-merge.ts';

export interface MutationResult {
  readonly policy: string;
  readonly binding: string;
  /** `unknown`: a fact is missing that an expression asks for, or the type of the object is not known here. */
  readonly outcome: 'error' | 'unknown';
  readonly message: string;
  readonly because: Because;
}

export interface MutationAnswer {
  readonly decision: 'allow' | 'deny' | 'unknown';
  /** The API server's words for the client; empty where it allows. */
  readonly message: string;
  /** The object as it is afterwards; undefined where that is not known, or where the request is refused. */
  readonly object?: KubeObject;
  readonly changed: boolean;
  /** The policies that changed something, in the order in which they did. */
  readonly applied: readonly string[];
  readonly errors: readonly MutationResult[];
  readonly unknowns: readonly MutationResult[];
}

export interface MutationInput extends AdmissionInput {
  /**
   * What the API server fills in after every change.
   *
   * @param object of the kind of the request
   */
  readonly complete?: (object: KubeObject) => KubeObject;
}

interface Invocation {
  readonly policy: MutatingPolicy;
  readonly binding: KubeObject;
  readonly param: KubeObject | null;
  readonly key: string;
}

/** An error that ends the request whatever the policy's failurePolicy says. */
class RequestError extends Error {
  override readonly name = 'RequestError';
}

export class MutatingAdmission {
  readonly #set: PolicySet<MutatingPolicy>;
  readonly #complete: (object: KubeObject) => KubeObject;

  constructor(input: MutationInput) {
    this.#set = new PolicySet(input, 'MutatingAdmissionPolicy', MutatingPolicy);
    this.#complete = input.complete ?? (object => object);
  }

  /** See {@link PolicySet.issues}. */
  issues(): ReturnType<PolicySet<MutatingPolicy>['issues']> {
    return this.#set.issues();
  }

  /**
   * What the policies make of an object. The API server keeps no order between policies: where another order would give
   * another object, the answer is unknown.
   */
  admit(request: AdmissionRequest): MutationAnswer {
    const { operation, object } = request;
    const unchanged: MutationAnswer = {
      decision: 'allow',
      message: '',
      ...(object === undefined ? {} : { object }),
      changed: false,
      applied: [],
      errors: [],
      unknowns: [],
    };
    if (object === undefined || operation === 'DELETE' || !isSeen(request)) return unchanged;
    const answer = this.#inOrder(this.#set.policies, request);
    if (answer.decision !== 'allow' || answer.applied.length < 2) return answer;
    const reversed = this.#inOrder(this.#set.policies.toReversed(), request);
    if (reversed.decision === 'allow' && isEqual(reversed.object, answer.object)) return answer;
    const { object: _, ...rest } = answer;
    const [first] = this.#set.policies.filter(({ name }) => answer.applied.includes(name));
    const message = `what comes out depends on the order of ${answer.applied.map(name => `'${name}'`).join(', ')}, which is not fixed`;
    return {
      ...rest,
      decision: 'unknown',
      unknowns: [
        {
          policy: first!.name,
          binding: '',
          outcome: 'unknown',
          message,
          because: { object: first!.object, path: ['spec', 'mutations'], text: message },
        },
      ],
    };
  }

  #inOrder(policies: readonly MutatingPolicy[], request: AdmissionRequest): MutationAnswer {
    const run = new Dispatch(
      request,
      namespaceFor(this.#set.objects, request),
      this.#set.ask,
      this.#complete,
    );
    const again = new Set<string>();
    const invoked = new Set<string>();
    run.all(this.#invocations(policies, request, run), invoked, again, false);
    // Whatever was changed is shown once more to those who asked for it.
    if (run.isReinvoked) run.all(this.#invocations(policies, request, run), invoked, again, true);
    return run.answer();
  }

  /** Whom the request concerns, as it is now: a policy may look at labels that another one wrote. */
  #invocations(policies: readonly MutatingPolicy[], request: AdmissionRequest, run: Dispatch): Invocation[] {
    const now = { ...request, object: run.object };
    return policies.flatMap(policy => {
      const bindings = this.#set.bindingsOf(policy.name);
      if (bindings.length === 0) return [];
      const matches = matchesResources(
        valueAt(policy.object, ['spec', 'matchConstraints']),
        now,
        run.namespace,
      );
      if (matches === false) return [];
      return bindings.flatMap(binding => {
        const bound = matchesResources(valueAt(binding, ['spec', 'matchResources']), now, run.namespace);
        if (bound === false) return [];
        const unknown = matches === true ? (bound === true ? undefined : bound.unknown) : matches.unknown;
        const at = { policy, binding };
        if (unknown !== undefined) {
          run.unknown(at, unknown, ['spec', 'matchConstraints']);
          return [];
        }
        const params = paramsOf(this.#set.objects, policy.object, binding, now);
        if ('unknown' in params) run.unknown(at, params.unknown, ['spec', 'paramRef']);
        else if ('error' in params)
          run.error(at, `failed to configure binding: ${params.error}`, ['spec', 'paramRef']);
        else
          return params.found.map(param => ({
            policy,
            binding,
            param,
            key: [
              policy.name,
              nameOf(binding),
              param?.metadata?.namespace ?? '',
              param === null ? '' : nameOf(param),
            ].join('\n'),
          }));
        return [];
      });
    });
  }
}

/** One request on its way through the policies. */
class Dispatch {
  readonly namespace: KubeObject | null | undefined;
  readonly #request: AdmissionRequest;
  readonly #ask: Ask;
  readonly #complete: (object: KubeObject) => KubeObject;
  readonly #errors: MutationResult[] = [];
  readonly #unknowns: MutationResult[] = [];
  readonly #applied: string[] = [];
  #fatal = '';
  object: KubeObject;
  changed = false;

  constructor(
    request: AdmissionRequest,
    namespace: KubeObject | null | undefined,
    ask: Ask,
    complete: (object: KubeObject) => KubeObject,
  ) {
    this.#request = request;
    this.namespace = namespace;
    this.#ask = ask;
    this.#complete = complete;
    this.object = request.object!;
  }

  /**
   * @param invoked policies that may be asked once more, and have been asked since the last change
   * @param again those of them after which something was changed
   */
  all(
    invocations: readonly Invocation[],
    invoked: Set<string>,
    again: Set<string>,
    isReinvocation: boolean,
  ): void {
    for (const invocation of invocations) {
      if (this.#fatal !== '') return;
      const { policy, key } = invocation;
      if (this.#isLeftAlone(invocation)) continue;
      if (isReinvocation && !again.has(key)) continue;
      const before = this.object;
      for (const mutation of policy.mutations) {
        const after = this.#mutate(invocation, mutation);
        if (after !== undefined) this.object = this.#complete(after);
      }
      if (!isEqual(before, this.object)) {
        this.changed = true;
        if (!this.#applied.includes(policy.name)) this.#applied.push(policy.name);
        for (const one of invoked) again.add(one);
        invoked.clear();
      }
      if (policy.isReinvocable) invoked.add(key);
    }
    // The plugin itself asks for the second round of those that came before the last change.
    if (this.changed) {
      for (const one of invoked) again.add(one);
      invoked.clear();
    }
  }

  get isReinvoked(): boolean {
    return this.changed && this.#errors.length === 0;
  }

  /** Whether a condition of the policy is false, or fails. */
  #isLeftAlone({ policy, binding, param }: Invocation): boolean {
    const matches = policy.expressions.conditions(this.#values(param));
    if (typeof matches === 'boolean') return !matches;
    const { value, text, path } = matches;
    const at = { policy, binding };
    if (isUnknown(value)) this.unknown(at, value.message, path);
    else this.error(at, `expression '${text}' resulted in error: ${value.message}`, path);
    return true;
  }

  #values(param: KubeObject | null): Record<string, CelValue> {
    return valuesOf({ ...this.#request, object: this.object }, param, this.namespace, this.#ask);
  }

  /** The object after one mutation; undefined where it fails. */
  #mutate({ policy, binding, param }: Invocation, mutation: Mutation): KubeObject | undefined {
    const at = { policy, binding };
    const { expression } = mutation;
    if (!('program' in expression)) {
      this.error(at, expression.error, expression.path);
      return undefined;
    }
    const meter = new Meter(BUDGET);
    const given = this.#values(param);
    const { value } = meter.run(expression.program, {
      ...given,
      variables: policy.expressions.variables(given, meter),
    });
    if (isUnknown(value)) this.unknown(at, value.message, expression.path);
    else if (value instanceof CelError)
      this.error(at, `expression '${expression.text}' resulted in error: ${value.message}`, expression.path);
    else
      try {
        return this.#patched(mutation.type, value);
      } catch (error) {
        if (error instanceof UnknownTypeError) this.unknown(at, error.message, expression.path);
        else if (error instanceof RequestError) {
          this.#fatal ||= error.message;
          this.error(at, error.message, expression.path, true);
        } else if (
          error instanceof MergeError ||
          error instanceof JsonPatchError ||
          error instanceof NotJsonError
        )
          this.error(at, error.message, expression.path);
        else throw error;
      }
    return undefined;
  }

  #patched(type: Mutation['type'], value: CelValue): KubeObject {
    const { kind } = this.#request;
    const schema = schemaOf(kind);
    if (schema === undefined)
      throw new UnknownTypeError(
        `how ${kind.kind} of ${kind.group || 'the core group'}/${kind.version} is merged is not known here`,
      );
    if (type === 'JSONPatch') {
      const operations = (isList(value) ? value : []).map(operationOf);
      try {
        const after = applyJsonPatch(this.object, operations);
        const [wrong] = misfits(schema, after);
        if (wrong !== undefined) throw new RequestError(`Internal error occurred: ${strictly(wrong)}`);
        return asRead(schema, after) as KubeObject;
      } catch (error) {
        if (!(error instanceof JsonPatchError)) throw error;
        if (error.isFailedTest) return this.object;
        throw new JsonPatchError(`JSON Patch: ${error.message}`);
      }
    }
    if (!(value instanceof CelStruct))
      throw new MergeError('unsupported return type from ApplyConfiguration expression');
    const wrong = misplaced(value);
    if (wrong.length > 0) throw new MergeError(`type mismatch: ${wrong.join('\n')}`);
    const { apiVersion, kind: name } = this.object;
    const patch = { ...(jsonOf(value) as object), apiVersion, kind: name };
    try {
      return asRead(schema, applyConfiguration(schema, this.object, patch)) as KubeObject;
    } catch (error) {
      if (!(error instanceof MergeError)) throw error;
      throw new MergeError(`error applying patch: ${error.message}`);
    }
  }

  unknown({ policy, binding }: At, message: string, path: Path): void {
    this.#unknowns.push({
      policy: policy.name,
      binding: nameOf(binding),
      outcome: 'unknown',
      message,
      because: { object: policy.object, path, text: message },
    });
  }

  /** An error counts as the policy's failurePolicy says. */
  error({ policy, binding }: At, message: string, path: Path, always = false): void {
    if (policy.ignoresFailure && !always) return;
    this.#errors.push({
      policy: policy.name,
      binding: nameOf(binding),
      outcome: 'error',
      message,
      because: { object: policy.object, path, text: message },
    });
  }

  answer(): MutationAnswer {
    const [first] = this.#errors;
    const decision = first !== undefined ? 'deny' : this.#unknowns.length > 0 ? 'unknown' : 'allow';
    return {
      decision,
      message:
        first === undefined
          ? ''
          : this.#fatal ||
            `policy '${first.policy}' with binding '${first.binding}' denied request: ${first.message}`,
      ...(decision === 'allow' ? { object: this.object } : {}),
      changed: this.changed,
      applied: this.#applied,
      errors: this.#errors,
      unknowns: this.#unknowns,
    };
  }
}

/** As the strict decoder says it. */
function strictly(misfit: string): string {
  const path = /^\.(.*): field not declared in schema$/s.exec(misfit)?.[1];
  return path === undefined ? misfit : `strict decoding error: unknown field ${JSON.stringify(path)}`;
}

interface At {
  readonly policy: MutatingPolicy;
  readonly binding: KubeObject;
}

class UnknownTypeError extends Error {
  override readonly name = 'UnknownTypeError';
}

function operationOf(value: CelValue): JsonPatchOperation {
  if (!(value instanceof CelStruct)) throw new NotJsonError('an element of the list is no JSONPatch');
  const text = (name: string) => {
    const field = value.fields.get(name);
    return typeof field === 'string' ? field : '';
  };
  const given = value.fields.get('value');
  if (given instanceof CelStruct) {
    const wrong = misplaced(given);
    if (wrong.length > 0) throw new MergeError(`type mismatch: ${wrong.join('\n')}`);
  }
  const from = text('from');
  return {
    op: text('op'),
    path: text('path'),
    ...(from === '' ? {} : { from }),
    ...(given === undefined ? {} : { value: jsonOf(given, true) }),
  };
}

interface Mutation {
  readonly type: 'ApplyConfiguration' | 'JSONPatch';
  readonly expression: Compiled;
}

class MutatingPolicy {
  readonly object: KubeObject;
  readonly name: string;
  readonly ignoresFailure: boolean;
  readonly isReinvocable: boolean;
  readonly expressions: Expressions;
  readonly mutations: readonly Mutation[];

  constructor(object: KubeObject, kubernetesMinor: number | undefined) {
    this.object = object;
    this.name = nameOf(object);
    this.ignoresFailure = valueAt(object, ['spec', 'failurePolicy']) === 'Ignore';
    this.isReinvocable = valueAt(object, ['spec', 'reinvocationPolicy']) === 'IfNeeded';
    const expressions = new Expressions(object, kubernetesMinor);
    this.expressions = expressions;
    this.mutations = expressions.each('mutations').flatMap((path): Mutation[] => {
      const type = textAt(object, [...path, 'patchType']);
      if (type !== 'ApplyConfiguration' && type !== 'JSONPatch') return [];
      const isPatch = type === 'JSONPatch';
      return [
        {
          type,
          expression: expressions.compile(
            [...path, isPatch ? 'jsonPatch' : 'applyConfiguration', 'expression'],
            [isPatch ? JSON_PATCHES : APPLY_CONFIGURATION],
            { struct: patchType },
          ),
        },
      ];
    });
  }

  get issues(): Expressions['issues'] {
    return this.expressions.issues;
  }
}
