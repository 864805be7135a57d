/** The formats by name. Each is loaded only when it is asked for. */
import type { Reporter } from './reporter.ts';

export interface Format {
  readonly name: string;
  readonly load: () => Promise<Reporter>;
}

export const formats: readonly Format[] = [
  { name: 'text', load: async () => (await import('./text.ts')).default },
  { name: 'json', load: async () => (await import('./json.ts')).default },
  { name: 'sarif', load: async () => (await import('./sarif.ts')).default },
  { name: 'junit', load: async () => (await import('./junit.ts')).default },
  { name: 'github', load: async () => (await import('./github.ts')).default },
  { name: 'gitlab', load: async () => (await import('./gitlab.ts')).default },
  { name: 'markdown', load: async () => (await import('./markdown.ts')).default },
  { name: 'html', load: async () => (await import('./html.ts')).default },
  { name: 'csv', load: async () => (await import('./csv.ts')).default },
];
