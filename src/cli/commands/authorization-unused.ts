/** `sallyport authorization unused`: what is granted and an audit log shows no use of. */
import type { Observable } from '#advise/observable.ts';
import { bindingText, type Redundant, type Unused, type UnusedGrants, unusedGrants } from '#advise/unused.ts';
import { type AuditPolicy, AuditPolicyError, auditPolicyOf } from '#decide/authorization/audit-policy.ts';
import { type KubeObject, nameOf, referenceOf } from '#kube/objects.ts';
import { count, safe } from '#report/safe.ts';
import { type Declared, namespaceOf, newestMinor, World } from '#world/world.ts';
import { observe } from '../audit.ts';
import { folding, printedAsData, questions } from '../authorization.ts';
import { type Narrowed, narrowed } from '../authorization-subjects.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print } from '../output.ts';
import type { wrap } from '../wrap.ts';

const HONEST =
  'Not seen is not the same as not needed: the log covers its own time only, and an audit policy may leave out requests (level None, read-only verbs, non-resource URLs, whole users).';
const HONEST_WITH_POLICY =
  'Not seen is not the same as not needed: the log covers its own time only. What the audit policy leaves out of it is not called unused.';
const KIND = 'audit.k8s.io/Policy';

interface Narrow extends UnusedGrants {
  /** Of all that are used, whoever is asked about. */
  readonly usedBindings: number;
}

interface Known {
  readonly policy: AuditPolicy;
  readonly declared: Declared;
}

export async function run(parsed: Parsed): Promise<number> {
  const { world, authorizer, groups } = await questions(parsed);
  const only = narrowed(parsed, groups);
  const known = await policyOf(parsed, world);
  const { usage } = await observe(parsed);
  const grants = within(unusedGrants(world, authorizer, usage.used, known?.policy), only);
  const { unused, unseen, unknown } = grants;
  const note = known === undefined ? HONEST : HONEST_WITH_POLICY;
  if (!printedAsData(parsed, () => asData(grants, world, known, usage.allowed, usage.beyond, note)))
    print(asText(grants, world, known, usage.allowed, note, folding(parsed)));
  if (usage.allowed === 0 || usage.beyond > 0 || unknown.length > 0) return EXIT.unknown;
  if (unused.length > 0) return EXIT.findings;
  return unseen.length > 0 ? EXIT.unknown : EXIT.clean;
}

/**
 * As far as bindings name whom is asked about, and of a namespace its RoleBindings: whether a binding of the whole
 * cluster is needed is no question of one namespace. A use by anybody counts, for it is bindings that may go.
 */
function within(grants: UnusedGrants, { names, namespace }: Narrowed): Narrow {
  const isAsked = (binding: KubeObject): boolean =>
    names(binding) &&
    (namespace === '' || (binding.kind === 'RoleBinding' && namespaceOf(binding) === namespace));
  return {
    ...grants,
    unused: grants.unused.filter(({ binding }) => isAsked(binding)),
    unseen: grants.unseen.filter(({ binding }) => isAsked(binding)),
    unknown: grants.unknown.filter(isAsked),
    redundant: grants.redundant.filter(({ binding }) => isAsked(binding)),
    usedBindings: grants.needed.length + grants.redundant.length,
  };
}

/**
 * The audit policy of the input, or the one that is named.
 *
 * @throws UsageError where several are in the input, or one with which the API server would not start
 */
async function policyOf(parsed: Parsed, world: World): Promise<Known | undefined> {
  const path = parsed.value('audit-policy');
  const found =
    path === undefined
      ? world.ofKind(KIND)
      : new World({
          declared: (await readInput(parsed, [path])).declared,
          kubernetesMinor: newestMinor,
        }).ofKind(KIND);
  const [declared, another] = found;
  if (declared === undefined) {
    if (path === undefined) return undefined;
    throw new UsageError(
      `${path}: no audit policy is in it`,
      'a document of apiVersion audit.k8s.io/v1, kind Policy',
    );
  }
  const place = ({ origin }: Declared): string => `${origin.file}:${origin.line}`;
  if (another !== undefined)
    throw new UsageError(
      `several audit policies are in the input: ${place(declared)}, ${place(another)}`,
      'name the one of the API server: --audit-policy FILE',
    );
  try {
    return { policy: auditPolicyOf(declared.object), declared };
  } catch (error) {
    if (!(error instanceof AuditPolicyError)) throw error;
    const { file, line } = declared.origin.positionOf(error.path);
    throw new UsageError(`${file}:${line}: the API server would not start with it: ${error.message}`);
  }
}

function place(object: KubeObject, world: World, path: readonly (string | number)[]): object {
  const origin = world.declarationOf(object)?.origin;
  return origin === undefined ? {} : { file: origin.file, line: origin.positionOf(path).line };
}

function at(object: KubeObject, world: World, path: readonly (string | number)[]): string {
  const origin = world.declarationOf(object)?.origin;
  return origin === undefined ? '' : `${safe(origin.file)}:${origin.positionOf(path).line} `;
}

function asData(
  { unused, unseen, unknown, needed, exact, redundant, requests, unexplained }: UnusedGrants,
  world: World,
  known: Known | undefined,
  allowed: number,
  leftOut: number,
  note: string,
): object {
  const reference = (binding: KubeObject): object => ({
    binding: referenceOf(binding),
    ...place(binding, world, []),
  });
  const data = ({ binding, role, whole, rules }: Unused): object => ({
    ...reference(binding),
    role: referenceOf(role!),
    whole,
    rules: rules.map(({ observable, ...rule }) => ({
      ...rule,
      ...place(role!, world, ['rules', rule.index]),
      ...(observable === undefined
        ? {}
        : { logged: observable.logged, hiddenBy: hidingRules(observable, known!) }),
    })),
  });
  return {
    unused: unused.map(data),
    notObservable: unseen.map(data),
    unknown: unknown.map(reference),
    smallestSet: { bindings: needed.map(reference), exact },
    redundant: redundant.map(({ binding, by, requests }) => ({
      ...reference(binding),
      requests,
      allowedToBy: by.map(referenceOf),
    })),
    allowed,
    requests,
    notAllowedByInput: unexplained,
    leftOut,
    note,
  };
}

/** Where the rules of the audit policy stand that keep something out of the log. */
function hidingRules({ hiddenBy }: Observable, { declared: { origin } }: Known): string[] {
  return hiddenBy.map(rule =>
    rule === undefined
      ? `${safe(origin.file)}:${origin.line}, no rule of which logs it`
      : `${safe(origin.file)}:${origin.positionOf(['rules', rule]).line}`,
  );
}

function asText(
  grants: Narrow,
  world: World,
  known: Known | undefined,
  allowed: number,
  note: string,
  fold: typeof wrap,
): string {
  const { unused, unseen, unknown, needed, exact, redundant, requests, unexplained, usedBindings } = grants;
  const hidden = new Set(unseen.map(({ binding }) => binding));
  const lines = unused.flatMap(one => textOf(one, hidden.has(one.binding), world, known, fold));
  for (const one of unseen) lines.push(...unseenText(one, world, known!, fold));
  for (const binding of unknown)
    lines.push(
      ...fold(
        `${at(binding, world, [])}${safe(bindingText(binding))}: its role is not in the input, or cannot be decoded`,
        '',
        '  ',
      ),
    );
  for (const one of redundant) lines.push(...redundantText(one, world, fold));
  const whole = unused.filter(one => one.whole).length;
  lines.push(
    ...(lines.length > 0 ? [''] : []),
    ...fold(
      `${count(whole, 'binding')} without any use, ${count(unused.length - whole, 'binding')} used in part, by ${count(allowed, 'allowed request')}.`,
      '',
      '',
    ),
  );
  if (redundant.length > 0)
    lines.push(
      ...fold(
        `${exact ? 'The fewest bindings' : 'A small set of bindings'} that would still allow all of it: ${needed.length} of ${usedBindings} that are used (${needed.map(one => safe(bindingText(one))).join(', ')}).`,
        '',
        '',
      ),
    );
  if (unexplained > 0)
    lines.push(
      ...fold(
        `Nothing in the input allows ${unexplained} of ${count(requests, 'distinct request')}: the cluster of the log has more than these files.`,
        '',
        '',
      ),
    );
  lines.push(...fold(note, '', ''));
  return `${lines.join('\n')}\n`;
}

function redundantText({ binding, by, requests }: Redundant, world: World, fold: typeof wrap): string[] {
  const others = by.map(one => safe(bindingText(one))).join(' and ');
  return fold(
    `${at(binding, world, [])}${safe(bindingText(binding))}: used, and not needed: ${count(requests, 'distinct request')}, which ${others} ${by.length === 1 ? 'allows' : 'allow'} too`,
    '',
    '  ',
  );
}

/** `verbs get, list; resources pods`. */
function wordsOf({ verbs, resources, nonResourceURLs }: Unused['rules'][number]): string {
  return (
    [
      ['verbs', verbs],
      ['resources', resources],
      ['URLs', nonResourceURLs],
    ] as const
  )
    .filter(([, list]) => list.length > 0)
    .map(([what, list]) => `${what} ${list.join(', ')}`)
    .join('; ');
}

function ruleText({ role }: Unused, index: number, world: World): string {
  return `${at(role!, world, ['rules', index])}rule ${index + 1} of ${role!.kind} ${safe(nameOf(role!))}`;
}

function textOf(
  one: Unused,
  inPart: boolean,
  world: World,
  known: Known | undefined,
  fold: typeof wrap,
): string[] {
  const { binding, whole, rules } = one;
  const head = `${at(binding, world, [])}${safe(bindingText(binding))}`;
  const partly = (observable: Observable | undefined): string =>
    observable?.logged === 'some'
      ? ` (as far as the audit policy lets it be seen: ${hidingRules(observable, known!).join(', ')})`
      : '';
  // Of a binding that nobody needs the rules say nothing more, unless not all of them could be seen.
  const told = whole && !inPart ? rules.filter(({ observable }) => observable?.logged === 'some') : rules;
  return [
    ...fold(`${head}: ${whole ? (inPart ? 'no use seen' : 'never used') : 'used in part'}`, '', '  '),
    ...told.flatMap(rule =>
      fold(
        `${ruleText(one, rule.index, world)}: ${rule.whole ? 'never used' : `not used: ${safe(wordsOf(rule))}`}${partly(rule.observable)}`,
        '  ',
        '    ',
      ),
    ),
  ];
}

/** What cannot be called unused, for no log of this policy would show its use. */
function unseenText(one: Unused, world: World, known: Known, fold: typeof wrap): string[] {
  const { binding, rules } = one;
  return [
    ...fold(
      `${at(binding, world, [])}${safe(bindingText(binding))}: not known; the audit policy keeps ${one.whole ? 'all of it' : 'this'} out of the log`,
      '',
      '  ',
    ),
    ...rules.flatMap(rule =>
      fold(
        `${ruleText(one, rule.index, world)}${rule.whole ? '' : `: ${safe(wordsOf(rule))}`}, by ${hidingRules(rule.observable!, known).join(', ')}`,
        '  ',
        '    ',
      ),
    ),
  ];
}
