/** `sallyport authorization permissions`: what somebody may do, namespace by namespace, and what it is good for. */

import type { NonResourceRule, ResourceRule, Rules } from '#decide/authorization/door.ts';
import { covers, type PolicyRule } from '#decide/authorization/rules.ts';
import { capabilitiesOf, WORTH } from '#paths/capabilities.ts';
import { safe } from '#report/safe.ts';
import { namespaceOf } from '#world/world.ts';
import { folding, namespaceAsked, printedAsData, questions, tellMissing, userOf } from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';
import { wrap } from '../wrap.ts';

interface Within {
  readonly namespaces: readonly string[];
  readonly rules: Rules;
}

export async function run(parsed: Parsed): Promise<number> {
  const [name, ...more] = parsed.operands;
  if (name === undefined || more.length > 0)
    throw new UsageError('permissions takes one user', 'for example: system:serviceaccount:shop:release');
  const questioned = await questions(parsed);
  const { world, authorizer } = questioned;
  const user = name.startsWith('group:')
    ? { name: '', groups: [...new Set([name.slice('group:'.length), ...parsed.values('as-group')])] }
    : userOf(name, parsed.values('as-group'));
  const only = namespaceAsked(parsed);
  const everywhere = lean(authorizer.rulesFor(user, ''), []);
  const namespaces = new Set(
    world.declared.flatMap(({ object }) =>
      object.kind === 'RoleBinding' ? [namespaceOf(object) ?? ''] : [],
    ),
  );
  const asked = only === '' ? [...namespaces].sort() : [only];
  const within = alike(
    asked
      .filter(namespace => namespace !== '')
      .map(namespace => ({
        namespaces: [namespace],
        rules: lean(authorizer.rulesFor(user, namespace), everywhere.resourceRules),
      }))
      .filter(({ rules }) => rules.resourceRules.length > 0),
  );
  const printed = printedAsData(parsed, () => ({
    user,
    everywhere: worthy(everywhere),
    namespaces: within.flatMap(({ namespaces, rules }) =>
      namespaces.map(namespace => ({ namespace, rules: worthy(rules) })),
    ),
  }));
  if (!printed) print(text(everywhere, within, folding(parsed)));
  const errors = [everywhere, ...within.map(({ rules }) => rules)].some(({ error }) => error !== undefined);
  // Of bindings that name somebody else nothing depends; the errors of those that name this one are in the answer.
  if (world.gaps.length === 0) return errors ? EXIT.unknown : EXIT.clean;
  tellMissing(parsed, questioned);
  return EXIT.unknown;
}

/** Without what other rules of the list, or those that hold everywhere, say already. */
function lean(rules: Rules, everywhere: readonly ResourceRule[]): Rules {
  return {
    ...rules,
    resourceRules: uncovered(rules.resourceRules, everywhere),
    nonResourceRules: uncovered(rules.nonResourceRules, []),
  };
}

function uncovered<Rule extends PolicyRule>(rules: readonly Rule[], besides: readonly Rule[]): Rule[] {
  const kept = [...rules];
  // From the end on, so that of two that are equal the first one stays.
  for (let at = kept.length - 1; at >= 0; at--) {
    const others = [...besides, ...kept.slice(0, at), ...kept.slice(at + 1)];
    if (covers(others, [kept[at]!]).covered) kept.splice(at, 1);
  }
  return kept;
}

/** Namespaces in which the same is allowed, told together. */
function alike(within: readonly Within[]): Within[] {
  return [...Map.groupBy(within, ({ rules }) => JSON.stringify(rules)).values()].map(group => ({
    namespaces: group.flatMap(({ namespaces }) => namespaces),
    rules: group[0]!.rules,
  }));
}

/** What a rule is good for, each worth once. */
function worthOf(rule: ResourceRule | NonResourceRule): string[] {
  const given = capabilitiesOf([rule]).map(({ capability }) => capability);
  return (given.includes('everything') ? (['everything'] as const) : given).map(one => WORTH[one]);
}

function worthy(rules: Rules): object {
  return {
    ...rules,
    resourceRules: rules.resourceRules.map(rule => {
      const worth = worthOf(rule);
      return worth.length === 0 ? rule : { ...rule, goodFor: worth };
    }),
  };
}

function text(everywhere: Rules, within: readonly Within[], fold: typeof wrap): string {
  const lines = [
    ...section('In the whole cluster', everywhere, fold, true),
    ...within.flatMap(({ namespaces, rules }) => {
      const names = namespaces.map(safe).join(', ');
      return section(`In namespace${namespaces.length === 1 ? '' : 's'} ${names}`, rules, fold, true);
    }),
  ];
  return lines.length === 0 ? 'nothing\n' : `${lines.join('\n')}\n`;
}

/**
 * The rules under a title; nothing where there are none.
 *
 * @param worth whether to say what each is good for
 */
export function section(
  title: string,
  { resourceRules, nonResourceRules, error }: Rules,
  fold: typeof wrap = wrap,
  worth = false,
): string[] {
  const said = new Set<string>();
  const lines = resourceRules.flatMap(rule => {
    const { verbs, apiGroups, resources, resourceNames } = rule;
    const what = resources.flatMap(resource => apiGroups.map(group => inGroup(resource, group)));
    const only = resourceNames === undefined ? '' : ` (only ${resourceNames.join(', ')})`;
    const text = `${safe(verbs.join(', '))}: ${safe(what.join(', '))}${safe(only)}`;
    if (said.has(text)) return [];
    said.add(text);
    return [
      ...fold(text, '  ', '    '),
      ...(worth ? worthOf(rule).flatMap(one => fold(one, '    > ', '      ')) : []),
    ];
  });
  lines.push(
    ...nonResourceRules.flatMap(({ verbs, nonResourceURLs }) =>
      fold(`${safe(verbs.join(', '))}: ${safe(nonResourceURLs.join(', '))}`, '  ', '    '),
    ),
  );
  if (error !== undefined) lines.push(...fold(`unknown: ${safe(error)}`, '  ', '    '));
  return lines.length === 0 ? [] : [...fold(title, '', '  '), ...lines];
}

/** `pods/log`, `deployments.apps/scale`, `* (every group)`. */
function inGroup(resource: string, group: string): string {
  if (group === '') return resource;
  if (group === '*') return `${resource} (every group)`;
  const [name = '', ...sub] = resource.split('/');
  return [`${name}.${group}`, ...sub].join('/');
}
