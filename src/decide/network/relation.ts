/**
 * The whole relation: who may connect to whom on which ports, between classes of endpoints. What a class may do is
 * decided once for each way in which peers answer the questions of its policies; rows are made when first needed.
 */
import { parseAddress } from './addresses.ts';
import {
  type Classes,
  type Classified,
  type Cluster as ClassifiedCluster,
  classify,
  type EndpointClass,
} from './classes.ts';
import type { Evaluator, Grade } from './evaluate.ts';
import type { Direction } from './policy.ts';
import type { PortSet } from './ports.ts';

/** What one class may do to another: to every other member of it, where both are the same. */
export interface Pair {
  readonly from: EndpointClass;
  readonly to: EndpointClass;
  readonly allowed: PortSet;
  /** Ports of which it is not known. */
  readonly unknown: PortSet;
}

/**
 * The relation. It knows of no placement on nodes: what depends on two pods being on one node is unknown here, and an
 * address is taken for one outside of the cluster's nodes. A single pod always reaches itself.
 */
export interface Connectivity {
  readonly classes: readonly EndpointClass[];
  /** The class of a pod (`ns/name`), a workload (`ns/kind/name`; of its first template, if several) or an address. */
  classOf(id: string): EndpointClass | undefined;
  between(from: EndpointClass, to: EndpointClass): Pair;
  /** All pairs with a port that is allowed, or perhaps so; never two classes of addresses. */
  pairs(): Iterable<Pair>;
}

export interface Cluster extends ClassifiedCluster {
  readonly evaluator: Evaluator;
}

export function relate(cluster: Cluster): Connectivity {
  return new Relation(cluster);
}

/** Grades by number, so that a row is a list of numbers and the meeting of two grades is found by both. */
class Grades {
  readonly list: Grade[] = [];
  readonly #numbers = new Map<number, number>();
  readonly #meetings = new Map<number, number>();
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  number(grade: Grade): number {
    const key = grade.sure.id * 2 ** 26 + grade.most.id;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.list.push(grade) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** What both allow. */
  meet(a: number, b: number): number {
    if (a === b) return a;
    const key = a * 2 ** 26 + b;
    let number = this.#meetings.get(key);
    if (number === undefined) {
      const { ports } = this.#cluster;
      const [left, right] = [this.list[a]!, this.list[b]!];
      number = this.number({
        sure: ports.intersection(left.sure, right.sure),
        most: ports.intersection(left.most, right.most),
      });
      this.#meetings.set(key, number);
    }
    return number;
  }
}

class Relation implements Connectivity {
  readonly classes: readonly EndpointClass[];
  readonly #cluster: Cluster;
  readonly #known: Classes;
  readonly #grades: Grades;
  readonly #everything: number;
  readonly #nothing: number;
  readonly #rows: Readonly<Record<Direction, Map<string, Int32Array>>> = {
    ingress: new Map(),
    egress: new Map(),
  };
  /** The row of each class, once it is made: the key of a row can be long. */
  readonly #rowOf: Readonly<Record<Direction, (Int32Array | undefined)[]>> = { ingress: [], egress: [] };
  #byId: Map<string, EndpointClass> | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#known = classify(cluster);
    this.classes = this.#known.all.map(known => known.public);
    this.#grades = new Grades(cluster);
    const { all, none } = cluster.ports;
    this.#everything = this.#grades.number({ sure: all, most: all });
    this.#nothing = this.#grades.number({ sure: none, most: none });
  }

  classOf(id: string): EndpointClass | undefined {
    if (this.#byId === undefined) {
      this.#byId = new Map();
      for (const one of this.classes)
        for (const member of one.members) if (!this.#byId.has(member.id)) this.#byId.set(member.id, one);
    }
    const found = this.#byId.get(id);
    if (found !== undefined) return found;
    const address = parseAddress(id);
    if (address === undefined) return undefined;
    const pod = this.#cluster.inventory.byAddress.get(address);
    return pod === undefined ? this.classes[this.#known.indexOfAddress(address)] : this.#byId.get(pod.id);
  }

  between(from: EndpointClass, to: EndpointClass): Pair {
    return this.#pair(from, to, this.#gradeOf(from.index, to.index));
  }

  *pairs(): Iterable<Pair> {
    for (const from of this.classes)
      for (const to of this.classes) {
        if (from.members.length === 0 && to.members.length === 0) continue;
        if (from === to && isOnePod(from)) continue;
        const grade = this.#gradeOf(from.index, to.index);
        if (grade !== this.#nothing) yield this.#pair(from, to, grade);
      }
  }

  #pair(from: EndpointClass, to: EndpointClass, number: number): Pair {
    const { sure, most } = this.#grades.list[number]!;
    return { from, to, allowed: sure, unknown: this.#cluster.ports.difference(most, sure) };
  }

  #gradeOf(from: number, to: number): number {
    const source = this.#known.all[from]!.endpoint;
    const destination = this.#known.all[to]!.endpoint;
    let grade = this.#everything;
    if (source.is === 'pod') grade = this.#row('egress', from)[to]!;
    if (destination.is === 'pod') grade = this.#grades.meet(grade, this.#row('ingress', to)[from]!);
    if (source.is === 'address' || destination.is === 'address') return grade;
    if (source.hostNetwork !== destination.hostNetwork) {
      const { sure } = this.#grades.list[grade]!;
      return this.#grades.number({ sure, most: this.#cluster.ports.all });
    }
    return source.network === destination.network || source.hostNetwork ? grade : this.#nothing;
  }

  /** What the policies of one class say of every class. */
  #row(direction: Direction, index: number): Int32Array {
    const made = this.#rowOf[direction][index];
    if (made !== undefined) return made;
    const subject = this.#known.all[index]!;
    const host = subject.endpoint.is === 'pod' && subject.endpoint.hostNetwork;
    // Names in the rules of ingress are the subject's own; in those of egress, the peer's.
    const key = `${host}|${direction === 'ingress' ? subject.portKey : ''}|${subject.rowKeys[direction]}`;
    let row = this.#rows[direction].get(key);
    if (row === undefined) {
      row = this.#makeRow(direction, subject);
      this.#rows[direction].set(key, row);
    }
    this.#rowOf[direction][index] = row;
    return row;
  }

  #makeRow(direction: Direction, subject: Classified): Int32Array {
    const { all } = this.#known;
    const selections = subject.selections[direction];
    if (selections.length === 0) return new Int32Array(all.length).fill(this.#everything);
    const answers = this.#answers(direction, subject);
    const decided = new Map<string, number>();
    const row = new Int32Array(all.length);
    for (const [index, peer] of all.entries()) {
      const host = peer.endpoint.is === 'pod' && peer.endpoint.hostNetwork;
      const key = host ? `host ${index}` : answers[index]!;
      let grade = decided.get(key);
      if (grade === undefined) {
        grade = this.#grades.number(
          this.#cluster.evaluator.decide(selections, this.#cluster.matcher, {
            direction,
            subject: subject.endpoint,
            peer: peer.endpoint,
            universe: this.#cluster.ports.all,
          }),
        );
        decided.set(key, grade);
      }
      row[index] = grade;
    }
    return row;
  }

  /** For each class, a text that is equal where the rules of a row cannot tell classes apart. */
  #answers(direction: Direction, subject: Classified): string[] {
    const rules = subject.selections[direction].flatMap(({ policy }) => policy[direction] ?? []);
    const named = direction === 'egress' && rules.some(({ ports }) => (ports?.names.length ?? 0) > 0);
    const answers = this.#known.all.map(({ portKey, endpoint }) =>
      named ? `${endpoint.is} ${portKey}|` : '',
    );
    const peers = new Set(
      rules.flatMap(rule => (rule.peers ?? []).map(({ peer }) => this.#known.numberOf.get(peer)!)),
    );
    for (const peer of peers)
      for (const [index, match] of this.#known.members[peer]!) answers[index] += `${peer}:${match},`;
    return answers;
  }
}

/** Whether a class is a single pod, which has no other of its class to talk to. */
function isOnePod({ members }: EndpointClass): boolean {
  return members.length === 1 && members[0]!.object?.kind === 'Pod';
}
