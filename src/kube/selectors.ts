/**
 * Label selectors as the API machinery evaluates them.
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go (LabelSelectorAsSelector) and labels/selector.go.
 */
import { isRecord } from './objects.ts';

export type Labels = Readonly<Record<string, string>>;

export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** Why a selector is one that the API server refuses, or undefined where it is a valid one. */
export function invalidSelector(selector: unknown): string | undefined {
  if (selector === undefined || selector === null) return undefined;
  if (!isRecord(selector)) return 'a label selector is a mapping';
  const { matchLabels, matchExpressions } = selector;
  if (matchLabels !== undefined && matchLabels !== null) {
    if (!isRecord(matchLabels)) return 'matchLabels is a mapping of strings';
    for (const [key, value] of Object.entries(matchLabels))
      if (typeof value !== 'string') return `the value of matchLabels["${key}"] is not a string`;
  }
  if (matchExpressions !== undefined && matchExpressions !== null) {
    if (!Array.isArray(matchExpressions)) return 'matchExpressions is a list';
    for (const expression of matchExpressions) {
      if (!isRecord(expression) || typeof expression['key'] !== 'string')
        return 'each of matchExpressions has a key';
      const values = expression['values'] ?? [];
      if (!Array.isArray(values) || values.some(value => typeof value !== 'string'))
        return `the values of "${expression['key']}" are not strings`;
      switch (expression['operator']) {
        case 'In':
        case 'NotIn':
          if (values.length === 0)
            return `operator ${expression['operator']} of "${expression['key']}" needs values`;
          break;
        case 'Exists':
        case 'DoesNotExist':
          if (values.length > 0)
            return `operator ${expression['operator']} of "${expression['key']}" takes no values`;
          break;
        default:
          return `"${String(expression['operator'])}" is not a valid label selector operator`;
      }
    }
  }
  return undefined;
}

/**
 * Whether labels match. An empty selector matches all, an absent one (undefined or null) nothing. Ask
 * {@link invalidSelector} first: an invalid selector matches nothing here.
 */
export function matchesSelector(
  selector: LabelSelector | null | undefined,
  labels: Labels | undefined,
): boolean {
  if (selector === undefined || selector === null) return false;
  const has = labels ?? {};
  for (const key in selector.matchLabels ?? {})
    if (!Object.hasOwn(has, key) || has[key] !== selector.matchLabels![key]) return false;
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const present = Object.hasOwn(has, key);
    switch (operator) {
      case 'In':
        if (!present || !(values ?? []).includes(has[key]!)) return false;
        break;
      case 'NotIn':
        if (present && (values ?? []).includes(has[key]!)) return false;
        break;
      case 'Exists':
        if (!present) return false;
        break;
      case 'DoesNotExist':
        if (present) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}

/** Whether labels match an equality map such as a Service's selector; an empty or absent one matches nothing. */
export function matchesLabels(selector: Labels | null | undefined, labels: Labels | undefined): boolean {
  const keys = Object.keys(selector ?? {});
  return keys.length > 0 && matchesSelector({ matchLabels: selector! }, labels);
}
