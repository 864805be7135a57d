/** `sallyport pod-security profile lint`: what is wrong with Linux profiles. */
import { lintSeccomp } from '#decide/pod-security/profiles/lint.ts';
import type { Problem } from '#decide/pod-security/profiles/read-seccomp.ts';
import { toJson } from '#kube/json.ts';
import { count, safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print, tell } from '../output.ts';
import { load, machineOf, runtimeProfile } from '../profiles.ts';
import { wrap } from '../wrap.ts';

export function run(parsed: Parsed): number {
  if (parsed.operands.length === 0) throw new UsageError('profile lint needs a file');
  const machine = machineOf(parsed);
  const reference = parsed.value('against') ?? 'RuntimeDefault@containerd';
  const standard = runtimeProfile(reference);
  if (standard === undefined)
    throw new UsageError(`--against: "${reference}" is no RuntimeDefault@RUNTIME-VERSION`);
  const loaded = load(parsed.operands);
  const results = loaded.flatMap(one =>
    one.is === 'error'
      ? []
      : [
          {
            file: one.file,
            profile: one.profile.name,
            problems: [
              ...one.problems,
              ...(one.is === 'seccomp' ? lintSeccomp(one.profile, standard, machine) : []),
            ].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
          },
        ],
  );
  print(parsed.value('format') === 'json' ? toJson({ profiles: results }) : results.map(text).join(''));
  for (const one of loaded)
    if (one.is === 'error')
      tell(
        `sallyport: ${safe(one.file)}${one.line === undefined ? '' : `:${one.line}`}: ${safe(one.message)}\n`,
      );
  if (results.some(({ problems }) => problems.some(({ severity }) => severity !== 'low')))
    return EXIT.findings;
  return loaded.some(({ is }) => is === 'error') ? EXIT.unknown : EXIT.clean;
}

function text({
  file,
  profile,
  problems,
}: {
  file: string;
  profile: string;
  problems: readonly Problem[];
}): string {
  const lines = [
    `${safe(file)}${profile === file ? '' : ` ${safe(profile)}`}: ${problems.length === 0 ? 'nothing to say' : count(problems.length, 'problem')}`,
  ];
  for (const { severity, kind, message, line } of problems)
    lines.push(
      ...wrap(
        `${kind}: ${safe(message)}`,
        `  ${severity.padEnd(6)} ${line === undefined ? '' : `line ${line} `}`,
        ' '.repeat(9),
      ),
    );
  return `${lines.join('\n')}\n`;
}
