/**
 * Which of a Server's routes a request takes: the one that names it best.
 * Source: the precedence of the Gateway API (HTTPRouteRule.matches), as linkerd2-proxy's linkerd-http-route ranks it:
 * host, path, headers, query, method; then the oldest, then the name.
 */
import { RE2JS, RE2JSException } from 're2js';
import { itemsOf } from '#decide/network/inventory.ts';
import { MAYBE, type Match, NO, YES } from '#decide/network/labels.ts';
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { MeshRequest } from './authorize.ts';

export type RouteChoice = 'none' | { readonly route: KubeObject };

interface Candidate {
  readonly route: KubeObject;
  readonly match: Match;
  readonly rank: readonly number[];
}

/** Filters that Linkerd's proxy has for what comes in. */
const FILTERS: readonly unknown[] = ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect'];

/**
 * What makes a route one that Linkerd refuses for a Server.
 * Source: linkerd2 policy-controller/k8s/index/src/inbound/index/http.rs and grpc.rs (filters), routes/http.rs (paths).
 *
 * @returns its place and what is wrong; undefined where nothing is
 */
export function unreadableRoute(route: KubeObject): { path: Path; text: string } | undefined {
  for (const [index, rule] of itemsOf(valueAt(route, ['spec', 'rules'])).entries()) {
    for (const [at, filter] of itemsOf(valueAt(rule, ['filters'])).entries()) {
      const type = valueAt(filter, ['type']);
      const known = route.kind === 'GRPCRoute' ? FILTERS.slice(0, 2) : FILTERS;
      if (!known.includes(type))
        return {
          path: ['spec', 'rules', index, 'filters', at],
          text: `its proxy has no filter ${JSON.stringify(type) ?? 'without a type'}`,
        };
    }
    if (route.kind === 'GRPCRoute') continue;
    for (const [at, one] of itemsOf(valueAt(rule, ['matches'])).entries()) {
      const value = valueAt(one, ['path', 'value']);
      const expression = valueAt(one, ['path', 'type']) === 'RegularExpression';
      if (typeof value === 'string' && !expression && !value.startsWith('/'))
        return {
          path: ['spec', 'rules', index, 'matches', at, 'path', 'value'],
          text: `the path ${JSON.stringify(value)} does not begin with /`,
        };
    }
  }
  return undefined;
}

/**
 * The routes that a request may take: one where everything is known.
 *
 * @param routes oldest first
 */
export function matchingRoute(routes: readonly KubeObject[], request: MeshRequest): readonly RouteChoice[] {
  const candidates = routes
    .flatMap(route => candidatesOf(route, request))
    .filter(({ match }) => match !== NO)
    // Sorting is stable: among equals the oldest route stays first.
    .sort((a, b) => compareRanks(b.rank, a.rank));
  const choices: RouteChoice[] = [];
  for (const { route, match } of candidates) {
    choices.push({ route });
    if (match === YES) return choices;
  }
  return [...choices, 'none'];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value - b[index]!;
  return 0;
}

function candidatesOf(route: KubeObject, request: MeshRequest): Candidate[] {
  const host = hostMatch(itemsOf(valueAt(route, ['spec', 'hostnames'])), request.host);
  if (host.match === NO) return [];
  const grpc = route.kind === 'GRPCRoute';
  return itemsOf(valueAt(route, ['spec', 'rules'])).flatMap(rule => {
    const matches = itemsOf(valueAt(rule, ['matches']));
    return (matches.length === 0 ? [{}] : matches).map((one): Candidate => {
      const parts = grpc ? grpcParts(one, request) : httpParts(one, request);
      const match = Math.min(host.match, ...parts.map(part => part.match)) as Match;
      return { route, match, rank: [host.rank, ...parts.map(({ rank }) => rank)] };
    });
  });
}

interface Part {
  readonly match: Match;
  readonly rank: number;
}

function hostMatch(names: readonly unknown[], host: string | undefined): Part {
  if (names.length === 0) return { match: YES, rank: 0 };
  if (host === undefined) return { match: MAYBE, rank: 0 };
  const is = host.replace(/:\d+$/, '').toLowerCase();
  let best = -1;
  for (const name of names) {
    if (typeof name !== 'string') continue;
    const wanted = name.toLowerCase();
    const hit = wanted.startsWith('*.')
      ? is.endsWith(wanted.slice(1)) && is !== wanted.slice(2)
      : is === wanted;
    if (hit) best = Math.max(best, wanted.startsWith('*.') ? wanted.length : 1000);
  }
  return best < 0 ? { match: NO, rank: 0 } : { match: YES, rank: best };
}

function httpParts(one: unknown, request: MeshRequest): Part[] {
  const path = request.path?.replace(/[?#].*$/s, '');
  return [
    pathPart(valueAt(one, ['path']), path),
    headersPart(itemsOf(valueAt(one, ['headers'])), request),
    queryPart(itemsOf(valueAt(one, ['queryParams'])), request.path),
    methodPart(valueAt(one, ['method']), request.method),
  ];
}

/** A method of gRPC is a path: `/package.Service/Method`. */
function grpcParts(one: unknown, request: MeshRequest): Part[] {
  const [service, method] = [valueAt(one, ['method', 'service']), valueAt(one, ['method', 'method'])];
  const headers = headersPart(itemsOf(valueAt(one, ['headers'])), request);
  if (request.path === undefined)
    return [{ match: service === undefined && method === undefined ? YES : MAYBE, rank: 0 }, headers];
  const [, is, name] = request.path.replace(/[?#].*$/s, '').split('/');
  const hit =
    (service === undefined || service === is) &&
    (method === undefined || method === name) &&
    name !== undefined;
  const rank = (service === undefined ? 0 : 1) + (method === undefined ? 0 : 1);
  return [{ match: hit ? YES : NO, rank }, headers];
}

function pathPart(wanted: unknown, path: string | undefined): Part {
  const value = valueAt(wanted, ['value']) ?? '/';
  const type = valueAt(wanted, ['type']) ?? 'PathPrefix';
  if (typeof value !== 'string') return { match: NO, rank: 0 };
  const rank = type === 'Exact' ? 1e6 : type === 'PathPrefix' ? 1 + value.length : 0;
  if (type === 'PathPrefix' && value === '/') return { match: YES, rank };
  if (path === undefined) return { match: MAYBE, rank };
  if (type === 'Exact') return { match: path === value ? YES : NO, rank };
  if (type === 'PathPrefix') {
    const prefix = value.replace(/\/$/, '');
    return { match: path === prefix || path.startsWith(`${prefix}/`) ? YES : NO, rank };
  }
  return { match: expression(value, path), rank };
}

function methodPart(wanted: unknown, method: string | undefined): Part {
  if (typeof wanted !== 'string') return { match: YES, rank: 0 };
  if (method === undefined) return { match: MAYBE, rank: 1 };
  return { match: method === wanted ? YES : NO, rank: 1 };
}

function headersPart(wanted: readonly unknown[], { headers }: MeshRequest): Part {
  const rank = wanted.length;
  if (rank === 0) return { match: YES, rank };
  if (headers === undefined) return { match: MAYBE, rank };
  const has = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { match: every(wanted, name => has.get(name.toLowerCase())), rank };
}

function queryPart(wanted: readonly unknown[], path: string | undefined): Part {
  const rank = wanted.length;
  if (rank === 0) return { match: YES, rank };
  if (path === undefined) return { match: MAYBE, rank };
  const has = new Map<string, string>();
  for (const pair of (/\?([^#]*)/.exec(path)?.[1] ?? '').split('&')) {
    const [name, value = ''] = pair.split('=') as [string, string?];
    if (!has.has(name)) has.set(name, value);
  }
  return { match: every(wanted, name => has.get(name)), rank };
}

function every(wanted: readonly unknown[], find: (name: string) => string | undefined): Match {
  let result: Match = YES;
  for (const one of wanted) {
    const [name, value, type] = [valueAt(one, ['name']), valueAt(one, ['value']), valueAt(one, ['type'])];
    const is = typeof name === 'string' ? find(name) : undefined;
    if (is === undefined || typeof value !== 'string') return NO;
    const match = type === 'RegularExpression' ? expression(value, is) : is === value ? YES : NO;
    if (match < result) result = match;
  }
  return result;
}

/** A regular expression that must match the whole; one that cannot be read may match or not. */
function expression(pattern: string, text: string): Match {
  try {
    return RE2JS.compile(pattern).matches(text) ? YES : NO;
  } catch (error) {
    if (error instanceof RE2JSException) return MAYBE;
    throw error;
  }
}
