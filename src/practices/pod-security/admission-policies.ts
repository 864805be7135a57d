/** Admission policies in the input: what the API server thinks of their expressions, and what they make of a pod. */
import { MutatingAdmission } from '#decide/admission/mutating.ts';
import { ValidatingAdmission } from '#decide/admission/validating.ts';
import { evaluate } from '#decide/pod-security/evaluate.ts';
import { isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';

const GROUP = 'admissionregistration.k8s.io';
export const MUTATING = [`${GROUP}/MutatingAdmissionPolicy`] as const;
export const ADMISSION_POLICIES = [...MUTATING, `${GROUP}/ValidatingAdmissionPolicy`] as const;

const BINDING = `${GROUP}/MutatingAdmissionPolicyBinding`;
/** What {@link madeOfPod} looks at beside the policy. */
export const LOOKS_AT = [BINDING, '/ConfigMap'] as const;

/** The expressions that the API server would not take, with its words. */
export function refusedExpressions(
  object: KubeObject,
  kubernetesMinor: number,
): { readonly path: Path; readonly message: string }[] {
  const input = { objects: [object], kubernetesMinor };
  const engine =
    object.kind === 'MutatingAdmissionPolicy' ? new MutatingAdmission(input) : new ValidatingAdmission(input);
  return engine.issues();
}

/** A pod that the strictest level lets in. */
const CONTEXT = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod', namespace: 'any', labels: { app: 'pod' }, annotations: { a: 'b' } },
  spec: {
    serviceAccountName: 'default',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    initContainers: [{ name: 'before', image: 'example.com/before:1', securityContext: CONTEXT }],
    containers: [{ name: 'main', image: 'example.com/main:1', securityContext: CONTEXT }],
  },
};

export type Made =
  | { readonly is: 'elsewhere' }
  | { readonly is: 'unknown'; readonly because: string }
  /** What a level forbids in the pod afterwards; nothing where it stays as strict as it was. */
  | { readonly is: 'made'; readonly level: 'baseline' | 'restricted'; readonly breaches: readonly string[] };

/** What a MutatingAdmissionPolicy makes of a pod that keeps every standard, wherever it is bound. */
export function madeOfPod(policy: KubeObject, world: World): Made {
  if (!concernsPods(policy)) return { is: 'elsewhere' };
  const bound = world
    .ofKind(BINDING)
    .map(({ object }) => object)
    .find(binding => valueAt(binding, ['spec', 'policyName']) === nameOf(policy));
  const paramRef = bound === undefined ? undefined : valueAt(bound, ['spec', 'paramRef']);
  const spec = isRecord(policy['spec']) ? policy['spec'] : {};
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
  const answer = new MutatingAdmission({
    objects: [
      { ...policy, spec: { ...spec, matchConstraints: { resourceRules: [rule] } } },
      {
        apiVersion: policy.apiVersion,
        kind: 'MutatingAdmissionPolicyBinding',
        metadata: { name: nameOf(policy) },
        spec: { policyName: nameOf(policy), ...(paramRef === undefined ? {} : { paramRef }) },
      } as KubeObject,
      // Parameters are ConfigMaps nearly always; those of other kinds are unknown.
      ...world.ofKind('/ConfigMap').map(({ object }) => object),
    ],
    kubernetesMinor: world.kubernetesMinor,
  }).admit({
    operation: 'CREATE',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    namespace: 'any',
    name: 'pod',
    object: POD,
  });
  if (answer.object === undefined)
    return { is: 'unknown', because: answer.message || (answer.unknowns[0]?.message ?? 'not known') };
  for (const level of ['baseline', 'restricted'] as const) {
    const { allowed, checks } = evaluate(answer.object, { level, version: 'latest' });
    if (!allowed)
      return {
        is: 'made',
        level,
        breaches: checks.filter(one => !one.allowed).map(({ detail, reason }) => detail || reason),
      };
  }
  return { is: 'made', level: 'restricted', breaches: [] };
}

function concernsPods(policy: KubeObject): boolean {
  const rules = valueAt(policy, ['spec', 'matchConstraints', 'resourceRules']);
  const has = (rule: Record<string, unknown>, field: string, ...values: string[]) => {
    const list = rule[field];
    return Array.isArray(list) && list.some(one => one === '*' || values.includes(one as string));
  };
  return (
    Array.isArray(rules) &&
    rules.some(
      rule =>
        isRecord(rule) &&
        has(rule, 'apiGroups', '') &&
        has(rule, 'operations', 'CREATE') &&
        has(rule, 'resources', 'pods', 'pods/*', '*/*'),
    )
  );
}
