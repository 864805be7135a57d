/**
 * What meets somebody who comes from outside, behind what network policies let through: how the last step to the workload
 * travels, and what asks who it is: the entry, the gateway's proxy, or the workload's. What an application asks itself is
 * in no manifest.
 *
 * Sources: ingress-nginx, aws-load-balancer-controller, Traefik, HAProxy and NGINX, the annotations of their Ingresses;
 * istio.io, reference of Gateway (ServerTLSSettings); policies are asked of the mesh's decider.
 */
import type { Exposure, Peer } from '#decide/network/door.ts';
import { itemsOf, namespaceOf, sideOfId } from '#decide/network/inventory.ts';
import { type Because, groupOf, isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import type { Authorization } from './authorize.ts';
import type { Mesh } from './mesh.ts';
import type { Transport } from './transport.ts';

export interface WayIn {
  /** From the proxy, or from outside where there is none, to the workload; `strict`: as mutual TLS, or not at all. */
  readonly behind: {
    readonly mode: Transport['mode'] | 'strict';
    /** Whom the workload sees. */
    readonly identity?: string;
    readonly because: readonly Because[];
  };
  /** `none`: nothing in the input asks. `some`: some requests are asked, or the input does not settle it. */
  readonly authentication: {
    readonly is: 'token' | 'client-certificate' | 'external' | 'password' | 'some' | 'none';
    readonly because: readonly Because[];
  };
  /** The mesh lets in nobody who comes this way. */
  readonly refused: readonly Because[];
}

type Authentication = WayIn['authentication'];

/** An address of which nobody makes a rule. */
const OUTSIDE: Peer = { ip: '203.0.113.1' };

export function wayIn(objects: readonly KubeObject[], mesh: Mesh, exposure: Exposure): WayIn {
  const { id, port, protocol, proxies } = exposure;
  const to = sideOfId(id);
  // Meshes carry TCP only.
  if (protocol !== 'TCP')
    return {
      behind: { mode: 'plaintext', because: [] },
      authentication: { is: 'none', because: [] },
      refused: [],
    };
  const behind = behindOf(mesh, to, port, proxies);
  const atEntry = askedByEntry(exposure);
  const tokens = tokensOf(objects);
  const atGateway = (proxies ?? []).map(proxy =>
    askedBy(mesh, sideOfId(proxy), gatewayPorts(exposure), null, tokens),
  );
  // Of a proxy that is not in the input it is not known who it is; whoever comes without mutual TLS is nobody.
  const isNobody = proxies?.length !== 0 && behind.mode !== 'mtls';
  const principal = isNobody ? null : behind.identity?.replace(/^spiffe:\/\//, '');
  const atWorkload = askedBy(mesh, to, [port], principal, tokens);
  const asked = [...(atEntry === undefined ? [] : [atEntry]), ...atGateway, atWorkload];
  const refused = [...atGateway, atWorkload].filter(one => one.is === 'refused');
  const found = asked.find(one => one.is !== 'none' && one.is !== 'refused' && one.is !== 'some');
  const some = asked.find(one => one.is === 'some');
  return {
    behind,
    authentication: (found ?? some ?? { is: 'none', because: [] }) as Authentication,
    refused: [
      ...(behind.mode === 'refused' ? behind.because.slice(-1) : []),
      ...refused.flatMap(({ because }) => because),
    ],
  };
}

function behindOf(mesh: Mesh, to: Peer, port: number, proxies: Exposure['proxies']): WayIn['behind'] {
  const ask = (from: Peer) => mesh.transport({ from, to, port });
  if (proxies === undefined) return ask(OUTSIDE);
  const [first, ...more] = proxies.map(proxy => ask(sideOfId(proxy)));
  if (first === undefined) {
    // Of a proxy that is not in the input, only what the workload takes is known.
    const plain = ask(OUTSIDE);
    if (plain.mode === 'refused') return { mode: 'strict', because: plain.because.slice(-1) };
    const outside = mesh.member(to).mesh === 'none';
    return outside
      ? plain
      : { mode: 'unknown', because: [{ text: 'the proxy in front is not in the input' }] };
  }
  return more.every(({ mode, identity }) => mode === first.mode && identity === first.identity)
    ? first
    : { mode: 'unknown', because: [{ text: 'the proxies in front differ' }] };
}

/** The ports that rules at a gateway may name: those of the server, and those that its pods listen on. */
function gatewayPorts({ entry, through }: Exposure): number[] {
  const targets = through
    .filter(({ kind, apiVersion }) => kind === 'Service' && apiVersion === 'v1')
    .slice(0, 1)
    .flatMap(service => itemsOf(valueAt(service, ['spec', 'ports'])))
    .filter(item => valueAt(item, ['port']) === entry.port)
    .map(item => valueAt(item, ['targetPort']))
    .filter(value => typeof value === 'number');
  const all = [...new Set([...(entry.port === undefined ? [] : [entry.port]), ...targets])];
  return all.length > 0 ? all : [443];
}

type Asked = Omit<Authentication, 'is'> & { readonly is: Authentication['is'] | 'refused' };

/** What a proxy wants of somebody without a token. */
function askedBy(
  mesh: Mesh,
  workload: Peer,
  ports: readonly number[],
  sourcePrincipal: string | null | undefined,
  tokens: readonly object[],
): Asked {
  const ask = (port: number, claims?: object): Authorization =>
    mesh.authorize({
      workload,
      request: { sourcePrincipal, port, ...(claims === undefined ? {} : { jwt: { claims } }) },
      via: 'pod',
    });
  const answers = ports.map(port => ask(port));
  const [first] = answers as [Authorization];
  if (answers.some(({ allowed }) => allowed !== first.allowed))
    return { is: 'some', because: answers.flatMap(({ because }) => because) };
  if (first.allowed === true || first.outcome === 'transport') return { is: 'none', because: [] };
  const because = first.because.filter(({ object }) => object !== undefined);
  if (first.allowed === false) {
    const withToken = tokens.some(claims => ports.some(port => ask(port, claims).allowed !== false));
    return { is: withToken ? 'token' : 'refused', because };
  }
  const asksElsewhere = because.some(({ object }) => valueAt(object, ['spec', 'action']) === 'CUSTOM');
  return { is: asksElsewhere ? 'external' : 'some', because };
}

/** Claims that some RequestAuthentication of the input takes. */
function tokensOf(objects: readonly KubeObject[]): object[] {
  return objects
    .filter(
      ({ kind, apiVersion }) =>
        kind === 'RequestAuthentication' && groupOf(apiVersion) === 'security.istio.io',
    )
    .flatMap(object => itemsOf(valueAt(object, ['spec', 'jwtRules'])))
    .flatMap(rule => {
      const [iss, audience] = [valueAt(rule, ['issuer']), valueAt(rule, ['audiences', 0])];
      if (typeof iss !== 'string') return [];
      return [{ iss, sub: 'somebody', ...(typeof audience === 'string' ? { aud: audience } : {}) }];
    });
}

/** Annotations with which controllers ask who it is; the value says whether they do. */
const ANNOTATIONS: readonly (readonly [key: string, value: RegExp, is: Authentication['is']])[] = [
  ['nginx.ingress.kubernetes.io/auth-url', /./, 'external'],
  ['nginx.ingress.kubernetes.io/auth-type', /^(?:basic|digest)$/, 'password'],
  ['nginx.org/basic-auth-secret', /./, 'password'],
  ['nginx.com/jwt-key', /./, 'token'],
  ['haproxy.org/auth-type', /^basic-auth$/, 'password'],
  ['alb.ingress.kubernetes.io/auth-type', /^(?:oidc|cognito)$/, 'external'],
  // What a middleware does stands in an object of its own.
  ['traefik.ingress.kubernetes.io/router.middlewares', /auth/i, 'some'],
];
const CERTIFICATE = 'nginx.ingress.kubernetes.io/auth-tls-secret';
const VERIFY = 'nginx.ingress.kubernetes.io/auth-tls-verify-client';

function askedByEntry({ entry, through }: Exposure): Asked | undefined {
  for (const object of through) {
    const annotations = object.metadata?.annotations ?? {};
    const value = (key: string): string | undefined =>
      Object.hasOwn(annotations, key) ? String(annotations[key]) : undefined;
    for (const [key, meant, is] of ANNOTATIONS)
      if (meant.test(value(key) ?? '')) return { is, because: [annotated(object, key)] };
    if (value(CERTIFICATE) !== undefined && (value(VERIFY) ?? 'on') === 'on')
      return { is: 'client-certificate', because: [annotated(object, CERTIFICATE)] };
    if (object.kind === 'Gateway' && groupOf(object.apiVersion) === 'networking.istio.io') {
      const servers = itemsOf(valueAt(object, ['spec', 'servers']))
        .map((server, index) => ({ server, index }))
        .filter(({ server }) => isRecord(server) && serves(server, entry));
      const [first] = servers;
      if (first !== undefined && servers.every(({ server }) => valueAt(server, ['tls', 'mode']) === 'MUTUAL'))
        return {
          is: 'client-certificate',
          because: [
            {
              object,
              path: ['spec', 'servers', first.index, 'tls', 'mode'],
              text: `Gateway ${namespaceOf(object)}/${nameOf(object)} asks for client certificates`,
            },
          ],
        };
    }
  }
  return undefined;
}

/** Servers of the port; where the entry has another number than the proxy, any may be meant. */
function serves(server: object, { port }: Exposure['entry']): boolean {
  const number = valueAt(server, ['port', 'number']);
  return port === undefined || number === port || typeof number !== 'number' || number > 1024;
}

function annotated(object: KubeObject, key: string): Because {
  return {
    object,
    path: ['metadata', 'annotations', key],
    text: `${object.kind} ${namespaceOf(object)}/${nameOf(object)} has ${key}`,
  };
}
