/** The rules of a policy on volumes. Source: pkg/security/podsecuritypolicy/provider.go (validatePodVolumes), util/util.go. */
import { quoted } from '#kube/go-text.ts';
import type { Pod, Volume } from '#kube/pods.ts';
import { type FieldError, invalid } from './errors.ts';
import type { PolicySpec } from './policy.ts';
import { containersOf } from './received.ts';
import { typeOf } from './volume-sources.ts';

export function volumeObjections(spec: PolicySpec, pod: Pod): FieldError[] {
  const types = new Set(spec.volumes);
  return (pod.spec.volumes ?? []).flatMap((volume, i) => {
    const field = `spec.volumes[${i}]`;
    const type = typeOf(volume);
    if (!types.has('*') && !types.has(type) && !(types.has('secret') && isTokenOnly(volume, type)))
      return [invalid(field, quoted(type), `${type} volumes are not allowed to be used`)];
    switch (type) {
      case 'hostPath':
        return hostPathObjections(spec, pod, volume, field);
      case 'flexVolume': {
        const { driver = '' } = volume['flexVolume'] as { readonly driver?: string };
        return spec.allowedFlexVolumes.length === 0 ||
          spec.allowedFlexVolumes.some(allowed => allowed.driver === driver)
          ? []
          : [invalid(`${field}.driver`, quoted(driver), 'Flexvolume driver is not allowed to be used')];
      }
      case 'csi': {
        const { driver = '' } = volume['csi'] as { readonly driver?: string };
        return spec.allowedCSIDrivers.length === 0 ||
          spec.allowedCSIDrivers.some(allowed => allowed.name === driver)
          ? []
          : [invalid(`${field}.csi.driver`, quoted(driver), 'Inline CSI driver is not allowed to be used')];
      }
      default:
        return [];
    }
  });
}

function hostPathObjections(
  { allowedHostPaths }: PolicySpec,
  pod: Pod,
  { name = '', hostPath }: Volume,
  field: string,
): FieldError[] {
  const { path = '' } = hostPath!;
  if (allowedHostPaths.length === 0) return [];
  const matching = allowedHostPaths.filter(({ pathPrefix }) => hasPathPrefix(path, pathPrefix));
  if (matching.length === 0)
    return [invalid(`${field}.hostPath.pathPrefix`, quoted(path), 'is not allowed to be used')];
  if (matching.some(({ readOnly }) => !readOnly)) return [];
  return containersOf(pod).flatMap(({ container, field }) =>
    (container.volumeMounts ?? []).flatMap((mount, i) =>
      (mount.name ?? '') === name && mount.readOnly !== true
        ? [invalid(`${field}.volumeMounts[${i}].readOnly`, 'false', 'must be read-only')]
        : [],
    ),
  );
}

/** Up to the border of a segment; one slash at the end of either does not count, and nothing is cleaned. */
function hasPathPrefix(path: string, prefix: string): boolean {
  const [long, short] = [path, prefix].map(text => (text.endsWith('/') ? text.slice(0, -1) : text)) as [
    string,
    string,
  ];
  return long.startsWith(short) && (long.length === short.length || long[short.length] === '/');
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
