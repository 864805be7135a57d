/** `sallyport mesh advise`: nothing is let in, then exactly what is needed, proven by the deciders. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Intent } from '#advise/intent-search.ts';
import { undeclaredToday } from '#advise/intent-today.ts';
import { advisePolicies, type Form, type PolicyAdvice } from '#advise/mesh-forms.ts';
import { callersText } from '#advise/mesh-proof.ts';
import { neverCalled, warningsOf } from '#advise/mesh-warnings.ts';
import { keptConnections, keptRequests } from '#advise/network-keep.ts';
import { NeedError, needText } from '#advise/network-needs.ts';
import { createMesh, type Mesh } from '#decide/mesh/door.ts';
import { namespaceOf, sideOfId, takeInventory } from '#decide/network/inventory.ts';
import { toJson } from '#kube/json.ts';
import { type KubeObject, nameOf } from '#kube/objects.ts';
import { stepsText } from '#report/mesh/steps.ts';
import { yamlOf } from '#report/mesh/yaml.ts';
import { count, safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { type Cluster, clusterOf, steps } from '../mesh.ts';
import { callersOf, type Needs, needsOf } from '../mesh-needs.ts';
import { print, tell, writeWhole } from '../output.ts';

/** Of each kind of line this many are printed; the others are counted. */
const SHOWN = 50;

export async function run(parsed: Parsed): Promise<number> {
  const cluster = await clusterOf(parsed, parsed.operands);
  const forms = formsOf(parsed, cluster);
  const namespaces = parsed.values('namespace');
  const wanted = namespaces.length === 0 ? undefined : namespaces;
  const known = new Set(takeInventory(cluster.objects, 'unknown').endpoints.map(one => one.namespace));
  if (known.size === 0) {
    tell('nothing to close: the input has no workloads\n');
    return EXIT.unknown;
  }
  for (const name of namespaces)
    if (!known.has(name)) throw new UsageError(`--namespace: the input has no workload in namespace ${name}`);
  try {
    const needs = allNeeds(parsed, cluster, forms, wanted);
    const advice = advisePolicies(
      cluster.objects,
      needs.intents.map(({ need }) => need),
      {
        forms,
        ...(wanted === undefined ? {} : { namespaces: wanted }),
        dataplane: parsed.value('dataplane') === 'ambient' ? 'ambient' : 'sidecar',
        mesh: cluster.meshOptions,
        // What the proof does not need to doubt: the proposed rules name blocks for the outside only.
        network: { ipBlocksMatchPods: false },
      },
    );
    const ways = leftOut(needs, forms);
    if (parsed.value('format') === 'json')
      print(toJson({ ...asData(forms, needs, advice), assumptions: cluster.assumptions }));
    else {
      writePolicies(parsed, forms, advice, cluster);
      sayAll(forms, needs, advice, cluster);
    }
    return verdict(advice, ways, cluster);
  } catch (error) {
    if (error instanceof NeedError) throw new UsageError(error.message);
    throw error;
  }
}

/** What was asked for, else what the input uses: the mesh that a workload is in, else network policies. */
function formsOf(parsed: Parsed, { objects, mesh }: Cluster): Form[] {
  const asked = [...new Set(parsed.values('as'))] as Form[];
  if (asked.includes('istio') && asked.includes('linkerd'))
    throw new UsageError('--as: istio and linkerd exclude each other');
  if (parsed.has('dataplane') && !asked.includes('istio'))
    throw new UsageError('--dataplane is for --as istio');
  const used = takeInventory(objects, 'unknown').endpoints.map(({ id }) => mesh.member(sideOfId(id)).mesh);
  for (const [form, other] of [
    ['istio', 'linkerd'],
    ['linkerd', 'istio'],
  ] as const)
    if (asked.includes(form) && used.includes(other))
      throw new UsageError(
        `--as ${form}: workloads of the input are in the mesh of ${other} already`,
        `write its policies with --as ${other}, or name other namespaces' manifests`,
      );
  const forms = asked.length > 0 ? asked : [formOf(used)];
  if (forms.includes('network-policy') && parsed.values('assume').includes('no-enforcement'))
    throw new UsageError(
      'network policies that nothing enforces prove nothing',
      'leave out --assume no-enforcement, or write --as istio or linkerd',
    );
  return forms;
}

function formOf(used: readonly string[]): Form {
  return used.includes('istio') ? 'istio' : used.includes('linkerd') ? 'linkerd' : 'network-policy';
}

function allNeeds(
  parsed: Parsed,
  cluster: Cluster,
  forms: readonly Form[],
  wanted: readonly string[] | undefined,
): Needs {
  const { objects, network, mesh } = cluster;
  const { intents, open } = needsOf(parsed, cluster, wanted);
  const found = new Map<string, Intent>();
  const add = (list: readonly Intent[]): void => {
    for (const intent of list) {
      const key = JSON.stringify(intent.need);
      if (!found.has(key)) found.set(key, intent);
    }
  };
  add(intents);
  if (parsed.has('keep')) {
    if (forms.includes('network-policy')) add(keptConnections(objects, wanted, { ipBlocksMatchPods: false }));
    else add(keptRequests(objects, network, mesh, takeInventory(objects, 'unknown').endpoints));
  }
  const intentList = [...found.values()];
  const today = undeclaredToday(
    objects,
    intentList.map(({ need }) => need),
    wanted,
    { ipBlocksMatchPods: false },
    callersOf(parsed),
  );
  return { intents: [...intentList, ...today.intents], open: [...open, ...today.open] };
}

/** Ways that were named and left out, and that the policies would break. */
function leftOut({ open }: Needs, forms: readonly Form[]): number {
  const breaks = forms.includes('network-policy') ? ['way-in', 'way-out'] : ['way-in'];
  return open.filter(({ is }) => breaks.includes(is)).length;
}

function verdict({ unmet, remaining, stages }: PolicyAdvice, ways: number, { world }: Cluster): number {
  if (unmet.some(({ answer }) => answer === false) || remaining.some(({ certain }) => certain))
    return EXIT.findings;
  const open = unmet.length + remaining.length + ways + world.gaps.length;
  return open > 0 || stages.some(stage => stage.unmet.length > 0) ? EXIT.unknown : EXIT.clean;
}

function asData(forms: readonly Form[], { intents, open }: Needs, advice: PolicyAdvice): object {
  const { policies, replaced, stages, unmet, remaining, plaintext, notes } = advice;
  return {
    forms,
    needs: intents,
    leftOut: open.map(({ is, text }) => ({ is, text })),
    policies,
    delete: replaced.map(({ kind, metadata }) => ({
      kind,
      namespace: metadata?.namespace ?? 'default',
      name: metadata?.name,
    })),
    stages: stages.map(({ objects, unmet: broken, ...rest }) => ({
      ...rest,
      objects: objects.map(({ kind, metadata }) => ({
        kind,
        namespace: metadata?.namespace,
        name: metadata?.name,
      })),
      breaks: broken.map(({ need }) => needText(need)),
    })),
    unmet: unmet.map(({ need, answer, because }) => ({
      need,
      answer,
      because: because.map(({ text }) => text),
    })),
    remaining,
    plaintext,
    notes,
  };
}

function writePolicies(parsed: Parsed, forms: readonly Form[], advice: PolicyAdvice, cluster: Cluster): void {
  const folder = parsed.value('output-dir');
  if (folder === undefined) {
    print(yamlOf(advice.policies));
    return;
  }
  makeFolder(folder);
  for (const { file, objects } of advice.stages) writeWhole(join(folder, file), yamlOf(objects));
  writeWhole(
    join(folder, 'README.md'),
    stepsText({
      forms,
      needs: advice.needs.length,
      stages: advice.stages.map(({ unmet, ...rest }) => ({
        ...rest,
        breaks: unmet.map(({ need }) => needText(need)),
      })),
      replaced: advice.replaced,
      notes: [
        ...advice.notes,
        ...warningsOf(cluster.objects, advice, meshAfter(advice, cluster)).map(({ text }) => text),
      ],
      remaining: advice.remaining.map(({ from, ...rest }) => ({ ...rest, from: callersText(from) })),
    }),
  );
}

/** @throws UsageError where it cannot be made */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`${path} could not be made: ${(error as Error).message}`);
  }
}

function sayAll(
  forms: readonly Form[],
  { intents, open }: Needs,
  advice: PolicyAdvice,
  cluster: Cluster,
): void {
  const { unmet, remaining, replaced, stages, notes } = advice;
  const named = intents.filter(({ usual }) => usual !== true);
  say(
    'needed: ',
    named.map(({ need, why }) => `${needText(need)} (${why})`),
  );
  say(
    'not known: ',
    steps(
      open.map(one => ({ ...one })),
      cluster,
    ),
  );
  say('note: ', [
    ...notes,
    ...steps(warningsOf(cluster.objects, advice, meshAfter(advice, cluster)), cluster),
  ]);
  const alone = neverCalled(cluster.objects, advice);
  if (alone.length > 0)
    say('closed to everybody: ', [
      `${shortList(alone)} ${alone.length === 1 ? 'has a Service that nothing names' : 'have Services that nothing names'}; callers that only code knows are found by --flows or --keep`,
    ]);
  say('to delete in the end: ', toDelete(replaced, cluster));
  say(
    'plain text: ',
    advice.plaintext.map(({ to, port, callers }) => `${to} port ${port}, for ${callers.join(', ')}`),
  );
  const inTheEnd = new Set(unmet.map(({ need }) => needText(need)));
  for (const { file, unmet: broken } of stages) {
    const fresh = broken.map(({ need }) => needText(need)).filter(text => !inTheEnd.has(text));
    for (const text of fresh) inTheEnd.add(text);
    say(`BREAKS with ${file}: `, fresh);
  }
  say(
    'NOT MET: ',
    unmet.map(({ need, answer, because }) => {
      // Whatever says why has an object; without one nothing is restricted.
      const deciding = because.filter(({ object }) => object !== undefined);
      const why = steps(deciding.length > 0 ? deciding : because, cluster).slice(0, 3);
      return `${needText(need)} is ${answer === 'unknown' ? 'not certain' : 'denied'}: ${why.join('; ')}`;
    }),
  );
  say(
    'NOT NEEDED: ',
    remaining.map(
      ({ from, to, ports, certain, why }) =>
        `${callersText(from)} -> ${to}, ${/^\d/.test(ports) ? `port ${ports}` : ports}${certain ? '' : ' (perhaps)'}: ${why}`,
    ),
  );
  const failed = [
    unmet.length > 0 ? `${count(unmet.length, 'need')} not met` : '',
    remaining.length > 0 ? `${count(remaining.length, 'way')} open that nobody needs` : '',
  ].filter(text => text !== '');
  const ways = leftOut({ intents, open }, forms);
  const left = [
    ways > 0 ? `${count(ways, 'way')} that ${ways === 1 ? 'is' : 'are'} not known` : '',
    cluster.world.gaps.length > 0
      ? `${count(cluster.world.gaps.length, 'gap')} in the input (sallyport inventory lists them)`
      : '',
  ].filter(text => text !== '');
  const proven = `proven: all ${advice.needs.length} connections that are named work${stages.length > 1 ? ' after every step' : ''}, and nothing else does${forms.includes('network-policy') ? '' : ' towards workloads of the mesh'}`;
  say('assumed: ', cluster.assumptions);
  tell(
    failed.length > 0
      ? `not proven: ${[...failed, ...left].join(', ')}\n`
      : left.length > 0
        ? `${proven}; left out: ${left.join(', ')}\n`
        : `${proven}\n`,
  );
}

function shortList(ids: readonly string[]): string {
  return ids.length > 6 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ');
}

function say(mark: string, lines: readonly string[]): void {
  for (const line of lines.slice(0, SHOWN)) tell(`${mark}${safe(line)}\n`);
  if (lines.length > SHOWN) tell(`${mark}and ${lines.length - SHOWN} more (--format json has all)\n`);
}

/** The mesh as it will be: who joins it has an identity only then. */
function meshAfter({ after }: PolicyAdvice, { meshOptions }: Cluster): Mesh {
  return createMesh(after, meshOptions);
}

/** Objects of one kind and namespace in one line. */
function toDelete(objects: readonly KubeObject[], { world }: Cluster): string[] {
  return [...Map.groupBy(objects, object => `${object.kind}\n${namespaceOf(object)}`)].map(([key, list]) => {
    const [kind, namespace] = key.split('\n');
    const files = new Set(list.map(object => world.declarationOf(object)?.origin.file ?? ''));
    const [first = '', ...more] = files;
    const where =
      first === '' ? '' : ` (${first}${more.length > 0 ? ` and ${count(more.length, 'more file')}` : ''})`;
    return `${kind} ${list.map(nameOf).join(', ')} of namespace ${namespace}${where}`;
  });
}
