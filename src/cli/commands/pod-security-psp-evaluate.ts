/** `sallyport pod-security psp evaluate`: which PodSecurityPolicy admits each workload, and what it changes. */
import { type PolicyAnswer, policiesOf, type WorkloadPolicies } from '#judge/policies.ts';
import { toJson } from '#kube/json.ts';
import { nameOf } from '#kube/objects.ts';
import { POLICY_KINDS, shadowOf } from '#practices/pod-security/policies.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { newestMinor, World } from '#world/world.ts';
import { userOf } from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const { declared, gaps } = await readInput(parsed, parsed.operands, config);
  const as = parsed.value('as');
  if (as === undefined && parsed.values('as-group').length > 0)
    throw new UsageError('--as-group needs --as', 'the name of the user who is in the group');
  const user = as === undefined ? undefined : userOf(as, parsed.values('as-group'));
  const world = new World({ declared, gaps, kubernetesMinor: newestMinor });
  const { policies, workloads, unknowns } = policiesOf(world, {
    namespace: parsed.value('namespace') ?? 'default',
    ...(user === undefined ? {} : { user: { name: user.name ?? '', groups: user.groups ?? [] } }),
  });
  if (policies + unknowns.length + gaps.length === 0)
    throw new UsageError('there is no PodSecurityPolicy in the input');
  const shadowed = POLICY_KINDS.flatMap(kind => world.ofKind(kind)).flatMap(({ object }) => {
    const by = shadowOf(world, object);
    return by === undefined ? [] : [{ policy: nameOf(object), by }];
  });
  const unread = gaps.map(({ file, line, reason }) => ({ file, line, reason }));
  if (parsed.value('format') === 'json')
    print(toJson({ policies, workloads, shadowed, unknowns: [...unknowns, ...unread] }));
  else print(text(policies, workloads, shadowed));
  for (const { file, line, object, reason } of unknowns)
    tell(`sallyport: ${safe(file)}:${line}: ${objectName(object)} could not be judged: ${safe(reason)}\n`);
  for (const { file, line, reason } of unread)
    tell(`sallyport: ${safe(file ?? '')}${line === undefined ? '' : `:${line}`}: ${safe(reason)}\n`);
  if (workloads.some(({ allowed }) => !allowed)) return EXIT.findings;
  return workloads.length === 0 || unknowns.length + gaps.length > 0 || workloads.some(one => one.isAssumed)
    ? EXIT.unknown
    : EXIT.clean;
}

function text(
  policies: number,
  workloads: readonly WorkloadPolicies[],
  shadowed: readonly { readonly policy: string; readonly by: string }[],
): string {
  const refused = workloads.filter(({ allowed }) => !allowed).length;
  const assumed = workloads.filter(({ isAssumed }) => isAssumed).length;
  return [
    ...workloads.flatMap(describe),
    `${count(workloads.length, 'workload')}, ${policies === 1 ? '1 policy' : `${policies} policies`}: ${workloads.length - refused} admitted, ${refused} refused`,
    ...shadowed.map(
      ({ policy, by }) =>
        `${safe(policy)} is never chosen: ${safe(by)} comes first, lets in the same, and all who may use the one may use the other.`,
    ),
    ...(assumed === 0 ? [] : [`${assumed} rest on permissions that the input does not show.`]),
    '',
  ].join('\n');
}

function describe(workload: WorkloadPolicies): string[] {
  const { file, line, object, namespace, serviceAccount, user, allowed, decision, policies } = workload;
  const verdict = allowed ? `admitted by ${safe(decision.policyChosen ?? '')}` : 'refused';
  return [
    `${safe(file)}:${line} ${objectName(object)}: ${verdict}`,
    `  as service account ${safe(`${namespace}/${serviceAccount}`)}${user === undefined ? '' : `, made by ${safe(user)}`}`,
    ...(!allowed && decision.validatePrepared?.error !== undefined
      ? [`  ${safe(decision.validatePrepared.error)}`]
      : []),
    ...policies.flatMap(one => describePolicy(one, decision.policyChosen)),
    '',
  ];
}

const USE = { yes: '', no: ' (may not be used)', unknown: ' (who may use it is not in the input)' };

function describePolicy(answer: PolicyAnswer, chosen: string | undefined): string[] {
  const { policy, usable, admitted, changed, changes, errors, providerError } = answer;
  const what =
    providerError !== undefined
      ? `passed over: ${safe(providerError)}`
      : !admitted
        ? 'refuses'
        : changed
          ? 'admits, with changes'
          : 'admits';
  return [
    `  ${safe(policy)}: ${what}${USE[usable]}`,
    ...errors.map(({ field, detail }) => `    ${safe(field)}${detail === '' ? '' : `: ${safe(detail)}`}`),
    ...(policy === chosen
      ? changes.map(
          ({ path, value, file, line }) =>
            `    sets ${safe(path)} = ${safe(toJson(value).replace(/\s+/g, ' ').trim())} (${safe(file)}:${line})`,
        )
      : []),
  ];
}
