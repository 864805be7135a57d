/** `sallyport.yaml`: read strictly, for a word that is misspelt must never mean less security without a word. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { type Check, idOf, type OptionValues, type Profile, profiles } from '#check/check.ts';
import type { Exception, ExceptionRules, ExceptionScope } from '#check/exception.ts';
import { type Severity, severities } from '#check/severity.ts';
import type { CustomProfile } from '#decide/pod-security/custom/custom.ts';
import { isDate, unknownCheck } from '#judge/exceptions.ts';
import { nearest } from '#kube/nearest.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import type { ChartSetting, ChartSettings } from '#sources/helm/environments.ts';
import { shownName } from '#sources/manifests/walk.ts';
import { CONFLICT, conflictIn } from '#yaml/conflict.ts';
import { Locator } from '#yaml/locate.ts';
import { UsageError } from './errors.ts';
import type { ProfileFiles } from './profile-contents.ts';

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
  readonly exceptions: readonly Exception[];
  readonly exceptionRules: ExceptionRules;
  /** The file of accepted findings, as the user would name it. */
  readonly baseline?: string;
  /** The version of Sallyport whose checks are run: newer checks wait. */
  readonly checksVersion?: string;
  /** How charts are installed. */
  readonly charts?: readonly ChartSettings[];
  /** Profiles of the team's own; the first whose scope fits judges a pod. */
  readonly podSecurityProfiles?: readonly WrittenProfile[];
}

/** A profile with the place where it is written. */
export interface WrittenProfile extends CustomProfile {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export const CONFIG_FILE = 'sallyport.yaml';

const KEYS = [
  'extends',
  'profile',
  'checks',
  'ignore',
  'failOn',
  'allowUnknown',
  'targetKubernetes',
  'exceptions',
  'exceptionRules',
  'baseline',
  'charts',
  'podSecurityProfiles',
];
const SETTING_KEYS = ['release', 'namespace', 'values', 'set'];
const CHART_KEYS = ['path', 'environments', ...SETTING_KEYS];
const CHECK_KEYS = ['enabled', 'severity', 'options'];
const EXCEPTION_KEYS = [
  'check',
  'reason',
  'owner',
  'until',
  'ticket',
  'file',
  'object',
  'namespace',
  'container',
  'field',
  'environment',
];
const SCOPES = ['file', 'object', 'namespace', 'container', 'field', 'environment'] as const;
const RULE_KEYS = ['maxDays', 'expiry', 'nonBypassable'];
const MAX_EXTENDS = 10;
export const emptyConfig: Config = {
  enable: [],
  skip: [],
  severities: {},
  options: {},
  ignore: [],
  exceptions: [],
  exceptionRules: { expiry: 'optional', nonBypassable: [] },
};

/** The text of a file that a configuration extends, and the name that messages give it. */
export type LoadShared = (
  word: string,
  from: string,
) => { readonly text: string; readonly file: string } | undefined;

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
  if (named === undefined && !existsSync(path)) return emptyConfig;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${named ?? CONFIG_FILE} could not be read: ${(error as Error).message}`);
  }
  return parseConfig(text, shownName(path, cwd), checks, loadFrom(cwd), { below: cwd });
}

/** From a file of the tree, or `sallyport.yaml` of a package in `node_modules`: read as text, and nothing of it run. */
function loadFrom(cwd: string): LoadShared {
  return (word, from) => {
    const folder = dirname(resolve(cwd, from));
    const isPath = word.startsWith('.') || isAbsolute(word) || /\.ya?ml$/.test(word);
    const found = isPath ? resolve(folder, word) : inPackages(word, folder);
    if (found === undefined) return undefined;
    try {
      return { text: readFileSync(found, 'utf8'), file: shownName(found, cwd) };
    } catch {
      return undefined;
    }
  };
}

/** The configuration that an installed package shares; undefined where there is none. */
export function installed(name: string, folder: string): ReturnType<LoadShared> {
  const found = inPackages(name, folder);
  try {
    return found === undefined
      ? undefined
      : { text: readFileSync(found, 'utf8'), file: shownName(found, folder) };
  } catch {
    return undefined;
  }
}

function inPackages(name: string, from: string): string | undefined {
  // The name of a package, never a way out of its folder.
  if (!/^(?:@[\w.-]+\/)?[\w-][\w.-]*$/.test(name)) return undefined;
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name, CONFIG_FILE);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * @param files where the files are that its profiles name; below the working directory where nobody says
 * @throws UsageError as {@link readConfig}
 */
export async function parseConfig(
  text: string,
  file: string,
  checks: () => Promise<readonly Check[]>,
  load: LoadShared = () => undefined,
  files?: ProfileFiles,
  depth = 0,
): Promise<Config> {
  const { readDocuments } = await import('#yaml/read.ts');
  const documents = readDocuments(text).filter(({ is }) => is !== 'empty');
  const [document] = documents;
  if (document === undefined) return emptyConfig;
  if (document.is === 'error') {
    const conflict = conflictIn(text);
    if (conflict !== undefined) throw new UsageError(`${file}:${conflict}:1: ${CONFLICT}`);
    throw new UsageError(`${file}:${document.line}:${document.column}: not valid YAML: ${document.message}`);
  }
  if (documents.length > 1)
    throw new UsageError(`${file}:${documents[1]!.line}: only one document is expected`);
  if (document.is !== 'value') return emptyConfig;
  const locator = new Locator(text, document);
  const at = (path: Path) => {
    const { located } = locator.nearest(path);
    const { line, column } = located.key ?? located.value;
    return `${file}:${line}:${column}`;
  };
  const reader = new ConfigReader(document.value, at, files);
  const [duplicate] = document.duplicateKeys;
  if (duplicate !== undefined)
    throw new UsageError(`${file}:${duplicate.line}:${duplicate.column}: "${duplicate.key}" is stated twice`);
  let config = await reader.read(checks, file);
  for (const [word, place] of reader.shared().reverse()) {
    if (depth >= MAX_EXTENDS)
      throw new UsageError(`${place}: configurations extend each other more than ${MAX_EXTENDS} deep`);
    const shared = load(word, file);
    if (shared === undefined)
      throw new UsageError(
        `${place}: "${word}" could not be read`,
        'a path relative to this file, or a package in node_modules that holds a sallyport.yaml',
      );
    config = extended(await parseConfig(shared.text, shared.file, checks, load, files, depth + 1), config);
  }
  return config;
}

/** What a configuration says, over what it extends: of one thing the nearer word counts, lists are joined. */
function extended(base: Config, own: Config): Config {
  const says = (id: string) => own.enable.includes(id) || own.skip.includes(id);
  return {
    ...base,
    ...own,
    enable: [...base.enable.filter(id => !says(id)), ...own.enable],
    skip: [...base.skip.filter(id => !says(id)), ...own.skip],
    severities: { ...base.severities, ...own.severities },
    options: { ...base.options, ...own.options },
    ignore: [...base.ignore, ...own.ignore],
    ...(base.charts === undefined && own.charts === undefined
      ? {}
      : { charts: [...(base.charts ?? []), ...(own.charts ?? [])] }),
    ...(base.podSecurityProfiles === undefined && own.podSecurityProfiles === undefined
      ? {}
      : { podSecurityProfiles: [...(own.podSecurityProfiles ?? []), ...(base.podSecurityProfiles ?? [])] }),
    exceptions: [...base.exceptions, ...own.exceptions],
    exceptionRules: strictest(base.exceptionRules, own.exceptionRules),
  };
}

/** Rules for exceptions only ever grow stricter on the way down: a team cannot loosen what it extends. */
function strictest(base: ExceptionRules, own: ExceptionRules): ExceptionRules {
  const days = Math.min(base.maxDays ?? Infinity, own.maxDays ?? Infinity);
  return {
    ...(Number.isFinite(days) ? { maxDays: days } : {}),
    expiry: base.expiry === 'required' ? 'required' : own.expiry,
    nonBypassable: [...new Set([...base.nonBypassable, ...own.nonBypassable])],
  };
}

/** A path that a configuration names, relative to the configuration, as reports show it. */
export function besides(file: string, path: string): string {
  const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/') + 1) : '';
  const joined = normalize(isAbsolute(path) ? path : folder + path)
    .split(sep)
    .join('/')
    .replace(/\/$/, '');
  return joined === '.' ? '' : joined;
}

class ConfigReader {
  readonly #root: unknown;
  readonly #at: (path: Path) => string;
  readonly #files: ProfileFiles | undefined;

  constructor(root: unknown, at: (path: Path) => string, files: ProfileFiles | undefined) {
    this.#root = root;
    this.#at = at;
    this.#files = files;
  }

  /** What this file extends, with the place of each word. */
  shared(): (readonly [word: string, place: string])[] {
    if (!isRecord(this.#root) || this.#root['extends'] === undefined) return [];
    const value = this.#root['extends'];
    if (typeof value === 'string') return [[value, this.#at(['extends'])]];
    return this.#strings(value, ['extends']).map((word, i) => [word, this.#at(['extends', i])]);
  }

  async read(checks: () => Promise<readonly Check[]>, file: string): Promise<Config> {
    const root = this.#root ?? {};
    if (!isRecord(root)) throw new UsageError(`${this.#at([])}: the configuration is a mapping`);
    this.#known(root, KEYS, []);
    const profile = this.#choice(root['profile'], [...profiles, 'all'] as const, ['profile']);
    const failOn = this.#choice(root['failOn'], [...severities, 'never'] as const, ['failOn']);
    const allowUnknown = this.#boolean(root['allowUnknown'], ['allowUnknown']);
    const target = this.#version(root['targetKubernetes'], ['targetKubernetes']);
    const exceptions = root['exceptions'];
    const rules = root['exceptionRules'];
    const baseline = this.#text(root['baseline'], ['baseline']);
    const charts = root['charts'] === undefined ? undefined : this.#charts(root['charts'], file);
    const own =
      root['podSecurityProfiles'] === undefined
        ? undefined
        : await this.#podSecurityProfiles(root['podSecurityProfiles'], file);
    return {
      ...(own === undefined ? {} : { podSecurityProfiles: own }),
      ...(charts === undefined ? {} : { charts }),
      ...(baseline === undefined ? {} : { baseline }),
      exceptions: exceptions === undefined ? [] : this.#exceptions(exceptions, await checks(), file),
      exceptionRules: rules === undefined ? emptyConfig.exceptionRules : this.#rules(rules, await checks()),
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

  async #podSecurityProfiles(value: unknown, file: string): Promise<WrittenProfile[]> {
    const { ProfileError, readProfiles } = await import('#decide/pod-security/custom/custom.ts');
    const { isSyscall } = await import('#decide/pod-security/profiles/syscalls.ts');
    try {
      const profiles: WrittenProfile[] = [];
      for (const [i, profile] of readProfiles(value, isSyscall).entries()) {
        const path: Path = ['podSecurityProfiles', i];
        const contents = await this.#contentsOf(profile, file, path);
        profiles.push({
          ...profile,
          ...(contents === undefined ? {} : { contents }),
          file,
          ...this.#placeOf(path),
        });
      }
      return profiles;
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      throw new UsageError(`${this.#at(error.path)}: ${error.message}`, error.hint);
    }
  }

  /** What the files hold that a profile names; undefined where it names none. */
  async #contentsOf(
    profile: CustomProfile,
    file: string,
    at: Path,
  ): Promise<CustomProfile['contents'] | undefined> {
    const { contentsOf } = await import('./profile-contents.ts');
    return contentsOf(
      profile,
      path => besides(file, path),
      this.#files,
      (rest, message) => {
        throw new UsageError(`${this.#at([...at, ...rest])}: ${message}`);
      },
    );
  }

  #placeOf(path: Path): { readonly line: number; readonly column: number } {
    const place = /:(\d+):(\d+)$/.exec(this.#at(path));
    return { line: Number(place?.[1] ?? 1), column: Number(place?.[2] ?? 1) };
  }

  #checks(
    value: unknown,
    checks: readonly Check[],
  ): Pick<Config, 'enable' | 'skip' | 'severities' | 'options' | 'checksVersion'> {
    if (!isRecord(value)) throw this.#wrong(['checks'], 'a mapping of check ids');
    let version: string | undefined;
    const enable: string[] = [];
    const skip: string[] = [];
    const bySeverity: [string, Severity][] = [];
    const options: [string, OptionValues][] = [];
    for (const [id, settings] of Object.entries(value)) {
      const path: Path = ['checks', id];
      if (id === 'version') {
        if (typeof settings !== 'string' || !/^\d+\.\d+\.\d+$/.test(settings))
          throw this.#wrong(path, 'a version of Sallyport in quotes, like "0.1.0"');
        version = settings;
        continue;
      }
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
      ...(version === undefined ? {} : { checksVersion: version }),
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
        const { type, ...option } = declared[name]!;
        if ('key' in option)
          throw new UsageError(
            `${this.#at(at)}: ${name} is not written here`,
            `write it under ${option.key}`,
          );
        if (type === 'strings') return [name, this.#strings(given, at)];
        if (typeof given !== type) throw this.#wrong(at, type === 'number' ? 'a number' : 'true or false');
        return [name, given as number | boolean];
      }),
    );
  }

  #exceptions(value: unknown, checks: readonly Check[], file: string): Exception[] {
    if (!Array.isArray(value)) throw this.#wrong(['exceptions'], 'a list of exceptions');
    return value.map((entry: unknown, index) => {
      const path: Path = ['exceptions', index];
      if (!isRecord(entry)) throw this.#wrong(path, 'a mapping of check, reason, owner and a scope');
      this.#known(entry, EXCEPTION_KEYS, path);
      const text = (key: string) => this.#text(entry[key], [...path, key]);
      const needed = (key: string) => {
        const given = text(key);
        if (given === undefined || given.trim() === '')
          throw new UsageError(`${this.#at(path)}: the exception states no ${key}`);
        return given;
      };
      const check = needed('check');
      const problem = unknownCheck(check, checks);
      if (problem !== undefined)
        throw new UsageError(`${this.#at([...path, 'check'])}: ${problem[0]}`, problem[1]);
      const until = text('until');
      if (until !== undefined && !isDate(until))
        throw new UsageError(
          `${this.#at([...path, 'until'])}: "${until}" is no date`,
          'write it like 2027-01-31',
        );
      const ticket = text('ticket');
      const scope: ExceptionScope = Object.fromEntries(
        SCOPES.flatMap(key => {
          const given = text(key);
          return given === undefined ? [] : [[key, given]];
        }),
      );
      if (Object.keys(scope).length === 0)
        throw new UsageError(
          `${this.#at(path)}: the exception states no scope, so it would hold everywhere`,
          `confine it by ${SCOPES.join(', ')}; to switch a check off, write it under checks`,
        );
      if (scope.object !== undefined && !/^[^/]+\/[^/]+$/.test(scope.object))
        throw new UsageError(
          `${this.#at([...path, 'object'])}: "${scope.object}" is no object`,
          'write Kind/name, for example DaemonSet/node-agent; the namespace has a key of its own',
        );
      return {
        check,
        reason: needed('reason'),
        owner: needed('owner'),
        ...(until === undefined ? {} : { until }),
        ...(ticket === undefined ? {} : { ticket }),
        source: 'configuration',
        file,
        ...this.#placeOf(path),
        scope,
      };
    });
  }

  #rules(value: unknown, checks: readonly Check[]): ExceptionRules {
    const at: Path = ['exceptionRules'];
    if (!isRecord(value)) throw this.#wrong(at, 'a mapping');
    this.#known(value, RULE_KEYS, at);
    const maxDays = value['maxDays'];
    if (maxDays !== undefined && (typeof maxDays !== 'number' || !(maxDays >= 1)))
      throw this.#wrong([...at, 'maxDays'], 'a number of days');
    const nonBypassable = this.#strings(value['nonBypassable'], [...at, 'nonBypassable']);
    for (const [i, id] of nonBypassable.entries()) {
      const problem = unknownCheck(id, checks);
      if (problem !== undefined)
        throw new UsageError(`${this.#at([...at, 'nonBypassable', i])}: ${problem[0]}`, problem[1]);
    }
    return {
      ...(maxDays === undefined ? {} : { maxDays }),
      expiry:
        this.#choice(value['expiry'], ['required', 'optional'] as const, [...at, 'expiry']) ?? 'optional',
      nonBypassable,
    };
  }

  #charts(value: unknown, file: string): ChartSettings[] {
    if (!Array.isArray(value)) throw this.#wrong(['charts'], 'a list of charts');
    return value.map((entry: unknown, index) => {
      const at: Path = ['charts', index];
      if (!isRecord(entry)) throw this.#wrong(at, 'a mapping of path, release, namespace, values and set');
      this.#known(entry, CHART_KEYS, at);
      const path = this.#text(entry['path'], [...at, 'path']);
      if (path === undefined) throw new UsageError(`${this.#at(at)}: the chart states no path`);
      const environments = entry['environments'];
      if (environments !== undefined && !isRecord(environments))
        throw this.#wrong([...at, 'environments'], 'a mapping of names');
      return {
        path: besides(file, path),
        ...this.#chartSetting(entry, at, file),
        ...(environments === undefined
          ? {}
          : {
              environments: new Map(
                Object.entries(environments).map(([name, own]) => {
                  const below: Path = [...at, 'environments', name];
                  if (!isRecord(own))
                    throw this.#wrong(below, 'a mapping of release, namespace, values and set');
                  this.#known(own, SETTING_KEYS, below);
                  return [name, this.#chartSetting(own, below, file)];
                }),
              ),
            }),
      };
    });
  }

  #chartSetting(entry: Readonly<Record<string, unknown>>, at: Path, file: string): ChartSetting {
    const release = this.#text(entry['release'], [...at, 'release']);
    const namespace = this.#text(entry['namespace'], [...at, 'namespace']);
    const set = entry['set'] ?? {};
    if (!isRecord(set)) throw this.#wrong([...at, 'set'], 'a mapping of values by their paths');
    return {
      ...(release === undefined ? {} : { release }),
      ...(namespace === undefined ? {} : { namespace }),
      values: this.#strings(entry['values'], [...at, 'values']).map(one => besides(file, one)),
      set,
    };
  }

  #text(value: unknown, path: Path): string | undefined {
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrong(path, 'a text');
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
