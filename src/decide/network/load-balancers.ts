/** The entries that a Service is by itself: load balancer, node port, external address. */
import { type KubeObject, valueAt } from '#kube/objects.ts';
import type { Entry } from './exposure-types.ts';
import { itemsOf } from './inventory.ts';
import { type ServicePort, textAt, textsAt } from './services.ts';

/** Annotations with which load balancers of clouds are made internal, with the values that do so. */
const INTERNAL: Readonly<Record<string, RegExp>> = {
  'service.beta.kubernetes.io/aws-load-balancer-internal': /^(?:true|0\.0\.0\.0\/0)$/,
  'service.beta.kubernetes.io/aws-load-balancer-scheme': /^internal$/,
  'service.beta.kubernetes.io/azure-load-balancer-internal': /^true$/,
  'networking.gke.io/load-balancer-type': /^internal$/i,
  'cloud.google.com/load-balancer-type': /^internal$/i,
  'service.beta.kubernetes.io/oci-load-balancer-internal': /^true$/,
  'service.beta.kubernetes.io/openstack-internal-load-balancer': /^true$/,
  'service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type': /^private$/,
  'service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type': /^intranet$/,
  'service.kubernetes.io/qcloud-loadbalancer-internal-subnetid': /./,
};

/** An entry with who may come. */
export interface Opening {
  readonly entry: Entry;
  readonly sources: readonly string[];
  readonly internal: boolean;
}

/** How one port of a Service is open to the outside; not at all, if the Service is for the cluster only. */
export function openingsOf(service: KubeObject, port: ServicePort): Opening[] {
  const spec = valueAt(service, ['spec']);
  const type = textAt(spec, ['type']);
  const balanced = type === 'LoadBalancer';
  const onNodes =
    type === 'NodePort' || (balanced && valueAt(spec, ['allocateLoadBalancerNodePorts']) !== false);
  const addresses = textsAt(spec, 'externalIPs');
  const openings: Opening[] = [];
  if (balanced)
    openings.push({
      entry: { is: 'load-balancer', port: port.port, hosts: [], addresses: balancerAddresses(service) },
      sources: textsAt(spec, 'loadBalancerSourceRanges'),
      internal: isInternal(service),
    });
  if (onNodes)
    openings.push({
      entry: { is: 'node-port', port: port.nodePort, hosts: [], addresses: [] },
      sources: [],
      internal: false,
    });
  if (addresses.length > 0)
    openings.push({
      entry: { is: 'external-ip', port: port.port, hosts: [], addresses },
      sources: [],
      internal: false,
    });
  return openings;
}

/** Whether pods behind a Service see the address of the client: else it may be that of a node. */
export function keepsAddress(service: KubeObject): boolean {
  return textAt(service, ['spec', 'externalTrafficPolicy']) === 'Local';
}

/** Whether the annotations of a Service ask for a load balancer that is not public. */
export function isInternal(service: KubeObject): boolean {
  const annotations = service.metadata?.annotations ?? {};
  return Object.entries(INTERNAL).some(([key, values]) => {
    const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    return value !== undefined && values.test(String(value));
  });
}

function balancerAddresses(service: KubeObject): string[] {
  return itemsOf(valueAt(service, ['status', 'loadBalancer', 'ingress'])).flatMap(item =>
    [textAt(item, ['ip']), textAt(item, ['hostname'])].filter(text => text !== undefined),
  );
}
