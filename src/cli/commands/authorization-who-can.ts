/** `sallyport authorization who-can`: everyone who may, how, and what runs as them. */

import type { Holder } from '#decide/authorization/door.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import { accountOf } from '#kube/accounts.ts';
import { toJson } from '#kube/json.ts';
import { objectName, safe } from '#report/safe.ts';
import { type Declared, namespaceOf, type World } from '#world/world.ts';
import { questions, requestOf, steps, stepsAsData } from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT } from '../errors.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const asked = await questions(parsed);
  const { world, authorizer } = asked;
  const holders = authorizer.whoCan(requestOf(parsed, asked));
  const workloads = Map.groupBy(
    world.declared.filter(({ object }) => world.isWorkload(object)),
    declared => runsAs(declared, world),
  );
  if (parsed.value('format') === 'json')
    print(
      toJson(
        holders.map(holder => ({
          kind: holder.kind,
          name: holder.name,
          ...(holder.namespace === undefined ? {} : { namespace: holder.namespace }),
          because: stepsAsData(holder.because, world),
          workloads: workloadsOf(holder, workloads).map(({ object, origin }) => ({
            object: objectName(referred(object)),
            file: origin.file,
            line: origin.line,
          })),
        })),
      ),
    );
  else print(text(holders, workloads, parsed.has('explain'), world));
  const open = authorizer.dangling().length;
  if (open > 0 && !parsed.has('quiet'))
    tell(`sallyport: ${open} bindings name roles that are not in the input; what they grant is not known\n`);
  return open > 0 ? EXIT.unknown : EXIT.clean;
}

function text(
  holders: readonly Holder[],
  workloads: ReadonlyMap<string, readonly Declared[]>,
  explain: boolean,
  world: World,
): string {
  if (holders.length === 0) return 'nobody\n';
  return holders
    .map(holder => {
      const lines = [
        `${holder.kind} ${holder.namespace === undefined ? '' : `${safe(holder.namespace)}/`}${safe(holder.name)}`,
      ];
      for (const { object, origin } of workloadsOf(holder, workloads))
        lines.push(`  runs ${safe(origin.file)}:${origin.line} ${objectName(referred(object))}`);
      if (explain) for (const step of steps(holder.because, world)) lines.push(`  by ${step}`);
      return `${lines.join('\n')}\n`;
    })
    .join('');
}

function referred(object: Declared['object']): {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
} {
  const namespace = namespaceOf(object);
  return {
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name: object.metadata?.name ?? '',
  };
}

/** The workloads that run as a holder: only service accounts have any. */
function workloadsOf(
  { kind, namespace, name }: Holder,
  workloads: ReadonlyMap<string, readonly Declared[]>,
): readonly Declared[] {
  return kind === 'ServiceAccount' ? (workloads.get(`${namespace ?? ''}/${name}`) ?? []) : [];
}

function runsAs({ object }: Declared, world: World): string {
  const [pod] = podsOf(world, object).pods;
  return pod === undefined ? '' : `${pod.namespace ?? ''}/${accountOf(pod.spec)}`;
}
