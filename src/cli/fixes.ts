/** From findings to edited files: the bridge between what a check proposes and the text that holds it. */
import { withChanges } from '#check/change.ts';
import type { Finding } from '#check/finding.ts';
import type { KubeObject, Path } from '#kube/objects.ts';
import { diffOf, EditRefused, editsOf, editText } from '#sources/manifests/edit.ts';
import { ManifestOrigin } from '#sources/manifests/origin.ts';
import type { Rendering } from '#sources/manifests/rendering.ts';
import type { Declared } from '#world/world.ts';
import type { EditRequest } from '#yaml/edit.ts';
import type { RenderedMender } from './rendered/mender.ts';

/** What becomes of one file. */
export interface FilePlan {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly fixed: readonly Finding[];
  readonly refused: readonly { readonly finding: Finding; readonly reason: string }[];
  /** What stood in a list that lost items, and has to be judged again. */
  readonly deferred: readonly Finding[];
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

/** What is needed beside the findings to mend them. */
export interface FixContext {
  /** Charts and kustomizations, to mend what they make where it comes from. */
  readonly renderings?: readonly Rendering[];
  /** Of findings that several environments made: theirs. */
  readonly parts?: ReadonlyMap<Finding, readonly Finding[]>;
  /** The text of a file as it stands now, without a byte order mark. */
  readonly read?: (file: string) => string | undefined;
  /** Whether a file lies in what the user named. */
  readonly mayEdit?: (file: string) => boolean;
  /** Overlays get patches; the files that they are made of are left alone. */
  readonly asPatch?: boolean;
  /** Whether somebody wants what a fix would do to files; asked when that is known. */
  readonly agrees?: (finding: Finding, changed: readonly FileChange[]) => boolean;
}

export interface FileChange {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Makes the fixes of findings in the texts of their files, one after the other: each edit is proven before the next.
 *
 * @param declared which declaration each finding is about
 * @param made texts of files that do not exist yet, or were edited before
 */
export async function planFixes(
  findings: readonly Finding[],
  declared: ReadonlyMap<Finding, Declared>,
  context: FixContext = {},
  made: ReadonlyMap<string, string> = new Map(),
): Promise<FilePlan[]> {
  const planner = new Planner(findings, declared, context, made);
  for (const [, of] of Map.groupBy(findings, finding => finding.file))
    for (const finding of of) if (finding.fix !== undefined) await planner.add(finding);
  return planner.plans();
}

class Planner {
  readonly #findings: readonly Finding[];
  readonly #declared: ReadonlyMap<Finding, Declared>;
  readonly #context: FixContext;
  readonly #made: ReadonlyMap<string, string>;
  readonly #before = new Map<string, string>();
  readonly #texts = new Map<string, string>();
  readonly #fixed = new Map<string, Finding[]>();
  readonly #refused = new Map<string, { finding: Finding; reason: string }[]>();
  /** Lists that lost items in this round, by object: what stands in them now has other places than findings say. */
  readonly #shifted = new Map<string, Path[]>();
  readonly #deferred = new Map<string, Finding[]>();
  #mender: RenderedMender | undefined;

  constructor(
    findings: readonly Finding[],
    declared: ReadonlyMap<Finding, Declared>,
    context: FixContext,
    made: ReadonlyMap<string, string>,
  ) {
    this.#findings = findings;
    this.#declared = declared;
    this.#context = context;
    this.#made = made;
  }

  async add(finding: Finding): Promise<void> {
    const { file: home, object, fix } = finding;
    const key = [home, object.kind, object.namespace ?? '', object.name].join('\0');
    const shifted = this.#shifted.get(key) ?? [];
    const isShifted = (path: Path) =>
      shifted.some(list => path.length > list.length && list.every((step, i) => path[i] === step));
    if (fix!.changes.some(({ path }) => isShifted(path))) {
      this.#deferred.set(home, [...(this.#deferred.get(home) ?? []), finding]);
      return;
    }
    const before = new Map(this.#texts);
    try {
      const changed = await this.#changed(finding);
      const files = [...changed].map(([file, { text, was }]) => ({ file, before: was, after: text }));
      if (this.#context.agrees?.(finding, files) === false) {
        await this.#mender?.reset(this.#current(before));
        return;
      }
      for (const { file, before: was, after } of files) {
        if (!this.#before.has(file)) this.#before.set(file, was);
        this.#texts.set(file, after);
      }
      const lists = fix!.changes.flatMap(({ op, path }) =>
        op === 'remove' && typeof path.at(-1) === 'number' ? [path.slice(0, -1)] : [],
      );
      this.#shifted.set(key, [...shifted, ...lists]);
      const at = changed.has(home) ? home : (files[0]?.file ?? home);
      this.#fixed.set(at, [...(this.#fixed.get(at) ?? []), finding]);
    } catch (error) {
      if (!(error instanceof EditRefused)) throw error;
      const { file } = finding;
      this.#refused.set(file, [...(this.#refused.get(file) ?? []), { finding, reason: error.message }]);
    }
  }

  #current(own: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    return new Map([...this.#made, ...own]);
  }

  /** @throws EditRefused */
  async #changed(
    finding: Finding,
  ): Promise<ReadonlyMap<string, { readonly text: string; readonly was: string }>> {
    const origin = this.#declared.get(finding)?.origin;
    if (origin instanceof ManifestOrigin) {
      const { file, document, prefix } = origin;
      if (origin.source.text === undefined) throw new EditRefused('its text was not kept');
      const was = this.#texts.get(file) ?? origin.source.text;
      const { readDocuments } = await import('#yaml/read.ts');
      const { text } = editText(was, { document, prefix }, finding.fix!.changes, apply, readDocuments);
      return new Map([[file, { text, was }]]);
    }
    const { renderings = [], read = () => undefined, mayEdit = () => false, asPatch = false } = this.#context;
    if (this.#mender === undefined) {
      const { RenderedMender } = await import('./rendered/mender.ts');
      this.#mender = new RenderedMender({
        renderings,
        findings: this.#findings,
        declared: this.#declared,
        parts: this.#context.parts ?? new Map(),
        files: { read, mayEdit: file => mayEdit(file) || this.#made.has(file) || this.#texts.has(file) },
        edited: this.#current(this.#texts),
        asPatch,
        isNew: file => read(file) === undefined,
      });
    }
    const texts = await this.#mender.mend(finding);
    return new Map(
      [...texts].map(([file, text]) => [
        file,
        { text, was: this.#texts.get(file) ?? this.#made.get(file) ?? read(file) ?? '' },
      ]),
    );
  }

  plans(): FilePlan[] {
    const files = new Set(
      [this.#texts, this.#fixed, this.#refused, this.#deferred].flatMap(one => [...one.keys()]),
    );
    return [...files].map(file => ({
      file,
      before: this.#before.get(file) ?? '',
      after: this.#texts.get(file) ?? this.#before.get(file) ?? '',
      fixed: this.#fixed.get(file) ?? [],
      refused: this.#refused.get(file) ?? [],
      deferred: this.#deferred.get(file) ?? [],
    }));
  }
}

/** A fix may bring to light what it hid: without the host's network a pod may have a user namespace of its own. */
const MOST_ROUNDS = 5;

/** What a round of judging found to mend. */
export interface Proposed extends FixContext {
  readonly findings: readonly Finding[];
  readonly declared: ReadonlyMap<Finding, Declared>;
}

/**
 * Plans fixes round by round, until there is nothing left to mend: whoever runs it again finds nothing to do.
 *
 * @param propose judges the files with the edits made so far, and says which findings are to be mended
 */
export async function planAll(
  propose: (edited: ReadonlyMap<string, string>) => Promise<Proposed>,
): Promise<FilePlan[]> {
  const plans = new Map<string, FilePlan>();
  let deferred: readonly (readonly [file: string, finding: Finding])[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const edited = new Map(
      [...plans].flatMap(([file, { before, after }]) => (before === after ? [] : [[file, after] as const])),
    );
    const { findings, declared, ...context } = await propose(edited);
    const left = new Set(findings.map(({ fingerprint }) => fingerprint));
    // What another fix did as well is mended all the same.
    for (const [file, finding] of deferred) {
      const plan = plans.get(file);
      if (plan !== undefined && !left.has(finding.fingerprint))
        plans.set(file, { ...plan, fixed: [...plan.fixed, finding] });
    }
    const waiting: (readonly [string, Finding])[] = [];
    let progress = false;
    const refused = new Map<string, FilePlan['refused']>();
    for (const plan of await planFixes(findings, declared, context, edited)) {
      const before = plans.get(plan.file);
      const changes = plan.before !== plan.after;
      if (changes) progress = true;
      if (plan.refused.length > 0) refused.set(plan.file, plan.refused);
      waiting.push(...plan.deferred.map(finding => [plan.file, finding] as const));
      plans.set(plan.file, {
        file: plan.file,
        before: before !== undefined && before.before !== before.after ? before.before : plan.before,
        after: changes ? plan.after : (before?.after ?? plan.after),
        fixed: [...(before?.fixed ?? []), ...plan.fixed],
        refused: [],
        deferred: [],
      });
    }
    deferred = waiting;
    // What was refused once is asked again after every change, and only the last answer counts.
    for (const [file, plan] of plans) plans.set(file, { ...plan, refused: refused.get(file) ?? [] });
    if (!progress) break;
  }
  return [...plans.values()];
}
