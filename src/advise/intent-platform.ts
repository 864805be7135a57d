/**
 * Connections that the platform makes to workloads: proxies in front, scrapers, the API server.
 *
 * Sources: istio pilot/pkg/config/kube/gateway/deploymentcontroller.go (names of the Deployment that a Gateway gets);
 * prometheus-operator pkg/prometheus/server/operator.go and agent/operator.go (makeSelectorLabels: labels of its pods),
 * pkg/prometheus/resource_selector.go (selectObjects: which monitors are its), Documentation/api-reference (ServiceMonitor,
 * PodMonitor, Prometheus: what an absent selector means); prometheus-community helm-charts (kube-prometheus-stack sets the
 * selectors to its release; the pods of chart prometheus are named prometheus); the example configuration of Prometheus for the annotations `prometheus.io/…`;
 * k8s.io/api admissionregistration/v1, apiextensions/v1 and apiregistration/v1 (references to Services).
 */
import type { Exposure } from '#decide/network/door.ts';
import {
  itemsOf,
  NAMESPACE_NAME,
  namespaceOf,
  type PodEndpoint,
  sideOfId,
} from '#decide/network/inventory.ts';
import { numbersOf, portsOfService } from '#decide/network/services.ts';
import { accountOf, mountsToken } from '#kube/accounts.ts';
import { groupOf, isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import type { PodSpec } from '#kube/pods.ts';
import { matchesSelector } from '#kube/selectors.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import type { Search } from './intent-search.ts';
import type { DescribedPods, NeedSide } from './network-needs.ts';

export function platformIntents(search: Search, exposures: readonly Exposure[]): void {
  for (const exposure of exposures) enter(search, exposure);
  new Scraping(search).run();
  apiServer(search);
  clientsOfApi(search);
}

/** Who comes in: anybody from outside, or the proxy that takes the connection first. */
function enter(search: Search, exposure: Exposure): void {
  const { entry, workload, id, port, protocol, sources } = exposure;
  if (podTemplateOf(workload) === undefined || entry.is === 'host-network') return;
  const { add, tell } = search;
  const to = sideOfId(search.workloads.top(id));
  if (['load-balancer', 'node-port', 'external-ip', 'host-port'].includes(entry.is)) {
    for (const cidr of sources.length > 0 ? sources : ['0.0.0.0/0'])
      add({ from: { cidr }, to, port, protocol }, `${entry.is} of ${id}`);
    return;
  }
  const front = exposure.through.find(({ kind }) => /^(?:Gateway|Ingress|Route)$/.test(kind));
  const named = front === undefined ? entry.is : `${front.kind} ${namespaceOf(front)}/${nameOf(front)}`;
  const proxies = proxiesOf(search, front);
  for (const from of proxies) add({ from, to, port, protocol }, `${named} leads to it`);
  if (proxies.length === 0)
    tell({
      is: 'way-in',
      ...(front === undefined ? {} : { object: front }),
      text: `the proxy of ${named} is not in the input, so its way to ${id} is left out: name it with --ingress NAMESPACE, or NAMESPACE/SERVICE-ACCOUNT where it is in the mesh`,
    });
}

/** Labels of controllers that serve Ingresses, as their own charts set them. */
const CONTROLLERS: readonly Readonly<Record<string, string>>[] = [
  { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' },
  { 'app.kubernetes.io/name': 'nginx-ingress' },
  { 'app.kubernetes.io/name': 'traefik' },
  { 'app.kubernetes.io/name': 'kubernetes-ingress' },
  { 'app.kubernetes.io/name': 'haproxy-ingress' },
  { 'app.kubernetes.io/name': 'kong' },
];

function proxiesOf(
  { services, endpoints, options, objects }: Search,
  front: KubeObject | undefined,
): NeedSide[] {
  const known = new Set(endpoints.map(({ id }) => id));
  const inInput = (labels: unknown, namespace?: string): NeedSide[] =>
    services
      .selected(labels, namespace)
      .filter(({ endpoint }) => known.has(endpoint.id))
      .map(({ endpoint }) => sideOfId(endpoint.id));
  let found: NeedSide[] = [];
  const group = front === undefined ? '' : groupOf(front.apiVersion);
  if (front?.kind === 'Gateway' && group === 'networking.istio.io') {
    const selector = valueAt(front, ['spec', 'selector']);
    if (isRecord(selector) && Object.keys(selector).length > 0) found = inInput(selector);
  } else if (front?.kind === 'Gateway') {
    const labels = { 'gateway.networking.k8s.io/gateway-name': nameOf(front) };
    found = inInput(labels, namespaceOf(front));
    if (found.length === 0 && isIstioClass(front, objects)) found = [madeGateway(front, labels)];
  } else if (front?.kind === 'Ingress') found = CONTROLLERS.flatMap(labels => inInput(labels));
  return found.length > 0 ? found : [...(options.ingress ?? [])];
}

function isIstioClass(gateway: KubeObject, objects: readonly KubeObject[]): boolean {
  const name = valueAt(gateway, ['spec', 'gatewayClassName']);
  const own = objects.find(object => object.kind === 'GatewayClass' && nameOf(object) === name);
  const controller = valueAt(own, ['spec', 'controllerName']);
  return own === undefined ? name === 'istio' : controller === 'istio.io/gateway-controller';
}

/** The pods that Istio makes for a Gateway: named, and with an account, like the Gateway and its class. */
function madeGateway(gateway: KubeObject, labels: Readonly<Record<string, string>>): DescribedPods {
  const annotations = gateway.metadata?.annotations ?? {};
  const plain = `${nameOf(gateway)}-${String(valueAt(gateway, ['spec', 'gatewayClassName']))}`;
  const name = annotations['gateway.istio.io/name-override'] ?? plain;
  const account = annotations['gateway.istio.io/service-account'] ?? name;
  return { labels, namespaceLabels: { [NAMESPACE_NAME]: namespaceOf(gateway) }, account };
}

const MONITORING = 'monitoring.coreos.com';

class Scraping {
  readonly #search: Search;

  constructor(search: Search) {
    this.#search = search;
  }

  run(): void {
    const { objects, services, endpoints } = this.#search;
    for (const endpoint of endpoints) {
      const annotations = valueAt(podTemplateOf(endpoint.object!)?.pod.metadata, ['annotations']);
      if (!asksForScraping(annotations)) continue;
      const port = Number(valueAt(annotations, ['prometheus.io/port']));
      const all = (endpoint.ports ?? []).filter(one => one.protocol === 'TCP').map(one => one.port);
      const ports = port >= 1 && port <= 65_535 && Number.isInteger(port) ? [port] : all;
      for (const one of ports)
        this.#scraped(endpoint, one, 'its annotations ask for scraping', { byAnnotation: true });
    }
    for (const service of services.all()) {
      if (!asksForScraping(service.metadata?.annotations)) continue;
      const stated = Number(service.metadata?.annotations?.['prometheus.io/port']);
      for (const port of portsOfService(service))
        for (const { endpoint, port: number } of services.targets(service, port))
          if (port.protocol === 'TCP' && (Number.isNaN(stated) || stated === port.port || stated === number))
            this.#scraped(endpoint, number, `annotations of Service ${nameOf(service)} ask for scraping`);
    }
    for (const object of objects) {
      if (groupOf(object.apiVersion) !== MONITORING) continue;
      if (object.kind === 'ServiceMonitor') this.#serviceMonitor(object);
      if (object.kind === 'PodMonitor') this.#podMonitor(object);
    }
  }

  #serviceMonitor(monitor: KubeObject): void {
    const { services } = this.#search;
    for (const service of services.all()) {
      if (!isWanted(monitor, namespaceOf(service))) continue;
      if (!matchesSelector(selectorOf(monitor), service.metadata?.labels ?? {})) continue;
      for (const wanted of itemsOf(valueAt(monitor, ['spec', 'endpoints'])))
        for (const port of portsOfService(service)) {
          const [name, target] = [valueAt(wanted, ['port']), valueAt(wanted, ['targetPort'])];
          if (name !== undefined ? name !== port.name : target !== undefined && target !== port.target)
            continue;
          for (const { endpoint, port: number } of services.targets(service, port))
            this.#scraped(endpoint, number, `ServiceMonitor ${nameOf(monitor)} scrapes it`, { monitor });
        }
    }
  }

  #podMonitor(monitor: KubeObject): void {
    for (const endpoint of this.#search.endpoints) {
      if (!isWanted(monitor, endpoint.namespace ?? '')) continue;
      if (!matchesSelector(selectorOf(monitor), endpoint.labels.labels)) continue;
      for (const wanted of itemsOf(valueAt(monitor, ['spec', 'podMetricsEndpoints']))) {
        const target =
          valueAt(wanted, ['portNumber']) ?? valueAt(wanted, ['port']) ?? valueAt(wanted, ['targetPort']);
        if (typeof target !== 'string' && typeof target !== 'number') continue;
        const port = {
          path: [],
          name: undefined,
          port: 0,
          protocol: 'TCP',
          target,
          nodePort: undefined,
        } as const;
        for (const number of numbersOf(port, endpoint))
          this.#scraped(endpoint, number, `PodMonitor ${nameOf(monitor)} scrapes it`, { monitor });
      }
    }
  }

  #scraped(
    endpoint: PodEndpoint,
    port: number,
    why: string,
    { byAnnotation = false, monitor }: { byAnnotation?: boolean; monitor?: KubeObject } = {},
  ): void {
    const { add, tell, workloads } = this.#search;
    const to = sideOfId(workloads.top(endpoint.id));
    const scrapers = this.#scrapers(monitor);
    for (const from of scrapers)
      if (JSON.stringify(from) !== JSON.stringify(to))
        add({ from, to, port, protocol: 'TCP', ...(byAnnotation ? { scraped: true as const } : {}) }, why);
    if (scrapers.length === 0)
      tell({
        is: 'way-in',
        object: endpoint.object!,
        text: `${endpoint.id} is scraped on port ${port} (${why}), and who scrapes is not in the input${monitor === undefined ? '' : ', or does not select the monitor'}: name it with --scraper NAMESPACE, or NAMESPACE/SERVICE-ACCOUNT where it is in the mesh`,
      });
  }

  /**
   * Whether a Prometheus takes a monitor: one that selects none of any kind has a configuration of its own, which the input
   * does not show.
   */
  #selects(prometheus: KubeObject, monitor: KubeObject): boolean {
    const selectorAt = (field: string): object | undefined => {
      const selector = valueAt(prometheus, ['spec', field]);
      return isRecord(selector) ? selector : undefined;
    };
    if (MONITOR_SELECTORS.every(field => selectorAt(field) === undefined)) return true;
    const kind = monitor.kind === 'ServiceMonitor' ? 'serviceMonitor' : 'podMonitor';
    const own = selectorAt(`${kind}NamespaceSelector`);
    const namespace = namespaceOf(monitor);
    const labels = this.#search.objects.find(one => one.kind === 'Namespace' && nameOf(one) === namespace)
      ?.metadata?.labels;
    const here =
      own === undefined
        ? namespace === namespaceOf(prometheus)
        : matchesSelector(own, { ...labels, [NAMESPACE_NAME]: namespace });
    return here && matchesSelector(selectorAt(`${kind}Selector`), monitor.metadata?.labels ?? {});
  }

  /** Prometheus as a workload, or as the operator makes it where it selects the monitor; else who was named. */
  #scrapers(monitor: KubeObject | undefined): NeedSide[] {
    const { objects, endpoints, options } = this.#search;
    const own = endpoints
      .filter(({ labels }) =>
        [labels.labels['app.kubernetes.io/name'], labels.labels['app']].includes('prometheus'),
      )
      .map(({ id }) => sideOfId(id));
    const made = objects
      .filter(object => Object.hasOwn(MADE, object.kind) && groupOf(object.apiVersion) === MONITORING)
      .filter(object => monitor === undefined || this.#selects(object, monitor))
      .map((object): DescribedPods => {
        const account = valueAt(object, ['spec', 'serviceAccountName']);
        return {
          labels: {
            'app.kubernetes.io/instance': nameOf(object),
            'app.kubernetes.io/name': MADE[object.kind]!,
          },
          namespaceLabels: { [NAMESPACE_NAME]: namespaceOf(object) },
          ...(typeof account === 'string' && isMeshed(object) ? { account } : {}),
        };
      });
    const found = [...own, ...made];
    return found.length > 0 ? found : [...(options.scrapers ?? [])];
  }
}

/** Names in the labels of the pods that the operator makes of an object. */
const MADE: Readonly<Record<string, string>> = {
  Prometheus: 'prometheus',
  PrometheusAgent: 'prometheus-agent',
};
const MONITOR_SELECTORS = [
  'serviceMonitorSelector',
  'podMonitorSelector',
  'probeSelector',
  'scrapeConfigSelector',
];

/** Whether the pods of a Prometheus ask for a proxy themselves; its namespace may ask for all. */
function isMeshed(prometheus: KubeObject): boolean {
  const metadata = valueAt(prometheus, ['spec', 'podMetadata']);
  return (
    valueAt(metadata, ['labels', 'sidecar.istio.io/inject']) === 'true' ||
    valueAt(metadata, ['labels', 'istio.io/dataplane-mode']) === 'ambient' ||
    valueAt(metadata, ['annotations', 'linkerd.io/inject']) === 'enabled'
  );
}

function asksForScraping(annotations: unknown): boolean {
  return String(valueAt(annotations, ['prometheus.io/scrape'])) === 'true';
}

/** An absent selector of a monitor selects nothing, an empty one everything. */
function selectorOf(monitor: KubeObject): object | undefined {
  const selector = valueAt(monitor, ['spec', 'selector']);
  return isRecord(selector) ? selector : undefined;
}

function isWanted(monitor: KubeObject, namespace: string): boolean {
  const selector = valueAt(monitor, ['spec', 'namespaceSelector']);
  if (valueAt(selector, ['any']) === true) return true;
  const names = itemsOf(valueAt(selector, ['matchNames']));
  return names.length === 0 ? namespace === namespaceOf(monitor) : names.includes(namespace);
}

/** What the API server asks: admission and conversion webhooks, and APIs that others serve. */
function apiServer({ objects, services, options, add, need, tell }: Search): void {
  const stated = options.apiServers ?? [];
  const from = stated.length > 0 ? stated : ['0.0.0.0/0'];
  const asked = (reference: unknown, object: KubeObject): void => {
    const [namespace, name] = [valueAt(reference, ['namespace']), valueAt(reference, ['name'])];
    if (typeof namespace !== 'string' || typeof name !== 'string') return;
    const port = valueAt(reference, ['port']) ?? 443;
    const who = `${object.kind} ${nameOf(object)}`;
    for (const service of services.all()) {
      if (namespaceOf(service) !== namespace || nameOf(service) !== name) continue;
      for (const one of portsOfService(service).filter(candidate => candidate.port === port))
        for (const target of services.targets(service, one)) {
          for (const cidr of from) add(need({ cidr }, target), `${who}: the API server asks it`);
          if (stated.length === 0)
            tell({
              is: 'remark',
              object,
              text: `${who} lets the API server ask ${target.endpoint.id}, and its addresses are not known: any address is let in; --api-server CIDR says less`,
            });
        }
    }
  };
  for (const object of objects) {
    if (/^(?:Validating|Mutating)WebhookConfiguration$/.test(object.kind))
      for (const webhook of itemsOf(object['webhooks']))
        asked(valueAt(webhook, ['clientConfig', 'service']), object);
    if (object.kind === 'CustomResourceDefinition')
      asked(valueAt(object, ['spec', 'conversion', 'webhook', 'clientConfig', 'service']), object);
    if (object.kind === 'APIService' && groupOf(object.apiVersion) === 'apiregistration.k8s.io')
      asked(valueAt(object, ['spec', 'service']), object);
  }
}

/** Those of the Service `kubernetes` and of what is behind it: packets are judged when its address is replaced already. */
const API_PORTS = [443, 6443];

/** Workloads that use the API: a token is mounted into their pods, and their account may do something with it. */
function clientsOfApi({ objects, endpoints, options, add, tell }: Search): void {
  const bound = new Map<string, KubeObject>();
  const accounts = new Map<string, KubeObject>();
  for (const object of objects) {
    if (object.kind === 'ServiceAccount' && object.apiVersion === 'v1')
      accounts.set(`${namespaceOf(object)}/${nameOf(object)}`, object);
    if (!/^(?:Cluster)?RoleBinding$/.test(object.kind)) continue;
    for (const subject of itemsOf(object['subjects'])) {
      if (valueAt(subject, ['kind']) !== 'ServiceAccount') continue;
      const namespace = valueAt(subject, ['namespace']) ?? namespaceOf(object);
      bound.set(`${String(namespace)}/${String(valueAt(subject, ['name']))}`, object);
    }
  }
  for (const { id, object, namespace = 'default', hostNetwork } of endpoints) {
    const spec = podTemplateOf(object!)?.pod.spec as PodSpec | undefined;
    if (spec === undefined || hostNetwork) continue;
    const account = `${namespace}/${accountOf(spec)}`;
    const binding = bound.get(account);
    if (binding === undefined) continue;
    if (!mountsToken(spec, accounts.get(account)?.['automountServiceAccountToken'])) continue;
    const why = `${binding.kind} ${nameOf(binding)} lets it use the Kubernetes API`;
    for (const cidr of options.apiServers ?? [])
      for (const port of API_PORTS) add({ from: sideOfId(id), to: { cidr }, port }, why);
    if ((options.apiServers ?? []).length === 0)
      tell({
        is: 'way-out',
        object: object!,
        text: `${id}: ${why}, whose addresses are not known: name them with --api-server CIDR`,
      });
  }
}
