/**
 * What the registry does to a new pod between the two phases of admission, as far as a policy sees it: `procMount` is
 * reset (its feature gate is off in 1.24), and seccomp's fields and annotations are made to say the same.
 * Source: pkg/api/pod/util.go (dropDisabledProcMountField), pkg/registry/core/pod/strategy.go (applySeccompVersionSkew).
 */
import type { Container, Pod, Profile } from '#kube/pods.ts';
import { SECCOMP_CONTAINER, SECCOMP_POD, seccompAnnotation, seccompField } from './profiles.ts';
import { annotated, annotationOf, mapContainers } from './received.ts';

export function prepared(pod: Pod): Pod {
  const added = new Map<string, string>();
  /** @returns the field that an annotation stands for, where only that is there */
  const sync = (key: string, field: Profile | undefined): Profile | undefined => {
    const annotation = added.get(key) ?? annotationOf(pod, key);
    if (field === undefined) return annotation === undefined ? undefined : seccompField(annotation);
    const text = seccompAnnotation(field);
    if (annotation === undefined && text !== '') added.set(key, text);
    return undefined;
  };
  const { securityContext } = pod.spec;
  const ofPod = sync(SECCOMP_POD, securityContext?.seccompProfile);
  const { spec, ...rest } = mapContainers(pod, container => withProcMountReset(withProfile(container, sync)));
  return annotated(
    {
      ...rest,
      spec:
        ofPod === undefined
          ? spec
          : { ...spec, securityContext: { ...securityContext, seccompProfile: ofPod } },
    },
    added,
  );
}

function withProfile(
  container: Container,
  sync: (key: string, field: Profile | undefined) => Profile | undefined,
): Container {
  const { name = '', securityContext } = container;
  const seccompProfile = sync(SECCOMP_CONTAINER + name, securityContext?.seccompProfile);
  return seccompProfile === undefined
    ? container
    : { ...container, securityContext: { ...securityContext, seccompProfile } };
}

function withProcMountReset(container: Container): Container {
  const { securityContext } = container;
  return securityContext?.procMount === undefined
    ? container
    : { ...container, securityContext: { ...securityContext, procMount: 'Default' } };
}
