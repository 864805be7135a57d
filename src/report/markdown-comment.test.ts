/**
 * Comments on pull requests, of random and hostile reports of any size, read by a renderer of Markdown: they fit, and
 * nothing in them acts but what is ours.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Comparison, SecurityChange } from '#check/comparison.ts';
import type { Excepted, Finding, Unknown } from '#check/finding.ts';
import { severities } from '#check/severity.ts';
import { finding, NASTY, options, report } from '#test/contracts/reports.ts';
import { comparisonMarkdown } from './comparison-markdown.ts';
import { pageUrl } from './links.ts';
import markdown from './markdown.ts';

interface Renderer {
  marked: { parse(text: string, options: { gfm: boolean; async: false }): string };
}

function renderer(): Renderer['marked'] | undefined {
  try {
    return (createRequire(import.meta.url)('marked') as Renderer).marked;
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return undefined;
  }
}

const marked = renderer();
const LIMIT = 60_000;

const piece = fc.constantFrom(
  ...['|', '`', '``', '```', '<', '>', '<b>', '</details>', '<!-- -->', '<script>', '&', '&#64;', '$', '$$'],
  ...['@', '@octo-cat', '#1', 'GH-1', '!7', '~bug', '%3', 'https://evil.example', 'www.evil.example'],
  ...[
    '[a](b)',
    '![a](b)',
    '[^1]',
    '***',
    '__a__',
    '~~a~~',
    '\\',
    '\\|',
    '\n',
    '\r',
    '\n\n# a',
    '\n- b',
    '|---|',
  ],
  ...[
    '/close',
    'mailto:a@b.example',
    'a@b.example',
    '\u202e',
    '\u200b',
    '\u2028',
    '\ud800',
    '\u{1f600}',
    '\t',
  ],
  ...['\u0130', '表', '```mermaid\n', ':smile:', '{{', '[ ]', '1. ', '    ', '---', '===', NASTY],
);
const text = fc.oneof(
  { weight: 4, arbitrary: fc.array(piece, { maxLength: 12 }).map(parts => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(piece, fc.integer({ min: 1, max: 400 })).map(([one, n]) => one.repeat(n)),
  },
);
const texts = fc.array(text, { minLength: 1, maxLength: 12 });
/** Few up to thousands: what is made of so many texts, over and over. */
const many = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 500, max: 3_000 }));

const CHECKS = ['pod-security/privileged', 'cicd/image-tag', 'authorization/escalate-or-bind'];

function made(all: readonly string[], number: number): readonly Finding[] {
  const at = (i: number) => all[i % all.length]!;
  return Array.from({ length: number }, (_, i) =>
    finding({
      check: CHECKS[i % CHECKS.length]!,
      severity: severities[i % severities.length]!,
      object: { apiVersion: 'v1', kind: at(i), namespace: at(i + 1), name: at(i + 2) },
      file: at(i + 3),
      line: i + 1,
      message: at(i + 4),
    }),
  );
}

function changesOf(findings: readonly Finding[], direction: SecurityChange['direction']): SecurityChange[] {
  return findings.map(
    ({ object, severity, practice, message, file, line, column, endLine, endColumn, path }) => ({
      kind: 'cicd/weakened-guard',
      ...{ practice, direction, severity, side: 'head', object, path, text: message },
      ...{ file, line, column, endLine, endColumn },
    }),
  );
}

const exceptedOf = (findings: readonly Finding[]): Excepted[] =>
  findings.map(one => ({
    finding: one,
    exception: {
      check: one.check,
      reason: one.message,
      owner: one.object.name,
      until: '2099-01-01',
      source: 'comment',
      file: one.file,
      line: one.line,
    },
  }));

const unknownsOf = (findings: readonly Finding[]): Unknown[] =>
  findings.map(({ file, line, object, message }) => ({ file, line, object, reason: message }));

const OURS = /^<\/?(?:details|summary|ul|li|p|strong|table|thead|tbody|tr|th|td|span)>$|^<\/a>$/;

/** What of a comment would act, beyond what is ours. */
function acts(comment: string): readonly string[] {
  const html = marked!.parse(comment, { gfm: true, async: false });
  const tags = html.match(/<[^>]*>?/g) ?? [];
  const links = new Set(CHECKS.map(check => `<a href="${pageUrl(check)}">`));
  const shown = html
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
  return [
    ...tags.filter(tag => !OURS.test(tag) && !links.has(tag) && !/^<!-- sallyport(?:-diff)? -->$/.test(tag)),
    ...(shown.match(/@\w.{0,20}|(?:#|GH-)\d+|https?:\/\/\S+|\bwww\.\S+/gi) ?? []),
  ];
}

function holds(comment: string, marker: string): void {
  assert.ok(comment.length < LIMIT, `${comment.length} characters`);
  assert.ok(comment.startsWith(`${marker}\n`));
  assert.deepEqual([...new Set(acts(comment))].slice(0, 9), []);
  const folds = (what: string) => comment.split('\n').filter(line => line.startsWith(what)).length;
  assert.equal(folds('<details>'), folds('</details>'));
  for (const line of comment.split('\n'))
    if (line.startsWith('| ')) assert.equal(line.match(/(?<!\\)(?:\\\\)*\|/g)!.length, 6, line);
}

/** What stands in the lines, and what they say is left off, is all that there is. */
function told(comment: string, mark: RegExp): number {
  const left = [...comment.matchAll(/and (\d+) more: they did not fit/g)];
  return (comment.match(mark) ?? []).length + left.reduce((sum, [, number]) => sum + Number(number), 0);
}

describe('a comment', { skip: marked === undefined ? 'marked is not installed: npm ci' : false }, () => {
  it('of a report fits, and nothing of the input acts in it', () => {
    fc.assert(
      fc.property(texts, many, fc.integer({ min: 0, max: 300 }), (all, number, others) => {
        const findings = made(all, number);
        const excepted = exceptedOf(made(all, others));
        const comment = markdown.render(
          { ...report(findings, unknownsOf(made(all, others))), excepted },
          options,
        );
        holds(comment, '<!-- sallyport -->');
        assert.equal(told(comment, /^\| (?:critical|high|medium|low|info) /gm), number);
      }),
      { numRuns: 15 },
    );
  });

  it('of a comparison fits, and nothing of the input acts in it', () => {
    fc.assert(
      fc.property(texts, many, many, fc.integer({ min: 0, max: 300 }), (all, added, worse, others) => {
        const findings = made(all, added);
        const changes = [...changesOf(made(all, worse), 'worse'), ...changesOf(made(all, others), 'neutral')];
        const comparison: Comparison = {
          ...{ schema: 'sallyport-comparison/1', version: '0.0.0' },
          base: { name: all[0]! },
          head: { name: all.at(-1)! },
          objects: { added: 1, removed: 2, changed: 3 },
          changes,
          new: findings,
          fixed: [],
          unchanged: 4,
          unknowns: unknownsOf(made(all, others)),
          excepted: [],
          report: report(findings),
        };
        const comment = comparisonMarkdown(comparison, options);
        holds(comment, '<!-- sallyport-diff -->');
        if (others === 0) assert.equal(told(comment, /^- \*\*/gm), added + worse);
        assert.match(comment.trimEnd().split('\n').at(-1)!, /3 changed; 4 findings unchanged$/);
      }),
      { numRuns: 15 },
    );
  });

  it('is tried with a renderer that would show what acts', () => {
    assert.deepEqual(acts('<!-- sallyport -->\n**a** [x](https://x.example) <b>c</b> @all'), [
      '<a href="https://x.example">',
      '<b>',
      '</b>',
      '@all',
    ]);
  });
});
