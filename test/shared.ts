/** Where the public conformance suites lie. A plain clone does not have them: its tests say so and skip. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';

const root = resolve(import.meta.dirname, '..');

/** The folder of the suites (`$SALLYPORT_SHARED`, or `../shared` beside the project), or undefined. */
export function sharedFolder(): string | undefined {
  const named = process.env['SALLYPORT_SHARED'];
  const folder = named !== undefined && named !== '' ? resolve(named) : join(dirname(root), 'shared');
  return existsSync(join(folder, 'conformance')) ? folder : undefined;
}

/**
 * Registers the tests of one suite, or one skipped test that says aloud what did not run.
 *
 * @param name the suite's path below the shared folder, for example `conformance/pod-security`
 * @param tests called with the suite's absolute path
 */
export function withShared(name: string, tests: (path: string) => void): void {
  const folder = sharedFolder();
  const path = folder === undefined ? undefined : join(folder, name);
  describe(name, () => {
    if (path !== undefined && existsSync(path)) tests(path);
    else
      it('SKIPPED: the suite is not on this machine', {
        skip: `${name} is not here; set SALLYPORT_SHARED`,
      }, () => {});
  });
}
