/** What the documents show is what happens. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { checks } from '#practices/index.ts';
import { readDocuments } from '#yaml/read.ts';
import { commands } from '../../src/cli/commands.ts';
import { parseConfig } from '../../src/cli/config.ts';
import { doors } from '../../tools/doors.ts';
import { run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

function blockAfter(marker: string, language: string): string {
  const at = readme.indexOf(marker);
  assert.ok(at >= 0, marker);
  const start = readme.indexOf(`\`\`\`${language}\n`, at) + language.length + 4;
  return readme.slice(start, readme.indexOf('\n```', start));
}

describe('README', () => {
  it('shows the true output of its first command', () => {
    assert.equal(
      run(root, ['scan', 'examples/online-shop']).out.trimEnd(),
      blockAfter('npx sallyport scan examples/online-shop', 'text'),
    );
  });

  it('shows the true levels', () => {
    const { out } = run(root, ['pod-security', 'levels', 'examples/online-shop']);
    assert.equal(out.trimEnd(), blockAfter('npx sallyport pod-security levels', 'text'));
  });

  it('shows a configuration that is valid, by the reader and by the schema', async () => {
    const text = blockAfter('## Configuration', 'yaml');
    const config = await parseConfig(text, 'README.md', async () => checks);
    assert.equal(config.profile, 'strict');
    const schema = JSON.parse(readFileSync(join(root, 'schemas/sallyport.schema.json'), 'utf8')) as object;
    const [document] = readDocuments(text);
    assert.ok(document?.is === 'value');
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
    assert.ok(validate(document.value), JSON.stringify(validate.errors));
  });

  it('names commands that exist', () => {
    for (const [, name] of readme.matchAll(/`sallyport ((?:pod-security [a-z]+)|[a-z-]+)/g))
      if (name !== 'COMMAND')
        assert.ok(
          commands.some(command => command.name === name || command.name.startsWith(`${name} `)),
          name,
        );
  });
});

describe('the documents', () => {
  it('link to files that exist', () => {
    for (const file of globSync(['*.md', 'docs/**/*.md'], { cwd: root })) {
      const text = readFileSync(join(root, file), 'utf8');
      for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g))
        assert.ok(existsSync(resolve(join(root, dirname(file)), link!)), `${file} links to ${link}`);
    }
  });
});

describe('the help', () => {
  for (const command of commands)
    it(`of ${command.name} fits 80 columns, and its examples parse`, () => {
      const { out, code } = run(root, [...command.name.split(' '), '--help']);
      assert.equal(code, 0);
      for (const line of out.split('\n'))
        if (!/^ {2}(?:sallyport|helm|kubectl) /.test(line)) assert.ok(line.length <= 80, line);
      for (const [example] of command.examples) assert.match(example, /sallyport /);
    });
});

describe('the doors', () => {
  it('of package.json are those that are built', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const names = Object.keys(exports)
      .filter(name => name !== './package.json')
      .map(name => (name === '.' ? 'index' : name.slice(2)));
    assert.deepEqual(names.sort(), Object.keys(doors).sort());
  });

  it('can be imported from a script in the clone', async () => {
    // The names are the package's own; they lead to dist/.
    const name = 'sallyport/pod-security';
    const { evaluate } = (await import(name)) as typeof import('../../src/decide/pod-security/door.ts');
    assert.equal(
      evaluate({ spec: { hostPID: true } }, { level: 'baseline', version: 'latest' }).allowed,
      false,
    );
  });
});
