/** What the commands about Linux profiles share: which profiles the files hold, and the machine they are judged for. */

import {
  type AppArmorProfile,
  type ReadAppArmor,
  readAppArmor,
} from '#decide/pod-security/profiles/apparmor.ts';
import { lintAppArmor } from '#decide/pod-security/profiles/lint-apparmor.ts';
import { lintSelinux } from '#decide/pod-security/profiles/lint-selinux.ts';
import {
  complainPathOf,
  isAppArmorObject,
  readAppArmorObject,
} from '#decide/pod-security/profiles/read-apparmor-object.ts';
import type { Problem } from '#decide/pod-security/profiles/read-seccomp.ts';
import {
  isSeccompJson,
  isSeccompObject,
  type ReadProfile,
  readSeccomp,
} from '#decide/pod-security/profiles/read-seccomp.ts';
import {
  isSelinuxObject,
  type ReadSelinux,
  readCilFile,
  readSelinux,
} from '#decide/pod-security/profiles/read-selinux.ts';
import { runtimeDefault } from '#decide/pod-security/profiles/runtime-default.ts';
import type { Machine, Profile } from '#decide/pod-security/profiles/seccomp.ts';
import type { SelinuxPolicy } from '#decide/pod-security/profiles/selinux-policy.ts';
import { architectureOf } from '#decide/pod-security/profiles/syscalls.ts';
import { valueAt } from '#kube/objects.ts';
import { DEFAULT_CAPABILITIES } from '#practices/pod-security/capabilities.ts';
import { onDisk, type ProfileDocument, type ProfileSource } from '#sources/profiles/files.ts';
import type { Parsed } from './command.ts';
import { UsageError } from './errors.ts';

export type Loaded =
  | {
      readonly is: 'apparmor';
      readonly file: string;
      readonly profile: AppArmorProfile;
      readonly problems: readonly Problem[];
    }
  | {
      readonly is: 'selinux';
      readonly file: string;
      readonly profile: SelinuxPolicy;
      readonly problems: readonly Problem[];
    }
  | ({ readonly is: 'seccomp'; readonly file: string; readonly line: number } & ReadProfile)
  | { readonly is: 'error'; readonly file: string; readonly line?: number; readonly message: string };

export function machineOf(parsed: Parsed): Machine {
  const word = parsed.value('architecture') ?? 'x86_64';
  const architecture = architectureOf(word);
  if (architecture === undefined)
    throw new UsageError(
      `--architecture: "${word}" is not known`,
      'one of amd64, arm64, riscv64, s390x, ppc64le',
    );
  const names = [...DEFAULT_CAPABILITIES, ...parsed.values('capability')];
  return {
    architecture,
    capabilities: new Set(names.map(name => `CAP_${name.toUpperCase().replace(/^CAP_/, '')}`)),
  };
}

/** All profiles of some files, in their order; each file that holds none is an error. */
export function load(files: readonly string[], source: ProfileSource = onDisk): Loaded[] {
  const read = files.map(file => ({ file, content: source.read(file) }));
  const others = read.flatMap(({ content }) =>
    content.is === 'data' ? content.documents.map(({ value }) => value) : [],
  );
  return read.flatMap(({ file, content }): Loaded[] => {
    if (content.is === 'unreadable') return [{ is: 'error', file, message: content.message }];
    if (content.is === 'apparmor')
      return judged(
        file,
        readAppArmor(content.text, name => source.included(file, name)),
      );
    if (content.is === 'cil') return cil(file, content.text);
    const found: Loaded[] = content.errors.map(error => ({ is: 'error', file, ...error }));
    for (const document of content.documents)
      if (isSeccompJson(document.value) || isSeccompObject(document.value))
        found.push(seccomp(document, others.filter(isSeccompObject)));
      else if (isSelinuxObject(document.value)) found.push(selinux(document, others.filter(isSelinuxObject)));
    for (const document of content.documents)
      if (isAppArmorObject(document.value)) found.push(...appArmorObject(document));
    return found.length > 0 ? found : [{ is: 'error', file, message: 'there is no profile in it' }];
  });
}

function judged(file: string, { profiles, errors }: ReadAppArmor): Loaded[] {
  return [
    ...errors.map(error => ({ is: 'error' as const, file, ...error })),
    ...profiles.map(profile => ({
      is: 'apparmor' as const,
      file,
      profile,
      problems: lintAppArmor(profile),
    })),
  ];
}

function appArmorObject({ file, line, value, lineOf }: ProfileDocument): Loaded[] {
  const loaded = judged(
    file,
    readAppArmorObject(value, path => lineOf(path)),
  );
  const complain = complainPathOf(value);
  // A list of what is allowed becomes a profile with the flag, which is said already.
  if (complain === undefined || typeof valueAt(value, ['spec', 'policy']) !== 'string') return loaded;
  const message = 'the object asks for complain mode, so the profile only logs: nothing is enforced';
  const at = lineOf(complain) ?? line;
  return loaded.map(one =>
    one.is === 'apparmor'
      ? {
          ...one,
          problems: [{ kind: 'complain-mode', severity: 'high', message, line: at }, ...one.problems],
        }
      : one,
  );
}

function seccomp(document: ProfileDocument, others: readonly unknown[]): Loaded {
  const { file, line, value } = document;
  const name = valueAt(value, ['metadata', 'name']);
  return {
    is: 'seccomp',
    file,
    line,
    ...readSeccomp(value, typeof name === 'string' ? name : file, path => document.lineOf(path), others),
  };
}

function selinux({ file, value, lineOf }: ProfileDocument, others: readonly unknown[]): Loaded {
  return judgedSelinux(file, readSelinux(value, lineOf, others));
}

function judgedSelinux(file: string, { policy, problems }: ReadSelinux): Loaded {
  return { is: 'selinux', file, profile: policy, problems: [...problems, ...lintSelinux(policy)] };
}

function cil(file: string, text: string): Loaded[] {
  const { profiles, errors } = readCilFile(text);
  const found: Loaded[] = [
    ...errors.map(error => ({ is: 'error' as const, file, ...error })),
    ...profiles.map(one => judgedSelinux(file, one)),
  ];
  return found.length > 0
    ? found
    : [{ is: 'error', file, message: 'there is no block in it, so no profile' }];
}

/** The profiles of SELinux or of AppArmor in a file without errors; none where it holds others. */
export function otherProfiles(word: string): {
  readonly selinux: readonly SelinuxPolicy[];
  readonly appArmor: readonly AppArmorProfile[];
} {
  const all = runtimeProfile(word) === undefined ? load([word]) : [];
  if (all.some(({ is }) => is === 'error')) return { selinux: [], appArmor: [] };
  return {
    selinux: all.flatMap(one => (one.is === 'selinux' ? [one.profile] : [])),
    appArmor: all.flatMap(one => (one.is === 'apparmor' ? [one.profile] : [])),
  };
}

/** One profile: a file that holds one, or `RuntimeDefault@containerd-2.1`. */
export function oneProfile(word: string): Profile {
  const known = runtimeProfile(word);
  if (known !== undefined) return known;
  const all = load([word]);
  const broken = all.find(one => one.is === 'error');
  if (broken?.is === 'error')
    throw new UsageError(`${word}${broken.line === undefined ? '' : `:${broken.line}`}: ${broken.message}`);
  const [first, second] = all;
  if (first?.is !== 'seccomp' || second !== undefined)
    throw new UsageError(`${word}: it does not hold exactly one profile of seccomp`);
  return first.profile;
}

export function runtimeProfile(word: string): Profile | undefined {
  try {
    return runtimeDefault(word);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}
