/** What an AuthorizationPolicy states, as it was read. */
import type { KubeObject, Path } from '#kube/objects.ts';

/** What is refused, and why. */
export interface Refusal {
  readonly path: Path;
  readonly text: string;
}

export type Action = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';

export interface When {
  readonly key: string;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** The lists of a source or an operation, by the name of the field. */
export type Fields = Readonly<Record<string, readonly string[]>>;

export interface Rule {
  readonly from: readonly Fields[];
  readonly to: readonly Fields[];
  readonly when: readonly When[];
}

export interface TargetRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** What selects workloads: labels, or objects that are named. */
export interface Attachment {
  /** Undefined: the object has no selector, which is more than an empty one in ambient mode. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly targetRefs: readonly TargetRef[];
}

export interface AuthorizationPolicy extends Attachment {
  readonly object: KubeObject;
  readonly namespace: string;
  readonly name: string;
  readonly action: Action;
  readonly provider: string;
  readonly dryRun: boolean;
  readonly rules: readonly Rule[];
  /** Why the API server would refuse the object: what it does is not known then. */
  readonly problem: { readonly path: Path; readonly text: string } | undefined;
  /** Why Istio's webhook would refuse the object: whether it is in the cluster is not known then. */
  readonly refusal: Refusal | undefined;
}

/** Keys of conditions that speak of who the client is, as its certificate says. */
export const IDENTITY_KEYS: readonly string[] = [
  'source.principal',
  'source.namespace',
  'source.serviceAccount',
  'source.trustDomain',
];
