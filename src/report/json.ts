/** The report as JSON. Its form is published as schemas/report.schema.json. */
import { jsonText } from './json-text.ts';
import type { Reporter } from './reporter.ts';

export default {
  render: ({ schema, version, summary, findings, unknowns, excepted, known }) =>
    jsonText({
      schema,
      version,
      summary,
      findings,
      unknowns,
      ...(excepted === undefined ? {} : { excepted }),
      ...(known === undefined ? {} : { known }),
    }),
} satisfies Reporter;
