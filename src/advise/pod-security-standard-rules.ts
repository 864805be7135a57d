/**
 * The controls of the Pod Security Standards as expressions of CEL, for policies that say the rest of a level where one
 * of its controls was replaced. Sources: pod-security-admission policy/check_*.go, as this program's own controls.
 */
import type { CustomProfile } from '#decide/pod-security/custom/custom.ts';
import { standardTypes } from '#decide/pod-security/custom/linux.ts';
import { DEFAULT_CAPABILITIES } from '#decide/pod-security/standards/privileges.ts';
import { SAFE_SYSCTLS } from '#decide/pod-security/standards/sysctls.ts';
import { ALLOWED_VOLUMES } from '#decide/pod-security/standards/volumes.ts';
import { type CelRule, every, everyVolume, list, matchesAny } from './pod-security-rules.ts';

/** Older standards asked by other fields; no cluster that knows these policies has them. */
export const OLDEST = 25;

const HAS_USERS = '!object.spec.?hostUsers.orValue(true)';
const WINDOWS = "object.spec.?os.?name.orValue('') == 'windows'";
const context = (field: string) => `c.?securityContext.?${field}`;
const ofPod = (field: string) => `object.spec.?securityContext.?${field}`;

/** One of the controls of a level that a profile does not replace as a whole; none where nothing is left of it. */
export function standardRules(id: string, { spec, minor }: CustomProfile): CelRule[] {
  const rule = (expression: string, message: string): CelRule[] => [{ expression, message }];
  const unlessUsers = (expression: string) => (minor >= 35 ? `${HAS_USERS} || ${expression}` : expression);
  switch (id) {
    case 'privileged':
      return rule(every(`!${context('privileged')}.orValue(false)`), 'privileged containers are not allowed');
    case 'hostNamespaces':
      return (['hostNetwork', 'hostPID', 'hostIPC'] as const)
        .filter(field => spec[field] === undefined)
        .flatMap(field => rule(`!object.spec.?${field}.orValue(false)`, `${field} is not allowed`));
    case 'hostPorts':
      return rule(
        every('c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)'),
        'host ports are not allowed',
      );
    case 'hostPathVolumes':
      return spec.allowedHostPaths === undefined
        ? rule(everyVolume('!has(v.hostPath)'), 'hostPath volumes are not allowed')
        : [];
    case 'restrictedVolumes': {
      const types = [
        ...ALLOWED_VOLUMES,
        ...(spec.allowedHostPaths === undefined ? [] : ['hostPath']),
        ...(spec.allowedFlexVolumes === undefined ? [] : ['flexVolume']),
      ];
      return rule(
        everyVolume(types.map(type => `has(v.${type})`).join(' || ')),
        'volume type is not allowed by level restricted',
      );
    }
    case 'hostProbesAndHostLifecycle': {
      const handlers = [
        'livenessProbe',
        'readinessProbe',
        'startupProbe',
        'lifecycle.?postStart',
        'lifecycle.?preStop',
      ];
      const hosts = handlers.flatMap(one =>
        ['httpGet', 'tcpSocket'].map(kind => `c.?${one}.?${kind}.?host.orValue('') == ''`),
      );
      return rule(every(hosts.join(' && ')), 'probes and hooks must not name a host');
    }
    case 'windowsHostProcess': {
      const field = 'windowsOptions.?hostProcess';
      return rule(
        `!${ofPod(field)}.orValue(false) && ${every(`!${context(field)}.orValue(false)`)}`,
        'host processes are not allowed',
      );
    }
    case 'capabilities_baseline':
      return rule(added([...DEFAULT_CAPABILITIES]), 'only default capabilities may be added');
    case 'capabilities_restricted':
      return [
        ...(spec.requiredDropCapabilities === undefined
          ? rule(
              `${WINDOWS} || ${every(`'ALL' in ${context('capabilities')}.?drop.orValue([])`)}`,
              'containers must drop ALL capabilities',
            )
          : []),
        ...(spec.allowedCapabilities === undefined
          ? rule(`${WINDOWS} || ${added(['NET_BIND_SERVICE'])}`, 'only NET_BIND_SERVICE may be added')
          : []),
      ];
    case 'procMount':
      return rule(unlessUsers(unmasked()), 'procMount must be Default');
    case 'procMount_restricted':
      return rule(unmasked(), 'procMount must be Default');
    case 'runAsNonRoot': {
      const [pod, own] = [ofPod('runAsNonRoot'), context('runAsNonRoot')];
      const all = every(`${own}.orValue(true)`);
      return rule(
        unlessUsers(
          `(${pod}.orValue(true) && ${all} && (${pod}.hasValue() || ${every(`${own}.hasValue()`)}))`,
        ),
        'runAsNonRoot must be true',
      );
    }
    case 'runAsUser':
      return rule(
        unlessUsers(
          `(${ofPod('runAsUser')}.orValue(1) != 0 && ${every(`${context('runAsUser')}.orValue(1) != 0`)})`,
        ),
        'runAsUser must not be 0',
      );
    case 'seLinuxOptions': {
      const kept = (of: (field: string) => string) =>
        `${of('seLinuxOptions')}.?type.orValue('') in ${list(['', ...standardTypes(minor)])}` +
        ` && ${of('seLinuxOptions')}.?user.orValue('') == '' && ${of('seLinuxOptions')}.?role.orValue('') == ''`;
      return rule(`${kept(ofPod)} && ${every(kept(context))}`, 'SELinux options are not allowed');
    }
    case 'allowPrivilegeEscalation':
      return rule(
        `${WINDOWS} || ${every(`!${context('allowPrivilegeEscalation')}.orValue(true)`)}`,
        'allowPrivilegeEscalation must be false',
      );
    case 'sysctls': {
      const safe = Object.entries(SAFE_SYSCTLS).flatMap(([since, names]) =>
        Number(since) <= minor ? names : [],
      );
      const allowed = spec.allowedUnsafeSysctls ?? [];
      const more = allowed.length === 0 ? '' : ` || ${matchesAny('s.name', allowed)}`;
      return rule(
        `${ofPod('sysctls')}.orValue([]).all(s, s.name in ${list(safe)}${more})`,
        'sysctl is not allowed',
      );
    }
    case 'seccompProfile_baseline':
      return rule(confined('seccompProfile'), 'seccomp must not be Unconfined');
    case 'seccompProfile_restricted':
      return rule(
        `${WINDOWS} || (${confined('seccompProfile')} && (${ofPod('seccompProfile')}.hasValue() || ${every(`${context('seccompProfile')}.hasValue()`)}))`,
        'a seccomp profile must be set',
      );
    case 'appArmorProfile': {
      const prefix = 'container.apparmor.security.beta.kubernetes.io/';
      const value = 'object.metadata.annotations[k]';
      return [
        ...rule(confined('appArmorProfile'), 'AppArmor must not be Unconfined'),
        ...rule(
          `!has(object.metadata.annotations) || object.metadata.annotations.all(k, !k.startsWith('${prefix}') || ${value} in ['', 'runtime/default'] || ${value}.startsWith('localhost/'))`,
          'AppArmor must not be Unconfined',
        ),
      ];
    }
    default:
      throw new Error(`no expression for control ${id}`);
  }
}

function added(allowed: readonly string[]): string {
  return every(`${context('capabilities')}.?add.orValue([]).all(a, a in ${list(allowed)})`);
}

function unmasked(): string {
  return every(`${context('procMount')}.orValue('Default') == 'Default'`);
}

/** Whoever states a profile states one that confines. */
function confined(field: string): string {
  const kept = (profile: string) =>
    `(!${profile}.hasValue() || ${profile}.?type.orValue('') in ['RuntimeDefault', 'Localhost'])`;
  return `${kept(ofPod(field))} && ${every(kept(context(field)))}`;
}
