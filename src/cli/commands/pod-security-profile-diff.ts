/** `sallyport pod-security profile diff`: the calls that two profiles treat differently. */
import { type Difference, differences } from '#decide/pod-security/profiles/lint.ts';
import { toJson } from '#kube/json.ts';
import { safe } from '#report/safe.ts';
import { diffAppArmor } from '../apparmor-profiles.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';
import { machineOf, oneProfile, otherProfiles } from '../profiles.ts';
import { diffSelinux } from '../selinux-profiles.ts';
import { wrap } from '../wrap.ts';

export function run(parsed: Parsed): number {
  const [a, b, more] = parsed.operands;
  if (a === undefined || b === undefined || more !== undefined)
    throw new UsageError('profile diff needs two profiles', 'a file, or RuntimeDefault@containerd-2.1');
  const [left, right] = [otherProfiles(a), otherProfiles(b)];
  const isJson = parsed.value('format') === 'json';
  const [policy, other] = [left.selinux[0], right.selinux[0]];
  if (policy !== undefined && other !== undefined) return diffSelinux(policy, other, isJson);
  const [profile, another] = [left.appArmor[0], right.appArmor[0]];
  if (profile !== undefined && another !== undefined) return diffAppArmor(profile, another, isJson);
  if ([policy, other, profile, another].some(one => one !== undefined))
    throw new UsageError('two profiles can only be compared where both are of the same kind');
  const machine = machineOf(parsed);
  const before = oneProfile(a);
  const after = oneProfile(b);
  const found = differences(before, after, machine);
  print(
    parsed.value('format') === 'json'
      ? toJson({
          before: before.name,
          after: after.name,
          architecture: machine.architecture,
          differences: found,
        })
      : text(before.name, after.name, found),
  );
  if (found.some(({ before: left, after: right }) => left === 'unknown' || right === 'unknown'))
    return EXIT.unknown;
  return found.length > 0 ? EXIT.findings : EXIT.clean;
}

function text(before: string, after: string, found: readonly Difference[]): string {
  if (found.length === 0) return `${safe(before)} and ${safe(after)} allow the same calls\n`;
  const groups = new Map<string, Difference[]>();
  for (const one of found) {
    const title = `${one.before} -> ${one.after}`;
    groups.set(title, [...(groups.get(title) ?? []), one]);
  }
  const lines = [`${safe(before)} -> ${safe(after)}`];
  for (const [title, all] of groups)
    lines.push(...wrap(all.map(({ syscall }) => syscall).join(' '), `  ${title}: `, '    '));
  const byUse = new Map<string, string[]>();
  for (const { syscall, danger } of found)
    if (danger !== undefined) byUse.set(danger, [...(byUse.get(danger) ?? []), syscall]);
  if (byUse.size > 0) lines.push('what an attacker does with what is opened:');
  for (const [use, names] of byUse) lines.push(...wrap(`${names.join(', ')}: ${use}`, '  ', '    '));
  return `${lines.join('\n')}\n`;
}
