/**
 * Whether an audit policy would show the use of a permission. The rules of a policy are gone through in order, as the
 * API server does: one that meets all requests that the permission allows ends it, one that meets some of them speaks
 * for those. What is said for no request at all is not in the log, so that its absence there means nothing.
 */
import { type AuditPolicy, type AuditPolicyRule, isLogged } from '#decide/authorization/audit-policy.ts';
import type { PolicyRule } from '#decide/authorization/rules.ts';
import { matchesTrailingStars } from '#kube/go-text.ts';

export interface Observable {
  /** Of the requests that the permission allows: are all, some or none of them written? */
  readonly logged: 'all' | 'some' | 'none';
  /** The rules of the policy that keep them out; `undefined` is the end of the list. */
  readonly hiddenBy: readonly (number | undefined)[];
}

/** Who holds the permission. */
export interface ObservedSubject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

type Meets = 'all' | 'some' | 'none';

/**
 * @param namespace where the permission counts; undefined for the whole cluster
 */
export function observable(
  policy: AuditPolicy,
  subjects: readonly ObservedSubject[],
  namespace: string | undefined,
  rule: PolicyRule,
): Observable {
  const hiddenBy = new Set<number | undefined>();
  let shown = false;
  for (const subject of subjects) {
    let open = true;
    for (const [index, one] of policy.rules.entries()) {
      const meets = together([
        usersMeet(one, subject),
        groupsMeet(one, subject),
        wordsMeet(one.verbs, rule.verbs ?? []),
        targetMeets(one, namespace, rule),
      ]);
      if (meets === 'none') continue;
      if (isLogged(one)) shown = true;
      else hiddenBy.add(index);
      if (meets === 'all') {
        open = false;
        break;
      }
    }
    if (open) hiddenBy.add(undefined);
  }
  return {
    logged: hiddenBy.size === 0 ? 'all' : shown ? 'some' : 'none',
    hiddenBy: [...hiddenBy],
  };
}

/** All that is asked for must be met: what one part does not meet is not met. */
function together(parts: readonly Meets[]): Meets {
  if (parts.includes('none')) return 'none';
  return parts.includes('some') ? 'some' : 'all';
}

function accountName({ kind, name, namespace }: ObservedSubject): string {
  return kind === 'ServiceAccount' ? `system:serviceaccount:${namespace ?? ''}:${name}` : name;
}

function usersMeet({ users }: AuditPolicyRule, subject: ObservedSubject): Meets {
  if (users.length === 0) return 'all';
  if (subject.kind !== 'Group') return users.includes(accountName(subject)) ? 'all' : 'none';
  if (subject.name === 'system:unauthenticated') return users.includes('system:anonymous') ? 'all' : 'none';
  // Some of the members may be meant. The API server's own users are in groups of its own only.
  return users.some(user => !user.startsWith('system:') || subject.name.startsWith('system:'))
    ? 'some'
    : 'none';
}

function groupsMeet({ userGroups }: AuditPolicyRule, subject: ObservedSubject): Meets {
  if (userGroups.length === 0) return 'all';
  const name = accountName(subject);
  const [, kind, namespace] = subject.kind === 'Group' ? [] : name.split(':');
  const known =
    subject.kind === 'Group'
      ? [name, ...(name === 'system:unauthenticated' ? [] : ['system:authenticated'])]
      : kind === 'serviceaccount' && name.startsWith('system:')
        ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
        : ['system:authenticated'];
  if (userGroups.some(group => known.includes(group))) return 'all';
  // Of service accounts all groups are known; others may be in groups of an identity provider.
  const closed =
    subject.kind === 'ServiceAccount' || (kind === 'serviceaccount' && name.startsWith('system:'));
  return !closed && userGroups.some(group => !group.startsWith('system:')) ? 'some' : 'none';
}

/** A list of a policy, where none is everything, beside one of a role, where an asterisk is. */
function wordsMeet(ofPolicy: readonly string[], ofRole: readonly string[]): Meets {
  if (ofPolicy.length === 0) return 'all';
  if (ofRole.includes('*')) return 'some';
  const met = ofRole.filter(word => ofPolicy.includes(word)).length;
  return met === 0 ? 'none' : met === ofRole.length ? 'all' : 'some';
}

function targetMeets(one: AuditPolicyRule, namespace: string | undefined, rule: PolicyRule): Meets {
  const { resources = [], nonResourceURLs = [] } = rule;
  const parts: Meets[] = [];
  if (resources.length > 0) parts.push(resourcesMeet(one, namespace, rule));
  if (nonResourceURLs.length > 0) parts.push(urlsMeet(one, nonResourceURLs));
  return either(parts);
}

/** Of several targets: all where each is met as a whole, none where no one is met. */
function either(parts: readonly Meets[]): Meets {
  if (parts.length > 0 && parts.every(part => part === 'all')) return 'all';
  return parts.some(part => part !== 'none') ? 'some' : 'none';
}

function resourcesMeet(
  { namespaces, resources, nonResourceURLs }: AuditPolicyRule,
  namespace: string | undefined,
  { apiGroups = [], resources: wanted = [], resourceNames = [] }: PolicyRule,
): Meets {
  if (namespaces.length === 0 && resources.length === 0) return nonResourceURLs.length === 0 ? 'all' : 'none';
  const place: Meets =
    namespaces.length === 0
      ? 'all'
      : namespace === undefined
        ? 'some'
        : namespaces.includes(namespace)
          ? 'all'
          : 'none';
  if (resources.length === 0) return place;
  const targets = apiGroups.flatMap(group =>
    wanted.map(resource => {
      const met = resources.map(one => resourceMeets(one, group, resource, resourceNames));
      return met.includes('all') ? 'all' : met.includes('some') ? 'some' : 'none';
    }),
  );
  return together([place, either(targets)]);
}

function resourceMeets(
  { group, resources, resourceNames }: AuditPolicyRule['resources'][number],
  wantedGroup: string,
  wanted: string,
  names: readonly string[],
): Meets {
  const inGroup: Meets =
    group === '*' || group === wantedGroup ? 'all' : wantedGroup === '*' ? 'some' : 'none';
  const [resource = '', subresource = ''] = wanted.split('/');
  const what: Meets =
    resources.length === 0 || resources.includes('*') || resources.includes(wanted)
      ? 'all'
      : wanted === '*'
        ? 'some'
        : resources.includes(`${resource}/*`) ||
            (subresource !== '' && resources.includes(`*/${subresource}`))
          ? 'all'
          : resource === '*' && resources.some(one => one.endsWith(`/${subresource}`) || one.endsWith('/*'))
            ? 'some'
            : 'none';
  const which: Meets =
    resourceNames.length === 0 ? 'all' : names.length === 0 ? 'some' : wordsMeet(resourceNames, names);
  return together([inGroup, what, which]);
}

function urlsMeet(
  { namespaces, resources, nonResourceURLs }: AuditPolicyRule,
  wanted: readonly string[],
): Meets {
  if (namespaces.length > 0 || resources.length > 0) return 'none';
  if (nonResourceURLs.length === 0) return 'all';
  return either(
    wanted.map(url => {
      if (nonResourceURLs.some(one => one === '*' || one === url || matchesTrailingStars(one, url)))
        return 'all';
      return nonResourceURLs.some(one => url === '*' || matchesTrailingStars(url, one)) ? 'some' : 'none';
    }),
  );
}
