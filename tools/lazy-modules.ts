/**
 * Modules of the program that are evaluated when they are first used, though they are imported statically: a scan of
 * one file must not pay for the deciders of meshes, or for RE2, that it never asks. Only the bundled program does so;
 * the library's doors are as they are written.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** Where the import stands, and what it imports. Only functions and classes may be taken from these. */
const LAZY: readonly (readonly [importer: RegExp, path: RegExp])[] = [
  [/\/src\//, /^re2js$/],
  [/\/src\/(practices|judge)\//, /^#decide\/(mesh|network)\/(door|network|compare)\.ts$/],
  [/\/src\/(practices|judge)\//, /^#decide\/pod-security\/custom\/custom\.ts$/],
];

const NAMESPACE = 'lazy';

export function lazyModules(root: string): Plugin {
  return {
    name: 'lazy-modules',
    setup(build) {
      build.onResolve({ filter: /^(re2js|#decide\/.*)$/ }, async args => {
        if (args.namespace === NAMESPACE || args.pluginData === NAMESPACE) return undefined;
        if (args.kind !== 'import-statement') return undefined;
        if (!LAZY.some(([importer, path]) => importer.test(args.importer) && path.test(args.path)))
          return undefined;
        const { path, errors } = await build.resolve(args.path, {
          kind: 'require-call',
          resolveDir: dirname(args.importer),
          pluginData: NAMESPACE,
        });
        return errors.length > 0 ? { errors } : { path, namespace: NAMESPACE };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: stubOf(path),
        resolveDir: root,
        loader: 'js',
      }));
    },
  };
}

/** A module with the same names, each of which loads the real one when it is called, constructed or looked into. */
function stubOf(path: string): string {
  const names = path.endsWith('.cjs') ? ['RE2JS', 'RE2JSException', 'RE2JSSyntaxException'] : exportsOf(path);
  const of = (name: string) =>
    `export const ${name} = new Proxy(function () {}, {
      get: (_, key) => { const it = load().${name}; const value = it[key]; return typeof value === 'function' && key !== 'prototype' ? value.bind(it) : value; },
      apply: (_, self, args) => Reflect.apply(load().${name}, self, args),
      construct: (_, args) => Reflect.construct(load().${name}, args),
    });`;
  return [`const load = () => require(${JSON.stringify(path)});`, ...names.map(of)].join('\n');
}

/** The functions and classes that a door or a module exports, re-exported ones too; types are not among them. */
function exportsOf(path: string): string[] {
  const text = readFileSync(resolve(path), 'utf8');
  const own = [...text.matchAll(/^export (?:async )?(?:function|class) (\w+)/gm)].map(([, name]) => name!);
  const through = [...text.matchAll(/^export \{([^}]*)\} from/gm)].flatMap(([, list]) =>
    list!
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== '' && !name.startsWith('type ')),
  );
  return [...own, ...through];
}
