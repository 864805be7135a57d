/** What one PodSecurityPolicy makes of one pod, decided as the provider of Kubernetes 1.24 does. */
import type { Container, Pod } from '#kube/pods.ts';
import type { FieldError } from './errors.ts';
import { UnusablePolicyError } from './ids.ts';
import { providerOf } from './provider.ts';
import { CONTAINER_FIELDS, receive } from './received.ts';
import { written } from './stored.ts';

/** What a policy can change in a pod, as it is afterwards. */
export interface MutablePart {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly runtimeClassName?: string;
  readonly securityContext: unknown;
  /** The security context of each container; null where it has none. */
  readonly initContainers?: readonly unknown[];
  readonly containers?: readonly unknown[];
  readonly ephemeralContainers?: readonly unknown[];
}

export interface PolicyResult {
  readonly admitted: boolean;
  /** Whether the policy changed anything. */
  readonly changed: boolean;
  /** Absent where no provider can be made of the policy. */
  readonly mutated?: MutablePart;
  readonly errors: readonly Pick<FieldError, 'field' | 'type' | 'detail'>[];
  /** Why no provider can be made of the policy: the admission plugin passes over such a policy. */
  readonly providerError?: string;
}

export interface SubmittedPod {
  readonly metadata?: unknown;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** A pod decoded and defaulted once, for many policies. */
export class PreparedPod {
  readonly pod: Pod;

  /**
   * @param pod as a client submits it; what is done to it afterwards makes no difference
   * @throws DecodeError (`InvalidPodError` at the door) where the API server could not decode it
   */
  constructor(pod: SubmittedPod) {
    this.pod = receive(pod);
  }
}

/**
 * @param policy a PodSecurityPolicy of policy/v1beta1; decoded once for each object
 * @param pod as a client submits it, or prepared where many policies are asked
 * @throws DecodeError (`InvalidPodError` at the door) for a policy or pod that the API server could not decode
 */
export function applyPolicy(policy: object, pod: SubmittedPod | PreparedPod): PolicyResult {
  const provider = providerOf(policy);
  const prepared = pod instanceof PreparedPod ? pod : new PreparedPod(pod);
  if (provider instanceof UnusablePolicyError)
    return { admitted: false, changed: false, errors: [], providerError: provider.message };
  const { pod: before } = prepared;
  const errors = provider.objections(before);
  return {
    admitted: errors.length === 0,
    changed: provider.changes(before),
    // Written only when asked for: most callers want the verdict.
    get mutated() {
      return mutablePart(provider.mutate(before));
    },
    errors,
  };
}

export function mutablePart({ metadata, spec }: Pod): MutablePart {
  const { annotations = {} } = metadata ?? {};
  const lists: Partial<Record<(typeof CONTAINER_FIELDS)[number], readonly unknown[]>> = {};
  for (const field of CONTAINER_FIELDS) {
    const list: readonly Container[] = spec[field] ?? [];
    if (list.length > 0)
      lists[field] = list.map(({ securityContext }) =>
        securityContext === undefined ? null : written('SecurityContext', securityContext),
      );
  }
  return {
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(spec.runtimeClassName === undefined ? {} : { runtimeClassName: spec.runtimeClassName }),
    securityContext: written('PodSecurityContext', spec.securityContext),
    ...lists,
  };
}
