/**
 * From an HTTP request to what is asked of the authorizers. Sources: apiserver pkg/endpoints/request/requestinfo.go,
 * pkg/endpoints/filters/authorization.go, apimachinery pkg/fields/selector.go, pkg/labels/selector.go.
 */
import { compareBytes, percentDecoded } from '#kube/go-text.ts';
import type { Attributes } from './attributes.ts';

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const PATH_VERBS = ['proxy', 'watch'];
const NAMESPACE_SUBRESOURCES = ['status', 'finalize'];
const WITH_SELECTORS = ['list', 'watch', 'deletecollection'];

/** A request for which the API server could not tell what is asked. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

/**
 * @param method as HTTP writes it, for example `GET`
 * @param target path and query: `/api/v1/namespaces/x/pods?watch=1`
 * @throws RequestError where the path ends in the middle, or is no path
 */
export function attributesOf(method: string, target: string): Omit<Attributes, 'user'> {
  if (hasControl(target)) throw new RequestError('a control character is in the URL');
  const question = target.indexOf('?');
  const path = decodePath(question < 0 ? target : target.slice(0, question));
  const query = parseQuery(question < 0 ? '' : target.slice(question + 1).replace(/#.*$/s, ''));
  let verb = method.toLowerCase();
  const nonResource = { verb, path, resourceRequest: false };
  let parts = path.replace(/^\/+|\/+$/g, '').split('/');
  if (parts.length < 3) return nonResource;
  const [prefix] = parts;
  if (prefix !== 'api' && prefix !== 'apis') return nonResource;
  parts = parts.slice(1);
  let apiGroup = '';
  if (prefix === 'apis') {
    if (parts.length < 3) return nonResource;
    apiGroup = parts[0]!;
    parts = parts.slice(1);
  }
  const apiVersion = parts[0]!;
  parts = parts.slice(1);
  const byPath = PATH_VERBS.includes(parts[0]!);
  if (byPath) {
    if (parts.length < 2)
      throw new RequestError(`unable to determine kind and namespace from url, ${target}`);
    verb = parts[0]!;
    parts = parts.slice(1);
  } else verb = Object.hasOwn(VERBS, method) ? VERBS[method]! : '';
  let namespace = '';
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1]!;
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.includes(parts[2]!)) parts = parts.slice(2);
  }
  const resource = parts[0] ?? '';
  let name = parts[1] ?? '';
  const subresource = parts.length >= 3 && verb !== 'proxy' ? parts[2]! : '';
  if (name === '' && verb === 'get') {
    const options = listOptions(query);
    verb = options.watch ? 'watch' : 'list';
    name = options.name;
  }
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  const selectors = byPath || !WITH_SELECTORS.includes(verb) ? {} : selectorsOf(query);
  return {
    verb,
    namespace,
    apiGroup,
    apiVersion,
    resource,
    subresource,
    name,
    path,
    resourceRequest: true,
    ...selectors,
  };
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  return false;
}

function decodePath(path: string): string {
  if (!path.startsWith('/')) throw new RequestError(`"${path}" is no path; it begins with a slash`);
  const decoded = percentDecoded(path);
  if (decoded === undefined) throw new RequestError(`"${path}" has a broken escape`);
  return decoded;
}

type Query = ReadonlyMap<string, readonly string[]>;

/** Go's url.ParseQuery; what is broken is left out. */
function parseQuery(text: string): Query {
  const query = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const [key, value] = [
      equals < 0 ? pair : pair.slice(0, equals),
      equals < 0 ? '' : pair.slice(equals + 1),
    ].map(part => percentDecoded(part.replaceAll('+', ' ')));
    // A broken escape loses the pair, as in Go.
    if (key === undefined || value === undefined) continue;
    const values = query.get(key);
    if (values === undefined) query.set(key, [value]);
    else values.push(value);
  }
  return query;
}

/** Go's strconv.ParseInt: nothing is no number. */
function isInt64(text: string): boolean {
  if (!/^[-+]?\d{1,100}$/.test(text)) return false;
  const value = BigInt(text.replace('+', ''));
  return value < 2n ** 63n && value >= -(2n ** 63n);
}

const NUMBERS = ['timeoutSeconds', 'limit'];

/** Whether the list is a watch, and the one name that it is limited to. */
function listOptions(query: Query): { readonly watch: boolean; readonly name: string } {
  const watch = query.has('watch') && !['false', '0'].includes((query.get('watch')![0] ?? '').toLowerCase());
  const selector = query.get('fieldSelector')?.[0];
  // What cannot be decoded takes the selector's name with it, but not the watch.
  const decodable =
    NUMBERS.every(key => {
      const value = query.get(key)?.[0];
      return value === undefined || isInt64(value);
    }) &&
    (selector === undefined || parseFieldSelector(selector) !== undefined) &&
    parseLabelSelector(query.get('labelSelector')?.[0] ?? '') !== undefined;
  if (!decodable || selector === undefined || selector === '') return { watch, name: '' };
  const required = (parseFieldSelector(selector) ?? []).find(
    ({ field, operator }) => field === 'metadata.name' && operator === '=',
  );
  const name = required?.value ?? '';
  return { watch, name: name === '.' || name === '..' || /[/%]/.test(name) ? '' : name };
}

function selectorsOf(query: Query): Pick<Attributes, 'fieldSelector' | 'labelSelector'> {
  const fields = parseFieldSelector(query.get('fieldSelector')?.[0] ?? '');
  const labels = parseLabelSelector(query.get('labelSelector')?.[0] ?? '');
  return {
    ...(fields === undefined || fields.length === 0 ? {} : { fieldSelector: fields }),
    ...(labels === undefined || labels.length === 0 ? {} : { labelSelector: labels }),
  };
}

/** The requirements of a field selector; undefined where it is none. */
export function parseFieldSelector(text: string): NonNullable<Attributes['fieldSelector']> | undefined {
  const requirements: { field: string; operator: string; value: string }[] = [];
  for (const term of splitTerms(text).sort(compareBytes)) {
    if (term === '') continue;
    const parts = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (parts === null) return undefined;
    const value = unescapeValue(parts[3]!);
    if (value === undefined) return undefined;
    // A term of nothing selects everything.
    if (parts[1] === '' && value === '') continue;
    requirements.push({ field: parts[1]!, operator: parts[2] === '!=' ? '!=' : '=', value });
  }
  return requirements;
}

/** At commas that are not escaped. */
function splitTerms(text: string): string[] {
  if (text === '') return [];
  const terms: string[] = [];
  let term = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && i + 1 < text.length) {
      term += text[i]! + text[i + 1]!;
      i++;
    } else if (text[i] === ',') {
      terms.push(term);
      term = '';
    } else term += text[i];
  }
  terms.push(term);
  return terms;
}

/** Only `\\`, `\,` and `\=` are escapes, and neither comma nor equals sign stands alone. */
function unescapeValue(text: string): string | undefined {
  let value = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === ',' || character === '=') return undefined;
    if (character !== '\\') {
      value += character;
      continue;
    }
    const next = text[++i];
    if (next !== '\\' && next !== ',' && next !== '=') return undefined;
    value += next;
  }
  return value;
}

const LABEL_KEY =
  /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** The requirements of a label selector; undefined where it is none. */
export function parseLabelSelector(text: string): NonNullable<Attributes['labelSelector']> | undefined {
  const tokens = text.match(/!=|==|[=!(),<>]|[^ \t\r\n=!(),<>]+/g) ?? [];
  const requirements: { key: string; operator: string; values?: string[] }[] = [];
  let at = 0;
  const word = (): string | undefined => {
    const token = tokens[at];
    if (token === undefined || /^[=!(),<>]/.test(token)) return undefined;
    at++;
    return token;
  };
  if (tokens.length === 0) return [];
  for (;;) {
    const absent = tokens[at] === '!';
    if (absent) at++;
    const key = word();
    if (key === undefined || !LABEL_KEY.test(key)) return undefined;
    const operator = tokens[at];
    if (operator === undefined || operator === ',')
      requirements.push({ key, operator: absent ? '!' : 'exists' });
    else if (absent) return undefined;
    else if (operator === '=' || operator === '==' || operator === '!=') {
      at++;
      const value = word() ?? '';
      if (!LABEL_VALUE.test(value)) return undefined;
      requirements.push({ key, operator, values: [value] });
    } else if (operator === '<' || operator === '>') {
      at++;
      const value = word();
      // A sign is part of a whole number, but of no value of a label.
      if (value === undefined || !/^\d{1,63}$/.test(value) || BigInt(value) >= 2n ** 63n) return undefined;
      requirements.push({ key, operator: operator === '<' ? 'lt' : 'gt', values: [value] });
    } else if (operator === 'in' || operator === 'notin') {
      at++;
      if (tokens[at++] !== '(') return undefined;
      const values = new Set<string>();
      for (;;) {
        values.add(word() ?? '');
        const next = tokens[at++];
        if (next === ')') break;
        if (next !== ',') return undefined;
      }
      if ([...values].some(value => !LABEL_VALUE.test(value))) return undefined;
      requirements.push({ key, operator, values: [...values].sort() });
    } else return undefined;
    if (at >= tokens.length) break;
    if (tokens[at++] !== ',') return undefined;
  }
  // Requirements are sorted by their keys.
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
