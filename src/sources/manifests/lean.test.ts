/** What is left out of a definition where only a judgement is wanted, and what is not. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Manifests, readManifests } from './manifests.ts';

const HEAD = (kind: string, name: string) => `apiVersion: apiextensions.k8s.io/v1
kind: ${kind}
metadata:
  name: ${name.toLowerCase()}s.example.org
spec:
  group: example.org
  names: {kind: ${name}, plural: ${name.toLowerCase()}s}
  scope: Namespaced
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        properties:
`;
const SPEC = `          spec:
            type: object
            properties:
`;
const POD = `${SPEC}              template:
                properties:
                  spec:
                    properties:
                      containers:
                        items:
                          properties:
                            image: {type: string}
                      nodeSelector: {type: object}
                      volumes: {type: array}
`;
const PLAIN = `${SPEC}              size: {type: integer}
`;

async function read(text: string, lean: boolean): Promise<Manifests> {
  const folder = mkdtempSync(join(tmpdir(), 'lean-'));
  try {
    writeFileSync(join(folder, 'definitions.yaml'), text);
    return await readManifests(['definitions.yaml'], { cwd: folder, noIgnore: true, exclude: [], lean });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('reading definitions for a judgement', () => {
  it('learns the places of pods, and keeps no schema', async () => {
    const { declared } = await read(
      `${HEAD('CustomResourceDefinition', 'Robot')}${POD}---\n${HEAD('CustomResourceDefinition', 'Door')}${PLAIN}`,
      true,
    );
    assert.deepEqual(
      declared.map(({ object, learnt }) => [object.metadata?.name, learnt?.key, 'spec' in object]),
      [
        ['robots.example.org', 'example.org/Robot', false],
        ['doors.example.org', undefined, false],
      ],
    );
  });

  it('keeps the schema of what is no definition', async () => {
    const text = HEAD('CompositeResourceDefinition', 'Door') + PLAIN;
    const [whole, lean] = [await read(text, false), await read(text, true)];
    assert.deepEqual(lean.declared[0]!.object, whole.declared[0]!.object);
    assert.ok(JSON.stringify(lean.declared[0]!.object).includes('integer'));
  });

  it('finds mistakes and duplicate keys in what it leaves out', async () => {
    const twice = `${HEAD('CustomResourceDefinition', 'Door')}${PLAIN}              size: {type: string}\n`;
    const [{ duplicateKeys = [] }] = (await read(twice, true)).declared as [Manifests['declared'][number]];
    assert.equal(duplicateKeys.map(path => path.at(-1)).join(), 'size');
    const broken = `${HEAD('CustomResourceDefinition', 'Door')}${PLAIN}              lost: [1, 2\n`;
    const [whole, lean] = [await read(broken, false), await read(broken, true)];
    assert.deepEqual(lean.gaps, whole.gaps);
    assert.equal(lean.gaps.length, 1);
  });

  it('reads a mapping of a thousand keys', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => `              key${i}: {type: string}\n`).join('');
    const [{ duplicateKeys }] = (
      await read(`${HEAD('CustomResourceDefinition', 'Door')}${PLAIN}${many}              key7: {}\n`, true)
    ).declared as [Manifests['declared'][number]];
    assert.equal(duplicateKeys?.length, 1);
  });
});
