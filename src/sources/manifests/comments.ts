/**
 * Comments that speak to Sallyport (`# sallyport: …`), with the lines of what they stand at. What is inside a text
 * of the document (a ConfigMap that holds a file with such a comment) is no comment, and says nothing.
 */
import type { ReadDocument } from '#yaml/documents.ts';
import { LineCounter } from '#yaml/lines.ts';
import type { PlacedNode } from '#yaml/recorder.ts';

export interface MarkedComment {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The other tool that it speaks to. */
  readonly tool?: 'checkov' | 'trivy';
  /** What is said, behind the colon. */
  readonly text: string;
  /** The lines of what it stands at; undefined where nothing follows. */
  readonly lines?: readonly [from: number, to: number];
}

const SPOKEN_TO = ['sallyport:', 'checkov:skip', 'bridgecrew:skip', 'trivy:ignore:'];

/** Cheap to ask of every file, for few have any. */
export function mayHoldMarks(text: string | Buffer): boolean {
  return SPOKEN_TO.some(word => text.includes(word));
}

/** The same bytes, to be searched. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** In YAML, and as the comment of a template. */
const MARK =
  /(^|[ \t])(?:#[ \t]*|\{\{-?[ \t]*\/\*[ \t]*)(sallyport:|(?:checkov|bridgecrew):skip[:=]|trivy:ignore:)[ \t]*([^\n]*)/gm;

export interface Mark {
  /** Where the comment begins. */
  readonly at: number;
  readonly tool?: 'checkov' | 'trivy';
  readonly said: string;
}

/** Whatever looks like such a comment; one reaches to the end of its line, so none begins in another. */
export function marksIn(text: string): Mark[] {
  return Array.from(text.matchAll(MARK), match => ({
    at: match.index + match[1]!.length,
    ...(match[2]!.startsWith('sallyport')
      ? {}
      : { tool: match[2]!.startsWith('trivy') ? ('trivy' as const) : ('checkov' as const) }),
    said: match[3]!
      .replace(/\*\/[ \t]*-?\}\}[ \t]*$/, '')
      .replace(/\r$/, '')
      .trim(),
  }));
}

/** @param documents of the text; those that could not be read mark single lines only */
export function markedComments(
  file: string,
  text: string,
  documents: readonly ReadDocument[],
): MarkedComment[] {
  const lines = new LineCounter(text);
  const found: MarkedComment[] = [];
  for (const { at, tool, said } of marksIn(text)) {
    const document = documents.find(({ is, start, end }) => is === 'value' && at >= start && at <= end);
    const root = document?.is === 'value' ? document.place() : undefined;
    const base = document?.start ?? 0;
    if (root !== undefined && isInText(root, at - base)) continue;
    const line = lines.at(at);
    const column = at - lines.lineStart + 1;
    const target = targetOf(text, at, lines.lineStart);
    const covered = target === undefined ? undefined : coveredBy(root, target - base, at - base, base, text);
    found.push({
      file,
      line,
      column,
      ...(tool === undefined ? {} : { tool }),
      text: said,
      ...(target === undefined
        ? {}
        : {
            lines:
              covered === undefined
                ? [lines.at(target), lines.at(target)]
                : [lines.at(covered[0]), lines.at(covered[1])],
          }),
    });
  }
  return found;
}

/** The first letter of what the comment stands at: of its own line, or of the next one with content. */
function targetOf(text: string, at: number, lineStart: number): number | undefined {
  const before = text.slice(lineStart, at);
  if (before.trim() !== '') return lineStart + before.search(/\S/);
  for (let line = text.indexOf('\n', at) + 1; line > 0; line = text.indexOf('\n', line) + 1) {
    const end = text.indexOf('\n', line);
    const content = text.slice(line, end < 0 ? text.length : end);
    if (/^\s*(?:#|\{\{-?[ \t]*\/\*|$)/.test(content)) continue;
    // The next document is not what it stands at.
    return content.startsWith('---') ? undefined : line + content.search(/\S/);
  }
  return undefined;
}

/** Whether the offset lies inside a text of the document, rather than between its nodes. */
function isInText(node: PlacedNode, at: number): boolean {
  if (node.borrowed === true || at < node.start || at >= node.end) return false;
  if (node.entries === undefined && node.items === undefined) return true;
  for (const { key, node: child } of node.entries?.values() ?? [])
    if ((at >= key.start && at < key.end) || isInText(child, at)) return true;
  return (node.items ?? []).some(item => isInText(item.node, at));
}

/**
 * The outermost thing that begins on the target's line, from its first letter to its last: a key with its value, a
 * list item, or a whole document. On `metadata:`, or between it and its first key, it is what that metadata is of: a pod
 * template, or the object.
 */
function coveredBy(
  root: PlacedNode | undefined,
  at: number,
  comment: number,
  base: number,
  text: string,
): readonly [number, number] | undefined {
  if (root === undefined) return undefined;
  let line = at;
  while (line > 0 && text[base + line - 1] !== '\n') line--;
  const visit = (node: PlacedNode, start: number): readonly [number, number] | undefined => {
    if (node.borrowed === true || at >= Math.max(node.end, node.start + 1)) return undefined;
    if (start >= line && start <= at) return [base + start, base + Math.max(node.end - 1, start)];
    for (const [name, { start: from, node: child }] of node.entries ?? []) {
      const found = visit(child, from);
      if (found === undefined) continue;
      const isOwn =
        name === 'metadata' && ((from >= line && from <= at) || (comment > from && comment < child.start));
      return isOwn ? [base + start, base + node.end - 1] : found;
    }
    for (const { start: from, node: child } of node.items ?? []) {
      const found = visit(child, from);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return visit(root, root.start);
}
