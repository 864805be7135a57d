/** Kustomizations built by the real kubectl: the same documents in the same order, the same text, the same errors. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { build } from '#sources/kustomize/door.ts';
import { withShared } from '#test/shared.ts';

interface Case {
  readonly id: string;
  readonly files: Readonly<Record<string, string | { readonly base64: string }>>;
  readonly root: string;
  readonly args?: readonly string[];
  readonly expected: string | null;
  readonly error: string | null;
  readonly warnings?: readonly string[];
}

/** How a parser words what is wrong with a text is its own affair; that it is wrong, and where it stands, is not. */
const PARSER = /yaml: (?:line \d+|unmarshal errors)|already defined|invalid character/;

withShared('conformance/rendering/kustomize', folder => {
  const { cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as { cases: Case[] };
  for (const { id, files, root, args, expected, error, warnings } of cases)
    it(id, () => {
      const bytes = new Map(
        Object.entries(files).map(([path, content]) => [
          path,
          typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64'),
        ]),
      );
      const unrestricted = args?.includes('LoadRestrictionsNone') === true;
      const run = () => build(bytes, root, { top: '<ROOT>', unrestricted });
      if (error === null) {
        const built = run();
        assert.equal(built.text, expected);
        assert.deepEqual(built.warnings, warnings ?? []);
        return;
      }
      assert.throws(run, (thrown: unknown) => {
        assert.ok(thrown instanceof Error && thrown.name.endsWith('Error'), String(thrown));
        assert.ok(['BuildError', 'NodeKindError', 'NotLocalError'].includes(thrown.name), thrown.stack);
        if (!PARSER.test(error)) assert.equal(thrown.message.trim(), error.trim());
        return true;
      });
    });
});
