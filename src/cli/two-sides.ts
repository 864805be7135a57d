/** The two sides of a comparison as words name them. */
import { UsageError } from './errors.ts';

export interface Named {
  readonly base: string;
  readonly head: string;
  readonly paths: readonly string[];
}

/**
 * `BASE HEAD`, `BASE..HEAD`, or `BASE...HEAD`: from where the two parted.
 *
 * @throws UsageError where there are no two
 */
export async function twoSides([first, ...rest]: readonly string[], command: string): Promise<Named> {
  const dots = /^(.*?)(\.{2,3})(?![./])(.*)$/.exec(first ?? '');
  if (dots !== null && dots[1] !== '' && !dots[1]!.endsWith('/')) {
    const [, a, kind, b] = dots as unknown as [string, string, string, string];
    const head = b === '' ? 'HEAD' : b;
    return { base: kind === '...' ? await parting(a, head) : a, head, paths: rest };
  }
  const [second, ...paths] = rest;
  if (first === undefined || second === undefined)
    throw new UsageError(
      'diff compares two things',
      `for example: sallyport ${command} main HEAD, sallyport ${command} origin/main...HEAD, sallyport ${command} old/ new/`,
    );
  return { base: first, head: second, paths };
}

async function parting(a: string, b: string): Promise<string> {
  const { GitError, Repository } = await import('#sources/git/repository.ts');
  const repository = Repository.find(process.cwd());
  if (repository === undefined)
    throw new UsageError(`${a}...${b} asks for commits, and here is no Git repository`);
  try {
    return repository.mergeBase(repository.commit(a), repository.commit(b)).slice(0, 12);
  } catch (error) {
    if (error instanceof GitError) throw new UsageError(error.message);
    throw error;
  }
}
