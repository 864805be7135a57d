/** The Pod Security Standards against the library's own fixtures, and against its answers to random pods. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type EvaluateOptions, evaluate, InvalidPodError } from '#decide/pod-security/door.ts';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

interface PodCase {
  readonly metadata?: object;
  readonly spec: object;
}

withShared('conformance/pod-security', path => {
  interface Row {
    readonly file: string;
    readonly level: EvaluateOptions['level'];
    readonly version: string;
    readonly allowed: boolean;
    readonly case: string;
  }
  const rows = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as Row[];
  it(`decides ${rows.length} fixtures as the library's own tests do`, () => {
    assert.ok(rows.length > 2000);
    const wrong = rows.filter(({ file, level, version, allowed }) => {
      const [document] = readDocuments(readFileSync(join(path, file), 'utf8'));
      assert.ok(document?.is === 'value');
      return evaluate(document.value as PodCase, { level, version }).allowed !== allowed;
    });
    assert.deepEqual(wrong, []);
  });
});

withShared('conformance/pod-security-random/pss-random.json.gz', path => {
  interface Answer {
    readonly allowed?: boolean;
    readonly forbiddenReason?: string;
    readonly forbiddenDetail?: string;
  }
  interface Case extends Answer {
    readonly level: EvaluateOptions['level'];
    readonly version: string;
    readonly pod: PodCase;
    readonly decodeError?: string;
    readonly defaulted?: Answer;
  }
  const { cases } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as { cases: Case[] };
  const answer = ({ level, version, pod }: Case, defaults: 'api-server' | 'none'): Answer | 'refused' => {
    try {
      const { allowed, reason, detail } = evaluate(pod, { level, version, defaults });
      return { allowed, ...(allowed ? {} : { forbiddenReason: reason, forbiddenDetail: detail }) };
    } catch (error) {
      if (error instanceof InvalidPodError) return 'refused';
      throw error;
    }
  };
  const expected = ({ allowed, forbiddenReason, forbiddenDetail }: Answer): Answer => ({
    allowed: allowed!,
    ...(allowed ? {} : { forbiddenReason: forbiddenReason!, forbiddenDetail: forbiddenDetail! }),
  });
  it(`gives the library's answer, words included, to ${cases.length} random pods`, () => {
    for (const one of cases) {
      if (one.decodeError !== undefined) {
        assert.equal(answer(one, 'none'), 'refused', one.decodeError);
        continue;
      }
      assert.deepEqual(answer(one, 'none'), expected(one));
      assert.deepEqual(answer(one, 'api-server'), expected(one.defaulted ?? one));
    }
  });
});
