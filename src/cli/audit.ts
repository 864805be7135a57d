/** From audit logs on the command line to what was used. */
import { Usage } from '#advise/roles.ts';
import { count, safe } from '#report/safe.ts';
import { AuditLogError, type AuditTally, readAuditLogs } from '#sources/audit/read.ts';
import type { Parsed } from './command.ts';
import { UsageError } from './errors.ts';
import { tell } from './output.ts';

export interface Observed {
  readonly usage: Usage;
  readonly tally: AuditTally;
}

/**
 * @param wanted whose requests are kept; everybody's where it is not stated
 * @throws UsageError where no log is named, or one cannot be read
 */
export async function observe(parsed: Parsed, wanted?: (user: string) => boolean): Promise<Observed> {
  if (parsed.operands.length === 0)
    throw new UsageError('an audit log is needed', 'a file, a folder of files, or - for standard input');
  const usage = new Usage(wanted);
  try {
    const tally = await readAuditLogs(parsed.operands, event => usage.add(event));
    if (!parsed.has('quiet')) for (const line of told(usage, tally)) tell(`sallyport: ${line}\n`);
    return { usage, tally };
  } catch (error) {
    if (error instanceof AuditLogError) throw new UsageError(error.message);
    throw error;
  }
}

/** Who is asked for; without a name everyone but the API server's own components, which have roles of their own. */
export function chosen(parsed: Parsed): (user: string) => boolean {
  const subjects = new Set(parsed.values('subject'));
  return user =>
    subjects.size > 0
      ? subjects.has(user)
      : !user.startsWith('system:') || user.startsWith('system:serviceaccount:');
}

function told({ allowed, denied, otherStages, undecided, beyond, used }: Usage, tally: AuditTally): string[] {
  const apart = [
    [denied, 'denied'],
    [undecided, 'without a decision'],
    [otherStages, 'of other stages'],
  ] as const;
  const rest = apart.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  const lines = [
    `${count(tally.events, 'entry', 'entries')} read: ${allowed} allowed${rest.length === 0 ? '' : `; not counted: ${rest.join(', ')}`}`,
  ];
  const broken = [
    [tally.foreign, 'no audit entries'],
    [tally.cutOff, 'cut off'],
    [tally.tooLong, 'too long'],
  ] as const;
  const left = broken.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  if (left.length > 0) lines.push(`skipped: ${left.join(', ')}; ${tally.examples.map(safe).join('; ')}`);
  if (beyond > 0)
    lines.push(
      `${used.length} different requests are kept, and no more: ${count(beyond, 'entry', 'entries')} of other ones are left out; take a shorter log or one --subject`,
    );
  return lines;
}
