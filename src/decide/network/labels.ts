/**
 * Label selectors over labels that may be known in part only: of a namespace that is not in the input, or of a pod that
 * a controller makes, some labels can be there without being written anywhere.
 */
import { isRecord } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, type Labels } from '#kube/selectors.ts';

/** Whether something matches: not, perhaps (facts are missing, or implementations differ), surely. */
export type Match = 0 | 1 | 2;
export const NO = 0;
export const MAYBE = 1;
export const YES = 2;

export interface KnownLabels {
  readonly labels: Labels;
  /** The keys that may be there although `labels` has them not: none, these, or any. */
  readonly open: ReadonlySet<string> | 'any' | 'none';
}

/** A selector that the API server accepts, made for many questions. */
export type Selector = readonly Requirement[];

interface Requirement {
  readonly key: string;
  /** The values that satisfy it; undefined: any. */
  readonly values: ReadonlySet<string> | undefined;
  /** `NotIn` and `DoesNotExist`. */
  readonly negated: boolean;
}

/** What makes a selector one that no API server or controller takes. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

const PART = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/**
 * @param selector as the object states it; absent fields match everything
 * @throws SelectorError where it is malformed (k8s.io/apimachinery/pkg/apis/meta/v1/validation, labels.NewRequirement)
 */
export function compileSelector(selector: unknown): Selector {
  const wrong = invalidSelector(selector);
  if (wrong !== undefined) throw new SelectorError(wrong);
  if (!isRecord(selector)) return [];
  const { matchLabels, matchExpressions } = selector as LabelSelector;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(matchLabels ?? {}))
    requirements.push(requirement(key, [value], false));
  for (const { key, operator, values } of matchExpressions ?? [])
    requirements.push(
      requirement(
        key,
        operator === 'In' || operator === 'NotIn' ? (values ?? []) : undefined,
        operator === 'NotIn' || operator === 'DoesNotExist',
      ),
    );
  return requirements;
}

export function matchLabels(selector: Selector, known: KnownLabels): Match {
  let result: Match = YES;
  for (const { key, values, negated } of selector) {
    const found = matchRequirement(key, values, known);
    const match = negated ? opposite(found) : found;
    if (match === NO) return NO;
    if (match === MAYBE) result = MAYBE;
  }
  return result;
}

export function opposite(match: Match): Match {
  return (2 - match) as Match;
}

export function both(a: Match, b: Match): Match {
  return a < b ? a : b;
}

/** A label map as far as it is one; what the API server would refuse leaves the labels open. */
export function labelsOf(value: unknown, open: KnownLabels['open'] = 'none'): KnownLabels {
  if (value === undefined || value === null) return { labels: {}, open };
  if (!isRecord(value)) return { labels: {}, open: 'any' };
  const entries = Object.entries(value);
  const strings = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { labels: Object.fromEntries(strings), open: strings.length === entries.length ? open : 'any' };
}

/** Labels in one text: equal exactly where the labels are. */
export function labelKey({ labels, open }: KnownLabels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify([pairs, typeof open === 'string' ? open : [...open].sort()]);
}

/** Whether the label is there with one of the values. */
function matchRequirement(key: string, values: ReadonlySet<string> | undefined, known: KnownLabels): Match {
  if (Object.hasOwn(known.labels, key))
    return values === undefined || values.has(known.labels[key]!) ? YES : NO;
  if (known.open === 'none') return NO;
  return known.open === 'any' || known.open.has(key) ? MAYBE : NO;
}

function requirement(key: string, values: readonly string[] | undefined, negated: boolean): Requirement {
  checkKey(key);
  for (const value of values ?? [])
    if (value !== '' && !(value.length <= 63 && PART.test(value)))
      throw new SelectorError(`"${value}" is not a valid label value`);
  return { key, values: values === undefined ? undefined : new Set(values), negated };
}

function checkKey(key: string): void {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const valid =
    name.length <= 63 &&
    PART.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && DOMAIN.test(prefix)));
  if (!valid) throw new SelectorError(`"${key}" is not a valid label key`);
}
