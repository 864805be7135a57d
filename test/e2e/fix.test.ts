/** Fixes in the user's own files: what is mended, what is kept, what is refused. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, pod, run, scanJson } from './program.ts';

const BEFORE = `# The cart.
apiVersion: v1
kind: Pod
metadata:
  name: cart # the name
spec:
  serviceAccount: cart
  containers:
  - name: web
    image: "cart:latest"     # moves
    imagePullPolicy: IfNotPresent
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: { name: log }
  spec:
    hostPID: true # why?
    containers: [{ name: log, image: "log:1.0" }]
`;

describe('fix', () => {
  it('makes safe fixes in place, and keeps everything else', () => {
    const folder = folderOf({ 'a.yaml': BEFORE });
    chmodSync(join(folder, 'a.yaml'), 0o640);
    const { code, err } = run(folder, ['fix', '--profile', 'all']);
    assert.equal(code, 0, err);
    assert.match(err, /^2 findings of \d+ mended in 1 file\.\n\d+ fixes may change/);
    assert.equal(
      readFileSync(join(folder, 'a.yaml'), 'utf8'),
      BEFORE.replace('  serviceAccount: cart\n', '').replace(
        'imagePullPolicy: IfNotPresent\n',
        'imagePullPolicy: Always\n  serviceAccountName: cart\n',
      ),
    );
    assert.equal(statSync(join(folder, 'a.yaml')).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(folder), ['a.yaml']);
  });

  it('with --review mends all that can be, and twice is the same as once', () => {
    const folder = folderOf({ 'a.yaml': BEFORE });
    const words = ['fix', '--profile', 'pss-restricted', '--review', '--yes'];
    run(folder, words);
    const once = readFileSync(join(folder, 'a.yaml'), 'utf8');
    for (const comment of ['# The cart.', '# the name', '# moves', '# why?'])
      assert.ok(once.includes(comment), comment);
    assert.deepEqual(scanJson(folder, ['.', '--profile', 'pss-restricted']).findings, []);
    run(folder, words);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), once);
  });

  it('with --diff shows what would change, and changes nothing', () => {
    const folder = folderOf({ 'a.yaml': BEFORE });
    const { out } = run(folder, ['fix', '--diff', '--check', 'cicd/image-pull-policy']);
    assert.equal(
      out,
      '--- a/a.yaml\n+++ b/a.yaml\n@@ -8,7 +8,7 @@\n   containers:\n   - name: web\n     image: "cart:latest"     # moves\n-    imagePullPolicy: IfNotPresent\n+    imagePullPolicy: Always\n ---\n apiVersion: v1\n kind: List\n',
    );
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), BEFORE);
  });

  it('asks, and makes no change that was not agreed to', () => {
    const folder = folderOf({ 'a.yaml': BEFORE });
    const { code, err } = run(folder, ['fix', '--review'], 'y\n');
    assert.equal(code, 3);
    assert.match(err, /there is no terminal\n {2}add --yes/);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), BEFORE);
  });

  const pty =
    spawnSync('script', ['--version']).status === 0 ? false : 'script (util-linux) is not installed';
  it('refuses a file that somebody changed while it asked', { skip: pty }, async () => {
    const folder = folderOf({ 'a.yaml': BEFORE });
    const program = `${process.execPath} ${resolve(import.meta.dirname, '../../dist/cli.cjs')}`;
    const command = `${program} fix --review --check pod-security/host-namespaces`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', TERM: 'dumb' },
      timeout: 30_000,
    });
    let out = '';
    let isAsked = false;
    terminal.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (isAsked || !/\?/.test(out.split('\n').at(-1)!)) return;
      isAsked = true;
      writeFileSync(join(folder, 'a.yaml'), `${BEFORE}# theirs\n`);
      terminal.stdin.end('y\n');
    });
    const [code] = (await once(terminal, 'close')) as [number];
    assert.equal(code, 3, out);
    assert.match(out, /a\.yaml changed since it was read .*nothing was written/);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), `${BEFORE}# theirs\n`);
  });

  it('leaves links alone', () => {
    const folder = folderOf({ 'real/a.txt': BEFORE });
    symlinkSync('real/a.txt', join(folder, 'link.yaml'));
    const { code, err } = run(folder, ['fix', '--profile', 'all']);
    assert.equal(code, 3);
    assert.match(err, /link\.yaml is a link/);
    assert.equal(readFileSync(join(folder, 'real/a.txt'), 'utf8'), BEFORE);
  });

  it('keeps a byte order mark', () => {
    const folder = folderOf({});
    writeFileSync(join(folder, 'a.yaml'), `\ufeff${BEFORE}`);
    run(folder, ['fix', '--profile', 'all']);
    const after = readFileSync(join(folder, 'a.yaml'), 'utf8');
    assert.ok(after.startsWith('\ufeff# The cart.'));
    assert.ok(after.includes('imagePullPolicy: Always'));
  });

  it('says what it could not mend', () => {
    const folder = folderOf({
      'a.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nx-base: &base\n  hostPID: true\n  containers: []\nspec: *base\n',
    });
    const { err } = run(folder, ['fix', '--review', '--yes', '--check', 'pod-security/host-namespaces']);
    assert.match(
      err,
      /a\.yaml:\d+ pod-security\/host-namespaces: left as it is, for the value comes from an anchor/,
    );
  });

  /** A Pod of one container with this security context, mended with `--review`. */
  const mendedContext = (lines: readonly string[], ...words: string[]) => {
    const context = ['  securityContext:', ...lines.map(line => `    ${line}`)]
      .map(line => `    ${line}\n`)
      .join('');
    const text = `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers:\n    - name: web\n      image: shop:1.4.2\n${context}`;
    const folder = folderOf({ 'a.yaml': text });
    const { code, err } = run(folder, ['fix', '--review', '--yes', ...words]);
    assert.equal(code, 0, err);
    const after = readFileSync(join(folder, 'a.yaml'), 'utf8');
    return {
      err,
      context: after
        .slice(after.indexOf('shop:1.4.2\n') + 'shop:1.4.2\n'.length)
        .split('\n')
        .map(line => line.slice(8)),
    };
  };
  const only = (...names: string[]) => names.flatMap(name => ['--check', `pod-security/${name}`]);

  it('takes out of a list what several checks complain of, and nothing that none does', () => {
    const { context, err } = mendedContext(
      ['capabilities:', '  add: [SYS_ADMIN, NET_BIND_SERVICE, CHOWN] # one may stay'],
      ...only('dangerous-capability', 'capability-added', 'capabilities-kept'),
    );
    assert.deepEqual(context.slice(1), [
      'capabilities:',
      '  add: [NET_BIND_SERVICE] # one may stay',
      '  drop:',
      '    - ALL',
      '',
    ]);
    assert.match(err, /^3 findings of 3 mended/);
  });

  it('leaves no empty list of capabilities behind', () => {
    const { context } = mendedContext(
      ['capabilities:', '  add: [SYS_ADMIN]', 'runAsNonRoot: true'],
      ...only('dangerous-capability'),
    );
    assert.deepEqual(context.slice(1), ['runAsNonRoot: true', '']);
    // But for a comment, which stays.
    const told = mendedContext(
      ['# the profiler', 'capabilities:', '  # for now', '  add: [SYS_ADMIN]', 'runAsNonRoot: true'],
      ...only('dangerous-capability'),
    ).context;
    assert.deepEqual(told.slice(1), [
      '# the profiler',
      'capabilities:',
      '  # for now',
      '  add: []',
      'runAsNonRoot: true',
      '',
    ]);
  });

  it('makes no container that the API server refuses, or the kubelet does not start', () => {
    for (const lines of [
      ['privileged: true', 'runAsUser: 0'],
      ['capabilities:', '  add: [CAP_SYS_ADMIN]', 'runAsUser: 0'],
    ]) {
      const { context } = mendedContext(lines, ...only('privilege-escalation', 'run-as-root'));
      assert.deepEqual(context.slice(1, -1), lines);
      // With what stands in the way gone, both can be had.
      const all = mendedContext(lines).context.join('\n');
      assert.match(all, /allowPrivilegeEscalation: false\n/);
      assert.match(all, /runAsNonRoot: true\n/);
      assert.doesNotMatch(all, /privileged: true|SYS_ADMIN|runAsUser/);
    }
  });

  it('meets a level, and says what the images must bear', () => {
    const folder = folderOf({ 'a.yaml': BEFORE });
    const { code, err } = run(folder, ['fix', '--level', 'restricted']);
    assert.equal(code, 0, err);
    assert.match(err, /the image must run as a user that is not 0/);
    assert.match(err, /2 of 2 workloads meet restricted now/);
    const once = readFileSync(join(folder, 'a.yaml'), 'utf8');
    run(folder, ['fix', '--level', 'restricted']);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), once);
  });

  it('writes elsewhere when asked to, and leaves the files alone', () => {
    const folder = folderOf({ 'x/a.yaml': BEFORE });
    run(folder, ['fix', '--profile', 'all', '--output-dir', 'out']);
    assert.equal(readFileSync(join(folder, 'x/a.yaml'), 'utf8'), BEFORE);
    assert.match(readFileSync(join(folder, 'out/x/a.yaml'), 'utf8'), /imagePullPolicy: Always/);
  });

  it('writes nothing at all where one file is read-only', () => {
    const folder = folderOf({ 'a.yaml': BEFORE, 'b.yaml': BEFORE.replaceAll('cart', 'other') });
    chmodSync(join(folder, 'b.yaml'), 0o444);
    const { code, err } = run(folder, ['fix', '--profile', 'all']);
    assert.equal(code, 3);
    assert.match(err, /b\.yaml is read-only; nothing was written/);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), BEFORE);
  });

  it('leaves alone what somebody excepted', () => {
    const allow = '# sallyport: allow pod-security/host-namespaces -- it watches (owner @ops)\n';
    const text = BEFORE.replace('    hostPID', `    ${allow}    hostPID`);
    const folder = folderOf({ 'a.yaml': text });
    run(folder, ['fix', '--review', '--yes', '--check', 'pod-security/host-namespaces']);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), text);
  });
});

describe('fix --review on a terminal', () => {
  // util-linux gives a program a terminal; where it is missing, nobody is asked.
  const asked = (folder: string, answers: string) => {
    const program = resolve(import.meta.dirname, '../../dist/cli.cjs');
    const ran = spawnSync(
      'script',
      ['-qec', `"${process.execPath}" "${program}" fix --review --profile pss-baseline`, '/dev/null'],
      {
        cwd: folder,
        input: answers,
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, NO_COLOR: '1' },
      },
    );
    return ran.error === undefined ? ran : undefined;
  };
  const files = {
    'a.yaml': pod('a', '  hostPID: true # one\n'),
    'b.yaml': pod('b', '  hostPID: true # two\n'),
    'c.yaml': pod('c', '  hostPID: true # three\n'),
  };
  const mended = (folder: string) =>
    Object.keys(files).map(file => !/hostPID: true/.test(readFileSync(join(folder, file), 'utf8')));
  for (const [answers, expected] of [
    ['y\nn\ny\n', [true, false, true]],
    ['maybe\nn\na\n', [false, true, true]],
    ['y\nq\n', [true, false, false]],
    ['\n\n\n', [false, false, false]],
  ] as const)
    it(`asks one by one: ${JSON.stringify(answers)}`, context => {
      const folder = folderOf(files);
      const ran = asked(folder, answers);
      if (ran === undefined) return context.skip('there is no script(1) to make a terminal with');
      assert.match(ran.stdout, /a\.yaml:\d+ pod-security\/host-namespaces/);
      assert.match(ran.stdout, /Then: the node's network/);
      assert.match(ran.stdout, /\+ {2}hostPID: false # one/);
      assert.deepEqual(mended(folder), expected, ran.stdout);
    });
});
