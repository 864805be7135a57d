/** `vars`: `$(NAME)` in certain fields. Source: api/types/var.go, api/filters/refvar, api/internal/accumulator. */
import { applySpec, type FieldSpec } from './field-specs.ts';
import { gvkText, type ResId, sameGvk, sameId } from './ids.ts';
import type { VarArgs } from './kustomization.ts';
import {
  BOOL,
  BuildError,
  FLOAT,
  INT,
  isMissing,
  isText,
  lookup,
  type Node,
  STR,
  splitFieldPath,
} from './node.ts';
import type { ResMap } from './resource.ts';

export interface Variable {
  readonly name: string;
  readonly target: ResId;
  readonly fieldPath: string;
}

export function variableOf({ name = '', objref = {}, fieldref }: VarArgs): Variable {
  let { group = '', version = '' } = objref;
  const parts = (objref.apiVersion ?? '').split('/');
  if (parts.length === 2) [group, version] = parts as [string, string];
  else if (parts.length === 1 && parts[0] !== '') [version] = parts as [string];
  return {
    name,
    target: {
      group,
      version,
      kind: objref.kind ?? '',
      name: objref.name ?? '',
      namespace: objref.namespace ?? '',
      clusterScoped: false,
    },
    fieldPath: fieldref?.fieldPath || 'metadata.name',
  };
}

/** Go's %v of a variable. */
function show({ name, target, fieldPath }: Variable): string {
  return `{${name} ${target.kind}.${gvkText(target).split('.').slice(1).join('.')} {${fieldPath}}}`;
}

export class Variables {
  readonly #all = new Map<string, Variable>();

  /** Those that a kustomization states: each of them is tied to a resource as it is called now. */
  state(list: readonly Variable[], map: ResMap): void {
    for (const variable of list) {
      const { target } = variable;
      const fits = (id: ResId): boolean =>
        target.namespace === '' ? id.name === target.name && sameGvk(id, target) : sameId(id, target);
      const matched = map.byAnyId(fits);
      if (matched.length > 1)
        throw new BuildError(
          `found ${matched.length} resId matches for var ${show(variable)} (unable to disambiguate)`,
        );
      matched[0]?.refVarNames.push(variable.name);
    }
    for (const variable of list) this.add(variable);
  }

  add(variable: Variable): void {
    if (this.#all.has(variable.name)) throw new BuildError(`var '${variable.name}' already encountered`);
    this.#all.set(variable.name, variable);
  }

  addAll(other: Variables): void {
    for (const variable of other.#all.values()) this.add(variable);
  }

  resolve(map: ResMap, specs: readonly FieldSpec[]): void {
    const values = new Map<string, Value>();
    for (const name of [...this.#all.keys()].sort())
      values.set(name, variableValue(this.#all.get(name)!, map));
    if (values.size === 0) return;
    for (const resource of map.list)
      for (const spec of specs) applySpec(resource.node!, spec, { set: node => replace(node, values) });
  }
}

type Value = { readonly tag: string; readonly text: string } | undefined;

function variableValue(variable: Variable, map: ResMap): Value {
  const resource = map.list.find(one => one.refVarNames.includes(variable.name));
  if (resource === undefined)
    throw new BuildError(`var '${show(variable)}' cannot be mapped to a field in the set of known resources`);
  let node: Node | undefined;
  try {
    node = lookup(resource.node, pathOf(variable.fieldPath));
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
  }
  if (node === undefined)
    throw new BuildError(`field specified in var '${show(variable)}' not found in corresponding resource`);
  if (node.kind !== 'scalar') return undefined;
  if (node.tag === INT) return { tag: INT, text: String(Number.parseInt(node.value, 10)) };
  if (node.tag === FLOAT) return { tag: FLOAT, text: fixed(Number(node.value)) };
  if (node.tag === BOOL) return { tag: BOOL, text: /^t/i.test(node.value) ? 'true' : 'false' };
  return { tag: STR, text: node.value };
}

/** Go's FormatFloat(x, 'f', -1, 64). */
function fixed(value: number): string {
  const short = String(value);
  return short.includes('e') ? BigInt(Math.trunc(value)).toString() : short;
}

/** `containers[0]` becomes two parts. Source: kyaml/yaml/rnode.go (convertSliceIndex). */
function pathOf(path: string): string[] {
  return splitFieldPath(path).flatMap(part => {
    const match = /^(.*)\[([0-9]+)\]$/.exec(part);
    if (match === null) return [part];
    return match[1] === '' ? [match[2]!] : [match[1]!, match[2]!];
  });
}

function replace(node: Node, values: ReadonlyMap<string, Value>): void {
  if (isMissing(node)) return;
  if (node.kind === 'scalar') {
    if (isText(node)) update(node, values);
    return;
  }
  if (node.kind === 'map') {
    for (let i = 0; i + 1 < node.content.length; i += 2) {
      const key = node.content[i]!;
      if (!isText(key)) throw new BuildError(`invalid map key: value='${key.value}', tag='${key.tag}'`);
      const value = node.content[i + 1]!;
      if (isText(value)) update(value, values);
    }
    return;
  }
  for (const item of node.content) {
    if (!isText(item)) throw new BuildError('invalid value type expect a string');
    update(item, values);
  }
}

function update(node: Node, values: ReadonlyMap<string, Value>): void {
  const { value, tag } = expand(node.value, values);
  node.value = value;
  node.tag = tag;
  node.tagged = false;
  node.style = '';
}

/** Source: api/filters/refvar/expand.go. */
function expand(input: string, values: ReadonlyMap<string, Value>): { value: string; tag: string } {
  let result = '';
  let checkpoint = 0;
  for (let at = 0; at + 1 < input.length; at++) {
    if (input[at] !== '$') continue;
    result += input.slice(checkpoint, at);
    const next = input[at + 1]!;
    let advance = 1;
    if (next === '$') result += '$';
    else if (next === '(') {
      const close = input.indexOf(')', at + 2);
      if (close < 0) result += '$(';
      else {
        const name = input.slice(at + 2, close);
        const value = values.get(name);
        if (value !== undefined && input === `$(${name})`) return { value: value.text, tag: value.tag };
        result += value === undefined ? `$(${name})` : value.text;
        advance = close - at;
      }
    } else result += `$${next}`;
    at += advance;
    checkpoint = at + 1;
  }
  return { value: result + input.slice(checkpoint), tag: STR };
}
