import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildRoots } from './roots.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: { name: shop }\nspec: { containers: [] }\n';
const FILES = new Map(
  Object.entries({
    'base/kustomization.yaml': 'resources: [pod.yaml]\n',
    'base/pod.yaml': POD,
    'dev/kustomization.yaml': 'resources: [../base]\n',
    'test/kustomization.yaml': 'resources: [../base]\n',
    'prod/kustomization.yaml': 'resources: [../base]\nnamespace: prod\n',
    'broken/kustomization.yaml': 'resources: [../base, nope.yaml]\n',
  }).map(([path, text]) => [path, Buffer.from(text)]),
);

describe('the kustomizations of a tree', () => {
  const roots = buildRoots(
    FILES,
    [...FILES.keys()].filter(path => path.endsWith('kustomization.yaml')),
  );

  it('a base is built in its overlays, never alone', () =>
    assert.deepEqual(roots.built.get('base/kustomization.yaml'), ['dev', 'test', 'prod']));
  it('what overlays have in common to the letter is one object', () =>
    assert.deepEqual(
      roots.declared.map(({ object, environments }) => [object.metadata?.namespace, environments]),
      [
        [undefined, ['dev', 'test']],
        ['prod', ['prod']],
      ],
    ));
  it('one that cannot be built is a gap with its message', () => {
    assert.equal(roots.gaps.length, 1);
    assert.match(roots.gaps[0]!.reason, /nope\.yaml: no such file/);
    assert.equal(roots.gaps[0]!.file, 'broken/kustomization.yaml');
  });
  it('what kubectl would refuse for want of an apiVersion is a gap', () => {
    const files = new Map([
      ['kustomization.yaml', Buffer.from('resources: [a.yaml]\n')],
      ['a.yaml', Buffer.from('kind: Thing\nmetadata: { name: a }\n')],
    ]);
    const { declared, gaps } = buildRoots(files, ['kustomization.yaml']);
    assert.deepEqual(declared, []);
    assert.deepEqual(gaps, [
      { file: 'a.yaml', line: 1, reason: 'an object without an apiVersion: kubectl refuses it' },
    ]);
  });
  it('says which files it took', () => assert.ok(roots.used.has('base/pod.yaml')));
});
