/** The folder of a chart: which links are followed, and which files are refused. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, it } from 'node:test';
import { readChartFolder } from './folder.ts';
import { renderChartFiles } from './render.ts';

const top = mkdtempSync(join(tmpdir(), 'sallyport-links-'));
after(() => rmSync(top, { recursive: true, force: true }));

function put(name: string, text = ''): void {
  mkdirSync(dirname(join(top, name)), { recursive: true });
  writeFileSync(join(top, name), text);
}
function link(name: string, target: string): void {
  mkdirSync(dirname(join(top, name)), { recursive: true });
  symlinkSync(target, join(top, name));
}

const read = (name: string) => {
  const { files, left } = readChartFolder(join(top, name));
  return { names: [...files.keys()].sort(), left: [...left].sort() };
};

it('follows links to files and folders of the same repository, and no others', () => {
  put('repo/.git/config', 'secret');
  put('repo/docs/shared.txt', 'shared');
  put('repo/crds/a.yaml', 'kind: CustomResourceDefinition');
  put('repo/charts/shop/Chart.yaml', 'name: shop');
  put('outside.txt', 'outside');
  link('repo/charts/shop/shared.txt', '../../docs/shared.txt');
  link('repo/charts/shop/crds', '../../crds');
  link('repo/charts/shop/config', '../../.git/config');
  link('repo/charts/shop/outside.txt', '../../../outside.txt');
  link('repo/charts/shop/above', '..');
  link('repo/charts/shop/nowhere', 'nothing');
  assert.deepEqual(read('repo/charts/shop'), {
    names: ['Chart.yaml', 'crds/a.yaml', 'shared.txt'],
    left: ['above', 'config', 'nowhere', 'outside.txt'],
  });
});

it('says what helm says of a link that leads nowhere', () => {
  const repository = join(top, 'repo');
  put('repo/charts/lost/Chart.yaml', 'name: lost');
  link('repo/charts/lost/crds', '../../generated/crds');
  assert.equal(
    readChartFolder(join(repository, 'charts/lost')).broken,
    `error evaluating symlink ${join(repository, 'charts/lost/crds')}: lstat ${join(repository, 'generated')}: no such file or directory`,
  );
});

it('without a repository follows links to what lies beside the chart, but for what is hidden', () => {
  put('plain/shop/Chart.yaml', 'name: shop');
  put('plain/common/Chart.yaml', 'name: common');
  put('plain/common/values.yaml', 'a: 1');
  link('plain/shop/charts/common', '../../common');
  link('plain/shop/values.yaml', '../common/values.yaml');
  put('plain/.ssh/id', 'secret');
  link('plain/shop/outside.txt', '../../outside.txt');
  link('plain/shop/id', '../.ssh/id');
  assert.deepEqual(read('plain/shop'), {
    names: ['Chart.yaml', 'charts/common/Chart.yaml', 'charts/common/values.yaml', 'values.yaml'],
    left: ['id', 'outside.txt'],
  });
});

/** A chart that shows what `.Files` has of `a.txt`. */
function showing(name: string): () => string {
  put(`${name}/Chart.yaml`, 'apiVersion: v2\nname: shop\nversion: 1.0.0\n');
  put(`${name}/templates/a.yaml`, 'a: {{ .Files.Get "a.txt" }}\n');
  return () => renderChartFiles(readChartFolder(join(top, name)).files).text;
}

it('refuses a file of more than 5 MiB, whoever asks for it, unless it is ignored', () => {
  const render = showing('large');
  for (const name of ['picture.png', 'templates/b.yaml']) {
    put(`large/${name}`);
    truncateSync(join(top, 'large', name), 5 * 1024 * 1024 + 1);
    const base = name.slice(name.lastIndexOf('/') + 1);
    assert.throws(render, { message: `chart file "${base}" is larger than the maximum file size 5242880` });
    put('large/.helmignore', `${base}\n`);
    assert.match(render(), /^a:$/m);
    rmSync(join(top, 'large/.helmignore'));
    rmSync(join(top, 'large', name));
  }
});

it('gives a file that cannot be read as an error of the chart', { skip: process.getuid?.() === 0 }, () => {
  const render = showing('closed');
  put('closed/a.txt', 'a');
  chmodSync(join(top, 'closed/a.txt'), 0);
  assert.throws(render, { message: /error reading a\.txt: .*permission denied/ });
});
