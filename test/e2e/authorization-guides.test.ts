/** The guides of authorization show what happens: their commands, one after the other. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { follow, root } from './guide.ts';
import { folderOf } from './program.ts';

const ABAC = 'from-abac-to-rbac.md';
const AUDIT = 'least-privilege-from-the-audit-log.md';
const ESCALATION = 'reading-an-escalation-path.md';

/** An entry of the log: what the release robot asked for. */
function entry(verb: string, uri: string, object?: object, decision = 'allow'): string {
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    stage: 'ResponseComplete',
    verb,
    requestURI: uri,
    user: {
      username: 'system:serviceaccount:shop:release',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    },
    ...(object === undefined ? {} : { objectRef: object }),
    responseStatus: { code: decision === 'allow' ? 200 : 403 },
    annotations: { 'authorization.k8s.io/decision': decision },
  });
}

const SHOP = '/api/v1/namespaces/shop';
const secret = { resource: 'secrets', namespace: 'shop', name: 'registry', apiVersion: 'v1' };
const deployment = (name: string) => ({
  resource: 'deployments',
  namespace: 'shop',
  name,
  apiGroup: 'apps',
  apiVersion: 'v1',
});
const deployed = (name: string): string => `/apis/apps/v1/namespaces/shop/deployments/${name}`;

const LOG = [
  entry('get', '/openapi/v3?timeout=32s'),
  entry('get', `${SHOP}/secrets/registry`, secret),
  entry('list', `${SHOP}/pods?limit=500`, { resource: 'pods', namespace: 'shop', apiVersion: 'v1' }),
  ...['cart', 'storefront'].flatMap(name =>
    ['get', 'patch'].map(verb => entry(verb, deployed(name), deployment(name))),
  ),
  entry('delete', `${SHOP}/secrets/registry`, secret, 'forbid'),
  entry('get', '/healthz').slice(0, 90),
].join('\n');

describe('the guides of authorization', () => {
  it(ABAC, () => {
    const guide = readFileSync(join(root, 'docs/guides', ABAC), 'utf8');
    const [, policy = ''] = /^```json\n([\s\S]*?)^```$/m.exec(guide)!;
    const folder = folderOf({ 'policy.jsonl': policy });
    const commands = follow(ABAC, folder, {
      'sallyport authorization abac lint policy.jsonl': () => {
        const [one, two, , four, five = ''] = policy.split('\n');
        const mended = five.replace('{', '{"apiVersion":"abac.authorization.kubernetes.io/v1beta1",');
        writeFileSync(join(folder, 'policy.jsonl'), `${[one, two, four, mended].join('\n')}\n`);
      },
    });
    assert.equal(commands, 4);
  });
  for (const [name, files, shop, least] of [
    [AUDIT, { 'audit.log': LOG }, 'online-shop', 3],
    [ESCALATION, {}, 'examples/online-shop', 2],
  ] as const)
    it(name, () => {
      const folder = folderOf(files);
      for (const copy of [shop, 'fixed'])
        cpSync(join(root, 'examples/online-shop'), join(folder, copy), { recursive: true });
      const fixed = join(folder, 'fixed/release.yaml');
      writeFileSync(fixed, readFileSync(fixed, 'utf8').replace(/^ {2}# "So that[\s\S]*?(?=^---)/m, ''));
      assert.ok(follow(name, folder) >= least);
    });
});
