/**
 * Where a change of a built object can be written down: in the base or patch that holds the place, or in a patch of
 * its own next to the overlay. These are only proposals: each is proven by building again.
 * Source of what a patch may say: kustomize api/types/patch.go, kyaml/yaml/merge2 (strategic merge), RFC 6902.
 */
import type { Change } from '#check/change.ts';
import { withChanges } from '#check/change.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { yamlDocuments } from '#kube/yaml-text.ts';
import type { BuiltOrigin } from '#sources/kustomize/door.ts';
import { EditRefused } from '#sources/manifests/edit.ts';
import type { EditRequest } from '#yaml/edit.ts';
import { readDocuments } from '#yaml/read.ts';
import { wordsFor } from './proof.ts';
import { apply, editable, edited, type Files, keyAt, lineOf, type Proposal } from './texts.ts';

/** The files that hold the place, or what lies beside it: the base, or a patch. */
export function* ownerProposals(files: Files, origin: BuiltOrigin, change: Change): Generator<Proposal> {
  const { depth, at, isMap, below } = origin.writtenAt(change.path);
  const rest = change.path.slice(depth);
  if (rest.length > 0 && change.op === 'remove') return;
  const known = new Set<string>();
  const propose = function* (file: string, document: number, path: Path): Generator<Proposal> {
    const key = `${file}\0${document}\0${path.join('\0')}`;
    if (known.has(key)) return;
    known.add(key);
    const request: EditRequest = { ...change, path };
    yield {
      file,
      line: lineOf(files, file, document, path),
      words: wordsFor(
        { ...change, path } as Change,
        path.length > 3 ? path.length - Math.max(2, rest.length) : 0,
      ),
      make: () => new Map([[file, edited(files, file, document, [request])]]),
    };
  };
  const own = at === undefined ? undefined : keyAt(files, at);
  if (own !== undefined && own.path.at(-1) === change.path[depth - 1])
    yield* propose(at!.file, own.document, [...own.path, ...rest]);
  if (rest.length === 0) {
    // An item of a list has no key: its place is where it begins.
    if (own !== undefined && typeof change.path.at(-1) === 'number')
      yield* propose(at!.file, own.document, own.path);
    return;
  }
  if (!isMap) return;
  for (const one of below) {
    const key = keyAt(files, one);
    if (key !== undefined) yield* propose(one.file, key.document, [...key.path.slice(0, -1), ...rest]);
  }
}

/** What a patch says to whom. */
export interface PatchTarget {
  readonly object: KubeObject;
  readonly origin: BuiltOrigin;
  /** The folders of the kustomizations that are to have it. */
  readonly folders: readonly string[];
}

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** A patch next to each overlay, and its entry there: as a piece of the object, else as operations on it. */
export function* patchProposals(
  files: Files,
  target: PatchTarget,
  changes: readonly Change[],
  isNew: (name: string) => boolean,
): Generator<Proposal> {
  for (const name of namesOf(files, target))
    for (const form of [mergePatch, operations]) {
      const [folder = ''] = target.folders;
      const kustomization = kustomizationIn(files, folder);
      yield {
        file: kustomization ?? folder,
        line: 1,
        words: `patch ${target.object.kind} ${name.name}: ${changes.map(change => wordsFor(change, 0)).join('; ')}`,
        make: () =>
          new Map(target.folders.flatMap(one => [...form(files, one, target.object, name, changes, isNew)])),
      };
    }
}

interface Name {
  readonly name: string;
  readonly namespace: string | undefined;
}

/** As it was written, before prefixes and namespaces were put on; else as it is called in the end. */
function* namesOf(files: Files, { object, origin }: PatchTarget): Generator<Name> {
  const { name, namespace } = object.metadata ?? {};
  const final: Name = {
    name: String(name),
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : undefined,
  };
  const { at } = origin.writtenAt(['metadata', 'name']);
  const key = at === undefined ? undefined : keyAt(files, at);
  const document = key === undefined ? undefined : readDocuments(files.read(at!.file)!)[key.document];
  if (document?.is === 'value') {
    const metadata = valueAt(document.value, key!.path.slice(0, -1));
    if (isRecord(metadata) && typeof metadata['name'] === 'string') {
      const written = metadata['namespace'];
      yield {
        name: metadata['name'],
        namespace: typeof written === 'string' && written !== '' ? written : undefined,
      };
      if (metadata['name'] === final.name && written === final.namespace) return;
    }
  }
  yield final;
}

function kustomizationIn(files: Files, folder: string): string | undefined {
  return KUSTOMIZATIONS.map(name => (folder === '' ? name : `${folder}/${name}`)).find(
    name => files.read(name) !== undefined,
  );
}

type Form = (
  files: Files,
  folder: string,
  object: KubeObject,
  name: Name,
  changes: readonly Change[],
  isNew: (name: string) => boolean,
) => Map<string, string>;

const fileName = ({ kind }: KubeObject, { name }: Name, form: string): string =>
  `sallyport-${`${kind}-${name}`.toLowerCase().replace(/[^a-z0-9.-]+/g, '-')}${form}.yaml`;

/** Lists whose items strategic merge knows by their names. Source: the patchMergeKey tags of k8s.io/api/core/v1. */
const BY_NAME = new Set([
  'containers',
  'initContainers',
  'ephemeralContainers',
  'volumes',
  'env',
  'imagePullSecrets',
]);

const mergePatch: Form = (files, folder, object, name, changes, isNew) => {
  const { apiVersion, kind } = object;
  const head = {
    apiVersion,
    kind,
    metadata: { name: name.name, ...(name.namespace === undefined ? {} : { namespace: name.namespace }) },
  };
  const file = fileName(object, name, '');
  const path = folder === '' ? file : `${folder}/${file}`;
  const before = files.read(path);
  const read = before === undefined ? undefined : readDocuments(before).find(({ is }) => is !== 'empty');
  if (read !== undefined && (read.is !== 'value' || !isSame(read.value, head)))
    throw new EditRefused(`${path} is there already, and holds something else`);
  let patch: unknown = read?.is === 'value' ? read.value : head;
  const requests: EditRequest[] = [];
  for (const change of changes) {
    const more = inPatch(patch, object, change);
    requests.push(...more);
    patch = apply(patch, more);
  }
  const text =
    before === undefined || isNew(path)
      ? yamlDocuments([patch]).replace(/^---\n/, '')
      : edited(files, path, read!.index, requests);
  return withEntry(files, folder, file, undefined, new Map([[path, text]]));
};

function isSame(
  value: unknown,
  head: { apiVersion: string; kind: string; metadata: { name: string } },
): boolean {
  return (
    isRecord(value) &&
    value['apiVersion'] === head.apiVersion &&
    value['kind'] === head.kind &&
    isRecord(value['metadata']) &&
    value['metadata']['name'] === head.metadata.name
  );
}

/** A change of the object as one of the patch: items of lists are named, not counted. */
function inPatch(patch: unknown, object: KubeObject, change: Change): EditRequest[] {
  const path: (string | number)[] = [];
  const requests: EditRequest[] = [];
  let at = patch;
  for (const [index, step] of change.path.entries()) {
    if (typeof step === 'string') {
      path.push(step);
      at = isRecord(at) ? at[step] : undefined;
      continue;
    }
    const list = change.path[index - 1];
    const item = valueAt(object, change.path.slice(0, index + 1));
    const name = isRecord(item) ? item['name'] : undefined;
    if (
      typeof list !== 'string' ||
      !BY_NAME.has(list) ||
      typeof name !== 'string' ||
      index === change.path.length - 1
    )
      // A list without names goes into the patch as a whole.
      return [
        { op: 'set', path, value: valueAt(withChanges(object, [change]), change.path.slice(0, index)) },
      ];
    const items: readonly unknown[] = Array.isArray(at) ? at : [];
    const known = items.findIndex(one => isRecord(one) && one['name'] === name);
    if (known < 0) {
      requests.push({ op: 'append', path: [...path], value: { name } });
      path.push(items.length);
      at = { name };
    } else {
      path.push(known);
      at = items[known];
    }
  }
  if (change.op === 'remove') return [...requests, { op: 'set', path, value: null }];
  if (change.op === 'append')
    return [...requests, { op: 'set', path, value: valueAt(withChanges(object, [change]), change.path) }];
  return [...requests, { op: 'set', path, value: change.value }];
}

const operations: Form = (files, folder, object, name, changes, isNew) => {
  const own: Record<string, unknown>[] = [];
  let now = object;
  // What is removed from lists goes last and from the end, as `withChanges` has it.
  const ordered = [
    ...changes.filter(({ op }) => op !== 'remove'),
    ...changes.filter(({ op }) => op === 'remove').toReversed(),
  ];
  for (const change of ordered) {
    own.push(operationFor(now, change));
    now = withChanges(now, [change]);
  }
  const file = fileName(object, name, '-operations');
  const path = folder === '' ? file : `${folder}/${file}`;
  const before = files.read(path);
  const read = before === undefined ? undefined : readDocuments(before).find(({ is }) => is !== 'empty');
  if (read !== undefined && (read.is !== 'value' || !Array.isArray(read.value)))
    throw new EditRefused(`${path} is there already, and holds something else`);
  const known = read?.is === 'value' ? (read.value as readonly unknown[]) : [];
  const text =
    before === undefined || isNew(path)
      ? yamlDocuments([[...known, ...own]]).replace(/^---\n/, '')
      : edited(
          files,
          path,
          read!.index,
          own.map(value => ({ op: 'append', path: [], value })),
        );
  const [group, version] = object.apiVersion.includes('/')
    ? object.apiVersion.split('/')
    : ['', object.apiVersion];
  const target = {
    ...(group === '' ? {} : { group }),
    version,
    kind: object.kind,
    name: name.name,
    ...(name.namespace === undefined ? {} : { namespace: name.namespace }),
  };
  return withEntry(files, folder, file, target, new Map([[path, text]]));
};

/** One operation of RFC 6902. */
function operationFor(object: KubeObject, change: Change): Record<string, unknown> {
  const { path } = change;
  let depth = 0;
  while (depth < path.length && valueAt(object, path.slice(0, depth + 1)) !== undefined) depth++;
  const pointer = (steps: Path): string =>
    steps.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  if (change.op === 'remove') return { op: 'remove', path: pointer(path) };
  if (change.op === 'append' && depth === path.length)
    return { op: 'add', path: `${pointer(path)}/-`, value: change.value };
  const value = change.op === 'append' ? [change.value] : change.value;
  if (depth === path.length) return { op: 'replace', path: pointer(path), value };
  const nested = path
    .slice(depth + 1)
    .reduceRight<unknown>((inner, step) => ({ [String(step)]: inner }), value);
  return { op: 'add', path: pointer(path.slice(0, depth + 1)), value: nested };
}

/** The kustomization with an entry for the patch, unless it has one. */
function withEntry(
  files: Files,
  folder: string,
  file: string,
  target: object | undefined,
  texts: Map<string, string>,
): Map<string, string> {
  const kustomization = kustomizationIn(files, folder);
  if (kustomization === undefined) throw new EditRefused('the overlay has no kustomization file');
  const document = readDocuments(editable(files, kustomization)).find(({ is }) => is !== 'empty');
  if (document?.is !== 'value' || !isRecord(document.value))
    throw new EditRefused(`${kustomization} cannot be read`);
  const patches = document.value['patches'];
  const has = Array.isArray(patches) && patches.some(one => isRecord(one) && one['path'] === file);
  if (!has) {
    const value = { path: file, ...(target === undefined ? {} : { target }) };
    texts.set(
      kustomization,
      edited(files, kustomization, document.index, [{ op: 'append', path: ['patches'], value }]),
    );
  }
  return texts;
}
