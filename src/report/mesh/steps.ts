/** The README of a folder of policies: what to apply in which order, what to see before the next, and the way back. */
import { type KubeObject, nameOf } from '#kube/objects.ts';
import { safe } from '../safe.ts';

export interface StepsInput {
  readonly forms: readonly string[];
  /** How many connections have to work. */
  readonly needs: number;
  readonly stages: readonly {
    readonly file: string;
    readonly title: string;
    readonly objects: readonly KubeObject[];
    readonly watch: readonly string[];
    /** Needed connections that it would break. */
    readonly breaks: readonly string[];
  }[];
  /** Objects that the new ones take the place of. */
  readonly replaced: readonly KubeObject[];
  readonly notes: readonly string[];
  readonly remaining: readonly {
    readonly from: string;
    readonly to: string;
    readonly ports: string;
    readonly why: string;
  }[];
}

export function stepsText({ forms, needs, stages, replaced, notes, remaining }: StepsInput): string {
  const lines = [
    '# Steps',
    '',
    `Policies (${forms.join(', ')}) for ${needs} connections that have to work. Apply one file, look, then the next.`,
  ];
  for (const [index, { file, title, objects, watch, breaks }] of stages.entries()) {
    const kinds = [...Map.groupBy(objects, ({ kind }) => kind)].map(
      ([kind, list]) => `${list.length} ${kind}`,
    );
    lines.push(
      '',
      `## ${index + 1}. ${title}`,
      '',
      '```sh',
      `kubectl apply -f ${file}   # ${kinds.join(', ')}`,
      '```',
      '',
    );
    lines.push(
      breaks.length === 0
        ? 'Decided: every needed connection works after this step.'
        : `**It would break:** ${breaks.map(text => `\`${safe(text)}\``).join(', ')}.`,
      '',
    );
    for (const line of watch) lines.push(`- ${safe(line)}`);
  }
  if (replaced.length > 0) {
    lines.push(
      '',
      `## ${stages.length + 1}. The old policies go`,
      '',
      'Those that allow still add to the new ones until they are deleted.',
      '',
      '```sh',
    );
    const byNamespace = Map.groupBy(replaced, ({ metadata }) => String(metadata?.namespace ?? 'default'));
    for (const [namespace, list] of byNamespace)
      for (const [kind, own] of Map.groupBy(list, one => one.kind))
        lines.push(
          `kubectl -n ${safe(namespace)} delete ${kind.toLowerCase()} ${own.map(nameOf).map(safe).join(' ')}`,
        );
    lines.push('```');
  }
  if (remaining.length > 0) {
    lines.push('', '## Open in the end, and needed by nobody', '');
    for (const { from, to, ports, why } of remaining)
      lines.push(`- ${safe(`${from} -> ${to}, ${ports}: ${why}`)}`);
  }
  if (notes.length > 0) lines.push('', '## Notes', '', ...notes.map(note => `- ${safe(note)}`));
  return `${lines.join('\n')}\n`;
}
