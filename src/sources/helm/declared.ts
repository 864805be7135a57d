/** A chart's objects as a scan takes them: rendered, each place traced to the line of a template or a values file. */
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import type { Origin, Position } from '#world/origin.ts';
import type { Declared, Gap } from '#world/world.ts';
import { Locator } from '#yaml/locate.ts';
import { type ReadDocument, readDocuments } from '#yaml/read.ts';
import { BudgetError } from './budget.ts';
import { readChart } from './folder.ts';
import { mayNeedRe2 } from './regexes.ts';
import { type ChartOptions, type RenderedDocument, renderChartFiles } from './render.ts';
import type { LineOrigin } from './trace.ts';
import { GoError, wellFormed } from './value.ts';

export interface ChartObjects {
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
  /** How many documents were rendered; none where the chart did not render. */
  readonly documents: number;
  /** Why it did not render. */
  readonly failed?: string;
}

/**
 * Renders a chart for judging.
 *
 * @param path where its folder is
 * @param name the folder as reports show it; empty for the working directory
 */
export async function chartObjects(
  path: string,
  name: string,
  options: ChartOptions = {},
): Promise<ChartObjects> {
  const chartFile = name === '' ? 'Chart.yaml' : `${name}/Chart.yaml`;
  try {
    const files = readChart(path);
    if (mayNeedRe2(files)) await import('./re2.ts');
    const rendered = renderChartFiles(files, {
      ...options,
      folder: name,
      trace: true,
      allowMissing: true,
    });
    const declared: Declared[] = [];
    const gaps: Gap[] = rendered.missing.map(({ name: dependency, version }) => ({
      file: chartFile,
      line: 1,
      reason: `dependency ${dependency} version ${version} is not vendored, so nothing in it was judged`,
    }));
    for (const document of rendered.documents) {
      const text = wellFormed(document.text);
      for (const read of readDocuments(text)) {
        if (read.is === 'error')
          gaps.push({
            ...placeOf(document, rendered.sources, read.line),
            reason: `rendered to what is not valid YAML: ${read.message}`,
          });
        if (read.is !== 'value' || !isRecord(read.value)) continue;
        if (typeof read.value['kind'] !== 'string' || typeof read.value['apiVersion'] !== 'string') continue;
        const unresolved = document.lines.some(line => line.unresolved !== undefined);
        declared.push({
          object: (unresolved ? withUnresolved(read, text, document) : read.value) as KubeObject,
          origin: new ChartOrigin(document, rendered.sources, text, read, declared.length),
        });
      }
    }
    return { declared, gaps, documents: rendered.documents.length };
  } catch (error) {
    if (!(error instanceof GoError) && !(error instanceof BudgetError)) throw error;
    const reason = `a Helm chart that does not render: ${error.message.replaceAll('\n', ' ')}`;
    return {
      declared: [],
      gaps: [{ file: chartFile, line: 1, reason }],
      documents: 0,
      failed: error.message,
    };
  }
}

/** The object with each text that is new at every run replaced by a mark, so that nothing judges it as known. */
function withUnresolved(
  read: Extract<ReadDocument, { is: 'value' }>,
  text: string,
  document: RenderedDocument,
): unknown {
  const locator = new Locator(text, read);
  const copy = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, at) => copy(item, [...path, at]));
    if (isRecord(value))
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, copy(item, [...path, key])]),
      );
    const line = locator.at(path)?.value.line;
    const name = line === undefined ? undefined : document.lines[line - 1]?.unresolved;
    return name === undefined || typeof value !== 'string' ? value : { unresolved: `{{ ${name} }}` };
  };
  return copy(read.value, []);
}

type Sources = ReadonlyMap<string, { readonly file: string; readonly archive: boolean }>;

function placeOf(document: RenderedDocument, sources: Sources, line: number) {
  const place = originPlace(document.lines[line - 1], sources, document.source);
  return { file: place.file, line: place.line, column: place.column };
}

/** The place that a reader would change: the value where one decides, otherwise the template. */
function originPlace(origin: LineOrigin | undefined, sources: Sources, fallback: string) {
  const value = origin?.values.at(-1);
  if (value !== undefined) return archived({ file: value.file, line: value.line, column: value.column });
  const known = (file: string): { file: string; archive: boolean } =>
    sources.get(file) ?? { file, archive: false };
  if (origin === undefined) return { file: known(fallback).file, line: 1, column: 1 };
  const { file, archive } = known(origin.template.file);
  // Inside an archive there is no line that anybody could open.
  return archive
    ? { file, line: 1, column: 1 }
    : { file, line: origin.template.line, column: origin.template.column };
}

function archived(place: { file: string; line: number; column: number }) {
  const inside = /^(.*?\.tgz)\//.exec(place.file);
  return inside === null ? place : { file: inside[1]!, line: 1, column: 1 };
}

class ChartOrigin implements Origin {
  readonly file: string;
  readonly line: number;
  readonly document: number;
  readonly #rendered: RenderedDocument;
  readonly #sources: Sources;
  readonly #text: string;
  readonly #read: ReadDocument;
  #locator: Locator | undefined;

  constructor(
    rendered: RenderedDocument,
    sources: Sources,
    text: string,
    read: ReadDocument,
    number: number,
  ) {
    this.#rendered = rendered;
    this.#sources = sources;
    this.#text = text;
    this.#read = read;
    this.document = number;
    const origin = rendered.lines[read.line - 1];
    // The object itself stands in its template, wherever its first line's values come from.
    const place = originPlace(
      origin === undefined ? undefined : { ...origin, values: [] },
      sources,
      rendered.source,
    );
    this.file = place.file;
    this.line = place.line;
  }

  positionOf(path: Path): Position {
    if (path.length === 0)
      return { file: this.file, line: this.line, column: 1, endLine: this.line, endColumn: 2 };
    this.#locator ??= new Locator(this.#text, this.#read);
    const { path: found, located } = this.#locator.nearest(path);
    const span = located.key ?? located.value;
    const origin = this.#rendered.lines[span.line - 1];
    // What is absent was not written by the value of the line above it.
    const exact = found.length === path.length || origin === undefined ? origin : { ...origin, values: [] };
    const { file, line, column } = originPlace(exact, this.#sources, this.#rendered.source);
    return { file, line, column, endLine: line, endColumn: column + 1 };
  }
}
