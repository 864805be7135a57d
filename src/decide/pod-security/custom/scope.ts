/** Which profile of a team's own judges a pod: of those whose scope fits, the first one. */
import { matchesName } from '#kube/glob.ts';
import type { CustomProfile } from './profile.ts';

/** What a scope asks of a pod. */
export interface Bearer {
  /** Undefined where the manifest states none. */
  readonly namespace: string | undefined;
  /** Undefined where the namespace is not in the input. */
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
}

export type Chosen =
  | { readonly is: 'profile'; readonly profile: CustomProfile }
  | { readonly is: 'none' }
  | { readonly is: 'unknown'; readonly because: string };

export function chooseProfile(profiles: readonly CustomProfile[], bearer: Bearer): Chosen {
  for (const profile of profiles) {
    const fits = fitsScope(profile, bearer);
    if (fits === true) return { is: 'profile', profile };
    if (typeof fits === 'string')
      return { is: 'unknown', because: `whether profile "${profile.name}" holds is not known: ${fits}` };
  }
  return { is: 'none' };
}

/** @returns why it is not known, where it is not */
function fitsScope({ scope }: CustomProfile, bearer: Bearer): boolean | string {
  const { namespaces, namespaceLabels, labels, serviceAccounts } = scope;
  if (labels !== undefined && !hasLabels(bearer.labels, labels)) return false;
  if (serviceAccounts?.some(one => matchesName(one, bearer.serviceAccount)) === false) return false;
  const { namespace } = bearer;
  let unknown: string | undefined;
  if (namespaces !== undefined && !namespaces.includes('*')) {
    if (namespace === undefined) unknown = 'the manifest states no namespace';
    else if (!namespaces.some(one => matchesName(one, namespace))) return false;
  }
  if (namespaceLabels !== undefined && Object.keys(namespaceLabels).length > 0) {
    // Every namespace has its name as a label. Source: kubernetes pkg/apis/core/v1/defaults.go (SetDefaults_Namespace).
    const own = bearer.namespaceLabels;
    const known = own ?? (namespace === undefined ? undefined : onlyName(namespaceLabels, namespace));
    if (known === undefined)
      unknown ??=
        namespace === undefined
          ? 'the manifest states no namespace'
          : `namespace "${namespace}" is not in the input, so its labels are not known`;
    else if (
      !hasLabels(
        namespace === undefined ? known : { ...known, 'kubernetes.io/metadata.name': namespace },
        namespaceLabels,
      )
    )
      return false;
  }
  return unknown ?? true;
}

function onlyName(
  wanted: Readonly<Record<string, string>>,
  namespace: string,
): Readonly<Record<string, string>> | undefined {
  return Object.keys(wanted).every(key => key === 'kubernetes.io/metadata.name')
    ? { 'kubernetes.io/metadata.name': namespace }
    : undefined;
}

function hasLabels(own: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(own, key) && own[key] === value);
}
