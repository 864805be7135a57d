/**
 * Objects of a mesh that are read as far as they can be, and what is taken for granted about the rest.
 * Sources: istio manifests/charts/base/files/crd-all.gen.yaml and linkerd2 charts/linkerd-crds/templates (served versions,
 * modes of TLS).
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import {
  type Because,
  groupOf,
  isRecord,
  type KubeObject,
  nameOf,
  type Path,
  valueAt,
} from '#kube/objects.ts';

const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  'security.istio.io': ['v1', 'v1beta1'],
  'networking.istio.io': ['v1', 'v1beta1', 'v1alpha3'],
  'policy.linkerd.io': ['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'],
};
const SERVER_MODES: readonly unknown[] = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'];
const CLIENT_MODES: readonly unknown[] = ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'];

/** @returns what is taken of objects whose version or mode is not known, each with its place */
export function oddObjects(objects: readonly KubeObject[]): Because[] {
  return objects.flatMap(object => {
    const group = groupOf(object.apiVersion);
    if (!Object.hasOwn(VERSIONS, group)) return [];
    const id = `${object.kind} ${namespaceOf(object)}/${nameOf(object)}`;
    const said: Because[] = [];
    const version = object.apiVersion.slice(group.length + 1);
    if (!VERSIONS[group]!.includes(version))
      said.push({
        object,
        path: ['apiVersion'],
        text: `${id} is of ${object.apiVersion}, which is not known: it is read like ${VERSIONS[group]!.at(-1)}`,
      });
    for (const { path, known } of modesOf(object, group)) {
      const mode = valueAt(object, path);
      if (mode !== undefined && mode !== null && !known.includes(mode)) said.push(oddMode(object, path));
    }
    return said;
  });
}

/** What is taken of a mode that there is not: such an object is refused by the schema of its kind. */
export function oddMode(object: KubeObject, path: Path): Because {
  const id = `${object.kind} ${namespaceOf(object)}/${nameOf(object)}`;
  const mode = JSON.stringify(valueAt(object, path));
  return {
    object,
    path,
    text: `${pathText(path)} of ${id} is ${mode}, which is none: it is taken as not set`,
  };
}

/** A path as people write it, without the `spec` that all share. */
function pathText(path: Path): string {
  return path
    .slice(1)
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

interface Mode {
  readonly path: Path;
  readonly known: readonly unknown[];
}

function modesOf(object: KubeObject, group: string): Mode[] {
  if (group === 'security.istio.io' && object.kind === 'PeerAuthentication') {
    const ports = valueAt(object, ['spec', 'portLevelMtls']);
    return [['mtls'], ...Object.keys(isRecord(ports) ? ports : {}).map(port => ['portLevelMtls', port])].map(
      at => ({ path: ['spec', ...at, 'mode'], known: SERVER_MODES }),
    );
  }
  if (group !== 'networking.istio.io' || object.kind !== 'DestinationRule') return [];
  const subsets = itemsOf(valueAt(object, ['spec', 'subsets'])).map((_, index): Path => ['subsets', index]);
  return [[], ...subsets].flatMap(at => {
    const policy: Path = ['spec', ...at, 'trafficPolicy'];
    const ports = itemsOf(valueAt(object, [...policy, 'portLevelSettings']));
    return [policy, ...ports.map((_, index): Path => [...policy, 'portLevelSettings', index])].map(path => ({
      path: [...path, 'tls', 'mode'],
      known: CLIENT_MODES,
    }));
  });
}
