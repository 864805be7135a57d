/** Objects as YAML of the plainest kind: block style, and texts in JSON's quotes wherever they could mean anything else. */
import { isRecord } from '#kube/objects.ts';

export function yamlOf(objects: readonly unknown[]): string {
  return objects.map(object => `${lines(object, 0).join('\n')}\n`).join('---\n');
}

function lines(value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (Array.isArray(value))
    return value.flatMap(item => {
      const [first = '', ...rest] = nests(item) ? lines(item, depth + 1) : [scalar(item)];
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  if (!isRecord(value)) return [`${indent}${scalar(value)}`];
  return Object.entries(value).flatMap(([key, item]) =>
    nests(item)
      ? [`${indent}${scalar(key)}:`, ...lines(item, depth + 1)]
      : [`${indent}${scalar(key)}: ${scalar(item)}`],
  );
}

function nests(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isRecord(value) && Object.keys(value).length > 0;
}

function scalar(value: unknown): string {
  // Words that begin with a letter, and are none of those that YAML 1.1 reads as something else.
  if (
    typeof value === 'string' &&
    /^[A-Za-z][\w./-]*$/.test(value) &&
    !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(value)
  )
    return value;
  return JSON.stringify(value);
}
