/** `sallyport authorization escalations`: who can become more than they are, step by step, and what would cut it. */

import { podsOf } from '#decide/pod-security/pods.ts';
import { accountOf } from '#kube/accounts.ts';
import { nameOf, referenceOf } from '#kube/objects.ts';
import {
  type Escalation,
  escalationsOf,
  type Goal,
  goals,
  keyOf,
  type Principal,
  principalsOf,
  principalText,
  smallestCut,
} from '#paths/escalations.ts';
import { objectName, safe } from '#report/safe.ts';
import type { Declared, World } from '#world/world.ts';
import {
  bindingPlaces,
  explained,
  folding,
  namespaceAsked,
  printedAsData,
  questions,
  steps,
  stepsAsData,
  subjectsAsked,
  tellMissing,
} from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';
import { wrap } from '../wrap.ts';

/** Cuts are worked out for so many ways: each is a search of its own. */
const CUTS = 200;

export async function run(parsed: Parsed): Promise<number> {
  const [name, ...more] = subjectsAsked(parsed);
  if (more.length > 0) throw new UsageError('escalations takes one subject, or none for all');
  if (name !== undefined && parsed.has('namespace'))
    throw new UsageError('-n is for all service accounts of a namespace', 'leave out the subject, or -n');
  const asked = await questions(parsed);
  const { world } = asked;
  const goal = parsed.value('goal') as Goal | undefined;
  const only = namespaceAsked(parsed);
  const subjects = (name === undefined ? principalsOf(world) : [subjectOf(name)]).filter(
    ({ namespace }) => only === '' || namespace === only,
  );
  const found = subjects
    .flatMap(subject => escalationsOf(world, subject))
    .filter(one => goal === undefined || one.goal === goal)
    .sort((a, b) => goals.indexOf(a.goal) - goals.indexOf(b.goal) || a.steps.length - b.steps.length);
  const paths = found.filter(({ direct }) => !direct);
  const administrators = found.filter(({ direct, goal }) => direct && goal === 'cluster-admin');
  const cuts = new Map(
    paths.slice(0, CUTS).map(path => [path, smallestCut(world, path.subject, path.goal)] as const),
  );
  const workloads = runningAs(world);
  const printed = printedAsData(parsed, () => ({
    escalations: found.map(one => ({
      subject: one.subject,
      goal: one.goal,
      direct: one.direct,
      steps: one.steps.map(({ text, because, assumes, bindings }) => ({
        text,
        ...(assumes === undefined ? {} : { assumes }),
        because: stepsAsData(because, world),
        bindings: bindings.map(referenceOf),
      })),
      ...(cuts.get(one) === undefined ? {} : { cut: cuts.get(one)!.map(referenceOf) }),
      workloads: (workloads.get(keyOf(one.subject)) ?? []).map(({ object, origin }) => ({
        object: referenceOf(object),
        file: origin.file,
        line: origin.line,
      })),
    })),
  }));
  if (!printed) {
    const fold = folding(parsed);
    print(
      paths
        .map(path =>
          textOf(
            path,
            cuts.get(path),
            workloads.get(keyOf(path.subject)) ?? [],
            world,
            fold,
            explained(parsed),
          ),
        )
        .join('\n'),
    );
    print(summary(paths, administrators, subjects.length, paths.length > 0));
  }
  const open = tellMissing(parsed, asked);
  if (paths.length > 0) return EXIT.findings;
  return open ? EXIT.unknown : EXIT.clean;
}

/** `system:serviceaccount:shop:release`, `group:devs`, or a user's name. */
function subjectOf(word: string): Principal {
  if (word.startsWith('group:')) return { kind: 'Group', name: word.slice(6) };
  const [system, kind, namespace, name] = word.split(':');
  return system === 'system' && kind === 'serviceaccount' && namespace !== undefined && name !== undefined
    ? { kind: 'ServiceAccount', namespace, name }
    : { kind: 'User', name: word };
}

/** The workloads of a world by the principal that they run as. */
function runningAs(world: World): ReadonlyMap<string, readonly Declared[]> {
  const running = new Map<string, Declared[]>();
  for (const declared of world.declared) {
    if (!world.isWorkload(declared.object)) continue;
    const [pod] = podsOf(world, declared.object).pods;
    if (pod === undefined) continue;
    const key = keyOf({ kind: 'ServiceAccount', namespace: pod.namespace ?? '', name: accountOf(pod.spec) });
    const list = running.get(key);
    if (list === undefined) running.set(key, [declared]);
    else list.push(declared);
  }
  return running;
}

const REACHED: Readonly<Record<Goal, string>> = {
  'cluster-admin': 'cluster-admin',
  node: 'a node',
  secrets: 'every secret',
};

function textOf(
  { subject, goal, steps: way }: Escalation,
  cut: ReturnType<typeof smallestCut>,
  workloads: readonly Declared[],
  world: World,
  fold: typeof wrap,
  explain: boolean,
): string {
  const count = way.length === 1 ? '1 step' : `${way.length} steps`;
  const lines = fold(`${safe(principalText(subject))} reaches ${REACHED[goal]} in ${count}`, '', '  ');
  way.forEach(({ text, because, assumes, bindings }, i) => {
    lines.push(...fold(safe(text), `  ${i + 1}. `, '     '));
    for (const step of [...steps(because, world), ...(explain ? bindingPlaces(bindings, world) : [])])
      lines.push(...fold(step, '     ', '       '));
    if (assumes !== undefined) lines.push(...fold(`if ${safe(assumes)}`, '     ', '       '));
  });
  // One object that several environments have stands in one place.
  const running = unique(
    workloads.map(
      ({ object, origin }) => `${safe(origin.file)}:${origin.line} ${objectName(referenceOf(object))}`,
    ),
  );
  for (const one of running.slice(0, 5)) lines.push(...fold(`runs as it: ${one}`, '  ', '    '));
  if (running.length > 5) lines.push(`  and ${running.length - 5} more workloads`);
  if (cut !== undefined) {
    const bindings = cut.map(binding => {
      const origin = world.declarationOf(binding)?.origin;
      const place = origin === undefined ? '' : ` (${safe(origin.file)}:${origin.line})`;
      return `${binding.kind} ${safe(nameOf(binding))}${place}`;
    });
    lines.push(...fold(`cut by removing ${unique(bindings).join(' and ')}`, '  ', '    '));
  }
  return `${lines.join('\n')}\n`;
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

function summary(
  paths: readonly Escalation[],
  administrators: readonly Escalation[],
  asked: number,
  apart: boolean,
): string {
  const counts = goals
    .map(goal => [goal, paths.filter(one => one.goal === goal).length] as const)
    .filter(([, count]) => count > 0)
    .map(([goal, count]) => `${count} to ${REACHED[goal]}`);
  const said = counts.length === 0 ? 'no way up was found' : counts.join(', ');
  const also = administrators.length === 0 ? '' : `; ${administrators.length} hold cluster-admin outright`;
  const subjects = asked === 1 ? '1 subject' : `${asked} subjects`;
  return `${apart ? '\n' : ''}${wrap(`${subjects}: ${said}${also}.`, '', '').join('\n')}\n`;
}
