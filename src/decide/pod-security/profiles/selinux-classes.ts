/**
 * Object classes and permissions of SELinux. Source: the kernel's security/selinux/include/classmap.h; for dbus, service
 * and passwd, which are checked by programs, policy/flask/access_vectors of selinux-policy.
 */

const FILE_AND_SOCKET = 'ioctl read write create getattr setattr lock relabelfrom relabelto append map'.split(
  ' ',
);
const FILE = [
  ...FILE_AND_SOCKET,
  ...'unlink link rename execute quotaon mounton audit_access open execmod watch watch_mount watch_sb watch_with_perm watch_reads watch_mountns'.split(
    ' ',
  ),
];
const SOCKET = [
  ...FILE_AND_SOCKET,
  // The last three stand in policies of before Linux 2.6.29.
  ...'bind connect listen accept getopt setopt shutdown recvfrom sendto name_bind recv_msg send_msg'.split(
    ' ',
  ),
];
const IPC = 'create destroy getattr setattr read write associate unix_read unix_write'.split(' ');
const CAPABILITY =
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap'.split(
    ' ',
  );
const CAPABILITY2 =
  'mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'.split(
    ' ',
  );

const more = (common: readonly string[], own: string): readonly string[] => [...common, ...own.split(' ')];

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  security:
    'compute_av compute_create compute_member check_context load_policy compute_relabel compute_user setenforce setbool setsecparam setcheckreqprot read_policy validate_trans'.split(
      ' ',
    ),
  process:
    'fork transition sigchld sigkill sigstop signull signal ptrace getsched setsched getsession getpgid setpgid getcap setcap share getattr setexec setfscreate noatsecure siginh setrlimit rlimitinh dyntransition setcurrent execmem execstack execheap setkeycreate setsockcreate getrlimit'.split(
      ' ',
    ),
  process2: ['nnp_transition', 'nosuid_transition'],
  system:
    // What follows module_load was checked by systemd, and stands in policies.
    'ipc_info syslog_read syslog_mod syslog_console module_request module_load halt reboot status start stop enable disable reload undefined'.split(
      ' ',
    ),
  capability: CAPABILITY,
  cap_userns: CAPABILITY,
  capability2: CAPABILITY2,
  cap2_userns: CAPABILITY2,
  filesystem:
    'mount remount unmount getattr relabelfrom relabelto associate quotamod quotaget watch transition'.split(
      ' ',
    ),
  file: more(FILE, 'execute_no_trans entrypoint'),
  dir: more(FILE, 'add_name remove_name reparent search rmdir'),
  lnk_file: FILE,
  chr_file: more(FILE, 'execute_no_trans entrypoint'),
  blk_file: FILE,
  sock_file: FILE,
  fifo_file: FILE,
  anon_inode: FILE,
  fd: ['use'],
  tcp_socket: more(SOCKET, 'node_bind name_connect connectto newconn acceptfrom'),
  udp_socket: more(SOCKET, 'node_bind'),
  rawip_socket: more(SOCKET, 'node_bind'),
  icmp_socket: more(SOCKET, 'node_bind'),
  dccp_socket: more(SOCKET, 'node_bind name_connect'),
  sctp_socket: more(SOCKET, 'node_bind name_connect association'),
  unix_stream_socket: more(SOCKET, 'connectto newconn acceptfrom'),
  tun_socket: more(SOCKET, 'attach_queue'),
  netlink_route_socket: more(SOCKET, 'nlmsg_read nlmsg_write nlmsg'),
  netlink_tcpdiag_socket: more(SOCKET, 'nlmsg_read nlmsg_write nlmsg'),
  netlink_xfrm_socket: more(SOCKET, 'nlmsg_read nlmsg_write nlmsg'),
  netlink_audit_socket: more(
    SOCKET,
    'nlmsg_read nlmsg_write nlmsg_relay nlmsg_readpriv nlmsg_tty_audit nlmsg',
  ),
  node: 'recvfrom sendto tcp_recv tcp_send udp_recv udp_send rawip_recv rawip_send enforce_dest'.split(' '),
  netif: 'ingress egress tcp_recv tcp_send udp_recv udp_send rawip_recv rawip_send'.split(' '),
  packet: 'send recv relabelto forward_in forward_out flow_in flow_out'.split(' '),
  peer: ['recv'],
  association: ['sendto', 'recvfrom', 'setcontext', 'polmatch'],
  sem: IPC,
  ipc: IPC,
  msgq: more(IPC, 'enqueue'),
  shm: more(IPC, 'lock'),
  msg: ['send', 'receive'],
  key: 'view read write search link setattr create'.split(' '),
  memprotect: ['mmap_zero'],
  kernel_service: ['use_as_override', 'create_files_as', 'module_request'],
  binder: ['impersonate', 'call', 'set_context_mgr', 'transfer'],
  infiniband_pkey: ['access'],
  infiniband_endport: ['manage_subnet'],
  bpf: ['map_create', 'map_read', 'map_write', 'prog_load', 'prog_run'],
  perf_event: ['open', 'cpu', 'kernel', 'tracepoint', 'read', 'write'],
  io_uring: ['override_creds', 'sqpoll', 'cmd', 'allowed'],
  user_namespace: ['create'],
  dbus: ['acquire_svc', 'send_msg'],
  service: ['start', 'stop', 'status', 'reload', 'kill', 'load', 'enable', 'disable'],
  passwd: ['passwd', 'chfn', 'chsh', 'rootok', 'crontab'],
};

/** @returns undefined for a class that is not known here: programs may have classes of their own */
export function permissionsOf(name: string): readonly string[] | undefined {
  if (Object.hasOwn(CLASSES, name)) return CLASSES[name];
  // Every other socket class has the permissions of sockets.
  return /^[a-z0-9_]*socket$/.test(name) ? SOCKET : undefined;
}

export function classNames(): readonly string[] {
  return Object.keys(CLASSES);
}

const WRITES = new Set(
  'write append create unlink rename setattr add_name remove_name rmdir link reparent connectto'.split(' '),
);

/** Whether a permission changes what it is given for. */
export function isWrite(permission: string): boolean {
  return WRITES.has(permission);
}
