/** What PodSecurityPolicies wrote into pods, as edits of the manifests that make them. */
import { withChanges } from '#check/change.ts';
import { SECCOMP_POD, seccompField } from '#decide/pod-security/policy/profiles.ts';
import type { PolicySource, WorkloadPolicies } from '#judge/policies.ts';
import { formatPath, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { diffOf, EditRefused, editText } from '#sources/manifests/edit.ts';
import { ManifestOrigin } from '#sources/manifests/origin.ts';
import type { EditRequest } from '#yaml/edit.ts';

export interface PolicyEdit {
  readonly file: string;
  /** Of the field, or of what is nearest to it. */
  readonly line: number;
  readonly column: number;
  readonly object: WorkloadPolicies['object'];
  readonly policy: string;
  /** In the object. */
  readonly path: string;
  /** Null where nothing stands there. */
  readonly before: unknown;
  readonly value: unknown;
}

/** The edits of one workload, and the lines that they change. */
export interface WorkloadEdits {
  readonly workload: WorkloadPolicies;
  readonly edits: readonly PolicyEdit[];
  /** Each begins with `-` or `+`; empty where the text cannot be edited. */
  readonly lines: readonly string[];
  /** Why the text cannot be edited. */
  readonly refused?: string;
}

export interface EditedFile {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

const apply = (value: unknown, changes: readonly EditRequest[]): unknown =>
  withChanges(value as KubeObject, changes);

export async function policyEdits(
  sources: ReadonlyMap<WorkloadPolicies, PolicySource>,
): Promise<{ readonly workloads: readonly WorkloadEdits[]; readonly files: readonly EditedFile[] }> {
  const { readDocuments } = await import('#yaml/read.ts');
  const files = new Map<string, EditedFile>();
  const workloads: WorkloadEdits[] = [];
  for (const [workload, { declared, pathOf, writes }] of sources) {
    const { object, origin } = declared;
    const requests = writes
      .map(modern)
      .map(({ at, value }): EditRequest & { value: unknown } => ({ op: 'set', path: pathOf(at), value }));
    if (requests.length === 0) continue;
    const edits = requests.map(({ path, value }): PolicyEdit => {
      const { file, line, column } = origin.positionOf(path);
      return {
        file,
        line,
        column,
        object: workload.object,
        policy: workload.decision.policyChosen ?? '',
        path: formatPath(path),
        before: valueAt(object, path) ?? null,
        value,
      };
    });
    const refuse = (refused: string) => workloads.push({ workload, edits, lines: [], refused });
    if (!(origin instanceof ManifestOrigin)) {
      refuse('it was rendered: change the template, values or patch that makes it');
      continue;
    }
    const { source, document, prefix } = origin;
    const text = files.get(origin.file)?.after ?? source.text;
    if (text === undefined) {
      refuse('its text was not kept');
      continue;
    }
    try {
      const edited = editText(text, { document, prefix }, requests, apply, readDocuments);
      const { before } = files.get(origin.file) ?? { before: text };
      files.set(origin.file, { file: origin.file, before, after: edited.text });
      workloads.push({ workload, edits, lines: diffOf(text, edited.edits) });
    } catch (error) {
      if (!(error instanceof EditRefused)) throw error;
      refuse(error.message);
    }
  }
  return { workloads, files: [...files.values()] };
}

/** Seccomp has had a field since 1.19, and servers since 1.27 do not read its annotations any more. */
function modern(write: { readonly at: Path; readonly value: unknown }): typeof write {
  const { at, value } = write;
  if (at[0] !== 'metadata' || at.at(-1) !== SECCOMP_POD) return write;
  const field = seccompField(String(value));
  return field === undefined ? write : { at: ['spec', 'securityContext', 'seccompProfile'], value: field };
}
