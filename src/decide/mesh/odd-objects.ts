/**
 * Objects of a mesh that are read as far as they can be, and what is taken for granted about the rest.
 * Sources: istio manifests/charts/base/files/crd-all.gen.yaml and linkerd2 charts/linkerd-crds/templates (served versions,
 * modes of TLS).
 */
import { namespaceOf } from '#decide/network/inventory.ts';
import { groupOf, isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';

const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  'security.istio.io': ['v1', 'v1beta1'],
  'networking.istio.io': ['v1', 'v1beta1', 'v1alpha3'],
  'policy.linkerd.io': ['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'],
};
const SERVER_MODES: readonly unknown[] = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'];
const CLIENT_MODES: readonly unknown[] = ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'];

/** @returns in words what is taken of objects whose version or mode is not known; each names its object */
export function oddObjects(objects: readonly KubeObject[]): string[] {
  return objects.flatMap(object => {
    const group = groupOf(object.apiVersion);
    if (!Object.hasOwn(VERSIONS, group)) return [];
    const id = `${object.kind} ${namespaceOf(object)}/${nameOf(object)}`;
    const said: string[] = [];
    const version = object.apiVersion.slice(group.length + 1);
    if (!VERSIONS[group]!.includes(version))
      said.push(
        `${id} is of ${object.apiVersion}, which is not known: it is read like ${VERSIONS[group]!.at(-1)}`,
      );
    for (const [place, mode, known] of modesOf(object, group))
      if (mode !== undefined && mode !== null && !known.includes(mode))
        said.push(`${place} of ${id} is ${JSON.stringify(mode)}, which is none: it is taken as not set`);
    return said;
  });
}

function modesOf(object: KubeObject, group: string): (readonly [string, unknown, readonly unknown[]])[] {
  if (group === 'security.istio.io' && object.kind === 'PeerAuthentication') {
    const ports = valueAt(object, ['spec', 'portLevelMtls']);
    return [
      ['mtls.mode', valueAt(object, ['spec', 'mtls', 'mode']), SERVER_MODES],
      ...Object.entries(isRecord(ports) ? ports : {}).map(
        ([port, value]) => [`portLevelMtls.${port}.mode`, valueAt(value, ['mode']), SERVER_MODES] as const,
      ),
    ];
  }
  if (group === 'networking.istio.io' && object.kind === 'DestinationRule')
    return [['tls.mode', valueAt(object, ['spec', 'trafficPolicy', 'tls', 'mode']), CLIENT_MODES]];
  return [];
}
