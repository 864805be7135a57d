/** The library's door `sallyport/helm`: one template, the coalescing of values, a whole chart. */
import { capabilities, filesOf } from './capabilities.ts';
import { type Chart, loadChart } from './chart.ts';
import { coalesceValues, processDependencies } from './coalesce.ts';
import { type Renderable, renderAll } from './engine.ts';
import { fromPlain } from './read-values.ts';
import { type ChartOptions, type RenderedChart, renderChartFiles, toPlain, userValues } from './render.ts';
import './re2.ts';
import { setValues } from './set-values.ts';
import { bytesOf, GoError, GoMap, int, type Value, wellFormed } from './value.ts';

/**
 * Renders one template in a small chart named `t`, as Release `rel` in the namespace `ns`. Throws an Error whose
 * message is helm's.
 */
export function renderTemplate(input: {
  readonly template: string;
  readonly helpers?: readonly string[];
  readonly values: object;
  readonly set?: readonly string[];
}): { text: string; bytes: Uint8Array } {
  const values = fromPlain(input.values);
  const data = new GoMap(values instanceof GoMap ? values.entries : new Map(), 'common.Values');
  for (const text of input.set ?? []) setValues(text, data);
  const top = (): GoMap =>
    new GoMap(
      new Map<string, Value>([
        [
          'Chart',
          new GoMap(
            new Map<string, Value>([
              ['Name', 't'],
              ['Home', ''],
              ['Sources', null],
              ['Version', '0.1.0'],
              ['Description', 'synthetic'],
              ['Keywords', null],
              ['Maintainers', null],
              ['Icon', ''],
              ['APIVersion', 'v2'],
              ['Condition', ''],
              ['Tags', ''],
              ['AppVersion', '1.0'],
              ['Deprecated', false],
              ['Annotations', null],
              ['KubeVersion', ''],
              ['Dependencies', null],
              ['Type', ''],
              ['IsRoot', true],
            ]),
          ),
        ],
        [
          'Release',
          new GoMap(
            new Map<string, Value>([
              ['Name', 'rel'],
              ['Namespace', 'ns'],
              ['IsUpgrade', false],
              ['IsInstall', true],
              ['Revision', int(1)],
              ['Service', 'Helm'],
            ]),
          ),
        ],
        ['Capabilities', capabilities()],
        [
          'Files',
          filesOf([
            { name: 'config/a.txt', text: 'alpha\nbeta\n' },
            { name: 'config/b.json', text: '{"k": [1, 2.5, "x"]}' },
            { name: 'empty.txt', text: '' },
          ]),
        ],
        ['Subcharts', new GoMap()],
        ['Values', data],
      ]),
      'common.Values',
    );
  const templates = new Map<string, Renderable>([
    ['t/templates/case.yaml', { text: input.template, values: top(), basePath: 't/templates' }],
  ]);
  (input.helpers ?? []).forEach((text, at) => {
    templates.set(`t/templates/_h${at}.tpl`, { text, values: top(), basePath: 't/templates' });
  });
  const text = renderAll(templates).files.get('t/templates/case.yaml')?.text ?? '';
  return { text: wellFormed(text), bytes: bytesOf(text) };
}

/** A chart in the form of the conformance suite: its own values, what it declares, and the charts in it. */
export interface ChartSketch {
  readonly name: string;
  readonly values: string;
  readonly declared?: readonly {
    readonly name: string;
    readonly alias?: string;
    readonly condition?: string;
    readonly tags?: readonly string[];
    readonly importValues?: readonly unknown[];
  }[];
  readonly subcharts?: readonly ChartSketch[];
}

/**
 * The values of a chart as helm puts them together: `coalesced` of the charts as they lie there, `rendered` as the
 * templates see them, after conditions, tags and imports, and which charts are left then.
 */
export function coalesce(
  chart: ChartSketch,
  valueFiles: readonly string[] = [],
  set: readonly string[] = [],
): { coalesced: object; rendered: object; enabled: string[] | null } {
  const values = userValues({
    valueFiles: valueFiles.map((text, at) => ({ name: `values ${at + 1}`, text })),
  });
  for (const text of set) setValues(text, values);
  const warn = (): void => undefined;
  const coalesced = coalesceValues(chartOf(chart), values, warn);
  const top = chartOf(chart);
  processDependencies(top, values, warn);
  const rendered = coalesceValues(top, values, warn);
  const enabled = top.dependencies.map(sub => sub.name);
  return {
    coalesced: toPlain(coalesced) as object,
    rendered: toPlain(rendered) as object,
    enabled: enabled.length === 0 ? null : enabled,
  };
}

const encoder = new TextEncoder();

function chartOf(sketch: ChartSketch): Chart {
  const declared = (sketch.declared ?? []).map(({ importValues, ...one }) => ({
    ...one,
    version: '0.1.0',
    ...(importValues === undefined ? {} : { 'import-values': importValues }),
  }));
  const metadata = { apiVersion: 'v2', name: sketch.name, version: '0.1.0', dependencies: declared };
  const chart = loadChart(
    new Map([
      ['Chart.yaml', encoder.encode(JSON.stringify(metadata))],
      ['values.yaml', encoder.encode(sketch.values)],
    ]),
  );
  chart.setDependencies((sketch.subcharts ?? []).map(chartOf));
  return chart;
}

export type { ChartOptions, RenderedChart, RenderedDocument } from './render.ts';
export type { BranchTaken, LineOrigin } from './trace.ts';

/** Renders a chart from its files, named relative to its folder, as `helm template` does. Throws helm's message. */
export function renderChart(
  files: ReadonlyMap<string, Uint8Array>,
  options: ChartOptions = {},
): RenderedChart {
  return renderChartFiles(files, options);
}

/** Whether an error is one that helm would print, rather than a fault of ours. */
export const isHelmError = (error: unknown): error is Error => error instanceof GoError;
