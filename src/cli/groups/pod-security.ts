/** The commands of pod security, in the order of the help. */
import type { Command } from '../command.ts';
import { namespace, reading } from './options.ts';

export const podSecurityCommands: readonly Command[] = [
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
    load: () => import('../commands/pod-security-levels.ts'),
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
    load: () => import('../commands/pod-security-evaluate.ts'),
  },
  {
    name: 'pod-security psp evaluate',
    summary: 'Which PodSecurityPolicy admits each workload, as whom, and what it changes',
    operands: '[PATH|-]…',
    options: [
      { name: 'as', value: 'USER', description: 'Who creates plain pods' },
      { name: 'as-group', value: 'GROUP', many: true, description: 'A group that the user is in' },
      namespace,
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
      [
        'sallyport pod-security psp evaluate deploy/',
        'policies, roles, bindings and workloads in one folder',
      ],
    ],
    load: () => import('../commands/pod-security-psp-evaluate.ts'),
  },
  {
    name: 'pod-security upgrade',
    summary: 'What newer Pod Security Standards change for each namespace and workload',
    operands: '[PATH|-]…',
    options: [
      { name: 'from', value: 'VERSION', description: 'What the cluster has today: v1.33' },
      { name: 'to', value: 'VERSION', description: 'What it gets (default: the newest known)' },
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json'],
        description: 'How to print it',
      },
      ...reading,
    ],
    examples: [['sallyport pod-security upgrade --from v1.33 --to v1.37 deploy/', 'before a cluster moves']],
    load: () => import('../commands/pod-security-upgrade.ts'),
  },
  {
    name: 'pod-security show',
    summary: 'The security context of each container as it takes effect, and what it gives away',
    operands: '[PATH|-]…',
    options: [
      { name: 'workload', short: 'w', value: 'NAME', description: 'Only this one: web, or Deployment/web' },
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json', 'html'],
        description: 'How to print it',
      },
      ...reading,
    ],
    examples: [['sallyport pod-security show --workload Deployment/web deploy/', 'one workload']],
    load: () => import('../commands/pod-security-show.ts'),
  },
  {
    name: 'pod-security psp migrate',
    summary: 'From PodSecurityPolicies to labels and admission policies, tried on generated pods',
    operands: '[PATH|-]…',
    options: [
      { name: 'output', value: 'DIR', description: 'Write numbered files for a staged roll-out' },
      namespace,
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json'],
        description: 'How to print it',
      },
      ...reading,
    ],
    examples: [['sallyport pod-security psp migrate deploy/ --output migration', 'the way off, in stages']],
    load: () => import('../commands/pod-security-psp-migrate.ts'),
  },
];
