/**
 * How many scalars of rendered charts and built kustomizations know exactly where they came from: at the place that is
 * told, the text itself must stand, or the value that it was made of, or the expression that made it.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { isHelmError, renderChart } from '#sources/helm/door.ts';
import { readChart } from '#sources/helm/folder.ts';
import { scalarOrigins } from '#sources/helm/scalar-origins.ts';
import { build } from '#sources/kustomize/door.ts';
import { withShared } from '#test/shared.ts';

/**
 * Shares of scalars with an exact origin: they may only rise. What is missing of kustomizations is nearly all stated by
 * Kustomize itself (kind and apiVersion of what it generates, its annotations): it stands at the entry that asks for it.
 */
const FLOORS = { charts: 0.99, kustomizations: 0.955 };

class Lines {
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #lines = new Map<string, readonly string[]>();

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  at(file: string, line: number): string {
    let lines = this.#lines.get(file);
    if (lines === undefined) {
      lines = new TextDecoder().decode(this.#files.get(file)).split(/\r?\n/);
      this.#lines.set(file, lines);
    }
    return lines[line - 1] ?? '';
  }
}

const bare = (text: string): string =>
  text
    .trim()
    .replace(/^["'|>+-]+|["']$/g, '')
    .trim();

withShared('conformance/rendering/helm-charts', path => {
  it('every scalar of the charts names its template line, and its value where one decides', t => {
    let [total, exact] = [0, 0];
    for (const id of readdirSync(path)) {
      const folder = join(path, id, 'chart');
      if (!existsSync(join(folder, 'Chart.yaml'))) continue;
      const files = readChart(folder);
      const lines = new Lines(files);
      try {
        const { documents, sources } = renderChart(files, { trace: true, allowMissing: true });
        for (const document of documents) {
          const rows = document.text.split('\n');
          for (const { line, from, to, origin } of scalarOrigins(document)) {
            total++;
            const isExact = (origin?.spans ?? []).every(span => {
              const text = bare(rows[line - 1]!.slice(Math.max(span.from, from), Math.min(span.to, to)));
              const { file, line: at } = span.template;
              const source = sources.get(file);
              // Inside an archive nothing can be looked up.
              if (source === undefined || source.archive) return source !== undefined;
              const template = lines.at(source.file, at);
              if (span.literal) return template.includes(text);
              const isStated = span.values.some(value => lines.at(value.file, value.line) !== '');
              return (
                isStated ||
                span.given.length + span.instead.length > 0 ||
                /\{\{|\b(?:dict|set|list)\b|"/.test(template)
              );
            });
            if (isExact && origin !== undefined) exact++;
          }
        }
      } catch (error) {
        if (!isHelmError(error)) throw error;
      }
    }
    t.diagnostic(`${exact} of ${total} scalars`);
    assert.ok(total > 1000, `${total} scalars`);
    assert.ok(exact / total >= FLOORS.charts, `${exact} of ${total}`);
  });
});

withShared('conformance/rendering/kustomize', folder => {
  interface Case {
    readonly id: string;
    readonly files: Readonly<Record<string, string | { readonly base64: string }>>;
    readonly root: string;
    readonly error: string | null;
  }
  const { cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as { cases: Case[] };
  it('every scalar of the kustomizations stands where it is said to stand', t => {
    let [total, exact] = [0, 0];
    for (const { files, root, error } of cases) {
      if (error !== null) continue;
      const bytes = new Map(
        Object.entries(files).map(([path, content]) => [
          path,
          typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64'),
        ]),
      );
      const lines = new Lines(bytes);
      let built: ReturnType<typeof build>;
      try {
        built = build(bytes, root, { unrestricted: true });
      } catch {
        continue;
      }
      for (const [i, document] of built.documents.entries()) {
        const origin = built.origins[i]!;
        const visit = (value: unknown, path: (string | number)[]): void => {
          if (typeof value === 'object' && value !== null) {
            for (const [key, one] of Object.entries(value))
              visit(one, [...path, Array.isArray(value) ? Number(key) : key]);
            return;
          }
          total++;
          const { file, line } = origin.positionOf(path);
          const stated = lines.at(file, line);
          const words = String(value)
            .split(/[^A-Za-z0-9]+/)
            .filter(word => word !== '');
          const key = String(path.findLast(step => typeof step === 'string') ?? '');
          // The text, a part of it (a prefix is put before it, a hash behind it), or its key.
          if (
            stated !== '' &&
            (words.length === 0 || words.some(word => stated.includes(word)) || stated.includes(key))
          )
            exact++;
        };
        visit(document, []);
      }
    }
    t.diagnostic(`${exact} of ${total} scalars`);
    assert.ok(total > 5000, `${total} scalars`);
    assert.ok(exact / total >= FLOORS.kustomizations, `${exact} of ${total}`);
  });
});
