/** Plain data as YAML that every reader takes for the same: what could be anything but text is quoted as in JSON. */
import { isRecord } from './objects.ts';

const PLAIN = /^[A-Za-z][A-Za-z0-9_./-]*$/;
/** Words that some reader takes for a truth value, a null or a number. */
const WORDS = /^(?:y|yes|n|no|on|off|true|false|null|inf|nan)$/i;

/** Documents one after the other, each after a line of dashes. */
export function yamlDocuments(values: readonly unknown[]): string {
  return values.map(value => `---\n${block(value, '').replace(/^\n/, '')}\n`).join('');
}

function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    if (value.every(item => !isRecord(item) && !Array.isArray(item))) {
      const flow = `[${value.map(scalar).join(', ')}]`;
      if (flow.length + indent.length < 90) return ` ${flow}`;
    }
    return value
      .map(item => {
        const inner = block(item, `${indent}  `);
        return `\n${indent}-${inner.startsWith('\n') ? ` ${inner.slice(indent.length + 3)}` : inner}`;
      })
      .join('');
  }
  if (!isRecord(value)) return ` ${scalar(value)}`;
  const entries = Object.entries(value);
  if (entries.length === 0) return ' {}';
  return entries
    .map(([key, item]) => `\n${indent}${scalar(key)}:${block(item, isRecord(item) ? `${indent}  ` : indent)}`)
    .join('');
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return PLAIN.test(value) && !WORDS.test(value) ? value : JSON.stringify(value);
}
