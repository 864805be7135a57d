/**
 * The rules of a policy on seccomp and AppArmor profiles, which stand in its annotations.
 * Source: pkg/security/podsecuritypolicy/{seccomp,apparmor}, pkg/api/pod/util.go.
 */
import { quoted } from '#kube/go-text.ts';
import type { Container, Pod, Profile } from '#kube/pods.ts';
import type { Objections } from './errors.ts';
import type { Policy } from './policy.ts';
import { annotationOf } from './received.ts';

export const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
export const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
export const APPARMOR_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/';

const RUNTIME_DEFAULT = 'runtime/default';
const DOCKER_DEFAULT = 'docker/default';
const LOCALHOST = 'localhost/';

/** The annotation that says what a seccomp field says; empty for one that says nothing. */
export function seccompAnnotation({ type, localhostProfile }: Profile): string {
  if (type === 'Unconfined') return 'unconfined';
  if (type === 'RuntimeDefault') return RUNTIME_DEFAULT;
  return type === 'Localhost' && localhostProfile !== undefined ? LOCALHOST + localhostProfile : '';
}

/** The field that says what a seccomp annotation says. */
export function seccompField(annotation: string): Profile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === RUNTIME_DEFAULT || annotation === DOCKER_DEFAULT) return { type: 'RuntimeDefault' };
  return annotation.startsWith(LOCALHOST) && annotation.length > LOCALHOST.length
    ? { type: 'Localhost', localhostProfile: annotation.slice(LOCALHOST.length) }
    : undefined;
}

export interface SeccompRule {
  /** The annotation that the pod is to have; empty for none. */
  presetFor(pod: Pod): string;
  /** @param profile the pod's, completed: see {@link presetFor} */
  objectToPod(profile: string, errors: Objections): void;
  objectToContainer(pod: Pod, container: Container, profile: string, errors: Objections): void;
}

export function seccompRule({ annotations }: Policy): SeccompRule {
  const stated = annotations.get('seccomp.security.alpha.kubernetes.io/allowedProfileNames');
  const preset = annotations.get('seccomp.security.alpha.kubernetes.io/defaultProfileName') ?? '';
  const names = new Set(stated?.split(','));
  const any = names.delete('*');
  // Since the field exists the two names mean the same.
  if (names.has(RUNTIME_DEFAULT) || names.has(DOCKER_DEFAULT)) names.add(RUNTIME_DEFAULT).add(DOCKER_DEFAULT);
  const judge = (key: string, profile: string, errors: Objections): void => {
    if (names.has(profile) || (names.size === 0 && profile === '')) return;
    const field = `pod.metadata.annotations[${key}]`;
    errors.forbidden(
      field,
      names.size === 0
        ? 'seccomp may not be set'
        : `${profile} is not an allowed seccomp profile. Valid values are ${stated ?? ''}`,
    );
  };
  return {
    presetFor: pod => seccompOfPod(pod) ?? preset,
    objectToPod(profile, errors) {
      if (!any) judge(SECCOMP_POD, profile, errors);
    },
    objectToContainer(pod, container, profile, errors) {
      if (!any)
        judge(
          SECCOMP_CONTAINER + (container.name ?? ''),
          seccompOfContainer(pod, container, profile),
          errors,
        );
    },
  };
}

/** The annotation before the field; undefined where there is neither. */
function seccompOfPod(pod: Pod): string | undefined {
  const annotation = annotationOf(pod, SECCOMP_POD);
  if (annotation !== undefined && annotation !== '') return annotation;
  const field = pod.spec.securityContext?.seccompProfile;
  return field === undefined ? undefined : seccompAnnotation(field);
}

/** The container's field before its annotation, and the pod's field before what its annotation is to say. */
function seccompOfContainer(pod: Pod, { name = '', securityContext }: Container, ofPod: string): string {
  const own = securityContext?.seccompProfile;
  if (own !== undefined) return seccompAnnotation(own);
  const annotation = annotationOf(pod, SECCOMP_CONTAINER + name);
  if (annotation !== undefined) return annotation;
  const field = pod.spec.securityContext?.seccompProfile;
  return field === undefined ? ofPod : seccompAnnotation(field);
}

export interface AppArmorRule {
  /** The profile of containers that have none; empty for none. */
  readonly preset: string;
  object(pod: Pod, container: Container, errors: Objections): void;
}

export function apparmorRule({ annotations }: Policy): AppArmorRule {
  const stated = annotations.get('apparmor.security.beta.kubernetes.io/allowedProfileNames');
  const preset = annotations.get('apparmor.security.beta.kubernetes.io/defaultProfileName') ?? '';
  if (stated === undefined) return { preset, object: () => {} };
  const names = new Set(stated.split(','));
  const allowed = quoted(stated);
  return {
    preset,
    object(pod, { name = '' }, errors) {
      const key = APPARMOR_CONTAINER + name;
      const field = `pod.metadata.annotations[${key}]`;
      const profile = annotationOf(pod, key) || preset;
      if (profile === '') errors.forbidden(field, 'AppArmor profile must be set');
      else if (!names.has(profile))
        errors.forbidden(field, `${profile} is not an allowed profile. Allowed values: ${allowed}`);
    },
  };
}
