/** The baseline: what is known stays quiet, what is new does not, what is gone is said. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const FILE = 'sallyport-baseline.txt';
const pod = (name: string, more = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop }\nspec:\n  hostPID: true\n${more}  containers: [{ name: web, image: "shop:1.4.2" }]\n`;
const words = ['--check', 'pod-security/host-namespaces'];
const scan = (folder: string) => run(folder, ['scan', '--baseline', FILE, ...words]);

describe('a baseline', () => {
  it('quiets what is known, through moved lines and renamed files, and nothing else', () => {
    const folder = folderOf({ 'a.yaml': pod('a'), 'b.yaml': pod('b') });
    assert.equal(run(folder, ['baseline', 'create', ...words]).code, 0);
    assert.equal(scan(folder).code, 0);
    writeFileSync(join(folder, 'a.yaml'), `# a\n\n${pod('a', '  dnsPolicy: Default\n')}`);
    renameSync(join(folder, 'b.yaml'), join(folder, 'c.yaml'));
    const { code, out } = scan(folder);
    assert.equal(code, 0, out);
    assert.match(out, /2 findings known from the baseline/);
    // A second offending field of a known object is new.
    writeFileSync(join(folder, 'a.yaml'), pod('a', '  hostIPC: true\n'));
    assert.equal(scan(folder).code, 1);
    // And so is a copy of a known object.
    writeFileSync(join(folder, 'a.yaml'), pod('a'));
    writeFileSync(join(folder, 'copy.yaml'), pod('a'));
    assert.match(scan(folder).out, /^copy\.yaml\n/);
  });

  it('is sorted, one line each, and the same whatever the order of the files', () => {
    const one = folderOf({ 'a.yaml': pod('b'), 'b.yaml': pod('a') });
    run(one, ['baseline', 'create', ...words]);
    const text = readFileSync(join(one, FILE), 'utf8');
    const lines = text.trimEnd().split('\n').slice(3);
    assert.deepEqual(
      lines.map(line => line.split('\t').slice(1)),
      [
        ['pod-security/host-namespaces', 'a.yaml', 'Pod shop/b', 'spec.hostPID'],
        ['pod-security/host-namespaces', 'b.yaml', 'Pod shop/a', 'spec.hostPID'],
      ],
    );
    run(one, ['baseline', 'create', '--force', ...words]);
    assert.equal(readFileSync(join(one, FILE), 'utf8'), text);
  });

  it('is updated: what was mended goes and is said, what is new is not accepted unasked', () => {
    const folder = folderOf({ 'a.yaml': pod('a'), 'b.yaml': pod('b') });
    run(folder, ['baseline', 'create', ...words]);
    writeFileSync(join(folder, 'a.yaml'), pod('a').replace('  hostPID: true\n', ''));
    writeFileSync(join(folder, 'c.yaml'), pod('c'));
    renameSync(join(folder, 'b.yaml'), join(folder, 'd.yaml'));
    const { out } = run(folder, ['baseline', 'update', ...words]);
    assert.equal(
      out,
      'fixed    a.yaml pod-security/host-namespaces Pod shop/a: spec.hostPID\nmoved    b.yaml pod-security/host-namespaces Pod shop/b: spec.hostPID is in d.yaml now\n1 fixed and removed, 1 moved, 0 added; 1 remain\n1 place new, and not accepted: mend them, or use --accept-new\n',
    );
    assert.equal(scan(folder).code, 1);
    run(folder, ['baseline', 'update', '--accept-new', ...words]);
    assert.equal(scan(folder).code, 0);
    assert.match(run(folder, ['baseline', 'show']).out, /pod-security\/host-namespaces: 2\n/);
  });

  /** A repository of pods `a`, `b`, … whose problems are accepted, and what branches do to it. */
  function repository(names: readonly string[], attributes?: string) {
    const folder = folderOf(Object.fromEntries(names.map(name => [`${name}.yaml`, pod(name)])));
    const git = (...more: string[]) =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...more], {
        cwd: folder,
        encoding: 'utf8',
      });
    const commit = () => {
      git('add', '.');
      git('commit', '--quiet', '-m', 'x');
    };
    if (attributes !== undefined) writeFileSync(join(folder, '.gitattributes'), attributes);
    run(folder, ['baseline', 'create', ...words]);
    git('init', '--quiet', '--initial-branch=main');
    commit();
    const change = (branch: string, mended: readonly string[], added: readonly string[] = []) => {
      git('checkout', '--quiet', '-b', branch, 'main');
      for (const name of mended)
        writeFileSync(join(folder, `${name}.yaml`), pod(name).replace('  hostPID: true\n', ''));
      for (const name of added) writeFileSync(join(folder, `${name}.yaml`), pod(name));
      assert.equal(run(folder, ['baseline', 'update', '--accept-new', ...words]).code, 0);
      commit();
    };
    const accepted = () => readFileSync(join(folder, FILE), 'utf8').match(/\b\w+\.yaml/g) ?? [];
    return { folder, git, change, accepted };
  }

  it('merges in Git where two branches mend apart, and update resolves where they mend side by side', () => {
    const { folder, git, change, accepted } = repository(['a', 'b', 'c', 'd', 'e']);
    change('one', ['a']);
    change('two', ['d']);
    change('three', ['e'], ['f']);
    git('checkout', '--quiet', 'two');
    assert.equal(git('merge', '--no-edit', 'one').status, 0);
    assert.deepEqual(accepted(), ['b.yaml', 'c.yaml', 'e.yaml']);
    assert.equal(scan(folder).code, 0);
    // Lines that are neighbours are one conflict to Git.
    assert.equal(git('merge', '--no-edit', 'three').status, 1);
    const { code, err } = scan(folder);
    assert.equal(code, 3);
    assert.match(err, /a merge conflict that was not resolved\n.*sallyport baseline update resolves it/);
    const { out } = run(folder, ['baseline', 'update', ...words]);
    assert.deepEqual(accepted(), ['b.yaml', 'c.yaml', 'f.yaml']);
    assert.match(
      out,
      /^1 merge conflict resolved\none side f\.yaml .*\n1 line accepted by one side only, and kept: .*\nfixed {4}d\.yaml .*\nfixed {4}e\.yaml .*\n2 fixed/,
    );
    assert.equal(scan(folder).code, 0);
  });

  it('keeps to what both sides did where the conflict shows what they began with', () => {
    const { folder, git, change, accepted } = repository(['a', 'b', 'c']);
    git('config', 'merge.conflictStyle', 'diff3');
    change('one', ['b']);
    git('checkout', '--quiet', '-b', 'two', 'main');
    // Taken out by hand: it is to be mended, and the merge must not accept it again.
    const text = readFileSync(join(folder, FILE), 'utf8');
    writeFileSync(join(folder, FILE), text.replace(/^.*\tc\.yaml\t.*\n/m, ''));
    git('commit', '--quiet', '-am', 'x');
    assert.equal(git('merge', '--no-edit', 'one').status, 1);
    assert.match(readFileSync(join(folder, FILE), 'utf8'), /^\|{7}/m);
    run(folder, ['baseline', 'update', ...words]);
    assert.deepEqual(accepted(), ['a.yaml']);
    assert.equal(scan(folder).code, 1);
  });

  it('merges without a conflict by union: what that brings back is said, and update takes it out', () => {
    const { folder, git, change, accepted } = repository(['a', 'b', 'c', 'd'], `${FILE} merge=union\n`);
    change('one', ['a', 'c'], ['e', 'g']);
    change('two', ['b'], ['f', 'g']);
    assert.equal(git('merge', '--no-edit', 'one').status, 0);
    assert.doesNotMatch(readFileSync(join(folder, FILE), 'utf8'), /^[<=>]{7}/m);
    const { code, err } = scan(folder);
    assert.equal(code, 0);
    const stale = accepted().length - 4;
    assert.ok(stale > 0, 'the two sides did not touch neighbours');
    assert.match(
      err,
      new RegExp(`sallyport: ${stale} lines? of ${FILE} match(?:es)? nothing any more: .*update`),
    );
    run(folder, ['baseline', 'update', ...words]);
    assert.deepEqual(accepted(), ['d.yaml', 'e.yaml', 'f.yaml', 'g.yaml']);
    assert.equal(scan(folder).err, '');
  });

  it('says how Git merges it, until somebody wrote that down', () => {
    const folder = folderOf({ 'a.yaml': pod('a') });
    assert.match(run(folder, ['baseline', 'create']).err, /sallyport-baseline\.txt merge=union/);
    writeFileSync(join(folder, '.gitattributes'), `* text=auto\n${FILE} text merge=union\n`);
    assert.doesNotMatch(run(folder, ['baseline', 'create', '--force']).err, /merge=union/);
  });

  it('never says that something is fixed which could not be judged, or was left out', () => {
    const folder = folderOf({ 'a.yaml': pod('a'), 'b.yaml': pod('b'), 'c/c.yaml': pod('c') });
    run(folder, ['baseline', 'create', ...words]);
    const before = readFileSync(join(folder, FILE), 'utf8');
    writeFileSync(join(folder, 'a.yaml'), `${pod('a')}  broken: [\n`);
    writeFileSync(join(folder, 'b.yaml'), `<<<<<<< ours\n${pod('b')}=======\n${pod('b2')}>>>>>>> theirs\n`);
    const { out, err } = run(folder, ['baseline', 'update', '--exclude', 'c', ...words]);
    assert.match(out, /^0 fixed and removed, 0 moved, 0 added; 3 remain\n/);
    assert.match(err, /3 lines kept: what stands there could not be judged, or was left out/);
    assert.equal(readFileSync(join(folder, FILE), 'utf8'), before);
    assert.doesNotMatch(scan(folder).err, /nothing any more/);
  });

  it('tells apart what environments of a chart have in common', () => {
    const folder = folderOf({
      'chart/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
      'chart/values.yaml': 'replicas: 1\n',
      'chart/values-prod.yaml': 'replicas: 3\n',
      'chart/templates/a.yaml': `${pod('a').replace('namespace: shop', 'labels: { r: "{{ .Values.replicas }}" }')}`,
    });
    run(folder, ['baseline', 'create', ...words]);
    const lines = readFileSync(join(folder, FILE), 'utf8').trimEnd().split('\n').slice(3);
    assert.deepEqual(
      lines.map(line => line.split('\t')[4]),
      ['spec.hostPID (in default values)', 'spec.hostPID (in prod)'],
    );
    assert.equal(scan(folder).code, 0);
    // What only one of them was asked about says nothing of the other one.
    const before = readFileSync(join(folder, FILE), 'utf8');
    run(folder, ['baseline', 'update', '--environment', 'prod', ...words]);
    assert.equal(readFileSync(join(folder, FILE), 'utf8'), before);
  });

  it('keeps what an update did not ask about', () => {
    const folder = folderOf({ 'x/a.yaml': pod('a'), 'y/b.yaml': pod('b') });
    run(folder, ['baseline', 'create', '--profile', 'all']);
    const before = readFileSync(join(folder, FILE), 'utf8');
    run(folder, ['baseline', 'update', 'x', ...words]);
    assert.equal(readFileSync(join(folder, FILE), 'utf8'), before);
  });

  it('is refused where it cannot be trusted, with its line', () => {
    const folder = folderOf({ 'a.yaml': pod('a') });
    run(folder, ['baseline', 'create', ...words]);
    const good = readFileSync(join(folder, FILE), 'utf8');
    for (const [text, message] of [
      [
        good.replace('baseline 1', 'baseline 2'),
        /:1: the baseline has form 2, which a newer Sallyport wrote/,
      ],
      [`${good}<<<<<<< ours\n`, /:5: a merge conflict/],
      [`${good}nonsense\n`, /:5: no entry of a baseline/],
      [`${good}>>>>>>> theirs\n`, /:5: a merge conflict/],
      ['', /:1: this is no baseline/],
    ] as const) {
      writeFileSync(join(folder, FILE), text);
      const { code, err } = scan(folder);
      assert.equal(code, 3);
      assert.match(err, message);
    }
    for (const [text, message] of [
      [`${good}=======\n`, /:5: markers of merge conflicts that do not fit together/],
      [`${good}<<<<<<< ours\n=======\n`, /:7: markers of merge conflicts that do not fit together/],
      [`${good}<<<<<<< ours\n=======\nnonsense\n>>>>>>> theirs\n`, /:7: no entry of a baseline/],
    ] as const) {
      writeFileSync(join(folder, FILE), text);
      const { code, err } = run(folder, ['baseline', 'update']);
      assert.equal(code, 3);
      assert.match(err, message);
      assert.equal(readFileSync(join(folder, FILE), 'utf8'), text);
    }
    assert.equal(run(folder, ['scan', '--baseline', 'nowhere.txt']).code, 3);
    assert.equal(run(folder, ['baseline', 'create']).code, 3);
  });

  it('survives names that hold anything', () => {
    const odd = 'a\\tb\\u2028c\\\\u{9}';
    const folder = folderOf({ 'a.yaml': pod(`"${odd}"`) });
    run(folder, ['baseline', 'create', ...words]);
    assert.equal(scan(folder).code, 0);
  });
});
