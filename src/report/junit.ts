/** JUnit XML: one suite a file, findings as failures, what could not be judged as errors. */
import type { Reporter } from './reporter.ts';
import { objectName, safe } from './safe.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** For text and attributes alike. What XML cannot hold at all is shown by {@link safe} before. */
export function xml(text: string): string {
  return safe(text)
    .toWellFormed()
    .replace(/[&<>"']/g, character => ENTITIES[character]!);
}

interface Case {
  readonly name: string;
  readonly className: string;
  readonly kind: 'failure' | 'error';
  readonly type: string;
  readonly message: string;
  readonly text: string;
}

export default {
  name: 'junit',
  description: 'JUnit XML, for test pages of CI systems',
  render({ findings, unknowns }, { time }) {
    const suites = new Map<string, Case[]>();
    const add = (file: string, one: Case) => {
      const list = suites.get(file);
      if (list === undefined) suites.set(file, [one]);
      else list.push(one);
    };
    for (const { file, line, column, check, severity, object, message, remediation } of findings)
      add(file, {
        name: `${check}: ${objectName(object)}`,
        className: check.replace('/', '.'),
        kind: 'failure',
        type: severity,
        message: `${file}:${line}:${column}: ${message}`,
        text: remediation,
      });
    for (const { file, line, object, check, reason } of unknowns)
      add(file ?? 'sallyport', {
        name: `${check ?? 'could not be judged'}${object === undefined ? '' : `: ${objectName(object)}`}`,
        className: (check ?? 'unknown').replace('/', '.'),
        kind: 'error',
        type: 'unknown',
        message: `${file ?? ''}${line === undefined ? '' : `:${line}`}: ${reason}`,
        text: reason,
      });
    const total = findings.length + unknowns.length;
    const lines = [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<testsuites name="sallyport" tests="${Math.max(total, 1)}" failures="${findings.length}" errors="${unknowns.length}">`,
    ];
    if (total === 0)
      lines.push(
        `  <testsuite name="sallyport" tests="1" failures="0" errors="0" skipped="0" time="0" timestamp="${xml(time)}">`,
        '    <testcase name="nothing found" classname="sallyport" time="0"/>',
        '  </testsuite>',
      );
    for (const [file, cases] of suites) {
      const failures = cases.filter(({ kind }) => kind === 'failure').length;
      lines.push(
        `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${failures}" errors="${cases.length - failures}" skipped="0" time="0" timestamp="${xml(time)}">`,
      );
      for (const { name, className, kind, type, message, text } of cases)
        lines.push(
          `    <testcase name="${xml(name)}" classname="${xml(className)}" time="0">`,
          `      <${kind} type="${xml(type)}" message="${xml(message)}">${xml(text)}</${kind}>`,
          '    </testcase>',
        );
      lines.push('  </testsuite>');
    }
    lines.push('</testsuites>', '');
    return lines.join('\n');
  },
} satisfies Reporter;
