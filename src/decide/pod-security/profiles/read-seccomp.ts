/**
 * Reads a seccomp profile: the JSON of runc and of Docker, or a SeccompProfile object. Half of a profile is still
 * judged; what is wrong with the other half is said.
 *
 * Sources: runtime-spec config-linux.md (seccomp), moby profiles/seccomp/seccomp.go (archMap, includes, excludes, name),
 * security-profiles-operator api/seccompprofile/v1beta1/seccompprofile_types.go.
 */
import { nearest } from '#kube/nearest.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import {
  ACTIONS,
  type Action,
  type Condition,
  OPERATORS,
  type Operator,
  type Profile,
  type Rule,
  type When,
} from './seccomp.ts';
import { isArchitectureToken, isSyscall, syscallNames } from './syscalls.ts';

export interface Problem {
  readonly kind: string;
  readonly severity: 'high' | 'medium' | 'low';
  readonly message: string;
  readonly line?: number;
}

export interface ReadProfile {
  readonly profile: Profile;
  readonly problems: readonly Problem[];
}

/**
 * What to add for a base profile that the operator itself brings for a container runtime: an object of its examples, or
 * an artifact of a registry. Source: security-profiles-operator examples/baseprofile-{runc,crun}.yaml,
 * installation-usage.md (OCI artifact support for base profiles).
 */
function whereToFind(base: string): string {
  const own = /^(?:oci:\/\/ghcr\.io\/security-profiles\/)?(runc|crun)(?:-|:)(v\d+(?:\.\d+){1,2})$/.exec(base);
  if (own !== null) {
    const [, runtime, version] = own;
    const object = `SeccompProfile ${runtime}-${version}, which examples/baseprofile-${runtime}.yaml of the operator holds for its release, and \`spoc pull ghcr.io/security-profiles/${runtime}:${version}\` fetches`;
    return base.startsWith('oci://')
      ? `; nothing is fetched here: add ${object}, and name it as the base`
      : `; add ${object}`;
  }
  return base.startsWith('oci://')
    ? `; nothing is fetched here: add what \`spoc pull ${base.slice('oci://'.length)}\` fetches, and name that object as the base`
    : '';
}

/** Base profiles of base profiles: more are a circle, or nothing that anybody wrote by hand. */
const DEEPEST = 16;

export function isSeccompObject(value: unknown): boolean {
  return isOfOperator(value, ['SeccompProfile']);
}

/** Whether a value is an object of the Security Profiles Operator of one of some kinds. */
export function isOfOperator(value: unknown, kinds: readonly string[]): boolean {
  if (!isRecord(value)) return false;
  const { kind, apiVersion } = value;
  return (
    typeof kind === 'string' &&
    kinds.includes(kind) &&
    typeof apiVersion === 'string' &&
    apiVersion.startsWith('security-profiles-operator.x-k8s.io/')
  );
}

export function isSeccompJson(value: unknown): boolean {
  return isRecord(value) && 'defaultAction' in value && !('kind' in value);
}

/**
 * @param lineOf the line of a value
 * @param others the SeccompProfile objects that base profiles are looked for in
 */
export function readSeccomp(
  value: unknown,
  name: string,
  lineOf: (path: Path) => number | undefined,
  others: readonly unknown[] = [],
): ReadProfile {
  const isObject = isSeccompObject(value);
  const root: Path = isObject ? ['spec'] : [];
  const body = isObject && isRecord(value) ? value['spec'] : value;
  const reader = new Reader(lineOf);
  const profile = reader.profile(body, name, root);
  const base = isRecord(body) ? body['baseProfileName'] : undefined;
  if (typeof base !== 'string' || base === '') return { profile, problems: reader.problems };
  const { rules, missing } = inherited(value, base, others, new Set([name]), DEEPEST);
  if (missing !== undefined)
    reader.say(
      'missing-base',
      'medium',
      `base profile "${missing}" is not in the input: what it allows is unknown${whereToFind(missing)}`,
      [...root, 'baseProfileName'],
    );
  return {
    profile: {
      ...profile,
      rules: [...profile.rules, ...rules],
      ...(missing === undefined ? {} : { missingBase: missing }),
    },
    problems: reader.problems,
  };
}

function inherited(
  from: unknown,
  base: string,
  others: readonly unknown[],
  seen: Set<string>,
  depth: number,
): { rules: readonly Rule[]; missing?: string } {
  const found = others.find(other => nameIn(other) === base && namespaceIn(other) === namespaceIn(from));
  if (!isRecord(found) || seen.has(base) || depth === 0) return { rules: [], missing: base };
  seen.add(base);
  const spec = found['spec'];
  const { rules } = new Reader(() => undefined).profile(spec, base, []);
  const next = isRecord(spec) ? spec['baseProfileName'] : undefined;
  if (typeof next !== 'string' || next === '') return { rules };
  const more = inherited(found, next, others, seen, depth - 1);
  return { ...more, rules: [...rules, ...more.rules] };
}

function metaOf(object: unknown, key: string): unknown {
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  return isRecord(metadata) ? metadata[key] : undefined;
}

function nameIn(object: unknown): unknown {
  return metaOf(object, 'name');
}

function namespaceIn(object: unknown): unknown {
  return metaOf(object, 'namespace') ?? 'default';
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #lineOf: (path: Path) => number | undefined;

  constructor(lineOf: (path: Path) => number | undefined) {
    this.#lineOf = lineOf;
  }

  say(kind: string, severity: Problem['severity'], message: string, path: Path): void {
    const line = this.#lineOf(path);
    this.problems.push({ kind, severity, message, ...(line === undefined ? {} : { line }) });
  }

  profile(body: unknown, name: string, root: Path): Profile {
    const record = isRecord(body) ? body : {};
    if (!isRecord(body)) this.say('malformed', 'high', 'there is no profile here', root);
    const maps = record['archMap'];
    const listener = record['listenerPath'];
    const errno = this.#number(record['defaultErrnoRet'], [...root, 'defaultErrnoRet']);
    return {
      name,
      // A profile that the runtime refuses allows nothing.
      defaultAction: this.#action(record['defaultAction'], [...root, 'defaultAction']) ?? 'SCMP_ACT_ERRNO',
      ...(errno === undefined ? {} : { defaultErrnoRet: errno }),
      architectures: this.#architectures(record['architectures'], [...root, 'architectures']),
      ...(Array.isArray(maps)
        ? {
            architectureMap: maps.map((entry: unknown, index) => {
              const at = [...root, 'archMap', index];
              const map = isRecord(entry) ? entry : {};
              const [architecture = ''] = this.#architectures([map['architecture']], at);
              return {
                architecture,
                sub: this.#architectures(map['subArchitectures'], [...at, 'subArchitectures']),
              };
            }),
          }
        : {}),
      flags: this.#strings(record['flags'], [...root, 'flags']),
      ...(typeof listener === 'string' && listener !== '' ? { listenerPath: listener } : {}),
      rules: this.#list(record['syscalls'], [...root, 'syscalls']).flatMap((rule, index) =>
        this.#rule(rule, [...root, 'syscalls', index]),
      ),
    };
  }

  #rule(value: unknown, path: Path): Rule[] {
    if (!isRecord(value)) {
      this.say('malformed', 'high', 'a rule is no mapping', path);
      return [];
    }
    const action = this.#action(value['action'], [...path, 'action']);
    const written = this.#strings(value['names'], [...path, 'names']);
    // Docker's older format has one name.
    const names = typeof value['name'] === 'string' && written.length === 0 ? [value['name']] : written;
    if (names.length === 0) this.say('dead-rule', 'low', 'the rule names no system call', path);
    for (const [index, name] of names.entries())
      if (!isSyscall(name)) {
        const meant = nearest(name, syscallNames());
        this.say(
          'unknown-syscall',
          'medium',
          `"${name}" is no system call: runtimes skip it without a word${meant === undefined ? '' : `; did you mean ${meant}?`}`,
          written.length === 0 ? [...path, 'name'] : [...path, 'names', index],
        );
      }
    if (action === undefined) return [];
    const errnoRet = this.#number(value['errnoRet'], [...path, 'errnoRet']);
    const line = this.#lineOf(path);
    let isWhole = true;
    const args = this.#list(value['args'], [...path, 'args']).flatMap((arg, index) => {
      const condition = this.#condition(arg, [...path, 'args', index]);
      if (condition === undefined) isWhole = false;
      return condition ?? [];
    });
    // Without one of its conditions a rule would say more than it does.
    if (!isWhole) return [];
    return [
      {
        names,
        action,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        args,
        includes: this.#when(value['includes'], [...path, 'includes']),
        excludes: this.#when(value['excludes'], [...path, 'excludes']),
        ...(line === undefined ? {} : { line }),
      },
    ];
  }

  #condition(value: unknown, path: Path): Condition | undefined {
    const { index, op, value: first, valueTwo = 0 } = isRecord(value) ? value : {};
    const one = unsigned(first ?? 0);
    const two = unsigned(valueTwo);
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index > 5)
      this.say('malformed', 'high', 'the index of an argument is a number from 0 to 5', path);
    else if (!OPERATORS.includes(op as Operator))
      this.say(
        'malformed',
        'high',
        `${JSON.stringify(op) ?? 'nothing'} is no operator: ${OPERATORS.join(', ')}`,
        path,
      );
    else if (one === undefined || two === undefined)
      this.say('malformed', 'high', 'the value of an argument is a number from 0 to 2^64-1', path);
    else return { index, op: op as Operator, value: one, valueTwo: two };
    return undefined;
  }

  #when(value: unknown, path: Path): When {
    if (!isRecord(value)) return {};
    const kernel = value['minKernel'];
    return {
      ...('caps' in value ? { caps: this.#strings(value['caps'], [...path, 'caps']) } : {}),
      ...('arches' in value ? { arches: this.#strings(value['arches'], [...path, 'arches']) } : {}),
      ...(typeof kernel === 'string' ? { minKernel: kernel } : {}),
    };
  }

  #action(value: unknown, path: Path): Action | undefined {
    if (ACTIONS.includes(value as Action)) return value as Action;
    this.say(
      'malformed',
      'high',
      value === undefined
        ? 'an action is missing'
        : `${JSON.stringify(value)} is no action: ${ACTIONS.join(', ')}`,
      path,
    );
    return undefined;
  }

  #architectures(value: unknown, path: Path): string[] {
    const tokens = this.#strings(value, path);
    for (const token of tokens)
      if (!isArchitectureToken(token))
        this.say(
          'wrong-architecture',
          'high',
          `"${token}" is no architecture: the runtime refuses the profile`,
          path,
        );
    return tokens;
  }

  #strings(value: unknown, path: Path): string[] {
    return this.#list(value, path).flatMap(item => {
      if (typeof item === 'string') return item;
      this.say('malformed', 'high', 'a name is no string', path);
      return [];
    });
  }

  #list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.say('malformed', 'high', `${path.at(-1)} is no list`, path);
    return [];
  }

  #number(value: unknown, path: Path): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    this.say('malformed', 'high', `${path.at(-1)} is no whole number`, path);
    return undefined;
  }
}

function unsigned(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value >= 0n && value < 1n << 64n ? value : undefined;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? BigInt(value) : undefined;
}
