/**
 * Whether a policy or a binding is about a request. Sources: apiserver pkg/admission/plugin/policy/matching/matching.go,
 * pkg/admission/plugin/webhook/predicates/{rules,namespace,object}.
 */
import { isRecord, type KubeObject } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, type Labels, matchesSelector } from '#kube/selectors.ts';
import type { AdmissionRequest } from './request.ts';

export type Match = boolean | { readonly unknown: string };

/** @param namespace the namespace of the request; undefined where it is not known, null where there is none */
export function matchesResources(
  constraints: unknown,
  request: AdmissionRequest,
  namespace: KubeObject | null | undefined,
): Match {
  if (!isRecord(constraints)) return true;
  const { resourceRules, excludeResourceRules, objectSelector, namespaceSelector, matchPolicy } = constraints;
  const anyVersion = matchPolicy !== 'Exact';
  if (listOf(excludeResourceRules).some(rule => ruleMatches(rule, request, anyVersion))) return false;
  // A binding without rules is about everything that its policy is about.
  const rules = listOf(resourceRules);
  if (rules.length > 0 && !rules.some(rule => ruleMatches(rule, request, anyVersion))) return false;
  if (!objectMatches(objectSelector, request)) return false;
  return namespaceMatches(namespaceSelector, request, namespace);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Equivalent versions of a resource match, too: the API server converts the object. */
function ruleMatches(rule: unknown, request: AdmissionRequest, anyVersion: boolean): boolean {
  if (!isRecord(rule)) return false;
  const { resource, subResource = '', operation, namespace = '', name = '' } = request;
  const has = (field: string, value: string) => {
    const list = listOf(rule[field]);
    return list.includes('*') || list.includes(value);
  };
  if (!has('apiGroups', resource.group)) return false;
  if (!anyVersion && !has('apiVersions', resource.version)) return false;
  if (!has('operations', operation)) return false;
  const names = listOf(rule['resourceNames']);
  if (names.length > 0 && !names.includes(name)) return false;
  const scope = rule['scope'] ?? '*';
  const clustered = namespace === '' || (resource.group === '' && resource.resource === 'namespaces');
  if (scope === 'Namespaced' && clustered) return false;
  if (scope === 'Cluster' && !clustered) return false;
  return listOf(rule['resources']).some(pattern => {
    if (typeof pattern !== 'string') return false;
    const [wanted = '', sub = ''] = pattern.split('/', 2);
    return (wanted === '*' || wanted === resource.resource) && (sub === '*' || sub === subResource);
  });
}

function objectMatches(selector: unknown, { object, oldObject }: AdmissionRequest): boolean {
  if (isEmpty(selector)) return true;
  if (invalidSelector(selector) !== undefined) return false;
  return [object, oldObject].some(
    one => one !== undefined && matchesSelector(selector as LabelSelector, labelsOf(one)),
  );
}

function namespaceMatches(
  selector: unknown,
  request: AdmissionRequest,
  namespace: KubeObject | null | undefined,
): Match {
  if (isEmpty(selector)) return true;
  if (invalidSelector(selector) !== undefined) return false;
  const { resource, object, oldObject } = request;
  if (resource.group === '' && resource.resource === 'namespaces') {
    const itself = request.operation === 'DELETE' ? (oldObject ?? object) : (object ?? oldObject);
    return matchesSelector(selector as LabelSelector, itself === undefined ? {} : labelsOf(itself));
  }
  if (namespace === null) return true;
  if (namespace === undefined)
    return { unknown: `the labels of namespace "${request.namespace ?? ''}" are not in the input` };
  return matchesSelector(selector as LabelSelector, {
    'kubernetes.io/metadata.name': request.namespace ?? '',
    ...labelsOf(namespace),
  });
}

function isEmpty(selector: unknown): boolean {
  return (
    !isRecord(selector) ||
    (Object.keys(selector['matchLabels'] ?? {}).length === 0 &&
      listOf(selector['matchExpressions']).length === 0)
  );
}

function labelsOf(object: KubeObject): Labels {
  const labels = object.metadata?.labels;
  return isRecord(labels) ? labels : {};
}
