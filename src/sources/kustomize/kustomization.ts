/**
 * A kustomization file: which fields there are, and how Go's decoder takes them. Source: api/types/*.go;
 * encoding/json (decode.go) with unknown fields forbidden.
 */

import { compareText } from './ids.ts';
import { BuildError, fieldsOf, type Node, prefixed } from './node.ts';
import { plainData, plainKey, readValueOf } from './plain.ts';
import { goFloat, type Json } from './scalars.ts';
import type { SelectorFields } from './selector.ts';
import type { Place, Source } from './source.ts';

type Shape = 'string' | 'bool' | 'int' | 'any' | Struct | readonly [Shape] | { readonly map: Shape };

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

interface Struct {
  readonly name: string;
  readonly fields: Readonly<Record<string, Shape>>;
}

function struct(name: string, fields: Readonly<Record<string, Shape>>): Struct {
  return { name, fields };
}

const strings = (names: string): Record<string, Shape> =>
  Object.fromEntries(names.split(' ').map(name => [name, 'string']));
const TEXTS: Shape = ['string'];
const PAIRS: Shape = { map: 'string' };
const GVK = strings('group version kind');
const ID = { ...GVK, ...strings('name namespace') };

const META = struct('ObjectMeta', { ...strings('name namespace'), labels: PAIRS, annotations: PAIRS });
export const FIELD_SPEC = struct('FieldSpec', { ...GVK, path: 'string', create: 'bool' });
const SELECTOR = struct('Selector', { ...ID, ...strings('annotationSelector labelSelector') });
const OPTIONS = struct('GeneratorOptions', {
  labels: PAIRS,
  annotations: PAIRS,
  disableNameSuffixHash: 'bool',
  immutable: 'bool',
});
const GENERATOR: Record<string, Shape> = {
  ...strings('namespace name behavior env'),
  literals: TEXTS,
  files: TEXTS,
  envs: TEXTS,
  options: OPTIONS,
};
const CONFIG_MAP = struct('ConfigMapArgs', GENERATOR);
const SECRET = struct('SecretArgs', { ...GENERATOR, type: 'string' });
export const PATCH = struct('Patch', {
  path: 'string',
  patch: 'string',
  target: SELECTOR,
  options: { map: 'bool' },
});
export const IMAGE = struct('Image', strings('name newName tagSuffix newTag digest'));
const FIELD_OPTIONS = struct('FieldOptions', {
  ...strings('delimiter encoding'),
  index: 'int',
  create: 'bool',
});
const REPLACEMENT_FIELDS: Record<string, Shape> = {
  source: struct('SourceSelector', { ...ID, fieldPath: 'string', options: FIELD_OPTIONS }),
  targets: [
    struct('TargetSelector', {
      select: SELECTOR,
      reject: [SELECTOR],
      fieldPaths: TEXTS,
      options: FIELD_OPTIONS,
    }),
  ],
  sourceValue: 'string',
};
export const REPLACEMENT = struct('Replacement', REPLACEMENT_FIELDS);
const REPLACEMENT_FIELD = struct('ReplacementField', { ...REPLACEMENT_FIELDS, path: 'string' });
const LABEL = struct('Label', {
  pairs: PAIRS,
  includeSelectors: 'bool',
  includeTemplates: 'bool',
  fields: [FIELD_SPEC],
});
const VAR = struct('Var', {
  name: 'string',
  objref: struct('Target', { ...ID, apiVersion: 'string' }),
  fieldref: struct('FieldSelector', { fieldPath: 'string' }),
});
const REPLICA = struct('Replica', { name: 'string', count: 'int' });
const SORT_OPTIONS = struct('SortOptions', {
  order: 'string',
  legacySortOptions: struct('LegacySortOptions', { orderFirst: TEXTS, orderLast: TEXTS }),
});
const HELM_CHART = struct('HelmChart', {
  ...strings('name version repo releaseName namespace valuesFile valuesMerge kubeVersion nameTemplate'),
  additionalValuesFiles: TEXTS,
  valuesInline: { map: 'any' },
  includeCRDs: 'bool',
  skipHooks: 'bool',
  apiVersions: TEXTS,
  skipTests: 'bool',
  debug: 'bool',
  devel: 'bool',
});
const HELM_ARGS = struct('HelmChartArgs', {
  ...strings(
    'chartName chartVersion chartRepoUrl chartHome chartRepoName helmBin helmHome values valuesMerge releaseName releaseNamespace',
  ),
  valuesLocal: { map: 'any' },
  extraArgs: TEXTS,
});

/** What the built-in generators and transformers take, in files of their own. */
export const GENERATOR_FILE = struct('Generator', {
  ...GENERATOR,
  type: 'string',
  metadata: META,
  cloud: 'string',
  kubernetesService: struct('KubernetesService', strings('name namespace')),
  serviceAccount: struct('ServiceAccount', strings('name projectId')),
  ...HELM_CHART.fields,
  chartHome: 'string',
});
export const TRANSFORMER_FILE = struct('Transformer', {
  ...strings('setRoleBindingSubjects path jsonOp patches patch prefix suffix value targetFilePath'),
  metadata: META,
  labels: PAIRS,
  annotations: PAIRS,
  fieldSpecs: [FIELD_SPEC],
  imageTag: IMAGE,
  unsetOnly: 'bool',
  target: SELECTOR,
  paths: TEXTS,
  options: { map: 'bool' },
  replacements: [REPLACEMENT_FIELD],
  replica: REPLICA,
  targets: [struct('Target', { selector: SELECTOR, fieldPath: 'string', filePathPosition: 'int' })],
});

const KUSTOMIZATION = struct('Kustomization', {
  ...strings('apiVersion kind namePrefix nameSuffix namespace'),
  metadata: META,
  openapi: PAIRS,
  commonLabels: PAIRS,
  labels: [LABEL],
  commonAnnotations: PAIRS,
  patchesStrategicMerge: TEXTS,
  patchesJson6902: [PATCH],
  patches: [PATCH],
  images: [IMAGE],
  imageTags: [IMAGE],
  replacements: [REPLACEMENT_FIELD],
  replicas: [REPLICA],
  vars: [VAR],
  sortOptions: SORT_OPTIONS,
  resources: TEXTS,
  components: TEXTS,
  crds: TEXTS,
  bases: TEXTS,
  configMapGenerator: [CONFIG_MAP],
  secretGenerator: [SECRET],
  helmGlobals: struct('HelmGlobals', strings('chartHome configHome')),
  helmCharts: [HELM_CHART],
  helmChartInflationGenerator: [HELM_ARGS],
  generatorOptions: OPTIONS,
  configurations: TEXTS,
  generators: TEXTS,
  transformers: TEXTS,
  validators: TEXTS,
  buildMetadata: TEXTS,
});

type Pairs = Readonly<Record<string, string>>;

export interface GeneratorOptions {
  labels?: Pairs;
  annotations?: Pairs;
  disableNameSuffixHash?: boolean;
  immutable?: boolean;
}

export interface GeneratorArgs {
  readonly namespace?: string;
  readonly name?: string;
  readonly behavior?: string;
  readonly env?: string;
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly options?: GeneratorOptions;
  readonly type?: string;
}

export interface PatchArgs {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: SelectorFields;
  readonly options?: Readonly<Record<string, boolean>>;
}

export interface ImageArgs {
  readonly name?: string;
  readonly newName?: string;
  readonly tagSuffix?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

export interface FieldOptions {
  readonly delimiter?: string;
  readonly index?: number;
  readonly create?: boolean;
}

export interface ReplacementArgs {
  readonly source?: SelectorFields & { readonly fieldPath?: string; readonly options?: FieldOptions };
  readonly targets?: readonly {
    readonly select?: SelectorFields;
    readonly reject?: readonly SelectorFields[];
    readonly fieldPaths?: readonly string[];
    readonly options?: FieldOptions;
  }[];
  readonly sourceValue?: string;
  readonly path?: string;
}

export interface FieldSpecArgs {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly path?: string;
  readonly create?: boolean;
}

export interface LabelArgs {
  readonly pairs?: Pairs;
  readonly includeSelectors?: boolean;
  readonly includeTemplates?: boolean;
  readonly fields?: readonly FieldSpecArgs[];
}

export interface VarArgs {
  readonly name?: string;
  readonly objref?: SelectorFields & { readonly apiVersion?: string };
  readonly fieldref?: { readonly fieldPath?: string };
}

export interface SortOptions {
  readonly order?: string;
  readonly legacySortOptions?: {
    readonly orderFirst?: readonly string[];
    readonly orderLast?: readonly string[];
  };
}

export interface HelmChart {
  readonly name?: string;
  readonly version?: string;
  readonly repo?: string;
  readonly releaseName?: string;
  readonly namespace?: string;
  readonly additionalValuesFiles?: readonly string[];
  readonly valuesFile?: string;
  readonly valuesInline?: Readonly<Record<string, Json>>;
  readonly valuesMerge?: string;
  readonly includeCRDs?: boolean;
  readonly skipHooks?: boolean;
  readonly apiVersions?: readonly string[];
  readonly kubeVersion?: string;
  readonly nameTemplate?: string;
  readonly skipTests?: boolean;
}

export interface Kustomization {
  apiVersion?: string;
  kind?: string;
  readonly openapi?: Pairs;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  readonly commonLabels?: Pairs;
  readonly labels?: readonly LabelArgs[];
  readonly commonAnnotations?: Pairs;
  readonly patchesStrategicMerge?: readonly string[];
  readonly patchesJson6902?: readonly PatchArgs[];
  readonly patches?: readonly PatchArgs[];
  images?: readonly ImageArgs[];
  readonly imageTags?: readonly ImageArgs[];
  readonly replacements?: readonly ReplacementArgs[];
  readonly replicas?: readonly { readonly name?: string; readonly count?: number }[];
  readonly vars?: readonly VarArgs[];
  readonly sortOptions?: SortOptions;
  resources?: readonly string[];
  readonly components?: readonly string[];
  readonly crds?: readonly string[];
  readonly bases?: readonly string[];
  configMapGenerator?: readonly GeneratorArgs[];
  secretGenerator?: readonly GeneratorArgs[];
  helmGlobals?: { readonly chartHome?: string; readonly configHome?: string };
  helmCharts?: readonly HelmChart[];
  readonly helmChartInflationGenerator?: readonly Readonly<Record<string, Json>>[];
  readonly generatorOptions?: GeneratorOptions;
  readonly configurations?: readonly string[];
  readonly generators?: readonly string[];
  readonly transformers?: readonly string[];
  readonly validators?: readonly string[];
  readonly buildMetadata?: readonly string[];
}

/** A kustomization with its places. */
export interface ReadKustomization {
  readonly value: Kustomization;
  readonly warnings: readonly string[];
  /** The node of a field, for its place. */
  nodeAt(...path: readonly (string | number)[]): Node | undefined;
}

/** Where something that a kustomization states was written. */
export type PlaceOf = (...path: readonly (string | number)[]) => Place | undefined;

class Decoder {
  error: string | undefined;
  readonly #strict: boolean;
  readonly #convert: boolean;

  constructor(strict: boolean, convert: boolean) {
    this.#strict = strict;
    this.#convert = convert;
  }

  decode(value: Json, shape: Shape, owner: string, path: readonly string[]): Json | undefined {
    if (value === null) return undefined;
    if (shape === 'any') return value;
    if (typeof shape === 'string') return this.#simple(value, shape, owner, path);
    if (isList(shape)) {
      if (!Array.isArray(value)) return this.#wrong(value, goType(shape), owner, path);
      return value.map(item => this.decode(item, shape[0], owner, path) ?? zero(shape[0]));
    }
    if (typeof value !== 'object' || Array.isArray(value))
      return this.#wrong(value, goType(shape), owner, path);
    const result: { [key: string]: Json } = {};
    const keys = Object.keys(value).sort(compareText);
    if ('map' in shape) {
      const { map } = shape;
      for (const key of keys) {
        const item = this.decode(value[key]!, map, owner, path) ?? zero(map);
        Object.defineProperty(result, key, { value: item, enumerable: true, configurable: true });
      }
      return result;
    }
    const { name, fields } = shape as Struct;
    for (const key of keys) {
      // Go takes a field in any case, where none is spelt so.
      const known = Object.hasOwn(fields, key)
        ? key
        : Object.keys(fields).find(one => one.toLowerCase() === key.toLowerCase());
      if (known === undefined) {
        if (this.#strict) this.error ??= `json: unknown field ${JSON.stringify(key)}`;
        continue;
      }
      const item = this.decode(value[key]!, fields[known]!, name, [...path, known]);
      if (item !== undefined) result[known] = item;
    }
    return result;
  }

  #simple(
    value: Json,
    shape: 'string' | 'bool' | 'int',
    owner: string,
    path: readonly string[],
  ): Json | undefined {
    if (shape === 'string' && typeof value === 'string') return value;
    if (shape === 'string' && this.#convert && typeof value === 'boolean') return String(value);
    if (shape === 'string' && this.#convert && typeof value === 'number')
      return Number.isInteger(value) ? String(value) : goFloat(value);
    if (shape === 'bool' && typeof value === 'boolean') return value;
    if (shape === 'int' && typeof value === 'number' && Number.isSafeInteger(value)) return value;
    const type = shape === 'int' ? (path.at(-1) === 'count' ? 'int64' : 'int') : shape;
    return this.#wrong(value, type, owner, path, shape === 'int');
  }

  #wrong(value: Json, type: string, owner: string, path: readonly string[], showNumber = false): undefined {
    const word = Array.isArray(value)
      ? 'array'
      : typeof value === 'string'
        ? 'string'
        : typeof value === 'boolean'
          ? 'bool'
          : typeof value === 'object'
            ? 'object'
            : showNumber
              ? `number ${value}`
              : 'number';
    this.error ??=
      path.length === 0
        ? `json: cannot unmarshal ${word} into Go value of type types.${owner}`
        : `json: cannot unmarshal ${word} into Go struct field ${owner}.${path.join('.')} of type ${type}`;
    return undefined;
  }
}

function goType(shape: Shape): string {
  if (shape === 'int') return 'int';
  if (shape === 'any') return 'interface {}';
  if (typeof shape === 'string') return shape;
  if (isList(shape)) return `[]${goType(shape[0])}`;
  if ('map' in shape) return `map[string]${goType(shape.map)}`;
  return `types.${(shape as Struct).name}`;
}

function zero(shape: Shape): Json {
  if (shape === 'string') return '';
  if (shape === 'bool') return false;
  if (shape === 'int') return 0;
  if (Array.isArray(shape)) return [];
  return shape === 'any' ? null : {};
}

/**
 * Plain data as a struct.
 *
 * @param strict refuses fields that there are not
 * @param convert makes texts of numbers and booleans, as sigs.k8s.io/yaml does where it knows that a text is wanted
 * @throws BuildError with Go's words
 */
export function decodeAs<T>(
  value: Json,
  shape: Struct | readonly [Struct],
  strict: boolean,
  convert = true,
): T {
  const decoder = new Decoder(strict, convert);
  const owner = Array.isArray(shape) ? (shape[0] as Struct).name : (shape as Struct).name;
  const result = decoder.decode(value, shape as Shape, owner, []);
  if (decoder.error !== undefined) throw new BuildError(decoder.error);
  return (result ?? (Array.isArray(shape) ? [] : {})) as T;
}

const EDIT = "Run 'kustomize edit fix' to update your Kustomization automatically.";
/** The field, what to use instead, and whether the tool can do it. Source: kustomization.go (deprecated…Message). */
const DEPRECATED: readonly (readonly [keyof Kustomization, string, string])[] = [
  ['bases', 'resources', ''],
  ['commonLabels', 'labels', ''],
  ['imageTags', 'images', ''],
  ['patchesJson6902', 'patches', ''],
  ['patchesStrategicMerge', 'patches', ''],
  ['vars', 'replacements', '[EXPERIMENTAL] '],
];

const KUSTOMIZATION_VERSION = 'kustomize.config.k8s.io/v1beta1';
const COMPONENT_VERSION = 'kustomize.config.k8s.io/v1alpha1';

/**
 * Reads a kustomization file.
 *
 * @param folder how errors name its folder
 * @throws BuildError with Kustomize's words
 */
export function readKustomization(source: Source, folder: string): ReadKustomization {
  let node: Node | undefined;
  let value: Kustomization;
  try {
    node = readValueOf(source);
    value = decodeAs<Kustomization>(node === undefined ? null : plainData(node), KUSTOMIZATION, true, false);
  } catch (error) {
    throw prefixed(error, 'invalid Kustomization');
  }
  const warnings = DEPRECATED.filter(([name]) => value[name] !== undefined).map(
    ([name, instead, experimental]) =>
      `# Warning: '${name}' is deprecated. Please use '${instead}' instead. ${experimental}${EDIT}`,
  );
  fix(value);
  if (Object.keys(value).every(name => name === 'apiVersion' || name === 'kind'))
    throw new BuildError('kustomization.yaml is empty');
  const errors: string[] = [];
  if (value.kind !== 'Kustomization' && value.kind !== 'Component')
    errors.push('kind should be Kustomization or Component');
  const required = value.kind === 'Component' ? COMPONENT_VERSION : KUSTOMIZATION_VERSION;
  if (value.apiVersion !== required) errors.push(`apiVersion for ${value.kind} should be ${required}`);
  if (errors.length > 0)
    throw new BuildError(`Failed to read kustomization file under ${folder}:\n${errors.join('\n')}`);
  return {
    value,
    warnings,
    nodeAt: (...path) => path.reduce<Node | undefined>(child, node),
  };
}

function child(node: Node | undefined, step: string | number): Node | undefined {
  if (typeof step === 'number') return node?.kind === 'list' ? node.content[step] : undefined;
  let found: Node | undefined;
  // Of a field that is stated twice, the last one counts; one that is spelt so counts before others.
  let isExact = false;
  for (const [key, value] of fieldsOf(node)) {
    if (key.kind !== 'scalar') continue;
    const name = plainKey(key);
    if (name === step) [found, isExact] = [value, true];
    else if (!isExact && name.toLowerCase() === step.toLowerCase()) found = value;
  }
  return found;
}

/** Deprecated fields become their successors. Source: kustomization.go (FixKustomization). */
function fix(value: Kustomization): void {
  value.kind = value.kind || 'Kustomization';
  value.apiVersion =
    value.apiVersion || (value.kind === 'Component' ? COMPONENT_VERSION : KUSTOMIZATION_VERSION);
  if (value.bases !== undefined) value.resources = [...(value.resources ?? []), ...value.bases];
  if (value.imageTags !== undefined) value.images = [...(value.images ?? []), ...value.imageTags];
  for (const name of ['configMapGenerator', 'secretGenerator'] as const) {
    const list = value[name];
    if (list === undefined) continue;
    value[name] = list.map(args =>
      args.env === undefined || args.env === '' ? args : { ...args, envs: [...(args.envs ?? []), args.env] },
    );
  }
  const old = value.helmChartInflationGenerator ?? [];
  if (old.length === 0) return;
  const text = (args: Readonly<Record<string, Json>>, name: string): string =>
    typeof args[name] === 'string' ? args[name] : '';
  const last = (name: string): string => old.map(args => text(args, name)).findLast(one => one !== '') ?? '';
  if (value.helmGlobals === undefined && (last('chartHome') !== '' || last('helmHome') !== ''))
    value.helmGlobals = { chartHome: last('chartHome'), configHome: last('helmHome') };
  value.helmCharts = [
    ...(value.helmCharts ?? []),
    ...old.map(args => ({
      name: text(args, 'chartName'),
      version: text(args, 'chartVersion'),
      repo: text(args, 'chartRepoUrl'),
      releaseName: text(args, 'releaseName'),
      namespace: text(args, 'releaseNamespace'),
      valuesFile: text(args, 'values'),
      valuesInline: (args['valuesLocal'] ?? {}) as Readonly<Record<string, Json>>,
      valuesMerge: text(args, 'valuesMerge'),
    })),
  ];
}
