/**
 * The decision for one direction: which ports of the destination a subject's policies surely open to a peer, and which
 * ones perhaps. The same code answers for one port, with its reasons, and for all ports at once.
 *
 * Order of the tiers and meaning of `Pass`: network-policy-api, NPEP-285; NetworkPolicy: its API documentation.
 */
import { type Because, nameOf, type Path } from '#kube/objects.ts';
import { share } from './addresses.ts';
import type { Endpoint, Node, PodEndpoint } from './inventory.ts';
import { both, MAYBE, type Match, matchLabels, NO, YES } from './labels.ts';
import type {
  AddressesPeer,
  Direction,
  NodesPeer,
  Peer,
  PodsPeer,
  Policy,
  PortSpec,
  Rule,
} from './policy.ts';
import { hasPort, type PortAlgebra, type PortRange, type PortSet, type Protocol } from './ports.ts';

/** What surely and what at most is allowed; the first is within the second. */
export interface Grade {
  readonly sure: PortSet;
  readonly most: PortSet;
}

/** The possible outcomes of a part of the policies, each with the ports for which it is one. */
interface Outcomes {
  accept: PortSet;
  deny: PortSet;
  /** A `Pass` rule ends the tier. */
  pass: PortSet;
  /** Nothing matched. */
  fall: PortSet;
}

export interface Rules {
  readonly ipBlocksMatchPods: boolean | undefined;
  readonly nodes: readonly Node[];
}

/** The policies that select, or may select, one subject. */
export interface Selection {
  readonly policy: Policy;
  readonly match: Match;
}

/** Asks the peers of rules; the relation keeps their answers, for it asks them of every class. */
export interface Matcher {
  matches(peer: Peer, endpoint: Endpoint, direction: Direction): Match;
  ports(spec: PortSpec, destination: Endpoint): Grade;
}

export interface Asked {
  readonly direction: Direction;
  readonly subject: Endpoint;
  readonly peer: Endpoint;
  /** The ports of interest: one, or all. */
  readonly universe: PortSet;
  /** Where reasons go; they are only true where one port is asked for. */
  readonly because?: Reason[];
}

/** A reason, and whether it holds for certain. */
export interface Reason extends Because {
  readonly certain: boolean;
}

const NAME: Readonly<Record<'accept' | 'deny' | 'pass' | 'any', string>> = {
  accept: 'allows',
  deny: 'denies',
  pass: 'passes on',
  any: 'may decide on',
};

export class Evaluator {
  readonly #ports: PortAlgebra;

  constructor(ports: PortAlgebra) {
    this.#ports = ports;
  }

  /**
   * @param selections the policies of the subject that speak of the direction, sorted by {@link order}
   */
  decide(selections: readonly Selection[], matcher: Matcher, asked: Asked): Grade {
    const { universe } = asked;
    const ports = this.#ports;
    let allow = ports.none;
    let deny = ports.none;
    let open = universe;
    for (const tier of ['foreign', 'admin', 'namespaced', 'baseline'] as const) {
      if (open === ports.none) break;
      const ofTier = selections.filter(({ policy }) => policy.tier === tier);
      if (ofTier.length === 0) continue;
      const before = asked.because?.length ?? 0;
      const outcome =
        tier === 'namespaced'
          ? this.#additive(ofTier, matcher, { ...asked, universe: open })
          : this.#ordered(ofTier, matcher, { ...asked, universe: open });
      allow = ports.union(allow, outcome.accept);
      deny = ports.union(deny, outcome.deny);
      const rest = ports.union(outcome.pass, outcome.fall);
      // From the last tier, passing on means what no policy at all means.
      open = rest;
      if (tier === 'namespaced' && rest === ports.none && asked.because !== undefined)
        this.#explainIsolation(ofTier, outcome, before, asked);
    }
    allow = ports.union(allow, open);
    return { sure: ports.difference(universe, deny), most: allow };
  }

  /** Policies and rules in their order; of those with the same priority any may come first. */
  #ordered(selections: readonly Selection[], matcher: Matcher, asked: Asked): Outcomes {
    const ports = this.#ports;
    const total: Outcomes = { accept: ports.none, deny: ports.none, pass: ports.none, fall: asked.universe };
    for (let start = 0; start < selections.length && total.fall !== ports.none; ) {
      let end = start + 1;
      while (end < selections.length && sameOrder(selections[start]!.policy, selections[end]!.policy)) end++;
      const reached = total.fall;
      let rest = reached;
      for (const selection of selections.slice(start, end)) {
        const own = this.#inOrder(selection, matcher, { ...asked, universe: reached });
        total.accept = ports.union(total.accept, own.accept);
        total.deny = ports.union(total.deny, own.deny);
        total.pass = ports.union(total.pass, own.pass);
        rest = ports.intersection(rest, own.fall);
      }
      total.fall = rest;
      start = end;
    }
    return total;
  }

  /** The rules of one policy: the first that matches decides. */
  #inOrder({ policy, match }: Selection, matcher: Matcher, asked: Asked): Outcomes {
    const ports = this.#ports;
    const total: Outcomes = { accept: ports.none, deny: ports.none, pass: ports.none, fall: asked.universe };
    for (const rule of policy[asked.direction] ?? []) {
      const { grade, place } = this.#matchRule(rule, matcher, asked);
      const most = ports.intersection(grade.most, total.fall);
      if (most === ports.none) continue;
      const certain = match === YES && rule.action !== 'any';
      const sure = certain ? ports.intersection(grade.sure, total.fall) : ports.none;
      if (rule.action === 'any') {
        total.accept = ports.union(total.accept, most);
        total.deny = ports.union(total.deny, most);
        total.pass = ports.union(total.pass, most);
      } else total[rule.action] = ports.union(total[rule.action], most);
      total.fall = ports.difference(total.fall, sure);
      asked.because?.push(reason(policy, rule, place, sure === most, asked, matcher));
      if (total.fall === ports.none) break;
    }
    return total;
  }

  /** NetworkPolicies: whom one selects is isolated, and all rules of all of them are allowed. */
  #additive(selections: readonly Selection[], matcher: Matcher, asked: Asked): Outcomes {
    const ports = this.#ports;
    const { universe } = asked;
    const isolated = selections.some(({ match }) => match === YES);
    let sure = ports.none;
    let most = ports.none;
    /** What every policy that perhaps selects would allow: open whether or not they do. */
    let eachAllows = universe;
    for (const { policy, match } of selections) {
      let own = ports.none;
      for (const rule of policy[asked.direction] ?? []) {
        if (sure === universe) break;
        const { grade, place } = this.#matchRule(rule, matcher, asked);
        const may = ports.intersection(grade.most, universe);
        if (may === ports.none) continue;
        const must = rule.action === 'any' ? ports.none : ports.intersection(grade.sure, universe);
        most = ports.union(most, may);
        own = ports.union(own, must);
        if (match === YES) sure = ports.union(sure, must);
        asked.because?.push(reason(policy, rule, place, match === YES && must === may, asked, matcher));
      }
      eachAllows = ports.intersection(eachAllows, own);
    }
    return isolated
      ? { accept: most, deny: ports.difference(universe, sure), pass: ports.none, fall: ports.none }
      : { accept: most, deny: ports.difference(universe, eachAllows), pass: ports.none, fall: universe };
  }

  #matchRule(rule: Rule, matcher: Matcher, asked: Asked): { grade: Grade; place: Path } {
    const ports = this.#ports;
    const destination = asked.direction === 'ingress' ? asked.subject : asked.peer;
    const grade =
      rule.ports === undefined
        ? { sure: ports.all, most: ports.all }
        : matcher.ports(rule.ports, destination);
    if (rule.peers === undefined) return { grade, place: rule.path };
    let match: Match = NO;
    let place = rule.path;
    for (const { peer, path } of rule.peers) {
      const own = matcher.matches(peer, asked.peer, asked.direction);
      if (own <= match) continue;
      match = own;
      place = path;
      if (match === YES) break;
    }
    if (match === YES) return { grade, place };
    return { grade: { sure: ports.none, most: match === MAYBE ? grade.most : ports.none }, place };
  }

  /** Why an isolated subject is denied: no rule of the policies that isolate it. */
  #explainIsolation(selections: readonly Selection[], outcome: Outcomes, before: number, asked: Asked): void {
    const because = asked.because!;
    if (outcome.deny === this.#ports.none || because.length > before) return;
    for (const { policy, match } of selections)
      if (match === YES)
        because.push({
          object: policy.object,
          path: ['spec', 'podSelector'],
          text: `${titleOf(policy)} isolates ${asked.subject.id} for ${asked.direction}, and no rule of it allows this`,
          certain: true,
        });
  }
}

/** The order in which policies are asked, for {@link Evaluator.decide}. */
export function order(a: Selection, b: Selection): number {
  return a.policy.priority - b.policy.priority;
}

/** Whether and how far a policy selects an endpoint. */
export function selects(policy: Policy, endpoint: Endpoint): Match {
  return endpoint.is === 'pod' ? matchPods(policy.subject, endpoint) : NO;
}

/** The plain matcher: every question is answered anew. */
export class DirectMatcher implements Matcher {
  readonly #rules: Rules;
  readonly #algebra: PortAlgebra;

  constructor(rules: Rules, algebra: PortAlgebra) {
    this.#rules = rules;
    this.#algebra = algebra;
  }

  matches(peer: Peer, endpoint: Endpoint, direction: Direction): Match {
    switch (peer.is) {
      case 'pods':
        return endpoint.is === 'pod' ? matchPods(peer, endpoint) : NO;
      case 'addresses':
        return matchAddresses(peer, endpoint, direction, this.#rules);
      case 'nodes':
        return matchNodes(peer, endpoint, this.#rules);
      case 'domain-names':
        return MAYBE;
    }
  }

  ports(spec: PortSpec, destination: Endpoint): Grade {
    const sure = this.#algebra.of(spec.ranges);
    if (spec.names.length === 0) return { sure, most: sure };
    if (destination.is === 'address') return { sure, most: sure };
    if (destination.ports === undefined) return { sure, most: this.#algebra.all };
    const named = namedPorts(spec, destination);
    const certain = this.#algebra.union(sure, this.#algebra.of(named.sure));
    return { sure: certain, most: this.#algebra.union(certain, this.#algebra.of(named.perhaps)) };
  }
}

type Ranges = Partial<Record<Protocol, PortRange[]>>;

/** The numbers that a pod gives to names; those of init containers that stay are not everywhere seen. */
function namedPorts(spec: PortSpec, pod: PodEndpoint): { sure: Ranges; perhaps: Ranges } {
  const sure: Ranges = {};
  const perhaps: Ranges = {};
  for (const { name, protocol } of spec.names)
    for (const declared of pod.ports ?? [])
      if (declared.name === name && (protocol === undefined || declared.protocol === protocol)) {
        const found = declared.beside ? perhaps : sure;
        found[declared.protocol] ??= [];
        found[declared.protocol]!.push([declared.port, declared.port]);
      }
  return { sure, perhaps };
}

function matchPods(peer: PodsPeer, pod: PodEndpoint): Match {
  if (pod.hostNetwork && peer.hostNetwork === NO) return NO;
  let match: Match = YES;
  if (peer.namespace !== undefined) match = inNamespace(peer.namespace, pod);
  else if (peer.namespaces !== undefined) match = matchLabels(peer.namespaces, pod.namespaceLabels);
  if (match !== NO && peer.pods !== undefined) match = both(match, matchLabels(peer.pods, pod.labels));
  return pod.hostNetwork ? both(match, peer.hostNetwork) : match;
}

/** A pod that may be anywhere has no namespace, and any labels of one. */
function inNamespace(namespace: string, pod: PodEndpoint): Match {
  if (pod.namespace === undefined && pod.namespaceLabels.open === 'any') return MAYBE;
  return pod.namespace === namespace ? YES : NO;
}

function matchAddresses(peer: AddressesPeer, endpoint: Endpoint, direction: Direction, rules: Rules): Match {
  if (endpoint.is === 'pod' && endpoint.hostNetwork) {
    // A node sends from any of its addresses, and not every implementation matches nodes by address.
    return direction === 'egress' && endpoint.addressesKnown && share(peer.set, endpoint.addresses) === 'none'
      ? NO
      : MAYBE;
  }
  const part = share(peer.set, endpoint.addresses);
  const match = part === 'all' ? YES : part === 'none' ? NO : MAYBE;
  if (endpoint.is === 'address' && endpoint.nodes.size > 0 && peer.podsOpen) return both(match, MAYBE);
  if (endpoint.is === 'address' || !peer.podsOpen || rules.ipBlocksMatchPods === true) return match;
  return rules.ipBlocksMatchPods === false ? NO : both(match, MAYBE);
}

/** Nodes are matched by the addresses in their status; without Node objects, any address may be one's. */
function matchNodes(peer: NodesPeer, endpoint: Endpoint, rules: Rules): Match {
  if (endpoint.is === 'pod' && !endpoint.hostNetwork) return NO;
  if (rules.nodes.length === 0 || (endpoint.is === 'pod' && !endpoint.addressesKnown)) return MAYBE;
  let match: Match = NO;
  for (const node of rules.nodes) {
    const part = share(node.addresses, endpoint.addresses);
    if (part === 'none') continue;
    const own = both(matchLabels(peer.nodes, node.labels), part === 'all' ? YES : MAYBE);
    if (own > match) match = own;
  }
  return match;
}

function sameOrder(a: Policy, b: Policy): boolean {
  return a.priority === b.priority;
}

function reason(
  policy: Policy,
  rule: Rule,
  place: Path,
  sure: boolean,
  asked: Asked,
  matcher: Matcher,
): Reason {
  const title = titleOf(policy);
  if (policy.uncertain !== undefined)
    return {
      object: policy.object,
      path: policy.uncertain.path,
      text: `${title} may decide on ${asked.direction}: ${policy.uncertain.text}`,
      certain: false,
    };
  const verb = `${NAME[rule.action]} ${asked.direction}`;
  if (sure) return { object: policy.object, path: place, text: `${title} ${verb}`, certain: true };
  return {
    object: policy.object,
    path: place,
    text: `${title} perhaps ${verb}: ${doubt(rule, asked, matcher)}`,
    certain: false,
  };
}

/** Why a match is not certain. */
function doubt(rule: Rule, asked: Asked, matcher: Matcher): string {
  const { peer, subject, direction } = asked;
  if (subject.is === 'pod' && subject.hostNetwork)
    return `${subject.id} is in the host's network, where the effect of policies is not specified`;
  const destination = direction === 'ingress' ? subject : peer;
  if (rule.ports !== undefined) {
    const { sure, most } = matcher.ports(rule.ports, destination);
    if (sure !== most) return `what the named port is in ${destination.id} is not known`;
  }
  if (peer.is === 'address')
    return peer.nodes.size > 0
      ? `${peer.id} is an address of a node, whose traffic implementations treat differently`
      : `whether ${peer.id} is meant is not known`;
  if (peer.hostNetwork)
    return `${peer.id} is in the host's network, whose traffic implementations treat differently`;
  const uncertain = (rule.peers ?? []).filter(item => matcher.matches(item.peer, peer, direction) === MAYBE);
  if (uncertain.some(item => item.peer.is === 'addresses'))
    return peer.addressesKnown
      ? 'whether an ipBlock speaks of pods differs between implementations'
      : `the addresses of ${peer.id} are not known`;
  if (peer.namespaceLabels.open !== 'none')
    return `the labels of namespace ${peer.namespace ?? 'of the pod'} are not in the input`;
  return `not all labels of ${peer.id} are known`;
}

export function titleOf(policy: Policy): string {
  const { object } = policy;
  const namespace = object.metadata?.namespace;
  const name = nameOf(object);
  return `${object.kind} ${typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name}`;
}

/** Whether an outcome holds for one port. */
export function verdict(grade: Grade, protocol: Protocol, port: number): boolean | 'unknown' {
  if (hasPort(grade.sure, protocol, port)) return true;
  return hasPort(grade.most, protocol, port) ? 'unknown' : false;
}
