/**
 * The built-in generators and transformers, as the fields of a kustomization set them up, or a file of their own.
 * Source: api/internal/target/kusttarget_configplugin.go, api/internal/plugins/loader/loader.go, api/internal/builtins.
 */

import type { Build } from './build-state.ts';
import { chartDocuments } from './charts.ts';
import { fieldSpec } from './configurations.ts';
import { emit } from './emit.ts';
import type { Config, FieldSpec } from './field-specs.ts';
import { generate, hashOf } from './generators.ts';
import { idText } from './ids.ts';
import { applyJsonPatch, type JsonPatch, readJsonPatch } from './json-patch.ts';
import {
  decodeAs,
  type FieldSpecArgs,
  GENERATOR_FILE,
  type GeneratorArgs,
  type GeneratorOptions,
  type HelmChart,
  type ImageArgs,
  type PatchArgs,
  type PlaceOf,
  REPLACEMENT,
  type ReadKustomization,
  type ReplacementArgs,
  TRANSFORMER_FILE,
} from './kustomization.ts';
import type { Loader } from './loader.ts';
import { BuildError, field, Node, NotLocalError, prefixed, setField, text } from './node.ts';
import { plainData, readValueOf } from './plain.ts';
import { insideSource, readResources } from './read.ts';
import { applyReplacement } from './replacements.ts';
import { type ResMap, Resource } from './resource.ts';
import { isNonString, type Json, toJson } from './scalars.ts';
import { Selector, type SelectorFields } from './selector.ts';
import { type Place, Source } from './source.ts';
import {
  addAffix,
  addValue,
  checkSubjectMode,
  labelSpecs,
  setEntries,
  setImages,
  setNamespace,
  setNamespaces,
  setReplicas,
} from './transformers.ts';

/** Where plugins are configured. */
export interface Context {
  readonly loader: Loader;
  readonly build: Build;
  /** The kustomization file. */
  readonly file: string;
  readonly read: ReadKustomization;
}

export interface Plugin {
  readonly kind: string;
  readonly transform: (map: ResMap) => void;
}

interface Generator {
  readonly kind: string;
  readonly run: () => Resource[];
}

function placesOf({ read }: Context, ...prefix: readonly (string | number)[]): PlaceOf {
  return (...path) => read.nodeAt(...prefix, ...path)?.at;
}

/** Sets a plugin up; what goes wrong is said with its configuration. */
function configured<T>(kind: string, config: unknown, set: () => T): T {
  try {
    return set();
  } catch (error) {
    if (error instanceof NotLocalError) throw error;
    const shown = emit(withoutEmpty(config) as Json);
    throw prefixed(error, `trouble configuring builtin ${kind} with config: \`\n${shown}\``);
  }
}

/** Go leaves out the fields of a struct that are empty; the values of a chart are a map, whose keys stay. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined && one !== '' && one !== false && one !== 0)
      .map(([key, one]) => [key, key === 'valuesInline' ? one : withoutEmpty(one)]),
  );
}

export function builtInGenerators(context: Context): Generator[] {
  const { value } = context.read;
  const { loader, build } = context;
  const generators: Generator[] = [];
  for (const [kind, list, name] of [
    ['ConfigMap', value.configMapGenerator, 'configMapGenerator'],
    ['Secret', value.secretGenerator, 'secretGenerator'],
  ] as const)
    for (const [i, args] of (list ?? []).entries()) {
      const options = mergeOptions(args.options, value.generatorOptions);
      const merged: GeneratorArgs = options === undefined ? args : { ...args, options };
      const own = placesOf(context, name, i);
      const places: PlaceOf = (...path) =>
        own(...path) ??
        (path[0] === 'options' ? placesOf(context, 'generatorOptions')(...path.slice(1)) : undefined);
      generators.push({
        kind: `${kind}Generator`,
        run: () => [generate(kind, merged, loader, build.schemas, places)],
      });
    }
  for (const [i, chart] of (value.helmCharts ?? []).entries())
    generators.push(
      helmGenerator(chart, value.helmGlobals ?? {}, context, placesOf(context, 'helmCharts', i)),
    );
  return generators;
}

function helmGenerator(
  chart: HelmChart,
  globals: { readonly chartHome?: string },
  context: Context,
  placeOf: PlaceOf,
): Generator {
  const kind = 'HelmChartInflationGenerator';
  if (context.build.renderChart === undefined)
    configured(kind, { ...globals, ...chart }, () => {
      throw new BuildError('must specify --enable-helm');
    });
  return {
    kind,
    run: () => chartDocuments(chart, globals, context.loader, context.build, placeOf()),
  };
}

function mergeOptions(
  own: GeneratorOptions | undefined,
  shared: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (shared === undefined) return own;
  return {
    labels: { ...shared.labels, ...own?.labels },
    annotations: { ...shared.annotations, ...own?.annotations },
    disableNameSuffixHash: own?.disableNameSuffixHash === true || shared.disableNameSuffixHash === true,
    immutable: own?.immutable === true || shared.immutable === true,
  };
}

/** In Kustomize's order. */
export function builtInTransformers(context: Context, config: Config): Plugin[] {
  const { value } = context.read;
  const plugins: Plugin[] = [];
  const add = (kind: string, transform: (map: ResMap) => void): void => {
    plugins.push({ kind, transform });
  };
  const place = placesOf(context);
  if ((value.patchesStrategicMerge ?? []).length > 0) {
    const paths = value.patchesStrategicMerge!;
    const kind = 'PatchStrategicMergeTransformer';
    const patches = configured(kind, { paths }, () => strategicPatches(paths, '', context));
    add(kind, map => applyByName(map, patches));
  }
  for (const [i, patch] of (value.patches ?? []).entries()) {
    const { path, patch: inline, target, options } = patch;
    const config = { path, patch: inline, target, options };
    const node = context.read.nodeAt('patches', i, 'patch');
    const transform = configured('PatchTransformer', config, () =>
      patchTransformer(patch, context, node, emit(withoutEmpty(config) as Json)),
    );
    add('PatchTransformer', transform);
  }
  if (value.namespace)
    add('NamespaceTransformer', map =>
      setNamespaces(map, {
        namespace: value.namespace!,
        specs: config.namespace,
        unsetOnly: false,
        subjects: 'defaultOnly',
        at: place('namespace'),
      }),
    );
  if (value.namePrefix)
    add('PrefixTransformer', map =>
      addAffix(map, value.namePrefix!, 'prefix', config.namePrefix, place('namePrefix')),
    );
  if (value.nameSuffix)
    add('SuffixTransformer', map =>
      addAffix(map, value.nameSuffix!, 'suffix', config.nameSuffix, place('nameSuffix')),
    );
  addLabels(context, config, add);
  const annotations = value.commonAnnotations ?? {};
  if (Object.keys(annotations).length > 0)
    add('AnnotationsTransformer', map =>
      setEntries(map, annotations, config.commonAnnotations, key => place('commonAnnotations', key)),
    );
  for (const [i, patch] of (value.patchesJson6902 ?? []).entries()) {
    const kind = 'PatchJson6902Transformer';
    const { target, path, patch: jsonOp } = patch;
    const node = context.read.nodeAt('patchesJson6902', i, 'patch');
    add(
      kind,
      configured(kind, { target, path, jsonOp }, () => json6902(target, path, jsonOp, context, node)),
    );
  }
  for (const [i, { name = '', count = 0 }] of (value.replicas ?? []).entries())
    add('ReplicaCountTransformer', map =>
      setReplicas(map, name, count, config.replicas, place('replicas', i, 'count')),
    );
  for (const [i, image] of (value.images ?? []).entries())
    add('ImageTagTransformer', map => setImages(map, image, config.images, imagePlace(image, i, place)));
  if ((value.replacements ?? []).length > 0) {
    const kind = 'ReplacementTransformer';
    const replacements = configured(kind, { replacements: value.replacements }, () =>
      readReplacements(value.replacements!, context.loader),
    );
    add(kind, map => {
      for (const one of replacements) applyReplacement(map.list, one, place('replacements'));
    });
  }
  return plugins;
}

function imagePlace(image: ImageArgs, index: number, place: PlaceOf): Place | undefined {
  const names = ['newTag', 'digest', 'newName', 'tagSuffix'] as const;
  const name = names.find(one => image[one]);
  return (
    (name === undefined ? undefined : (place('images', index, name) ?? place('imageTags', index, name))) ??
    place('images', index)
  );
}

function addLabels(
  context: Context,
  config: Config,
  add: (kind: string, transform: (map: ResMap) => void) => void,
): void {
  const { value } = context.read;
  const place = placesOf(context);
  const common = value.commonLabels ?? {};
  if ((value.labels ?? []).length === 0 && Object.keys(common).length === 0) return;
  for (const [i, label] of (value.labels ?? []).entries()) {
    const specs = labelSpecs(
      (label.fields ?? []).map(fieldSpec),
      config,
      label.includeSelectors === true,
      label.includeTemplates === true,
    );
    add('LabelTransformer', map =>
      setEntries(map, label.pairs ?? {}, specs, key => place('labels', i, 'pairs', key)),
    );
  }
  add('LabelTransformer', map =>
    setEntries(map, common, config.commonLabels, key => place('commonLabels', key)),
  );
}

/** Patches by the name of their target. Source: builtins/PatchStrategicMergeTransformer.go. */
function applyByName(map: ResMap, patches: readonly Resource[]): void {
  for (const patch of patches) map.applyStrategicPatch([map.one(patch.originalId)], patch);
}

function strategicPatches(paths: readonly string[], inline: string, context: Context): Resource[] {
  const { loader, build, read } = context;
  if (paths.length === 0 && inline === '') throw new BuildError('empty file path and empty patch content');
  const patches: Resource[] = [];
  for (const [i, path] of paths.entries()) {
    let found: Resource[];
    try {
      const node = read.nodeAt('patchesStrategicMerge', i);
      found = readResources(insideSource(node, path, context.file), build.schemas);
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      const source = loader.source(path);
      try {
        found = readResources(source, build.schemas);
      } catch (problem) {
        if (problem instanceof BuildError && problem.message.includes('MalformedYAMLError'))
          problem.message += ` in File: ${path}`;
        throw problem;
      }
    }
    patches.push(...found);
  }
  if (inline !== '') patches.push(...readResources(new Source(context.file, inline), build.schemas));
  if (patches.length === 0)
    throw new BuildError(`patch appears to be empty; files=[${paths.join(' ')}], Patch=${inline}`);
  return patches;
}

/** Source: builtins/PatchTransformer.go. */
function patchTransformer(
  args: PatchArgs,
  context: Context,
  node: Node | undefined,
  shown: string,
): (map: ResMap) => void {
  const { loader, build } = context;
  const inline = (args.patch ?? '').trim();
  const path = args.path ?? '';
  if (inline === '' && path === '') throw new BuildError(`must specify one of patch and path in\n${shown}`);
  if (inline !== '' && path !== '')
    throw new BuildError(`patch and path can't be set at the same time\n${shown}`);
  let source: Source;
  if (inline !== '') source = insideSource(node, inline, context.file);
  else
    try {
      source = loader.source(path);
    } catch (error) {
      throw prefixed(error, `failed to get the patch file from path(${path})`);
    }
  const name = inline === '' ? `[path: ${JSON.stringify(path)}]` : `[patch: ${JSON.stringify(inline)}]`;
  const strategic = attempt(() => readResources(source, build.schemas));
  const json = attempt(() => {
    if (source.text === '') throw new BuildError('empty json patch operations');
    return readJsonPatch(source);
  });
  if ((strategic?.length ?? 0) > 0 && (json?.length ?? 0) > 0)
    throw new BuildError(`illegally qualifies as both an SM and JSON patch: ${name}`);
  if (strategic === undefined && json === undefined)
    throw new BuildError(`unable to parse SM or JSON patch from ${name}`);
  const { target, options } = args;
  for (const patch of strategic ?? []) {
    if (options?.['allowNameChange'] === true) patch.allowNameChange();
    if (options?.['allowKindChange'] === true) patch.allowKindChange();
  }
  if ((strategic?.length ?? 0) > 0) return map => applyStrategic(map, strategic!, target, name);
  return map => {
    if (target === undefined) throw new BuildError(`must specify a target for JSON patch ${name}`);
    for (const resource of map.select(new Selector(target))) {
      resource.storePreviousId();
      patchJson(resource, json ?? []);
    }
  };
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

function applyStrategic(
  map: ResMap,
  patches: readonly Resource[],
  target: SelectorFields | undefined,
  name: string,
): void {
  if (target === undefined) {
    for (const patch of patches) {
      let found: Resource;
      try {
        found = map.one(patch.originalId);
      } catch (error) {
        throw prefixed(error, `no resource matches strategic merge patch "${idText(patch.originalId)}"`);
      }
      found.applyStrategicPatch(patch);
    }
    return;
  }
  if (patches.length > 1)
    throw new BuildError(
      `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${name}`,
    );
  let selected: Resource[];
  try {
    selected = map.select(new Selector(target));
  } catch (error) {
    throw prefixed(error, `unable to find patch target "${JSON.stringify(target)}" in \`resources\``);
  }
  map.applyStrategicPatch(selected, patches[0]!);
}

function patchJson(resource: Resource, patch: JsonPatch): void {
  const internal = resource.internalAnnotations;
  applyJsonPatch(resource.node!, patch);
  const { annotations } = resource;
  for (const [name, value] of internal) annotations.set(name, value);
  resource.annotations = annotations;
}

/** Source: builtins/PatchJson6902Transformer.go. */
function json6902(
  target: SelectorFields | undefined,
  path: string | undefined,
  inline: string | undefined,
  context: Context,
  node: Node | undefined,
): (map: ResMap) => void {
  if (!target?.name) throw new BuildError('must specify the target name');
  if (!path && !inline) throw new BuildError('empty file path and empty jsonOp');
  if (path && inline) throw new BuildError('must specify a file path or jsonOp, not both');
  const source = path ? context.loader.source(path) : insideSource(node, inline!, context.file);
  if (source.text === '') throw new BuildError(`patch file '${path}' empty seems to be empty`);
  let patch: JsonPatch;
  try {
    patch = readJsonPatch(source);
  } catch (error) {
    const json = attempt(() => JSON.stringify(plainData(readValueOf(source)!)));
    throw json === undefined ? error : prefixed(error, `decoding ${json}`);
  }
  if (patch.length === 0)
    throw new BuildError(`patch appears to be empty; file=${path ?? ''}, JsonOp=${inline ?? ''}`);
  return map => {
    for (const resource of map.select(new Selector(target))) patchJson(resource, patch);
  };
}

/** Source: builtins/ReplacementTransformer.go. */
function readReplacements(list: readonly ReplacementArgs[], loader: Loader): ReplacementArgs[] {
  return list.flatMap(one => {
    if (!one.path) return [one];
    if (one.source !== undefined || (one.targets ?? []).length > 0)
      throw new BuildError('cannot specify both path and inline replacement');
    const node = readValueOf(loader.source(one.path));
    const data = node === undefined ? null : plainData(node);
    if (Array.isArray(data)) return data.map(item => decodeAs<ReplacementArgs>(item, REPLACEMENT, false));
    if (data === null || typeof data !== 'object')
      throw new BuildError(
        `unsupported replacement type encountered within replacement path: ${data === null ? 'invalid' : typeof data}`,
      );
    return [decodeAs<ReplacementArgs>(data, REPLACEMENT, false)];
  });
}

// ---- Plugins in files of their own ----

function pluginData(resource: Resource, isGenerator: boolean): Record<string, Json> {
  const shape = isGenerator ? GENERATOR_FILE : TRANSFORMER_FILE;
  return decodeAs<Record<string, Json>>(toJson(resource.node!), shape, false);
}

function expectBuiltIn(resource: Resource): string {
  const { gvk } = resource;
  if (gvk.group !== '' || gvk.version !== 'builtin')
    throw new BuildError(
      `external plugins disabled; unable to load external plugin '${resource.originalId.kind}'`,
    );
  return gvk.kind;
}

function failing<T>(resource: Resource, set: () => T): T {
  try {
    return set();
  } catch (error) {
    if (error instanceof NotLocalError) throw error;
    throw prefixed(error, `plugin ${idText(resource.originalId)} fails configuration`);
  }
}

function stringOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function specsOf(value: Json | undefined): FieldSpec[] {
  return Array.isArray(value) ? (value as unknown as FieldSpecArgs[]).map(fieldSpec) : [];
}

function entriesOf(value: Json | undefined): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one ?? '')]));
}

/** The place of a plugin's own field. */
function fieldPlace(resource: Resource, ...path: readonly (string | number)[]): Place | undefined {
  let node: Node | undefined = resource.node;
  for (const step of path) node = typeof step === 'number' ? node?.content[step] : field(node, step);
  return (node ?? resource.node)?.at;
}

const GENERATORS = [
  'ConfigMapGenerator',
  'SecretGenerator',
  'IAMPolicyGenerator',
  'HelmChartInflationGenerator',
];

export function generatorOf(resource: Resource, context: Context): () => Resource[] {
  const kind = expectBuiltIn(resource);
  const { loader, build } = context;
  if (!GENERATORS.includes(kind)) {
    if (TRANSFORMERS[kind] === undefined)
      throw new BuildError(`unable to load builtin ${kind}.${resource.gvk.version}.[noGrp]`);
    failing(resource, () => TRANSFORMERS[kind]!(pluginData(resource, false), resource, context));
    throw new BuildError(`plugin ${idText(resource.originalId)} not a generator`);
  }
  const data = failing(resource, () => pluginData(resource, true));
  const places: PlaceOf = (...path) => fieldPlace(resource, ...path);
  if (kind === 'IAMPolicyGenerator') return () => [accountOf(data, resource, build)];
  if (kind === 'HelmChartInflationGenerator') {
    const chart = data as unknown as HelmChart & { readonly chartHome?: string };
    if (build.renderChart === undefined)
      return failing(resource, () => {
        throw new BuildError('must specify --enable-helm');
      });
    return () => chartDocuments(chart, chart, loader, build, places());
  }
  const args = {
    ...data,
    name: stringOf(data['name']) || resource.name,
    namespace: stringOf(data['namespace']) || resource.namespace,
  } as unknown as GeneratorArgs;
  const target = kind === 'SecretGenerator' ? 'Secret' : 'ConfigMap';
  return () => [generate(target, args, loader, build.schemas, places)];
}

/** Source: filters/iampolicygenerator. */
function accountOf(data: Record<string, Json>, resource: Resource, build: Build): Resource {
  if (data['cloud'] !== 'gke')
    throw new BuildError(`cloud provider ${stringOf(data['cloud'])} not supported yet`);
  const kubernetes = entriesOf(data['kubernetesService']);
  const account = entriesOf(data['serviceAccount']);
  const node = new Node('map', '!!map');
  node.at = resource.node?.at;
  const put = (target: Node, name: string, value: string): void => {
    setField(target, name, text(value, resource.node?.at), isNonString);
  };
  put(node, 'apiVersion', 'v1');
  put(node, 'kind', 'ServiceAccount');
  const annotations = new Node('map', '!!map');
  put(
    annotations,
    'iam.gke.io/gcp-service-account',
    `${account['name'] ?? ''}@${account['projectId'] ?? ''}.iam.gserviceaccount.com`,
  );
  const metadata = new Node('map', '!!map');
  setField(metadata, 'annotations', annotations, isNonString);
  put(metadata, 'name', kubernetes['name'] ?? '');
  if (kubernetes['namespace']) put(metadata, 'namespace', kubernetes['namespace']);
  setField(node, 'metadata', metadata, isNonString);
  return new Resource(node, build.schemas);
}

type Configure = (data: Record<string, Json>, resource: Resource, context: Context) => (map: ResMap) => void;

function affix(where: 'prefix' | 'suffix'): Configure {
  return (data, resource) => {
    if (!Array.isArray(data['fieldSpecs'])) throw new BuildError('fieldSpecs is not expected to be nil');
    const specs = specsOf(data['fieldSpecs']);
    return map => addAffix(map, stringOf(data[where]), where, specs, fieldPlace(resource, where));
  };
}

const TRANSFORMERS: Readonly<Record<string, Configure>> = {
  AnnotationsTransformer: (data, resource) => map =>
    setEntries(map, entriesOf(data['annotations']), specsOf(data['fieldSpecs']), key =>
      fieldPlace(resource, 'annotations', key),
    ),
  LabelTransformer: (data, resource) => map =>
    setEntries(map, entriesOf(data['labels']), specsOf(data['fieldSpecs']), key =>
      fieldPlace(resource, 'labels', key),
    ),
  HashTransformer: () => map => {
    for (const resource of map.list)
      if (resource.needsHash) {
        const hash = hashOf(resource);
        resource.storePreviousId();
        resource.setName(`${resource.name}-${hash}`);
      }
  },
  ImageTagTransformer: (data, resource) => map =>
    setImages(
      map,
      (data['imageTag'] ?? {}) as unknown as ImageArgs,
      specsOf(data['fieldSpecs']),
      fieldPlace(resource, 'imageTag'),
    ),
  NamespaceTransformer: (data, resource) => {
    const subjects = checkSubjectMode(stringOf(data['setRoleBindingSubjects']));
    const options = {
      namespace: resource.namespace,
      specs: specsOf(data['fieldSpecs']),
      unsetOnly: data['unsetOnly'] === true,
      subjects,
      at: fieldPlace(resource, 'metadata', 'namespace'),
    };
    return map => setNamespaces(map, options);
  },
  PatchJson6902Transformer: (data, resource, context) =>
    json6902(
      data['target'] as SelectorFields | undefined,
      stringOf(data['path']),
      stringOf(data['jsonOp']),
      context,
      field(resource.node, 'jsonOp'),
    ),
  PatchStrategicMergeTransformer: (data, _resource, context) => {
    const paths = Array.isArray(data['paths']) ? data['paths'].map(String) : [];
    const patches = strategicPatches(paths, stringOf(data['patches']), context);
    return map => applyByName(map, patches);
  },
  PatchTransformer: (data, resource, context) =>
    patchTransformer(
      data as unknown as PatchArgs,
      context,
      field(resource.node, 'patch'),
      emit(toJson(resource.node!)),
    ),
  PrefixTransformer: affix('prefix'),
  SuffixTransformer: affix('suffix'),
  PrefixSuffixTransformer: (data, resource, context) => {
    const both = [affix('prefix'), affix('suffix')].map(set => set(data, resource, context));
    return map => {
      for (const transform of both) transform(map);
    };
  },
  ReplacementTransformer: (data, resource, { loader }) => {
    const list = Array.isArray(data['replacements'])
      ? readReplacements(data['replacements'] as unknown as ReplacementArgs[], loader)
      : [];
    return map => {
      for (const one of list) applyReplacement(map.list, one, fieldPlace(resource, 'replacements'));
    };
  },
  ReplicaCountTransformer: (data, resource) => {
    const { name, count } = (data['replica'] ?? {}) as { readonly name?: string; readonly count?: number };
    const specs = specsOf(data['fieldSpecs']);
    return map => setReplicas(map, name ?? '', count ?? 0, specs, fieldPlace(resource, 'replica', 'count'));
  },
  ValueAddTransformer: valueAdd,
};

/** Source: builtins/ValueAddTransformer.go. */
function valueAdd(
  data: Record<string, Json>,
  resource: Resource,
  { loader }: Context,
): (map: ResMap) => void {
  const value = stringOf(data['value']).trim() || loader.root.slice(loader.root.lastIndexOf('/') + 1);
  let targets = Array.isArray(data['targets']) ? data['targets'] : [];
  const path = stringOf(data['targetFilePath']);
  if (path !== '') {
    const node = readValueOf(loader.source(path));
    const more = node === undefined ? null : plainData(node);
    if (more !== null && typeof more === 'object' && !Array.isArray(more) && Array.isArray(more['targets']))
      targets = [...targets, ...more['targets']];
  }
  if (targets.length === 0) throw new BuildError('must specify at least one target');
  const read = targets.map(target => {
    const {
      selector,
      fieldPath = '',
      filePathPosition = 0,
    } = (target ?? {}) as {
      readonly selector?: SelectorFields;
      readonly fieldPath?: string;
      readonly filePathPosition?: number;
    };
    if (fieldPath === '') throw new BuildError('fieldPath cannot be empty');
    if (filePathPosition < 0)
      throw new BuildError(`value of FilePathPosition (${filePathPosition}) cannot be negative`);
    return { selector, fieldPath, filePathPosition };
  });
  const at = fieldPlace(resource, 'value');
  return map => {
    for (const { selector, fieldPath, filePathPosition } of read)
      for (const one of selector === undefined ? map.list : map.select(new Selector(selector)))
        if (fieldPath === 'metadata/namespace')
          setNamespace(one, { namespace: value, specs: [], unsetOnly: false, subjects: 'defaultOnly', at });
        else addValue(one, value, fieldPath, filePathPosition, at);
  };
}

export function transformerOf(resource: Resource, context: Context): Plugin {
  const kind = expectBuiltIn(resource);
  const configure = TRANSFORMERS[kind];
  if (configure === undefined) {
    if (GENERATORS.includes(kind))
      throw new BuildError(`plugin ${idText(resource.originalId)} not a transformer`);
    throw new BuildError(`unable to load builtin ${kind}.${resource.gvk.version}.[noGrp]`);
  }
  return {
    kind,
    transform: failing(resource, () => configure(pluginData(resource, false), resource, context)),
  };
}
