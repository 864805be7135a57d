/** The commands of network and mesh, as people use them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
    assert.match(
      out,
      /to change it {3}a NetworkPolicy that allows port 9090 in the ingress of shop\/api from shop\/other\n/,
    );
  });

  it('says all that would close a connection, with each line that allows it', () => {
    const folder = folderOf({ 'shop.yaml': shop, 'deny.yaml': deny });
    const words = ['mesh', 'explain', '--from', 'shop/web', '--to', 'shop/api'];
    assert.match(
      run(folder, words).out,
      /one of these\n {6}a NetworkPolicy that selects shop\/web for egress and does not allow port 9090\n {6}deny\.yaml:\d+ NetworkPolicy shop\/api must not allow this ingress\n/,
    );
    const [said] = JSON.parse(run(folder, [...words, '-o', 'json']).out) as { opposite: object }[];
    assert.deepEqual(Object.keys(said!.opposite), ['oneOf']);
  });

  it('fails the gate where a change opens something, and only there', () => {
    const folder = folderOf({ 'before/a.yaml': `${shop}---\n${deny}`, 'after/a.yaml': shop });
    const opened = run(folder, ['mesh', 'diff', 'before', 'after']);
    assert.equal(opened.code, 1);
    assert.match(opened.out, /\+ shop\/Deployment\/other -> shop\/Deployment\/api 9090\/TCP/);
    assert.equal(run(folder, ['mesh', 'diff', 'after', 'before']).code, 0);
    assert.match(run(folder, ['mesh', 'diff', 'after', 'after']).out, /^no difference\n/);
  });

  it('compares commits, and lets nobody widen the rules on requests unseen', () => {
    const rule = (methods: string) => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: api, namespace: shop }
spec: { selector: { matchLabels: { app: api } }, rules: [{ to: [{ operation: { methods: ${methods} } }] }] }
`;
    const ruleOfWeb = (methods: string) =>
      rule(methods).replace('name: api', 'name: web').replace('app: api', 'app: web');
    const meshed = shop.replace('labels: {', 'labels: { istio-injection: enabled,');
    const folder = folderOf({ 'a.yaml': meshed + rule('[GET]') });
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=n@example.com', ...words], {
        cwd: folder,
        stdio: 'ignore',
      });
    const commit = (text: string) => {
      writeFileSync(join(folder, 'a.yaml'), text);
      git('add', '-A');
      git('commit', '-m', 'x');
    };
    git('init');
    commit(meshed + rule('[GET]'));
    commit(meshed + rule('[GET, DELETE]'));
    const perhaps = run(folder, ['mesh', 'diff', 'HEAD~1', 'HEAD']);
    assert.equal(perhaps.code, 2, perhaps.err);
    assert.match(
      perhaps.out,
      /rules that changed: .*\n {2}\? .*shop\/Deployment\/web -> shop\/Deployment\/api 9090/,
    );
    commit(meshed);
    const opened = run(folder, ['mesh', 'diff', 'HEAD~1..HEAD']);
    assert.equal(opened.code, 1);
    assert.match(opened.out, /^Open to every request now, and not for certain before\n {2}\+ /);
    assert.match(
      run(folder, ['mesh', 'diff', 'HEAD', 'HEAD~1']).out,
      /^No longer open to every request\n {2}- /,
    );
    // Other rules of the namespace, that are not those of the workload, change nothing.
    commit(meshed + rule('[GET]') + ruleOfWeb('[PUT]'));
    commit(meshed + rule('[GET]') + ruleOfWeb('[PUT, POST]'));
    assert.doesNotMatch(run(folder, ['mesh', 'diff', 'HEAD~1', 'HEAD']).out, /Deployment\/api 9090/);
    assert.match(run(folder, ['mesh', 'diff', 'nothing', 'HEAD']).err, /"nothing" is no branch/);
  });

  it('says what is behind a way in, and whether anything asks who comes', () => {
    const open = shop.replace(
      'spec: { selector: { app: web }',
      'spec: { type: NodePort, selector: { app: web }',
    );
    const meshed = open.replace('labels: {', 'labels: { istio-injection: enabled,');
    const strict = `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
`;
    const plain = run(folderOf({ 'a.yaml': meshed }), ['mesh', 'exposure']);
    assert.match(plain.out, /^1 workload has a way in from outside; 1 can be reached\n/);
    assert.match(plain.out, / {4}behind: no mTLS\n {4}nothing in front of the application asks who it is\n/);
    const shut = run(folderOf({ 'a.yaml': meshed + strict }), ['mesh', 'exposure']);
    assert.match(shut.out, /^1 workload has a way in from outside; 0 can be reached\n/);
    assert.match(shut.out, /the mesh refuses it: a\.yaml:\d+ the port is STRICT/);
    const data = JSON.parse(run(folderOf({ 'a.yaml': meshed }), ['mesh', 'exposure', '-o', 'json']).out) as {
      exposures: { behind: { mode: string }; authentication: { is: string } }[];
    };
    assert.deepEqual(
      data.exposures.map(({ behind, authentication }) => [behind.mode, authentication.is]),
      [['plaintext', 'none']],
    );
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

  it('advises both layers in steps, and its policies are taken for what they are', () => {
    const folder = folderOf({ 'm/shop.yaml': shop });
    const words = ['mesh', 'advise', '--as', 'network-policy', '--as', 'istio', '--output-dir', 'p', 'm'];
    const advised = run(folder, words);
    // All of the shop's pods have one service account: the mesh cannot tell them apart, the network can.
    assert.equal(advised.code, 0, advised.err);
    assert.match(advised.err, /share the identity spiffe:\/\/cluster\.local\/ns\/shop\/sa\/default/);
    const steps = readFileSync(join(folder, 'p/README.md'), 'utf8');
    assert.match(steps, /## 1\. Network: what is needed is allowed[\s\S]*## 8\. Istio: mutual TLS only/);
    assert.ok(!steps.includes('It would break'));
    const explain = (from: string, to: string) =>
      run(folder, ['mesh', 'explain', '--from', from, '--to', to, '-o', 'json', 'm', 'p']);
    assert.equal(explain('shop/web', 'shop/api').code, 0);
    assert.match(explain('shop/web', 'shop/api').out, /"identity": "spiffe:/);
    assert.equal(explain('shop/other', 'shop/api').code, 1);
  });

  it('does not call proven what one identity shared by all leaves open', () => {
    const { code, err } = run(folderOf({ 'a.yaml': shop }), ['mesh', 'advise', '--as', 'linkerd']);
    assert.equal(code, 1);
    assert.match(
      err,
      /NOT NEEDED: .*shop\/Deployment\/other -> shop\/Deployment\/api, port 9090: it has the identity of/,
    );
    assert.match(err, /not proven: 1 way open that nobody needs\n$/);
  });

  it('keeps today’s relation, and says as data what it did', () => {
    const folder = folderOf({ 'shop.yaml': shop, 'deny.yaml': deny });
    const { code, out } = run(folder, ['mesh', 'advise', '--keep', '--as', 'network-policy', '-o', 'json']);
    assert.equal(code, 0);
    const said = JSON.parse(out) as {
      unmet: unknown[];
      remaining: unknown[];
      delete: { name: string }[];
      policies: object[];
    };
    assert.deepEqual([said.unmet, said.remaining], [[], []]);
    assert.deepEqual(said.delete, [{ kind: 'NetworkPolicy', namespace: 'shop', name: 'api' }]);
    writeFileSync(join(folder, 'deny.yaml'), said.policies.map(one => JSON.stringify(one)).join('\n---\n'));
    const before = folderOf({ 'shop.yaml': shop, 'deny.yaml': deny });
    const compared = run(folder, ['mesh', 'diff', before, '.']);
    assert.doesNotMatch(compared.out, /Connections gained|Connections lost/);
  });

  it('stops a policy that takes away what is needed, with the line that does', () => {
    const all = deny.replace(
      'from: [{ podSelector: { matchLabels: { app: web } } }]',
      'from: [{ podSelector: { matchLabels: { app: x } } }]',
    );
    const folder = folderOf({ 'm/shop.yaml': shop, 'all.yaml': all });
    const { code, out } = run(folder, ['mesh', 'simulate', '--apply', 'all.yaml', 'm']);
    assert.equal(code, 1);
    assert.match(
      out,
      /breaks\n {2}! shop\/Deployment\/web -> shop\/Deployment\/api 9090\/TCP \(API_URL .*: all\.yaml:\d+ NetworkPolicy/,
    );
    const seen = folderOf({
      'm/shop.yaml': shop,
      'deny.yaml': deny,
      'seen.csv': 'shop/other,shop/api,9090\n',
    });
    const broken = run(seen, ['mesh', 'simulate', '--apply', 'deny.yaml', '--flows', 'seen.csv', 'm']);
    assert.equal(broken.code, 1);
    assert.match(
      broken.out,
      /! shop\/Deployment\/other -> shop\/Deployment\/api 9090\/TCP \(seen in seen\.csv\)/,
    );
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

  it('does not pass over what a log shows and the input cannot name', () => {
    const seen = 'from,to,port\n10.1.2.3,10.1.2.4,80\n10.1.2.3,shop/api,9090\n';
    const folder = folderOf({ 'm/shop.yaml': shop, 'seen.csv': seen });
    const { err } = run(folder, ['mesh', 'advise', '--as', 'network-policy', '--flows', 'seen.csv', 'm']);
    assert.match(
      err,
      /seen\.csv: 1 connection left out between addresses .* 10\.1\.2\.3 -> 10\.1\.2\.4: add/,
    );
    assert.match(err, /10\.1\.2\.3\/32 -> shop\/Deployment\/api 9090\/TCP: a private address/);
    assert.match(err, /left out: 1 way that is not known\n$/);
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

  /** A namespace that is not in the input, a block of addresses that may be of pods, and a mesh that may have them. */
  const partly = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: c, ports: [{ containerPort: 8080 }] }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, namespace: shop }
spec: { template: { metadata: { labels: { app: api } }, spec: { containers: [{ name: c, ports: [{ containerPort: 9090 }] }] } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: api, namespace: shop }
spec: { podSelector: { matchLabels: { app: api } }, ingress: [{ from: [PEER] }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: STRICT } }
`;
  const labelled = '{ namespaceSelector: { matchLabels: { team: x } } }';
  const block = '{ ipBlock: { cidr: 10.0.0.0/8 } }';
  const anybody = '{ podSelector: {} }';
  const assumes: readonly (readonly [key: string, peer: string, layer: RegExp, says: RegExp])[] = [
    ['', labelled, /network +unknown/, /defaults of Istio are taken/],
    ['unlabelled-namespaces', labelled, /network +denied/, /no labels but their name \(--assume/],
    ['unlabelled-namespaces', anybody, /transport +plaintext/, /no labels but their name/],
    ['', block, /network +unknown/, /defaults of Istio are taken/],
    ['ip-blocks-miss-pods', block, /network +denied/, /mean no pod \(--assume ip-blocks-miss-pods\)/],
    // The addresses of pods are not in the input: what decides is said to be unknown still.
    ['ip-blocks-match-pods', '{ ipBlock: { cidr: 0.0.0.0/0 } }', /network +allowed/, /mean pods too/],
    [
      'no-enforcement',
      labelled,
      /network +allowed/,
      /enforces no network policy \(--assume no-enforcement\)/,
    ],
    ['', anybody, /transport +unknown/, /defaults of Istio are taken/],
    ['sidecars', anybody, /transport +refused/, /get a sidecar of Istio \(--assume sidecars\)/],
    ['ambient', anybody, /transport +mtls/, /in Istio's ambient mode \(--assume ambient\)/],
  ];
  for (const [key, peer, layer, says] of assumes)
    it(`takes ${key || 'nothing'} for granted about ${peer}`, () => {
      const folder = folderOf({ 'a.yaml': partly.replace('PEER', peer) });
      const words = ['mesh', 'explain', '--from', 'shop/web', '--to', 'shop/api'];
      const { out } = run(folder, key === '' ? words : [...words, '--assume', key]);
      assert.match(out, layer);
      assert.match(out.replaceAll(/\s+/g, ' '), says);
    });

  it('says in every command what is taken for granted', () => {
    const folder = folderOf({ 'a.yaml': partly.replace('PEER', anybody), 'b.yaml': 'kind: x\n' });
    const said = 'in Istio.s ambient mode .--assume ambient';
    for (const words of [
      ['connections'],
      ['exposure'],
      ['explain', '--from', 'shop/web', '--to', 'shop/api'],
      ['diff', 'a.yaml', 'a.yaml'],
      ['simulate', '--apply', 'a.yaml', 'a.yaml'],
      ['advise', 'a.yaml'],
    ]) {
      const { out, err } = run(folder, ['mesh', ...words, '--assume', 'ambient']);
      assert.match((err + out).replaceAll(/\s+/g, ' '), new RegExp(said), words[0]);
      const json = run(folder, ['mesh', ...words, '--assume', 'ambient', '--format', 'json']);
      assert.match(json.out, new RegExp(said), `${words[0]} as JSON`);
    }
  });

  const mistakes: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [['mesh', 'explain'], /explain needs --from and --to/],
    [['mesh', 'explain', '--from', 'shop/none', '--to', 'shop/api'], /there is no workload shop\/none/],
    [
      ['mesh', 'explain', '--from', 'shop/web', '--to', 'shop/api', '--port', '0'],
      /not a port from 1 to 65535/,
    ],
    [['mesh', 'diff', 'one'], /diff compares two things/],
    [['mesh', 'simulate'], /simulate needs --apply/],
    [['mesh', 'advise', '--as', 'istio', '--as', 'linkerd'], /istio and linkerd exclude each other/],
    [['mesh', 'advise', '--assume', 'no-enforcement'], /nothing enforces prove nothing/],
    [['mesh', 'advise', '--dataplane', 'ambient'], /--dataplane is for --as istio/],
    [['mesh', 'advise', '--namespace', 'none'], /no workload in namespace none/],
    [['mesh', 'advise', '--flows', 'gone.json'], /gone\.json could not be read/],
    [['mesh', 'advise', '--ingress', 'a/b/c'], /neither a namespace nor NAMESPACE\/SERVICE-ACCOUNT/],
    [['mesh', 'advise', '--api-server', '10.0.0.0/99'], /is no block of addresses/],
    [['mesh', 'connections', '--assume', 'sidecars', '--assume', 'ambient'], /exclude each other/],
    [
      ['mesh', 'connections', '--assume', 'ip-blocks-match-pods', '--assume', 'ip-blocks-miss-pods'],
      /exclude each other/,
    ],
    [
      ['mesh', 'explain', '--assume', 'nope'],
      /--assume: "nope" is none of unlabelled-namespaces, ip-blocks-match-pods, ip-blocks-miss-pods, no-enforcement, sidecars, ambient/,
    ],
  ];
  for (const [words, says] of mistakes)
    it(words.join(' '), () => {
      const { code, err } = run(folderOf({ 'a.yaml': shop }), words);
      assert.equal(code, 3);
      assert.match(err, says);
    });
});
