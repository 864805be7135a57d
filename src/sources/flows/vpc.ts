/**
 * Flow logs of Amazon's VPCs: lines of words in the order of version 2, or as their header says, and rows of a table.
 * Source: Amazon VPC documentation, flow log records.
 */
import { type FlowLine, FOREIGN, flowOf, isReply, known, type Recognised } from './flow.ts';

type Fields = Readonly<Record<string, unknown>>;

const AWS_V2 = [
  'version',
  'account_id',
  'interface_id',
  'srcaddr',
  'dstaddr',
  'srcport',
  'dstport',
  'protocol',
  'packets',
  'bytes',
  'start',
  'end',
  'action',
  'log_status',
];

/** The columns, where a line is the header of a VPC flow log. */
export function vpcColumns(line: string): readonly string[] | undefined {
  const words = line.split(/\s+/).map(word =>
    word
      .replace(/^\$\{(.*)\}$/, '$1')
      .replaceAll('-', '_')
      .toLowerCase(),
  );
  return words.includes('srcaddr') && words.includes('dstaddr') && !line.includes(',') ? words : undefined;
}

export function fromVpcWords(line: string, columns: readonly string[] = AWS_V2): Recognised {
  const words = line.trim().split(/\s+/);
  if (words.length !== columns.length || line.includes(',')) return FOREIGN;
  if (columns === AWS_V2 && !/^2 (?:\d{12}|unknown) eni-/.test(line)) return FOREIGN;
  return known(fromAws(Object.fromEntries(columns.map((column, index) => [column, words[index]]))));
}

/** A record of a VPC of Amazon: names of the fields with the underscores of tables. */
export function fromAws(record: Fields): FlowLine {
  const text = (field: string): string => String(record[field] ?? record[field.replaceAll('_', '-')] ?? '');
  if (text('action') !== '' && text('action').toUpperCase() !== 'ACCEPT') return undefined;
  if (/^(?:NODATA|SKIPDATA)$/.test(text('log_status'))) return undefined;
  const [from, to] = [text('pkt_srcaddr') || text('srcaddr'), text('pkt_dstaddr') || text('dstaddr')];
  const [source, port] = [Number(text('srcport')), Number(text('dstport'))];
  const protocol = text('protocol') || '6';
  if (/^(?:1|58)$/.test(protocol) || isReply(source, port)) return undefined;
  return flowOf(from, to, port, protocol);
}
