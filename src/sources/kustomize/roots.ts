/**
 * All kustomizations of a tree: those that no other one uses are built, each an environment; the others are parts of
 * them and are not judged alone.
 */
import { isRecord, type KubeObject } from '#kube/objects.ts';
import { type Apart, exclude } from '#world/environments.ts';
import type { Declared, Gap } from '#world/world.ts';
import { type BuildOptions, type Built, build } from './door.ts';
import type { Files } from './files.ts';
import { cleanPath } from './loader.ts';
import { BuildError } from './node.ts';
import { plainData, readValueOf } from './plain.ts';
import { Source } from './source.ts';

export interface Roots {
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
  /** Files that a build was made of: they are judged in it, not as they are written. */
  readonly used: ReadonlySet<string>;
  /** The same by the folder of each root, kustomization files included. */
  readonly usedBy: ReadonlyMap<string, ReadonlySet<string>>;
  /** Kustomization files that were built, each with the folders of the roots that it is part of. */
  readonly built: ReadonlyMap<string, readonly string[]>;
}

function folderOf(file: string): string {
  const slash = file.lastIndexOf('/');
  return slash < 0 ? '' : file.slice(0, slash);
}

/** The folders that a kustomization names, whether they are kustomizations or not. */
export function namedBy(files: Files, file: string): string[] {
  try {
    const node = readValueOf(new Source(file, new TextDecoder().decode(files.get(file))));
    const value = node === undefined ? null : plainData(node);
    if (!isRecord(value)) return [];
    return ['resources', 'bases', 'components'].flatMap(name => {
      const list = value[name];
      return Array.isArray(list)
        ? list
            .filter(path => typeof path === 'string' && !path.includes('\n'))
            .map(path => cleanPath(`${folderOf(file)}/${path}`))
        : [];
    });
  } catch (error) {
    if (error instanceof BuildError) return [];
    throw error;
  }
}

/** Builds one root, or knows what came of it where it is made of the same. */
export type BuildRoot = (files: Files, root: string, make: (files: Files) => Built) => Built;

/**
 * Builds what no other kustomization uses.
 *
 * @param kustomizations paths of the kustomization files
 */
export function buildRoots(
  files: Files,
  kustomizations: readonly string[],
  options: BuildOptions = {},
  buildRoot: BuildRoot = (own, _, make) => make(own),
): Roots {
  const inner = new Set(kustomizations.flatMap(file => namedBy(files, file)));
  const declared: Declared[] = [];
  const gaps: Gap[] = [];
  const used = new Set<string>();
  const usedBy = new Map<string, ReadonlySet<string>>();
  const built = new Map<string, string[]>();
  const seen = new Map<string, string[]>();
  /** Of each root: where its objects are written. */
  const placesOf = new Map<string, ReadonlySet<string>>();
  for (const file of kustomizations) {
    const root = folderOf(file);
    if (inner.has(root)) continue;
    let result: Built;
    try {
      result = buildRoot(files, root, own => build(own, root, options));
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      const [first] = error.message.split('\n');
      gaps.push({
        file,
        line: 1,
        reason: `a kustomization that was not built: ${first}; the files it lists were judged as they are written`,
      });
      continue;
    }
    for (const one of result.used) used.add(one);
    usedBy.set(root, new Set([...result.used, ...result.kustomizations]));
    for (const one of result.kustomizations) built.set(one, [...(built.get(one) ?? []), root]);
    placesOf.set(root, new Set(result.origins.map(({ file: own, line }) => `${own}:${line}`)));
    for (const [i, document] of result.documents.entries()) {
      const { apiVersion } = document as Partial<KubeObject>;
      if (typeof apiVersion !== 'string' || apiVersion === '') {
        const { file: own, line } = result.origins[i]!;
        gaps.push({ file: own, line, reason: 'an object without an apiVersion: kubectl refuses it' });
        continue;
      }
      // What two environments have in common to the last letter is one object.
      const text = JSON.stringify(document, (_, value) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      const known = seen.get(text);
      if (known !== undefined) {
        known.push(root);
        continue;
      }
      const environments = [root];
      seen.set(text, environments);
      declared.push({ object: document as KubeObject, origin: result.origins[i]!, environments });
    }
  }
  const siblings = siblingsOf(built);
  const apart = apartRoots(siblings, placesOf);
  for (const [i, one] of declared.entries()) {
    const own = one.environments!.map(root => siblings.get(root)?.size ?? 1);
    declared[i] = {
      ...one,
      among: Math.max(...own, one.environments!.length),
      ...(apart.size === 0 ? {} : { apart }),
    };
  }
  return { declared, gaps, used, usedBy, built };
}

/** The roots that share a kustomization with each root, itself among them: environments of the same thing. */
function siblingsOf(built: ReadonlyMap<string, readonly string[]>): Map<string, Set<string>> {
  const siblings = new Map<string, Set<string>>();
  for (const roots of built.values())
    for (const root of roots) {
      const set = siblings.get(root) ?? new Set();
      siblings.set(root, set);
      for (const one of roots) set.add(one);
    }
  return siblings;
}

/**
 * Roots that are never applied together: those that make other objects of the same places. Applications of one cluster
 * may share a component, or a namespace; environments share most of what the smaller one has.
 */
function apartRoots(
  siblings: ReadonlyMap<string, ReadonlySet<string>>,
  placesOf: ReadonlyMap<string, ReadonlySet<string>>,
): Apart {
  const apart = new Map<string, Set<string>>();
  for (const [root, others] of siblings)
    for (const other of others) {
      if (other <= root) continue;
      const [some, more] = [placesOf.get(root)!, placesOf.get(other)!];
      const [small, large] = some.size < more.size ? [some, more] : [more, some];
      const common = [...small].filter(place => large.has(place)).length;
      if (common > 0 && common * 2 >= small.size) exclude(apart, root, other);
    }
  return apart;
}

/** One kustomization for `sallyport render`: the text as kubectl prints it, the documents and their places. */
export function renderKustomization(files: Files, root: string, options: BuildOptions = {}): Built {
  return build(files, root, options);
}
