/** The namespace that an object is deployed to, where it states none itself. */
import type { KubeObject } from '#kube/objects.ts';
import * as generated from './schema.generated.ts';
import { Schemas } from './schemas.ts';

let schemas: Schemas | undefined;

/** The object with the namespace, unless it has one or belongs to no namespace. */
export function inNamespace(object: KubeObject, namespace: string): KubeObject {
  if (object.metadata?.namespace !== undefined) return object;
  schemas ??= new Schemas(generated);
  if (schemas.isClusterScoped(object.apiVersion, object.kind)) return object;
  return { ...object, metadata: { ...object.metadata, namespace } } as KubeObject;
}
