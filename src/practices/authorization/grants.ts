/** What a binding grants, judged where the risk becomes real: on the binding, by the rules of its role. */
import { fail, notApplicable, pass, type Verdict } from '#check/verdict.ts';
import type { Attributes } from '#decide/authorization/attributes.ts';
import { type PolicyRule, ruleAllows } from '#decide/authorization/rules.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { grantedRules, isShipped, subjectsOf } from '#paths/grants.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { isEverything } from './roles.ts';

/** One request of those that make a permission dangerous. */
export type Request = Omit<Attributes, 'user' | 'namespace'>;

/** A resource request, written short: `get secrets`, `create pods/exec`, `update deployments.apps`. */
export function request(verb: string, resource: string, apiGroup = ''): Request {
  const [name, subresource] = resource.split('/');
  return {
    verb,
    resource: name!,
    ...(subresource === undefined ? {} : { subresource }),
    apiGroup,
    resourceRequest: true,
  };
}

/** Several verbs on one resource. */
export function requests(verbs: readonly string[], resource: string, apiGroup = ''): readonly Request[] {
  return verbs.map(verb => request(verb, resource, apiGroup));
}

/** The verbs that change what is there, and those that make it. */
export const CHANGE: readonly string[] = ['update', 'patch'];
export const WRITE: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];

export interface Granted {
  readonly who: string;
  readonly role: string;
  /** Everywhere, or in one namespace. */
  readonly where: string;
  readonly everywhere: boolean;
}

/** `service account shop/cart, group devs`. */
export function whoIs(binding: KubeObject): string {
  const shown = subjectsOf(binding).map(({ kind, name, namespace }) =>
    kind === 'ServiceAccount'
      ? `service account ${namespace === '' ? '' : `${namespace}/`}${name}`
      : `${kind.toLowerCase()} ${name}`,
  );
  return shown.length > 4 ? `${shown.slice(0, 4).join(', ')} and ${shown.length - 4} more` : shown.join(', ');
}

export interface GrantOptions {
  /** Only a grant for the whole cluster is worth a word. */
  readonly onlyEverywhere?: boolean;
  /** And beside it, a grant in this namespace. */
  readonly orIn?: string;
  /** Only a grant in this namespace is worth a word: of one for the whole cluster another check speaks. */
  readonly onlyIn?: string;
  /** Rules that no list of requests can tell, by what they say. */
  readonly orRule?: (rule: PolicyRule) => boolean;
}

/** Whether a binding lets anyone do one of the requests. */
export function grants(
  binding: KubeObject,
  world: World,
  requests: readonly Request[],
  { onlyEverywhere = false, orIn, onlyIn, orRule = () => false }: GrantOptions = {},
): Verdict<Granted> {
  const everywhere = binding.kind === 'ClusterRoleBinding';
  const namespace = namespaceOf(binding);
  if (onlyEverywhere && !everywhere && (orIn === undefined || namespace !== orIn))
    return notApplicable('it holds in one namespace only');
  if (onlyIn !== undefined && (everywhere || namespace !== onlyIn))
    return notApplicable(`it does not hold in ${onlyIn} alone`);
  if (isShipped(binding)) return notApplicable('it ships with Kubernetes');
  const rules = grantedRules(binding, world);
  if (rules === undefined) return notApplicable('its role is not in the input');
  const who = whoIs(binding);
  if (who === '') return notApplicable('it binds nobody');
  const name = String(valueAt(binding, ['roleRef', 'name']));
  // Of a role that is all of the cluster one check speaks, and no other need to.
  if (requests !== ADMIN && rules.some(isEverything))
    return notApplicable('it grants everything, which has a check of its own');
  const hit =
    rules.some(orRule) || requests.some(one => rules.some(rule => ruleAllows(rule, { ...one, user: {} })));
  if (!hit) return pass;
  const where = everywhere ? 'in the whole cluster' : `in namespace ${namespace ?? '(not stated)'}`;
  return fail({ who, role: name, where, everywhere }, ['roleRef', 'name']);
}

export const ADMIN: readonly Request[] = [request('*', '*', '*')];
