/** Unified diffs: whoever applies them gets the other text, and no line is said to change that does not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unifiedDiff } from './unified-diff.ts';

/** The other text, by a diff of one file. */
function applied(text: string, diff: string): string {
  const lines = text.split('\n');
  const result: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2)) {
    const hunk = /^@@ -(\d+),\d+ \+(\d+),\d+ @@$/.exec(line);
    if (hunk !== null) {
      const start = Number(hunk[1]) - 1;
      result.push(...lines.slice(at, start));
      at = start;
      assert.equal(result.length, Number(hunk[2]) - 1, 'the hunk begins elsewhere');
    } else if (line.startsWith('+')) result.push(line.slice(1));
    else if (line !== '') {
      assert.equal(lines[at], line.slice(1));
      if (line.startsWith(' ')) result.push(lines[at]!);
      at++;
    }
  }
  return [...result, ...lines.slice(at)].join('\n');
}

describe('a unified diff', () => {
  it('says no line to change that does not', () => {
    const before = 'a:\n  privileged: true\n  capabilities:\n    add: [X]\nz: 1\n';
    const after = 'a:\n  privileged: false\n  capabilities:\n    add: []\n    drop: [ALL]\nz: 1\n';
    assert.equal(
      unifiedDiff('f', before, after),
      '--- a/f\n+++ b/f\n@@ -1,5 +1,6 @@\n a:\n-  privileged: true\n+  privileged: false\n   capabilities:\n-    add: [X]\n+    add: []\n+    drop: [ALL]\n z: 1\n',
    );
  });

  it('leads to the other text, whatever changed', () => {
    let seed = 7;
    const below = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * n);
    };
    for (let round = 0; round < 300; round++) {
      const lines = Array.from({ length: 1 + below(60) }, () => `line ${below(9)}`);
      const other = lines.flatMap(line =>
        below(8) === 0
          ? []
          : below(8) === 0
            ? [line, `new ${below(5)}`]
            : below(8) === 0
              ? [`x${line}`]
              : [line],
      );
      const [before, after] = [lines, other].map(of => of.map(line => `${line}\n`).join('')) as [
        string,
        string,
      ];
      if (after === '') continue;
      const diff = unifiedDiff('f', before, after);
      assert.equal(applied(before, diff), after, diff);
    }
  });
});
