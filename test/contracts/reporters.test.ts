/** What every format keeps, and what each one's readers demand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import AjvDraft4 from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import type { Finding } from '#check/finding.ts';
import { toJson } from '#kube/json.ts';
import { formats } from '#report/formats.ts';
import type { Reporter } from '#report/reporter.ts';
import { empty, excepting, finding, hostile, NASTY, options, ordinary, report } from './reports.ts';

const require = createRequire(import.meta.url);
const reporters = new Map<string, Reporter>(
  await Promise.all(formats.map(async ({ name, load }) => [name, await load()] as const)),
);
const render = (name: string, what = ordinary) => reporters.get(name)!.render(what, options);

for (const [name, reporter] of reporters)
  describe(`format ${name}`, () => {
    it('says what it is', () => {
      assert.match(formats.find(format => format.name === name)!.description, /^\S.{5,60}$/);
    });

    it('ends with a line break, and is the same for the same report', () => {
      for (const what of [ordinary, empty, hostile, excepting]) {
        const text = reporter.render(what, options);
        assert.ok(text.endsWith('\n'));
        assert.equal(text, reporter.render(what, options));
      }
    });

    it('names the check, the place and what could not be judged', () => {
      const text = reporter.render(ordinary, options);
      for (const word of ['privileged', 'shop', 'broken.yaml', 'a value was expected']) {
        assert.ok(text.includes(word), word);
      }
    });

    it('says what was excepted, by whom, and until when', () => {
      const text = reporter.render(excepting, { ...options, width: 200 });
      for (const word of ['@node-team', '2027-01-31', 'it loads a kernel module'])
        assert.ok(text.replaceAll('\u2060', '').includes(word), word);
      assert.ok(!reporter.render(ordinary, options).includes('@node-team'));
    });

    it('lets nothing of the input act', () => {
      for (const what of [hostile, excepting]) {
        const text = reporter.render(what, { ...options, verbose: true });
        assert.doesNotMatch(
          text,
          /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u00ad\u200b\u202e\ufffe\u{e0041}]/u,
        );
        assert.ok(text.isWellFormed());
      }
      const text = reporter.render(hostile, { ...options, verbose: true });
      assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u00ad\u200b\u202e\ufffe\u{e0041}]/u);
      assert.ok(text.isWellFormed());
    });

    it('lets nothing of the input command the runner of a pipeline', () => {
      for (const width of [20, 24, 30, 40, 80]) {
        const text = reporter.render(hostile, { ...options, width, verbose: true, source: () => NASTY });
        // Source: actions/runner, ActionCommand.cs; the second form is a command anywhere in a line.
        if (name !== 'github') assert.doesNotMatch(text, /^\s*::[a-z]/im);
        assert.doesNotMatch(text, /##\[|##vso\[|##teamcity\[/);
      }
    });

    it('survives names of any length', () => {
      const long = 'x'.repeat(200_000);
      const what = report(
        [finding({ message: long, object: { apiVersion: 'v1', kind: 'Pod', name: long } })],
        [{ file: long, reason: long }],
      );
      assert.ok(reporter.render(what, options).length < 4_000_000);
    });

    it('takes time in proportion to the findings', () => {
      const many = (count: number) =>
        report(Array.from({ length: count }, (_, i) => finding({ line: i + 1, endLine: i + 1 })));
      const time = (count: number) => {
        const what = many(count);
        // The processor's time, and the best of three: whatever else the machine does is no news here.
        const runs = Array.from({ length: 3 }, () => {
          const start = process.cpuUsage();
          reporter.render(what, options);
          return process.cpuUsage(start).user / 1000;
        });
        return Math.min(...runs);
      };
      time(1000);
      // Ten times as many may take a hundred times as long only if something is quadratic.
      assert.ok(time(20_000) < 60 * Math.max(time(2000), 5));
    });
  });

describe('text', () => {
  it('fits 80 columns', () => {
    for (const line of render('text').split('\n')) assert.ok(line.length <= 80, line);
  });

  it('says one friendly line for a clean scan', () => {
    assert.equal(render('text', empty), 'Nothing to complain about: 5 objects (2 workloads) in 3 files.\n');
  });

  it('folds what repeats, and shows it all when asked', () => {
    const times = (length: number, severity: Finding['severity'] = 'critical') =>
      report(Array.from({ length }, (_, i) => finding({ line: i + 1, endLine: i + 1, severity })));
    assert.match(render('text', times(39)), /pod-security\/privileged: 34 more/);
    const all = reporters.get('text')!.render(times(39), { ...options, verbose: true });
    assert.equal(all.match(/critical pod-security/g)?.length, 39);
    // What is grave is not left out of a report that is read whole.
    assert.equal(render('text', times(9)).match(/critical pod-security/g)?.length, 9);
    assert.match(render('text', times(9, 'low')), /pod-security\/privileged: 4 more/);
  });
});

describe('json', () => {
  it('is what its schema says', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../schemas/report.schema.json', import.meta.url), 'utf8'),
    ) as object;
    const validate = new Ajv({ strict: true }).compile(schema);
    for (const what of [ordinary, empty, hostile, excepting])
      assert.ok(validate(JSON.parse(render('json', what))), toJson(validate.errors));
  });
});

describe('sarif', () => {
  it('is valid by the official schema', () => {
    const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json') as object;
    const ajv = new AjvDraft4.default({ strict: false, unicodeRegExp: false });
    addFormats.default(ajv as never);
    const validate = ajv.compile(schema);
    for (const what of [ordinary, empty, hostile, excepting])
      assert.ok(validate(JSON.parse(render('sarif', what))), toJson(validate.errors));
  });

  it('stays within what GitHub takes', () => {
    const many = report(
      Array.from({ length: 25_010 }, (_, i) =>
        finding({ line: i + 1, endLine: i + 1, severity: i < 10 ? 'low' : 'high' }),
      ),
    );
    const [run] = (
      JSON.parse(render('sarif', many)) as {
        runs: {
          results: { level: string; locations: unknown[]; partialFingerprints: object }[];
          invocations: { toolExecutionNotifications: { message: { text: string } }[] }[];
        }[];
      }
    ).runs;
    assert.equal(run!.results.length, 25_000);
    assert.ok(
      run!.results.every(({ level, locations }) => level === 'error' && locations.length === 1),
      'the least severe were left out',
    );
    assert.match(
      run!.invocations[0]!.toolExecutionNotifications[0]!.message.text,
      /10 less severe findings were left out/,
    );
  });
});

describe('github', () => {
  it('annotates nothing that was excepted', () => {
    const lines = render('github', excepting).split('\n');
    assert.equal(lines.filter(line => line.startsWith('::')).length, 3);
    assert.ok(lines.some(line => line.startsWith('excepted: ')));
  });

  it('is one command a line, whatever the input says', () => {
    const lines = render('github', hostile).trimEnd().split('\n');
    assert.equal(lines.length, 3);
    assert.equal(lines.filter(line => line.startsWith('::')).length, 2);
  });
});

describe('csv', () => {
  it('quotes, and runs nothing in a spreadsheet', () => {
    const text = render('csv', report([finding({ message: '=HYPERLINK("x")' })]));
    assert.match(text, /"'=HYPERLINK\(""x""\)"/);
    assert.equal(text.split('\r\n').length, 3);
  });
});

describe('markdown', () => {
  it('stays under the limit of a comment, and keeps its marker', () => {
    const many = report(
      Array.from({ length: 5000 }, (_, i) => finding({ line: i + 1, message: 'x'.repeat(200) })),
    );
    const text = render('markdown', many);
    assert.ok(text.length < 60_000, `${text.length}`);
    assert.ok(text.startsWith('<!-- sallyport -->\n'));
    assert.match(text, /they did not fit/);
  });

  it('keeps its own tags', () => {
    assert.equal(render('markdown', hostile).match(/<\/details>/g)?.length, 1);
  });
});

describe('html', () => {
  it('holds no script but its own, and loads nothing', () => {
    const text = render('html', hostile);
    assert.equal(text.match(/<script/g)?.length, 1);
    assert.doesNotMatch(text, /(?:src|@import|url\()=?["']?https?:/);
    assert.match(text, /default-src 'none'/);
    assert.ok(NASTY.includes('<script>'));
  });
});

describe('gitlab', () => {
  it('has what GitLab asks for, with unique fingerprints', () => {
    const issues = JSON.parse(render('gitlab')) as {
      description: string;
      check_name: string;
      fingerprint: string;
      severity: string;
      location: { path: string; lines: { begin: number } };
    }[];
    for (const { severity, location } of issues) {
      assert.ok(['info', 'minor', 'major', 'critical', 'blocker'].includes(severity));
      assert.ok(location.lines.begin >= 1);
    }
  });
});
