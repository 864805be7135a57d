/**
 * One policy, made ready: what it changes in a pod, and what it objects to.
 * Source: kubernetes v1.24.17 pkg/security/podsecuritypolicy/provider.go, factory.go; pkg/securitycontext/accessors.go.
 */
import { joinErrors, quoted } from '#kube/go-text.ts';
import type { ContainerPort, Pod, PodSecurityContext, SecurityContext } from '#kube/pods.ts';
import { type CapabilityRule, capabilityRule } from './capabilities.ts';
import { type FieldError, type Id, Objections } from './errors.ts';
import { type GroupRule, groupRule, isWithin, UnusablePolicyError, type UserRule, userRule } from './ids.ts';
import { decodePolicy, type Policy, type PolicySpec } from './policy.ts';
import {
  APPARMOR_CONTAINER,
  type AppArmorRule,
  apparmorRule,
  SECCOMP_POD,
  type SeccompRule,
  seccompRule,
} from './profiles.ts';
import { annotated, annotationOf, CONTAINER_FIELDS, forEachContainer, mapContainers } from './received.ts';
import { type SELinuxRule, selinuxRule } from './selinux.ts';
import { objectToSysctls } from './sysctls.ts';
import { type VolumeRule, volumeRule } from './volumes.ts';

export class Provider {
  readonly name: string;
  readonly #spec: PolicySpec;
  readonly #user: UserRule;
  readonly #group: GroupRule;
  readonly #fsGroup: GroupRule;
  readonly #supplementalGroups: GroupRule;
  readonly #selinux: SELinuxRule;
  readonly #seccomp: SeccompRule;
  readonly #apparmor: AppArmorRule;
  readonly #capabilities: CapabilityRule;
  readonly #volumes: VolumeRule;
  readonly #ofPods: readonly Filler<PodSecurityContext>[];
  readonly #ofContainers: readonly Filler<SecurityContext>[];
  /** What containers that say nothing of privilege escalation get; undefined for nothing. */
  readonly #escalation: boolean | undefined;
  /** The allowed host ports as messages show them. */
  readonly #ports: string;

  /** @throws UnusablePolicyError with all reasons for which no provider can be made */
  constructor(policy: Policy) {
    const { spec } = policy;
    const reasons: string[] = [];
    const make = <T>(rule: () => T): T => {
      try {
        return rule();
      } catch (error) {
        if (!(error instanceof UnusablePolicyError)) throw error;
        reasons.push(error.message);
        return undefined as T;
      }
    };
    this.name = policy.name;
    this.#spec = spec;
    this.#user = make(() => userRule(spec.runAsUser));
    this.#group = make(() => groupRule('RunAsGroup', spec.runAsGroup));
    this.#selinux = make(() => selinuxRule(spec.seLinux));
    this.#apparmor = apparmorRule(policy);
    this.#seccomp = seccompRule(policy);
    this.#fsGroup = make(() => groupRule('FSGroup', spec.fsGroup));
    this.#supplementalGroups = make(() => groupRule('SupplementalGroups', spec.supplementalGroups));
    this.#capabilities = capabilityRule(spec);
    this.#volumes = volumeRule(spec);
    this.#escalation =
      spec.defaultAllowPrivilegeEscalation ?? (spec.allowPrivilegeEscalation ? undefined : false);
    this.#ports = spec.hostPorts.map(({ min, max }) => (min === max ? `${min}` : `${min}-${max}`)).join(',');
    if (reasons.length > 0) throw new UnusablePolicyError(joinErrors(reasons), policy.name);
    this.#ofPods = [
      // A list that is there, though empty, is not filled.
      ...presetOf<PodSecurityContext>('supplementalGroups', this.#supplementalGroups.presets),
      ...presetOf<PodSecurityContext>('fsGroup', this.#fsGroup.preset),
      ...presetOf<PodSecurityContext>('seLinuxOptions', this.#selinux.preset),
    ];
    this.#ofContainers = this.#fillers();
  }

  /** What the policy writes into containers that do not say it, and whose pod does not. */
  #fillers(): Filler<SecurityContext>[] {
    const fillers: Filler<SecurityContext>[] = [
      ...presetOf<SecurityContext>('readOnlyRootFilesystem', this.#spec.readOnlyRootFilesystem || undefined),
      ...presetOf<SecurityContext>('allowPrivilegeEscalation', this.#escalation),
    ];
    for (const [field, preset] of [
      ['runAsUser', this.#user.preset],
      ['runAsGroup', this.#group.preset],
    ] as const)
      if (preset !== undefined)
        fillers.push({
          field,
          isMissing: (own, ofPod) => own[field] === undefined && ofPod[field] === undefined,
          fill: () => preset,
        });
    if (this.#user.marksNonRoot)
      fillers.push({
        field: 'runAsNonRoot',
        isMissing: (own, ofPod) =>
          (own.runAsNonRoot ?? ofPod.runAsNonRoot) === undefined &&
          (own.runAsUser ?? ofPod.runAsUser) === undefined,
        fill: () => true,
      });
    if (this.#capabilities.completes)
      fillers.push({
        field: 'capabilities',
        isMissing: ({ capabilities }) => !this.#capabilities.isWhole(capabilities),
        fill: ({ capabilities }) => this.#capabilities.complete(capabilities),
      });
    return fillers;
  }

  /** The pod as the policy would have it: what it says stays, what it leaves open is filled in. */
  mutate(pod: Pod): Pod {
    const seccomp = this.#seccomp.presetFor(pod);
    const before = pod.spec.securityContext!;
    const context = filled(this.#ofPods, before, before);
    const runtimeClass = this.#spec.runtimeClass?.defaultRuntimeClassName;
    const setsClass = runtimeClass !== undefined && pod.spec.runtimeClassName === undefined;
    const preset =
      context === before && !setsClass
        ? pod
        : {
            ...pod,
            spec: {
              ...pod.spec,
              securityContext: context,
              ...(setsClass ? { runtimeClassName: runtimeClass } : {}),
            },
          };
    const whole = mapContainers(preset, container => {
      const { securityContext: own = NO_CONTEXT } = container;
      const after = filled(this.#ofContainers, own, context);
      return after === own ? container : { ...container, securityContext: after };
    });
    return this.#confine(
      seccomp === '' || seccomp === annotationOf(pod, SECCOMP_POD)
        ? whole
        : annotated(whole, new Map([[SECCOMP_POD, seccomp]])),
    );
  }

  /** Whether {@link mutate} would make another pod of it. */
  changes(pod: Pod): boolean {
    const context = pod.spec.securityContext!;
    const seccomp = this.#seccomp.presetFor(pod);
    if (
      (seccomp !== '' && seccomp !== annotationOf(pod, SECCOMP_POD)) ||
      (pod.spec.runtimeClassName === undefined &&
        this.#spec.runtimeClass?.defaultRuntimeClassName !== undefined) ||
      this.#ofPods.some(one => one.isMissing(context, context))
    )
      return true;
    for (const list of CONTAINER_FIELDS)
      for (const { name = '', securityContext: own = NO_CONTEXT } of pod.spec[list] ?? [])
        if (
          this.#ofContainers.some(one => one.isMissing(own, context)) ||
          (this.#apparmor.preset !== '' && (annotationOf(pod, APPARMOR_CONTAINER + name) ?? '') === '')
        )
          return true;
    return false;
  }

  /** Gives every container without an AppArmor profile the one of the policy. */
  #confine(pod: Pod): Pod {
    const { preset } = this.#apparmor;
    if (preset === '') return pod;
    const added = new Map<string, string>();
    forEachContainer(pod, ({ name = '' }) => {
      const key = APPARMOR_CONTAINER + name;
      if ((annotationOf(pod, key) ?? '') === '') added.set(key, preset);
    });
    return annotated(pod, added);
  }

  /**
   * What the policy objects to in a pod as it would complete it, in the API server's order. Nothing is completed for
   * that: most pods are only asked about.
   *
   * @param isPrinted whether errors hold the offending values too
   */
  objections(pod: Pod, isPrinted = false): readonly FieldError[] {
    const errors = new Objections(isPrinted);
    const { spec } = pod;
    const context = spec.securityContext!;
    const group = context.fsGroup ?? this.#fsGroup.preset;
    this.#fsGroup.object(FS_GROUP, group === undefined ? undefined : [group], errors);
    this.#supplementalGroups.object(
      SUPPLEMENTAL_GROUPS,
      context.supplementalGroups ?? this.#supplementalGroups.presets,
      errors,
    );
    const profile = this.#seccomp.presetFor(pod);
    this.#seccomp.objectToPod(profile, errors);
    const options = context.seLinuxOptions ?? this.#selinux.preset;
    this.#selinux.object(SELINUX, options, errors);
    for (const { name, field, detail } of NAMESPACES)
      if (spec[name] === true && !this.#spec[name]) errors.invalid(field, true, String, detail);
    objectToSysctls(this.#spec, pod, errors);
    this.#volumes.object(pod, errors);
    this.#objectToRuntimeClass(
      spec.runtimeClassName ?? this.#spec.runtimeClass?.defaultRuntimeClassName,
      errors,
    );
    forEachContainer(pod, (container, path) => {
      const own = container.securityContext ?? NO_CONTEXT;
      const field = path.context;
      this.#user.object(
        field,
        own.runAsNonRoot ?? context.runAsNonRoot,
        own.runAsUser ?? context.runAsUser ?? this.#user.preset,
        errors,
      );
      const group: Id | undefined = own.runAsGroup ?? context.runAsGroup ?? this.#group.preset;
      this.#group.object(field, group === undefined ? undefined : [group], errors);
      this.#selinux.object(path.seLinuxOptions, own.seLinuxOptions ?? options, errors);
      this.#apparmor.object(pod, container, errors);
      this.#seccomp.objectToContainer(pod, container, profile, errors);
      this.#objectToPrivilege(own, field, errors);
      if (own.capabilities !== undefined)
        this.#capabilities.object(path.addedCapabilities, own.capabilities, errors);
      if (container.ports !== undefined) this.#objectToPorts(container.ports, path.at, errors);
      this.#objectToEscalation(own, field, errors);
    });
    return errors.errors;
  }

  #objectToRuntimeClass(name: string | undefined, errors: Objections): void {
    const allowed = this.#spec.runtimeClass?.allowedRuntimeClassNames;
    if (name === undefined || allowed === undefined || allowed.includes('*') || allowed.includes(name))
      return;
    errors.invalid('spec.runtimeClassName', name, quoted, '');
  }

  #objectToPrivilege(
    { privileged, procMount = 'Default' }: SecurityContext,
    field: string,
    errors: Objections,
  ): void {
    if (privileged === true && !this.#spec.privileged)
      errors.invalid(`${field}.privileged`, true, String, 'Privileged containers are not allowed');
    const types = this.#spec.allowedProcMountTypes;
    if (types.length === 0 ? procMount !== 'Default' : !types.includes(procMount))
      errors.invalid(`${field}.procMount`, procMount, quoted, 'ProcMountType is not allowed');
  }

  #objectToPorts(ports: readonly ContainerPort[], field: string, errors: Objections): void {
    const { hostPorts } = this.#spec;
    for (const { hostPort = 0 } of ports) {
      if (hostPort <= 0 || isWithin(hostPort, hostPorts)) continue;
      errors.invalid(
        `${field}.hostPort`,
        hostPort,
        String,
        `Host port ${hostPort} is not allowed to be used. Allowed ports: [${this.#ports}]`,
      );
    }
  }

  #objectToEscalation(own: SecurityContext, field: string, errors: Objections): void {
    if (this.#spec.readOnlyRootFilesystem && own.readOnlyRootFilesystem === false)
      errors.invalid(
        `${field}.readOnlyRootFilesystem`,
        false,
        String,
        'ReadOnlyRootFilesystem must be set to true',
      );
    if (!this.#spec.allowPrivilegeEscalation && (own.allowPrivilegeEscalation ?? this.#escalation) === true)
      errors.invalid(
        `${field}.allowPrivilegeEscalation`,
        true,
        String,
        'Allowing privilege escalation for containers is not allowed',
      );
  }
}

/** Something that a policy writes where it is missing. */
interface Filler<Context> {
  readonly field: keyof Context;
  isMissing(own: Context, ofPod: PodSecurityContext): boolean;
  fill(own: Context): unknown;
}

function presetOf<Context>(field: keyof Context, value: unknown): Filler<Context>[] {
  return value === undefined
    ? []
    : [{ field, isMissing: own => own[field] === undefined, fill: () => value }];
}

/** @returns the same context where nothing is missing */
function filled<Context extends object>(
  fillers: readonly Filler<Context>[],
  own: Context,
  ofPod: PodSecurityContext,
): Context {
  const missing = fillers.filter(one => one.isMissing(own, ofPod));
  return missing.length === 0
    ? own
    : { ...own, ...Object.fromEntries(missing.map(({ field, fill }) => [field, fill(own)])) };
}

const NO_CONTEXT: SecurityContext = {};
const FS_GROUP = 'spec.securityContext.fsGroup';
const SUPPLEMENTAL_GROUPS = 'spec.securityContext.supplementalGroups';
const SELINUX = 'spec.securityContext.seLinuxOptions';
const NAMESPACES = (
  [
    ['hostNetwork', 'Host network'],
    ['hostPID', 'Host PID'],
    ['hostIPC', 'Host IPC'],
  ] as const
).map(([name, title]) => ({
  name,
  field: `spec.securityContext.${name}`,
  detail: `${title} is not allowed to be used`,
}));

const made = new WeakMap<object, Provider | UnusablePolicyError>();

/**
 * The provider of a policy; made once for each object.
 *
 * @returns an UnusablePolicyError where the API server could not make one
 * @throws DecodeError where the API server could not decode the policy
 */
export function providerOf(policy: object): Provider | UnusablePolicyError {
  let provider = made.get(policy);
  if (provider === undefined) {
    const decoded = decodePolicy(policy);
    try {
      provider = new Provider(decoded);
    } catch (error) {
      if (!(error instanceof UnusablePolicyError)) throw error;
      provider = error;
    }
    made.set(policy, provider);
  }
  return provider;
}
