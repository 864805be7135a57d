/** Repositories as they come: linked, borrowed, packed, shallow, partial, of another hash, broken, hostile. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const git = (folder: string, ...words: string[]): string =>
  execFileSync(
    'git',
    ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'protocol.file.allow=always', ...words],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    },
  ).trim();

const pod = (more = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec:\n  containers: [{ name: c, image: "shop:1.4.2" }]\n${more}`;

/** Two commits, of which the second one is worse. */
function repository(...initial: string[]): string {
  const folder = folderOf({ 'a.yaml': pod() });
  git(folder, 'init', '-q', '-b', 'main', ...initial);
  commit(folder);
  writeFileSync(join(folder, 'a.yaml'), pod('  hostPID: true\n'));
  commit(folder);
  return folder;
}

function commit(folder: string): void {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', 'change');
}

function isRead(folder: string, words: readonly string[] = ['HEAD~1', 'HEAD']): void {
  const { code, out, err } = run(folder, ['diff', ...words]);
  assert.equal(code, 1, out + err);
  assert.match(out, /New findings \(1\)\n- a\.yaml:6 high pod-security\/host-namespaces/);
}

describe('a repository is read', () => {
  it('with packed references and objects, and differences between them', () => {
    const folder = repository();
    git(folder, 'tag', '-a', 'v1', 'HEAD~1', '-m', 'one');
    git(folder, 'gc', '-q', '--aggressive', '--prune=now');
    git(folder, 'pack-refs', '--all');
    isRead(folder);
    isRead(folder, ['v1', 'main']);
  });

  it('with an index of several packs', () => {
    const folder = repository();
    git(folder, 'repack', '-q');
    writeFileSync(join(folder, 'b.yaml'), '# more\n');
    commit(folder);
    git(folder, 'repack', '-q');
    git(folder, 'prune-packed', '-q');
    git(folder, 'multi-pack-index', 'write');
    isRead(folder, ['HEAD~2', 'HEAD']);
    git(folder, 'multi-pack-index', 'repack');
    git(folder, 'multi-pack-index', 'expire');
    isRead(folder, ['HEAD~2', 'HEAD']);
  });

  it('from another work tree of it', () => {
    const folder = repository();
    const other = join(folderOf({}), 'other');
    git(folder, 'worktree', 'add', '-q', '--detach', other, 'HEAD');
    isRead(other);
    isRead(other, ['main~1', 'main']);
  });

  it('that borrows its objects from another one', () => {
    const folder = repository();
    const other = join(folderOf({}), 'other');
    git(folder, 'clone', '-q', '--shared', folder, other);
    isRead(other);
  });

  it('that borrows from one that borrows, by relative paths, and in a circle', () => {
    const folder = repository();
    const near = join(folderOf({}), 'near');
    git(folder, 'clone', '-q', '--shared', folder, near);
    const far = join(folderOf({}), 'far');
    git(near, 'clone', '-q', '--shared', near, far);
    const alternates = (of: string) => join(of, '.git', 'objects', 'info', 'alternates');
    writeFileSync(
      alternates(far),
      `${relative(join(far, '.git', 'objects'), join(near, '.git', 'objects'))}\n`,
    );
    writeFileSync(
      alternates(near),
      `# borrowed\n${readFileSync(alternates(near), 'utf8')}${join(far, '.git/objects')}\n`,
    );
    isRead(far);
    rmSync(alternates(far));
    const { code, err } = run(far, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 3);
    assert.match(err, /not in this clone/);
  });

  it('that is a submodule, whose repository lies in another one', () => {
    const folder = repository();
    git(folder, 'submodule', '--quiet', 'add', repository(), 'sub');
    isRead(join(folder, 'sub'));
  });

  it('with other objects in the place of some, as Git reads them', () => {
    const folder = repository();
    const bad = git(folder, 'rev-parse', 'HEAD');
    // A file as harmless as it was, then the bad commit as good as the one before it.
    writeFileSync(join(folder, 'b.yaml'), pod('  hostIPC: true\n').replace('name: a', 'name: b'));
    commit(folder);
    git(
      folder,
      'replace',
      git(folder, 'rev-parse', 'HEAD:b.yaml'),
      git(folder, 'rev-parse', 'HEAD~2:a.yaml'),
    );
    assert.equal(run(folder, ['diff', 'HEAD~1', 'HEAD']).code, 0);
    git(folder, 'config', 'core.useReplaceRefs', 'false');
    assert.equal(run(folder, ['diff', 'HEAD~1', 'HEAD']).code, 1);
    git(folder, 'config', '--unset', 'core.useReplaceRefs');
    git(folder, 'replace', bad, git(folder, 'rev-parse', 'HEAD~2'));
    git(folder, 'pack-refs', '--all');
    assert.equal(run(folder, ['diff', bad, git(folder, 'rev-parse', 'HEAD')]).code, 1);
    const circle = join(folder, '.git', 'refs', 'replace');
    const [one, other] = [git(folder, '--no-replace-objects', 'rev-parse', 'HEAD^{tree}'), bad];
    writeFileSync(join(circle, one), `${other}\n`);
    writeFileSync(join(circle, other), `${one}\n`);
    const { code, err } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 3);
    assert.match(err, /is replaced without end/);
  });

  it('with grafted parents', () => {
    const folder = repository();
    const [base, head] = [git(folder, 'rev-parse', 'HEAD~1'), git(folder, 'rev-parse', 'HEAD')];
    writeFileSync(join(folder, 'c.txt'), '');
    commit(folder);
    const last = git(folder, 'rev-parse', 'HEAD');
    assert.equal(run(folder, ['diff', 'HEAD~1', 'HEAD']).code, 0);
    writeFileSync(join(folder, '.git', 'info', 'grafts'), `# mended\n${last} ${base}\n${head}\n`);
    isRead(folder);
    const { err } = run(folder, ['diff', `${head}~1`, 'HEAD']);
    assert.match(err, /has no such parent/);
  });

  it('of the longer hash', () => {
    const folder = repository('--object-format=sha256');
    isRead(folder);
    git(folder, 'gc', '-q');
    isRead(folder);
    isRead(folder, [git(folder, 'rev-parse', '--short', 'HEAD~1'), 'HEAD']);
  });

  it('without the work tree, whatever lies in it', () => {
    const folder = repository();
    rmSync(join(folder, 'a.yaml'));
    writeFileSync(join(folder, 'a.yml'), pod('  hostIPC: true\n'));
    writeFileSync(join(folder, '.git', 'index'), 'broken');
    isRead(folder);
  });
});

describe('what cannot be known is said', () => {
  it('of a submodule, once it comes', () => {
    const folder = repository();
    const other = repository();
    git(folder, 'submodule', '--quiet', 'add', other, 'sub');
    commit(folder);
    const { code, out } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 2, out);
    assert.match(out, /\? sub\n {4}not read: a submodule, whose files are in another repository/);
    // What was not known before is not new.
    writeFileSync(join(folder, 'b.txt'), '');
    commit(folder);
    assert.equal(run(folder, ['diff', 'HEAD~1', 'HEAD']).code, 0);
  });

  it('of links that lead out of the repository, and those inside are followed', () => {
    const folder = repository();
    symlinkSync('/etc/passwd', join(folder, 'x.yaml'));
    symlinkSync('../../outside.yaml', join(folder, 'y.yaml'));
    symlinkSync('z.yaml', join(folder, 'z.yaml'));
    commit(folder);
    const { code, out } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 2, out);
    for (const name of ['x', 'y', 'z']) assert.match(out, new RegExp(`\\? ${name}\\.yaml\\n.*a link that`));
    const inside = repository();
    writeFileSync(join(inside, 'text'), pod('  hostNetwork: true\n').replace('name: a', 'name: b'));
    symlinkSync('text', join(inside, 'b.yaml'));
    commit(inside);
    assert.match(
      run(inside, ['diff', 'HEAD~1', 'HEAD']).out,
      /- b\.yaml:6 high pod-security\/host-namespaces/,
    );
  });

  it('of files that are no text, and of those whose content is kept elsewhere', () => {
    const folder = repository();
    writeFileSync(join(folder, 'b.yaml'), Buffer.from([0x6b, 0, 1, 2, 0xff]));
    writeFileSync(
      join(folder, 'l.yaml'),
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
    );
    commit(folder);
    const { code, out } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 2, out);
    assert.match(out, /\? b\.yaml\n {4}not read: /);
    assert.match(out, /\? l\.yaml\n {4}not read: its content is kept in Git LFS/);
  });

  it('of files larger than a manifest can be, by their names, loose and packed', () => {
    const folder = repository();
    writeFileSync(join(folder, 'huge.yaml'), '');
    truncateSync(join(folder, 'huge.yaml'), 100 * 1024 * 1024 + 1);
    commit(folder);
    for (const packed of [false, true]) {
      if (packed) git(folder, 'gc', '-q', '--prune=now');
      const { code, out, err } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
      assert.equal(code, 2, out + err);
      assert.match(out, /\? huge\.yaml\n {4}not read: it is larger than 100 MiB/);
      assert.doesNotMatch(out + err, /[0-9a-f]{40}|\.pack/);
    }
  });

  it('of blobs that a partial clone has not fetched', () => {
    const folder = repository();
    git(folder, 'config', 'uploadpack.allowFilter', 'true');
    const other = join(folderOf({}), 'other');
    git(folder, 'clone', '-q', '--no-checkout', '--filter=blob:none', `file://${folder}`, other);
    const { code, out, err } = run(other, ['diff', 'HEAD~1', 'HEAD']);
    assert.equal(code, 2, out + err);
    assert.match(out, /a\.yaml\n {4}not read: its content is not in this clone \(a partial clone\)/);
  });
});

describe('what is wrong is told, with exit code 3', () => {
  const refused = (folder: string, words: readonly string[], expected: RegExp) => {
    const { code, out, err } = run(folder, ['diff', ...words]);
    assert.equal(code, 3, out + err);
    assert.match(err, expected);
    assert.doesNotMatch(err, /\n {4}at /);
  };

  it('of references that are not there, and of files', () => {
    const folder = repository();
    refused(folder, ['nowhere', 'HEAD'], /"nowhere" is no branch, tag or commit of this repository/);
    refused(folder, ['HEAD~9', 'HEAD'], /HEAD~9/);
    refused(folder, ['HEAD:a.yaml', 'HEAD'], /HEAD:a\.yaml/);
    refused(folder, ['0000000000000000000000000000000000000000', 'HEAD'], /not in this clone/);
    refused(folderOf({}), ['main', 'HEAD'], /no Git repository here/);
  });

  it('of histories that have nothing in common', () => {
    const folder = repository();
    git(folder, 'checkout', '-q', '--orphan', 'other');
    commit(folder);
    refused(folder, ['main...other'], /have no commit in common/);
  });

  it('of a shallow clone without the base', () => {
    const folder = repository();
    git(folder, 'branch', 'topic', 'HEAD');
    commit(folder);
    const other = join(folderOf({}), 'other');
    git(folder, 'clone', '-q', '--depth', '1', '--no-single-branch', `file://${folder}`, other);
    refused(other, ['origin/topic...origin/main'], /too shallow to see where .* parted; fetch more of it/);
  });

  it('of references in a reftable, if this Git can write one', t => {
    const folder = folderOf({ 'a.yaml': pod() });
    try {
      git(folder, 'init', '-q', '--ref-format=reftable');
    } catch {
      t.skip('this Git has no reftable');
      return;
    }
    commit(folder);
    refused(folder, ['HEAD', 'HEAD'], /reftable, which is not read here yet/);
  });

  it('of references in a reftable, and what to do', () => {
    const folder = repository();
    git(folder, 'config', 'extensions.refStorage', 'reftable');
    refused(folder, ['HEAD~1', 'HEAD'], /a reftable, which is not read here yet; git refs migrate/);
  });

  it('of folders that a partial clone has not fetched', () => {
    const folder = repository();
    git(folder, 'config', 'uploadpack.allowFilter', 'true');
    const other = join(folderOf({}), 'other');
    git(folder, 'clone', '-q', '--no-checkout', '--filter=tree:0', `file://${folder}`, other);
    refused(other, ['HEAD~1', 'HEAD'], /the top folder is not in this clone \(a partial clone\); git fetch/);
  });

  it('of broken objects and packs', () => {
    const folder = repository();
    git(folder, 'gc', '-q');
    const packs = join(folder, '.git', 'objects', 'pack');
    const pack = join(packs, readdirSync(packs).find(name => name.endsWith('.pack'))!);
    const { length } = readFileSync(pack);
    execFileSync('chmod', ['u+w', pack]);
    truncateSync(pack, Math.floor(length / 2));
    const { code, err } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
    assert.ok(code === 3 || code === 2, `${code} ${err}`);
    assert.doesNotMatch(err, /\n {4}at /);
  });

  it('of a configuration with a mistake, with the side that has it', () => {
    const folder = repository();
    writeFileSync(join(folder, 'sallyport.yaml'), 'failon: high\n');
    commit(folder);
    refused(folder, ['HEAD~1', 'HEAD'], /HEAD:sallyport\.yaml:1:1: unknown key "failon"/);
  });
});
