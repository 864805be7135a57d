/** What a profile asks beyond PodSecurityPolicy: Linux profiles as they take effect, user namespaces, Windows. */
import { matchesName } from '#kube/glob.ts';
import type { Path } from '#kube/objects.ts';
import type { Container, Pod, Profile, SELinuxOptions } from '#kube/pods.ts';
import { APPARMOR_CONTAINER } from '../policy/profiles.ts';
import { annotationOf } from '../policy/received.ts';
import type { AppArmorProfile } from '../profiles/apparmor.ts';
import { type AppArmorDecision, accessOf, decideAccess } from '../profiles/apparmor-decide.ts';
import { runtimeAllows } from '../profiles/apparmor-default.ts';
import { runtimeDefault } from '../profiles/runtime-default.ts';
import { reach, type Profile as SeccompProfile } from '../profiles/seccomp.ts';
import { confinementOf, contextOf } from '../profiles/selinux.ts';
import {
  type Access,
  decideAccess as decideType,
  type SelinuxPolicy,
  accessOf as selinuxAccessOf,
} from '../profiles/selinux-policy.ts';
import { containersOf, type Placed } from '../standards/check.ts';
import { DEFAULT_CAPABILITIES } from '../standards/privileges.ts';
import { SELINUX_TYPES } from '../standards/profiles.ts';
import type { FieldName } from './form.ts';
import type { CustomProfile } from './profile.ts';

/** One place in a pod that breaks a profile. */
export interface ProfileBreach {
  /** Of the profile; `extends` for its level. */
  readonly field: FieldName | 'extends';
  /** In the pod: where it is, or should be, written. */
  readonly path: Path;
  readonly container?: string;
  /** What is wrong, without the container's name. */
  readonly detail: string;
  /** What would keep the profile, where one value suggests itself; undefined takes the field away. */
  readonly mend?: { readonly value: unknown };
}

/** Finds the profile of the node that `localhostProfile` names; undefined where the input does not hold it. */
export interface FindSeccomp {
  (localhostProfile: string): SeccompProfile | undefined;
  /** All that there are. */
  readonly names?: () => Iterable<string>;
  /** The same for AppArmor. */
  readonly appArmor?: (localhostProfile: string) => AppArmorProfile | undefined;
  readonly appArmorNames?: () => Iterable<string>;
  /** The same for SELinux, by the type that pods state. */
  readonly selinux?: (type: string) => SelinuxPolicy | undefined;
  readonly selinuxTypes?: () => Iterable<string>;
}

/** The profiles of the input, and before them those of files that a profile names. */
export function withContents({ contents }: CustomProfile, find: FindSeccomp): FindSeccomp {
  if (contents === undefined) return find;
  const { seccomp, appArmor, selinux } = contents;
  return Object.assign((name: string) => seccomp.get(name) ?? find(name), {
    names: () => new Set([...seccomp.keys(), ...(find.names?.() ?? [])]),
    appArmor: (name: string) => appArmor.get(name) ?? find.appArmor?.(name),
    appArmorNames: () => new Set([...appArmor.keys(), ...(find.appArmorNames?.() ?? [])]),
    selinux: (type: string) => selinux.get(type) ?? find.selinux?.(type),
    selinuxTypes: () => new Set([...selinux.keys(), ...(find.selinuxTypes?.() ?? [])]),
  });
}

export interface Findings {
  readonly breaches: ProfileBreach[];
  readonly unknowns: string[];
}

/** `RuntimeDefault`, `Unconfined`, `Localhost/NAME`, or `Unset`. */
export function profileWord(profile: Profile | undefined): string {
  const { type = '', localhostProfile = '' } = profile ?? {};
  return type === 'Localhost' ? `Localhost/${localhostProfile}` : type === '' ? 'Unset' : type;
}

function annotationWord(text: string): string {
  if (text === '') return 'Unset';
  if (text === 'runtime/default') return 'RuntimeDefault';
  if (text === 'unconfined') return 'Unconfined';
  return text.startsWith('localhost/') ? `Localhost/${text.slice('localhost/'.length)}` : text;
}

interface Effective {
  readonly word: string;
  readonly profile: Profile | undefined;
  readonly path: Path;
  /** Undefined where the pod says it for all. */
  readonly container: string | undefined;
}

/** The profile of a container as it takes effect, and where it is written; the pod where nobody says anything. */
function effective(
  pod: Pod,
  { container, path, name }: Placed,
  field: 'seccompProfile' | 'appArmorProfile',
): Effective {
  const own = container.securityContext?.[field];
  if (own !== undefined)
    return {
      word: profileWord(own),
      profile: own,
      path: [...path, 'securityContext', field],
      container: name,
    };
  const ofPod = pod.spec.securityContext?.[field];
  const at: Path = ['spec', 'securityContext', field];
  const key = APPARMOR_CONTAINER + (container.name ?? '');
  const annotation = field === 'appArmorProfile' && ofPod === undefined ? annotationOf(pod, key) : undefined;
  if (annotation !== undefined)
    return {
      word: annotationWord(annotation),
      profile: undefined,
      path: ['metadata', 'annotations', key],
      container: name,
    };
  return { word: profileWord(ofPod), profile: ofPod, path: at, container: undefined };
}

export function isAllowedWord(allowed: readonly string[], word: string): boolean {
  return allowed.some(
    one => one === '*' || one === word || (one.startsWith('Localhost/') && matchesName(one, word)),
  );
}

function judgeWords(pod: Pod, field: 'seccomp' | 'appArmor', allowed: readonly string[]): ProfileBreach[] {
  const of = field === 'seccomp' ? 'seccompProfile' : 'appArmorProfile';
  const seen = new Set<string>();
  return containersOf(pod).flatMap(placed => {
    const { word, path, container } = effective(pod, placed, of);
    if (isAllowedWord(allowed, word) || seen.has(path.join('\0'))) return [];
    seen.add(path.join('\0'));
    const is = word === 'Unset' ? `${of} is not set` : `${of} is ${word}`;
    const type = allowed.find(one => one === 'RuntimeDefault');
    return [
      {
        field,
        path,
        ...(container === undefined ? {} : { container }),
        detail: `${is}, may only be ${allowed.join(', ')}`,
        ...(type === undefined || path[0] === 'metadata' ? {} : { mend: { value: { type } } }),
      },
    ];
  });
}

/** What a container holds by default: with NET_RAW, which the standards do not count among it. */
export const USUAL_CAPABILITIES = [...DEFAULT_CAPABILITIES, 'NET_RAW'];

/** The capabilities on which rules of a profile depend, without their prefix. */
export function capabilitiesAskedBy({ rules }: SeccompProfile): string[] {
  const asked = rules.flatMap(({ includes, excludes }) => [
    ...(includes.caps ?? []),
    ...(excludes.caps ?? []),
  ]);
  return [...new Set(asked.map(one => one.replace(/^CAP_/, '')))];
}

/** Whether a profile lets a call through to whoever holds these capabilities. */
export function reachWith(
  profile: SeccompProfile,
  call: string,
  held: Iterable<string>,
): ReturnType<typeof reach> {
  const capabilities = new Set([...held].map(one => `CAP_${one}`));
  return reach(profile, call, { architecture: 'x86_64', capabilities });
}

/** Sources: containerd internal/cri/opts (WithCapabilities): ALL first, then what is named. */
function heldBy({ securityContext }: Container, profile: SeccompProfile): ReadonlySet<string> {
  const plain = (names: readonly string[] = []) => names.map(one => one.toUpperCase().replace(/^CAP_/, ''));
  const drop = plain(securityContext?.capabilities?.drop);
  const add = plain(securityContext?.capabilities?.add);
  const start = add.includes('ALL')
    ? [...USUAL_CAPABILITIES, ...capabilitiesAskedBy(profile)]
    : drop.includes('ALL')
      ? []
      : USUAL_CAPABILITIES;
  return new Set([...start.filter(one => !drop.includes(one)), ...add]);
}

function judgeCalls(pod: Pod, calls: readonly string[], find: FindSeccomp, into: Findings): void {
  for (const placed of containersOf(pod)) {
    const { word, profile, path, container } = effective(pod, placed, 'seccompProfile');
    const privileged = placed.container.securityContext?.privileged === true;
    const place = { field: 'seccomp' as const, path, ...(container === undefined ? {} : { container }) };
    if (privileged || word === 'Unset' || word === 'Unconfined') {
      // A privileged container runs without a profile whatever it names. Source: containerd pkg/cri/sbserver (seccomp).
      const why = privileged ? 'a privileged container has no seccomp profile' : `seccompProfile is ${word}`;
      into.breaches.push({ ...place, detail: `${why}, so it may call ${calls.join(', ')}` });
      continue;
    }
    const content =
      word === 'RuntimeDefault' ? runtimeDefault('RuntimeDefault') : find(profile?.localhostProfile ?? '');
    if (content === undefined) {
      into.unknowns.push(
        `seccomp profile "${word}" is not in the input, so it is not known what it lets through`,
      );
      continue;
    }
    const held = heldBy(placed.container, content);
    const answers = calls.map(call => ({ call, answer: reachWith(content, call, held) }));
    const open = answers.filter(({ answer }) => answer === 'always' || answer === 'sometimes');
    if (open.length > 0)
      into.breaches.push({
        ...place,
        detail: `${word} lets ${open
          .map(({ call, answer }) => (answer === 'sometimes' ? `${call} (with some arguments)` : call))
          .join(', ')} through`,
      });
    for (const { call, answer } of answers)
      if (answer === 'unknown')
        into.unknowns.push(`it is not known whether seccomp profile "${word}" lets ${call} through`);
  }
}

function judgeAccesses(pod: Pod, accesses: readonly string[], find: FindSeccomp, into: Findings): void {
  for (const placed of containersOf(pod)) {
    const { word, path, container } = effective(pod, placed, 'appArmorProfile');
    const place = { field: 'appArmor' as const, path, ...(container === undefined ? {} : { container }) };
    const isDefault = word === 'RuntimeDefault' || word === 'Unset';
    // A privileged container has the profile that it names, and no default. Source: containerd internal/cri/sputil.
    const privileged = isDefault && placed.container.securityContext?.privileged === true;
    if (word === 'Unconfined' || privileged) {
      const why = privileged
        ? 'a privileged container gets no default profile'
        : 'appArmorProfile is Unconfined';
      into.breaches.push({ ...place, detail: `${why}, so it allows ${accesses.join(', ')}` });
      continue;
    }
    const content = word.startsWith('Localhost/')
      ? find.appArmor?.(word.slice('Localhost/'.length))
      : undefined;
    if (content === undefined && !isDefault) {
      into.unknowns.push(`AppArmor profile "${word}" is not in the input, so it is not known what it allows`);
      continue;
    }
    const answers = accesses.map(access => ({
      access,
      answer: content === undefined ? runtimeAllows(access) : allowsAccess(content, access),
    }));
    const open = answers.filter(({ answer }) => answer === 'allowed');
    if (open.length > 0)
      into.breaches.push({
        ...place,
        detail: `${word === 'Unset' ? 'the default profile of the runtime' : word} allows ${open.map(({ access }) => access).join(', ')}`,
      });
    for (const { access, answer } of answers)
      if (answer === 'unknown')
        into.unknowns.push(
          isDefault
            ? `versions of containerd differ in whether their AppArmor profile allows ${access}`
            : `it is not known whether AppArmor profile "${word}" allows ${access}`,
        );
  }
}

/** The template of the node that every profile inherits unless it says otherwise: container_t is made of it. */
const TEMPLATE = 'container';

/**
 * Whether a type allows an access beyond what every container has.
 *
 * @param access as the accesses of SELinux are read
 * @param type undefined for that of the node
 * @param find the profiles of the input
 */
export function typeAllows(
  type: string | undefined,
  access: string,
  find: FindSeccomp,
): { readonly answer: 'allowed' | 'denied' | 'unknown'; readonly because: string } {
  const confinement = type === undefined ? undefined : confinementOf(type);
  if (confinement === undefined || confinement.is === 'container')
    return { answer: 'denied', because: 'it is the confinement that containers have' };
  if (confinement.is === 'unconfined') return { answer: 'allowed', because: confinement.because };
  const policy = find.selinux?.(type!);
  if (policy === undefined)
    return {
      answer: 'unknown',
      because:
        confinement.is === 'wider'
          ? `what SELinux type "${type}" allows beyond container_t is in the policy of the node`
          : `SELinux type "${type}" is not in the input, so it is not known what it allows`,
    };
  const { answer, because } = decideType(policy, selinuxAccessOf(access) as Access, [TEMPLATE]);
  return answer === 'unknown'
    ? { answer, because: `whether SELinux type "${type}" allows ${access} is not known: ${because}` }
    : { answer, because };
}

function judgeTypes(pod: Pod, accesses: readonly string[], find: FindSeccomp, into: Findings): void {
  for (const { container, path, name } of containersOf(pod)) {
    const { type, unlabelled } = contextOf({ pod, container, path });
    const field = 'seLinux' as const;
    if (unlabelled !== undefined) {
      into.breaches.push({
        field,
        path: [...path, 'securityContext', 'privileged'],
        ...(name === undefined ? {} : { container: name }),
        detail: `a privileged container has no SELinux label, so it allows ${accesses.join(', ')}`,
      });
      continue;
    }
    const answers = accesses.map(access => ({ access, ...typeAllows(type?.value, access, find) }));
    const open = answers.filter(({ answer }) => answer === 'allowed');
    if (type !== undefined && open.length > 0)
      into.breaches.push({
        field,
        path: type.path,
        ...(type.from === 'pod' || name === undefined ? {} : { container: name }),
        detail: `type ${type.value} allows ${open.map(({ access }) => access).join(', ')}: ${open[0]!.because}`,
      });
    for (const { answer, because } of answers) if (answer === 'unknown') into.unknowns.push(because);
  }
}

/** @param access as {@link accessOf} reads it */
export function allowsAccess(profile: AppArmorProfile, access: string): AppArmorDecision['answer'] {
  return decideAccess(profile, accessOf(access)!).answer;
}

/** The types of SELinux that a level of the standards lets pods state. */
export function standardTypes(minor: number): readonly string[] {
  const types = SELINUX_TYPES.filter(type => type !== '');
  return minor >= 31 ? [...types, 'container_engine_t'] : types;
}

function judgeLabels({ spec, minor }: CustomProfile, pod: Pod): ProfileBreach[] {
  const { types = standardTypes(minor), users = [], roles = [], levels } = spec.seLinux!;
  const lists = { type: types, user: users, role: roles, level: levels } as const;
  const judge = (options: SELinuxOptions | undefined, at: Path, container?: string): ProfileBreach[] =>
    (['type', 'user', 'role', 'level'] as const).flatMap(part => {
      const value = options?.[part] ?? '';
      const list = lists[part];
      if (value === '' || list === undefined || list.includes(value)) return [];
      return [
        {
          field: 'seLinux' as const,
          path: [...at, 'securityContext', 'seLinuxOptions', part],
          ...(container === undefined ? {} : { container }),
          detail: `seLinuxOptions.${part} is ${value}, ${list.length === 0 ? 'may not be set' : `may only be ${list.join(', ')}`}`,
        },
      ];
    });
  return [
    ...judge(pod.spec.securityContext?.seLinuxOptions, ['spec']),
    ...containersOf(pod).flatMap(({ container, path, name }) =>
      judge(container.securityContext?.seLinuxOptions, path, name),
    ),
  ];
}

interface WindowsOptions {
  readonly hostProcess?: boolean;
  readonly runAsUserName?: string;
  readonly gmsaCredentialSpecName?: string;
}

function judgeWindows({ spec }: CustomProfile, pod: Pod): ProfileBreach[] {
  const { hostProcess, allowedUserNames, allowedCredentialSpecs } = spec.windows!;
  const judge = (options: WindowsOptions | undefined, at: Path, container?: string): ProfileBreach[] => {
    const breach = (name: keyof WindowsOptions, detail: string): ProfileBreach => ({
      field: 'windows',
      path: [...at, 'securityContext', 'windowsOptions', name],
      ...(container === undefined ? {} : { container }),
      detail,
    });
    const { runAsUserName, gmsaCredentialSpecName } = options ?? {};
    return [
      ...(hostProcess === false && options?.hostProcess === true
        ? [breach('hostProcess', 'windowsOptions.hostProcess is true')]
        : []),
      ...(allowedUserNames !== undefined &&
      runAsUserName !== undefined &&
      !allowedUserNames.includes(runAsUserName)
        ? [
            breach(
              'runAsUserName',
              `runAsUserName is ${runAsUserName}, may only be ${allowedUserNames.join(', ')}`,
            ),
          ]
        : []),
      ...(allowedCredentialSpecs !== undefined &&
      gmsaCredentialSpecName !== undefined &&
      !allowedCredentialSpecs.includes(gmsaCredentialSpecName)
        ? [breach('gmsaCredentialSpecName', `gmsaCredentialSpecName is ${gmsaCredentialSpecName}`)]
        : []),
    ];
  };
  return [
    ...judge(pod.spec.securityContext?.windowsOptions, ['spec']),
    ...containersOf(pod).flatMap(({ container, path, name }) =>
      judge(container.securityContext?.windowsOptions, path, name),
    ),
  ];
}

/** What one of the fields that PodSecurityPolicy did not have says of a pod. */
export function judgeOwn(
  field: FieldName,
  profile: CustomProfile,
  pod: Pod,
  find: FindSeccomp,
  into: Findings,
): void {
  const { spec } = profile;
  switch (field) {
    case 'seccomp': {
      const { allowed, forbiddenCalls } = spec.seccomp!;
      if (allowed !== undefined) into.breaches.push(...judgeWords(pod, 'seccomp', allowed));
      if (forbiddenCalls !== undefined) judgeCalls(pod, forbiddenCalls, withContents(profile, find), into);
      return;
    }
    case 'appArmor': {
      const { allowed, forbiddenAccess } = spec.appArmor!;
      if (allowed !== undefined) into.breaches.push(...judgeWords(pod, 'appArmor', allowed));
      if (forbiddenAccess !== undefined)
        judgeAccesses(pod, forbiddenAccess, withContents(profile, find), into);
      return;
    }
    case 'seLinux': {
      const { rule, forbiddenAccess } = spec.seLinux!;
      if (rule === 'MayRunAs') into.breaches.push(...judgeLabels(profile, pod));
      if (forbiddenAccess !== undefined) judgeTypes(pod, forbiddenAccess, withContents(profile, find), into);
      return;
    }
    case 'windows':
      into.breaches.push(...judgeWindows(profile, pod));
      return;
    case 'userNamespaces': {
      const has = pod.spec.hostUsers === false;
      if (spec.userNamespaces === 'required' && !has)
        into.breaches.push({
          field,
          path: ['spec', 'hostUsers'],
          detail: 'hostUsers must be false',
          mend: { value: false },
        });
      if (spec.userNamespaces === 'forbidden' && has)
        into.breaches.push({ field, path: ['spec', 'hostUsers'], detail: 'hostUsers is false' });
      return;
    }
    default:
  }
}
