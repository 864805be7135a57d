/** The JSON Schema of `sallyport.yaml`, for editors: the same words that src/cli/config.ts understands. */
import { type Check, type CheckOption, idOf, profiles } from '../src/check/check.ts';
import { severities } from '../src/check/severity.ts';
import { type Form, profileForm } from '../src/decide/pod-security/custom/form.ts';

const chartSetting = {
  release: { description: "The release's name.", type: 'string' },
  namespace: { description: 'Where objects go that state no namespace.', type: 'string' },
  values: { description: 'Values files, in order.', type: 'array', items: { type: 'string' } },
  set: { description: 'Values by their paths: image.tag.', type: 'object' },
};

export function configSchema(checks: readonly Check[]): unknown {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'sallyport.yaml',
    type: 'object',
    additionalProperties: false,
    properties: {
      extends: {
        description: 'Configurations that this one builds on: paths, or packages with a sallyport.yaml.',
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      },
      profile: { description: 'Which checks to run.', enum: [...profiles, 'all'] },
      checks: {
        description: 'What differs from the profile, check by check.',
        type: 'object',
        additionalProperties: false,
        properties: {
          version: {
            description: 'Of the profile, run only the checks that this version of Sallyport had.',
            type: 'string',
            pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$',
          },
          ...Object.fromEntries(checks.map(check => [idOf(check), settingsOf(check)])),
        },
      },
      ignore: {
        description: 'Paths that are left out, in gitignore syntax.',
        type: 'array',
        items: { type: 'string' },
      },
      baseline: { description: 'The file of findings that are known and do not fail.', type: 'string' },
      charts: {
        description: 'How charts are installed; paths are relative to this file.',
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['path'],
          properties: {
            path: { description: "The chart's folder.", type: 'string' },
            ...chartSetting,
            environments: {
              description: 'Each judged over what holds for all; without it, values files next to the chart.',
              type: 'object',
              additionalProperties: { type: 'object', additionalProperties: false, properties: chartSetting },
            },
          },
        },
      },
      exceptions: {
        description: 'What somebody takes upon himself: where, why, who, and until when.',
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['check', 'reason', 'owner'],
          anyOf: SCOPES.map(scope => ({ required: [scope] })),
          properties: {
            check: { enum: checks.map(idOf) },
            reason: { type: 'string', minLength: 1 },
            owner: { description: 'A person or team: @payments.', type: 'string', minLength: 1 },
            until: {
              description: 'The last day on which it holds.',
              type: 'string',
              pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
            },
            ticket: { type: 'string' },
            file: { description: 'A path; * within a name, ** over folders.', type: 'string' },
            object: { description: 'Kind/name, for example DaemonSet/node-agent.', type: 'string' },
            namespace: { type: 'string' },
            container: { type: 'string' },
            field: {
              description: 'A path in the object, and all below it; [*] is any item.',
              type: 'string',
            },
            environment: { type: 'string' },
          },
        },
      },
      exceptionRules: {
        description: 'How exceptions may be stated.',
        type: 'object',
        additionalProperties: false,
        properties: {
          maxDays: { description: 'The longest time until one ends.', type: 'number', minimum: 1 },
          expiry: { description: 'Whether each must say when it ends.', enum: ['required', 'optional'] },
          nonBypassable: {
            description: 'Checks that nobody may except.',
            type: 'array',
            items: { enum: checks.map(idOf) },
          },
        },
      },
      podSecurityProfiles: {
        description: 'Pod security profiles of your own; the first whose scope fits judges a pod.',
        type: 'array',
        items: schemaOfForm(profileForm),
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

/** An exception is confined by at least one of them. */
const SCOPES = ['file', 'object', 'namespace', 'container', 'field', 'environment'];

function settingsOf(check: Check): unknown {
  const options = Object.entries(check.options ?? {}).flatMap(([name, option]) =>
    option.type === 'objects' ? [] : [[name, schemaOf(option)]],
  );
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

/** The schema of what a form reads. */
function schemaOfForm(form: Form): unknown {
  const about = form.about === '' ? {} : { description: form.about };
  switch (form.is) {
    case 'flag':
      return { ...about, type: 'boolean' };
    case 'text':
      return {
        ...about,
        type: 'string',
        ...(form.pattern === undefined ? { minLength: 1 } : { pattern: form.pattern.source }),
      };
    case 'choice':
      return { ...about, enum: form.of };
    case 'number':
      return { ...about, type: 'integer', minimum: form.min, maximum: form.max };
    case 'list':
      return {
        ...about,
        type: 'array',
        items: schemaOfForm(form.of),
        ...(form.filled === true ? { minItems: 1 } : {}),
      };
    case 'labels':
      return { ...about, type: 'object', additionalProperties: { type: 'string' } };
    case 'mapping':
      return {
        ...about,
        type: 'object',
        additionalProperties: false,
        ...(form.required === undefined || form.required.length === 0 ? {} : { required: form.required }),
        properties: Object.fromEntries(
          Object.entries(form.fields).map(([name, field]) => [name, schemaOfForm(field)]),
        ),
      };
  }
}

function schemaOf({ type, description, default: value }: CheckOption): unknown {
  return type === 'strings'
    ? { description, type: 'array', items: { type: 'string' }, default: value }
    : { description, type, default: value };
}
