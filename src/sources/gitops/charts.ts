/** Charts as Argo CD and Flux install them. */
import { toJson } from '#kube/json.ts';
import { isRecord } from '#kube/objects.ts';
import type { ChartRun } from '#sources/helm/environments.ts';
import type { ValueFile } from '#sources/helm/render.ts';
import type { Deployment, StatedValues } from './deployer.ts';

/** @param read the text of a values file of the tree */
export async function deploymentRuns(
  deployments: readonly Deployment[],
  read: (file: string) => string,
): Promise<ChartRun[]> {
  const changed = deployments.some(one => one.postRenderers.length > 0 || one.commonMetadata !== undefined);
  const after = changed ? (await import('./post-render.ts')).postRendererOf : () => undefined;
  return deployments.map(deployment => {
    const { name, cluster, releaseName, namespace, valueFiles, values, parameters, chart } = deployment;
    const done = after(deployment);
    const of = (kind: 'set' | 'string' | 'file') =>
      parameters.filter(one => one.kind === kind).map(({ text }) => text);
    return {
      environment: name,
      ...(cluster === undefined ? {} : { cluster }),
      ...(deployment.replacesDefaults ? { withoutDefaults: true } : {}),
      ...(done === undefined ? {} : { after: done }),
      options: {
        releaseName,
        ...(namespace === undefined ? {} : { namespace }),
        valueFiles: [
          ...valueFiles.map(file => ({ name: file, text: read(file) })),
          ...values.flatMap(statedFile),
        ],
        set: of('set'),
        setString: of('string'),
        setFile: of('file'),
        readFile: read,
        ...chart,
      },
    };
  });
}

/** Values that an object states, as a values file whose lines are the object's. */
function statedFile({ value, declared: { origin }, path }: StatedValues): ValueFile[] {
  if (typeof value === 'string') {
    // A block of text begins on the line behind its key, indented by two; of any other text only its key is known.
    const isBlock = value.trimEnd().includes('\n');
    let first: { readonly line: number; readonly column: number } | undefined;
    return [
      {
        name: origin.file,
        text: value,
        relocate: (_, line, column) => {
          first ??= origin.positionOf(path);
          return isBlock
            ? { file: origin.file, line: first.line + line, column: first.column + 1 + column }
            : { file: origin.file, line: first.line, column: first.column };
        },
      },
    ];
  }
  if (!isRecord(value)) return [];
  return [
    {
      name: origin.file,
      text: toJson(value),
      relocate: below => {
        const { file, line, column } = origin.positionOf([...path, ...below]);
        return { file, line, column };
      },
    },
  ];
}
