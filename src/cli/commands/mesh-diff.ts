/** `sallyport mesh diff`: what a change opens and closes; a gate. */
import { GitError } from '#sources/git/repository.ts';
import type { Parsed } from '../command.ts';
import { sides } from '../compared.ts';
import { readConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import { inEnvironment } from '../input.ts';
import { type Cluster, clusterFrom, clusterOf } from '../mesh.ts';
import { difference } from '../mesh-difference.ts';
import { twoSides } from '../two-sides.ts';

export async function run(parsed: Parsed): Promise<number> {
  const { base, head, paths } = await twoSides(parsed.operands, 'mesh diff');
  try {
    const [before, after] = sides(base, head, paths);
    if (paths.length > 0 && before.commit === undefined && after.commit === undefined)
      throw new UsageError(
        'paths confine a comparison of commits',
        'for example: mesh diff main HEAD deploy/',
      );
    return await difference(parsed, await clusterOfSide(parsed, before), await clusterOfSide(parsed, after));
  } catch (error) {
    if (error instanceof GitError) throw new UsageError(error.message);
    throw error;
  }
}

/** A commit, or a file or folder; both as the configuration of the working directory has it. */
async function clusterOfSide(parsed: Parsed, side: ReturnType<typeof sides>[0]): Promise<Cluster> {
  if (side.commit === undefined) return clusterOf(parsed, [side.name]);
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const exclude = [...config.ignore, ...parsed.values('exclude')];
  return clusterFrom(
    parsed,
    inEnvironment(parsed, await side.manifests(exclude, config.charts, parsed.has('no-hooks'))),
  );
}
