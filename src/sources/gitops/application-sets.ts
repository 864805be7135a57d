/**
 * The Applications that an ApplicationSet makes: list and Git generators over the tree. Sources: argoproj/argo-cd
 * applicationset/generators (list.go, git.go), applicationset/utils (fasttemplate and Go templates).
 */
import { isRecord } from '#kube/objects.ts';
import { readDocuments } from '#yaml/read.ts';
import type { Tree } from './deployer.ts';

type Parameters = Readonly<Record<string, unknown>>;

const MAX_APPLICATIONS = 1000;

export interface Applications {
  readonly applications: readonly Readonly<Record<string, unknown>>[];
  readonly problems: readonly string[];
}

export function applicationsOf(spec: Readonly<Record<string, unknown>>, tree: Tree): Applications {
  const applications: Readonly<Record<string, unknown>>[] = [];
  const problems = new Set<string>();
  const go = spec['goTemplate'] === true;
  const generators = Array.isArray(spec['generators']) ? spec['generators'] : [];
  if (spec['templatePatch'] !== undefined) problems.add('its templatePatch is not applied');
  for (const generator of generators.filter(isRecord)) {
    const [kind = 'nothing'] = Object.keys(generator).filter(key => key !== 'selector' && key !== 'template');
    const made = parametersOf(kind, generator[kind], tree, go);
    if (made === undefined || generator['selector'] !== undefined) {
      problems.add(
        made === undefined
          ? `its ${kind} generator asks for more than the tree holds`
          : `the selector of its ${kind} generator is not applied`,
      );
      continue;
    }
    for (const parameters of made) {
      if (applications.length >= MAX_APPLICATIONS) {
        problems.add(`it makes more than ${MAX_APPLICATIONS} applications`);
        break;
      }
      try {
        const filled = filledIn(spec['template'], parameters, go);
        if (isRecord(filled)) applications.push(filled);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        problems.add(error.message);
      }
    }
  }
  return { applications, problems: [...problems] };
}

function parametersOf(kind: string, value: unknown, tree: Tree, go: boolean): Parameters[] | undefined {
  if (!isRecord(value)) return undefined;
  if (kind === 'list') {
    const { elements } = value;
    if (!Array.isArray(elements)) return undefined;
    return elements.filter(isRecord).map(element => (go ? element : flattened(element)));
  }
  if (kind !== 'git') return undefined;
  const extra = isRecord(value['values']) ? { values: value['values'] } : {};
  const { directories, files } = value;
  if (Array.isArray(directories)) {
    const folders = new Set<string>();
    for (const name of tree.names)
      for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1))
        folders.add(name.slice(0, at));
    return matching([...folders].sort(), directories).map(folder => withPath(folder, extra, go));
  }
  if (Array.isArray(files))
    return matching([...tree.names].sort(), files).flatMap(file => {
      const documents = readDocuments(tree.text(file) ?? '').flatMap(one =>
        one.is === 'value' ? [one.value] : [],
      );
      return documents
        .flatMap(one => (Array.isArray(one) ? one : [one]))
        .filter(isRecord)
        .map(one =>
          withPath(file.slice(0, Math.max(0, file.lastIndexOf('/'))), { ...one, ...extra }, go, file),
        );
    });
  return undefined;
}

/** The paths that one of the patterns takes and none excludes; a star does not go over a slash, two do. */
function matching(paths: readonly string[], patterns: readonly unknown[]): string[] {
  const of = (exclude: boolean) =>
    patterns
      .filter(isRecord)
      .filter(one => (one['exclude'] === true) === exclude && typeof one['path'] === 'string')
      .map(one => patternOf(one['path'] as string));
  const [wanted, excluded] = [of(false), of(true)];
  return paths.filter(
    path => wanted.some(pattern => pattern.test(path)) && !excluded.some(pattern => pattern.test(path)),
  );
}

function patternOf(glob: string): RegExp {
  const body = glob
    .replace(/^\.?\/+|\/+$/g, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, found => (found === '*' ? '[^/]*' : found === '?' ? '[^/]' : '.*'));
  return new RegExp(`^${body}$`);
}

function withPath(folder: string, more: Parameters, go: boolean, file?: string): Parameters {
  const segments = folder.split('/');
  const basename = segments.at(-1)!;
  const normalized = basename.replace(/[^a-zA-Z0-9-]/g, '-');
  const filename = file?.slice(file.lastIndexOf('/') + 1);
  if (go) {
    const path = {
      path: folder,
      basename,
      basenameNormalized: normalized,
      segments,
      ...(filename === undefined ? {} : { filename }),
    };
    return { ...more, path };
  }
  return {
    ...flattened(more),
    path: folder,
    'path.basename': basename,
    'path.basenameNormalized': normalized,
    ...Object.fromEntries(segments.map((segment, i) => [`path[${i}]`, segment])),
    ...(filename === undefined ? {} : { 'path.filename': filename }),
  };
}

function flattened(value: unknown, prefix = ''): Record<string, unknown> {
  const entries = Array.isArray(value)
    ? [...value.entries()]
    : isRecord(value)
      ? Object.entries(value)
      : undefined;
  if (entries === undefined) return { [prefix]: value };
  return Object.assign(
    {},
    ...entries.map(([key, one]) => flattened(one, prefix === '' ? String(key) : `${prefix}.${key}`)),
  ) as Record<string, unknown>;
}

class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Fills in `{{name}}`, or `{{ .name }}` where the templates are Go's; of those, plain fields only. */
function filledIn(value: unknown, parameters: Parameters, go: boolean): unknown {
  if (Array.isArray(value)) return value.map(one => filledIn(one, parameters, go));
  if (isRecord(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        String(filledIn(key, parameters, go)),
        filledIn(one, parameters, go),
      ]),
    );
  if (typeof value !== 'string' || !value.includes('{{')) return value;
  return value.replace(/\{\{-?\s*([^{}]*?)\s*-?\}\}/g, (whole, expression: string) => {
    const path = go ? /^\.([\w.]+)$/.exec(expression)?.[1] : expression;
    if (path === undefined)
      throw new TemplateError(`its template needs ${whole} worked out, which is not done`);
    const found = go
      ? path.split('.').reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), parameters)
      : parameters[path];
    if (found === undefined) {
      if (go) throw new TemplateError(`its template speaks of ${whole}, which no generator gives`);
      return whole;
    }
    return String(found);
  });
}
