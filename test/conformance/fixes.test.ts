/**
 * Every fix of every check, made in real files: the finding is gone, no new one came, comments and all other documents
 * are what they were.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { asSelected, type Judgement, judge } from '#judge/scan.ts';
import { checks } from '#practices/index.ts';
import { readFound } from '#sources/manifests/manifests.ts';
import { newestMinor, World } from '#world/world.ts';
import { planAll } from '../../src/cli/fixes.ts';
import { withShared } from '../shared.ts';

const selected = checks.map(asSelected);

async function judged(name: string, text: string): Promise<Judgement> {
  const { declared, gaps } = await readFound(
    { files: [{ path: name, name, named: true }], skipped: [] },
    { cwd: '/', noIgnore: true, exclude: [], open: () => Buffer.from(text) },
  );
  return judge(new World({ declared, gaps, kubernetesMinor: newestMinor }), selected);
}

/** All comments that stand alone on their lines or behind values, as they are written. */
function comments(text: string): string[] {
  return text.split(/\r?\n/).flatMap(line => {
    const at = line.search(/(?:^|\s)#/);
    return at < 0 || /["']/.test(line) ? [] : [line.slice(at).trim()];
  });
}

interface Numbers {
  files: number;
  changed: number;
  fixed: number;
  refused: number;
  readonly reasons: Map<string, number>;
}

async function prove(name: string, text: string, numbers: Numbers): Promise<void> {
  numbers.files++;
  const before = await judged(name, text);
  const [plan] = await planAll(async edited => {
    const { findings, declared } = (await judged(name, edited.get(name) ?? text)).gather();
    return { findings: findings.filter(({ fix }) => fix !== undefined), declared };
  });
  if (plan === undefined) return;
  for (const { reason } of plan.refused) numbers.reasons.set(reason, (numbers.reasons.get(reason) ?? 0) + 1);
  numbers.refused += plan.refused.length;
  if (plan.before === plan.after) {
    assert.equal(plan.fixed.length, 0, `${name}: fixes that change nothing`);
    return;
  }
  numbers.changed++;
  numbers.fixed += plan.fixed.length;
  const after = await judged(name, plan.after);
  const identities = (of: Judgement) => new Set(of.places.map(({ identity }) => identity));
  const was = identities(before);
  // Only what was refused is still there, word for word: a fix that does nothing would be made again and again.
  const left = after.gather().findings.filter(({ fix }) => fix !== undefined);
  const refused = new Set(plan.refused.map(({ finding }) => finding.fingerprint));
  assert.deepEqual(
    left.filter(({ fingerprint }) => !refused.has(fingerprint)).map(({ check, line }) => `${check}:${line}`),
    [],
    `${name}: still there`,
  );
  const fresh = after.places
    .filter(({ identity }) => !was.has(identity))
    // Out of the node's network a pod may come into the mesh, where it is open until a policy is written for it.
    .filter(({ id }) => id !== 'mesh/open-to-the-mesh')
    .map(({ id, path }) => `${id} ${path.join('.')}`);
  assert.deepEqual(fresh, [], `${name}: new findings`);
  assert.deepEqual(after.unknowns.length <= before.unknowns.length, true, `${name}: new unknowns`);
  assert.deepEqual(comments(plan.after), comments(text), `${name}: comments`);
}

async function proveAll(folder: string): Promise<Numbers> {
  const numbers: Numbers = { files: 0, changed: 0, fixed: 0, refused: 0, reasons: new Map() };
  const wrong: string[] = [];
  for (const name of globSync('**/*.{yaml,yml,json}', { cwd: folder }).sort()) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (text.length > 200_000) continue;
    try {
      await prove(name, text, numbers);
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  if (process.env['SALLYPORT_NUMBERS']) console.error(folder, numbers);
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} files`);
  return numbers;
}

withShared('conformance/polaris-fixes', folder => {
  it('every fix mends, and breaks nothing', async () => {
    const { fixed, changed } = await proveAll(folder);
    assert.ok(fixed > 300 && changed > 50, `${fixed} fixes in ${changed} files`);
  });
});

withShared('corpus', folder => {
  it('every fix mends, and breaks nothing', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'sallyport-corpus-'));
    try {
      execFileSync('tar', ['xzf', join(folder, 'real-manifests.tar.gz'), '-C', temporary]);
      const { fixed, changed } = await proveAll(temporary);
      assert.ok(fixed > 2000 && changed > 300, `${fixed} fixes in ${changed} files`);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
});
