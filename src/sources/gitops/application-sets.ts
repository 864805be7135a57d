/**
 * The Applications that an ApplicationSet makes: list, Git, matrix and merge generators over the tree. Sources:
 * argoproj/argo-cd applicationset/generators (list.go, git.go, matrix.go, merge.go, generator_spec_processor.go),
 * applicationset/utils/utils.go and applicationset/controllers/template.
 */
import { isRecord } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, matchesSelector } from '#kube/selectors.ts';
import { foldersOf } from '#sources/kustomize/files.ts';
import { readDocuments } from '#yaml/read.ts';
import type { Tree } from './deployer.ts';
import { type Fill, fillOf, normalized, TemplateError } from './fill.ts';

type Plain = Readonly<Record<string, unknown>>;

const MAX_APPLICATIONS = 1000;
/** Generators inside each other: Argo CD takes two floors. */
const MAX_NESTING = 4;

export interface Applications {
  readonly applications: readonly Plain[];
  readonly problems: readonly string[];
}

/** @param base the folder of the tree that is the top of the repository: Git generators look from there */
export function applicationsOf(spec: Plain, tree: Tree, base = ''): Applications {
  const applications: Plain[] = [];
  const problems = new Set<string>();
  const careful = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problems.add(error.message);
    }
  };
  const go = spec['goTemplate'] === true;
  const options = list(spec['goTemplateOptions']).map(String);
  const fill = fillOf(go, options.includes('missingkey=error'));
  const generators = new Generators(tree, base, go, fill);
  for (const generator of list(spec['generators']).filter(isRecord))
    careful(() => {
      const { parameters, template } = generators.of(generator, undefined, 0);
      const own = withDefaults(template, spec['template']);
      for (const one of parameters) {
        if (applications.length >= MAX_APPLICATIONS)
          throw new TemplateError(`it makes more than ${MAX_APPLICATIONS} applications`);
        careful(() => {
          let made = Object.keys(one).length === 0 ? own : fill.deeply(own, one);
          const patch = spec['templatePatch'];
          if (typeof patch === 'string' && patch.trim() !== '') made = patched(made, fill.text(patch, one));
          if (isRecord(made)) applications.push(made);
        });
      }
    });
  return { applications, problems: [...problems] };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What Git generators look through, sorted. */
interface Listing {
  readonly files: readonly string[];
  /** Without those that begin with a dot (reposerver/repository/repository.go, GetGitDirectories). */
  readonly folders: readonly string[];
}

const listings = new WeakMap<Tree, Map<string, Listing>>();

/** The same for every generator of a tree that looks from the same folder. */
function listingOf(tree: Tree, within: string): Listing {
  const known = listings.get(tree) ?? new Map<string, Listing>();
  listings.set(tree, known);
  let listing = known.get(within);
  if (listing === undefined) {
    const files = tree.names
      .filter(name => name.startsWith(within))
      .map(name => name.slice(within.length))
      .sort();
    const folders = [...foldersOf(files)].filter(folder => !/(?:^|\/)\./.test(folder)).sort();
    listing = { files, folders };
    known.set(within, listing);
  }
  return listing;
}

class Generators {
  readonly #tree: Tree;
  readonly #base: string;
  readonly #go: boolean;
  readonly #fill: Fill;

  constructor(tree: Tree, base: string, go: boolean, fill: Fill) {
    this.#tree = tree;
    this.#base = base;
    this.#go = go;
    this.#fill = fill;
  }

  /** @param outer the parameters of the generator that this one stands beside in a matrix */
  of(generator: Plain, outer: Plain | undefined, depth: number): { parameters: Plain[]; template: unknown } {
    if (depth > MAX_NESTING)
      throw new TemplateError(`its generators lie in each other more than ${MAX_NESTING} deep`);
    const [kind = 'nothing', ...more] = Object.keys(generator).filter(
      key => key !== 'selector' && key !== 'template' && generator[key] !== null,
    );
    if (more.length > 0) throw new TemplateError(`one generator is ${[kind, ...more].join(' and ')} at once`);
    const raw = generator[kind];
    const value =
      outer === undefined || Object.keys(outer).length === 0 ? raw : this.#interpolated(raw, outer);
    if (!isRecord(value)) throw new TemplateError(unsupported(kind));
    const all = this.#parameters(kind, value, depth);
    const { selector } = generator;
    if (selector === undefined || selector === null) return { parameters: all, template: value['template'] };
    const wrong = invalidSelector(selector);
    if (wrong !== undefined) throw new TemplateError(`the selector of its ${kind} generator: ${wrong}`);
    return {
      parameters: all.filter(one => matchesSelector(selector as LabelSelector, labelsOf(one))),
      template: value['template'],
    };
  }

  #parameters(kind: string, value: Plain, depth: number): Plain[] {
    switch (kind) {
      case 'list':
        return this.#list(value);
      case 'git':
        return this.#git(value);
      case 'matrix':
        return this.#matrix(value, depth);
      case 'merge':
        return this.#merge(value, depth);
      default:
        throw new TemplateError(unsupported(kind));
    }
  }

  /** The `values` of a Git generator may speak of its own parameters: those stay until it has them. */
  #interpolated(value: unknown, outer: Plain): unknown {
    if (!isRecord(value)) return value;
    const { values, ...rest } = value;
    const filled = this.#fill.deeply(rest, outer) as Plain;
    if (!isRecord(values)) return values === undefined ? filled : { ...filled, values };
    const strict = this.#go ? fillOf(true, true) : this.#fill;
    return {
      ...filled,
      values: Object.fromEntries(
        Object.entries(values).map(([key, one]) => {
          try {
            return [key, strict.deeply(one, outer)];
          } catch (error) {
            if (error instanceof TemplateError) return [key, one];
            throw error;
          }
        }),
      ),
    };
  }

  #list({ elements, elementsYaml }: Plain): Plain[] {
    const result = list(elements)
      .filter(isRecord)
      .map(element => {
        if (this.#go) return element;
        const flat: Record<string, unknown> = {};
        for (const [key, one] of Object.entries(element)) {
          const parts: (readonly [string, unknown])[] =
            key === 'values' && isRecord(one)
              ? Object.entries(one).map(([name, inner]) => [`values.${name}`, inner] as const)
              : [[key, one]];
          for (const [name, text] of parts) {
            if (typeof text !== 'string')
              throw new TemplateError(`${name} of its list generator is not a string, which Argo CD refuses`);
            flat[name] = text;
          }
        }
        return flat;
      });
    if (typeof elementsYaml !== 'string' || elementsYaml.trim() === '') return result;
    const [document] = readDocuments(elementsYaml).filter(({ is }) => is !== 'empty');
    if (document?.is !== 'value' || !Array.isArray(document.value))
      throw new TemplateError('the elementsYaml of its list generator is no list');
    return [...result, ...document.value.filter(isRecord)];
  }

  #git(value: Plain): Plain[] {
    const { directories, files } = value;
    const own = isRecord(value['values']) ? value['values'] : {};
    const prefix = typeof value['pathParamPrefix'] === 'string' ? value['pathParamPrefix'] : '';
    const within = this.#base === '' ? '' : `${this.#base}/`;
    const listing = listingOf(this.#tree, within);
    const found: Plain[] = [];
    if (list(directories).length > 0) {
      for (const folder of matching(listing.folders, directories, globOf))
        found.push(this.#withPath(folder, {}, prefix));
    } else if (list(files).length > 0) {
      for (const file of matching(listing.files, files, pathspecOf)) {
        const [document] = readDocuments(this.#tree.text(within + file) ?? '').filter(
          ({ is }) => is !== 'empty',
        );
        if (document?.is === 'error')
          throw new TemplateError(`${file}, which its git generator reads, is not valid YAML`);
        const content = document?.is === 'value' ? document.value : {};
        for (const one of (Array.isArray(content) ? content : [content]).filter(isRecord))
          found.push(
            this.#withPath(file.slice(0, Math.max(0, file.lastIndexOf('/'))) || '.', one, prefix, file),
          );
      }
    } else throw new TemplateError('its git generator asks for neither directories nor files');
    return found.map(one => {
      const filled = Object.entries(own).map(
        ([key, text]) => [key, typeof text === 'string' ? this.#fill.text(text, one) : String(text)] as const,
      );
      if (filled.length === 0) return one;
      return this.#go
        ? { ...one, values: Object.fromEntries(filled) }
        : { ...one, ...Object.fromEntries(filled.map(([key, text]) => [`values.${key}`, text])) };
    });
  }

  #withPath(folder: string, content: Plain, prefix: string, file?: string): Plain {
    const segments = folder.split('/');
    const basename = segments.at(-1)!;
    const filename = file?.slice(file.lastIndexOf('/') + 1);
    if (this.#go) {
      const path = {
        path: folder,
        basename,
        basenameNormalized: normalized(basename),
        segments,
        ...(filename === undefined ? {} : { filename, filenameNormalized: normalized(filename) }),
      };
      return prefix === '' ? { ...content, path } : { ...content, [prefix]: { path } };
    }
    const name = prefix === '' ? 'path' : `${prefix}.path`;
    return {
      ...flattened(content),
      [name]: folder,
      [`${name}.basename`]: basename,
      [`${name}.basenameNormalized`]: normalized(basename),
      ...Object.fromEntries(segments.map((segment, i) => [`${name}[${i}]`, segment])),
      ...(filename === undefined
        ? {}
        : { [`${name}.filename`]: filename, [`${name}.filenameNormalized`]: normalized(filename) }),
    };
  }

  /** Everything of the first with everything of the second, which may speak of the first. */
  #matrix(value: Plain, depth: number): Plain[] {
    const generators = list(value['generators']).filter(isRecord);
    const [first, second] = generators;
    if (first === undefined || second === undefined || generators.length > 2)
      throw new TemplateError(`its matrix generator has ${generators.length} generators, and takes two`);
    const result: Plain[] = [];
    for (const a of this.of(first, undefined, depth + 1).parameters)
      for (const b of this.of(second, a, depth + 1).parameters) {
        if (result.length >= MAX_APPLICATIONS)
          throw new TemplateError(`its matrix generator makes more than ${MAX_APPLICATIONS} combinations`);
        result.push(this.#go ? merged(b, a) : combined(a, b));
      }
    return result;
  }

  /** What the first gives, with what the others say of the same keys over it. */
  #merge(value: Plain, depth: number): Plain[] {
    const generators = list(value['generators']).filter(isRecord);
    const keys = list(value['mergeKeys']).map(String);
    if (generators.length < 2) throw new TemplateError('its merge generator needs two generators or more');
    if (keys.length === 0) throw new TemplateError('its merge generator has no mergeKeys');
    const byKey = (parameters: readonly Plain[]): Map<string, Plain> => {
      const result = new Map<string, Plain>();
      for (const one of parameters) {
        const key = JSON.stringify(keys.map(name => one[name] ?? null));
        if (result.has(key))
          throw new TemplateError(`the mergeKeys of its merge generator are not unique: ${key}`);
        result.set(key, one);
      }
      return result;
    };
    const [base, ...others] = generators.map(one => byKey(this.of(one, undefined, depth + 1).parameters)) as [
      Map<string, Plain>,
      ...Map<string, Plain>[],
    ];
    for (const other of others)
      for (const [key, one] of base) {
        const over = other.get(key);
        if (over !== undefined) base.set(key, this.#go ? merged(one, over) : { ...one, ...over });
      }
    return [...base.values()];
  }
}

const unsupported = (kind: string): string => `its ${kind} generator asks for more than the tree holds`;

/** mergo.Merge with override: the second wins, maps are merged. */
function merged(a: Plain, b: Plain): Plain {
  const result: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = result[key];
    result[key] = isRecord(value) && isRecord(before) ? merged(before, value) : value;
  }
  return result;
}

/** mergo.Merge without override: what is empty in the first is taken from the second. */
function withDefaults(own: unknown, base: unknown): unknown {
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === null || value === '' || value === false || value === 0;
  if (isEmpty(own)) return base;
  if (!isRecord(own) || !isRecord(base)) return Array.isArray(own) && own.length === 0 ? base : own;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(own)])].map(key => [
      key,
      withDefaults(own[key], base[key]),
    ]),
  );
}

/** CombineStringMaps: both, as texts; one key with two values is an error. */
function combined(a: Plain, b: Plain): Plain {
  const result: Record<string, unknown> = {};
  for (const [key, value] of [...Object.entries(a), ...Object.entries(b)]) {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    if (Object.hasOwn(result, key) && result[key] !== text)
      throw new TemplateError(`both generators of its matrix give ${key}, with different values`);
    result[key] = text;
  }
  return result;
}

/** Parameters as labels, which a selector is asked of. */
function labelsOf(parameters: Plain): Record<string, string> {
  return Object.fromEntries(
    Object.entries(flattened(parameters)).map(([key, value]) => [key, String(value)]),
  );
}

/** The paths that one of the patterns takes and none excludes. */
function matching(
  paths: readonly string[],
  patterns: unknown,
  patternOf: (glob: string) => RegExp,
): string[] {
  const of = (exclude: boolean) =>
    list(patterns)
      .filter(isRecord)
      .filter(one => (one['exclude'] === true) === exclude && typeof one['path'] === 'string')
      .map(one => patternOf((one['path'] as string).replace(/^\.\//, '').replace(/\/+$/, '')));
  const [wanted, excluded] = [of(false), of(true)];
  return paths.filter(
    path => wanted.some(pattern => pattern.test(path)) && !excluded.some(pattern => pattern.test(path)),
  );
}

/** Go's path.Match: a star does not go over a slash, and two stars are one. */
function globOf(glob: string): RegExp {
  return patternOf(glob, '[^/]*', '[^/]', '');
}

/** A pathspec of `git ls-files`: a star goes over slashes, and a folder stands for what is in it. */
function pathspecOf(glob: string): RegExp {
  return patternOf(glob, '.*', '.', '(?:/.*)?');
}

const NOTHING = /(?!)/;

function patternOf(glob: string, star: string, one: string, tail: string): RegExp {
  const body = glob.replace(
    /\*+|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|[.+^${}()|[\]\\]/g,
    (found: string, not?: string, set?: string, escaped?: string) => {
      if (found.startsWith('*')) return star;
      if (found === '?') return one;
      if (set !== undefined) return `[${not}${set.replace(/[[\]^]/g, '\\$&')}]`;
      return (escaped ?? found).replace(/[.+^${}()|[\]\\*?]/g, '\\$&');
    },
  );
  try {
    return new RegExp(`^${body}${tail}$`, 's');
  } catch {
    return NOTHING;
  }
}

function flattened(value: unknown, prefix = ''): Record<string, unknown> {
  const entries = Array.isArray(value)
    ? [...value.entries()]
    : isRecord(value)
      ? Object.entries(value)
      : undefined;
  if (entries === undefined) return { [prefix]: value === null ? '<nil>' : String(value) };
  return Object.assign(
    {},
    ...entries.map(([key, one]) => flattened(one, prefix === '' ? String(key) : `${prefix}.${key}`)),
  ) as Record<string, unknown>;
}

/**
 * A templatePatch over an Application: a strategic merge patch, whose lists replace each other except the finalizers.
 * Source: applicationset/controllers/template/patch.go; the project cannot be patched.
 */
function patched(application: unknown, text: string): unknown {
  const [document] = readDocuments(text).filter(({ is }) => is !== 'empty');
  if (document === undefined) return application;
  if (document.is !== 'value' || !isRecord(document.value))
    throw new TemplateError(
      `its templatePatch is ${document.is === 'error' ? `not valid YAML: ${document.message}` : 'no mapping'}`,
    );
  const result = mergePatched(application, document.value, []);
  const project =
    isRecord(application) && isRecord(application['spec']) ? application['spec']['project'] : undefined;
  if (!isRecord(result) || !isRecord(result['spec'])) return result;
  return { ...result, spec: { ...result['spec'], ...(project === undefined ? {} : { project }) } };
}

function mergePatched(base: unknown, patch: unknown, path: readonly string[]): unknown {
  if (Array.isArray(patch) && Array.isArray(base) && path.join('.') === 'metadata.finalizers')
    return [...new Set([...base, ...patch])];
  if (!isRecord(patch)) return patch;
  if (patch['$patch'] === 'replace') {
    const { $patch: _, ...rest } = patch;
    return rest;
  }
  if (patch['$patch'] === 'delete') return undefined;
  const result: Record<string, unknown> = isRecord(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    const next = value === null ? undefined : mergePatched(result[key], value, [...path, key]);
    if (next === undefined) delete result[key];
    else result[key] = next;
  }
  return result;
}
