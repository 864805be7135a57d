/**
 * `sallyport render`: a chart, as helm template prints it; a kustomization, as kubectl kustomize prints it; what an object
 * of Argo CD or Flux deploys; the manifests of any other folder. With --provenance, where every line came from.
 */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { toJson } from '#kube/json.ts';
import { formatPath, type Path } from '#kube/objects.ts';
import { type Deployment, isDeployer } from '#sources/gitops/deployer.ts';
import { BudgetError } from '#sources/helm/budget.ts';
import { readChartFolder } from '#sources/helm/folder.ts';
import '#sources/helm/re2.ts';
import { type ChartOptions, type RenderedChart, renderChartFiles } from '#sources/helm/render.ts';
import type { LineOrigin } from '#sources/helm/trace.ts';
import { GoError, wellFormed } from '#sources/helm/value.ts';
import type { Files } from '#sources/kustomize/files.ts';
import { BuildError } from '#sources/kustomize/node.ts';
import { isKustomizationName } from '#sources/manifests/recognise.ts';
import { shownName } from '#sources/manifests/walk.ts';
import type { Position } from '#world/origin.ts';
import type { Declared } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const [first, second] = parsed.operands;
  if (first === undefined || parsed.operands.length > 2)
    throw new UsageError(
      'render needs the path of a chart, a kustomization, a GitOps object or a folder',
      'for example: sallyport render charts/shop',
    );
  const path = second ?? first;
  const name = parsed.value('release-name') ?? (second === undefined ? undefined : first);
  try {
    const isFolder = stats(path).isDirectory();
    if (isFolder ? existsSync(join(path, 'Chart.yaml')) : /\.(?:tgz|tar\.gz)$/.test(path))
      return await renderChart(parsed, path, await userOptions(parsed, name));
    if (!isFolder && isKustomizationName(basename(path))) return await renderOverlay(parsed, dirname(path));
    if (isFolder && KUSTOMIZATIONS.some(one => existsSync(join(path, one))))
      return await renderOverlay(parsed, path);
    return isFolder ? await renderPlain(parsed, path) : await renderObjects(parsed, path, name);
  } catch (error) {
    if (error instanceof BuildError) tell(`error: ${error.message}\n`);
    else if (error instanceof GoError || error instanceof BudgetError) tell(`Error: ${error.message}\n`);
    else throw error;
    return EXIT.unknown;
  }
}

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

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

/** helm's flags. */
async function userOptions(parsed: Parsed, releaseName: string | undefined): Promise<ChartOptions> {
  const optional = <Key extends string, Value>(key: Key, value: Value | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { readonly [one in Key]?: Value };
  return {
    ...optional('releaseName', releaseName),
    ...optional('namespace', parsed.value('namespace')),
    ...optional('kubeVersion', parsed.value('kube-version')),
    valueFiles: parsed
      .values('values')
      .flatMap(word => word.split(','))
      .map(name => ({ name, text: fileText(name) })),
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
  };
}

async function renderChart(parsed: Parsed, path: string, options: ChartOptions): Promise<number> {
  const { files, left, broken } = readChartFolder(path);
  if (broken !== undefined) throw new GoError(broken);
  const rendered = renderChartFiles(files, {
    ...options,
    folder: path.replace(/\/+$/, ''),
    trace: parsed.has('provenance') || parsed.value('format') === 'json',
  });
  for (const link of left)
    tell(`sallyport: ${path}/${link}: a link that leads out of the chart; not followed\n`);
  for (const warning of rendered.warnings) tell(`sallyport: ${warning}\n`);
  if (parsed.value('format') === 'json') print(toJson(await asData(rendered)));
  else if (parsed.has('provenance')) print(await gutter(rendered));
  else print(wellFormed(rendered.text));
  // helm follows links wherever they lead: what it prints may be more than this.
  return left.length > 0 ? EXIT.unknown : EXIT.clean;
}

/** A kustomization, with what it is made of wherever that lies. */
async function renderOverlay(parsed: Parsed, folder: string): Promise<number> {
  const { onWholeDisk } = await import('#sources/manifests/files.ts');
  const { files, name } = onWholeDisk(folder);
  const built = await buildOverlay(files, name);
  for (const warning of built.warnings) tell(`sallyport: ${warning}\n`);
  if (!parsed.has('provenance') && parsed.value('format') !== 'json') print(built.text);
  else
    await printObjects(
      parsed,
      built.documents.map((object, i) => ({
        object: object as Declared['object'],
        origin: built.origins[i]!,
      })),
      true,
    );
  return EXIT.clean;
}

async function buildOverlay(files: Files, name: string) {
  const { renderKustomization } = await import('#sources/kustomize/roots.ts');
  try {
    return renderKustomization(files, name, {});
  } catch (error) {
    // Charts are rendered only where one is asked for: most overlays ask for none.
    if (!(error instanceof BuildError) || !error.message.includes('must specify --enable-helm')) throw error;
    return renderKustomization(files, name, { renderChart: await chartsOnDisk() });
  }
}

async function chartsOnDisk() {
  const { chartsForKustomize } = await import('#sources/helm/declared.ts');
  const { readChart } = await import('#sources/helm/folder.ts');
  return chartsForKustomize(chart => readChart(`/${chart}`));
}

/** Manifests as they are written. */
async function renderPlain(parsed: Parsed, path: string): Promise<number> {
  const { declared, gaps } = await readInput(parsed, [path], {}, { lean: false });
  for (const { file, line, reason } of gaps) tell(`sallyport: ${file ?? path}:${line ?? 1}: ${reason}\n`);
  await printObjects(parsed, declared);
  return gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}

/** A file: what its Applications, Kustomizations and HelmReleases deploy, or the objects in it. */
async function renderObjects(parsed: Parsed, path: string, name: string | undefined): Promise<number> {
  const { declared } = await readInput(parsed, [path], {}, { lean: false });
  const deployers = declared.filter(({ object }) => isDeployer(object));
  if (deployers.length === 0) return renderPlain(parsed, path);
  const { walk } = await import('#sources/manifests/walk.ts');
  const top = repositoryOf(path);
  const names = walk([top], { cwd: process.cwd(), noIgnore: false, exclude: [] }).files.map(one => one.name);
  // Values and variables may stand in other objects, which are read only then.
  const refers = deployers.some(({ object }) => /"(?:valuesFrom|substituteFrom)"/.test(toJson(object)));
  const others = refers ? (await readInput(parsed, [top], {}, { lean: false })).declared : [];
  const { deploymentsOf } = await import('#sources/gitops/deployments.ts');
  const { deployments, gaps } = deploymentsOf(
    [...others.filter(({ object }) => !isDeployer(object)), ...deployers],
    { names, text: textOrNothing },
  );
  for (const { file, line, reason } of gaps) tell(`sallyport: ${file ?? path}:${line ?? 1}: ${reason}\n`);
  let code: number = gaps.length > 0 ? EXIT.unknown : EXIT.clean;
  for (const one of deployments) {
    if (deployments.length > 1)
      tell(`sallyport: ${one.declared.object.kind} ${one.name}: ${one.folder || '.'}\n`);
    code = Math.max(code, await renderDeployment(parsed, one, names, name));
  }
  return code;
}

async function renderDeployment(
  parsed: Parsed,
  deployment: Deployment,
  names: readonly string[],
  releaseName: string | undefined,
): Promise<number> {
  const { folder, overrides } = deployment;
  const path = folder === '' ? '.' : folder;
  if (existsSync(join(path, 'Chart.yaml'))) {
    const { deploymentRuns } = await import('#sources/gitops/charts.ts');
    const [run] = await deploymentRuns([deployment], fileText);
    const options = joined(run!.options, await userOptions(parsed, releaseName));
    if (run!.after === undefined && run!.withoutDefaults !== true) return renderChart(parsed, path, options);
    // What is done to the objects after helm has no text of helm.
    const { chartObjects } = await import('#sources/helm/declared.ts');
    const { readChartFolder } = await import('#sources/helm/folder.ts');
    const made = await chartObjects(
      () => readChartFolder(path),
      folder,
      () => [{ ...run!, options }],
    );
    for (const { file, line, reason } of made.gaps)
      tell(`sallyport: ${file ?? path}:${line ?? 1}: ${reason}\n`);
    await printObjects(parsed, made.declared, true);
    return made.gaps.length > 0 ? EXIT.unknown : EXIT.clean;
  }
  const { builtDeployments } = await import('#sources/gitops/kustomized.ts');
  const { asDeployed, deployedAs, isOf } = await import('#sources/gitops/deployed.ts');
  const { onWholeDisk } = await import('#sources/manifests/files.ts');
  const { files, name } = onWholeDisk(path);
  // From here on names begin at the root of the disk: a kustomization may be made of anything on it.
  const root = onWholeDisk('.').name;
  const fromRoot = (file: string): string => onWholeDisk(join('/', root, file)).name;
  const moved: Deployment = {
    ...deployment,
    folder: name,
    overrides:
      overrides === undefined
        ? undefined
        : {
            ...overrides,
            placeOf: (field, index) => {
              const position = overrides.placeOf!(field, index);
              return { ...position, file: fromRoot(position.file) };
            },
          },
  };
  const { built, gaps } = builtDeployments([moved], files, names.map(fromRoot), new Set(), {
    renderChart: await chartsOnDisk(),
  });
  for (const { file, line, reason } of gaps) tell(`sallyport: ${file}:${line}: ${reason}\n`);
  if (built.size > 0) await printObjects(parsed, asDeployed([], [moved], built), true);
  else {
    const { declared } = await readInput(parsed, [path], {}, { lean: false });
    await printObjects(
      parsed,
      declared
        .filter(one => !isDeployer(one.object) && isOf(one, deployment))
        .map(one => deployedAs(one, deployment)),
    );
  }
  return gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}

/** The user's flags over what the object says. */
function joined(own: ChartOptions, user: ChartOptions): ChartOptions {
  const both = <Item>(a: readonly Item[] | undefined, b: readonly Item[] | undefined): Item[] => [
    ...(a ?? []),
    ...(b ?? []),
  ];
  return {
    ...own,
    ...user,
    apiVersions: both(own.apiVersions, user.apiVersions),
    valueFiles: both(own.valueFiles, user.valueFiles),
    set: both(own.set, user.set),
    setString: both(own.setString, user.setString),
    setFile: both(own.setFile, user.setFile),
    skipTests: own.skipTests === true || user.skipTests === true,
    skipSchemaValidation: own.skipSchemaValidation === true || user.skipSchemaValidation === true,
  };
}

function textOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** The folder with the repository that a file lies in; the working directory, or the file's own, where there is none. */
function repositoryOf(path: string): string {
  const file = realpathSync(path);
  for (let above = dirname(file); ; above = dirname(above)) {
    if (existsSync(join(above, '.git'))) return above;
    if (dirname(above) === above) break;
  }
  const here = process.cwd();
  return file.startsWith(here + sep) ? '.' : dirname(file);
}

/** @param fromRoot the files of origins are named from the root of the disk */
async function printObjects(
  parsed: Parsed,
  declared: readonly Pick<Declared, 'object' | 'origin'>[],
  fromRoot = false,
): Promise<void> {
  const { gutterText, objectLines, objectText, placedScalars } = await import('../object-lines.ts');
  const cwd = process.cwd();
  const shown = (file: string): string => {
    if (!fromRoot) return file;
    const name = shownName(`/${file}`, cwd);
    return name.startsWith('..') ? `/${file}` : name;
  };
  if (parsed.value('format') === 'json')
    print(
      toJson({
        documents: declared.map(one => ({
          file: shown(one.origin.file),
          line: one.origin.line,
          object: one.object,
          values: placedScalars(one).map(({ path, file, line, column }) => ({
            path: formatPath(path as Path),
            file: shown(file),
            line,
            column,
          })),
        })),
      }),
    );
  else if (parsed.has('provenance')) {
    const where = ({ file, line }: Position): string => `${shown(file)}:${line}`;
    print(
      gutterText(
        declared.flatMap(one => [
          ['', '---'] as const,
          ...objectLines(one).map(({ text, position }) => [where(position), text] as const),
        ]),
      ),
    );
  } else print(declared.map(({ object }) => `---\n${objectText(object)}`).join(''));
}

/** `values.yaml:12 → templates/deployment.yaml:33`. */
function originText(origin: LineOrigin | undefined, sources: RenderedChart['sources']): string {
  if (origin === undefined) return '';
  const { file, line } = origin.template;
  const template = `${sources.get(file)?.file ?? file}:${line}`;
  const value = origin.values.at(-1);
  const last = origin.spans.findLast(({ literal }) => !literal);
  const words = [
    ...(origin.unresolved === undefined ? [] : [origin.unresolved]),
    ...(value === undefined ? (last?.given ?? []) : []),
    ...(last?.instead ?? []).map(one => (one === '' ? 'a default' : `a default, as ${one} is not set`)),
  ];
  const made = words.length === 0 ? '' : ` (${words.join(', ')})`;
  return (value === undefined ? template : `${value.file}:${value.line} → ${template}`) + made;
}

async function gutter({ documents, sources }: RenderedChart): Promise<string> {
  const { gutterText } = await import('../object-lines.ts');
  return gutterText(
    documents.flatMap(document => [
      ['', '---'] as const,
      ['', `# Source: ${document.source}`] as const,
      ...document.text
        .split('\n')
        .map((line, at) => [originText(document.lines[at], sources), line] as const),
    ]),
  );
}

async function asData({ documents, sources, chart, warnings }: RenderedChart) {
  const { scalarOrigins } = await import('#sources/helm/scalar-origins.ts');
  const placeOf = (place: LineOrigin['template']) => ({
    ...place,
    file: sources.get(place.file)?.file ?? place.file,
  });
  return {
    chart,
    warnings,
    documents: documents.map(document => ({
      source: document.source,
      hooks: document.hooks,
      lines: document.text.split('\n').map((text, at) => {
        const origin = document.lines[at];
        if (origin === undefined) return { text };
        return {
          text,
          template: placeOf(origin.template),
          values: origin.values,
          ...(origin.unresolved === undefined ? {} : { unresolved: origin.unresolved }),
        };
      }),
      // Of every scalar: the value that decides it, and the template that prints it.
      values: scalarOrigins(document).map(({ path, line, origin }) => {
        const value = origin?.values.at(-1);
        const template = origin === undefined ? undefined : placeOf(origin.template);
        const spans = origin?.spans ?? [];
        const given = [...new Set(spans.flatMap(one => one.given))];
        const instead = [...new Set(spans.flatMap(one => one.instead))];
        return {
          path: formatPath(path),
          line,
          ...(value !== undefined ? { from: value } : template === undefined ? {} : { from: template }),
          template,
          ...(given.length > 0 ? { given } : {}),
          ...(instead.length > 0 ? { insteadOf: instead } : {}),
          ...(origin?.unresolved === undefined ? {} : { unresolved: origin.unresolved }),
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
