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
import { Script } from 'node:vm';

/** The build's own: what tells its code from any other, what `--version` and `--help` print, and its files. */
declare const BUILD: {
  readonly id: string;
  readonly answers: Readonly<Record<string, string>>;
  /** Files of modules, with the number of the first in each. */
  readonly packs: Packs;
  /** The same program, cut for those who only render. */
  readonly render: Packs;
};

type Packs = readonly { readonly name: string; readonly first: number }[];

type Program = { readonly main: (words: readonly string[]) => Promise<number> };
type Module = { exports: unknown };
type Define = (exports: unknown, require: (id: string) => unknown, module: Module) => void;

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

/** Undefined for a user that the system does not know, as containers have them. */
function cacheHome(): string | undefined {
  if (environment['XDG_CACHE_HOME']) return environment['XDG_CACHE_HOME'];
  if (process.platform === 'win32' && environment['LOCALAPPDATA']) return environment['LOCALAPPDATA'];
  try {
    return join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
  } catch {
    return undefined;
  }
}

/** The code that an earlier run compiled; undefined where there is none that may be trusted. */
function read(path: string | undefined, mine: boolean): Buffer | undefined {
  if (path === undefined) return undefined;
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

function keep(path: string | undefined, code: Buffer, mode: number): void {
  if (path === undefined) return;
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

/** The modules of the program, each made when it is first required; the packs are read when they are needed. */
class Modules {
  readonly #definitions: Define[] = [];
  readonly #made: Module[] = [];
  readonly #scripts = new Map<string, Script>();
  readonly #names: (pack: string) => string;
  readonly #packs: Packs;
  readonly #cached: boolean;

  /** @param command what the compiled code is kept for */
  constructor(command: string, cached: boolean) {
    this.#packs = command === 'render' ? BUILD.render : BUILD.packs;
    this.#names = pack => `${BUILD.id}-${process.version}-${process.arch}-${command}-${pack}`;
    this.#cached = cached;
  }

  readonly require = (id: string): unknown => {
    if (!id.startsWith('./')) return require(id);
    const number = Number(id.slice(2));
    const made = this.#made[number];
    if (made !== undefined) return made.exports;
    if (this.#definitions[number] === undefined) this.#load(number);
    const module: Module = { exports: {} };
    this.#made[number] = module;
    this.#definitions[number]!(module.exports, this.require, module);
    return module.exports;
  };

  /** Keeps the code of the packs for which there was none. */
  keep(): void {
    for (const [pack, script] of this.#scripts) {
      const name = this.#names(pack);
      if (isBuild()) keep(own(name), script.createCachedData(), 0o644);
      else keep(theirs(name), script.createCachedData(), 0o600);
    }
  }

  #load(number: number): void {
    const { name: pack, first } = this.#packs.findLast(one => one.first <= number)!;
    const path = join(folder, `${pack}.js`);
    const source = readFileSync(path, 'latin1');
    const name = this.#names(pack);
    // A build lays its own beside the program, whatever somebody's cache holds.
    const cachedData =
      this.#cached && !isBuild() ? (read(own(name), false) ?? read(theirs(name), true)) : undefined;
    const script = new Script(source, {
      filename: path,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    if (cachedData === undefined || script.cachedDataRejected === true) this.#scripts.set(pack, script);
    (script.runInThisContext() as Define[]).forEach((define, i) => {
      this.#definitions[first + i] = define;
    });
  }
}

const isBuild = () => environment['SALLYPORT_BUILD'] === BUILD.id;
const own = (name: string) => join(folder, 'code', name);
const theirs = (name: string) => {
  const home = cacheHome();
  return home === undefined ? undefined : join(home, 'sallyport', 'code', name);
};

function start(words: readonly string[]): void {
  const cached = !environment['NODE_DISABLE_COMPILE_CACHE'] && !environment['NODE_V8_COVERAGE'];
  const command = /^[a-z][a-z-]{0,30}$/.test(words[0] ?? '') ? words[0]! : 'none';
  const modules = new Modules(command, cached);
  (modules.require('./0') as Program).main(words).then(code => {
    process.exitCode = code;
    // For the benchmarks: only the process itself knows its peak.
    if (environment['SALLYPORT_MEMORY'])
      process.stderr.write(`peak memory ${process.resourceUsage().maxRSS}`);
    // Exit code 3 is a mistyped line: not a command's work.
    if (cached && code !== 3) modules.keep();
  });
}

const words = process.argv.slice(2);
if (!answered(words)) start(words);
