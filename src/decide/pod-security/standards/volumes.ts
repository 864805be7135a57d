/** The control on kinds of volumes. Source: policy/check_restrictedVolumes.go. */
import type { Volume } from '#kube/pods.ts';
import { type Control, joinQuoted, plural, sortedSet, type Violation } from './check.ts';

export const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** In the order in which they are told apart; the first that is there gives the kind. */
const OTHERS = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
];

function kindOf(volume: Volume): string {
  return OTHERS.find(kind => volume[kind] !== undefined) ?? 'unknown';
}

export const restrictedVolumes: Control = {
  id: 'restrictedVolumes',
  level: 'restricted',
  revisions: [
    {
      since: 0,
      overrides: ['hostPathVolumes'],
      breach({ spec }) {
        const names: string[] = [];
        const kinds: string[] = [];
        const violations: Violation[] = [];
        (spec.volumes ?? []).forEach((volume, i) => {
          if (ALLOWED_VOLUMES.some(kind => volume[kind] !== undefined)) return;
          const kind = kindOf(volume);
          names.push(volume.name ?? '');
          kinds.push(kind);
          const path = ['spec', 'volumes', i];
          violations.push(
            kind === 'unknown' ? { path, value: undefined } : { path: [...path, kind], value: volume[kind] },
          );
        });
        if (names.length === 0) return undefined;
        const types = sortedSet(kinds);
        return {
          reason: 'restricted volume types',
          detail: `${plural('volume', 'volumes', names.length)} ${joinQuoted(names)} ${plural('uses', 'use', names.length)} ${plural('restricted volume type', 'restricted volume types', types.length)} ${joinQuoted(types)}`,
          violations,
        };
      },
    },
  ],
};
