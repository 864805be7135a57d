/** Files of Linux profiles: JSON, YAML with objects, or the text of AppArmor. */
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { isRecord, type Path } from '#kube/objects.ts';
import { readDocuments } from '#yaml/read.ts';
import type { PlacedNode } from '#yaml/recorder.ts';
import { decode } from '../manifests/decode.ts';
import { folderOf, joinPath } from '../manifests/recognise.ts';
import { problem } from '../manifests/walk.ts';

export interface ProfileDocument {
  readonly file: string;
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
  lineOf(path: Path): number | undefined;
}

export type ProfileFile =
  | {
      readonly is: 'data';
      readonly documents: readonly ProfileDocument[];
      readonly errors: readonly { readonly line: number; readonly message: string }[];
    }
  | { readonly is: 'apparmor'; readonly text: string }
  | { readonly is: 'cil'; readonly text: string }
  | { readonly is: 'unreadable'; readonly message: string };

/** Profiles are small: what is larger is none. */
const LARGEST = 8 * 2 ** 20;
const APPARMOR = /^[ \t]*(?:(?:profile|hat)[ \t]+\S|[\^/"@][^\n={]*)[^\n]*\{[ \t]*(?:#.*)?$/m;

/** Lists in parentheses, perhaps behind comments. */
const CIL = /^(?:\s|;[^\n]*\n)*\(/;

/** Where profiles are read: the disk, or a commit. */
export interface ProfileSource {
  read(file: string): ProfileFile;
  /** The text that a profile of AppArmor includes; undefined where it is not at hand. */
  included(file: string, name: string): string | undefined;
}

export const onDisk: ProfileSource = { read: readProfileFile, included: readIncluded };

export function readProfileFile(file: string): ProfileFile {
  let bytes: Buffer;
  try {
    bytes = readBounded(file);
  } catch (error) {
    return { is: 'unreadable', message: problem(error) };
  }
  return profileFileOf(file, bytes);
}

/** @param file what messages call it */
export function profileFileOf(file: string, bytes: Buffer): ProfileFile {
  if (bytes.length > LARGEST)
    return { is: 'unreadable', message: 'it is larger than 8 MiB, so it is no profile' };
  const decoded = decode(bytes);
  if (decoded.is === 'binary') return { is: 'unreadable', message: decoded.reason };
  const { text } = decoded;
  if (!/^\s*[{[]/.test(text) && !/^(?:kind|apiVersion)\s*:/m.test(text) && APPARMOR.test(text))
    return { is: 'apparmor', text };
  if (CIL.test(text)) return { is: 'cil', text };
  const documents: ProfileDocument[] = [];
  const errors: { line: number; message: string }[] = [];
  for (const document of readDocuments(text)) {
    if (document.is === 'error') errors.push({ line: document.line, message: document.message });
    if (document.is !== 'value' || !isRecord(document.value)) continue;
    let root: PlacedNode | undefined;
    documents.push({
      file,
      line: document.line,
      value: document.value,
      lineOf: path => {
        root ??= document.place();
        const node = nodeAt(root, path);
        return node === undefined ? undefined : lineAt(text, document.start + node.start);
      },
    });
  }
  return { is: 'data', documents, errors };
}

/**
 * The text that a profile of AppArmor includes, where it stands in the folder of the profile or below it.
 *
 * @returns undefined where it is not there, or not a file of a size that profiles have
 */
export function readIncluded(file: string, name: string): string | undefined {
  if (file === '-' || name === '' || name.startsWith('/') || name.split('/').includes('..')) return undefined;
  try {
    const folder = realpathSync(dirname(file));
    const path = realpathSync(join(folder, name));
    if (!path.startsWith(folder + sep) || !statSync(path).isFile()) return undefined;
    const bytes = readBounded(path);
    const decoded = bytes.length > LARGEST ? undefined : decode(bytes);
    return decoded?.is === 'text' ? decoded.text : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The text that a profile in a commit includes, as {@link readIncluded} finds it on a disk.
 *
 * @param content the bytes of a file of the commit
 */
export function includedBy(
  file: string,
  name: string,
  content: (file: string) => Buffer | undefined,
): string | undefined {
  if (name === '' || name.startsWith('/') || name.split('/').includes('..')) return undefined;
  const path = joinPath(folderOf(file), name);
  const bytes = path === undefined ? undefined : content(path);
  if (bytes === undefined || bytes.length > LARGEST) return undefined;
  const decoded = decode(bytes);
  return decoded.is === 'text' ? decoded.text : undefined;
}

/** A named pipe has no size: reading ends behind the limit. */
function readBounded(file: string): Buffer {
  if (statSync(file).isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  const descriptor = openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total <= LARGEST; ) {
      const chunk = Buffer.alloc(65_536);
      const read = readSync(descriptor, chunk);
      if (read === 0) break;
      total += read;
      chunks.push(chunk.subarray(0, read));
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}

function nodeAt(root: PlacedNode, path: Path): PlacedNode | undefined {
  let node: PlacedNode | undefined = root;
  for (const step of path)
    node = typeof step === 'number' ? node?.items?.[step]?.node : node?.entries?.get(step)?.node;
  return node;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
