/** `sallyport authorization learn`: the smallest roles that allow what an audit log shows. */
import { learnRoles } from '#advise/roles.ts';
import { toJson } from '#kube/json.ts';
import { yamlDocuments } from '#kube/yaml-text.ts';
import { count, safe } from '#report/safe.ts';
import { chosen, observe } from '../audit.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print, tell } from '../output.ts';
import { wrap } from '../wrap.ts';

export async function run(parsed: Parsed): Promise<number> {
  const enough = parsed.value('generalise-names');
  if (enough !== undefined && !/^[1-9]\d{0,6}$/.test(enough))
    throw new UsageError(`--generalise-names: "${enough}" is no number from 1 on`);
  const { usage, tally } = await observe(parsed);
  const learned = learnRoles(
    chosen(usage.used, parsed),
    enough === undefined ? {} : { generaliseNames: Number(enough) },
  );
  const { objects, subjects, proven, unspeakable } = learned;
  const { examples: _, ...log } = tally;
  if (parsed.value('format') === 'json') print(toJson({ objects, subjects, proven, unspeakable, log }));
  else {
    const lines = [
      `${count(proven, 'request')} of ${count(subjects.length, 'subject')}, asked again of these roles alone: all allowed.`,
      ...subjects.map(
        ({ user, requests, count: made, grants, wider }) =>
          `${safe(user)}: ${count(requests, 'request')} (${made} times), ${count(grants, 'grant')}, ${wider.length} wider than seen`,
      ),
    ];
    const head = lines.flatMap(line => wrap(line, '# ', '#   '));
    print(`${head.join('\n')}\n${yamlDocuments(objects)}`);
  }
  if (!parsed.has('quiet')) {
    for (const { user, wider, notes } of subjects)
      for (const text of [...wider.map(one => `wider than seen: ${one}`), ...notes])
        tell(`sallyport: ${safe(user)}: ${safe(text)}\n`);
    for (const { user, request } of unspeakable.slice(0, 5))
      tell(
        `sallyport: left out, for a rule with * would grant more: ${safe(user)} ${safe(request.verb ?? '')} ${safe(request.resource ?? request.path ?? '')}\n`,
      );
    if (unspeakable.length > 5) tell(`sallyport: and ${unspeakable.length - 5} more left out\n`);
  }
  if (subjects.length === 0) {
    tell('sallyport: no allowed request of such a subject is in the log\n');
    return EXIT.unknown;
  }
  return unspeakable.length > 0 ? EXIT.unknown : EXIT.clean;
}
