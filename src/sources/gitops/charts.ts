/** Charts as Argo CD and Flux install them. */
import { toJson } from '#kube/json.ts';
import { isRecord } from '#kube/objects.ts';
import type { ChartRun } from '#sources/helm/environments.ts';
import { readDocuments } from '#yaml/read.ts';
import type { Deployment } from './deployer.ts';

/** @param read the text of a values file of the tree */
export function deploymentRuns(
  deployments: readonly Deployment[],
  read: (file: string) => string,
): ChartRun[] {
  return deployments.map(({ name, releaseName, namespace, valueFiles, values, parameters }) => ({
    environment: name,
    options: {
      releaseName,
      ...(namespace === undefined ? {} : { namespace }),
      valueFiles: valueFiles.map(file => ({ name: file, text: read(file) })),
      setJson: values.flatMap(one => {
        const value = typeof one === 'string' ? valuesIn(one) : one;
        return isRecord(value) ? [toJson(value)] : [];
      }),
      set: parameters.filter(one => !one.string).map(one => one.text),
      setString: parameters.filter(one => one.string).map(one => one.text),
    },
  }));
}

/** @throws Error for what is not valid YAML */
function valuesIn(text: string): unknown {
  const document = readDocuments(text).find(one => one.is !== 'empty');
  if (document?.is === 'error') throw new Error(`the values are not valid YAML: ${document.message}`);
  return document?.is === 'value' ? document.value : undefined;
}
