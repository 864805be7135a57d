/** `sallyport inventory`: what was read, and how it was understood. */

import { toJson } from '#kube/json.ts';
import { nameOf } from '#kube/objects.ts';
import type { FileRecord, Manifests } from '#sources/manifests/manifests.ts';
import type { Declared } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT } from '../errors.ts';
import { readInput } from '../input.ts';
import { print } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const manifests = await readInput(parsed, parsed.operands, config, { lean: false });
  print(parsed.value('format') === 'json' ? json(manifests, parsed.has('full')) : text(manifests));
  return manifests.declared.length === 0 ? EXIT.unknown : EXIT.clean;
}

function json({ files, declared }: Manifests, full: boolean): string {
  return toJson({ files, objects: declared.map(one => entry(one, full)) });
}

function entry({ object, origin, environments }: Declared, full: boolean): Record<string, unknown> {
  const { file, line, document, item } = origin;
  return {
    file,
    line,
    document,
    ...(item === undefined ? {} : { item }),
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: object.metadata?.namespace ?? null,
    name: nameOf(object),
    ...(environments === undefined ? {} : { environments }),
    ...(full ? { object } : {}),
  };
}

function text({ files, declared }: Manifests): string {
  const byFile = Map.groupBy(declared, ({ origin }) => origin.file);
  const lines = files
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .flatMap(file => describe(file, byFile.get(file.file) ?? []));
  const counts = Map.groupBy(files, ({ understood }) => understood);
  const summary = [...counts].map(([understood, of]) => `${of.length} ${understood}`).join(', ');
  return `${lines.join('\n')}\n\n${files.length} files (${summary}), ${declared.length} objects\n`;
}

function describe({ file, understood, reason }: FileRecord, declared: readonly Declared[]): string[] {
  return [
    `${file}: ${understood}${reason === undefined ? '' : ` (${reason})`}`,
    ...declared.map(({ object, origin, environments = [], among = 1 }) => {
      const namespace = object.metadata?.namespace;
      // What holds in all of them need not be said of each.
      const where =
        environments.length > 0 && environments.length < among
          ? ` in ${environments.map(one => one || '.').join(', ')}`
          : '';
      return `  ${origin.line}: ${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${nameOf(object)} (${object.apiVersion})${where}`;
    }),
  ];
}
