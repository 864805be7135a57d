/** The sources of volumes that Kubernetes 1.24 knows. Source: pkg/security/podsecuritypolicy/util/util.go. */
import type { Volume } from '#kube/pods.ts';

/** In the order in which they are told apart: the first that is there gives the type. */
const SOURCES = [
  'hostPath',
  'emptyDir',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'persistentVolumeClaim',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'downwardAPI',
  'fc',
  'azureFile',
  'configMap',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'storageos',
  'projected',
  'portworxVolume',
  'scaleIO',
  'csi',
  'ephemeral',
];

export function hasSource(volume: Volume): boolean {
  return SOURCES.some(source => volume[source] !== undefined);
}

/** What policies call the source of a volume that has one: not always as pods call the field. */
export function typeOf(volume: Volume): string {
  // What came after 1.24 is no source to a policy; to a profile of today it is.
  const source = SOURCES.find(source => volume[source] !== undefined) ?? 'image';
  return source === 'cephfs' ? 'cephFS' : source;
}
