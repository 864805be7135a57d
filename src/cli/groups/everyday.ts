/** The everyday verbs, in the order of the help. */
import type { Command } from '../command.ts';
import { formatOf, formats, profiles, reading, severities, target } from './options.ts';

export const everydayCommands: readonly Command[] = [
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
      { name: 'baseline', value: 'FILE', description: 'Fail only on findings that this file does not know' },
      {
        name: 'honor',
        value: 'TOOLS',
        many: true,
        description: 'Take marks of other tools for exceptions: kube-linter, checkov, trivy, polaris',
      },
      { name: 'show-rendered', description: 'Below the line to change, what a chart or overlay makes of it' },
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
    load: () => import('../commands/scan.ts'),
  },
  {
    name: 'fix',
    summary: 'Mend what can be mended, in the files themselves',
    operands: '[PATH]…',
    options: [
      { name: 'diff', description: 'Only show what would change' },
      { name: 'review', description: 'Also fixes that may change what a workload does; asks for each' },
      { name: 'yes', short: 'y', description: 'With --review: do not ask' },
      {
        name: 'level',
        value: 'LEVEL',
        choices: ['baseline', 'restricted'],
        description: 'Everything that a Pod Security level asks for, and what the images must then bear',
      },
      {
        name: 'as-patch',
        description: 'Mend what Kustomize builds by patches next to the overlay, never in its base',
      },
      { name: 'output-dir', value: 'DIR', description: 'Write changed files below this folder instead' },
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
      ['sallyport fix --level restricted deploy/', 'everything that the level asks for'],
    ],
    load: () => import('../commands/fix.ts'),
  },
  {
    name: 'inventory',
    summary: 'Show what was read, and how it was understood',
    operands: '[PATH|-]…',
    options: [
      formatOf('text', 'json'),
      { name: 'full', description: 'With json: every object exactly as kubectl would read it' },
      ...reading,
    ],
    examples: [
      ['sallyport inventory', 'which files count as what'],
      ['sallyport inventory --format json --full deploy/', 'the objects themselves'],
    ],
    load: () => import('../commands/inventory.ts'),
  },
  {
    name: 'checks',
    summary: 'List the checks',
    operands: '[WORD]…',
    options: [
      formatOf('text', 'json', 'markdown'),
      { name: 'profile', value: 'NAME', choices: profiles, description: 'Only the checks of this profile' },
      { name: 'since', value: 'VERSION', description: 'Only checks that are newer than this version' },
    ],
    examples: [
      ['sallyport checks', 'all of them'],
      ['sallyport checks cicd --profile default', 'those of one practice that run by default'],
      ['sallyport checks --since 0.1.0', 'what an upgrade from that version brings'],
      ['sallyport checks "CIS 5.2.2"', 'those that look after one control'],
    ],
    load: () => import('../commands/checks.ts'),
  },
  {
    name: 'explain',
    summary: 'Explain one check: why it matters, what to do, examples',
    operands: 'CHECK',
    options: [formatOf('text', 'json', 'markdown')],
    examples: [['sallyport explain pod-security/privileged', 'the page of a check']],
    load: () => import('../commands/explain.ts'),
  },
];
