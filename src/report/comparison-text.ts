/** What a change does to security, for people: guards and other changes first, then what checks find. */
import type { Comparison, SecurityChange } from '#check/comparison.ts';
import type { Finding } from '#check/finding.ts';
import { gateSentence } from './gate.ts';
import type { ReportOptions } from './reporter.ts';
import { count, objectName, safe, shorten } from './safe.ts';
import { type Style, styled, wrapped } from './style.ts';

const SHOWN = 40;
const LENGTH = 600;
const INDENT = '    ';
const MARKS = { worse: '-', better: '+', neutral: ' ' } as const;
const STYLES: Readonly<Record<SecurityChange['direction'], Style>> = {
  worse: 'red',
  better: 'green',
  neutral: 'dim',
};

export function comparisonText(comparison: Comparison, options: ReportOptions): string {
  const { changes, base, head, objects, unknowns } = comparison;
  const lines: string[] = [];
  const style = (name: Style, text: string) => (options.color ? styled(name, text) : text);
  const wrap = (text: string, indent: string) =>
    lines.push(...wrapped(text, options.width - indent.length).map(line => indent + line));
  const section = <Item>(title: string, items: readonly Item[], show: (item: Item) => void) => {
    if (items.length === 0) return;
    lines.push(style('bold', `${title} (${items.length})`));
    const shown = options.verbose ? items : items.slice(0, SHOWN);
    shown.forEach(show);
    if (shown.length < items.length)
      lines.push(style('dim', `  and ${items.length - shown.length} more; --verbose shows them all`));
    lines.push('');
  };
  const change = ({ direction, severity, kind, file, line, object, text }: SecurityChange) => {
    const level = direction === 'worse' ? `${severity} ` : '';
    lines.push(
      `${style(STYLES[direction], MARKS[direction])} ${safe(file)}:${line} ${level}${style('bold', kind)}`,
    );
    wrap(`${objectName(object)}: ${safe(shorten(text, LENGTH))}`, INDENT);
  };
  const finding = (mark: string) => (one: Finding) => {
    lines.push(`${mark} ${safe(one.file)}:${one.line} ${one.severity} ${style('bold', one.check)}`);
    wrap(`${objectName(one.object)}: ${safe(shorten(one.message, LENGTH))}`, INDENT);
  };
  const of = (direction: SecurityChange['direction']) => changes.filter(one => one.direction === direction);
  section('For the worse', of('worse'), change);
  section('New findings', comparison.new, finding(style('red', '-')));
  section('Changed, and could not be judged', unknowns, ({ file, line, object, reason }) => {
    lines.push(`? ${file === undefined ? '' : safe(file)}${line === undefined ? '' : `:${line}`}`);
    wrap(`${object === undefined ? '' : `${objectName(object)}: `}${safe(shorten(reason, LENGTH))}`, INDENT);
  });
  section('For the better', of('better'), change);
  section('Fixed', comparison.fixed, finding(style('green', '+')));
  section('Also changed', of('neutral'), change);
  section('Newly excepted', comparison.excepted, ({ finding: one, exception }) => {
    lines.push(`  ${safe(one.file)}:${one.line} ${one.check}`);
    wrap(safe(shorten(`${exception.owner}: ${exception.reason}`, LENGTH)), INDENT);
  });
  const time = options.milliseconds === undefined ? '' : ` in ${options.milliseconds} ms`;
  const touched = `${objects.added} added, ${objects.removed} removed, ${objects.changed} changed`;
  if (isQuiet(comparison))
    wrap(`No security-relevant change from ${safe(base.name)} to ${safe(head.name)}: ${touched}${time}.`, '');
  else {
    wrap(
      `From ${safe(base.name)} to ${safe(head.name)}: ${count(comparison.new.length, 'new finding')}, ${comparison.fixed.length} fixed, ${comparison.unchanged} unchanged; ${touched}${time}.`,
      '',
    );
    wrap(gateSentence(comparison.report.summary, options), '');
  }
  return `${lines.join('\n')}\n`;
}

/** Nothing came and nothing went that security depends on. */
export function isQuiet({ changes, new: added, fixed, unknowns, excepted }: Comparison): boolean {
  return (
    changes.length === 0 &&
    added.length === 0 &&
    fixed.length === 0 &&
    unknowns.length === 0 &&
    excepted.length === 0
  );
}
