/** Runs the built program, as a user does. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after } from 'node:test';

const program = resolve(import.meta.dirname, '../../dist/cli.cjs');

/** What the program keeps for its user is none of the real user's. */
const caches = mkdtempSync(join(tmpdir(), 'sallyport-caches-'));
after(() => rmSync(caches, { recursive: true, force: true }));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param input what stands on standard input */
export function run(cwd: string, words: readonly string[], input: string | Buffer = ''): Ran {
  if (!existsSync(program)) throw new Error('build first: npm run build');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd,
    input,
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...process.env, NO_COLOR: '1', SALLYPORT_DEBUG: '', XDG_CACHE_HOME: caches },
    maxBuffer: 2 ** 28,
  });
  return { code: status, out: stdout, err: stderr };
}

/** A folder of files for one suite, removed after it. */
export function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-e2e-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export function pod(name: string, more = ''): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec:\n  containers: [{ name: web, image: "shop:1.4.2" }]\n${more}`;
}

interface JsonReport {
  readonly summary: {
    readonly files: number;
    readonly documents: number;
    readonly objects: number;
    readonly workloads: number;
    readonly findings: Readonly<Record<string, number>>;
    readonly unknowns: number;
  };
  readonly findings: readonly {
    readonly check: string;
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly message: string;
    readonly object: { readonly kind: string; readonly name: string };
    readonly fingerprint: string;
  }[];
  readonly unknowns: readonly { readonly file?: string; readonly line?: number; readonly reason: string }[];
}

export function scanJson(
  cwd: string,
  words: readonly string[] = ['.'],
  input: string | Buffer = '',
): JsonReport & { readonly code: number | null } {
  const { code, out, err } = run(cwd, ['scan', ...words, '--format', 'json'], input);
  if (out === '') throw new Error(`no report: ${err}`);
  return { ...(JSON.parse(out) as JsonReport), code };
}
