/** `sallyport mesh advise`: deny all, then exactly what is needed, proven by the decider. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { declaredNeeds } from '#advise/intent.ts';
import { adviseNetworkPolicies, type Need, NeedError, type NeedSide } from '#advise/network.ts';
import { formatPorts } from '#decide/network/door.ts';
import { toJson } from '#kube/json.ts';
import { yamlOf } from '#report/mesh/yaml.ts';
import { safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { clusterOf } from '../mesh.ts';
import { print, tell, writeWhole } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const cluster = await clusterOf(parsed, parsed.operands);
  const namespaces = parsed.values('namespace');
  const wanted = namespaces.length === 0 ? undefined : namespaces;
  const intents = declaredNeeds(cluster.objects, cluster.network.exposure().exposures, wanted);
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
      tell(
        unmet.length === 0 && surplus.length === 0
          ? `proven: all ${needs.length} needed connections work, and nothing else does\n`
          : 'not proven\n',
      );
    }
    return unmet.length === 0 && surplus.length === 0 ? EXIT.clean : EXIT.unknown;
  } catch (error) {
    if (error instanceof NeedError) throw new UsageError(error.message);
    throw error;
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
