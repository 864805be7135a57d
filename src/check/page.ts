/** The page of a check: what the documentation holds and `explain` prints, from the check itself. */
import { type Check, idOf } from './check.ts';

/** The page as Markdown, or with the marks taken off for a terminal. */
export function pageOf(check: Check, form: 'markdown' | 'text'): string {
  return form === 'markdown' ? markdown(check) : text(check);
}

function markdown(check: Check): string {
  return [
    `# ${check.title}`,
    '',
    `\`${idOf(check)}\` · severity **${check.severity}** · ${profilesOf(check)} · since ${check.since}`,
    '',
    check.why,
    '',
    '## What to do',
    '',
    check.remediation,
    ...(check.fix === undefined ? [] : ['', `Fix (${check.fix.kind}): ${check.fix.title}.`]),
    ...optionLines(check, '## Options'),
    ...(check.frameworks.length === 0 ? [] : ['', '## Refers to', '']),
    ...check.frameworks.map(({ framework, id, title }) => `- ${framework} ${id}: ${title}`),
    ...check.examples.bad.flatMap(example => [
      '',
      `## Fails${meantFor(check)}`,
      '',
      '```yaml',
      dedent(example),
      '```',
    ]),
    ...check.examples.good.flatMap(example => ['', '## Passes', '', '```yaml', dedent(example), '```']),
    '',
  ].join('\n');
}

function text(check: Check): string {
  return [
    check.title,
    `${idOf(check)}, severity ${check.severity}, ${profilesOf(check)}, since ${check.since}`,
    '',
    ...wrap(check.why),
    '',
    'What to do',
    ...wrap(check.remediation, '  '),
    ...(check.fix === undefined ? [] : wrap(`Fix (${check.fix.kind}): ${check.fix.title}.`, '  ')),
    ...optionLines(check, 'Options'),
    ...(check.frameworks.length === 0 ? [] : ['', 'Refers to']),
    ...check.frameworks.map(({ framework, id, title }) => `  ${framework} ${id}: ${title}`),
    ...check.examples.bad.flatMap(example => ['', `Fails${meantFor(check)}`, ...indented(example)]),
    ...check.examples.good.flatMap(example => ['', 'Passes', ...indented(example)]),
    '',
  ].join('\n');
}

function profilesOf({ profiles }: Check): string {
  return profiles.length === 0 ? 'in no profile' : `in ${profiles.join(', ')}`;
}

/** The version that examples are meant for, where that is not the newest. */
function meantFor({ examples: { kubernetes } }: Check): string {
  return kubernetes === undefined ? '' : ` (with --target-kubernetes 1.${kubernetes})`;
}

function optionLines({ options }: Check, heading: string): string[] {
  const entries = Object.entries(options ?? {});
  if (entries.length === 0) return [];
  return [
    '',
    heading,
    '',
    ...entries.map(([name, option]) =>
      option.type === 'objects'
        ? `- ${name} (written under ${option.key}): ${option.description}`
        : `- ${name} (${option.type}, default ${JSON.stringify(option.default)}): ${option.description}`,
    ),
  ];
}

function indented(example: string): string[] {
  return dedent(example)
    .split('\n')
    .map(line => (line === '' ? '' : `  ${line}`));
}

/** An example as it is written between backticks, without the indentation of the code around it. */
export function dedent(example: string): string {
  const lines = example
    .split('\n')
    .filter((line, i, all) => line.trim() !== '' || (i > 0 && i < all.length - 1));
  const margin = Math.min(...lines.filter(line => line.trim() !== '').map(line => line.search(/\S/)));
  return lines.map(line => line.slice(margin)).join('\n');
}

function wrap(paragraph: string, indent = ''): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of paragraph.split(' ')) {
    if (line.length + word.length + 1 > 80 && line.trim() !== '') {
      lines.push(line);
      line = indent;
    }
    line = line.trim() === '' ? `${indent}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
}
