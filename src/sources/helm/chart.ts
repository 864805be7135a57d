/** A chart, loaded: pkg/chart/v2 and its loader. A bad chart is an error with the message that helm gives. */
import { readArchive } from './archive.ts';
import { ignoreRules } from './ignore.ts';
import { LazyChartFiles } from './lazy-files.ts';
import { showFloat } from './numbers.ts';
import { basePath } from './paths.ts';
import { readYaml } from './read-values.ts';
import { newVersion } from './semver.ts';
import { compareStrings, GoError, GoMap, GoSlice, sortStrings, stringOf, type Value } from './value.ts';

/** A dependency as Chart.yaml declares it; aliases and conditions change it while values are put together. */
export interface Dependency {
  name: string;
  readonly version: string;
  readonly repository: string;
  readonly condition: string;
  readonly tags: readonly string[];
  readonly alias: string;
  readonly importValues: readonly Value[];
  enabled: boolean;
}

/** A file of a chart. It is read when its text is first asked for: of archives and pictures nobody does. */
export class ChartFile {
  readonly name: string;
  readonly #bytes: () => Uint8Array;
  #text: string | undefined;

  constructor(name: string, bytes: () => Uint8Array) {
    this.name = name;
    this.#bytes = bytes;
  }

  /** Text of bytes: what is no UTF-8 is kept. */
  get text(): string {
    this.#text ??= stringOf(this.#bytes());
    return this.#text;
  }

  /** The same file as a part of a chart inside the chart. */
  named(name: string): ChartFile {
    return new ChartFile(name, this.#bytes);
  }
}

export class Chart {
  name: string;
  readonly metadata: Metadata;
  values: GoMap = new GoMap();
  schema: string | undefined;
  templates: ChartFile[] = [];
  files: ChartFile[] = [];
  declared: Dependency[];
  dependencies: Chart[] = [];
  parent: Chart | undefined;
  /** The folder of the chart among the files that were read, or the archive's name. */
  folder: string;

  constructor(metadata: Metadata, folder: string) {
    this.metadata = metadata;
    this.name = metadata.name;
    this.declared = metadata.dependencies.map(one => ({ ...one }));
    this.folder = folder;
  }

  get version(): string {
    return this.metadata.version;
  }

  get fullPath(): string {
    return this.parent === undefined ? this.name : `${this.parent.fullPath}/charts/${this.name}`;
  }

  setDependencies(charts: Chart[]): void {
    this.dependencies = charts;
    for (const chart of charts) chart.parent = this;
  }

  /** A copy under another name: the same chart may be a dependency twice. */
  copy(alias: string): Chart {
    const copy = new Chart(this.metadata, this.folder);
    copy.name = alias === '' ? this.name : alias;
    copy.values = this.values;
    copy.schema = this.schema;
    copy.templates = this.templates;
    copy.files = this.files;
    copy.declared = this.declared.map(one => ({ ...one }));
    copy.setDependencies(this.dependencies.map(sub => sub.shallow()));
    return copy;
  }

  private shallow(): Chart {
    const copy = new Chart(this.metadata, this.folder);
    copy.name = this.name;
    copy.values = this.values;
    copy.schema = this.schema;
    copy.templates = this.templates;
    copy.files = this.files;
    copy.declared = this.declared;
    copy.setDependencies(this.dependencies.map(sub => sub.shallow()));
    return copy;
  }
}

interface Metadata {
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly appVersion: string;
  readonly kubeVersion: string;
  readonly type: string;
  readonly raw: GoMap;
  readonly dependencies: readonly Dependency[];
}

/** How deep charts may lie in each other, and how many bytes their archives may hold. */
const MAX_DEPTH = 20;

/**
 * Loads a chart from its files, named relative to its folder.
 *
 * @param placed whether to take down where each value was written
 */
export function loadChart(files: ReadonlyMap<string, Uint8Array>, folder = '', placed = false): Chart {
  const ignore = files.get('.helmignore');
  const ignores = ignoreRules(ignore === undefined ? '' : stringOf(ignore));
  const kept: ChartFile[] = [];
  for (const name of inWalkOrder(files.keys())) {
    if (ignores(name)) continue;
    kept.push(new ChartFile(name, () => withoutMark(files.get(name)!)));
  }
  const chart = loadFiles(kept, folder, 0, name => files.get(name), placed);
  // Templates are about to be read, and tell then.
  if (files instanceof LazyChartFiles)
    for (const { name } of kept) if (!TEMPLATE.test(name)) files.check(name);
  return chart;
}

const TEMPLATE = /(?:^|\/)templates\//;

/** The loader of folders takes a byte order mark away. */
const withoutMark = (data: Uint8Array): Uint8Array =>
  data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data;

/** The order in which filepath.Walk goes: names of a folder in order, a folder's content at its place. */
function inWalkOrder(names: Iterable<string>): string[] {
  // No name holds a zero, which comes before all that names hold.
  return sortStrings(Array.from(names, name => name.replaceAll('/', '\0'))).map(name =>
    name.replaceAll('\0', '/'),
  );
}

function loadFiles(
  files: readonly ChartFile[],
  folder: string,
  depth: number,
  bytes: (name: string) => Uint8Array | undefined,
  placed: boolean,
): Chart {
  if (depth > MAX_DEPTH) throw new GoError(`charts lie in each other more than ${MAX_DEPTH} deep`);
  const chartFile = files.find(file => file.name === 'Chart.yaml');
  let raw: GoMap | undefined;
  if (chartFile !== undefined) {
    raw = readMap(chartFile.text, 'cannot load Chart.yaml');
    const version = text(raw, 'apiVersion');
    // helm's loader asks at the top alone (pkg/chart/loader).
    if (depth === 0 && !/^(?:v[123])?$/.test(version)) throw new GoError('unsupported chart version');
    if (version === '') raw.entries.set('apiVersion', 'v1');
  }
  const requirements = files.find(file => file.name === 'requirements.yaml');
  if (requirements !== undefined) {
    const more = readMap(requirements.text, 'cannot load requirements.yaml');
    raw ??= new GoMap();
    for (const [key, value] of more.entries) raw.entries.set(key, value);
  }
  let values: GoMap | undefined;
  const valuesFile = files.find(file => file.name === 'values.yaml');
  if (valuesFile !== undefined) {
    try {
      const name = folder === '' ? 'values.yaml' : `${folder}/values.yaml`;
      const read = readYaml(valuesFile.text, placed ? name : undefined);
      if (read !== null && !(read instanceof GoMap))
        throw new GoError(
          `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${read instanceof GoSlice ? 'array' : typeof read} into Go value of type map[string]interface {}`,
        );
      values = read === null ? new GoMap() : (read as GoMap);
    } catch (error) {
      if (error instanceof GoError) throw new GoError(`cannot load values.yaml: ${error.message}`);
      throw error;
    }
  }
  if (raw === undefined) throw new GoError('Chart.yaml file is missing');
  const metadata = validate(raw);
  const chart = new Chart(metadata, folder);
  chart.values = values ?? new GoMap();
  const subcharts = new Map<string, ChartFile[]>();
  for (const file of files) {
    const { name } = file;
    if (name === 'Chart.yaml' || name === 'values.yaml' || name === 'Chart.lock') continue;
    if (name === 'values.schema.json') chart.schema = file.text;
    else if (name === 'requirements.yaml' || name === 'requirements.lock') {
      if (metadata.apiVersion === 'v1') chart.files.push(file);
    } else if (name.startsWith('templates/')) chart.templates.push(file);
    else if (name.startsWith('charts/')) {
      if (name.endsWith('.prov')) {
        chart.files.push(file);
        continue;
      }
      const inner = name.slice('charts/'.length);
      const first = inner.split('/')[0]!;
      const list = subcharts.get(first) ?? [];
      list.push(file.named(inner));
      subcharts.set(first, list);
    } else chart.files.push(file);
  }
  const loaded: Chart[] = [];
  for (const [name, list] of [...subcharts].sort(([a], [b]) => compareStrings(a, b))) {
    if (name.startsWith('_') || name.startsWith('.')) continue;
    try {
      if (name.endsWith('.tgz')) {
        if (list[0]!.name !== name) throw new GoError(`expected ${name}, got ${list[0]!.name}`);
        const archive = bytes(`charts/${name}`);
        if (archive === undefined) throw new GoError('the archive is not there');
        const unpacked = readArchive(archive);
        loaded.push(
          loadFiles(
            [...unpacked].map(([inner, data]) => new ChartFile(inner, () => data)),
            `${folder === '' ? '' : `${folder}/`}charts/${name}`,
            depth + 1,
            inner => unpacked.get(inner),
            placed,
          ),
        );
      } else {
        const inner = list
          .filter(file => file.name.includes('/'))
          .map(file => file.named(file.name.slice(name.length + 1)));
        loaded.push(
          loadFiles(
            inner,
            `${folder === '' ? '' : `${folder}/`}charts/${name}`,
            depth + 1,
            file => bytes(`charts/${name}/${file}`),
            placed,
          ),
        );
      }
    } catch (error) {
      if (error instanceof GoError)
        throw new GoError(`error unpacking subchart ${name} in ${chart.name}: ${error.message}`);
      throw error;
    }
  }
  chart.setDependencies(loaded);
  return chart;
}

function readMap(source: string, what: string): GoMap {
  try {
    const value = readYaml(source);
    if (value === null) return new GoMap();
    if (value instanceof GoMap) return value;
    throw new GoError(
      `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${value instanceof GoSlice ? 'array' : typeof value} into Go value of type v2.Metadata`,
    );
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`${what}: ${error.message}`);
    throw error;
  }
}

function text(map: GoMap, key: string): string {
  const value = map.entries.get(key);
  if (value === null || value === undefined) return '';
  // sigs.k8s.io/yaml turns any scalar into text where text is wanted.
  if (typeof value === 'number') return showFloat(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') {
    const type = value instanceof GoSlice ? 'array' : 'object';
    throw new GoError(
      `cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${type} into Go struct field Metadata.${key} of type string`,
    );
  }
  return sanitized(value);
}

/** sanitizeString: what is not printable is taken out, spaces of any kind become a space. */
const sanitized = (value: string): string =>
  // Unicode's classes take milliseconds to compile: nearly every text does without.
  /^[ -~]*$/.test(value)
    ? value
    : value
        .replace(/[\t-\r\x85\xa0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g, ' ')
        .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '');

const invalid = (message: string): never => {
  throw new GoError(`validation: ${message}`);
};

function validate(raw: GoMap): Metadata {
  const name = text(raw, 'name');
  const version = text(raw, 'version');
  if (text(raw, 'apiVersion') === '') invalid('chart.metadata.apiVersion is required');
  if (name === '') invalid('chart.metadata.name is required');
  if (name === '.' || name === '..') invalid(`chart.metadata.name "${name}" is not allowed`);
  if (name !== basePath(name)) invalid(`chart.metadata.name "${name}" is invalid`);
  if (version === '') invalid('chart.metadata.version is required');
  try {
    newVersion(version);
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    invalid(`chart.metadata.version "${version}" is invalid`);
  }
  const type = text(raw, 'type');
  if (type !== '' && type !== 'application' && type !== 'library')
    invalid('chart.metadata.type must be application or library');
  const list = raw.entries.get('dependencies');
  const dependencies: Dependency[] = [];
  const seen = new Set<string>();
  if (list instanceof GoSlice) {
    for (const item of list.items) {
      if (!(item instanceof GoMap)) return invalid('dependencies must not contain empty or null nodes');
      const tags = item.entries.get('tags');
      const imports = item.entries.get('import-values');
      const one: Dependency = {
        name: text(item, 'name'),
        version: text(item, 'version'),
        repository: text(item, 'repository'),
        condition: text(item, 'condition'),
        tags: tags instanceof GoSlice ? tags.items.filter(tag => typeof tag === 'string') : [],
        alias: text(item, 'alias'),
        importValues: imports instanceof GoSlice ? imports.items : [],
        enabled: false,
      };
      if (one.alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(one.alias))
        invalid(`dependency "${one.name}" has disallowed characters in the alias`);
      const key = one.alias === '' ? one.name : one.alias;
      if (seen.has(key)) invalid(`more than one dependency with name or alias "${key}"`);
      seen.add(key);
      dependencies.push(one);
    }
  }
  return {
    name,
    version,
    apiVersion: text(raw, 'apiVersion'),
    appVersion: text(raw, 'appVersion'),
    kubeVersion: text(raw, 'kubeVersion'),
    type,
    raw,
    dependencies,
  };
}
