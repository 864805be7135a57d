/**
 * The profile of AppArmor that containerd gives a container which names none, or RuntimeDefault: everything but what is
 * denied here. Its rules are data of containerd, by the versions that have them.
 *
 * Source: containerd contrib/apparmor/template.go (v1.7.0, v2.0.0 to v2.2.0, v2.3.0), internal/cri/sputil
 * apparmor_linux.go (who gets it: no privileged container does).
 */
import { type AppArmorProfile, readAppArmor } from './apparmor.ts';
import { type AppArmorDecision, accessOf, decideAccess } from './apparmor-decide.ts';

const NAME = 'cri-containerd.apparmor.d';
const EVERY = [
  '@{PROC}/* w',
  '@{PROC}/sys/[^k]** w',
  '@{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w',
  '@{PROC}/sysrq-trigger rwklx',
  '@{PROC}/kcore rwklx',
  'mount',
  '/sys/[^f]*/** wklx',
  '/sys/f[^s]*/** wklx',
  '/sys/fs/[^c]*/** wklx',
  '/sys/fs/c[^g]*/** wklx',
  '/sys/fs/cg[^r]*/** wklx',
  '/sys/firmware/** rwklx',
  '/sys/kernel/security/** rwklx',
];
/** Kept out of /proc by files that are there only in memory; a pattern that takes in more than was meant. */
const BEFORE_2_3 = [
  '@{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w',
  '@{PROC}/mem rwklx',
  '@{PROC}/kmem rwklx',
];
const SINCE_2_3 = [
  '@{PROC}/{[^1-9/],[^1-9/][^0-9/],[^1-9s/][^0-9y/][^0-9s/],[^1-9/][^0-9/][^0-9/][^0-9/]*}/** w',
];
const SINCE_2_0 = ['/sys/devices/virtual/powercap/** rwklx'];
const VERSIONS = [
  [...EVERY, ...BEFORE_2_3],
  [...EVERY, ...BEFORE_2_3, ...SINCE_2_0],
  [...EVERY, ...SINCE_2_3, ...SINCE_2_0],
];

let known: readonly AppArmorProfile[] | undefined;

/** From the oldest version to the newest. */
export function runtimeAppArmor(): readonly AppArmorProfile[] {
  known ??= VERSIONS.flatMap(denied => {
    const rules = [
      'network',
      'capability',
      'file',
      'umount',
      `signal (send,receive) peer=${NAME}`,
      'signal (receive) peer=unconfined',
      ...denied.map(rule => `deny ${rule}`),
      `ptrace (trace,tracedby,read,readby) peer=${NAME}`,
    ];
    return readAppArmor(
      `profile ${NAME} flags=(attach_disconnected,mediate_deleted) {\n${rules.join(',\n')},\n}\n`,
    ).profiles;
  });
  return known;
}

/**
 * What the default of whichever containerd it is says.
 *
 * @param access as {@link accessOf} reads it
 * @returns unknown where versions differ
 */
export function runtimeAllows(access: string): AppArmorDecision['answer'] {
  const asked = accessOf(access)!;
  const answers = new Set(runtimeAppArmor().map(profile => decideAccess(profile, asked).answer));
  return answers.size === 1 ? [...answers][0]! : 'unknown';
}
