/** The only writer: results to standard output or to files, everything else to standard error. */
import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UsageError } from './errors.ts';

/**
 * Whether standard output is a terminal: a character device, and not the one that swallows everything. Asking
 * `process.stdout` would make a stream, and that costs more than the answer is worth.
 */
export function isTerminal(): boolean {
  try {
    const stats = fstatSync(1);
    return stats.isCharacterDevice() && stats.rdev !== statSync(devNull).rdev;
  } catch {
    return false;
  }
}

/** Writes all of a text to standard output. A reader that went away (`| head`) ends the run quietly. */
export function print(text: string): void {
  writeAll(1, text);
}

/** Words for the person, not for the pipe. */
export function tell(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // There is nowhere left to say it; the exit code still does.
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A full pipe of a slow reader: wait a moment and go on.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else if (code === 'EPIPE') throw new ClosedPipe();
      else throw new UsageError(`standard output could not be written: ${reasonOf(error as Error)}`);
    }
  }
}

/** The reader of our output is gone. Nothing is wrong, and there is nothing left to say. */
export class ClosedPipe extends Error {
  override readonly name = 'ClosedPipe';
}

/**
 * Writes a file whole or not at all: into a temporary file beside it, then renamed over it, so that an old report
 * survives a full disk and Ctrl-C.
 *
 * @throws UsageError where the file cannot be written
 */
export function writeWhole(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    if (isSpecial(path)) {
      writeInto(path, text);
      return;
    }
    writeInto(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`${path} could not be written: ${reasonOf(error as Error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
};

/** In words, without the name of the temporary file that nobody chose. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return REASONS[code ?? ''] ?? message;
}

/** `/dev/stdout`, a named pipe: nothing that a rename could replace. */
function isSpecial(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/**
 * Puts a new text into the place of a file, whole or not at all; its mode stays.
 *
 * @throws UsageError where that cannot be done
 */
export function replaceFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    writeInto(temporary, text, statSync(path).mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`${path} could not be written: ${reasonOf(error as Error)}`);
  }
}

function writeInto(path: string, text: string, mode = 0o644): void {
  const descriptor = openSync(path, 'w', mode);
  try {
    const bytes = Buffer.from(text);
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
    if (!isSpecial(path)) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
