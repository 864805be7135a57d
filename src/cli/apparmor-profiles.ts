/** What the commands say of profiles of AppArmor. */
import type { AppArmorProfile } from '#decide/pod-security/profiles/apparmor.ts';
import {
  type AppArmorDecision,
  accessOf,
  appArmorDifference,
  decideAccess,
  formatRule,
} from '#decide/pod-security/profiles/apparmor-decide.ts';
import { toJson } from '#kube/json.ts';
import { safe } from '#report/safe.ts';
import { EXIT, UsageError } from './errors.ts';
import { print } from './output.ts';
import { wrap } from './wrap.ts';

/** What profiles say to some accesses, or all their rules. */
export function explainAppArmor(
  profiles: readonly AppArmorProfile[],
  file: string,
  accesses: readonly string[],
  isJson: boolean,
): number {
  if (accesses.length === 0) {
    if (isJson)
      print(
        toJson(
          profiles.map(({ name, line, flags, includes, rules }) => ({
            profile: name,
            line,
            flags,
            includes,
            rules: rules.map(rule => ({ line: rule.line, rule: formatRule(rule) })),
          })),
        ),
      );
    else
      print(
        profiles
          .flatMap(({ name, flags, absent, rules }) => [
            `${safe(name)}${flags.length === 0 ? '' : ` flags ${flags.map(safe).join(', ')}`}`,
            ...(absent.length === 0 ? [] : [`  includes, not at hand: ${absent.map(safe).join(', ')}`]),
            ...rules.map(rule => `  ${String(rule.line).padStart(4)}  ${safe(formatRule(rule))}`),
          ])
          .join('\n')
          .concat('\n'),
      );
    return EXIT.clean;
  }
  const answers = profiles.flatMap(profile =>
    accesses.map(access => ({ profile: profile.name, access, ...answer(profile, access) })),
  );
  if (isJson)
    print(
      toJson(
        answers.map(({ rule, ...rest }) => ({
          ...rest,
          ...(rule === undefined ? {} : { line: rule.line, rule: formatRule(rule) }),
        })),
      ),
    );
  else
    print(
      answers
        .flatMap(({ profile, access, answer: word, because, rule }) => [
          ...wrap(`${safe(profile)} ${safe(access)}: ${word}, ${safe(because)}`, '', '  '),
          ...(rule === undefined ? [] : [`  ${safe(file)}:${rule.line}: ${safe(formatRule(rule))}`]),
        ])
        .join('\n')
        .concat('\n'),
    );
  return answers.some(one => one.answer === 'unknown') ? EXIT.unknown : EXIT.clean;
}

function answer(profile: AppArmorProfile, access: string): AppArmorDecision {
  const asked = accessOf(access);
  if (asked === undefined)
    throw new UsageError(
      `--access: "${access}" is not PATH:LETTER`,
      'such as /etc/shadow:r, or capability:sys_admin',
    );
  return decideAccess(profile, asked);
}

export function diffAppArmor(before: AppArmorProfile, after: AppArmorProfile, isJson: boolean): number {
  const { added, removed } = appArmorDifference(before, after);
  const isSame = added.length + removed.length === 0;
  if (isJson) print(toJson({ before: before.name, after: after.name, added, removed }));
  else if (isSame) print(`${safe(before.name)} and ${safe(after.name)} have the same rules\n`);
  else
    print(
      [
        `${safe(before.name)} -> ${safe(after.name)}`,
        ...added.map(one => `  + ${safe(one)}`),
        ...removed.map(one => `  - ${safe(one)}`),
      ]
        .join('\n')
        .concat('\n'),
    );
  return isSame ? EXIT.clean : EXIT.findings;
}
