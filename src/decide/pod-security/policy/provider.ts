/**
 * One policy, made ready: what it changes in a pod, and what it objects to.
 * Source: kubernetes v1.24.17 pkg/security/podsecuritypolicy/provider.go, factory.go; pkg/securitycontext/accessors.go.
 */
import { joinErrors, quoted } from '#kube/go-text.ts';
import type { Container, Pod, PodSecurityContext, SecurityContext } from '#kube/pods.ts';
import { type CapabilityRule, capabilityRule } from './capabilities.ts';
import { type FieldError, type Id, invalid } from './errors.ts';
import { type GroupRule, groupRule, UnusablePolicyError, type UserRule, userRule } from './ids.ts';
import { decodePolicy, type Policy, type PolicySpec } from './policy.ts';
import {
  APPARMOR_CONTAINER,
  type AppArmorRule,
  apparmorRule,
  SECCOMP_POD,
  type SeccompRule,
  seccompRule,
} from './profiles.ts';
import { annotated, annotationOf, containersOf, mapContainers } from './received.ts';
import { type SELinuxRule, selinuxRule } from './selinux.ts';
import { sysctlObjections } from './sysctls.ts';
import { volumeObjections } from './volumes.ts';

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
    if (reasons.length > 0) throw new UnusablePolicyError(joinErrors(reasons), policy.name);
  }

  /** The pod as the policy would have it: what it says stays, what it leaves open is filled in. */
  mutate(pod: Pod): Pod {
    const seccomp = this.#seccomp.presetFor(pod);
    const preset = annotated(
      {
        ...pod,
        spec: {
          ...pod.spec,
          securityContext: this.#completePod(pod.spec.securityContext!),
          ...this.#runtimeClass(pod),
        },
      },
      seccomp === '' || seccomp === annotationOf(pod, SECCOMP_POD)
        ? new Map()
        : new Map([[SECCOMP_POD, seccomp]]),
    );
    const context = preset.spec.securityContext!;
    return this.#confine(
      mapContainers(preset, container => {
        const before = container.securityContext ?? {};
        const after = this.#completeContainer(context, before);
        return after === before ? container : { ...container, securityContext: after };
      }),
    );
  }

  #completePod(context: PodSecurityContext): PodSecurityContext {
    const group = this.#supplementalGroups.preset;
    const added: PodSecurityContext = {
      // A list that is there, though empty, is not filled.
      ...(context.supplementalGroups === undefined && group !== undefined
        ? { supplementalGroups: [group as number] }
        : {}),
      ...unlessSet(context, 'fsGroup', this.#fsGroup.preset as number | undefined),
      ...unlessSet(context, 'seLinuxOptions', this.#selinux.preset),
    };
    return Object.keys(added).length === 0 ? context : { ...context, ...added };
  }

  #runtimeClass({ spec }: Pod): { readonly runtimeClassName?: string } {
    const preset = this.#spec.runtimeClass?.defaultRuntimeClassName;
    return spec.runtimeClassName === undefined && preset !== undefined ? { runtimeClassName: preset } : {};
  }

  /** @returns the same context where nothing is to be filled in */
  #completeContainer(ofPod: PodSecurityContext, own: SecurityContext): SecurityContext {
    const {
      readOnlyRootFilesystem,
      defaultAllowPrivilegeEscalation,
      allowPrivilegeEscalation: mayEscalate,
    } = this.#spec;
    const user = own.runAsUser ?? ofPod.runAsUser ?? this.#user.preset;
    const nonRoot = own.runAsNonRoot ?? ofPod.runAsNonRoot;
    const capabilities = this.#capabilities.complete(own.capabilities);
    const added: SecurityContext = {
      ...(ofPod.runAsUser === undefined
        ? unlessSet(own, 'runAsUser', this.#user.preset as number | undefined)
        : {}),
      ...(ofPod.runAsGroup === undefined
        ? unlessSet(own, 'runAsGroup', this.#group.preset as number | undefined)
        : {}),
      ...(this.#user.marksNonRoot && nonRoot === undefined && user === undefined
        ? { runAsNonRoot: true }
        : {}),
      ...(capabilities === own.capabilities ? {} : { capabilities: capabilities! }),
      ...unlessSet(own, 'readOnlyRootFilesystem', readOnlyRootFilesystem || undefined),
      ...unlessSet(
        own,
        'allowPrivilegeEscalation',
        defaultAllowPrivilegeEscalation ?? (mayEscalate ? undefined : false),
      ),
    };
    return Object.keys(added).length === 0 ? own : { ...own, ...added };
  }

  /** Gives every container without an AppArmor profile the one of the policy. */
  #confine(pod: Pod): Pod {
    const { preset } = this.#apparmor;
    if (preset === '') return pod;
    const added = new Map<string, string>();
    for (const { container } of containersOf(pod)) {
      const key = APPARMOR_CONTAINER + (container.name ?? '');
      if ((annotationOf(pod, key) ?? '') === '') added.set(key, preset);
    }
    return annotated(pod, added);
  }

  /** What the policy objects to in a pod that it has completed before, in the API server's order. */
  objections(pod: Pod): FieldError[] {
    const { spec } = pod;
    const { fsGroup, supplementalGroups, seLinuxOptions } = spec.securityContext!;
    const field = 'spec.securityContext';
    return [
      ...this.#fsGroup.objections(`${field}.fsGroup`, fsGroup === undefined ? undefined : [fsGroup]),
      ...this.#supplementalGroups.objections(`${field}.supplementalGroups`, supplementalGroups),
      ...this.#seccomp.podObjections(pod),
      ...this.#selinux.objections(`${field}.seLinuxOptions`, seLinuxOptions),
      ...(
        [
          ['hostNetwork', 'Host network'],
          ['hostPID', 'Host PID'],
          ['hostIPC', 'Host IPC'],
        ] as const
      ).flatMap(([name, title]) =>
        spec[name] === true && !this.#spec[name]
          ? [invalid(`${field}.${name}`, 'true', `${title} is not allowed to be used`)]
          : [],
      ),
      ...sysctlObjections(this.#spec, pod),
      ...volumeObjections(this.#spec, pod),
      ...this.#runtimeClassObjections(spec.runtimeClassName),
      ...containersOf(pod).flatMap(({ container, field }) =>
        this.#containerObjections(pod, container, field),
      ),
    ];
  }

  #runtimeClassObjections(name: string | undefined): FieldError[] {
    const allowed = this.#spec.runtimeClass?.allowedRuntimeClassNames;
    if (name === undefined || allowed === undefined || allowed.includes('*') || allowed.includes(name))
      return [];
    return [invalid('spec.runtimeClassName', quoted(name), '')];
  }

  #containerObjections(pod: Pod, container: Container, at: string): FieldError[] {
    const ofPod = pod.spec.securityContext!;
    const own = container.securityContext ?? {};
    const field = `${at}.securityContext`;
    const group: Id | undefined = own.runAsGroup ?? ofPod.runAsGroup;
    return [
      ...this.#user.objections(
        field,
        own.runAsNonRoot ?? ofPod.runAsNonRoot,
        own.runAsUser ?? ofPod.runAsUser,
      ),
      ...this.#group.objections(field, group === undefined ? undefined : [group]),
      ...this.#selinux.objections(`${field}.seLinuxOptions`, own.seLinuxOptions ?? ofPod.seLinuxOptions),
      ...this.#apparmor.objections(pod, container),
      ...this.#seccomp.containerObjections(pod, container),
      ...this.#privilegeObjections(own, field),
      ...this.#capabilities.objections(`${field}.capabilities`, own.capabilities),
      ...this.#portObjections(container, at),
      ...this.#escalationObjections(own, field),
    ];
  }

  #privilegeObjections({ privileged, procMount = 'Default' }: SecurityContext, field: string): FieldError[] {
    const errors: FieldError[] = [];
    if (privileged === true && !this.#spec.privileged)
      errors.push(invalid(`${field}.privileged`, 'true', 'Privileged containers are not allowed'));
    const types = this.#spec.allowedProcMountTypes;
    if (!(types.length === 0 ? ['Default'] : types).includes(procMount))
      errors.push(invalid(`${field}.procMount`, quoted(procMount), 'ProcMountType is not allowed'));
    return errors;
  }

  #portObjections({ ports = [] }: Container, field: string): FieldError[] {
    const { hostPorts } = this.#spec;
    const allowed = hostPorts.map(({ min, max }) => (min === max ? `${min}` : `${min}-${max}`)).join(',');
    return ports.flatMap(({ hostPort = 0 }) =>
      hostPort > 0 && !hostPorts.some(({ min, max }) => hostPort >= min && hostPort <= max)
        ? [
            invalid(
              `${field}.hostPort`,
              String(hostPort),
              `Host port ${hostPort} is not allowed to be used. Allowed ports: [${allowed}]`,
            ),
          ]
        : [],
    );
  }

  #escalationObjections(own: SecurityContext, field: string): FieldError[] {
    const errors: FieldError[] = [];
    if (this.#spec.readOnlyRootFilesystem && own.readOnlyRootFilesystem === false)
      errors.push(
        invalid(`${field}.readOnlyRootFilesystem`, 'false', 'ReadOnlyRootFilesystem must be set to true'),
      );
    if (!this.#spec.allowPrivilegeEscalation && own.allowPrivilegeEscalation === true)
      errors.push(
        invalid(
          `${field}.allowPrivilegeEscalation`,
          'true',
          'Allowing privilege escalation for containers is not allowed',
        ),
      );
    return errors;
  }
}

/** The field with this value, where there is one and the context does not have it. */
function unlessSet<C extends object, F extends keyof C & string>(
  context: C,
  field: F,
  value: C[F] | undefined,
): Partial<Record<F, C[F]>> {
  return context[field] === undefined && value !== undefined
    ? ({ [field]: value } as Partial<Record<F, C[F]>>)
    : {};
}

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
