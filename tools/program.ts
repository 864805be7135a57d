/**
 * Makes the program out of the sources: a few files of modules, each module a function that runs when it is first
 * required. A scan of one file then pays for the modules that it needs, and for no others: neither for reading them,
 * nor for compiling, nor for the texts in them.
 *
 * esbuild splits the program at its dynamic imports and at the places named here, where the sources import statically
 * but the program can wait.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild';
import type { Check } from '../src/check/check.ts';

/** One file of the program. */
export interface Pack {
  readonly name: string;
  /** Of its first module; the modules of all packs are numbered through. */
  readonly first: number;
  /** A script whose value is the list of its modules' functions. ASCII. */
  readonly code: string;
}

/** How modules are laid into packs. */
interface Layout {
  /** Which lie together: all that these entries import, unless it lies in a pack before. The last takes the rest. */
  readonly packs: readonly (readonly [name: string, entries: RegExp])[];
  /** Entries that run together with all that they import: one module each group, for what is hot calls no other module. */
  readonly joined: readonly (readonly [pack: string, entries: RegExp])[];
}

/** The program: a scan reads one pack. */
const PACKS: Layout['packs'] = [
  ['scan', /^src\/(?:cli\/(?:main|fixes|commands\/scan)|report\/[a-z]+|yaml\/read)\.ts$/],
  ['cluster', /^lazy:(?!lazy-decide-admission-)/],
  ['admission', /^lazy:/],
  ['gitops', /^src\/sources\/gitops\/deploy/],
  ['render', /^src\/sources\//],
  ['commands', /./],
];

const JOINED: Layout['joined'] = [
  ['scan', /^src\/cli\/(?:main|commands\/scan)\.ts$/],
  ['cluster', /^lazy:.*-(?:mesh|network)-/],
];

/** The program, and the same once more for those who only render: they should not start with all that a scan needs. */
const LAYOUTS = {
  scan: { packs: PACKS, joined: JOINED },
  render: {
    packs: [
      ['render-chart', /^src\/(?:cli\/(?:main|commands\/render)|sources\/helm\/re2)\.ts$/],
      ['render-patterns', /^lazy:.*re2js/],
      ['render-more', /./],
    ],
    joined: [['render-chart', /^src\/cli\/(?:main|commands\/render)\.ts$/]],
  },
} as const satisfies Readonly<Record<string, Layout>>;

/** Imports that wait until a function or class of theirs is used; nothing else may be imported from these. */
const LAZY: readonly (readonly [importer: RegExp, path: RegExp])[] = [
  [/\/src\//, /^re2js$/],
  [/\/src\/(practices|judge)\//, /^#decide\/(mesh|network)\/(door|network|compare)\.ts$/],
  [/\/src\/(practices|judge)\//, /^#decide\/pod-security\/custom\/custom\.ts$/],
  [/\/src\/practices\//, /^#decide\/pod-security\/profiles\/.*\.ts$/],
  [/\/src\/practices\//, /^#decide\/admission\/\w+\.ts$/],
];

/** Checks of objects of these groups wait until there is such an object. */
const RARE =
  /^(?:rbac\.authorization\.k8s\.io|[a-z.]+\.istio\.io|gateway\.networking\.k8s\.io|security-profiles-operator\.x-k8s\.io|policy\.linkerd\.io|(?:policy|extensions)\/PodSecurityPolicy|networking\.k8s\.io\/NetworkPolicy)(?:\/|$)/;

/** What the program asks of a check before it has anything to judge. */
const ASKED_FIRST = [
  'practice',
  'name',
  'title',
  'severity',
  'since',
  'profiles',
  'subject',
  'kinds',
  'options',
] as const satisfies readonly (keyof Check)[];

/**
 * @param options what all builds have in common
 * @param layout for whom
 * @returns the packs in order; the first module of all is the program's entry
 */
export async function bundleProgram(
  root: string,
  options: BuildOptions,
  layout: keyof typeof LAYOUTS,
): Promise<readonly Pack[]> {
  const { packs: wanted, joined: groups }: Layout = LAYOUTS[layout];
  const lazy = await lazyModules(root);
  const { outputFiles, metafile } = await build({
    ...options,
    format: 'esm',
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    outdir: resolve(root, 'program'),
    entryPoints: [{ in: 'src/cli/main.ts', out: 'main' }, ...lazy.entries],
    plugins: [lazy.plugin],
  });
  const texts = new Map(outputFiles.map(({ path, text }) => [path.slice(root.length + 1), text]));
  const packs = packsOf(metafile, wanted);
  const joined = new Map<string, string>();
  for (const [i, [name, entries]] of groups.entries()) {
    const pack = packs.get(name)!;
    const together = new Set(closureOf(metafile, entries));
    const files = pack.filter(file => together.has(file));
    const path = `program/joined-${i}.js`;
    texts.set(path, await join(files, texts, options));
    for (const [j, file] of files.entries())
      joined.set(file, `module.exports=require("./${fileName(path)}").m${j}`);
    pack.push(path);
  }
  const numbers = new Map([...packs.values()].flat().map((file, number) => [fileName(file), number]));
  const result: Pack[] = [];
  for (const [name, files] of packs) {
    const functions: string[] = [];
    for (const file of files)
      functions.push(asFunction(joined.get(file) ?? (await asCommonJs(texts.get(file)!)), numbers));
    result.push({
      name,
      first: numbers.get(fileName(files[0]!))!,
      code: ascii(`[${functions.join(',\n')}]`),
    });
  }
  return result;
}

/** One module of several files; each is a namespace of it, `m0`, `m1`, in their order. */
async function join(
  files: readonly string[],
  texts: ReadonlyMap<string, string>,
  options: BuildOptions,
): Promise<string> {
  const own = new Map(files.map(file => [`./${fileName(file)}`, texts.get(file)!]));
  const { outputFiles } = await build({
    ...options,
    format: 'esm',
    minify: true,
    write: false,
    stdin: { contents: [...own.keys()].map((path, i) => `export * as m${i} from '${path}';`).join('\n') },
    plugins: [
      {
        name: 'join',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^\.\// }, ({ path }) =>
            own.has(path) ? { path, namespace: 'join' } : { path, external: true },
          );
          onLoad({ filter: /.*/, namespace: 'join' }, ({ path }) => ({
            contents: own.get(path)!,
            loader: 'js',
          }));
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}

const fileName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** The output files of each pack; that of the entry is the first. */
function packsOf(metafile: Metafile, wanted: Layout['packs']): Map<string, string[]> {
  const taken = new Set<string>();
  const packs = new Map<string, string[]>();
  for (const [name, entries] of wanted) {
    const files = closureOf(metafile, entries).filter(file => !taken.has(file));
    for (const file of files) taken.add(file);
    packs.set(name, files);
  }
  return packs;
}

/** The output files of entries, with all that they import; the program's own entry is the first. */
function closureOf({ outputs }: Metafile, entries: RegExp): string[] {
  const files = new Set<string>();
  const take = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const { path, kind, external } of outputs[file]!.imports)
      if (kind === 'import-statement' && external !== true) take(path);
  };
  const isMain = (file: string) => Number(file.endsWith('/main.js'));
  for (const file of Object.keys(outputs).sort((a, b) => isMain(b) - isMain(a))) {
    const { entryPoint } = outputs[file]!;
    if (entryPoint !== undefined && entries.test(entryPoint)) take(file);
  }
  return [...files];
}

async function asCommonJs(text: string): Promise<string> {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minify: true,
    // What lies in a pack is required; no import could find it.
    supported: { 'dynamic-import': false },
  });
  return code;
}

/** A module as a function of `exports`, `require` and `module`, with the numbers of the modules that it requires. */
function asFunction(code: string, numbers: ReadonlyMap<string, number>): string {
  // Whatever require is called by now.
  const numbered = code.replaceAll(/(["'`])\.\/([\w-]+\.js)\1/g, (written, _, file: string) =>
    numbers.has(file) ? `"./${numbers.get(file)}"` : written,
  );
  return `function(exports,require,module){${numbered}}`;
}

/** esbuild leaves regular expressions as they are written; read as latin1, the program is read fastest. */
function ascii(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function lazyModules(
  root: string,
): Promise<{ readonly entries: { readonly in: string; readonly out: string }[]; readonly plugin: Plugin }> {
  const modules = new Map<string, string>();
  /** A module of its own, by what it holds. @returns how the stubs require it */
  const waiting = (key: string, contents: string): string => {
    const name = `lazy-${key.replaceAll(/\W+/g, '-').replace(/^-|-ts$/g, '')}`;
    modules.set(name, contents);
    return `require("./${name}.js")`;
  };
  const stubs = new Map<string, string>();
  for (const path of importedLazily(root))
    stubs.set(
      path,
      stubOf(waiting(path, `export * from ${JSON.stringify(path)};`), await namesOf(root, path)),
    );
  const { checks } = (await import('../src/practices/index.ts')) as { readonly checks: readonly Check[] };
  const rare = Map.groupBy(
    checks.filter(
      ({ subject, kinds }) =>
        subject === 'object' && kinds !== undefined && kinds.every(kind => RARE.test(kind)),
    ),
    ({ practice }) => practice,
  );
  for (const [practice, of] of rare) {
    const path = ({ name }: Check) => resolve(root, `src/practices/${practice}/checks/${name}.ts`);
    const real = waiting(
      `${practice}-checks`,
      of.map((check, i) => `export { default as c${i} } from ${JSON.stringify(path(check))};`).join('\n'),
    );
    for (const [i, check] of of.entries()) stubs.set(path(check), stubOfCheck(check, `${real}.c${i}`));
  }
  const plugin: Plugin = {
    name: 'lazy-modules',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^lazy:/ }, ({ path }) => ({
        path: path.slice('lazy:'.length),
        namespace: 'lazy',
      }));
      onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
        contents: modules.get(path)!,
        resolveDir: root,
        loader: 'js',
      }));
      // Sources may be called so too: theirs end in .ts.
      onResolve({ filter: /^\.\/lazy-.*\.js$/ }, ({ path }) => ({ path, external: true }));
      onResolve(
        { filter: /^(re2js$|#decide\/|\.\/\w+\/checks\/)/ },
        ({ path, importer, kind, namespace }) => {
          if (kind !== 'import-statement' || namespace === 'lazy') return undefined;
          const stub = path.startsWith('.') ? resolve(dirname(importer), path) : path;
          if (!stubs.has(stub)) return undefined;
          if (!path.startsWith('.') && !LAZY.some(([from, to]) => from.test(importer) && to.test(path)))
            return undefined;
          return { path: stub, namespace: 'stub' };
        },
      );
      onLoad({ filter: /.*/, namespace: 'stub' }, ({ path }) => ({
        contents: stubs.get(path)!,
        resolveDir: root,
        loader: 'js',
      }));
    },
  };
  return { entries: [...modules.keys()].map(name => ({ in: `lazy:${name}`, out: name })), plugin };
}

/** What the sources import where LAZY says that it can wait. */
function importedLazily(root: string): Set<string> {
  const found = new Set<string>();
  for (const file of globSync('src/**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts')) continue;
    const text = readFileSync(resolve(root, file), 'utf8');
    for (const [, path] of text.matchAll(/^(?:import|\}) (?!type ).*?from '([^']+)';$/gm))
      if (LAZY.some(([from, to]) => from.test(`/${file}`) && to.test(path!))) found.add(path!);
  }
  return found;
}

/** A module with the same names, each of which loads the real one when it is called, constructed or looked into. */
function stubOf(real: string, names: readonly string[]): string {
  const of = (name: string) =>
    `export const ${name} = new Proxy(function () {}, {
      get: (_, key) => { const it = load().${name}; const value = it[key]; return typeof value === 'function' && key !== 'prototype' ? value.bind(it) : value; },
      apply: (_, self, args) => Reflect.apply(load().${name}, self, args),
      construct: (_, args) => Reflect.construct(load().${name}, args),
    });`;
  return [`const load = () => ${real};`, ...names.map(of)].join('\n');
}

/** A check of which only that is there what is asked of all checks. */
function stubOfCheck(check: Check, real: string): string {
  const first = ASKED_FIRST.filter(key => key in check).map(key => `${key}: ${JSON.stringify(check[key])},`);
  const later = Object.keys(check)
    .filter(key => !(ASKED_FIRST as readonly string[]).includes(key))
    .map(key => `get ${key}() { return ${real}.${key}; },`);
  return `export default { ${[...first, ...later].join('\n')} };`;
}

/** The functions and classes that a door or a module exports, re-exported ones too; types are not among them. */
async function namesOf(root: string, path: string): Promise<string[]> {
  if (path === 're2js') return ['RE2JS', 'RE2JSException', 'RE2JSSyntaxException'];
  const text = readFileSync(resolve(root, path.replace('#', 'src/')), 'utf8');
  const own = [...text.matchAll(/^export (?:async )?(?:function|class) (\w+)/gm)].map(([, name]) => name!);
  const through = [...text.matchAll(/^export \{([^}]*)\} from/gm)].flatMap(([, list]) =>
    list!
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== '' && !name.startsWith('type ')),
  );
  return [...own, ...through];
}
