/** Subjects and resources: what each may do to each, and where. */
import { type PolicyRule, ruleAllows } from '#decide/authorization/rules.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { keyOf, type Principal } from './escalations.ts';
import { BINDINGS, grantedRules, roleOf, subjectsOf } from './grants.ts';

export interface Column {
  readonly group: string;
  readonly resource: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
}

export interface Cell {
  /** In the whole cluster. */
  readonly everywhere: readonly string[];
  /** In some namespaces only: by namespace, what is not there everywhere. */
  readonly within: Readonly<Record<string, readonly string[]>>;
  /** Only objects of certain names. */
  readonly named: boolean;
}

export interface Row {
  readonly subject: Principal;
  /** One for each column; undefined for nothing. */
  readonly cells: readonly (Cell | undefined)[];
  /** A role of it is not in the input, or not wholly known: an empty cell says nothing. */
  readonly open: boolean;
  /** Groups whose permissions are in the row too. */
  readonly through: readonly string[];
  /** What gives them: each binding with its role, and the rules of it that say something about a column. */
  readonly grants: readonly RowGrant[];
}

export interface RowGrant {
  readonly binding: KubeObject;
  /** Undefined where it is not in the input. */
  readonly role: KubeObject | undefined;
  readonly rules: readonly number[];
}

export const matrixVerbs = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
];

interface Allowed {
  readonly verbs: readonly string[];
  readonly named: boolean;
}

/** Roles that others are gathered into in a cluster: what the input knows of them is not all. */
const GATHERING = new Set(['admin', 'edit', 'view']);

/**
 * Everyone whom a binding names, with what is granted to that very name: what somebody has through a group stands in
 * the row of the group. Users of whom the groups are known have both in one row.
 *
 * @param namespace only what counts there; all namespaces where it is not stated
 * @param groups the groups of users
 */
export function matrixOf(
  world: World,
  columns: readonly Column[],
  namespace?: string,
  groups: Readonly<Record<string, readonly string[]>> = {},
): readonly Row[] {
  const known = new Map<readonly PolicyRule[], ByRules>();
  const allowedBy = (rules: readonly PolicyRule[]): ByRules => {
    let allowed = known.get(rules);
    if (allowed === undefined) {
      const used = new Set<number>();
      const cells = columns.map(column => allowedTo(rules, column, used));
      allowed = { cells, rules: [...used].sort((a, b) => a - b) };
      known.set(rules, allowed);
    }
    return allowed;
  };
  const rows = new Map<string, MutableRow>();
  for (const kind of BINDINGS)
    for (const { object: binding } of world.ofKind(kind)) {
      const home = binding.kind === 'RoleBinding' ? (namespaceOf(binding) ?? '') : undefined;
      if (home !== undefined && namespace !== undefined && home !== namespace) continue;
      const rules = grantedRules(binding, world);
      const roleName = valueAt(binding, ['roleRef', 'name']);
      const inPart =
        rules === undefined ||
        (roleOf(binding, world) === undefined && typeof roleName === 'string' && GATHERING.has(roleName));
      for (const { kind, name, namespace: of } of subjectsOf(binding)) {
        if (name === '' || (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount')) continue;
        const subject: Principal = kind === 'ServiceAccount' ? { kind, name, namespace: of } : { kind, name };
        const row = rows.get(keyOf(subject)) ?? emptyRow(subject, columns);
        rows.set(keyOf(subject), row);
        if (inPart) row.open = true;
        if (rules === undefined) continue;
        const by = allowedBy(rules);
        if (by.rules.length > 0) row.grants.push({ binding, role: roleOf(binding, world), rules: by.rules });
        by.cells.forEach((allowed, index) => {
          if (allowed !== undefined) add(row.cells[index]!, home, allowed);
        });
      }
    }
  for (const [name, of] of Object.entries(groups)) {
    const subject: Principal = { kind: 'User', name };
    const row = rows.get(keyOf(subject)) ?? emptyRow(subject, columns);
    for (const group of new Set(of)) {
      const its = rows.get(keyOf({ kind: 'Group', name: group }));
      if (its === undefined) continue;
      rows.set(keyOf(subject), row);
      if (its.open) row.open = true;
      row.grants.push(...its.grants);
      its.cells.forEach((cell, index) => {
        merge(row.cells[index]!, cell);
      });
    }
  }
  return [...rows.values()].map(({ subject, cells, open, grants }) => ({
    subject,
    cells: cells.map(finished),
    open,
    grants,
    through: subject.kind === 'User' && Object.hasOwn(groups, subject.name) ? groups[subject.name]! : [],
  }));
}

interface MutableRow {
  readonly subject: Principal;
  readonly cells: MutableCell[];
  readonly grants: RowGrant[];
  open: boolean;
}

interface ByRules {
  readonly cells: readonly (Allowed | undefined)[];
  readonly rules: readonly number[];
}

function emptyRow(subject: Principal, columns: readonly Column[]): MutableRow {
  return { subject, cells: columns.map(emptyCell), grants: [], open: false };
}

function merge(cell: MutableCell, other: MutableCell): void {
  for (const verb of other.everywhere) cell.everywhere.add(verb);
  for (const [home, verbs] of other.within) {
    const set = cell.within.get(home) ?? new Set<string>();
    cell.within.set(home, set);
    for (const verb of verbs) set.add(verb);
  }
  if (other.whole) cell.whole = true;
}

interface MutableCell {
  readonly everywhere: Set<string>;
  readonly within: Map<string, Set<string>>;
  whole: boolean;
}

function emptyCell(): MutableCell {
  return { everywhere: new Set(), within: new Map(), whole: false };
}

function add(cell: MutableCell, home: string | undefined, { verbs, named }: Allowed): void {
  const set = home === undefined ? cell.everywhere : (cell.within.get(home) ?? new Set<string>());
  if (home !== undefined) cell.within.set(home, set);
  for (const verb of verbs) set.add(verb);
  if (!named) cell.whole = true;
}

function finished({ everywhere, within, whole }: MutableCell): Cell | undefined {
  if (everywhere.size === 0 && within.size === 0) return undefined;
  const sorted = (verbs: ReadonlySet<string>): string[] => matrixVerbs.filter(verb => verbs.has(verb));
  const rest = [...within]
    .map(([namespace, verbs]) => [namespace, sorted(verbs).filter(verb => !everywhere.has(verb))] as const)
    .filter(([, verbs]) => verbs.length > 0);
  return { everywhere: sorted(everywhere), within: Object.fromEntries(rest), named: !whole };
}

function allowedTo(
  rules: readonly PolicyRule[],
  { group, resource, subresource }: Column,
  used: Set<number>,
): Allowed | undefined {
  const asked = { apiGroup: group, resource, subresource, resourceRequest: true, user: {} };
  const verbs = new Set<string>();
  let named = true;
  for (const [index, rule] of rules.entries())
    for (const verb of matrixVerbs) {
      const limited = (rule.resourceNames ?? []).length > 0;
      // A rule of names never allows what is asked without one.
      if (limited && subresource === '' && (verb === 'create' || verb === 'deletecollection')) continue;
      if (!ruleAllows(limited ? { ...rule, resourceNames: [] } : rule, { ...asked, verb })) continue;
      verbs.add(verb);
      used.add(index);
      if (!limited) named = false;
    }
  return verbs.size === 0 ? undefined : { verbs: [...verbs], named };
}

export type Level = 'none' | 'read' | 'write' | 'all';

/** How far verbs go: all of them, some that change, or only ones that read. */
export function levelOf(verbs: readonly string[]): Level {
  if (verbs.length === 0) return 'none';
  if (verbs.length === matrixVerbs.length) return 'all';
  return verbs.some(verb => !['get', 'list', 'watch'].includes(verb)) ? 'write' : 'read';
}
