/** `sallyport checks`: the list of checks. */
import { type Check, idOf, type Profile } from '#check/check.ts';
import { practices } from '#check/practices.ts';
import { exceptionChecks } from '#judge/exception-checks.ts';
import { describe, version } from '#judge/report.ts';
import { compareVersions, matches, unmatched } from '#judge/select.ts';
import { toJson } from '#kube/json.ts';
import { nearest } from '#kube/nearest.ts';
import { checks as judged } from '#practices/index.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';

const checks = [...judged, ...exceptionChecks];

export function run(parsed: Parsed): number {
  const [typo] = unmatched(checks, parsed.operands);
  if (typo !== undefined) {
    const meant = nearest(
      typo,
      checks.flatMap(check => [idOf(check), check.name, check.practice]),
    );
    throw new UsageError(
      `"${typo}" is no check, practice or framework`,
      meant === undefined ? `the practices are ${practices.join(', ')}` : `did you mean ${meant}?`,
    );
  }
  const profile = parsed.value('profile') as Profile | 'all' | undefined;
  const since = sinceOf(parsed.value('since'));
  const listed = checks.filter(
    check =>
      (since === undefined || compareVersions(check.since, since) > 0) &&
      (parsed.operands.length === 0 || parsed.operands.some(word => matches(check, word))) &&
      (profile === undefined || profile === 'all' || check.profiles.includes(profile)),
  );
  switch (parsed.value('format')) {
    case 'json':
      print(
        toJson(
          listed.map(check => ({
            ...describe(check),
            profiles: check.profiles,
            stage: check.stage ?? 'stable',
          })),
        ),
      );
      break;
    case 'markdown':
      print(table(listed));
      break;
    default:
      print(text(listed));
  }
  return EXIT.clean;
}

/** @throws UsageError for what is no version, or one that is not out yet: it would seem to bring nothing */
function sinceOf(word: string | undefined): string | undefined {
  if (word === undefined) return undefined;
  const plain = word.replace(/^v/, '');
  if (!/^\d{1,9}\.\d{1,9}\.\d{1,9}$/.test(plain))
    throw new UsageError(`--since: "${word}" is no version of Sallyport`, 'write it like 0.1.0');
  if (compareVersions(plain, version) > 0)
    throw new UsageError(`--since: this is ${version}, which does not know what came after ${plain}`);
  return plain;
}

function text(listed: readonly Check[]): string {
  const width = Math.max(0, ...listed.map(check => idOf(check).length)) + 2;
  const lines = listed.map(check => `${check.severity.padEnd(9)}${idOf(check).padEnd(width)}${check.title}`);
  return [...lines, '', `${listed.length} checks; sallyport explain CHECK tells more about one.`, ''].join(
    '\n',
  );
}

function table(listed: readonly Check[]): string {
  return [
    '| Check | Severity | Profiles | What it finds |',
    '|---|---|---|---|',
    ...listed.map(
      check =>
        `| \`${idOf(check)}\` | ${check.severity} | ${check.profiles.join(', ')} | ${check.title.replaceAll('|', '\\|')} |`,
    ),
    '',
  ].join('\n');
}
