/**
 * What kustomizations become and what GitOps objects deploy, worked out once for both sides of a comparison as far as
 * both are made of the same: the same objects of the same files, and the same answers to whatever was asked of the tree.
 */
import { isDeployer, takesValuesFrom } from '#sources/gitops/deployer.ts';
import type { Deployments } from '#sources/gitops/deployments.ts';
import type { RememberBuild } from '#sources/gitops/kustomized.ts';
import { type FilesWithFolders, knowsFolders, LazyFiles } from '#sources/kustomize/files.ts';
import type { BuildRoot } from '#sources/kustomize/roots.ts';
import type { Apart } from '#world/environments.ts';
import type { Declared } from '#world/world.ts';
import type { SourceTree } from './files.ts';

type Files = ReadonlyMap<string, Uint8Array>;
type Outcome = ReturnType<Parameters<RememberBuild>[2]> | { readonly error: unknown };

/** What was asked of a tree, with its answers. */
interface Asked {
  readonly contents: ReadonlyMap<string, string>;
  readonly folders: ReadonlyMap<string, boolean>;
  /** Where all names were asked for. */
  readonly names: readonly string[] | undefined;
}

export class DeployedAgain {
  #followed:
    | {
        readonly inputs: readonly Declared[];
        readonly names: readonly string[];
        readonly texts: ReadonlyMap<string, string>;
        readonly result: Deployments;
      }
    | undefined;
  readonly #built = new WeakMap<object, { readonly asked: Asked; readonly outcome: Outcome }>();

  /** @param follow works it out, and tells which files it read */
  deployments(
    all: readonly Declared[],
    names: readonly string[],
    keyOf: (name: string) => string,
    follow: (onText: (name: string) => void) => Deployments,
  ): Deployments {
    const takes = all.some(({ object }) => takesValuesFrom(object));
    const inputs = all.filter(
      ({ object }) =>
        isDeployer(object) ||
        (takes && object.apiVersion === 'v1' && (object.kind === 'ConfigMap' || object.kind === 'Secret')),
    );
    const last = this.#followed;
    if (
      last !== undefined &&
      isSame(last.inputs, inputs) &&
      isSame(last.names, names) &&
      [...last.texts].every(([name, key]) => keyOf(name) === key)
    )
      return last.result;
    const texts = new Map<string, string>();
    const result = follow(name => texts.set(name, keyOf(name)));
    this.#followed = { inputs, names, texts, result };
    return result;
  }

  /** @param charts the charts that a build took part of; emptied before each */
  remember(tree: SourceTree, names: readonly string[], charts: Set<string>): RememberBuild {
    const keyOf = (name: string) => tree.keyOf!(name);
    return (deployment, files, make) => {
      const known = this.#built.get(deployment);
      if (known !== undefined && isStill(known.asked, files, names, keyOf)) return again(known.outcome);
      const asking = new AskedFiles(files, keyOf);
      charts.clear();
      let outcome: Outcome;
      try {
        outcome = make(asking);
      } catch (error) {
        outcome = { error };
      }
      // Where there is no kustomization, one is made that lists what lies below.
      asking.contents.set(deployment.folder, keyOf(deployment.folder));
      for (const chart of charts) asking.contents.set(chart, keyOf(chart));
      const { contents, folders, listed } = asking;
      this.#built.set(deployment, {
        asked: { contents, folders, names: listed ? names : undefined },
        outcome,
      });
      return again(outcome);
    };
  }
}

/** What was built of kustomizations, with what was asked of the tree for it. */
export class BuiltAgain {
  readonly #roots = new Map<
    string,
    { readonly asked: Asked; readonly charts: ReadonlySet<string>; readonly built: ReturnType<BuildRoot> }
  >();
  /** By the object that was built. */
  readonly #declared = new WeakMap<object, Declared[]>();
  /** Which environments exclude each other, each with the first that said the same. */
  readonly #apart = new Map<Apart, Apart>();

  /** @param charts takes the charts that builds take part of */
  remember(tree: SourceTree, names: readonly string[], charts: Set<string>): BuildRoot {
    const keyOf = (name: string) => tree.keyOf!(name);
    return (files, root, make) => {
      const known = this.#roots.get(root);
      if (known !== undefined && isStill(known.asked, files, names, keyOf)) {
        for (const chart of known.charts) charts.add(chart);
        return known.built;
      }
      const asking = new AskedFiles(files, keyOf);
      const before = new Set(charts);
      charts.clear();
      try {
        // What is not built is tried again: the file that it misses may be there on the other side.
        const built = make(asking);
        const own = new Set(charts);
        for (const chart of own) asking.contents.set(chart, keyOf(chart));
        const { contents, folders, listed } = asking;
        const asked = { contents, folders, names: listed ? names : undefined };
        this.#roots.set(root, { asked, charts: own, built });
        return built;
      } finally {
        for (const chart of before) charts.add(chart);
      }
    };
  }

  /** Of both sides the same declaration where they declare the same object alike. */
  same(one: Declared): Declared {
    const apart = this.#same(one.apart);
    const all = this.#declared.get(one.object);
    const known = all?.find(
      other =>
        other.apart === apart &&
        other.origin === one.origin &&
        other.among === one.among &&
        other.chart === one.chart &&
        other.learnt === one.learnt &&
        other.duplicateKeys === one.duplicateKeys &&
        isSame(other.alike ?? [], one.alike ?? []) &&
        isSame(other.environments ?? [], one.environments ?? []),
    );
    if (known !== undefined) return known;
    const own = apart === one.apart ? one : { ...one, apart: apart! };
    if (all === undefined) this.#declared.set(one.object, [own]);
    else all.push(own);
    return own;
  }

  #same(apart: Apart | undefined): Apart | undefined {
    if (apart === undefined) return undefined;
    let known = this.#apart.get(apart);
    if (known === undefined) {
      known = [...this.#apart.values()].find(other => isAlike(other, apart)) ?? apart;
      this.#apart.set(apart, known);
    }
    return known;
  }
}

function isAlike(some: Apart, others: Apart): boolean {
  return (
    some.size === others.size &&
    [...some].every(([root, apart]) => {
      const other = others.get(root);
      return other !== undefined && other.size === apart.size && [...apart].every(one => other.has(one));
    })
  );
}

function again(outcome: Outcome): Exclude<Outcome, { readonly error: unknown }> {
  if ('error' in outcome) throw outcome.error;
  return outcome;
}

function isStill(
  { contents, folders, names: listed }: Asked,
  files: Files,
  names: readonly string[],
  keyOf: (name: string) => string,
): boolean {
  return (
    (listed === undefined || isSame(listed, names)) &&
    [...contents].every(([name, key]) => keyOf(name) === key) &&
    [...folders].every(([name, is]) => isFolder(files, name) === is)
  );
}

function isSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, i) => one === others[i]);
}

const isFolder = (files: Files, name: string): boolean => knowsFolders(files) && files.isFolder(name);

/** Files that write down what they are asked for. */
class AskedFiles extends LazyFiles implements FilesWithFolders {
  readonly contents = new Map<string, string>();
  readonly folders = new Map<string, boolean>();
  listed = false;
  readonly #files: Files;
  readonly #keyOf: (name: string) => string;

  constructor(files: Files, keyOf: (name: string) => string) {
    super();
    this.#files = files;
    this.#keyOf = keyOf;
  }

  protected override names(): Iterable<string> {
    this.listed = true;
    return this.#files.keys();
  }

  protected override read(name: string): Uint8Array | undefined {
    this.#write(name);
    return this.#files.get(name);
  }

  override has(name: string): boolean {
    this.#write(name);
    return this.#files.has(name);
  }

  override isFolder(name: string): boolean {
    const is = isFolder(this.#files, name);
    this.folders.set(name, is);
    return is;
  }

  #write(name: string): void {
    if (!this.contents.has(name)) this.contents.set(name, this.#keyOf(name));
  }
}
