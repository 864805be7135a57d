/**
 * What `init` writes, by what the CI systems publish. GitHub: its own parser of workflows, a package of npm. The others:
 * JSON Schemas that no package of npm has; `tools/pipeline-schemas.ts` brings those of the Python package
 * check-jsonschema, and without them their tests say so and skip. Jenkins and Tekton publish none.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { type System, stepOf, systems } from '../../src/cli/pipelines.ts';
import { pipelineSchemas } from '../../tools/pipeline-schemas.ts';

const folder = process.env['SALLYPORT_CI_SCHEMAS'] ?? pipelineSchemas;
const root = resolve(import.meta.dirname, '../..');
const skip = existsSync(join(folder, 'github-workflows.json'))
  ? false
  : 'the schemas are not on this machine: node tools/pipeline-schemas.ts';
const BRANCHES = ['main', '1.0', 'a"b'];

interface Parser {
  parseWorkflow(file: { name: string; content: string }, trace: object): Parsed;
  parseAction(file: { name: string; content: string }, trace: object): Parsed;
}
interface Parsed {
  readonly context: { readonly errors: { getErrors(): readonly { readonly message: string }[] } };
}

/** The package imports JSON without the attribute that Node asks for. */
async function githubParser(): Promise<Parser | undefined> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isTheirs = found.url.includes('/@actions/') && found.url.endsWith('.json');
      return isTheirs ? { ...found, importAttributes: { type: 'json' } } : found;
    },
  });
  const name: string = '@actions/workflow-parser';
  try {
    const [index, actions] = await Promise.all([import(name), import(`${name}/actions/action-parser`)]);
    return { ...index, ...actions } as Parser;
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return undefined;
  } finally {
    hooks.deregister();
  }
}

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
    for (const branch of BRANCHES)
      it(`${system}, for the branch ${branch}`, () =>
        assert.equal(problems(schema, stepOf(system, branch).text), ''));
  }
  it('the action', () =>
    assert.equal(problems('github-actions', readFileSync(join(root, 'action.yml'), 'utf8')), ''));
  it('tells what is no pipeline', () => assert.notEqual(problems('github-workflows', 'jobs: 1\n'), ''));
});

const parser = await githubParser();

describe("GitHub's own parser", {
  skip: parser === undefined ? 'it is not installed: npm ci' : false,
}, () => {
  const trace = { error() {}, info() {}, verbose() {} };
  const problemsOf = (kind: 'parseWorkflow' | 'parseAction', content: string) =>
    parser!
      [kind]({ name: 'a.yml', content }, trace)
      .context.errors.getErrors()
      .map(({ message }) => message);
  it('takes the workflow that init writes', () => {
    for (const branch of BRANCHES)
      assert.deepEqual(problemsOf('parseWorkflow', stepOf('github', branch).text), []);
  });
  it('takes the action', () =>
    assert.deepEqual(problemsOf('parseAction', readFileSync(join(root, 'action.yml'), 'utf8')), []));
  it('tells what is neither', () => {
    const workflow = stepOf('github', 'main').text;
    assert.notDeepEqual(problemsOf('parseWorkflow', workflow.replace('runs-on:', 'run-on:')), []);
    assert.notDeepEqual(problemsOf('parseAction', 'name: x\nruns: { using: composite }\n'), []);
  });
});
