/** What a PodSecurityPolicy demands, as expressions of CEL about a pod that has its defaults. */
import type { Id } from '#decide/pod-security/policy/errors.ts';
import type { IdStrategy, Policy, PolicySpec, Range } from '#decide/pod-security/policy/policy.ts';
import { sourceOf } from '#decide/pod-security/policy/volume-sources.ts';

export interface CelRule {
  readonly expression: string;
  readonly message: string;
}

export const text = (value: string) => JSON.stringify(value);
export const list = (values: readonly string[]) => `[${values.map(text).join(', ')}]`;
const within = (value: string, ranges: readonly Range[]) =>
  ranges.length === 0
    ? 'false'
    : `(${ranges.map(({ min, max }: { min: Id; max: Id }) => `(${value} >= ${min} && ${value} <= ${max})`).join(' || ')})`;
export const every = (condition: string) => `variables.containers.all(c, ${condition})`;
export const everyVolume = (condition: string) => `variables.volumes.all(v, ${condition})`;
export const effective = (field: string) =>
  `c.?securityContext.?${field}.or(object.spec.?securityContext.?${field})`;

/** As of 1.24; see the policy's own rule. */
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];

/**
 * @param options.isCompleted whether the pod is judged as the policy would complete it: what is missing is then what the
 *   policy writes there
 */
export function rulesOf(
  { annotations, spec }: Policy,
  { isCompleted = false }: { readonly isCompleted?: boolean } = {},
): CelRule[] {
  const preset = (kind: 'seccomp.security.alpha' | 'apparmor.security.beta') =>
    annotations.get(`${kind}.kubernetes.io/defaultProfileName`) ?? '';
  return [
    ...hostRules(spec),
    ...containerRules(spec, isCompleted),
    ...idRules(spec, isCompleted),
    ...volumeRules(spec),
    ...selinuxRules(spec.seLinux, isCompleted),
    ...seccompRules(annotations.get('seccomp.security.alpha.kubernetes.io/allowedProfileNames'), {
      preset: preset('seccomp.security.alpha'),
      isCompleted,
    }),
    ...apparmorRules(annotations.get('apparmor.security.beta.kubernetes.io/allowedProfileNames'), {
      preset: preset('apparmor.security.beta'),
      isCompleted,
    }),
    ...sysctlRules(spec),
  ];
}

function hostRules(spec: PolicySpec): CelRule[] {
  const rules: CelRule[] = [];
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
    if (!spec[field])
      rules.push({
        expression: `!object.spec.?${field}.orValue(false)`,
        message: `${field} is not allowed`,
      });
  const port = 'p.?hostPort.orValue(0)';
  rules.push({
    expression: every(`c.?ports.orValue([]).all(p, ${port} == 0 || ${within(port, spec.hostPorts)})`),
    message: 'host port is not allowed',
  });
  const classes = spec.runtimeClass?.allowedRuntimeClassNames;
  const preset = spec.runtimeClass?.defaultRuntimeClassName;
  if (classes !== undefined && !classes.includes('*'))
    rules.push({
      expression:
        preset !== undefined && !classes.includes(preset)
          ? `has(object.spec.runtimeClassName) && object.spec.runtimeClassName in ${list(classes)}`
          : `!has(object.spec.runtimeClassName) || object.spec.runtimeClassName in ${list(classes)}`,
      message: 'runtime class is not allowed',
    });
  return rules;
}

function containerRules(spec: PolicySpec, isCompleted: boolean): CelRule[] {
  const rules: CelRule[] = [];
  const add = (condition: string, message: string) => rules.push({ expression: every(condition), message });
  if (!spec.privileged)
    add('!c.?securityContext.?privileged.orValue(false)', 'privileged containers are not allowed');
  if (!spec.allowPrivilegeEscalation)
    add(
      `!c.?securityContext.?allowPrivilegeEscalation.orValue(${isCompleted ? (spec.defaultAllowPrivilegeEscalation ?? false) : true})`,
      'allowPrivilegeEscalation must be false',
    );
  if (spec.readOnlyRootFilesystem)
    add(
      `c.?securityContext.?readOnlyRootFilesystem.orValue(${isCompleted})`,
      'readOnlyRootFilesystem must be true',
    );
  if (!spec.allowedCapabilities.includes('*')) {
    add(
      `c.?securityContext.?capabilities.?add.orValue([]).all(a, a in ${list([...spec.allowedCapabilities, ...spec.defaultAddCapabilities])})`,
      'capability may not be added',
    );
    // What must be dropped is what the policy writes.
    for (const one of isCompleted ? [] : spec.requiredDropCapabilities)
      add(
        `${text(one)} in c.?securityContext.?capabilities.?drop.orValue([])`,
        `capability ${one} must be dropped`,
      );
  }
  const types = spec.allowedProcMountTypes.length === 0 ? ['Default'] : spec.allowedProcMountTypes;
  add(`c.?securityContext.?procMount.orValue('Default') in ${list(types)}`, 'proc mount type is not allowed');
  return rules;
}

function idRules(spec: PolicySpec, isCompleted: boolean): CelRule[] {
  const rules: CelRule[] = [];
  const user = effective('runAsUser');
  if (spec.runAsUser.rule === 'MustRunAs')
    rules.push({
      expression: every(
        isCompleted
          ? `!${user}.hasValue() || ${within(`${user}.value()`, spec.runAsUser.ranges)}`
          : `${user}.hasValue() && ${within(`${user}.value()`, spec.runAsUser.ranges)}`,
      ),
      message: 'runAsUser must be in the ranges',
    });
  if (spec.runAsUser.rule === 'MustRunAsNonRoot') {
    const nonRoot = effective('runAsNonRoot');
    rules.push({
      expression: every(
        `${nonRoot}.orValue(true) && ${user}.orValue(1) != 0${isCompleted ? '' : ` && (${nonRoot}.hasValue() || ${user}.hasValue())`}`,
      ),
      message: 'must not run as root',
    });
  }
  const ofGroups = (strategy: IdStrategy | undefined, expression: (ranges: readonly Range[]) => string) => {
    if (strategy?.rule === 'MustRunAs' || strategy?.rule === 'MayRunAs') return expression(strategy.ranges);
    return undefined;
  };
  const push = (expression: string | undefined, message: string) => {
    if (expression !== undefined) rules.push({ expression, message });
  };
  const absent = (strategy: IdStrategy | undefined) =>
    strategy?.rule === 'MustRunAs' && !isCompleted ? ['hasValue() &&', ''] : ['hasValue() ||', '!'];
  const optional = (value: string, strategy: IdStrategy | undefined, condition: string) => {
    const [link, not] = absent(strategy) as [string, string];
    return `(${not}${value}.${link} ${condition})`;
  };
  const group = effective('runAsGroup');
  push(
    ofGroups(spec.runAsGroup, ranges =>
      every(optional(group, spec.runAsGroup, within(`${group}.value()`, ranges))),
    ),
    'runAsGroup must be in the ranges',
  );
  const fsGroup = 'object.spec.?securityContext.?fsGroup';
  push(
    ofGroups(spec.fsGroup, ranges => optional(fsGroup, spec.fsGroup, within(`${fsGroup}.value()`, ranges))),
    'fsGroup must be in the ranges',
  );
  const groups = 'object.spec.?securityContext.?supplementalGroups.orValue([])';
  const needed = isCompleted
    ? '(!object.spec.?securityContext.?supplementalGroups.hasValue() || size(object.spec.securityContext.supplementalGroups) > 0) && '
    : `size(${groups}) > 0 && `;
  push(
    ofGroups(
      spec.supplementalGroups,
      ranges =>
        `${spec.supplementalGroups.rule === 'MustRunAs' ? needed : ''}${groups}.all(g, ${within('g', ranges)})`,
    ),
    'supplementalGroups must be in the ranges',
  );
  return rules;
}

const TOKEN_ONLY = [
  'has(v.projected) && v.projected.?sources.orValue([]).all(s,',
  '(has(s.serviceAccountToken) || has(s.configMap) || has(s.downwardAPI))',
  "&& (!has(s.serviceAccountToken) || (s.serviceAccountToken.path == 'token' && s.serviceAccountToken.?audience.orValue('') == ''))",
  "&& (!has(s.configMap) || s.configMap.?name.orValue('') == 'kube-root-ca.crt')",
  "&& (!has(s.downwardAPI) || s.downwardAPI.?items.orValue([]).all(i, i.path == 'namespace' && has(i.fieldRef) && i.fieldRef.fieldPath == 'metadata.namespace' && i.fieldRef.?apiVersion.orValue('v1') == 'v1')))",
].join(' ');

function volumeRules(spec: PolicySpec): CelRule[] {
  const rules: CelRule[] = [];
  if (!spec.volumes.includes('*')) {
    const kinds = spec.volumes.flatMap(type => {
      const source = sourceOf(type);
      return source === undefined ? [] : [`has(v.${source})`];
    });
    const allowed = [...kinds, ...(spec.volumes.includes('secret') ? [`(${TOKEN_ONLY})`] : [])];
    rules.push({
      expression: everyVolume(allowed.length === 0 ? 'false' : allowed.join(' || ')),
      message: 'volume type is not allowed',
    });
  }
  if (spec.allowedHostPaths.length > 0) {
    const prefixes = spec.allowedHostPaths.map(({ pathPrefix, readOnly }) => {
      const prefix = pathPrefix.endsWith('/') ? pathPrefix.slice(0, -1) : pathPrefix;
      const same = prefix.endsWith('/') ? [] : [`v.hostPath.path == ${text(prefix)}`];
      return {
        readOnly,
        condition: `(${[...same, `v.hostPath.path.startsWith(${text(`${prefix}/`)})`].join(' || ')})`,
      };
    });
    const any = (some: typeof prefixes) => some.map(({ condition }) => condition).join(' || ');
    const writable = prefixes.filter(({ readOnly }) => !readOnly);
    const readOnly = prefixes.filter(one => one.readOnly);
    const mounts =
      'variables.containers.all(c, c.?volumeMounts.orValue([]).all(m, m.name != v.name || m.?readOnly.orValue(false)))';
    const conditions = [
      ...(writable.length > 0 ? [any(writable)] : []),
      ...(readOnly.length > 0 ? [`((${any(readOnly)}) && ${mounts})`] : []),
    ];
    rules.push({
      expression: everyVolume(`!has(v.hostPath) || ${conditions.join(' || ')}`),
      message: 'host path is not allowed, or must be mounted read-only',
    });
  }
  const drivers = (field: string, names: readonly string[]) => {
    if (names.length > 0)
      rules.push({
        expression: everyVolume(`!has(v.${field}) || v.${field}.driver in ${list(names)}`),
        message: `${field} driver is not allowed`,
      });
  };
  drivers(
    'flexVolume',
    spec.allowedFlexVolumes.map(({ driver }) => driver),
  );
  drivers(
    'csi',
    spec.allowedCSIDrivers.map(({ name }) => name),
  );
  return rules;
}

function selinuxRules({ rule, seLinuxOptions }: PolicySpec['seLinux'], isCompleted: boolean): CelRule[] {
  if (rule !== 'MustRunAs') return [];
  const { user = '', role = '', type = '', level = '' } = seLinuxOptions ?? {};
  const matches = (options: string) => {
    const part = (name: string) => `${options}.?${name}.orValue('')`;
    const exact = (
      [
        ['user', user],
        ['role', role],
        ['type', type],
      ] as const
    ).map(([name, value]) => `${part(name)} == ${text(value)}`);
    const own = part('level');
    const colon = level.indexOf(':');
    const categories = level.slice(colon + 1).split(',');
    const given = `${own}.substring(${colon + 1}).split(',')`;
    const sameLevel =
      colon < 0
        ? `${own} == ${text(level)}`
        : `(${own}.startsWith(${text(level.slice(0, colon + 1))}) && size(${given}) == ${categories.length} && ${given}.all(x, ${given}.filter(y, y == x).size() == ${list(categories)}.filter(y, y == x).size()))`;
    return [...exact, sameLevel].join(' && ');
  };
  return [
    {
      expression: `${isCompleted ? '!object.spec.?securityContext.?seLinuxOptions.hasValue() || ' : ''}(${matches('object.spec.?securityContext.?seLinuxOptions')})`,
      message: 'SELinux options of the pod must be those demanded',
    },
    {
      expression: every(
        `!has(c.securityContext) || !has(c.securityContext.seLinuxOptions) || (${matches('c.?securityContext.?seLinuxOptions')})`,
      ),
      message: 'SELinux options of the container must be those demanded',
    },
  ];
}

/** What a policy writes where no profile is stated (empty for nothing), and whether it did. */
interface Preset {
  readonly preset: string;
  readonly isCompleted: boolean;
}

function profileConditions(value: string, names: readonly string[], { preset, isCompleted }: Preset): string {
  const has = (name: string) =>
    names.includes(name) || (isRuntimeDefault(name) && names.some(isRuntimeDefault));
  // A preset that the policy itself does not allow lets nobody pass who states nothing.
  const none = isCompleted ? has(preset) : names.includes('') && (preset === '' || has(preset));
  const local = names.flatMap(name =>
    name.startsWith('localhost/') ? [name.slice('localhost/'.length)] : [],
  );
  const type = `${value}.?type.orValue('')`;
  const conditions = [
    ...(none ? [`!${value}.hasValue()`] : []),
    ...(names.some(isRuntimeDefault) ? [`${type} == 'RuntimeDefault'`] : []),
    ...(names.includes('unconfined') ? [`${type} == 'Unconfined'`] : []),
    ...(local.length > 0
      ? [`(${type} == 'Localhost' && ${value}.?localhostProfile.orValue('') in ${list(local)})`]
      : []),
  ];
  return conditions.length === 0 ? 'false' : `(${conditions.join(' || ')})`;
}

const isRuntimeDefault = (name: string) => name === 'runtime/default' || name === 'docker/default';

function seccompRules(allowed: string | undefined, preset: Preset): CelRule[] {
  const names = allowed === undefined ? [''] : allowed.split(',');
  if (names.includes('*')) return [];
  const message = 'seccomp profile is not allowed';
  return [
    { expression: profileConditions('object.spec.?securityContext.?seccompProfile', names, preset), message },
    { expression: every(profileConditions(effective('seccompProfile'), names, preset)), message },
  ];
}

function apparmorRules(allowed: string | undefined, preset: Preset): CelRule[] {
  if (allowed === undefined) return [];
  // An empty name lets nothing pass: to the policy no profile at all is one that must be set.
  const names = allowed.split(',').filter(name => name !== '');
  const annotation =
    "object.metadata.?annotations[?'container.apparmor.security.beta.kubernetes.io/' + c.name]";
  return [
    {
      expression: every(
        `${annotation}.orValue('') != '' ? ${annotation}.value() in ${list(names)} : ${profileConditions(effective('appArmorProfile'), names, preset)}`,
      ),
      message: 'AppArmor profile is not allowed',
    },
  ];
}

/** Whether a text is one of the patterns: a `*` at the end stands for any rest. */
export function matchesAny(value: string, patterns: readonly string[]): string {
  if (patterns.length === 0) return 'false';
  const one = (pattern: string) =>
    pattern.endsWith('*')
      ? `${value}.startsWith(${text(pattern.slice(0, -1))})`
      : `${value} == ${text(pattern)}`;
  return `(${patterns.map(one).join(' || ')})`;
}

function sysctlRules({ forbiddenSysctls, allowedUnsafeSysctls }: PolicySpec): CelRule[] {
  const matches = (patterns: readonly string[]) => matchesAny('s.name', patterns);
  return [
    {
      expression: `object.spec.?securityContext.?sysctls.orValue([]).all(s, !${matches(forbiddenSysctls)} && (s.name in ${list(SAFE_SYSCTLS)} || ${matches(allowedUnsafeSysctls)}))`,
      message: 'sysctl is not allowed',
    },
  ];
}
