/**
 * `sallyport render`: a chart, as helm template prints it, or with the origin of every line; a kustomization, as kubectl
 * kustomize prints it; the manifests of any other folder.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toJson } from '#kube/json.ts';
import { BudgetError } from '#sources/helm/budget.ts';
import { readChart } from '#sources/helm/folder.ts';
import { mayNeedRe2 } from '#sources/helm/regexes.ts';
import { type RenderedChart, renderChartFiles } from '#sources/helm/render.ts';
import type { LineOrigin } from '#sources/helm/trace.ts';
import { GoError, wellFormed } from '#sources/helm/value.ts';
import { emit } from '#sources/kustomize/emit.ts';
import { DiskTree } from '#sources/manifests/files.ts';
import { chartRenderer } from '#sources/manifests/kustomizations.ts';
import { isKustomizationName } from '#sources/manifests/recognise.ts';
import { shownName, walk } from '#sources/manifests/walk.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const [first, second] = parsed.operands;
  if (first === undefined || parsed.operands.length > 2)
    throw new UsageError(
      'render needs the path of a chart, a kustomization or a folder',
      'for example: sallyport render charts/shop',
    );
  const path = second ?? first;
  const releaseName = parsed.value('release-name') ?? (second === undefined ? undefined : first);
  if (stats(path).isDirectory() && !existsSync(join(path, 'Chart.yaml'))) return renderFolder(parsed, path);
  const optional = <Key extends string, Value>(key: Key, value: Value | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { readonly [one in Key]?: Value };
  const traced = parsed.has('provenance') || parsed.value('format') === 'json';
  let rendered: RenderedChart;
  try {
    const valueFiles = parsed.values('values').map(name => ({ name, text: fileText(name) }));
    const isFolder = stats(path).isDirectory();
    const files = readChart(path);
    if (mayNeedRe2(files) || parsed.values('values').length > 0) await import('#sources/helm/re2.ts');
    rendered = renderChartFiles(files, {
      ...optional('releaseName', releaseName),
      ...optional('namespace', parsed.value('namespace')),
      ...optional('kubeVersion', parsed.value('kube-version')),
      valueFiles,
      set: parsed.values('set'),
      setString: parsed.values('set-string'),
      setJson: parsed.values('set-json'),
      setFile: parsed.values('set-file'),
      setLiteral: parsed.values('set-literal'),
      skipTests: parsed.has('skip-tests'),
      skipSchemaValidation: parsed.has('skip-schema-validation'),
      readFile: fileText,
      apiVersions: parsed.values('api-versions'),
      includeCrds: parsed.has('include-crds'),
      noHooks: parsed.has('no-hooks'),
      showOnly: parsed.values('show-only'),
      folder: isFolder ? path.replace(/\/+$/, '') : path,
      trace: traced,
    });
  } catch (error) {
    if (!(error instanceof GoError) && !(error instanceof BudgetError)) throw error;
    tell(`Error: ${error.message}\n`);
    return EXIT.unknown;
  }
  for (const warning of rendered.warnings) tell(`sallyport: ${warning}\n`);
  if (parsed.value('format') === 'json') print(toJson(asData(rendered)));
  else if (parsed.has('provenance')) print(gutter(rendered));
  else print(wellFormed(rendered.text));
  return EXIT.clean;
}

/** A kustomization, or manifests as they are written. */
async function renderFolder(parsed: Parsed, path: string): Promise<number> {
  const cwd = process.cwd();
  const folder = shownName(resolve(path), cwd);
  const root = folder === '.' ? '' : folder;
  const found = KUSTOMIZATIONS.find(name => existsSync(join(path, name)));
  const json = parsed.value('format') === 'json';
  if (found === undefined) {
    const { declared, gaps } = await readInput(parsed, [path], [], false);
    for (const { file, line, reason } of gaps) tell(`sallyport: ${file ?? path}:${line ?? 1}: ${reason}\n`);
    const objects = declared.map(({ object }) => object);
    if (json) print(toJson({ documents: objects }));
    else {
      print(objects.map(object => `---\n${emitted(object)}`).join(''));
    }
    return gaps.length > 0 ? EXIT.unknown : EXIT.clean;
  }
  const { renderKustomization } = await import('#sources/kustomize/roots.ts');
  const { BuildError } = await import('#sources/kustomize/door.ts');
  const { files } = walk(['.'], { cwd, noIgnore: false, exclude: [] });
  const tree = new DiskTree(cwd, Infinity);
  const onDisk = tree.files(files);
  const kustomizations = files.map(({ name }) => name).filter(isKustomizationName);
  const renderChart = await chartRenderer(onDisk, [...kustomizations, join(root, found)], () =>
    tree.charts(),
  );
  try {
    const built = renderKustomization(onDisk, root, {
      top: cwd,
      ...(renderChart === undefined ? {} : { renderChart }),
    });
    for (const warning of built.warnings) tell(`sallyport: ${warning}\n`);
    if (json)
      print(
        toJson({
          documents: built.documents.map((object, i) => {
            const { file, line } = built.origins[i]!;
            return { file, line, object };
          }),
        }),
      );
    else if (parsed.has('provenance'))
      print(
        built.documents
          .map((object, i) => {
            const { file, line } = built.origins[i]!;
            return `---\n# ${file}:${line}\n${emitted(object)}`;
          })
          .join(''),
      );
    else print(built.text);
    return EXIT.clean;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    tell(`error: ${error.message}\n`);
    return EXIT.unknown;
  }
}

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

const emitted = (object: object): string => emit(object as never);

function stats(path: string) {
  try {
    return statSync(path);
  } catch {
    throw new UsageError(`there is no ${path}`, 'give the folder of a chart, or its .tgz');
  }
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new GoError(`open ${path}: no such file or directory`);
  }
}

/** `values.yaml:12 → templates/deployment.yaml:33`. */
function originText(origin: LineOrigin | undefined, sources: RenderedChart['sources']): string {
  if (origin === undefined) return '';
  const { file, line } = origin.template;
  const template = `${sources.get(file)?.file ?? file}:${line}`;
  const value = origin.values.at(-1);
  const made = origin.unresolved === undefined ? '' : ` (${origin.unresolved})`;
  return (value === undefined ? template : `${value.file}:${value.line} → ${template}`) + made;
}

function gutter({ documents, sources }: RenderedChart): string {
  const rows = documents.flatMap(document => [
    ['', '---'] as const,
    ['', `# Source: ${document.source}`] as const,
    ...document.text.split('\n').map((line, at) => [originText(document.lines[at], sources), line] as const),
  ]);
  const width = Math.min(
    60,
    rows.reduce((most, [origin]) => Math.max(most, origin.length), 0),
  );
  return rows.map(([origin, line]) => `${origin.padEnd(width)} | ${line}\n`).join('');
}

function asData({ documents, sources, chart, warnings }: RenderedChart) {
  return {
    chart,
    warnings,
    documents: documents.map(document => ({
      source: document.source,
      hooks: document.hooks,
      lines: document.text.split('\n').map((text, at) => {
        const origin = document.lines[at];
        if (origin === undefined) return { text };
        const file = sources.get(origin.template.file)?.file ?? origin.template.file;
        return {
          text,
          template: { ...origin.template, file },
          values: origin.values,
          ...(origin.unresolved === undefined ? {} : { unresolved: origin.unresolved }),
        };
      }),
      notRendered: document.branches
        .filter(({ taken }) => !taken)
        .map(({ file, line, condition, values }) => ({
          file: sources.get(file)?.file ?? file,
          line,
          condition,
          values,
        })),
    })),
  };
}
