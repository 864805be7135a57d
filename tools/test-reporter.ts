/** Says what failed, what was skipped and why, and closes with one line of counts. */
import { inspect } from 'node:util';

interface Event {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly file?: string;
    readonly line?: number;
    readonly skip?: string | boolean;
    readonly details?: { readonly type?: string; readonly error?: Error & { readonly cause?: unknown } };
    readonly counts?: {
      readonly passed: number;
      readonly failed: number;
      readonly skipped: number;
      readonly cancelled: number;
    };
    readonly message?: string;
  };
}

export default async function* reporter(source: AsyncIterable<Event>): AsyncGenerator<string> {
  const seen = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of source) {
    if (type === 'test:pass') {
      if (data.skip !== undefined) {
        seen.skipped++;
        yield `SKIPPED ${data.name}: ${data.skip}\n`;
      } else if (data.details?.type !== 'suite') seen.passed++;
    } else if (type === 'test:fail') {
      // A suite that fails only because its tests did has nothing of its own to say.
      const error = data.details?.error;
      if (data.details?.type === 'suite' && String(error?.message).includes('subtest')) continue;
      seen.failed++;
      yield `\nFAILED ${data.name} (${data.file}:${data.line})\n${inspect(error?.cause ?? error)}\n`;
    } else if (type === 'test:stderr' || type === 'test:stdout') yield data.message ?? '';
  }
  yield `\n${seen.passed} passed, ${seen.failed} failed, ${seen.skipped} skipped\n`;
}
