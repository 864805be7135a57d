/** `sallyport authorization who-can`: everyone who may, how, what runs as them, and who can become one of them. */

import type { ChainHolder, Subject } from '#decide/authorization/door.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import { accountOf } from '#kube/accounts.ts';
import { type IndirectHolder, indirectHolders, principalText } from '#paths/escalations.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { type Declared, namespaceOf, type World } from '#world/world.ts';
import {
  bindingPlaces,
  explained,
  folding,
  printedAsData,
  type Questions,
  questions,
  requestOf,
  steps,
  stepsAsData,
  tellMissing,
} from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT } from '../errors.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const asked = await questions(parsed);
  const { world, authorizer } = asked;
  const request = requestOf(parsed, asked);
  const holders = authorizer.whoCan(request);
  const indirect = parsed.has('indirect') ? indirectHolders(world, request) : [];
  const workloads = Map.groupBy(
    world.declared.filter(({ object }) => world.isWorkload(object)),
    declared => runsAs(declared, world),
  );
  const running = (subject: Subject): readonly Declared[] => workloadsOf(subject, workloads);
  const printed = printedAsData(parsed, () => [
    ...holders.map(holder => ({
      ...subjectData(holder),
      ...(holder.within === undefined ? {} : { within: holder.within }),
      ...(holder.unless === undefined ? {} : { unlessDeniedBy: holder.unless }),
      because: stepsAsData(holder.because, world),
      workloads: running(holder).map(workloadData),
    })),
    ...indirect.map(({ subject, as, steps: way, because }) => ({
      ...subjectData(subject),
      indirect: way.map(({ text, because, assumes }) => ({
        text,
        ...(assumes === undefined ? {} : { assumes }),
        because: stepsAsData(because, world),
      })),
      ...(as === undefined ? {} : { as: subjectData(as) }),
      because: stepsAsData(because, world),
      workloads: running(subject).map(workloadData),
    })),
  ]);
  if (!printed) print(text(parsed, holders, indirect, running, world));
  const elsewhere = printed || parsed.has('quiet') ? undefined : moreIn(asked, request, holders.length);
  if (elsewhere !== undefined)
    tell(`sallyport: in single namespaces more can: -n ${safe(elsewhere)} shows them\n`);
  const open = tellMissing(parsed, asked);
  const { webhooks } = authorizer;
  if (webhooks.length > 0 && !parsed.has('quiet'))
    tell(`sallyport: ${webhooks.map(safe).join(', ')} may let others do it; whom, only the webhook knows\n`);
  return open || webhooks.length > 0 ? EXIT.unknown : EXIT.clean;
}

/** So many namespaces are tried for a hint. */
const TRIED = 50;

/** A namespace in which more may do what was asked for in all of them at once. */
function moreIn(
  { world, authorizer, resources }: Questions,
  request: ReturnType<typeof requestOf>,
  holders: number,
): string | undefined {
  const { resource, apiGroup, namespace } = request;
  const isNamespaced = resources.some(
    one => one.name === resource && one.group === apiGroup && one.namespaced,
  );
  if (!isNamespaced || namespace !== '') return undefined;
  const namespaces = new Set(
    world.ofKind('rbac.authorization.k8s.io/RoleBinding').flatMap(({ object }) => namespaceOf(object) ?? []),
  );
  return [...namespaces]
    .slice(0, TRIED)
    .find(namespace => authorizer.whoCan({ ...request, namespace }).length > holders);
}

/** Past every authorizer: always there, and rarely what is asked for. */
function isMasters({ kind, name }: ChainHolder): boolean {
  return kind === 'Group' && name === 'system:masters';
}

function text(
  parsed: Parsed,
  everyone: readonly ChainHolder[],
  indirect: readonly IndirectHolder[],
  running: (subject: Subject) => readonly Declared[],
  world: World,
): string {
  const fold = folding(parsed);
  const explain = explained(parsed);
  const runs = (subject: Subject): string[] =>
    running(subject).flatMap(({ object, origin }) =>
      fold(`runs ${safe(origin.file)}:${origin.line} ${objectName(referred(object))}`, '  ', '    '),
    );
  const masters = everyone.filter(isMasters);
  const holders = everyone.filter(holder => !isMasters(holder));
  const lines = holders.flatMap(holder => [
    ...fold(nameOf(holder), '', '  '),
    ...runs(holder),
    // What no file says is never plain to see.
    ...steps(
      explain ? holder.because : holder.because.filter(({ object }) => object === undefined),
      world,
    ).flatMap(step => fold(`by ${step}`, '  ', '    ')),
  ]);
  if (holders.length === 0) lines.push(masters.length > 0 ? 'nobody but the group system:masters' : 'nobody');
  else if (masters.length > 0)
    lines.push('Group system:masters', '  by its name: it may do everything, past every authorizer');
  if (parsed.has('indirect'))
    lines.push(
      '',
      indirect.length === 0
        ? 'Nobody else can bring it about in a way that is known.'
        : `${count(indirect.length, 'subject')} more can bring it about:`,
    );
  const bound = (bindings: readonly Declared['object'][]): string[] =>
    explain ? bindingPlaces(bindings, world) : [];
  for (const { subject, steps: way, as, because, bindings } of indirect) {
    lines.push(
      ...fold(`${safe(principalText(subject))}, in ${count(way.length, 'step')}`, '', '  '),
      ...runs(subject),
    );
    way.forEach(({ text, because, assumes, bindings }, at) => {
      lines.push(...fold(safe(text), `  ${at + 1}. `, '     '));
      for (const step of [...steps(because, world), ...bound(bindings)])
        lines.push(...fold(step, '     ', '       '));
      if (assumes !== undefined) lines.push(...fold(`if ${safe(assumes)}`, '     ', '       '));
    });
    if (as !== undefined)
      for (const step of [...steps(because, world), ...bound(bindings)])
        lines.push(...fold(step, '  so: ', '       '));
  }
  return `${lines.join('\n')}\n`;
}

/** `ServiceAccount shop/release`, with what must hold besides. */
function nameOf({ kind, namespace, name, within = [], unless = [] }: ChainHolder): string {
  const place = namespace === undefined ? '' : `${safe(namespace)}/`;
  // Every node is in its group.
  const groups = within.filter(group => group !== 'system:nodes').map(safe);
  const also = groups.length === 0 ? '' : `, if in the group ${groups.join(' and ')}`;
  const denied = unless.length === 0 ? '' : `, unless ${unless.map(safe).join(' or ')} denies it first`;
  return `${kind} ${place}${safe(name)}${also}${denied}`;
}

function subjectData({ kind, name, namespace }: Subject): object {
  return { kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function workloadData({ object, origin }: Declared): object {
  return { object: objectName(referred(object)), file: origin.file, line: origin.line };
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
  { kind, namespace, name }: Subject,
  workloads: ReadonlyMap<string, readonly Declared[]>,
): readonly Declared[] {
  return kind === 'ServiceAccount' ? (workloads.get(`${namespace ?? ''}/${name}`) ?? []) : [];
}

function runsAs({ object }: Declared, world: World): string {
  const [pod] = podsOf(world, object).pods;
  return pod === undefined ? '' : `${pod.namespace ?? ''}/${accountOf(pod.spec)}`;
}
