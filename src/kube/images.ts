/** References to container images, taken apart as the container runtimes do (distribution/reference). */

export interface ImageReference {
  /** `docker.io` where the reference names none. */
  readonly registry: string;
  /** Without the registry: `library/nginx`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…`. */
  readonly digest?: string;
}

const REFERENCE =
  /^(?:([a-zA-Z0-9.-]+(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?)\/)?([a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?::([\w][\w.-]{0,127}))?(?:@([a-z0-9+._-]+:[0-9a-fA-F]{32,}))?$/;

/**
 * Takes an image reference apart.
 *
 * @returns undefined where no runtime would accept it (an empty name, capitals, a template that was not filled in)
 */
export function parseImage(image: string): ImageReference | undefined {
  if (image.length > 1024) return undefined;
  const match = REFERENCE.exec(image);
  if (match === null) return undefined;
  let [, registry, repository, tag, digest] = match;
  // The first part is a registry only if it looks like a host: a dot, a port, or `localhost`.
  if (registry !== undefined && !/[.:]/.test(registry) && registry !== 'localhost') {
    repository = `${registry}/${repository}`;
    registry = undefined;
  }
  if (registry === undefined || registry === 'index.docker.io') {
    registry = 'docker.io';
    if (!repository!.includes('/')) repository = `library/${repository}`;
  }
  return {
    registry,
    repository: repository!,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Whether text holds a marker of a template engine, so that the value is not known yet. */
export function isTemplated(text: string): boolean {
  return text.includes('{{') || text.includes('${') || text.includes('$(');
}
