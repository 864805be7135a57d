/** `sallyport authorization learn`: the smallest roles that allow what an audit log shows. */
import { type LearnedSubject, learnRoles, type Reused } from '#advise/roles.ts';
import { toJson } from '#kube/json.ts';
import { type KubeObject, referenceOf } from '#kube/objects.ts';
import { yamlDocuments } from '#kube/yaml-text.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { chosen, observe } from '../audit.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';
import { wrap } from '../wrap.ts';

/** So much is said of one subject; JSON has it all. */
const SHOWN = 5;

export async function run(parsed: Parsed): Promise<number> {
  const names = numberOf(parsed, 'generalise-names');
  const namespaces = numberOf(parsed, 'generalise-namespaces');
  const existing = await existingOf(parsed);
  const { usage, tally } = await observe(parsed, chosen(parsed));
  const namespace = parsed.value('namespace');
  const used = usage.used.filter(({ request }) => namespace === undefined || request.namespace === namespace);
  const learned = learnRoles(used, {
    ...(names === undefined ? {} : { generaliseNames: names }),
    ...(namespaces === undefined ? {} : { generaliseNamespaces: namespaces }),
    existing,
  });
  const { objects, reused, subjects, proven, unspeakable } = learned;
  const { examples: _, ...log } = tally;
  if (parsed.value('format') === 'json')
    print(
      toJson({
        objects,
        reused: reused.map(({ role, users, bound }) => ({
          role: referenceOf(role),
          users,
          boundBy: bound.map(referenceOf),
        })),
        subjects,
        proven,
        unspeakable,
        leftOut: usage.beyond,
        log,
      }),
    );
  else {
    const lines = [
      `${count(proven, 'request')} of ${count(subjects.length, 'subject')}, asked again of these roles alone: all allowed.`,
      ...subjects.map(
        ({ user, requests, count: made, grants, beyond }) =>
          `${safe(user)}: ${count(requests, 'request')} (${made} times), ${count(grants, 'grant')}, ${beyond} wider than seen`,
      ),
      ...reused.map(reusedText),
    ];
    const head = lines.flatMap(line => wrap(line, '# ', '#   '));
    print(`${head.join('\n')}\n${yamlDocuments(objects)}`);
  }
  if (!parsed.has('quiet')) {
    for (const subject of subjects) for (const line of remarks(subject)) tell(`sallyport: ${line}\n`);
    for (const { user, request } of unspeakable.slice(0, SHOWN))
      tell(
        `sallyport: left out, for a rule with * would grant more: ${safe(user)} ${safe(request.verb ?? '')} ${safe(request.resource ?? request.path ?? '')}\n`,
      );
    if (unspeakable.length > SHOWN) tell(`sallyport: and ${unspeakable.length - SHOWN} more left out\n`);
  }
  if (subjects.length === 0) {
    tell('sallyport: no allowed request of such a subject is in the log\n');
    return EXIT.unknown;
  }
  return unspeakable.length > 0 || usage.beyond > 0 ? EXIT.unknown : EXIT.clean;
}

function numberOf(parsed: Parsed, option: string): number | undefined {
  const word = parsed.value(option);
  if (word === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(word)) throw new UsageError(`--${option}: "${word}" is no number from 1 on`);
  return Number(word);
}

/** The roles and bindings that are there, where paths to them are named. */
async function existingOf(parsed: Parsed): Promise<readonly KubeObject[]> {
  const paths = parsed.values('filename');
  if (paths.length === 0) return [];
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const { declared } = await readInput(parsed, paths, config);
  return declared.map(({ object }) => object);
}

function reusedText({ role, users, bound }: Reused): string {
  const who = users.map(safe).join(', ');
  const by =
    bound.length === 0
      ? ''
      : ` (bound already by ${bound.map(one => objectName(referenceOf(one))).join(', ')})`;
  return `used again, for it grants nothing beyond the need: ${objectName(referenceOf(role))}, for ${who}${by}`;
}

function remarks({ user, wider, risky, notes }: LearnedSubject): string[] {
  const some = (list: readonly string[], what: string): string[] => [
    ...list.slice(0, SHOWN).map(one => `${what}: ${one}`),
    ...(list.length > SHOWN ? [`${what}: and ${list.length - SHOWN} more; -o json has them all`] : []),
  ];
  return [...some(wider, 'wider than seen'), ...some(risky, 'worth a look'), ...notes].map(
    text => `${safe(user)}: ${safe(text)}`,
  );
}
