/** `sallyport authorization permissions`: what somebody may do, namespace by namespace, and what it is good for. */

import {
  becauseOfRule,
  type NonResourceRule,
  type ResourceRule,
  type Rules,
} from '#decide/authorization/door.ts';
import { covers, type PolicyRule } from '#decide/authorization/rules.ts';
import type { Because } from '#kube/objects.ts';
import { capabilitiesOf, WORTH } from '#paths/capabilities.ts';
import { safe } from '#report/safe.ts';
import { namespaceOf, type World } from '#world/world.ts';
import {
  explained,
  folding,
  namespaceAsked,
  printedAsData,
  questions,
  steps,
  stepsAsData,
  subjectsAsked,
  tellMissing,
  userOf,
} from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';
import type { wrap } from '../wrap.ts';

/** Rules, and all those out of which they were made. */
interface Told {
  readonly rules: Rules;
  readonly all: Rules;
}

interface Within extends Told {
  readonly namespaces: readonly string[];
}

export async function run(parsed: Parsed): Promise<number> {
  const [name, ...more] = subjectsAsked(parsed);
  if (name === undefined || more.length > 0)
    throw new UsageError('permissions takes one user', 'for example: system:serviceaccount:shop:release');
  const questioned = await questions(parsed);
  const { world, authorizer } = questioned;
  const user = name.startsWith('group:')
    ? { name: '', groups: [...new Set([name.slice('group:'.length), ...parsed.values('as-group')])] }
    : userOf(name, parsed.values('as-group'));
  const only = namespaceAsked(parsed);
  const whole = authorizer.rulesFor(user, '');
  const everywhere: Told = { rules: lean(whole, []), all: whole };
  const namespaces = new Set(
    world.declared.flatMap(({ object }) =>
      object.kind === 'RoleBinding' ? [namespaceOf(object) ?? ''] : [],
    ),
  );
  const asked = only === '' ? [...namespaces].sort() : [only];
  const within = asked
    .filter(namespace => namespace !== '')
    .map((namespace): Within => {
      const all = authorizer.rulesFor(user, namespace);
      return { namespaces: [namespace], rules: lean(all, everywhere.rules.resourceRules), all };
    })
    .filter(({ rules }) => rules.resourceRules.length > 0);
  const printed = printedAsData(parsed, () => ({
    user,
    everywhere: rulesAsData(everywhere, world, true),
    namespaces: within.flatMap(told =>
      told.namespaces.map(namespace => ({ namespace, rules: rulesAsData(told, world, true) })),
    ),
  }));
  // The same may be given in each namespace by another binding.
  if (!printed) print(text(parsed, everywhere, explained(parsed) ? within : alike(within), world));
  const errors = [everywhere, ...within].some(({ rules }) => rules.error !== undefined);
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
    ...group[0]!,
    namespaces: group.flatMap(({ namespaces }) => namespaces),
  }));
}

/** What a rule is good for, each worth once. */
function worthOf(rule: ResourceRule | NonResourceRule): string[] {
  const given = capabilitiesOf([rule]).map(({ capability }) => capability);
  return (given.includes('everything') ? (['everything'] as const) : given).map(one => WORTH[one]);
}

/** Everything that gives a rule: each of these by itself is enough. */
function sourcesOf(
  rule: ResourceRule | NonResourceRule,
  { resourceRules, nonResourceRules }: Rules,
): Because[] {
  const candidates = 'nonResourceURLs' in rule ? nonResourceRules : resourceRules;
  return candidates
    .filter(one => one === rule || (rule.verbs.length > 0 && covers([one], [rule]).covered))
    .flatMap(becauseOfRule);
}

/** Rules as data, each with what gives it, and on demand with what it is good for. */
export function rulesAsData({ rules, all }: Told, world: World, worth = false): object {
  const told = (rule: ResourceRule | NonResourceRule): object => {
    const goodFor = worth ? worthOf(rule) : [];
    return {
      ...rule,
      ...(goodFor.length === 0 ? {} : { goodFor }),
      because: stepsAsData(sourcesOf(rule, all), world),
    };
  };
  return {
    ...rules,
    resourceRules: rules.resourceRules.map(told),
    nonResourceRules: rules.nonResourceRules.map(told),
  };
}

function text(parsed: Parsed, everywhere: Told, within: readonly Within[], world: World): string {
  const about = { fold: folding(parsed), worth: true, explain: explained(parsed) };
  const lines = [
    ...section('In the whole cluster', everywhere, world, about),
    ...within.flatMap(told => {
      const names = told.namespaces.map(safe).join(', ');
      return section(`In namespace${told.namespaces.length === 1 ? '' : 's'} ${names}`, told, world, about);
    }),
  ];
  return lines.length === 0 ? 'nothing\n' : `${lines.join('\n')}\n`;
}

/** The rules under a title; nothing where there are none. */
export function section(
  title: string,
  { rules: { resourceRules, nonResourceRules, error }, all }: Told,
  world: World,
  {
    fold,
    explain,
    worth = false,
  }: {
    readonly fold: typeof wrap;
    /** Whether to say what each is good for. */
    readonly worth?: boolean;
    /** Whether to say which bindings and rules give it. */
    readonly explain: boolean;
  },
): string[] {
  const why = (rule: ResourceRule | NonResourceRule): string[] =>
    explain ? steps(sourcesOf(rule, all), world).flatMap(step => fold(`by ${step}`, '    ', '      ')) : [];
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
      ...why(rule),
    ];
  });
  lines.push(
    ...nonResourceRules.flatMap(rule => [
      ...fold(`${safe(rule.verbs.join(', '))}: ${safe(rule.nonResourceURLs.join(', '))}`, '  ', '    '),
      ...why(rule),
    ]),
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
