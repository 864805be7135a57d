/** What the commands say of profiles of SELinux. */
import {
  type Access,
  accessOf,
  decideAccess,
  policyDifference,
  type SelinuxPolicy,
} from '#decide/pod-security/profiles/selinux-policy.ts';
import { toJson } from '#kube/json.ts';
import { safe } from '#report/safe.ts';
import { EXIT, UsageError } from './errors.ts';
import { print } from './output.ts';
import { wrap } from './wrap.ts';

/** What a profile says to some accesses, or all that it allows. */
export function explainSelinux(
  policy: SelinuxPolicy,
  file: string,
  accesses: readonly string[],
  isJson: boolean,
): number {
  if (accesses.length === 0) {
    if (isJson) print(toJson(policy));
    else {
      const lines = [
        `${safe(policy.name)}: pods name it as seLinuxOptions.type ${safe(policy.usage)}${policy.permissive ? '; permissive, so it only logs' : ''}`,
      ];
      const inherits = [...policy.templates, ...policy.missing];
      if (inherits.length > 0) lines.push(`  inherits ${inherits.map(safe).join(', ')}`);
      if (policy.attributes.length > 0)
        lines.push(`  joins ${policy.attributes.map(({ name }) => safe(name)).join(', ')}`);
      for (const { type, class: name, permissions } of policy.rules)
        lines.push(...wrap(permissions.map(safe).join(' '), `  ${safe(type)} ${safe(name)}: `, '    '));
      print(`${lines.join('\n')}\n`);
    }
    return EXIT.clean;
  }
  const answers = accesses.map(accessNamed).map(access => ({ ...access, ...decideAccess(policy, access) }));
  if (isJson) print(toJson({ profile: policy.name, accesses: answers }));
  else
    print(
      answers
        .flatMap(({ type, class: name, permission, answer, because, rule }) => {
          const lines = wrap(`${type} ${name} ${permission}: ${answer}, ${safe(because)}`, '', '  ');
          if (rule?.line !== undefined) lines.push(`  ${safe(file)}:${rule.line}`);
          return lines;
        })
        .join('\n')
        .concat('\n'),
    );
  return answers.some(({ answer }) => answer === 'unknown') ? EXIT.unknown : EXIT.clean;
}

function accessNamed(word: string): Access {
  const access = accessOf(word);
  if ('message' in access) throw new UsageError(`--access: ${access.message}`, access.hint);
  return access;
}

export function diffSelinux(before: SelinuxPolicy, after: SelinuxPolicy, isJson: boolean): number {
  const found = policyDifference(before, after);
  const isSame = found.accesses.length + found.opened.length + found.closed.length === 0;
  if (isJson) print(toJson({ before: before.name, after: after.name, ...found }));
  else if (isSame) print(`${safe(before.name)} and ${safe(after.name)} allow the same\n`);
  else {
    const lines = [`${safe(before.name)} -> ${safe(after.name)}`];
    for (const one of found.opened) lines.push(`  + ${safe(one)}`);
    for (const one of found.closed) lines.push(`  - ${safe(one)}`);
    for (const { type, class: name, opened, closed } of found.accesses) {
      const title = `${safe(type)} ${safe(name)}: `;
      if (opened.length > 0) lines.push(...wrap(opened.map(safe).join(' '), `  + ${title}`, '      '));
      if (closed.length > 0) lines.push(...wrap(closed.map(safe).join(' '), `  - ${title}`, '      '));
    }
    print(`${lines.join('\n')}\n`);
  }
  if (before.unread.length + after.unread.length > 0) return EXIT.unknown;
  return isSame ? EXIT.clean : EXIT.findings;
}
