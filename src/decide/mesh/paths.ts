/**
 * Request paths as Envoy rewrites them before any filter sees them, and the path templates of its matchers.
 *
 * Sources: envoy source/common/http/conn_manager_utility.cc (maybeNormalizePath: escaped slashes, then the canonical
 * path, then merged slashes; a fragment is refused), source/common/http/path_utility.cc, and the canonicalizer of
 * googleurl behind it (url/url_canon_path.cc); istio pilot/pkg/networking/core/listener_builder.go for what each mode
 * of the mesh switches on; source/extensions/path/uri_template_lib/uri_template_internal.cc for templates.
 */
import { hasFix } from './versions.ts';

export type PathNormalization = 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES' | 'DEFAULT';

export const PATH_NORMALIZATIONS: readonly PathNormalization[] = [
  'NONE',
  'BASE',
  'MERGE_SLASHES',
  'DECODE_AND_MERGE_SLASHES',
  'DEFAULT',
];

export interface PathOptions {
  readonly normalization: PathNormalization;
  /** The proxy's version, `1.40.0` where left out. */
  readonly envoy?: string;
}

/** The path that filters see, its query included; or the status with which the proxy refuses the request. */
export type NormalizedPath = { readonly path: string } | { readonly status: number };

/** What a path becomes in a proxy. */
export function normalizePath(path: string, { normalization, envoy }: PathOptions): NormalizedPath {
  if (!path.startsWith('/') || path.includes('#')) return { status: 400 };
  if (normalization === 'NONE') return { path };
  const question = path.indexOf('?');
  const query = question < 0 ? '' : path.slice(question);
  let text = question < 0 ? path : path.slice(0, question);
  if (normalization === 'DECODE_AND_MERGE_SLASHES')
    text = text.replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\');
  if (dropsParametersOfDots(envoy)) text = withoutParametersOfDots(text);
  const canonical = canonicalPath(text);
  if (canonical === undefined) return { status: 400 };
  const merges = normalization === 'MERGE_SLASHES' || normalization === 'DECODE_AND_MERGE_SLASHES';
  return { path: (merges ? mergeSlashes(canonical) : canonical) + query };
}

/** What matchers of paths compare: without query and fragment. Source: PathUtil::removeQueryAndFragment. */
export function withoutQuery(path: string): string {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

/**
 * Whether a segment `..;x` is taken for `..` (CVE-2026-73551). Source: the advisory GHSA-2w8w-rfw7-8gg4, which the
 * measured versions agree with; only a segment that is written so, `%2e%2e;x` is none.
 */
function dropsParametersOfDots(envoy: string | undefined): boolean {
  return envoy === undefined || hasFix(envoy, ['1.36.10', '1.37.6', '1.38.4', '1.39.1']);
}

function withoutParametersOfDots(path: string): string {
  if (!path.includes('.;')) return path;
  return path
    .split('/')
    .map(segment => (segment.startsWith('..;') ? '..' : segment.startsWith('.;') ? '.' : segment))
    .join('/');
}

/** Letters, digits and `-._~`: an escape of these is undone, every other one keeps its bytes and the case of its hex. */
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
/** What is escaped where it stands plain; HTTP parsers let few of these through. */
const ESCAPED = /^[\x00-\x20"#<>?`{}\x7f^|]$/;

/** @returns undefined where the path holds a character that no path can have */
function canonicalPath(path: string): string | undefined {
  const out: string[] = [];
  let valid = true;
  for (let at = 0; at < path.length; at++) {
    const character = path[at]!;
    const dot = dotAt(path, at);
    if (dot > 0) {
      const relative = out.at(-1) === '/' ? relativeAfterDot(path, at + dot) : undefined;
      if (relative === undefined) out.push('.');
      else if (relative.up) backToSlash(out);
      at += dot + (relative?.consumed ?? 0) - 1;
    } else if (character === '\\') out.push('/');
    else if (character === '%') {
      const hex = path.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) {
        out.push('%');
        continue;
      }
      const code = Number.parseInt(hex, 16);
      const decoded = String.fromCharCode(code);
      if (code < 0x80 && UNRESERVED.test(decoded)) out.push(decoded);
      else out.push('%', hex[0]!, hex[1]!);
      if (code === 0) valid = false;
      at += 2;
    } else if (ESCAPED.test(character)) {
      out.push(...escaped(character.charCodeAt(0)));
      if (character === '\0') valid = false;
    } else if (character > '\x7f') {
      const whole = String.fromCodePoint(path.codePointAt(at)!);
      for (const byte of utf8(whole)) out.push(...escaped(byte));
      at += whole.length - 1;
    } else out.push(character);
  }
  return valid ? out.join('') : undefined;
}

/** The length of a dot, plain or as `%2e`; 0 where there is none. */
function dotAt(path: string, at: number): number {
  if (path[at] === '.') return 1;
  return path[at] === '%' && /^2e$/i.test(path.slice(at + 1, at + 3)) ? 3 : 0;
}

/** Whether a dot behind a slash means this folder or the one above. */
function relativeAfterDot(path: string, at: number): { up: boolean; consumed: number } | undefined {
  if (at === path.length) return { up: false, consumed: 0 };
  if (isSlash(path[at])) return { up: false, consumed: 1 };
  const second = dotAt(path, at);
  if (second === 0) return undefined;
  if (at + second === path.length) return { up: true, consumed: second };
  return isSlash(path[at + second]) ? { up: true, consumed: second + 1 } : undefined;
}

function isSlash(character: string | undefined): boolean {
  return character === '/' || character === '\\';
}

/** Removes the last segment of what is written; it ends with a slash, before and after. */
function backToSlash(out: string[]): void {
  if (out.length === 1) return;
  out.pop();
  while (out.length > 1 && out.at(-1) !== '/') out.pop();
}

function escaped(byte: number): string[] {
  return [...`%${byte.toString(16).toUpperCase().padStart(2, '0')}`];
}

function utf8(character: string): number[] {
  const code = character.codePointAt(0)!;
  if (code < 0x800) return [0xc0 | (code >> 6), 0x80 | (code & 0x3f)];
  if (code < 0x10000) return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
  return [
    0xf0 | (code >> 18),
    0x80 | ((code >> 12) & 0x3f),
    0x80 | ((code >> 6) & 0x3f),
    0x80 | (code & 0x3f),
  ];
}

/** A path of slashes only ends as two of them: prefix and suffix are both kept. */
function mergeSlashes(path: string): string {
  if (!path.includes('//')) return path;
  const inner = path.split('/').filter(segment => segment !== '');
  return `/${inner.join('/')}${path.endsWith('/') ? '/' : ''}`;
}

/** Whether a value of `paths` is a template. Source: istio pkg/config/security/security.go (ContainsPathTemplate). */
export function isPathTemplate(value: string): boolean {
  return value.includes('{*}') || value.includes('{**}');
}

const LITERAL = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/;

/** Whether a text may stand between two slashes of a template. */
export function isPathSegment(text: string): boolean {
  return LITERAL.test(text);
}

/** A template made for many paths; undefined where it is one that Istio or Envoy refuses. */
export function compilePathTemplate(template: string): ((path: string) => boolean) | undefined {
  if (!template.startsWith('/')) return undefined;
  const segments = template.slice(1).split('/');
  const rest = segments.indexOf('{**}');
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '{*}' || segment === '{**}') {
      if (rest >= 0 && index > rest) return undefined;
    } else if (!LITERAL.test(segment) && !(segment === '' && last && segments.length > 1)) return undefined;
  }
  if (rest < 0) return path => matchSegments(segments, pathSegments(path));
  const head = segments.slice(0, rest);
  const tail = segments.slice(rest + 1);
  return path => {
    const parts = pathSegments(path);
    if (parts === undefined || parts.length < segments.length) return false;
    const middle = parts.slice(head.length, parts.length - tail.length);
    return (
      matchSegments(head, parts.slice(0, head.length)) &&
      matchSegments(tail, parts.slice(parts.length - tail.length)) &&
      middle.every(part => part === '' || LITERAL.test(part))
    );
  };
}

function pathSegments(path: string): string[] | undefined {
  return path.startsWith('/') ? path.slice(1).split('/') : undefined;
}

function matchSegments(segments: readonly string[], parts: readonly string[] | undefined): boolean {
  return (
    parts !== undefined &&
    parts.length === segments.length &&
    segments.every((segment, index) =>
      segment === '{*}' ? LITERAL.test(parts[index]!) : segment === parts[index],
    )
  );
}
