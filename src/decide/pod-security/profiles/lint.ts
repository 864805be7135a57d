/** What is wrong with a seccomp profile, and what it opens beside RuntimeDefault. */
import { dangerOf, isUsable } from './dangers.ts';
import type { Problem } from './read-seccomp.ts';
import { isOpen, type Machine, type Profile, type Rule, reach } from './seccomp.ts';
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
    ...ofDefault(profile),
    ...ofArchitectures(profile, machine),
    ...deadRules(profile),
    ...opened(profile, standard, machine),
  ];
}

function ofDefault({ defaultAction }: Profile): Problem[] {
  if (defaultAction === 'SCMP_ACT_ALLOW')
    return [
      {
        kind: 'default-allow',
        severity: 'high',
        message: 'what no rule names is allowed: a list of what is forbidden is never whole',
      },
    ];
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

function lineOf({ rules }: Profile, name: string): { line?: number } {
  const line = rules.find(rule => rule.names.includes(name) && isOpen(rule.action))?.line;
  return line === undefined ? {} : { line };
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}
