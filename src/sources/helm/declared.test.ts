/** Objects of charts whose values are new at every run. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { chartObjects } from './declared.ts';
import { DEFAULT } from './environments.ts';

async function objectsOf(files: Readonly<Record<string, string>>) {
  const all = { 'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n', ...files };
  const bytes = new Map(Object.entries(all).map(([name, text]) => [name, new TextEncoder().encode(text)]));
  const { declared, gaps } = await chartObjects(
    () => ({ files: bytes, left: [] }),
    'shop',
    () => [{ environment: DEFAULT, options: {} }],
  );
  assert.deepEqual(gaps, []);
  return declared.map(({ object }) => JSON.parse(JSON.stringify(object)));
}

it('a value that is new at every run is never judged as known, and hides nothing beside it', async () => {
  const [secret, pod] = await objectsOf({
    'templates/pod.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: shop-{{ randAlpha 5 | lower }}
  annotations: { rollme: {{ randAlphaNum 5 | quote }}, known: "yes" }
spec:
  containers:
  - name: web
    image: shop:{{ now | date "20060102" }}
    args: [serve, "--salt={{ randAlphaNum 8 }}"]
    env:
    - { name: TOKEN, value: {{ randAlphaNum 8 | quote }} }
    - { name: MODE, value: live }
`,
    'templates/secret.yaml': `apiVersion: v1
kind: Secret
metadata: { name: shop }
stringData:
  text: |
    user: shop
    password: {{ randAlphaNum 12 }}
  other: known
`,
  });
  const mark = { unresolved: '{{ randAlphaNum }}' };
  assert.deepEqual(secret.stringData, { text: mark, other: 'known' });
  assert.match(pod.metadata.name, /^shop-[a-z]{5}$/);
  assert.match(pod.metadata.annotations.rollme, /^\w{5}$/);
  assert.equal(pod.metadata.annotations.known, 'yes');
  const [web] = pod.spec.containers;
  assert.deepEqual(web.image, { unresolved: '{{ now }}' });
  assert.deepEqual(web.args, ['serve', '']);
  assert.deepEqual(web.env, [
    { name: 'TOKEN', value: '' },
    { name: 'MODE', value: 'live' },
  ]);
});
