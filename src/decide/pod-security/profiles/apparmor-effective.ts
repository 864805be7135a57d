/**
 * Which profile of AppArmor a container gets, and what the API server refuses of what is stated.
 *
 * Sources: kubernetes pkg/security/apparmor/helpers.go (GetProfile: the container's field, then its annotation, then the
 * pod's field), pkg/registry/core/pod/strategy.go (applyAppArmorVersionSkew), pkg/api/pod/util.go
 * (ApparmorFieldForAnnotation), pkg/apis/core/validation/validation.go (ValidateAppArmorPodAnnotations,
 * validateAppArmorAnnotationsAndFieldsMatchOnCreate). Fields are there since 1.30; older servers drop them.
 */
import type { Path } from '#kube/objects.ts';
import { APPARMOR_ANNOTATION, type Container, type Pod, type Profile } from '#kube/pods.ts';

/** The first version with fields. */
const FIELDS_SINCE = 30;

export interface StatedAppArmor {
  readonly profile: Profile;
  readonly from: 'container' | 'annotation' | 'pod';
  /** In the pod. */
  readonly path: Path;
}

/** @returns undefined for what is none: an empty one, a word that nobody knows, or a profile without a name */
export function profileOfAnnotation(text: string): Profile | undefined {
  if (text === 'runtime/default') return { type: 'RuntimeDefault' };
  if (text === 'unconfined') return { type: 'Unconfined' };
  const name = text.startsWith('localhost/') ? text.slice('localhost/'.length) : '';
  return name === '' ? undefined : { type: 'Localhost', localhostProfile: name };
}

/**
 * What takes effect.
 *
 * @param path of the container
 * @param minor of the cluster; the newest where absent
 * @returns undefined where nothing is stated: the default of the runtime
 */
export function statedAppArmor(
  { metadata, spec }: Pod,
  container: Container,
  path: Path,
  minor = FIELDS_SINCE,
): StatedAppArmor | undefined {
  const hasFields = minor >= FIELDS_SINCE;
  const own = container.securityContext?.appArmorProfile;
  if (hasFields && own !== undefined)
    return { profile: own, from: 'container', path: [...path, 'securityContext', 'appArmorProfile'] };
  const key = APPARMOR_ANNOTATION + (container.name ?? '');
  const annotations = metadata?.annotations ?? {};
  const profile = Object.hasOwn(annotations, key) ? profileOfAnnotation(annotations[key]!) : undefined;
  if (profile !== undefined) return { profile, from: 'annotation', path: ['metadata', 'annotations', key] };
  const ofPod = spec.securityContext?.appArmorProfile;
  return hasFields && ofPod !== undefined
    ? { profile: ofPod, from: 'pod', path: ['spec', 'securityContext', 'appArmorProfile'] }
    : undefined;
}

export interface AppArmorRefusal {
  readonly path: Path;
  readonly text: string;
}

/**
 * Annotations that keep a pod from being made.
 *
 * @param containers of every kind, by name
 */
export function refusedAnnotations(
  pod: Pod,
  containers: ReadonlyMap<string, { readonly container: Container; readonly path: Path }>,
  minor = FIELDS_SINCE,
): AppArmorRefusal[] {
  return Object.entries(pod.metadata?.annotations ?? {}).flatMap(([key, value]): AppArmorRefusal[] => {
    if (!key.startsWith(APPARMOR_ANNOTATION)) return [];
    const path = ['metadata', 'annotations', key];
    const name = key.slice(APPARMOR_ANNOTATION.length);
    const found = containers.get(name);
    if (found === undefined)
      return [{ path, text: `an annotation names the container "${name}", which the pod does not have` }];
    if (
      value !== '' &&
      value !== 'runtime/default' &&
      value !== 'unconfined' &&
      !value.startsWith('localhost/')
    )
      return [{ path, text: `annotation of container "${name}": "${value}" is no profile` }];
    if (minor < FIELDS_SINCE || pod.spec.os?.name === 'windows') return [];
    const own = found.container.securityContext?.appArmorProfile;
    const said = profileOfAnnotation(value);
    // Where the container states none, a profile that the annotation names becomes its field.
    const field = own ?? (said === undefined ? pod.spec.securityContext?.appArmorProfile : undefined);
    if (field === undefined || isSame(field, said)) return [];
    return [
      {
        path,
        text: `annotation of container "${name}" says ${value === '' ? 'nothing' : `"${value}"`}, its appArmorProfile ${word(field)}: both must say the same`,
      },
    ];
  });
}

function isSame(one: Profile, other: Profile | undefined): boolean {
  return word(one) === (other === undefined ? '' : word(other));
}

function word({ type = '', localhostProfile = '' }: Profile): string {
  return type === 'Localhost' ? `${type} ${localhostProfile}` : type;
}
