/**
 * Unpacks thousands of small objects. `inflateSync` makes a stream for every call, and that takes longer than the
 * unpacking; the stream's own binding can be used again. It is not documented, so it is tried first on a text that is
 * known, and whatever it does not answer as expected is asked of `inflateSync`. Source: lib/zlib.js of Node.js
 * (processChunkSync).
 */
import { constants, createInflate, deflateSync } from 'node:zlib';

/** The binding behind a stream, as far as it is used here. */
interface Handle {
  onerror: (message: string) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void;
  reset(): void;
}

interface Inflater {
  readonly handle: Handle;
  /** What is left after a write: of the room, then of the input. */
  readonly left: Uint32Array;
  broken: boolean;
}

/** Room for more is not made at once for what only says that it is so large. */
const MOST = 4 * 1024 * 1024;
/** Many small texts lie in one piece of memory. */
const SHEET = 256 * 1024;
const SMALL = SHEET / 4;

let known: Inflater | undefined | 'none';
let sheet: Buffer | undefined;
let used = 0;

/**
 * @param input holds a zlib stream
 * @param size how many bytes come out of it
 * @param from where it begins
 * @param to where it ends at the latest
 * @param into takes what comes out where it has room: for what nobody keeps
 * @returns undefined where it is not known how, or something is wrong: `inflateSync` says what
 */
export function inflateSmall(
  input: Uint8Array,
  size: number,
  from = 0,
  to = input.length,
  into?: Buffer,
): Buffer | undefined {
  if (size > MOST) return undefined;
  known ??= made() ?? 'none';
  const end = Math.min(to, input.length);
  return known === 'none' ? undefined : inflated(known, input, size, from, end, into);
}

function inflated(
  inflater: Inflater,
  input: Uint8Array,
  size: number,
  from: number,
  to: number,
  into?: Buffer,
): Buffer | undefined {
  const { handle, left } = inflater;
  // One byte more: of a stream that is longer than it says, something would be there.
  const room = size + 1;
  let [output, at] = [into, 0];
  if (output === undefined || room > output.length) {
    if (room > SMALL) output = Buffer.allocUnsafeSlow(room);
    else {
      if (sheet === undefined || used + room > SHEET) {
        sheet = Buffer.allocUnsafeSlow(SHEET);
        used = 0;
      }
      [output, at] = [sheet, used];
    }
  }
  inflater.broken = false;
  try {
    handle.reset();
    handle.writeSync(constants.Z_FINISH, input, from, to - from, output, at, room);
  } catch {
    return undefined;
  }
  if (inflater.broken || left[0] !== 1) return undefined;
  if (output === sheet) used += size;
  return output.subarray(at, at + size);
}

function made(): Inflater | undefined {
  try {
    const stream = createInflate() as unknown as { _handle: Handle; _writeState: Uint32Array };
    const inflater: Inflater = { handle: stream._handle, left: stream._writeState, broken: false };
    inflater.handle.onerror = () => {
      inflater.broken = true;
    };
    const text = Buffer.from('as it should be, as it should be');
    const packed = deflateSync(text);
    const works =
      inflated(inflater, packed, text.length, 0, packed.length)?.equals(text) === true &&
      inflated(inflater, packed, text.length - 1, 0, packed.length) === undefined &&
      inflated(inflater, packed, text.length, 0, packed.length - 5) === undefined &&
      inflated(inflater, packed, text.length, 0, packed.length)?.equals(text) === true;
    return works ? inflater : undefined;
  } catch {
    return undefined;
  }
}
