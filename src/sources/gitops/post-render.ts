/**
 * What a HelmRelease does to a rendered chart before it is applied: one kustomization after the other over what came out
 * of helm, then labels and annotations on everything. Sources: fluxcd/helm-controller internal/postrender (build.go,
 * kustomize.go, common_renderer.go).
 */
import { toJson } from '#kube/json.ts';
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import { BuildError, build } from '#sources/kustomize/door.ts';
import type { Declared, Gap } from '#world/world.ts';
import { withCommonMetadata } from './deployed.ts';
import type { Deployment, PostRenderer } from './deployer.ts';
import { list, pairs } from './overrides.ts';

interface Rendered {
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
}

/** Undefined where nothing is done to it. */
export function postRendererOf(
  deployment: Deployment,
): ((rendered: readonly Declared[]) => Rendered) | undefined {
  const { postRenderers, commonMetadata, declared: by } = deployment;
  if (postRenderers.length === 0 && commonMetadata === undefined) return undefined;
  return rendered => {
    const gaps: Gap[] = [];
    // helm hands its hooks to no post-renderer.
    let hooks: readonly Declared[] = [];
    let others = rendered;
    if (postRenderers.length > 0) {
      hooks = rendered.filter(isHook);
      others = rendered.filter(one => !isHook(one));
    }
    for (const renderer of postRenderers)
      try {
        others = kustomized(others, renderer, by);
      } catch (error) {
        if (!(error instanceof BuildError)) throw error;
        const [first] = error.message.split('\n');
        const { file, line } = by.origin.positionOf(renderer.path);
        gaps.push({
          file,
          line,
          reason: `${by.object.kind} ${deployment.name}: its postRenderers failed, so the chart was judged without them: ${first}`,
        });
        break;
      }
    const all = [...others, ...hooks];
    return {
      declared: all.map(one => ({ ...one, object: withCommonMetadata(one.object, commonMetadata) })),
      gaps,
    };
  };
}

function isHook({ object }: Declared): boolean {
  return isRecord(object.metadata?.annotations) && 'helm.sh/hook' in object.metadata.annotations;
}

/** @throws BuildError */
function kustomized(
  rendered: readonly Declared[],
  { options, path }: PostRenderer,
  by: Declared,
): Declared[] {
  const own = list(options['patches']).filter(isRecord);
  const merges = list(options['patchesStrategicMerge']);
  const patches = [
    ...own,
    ...merges.map(one => ({ patch: toJson(one) })),
    ...list(options['patchesJson6902'])
      .filter(isRecord)
      .map(({ patch, target }) => ({ patch: toJson(patch ?? []), target })),
  ];
  /** Where each of the patches stands. */
  const placeOf = (index: number): Path => {
    if (index < own.length) return ['patches', index, 'patch'];
    const merge = index - own.length;
    return merge < merges.length
      ? ['patchesStrategicMerge', merge]
      : ['patchesJson6902', merge - merges.length, 'patch'];
  };
  const [labels, annotations] = [pairs(options['commonLabels']), pairs(options['commonAnnotations'])];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    helmCharts: [{ name: 'release' }],
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  const { documents, origins } = build(
    new Map([
      ['kustomization.yaml', encode(toJson(kustomization))],
      ['charts/release/Chart.yaml', encode('')],
    ]),
    '',
    {
      renderChart: () => rendered.map(({ object, origin }) => ({ text: toJson(object), origin })),
      overrides: {
        images: list(options['images']).filter(isRecord),
        patches,
        ...(labels === undefined
          ? {}
          : { labels: { pairs: labels, force: true, withoutSelector: true, includeTemplates: true } }),
        ...(annotations === undefined ? {} : { annotations: { pairs: annotations, force: true } }),
        placeOf: (field, index) =>
          by.origin.positionOf([
            ...path,
            ...(field === 'patches' && index !== undefined
              ? placeOf(index)
              : [FIELDS[field] ?? field, ...(index === undefined ? [] : [index])]),
          ]),
      },
    },
  );
  return documents.map((object, i) => ({ object: object as KubeObject, origin: origins[i]! }));
}

const FIELDS: Readonly<Record<string, string>> = {
  labels: 'commonLabels',
  annotations: 'commonAnnotations',
};
