/** Which service account a pod runs as, and whether its token is mounted. */
import type { PodSpec } from './pods.ts';

/** The name of the account; `default` where the pod names none. */
export function accountOf(spec: PodSpec): string {
  const { serviceAccountName, serviceAccount } = spec;
  if (serviceAccountName !== undefined && serviceAccountName !== '') return serviceAccountName;
  return serviceAccount !== undefined && serviceAccount !== '' ? serviceAccount : 'default';
}

/**
 * Whether the admission plugin mounts a token: the pod decides, then the account, then yes.
 * Source: kubernetes plugin/pkg/admission/serviceaccount/admission.go (shouldAutomount).
 *
 * @param ofAccount the account's own `automountServiceAccountToken`; undefined where it says nothing
 */
export function mountsToken(spec: PodSpec, ofAccount: unknown): boolean {
  const { automountServiceAccountToken } = spec;
  if (automountServiceAccountToken !== undefined) return automountServiceAccountToken;
  return ofAccount !== false;
}
