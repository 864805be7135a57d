/** `sallyport pod-security profile derive`: the smallest profile that allows what records hold. */
import {
  deriveAppArmor,
  deriveSeccomp,
  deriveSelinux,
  replay,
  replayAppArmor,
  replaySelinux,
  type Seen,
  toOci,
} from '#decide/pod-security/profiles/derive.ts';
import { readSelinux } from '#decide/pod-security/profiles/read-selinux.ts';
import { toJson } from '#kube/json.ts';
import { yamlOf } from '#report/mesh/yaml.ts';
import { count, safe } from '#report/safe.ts';
import { type ReadRecords, readRecords } from '#sources/profiles/records.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print, tell } from '../output.ts';
import { machineOf } from '../profiles.ts';
import { wrap } from '../wrap.ts';

export function run(parsed: Parsed): number {
  if (parsed.operands.length === 0)
    throw new UsageError('profile derive needs a record', 'a log of strace or of the audit, or -');
  const name = parsed.value('name') ?? 'derived';
  if (!/^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(name) || name.length > 253)
    throw new UsageError(`--name: "${name}" is no name of an object`);
  const kind = parsed.value('for') ?? 'seccomp';
  const format = parsed.value('format');
  if (format !== undefined && kind !== 'seccomp')
    throw new UsageError('--format is for profiles of seccomp', 'the others have one form each');
  const records = readRecords(parsed.operands);
  for (const { file, line, reason } of records.gaps)
    tell(`sallyport: ${safe(file)}${line === undefined ? '' : `:${line}`}: ${safe(reason)}\n`);
  const isQuiet = parsed.has('quiet');
  const say = (text: string): void => {
    if (!isQuiet) tell(`${wrap(text, '', '  ').join('\n')}\n`);
  };
  const missed =
    kind === 'apparmor'
      ? forAppArmor(records, name, say)
      : kind === 'selinux'
        ? forSelinux(records, name, say)
        : forSeccomp(records, name, parsed, say);
  for (const one of missed.slice(0, 20)) tell(`sallyport: not allowed in replay: ${safe(one)}\n`);
  for (const one of records.left) say(`left out: ${safe(one)}`);
  return missed.length > 0 || records.gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}

type Say = (text: string) => void;

function forSeccomp({ record, lines }: ReadRecords, name: string, parsed: Parsed, say: Say): string[] {
  const machine = machineOf(parsed);
  if (record.syscalls.size === 0) throw new UsageError('no record holds a system call', other(record));
  const derived = deriveSeccomp(record, name, machine, parsed.has('no-margin'));
  const { profile, added, foreign, isMasked, isReplaced, isUsual } = derived;
  const missed = replay(profile, record, machine);
  const oci = toOci(profile) as object;
  const object = {
    apiVersion: 'security-profiles-operator.x-k8s.io/v1beta1',
    kind: 'SeccompProfile',
    metadata: { name },
    spec: oci,
  };
  print(parsed.value('format') === 'object' ? yamlOf([object]) : toJson(oci));
  say(
    `${count(lines, 'line')} read: ${count(record.syscalls.size, 'call')} seen, ${record.syscalls.size - missed.length} of them allowed in replay`,
  );
  if (added.length > 0)
    say(`margin for start and stop, not seen (--no-margin leaves it out): ${added.join(' ')}`);
  if (isMasked) say('clone is allowed for processes and threads: no record shows one with namespaces');
  if (isReplaced) say('clone3 gets ENOSYS, as under RuntimeDefault: C libraries go on with clone');
  if (isUsual) say('socket is allowed without AF_ALG and AF_VSOCK: no record shows them');
  if (foreign.length > 0) say(`seen, but no calls of ${machine.architecture}: ${foreign.join(' ')}`);
  // Calls of another architecture are said, and are no failure of the profile.
  return missed.filter(call => !foreign.includes(call));
}

function forAppArmor({ record, lines }: ReadRecords, name: string, say: Say): string[] {
  const { files, globs, capabilities, networks, rules } = record;
  const total = files.size + globs.size + capabilities.size + networks.size + rules.size;
  if (total === 0) throw new UsageError('no record holds anything of AppArmor', other(record));
  const text = deriveAppArmor(record, name);
  const missed = replayAppArmor(text, record);
  print(text);
  say(
    `${count(lines, 'line')} read: ${count(total, 'access', 'accesses')} seen, ${total - missed.length} of them allowed in replay`,
  );
  say('margin for start and stop, not seen: abstractions/base, the libraries and devices of every program');
  return missed;
}

function forSelinux({ record, lines }: ReadRecords, name: string, say: Say): string[] {
  if (record.accesses.size === 0) throw new UsageError('no record holds anything of SELinux', other(record));
  const object = deriveSelinux(record, name);
  const { policy, problems } = readSelinux(object, () => undefined);
  const missed = replaySelinux(policy, record);
  const total = [...record.accesses.values()].reduce((sum, { size }) => sum + size, 0);
  print(yamlOf([object]));
  say(
    `${count(lines, 'line')} read: ${count(total, 'permission')} seen, ${total - missed.length} of them allowed in replay`,
  );
  say('margin for start and stop, not seen: the template "container", which every container needs');
  for (const { message } of problems) say(`note: ${safe(message)}`);
  return missed;
}

/** What to ask for instead, where a record holds something else. */
function other({ syscalls, files, accesses }: Seen): string | undefined {
  if (syscalls.size > 0) return 'it holds system calls: --for seccomp';
  if (accesses.size > 0) return 'it holds records of SELinux: --for selinux';
  return files.size > 0 ? 'it holds records of AppArmor: --for apparmor' : undefined;
}
