/**
 * One kustomization and everything that it is made of, in Kustomize's order: resources, generators, components,
 * transformers, validators. Source: api/internal/target/kusttarget.go, kusttarget_configplugin.go.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Build } from './build-state.ts';
import { configFromCrds, readConfigurations } from './configurations.ts';
import { defaultConfig } from './defaults.ts';
import { type Config, EMPTY_CONFIG, mergeConfigs } from './field-specs.ts';
import { hashOf } from './generators.ts';
import { type Kustomization, type ReadKustomization, readKustomization } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { fixNameReferences } from './name-references.ts';
import { BuildError, enterFolder, NotLocalError, prefixed } from './node.ts';
import { addTransformation, below, type Origin, originPath, setOrigin } from './origins.ts';
import { overridden } from './overrides.ts';
import { plainData, readValueOf } from './plain.ts';
import {
  builtInGenerators,
  builtInTransformers,
  type Context,
  generatorOf,
  type Plugin,
  transformerOf,
} from './plugins.ts';
import { expectMetadata, insideSource, readResources } from './read.ts';
import { ORIGIN, ResMap, type Resource, setMetadataMap } from './resource.ts';
import { toJson } from './scalars.ts';
import { Variables, variableOf } from './variables.ts';

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** What has been gathered so far. */
class Accumulator {
  map = new ResMap();
  config: Config = EMPTY_CONFIG;
  readonly variables = new Variables();

  merge(other: Accumulator): void {
    this.map.appendAll(other.map);
    this.config = mergeConfigs(this.config, other.config, defaultConfig());
    this.variables.addAll(other.variables);
  }
}

export class Target {
  readonly #loader: Loader;
  readonly #build: Build;
  readonly #file: string;
  readonly #read: ReadKustomization;
  readonly #buildMetadata: readonly string[];
  #origin: Origin | undefined;

  /** @throws BuildError for a kustomization that is missing or cannot be read */
  constructor(loader: Loader, build: Build, buildMetadata?: readonly string[], origin?: Origin) {
    this.#loader = loader;
    this.#build = build;
    this.#file = this.#fileName();
    const read = readKustomization(loader.source(this.#file), loader.shownRoot);
    // Only of the kustomization that is built, not of those that it is made of.
    this.#read =
      build.overrides !== undefined && build.kustomizations.length === 0
        ? overridden(read, build.overrides)
        : read;
    build.kustomizations.push(loader.find(this.#file));
    build.warnings.push(...this.#read.warnings);
    this.#buildMetadata = buildMetadata ?? this.kustomization.buildMetadata ?? [];
    this.#origin = origin;
  }

  get kustomization(): Kustomization {
    return this.#read.value;
  }

  #fileName(): string {
    const found = FILE_NAMES.filter(name => this.#loader.has(name));
    if (found.length === 0)
      throw new BuildError(
        `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${this.#loader.shownRoot}'`,
      );
    if (found.length > 1)
      throw new BuildError(`Found multiple kustomization files under: ${this.#loader.shownRoot}\n`);
    return found[0]!;
  }

  /** Everything, with hashes in names, references to them, and variables. */
  make(): ResMap {
    this.#setSchema(true);
    this.#origin = this.#buildMetadata.length === 0 ? undefined : { path: '' };
    const gathered = this.#accumulate(new Accumulator());
    const { map } = gathered;
    for (const resource of map.list)
      if (resource.needsHash) {
        const hash = hashOf(resource);
        resource.storePreviousId();
        resource.setName(`${resource.name}-${hash}`);
      }
    fixNameReferences(map, gathered.config.nameReference);
    gathered.variables.resolve(map, gathered.config.varReference);
    for (const resource of map.list) if (!resource.gone) expectMetadata(resource.node!);
    map.list = map.list.filter(resource => !resource.gone && !resource.isLocalConfig);
    return map;
  }

  #setSchema(reset: boolean): void {
    const { openapi } = this.kustomization;
    const path = openapi?.['path'];
    let document: unknown;
    if (path !== undefined) {
      const node = readValueOf(this.#loader.source(path));
      document = node === undefined ? null : plainData(node);
    }
    this.#build.schemas.set(openapi, document, reset);
  }

  #accumulate(start: Accumulator): Accumulator {
    const { kustomization } = this;
    let gathered: Accumulator;
    try {
      gathered = this.#resources(start, kustomization.resources ?? []);
    } catch (error) {
      throw prefixed(error, 'accumulating resources');
    }
    const custom = readConfigurations(this.#loader, kustomization.configurations ?? []);
    const own = mergeConfigs(defaultConfig(), custom);
    try {
      gathered.config = mergeConfigs(gathered.config, own, defaultConfig());
    } catch (error) {
      throw prefixed(error, 'merging config');
    }
    let crds: Config;
    try {
      crds = configFromCrds(this.#loader, kustomization.crds ?? []);
    } catch (error) {
      throw prefixed(error, `loading CRDs [${(kustomization.crds ?? []).join(' ')}]`);
    }
    gathered.config = mergeConfigs(gathered.config, crds);
    this.#generate(gathered);
    try {
      gathered = this.#components(gathered, kustomization.components ?? []);
    } catch (error) {
      throw prefixed(error, 'accumulating components');
    }
    this.#transform(gathered);
    this.#validate(gathered);
    const variables = (kustomization.vars ?? []).map(variableOf);
    try {
      gathered.variables.state(variables, gathered.map);
    } catch (error) {
      const shown = (kustomization.vars ?? []).map(one => {
        const { group = '', version = '', kind = '' } = one.objref ?? {};
        return `{${one.name} ${kind || '[noKind]'}.${version || '[noVer]'}.${group || '[noGrp]'} {${one.fieldref?.fieldPath ?? ''}}}`;
      });
      throw prefixed(error, `merging vars [${shown.join(' ')}]`);
    }
    return gathered;
  }

  #resources(start: Accumulator, paths: readonly string[]): Accumulator {
    let gathered = start;
    for (const path of paths) {
      const problem = this.#takeFile(gathered, path);
      if (problem === undefined) continue;
      if (problem instanceof NotLocalError) throw problem;
      let loader: Loader;
      try {
        loader = this.#loader.enter(path);
      } catch (error) {
        if (!(error instanceof BuildError) || error instanceof NotLocalError) throw error;
        if (problem.message.includes('MalformedYAMLError')) throw problem;
        throw prefixed(error, `accumulation err='${problem.message}'`);
      }
      try {
        gathered = this.#folder(gathered, loader, false, path);
      } catch (error) {
        if (error instanceof NotLocalError) throw error;
        throw prefixed(error, `accumulation err='${problem.message}'`);
      }
    }
    return gathered;
  }

  /** Takes a path as a file. @returns why it is none */
  #takeFile(gathered: Accumulator, path: string): BuildError | undefined {
    let list: Resource[];
    try {
      list = new ResMap(this.#readFile(path)).list;
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      if (error.message.includes('MalformedYAMLError')) error.message += ` in File: ${path}`;
      return prefixed(error, `accumulating resources from '${path}'`) as BuildError;
    }
    if (this.#origin !== undefined) {
      const origin = below(this.#origin, path);
      for (const resource of list) setOrigin(resource, origin);
    }
    const before = gathered.map.list.length;
    try {
      const map = new ResMap();
      map.list = list;
      gathered.map.appendAll(map);
      return undefined;
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      gathered.map.list.length = before;
      return prefixed(error, `merging resources from '${path}'`) as BuildError;
    }
  }

  #readFile(path: string): Resource[] {
    return readResources(this.#loader.source(path), this.#build.schemas);
  }

  #components(start: Accumulator, paths: readonly string[]): Accumulator {
    let gathered = start;
    for (const path of paths) {
      let loader: Loader;
      try {
        loader = this.#loader.enter(path);
      } catch (error) {
        throw quoted(error, 'loader.New ');
      }
      try {
        gathered = this.#folder(gathered, loader, true, path);
      } catch (error) {
        throw quoted(error, 'accumulateDirectory: ');
      }
    }
    return gathered;
  }

  #folder(gathered: Accumulator, loader: Loader, isComponent: boolean, path: string): Accumulator {
    const { shownRoot } = loader;
    const origin = this.#origin === undefined ? undefined : below(this.#origin, path);
    let target: Target;
    enterFolder();
    try {
      target = new Target(loader, this.#build, this.#buildMetadata, origin);
    } catch (error) {
      throw prefixed(error, `couldn't make target for path '${shownRoot}'`);
    }
    target.#setSchema(false);
    const { kind } = target.kustomization;
    if (isComponent && kind !== 'Component')
      throw new BuildError(`expected kind 'Component' for path '${shownRoot}' but got '${kind}'`);
    if (!isComponent && kind === 'Component')
      throw new BuildError(`expected kind != 'Component' for path '${shownRoot}'`);
    let inner: Accumulator;
    try {
      inner = target.#accumulate(isComponent ? gathered : new Accumulator());
    } catch (error) {
      throw prefixed(error, `recursed accumulation of path '${shownRoot}'`);
    }
    if (isComponent) return inner;
    try {
      gathered.merge(inner);
    } catch (error) {
      throw prefixed(error, `recursed merging from path '${shownRoot}'`);
    }
    return gathered;
  }

  get #context(): Context {
    return {
      loader: this.#loader,
      build: this.#build,
      file: this.#loader.find(this.#file),
      read: this.#read,
    };
  }

  #configuredHere(kind: string): Origin | undefined {
    if (this.#origin === undefined) return undefined;
    return {
      path: '',
      configuredIn: below(this.#origin, this.#file).path,
      configuredBy: { apiVersion: 'builtin', kind },
    };
  }

  #generate(gathered: Accumulator): void {
    const generators: (readonly [() => Resource[], Origin | undefined])[] = [];
    for (const { kind, run } of builtInGenerators(this.#context))
      generators.push([run, this.#configuredHere(kind)]);
    try {
      for (const resource of this.#plugins('generators').map.list)
        generators.push([
          during('failed to load generator', () => generatorOf(resource, this.#context)),
          customOrigin(resource),
        ]);
    } catch (error) {
      throw prefixed(error, 'loading generator plugins');
    }
    for (const [run, origin] of generators) {
      const made = run();
      if (origin !== undefined)
        for (const resource of made) if (!resource.annotations.has(ORIGIN)) setOrigin(resource, origin);
      try {
        for (const resource of made) gathered.map.absorb(resource);
      } catch (error) {
        throw prefixed(error, 'merging from generator');
      }
    }
  }

  /** What stands in `generators`, `transformers` or `validators`: texts, files or folders of plugin configurations. */
  #plugins(list: 'generators' | 'transformers' | 'validators'): Accumulator {
    const gathered = new Accumulator();
    const paths: string[] = [];
    for (const [i, entry] of (this.kustomization[list] ?? []).entries()) {
      let resources: Resource[];
      try {
        const source = insideSource(this.#read.nodeAt(list, i), entry, this.#loader.find(this.#file));
        resources = new ResMap(readResources(source, this.#build.schemas)).list;
      } catch (error) {
        if (!(error instanceof BuildError)) throw error;
        paths.push(entry);
        continue;
      }
      if (this.#origin !== undefined)
        for (const resource of resources) setOrigin(resource, below(this.#origin, this.#file));
      for (const resource of resources) gathered.map.append(resource);
    }
    return this.#resources(gathered, paths);
  }

  #transform(gathered: Accumulator): void {
    const transformers: (readonly [Plugin, Origin | undefined])[] = builtInTransformers(
      this.#context,
      gathered.config,
    ).map(plugin => [plugin, this.#configuredHere(plugin.kind)]);
    for (const resource of this.#plugins('transformers').map.list)
      transformers.push([transformerOf(resource, this.#context), customOrigin(resource)]);
    for (const [{ transform }, origin] of transformers) {
      transform(gathered.map);
      if (origin !== undefined)
        for (const resource of gathered.map.list) if (!resource.gone) addTransformation(resource, origin);
      gathered.map.dropGone();
    }
  }

  #validate(gathered: Accumulator): void {
    if (this.kustomization.validators === undefined) return;
    for (const resource of this.#plugins('validators').map.list) {
      const { transform } = transformerOf(resource, this.#context);
      const before = gathered.map.list.map(one => toJson(one.node!));
      transform(gathered.map);
      const after = gathered.map.list.map(one => {
        const copy = one.copy();
        const { labels } = copy;
        if (labels.delete('validated-by')) setMetadataMap(copy.node!, 'labels', labels);
        return toJson(copy.node!);
      });
      if (!isDeepStrictEqual(before, after))
        throw new BuildError("validator shouldn't modify the resource map: nodes unequal");
    }
  }
}

function customOrigin(resource: Resource): Origin | undefined {
  const path = originPath(resource);
  if (path === undefined) return undefined;
  const { apiVersion, kind } = { apiVersion: resource.gvk.version, kind: resource.gvk.kind };
  return {
    path: '',
    configuredIn: path,
    configuredBy: { apiVersion, kind, name: resource.name, namespace: resource.namespace },
  };
}

function during<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw prefixed(error, prefix);
  }
}

/** Go's %q of an error, behind some words. */
function quoted(error: unknown, prefix: string): unknown {
  if (error instanceof BuildError && !(error instanceof NotLocalError))
    error.message = `${prefix}${JSON.stringify(error.message)}`;
  return error;
}
