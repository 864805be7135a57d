/** Each dependency rule bites: a planted violation is named by its rule. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { judgeDependencies } from '../../tools/dependencies.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'fences-'));
after(() => rmSync(folder, { recursive: true }));

const PLANTED: readonly (readonly [rule: string, file: string, imports: string])[] = [
  ['floor-kube', 'src/kube/a.ts', '../world/x.ts'],
  ['floor-yaml', 'src/yaml/a.ts', '../world/x.ts'],
  ['floor-world', 'src/world/a.ts', '../decide/x.ts'],
  ['floor-decide', 'src/decide/a.ts', '../check/x.ts'],
  ['floor-paths', 'src/paths/a.ts', '../check/x.ts'],
  ['floor-check', 'src/check/a.ts', '../practices/x.ts'],
  ['floor-practices', 'src/practices/a.ts', '../judge/x.ts'],
  ['floor-advise', 'src/advise/a.ts', '../check/x.ts'],
  ['floor-judge', 'src/judge/a.ts', '../sources/x.ts'],
  ['floor-advise', 'src/advise/a.ts', '../check/x.ts'],
  ['floor-report', 'src/report/a.ts', '../judge/x.ts'],
  ['floor-sources', 'src/sources/a.ts', '../practices/x.ts'],
  ['floor-cli', 'src/cli/a.ts', '../server/x.ts'],
  ['pure-floor', 'src/decide/b.ts', 'node:fs'],
  ['practices-apart', 'src/practices/mesh/a.ts', '../cicd/x.ts'],
  ['checks-apart', 'src/practices/mesh/checks/a.ts', './x.ts'],
  ['no-tests-inside', 'src/kube/b.ts', '../../test/x.ts'],
  ['no-circle', 'src/kube/c.ts', './d.ts'],
];

describe('the dependency rules', () => {
  it('name every planted violation', async () => {
    const put = (file: string, text: string) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    };
    for (const [, file, imports] of PLANTED) {
      put(file, `import * as planted from '${imports}';\nexport const a = planted;\n`);
      if (!imports.startsWith('node:')) put(join(dirname(file), imports), 'export {};\n');
    }
    put('src/kube/d.ts', "import * as c from './c.ts';\nexport const d = c;\n");
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const { modules, violations } = await judgeDependencies(folder);
    assert.ok(modules >= PLANTED.length, `${modules} modules seen`);
    const named = new Set(violations.map(({ rule }) => rule));
    for (const [rule] of PLANTED) assert.ok(named.has(rule), `${rule} did not bite`);
  });
});
