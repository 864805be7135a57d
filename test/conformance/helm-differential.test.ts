/**
 * Expressions and values made at random, answered by the real helm and by us: one chart of many templates for each
 * start of helm. The binary is that of SALLYPORT_HELM, or the one in the cache folder.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { isHelmError, renderChart } from '#sources/helm/door.ts';

const helm =
  process.env['SALLYPORT_HELM'] ??
  [join(homedir(), '.cache/sallyport/helm-v4/helm/helm'), join(homedir(), '.cache/sallyport/helm')].find(
    existsSync,
  );
const runs =
  helm !== undefined &&
  spawnSync(helm, ['version', '--short'], { encoding: 'utf8' }).stdout?.startsWith('v4.');
const skip = runs ? false : 'there is no helm 4: set SALLYPORT_HELM to its path';
if (skip) console.error(`SKIPPED against the real helm: ${skip}`);

/** mulberry32: the same cases at every run of a seed. */
function randomly(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const one = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;
  return { below, one };
}
type Random = ReturnType<typeof randomly>;

const TEXTS = [
  '',
  'a',
  'Hello World',
  ' padded ',
  'x: y',
  '- item',
  '# no',
  'yes',
  'null',
  '~',
  '0x1F',
  '1e3',
  '017',
  '1_000',
  '12:30',
  '2020-01-01',
  "it's",
  'say "hi"',
  'back\\slash',
  'line\nbreak',
  'tail\n',
  '\n\nhead',
  'tab\there',
  'héé 世界',
  'HTTPServer2Go',
  'foo-bar_baz',
  '{{ x }}',
  '[1, 2]',
  '{"a": 1}',
  '%d%%',
  'v1.2.3-rc.1',
  '*',
  '&a',
  '!t',
  '@',
  '`',
  'a'.repeat(90),
  'word '.repeat(30).trim(),
  'trailing ',
  'a\u2028b',
  '\u00a0',
  '<b>&',
  '=',
  '.5',
  '-.inf',
  'true',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '7',
  '42',
  '1000000',
  '1.5',
  '-2.5',
  '0.1',
  '1e21',
  '1e-7',
  '123456789012',
  '255',
];
const VERBS = ['v', 'd', 's', 'q', 'x', 'X', 'f', 'e', 'g', 'G', 't', 'c', 'U', 'o', 'b', 'T', 'E', 'O'];

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u2028\u00a0]/g,
    one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function literal(random: Random): string {
  return random.one([
    () => quoted(random.one(TEXTS)),
    () => quoted(random.one(TEXTS)),
    () => `(${random.one(NUMBERS)})`,
    () => random.one(['true', 'false', '.Values.missing', '.Values.none']),
    () => `.Values.${random.one(['text', 'other', 'number', 'float', 'flag', 'list', 'map'])}`,
    () => `(list ${literal(random)} ${literal(random)})`,
    () => `(dict "k" ${literal(random)} "b" ${literal(random)})`,
  ])();
}
const text = (random: Random): string =>
  random.one([() => quoted(random.one(TEXTS)), () => '.Values.text', () => '.Values.other'])();
const number = (random: Random): string =>
  random.one([() => `(${random.one(NUMBERS)})`, () => '.Values.number', () => '.Values.float'])();
const small = (random: Random): string => String(random.below(7) - 1);

// No keys and values, whose order helm itself leaves to chance, and no %p, which prints an address.
const ONE_TEXT =
  'upper lower title untitle trim snakecase camelcase kebabcase swapcase initials nospace b64enc b32enc sha256sum adler32sum quote squote atoi int int64 float64 toDecimal base dir ext clean isAbs fromJson fromYaml fromYamlArray urlParse semver len html js urlquery toString trimall';
const ONE_ANY =
  'toYaml toJson toPrettyJson toRawJson toYamlPretty toString quote squote kindOf typeOf empty int float64 int64 print println len first last rest initial reverse uniq compact sortAlpha toStrings not toToml join floor ceil add1 max';

function expression(random: Random): string {
  const t = () => text(random);
  const n = () => number(random);
  const l = () => literal(random);
  return random.one<() => string>([
    () => `${random.one(ONE_TEXT.split(' '))} ${t()}`,
    () => `${random.one(ONE_ANY.split(' '))} ${l()}`,
    () => `${random.one(ONE_ANY.split(' '))} ${l()}`,
    () => `toYaml (dict "v" ${l()} ${quoted(random.one(TEXTS))} ${l()})`,
    () =>
      `${random.one(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'default', 'coalesce', 'deepEqual', 'cat', 'print', 'index', 'has', 'append', 'prepend', 'concat', 'without', 'merge', 'hasKey', 'get', 'ternary', 'pick', 'omit', 'dig', 'slice'])} ${l()} ${l()}`,
    () =>
      `${random.one(['add', 'sub', 'mul', 'div', 'mod', 'max', 'min', 'addf', 'subf', 'mulf', 'divf', 'maxf', 'minf', 'round', 'until', 'untilStep', 'seq'])} ${random.one(NUMBERS.slice(0, 5))} ${random.one(['3', '2', '-2', '1.5'])}`,
    () =>
      `${random.one(['contains', 'hasPrefix', 'hasSuffix', 'trimSuffix', 'trimPrefix', 'trimAll', 'split', 'splitList', 'regexMatch', 'semverCompare', 'cat', 'replace "a"', 'plural', 'regexFind', 'join'])} ${t()} ${t()}`,
    () =>
      `${random.one(['trunc', 'indent', 'nindent', 'repeat', 'abbrev', 'wrap', 'substr 0', 'abbrevboth 2', 'regexFindAll "[a-o]+"'])} ${random.one([small(random), t()])} ${random.one([t(), small(random)])}`,
    () =>
      `printf ${quoted(`[%${random.one(['', '', '#', '+', ' ', '-', '0', '#0', '+#'])}${random.one(['', '', '3', '10', '.2', '8.3', '.0'])}${random.one(VERBS)}]`)} ${random.one([l, n, t])()}`,
    () => `printf ${quoted(`%${random.one(VERBS)} %[1]v %${random.one(VERBS)}`)} ${l()} ${n()}`,
    () =>
      `${n()} | ${random.one(['int', 'float64', 'toString', 'quote', 'int64', 'toYaml', 'printf "%v"', 'printf "%d"', 'printf "%#x"'])}`,
    () => `fromYaml (toYaml (dict "v" ${l()})) | toJson`,
    () => `${t()} | ${random.one(ONE_TEXT.split(' '))} | ${random.one(ONE_ANY.split(' '))}`,
  ])();
}

/** The whole of a template: an expression, or one inside a block with trimmed space. */
function template(random: Random): string {
  const left = random.one(['{{', '{{', '{{- ']);
  const right = random.one(['}}', '}}', ' -}}']);
  const inner = expression(random);
  return random.one([
    () => `<\n ${left} ${inner} ${right} \n>`,
    () => `<${left} ${inner} ${right}>`,
    () => `<${left} ${inner} ${right}>`,
    () => `{{ range $i, $e := ${literal(random)} ${right} {{ $i }}={{ $e }};{{ else }}none{{ end }}`,
    () => `{{ with ${literal(random)} ${right} {{ . }} {{- else }} no {{- end }}`,
    () => `{{ if ${inner} ${right}\n yes {{ else }} no {{ end }}`,
    () => `{{ $x := ${inner} }}{{ $x }}|{{ $x | quote }}`,
  ])();
}

function values(random: Random): string {
  const any = (depth: number): unknown =>
    random.one<() => unknown>([
      () => random.one(TEXTS),
      () => random.one(TEXTS),
      () => Number(random.one(NUMBERS)),
      () => random.one([true, false, null]),
      () => (depth > 2 ? [] : [any(depth + 1), any(depth + 1)]),
      () => (depth > 2 ? {} : { [random.one(TEXTS.slice(1))]: any(depth + 1), k: any(depth + 1) }),
    ])();
  return JSON.stringify({
    text: random.one(TEXTS),
    other: random.one(TEXTS),
    number: Number(random.one(NUMBERS)),
    float: 2.75,
    flag: true,
    list: [any(0), any(0), any(0)],
    map: { a: any(0), b: any(0), 'c d': any(0) },
  });
}

const MESSAGE = /^[\s\S]*error calling [\s\S]*$|^[\s\S]*$/;
const lastLine = (message: string): string => MESSAGE.exec(message.trimEnd())![0].split('\n').at(-1)!;

/** Answers of one chart. A template that fails is seen by helm alone; what is left is asked once more. */
function ask(templates: ReadonlyMap<string, string>, valuesText: string) {
  const files = new Map<string, Uint8Array>();
  const put = (name: string, content: string) => files.set(name, Buffer.from(content));
  put('Chart.yaml', 'apiVersion: v2\nname: t\nversion: 0.1.0\n');
  put('values.yaml', valuesText);
  // The text of each case stands as JSON in a field, so that the whole is YAML whatever the case gives.
  for (const [name, body] of templates)
    put(`templates/_${name}.tpl`, `{{ define "${name}" }}${body}{{ end }}`);
  put(
    'templates/all.yaml',
    [...templates.keys()].map(name => `${name}: {{ include "${name}" . | b64enc }}\n`).join(''),
  );
  const ours = (): { text: string } | { error: string } => {
    try {
      return { text: renderChart(files, { releaseName: 'rel' }).text };
    } catch (error) {
      if (!isHelmError(error)) throw error;
      return { error: error.message };
    }
  };
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-helm-'));
  try {
    for (const [name, content] of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const real = spawnSync(helm!, ['template', 'rel', folder], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    });
    assert.ok(real.status !== null, String(real.error));
    const theirs =
      real.status === 0
        ? { text: real.stdout }
        : {
            error: real.stderr
              .replace(/^[\s\S]*?Error: /, '')
              .replace(/\n\nUse --debug[\s\S]*$/, '')
              .trimEnd(),
          };
    return { ours: ours(), theirs };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const decoded = (text: string): Map<string, string> =>
  new Map(
    [...text.matchAll(/^(c\d+): ?(\S*)$/gm)].map(([, name, code]) => [
      name!,
      Buffer.from(code!, 'base64').toString('latin1'),
    ]),
  );

/** Every case that differs, with both answers. */
function differences(seed: number, count: number): string[] {
  const random = randomly(seed);
  const wrong: string[] = [];
  const valuesText = values(random);
  let templates = new Map<string, string>(
    Array.from({ length: count }, (_, at) => [`c${at}`, template(random)] as const),
  );
  // Each failing case stops helm: it is compared by its message and taken out.
  for (let round = 0; round <= count && templates.size > 0; round++) {
    const { ours, theirs } = ask(templates, valuesText);
    if ('text' in ours && 'text' in theirs) {
      const [mine, real] = [decoded(ours.text), decoded(theirs.text)];
      assert.equal(real.size, templates.size);
      for (const [name, body] of templates)
        if (mine.get(name) !== real.get(name))
          wrong.push(
            `${body}\n  helm ${JSON.stringify(real.get(name))}\n  ours ${JSON.stringify(mine.get(name))}`,
          );
      break;
    }
    const failing = (one: typeof ours): string | undefined =>
      'error' in one ? /<include "(c\d+)"|_(c\d+)\.tpl/.exec(one.error)?.slice(1).find(Boolean) : undefined;
    const name = failing(theirs) ?? failing(ours);
    assert.ok(name !== undefined, JSON.stringify([ours, theirs]));
    if (!('error' in ours) || !('error' in theirs) || lastLine(ours.error) !== lastLine(theirs.error))
      wrong.push(
        `${templates.get(name)}\n  helm ${'error' in theirs ? lastLine(theirs.error) : 'renders'}\n  ours ${'error' in ours ? lastLine(ours.error) : 'renders'}`,
      );
    templates = new Map([...templates].filter(([one]) => one !== name));
  }
  return wrong;
}

it('answers random expressions as the real helm does', { skip }, () => {
  const seeds = (process.env['SALLYPORT_SEEDS'] ?? '1,2,3,4').split(',').map(Number);
  const wrong = seeds.flatMap(seed => differences(seed, 60));
  assert.deepEqual(wrong, [], wrong.join('\n'));
});
