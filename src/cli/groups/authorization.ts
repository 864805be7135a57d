/** The commands of authorization, in the order of the help. */
import type { Command, Option } from '../command.ts';
import { explain, formatOf, namespace, reading, severities } from './options.ts';

/** Where the definitions of custom resources are. */
const definitions: Option = {
  name: 'filename',
  short: 'f',
  value: 'PATH',
  many: true,
  description: 'Files and folders with CustomResourceDefinitions: what they define is converted too',
};

const authorizationConfig: Option = {
  name: 'authorization-config',
  value: 'FILE',
  description: 'The AuthorizationConfiguration of the API server',
};

/** As kubectl has it; requests of the whole cluster are what is asked without `-n` too. */
const everywhere: Option = {
  name: 'all-namespaces',
  short: 'A',
  description: 'In all namespaces at once (the default without -n)',
};

const format: Option = {
  name: 'format',
  short: 'o',
  value: 'FORMAT',
  choices: ['text', 'wide', 'json', 'yaml'],
  description: 'How to print it; wide: with all reasons, lines left whole',
};

/** How roles and bindings are read, and answers given. */
const asking: readonly Option[] = [
  {
    name: 'filename',
    short: 'f',
    value: 'PATH',
    many: true,
    description: 'Files and folders with roles and bindings (default: here)',
  },
  {
    name: 'groups',
    value: 'FILE',
    description: 'Who is in which groups, as YAML: jane: [developers]',
  },
  {
    name: 'abac-policy',
    value: 'FILE',
    description: 'An ABAC policy file that the API server has beside RBAC',
  },
  format,
  ...reading,
];

export const authorizationCommands: readonly Command[] = [
  {
    name: 'authorization can-i',
    summary: 'Whether somebody may do something, decided as the API server decides it',
    operands: '[VERB RESOURCE[.GROUP][/SUB] [NAME] | METHOD PATH]',
    options: [
      { name: 'as', value: 'USER', description: 'Who asks' },
      { name: 'as-group', value: 'GROUP', many: true, description: 'A group that the user is in' },
      { name: 'list', description: 'All that the user may do, instead of one request' },
      { name: 'raw', description: 'The request is a method and a path: GET /api/v1/pods?watch=1' },
      authorizationConfig,
      {
        name: 'webhook',
        value: 'NAME=ANSWER',
        many: true,
        description: 'What a webhook of it says: allow, deny, no-opinion or fail',
      },
      namespace,
      everywhere,
      explain,
      ...asking,
    ],
    examples: [
      [
        'sallyport authorization can-i get secrets -n shop --as system:serviceaccount:shop:release',
        'a service account; its groups are derived',
      ],
      [
        'sallyport authorization can-i create pods/exec -n shop --as jane --as-group devs --explain',
        'with the binding and the rule that decide',
      ],
    ],
    load: () => import('../commands/authorization-can-i.ts'),
  },
  {
    name: 'authorization who-can',
    summary: 'Everyone who may do something, how, and what runs as them',
    operands: 'VERB RESOURCE[.GROUP][/SUB] [NAME]',
    options: [
      {
        name: 'indirect',
        description:
          'Those too who can become one of them or give themselves the right, with the shortest way',
      },
      authorizationConfig,
      namespace,
      everywhere,
      explain,
      ...asking,
    ],
    examples: [
      ['sallyport authorization who-can list secrets', 'in all namespaces at once'],
      [
        'sallyport authorization who-can get secrets -n shop --indirect',
        'and who can get there, step by step',
      ],
      ['sallyport authorization who-can delete deployments -n shop --explain', 'with every binding and rule'],
    ],
    load: () => import('../commands/authorization-who-can.ts'),
  },
  {
    name: 'authorization permissions',
    summary: 'What somebody may do, namespace by namespace',
    operands: 'USER|group:GROUP',
    options: [
      { name: 'as', value: 'USER', description: 'Who is asked about, instead of the operand' },
      { name: 'as-group', value: 'GROUP', many: true, description: 'A group that the user is in' },
      authorizationConfig,
      { ...namespace, description: 'Only what counts in this namespace' },
      everywhere,
      explain,
      ...asking,
    ],
    examples: [
      [
        'sallyport authorization permissions system:serviceaccount:shop:release',
        'all that a service account may do',
      ],
    ],
    load: () => import('../commands/authorization-permissions.ts'),
  },
  {
    name: 'authorization escalations',
    summary: 'Who can become cluster-admin, take a node, or read every secret, step by step',
    operands: '[USER|group:GROUP]',
    options: [
      {
        name: 'goal',
        value: 'GOAL',
        choices: ['cluster-admin', 'node', 'secrets'],
        description: 'Only ways that end there',
      },
      { name: 'as', value: 'USER', description: 'Who is asked about, instead of the operand' },
      { ...namespace, description: 'Only the service accounts of this namespace' },
      everywhere,
      explain,
      ...asking,
    ],
    examples: [
      ['sallyport authorization escalations', 'every subject that a binding names'],
      [
        'sallyport authorization escalations system:serviceaccount:shop:release',
        'one of them, with what would cut its way',
      ],
    ],
    load: () => import('../commands/authorization-escalations.ts'),
  },
  {
    name: 'authorization learn',
    summary: 'The smallest roles that still allow what an audit log shows',
    operands: 'LOG…',
    options: [
      { name: 'subject', value: 'USER', many: true, description: 'Only for this user or service account' },
      { ...namespace, description: 'Only what was asked for in this namespace' },
      {
        name: 'generalise-names',
        value: 'N',
        description: 'From N names of a resource on, all its names; never of risky ones',
      },
      {
        name: 'generalise-namespaces',
        value: 'N',
        description: 'From N namespaces on, all of them; never of risky resources',
      },
      {
        name: 'filename',
        short: 'f',
        value: 'PATH',
        many: true,
        description:
          'Roles and bindings that are there: those that grant no more than is needed are used again',
      },
      ...reading,
      formatOf('yaml', 'json'),
    ],
    examples: [
      ['sallyport authorization learn audit.log > roles.yaml', 'roles and bindings, ready to be applied'],
      [
        'sallyport authorization learn audit.log -f manifests',
        'with the roles that are there, where they fit',
      ],
      [
        'sallyport authorization learn audit.log.gz --subject system:serviceaccount:shop:release',
        'of one service account',
      ],
    ],
    load: () => import('../commands/authorization-learn.ts'),
  },
  {
    name: 'authorization unused',
    summary: 'What is granted and an audit log shows no use of',
    operands: 'LOG…',
    options: [
      {
        name: 'audit-policy',
        value: 'FILE',
        description: 'The audit policy of the API server (default: the one in the input, if there is one)',
      },
      { name: 'as', value: 'USER', description: 'Only bindings that name this user, or a group it is in' },
      { name: 'as-group', value: 'GROUP', many: true, description: 'And those that name this group' },
      { ...namespace, description: 'Only RoleBindings of this namespace' },
      everywhere,
      ...asking,
    ],
    examples: [
      [
        'sallyport authorization unused audit.log -f manifests --audit-policy policy.yaml',
        'and what of it no log of this policy would show',
      ],
      ['sallyport authorization unused audit.log -f manifests', 'bindings and rules that nobody needed'],
    ],
    load: () => import('../commands/authorization-unused.ts'),
  },
  {
    name: 'authorization diff',
    summary: 'What a change gives to whom: permissions, workloads that carry them, ways up',
    operands: 'BASE HEAD',
    options: [
      {
        name: 'fail-on',
        value: 'SEVERITY',
        choices: [...severities, 'never'],
        description: 'Exit code 1 from this severity of a gain on (default: high)',
      },
      { name: 'as', value: 'USER', description: 'Only what changes for this user, or for a group it is in' },
      { name: 'as-group', value: 'GROUP', many: true, description: 'And what changes for this group' },
      { ...namespace, description: 'Only what counts in this namespace' },
      everywhere,
      explain,
      format,
      ...reading.filter(({ name }) => name !== 'no-ignore'),
    ],
    examples: [
      ['sallyport authorization diff main HEAD', 'two commits'],
      ['sallyport authorization diff old/ new/ --fail-on medium', 'two folders, with a tighter gate'],
    ],
    load: () => import('../commands/authorization-diff.ts'),
  },
  {
    name: 'authorization abac lint',
    summary: 'What is wrong with an ABAC policy file: errors, dangers, useless lines',
    operands: 'POLICY',
    options: [format],
    examples: [['sallyport authorization abac lint policy.jsonl', 'every line, also after a broken one']],
    load: () => import('../commands/authorization-abac.ts').then(({ lint }) => ({ run: lint })),
  },
  {
    name: 'authorization abac convert',
    summary: 'An ABAC policy as RBAC objects, compared over every class of requests',
    operands: 'POLICY',
    options: [definitions, ...reading, formatOf('yaml', 'json')],
    examples: [
      [
        'sallyport authorization abac convert policy.jsonl > rbac.yaml',
        'what RBAC cannot say is left out and said',
      ],
    ],
    load: () => import('../commands/authorization-abac.ts').then(({ convert }) => ({ run: convert })),
  },
  {
    name: 'authorization abac explain',
    summary: 'An ABAC policy line by line, in words',
    operands: 'POLICY',
    options: [definitions, ...reading, format],
    examples: [['sallyport authorization abac explain policy.jsonl', 'who may do what by which line']],
    load: () => import('../commands/authorization-abac.ts').then(({ explain }) => ({ run: explain })),
  },
  {
    name: 'authorization matrix',
    summary: 'Every subject with what it may do to which resources, as a table or a page',
    options: [
      {
        name: 'resource',
        value: 'RESOURCE',
        many: true,
        description: 'A column (default: the ones that matter most; all for csv, json and html)',
      },
      namespace,
      everywhere,
      explain,
      ...asking.filter(({ name }) => name !== 'format' && name !== 'abac-policy'),
      {
        ...format,
        choices: ['text', 'wide', 'csv', 'json', 'yaml', 'html'],
        description: 'How to print it; wide: with the verbs, names left whole',
      },
    ],
    examples: [
      ['sallyport authorization matrix -n shop', 'one namespace, in the terminal'],
      ['sallyport authorization matrix -o html > matrix.html', 'a page that can be searched'],
    ],
    load: () => import('../commands/authorization-matrix.ts'),
  },
];
