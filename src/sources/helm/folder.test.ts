/** Which files of a chart's folder are read, and what is refused: pkg/chart/v2/loader/directory.go and internal/sympath. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readChartFolder } from './folder.ts';
import { renderChartFiles } from './render.ts';

let top: string;

const write = (name: string, text: string): void => {
  const path = join(top, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

const render = (): string => renderChartFiles(readChartFolder(join(top, 'shop')).files).text;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'sallyport-folder-'));
  write('shop/Chart.yaml', 'apiVersion: v2\nname: shop\nversion: 1.0.0\n');
  write('shop/templates/a.yaml', 'a: {{ .Files.Get "a.txt" }}\n');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

describe('the folder of a chart', () => {
  it('is refused with a file of more than 5 MiB, whoever asks for it, unless it is ignored', () => {
    for (const name of ['picture.png', 'templates/b.yaml']) {
      write(`shop/${name}`, '');
      truncateSync(join(top, 'shop', name), 5 * 1024 * 1024 + 1);
      const base = name.slice(name.lastIndexOf('/') + 1);
      assert.throws(render, {
        message: `chart file "${base}" is larger than the maximum file size 5242880`,
      });
      write('shop/.helmignore', `${base}\n`);
      assert.match(render(), /^a:$/m);
      rmSync(join(top, 'shop/.helmignore'));
      rmSync(join(top, 'shop', name));
    }
  });

  it('gives a file that cannot be read as an error of the chart', { skip: process.getuid?.() === 0 }, () => {
    write('shop/values.yaml', 'a: 1\n');
    chmodSync(join(top, 'shop/values.yaml'), 0);
    assert.throws(render, { message: /^cannot load|^error reading values\.yaml: .*permission denied/ });
  });

  it('follows a link to a file inside, and leaves out one that leads to what is hidden beside it', () => {
    write('.secret.txt', 'secret');
    write('shop/inside.txt', 'inside');
    symlinkSync('inside.txt', join(top, 'shop/a.txt'));
    symlinkSync('../.secret.txt', join(top, 'shop/b.txt'));
    symlinkSync('nowhere', join(top, 'shop/c.txt'));
    symlinkSync('..', join(top, 'shop/up'));
    const { files, left } = readChartFolder(join(top, 'shop'));
    assert.deepEqual([...left].sort(), ['b.txt', 'c.txt', 'up']);
    assert.equal(files.has('b.txt'), false);
    assert.match(render(), /^a: inside$/m);
  });

  it('follows a link of charts/ to a chart beside it', () => {
    write('common/Chart.yaml', 'apiVersion: v2\nname: common\nversion: 1.0.0\n');
    write('common/templates/c.yaml', 'c: {{ .Chart.Name }}\n');
    mkdirSync(join(top, 'shop/charts'));
    symlinkSync('../../common', join(top, 'shop/charts/common'));
    assert.match(render(), /^c: common$/m);
  });
});
