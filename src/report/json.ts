/** The report as JSON. Its form is published as schemas/report.schema.json. */
import { toJson } from '#kube/json.ts';
import type { Reporter } from './reporter.ts';

export default {
  name: 'json',
  description: 'everything, for programs (schemas/report.schema.json)',
  render: ({ schema, version, summary, findings, unknowns }) =>
    toJson({ schema, version, summary, findings, unknowns }),
} satisfies Reporter;
