/** How much of a document aliases bring in: go-yaml v2 has a limit for it (decode.go), and there is our own. */
import { StructureError } from './structure.ts';

/** Nodes of a document up to which go-yaml lets aliases bring in nearly all, and from which only a tenth. */
const SMALL = 400_000;
const LARGE = 4_000_000;
const SHARE_OF_SMALL = 0.99;
const SHARE_OF_LARGE = 0.1;
/** Documents and numbers of aliases below these are not looked at. */
const FEW_NODES = 1000;
const FEW_ALIASED = 100;

export class AliasCount {
  readonly #limit: number;
  /** Nodes that were decoded, each as often as an alias brings it in. The document itself is one. */
  #nodes = 1;
  #aliased = 0;

  /** @param limit how many nodes aliases may bring in, whatever go-yaml allows */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get nodes(): number {
    return this.#nodes;
  }

  /** One more node. @throws StructureError */
  add(at: number): void {
    this.#nodes++;
    if (this.#aliased > FEW_ALIASED) this.#check(at);
  }

  /** An alias brings in so many nodes. @throws StructureError */
  expand(nodes: number, at: number): void {
    this.#nodes += nodes;
    this.#aliased += nodes;
    if (this.#aliased > this.#limit)
      throw new StructureError(`aliases bring in more than ${this.#limit} values`, at);
    this.#check(at);
  }

  #check(at: number): void {
    const nodes = this.#nodes;
    if (this.#aliased <= FEW_ALIASED || nodes <= FEW_NODES) return;
    const share = allowedShare(nodes);
    if (this.#aliased / nodes > share)
      throw new StructureError(
        `aliases bring in more than ${Math.floor(share * 100)} % of all values: kubectl refuses that`,
        at,
      );
  }
}

function allowedShare(nodes: number): number {
  if (nodes <= SMALL) return SHARE_OF_SMALL;
  if (nodes >= LARGE) return SHARE_OF_LARGE;
  return SHARE_OF_SMALL - (SHARE_OF_SMALL - SHARE_OF_LARGE) * ((nodes - SMALL) / (LARGE - SMALL));
}
