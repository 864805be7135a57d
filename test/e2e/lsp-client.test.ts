/**
 * The built language server and the client library of VS Code: manifests, values, templates and overlays. A folder of
 * packages that is older than the library skips, and says so; CI does not.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { offsetOf } from '../../src/cli/lsp/text.ts';
import { folderOf, pod } from './program.ts';

const program = resolve(import.meta.dirname, '../../dist/cli.cjs');

interface Connection {
  listen(): void;
  dispose(): void;
  sendRequest(method: string, params?: unknown): Promise<unknown>;
  sendNotification(method: string, params?: unknown): Promise<void>;
  onNotification(method: string, handler: (params: never) => void): void;
}
interface Library {
  createProtocolConnection(reader: object, writer: object): Connection;
  readonly StreamMessageReader: new (stream: object) => object;
  readonly StreamMessageWriter: new (stream: object) => object;
}
interface Diagnostic {
  readonly code: string;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}
type Edit = {
  range: { start: Diagnostic['range']['start']; end: Diagnostic['range']['start'] };
  newText: string;
};
interface Action {
  readonly title: string;
  readonly edit: { readonly changes: Readonly<Record<string, readonly Edit[]>> };
}

function library(): Library | undefined {
  try {
    return createRequire(import.meta.url)('vscode-languageserver-protocol/node') as Library;
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return undefined;
  }
}

const client = library();

class Editor {
  readonly #connection: Connection;
  readonly #diagnostics = new Map<string, Diagnostic[]>();
  readonly #folder: string;
  #version = 1;
  #wake: () => void = () => {};

  constructor(folder: string) {
    this.#folder = folder;
    const server = spawn(process.execPath, [program, 'lsp'], { cwd: folder });
    after(() => server.kill());
    const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = client!;
    this.#connection = createProtocolConnection(
      new StreamMessageReader(server.stdout),
      new StreamMessageWriter(server.stdin),
    );
    this.#connection.onNotification(
      'textDocument/publishDiagnostics',
      ({ uri, diagnostics }: { uri: string; diagnostics: Diagnostic[] }) => {
        this.#diagnostics.set(uri, diagnostics);
        this.#wake();
      },
    );
    this.#connection.listen();
  }

  async start(): Promise<void> {
    const root = pathToFileURL(this.#folder).href;
    await this.#connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: root,
      capabilities: {},
      workspaceFolders: [{ uri: root, name: 'test' }],
    });
    await this.#connection.sendNotification('initialized', {});
  }

  uriOf(file: string): string {
    return pathToFileURL(join(this.#folder, file)).href;
  }

  async open(file: string): Promise<Diagnostic[]> {
    const text = readFileSync(join(this.#folder, file), 'utf8');
    return this.#after(file, 'textDocument/didOpen', {
      textDocument: { uri: this.uriOf(file), languageId: 'yaml', version: this.#version++, text },
    });
  }

  async change(file: string, text: string): Promise<Diagnostic[]> {
    return this.#after(file, 'textDocument/didChange', {
      textDocument: { uri: this.uriOf(file), version: this.#version++ },
      contentChanges: [{ text }],
    });
  }

  /** What was published last. */
  shown(file: string): readonly Diagnostic[] {
    return this.#diagnostics.get(this.uriOf(file)) ?? [];
  }

  async #after(file: string, method: string, params: object): Promise<Diagnostic[]> {
    const uri = this.uriOf(file);
    this.#diagnostics.delete(uri);
    await this.#connection.sendNotification(method, params);
    while (!this.#diagnostics.has(uri))
      await new Promise<void>(done => {
        this.#wake = done;
      });
    return this.#diagnostics.get(uri)!;
  }

  async actions(file: string, line: number): Promise<readonly Action[]> {
    const at = { line, character: 0 };
    return (await this.#connection.sendRequest('textDocument/codeAction', {
      textDocument: { uri: this.uriOf(file) },
      range: { start: at, end: at },
      context: { diagnostics: [] },
    })) as readonly Action[];
  }

  async hover(file: string, line: number): Promise<string> {
    const answer = (await this.#connection.sendRequest('textDocument/hover', {
      textDocument: { uri: this.uriOf(file) },
      position: { line, character: 3 },
    })) as { contents: { value: string } } | null;
    return answer?.contents.value ?? '';
  }

  async stop(): Promise<void> {
    await this.#connection.sendRequest('shutdown');
    await this.#connection.sendNotification('exit');
    this.#connection.dispose();
  }
}

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduceRight(
    (now, { range, newText }) =>
      now.slice(0, offsetOf(now, range.start)) + newText + now.slice(offsetOf(now, range.end)),
    text,
  );
}

const FILES = {
  'pod.yaml': pod('a', '  hostPID: true\n'),
  'shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'shop/values.yaml': '# ours\nsecurityContext:\n  privileged: true # why?\n',
  'shop/templates/pod.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: { name: shop }\nspec:\n  hostNetwork: true\n  containers:\n    - name: web\n      image: shop:1.4.2\n      securityContext:\n        {{- toYaml .Values.securityContext | nindent 8 }}\n',
  'base/kustomization.yaml': 'resources: [pod.yaml]\n',
  'base/pod.yaml': pod('b'),
  'prod/kustomization.yaml': 'resources: [../base]\npatches: [{ path: host.yaml }]\n',
  'prod/host.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: b }\nspec: { hostPID: true }\n',
};

const skip = client === undefined ? 'vscode-languageserver-protocol is not installed: npm ci' : false;
describe('the language server and the client library of VS Code', { skip }, () => {
  it('shows, explains and mends what a manifest, a values file, a template and a patch become', async () => {
    const editor = new Editor(folderOf(FILES));
    await editor.start();
    for (const [file, line, code, mended] of [
      [
        'pod.yaml',
        5,
        'pod-security/host-namespaces',
        FILES['pod.yaml'].replace('hostPID: true', 'hostPID: false'),
      ],
      [
        'shop/values.yaml',
        2,
        'pod-security/privileged',
        FILES['shop/values.yaml'].replace('privileged: true', 'privileged: false'),
      ],
      [
        'shop/templates/pod.yaml',
        4,
        'pod-security/host-namespaces',
        FILES['shop/templates/pod.yaml'].replace('hostNetwork: true', 'hostNetwork: false'),
      ],
      ['prod/host.yaml', 3, 'pod-security/host-namespaces', FILES['prod/host.yaml'].replace('true', 'false')],
    ] as const) {
      const shown = await editor.open(file);
      assert.ok(
        shown.some(one => one.code === code && one.range.start.line === line),
        `${file}: ${JSON.stringify(shown)}`,
      );
      assert.match(await editor.hover(file, line), new RegExp(code));
      const actions = await editor.actions(file, line);
      const texts = actions.map(({ edit }) => edited(FILES[file], edit.changes[editor.uriOf(file)] ?? []));
      assert.ok(texts.includes(mended), `${file}: ${JSON.stringify(actions)}`);
      assert.deepEqual(
        (await editor.change(file, mended)).filter(one => one.code === code && one.range.start.line === line),
        [],
      );
    }
    await editor.stop();
  });

  it('judges a template with the values that are being typed', async () => {
    const editor = new Editor(folderOf(FILES));
    await editor.start();
    await editor.open('shop/templates/pod.yaml');
    await editor.open('shop/values.yaml');
    const before = editor.shown('shop/values.yaml').map(({ code }) => code);
    assert.ok(before.includes('pod-security/privileged'));
    await editor.change('shop/values.yaml', '# ours\nsecurityContext:\n  privileged: fals');
    await editor.change('shop/values.yaml', 'securityContext: {}\n');
    assert.deepEqual(
      editor.shown('shop/values.yaml').filter(({ code }) => code === 'pod-security/privileged'),
      [],
    );
    // A values file that is half typed is said, and costs nothing else.
    const broken = await editor.change('shop/values.yaml', 'securityContext: [\n');
    assert.deepEqual(
      broken.filter(({ code }) => code === 'pod-security/privileged'),
      [],
    );
    await editor.stop();
  });
});
