/**
 * A pod against a profile of a team's own. Each field that PodSecurityPolicy had is decided by the decider of
 * PodSecurityPolicy, as it validated: a pod that the policy would have to change does not keep it. What the profile does
 * not speak of is decided by the Pod Security Standards.
 */
import type { Path } from '#kube/objects.ts';
import type { Pod, PodSecurityContext, SecurityContext, VolumeMount } from '#kube/pods.ts';
import type { FieldError } from '../policy/errors.ts';
import type { PolicySpec, Range } from '../policy/policy.ts';
import { Provider } from '../policy/provider.ts';
import { CONTAINER_FIELDS } from '../policy/received.ts';
import { typeOf } from '../policy/volume-sources.ts';
import type { FieldName } from './form.ts';
import { controlsLeft, governedPlaces, isAsked, withoutStated } from './level.ts';
import { type Findings, type FindSeccomp, judgeOwn, type ProfileBreach } from './linux.ts';
import type { CustomProfile, ProfileSpec } from './profile.ts';

export interface ProfileVerdict {
  /** None where the pod keeps the profile, as far as that is known. */
  readonly breaches: readonly ProfileBreach[];
  /** What could not be decided, and why. */
  readonly unknowns: readonly string[];
}

const ANY = { rule: 'RunAsAny', ranges: [] } as const;

/** A policy that lets everything pass: each field of a profile is asked for itself. */
export const OPEN: PolicySpec = {
  privileged: true,
  defaultAddCapabilities: [],
  requiredDropCapabilities: [],
  allowedCapabilities: ['*'],
  volumes: ['*'],
  hostNetwork: true,
  hostPorts: [{ min: 0, max: 2 ** 31 - 1 }],
  hostPID: true,
  hostIPC: true,
  seLinux: { rule: 'RunAsAny' },
  runAsUser: ANY,
  supplementalGroups: ANY,
  fsGroup: ANY,
  readOnlyRootFilesystem: false,
  allowPrivilegeEscalation: true,
  allowedHostPaths: [],
  allowedFlexVolumes: [],
  allowedCSIDrivers: [],
  allowedUnsafeSysctls: ['*'],
  forbiddenSysctls: [],
  allowedProcMountTypes: ['Default', 'Unmasked'],
};

const SECCOMP_OPEN: ReadonlyMap<string, string> = new Map([
  ['seccomp.security.alpha.kubernetes.io/allowedProfileNames', '*'],
]);

/** The policy that asks what one field of a profile asks; undefined where no policy could. */
export function policyOfField(field: FieldName, spec: ProfileSpec): PolicySpec | undefined {
  switch (field) {
    case 'allowedCapabilities':
      return {
        ...OPEN,
        allowedCapabilities: [...spec.allowedCapabilities!, ...(spec.defaultAddCapabilities ?? [])],
      };
    case 'runAsUser':
    case 'runAsGroup':
    case 'supplementalGroups':
    case 'fsGroup':
      return { ...OPEN, [field]: { ranges: [], ...spec[field]! } };
    case 'seLinux': {
      const { rule, seLinuxOptions = {} } = spec.seLinux!;
      return rule === 'MustRunAs' ? { ...OPEN, seLinux: { rule, seLinuxOptions } } : undefined;
    }
    case 'allowedHostPaths':
      // No folder at all is a list that nothing matches: to a policy an empty list is every folder.
      return {
        ...OPEN,
        allowedHostPaths:
          spec.allowedHostPaths!.length === 0
            ? [{ pathPrefix: NOWHERE, readOnly: false }]
            : spec.allowedHostPaths!.map(one => ({ readOnly: false, ...one })),
      };
    case 'allowedFlexVolumes':
      return { ...OPEN, allowedFlexVolumes: filled(spec.allowedFlexVolumes!, { driver: NOWHERE }) };
    case 'allowedCSIDrivers':
      return { ...OPEN, allowedCSIDrivers: filled(spec.allowedCSIDrivers!, { name: NOWHERE }) };
    case 'runtimeClass':
      return {
        ...OPEN,
        runtimeClass: { allowedRuntimeClassNames: ['*'], ...spec.runtimeClass! },
      };
    // Asked of the standards, with what the profile allows taken out of the pod.
    case 'allowedUnsafeSysctls':
    case 'seccomp':
    case 'appArmor':
    case 'userNamespaces':
    case 'windows':
      return undefined;
    default:
      return { ...OPEN, [field]: spec[field] };
  }
}

/** No path, driver or name: the API server refuses a NUL in all of them. */
export const NOWHERE = '\0';

function filled<Item>(list: readonly Item[], nothing: Item): readonly Item[] {
  return list.length === 0 ? [nothing] : list;
}

interface Asker {
  readonly field: FieldName;
  readonly provider: Provider | undefined;
}

const askers = new WeakMap<CustomProfile, readonly Asker[]>();

function askersOf(profile: CustomProfile): readonly Asker[] {
  let known = askers.get(profile);
  if (known === undefined) {
    known = (Object.keys(profile.spec) as FieldName[]).map(field => {
      const spec = policyOfField(field, profile.spec);
      return {
        field,
        provider:
          spec === undefined
            ? undefined
            : new Provider({ name: profile.name, annotations: SECCOMP_OPEN, spec }),
      };
    });
    askers.set(profile, known);
  }
  return known;
}

/**
 * @param pod decoded, and with the API server's defaults
 * @param find the seccomp profiles that the input holds
 */
export function evaluateProfile(
  profile: CustomProfile,
  pod: Pod,
  find: FindSeccomp = () => undefined,
): ProfileVerdict {
  const { spec } = profile;
  const found: Findings = { breaches: [], unknowns: [] };
  const whole: Pod = { ...pod, spec: { ...pod.spec, securityContext: pod.spec.securityContext ?? {} } };
  for (const { field, provider } of askersOf(profile)) {
    if (!isAsked(field, spec, pod)) continue;
    judgeOwn(field, profile, pod, find, found);
    if (provider === undefined) continue;
    const after = provider.mutate(whole);
    found.breaches.push(
      ...provider
        .objections(whole, true)
        // No policy lets every kind of /proc pass.
        .filter(error => field === 'allowedProcMountTypes' || !error.field.endsWith('.procMount'))
        .map(error => objected(field, error, pod, spec)),
      ...demands(field, whole, after),
    );
  }
  const rest = withoutStated(spec, whole);
  for (const { control, breach } of controlsLeft(profile)) {
    const broken = breach(rest);
    for (const { path, container } of broken?.violations ?? [])
      found.breaches.push({
        field: 'extends',
        path,
        ...(container === undefined ? {} : { container }),
        detail: broken!.detail === '' ? broken!.reason : broken!.detail,
        ...mendOf(control.id, path),
      });
  }
  return { breaches: distinct(found.breaches), unknowns: [...new Set(found.unknowns)] };
}

/** What containers inherit from their pod is said once. */
function distinct(breaches: readonly ProfileBreach[]): ProfileBreach[] {
  const keyOf = ({ field, path, detail }: ProfileBreach) => JSON.stringify([field, path, detail]);
  return [...new Map(breaches.map(one => [keyOf(one), one])).values()];
}

/** Where one value keeps a control of the standards, and nothing is lost that the control would have let pass. */
function mendOf(id: string, path: Path): Pick<ProfileBreach, 'mend'> {
  switch (id) {
    case 'allowPrivilegeEscalation':
    case 'privileged':
      return { mend: { value: false } };
    case 'hostNamespaces':
    case 'hostPorts':
    case 'runAsUser':
      return { mend: { value: undefined } };
    case 'runAsNonRoot':
      return { mend: { value: true } };
    case 'capabilities_restricted':
      return path.at(-1) === 'drop' ? { mend: { value: ['ALL'] } } : {};
    case 'seccompProfile_baseline':
    case 'seccompProfile_restricted':
      return path.at(-1) === 'type' ? { mend: { value: 'RuntimeDefault' } } : {};
    default:
      return {};
  }
}

/** Places to which a standard level would object, and at which the profile expressly lets the pod pass. */
export function permittedPlaces(
  profile: CustomProfile,
  pod: Pod,
  { breaches }: ProfileVerdict,
): readonly Path[] {
  const broken = breaches.map(({ path }) => mountedAt(path, pod) ?? path);
  return governedPlaces(profile, pod).filter(
    path => !broken.some(other => overlap(other, path) || overlap(path, other)),
  );
}

/** The volume that a mount mounts: a writable mount is what is wrong with a folder that may only be read. */
function mountedAt(path: Path, pod: Pod): Path | undefined {
  if (path[3] !== 'volumeMounts') return undefined;
  const name = mountOf(path, pod)?.name;
  const index = (pod.spec.volumes ?? []).findIndex(volume => volume.name === name);
  return index < 0 ? undefined : ['spec', 'volumes', index];
}

function mountOf([, list, container, , mount]: Path, pod: Pod): VolumeMount | undefined {
  return pod.spec[list as 'containers']?.[container as number]?.volumeMounts?.[mount as number];
}

/** Whether the second path is the first one, or lies below it. */
function overlap(above: Path, path: Path): boolean {
  return above.length <= path.length && above.every((step, i) => step === path[i]);
}

/** What the policy would have written into the pod: it must stand there. */
function demands(field: FieldName, before: Pod, after: Pod): ProfileBreach[] {
  const breaches: ProfileBreach[] = [];
  const demand = (path: Path, name: string, value: unknown, container?: string) =>
    breaches.push({
      field,
      path,
      ...(container === undefined ? {} : { container }),
      detail: `${name} must be stated, for example ${JSON.stringify(plain(value))}`,
      mend: { value: plain(value) },
    });
  const [old, now] = [before.spec.securityContext!, after.spec.securityContext!];
  for (const name of Object.keys(now) as (keyof PodSecurityContext)[])
    if (old[name] === undefined) demand(['spec', 'securityContext', name], name, now[name]);
  if (before.spec.runtimeClassName !== after.spec.runtimeClassName)
    demand(['spec', 'runtimeClassName'], 'runtimeClassName', after.spec.runtimeClassName);
  for (const list of CONTAINER_FIELDS)
    for (const [i, { name = '', securityContext: own }] of (before.spec[list] ?? []).entries()) {
      const context = after.spec[list]![i]!.securityContext;
      if (context === own) continue;
      const at: Path = ['spec', list, i, 'securityContext'];
      for (const key of Object.keys(context ?? {}) as (keyof SecurityContext)[]) {
        if (key === 'capabilities') breaches.push(...capabilityDemands(field, own, context!, at, name));
        else if (own?.[key] === undefined) demandOf(key, context![key], at, name);
      }
    }
  return breaches;

  function demandOf(key: keyof SecurityContext, value: unknown, at: Path, container: string): void {
    const detail = typeof value === 'boolean' ? `${key} must be ${exact(field, value)}` : undefined;
    if (detail === undefined) demand([...at, key], key, value, container);
    else breaches.push({ field, path: [...at, key], container, detail, mend: { value } });
  }
}

function exact(field: FieldName, value: boolean): string {
  return field === 'defaultAllowPrivilegeEscalation' ? `stated, for example ${value}` : String(value);
}

function capabilityDemands(
  field: FieldName,
  own: SecurityContext | undefined,
  after: SecurityContext,
  at: Path,
  container: string,
): ProfileBreach[] {
  return (['add', 'drop'] as const).flatMap(list => {
    const had = own?.capabilities?.[list] ?? [];
    const missing = (after.capabilities?.[list] ?? []).filter(one => !had.includes(one));
    if (missing.length === 0) return [];
    return [
      {
        field,
        path: [...at, 'capabilities', list],
        container,
        detail: `must ${list} ${missing.join(', ')}`,
        mend: { value: [...had, ...missing] },
      },
    ];
  });
}

/** Ids may be bigints where the input wrote large ones. */
function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : Array.isArray(value) ? value.map(plain) : value;
}

const STEP = /([A-Za-z]+)|\[(\d+)\]/g;

/** An objection of the policy's decider, at the place where the manifest writes it. */
function objected(field: FieldName, error: FieldError, pod: Pod, spec: ProfileSpec): ProfileBreach {
  const steps = [...error.field.replace(/^pod\./, '').matchAll(STEP)].map(([, word, index]) =>
    word === undefined ? Number(index) : word,
  );
  const { path, container } = placed(field, steps, error, pod);
  return {
    field,
    path,
    ...(container === undefined ? {} : { container }),
    detail: describe(field, error, path, pod, spec),
    ...(field === 'allowPrivilegeEscalation' ? { mend: { value: false } } : {}),
    ...(field === 'readOnlyRootFilesystem' || path.at(-1) === 'readOnly' ? { mend: { value: true } } : {}),
    ...(['hostNetwork', 'hostPID', 'hostIPC', 'privileged'].includes(field)
      ? { mend: { value: undefined } }
      : {}),
  };
}

const INHERITED = new Set(['runAsUser', 'runAsGroup', 'runAsNonRoot', 'seLinuxOptions']);

function placed(
  field: FieldName,
  steps: readonly (string | number)[],
  error: FieldError,
  pod: Pod,
): { readonly path: Path; readonly container?: string } {
  // Sources: the decider's own paths, some of which name no field of the pod.
  if (field === 'hostNetwork' || field === 'hostPID' || field === 'hostIPC') return { path: ['spec', field] };
  if (field === 'runtimeClass') return { path: ['spec', 'runtimeClassName'] };
  if (field === 'allowedFlexVolumes') return { path: [...steps.slice(0, 3), 'flexVolume', 'driver'] };
  if (steps.at(-1) === 'pathPrefix') return { path: [...steps.slice(0, -1), 'path'] };
  const [, list, index] = steps;
  if (!CONTAINER_FIELDS.includes(list as 'containers')) return { path: steps };
  const container = pod.spec[list as 'containers']![index as number]!;
  const { name: container_ = '', securityContext: own } = container;
  const at = steps.slice(0, 3);
  if (field === 'hostPorts') {
    const port = (container.ports ?? []).findIndex(one => String(one.hostPort) === error.value);
    return { path: [...at, 'ports', port, 'hostPort'], container: container_ };
  }
  const path = field === 'runAsGroup' ? [...at, 'securityContext', 'runAsGroup'] : steps;
  const key = path[4] as string;
  if (INHERITED.has(key) && own?.[key as 'runAsUser'] === undefined)
    return { path: ['spec', ...path.slice(3)] };
  if (path.at(-1) === 'add') {
    const added = (own?.capabilities?.add ?? []).findIndex(one => JSON.stringify(one) === error.value);
    return { path: added < 0 ? path : [...path, added], container: container_ };
  }
  return { path, container: container_ };
}

function describe(field: FieldName, error: FieldError, path: Path, pod: Pod, spec: ProfileSpec): string {
  const { value, detail } = error;
  const volume = path[1] === 'volumes' ? pod.spec.volumes?.[path[2] as number] : undefined;
  const name = JSON.stringify(volume?.name ?? '');
  switch (field) {
    case 'volumes':
      return `volume ${name} is of type ${typeOf(volume!)}, may only be ${few(spec.volumes!)}`;
    case 'allowedHostPaths':
      return volume === undefined
        ? `volume ${JSON.stringify(mountOf(path, pod)?.name ?? '')} is mounted writable, may only be read`
        : `volume ${name} is ${volume.hostPath!.path ?? ''} of the node, may only be ${few(
            spec.allowedHostPaths!.map(
              one => `${one.pathPrefix}${one.readOnly === true ? ' (read-only)' : ''}`,
            ),
          )}`;
    case 'allowedFlexVolumes':
    case 'allowedCSIDrivers':
      return `volume ${name} has driver ${value ?? ''}`;
    case 'allowedCapabilities':
      return `may not add ${unquoted(value)}, only ${few(spec.allowedCapabilities!)}`;
    case 'hostPorts':
      return `hostPort is ${value}, may only be ${few(spec.hostPorts!.map(shown))}`;
    case 'runAsUser':
    case 'runAsGroup':
    case 'supplementalGroups':
    case 'fsGroup': {
      const ranges = spec[field]!.ranges ?? [];
      if (ranges.length === 0) return `${path.at(-1)} is ${value}, must not be root`;
      const id = /^group (\d+) /.exec(detail)?.[1] ?? value;
      return `${path.at(-1)} is ${id}, must be within ${few(ranges.map(shown))}`;
    }
    case 'seLinux':
      return `seLinuxOptions.${path.at(-1)} is ${value}, ${detail.replace(/ $/, ' ""')}`;
    case 'forbiddenSysctls':
      return detail;
    case 'allowedProcMountTypes':
      return `procMount is ${unquoted(value)}, may only be ${few(spec.allowedProcMountTypes!)}`;
    case 'runtimeClass':
      return `runtimeClassName is ${unquoted(value)}, may only be ${few(spec.runtimeClass!.allowedRuntimeClassNames ?? [])}`;
    default:
      return `${path.at(-1)} is ${value}`;
  }
}

function unquoted(value: string | undefined): string {
  return (value ?? '').replace(/^"(.*)"$/, '$1');
}

function shown({ min, max }: Range): string {
  return min === max ? `${min}` : `${min}-${max}`;
}

function few(words: readonly string[]): string {
  if (words.length === 0) return 'none';
  return words.length > 6 ? `${words.slice(0, 6).join(', ')} and ${words.length - 6} more` : words.join(', ');
}
