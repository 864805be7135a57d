/** The JSON Schema of `sallyport.yaml`, for editors: the same words that src/cli/config.ts understands. */
import { type Check, type CheckOption, idOf, profiles } from '../src/check/check.ts';
import { severities } from '../src/check/severity.ts';

export function configSchema(checks: readonly Check[]): unknown {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'sallyport.yaml',
    type: 'object',
    additionalProperties: false,
    properties: {
      profile: { description: 'Which checks to run.', enum: [...profiles, 'all'] },
      checks: {
        description: 'What differs from the profile, check by check.',
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(checks.map(check => [idOf(check), settingsOf(check)])),
      },
      ignore: {
        description: 'Paths that are left out, in gitignore syntax.',
        type: 'array',
        items: { type: 'string' },
      },
      failOn: { description: 'The least severity that fails the run.', enum: [...severities, 'never'] },
      allowUnknown: { description: 'What could not be judged does not fail the run.', type: 'boolean' },
      targetKubernetes: {
        description: 'The version of Kubernetes that the objects are meant for, in quotes.',
        type: 'string',
        pattern: '^(latest|v?1\\.[0-9]+(\\.[0-9]+)?)$',
      },
    },
  };
}

function settingsOf(check: Check): unknown {
  const options = Object.entries(check.options ?? {}).map(([name, option]) => [name, schemaOf(option)]);
  return {
    description: check.title,
    anyOf: [
      { enum: ['on', 'off', true, false] },
      {
        type: 'object',
        additionalProperties: false,
        properties: {
          enabled: { type: 'boolean' },
          severity: { enum: severities },
          options: { type: 'object', additionalProperties: false, properties: Object.fromEntries(options) },
        },
      },
    ],
  };
}

function schemaOf({ type, description, default: value }: CheckOption): unknown {
  return type === 'strings'
    ? { description, type: 'array', items: { type: 'string' }, default: value }
    : { description, type, default: value };
}
