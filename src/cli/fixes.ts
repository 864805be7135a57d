/** From findings to edited files: the bridge between what a check proposes and the text that holds it. */
import { withChanges } from '#check/change.ts';
import type { Finding } from '#check/finding.ts';
import type { KubeObject } from '#kube/objects.ts';
import { diffOf, EditRefused, editsOf, editText } from '#sources/manifests/edit.ts';
import { ManifestOrigin } from '#sources/manifests/origin.ts';
import type { Declared } from '#world/world.ts';
import type { EditRequest } from '#yaml/edit.ts';

/** What becomes of one file. */
export interface FilePlan {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly fixed: readonly Finding[];
  readonly refused: readonly { readonly finding: Finding; readonly reason: string }[];
}

const apply = (value: unknown, changes: readonly EditRequest[]): unknown =>
  withChanges(value as KubeObject, changes);

/**
 * The lines that the fix of a finding would change; undefined where the text cannot be edited safely, or needs the
 * thorough reader, which is not worth loading for a few lines of a report.
 */
export function fixDiff(finding: Finding, declared: Declared | undefined): readonly string[] | undefined {
  const { fix } = finding;
  if (fix === undefined || !(declared?.origin instanceof ManifestOrigin)) return undefined;
  const { source, prefix } = declared.origin;
  if (source.text === undefined) return undefined;
  try {
    return diffOf(source.text, editsOf(source.text, source.document, prefix, fix.changes, apply));
  } catch (error) {
    if (error instanceof EditRefused) return undefined;
    throw error;
  }
}

/**
 * Makes the fixes of findings in the texts of their files, one after the other: each edit is proven before the next.
 *
 * @param declared which declaration each finding is about
 */
export async function planFixes(
  findings: readonly Finding[],
  declared: ReadonlyMap<Finding, Declared>,
): Promise<FilePlan[]> {
  const { readDocuments } = await import('#yaml/read.ts');
  const plans: FilePlan[] = [];
  for (const [file, of] of Map.groupBy(findings, finding => finding.file)) {
    let text: string | undefined;
    let before = '';
    const fixed: Finding[] = [];
    const refused: { finding: Finding; reason: string }[] = [];
    for (const finding of of) {
      const origin = declared.get(finding)?.origin;
      if (finding.fix === undefined) continue;
      if (!(origin instanceof ManifestOrigin)) {
        refused.push({
          finding,
          reason: 'it was rendered: change the template, values or patch that makes it',
        });
        continue;
      }
      if (origin.source.text === undefined) {
        refused.push({ finding, reason: 'its text was not kept' });
        continue;
      }
      if (text === undefined) {
        text = origin.source.text;
        before = text;
      }
      try {
        const { document, prefix } = origin;
        text = editText(text, { document, prefix }, finding.fix.changes, apply, readDocuments).text;
        fixed.push(finding);
      } catch (error) {
        if (!(error instanceof EditRefused)) throw error;
        refused.push({ finding, reason: error.message });
      }
    }
    if (fixed.length + refused.length > 0)
      plans.push({ file, before, after: text ?? before, fixed, refused });
  }
  return plans;
}

/** A fix may bring to light what it hid: without the host's network a pod may have a user namespace of its own. */
const MOST_ROUNDS = 5;

/**
 * Plans fixes round by round, until there is nothing left to mend: whoever runs it again finds nothing to do.
 *
 * @param propose judges the files with the edits made so far, and says which findings are to be mended
 */
export async function planAll(
  propose: (edited: ReadonlyMap<string, string>) => Promise<{
    readonly findings: readonly Finding[];
    readonly declared: ReadonlyMap<Finding, Declared>;
  }>,
): Promise<FilePlan[]> {
  const plans = new Map<string, FilePlan>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const edited = new Map([...plans].map(([file, { after }]) => [file, after]));
    const { findings, declared } = await propose(edited);
    let progress = false;
    for (const plan of await planFixes(findings, declared)) {
      const before = plans.get(plan.file);
      if (plan.before !== plan.after) progress = true;
      plans.set(plan.file, {
        file: plan.file,
        before: before?.before ?? plan.before,
        after: plan.after,
        fixed: [...(before?.fixed ?? []), ...plan.fixed],
        // What was refused once is refused again.
        refused: plan.refused.length > 0 ? plan.refused : (before?.refused ?? []),
      });
    }
    if (!progress) break;
  }
  return [...plans.values()];
}
