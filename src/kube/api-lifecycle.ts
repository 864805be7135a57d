/**
 * When apiVersions were deprecated and removed, and what came instead. Source: the Kubernetes deprecated API
 * migration guide, and the API lifecycle marks in k8s.io/api.
 */

export interface Retirement {
  /** Minor version of Kubernetes 1. */
  readonly deprecated: number;
  /** Undefined where it is still served. */
  readonly removed?: number;
  /** The apiVersion to use; undefined where there is none. */
  readonly replacement?: string;
}

const RETIRED: Readonly<Record<string, Retirement>> = {};

function retire(
  kinds: string,
  apiVersion: string,
  deprecated: number,
  removed?: number,
  replacement?: string,
): void {
  for (const kind of kinds.split(' '))
    (RETIRED as Record<string, Retirement>)[`${apiVersion}/${kind}`] = {
      deprecated,
      ...(removed === undefined ? {} : { removed }),
      ...(replacement === undefined ? {} : { replacement }),
    };
}

retire('Deployment DaemonSet ReplicaSet', 'extensions/v1beta1', 9, 16, 'apps/v1');
retire('NetworkPolicy', 'extensions/v1beta1', 9, 16, 'networking.k8s.io/v1');
retire('PodSecurityPolicy', 'extensions/v1beta1', 10, 16);
retire('Ingress', 'extensions/v1beta1', 14, 22, 'networking.k8s.io/v1');
retire('Deployment StatefulSet ControllerRevision', 'apps/v1beta1', 9, 16, 'apps/v1');
retire('Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision', 'apps/v1beta2', 9, 16, 'apps/v1');
retire('CronJob', 'batch/v2alpha1', 8, 21, 'batch/v1');
retire('CronJob', 'batch/v1beta1', 21, 25, 'batch/v1');
retire('PodSecurityPolicy', 'policy/v1beta1', 21, 25);
retire('PodDisruptionBudget', 'policy/v1beta1', 21, 25, 'policy/v1');
retire('EndpointSlice', 'discovery.k8s.io/v1beta1', 21, 25, 'discovery.k8s.io/v1');
retire('Event', 'events.k8s.io/v1beta1', 19, 25, 'events.k8s.io/v1');
retire('HorizontalPodAutoscaler', 'autoscaling/v2beta1', 22, 25, 'autoscaling/v2');
retire('HorizontalPodAutoscaler', 'autoscaling/v2beta2', 23, 26, 'autoscaling/v2');
retire('RuntimeClass', 'node.k8s.io/v1beta1', 22, 25, 'node.k8s.io/v1');
retire(
  'FlowSchema PriorityLevelConfiguration',
  'flowcontrol.apiserver.k8s.io/v1beta1',
  23,
  26,
  'flowcontrol.apiserver.k8s.io/v1',
);
retire(
  'FlowSchema PriorityLevelConfiguration',
  'flowcontrol.apiserver.k8s.io/v1beta2',
  26,
  29,
  'flowcontrol.apiserver.k8s.io/v1',
);
retire(
  'FlowSchema PriorityLevelConfiguration',
  'flowcontrol.apiserver.k8s.io/v1beta3',
  29,
  32,
  'flowcontrol.apiserver.k8s.io/v1',
);
retire(
  'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/v1beta1',
  16,
  22,
  'admissionregistration.k8s.io/v1',
);
retire(
  'ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/v1beta1',
  31,
  34,
  'admissionregistration.k8s.io/v1',
);
retire('CustomResourceDefinition', 'apiextensions.k8s.io/v1beta1', 16, 22, 'apiextensions.k8s.io/v1');
retire('APIService', 'apiregistration.k8s.io/v1beta1', 19, 22, 'apiregistration.k8s.io/v1');
retire('TokenReview', 'authentication.k8s.io/v1beta1', 19, 22, 'authentication.k8s.io/v1');
retire(
  'LocalSubjectAccessReview SelfSubjectAccessReview SubjectAccessReview SelfSubjectRulesReview',
  'authorization.k8s.io/v1beta1',
  19,
  22,
  'authorization.k8s.io/v1',
);
retire('CertificateSigningRequest', 'certificates.k8s.io/v1beta1', 19, 22, 'certificates.k8s.io/v1');
retire('Lease', 'coordination.k8s.io/v1beta1', 19, 22, 'coordination.k8s.io/v1');
retire('Ingress IngressClass', 'networking.k8s.io/v1beta1', 19, 22, 'networking.k8s.io/v1');
for (const version of ['v1alpha1', 'v1beta1'])
  retire(
    'Role RoleBinding ClusterRole ClusterRoleBinding',
    `rbac.authorization.k8s.io/${version}`,
    17,
    22,
    'rbac.authorization.k8s.io/v1',
  );
for (const version of ['v1alpha1', 'v1beta1'])
  retire('PriorityClass', `scheduling.k8s.io/${version}`, 14, 22, 'scheduling.k8s.io/v1');
retire(
  'CSIDriver CSINode StorageClass VolumeAttachment',
  'storage.k8s.io/v1beta1',
  19,
  22,
  'storage.k8s.io/v1',
);
retire('CSIStorageCapacity', 'storage.k8s.io/v1beta1', 24, 27, 'storage.k8s.io/v1');
retire('ClusterCIDR', 'networking.k8s.io/v1alpha1', 29, 31);
retire('ComponentStatus', 'v1', 19);
retire('Endpoints', 'v1', 33, undefined, 'discovery.k8s.io/v1');

/** Undefined for what was never deprecated, or is not of Kubernetes itself. */
export function retirementOf(apiVersion: string, kind: string): Retirement | undefined {
  const key = `${apiVersion}/${kind}`;
  return Object.hasOwn(RETIRED, key) ? RETIRED[key] : undefined;
}
