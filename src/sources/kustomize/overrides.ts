/**
 * What somebody sets in a kustomization before it is built, as `kustomize edit` writes it into the file: an Argo CD
 * Application, a Flux Kustomization. Source: kustomize/commands/edit (set/setimage.go, add/addmetadata.go) of
 * kubernetes-sigs/kustomize.
 */
import type { Position } from '#world/origin.ts';
import { compareText } from './ids.ts';
import {
  decodeAs,
  IMAGE,
  type ImageArgs,
  type Kustomization,
  type LabelArgs,
  PATCH,
  type PatchArgs,
  type ReadKustomization,
} from './kustomization.ts';
import { BuildError, Node, STR } from './node.ts';
import type { Json } from './scalars.ts';
import { OriginSource } from './source.ts';

export interface Overrides {
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  /** As `kustomize edit set image` takes them, or as the file has them. */
  readonly images?: readonly (string | ImageArgs)[];
  readonly replicas?: readonly { readonly name: string; readonly count: number }[];
  readonly labels?: {
    readonly pairs: Readonly<Record<string, string>>;
    readonly force: boolean;
    readonly withoutSelector: boolean;
    readonly includeTemplates: boolean;
  };
  readonly annotations?: { readonly pairs: Readonly<Record<string, string>>; readonly force: boolean };
  readonly patches?: readonly PatchArgs[];
  readonly components?: readonly string[];
  /** Where something of these was written: the field, and which of its list. */
  readonly placeOf?: (field: keyof Overrides, index?: number) => Position;
}

/** Which entry of the file, or of what is set, each entry of a list was. */
type Sources = readonly (readonly [set: boolean, index: number])[];

/** @throws BuildError for what `kustomize edit` refuses */
export function overridden(read: ReadKustomization, set: Overrides): ReadKustomization {
  const value: { -readonly [Key in keyof Kustomization]: Kustomization[Key] } = { ...read.value };
  const lists = new Map<string, Sources>();
  const wholes = new Map<string, keyof Overrides>();
  for (const field of ['namePrefix', 'nameSuffix', 'namespace'] as const) {
    const text = set[field];
    if (text === undefined || text === '') continue;
    value[field] = text;
    wholes.set(field, field);
  }
  if (set.images !== undefined && set.images.length > 0) {
    const images = set.images.map(one =>
      typeof one === 'string' ? one : decodeAs<ImageArgs>(one as Json, IMAGE, false),
    );
    const merged = withImages(value.images ?? [], images);
    value.images = merged.map(([image]) => image);
    lists.set(
      'images',
      merged.map(([, source]) => source),
    );
  }
  if (set.replicas !== undefined && set.replicas.length > 0) {
    const all = new Map((value.replicas ?? []).map((one, at) => [one.name, [one, [false, at]]] as const));
    const result = new Map<
      string | undefined,
      readonly [{ readonly name?: string; readonly count?: number }, Sources[0]]
    >(all as never);
    set.replicas.forEach((one, at) => {
      result.set(one.name, [one, [true, at]]);
    });
    value.replicas = [...result.values()].map(([one]) => one);
    lists.set(
      'replicas',
      [...result.values()].map(([, source]) => source),
    );
  }
  if (set.labels !== undefined) {
    if (set.labels.withoutSelector) value.labels = withLabels(value.labels ?? [], set.labels);
    else {
      value.commonLabels = withPairs(value.commonLabels, set.labels.pairs, set.labels.force, 'label');
      wholes.set('commonLabels', 'labels');
    }
  }
  if (set.annotations !== undefined) {
    const { pairs, force } = set.annotations;
    value.commonAnnotations = withPairs(value.commonAnnotations, pairs, force, 'annotation');
    wholes.set('commonAnnotations', 'annotations');
  }
  for (const field of ['patches', 'components'] as const) {
    const more =
      field === 'patches' && set.patches !== undefined
        ? decodeAs<PatchArgs[]>(set.patches as unknown as Json, [PATCH], false)
        : set[field];
    if (more === undefined || more.length === 0) continue;
    const own = value[field] ?? [];
    const fresh =
      field === 'components' ? more.filter(one => !(own as readonly unknown[]).includes(one)) : more;
    (value as Record<string, unknown>)[field] = [...own, ...fresh];
    lists.set(field, [
      ...own.map((_, at) => [false, at] as const),
      ...fresh.map(one => [true, (more as readonly unknown[]).indexOf(one)] as const),
    ]);
  }
  return {
    value,
    warnings: read.warnings,
    nodeAt: (...path) => {
      const [field, index, ...rest] = path;
      const list = lists.get(String(field));
      if (list !== undefined && typeof index === 'number') {
        const [isSet, at] = list[index] ?? [false, index];
        return isSet ? placed(set, field as keyof Overrides, at) : read.nodeAt(field!, at, ...rest);
      }
      const known = read.nodeAt(...path);
      const whole = wholes.get(String(field));
      return whole !== undefined && (known === undefined || path.length === 1) ? placed(set, whole) : known;
    },
  };
}

function placed({ placeOf }: Overrides, field: keyof Overrides, index?: number): Node | undefined {
  if (placeOf === undefined) return undefined;
  const node = new Node('scalar', STR);
  const position = placeOf(field, index);
  node.at = { source: new OriginSource(position.file, () => position), start: 0, end: 0 };
  return node;
}

/** A star keeps what the file says. */
const KEEP = '*';

/** `name=newName:tag@digest`, or `name:tag@digest`. */
function imageOf(text: string): ImageArgs {
  const equals = text.indexOf('=');
  const [key, value] = equals < 0 ? ['', text] : [text.slice(0, equals), text.slice(equals + 1)];
  const at = value.lastIndexOf('@');
  const digest = at < 0 ? '' : value.slice(at + 1);
  const rest = at < 0 ? value : value.slice(0, at);
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/');
  const name = hasTag ? rest.slice(0, colon) : rest;
  if (name === text) throw new BuildError(`invalid format of image '${text}'`);
  const tag = hasTag ? rest.slice(colon + 1) : '';
  return {
    ...(key === '' ? { name } : { name: key, newName: name }),
    ...(tag === '' ? {} : { newTag: tag }),
    ...(digest === '' ? {} : { digest }),
  };
}

function withImages(
  own: readonly ImageArgs[],
  set: readonly (string | ImageArgs)[],
): (readonly [ImageArgs, Sources[0]])[] {
  const result = new Map<string, readonly [ImageArgs, Sources[0]]>();
  set.forEach((one, at) => {
    const image = typeof one === 'string' ? imageOf(one) : one;
    result.set(image.name ?? '', [image, [true, at]]);
  });
  own.forEach((image, at) => {
    const name = image.name ?? '';
    const known = result.get(name);
    if (known === undefined || !known[1][0]) result.set(name, [image, [false, at]]);
    else result.set(name, [kept(known[0], image), known[1]]);
  });
  return [...result.values()]
    .map(([image, source]) => [kept(image, {}), source] as const)
    .sort(([a], [b]) => compareText(a.name ?? '', b.name ?? ''));
}

function kept(image: ImageArgs, own: ImageArgs): ImageArgs {
  const result: { -readonly [Key in keyof ImageArgs]: ImageArgs[Key] } = { ...image };
  for (const field of ['newName', 'newTag', 'digest'] as const)
    if (image[field] === KEEP) {
      const before = own[field];
      if (before === undefined) delete result[field];
      else result[field] = before;
    }
  return result;
}

function withPairs(
  own: Readonly<Record<string, string>> | undefined,
  pairs: Readonly<Record<string, string>>,
  force: boolean,
  kind: string,
): Record<string, string> {
  const result = { ...own };
  for (const [key, value] of Object.entries(pairs)) {
    if (Object.hasOwn(result, key) && !force)
      throw new BuildError(`${kind} ${key} already in kustomization file. Use --force to override.`);
    result[key] = value;
  }
  return result;
}

function withLabels(own: readonly LabelArgs[], set: NonNullable<Overrides['labels']>): LabelArgs[] {
  const result = [...own];
  const at = result.findIndex(
    one =>
      (one.includeSelectors ?? false) === false && (one.includeTemplates ?? false) === set.includeTemplates,
  );
  const pairs = withPairs(result[at]?.pairs, set.pairs, set.force, 'label');
  if (at >= 0) result[at] = { ...result[at]!, pairs };
  else result.push({ pairs, includeSelectors: false, includeTemplates: set.includeTemplates });
  return result;
}
