/** Pods on either side of everything that policies distinguish: one change to a plain pod, and every two together. */
import type { SubmittedPod } from '#decide/pod-security/policy/apply.ts';
import type { IdStrategy, Policy } from '#decide/pod-security/policy/policy.ts';
import { APPARMOR_CONTAINER, seccompField } from '#decide/pod-security/policy/profiles.ts';

type Fields = Readonly<Record<string, unknown>>;
export interface Change {
  readonly metadata?: Fields;
  readonly pod?: Fields;
  readonly podContext?: Fields;
  readonly container?: Fields;
  readonly context?: Fields;
}

/** Enough for every pair of the changes of most policies; beyond that, pairs at even distances. */
const MOST = 6000;

/**
 * @param more changes that the policies do not know of
 * @param base what a pod needs to be let in at all: every change is made to such a pod too
 * @param most how many pairs of changes at the most
 */
export function* boundaryPods(
  policies: readonly Policy[],
  more: readonly Change[] = [],
  base?: Change,
  most = MOST,
): Generator<SubmittedPod> {
  const changes = [{}, ...policies.flatMap(changesFor), ...more];
  const distinct = [...new Map(changes.map(one => [keyOf(one), one] as const)).values()];
  for (const one of distinct)
    for (const role of ['containers', 'initContainers'] as const) {
      yield podOf([one], role);
      if (base !== undefined) yield podOf([base, one], role, base.context);
    }
  const pairs = (distinct.length * (distinct.length - 1)) / 2;
  const step = Math.max(1, Math.ceil(pairs / most));
  let at = 0;
  for (let i = 1; i < distinct.length; i++)
    for (let j = 0; j < i; j++)
      if (at++ % step === 0) yield podOf([distinct[j]!, distinct[i]!], 'containers');
}

function keyOf(change: Change): string {
  return JSON.stringify(change, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

function podOf(
  changes: readonly Change[],
  role: 'containers' | 'initContainers',
  ofPlain?: Fields,
): SubmittedPod {
  const merged = (part: keyof Change): Fields =>
    Object.assign({}, ...changes.map(one => one[part] ?? {})) as Fields;
  const pod = merged('pod');
  const ports = merged('container')['ports'] as readonly Fields[] | undefined;
  const changed = {
    name: 'changed',
    image: 'example.com/x:1',
    ...merged('container'),
    // As the API server defaults it before anyone is asked.
    ...(ports !== undefined && pod['hostNetwork'] === true
      ? { ports: ports.map(port => ({ ...port, hostPort: port['hostPort'] ?? port['containerPort'] })) }
      : {}),
    securityContext: merged('context'),
  };
  const plain = {
    name: 'plain',
    image: 'example.com/x:1',
    ...(ofPlain === undefined ? {} : { securityContext: ofPlain }),
  };
  return {
    metadata: { name: 'pod', ...merged('metadata') },
    spec: {
      ...pod,
      securityContext: merged('podContext'),
      ...(role === 'containers'
        ? { containers: [changed] }
        : { initContainers: [changed], containers: [plain] }),
    },
  };
}

function idsAround(strategy: IdStrategy | undefined): number[] {
  const around = (strategy?.ranges ?? []).flatMap(({ min, max }) => [
    Number(min) - 1,
    Number(min),
    Number(max),
    Number(max) + 1,
  ]);
  return [...new Set([0, 1000, ...around])].filter(id => id >= 0 && id <= 2147483647);
}

function changesFor({ annotations, spec }: Policy): Change[] {
  const profiles = [
    'runtime/default',
    'unconfined',
    'localhost/other.json',
    ...(annotations.get('seccomp.security.alpha.kubernetes.io/allowedProfileNames') ?? '').split(','),
  ].flatMap(name => seccompField(name) ?? []);
  const options = spec.seLinux.seLinuxOptions ?? {};
  const labels = [
    options,
    { ...options, level: 's0:c9,c8' },
    { ...options, type: 'spc_t' },
    { ...options, role: 'x' },
  ];
  const capabilities = [
    ...spec.allowedCapabilities,
    ...spec.defaultAddCapabilities,
    'SYS_ADMIN',
    'NET_BIND_SERVICE',
  ].filter(one => one !== '*');
  const drops = [...spec.requiredDropCapabilities, 'ALL'];
  const paths = [
    '/',
    '/etc',
    ...spec.allowedHostPaths.flatMap(({ pathPrefix: one }) => [one, `${one}/x`, `${one}x`]),
  ];
  const sysctls = [
    'kernel.shm_rmid_forced',
    'net.core.somaxconn',
    ...[...spec.allowedUnsafeSysctls, ...spec.forbiddenSysctls].map(one => one.replace(/\*$/, 'x')),
  ];
  const ports = [
    8080,
    ...spec.hostPorts.flatMap(({ min, max }) => [Number(min) - 1, Number(min), Number(max), Number(max) + 1]),
  ].filter(port => port > 0 && port < 65536);
  const volume = (source: Fields): Change => ({ pod: { volumes: [{ name: 'v', ...source }] } });
  const context = (context: Fields): Change => ({ context });
  const podContext = (podContext: Fields): Change => ({ podContext });
  const apparmor = annotations.get('apparmor.security.beta.kubernetes.io/allowedProfileNames');
  const confined =
    apparmor === undefined && !annotations.has('apparmor.security.beta.kubernetes.io/defaultProfileName')
      ? []
      : ['runtime/default', 'unconfined', 'localhost/other', '', ...(apparmor ?? '').split(',')];
  return [
    ...[...new Set(confined)].map(profile => ({
      metadata: { annotations: { [`${APPARMOR_CONTAINER}changed`]: profile } },
    })),
    ...(['hostNetwork', 'hostPID', 'hostIPC'] as const).map(field => ({ pod: { [field]: true } })),
    ...ports.map(port => ({ container: { ports: [{ containerPort: port, hostPort: port }] } })),
    { container: { ports: [{ containerPort: 8080 }] } },
    ...['kata', ...(spec.runtimeClass?.allowedRuntimeClassNames ?? [])].map(runtimeClassName => ({
      pod: { runtimeClassName },
    })),
    context({ privileged: true }),
    ...[true, false].flatMap(value => [
      context({ allowPrivilegeEscalation: value }),
      context({ readOnlyRootFilesystem: value }),
      context({ runAsNonRoot: value }),
      podContext({ runAsNonRoot: value }),
    ]),
    ...capabilities.map(one => context({ capabilities: { add: [one] } })),
    ...drops.map(one => context({ capabilities: { drop: [one] } })),
    ...['Default', 'Unmasked'].map(procMount => context({ procMount })),
    ...idsAround(spec.runAsUser).flatMap(runAsUser => [context({ runAsUser }), podContext({ runAsUser })]),
    ...idsAround(spec.runAsGroup).flatMap(runAsGroup => [
      context({ runAsGroup }),
      podContext({ runAsGroup }),
    ]),
    ...idsAround(spec.fsGroup).map(fsGroup => podContext({ fsGroup })),
    ...idsAround(spec.supplementalGroups).map(group => podContext({ supplementalGroups: [group] })),
    podContext({ supplementalGroups: [] }),
    ...profiles.flatMap(seccompProfile => [context({ seccompProfile }), podContext({ seccompProfile })]),
    ...labels.flatMap(seLinuxOptions => [context({ seLinuxOptions }), podContext({ seLinuxOptions })]),
    ...sysctls.map(name => podContext({ sysctls: [{ name, value: '1' }] })),
    ...[
      { emptyDir: {} },
      { configMap: { name: 'x' } },
      { secret: { secretName: 'x' } },
      { persistentVolumeClaim: { claimName: 'x' } },
      { downwardAPI: {} },
      { nfs: { server: 'x', path: '/' } },
      { cephfs: { monitors: ['x'] } },
      { ephemeral: {} },
      { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      { projected: { sources: [{ secret: { name: 'x' } }] } },
    ].map(volume),
    ...['other.example.com', ...spec.allowedCSIDrivers.map(({ name }) => name)].map(driver =>
      volume({ csi: { driver } }),
    ),
    ...['other/driver', ...spec.allowedFlexVolumes.map(({ driver }) => driver)].map(driver =>
      volume({ flexVolume: { driver } }),
    ),
    ...paths.flatMap(path =>
      [true, false].map(readOnly => ({
        ...volume({ hostPath: { path } }),
        container: { volumeMounts: [{ name: 'v', mountPath: '/v', readOnly }] },
      })),
    ),
  ];
}
