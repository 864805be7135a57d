/** A chart's archive, from hostile hands: pkg/chart/loader/archive. Bounded; no link is followed, no name leads out. */
import { cleanPath } from './paths.ts';
import { GoError } from './value.ts';

/** helm's own bounds: 100 MiB unpacked, 5 MiB a file. */
const MAX_TOTAL = 100 * 1024 * 1024;
export const MAX_FILE = 5 * 1024 * 1024;
const MAX_FILES = 20_000;

/** The files of a .tgz below its first folder. */
export function readArchive(data: Uint8Array): Map<string, Uint8Array> {
  let tar: Uint8Array;
  try {
    tar = process.getBuiltinModule('node:zlib').gunzipSync(data, { maxOutputLength: MAX_TOTAL });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new GoError(`decompressed chart is larger than the maximum size ${MAX_TOTAL}`);
    throw new GoError('gzip: invalid header');
  }
  const files = new Map<string, Uint8Array>();
  let longName: string | undefined;
  for (let at = 0; at + 512 <= tar.length; ) {
    const header = tar.subarray(at, at + 512);
    if (header.every(byte => byte === 0)) break;
    const size = Number.parseInt(ascii(header, 124, 12).trim() || '0', 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + 512 + size > tar.length)
      throw new GoError('unexpected EOF');
    const type = String.fromCharCode(header[156]!);
    const body = tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === 'L') {
      longName = utf8(body).replace(/\0.*$/s, '');
      continue;
    }
    if (type === 'x') {
      longName = paxPath(utf8(body)) ?? longName;
      continue;
    }
    if (type === 'g') continue;
    const prefix = ascii(header, 257, 5) === 'ustar' ? utf8(cString(header.subarray(345, 500))) : '';
    const short = utf8(cString(header.subarray(0, 100)));
    const full = longName ?? (prefix === '' ? short : `${prefix}/${short}`);
    longName = undefined;
    if (type === '5' || full.endsWith('/')) continue;
    const name = safeName(full);
    if (type !== '0' && type !== '\0' && type !== '7') continue;
    if (size > MAX_FILE)
      throw new GoError(`decompressed chart file "${full}" is larger than the maximum file size ${MAX_FILE}`);
    if (files.size >= MAX_FILES) throw new GoError(`chart archive holds more than ${MAX_FILES} files`);
    files.set(name, body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body);
  }
  if (files.size === 0) throw new GoError('no files in chart archive');
  return files;
}

function safeName(full: string): string {
  const parts = full.replaceAll('\\', '/').split('/');
  const name = parts.slice(1).join('/');
  if (parts[0] === 'Chart.yaml') throw new GoError('chart yaml not in base directory');
  if (name === '') throw new GoError('chart illegally contains content outside the base directory');
  if (/^[a-zA-Z]:/.test(name) || name.startsWith('/'))
    throw new GoError('chart contains illegally named files');
  const clean = cleanPath(name);
  if (clean === '.') throw new GoError('chart illegally contains content outside the base directory');
  if (clean.startsWith('..')) throw new GoError('chart illegally references parent directory');
  return clean;
}

const decoder = new TextDecoder('utf-8');
const utf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
const cString = (bytes: Uint8Array): Uint8Array => {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
};
const ascii = (header: Uint8Array, from: number, length: number): string =>
  utf8(cString(header.subarray(from, from + length)));

function paxPath(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const match = /^\d+ path=(.*)$/.exec(line);
    if (match !== null) return match[1];
  }
  return undefined;
}
