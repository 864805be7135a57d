/** What a change does to security, from real repositories; what is compared is Git's answer beside ours. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GitError, Repository } from '#sources/git/repository.ts';
import { folderOf, run } from './program.ts';

const git = (folder: string, ...words: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
  }).trim();

const deployment = (more = '', image = 'shop:1.4.2') =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: cart, namespace: shop }\nspec:\n  selector: { matchLabels: { app: cart } }\n  template:\n    metadata: { labels: { app: cart } }\n    spec:\n${more}      containers: [{ name: web, image: "${image}" }]\n`;

function repository(files: Readonly<Record<string, string>>): string {
  const folder = folderOf(files);
  git(folder, 'init', '-q', '-b', 'main');
  commit(folder);
  return folder;
}

function commit(folder: string): void {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', 'change');
}

const policy =
  'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: deny, namespace: shop }\nspec: { podSelector: {}, policyTypes: [Ingress] }\n';

describe('diff', () => {
  it('says what is new and what is fixed, and nothing of moved lines and renamed files', () => {
    const folder = repository({ 'a.yaml': deployment('      hostPID: true\n') });
    renameSync(join(folder, 'a.yaml'), join(folder, 'b.yaml'));
    writeFileSync(join(folder, 'b.yaml'), `# moved\n\n${readFileSync(join(folder, 'b.yaml'), 'utf8')}`);
    commit(folder);
    const quiet = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(quiet.code, 0, quiet.out + quiet.err);
    assert.match(quiet.out, /^No security-relevant change/);
    writeFileSync(join(folder, 'b.yaml'), deployment('      hostNetwork: true\n'));
    commit(folder);
    const { code, out } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 1);
    assert.match(out, /New findings \(1\)\n- b\.yaml:9 high pod-security\/host-namespaces/);
    assert.match(out, /Fixed \(1\)/);
  });

  it('says a weakened guard first, an image from elsewhere, another identity, and a secret in reach', () => {
    const folder = repository({
      'a.yaml': deployment(),
      'deny.yaml': policy,
      'sallyport.yaml': 'failOn: high\n',
    });
    rmSync(join(folder, 'deny.yaml'));
    writeFileSync(
      join(folder, 'a.yaml'),
      deployment(
        '      serviceAccountName: admin\n      volumes: [{ name: s, secret: { secretName: keys } }]\n',
        'evil.example.com/shop:1.4.2',
      ),
    );
    writeFileSync(join(folder, 'sallyport.yaml'), 'failOn: never\n');
    commit(folder);
    const { code, out } = run(folder, ['diff', 'HEAD~1', 'HEAD', '--format', 'json']);
    // The base's configuration judges: a change cannot switch off its own gate.
    assert.equal(code, 1);
    const { changes } = JSON.parse(out) as { changes: { kind: string; direction: string; text: string }[] };
    const worse = changes
      .filter(({ direction }) => direction === 'worse')
      .map(({ kind, text }) => `${kind}: ${text}`);
    assert.match(worse[0]!, /^cicd\/weakened-guard/);
    for (const expected of [
      'cicd/weakened-guard: removed',
      'cicd/weakened-guard: failOn is never, before high',
      'authorization/new-identity: runs as service account "admin", before "default"',
      'pod-security/new-access: has secret "keys" now',
    ])
      assert.ok(worse.includes(expected), `${expected}\n${worse.join('\n')}`);
    assert.ok(worse.some(text => text.startsWith('cicd/changed-image') && text.endsWith('another registry')));
  });

  it('takes the merge base for three dots, and paths that confine it', () => {
    const folder = repository({ 'x/a.yaml': deployment() });
    git(folder, 'checkout', '-q', '-b', 'topic');
    writeFileSync(join(folder, 'x/a.yaml'), deployment('      hostPID: true\n'));
    commit(folder);
    git(folder, 'checkout', '-q', 'main');
    writeFileSync(join(folder, 'b.yaml'), deployment('      hostIPC: true\n').replace('cart', 'other'));
    commit(folder);
    assert.match(run(folder, ['diff', 'main...topic']).out, /1 new finding, 0 fixed/);
    assert.match(run(folder, ['diff', 'main..topic']).out, /1 new finding, 3 fixed/);
    assert.equal(run(folder, ['diff', 'main...topic', 'y']).code, 0);
  });

  it('shows every format, and the comment stays under its limit', () => {
    const folder = repository({ 'a.yaml': deployment() });
    for (let i = 0; i < 300; i++)
      writeFileSync(
        join(folder, `n${i}.yaml`),
        deployment('      hostPID: true\n').replaceAll('cart', `cart-${'x'.repeat(100)}${i}`),
      );
    commit(folder);
    for (const format of ['text', 'json', 'sarif', 'junit', 'github', 'gitlab', 'markdown', 'html', 'csv']) {
      const { code, out, err } = run(folder, ['diff', 'HEAD~1', 'HEAD', '--format', format]);
      assert.equal(code, 1, err);
      assert.match(out, /host-namespaces/, format);
      if (format !== 'markdown') continue;
      assert.ok(out.startsWith('<!-- sallyport-diff -->\n❌ **Sallyport: '));
      assert.ok(out.length < 60_000, `${out.length}`);
    }
  });

  it('compares folders too', () => {
    const folder = folderOf({
      'old/a.yaml': deployment(),
      'new/a.yaml': deployment('      hostPID: true\n'),
    });
    assert.equal(run(folder, ['diff', 'old', 'new']).code, 1);
    assert.equal(run(folder, ['diff', 'new', 'old']).code, 0);
    assert.equal(run(folder, ['diff', 'old', 'nowhere']).code, 3);
    assert.equal(run(folder, ['diff', 'old']).code, 3);
  });

  it('renders charts and overlays on both sides, from a bare repository too, and says in which environment', () => {
    const folder = repository({
      'chart/Chart.yaml': 'apiVersion: v2\nname: cart\nversion: 1.0.0\n',
      'chart/values.yaml': 'image: shop:1.4.2\nhostPID: false\n',
      'chart/values-prod.yaml': 'image: shop:1.4.2\n',
      'chart/values-test.yaml': 'image: shop:1.4.3\n',
      'chart/templates/_helpers.tpl': '{{- define "image" }}{{ .Values.image }}{{ end }}\n',
      'chart/templates/a.yaml': deployment(
        '      hostPID: {{ .Values.hostPID }}\n',
        '{{ include "image" . }}',
      ),
      'base/kustomization.yaml': 'resources: [a.yaml]\n',
      'base/a.yaml': deployment().replaceAll('cart', 'shop'),
      'overlays/prod/kustomization.yaml': 'resources: [../../base]\nnameSuffix: -prod\n',
      'overlays/test/kustomization.yaml': 'resources: [../../base]\n',
    });
    writeFileSync(join(folder, 'chart/values-prod.yaml'), 'image: shop:1.4.2\nhostPID: true\n');
    writeFileSync(
      join(folder, 'overlays/prod/kustomization.yaml'),
      'resources: [../../base]\nnameSuffix: -prod\npatches: [{ path: p.yaml }]\n',
    );
    writeFileSync(
      join(folder, 'overlays/prod/p.yaml'),
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: shop, namespace: shop }\nspec:\n  template:\n    spec:\n      hostNetwork: true\n',
    );
    commit(folder);
    const bare = join(folderOf({}), 'x.git');
    git(folder, 'clone', '-q', '--bare', folder, bare);
    const outputs = [folder, bare].map(where => run(where, ['diff', 'HEAD~1', 'HEAD']));
    for (const { code, out } of outputs) {
      assert.equal(code, 1);
      assert.match(out, /New findings \(2\)/);
      assert.match(
        out,
        /chart\/values-prod\.yaml:2 high pod-security\/host-namespaces\n.*hostPID=true \(in prod\)/,
      );
      assert.match(
        out,
        /overlays\/prod\/p\.yaml:7 high pod-security\/host-namespaces\n.*Deployment shop\/shop-prod/,
      );
      assert.match(out, /meets privileged, and met baseline \(in\s+prod\)/);
    }
    assert.equal(outputs[0]!.out, outputs[1]!.out);
  });

  it('says nothing of an environment that is new and has only what the others have', () => {
    const folder = repository({
      'chart/Chart.yaml': 'apiVersion: v2\nname: cart\nversion: 1.0.0\n',
      'chart/templates/a.yaml': deployment('      hostPID: true\n'),
    });
    writeFileSync(join(folder, 'chart/values-prod.yaml'), 'x: 1\n');
    commit(folder);
    assert.match(run(folder, ['diff', 'HEAD~1', 'HEAD']).out, /^No security-relevant change/);
    rmSync(join(folder, 'chart/values-prod.yaml'));
    commit(folder);
    assert.match(run(folder, ['diff', 'HEAD~1', 'HEAD']).out, /^No security-relevant change/);
  });

  it('follows what Argo CD deploys, with its values', () => {
    const application = (values: string) =>
      `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: live, namespace: argocd }\nspec:\n  destination: { namespace: shop }\n  source:\n    repoURL: https://git.example.com/shop.git\n    path: chart\n    helm: { valuesObject: { hostPID: ${values} } }\n`;
    const folder = repository({
      'apps/live.yaml': application('false'),
      'chart/Chart.yaml': 'apiVersion: v2\nname: cart\nversion: 1.0.0\n',
      'chart/templates/a.yaml': deployment('      hostPID: {{ .Values.hostPID }}\n'),
    });
    writeFileSync(join(folder, 'apps/live.yaml'), application('true'));
    commit(folder);
    const { code, out } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 1, out);
    assert.match(out, /host-namespaces/);
  });

  it('runs nothing of the repository, and leaves its work tree alone', () => {
    const folder = repository({ 'a.yaml': deployment() });
    writeFileSync(join(folder, '.gitattributes'), '*.yaml filter=evil diff=evil\n');
    commit(folder);
    const trap = join(folder, '.git', 'trapped');
    writeFileSync(
      join(folder, '.git', 'config'),
      `${readFileSync(join(folder, '.git', 'config'), 'utf8')}[core]\n fsmonitor = "touch ${trap}"\n hooksPath = /tmp\n[filter "evil"]\n smudge = "touch ${trap}"\n clean = "touch ${trap}"\n[diff "evil"]\n textconv = "touch ${trap}"\n[alias]\n diff = "!touch ${trap}"\n`,
    );
    writeFileSync(join(folder, 'a.yaml'), 'not: committed\n');
    const { code, out, err } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 0, out + err);
    assert.ok(!existsSync(trap));
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), 'not: committed\n');
  });

  it('reads bare and shallow repositories, and says what a shallow one lacks', () => {
    const folder = repository({ 'a.yaml': deployment() });
    writeFileSync(join(folder, 'a.yaml'), deployment('      hostPID: true\n'));
    commit(folder);
    const bare = folderOf({});
    git(folder, 'clone', '-q', '--bare', folder, join(bare, 'x.git'));
    assert.equal(run(join(bare, 'x.git'), ['diff', 'HEAD~1', 'HEAD']).code, 1);
    git(folder, 'clone', '-q', '--depth', '1', `file://${folder}`, join(bare, 'shallow'));
    const { code, err } = run(join(bare, 'shallow'), ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 3);
    assert.match(err, /"HEAD~1" is not in this clone, which is shallow; fetch more of it/);
  });
});

describe('the reader of repositories', () => {
  it('agrees with Git about names, trees and contents, loose and packed', () => {
    const folder = repository({ 'a.yaml': 'a: 1\n'.repeat(500), 'x/y/b.yaml': 'b\n', 'ö ü.yaml': '' });
    for (let i = 0; i < 20; i++) {
      writeFileSync(join(folder, 'a.yaml'), `${'a: 1\n'.repeat(500)}i: ${i}\n`);
      commit(folder);
    }
    git(folder, 'tag', '-a', 'v1', '-m', 'one');
    git(folder, 'update-ref', 'refs/remotes/origin/main', 'HEAD~4');
    for (const packed of [false, true]) {
      if (packed) git(folder, 'gc', '-q', '--aggressive');
      const found = Repository.find(join(folder, 'x'))!;
      for (const name of [
        'HEAD',
        '@',
        'main',
        'v1',
        'refs/heads/main',
        'origin/main',
        'HEAD~3',
        'HEAD^',
        'v1~2^',
        git(folder, 'rev-parse', '--short', 'HEAD~7'),
      ])
        assert.equal(found.commit(name), git(folder, 'rev-parse', `${name}^{commit}`), name);
      for (const name of ['HEAD', 'HEAD~11']) {
        const files = found.files(found.commit(name)).map(({ oid, path }) => `${oid}\t${path}`);
        assert.deepEqual(
          files,
          git(
            folder,
            '-c',
            'core.quotePath=false',
            'ls-tree',
            '-r',
            '--format=%(objectname)%x09%(path)',
            name,
          ).split('\n'),
        );
        for (const line of files) {
          const [oid, path] = line.split('\t');
          assert.equal(found.blob(oid!).toString().trim(), git(folder, 'show', `${name}:${path}`));
        }
      }
      assert.equal(
        found.mergeBase(found.commit('HEAD'), found.commit('HEAD~5')),
        git(folder, 'merge-base', 'HEAD', 'HEAD~5'),
      );
    }
  });

  it('refuses names that lead out of the repository', () => {
    const found = Repository.find(repository({ 'a.yaml': '' }))!;
    for (const name of [
      '../../etc/passwd',
      '/etc/passwd',
      'refs/../../x',
      'HEAD@{1}',
      'nope',
      '.',
      'a b',
      '-x',
    ])
      assert.throws(() => found.commit(name), GitError, name);
  });
});
