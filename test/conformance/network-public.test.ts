/** Connectivity of the manifests of a public suite, against what its tool lists for them. */
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import {
  compareNetworks,
  createNetwork,
  exposure,
  formatPorts,
  type PortRange,
  type Protocol,
} from '#decide/network/door.ts';
import { isRecord, type KubeObject, nameOf } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

type Ports = Record<Protocol, readonly PortRange[]>;

function objectsIn(folder: string): KubeObject[] {
  const unfold = (value: unknown): KubeObject[] => {
    if (!isRecord(value) || typeof value['kind'] !== 'string' || typeof value['apiVersion'] !== 'string')
      return [];
    if (Array.isArray(value['items'])) {
      const kind = value['kind'].replace(/List$/, '');
      const apiVersion = value['apiVersion'];
      return value['items'].flatMap(item =>
        unfold({ ...(kind === '' ? {} : { apiVersion, kind }), ...item }),
      );
    }
    return [inPodNetwork(value) as KubeObject];
  };
  return globSync('**/*.{yaml,yml,json}', { cwd: folder })
    .sort()
    .flatMap(file => readDocuments(readFileSync(join(folder, file), 'utf8')))
    .flatMap(document => (document.is === 'value' ? unfold(document.value) : []));
}

/** The tool does not tell pods of the host's network from others. */
function inPodNetwork(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inPodNetwork);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      key === 'hostNetwork' ? [] : [[key, inPodNetwork(item)]],
    ),
  );
}

/** `TCP 80,443,UDP 1-65535`, `All Connections`, `No Connections`. */
function parsePorts(text: string): string {
  const ports: Ports = { TCP: [], UDP: [], SCTP: [] };
  if (text === 'All Connections')
    for (const protocol of ['TCP', 'UDP', 'SCTP'] as const) ports[protocol] = [[1, 65535]];
  else if (text !== 'No Connections') {
    let protocol: Protocol = 'TCP';
    for (const part of text.split(',')) {
      const match = /^(?:(TCP|UDP|SCTP) )?(\d+)(?:-(\d+))?$/.exec(part);
      assert.ok(match, text);
      protocol = (match[1] as Protocol | undefined) ?? protocol;
      ports[protocol] = [...ports[protocol], [Number(match[2]), Number(match[3] ?? match[2])]];
    }
  }
  return formatPorts(ports);
}

const EXTERNAL = /^(\d+)\.(\d+)\.(\d+)\.(\d+)-(\d+)\.(\d+)\.(\d+)\.(\d+)\[External\]$/;

/** First and last address of a side that is external, as numbers. */
function rangeOf(side: string): [number, number] | undefined {
  const parts = EXTERNAL.exec(side)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const number = (at: number): number => parts.slice(at, at + 4).reduce((sum, part) => sum * 256 + part, 0);
  return [number(0), number(4)];
}

const address = (number: number): string =>
  [24, 16, 8, 0].map(shift => (number / 2 ** shift) & 255).join('.');

/** The lines of the networks that pods have by default; what is listed for secondary networks is another matter. */
function expectedIn(text: string): Map<string, string> {
  const lines = new Map<string, string>();
  let counts = true;
  for (const line of text.split('\n')) {
    if (line.startsWith('Permitted connectivity analyzed in')) counts = !line.includes('secondary');
    if (/^(?:Workload-to-Networks|Exposure Analysis)/.test(line)) break;
    const match = /^(\S+) => (\S+) : (.+)$/.exec(line);
    if (match === null || !counts || match[1] === '{ingress-controller}') continue;
    const plain = (side: string): string => side.replace('[udn]/', '/');
    lines.set(`${plain(match[1]!)} => ${plain(match[2]!)}`, parsePorts(match[3]!));
  }
  return lines;
}

function display(object: KubeObject): string {
  const owner = object.metadata?.ownerReferences?.[0];
  const namespace = object.metadata?.namespace ?? 'default';
  return owner === undefined
    ? `${namespace}/${nameOf(object)}[${object.kind}]`
    : `${namespace}/${owner.name}[${owner.kind ?? 'Pod'}]`;
}

function differences(objects: readonly KubeObject[], expected: Map<string, string>): string[] {
  const relation = createNetwork(objects, {
    ipBlocksMatchPods: false,
    missingNamespaces: 'unlabelled',
  }).connections();
  const pods = new Map<string, string>();
  for (const { members } of relation.classes)
    for (const { object, id } of members) if (object !== undefined) pods.set(display(object), id);
  const wrong: string[] = [];
  const pairs = new Map<string, string>();
  /** What is listed for each pod and each range of addresses, per direction. */
  const listed: { pod: string; outwards: boolean; range: [number, number]; ports: string }[] = [];
  const borders = new Set<number>([2 ** 32 - 1]);
  for (const [key, ports] of expected) {
    const [from, to] = key.split(' => ') as [string, string];
    const range = rangeOf(from) ?? rangeOf(to);
    for (const side of [from, to])
      if (!EXTERNAL.test(side) && !pods.has(side)) wrong.push(`${side} is not there`);
    if (range === undefined) pairs.set(key, ports);
    else {
      const outwards = EXTERNAL.test(to);
      listed.push({ pod: outwards ? from : to, outwards, range, ports });
      borders.add(range[1]).add(range[0] - 1);
    }
  }
  const is = (from: string, to: string): string => {
    const { allowed, unknown } = relation.between(relation.classOf(from)!, relation.classOf(to)!);
    return formatPorts(unknown) === 'no port' ? formatPorts(allowed) : `unknown ${formatPorts(unknown)}`;
  };
  for (const [from, fromId] of pods)
    for (const [to, toId] of pods) {
      if (from === to) continue;
      const should = pairs.get(`${from} => ${to}`) ?? 'no port';
      const found = is(fromId, toId);
      if (found !== should) wrong.push(`${from} => ${to}: ${found}, expected ${should}`);
    }
  for (const [pod, id] of pods)
    for (const outwards of [true, false]) {
      const own = listed.filter(line => line.pod === pod && line.outwards === outwards);
      for (const last of borders) {
        if (last < 0) continue;
        const line = own.find(({ range }) => range[0] <= last && last <= range[1]);
        const found = outwards ? is(id, address(last)) : is(address(last), id);
        if (found !== (line?.ports ?? 'no port'))
          wrong.push(
            `${pod} ${outwards ? '=>' : '<='} ${address(last)}: ${found}, expected ${line?.ports ?? 'no port'}`,
          );
      }
    }
  return wrong;
}

/** What the listing says of the controller of Ingresses and Routes, against the ways that they open. */
function ingressDifferences(objects: readonly KubeObject[], text: string): string[] {
  const expected = [...text.matchAll(/^\{ingress-controller\} => (\S+) : (.+)$/gm)].map(
    ([, to, ports]) => `${to!.replace('[udn]/', '/')} ${parsePorts(ports!)}`,
  );
  const found = new Map<string, Ports>();
  const { exposures } = exposure(objects, { ipBlocksMatchPods: false, missingNamespaces: 'unlabelled' });
  for (const { entry, workload, port, protocol, reachable } of exposures) {
    if ((entry.is !== 'ingress' && entry.is !== 'route') || reachable === false) continue;
    const ports = found.get(display(workload)) ?? { TCP: [], UDP: [], SCTP: [] };
    if (!ports[protocol].some(([first]) => first === port))
      ports[protocol] = [...ports[protocol], [port, port]];
    found.set(display(workload), ports);
  }
  const is = [...found].map(([to, ports]) => {
    const sorted = { ...ports, TCP: [...ports.TCP].sort((a, b) => a[0] - b[0]) };
    return `${to} ${formatPorts(sorted)}`;
  });
  return [
    ...is.filter(line => !expected.includes(line)).map(line => `controller => ${line} is not expected`),
    ...expected.filter(line => !is.includes(line)).map(line => `controller => ${line} is missing`),
  ];
}

const NETWORKS =
  'a peer by networks matches pods too; the tool takes it for what is outside only, and the addresses of these pods are not in the input';

/** Cases whose listing differs for a known reason: which differences, and why. */
const DEVIATIONS: Readonly<Record<string, readonly [RegExp, reason: string]>> = {
  anp_and_banp_using_networks_and_nodes_test: [
    /: unknown all ports, /,
    `${NETWORKS}; nodes are not in the input either, so that any address may be one's`,
  ],
  anp_and_banp_using_networks_test: [/: unknown UDP 53, expected all ports$/, NETWORKS],
  anp_and_banp_using_networks_with_ipv6_test: [/: unknown UDP 53, expected all ports$/, NETWORKS],
  nad_test_14: [/^ns-udn-|=> ns-udn-/, 'the networks are of group nmstate.io, which has no such kind'],
  udn_with_ingress_controller: [
    /^green\/app\[Pod\] is not there$|green\/app\[Pod\] TCP 8000, 8090 is missing$/,
    'the pod is of apiVersion apps/v1, which has none',
  ],
};

/** Gained and lost ports per pair of sides, external ones as the last address of a range. */
type Changes = Map<string, string>;

/** Lines such as `diff-type: changed, source: A, destination: B, ref1: TCP 80, ref2: No Connections`. */
function expectedChanges(text: string): {
  pods: Changes;
  outside: Map<string, [range: [number, number], change: string][]>;
} {
  const pods: Changes = new Map();
  const outside = new Map<string, [[number, number], string][]>();
  for (const [, from, to, before, after] of text.matchAll(
    /source: (\S+), destination: (\S+), ref1: (.+?), ref2: (.+?)(?:, workloads-diff-info.*)?$/gm,
  )) {
    if (from === '{ingress-controller}') continue;
    const change = `${parsePorts(before!)} -> ${parsePorts(after!)}`;
    const range = rangeOf(from!) ?? rangeOf(to!);
    if (range === undefined) {
      pods.set(`${from} => ${to}`, change);
      continue;
    }
    const key = EXTERNAL.test(from!) ? `=> ${to}` : `${from} =>`;
    outside.set(key, [...(outside.get(key) ?? []), [range, change]]);
  }
  return { pods, outside };
}

function changeDifferences(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
  text: string,
): string[] {
  const options = { ipBlocksMatchPods: false, missingNamespaces: 'unlabelled' } as const;
  const [old, now] = [createNetwork(before, options), createNetwork(after, options)];
  const names = new Map([before, after].flat().map(object => [objectId(object), display(object)]));
  const expected = expectedChanges(text);
  const grades = [old, now].map(network => network.connections());
  const change = (from: string, to: string): string =>
    grades
      .map(relation => {
        const [source, destination] = [relation.classOf(from), relation.classOf(to)];
        const pair = source && destination && relation.between(source, destination);
        return pair === undefined ? 'no port' : formatPorts(pair.allowed);
      })
      .join(' -> ');
  const pods: Changes = new Map();
  const wrong: string[] = [];
  for (const { from, to } of compareNetworks(old, now).pairs) {
    for (const a of from.ids)
      for (const b of to.ids)
        if (names.get(a) !== names.get(b)) pods.set(`${names.get(a)} => ${names.get(b)}`, change(a, b));
    const [ids, ranges, key] =
      from.ids.length > 0
        ? [from.ids, to.ranges, (name: string) => `${name} =>`]
        : [to.ids, from.ranges, (name: string) => `=> ${name}`];
    for (const id of ids)
      for (const range of ranges.filter(text => !text.includes(':'))) {
        const last = lastOf(range);
        const lines = expected.outside.get(key(names.get(id)!)) ?? [];
        const line = lines.find(([[first, end]]) => first <= last && last <= end);
        const is = from.ids.length > 0 ? change(id, address(last)) : change(address(last), id);
        if (line?.[1] !== is) wrong.push(`${key(names.get(id)!)} ${range}: ${is}, expected ${line?.[1]}`);
      }
  }
  const ids = new Map([...names].map(([id, name]) => [name, id]));
  for (const [key, lines] of expected.outside)
    for (const [[, last], should] of lines) {
      const [from, to] = key
        .split('=>')
        .map(side => (side.trim() === '' ? address(last) : ids.get(side.trim())!));
      const is = change(from!, to!);
      if (is !== should) wrong.push(`${key} ${address(last)}: ${is}, expected ${should}`);
    }
  for (const [key, is] of pods)
    if (expected.pods.get(key) !== is) wrong.push(`${key}: ${is}, expected ${expected.pods.get(key)}`);
  for (const [key, should] of expected.pods) if (!pods.has(key)) wrong.push(`${key}: ${should} is missing`);
  return wrong;
}

function objectId(object: KubeObject): string {
  const namespace = object.metadata?.namespace ?? 'default';
  return object.kind === 'Pod'
    ? `${namespace}/${nameOf(object)}`
    : `${namespace}/${object.kind}/${nameOf(object)}`;
}

/** The last address of a block or of `first-last`. */
function lastOf(range: string): number {
  const [text, length = '32'] = range.split('/') as [string, string?];
  const end = text.includes('-') ? text.slice(text.indexOf('-') + 1) : text;
  const [first] = rangeOf(`${end}-${end}[External]`)!;
  return first + 2 ** (32 - Number(length)) - 1;
}

withShared('conformance/network-policy/diffs.json', path => {
  const folder = dirname(path);
  const diffs = JSON.parse(readFileSync(path, 'utf8')) as { old: string; new: string; expected: string }[];
  for (const diff of diffs)
    it(`${diff.old} to ${diff.new}`, () => {
      const [before, after] = [diff.old, diff.new].map(name => objectsIn(join(folder, 'inputs', name)));
      const text = readFileSync(join(folder, diff.expected), 'utf8');
      assert.deepEqual(changeDifferences(before!, after!, text), []);
    });
});

withShared('conformance/network-policy', path => {
  const files = readdirSync(join(path, 'expected')).filter(
    file => /_(?:connlist|exposure)_output\.txt$/.test(file) && !/_focus_|_explain_/.test(file),
  );
  for (const file of files) {
    const name = file.replace(/_(?:connlist|exposure)_output\.txt$/, '');
    const deviation = Object.hasOwn(DEVIATIONS, name) ? DEVIATIONS[name] : undefined;
    it(deviation === undefined ? file : `${file}, but ${deviation[1]}`, () => {
      const objects = objectsIn(join(path, 'inputs', name));
      const text = readFileSync(join(path, 'expected', file), 'utf8');
      const different = [...differences(objects, expectedIn(text)), ...ingressDifferences(objects, text)];
      assert.deepEqual(
        different.filter(line => deviation === undefined || !deviation[0].test(line)),
        [],
      );
      assert.equal(different.length > 0, deviation !== undefined);
    });
  }
});
