/** Workloads that anybody outside reaches, with nothing in front that asks who comes. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { wayIn } from '#decide/mesh/ways-in.ts';
import type { Exposure } from '#decide/network/door.ts';
import { endpointId } from '#decide/network/inventory.ts';
import type { KubeObject } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { WEB_POD_WITH_PORT } from '../examples.ts';
import { meshOf, networkOf, peerOf } from '../facts.ts';

interface Entries {
  /** By the workload that they lead to. */
  readonly byWorkload: ReadonlyMap<string, readonly Exposure[]>;
  /** Proxies: what they let through is judged behind them. */
  readonly proxies: ReadonlySet<string>;
}

const EVERYWHERE = /^(?:0\.0\.0\.0|::)\/0$/;

/** Ports of nodes are another matter, and have checks of their own. */
function isForAll({ entry, protocol, sources, internal, reachable }: Exposure): boolean {
  return (
    !entry.is.startsWith('host-') &&
    protocol === 'TCP' &&
    !internal &&
    reachable !== false &&
    (sources.length === 0 || sources.some(source => EVERYWHERE.test(source)))
  );
}

const entries = (world: World): Entries => {
  const all = networkOf(world).exposure().exposures;
  return {
    byWorkload: Map.groupBy(all.filter(isForAll), ({ id }) => id),
    proxies: new Set(all.flatMap(({ proxies = [] }) => proxies)),
  };
};

/** Whose tokens count. */
const asking = (world: World): readonly KubeObject[] =>
  world.ofKind('security.istio.io/RequestAuthentication').map(({ object }) => object);

export default defineCheck({
  practice: 'mesh',
  name: 'exposed-without-authentication',
  title: 'Reached from outside by anybody',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), nsa('network policies'), mitre('T1190')],
  why: 'Whatever the application does not ask itself, nobody asks: a flaw in it is open to the whole internet.',
  remediation:
    'Let the gateway require a token or a client certificate (RequestAuthentication with an AuthorizationPolicy, auth-url of an Ingress). Where the application asks itself, write an exception that says so; sallyport mesh exposure shows the way in.',

  subject: 'pod',
  looksAt: ['network'],
  evaluate({ object, partial }, { world }) {
    const { byWorkload, proxies } = world.fact(entries);
    const id = endpointId(object);
    const ways = partial ? [] : (byWorkload.get(id) ?? []);
    if (ways.length === 0 || peerOf(object, world) === undefined)
      return notApplicable('nothing leads to it from outside');
    if (proxies.has(id)) return notApplicable('it is the proxy of a gateway');
    const mesh = meshOf(world);
    const open = ways.filter(way => {
      const { authentication, refused } = wayIn(world.fact(asking), mesh, way);
      return authentication.is === 'none' && refused.length === 0;
    });
    if (open.length === 0) return pass;
    const sure = open.filter(({ reachable }) => reachable === true);
    if (sure.length === 0)
      return unknown('whether policies let it in depends on what the input does not say');
    const names = sure.map(({ entry: { is, port }, port: own }) => ({
      entry: port === undefined ? is : `${is}:${port}`,
      port: own,
    }));
    return fail(names, ['metadata']);
  },
  message: ([first, ...more]) =>
    `${first?.entry} leads to port ${first?.port}${more.length > 0 ? ` (and ${more.length} more)` : ''}, and nothing in front asks who comes`,
  examples: {
    bad: [
      `
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }], type: LoadBalancer }
      `,
    ],
    good: [
      `
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
      ---
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: { name: web, namespace: shop, annotations: { nginx.ingress.kubernetes.io/auth-url: "https://id.example.com/auth" } }
      spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
      `,
      `
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop, annotations: { networking.gke.io/load-balancer-type: Internal } }
      spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }], type: LoadBalancer, allocateLoadBalancerNodePorts: false }
      `,
    ],
  },
});
