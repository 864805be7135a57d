/**
 * What the program's file does before the program: prints what never changes, and starts the rest from compiled code.
 *
 * Node compiles a function when it is first called. A short run spends more on that than on its work, and Node's own
 * cache of compiled code holds only what is compiled on loading. This one is made after a run, of what that run called,
 * one for each command; V8 refuses it by itself where its version or flags are others. The build makes one beside the
 * program for the main job; any other is kept for the user, where nobody else may write: code comes from there.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

/** The build's own: what tells its code from any other, and what `--version` and `--help` print. */
declare const BUILD: { readonly id: string; readonly answers: Readonly<Record<string, string>> };

type Program = { main(words: readonly string[]): Promise<number> };

/** Caches of other builds stay for those who use several in turn, but not forever. */
const KEPT_MS = 30 * 24 * 3600 * 1000;
const folder = join(__dirname, 'cli');
const environment = process.env;

function answered(words: readonly string[]): boolean {
  const answer = words.length === 1 ? BUILD.answers[words[0]!] : undefined;
  if (answer === undefined) return false;
  try {
    // Whatever is odd about standard output, the program knows how to handle it.
    return writeSync(1, answer) === Buffer.byteLength(answer);
  } catch {
    return false;
  }
}

function cacheHome(): string {
  if (environment['XDG_CACHE_HOME']) return environment['XDG_CACHE_HOME'];
  if (process.platform === 'win32' && environment['LOCALAPPDATA']) return environment['LOCALAPPDATA'];
  return join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
}

/** The code that an earlier run compiled; undefined where there is none that may be trusted. */
function read(path: string, mine: boolean): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { uid, mode } = fstatSync(file);
    const trusted =
      !mine || process.getuid === undefined || (uid === process.getuid() && (mode & 0o22) === 0);
    return trusted ? readFileSync(file) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function keep(path: string, code: Buffer, mode: number): void {
  const temporary = `${path}.${process.pid}`;
  try {
    // Who may read the file may enter its folder.
    mkdirSync(dirname(path), { recursive: true, mode: mode | ((mode & 0o444) >> 2) });
    writeFileSync(temporary, code, { mode });
    renameSync(temporary, path);
    for (const name of readdirSync(dirname(path))) {
      const other = join(dirname(path), name);
      if (Date.now() - statSync(other).mtimeMs > KEPT_MS) rmSync(other);
    }
  } catch {
    // A gift where there is a place for it, and no loss where there is none.
  }
}

function start(words: readonly string[]): void {
  const path = join(folder, 'main.cjs');
  const source = readFileSync(path, 'latin1');
  const command = /^[a-z][a-z-]{0,30}$/.test(words[0] ?? '') ? words[0]! : 'none';
  const name = `${BUILD.id}-${process.version}-${process.arch}-${command}`;
  const own = join(folder, 'code', name);
  const theirs = join(cacheHome(), 'sallyport', 'code', name);
  const off = Boolean(environment['NODE_DISABLE_COMPILE_CACHE'] || environment['NODE_V8_COVERAGE']);
  const cachedData = off ? undefined : (read(own, false) ?? read(theirs, true));
  const script = new Script(`(function(exports,require,module){${source}\n})`, {
    filename: path,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const program = { exports: {} as Program };
  // Nothing in the program is required by a relative path.
  script.runInThisContext()(program.exports, require, program);
  program.exports.main(words).then(code => {
    process.exitCode = code;
    // For the benchmarks: only the process itself knows its peak.
    if (environment['SALLYPORT_MEMORY'])
      process.stderr.write(`peak memory ${process.resourceUsage().maxRSS}`);
    // Exit code 3 is a mistyped line: not a command's work.
    if (!off && code !== 3 && (cachedData === undefined || script.cachedDataRejected)) {
      if (environment['SALLYPORT_BUILD'] === BUILD.id) keep(own, script.createCachedData(), 0o644);
      else keep(theirs, script.createCachedData(), 0o600);
    }
  });
}

const words = process.argv.slice(2);
if (!answered(words)) start(words);
