/** Subjects and resources: what each may do to each, and where. */
import { type PolicyRule, ruleAllows } from '#decide/authorization/rules.ts';
import { valueAt } from '#kube/objects.ts';
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
  const known = new Map<readonly PolicyRule[], readonly (Allowed | undefined)[]>();
  const allowedBy = (rules: readonly PolicyRule[]): readonly (Allowed | undefined)[] => {
    let allowed = known.get(rules);
    if (allowed === undefined) {
      allowed = columns.map(column => allowedTo(rules, column));
      known.set(rules, allowed);
    }
    return allowed;
  };
  const rows = new Map<
    string,
    { readonly subject: Principal; readonly cells: MutableCell[]; open: boolean }
  >();
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
        const row = rows.get(keyOf(subject)) ?? { subject, cells: columns.map(emptyCell), open: false };
        rows.set(keyOf(subject), row);
        if (inPart) row.open = true;
        if (rules === undefined) continue;
        allowedBy(rules).forEach((allowed, index) => {
          if (allowed !== undefined) add(row.cells[index]!, home, allowed);
        });
      }
    }
  for (const [name, of] of Object.entries(groups)) {
    const subject: Principal = { kind: 'User', name };
    const row = rows.get(keyOf(subject)) ?? { subject, cells: columns.map(emptyCell), open: false };
    for (const group of new Set(of)) {
      const its = rows.get(keyOf({ kind: 'Group', name: group }));
      if (its === undefined) continue;
      rows.set(keyOf(subject), row);
      if (its.open) row.open = true;
      its.cells.forEach((cell, index) => {
        merge(row.cells[index]!, cell);
      });
    }
  }
  return [...rows.values()].map(({ subject, cells, open }) => ({
    subject,
    cells: cells.map(finished),
    open,
    through: subject.kind === 'User' && Object.hasOwn(groups, subject.name) ? groups[subject.name]! : [],
  }));
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
): Allowed | undefined {
  const asked = { apiGroup: group, resource, subresource, resourceRequest: true, user: {} };
  const verbs = new Set<string>();
  let named = true;
  for (const rule of rules)
    for (const verb of matrixVerbs) {
      const limited = (rule.resourceNames ?? []).length > 0;
      // A rule of names never allows what is asked without one.
      if (limited && subresource === '' && (verb === 'create' || verb === 'deletecollection')) continue;
      if (!ruleAllows(limited ? { ...rule, resourceNames: [] } : rule, { ...asked, verb })) continue;
      verbs.add(verb);
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
