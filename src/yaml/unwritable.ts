/**
 * What YAML can say and JSON cannot: infinities, NaN, and keys that are null or beyond int64. kubectl refuses a
 * document for them only when it is written out as JSON, so one that a later duplicate key takes back does no harm.
 * Source: sigs.k8s.io/yaml yaml.go (convertToJSONableObject).
 */
import { StructureError } from './structure.ts';

class Refused {
  readonly message: string;
  readonly at: number;

  constructor(message: string, at: number) {
    this.message = message;
    this.at = at;
  }
}

export class Unwritable {
  readonly #mappings = new Map<object, Refused>();
  #found = false;

  /** What stands in the tree for a value that has no place in JSON. */
  value(message: string, at: number): unknown {
    this.#found = true;
    return new Refused(message, at);
  }

  /** Remembers a mapping for a key that it has. */
  mark(mapping: object, message: string, at: number): void {
    this.#found = true;
    if (!this.#mappings.has(mapping)) this.#mappings.set(mapping, new Refused(message, at));
  }

  /** A mapping was merged into another, its keys with it. */
  passOn(from: object, to: object): void {
    const refused = this.#mappings.get(from);
    if (refused !== undefined) this.mark(to, refused.message, refused.at);
  }

  /** @throws StructureError for the first of them that is still in a tree */
  refuseIn(root: unknown): void {
    if (!this.#found) return;
    let first: Refused | undefined;
    const note = (refused: Refused | undefined): void => {
      if (refused !== undefined && (first === undefined || refused.at < first.at)) first = refused;
    };
    const seen = new Set<unknown>();
    const open: unknown[] = [root];
    while (open.length > 0) {
      const value = open.pop();
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      seen.add(value);
      if (value instanceof Refused) note(value);
      else {
        note(this.#mappings.get(value));
        for (const child of Object.values(value)) open.push(child);
      }
    }
    if (first !== undefined) throw new StructureError((first as Refused).message, (first as Refused).at);
  }
}

/** Whether a value is a mapping, and not one that stands for something that JSON cannot hold. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Refused);
}
