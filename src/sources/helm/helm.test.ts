/** Charts from hostile hands, and where what they render came from. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readArchive } from './archive.ts';
import { BudgetError } from './budget.ts';
import { isHelmError, renderChart, renderTemplate } from './door.ts';
import { fileMatcher } from './ignore.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function chart(files: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  const all = { 'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n', ...files };
  return new Map(Object.entries(all).map(([name, text]) => [name, bytes(text)]));
}

/** One entry of a tar archive. */
function entry(name: string, content: string, type = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body]);
}

const archive = (...entries: Buffer[]): Uint8Array =>
  gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));

describe('the name of a release', () => {
  const render = (releaseName: string) =>
    renderChart(chart({ 'templates/a.yaml': 'a: {{ .Release.Name }}' }), { releaseName }).text;

  it('has at most 53 letters, digits and dashes, in parts between dots', () => {
    for (const name of ['a', 'a-1.b', '9', 'a'.repeat(53)]) assert.ok(render(name).endsWith(`a: ${name}\n`));
  });

  it('is refused otherwise, as helm does', () => {
    for (const name of ['a'.repeat(54), 'A', 'a_b', 'a..b', '-a', 'a.', 'a b'])
      assert.throws(() => render(name), {
        message: `release name check failed: release name "${name}": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53`,
      });
    assert.throws(() => render(''), {
      message: 'release name check failed: release name "": no name provided',
    });
  });
});

describe('printf', () => {
  // Answers of helm 4.1.4.
  for (const [pattern, args, expected] of [
    ['%1000000000d', '1', '%!(NOVERB)%!(EXTRA int=1)'],
    ['%12345678d', '1', '%!(NOVERB)%!(EXTRA int=1)'],
    ['%.1000000000f', '1.0', '%!(NOVERB)%!(EXTRA float64=1)'],
    ['%-99999999s|', '"x"', '%!(NOVERB)%!(EXTRA string=x)'],
    ['%.99999999s %d', '"x" 2', '%!(NOVERB)%!(EXTRA string=x, int=2)'],
    ['%*d', '99999999 1', '%!(BADWIDTH)1'],
    ['%12.3f|%05d|%-5d|', '1.5 3 4', '       1.500|00003|4    |'],
    ['%.s|%.3s', '"abc" "abcdef"', '|abc'],
    ['%[1]5d', '3', '%!d(BADINDEX)'],
  ] as const)
    it(`${pattern} of ${args}`, () =>
      assert.equal(
        renderTemplate({ template: `{{ printf "${pattern}" ${args} }}`, values: {} }).text,
        expected,
      ));

  it('takes a width of seven digits', () => {
    const template = '{{ printf "%1000001d" 1 | len }} {{ printf "%.2000000f" 3.0 | len }}';
    assert.equal(renderTemplate({ template, values: {} }).text, '1000001 2000002');
  });
});

describe('what a chart may cost', () => {
  const limits = { steps: 10_000, output: 100_000, time: 10_000 };
  const render = (template: string) => renderChart(chart({ 'templates/a.yaml': template }), { limits });
  const refused: readonly (readonly [template: string, message: RegExp])[] = [
    ['{{ range 100000000000 }}{{ end }}', /stopped after 10000 steps/],
    ['{{ range until 9000 }}xxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}', /stopped after 100000 characters/],
    ['{{ repeat 100000000000 "x" }}', /is more than may be made/],
    ['{{ indent 100000000000 "x" }}', /is more than may be made/],
    ['{{ until 2000000000 }}', /is more than may be made/],
    [
      '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
      /exceeded maximum template depth|stopped/,
    ],
    ['{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ $d }}', /nest too deeply/],
    ['{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}', /nested reference name|stopped/],
    ['{{ $t := "{{ tpl . . }}" }}{{ tpl $t $t }}', /nest too deeply|stopped|exceeded/],
  ];
  for (const [template, message] of refused) {
    it(`stops ${template}`, () => {
      assert.throws(
        () => render(template),
        (error: Error) =>
          ((error as unknown) instanceof BudgetError || isHelmError(error)) && message.test(error.message),
      );
    });
  }

  it('refuses values that lie too deep, or inside themselves', () => {
    const round: Record<string, unknown> = {};
    round['a'] = [round];
    let deep: object = {};
    for (let at = 0; at < 100_000; at++) deep = { a: deep };
    for (const values of [round, deep])
      assert.throws(
        () => renderTemplate({ template: '{{ toYaml .Values }}', values }),
        (error: unknown) => isHelmError(error) && /^values have more than 1000 maps/.test(error.message),
      );
  });

  it('traces variables that are made of themselves, many times over', () => {
    const template = [
      '{{ $x := .Values.a }}{{ range 60 }}{{ $x = ternary $x $x true }}{{ end }}',
      '{{ $y := .Values.a }}{{ range 20000 }}{{ $y = print $y }}{{ end }}',
      'kind: Pod\nx: {{ $x }}\ny: {{ $y }}\n',
    ].join('');
    const start = performance.now();
    const { documents } = renderChart(
      chart({ 'templates/a.yaml': template, 'values.yaml': 'b: 1\na: here\n' }),
      { trace: true },
    );
    const [document] = documents;
    for (const at of [1, 2]) {
      assert.match(document!.text.split('\n')[at]!, /^[xy]: here$/);
      assert.equal(document!.lines[at]!.values.at(-1)?.line, 2);
    }
    assert.ok(performance.now() - start < 5000);
  });

  it('traces maps that are written and read again, many times over', () => {
    const templates = [
      '{{ $x := dict "a" .Values.a }}{{ range 300 }}{{ $x = fromYaml (toYaml $x) }}{{ end }}a: {{ $x.a }}\n',
      '{{ $x := dict "a" .Values.a }}{{ range 300 }}{{ $y := fromYaml (toYaml (dict "b" 1 "a" $x.a)) }}{{ $x = mergeOverwrite $x $y }}{{ end }}a: {{ $x.a }}\n',
    ];
    for (const template of templates) {
      const { documents } = renderChart(
        chart({ 'templates/a.yaml': template, 'values.yaml': 'b: 1\na: here\n' }),
        { trace: true },
      );
      assert.equal(documents[0]!.lines[0]!.values.at(-1)?.line, 2, template);
    }
  });

  it('traces includes that lie hundreds deep', () => {
    const depth = 400;
    const helpers = Array.from(
      { length: depth },
      (_, at) =>
        `{{ define "d${at}" }}${at + 1 < depth ? `{{ include "d${at + 1}" . }}` : '{{ .Values.a }}'}{{ end }}`,
    ).join('');
    const { documents } = renderChart(
      chart({
        'templates/_h.tpl': helpers,
        'templates/a.yaml': 'kind: Pod\nx: {{ include "d0" . }}\n',
        'values.yaml': 'a: here\n',
      }),
      { trace: true },
    );
    assert.equal(documents[0]!.lines[1]!.values.at(-1)?.path, 'a');
  });

  it('takes linear time for a pattern that backtracking never ends on', () => {
    const start = performance.now();
    const { text } = renderTemplate({
      template: '{{ regexMatch "^(a+)+$" (printf "%sb" (repeat 2000 "a")) }}',
      values: {},
    });
    assert.equal(text, 'false');
    assert.ok(performance.now() - start < 3000);
  });

  it('matches stars without going back further than the last one', () => {
    assert.equal(fileMatcher(`${'*a'.repeat(30)}b`)('a'.repeat(300)), false);
    assert.equal(fileMatcher('*.ya?ml')('a.yaaml'), true);
    assert.equal(fileMatcher('templates/*')('templates/a/b'), false);
  });

  it('reads no file that the chart does not hold', () => {
    const files = chart({ 'templates/a.yaml': 'a: {{ .Files.Get "../../etc/passwd" | quote }}\n' });
    assert.match(renderChart(files).text, /a: ""/);
  });
});

describe('an archive', () => {
  it('gives the files below its first folder', () => {
    const files = readArchive(
      archive(entry('shop/Chart.yaml', 'name: shop'), entry('shop/templates/a.yaml', 'a: 1')),
    );
    assert.deepEqual([...files.keys()], ['Chart.yaml', 'templates/a.yaml']);
  });
  it('does not lead out of its folder', () => {
    assert.throws(
      () => readArchive(archive(entry('shop/../../etc/passwd', 'x'))),
      /illegally references parent/,
    );
    assert.throws(() => readArchive(archive(entry('shop//etc/passwd', 'x'))), /illegally named/);
  });
  it('leaves links out', () => {
    const files = readArchive(archive(entry('shop/Chart.yaml', 'name: shop'), entry('shop/link', '', '2')));
    assert.deepEqual([...files.keys()], ['Chart.yaml']);
  });
  it('is refused where it unpacks to more than a chart may be', () => {
    assert.throws(
      () => readArchive(gzipSync(Buffer.alloc(120 * 1024 * 1024))),
      /larger than the maximum size/,
    );
    assert.throws(() => readArchive(bytes('not gzip')), /gzip: invalid header/);
  });
});

describe('where a line came from', () => {
  const files = chart({
    'values.yaml': 'image:\n  tag: latest\nsecurity:\n  enabled: false\nresources:\n  limits:\n    cpu: 1\n',
    'templates/_helpers.tpl': '{{ define "labels" }}app: shop\ntag: {{ .Values.image.tag }}{{ end }}',
    'templates/a.yaml': [
      'kind: Pod',
      'apiVersion: v1',
      'tag: {{ .Values.image.tag }}',
      'labels: {{- include "labels" . | nindent 2 }}',
      'resources: {{- toYaml .Values.resources | nindent 2 }}',
      '{{- if .Values.security.enabled }}',
      'secure: yes',
      '{{- end }}',
      'made: {{ randAlpha 5 }}',
      '',
    ].join('\n'),
  });
  const [document] = renderChart(files, { trace: true }).documents;
  const at = (text: string) => {
    const index = document!.text.split('\n').findIndex(line => line.trim().startsWith(text));
    assert.ok(index >= 0, text);
    return document!.lines[index]!;
  };

  it('names the template for text', () => {
    assert.deepEqual(at('kind').template, { file: 'shop/templates/a.yaml', line: 1, column: 1 });
  });
  it('names the values key that stands on the line', () => {
    assert.deepEqual(at('tag').values.at(-1), { file: 'values.yaml', line: 2, column: 3, path: 'image.tag' });
    assert.equal(at('tag').template.line, 3);
  });
  it('looks through an include', () => {
    const lines = document!.text.split('\n');
    const index = lines.lastIndexOf('  tag: latest');
    assert.equal(document!.lines[index]!.template.file, 'shop/templates/_helpers.tpl');
    assert.equal(document!.lines[index]!.values.at(-1)?.path, 'image.tag');
  });
  it('keeps the keys of a toYaml block', () => {
    assert.equal(at('cpu').values.at(-1)?.path, 'resources.limits.cpu');
    assert.equal(at('cpu').values.at(-1)?.line, 7);
  });
  it('names the condition that left a block out', () => {
    const branch = document!.branches.find(({ taken }) => !taken);
    assert.equal(branch?.condition, 'if .Values.security.enabled');
    assert.deepEqual(
      branch?.values.map(({ path, line }) => [path, line]),
      [
        ['security', 3],
        ['security.enabled', 4],
      ].slice(-branch!.values.length),
    );
  });
  it('marks what is new at every run', () => {
    assert.equal(at('made').unresolved, 'randAlpha');
  });
});

describe('an origin', () => {
  it('is kept by variables and by the dot of range and with', () => {
    const chart = new Map(
      Object.entries({
        'Chart.yaml': 'apiVersion: v1\nname: t\nversion: 0.1.0\n',
        'values.yaml': 'image: nginx\nports:\n- 80\n- 443\n',
        'templates/a.yaml':
          '{{ $x := .Values.image }}\na: {{ $x }}\nl:\n{{ range .Values.ports }}\n- {{ . }}\n{{ end }}\n{{ with .Values.image }}\nb: {{ . | quote }}\n{{ end }}\nc: {{ $x | default "none" }}\n',
      }).map(([name, text]) => [name, Buffer.from(text)] as const),
    );
    const { documents } = renderChart(chart, { trace: true, skipSchemaValidation: true });
    const lines = documents[0]!.text.split('\n');
    const pathOf = (line: string) => documents[0]!.lines[lines.indexOf(line)]!.values.at(-1)?.path;
    assert.deepEqual(['a: nginx', '- 80', '- 443', 'b: "nginx"', 'c: nginx'].map(pathOf), [
      'image',
      'ports[0]',
      'ports[1]',
      'image',
      'image',
    ]);
  });
});

describe('a map under a type of its own', () => {
  const said = (template: string): string =>
    renderTemplate({ template, values: { a: { b: 'x' }, c: {} } }).text;

  it('is handed to functions that ask for a map as a plain one', () => {
    assert.equal(said('{{ typeOf .Values }}'), 'common.Values');
    assert.equal(said('{{ typeOf (merge .Values) }}'), 'map[string]interface {}');
    assert.equal(said('{{ typeOf (set .Values "d" 1) }}'), 'map[string]interface {}');
    assert.equal(said('{{ dig "a" "b" "no" (merge .Values) }}'), 'x');
    assert.throws(() => said('{{ dig "a" "b" "no" .Values }}'), /interface \{\} is common\.Values, not map/);
  });

  it('stays the same map', () => {
    assert.equal(said('{{ $m := merge .Values }}{{ $_ := set $m "d" "new" }}{{ .Values.d }}'), 'new');
    assert.equal(said('{{ $_ := set . "X" "top" }}{{ $.X }}'), 'top');
  });
});

describe('mistakes of YAML', () => {
  // Answers of helm 4.1.4.
  const refused: readonly (readonly [chart: string, message: string])[] = [
    ['version: {{ version }}', 'map[interface {}]interface {}{"version":interface {}(nil)}'],
    [
      'version: 1.0.0\ndescription: x {y}\nhome: {{ a, b: [1, {c: "d}"}] }: 1}',
      'map[interface {}]interface {}{"a":interface {}(nil), "b":[]interface {}{1, map[interface {}]interface {}{"c":"d}"}}}',
    ],
    ['version: {[a, b]: 1}', '[]interface {}{"a", "b"}'],
  ];
  for (const [text, key] of refused)
    it(`names the key of ${JSON.stringify(text)}`, () => {
      assert.throws(() => renderChart(chart({ 'Chart.yaml': `apiVersion: v2\nname: shop\n${text}\n` })), {
        message: `cannot load Chart.yaml: error converting YAML to JSON: yaml: invalid map key: ${key}`,
      });
    });

  it('a mistake of form anywhere in a text comes before a key of that kind', () => {
    const text = 'kind: Pod\nname: {{ name }}\nother: {{ other }}-x\nlast: {{ last }}\n';
    assert.throws(() => renderChart(chart({ 'templates/a.yaml': text.replaceAll('{{', '{{ "{{" }}') })), {
      message:
        'YAML parse error on shop/templates/a.yaml: error converting YAML to JSON: yaml: line 2: did not find expected key',
    });
  });
});

describe('the version of a chart', () => {
  const refused = [
    ['v3', 'invalid chart apiVersion'],
    ['v4', 'unsupported chart version'],
  ] as const;
  for (const [version, message] of refused)
    it(`${version} is refused as helm 4 does`, () => {
      const text = `apiVersion: ${version}\nname: shop\nversion: 1.0.0\n`;
      assert.throws(() => renderChart(chart({ 'Chart.yaml': text })), { message });
    });
});
