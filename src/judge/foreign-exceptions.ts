/**
 * What teams said to other tools, taken for exceptions of ours where somebody asks for it. A mark that means no check
 * of ours excepts nothing. Sources of the forms: kube-linter docs/configuring-kubelinter.md (ignore-check.kube-linter.io),
 * checkov docs/2.Basics/Suppressing and Skipping Policies.md (checkov.io/skipN, checkov:skip=), trivy
 * docs/guide/configuration/filtering.md (trivy:ignore:, exp:), polaris docs/customization/exemptions.md
 * (polaris.fairwinds.com/CHECK-exempt).
 */
import { type Check, idOf } from '#check/check.ts';
import type { Exception, ExceptionScope } from '#check/exception.ts';
import { nameOf } from '#kube/objects.ts';
import { type Declared, metadataOf, namespaceOf } from '#world/world.ts';
import { type Comment, isDate } from './exceptions.ts';

export const foreignTools = ['kube-linter', 'checkov', 'trivy', 'polaris'] as const;

/** The checks of ours that say the same as one of theirs, by the end of our id. */
const SAME: Readonly<Record<(typeof foreignTools)[number], Readonly<Record<string, string>>>> = {
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
    'privileged-ports': 'host-port',
    'read-secret-from-env-var': 'secret-in-environment',
    'run-as-non-root': 'run-as-root',
    'sensitive-host-mounts': 'sensitive-host-path',
    'ssh-port': 'ssh-server',
    'unsafe-proc-mount': 'proc-mount',
    'unsafe-sysctls': 'unsafe-sysctl',
    'unset-cpu-requirements': 'no-cpu-request',
    'unset-memory-requirements': 'no-memory-limit',
    'use-namespace': 'default-namespace',
    'wildcard-in-rules': 'cluster-admin',
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

/**
 * The exceptions that other tools' marks mean.
 *
 * @param honored the tools whose marks count
 */
export function foreignExceptions(
  declared: readonly Declared[],
  comments: readonly Comment[],
  honored: readonly string[],
  checks: readonly Check[],
): Exception[] {
  const found: Exception[] = [];
  const add = (tool: string, theirs: string, reason: string, place: Place, until?: string) => {
    for (const check of meant(tool, theirs, checks))
      found.push({
        check,
        reason: reason === '' ? `as said to ${tool} (${theirs})` : reason,
        owner: tool,
        ...(until === undefined ? {} : { until }),
        source: tool,
        ...place,
      });
  };
  for (const one of declared) {
    const annotations = Object.entries(metadataOf(one.object.metadata).annotations ?? {});
    for (const [key, value] of annotations) {
      const mark = markOf(key, value);
      if (mark === undefined || !honored.includes(mark.tool)) continue;
      const { file, line, column } = one.origin.positionOf(['metadata', 'annotations', key]);
      add(mark.tool, mark.check, mark.reason, { file, line, column, scope: scopeOf(one) });
    }
  }
  for (const { tool, text, file, line, column, lines } of comments) {
    if (tool === undefined || !honored.includes(tool) || lines === undefined) continue;
    const [ids = '', ...reason] = tool === 'checkov' ? text.split(':') : text.split(/\s+/);
    const end = /\bexp:(\d{4}-\d{2}-\d{2})\b/.exec(text)?.[1];
    // A date that is none would never end.
    if (text.includes('exp:') && (end === undefined || !isDate(end))) continue;
    const why = tool === 'checkov' ? reason.join(':').trim() : '';
    for (const id of ids.split(','))
      add(tool, id.trim(), why, { file, line, column, scope: { file, lines } }, end);
  }
  return found;
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly scope: ExceptionScope;
}

interface Mark {
  readonly tool: string;
  readonly check: string;
  readonly reason: string;
}

function markOf(key: string, value: string): Mark | undefined {
  const slash = key.indexOf('/');
  const [domain, name] = [key.slice(0, slash), key.slice(slash + 1)];
  switch (domain) {
    case 'ignore-check.kube-linter.io':
      return { tool: 'kube-linter', check: name, reason: value };
    case 'kube-linter.io':
      return name === 'ignore-all' ? { tool: 'kube-linter', check: '*', reason: value } : undefined;
    case 'checkov.io': {
      const equals = value.indexOf('=');
      if (!/^skip\d*$/.test(name)) return undefined;
      return equals < 0
        ? { tool: 'checkov', check: value.trim(), reason: '' }
        : { tool: 'checkov', check: value.slice(0, equals).trim(), reason: value.slice(equals + 1).trim() };
    }
    case 'polaris.fairwinds.com':
      if (value !== 'true') return undefined;
      if (name === 'exempt') return { tool: 'polaris', check: '*', reason: '' };
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

/** The ids of ours; an asterisk means all that the tool has a word for. */
function meant(tool: string, theirs: string, checks: readonly Check[]): string[] {
  const table = SAME[tool as keyof typeof SAME];
  const name = tool === 'trivy' ? trivyId(theirs) : theirs;
  const names = name === '*' ? new Set(Object.values(table)) : new Set([ownName(table, name)]);
  return checks.filter(check => names.has(check.name)).map(idOf);
}

function ownName(table: Readonly<Record<string, string>>, name: string): string {
  const known = Object.keys(table).find(key => key.toLowerCase() === name.toLowerCase());
  return known === undefined ? '' : table[known]!;
}

/** `AVD-KSV-0001`, `KSV001` and `KSV-0001` are one. */
function trivyId(id: string): string {
  const digits = /^(?:AVD-)?KSV-?0*(\d+)$/i.exec(id)?.[1];
  return digits === undefined ? '' : `KSV-${digits.padStart(4, '0')}`;
}
