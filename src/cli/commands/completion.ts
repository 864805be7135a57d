/** `sallyport completion`: what a shell sources to complete our words. */
import { idOf } from '#check/check.ts';
import { checks } from '#practices/index.ts';
import type { Command, Parsed } from '../command.ts';
import { completionFor, type Shell, shells } from '../completion.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';

export function complete({ operands }: Parsed, commands: readonly Command[]): number {
  const [shell, ...more] = operands;
  if (shell === undefined || more.length > 0 || !shells.includes(shell as Shell))
    throw new UsageError(
      `completion takes one of ${shells.join(', ')}`,
      'for example: sallyport completion bash',
    );
  print(completionFor(shell as Shell, commands, checks.map(idOf)));
  return EXIT.clean;
}
