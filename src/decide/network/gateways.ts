/**
 * Gateway API: listeners of Gateways, the routes that they admit, and the Services behind those.
 * Source: gateway.networking.k8s.io v1, its API specification (allowedRoutes, hostname intersection, ReferenceGrant).
 */
import { groupOf, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import type { Exposure, ProxyRoute } from './exposure-types.ts';
import { commonHosts } from './hosts.ts';
import { itemsOf, NAMESPACE_NAME, namespaceOf } from './inventory.ts';
import { compileSelector, labelsOf, matchLabels, NO, SelectorError } from './labels.ts';
import { isOf, isService, means, portsOfService, type Services, textAt, textsAt } from './services.ts';

const GROUP = 'gateway.networking.k8s.io';
/** The routes that a listener takes when it names none, by its protocol. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  HTTP: ['HTTPRoute', 'GRPCRoute'],
  HTTPS: ['HTTPRoute', 'GRPCRoute'],
  TLS: ['TLSRoute', 'TCPRoute'],
  TCP: ['TCPRoute'],
  UDP: ['UDPRoute'],
};

interface Listener {
  readonly gateway: KubeObject;
  readonly value: Readonly<Record<string, unknown>>;
  readonly protocol: string;
}

export function gatewayRoutes(objects: readonly KubeObject[], services: Services): ProxyRoute[] {
  const context = new Context(objects, services);
  return objects
    .filter(object => groupOf(object.apiVersion) === GROUP && object.kind.endsWith('Route'))
    .flatMap(route =>
      itemsOf(valueAt(route, ['spec', 'parentRefs'])).flatMap((reference, index) =>
        isRecord(reference) ? context.follow(route, reference, ['spec', 'parentRefs', index]) : [],
      ),
    );
}

class Context {
  readonly #services: Services;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #grants: readonly KubeObject[];
  readonly #namespaces = new Map<string, KubeObject>();

  constructor(objects: readonly KubeObject[], services: Services) {
    this.#services = services;
    this.#grants = objects.filter(object => isOf(object, GROUP, 'ReferenceGrant'));
    for (const object of objects) {
      if (object.apiVersion === 'v1' && object.kind === 'Namespace')
        this.#namespaces.set(nameOf(object), object);
      if (!isOf(object, GROUP, 'Gateway')) continue;
      const listeners = itemsOf(valueAt(object, ['spec', 'listeners'])).filter(isRecord);
      this.#listeners.set(
        `${namespaceOf(object)}/${nameOf(object)}`,
        listeners.map(value => ({ gateway: object, value, protocol: textAt(value, ['protocol']) ?? '' })),
      );
    }
  }

  /** The ways that one parent of a route opens. */
  follow(route: KubeObject, reference: Readonly<Record<string, unknown>>, path: Path): ProxyRoute[] {
    const { kind = 'Gateway', group = GROUP } = reference;
    if (kind === 'Service') return [];
    if (kind !== 'Gateway' || group !== GROUP) {
      this.#services.note(route, path, `a parent of kind ${String(kind)} is not followed`);
      return [];
    }
    const id = `${textAt(reference, ['namespace']) ?? namespaceOf(route)}/${String(reference['name'])}`;
    const listeners = this.#listeners.get(id);
    if (listeners === undefined) {
      this.#services.note(route, path, `there is no Gateway ${id} in the input`);
      return [];
    }
    const own = textsAt(valueAt(route, ['spec']), 'hostnames');
    const admitting = listeners.flatMap(listener => {
      if (!isMeant(reference, listener) || !this.#admits(listener, route)) return [];
      const host = textAt(listener.value, ['hostname']);
      const hosts = commonHosts(host === undefined ? [] : [host], own);
      return hosts === undefined ? [] : [{ listener, hosts }];
    });
    if (admitting.length === 0)
      this.#services.note(route, path, `no listener of Gateway ${id} takes this route`);
    return admitting.flatMap(({ listener, hosts }) => this.#backends(route, listener, hosts));
  }

  #backends(route: KubeObject, listener: Listener, hosts: readonly string[]): ProxyRoute[] {
    return itemsOf(valueAt(route, ['spec', 'rules'])).flatMap((rule, index) =>
      itemsOf(valueAt(rule, ['backendRefs'])).flatMap((reference, place) => {
        const path = ['spec', 'rules', index, 'backendRefs', place];
        if (!isRecord(reference) || reference['weight'] === 0) return [];
        if (!isService(reference)) {
          this.#services.note(route, path, `a backend of kind ${String(reference['kind'])} is not followed`);
          return [];
        }
        return this.#backend(route, reference, path, listener, hosts);
      }),
    );
  }

  #backend(
    route: KubeObject,
    reference: Readonly<Record<string, unknown>>,
    path: Path,
    listener: Listener,
    hosts: readonly string[],
  ): ProxyRoute[] {
    const namespace = textAt(reference, ['namespace']) ?? namespaceOf(route);
    if (namespace !== namespaceOf(route) && !this.#isGranted(route, namespace, String(reference['name']))) {
      this.#services.note(route, path, `no ReferenceGrant in ${namespace} permits this backend`);
      return [];
    }
    const service = this.#services.find(namespace, reference['name'], route, path);
    if (service === undefined) return [];
    const ports = portsOfService(service).filter(port => means(reference['port'], port));
    if (ports.length === 0)
      this.#services.note(route, path, `the Service has no port ${String(reference['port'])}`);
    const port = listener.value['port'];
    return ports.flatMap(servicePort =>
      this.#services.targets(service, servicePort).map(target => ({
        entry: {
          is: 'gateway' as const,
          port: typeof port === 'number' ? port : undefined,
          hosts,
          addresses: addressesOf(listener.gateway),
        },
        through: [listener.gateway, route, service],
        target,
        tls: tlsOf(listener),
        proxies: [],
        internal: false,
        sources: [],
      })),
    );
  }

  #admits({ gateway, value, protocol }: Listener, route: KubeObject): boolean {
    const kinds = itemsOf(valueAt(value, ['allowedRoutes', 'kinds'])).map(kind => textAt(kind, ['kind']));
    const allowed = kinds.length > 0 ? kinds : Object.hasOwn(KINDS, protocol) ? KINDS[protocol]! : [];
    if (!allowed.includes(route.kind)) return false;
    const namespaces = valueAt(value, ['allowedRoutes', 'namespaces']);
    switch (valueAt(namespaces, ['from']) ?? 'Same') {
      case 'All':
        return true;
      case 'Same':
        return namespaceOf(route) === namespaceOf(gateway);
      case 'Selector':
        return this.#isSelected(namespaceOf(route), valueAt(namespaces, ['selector']));
      default:
        return false;
    }
  }

  /** Whether a namespace has the labels; one that is not in the input may have any. */
  #isSelected(name: string, selector: unknown): boolean {
    const namespace = this.#namespaces.get(name);
    const { labels, open } = labelsOf(namespace?.metadata?.labels, namespace === undefined ? 'any' : 'none');
    try {
      const known = { open, labels: { ...labels, [NAMESPACE_NAME]: name } };
      return matchLabels(compileSelector(selector), known) !== NO;
    } catch (error) {
      if (error instanceof SelectorError) return false;
      throw error;
    }
  }

  #isGranted(route: KubeObject, namespace: string, service: string): boolean {
    return this.#grants.some(
      grant =>
        namespaceOf(grant) === namespace &&
        itemsOf(valueAt(grant, ['spec', 'from'])).some(
          from =>
            valueAt(from, ['group']) === GROUP &&
            valueAt(from, ['kind']) === route.kind &&
            valueAt(from, ['namespace']) === namespaceOf(route),
        ) &&
        itemsOf(valueAt(grant, ['spec', 'to'])).some(
          to =>
            (valueAt(to, ['group']) ?? '') === '' &&
            valueAt(to, ['kind']) === 'Service' &&
            (textAt(to, ['name']) ?? service) === service,
        ),
    );
  }
}

function isMeant(reference: Readonly<Record<string, unknown>>, { value }: Listener): boolean {
  const section = textAt(reference, ['sectionName']);
  const port = reference['port'] ?? undefined;
  return (
    (section === undefined || section === value['name']) && (port === undefined || port === value['port'])
  );
}

function tlsOf({ protocol, value }: Listener): Exposure['tls'] {
  if (protocol !== 'HTTPS' && protocol !== 'TLS') return Object.hasOwn(KINDS, protocol) ? 'none' : 'unknown';
  return valueAt(value, ['tls', 'mode']) === 'Passthrough' ? 'passthrough' : 'terminated';
}

function addressesOf(gateway: KubeObject): string[] {
  const stated = [valueAt(gateway, ['status', 'addresses']), valueAt(gateway, ['spec', 'addresses'])];
  return itemsOf(stated.find(list => itemsOf(list).length > 0))
    .map(item => textAt(item, ['value']))
    .filter(text => text !== undefined);
}
