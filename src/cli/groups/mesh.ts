/** The commands of network and mesh, in the order of the help. */
import type { Command, Option } from '../command.ts';
import { needOptions } from './mesh-options.ts';
import { reading } from './options.ts';

const assume: Option = {
  name: 'assume',
  value: 'WHAT',
  many: true,
  choices: [
    'unlabelled-namespaces',
    'ip-blocks-match-pods',
    'ip-blocks-miss-pods',
    'no-enforcement',
    'sidecars',
    'ambient',
    'refused-policies-absent',
    'refused-policies-applied',
  ],
  description: 'What to take for granted where the input does not say it',
};
const format: Option = {
  name: 'format',
  short: 'o',
  value: 'FORMAT',
  choices: ['text', 'json'],
  description: 'How to print it',
};

export const meshCommands: readonly Command[] = [
  {
    name: 'mesh connections',
    summary: 'Who reaches whom, encrypted or not: a table or a map',
    operands: '[PATH…]',
    options: [
      { ...format, choices: ['text', 'json', 'csv', 'dot', 'mermaid', 'svg', 'html'] },
      { name: 'workload', value: 'NS/NAME', description: 'Only what reaches this one, and what it reaches' },
      { name: 'namespace', short: 'n', value: 'NAME', description: 'Only workloads of this namespace' },
      { name: 'external', description: 'Only workloads that the outside reaches, or that reach it' },
      assume,
      ...reading,
    ],
    examples: [
      ['sallyport mesh connections manifests/', 'the relation, grouped for people'],
      ['sallyport mesh connections -o html manifests/ > map.html', 'a map to search and zoom'],
    ],
    load: () => import('../commands/mesh-connections.ts'),
  },
  {
    name: 'mesh explain',
    summary: 'Whether one workload reaches another, and what decides it',
    operands: '[PATH…]',
    options: [
      { name: 'from', value: 'PEER', description: 'Who connects: namespace/name, or an address' },
      {
        name: 'to',
        value: 'PEER',
        description: 'To whom: namespace/name, an address, or a host outside (api.example.com)',
      },
      { name: 'port', value: 'PORT', description: "The destination pod's port (default: those it declares)" },
      { name: 'method', value: 'METHOD', description: 'The method of the request' },
      { name: 'path', value: 'PATH', description: 'The path of the request' },
      format,
      assume,
      ...reading,
    ],
    examples: [
      ['sallyport mesh explain --from shop/cart --to shop/payments --port 8443', 'with every deciding line'],
    ],
    load: () => import('../commands/mesh-explain.ts'),
  },
  {
    name: 'mesh exposure',
    summary: 'What can be reached from outside, and through which objects',
    operands: '[PATH…]',
    options: [format, assume, ...reading],
    examples: [['sallyport mesh exposure manifests/', 'every way in, with its TLS']],
    load: () => import('../commands/mesh-exposure.ts'),
  },
  {
    name: 'mesh diff',
    summary: 'What a change opens, exposes or stops encrypting; exit code 1 where it does',
    operands: 'BASE HEAD [PATH…]',
    options: [format, assume, ...reading],
    examples: [
      ['sallyport mesh diff origin/main HEAD', 'a gate for a pull request'],
      ['sallyport mesh diff before/ after/', 'two folders, or files'],
    ],
    load: () => import('../commands/mesh-diff.ts'),
  },
  {
    name: 'mesh advise',
    summary: 'Policies that allow exactly what is needed, proven, as steps to apply',
    operands: '[PATH…]',
    options: [
      {
        name: 'as',
        value: 'FORM',
        many: true,
        choices: ['network-policy', 'istio', 'linkerd'],
        description: 'What to write; again for a second layer (default: what the input uses)',
      },
      { name: 'namespace', short: 'n', value: 'NAME', many: true, description: 'Only close this namespace' },
      ...needOptions,
      { name: 'keep', description: 'Also need what works today, so that nothing changes' },
      {
        name: 'dataplane',
        value: 'KIND',
        choices: ['sidecar', 'ambient'],
        description: 'How workloads join Istio that are in no mesh yet (default: sidecar)',
      },
      { name: 'output-dir', value: 'DIR', description: 'Write numbered files, and a README of the steps' },
      format,
      assume,
      ...reading,
    ],
    examples: [
      ['sallyport mesh advise manifests/ > policies.yaml', 'from what the manifests name'],
      ['sallyport mesh advise --as istio --flows hubble.json --output-dir policies m/', 'steps to follow'],
      ['sallyport mesh advise --as network-policy --as linkerd manifests/', 'two layers, proven together'],
    ],
    load: () => import('../commands/mesh-advise.ts'),
  },
  {
    name: 'mesh simulate',
    summary: 'What a policy would open and close, before it is applied',
    operands: '[PATH…]',
    options: [
      { name: 'apply', value: 'FILE', many: true, description: 'What would be applied' },
      ...needOptions,
      format,
      assume,
      ...reading,
    ],
    examples: [['sallyport mesh simulate --apply deny.yaml manifests/', 'who would lose a connection']],
    load: () => import('../commands/mesh-simulate.ts'),
  },
];
