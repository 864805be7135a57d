/**
 * Mends findings of rendered objects where they come from. Every proposal is made and rendered again for all
 * environments: it is taken only if nothing but wanted changes shows in what comes out.
 */
import type { Change } from '#check/change.ts';
import type { Finding } from '#check/finding.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { ChartOrigin } from '#sources/helm/declared.ts';
import { BuiltOrigin } from '#sources/kustomize/door.ts';
import { EditRefused } from '#sources/manifests/edit.ts';
import type { Made, Rendering } from '#sources/manifests/rendering.ts';
import type { Declared } from '#world/world.ts';
import { chartProposals } from './charts.ts';
import { ownerProposals, patchProposals } from './overlays.ts';
import {
  type Aim,
  isMade,
  keyIn,
  objectsOf,
  problemWith,
  unstableIn,
  type Wanted,
  wordsFor,
} from './proof.ts';
import type { Files, Proposal, Spot, Texts } from './texts.ts';

/** Renderings in one run: a proposal costs one, and somebody waits. */
const MOST_RENDERINGS = 3000;

export interface MenderOptions {
  readonly renderings: readonly Rendering[];
  /** What this run may change: the findings that are to be mended. */
  readonly findings: readonly Finding[];
  readonly declared: ReadonlyMap<Finding, Declared>;
  readonly parts: ReadonlyMap<Finding, readonly Finding[]>;
  readonly files: Files;
  /** Texts that were edited before, by this run. */
  readonly edited: Texts;
  /** Overlays get patches; the files that they are made of are left alone. */
  readonly asPatch: boolean;
  /** Files that this run makes. */
  readonly isNew: (name: string) => boolean;
}

interface State {
  readonly rendering: Rendering;
  made: Made;
  readonly unstable: Map<Made, ReadonlySet<string>>;
}

export class RenderedMender {
  readonly #options: MenderOptions;
  readonly #states: readonly State[];
  readonly #wanted: Wanted;
  readonly #byOrigin = new Map<object, State>();
  readonly #texts: Map<string, string>;
  readonly #files: Files;
  #left = MOST_RENDERINGS;

  constructor(options: MenderOptions) {
    this.#options = options;
    this.#states = options.renderings.map(rendering => ({
      rendering,
      made: rendering.made,
      unstable: new Map(),
    }));
    for (const state of this.#states)
      for (const { origin } of state.rendering.made.declared) this.#byOrigin.set(origin, state);
    const wanted = new Map<string, Change[]>();
    for (const one of options.findings)
      for (const finding of options.parts.get(one) ?? [one]) {
        const declared = this.#madeOf(finding);
        if (declared === undefined || finding.fix === undefined) continue;
        for (const environment of declared.environments ?? ['']) {
          const key = keyIn(environment, declared.object);
          wanted.set(key, [...(wanted.get(key) ?? []), ...finding.fix.changes]);
        }
      }
    this.#wanted = wanted;
    this.#texts = new Map(options.edited);
    this.#files = {
      read: name => this.#texts.get(name) ?? options.files.read(name),
      mayEdit: name => options.files.mayEdit(name),
    };
  }

  /** What was rendered for a finding when it was judged. */
  #madeOf(finding: Finding): Declared | undefined {
    const declared = this.#options.declared.get(finding);
    const state = declared === undefined ? undefined : this.#byOrigin.get(declared.origin);
    return state?.rendering.made.declared.find(({ origin }) => origin === declared!.origin);
  }

  /**
   * The texts that mend a finding; of its changes all are made, or none.
   *
   * @throws EditRefused with where it can be mended by hand
   */
  async mend(finding: Finding): Promise<Texts> {
    const judged = this.#madeOf(finding);
    const state = judged === undefined ? undefined : this.#byOrigin.get(judged.origin);
    if (judged === undefined || state === undefined)
      throw new EditRefused('it was rendered: change the template, values or patch that makes it');
    const key = keyOf(state.rendering.made, judged);
    const before = new Map(this.#texts);
    const { made } = state;
    const undo = (): void => {
      this.#texts.clear();
      for (const [name, text] of before) this.#texts.set(name, text);
      state.made = made;
    };
    const changes = finding.fix!.changes;
    try {
      const isBuilt = judged.origin instanceof BuiltOrigin;
      if (!isBuilt || !this.#options.asPatch) {
        const failure = await this.#inOwners(state, key, judged.object, changes);
        if (failure === undefined) return this.#difference(before);
        undo();
        if (state.rendering.kind !== 'kustomizations') throw failure;
        if ((await this.#asPatch(state, key, changes)) !== undefined) throw failure;
        return this.#difference(before);
      }
      const reason = await this.#asPatch(state, key, changes);
      if (reason === undefined) return this.#difference(before);
      throw new EditRefused(`a patch next to the overlay does not do it: ${reason}`);
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** Takes back what {@link mend} did: somebody did not agree. */
  async reset(texts: Texts): Promise<void> {
    for (const name of this.#texts.keys()) if (!texts.has(name)) this.#texts.delete(name);
    for (const [name, text] of texts) this.#texts.set(name, text);
    for (const state of this.#states)
      if (state.made !== state.rendering.made) state.made = await state.rendering.again(this.#texts);
  }

  #difference(before: Texts): Texts {
    return new Map([...this.#texts].filter(([name, text]) => before.get(name) !== text));
  }

  /** Each change where its value comes from. @returns why not */
  async #inOwners(
    state: State,
    key: string,
    original: KubeObject,
    changes: readonly Change[],
  ): Promise<EditRefused | undefined> {
    for (const change of joined(original, changes)) {
      const declared = objectsOf(state.made).get(key);
      if (declared === undefined) return new EditRefused('it is not rendered any more');
      if (declared.object !== original && isMade(original, declared.object, change, [change])) continue;
      let refused: { readonly proposal: Proposal; readonly reason: string } | undefined;
      let taken = false;
      for (const proposal of this.#proposals(state, declared, change)) {
        const reason = await this.#try(state, proposal, { declared, changes: [change] });
        if (reason === undefined) {
          taken = true;
          break;
        }
        // What changes nothing was a guess; the first that would have changed something is what to do by hand.
        if (refused === undefined || (isIdle(refused.reason) && !isIdle(reason)))
          refused = { proposal, reason };
      }
      if (!taken) return new EditRefused(instruction(refused, declared, change));
    }
    return undefined;
  }

  *#proposals(state: State, declared: Declared, change: Change): Generator<Proposal> {
    const { origin, environments = [] } = declared;
    if (origin instanceof ChartOrigin)
      yield* chartProposals({ origin, environments, rendering: state.rendering, files: this.#files }, change);
    if (origin instanceof BuiltOrigin) yield* ownerProposals(this.#files, origin, change);
  }

  /** One patch for all changes. @returns why not */
  async #asPatch(state: State, key: string, changes: readonly Change[]): Promise<string | undefined> {
    const declared = objectsOf(state.made).get(key);
    if (declared === undefined || !(declared.origin instanceof BuiltOrigin)) return 'it is not built';
    const { object, origin, environments = [] } = declared;
    const aim = { declared, changes };
    let first: string | undefined;
    for (const proposal of patchProposals(
      this.#files,
      { object, origin, folders: environments },
      changes,
      this.#options.isNew,
    )) {
      const reason = await this.#try(state, proposal, aim);
      if (reason === undefined) return undefined;
      first ??= reason;
    }
    return first ?? 'nothing would change';
  }

  /** Makes a proposal, and keeps it if it proves right. @returns why it does not */
  async #try(state: State, proposal: Proposal, aim: Aim): Promise<string | undefined> {
    let texts: Texts;
    try {
      texts = proposal.make();
    } catch (error) {
      if (error instanceof EditRefused) return error.message;
      throw error;
    }
    if ([...texts].every(([name, text]) => this.#files.read(name) === text)) return 'nothing would change';
    if (this.#left-- <= 0) return 'too much was tried already: run it again for the rest';
    const next = new Map([...this.#texts, ...texts]);
    const { rendering } = state;
    const affected =
      rendering.kind === 'chart'
        ? undefined
        : new Set([...rendering.readersOf(new Set(texts.keys())), ...(aim.declared.environments ?? [])]);
    const made = await rendering.again(next, affected);
    let problem = problemWith(state.made, made, aim, this.#wanted, affected);
    if (problem !== undefined && state.rendering.kind === 'chart') {
      // What is new at every run (a password, a certificate) says nothing of the edit.
      let unstable = state.unstable.get(state.made);
      if (unstable === undefined) {
        unstable = unstableIn(state.made, await rendering.again(this.#texts));
        state.unstable.set(state.made, unstable);
      }
      if (unstable.size > 0) problem = problemWith(state.made, made, aim, this.#wanted, affected, unstable);
    }
    if (problem !== undefined) return problem;
    state.made = affected === undefined ? made : merged(state.made, made, affected);
    for (const [name, text] of texts) this.#texts.set(name, text);
    return undefined;
  }
}

/** What was built again in the place of what was built before for the same folders. */
function merged(before: Made, after: Made, environments: ReadonlySet<string>): Made {
  const kept = before.declared.flatMap(one => {
    const rest = (one.environments ?? []).filter(name => !environments.has(name));
    return rest.length === 0 ? [] : [{ ...one, environments: rest }];
  });
  return { declared: [...kept, ...after.declared], gaps: before.gaps };
}

const isIdle = (reason: string): boolean => reason.includes('would not change');

function keyOf(made: Made, declared: Declared): string {
  return [...objectsOf(made)].find(([, one]) => one === declared)?.[0] ?? '';
}

/** Several items of one list go together: what is left of it is set. */
function joined(object: KubeObject, changes: readonly Change[]): readonly Change[] {
  const lists = Map.groupBy(
    changes.filter(({ op, path }) => op === 'remove' && typeof path.at(-1) === 'number'),
    ({ path }) => path.slice(0, -1).join('\0'),
  );
  const several = [...lists.values()].filter(items => items.length > 1);
  return [
    ...changes.filter(change => !several.some(items => items.includes(change))),
    ...several.map((items): Change => {
      const path = items[0]!.path.slice(0, -1);
      const gone = new Set(items.map(item => item.path.at(-1)));
      const list = valueAt(object, path);
      return { op: 'set', path, value: Array.isArray(list) ? list.filter((_, i) => !gone.has(i)) : [] };
    }),
  ];
}

/** What a person can do where no edit proved right: the place, what to write there, and why it was not done. */
function instruction(
  refused: { readonly proposal: Spot & { readonly words: string }; readonly reason: string } | undefined,
  { origin }: Declared,
  change: Change,
): string {
  if (refused === undefined) {
    const { file, line } = origin.positionOf(change.path);
    return `no place was found that decides it alone; at ${file}:${line}, ${wordsFor(change, 0)}`;
  }
  const { file, line, words } = refused.proposal;
  return `${refused.reason}; by hand, at ${file}:${line}: ${words}`;
}
