/**
 * Observed connections, line by line, in the formats that clusters and clouds write: Hubble's JSON (`hubble observe -o
 * json`), ztunnel's log, Calico's flow logs, Envoy's access log as Istio writes it, Istio's metrics, flow logs of VPCs, and
 * CSV with the columns from, to, port and protocol. Replies, and what was refused, are no needs.
 */
import { type FlowLine, flowOf, type ObservedFlow, UNNAMED } from './flow.ts';
import { fromJson, fromRecord } from './json.ts';
import { fromText } from './text.ts';
import { vpcColumns } from './vpc.ts';

export type { ObservedFlow } from './flow.ts';

export interface Flows {
  readonly flows: readonly ObservedFlow[];
  /** Lines that could not be read, with the reason: the first of them. */
  readonly gaps: readonly { readonly line: number; readonly reason: string }[];
  /** How many lines could not be read. */
  readonly unread: number;
  /** Of these, how many are connections that were seen, of which it is not known between whom. */
  readonly unnamed: number;
  readonly lines: number;
}

const LONGEST_LINE = 2 ** 20;
/** More distinct connections than this are no description of a system. */
const MOST_FLOWS = 500_000;
const SHOWN_GAPS = 20;
const UNNAMED_REASONS = new Set<string>(Object.values(UNNAMED));

export function readFlows(text: string): Flows {
  const reader = new FlowReader();
  for (const line of text.split('\n')) reader.line(line);
  return reader.done();
}

/** Takes one line after the other, so that logs of any length are read in bounded memory. */
export class FlowReader {
  readonly #found = new Map<string, ObservedFlow>();
  readonly #gaps: { line: number; reason: string }[] = [];
  #unread = 0;
  #unnamed = 0;
  #lines = 0;
  #columns: readonly string[] = ['from', 'to', 'port', 'protocol'];
  #vpc: readonly string[] | undefined;

  line(raw: string): void {
    this.#lines++;
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    if (line.length > LONGEST_LINE) {
      this.#gap('the line is too long');
      return;
    }
    const read = this.#read(line);
    if (read === undefined) return;
    if (typeof read === 'string') {
      if (UNNAMED_REASONS.has(read)) this.#unnamed++;
      this.#gap(read);
      return;
    }
    const key = JSON.stringify(read);
    if (this.#found.has(key)) return;
    if (this.#found.size >= MOST_FLOWS) this.#gap(`there are more than ${MOST_FLOWS} different connections`);
    else this.#found.set(key, read);
  }

  done(): Flows {
    return {
      flows: [...this.#found.values()],
      gaps: this.#gaps,
      unread: this.#unread,
      unnamed: this.#unnamed,
      lines: this.#lines,
    };
  }

  #gap(reason: string): void {
    this.#unread++;
    if (this.#gaps.length < SHOWN_GAPS) this.#gaps.push({ line: this.#lines, reason });
  }

  #read(line: string): FlowLine {
    if (line.startsWith('{')) return fromJson(line, this.#vpc);
    const header = vpcColumns(line);
    if (header !== undefined) {
      this.#vpc = header;
      return undefined;
    }
    const text = fromText(line, this.#vpc);
    if (text.is === 'known') return text.flow;
    return this.#fromCsv(line);
  }

  #fromCsv(line: string): FlowLine {
    const cells = cellsOf(line);
    const lower = cells.map(cell => cell.toLowerCase());
    if (lower.some(cell => /^(?:port|dest_port|dstport)$/.test(cell))) {
      this.#columns = lower;
      return undefined;
    }
    const columns = this.#columns;
    const record = Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
    const known = fromRecord(record);
    if (known.is === 'known') return known.flow;
    if (cells.length < 2) return 'it is none of the formats that are known';
    return flowOf(record['from'], record['to'], Number(record['port']), record['protocol'] || 'TCP');
  }
}

/** The cells of a line of CSV; quotes are doubled inside of quotes. Source: RFC 4180. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  const cell = /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/y;
  while (cell.lastIndex < line.length && cells.length < 200) {
    const found = cell.exec(line);
    if (found === null) return line.split(',');
    cells.push(found[1] === undefined ? (found[2] ?? '').trim() : found[1].replaceAll('""', '"'));
    if (!found[0].endsWith(',')) break;
  }
  return cells;
}
