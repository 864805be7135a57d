/**
 * What an Argo CD Application and a Flux Kustomization set in the kustomization that they deploy. Sources:
 * argoproj/argo-cd util/kustomize/kustomize.go (Build), fluxcd/pkg kustomize/kustomize_generator.go.
 */
import { isRecord, type Path } from '#kube/objects.ts';
import type { Overrides } from '#sources/kustomize/overrides.ts';
import type { Declared } from '#world/world.ts';

type Plain = Readonly<Record<string, unknown>>;

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => list(value).map(String);
export const pairs = (value: unknown): Record<string, string> | undefined =>
  isRecord(value) && Object.keys(value).length > 0
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]))
    : undefined;

/** The fields that Argo CD has under names of its own. */
const ARGO_NAMES: Partial<Readonly<Record<keyof Overrides, string>>> = {
  labels: 'commonLabels',
  annotations: 'commonAnnotations',
};

/** @param at where in the object the options stand */
export function argoOverrides(
  options: Plain,
  declared: Declared,
  at: Path,
  folder: string,
  folders: ReadonlySet<string>,
): Overrides | undefined {
  const labels = pairs(options['commonLabels']);
  const annotations = pairs(options['commonAnnotations']);
  const components = texts(options['components']).filter(
    path => options['ignoreMissingComponents'] !== true || folders.has(joined(folder, path)),
  );
  return whole(
    {
      ...named(options),
      ...(typeof options['namespace'] === 'string' ? { namespace: options['namespace'] } : {}),
      images: texts(options['images']),
      replicas: list(options['replicas'])
        .filter(isRecord)
        .map(({ name, count }) => ({ name: String(name), count: Number(count) })),
      ...(labels === undefined
        ? {}
        : {
            labels: {
              pairs: labels,
              force: options['forceCommonLabels'] === true,
              withoutSelector: options['labelWithoutSelector'] === true,
              includeTemplates: options['labelIncludeTemplates'] === true,
            },
          }),
      ...(annotations === undefined
        ? {}
        : { annotations: { pairs: annotations, force: options['forceCommonAnnotations'] === true } }),
      patches: list(options['patches']).filter(isRecord),
      components,
    },
    field => ARGO_NAMES[field] ?? field,
    declared,
    at,
  );
}

export function fluxOverrides(
  spec: Plain,
  declared: Declared,
  folder: string,
  folders: ReadonlySet<string>,
): Overrides | undefined {
  const target = spec['targetNamespace'];
  return whole(
    {
      ...named(spec),
      ...(typeof target === 'string' ? { namespace: target } : {}),
      images: list(spec['images']).filter(isRecord),
      patches: list(spec['patches']).filter(isRecord),
      components: texts(spec['components']).filter(
        path => spec['ignoreMissingComponents'] !== true || folders.has(joined(folder, path)),
      ),
    },
    field => (field === 'namespace' ? 'targetNamespace' : field),
    declared,
    ['spec'],
  );
}

function named(options: Plain): { namePrefix?: string; nameSuffix?: string } {
  const { namePrefix, nameSuffix } = options;
  return {
    ...(typeof namePrefix === 'string' ? { namePrefix } : {}),
    ...(typeof nameSuffix === 'string' ? { nameSuffix } : {}),
  };
}

/** Undefined where nothing is set. */
function whole(
  set: Overrides,
  nameOf: (field: keyof Overrides) => string,
  { origin }: Declared,
  at: Path,
): Overrides | undefined {
  const isSet = Object.values(set).some(value => (Array.isArray(value) ? value.length > 0 : value !== ''));
  if (!isSet) return undefined;
  return {
    ...set,
    placeOf: (field, index) => {
      const path = [...at, nameOf(field)];
      // The patch itself, where one is written there.
      return origin.positionOf(
        index === undefined ? path : [...path, index, ...(field === 'patches' ? ['patch'] : [])],
      );
    },
  };
}

function joined(folder: string, path: string): string {
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
