/**
 * Match conditions of authorization webhooks: CEL over the SubjectAccessReview that would be sent.
 * Sources: apiserver pkg/authorization/cel/{compile,matcher}.go, plugin/pkg/authorizer/webhook/webhook.go.
 */
import { compile, type Program } from '#decide/cel/cel.ts';
import { BOOL, listOf, mapOf, objectOf, STRING, sameType, typeText } from '#decide/cel/types.ts';
import { CelError, fromJson } from '#decide/cel/values.ts';
import { joinErrors } from '#kube/go-text.ts';
import type { Attributes } from './attributes.ts';

const REQUIREMENT = objectOf('kubernetes.SelectorRequirement', {
  key: STRING,
  operator: STRING,
  values: listOf(STRING),
});
const selector = (name: string) => objectOf(name, { rawSelector: STRING, requirements: listOf(REQUIREMENT) });

/** The variable `request` with its fields: a SubjectAccessReviewSpec. */
const REQUEST = objectOf('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: objectOf('kubernetes.ResourceAttributes', {
    namespace: STRING,
    verb: STRING,
    group: STRING,
    version: STRING,
    resource: STRING,
    subresource: STRING,
    name: STRING,
    fieldSelector: selector('kubernetes.FieldSelectorAttributes'),
    labelSelector: selector('kubernetes.LabelSelectorAttributes'),
  }),
  nonResourceAttributes: objectOf('kubernetes.NonResourceAttributes', { path: STRING, verb: STRING }),
  user: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
  uid: STRING,
});

export interface MatchCondition {
  readonly expression: string;
  readonly program: Program;
}

/**
 * @throws CelCompileError, or an error with the API server's words where the expression is no condition
 */
export function compileMatchCondition(expression: string, kubernetesMinor: number): MatchCondition {
  const program = compile(expression, { variables: { request: REQUEST }, kubernetesMinor });
  if (!sameType(program.output, BOOL))
    throw new NoCondition(`must evaluate to bool but got ${typeText(program.output)}`);
  return { expression, program };
}

export class NoCondition extends Error {
  override readonly name = 'NoCondition';
}

/**
 * Whether a webhook is asked. One condition that is false decides, whatever errors the others have; an error without
 * one is told.
 */
export function matchesConditions(
  conditions: readonly MatchCondition[],
  attributes: Attributes,
): boolean | { readonly error: string } {
  if (conditions.length === 0) return true;
  const request = fromJson(reviewOf(attributes));
  const errors: string[] = [];
  for (const { expression, program } of conditions) {
    const { value } = program.evaluate({ request });
    if (value === false) return false;
    if (value instanceof CelError)
      errors.push(`cel evaluation error: expression '${expression}' resulted in error: ${value.message}`);
  }
  return errors.length === 0 ? true : { error: joinErrors(errors) };
}

const OPERATORS: Readonly<Record<string, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** All strings are there, even empty ones; selectors only where they have requirements. */
function reviewOf(attributes: Attributes): object {
  const { user } = attributes;
  const common = {
    user: user.name ?? '',
    groups: user.groups ?? [],
    uid: user.uid ?? '',
    extra: user.extra ?? {},
  };
  const verb = attributes.verb ?? '';
  if (attributes.resourceRequest !== true)
    return { ...common, nonResourceAttributes: { path: attributes.path ?? '', verb } };
  // A field selector has no `exists`; what is not known is left out, which only asks for more.
  const fields = (attributes.fieldSelector ?? []).flatMap(({ field, operator, value }) => {
    const known = OPERATORS[operator];
    return known === 'In' || known === 'NotIn' ? [{ key: field, operator: known, values: [value] }] : [];
  });
  const labels = (attributes.labelSelector ?? []).flatMap(({ key, operator, values }) =>
    Object.hasOwn(OPERATORS, operator) ? [{ key, operator: OPERATORS[operator], values: values ?? [] }] : [],
  );
  return {
    ...common,
    resourceAttributes: {
      namespace: attributes.namespace ?? '',
      verb,
      group: attributes.apiGroup ?? '',
      version: attributes.apiVersion ?? '',
      resource: attributes.resource ?? '',
      subresource: attributes.subresource ?? '',
      name: attributes.name ?? '',
      ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }),
      ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
    },
  };
}
