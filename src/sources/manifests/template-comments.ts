/**
 * Comments of templates that speak to Sallyport. A template is no YAML before it is rendered, so what a comment stands at
 * is told from the indentation of lines, and never more than that: actions that print nothing are passed over, and a line
 * that is indented no deeper ends it.
 */
import { LineCounter } from '#yaml/lines.ts';
import { type MarkedComment, marksIn } from './comments.ts';

/** The keywords of actions that print nothing themselves, and assignments. */
const PRINTS_NOTHING = /^(?:(?:if|else|end|range|with|define|block|break|continue)\b|\$\w*\s{0,9}:?=)/;
/** More comments than this are not looked at: nothing real has them, and each looks at the lines around it. */
const MOST = 1000;
const ITEM = /^\s*- /;
const BLOCK_TEXT = /(?:^|[\s:-])[|>][-+1-9]*\s*(?:#.*)?$/;

/** @returns one entry for each comment; without lines where nothing follows that it could stand at */
export function templateComments(file: string, text: string): MarkedComment[] {
  const lines = text.split(/\r?\n/);
  const counter = new LineCounter(text);
  return marksIn(text).flatMap(({ at, tool, said }, i) => {
    const line = counter.at(at);
    const column = at - counter.lineStart + 1;
    const own = lines[line - 1]!.slice(0, column - 1).trim() !== '';
    if (i < MOST && isInBlockText(lines, line - 1)) return [];
    const target = i >= MOST ? undefined : own ? line - 1 : nextContent(lines, line);
    const covered = target === undefined ? undefined : coveredBy(lines, target, line - 1);
    return [
      {
        file,
        line,
        column,
        ...(tool === undefined ? {} : { tool }),
        text: said,
        ...(covered === undefined ? {} : { lines: [covered[0] + 1, covered[1] + 1] as const }),
      },
    ];
  });
}

/** Whether a line holds nothing but a comment, or actions that print nothing. */
function isSilent(line: string): boolean {
  let rest = line.trim();
  if (rest.startsWith('#')) return true;
  while (rest !== '') {
    const open = /^\{\{-?\s{0,99}/.exec(rest)?.[0].length;
    if (open === undefined) return false;
    const body = rest.slice(open);
    const isComment = body.startsWith('/*');
    const closed = isComment ? body.indexOf('*/') : 0;
    const end = closed < 0 ? -1 : body.indexOf('}}', closed);
    if (end < 0 || (!isComment && !PRINTS_NOTHING.test(body))) return false;
    rest = body.slice(end + 2).trimStart();
  }
  return true;
}

const indentOf = (line: string): number => line.search(/\S/);

/** The next line with content; undefined at the end of the document. */
function nextContent(lines: readonly string[], from: number): number | undefined {
  for (let i = from; i < lines.length; i++) {
    if (isSilent(lines[i]!)) continue;
    return lines[i]!.startsWith('---') ? undefined : i;
  }
  return undefined;
}

/** Whether a line lies in a text of the document: below a key whose value is a block of text. */
function isInBlockText(lines: readonly string[], at: number): boolean {
  let indent = indentOf(lines[at]!);
  for (let i = at - 1; i >= 0 && indent > 0; i--) {
    const line = lines[i]!;
    if (isSilent(line) || indentOf(line) >= indent) continue;
    if (BLOCK_TEXT.test(line)) return true;
    indent = indentOf(line);
  }
  return false;
}

/**
 * The block that a line begins, first and last line. On `metadata:`, or between it and its first key, what that metadata
 * is of.
 */
function coveredBy(lines: readonly string[], target: number, comment: number): readonly [number, number] {
  const metadata = metadataOf(lines, target, comment);
  if (metadata !== undefined) {
    const indent = indentOf(lines[metadata]!.replace('- ', '  '));
    const parent = above(lines, metadata, indent);
    return parent === undefined ? documentOf(lines, metadata) : [parent, blockEnd(lines, parent)];
  }
  const indent = indentOf(lines[target]!);
  const [first, last] = documentOf(lines, target);
  if (indent === 0 && first === target) return [first, last];
  return [target, blockEnd(lines, target)];
}

/** The line of `metadata:` that the comment stands at. */
function metadataOf(lines: readonly string[], target: number, comment: number): number | undefined {
  const isMetadata = (line: string) => /^\s*(?:- )?metadata:/.test(line);
  if (isMetadata(lines[target]!)) return target;
  for (let i = comment - 1; i >= 0; i--) {
    if (isSilent(lines[i]!)) continue;
    return isMetadata(lines[i]!) && indentOf(lines[target]!) > indentOf(lines[i]!) ? i : undefined;
  }
  return undefined;
}

/** The nearest line before it that is indented less; an item's dash counts as the item's. */
function above(lines: readonly string[], from: number, indent: number): number | undefined {
  if (ITEM.test(lines[from]!)) return from;
  for (let i = from - 1; i >= 0 && !lines[i]!.startsWith('---'); i--)
    if (!isSilent(lines[i]!) && indentOf(lines[i]!) < indent) return i;
  return undefined;
}

function blockEnd(lines: readonly string[], start: number): number {
  const indent = indentOf(lines[start]!);
  const isItem = ITEM.test(lines[start]!);
  let last = start;
  for (let i = start + 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.trim() === '' || isSilent(line)) continue;
    const own = indentOf(line);
    // The items of a list may stand as deep as their key.
    if (own < indent || (own === indent && (isItem || !ITEM.test(line)))) break;
    last = i;
  }
  return last;
}

/** From the first line with content to the last, between the marks of documents. */
function documentOf(lines: readonly string[], at: number): readonly [number, number] {
  let first = at;
  for (let i = at; i >= 0 && !lines[i]!.startsWith('---'); i--) if (!isSilent(lines[i]!)) first = i;
  let last = at;
  for (let i = at; i < lines.length && !lines[i]!.startsWith('---'); i++)
    if (lines[i]!.trim() !== '') last = i;
  return [first, last];
}
