/** `sallyport authorization can-i`: one request, decided. */
import { toJson } from '#kube/json.ts';
import { questions, requestOf, steps, stepsAsData, userOf } from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const as = parsed.value('as');
  if (as === undefined)
    throw new UsageError('can-i needs --as', 'for example: --as system:serviceaccount:shop:release');
  const asked = await questions(parsed);
  const user = userOf(as, parsed.values('as-group'));
  const attributes = { ...requestOf(parsed, asked), user };
  const { decision, reason, because } = asked.authorizer.authorize(attributes);
  const open = decision === 'allow' ? [] : asked.authorizer.dangling();
  // A binding whose role is not in the input may grant it in the cluster: then nobody knows.
  const answer = decision === 'allow' ? 'yes' : reason.includes('not found') ? 'unknown' : 'no';
  if (parsed.value('format') === 'json')
    print(toJson({ answer, decision, reason, user, because: stepsAsData(because, asked.world) }));
  else {
    print(`${answer}${reason === '' ? '' : ` - ${reason}`}\n`);
    if (parsed.has('explain')) for (const step of steps(because, asked.world)) print(`  ${step}\n`);
  }
  if (answer === 'unknown') tell(`sallyport: ${open.length} bindings name roles that are not in the input\n`);
  if (asked.world.gaps.length > 0 && answer === 'no')
    tell(`sallyport: ${asked.world.gaps.length} places could not be read; sallyport inventory tells where\n`);
  return answer === 'yes' ? EXIT.clean : answer === 'no' ? EXIT.findings : EXIT.unknown;
}
