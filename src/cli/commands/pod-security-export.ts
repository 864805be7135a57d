/** `sallyport pod-security export`: the profiles of `sallyport.yaml` for the cluster, with a proof. */
import { ExportError, type ExportedProfile, exportProfiles } from '#advise/pod-security-profile-export.ts';
import { seccompProfiles } from '#decide/pod-security/custom/pods.ts';
import { toJson } from '#kube/json.ts';
import type { KubeObject } from '#kube/objects.ts';
import { yamlOf } from '#report/mesh/yaml.ts';
import { count, safe } from '#report/safe.ts';
import { newestMinor, World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { CONFIG_FILE, type Config, readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { print, tell, writeWhole } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const { podSecurityProfiles: profiles = [] } = config;
  if (profiles.length === 0)
    throw new UsageError(
      `there are no profiles in ${parsed.value('config') ?? CONFIG_FILE}`,
      'write them under podSecurityProfiles: docs/guides/a-pod-security-profile-of-your-own.md',
    );
  const exported = allOf(profiles, await worldOf(parsed, config));
  const warns = parsed.value('action') === 'warn';
  const objects = exported.flatMap(({ admission }) => admission).map(one => (warns ? warning(one) : one));
  if (parsed.value('format') === 'json')
    print(toJson({ profiles: exported.map(({ admission, ...rest }) => rest), objects }));
  else if (parsed.value('output') === undefined) print(yamlOf(objects));
  const file = parsed.value('output');
  if (file !== undefined) writeWhole(file, yamlOf(objects));
  if (!parsed.has('quiet')) for (const one of exported) tell(proofOf(one));
  const isLoose = exported.some(({ differences }) => differences.some(({ kind }) => kind === 'looser'));
  return isLoose ? EXIT.findings : EXIT.clean;
}

/** What is read beside the profiles: the SeccompProfile objects, where a profile asks for their content. */
async function worldOf(parsed: Parsed, config: Config): Promise<World> {
  const { podSecurityProfiles = [] } = config;
  const asks = podSecurityProfiles.some(({ spec }) => spec.seccomp?.forbiddenCalls !== undefined);
  const { declared, gaps } = asks
    ? await readInput(parsed, parsed.operands, config)
    : { declared: [], gaps: [] };
  return new World({ declared, gaps, kubernetesMinor: newestMinor });
}

function allOf(profiles: NonNullable<Config['podSecurityProfiles']>, world: World): ExportedProfile[] {
  try {
    return exportProfiles(profiles, seccompProfiles(world));
  } catch (error) {
    if (error instanceof ExportError)
      throw new UsageError(error.message, 'state a newer version in the profile');
    throw error;
  }
}

function warning(object: KubeObject): KubeObject {
  return object.kind === 'ValidatingAdmissionPolicyBinding'
    ? { ...object, spec: { ...(object['spec'] as object), validationActions: ['Warn', 'Audit'] } }
    : object;
}

function proofOf({ profile, tried, kept, unknown, differences }: ExportedProfile): string {
  const same = differences.length === 0 ? 'the policy says the same of all' : 'the policy differs';
  const unsure = unknown === 0 ? '' : `, ${unknown} of them by Linux profiles that are not in the input`;
  return [
    `profile ${safe(profile)}: ${count(tried, 'pod')} tried, ${kept} keep it${unsure}: ${same}\n`,
    ...differences.map(
      ({ kind, why, pods, example }) =>
        `  ${kind}, ${count(pods, 'pod')}: ${safe(why)}\n    ${safe(toJson(example).replace(/\s+/g, ' ').trim())}\n`,
    ),
  ].join('');
}
