/**
 * What Linkerd's control plane was installed with: its ConfigMap `linkerd-config` holds the values of the chart.
 *
 * Sources: linkerd2 charts/linkerd-control-plane/values.yaml (the defaults), templates/config.yaml (the ConfigMap; an
 * empty trust domain is the cluster's domain), policy-controller/k8s/index/src/cluster_info.rs (identities).
 */
import { type Because, isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { rangeOf } from './ranges.ts';

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
  /** From where the probes of pods are let in, whatever policies say; none: nowhere. */
  readonly probeNetworks: readonly string[];
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
  probeNetworks: ['0.0.0.0/0', '::/0'],
  identityDomain: 'cluster.local',
  controlPlaneNamespace: 'linkerd',
  outboundTransportMode: 'transport-header',
  skipInboundPorts: '4567,4568',
  skipOutboundPorts: '4567,4568',
};

/** What `linkerd-config` states, and what of it cannot be taken, in words. */
export interface StatedLinkerdSettings {
  readonly settings: Partial<LinkerdSettings>;
  readonly problems: readonly Because[];
}

/**
 * The settings that the input's `linkerd-config` states.
 *
 * @param parse reads the YAML of a ConfigMap; undefined where it is none
 * @returns those that it states; undefined where the input has no such ConfigMap. Of one that cannot be read nothing is
 *   taken, and of a value that the chart does not know the default: `problems` says so
 */
export function statedLinkerdSettings(
  objects: readonly KubeObject[],
  parse: (text: string) => unknown,
): StatedLinkerdSettings | undefined {
  const object = objects.find(
    one =>
      one.kind === 'ConfigMap' && nameOf(one) === 'linkerd-config' && valueAt(one, ['data']) !== undefined,
  );
  if (object === undefined) return undefined;
  const id = `ConfigMap ${String(object.metadata?.namespace ?? 'linkerd')}/linkerd-config`;
  const text = valueAt(object, ['data', 'values']);
  const values = typeof text === 'string' ? parse(text) : undefined;
  const { namespace } = object.metadata ?? {};
  const own = typeof namespace === 'string' ? { controlPlaneNamespace: namespace } : {};
  if (!isRecord(values))
    return {
      settings: own,
      problems: [
        {
          object,
          path: ['data', 'values'],
          text: `the values of ${id} cannot be read: the defaults of its chart are taken`,
        },
      ],
    };
  const problems: Because[] = [];
  const say = (text: string): void => {
    problems.push({ object, path: ['data', 'values'], text });
  };
  const textAt = (...path: string[]): string | undefined => {
    const value = valueAt(values, path);
    if (value !== undefined && value !== null && typeof value !== 'string')
      say(`${path.join('.')} of ${id} is no text: the default of its chart is taken`);
    return typeof value === 'string' ? value : undefined;
  };
  const blocks = (path: string, list: readonly string[] | undefined): readonly string[] | undefined => {
    const wrong = list?.find(one => rangeOf(one) === undefined);
    if (wrong === undefined) return list;
    say(
      `${path} of ${id} has ${JSON.stringify(wrong)}, which is no block of addresses: the default of its chart is taken`,
    );
    return undefined;
  };
  const domain = textAt('identityTrustDomain') || textAt('clusterDomain');
  const policy = textAt('proxy', 'defaultInboundPolicy');
  if (policy !== undefined && !LINKERD_DEFAULTS.includes(policy))
    say(
      `proxy.defaultInboundPolicy of ${id} is ${JSON.stringify(policy)}, which is none: ${LINKERD_SETTINGS.defaultInboundPolicy} is taken`,
    );
  const mode = textAt('proxy', 'outboundTransportMode');
  const networks = blocks(
    'clusterNetworks',
    textAt('clusterNetworks')
      ?.split(',')
      .map(one => one.trim()),
  );
  const probes = valueAt(values, ['policyController', 'probeNetworks']);
  const probeNetworks = blocks(
    'policyController.probeNetworks',
    Array.isArray(probes) ? probes.map(String) : undefined,
  );
  const [inbound, outbound] = [
    textAt('proxyInit', 'ignoreInboundPorts'),
    textAt('proxyInit', 'ignoreOutboundPorts'),
  ];
  const settings: Partial<LinkerdSettings> = {
    ...own,
    ...(domain === undefined || domain === '' ? {} : { identityDomain: domain }),
    ...(policy !== undefined && LINKERD_DEFAULTS.includes(policy)
      ? { defaultInboundPolicy: policy as LinkerdDefault }
      : {}),
    ...(networks === undefined ? {} : { clusterNetworks: networks }),
    ...(probeNetworks === undefined ? {} : { probeNetworks }),
    // Before 2.18 the chart had no such value, and did as `transparent` does now.
    outboundTransportMode: mode === 'transport-header' ? mode : 'transparent',
    ...(inbound === undefined ? {} : { skipInboundPorts: inbound }),
    ...(outbound === undefined ? {} : { skipOutboundPorts: outbound }),
  };
  return { settings, problems };
}

/**
 * Ports and ranges of ports, as the policy controller reads annotations: a list with anything wrong in it is empty.
 * Source: linkerd2 policy-controller/k8s/index/src/ports.rs.
 */
export function linkerdPorts(list: string | undefined): (port: number) => boolean {
  const ranges: [number, number][] = [];
  for (const part of (list ?? '').split(',')) {
    if (part.trim() === '') continue;
    const found = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(part);
    const [first, last] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
    if (!(first >= 1 && first <= last && last <= 65_535)) return () => false;
    ranges.push([first, last]);
  }
  return port => ranges.some(([first, last]) => first <= port && port <= last);
}

export function linkerdIdentity(
  { controlPlaneNamespace, identityDomain }: LinkerdSettings,
  namespace: string,
  account: string,
): string {
  return `${account}.${namespace}.serviceaccount.identity.${controlPlaneNamespace}.${identityDomain}`;
}
