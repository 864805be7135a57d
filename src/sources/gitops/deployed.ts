/** Objects as a deployment leaves them: with its namespace, and its variables filled in. */
import { isRecord, type KubeObject } from '#kube/objects.ts';
import { inNamespace } from '#sources/kustomize/namespaced.ts';
import { type Apart, apartOf } from '#world/environments.ts';
import { type Declared, identityOf } from '#world/world.ts';
import { readDocuments } from '#yaml/read.ts';
import type { CommonMetadata, Deployment } from './deployer.ts';

/** Whether what was declared is deployed by it: it was built for that folder, or stands in it. */
export function isOf({ origin, environments }: Declared, { folder, isDeep }: Deployment): boolean {
  if (environments !== undefined) return environments.includes(folder);
  const within = folder === '' ? '' : `${folder}/`;
  return origin.file.startsWith(within) && (isDeep || !origin.file.includes('/', within.length));
}

/**
 * The objects with those that are deployed in place of those that are only written.
 *
 * @param deployments those of folders that hold no chart
 * @param built of some of them, what they were built to
 */
export function asDeployed(
  all: readonly Declared[],
  deployments: readonly Deployment[],
  built: ReadonlyMap<Deployment, readonly Declared[]> = new Map(),
): Declared[] {
  const changing = deployments.filter(
    one =>
      one.namespace !== undefined ||
      one.substitutions !== undefined ||
      one.commonMetadata !== undefined ||
      built.has(one),
  );
  if (changing.length === 0) return [...all];
  const byFolder = Map.groupBy(changing, ({ folder }) => folder);
  const objects = all.flatMap(declared => {
    const own = foldersFor(declared)
      .flatMap(folder => byFolder.get(folder) ?? [])
      .filter(one => declared !== one.declared && isOf(declared, one));
    if (own.length > 1) own.sort((a, b) => changing.indexOf(a) - changing.indexOf(b));
    if (own.length === 0) return [declared];
    const rest = (declared.environments ?? []).filter(one => !own.some(({ folder }) => folder === one));
    const here = own.filter(one => !built.has(one));
    const among = (declared.among ?? 1) + own.length - 1;
    return [
      ...(rest.length === 0 ? [] : [{ ...declared, environments: rest, among }]),
      ...here.map(one => leftBy(one, declared, among)),
    ];
  });
  for (const [deployment, made] of built) {
    const among = changing.filter(({ folder }) => folder === deployment.folder).length;
    for (const declared of made) objects.push(leftBy(deployment, declared, among));
  }
  const apart = apartAsDeployed(changing, objects, all.find(one => one.apart !== undefined)?.apart);
  return apart.size === 0
    ? objects
    : objects.map(one => (one.environments === undefined ? one : { ...one, apart }));
}

/** Deployments of one folder, or of folders that exclude each other, exclude each other. */
function apartAsDeployed(
  deployments: readonly Deployment[],
  objects: readonly Declared[],
  roots: Apart = new Map(),
): Apart {
  const names = new Set(deployments.map(({ name }) => name));
  const written = new Set(objects.flatMap(({ environments = [] }) => environments));
  const applied = [
    ...[...written].filter(one => !names.has(one)).map(one => ({ environment: one, folder: one })),
    ...deployments.map(({ name, cluster, folder }) => ({ environment: name, cluster, folder })),
  ];
  return apartOf(
    applied,
    objects,
    identityOf,
    (a, b) => a.folder === b.folder || roots.get(a.folder)?.has(b.folder) === true,
  );
}

/** The folders whose deployments could be its own. */
function foldersFor({ origin, environments }: Declared): readonly string[] {
  if (environments !== undefined) return [...new Set(environments)];
  const folders = [''];
  for (let at = origin.file.indexOf('/'); at >= 0; at = origin.file.indexOf('/', at + 1))
    folders.push(origin.file.slice(0, at));
  return folders;
}

const left = new WeakMap<Deployment, WeakMap<Declared, Map<number, Declared>>>();

/** The object as the deployment leaves it, as one of several: of the same, it is the same. */
function leftBy(deployment: Deployment, declared: Declared, among: number): Declared {
  const by = left.get(deployment) ?? new WeakMap<Declared, Map<number, Declared>>();
  left.set(deployment, by);
  const known = by.get(declared) ?? new Map<number, Declared>();
  by.set(declared, known);
  let result = known.get(among);
  if (result === undefined) {
    result = { ...deployedAs(declared, deployment), among };
    known.set(among, result);
  }
  return result;
}

/** The object as the deployment leaves it. */
export function deployedAs(
  declared: Declared,
  { name, namespace, substitutions, commonMetadata }: Deployment,
): Declared {
  const filled =
    substitutions === undefined
      ? declared.object
      : (substituted(declared.object, substitutions) as KubeObject);
  const placed = namespace === undefined ? filled : inNamespace(filled, namespace);
  return { ...declared, object: withCommonMetadata(placed, commonMetadata), environments: [name] };
}

/** Labels and annotations over those that the object has. Source: fluxcd/pkg ssa/utils (SetCommonMetadata). */
export function withCommonMetadata(object: KubeObject, common: CommonMetadata | undefined): KubeObject {
  if (common === undefined) return object;
  const { metadata = {} } = object;
  const merged = (field: 'labels' | 'annotations') => {
    const own = metadata[field];
    return Object.keys(common[field]).length === 0
      ? {}
      : { [field]: { ...(isRecord(own) ? own : {}), ...common[field] } };
  };
  return {
    ...object,
    metadata: { ...metadata, ...merged('labels'), ...merged('annotations') },
  } as KubeObject;
}

/**
 * `${name}`, `${name:-default}` and `${name:=default}`, as envsubst has them; `$${name}` stays. What is only a variable
 * may become a number. An object that says `kustomize.toolkit.fluxcd.io/substitute: disabled` is left alone. Source:
 * fluxcd/pkg/kustomize/kustomize_varsub.go.
 */
function substituted(value: unknown, variables: ReadonlyMap<string, string>): unknown {
  const object = value as KubeObject;
  const { labels, annotations } = object.metadata ?? {};
  for (const marks of [labels, annotations])
    if (isRecord(marks) && marks['kustomize.toolkit.fluxcd.io/substitute'] === 'disabled') return value;
  const copy = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(copy);
    if (isRecord(one)) return Object.fromEntries(Object.entries(one).map(([key, item]) => [key, copy(item)]));
    if (typeof one !== 'string' || !one.includes('$')) return one;
    const text = one.replace(
      /\$?\$\{([_a-zA-Z]\w*)(?::?[-=]([^{}]*))?\}/g,
      (whole, name: string, fallback: string | undefined) =>
        whole.startsWith('$$')
          ? whole.slice(1)
          : variables.get(name) || (fallback ?? variables.get(name) ?? ''),
    );
    if (text === one || !/^\$\{[^{}]*\}$/.test(one)) return text;
    const [document] = readDocuments(text);
    const isScalar =
      document?.is === 'value' && ['number', 'boolean', 'bigint'].includes(typeof document.value);
    return isScalar ? document.value : text;
  };
  return copy(value);
}
