/** `sallyport authorization permissions`: what somebody may do, namespace by namespace. */

import type { Rules } from '#decide/authorization/door.ts';
import { isEqual } from '#kube/equal.ts';
import { toJson } from '#kube/json.ts';
import { safe } from '#report/safe.ts';
import { namespaceOf } from '#world/world.ts';
import { questions, userOf } from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const [name, ...more] = parsed.operands;
  if (name === undefined || more.length > 0)
    throw new UsageError('permissions takes one user', 'for example: system:serviceaccount:shop:release');
  const { world, authorizer } = await questions(parsed);
  const user = userOf(name, parsed.values('as-group'));
  const everywhere = authorizer.rulesFor(user, '');
  const namespaces = [
    ...new Set(
      world.declared.flatMap(({ object }) =>
        object.kind === 'RoleBinding' ? [namespaceOf(object) ?? ''] : [],
      ),
    ),
  ].sort();
  const within = namespaces
    .filter(namespace => namespace !== '')
    .map(namespace => ({ namespace, rules: beyond(authorizer.rulesFor(user, namespace), everywhere) }))
    .filter(({ rules }) => rules.resourceRules.length > 0);
  if (parsed.value('format') === 'json') print(toJson({ user, everywhere, namespaces: within }));
  else print(text(everywhere, within));
  const errors = [everywhere, ...within.map(({ rules }) => rules)].some(({ error }) => error !== undefined);
  return errors ? EXIT.unknown : EXIT.clean;
}

/** What a namespace adds to what is granted everywhere. */
function beyond(rules: Rules, everywhere: Rules): Rules {
  return {
    ...rules,
    resourceRules: rules.resourceRules.filter(
      rule => !everywhere.resourceRules.some(known => isEqual(known, rule)),
    ),
  };
}

function text(
  everywhere: Rules,
  within: readonly { readonly namespace: string; readonly rules: Rules }[],
): string {
  const lines = [
    ...section('In the whole cluster', everywhere),
    ...within.flatMap(({ namespace, rules }) => section(`In namespace ${safe(namespace)}`, rules)),
  ];
  return lines.length === 0 ? 'nothing\n' : `${lines.join('\n')}\n`;
}

/** The rules under a title; nothing where there are none. */
export function section(title: string, { resourceRules, nonResourceRules, error }: Rules): string[] {
  const lines = resourceRules.map(({ verbs, apiGroups, resources, resourceNames }) => {
    const what = resources.flatMap(resource =>
      apiGroups.map(group => (group === '' || group === '*' ? resource : `${resource}.${group}`)),
    );
    const only = resourceNames === undefined ? '' : ` (only ${resourceNames.join(', ')})`;
    return `  ${safe(verbs.join(', '))}: ${safe(what.join(', '))}${safe(only)}`;
  });
  lines.push(
    ...nonResourceRules.map(
      ({ verbs, nonResourceURLs }) => `  ${safe(verbs.join(', '))}: ${safe(nonResourceURLs.join(', '))}`,
    ),
  );
  if (error !== undefined) lines.push(`  unknown: ${safe(error)}`);
  return lines.length === 0 ? [] : [title, ...new Set(lines)];
}
