/**
 * What Argo CD and Flux are told to deploy: which folder of the tree, under which name, into which namespace, with which
 * values. Sources: argoproj/argo-cd pkg/apis/application/v1alpha1/types.go and applicationset/generators,
 * fluxcd/kustomize-controller api/v1/kustomization_types.go, fluxcd/helm-controller api/v2/helmrelease_types.go and
 * fluxcd/pkg/chartutil (the order of values).
 */
import { isRecord, type KubeObject } from '#kube/objects.ts';
import type { Declared, Gap } from '#world/world.ts';
import { applicationsOf } from './application-sets.ts';
import { type Deployment, isDeployer, type Tree } from './deployer.ts';

export interface Deployments {
  readonly deployments: readonly Deployment[];
  readonly gaps: readonly Gap[];
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const record = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Follows every object that deploys others. */
export function deploymentsOf(all: readonly Declared[], tree: Tree): Deployments {
  const reader = new DeploymentReader(all, tree);
  for (const declared of all) if (isDeployer(declared.object)) reader.read(declared);
  return reader;
}

class DeploymentReader implements Deployments {
  readonly deployments: Deployment[] = [];
  readonly gaps: Gap[] = [];
  readonly #all: readonly Declared[];
  readonly #tree: Tree;
  readonly #folders = new Set<string>();

  constructor(all: readonly Declared[], tree: Tree) {
    this.#all = all;
    this.#tree = tree;
    for (const name of tree.names)
      for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1))
        this.#folders.add(name.slice(0, at));
  }

  read(declared: Declared): void {
    const { object } = declared;
    const spec = record(object['spec']);
    switch (object.kind) {
      case 'Application':
        this.#application(declared, nameOf(object), spec);
        break;
      case 'ApplicationSet': {
        const { applications, problems } = applicationsOf(spec, this.#tree);
        for (const problem of problems) this.#gap(declared, `${problem}, so what it deploys was not judged`);
        for (const one of applications)
          this.#application(
            declared,
            text(record(one['metadata'])['name']) ?? nameOf(object),
            record(one['spec']),
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

  #application(declared: Declared, name: string, spec: Readonly<Record<string, unknown>>): void {
    const namespace = text(record(spec['destination'])['namespace']);
    const sources = spec['sources'] === undefined ? [spec['source']] : list(spec['sources']);
    for (const source of sources.map(record)) {
      const path = text(source['path']);
      const repo = text(source['repoURL']) ?? 'an unnamed repository';
      const chart = text(source['chart']);
      if (chart !== undefined) {
        const version = text(source['targetRevision']);
        this.#gap(
          declared,
          `chart ${chart}${version === undefined ? '' : ` ${version}`} of ${repo} is outside of what was scanned, so it was not judged`,
        );
        continue;
      }
      // A source that others only take values from.
      if (path === undefined && text(source['ref']) !== undefined) continue;
      const folder = this.#folder(declared, path ?? '.');
      if (folder === undefined) {
        this.#gap(
          declared,
          `${path ?? 'the top'} of ${repo} is outside of what was scanned, so it was not judged`,
        );
        continue;
      }
      const helm = record(source['helm']);
      const unsupported = ['kustomize', 'plugin'].filter(key => Object.keys(record(source[key])).length > 0);
      for (const key of unsupported)
        this.#gap(declared, `its ${key} options are not applied, so ${folder} was judged without them`);
      const values = [
        ...(text(helm['values']) === undefined ? [] : [helm['values']]),
        ...(isRecord(helm['valuesObject']) ? [helm['valuesObject']] : []),
      ];
      this.deployments.push({
        name,
        declared,
        folder,
        releaseName: text(helm['releaseName']) ?? name,
        namespace,
        valueFiles: this.#valueFiles(
          declared,
          folder,
          list(helm['valueFiles']),
          helm['ignoreMissingValueFiles'] === true,
        ),
        values: values.slice(-1),
        parameters: list(helm['parameters'])
          .map(record)
          .map(one => ({
            text: `${String(one['name'])}=${String(one['value'] ?? '')}`,
            string: one['forceString'] === true,
          })),
        substitutions: undefined,
      });
    }
  }

  #valueFiles(declared: Declared, folder: string, files: readonly unknown[], mayMiss: boolean): string[] {
    const found: string[] = [];
    const names = new Set(this.#tree.names);
    for (const file of files) {
      if (typeof file !== 'string') continue;
      const reference = /^\$[^/]+\/(.*)$/.exec(file)?.[1];
      const name =
        reference === undefined && !file.startsWith('/')
          ? joined(folder, file)
          : this.#folder(declared, reference ?? file, names);
      if (name !== undefined && this.#tree.text(name) !== undefined) found.push(name);
      else if (!mayMiss)
        this.#gap(declared, `values file ${file} is not in what was scanned; it was judged without`);
    }
    return found;
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
      } else for (const [key, value] of data) substitutions.set(key, value);
    }
    for (const [key, value] of Object.entries(record(postBuild['substitute'])))
      substitutions.set(key, String(value));
    this.deployments.push({
      name: nameOf(declared.object),
      declared,
      folder,
      releaseName: nameOf(declared.object),
      namespace: text(spec['targetNamespace']),
      valueFiles: [],
      values: [],
      parameters: [],
      substitutions: spec['postBuild'] === undefined ? undefined : substitutions,
    });
  }

  #helmRelease(declared: Declared, spec: Readonly<Record<string, unknown>>): void {
    const { object } = declared;
    const chart = record(record(spec['chart'])['spec']);
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
    const values: unknown[] = [];
    const parameters: { text: string; string: boolean }[] = [];
    for (const from of list(spec['valuesFrom']).map(record)) {
      const key = text(from['valuesKey']) ?? 'values.yaml';
      const value = this.#dataOf(declared, from)?.get(key);
      const target = text(from['targetPath']);
      if (value === undefined) {
        if (from['optional'] !== true)
          this.#gap(
            declared,
            `${describe(from)} with ${key} is not in the input; the chart was judged without it`,
          );
      } else if (target === undefined) values.push(value);
      else parameters.push({ text: `${target}=${value}`, string: false });
    }
    if (isRecord(spec['values'])) values.push(spec['values']);
    const namespace = text(spec['targetNamespace']) ?? text(object.metadata?.namespace);
    const name = nameOf(object);
    const target = text(spec['targetNamespace']);
    this.deployments.push({
      name,
      declared,
      folder,
      releaseName: text(spec['releaseName']) ?? (target === undefined ? name : `${target}-${name}`),
      namespace,
      valueFiles: this.#valueFiles(
        declared,
        '',
        list(chart['valuesFiles']).map(file => `/${String(file)}`),
        chart['ignoreMissingValuesFiles'] === true,
      ),
      values,
      parameters,
      substitutions: undefined,
    });
  }

  /** The data of a ConfigMap or Secret of the input, in the namespace of the object that refers to it. */
  #dataOf(declared: Declared, reference: Readonly<Record<string, unknown>>): Map<string, string> | undefined {
    const namespace = declared.object.metadata?.namespace;
    const found = this.#all.findLast(
      ({ object }) =>
        object.apiVersion === 'v1' &&
        object.kind === reference['kind'] &&
        object.metadata?.name === reference['name'] &&
        (object.metadata?.namespace ?? namespace) === namespace,
    )?.object;
    if (found === undefined) return undefined;
    const data = new Map<string, string>();
    for (const [key, value] of Object.entries(record(found['data'])))
      data.set(
        key,
        found.kind === 'Secret' ? Buffer.from(String(value), 'base64').toString('utf8') : String(value),
      );
    for (const [key, value] of Object.entries(record(found['stringData']))) data.set(key, String(value));
    return data;
  }
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
