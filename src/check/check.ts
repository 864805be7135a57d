/** The form of a judgement: one check, one file, everything about it in one value. */
import type { Path } from '#kube/objects.ts';
import type { SubjectKind, Subjects } from '#world/subjects.ts';
import type { World } from '#world/world.ts';
import type { Change } from './change.ts';
import type { FrameworkReference } from './frameworks.ts';
import type { Practice } from './practices.ts';
import type { Severity } from './severity.ts';
import type { Verdict } from './verdict.ts';

/**
 * The named sets of checks. `default` is small: what a careful platform team would block or want fixed.
 * `strict` adds what a hardened estate keeps, `reliability` is no security at all, the two `pss-` profiles are the
 * controls of the Pod Security Standards and nothing else. `all` needs no mention: it is every check.
 */
export const profiles = ['default', 'strict', 'reliability', 'pss-baseline', 'pss-restricted'] as const;

export type Profile = (typeof profiles)[number];

/** What a check may be configured with in `sallyport.yaml`: a name, what it means, and the value it has otherwise. */
export type CheckOptions = Readonly<Record<string, CheckOption>>;

export type CheckOption =
  | { readonly type: 'strings'; readonly description: string; readonly default: readonly string[] }
  | { readonly type: 'number'; readonly description: string; readonly default: number }
  | { readonly type: 'boolean'; readonly description: string; readonly default: boolean }
  /** A list of mappings that has a key of its own in the configuration, and is not written under the check. */
  | {
      readonly type: 'objects';
      readonly description: string;
      readonly default: readonly object[];
      readonly key: string;
    };

export type OptionValues = Readonly<Record<string, readonly (string | object)[] | number | boolean>>;

/** What a check is judged with, beside its subject. */
export interface Context {
  readonly world: World;
  /** The values of the check's own options: every declared option is there. */
  readonly options: OptionValues;
  /**
   * Whether another check, by its id, is asked too in this run: only then may one leave to it what it says of the same
   * thing. Absent: all of them are.
   */
  readonly runs?: (id: string) => boolean;
}

export interface Fix<Evidence> {
  /** What applying it does, as an instruction. */
  readonly title: string;
  /** `safe` cannot change what a working workload does; `review` may. */
  readonly kind: 'safe' | 'review';
  /**
   * The changes, at paths relative to the subject.
   *
   * @returns none where this one case cannot be mended by itself
   */
  changes(evidence: Evidence, at: readonly Path[]): readonly Change[];
}

/** Manifests that show the check at work; they are run as tests and printed on its page. */
export interface Examples {
  /** The configuration that the examples are judged with, where the defaults would say nothing. */
  readonly options?: OptionValues;
  /** The minor version of Kubernetes 1 that they are meant for, where the newest knows nothing of it any more. */
  readonly kubernetes?: number;
  /** Each fails exactly once, and passes after its own fix. */
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

export interface Check<Kind extends SubjectKind = SubjectKind, Evidence = unknown> {
  readonly practice: Practice;
  /** The id is `practice/name`. It names the thing, not the cure, and reads well after "allow". */
  readonly name: string;
  readonly title: string;
  readonly severity: Severity;
  /** The version of Sallyport that brought it. */
  readonly since: string;
  /** A check in preview runs only where it is named. */
  readonly stage?: 'preview';
  readonly profiles: readonly Profile[];
  readonly frameworks: readonly FrameworkReference[];
  /** What an attacker, or an accident, does with it. */
  readonly why: string;
  readonly remediation: string;
  /** What it points at is secret: reports never show the line. */
  readonly sensitive?: boolean;
  /** Cannot be suppressed. */
  readonly nonBypassable?: boolean;
  readonly options?: CheckOptions;

  readonly subject: Kind;
  /** For subject `object`: the kinds it looks at, as `group/Kind` (`/Secret`, `apps/Deployment`). All where absent. */
  readonly kinds?: readonly string[];
  /**
   * What of the world, beside its subject, it looks at: kinds, or `network` (who reaches whom), `accounts` (which
   * workloads run as whom), `tokens`, `aws-auth`, `everything`. Empty for a check that only asks the world about its own
   * subject. Absent: whatever it likes, if it takes the world at all. A comparison asks again only those checks whose
   * world a change touches. One that looks at the network looks at nothing else of a pod than what the network does.
   */
  readonly looksAt?: readonly string[];
  evaluate(subject: Subjects[Kind], context: Context): Verdict<Evidence>;
  /** The severity of this one case where it differs from the check's own. */
  severityOf?(evidence: Evidence): Severity;
  /**
   * What is wrong, with its evidence, without a full stop. For subject `container` it says only what is wrong
   * (`privileged is true`): the report names the containers before it and joins those of which the same is said.
   */
  message(evidence: Evidence): string;
  readonly fix?: Fix<Evidence>;
  readonly examples: Examples;
}

/** Keeps the types of subject and evidence tied together while a check is written; it is the identity at run time. */
export function defineCheck<Kind extends SubjectKind, Evidence>(
  check: Check<Kind, Evidence>,
): Check<Kind, Evidence> {
  return check;
}

/** What of the world, beside its subject, a check looks at. */
export function looksAtOf({ looksAt, evaluate }: Check): readonly string[] {
  // A function that takes no second argument is not given the world.
  return looksAt ?? (evaluate.length < 2 ? NOTHING : EVERYTHING);
}

const NOTHING: readonly string[] = [];
const EVERYTHING = ['everything'];

export function idOf(check: { readonly practice: Practice; readonly name: string }): string {
  return `${check.practice}/${check.name}`;
}
