/**
 * The waypoint that stands before a Service or a pod in ambient mode.
 * Source: istio pilot/pkg/serviceregistry/ambient/waypoints.go (fetchWaypointForTarget and what it is asked for): the
 * label of the object, `none` for no waypoint, else that of its namespace; the traffic that a waypoint is for.
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import {
  compileSelector,
  type KnownLabels,
  matchLabels,
  SelectorError,
  YES,
} from '#decide/network/labels.ts';
import { type Because, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import { isOf } from './policies.ts';

const USE = 'istio.io/use-waypoint';
const USE_NAMESPACE = 'istio.io/use-waypoint-namespace';
const FOR = 'istio.io/waypoint-for';
const GATEWAY_GROUP = 'gateway.networking.k8s.io';

export type Waypoint =
  | { readonly is: 'none' }
  | { readonly is: 'waypoint'; readonly gateway: KubeObject; readonly because: Because }
  /** A label names one that is not in the input. */
  | { readonly is: 'missing'; readonly because: Because };

/** What may use a waypoint: an object, or a pod's labels, in a namespace. */
export interface WaypointUser {
  readonly object: KubeObject | undefined;
  readonly labels: Readonly<Record<string, unknown>>;
  /** Where the labels stand in the object. */
  readonly path: Path;
  readonly namespace: KubeObject | undefined;
  readonly namespaceName: string;
  readonly namespaceLabels: KnownLabels;
}

const NONE: Waypoint = { is: 'none' };

export function waypointOf(
  objects: readonly KubeObject[],
  user: WaypointUser,
  traffic: 'service' | 'workload',
): Waypoint {
  const own = user.labels[USE];
  if (own === 'none') return NONE;
  const from =
    typeof own === 'string'
      ? { object: user.object, labels: user.labels, path: user.path }
      : {
          object: user.namespace,
          labels: user.namespace?.metadata?.labels ?? {},
          path: ['metadata', 'labels'] as Path,
        };
  const name = from.labels[USE];
  if (typeof name !== 'string' || name === 'none') return NONE;
  const stated = from.labels[USE_NAMESPACE];
  const namespace = typeof stated === 'string' ? stated : user.namespaceName;
  const because: Because = {
    ...(from.object === undefined ? {} : { object: from.object, path: [...from.path, USE] }),
    text: `the label ${USE} names waypoint ${namespace}/${name}`,
  };
  const gateway = objects.find(
    object =>
      isOf(object, GATEWAY_GROUP, 'Gateway') && namespaceOf(object) === namespace && nameOf(object) === name,
  );
  if (gateway === undefined) return { is: 'missing', because };
  if (!admits(gateway, namespace, user)) return NONE;
  const kind = trafficOf(objects, gateway);
  return kind === traffic || kind === 'all' ? { is: 'waypoint', gateway, because } : NONE;
}

/** The label of the Gateway, else of its class, else `service`. */
function trafficOf(objects: readonly KubeObject[], gateway: KubeObject): string {
  const own = gateway.metadata?.labels?.[FOR];
  if (typeof own === 'string') return own;
  const className = valueAt(gateway, ['spec', 'gatewayClassName']);
  const of = objects.find(
    object => isOf(object, GATEWAY_GROUP, 'GatewayClass') && nameOf(object) === className,
  );
  const label = of?.metadata?.labels?.[FOR];
  return typeof label === 'string' ? label : 'service';
}

/** Whether a waypoint takes what is in another namespace: its listener says so. */
function admits(gateway: KubeObject, namespace: string, user: WaypointUser): boolean {
  if (namespace === user.namespaceName) return true;
  return itemsOf(valueAt(gateway, ['spec', 'listeners'])).some(listener => {
    const from = valueAt(listener, ['allowedRoutes', 'namespaces', 'from']);
    if (from === 'All') return true;
    if (from !== 'Selector') return false;
    try {
      const selector = compileSelector(valueAt(listener, ['allowedRoutes', 'namespaces', 'selector']));
      return matchLabels(selector, user.namespaceLabels) === YES;
    } catch (error) {
      if (error instanceof SelectorError) return false;
      throw error;
    }
  });
}

/** The service account that a waypoint runs as: named like its Gateway. */
export function accountOfWaypoint(gateway: KubeObject): string {
  return nameOf(gateway);
}
