/** An editor of a few lines, speaking to the built program. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Framing, framed } from '../../src/cli/lsp/framing.ts';
import { offsetOf } from '../../src/cli/lsp/text.ts';
import { folderOf, pod, run } from './program.ts';

const program = resolve(import.meta.dirname, '../../dist/cli.cjs');

interface Message {
  readonly id?: number | null;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: number };
  readonly params?: unknown;
}
interface Diagnostic {
  readonly code: string;
  readonly range: { start: { line: number; character: number }; end: { line: number; character: number } };
}
type Published = { version: number; diagnostics: Diagnostic[] };
type Edit = { range: Diagnostic['range']; newText: string };

class Editor {
  readonly process: ChildProcess;
  readonly #framing = new Framing();
  readonly #got: Message[] = [];
  #wake: () => void = () => {};

  constructor(cwd: string) {
    this.process = spawn(process.execPath, [program, 'lsp'], { cwd });
    this.process.stdout!.on('data', (chunk: Buffer) => {
      for (const body of this.#framing.push(chunk)) this.#got.push(JSON.parse(body) as Message);
      this.#wake();
    });
  }

  write(text: string): void {
    this.process.stdin!.write(text);
  }

  notify(method: string, params: object): void {
    this.write(framed({ method, params }));
  }

  async next(is: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const at = this.#got.findIndex(is);
      if (at >= 0) return this.#got.splice(at, 1)[0]!;
      await new Promise<void>(done => {
        this.#wake = done;
      });
    }
  }

  ask(id: number, method: string, params: object = {}): Promise<Message> {
    this.write(framed({ id, method, params }));
    return this.next(message => message.id === id);
  }

  async published(): Promise<Published> {
    return (await this.next(({ method }) => method === 'textDocument/publishDiagnostics'))
      .params as Published;
  }

  ended(): Promise<number | null> {
    return new Promise(done => this.process.once('exit', done));
  }
}

describe('lsp', { timeout: 30_000 }, () => {
  it('tells findings while one types, mends them, shows the page, and says goodbye', async () => {
    const folder = folderOf({ 'sallyport.yaml': 'profile: default\n' });
    const editor = new Editor(folder);
    const uri = pathToFileURL(join(folder, 'a.yaml')).href;
    assert.equal((await editor.ask(1, 'textDocument/hover')).error!.code, -32002);
    const started = await editor.ask(2, 'initialize', {
      rootUri: pathToFileURL(folder).href,
      capabilities: {},
    });
    const { capabilities } = started.result as { capabilities: { textDocumentSync: { change: number } } };
    assert.equal(capabilities.textDocumentSync.change, 2);
    editor.notify('initialized', {});

    let text = pod('😀é', '  hostPID: false\n');
    editor.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    assert.ok(
      !(await editor.published()).diagnostics.some(({ code }) => code === 'pod-security/host-namespaces'),
    );

    const line = text.split('\n').findIndex(one => one.includes('hostPID'));
    const range = { start: { line, character: 11 }, end: { line, character: 16 } };
    editor.notify('textDocument/didChange', {
      textDocument: { uri, version: 2 },
      contentChanges: [{ range, text: 'true' }],
    });
    text = text.replace('hostPID: false', 'hostPID: true');
    const { version, diagnostics } = await editor.published();
    assert.equal(version, 2);
    const found = diagnostics.find(({ code }) => code === 'pod-security/host-namespaces');
    assert.equal(found?.range.start.line, line);

    const at = { textDocument: { uri }, position: range.start };
    const page = (await editor.ask(3, 'textDocument/hover', at)).result as { contents: { value: string } };
    assert.match(page.contents.value, /`pod-security\/host-namespaces`/);
    const { result } = await editor.ask(4, 'textDocument/codeAction', {
      textDocument: { uri },
      range,
      context: {},
    });
    const action = (result as { edit: { changes: Record<string, Edit[]> } }[]).find(({ edit }) =>
      edit.changes[uri]!.some(({ range }) => range.start.line >= line - 1),
    );
    const [edit] = action!.edit.changes[uri]!;
    const mended =
      text.slice(0, offsetOf(text, edit!.range.start)) +
      edit!.newText +
      text.slice(offsetOf(text, edit!.range.end));
    editor.notify('textDocument/didChange', {
      textDocument: { uri, version: 3 },
      contentChanges: [{ text: mended }],
    });
    assert.ok(
      !(await editor.published()).diagnostics.some(({ code }) => code === 'pod-security/host-namespaces'),
    );

    editor.notify('textDocument/didClose', { textDocument: { uri } });
    assert.deepEqual((await editor.published()).diagnostics, []);
    assert.equal((await editor.ask(5, 'textDocument/rename')).error!.code, -32601);
    editor.write('Content-Length: 3\r\n\r\n{{{');
    assert.equal((await editor.next(({ id }) => id === null)).error!.code, -32700);
    assert.equal((await editor.ask(6, 'shutdown')).result, null);
    const ended = editor.ended();
    editor.notify('exit', {});
    assert.equal(await ended, 0);
  });

  it('says what it could not read, and leaves templates to the scan', async () => {
    const folder = folderOf({});
    const editor = new Editor(folder);
    await editor.ask(1, 'initialize', { rootUri: null, capabilities: {} });
    for (const [name, text, count] of [
      ['a.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: [\n', 1],
      ['b.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: {{ .x }}\n', 0],
    ] as const) {
      const uri = pathToFileURL(join(folder, name)).href;
      editor.notify('textDocument/didOpen', { textDocument: { uri, version: 1, text } });
      assert.equal((await editor.published()).diagnostics.length, count, name);
    }
    const ended = editor.ended();
    editor.process.stdin!.end();
    assert.equal(await ended, 1);
  });

  it('ends with words where the stream is none of the protocol', () => {
    for (const input of ['hello\r\n\r\n', 'x'.repeat(10_000), 'Content-Length: 9999999999\r\n\r\n']) {
      const { code, err } = run(folderOf({}), ['lsp'], input);
      assert.equal(code, 3);
      assert.match(err, /^sallyport: (?:a message|the header)/);
    }
  });
});
