/**
 * Where each piece of the output came from. While a template runs, every printed piece is noted with its place in the
 * template, the values that it was made of, and, where an include or a toYaml gave it, the lines of those.
 */
import type { ActionNode, AnyNode, BranchNode, TextNode } from './nodes.ts';
import { show } from './nodes.ts';
import type { GoMap, Place, Value } from './value.ts';
import type { WrittenYaml } from './yaml-write.ts';

/** What a line of the output came from. */
export interface LineOrigin {
  /** The place in a template file. */
  readonly template: { readonly file: string; readonly line: number; readonly column: number };
  /** The values that stand on the line, the one that decides it last. */
  readonly values: readonly Place[];
  /** A function whose result is new at every run. */
  readonly unresolved: string | undefined;
}

/** A block that was left out, or taken, by a condition. */
export interface BranchTaken {
  readonly file: string;
  readonly line: number;
  readonly condition: string;
  readonly taken: boolean;
  readonly values: readonly Place[];
  /** The line of the output, from 0, at which the block stands or would stand. */
  readonly outputLine: number;
}

interface Piece {
  readonly text: string;
  readonly node: TextNode | ActionNode;
  readonly values: readonly Place[];
  readonly unresolved: string | undefined;
  readonly inner: readonly Candidate[];
}

/** A line that a function gave, and may stand in the text that is printed in the end. */
interface Candidate {
  readonly text: string;
  readonly origin: LineOrigin | undefined;
  readonly place: Place | undefined;
}

interface Action {
  readonly values: Place[];
  readonly inner: Candidate[];
  unresolved: string | undefined;
}

export interface Traced {
  readonly lines: readonly LineOrigin[];
  readonly branches: readonly BranchTaken[];
}

export class Tracer {
  private readonly outputs: { pieces: Piece[]; lines: number }[] = [];
  private readonly actions: Action[] = [];
  private branches: BranchTaken[] = [];
  private last: Traced | undefined;

  open(): void {
    this.outputs.push({ pieces: [], lines: 0 });
    this.actions.push({ values: [], inner: [], unresolved: undefined });
  }

  close(text: string): void {
    const output = this.outputs.pop()!;
    this.actions.pop();
    const lines = linesOf(output.pieces);
    if (this.outputs.length === 0) {
      this.last = { lines, branches: this.branches };
      this.branches = [];
      return;
    }
    const action = this.actions.at(-1);
    if (action === undefined) return;
    text.split('\n').forEach((line, at) => {
      const origin = lines[at];
      action.inner.push({ text: line.trim(), origin, place: origin?.values.at(-1) });
    });
    for (const line of lines) if (line.unresolved !== undefined) action.unresolved = line.unresolved;
  }

  /** What the template that just ended was made of. */
  take(): Traced {
    return this.last ?? { lines: [], branches: [] };
  }

  beginAction(): Action {
    const action = this.actions.at(-1)!;
    this.actions[this.actions.length - 1] = { values: [], inner: [], unresolved: undefined };
    return action;
  }

  private endAction(before: Action): Action {
    const action = this.actions.at(-1)!;
    this.actions[this.actions.length - 1] = before;
    return action;
  }

  text(node: TextNode): void {
    this.note({ text: node.text, node, values: [], unresolved: undefined, inner: [] });
  }

  printed(node: ActionNode, text: string, before: Action): void {
    const action = this.endAction(before);
    this.note({ text, node, values: action.values, unresolved: action.unresolved, inner: action.inner });
  }

  /** A variable was set: what it was made of belongs to those that print it. */
  declared(before: Action): readonly Place[] {
    return this.endAction(before).values;
  }

  /** What the action that runs has read until now. */
  current(): readonly Place[] {
    return [...this.actions.at(-1)!.values];
  }

  /** A variable, or the dot, was read: with it comes what it was made of. */
  used(places: readonly Place[] | undefined): void {
    if (places !== undefined) this.actions.at(-1)!.values.push(...places);
  }

  private note(piece: Piece): void {
    const output = this.outputs.at(-1)!;
    output.pieces.push(piece);
    for (let at = piece.text.indexOf('\n'); at >= 0; at = piece.text.indexOf('\n', at + 1)) output.lines++;
  }

  branched(node: BranchNode, taken: boolean, _value: Value, before: Action): void {
    const action = this.endAction(before);
    if (this.outputs.length !== 1 && taken) return;
    this.branches.push({
      file: node.tree.file,
      line: lineOf(node),
      condition: `${node.type} ${show(node.pipe)}`,
      taken,
      values: action.values,
      outputLine: this.outputs[0]?.lines ?? 0,
    });
  }

  read(map: GoMap, key: string, _value: Value, _node: AnyNode | undefined): void {
    const place = map.places?.get(key);
    if (place !== undefined) this.actions.at(-1)?.values.push(place);
  }

  yaml(written: WrittenYaml): void {
    const action = this.actions.at(-1);
    if (action === undefined) return;
    written.text.split('\n').forEach((line, at) => {
      action.inner.push({ text: line.trim(), origin: undefined, place: written.places[at] });
    });
  }

  unresolved(name: string): void {
    const action = this.actions.at(-1);
    if (action !== undefined) action.unresolved = name;
  }
}

const lineStarts = new WeakMap<object, number[]>();

function position(node: AnyNode, offset: number): { line: number; column: number } {
  let starts = lineStarts.get(node.tree);
  if (starts === undefined) {
    starts = [0];
    for (let at = node.tree.text.indexOf('\n'); at >= 0; at = node.tree.text.indexOf('\n', at + 1))
      starts.push(at + 1);
    lineStarts.set(node.tree, starts);
  }
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

const lineOf = (node: AnyNode): number => position(node, node.at).line;

/** The origin of each line of the pieces put together. The piece with a value decides; then the last with text. */
function linesOf(pieces: readonly Piece[]): LineOrigin[] {
  const result: LineOrigin[] = [];
  let best: { origin: LineOrigin; weight: number } | undefined;
  const offer = (origin: LineOrigin, weight: number): void => {
    if (best === undefined) best = { origin, weight };
    else if (weight > best.weight)
      best = { origin: { ...origin, values: [...best.origin.values, ...origin.values] }, weight };
    else if (origin.values.length > 0)
      best = {
        origin: { ...best.origin, values: [...best.origin.values, ...origin.values] },
        weight: best.weight,
      };
  };
  for (const piece of pieces) {
    const { node } = piece;
    let offset = node.at;
    let candidate = 0;
    const parts = piece.text.split('\n');
    parts.forEach((part, at) => {
      const text = part.trim();
      let origin: LineOrigin = {
        template: {
          file: node.tree.file,
          ...position(
            node,
            node.type === 'text' ? offset + (part.length - part.trimStart().length) : node.at,
          ),
        },
        values: piece.values,
        unresolved: piece.unresolved,
      };
      if (piece.inner.length > 0 && text !== '') {
        for (let search = candidate; search < piece.inner.length; search++) {
          const found = piece.inner[search]!;
          if (found.text !== text) continue;
          if (found.origin !== undefined) origin = found.origin;
          else origin = { ...origin, values: found.place === undefined ? piece.values : [found.place] };
          candidate = search + 1;
          break;
        }
      }
      if (text !== '' || best === undefined)
        offer(origin, text === '' ? 0 : node.type === 'text' ? 1 : origin.values.length > 0 ? 3 : 2);
      offset += part.length + 1;
      if (at < parts.length - 1) {
        result.push(best?.origin ?? origin);
        best = undefined;
      }
    });
  }
  if (best !== undefined) result.push(best.origin);
  return result;
}
