/**
 * What a seccomp profile says to one system call.
 *
 * Sources: runc libcontainer/seccomp/seccomp_linux.go (InitSeccomp, matchCall), patchbpf/enosys_linux.go; libseccomp
 * src/db.c (db_col_rule_add, _db_rule_add): the native architecture is always there, another one that is not listed is
 * killed; a rule whose action is the default one is left out; a rule without conditions wins over those with some,
 * whatever their order, and the first such rule wins; conditions of one rule must all hold, but a rule that names one
 * argument twice becomes one rule per condition; calls that are newer than all that the profile names get ENOSYS.
 */
import { type Architecture, isNamed, isSyscall, numberOf } from './syscalls.ts';

export const ACTIONS = [
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_NOTIFY',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_LOG',
  'SCMP_ACT_ALLOW',
] as const;
export type Action = (typeof ACTIONS)[number];

export const OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  readonly index: number;
  readonly op: Operator;
  /** The mask of MASKED_EQ. */
  readonly value: bigint;
  /** What MASKED_EQ compares with. */
  readonly valueTwo: bigint;
}

/** When a rule of Docker's format is there at all. */
export interface When {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

export interface Rule {
  readonly names: readonly string[];
  readonly action: Action;
  readonly errnoRet?: number;
  readonly args: readonly Condition[];
  readonly includes: When;
  readonly excludes: When;
  /** From 1, in the file. */
  readonly line?: number;
}

export interface Profile {
  readonly name: string;
  readonly defaultAction: Action;
  readonly defaultErrnoRet?: number;
  /** As written; Docker's archMap is told apart by `architectureMap`. */
  readonly architectures: readonly string[];
  readonly architectureMap?: readonly { readonly architecture: string; readonly sub: readonly string[] }[];
  readonly flags: readonly string[];
  /** Who is asked by SCMP_ACT_NOTIFY. */
  readonly listenerPath?: string;
  readonly rules: readonly Rule[];
  /** A base profile that is not in the input: what it allows is unknown. */
  readonly missingBase?: string;
}

export interface Machine {
  readonly architecture: Architecture;
  /** The bounding set of the container: `CAP_SYS_ADMIN`. */
  readonly capabilities: ReadonlySet<string>;
  /** `6.8`. Newer than every condition where absent. */
  readonly kernel?: string;
}

export interface Call {
  readonly name: string;
  /** Only those that are known; a condition on another one is undecided. */
  readonly args: ReadonlyMap<number, bigint>;
}

export interface Decision {
  readonly action: Action;
  readonly errno?: number;
  /** Which rule said so; none for the default. */
  readonly rule?: Rule;
  /** `depends`: the arguments that matter were not given, so this is only what a call without a match gets. */
  readonly certainty: 'sure' | 'depends' | 'unknown';
  readonly reason: string;
}

const EPERM = 1;
const ENOSYS = 38;
const MAX_64 = 0xffff_ffff_ffff_ffffn;

export function isOpen(action: Action): boolean {
  return action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG';
}

/** The rules that are there on a machine, in order, without those that repeat the default. */
export function rulesOn(profile: Profile, machine: Machine): Rule[] {
  return profile.rules.filter(
    rule =>
      holds(rule.includes, machine) &&
      !excluded(rule.excludes, machine) &&
      !(
        rule.action === profile.defaultAction &&
        errnoOf(rule.action, rule.errnoRet) === errnoOf(profile.defaultAction, profile.defaultErrnoRet)
      ),
  );
}

/**
 * @throws RangeError for a name that is no system call
 */
export function decide(profile: Profile, call: Call, machine: Machine): Decision {
  if (!isSyscall(call.name)) throw new RangeError(`${call.name} is no known system call`);
  const number = numberOf(call.name, machine.architecture);
  if (number === undefined)
    return {
      ...result(profile.defaultAction, profile.defaultErrnoRet),
      certainty: 'unknown',
      reason: `${machine.architecture} has no ${call.name}`,
    };
  const base = profile.missingBase;
  const rules = rulesOn(profile, machine).filter(({ names }) => names.includes(call.name));
  const plain = rules.find(({ args }) => args.length === 0);
  if (plain !== undefined) return { ...of(plain), certainty: 'sure', reason: 'a rule without conditions' };
  let undecided: Rule | undefined;
  for (const rule of rules)
    for (const conditions of alternatives(rule)) {
      const answer = matches(conditions, call.args);
      if (answer === true && undecided === undefined)
        return {
          ...of(rule),
          certainty: 'sure',
          reason: `because ${conditions.map(formatCondition).join(' and ')}`,
        };
      if (answer !== false) undecided ??= rule;
    }
  if (base !== undefined)
    return {
      ...result(profile.defaultAction, profile.defaultErrnoRet),
      certainty: 'unknown',
      reason: `the base profile "${base}" is not in the input`,
    };
  const stub = rules.length === 0 && isNewer(profile, number, machine);
  const otherwise = stub
    ? { action: 'SCMP_ACT_ERRNO' as const, errno: ENOSYS }
    : result(profile.defaultAction, profile.defaultErrnoRet);
  if (undecided !== undefined)
    return { ...otherwise, rule: undecided, certainty: 'depends', reason: 'it depends on the arguments' };
  return {
    ...otherwise,
    certainty: 'sure',
    reason: stub ? 'newer than every call that the profile names' : 'no rule matches: the default action',
  };
}

/** Whether some arguments get a call through, and whether all do. */
export function reach(
  profile: Profile,
  name: string,
  machine: Machine,
): 'always' | 'sometimes' | 'never' | 'unknown' {
  const decision = decide(profile, { name, args: new Map() }, machine);
  if (decision.certainty === 'unknown') return 'unknown';
  if (decision.certainty === 'sure') return isOpen(decision.action) ? 'always' : 'never';
  const open = rulesOn(profile, machine).some(rule => rule.names.includes(name) && isOpen(rule.action));
  return open || isOpen(decision.action) ? 'sometimes' : 'never';
}

/** What a rule becomes in libseccomp: sets of conditions, of which one must hold. */
export function alternatives({ args }: Rule): readonly (readonly Condition[])[] {
  const isRepeated = new Set(args.map(({ index }) => index)).size < args.length;
  return isRepeated ? args.map(condition => [condition]) : [args];
}

function matches(conditions: readonly Condition[], args: ReadonlyMap<number, bigint>): boolean | undefined {
  let answer: boolean | undefined = true;
  for (const { index, op, value, valueTwo } of conditions) {
    const given = args.get(index);
    if (given === undefined) answer = undefined;
    else if (!compare(given & MAX_64, op, value, valueTwo)) return false;
  }
  return answer;
}

function compare(given: bigint, op: Operator, value: bigint, valueTwo: bigint): boolean {
  switch (op) {
    case 'SCMP_CMP_NE':
      return given !== value;
    case 'SCMP_CMP_LT':
      return given < value;
    case 'SCMP_CMP_LE':
      return given <= value;
    case 'SCMP_CMP_EQ':
      return given === value;
    case 'SCMP_CMP_GE':
      return given >= value;
    case 'SCMP_CMP_GT':
      return given > value;
    case 'SCMP_CMP_MASKED_EQ':
      return (given & value) === (valueTwo & value);
  }
}

const SIGNS: Readonly<Record<Operator, string>> = {
  SCMP_CMP_NE: '!=',
  SCMP_CMP_LT: '<',
  SCMP_CMP_LE: '<=',
  SCMP_CMP_EQ: '==',
  SCMP_CMP_GE: '>=',
  SCMP_CMP_GT: '>',
  SCMP_CMP_MASKED_EQ: '&',
};

export function formatCondition({ index, op, value, valueTwo }: Condition): string {
  const hex = (number: bigint): string => (number > 9n ? `0x${number.toString(16)}` : String(number));
  return op === 'SCMP_CMP_MASKED_EQ'
    ? `arg${index} & ${hex(value)} == ${hex(valueTwo)}`
    : `arg${index} ${SIGNS[op]} ${hex(value)}`;
}

function of(rule: Rule): Pick<Decision, 'action' | 'errno' | 'rule'> {
  return { ...result(rule.action, rule.errnoRet), rule };
}

function result(action: Action, errnoRet?: number): { action: Action; errno?: number } {
  const errno = errnoOf(action, errnoRet);
  return errno === undefined ? { action } : { action, errno };
}

function errnoOf(action: Action, errnoRet?: number): number | undefined {
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? (errnoRet ?? EPERM) : undefined;
}

/** runc's stub: only where the default denies with an errno other than ENOSYS, or kills. */
function isNewer(profile: Profile, number: number, { architecture }: Machine): boolean {
  const { defaultAction, defaultErrnoRet } = profile;
  if (isOpen(defaultAction) || (defaultAction === 'SCMP_ACT_ERRNO' && defaultErrnoRet === ENOSYS))
    return false;
  let newest = -1;
  for (const { names } of profile.rules)
    for (const name of names) newest = Math.max(newest, numberOf(name, architecture) ?? -1);
  return newest >= 0 && number > newest;
}

function holds({ caps = [], arches, minKernel }: When, machine: Machine): boolean {
  if (arches !== undefined && arches.length > 0 && !isNamed(machine.architecture, arches)) return false;
  if (!caps.every(name => machine.capabilities.has(name))) return false;
  return minKernel === undefined || machine.kernel === undefined || !isOlder(machine.kernel, minKernel);
}

function excluded({ caps = [], arches = [], minKernel }: When, machine: Machine): boolean {
  return (
    caps.some(name => machine.capabilities.has(name)) ||
    isNamed(machine.architecture, arches) ||
    (minKernel !== undefined && (machine.kernel === undefined || !isOlder(machine.kernel, minKernel)))
  );
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = than.split('.').map(Number);
  return major !== otherMajor ? major < otherMajor : minor < otherMinor;
}
