/** The roles and bindings that every cluster has, against what the bootstrap policy and the real controller make. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { aggregate } from '#decide/authorization/aggregation.ts';
import { shippedObjects } from '#decide/authorization/shipped.ts';
import type { KubeObject } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

const keyOf = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata?.namespace ?? ''}/${metadata?.name}`;

const byKey = (objects: readonly KubeObject[]): Record<string, unknown> =>
  Object.fromEntries(objects.map(object => [keyOf(object), JSON.parse(JSON.stringify(object))]));

withShared('conformance/authorization/default-objects.yaml', path => {
  const theirs = readDocuments(readFileSync(path, 'utf8')).flatMap(document =>
    document.is === 'value' ? [document.value as KubeObject] : [],
  );
  const roles = shippedObjects().filter(({ kind }) => kind === 'ClusterRole');
  const aggregated = aggregate(roles);
  const ours = shippedObjects().map(object => {
    const rules = aggregated.get(object);
    return rules === undefined ? object : { ...object, rules };
  });

  it(`says the same of ${theirs.length} objects`, () => {
    assert.ok(theirs.length > 100);
    assert.deepEqual(byKey(ours), byKey(theirs));
  });
});
