/**
 * What a release of Kubernetes decides differently from another: feature gates at their defaults. Sources: kubernetes
 * pkg/features/kube_features.go, apiserver pkg/features/kube_features.go.
 */

/** The newest minor version of Kubernetes 1 whose deciders are known. */
const NEWEST_MINOR = 37;

export interface Features {
  readonly minor: number;
  /** Nodes read only themselves and their pods. */
  readonly authorizeNodeWithSelectors: boolean;
  readonly serviceAccountTokenForCredentialProviders: boolean;
  readonly podCertificateRequest: boolean;
  readonly clusterTrustBundle: boolean;
  readonly csiVolumeHealth: boolean;
  readonly constrainedImpersonation: boolean;
}

export class VersionError extends Error {
  override readonly name = 'VersionError';
}

/**
 * @param kubernetes a release such as `1.33` or `v1.33.4`; the newest known where not stated
 * @throws VersionError for what is no release
 */
export function featuresOf(kubernetes: string | undefined): Features {
  let minor = NEWEST_MINOR;
  if (kubernetes !== undefined) {
    const parts = /^v?1\.(\d{1,3})(?:\.\S*)?$/.exec(kubernetes);
    if (parts === null)
      throw new VersionError(`"${kubernetes}" is no release of Kubernetes; write for example 1.33`);
    minor = Math.min(Number(parts[1]), NEWEST_MINOR);
  }
  return {
    minor,
    authorizeNodeWithSelectors: minor >= 32,
    serviceAccountTokenForCredentialProviders: minor >= 34,
    podCertificateRequest: minor >= 37,
    clusterTrustBundle: minor >= 37,
    csiVolumeHealth: false,
    constrainedImpersonation: minor >= 36,
  };
}
