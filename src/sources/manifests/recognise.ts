/** What a file is, told from its name and its folder before anything is parsed, and from its documents afterwards. */
import { isRecord } from '#kube/objects.ts';

/** How a file was understood. */
export type Understood =
  | 'kubernetes'
  /** Part of a Helm chart: its templates make sense only when rendered. */
  | 'chart'
  | 'kustomization'
  /** A patch that a kustomization names, or that lies ready beside one: a piece of an object, never judged as a whole one. */
  | 'patch'
  /** Holds template markers and is no YAML before they are filled in. */
  | 'template'
  | 'other'
  | 'empty'
  | 'unreadable';

export const KUSTOMIZATION_NAMES = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

export function isKustomizationName(file: string): boolean {
  return KUSTOMIZATION_NAMES.has(file.slice(file.lastIndexOf('/') + 1));
}

export function isChartName(file: string): boolean {
  return file === 'Chart.yaml' || file.endsWith('/Chart.yaml');
}

/** The folder of a path, without the last slash; empty for a name without folders. */
export function folderOf(file: string): string {
  const slash = file.lastIndexOf('/');
  return slash < 0 ? '' : file.slice(0, slash);
}

/** A path relative to a folder, with `.` and `..` worked out; undefined where it leads out of every folder. */
export function joinPath(folder: string, path: string): string | undefined {
  if (path.startsWith('/')) return undefined;
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.length === 0 || parts.at(-1) === '..') parts.push('..');
      else parts.pop();
    } else parts.push(part);
  }
  return parts.join('/');
}

/**
 * Whether the text can hold a Kubernetes object, or one that lost its kind or apiVersion. Text with fewer of the
 * words has none, so whatever else it is (a values file, a CI pipeline, a compose file) needs no parsing.
 */
export function mayHoldObjects(text: string): boolean {
  const version = text.includes('apiVersion');
  const kind = text.includes('kind');
  return (version && kind) || ((version || kind) && text.includes('metadata'));
}

/** Whether the value is a Kubernetes object: it says its apiVersion and its kind. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> & {
  readonly apiVersion: string;
  readonly kind: string;
} {
  return (
    isRecord(value) &&
    typeof value['kind'] === 'string' &&
    value['kind'] !== '' &&
    typeof value['apiVersion'] === 'string' &&
    value['apiVersion'] !== ''
  );
}

const PATCH_NAME = /(?:^|[-_./])patch(?:es)?[-_./]/;

/** Whether a file is a patch by its name: it says so, and lies beside a kustomization or in a folder below one. */
export function isPatchByName(file: string, kustomized: ReadonlySet<string>): boolean {
  const folder = folderOf(file);
  return (
    (kustomized.has(folder) && PATCH_NAME.test(file.slice(folder.length))) ||
    (kustomized.has(folderOf(folder)) && PATCH_NAME.test(`${folder.slice(folderOf(folder).length)}/`))
  );
}

/**
 * Whether an object lacks what its kind cannot be without, so that the API server refuses it whatever else it says: it
 * is a piece, meant to be laid over a whole one.
 */
export function isPiece(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  const { apiVersion, kind, spec, webhooks } = object as Readonly<Record<string, unknown>> & typeof object;
  const group = apiVersion.slice(0, apiVersion.indexOf('/'));
  if (group === 'apps') return !isRecord(spec) || !isRecord(spec['selector']);
  if (group === 'admissionregistration.k8s.io' && kind.endsWith('WebhookConfiguration'))
    return (
      !Array.isArray(webhooks) || webhooks.every(one => !isRecord(one) || !isRecord(one['clientConfig']))
    );
  if (group === 'apiextensions.k8s.io') return !isRecord(spec) || spec['names'] === undefined;
  return false;
}

/** The files that a kustomization uses as patches, relative to its own folder. */
export function patchFilesOf(kustomization: unknown): string[] {
  if (!isRecord(kustomization)) return [];
  const files: string[] = [];
  const add = (value: unknown) => {
    if (typeof value === 'string' && !value.includes('\n')) files.push(value);
  };
  for (const field of ['patches', 'patchesJson6902', 'replacements']) {
    const list = kustomization[field];
    if (Array.isArray(list)) for (const entry of list) if (isRecord(entry)) add(entry['path']);
  }
  for (const field of ['patchesStrategicMerge', 'configurations', 'crds']) {
    const list = kustomization[field];
    if (Array.isArray(list) && field !== 'crds') list.forEach(add);
  }
  return files;
}
