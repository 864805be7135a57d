/** `sallyport authorization can-i`: one request, decided. */
import type { UserInfo } from '#decide/authorization/door.ts';
import { safe } from '#report/safe.ts';
import {
  explained,
  folding,
  namespaceAsked,
  printedAsData,
  type Questions,
  questions,
  rawRequest,
  requestOf,
  steps,
  stepsAsData,
  tellMissing,
  userOf,
  webhooksOf,
} from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';
import { rulesAsData, section } from './authorization-permissions.ts';

/** What the RBAC authorizer says of bindings whose role does not tell it anything. */
const UNRESOLVED = /not found|cannot be decoded|unsupported role reference kind/;

export async function run(parsed: Parsed): Promise<number> {
  const as = parsed.value('as');
  if (as === undefined)
    throw new UsageError('can-i needs --as', 'for example: --as system:serviceaccount:shop:release');
  const asked = await questions(parsed);
  const user = userOf(as, parsed.values('as-group'));
  if (parsed.has('list')) return list(parsed, asked, user);
  const request = parsed.has('raw') ? rawRequest(parsed.operands) : requestOf(parsed, asked);
  const webhooks = webhooksOf(parsed);
  const { decision, reason, because } = asked.authorizer.authorize({ ...request, user }, { webhooks });
  // A binding whose role is not in the input, or cannot be decoded, may grant it in the cluster: then nobody knows.
  const unsure = decision === 'unknown' || (decision === 'no-opinion' && UNRESOLVED.test(reason));
  const answer = decision === 'allow' ? 'yes' : unsure ? 'unknown' : 'no';
  const printed = printedAsData(parsed, () => ({
    answer,
    decision,
    reason,
    user,
    because: stepsAsData(because, asked.world),
  }));
  if (!printed) {
    print(`${answer}${reason === '' ? '' : ` - ${safe(reason.replaceAll('\n', '; '))}`}\n`);
    const fold = folding(parsed);
    if (explained(parsed))
      for (const step of steps(because, asked.world)) print(`${fold(step, '  ', '    ').join('\n')}\n`);
  }
  if (answer === 'unknown' || (asked.world.gaps.length > 0 && answer === 'no')) tellMissing(parsed, asked);
  return answer === 'yes' ? EXIT.clean : answer === 'no' ? EXIT.findings : EXIT.unknown;
}

/** All that somebody may do in one namespace, as a SelfSubjectRulesReview tells it. */
function list(parsed: Parsed, { authorizer, world }: Questions, user: UserInfo): number {
  if (parsed.operands.length > 0) throw new UsageError('--list takes no verb and no resource');
  const namespace = namespaceAsked(parsed);
  const rules = authorizer.rulesFor(user, namespace);
  const told = { rules, all: rules };
  if (!printedAsData(parsed, () => ({ user, namespace, ...rulesAsData(told, world) }))) {
    const title = namespace === '' ? 'In the whole cluster' : `In namespace ${safe(namespace)}`;
    const lines = section(title, told, world, { fold: folding(parsed), explain: explained(parsed) });
    print(lines.length === 0 ? 'nothing\n' : `${lines.join('\n')}\n`);
  }
  // A webhook and the Node authorizer do not tell their rules.
  return rules.error !== undefined || rules.incomplete ? EXIT.unknown : EXIT.clean;
}
