/** `sallyport lsp`: findings in an editor, while one types. */
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { Framing, FramingError, framed } from '../lsp/framing.ts';
import { LanguageServer } from '../lsp/server.ts';
import { print } from '../output.ts';

export async function run({ operands }: Parsed): Promise<number> {
  if (operands.length > 0)
    throw new UsageError('lsp takes no arguments: an editor speaks to it on standard input');
  const framing = new Framing();
  const server = new LanguageServer(message => print(framed(message)));
  for await (const chunk of process.stdin) {
    let bodies: string[];
    try {
      bodies = framing.push(chunk as Buffer);
    } catch (error) {
      if (error instanceof FramingError)
        throw new UsageError(error.message, 'lsp is for editors, not for people');
      throw error;
    }
    for (const body of bodies) {
      await server.receive(body);
      if (server.exitCode !== undefined) {
        process.stdin.destroy();
        return server.exitCode;
      }
    }
    await server.settle();
  }
  // The editor went away without a word.
  return EXIT.findings;
}
