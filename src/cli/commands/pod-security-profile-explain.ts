/** `sallyport pod-security profile explain`: what a profile says to one call, or to all. */
import { dangerOf } from '#decide/pod-security/profiles/dangers.ts';
import {
  alternatives,
  type Call,
  decide,
  formatCondition,
  reach,
} from '#decide/pod-security/profiles/seccomp.ts';
import { isSyscall, numberOf, syscallNames } from '#decide/pod-security/profiles/syscalls.ts';
import { toJson } from '#kube/json.ts';
import { nearest } from '#kube/nearest.ts';
import { safe } from '#report/safe.ts';
import { explainAppArmor } from '../apparmor-profiles.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';
import { machineOf, oneProfile, otherProfiles } from '../profiles.ts';
import { explainSelinux } from '../selinux-profiles.ts';
import { wrap } from '../wrap.ts';

export function run(parsed: Parsed): number {
  const [file, more] = parsed.operands;
  if (file === undefined || more !== undefined)
    throw new UsageError('profile explain needs one profile', 'a file, or RuntimeDefault@containerd-2.1');
  const isJson = parsed.value('format') === 'json';
  const { selinux, appArmor } = otherProfiles(file);
  const accesses = parsed.values('access');
  if (selinux[0] !== undefined) return explainSelinux(selinux[0], file, accesses, isJson);
  if (appArmor.length > 0) return explainAppArmor(appArmor, file, accesses, isJson);
  if (accesses.length > 0)
    throw new UsageError('--access asks a profile of SELinux or AppArmor', 'of seccomp, --syscall does');
  const machine = machineOf(parsed);
  const profile = oneProfile(file);
  const name = parsed.value('syscall');
  if (name === undefined) {
    const groups: Record<string, string[]> = { always: [], sometimes: [], never: [], unknown: [] };
    for (const syscall of [...syscallNames()].sort())
      if (numberOf(syscall, machine.architecture) !== undefined)
        groups[reach(profile, syscall, machine)]!.push(syscall);
    if (isJson) print(toJson({ profile: profile.name, defaultAction: profile.defaultAction, ...groups }));
    else {
      const lines = [`${safe(profile.name)}: ${profile.defaultAction} for what no rule names`];
      for (const [title, names] of Object.entries(groups))
        if (names.length > 0) lines.push(...wrap(names.join(' '), `  ${title} (${names.length}): `, '    '));
      print(`${lines.join('\n')}\n`);
    }
    return groups['unknown']!.length > 0 ? EXIT.unknown : EXIT.clean;
  }
  if (!isSyscall(name)) {
    const meant = nearest(name, syscallNames());
    throw new UsageError(
      `--syscall: "${name}" is no known system call`,
      meant === undefined ? undefined : `did you mean ${meant}?`,
    );
  }
  const decision = decide(profile, { name, args: argumentsOf(parsed.values('arg')) }, machine);
  const { rule, ...rest } = decision;
  if (isJson)
    print(
      toJson({
        profile: profile.name,
        syscall: name,
        architecture: machine.architecture,
        ...rest,
        ...(rule?.line === undefined ? {} : { line: rule.line }),
      }),
    );
  else {
    const errno = decision.errno === undefined ? '' : ` (errno ${decision.errno})`;
    const lines = wrap(
      `${name} on ${machine.architecture}: ${decision.action}${errno}${decision.certainty === 'sure' ? '' : ' unless a condition holds'}, ${decision.reason}`,
      '',
      '  ',
    );
    if (rule !== undefined) {
      const conditions = alternatives(rule)
        .map(all => all.map(formatCondition).join(' and '))
        .join(' or ');
      lines.push(
        `  ${rule.line === undefined ? 'rule' : `${safe(file)}:${rule.line}`}: ${rule.action}${conditions === '' ? '' : ` if ${conditions}`}`,
      );
    }
    const danger = dangerOf(name);
    if (danger !== undefined) lines.push(...wrap(`an attacker ${danger.use}`, '  ', '  '));
    print(`${lines.join('\n')}\n`);
  }
  return decision.certainty === 'sure' ? EXIT.clean : EXIT.unknown;
}

/** `--arg 0=0x10000000`. */
function argumentsOf(words: readonly string[]): Call['args'] {
  return new Map(
    words.map(word => {
      const match = /^([0-5])=(0x[0-9a-f]{1,16}|\d{1,20})$/i.exec(word);
      if (match === null || BigInt(match[2]!) >= 1n << 64n)
        throw new UsageError(`--arg: "${word}" is not INDEX=VALUE`, 'such as 0=0x10000000');
      return [Number(match[1]), BigInt(match[2]!)] as const;
    }),
  );
}
