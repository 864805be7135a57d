/**
 * The SELinux context of a container as it takes effect, and what its parts mean.
 *
 * Sources: kubernetes pkg/securitycontext/util.go (a container's options replace the pod's, all four at once);
 * containerd internal/cri/server/container_create.go and helpers.go (toLabel, checkSelinuxLevel: options that are all
 * empty mean the sandbox's; privileged means no label); CRI-O internal/factory/container/container_linux.go
 * (SelinuxLabel: each field on its own over the sandbox's label) and server/container_create_linux.go (no label with
 * hostPID or hostIPC); opencontainers/selinux go-selinux/label (InitLabels: what is not given comes from the node, the
 * level at random); container-selinux container.te, fedora-selinux selinux-policy (unconfined_domain), Bottlerocket
 * packages/selinux-policy/subject.cil (types); selinux-policy policy/mcs (what a level keeps apart).
 */
import type { Path } from '#kube/objects.ts';
import type { Pod, SELinuxOptions } from '#kube/pods.ts';
import type { ContainerSubject } from '#world/subjects.ts';

export type Runtime = 'containerd' | 'cri-o';
export const SELINUX_FIELDS = ['user', 'role', 'type', 'level'] as const;
export type SelinuxField = (typeof SELINUX_FIELDS)[number];

export interface StatedPart {
  readonly value: string;
  readonly from: 'container' | 'pod';
  /** In the pod. */
  readonly path: Path;
}

/** What a container's processes are labelled with. A part that is absent is the default of the node. */
export interface EffectiveContext extends Partial<Readonly<Record<SelinuxField, StatedPart>>> {
  /** Why the runtime gives no label at all: the process then runs in the runtime's own domain or in spc_t. */
  readonly unlabelled?: 'privileged' | 'hostPID' | 'hostIPC';
  /** What the pod states and this container does not get, because it has options of its own (containerd). */
  readonly lost: readonly SelinuxField[];
}

export function contextOf(
  {
    pod,
    container,
    path,
  }: Pick<ContainerSubject, 'container' | 'path'> & { readonly pod: Pick<Pod, 'spec'> },
  runtime: Runtime = 'containerd',
): EffectiveContext {
  const own = stated(container.securityContext?.seLinuxOptions, 'container', [
    ...path,
    'securityContext',
    'seLinuxOptions',
  ]);
  const ofPod = stated(pod.spec.securityContext?.seLinuxOptions, 'pod', [
    'spec',
    'securityContext',
    'seLinuxOptions',
  ]);
  const isOwn = Object.keys(own).length > 0;
  const parts = runtime === 'cri-o' ? { ...ofPod, ...own } : isOwn ? own : ofPod;
  const lost =
    runtime === 'containerd' && isOwn ? SELINUX_FIELDS.filter(field => ofPod[field] && !own[field]) : [];
  const unlabelled =
    container.securityContext?.privileged === true
      ? 'privileged'
      : runtime === 'cri-o' && pod.spec.hostPID === true
        ? 'hostPID'
        : runtime === 'cri-o' && pod.spec.hostIPC === true
          ? 'hostIPC'
          : undefined;
  return { ...parts, lost, ...(unlabelled === undefined ? {} : { unlabelled }) };
}

type Parts = Partial<Record<SelinuxField, StatedPart>>;

/** An empty string is the same as nothing: only what has letters reaches the runtime. */
function stated(options: SELinuxOptions | undefined, from: 'container' | 'pod', at: Path): Parts {
  const parts: Parts = {};
  for (const field of SELINUX_FIELDS) {
    const value = options?.[field];
    if (value !== undefined && value !== '') parts[field] = { value, from, path: [...at, field] };
  }
  return parts;
}

/** What a type does to a process. */
export type Confinement =
  | { readonly is: 'container' }
  /** Meant for containers, and wider than the usual one. */
  | { readonly is: 'wider'; readonly gives: string }
  /** Nothing is kept from it, whatever its name. */
  | { readonly is: 'unconfined'; readonly because: string }
  /** `web.process`: a profile of udica or of the Security Profiles Operator. */
  | { readonly is: 'profile'; readonly name: string }
  /** Only the policy of the node knows. */
  | { readonly is: 'unknown' };

/** The types of usual containers. */
export const CONTAINER_TYPES = ['container_t', 'container_kvm_t', 'svirt_lxc_net_t'];
const CONFINED = new Set(CONTAINER_TYPES);

/** Source: container-selinux container.te. */
const WIDER: Readonly<Record<string, string>> = {
  container_init_t: 'the cgroups of the container, as systemd needs them',
  container_engine_t: 'mounts of every kind of file system, and requests for kernel modules',
  container_userns_t: 'nearly every capability, and mounts',
  container_logreader_t: 'reading every log of the node, its audit log too',
  container_logwriter_t: 'changing every log of the node, its audit log too',
  container_device_t: 'every character device of the node',
  container_device_plugin_t: 'every character device of the node, and the socket of the kubelet',
  container_device_plugin_init_t: 'every character device and the files of Kubernetes on the node',
};

const FEDORA = 'selinux-policy makes it an unconfined domain';
/** Types whose domains are unconfined, with who says so. */
const UNCONFINED: Readonly<Record<string, string>> = {
  spc_t: 'container-selinux makes it the domain of super-privileged containers: nothing is kept from it',
  container_runtime_t: 'it is the domain of the container runtime itself, which is unconfined',
  docker_t: 'it is another name of container_runtime_t, the domain of the container runtime',
  kubelet_t: 'it is the domain of the kubelet, which is unconfined',
  super_t: 'Bottlerocket makes it the domain of what may change everything',
  control_t: 'Bottlerocket makes it the domain of what controls the node (spc_t there)',
  unconfined_t: FEDORA,
  unconfined_service_t: FEDORA,
  unconfined_mount_t: FEDORA,
  unconfined_cronjob_t: FEDORA,
  initrc_t: FEDORA,
  crond_t: FEDORA,
  system_cronjob_t: FEDORA,
  rpm_t: FEDORA,
  rpm_script_t: FEDORA,
  dpkg_t: FEDORA,
  dpkg_script_t: FEDORA,
  kmod_t: FEDORA,
  mount_t: FEDORA,
  semanage_t: FEDORA,
  setfiles_mac_t: FEDORA,
  devicekit_t: FEDORA,
  devicekit_disk_t: FEDORA,
  virtd_t: FEDORA,
  virtd_lxc_t: FEDORA,
  cloud_init_t: FEDORA,
  tuned_t: FEDORA,
  kdumpctl_t: FEDORA,
  cluster_t: FEDORA,
  anaconda_t: FEDORA,
  install_t: FEDORA,
  livecd_t: FEDORA,
  httpd_unconfined_script_t: FEDORA,
  certmonger_unconfined_t: FEDORA,
};

export function confinementOf(type: string): Confinement {
  if (CONFINED.has(type)) return { is: 'container' };
  if (Object.hasOwn(WIDER, type)) return { is: 'wider', gives: WIDER[type]! };
  if (Object.hasOwn(UNCONFINED, type)) return { is: 'unconfined', because: UNCONFINED[type]! };
  const profile = /^(.+)\.process$/.exec(type);
  return profile === null ? { is: 'unknown' } : { is: 'profile', name: profile[1]! };
}

/** The users and roles that policies give to containers; others must be allowed there for the type. */
export function isUsualUser(user: string): boolean {
  return user === 'system_u' || user === 'container_u';
}

export function isUsualRole(role: string): boolean {
  return role === 'system_r';
}

/** A sensitivity with its categories as a set of bits: bit 3 is `c3`. */
export interface Level {
  readonly sensitivity: number;
  readonly categories: bigint;
}

/** `s0:c1,c2` is a range of one level. A process reads what its high level dominates. */
export interface Range {
  readonly low: Level;
  readonly high: Level;
}

/** mls_num_sens and mcs_num_cats of build.conf in selinux-policy. */
const SENSITIVITIES = 16;
const CATEGORIES = 1024;
/** The whole set is written in 8 characters; nobody needs more than every category by name. */
const LONGEST = 8192;

/**
 * `s0`, `s0:c1,c2`, `s0:c1.c5`, `s0-s0:c0.c1023`. Source: libsepol and the kernel's mls_context_to_sid.
 *
 * @returns a sentence for what no policy takes
 */
export function parseRange(text: string): Range | string {
  if (text.length > LONGEST) return 'it is too long';
  const [first = '', second, more] = text.split('-');
  if (more !== undefined) return 'a range has two levels';
  const low = parseLevel(first);
  if (typeof low === 'string') return low;
  const high = second === undefined ? low : parseLevel(second);
  if (typeof high === 'string') return high;
  return dominates(high, low) ? { low, high } : 'its second level does not hold its first one';
}

function parseLevel(text: string): Level | string {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const sensitivity = numberAfter('s', name, SENSITIVITIES);
  if (sensitivity === undefined) return `"${short(name)}" is no sensitivity such as s0`;
  let categories = 0n;
  if (colon >= 0)
    for (const item of text.slice(colon + 1).split(',')) {
      const [from = '', to, more] = item.split('.');
      const first = numberAfter('c', from, CATEGORIES);
      const last = to === undefined ? first : numberAfter('c', to, CATEGORIES);
      if (first === undefined || last === undefined || more !== undefined)
        return `"${short(item)}" is no category such as c12 or c0.c1023`;
      if (first > last) return `"${short(item)}" runs backwards`;
      categories |= ((1n << BigInt(last - first + 1)) - 1n) << BigInt(first);
    }
  return { sensitivity, categories };
}

function numberAfter(letter: string, word: string, count: number): number | undefined {
  if (!/^[a-z]\d{1,4}$/.test(word) || word[0] !== letter) return undefined;
  const number = Number(word.slice(1));
  return number < count ? number : undefined;
}

function short(text: string): string {
  return text.length > 20 ? `${text.slice(0, 19)}…` : text;
}

/** Whether containerd takes a level; what it does not take keeps the container from starting. */
export function isTakenByContainerd(level: string): boolean {
  return /^s\d(?:-s\d)?(?::c\d{1,4}(?:\.c\d{1,4})?(?:,c\d{1,4}(?:\.c\d{1,4})?)*)?$/.test(level);
}

/** Whether a process of the first level may read and write files of the second, as far as levels say. */
export function dominates(one: Level, other: Level): boolean {
  return one.sensitivity >= other.sensitivity && (one.categories & other.categories) === other.categories;
}

export function isSameLevel(one: Level, other: Level): boolean {
  return one.sensitivity === other.sensitivity && one.categories === other.categories;
}

/** Every category: whatever level another container gets at random, this one reaches its files. */
export function holdsEverything({ high }: Range): boolean {
  return high.categories === (1n << BigInt(CATEGORIES)) - 1n;
}
