/** `sallyport pod-security profile derive`: the smallest profile that allows what records hold. */
import { deriveAppArmor, deriveSeccomp, replay, toOci } from '#decide/pod-security/profiles/derive.ts';
import { toJson } from '#kube/json.ts';
import { count, safe } from '#report/safe.ts';
import { readRecords } from '#sources/profiles/records.ts';
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
  const machine = machineOf(parsed);
  const { record, gaps, lines } = readRecords(parsed.operands);
  for (const { file, line, reason } of gaps)
    tell(`sallyport: ${safe(file)}${line === undefined ? '' : `:${line}`}: ${safe(reason)}\n`);
  const say = (text: string): void => tell(`${wrap(text, '', '  ').join('\n')}\n`);
  if (parsed.value('for') === 'apparmor') {
    if (record.files.size + record.capabilities.size + record.networks.size === 0)
      throw new UsageError('no record holds anything of AppArmor');
    print(deriveAppArmor(record, name));
    return gaps.length > 0 ? EXIT.unknown : EXIT.clean;
  }
  if (record.syscalls.size === 0) throw new UsageError('no record holds a system call');
  const { profile, added, foreign } = deriveSeccomp(record, name, machine, parsed.has('no-margin'));
  const missed = replay(profile, record, machine);
  const oci = toOci(profile) as object;
  print(
    toJson(
      parsed.value('format') === 'object'
        ? {
            apiVersion: 'security-profiles-operator.x-k8s.io/v1beta1',
            kind: 'SeccompProfile',
            metadata: { name },
            spec: oci,
          }
        : oci,
    ),
  );
  if (!parsed.has('quiet')) {
    say(
      `${count(lines, 'line')} read: ${count(record.syscalls.size, 'call')} seen, ${record.syscalls.size - missed.length} of them allowed in replay`,
    );
    if (added.length > 0)
      say(`margin for start and stop, not seen (--no-margin leaves it out): ${added.join(' ')}`);
    if (foreign.length > 0) say(`seen, but no calls of ${machine.architecture}: ${foreign.join(' ')}`);
  }
  return missed.length > 0 || gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}
