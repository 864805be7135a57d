/**
 * Reads AppArmorProfile objects of the Security Profiles Operator: lists of what is allowed, of which the operator writes
 * a profile, or the text of a profile itself (the first versions).
 *
 * Sources: security-profiles-operator api/apparmorprofile (v1alpha1: complainMode, v1: mode),
 * internal/pkg/daemon/apparmorprofile/crd2armor/crd2armor.go (the profile that it writes, and what it refuses).
 */
import { type Path, valueAt } from '#kube/objects.ts';
import { type ReadAppArmor, readAppArmor } from './apparmor.ts';
import { isOfOperator } from './read-seccomp.ts';

const PATH = /^(?:\/[a-zA-Z0-9_./*?+@{} -]*|ptrace\s*\([a-zA-Z]+\),(?:\s*#.*)?)$/;
const NAME = /^[a-zA-Z0-9_./-]+$/;

/** What the operator denies in every profile that enforces. */
const DENIED = [
  'deny @{PROC}/* w',
  'deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w',
  'deny @{PROC}/sys/[^k]** w',
  'deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w',
  'deny @{PROC}/sysrq-trigger rwklx',
  'deny @{PROC}/mem rwklx',
  'deny @{PROC}/kmem rwklx',
  'deny @{PROC}/kcore rwklx',
  'deny /sys/firmware/efi/efivars/** rwklx',
];

export function isAppArmorObject(value: unknown): boolean {
  return isOfOperator(value, ['AppArmorProfile']);
}

/** Where an object says that its profile only logs; undefined where it enforces. */
export function complainPathOf(object: unknown): Path | undefined {
  if (valueAt(object, ['spec', 'complainMode']) === true) return ['spec', 'complainMode'];
  return valueAt(object, ['spec', 'mode']) === 'Complain' ? ['spec', 'mode'] : undefined;
}

/** @param lineOf the line of a value; lines are 1 where it does not know */
export function readAppArmorObject(
  object: unknown,
  lineOf: (path: Path) => number | undefined,
): ReadAppArmor {
  const policy = valueAt(object, ['spec', 'policy']);
  if (typeof policy === 'string') {
    // The text is a block: its first line stands behind the line of its key.
    const before = lineOf(['spec', 'policy']) ?? 0;
    return moved(readAppArmor(policy), line => line + before);
  }
  const name = valueAt(object, ['metadata', 'name']);
  const first = lineOf(['spec']) ?? lineOf([]) ?? 1;
  const errors: { line: number; message: string }[] = [];
  const lines: number[] = [first];
  const isComplain = complainPathOf(object) !== undefined;
  const title = typeof name === 'string' && NAME.test(name) ? name : 'profile';
  const text = [
    `profile ${title} flags=(${isComplain ? 'complain' : 'enforce'},attach_disconnected,mediate_deleted) {`,
  ];
  const add = (rule: string, line: number): void => {
    text.push(`${rule},`);
    lines.push(line);
  };
  const words = (path: Path): (readonly [word: string, line: number])[] => {
    const list = valueAt(object, ['spec', 'abstract', ...path]);
    if (list === undefined || list === null) return [];
    const at = (index?: number): number =>
      lineOf(['spec', 'abstract', ...path, ...(index === undefined ? [] : [index])]) ?? first;
    if (!Array.isArray(list)) {
      errors.push({ line: at(), message: `${path.at(-1)} is no list` });
      return [];
    }
    return list.flatMap((word: unknown, index) => {
      if (typeof word === 'string') return [[word, at(index)] as const];
      errors.push({ line: at(index), message: `${path.at(-1)} holds what is no string` });
      return [];
    });
  };
  const paths = (field: Path, allowed: string, denied?: string): void => {
    for (const [path, line] of words(field))
      if (path === '') continue;
      else if (!PATH.test(path))
        errors.push({ line, message: `"${path.slice(0, 40)}" is no path that the operator takes` });
      else if (path.startsWith('ptrace')) add(path.replace(/,.*$/, ''), line);
      else {
        add(`${path} ${allowed}`, line);
        if (denied !== undefined && !isComplain) add(`deny ${path} ${denied}`, line);
      }
  };
  paths(['executable', 'allowedExecutables'], 'ixr');
  paths(['executable', 'allowedLibraries'], 'mr');
  paths(['filesystem', 'readOnlyPaths'], 'r', 'wlk');
  paths(['filesystem', 'writeOnlyPaths'], 'wlk', 'r');
  paths(['filesystem', 'readWritePaths'], 'rwlk');
  const flag = (path: Path): unknown => valueAt(object, ['spec', 'abstract', 'network', ...path]);
  if (flag(['allowRaw']) === true) add('network raw', first);
  else if (flag(['allowRaw']) === false && !isComplain) add('deny network raw', first);
  if (flag(['allowedProtocols', 'allowTcp']) === true) add('network tcp', first);
  if (flag(['allowedProtocols', 'allowUdp']) === true) add('network udp', first);
  for (const [capability, line] of words(['capability', 'allowedCapabilities'])) {
    const lower = capability.trim().toLowerCase();
    if (/^[a-z_]+$/.test(lower)) add(`capability ${lower}`, line);
    else errors.push({ line, message: `"${capability.slice(0, 40)}" is no capability` });
  }
  for (const rule of isComplain ? [] : DENIED) add(rule, first);
  const read = moved(readAppArmor(`${text.join('\n')}\n}`), line => lines[line - 1] ?? first);
  return { ...read, errors: [...errors, ...read.errors] };
}

function moved({ profiles, errors }: ReadAppArmor, to: (line: number) => number): ReadAppArmor {
  return {
    profiles: profiles.map(profile => ({
      ...profile,
      line: to(profile.line),
      rules: profile.rules.map(rule => ({ ...rule, line: to(rule.line) })),
      missing: profile.missing.map(one => ({ ...one, line: to(one.line) })),
    })),
    errors: errors.map(({ line, message }) => ({ line: to(line), message })),
  };
}
