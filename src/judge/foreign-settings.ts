/**
 * What teams wrote into the settings of other tools for a whole run, turned into exceptions. It is never wider than what
 * it was: a check of ours that looks at more is confined to the field, and what has no like here is said. Sources of the
 * forms: trivy docs/guide/configuration/filtering.md and pkg/result/ignore.go (.trivyignore, .trivyignore.yaml), checkov
 * docs/2.Basics/Suppressing and Skipping Policies.md (skip-check: ids, patterns, severities, namespaces), kube-linter
 * docs/configuring-kubelinter.md (checks.exclude), polaris docs/customization/exemptions.md and
 * pkg/config/exemptions.go (exemptions; names are beginnings), docs/customization/checks.md (ignore).
 */
import type { Check } from '#check/check.ts';
import type { Exception, ExceptionScope } from '#check/exception.ts';
import { matchesGlob } from '#kube/glob.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import { isDate } from './exceptions.ts';
import { type ForeignTool, meaningOf, type Unturned } from './foreign-exceptions.ts';

/** The names that the tools themselves look for; polaris has none, and this is what people write. */
export const settingsNames: readonly string[] = [
  '.trivyignore',
  '.trivyignore.yaml',
  '.trivyignore.yml',
  '.checkov.yaml',
  '.checkov.yml',
  '.kube-linter.yaml',
  '.kube-linter.yml',
  'polaris.yaml',
  'polaris.yml',
];

/** A file of settings: lines of text, or what its YAML says, with the line of each value. */
export type SettingsFile =
  | { readonly file: string; readonly text: string }
  | { readonly file: string; readonly data: unknown; lineOf(path: Path): number };

export interface SettingsOptions {
  readonly checks: readonly Check[];
  /** The tools whose settings count. */
  readonly tools: readonly string[];
  /** The files that were read, for patterns of paths. */
  readonly files: readonly string[];
  /** Takes what has no like here. */
  unturned(one: Unturned): void;
}

/** More exceptions than anybody could review. */
export const MAX_RECORDS = 10_000;

/** @throws RangeError where it would make more than {@link MAX_RECORDS} */
export function settingsExceptions(settings: SettingsFile, options: SettingsOptions): Exception[] {
  const turner = new Turner(settings.file, options);
  if ('text' in settings) turner.trivyLines(settings.text);
  else turner.settings(settings.data, settings.lineOf);
  return turner.found;
}

const SEVERITIES = new Set(['NONE', 'INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);
/** What is an id of checkov, of whatever kind of file. */
const CHECKOV_ID = /^(?:CKV2?_|BC_|CVE|CKV)/i;
const TRIVY_ID = /^(?:AVD-)?KSV/i;

interface Ends {
  readonly reason: string;
  readonly until?: string;
}

class Turner {
  readonly found: Exception[] = [];
  readonly #file: string;
  readonly #options: SettingsOptions;

  constructor(file: string, options: SettingsOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** `.trivyignore`: an id a line; a comment above says why. */
  trivyLines(text: string): void {
    if (!this.#options.tools.includes('trivy')) return;
    let reason: string[] = [];
    for (const [index, raw] of text
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .entries()) {
      const line = raw.trim();
      if (line === '') reason = [];
      else if (line.startsWith('#')) reason.push(line.replace(/^#+\s*/, ''));
      else {
        const [id = '', ...words] = line.split(/\s+/);
        const until = words.find(word => word.startsWith('exp:'))?.slice('exp:'.length);
        this.#trivy(id, index + 1, { reason: reason.join(' '), ...(until === undefined ? {} : { until }) });
      }
    }
  }

  /** Whose settings they are, their keys say. */
  settings(data: unknown, lineOf: (path: Path) => number): void {
    if (!isRecord(data)) return;
    const { tools } = this.#options;
    if (tools.includes('trivy')) this.#trivyYaml(data['misconfigurations'], lineOf);
    if (tools.includes('checkov')) this.#checkov(data, lineOf);
    const { checks } = data;
    if (tools.includes('kube-linter') && isRecord(checks)) this.#kubeLinter(checks, lineOf);
    if (tools.includes('polaris')) this.#polaris(data, lineOf);
  }

  #trivyYaml(entries: unknown, lineOf: (path: Path) => number): void {
    for (const [i, entry] of listOf(entries).entries()) {
      const line = lineOf(['misconfigurations', i]);
      if (!isRecord(entry)) continue;
      const { id, paths, statement, expired_at: end } = entry;
      const ends = {
        reason: typeof statement === 'string' ? statement : '',
        ...(end === undefined || end === null ? {} : { until: String(end).slice(0, 10) }),
      };
      if (typeof id !== 'string')
        this.#unturned('trivy', line, 'an entry without an id ignores every check of its paths');
      else if (paths === undefined || paths === null) this.#trivy(id, line, ends);
      else
        for (const path of listOf(paths))
          for (const file of this.#filesOf(String(path), line)) this.#trivy(id, line, ends, { file });
    }
  }

  #trivy(id: string, line: number, ends: Ends, scope: ExceptionScope = EVERYWHERE): void {
    // The rest is about images, secrets, licences and other kinds of files.
    if (!TRIVY_ID.test(id)) return;
    if (ends.until !== undefined && !isDate(ends.until))
      this.#unturned('trivy', line, `"${ends.until}" is no date, so ${id} is not ignored`);
    else this.#add('trivy', id, line, ends, scope, false);
  }

  /** The whole path has to fit, as trivy asks for it; ours would take a folder for all below it. */
  #filesOf(pattern: string, line: number): readonly string[] {
    const { files } = this.#options;
    if (/[[\]{}\\]/.test(pattern)) {
      this.#unturned('trivy', line, `the pattern ${pattern} is not understood here`);
      return [];
    }
    const found = files.filter(file => {
      const parent = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
      return matchesGlob(pattern, file) && (pattern.endsWith('**') || !matchesGlob(pattern, parent));
    });
    if (found.length === 0) this.#unturned('trivy', line, `${pattern} is no file that was read`);
    return found;
  }

  #checkov(data: Readonly<Record<string, unknown>>, lineOf: (path: Path) => number): void {
    for (const [i, entry] of listOf(data['skip-check']).entries()) {
      const line = lineOf(['skip-check', i]);
      for (const word of String(entry).split(',')) {
        const id = word.trim();
        if (id === '') continue;
        if (SEVERITIES.has(id.toUpperCase()))
          this.#unturned('checkov', line, `${id} is a severity of their platform: see severities and failOn`);
        else if (!CHECKOV_ID.test(id) && !id.includes('*'))
          this.#add('checkov', '*', line, { reason: `namespace ${id} is skipped` }, { namespace: id });
        // Ids of other kinds of files say nothing of objects.
        else if (/K8S/i.test(id) || id.includes('*')) this.#add('checkov', id, line, NO_REASON, EVERYWHERE);
      }
    }
    for (const [i, path] of listOf(data['skip-path']).entries())
      this.#unturned('checkov', lineOf(['skip-path', i]), `skip-path ${String(path)}: ${LEFT_OUT}`);
  }

  #kubeLinter(checks: Readonly<Record<string, unknown>>, lineOf: (path: Path) => number): void {
    for (const [i, id] of listOf(checks['exclude']).entries())
      this.#add('kube-linter', String(id), lineOf(['checks', 'exclude', i]), NO_REASON, EVERYWHERE, false);
    for (const [i, path] of listOf(checks['ignorePaths']).entries())
      this.#unturned(
        'kube-linter',
        lineOf(['checks', 'ignorePaths', i]),
        `ignorePaths ${String(path)}: ${LEFT_OUT}`,
      );
    if (checks['doNotAutoAddDefaults'] === true)
      this.#unturned(
        'kube-linter',
        lineOf(['checks', 'doNotAutoAddDefaults']),
        'which checks run at all is said by profile and checks in sallyport.yaml',
      );
  }

  #polaris(data: Readonly<Record<string, unknown>>, lineOf: (path: Path) => number): void {
    if (isRecord(data['checks']))
      for (const [id, severity] of Object.entries(data['checks']))
        if (severity === 'ignore')
          this.#add('polaris', id, lineOf(['checks', id]), NO_REASON, EVERYWHERE, false);
    if (data['disallowExemptions'] === true || data['disallowConfigExemptions'] === true) return;
    for (const [i, entry] of listOf(data['exemptions']).entries()) {
      const line = lineOf(['exemptions', i]);
      if (!isRecord(entry)) continue;
      const { namespace } = entry;
      const names = [...listOf(entry['controllerNames']), ...listOf(entry['containerNames'])];
      const odd = [...names, ...(namespace === undefined ? [] : [namespace])].find(
        name => typeof name !== 'string' || /[*?/]/.test(name),
      );
      if (odd !== undefined) {
        this.#unturned('polaris', line, `${JSON.stringify(odd)} is no name of an object`);
        continue;
      }
      const rules = listOf(entry['rules']);
      for (const rule of rules.length === 0 ? ['*'] : rules)
        for (const object of beginnings(entry['controllerNames']))
          for (const container of beginnings(entry['containerNames'])) {
            const scope: ExceptionScope = {
              ...(object === undefined ? {} : { object: `*/${object}` }),
              ...(typeof namespace !== 'string' || namespace === '' ? {} : { namespace }),
              ...(container === undefined ? {} : { container }),
            };
            const confined = Object.keys(scope).length === 0 ? EVERYWHERE : scope;
            this.#add('polaris', String(rule), line, NO_REASON, confined, rules.length === 0);
          }
    }
  }

  /** @param wild whether an asterisk stands for any letters */
  #add(
    tool: ForeignTool,
    theirs: string,
    line: number,
    { reason, until }: Ends,
    scope: ExceptionScope,
    wild = true,
  ): void {
    const means = meaningOf(tool, theirs, this.#options.checks, { wild });
    if (means.length === 0) this.#unturned(tool, line, `no check here says what ${theirs} says`);
    for (const { check, field } of means) {
      if (this.found.length >= MAX_RECORDS) throw new RangeError(`more than ${MAX_RECORDS} exceptions`);
      this.found.push({
        check,
        reason: reason === '' ? `as said to ${tool} (${theirs === '*' ? 'everything' : theirs})` : reason,
        owner: tool,
        ...(until === undefined ? {} : { until }),
        source: tool,
        file: this.#file,
        line,
        column: 1,
        scope: field === undefined ? scope : { ...scope, field },
      });
    }
  }

  #unturned(tool: ForeignTool, line: number, why: string): void {
    this.#options.unturned({ tool, file: this.#file, line, why });
  }
}

const EVERYWHERE: ExceptionScope = { file: '**' };
const NO_REASON: Ends = { reason: '' };
const LEFT_OUT = 'files are left out by ignore in sallyport.yaml';

/** A list, or one value in its place; none for nothing. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** Patterns for the beginnings of names; undefined for every name. */
function beginnings(names: unknown): readonly (string | undefined)[] {
  const listed = listOf(names);
  return listed.length === 0 || listed.includes('') ? [undefined] : listed.map(name => `${String(name)}*`);
}
