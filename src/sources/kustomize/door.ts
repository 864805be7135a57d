/** `sallyport/kustomize`: what `kubectl kustomize` builds from files, with the place of every value. */
import type { Path } from '#kube/objects.ts';
import type { Origin, Position } from '#world/origin.ts';
import type { Build, RenderChart } from './build-state.ts';
import { emit } from './emit.ts';
import type { Files } from './files.ts';
import { rootLoader, Tree } from './loader.ts';
import {
  type BuildLimits,
  defaultBuildLimits,
  field,
  keyOf,
  type Node,
  prefixed,
  withLimits,
} from './node.ts';
import type { Overrides } from './overrides.ts';
import { ORIGIN, TRANSFORMATIONS } from './resource.ts';
import { toJson } from './scalars.ts';
import * as generated from './schema.generated.ts';
import { Schemas } from './schemas.ts';
import { positionOf } from './source.ts';
import { Target } from './target.ts';
import { setEntries, sortResources } from './transformers.ts';

export type { ChartDocument, ChartRequest, RenderChart } from './build-state.ts';
export { BuildError, type BuildLimits, NotLocalError } from './node.ts';
export type { Overrides } from './overrides.ts';

export interface BuildOptions {
  /** How messages call the folder that holds the files; empty for none, as if it were the root of a file system. */
  readonly top?: string;
  /** Renders charts of the tree; without it, `helmCharts` is refused as kubectl refuses it. */
  readonly renderChart?: RenderChart;
  /** As `--load-restrictor LoadRestrictionsNone`: files outside of a kustomization's folder may be read too. */
  readonly unrestricted?: boolean;
  /** What is set in the kustomization before it is built, as `kustomize edit` does it. */
  readonly overrides?: Overrides;
  readonly limits?: BuildLimits;
}

export interface Built {
  /** In kubectl's order. */
  readonly documents: object[];
  /** As kubectl prints it. */
  readonly text: string;
  readonly warnings: string[];
  /** Where each of the documents comes from. */
  readonly origins: readonly Origin[];
  /** The kustomization files that took part. */
  readonly kustomizations: readonly string[];
  /** Every file that was read. */
  readonly used: ReadonlySet<string>;
}

/** What Kubernetes 1.35's kubectl carries. */
const MANAGED_BY = 'kustomize-v5.7.1';

/**
 * Builds a kustomization.
 *
 * @param files contents by path, with forward slashes; nothing else is read, nothing is fetched and nothing is run
 * @param root the folder of the kustomization; empty for the top
 * @throws BuildError with the words of `kubectl kustomize` where it refuses, or saying which limit is passed;
 *   NotLocalError where something would have to be fetched
 */
export function build(files: Files, root: string, options: BuildOptions = {}): Built {
  return withLimits(options.limits ?? defaultBuildLimits, () => built(files, root, options));
}

function built(files: Files, root: string, options: BuildOptions): Built {
  const tree = new Tree(files, options.top ?? '', options.unrestricted === true);
  const state: Build = {
    schemas: new Schemas(generated),
    warnings: [],
    kustomizations: [],
    renderChart: options.renderChart,
    ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
  };
  const target = new Target(rootLoader(tree, root), state);
  const map = target.make();
  sortResources(map, target.kustomization.sortOptions);
  const metadata = target.kustomization.buildMetadata ?? [];
  if (metadata.includes('managedByLabel'))
    setEntries(
      map,
      { 'app.kubernetes.io/managed-by': MANAGED_BY },
      [{ group: '', version: '', kind: '', path: 'metadata/labels', create: true }],
      () => undefined,
    );
  const documents: object[] = [];
  const origins: Origin[] = [];
  for (const [i, resource] of map.list.entries()) {
    resource.removeBuildAnnotations();
    if (!metadata.includes('originAnnotations')) resource.annotate(ORIGIN, undefined);
    if (!metadata.includes('transformerAnnotations')) resource.annotate(TRANSFORMATIONS, undefined);
    let document: object;
    try {
      document = toJson(resource.node!) as object;
    } catch (error) {
      throw prefixed(error, `${resource.gvk.kind} ${resource.name}`);
    }
    documents.push(document);
    origins.push(new BuiltOrigin(resource.node!, i, state.kustomizations[0] ?? root));
  }
  return {
    documents,
    // A scan does not print what it judges.
    get text() {
      return documents.map(document => emit(document as never)).join('---\n');
    },
    warnings: state.warnings,
    origins,
    kustomizations: state.kustomizations,
    used: tree.used,
  };
}

export interface WrittenNode {
  readonly depth: number;
  readonly at: Position | undefined;
  readonly isMap: boolean;
  readonly below: readonly Position[];
}

/** Where the values of a built document were written: in a base, a patch, a generator's literal or a file. */
export class BuiltOrigin implements Origin {
  readonly document: number;
  readonly #node: Node;
  readonly #kustomization: string;

  constructor(node: Node, document: number, kustomization: string) {
    this.#node = node;
    this.document = document;
    this.#kustomization = kustomization;
  }

  get file(): string {
    return this.#node.at?.source.file ?? this.#kustomization;
  }

  get line(): number {
    return this.positionOf([]).line;
  }

  /**
   * Where the deepest thing on the way to a path was written.
   *
   * @returns how many steps of the path are there; the place of the last of them as its key or list item says it; and
   *   the places of the keys or items directly below it
   */
  writtenAt(path: Path): WrittenNode {
    let node = this.#node;
    let at: Position | undefined;
    let depth = 0;
    for (const step of path) {
      const next = typeof step === 'number' ? node.content[step] : field(node, step);
      if (next === undefined || (typeof step === 'number' && node.kind !== 'list')) break;
      const place = (typeof step === 'string' ? keyOf(node, step) : next)?.at;
      at = place === undefined ? undefined : positionOf(place);
      node = next;
      depth++;
    }
    const below = node.kind === 'map' ? node.content.filter((_, i) => i % 2 === 0) : node.content;
    return {
      depth,
      at,
      isMap: node.kind === 'map',
      below: below.flatMap(one => (one.at === undefined ? [] : [positionOf(one.at)])),
    };
  }

  positionOf(path: Path): Position {
    let node = this.#node;
    let key: Node | undefined;
    let known = placeOf(node, key);
    for (const step of path) {
      const next = typeof step === 'number' ? node.content[step] : field(node, step);
      if (next === undefined || (typeof step === 'number' && node.kind !== 'list')) break;
      key = typeof step === 'string' ? keyOf(node, step) : undefined;
      node = next;
      known = placeOf(node, key) ?? known;
    }
    return known ?? { file: this.#kustomization, line: 1, column: 1, endLine: 1, endColumn: 1 };
  }
}

/** A value's place: with its key where that stands on the same line; a whole block is shown by its key. */
function placeOf(node: Node, key: Node | undefined): Position | undefined {
  const value = node.at === undefined ? undefined : positionOf(node.at);
  const name = key?.at === undefined ? undefined : positionOf(key.at);
  if (value === undefined) return name;
  const sameFile = name !== undefined && name.file === value.file;
  if (sameFile && (node.kind === 'map' || node.kind === 'list') && value.endLine > name.line) return name;
  const end = value.endLine > value.line ? { endLine: value.line, endColumn: value.column + 1 } : {};
  if (sameFile && name.line === value.line && name.column <= value.column)
    return { ...value, ...end, column: name.column };
  return { ...value, ...end };
}
