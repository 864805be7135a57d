/** `sallyport explain`: the page of one check. */
import { idOf } from '#check/check.ts';
import { pageOf } from '#check/page.ts';
import { exceptionChecks } from '#judge/exception-checks.ts';
import { describe } from '#judge/report.ts';
import { toJson } from '#kube/json.ts';
import { nearest } from '#kube/nearest.ts';
import { checks as judged } from '#practices/index.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';

const checks = [...judged, ...exceptionChecks];

export function run(parsed: Parsed): number {
  const [word, ...more] = parsed.operands;
  if (word === undefined || more.length > 0)
    throw new UsageError('explain takes one check', 'for example: sallyport explain pod-security/privileged');
  const named = checks.filter(check => idOf(check) === word || check.name === word);
  const [check] = named;
  if (check === undefined) {
    const meant = nearest(
      word,
      checks.flatMap(check => [idOf(check), check.name]),
    );
    throw new UsageError(
      `"${word}" is no check`,
      meant === undefined ? 'sallyport checks lists them' : `did you mean ${meant}?`,
    );
  }
  if (named.length > 1) throw new UsageError(`"${word}" is several checks: ${named.map(idOf).join(', ')}`);
  if (parsed.value('format') === 'json') print(toJson({ ...describe(check), examples: check.examples }));
  else print(pageOf(check, parsed.value('format') === 'markdown' ? 'markdown' : 'text'));
  return EXIT.clean;
}
