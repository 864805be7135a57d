/**
 * What PodSecurityPolicies write into pods that leave it open, as a MutatingAdmissionPolicy. Of several policies the
 * first counts that lets the pod in as it is, otherwise the first that lets it in with what it writes: as the admission
 * plugin of Kubernetes 1.24 chooses (plugin/pkg/admission/security/podsecuritypolicy/admission.go).
 */
import type { Policy } from '#decide/pod-security/policy/policy.ts';
import { seccompField } from '#decide/pod-security/policy/profiles.ts';
import type { KubeObject } from '#kube/objects.ts';
import { effective, list, rulesOf, text } from './pod-security-rules.ts';

/** Something that a policy writes where it is missing. */
interface Fill {
  /** Below the pod's spec, or below the security context of a container `c`. */
  readonly path: readonly string[];
  /** Whether it is missing, as an expression. */
  readonly missing: string;
  /** What is written, as an expression. */
  readonly value: string;
  /** A list may only be replaced as a whole, which an apply configuration may not do. */
  readonly isList?: boolean;
}

interface Fills {
  readonly pod: readonly Fill[];
  readonly container: readonly Fill[];
}

const POD = 'Object.spec';
const CONTEXT = `${POD}.securityContext`;

/** The version of the API that a release of Kubernetes serves; undefined where it has none. */
export function mutatingApi(minor: number): { readonly version: string; readonly gate: boolean } | undefined {
  if (minor >= 36) return { version: 'v1', gate: false };
  if (minor >= 34) return { version: 'v1beta1', gate: true };
  return minor >= 32 ? { version: 'v1alpha1', gate: true } : undefined;
}

/**
 * The policy and its binding for one namespace; nothing where the PodSecurityPolicies write nothing.
 *
 * @param policies in the order of their names
 * @param version of the API: see {@link mutatingApi}
 */
export function mutationOf(namespace: string, policies: readonly Policy[], version: string): KubeObject[] {
  const fills = policies.map(fillsOf);
  if (fills.every(({ pod, container }) => pod.length + container.length === 0)) return [];
  const name = `from-psp-${namespace}-defaults`;
  const apiVersion = `admissionregistration.k8s.io/${version}`;
  const several = policies.length > 1;
  const mutations = several
    ? [patch(fills.map((one, i) => [`variables.chosen == ${i}`, operations(one)] as const))]
    : [...applied(fills[0]!), ...lists(fills[0]!)];
  return [
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        // Containers that a webhook adds afterwards get the same.
        reinvocationPolicy: 'IfNeeded',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        ...(several ? { variables: choice(policies, fills) } : {}),
        mutations,
      },
    },
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name },
      spec: {
        policyName: name,
        matchResources: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        },
      },
    },
  ];
}

function fillsOf({ annotations, spec }: Policy): Fills {
  const pod: Fill[] = [];
  const container: Fill[] = [];
  const ofPod = (field: string, value: string, isList = false) =>
    pod.push({
      path: ['securityContext', field],
      missing: `!object.spec.?securityContext.?${field}.hasValue()`,
      value,
      isList,
    });
  const own = (field: string, value: string) =>
    container.push({ path: [field], missing: `!c.?securityContext.?${field}.hasValue()`, value });
  const shared = (field: string, value: string, missing = `!${effective(field)}.hasValue()`) =>
    container.push({ path: [field], missing, value });
  const first = ({ rule, ranges }: Policy['spec']['fsGroup']) =>
    rule === 'MustRunAs' ? ranges[0]?.min : undefined;

  const groups = first(spec.supplementalGroups);
  if (groups !== undefined) ofPod('supplementalGroups', `[${groups}]`, true);
  const fsGroup = first(spec.fsGroup);
  if (fsGroup !== undefined) ofPod('fsGroup', String(fsGroup));
  const { rule, seLinuxOptions } = spec.seLinux;
  if (rule === 'MustRunAs' && seLinuxOptions !== undefined)
    ofPod('seLinuxOptions', objectOf(`${CONTEXT}.seLinuxOptions`, seLinuxOptions));
  const seccomp = seccompField(
    annotations.get('seccomp.security.alpha.kubernetes.io/defaultProfileName') ?? '',
  );
  if (seccomp !== undefined) ofPod('seccompProfile', objectOf(`${CONTEXT}.seccompProfile`, seccomp));
  const runtimeClass = spec.runtimeClass?.defaultRuntimeClassName;
  if (runtimeClass !== undefined)
    pod.push({
      path: ['runtimeClassName'],
      missing: '!has(object.spec.runtimeClassName)',
      value: text(runtimeClass),
    });

  if (spec.readOnlyRootFilesystem) own('readOnlyRootFilesystem', 'true');
  const escalation = escalationOf(spec);
  if (escalation !== undefined) own('allowPrivilegeEscalation', String(escalation));
  const user = first(spec.runAsUser);
  if (user !== undefined) shared('runAsUser', String(user));
  const group = spec.runAsGroup === undefined ? undefined : first(spec.runAsGroup);
  if (group !== undefined) shared('runAsGroup', String(group));
  if (spec.runAsUser.rule === 'MustRunAsNonRoot')
    shared(
      'runAsNonRoot',
      'true',
      `!${effective('runAsNonRoot')}.hasValue() && !${effective('runAsUser')}.hasValue()`,
    );
  const { requiredDropCapabilities: drop, defaultAddCapabilities: add } = spec;
  if (drop.length + add.length > 0) container.push(capabilities(add, drop));
  const apparmor = seccompField(
    annotations.get('apparmor.security.beta.kubernetes.io/defaultProfileName') ?? '',
  );
  if (apparmor !== undefined)
    shared(
      'appArmorProfile',
      objectOf('Object.spec.containers.securityContext.appArmorProfile', apparmor),
      `!${effective('appArmorProfile')}.hasValue() && object.metadata.?annotations[?'container.apparmor.security.beta.kubernetes.io/' + c.name].orValue('') == ''`,
    );
  return { pod, container };
}

/** What a container gets that does not say whether it may gain privileges; undefined for nothing. */
export function escalationOf({
  defaultAllowPrivilegeEscalation,
  allowPrivilegeEscalation,
}: Policy['spec']): boolean | undefined {
  return defaultAllowPrivilegeEscalation ?? (allowPrivilegeEscalation ? undefined : false);
}

function capabilities(add: readonly string[], drop: readonly string[]): Fill {
  const own = (field: 'add' | 'drop') => `c.?securityContext.?capabilities.?${field}.orValue([])`;
  const missing = [
    ...(drop.length === 0 ? [] : [`!${list(drop)}.all(d, d in ${own('drop')})`]),
    ...(add.length === 0 ? [] : [`!${list(add)}.all(a, a in ${own('add')} || a in ${own('drop')})`]),
  ].join(' || ');
  const union = (field: 'add' | 'drop', more: readonly string[], unless: string) =>
    more.length === 0
      ? own(field)
      : `${own(field)} + ${list(more)}.filter(x, !(x in ${own(field)})${unless})`;
  const type = 'Object.spec.containers.securityContext.capabilities';
  const field = (name: 'add' | 'drop', value: string) =>
    `?${name}: size(${value}) > 0 ? optional.of(${value}) : optional.none()`;
  return {
    path: ['capabilities'],
    missing: `(${missing})`,
    value: `${type}{${field('add', union('add', add, ` && !(x in ${own('drop')})`))}, ${field('drop', union('drop', drop, ''))}}`,
    isList: true,
  };
}

function objectOf(type: string, fields: object): string {
  const given = Object.entries(fields).filter(([, value]) => typeof value === 'string');
  return `${type}{${given.map(([field, value]) => `${field}: ${text(value as string)}`).join(', ')}}`;
}

const LISTS = ['containers', 'initContainers'] as const;

/** One apply configuration for all that is no list. */
function applied({ pod, container }: Fills): object[] {
  const optional = ({ path, missing, value }: Fill) =>
    `?${path.at(-1)}: ${missing} ? optional.of(${value}) : optional.none()`;
  const plain = (fills: readonly Fill[]) => fills.filter(({ isList }) => isList !== true);
  const ofContext = plain(pod).filter(({ path }) => path.length === 2);
  const ofSpec = plain(pod).filter(({ path }) => path.length === 1);
  const ofContainer = plain(container);
  const fields = [...ofSpec.map(optional)];
  if (ofContext.length > 0) fields.push(`securityContext: ${CONTEXT}{${ofContext.map(optional).join(', ')}}`);
  if (ofContainer.length > 0)
    for (const name of LISTS) {
      const type = `${POD}.${name}`;
      const filled = ofContainer.map(fill => optional(at(fill, name)));
      const wanted = ofContainer.map(({ missing }) => `(${missing})`).join(' || ');
      // Only containers in which something is missing are named.
      fields.push(
        `?${name}: object.spec.?${name}.optMap(all, all.filter(c, ${wanted}).map(c, ${type}{name: c.name, securityContext: ${type}.securityContext{${filled.join(', ')}}}))`,
      );
    }
  if (fields.length === 0) return [];
  return [
    {
      patchType: 'ApplyConfiguration',
      applyConfiguration: { expression: `Object{spec: ${POD}{${fields.join(', ')}}}` },
    },
  ];
}

/** The types of objects say where they stand: in init containers they have another name. */
function at(fill: Fill, name: (typeof LISTS)[number]): Fill {
  return { ...fill, value: fill.value.replaceAll('Object.spec.containers.', `Object.spec.${name}.`) };
}

function lists({ pod, container }: Fills): object[] {
  const only = (fills: readonly Fill[]) => fills.filter(({ isList }) => isList === true);
  const some = { pod: only(pod), container: only(container) };
  return some.pod.length + some.container.length === 0 ? [] : [patch([['true', operations(some)]])];
}

function patch(cases: readonly (readonly [condition: string, operations: string])[]): object {
  const expression = cases.reduceRight(
    (otherwise, [condition, operations]) =>
      condition === 'true' ? operations : `${condition} ? (${operations}) : (${otherwise})`,
    '[]',
  );
  return { patchType: 'JSONPatch', jsonPatch: { expression } };
}

/** A list of operations: each place is only written where something is missing there. */
function operations({ pod, container }: Fills): string {
  const parts: string[] = [];
  const add = (path: string, value: string) => `JSONPatch{op: "add", path: ${path}, value: ${value}}`;
  if (pod.some(({ path }) => path.length === 2))
    parts.push(
      `(has(object.spec.securityContext) ? [] : [${add('"/spec/securityContext"', `${CONTEXT}{}`)}])`,
    );
  for (const { path, missing, value } of pod)
    parts.push(`(${missing} ? [${add(`"/spec/${path.join('/')}"`, value)}] : [])`);
  if (container.length > 0)
    for (const name of LISTS) {
      const all =
        name === 'containers' ? 'object.spec.containers' : 'object.spec.?initContainers.orValue([])';
      const below = (rest: string) => `"/spec/${name}/" + string(i) + "/securityContext${rest}"`;
      const wanted = container.map(({ missing }) => `(${missing})`).join(' || ');
      parts.push(
        `${all}.transformList(i, c, !has(c.securityContext) && (${wanted}), ${add(below(''), `${POD}.${name}.securityContext{}`)})`,
        ...container
          .map(fill => at(fill, name))
          .map(
            ({ path, missing, value }) =>
              `${all}.transformList(i, c, ${missing}, ${add(below(`/${path.join('/')}`), value)})`,
          ),
      );
    }
  return parts.length === 0 ? '[]' : parts.join(' + ');
}

/** Which of several policies a pod is under: its place in the list, or -1. */
function choice(policies: readonly Policy[], fills: readonly Fills[]): object[] {
  const meets = policies.map((policy, i) => {
    const rules = rulesOf(policy, { isCompleted: true });
    return {
      name: `meets${i}`,
      expression: rules.map(({ expression }) => `(${expression})`).join(' && ') || 'true',
    };
  });
  const misses = fills.map(({ pod, container }, i) => {
    const parts = pod.map(({ missing }) => `(${missing})`);
    if (container.length > 0)
      parts.push(
        `variables.containers.exists(c, ${container.map(({ missing }) => `(${missing})`).join(' || ')})`,
      );
    return { name: `misses${i}`, expression: parts.join(' || ') || 'false' };
  });
  const asItIs = policies.map((_, i) => [`variables.meets${i} && !variables.misses${i}`, i] as const);
  const completed = policies.map((_, i) => [`variables.meets${i}`, i] as const);
  return [
    {
      name: 'containers',
      expression: 'object.spec.containers + object.spec.?initContainers.orValue([])',
    },
    { name: 'volumes', expression: 'object.spec.?volumes.orValue([])' },
    ...meets,
    ...misses,
    {
      name: 'chosen',
      expression: [...asItIs, ...completed].reduceRight(
        (otherwise, [condition, i]) =>
          `${condition} ? ${i} : ${otherwise === '-1' ? otherwise : `(${otherwise})`}`,
        '-1',
      ),
    },
  ];
}
