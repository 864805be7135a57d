/** What was excepted, in the words that reports share. */
import type { ExceptionRecord } from '#check/exception.ts';
import type { Report } from '#check/finding.ts';
import { count, safe } from './safe.ts';

/** `@node-team, until 2027-01-31, ticket OPS-1: it watches the node`. */
export function whoExcepts({ owner, until, ticket, reason, source }: ExceptionRecord): string {
  const end = until === undefined ? 'without end' : `until ${until}`;
  const more = ticket === undefined ? '' : `, ticket ${ticket}`;
  const from = source === 'comment' || source === 'configuration' ? '' : ` (said to ${source})`;
  return safe(`${owner}, ${end}${more}: ${reason}${from}`);
}

/** `3 excepted, 12 known from the baseline`, as far as there are any. */
export function setAside({ excepted, known }: Report): string {
  return [
    ...(excepted === undefined ? [] : [`${excepted.length} excepted`]),
    ...(known === undefined || known === 0 ? [] : [`${count(known, 'finding')} known from the baseline`]),
  ].join(', ');
}
