/**
 * ValidatingAdmissionPolicies, MutatingAdmissionPolicies and their bindings: what a change of one lets pass that it
 * looked at, refused or changed before.
 *
 * Sources: kubernetes staging/src/k8s.io/api/admissionregistration/v1/types.go (defaults, what an empty list means),
 * apiserver pkg/admission/plugin/policy/matching/matching.go (a binding without rules is about everything that its
 * policy is about; equivalent versions match), pkg/admission/plugin/policy/mutating/dispatcher.go.
 */
import type { SecurityChange } from '#check/comparison.ts';
import { toJson } from '#kube/json.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector } from '#kube/selectors.ts';
import type { Declared } from '#world/world.ts';
import { changeOf, type Pair } from './sides.ts';

type Changed = Pair & { readonly base: Declared; readonly head: Declared };

const KIND = /^admissionregistration\.k8s\.io\/(Validating|Mutating)AdmissionPolicy(Binding)?$/;

/** A policy that changes what others wrote may loosen it as well as tighten it. */
export function isMutating(key: string): boolean {
  return KIND.exec(key)?.[1] === 'Mutating';
}

/** @returns nothing for objects of other kinds, and for what no rule here understands */
export function admissionChanges(pair: Changed, key: string): SecurityChange[] {
  const [matched, flavour, binding] = KIND.exec(key) ?? [];
  if (matched === undefined) return [];
  const strict = (path: Path, order: readonly string[], absent: string) =>
    strictnessChanges(pair, path, order, absent);
  const spec = (...rest: string[]): Path => ['spec', ...rest];
  if (binding !== undefined)
    return [
      ...(flavour === 'Validating' ? actionChanges(pair) : []),
      ...strict(spec('paramRef', 'parameterNotFoundAction'), ['Deny', 'Allow'], ''),
      ...matchChanges(pair, spec('matchResources'), true),
    ];
  return [
    ...strict(spec('failurePolicy'), ['Fail', 'Ignore'], 'Fail'),
    ...(flavour === 'Validating'
      ? countChanges(pair, spec('validations'), 'validation', 'worse', 'better')
      : [
          ...countChanges(pair, spec('mutations'), 'mutation', 'worse', 'neutral'),
          ...strict(spec('reinvocationPolicy'), ['IfNeeded', 'Never'], ''),
        ]),
    ...countChanges(pair, spec('matchConditions'), 'condition', 'better', 'worse'),
    ...matchChanges(pair, spec('matchConstraints'), false),
  ];
}

function change(pair: Changed, path: Path, text: string, direction: SecurityChange['direction']) {
  return changeOf('cicd/weakened-guard', pair, text, { direction, path });
}

/** @param order from the strictest word to the laxest; words that are none of them are not compared */
function strictnessChanges(
  pair: Changed,
  path: Path,
  order: readonly string[],
  absent: string,
): SecurityChange[] {
  const word = ({ object }: Declared) => String(valueAt(object, path) ?? absent);
  const [was, is] = [word(pair.base), word(pair.head)];
  if (was === is || !order.includes(was) || !order.includes(is)) return [];
  const isLaxer = order.indexOf(is) > order.indexOf(was);
  return [change(pair, path, `${path.at(-1)} is ${is}, before ${was}`, isLaxer ? 'worse' : 'better')];
}

function actionChanges(pair: Changed): SecurityChange[] {
  const path = ['spec', 'validationActions'];
  const denies = ({ object }: Declared) => listAt(object, path).includes('Deny');
  const [did, does] = [denies(pair.base), denies(pair.head)];
  if (did === does) return [];
  return [change(pair, path, does ? 'denies now' : 'denies no more', does ? 'better' : 'worse')];
}

function listAt(object: KubeObject, path: Path): readonly unknown[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value : [];
}

function countChanges(
  pair: Changed,
  path: Path,
  noun: string,
  fewer: SecurityChange['direction'],
  more: SecurityChange['direction'],
): SecurityChange[] {
  const items = ({ object }: Declared) => new Set(listAt(object, path).map(item => toJson(item)));
  const [was, is] = [items(pair.base), items(pair.head)];
  const beyond = (some: ReadonlySet<string>, others: ReadonlySet<string>) =>
    [...some].filter(one => !others.has(one)).length;
  const [came, went] = [beyond(is, was), beyond(was, is)];
  // Where some came and others went, one of them may only have been rewritten.
  if ((came > 0 && went > 0) || came === went) return [];
  const count = came + went;
  const text = `${count} ${noun}${count === 1 ? '' : 's'} ${came > 0 ? 'more' : 'fewer'}`;
  return [change(pair, path, text, came > 0 ? more : fewer)];
}

/** @param openWithout whether no rules mean everything, as in bindings */
function matchChanges(pair: Changed, path: Path, openWithout: boolean): SecurityChange[] {
  const at = (name: string): Path => [...path, name];
  const isExact = ({ object }: Declared) => valueAt(object, at('matchPolicy')) === 'Exact';
  const withVersions = isExact(pair.base) && isExact(pair.head);
  const rules = ({ object }: Declared, name: string, isOpen: boolean): readonly Rule[] | undefined => {
    const list = listAt(object, at(name));
    return isOpen && list.length === 0 ? EVERYTHING : rulesOf(list, withVersions);
  };
  const compareRules = (name: string, isOpen: boolean) => {
    const [was, is] = [rules(pair.base, name, isOpen), rules(pair.head, name, isOpen)];
    // More than anybody wrote by hand is only said to have changed.
    if (was === undefined || is === undefined) return undefined;
    const beyond = (some: readonly Rule[], others: readonly Rule[]) =>
      some.filter(one => !others.some(other => covers(other, one)));
    return { came: beyond(is, was), went: beyond(was, is) };
  };
  const found = strictnessChanges(pair, at('matchPolicy'), ['Equivalent', 'Exact'], 'Equivalent');
  const say = (name: string, rules: readonly Rule[], text: string, direction: 'worse' | 'better') => {
    if (rules.length > 0)
      found.push(
        change(
          pair,
          at(name),
          text.replace('$', () => wordsOf(rules)),
          direction,
        ),
      );
  };
  const matched = compareRules('resourceRules', openWithout);
  say('resourceRules', matched?.went ?? [], 'looks no more at $', 'worse');
  say('resourceRules', matched?.came ?? [], 'looks at $, too', 'better');
  const excluded = compareRules('excludeResourceRules', false);
  say('excludeResourceRules', excluded?.came ?? [], 'leaves out $ now', 'worse');
  say('excludeResourceRules', excluded?.went ?? [], 'leaves out $ no more', 'better');
  for (const name of ['namespaceSelector', 'objectSelector']) {
    const direction = selectorChange(
      valueAt(pair.base.object, at(name)),
      valueAt(pair.head.object, at(name)),
    );
    if (direction !== undefined)
      found.push(
        change(
          pair,
          at(name),
          {
            worse: `${name} takes in less`,
            better: `${name} takes in more`,
            other: `${name} takes in others: some that it did no more`,
          }[direction],
          direction === 'other' ? 'worse' : direction,
        ),
      );
  }
  return found;
}

/** One operation on one resource; `*` is any. */
interface Rule {
  readonly group: string;
  readonly version: string;
  readonly operation: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly scope: string;
}

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];
const SCOPES = ['Cluster', 'Namespaced'];
const ANY: Omit<Rule, 'operation' | 'scope'> = {
  group: '*',
  version: '*',
  resource: '*',
  subresource: '*',
  name: '*',
};
const EVERYTHING: readonly Rule[] = OPERATIONS.flatMap(operation =>
  SCOPES.map(scope => ({ ...ANY, operation, scope })),
);
const MOST_RULES = 2000;

/** @returns undefined for more than is compared */
function rulesOf(list: readonly unknown[], withVersions: boolean): readonly Rule[] | undefined {
  const all: Rule[] = [];
  for (const rule of list) {
    if (!isRecord(rule)) continue;
    const words = (field: string): readonly string[] => {
      const value = rule[field];
      return Array.isArray(value) ? value.filter(one => typeof one === 'string') : [];
    };
    const names = words('resourceNames');
    const operations = words('operations').includes('*') ? OPERATIONS : words('operations');
    const scopes = rule['scope'] === undefined || rule['scope'] === '*' ? SCOPES : [String(rule['scope'])];
    const [groups, resources] = [words('apiGroups'), words('resources')];
    const versions = withVersions ? words('apiVersions') : ['*'];
    const counts = [groups, versions, operations, resources, scopes].map(({ length }) => length);
    if (all.length + counts.reduce((product, one) => product * one, Math.max(1, names.length)) > MOST_RULES)
      return undefined;
    for (const group of groups)
      for (const version of versions)
        for (const operation of operations)
          for (const pattern of resources)
            for (const name of names.length === 0 ? ['*'] : names)
              for (const scope of scopes) {
                const [resource = '', subresource = ''] = pattern.split('/', 2);
                all.push({ group, version, operation, resource, subresource, name, scope });
              }
  }
  return all;
}

function covers(one: Rule, other: Rule): boolean {
  return (Object.keys(one) as (keyof Rule)[]).every(
    field => one[field] === '*' || one[field] === other[field],
  );
}

const SHOWN = 4;

/** `CREATE, UPDATE of pods, deployments.apps`. */
function wordsOf(rules: readonly Rule[]): string {
  const scopes = Map.groupBy(rules, rule => toJson({ ...rule, scope: '' }));
  const byTarget = new Map<string, Set<string>>();
  for (const same of scopes.values()) {
    const [{ group, version, resource, subresource, name, operation, scope }] = same as [Rule];
    const isAny = resource === '*' && (subresource === '*' || subresource === '');
    const target = [
      isAny && group === '*' ? 'everything' : resource + (subresource === '' ? '' : `/${subresource}`),
      group === '' || group === '*' ? '' : `.${group}`,
      version === '*' ? '' : ` (${version})`,
      name === '*' ? '' : ` "${name}"`,
      same.length === SCOPES.length ? '' : scope === 'Cluster' ? ' outside of namespaces' : ' in namespaces',
    ].join('');
    byTarget.set(target, (byTarget.get(target) ?? new Set()).add(operation));
  }
  const byOperations = Map.groupBy([...byTarget], ([, operations]) =>
    operations.size === OPERATIONS.length ? '' : `${[...operations].join(', ')} of `,
  );
  const texts = [...byOperations].map(([operations, targets]) => {
    const names = targets.map(([target]) => target);
    const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
    return `${operations}${names.slice(0, SHOWN).join(', ')}${more}`;
  });
  return texts.join('; ');
}

/** What a selector demands of one label. */
interface Demand {
  readonly key: string;
  readonly is: 'in' | 'not' | 'exists' | 'absent';
  readonly values: readonly string[];
}

/** Each value that is kept out is a demand of its own. Source: apimachinery pkg/labels/selector.go. */
function demandsOf(selector: unknown): readonly Demand[] | undefined {
  if (selector === undefined || selector === null) return [];
  if (!isRecord(selector) || invalidSelector(selector) !== undefined) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = selector as LabelSelector;
  return [
    ...Object.entries(matchLabels).map(([key, value]): Demand => ({ key, is: 'in', values: [value] })),
    ...matchExpressions.flatMap(({ key, operator, values = [] }): Demand[] => {
      if (operator === 'In') return [{ key, is: 'in', values }];
      if (operator === 'NotIn') return values.map(value => ({ key, is: 'not', values: [value] }));
      return [{ key, is: operator === 'Exists' ? 'exists' : 'absent', values: [] }];
    }),
  ];
}

/** Whether whatever meets the first demand meets the second one. */
function implies(one: Demand, other: Demand): boolean {
  if (one.key !== other.key) return false;
  switch (other.is) {
    case 'in':
      return one.is === 'in' && one.values.every(value => other.values.includes(value));
    case 'not':
      return (
        one.is === 'absent' ||
        (one.is === 'in' && !one.values.includes(other.values[0]!)) ||
        (one.is === 'not' && one.values[0] === other.values[0])
      );
    case 'exists':
      return one.is === 'in' || one.is === 'exists';
    case 'absent':
      return one.is === 'absent';
  }
}

/** @returns undefined where both take in the same, or no selector is understood */
function selectorChange(was: unknown, is: unknown): 'worse' | 'better' | 'other' | undefined {
  const [before, after] = [demandsOf(was), demandsOf(is)];
  if (before === undefined || after === undefined) return undefined;
  const isWithin = (some: readonly Demand[], others: readonly Demand[]) =>
    others.every(other => some.some(one => implies(one, other)));
  const [narrower, wider] = [isWithin(after, before), isWithin(before, after)];
  if (narrower) return wider ? undefined : 'worse';
  return wider ? 'better' : 'other';
}
