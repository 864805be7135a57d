/** Reports to try the formats on: an ordinary one, an empty one, a hostile one. */
import type { Finding, Report } from '#check/finding.ts';
import { describe as describeCheck, REPORT_SCHEMA } from '#judge/report.ts';
import { checks } from '#practices/index.ts';
import type { ReportOptions } from '#report/reporter.ts';

export const options: ReportOptions = {
  color: false,
  width: 80,
  verbose: false,
  failOn: 'high',
  allowUnknown: false,
  time: '2026-01-31T12:00:00.000Z',
  source: (_file, line) => `line ${line} of the source`,
  diff: ({ fix }) => (fix === undefined ? undefined : ['-  image: x', '+  image: x:1']),
};

export function finding(change: Partial<Finding> = {}): Finding {
  const region = { file: 'deploy/shop.yaml', line: 12, column: 5, endLine: 12, endColumn: 20 };
  return {
    check: 'pod-security/privileged',
    title: 'Privileged container',
    severity: 'critical',
    practice: 'pod-security',
    object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'cart' },
    ...region,
    path: 'spec.template.spec.containers[0].securityContext.privileged',
    occurrences: [
      { ...region, path: 'spec.template.spec.containers[0].securityContext.privileged', container: 'web' },
    ],
    message: 'container "web" must not set securityContext.privileged=true',
    why: 'It owns the node.',
    remediation: 'Remove it.',
    frameworks: ['PSS baseline', 'CIS 5.2.2'],
    fingerprint: '0123456789abcdef0123456789abcdef',
    ...change,
  };
}

export function report(findings: readonly Finding[], unknowns: Report['unknowns'] = []): Report {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { severity } of findings) counts[severity]++;
  return {
    schema: REPORT_SCHEMA,
    version: '0.0.0',
    summary: {
      files: 3,
      documents: 4,
      objects: 5,
      workloads: 2,
      findings: counts,
      unknowns: unknowns.length,
    },
    findings,
    unknowns,
    checks: checks.filter(({ name }) => name === 'privileged').map(check => describeCheck(check)),
  };
}

/** Everything that some format takes for its own syntax, or a terminal for a command. */
export const NASTY =
  '\u001b[31m red \u0007 <script>alert(1)</script> ]]> --> </details> | ` * _ [x](y) @everyone ::error::x\n::warning::y \r "quote" \'single\' & =cmd() \u202e\u200bback \u0000 ##[error]x ##vso[task.complete]y \ud800 \ufffe \u00ad \u{e0041} https://evil.example #1 GH-1 end';

export const ordinary = report(
  [
    finding(),
    finding({
      check: 'cicd/image-tag',
      severity: 'medium',
      practice: 'cicd',
      line: 20,
      endLine: 20,
      fix: { title: 'Name a tag', kind: 'review', changes: [] },
    }),
  ],
  [{ file: 'deploy/broken.yaml', line: 3, column: 7, reason: 'not valid YAML: a value was expected' }],
);

export const empty = report([]);

/** With everything that was set aside. */
export const excepting: Report = {
  ...ordinary,
  excepted: [
    {
      finding: finding({ line: 30, endLine: 30 }),
      exception: {
        check: 'pod-security/privileged',
        reason: `it loads a kernel module ${NASTY}`,
        owner: '@node-team',
        until: '2027-01-31',
        ticket: 'OPS-1',
        source: 'comment',
        file: 'deploy/shop.yaml',
        line: 29,
      },
    },
  ],
  known: 3,
};

export const hostile = report(
  [
    finding({
      file: `a b/${NASTY.replaceAll('/', '')}.yaml`,
      message: NASTY,
      object: { apiVersion: 'v1', kind: NASTY, name: NASTY },
      path: NASTY,
    }),
  ],
  [{ file: NASTY, line: 1, reason: NASTY, object: { apiVersion: 'v1', kind: 'Pod', name: NASTY } }],
);
