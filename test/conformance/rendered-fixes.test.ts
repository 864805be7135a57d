/**
 * Fixes of what charts and overlays make, on many of them: the finding is gone, no new one came, nothing but intended
 * fields of the objects changed, comments are what they were, and running it again changes nothing.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { Finding } from '#check/finding.ts';
import { asSelected, judge } from '#judge/scan.ts';
import { formatPath, isRecord } from '#kube/objects.ts';
import { checks } from '#practices/index.ts';
import { type Manifests, readManifests } from '#sources/manifests/manifests.ts';
import { newestMinor, World } from '#world/world.ts';
import { type FilePlan, planAll } from '../../src/cli/fixes.ts';
import { withShared } from '../shared.ts';

const selected = checks.map(asSelected);

/** All kustomizations take minutes: of every so many one is enough, unless somebody wants the numbers. */
const EVERY = process.env['SALLYPORT_NUMBERS'] ? 1 : 4;

interface Numbers {
  folders: number;
  /** Findings of rendered objects that have a fix. */
  found: number;
  fixed: number;
  refused: number;
  changed: number;
  made: number;
  readonly reasons: Map<string, number>;
}

const none = (): Numbers => ({
  folders: 0,
  found: 0,
  fixed: 0,
  refused: 0,
  changed: 0,
  made: 0,
  reasons: new Map(),
});

interface Judged {
  readonly manifests: Manifests;
  readonly identities: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  readonly gathered: ReturnType<ReturnType<typeof judge>['gather']>;
}

async function judged(folder: string, edited: ReadonlyMap<string, string>): Promise<Judged> {
  const manifests = await readManifests(['.'], { cwd: folder, noIgnore: true, exclude: [], edited });
  const { declared, gaps } = manifests;
  const judgement = judge(new World({ declared, gaps, kubernetesMinor: newestMinor }), selected);
  const rendered = new Set(manifests.renderings.flatMap(({ made }) => made.declared.map(one => one.origin)));
  const gathered = judgement.gather();
  return {
    manifests,
    gathered,
    identities: new Set(judgement.places.map(({ identity }) => identity)),
    findings: gathered.findings.filter(
      finding => finding.fix !== undefined && rendered.has(gathered.declared.get(finding)!.origin),
    ),
  };
}

/** Comments of YAML and of templates, in order. */
function comments(text: string): string[] {
  return text.split(/\r?\n/).flatMap(line => {
    const at = line.search(/(?:^|\s)#|\{\{-?\s*\/\*/);
    return at < 0 || /["']/.test(line.slice(0, at)) ? [] : [line.slice(at).trim()];
  });
}

/** Paths at which two values differ. */
function differences(a: unknown, b: unknown, path: readonly (string | number)[] = []): string[] {
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
    return a.flatMap((item, at) => differences(item, b[at], [...path, at]));
  if (isRecord(a) && isRecord(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap(key =>
      differences(a[key], b[key], [...path, key]),
    );
  return Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b) ? [] : [formatPath(path)];
}

const nameOf = ({ object }: { readonly object: { kind: string; metadata?: unknown } }): string =>
  `${object.kind} ${isRecord(object.metadata) ? `${object.metadata['namespace']}/${object.metadata['name']}` : ''}`;

async function prove(folder: string, numbers: Numbers, asPatch = false): Promise<readonly FilePlan[]> {
  const read = (file: string) => {
    const path = join(folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8').replace(/^\ufeff/, '') : undefined;
  };
  const before = await judged(folder, new Map());
  if (before.findings.length === 0) return [];
  numbers.folders++;
  numbers.found += before.findings.length;
  let last: readonly Finding[] = [];
  const plans = await planAll(async edited => {
    const { manifests, findings, gathered } = await judged(folder, edited);
    last = findings;
    return {
      findings,
      declared: gathered.declared,
      parts: gathered.parts,
      renderings: manifests.renderings,
      read,
      mayEdit: () => true,
      asPatch,
    };
  });
  const refused = plans.flatMap(plan => plan.refused);
  const fixed = plans.flatMap(plan => plan.fixed);
  numbers.fixed += fixed.length;
  numbers.refused += refused.length;
  for (const { reason } of refused) {
    const kind = reason.replace(/;.*| at .*|"[^"]*"|\S+\.(?:ya?ml|tpl)\S*/g, '').slice(0, 60);
    numbers.reasons.set(kind, (numbers.reasons.get(kind) ?? 0) + 1);
  }
  const changed = plans.filter(plan => plan.before !== plan.after);
  numbers.changed += changed.length;
  numbers.made += changed.filter(({ before: text }) => text === '').length;
  for (const { file, before: was, after: now } of changed) {
    const kept = comments(now);
    for (const comment of comments(was)) {
      const at = kept.indexOf(comment);
      assert.ok(at >= 0, `${folder}: ${file} lost "${comment}"`);
      kept.splice(0, at + 1);
    }
  }
  const after = await judged(folder, new Map(changed.map(plan => [plan.file, plan.after])));
  assert.deepEqual(
    after.findings.map(({ fingerprint }) => fingerprint).sort(),
    refused.map(({ finding }) => finding.fingerprint).sort(),
    `${folder}: what was not refused is mended`,
  );
  assert.deepEqual(last.length, after.findings.length, `${folder}: nothing is left to do`);
  const fresh = [...after.identities].filter(identity => !before.identities.has(identity));
  assert.equal(fresh.length, 0, `${folder}: ${fresh.length} new findings`);
  const meant = new Set(fixed.flatMap(({ fix }) => fix!.changes.map(({ path }) => formatPath(path))));
  const objectsOf = ({ manifests }: Judged) =>
    Map.groupBy(
      manifests.declared.flatMap(one =>
        (one.environments ?? ['']).map(environment => ({ environment, object: one.object })),
      ),
      one => `${one.environment} ${nameOf(one)}`,
    );
  const [were, are] = [objectsOf(before), objectsOf(after)];
  assert.deepEqual([...are.keys()].sort(), [...were.keys()].sort(), folder);
  for (const [name, all] of were)
    for (const [at, { object }] of all.entries())
      for (const path of differences(object, are.get(name)![at]?.object))
        assert.ok(
          // Kustomize's own notes of how it built something, where a kustomization asks for them.
          path.startsWith('metadata.annotations["alpha.config.kubernetes.io') ||
            [...meant].some(one => path.startsWith(one) || one.startsWith(path)),
          `${folder}: ${name} changed at ${path}`,
        );
  return plans;
}

function finished(name: string, numbers: Numbers, wrong: readonly string[]): void {
  if (process.env['SALLYPORT_NUMBERS']) console.error(name, numbers);
  assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} folders`);
}

async function proveEach(name: string, folders: readonly string[], asPatch = false): Promise<Numbers> {
  const numbers = none();
  const wrong: string[] = [];
  for (const folder of folders) {
    try {
      await prove(folder, numbers, asPatch);
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  finished(name, numbers, wrong);
  return numbers;
}

describe('the example', () => {
  const example = resolve(import.meta.dirname, '../../examples/online-shop');
  it('is mended in its chart and its overlays', async () => {
    const { fixed, refused } = await proveEach('example', [example]);
    assert.ok(fixed >= 4 && refused === 0, `${fixed} mended, ${refused} refused`);
  });
  it('is mended by patches next to the overlays', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'sallyport-example-'));
    try {
      cpSync(example, temporary, { recursive: true });
      const plans = await prove(temporary, none(), true);
      const names = plans.filter(plan => plan.before !== plan.after).map(({ file }) => file);
      assert.ok(names.includes('overlays/prod/kustomization.yaml'), names.join());
      assert.ok(!names.some(file => file.startsWith('overlays/base/')), names.join());
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
});

withShared('conformance/rendering/helm-charts', folder => {
  it('charts are mended where their values come from', async () => {
    const charts = globSync('*/**/Chart.yaml', { cwd: folder })
      .map(file => join(folder, dirname(file)))
      .filter(chart => !/\/charts\//.test(chart))
      .sort();
    const { fixed } = await proveEach('charts', charts);
    assert.ok(fixed > 50, `${fixed} fixes`);
  });
});

withShared('conformance/rendering/kustomize', folder => {
  for (const asPatch of [false, true])
    it(`kustomizations are mended ${asPatch ? 'by patches' : 'in their owners'}`, async () => {
      const temporary = mkdtempSync(join(tmpdir(), 'sallyport-kustomize-'));
      try {
        const { cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as {
          cases: { id: string; files: Record<string, string | { base64: string }>; error: string | null }[];
        };
        const folders: string[] = [];
        for (const [index, { files, error }] of cases.entries()) {
          if (error !== null || index % EVERY !== Number(asPatch) % EVERY) continue;
          const own = join(temporary, String(index));
          folders.push(own);
          for (const [name, content] of Object.entries(files)) {
            mkdirSync(dirname(join(own, name)), { recursive: true });
            writeFileSync(
              join(own, name),
              typeof content === 'string' ? content : Buffer.from(content.base64, 'base64'),
            );
          }
        }
        const { fixed } = await proveEach(`kustomize ${asPatch}`, folders, asPatch);
        assert.ok(fixed > 50, `${fixed} fixes`);
      } finally {
        rmSync(temporary, { recursive: true, force: true });
      }
    });
});

withShared('corpus', folder => {
  it('real overlays are mended', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'sallyport-corpus-'));
    try {
      execFileSync('tar', ['xzf', join(folder, 'real-manifests.tar.gz'), '-C', temporary]);
      const repositories = new Set(
        globSync('**/{Chart.yaml,kustomization.yaml,kustomization.yml}', { cwd: temporary }).map(dirname),
      );
      const tops = [...repositories].filter(
        one => ![...repositories].some(other => one.startsWith(`${other}/`)),
      );
      const { found } = await proveEach('corpus', tops.map(one => join(temporary, one)).sort());
      assert.ok(found > 0);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
});
