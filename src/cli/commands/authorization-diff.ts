/** `sallyport authorization diff`: what a change gives to whom, and takes away. */
import { covers, rulesOf } from '#decide/authorization/rules.ts';
import { type KubeObject, type Path, referenceOf } from '#kube/objects.ts';
import {
  type AuthorizationComparison,
  bindingName,
  compareAuthorization,
  type PermissionChange,
  permissionText,
  type WayChange,
  type Weight,
  weights,
} from '#paths/compare.ts';
import { keyOf, principalText } from '#paths/escalations.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { GitError } from '#sources/git/repository.ts';
import { namespaceOf, newestMinor, World } from '#world/world.ts';
import { bindingPlaces, explained, folding, printedAsData, steps, stepsAsData } from '../authorization.ts';
import { countsIn, type Narrowed, narrowed } from '../authorization-subjects.ts';
import type { Parsed } from '../command.ts';
import { sides } from '../compared.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const [baseName, headName, ...more] = parsed.operands;
  if (baseName === undefined || headName === undefined || more.length > 0)
    throw new UsageError('diff compares two things', 'for example: old/ new/, or main HEAD');
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const exclude = [...config.ignore, ...parsed.values('exclude')];
  const [base, head] = await worlds(baseName, headName, exclude);
  const comparison = within(compareAuthorization(base, head), narrowed(parsed));
  if (!printedAsData(parsed, () => asData(comparison, base, head)))
    print(asText(parsed, comparison, base, head));
  const gaps = base.gaps.length + head.gaps.length;
  if (gaps > 0 && !parsed.has('quiet'))
    tell(`sallyport: ${count(gaps, 'place')} could not be read; sallyport inventory tells where\n`);
  return gate(comparison, (parsed.value('fail-on') ?? 'high') as Weight | 'never', gaps);
}

async function worlds(
  baseName: string,
  headName: string,
  exclude: readonly string[],
): Promise<[World, World]> {
  try {
    const [base, head] = sides(baseName, headName, []);
    const read = async ({ manifests }: typeof base): Promise<World> => {
      const { declared, gaps } = await manifests(exclude);
      return new World({ declared, gaps, kubernetesMinor: newestMinor });
    };
    return [await read(base), await read(head)];
  } catch (error) {
    if (error instanceof GitError) throw new UsageError(error.message);
    throw error;
  }
}

/** As far as it is about those who are asked about. A way that needs a binding of another namespace is not. */
function within(
  { gained, lost, carriers, newWays, closedWays, unknown }: AuthorizationComparison,
  { isMeant, names, namespace }: Narrowed,
): AuthorizationComparison {
  const permission = (one: PermissionChange): boolean =>
    isMeant(one.subject) && countsIn(one.binding, namespace);
  const way = ({ way: { subject, steps } }: WayChange): boolean =>
    isMeant(subject) &&
    (subject.namespace === namespace ||
      steps.every(({ bindings }) => bindings.every(one => countsIn(one, namespace))));
  return {
    gained: gained.filter(permission),
    lost: lost.filter(permission),
    carriers: carriers.filter(
      ({ workload, account }) =>
        isMeant(account) && (namespace === '' || namespaceOf(workload) === namespace),
    ),
    newWays: newWays.filter(way),
    closedWays: closedWays.filter(way),
    unknown: unknown.filter(one => names(one) && countsIn(one, namespace)),
  };
}

function gate(
  { gained, carriers, newWays, unknown }: AuthorizationComparison,
  failOn: Weight | 'never',
  gaps: number,
): number {
  const shut =
    failOn !== 'never' &&
    [...gained, ...carriers, ...newWays].some(
      ({ severity }) => weights.indexOf(severity) <= weights.indexOf(failOn),
    );
  if (shut) return EXIT.findings;
  return unknown.length > 0 || gaps > 0 ? EXIT.unknown : EXIT.clean;
}

/** Where in its role the rule stands that gives a permission; of rules that are gathered from other roles, nowhere. */
function rulePath({ role, rule }: PermissionChange): Path {
  if (role === undefined || rule === undefined) return [];
  const index = rulesOf(role).findIndex(one => covers([one], [rule]).covered);
  return index < 0 ? [] : ['rules', index];
}

function place(
  object: KubeObject,
  world: World,
  path: Path = [],
): { readonly file?: string; readonly line?: number } {
  const origin = world.declarationOf(object)?.origin;
  return origin === undefined ? {} : { file: origin.file, line: origin.positionOf(path).line };
}

function placeText(object: KubeObject, world: World): string {
  const { file, line } = place(object, world);
  return file === undefined ? '' : ` (${safe(file)}:${line})`;
}

function asData(comparison: AuthorizationComparison, base: World, head: World): object {
  const permission = (world: World) => (change: PermissionChange) => ({
    subject: change.subject,
    ...(change.namespace === undefined ? {} : { namespace: change.namespace }),
    permission: permissionText(change),
    ...(change.rule === undefined ? {} : { rule: change.rule }),
    severity: change.severity,
    binding: { ...referenceOf(change.binding), ...place(change.binding, world) },
    ...(change.role === undefined
      ? {}
      : { role: { ...referenceOf(change.role), ...place(change.role, world, rulePath(change)) } }),
    ...(change.members.length === 0 ? {} : { members: change.members }),
  });
  const way =
    (world: World) =>
    ({ way: { subject, goal, steps: taken }, severity }: WayChange) => ({
      subject,
      goal,
      severity,
      steps: taken.map(({ text, because, assumes }) => ({
        text,
        ...(assumes === undefined ? {} : { assumes }),
        because: stepsAsData(because, world),
      })),
    });
  return {
    gained: comparison.gained.map(permission(head)),
    lost: comparison.lost.map(permission(base)),
    workloads: comparison.carriers.map(({ workload, account, severity, goals }) => ({
      workload: { ...referenceOf(workload), ...place(workload, head) },
      account,
      severity,
      goals,
    })),
    newWays: comparison.newWays.map(way(head)),
    closedWays: comparison.closedWays.map(way(base)),
    unknown: comparison.unknown.map(binding => ({ ...referenceOf(binding), ...place(binding, head) })),
  };
}

function asText(parsed: Parsed, comparison: AuthorizationComparison, base: World, head: World): string {
  const wrap = folding(parsed);
  const explain = explained(parsed);
  const { gained, lost, carriers, newWays, closedWays, unknown } = comparison;
  const lines = [
    ...permissions('Gained', '+', gained, head, parsed),
    ...permissions('Lost', '-', lost, base, parsed),
    ...carriers.flatMap(({ workload, account, severity, goals }) =>
      wrap(
        `+ ${severity}: ${objectName(referenceOf(workload))}${placeText(workload, head)} newly runs as ${safe(principalText(account))}${goals.length === 0 ? '' : `, which reaches ${goals.join(', ')}`}`,
        '',
        '    ',
      ),
    ),
    ...newWays.flatMap(({ way, severity }) => [
      ...wrap(`+ ${severity}: ${safe(principalText(way.subject))} newly reaches ${way.goal}`, '', '    '),
      ...way.steps.flatMap(({ text, because, assumes, bindings }, index) => [
        ...wrap(safe(text), `    ${index + 1}. `, '       '),
        ...[...steps(because, head), ...(explain ? bindingPlaces(bindings, head) : [])].flatMap(step =>
          wrap(step, '       ', '         '),
        ),
        ...(assumes === undefined ? [] : wrap(`if ${safe(assumes)}`, '       ', '         ')),
      ]),
    ]),
    ...closedWays.flatMap(({ way }) =>
      wrap(`- ${safe(principalText(way.subject))} no longer reaches ${way.goal}`, '', '    '),
    ),
    ...unknown.flatMap(binding =>
      wrap(
        `? ${safe(bindingName(binding))}${placeText(binding, head)} names a role that is not in the input`,
        '',
        '    ',
      ),
    ),
  ];
  const sum = `${count(gained.length, 'permission')} gained, ${lost.length} lost; ${count(newWays.length, 'new way')} up, ${closedWays.length} closed; ${count(carriers.length, 'workload')} newly with permissions${unknown.length === 0 ? '' : `; ${count(unknown.length, 'binding')} unknown`}.`;
  if (lines.length > 0) lines.push('');
  return `${[...lines, ...wrap(sum, '', '')].join('\n')}\n`;
}

/** `rbac.yaml:12 rule 2 of ClusterRole release`. */
function roleText(change: PermissionChange, world: World): string {
  const { role, rule, shippedRole } = change;
  if (role === undefined)
    return shippedRole === undefined
      ? 'the role that ships with Kubernetes'
      : `ClusterRole ${safe(shippedRole)}, which ships with Kubernetes`;
  const path = rulePath(change);
  const { file, line } = place(role, world, path);
  const which =
    path.length === 0 ? (rule === undefined ? '' : 'gathered by ') : `rule ${Number(path[1]) + 1} of `;
  return `${file === undefined ? '' : `${safe(file)}:${line} `}${which}${objectName(referenceOf(role))}`;
}

/** By subject, place and binding; grants of one resource share a line. */
function permissions(
  title: string,
  sign: string,
  changes: readonly PermissionChange[],
  world: World,
  parsed: Parsed,
): string[] {
  const wrap = folding(parsed);
  const groups = new Map<string, PermissionChange[]>();
  for (const change of changes) {
    const { subject, namespace, binding } = change;
    const key = JSON.stringify([keyOf(subject), namespace, bindingName(binding)]);
    const list = groups.get(key);
    if (list === undefined) groups.set(key, [change]);
    else list.push(change);
  }
  return [...groups.values()].flatMap(group => {
    const [{ subject, namespace, binding, members }] = group as [PermissionChange, ...PermissionChange[]];
    const where =
      namespace === undefined
        ? 'in the whole cluster'
        : namespace === ''
          ? 'in a namespace that is not stated'
          : `in namespace ${safe(namespace)}`;
    const byWhat = new Map<string, { readonly verbs: string[]; readonly change: PermissionChange }>();
    for (const change of group) {
      const { rule, severity, shippedRole } = change;
      const key = JSON.stringify([severity, shippedRole, { ...rule, verbs: [] }]);
      const one = byWhat.get(key) ?? { verbs: [], change };
      byWhat.set(key, one);
      one.verbs.push(...(rule?.verbs ?? []));
    }
    const among =
      members.length === 0
        ? ''
        : `; in that group: ${members.slice(0, 5).map(principalText).join(', ')}${members.length > 5 ? ` and ${members.length - 5} more` : ''}`;
    return [
      ...wrap(
        `${title} ${where} by ${safe(principalText(subject))}, through ${safe(bindingName(binding))}${placeText(binding, world)}${safe(among)}`,
        '',
        '  ',
      ),
      ...joined([...byWhat.values()], explained(parsed)).flatMap(({ text, change }) => [
        ...wrap(`${sign} ${change.severity}: ${safe(text)}`, '  ', '      '),
        ...(explained(parsed) ? wrap(roleText(change, world), '      by ', '        ') : []),
      ]),
    ];
  });
}

/** The words of each grant; where nobody asks for its rule, those with the same verbs are one. */
function joined(
  grants: readonly { readonly verbs: readonly string[]; readonly change: PermissionChange }[],
  apart: boolean,
): readonly { readonly text: string; readonly change: PermissionChange }[] {
  const lines = new Map<string, { text: string; readonly change: PermissionChange }>();
  for (const { verbs, change } of grants) {
    const { rule, severity } = change;
    const text = permissionText({ ...change, ...(rule === undefined ? {} : { rule: { ...rule, verbs } }) });
    const said = `${verbs.join(', ')} `;
    const isPlain = !apart && (rule?.resourceNames ?? []).length === 0 && text.startsWith(said);
    const key = isPlain ? `${severity} ${said}` : `${lines.size}`;
    const one = lines.get(key);
    if (one === undefined) lines.set(key, { text, change });
    else one.text += `, ${text.slice(said.length)}`;
  }
  return [...lines.values()];
}
