/** `helm template` for a chart: pkg/action's renderResources, the sorting of manifests, and what the command prints. */
import { type ReadDocument, readDocuments } from '#yaml/read.ts';
import type { RenderLimits } from './budget.ts';
import { capabilities, filesOf, parseKubeVersion } from './capabilities.ts';
import { type Chart, loadChart } from './chart.ts';
import { coalesceValues, isCompatible, processDependencies, tableAt } from './coalesce.ts';

import { type Renderable, type Rendered, renderAll } from './engine.ts';
import { fileMatcher } from './ignore.ts';
import { basePath } from './paths.ts';
import { goQuote } from './quote.ts';
import { fromPlain, goYamlMessage, type Relocate, readYaml } from './read-values.ts';
import { patternMatches } from './regexes.ts';
import { SchemaNotLocal, schemaErrors } from './schema.ts';
import { type SetKind, setValues } from './set-values.ts';
import type { BranchTaken, LineOrigin, Traced } from './trace.ts';
import {
  compareStrings,
  GoError,
  GoMap,
  GoSlice,
  int,
  sortStrings,
  type Value,
  wellFormed,
} from './value.ts';

export interface ValueFile {
  readonly name: string;
  readonly text: string;
  /** Where its values stand, for values that another file states. */
  readonly relocate?: Relocate;
}

export interface ChartOptions {
  readonly releaseName?: string;
  readonly namespace?: string;
  /** Values files in order, with the names that provenance shows. */
  readonly valueFiles?: readonly ValueFile[];
  readonly setJson?: readonly string[];
  readonly set?: readonly string[];
  readonly setString?: readonly string[];
  readonly setFile?: readonly string[];
  readonly setLiteral?: readonly string[];
  /** Leaves out hooks that are tests. */
  readonly skipTests?: boolean;
  /** Reads a file for `--set-file`. */
  readonly readFile?: (path: string) => string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly includeCrds?: boolean;
  readonly noHooks?: boolean;
  readonly showOnly?: readonly string[];
  readonly skipSchemaValidation?: boolean;
  readonly limits?: RenderLimits;
  /** The chart's folder as reports name it. */
  readonly folder?: string;
  readonly trace?: boolean;
  /** A dependency that is not vendored stops helm; with this the rest is rendered all the same. */
  readonly allowMissing?: boolean;
}

export interface RenderedDocument {
  /** The template, as `# Source:` names it. */
  readonly source: string;
  readonly text: string;
  readonly hooks: readonly string[];
  /** The text, read: `wellFormed` of it, as YAML. */
  readonly read: readonly ReadDocument[];
  /** Where each line of the text came from; none without `trace`. Put together when it is first asked for. */
  readonly lines: readonly LineOrigin[];
  /** False where no line has anything that is new at every run. */
  readonly mayBeNew: boolean;
  readonly branches: readonly BranchTaken[];
}

export interface RenderedChart {
  readonly documents: readonly RenderedDocument[];
  /** What `helm template` prints. */
  readonly text: string;
  readonly warnings: readonly string[];
  /** Something in it is new at every run; only told with `trace`. */
  readonly hasUnresolved: boolean;
  /** Dependencies that are not vendored. */
  readonly missing: readonly { readonly name: string; readonly version: string }[];
  /** Charts whose schema speaks of one that would have to be fetched: their values were not checked against it. */
  readonly unchecked: readonly { readonly chart: string; readonly url: string }[];
  /** Each template's file, by the name that `# Source:` and origins have for it. */
  readonly sources: ReadonlyMap<string, { readonly file: string; readonly archive: boolean }>;
  readonly chart: { readonly name: string; readonly version: string };
}

const INSTALL_ORDER = new Map(
  (
    'PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget ServiceAccount ' +
    'Secret SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole ' +
    'ClusterRoleList ClusterRoleBinding ClusterRoleBindingList Role RoleList RoleBinding RoleBindingList Service DaemonSet ' +
    'Pod ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress ' +
    'APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration'
  )
    .split(' ')
    .map((kind, at) => [kind, at] as const),
);

const HOOKS = new Set([
  'pre-install',
  'post-install',
  'pre-delete',
  'post-delete',
  'pre-upgrade',
  'post-upgrade',
  'pre-rollback',
  'post-rollback',
  'test',
  'test-success',
]);

/** Renders a chart from its files. Throws a GoError whose message is helm's. */
export function renderChartFiles(
  files: ReadonlyMap<string, Uint8Array>,
  options: ChartOptions = {},
): RenderedChart {
  const warnings: string[] = [];
  const warn = (text: string): void => {
    warnings.push(text);
  };
  const kube = options.kubeVersion === undefined ? undefined : checkedKube(options.kubeVersion);
  const values = userValues(options, options.trace === true);
  const chart = loadChart(files, options.folder ?? '', options.trace === true);
  if (chart.metadata.type === 'library') throw new GoError('library charts are not installable');
  const missing = chart.declared
    .filter(one => !chart.dependencies.some(sub => sub.name === one.name))
    .map(({ name, version }) => ({ name, version }));
  if (missing.length > 0 && options.allowMissing !== true)
    throw new GoError(
      `an error occurred while checking for chart dependencies. You may need to run \`helm dependency build\` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: ${missing.map(one => one.name).join(', ')}`,
    );
  if (options.releaseName !== undefined) checkReleaseName(options.releaseName);
  // helm 4 reads charts of version 3, and installs none (pkg/action/install.go).
  if (chart.metadata.apiVersion === 'v3') throw new GoError('invalid chart apiVersion');
  try {
    processDependencies(chart, values, warn);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`chart dependencies processing failed: ${error.message}`);
    throw error;
  }
  const coalesced = coalesceValues(chart, values, warn);
  const unchecked: { readonly chart: string; readonly url: string }[] = [];
  const capable = capabilities(kube, options.apiVersions);
  if (options.skipSchemaValidation !== true) {
    const problems = schemaProblems(
      chart,
      coalesced,
      options.allowMissing === true ? (name, url) => unchecked.push({ chart: name, url }) : undefined,
    );
    if (problems !== '')
      throw new GoError(
        `values don't meet the specifications of the schema(s) in the following chart(s):\n${problems}`,
      );
  }
  const kubeText = kube ?? 'v1.35.0';
  if (chart.metadata.kubeVersion !== '' && !isCompatible(chart.metadata.kubeVersion, kubeText))
    throw new GoError(
      `chart requires kubeVersion: ${chart.metadata.kubeVersion} which is incompatible with Kubernetes ${kubeText}`,
    );
  const release = new GoMap(
    new Map<string, Value>([
      ['Name', options.releaseName ?? 'release-name'],
      ['Namespace', options.namespace ?? 'default'],
      ['IsUpgrade', false],
      ['IsInstall', true],
      ['Revision', int(1)],
      ['Service', 'Helm'],
    ]),
  );
  const templates = new Map<string, Renderable>();
  collect(chart, templates, new GoMap(coalesced.entries, 'common.Values'), coalesced, release, capable);
  if (coalesced.places !== undefined) {
    for (const one of templates.values()) {
      const top = one.values.entries.get('Values');
      if (top instanceof GoMap && top.entries === coalesced.entries) top.places = coalesced.places;
    }
  }
  const rendered = renderAll(templates, {
    ...(options.trace === undefined ? {} : { trace: options.trace }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const { generic, hooks } = sortManifests(rendered.files);
  const documents: RenderedDocument[] = [];
  const out: string[] = [];
  const print = (document: RenderedDocument): void => {
    documents.push(document);
    out.push(`---\n# Source: ${document.source}\n${document.text}\n`);
  };
  if (options.includeCrds === true) for (const crd of crdsOf(chart)) print(crd);
  for (const one of generic) print(one);
  let text = `${trimSpace(out.join(''))}\n`;
  if (options.noHooks !== true) {
    for (const hook of hooks) {
      if (options.skipTests === true && hook.hooks.some(event => event.startsWith('test'))) continue;
      documents.push(hook);
      text += `---\n# Source: ${hook.source}\n${hook.text}\n`;
    }
  }
  if (options.showOnly !== undefined && options.showOnly.length > 0) text = shownOnly(text, options.showOnly);
  return {
    documents,
    text,
    warnings,
    hasUnresolved: rendered.hasUnresolved,
    missing,
    unchecked,
    sources: sourcesOf(chart),
    chart: { name: chart.name, version: chart.version },
  };
}

/** unicode.IsSpace, as strings.TrimSpace takes it: JavaScript's own set, with NEL and without the byte order mark. */
const isSpace = (character: string): boolean =>
  character === '\x85' || (character !== '\ufeff' && character.trim() === '');

function trimSpace(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isSpace(text[from]!)) from++;
  while (to > from && isSpace(text[to - 1]!)) to--;
  return text.slice(from, to);
}

function checkedKube(text: string): string {
  try {
    return parseKubeVersion(text).version;
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`invalid kube version '${text}': ${error.message}`);
    throw error;
  }
}

const RELEASE_NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

/** ValidateReleaseName of pkg/chart/v2/util/validate_name.go, in the words of pkg/action/install.go. */
function checkReleaseName(name: string): void {
  const fail = (why: string): never => {
    throw new GoError(`release name check failed: release name ${goQuote(name)}: ${why}`);
  };
  if (name === '') fail('no name provided');
  // The length comes first: the pattern is quick only with what is short.
  if (name.length > 53 || !new RegExp(RELEASE_NAME).test(name))
    fail(`invalid release name, must match regex ${RELEASE_NAME} and the length must not be longer than 53`);
}

/** The user's values: files, then --set-json, --set, --set-string and --set-file, whatever their order. */
export function userValues(options: ChartOptions, placed = false): GoMap {
  let values = new GoMap();
  for (const { name, text, relocate } of options.valueFiles ?? []) {
    let read: Value;
    try {
      read = readYaml(text, placed ? name : undefined, relocate);
      if (read !== null && !(read instanceof GoMap))
        throw new GoError(
          `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${read instanceof GoSlice ? 'array' : typeof read} into Go value of type map[string]interface {}`,
        );
    } catch (error) {
      if (error instanceof GoError) throw new GoError(`failed to parse ${name}: ${error.message}`);
      throw error;
    }
    if (read instanceof GoMap) values = mergeMaps(values, read);
  }
  const apply = (list: readonly string[] | undefined, kind: SetKind, flag: string): void => {
    for (const text of list ?? []) {
      try {
        if (kind === 'json' && /^\s*\{/.test(text)) {
          const read = readYaml(text);
          if (read instanceof GoMap) values = mergeMaps(values, read);
          continue;
        }
        setValues(text, values, kind, path => {
          if (options.readFile === undefined) throw new GoError(`open ${path}: no file may be read`);
          return options.readFile(path);
        });
      } catch (error) {
        if (error instanceof GoError) {
          // Of JSON that cannot be read, helm does not say why (MergeValues of pkg/cli/values/options.go).
          if (kind === 'json') throw new GoError(`failed parsing ${flag} data ${text}`);
          throw new GoError(
            `failed parsing ${flag} data${kind === 'file' ? ` ${text}` : ''}: ${error.message}`,
          );
        }
        throw error;
      }
    }
  };
  apply(options.setJson, 'json', '--set-json');
  apply(options.set, 'set', '--set');
  apply(options.setString, 'string', '--set-string');
  apply(options.setFile, 'file', '--set-file');
  apply(options.setLiteral, 'literal', '--set-literal');
  return values;
}

/** loader.MergeMaps: the second wins; maps are merged. */
function mergeMaps(a: GoMap, b: GoMap): GoMap {
  const result = new GoMap(new Map(a.entries));
  result.places = new Map(a.places ?? []);
  for (const [key, value] of b.entries) {
    const before = result.entries.get(key);
    result.entries.set(
      key,
      value instanceof GoMap && before instanceof GoMap ? mergeMaps(before, value) : value,
    );
    const place = b.places?.get(key);
    if (place !== undefined) result.places.set(key, place);
  }
  return result;
}

/** recAllTpls: each chart's templates see its own part of the values. */
function collect(
  chart: Chart,
  templates: Map<string, Renderable>,
  values: GoMap,
  _all: GoMap,
  release: Value,
  capable: Value,
): GoMap {
  const subcharts = new GoMap();
  const own: [string, Value][] = [
    ['Chart', metadataOf(chart)],
    ['Files', filesOf(chart.files)],
    ['Release', release],
    ['Capabilities', capable],
    ['Values', values],
    ['Subcharts', subcharts],
  ];
  const scope = (): GoMap => new GoMap(new Map(own), 'common.Values');
  for (const sub of chart.dependencies) {
    const below = tableAt(values, sub.name);
    const subValues = new GoMap(below?.entries ?? new Map(), 'common.Values');
    subValues.places = below?.places;
    subcharts.entries.set(sub.name, collect(sub, templates, subValues, _all, release, capable));
  }
  const shared = scope();
  const base = `${chart.fullPath}/templates`;
  for (const template of chart.templates) {
    if (chart.metadata.type === 'library' && !basePath(template.name).startsWith('_')) continue;
    templates.set(`${chart.fullPath}/${template.name}`, {
      text: template.text,
      values: shared,
      basePath: base,
    });
  }
  return shared;
}

/** `.Chart`: in helm 4 a map with the names of the fields of chart.Metadata. */
function metadataOf(chart: Chart): GoMap {
  const { raw } = chart.metadata;
  const text = (key: string): Value => {
    const value = raw.entries.get(key);
    return typeof value === 'string' ? value : '';
  };
  const list = (key: string): Value => {
    const value = raw.entries.get(key);
    return value instanceof GoSlice ? new GoSlice(value.items, '[]string') : new GoSlice([], '[]string');
  };
  const annotations = raw.entries.get('annotations');
  const maintainers = raw.entries.get('maintainers');
  return new GoMap(
    new Map<string, Value>([
      ['Name', chart.name],
      ['Home', text('home')],
      ['Sources', list('sources')],
      ['Version', chart.metadata.version],
      ['Description', text('description')],
      ['Keywords', list('keywords')],
      [
        'Maintainers',
        new GoSlice(
          maintainers instanceof GoSlice
            ? maintainers.items.map(one => {
                const field = (key: string): Value =>
                  one instanceof GoMap ? (one.entries.get(key) ?? '') : '';
                return new GoMap(
                  new Map([
                    ['Name', field('name')],
                    ['Email', field('email')],
                    ['URL', field('url')],
                  ]),
                );
              })
            : [],
        ),
      ],
      ['Icon', text('icon')],
      ['APIVersion', chart.metadata.apiVersion],
      ['Condition', text('condition')],
      ['Tags', text('tags')],
      ['AppVersion', chart.metadata.appVersion],
      ['Deprecated', raw.entries.get('deprecated') === true],
      [
        'Annotations',
        new GoMap(annotations instanceof GoMap ? annotations.entries : new Map(), 'map[string]string'),
      ],
      ['KubeVersion', chart.metadata.kubeVersion],
      [
        'Dependencies',
        new GoSlice(
          chart.declared.map(
            one =>
              new GoMap(
                new Map<string, Value>([
                  ['Name', one.name],
                  ['Version', one.version],
                  ['Repository', one.repository],
                  ['Condition', one.condition],
                  ['Tags', new GoSlice([...one.tags], '[]string')],
                  ['Enabled', one.enabled],
                  ['ImportValues', new GoSlice([...one.importValues])],
                  ['Alias', one.alias],
                ]),
              ),
          ),
        ),
      ],
      ['Type', chart.metadata.type],
      ['IsRoot', chart.parent === undefined],
    ]),
  );
}

function sourcesOf(
  chart: Chart,
  found = new Map<string, { file: string; archive: boolean }>(),
): typeof found {
  const archive = chart.folder.indexOf('.tgz') >= 0;
  for (const { name } of [...chart.templates, ...chart.files]) {
    const file = archive
      ? chart.folder.replace(/\.tgz.*$/, '.tgz')
      : chart.folder === ''
        ? name
        : `${chart.folder}/${name}`;
    found.set(`${chart.fullPath}/${name}`, { file, archive });
  }
  for (const sub of chart.dependencies) sourcesOf(sub, found);
  return found;
}

/** @param miss told of schemas that would have to be fetched; without it, they are an error */
function schemaProblems(
  chart: Chart,
  values: GoMap,
  miss: ((chart: string, url: string) => void) | undefined,
): string {
  let result = '';
  if (chart.schema !== undefined) {
    try {
      // Numbers of --set are integers of Go: to a schema a number is a number.
      const problems = schemaErrors(chart.schema, fromPlain(toPlain(values)), patternMatches);
      if (problems.length > 0) result += `${chart.name}:\n${problems.map(line => `${line}\n`).join('')}`;
    } catch (error) {
      if (!(error instanceof SchemaNotLocal)) throw error;
      if (miss === undefined) result += `${chart.name}:\n${error.message}\n`;
      else miss(chart.name, error.url);
    }
  }
  for (const sub of chart.dependencies) {
    const below = tableAt(values, sub.name);
    if (below !== undefined) result += schemaProblems(sub, below, miss);
  }
  return result;
}

export function toPlain(value: Value): unknown {
  if (value instanceof GoMap)
    return Object.fromEntries([...value.entries].map(([key, one]) => [key, toPlain(one)]));
  if (value instanceof GoSlice) return value.items.map(toPlain);
  if (typeof value === 'object' && value !== null && 'value' in value) return Number(value.value);
  return value ?? null;
}

function crdsOf(chart: Chart): RenderedDocument[] {
  const own = chart.files
    .filter(file => file.name.startsWith('crds/') && /\.(ya?ml|json)$/i.test(file.name))
    .map(file => ({
      source: `${chart.fullPath}/${file.name}`,
      text: file.text,
      hooks: [],
      get read() {
        return readDocuments(wellFormed(file.text));
      },
      lines: [],
      mayBeNew: false,
      branches: [],
    }));
  return [...own, ...chart.dependencies.flatMap(crdsOf)];
}

class Manifest implements RenderedDocument {
  readonly source: string;
  readonly kind: string;
  readonly name: string;
  readonly hooks: readonly string[];
  readonly weight: number;
  readonly read: readonly ReadDocument[];
  readonly #part: Part;
  readonly #traced: Traced | undefined;
  #lines: readonly LineOrigin[] | undefined;

  constructor(
    source: string,
    part: Part,
    read: readonly ReadDocument[],
    traced: Traced | undefined,
    kind: string,
    name: string,
    hooks: readonly string[],
    weight: number,
  ) {
    this.source = source;
    this.#part = part;
    this.read = read;
    this.#traced = traced;
    this.kind = kind;
    this.name = name;
    this.hooks = hooks;
    this.weight = weight;
  }

  get text(): string {
    return this.#part.text;
  }

  get lines(): readonly LineOrigin[] {
    this.#lines ??= linesOf(this.#traced?.lines, this.#part);
    return this.#lines;
  }

  get mayBeNew(): boolean {
    return this.#traced?.mayBeNew === true;
  }

  get branches(): readonly BranchTaken[] {
    return this.#traced?.branches ?? [];
  }
}

function sortManifests(rendered: ReadonlyMap<string, Rendered>): {
  generic: Manifest[];
  hooks: Manifest[];
} {
  const generic: Manifest[] = [];
  const hooks: Manifest[] = [];
  for (const file of sortStrings([...rendered.keys()])) {
    if (file.endsWith('NOTES.txt')) continue;
    const { text, traced } = rendered.get(file)!;
    if (trimSpace(text) === '') continue;
    for (const part of splitManifests(text)) {
      const whole = wellFormed(part.text);
      const read = readDocuments(whole);
      const { kind, name, annotations } = headOf(read, whole, file);
      const hook = annotations.get('helm.sh/hook');
      if (hook === undefined) {
        generic.push(new Manifest(file, part, read, traced, kind, name, [], 0));
        continue;
      }
      const events = hook.split(',').map(one => one.trim().toLowerCase());
      if (!events.every(event => HOOKS.has(event))) continue;
      const given = annotations.get('helm.sh/hook-weight') ?? '';
      const weight = /^[+-]?\d+$/.test(given) ? Number(given) : 0;
      hooks.push(new Manifest(file, part, read, traced, kind, name, events, weight));
    }
  }
  const order = (a: Manifest, b: Manifest): number => {
    const x = INSTALL_ORDER.get(a.kind);
    const y = INSTALL_ORDER.get(b.kind);
    if (x === undefined && y === undefined) return a.kind === b.kind ? 0 : compareStrings(a.kind, b.kind);
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    return x - y;
  };
  return { generic: generic.sort(order), hooks: hooks.sort(order) };
}

/** The origins of the lines of one document; of the first, what stands before its text is cut off. */
function linesOf(all: readonly LineOrigin[] | undefined, { text, line, column }: Part): LineOrigin[] {
  const lines = all?.slice(line, line + text.split('\n').length) ?? [];
  const [first] = lines;
  if (first !== undefined && column > 0)
    lines[0] = {
      ...first,
      spans: first.spans.map(span => ({ ...span, from: span.from - column, to: span.to - column })),
    };
  return lines;
}

interface Part {
  readonly text: string;
  /** Where it begins in the text that it is a part of, both from 0. */
  readonly line: number;
  readonly column: number;
}

/** SplitManifests: at `---` on a line of its own, or at the start. */
function splitManifests(text: string): Part[] {
  const lead = text.length - text.replace(/^[\t-\r \x85\xa0]+/, '').length;
  const big = trimSpace(text);
  const result: Part[] = [];
  let at = 0;
  let [lines, counted] = [0, 0];
  const add = (from: number, to: number): void => {
    const part = big.slice(from, to);
    if (part === '') return;
    const clean = trimSpace(part);
    const offset = lead + from + (part.length - part.replace(/^[\t-\r \x85\xa0]+/, '').length);
    const before = text.lastIndexOf('\n', offset - 1) + 1;
    for (let next = text.indexOf('\n', counted); next >= 0 && next < offset; ) {
      lines++;
      counted = next + 1;
      next = text.indexOf('\n', counted);
    }
    result.push({ text: clean, line: lines, column: offset - before });
  };
  // (?:^|\s*\n)---\s*, without ever going over the same spaces twice.
  for (let found = big.startsWith('---') ? 0 : big.indexOf('\n---'); found >= 0; ) {
    let from = found;
    while (from > at && isGoBlank(big.charCodeAt(from - 1))) from--;
    add(at, from);
    at = big.indexOf('---', found) + 3;
    while (isGoBlank(big.charCodeAt(at))) at++;
    found = big.indexOf('\n---', at);
  }
  add(at, big.length);
  return result;
}

/** What `\s` stands for in Go's patterns. */
const isGoBlank = (code: number): boolean =>
  code === 32 || code === 10 || code === 9 || code === 13 || code === 12;

interface Head {
  readonly kind: string;
  readonly name: string;
  readonly annotations: ReadonlyMap<string, string>;
}

function headOf(documents: readonly ReadDocument[], text: string, file: string): Head {
  const fail = (message: string): never => {
    throw new GoError(`YAML parse error on ${file}: ${message}`);
  };
  const document = documents.find(one => one.is !== 'empty');
  if (document === undefined) return { kind: '', name: '', annotations: new Map() };
  if (document.is === 'error') return fail(goYamlMessage(document, text));
  const value = document.value;
  const decode = 'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal';
  if (value === null) return { kind: '', name: '', annotations: new Map() };
  if (typeof value !== 'object' || Array.isArray(value)) {
    const type = Array.isArray(value)
      ? 'array'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value === 'bigint'
          ? 'number'
          : typeof value;
    return fail(`${decode} ${type} into Go value of type util.SimpleHead`);
  }
  const record = value as Readonly<Record<string, unknown>>;
  const typeOf = (one: unknown): string =>
    Array.isArray(one)
      ? 'array'
      : typeof one === 'boolean'
        ? 'bool'
        : typeof one === 'bigint'
          ? 'number'
          : typeof one;
  const string = (one: unknown, field: string): string => {
    if (one === null || one === undefined) return '';
    if (typeof one === 'object')
      return fail(`${decode} ${typeOf(one)} into Go struct field ${field} of type string`);
    // sigs.k8s.io/yaml turns any scalar into text where text is wanted.
    return String(one);
  };
  string(record['apiVersion'], 'SimpleHead.apiVersion');
  const kind = string(record['kind'], 'SimpleHead.kind');
  const metadata = record['metadata'];
  const annotations = new Map<string, string>();
  let name = '';
  if (metadata !== null && metadata !== undefined) {
    if (typeof metadata !== 'object' || Array.isArray(metadata))
      return fail(
        `${decode} ${typeOf(metadata)} into Go struct field SimpleHead.metadata of type struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }`,
      );
    name = string((metadata as Record<string, unknown>)['name'], 'SimpleHead.metadata.name');
    const given = (metadata as Record<string, unknown>)['annotations'];
    if (given !== null && given !== undefined) {
      if (typeof given !== 'object' || Array.isArray(given))
        return fail(
          `${decode} ${typeOf(given)} into Go struct field SimpleHead.metadata.annotations of type map[string]string`,
        );
      for (const [key, one] of Object.entries(given))
        annotations.set(key, string(one, 'SimpleHead.metadata.annotations'));
    }
  }
  return { kind, name, annotations };
}

function shownOnly(text: string, files: readonly string[]): string {
  const parts = splitManifests(text);
  const shown: string[] = [];
  for (const file of files) {
    const matches = fileMatcher(file);
    let found = false;
    for (const part of parts) {
      const source = /# Source: [^/]+\/(.+)/.exec(part.text)?.[1];
      if (source === undefined || !matches(source)) continue;
      shown.push(part.text);
      found = true;
    }
    if (!found) throw new GoError(`could not find template ${file} in chart`);
  }
  return shown.map(part => `---\n${part}\n`).join('');
}
