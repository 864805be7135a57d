/** The commands by which Sallyport comes to be at home: in a repository, a shell and an editor. */
import type { Command } from '../command.ts';
import { systems } from '../pipelines.ts';
import { reading } from './options.ts';

/** @param all every command, these included: what completions are made of */
export const setupCommands = (all: () => readonly Command[]): readonly Command[] => [
  {
    name: 'init',
    summary: 'Set up a repository: configuration, CI step, pre-commit entry',
    options: [
      { name: 'dry-run', description: 'Only show what would be written' },
      {
        name: 'ci',
        value: 'NAME',
        many: true,
        choices: [...systems, 'none'],
        description: 'The CI system (default: those that have files here, else that of the Git host)',
      },
      { name: 'pre-commit', description: 'Make a .pre-commit-config.yaml where there is none' },
      ...reading.filter(({ name }) => name !== 'config'),
    ],
    examples: [
      ['sallyport init --dry-run', 'what it would write'],
      ['sallyport init --ci gitlab', 'for a CI system that it did not recognise'],
    ],
    load: () => import('../commands/init.ts'),
  },
  {
    name: 'completion',
    summary: 'Print completions for a shell: bash, zsh or fish',
    operands: 'SHELL',
    options: [],
    examples: [
      ['source <(sallyport completion bash)', 'in ~/.bashrc'],
      ['sallyport completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    load: async () => {
      const { complete } = await import('../commands/completion.ts');
      return { run: parsed => complete(parsed, all()) };
    },
  },
  {
    name: 'lsp',
    summary: 'Language server for editors: findings, fixes and pages while one types',
    options: [],
    examples: [['sallyport lsp', 'what the editor starts; it speaks on standard input and output']],
    load: () => import('../commands/lsp.ts'),
  },
];
