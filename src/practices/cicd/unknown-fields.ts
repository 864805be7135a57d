/**
 * Fields of a pod that the API does not know: YAML takes them, the cluster drops them, and with them the protection
 * that they were meant to be.
 */
import { fieldsOf } from '#kube/decode.ts';
import { nearest } from '#kube/nearest.ts';
import { isRecord, type Path } from '#kube/objects.ts';

export interface UnknownField {
  readonly path: Path;
  readonly field: string;
  /** What it was probably meant to be, or where it belongs. */
  readonly hint: string;
}

/** Types whose every field is about security: nothing unknown is harmless in them. */
const SECURITY_TYPES: Readonly<Record<string, string>> = {
  SecurityContext: "a container's securityContext",
  PodSecurityContext: "a pod's securityContext",
  Capabilities: 'capabilities',
  SeccompProfile: 'a seccompProfile',
  AppArmorProfile: 'an appArmorProfile',
  SELinuxOptions: 'seLinuxOptions',
  WindowsSecurityContextOptions: 'windowsOptions',
};

/** Fields whose loss opens a hole, with the types that have them. */
const PLACES: Readonly<Record<string, string>> = {
  securityContext: 'the pod or the container',
  automountServiceAccountToken: "the pod's spec",
  serviceAccountName: "the pod's spec",
  hostNetwork: "the pod's spec",
  hostPID: "the pod's spec",
  hostIPC: "the pod's spec",
  hostUsers: "the pod's spec",
  runtimeClassName: "the pod's spec",
  readOnly: 'a volume mount',
  privileged: "the container's securityContext",
  allowPrivilegeEscalation: "the container's securityContext",
  readOnlyRootFilesystem: "the container's securityContext",
  capabilities: "the container's securityContext",
  procMount: "the container's securityContext",
  runAsNonRoot: 'a securityContext',
  runAsUser: 'a securityContext',
  runAsGroup: 'a securityContext',
  seccompProfile: 'a securityContext',
  appArmorProfile: 'a securityContext',
  seLinuxOptions: 'a securityContext',
  fsGroup: "the pod's securityContext",
  supplementalGroups: "the pod's securityContext",
  sysctls: "the pod's securityContext",
  resources: 'the container',
  limits: "the container's resources",
};

const MAX_FOUND = 50;

/** Unknown fields in a raw pod template, as far as security may depend on them. */
export function unknownFields(pod: unknown): UnknownField[] {
  const found: UnknownField[] = [];
  visit(pod, 'PodTemplateSpec', [], found);
  return found;
}

function visit(value: unknown, type: string, path: Path, found: UnknownField[]): void {
  if (found.length >= MAX_FOUND) return;
  if (type.startsWith('[]')) {
    if (Array.isArray(value))
      value.forEach((item: unknown, index) => {
        visit(item, type.slice(2), [...path, index], found);
      });
    return;
  }
  const fields = fieldsOf(type);
  if (fields === undefined || !isRecord(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    const known = fields.get(name);
    if (known !== undefined) visit(inner, known, [...path, name], found);
    else if (inner !== null) {
      const hint = hintFor(name, type, fields);
      if (hint !== undefined) found.push({ path: [...path, name], field: name, hint });
    }
  }
}

function hintFor(name: string, type: string, fields: ReadonlyMap<string, string>): string | undefined {
  const meant = nearest(name, fields.keys());
  const inSecurity = SECURITY_TYPES[type];
  if (meant !== undefined && (inSecurity !== undefined || Object.hasOwn(PLACES, meant)))
    return `did you mean "${meant}"?`;
  if (Object.hasOwn(PLACES, name)) return `it belongs into ${PLACES[name]}`;
  const elsewhere = nearest(name, Object.keys(PLACES));
  if (elsewhere !== undefined && elsewhere.toLowerCase() === name.toLowerCase())
    return `did you mean "${elsewhere}"? It belongs into ${PLACES[elsewhere]}`;
  return inSecurity === undefined ? undefined : `${inSecurity} has no such field`;
}
