/** The origin of what stands in a manifest: positions are worked out when asked for, by scanning one document again. */
import type { Path } from '#kube/objects.ts';
import type { Origin, Position } from '#world/origin.ts';
import type { ReadDocument } from '#yaml/documents.ts';
import { Locator } from '#yaml/locate.ts';

/** One document of a file, shared by the objects that it holds. */
export class DocumentSource {
  readonly file: string;
  readonly document: ReadDocument;
  readonly #text: string | (() => ReadText);
  #locator: Locator | undefined;

  /** @param text the file's text, or how to get it again: large files are not kept in memory for a few positions */
  constructor(file: string, text: string | (() => ReadText), document: ReadDocument) {
    this.file = file;
    this.#text = text;
    this.document = document;
  }

  /** The file's text, where it was kept. */
  get text(): string | undefined {
    return typeof this.#text === 'string' ? this.#text : undefined;
  }

  get locator(): Locator {
    if (this.#locator === undefined) {
      const { text, document } =
        typeof this.#text === 'string' ? { text: this.#text, document: this.document } : this.#text();
      this.#locator = new Locator(text, document);
    }
    return this.#locator;
  }
}

/** A file's text with the document that was asked for, read anew. */
export interface ReadText {
  readonly text: string;
  readonly document: ReadDocument;
}

export class ManifestOrigin implements Origin {
  readonly source: DocumentSource;
  readonly item?: number;
  /** The object's place in its document: empty but for items of lists. */
  readonly prefix: Path;

  constructor(source: DocumentSource, prefix: Path = []) {
    this.source = source;
    this.prefix = prefix;
    const item = prefix.at(-1);
    if (typeof item === 'number') this.item = item;
  }

  get file(): string {
    return this.source.file;
  }

  get document(): number {
    return this.source.document.index;
  }

  get line(): number {
    return this.prefix.length === 0 ? this.source.document.line : this.positionOf([]).line;
  }

  positionOf(path: Path): Position {
    const { path: found, located } = this.source.locator.nearest([...this.prefix, ...path]);
    const { line, column, endLine, endColumn } =
      located.key !== undefined && (found.length < this.prefix.length + path.length || isBlock(located))
        ? located.key
        : located.key === undefined
          ? firstLine(located.value)
          : { ...firstLine(located.value), line: located.key.line, column: located.key.column };
    return { file: this.file, line, column, endLine, endColumn };
  }
}

type Span = ReturnType<Locator['nearest']>['located']['value'];

/** A value that does not end on the line of its key: then the key is what can be shown. */
function isBlock({ key, value }: { readonly key?: Span; readonly value: Span }): boolean {
  return value.endLine > (key ?? value).line;
}

/** A value over several lines is shown by its first: what is marked should be readable. */
function firstLine(span: Span): Omit<Span, 'start' | 'end'> {
  const { line, column, endLine, endColumn } = span;
  return endLine === line
    ? { line, column, endLine, endColumn }
    : { line, column, endLine: line, endColumn: column + 1 };
}
