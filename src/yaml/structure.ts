/** What can be wrong with a document, and how that is said. */

/** A mistake in a document, at an offset of its text. */
export class StructureError extends Error {
  override readonly name = 'StructureError';
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}
