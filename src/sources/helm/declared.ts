/** A chart's objects as a scan takes them: rendered, each place traced to the line of a template or a values file. */
import { toJson } from '#kube/json.ts';
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import { BuildError, type RenderChart } from '#sources/kustomize/door.ts';
import { inNamespace } from '#sources/kustomize/namespaced.ts';
import { apartOf } from '#world/environments.ts';
import type { Origin, Position } from '#world/origin.ts';
import { type Declared, type Gap, identityOf } from '#world/world.ts';
import { Locator } from '#yaml/locate.ts';
import type { ReadDocument } from '#yaml/read.ts';
import { BudgetError } from './budget.ts';
import { type ChartRun, DEFAULT } from './environments.ts';
import type { ReadFolder } from './folder.ts';
import './re2.ts';
import { type RenderedDocument, renderChartFiles } from './render.ts';
import { type LineOrigin, narrowed } from './trace.ts';
import { GoError, type Place, wellFormed } from './value.ts';

export interface ChartObjects {
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
  /** How many documents were rendered; none where the chart did not render. */
  readonly documents: number;
  /** Why it did not render. */
  readonly failed?: string;
  /** How it was installed. */
  readonly runs?: readonly ChartRun[];
}

/**
 * Renders a chart for judging, once for each way in which it is installed; what is equal in several of them is one
 * object.
 *
 * @param read gives the files of the chart; what it throws is said
 * @param name the folder as reports show it; empty for the working directory
 * @param runsOf how the chart with these files is installed
 * @param keepsOrigins whether to keep where an object comes from in each of its environments
 */
export async function chartObjects(
  read: () => ReadFolder,
  name: string,
  runsOf: (files: ReadonlyMap<string, Uint8Array>) => readonly ChartRun[],
  keepsOrigins: (files: ReadonlyMap<string, Uint8Array>) => boolean = () => false,
): Promise<ChartObjects> {
  const chartFile = name === '' ? 'Chart.yaml' : `${name}/Chart.yaml`;
  const failure = (message: string, run?: string): Gap => ({
    file: chartFile,
    line: 1,
    reason: `a Helm chart that does not render${run === undefined ? '' : ` (in ${run})`}: ${message.replaceAll('\n', ' ')}`,
  });
  let files: ReadonlyMap<string, Uint8Array>;
  let left: readonly string[];
  let runs: readonly ChartRun[];
  try {
    ({ files, left } = read());
    runs = runsOf(files);
  } catch (error) {
    const { message } = error as Error;
    return { declared: [], gaps: [failure(message)], documents: 0, failed: message };
  }
  const known: Known[] = [];
  const byName = new Map<string, Alike>();
  const keepsAlike = runs.length > 1 && keepsOrigins(files);
  const gaps = new Map<string, Gap>();
  for (const link of left)
    gaps.set(link, {
      file: chartFile,
      line: 1,
      reason: `${link} is a link that leads out of the chart, so what it leads to was not read`,
    });
  let documents = 0;
  let failed: string | undefined;
  for (const run of runs) {
    const { environment } = run;
    const one = renderedObjects(files, name, run);
    if (one.failed !== undefined) {
      failed = one.failed;
      gaps.set(
        one.failed,
        gaps.get(one.failed) ?? failure(one.failed, runs.length > 1 ? environment : undefined),
      );
      continue;
    }
    documents += one.documents;
    for (const gap of one.gaps) gaps.set(JSON.stringify(gap), gap);
    for (const declared of one.declared) {
      const { apiVersion, kind, metadata } = declared.object;
      const name = `${apiVersion} ${kind} ${metadata?.namespace} ${metadata?.name}`;
      const alike = byName.get(name);
      const same = alike?.find(declared);
      if (same !== undefined) {
        same.environments.push(environment);
        if (keepsAlike) same.alike.push(declared.origin);
        continue;
      }
      const fresh: Known = { declared, environments: [environment], alike: [] };
      known.push(fresh);
      if (alike === undefined) byName.set(name, new Alike(fresh));
      else alike.add(fresh);
    }
  }
  const made = known.map(({ declared, environments, alike }) =>
    runs.length === 1 && environments[0] === DEFAULT
      ? declared
      : {
          ...declared,
          environments,
          among: runs.length,
          ...(alike.length === 0 ? {} : { alike }),
        },
  );
  const apart = runs.length === 1 ? undefined : apartOf(runs, made, identityOf);
  return {
    declared: apart === undefined ? made : made.map(one => ({ ...one, apart })),
    gaps: [...gaps.values()],
    documents,
    runs,
    ...(failed === undefined ? {} : { failed }),
  };
}

interface Known {
  readonly declared: Declared;
  readonly environments: string[];
  /** Where the same stands in other environments. */
  readonly alike: Origin[];
}

/** Objects of one name. Which of them are one, from one place, is told by all that they hold; mostly nobody asks. */
class Alike {
  readonly #first: Known;
  #all: Map<string, Known> | undefined;

  constructor(first: Known) {
    this.#first = first;
  }

  find(declared: Declared): Known | undefined {
    this.#all ??= new Map([[keyOf(this.#first.declared), this.#first]]);
    return this.#all.get(keyOf(declared));
  }

  add(known: Known): void {
    this.#all?.set(keyOf(known.declared), known);
  }
}

const keyOf = ({ object, origin }: Declared): string => `${origin.file}:${origin.line} ${toJson(object)}`;

const NO_VALUES = new Uint8Array();

/** One rendering of a chart. */
function renderedObjects(
  files: ReadonlyMap<string, Uint8Array>,
  name: string,
  { options, withoutDefaults, after }: Pick<ChartRun, 'options' | 'withoutDefaults' | 'after'>,
): ChartObjects {
  const chartFile = name === '' ? 'Chart.yaml' : `${name}/Chart.yaml`;
  try {
    const chart = withoutDefaults === true ? new Map(files).set('values.yaml', NO_VALUES) : files;
    const rendered = renderChartFiles(chart, { ...options, folder: name, trace: true, allowMissing: true });
    const declared: Declared[] = [];
    const gaps: Gap[] = rendered.missing.map(({ name: dependency, version }) => ({
      file: chartFile,
      line: 1,
      reason: `dependency ${dependency} version ${version} is not vendored, so nothing in it was judged`,
    }));
    for (const { chart, url } of rendered.unchecked)
      gaps.push({
        file: chartFile,
        line: 1,
        reason: `the values of ${chart} were not checked against its schema, which speaks of ${url}: it is not fetched`,
      });
    for (const document of rendered.documents) {
      const text = wellFormed(document.text);
      for (const read of document.read) {
        if (read.is === 'error')
          gaps.push({
            ...placeOf(document, rendered.sources, read.line),
            reason: `rendered to what is not valid YAML: ${read.message}`,
          });
        if (read.is !== 'value' || !isRecord(read.value)) continue;
        if (typeof read.value['kind'] !== 'string' || typeof read.value['apiVersion'] !== 'string') continue;
        const unresolved = document.mayBeNew && document.lines.some(line => line.unresolved !== undefined);
        const object = (unresolved ? withUnresolved(read, text, document) : read.value) as KubeObject;
        declared.push({
          object,
          origin: new ChartOrigin(document, rendered.sources, text, read, declared.length),
        });
      }
    }
    const made = after?.(declared) ?? { declared, gaps: [] };
    const { namespace } = options;
    return {
      declared:
        namespace === undefined
          ? made.declared
          : made.declared.map(one => ({ ...one, object: inNamespace(one.object, namespace) })),
      gaps: [...gaps, ...made.gaps],
      documents: rendered.documents.length,
    };
  } catch (error) {
    if (!(error instanceof GoError) && !(error instanceof BudgetError)) throw error;
    return { declared: [], gaps: [], documents: 0, failed: error.message };
  }
}

/**
 * Charts that a kustomization asks for.
 *
 * @param filesOf the files of the chart in a folder of the tree
 */
export function chartsForKustomize(filesOf: (chart: string) => ReadonlyMap<string, Uint8Array>): RenderChart {
  return request => {
    let files: ReadonlyMap<string, Uint8Array>;
    try {
      files = filesOf(request.chart);
    } catch (error) {
      throw new BuildError(`the chart ${request.chart} could not be read: ${(error as Error).message}`);
    }
    try {
      const rendered = renderChartFiles(files, {
        folder: request.chart,
        trace: true,
        releaseName: request.releaseName,
        ...(request.namespace === '' ? {} : { namespace: request.namespace }),
        ...(request.kubeVersion === undefined ? {} : { kubeVersion: request.kubeVersion }),
        setJson: request.values.map(value => toJson(value)),
        includeCrds: request.includeCrds,
        noHooks: request.skipHooks,
        skipTests: request.skipTests,
        apiVersions: request.apiVersions,
      });
      return rendered.documents.flatMap(document => {
        const text = wellFormed(document.text);
        return document.read.flatMap((read, at) =>
          read.is === 'value'
            ? [
                {
                  text: text.slice(read.start, read.end),
                  origin: new ChartOrigin(document, rendered.sources, text, read, at),
                },
              ]
            : [],
        );
      });
    } catch (error) {
      if (error instanceof GoError || error instanceof BudgetError)
        throw new BuildError(`the chart ${request.chart} does not render: ${error.message}`);
      throw error;
    }
  };
}

/**
 * The object with what is new at every run taken out, so that nothing judges it as known. Names, labels and annotations
 * keep a text of that shape (a password's checksum beside a pod says nothing of the pod), what a program is given for
 * itself becomes empty, and anything else a mark that no decoder takes.
 */
function withUnresolved(
  read: Extract<ReadDocument, { is: 'value' }>,
  text: string,
  document: RenderedDocument,
): unknown {
  const locator = new Locator(text, read);
  const unresolvedAt = (path: Path): string | undefined => {
    const place = locator.at(path)?.value;
    if (place === undefined) return undefined;
    const { line, column, endLine, endColumn } = place;
    for (let at = line; at <= endLine; at++) {
      const origin = document.lines[at - 1];
      if (origin?.unresolved === undefined) continue;
      const from = at === line ? column - 1 : 0;
      const to = at === endLine ? endColumn - 1 : Number.POSITIVE_INFINITY;
      const { unresolved } = narrowed(origin, from, to);
      if (unresolved !== undefined) return unresolved;
    }
    return undefined;
  };
  const copy = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, at) => copy(item, [...path, at]));
    if (isRecord(value))
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, copy(item, [...path, key])]),
      );
    if (typeof value !== 'string' || isCalled(path)) return value;
    const name = unresolvedAt(path);
    if (name === undefined) return value;
    return isForTheProgram(path) ? '' : { unresolved: `{{ ${name} }}` };
  };
  return copy(read.value, []);
}

/** Whether a text only says what something is called, or is a note to it. */
function isCalled(path: Path): boolean {
  const [above, last] = path.slice(-2);
  return (
    (typeof last === 'string' && /^(?:name|generateName|\w+Name)$/.test(last)) ||
    (typeof above === 'string' && /^(?:labels|annotations|matchLabels|selector)$/.test(above))
  );
}

/** Whether a text is given to a container's program: an argument, or the value of a variable. */
function isForTheProgram(path: Path): boolean {
  const [list, item, field] = path.slice(-3);
  if (typeof field === 'number') return item === 'command' || item === 'args';
  return list === 'env' && typeof item === 'number' && field === 'value';
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

/** Values that no file states (from the command line) have no place; those in an archive none that anybody could edit. */
function isEditable({ file }: Place): boolean {
  return file !== '' && !file.includes('.tgz/');
}

function archived(place: { file: string; line: number; column: number }) {
  const inside = /^(.*?\.tgz)\//.exec(place.file);
  return inside === null ? place : { file: inside[1]!, line: 1, column: 1 };
}

/** Where a line of what was rendered was written. */
export interface WrittenLine {
  /** The place in a file of the chart; undefined inside of an archive, where nobody could edit it. */
  readonly template: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  /** The values that stand on the line, the one that decides it last. */
  readonly values: readonly Place[];
}

export class ChartOrigin implements Origin {
  readonly document: number;
  /** What was rendered. */
  readonly text: string;
  readonly #rendered: RenderedDocument;
  readonly #sources: Sources;
  readonly #read: ReadDocument;
  #locator: Locator | undefined;
  #place: { readonly file: string; readonly line: number } | undefined;

  constructor(
    rendered: RenderedDocument,
    sources: Sources,
    text: string,
    read: ReadDocument,
    number: number,
  ) {
    this.#rendered = rendered;
    this.#sources = sources;
    this.text = text;
    this.#read = read;
    this.document = number;
  }

  get file(): string {
    return this.#own.file;
  }

  get line(): number {
    return this.#own.line;
  }

  /** The object itself stands in its template, wherever its first line's values come from. */
  get #own() {
    if (this.#place === undefined) {
      const origin = this.#rendered.lines[this.#read.line - 1];
      this.#place = originPlace(
        origin === undefined ? undefined : { ...origin, values: [] },
        this.#sources,
        this.#rendered.source,
      );
    }
    return this.#place;
  }

  /** The places of the object in the text that was rendered. */
  get locator(): Locator {
    this.#locator ??= new Locator(this.text, this.#read);
    return this.#locator;
  }

  /** @param line of the text that was rendered, from 1 */
  writtenAt(line: number): WrittenLine | undefined {
    const origin = this.#rendered.lines[line - 1];
    return origin === undefined
      ? undefined
      : { template: this.#editable(origin.template), values: origin.values.filter(isEditable) };
  }

  /** The template that the object was rendered from; undefined inside of an archive. */
  get template(): string | undefined {
    return this.#editable({ file: this.#rendered.source, line: 1, column: 1 })?.file;
  }

  /** Values that decided that a block was left out, with the place of the condition. */
  *leftOut(): Generator<{ readonly file: string; readonly line: number; readonly values: readonly Place[] }> {
    for (const { file, line, taken, values } of this.#rendered.branches) {
      const known = taken ? undefined : this.#editable({ file, line, column: 1 });
      if (known !== undefined) yield { file: known.file, line, values: values.filter(isEditable) };
    }
  }

  #editable(place: { readonly file: string; readonly line: number; readonly column: number }) {
    const known = this.#sources.get(place.file);
    return known === undefined || known.archive ? undefined : { ...place, file: known.file };
  }

  positionOf(path: Path): Position {
    if (path.length === 0)
      return { file: this.file, line: this.line, column: 1, endLine: this.line, endColumn: 2 };
    const { path: found, located } = this.locator.nearest(path);
    const span = located.key ?? located.value;
    const whole = this.#rendered.lines[span.line - 1];
    const { value } = located;
    // Several scalars may share a line, each with an origin of its own.
    const origin =
      whole !== undefined && value.line === span.line && value.endLine === value.line
        ? narrowed(whole, value.column - 1, value.endColumn - 1)
        : whole;
    // What is absent was not written by the value of the line above it.
    const exact = found.length === path.length || origin === undefined ? origin : { ...origin, values: [] };
    const { file, line, column } = originPlace(exact, this.#sources, this.#rendered.source);
    return { file, line, column, endLine: line, endColumn: column + 1 };
  }
}
