/**
 * AuthorizationPolicies and PeerAuthentications against what Istio compiles them to: the same random requests, decided
 * by the door and by the compiled filter or ztunnel policy.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { it } from 'node:test';
import { createMesh, type MeshRequest } from '#decide/mesh/door.ts';
import { isRecord, type KubeObject, valueAt } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

type Value = Readonly<Record<string, unknown>>;

function documents(path: string): Value[] {
  return readDocuments(readFileSync(path, 'utf8')).flatMap(document =>
    document.is === 'value' && isRecord(document.value) ? [document.value] : [],
  );
}

const list = (value: unknown): Value[] => (Array.isArray(value) ? value : []) as Value[];

/** A picker of pseudo-random numbers: the same requests in every run. */
function picker(seed: number): <Item>(items: readonly Item[]) => Item {
  let state = seed;
  return items => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return items[Math.floor((state / 2 ** 32) * items.length)]!;
  };
}

function text(matcher: unknown, is: string): boolean {
  if (!isRecord(matcher)) return false;
  if (typeof matcher['exact'] === 'string')
    return matcher['ignoreCase'] === true
      ? is.toLowerCase() === matcher['exact'].toLowerCase()
      : is === matcher['exact'];
  if (typeof matcher['prefix'] === 'string') return is.startsWith(matcher['prefix']);
  if (typeof matcher['suffix'] === 'string') return is.endsWith(matcher['suffix']);
  const regex = valueAt(matcher, ['safeRegex', 'regex']);
  assert.ok(typeof regex === 'string', JSON.stringify(matcher));
  return new RegExp(`^(?:${regex})$`).test(is);
}

function inBlock(block: unknown, ip: string): boolean {
  const number = (address: string): number =>
    address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(valueAt(block, ['prefixLen']) ?? 0));
  return (
    Math.floor(number(ip) / size) === Math.floor(number(String(valueAt(block, ['addressPrefix']))) / size)
  );
}

/** Whether a permission or principal of Envoy's RBAC holds; undefined where it asks for metadata of other filters. */
function holds(node: Value, request: MeshRequest): boolean {
  const [key] = Object.keys(node) as [string];
  const value = node[key];
  switch (key) {
    case 'any':
      return true;
    case 'andRules':
    case 'andIds':
      return list(valueAt(value, [key === 'andRules' ? 'rules' : 'ids'])).every(one => holds(one, request));
    case 'orRules':
    case 'orIds':
      return list(valueAt(value, [key === 'orRules' ? 'rules' : 'ids'])).some(one => holds(one, request));
    case 'notRule':
    case 'notId':
      return !holds(value as Value, request);
    case 'destinationPort':
      return value === request.port;
    case 'destinationIp':
      return inBlock(value, request.destinationIP!);
    case 'directRemoteIp':
    case 'remoteIp':
      return inBlock(value, request.sourceIP!);
    case 'requestedServerName':
      return text(value, request.sni ?? '');
    case 'authenticated':
      return (
        request.sourcePrincipal !== null &&
        text(valueAt(value, ['principalName']), `spiffe://${request.sourcePrincipal}`)
      );
    case 'urlPath':
      return text(valueAt(value, ['path']), request.path!.replace(/\?.*$/, ''));
    case 'uriTemplate': {
      const template = String(valueAt(value, ['typedConfig', 'pathTemplate']));
      const pattern = template
        .replace(/[.$()+]/g, '\\$&')
        .replace(/\*\*|\*/g, star => (star === '*' ? '[^/]+' : '.*'));
      return new RegExp(`^${pattern}$`).test(request.path!);
    }
    case 'header': {
      const name = String(valueAt(value, ['name']));
      const is =
        name === ':method' ? request.method : name === ':authority' ? request.host : request.headers?.[name];
      return (
        is !== undefined &&
        (valueAt(value, ['presentMatch']) === true || text(valueAt(value, ['stringMatch']), is))
      );
    }
    case 'metadata':
      throw new Metadata();
    default:
      throw new Error(`the test does not know ${key}`);
  }
}

class Metadata extends Error {}

function anyPolicy(rules: unknown, request: MeshRequest): boolean {
  return Object.values((valueAt(rules, ['policies']) ?? {}) as Value).some(
    policy =>
      list(valueAt(policy, ['permissions'])).some(one => holds(one, request)) &&
      list(valueAt(policy, ['principals'])).some(one => holds(one, request)),
  );
}

/** What Envoy's filters decide. */
function byFilters(filters: readonly Value[], request: MeshRequest): boolean | 'unknown' {
  for (const filter of filters) {
    const config = valueAt(filter, ['typedConfig']);
    const [rules, shadow] = [valueAt(config, ['rules']), valueAt(config, ['shadowRules'])];
    if (isRecord(rules) && rules['action'] !== 'LOG') {
      const hit = anyPolicy(rules, request);
      if (rules['action'] === 'DENY' ? hit : !hit) return false;
    }
    // A provider is asked about what the shadow rules match.
    if (isRecord(shadow) && valueAt(config, ['shadowRulesStatPrefix']) === 'istio_ext_authz_')
      if (anyPolicy(shadow, request)) return 'unknown';
  }
  return true;
}

/** Requests made of the values that the policies name, each also changed a little. */
function requestsFor(objects: readonly KubeObject[], count: number, http: boolean): MeshRequest[] {
  const strings = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === 'string') strings.add(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  for (const object of objects) collect(object['spec']);
  const all = [...strings];
  const words = all.flatMap(one => [one, one.replace(/\*/g, 'x'), `${one.replace(/\*/g, '')}x`]);
  const name = (one: string): string => one.replace(/\*/g, '');
  const principals = [
    ...words.filter(one => /^[^/*]+\/ns\/.+\/sa\//.test(one)),
    ...words.map(one => `cluster.local/ns/${name(one)}/sa/sleep`),
    ...words.map(one => `cluster.local/ns/foo/sa/${name(one)}`),
    ...words.flatMap(one => [`td1/ns/x/sa/${one}`, `some-td/ns/x/sa/${one}`]),
    'some-td/ns/rule[0]/sa/from[1]-principal[0]',
  ];
  const ips = [...all.flatMap(one => /^(\d+\.\d+\.\d+\.\d+)/.exec(one)?.[1] ?? []), '10.0.0.9'];
  const ports = [...all.flatMap(one => (/^\d+$/.test(one) ? [Number(one)] : [])), 8080, 1];
  const paths = words
    .map(one => (one.startsWith('/') ? one : `/${one}`))
    .map(one => one.replace(/[{}]/g, 'y'));
  const pick = picker(7);
  return Array.from({ length: count }, () => ({
    sourcePrincipal: pick([null, pick(principals), pick(principals)]),
    sourceIP: pick(ips),
    destinationIP: pick(ips),
    port: pick(ports),
    sni: pick([null, pick(words)]),
    ...(http
      ? {
          method: pick(['GET', pick(words)]),
          path: pick(paths),
          host: pick(words),
          headers: { 'X-header': pick(words) },
        }
      : {}),
  }));
}

const TRUST: Readonly<Record<string, readonly string[]>> = {
  'simple-policy-td-aliases': ['td1', 'cluster.local'],
  'simple-policy-multiple-td-aliases': ['td1', 'cluster.local', 'some-td'],
  'simple-policy-principal-with-wildcard': ['td1', 'foobar'],
  'td-aliases-source-principal': ['new-td', 'old-td', 'some-trustdomain'],
};

function zMatch(matcher: Value, is: string): boolean {
  return 'presence' in matcher ? is !== '' : text(matcher, is);
}

/** Source of the form: istio/ztunnel src/rbac.rs. */
function byTunnel(policy: Value, request: MeshRequest): boolean {
  const groups = list(policy['groups']);
  const principal = request.sourcePrincipal ?? '';
  const [, namespace = '', account = ''] = /\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal) ?? [];
  const ip = (address: Value, is: string): boolean => {
    const bytes = Buffer.from(String(address['address']), 'base64').join('.');
    return inBlock({ addressPrefix: bytes, prefixLen: address['length'] ?? 0 }, is);
  };
  const tests: Readonly<Record<string, (one: never) => boolean>> = {
    destinationPorts: (one: number) => one === request.port,
    sourceIps: (one: Value) => ip(one, request.sourceIP!),
    destinationIps: (one: Value) => ip(one, request.destinationIP!),
    namespaces: (one: Value) => zMatch(one, namespace),
    principals: (one: Value) => principal !== '' && zMatch(one, principal),
    serviceAccounts: (one: Value) => one['namespace'] === namespace && one['serviceAccount'] === account,
  };
  const one = (match: Value): boolean =>
    Object.keys(match).length > 0 &&
    Object.entries(match).every(([key, values]) => {
      const negated = key.startsWith('not');
      const field = negated ? key[3]!.toLowerCase() + key.slice(4) : key;
      const test = tests[field];
      assert.ok(test, key);
      return (values as never[]).some(test) !== negated;
    });
  return groups.some(group =>
    list(group['rules']).every(rule => {
      const matches = list(rule['matches']);
      return matches.length === 0 || matches.some(one);
    }),
  );
}

withShared('conformance/istio-authorization', root => {
  for (const kind of ['http', 'tcp']) {
    const folder = join(root, kind);
    for (const file of readdirSync(folder).filter(one => one.endsWith('-in.yaml'))) {
      const name = basename(file, '-in.yaml');
      it(`${kind}/${name}`, () => {
        const objects = documents(join(folder, file)) as unknown as KubeObject[];
        const filters = ['-out', '-out1', '-out2', '-out3', '-out4'].flatMap(suffix => {
          const path = join(folder, `${name}${suffix}.yaml`);
          return existsSync(path) ? documents(path) : [];
        });
        const [trustDomain, ...trustDomainAliases] = TRUST[name] ?? ['cluster.local'];
        const provider = /only-http/.test(name) ? 'envoyExtAuthzHttp' : 'envoyExtAuthzGrpc';
        const extensionProviders = /bad/.test(name)
          ? []
          : [
              {
                name: 'default',
                [provider]: { service: 'my-custom-ext-authz.foo.svc.cluster.local', port: 9000 },
              },
            ];
        const mesh = createMesh(objects, {
          meshConfig: {
            trustDomain: trustDomain!,
            trustDomainAliases,
            extensionProviders,
            caCertificates: [{ trustDomains: ['cluster.local', 'td1', 'some-td', 'foobar', 'old-td'] }],
            pathNormalization: { normalization: 'NONE' },
          },
        });
        const seen = new Map<boolean | 'unknown', number>();
        for (const request of requestsFor(objects, 4000, kind === 'http')) {
          const answer = mesh.authorize({
            workload: {
              namespace: objects[0]?.metadata?.namespace ?? 'default',
              labels: { app: 'httpbin', version: 'v1' },
              ports: [{ port: request.port, protocol: kind === 'http' ? 'HTTP' : 'TCP' }],
            },
            request,
          });
          if (answer.outcome === 'transport') continue;
          try {
            assert.equal(answer.allowed, byFilters(filters, request), JSON.stringify({ request, answer }));
            seen.set(answer.allowed, (seen.get(answer.allowed) ?? 0) + 1);
          } catch (error) {
            // Metadata of other filters is nothing that the input shows: the door does not know either.
            if (!(error instanceof Metadata)) throw error;
          }
        }
        assert.ok([...seen.values()].reduce((sum, one) => sum + one, 0) > 500, JSON.stringify([...seen]));
      });
    }
  }

  const folder = join(root, 'ambient');
  for (const file of readdirSync(folder).filter(one => one.endsWith('-in.yaml'))) {
    const name = basename(file, '-in.yaml');
    it(`ambient/${name}`, () => {
      const objects = documents(join(folder, file)) as unknown as KubeObject[];
      const compiled = documents(join(folder, `${name}.yaml`));
      const mesh = createMesh(objects, { meshConfig: {} });
      const workload = {
        namespace: objects.at(-1)?.metadata?.namespace ?? 'default',
        labels: { app: 'a' },
        dataplane: 'ambient' as const,
      };
      const peers = objects.some(({ kind }) => kind === 'PeerAuthentication');
      for (const request of requestsFor(objects, 4000, false)) {
        const [policy] = compiled;
        // What holds for a whole namespace is no policy of its own: ztunnel has one that stands for STRICT.
        if (policy === undefined) {
          const strict = JSON.stringify(objects).includes('"STRICT"');
          assert.equal(
            mesh.authorize({ workload, request }).allowed,
            !strict || request.sourcePrincipal !== null,
          );
          continue;
        }
        for (const port of peers ? [8080, 9090, 1] : [request.port]) {
          const is = mesh.authorize({ workload, request: { ...request, port } }).allowed;
          const hit = byTunnel(policy, { ...request, port });
          assert.equal(is, policy['action'] === 'DENY' ? !hit : hit, JSON.stringify({ request, port }));
        }
      }
    });
  }
});
