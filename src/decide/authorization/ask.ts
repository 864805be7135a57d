/**
 * The authorizers behind the variable `authorizer` of an expression. Source: apiserver pkg/cel/library/authz.go: a
 * selector that cannot be read is left out, which only asks for more.
 */
import type { Ask } from '#decide/cel/authorizer.ts';
import type { Attributes } from './attributes.ts';
import type { Decided } from './chain.ts';
import { parseFieldSelector, parseLabelSelector } from './request.ts';

export function askOf(authorize: (attributes: Attributes) => Decided): Ask {
  return ({ rawFieldSelector, rawLabelSelector, ...check }) => {
    const fieldSelector = parseFieldSelector(rawFieldSelector ?? '') ?? [];
    const labelSelector = parseLabelSelector(rawLabelSelector ?? '') ?? [];
    const { decision, reason, error } = authorize({
      ...check,
      ...(fieldSelector.length > 0 ? { fieldSelector } : {}),
      ...(labelSelector.length > 0 ? { labelSelector } : {}),
    });
    return { decision, reason, ...(error === undefined ? {} : { error }) };
  };
}
