/**
 * Reads profiles of SELinux: SelinuxProfile and RawSelinuxProfile objects of the Security Profiles Operator. Half of a
 * profile is still judged; what is wrong with the other half is said.
 *
 * Sources: security-profiles-operator api/selinuxprofile (v1alpha2: permissive, v1: mode), api/profilebase,
 * internal/pkg/translator/obj2cil.go (what it refuses), internal/pkg/daemon/selinuxprofile/selinuxprofile.go (names),
 * rawselinuxprofile_types.go (statements that a raw policy may not have); cil_reference_guide.md.
 */
import { nearest } from '#kube/nearest.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import { type CilList, readCil } from './cil.ts';
import { isOfOperator, type Problem } from './read-seccomp.ts';
import { classNames, permissionsOf } from './selinux-classes.ts';
import type { SelinuxPolicy, SelinuxRule } from './selinux-policy.ts';

export interface ReadSelinux {
  readonly policy: SelinuxPolicy;
  readonly problems: readonly Problem[];
}

/** Profiles of profiles: more are a circle, or nothing that anybody wrote by hand. */
const DEEPEST = 16;
/** No profile that anybody wrote is as long. */
const MOST_RULES = 20_000;
const TYPE = /^(?:[a-zA-Z0-9.\-_]+|@self)$/;
const WORD = /^[a-zA-Z0-9.\-_]+$/;

/** Refused unless the SecurityProfilesOperatorDaemon object allows them. */
const REFUSED_TYPES = new Set(['kernel_t', 'kmem_t', 'security_t', 'shadow_t']);
const REFUSED_CLASSES = new Set(['capability', 'capability2', 'security', 'system']);
const REFUSED_PERMISSIONS = new Set(
  'load_policy mac_admin mounton relabelto relabelfrom setbool setenforce setsecparam'.split(' '),
);
/** Statements that recent versions of the operator refuse in a raw policy. */
const RESTRICTED = new Set(
  'block blockinherit blockstart booleanif category categoryorder class classmap classmapping classorder context dominance filecon genfscon level levelrange mls netifcon nodecon optional policycap portcon role roletype sensitivity sensitivityorder sid sidcontext sidorder tunable tunableif typepermissive user userrole'.split(
    ' ',
  ),
);
/** Statements that allow nothing by themselves. */
const HARMLESS = new Set(
  'type typealias typealiasactual auditallow auditallowx dontaudit dontauditx neverallow neverallowx typeattribute roletype rangetransition typechange typemember blockabstract macro classpermission expandtypeattribute filecon portcon nodecon netifcon genfscon'.split(
    ' ',
  ),
);

export function isSelinuxObject(value: unknown): boolean {
  return isOfOperator(value, ['SelinuxProfile', 'RawSelinuxProfile']);
}

/**
 * @param lineOf the line of a value
 * @param others the objects that inherited profiles are looked for in
 */
export function readSelinux(
  value: unknown,
  lineOf: (path: Path) => number | undefined,
  others: readonly unknown[] = [],
): ReadSelinux {
  const reader = new Reader(lineOf);
  const policy = reader.policy(value);
  return { policy: withInherited(policy, value, others, reader), problems: reader.problems };
}

/**
 * A file of CIL as udica writes it and semodule takes it: each block is a profile. Rules outside of blocks count where
 * they name its type in full.
 *
 * Source: udica policy.py (create_policy); cil_reference_guide.md (block, how names outside of it are written).
 */
export function readCilFile(text: string): {
  readonly profiles: readonly ReadSelinux[];
  readonly errors: readonly { readonly line: number; readonly message: string }[];
} {
  const { statements, errors } = readCil(text);
  const isBlock = ({ items: [head, name] }: CilList) => head === 'block' && typeof name === 'string';
  const outside = statements.filter(statement => !isBlock(statement));
  const profiles = statements.filter(isBlock).map(({ items: [, name, ...body] }) => {
    const reader = new Reader(() => undefined);
    const policy = reader.ofBlock(name as string, body, outside);
    return { policy, problems: reader.problems };
  });
  return { profiles, errors };
}

function withInherited(
  own: SelinuxPolicy,
  value: unknown,
  others: readonly unknown[],
  reader: Reader,
): SelinuxPolicy {
  const seen = new Set([own.name]);
  const rules = [...own.rules];
  const templates = new Set(own.templates);
  const missing: string[] = [];
  const attributes = [...own.attributes];
  const unread = [...own.unread];
  let { permissive } = own;
  const queue = own.missing.map(name => ({ name, depth: 1 }));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { name, depth } = next;
    if (seen.has(name)) {
      if (name === own.name)
        reader.say('circle', 'high', `the profile inherits itself by "${name}"`, ['spec', 'inherit']);
      continue;
    }
    seen.add(name);
    const found = others.find(
      other =>
        isRecord(other) &&
        other['kind'] === 'SelinuxProfile' &&
        meta(other, 'name') === name &&
        (meta(other, 'namespace') ?? 'default') === (meta(value, 'namespace') ?? 'default'),
    );
    if (found === undefined || depth > DEEPEST) {
      missing.push(name);
      reader.say(
        'missing-base',
        'medium',
        `the profile "${name}" that it inherits is not in the input: what it allows is unknown`,
        ['spec', 'inherit'],
      );
      continue;
    }
    const base = new Reader(() => undefined).policy(found);
    // Its own type stands for the one that inherits; a line of another file would mislead.
    rules.push(...base.rules.map(({ line: _line, ...rule }) => rule));
    for (const template of base.templates) templates.add(template);
    attributes.push(...base.attributes);
    unread.push(...base.unread);
    permissive ||= base.permissive;
    queue.push(...base.missing.map(one => ({ name: one, depth: depth + 1 })));
  }
  return { ...own, rules, templates: [...templates], missing, attributes, unread, permissive };
}

function meta(object: unknown, key: string): string | undefined {
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  const value = isRecord(metadata) ? metadata[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #lineOf: (path: Path) => number | undefined;
  #rules: SelinuxRule[] = [];
  /** How rules name the type of the profile itself. */
  #own: ReadonlySet<string> = new Set(['process']);
  /** Whether the operator decides which statements there may be. */
  #isOfOperator = true;

  constructor(lineOf: (path: Path) => number | undefined) {
    this.#lineOf = lineOf;
  }

  say(kind: string, severity: Problem['severity'], message: string, path: Path): void {
    this.#sayAt(kind, severity, message, this.#lineOf(path));
  }

  #sayAt(kind: string, severity: Problem['severity'], message: string, line: number | undefined): void {
    this.problems.push({ kind, severity, message, ...(line === undefined ? {} : { line }) });
  }

  policy(value: unknown): SelinuxPolicy {
    const name = meta(value, 'name') ?? '';
    const spec = isRecord(value) ? value['spec'] : undefined;
    const body = isRecord(spec) ? spec : {};
    if (!isRecord(spec)) this.say('malformed', 'high', 'there is no profile here', ['spec']);
    if (body['disabled'] === true || body['state'] === 'Disabled')
      this.say('disabled', 'low', 'the profile is disabled: pods that name it do not start', ['spec']);
    const isRaw = isRecord(value) && value['kind'] === 'RawSelinuxProfile';
    this.#rules = [];
    const rest = isRaw ? this.#raw(body['policy']) : this.#structured(body);
    return { name, usage: `${name}.process`, rules: this.#rules, ...rest };
  }

  ofBlock(
    name: string,
    body: readonly (CilList | string)[],
    outside: readonly (CilList | string)[],
  ): SelinuxPolicy {
    const rest: Writable = { templates: [], missing: [], permissive: false, attributes: [], unread: [] };
    const usage = `${name}.process`;
    const lineAt = (line: number) => line;
    this.#rules = [];
    this.#isOfOperator = false;
    this.#own = new Set(['process', usage, `.${usage}`]);
    this.#statements(body, rest, lineAt);
    this.#own = new Set([usage, `.${usage}`]);
    this.#statements(outside, rest, lineAt);
    return { name, usage, rules: this.#rules, ...rest };
  }

  #structured(spec: Readonly<Record<string, unknown>>): Rest {
    const templates: string[] = [];
    const missing: string[] = [];
    for (const [index, entry] of this.#list(spec['inherit'], ['spec', 'inherit']).entries()) {
      const path = ['spec', 'inherit', index];
      const { kind = 'System', name } = isRecord(entry) ? entry : {};
      if (typeof name !== 'string' || name === '')
        this.say('malformed', 'high', 'an inherited profile has no name', path);
      else if (kind === 'SelinuxProfile') missing.push(name);
      else if (kind === 'System' || kind === '') templates.push(name);
      else
        this.say(
          'malformed',
          'high',
          `"${typeof kind === 'string' ? kind.slice(0, 40) : 'it'}" is nothing to inherit: System or SelinuxProfile`,
          path,
        );
    }
    if (missing.length === 0 && !templates.includes('container')) templates.unshift('container');
    const { mode, permissive, allow } = spec;
    if (mode !== undefined && mode !== 'Enforcing' && mode !== 'Permissive')
      this.say('malformed', 'high', 'mode is Enforcing or Permissive', ['spec', 'mode']);
    if (allow !== undefined && allow !== null && !isRecord(allow))
      this.say('malformed', 'high', 'allow is no mapping of types', ['spec', 'allow']);
    for (const [type, classes] of Object.entries(isRecord(allow) ? allow : {}))
      this.#ofType(type, classes, ['spec', 'allow', type]);
    return {
      templates,
      missing,
      permissive: mode === 'Permissive' || permissive === true,
      attributes: [],
      unread: [],
    };
  }

  #ofType(type: string, classes: unknown, path: Path): void {
    if (!TYPE.test(type)) {
      this.say('malformed', 'high', `"${type.slice(0, 40)}" is no type: the operator refuses it`, path);
      return;
    }
    if (!isRecord(classes)) {
      this.say('malformed', 'high', `${type} has no mapping of object classes`, path);
      return;
    }
    for (const [name, permissions] of Object.entries(classes)) {
      const at = [...path, name];
      const words = this.#list(permissions, at).flatMap(one => {
        if (typeof one === 'string' && WORD.test(one)) return one;
        this.say('malformed', 'high', 'a permission is no word', at);
        return [];
      });
      if (!WORD.test(name)) {
        this.say('malformed', 'high', `"${name.slice(0, 40)}" is no object class`, at);
        continue;
      }
      const refused = REFUSED_TYPES.has(type)
        ? `the type ${type}`
        : REFUSED_CLASSES.has(name)
          ? `the class ${name}`
          : words.find(word => REFUSED_PERMISSIONS.has(word));
      if (refused !== undefined)
        this.say(
          'refused',
          'medium',
          `recent versions of the operator refuse ${refused}, unless SecurityProfilesOperatorDaemon allows it`,
          at,
        );
      this.#rule(type, name, words, this.#lineOf(at));
    }
  }

  #rule(type: string, name: string, permissions: readonly string[], line: number | undefined): void {
    const where = line === undefined ? {} : { line };
    if (this.#rules.length >= MOST_RULES) {
      if (this.#rules.length === MOST_RULES)
        this.#sayAt('malformed', 'high', `there are more than ${MOST_RULES} rules: not judged`, line);
      return;
    }
    this.#rules.push({ type, class: name, permissions: [...new Set(permissions)], ...where });
    const known = permissionsOf(name);
    if (known === undefined) {
      const meant = nearest(name, classNames());
      this.#sayAt(
        'unknown-class',
        'low',
        `"${name}" is no object class of the kernel${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        line,
      );
      return;
    }
    for (const one of permissions)
      if (!known.includes(one)) {
        const meant = nearest(one, known);
        this.#sayAt(
          'unknown-permission',
          'medium',
          `${name} has no permission "${one}": the policy does not load${meant === undefined ? '' : `; did you mean ${meant}?`}`,
          line,
        );
      }
  }

  #list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.say('malformed', 'high', `${String(path.at(-1))} is no list`, path);
    return [];
  }

  #raw(policy: unknown): Rest {
    const rest: Writable = { templates: [], missing: [], permissive: false, attributes: [], unread: [] };
    if (typeof policy !== 'string' || policy.trim() === '') {
      this.say('malformed', 'high', 'there is no policy here', ['spec', 'policy']);
      return rest;
    }
    // The text is a block: its first line stands behind the line of its key.
    const before = this.#lineOf(['spec', 'policy']);
    const lineAt = (line: number): number | undefined => (before === undefined ? undefined : before + line);
    const { statements, errors } = readCil(policy);
    for (const { line, message } of errors) this.#sayAt('malformed', 'high', message, lineAt(line));
    this.#statements(statements, rest, lineAt);
    return rest;
  }

  #statements(
    statements: readonly (CilList | string)[],
    rest: Writable,
    lineAt: (line: number) => number | undefined,
  ): void {
    for (const statement of statements) {
      if (typeof statement === 'string') continue;
      const [head, ...operands] = statement.items;
      const line = lineAt(statement.line);
      const where = line === undefined ? {} : { line };
      if (typeof head !== 'string') {
        this.#sayAt('malformed', 'high', 'a statement has no name', line);
        continue;
      }
      if (this.#isOfOperator && RESTRICTED.has(head))
        this.#sayAt('refused', 'low', `recent versions of the operator refuse ${head} in a raw policy`, line);
      switch (head) {
        case 'blockinherit':
          if (typeof operands[0] === 'string') rest.templates.push(operands[0]);
          break;
        case 'typepermissive':
          if (typeof operands[0] === 'string' && this.#own.has(operands[0])) rest.permissive = true;
          break;
        case 'allow':
          if (!this.#allow(operands, line)) rest.unread.push({ text: textOf(statement), ...where });
          break;
        case 'typeattributeset':
          if (typeof operands[0] === 'string' && names(operands[1]).some(one => this.#own.has(one)))
            rest.attributes.push({ name: operands[0], ...where });
          break;
        case 'optional':
        case 'block':
        case 'in':
          this.#statements(operands.slice(1), rest, lineAt);
          break;
        case 'booleanif':
        case 'tunableif':
          // Either branch can be the one that holds.
          for (const branch of operands.slice(1))
            if (typeof branch !== 'string') this.#statements(branch.items.slice(1), rest, lineAt);
          break;
        default:
          if (!HARMLESS.has(head)) rest.unread.push({ text: textOf(statement), ...where });
      }
    }
  }

  /** `(allow process TYPE (CLASS (PERMISSION…)))`. @returns whether it was understood */
  #allow([source, target, access]: readonly (CilList | string)[], line: number | undefined): boolean {
    if (typeof source !== 'string' || !this.#own.has(source)) return true; // Rules about others give this process nothing.
    if (typeof target !== 'string' || access === undefined || typeof access === 'string') return false;
    const [name, permissions] = access.items;
    if (typeof name !== 'string' || permissions === undefined) return false;
    const known = permissionsOf(name);
    const words = evaluate(permissions, known);
    if (words === undefined) return false;
    this.#rule(target === 'self' || this.#own.has(target) ? '@self' : target, name, words, line);
    return true;
  }
}

type Rest = Omit<SelinuxPolicy, 'name' | 'usage' | 'rules'>;
interface Writable {
  templates: string[];
  missing: string[];
  permissive: boolean;
  attributes: { name: string; line?: number }[];
  unread: { text: string; line?: number }[];
}

function names(value: CilList | string | undefined): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  return value.items.filter(item => typeof item === 'string');
}

/** A list of permissions, or an expression over those of the class. @returns undefined where it is neither */
function evaluate(
  value: CilList | string,
  known: readonly string[] | undefined,
): readonly string[] | undefined {
  if (typeof value === 'string') return value === 'all' ? known : undefined;
  const [head, ...operands] = value.items;
  if (head === 'all' && operands.length === 0) return known;
  if (head === 'not' && known !== undefined && operands.length === 1) {
    const without = evaluate(operands[0]!, known);
    return without === undefined ? undefined : known.filter(one => !without.includes(one));
  }
  if ((head === 'and' || head === 'or' || head === 'xor') && operands.length === 2) {
    const [left, right] = operands.map(one => evaluate(one, known));
    if (left === undefined || right === undefined) return undefined;
    if (head === 'and') return left.filter(one => right.includes(one));
    if (head === 'or') return [...new Set([...left, ...right])];
    return [...left.filter(one => !right.includes(one)), ...right.filter(one => !left.includes(one))];
  }
  const words = value.items.filter(item => typeof item === 'string');
  return words.length === value.items.length ? words : undefined;
}

function textOf({ items }: CilList): string {
  const text = `(${items.map(item => (typeof item === 'string' ? item : '(…)')).join(' ')})`;
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
