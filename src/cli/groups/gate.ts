/** The commands that keep a gate: what is accepted today, by whom, and what a change does. */
import type { Command, Option } from '../command.ts';
import { formats, profiles, reading, severities, target } from './options.ts';

const textOrJson: Option = {
  name: 'format',
  short: 'o',
  value: 'FORMAT',
  choices: ['text', 'json'],
  description: 'How to print it',
};

const choosing: readonly Option[] = [
  { name: 'profile', value: 'NAME', choices: profiles, description: 'Which checks to run' },
  { name: 'check', value: 'WORD', many: true, description: 'Only these: checks, practices or frameworks' },
  { name: 'skip', value: 'WORD', many: true, description: 'Not these: the same words' },
  target,
];

const honor: Option = {
  name: 'honor',
  value: 'TOOLS',
  many: true,
  description: 'Take marks of other tools too: kube-linter, checkov, trivy, polaris',
};

const file: Option = {
  name: 'file',
  value: 'FILE',
  description: 'The baseline (default: as sallyport.yaml says, else sallyport-baseline.txt)',
};

/** How a report is made, and what shuts the gate: as for a scan. */
const reporting: readonly Option[] = [
  {
    name: 'format',
    short: 'o',
    value: 'FORMAT[=FILE]',
    many: true,
    choices: formats,
    description: 'How to report; may be repeated, each into its own file',
  },
  { name: 'output', value: 'FILE', description: 'Write the report to this file' },
  {
    name: 'fail-on',
    value: 'SEVERITY',
    choices: [...severities, 'never'],
    description: 'Exit with 1 on what is as bad as this, or worse (default: high)',
  },
  { name: 'allow-unknown', description: 'Exit with 0 although something could not be judged' },
  { name: 'verbose', short: 'v', description: 'Show everything' },
];

export const gateCommands: readonly Command[] = [
  {
    name: 'diff',
    summary: 'What a change does to security',
    operands: 'BASE HEAD [PATH]…',
    options: [...reporting, ...choosing, honor, ...reading.filter(({ name }) => name !== 'no-ignore')],
    examples: [
      ['sallyport diff main HEAD', 'two commits, read from the repository; the work tree is not touched'],
      ['sallyport diff origin/main...HEAD --format markdown', 'from where the branches parted'],
      ['sallyport diff old/ new/', 'two folders, or files'],
    ],
    load: () => import('../commands/diff.ts'),
  },
  {
    name: 'ci',
    summary: 'The right thing in a pipeline: diff on pull requests, scan on branches',
    options: [
      {
        name: 'base',
        value: 'REF',
        description: 'What a change is compared with (default: as the CI system says)',
      },
      ...reporting.filter(({ name }) => name !== 'format' && name !== 'output'),
      ...choosing,
      honor,
      ...reading,
    ],
    examples: [
      ['sallyport ci', 'annotations, summary, SARIF and JUnit files, as the system takes them'],
      ['sallyport ci --base origin/main', 'where the system does not say what a pull request goes into'],
      ['sallyport ci --fail-on never', 'only tells'],
    ],
    load: () => import('../commands/ci.ts'),
  },
  {
    name: 'baseline create',
    summary: 'Accept the findings of today: from now on only new ones fail',
    operands: '[PATH]…',
    options: [
      file,
      { name: 'force', description: 'Write over a baseline that is there' },
      ...choosing,
      honor,
      ...reading,
    ],
    examples: [
      ['sallyport baseline create', 'into sallyport-baseline.txt, to be committed'],
      ['sallyport scan --baseline sallyport-baseline.txt', 'the scan that goes with it'],
    ],
    load: async () => ({ run: (await import('../commands/baseline.ts')).create }),
  },
  {
    name: 'baseline update',
    summary: 'Take out of the baseline what was mended',
    operands: '[PATH]…',
    options: [
      file,
      { name: 'accept-new', description: 'Accept what is new besides' },
      ...choosing,
      honor,
      ...reading,
    ],
    examples: [
      ['sallyport baseline update', 'says what is gone, and removes it'],
      ['sallyport baseline update --accept-new', 'with what a new version of the checks finds'],
    ],
    load: async () => ({ run: (await import('../commands/baseline.ts')).update }),
  },
  {
    name: 'baseline show',
    summary: 'Show what the baseline holds',
    options: [file, textOrJson, ...reading.filter(({ name }) => name === 'config')],
    examples: [['sallyport baseline show', 'by check, with counts']],
    load: async () => ({ run: (await import('../commands/baseline.ts')).show }),
  },
  {
    name: 'exceptions list',
    summary: 'List the exceptions: what, by whom, until when, and whether of use',
    operands: '[PATH]…',
    options: [
      {
        name: 'expiring',
        value: 'DAYS',
        description: 'Only those that end within so many days (30d), or have ended',
      },
      textOrJson,
      honor,
      ...choosing.filter(({ name }) => name !== 'skip' && name !== 'check'),
      ...reading,
    ],
    examples: [
      ['sallyport exceptions list', 'from sallyport.yaml and from comments'],
      ['sallyport exceptions list --expiring 30d', 'what somebody has to look at soon'],
    ],
    load: async () => ({ run: (await import('../commands/exceptions.ts')).list }),
  },
  {
    name: 'exceptions import',
    summary: "Turn other tools' marks and ignore files into records for sallyport.yaml",
    operands: '[PATH]…',
    options: [
      {
        name: 'from',
        value: 'TOOLS',
        many: true,
        description: 'Whose: kube-linter, checkov, trivy, polaris (default: all)',
      },
      {
        name: 'settings',
        value: 'FILE',
        many: true,
        description: 'Their ignore or configuration file, where it is not one of the usual names',
      },
      { name: 'owner', value: 'NAME', description: 'Who answers for them from now on' },
      { name: 'until', value: 'DATE', description: 'The last day on which they hold: 2027-01-31' },
      ...reading,
    ],
    examples: [
      [
        'sallyport exceptions import --from checkov --owner @payments --until 2027-06-30',
        'prints what to paste',
      ],
    ],
    load: async () => ({ run: (await import('../commands/exceptions.ts')).importForeign }),
  },
];
