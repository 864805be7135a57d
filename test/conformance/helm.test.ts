/** Helm's templates, functions, values and charts against what the real program answered. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import {
  type ChartOptions,
  type ChartSketch,
  coalesce,
  isHelmError,
  renderChart,
  renderTemplate,
} from '#sources/helm/door.ts';
import { withShared } from '#test/shared.ts';

interface TemplateCase {
  readonly id: string;
  readonly template: string;
  readonly helpers?: readonly string[];
  readonly data?: object;
  readonly set?: readonly string[];
  readonly expected: string | null;
  readonly expectedBase64?: string;
  readonly error: string | null;
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)!;

/** Whether the answer is helm's: the text, or the last line of the error. */
function agrees(one: TemplateCase): boolean {
  try {
    const { text, bytes } = renderTemplate({
      template: one.template,
      values: one.data ?? {},
      ...(one.helpers === undefined ? {} : { helpers: one.helpers }),
      ...(one.set === undefined ? {} : { set: one.set }),
    });
    if (one.expected === null) return false;
    if (one.expectedBase64 !== undefined) return Buffer.from(bytes).toString('base64') === one.expectedBase64;
    return text === one.expected;
  } catch (error) {
    if (!isHelmError(error)) throw error;
    return one.error !== null && lastLine(error.message) === lastLine(one.error);
  }
}

/** How many cases of a suite are known to differ: fewer is a reason to lower the number, more is a fault. */
const KNOWN: Readonly<Record<string, number>> = {
  'go-template': 1,
  sprig: 0,
  coalesce: 0,
  charts: 0,
  'to-yaml': 4,
};

for (const suite of ['go-template', 'sprig']) {
  withShared(`conformance/rendering/${suite}.json`, path => {
    const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: TemplateCase[] };
    it(`answers ${cases.length} cases of ${suite} as helm does`, () => {
      assert.ok(cases.length > 2000);
      const wrong = cases.filter(one => !agrees(one));
      assert.ok(
        wrong.length <= KNOWN[suite]!,
        wrong.map(({ id, template }) => `${id} ${template}`).join('\n'),
      );
    });
  });
}

/** What each field of a case answers, as a template. */
const QUESTIONS: Readonly<Record<string, string>> = {
  toYaml: '{{ toYaml .Values.value }}',
  toYamlPretty: '{{ toYamlPretty .Values.value }}',
  toJson: '{{ toJson .Values.value }}',
  quote: '{{ quote .Values.value }}',
  fromYamlOfToYaml: '{{ fromYaml (toYaml (dict "v" .Values.value)) | toJson }}',
  fromYaml: '{{ fromYaml .Values.text | toJson }}',
  fromYamlArray: '{{ fromYamlArray .Values.text | toJson }}',
};

withShared('conformance/rendering/to-yaml.json', path => {
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Readonly<Record<string, unknown>>[] };
  it(`writes and reads YAML as helm does, ${cases.length} times`, () => {
    const wrong: string[] = [];
    for (const one of cases) {
      for (const [field, template] of Object.entries(QUESTIONS)) {
        if (!(field in one)) continue;
        const values = { value: one['value'], text: one['text'] };
        if (renderTemplate({ template, values }).text !== one[field]) wrong.push(`${one['id']} ${field}`);
      }
    }
    assert.ok(wrong.length <= KNOWN['to-yaml']!, wrong.join('\n'));
  });
});

withShared('conformance/rendering/coalesce.json', path => {
  interface Case {
    readonly id: string;
    readonly chart: ChartSketch;
    readonly valueFiles?: string[];
    readonly set?: string[];
    readonly error?: string;
    readonly renderError?: string;
    readonly coalesced?: unknown;
    readonly rendered?: unknown;
    readonly enabled?: unknown;
  }
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] };
  it(`puts values together as helm does, ${cases.length} times`, () => {
    const wrong = cases.filter(one => {
      try {
        const got = coalesce(one.chart, one.valueFiles, one.set);
        if (one.error !== undefined || one.renderError !== undefined) return true;
        return (['coalesced', 'rendered', 'enabled'] as const).some(
          field => field in one && !isDeepStrictEqual(JSON.parse(JSON.stringify(got[field])), one[field]),
        );
      } catch (error) {
        if (!isHelmError(error)) throw error;
        return !error.message.endsWith(lastLine(one.error ?? one.renderError ?? 'none'));
      }
    });
    assert.ok(wrong.length <= KNOWN['coalesce']!, wrong.map(({ id }) => id).join('\n'));
  });
});

function filesBelow(
  folder: string,
  prefix = '',
  files = new Map<string, Uint8Array>(),
): Map<string, Uint8Array> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) filesBelow(path, `${prefix}${name}/`, files);
    else files.set(prefix + name, readFileSync(path));
  }
  return files;
}

interface Run {
  readonly args: readonly string[];
  readonly exit: number;
  readonly expect: string;
}

/** helm's flags as options of renderChart; undefined for flags that only a command line has. */
function optionsOf(
  args: readonly string[],
  folder: string,
): { path: string; options: ChartOptions } | undefined {
  const lists: Record<string, string[]> = {};
  const values: { name: string; text: string }[] = [];
  const operands: string[] = [];
  const options: Record<string, unknown> = {};
  const names: Record<string, string> = {
    '--set': 'set',
    '--set-string': 'setString',
    '--set-json': 'setJson',
    '--set-file': 'setFile',
    '--set-literal': 'setLiteral',
    '-a': 'apiVersions',
    '--api-versions': 'apiVersions',
    '-s': 'showOnly',
    '--show-only': 'showOnly',
  };
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const flag = equals < 0 ? word : word.slice(0, equals);
    const value = (): string => (equals < 0 ? args[++at]! : word.slice(equals + 1));
    if (flag === 'template') continue;
    if (names[flag] !== undefined) {
      lists[names[flag]] ??= [];
      lists[names[flag]]!.push(value());
    } else if (flag === '-f' || flag === '--values') {
      for (const name of value().split(',')) {
        if (!existsSync(join(folder, name))) return undefined;
        values.push({ name, text: readFileSync(join(folder, name), 'utf8') });
      }
    } else if (flag === '-n' || flag === '--namespace') options['namespace'] = value();
    else if (flag === '--kube-version') options['kubeVersion'] = value();
    else if (flag === '--include-crds') options['includeCrds'] = true;
    else if (flag === '--no-hooks') options['noHooks'] = true;
    else if (flag === '--skip-tests') options['skipTests'] = true;
    else if (flag === '--skip-schema-validation') options['skipSchemaValidation'] = true;
    else if (flag.startsWith('-')) return undefined;
    else operands.push(word);
  }
  const path = operands.at(-1);
  if (path === undefined || !existsSync(join(folder, path))) return undefined;
  return {
    path,
    options: {
      ...options,
      ...lists,
      valueFiles: values,
      readFile: file => readFileSync(join(folder, file), 'utf8'),
      ...(operands.length > 1 ? { releaseName: operands[0]! } : {}),
    },
  };
}

withShared('conformance/rendering/helm-charts', path => {
  const charts = readdirSync(path).filter(id => existsSync(join(path, id, 'cmd.json')));
  it(`renders ${charts.length} charts as helm template does, to the byte`, () => {
    assert.ok(charts.length > 100);
    const wrong: string[] = [];
    let tried = 0;
    for (const id of charts) {
      const folder = join(path, id);
      const { runs } = JSON.parse(readFileSync(join(folder, 'cmd.json'), 'utf8')) as { runs: Run[] };
      for (const run of runs) {
        const asked = optionsOf(run.args, folder);
        if (asked === undefined) continue;
        tried++;
        const expected = readFileSync(join(folder, run.expect), 'utf8');
        const label = `${id}: ${run.args.join(' ')}`;
        try {
          const { text } = renderChart(filesBelow(join(folder, asked.path)), asked.options);
          if (run.exit !== 0 || text !== expected) wrong.push(label);
        } catch (error) {
          if (!isHelmError(error)) throw error;
          const message = lastLine(expected.replace(/\n\nUse --debug flag[^\n]*\n$/, '\n')).replace(
            /^Error: /,
            '',
          );
          if (run.exit === 0 || !error.message.trimEnd().endsWith(message)) wrong.push(label);
        }
      }
    }
    assert.ok(tried > 200);
    assert.ok(wrong.length <= KNOWN['charts']!, wrong.join('\n'));
  });
});
