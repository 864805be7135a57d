/** Versions of Kubernetes as people write them. */
import { newestMinor } from '#world/world.ts';
import { UsageError } from './errors.ts';

/**
 * The minor version of `1.34`, `v1.34` or `1.34.2`; `latest` and undefined mean the newest known.
 *
 * @throws UsageError for anything else, and for versions that are not known
 */
export function minorOf(text: string | undefined, option: string): number {
  if (text === undefined || text === 'latest') return newestMinor;
  const minor = /^v?1\.(\d{1,3})(?:\.\d+)?(?:[-+].*)?$/.exec(text)?.[1];
  if (minor === undefined)
    throw new UsageError(`${option}: "${text}" is no version of Kubernetes`, 'write it like 1.34');
  if (Number(minor) > newestMinor)
    throw new UsageError(
      `${option}: 1.${minor} is newer than what is known here`,
      `the newest known is 1.${newestMinor}`,
    );
  return Number(minor);
}
