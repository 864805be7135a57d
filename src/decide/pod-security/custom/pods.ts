/** The pods of a world against the profiles of a team's own. */
import { accountOf } from '#kube/accounts.ts';
import { type KubeObject, nameOf, type Path } from '#kube/objects.ts';
import type { PodSubject } from '#world/subjects.ts';
import { metadataOf, type World } from '#world/world.ts';
import { readAppArmorObject } from '../profiles/read-apparmor-object.ts';
import { readSeccomp } from '../profiles/read-seccomp.ts';
import { readSelinux } from '../profiles/read-selinux.ts';
import type { SelinuxPolicy } from '../profiles/selinux-policy.ts';
import { evaluateProfile, type ProfileVerdict, permittedPlaces } from './evaluate.ts';
import type { FindSeccomp } from './linux.ts';
import type { CustomProfile } from './profile.ts';
import { chooseProfile } from './scope.ts';

export type JudgedPod =
  | ({ readonly is: 'judged'; readonly profile: CustomProfile } & ProfileVerdict)
  | { readonly is: 'none' }
  | { readonly is: 'unknown'; readonly because: string };

/** A namespace may be another one to another environment, so each world has its own answers. */
const judged = (_: World): Map<readonly CustomProfile[], Map<PodSubject, JudgedPod>> => new Map();

/** What the profile that is for a pod says of it. */
export function judgePod(world: World, pod: PodSubject, profiles: readonly CustomProfile[]): JudgedPod {
  const answers = world.fact(judged);
  let known = answers.get(profiles);
  if (known === undefined) {
    known = new Map();
    answers.set(profiles, known);
  }
  let answer = known.get(pod);
  if (answer === undefined) {
    answer = judgeNow(world, pod, profiles);
    known.set(pod, answer);
  }
  return answer;
}

function judgeNow(world: World, pod: PodSubject, profiles: readonly CustomProfile[]): JudgedPod {
  const { namespace, metadata, spec } = pod;
  const object = namespace === undefined ? undefined : world.find('/Namespace', undefined, namespace);
  const chosen = chooseProfile(profiles, {
    namespace,
    namespaceLabels: object === undefined ? undefined : (metadataOf(object.metadata).labels ?? {}),
    labels: metadata.labels ?? {},
    serviceAccount: accountOf(spec),
  });
  if (chosen.is !== 'profile') return chosen;
  const { profile } = chosen;
  return {
    is: 'judged',
    profile,
    ...evaluateProfile(profile, { metadata, spec }, world.fact(seccompProfiles)),
  };
}

/** Places in the object at which a profile expressly lets the pod do what the standards would not. */
export function permittedIn(
  world: World,
  pod: PodSubject,
  profiles: readonly CustomProfile[],
): { readonly profile: CustomProfile; readonly paths: readonly Path[] } | undefined {
  const answer = judgePod(world, pod, profiles);
  if (answer.is !== 'judged') return undefined;
  const { metadata, spec } = pod;
  const paths = permittedPlaces(answer.profile, { metadata, spec }, answer);
  return { profile: answer.profile, paths: paths.map(path => pod.pathOf(path)) };
}

const KIND = 'security-profiles-operator.x-k8s.io/SeccompProfile';
const APPARMOR = 'security-profiles-operator.x-k8s.io/AppArmorProfile';
const SELINUX = ['SelinuxProfile', 'RawSelinuxProfile'].map(
  kind => `security-profiles-operator.x-k8s.io/${kind}`,
);

/**
 * The profile objects of the input by the names under which pods find them on the node.
 * Source: security-profiles-operator api/seccompprofile (GetProfileOperatorPath): `operator/NAMESPACE/NAME.json`, and
 * without the namespace since its objects have none.
 */
export function seccompProfiles(world: World): FindSeccomp {
  const objects = world.ofKind(KIND).map(({ object }) => object);
  const find = (localhostProfile: string) => {
    const match = /^operator\/(?:([^/]+)\/)?([^/]+)\.json$/.exec(localhostProfile);
    if (match === null) return undefined;
    const [, namespace, name] = match;
    const found = objects.find(({ metadata }) => {
      const own = metadata?.namespace;
      return metadata?.name === name && (namespace === undefined || own === undefined || own === namespace);
    });
    return found === undefined
      ? undefined
      : readSeccomp(found, localhostProfile, () => undefined, objects).profile;
  };
  const names = () =>
    objects.flatMap(({ metadata }) => {
      const { name, namespace } = metadata ?? {};
      if (name === undefined) return [];
      return [
        `operator/${name}.json`,
        ...(namespace === undefined ? [] : [`operator/${namespace}/${name}.json`]),
      ];
    });
  const appArmor = new Map(
    world.ofKind(APPARMOR).flatMap(({ object }) => {
      const [profile] = readAppArmorObject(object, () => undefined).profiles;
      return profile === undefined ? [] : [[nameOf(object), profile] as const];
    }),
  );
  const types = world
    .ofKind(SELINUX[0]!)
    .concat(world.ofKind(SELINUX[1]!))
    .map(({ object }) => object);
  // Older versions of the operator have the namespace in the name. Source: its api/selinuxprofile (GetPolicyUsage).
  const typesOf = ({ metadata }: KubeObject) => [
    `${metadata?.name}.process`,
    `${metadata?.name}_${metadata?.namespace ?? ''}.process`,
  ];
  const read = new Map<KubeObject, SelinuxPolicy>();
  const selinux = (type: string) => {
    const found = types.find(object => typesOf(object).includes(type));
    if (found === undefined) return undefined;
    const policy = read.get(found) ?? readSelinux(found, () => undefined, types).policy;
    read.set(found, policy);
    return policy;
  };
  return Object.assign(find, {
    selinux,
    selinuxTypes: () => types.flatMap(typesOf),
    names,
    appArmor: (name: string) => appArmor.get(name),
    appArmorNames: () => appArmor.keys(),
  });
}
