/** JUnit XML: one suite a file, findings as failures, what could not be judged as errors. Form: junit-10.xsd of Jenkins. */
import type { Excepted, Finding, Unknown } from '#check/finding.ts';
import { whoExcepts } from './excepted.ts';
import { xml } from './markup.ts';
import type { Reporter } from './reporter.ts';
import { objectName } from './safe.ts';

interface Case {
  readonly name: string;
  readonly className: string;
  readonly kind: 'failure' | 'error' | 'skipped';
  readonly type: string;
  readonly message: string;
  readonly text: string;
}

/** What belongs to no file. */
const NO_FILE = 'sallyport';

function failure({ file, line, column, check, severity, object, message, why, remediation }: Finding): Case {
  return {
    name: `${check}: ${objectName(object)}`,
    className: check.replace('/', '.'),
    kind: 'failure',
    type: severity,
    message: `${file}:${line}:${column}: ${message}`,
    text: `${why} ${remediation}`,
  };
}

function error({ file, line, object, check, reason }: Unknown): Case {
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
  return {
    name: `${check ?? 'could not be judged'}${object === undefined ? '' : `: ${objectName(object)}`}`,
    className: (check ?? 'unknown').replace('/', '.'),
    kind: 'error',
    type: 'unknown',
    message: `${place}${reason}`,
    text: reason,
  };
}

function skipped({ finding, exception }: Excepted): Case {
  const message = `excepted by ${whoExcepts(exception)}`;
  return { ...failure(finding), kind: 'skipped', message, text: message };
}

function testCase({ name, className, kind, type, message, text }: Case): string[] {
  if (kind === 'skipped')
    return [
      `    <testcase name="${xml(name)}" classname="${xml(className)}" time="0">`,
      `      <skipped message="${xml(message)}"/>`,
      '    </testcase>',
    ];
  return [
    `    <testcase name="${xml(name)}" classname="${xml(className)}" time="0">`,
    `      <${kind} type="${xml(type)}" message="${xml(message)}">${xml(text)}</${kind}>`,
    '    </testcase>',
  ];
}

function suite(file: string, cases: readonly Case[], time: string): string[] {
  const number = (of: Case['kind']) => cases.filter(({ kind }) => kind === of).length;
  return [
    `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${number('failure')}" errors="${number('error')}" skipped="${number('skipped')}" time="0" timestamp="${xml(time)}">`,
    ...cases.flatMap(testCase),
    '  </testsuite>',
  ];
}

/** A page of tests with none on it looks like a run that did not happen. */
function passed(time: string): string[] {
  return [
    `  <testsuite name="${NO_FILE}" tests="1" failures="0" errors="0" skipped="0" time="0" timestamp="${xml(time)}">`,
    `    <testcase name="nothing found" classname="${NO_FILE}" time="0"/>`,
    '  </testsuite>',
  ];
}

export default {
  render({ findings, unknowns, excepted = [] }, { time }) {
    const cases = [
      ...findings.map(finding => [finding.file, failure(finding)] as const),
      ...unknowns.map(unknown => [unknown.file ?? NO_FILE, error(unknown)] as const),
      ...excepted.map(one => [one.finding.file, skipped(one)] as const),
    ];
    const suites = [...Map.groupBy(cases, ([file]) => file)].flatMap(([file, of]) =>
      suite(
        file,
        of.map(([, one]) => one),
        time,
      ),
    );
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<testsuites name="sallyport" tests="${Math.max(cases.length, 1)}" failures="${findings.length}" errors="${unknowns.length}">`,
      ...(cases.length === 0 ? passed(time) : suites),
      '</testsuites>',
      '',
    ].join('\n');
  },
} satisfies Reporter;
