/** Manifests as they stand in files: read, recognised, unfolded, with everything that was not understood said. */
import { toJson } from '#kube/json.ts';
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import { MARK_OF_PODS, mayTeachPlaces, placesOfDefinition } from '#kube/workloads.ts';
import { type Deployment, isDeployer } from '#sources/gitops/deployer.ts';
import type { ChartSettings } from '#sources/helm/environments.ts';
import type { Roots } from '#sources/kustomize/roots.ts';
import type { Declared, Gap } from '#world/world.ts';
import { CONFLICT, conflictIn } from '#yaml/conflict.ts';
import type { ReadDocument } from '#yaml/documents.ts';
import { readFast, readFastWithout } from '#yaml/fast.ts';
import { asBuffer, type MarkedComment, markedComments, mayHoldMarks } from './comments.ts';
import { decode } from './decode.ts';
import type { BuiltAgain, DeployedAgain } from './deployed-again.ts';
import { DiskTree, EditedTree, type SourceTree } from './files.ts';
import { deployedKustomizations, type Kustomizations, readKustomizations } from './kustomizations.ts';
import { DocumentSource, ManifestOrigin, type ReadText } from './origin.ts';
import type { Reach } from './reach.ts';
import {
  folderOf,
  isChartName,
  isKustomizationName,
  isObject,
  isPatchByName,
  isPiece,
  joinPath,
  KUSTOMIZATION_NAMES,
  mayHoldObjects,
  patchFilesOf,
  type Understood,
} from './recognise.ts';
import type { EditedTexts, Rendering } from './rendering.ts';
import { type Found, type Walked, type WalkOptions, walk } from './walk.ts';

/** What became of one file. */
export interface FileRecord {
  readonly file: string;
  readonly understood: Understood;
  /** Why it was not understood, or not wholly. */
  readonly reason?: string;
  /** How many documents were read; none where nothing had to be parsed. */
  readonly documents: number;
}

export interface Manifests {
  readonly files: readonly FileRecord[];
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
  /** Comments that speak to Sallyport. */
  readonly comments: readonly MarkedComment[];
  /** Charts and kustomizations, each with what was made of it. */
  readonly renderings: readonly Rendering[];
}

export interface ReadOptions extends WalkOptions {
  /** Bytes; a larger file is not read, and that is said. */
  readonly maxFileSize?: number;
  /** Milliseconds for reading everything; what is left then is not read, and that is said. */
  readonly maxTime?: number;
  /**
   * Keep only what judging needs: of CustomResourceDefinitions, which are most of many repositories, not their
   * schemas but the pod templates that these show.
   */
  readonly lean?: boolean;
  /** Leaves out the hooks and tests of charts. */
  readonly noHooks?: boolean;
  /** How charts are installed, where somebody said so. */
  readonly charts?: readonly ChartSettings[];
  /** Told how many files there are, before the first is read. */
  readonly onFiles?: (count: number) => void;
  /** The text of standard input, for the root `-`. */
  readonly stdin?: () => Buffer;
  /** The bytes of a file that was found, where somebody has them already. */
  readonly open?: (found: Found) => Buffer;
  /** Where files come from, if not from the disk. */
  readonly tree?: SourceTree;
  /** Texts that stand for those of the files of these names: edits that are not written yet. */
  readonly edited?: EditedTexts;
  /** What was made of files that name their content, shared between the two sides of a comparison. */
  readonly shared?: Shared;
  /**
   * Whether a file matters; all do where it is absent. What does not is not read, and what is built or rendered only of
   * files that do not is left alone.
   */
  readonly matters?: (name: string) => boolean;
  /** Where only some files matter: those whose content is another one than it was. */
  readonly changed?: (name: string) => boolean;
}

/** What was made of content that both sides of a comparison have: the same content becomes the same objects. */
export class Shared {
  /** By key and name. */
  readonly files = new Map<string, Manifests>();
  readonly charts = new Map<string, RenderedChart>();
  /** What is deployed otherwise than it is written; made with the first such object. */
  deployed: DeployedAgain | undefined;
  /** Made with the first kustomization. */
  builtAgain: BuiltAgain | undefined;
  /** Which files the kustomizations of a tree may be made of. */
  #reach: { readonly tree: SourceTree; readonly kustomizations: readonly string[]; readonly reach: Reach }[] =
    [];

  /** @param work finds it out; what follows is from the names of all files and the texts of the kustomizations */
  reachOf(tree: SourceTree, kustomizations: readonly string[], work: () => Reach): Reach {
    const isSame = (some: readonly string[], others: readonly string[]) =>
      some.length === others.length && some.every((name, i) => name === others[i]);
    const known = this.#reach.find(
      one =>
        one.tree === tree ||
        (isSame(one.kustomizations, kustomizations) &&
          isSame(one.tree.names!(), tree.names!()) &&
          kustomizations.every(name => one.tree.keyOf!(name) === tree.keyOf!(name))),
    );
    if (known !== undefined) return known.reach;
    const reach = work();
    this.#reach.push({ tree, kustomizations, reach });
    return reach;
  }
  /** What was built last, with all that it was made of. */
  kustomizations:
    | { readonly isStill: (tree: SourceTree, which: string) => boolean; readonly built: Kustomizations }
    | undefined;
}

interface RenderedChart {
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
  readonly comments: readonly MarkedComment[];
  readonly file: FileRecord;
  readonly rendering: Rendering;
}

const MAX_FILE_SIZE = 100 * 1024 * 1024;
const MAX_TIME = 10 * 60 * 1000;
const MAX_LIST_DEPTH = 16;
/** Texts longer than this (in characters) are not kept where `lean` is asked for. */
const LARGE = 100_000;
/** The name of standard input in reports. */
const STDIN = '<stdin>';

/**
 * Reads every manifest below the roots.
 *
 * @param roots files and folders, and `-` for standard input
 * @throws PathError for a root that does not exist or may not be read
 */
export async function readManifests(roots: readonly string[], options: ReadOptions): Promise<Manifests> {
  return readFound(
    walk(
      roots.filter(root => root !== '-'),
      options,
    ),
    options,
    roots.includes('-'),
  );
}

/** Reads files that somebody else found. */
export async function readFound(
  { files, skipped }: Walked,
  options: ReadOptions,
  standardInput = false,
): Promise<Manifests> {
  const reader = new Reader(options);
  options.onFiles?.(files.length);
  for (const { name, reason } of skipped) reader.unreadable(name, reason);
  if (standardInput && options.stdin !== undefined) await reader.text(STDIN, options.stdin());
  await reader.all(files);
  return reader;
}

class Reader implements Manifests {
  readonly files: FileRecord[] = [];
  readonly declared: Declared[] = [];
  readonly gaps: Gap[] = [];
  readonly comments: MarkedComment[] = [];
  readonly renderings: Rendering[] = [];
  readonly #options: ReadOptions;
  readonly #patches = new Set<string>();
  /** The folders that have kustomizations. */
  #kustomized: ReadonlySet<string> = new Set();
  /** Where the files are, by the names that reports show. */
  readonly #paths = new Map<string, Found>();
  readonly #deadline: number;
  readonly #tree: SourceTree;
  /** The kustomizations that matter; all where it is not set. */
  #concerned: ReadonlySet<string> | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
    const tree = options.tree ?? new DiskTree(options.cwd, options.maxFileSize ?? MAX_FILE_SIZE);
    this.#tree = options.edited === undefined ? tree : new EditedTree(tree, options.edited);
    this.#deadline = now() + (options.maxTime ?? MAX_TIME);
  }

  async all(files: readonly Found[]): Promise<void> {
    const charts = chartFolders(files);
    const kustomizations = files.filter(({ name }) => isKustomizationName(name));
    this.#kustomized = new Set(kustomizations.map(({ name }) => folderOf(name)));
    const rendered = await this.#kustomizations(files);
    for (const found of kustomizations)
      if (this.#concerned?.has(found.name) !== false) await this.#kustomization(found, rendered);
    this.declared.push(...(rendered?.declared ?? []));
    for (const [name, bytes] of rendered?.marked ?? [])
      this.comments.push(...(await commentsOf(name, asBuffer(bytes), false)));
    if (rendered !== undefined)
      this.renderings.push({
        kind: 'kustomizations',
        folder: '',
        made: rendered,
        again: rendered.again,
        readersOf: changed =>
          new Set(
            [...rendered.usedBy].flatMap(([root, used]) =>
              [...changed].some(file => used.has(file)) ? [root] : [],
            ),
          ),
        valueFilesOf: () => [],
      });
    const chartFiles: (readonly [found: Found, chart: string])[] = [];
    for (const found of files) {
      if (isKustomizationName(found.name)) continue;
      if (rendered?.used.has(found.name) === true) {
        const reason = 'judged in what the kustomization makes of it';
        this.files.push({ file: found.name, understood: 'kustomization', reason, documents: 0 });
        continue;
      }
      const chart = chartOf(found.name, charts);
      if (chart !== undefined) chartFiles.push([found, chart]);
      else if (now() > this.#deadline) this.unreadable(found.name, 'the time for reading was used up');
      else {
        this.#paths.set(found.name, found);
        if (this.#options.matters?.(found.name) === false) continue;
        if (!this.#fromShared(found)) await this.#file(found);
      }
    }
    // Charts come last: what deploys them stands among the rest.
    const deployments = await this.#deployments(
      files,
      new Set(chartFiles.map(([, chart]) => chart)),
      rendered,
    );
    for (const [found, chart] of chartFiles)
      await this.#chartFile(found, chart, rendered?.charts.has(chart) === true, deployments.get(chart));
  }

  /**
   * What Argo CD and Flux deploy of this tree, by the folders of charts; what they do to other folders is done here.
   */
  async #deployments(
    files: readonly Found[],
    charts: ReadonlySet<string>,
    rendered: Roots | undefined,
  ): Promise<ReadonlyMap<string, readonly Deployment[]>> {
    if (!this.declared.some(({ object }) => isDeployer(object))) return new Map();
    const { deploymentsOf } = await import('#sources/gitops/deployments.ts');
    const byName = new Map(files.map(found => [found.name, found]));
    const names = [...byName.keys()];
    const follow = (onText?: (name: string) => void) =>
      deploymentsOf(this.declared, {
        names,
        text: name => {
          onText?.(name);
          const found = byName.get(name);
          const bytes = found === undefined ? undefined : this.#bytes(found);
          const decoded = bytes === undefined ? undefined : decode(bytes);
          return decoded?.is === 'text' ? decoded.text : undefined;
        },
      });
    const again = await this.#again();
    const { deployments, gaps } =
      again === undefined
        ? follow()
        : again.deployments(this.declared, names, name => this.#tree.keyOf!(name), follow);
    this.gaps.push(...gaps);
    const { asDeployed } = await import('#sources/gitops/deployed.ts');
    const others = deployments.filter(({ folder }) => !charts.has(folder));
    const roots = new Set([
      ...[...(rendered?.built.values() ?? [])].flat(),
      // What failed as it is written needs no second word.
      ...(rendered?.gaps ?? []).map(({ file }) => folderOf(file ?? '')),
    ]);
    const built = await deployedKustomizations(
      this.#options.matters === undefined ? others : this.#deploymentsThatMatter(others, names),
      files,
      this.#tree,
      roots,
      again === undefined ? undefined : used => again.remember(this.#tree, names, used),
    );
    this.gaps.push(...built.gaps);
    const deployed = asDeployed(this.declared, others, built.built);
    const builtAgain = await this.#builtAgain();
    this.declared.length = 0;
    // One by one: there may be more than a call takes.
    for (const one of deployed)
      this.declared.push(
        builtAgain === undefined || one.environments === undefined ? one : builtAgain.same(one),
      );
    return Map.groupBy(
      deployments.filter(({ folder }) => charts.has(folder)),
      ({ folder }) => folder,
    );
  }

  async #builtAgain(): Promise<BuiltAgain | undefined> {
    const { shared } = this.#options;
    if (shared === undefined || this.#tree.keyOf === undefined) return undefined;
    shared.builtAgain ??= new (await import('./deployed-again.ts')).BuiltAgain();
    return shared.builtAgain;
  }

  async #again(): Promise<DeployedAgain | undefined> {
    const { shared } = this.#options;
    if (shared === undefined || this.#tree.keyOf === undefined) return undefined;
    shared.deployed ??= new (await import('./deployed-again.ts')).DeployedAgain();
    return shared.deployed;
  }

  /**
   * Deployments that may be made of a file that matters, or whose own file is another one: what could not be built of
   * them is said again then.
   */
  #deploymentsThatMatter(deployments: readonly Deployment[], names: readonly string[]): Deployment[] {
    const { matters = () => true, changed = matters } = this.#options;
    const known = new Map<string, boolean>();
    const all = new Set(names);
    const isConcerned = (name: string) =>
      isKustomizationName(name) ? this.#concerned?.has(name) === true || changed(name) : matters(name);
    const hasConcerned = (folder: string): boolean => {
      let answer = known.get(folder);
      if (answer === undefined) {
        const below = folder === '' ? '' : `${folder}/`;
        const own = [...KUSTOMIZATION_NAMES].map(name => below + name).filter(name => all.has(name));
        answer =
          own.length > 0
            ? own.some(isConcerned)
            : names.some(name => name.startsWith(below) && isConcerned(name));
        known.set(folder, answer);
      }
      return answer;
    };
    return deployments.filter(
      ({ folder, declared, overrides }) =>
        changed(declared.origin.file) ||
        hasConcerned(folder) ||
        (overrides?.components ?? []).some(path => hasConcerned(joinPath(folder, path) ?? '')),
    );
  }

  async #file(found: Found): Promise<void> {
    const { files, declared, gaps, comments } = this;
    const before = [files.length, declared.length, gaps.length, comments.length] as const;
    const bytes = this.#bytes(found);
    if (bytes !== undefined) await this.text(found.name, bytes);
    if (found.key !== undefined)
      this.#options.shared?.files.set(this.#sharedKey(found), {
        files: files.slice(before[0]),
        declared: declared.slice(before[1]),
        gaps: gaps.slice(before[2]),
        comments: comments.slice(before[3]),
        renderings: [],
      });
  }

  #fromShared(found: Found): boolean {
    const known =
      found.key === undefined ? undefined : this.#options.shared?.files.get(this.#sharedKey(found));
    if (known === undefined) return false;
    this.files.push(...known.files);
    this.declared.push(...known.declared);
    this.gaps.push(...known.gaps);
    this.comments.push(...known.comments);
    return true;
  }

  /** A patch is read otherwise than the same file that nobody names one. */
  #sharedKey({ key, name }: Found): string {
    return `${key}\0${this.#patches.has(name)}\0${isPatchByName(name, this.#kustomized)}\0${name}`;
  }

  unreadable(file: string, reason: string): void {
    this.files.push({ file, understood: 'unreadable', reason, documents: 0 });
    this.gaps.push({ file, reason: `not read: ${reason}` });
  }

  /** One file's bytes, wherever they came from. */
  async text(file: string, bytes: Buffer): Promise<void> {
    const decoded = decode(bytes);
    if (decoded.is === 'binary') {
      this.unreadable(file, decoded.reason);
      return;
    }
    const { text, isMarked } = decoded;
    if (!mayHoldObjects(text)) {
      // Values, which a chart elsewhere is given.
      if (mayHoldMarks(text)) this.comments.push(...markedComments(file, text, await read(text)));
      this.files.push({ file, understood: text.trim() === '' ? 'empty' : 'other', documents: 0 });
      return;
    }
    this.#documents(file, text, await read(text, this.#options.lean === true, isMarked));
  }

  #bytes(found: Found): Buffer | undefined {
    try {
      const open = this.#options.edited?.has(found.name) === true ? undefined : this.#options.open;
      return open?.(found) ?? this.#tree.bytes(found);
    } catch (error) {
      this.unreadable(found.name, (error as Error).message);
      return undefined;
    }
  }

  #textOf(name: string): string | undefined {
    try {
      return this.#tree.text(name);
    } catch {
      return undefined;
    }
  }

  #documents(file: string, text: string, documents: readonly ReadDocument[]): void {
    const before = this.declared.length;
    if (mayHoldMarks(text)) this.comments.push(...markedComments(file, text, documents));
    const isApplied = this.#patches.has(file);
    const isPatch = isApplied || this.#isUnused(file, documents);
    let broken: { readonly message: string; readonly line: number; readonly column: number } | undefined;
    let half = false;
    const isTemplate = text.includes('{{');
    for (const document of documents) {
      if (document.is === 'error') {
        const conflict = broken === undefined ? conflictIn(text) : undefined;
        broken ??= document;
        if (conflict !== undefined) this.gaps.push({ file, line: conflict, column: 1, reason: CONFLICT });
        else if (!isTemplate)
          this.gaps.push({
            file,
            line: document.line,
            column: document.column,
            reason: `not valid YAML: ${document.message}`,
          });
      } else if (document.is === 'value' && !isPatch) {
        const source = new DocumentSource(file, text, document);
        if (isObject(document.value)) {
          if (this.#options.lean === true && isDefinition(document.value))
            this.declared.push(this.#leanDefinition(document.value as KubeObject, file, text, document));
          else this.#object(document.value as KubeObject, source, document.duplicateKeys, []);
        } else if (isHalfAnObject(document.value)) {
          half = true;
          this.gaps.push({
            file,
            line: document.line,
            reason: `an object without ${document.value['kind'] === undefined ? 'a kind' : 'an apiVersion'}: kubectl refuses it`,
          });
        }
      }
    }
    const count = documents.filter(({ is }) => is !== 'empty').length;
    if (broken !== undefined && isTemplate) {
      // What a template engine fills in is not there yet: half of the file would be half of the truth.
      const reason = 'a template that was not rendered, so it cannot be judged';
      this.files.push({ file, understood: 'template', reason, documents: 0 });
      this.gaps.push({ file, line: broken.line, column: broken.column, reason });
      this.declared.length = before;
      return;
    }
    const understood: Understood = isPatch
      ? 'patch'
      : this.declared.length > before || half
        ? 'kubernetes'
        : broken !== undefined
          ? 'unreadable'
          : count === 0
            ? 'empty'
            : 'other';
    this.files.push({
      file,
      understood,
      documents: count,
      ...(broken === undefined
        ? isPatch && !isApplied
          ? { reason: 'a patch that no kustomization applies' }
          : {}
        : { reason: `line ${broken.line}: ${broken.message}` }),
    });
  }

  /** Patches that lie ready for somebody who needs them: the line that would apply them is commented out. */
  #isUnused(file: string, documents: readonly ReadDocument[]): boolean {
    return (
      this.#kustomized.size > 0 &&
      isPatchByName(file, this.#kustomized) &&
      documents.every(
        one => one.is === 'empty' || (one.is === 'value' && isObject(one.value) && isPiece(one.value)),
      )
    );
  }

  /**
   * An object, or the items of a list of them. As kubectl does it, whatever has `items` is a list, an item that says
   * neither kind nor apiVersion takes them from its typed list, and lists in lists are unfolded too.
   * Source: apimachinery unstructured/helpers.go (decodeToList), cli-runtime resource/visitor.go (FlattenListVisitor).
   */
  #object(
    object: KubeObject,
    source: DocumentSource,
    duplicates: Extract<ReadDocument, { is: 'value' }>['duplicateKeys'],
    prefix: Path,
  ): void {
    const { items } = object;
    if (!Array.isArray(items)) {
      const own = duplicates.filter(({ path }) => prefix.every((step, index) => path[index] === step));
      this.declared.push({
        object,
        origin: new ManifestOrigin(source, prefix),
        ...(own.length === 0 ? {} : { duplicateKeys: own.map(({ path }) => path.slice(prefix.length)) }),
      });
      return;
    }
    if (prefix.length > MAX_LIST_DEPTH * 2) {
      this.gaps.push({
        file: source.file,
        line: source.document.line,
        reason: `lists nest more than ${MAX_LIST_DEPTH} deep`,
      });
      return;
    }
    items.forEach((item: unknown, index) => {
      const at: Path = [...prefix, 'items', index];
      const typed =
        isRecord(item) &&
        item['kind'] === undefined &&
        item['apiVersion'] === undefined &&
        object.kind.endsWith('List')
          ? { apiVersion: object.apiVersion, kind: object.kind.slice(0, -'List'.length), ...item }
          : item;
      if (isObject(typed) && typed.kind !== '') this.#object(typed as KubeObject, source, duplicates, at);
      else
        this.gaps.push({
          file: source.file,
          line: new ManifestOrigin(source, at).line,
          reason: `item ${index} of a ${object.kind} is no object: it has no apiVersion and kind`,
        });
    });
  }

  /** A definition without its schemas, and without the text that it was cut from. */
  #leanDefinition(
    object: KubeObject,
    file: string,
    text: string,
    document: Extract<ReadDocument, { is: 'value' }>,
  ): Declared {
    const learnt = placesOfDefinition(object);
    const { apiVersion, kind, metadata } = object;
    // A copy by way of JSON: a string that was cut out of a text keeps all of the text.
    const lean = JSON.parse(JSON.stringify({ apiVersion, kind, metadata })) as KubeObject;
    const { index, start, end, startLine, line } = document;
    const again = (): ReadText => {
      const found = this.#paths.get(file);
      const bytes = found === undefined ? undefined : this.#bytes(found);
      const decoded = bytes === undefined ? undefined : decode(bytes);
      const now = decoded?.is === 'text' ? decoded.text : '';
      return {
        text: now,
        document: (readFast(now) ?? [])[index] ?? { is: 'empty', index, start: 0, end: 0, startLine, line },
      };
    };
    const large = text.length > LARGE && this.#paths.has(file);
    const source = large
      ? new DocumentSource(file, again, { is: 'empty', index, start, end, startLine, line })
      : new DocumentSource(file, text, document);
    const { duplicateKeys } = document;
    return {
      object: lean,
      origin: new ManifestOrigin(source),
      ...(learnt === undefined ? {} : { learnt }),
      ...(duplicateKeys.length === 0 ? {} : { duplicateKeys: duplicateKeys.map(({ path }) => path) }),
    };
  }

  /** A chart is rendered once, when its Chart.yaml is met; its other files are part of it. */
  async #chartFile(
    { name: file }: Found,
    chart: string,
    isPart: boolean,
    deployments: readonly Deployment[] = [],
  ): Promise<void> {
    if (isPart || file !== `${chart === '' ? '' : `${chart}/`}Chart.yaml`) {
      const reason = isPart ? { reason: 'judged in what the kustomization makes of it' } : {};
      this.files.push({ file, understood: 'chart', ...reason, documents: 0 });
      return;
    }
    const settings = this.#options.charts?.filter(one => one.path === chart) ?? [];
    if (!this.#chartMatters(chart, deployments, settings)) {
      this.files.push({ file, understood: 'chart', documents: 0 });
      return;
    }
    const key = this.#chartKey(chart, deployments, settings);
    const known = key === undefined ? undefined : this.#options.shared?.charts.get(key);
    const rendered = known ?? (await this.#render(file, chart, deployments, settings));
    if (key !== undefined) this.#options.shared?.charts.set(key, rendered);
    this.declared.push(...rendered.declared);
    this.gaps.push(...rendered.gaps);
    this.comments.push(...rendered.comments);
    this.files.push(rendered.file);
    this.renderings.push(rendered.rendering);
  }

  async #render(
    file: string,
    chart: string,
    deployments: readonly Deployment[],
    settings: readonly ChartSettings[],
  ): Promise<RenderedChart> {
    const { chartObjects } = await import('#sources/helm/declared.ts');
    const { environmentRuns, settingRuns, withoutHooks } = await import('#sources/helm/environments.ts');
    const { deploymentRuns } = await import('#sources/gitops/charts.ts');
    const render = async (
      tree: SourceTree,
      look?: (files: ReadonlyMap<string, Uint8Array>) => Promise<void>,
    ) => {
      const read = await tree.charts();
      let files: ReadonlyMap<string, Uint8Array> = new Map();
      const text = (name: string) => tree.text(name);
      // What reads values files may fail, which is said of the chart.
      const deployed = await settled(() => deploymentRuns(deployments, text));
      const runsOf = (files: ReadonlyMap<string, Uint8Array>) =>
        deployments.length > 0
          ? deployed()
          : settings.length > 0
            ? settings.flatMap(one => settingRuns(one, files, chart, text))
            : environmentRuns(files, chart);
      const made = await chartObjects(
        () => {
          const folder = read(chart);
          files = folder.files;
          return folder;
        },
        chart,
        files => (this.#options.noHooks === true ? withoutHooks(runsOf(files)) : runsOf(files)),
        files => [...files.keys()].some(name => MAY_SPEAK.test(name) && mayHoldMarks(contentOf(files, name))),
      );
      await look?.(files);
      return made;
    };
    const comments: MarkedComment[] = [];
    const made = await render(this.#tree, async files => {
      for (const name of files.keys())
        if (MAY_SPEAK.test(name))
          comments.push(
            ...(await commentsOf(
              chart === '' ? name : `${chart}/${name}`,
              contentOf(files, name),
              TEMPLATE.test(name),
            )),
          );
    });
    const { declared, gaps, documents, failed, runs = [] } = made;
    return {
      declared: declared.map(one => ({ ...one, chart })),
      gaps,
      comments,
      file: {
        file,
        understood: 'chart',
        documents,
        ...(failed === undefined ? {} : { reason: 'it does not render' }),
      },
      rendering: {
        kind: 'chart',
        folder: chart,
        made,
        again: edited => render(new EditedTree(this.#tree, edited)),
        readersOf: () => new Set(),
        valueFilesOf: environment =>
          runs.find(run => run.environment === environment)?.options.valueFiles?.map(({ name }) => name) ??
          [],
      },
    };
  }

  #chartMatters(
    chart: string,
    deployments: readonly Deployment[],
    settings: readonly ChartSettings[],
  ): boolean {
    const { matters } = this.#options;
    if (matters === undefined || this.#tree.names === undefined) return true;
    const below = chart === '' ? '' : `${chart}/`;
    return (
      this.#tree.names().some(name => name.startsWith(below) && matters(name)) ||
      valuesOf(deployments, settings).some(matters)
    );
  }

  /** Everything that a rendered chart is made of, in words; undefined where the content of files has no name. */
  #chartKey(
    chart: string,
    deployments: readonly Deployment[],
    settings: readonly ChartSettings[],
  ): string | undefined {
    const { keyOf } = this.#tree;
    if (this.#options.shared === undefined || keyOf === undefined) return undefined;
    const values = valuesOf(deployments, settings);
    return toJson([
      chart,
      this.#tree.keyOf!(chart),
      values.map(name => [name, this.#tree.keyOf!(name)]),
      deployments.map(({ declared: _, substitutions, ...rest }) => [rest, [...(substitutions ?? [])]]),
      settings.map(one => [one, [...(one.environments ?? [])]]),
    ]);
  }

  /** Built once where both sides are made of the same. */
  async #kustomizations(files: readonly Found[]): Promise<Kustomizations | undefined> {
    const { shared, matters } = this.#options;
    const tree = this.#tree;
    if (matters !== undefined && tree.names !== undefined) {
      const names = files.flatMap(({ name }) => (isKustomizationName(name) ? [name] : []));
      if (names.length === 0) return undefined;
      const { concerned, reachOf } = await import('./reach.ts');
      const work = () => reachOf(names, { names: tree.names!(), text: name => this.#textOf(name) });
      const reach =
        shared === undefined || tree.keyOf === undefined ? work() : shared.reachOf(tree, names, work);
      this.#concerned = concerned(reach, matters);
      if (this.#concerned.size === 0) return undefined;
    }
    const which = [...(this.#concerned ?? [])].join('\n');
    if (shared?.kustomizations?.isStill(tree, which) === true) return shared.kustomizations.built;
    const again = await this.#builtAgain();
    const names = files.map(({ name }) => name);
    const made = await readKustomizations(
      files,
      tree,
      this.#concerned,
      again === undefined ? undefined : charts => again.remember(tree, names, charts),
    );
    const built =
      again === undefined || made === undefined
        ? made
        : { ...made, declared: made.declared.map(one => again.same(one)) };
    // What could not be built may have missed a file, and that file may be there on the other side.
    if (shared === undefined || tree.keyOf === undefined || built === undefined || built.gaps.length > 0)
      return built;
    const kustomizations = (of: SourceTree) =>
      of.names!()
        .filter(isKustomizationName)
        .map(name => `${name} ${of.keyOf!(name)}`)
        .join('\n');
    const own = [...built.used, ...built.charts].map(name => [name, tree.keyOf!(name)] as const);
    const list = kustomizations(tree);
    shared.kustomizations = {
      built,
      isStill: (other, wanted) =>
        wanted === which &&
        other.keyOf !== undefined &&
        kustomizations(other) === list &&
        own.every(([name, key]) => other.keyOf!(name) === key),
    };
    return built;
  }

  async #kustomization(found: Found, rendered: Roots | undefined): Promise<void> {
    const { name } = found;
    const roots = rendered?.built.get(name);
    if (roots !== undefined) {
      const folder = folderOf(name);
      const reason = roots.includes(folder) ? 'built' : `built as part of ${roots.join(', ')}`;
      this.files.push({ file: name, understood: 'kustomization', reason, documents: 1 });
      return;
    }
    const bytes = this.#bytes(found);
    if (bytes === undefined) return;
    const decoded = decode(bytes);
    const documents = decoded.is === 'text' ? await read(decoded.text) : [];
    for (const document of documents) {
      if (document.is === 'error')
        this.gaps.push({
          file: name,
          line: document.line,
          column: document.column,
          reason: `not valid YAML: ${document.message}`,
        });
      if (document.is !== 'value') continue;
      for (const patch of patchFilesOf(document.value)) {
        const file = joinPath(folderOf(name), patch);
        if (file !== undefined) this.#patches.add(file);
      }
    }
    this.files.push({
      file: name,
      understood: 'kustomization',
      reason: 'not built',
      documents: documents.length,
    });
    const failures = rendered?.gaps.filter(({ file }) => file === name) ?? [];
    this.gaps.push(...failures);
    if (failures.length === 0)
      this.gaps.push({
        file: name,
        line: 1,
        reason:
          'a kustomization: part of none that was built; the files it lists were judged as they are written',
      });
  }
}

/** The files of a chart that are no YAML before they are rendered. */
const TEMPLATE = /(?:^|\/)templates\//;
/** The files of a chart in which a comment may speak of what is rendered: no picture, and no guide to comments. */
const MAY_SPEAK = /\.(?:ya?ml|json|tpl)$|(?:^|\/)templates\//i;

/** Of a file that cannot be read, nothing: that is said where it is needed. */
function contentOf(files: ReadonlyMap<string, Uint8Array>, name: string): Buffer {
  try {
    return asBuffer(files.get(name)!);
  } catch {
    return Buffer.alloc(0);
  }
}

/** The comments of a file that is judged in what is made of it. */
async function commentsOf(file: string, content: Buffer, isTemplate: boolean): Promise<MarkedComment[]> {
  if (!mayHoldMarks(content)) return [];
  const decoded = decode(content);
  if (decoded.is !== 'text') return [];
  const { text } = decoded;
  return isTemplate
    ? (await import('./template-comments.ts')).templateComments(file, text)
    : markedComments(file, text, await read(text));
}

/** The values files of a chart, as they are named beside it. */
function valuesOf(deployments: readonly Deployment[], settings: readonly ChartSettings[]): string[] {
  return [
    ...deployments.flatMap(({ valueFiles }) => valueFiles),
    ...settings.flatMap(one => [one, ...(one.environments?.values() ?? [])]).flatMap(({ values }) => values),
  ];
}

/** What was worked out, or what it threw, when it is asked for. */
async function settled<Value>(work: () => Promise<Value>): Promise<() => Value> {
  try {
    const value = await work();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** Milliseconds of a steady clock. `performance` would load a module of its own for it. */
function now(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Leaves out the schemas of definitions, if they show no pod templates. */
const readLean = readFastWithout(
  { below: 'openAPIV3Schema', note: MARK_OF_PODS },
  (value, hasNoted) =>
    !isObject(value) || !isDefinition(value) || (hasNoted && mayTeachPlaces(value as KubeObject)),
);

function isDefinition({ kind }: { readonly kind: string }): boolean {
  return kind === 'CustomResourceDefinition';
}

/** What a byte order mark before it makes kubectl read otherwise. */
const OTHERWISE_BEHIND_MARK = /^(?:---|\ufeff|\s*\{)/;

/** The thorough reader is loaded for the first document that needs it, and most repositories have none. */
async function read(text: string, lean = false, isMarked = false): Promise<readonly ReadDocument[]> {
  if (isMarked && OTHERWISE_BEHIND_MARK.test(text))
    return (await import('#yaml/read.ts')).readDocuments(text, undefined, true);
  const fast = lean ? readFast(text, undefined, readLean) : readFast(text);
  return fast ?? (await import('#yaml/read.ts')).readDocuments(text);
}

function chartFolders(files: readonly Found[]): Set<string> {
  const folders = new Set(files.filter(({ name }) => isChartName(name)).map(({ name }) => folderOf(name)));
  // A chart inside another is part of it.
  for (const folder of folders)
    for (let above = folder; above !== ''; ) {
      above = folderOf(above);
      if (folders.has(above) && folder.startsWith(`${above === '' ? '' : `${above}/`}charts/`)) {
        folders.delete(folder);
        break;
      }
    }
  return folders;
}

/** The chart that a file belongs to. What lies beside its templates is a chart's own: values, schemas, tests. */
function chartOf(file: string, charts: ReadonlySet<string>): string | undefined {
  if (charts.size === 0) return undefined;
  for (let folder = folderOf(file); ; folder = folderOf(folder)) {
    if (charts.has(folder)) {
      const inside = folder === '' ? file : file.slice(folder.length + 1);
      return inside.startsWith('crds/') ? undefined : folder;
    }
    if (folder === '') return undefined;
  }
}

/** An object that lost one of the two words that kubectl asks for first. */
function isHalfAnObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    isRecord(value) &&
    isRecord(value['metadata']) &&
    (typeof value['kind'] === 'string') !== (typeof value['apiVersion'] === 'string')
  );
}
