/** What has to work: as manifests declare it, as logs show it, and as it is today. */
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { declaredNeeds } from '#advise/intent.ts';
import type { Intent, Open } from '#advise/intent-search.ts';
import { type DescribedPods, type NeedSide, needText } from '#advise/network-needs.ts';
import { Workloads } from '#advise/network-workloads.ts';
import { parseAddress, parseBlock } from '#decide/network/addresses.ts';
import {
  NAMESPACE_NAME,
  namespaceOf,
  type PodEndpoint,
  sideOfId,
  takeInventory,
} from '#decide/network/inventory.ts';
import { portsOfService, Services } from '#decide/network/services.ts';
import { type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { count, safe } from '#report/safe.ts';
import { FlowReader, type Flows, type ObservedFlow } from '#sources/flows/flows.ts';
import type { Parsed } from './command.ts';
import { UsageError } from './errors.ts';
import type { Cluster } from './mesh.ts';
import { tell } from './output.ts';

export interface Needs {
  readonly intents: readonly Intent[];
  readonly open: readonly Open[];
}

/**
 * The declared needs and those of `--flows`.
 *
 * @throws UsageError where a file cannot be read, or an option is none
 */
export function needsOf(parsed: Parsed, cluster: Cluster, namespaces: readonly string[] | undefined): Needs {
  for (const cidr of parsed.values('api-server'))
    if (parseBlock(cidr) === undefined)
      throw new UsageError(`--api-server: "${cidr}" is no block of addresses`, 'for example 10.0.0.0/28');
  const declared = declaredNeeds(cluster.objects, cluster.network.exposure().exposures, {
    ...(namespaces === undefined ? {} : { namespaces }),
    ingress: parsed.values('ingress').map(described),
    scrapers: parsed.values('scraper').map(described),
    apiServers: parsed.values('api-server'),
  });
  const files = parsed.values('flows');
  if (files.length === 0) return declared;
  const seen = new Seen(cluster, namespaces);
  for (const file of files) seen.add(file, readFlowFile(file));
  const known = new Set(declared.intents.map(({ need }) => JSON.stringify(need)));
  return {
    intents: [...declared.intents, ...seen.intents.filter(({ need }) => !known.has(JSON.stringify(need)))],
    open: [...declared.open, ...seen.open],
  };
}

/** Whom `--ingress` and `--scraper` name. */
export function callersOf(parsed: Parsed): DescribedPods[] {
  return [...parsed.values('ingress'), ...parsed.values('scraper')].map(described);
}

function described(text: string): DescribedPods {
  const [namespace = '', account, ...more] = text.split('/');
  if (!/^[a-z0-9-]+$/.test(namespace) || account === '' || more.length > 0)
    throw new UsageError(`"${text}" is neither a namespace nor NAMESPACE/SERVICE-ACCOUNT`);
  const namespaceLabels = { [NAMESPACE_NAME]: namespace };
  return { labels: {}, namespaceLabels, ...(account === undefined ? { outside: true } : { account }) };
}

const CHUNK = 2 ** 20;

/** Reads a log of any length piece by piece. */
function readFlowFile(file: string): Flows {
  const reader = new FlowReader();
  const decoder = new StringDecoder('utf8');
  const buffer = Buffer.alloc(CHUNK);
  let rest = '';
  try {
    const descriptor = file === '-' ? 0 : openSync(file, 'r');
    try {
      for (;;) {
        const count = readSync(descriptor, buffer, 0, CHUNK, null);
        if (count === 0) break;
        const lines = (rest + decoder.write(buffer.subarray(0, count))).split('\n');
        rest = lines.pop()!;
        for (const line of lines) reader.line(line);
        // A line without an end is cut: its reader says that it is too long.
        if (rest.length > 2 * CHUNK) rest = rest.slice(0, 2 * CHUNK);
      }
    } finally {
      if (descriptor !== 0) closeSync(descriptor);
    }
  } catch (error) {
    throw new UsageError(`${file} could not be read: ${(error as Error).message}`);
  }
  if (rest !== '') reader.line(rest);
  return reader.done();
}

/** Observed connections as needs: pods are named by their workloads, Services by what is behind them. */
class Seen {
  readonly intents: Intent[] = [];
  readonly open: Open[] = [];
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #workloads: Workloads;
  readonly #services: Services;
  readonly #byShort = new Map<string, string[]>();
  readonly #byPodName = new Map<string, string[]>();
  readonly #byIdentity = new Map<string, string[]>();
  readonly #byAddress = new Map<bigint, string>();
  readonly #serviceByName = new Map<string, KubeObject>();
  readonly #serviceByAddress = new Map<bigint, KubeObject>();
  readonly #endpoints = new Map<string, PodEndpoint>();
  readonly #namespaces = new Set<string>();
  #toldOfPassing = false;

  constructor(cluster: Cluster, namespaces: readonly string[] | undefined) {
    this.#wanted = namespaces === undefined ? undefined : new Set(namespaces);
    const inventory = takeInventory(cluster.objects, 'unknown');
    this.#workloads = new Workloads(cluster.objects);
    this.#services = new Services(cluster.objects, inventory);
    const push = (map: Map<string, string[]>, key: string, id: string): void => {
      const list = map.get(key);
      if (list === undefined) map.set(key, [id]);
      else if (!list.includes(id)) list.push(id);
    };
    for (const endpoint of inventory.endpoints) {
      const id = this.#workloads.top(endpoint.id);
      const parts = endpoint.id.split('/');
      this.#endpoints.set(endpoint.id, endpoint);
      this.#namespaces.add(parts[0]!);
      push(this.#byShort, `${parts[0]}/${parts.at(-1)}`, id);
      push(this.#byPodName, parts.at(-1)!, id);
      const { identity } = cluster.mesh.member(sideOfId(endpoint.id));
      if (identity !== undefined) push(this.#byIdentity, identity, id);
    }
    for (const [address, endpoint] of inventory.byAddress)
      this.#byAddress.set(address, this.#workloads.top(endpoint.id));
    for (const service of this.#services.all()) {
      this.#serviceByName.set(`${namespaceOf(service)}/${nameOf(service)}`, service);
      const address = valueAt(service, ['spec', 'clusterIP']);
      const parsed = typeof address === 'string' ? parseAddress(address) : undefined;
      if (parsed !== undefined) this.#serviceByAddress.set(parsed, service);
    }
  }

  add(file: string, { flows, gaps, unread, unnamed, lines }: Flows): void {
    for (const { line, reason } of gaps) tell(`${safe(file)}:${line} left out: ${safe(reason)}\n`);
    if (unread > gaps.length) tell(`${safe(file)}: ${unread} of ${lines} lines left out\n`);
    tell(`${safe(file)}: ${count(flows.length, 'connection')} in ${count(lines, 'line')}\n`);
    const told = new Set<string>();
    const found = new Set<string>();
    const strangers: ObservedFlow[] = [];
    if (unnamed > 0)
      this.open.push({
        is: 'way-in',
        text: `${file}: ${count(unnamed, 'line')} left out that ${unnamed === 1 ? 'does' : 'do'} not say who met whom`,
      });
    for (const flow of flows) {
      if (this.#areAddresses(flow)) {
        strangers.push(flow);
        continue;
      }
      const problem = this.#addFlow(flow, file, found);
      if (problem === undefined || told.has(problem)) continue;
      told.add(problem);
      if (told.size <= MOST_TOLD) this.open.push({ is: 'way-in', text: `${file}: ${problem}` });
    }
    const [first] = strangers;
    if (first !== undefined)
      this.open.push({
        is: 'way-in',
        text: `${file}: ${count(strangers.length, 'connection')} left out between addresses that the input does not know, such as ${first.from} -> ${first.to}: ${WITH_PODS}`,
      });
    const passing = this.intents.filter(({ need }) => 'cidr' in need.from && isPrivate(need.from.cidr));
    if (passing[0] !== undefined && !this.#toldOfPassing) {
      this.#toldOfPassing = true;
      this.open.push({
        is: 'remark',
        text: `${needText(passing[0].need)}: a private address that is no pod of the input; if it is one's, a rule by address loses it when it starts anew: ${WITH_PODS}`,
      });
    }
    if (told.size > MOST_TOLD)
      this.open.push({
        is: 'way-in',
        text: `${file}: and ${told.size - MOST_TOLD} more that are not in the input`,
      });
  }

  /** Whether neither side is anything that the input has. */
  #areAddresses({ from, to }: ObservedFlow): boolean {
    const isStranger = (text: string): boolean => {
      const address = parseAddress(text);
      return address !== undefined && !this.#byAddress.has(address) && !this.#serviceByAddress.has(address);
    };
    return isStranger(from) && isStranger(to);
  }

  /** @returns why it is no need, where that has to be said */
  #addFlow({ from, to, port, protocol }: ObservedFlow, file: string, found: Set<string>): string | undefined {
    const sources = this.#sides(from);
    if (sources === undefined) return `left out, for the input has no ${from}: ${from} -> ${to}`;
    const targets = this.#targets(to, port, protocol);
    if (targets === undefined) return `left out, for the input has no ${to}: ${from} -> ${to}`;
    if (targets.length === 0) return `left out, for no port of ${to} is known: ${from} -> ${to}`;
    for (const source of sources)
      for (const target of targets) {
        if ('cidr' in source && ('cidr' in target.side || 'labels' in target.side)) continue;
        if ('labels' in source && !('workload' in target.side || 'pod' in target.side)) continue;
        if (!this.#isWanted(source) && !this.#isWanted(target.side)) continue;
        // Every pod looks up names, and has the need anyway.
        if (
          target.port === 53 &&
          'labels' in target.side &&
          target.side.namespaceLabels[NAMESPACE_NAME] === 'kube-system'
        )
          continue;
        const need = { from: source, to: target.side, port: target.port, protocol };
        const key = JSON.stringify(need);
        if (found.has(key)) continue;
        found.add(key);
        this.intents.push({ need, why: `seen in ${file}` });
      }
    return undefined;
  }

  #isWanted(side: NeedSide): boolean {
    const id = 'workload' in side ? side.workload : 'pod' in side ? side.pod : undefined;
    return this.#wanted === undefined || (id !== undefined && this.#wanted.has(id.split('/', 1)[0]!));
  }

  #targets(
    text: string,
    port: number | undefined,
    protocol: ObservedFlow['protocol'],
  ): { side: NeedSide; port: number }[] | undefined {
    const address = parseAddress(text);
    const service = text.startsWith('service:')
      ? this.#serviceOf(text.slice('service:'.length))
      : address === undefined
        ? undefined
        : this.#serviceByAddress.get(address);
    if (service !== undefined)
      return portsOfService(service)
        .filter(one => one.protocol === protocol && (port === undefined || one.port === port))
        .flatMap(one => this.#services.targets(service, one))
        .map(({ endpoint, port: number }) => ({
          side: sideOfId(this.#workloads.top(endpoint.id)),
          port: number,
        }));
    if (text.startsWith('service:')) return undefined;
    const sides = this.#sides(text);
    return sides?.flatMap(side => {
      if (port !== undefined) return [{ side, port }];
      const id = 'workload' in side ? side.workload : 'pod' in side ? side.pod : '';
      return (this.#endpoints.get(id)?.ports ?? [])
        .filter(one => one.protocol === protocol)
        .map(one => ({ side, port: one.port }));
    });
  }

  #serviceOf(host: string): KubeObject | undefined {
    const [name, namespace] = host.split('.');
    return this.#serviceByName.get(`${namespace}/${name}`);
  }

  /** Undefined where the input has nothing of that name. */
  #sides(text: string): NeedSide[] | undefined {
    const address = parseAddress(text);
    if (address !== undefined) {
      const id = this.#byAddress.get(address);
      return [id === undefined ? { cidr: `${text}/${text.includes(':') ? 128 : 32}` } : sideOfId(id)];
    }
    if (text.startsWith('spiffe://'))
      return this.#byIdentity.get(text)?.map(sideOfId) ?? this.#accountOf(text);
    const [namespace = '', name = ''] = text.split('/');
    // A pod's name ends in at most two parts that its controller makes up: `web-5d9c7b8f6-x2x4z` of `web`.
    for (let [short, cut] = [name, 0]; cut <= 2; cut++) {
      const ids = namespace === '?' ? this.#byPodName.get(short) : this.#byShort.get(`${namespace}/${short}`);
      if (ids !== undefined && (namespace !== '?' || ids.length === 1)) return ids.map(sideOfId);
      const dash = short.lastIndexOf('-');
      if (dash < 0) break;
      short = short.slice(0, dash);
    }
    if (namespace === '?' || namespace === '' || this.#namespaces.has(namespace)) return undefined;
    return [{ labels: {}, namespaceLabels: { [NAMESPACE_NAME]: namespace } }];
  }

  #accountOf(spiffe: string): NeedSide[] | undefined {
    const [, namespace, account] = /\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(spiffe) ?? [];
    if (namespace === undefined || account === undefined || this.#namespaces.has(namespace)) return undefined;
    return [{ labels: {}, namespaceLabels: { [NAMESPACE_NAME]: namespace }, account }];
  }
}

const MOST_TOLD = 20;
const WITH_PODS = 'add what kubectl get pods,services -A -o yaml prints';

/** Addresses that are used inside only: RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map(
  block => parseBlock(block)!,
);

function isPrivate(cidr: string): boolean {
  const block = parseBlock(cidr);
  return block !== undefined && PRIVATE.some(([first, last]) => block[0] >= first && block[1] <= last);
}
