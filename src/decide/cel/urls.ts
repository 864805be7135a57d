/** URLs as Go reads them. Source: net/url (ParseRequestURI, Parse), apiserver pkg/cel/library/urls.go. */
import { quoted } from '#kube/go-text.ts';
import { opaque } from './types.ts';
import { CelMap, Opaque } from './values.ts';

export const URL_TYPE = opaque('kubernetes.URL');

export class Url extends Opaque {
  readonly typeName = 'kubernetes.URL';
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly escapedPath: string;
  readonly #query: string;

  constructor(text: string, scheme: string, host: string, path: string, query: string) {
    super();
    this.text = text;
    this.scheme = scheme;
    this.host = host;
    this.escapedPath = path;
    this.#query = query;
  }

  equals(other: Opaque): boolean {
    return other instanceof Url && other.text === this.text;
  }

  get hostname(): string {
    const bracket = /^\[(.*)\]/.exec(this.host);
    return bracket?.[1] ?? this.host.replace(/:[0-9]*$/, '');
  }

  get port(): string {
    return /:([0-9]*)$/.exec(this.host)?.[1] ?? '';
  }

  query(): CelMap {
    const values = new Map<string, string[]>();
    for (const pair of this.#query.split('&')) {
      if (pair === '' || pair.includes(';')) continue;
      const equals = pair.indexOf('=');
      const key = unescaped(equals < 0 ? pair : pair.slice(0, equals), true);
      const value = unescaped(equals < 0 ? '' : pair.slice(equals + 1), true);
      if (key === undefined || value === undefined) continue;
      values.set(key, [...(values.get(key) ?? []), value]);
    }
    const map = new CelMap();
    for (const [key, list] of values) map.set(key, list);
    return map;
  }
}

function unescaped(text: string, plus: boolean): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  try {
    return decodeURIComponent(plus ? text.replaceAll('+', ' ') : text);
  } catch {
    return undefined;
  }
}

/** An absolute URL or an absolute path; else what is wrong with it. */
export function parseUrl(text: string): Url | string {
  const wrong = (why: string): string => `parse ${quoted(text)}: ${why}`;
  if (/[\x00-\x1f\x7f]/.test(text)) return wrong('net/url: invalid control character in URL');
  if (text === '') return wrong('empty url');
  if (text === '*') return new Url(text, '', '', '*', '');
  const colon = text.indexOf(':');
  let scheme = '';
  let rest = text;
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text)) {
    scheme = text.slice(0, colon).toLowerCase();
    rest = text.slice(colon + 1);
  } else if (colon === 0) return wrong('missing protocol scheme');
  if (!rest.startsWith('/')) {
    if (scheme === '') return wrong('invalid URI for request');
    return new Url(text, scheme, '', '', '');
  }
  const fragment = rest.indexOf('#');
  if (fragment >= 0) rest = rest.slice(0, fragment);
  const question = rest.indexOf('?');
  const query = question < 0 ? '' : rest.slice(question + 1);
  if (question >= 0) rest = rest.slice(0, question);
  let host = '';
  if (scheme !== '' && rest.startsWith('//')) {
    const end = rest.indexOf('/', 2);
    const authority = end < 0 ? rest.slice(2) : rest.slice(2, end);
    rest = end < 0 ? '' : rest.slice(end);
    host = authority.slice(authority.lastIndexOf('@') + 1);
    if (
      host.startsWith('[')
        ? !/^\[[^\]]*\](?::[0-9]*)?$/.test(host)
        : /:[^0-9]|:.*:/.test(host) || /:[0-9]*[^0-9:]+$/.test(host)
    )
      return wrong(`invalid port ${JSON.stringify(host.slice(host.lastIndexOf(':')))} after host`);
    if (/[ "<>\\^`{|}]/.test(host))
      return wrong(`invalid character ${JSON.stringify(/[ "<>\\^`{|}]/.exec(host)![0])} in host name`);
  }
  if (/%(?![0-9a-fA-F]{2})/.test(rest))
    return wrong(`invalid URL escape ${JSON.stringify(/%.{0,2}/.exec(rest)![0])}`);
  return new Url(text, scheme, host, escapePath(rest), query);
}

/** What is not allowed in a path is escaped; what is escaped already stays. */
function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@%!'()*[\]]+/gu, part => encodeURIComponent(part));
}
