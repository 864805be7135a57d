/** The commands of network and mesh, as people use them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from '#report/mesh/html-assets.ts';
import { folderOf, run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
const app = (name: string, port: number, env = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [{ name: c, image: "x:1", ports: [{ containerPort: ${port} }]${env} }]
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { selector: { app: ${name} }, ports: [{ port: 80, targetPort: ${port} }] }
`;
const shop = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { kubernetes.io/metadata.name: shop } }
---
${app('web', 8080, ', env: [{ name: API_URL, value: "http://api:80/" }]')}---
${app('api', 9090)}---
${app('other', 7070)}`;
const deny = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: api, namespace: shop }
spec:
  podSelector: { matchLabels: { app: api } }
  policyTypes: [Ingress]
  ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }] }]
`;

describe('mesh', () => {
  it('shows who reaches whom', () => {
    const { out, code } = run(folderOf({ 'shop.yaml': shop, 'deny.yaml': deny }), ['mesh', 'connections']);
    assert.equal(code, 0);
    assert.match(out, /Deployment api\n {4}9090\/TCP {2}from shop\/Deployment\/web \[plain text\]/);
    assert.match(out, /Deployment other\n {4}7070\/TCP {2}from every workload/);
    assert.ok(out.split('\n').every(line => line.length <= 80));
  });

  it('explains a refusal with its object and line', () => {
    const words = ['mesh', 'explain', '--from', 'shop/other', '--to', 'shop/api'];
    const { out, code } = run(folderOf({ 'shop.yaml': shop, 'deny.yaml': deny }), words);
    assert.equal(code, 1);
    assert.match(out, /^shop\/other -> shop\/api:9090 is denied\n {2}network {8}denied\n/);
    assert.match(out, /deny\.yaml:\d+ /);
  });

  it('fails the gate where a change opens something, and only there', () => {
    const folder = folderOf({ 'before/a.yaml': `${shop}---\n${deny}`, 'after/a.yaml': shop });
    const opened = run(folder, ['mesh', 'diff', 'before', 'after']);
    assert.equal(opened.code, 1);
    assert.match(opened.out, /\+ shop\/Deployment\/other -> shop\/Deployment\/api 9090\/TCP/);
    assert.equal(run(folder, ['mesh', 'diff', 'after', 'before']).code, 0);
    assert.equal(run(folder, ['mesh', 'diff', 'after', 'after']).out, 'no difference\n');
  });

  it('says what a policy would take away', () => {
    const folder = folderOf({ 'm/shop.yaml': shop, 'deny.yaml': deny });
    const { out, code } = run(folder, ['mesh', 'simulate', '--apply', 'deny.yaml', 'm']);
    assert.equal(code, 0);
    assert.match(out, /- shop\/Deployment\/other -> shop\/Deployment\/api 9090\/TCP/);
  });

  it('advises policies that are proven, and that its own decider takes', () => {
    const folder = folderOf({ 'm/shop.yaml': shop });
    const advised = run(folder, ['mesh', 'advise', '--output-dir', 'policies', 'm']);
    assert.equal(advised.code, 0, advised.err);
    assert.match(
      advised.err,
      /proven: all \d+ connections that are named work after every step, and nothing else does/,
    );
    const explain = (from: string, to: string) =>
      run(folder, ['mesh', 'explain', '--from', from, '--to', to, 'm', 'policies']).code;
    assert.equal(explain('shop/web', 'shop/api'), 0);
    assert.equal(explain('shop/other', 'shop/api'), 1);
    assert.equal(explain('shop/api', 'shop/web'), 1);
  });

  it('lets in what was seen', () => {
    const folder = folderOf({
      'm/shop.yaml': shop,
      'seen.csv': 'shop/other-5d9c7b8f6-x2x4z,shop/api,9090\nnobody\n',
    });
    const advised = run(folder, ['mesh', 'advise', '--flows', 'seen.csv', '--output-dir', 'policies', 'm']);
    assert.equal(advised.code, 0, advised.err);
    assert.match(advised.err, /seen\.csv:2 left out/);
    const words = ['mesh', 'explain', '--from', 'shop/other', '--to', 'shop/api', 'm', 'policies'];
    assert.equal(run(folder, words).code, 0);
  });

  it('lets nothing of the input act on the map', () => {
    const evil = shop.replaceAll('name: shop', 'name: "</title><script>alert(1)</script>"');
    const { out } = run(folderOf({ 'a.yaml': evil }), ['mesh', 'connections', '-o', 'html']);
    assert.equal(out.match(/<script>/g)?.length, 1);
    assert.match(out, /default-src 'none'/);
  });

  it('names the map’s style and script by their hashes', () => {
    const hash = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
    assert.equal(STYLE_HASH, hash(STYLE));
    assert.equal(SCRIPT_HASH, hash(SCRIPT));
  });

  for (const format of ['json', 'csv', 'dot', 'mermaid', 'svg'])
    it(`prints ${format}`, () => {
      const { out, code } = run(root, ['mesh', 'connections', '-o', format, 'examples/online-shop']);
      assert.equal(code, 0);
      assert.match(out, /payments/);
    });

  const mistakes: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [['mesh', 'explain'], /explain needs --from and --to/],
    [['mesh', 'explain', '--from', 'shop/none', '--to', 'shop/api'], /there is no workload shop\/none/],
    [
      ['mesh', 'explain', '--from', 'shop/web', '--to', 'shop/api', '--port', '0'],
      /not a port from 1 to 65535/,
    ],
    [['mesh', 'diff', 'one'], /diff takes two/],
    [['mesh', 'simulate'], /simulate needs --apply/],
    [['mesh', 'connections', '--assume', 'sidecars', '--assume', 'ambient'], /exclude each other/],
  ];
  for (const [words, says] of mistakes)
    it(words.join(' '), () => {
      const { code, err } = run(folderOf({ 'a.yaml': shop }), words);
      assert.equal(code, 3);
      assert.match(err, says);
    });
});
