/** Every command, in the order of the help. */
import type { Command, Option } from './command.ts';

const severities = ['critical', 'high', 'medium', 'low', 'info'];
export const formats = ['text', 'json', 'sarif', 'junit', 'github', 'gitlab', 'markdown', 'html', 'csv'];
const profiles = ['default', 'strict', 'reliability', 'pss-baseline', 'pss-restricted', 'all'];

/** How input is read: the same for every command that takes paths. */
const reading: readonly Option[] = [
  { name: 'no-ignore', description: 'Read what .gitignore excludes too, and .git and node_modules' },
  {
    name: 'exclude',
    value: 'PATTERN',
    many: true,
    description: 'Leave out paths that match (gitignore syntax)',
  },
  { name: 'config', value: 'FILE', description: 'Configuration (default: sallyport.yaml, if there is one)' },
];

const target: Option = {
  name: 'target-kubernetes',
  value: 'VERSION',
  description: 'The version of Kubernetes that the objects are meant for (default: newest known)',
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
    name: 'abac-policy',
    value: 'FILE',
    description: 'An ABAC policy file that the API server has beside RBAC',
  },
  { name: 'format', short: 'o', value: 'FORMAT', choices: ['text', 'json'], description: 'How to print it' },
  ...reading,
];
const explain: Option = { name: 'explain', description: 'Say by which binding and rule, with file and line' };
const namespace: Option = {
  name: 'namespace',
  short: 'n',
  value: 'NAME',
  description: 'The namespace of the request',
};

export const commands: readonly Command[] = [
  {
    name: 'scan',
    summary: 'Judge manifests',
    operands: '[PATH|-]…',
    options: [
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT[=FILE]',
        many: true,
        choices: formats,
        description: 'How to report; may be repeated, each into its own file',
      },
      { name: 'output', value: 'FILE', description: 'Write the report to this file' },
      { name: 'profile', value: 'NAME', choices: profiles, description: 'Which checks to run' },
      {
        name: 'check',
        value: 'WORD',
        many: true,
        description: 'Run only this: a check, a practice (cicd) or a framework (PSS, "CIS 5.2.2")',
      },
      { name: 'skip', value: 'WORD', many: true, description: 'Do not run this: the same words' },
      {
        name: 'fail-on',
        value: 'SEVERITY',
        choices: [...severities, 'never'],
        description: 'Exit with 1 on findings as bad as this, or worse (default: high)',
      },
      { name: 'allow-unknown', description: 'Exit with 0 although something could not be judged' },
      target,
      { name: 'verbose', short: 'v', description: 'Show every finding, also repeated ones' },
      ...reading,
    ],
    examples: [
      ['sallyport scan', 'everything below this folder'],
      [
        'sallyport scan deploy/ --format text --format sarif=out.sarif',
        'for people and for the code-scanning page',
      ],
      ['helm template my-chart | sallyport scan -', 'what another tool prints'],
      ['sallyport scan --profile strict --fail-on medium', 'more checks, a tighter gate'],
    ],
    load: () => import('./commands/scan.ts'),
  },
  {
    name: 'fix',
    summary: 'Mend what can be mended, in the files themselves',
    operands: '[PATH]…',
    options: [
      { name: 'diff', description: 'Only show what would change' },
      { name: 'review', description: 'Also fixes that may change what a workload does; asks for each' },
      { name: 'yes', short: 'y', description: 'With --review: do not ask' },
      { name: 'profile', value: 'NAME', choices: profiles, description: 'Whose findings to mend' },
      {
        name: 'check',
        value: 'WORD',
        many: true,
        description: 'Only these: checks, practices or frameworks',
      },
      { name: 'skip', value: 'WORD', many: true, description: 'Not these: the same words' },
      target,
      ...reading,
    ],
    examples: [
      ['sallyport fix deploy/', 'the safe fixes: they cannot change what a working workload does'],
      ['sallyport fix --review --diff deploy/', 'what could be mended besides'],
      [
        'sallyport fix --review --yes --check PSS deploy/',
        'everything that the Pod Security Standards ask for',
      ],
    ],
    load: () => import('./commands/fix.ts'),
  },
  {
    name: 'inventory',
    summary: 'Show what was read, and how it was understood',
    operands: '[PATH|-]…',
    options: [
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json'],
        description: 'How to print it',
      },
      { name: 'full', description: 'With json: every object exactly as kubectl would read it' },
      ...reading,
    ],
    examples: [
      ['sallyport inventory', 'which files count as what'],
      ['sallyport inventory --format json --full deploy/', 'the objects themselves'],
    ],
    load: () => import('./commands/inventory.ts'),
  },
  {
    name: 'checks',
    summary: 'List the checks',
    operands: '[WORD]…',
    options: [
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json', 'markdown'],
        description: 'How to print it',
      },
      { name: 'profile', value: 'NAME', choices: profiles, description: 'Only the checks of this profile' },
    ],
    examples: [
      ['sallyport checks', 'all of them'],
      ['sallyport checks cicd --profile default', 'those of one practice that run by default'],
      ['sallyport checks "CIS 5.2.2"', 'those that look after one control'],
    ],
    load: () => import('./commands/checks.ts'),
  },
  {
    name: 'explain',
    summary: 'Explain one check: why it matters, what to do, examples',
    operands: 'CHECK',
    options: [
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json', 'markdown'],
        description: 'How to print it',
      },
    ],
    examples: [['sallyport explain pod-security/privileged', 'the page of a check']],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'pod-security levels',
    summary: 'The highest Pod Security level that each workload and namespace meets',
    operands: '[PATH|-]…',
    options: [
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json'],
        description: 'How to print it',
      },
      { name: 'version', value: 'VERSION', description: 'Of the Pod Security Standards: v1.37, or latest' },
      ...reading,
    ],
    examples: [
      ['sallyport pod-security levels deploy/', 'what each namespace could enforce today'],
      [
        'sallyport pod-security levels --version v1.30 --format json',
        'judged by an older version of the standards',
      ],
    ],
    load: () => import('./commands/pod-security-levels.ts'),
  },
  {
    name: 'pod-security evaluate',
    summary: 'What the API server would say to pods at one level',
    operands: '[PATH|-]…',
    options: [
      {
        name: 'level',
        value: 'LEVEL',
        choices: ['privileged', 'baseline', 'restricted'],
        description: 'The level to enforce',
      },
      { name: 'version', value: 'VERSION', description: 'Of the Pod Security Standards: v1.37, or latest' },
      {
        name: 'filename',
        short: 'f',
        value: 'FILE',
        many: true,
        description: 'A file, folder, or - for standard input',
      },
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json'],
        description: 'How to print it',
      },
      ...reading,
    ],
    examples: [
      ['sallyport pod-security evaluate --level restricted -f pod.yaml', 'the exact verdict and words'],
      [
        'kubectl get pods -A -o yaml | sallyport pod-security evaluate --level baseline -f -',
        'a whole cluster',
      ],
    ],
    load: () => import('./commands/pod-security-evaluate.ts'),
  },
  {
    name: 'authorization can-i',
    summary: 'Whether somebody may do something, decided as the API server decides it',
    operands: 'VERB RESOURCE[.GROUP][/SUB] [NAME]',
    options: [
      { name: 'as', value: 'USER', description: 'Who asks' },
      { name: 'as-group', value: 'GROUP', many: true, description: 'A group that the user is in' },
      namespace,
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
    load: () => import('./commands/authorization-can-i.ts'),
  },
  {
    name: 'authorization who-can',
    summary: 'Everyone who may do something, how, and what runs as them',
    operands: 'VERB RESOURCE[.GROUP][/SUB] [NAME]',
    options: [namespace, explain, ...asking],
    examples: [
      ['sallyport authorization who-can list secrets', 'in all namespaces at once'],
      ['sallyport authorization who-can delete deployments -n shop --explain', 'with every binding and rule'],
    ],
    load: () => import('./commands/authorization-who-can.ts'),
  },
  {
    name: 'authorization permissions',
    summary: 'What somebody may do, namespace by namespace',
    operands: 'USER',
    options: [
      { name: 'as-group', value: 'GROUP', many: true, description: 'A group that the user is in' },
      ...asking,
    ],
    examples: [
      [
        'sallyport authorization permissions system:serviceaccount:shop:release',
        'all that a service account may do',
      ],
    ],
    load: () => import('./commands/authorization-permissions.ts'),
  },
];
