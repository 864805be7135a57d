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

/** The field of a volume that is of the type that a policy names; undefined for a word that is no type. */
export function sourceOf(type: string): string | undefined {
  if (type === 'cephFS') return 'cephfs';
  return type !== 'cephfs' && (SOURCES.includes(type) || type === 'image') ? type : undefined;
}

/** What policies call the source of a volume that has one: not always as pods call the field. */
export function typeOf(volume: Volume): string {
  // What came after 1.24 is no source to a policy; to a profile of today it is.
  const source = SOURCES.find(source => volume[source] !== undefined) ?? 'image';
  return source === 'cephfs' ? 'cephFS' : source;
}
