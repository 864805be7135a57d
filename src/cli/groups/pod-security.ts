/** The commands of pod security, in the order of the help. */
import type { Command, Option } from '../command.ts';
import { formatOf, namespace, reading, target } from './options.ts';

const machine: readonly Option[] = [
  { name: 'architecture', value: 'NAME', description: 'Of the nodes: amd64 (default), arm64, s390x…' },
  {
    name: 'capability',
    value: 'NAME',
    many: true,
    description: 'One that the container has beside the usual: SYS_ADMIN',
  },
  formatOf('text', 'json'),
];

export const podSecurityCommands: readonly Command[] = [
  {
    name: 'pod-security levels',
    summary: 'The highest Pod Security level that each workload and namespace meets',
    operands: '[PATH|-]…',
    options: [
      formatOf('text', 'json'),
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
      formatOf('text', 'json'),
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
      formatOf('text', 'json'),
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
      formatOf('text', 'json'),
      ...reading,
    ],
    examples: [['sallyport pod-security upgrade --from v1.33 --to v1.37 deploy/', 'before a cluster moves']],
    load: () => import('../commands/pod-security-upgrade.ts'),
  },
  {
    name: 'pod-security show',
    summary: 'The security context of each container as it takes effect',
    operands: '[WORKLOAD] [PATH|-]…',
    options: [
      {
        name: 'workload',
        short: 'w',
        value: 'NAME',
        description:
          'Only this one, even where a path has its name: web, deployment/web, shop/deployment/web',
      },
      formatOf('text', 'json', 'html'),
      target,
      ...reading,
    ],
    examples: [
      ['sallyport pod-security show deployment/web deploy/', 'one workload: a first word that is no path'],
      ['sallyport pod-security show --format html > contexts.html', 'all that is here, as a page'],
    ],
    load: () => import('../commands/pod-security-show.ts'),
  },
  {
    name: 'pod-security psp migrate',
    summary: 'From PodSecurityPolicies to labels and admission policies, tried on pods',
    operands: '[PATH|-]…',
    options: [
      { name: 'output', value: 'DIR', description: 'Write numbered files for a staged roll-out' },
      {
        name: 'mutating',
        description: 'What the policies write into pods by a MutatingAdmissionPolicy, not by edits',
      },
      target,
      namespace,
      formatOf('text', 'json'),
      ...reading,
    ],
    examples: [
      ['sallyport pod-security psp migrate deploy/ --output migration', 'the way off, in stages'],
      [
        'sallyport pod-security psp migrate deploy/ --mutating --target-kubernetes 1.34 --output migration',
        'the cluster writes the defaults, not the manifests',
      ],
    ],
    load: () => import('../commands/pod-security-psp-migrate.ts'),
  },
  {
    name: 'pod-security export',
    summary: "A team's own profiles as ValidatingAdmissionPolicies, tried on pods",
    operands: '[PATH|-]…',
    options: [
      {
        name: 'action',
        value: 'ACTION',
        choices: ['deny', 'warn'],
        description: 'What the cluster does to pods that break one (default: deny)',
      },
      { name: 'output', value: 'FILE', description: 'Write them there' },
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['yaml', 'json'],
        description: 'How to print them; json says what was tried',
      },
      ...reading,
    ],
    examples: [
      ['sallyport pod-security export --action warn | kubectl apply -f -', 'first only warn'],
      [
        'sallyport pod-security export --output profiles.yaml deploy/',
        'with the SeccompProfile objects that profiles speak of',
      ],
    ],
    load: () => import('../commands/pod-security-export.ts'),
  },
  {
    name: 'pod-security profile lint',
    summary: 'What is wrong with seccomp, AppArmor and SELinux profiles, and what they open',
    operands: 'FILE…',
    options: [
      {
        name: 'against',
        value: 'PROFILE',
        description: 'What to compare with: RuntimeDefault@containerd-2.1, RuntimeDefault@docker',
      },
      ...machine,
    ],
    examples: [
      ['sallyport pod-security profile lint profiles/web.json', 'unknown calls, dead rules, ways out'],
    ],
    load: () => import('../commands/pod-security-profile-lint.ts'),
  },
  {
    name: 'pod-security profile diff',
    summary: 'What two profiles of one kind treat differently',
    operands: 'A B',
    options: machine,
    examples: [
      [
        'sallyport pod-security profile diff RuntimeDefault@containerd-2.1 web.json',
        'what a profile opens and closes',
      ],
    ],
    load: () => import('../commands/pod-security-profile-diff.ts'),
  },
  {
    name: 'pod-security profile explain',
    summary: 'What a profile says to a system call or an access, by which rule',
    operands: 'FILE',
    options: [
      { name: 'syscall', value: 'NAME', description: 'The call; all of them otherwise' },
      { name: 'arg', value: 'INDEX=VALUE', many: true, description: 'An argument of it: 0=0x10000000' },
      {
        name: 'access',
        value: 'ACCESS',
        many: true,
        description: 'SELinux var_log_t:file:write, AppArmor /etc/shadow:r or capability:sys_admin',
      },
      ...machine,
    ],
    examples: [
      [
        'sallyport pod-security profile explain RuntimeDefault@docker --syscall clone --arg 0=0x10000000',
        'may a container make user namespaces?',
      ],
    ],
    load: () => import('../commands/pod-security-profile-explain.ts'),
  },
  {
    name: 'pod-security profile derive',
    summary: 'The smallest profile that allows what records of a container hold',
    operands: 'LOG…',
    options: [
      {
        name: 'for',
        value: 'KIND',
        choices: ['seccomp', 'apparmor', 'selinux'],
        description: 'Which profile to write',
      },
      { name: 'name', value: 'NAME', description: 'What to call it' },
      { name: 'no-margin', description: 'Only what was seen, without what starts and stops need' },
      { name: 'architecture', value: 'NAME', description: 'Of the nodes: amd64 (default), arm64, s390x…' },
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['oci', 'object'],
        description: 'JSON for the kubelet, or a SeccompProfile object',
      },
    ],
    examples: [
      ['sallyport pod-security profile derive strace.log audit.log > web.json', 'several records in one'],
      [
        'sallyport pod-security profile derive --for selinux audit.log > web.yaml',
        'a SelinuxProfile that allows what was denied',
      ],
    ],
    load: () => import('../commands/pod-security-profile-derive.ts'),
  },
];
