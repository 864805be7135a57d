/** The profile that RuntimeDefault stands for, by runtime and version. Sources: tools/seccomp-tables.ts. */
import { defaults } from './defaults.generated.ts';
import type { Action, Operator, Profile, When } from './seccomp.ts';

interface TableRule {
  /** `bpf` in every version, `bpf@c` in those of the bits. */
  readonly names: string;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly valueTwo?: number;
    readonly op: string;
  }[];
  readonly includes?: When;
  readonly excludes?: When;
}

const tables: Readonly<
  Record<string, { readonly versions: readonly string[]; readonly rules: readonly TableRule[] }>
> = defaults;
const REFERENCE = /^RuntimeDefault(?:@(containerd|docker)(?:-v?(\d+(?:\.\d+){0,2}))?)?$/;

/**
 * `RuntimeDefault`, `RuntimeDefault@docker`, `RuntimeDefault@containerd-2.1`: the newest known profile that is not newer
 * than the version.
 *
 * @returns undefined for another word
 * @throws RangeError for a version before all that are known
 */
export function runtimeDefault(reference: string): Profile | undefined {
  const match = REFERENCE.exec(reference);
  if (match === null) return undefined;
  const [, runtime = 'containerd', version] = match;
  const { versions, rules } = tables[runtime]!;
  let at = versions.length - 1;
  if (version !== undefined) {
    at = versions.findLastIndex(known => !isNewer(known, version));
    if (at < 0) throw new RangeError(`${runtime} ${version} is older than what is known: ${versions[0]}`);
  }
  return {
    name: `RuntimeDefault@${runtime}-${versions[at]}`,
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: [],
    flags: [],
    rules: rules.flatMap(({ names, action, errnoRet, args = [], includes = {}, excludes = {} }) => {
      const here = names.split(' ').flatMap(word => {
        const [name, bits] = word.split('@');
        return bits === undefined || (Number.parseInt(bits, 16) >> at) & 1 ? [name!] : [];
      });
      if (here.length === 0) return [];
      return {
        names: here,
        action: action as Action,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        args: args.map(({ index, value, valueTwo = 0, op }) => ({
          index,
          op: op as Operator,
          value: BigInt(value),
          valueTwo: BigInt(valueTwo),
        })),
        includes,
        excludes,
      };
    }),
  };
}

/** `2.1` stands for every 2.1.x, so no 2.1.x is newer. */
function isNewer(known: string, version: string): boolean {
  const left = known.split('.').map(Number);
  for (const [index, right] of version.split('.').map(Number).entries())
    if (left[index] !== right) return left[index]! > right;
  return false;
}
