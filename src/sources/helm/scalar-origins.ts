/** Where each scalar of a rendered document came from. */
import type { Path } from '#kube/objects.ts';
import { Locator } from '#yaml/locate.ts';
import { readDocuments } from '#yaml/read.ts';
import type { RenderedDocument } from './render.ts';
import { type LineOrigin, narrowed } from './trace.ts';
import { wellFormed } from './value.ts';

export interface ScalarOrigin {
  readonly path: Path;
  /** Its line in the document's text, from 1. */
  readonly line: number;
  /** Offsets in the line; the end is exclusive. Of a text over several lines, the first. */
  readonly from: number;
  readonly to: number;
  readonly origin: LineOrigin | undefined;
}

/** Every value that is no mapping and no list, in the order of the text. */
export function scalarOrigins({ text, lines }: RenderedDocument): ScalarOrigin[] {
  const clean = wellFormed(text);
  const rows = clean.split('\n');
  const result: ScalarOrigin[] = [];
  for (const document of readDocuments(clean)) {
    if (document.is !== 'value') continue;
    const locator = new Locator(clean, document);
    const visit = (path: Path): void => {
      for (const { step, located } of locator.children(path)) {
        const below = [...path, step];
        if (locator.children(below).length > 0) {
          visit(below);
          continue;
        }
        const { start, end, line, column, endLine, endColumn } = located.value;
        // What is not written at all has no origin of its own.
        if (start === end) continue;
        const from = column - 1;
        const to = endLine === line ? endColumn - 1 : (rows[line - 1]?.length ?? 0);
        const origin = lines[line - 1];
        result.push({
          path: below,
          line,
          from,
          to,
          origin: origin === undefined ? undefined : narrowed(origin, from, to),
        });
      }
    };
    visit([]);
  }
  return result;
}
