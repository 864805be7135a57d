/** The rules of a policy on volumes. Source: pkg/security/podsecuritypolicy/provider.go (validatePodVolumes), util/util.go. */
import { quoted } from '#kube/go-text.ts';
import type { Pod, Volume } from '#kube/pods.ts';
import type { Objections } from './errors.ts';
import type { PolicySpec } from './policy.ts';
import { forEachContainer } from './received.ts';
import { typeOf } from './volume-sources.ts';

export interface VolumeRule {
  object(pod: Pod, errors: Objections): void;
}

/** Made once for each policy. */
export function volumeRule(spec: PolicySpec): VolumeRule {
  const types = new Set(spec.volumes);
  const any = types.has('*');
  const prefixes = spec.allowedHostPaths.map(({ pathPrefix, readOnly }) => ({
    prefix: withoutSlash(pathPrefix),
    readOnly,
  }));
  const flex = new Set(spec.allowedFlexVolumes.map(({ driver }) => driver));
  const csi = new Set(spec.allowedCSIDrivers.map(({ name }) => name));
  return {
    object(pod, errors) {
      const { volumes } = pod.spec;
      if (volumes === undefined) return;
      for (let i = 0; i < volumes.length; i++) {
        const volume = volumes[i]!;
        const type = typeOf(volume);
        if (!any && !types.has(type) && !(types.has('secret') && isTokenOnly(volume, type)))
          errors.invalid(`spec.volumes[${i}]`, type, quoted, `${type} volumes are not allowed to be used`);
        else if (type === 'hostPath') {
          if (prefixes.length > 0) objectToHostPath(prefixes, pod, volume, i, errors);
        } else if (type === 'flexVolume') {
          const { driver = '' } = volume['flexVolume'] as { readonly driver?: string };
          if (flex.size > 0 && !flex.has(driver))
            errors.invalid(
              `spec.volumes[${i}].driver`,
              driver,
              quoted,
              'Flexvolume driver is not allowed to be used',
            );
        } else if (type === 'csi') {
          const { driver = '' } = volume['csi'] as { readonly driver?: string };
          if (csi.size > 0 && !csi.has(driver))
            errors.invalid(
              `spec.volumes[${i}].csi.driver`,
              driver,
              quoted,
              'Inline CSI driver is not allowed to be used',
            );
        }
      }
    },
  };
}

interface Prefix {
  readonly prefix: string;
  readonly readOnly: boolean;
}

function objectToHostPath(
  prefixes: readonly Prefix[],
  pod: Pod,
  { name = '', hostPath }: Volume,
  index: number,
  errors: Objections,
): void {
  const { path = '' } = hostPath!;
  const long = withoutSlash(path);
  let matching = false;
  for (const { prefix, readOnly } of prefixes)
    if (hasPrefix(long, prefix)) {
      if (!readOnly) return;
      matching = true;
    }
  if (!matching)
    errors.invalid(`spec.volumes[${index}].hostPath.pathPrefix`, path, quoted, 'is not allowed to be used');
  else
    forEachContainer(pod, ({ volumeMounts = [] }, { at: field }) => {
      for (let i = 0; i < volumeMounts.length; i++) {
        const mount = volumeMounts[i]!;
        if ((mount.name ?? '') === name && mount.readOnly !== true)
          errors.invalid(`${field}.volumeMounts[${i}].readOnly`, false, String, 'must be read-only');
      }
    });
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Up to the border of a segment; one slash at the end of either does not count, and nothing is cleaned. */
function hasPrefix(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

interface Source {
  readonly serviceAccountToken?: { readonly path?: string; readonly audience?: string };
  readonly configMap?: { readonly name?: string };
  readonly downwardAPI?: {
    readonly items?: readonly {
      readonly path?: string;
      readonly fieldRef?: { readonly apiVersion?: string; readonly fieldPath?: string };
    }[];
  };
}

/** A volume such as the one that every pod gets for its token: allowed where secrets are. */
function isTokenOnly(volume: Volume, type: string): boolean {
  if (type !== 'projected') return false;
  const { sources = [] } = volume.projected as { readonly sources?: readonly Source[] };
  return sources.every(
    ({ serviceAccountToken: token, configMap, downwardAPI }) =>
      (token !== undefined || configMap !== undefined || downwardAPI !== undefined) &&
      (token === undefined || (token.path === 'token' && (token.audience ?? '') === '')) &&
      (configMap === undefined || configMap.name === 'kube-root-ca.crt') &&
      (downwardAPI?.items ?? []).every(
        ({ path, fieldRef }) =>
          path === 'namespace' &&
          // The API version is defaulted before.
          (fieldRef?.apiVersion || 'v1') === 'v1' &&
          fieldRef?.fieldPath === 'metadata.namespace',
      ),
  );
}
