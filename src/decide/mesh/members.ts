/**
 * Who is in the mesh: which proxy, if any, takes a workload's traffic, and which identity it has.
 *
 * Sources: istio manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml (which pods the webhooks
 * see) and pkg/kube/inject/inject.go (injectRequired); cni/pkg/util (ambient labels); ports from
 * tools/istio-iptables (include and exclude annotations); linkerd2 pkg/inject/inject.go (AppendNamespaceAnnotations, and skipped ports), whose
 * defaults are those of its chart.
 */
import { itemsOf, type PodEndpoint } from '#decide/network/inventory.ts';
import type { KnownLabels } from '#decide/network/labels.ts';
import { accountOf } from '#kube/accounts.ts';
import { type Because, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import type { PodSpec } from '#kube/pods.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import type { LinkerdSettings } from './linkerd-settings.ts';

export type Dataplane = 'sidecar' | 'ambient' | 'none';

/** Whose proxy it is. */
export interface Membership {
  readonly mesh: 'istio' | 'linkerd' | 'none' | 'unknown';
  readonly dataplane: Dataplane | 'unknown';
  readonly because: Because;
}

export interface Member extends Membership {
  readonly endpoint: PodEndpoint;
  readonly annotations: Readonly<Record<string, string>>;
  /** What configures Linkerd's proxy: its own annotations, and those of its namespace that it has none of. */
  readonly config: Readonly<Record<string, string>>;
  /** The service account; undefined where the pod is only described. */
  readonly account: string | undefined;
  /** Whether the proxy takes what comes in on a port. */
  takesInbound(port: number): boolean;
  /** Whether the proxy takes what goes out to a port: that of the Service, or of the pod where it is addressed. */
  takesOutbound(port: number): boolean;
}

export interface Namespaces {
  object(name: string): KubeObject | undefined;
}

const SIDECAR_INJECT = 'sidecar.istio.io/inject';
const REVISION = 'istio.io/rev';
const INJECTION = 'istio-injection';
const AMBIENT = 'istio.io/dataplane-mode';
const LINKERD = 'linkerd.io/inject';
/** Never injected, whatever labels say. */
const IGNORED_NAMESPACES: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'local-path-storage',
]);
/** Ports of Istio's proxies themselves, their health and metrics, which they do not redirect. */
export const OWN_PORTS: ReadonlySet<number> = new Set([15020, 15021, 15090]);

/** What is said of a namespace that is not in the input, or of one whose labels are not. */
export type MissingNamespaces = 'unknown' | 'unlabelled' | 'sidecar' | 'ambient';

export function memberOf(
  endpoint: PodEndpoint,
  namespace: KubeObject | undefined,
  missing: MissingNamespaces,
  linkerdSkips: Pick<LinkerdSettings, 'skipInboundPorts' | 'skipOutboundPorts'>,
): Member {
  const template = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object);
  const metadata = template?.pod.metadata;
  const annotations = textsIn(valueAt(metadata, ['annotations']));
  const spec = template?.pod.spec ?? {};
  const at = (path: Path): Path => template?.pathOf(path) ?? path;
  const membership = decide({ endpoint, namespace, missing, annotations, spec, at });
  const account = template === undefined ? undefined : accountOf(spec as PodSpec);
  const linkerd = membership.mesh === 'linkerd';
  const config = linkerd ? { ...configIn(namespace?.metadata?.annotations), ...annotations } : annotations;
  const inbound = linkerd
    ? skips(config['config.linkerd.io/skip-inbound-ports'] ?? linkerdSkips.skipInboundPorts)
    : captured(annotations, 'Inbound');
  const outbound = linkerd
    ? skips(config['config.linkerd.io/skip-outbound-ports'] ?? linkerdSkips.skipOutboundPorts)
    : captured(annotations, 'Outbound');
  const sidecar = membership.dataplane === 'sidecar';
  return {
    ...membership,
    endpoint,
    annotations,
    config,
    account,
    takesInbound: port => (sidecar ? (linkerd || !OWN_PORTS.has(port)) && inbound(port) : true),
    takesOutbound: port => (sidecar ? outbound(port) : true),
  };
}

interface Question {
  readonly endpoint: PodEndpoint;
  readonly namespace: KubeObject | undefined;
  readonly missing: MissingNamespaces;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  at(path: Path): Path;
}

function decide(question: Question): Membership {
  const { endpoint, annotations, spec, at } = question;
  const object = endpoint.object;
  const because = (text: string, path?: Path): Because => ({
    ...(object === undefined ? {} : { object, ...(path === undefined ? {} : { path }) }),
    text: `${endpoint.id} ${text}`,
  });
  for (const field of ['containers', 'initContainers'])
    for (const [index, container] of itemsOf(spec[field]).entries()) {
      const name = valueAt(container, ['name']);
      // `image: auto` is a container for the webhook to fill in, no proof that there is a proxy.
      if (name === 'istio-proxy' && valueAt(container, ['image']) !== 'auto')
        return {
          mesh: 'istio',
          dataplane: 'sidecar',
          because: because('has a container istio-proxy', at(['spec', field, index])),
        };
      if (name === 'linkerd-proxy')
        return {
          mesh: 'linkerd',
          dataplane: 'sidecar',
          because: because('has a container linkerd-proxy', at(['spec', field, index])),
        };
    }
  if (annotations['sidecar.istio.io/status'] !== undefined)
    return {
      mesh: 'istio',
      dataplane: 'sidecar',
      because: because(
        'says that a sidecar was injected',
        at(['metadata', 'annotations', 'sidecar.istio.io/status']),
      ),
    };
  if (endpoint.hostNetwork)
    return {
      mesh: 'none',
      dataplane: 'none',
      because: because('is in the network of its node: no proxy takes its traffic'),
    };
  const injected = istioInjects(question, because);
  if (injected.dataplane === 'sidecar') return injected;
  const linkerd = linkerdInjects(question, because);
  if (linkerd !== undefined) return linkerd;
  const ambient = isAmbient(question, because);
  // Who stays out of ambient mode, as gateways do, may have a sidecar all the same.
  if (ambient === undefined || (ambient.dataplane === 'none' && injected.dataplane === 'unknown'))
    return injected;
  return ambient;
}

type Say = (text: string, path?: Path) => Because;

/** Labels of the namespace: own, or what is taken for those that are not in the input. */
function namespaceLabel(
  { endpoint, missing }: Question,
  key: string,
): { readonly is: 'known'; readonly value: string | undefined } | { readonly is: 'unknown' } {
  const known: KnownLabels = endpoint.namespaceLabels;
  if (Object.hasOwn(known.labels, key)) return { is: 'known', value: known.labels[key]! };
  if (known.open === 'none' || missing === 'unlabelled') return { is: 'known', value: undefined };
  if (missing === 'sidecar') return { is: 'known', value: key === INJECTION ? 'enabled' : undefined };
  if (missing === 'ambient') return { is: 'known', value: key === AMBIENT ? 'ambient' : undefined };
  return { is: 'unknown' };
}

function istioInjects(question: Question, say: Say): Membership {
  const { endpoint, annotations, namespace, at } = question;
  const { labels } = endpoint.labels;
  const outside = (because: Because): Membership => ({ mesh: 'none', dataplane: 'none', because });
  if (endpoint.namespace !== undefined && IGNORED_NAMESPACES.has(endpoint.namespace))
    return outside(say(`is in ${endpoint.namespace}, where no sidecar is injected`));
  const label = Object.hasOwn(labels, SIDECAR_INJECT) ? labels[SIDECAR_INJECT] : undefined;
  const inLabels = at(['metadata', 'labels', SIDECAR_INJECT]);
  if (label === 'false') return outside(say(`has the label ${SIDECAR_INJECT}: "false"`, inLabels));
  const annotation = annotations[SIDECAR_INJECT];
  if (label === undefined && annotation === 'false')
    return outside(
      say(`has the annotation ${SIDECAR_INJECT}: "false"`, at(['metadata', 'annotations', SIDECAR_INJECT])),
    );
  const [injection, revision] = [namespaceLabel(question, INJECTION), namespaceLabel(question, REVISION)];
  const own = Object.hasOwn(labels, REVISION) ? labels[REVISION] : undefined;
  const sidecar = (because: Because): Membership => ({ mesh: 'istio', dataplane: 'sidecar', because });
  const ofNamespace = (key: string, value: string, text: string): Because =>
    namespace === undefined
      ? { text: `${endpoint.id} is in namespace ${endpoint.namespace}: ${text}` }
      : {
          object: namespace,
          path: ['metadata', 'labels', key],
          text: `namespace ${nameOf(namespace)} has the label ${key}: ${value}`,
        };
  if (injection.is === 'known' && injection.value !== undefined) {
    if (injection.value === 'enabled')
      return sidecar(ofNamespace(INJECTION, 'enabled', 'it is taken to have injection on'));
    return outside(ofNamespace(INJECTION, injection.value, 'it is taken to have injection off'));
  }
  if (injection.is === 'unknown' || revision.is === 'unknown') {
    if (label === 'true' && own === undefined && revision.is === 'known' && revision.value === undefined)
      return sidecar(say(`has the label ${SIDECAR_INJECT}: "true"`, inLabels));
    return {
      mesh: 'unknown',
      dataplane: 'unknown',
      because: {
        text: `namespace ${endpoint.namespace ?? '?'} is not in the input: whether its pods get a proxy is not known`,
      },
    };
  }
  if (revision.value !== undefined)
    return sidecar(ofNamespace(REVISION, revision.value, 'it is taken to have a revision'));
  if (own !== undefined)
    return sidecar(say(`has the label ${REVISION}: ${own}`, at(['metadata', 'labels', REVISION])));
  if (label === 'true') return sidecar(say(`has the label ${SIDECAR_INJECT}: "true"`, inLabels));
  return outside(say('has no sidecar: neither it nor its namespace asks for one'));
}

function isAmbient(question: Question, say: Say): Membership | undefined {
  const { endpoint, annotations, namespace, at } = question;
  const { labels } = endpoint.labels;
  const ambient = (because: Because): Membership => ({ mesh: 'istio', dataplane: 'ambient', because });
  const redirection = 'ambient.istio.io/redirection';
  if (annotations[redirection] === 'enabled')
    return ambient(say('says that ztunnel takes its traffic', at(['metadata', 'annotations', redirection])));
  const own = Object.hasOwn(labels, AMBIENT) ? labels[AMBIENT] : undefined;
  const path = at(['metadata', 'labels', AMBIENT]);
  if (own === 'ambient') return ambient(say(`has the label ${AMBIENT}: ambient`, path));
  if (own === 'none')
    return { mesh: 'none', dataplane: 'none', because: say(`has the label ${AMBIENT}: none`, path) };
  const of = namespaceLabel(question, AMBIENT);
  if (of.is === 'unknown' || of.value !== 'ambient') return undefined;
  return ambient(
    namespace === undefined
      ? { text: `namespace ${endpoint.namespace} is taken to be in ambient mode` }
      : {
          object: namespace,
          path: ['metadata', 'labels', AMBIENT],
          text: `namespace ${nameOf(namespace)} has the label ${AMBIENT}: ambient`,
        },
  );
}

/** Source: linkerd2 pkg/inject/inject.go: the pod's annotation, else the namespace's. */
function linkerdInjects(question: Question, say: Say): Membership | undefined {
  const { annotations, namespace, at } = question;
  const own = annotations[LINKERD];
  const on = (value: string | undefined): boolean => value === 'enabled' || value === 'ingress';
  if (own !== undefined) {
    if (!on(own)) return undefined;
    return {
      mesh: 'linkerd',
      dataplane: 'sidecar',
      because: say(`has the annotation ${LINKERD}: ${own}`, at(['metadata', 'annotations', LINKERD])),
    };
  }
  const of = namespace?.metadata?.annotations?.[LINKERD];
  if (typeof of !== 'string' || !on(of)) return undefined;
  return {
    mesh: 'linkerd',
    dataplane: 'sidecar',
    because: {
      object: namespace!,
      path: ['metadata', 'annotations', LINKERD],
      text: `namespace ${nameOf(namespace!)} has the annotation ${LINKERD}: ${of}`,
    },
  };
}

/** Source: istio tools/istio-iptables: `*` or a list of what is included, then what is excluded of it. */
function captured(
  annotations: Readonly<Record<string, string>>,
  direction: 'Inbound' | 'Outbound',
): (port: number) => boolean {
  const include = annotations[`traffic.sidecar.istio.io/include${direction}Ports`];
  const exclude = portList(annotations[`traffic.sidecar.istio.io/exclude${direction}Ports`]);
  const only = direction === 'Inbound' && include !== undefined && include.trim() !== '*';
  const included = portList(include);
  // With a list, inbound ports outside of it are left alone; outbound ports of a list are taken beside the ranges.
  return port => (only ? included(port) : !exclude(port));
}

function skips(list: string | undefined): (port: number) => boolean {
  const skipped = portList(list);
  return port => !skipped(port);
}

/** Ports and ranges of ports, separated by commas. */
function portList(list: string | undefined): (port: number) => boolean {
  const ranges = (list ?? '').split(',').flatMap(part => {
    const found = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(part);
    return found === null ? [] : [[Number(found[1]), Number(found[2] ?? found[1])] as const];
  });
  return port => ranges.some(([first, last]) => first <= port && port <= last);
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Pods inherit the configuration of their proxy from their namespace. Source: linkerd2 pkg/inject/inject.go. */
function configIn(annotations: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(textsIn(annotations)).filter(([key]) => key.startsWith('config.linkerd.io/')),
  );
}

/** Whether the input shows anything of a mesh: an object of one, a label or an annotation that asks for a proxy. */
export function showsMesh(objects: readonly KubeObject[]): boolean {
  return shows(objects, /(?:^|\.)(?:istio\.io|linkerd\.io)\//, [...OF_ISTIO, LINKERD]);
}

/** Whether the input shows anything of Istio. */
export function showsIstio(objects: readonly KubeObject[]): boolean {
  return shows(objects, /(?:^|\.)istio\.io\//, OF_ISTIO);
}

const OF_ISTIO = [INJECTION, REVISION, AMBIENT, SIDECAR_INJECT];

function shows(objects: readonly KubeObject[], group: RegExp, keys: readonly string[]): boolean {
  return objects.some(object => {
    if (group.test(object.apiVersion)) return true;
    const template = podTemplateOf(object);
    return [object.metadata, template?.pod.metadata].some(metadata =>
      [valueAt(metadata, ['labels']), valueAt(metadata, ['annotations'])].some(
        map => isRecord(map) && keys.some(key => Object.hasOwn(map, key)),
      ),
    );
  });
}

/** Whether the input shows anything of Linkerd: an object of it, or a namespace or template that asks for its proxy. */
export function showsLinkerd(objects: readonly KubeObject[]): boolean {
  return objects.some(
    object =>
      /(?:^|\.)linkerd\.io\//.test(object.apiVersion) ||
      (object.kind === 'Namespace' && object.metadata?.annotations?.[LINKERD] !== undefined) ||
      valueAt(podTemplateOf(object)?.pod.metadata, ['annotations', LINKERD]) !== undefined,
  );
}
