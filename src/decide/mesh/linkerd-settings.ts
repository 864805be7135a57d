/**
 * What Linkerd's control plane was installed with: its ConfigMap `linkerd-config` holds the values of the chart.
 *
 * Sources: linkerd2 charts/linkerd-control-plane/values.yaml (the defaults), templates/config.yaml (the ConfigMap; an
 * empty trust domain is the cluster's domain), policy-controller/k8s/index/src/cluster_info.rs (identities).
 */
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';

export type LinkerdDefault =
  | 'all-unauthenticated'
  | 'all-authenticated'
  | 'cluster-unauthenticated'
  | 'cluster-authenticated'
  | 'deny'
  | 'audit';

export const LINKERD_DEFAULTS: readonly string[] = [
  'all-unauthenticated',
  'all-authenticated',
  'cluster-unauthenticated',
  'cluster-authenticated',
  'deny',
  'audit',
];

/** What the control plane was installed with; the defaults are those of the chart. */
export interface LinkerdSettings {
  readonly defaultInboundPolicy: LinkerdDefault;
  readonly clusterNetworks: readonly string[];
  readonly identityDomain: string;
  readonly controlPlaneNamespace: string;
  /**
   * Whether proxies reach each other on their inbound port, the port that is meant in a header (`transport-header`, the
   * chart's default since 2.18), or only for opaque ports (`transparent`, as it was before).
   */
  readonly outboundTransportMode: 'transport-header' | 'transparent';
  /** Ports that proxies leave alone where no annotation says otherwise: lists, as in annotations. */
  readonly skipInboundPorts: string;
  readonly skipOutboundPorts: string;
}

export const LINKERD_SETTINGS: LinkerdSettings = {
  defaultInboundPolicy: 'all-unauthenticated',
  clusterNetworks: ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'],
  identityDomain: 'cluster.local',
  controlPlaneNamespace: 'linkerd',
  outboundTransportMode: 'transport-header',
  skipInboundPorts: '4567,4568',
  skipOutboundPorts: '4567,4568',
};

/**
 * The settings that the input's `linkerd-config` states.
 *
 * @param parse reads the YAML of a ConfigMap; undefined where it is none
 * @returns those that it states; undefined where the input has no such ConfigMap
 */
export function statedLinkerdSettings(
  objects: readonly KubeObject[],
  parse: (text: string) => unknown,
): Partial<LinkerdSettings> | undefined {
  for (const object of objects) {
    if (object.kind !== 'ConfigMap' || nameOf(object) !== 'linkerd-config') continue;
    const text = valueAt(object, ['data', 'values']);
    const values = typeof text === 'string' ? parse(text) : undefined;
    if (!isRecord(values)) continue;
    const { namespace } = object.metadata ?? {};
    const textAt = (...path: string[]): string | undefined => {
      const value = valueAt(values, path);
      return typeof value === 'string' ? value : undefined;
    };
    const domain = textAt('identityTrustDomain') || textAt('clusterDomain');
    const policy = textAt('proxy', 'defaultInboundPolicy');
    const mode = textAt('proxy', 'outboundTransportMode');
    const networks = textAt('clusterNetworks');
    const [inbound, outbound] = [
      textAt('proxyInit', 'ignoreInboundPorts'),
      textAt('proxyInit', 'ignoreOutboundPorts'),
    ];
    return {
      ...(typeof namespace === 'string' ? { controlPlaneNamespace: namespace } : {}),
      ...(domain === undefined || domain === '' ? {} : { identityDomain: domain }),
      ...(policy !== undefined && LINKERD_DEFAULTS.includes(policy)
        ? { defaultInboundPolicy: policy as LinkerdDefault }
        : {}),
      ...(networks === undefined ? {} : { clusterNetworks: networks.split(',').map(one => one.trim()) }),
      // Before 2.18 the chart had no such value, and did as `transparent` does now.
      outboundTransportMode: mode === 'transport-header' ? mode : 'transparent',
      ...(inbound === undefined ? {} : { skipInboundPorts: inbound }),
      ...(outbound === undefined ? {} : { skipOutboundPorts: outbound }),
    };
  }
  return undefined;
}

export function linkerdIdentity(
  { controlPlaneNamespace, identityDomain }: LinkerdSettings,
  namespace: string,
  account: string,
): string {
  return `${account}.${namespace}.serviceaccount.identity.${controlPlaneNamespace}.${identityDomain}`;
}
