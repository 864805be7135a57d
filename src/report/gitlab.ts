/** GitLab's Code Quality report. Source: GitLab documentation, "Code Quality report format". */
import type { Severity } from '#check/severity.ts';
import { toJson } from '#kube/json.ts';
import type { Reporter } from './reporter.ts';
import { objectName, safe } from './safe.ts';

const SEVERITIES: Readonly<Record<Severity, string>> = {
  critical: 'blocker',
  high: 'critical',
  medium: 'major',
  low: 'minor',
  info: 'info',
};

export default {
  name: 'gitlab',
  description: 'GitLab Code Quality',
  render({ findings, unknowns }) {
    return toJson([
      ...findings.map(({ check, severity, object, message, fingerprint, file, line, endLine }) => ({
        description: safe(`${objectName(object)}: ${message}`),
        check_name: check,
        fingerprint,
        severity: SEVERITIES[severity],
        location: { path: file, lines: { begin: line, end: endLine } },
      })),
      ...unknowns.map(({ file, line, reason, object }, index) => ({
        description: safe(
          `Could not be judged: ${object === undefined ? '' : `${objectName(object)}: `}${reason}`,
        ),
        check_name: 'sallyport/unknown',
        fingerprint: `unknown-${index}-${file ?? ''}-${line ?? 0}`,
        severity: 'info',
        location: { path: file ?? '.', lines: { begin: line ?? 1 } },
      })),
    ]);
  },
} satisfies Reporter;
