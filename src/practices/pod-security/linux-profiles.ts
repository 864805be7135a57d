/**
 * Which Linux profiles the objects of a world hold, and who uses them by name.
 *
 * Source: security-profiles-operator api/seccompprofile (GetProfilePath: `operator/web.json`, with the namespace before
 * the name in versions with namespaced profiles), api/apparmorprofile (the name itself), api/selinuxprofile
 * (`web.process`; `web_shop.process` before).
 */

import { podsOf } from '#decide/pod-security/pods.ts';
import { statedAppArmor } from '#decide/pod-security/profiles/apparmor-effective.ts';
import { contextOf } from '#decide/pod-security/profiles/selinux.ts';
import { type KubeObject, nameOf, type Path } from '#kube/objects.ts';
import { APPARMOR_ANNOTATION } from '#kube/pods.ts';
import type { ContainerSubject, PodSubject } from '#world/subjects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { capabilitiesOf } from './capabilities.ts';

const GROUP = 'security-profiles-operator.x-k8s.io';

export type ProfileKind = 'seccomp' | 'apparmor' | 'selinux';

export interface ProfileUse {
  readonly kind: ProfileKind;
  /** As the pod names it: `operator/web.json`, `web`, `web.process`. */
  readonly name: string;
  readonly container: ContainerSubject;
  /** In the pod. */
  readonly path: Path;
}

/**
 * The profiles on the node that the containers of a pod name.
 *
 * @param minor of the cluster
 */
export function profileUses(pod: PodSubject, minor: number): ProfileUse[] {
  const ofPod = pod.spec.securityContext;
  const isAnnotated = Object.keys(pod.metadata.annotations ?? {}).some(key =>
    key.startsWith(APPARMOR_ANNOTATION),
  );
  return pod.containers.flatMap(subject => {
    const { container, path } = subject;
    const own = container.securityContext;
    const at = (mine: unknown, field: string): Path =>
      mine === undefined
        ? ['spec', 'securityContext', field, 'localhostProfile']
        : [...path, 'securityContext', field, 'localhostProfile'];
    const uses: ProfileUse[] = [];
    const use = (kind: ProfileKind, name: string | undefined, where: Path): void => {
      if (name !== undefined && name !== '') uses.push({ kind, name, container: subject, path: where });
    };
    const seccomp = own?.seccompProfile ?? ofPod?.seccompProfile;
    if (seccomp?.type === 'Localhost')
      use('seccomp', seccomp.localhostProfile, at(own?.seccompProfile, 'seccompProfile'));
    // Most pods state none: they need not wait for the module that knows.
    const isStated =
      own?.appArmorProfile !== undefined || ofPod?.appArmorProfile !== undefined || isAnnotated;
    const appArmor = isStated ? statedAppArmor(pod, container, path, minor) : undefined;
    if (appArmor?.profile.type === 'Localhost')
      use(
        'apparmor',
        appArmor.profile.localhostProfile,
        appArmor.from === 'annotation' ? appArmor.path : [...appArmor.path, 'localhostProfile'],
      );
    if (own?.seLinuxOptions !== undefined || ofPod?.seLinuxOptions !== undefined) {
      const { type, unlabelled } = contextOf(subject);
      if (unlabelled === undefined && type?.value.endsWith('.process') === true)
        use('selinux', type.value, type.path);
    }
    return uses;
  });
}

/** The names by which pods can ask for the profile of an object of the operator. */
export function namesOf(object: KubeObject): readonly string[] {
  const name = nameOf(object);
  const namespace = namespaceOf(object);
  switch (object.kind) {
    case 'SeccompProfile': {
      const file = name.endsWith('.json') ? name : `${name}.json`;
      return [`operator/${file}`, ...(namespace === undefined ? [] : [`operator/${namespace}/${file}`])];
    }
    case 'AppArmorProfile':
      return [name];
    default:
      return [`${name}.process`, `${name}_${namespace ?? ''}.process`];
  }
}

const KINDS: Readonly<Record<ProfileKind, readonly string[]>> = {
  seccomp: [`${GROUP}/SeccompProfile`],
  apparmor: [`${GROUP}/AppArmorProfile`],
  selinux: [`${GROUP}/SelinuxProfile`, `${GROUP}/RawSelinuxProfile`],
};

/** The kinds of the Security Profiles Operator that hold a profile. */
export const PROFILE_KINDS = Object.values(KINDS).flat();

/** The names of the profiles of a world; undefined for a kind of which it holds none. */
export function heldProfiles(world: World): Readonly<Record<ProfileKind, ReadonlySet<string> | undefined>> {
  const names = (kind: ProfileKind): ReadonlySet<string> | undefined => {
    const all = KINDS[kind].flatMap(key => world.ofKind(key));
    return all.length === 0 ? undefined : new Set(all.flatMap(({ object }) => namesOf(object)));
  };
  return { seccomp: names('seccomp'), apparmor: names('apparmor'), selinux: names('selinux') };
}

/** By the name of a seccomp profile: the capabilities of the containers that name it, `CAP_` before each. */
export function seccompUsers(world: World): ReadonlyMap<string, ReadonlySet<string>> {
  const users = new Map<string, Set<string>>();
  for (const { object } of world.declared)
    for (const pod of podsOf(world, object).pods)
      for (const { kind, name, container } of profileUses(pod, world.kubernetesMinor)) {
        if (kind !== 'seccomp') continue;
        const held = users.get(name) ?? new Set();
        users.set(name, held);
        for (const capability of capabilitiesOf(container.container)) held.add(`CAP_${capability}`);
      }
  return users;
}
