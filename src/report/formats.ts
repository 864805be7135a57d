/** The formats: what each is called and for. Each is loaded only when it is asked for. */
import type { Reporter } from './reporter.ts';

export interface Format {
  /** The word after `--format`. */
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<Reporter>;
}

export const formats: readonly Format[] = [
  {
    name: 'text',
    description: 'for people, grouped by file',
    load: async () => (await import('./text.ts')).default,
  },
  {
    name: 'json',
    description: 'everything, for programs (schemas/report.schema.json)',
    load: async () => (await import('./json.ts')).default,
  },
  {
    name: 'sarif',
    description: 'SARIF 2.1.0, for code-scanning pages',
    load: async () => (await import('./sarif.ts')).default,
  },
  {
    name: 'junit',
    description: 'JUnit XML, for test pages of CI systems',
    load: async () => (await import('./junit.ts')).default,
  },
  {
    name: 'github',
    description: 'annotations in GitHub Actions',
    load: async () => (await import('./github.ts')).default,
  },
  {
    name: 'gitlab',
    description: 'GitLab Code Quality',
    load: async () => (await import('./gitlab.ts')).default,
  },
  {
    name: 'markdown',
    description: 'a comment for a pull request',
    load: async () => (await import('./markdown.ts')).default,
  },
  {
    name: 'html',
    description: 'one self-contained page',
    load: async () => (await import('./html.ts')).default,
  },
  {
    name: 'csv',
    description: 'a table for spreadsheets',
    load: async () => (await import('./csv.ts')).default,
  },
];
