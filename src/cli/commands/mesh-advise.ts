/** `sallyport mesh advise`: deny all, then exactly what is needed, proven by the decider. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { declaredNeeds, type Intent } from '#advise/intent.ts';
import { adviseNetworkPolicies, type Need, NeedError, type NeedSide } from '#advise/network.ts';
import { formatPorts } from '#decide/network/door.ts';
import { toJson } from '#kube/json.ts';
import { yamlOf } from '#report/mesh/yaml.ts';
import { safe } from '#report/safe.ts';
import { readFlows } from '#sources/flows/flows.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { type Cluster, clusterOf, peerOf } from '../mesh.ts';
import { print, tell, writeWhole } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const cluster = await clusterOf(parsed, parsed.operands);
  const namespaces = parsed.values('namespace');
  const wanted = namespaces.length === 0 ? undefined : namespaces;
  const declared = declaredNeeds(cluster.objects, cluster.network.exposure().exposures, wanted);
  const intents = [...declared, ...observedNeeds(parsed, cluster)];
  const needs = intents.map(({ need }) => need);
  try {
    const advice = adviseNetworkPolicies(cluster.objects, needs, {
      // What the proof does not need to doubt: the proposed rules name blocks for the outside only.
      ipBlocksMatchPods: false,
      ...(wanted === undefined ? {} : { namespaces: wanted }),
    });
    const { policies, unmet, surplus } = advice;
    if (parsed.value('format') === 'json')
      print(
        toJson({
          needs: intents,
          policies,
          unmet: unmet.map(({ need, answer }) => ({ need, answer })),
          surplus: surplus.map(({ ports, ...rest }) => ({ ...rest, ports: formatPorts(ports) })),
        }),
      );
    else {
      const folder = parsed.value('output');
      // Allowing first and denying last breaks nobody on the way.
      const isDeny = ({ metadata }: (typeof policies)[number]) => metadata?.name === 'default-deny';
      const [allow, deny] = [policies.filter(policy => !isDeny(policy)), policies.filter(isDeny)];
      if (folder === undefined) print(yamlOf([...allow, ...deny]));
      else {
        makeFolder(folder);
        writeWhole(join(folder, '10-allow.yaml'), yamlOf(allow));
        writeWhole(join(folder, '20-default-deny.yaml'), yamlOf(deny));
      }
      for (const { need, why } of intents)
        if (why !== 'names are looked up') tell(`needed: ${needText(need)} (${safe(why)})\n`);
      for (const { need, answer } of unmet) tell(`NOT PROVEN: ${needText(need)} is ${String(answer)}\n`);
      for (const { from, to, ports, certain } of surplus)
        tell(
          `NOT NEEDED: ${safe(from)} -> ${safe(to)} ${formatPorts(ports)}${certain ? '' : ' (perhaps)'}\n`,
        );
      const hidden = cluster.network
        .exposure()
        .exposures.filter(({ entry }) => ['ingress', 'route', 'gateway', 'istio-gateway'].includes(entry.is));
      for (const id of new Set(hidden.map(one => one.id)))
        tell(`not included: the proxy in front of ${safe(id)}; say so with --flows\n`);
      tell(
        unmet.length === 0 && surplus.length === 0
          ? `proven: all ${needs.length} connections that are named work, and nothing else does\n`
          : 'not proven\n',
      );
    }
    return unmet.length === 0 && surplus.length === 0 ? EXIT.clean : EXIT.unknown;
  } catch (error) {
    if (error instanceof NeedError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * What was seen, as needs. Pods are named by their workloads where their names tell.
 *
 * @throws UsageError where a file cannot be read
 */
function observedNeeds(parsed: Parsed, cluster: Cluster): Intent[] {
  return parsed.values('flows').flatMap(file => {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new UsageError(`${file} could not be read: ${(error as Error).message}`);
    }
    const { flows, gaps } = readFlows(text);
    for (const { line, reason } of gaps) tell(`${safe(file)}:${line} left out: ${safe(reason)}\n`);
    return flows.flatMap(({ from, to, port, protocol }): Intent[] => {
      const [source, destination] = [sideOf(from, cluster), sideOf(to, cluster)];
      if (source === undefined || destination === undefined) {
        tell(`${safe(file)}: left out: ${safe(`${from} -> ${to}`)}: not in the input\n`);
        return [];
      }
      if ('cidr' in source && 'cidr' in destination) return [];
      return [{ need: { from: source, to: destination, port, protocol }, why: `seen in ${file}` }];
    });
  });
}

/** A workload as it is named, or the one whose pod's name it is: `web-5d9c7b8f6-x2x4z` of `web`. */
function sideOf(text: string, cluster: Cluster): NeedSide | undefined {
  for (let name = text; ; name = name.slice(0, name.lastIndexOf('-'))) {
    try {
      const peer = peerOf(name, cluster);
      if ('workload' in peer || 'pod' in peer) return peer;
      if ('ip' in peer) return { cidr: `${peer.ip}/${peer.ip.includes(':') ? 128 : 32}` };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
    // A pod's name ends in at most two parts that its controller makes up.
    if (!name.includes('-') || text.split('-').length - name.split('-').length >= 2) return undefined;
  }
}

/** @throws UsageError where it cannot be made */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`${path} could not be made: ${(error as Error).message}`);
  }
}

function needText({ from, to, port, protocol = 'TCP' }: Need): string {
  return `${sideText(from)} -> ${sideText(to)} ${port}/${protocol}`;
}

function sideText(side: NeedSide): string {
  if ('cidr' in side) return safe(side.cidr);
  if ('labels' in side) return safe(Object.values(side.labels).join(', '));
  return safe('workload' in side ? side.workload : side.pod);
}
