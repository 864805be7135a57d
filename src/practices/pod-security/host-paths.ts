/** What the folders of a node are worth to an attacker. */
import type { Path } from '#kube/objects.ts';
import type { PodSubject } from '#world/subjects.ts';

export interface HostMount {
  readonly volume: string;
  /** Normalised: no trailing slash, no doubled ones. */
  readonly path: string;
  /** In the pod, of the volume's path. */
  readonly at: Path;
  /** Whether some container may write to it. */
  readonly writable: boolean;
}

function normalisePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The hostPath volumes of a pod, with whether anyone may write to them. */
export function hostMounts(pod: PodSubject): HostMount[] {
  return (pod.spec.volumes ?? []).flatMap(({ name = '', hostPath }, i): HostMount[] => {
    if (hostPath === undefined) return [];
    const mounts = pod.containers.flatMap(({ container }) =>
      (container.volumeMounts ?? []).filter(mount => mount.name === name),
    );
    const at = ['spec', 'volumes', i, 'hostPath', 'path'];
    return [
      hostMountOf(
        name,
        hostPath.path ?? '',
        at,
        mounts.some(({ readOnly }) => readOnly !== true),
      ),
    ];
  });
}

/** @param path as it is written */
export function hostMountOf(volume: string, path: string, at: Path, writable: boolean): HostMount {
  return { volume, path: normalisePath(path), at, writable };
}

/** Whether a path is the folder, or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

const SOCKETS = [
  'docker.sock',
  'containerd.sock',
  'crio.sock',
  'cri-dockerd.sock',
  'podman.sock',
  'dockershim.sock',
  'frakti.sock',
];
/** Folders in which the sockets of runtimes stand: mounting the folder brings the socket. */
const SOCKET_FOLDERS = [
  '/run/containerd',
  '/var/run/containerd',
  '/run/crio',
  '/var/run/crio',
  '/run/podman',
  '/run/k3s/containerd',
  '/var/run/docker',
];

export function isRuntimeSocket(path: string): boolean {
  return SOCKETS.some(socket => path.endsWith(`/${socket}`)) || SOCKET_FOLDERS.includes(path);
}

/** By folder: what lies there. A mount of the folder, of one above it, or of one below it counts. */
export const CLOUD_CREDENTIALS: readonly string[] = [
  '/etc/kubernetes/azure.json',
  '/etc/kubernetes/cloud-config',
  '/.azure',
  '/root/.azure',
  '/root/.aws',
  '/.aws/config',
  '/.aws/credentials',
  '/root/.config/gcloud',
  '/.config/gcloud',
  '/etc/gce.conf',
];

interface Sensitive {
  readonly folder: string;
  readonly holds: string;
  /** Reading it is enough; otherwise only writing is dangerous. */
  readonly toRead: boolean;
  /** What lies below counts as well. */
  readonly below: boolean;
}

const sensitive = (folder: string, holds: string, toRead: boolean, below = true): Sensitive => ({
  folder,
  holds,
  toRead,
  below,
});

/** Most specific first: the first that fits is the one that is said. */
const SENSITIVE: readonly Sensitive[] = [
  sensitive('/', 'all of the node', true, false),
  sensitive('/etc/kubernetes', 'the keys of the control plane and the kubelet', true),
  sensitive('/var/lib/kubelet/pki', 'the keys of the kubelet', true),
  sensitive('/var/lib/kubelet/pods', 'the secrets and tokens of every pod on the node', true),
  sensitive('/var/lib/kubelet/device-plugins', 'the registration of device plugins', false),
  sensitive(
    '/var/lib/kubelet',
    'the keys of the kubelet and the secrets of every pod on the node',
    true,
    false,
  ),
  sensitive('/var/lib/etcd', 'all of the cluster', true),
  sensitive('/var/lib/docker', 'the files of every container on the node', true),
  sensitive('/var/lib/containerd', 'the files of every container on the node', true),
  sensitive('/var/lib/containers', 'the files of every container on the node', true),
  sensitive('/var/lib/rancher', 'the files and keys of the cluster', true),
  sensitive('/root', "root's keys and history", true),
  sensitive('/home', "people's keys and history", true),
  sensitive('/etc/ssh', 'the keys of the node', true),
  sensitive('/etc/shadow', 'the passwords of the node', true),
  sensitive('/etc/cni', 'the network of the node', false),
  sensitive('/opt/cni', 'programs that the node runs as root', false),
  sensitive('/etc', 'the configuration of the node', true, false),
  sensitive('/etc', 'the configuration of the node', false),
  sensitive('/proc', 'the processes and the kernel of the node', true, false),
  sensitive('/proc', 'the processes and the kernel of the node', false),
  sensitive('/sys', 'the devices and the kernel of the node', false),
  sensitive('/dev', 'the devices of the node, its disks among them', true, false),
  sensitive('/boot', 'the kernel of the node', false),
  sensitive('/lib/modules', 'the modules of the kernel', false),
  sensitive('/usr', 'programs that the node runs as root', false),
  sensitive('/bin', 'programs that the node runs as root', false),
  sensitive('/sbin', 'programs that the node runs as root', false),
  sensitive('/lib', 'libraries that the node runs as root', false),
  sensitive('/var/spool/cron', 'programs that the node runs as root', false),
  sensitive('/var/log', 'logs, through which a link reads any file of the node', false, false),
  sensitive('/var/run', 'the sockets of the node', true, false),
  sensitive('/run', 'the sockets of the node', true, false),
  sensitive('/var', 'the state of the node and of every pod on it', true, false),
];

/** What is so sensitive about a mount; undefined where nothing is. */
export function sensitivityOf({ path, writable }: HostMount): string | undefined {
  return SENSITIVE.find(
    ({ folder, toRead, below }) => (below ? isWithin(path, folder) : path === folder) && (toRead || writable),
  )?.holds;
}
