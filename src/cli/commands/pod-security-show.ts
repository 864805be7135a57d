/** `sallyport pod-security show`: the security context of each container as it takes effect. */
import { existsSync } from 'node:fs';
import { podsOf } from '#decide/pod-security/pods.ts';
import { builtInResources, findResource } from '#kube/api-resources.ts';
import { toJson } from '#kube/json.ts';
import { formatPath, isRecord, type ObjectReference, referenceOf } from '#kube/objects.ts';
import { effectiveOf } from '#practices/pod-security/effective.ts';
import { STYLE, STYLE_HASH, TABLE_STYLE, TABLE_STYLE_HASH } from '#report/html-assets.ts';
import { xml } from '#report/markup.ts';
import { objectName, safe } from '#report/safe.ts';
import { type Declared, World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell } from '../output.ts';
import { minorOf } from '../version-range.ts';
import { wrap } from '../wrap.ts';

interface Value {
  readonly field: string;
  readonly value: unknown;
  readonly from: 'container' | 'pod' | 'default';
  readonly path?: string;
  readonly file?: string;
  readonly line?: number;
  readonly gives?: string;
  readonly note?: string;
}

interface Shown {
  readonly file: string;
  readonly line: number;
  readonly object: ObjectReference;
  readonly container: string;
  readonly role: string;
  readonly values: readonly Value[];
}

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const { wanted, paths } = operandsOf(parsed);
  const { declared, gaps } = await readInput(parsed, paths, config);
  const kubernetesMinor = minorOf(
    parsed.value('target-kubernetes') ?? config.targetKubernetes,
    '--target-kubernetes',
  );
  const world = new World({ declared, gaps, kubernetesMinor });
  const shown: Shown[] = [];
  let refusals = 0;
  for (const { object, origin } of declared) {
    const reference = referenceOf(object);
    if (wanted !== undefined && !isNamed(reference, wanted)) continue;
    const { pods, refused } = podsOf(world, object);
    refusals += refused.length;
    for (const { path, reason } of refused) {
      const { file, line } = origin.positionOf(path);
      tell(`sallyport: ${safe(file)}:${line}: ${objectName(reference)}: ${safe(reason)}\n`);
    }
    for (const pod of pods)
      for (const container of pod.containers)
        shown.push({
          file: origin.file,
          line: origin.line,
          object: reference,
          container: container.name,
          role: container.role,
          values: effectiveOf(container, world).map(({ path, ...rest }) => {
            if (path === undefined) return rest;
            const full = pod.pathOf(path);
            const { file, line } = origin.positionOf(full);
            return { ...rest, path: formatPath(full), file, line };
          }),
        });
  }
  if (shown.length + refusals + gaps.length === 0)
    throw new UsageError(
      wanted === undefined
        ? 'there is no pod, and nothing that makes pods, in the input'
        : `there is no workload ${safe(wanted)} in the input${parsed.has('workload') ? '' : ', and no path of that name'}`,
      wanted === undefined ? undefined : namesIn(declared, world),
    );
  if (wanted !== undefined && shown.length + refusals === 0)
    tell(`sallyport: no workload ${safe(wanted)} in what could be read\n`);
  const format = parsed.value('format');
  print(format === 'json' ? toJson(shown) : format === 'html' ? html(shown) : text(shown));
  for (const { file, line, reason } of gaps)
    tell(`sallyport: ${safe(file ?? '')}${line === undefined ? '' : `:${line}`}: ${safe(reason)}\n`);
  return refusals + gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}

/** The first word is a workload where there is no path of that name; the others are paths. */
function operandsOf(parsed: Parsed): {
  readonly wanted: string | undefined;
  readonly paths: readonly string[];
} {
  const named = parsed.value('workload');
  const [first, ...rest] = parsed.operands;
  if (named !== undefined || first === undefined || first === '-' || existsSync(first))
    return { wanted: named, paths: parsed.operands };
  return { wanted: first, paths: rest };
}

/** As a name, kind/name, or namespace/kind/name; kinds as kubectl takes them: deployment, deployments, deploy. */
function isNamed({ namespace, kind, name }: ObjectReference, wanted: string): boolean {
  const parts = wanted.split('/');
  if (parts.length > 3 || parts.at(-1) !== name) return false;
  const ofKind = parts.at(-2);
  if (parts.length === 3 && parts[0] !== (namespace ?? '')) return false;
  return (
    ofKind === undefined ||
    ofKind.toLowerCase() === kind.toLowerCase() ||
    findResource(ofKind.toLowerCase(), builtInResources)?.kind === kind
  );
}

/** What there is instead, for whoever mistyped a name. */
function namesIn(declared: readonly Declared[], world: World): string | undefined {
  const names = declared
    .filter(({ object }) => world.isWorkload(object))
    .map(({ object }) => {
      const { namespace, kind, name } = referenceOf(object);
      return safe(`${namespace === undefined ? '' : `${namespace}/`}${kind.toLowerCase()}/${name}`);
    });
  if (names.length === 0) return undefined;
  const [shown, more] = [[...new Set(names)].slice(0, 5), new Set(names).size - 5];
  return `there is ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function valueText(value: unknown): string {
  if (value === null) return '-';
  // A profile by its name: nobody reads JSON for one word.
  if (isRecord(value) && typeof value['type'] === 'string') {
    const { type, localhostProfile, ...rest } = value;
    if (Object.keys(rest).length === 0 && localhostProfile === undefined && /^[A-Z]/.test(type))
      return safe(type);
    if (Object.keys(rest).length === 0 && typeof localhostProfile === 'string')
      return safe(`${type} ${localhostProfile}`);
  }
  return safe(typeof value === 'string' ? value : toJson(value).replace(/\s+/g, ' ').trim());
}

/** @param shown the file that the heading names: an overlay may have written the value elsewhere */
function fromText({ from, file, line }: Value, shown: string): string {
  if (line === undefined) return 'default';
  return file === undefined || file === shown ? `${from}, line ${line}` : `${from}, ${safe(file)}:${line}`;
}

/** Defaults that say nothing but their names, and give nothing, stand in one line: nobody reads ten of them. */
function isPlain({ field, from, gives, note }: Value): boolean {
  return field === 'capabilities' && from === 'default' && gives === undefined && note === undefined;
}

function text(shown: readonly Shown[]): string {
  return shown
    .flatMap(({ file, line, object, container, role, values }) => {
      const plain = values.filter(isPlain);
      const width = Math.min(34, Math.max(24, ...values.map(({ field }) => safe(field).length)));
      const lines = [
        `${safe(file)}:${line} ${objectName(object)}, ${role === 'container' ? 'container' : `${role} container`} ${safe(container)}`,
      ];
      for (const one of values) {
        if (isPlain(one)) {
          if (one === plain[0])
            lines.push(
              ...wrap(
                `${plain.map(({ value }) => valueText(value)).join(' ')} (default)`,
                `  ${'capabilities'.padEnd(width)}  `,
                ' '.repeat(width + 4),
              ),
            );
          continue;
        }
        lines.push(
          `  ${safe(one.field).padEnd(width)}  ${valueText(one.value).padEnd(22)}  ${fromText(one, file)}`,
          ...(one.note === undefined ? [] : wrap(safe(one.note), '    ', '      ')),
          ...(one.gives === undefined ? [] : wrap(safe(one.gives), '    gives ', '      ')),
        );
      }
      return [...lines, ''];
    })
    .join('\n');
}

/** The defaults that only have names, in the place of the first of them. */
function folded(values: readonly Value[]): Value[] {
  const plain = values.filter(isPlain);
  const [first] = plain;
  if (first === undefined) return [...values];
  const all = { ...first, value: plain.map(({ value }) => valueText(value)).join(' ') };
  return values.flatMap(one => (one === first ? [all] : isPlain(one) ? [] : [one]));
}

function html(shown: readonly Shown[]): string {
  const row = (one: Value, file: string) =>
    `<tr${one.gives !== undefined ? ' class="gives"' : one.from === 'default' ? ' class="plain"' : ''}><td>${xml(one.field)}</td><td><code>${xml(valueText(one.value))}</code></td><td>${xml(fromText(one, file))}</td><td>${xml([one.note, one.gives].filter(part => part !== undefined).join('; '))}</td></tr>`;
  const sections = shown.map(
    ({ file, line, object, container, values }) =>
      `<section><h2>${xml(objectName(object))}: ${xml(container)}</h2><p>${xml(`${file}:${line}`)}</p>
<table><thead><tr><th>Field</th><th>Value</th><th>From</th><th>Gives an attacker</th></tr></thead><tbody>
${folded(values)
  .map(one => row(one, file))
  .join('\n')}
</tbody></table></section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${STYLE_HASH}' '${TABLE_STYLE_HASH}'">
<title>Security contexts in effect</title><style>${STYLE}</style><style>${TABLE_STYLE}</style></head>
<body><main><h1>Security contexts in effect</h1>
${sections.join('\n')}
</main></body></html>
`;
}
