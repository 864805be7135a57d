/**
 * SARIF 2.1.0 for code-scanning pages, within GitHub's limits: 25,000 results a run, 20 tags a rule, descriptions of
 * 1,024 characters, and a region for every result. Sources: the OASIS schema, and GitHub's "SARIF support for code
 * scanning".
 */
import type { CheckDescription, Excepted, Finding, Occurrence, Region, Unknown } from '#check/finding.ts';
import type { Severity } from '#check/severity.ts';
import { whoExcepts } from './excepted.ts';
import { jsonText } from './json-text.ts';
import { pageUrl } from './links.ts';
import type { Reporter } from './reporter.ts';
import { objectName, safe, shorten } from './safe.ts';

const MAX_RESULTS = 25_000;
const MAX_TAGS = 20;
const MAX_RELATED = 100;
const MAX_NOTIFICATIONS = 5_000;
const MAX_DESCRIPTION = 1_024;
const MAX_MESSAGE = 2_000;

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};

/** GitHub sorts by this number: over 9.0 is critical, over 7.0 high, over 4.0 medium. */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  info: '1.0',
};

/** A relative reference to the root, or a whole URI where the file lies on no path below it. */
function artifact(file: string): { readonly uri: string; readonly uriBaseId?: string } {
  const path = file.toWellFormed().split('/').map(encodeURIComponent).join('/');
  if (/^[A-Za-z]:\//.test(file)) return { uri: `file:///${path.replace('%3A', ':')}` };
  if (file.startsWith('/')) return { uri: `file://${path}` };
  return { uri: path, uriBaseId: '%SRCROOT%' };
}

/** Text of a message. Brackets followed by parentheses would be a link (SARIF 2.1.0, 3.11.6). */
function messageText(text: string): string {
  return shorten(safe(text), MAX_MESSAGE).replaceAll('](', '] (');
}

function location({ file, line, column, endLine, endColumn }: Region): object {
  return {
    physicalLocation: {
      artifactLocation: artifact(file),
      region: {
        startLine: line,
        startColumn: column,
        endLine,
        endColumn: Math.max(endColumn, endLine === line ? column : 1),
      },
    },
  };
}

function rule(check: CheckDescription): object {
  const { id, practice, title, severity, why, remediation, frameworks } = check;
  const help = `${why}\n\nWhat to do: ${remediation}`;
  return {
    id,
    name: id.replaceAll(/[^a-zA-Z0-9]+(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: shorten(title, MAX_DESCRIPTION) },
    fullDescription: { text: shorten(why, MAX_DESCRIPTION) },
    helpUri: pageUrl(id),
    help: { text: help, markdown: `${why}\n\n**What to do:** ${remediation}` },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      tags: ['security', practice, ...frameworks].slice(0, MAX_TAGS),
      'security-severity': SECURITY_SEVERITY[severity],
      precision: 'very-high',
      'problem.severity': LEVELS[severity] === 'note' ? 'recommendation' : LEVELS[severity],
    },
  };
}

function result(finding: Finding, ruleIndex: number): object {
  const { check, severity, object, message, occurrences, fingerprint } = finding;
  const related = occurrences.slice(1, MAX_RELATED + 1);
  return {
    ruleId: check,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: messageText(`${objectName(object)}: ${message}`) },
    locations: [
      {
        ...location(finding),
        logicalLocations: [
          { fullyQualifiedName: `${objectName(object)} ${safe(finding.path)}`, kind: 'member' },
        ],
      },
    ],
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((occurrence: Occurrence, id) => ({
            id,
            ...location(occurrence),
            message: { text: messageText(occurrence.path) },
          })),
        }),
    partialFingerprints: { 'sallyport/v1': fingerprint },
    properties: { 'security-severity': SECURITY_SEVERITY[severity] },
  };
}

/** A result that somebody accepted. Source: SARIF 2.1.0, 3.35 (suppression object). */
function suppressed({ finding, exception }: Excepted, ruleIndex: number): object {
  const inSource = exception.source !== 'configuration';
  return {
    ...result(finding, ruleIndex),
    suppressions: [
      {
        kind: inSource ? 'inSource' : 'external',
        status: 'accepted',
        justification: messageText(whoExcepts(exception)),
        location: {
          physicalLocation: {
            artifactLocation: artifact(exception.file),
            region: { startLine: exception.line },
          },
        },
      },
    ],
  };
}

function notification({ file, line, column, object, check, reason }: Unknown): object {
  const who = object === undefined ? '' : `${objectName(object)}: `;
  return {
    level: 'warning',
    message: { text: messageText(`Could not be judged: ${who}${reason}`) },
    ...(check === undefined ? {} : { associatedRule: { id: check } }),
    ...(file === undefined
      ? {}
      : {
          locations: [
            {
              physicalLocation: {
                artifactLocation: artifact(file),
                ...(line === undefined ? {} : { region: { startLine: line, startColumn: column ?? 1 } }),
              },
            },
          ],
        }),
  };
}

export default {
  render({ version, checks, findings, unknowns, excepted = [] }, { time }) {
    const indexes = new Map(checks.map(({ id }, index) => [id, index]));
    const worst = findings.length > MAX_RESULTS ? bySeverity(findings).slice(0, MAX_RESULTS) : findings;
    const notifications = unknowns.slice(0, MAX_NOTIFICATIONS).map(notification);
    const left = [
      ...(findings.length > MAX_RESULTS
        ? [`${findings.length - MAX_RESULTS} less severe findings were left out: a run holds ${MAX_RESULTS}`]
        : []),
      ...(unknowns.length > MAX_NOTIFICATIONS
        ? [`${unknowns.length - MAX_NOTIFICATIONS} more could not be judged`]
        : []),
    ];
    for (const text of left) notifications.push({ level: 'warning', message: { text } });
    return jsonText({
      $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'Sallyport',
              semanticVersion: version,
              informationUri: 'https://github.com/sallyport/sallyport',
              rules: checks.map(rule),
            },
          },
          columnKind: 'utf16CodeUnits',
          originalUriBaseIds: {
            '%SRCROOT%': { description: { text: 'The folder in which the scan was started.' } },
          },
          invocations: [
            {
              executionSuccessful: true,
              endTimeUtc: time,
              ...(notifications.length === 0 ? {} : { toolExecutionNotifications: notifications }),
            },
          ],
          results: [
            ...worst.map(finding => result(finding, indexes.get(finding.check) ?? -1)),
            ...excepted
              .slice(0, MAX_RESULTS - worst.length)
              .map(one => suppressed(one, indexes.get(one.finding.check) ?? -1)),
          ],
        },
      ],
    });
  },
} satisfies Reporter;

function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (a, b) => Number(SECURITY_SEVERITY[b.severity]) - Number(SECURITY_SEVERITY[a.severity]),
  );
}
