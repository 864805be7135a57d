/**
 * Profiles of a team's own as ValidatingAdmissionPolicies, one with its binding for each, tried with pods around
 * everything that they distinguish: the profiles and the policies must say the same of all of them.
 */
import { ValidatingAdmission } from '#decide/admission/validating.ts';
import {
  type CustomProfile,
  chooseProfile,
  evaluateProfile,
  type FindSeccomp,
} from '#decide/pod-security/custom/custom.ts';
import { OPEN } from '#decide/pod-security/custom/evaluate.ts';
import { withContents } from '#decide/pod-security/custom/linux.ts';
import { withDefaults } from '#decide/pod-security/defaults.ts';
import type { SubmittedPod } from '#decide/pod-security/policy/apply.ts';
import type { Policy } from '#decide/pod-security/policy/policy.ts';
import { accountOf } from '#kube/accounts.ts';
import { decodePod } from '#kube/decode.ts';
import { matchesName } from '#kube/glob.ts';
import type { KubeObject } from '#kube/objects.ts';
import { boundaryPods, type Change } from './pod-security-boundaries.ts';
import { regexOf, rulesOfProfile } from './pod-security-profile-rules.ts';
import { list, text } from './pod-security-rules.ts';
import { OLDEST } from './pod-security-standard-rules.ts';

export interface ExportedProfile {
  readonly profile: string;
  readonly admission: readonly KubeObject[];
  readonly tried: number;
  /** How many of the pods tried keep the profile. */
  readonly kept: number;
  /** Of how many the input does not tell what the profile says: their seccomp profiles are not in it. */
  readonly unknown: number;
  readonly differences: readonly ProfileDifference[];
}

export interface ProfileDifference {
  readonly kind: 'stricter' | 'looser' | 'unknown';
  readonly why: string;
  readonly pods: number;
  readonly example: unknown;
}

/** A profile that no policy could say. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

/**
 * @param profiles in the order in which they are asked
 * @param find the seccomp profiles of the input
 * @throws ExportError for standards that are older than the policies
 */
export function exportProfiles(
  profiles: readonly CustomProfile[],
  find: FindSeccomp = () => undefined,
): ExportedProfile[] {
  for (const { name, version, minor } of profiles)
    if (minor < OLDEST)
      throw new ExportError(
        `profile "${name}" asks for the standards of ${version}: those before v1.${OLDEST} cannot be exported`,
      );
  const admission = profiles.map((profile, i) => admissionOf(profile, profiles.slice(0, i), find));
  const objects = admission.flat();
  return profiles.map((profile, i) => ({
    profile: profile.name,
    admission: admission[i]!,
    ...proofOf(profile, profiles, objects, find),
  }));
}

const RULE = (operation: string, resource: string) => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: [operation],
  resources: [resource],
});

function admissionOf(
  profile: CustomProfile,
  earlier: readonly CustomProfile[],
  find: FindSeccomp,
): KubeObject[] {
  const { name, scope } = profile;
  const policy = `sallyport-${name}`;
  const before = earlier.filter(one => mayOverlap(one, profile)).map(one => `!(${scopeOf(one)})`);
  const applies = [scopeOf(profile), ...before].filter(one => one !== 'true').join(' && ') || 'true';
  const guard = applies === 'true' ? '' : '!variables.applies || ';
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const selector = namespaceSelector(profile);
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: policy, annotations: { 'sallyport/reason': profile.reason } },
      spec: {
        failurePolicy: 'Fail',
        // What a pod may do is fixed when it is made, but for containers added later.
        matchConstraints: {
          resourceRules: [RULE('CREATE', 'pods'), RULE('UPDATE', 'pods/ephemeralcontainers')],
        },
        variables: [
          ...(guard === '' ? [] : [{ name: 'applies', expression: applies }]),
          {
            name: 'containers',
            expression:
              'object.spec.containers + object.spec.?initContainers.orValue([]) + object.spec.?ephemeralContainers.orValue([])',
          },
          { name: 'volumes', expression: 'object.spec.?volumes.orValue([])' },
        ],
        validations: rulesOrNone(profile, find).map(({ expression, message }) => ({
          expression: guard === '' ? expression : `${guard}(${expression})`,
          message: `profile ${name}: ${message}`,
        })),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: policy },
      spec: {
        policyName: policy,
        validationActions: ['Deny'],
        ...(selector === undefined ? {} : { matchResources: { namespaceSelector: selector } }),
      },
    },
  ];

  function namespaceSelector({ scope: { namespaces, namespaceLabels } }: CustomProfile): object | undefined {
    const literal = namespaces !== undefined && !namespaces.some(isPattern);
    if (!literal && namespaceLabels === undefined) return undefined;
    return {
      ...(namespaceLabels === undefined ? {} : { matchLabels: namespaceLabels }),
      ...(literal
        ? {
            matchExpressions: [
              { key: 'kubernetes.io/metadata.name', operator: 'In', values: scope.namespaces },
            ],
          }
        : {}),
    };
  }
}

/** A policy needs at least one rule. */
function rulesOrNone(profile: CustomProfile, find: FindSeccomp): ReturnType<typeof rulesOfProfile> {
  const rules = rulesOfProfile(profile, find);
  return rules.length === 0 ? [{ expression: 'true', message: 'everything is allowed' }] : rules;
}

function isPattern(word: string): boolean {
  return /[*?]/.test(word);
}

/** Whose pods a profile judges, as an expression. */
function scopeOf({ scope }: CustomProfile): string {
  const { namespaces, namespaceLabels, labels, serviceAccounts } = scope;
  const label = (map: string, [key, value]: [string, string]) =>
    `${map}[?${text(key)}].hasValue() && ${map}[?${text(key)}].value() == ${text(value)}`;
  const conditions = [
    ...(namespaces === undefined ? [] : [oneOf('request.namespace', namespaces)]),
    ...Object.entries(namespaceLabels ?? {}).map(one => label('namespaceObject.metadata.?labels', one)),
    ...Object.entries(labels ?? {}).map(one => label('object.metadata.?labels', one)),
    ...(serviceAccounts === undefined
      ? []
      : [oneOf("object.spec.?serviceAccountName.orValue('default')", serviceAccounts)]),
  ].filter(one => one !== 'true');
  return conditions.length === 0 ? 'true' : conditions.join(' && ');
}

function oneOf(value: string, names: readonly string[]): string {
  if (names.includes('*')) return 'true';
  const plain = names.filter(one => !isPattern(one));
  const parts = [
    ...(plain.length > 0 ? [`${value} in ${list(plain)}`] : []),
    ...names.filter(isPattern).map(one => `${value}.matches(${text(regexOf(one))})`),
  ];
  return parts.length === 1 ? parts[0]! : `(${parts.join(' || ')})`;
}

/** Whether a pod could be in both scopes; only where names rule it out, it is said that none could. */
function mayOverlap(a: CustomProfile, b: CustomProfile): boolean {
  return (['namespaces', 'serviceAccounts'] as const).every(field => {
    const [some, others] = [a.scope[field], b.scope[field]];
    if (some === undefined || others === undefined) return true;
    return some.some(one =>
      others.some(other =>
        isPattern(one) && isPattern(other) ? true : matchesName(one, other) || matchesName(other, one),
      ),
    );
  });
}

/** A name that fits a pattern. */
function nameFor(pattern: string): string {
  return pattern.replace(/\*/g, 'x').replace(/\?/g, 'y');
}

interface Wearer {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
}

const OTHER = 'elsewhere';

/** A pod of the profile's scope, and pods that lack one thing of it. */
function wearersOf({ scope }: CustomProfile): Wearer[] {
  const own: Wearer = {
    namespace: namespaceFor(scope.namespaces?.[0], scope.namespaceLabels),
    labels: scope.labels ?? {},
    serviceAccount: nameFor(scope.serviceAccounts?.[0] ?? 'default'),
  };
  const all: Wearer[] = [own];
  for (const one of scope.namespaces?.slice(1) ?? [])
    all.push({ ...own, namespace: namespaceFor(one, scope.namespaceLabels) });
  for (const one of scope.serviceAccounts?.slice(1) ?? []) all.push({ ...own, serviceAccount: nameFor(one) });
  all.push({ ...own, namespace: OTHER }, { ...own, serviceAccount: OTHER });
  if (scope.namespaces !== undefined) all.push({ ...own, namespace: nameFor(scope.namespaces[0]!) });
  for (const key of Object.keys(scope.labels ?? {})) {
    const { [key]: _, ...rest } = own.labels;
    all.push({ ...own, labels: rest }, { ...own, labels: { ...rest, [key]: 'other' } });
  }
  return all;
}

/** Namespaces with labels of their own are told apart by their names. */
function namespaceFor(
  pattern: string | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): string {
  const fixed = labels?.['kubernetes.io/metadata.name'];
  const name = fixed ?? nameFor(pattern ?? 'some');
  return labels === undefined || !(pattern === undefined || isPattern(pattern)) ? name : `${name}-labelled`;
}

function namespacesFor(profiles: readonly CustomProfile[]): KubeObject[] {
  const labels = new Map<string, Record<string, string>>([[OTHER, {}]]);
  for (const profile of profiles) {
    for (const { namespace } of wearersOf(profile)) if (!labels.has(namespace)) labels.set(namespace, {});
    const { namespaces = [undefined], namespaceLabels } = profile.scope;
    for (const one of namespaces)
      Object.assign(labels.get(namespaceFor(one, namespaceLabels)) ?? {}, namespaceLabels);
  }
  return [...labels].map(([name, own]) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { ...own, 'kubernetes.io/metadata.name': name } },
  }));
}

/**
 * Tries pods around everything that a profile distinguishes: the profiles and the policies are to say the same of each.
 *
 * @param objects the policies and bindings of all profiles
 */
export function proofOf(
  profile: CustomProfile,
  profiles: readonly CustomProfile[],
  objects: readonly KubeObject[],
  find: FindSeccomp = () => undefined,
): Omit<ExportedProfile, 'profile' | 'admission'> {
  const engine = new ValidatingAdmission({ objects: [...objects, ...namespacesFor(profiles)] });
  const namespaces = new Map(
    namespacesFor(profiles).map(one => [one.metadata!.name!, one.metadata!.labels ?? {}]),
  );
  const differences = new Map<
    string,
    { -readonly [Key in keyof ProfileDifference]: ProfileDifference[Key] }
  >();
  const counts = { tried: 0, kept: 0, unknown: 0 };
  const compare = (submitted: SubmittedPod, wearer: Wearer) => {
    const pod = withDefaults(decodePod(worn(submitted, wearer)));
    const chosen = chooseProfile(profiles, {
      namespace: wearer.namespace,
      namespaceLabels: namespaces.get(wearer.namespace),
      labels: wearer.labels,
      serviceAccount: accountOf(pod.spec),
    });
    const verdict = chosen.is === 'profile' ? evaluateProfile(chosen.profile, pod, find) : undefined;
    const breach = verdict?.breaches[0];
    counts.tried++;
    if (breach === undefined && (verdict?.unknowns.length ?? 0) > 0) {
      counts.unknown++;
      return;
    }
    if (breach === undefined) counts.kept++;
    const answer = engine.admit({
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: wearer.namespace,
      name: 'pod',
      object: { apiVersion: 'v1', kind: 'Pod', ...pod } as unknown as KubeObject,
    });
    const [kind, why] =
      answer.decision === 'unknown'
        ? (['unknown', answer.unknowns[0]?.message ?? 'not known'] as const)
        : breach === undefined && answer.decision === 'deny'
          ? (['stricter', answer.message] as const)
          : breach !== undefined && answer.decision === 'allow'
            ? (['looser', `${breach.field}: ${breach.detail}`] as const)
            : [];
    if (kind === undefined) return;
    const known = differences.get(`${kind} ${why}`);
    if (known === undefined) differences.set(`${kind} ${why}`, { kind, why, pods: 1, example: pod });
    else known.pods++;
  };
  const [own, ...others] = wearersOf(profile);
  const more = changesOf(profile, find);
  for (const pod of boundaryPods([policyFor(profile)], more, keeping(profile))) compare(pod, own!);
  for (const wearer of others) {
    compare({ spec: { containers: [{ name: 'a', image: 'example.com/x:1' }] } }, wearer);
    compare({ spec: { containers: [{ name: 'a', image: 'example.com/x:1' }], hostPID: true } }, wearer);
  }
  return { ...counts, differences: [...differences.values()] };
}

function worn({ metadata, spec }: SubmittedPod, { labels, serviceAccount, namespace }: Wearer): SubmittedPod {
  return {
    metadata: { ...(metadata as object), namespace, labels },
    spec: { serviceAccountName: serviceAccount, ...(spec as object) },
  };
}

/** The nearest policy, for the pods around what it says. */
function policyFor({ name, spec }: CustomProfile): Policy {
  const ids = (strategy: CustomProfile['spec']['fsGroup']) => ({ rule: 'RunAsAny', ranges: [], ...strategy });
  const { runAsUser, runAsGroup, supplementalGroups, fsGroup, seLinux, runtimeClass, allowedHostPaths } =
    spec;
  return {
    name,
    annotations: new Map(),
    spec: {
      ...OPEN,
      allowedCapabilities: spec.allowedCapabilities ?? [],
      defaultAddCapabilities: spec.defaultAddCapabilities ?? [],
      requiredDropCapabilities: spec.requiredDropCapabilities ?? [],
      allowedFlexVolumes: spec.allowedFlexVolumes ?? [],
      allowedCSIDrivers: spec.allowedCSIDrivers ?? [],
      allowedUnsafeSysctls: spec.allowedUnsafeSysctls ?? [],
      forbiddenSysctls: spec.forbiddenSysctls ?? [],
      hostPorts: spec.hostPorts ?? [],
      allowedHostPaths: (allowedHostPaths ?? []).map(one => ({ readOnly: false, ...one })),
      runAsUser: ids(runAsUser),
      runAsGroup: ids(runAsGroup),
      supplementalGroups: ids(supplementalGroups),
      fsGroup: ids(fsGroup),
      seLinux:
        seLinux?.seLinuxOptions === undefined
          ? { rule: 'RunAsAny' }
          : { rule: 'MustRunAs', seLinuxOptions: seLinux.seLinuxOptions },
      ...(runtimeClass === undefined
        ? {}
        : { runtimeClass: { allowedRuntimeClassNames: [], ...runtimeClass } }),
    },
  };
}

/** What a pod needs to keep everything that a profile demands. */
function keeping({ spec }: CustomProfile): Change {
  const preset = spec.runtimeClass?.defaultRuntimeClassName;
  return {
    pod: {
      ...(spec.userNamespaces === 'required' ? { hostUsers: false } : {}),
      ...(preset === undefined ? {} : { runtimeClassName: preset }),
    },
    podContext: {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      ...(spec.fsGroup?.ranges?.[0] === undefined ? {} : { fsGroup: Number(spec.fsGroup.ranges[0].min) }),
      ...(spec.supplementalGroups?.ranges?.[0] === undefined
        ? {}
        : { supplementalGroups: [Number(spec.supplementalGroups.ranges[0].min)] }),
      ...(spec.seLinux?.seLinuxOptions === undefined ? {} : { seLinuxOptions: spec.seLinux.seLinuxOptions }),
    },
    context: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: {
        drop: ['ALL', ...(spec.requiredDropCapabilities ?? [])],
        add: spec.defaultAddCapabilities ?? [],
      },
      runAsUser: Number(spec.runAsUser?.ranges?.[0]?.max ?? 1000),
      ...(spec.runAsGroup?.ranges?.[0] === undefined
        ? {}
        : { runAsGroup: Number(spec.runAsGroup.ranges[0].min) }),
    },
  };
}

/** What the policies of old did not know, and what the levels ask. */
function changesOf(profile: CustomProfile, given: FindSeccomp): Change[] {
  const { spec, minor } = profile;
  const find = withContents(profile, given);
  const context = (context: object): Change => ({ context: context as Change['context'] & object });
  const podContext = (podContext: object): Change => ({
    podContext: podContext as Change['podContext'] & object,
  });
  const both = (fields: object): Change[] => [context(fields), podContext(fields)];
  const pod = (pod: object): Change => ({ pod: pod as Change['pod'] & object });
  const profileOf = (word: string) =>
    word.startsWith('Localhost/')
      ? { type: 'Localhost', localhostProfile: nameFor(word.slice('Localhost/'.length)) }
      : { type: word };
  const words = (allowed: readonly string[] = []) =>
    [
      'RuntimeDefault',
      'Unconfined',
      'Localhost/other',
      ...allowed.filter(one => one !== '*' && one !== 'Unset'),
    ].map(profileOf);
  const seccomp = [
    ...words(spec.seccomp?.allowed),
    ...[...(find.names?.() ?? [])].map(one => profileOf(`Localhost/${one}`)),
  ];
  const { types = [], users = [], roles = [], levels = [] } = spec.seLinux ?? {};
  const handler = { httpGet: { host: 'example.com', port: 80 } };
  const annotation = (value: string): Change => ({
    metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/changed': value } },
  });
  return [
    ...seccomp.flatMap(seccompProfile => both({ seccompProfile })),
    ...[
      ...words(spec.appArmor?.allowed),
      ...[...(find.appArmorNames?.() ?? [])].map(one => profileOf(`Localhost/${one}`)),
    ].flatMap(appArmorProfile => both({ appArmorProfile })),
    ...['runtime/default', 'unconfined', 'localhost/other', ''].map(annotation),
    ...['', 'spc_t', 'container_t', 'container_engine_t', ...types, ...(find.selinuxTypes?.() ?? [])].flatMap(
      type => both({ seLinuxOptions: { type } }),
    ),
    ...['u', ...users].flatMap(user => both({ seLinuxOptions: { user } })),
    ...['r', ...roles].flatMap(role => both({ seLinuxOptions: { role } })),
    ...['s0:c1,c2', ...levels].flatMap(level => both({ seLinuxOptions: { level } })),
    pod({ hostUsers: false }),
    pod({ hostUsers: true }),
    pod({ os: { name: 'windows' } }),
    pod({ os: { name: 'linux' } }),
    pod({ volumes: [{ name: 'v', image: { reference: 'example.com/x:1' } }] }),
    ...both({ windowsOptions: { hostProcess: true } }),
    ...['ContainerAdministrator', ...(spec.windows?.allowedUserNames ?? [])].flatMap(runAsUserName =>
      both({ windowsOptions: { runAsUserName } }),
    ),
    ...['other', ...(spec.windows?.allowedCredentialSpecs ?? [])].flatMap(gmsaCredentialSpecName =>
      both({ windowsOptions: { gmsaCredentialSpecName } }),
    ),
    { container: { livenessProbe: handler } },
    { container: { lifecycle: { preStop: { tcpSocket: { host: 'example.com', port: 80 } } } } },
    { container: { readinessProbe: { httpGet: { port: 80 } } } },
    ...['ALL', 'CHOWN', 'CAP_SYS_ADMIN', 'sys_admin'].map(one => context({ capabilities: { add: [one] } })),
    context({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
    context({ capabilities: { drop: ['all'] } }),
    podContext({
      sysctls: [{ name: minor >= 29 ? 'net.ipv4.tcp_keepalive_time' : 'net.ipv4.tcp_rmem', value: '1' }],
    }),
  ];
}
