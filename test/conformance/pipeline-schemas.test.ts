/**
 * What `init` writes, by the JSON Schemas that the CI systems publish. They are those that the Python package
 * check-jsonschema ships (0.39.0; no package of npm has them): unpack its wheel and name the folder
 * `check_jsonschema/builtin_schemas/vendor` in `SALLYPORT_CI_SCHEMAS`. Jenkins and Tekton publish none.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { type System, stepOf, systems } from '../../src/cli/pipelines.ts';

const folder = process.env['SALLYPORT_CI_SCHEMAS'] ?? '';
const root = resolve(import.meta.dirname, '../..');
const skip = existsSync(join(folder, 'github-workflows.json'))
  ? false
  : 'the schemas are not on this machine; set SALLYPORT_CI_SCHEMAS';

const SCHEMAS: Readonly<Partial<Record<System, string>>> = {
  github: 'github-workflows',
  gitlab: 'gitlab-ci',
  circleci: 'circle-ci',
  azure: 'azure-pipelines',
  bitbucket: 'bitbucket-pipelines',
  woodpecker: 'woodpecker-ci',
  drone: 'drone-ci',
};

function problems(schema: string, text: string): string {
  const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false, unicodeRegExp: false });
  // Drone's schema borrows words of Kubernetes' from a file that is not shipped; what we write has none of them.
  const own = readFileSync(join(folder, `${schema}.json`), 'utf8').replace(
    /"\$ref":\s*"kubernetes-definitions[^"]*"/g,
    '"$comment": ""',
  );
  const validate = ajv.compile(JSON.parse(own) as object);
  return validate(parse(text)) ? '' : JSON.stringify(validate.errors?.slice(0, 5), null, 1);
}

describe('files of pipelines', { skip }, () => {
  for (const system of systems) {
    const schema = SCHEMAS[system];
    if (schema === undefined) continue;
    for (const branch of ['main', '1.0', 'a"b'])
      it(`${system}, for the branch ${branch}`, () =>
        assert.equal(problems(schema, stepOf(system, branch).text), ''));
  }
  it('the action', () =>
    assert.equal(problems('github-actions', readFileSync(join(root, 'action.yml'), 'utf8')), ''));
  it('tells what is no pipeline', () => assert.notEqual(problems('github-workflows', 'jobs: 1\n'), ''));
});
