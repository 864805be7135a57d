/** Exceptions: read off comments, matched with what failed, and themselves judged: expired, unused, or wrong. */
import { type Check, idOf } from '#check/check.ts';
import {
  defaultRules,
  type Exception,
  type ExceptionProblem,
  type ExceptionRecord,
  type ExceptionRules,
} from '#check/exception.ts';
import type { Finding } from '#check/finding.ts';
import { matchesGlob, matchesName } from '#kube/glob.ts';
import { nearest } from '#kube/nearest.ts';
import { formatPath, type Path } from '#kube/objects.ts';
import type { Position } from '#world/origin.ts';
import { type Declared, namespaceOf } from '#world/world.ts';
import { expiredException, invalidException, unusedException } from './exception-checks.ts';
import { fingerprintOf } from './hash.ts';
import type { Place } from './scan.ts';

/** A comment that speaks to Sallyport, as a source found it. */
export interface Comment {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly tool?: string;
  readonly text: string;
  readonly lines?: readonly [from: number, to: number];
}

const FORM = 'allow CHECK -- REASON (owner @NAME, until YYYY-MM-DD)';

/** What comments say; what cannot be understood excepts nothing, and is a problem. */
export function exceptionsIn(
  comments: readonly Comment[],
  checks: readonly Check[],
): { readonly exceptions: readonly Exception[]; readonly problems: readonly ExceptionProblem[] } {
  const exceptions: Exception[] = [];
  const problems: ExceptionProblem[] = [];
  for (const comment of comments) {
    const read = readComment(comment, checks);
    if (Array.isArray(read)) exceptions.push(...read);
    else problems.push(read);
  }
  return { exceptions, problems };
}

function readComment(
  { file, line, column, text, lines }: Comment,
  checks: readonly Check[],
): Exception[] | ExceptionProblem {
  const wrong = (message: string, hint?: string): ExceptionProblem => ({
    file,
    line,
    column,
    message,
    ...(hint === undefined ? {} : { hint }),
  });
  const [verb = '', ...rest] = text.split(/\s+/);
  if (verb !== 'allow') return wrong(`"${verb}" is no word that a comment may begin with`, FORM);
  if (lines === undefined) return wrong('nothing follows that the comment could stand at');
  const [said, ...more] = ` ${rest.join(' ')}`.split(/ (?:--|—) /);
  const ids = said!.split(/\s*,\s*|\s+/).filter(id => id !== '' && id !== '--' && id !== '—');
  if (ids.length === 0) return wrong('no check is named', FORM);
  for (const id of ids) {
    const problem = unknownCheck(id, checks);
    if (problem !== undefined) return wrong(...problem);
  }
  const { reason, words, problem } = takeWords(more.join(' -- '));
  if (problem !== undefined) return wrong(problem, FORM);
  if (reason === '') return wrong('no reason is given', FORM);
  const { owner, until, ...others } = words;
  if (owner === undefined) return wrong('no owner is named', FORM);
  if (until !== undefined && !isDate(until))
    return wrong(`"${until}" is no date`, 'write it like 2027-01-31');
  const { container, environment, ticket } = others;
  return ids.map(check => ({
    check,
    reason,
    owner,
    ...(until === undefined ? {} : { until }),
    ...(ticket === undefined ? {} : { ticket }),
    source: 'comment',
    file,
    line,
    column,
    scope: {
      file,
      lines,
      ...(container === undefined ? {} : { container }),
      ...(environment === undefined ? {} : { environment }),
    },
  }));
}

/** What is wrong with the name of a check, and what was probably meant. */
export function unknownCheck(
  id: string,
  checks: readonly Check[],
): readonly [message: string, hint: string] | undefined {
  if (checks.some(check => idOf(check) === id)) return undefined;
  const meant = nearest(
    id,
    checks.flatMap(check => [idOf(check), check.name]),
  );
  const full = checks.find(check => check.name === meant);
  const shown = full === undefined ? meant : idOf(full);
  return [
    `"${id}" is no check`,
    shown === undefined ? 'sallyport checks lists them' : `did you mean ${shown}?`,
  ];
}

const WORDS = ['owner', 'until', 'ticket', 'container', 'environment'] as const;

type Words = Partial<Record<(typeof WORDS)[number], string>>;

/** The words in the last parentheses, where they are ours; other parentheses belong to the reason. */
function takeWords(text: string): { reason: string; words: Words; problem?: string } {
  const match = /^(.*?)\s*\(([^()]*)\)\s*$/.exec(text);
  if (match === null) return { reason: text.trim(), words: {} };
  const parts = match[2]!.split(',').map(part => part.trim());
  if (!parts.some(part => /^(?:owner|until)\b/.test(part))) return { reason: text.trim(), words: {} };
  const words: Words = {};
  for (const part of parts) {
    const [word = '', ...value] = part.split(/\s+/);
    const known = WORDS.find(one => one === word);
    if (known === undefined) {
      const meant = nearest(word, WORDS);
      const hint = meant === undefined ? '' : `: did you mean "${meant}"?`;
      return { reason: '', words: {}, problem: `"${word}" is none of ${WORDS.join(', ')}${hint}` };
    }
    if (value.length === 0) return { reason: '', words: {}, problem: `"${word}" says nothing` };
    if (words[known] !== undefined) return { reason: '', words: {}, problem: `"${word}" is said twice` };
    words[known] = value.join(' ');
  }
  return { reason: match[1]!.trim(), words };
}

/** `2027-01-31`, and a day that there is. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}

export interface ExceptionInput {
  readonly exceptions: readonly Exception[];
  readonly problems: readonly ExceptionProblem[];
  readonly rules?: ExceptionRules;
  readonly checks: readonly Check[];
  /** The day of the run: `2026-11-25`. */
  readonly today: string;
}

/** The exceptions of one run. It is asked for every place that failed, and keeps in mind what was of use. */
export class Exceptions {
  readonly #byCheck: ReadonlyMap<string, readonly Exception[]>;
  readonly #problems: ExceptionProblem[];
  readonly #expired = new Set<Exception>();
  readonly #refused = new Set<Exception>();
  readonly #used = new Set<Exception>();
  readonly #input: ExceptionInput;

  constructor(input: ExceptionInput) {
    this.#input = input;
    this.#problems = [...input.problems];
    const { maxDays, expiry, nonBypassable } = input.rules ?? defaultRules;
    const fixed = new Set([
      ...nonBypassable,
      ...input.checks.filter(check => check.nonBypassable === true).map(idOf),
    ]);
    for (const exception of input.exceptions) {
      const { check, until } = exception;
      const refuse = (message: string) => {
        this.#refused.add(exception);
        this.#problems.push({ ...placeOf(exception), message });
      };
      if (fixed.has(check)) refuse(`${check} cannot be excepted`);
      else if (until === undefined && expiry === 'required') refuse('no end is stated: until YYYY-MM-DD');
      else if (until !== undefined && maxDays !== undefined && daysBetween(input.today, until) > maxDays)
        refuse(`it would hold until ${until}, which is more than ${maxDays} days from today`);
      else if (until !== undefined && until < input.today) this.#expired.add(exception);
    }
    this.#byCheck = Map.groupBy(input.exceptions, ({ check }) => check);
  }

  /** The exception that accepts a place; of several the one that is confined most closely does not matter. */
  accept(place: Standing): Exception | undefined {
    const candidates = this.#byCheck.get(place.id) ?? [];
    for (const exception of candidates) {
      if (this.#refused.has(exception) || !covers(exception, place)) continue;
      this.#used.add(exception);
      if (!this.#expired.has(exception)) return exception;
    }
    return candidates.length === 0 ? undefined : this.#acceptApart(place);
  }

  /** What stands in another place in each environment is accepted where each of them is. */
  #acceptApart({ id, declared, path, container }: Standing): Exception | undefined {
    const { environments, alike, ...alone } = declared;
    if (environments === undefined || alike === undefined) return undefined;
    let first: Exception | undefined;
    for (const [i, environment] of environments.entries()) {
      const origin = alike[i - 1] ?? declared.origin;
      const accepted = this.accept({
        id,
        path,
        ...(container === undefined ? {} : { container }),
        declared: { ...alone, origin, environments: [environment] },
        position: origin.positionOf(path),
      });
      if (accepted === undefined) return undefined;
      first ??= accepted;
    }
    return first;
  }

  /**
   * What is wrong with the exceptions themselves.
   *
   * @param ran the checks of the run: an exception of another one may well be of use elsewhere
   * @param sees whether the run read what an exception is about
   */
  findings(ran: ReadonlySet<string>, sees: (exception: Exception) => boolean): Finding[] {
    const found: Finding[] = [];
    for (const { message, hint, ...place } of this.#problems)
      found.push(findingOf(invalidException, place, hint === undefined ? message : `${message}: ${hint}`));
    for (const exception of this.#expired)
      if (ran.has(exception.check))
        found.push(
          findingOf(
            expiredException,
            placeOf(exception),
            `the exception of ${exception.check} held until ${exception.until} (${exception.owner}: ${exception.reason})`,
          ),
        );
    for (const exception of this.#input.exceptions)
      if (
        ran.has(exception.check) &&
        !this.#used.has(exception) &&
        !this.#refused.has(exception) &&
        !this.#expired.has(exception) &&
        sees(exception)
      )
        found.push(
          findingOf(
            unusedException,
            placeOf(exception),
            `the exception of ${exception.check} excepts nothing any more`,
          ),
        );
    return found;
  }

  /**
   * Each exception with what became of it.
   *
   * @param judged whether all that an exception could be about was judged: else it is not known whether it is of use
   */
  states(
    judged: (exception: Exception) => boolean = () => true,
  ): readonly { readonly exception: Exception; readonly state: ExceptionState }[] {
    return this.#input.exceptions.map(exception => ({
      exception,
      state: this.#refused.has(exception)
        ? 'refused'
        : this.#expired.has(exception)
          ? 'expired'
          : this.#used.has(exception)
            ? 'used'
            : judged(exception)
              ? 'unused'
              : 'unknown',
    }));
  }

  get problems(): readonly ExceptionProblem[] {
    return this.#problems;
  }
}

export type ExceptionState = 'used' | 'unused' | 'unknown' | 'expired' | 'refused';

function placeOf({ file, line, column }: Exception): { file: string; line: number; column: number } {
  return { file, line, column };
}

/** What of a failing place an exception looks at. */
type Standing = Pick<Place, 'id' | 'declared' | 'path' | 'container' | 'position'>;

function covers({ scope }: Exception, { declared, path, container, position }: Standing): boolean {
  const { object, origin, alike = [] } = declared;
  const { file, lines } = scope;
  if (lines !== undefined) {
    const isThere = (at: Position) => at.file === file && at.line >= lines[0] && at.line <= lines[1];
    if (!isThere(position) || !alike.every(one => isThere(one.positionOf(path)))) return false;
    if (isOfOneOverlay(declared, position.file)) return false;
  } else if (file !== undefined && !matchesGlob(file, position.file)) return false;
  if (scope.container !== undefined && (container === undefined || !matchesName(scope.container, container)))
    return false;
  const { environments = [origin.environment] } = declared;
  if (scope.environment !== undefined && environments.some(one => one !== scope.environment)) return false;
  if (scope.namespace !== undefined && scope.namespace !== namespaceOf(object)) return false;
  if (scope.object !== undefined) {
    const [kind, name = ''] = scope.object.split('/');
    const own = object.metadata?.name ?? object.metadata?.generateName;
    if (!matchesName(kind!, object.kind) || typeof own !== 'string' || !matchesName(name, own)) return false;
  }
  return scope.field === undefined || isWithin(scope.field, path);
}

/** Whether the file lies in the folder of one overlay, and the object is built for others too, out of their own files. */
function isOfOneOverlay({ environments = [], chart }: Declared, file: string): boolean {
  const isIn = (folder: string) => folder === '' || file.startsWith(`${folder}/`);
  return chart === undefined && environments.some(isIn) && !environments.every(isIn);
}

/** Whether a path lies at or below a field as people write it; `[*]` stands for any item. */
function isWithin(field: string, path: Path): boolean {
  for (let length = path.length; length > 0; length--) {
    const above = path.slice(0, length);
    const text = formatPath(above);
    if (text === field) return true;
    if (field.includes('[*]') && matchesItems(field, above)) return true;
  }
  return false;
}

function matchesItems(field: string, path: Path): boolean {
  let rest = field;
  for (const [i, step] of path.entries()) {
    const text = formatPath([step]);
    const shown = typeof step === 'string' && i > 0 && !text.startsWith('[') ? `.${text}` : text;
    if (rest.startsWith(shown)) rest = rest.slice(shown.length);
    else if (typeof step === 'number' && rest.startsWith('[*]')) rest = rest.slice('[*]'.length);
    else return false;
  }
  return rest === '';
}

function findingOf(
  check: Check,
  { file, line, column }: { readonly file: string; readonly line: number; readonly column: number },
  message: string,
): Finding {
  const region = { file, line, column, endLine: line, endColumn: column + 1 };
  const id = idOf(check);
  return {
    check: id,
    title: check.title,
    severity: check.severity,
    practice: check.practice,
    object: { apiVersion: 'sallyport/v1', kind: 'Exception', name: `${file}` },
    ...region,
    path: '',
    occurrences: [{ ...region, path: '' }],
    message,
    why: check.why,
    remediation: check.remediation,
    frameworks: [],
    fingerprint: problemFingerprint(id, file, message),
  };
}

/** What is wrong with an exception is the same by the file that it stands in, and its words. */
export function problemFingerprint(check: string, file: string, message: string): string {
  return fingerprintOf([check, file, message].join('\0'));
}

/** What reports say of an exception. */
export function recordOf({
  check,
  reason,
  owner,
  until,
  ticket,
  source,
  file,
  line,
}: Exception): ExceptionRecord {
  return {
    check,
    reason,
    owner,
    ...(until === undefined ? {} : { until }),
    ...(ticket === undefined ? {} : { ticket }),
    source,
    file,
    line,
  };
}
