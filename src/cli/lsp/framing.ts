/** Messages out of bytes and back. Source: Language Server Protocol 3.17, base protocol. */

const MAX_HEADER = 8 * 1024;
const MAX_BODY = 64 * 1024 * 1024;

/** The stream cannot be understood any more: where the next message begins is not known. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/** Cuts a stream of bytes into the bodies of messages. */
export class Framing {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Of the body that is awaited. */
  #expected: number | undefined;

  /** @throws FramingError */
  push(chunk: Buffer): string[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const bodies: string[] = [];
    for (;;) {
      if (this.#expected === undefined) {
        const all = this.#joined();
        const end = all.indexOf('\r\n\r\n');
        if (end > MAX_HEADER || (end < 0 && all.length > MAX_HEADER))
          throw new FramingError('the header of a message is too long');
        if (end < 0) return bodies;
        this.#expected = lengthOf(all.subarray(0, end).toString('latin1'));
        this.#keep(all.subarray(end + 4));
      }
      if (this.#length < this.#expected) return bodies;
      const all = this.#joined();
      bodies.push(all.subarray(0, this.#expected).toString('utf8'));
      this.#keep(all.subarray(this.#expected));
      this.#expected = undefined;
    }
  }

  /** Joined only where it is needed: a large body arrives in many pieces. */
  #joined(): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
  }
}

function lengthOf(header: string): number {
  const match = /^content-length:[ \t]*(\d{1,10})[ \t]*$/im.exec(header.replaceAll('\r', ''));
  if (match === null) throw new FramingError('a message states no Content-Length');
  const length = Number(match[1]);
  if (length > MAX_BODY) throw new FramingError(`a message is longer than ${MAX_BODY} bytes`);
  return length;
}

export function framed(message: object): string {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
