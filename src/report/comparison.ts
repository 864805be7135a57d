/** The formats in which a comparison has a form of its own; in all others its report is shown as that of a scan. */
import type { Comparison } from '#check/comparison.ts';
import { comparisonMarkdown } from './comparison-markdown.ts';
import { comparisonText } from './comparison-text.ts';
import { jsonText } from './json-text.ts';
import type { Reporter } from './reporter.ts';

export function comparisonReporter(comparison: Comparison, format: string): Reporter | undefined {
  switch (format) {
    case 'text':
      return { render: (_report, options) => comparisonText(comparison, options) };
    case 'markdown':
      return { render: (_report, options) => comparisonMarkdown(comparison, options) };
    case 'json': {
      const { report, ...rest } = comparison;
      return { render: () => jsonText({ ...rest, summary: report.summary }) };
    }
    default:
      return undefined;
  }
}
