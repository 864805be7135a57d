/** What a proxy sees of a connection and of a request. What the query leaves out is not known. */
import type { Match } from '#decide/network/labels.ts';
import { MAYBE, NO, YES } from '#decide/network/labels.ts';

/** A header: whether it is there, and its value where that is known. */
export interface Header {
  readonly present: Match;
  readonly value?: string;
}

export interface Facts {
  /** The SPIFFE id of the client's certificate; null: none, undefined: not known. */
  readonly principal: string | null | undefined;
  readonly sourceIP: bigint | undefined;
  /** What the proxy takes for the client's address: of `x-forwarded-for`, else that of the connection. */
  readonly remoteIP: bigint | undefined;
  readonly destinationIP: bigint | undefined;
  readonly port: number;
  readonly sni: string;
  /** As filters see it, the query included. */
  readonly path: string | undefined;
  /** A header by its name in lower case, `:method`, `:authority` and `:path` too. */
  header(name: string): Header;
  /** The claims of the token that was accepted; null: there is none. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** One condition on a request. */
export type Condition = (facts: Facts) => Match;

export function match(is: boolean): Match {
  return is ? YES : NO;
}

/** Whether all hold. */
export function all(conditions: readonly Condition[]): Condition {
  return facts => {
    let result: Match = YES;
    for (const condition of conditions) {
      const found = condition(facts);
      if (found === NO) return NO;
      if (found < result) result = found;
    }
    return result;
  };
}

/** Whether one holds. */
export function any(conditions: readonly Condition[]): Condition {
  return facts => {
    let result: Match = NO;
    for (const condition of conditions) {
      const found = condition(facts);
      if (found === YES) return YES;
      if (found > result) result = found;
    }
    return result;
  };
}

export function not(condition: Condition): Condition {
  return facts => (YES - condition(facts)) as Match;
}

export const unknownCondition: Condition = () => MAYBE;
