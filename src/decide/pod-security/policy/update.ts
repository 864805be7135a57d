/**
 * Updates of a pod that the admission plugin does not look at: those of fields that garbage collection and bookkeeping
 * write. Source: pkg/registry/rbac/helpers.go (IsOnlyMutatingGCFields), pkg/apis/core/v1/defaults.go.
 */
import { isEqual } from '#kube/equal.ts';
import type { Container } from '#kube/pods.ts';
import { amountOf } from './amounts.ts';
import { mapContainers, receive } from './received.ts';
import { type Finish, written } from './stored.ts';

const HOUSEKEEPING = ['ownerReferences', 'finalizers', 'selfLink', 'managedFields'];

const PROJECTED_MODE = { defaultMode: 420 };
const MESSAGES = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' };

const FINISH: Finish = {
  defaults: {
    PodSpec: {
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      enableServiceLinks: true,
    },
    Container: MESSAGES,
    EphemeralContainer: MESSAGES,
    ContainerPort: { protocol: 'TCP' },
    ObjectFieldSelector: { apiVersion: 'v1' },
    Probe: { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
    HTTPGetAction: { path: '/', scheme: 'HTTP' },
    GRPCAction: { service: '' },
    SecretVolumeSource: PROJECTED_MODE,
    ConfigMapVolumeSource: PROJECTED_MODE,
    DownwardAPIVolumeSource: PROJECTED_MODE,
    ProjectedVolumeSource: PROJECTED_MODE,
    ServiceAccountTokenProjection: { expirationSeconds: 3600 },
    PersistentVolumeClaimSpec: { volumeMode: 'Filesystem' },
    HostPathVolumeSource: { type: '' },
    ISCSIVolumeSource: { iscsiInterface: 'default' },
    RBDVolumeSource: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
    ScaleIOVolumeSource: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
    AzureDiskVolumeSource: { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false },
  },
  canonical: {
    quantity: amountOf,
    time: (text: string) => Date.parse(text),
  },
};

interface Submitted {
  readonly metadata?: unknown;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Whether nothing changes that a policy could have a say in. */
export function isHousekeeping(pod: Submitted, old: Submitted): boolean {
  return isEqual(comparable(pod), comparable(old)) && isEqual(pod.status ?? {}, old.status ?? {});
}

/** The pod in a form that is the same for semantically equal ones. */
function comparable(submitted: Submitted): unknown {
  const { metadata, spec } = mapContainers(receive(submitted), completed);
  return {
    metadata: written(
      'ObjectMeta',
      Object.fromEntries(Object.entries(metadata ?? {}).filter(([field]) => !HOUSEKEEPING.includes(field))),
      FINISH,
    ),
    spec: written('PodSpec', spec, FINISH),
  };
}

/** What of a container is defaulted by its other fields. */
function completed(container: Container): Container {
  const { image = '', imagePullPolicy = '', resources } = container;
  const isLatest = /^(?:[a-z0-9._:-]+\/)*[a-z0-9._-]+(?::latest)?$/.test(image);
  return {
    ...container,
    imagePullPolicy: imagePullPolicy || (isLatest ? 'Always' : 'IfNotPresent'),
    ...(resources?.limits === undefined
      ? {}
      : { resources: { ...resources, requests: { ...resources.limits, ...resources.requests } } }),
  };
}
