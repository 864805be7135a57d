/**
 * What Argo CD and Flux are told to deploy: which folder of the tree, under which name, into which namespace, with which
 * values. Sources: argoproj/argo-cd pkg/apis/application/v1alpha1/types.go and reposerver/repository/repository.go,
 * fluxcd/kustomize-controller api/v1/kustomization_types.go, fluxcd/helm-controller api/v2/helmrelease_types.go and
 * fluxcd/pkg/chartutil (the order of values).
 */
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import { writeJson } from '#sources/helm/json.ts';
import { setValues } from '#sources/helm/set-values.ts';
import { GoError, GoMap } from '#sources/helm/value.ts';
import { foldersOf } from '#sources/kustomize/files.ts';
import type { Declared, Gap } from '#world/world.ts';
import { type Applications, applicationsOf } from './application-sets.ts';
import {
  type CommonMetadata,
  type Deployment,
  isDeployer,
  type StatedValues,
  type Tree,
} from './deployer.ts';
import { argoOverrides, fluxOverrides, list, pairs } from './overrides.ts';
import { isPattern, matcherOf } from './value-files.ts';

export interface Deployments {
  readonly deployments: readonly Deployment[];
  readonly gaps: readonly Gap[];
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const record = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});

/** Follows every object that deploys others. */
export function deploymentsOf(all: readonly Declared[], tree: Tree): Deployments {
  const reader = new DeploymentReader(all, tree);
  for (const declared of all) if (isDeployer(declared.object)) reader.read(declared);
  return { deployments: distinct(reader.deployments), gaps: reader.gaps };
}

/** Two objects of one name, for two clusters perhaps, are two environments. */
function distinct(deployments: readonly Deployment[]): Deployment[] {
  const objects = new Map<string, Set<Declared>>();
  for (const { name, declared } of deployments)
    objects.set(name, (objects.get(name) ?? new Set()).add(declared));
  return deployments.map(one => {
    if (objects.get(one.name)!.size === 1) return one;
    const { file, line } = one.declared.origin;
    const isAlone = [...objects.get(one.name)!].every(
      other => other === one.declared || other.origin.file !== file,
    );
    return { ...one, name: `${one.name} of ${file}${isAlone ? '' : `:${line}`}` };
  });
}

class DeploymentReader implements Deployments {
  readonly deployments: Deployment[] = [];
  readonly gaps: Gap[] = [];
  readonly #all: readonly Declared[];
  readonly #tree: Tree;
  readonly #folders: ReadonlySet<string>;

  constructor(all: readonly Declared[], tree: Tree) {
    this.#all = all;
    this.#tree = tree;
    this.#folders = foldersOf(tree.names);
  }

  read(declared: Declared): void {
    const { object } = declared;
    const spec = record(object['spec']);
    switch (object.kind) {
      case 'Application':
        this.#application(declared, nameOf(object), spec, ['spec']);
        break;
      case 'ApplicationSet': {
        const { applications, problems } = this.#applicationsOf(declared, spec);
        for (const problem of problems) this.#gap(declared, `${problem}, so what it deploys was not judged`);
        for (const one of applications)
          this.#application(
            declared,
            text(record(one['metadata'])['name']) ?? nameOf(object),
            record(one['spec']),
            ['spec', 'template', 'spec'],
          );
        break;
      }
      case 'Kustomization':
        this.#fluxKustomization(declared, spec);
        break;
      default:
        this.#helmRelease(declared, spec);
    }
  }

  #gap(declared: Declared, reason: string): void {
    const { file, line } = declared.origin;
    const { object } = declared;
    this.gaps.push({ file, line, reason: `${object.kind} ${nameOf(object)}: ${reason}` });
  }

  /**
   * A folder of the repository that holds the object: its paths begin at the top of the repository, which is one of the
   * folders above the object.
   */
  #folder(declared: Declared, path: string, has: ReadonlySet<string> = this.#folders): string | undefined {
    const clean = path
      .split('/')
      .filter(part => part !== '' && part !== '.')
      .join('/');
    if (clean.split('/').includes('..')) return undefined;
    let above = declared.origin.file;
    while (above.includes('/')) {
      above = above.slice(0, above.lastIndexOf('/'));
      const found = clean === '' ? above : `${above}/${clean}`;
      if (has.has(found)) return found;
    }
    return has.has(clean) ? clean : undefined;
  }

  /** Git generators look from the top of the repository, which is one of the folders above the object. */
  #applicationsOf(declared: Declared, spec: Readonly<Record<string, unknown>>): Applications {
    const above: string[] = [];
    for (let file = declared.origin.file; file.includes('/'); ) {
      file = file.slice(0, file.lastIndexOf('/'));
      above.push(file);
    }
    if (JSON.stringify(spec['generators'] ?? []).includes('"git"'))
      for (const base of above) {
        const found = applicationsOf(spec, this.#tree, base);
        if (found.applications.length > 0) return found;
      }
    return applicationsOf(spec, this.#tree);
  }

  /** @param at where in the object the spec stands */
  #application(declared: Declared, name: string, spec: Readonly<Record<string, unknown>>, at: Path): void {
    const destination = record(spec['destination']);
    const namespace = text(destination['namespace']);
    const cluster = text(destination['server']) ?? text(destination['name']);
    const many = list(spec['sources']);
    const sources: (readonly [source: unknown, path: Path])[] =
      many.length === 0
        ? [[spec['source'], [...at, 'source']]]
        : many.map((source, i) => [source, [...at, 'sources', i]]);
    const refs = new Set(sources.flatMap(([one]) => text(record(one)['ref']) ?? []));
    for (const [one, path] of sources) {
      const source = record(one);
      const known = {
        ARGOCD_APP_NAME: name,
        ARGOCD_APP_NAMESPACE: namespace ?? '',
        ARGOCD_APP_PROJECT_NAME: text(spec['project']) ?? '',
        ARGOCD_APP_SOURCE_PATH: text(source['path']),
        ARGOCD_APP_SOURCE_REPO_URL: text(source['repoURL']),
        ARGOCD_APP_SOURCE_TARGET_REVISION: text(source['targetRevision']),
      };
      this.#source(declared, name, source, { namespace, cluster, refs, text: filling(known) }, path);
    }
  }

  #source(
    declared: Declared,
    name: string,
    source: Readonly<Record<string, unknown>>,
    into: ArgoSource & { readonly namespace: string | undefined; readonly cluster: string | undefined },
    at: Path,
  ): void {
    const { namespace, cluster, text: fill } = into;
    const path = text(source['path']);
    const repo = text(source['repoURL']) ?? 'an unnamed repository';
    const chart = text(source['chart']);
    if (chart !== undefined) {
      const version = text(source['targetRevision']);
      this.#gap(
        declared,
        `chart ${chart}${version === undefined ? '' : ` ${version}`} of ${repo} is outside of what was scanned, so it was not judged`,
      );
      return;
    }
    // A source that others only take values from.
    if (path === undefined && text(source['ref']) !== undefined) return;
    const folder = this.#folder(declared, path ?? '.');
    if (folder === undefined) {
      this.#gap(
        declared,
        `${path ?? 'the top'} of ${repo} is outside of what was scanned, so it was not judged`,
      );
      return;
    }
    const helm = record(source['helm']);
    const kustomize = record(source['kustomize']);
    for (const key of ['plugin', 'directory'])
      if (Object.keys(record(source[key])).some(option => option !== 'recurse'))
        this.#gap(declared, `its ${key} options are not applied, so ${folder} was judged without them`);
    // What is stated as an object counts, and the text is not read (ApplicationSourceHelm.ValuesYAML).
    const values: StatedValues[] = isRecord(helm['valuesObject'])
      ? [{ value: helm['valuesObject'], declared, path: [...at, 'helm', 'valuesObject'] }]
      : text(helm['values']) === undefined
        ? []
        : [{ value: helm['values'], declared, path: [...at, 'helm', 'values'] }];
    const apiVersions = [...list(helm['apiVersions']), ...list(kustomize['apiVersions'])].map(String);
    const kubeVersion = text(helm['kubeVersion']) ?? text(kustomize['kubeVersion']);
    this.deployments.push({
      name,
      declared,
      cluster,
      folder,
      releaseName: text(helm['releaseName']) ?? name,
      namespace: text(helm['namespace']) ?? namespace,
      valueFiles: this.#valueFiles(
        declared,
        folder,
        list(helm['valueFiles']),
        helm['ignoreMissingValueFiles'] === true,
        into,
      ),
      values,
      parameters: [
        ...list(helm['parameters'])
          .map(record)
          .map(one => ({
            text: `${fill(String(one['name']))}=${withoutCommas(fill(String(one['value'] ?? '')))}`,
            kind: one['forceString'] === true ? ('string' as const) : ('set' as const),
          })),
        ...list(helm['fileParameters'])
          .map(record)
          .flatMap(one =>
            this.#valueFiles(declared, folder, [one['path']], false, into).map(file => ({
              text: `${String(one['name'])}=${file}`,
              kind: 'file' as const,
            })),
          ),
      ],
      chart: {
        ...(kubeVersion === undefined ? {} : { kubeVersion }),
        ...(apiVersions.length === 0 ? {} : { apiVersions }),
        ...(helm['skipSchemaValidation'] === true ? { skipSchemaValidation: true } : {}),
        ...(helm['skipTests'] === true ? { skipTests: true } : {}),
      },
      substitutions: undefined,
      overrides: argoOverrides(kustomize, declared, [...at, 'kustomize'], folder, this.#folders),
      replacesDefaults: false,
      commonMetadata: undefined,
      postRenderers: [],
      isDeep: record(source['directory'])['recurse'] === true,
    });
  }

  /**
   * The values files of the tree, in order. A pattern stands for all that match, but for those that are named
   * themselves; what is there twice counts where it first is. Source: argoproj/argo-cd reposerver/repository
   * (ValueFileResolver).
   */
  #valueFiles(
    declared: Declared,
    folder: string,
    files: readonly unknown[],
    mayMiss: boolean,
    { refs, text: fill }: ArgoSource = PLAIN,
  ): string[] {
    const names = new Set(files.length === 0 ? [] : this.#tree.names);
    const stated = files
      .filter(file => typeof file === 'string')
      .map(file => {
        const reference = /^\$([^/]+)\/(.*)$/.exec(file);
        const isOf = reference !== null && refs?.has(reference[1]!) === true;
        const path = fill(isOf ? `/${reference[2]!}` : file);
        return { file, path };
      });
    const placeOf = (path: string): string | undefined =>
      path.startsWith('/') ? this.#folder(declared, path, names) : joined(folder, path);
    const explicit = new Set(stated.flatMap(({ path }) => (isPattern(path) ? [] : (placeOf(path) ?? []))));
    const found = new Set<string>();
    for (const { file, path } of stated) {
      const matches = isPattern(path)
        ? this.#matching(declared, folder, path).filter(name => !explicit.has(name))
        : [placeOf(path)].filter(name => name !== undefined && this.#tree.text(name) !== undefined);
      for (const name of matches) found.add(name!);
      if (
        matches.length === 0 &&
        !mayMiss &&
        !(isPattern(path) && this.#matching(declared, folder, path).length > 0)
      )
        this.#gap(declared, `values file ${file} is not in what was scanned; it was judged without`);
    }
    return [...found];
  }

  /** The files that a pattern means, sorted: from a folder, or from the top of the repository. */
  #matching(declared: Declared, folder: string, pattern: string): string[] {
    const from = (base: string, path: string): string[] => {
      const whole = joined(base, path);
      if (whole === undefined) return [];
      const matches = matcherOf(whole);
      return this.#tree.names.filter(matches).sort();
    };
    if (!pattern.startsWith('/')) return from(folder, pattern);
    for (let above = declared.origin.file; above.includes('/'); ) {
      above = above.slice(0, above.lastIndexOf('/'));
      const found = from(above, pattern);
      if (found.length > 0) return found;
    }
    return from('', pattern);
  }

  #fluxKustomization(declared: Declared, spec: Readonly<Record<string, unknown>>): void {
    const path = text(spec['path']) ?? '.';
    const kind = text(record(spec['sourceRef'])['kind']) ?? 'GitRepository';
    const folder = kind === 'GitRepository' ? this.#folder(declared, path) : undefined;
    if (folder === undefined) {
      this.#gap(
        declared,
        `${path} of ${sourceOf(spec['sourceRef'])} is outside of what was scanned, so it was not judged`,
      );
      return;
    }
    const postBuild = record(spec['postBuild']);
    const substitutions = new Map<string, string>();
    for (const reference of list(postBuild['substituteFrom']).map(record)) {
      const data = this.#dataOf(declared, reference);
      if (data === undefined) {
        if (reference['optional'] !== true)
          this.#gap(
            declared,
            `${describe(reference)} is not in the input, so its substitutions are not known`,
          );
      } else for (const [key, value] of data.entries) substitutions.set(key, value);
    }
    for (const [key, value] of Object.entries(record(postBuild['substitute'])))
      substitutions.set(key, String(value));
    this.deployments.push({
      name: nameOf(declared.object),
      declared,
      cluster: fluxCluster(declared, spec),
      folder,
      releaseName: nameOf(declared.object),
      namespace: text(spec['targetNamespace']),
      valueFiles: [],
      values: [],
      parameters: [],
      chart: {},
      substitutions: spec['postBuild'] === undefined ? undefined : substitutions,
      overrides: fluxOverrides(spec, declared, folder, this.#folders),
      replacesDefaults: false,
      commonMetadata: commonMetadataOf(spec),
      postRenderers: [],
      isDeep: true,
    });
  }

  #helmRelease(declared: Declared, spec: Readonly<Record<string, unknown>>): void {
    const { object } = declared;
    const chart = this.#chartOf(declared, spec);
    const path = text(chart['chart']);
    const reference = chart['sourceRef'] ?? spec['chartRef'];
    const folder =
      path !== undefined && record(reference)['kind'] === 'GitRepository'
        ? this.#folder(declared, path)
        : undefined;
    if (folder === undefined) {
      this.#gap(
        declared,
        `chart ${path === undefined ? '' : `${path} `}of ${sourceOf(reference)} is outside of what was scanned, so it was not judged`,
      );
      return;
    }
    const values: StatedValues[] = [];
    for (const from of list(spec['valuesFrom']).map(record)) {
      const key = text(from['valuesKey']) ?? 'values.yaml';
      const data = this.#dataOf(declared, from);
      const value = data?.entries.get(key);
      const target = text(from['targetPath']);
      if (value === undefined) {
        if (from['optional'] !== true)
          this.#gap(
            declared,
            `${describe(from)} with ${key} is not in the input; the chart was judged without it`,
          );
        continue;
      }
      const at = { declared: data!.declared, path: [data!.fieldOf(key), key] };
      try {
        values.push({ ...at, value: target === undefined ? value : valueAtTarget(target, value) });
      } catch (error) {
        if (!(error instanceof GoError)) throw error;
        this.#gap(
          declared,
          `targetPath ${target} is none: ${error.message}; the chart was judged without it`,
        );
      }
    }
    // Files stand in the place of the chart's own values, which count only where they are among them.
    const valueFiles = this.#valueFiles(
      declared,
      '',
      list(chart['valuesFiles']).map(file => `/${String(file)}`),
      chart['ignoreMissingValuesFiles'] === true,
    );
    if (isRecord(spec['values'])) values.push({ value: spec['values'], declared, path: ['spec', 'values'] });
    const namespace = text(spec['targetNamespace']) ?? text(object.metadata?.namespace);
    const name = nameOf(object);
    const target = text(spec['targetNamespace']);
    this.deployments.push({
      name,
      declared,
      cluster: fluxCluster(declared, spec),
      folder,
      releaseName: shortened(
        text(spec['releaseName']) ?? (target === undefined ? name : `${target}-${name}`),
      ),
      namespace,
      valueFiles,
      values,
      parameters: [],
      chart: {},
      substitutions: undefined,
      overrides: undefined,
      replacesDefaults: valueFiles.length > 0,
      commonMetadata: commonMetadataOf(spec),
      postRenderers: list(spec['postRenderers'])
        .map(record)
        .flatMap(({ kustomize }, i) =>
          isRecord(kustomize)
            ? [{ options: kustomize, path: ['spec', 'postRenderers', i, 'kustomize'] }]
            : [],
        ),
      isDeep: true,
    });
  }

  /** What a release says of its chart: itself, or through a HelmChart of the input. */
  #chartOf(declared: Declared, spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const reference = record(spec['chartRef']);
    if (reference['kind'] !== 'HelmChart') return record(record(spec['chart'])['spec']);
    const own = declared.object.metadata?.namespace;
    const wanted = text(reference['namespace']) ?? own;
    const found = this.#all.findLast(
      ({ object }) =>
        object.apiVersion.startsWith('source.toolkit.fluxcd.io/') &&
        object.kind === 'HelmChart' &&
        object.metadata?.name === reference['name'] &&
        (object.metadata?.namespace ?? own) === wanted,
    );
    return record(found?.object['spec']);
  }

  /** The data of a ConfigMap or Secret of the input, in the namespace of the object that refers to it. */
  #dataOf(declared: Declared, reference: Readonly<Record<string, unknown>>): StatedData | undefined {
    const namespace = declared.object.metadata?.namespace;
    const found = this.#all.findLast(
      ({ object }) =>
        object.apiVersion === 'v1' &&
        object.kind === reference['kind'] &&
        object.metadata?.name === reference['name'] &&
        (object.metadata?.namespace ?? namespace) === namespace,
    );
    if (found === undefined) return undefined;
    const { object } = found;
    const entries = new Map<string, string>();
    for (const [key, value] of Object.entries(record(object['data'])))
      entries.set(
        key,
        object.kind === 'Secret' ? Buffer.from(String(value), 'base64').toString('utf8') : String(value),
      );
    const texts = record(object['stringData']);
    for (const [key, value] of Object.entries(texts)) entries.set(key, String(value));
    return {
      declared: found,
      entries,
      fieldOf: key => (Object.hasOwn(texts, key) ? 'stringData' : 'data'),
    };
  }
}

/** How the paths and parameters of a source are read. */
interface ArgoSource {
  /** Sources that files may be taken from: `$ref/path`. */
  readonly refs?: ReadonlySet<string>;
  readonly text: (stated: string) => string;
}

const PLAIN: ArgoSource = { text: stated => stated };

/**
 * `$NAME` and `${NAME}` of Argo CD's build environment; one that it does not have is empty, and `$$` is a dollar. What
 * only a cluster knows stays as it is. Source: pkg/apis/application/v1alpha1 (Env.Envsubst), reposerver/repository
 * (newEnv).
 */
function filling(known: Readonly<Record<string, string | undefined>>): (stated: string) => string {
  return stated =>
    stated.includes('$')
      ? stated.replace(/\$(?:\{([^}]*)\}|(\w+)|(\$))/g, (whole, braced, bare, dollar) => {
          if (dollar !== undefined) return '$';
          const name = String(braced ?? bare);
          return /^(?:ARGOCD_APP_(?:REVISION|PARAMETERS|SOURCE_HELM)|KUBE_)/.test(name)
            ? whole
            : (known[name] ?? '');
        })
      : stated;
}

/** What a ConfigMap or Secret holds. */
interface StatedData {
  readonly declared: Declared;
  readonly entries: ReadonlyMap<string, string>;
  readonly fieldOf: (key: string) => 'data' | 'stringData';
}

/** Commas do not part the values of parameters, but those in braces (util/helm/cmd.go, cleanSetParameters). */
function withoutCommas(value: string): string {
  return value.startsWith('{') && value.endsWith('}') ? value : value.replace(/(^|[^\\]),/g, '$1\\,');
}

function commonMetadataOf(spec: Readonly<Record<string, unknown>>): CommonMetadata | undefined {
  const { labels, annotations } = record(spec['commonMetadata']);
  const common = { labels: pairs(labels) ?? {}, annotations: pairs(annotations) ?? {} };
  return Object.keys({ ...common.labels, ...common.annotations }).length === 0 ? undefined : common;
}

/**
 * A value at a path as `--set` has it; one in quotes stays a text. Source: fluxcd/pkg chartutil/values.go
 * (ReplacePathValue).
 *
 * @throws GoError for what is no path
 */
function valueAtTarget(target: string, value: string): unknown {
  const isQuoted = /^'.*'$|^".*"$/s.test(value);
  const into = new GoMap();
  setValues(
    `${target}=${isQuoted ? value.replace(/^['"]+|['"]+$/g, '') : value}`,
    into,
    isQuoted ? 'string' : 'set',
  );
  return JSON.parse(writeJson(into));
}

/** Flux deploys to the cluster that it runs in, which is that of the objects beside it, or to the one it has the key of. */
function fluxCluster({ origin }: Declared, spec: Readonly<Record<string, unknown>>): string {
  const key = record(spec['kubeConfig']);
  const folder = origin.file.slice(0, Math.max(0, origin.file.lastIndexOf('/')));
  const named = record(key['secretRef'])['name'] ?? record(key['configMapRef'])['name'];
  return named === undefined ? folder : `${folder} ${String(named)}`;
}

function nameOf({ metadata }: KubeObject): string {
  return typeof metadata?.name === 'string' ? metadata.name : 'without a name';
}

function describe(reference: Readonly<Record<string, unknown>>): string {
  return `${String(reference['kind'])} ${String(reference['name'])}`;
}

function sourceOf(reference: unknown): string {
  return isRecord(reference) ? describe(reference) : 'an unnamed source';
}

/** A path relative to a folder; undefined where it leads out of everything. */
function joined(folder: string, path: string): string | undefined {
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

/** ShortenName of internal/release/name.go of Flux's helm-controller: helm takes no longer name. */
function shortened(releaseName: string): string {
  if (releaseName.length <= 53) return releaseName;
  const sum = process.getBuiltinModule('node:crypto').createHash('sha256').update(releaseName).digest('hex');
  return `${releaseName.slice(0, 40)}-${sum.slice(0, 12)}`;
}
