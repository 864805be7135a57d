/**
 * What is wrong with a profile of SELinux: where it does not confine, and where it gives the node away.
 *
 * Sources of what a type is: selinux-policy policy/modules (kernel/kernel.te, kernel/files.fc, kernel/storage.fc,
 * kernel/devices.fc, services/ssh.fc), container-selinux container.fc.
 */
import type { Problem } from './read-seccomp.ts';
import { confinementOf } from './selinux.ts';
import { isWrite } from './selinux-classes.ts';
import type { SelinuxPolicy, SelinuxRule } from './selinux-policy.ts';

interface Danger {
  readonly types: string;
  /** Reading is enough; otherwise only changing is dangerous. */
  readonly toRead: boolean;
  readonly use: string;
}

const danger = (types: string, toRead: boolean, use: string): Danger => ({ types, toRead, use });

const FILES: readonly Danger[] = [
  danger('shadow_t', true, 'the passwords of the node'),
  danger('sshd_key_t ssh_home_t', true, 'the SSH keys of the node and its users'),
  danger('admin_home_t', true, "root's files"),
  danger('kubernetes_file_t', true, 'the files of Kubernetes on the node, its keys among them'),
  danger('kubelet_var_lib_t', true, 'the files of the kubelet'),
  danger('container_var_lib_t', true, 'the files of every container on the node'),
  danger('fixed_disk_device_t', true, 'the disks of the node'),
  danger('memory_device_t proc_kcore_t', true, 'the memory of the node'),
  danger('device_t device_node', false, 'the devices of the node'),
  danger(
    'usermodehelper_t',
    false,
    'the programs that the kernel runs as root on the node (core_pattern, modprobe)',
  ),
  danger('cgroup_t', false, 'the cgroups of the node, whose release_agent the kernel runs as root'),
  danger('sysctl_t sysctl_kernel_t sysctl_fs_t sysctl_vm_t', false, 'the settings of the kernel of the node'),
  danger('sysfs_t', false, 'the devices and the kernel of the node'),
  danger('security_t selinux_config_t semanage_store_t', false, 'the policy of SELinux itself'),
  danger('etc_t passwd_file_t', false, 'the configuration of the node'),
  danger('container_config_t', false, 'the configuration of the container runtime'),
  danger('systemd_unit_file_t init_var_run_t', false, 'what systemd starts on the node'),
  danger('system_cron_spool_t cron_spool_t user_cron_spool_t', false, 'what cron runs on the node'),
  danger('modules_object_t', false, 'the modules that the kernel loads'),
  danger('boot_t', false, 'the kernel that the node starts'),
  danger('bin_t lib_t usr_t container_runtime_exec_t kubelet_exec_t', false, 'programs that the node runs'),
];
const BY_TYPE = new Map(FILES.flatMap(one => one.types.split(' ').map(type => [type, one] as const)));

/** Source: capabilities(7). */
const CAPABILITIES: Readonly<Record<string, string>> = {
  sys_admin: 'mounts, namespaces and most of what root may',
  sys_module: 'loading code into the kernel',
  sys_ptrace: 'reading and changing other processes',
  sys_rawio: 'talking to the hardware past the kernel',
  sys_boot: 'starting another kernel',
  dac_read_search: 'opening any file by its handle',
  audit_control: 'switching off the audit log',
  mac_admin: 'changing the policy of SELinux',
  mac_override: 'passing by the policy',
  bpf: 'loading programs into the kernel',
  perfmon: 'watching the kernel and other processes',
};

/** What a permission gives whatever its type is. */
const ANYWHERE: Readonly<Record<string, string>> = {
  'system module_load': 'loading modules into the kernel',
  'system module_request': 'asking the kernel to load modules',
  'security load_policy': 'replacing the policy of SELinux',
  'security setenforce': 'switching SELinux off',
  'security setbool': 'switching parts of the policy',
  'security setsecparam': 'changing how the kernel enforces SELinux',
  'bpf prog_load': 'loading programs into the kernel',
  'memprotect mmap_zero': 'mapping address 0, of which kernel exploits are made',
  'user_namespace create': 'user namespaces: most kernel exploits begin there',
};

export function lintSelinux(policy: SelinuxPolicy): Problem[] {
  const problems: Problem[] = [];
  const say = (
    kind: string,
    severity: Problem['severity'],
    message: string,
    where: { readonly line?: number } = {},
  ): number =>
    problems.push({ kind, severity, message, ...(where.line === undefined ? {} : { line: where.line }) });
  if (policy.permissive)
    say('permissive', 'high', 'the profile is permissive: what it does not allow is only logged');
  for (const one of policy.attributes) {
    const { name } = one;
    if (/^(?:unconfined_domain_type|can_load_policy|can_setenforce|can_load_kernmodule)$/.test(name))
      say('host-type', 'high', `joins ${name}, whose members may change the node`, one);
    else if (!/^(?:domain|container_.*|svirt_.*|sandbox_.*|mcs_.*|file_type)$/.test(name))
      say('attribute', 'low', `joins ${name}: its rules are in the policy of the node, and not judged`, one);
  }
  for (const { text, ...where } of policy.unread) say('not-judged', 'low', `${text} is not judged`, where);
  for (const rule of policy.rules) judge(rule, say);
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function judge(
  rule: SelinuxRule,
  say: (kind: string, severity: Problem['severity'], message: string, where: { line?: number }) => void,
): void {
  const { type, class: name, permissions } = rule;
  const where = rule.line === undefined ? {} : { line: rule.line };
  if (name === 'capability' || name === 'capability2' || name === 'cap_userns' || name === 'cap2_userns') {
    // In a user namespace of its own a process has only the power that the namespace gives it.
    const isInner = name.endsWith('userns');
    for (const one of permissions)
      if (Object.hasOwn(CAPABILITIES, one))
        say(
          'capability',
          isInner ? 'medium' : 'high',
          `allows ${one}${isInner ? ' in user namespaces' : ', where the container has it'}: ${CAPABILITIES[one]}`,
          where,
        );
    return;
  }
  for (const one of permissions) {
    const gives = ANYWHERE[`${name} ${one}`];
    if (gives !== undefined)
      say(
        'kernel',
        name === 'user_namespace' ? 'medium' : 'high',
        `allows ${one} of ${name}: ${gives}`,
        where,
      );
  }
  const isSelf = type === '@self';
  const has = (...words: string[]): string[] => words.filter(word => permissions.includes(word));
  if (name === 'process' && !isSelf) {
    const target = confinementOf(type);
    const isHost = target.is === 'unconfined' || /^(?:init|kernel|initrc|sshd|domain)(?:_t)?$/.test(type);
    const moves = has('transition', 'dyntransition');
    if (moves.length > 0)
      say(
        'unconfined-transition',
        isHost ? 'high' : 'medium',
        `lets the process become ${type}${isHost ? ', which is not confined' : ''} (${moves.join(', ')})`,
        where,
      );
    if (has('ptrace').length > 0)
      say('ptrace', isHost ? 'high' : 'medium', `reads and changes processes of ${type}`, where);
  }
  if (name === 'filesystem' && has('mount', 'remount', 'unmount').length > 0)
    say(
      'mount',
      'high',
      `allows ${has('mount', 'remount', 'unmount').join(', ')} of file systems of ${type}`,
      where,
    );
  if (has('mounton').length > 0 && !isContainerFile(type))
    say('mount', 'medium', `mounts over ${name}s of ${type}`, where);
  const labels = has('relabelfrom', 'relabelto');
  if (labels.length > 0 && !isSelf)
    say(
      'relabel',
      'high',
      `${labels.join(' and ')} ${type}: by changing labels a process gets at what its type may not`,
      where,
    );
  const isSocketOfRuntime =
    ((name === 'unix_stream_socket' && type === 'container_runtime_t') ||
      (name === 'sock_file' && type === 'container_var_run_t')) &&
    has('connectto', 'write').length > 0;
  if (isSocketOfRuntime) {
    say('host-type', 'high', 'reaches the socket of the container runtime: any container it likes', where);
    return;
  }
  const known = BY_TYPE.get(type);
  if (known === undefined || !/^(?:file|dir|blk_file|chr_file|lnk_file|sock_file)$/.test(name)) return;
  const reads = name === 'dir' ? [] : has('read', 'map', 'ioctl').filter(word => word !== 'ioctl');
  const changes = permissions.filter(isWrite);
  if (changes.length > 0) say('host-type', 'high', `changes ${type}: ${known.use}`, where);
  else if (known.toRead && reads.length > 0) say('host-type', 'high', `reads ${type}: ${known.use}`, where);
}

function isContainerFile(type: string): boolean {
  return type === '@self' || /^(?:container_(?:ro_)?file_t|tmpfs_t|proc_t|sysfs_t)$/.test(type);
}
