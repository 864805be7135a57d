/** GitLab's Code Quality report. Source: GitLab documentation, "Code Quality report format". */
import type { Excepted, Finding, Unknown } from '#check/finding.ts';
import type { Severity } from '#check/severity.ts';
import { whoExcepts } from './excepted.ts';
import { jsonText } from './json-text.ts';
import type { Reporter } from './reporter.ts';
import { objectName, safe } from './safe.ts';

const SEVERITIES: Readonly<Record<Severity, string>> = {
  critical: 'blocker',
  high: 'critical',
  medium: 'major',
  low: 'minor',
  info: 'info',
};

function issue({ check, severity, object, message, fingerprint, file, line, endLine }: Finding): object {
  return {
    description: `${objectName(object)}: ${safe(message)}`,
    check_name: check,
    fingerprint,
    severity: SEVERITIES[severity],
    location: { path: file, lines: { begin: line, end: endLine } },
  };
}

/** GitLab has no word for it, so it stands among what is only for information. */
function exceptedIssue({ finding, exception }: Excepted): object {
  return {
    ...issue(finding),
    description: `Excepted by ${whoExcepts(exception)}: ${objectName(finding.object)}: ${safe(finding.message)}`,
    fingerprint: `excepted|${finding.fingerprint}`,
    severity: SEVERITIES.info,
  };
}

/** Lines are left out of the fingerprint: they move, and the unknown stays the same. */
function unknownIssue(
  { file = '.', line = 1, object, check, reason }: Unknown,
  seen: Map<string, number>,
): object {
  const who = object === undefined ? '' : `${objectName(object)}: `;
  const key = `unknown|${safe(`${file}|${check ?? ''}|${who}${reason}`)}`;
  const times = (seen.get(key) ?? 0) + 1;
  seen.set(key, times);
  return {
    description: `Could not be judged: ${who}${safe(reason)}`,
    check_name: check ?? 'sallyport/unknown',
    fingerprint: times === 1 ? key : `${key}|${times}`,
    // It fails the gate as a finding does, so it stands among those that should be looked at.
    severity: SEVERITIES.medium,
    location: { path: file, lines: { begin: line } },
  };
}

export default {
  render({ findings, unknowns, excepted = [] }) {
    const seen = new Map<string, number>();
    return jsonText([
      ...findings.map(finding => issue(finding)),
      ...unknowns.map(unknown => unknownIssue(unknown, seen)),
      ...excepted.map(exceptedIssue),
    ]);
  },
} satisfies Reporter;
