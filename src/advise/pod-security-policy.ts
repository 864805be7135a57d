/**
 * The way from PodSecurityPolicies to Pod Security labels: the level that loses nothing for the workloads of a namespace,
 * and what the policies demanded beyond it as a ValidatingAdmissionPolicy. Tried with pods around every boundary.
 */
import { MutatingAdmission } from '#decide/admission/mutating.ts';
import type { AdmissionRequest } from '#decide/admission/request.ts';
import { type AdmissionAnswer, ValidatingAdmission } from '#decide/admission/validating.ts';
import { evaluate } from '#decide/pod-security/evaluate.ts';
import { applyPolicy, type PolicyResult, type SubmittedPod } from '#decide/pod-security/policy/apply.ts';
import { decodePolicy, type Policy } from '#decide/pod-security/policy/policy.ts';
import { APPARMOR_CONTAINER, SECCOMP_POD, seccompField } from '#decide/pod-security/policy/profiles.ts';
import type { Level } from '#decide/pod-security/standards/registry.ts';
import { isEqual } from '#kube/equal.ts';
import { compareBytes } from '#kube/go-text.ts';
import { toJson } from '#kube/json.ts';
import { isRecord, type KubeObject, nameOf } from '#kube/objects.ts';
import { boundaryPods } from './pod-security-boundaries.ts';
import { mutationOf } from './pod-security-mutations.ts';
import { rulesOf } from './pod-security-rules.ts';

export interface MigrationInput {
  readonly namespace: string;
  /** Those that admit the workloads of the namespace. */
  readonly policies: readonly KubeObject[];
  readonly pods: readonly SubmittedPod[];
  /** How many pairs of changes are tried at the most; thousands where absent. */
  readonly pairs?: number;
  /**
   * The version of the API of MutatingAdmissionPolicies, where what the policies write is to be written by one; absent
   * where the manifests are to say it.
   */
  readonly mutating?: string;
  /** The minor version of Kubernetes 1 that evaluates the expressions; the newest where absent. */
  readonly kubernetesMinor?: number;
}

/** A pod on which the policies and what replaces them do not agree. */
export interface Difference {
  /** `other`: both let the pod in, and make something else of it. */
  readonly kind: 'stricter' | 'looser' | 'other' | 'unknown';
  readonly why: string;
  /** Of how many pods that were tried. */
  readonly pods: number;
  readonly example: unknown;
}

export interface Migration {
  readonly namespace: string;
  readonly policies: readonly string[];
  readonly level: Level;
  readonly admission: readonly KubeObject[];
  /** What writes the defaults of the policies, where that was asked for and there are any. */
  readonly mutation: readonly KubeObject[];
  readonly tried: number;
  readonly admitted: number;
  /** On how many the policies and what replaces them do not agree. */
  readonly differing: number;
  readonly differences: readonly Difference[];
  /** What the labels alone would let in that the policies refuse: how many of the pods tried, and one of them. */
  readonly labelsOnly: { readonly pods: number; readonly example?: unknown; readonly why?: string };
}

/** What either side says of one pod: whether it is let in, and what becomes of it. */
interface Verdict {
  readonly admitted: boolean;
  readonly pod: SubmittedPod;
  /** Why it is not let in. */
  readonly why: string;
}

/** @param policies of the input are asked in the order of their names, as the API server does */
export function migrate({
  namespace,
  policies: given,
  pods,
  pairs,
  mutating,
  kubernetesMinor,
}: MigrationInput): Migration {
  const policies = given.toSorted((a, b) => compareBytes(nameOf(a), nameOf(b)));
  const decoded = policies.map(policy => decodePolicy(policy));
  const names = decoded.map(({ name }) => name);
  const today = pods.map(pod => completed(policies, pod).pod);
  const meets = (level: Level) => today.every(pod => evaluate(pod, { level, version: 'latest' }).allowed);
  const level = (['restricted', 'baseline'] as const).find(meets) ?? 'privileged';
  const admission = admissionOf(namespace, decoded);
  const mutation = mutating === undefined ? [] : mutationOf(namespace, decoded, mutating);
  const engine = new Engine(namespace, admission, mutation, kubernetesMinor);
  const differences = new Map<string, { -readonly [Key in keyof Difference]: Difference[Key] }>();
  const differ = (kind: Difference['kind'], why: string, example: unknown) => {
    const known = differences.get(`${kind} ${why}`);
    if (known === undefined) differences.set(`${kind} ${why}`, { kind, why, pods: 1, example });
    else known.pods++;
  };
  let tried = 0;
  let admittedCount = 0;
  let differing = 0;
  let looseLabels = 0;
  let loose: { readonly example: unknown; readonly why: string } | undefined;
  for (const pod of boundaryPods(decoded, [], undefined, pairs)) {
    tried++;
    const before: Verdict = mutating === undefined ? completed(policies, pod) : decided(policies, pod);
    if (before.admitted) admittedCount++;
    // Where the manifests say what the policies wrote, it is there from the beginning.
    const mutated = mutating === undefined ? { pod: before.pod } : engine.mutate(asSent(pod));
    if ('unknown' in mutated) {
      differing++;
      differ('unknown', mutated.unknown, pod);
      continue;
    }
    const after = mutated.pod;
    const labels = evaluate(after, { level, version: 'latest' });
    const answer = engine.admit(after);
    if (!before.admitted && labels.allowed) {
      looseLabels++;
      loose ??= { example: before.pod, why: before.why };
    }
    const allowed = labels.allowed && answer.decision === 'allow';
    if (allowed !== before.admitted) differing++;
    if (answer.decision === 'unknown') differ('unknown', answer.unknowns[0]?.message ?? 'not known', after);
    else if (before.admitted && answer.decision === 'deny') differ('stricter', answer.message, after);
    else if (before.admitted)
      for (const { allowed, reason } of labels.checks)
        if (!allowed) differ('stricter', `the label refuses what the policies let pass: ${reason}`, after);
    if (!before.admitted && labels.allowed && answer.decision === 'allow') {
      // What comes out may be something that the policies would let in.
      const kept = mutating !== undefined && policies.some(policy => isKept(policy, after));
      differ(
        kept ? 'other' : 'looser',
        kept
          ? `let in as the policies would have it: they refuse the pod as it was sent, for ${before.why}`
          : before.why,
        pod,
      );
    }
    if (mutating !== undefined && allowed && before.admitted) {
      const other = otherwise(before.pod, after);
      if (other !== undefined) {
        differing++;
        differ('other', other, pod);
      }
    }
  }
  return {
    namespace,
    policies: names,
    level,
    admission,
    mutation,
    tried,
    admitted: admittedCount,
    differing,
    differences: [...differences.values()],
    labelsOnly: { pods: looseLabels, ...loose },
  };
}

/** The admission policies, asked as the API server asks them. */
class Engine {
  readonly #namespace: string;
  readonly #validating: ValidatingAdmission;
  readonly #mutating: MutatingAdmission;

  constructor(
    namespace: string,
    admission: readonly KubeObject[],
    mutation: readonly KubeObject[],
    kubernetesMinor: number | undefined,
  ) {
    this.#namespace = namespace;
    const home = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'kubernetes.io/metadata.name': namespace } },
    };
    const version = kubernetesMinor === undefined ? {} : { kubernetesMinor };
    this.#validating = new ValidatingAdmission({ objects: [...admission, home], ...version });
    this.#mutating = new MutatingAdmission({ objects: [...mutation, home], ...version });
  }

  #request(pod: SubmittedPod): AdmissionRequest {
    return {
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: this.#namespace,
      name: 'pod',
      object: { apiVersion: 'v1', kind: 'Pod', ...(pod as object) } as KubeObject,
    };
  }

  admit(pod: SubmittedPod): AdmissionAnswer {
    return this.#validating.admit(this.#request(pod));
  }

  mutate(pod: SubmittedPod): { readonly pod: SubmittedPod } | { readonly unknown: string } {
    const { object, message, unknowns } = this.#mutating.admit(this.#request(pod));
    return object === undefined
      ? { unknown: message || (unknowns[0]?.message ?? 'not known') }
      : { pod: object as SubmittedPod };
  }
}

/** What the admission plugin does: the first policy that lets the pod in as it is, else the first that lets it in. */
function decided(policies: readonly KubeObject[], pod: SubmittedPod): Verdict {
  const results = policies.map(policy => applyPolicy(policy, pod));
  const chosen =
    results.find(({ admitted, changed }) => admitted && !changed) ?? results.find(({ admitted }) => admitted);
  if (chosen === undefined) {
    const [first] = results;
    return { admitted: false, pod, why: first?.providerError ?? first?.errors[0]?.detail ?? '' };
  }
  return { admitted: true, pod: written(pod, chosen), why: '' };
}

/** Whether a policy lets a pod in and has nothing to write, but for an annotation that newer servers do not read. */
function isKept(policy: KubeObject, pod: SubmittedPod): boolean {
  const result = applyPolicy(policy, pod);
  return result.admitted && otherwise(written(pod, result), pod) === undefined;
}

/** As the API server hands a pod on: an empty list is not written. */
function asSent(pod: SubmittedPod): SubmittedPod {
  const spec = isRecord(pod.spec) ? pod.spec : {};
  const context = spec['securityContext'];
  if (!isRecord(context) || !Array.isArray(context['supplementalGroups'])) return pod;
  if (context['supplementalGroups'].length > 0) return pod;
  const { supplementalGroups: _, ...rest } = context;
  return { ...pod, spec: { ...spec, securityContext: rest } };
}

/** The first place where two pods differ in what policies write, as a sentence; undefined where there is none. */
function otherwise(before: SubmittedPod, after: SubmittedPod): string | undefined {
  const [was, is] = [writtenParts(before), writtenParts(after)];
  for (const place of new Set([...was.keys(), ...is.keys()])) {
    const [a, b] = [was.get(place), is.get(place)];
    if (!isEqual(a, b))
      return `${place}: the policies make it ${shownPart(a)}, here it becomes ${shownPart(b)}`;
  }
  return undefined;
}

function shownPart(value: unknown): string {
  return value === undefined ? 'nothing' : toJson(value).replace(/\s+/g, ' ').trim();
}

/** What policies write into a pod, in one form: profiles as fields, lists of capabilities in order. */
function writtenParts({ metadata, spec }: SubmittedPod): ReadonlyMap<string, unknown> {
  const parts = new Map<string, unknown>();
  if (!isRecord(spec)) return parts;
  const annotations = isRecord(metadata) && isRecord(metadata['annotations']) ? metadata['annotations'] : {};
  const put = (place: string, context: unknown) => {
    if (!isRecord(context)) return;
    for (const [field, value] of Object.entries(context))
      if (field === 'capabilities' && isRecord(value)) {
        for (const list of ['add', 'drop'])
          if (Array.isArray(value[list]) && value[list].length > 0)
            parts.set(`${place}.capabilities.${list}`, [...new Set(value[list] as string[])].sort());
      } else if (!(Array.isArray(value) && value.length === 0)) parts.set(`${place}.${field}`, value);
  };
  if (spec['runtimeClassName'] !== undefined) parts.set('runtimeClassName', spec['runtimeClassName']);
  put('securityContext', spec['securityContext']);
  for (const list of ['initContainers', 'containers']) {
    const containers = spec[list];
    if (!Array.isArray(containers)) continue;
    for (const [i, container] of containers.entries()) {
      if (!isRecord(container)) continue;
      const place = `${list}[${i}].securityContext`;
      put(place, container['securityContext']);
      // Newer servers make a field of the annotation.
      const profile = annotations[`${APPARMOR_CONTAINER}${String(container['name'])}`];
      const field = typeof profile === 'string' ? seccompField(profile) : undefined;
      if (field !== undefined) parts.set(`${place}.appArmorProfile`, field);
    }
  }
  return parts;
}

/** The pod with what the first policy that admits it writes into it; without one, with what the first one writes. */
function completed(policies: readonly KubeObject[], pod: SubmittedPod): Verdict {
  const results = policies.map(policy => applyPolicy(policy, pod));
  const chosen =
    results.find(({ admitted, changed }) => admitted && !changed) ??
    results.find(({ admitted }) => admitted) ??
    results[0];
  const why = chosen?.providerError ?? chosen?.errors[0]?.detail ?? '';
  if (chosen?.mutated === undefined) return { admitted: false, pod, why };
  const result = written(pod, chosen);
  // What one policy writes into a pod that it refuses may be what another one asks for.
  const admitted = chosen.admitted || policies.some(policy => applyPolicy(policy, result).admitted);
  return { admitted, pod: result, why };
}

/** A pod with what a policy writes into it. */
function written(pod: SubmittedPod, { mutated }: PolicyResult): SubmittedPod {
  if (mutated === undefined) return pod;
  const { annotations, runtimeClassName, securityContext, ...lists } = mutated;
  const spec: Record<string, unknown> = { ...(isRecord(pod.spec) ? pod.spec : {}) };
  const context: Record<string, unknown> = isRecord(securityContext) ? { ...securityContext } : {};
  const given = isRecord(pod.spec) ? pod.spec['securityContext'] : undefined;
  // An empty list is not written by the API server, and is not the same as none to a policy.
  if (isRecord(given) && Array.isArray(given['supplementalGroups']))
    context['supplementalGroups'] ??= given['supplementalGroups'];
  // The policy's default stands in an annotation, which newer servers do not read.
  const profile = annotations?.[SECCOMP_POD];
  if (profile !== undefined && context['seccompProfile'] === undefined) {
    const field = seccompField(profile);
    if (field !== undefined) context['seccompProfile'] = field;
  }
  spec['securityContext'] = context;
  if (runtimeClassName !== undefined) spec['runtimeClassName'] = runtimeClassName;
  for (const [list, contexts] of Object.entries(lists)) {
    const containers = spec[list];
    if (Array.isArray(containers) && Array.isArray(contexts))
      spec[list] = containers.map((container: unknown, i) =>
        isRecord(container) && contexts[i] !== null
          ? { ...container, securityContext: contexts[i] }
          : container,
      );
  }
  const metadata = { ...(isRecord(pod.metadata) ? pod.metadata : {}), annotations: annotations ?? {} };
  return { metadata, spec };
}

const rule = (operation: string, resource: string) => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: [operation],
  resources: [resource],
});

/** One policy for the namespace. Several PodSecurityPolicies are alternatives: a pod must keep one of them. */
function admissionOf(namespace: string, policies: readonly Policy[]): KubeObject[] {
  const name = `from-psp-${namespace}`;
  const rules = policies.map(policy => rulesOf(policy));
  const validations =
    policies.length === 1
      ? rules[0]!.map(({ expression, message }) => ({ expression, message }))
      : [
          {
            expression: rules
              .map(one =>
                one.length === 0
                  ? 'true'
                  : `(${one.map(({ expression }) => `(${expression})`).join(' && ')})`,
              )
              .join(' || '),
            message: `keeps none of the former policies ${policies.map(one => one.name).join(', ')}`,
          },
        ];
  if (rules.some(({ length }) => length === 0)) return [];
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          // What a pod may do is fixed when it is made, but for containers added later. Other updates are let through, so
          // that pods of before can still be cleaned up.
          resourceRules: [rule('CREATE', 'pods'), rule('UPDATE', 'pods/ephemeralcontainers')],
        },
        variables: [
          {
            name: 'containers',
            expression:
              'object.spec.containers + object.spec.?initContainers.orValue([]) + object.spec.?ephemeralContainers.orValue([])',
          },
          { name: 'volumes', expression: 'object.spec.?volumes.orValue([])' },
        ],
        validations,
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: {
        policyName: name,
        validationActions: ['Deny'],
        matchResources: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        },
      },
    },
  ];
}
