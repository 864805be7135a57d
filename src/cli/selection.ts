/** Which checks a command line and a configuration ask for. */
import type { Profile } from '#check/check.ts';
import type { Selected } from '#judge/scan.ts';
import { select, unmatched } from '#judge/select.ts';
import { nearest } from '#kube/nearest.ts';
import { checks } from '#practices/index.ts';
import type { Parsed } from './command.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';

/** A check's name with its practice. */
function fullName(word: string): string {
  const check = checks.find(({ name }) => name === word);
  return check === undefined ? word : `${check.practice}/${check.name}`;
}

/** @throws UsageError for a word that is no check, practice or framework */
export function selection(parsed: Parsed, config: Config): Selected[] {
  const only = parsed.values('check');
  const skip = parsed.values('skip');
  for (const word of unmatched(checks, [...only, ...skip])) {
    const meant = nearest(
      word,
      checks.flatMap(({ practice, name }) => [`${practice}/${name}`, name, practice]),
    );
    throw new UsageError(
      `"${word}" is no check, practice or framework`,
      meant === undefined ? 'sallyport checks lists them' : `did you mean ${fullName(meant)}?`,
    );
  }
  return select(checks, {
    profile: (parsed.value('profile') as Profile | 'all' | undefined) ?? config.profile ?? 'default',
    only,
    enable: config.enable,
    skip: [...skip, ...config.skip],
    severities: config.severities,
    options: withProfiles(config),
    ...(config.checksVersion === undefined ? {} : { version: config.checksVersion }),
  });
}

/** The check of a team's own profiles is told which there are. */
function withProfiles({ options, podSecurityProfiles }: Config): Config['options'] {
  return podSecurityProfiles === undefined
    ? options
    : { ...options, 'pod-security/custom-profile': { profiles: podSecurityProfiles } };
}

const TOOLS = ['kube-linter', 'checkov', 'trivy', 'polaris'];

/** @throws UsageError for a tool whose marks are not known */
export function honoredTools(parsed: Parsed, option = 'honor'): string[] {
  const named = parsed.values(option).flatMap(word => word.split(','));
  for (const tool of named)
    if (!TOOLS.includes(tool)) throw new UsageError(`--${option}: "${tool}" is none of ${TOOLS.join(', ')}`);
  return named;
}
