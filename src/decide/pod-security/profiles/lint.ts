/** What is wrong with a seccomp profile, and what it opens beside RuntimeDefault. */
import { nearest } from '#kube/nearest.ts';
import { argumentDangers, dangerOf, isUsable } from './dangers.ts';
import type { Problem } from './read-seccomp.ts';
import { decide, isOpen, type Machine, type Profile, type Rule, reach } from './seccomp.ts';
import { architectureOf, numberOf, syscallNames } from './syscalls.ts';

export interface Difference {
  readonly syscall: string;
  readonly before: ReturnType<typeof reach>;
  readonly after: ReturnType<typeof reach>;
  /** What an attacker does with it, where it is opened and useful with the capabilities. */
  readonly danger?: string;
}

/** Calls that two profiles treat differently, in the order of their names. */
export function differences(before: Profile, after: Profile, machine: Machine): Difference[] {
  return [...syscallNames()].sort().flatMap(syscall => {
    if (numberOf(syscall, machine.architecture) === undefined) return [];
    const left = reach(before, syscall, machine);
    const right = reach(after, syscall, machine);
    if (left === right) return [];
    const danger = dangerOf(syscall);
    const isOpened = right === 'always' || (right === 'sometimes' && left === 'never');
    return {
      syscall,
      before: left,
      after: right,
      ...(isOpened && danger !== undefined && isUsable(danger, machine.capabilities)
        ? { danger: danger.use }
        : {}),
    };
  });
}

export function lintSeccomp(profile: Profile, standard: Profile, machine: Machine): Problem[] {
  return [
    ...ofDefault(profile, standard, machine),
    ...ofArchitectures(profile, machine),
    ...ofFlags(profile),
    ...ofListener(profile),
    ...ofStart(profile, machine),
    ...deadRules(profile),
    ...opened(profile, standard, machine),
    ...openedByArguments(profile, standard, machine),
  ];
}

/** Source: runtime-spec config-linux.md; runc libcontainer/seccomp (getFilterFlag: others end the container). */
const FLAGS = new Set(
  'SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'.split(
    ' ',
  ),
);

function ofFlags({ flags }: Profile): Problem[] {
  return flags.flatMap((flag): Problem[] => {
    if (flag === 'SECCOMP_FILTER_FLAG_SPEC_ALLOW')
      return [
        {
          kind: 'speculation',
          severity: 'low',
          message: `${flag} lets the processor speculate past stores: Spectre 4 is open to the container`,
        },
      ];
    if (FLAGS.has(flag)) return [];
    const meant = nearest(flag, FLAGS);
    return [
      {
        kind: 'unknown-flag',
        severity: 'medium',
        message: `"${flag.slice(0, 60)}" is no flag: the runtime refuses the profile${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      },
    ];
  });
}

/** Source: runc libcontainer/specconv/spec_linux.go and seccomp_linux.go. */
function ofListener({ defaultAction, rules, listenerPath }: Profile): Problem[] {
  const refused = (message: string, line?: number): Problem => ({
    kind: 'notify',
    severity: 'medium',
    message,
    ...(line === undefined ? {} : { line }),
  });
  if (defaultAction === 'SCMP_ACT_NOTIFY')
    return [refused('SCMP_ACT_NOTIFY cannot be the default action: the runtime refuses the profile')];
  const notifying = rules.filter(({ action }) => action === 'SCMP_ACT_NOTIFY');
  const write = notifying.find(({ names }) => names.includes('write'));
  return [
    ...(write === undefined
      ? []
      : [refused('SCMP_ACT_NOTIFY cannot be asked of write: the runtime refuses it', write.line)]),
    ...(notifying.length > 0 && listenerPath === undefined
      ? [
          refused(
            'SCMP_ACT_NOTIFY without a listenerPath: the runtime refuses the profile',
            notifying[0]!.line,
          ),
        ]
      : []),
  ];
}

/** The program itself is started under the filter. */
function ofStart(profile: Profile, machine: Machine): Problem[] {
  return reach(profile, 'execve', machine) === 'never'
    ? [
        {
          kind: 'cannot-start',
          severity: 'low',
          message: 'denies execve: by itself it lets no container start',
        },
      ]
    : [];
}

function ofDefault(profile: Profile, standard: Profile, machine: Machine): Problem[] {
  const { defaultAction } = profile;
  if (defaultAction === 'SCMP_ACT_ALLOW') {
    const left = differences(standard, profile, machine).flatMap(({ syscall, danger }) =>
      danger === undefined ? [] : [syscall],
    );
    return [
      {
        kind: 'default-allow',
        severity: 'high',
        message: `what no rule names is allowed: a list of what is forbidden is never whole${left.length === 0 ? '' : `; it leaves out ${list(left)}`}`,
      },
    ];
  }
  if (defaultAction === 'SCMP_ACT_LOG')
    return [
      {
        kind: 'default-log',
        severity: 'high',
        message: 'what no rule names is only logged: nothing is enforced yet',
      },
    ];
  return [];
}

function ofArchitectures(profile: Profile, { architecture }: Machine): Problem[] {
  const problems: Problem[] = [];
  const listed = [...profile.architectures, ...(profile.architectureMap ?? []).map(map => map.architecture)];
  if (listed.length > 0 && !listed.some(token => architectureOf(token) === architecture))
    problems.push({
      kind: 'wrong-architecture',
      severity: 'medium',
      message: `${architecture} is not listed: only the architecture of the node itself is filtered by these rules`,
    });
  return problems;
}

/** Rules that change nothing, whatever call comes. */
function deadRules({ defaultAction, defaultErrnoRet, rules }: Profile): Problem[] {
  const always = new Map<string, Rule>();
  for (const rule of rules)
    if (rule.args.length === 0 && isEverywhere(rule))
      for (const name of rule.names) if (!always.has(name)) always.set(name, rule);
  return rules.flatMap(rule => {
    const where = rule.line === undefined ? {} : { line: rule.line };
    const dead = (message: string): Problem => ({ kind: 'dead-rule', severity: 'low', message, ...where });
    const problems: Problem[] = [];
    if (rule.action === defaultAction && (rule.errnoRet ?? 1) === (defaultErrnoRet ?? 1))
      problems.push(dead(`the action is the default one (${rule.action}): runtimes leave the rule out`));
    else {
      const shadowed = rule.names.filter(name => always.has(name) && always.get(name) !== rule);
      if (shadowed.length > 0)
        problems.push(
          dead(
            `another rule without conditions already decides ${list(shadowed)}${
              shadowed.some(name => always.get(name)!.action !== rule.action)
                ? ', and differently: it wins'
                : ''
            }`,
          ),
        );
    }
    if (new Set(rule.args.map(({ index }) => index)).size < rule.args.length)
      problems.push({
        kind: 'repeated-argument',
        severity: 'medium',
        message: `one argument has two conditions for ${list(rule.names)}: runc makes a rule of each, so either is enough`,
        ...where,
      });
    return problems;
  });
}

function isEverywhere({ includes, excludes }: Rule): boolean {
  return Object.keys(includes).length === 0 && Object.keys(excludes).length === 0;
}

function opened(profile: Profile, standard: Profile, machine: Machine): Problem[] {
  if (isOpen(profile.defaultAction)) return [];
  const byUse = new Map<string, { readonly names: string[]; readonly severity: 'high' | 'medium' }>();
  for (const { syscall, danger } of differences(standard, profile, machine)) {
    if (danger === undefined) continue;
    const group = byUse.get(danger) ?? { names: [], severity: dangerOf(syscall)!.severity };
    byUse.set(danger, group);
    group.names.push(syscall);
  }
  return [...byUse].map(([use, { names, severity }]) => ({
    kind: 'dangerous-syscall',
    severity,
    message: `allows ${list(names)}, unlike ${standard.name}: ${use}`,
    ...lineOf(profile, names[0]!),
  }));
}

/** Calls that RuntimeDefault lets through with some arguments, and a profile with those that are dangerous. */
function openedByArguments(profile: Profile, standard: Profile, machine: Machine): Problem[] {
  if (isOpen(profile.defaultAction)) return [];
  const isS390 = machine.architecture.startsWith('s390');
  return argumentDangers.flatMap(({ syscall, index, value, name, use, severity, s390 = index }) => {
    if (numberOf(syscall, machine.architecture) === undefined) return [];
    const call = { name: syscall, args: new Map([[isS390 ? s390 : index, value]]) };
    const [usual, here] = [standard, profile].map(one => decide(one, call, machine));
    if (isOpen(usual!.action) || usual!.certainty !== 'sure' || !isOpen(here!.action)) return [];
    return [
      {
        kind: 'dangerous-argument',
        severity,
        message: `allows ${syscall} with ${name}, unlike ${standard.name}: ${use}`,
        ...lineOf(profile, syscall),
      },
    ];
  });
}

function lineOf({ rules }: Profile, name: string): { line?: number } {
  const line = rules.find(rule => rule.names.includes(name) && isOpen(rule.action))?.line;
  return line === undefined ? {} : { line };
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}
