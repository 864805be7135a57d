/** Objects as text, each line with the place that its value was written at. */
import type { KubeObject, Path } from '#kube/objects.ts';
import { emit } from '#sources/kustomize/emit.ts';
import type { Position } from '#world/origin.ts';
import type { Declared } from '#world/world.ts';
import { Locator } from '#yaml/locate.ts';
import { readDocuments } from '#yaml/read.ts';

export interface ObjectLine {
  readonly text: string;
  readonly path: Path;
  readonly position: Position;
}

/** As kubectl kustomize prints an object. */
export const objectText = (object: KubeObject): string => emit(object as never);

export function objectLines({ object, origin }: Pick<Declared, 'object' | 'origin'>): ObjectLine[] {
  const text = objectText(object);
  const [document] = readDocuments(text);
  const lines = text.replace(/\n$/, '').split('\n');
  const paths = new Array<Path | undefined>(lines.length);
  if (document !== undefined) {
    const locator = new Locator(text, document);
    const walk = (path: Path): void => {
      for (const { step, located } of locator.children(path)) {
        const below = [...path, step];
        paths[(located.key ?? located.value).line - 1] = below;
        walk(below);
      }
    };
    walk([]);
  }
  let path: Path = [];
  return lines.map((line, at) => {
    // A text over several lines is one value.
    path = paths[at] ?? path;
    return { text: line, path, position: origin.positionOf(path) };
  });
}

/** Texts beside each other: where a line comes from, and the line. */
export function gutterText(rows: readonly (readonly [origin: string, line: string])[]): string {
  const width = Math.min(
    100,
    rows.reduce((most, [origin]) => Math.max(most, origin.length), 0),
  );
  return rows.map(([origin, line]) => `${origin.padEnd(width)} | ${line}\n`).join('');
}

export interface PlacedScalar {
  readonly path: Path;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Every value of an object that is no mapping and no list, with its place. */
export function placedScalars({ object, origin }: Pick<Declared, 'object' | 'origin'>): PlacedScalar[] {
  const result: PlacedScalar[] = [];
  const walk = (value: unknown, path: Path): void => {
    if (typeof value === 'object' && value !== null) {
      const isList = Array.isArray(value);
      for (const [key, one] of Object.entries(value)) walk(one, [...path, isList ? Number(key) : key]);
      return;
    }
    const { file, line, column } = origin.positionOf(path);
    result.push({ path, file, line, column });
  };
  walk(object, []);
  return result;
}
