/** `sallyport.yaml`: read strictly, for a word that is misspelt must never mean less security without a word. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Check, idOf, type OptionValues, type Profile, profiles } from '#check/check.ts';
import { type Severity, severities } from '#check/severity.ts';
import { nearest } from '#kube/nearest.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import { shownName } from '#sources/manifests/walk.ts';
import { Locator } from '#yaml/locate.ts';
import { UsageError } from './errors.ts';

export interface Config {
  readonly profile?: Profile | 'all';
  readonly enable: readonly string[];
  readonly skip: readonly string[];
  readonly severities: Readonly<Record<string, Severity>>;
  readonly options: Readonly<Record<string, OptionValues>>;
  /** Paths that are left out, in gitignore syntax. */
  readonly ignore: readonly string[];
  readonly failOn?: Severity | 'never';
  readonly allowUnknown?: boolean;
  readonly targetKubernetes?: string;
}

export const CONFIG_FILE = 'sallyport.yaml';

const KEYS = ['profile', 'checks', 'ignore', 'failOn', 'allowUnknown', 'targetKubernetes'];
const CHECK_KEYS = ['enabled', 'severity', 'options'];
const EMPTY: Config = { enable: [], skip: [], severities: {}, options: {}, ignore: [] };

/**
 * The configuration of a run.
 *
 * @param named the file that the user named; else `sallyport.yaml` in the working directory, if it is there
 * @param checks loads the registry: only asked where the file speaks of checks
 * @throws UsageError with file and line for anything that is not understood
 */
export async function readConfig(
  named: string | undefined,
  cwd: string,
  checks: () => Promise<readonly Check[]>,
): Promise<Config> {
  const path = named === undefined ? join(cwd, CONFIG_FILE) : resolve(cwd, named);
  if (named === undefined && !existsSync(path)) return EMPTY;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${named ?? CONFIG_FILE} could not be read: ${(error as Error).message}`);
  }
  return parseConfig(text, shownName(path, cwd), checks);
}

/** @throws UsageError as {@link readConfig} */
export async function parseConfig(
  text: string,
  file: string,
  checks: () => Promise<readonly Check[]>,
): Promise<Config> {
  const { readDocuments } = await import('#yaml/read.ts');
  const documents = readDocuments(text).filter(({ is }) => is !== 'empty');
  const [document] = documents;
  if (document === undefined) return EMPTY;
  if (document.is === 'error')
    throw new UsageError(`${file}:${document.line}:${document.column}: not valid YAML: ${document.message}`);
  if (documents.length > 1)
    throw new UsageError(`${file}:${documents[1]!.line}: only one document is expected`);
  if (document.is !== 'value') return EMPTY;
  const locator = new Locator(text, document);
  const at = (path: Path) => {
    const { located } = locator.nearest(path);
    const { line, column } = located.key ?? located.value;
    return `${file}:${line}:${column}`;
  };
  const reader = new ConfigReader(document.value, at);
  const [duplicate] = document.duplicateKeys;
  if (duplicate !== undefined)
    throw new UsageError(`${file}:${duplicate.line}:${duplicate.column}: "${duplicate.key}" is stated twice`);
  return reader.read(checks);
}

class ConfigReader {
  readonly #root: unknown;
  readonly #at: (path: Path) => string;

  constructor(root: unknown, at: (path: Path) => string) {
    this.#root = root;
    this.#at = at;
  }

  async read(checks: () => Promise<readonly Check[]>): Promise<Config> {
    const root = this.#root ?? {};
    if (!isRecord(root)) throw new UsageError(`${this.#at([])}: the configuration is a mapping`);
    this.#known(root, KEYS, []);
    const profile = this.#choice(root['profile'], [...profiles, 'all'] as const, ['profile']);
    const failOn = this.#choice(root['failOn'], [...severities, 'never'] as const, ['failOn']);
    const allowUnknown = this.#boolean(root['allowUnknown'], ['allowUnknown']);
    const target = this.#version(root['targetKubernetes'], ['targetKubernetes']);
    return {
      ...(profile === undefined ? {} : { profile }),
      ...(failOn === undefined ? {} : { failOn }),
      ...(allowUnknown === undefined ? {} : { allowUnknown }),
      ...(target === undefined ? {} : { targetKubernetes: target }),
      ignore: this.#strings(root['ignore'], ['ignore']),
      ...(root['checks'] === undefined
        ? { enable: [], skip: [], severities: {}, options: {} }
        : this.#checks(root['checks'], await checks())),
    };
  }

  #checks(
    value: unknown,
    checks: readonly Check[],
  ): Pick<Config, 'enable' | 'skip' | 'severities' | 'options'> {
    if (!isRecord(value)) throw this.#wrong(['checks'], 'a mapping of check ids');
    const enable: string[] = [];
    const skip: string[] = [];
    const bySeverity: [string, Severity][] = [];
    const options: [string, OptionValues][] = [];
    for (const [id, settings] of Object.entries(value)) {
      const path: Path = ['checks', id];
      const check = checks.find(check => idOf(check) === id);
      if (check === undefined) throw this.#unknown(path, `"${id}" is no check`, id, checks.map(idOf));
      if (settings === 'off' || settings === false) skip.push(id);
      else if (settings === 'on' || settings === true) enable.push(id);
      else if (isRecord(settings)) {
        this.#known(settings, CHECK_KEYS, path);
        const enabled = this.#boolean(settings['enabled'], [...path, 'enabled']);
        if (enabled !== undefined) (enabled ? enable : skip).push(id);
        const severity = this.#choice(settings['severity'], severities, [...path, 'severity']);
        if (severity !== undefined) bySeverity.push([id, severity]);
        if (settings['options'] !== undefined)
          options.push([id, this.#options(settings['options'], check, [...path, 'options'])]);
      } else throw this.#wrong(path, 'on, off, or a mapping of enabled, severity and options');
    }
    return {
      enable,
      skip,
      severities: Object.fromEntries(bySeverity),
      options: Object.fromEntries(options),
    };
  }

  #options(value: unknown, check: Check, path: Path): OptionValues {
    if (!isRecord(value)) throw this.#wrong(path, 'a mapping');
    const declared = check.options ?? {};
    this.#known(value, Object.keys(declared), path);
    return Object.fromEntries(
      Object.entries(value).map(([name, given]) => {
        const at: Path = [...path, name];
        const { type } = declared[name]!;
        if (type === 'strings') return [name, this.#strings(given, at)];
        if (typeof given !== type) throw this.#wrong(at, type === 'number' ? 'a number' : 'true or false');
        return [name, given as number | boolean];
      }),
    );
  }

  #known(record: Readonly<Record<string, unknown>>, known: readonly string[], path: Path): void {
    for (const key of Object.keys(record))
      if (!known.includes(key)) throw this.#unknown([...path, key], `unknown key "${key}"`, key, known);
  }

  #choice<Word extends string>(value: unknown, choices: readonly Word[], path: Path): Word | undefined {
    if (value === undefined) return undefined;
    if (choices.includes(value as Word)) return value as Word;
    throw this.#unknown(path, `"${String(value)}" is none of ${choices.join(', ')}`, String(value), choices);
  }

  #boolean(value: unknown, path: Path): boolean | undefined {
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#wrong(path, 'true or false');
  }

  #strings(value: unknown, path: Path): readonly string[] {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value;
    throw this.#wrong(path, 'a list of strings');
  }

  #version(value: unknown, path: Path): string | undefined {
    if (value === undefined || typeof value === 'string') return value;
    // `1.34` without quotes is a number; `1.30` is then 1.3, which is not what was written.
    throw this.#wrong(path, 'a version in quotes, like "1.34"');
  }

  #wrong(path: Path, expected: string): UsageError {
    return new UsageError(`${this.#at(path)}: ${path.join('.')} is not ${expected}`);
  }

  #unknown(path: Path, message: string, word: string, known: readonly string[]): UsageError {
    const meant = nearest(word, known);
    return new UsageError(
      `${this.#at(path)}: ${message}`,
      meant === undefined ? undefined : `did you mean "${meant}"?`,
    );
  }
}
