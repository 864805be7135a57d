/** What an editor asks, and our answers. Source: Language Server Protocol 3.17. */
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { idOf } from '#check/check.ts';
import type { Finding, Unknown } from '#check/finding.ts';
import { pageOf } from '#check/page.ts';
import type { Severity } from '#check/severity.ts';
import { exceptionChecks } from '#judge/exception-checks.ts';
import { version } from '#judge/report.ts';
import { isRecord } from '#kube/objects.ts';
import { checks } from '#practices/index.ts';
import { type Manifests, readFound, readManifests } from '#sources/manifests/manifests.ts';
import { isKustomizationName } from '#sources/manifests/recognise.ts';
import type { Declared } from '#world/world.ts';
import { type Config, emptyConfig, readConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import { type FilePlan, type FixContext, planFixes } from '../fixes.ts';
import { type Judging, judgeManifests } from '../judging.ts';
import { selection } from '../selection.ts';
import { minorOf } from '../version-range.ts';
import { Projects, textOnDisk } from './projects.ts';
import { offsetOf, type Position, type Range, replacement } from './text.ts';

/** Characters; a longer document is not judged while somebody types, and that is said. */
const MAX_TEXT = 2_000_000;
const MAX_DOCUMENTS = 1_000;
const ERROR = { parse: -32700, request: -32600, method: -32601, params: -32602, notInitialized: -32002 };
/** Error, warning, information, hint. */
const LEVELS: Readonly<Record<Severity, number>> = { critical: 1, high: 1, medium: 2, low: 3, info: 4 };

interface Document {
  readonly uri: string;
  version: number | undefined;
  text: string;
  judged: JudgedDocument | undefined;
}

interface JudgedDocument {
  /** Those that lie in the document. */
  readonly findings: readonly Finding[];
  readonly declared: ReadonlyMap<Finding, Declared>;
  readonly context: FixContext;
  /** The texts that were open then. */
  readonly edited: ReadonlyMap<string, string>;
}

const NOTHING: JudgedDocument = { findings: [], declared: new Map(), context: {}, edited: new Map() };

type Params = Readonly<Record<string, unknown>>;

interface JudgedTogether {
  readonly document: Document;
  readonly findings: readonly Finding[];
  readonly unknowns: readonly Unknown[];
}

class ProtocolError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export class LanguageServer {
  readonly #send: (message: object) => void;
  readonly #documents = new Map<string, Document>();
  readonly #dirty = new Set<string>();
  readonly #projects = new Projects();
  #root = process.cwd();
  #config: Config = emptyConfig;
  #initialized = false;
  #shutDown = false;
  /** Set when the editor says goodbye. */
  exitCode: number | undefined;

  constructor(send: (message: object) => void) {
    this.#send = send;
  }

  /** Takes one message; what it asks for is answered at once, but documents are judged by {@link settle}. */
  async receive(body: string): Promise<void> {
    let message: unknown;
    try {
      message = JSON.parse(body);
    } catch {
      this.#fail(null, ERROR.parse, 'the message is no JSON');
      return;
    }
    if (!isRecord(message) || typeof message['method'] !== 'string') {
      // An answer to a question is none to ours: we ask nothing.
      if (!isRecord(message) || !('result' in message || 'error' in message))
        this.#fail(null, ERROR.request, 'the message is no request');
      return;
    }
    const { method, id } = message as { method: string; id?: unknown };
    const params: Params = isRecord(message['params']) ? message['params'] : {};
    try {
      if (id === undefined) await this.#notified(method, params);
      else this.#send({ id, result: (await this.#asked(method, params)) ?? null });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (id !== undefined) this.#fail(id, error.code, error.message);
    }
  }

  /** Judges what was edited, once for all the edits that came together. */
  async settle(): Promise<void> {
    const done = new Set<string>();
    for (const uri of this.#dirty) {
      if (done.has(uri)) continue;
      const document = this.#documents.get(uri);
      if (document !== undefined) await this.#publish(document, done);
    }
    this.#dirty.clear();
  }

  #fail(id: unknown, code: number, message: string): void {
    this.#send({ id, error: { code, message } });
  }

  async #asked(method: string, params: Params): Promise<unknown> {
    if (method === 'initialize') return this.#initialize(params);
    if (!this.#initialized) throw new ProtocolError(ERROR.notInitialized, 'initialize comes first');
    if (this.#shutDown) throw new ProtocolError(ERROR.request, 'shut down already');
    switch (method) {
      case 'shutdown':
        this.#shutDown = true;
        return null;
      case 'textDocument/codeAction':
        return this.#actions(params);
      case 'textDocument/hover':
        return this.#hover(params);
      default:
        throw new ProtocolError(ERROR.method, `${method} is not known here`);
    }
  }

  async #initialize(params: Params): Promise<unknown> {
    const [folder] = Array.isArray(params['workspaceFolders'])
      ? (params['workspaceFolders'] as unknown[])
      : [];
    const uri = isRecord(folder) ? folder['uri'] : params['rootUri'];
    this.#root = (typeof uri === 'string' ? pathOf(uri) : undefined) ?? process.cwd();
    this.#initialized = true;
    await this.#readConfig();
    return {
      serverInfo: { name: 'sallyport', version },
      capabilities: {
        positionEncoding: 'utf-16',
        textDocumentSync: { openClose: true, change: 2, save: true },
        codeActionProvider: { codeActionKinds: ['quickfix'] },
        hoverProvider: true,
      },
    };
  }

  async #notified(method: string, params: Params): Promise<void> {
    if (method === 'exit') this.exitCode = this.#shutDown ? 0 : 1;
    if (!this.#initialized || this.#shutDown) return;
    const named = isRecord(params['textDocument']) ? params['textDocument'] : {};
    const uri = named['uri'];
    if (typeof uri !== 'string') return;
    const document = this.#documents.get(uri);
    const number = typeof named['version'] === 'number' ? named['version'] : undefined;
    if (method === 'textDocument/didOpen' && typeof named['text'] === 'string') {
      if (document === undefined && this.#documents.size >= MAX_DOCUMENTS) return;
      this.#documents.set(uri, { uri, version: number, text: named['text'], judged: undefined });
      this.#dirty.add(uri);
    } else if (method === 'textDocument/didChange' && document !== undefined) {
      const changes = params['contentChanges'];
      for (const change of Array.isArray(changes) ? (changes as unknown[]) : [])
        document.text = changed(document.text, change);
      document.version = number;
      document.judged = undefined;
      this.#dirty.add(uri);
    } else if (method === 'textDocument/didClose' && document !== undefined) {
      this.#documents.delete(uri);
      this.#send({ method: 'textDocument/publishDiagnostics', params: { uri, diagnostics: [] } });
    } else if (method === 'textDocument/didSave') {
      if (isKustomizationName(uri)) this.#projects.forget();
      if (basename(uri) !== 'sallyport.yaml') return;
      await this.#readConfig();
      for (const open of this.#documents.keys()) this.#dirty.add(open);
    }
  }

  async #readConfig(): Promise<void> {
    try {
      this.#config = await readConfig(undefined, this.#root, async () => checks);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // The old one stays: a word that is half typed must not switch the checks to others.
      this.#send({ method: 'window/showMessage', params: { type: 1, message: error.message } });
    }
  }

  /** @param done the documents that were judged together with it are added */
  async #publish(document: Document, done: Set<string>): Promise<void> {
    for (const { document: one, findings, unknowns } of await this.#judge(document)) {
      done.add(one.uri);
      this.#tell(one, findings, unknowns);
    }
  }

  #tell(
    { uri, version: number }: Document,
    findings: readonly Finding[],
    unknowns: readonly Unknown[],
  ): void {
    const diagnostics = [
      ...findings.flatMap(finding =>
        finding.occurrences.map(({ line, column, endLine, endColumn }) => ({
          range: rangeOf(line, column, endLine, endColumn),
          severity: LEVELS[finding.severity],
          code: finding.check,
          source: 'sallyport',
          message: `${finding.message}\n${finding.remediation}`,
        })),
      ),
      ...unknowns.map(({ line = 1, column = 1, reason, check }) => ({
        range: rangeOf(line, column),
        severity: 3,
        ...(check === undefined ? {} : { code: check }),
        source: 'sallyport',
        message: `could not be judged: ${reason}`,
      })),
    ];
    this.#send({
      method: 'textDocument/publishDiagnostics',
      params: { uri, ...(number === undefined ? {} : { version: number }), diagnostics },
    });
  }

  /** Judges a document, and what is open of the chart or the overlays that it is a part of. */
  async #judge(document: Document): Promise<JudgedTogether[]> {
    const { uri, text } = document;
    const path = pathOf(uri);
    document.judged = NOTHING;
    const nothing = { document, findings: [], unknowns: [] };
    if (path === undefined) return [nothing];
    if (text.length > MAX_TEXT)
      return [
        {
          ...nothing,
          unknowns: [{ reason: 'the document is too long to be judged while it is edited' }],
        },
      ];
    const name = this.#nameOf(path);
    const folders = await this.#projects.foldersOf(this.#root, name);
    if (folders.length > 0) return this.#judgeTogether(document, folders);
    if (!isManifest(path, text)) return [nothing];
    const manifests = await readFound(
      { files: [{ name, path, named: false }], skipped: [] },
      { cwd: this.#root, noIgnore: true, exclude: [], open: () => Buffer.from(text) },
    );
    return [await this.#judgeManifests(document, manifests)];
  }

  /** A chart or overlays: rendered with what is open in the place of what is on the disk. */
  async #judgeTogether(document: Document, folders: readonly string[]): Promise<JudgedTogether[]> {
    const edited = new Map<string, string>();
    const open = new Map<string, Document>();
    for (const one of this.#documents.values()) {
      const path = pathOf(one.uri);
      if (path === undefined || one.text.length > MAX_TEXT) continue;
      const name = this.#nameOf(path);
      edited.set(name, one.text.replace(/^\ufeff/, ''));
      const own = await this.#projects.foldersOf(this.#root, name);
      if (one === document || folders.some(folder => own.includes(folder))) open.set(name, one);
    }
    const { charts } = this.#config;
    const manifests = await readManifests(folders, {
      cwd: this.#root,
      noIgnore: true,
      exclude: [],
      edited,
      ...(charts === undefined ? {} : { charts }),
    });
    const result: JudgedTogether[] = [];
    const judging = await this.#judging(manifests);
    const judged = judging.judgement.gather(place => judging.accept(place));
    for (const [name, one] of open) {
      const findings = judged.findings.filter(({ file }) => file === name);
      const unknowns = judged.unknowns.filter(({ file }) => file === name);
      one.judged = {
        findings,
        declared: judged.declared,
        context: this.#contextOf(manifests, judged.parts, edited),
        edited,
      };
      result.push({ document: one, findings, unknowns });
    }
    return result;
  }

  #contextOf(
    { renderings }: Manifests,
    parts: NonNullable<FixContext['parts']>,
    edited: ReadonlyMap<string, string>,
  ): FixContext {
    return {
      renderings,
      parts,
      read: file => edited.get(file) ?? textOnDisk(resolve(this.#root, file)),
      mayEdit: file => !file.startsWith('../') && !isAbsolute(file),
    };
  }

  async #judging(manifests: Manifests): Promise<Judging> {
    const minor = minorOf(this.#config.targetKubernetes, 'targetKubernetes');
    return judgeManifests(manifests, selection(NOTHING_GIVEN, this.#config), this.#config, minor);
  }

  async #judgeManifests(document: Document, manifests: Manifests): Promise<JudgedTogether> {
    const judging = await this.#judging(manifests);
    const { findings, declared, unknowns } = judging.judgement.gather(place => judging.accept(place));
    document.judged = { ...NOTHING, findings, declared };
    return { document, findings, unknowns };
  }

  /** As reports show it: relative to the folder that is open, where it lies in it. */
  #nameOf(path: string): string {
    const inner = relative(this.#root, path).split(sep).join('/');
    return inner.startsWith('../') || isAbsolute(inner) ? path : inner;
  }

  /** The document that is asked about, judged as it stands now. */
  async #documentOf(params: Params): Promise<Document | undefined> {
    const named = params['textDocument'];
    const document = isRecord(named) ? this.#documents.get(String(named['uri'])) : undefined;
    if (document !== undefined && document.judged === undefined) await this.#judge(document);
    return document;
  }

  async #actions(params: Params): Promise<unknown[]> {
    const range = asRange(params['range']);
    if (range === undefined) throw new ProtocolError(ERROR.params, 'codeAction needs a range');
    const document = await this.#documentOf(params);
    const actions: unknown[] = [];
    for (const finding of document?.judged?.findings ?? []) {
      if (finding.fix === undefined || !touches(finding, range)) continue;
      const { declared, context, edited } = document!.judged!;
      const plans = await planFixes([finding], declared, context, edited);
      const changes = this.#editsOf(plans);
      if (changes === undefined) continue;
      actions.push({
        title: `${finding.fix.title}${finding.fix.kind === 'safe' ? '' : ' (may change what the workload does)'}`,
        kind: 'quickfix',
        isPreferred: finding.fix.kind === 'safe',
        edit: { changes },
      });
    }
    return actions;
  }

  /** The edits of a fix by the names of the files, open or not; undefined where it cannot be made by edits alone. */
  #editsOf(plans: readonly FilePlan[]): Readonly<Record<string, readonly object[]>> | undefined {
    const changes: Record<string, readonly object[]> = {};
    for (const { file, before, after, refused } of plans) {
      if (refused.length > 0) return undefined;
      if (before === after) continue;
      const path = resolve(this.#root, file);
      const open = [...this.#documents.values()].find(({ uri }) => pathOf(uri) === path);
      const text = open?.text ?? textOnDisk(path);
      if (text === undefined) return undefined;
      // The reader takes a byte order mark off; the editor has it.
      const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
      if (mark + before !== text) return undefined;
      changes[open?.uri ?? pathToFileURL(path).href] = [replacement(text, mark + after)];
    }
    return Object.keys(changes).length === 0 ? undefined : changes;
  }

  async #hover(params: Params): Promise<unknown> {
    const position = asPosition(params['position']);
    if (position === undefined) throw new ProtocolError(ERROR.params, 'hover needs a position');
    const document = await this.#documentOf(params);
    const at = { start: position, end: position };
    const found = (document?.judged?.findings ?? []).filter(finding => touches(finding, at));
    const pages = [...new Set(found.map(({ check }) => check))].flatMap(id => {
      const check = [...checks, ...exceptionChecks].find(check => idOf(check) === id);
      return check === undefined ? [] : [pageOf(check, 'markdown')];
    });
    return pages.length === 0 ? null : { contents: { kind: 'markdown', value: pages.join('\n\n---\n\n') } };
  }
}

/** An editor names no options: the configuration alone says what is judged. */
const NOTHING_GIVEN = { operands: [], has: () => false, value: () => undefined, values: () => [] };

function pathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

/** Templates, values, charts and kustomizations mean something only together with others. */
function isManifest(path: string, text: string): boolean {
  const name = basename(path);
  if (!/\.(?:ya?ml|json)$/i.test(name)) return false;
  return (
    !/^(?:kustomization\.ya?ml|Chart\.yaml|values[\w.-]*\.ya?ml|sallyport\.yaml)$/i.test(name) &&
    !text.includes('{{')
  );
}

function changed(text: string, change: unknown): string {
  if (!isRecord(change) || typeof change['text'] !== 'string') return text;
  if (change['range'] === undefined) return change['text'];
  const range = asRange(change['range']);
  if (range === undefined) return text;
  const start = offsetOf(text, range.start);
  return text.slice(0, start) + change['text'] + text.slice(Math.max(start, offsetOf(text, range.end)));
}

function asPosition(value: unknown): Position | undefined {
  if (!isRecord(value)) return undefined;
  const { line, character } = value;
  const isCount = (one: unknown): one is number =>
    typeof one === 'number' && Number.isInteger(one) && one >= 0;
  return isCount(line) && isCount(character) ? { line, character } : undefined;
}

function asRange(value: unknown): Range | undefined {
  if (!isRecord(value)) return undefined;
  const [start, end] = [asPosition(value['start']), asPosition(value['end'])];
  return start === undefined || end === undefined ? undefined : { start, end };
}

function rangeOf(line: number, column: number, endLine = line, endColumn = column): Range {
  return {
    start: { line: line - 1, character: column - 1 },
    end: { line: endLine - 1, character: endColumn - 1 },
  };
}

function touches({ occurrences }: Finding, { start, end }: Range): boolean {
  return occurrences.some(({ line, endLine }) => line - 1 <= end.line && (endLine ?? line) - 1 >= start.line);
}
