/**
 * What a container mounts, and what that gives to whoever gets into it. Sources: kubernetes core/v1 types.go (Volume and
 * its sources), docs/concepts/storage/volumes; CVE-2024-10220 (gitRepo).
 */
import { isRecord, type Path } from '#kube/objects.ts';
import type { Volume, VolumeMount } from '#kube/pods.ts';
import type { ContainerSubject } from '#world/subjects.ts';
import { hostMountOf, isRuntimeSocket, sensitivityOf } from './host-paths.ts';

export interface Mount {
  /** Where it is in the container; the name of the device for block volumes. */
  readonly at: string;
  /** `hostPath /var/log (read-only)`. */
  readonly what: string;
  /** In the pod. */
  readonly path: Path;
  readonly gives?: string;
}

export function mountsOf({ pod, container, path }: ContainerSubject): Mount[] {
  const volumes = new Map((pod.spec.volumes ?? []).map(volume => [volume.name, volume]));
  const mounts = (container.volumeMounts ?? []).map((mount, index): Mount => {
    const volume = volumes.get(mount.name);
    const at = mount.mountPath ?? '';
    const where = [...path, 'volumeMounts', index];
    if (volume === undefined)
      return { at, what: `volume "${mount.name ?? ''}", which the pod does not have`, path: where };
    const { what, gives } = describe(volume, mount);
    const notes = [
      ...(mount.readOnly === true || volume.persistentVolumeClaim?.readOnly === true ? ['read-only'] : []),
      ...(mount.subPath === undefined || mount.subPath === '' ? [] : [`only ${mount.subPath}`]),
    ];
    const reach =
      mount.mountPropagation === 'Bidirectional'
        ? 'mounts that it makes there appear on the node and in other pods'
        : undefined;
    const all = [gives, reach].filter(text => text !== undefined).join('; ');
    return {
      at,
      what: `${what}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`,
      path: where,
      ...(all === '' ? {} : { gives: all }),
    };
  });
  const { volumeDevices } = container;
  const devices = (Array.isArray(volumeDevices) ? volumeDevices : []).flatMap((device, index): Mount[] => {
    if (!isRecord(device)) return [];
    const name = String(device['name'] ?? '');
    return [
      {
        at: String(device['devicePath'] ?? ''),
        what: `block device of volume "${name}"`,
        path: [...path, 'volumeDevices', index],
        gives: 'the disk below every file system on it',
      },
    ];
  });
  return [...mounts, ...devices];
}

interface Described {
  readonly what: string;
  readonly gives?: string;
}

function describe(volume: Volume, mount: VolumeMount): Described {
  const isWritable = mount.readOnly !== true && volume.persistentVolumeClaim?.readOnly !== true;
  const { hostPath, secret, configMap, projected, persistentVolumeClaim, emptyDir } = volume;
  if (hostPath !== undefined) {
    const host = hostMountOf(volume.name ?? '', hostPath.path ?? '', [], isWritable);
    const gives = isRuntimeSocket(host.path)
      ? 'the container runtime: any container it likes, privileged too'
      : (sensitivityOf(host) ??
        (isWritable ? 'files that stay on the node after the pod, for whatever else uses them' : undefined));
    return { what: `hostPath ${host.path}`, ...(gives === undefined ? {} : { gives }) };
  }
  if (secret !== undefined)
    return {
      what: `secret ${secret.secretName ?? '?'}`,
      gives: 'the values of the secret, and whatever they open',
    };
  if (configMap !== undefined) return { what: `configMap ${configMap.name ?? '?'}` };
  if (emptyDir !== undefined)
    return emptyDir.medium === 'Memory' && emptyDir.sizeLimit === undefined
      ? { what: 'emptyDir in memory', gives: 'the memory of the node, without a limit of its own' }
      : { what: `emptyDir${emptyDir.medium === 'Memory' ? ' in memory' : ''}` };
  if (persistentVolumeClaim !== undefined)
    return {
      what: `persistentVolumeClaim ${persistentVolumeClaim.claimName ?? '?'}`,
      gives: `the data of the claim, ${isWritable ? 'to change too, ' : ''}also what other pods keep there`,
    };
  if (projected !== undefined) return ofProjected(projected.sources ?? []);
  for (const [source, value] of Object.entries(volume))
    if (source !== 'name' && isRecord(value)) return ofOther(source, value);
  return { what: 'emptyDir' };
}

type Sources = NonNullable<NonNullable<Volume['projected']>['sources']>;

function ofProjected(sources: Sources): Described {
  const what: string[] = [];
  const gives: string[] = [];
  for (const { serviceAccountToken, secret, configMap, ...rest } of sources) {
    if (serviceAccountToken !== undefined) {
      const { audience } = serviceAccountToken;
      what.push(`token${audience === undefined || audience === '' ? '' : ` for ${audience}`}`);
      gives.push(
        audience === undefined || audience === ''
          ? 'the API server as the service account of the pod'
          : `${audience} as the service account of the pod`,
      );
    } else if (secret !== undefined) {
      what.push(`secret ${secret.name ?? '?'}`);
      gives.push('the values of the secret, and whatever they open');
    } else if (configMap !== undefined) what.push(`configMap ${configMap.name ?? '?'}`);
    else what.push(...Object.keys(rest));
    if ('podCertificate' in rest) gives.push('the certificate of the pod, and whoever trusts it');
  }
  return {
    what: `projected ${what.join(', ')}`.trim(),
    ...(gives.length === 0 ? {} : { gives: [...new Set(gives)].join('; ') }),
  };
}

function ofOther(source: string, value: Readonly<Record<string, unknown>>): Described {
  const word = (key: string): string => {
    const found = value[key];
    return typeof found === 'string' ? ` ${found}` : '';
  };
  switch (source) {
    case 'downwardAPI':
      return { what: source };
    case 'image':
      return { what: `image${word('reference')}` };
    case 'ephemeral':
      return { what: 'ephemeral claim' };
    case 'csi':
      return /secrets-store/.test(word('driver'))
        ? { what: `csi${word('driver')}`, gives: 'secrets of the store that the driver reads' }
        : { what: `csi${word('driver')}`, gives: 'what the driver mounts: only it knows' };
    case 'nfs':
      return {
        what: `nfs${word('server')}:${word('path').trim()}`,
        gives: 'the files of the server, by a user number that the container picks as root',
      };
    case 'gitRepo':
      return {
        what: `gitRepo${word('repository')}`,
        gives: 'programs that run as root on the node, by hooks of the repository (CVE-2024-10220)',
      };
    case 'flexVolume':
      return {
        what: `flexVolume${word('driver')}`,
        gives: 'what the driver does as root on the node with the options of the pod',
      };
    case 'iscsi':
    case 'fc':
    case 'rbd':
    case 'cephfs':
    case 'glusterfs':
      return {
        what: `${source} by the pod itself`,
        gives: 'storage that no claim and no quota stands before: any target that the node reaches',
      };
    default:
      return {
        what: source,
        gives: 'a disk of the cloud that no claim and no quota stands before',
      };
  }
}
