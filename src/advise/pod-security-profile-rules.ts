/** What a profile of a team's own demands, as expressions of CEL about a pod that has its defaults. */
import type { CustomProfile, FieldName, FindSeccomp } from '#decide/pod-security/custom/custom.ts';
import { OPEN, policyOfField } from '#decide/pod-security/custom/evaluate.ts';
import { controlsLeft, isOfLinux } from '#decide/pod-security/custom/level.ts';
import {
  allowsAccess,
  capabilitiesAskedBy,
  reachWith,
  standardTypes,
  typeAllows,
  USUAL_CAPABILITIES,
  withContents,
} from '#decide/pod-security/custom/linux.ts';
import type { PolicySpec } from '#decide/pod-security/policy/policy.ts';
import { runtimeAllows } from '#decide/pod-security/profiles/apparmor-default.ts';
import { runtimeDefault } from '#decide/pod-security/profiles/runtime-default.ts';
import type { Profile as SeccompProfile } from '#decide/pod-security/profiles/seccomp.ts';
import { CONTAINER_TYPES } from '#decide/pod-security/profiles/selinux.ts';
import { type CelRule, effective, every, everyVolume, list, rulesOf, text } from './pod-security-rules.ts';
import { standardRules } from './pod-security-standard-rules.ts';

const SECCOMP_OPEN: ReadonlyMap<string, string> = new Map([
  ['seccomp.security.alpha.kubernetes.io/allowedProfileNames', '*'],
]);
const asked = (spec: PolicySpec) => rulesOf({ name: '', annotations: SECCOMP_OPEN, spec });
const NOTHING = new Set(asked(OPEN).map(({ expression }) => expression));

export function rulesOfProfile(profile: CustomProfile, given: FindSeccomp): CelRule[] {
  const { spec } = profile;
  const find = withContents(profile, given);
  const own = (Object.keys(spec) as FieldName[]).flatMap(field =>
    rulesOfField(field, profile, find).map(({ expression, message }) => ({
      expression: isOfLinux(field, spec)
        ? `object.spec.?os.?name.orValue('') == 'windows' || (${expression})`
        : expression,
      message: `${field}: ${message}`,
    })),
  );
  const level = controlsLeft(profile).flatMap(({ control }) =>
    standardRules(control.id, profile).map(({ expression, message }) => ({
      expression,
      message: `${profile.extends}: ${message}`,
    })),
  );
  return [...level, ...own];
}

function rulesOfField(field: FieldName, profile: CustomProfile, find: FindSeccomp): CelRule[] {
  const { spec } = profile;
  const rule = (expression: string, message: string): CelRule[] => [{ expression, message }];
  const capabilities = (of: string) => `c.?securityContext.?capabilities.?${of}.orValue([])`;
  switch (field) {
    // What a policy would have written must stand there.
    case 'requiredDropCapabilities':
      return spec.requiredDropCapabilities!.flatMap(one =>
        rule(every(`${text(one)} in ${capabilities('drop')}`), `${one} must be dropped`),
      );
    case 'defaultAddCapabilities':
      return spec.defaultAddCapabilities!.flatMap(one =>
        rule(
          every(`${text(one)} in ${capabilities('add')} || ${text(one)} in ${capabilities('drop')}`),
          `${one} must be added, or dropped`,
        ),
      );
    case 'defaultAllowPrivilegeEscalation':
      return rule(
        every('c.?securityContext.?allowPrivilegeEscalation.hasValue()'),
        'allowPrivilegeEscalation must be stated',
      );
    case 'runtimeClass': {
      const { allowedRuntimeClassNames: names, defaultRuntimeClassName: preset } = spec.runtimeClass!;
      return [
        ...(preset === undefined
          ? []
          : rule('has(object.spec.runtimeClassName)', 'a runtime class must be stated')),
        ...(names === undefined ? [] : byPolicy(field, profile)),
      ];
    }
    case 'allowedHostPaths':
      return spec.allowedHostPaths!.length === 0
        ? rule(everyVolume('!has(v.hostPath)'), 'host path is not allowed')
        : byPolicy(field, profile);
    case 'allowedFlexVolumes':
      return spec.allowedFlexVolumes!.length === 0
        ? rule(everyVolume('!has(v.flexVolume)'), 'flexVolume driver is not allowed')
        : byPolicy(field, profile);
    case 'allowedCSIDrivers':
      return spec.allowedCSIDrivers!.length === 0
        ? rule(everyVolume('!has(v.csi)'), 'csi driver is not allowed')
        : byPolicy(field, profile);
    case 'seLinux':
      return [
        ...(spec.seLinux!.rule === 'MayRunAs' ? labelRules(profile) : byPolicy(field, profile)),
        ...(spec.seLinux!.forbiddenAccess === undefined
          ? []
          : rule(
              every(isOfType(spec.seLinux!.forbiddenAccess, find)),
              `type may allow ${spec.seLinux!.forbiddenAccess.join(', ')}`,
            )),
      ];
    case 'seccomp': {
      const { allowed, forbiddenCalls } = spec.seccomp!;
      return [
        ...(allowed === undefined
          ? []
          : rule(every(isAllowed(wordOf(effective('seccompProfile')), allowed)), 'profile is not allowed')),
        ...(forbiddenCalls === undefined
          ? []
          : rule(
              every(isClosed(forbiddenCalls, find)),
              `profile may let ${forbiddenCalls.join(', ')} through`,
            )),
      ];
    }
    case 'appArmor': {
      const { allowed, forbiddenAccess } = spec.appArmor!;
      return [
        ...(allowed === undefined
          ? []
          : rule(every(isAllowed(appArmorWord(), allowed)), 'profile is not allowed')),
        ...(forbiddenAccess === undefined
          ? []
          : rule(every(denies(forbiddenAccess, find)), `profile may allow ${forbiddenAccess.join(', ')}`)),
      ];
    }
    case 'userNamespaces':
      return spec.userNamespaces === 'required'
        ? rule('!object.spec.?hostUsers.orValue(true)', 'hostUsers must be false')
        : rule('object.spec.?hostUsers.orValue(true)', 'hostUsers must not be false');
    case 'windows':
      return windowsRules(profile);
    default:
      return byPolicy(field, profile);
  }
}

function byPolicy(field: FieldName, { spec }: CustomProfile): CelRule[] {
  const policy = policyOfField(field, spec);
  return policy === undefined ? [] : asked(policy).filter(({ expression }) => !NOTHING.has(expression));
}

/** `RuntimeDefault`, `Localhost/NAME` or `Unset`, of a field that may not be there. */
function wordOf(profile: string): string {
  const type = `${profile}.?type.orValue('')`;
  return `(${type} == 'Localhost' ? 'Localhost/' + ${profile}.?localhostProfile.orValue('') : (${type} == '' ? 'Unset' : ${type}))`;
}

function appArmorWord(): string {
  const field = effective('appArmorProfile');
  const annotation =
    "object.metadata.?annotations[?'container.apparmor.security.beta.kubernetes.io/' + c.name]";
  const value = `${annotation}.orValue('')`;
  const old = [
    `(${value} == '' ? 'Unset'`,
    `(${value} == 'runtime/default' ? 'RuntimeDefault'`,
    `(${value} == 'unconfined' ? 'Unconfined'`,
    `(${value}.startsWith('localhost/') ? 'Localhost/' + ${value}.substring(10) : ${value}))))`,
  ].join(' : ');
  return `(${field}.hasValue() ? ${wordOf(field)} : ${old})`;
}

function isAllowed(word: string, allowed: readonly string[]): string {
  if (allowed.includes('*')) return 'true';
  const plain = allowed.filter(one => !isPattern(one));
  const patterns = allowed.filter(isPattern);
  return [
    ...(plain.length > 0 ? [`${word} in ${list(plain)}`] : []),
    ...patterns.map(one => `${word}.matches(${text(regexOf(one))})`),
  ].join(' || ');
}

function isPattern(word: string): boolean {
  return /[*?]/.test(word);
}

/** A pattern of `*`, `?` and letters as a regular expression of RE2. */
export function regexOf(pattern: string): string {
  const body = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return `^(?s:${body})$`;
}

/**
 * No expression can read a profile of the node, so it is read here: the profiles that keep the calls shut are named,
 * with the capabilities that would open them.
 */
function isClosed(calls: readonly string[], find: FindSeccomp): string {
  const word = wordOf(effective('seccompProfile'));
  const closed = [['RuntimeDefault', runtimeDefault('RuntimeDefault')] as const, ...named(find)].flatMap(
    ([name, profile]) => {
      const opening = profile === undefined ? undefined : openedBy(profile, calls);
      return opening === undefined
        ? []
        : [
            opening.length === 0
              ? `${word} == ${text(name)}`
              : `(${word} == ${text(name)} && !c.?securityContext.?capabilities.?add.orValue([]).exists(a, a.upperAscii() in ${list(
                  opening.flatMap(one => [one, `CAP_${one}`]),
                )}))`,
          ];
    },
  );
  return `!c.?securityContext.?privileged.orValue(false) && (${closed.length === 0 ? 'false' : closed.join(' || ')})`;
}

/** As for seccomp: the profiles whose content denies the accesses are named. */
function denies(accesses: readonly string[], find: FindSeccomp): string {
  const names = [...(find.appArmorNames?.() ?? [])].filter(name => {
    const profile = find.appArmor?.(name);
    return profile !== undefined && accesses.every(one => allowsAccess(profile, one) === 'denied');
  });
  const parts = [
    ...(names.length === 0 ? [] : [`${appArmorWord()} in ${list(names.map(name => `Localhost/${name}`))}`]),
    ...(accesses.every(one => runtimeAllows(one) === 'denied')
      ? [
          `(${appArmorWord()} in ['RuntimeDefault', 'Unset'] && !c.?securityContext.?privileged.orValue(false))`,
        ]
      : []),
  ];
  return parts.length === 0 ? 'false' : parts.join(' || ');
}

/** As for the others: the types whose content denies the accesses are named. */
function isOfType(accesses: readonly string[], find: FindSeccomp): string {
  const types = [...CONTAINER_TYPES, ...(find.selinuxTypes?.() ?? [])].filter(type =>
    accesses.every(one => typeAllows(type, one, find).answer === 'denied'),
  );
  // Options of a container stand in place of the pod's, all at once, where they say anything.
  const own = 'c.?securityContext.?seLinuxOptions';
  const isStated = ['user', 'role', 'type', 'level']
    .map(part => `${own}.?${part}.orValue('') != ''`)
    .join(' || ');
  const type = `(${isStated} ? ${own}.?type.orValue('') : object.spec.?securityContext.?seLinuxOptions.?type.orValue(''))`;
  return `!c.?securityContext.?privileged.orValue(false) && ${type} in ${list(['', ...new Set(types)])}`;
}

function named(find: FindSeccomp): (readonly [string, SeccompProfile])[] {
  return [...(find.names?.() ?? [])].flatMap(name => {
    const profile = find(name);
    return profile === undefined ? [] : [[`Localhost/${name}`, profile] as const];
  });
}

/** The capabilities with which a profile lets one of the calls through; undefined where it may do so anyway. */
function openedBy(profile: SeccompProfile, calls: readonly string[]): readonly string[] | undefined {
  const isShut = (held: readonly string[]) => calls.every(call => reachWith(profile, call, held) === 'never');
  const asked = capabilitiesAskedBy(profile);
  const opening = asked.filter(one => !isShut([...USUAL_CAPABILITIES, one]));
  // A rule may hold only without a capability, or only with several.
  const others = [
    [],
    ...asked.map(one => USUAL_CAPABILITIES.filter(usual => usual !== one)),
    [...USUAL_CAPABILITIES, ...asked.filter(one => !opening.includes(one))],
  ];
  if (!isShut(USUAL_CAPABILITIES) || !others.every(isShut)) return undefined;
  return opening.length === 0 ? [] : [...opening, 'ALL'];
}

function labelRules({ spec, minor }: CustomProfile): CelRule[] {
  const { types = standardTypes(minor), users = [], roles = [], levels } = spec.seLinux!;
  const kept = (options: string) =>
    (
      [
        ['type', types],
        ['user', users],
        ['role', roles],
        ...(levels === undefined ? [] : [['level', levels] as const]),
      ] as const
    )
      .map(([part, allowed]) => `${options}.?${part}.orValue('') in ${list(['', ...allowed])}`)
      .join(' && ');
  return [
    {
      expression: `${kept('object.spec.?securityContext.?seLinuxOptions')} && ${every(kept('c.?securityContext.?seLinuxOptions'))}`,
      message: 'SELinux options are not allowed',
    },
  ];
}

function windowsRules({ spec }: CustomProfile): CelRule[] {
  const { hostProcess, allowedUserNames, allowedCredentialSpecs } = spec.windows!;
  const both = (condition: (options: string) => string) =>
    `${condition('object.spec.?securityContext.?windowsOptions')} && ${every(condition('c.?securityContext.?windowsOptions'))}`;
  const oneOf = (field: string, names: readonly string[]) =>
    both(options => `(!${options}.?${field}.hasValue() || ${options}.?${field}.value() in ${list(names)})`);
  return [
    ...(hostProcess === false
      ? [
          {
            expression: both(options => `!${options}.?hostProcess.orValue(false)`),
            message: 'host processes are not allowed',
          },
        ]
      : []),
    ...(allowedUserNames === undefined
      ? []
      : [{ expression: oneOf('runAsUserName', allowedUserNames), message: 'runAsUserName is not allowed' }]),
    ...(allowedCredentialSpecs === undefined
      ? []
      : [
          {
            expression: oneOf('gmsaCredentialSpecName', allowedCredentialSpecs),
            message: 'credential spec is not allowed',
          },
        ]),
  ];
}
