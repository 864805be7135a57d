/** Bytes to text, as kubectl takes them: UTF-8 with or without byte order mark, UTF-16 with one. */
import { isAscii, isUtf8 } from 'node:buffer';

export type Decoded =
  | {
      readonly is: 'text';
      readonly text: string;
      /** A byte order mark stood in front of it. */
      readonly isMarked: boolean;
    }
  | { readonly is: 'binary'; readonly reason: string };

/** Source of the accepted encodings: YAML 1.1 §5.2; go-yaml's readerc.go detects the same marks. */
export function decode(bytes: Buffer): Decoded {
  let isMarked = false;
  if (bytes.length >= 2) {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16(bytes.subarray(2));
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16(Buffer.from(bytes.subarray(2)), true);
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      bytes = bytes.subarray(3);
      isMarked = true;
    }
  }
  if (isAscii(bytes)) {
    if (bytes.includes(0)) return { is: 'binary', reason: 'it holds NUL bytes, so it is no text' };
    return { is: 'text', text: bytes.toString('latin1'), isMarked };
  }
  if (!isUtf8(bytes)) return { is: 'binary', reason: `byte ${firstInvalid(bytes)} is not valid UTF-8` };
  if (bytes.includes(0)) return { is: 'binary', reason: 'it holds NUL bytes, so it is no text' };
  return { is: 'text', text: bytes.toString('utf8'), isMarked };
}

function utf16(bytes: Buffer, bigEndian = false): Decoded {
  if (bytes.length % 2 !== 0) return { is: 'binary', reason: 'UTF-16 with half a character at its end' };
  const text = (bigEndian ? bytes.swap16() : bytes).toString('utf16le');
  return text.isWellFormed()
    ? { is: 'text', text, isMarked: true }
    : { is: 'binary', reason: 'UTF-16 with broken surrogate pairs' };
}

/** The offset of the first byte that no valid text has; found by halving, for the check itself is native and fast. */
function firstInvalid(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    // A prefix may end inside a character: allow up to three bytes to be missing from its end.
    if ([0, 1, 2, 3].some(cut => middle - cut >= 0 && isUtf8(bytes.subarray(0, middle - cut)))) good = middle;
    else bad = middle;
  }
  return good;
}
