/**
 * How a chart's values come together: pkg/chart/common/util/coalesce.go and pkg/chart/v2/util/dependencies.go of
 * helm 4.1.4. Maps are altered in place, as there; keys are taken in order, where Go's order is chance.
 */
import type { Chart, Dependency } from './chart.ts';
import { deepCopy } from './convert.ts';
import { sprint } from './format.ts';
import { newConstraint, newVersion } from './semver.ts';
import { GoError, GoMap, GoSlice, setPlace, sortedKeys, type Value } from './value.ts';

type Warn = (text: string) => void;

const join = (prefix: string, key: string): string => (prefix === '' ? key : `${prefix}.${key}`);

function put(map: GoMap, key: string, value: Value, from?: GoMap): void {
  map.entries.set(key, value);
  const place = from?.places?.get(key);
  if (place !== undefined) setPlace(map, key, place);
}

export function coalesceValues(chart: Chart, values: GoMap, warn: Warn): GoMap {
  return coalesce(chart, deepCopy(values) as GoMap, '', false, warn);
}

function mergeValues(chart: Chart, values: GoMap, warn: Warn): GoMap {
  return coalesce(chart, deepCopy(values) as GoMap, '', true, warn);
}

function coalesce(chart: Chart, into: GoMap, prefix: string, merge: boolean, warn: Warn): GoMap {
  ownValues(chart, into, prefix, merge, warn);
  for (const sub of chart.dependencies) {
    const before = into.entries.get(sub.name);
    if (!into.entries.has(sub.name)) into.entries.set(sub.name, new GoMap());
    else if (!(before instanceof GoMap))
      throw new GoError(`type mismatch on ${sub.name}: ${booleanVerb(before)}`);
    const below = into.entries.get(sub.name) as GoMap;
    const deeper = join(prefix, chart.name);
    globals(below, into, deeper, warn);
    into.entries.set(sub.name, coalesce(sub, below, deeper, merge, warn));
  }
  return into;
}

/** `%t` of a value, which helm prints by mistake. */
function booleanVerb(value: Value): string {
  if (value === null || value === undefined) return '%!t(<nil>)';
  if (typeof value === 'boolean') return String(value);
  if (value instanceof GoSlice) return `[${value.items.map(booleanVerb).join(' ')}]`;
  const type = typeof value === 'string' ? 'string' : typeof value === 'number' ? 'float64' : 'int64';
  return `%!t(${type}=${sprint([value])})`;
}

function globals(into: GoMap, from: GoMap, prefix: string, warn: Warn): void {
  const table = (map: GoMap, which: string): GoMap | undefined => {
    if (!map.entries.has('global')) return new GoMap();
    const value = map.entries.get('global');
    if (value instanceof GoMap) return value;
    warn(`warning: skipping globals because ${which} global is not a table.`);
    return undefined;
  };
  const target = table(into, 'destination');
  if (target === undefined) return;
  const source = table(from, 'source');
  if (source === undefined) return;
  for (const key of sortedKeys(source)) {
    const value = source.entries.get(key);
    const before = target.entries.get(key);
    if (value instanceof GoMap) {
      const copy = new GoMap(new Map(value.entries));
      if (value.places !== undefined) copy.places = new Map(value.places);
      if (!target.entries.has(key)) put(target, key, copy, source);
      else if (!(before instanceof GoMap))
        warn(`Conflict: cannot merge map onto non-map for "${key}". Skipping.`);
      else {
        tables(copy, before, join(prefix, key), true, warn);
        put(target, key, copy, source);
      }
    } else if (before instanceof GoMap) warn(`key ${key} is table. Skipping`);
    else put(target, key, value, source);
  }
  into.entries.set('global', target);
}

function ownValues(chart: Chart, into: GoMap, prefix: string, merge: boolean, warn: Warn): void {
  const deeper = join(prefix, chart.name);
  const own = deepCopy(chart.values) as GoMap;
  for (const key of sortedKeys(own)) {
    const value = own.entries.get(key);
    if (!into.entries.has(key)) {
      put(into, key, value, own);
      continue;
    }
    const before = into.entries.get(key);
    if ((before === null || before === undefined) && !merge) into.entries.delete(key);
    else if (before instanceof GoMap) {
      if (value instanceof GoMap) {
        const isChild = chart.dependencies.some(sub => sub.name === key);
        tables(before, value, join(deeper, key), isChild || merge, warn);
      } else if (value !== null && value !== undefined)
        warn(`warning: skipped value for ${deeper}.${key}: Not a table.`);
    }
  }
}

/** coalesceTablesFullKey: what is in `into` counts. */
function tables(into: GoMap, from: GoMap, prefix: string, merge: boolean, warn: Warn): GoMap {
  const stated = new Set<string>();
  for (const [key, value] of from.entries) if (value !== null && value !== undefined) stated.add(key);
  for (const [key, value] of into.entries)
    if (value === null || value === undefined) from.entries.set(key, null);
  for (const key of sortedKeys(from)) {
    const value = from.entries.get(key);
    const full = join(prefix, key);
    const has = into.entries.has(key);
    const before = into.entries.get(key);
    if (has && !merge && (before === null || before === undefined) && stated.has(key))
      into.entries.delete(key);
    else if (!has) put(into, key, value, from);
    else if (value instanceof GoMap) {
      if (before instanceof GoMap) tables(before, value, full, merge, warn);
      else warn(`warning: cannot overwrite table with non table for ${full} (${sprint([value])})`);
    } else if (before instanceof GoMap && value !== null && value !== undefined)
      warn(`warning: destination for ${full} is a table. Ignoring non-table value (${sprint([value])})`);
  }
  return into;
}

const mergeTables = (into: GoMap, from: GoMap, warn: Warn): GoMap => tables(into, from, '', true, warn);

/** A value by its path in dots; undefined where there is none, as ErrNoValue. */
function atPath(values: GoMap, path: string): Value {
  let here: Value = values;
  const steps = path.split('.');
  for (const [at, step] of steps.entries()) {
    if (!(here instanceof GoMap)) return undefined;
    const next: Value = here.entries.get(step);
    // The last step must not be a table, those before must be (Values.pathValue).
    if (at === steps.length - 1) return next instanceof GoMap ? undefined : next;
    here = next;
  }
  return undefined;
}

export function tableAt(values: GoMap, path: string): GoMap | undefined {
  let here: Value = values;
  for (const step of path.split('.')) {
    if (!(here instanceof GoMap)) return undefined;
    here = here.entries.get(step);
  }
  return here instanceof GoMap ? here : undefined;
}

/** ProcessDependencies: aliases, conditions and tags; then what children export to their parents. */
export function processDependencies(chart: Chart, values: GoMap, warn: Warn): void {
  enable(chart, values, '', warn);
  importAll(chart, warn);
}

export function isCompatible(range: string, version: string): boolean {
  try {
    return newConstraint(range)(newVersion(version));
  } catch (error) {
    if (error instanceof GoError) return false;
    throw error;
  }
}

function enable(chart: Chart, values: GoMap, path: string, warn: Warn): void {
  if (chart.declared.length === 0) return;
  const kept = chart.dependencies.filter(
    sub => !chart.declared.some(one => one.name === sub.name && isCompatible(one.version, sub.version)),
  );
  for (const declared of chart.declared) {
    const found = chart.dependencies.find(
      sub => sub.name === declared.name && isCompatible(declared.version, sub.version),
    );
    if (found !== undefined) kept.push(found.copy(declared.alias));
    if (declared.alias !== '') declared.name = declared.alias;
  }
  chart.setDependencies(kept);
  for (const one of chart.declared) one.enabled = true;
  const coalesced = coalesceValues(chart, values, warn);
  byTags(chart.declared, coalesced, warn);
  byConditions(chart.declared, coalesced, path, warn);
  const removed = new Set(chart.declared.filter(one => !one.enabled).map(one => one.name));
  const left = chart.dependencies.filter(sub => !removed.has(sub.name));
  for (const sub of left) enable(sub, coalesced, `${path}${sub.name}.`, warn);
  chart.declared = chart.declared.filter(one => !removed.has(one.name));
  chart.setDependencies(left);
}

function byTags(declared: readonly Dependency[], values: GoMap, warn: Warn): void {
  const tags = tableAt(values, 'tags');
  if (tags === undefined) return;
  for (const one of declared) {
    let [yes, no] = [false, false];
    for (const tag of one.tags) {
      if (!tags.entries.has(tag)) continue;
      const value = tags.entries.get(tag);
      if (value === true) yes = true;
      else if (value === false) no = true;
      else warn(`returned non-bool value tag=${tag} chart=${one.name}`);
    }
    one.enabled = yes || !no;
  }
}

function byConditions(declared: readonly Dependency[], values: GoMap, path: string, warn: Warn): void {
  for (const one of declared) {
    for (const condition of one.condition.trim().split(',')) {
      if (condition === '') continue;
      const value = atPath(values, path + condition);
      if (value === undefined) continue;
      if (typeof value === 'boolean') {
        one.enabled = value;
        break;
      }
      warn(`returned non-bool value path=${condition} chart=${one.name}`);
    }
  }
}

function importAll(chart: Chart, warn: Warn): void {
  for (const sub of chart.dependencies) importAll(sub, warn);
  if (chart.declared.length === 0) return;
  const values = mergeValues(chart, new GoMap(), warn);
  let imported = new GoMap();
  for (const one of chart.declared) {
    for (const item of one.importValues) {
      const child = item instanceof GoMap ? sprint([item.entries.get('child')]) : `exports.${String(item)}`;
      const parent = item instanceof GoMap ? sprint([item.entries.get('parent')]) : '.';
      if (!(item instanceof GoMap) && typeof item !== 'string') continue;
      const table = tableAt(values, `${one.name}.${child}`);
      if (table === undefined) {
        warn(`ImportValues missing table from chart ${one.name}: "${child}" is not a table`);
        continue;
      }
      imported = mergeTables(imported, nested(parent, table), warn);
    }
  }
  chart.values = mergeTables(deepCopy(values) as GoMap, imported, warn);
}

function nested(path: string, data: GoMap): GoMap {
  if (path === '.') return data;
  return path
    .split('.')
    .reduceRight((inner, step) => new GoMap(new Map<string, Value>([[step, inner]])), data);
}
