/** `sallyport mesh connections`: who reaches whom, as a table or a picture. */
import { toJson } from '#kube/json.ts';
import { count } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { EXIT } from '../errors.ts';
import { clusterOf, mapOf, peerOf } from '../mesh.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const cluster = await clusterOf(parsed, parsed.operands);
  const [workload, namespace] = [parsed.value('workload'), parsed.value('namespace')];
  const peer = workload === undefined ? undefined : peerOf(workload, cluster);
  const id =
    peer === undefined ? undefined : 'workload' in peer ? peer.workload : 'pod' in peer ? peer.pod : '';
  const map = mapOf(cluster, {
    ...(id === undefined ? {} : { workload: id }),
    ...(namespace === undefined ? {} : { namespace }),
    external: parsed.has('external'),
  });
  const unknown = map.workloads.filter(({ mesh }) => mesh === 'unknown').length;
  if (unknown > 0 && !parsed.has('quiet'))
    tell(
      `whether ${count(unknown, 'workload')} ${unknown === 1 ? 'is' : 'are'} in the mesh is not in the input: add the namespaces, or say it with --assume sidecars, ambient or unlabelled-namespaces\n`,
    );
  switch (parsed.value('format') ?? 'text') {
    case 'json':
      print(toJson(map));
      break;
    case 'csv':
      print((await import('#report/mesh/tables.ts')).csvOf(map));
      break;
    case 'dot':
      print((await import('#report/mesh/tables.ts')).dotOf(map));
      break;
    case 'mermaid':
      print((await import('#report/mesh/tables.ts')).mermaidOf(map));
      break;
    case 'svg':
      print((await import('#report/mesh/svg.ts')).svgOf(map));
      break;
    case 'html':
      print((await import('#report/mesh/html.ts')).htmlOf(map));
      break;
    default:
      print((await import('#report/mesh/text.ts')).textOf(map));
  }
  return cluster.world.gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}
