/** Paths and addresses: Go's path package, and net/url as far as urlParse and urlJoin show it. */
import { define } from './define.ts';
import type { Fn } from './exec.ts';
import { goQuote } from './quote.ts';
import { GoError, GoMap, kindOf, type Value } from './value.ts';

/** path.Clean. */
export function cleanPath(path: string): string {
  if (path === '') return '.';
  const rooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
      else if (!rooted) parts.push('..');
    } else parts.push(part);
  }
  const joined = parts.join('/');
  return rooted ? `/${joined}` : joined === '' ? '.' : joined;
}

/** path.Base. */
export function basePath(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return '/';
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

const dirPath = (path: string): string => cleanPath(path.slice(0, path.lastIndexOf('/') + 1));

function extension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

const t = (value: Value): string => value as string;

function unescaped(text: string, keepPlus = true): string {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/u.exec(text);
  if (bad !== null) throw new GoError(`invalid URL escape ${goQuote(bad[0])}`);
  try {
    return decodeURIComponent(keepPlus ? text : text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function parseUrl(text: string): GoMap {
  const fail = (message: string): never => {
    throw new GoError(`unable to parse url: parse ${goQuote(text)}: ${message}`);
  };
  if (/[\x00-\x1f\x7f]/.test(text)) fail('net/url: invalid control character in URL');
  const hash = text.indexOf('#');
  let rest = hash < 0 ? text : text.slice(0, hash);
  const fields: Record<string, string> = {
    scheme: '',
    host: '',
    hostname: '',
    path: '',
    query: '',
    opaque: '',
    fragment: '',
    userinfo: '',
  };
  try {
    if (hash >= 0) fields['fragment'] = unescaped(text.slice(hash + 1));
    if (rest === '*') {
      fields['path'] = '*';
      return new GoMap(new Map(Object.entries(fields)));
    }
    const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(rest);
    if (scheme !== null) {
      fields['scheme'] = scheme[1]!.toLowerCase();
      rest = rest.slice(scheme[0].length);
    } else if (rest.startsWith(':')) fail('missing protocol scheme');
    const query = rest.indexOf('?');
    if (query >= 0) {
      fields['query'] = rest.slice(query + 1);
      rest = rest.slice(0, query);
    }
    if (!rest.startsWith('/')) {
      if (fields['scheme'] !== '') {
        fields['opaque'] = rest;
        return new GoMap(new Map(Object.entries(fields)));
      }
      const segment = rest.split('/')[0]!;
      if (segment.includes(':')) fail('first path segment in URL cannot contain colon');
    }
    if ((fields['scheme'] !== '' || !rest.startsWith('///')) && rest.startsWith('//')) {
      const slash = rest.indexOf('/', 2);
      let authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
      rest = slash < 0 ? '' : rest.slice(slash);
      const at = authority.lastIndexOf('@');
      if (at >= 0) {
        const user = authority.slice(0, at);
        if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) fail('net/url: invalid userinfo');
        fields['userinfo'] = user;
        authority = authority.slice(at + 1);
      }
      if (/[ "<>\\^`{|}]/.test(authority))
        fail(`invalid character ${goQuote(/[ "<>\\^`{|}]/.exec(authority)![0])} in host name`);
      const port = /:([^\]:]*)$/.exec(authority);
      if (port !== null && !/^\d*$/.test(port[1]!)) fail(`invalid port ${goQuote(`:${port[1]}`)} after host`);
      fields['host'] = unescaped(authority);
      fields['hostname'] = fields['host'].replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
    }
    fields['path'] = unescaped(rest);
  } catch (error) {
    if (error instanceof GoError && !error.message.startsWith('unable')) fail(error.message);
    throw error;
  }
  return new GoMap(new Map(Object.entries(fields)));
}

const escapePath = (path: string): string =>
  encodeURI(path)
    .replace(/[?#[\]!'()*]/g, c =>
      c === '!' || c === "'" || c === '(' || c === ')' || c === '*'
        ? c
        : `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    .replaceAll('%25', '%25');

function joinUrl(map: Value): string {
  const get = (key: string): string => {
    const entries = map instanceof GoMap ? map.entries : new Map<string, Value>();
    if (!entries.has(key)) return '';
    const value = entries.get(key);
    if (typeof value !== 'string') {
      if (value === null || value === undefined)
        throw new GoError('runtime error: invalid memory address or nil pointer dereference');
      throw new GoError(`unable to parse ${key} key, must be of type string, but ${kindOf(value)} found`);
    }
    return value;
  };
  const [scheme, host, path, query, opaque, fragment, user] = [
    'scheme',
    'host',
    'path',
    'query',
    'opaque',
    'fragment',
    'userinfo',
  ].map(get) as [string, string, string, string, string, string, string];
  let result = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') result += opaque;
  else {
    if (scheme !== '' || host !== '' || user !== '') {
      if (host !== '' || path !== '' || user !== '') result += '//';
      if (user !== '') result += `${user}@`;
      result += host;
    }
    const escaped = escapePath(path);
    if (escaped !== '' && !escaped.startsWith('/') && host !== '') result += '/';
    if (result === '' && /^[^/]*:/.test(escaped)) result += './';
    result += escaped;
  }
  if (query !== '') result += `?${query}`;
  if (fragment !== '') result += `#${escapePath(fragment)}`;
  return result;
}

const one = (call: (path: string) => Value): Fn => define('string', ([path]) => call(t(path)));

export const pathFunctions: Readonly<Record<string, Fn>> = {
  base: one(basePath),
  dir: one(dirPath),
  clean: one(cleanPath),
  ext: one(extension),
  isAbs: one(path => path.startsWith('/')),
  osBase: one(basePath),
  osDir: one(dirPath),
  osClean: one(cleanPath),
  osExt: one(extension),
  osIsAbs: one(path => path.startsWith('/')),
  urlParse: one(parseUrl),
  urlJoin: define('map', ([map]) => joinUrl(map)),
};
