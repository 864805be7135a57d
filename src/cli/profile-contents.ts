/** What the files hold that a team's own pod security profiles name. */
import { resolve } from 'node:path';
import type { CustomProfile } from '#decide/pod-security/custom/custom.ts';
import type { AppArmorProfile } from '#decide/pod-security/profiles/apparmor.ts';
import type { Profile as SeccompProfile } from '#decide/pod-security/profiles/seccomp.ts';
import type { SelinuxPolicy } from '#decide/pod-security/profiles/selinux-policy.ts';
import type { Path } from '#kube/objects.ts';
import type { ProfileSource } from '#sources/profiles/files.ts';
import type { Loaded } from './profiles.ts';

/** A folder of the disk, or the files of a commit. */
export type ProfileFiles =
  | { readonly below: string }
  | { readonly content: (file: string) => Buffer | undefined };

const FIELDS = [
  ['seccomp', 'seccomp', 'seccomp'],
  ['appArmor', 'apparmor', 'AppArmor'],
  ['seLinux', 'selinux', 'SELinux'],
] as const;

/**
 * @param besides the name of a file that the configuration names, from the root of all files
 * @param files below the working directory where absent
 * @param wrong is told what a file is not, with its place in the profile
 * @returns undefined where the profile names no file
 */
export async function contentsOf(
  { spec }: CustomProfile,
  besides: (path: string) => string,
  files: ProfileFiles = { below: '.' },
  wrong: (at: Path, message: string) => void,
): Promise<CustomProfile['contents'] | undefined> {
  if (FIELDS.every(([field]) => spec[field]?.files === undefined)) return undefined;
  const { load } = await import('./profiles.ts');
  const source = await sourceOf(files);
  const contents = {
    seccomp: new Map<string, SeccompProfile>(),
    appArmor: new Map<string, AppArmorProfile>(),
    selinux: new Map<string, SelinuxPolicy>(),
  };
  for (const [field, kind, title] of FIELDS)
    for (const [name, path] of Object.entries(spec[field]?.files ?? {})) {
      const at = ['spec', field, 'files', name];
      const loaded = load([besides(path)], source);
      const error = loaded.find(one => one.is === 'error');
      if (error?.is === 'error') {
        const line = error.line === undefined ? '' : `line ${error.line}: `;
        wrong(at, `${path}: ${line}${error.message}`);
        continue;
      }
      const fitting = loaded.filter(one => one.is === kind);
      // A file may hold several profiles: the one that pods name.
      const one =
        fitting.find(one => nameOf(one) === name) ?? (fitting.length === 1 ? fitting[0] : undefined);
      if (one === undefined)
        wrong(
          at,
          fitting.length === 0
            ? `${path}: there is no profile of ${title} in it`
            : `${path}: there is no profile "${name}" in it`,
        );
      else if (one.is === 'seccomp') contents.seccomp.set(name, one.profile);
      else if (one.is === 'apparmor') contents.appArmor.set(name, one.profile);
      else if (one.is === 'selinux') contents.selinux.set(name, one.profile);
    }
  return contents;
}

function nameOf(one: Loaded): string | undefined {
  if (one.is === 'apparmor') return one.profile.name;
  return one.is === 'selinux' ? one.profile.usage : undefined;
}

async function sourceOf(files: ProfileFiles): Promise<ProfileSource> {
  const { includedBy, onDisk, profileFileOf } = await import('#sources/profiles/files.ts');
  if ('below' in files) {
    const real = (file: string) => resolve(files.below, file);
    return {
      read: file => onDisk.read(real(file)),
      included: (file, name) => onDisk.included(real(file), name),
    };
  }
  return {
    read: file => {
      const bytes = files.content(file);
      return bytes === undefined
        ? { is: 'unreadable', message: 'it is not in the commit' }
        : profileFileOf(file, bytes);
    },
    included: (file, name) => includedBy(file, name, files.content),
  };
}
