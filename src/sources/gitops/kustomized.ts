/** Kustomizations as Argo CD and Flux build them: with what these set in them, and those that no root would show. */
import type { KubeObject } from '#kube/objects.ts';
import { BuildError, type BuildOptions, build } from '#sources/kustomize/door.ts';
import { type Files, OverlaidFiles } from '#sources/kustomize/files.ts';
import type { Declared, Gap } from '#world/world.ts';
import type { Deployment } from './deployer.ts';

export interface BuiltDeployments {
  readonly built: ReadonlyMap<Deployment, readonly Declared[]>;
  readonly gaps: readonly Gap[];
}

/**
 * Builds, or knows what was built of the same.
 *
 * @param make builds from files
 */
export type RememberBuild = (
  deployment: Deployment,
  files: Files,
  make: (files: Files) => readonly Declared[],
) => readonly Declared[];

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * Builds what has to be built anew for a deployment.
 *
 * @param names the files of the tree
 * @param roots folders of kustomizations that were built as they are written
 * @param remember asked for every build; builds everything anew where it is absent
 */
export function builtDeployments(
  deployments: readonly Deployment[],
  files: Files,
  names: readonly string[],
  roots: ReadonlySet<string>,
  options: BuildOptions,
  remember: RememberBuild = (_, from, make) => make(from),
): BuiltDeployments {
  const known = new Set(names);
  const built = new Map<Deployment, readonly Declared[]>();
  const gaps: Gap[] = [];
  for (const deployment of deployments) {
    const { folder, overrides, declared, isDeep } = deployment;
    const has = NAMES.some(name => known.has(inside(folder, name)));
    if (has ? overrides === undefined && roots.has(folder) : overrides === undefined || !isDeep) {
      if (!has && overrides !== undefined)
        gaps.push(
          gap(deployment, `there is no kustomization in ${folder}, so its kustomize options have no effect`),
        );
      continue;
    }
    try {
      built.set(
        deployment,
        remember(deployment, has ? files : withKustomization(files, names, folder), from => {
          const { documents, origins } = build(from, folder, {
            ...options,
            ...(overrides === undefined ? {} : { overrides }),
          });
          return documents.map((object, i) => ({ object: object as KubeObject, origin: origins[i]! }));
        }),
      );
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      const [first] = error.message.split('\n');
      gaps.push(
        gap(
          { ...deployment, declared },
          `${folder === '' ? 'the kustomization' : folder} was not built as it is deployed: ${first}; it was judged as it is written`,
        ),
      );
    }
  }
  return { built, gaps };
}

function gap({ declared: { object, origin } }: Deployment, reason: string): Gap {
  return {
    file: origin.file,
    line: origin.line,
    reason: `${object.kind} ${String(object.metadata?.name ?? 'without a name')}: ${reason}`,
  };
}

const inside = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/**
 * The files with a kustomization that lists everything below a folder, as Flux makes one where there is none: manifests,
 * and folders that have a kustomization of their own. Source: fluxcd/pkg kustomize_generator.go (generateKustomization).
 */
function withKustomization(files: Files, names: readonly string[], folder: string): Files {
  const below = names.filter(name => folder === '' || name.startsWith(`${folder}/`));
  const own = new Set(
    below
      .filter(name => NAMES.some(one => name.endsWith(`/${one}`)))
      .map(name => name.slice(0, name.lastIndexOf('/'))),
  );
  const resources = new Set<string>();
  for (const name of below) {
    if (!/\.ya?ml$/.test(name)) continue;
    const parts = name.split('/');
    const nested = parts
      .map((_, at) => parts.slice(0, at).join('/'))
      .find(path => path.length > folder.length && own.has(path));
    resources.add((nested ?? name).slice(folder === '' ? 0 : folder.length + 1));
  }
  const text = JSON.stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...resources].sort(),
  });
  return new OverlaidFiles(
    files,
    new Map([[inside(folder, 'kustomization.yaml'), new TextEncoder().encode(text)]]),
  );
}
