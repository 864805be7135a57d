/** `sallyport pod-security psp migrate`: from PodSecurityPolicies to labels, with what labels cannot say, tried out. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mutatingApi } from '#advise/pod-security-mutations.ts';
import { type Migration, migrate } from '#advise/pod-security-policy.ts';
import { policiesOf, type WorkloadPolicies } from '#judge/policies.ts';
import { toJson } from '#kube/json.ts';
import type { KubeObject } from '#kube/objects.ts';
import { yamlOf } from '#report/mesh/yaml.ts';
import { count, objectName, safe } from '#report/safe.ts';
import { newestMinor, World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell, writeWhole } from '../output.ts';
import { type EditedFile, policyEdits, type WorkloadEdits } from '../policy-edits.ts';
import { unifiedDiff } from '../unified-diff.ts';
import { minorOf } from '../version-range.ts';

const PREFIX = 'pod-security.kubernetes.io/';

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const { declared, gaps } = await readInput(parsed, parsed.operands, config);
  const world = new World({ declared, gaps, kubernetesMinor: newestMinor });
  const { policies, workloads, unknowns, sources } = policiesOf(world, {
    namespace: parsed.value('namespace') ?? 'default',
  });
  if (policies === 0) throw new UsageError('there is no PodSecurityPolicy in the input');
  const objects = ['policy/PodSecurityPolicy', 'extensions/PodSecurityPolicy'].flatMap(kind =>
    world.ofKind(kind),
  );
  const api = apiOf(parsed, config.targetKubernetes);
  const migrations: Migration[] = [];
  for (const [namespace, all] of Map.groupBy(workloads, one => one.namespace)) {
    const admitted = all.filter(({ allowed }) => allowed);
    const chosen = new Set(admitted.map(({ decision }) => decision.policyChosen));
    const own = objects.map(({ object }) => object).filter(({ metadata }) => chosen.has(metadata?.name));
    if (own.length === 0) continue;
    const places = new Set(admitted.map(({ file, line }) => `${file}:${line}`));
    const pods = declared
      .filter(({ origin }) => places.has(`${origin.file}:${origin.line}`))
      .flatMap(({ object }) => world.templatesOf(object).filter(({ partial }) => !partial))
      .map(({ pod }) => pod);
    migrations.push(
      migrate({
        namespace,
        policies: own,
        pods,
        ...(api === undefined ? {} : { mutating: api.version, kubernetesMinor: api.minor }),
      }),
    );
  }
  const refused = workloads.filter(({ allowed }) => !allowed);
  // What a policy of the cluster writes, the manifests need not say.
  const edited = api === undefined ? await policyEdits(sources) : { workloads: [], files: [] };
  if (parsed.value('format') === 'json')
    print(
      toJson({
        migrations,
        edits: edited.workloads.flatMap(({ edits }) => edits),
        refused: refused.map(({ file, line, object }) => ({ file, line, object })),
        unknowns,
      }),
    );
  else print(text(migrations, edited.workloads, refused, api));
  const folder = parsed.value('output');
  if (folder !== undefined)
    write(
      folder,
      migrations,
      objects.map(({ object }) => object),
      edited.files,
    );
  for (const { file, line, object, reason } of unknowns)
    tell(`sallyport: ${safe(file)}:${line}: ${objectName(object)} could not be judged: ${safe(reason)}\n`);
  for (const { file, line, reason } of gaps)
    tell(`sallyport: ${safe(file ?? '')}${line === undefined ? '' : `:${line}`}: ${safe(reason)}\n`);
  if (migrations.some(({ differences }) => differences.some(({ kind }) => kind === 'looser')))
    return EXIT.findings;
  return migrations.length === 0 || unknowns.length + gaps.length + refused.length > 0
    ? EXIT.unknown
    : EXIT.clean;
}

interface MutatingApi {
  readonly version: string;
  readonly gate: boolean;
  readonly minor: number;
}

/** Which version of the API a MutatingAdmissionPolicy is written in; undefined where none is asked for. */
function apiOf(parsed: Parsed, configured: string | undefined): MutatingApi | undefined {
  const target = parsed.value('target-kubernetes') ?? configured;
  if (!parsed.has('mutating')) return undefined;
  const minor = minorOf(target, '--target-kubernetes');
  const api = mutatingApi(minor);
  if (api === undefined)
    throw new UsageError(
      `Kubernetes v1.${minor} has no MutatingAdmissionPolicy`,
      'v1.32 is the first that does: without --mutating, the manifests are edited instead',
    );
  return { ...api, minor };
}

function labelled(migrations: readonly Migration[], modes: readonly string[]): KubeObject[] {
  return migrations.map(({ namespace, level }) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: Object.fromEntries(
        modes.flatMap(mode => [
          [`${PREFIX}${mode}`, level],
          [`${PREFIX}${mode}-version`, 'latest'],
        ]),
      ),
    },
  }));
}

/** Numbered in the order in which they are applied: nothing is refused before it was warned of. */
function write(
  folder: string,
  migrations: readonly Migration[],
  policies: readonly KubeObject[],
  edited: readonly EditedFile[],
): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`${folder} could not be made: ${(error as Error).message}`);
  }
  // First of all what the policies wrote, in the manifests or by the cluster: without it pods would be refused.
  const patch = edited.map(({ file, before, after }) => unifiedDiff(file, before, after)).join('');
  if (patch !== '') writeWhole(join(folder, '00-manifests.patch'), patch);
  const mutation = migrations.flatMap(one => one.mutation);
  if (mutation.length > 0) writeWhole(join(folder, '05-defaults.yaml'), yamlOf(mutation));
  const admission = migrations.flatMap(one => one.admission);
  const warning = admission.map(one =>
    one.kind === 'ValidatingAdmissionPolicyBinding'
      ? { ...one, spec: { ...(one['spec'] as object), validationActions: ['Warn', 'Audit'] } }
      : one,
  );
  writeWhole(
    join(folder, '10-warn-and-audit.yaml'),
    yamlOf([...labelled(migrations, ['warn', 'audit']), ...warning]),
  );
  writeWhole(
    join(folder, '20-enforce.yaml'),
    yamlOf([...labelled(migrations, ['enforce', 'warn', 'audit']), ...admission]),
  );
  const names = policies.map(({ metadata }) => metadata?.name ?? '');
  writeWhole(
    join(folder, '30-remove.txt'),
    names.map(name => `kubectl delete podsecuritypolicy ${JSON.stringify(name)}\n`).join(''),
  );
}

function text(
  migrations: readonly Migration[],
  edited: readonly WorkloadEdits[],
  refused: readonly WorkloadPolicies[],
  api: MutatingApi | undefined,
): string {
  const gated = api?.gate === true && migrations.some(({ mutation }) => mutation.length > 0);
  return [
    ...migrations.flatMap(one =>
      describe(
        one,
        api !== undefined,
        edited.some(({ workload }) => workload.namespace === one.namespace),
      ),
    ),
    ...(gated
      ? [
          `Kubernetes v1.${api.minor} has MutatingAdmissionPolicy switched off: its API server needs`,
          '  --feature-gates=MutatingAdmissionPolicy=true',
          `  --runtime-config=admissionregistration.k8s.io/${api.version}=true`,
          '',
        ]
      : []),
    ...(edited.length === 0 ? [] : ['What the policies wrote into pods, to be written into the manifests:']),
    ...edited.flatMap(describeEdits),
    ...refused.map(
      ({ file, line, object }) =>
        `${safe(file)}:${line} ${objectName(object)}: no policy admits it today; left out`,
    ),
    api === undefined
      ? `${count(migrations.length, 'namespace')}, ${count(
          edited.reduce((sum, { edits }) => sum + edits.length, 0),
          'edit',
        )}`
      : count(migrations.length, 'namespace'),
    '',
  ].join('\n');
}

function describeEdits({ workload, edits, lines, refused }: WorkloadEdits): string[] {
  const { file, line } = edits[0]!;
  const who = `${objectName(workload.object)}, by ${safe(workload.decision.policyChosen ?? '')}`;
  const shown = (value: unknown) => safe(toJson(value).replace(/\s+/g, ' ').trim());
  return [
    `  ${safe(file)}:${line} ${who}`,
    ...lines.map(one => `    ${safe(one)}`),
    ...(refused === undefined
      ? []
      : [
          `    left as it is, for ${refused}`,
          ...edits.map(({ path, value }) => `    ${safe(path)}: ${shown(value)}`),
        ]),
  ];
}

function describe(
  {
    namespace,
    policies,
    level,
    admission,
    tried,
    admitted,
    differing,
    differences,
    labelsOnly,
    mutation,
  }: Migration,
  isMutating: boolean,
  isEdited: boolean,
): string[] {
  const rules =
    admission[0] === undefined ? 0 : (admission[0]['spec'] as { validations: unknown[] }).validations.length;
  return [
    `namespace ${safe(namespace)}, today under ${safe(policies.join(', '))}`,
    `  enforce ${level}: all workloads of today keep it${isEdited ? ', with the edits below' : ''}`,
    ...(isMutating
      ? [
          mutation.length === 0
            ? '  the policies write nothing into pods'
            : '  what the policies wrote into pods: by a MutatingAdmissionPolicy, compared pod by pod',
        ]
      : []),
    `  labels alone: ${labelsOnly.pods} of ${tried} pods tried are let in that the policies refuse`,
    ...(labelsOnly.why === undefined ? [] : [`    for example: ${safe(labelsOnly.why)}`]),
    `  with a ValidatingAdmissionPolicy of ${count(rules, 'rule')}: ${
      differences.length === 0 ? 'the same answer' : `${count(differing, 'pod')} decided otherwise`
    } (${tried} pods tried, ${admitted} admitted by the policies)`,
    ...differences.flatMap(({ kind, why, pods, example }) => [
      `    ${kind}, ${count(pods, 'pod')}: ${safe(why)}`,
      `      ${safe(JSON.stringify((example as { spec?: unknown }).spec))}`,
    ]),
    '',
  ];
}
