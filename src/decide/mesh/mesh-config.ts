/**
 * What holds for the whole mesh: trust domains, modes and providers. Source of the defaults: istio
 * pkg/config/mesh/mesh.go (DefaultMeshConfig).
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import { type Because, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';

import { PATH_NORMALIZATIONS, type PathNormalization } from './paths.ts';
import type { ExportDefaults } from './registry.ts';

/** Istio's meshConfig, as far as it is asked for; as in the ConfigMap `istio`, or in an IstioOperator. */
export interface MeshConfig {
  readonly rootNamespace?: string;
  readonly trustDomain?: string;
  readonly trustDomainAliases?: readonly string[];
  readonly pathNormalization?: { readonly normalization?: string };
  readonly enableAutoMtls?: boolean;
  readonly outboundTrafficPolicy?: { readonly mode?: string };
  readonly extensionProviders?: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

/** The configuration that decides, every field given. */
export interface MeshSettings {
  readonly rootNamespace: string;
  /** The mesh's own, then its aliases. */
  readonly trustDomains: readonly string[];
  /** What a client's certificate may say: these, and those of further authorities. */
  readonly acceptedTrustDomains: ReadonlySet<string>;
  readonly normalization: PathNormalization;
  readonly autoMtls: boolean;
  readonly registryOnly: boolean;
  /** To whom Services, DestinationRules and VirtualServices are exported that say nothing themselves. */
  readonly exportTo: ExportDefaults;
  /** Whether proxies answer for hosts without an address, and give them one. */
  readonly allocatesAddresses: boolean;
  /** Whether access logs are written where no provider is named for them. */
  readonly logsAccess: boolean;
  /** By name, whether the provider can be asked about plain TCP; undefined: the configuration is not known. */
  readonly providers: ReadonlyMap<string, { readonly tcp: boolean }> | undefined;
  /** What was taken for granted, with the place where the input says what is not taken. */
  readonly assumptions: readonly Because[];
  /** That of them which says that there is no configuration. */
  readonly absent: Because | undefined;
}

const DEFAULT_ROOT = 'istio-system';

/**
 * The configuration of a mesh: what the caller states, else the ConfigMap of the input, else Istio's defaults.
 *
 * @param parse reads the YAML of a ConfigMap; undefined where it is none
 */
export function meshSettings(
  objects: readonly KubeObject[],
  stated: MeshConfig | undefined,
  rootNamespace: string | undefined,
  parse: (text: string) => unknown,
): MeshSettings {
  const assumptions: Because[] = [];
  let config: MeshConfig = stated ?? {};
  let place: { object?: KubeObject; path?: Path } = {};
  if (stated === undefined) {
    const found = configOf(objects, rootNamespace ?? DEFAULT_ROOT, parse);
    if (found === undefined) assumptions.push(absentConfig(objects, rootNamespace ?? DEFAULT_ROOT));
    else {
      config = found.config;
      place = { object: found.object, path: found.path };
    }
  }
  const [absent] = assumptions;
  const isKnown = absent === undefined;
  const trustDomain = textOf(config.trustDomain) ?? 'cluster.local';
  const aliases = textsOf(config.trustDomainAliases);
  const further = itemsOf(config['caCertificates']).flatMap(item => textsOf(valueAt(item, ['trustDomains'])));
  const normalization = valueAt(config, ['pathNormalization', 'normalization']);
  // Istio keeps what it had before a configuration that it cannot read.
  if (normalization !== undefined && !PATH_NORMALIZATIONS.includes(normalization as PathNormalization))
    assumptions.push({
      ...place,
      text: `pathNormalization of the mesh configuration is ${JSON.stringify(normalization)}, which is none: DEFAULT is taken`,
    });
  const mode = valueAt(config, ['outboundTrafficPolicy', 'mode']);
  if (mode !== undefined && mode !== 'REGISTRY_ONLY' && mode !== 'ALLOW_ANY')
    assumptions.push({
      ...place,
      text: `outboundTrafficPolicy of the mesh configuration is ${JSON.stringify(mode)}, which is none: ALLOW_ANY is taken`,
    });
  return {
    rootNamespace: rootNamespace ?? textOf(config.rootNamespace) ?? DEFAULT_ROOT,
    trustDomains: [trustDomain, ...aliases],
    acceptedTrustDomains: new Set([trustDomain, ...aliases, ...further].filter(text => text !== '')),
    normalization: PATH_NORMALIZATIONS.includes(normalization as PathNormalization)
      ? (normalization as PathNormalization)
      : 'DEFAULT',
    autoMtls: config.enableAutoMtls !== false,
    registryOnly: mode === 'REGISTRY_ONLY',
    exportTo: {
      services: orEverybody(config['defaultServiceExportTo']),
      destinationRules: orEverybody(config['defaultDestinationRuleExportTo']),
      virtualServices: orEverybody(config['defaultVirtualServiceExportTo']),
    },
    allocatesAddresses: allocatesAddresses(config),
    logsAccess: itemsOf(valueAt(config, ['defaultProviders', 'accessLogging'])).length > 0,
    providers: isKnown ? providersOf(config.extensionProviders) : undefined,
    assumptions,
    absent,
  };
}

/** Why there is no configuration: none is in the input, or what is cannot be read. */
function absentConfig(objects: readonly KubeObject[], rootNamespace: string): Because {
  const broken = objects.find(
    object =>
      object.apiVersion === 'v1' &&
      object.kind === 'ConfigMap' &&
      /^istio(?:-|$)/.test(nameOf(object)) &&
      namespaceOf(object) === rootNamespace &&
      valueAt(object, ['data', 'mesh']) !== undefined,
  );
  return broken === undefined
    ? { text: 'the mesh configuration is not in the input: the defaults of Istio are taken' }
    : {
        object: broken,
        path: ['data', 'mesh'],
        text: `the mesh configuration in ConfigMap ${rootNamespace}/${nameOf(broken)} cannot be read: the defaults of Istio are taken`,
      };
}

interface FoundConfig {
  readonly config: MeshConfig;
  readonly object: KubeObject;
  readonly path: Path;
}

/** `meshConfig` of an IstioOperator or of the chart's values is the same as `data.mesh` of the ConfigMap. */
function configOf(
  objects: readonly KubeObject[],
  rootNamespace: string,
  parse: (text: string) => unknown,
): FoundConfig | undefined {
  for (const object of objects) {
    if (object.kind === 'IstioOperator' || object.kind === 'Istio')
      for (const path of [
        ['spec', 'meshConfig'],
        ['spec', 'values', 'meshConfig'],
      ]) {
        const config = valueAt(object, path);
        if (isRecord(config)) return { config, object, path };
      }
    if (nameOf(object) !== 'istio' || namespaceOf(object) !== rootNamespace) continue;
    const config = ofConfigMap(object, parse);
    if (config !== undefined) return config;
  }
  // A control plane may stand elsewhere, and one of several revisions has the revision in the name.
  for (const object of objects) {
    const config = /^istio(?:-|$)/.test(nameOf(object)) ? ofConfigMap(object, parse) : undefined;
    if (config !== undefined) return config;
  }
  return undefined;
}

function ofConfigMap(object: KubeObject, parse: (text: string) => unknown): FoundConfig | undefined {
  if (object.apiVersion !== 'v1' || object.kind !== 'ConfigMap') return undefined;
  const path = ['data', 'mesh'];
  const text = valueAt(object, path);
  const config = typeof text === 'string' ? parse(text) : undefined;
  return isRecord(config) ? { config, object, path } : undefined;
}

/** Source: pkg/config/analysis/analyzers/serviceentry/protocoladdresses.go. */
function allocatesAddresses(config: MeshConfig): boolean {
  const isOn = (name: string): boolean =>
    valueAt(config, ['defaultConfig', 'proxyMetadata', name]) === 'true';
  return (
    isOn('ISTIO_META_DNS_CAPTURE') &&
    (isOn('ISTIO_META_DNS_AUTO_ALLOCATE') || isOn('PILOT_ENABLE_IP_AUTOALLOCATE'))
  );
}

function providersOf(list: unknown): ReadonlyMap<string, { readonly tcp: boolean }> {
  const found = new Map<string, { readonly tcp: boolean }>();
  for (const item of itemsOf(list)) {
    const name = valueAt(item, ['name']);
    if (typeof name !== 'string') continue;
    if (isRecord(valueAt(item, ['envoyExtAuthzGrpc']))) found.set(name, { tcp: true });
    else if (isRecord(valueAt(item, ['envoyExtAuthzHttp']))) found.set(name, { tcp: false });
  }
  return found;
}

function orEverybody(value: unknown): readonly string[] {
  const list = textsOf(value);
  return list.length > 0 ? list : ['*'];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(value: unknown): string[] {
  return itemsOf(value).filter(item => typeof item === 'string');
}
