/**
 * Whether the API server accepts a role or a binding, after its defaults: what it refuses was never in force. Sources:
 * kubernetes pkg/apis/rbac/validation/validation.go, pkg/apis/rbac/v1/defaults.go.
 */
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { invalidRules } from './rules.ts';

export interface Refusal {
  readonly path: Path;
  /** What is wrong, in short. */
  readonly text: string;
}

const GROUP = 'rbac.authorization.k8s.io';
/** Names of service accounts are subdomains of RFC 1123. */
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

const sizeOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Why the API server would refuse the rules of a Role or ClusterRole; empty where it would not. */
export function refusedRules(role: KubeObject): Refusal[] {
  const undecodable = invalidRules(role);
  if (undecodable !== undefined) {
    const [, index] = /^rules\[(\d+)\]/.exec(undecodable) ?? [];
    return [{ path: index === undefined ? ['rules'] : ['rules', Number(index)], text: undecodable }];
  }
  const { rules } = role;
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((value: unknown, index): Refusal[] => {
    const rule = isRecord(value) ? value : {};
    const refusals: Refusal[] = [];
    const refuse = (field: string, text: string): void => {
      refusals.push({ path: ['rules', index, field], text: `rule ${index + 1} ${text}` });
    };
    if (sizeOf(rule['verbs']) === 0) refuse('verbs', 'has no verbs');
    if (sizeOf(rule['nonResourceURLs']) > 0) {
      if (role.kind === 'Role') refuse('nonResourceURLs', 'is for URLs, which only a ClusterRole can grant');
      if (['apiGroups', 'resources', 'resourceNames'].some(field => sizeOf(rule[field]) > 0))
        refuse('nonResourceURLs', 'is for resources and for URLs at once');
      return refusals;
    }
    if (sizeOf(rule['apiGroups']) === 0) refuse('apiGroups', 'has no apiGroups ("" is the core group)');
    if (sizeOf(rule['resources']) === 0) refuse('resources', 'has no resources');
    return refusals;
  });
}

/** Why the API server would refuse the role that a binding names; empty where it would not. */
export function refusedReference(binding: KubeObject): Refusal[] {
  const refusals: Refusal[] = [];
  const group = textOf(valueAt(binding, ['roleRef', 'apiGroup']));
  const kind = textOf(valueAt(binding, ['roleRef', 'kind']));
  const name = textOf(valueAt(binding, ['roleRef', 'name']));
  if (!isRecord(binding['roleRef'])) return [{ path: ['roleRef'], text: 'it names no role' }];
  if (group !== '' && group !== GROUP)
    refusals.push({ path: ['roleRef', 'apiGroup'], text: `its role is of group "${group}", not ${GROUP}` });
  if (kind !== 'ClusterRole' && (kind !== 'Role' || binding.kind === 'ClusterRoleBinding'))
    refusals.push({
      path: ['roleRef', 'kind'],
      text:
        binding.kind === 'ClusterRoleBinding' && kind === 'Role'
          ? 'a ClusterRoleBinding can only bind a ClusterRole'
          : `its role is of kind "${kind}"`,
    });
  if (name === '') refusals.push({ path: ['roleRef', 'name'], text: 'its role has no name' });
  else if (name === '.' || name === '..' || /[/%]/.test(name))
    refusals.push({ path: ['roleRef', 'name'], text: `no role can be called "${name}"` });
  return refusals;
}

export interface RefusedSubject extends Refusal {
  readonly index: number;
  /** Of a wrong group: the right one. */
  readonly group?: string;
}

/** Why the API server would refuse the subjects of a binding, each with all that is wrong with it. */
export function refusedSubjects(binding: KubeObject): RefusedSubject[] {
  const { subjects } = binding;
  if (!Array.isArray(subjects)) return [];
  return subjects.flatMap((subject: unknown, index): RefusedSubject[] => {
    if (!isRecord(subject)) return [{ index, path: ['subjects', index], text: 'is no mapping' }];
    const refusals: RefusedSubject[] = [];
    const refuse = (field: string, text: string, group?: string): void => {
      refusals.push({
        index,
        path: ['subjects', index, field],
        text,
        ...(group === undefined ? {} : { group }),
      });
    };
    const { kind } = subject;
    const name = textOf(subject['name']);
    const group = textOf(subject['apiGroup']);
    if (name === '') refuse('name', 'has no name');
    if (kind === 'ServiceAccount') {
      if (name !== '' && !SUBDOMAIN.test(name))
        refuse('name', `is a service account of a name that none can have: "${name}"`);
      if (group !== '') refuse('apiGroup', `is a service account of group "${group}"`, '');
      if (binding.kind === 'ClusterRoleBinding' && textOf(subject['namespace']) === '')
        refuse('namespace', 'is a service account without the namespace that a ClusterRoleBinding needs');
    } else if (kind === 'User' || kind === 'Group') {
      if (group !== '' && group !== GROUP)
        refuse('apiGroup', `is a ${kind.toLowerCase()} of group "${group}"`, GROUP);
    } else refuse('kind', `is of kind "${textOf(kind)}", which cannot be bound`);
    return refusals;
  });
}
