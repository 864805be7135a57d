/**
 * The way from PodSecurityPolicies to Pod Security labels: the level that loses nothing for the workloads of a namespace,
 * and what the policies demanded beyond it as a ValidatingAdmissionPolicy. Tried with pods around every boundary.
 */
import { ValidatingAdmission } from '#decide/admission/validating.ts';
import { evaluate } from '#decide/pod-security/evaluate.ts';
import { applyPolicy, type SubmittedPod } from '#decide/pod-security/policy/apply.ts';
import { decodePolicy, type Policy } from '#decide/pod-security/policy/policy.ts';
import { SECCOMP_POD, seccompField } from '#decide/pod-security/policy/profiles.ts';
import type { Level } from '#decide/pod-security/standards/registry.ts';
import { isRecord, type KubeObject } from '#kube/objects.ts';
import { boundaryPods } from './pod-security-boundaries.ts';
import { rulesOf } from './pod-security-rules.ts';

export interface MigrationInput {
  readonly namespace: string;
  /** Those that admit the workloads of the namespace. */
  readonly policies: readonly KubeObject[];
  readonly pods: readonly SubmittedPod[];
  /** How many pairs of changes are tried at the most; thousands where absent. */
  readonly pairs?: number;
}

/** A pod on which the policies and what replaces them do not agree. */
export interface Difference {
  readonly kind: 'stricter' | 'looser' | 'unknown';
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
  readonly tried: number;
  readonly admitted: number;
  /** On how many the policies and what replaces them do not agree. */
  readonly differing: number;
  readonly differences: readonly Difference[];
  /** What the labels alone would let in that the policies refuse: how many of the pods tried, and one of them. */
  readonly labelsOnly: { readonly pods: number; readonly example?: unknown; readonly why?: string };
}

export function migrate({ namespace, policies, pods, pairs }: MigrationInput): Migration {
  const decoded = policies.map(policy => decodePolicy(policy));
  const names = decoded.map(({ name }) => name);
  const today = pods.map(pod => completed(policies, pod).pod);
  const meets = (level: Level) => today.every(pod => evaluate(pod, { level, version: 'latest' }).allowed);
  const level = (['restricted', 'baseline'] as const).find(meets) ?? 'privileged';
  const admission = admissionOf(namespace, decoded);
  const engine = new ValidatingAdmission({
    objects: [
      ...admission,
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: { 'kubernetes.io/metadata.name': namespace } },
      },
    ],
  });
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
    const before = completed(policies, pod);
    if (before.admitted) admittedCount++;
    const labels = evaluate(before.pod, { level, version: 'latest' });
    const answer = engine.admit({
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace,
      name: 'pod',
      object: { apiVersion: 'v1', kind: 'Pod', ...(before.pod as object) } as KubeObject,
    });
    if (!before.admitted && labels.allowed) {
      looseLabels++;
      loose ??= { example: before.pod, why: before.why };
    }
    const allowed = labels.allowed && answer.decision === 'allow';
    if (allowed !== before.admitted) differing++;
    if (answer.decision === 'unknown')
      differ('unknown', answer.unknowns[0]?.message ?? 'not known', before.pod);
    else if (before.admitted && answer.decision === 'deny') differ('stricter', answer.message, before.pod);
    else if (before.admitted)
      for (const { allowed, reason } of labels.checks)
        if (!allowed)
          differ('stricter', `the label refuses what the policies let pass: ${reason}`, before.pod);
    if (!before.admitted && labels.allowed && answer.decision === 'allow')
      differ('looser', before.why, before.pod);
  }
  return {
    namespace,
    policies: names,
    level,
    admission,
    tried,
    admitted: admittedCount,
    differing,
    differences: [...differences.values()],
    labelsOnly: { pods: looseLabels, ...loose },
  };
}

interface Completed {
  readonly admitted: boolean;
  readonly pod: SubmittedPod;
  readonly why: string;
}

/** The pod with what the first policy that admits it writes into it; without one, with what the first one writes. */
function completed(policies: readonly KubeObject[], pod: SubmittedPod): Completed {
  const results = policies.map(policy => applyPolicy(policy, pod));
  const chosen =
    results.find(({ admitted, changed }) => admitted && !changed) ??
    results.find(({ admitted }) => admitted) ??
    results[0];
  const why = chosen?.providerError ?? chosen?.errors[0]?.detail ?? '';
  if (chosen?.mutated === undefined) return { admitted: false, pod, why };
  const { annotations, runtimeClassName, securityContext, ...lists } = chosen.mutated;
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
  const result = { metadata, spec };
  // What one policy writes into a pod that it refuses may be what another one asks for.
  const admitted = chosen.admitted || policies.some(policy => applyPolicy(policy, result).admitted);
  return { admitted, pod: result, why };
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
  const rules = policies.map(rulesOf);
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
