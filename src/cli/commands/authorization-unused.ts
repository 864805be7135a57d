/** `sallyport authorization unused`: what is granted and an audit log shows no use of. */
import { bindingText, type Unused, unusedGrants } from '#advise/unused.ts';
import { toJson } from '#kube/json.ts';
import { nameOf, referenceOf } from '#kube/objects.ts';
import { count, safe } from '#report/safe.ts';
import type { World } from '#world/world.ts';
import { observe } from '../audit.ts';
import { questions } from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT } from '../errors.ts';
import { print } from '../output.ts';
import { wrap } from '../wrap.ts';

const HONEST =
  'Not seen is not the same as not needed: the log covers its own time only, and an audit policy may leave out requests (level None, read-only verbs, non-resource URLs, whole users).';

export async function run(parsed: Parsed): Promise<number> {
  const { usage } = await observe(parsed);
  const { world, authorizer } = await questions(parsed);
  const all = unusedGrants(world, authorizer, usage.used);
  const unused = all.filter(({ role }) => role !== undefined);
  const unknown = all.filter(({ role }) => role === undefined);
  if (parsed.value('format') === 'json')
    print(
      toJson({
        unused: unused.map(({ binding, role, whole, rules }) => ({
          binding: referenceOf(binding),
          role: referenceOf(role!),
          whole,
          ...place(binding, world, []),
          rules: rules.map(rule => ({ ...rule, ...place(role!, world, ['rules', rule.index]) })),
        })),
        unknown: unknown.map(({ binding }) => ({
          binding: referenceOf(binding),
          ...place(binding, world, []),
        })),
        allowed: usage.allowed,
        note: HONEST,
      }),
    );
  else {
    const lines = unused.flatMap(one => textOf(one, world));
    for (const { binding } of unknown)
      lines.push(
        ...wrap(
          `${at(binding, world, [])}${safe(bindingText(binding))}: its role is not in the input`,
          '',
          '  ',
        ),
      );
    const whole = unused.filter(one => one.whole).length;
    lines.push(
      ...(lines.length > 0 ? [''] : []),
      ...wrap(
        `${count(whole, 'binding')} without any use, ${count(unused.length - whole, 'binding')} used in part, by ${count(usage.allowed, 'allowed request')}.`,
        '',
        '',
      ),
      ...wrap(HONEST, '', ''),
    );
    print(`${lines.join('\n')}\n`);
  }
  if (usage.allowed === 0 || unknown.length > 0) return EXIT.unknown;
  return unused.length > 0 ? EXIT.findings : EXIT.clean;
}

function place(object: Unused['binding'], world: World, path: readonly (string | number)[]): object {
  const origin = world.declarationOf(object)?.origin;
  return origin === undefined ? {} : { file: origin.file, line: origin.positionOf(path).line };
}

function at(object: Unused['binding'], world: World, path: readonly (string | number)[]): string {
  const origin = world.declarationOf(object)?.origin;
  return origin === undefined ? '' : `${safe(origin.file)}:${origin.positionOf(path).line} `;
}

function textOf({ binding, role, whole, rules }: Unused, world: World): string[] {
  const head = `${at(binding, world, [])}${safe(bindingText(binding))}`;
  if (whole) return wrap(`${head}: never used`, '', '  ');
  return [
    ...wrap(`${head}: used in part`, '', '  '),
    ...rules.flatMap(({ index, whole: none, verbs, resources, nonResourceURLs }) => {
      const words = [
        ['verbs', verbs],
        ['resources', resources],
        ['URLs', nonResourceURLs],
      ] as const;
      const left = words
        .filter(([, list]) => list.length > 0)
        .map(([what, list]) => `${what} ${list.join(', ')}`);
      const rule = `${at(role!, world, ['rules', index])}rule ${index + 1} of ${role!.kind} ${nameOf(role!)}`;
      return wrap(safe(`${rule}: ${none ? 'never used' : `not used: ${left.join('; ')}`}`), '  ', '    ');
    }),
  ];
}
