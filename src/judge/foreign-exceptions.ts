/**
 * What teams said to other tools, taken for exceptions of ours where somebody asks for it. A mark that means no check
 * of ours excepts nothing. Sources of the forms: kube-linter docs/configuring-kubelinter.md and pkg/ignore/ignore.go
 * (ignore-check.kube-linter.io, ignore-all), checkov docs/2.Basics/Suppressing and Skipping Policies.md,
 * checkov/kubernetes/kubernetes_utils.py and checkov/common/comment/enum.py (checkov.io/skipN, checkov:skip=, both with
 * bridgecrew in place of checkov), trivy docs/guide/scanner/misconfiguration/config/config.md and pkg/iac/ignore/parse.go
 * (trivy:ignore:ID:exp:DATE, several on a line), polaris docs/customization/exemptions.md
 * (polaris.fairwinds.com/CHECK-exempt). Files of settings: foreign-settings.ts.
 */
import { type Check, idOf } from '#check/check.ts';
import type { Exception, ExceptionScope } from '#check/exception.ts';
import { matchesName } from '#kube/glob.ts';
import { formatPath, nameOf } from '#kube/objects.ts';
import { podTemplatesOf } from '#kube/workloads.ts';
import { type Declared, metadataOf, namespaceOf } from '#world/world.ts';
import { type Comment, isDate } from './exceptions.ts';

export const foreignTools = ['kube-linter', 'checkov', 'trivy', 'polaris'] as const;

export type ForeignTool = (typeof foreignTools)[number];

/** The checks of ours that say the same as one of theirs, by the end of our id. */
const SAME: Readonly<Record<ForeignTool, Readonly<Record<string, string | readonly string[]>>>> = {
  'kube-linter': {
    'access-to-create-pods': 'pod-creation',
    'access-to-secrets': 'secrets-readable',
    'cluster-admin-role-binding': 'cluster-admin',
    'default-service-account': 'default-service-account',
    'deprecated-service-account-field': 'deprecated-account-field',
    'docker-sock': 'runtime-socket',
    'drop-net-raw-capability': 'capabilities-kept',
    'env-var-secret': 'literal-credential',
    'host-ipc': 'host-namespaces',
    'host-network': 'host-namespaces',
    'host-pid': 'host-namespaces',
    'latest-tag': 'image-tag',
    'mismatching-selector': 'selector-mismatch',
    'minimum-three-replicas': 'single-replica',
    'no-liveness-probe': 'no-liveness-probe',
    'no-read-only-root-fs': 'writable-root-filesystem',
    'no-readiness-probe': 'no-readiness-probe',
    'no-rolling-update-strategy': 'recreate-strategy',
    'non-existent-service-account': 'missing-service-account',
    'pdb-min-available': 'blocking-disruption-budget',
    'privilege-escalation-container': 'privilege-escalation',
    'privileged-container': 'privileged',
    'read-secret-from-env-var': 'secret-in-environment',
    'run-as-non-root': 'run-as-root',
    'sensitive-host-mounts': 'sensitive-host-path',
    'ssh-port': 'ssh-server',
    'unsafe-proc-mount': 'proc-mount',
    'unsafe-sysctls': 'unsafe-sysctl',
    'unset-cpu-requirements': 'no-cpu-request',
    'unset-memory-requirements': 'no-memory-limit',
    'use-namespace': 'default-namespace',
    'wildcard-in-rules': ['wildcard-resources', 'wildcard-verbs'],
    'writable-host-mount': 'writable-host-path',
  },
  checkov: {
    CKV_K8S_8: 'no-liveness-probe',
    CKV_K8S_9: 'no-readiness-probe',
    CKV_K8S_10: 'no-cpu-request',
    CKV_K8S_11: 'no-cpu-limit',
    CKV_K8S_12: 'no-memory-request',
    CKV_K8S_13: 'no-memory-limit',
    CKV_K8S_14: 'image-tag',
    CKV_K8S_15: 'image-pull-policy',
    CKV_K8S_16: 'privileged',
    CKV_K8S_17: 'host-namespaces',
    CKV_K8S_18: 'host-namespaces',
    CKV_K8S_19: 'host-namespaces',
    CKV_K8S_20: 'privilege-escalation',
    CKV_K8S_21: 'default-namespace',
    CKV_K8S_22: 'writable-root-filesystem',
    CKV_K8S_23: 'run-as-root',
    CKV_K8S_25: 'capability-added',
    CKV_K8S_26: 'host-port',
    CKV_K8S_27: 'runtime-socket',
    CKV_K8S_28: 'capabilities-kept',
    CKV_K8S_29: 'no-security-context',
    CKV_K8S_30: 'no-security-context',
    CKV_K8S_31: 'seccomp-missing',
    CKV_K8S_33: 'kubernetes-dashboard',
    CKV_K8S_34: 'tiller',
    CKV_K8S_35: 'secret-in-environment',
    CKV_K8S_37: 'capabilities-kept',
    CKV_K8S_38: 'token-mounted',
    CKV_K8S_39: 'dangerous-capability',
    CKV_K8S_40: 'low-user-id',
    CKV_K8S_43: 'image-digest',
  },
  trivy: {
    'KSV-0001': 'privilege-escalation',
    'KSV-0003': 'capabilities-kept',
    'KSV-0005': 'dangerous-capability',
    'KSV-0006': 'runtime-socket',
    'KSV-0008': 'host-namespaces',
    'KSV-0009': 'host-namespaces',
    'KSV-0010': 'host-namespaces',
    'KSV-0011': 'no-cpu-limit',
    'KSV-0012': 'run-as-root',
    'KSV-0013': 'image-tag',
    'KSV-0014': 'writable-root-filesystem',
    'KSV-0015': 'no-cpu-request',
    'KSV-0016': 'no-memory-request',
    'KSV-0017': 'privileged',
    'KSV-0018': 'no-memory-limit',
    'KSV-0020': 'low-user-id',
    'KSV-0021': 'low-group-id',
    'KSV-0022': 'capability-added',
    'KSV-0023': 'host-path-volume',
    'KSV-0024': 'host-port',
    'KSV-0025': 'selinux-override',
    'KSV-0026': 'unsafe-sysctl',
    'KSV-0027': 'proc-mount',
    'KSV-0028': 'volume-type',
    'KSV-0030': 'seccomp-missing',
    'KSV-0036': 'token-mounted',
    'KSV-0037': 'system-namespace',
    'KSV-0041': 'secrets-readable',
    'KSV-0103': 'windows-host-process',
    'KSV-0104': 'seccomp-unconfined',
    'KSV-0105': 'root-user',
    'KSV-0106': 'capabilities-kept',
    'KSV-0109': 'credential-in-configmap',
    'KSV-0110': 'default-namespace',
    'KSV-0118': 'no-security-context',
  },
  polaris: {
    clusterrolebindingClusterAdmin: 'cluster-admin',
    clusterrolePodExecAttach: 'pod-exec',
    rolePodExecAttach: 'pod-exec',
    cpuLimitsMissing: 'no-cpu-limit',
    cpuRequestsMissing: 'no-cpu-request',
    dangerousCapabilities: 'dangerous-capability',
    deploymentMissingReplicas: 'single-replica',
    hostIPCSet: 'host-namespaces',
    hostNetworkSet: 'host-namespaces',
    hostPathSet: 'host-path-volume',
    hostPIDSet: 'host-namespaces',
    hostPortSet: 'host-port',
    hostProcess: 'windows-host-process',
    insecureCapabilities: 'capabilities-kept',
    livenessProbeMissing: 'no-liveness-probe',
    memoryLimitsMissing: 'no-memory-limit',
    memoryRequestsMissing: 'no-memory-request',
    missingPodDisruptionBudget: 'no-disruption-budget',
    notReadOnlyRootFilesystem: 'writable-root-filesystem',
    privilegeEscalationAllowed: 'privilege-escalation',
    procMount: 'proc-mount',
    pullPolicyNotAlways: 'image-pull-policy',
    readinessProbeMissing: 'no-readiness-probe',
    runAsPrivileged: 'privileged',
    runAsRootAllowed: 'run-as-root',
    sensitiveConfigmapContent: 'credential-in-configmap',
    sensitiveContainerEnvVar: 'literal-credential',
    tagNotSpecified: 'image-tag',
    unsafeSysctls: 'unsafe-sysctl',
    automountServiceAccountToken: 'token-mounted',
  },
};

/** Where one of theirs is about one of the fields that a check of ours looks at: no mark may except the others. */
const FIELD: Readonly<Record<string, string>> = {
  'host-ipc': 'hostIPC',
  'host-network': 'hostNetwork',
  'host-pid': 'hostPID',
  CKV_K8S_17: 'hostPID',
  CKV_K8S_18: 'hostIPC',
  CKV_K8S_19: 'hostNetwork',
  'KSV-0008': 'hostIPC',
  'KSV-0009': 'hostNetwork',
  'KSV-0010': 'hostPID',
  hostIPCSet: 'hostIPC',
  hostNetworkSet: 'hostNetwork',
  hostPIDSet: 'hostPID',
};

/** Where a pod's own fields lie in what is usually written: for marks that name no object. */
const USUAL_PODS = ['spec', 'spec.template.spec', 'spec.jobTemplate.spec.template.spec'];

/** A mark of another tool that was not turned into an exception. */
export interface Unturned {
  readonly tool: string;
  readonly file: string;
  readonly line: number;
  readonly why: string;
}

/**
 * The exceptions that other tools' marks mean.
 *
 * @param honored the tools whose marks count
 * @param unturned takes the marks that mean nothing here
 */
export function foreignExceptions(
  declared: readonly Declared[],
  comments: readonly Comment[],
  honored: readonly string[],
  checks: readonly Check[],
  unturned: (one: Unturned) => void = () => undefined,
): Exception[] {
  const found: Exception[] = [];
  const add = (mark: Mark, place: Place, pods: readonly string[]) => {
    const { tool, check: theirs, reason, until, wild = false } = mark;
    const means = meaningOf(tool, theirs, checks, { pods, wild });
    if (means.length === 0)
      unturned({ tool, file: place.file, line: place.line, why: `no check here says what ${theirs} says` });
    for (const { check, field } of means)
      found.push({
        check,
        reason: reason === '' ? `as said to ${tool} (${theirs})` : reason,
        owner: tool,
        ...(until === undefined ? {} : { until }),
        source: tool,
        ...place,
        scope: field === undefined ? place.scope : { ...place.scope, field },
      });
  };
  for (const one of declared) {
    const annotations = Object.entries(metadataOf(one.object.metadata).annotations ?? {});
    for (const [key, value] of annotations) {
      const mark = markOf(key, value);
      if (mark === undefined || !honored.includes(mark.tool)) continue;
      const { file, line, column } = one.origin.positionOf(['metadata', 'annotations', key]);
      add(mark, { file, line, column, scope: scopeOf(one) }, podsOf([one]));
    }
  }
  for (const comment of comments) {
    const { tool, file, line, column, lines } = comment;
    if (tool === undefined || !honored.includes(tool)) continue;
    if (lines === undefined) {
      unturned({ tool, file, line, why: 'nothing follows that the comment could stand at' });
      continue;
    }
    const pods = podsOf(declared.filter(({ origin }) => origin.file === file));
    for (const mark of tool === 'checkov' ? checkovMarks(comment.text) : trivyMarks(comment.text))
      if ('why' in mark) unturned({ tool, file, line, why: mark.why });
      else add(mark, { file, line, column, scope: { file, lines } }, pods);
  }
  return found;
}

/** `CKV_K8S_16:reason`, behind the equals sign. */
function checkovMarks(text: string): Mark[] {
  const [ids = '', ...reason] = text.split(':');
  const why = reason
    .join(':')
    .trim()
    .replace(/^"(.*)"$/, '$1');
  return ids.split(',').map(id => ({ tool: 'checkov', check: id.trim(), reason: why }));
}

/**
 * `ID`, `ID:exp:DATE`, and more of them behind a space, each with `trivy:ignore:` before it. What is confined to
 * attributes or to workspaces of Terraform is about no Kubernetes object.
 */
function trivyMarks(text: string): (Mark | { readonly why: string })[] {
  const [first = '', ...words] = text.split(/\s+/);
  // A date behind a space is of no meaning to trivy itself, and people write it.
  const behind = words.find(word => word.startsWith('exp:'))?.slice('exp:'.length);
  const more = words.flatMap(word => /^#?trivy:ignore:(.+)$/.exec(word)?.[1] ?? []);
  return [first, ...more].flatMap((rule): (Mark | { readonly why: string })[] => {
    const [ids = '', ...sections] = rule.split(':');
    let until = behind;
    for (let i = 0; i + 1 < sections.length; i += 2) {
      if (sections[i] === 'exp') until = sections[i + 1];
      else if (sections[i] === 'ws') return [{ why: `${rule} is about workspaces of Terraform` }];
    }
    if (ids.includes('[')) return [{ why: `${rule} is confined to an attribute` }];
    // A date that is none would never end.
    if (rule.includes(':exp') && until === undefined) return [{ why: `${rule} states no date` }];
    if (until !== undefined && !isDate(until)) return [{ why: `"${until}" is no date` }];
    return ids.split(',').map(id => ({
      tool: 'trivy',
      check: id.trim(),
      wild: true,
      reason: '',
      ...(until === undefined ? {} : { until }),
    }));
  });
}

/** Where the pods of objects have their own fields. */
function podsOf(declared: readonly Declared[]): readonly string[] {
  const found = declared.flatMap(({ object }) =>
    podTemplatesOf(object).map(({ pathOf }) => formatPath(pathOf(['spec']))),
  );
  return found.length === 0 ? USUAL_PODS : [...new Set(found)];
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly scope: ExceptionScope;
}

interface Mark {
  readonly tool: ForeignTool;
  readonly check: string;
  readonly reason: string;
  readonly until?: string;
  /** An asterisk in its name stands for any letters. */
  readonly wild?: boolean;
}

function markOf(key: string, value: string): Mark | undefined {
  const slash = key.indexOf('/');
  const [domain, name] = [key.slice(0, slash), key.slice(slash + 1)];
  switch (domain) {
    case 'ignore-check.kube-linter.io':
      return { tool: 'kube-linter', check: name, reason: value };
    case 'kube-linter.io':
      return name === 'ignore-all'
        ? { tool: 'kube-linter', check: '*', wild: true, reason: value }
        : undefined;
    case 'checkov.io':
    case 'bridgecrew.io': {
      const equals = value.indexOf('=');
      if (!name.startsWith('skip')) return undefined;
      return equals < 0
        ? { tool: 'checkov', check: value.trim(), reason: '' }
        : { tool: 'checkov', check: value.slice(0, equals).trim(), reason: value.slice(equals + 1).trim() };
    }
    case 'polaris.fairwinds.com':
      if (value !== 'true') return undefined;
      if (name === 'exempt') return { tool: 'polaris', check: '*', wild: true, reason: '' };
      return name.endsWith('-exempt')
        ? { tool: 'polaris', check: name.slice(0, -'-exempt'.length), reason: '' }
        : undefined;
    default:
      return undefined;
  }
}

function scopeOf({ object, origin }: Declared): ExceptionScope {
  const namespace = namespaceOf(object);
  return {
    file: origin.file,
    object: `${object.kind}/${nameOf(object)}`,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** A check of ours that one of theirs means. */
export interface Meaning {
  readonly check: string;
  /** What of an object it is about, where that is less than our check looks at. */
  readonly field?: string;
}

export interface MeaningOptions {
  /** Where pods have their own fields. */
  readonly pods?: readonly string[];
  /** Whether an asterisk stands for any letters, as some forms of theirs have it. */
  readonly wild?: boolean;
}

/** What the name of one of their checks means here: each check of ours, confined where it looks at more. */
export function meaningOf(
  tool: ForeignTool,
  theirs: string,
  checks: readonly Check[],
  { pods = USUAL_PODS, wild = false }: MeaningOptions = {},
): Meaning[] {
  const found = new Map<string, Meaning>();
  for (const [key, names] of Object.entries(SAME[tool])) {
    if (!isNamed(tool, key, theirs, wild)) continue;
    const field = FIELD[key];
    for (const check of checks) {
      if (typeof names === 'string' ? check.name !== names : !names.includes(check.name)) continue;
      for (const one of field === undefined ? [undefined] : pods.map(pod => `${pod}.${field}`)) {
        const id = idOf(check);
        found.set(`${id} ${one ?? ''}`, { check: id, ...(one === undefined ? {} : { field: one }) });
      }
    }
  }
  return [...found.values()];
}

/** `AVD-KSV-0001`, `KSV001` and `KSV-0001` are one. */
function isNamed(tool: ForeignTool, key: string, theirs: string, wild: boolean): boolean {
  const names = [key.toLowerCase()];
  if (tool === 'trivy') {
    const digits = key.slice('KSV-'.length);
    names.push(`avd-ksv-${digits}`, `ksv${digits.slice(1)}`);
  }
  const name = theirs.toLowerCase();
  // A question mark is a letter like any other to them.
  return wild && !name.includes('?') ? names.some(one => matchesName(name, one)) : names.includes(name);
}
