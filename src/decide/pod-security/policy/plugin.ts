/**
 * The admission plugin PodSecurityPolicy: which policy admits a pod, on whose behalf.
 * Source: kubernetes v1.24.17 plugin/pkg/admission/security/podsecuritypolicy/admission.go.
 */
import { compareBytes, quoted } from '#kube/go-text.ts';
import type { Pod } from '#kube/pods.ts';
import { type MutablePart, mutablePart, type SubmittedPod } from './apply.ts';
import { type FieldError, textOf } from './errors.ts';
import { UnusablePolicyError } from './ids.ts';
import { prepared } from './prepared.ts';
import { type Provider, providerOf } from './provider.ts';
import { annotated, annotationOf, receive } from './received.ts';
import { isHousekeeping } from './update.ts';

export interface Account {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Whether an account may `use` a policy in the namespace of the request, in group `policy` or `extensions`. */
export type Authorizer = (account: Account, policy: string) => boolean;

/** Names of policies that may be used. */
export interface Grants {
  readonly user?: readonly string[];
  readonly serviceAccount?: readonly string[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** The only API group that the grants are for; both that count where absent. */
  readonly apiGroup?: string;
}

export interface PolicyRequest {
  /** PodSecurityPolicies in any order. */
  readonly policies: readonly object[];
  readonly namespace: string;
  /** Who asks: for the pods of a controller, that controller. */
  readonly user: { readonly name: string; readonly groups?: readonly string[] };
  /** The user name of the pod's service account. The plugin itself looks at the pod. */
  readonly serviceAccount?: string;
  readonly authorized: Grants | Authorizer;
  readonly operation: string;
  readonly subresource?: string;
  readonly pod: SubmittedPod;
  readonly oldPod?: SubmittedPod;
}

export interface Phase {
  readonly allowed: boolean;
  /** The plugin did nothing. */
  readonly ignored?: boolean;
  readonly policy?: string;
  /** The API server's text. */
  readonly error?: string;
}

export interface PolicyDecision {
  readonly allowed: boolean;
  /** What the pod's annotation `kubernetes.io/psp` says afterwards; absent where the pod is refused. */
  readonly policyChosen?: string;
  readonly error?: string;
  readonly admit: Phase;
  /** Absent where the first phase refuses. */
  readonly validate?: Phase;
  /** The second phase on a live server, where that differs: the registry resets `procMount` in between. */
  readonly validatePrepared?: Phase;
  /** Whether the policy changed an admitted new pod, and into what. */
  readonly changed?: boolean;
  readonly mutated?: MutablePart;
  /** Policies that are passed over, and why. */
  readonly skippedPolicies?: Readonly<Record<string, string>>;
}

const CHOSEN = 'kubernetes.io/psp';
const IGNORED: Phase = { allowed: true, ignored: true };

/**
 * What the plugin does with a request: it changes and admits new pods, then validates.
 *
 * @throws DecodeError for a policy or pod that the API server could not decode
 */
export function admitByPolicies(request: PolicyRequest): PolicyDecision {
  const pod = receive(request.pod);
  const { providers, skipped } = candidates(request.policies);
  const more = skipped.size === 0 ? {} : { skippedPolicies: Object.fromEntries(skipped) };
  if (isIgnored(request))
    return { allowed: true, ...chosen(pod), admit: IGNORED, validate: IGNORED, ...more };
  const mayUse = authorizerOf(request, pod);
  if (request.operation === 'UPDATE') {
    const hint = annotationOf(pod, CHOSEN) ?? '';
    const validate = phaseOf(pod, validateBy(ordered(providers, hint), pod, mayUse), 'validate');
    return { ...summary(pod, validate), admit: IGNORED, validate, ...more };
  }
  const outcome = admitBy(ordered(providers), pod, mayUse);
  const admit = phaseOf(pod, outcome, 'admit');
  if (outcome.pod === undefined) return { ...summary(pod, admit), admit, ...more };
  const admitted = annotated(outcome.pod, new Map([[CHOSEN, outcome.policy]]));
  const inOrder = ordered(providers, outcome.policy);
  const validate = phaseOf(admitted, validateBy(inOrder, admitted, mayUse), 'validate');
  const stored = prepared(admitted);
  const onServer = phaseOf(stored, validateBy(inOrder, stored, mayUse), 'validate');
  return {
    ...summary(admitted, validate),
    admit,
    validate,
    ...(isSamePhase(validate, onServer) ? {} : { validatePrepared: onServer }),
    ...(validate.allowed ? { changed: outcome.changes, mutated: mutablePart(admitted) } : {}),
    ...more,
  };
}

function candidates(policies: readonly object[]): {
  readonly providers: readonly Provider[];
  readonly skipped: ReadonlyMap<string, string>;
} {
  const providers: Provider[] = [];
  const skipped = new Map<string, string>();
  for (const policy of policies) {
    const provider = providerOf(policy);
    if (provider instanceof UnusablePolicyError) skipped.set(provider.policy, provider.message);
    else providers.push(provider);
  }
  return { providers, skipped };
}

/** By name, but the one that the hint names first. */
function ordered(providers: readonly Provider[], hint?: string): readonly Provider[] {
  return providers.toSorted((a, b) =>
    a.name === b.name ? 0 : a.name === hint ? -1 : b.name === hint ? 1 : compareBytes(a.name, b.name),
  );
}

function isIgnored({ operation, subresource = '', pod, oldPod }: PolicyRequest): boolean {
  if (subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return true;
  return operation === 'UPDATE' && oldPod !== undefined && isHousekeeping(pod, oldPod);
}

/** Whether the service account of the pod or the user who asks may use a policy. */
function authorizerOf(request: PolicyRequest, { spec }: Pod): (policy: string) => boolean {
  const { namespace, user, authorized } = request;
  const accountName = spec.serviceAccountName ?? '';
  const account: Account | undefined =
    accountName === ''
      ? undefined
      : {
          name: `system:serviceaccount:${namespace}:${accountName}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
        };
  const isGranted =
    typeof authorized === 'function' ? authorized : byGrants(authorized, user.name, account?.name);
  const asker: Account = { name: user.name, groups: user.groups ?? [] };
  return policy => (account !== undefined && isGranted(account, policy)) || isGranted(asker, policy);
}

function byGrants(
  { user = [], serviceAccount = [], groups = {}, apiGroup = 'policy' }: Grants,
  userName: string,
  accountName: string | undefined,
): Authorizer {
  if (apiGroup !== 'policy' && apiGroup !== 'extensions') return () => false;
  return (account, policy) =>
    (account.name === userName && user.includes(policy)) ||
    (account.name === accountName && serviceAccount.includes(policy)) ||
    account.groups.some(group => Object.hasOwn(groups, group) && groups[group]!.includes(policy));
}

interface Outcome {
  /** Absent where no policy admits the pod. */
  readonly pod?: Pod;
  readonly policy: string;
  /** Whether the policy changed the pod. */
  readonly changes: boolean;
  /** Of the policies that may be used; absent where there is none to ask. */
  readonly errors?: readonly FieldError[];
}

/** The first policy that changes nothing, else the first. Permission is asked for only once the pod has passed. */
function admitBy(providers: readonly Provider[], pod: Pod, mayUse: (policy: string) => boolean): Outcome {
  let changing: Outcome | undefined;
  return search(
    providers,
    pod,
    mayUse,
    provider => {
      const changes = provider.changes(pod);
      if (changes && changing !== undefined) return undefined;
      if (!mayUse(provider.name)) return undefined;
      const outcome = { pod: provider.mutate(pod), policy: provider.name, changes };
      if (!changes) return outcome;
      changing = outcome;
      return undefined;
    },
    () => changing,
  );
}

/** The first policy that changes nothing: one that would is passed over. */
function validateBy(providers: readonly Provider[], pod: Pod, mayUse: (policy: string) => boolean): Outcome {
  return search(providers, pod, mayUse, provider =>
    !provider.changes(pod) && mayUse(provider.name)
      ? { pod, policy: provider.name, changes: false }
      : undefined,
  );
}

function search(
  providers: readonly Provider[],
  pod: Pod,
  mayUse: (policy: string) => boolean,
  accept: (provider: Provider) => Outcome | undefined,
  otherwise: () => Outcome | undefined = () => undefined,
): Outcome {
  if (providers.length === 0) return { policy: '', changes: false };
  const failed: { readonly policy: string; readonly errors: readonly FieldError[] }[] = [];
  for (const provider of providers) {
    const errors = provider.objections(pod, true);
    if (errors.length > 0) failed.push({ policy: provider.name, errors });
    else {
      const outcome = accept(provider);
      if (outcome !== undefined) return outcome;
    }
  }
  return (
    otherwise() ?? {
      policy: '',
      changes: false,
      errors: failed.filter(({ policy }) => mayUse(policy)).flatMap(({ errors }) => errors),
    }
  );
}

/** @param verb what the plugin was to do with the pod */
function phaseOf({ metadata }: Pod, { pod, policy, errors }: Outcome, verb: 'admit' | 'validate'): Phase {
  if (pod !== undefined) return { allowed: true, policy };
  const why =
    errors === undefined
      ? 'no providers available to validate pod request'
      : `unable to ${verb} pod: [${errors.map(textOf).join(' ')}]`;
  const name = metadata?.name || metadata?.generateName || 'Unknown';
  return { allowed: false, error: `pods ${quoted(name)} is forbidden: PodSecurityPolicy: ${why}` };
}

function summary(
  pod: Pod,
  { allowed, error }: Phase,
): Pick<PolicyDecision, 'allowed' | 'policyChosen' | 'error'> {
  return { allowed, ...(allowed ? chosen(pod) : {}), ...(error === undefined ? {} : { error }) };
}

function chosen(pod: Pod): { readonly policyChosen?: string } {
  const policyChosen = annotationOf(pod, CHOSEN);
  return policyChosen === undefined ? {} : { policyChosen };
}

function isSamePhase(a: Phase, b: Phase): boolean {
  return a.allowed === b.allowed && a.policy === b.policy && a.error === b.error;
}
