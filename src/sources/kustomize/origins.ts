/** Where a resource came from, as `buildMetadata` has it written into annotations. Source: api/resource/origin.go. */

import { cleanPath } from './loader.ts';
import { ORIGIN, type Resource, TRANSFORMATIONS } from './resource.ts';

export interface Origin {
  readonly path: string;
  readonly configuredIn?: string;
  readonly configuredBy?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name?: string;
    readonly namespace?: string;
  };
}

export function below({ path }: Origin, step: string): Origin {
  return { path: cleanPath(`${path}/${step}`) };
}

function write(origin: Origin): string {
  const lines: string[] = [];
  if (origin.path !== '') lines.push(`path: ${origin.path}`);
  if (origin.configuredIn !== undefined) lines.push(`configuredIn: ${origin.configuredIn}`);
  if (origin.configuredBy !== undefined) {
    lines.push('configuredBy:');
    for (const name of ['apiVersion', 'kind', 'name', 'namespace'] as const) {
      const value = origin.configuredBy[name];
      if (value !== undefined && value !== '') lines.push(`  ${name}: ${value}`);
    }
  }
  return lines.length === 0 ? '{}\n' : `${lines.join('\n')}\n`;
}

export function setOrigin(resource: Resource, origin: Origin): void {
  resource.annotate(ORIGIN, write(origin));
}

/** What transformed a resource; for one without an origin, that becomes it. */
export function addTransformation(resource: Resource, origin: Origin): void {
  if (!resource.annotations.has(ORIGIN)) {
    setOrigin(resource, origin);
    return;
  }
  const before = resource.annotations.get(TRANSFORMATIONS) ?? '';
  const item = `- ${write(origin).trimEnd().split('\n').join('\n  ')}\n`;
  resource.annotate(TRANSFORMATIONS, before + item);
}

/** The path that an annotation of this module states. */
export function originPath(resource: Resource): string | undefined {
  const text = resource.annotations.get(ORIGIN);
  return text === undefined ? undefined : (/^path: (.*)$/m.exec(text)?.[1] ?? '');
}
