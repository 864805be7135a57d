/** GitHub's documented rules beyond the schema. Source: "SARIF support for code scanning". */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Report } from '#check/finding.ts';
import { finding, options, report } from '#test/contracts/reports.ts';
import sarif from './sarif.ts';

interface Location {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
    readonly region: Readonly<Record<'startLine' | 'startColumn' | 'endLine' | 'endColumn', number>>;
  };
}

interface Run {
  readonly columnKind: string;
  readonly tool: {
    readonly driver: {
      readonly rules: {
        readonly id: string;
        readonly name: string;
        readonly shortDescription: { readonly text: string };
        readonly fullDescription: { readonly text: string };
        readonly help: { readonly text: string; readonly markdown: string };
        readonly helpUri: string;
        readonly properties: { readonly tags: string[]; readonly 'security-severity': string };
      }[];
    };
  };
  readonly invocations: {
    readonly executionSuccessful: boolean;
    readonly toolExecutionNotifications?: { readonly message: { readonly text: string } }[];
  }[];
  readonly results: {
    readonly ruleId: string;
    readonly ruleIndex: number;
    readonly message: { readonly text: string };
    readonly locations: Location[];
    readonly relatedLocations?: (Location & { readonly id: number })[];
    readonly partialFingerprints: Readonly<Record<string, string>>;
  }[];
}

function runOf(what: Report): Run {
  const { runs } = JSON.parse(sarif.render(what, options)) as { runs: Run[] };
  assert.equal(runs.length, 1);
  return runs[0]!;
}

describe('the SARIF report', () => {
  for (const [file, uri, base] of [
    ['deploy/a b/größe 100%.yaml', 'deploy/a%20b/gr%C3%B6%C3%9Fe%20100%25.yaml', '%SRCROOT%'],
    ['a#b?c:d.yaml', 'a%23b%3Fc%3Ad.yaml', '%SRCROOT%'],
    ['a\\b.yaml', 'a%5Cb.yaml', '%SRCROOT%'],
    ['../up.yaml', '../up.yaml', '%SRCROOT%'],
    ['half \ud800.yaml', 'half%20%EF%BF%BD.yaml', '%SRCROOT%'],
    ['/etc/a b.yaml', 'file:///etc/a%20b.yaml', undefined],
    ['D:/a b.yaml', 'file:///D:/a%20b.yaml', undefined],
  ] as const)
    it(`writes ${JSON.stringify(file)} as a URI`, () => {
      const [result] = runOf(report([finding({ file })])).results;
      const { artifactLocation } = result!.locations[0]!.physicalLocation;
      assert.equal(artifactLocation.uri, uri);
      assert.equal(artifactLocation.uriBaseId, base);
      assert.ok(URL.canParse(artifactLocation.uri, 'file:///root/'));
    });

  it('describes each rule within the limits', () => {
    const base = report([finding()]);
    const long = 'x'.repeat(5000);
    const checks = [
      ...base.checks,
      {
        ...base.checks[0]!,
        id: 'mesh/long-one',
        title: long,
        why: long,
        frameworks: Array.from({ length: 40 }, (_, i) => `F${i}`),
      },
    ];
    const { rules } = runOf({ ...base, checks }).tool.driver;
    assert.equal(rules.length, 2);
    for (const rule of rules) {
      assert.ok(rule.id.length <= 255 && rule.name.length <= 255);
      assert.ok(rule.shortDescription.text.length <= 1024);
      assert.ok(rule.fullDescription.text.length <= 1024);
      assert.ok(rule.help.text !== '' && rule.help.markdown !== '' && rule.helpUri.startsWith('https://'));
      assert.ok(rule.properties.tags.length <= 20 && rule.properties.tags.includes('security'));
      const severity = Number(rule.properties['security-severity']);
      assert.ok(severity > 0 && severity <= 10);
    }
  });

  it('gives every result a region, a rule, a fingerprint and a message that is not too long', () => {
    const { occurrences } = finding();
    const other = { ...occurrences[0]!, line: 40, endLine: 40 };
    const run = runOf(
      report([finding({ message: 'x'.repeat(50_000), occurrences: [...occurrences, other] }), finding()]),
    );
    assert.equal(run.columnKind, 'utf16CodeUnits');
    for (const { ruleId, ruleIndex, message, locations, partialFingerprints } of run.results) {
      assert.equal(run.tool.driver.rules[ruleIndex]!.id, ruleId);
      assert.ok(message.text.length <= 2000);
      const { startLine, startColumn, endLine, endColumn } = locations[0]!.physicalLocation.region;
      assert.deepEqual([startLine, startColumn, endLine, endColumn], [12, 5, 12, 20]);
      assert.match(partialFingerprints['sallyport/v1']!, /^[0-9a-f]{32}$/);
    }
    assert.equal(run.results[0]!.relatedLocations![0]!.physicalLocation.region.startLine, 40);
  });

  it('says what could not be judged as notifications', () => {
    const run = runOf(report([], [{ reason: 'a\nb' }, { file: 'a b.yaml', line: 2, reason: 'x' }]));
    const [invocation] = run.invocations;
    assert.equal(invocation!.executionSuccessful, true);
    assert.deepEqual(
      invocation!.toolExecutionNotifications!.map(({ message }) => message.text),
      ['Could not be judged: a\\nb', 'Could not be judged: x'],
    );
  });

  it('does not let the input make a link', () => {
    const [result] = runOf(report([finding({ message: 'see [here](https://evil.example)' })])).results;
    assert.match(result!.message.text, /\[here\] \(https/);
  });
});
