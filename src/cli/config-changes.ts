/** What a change of `sallyport.yaml` does to the gate: the most important line of a comparison where it is weakened. */
import { idOf } from '#check/check.ts';
import type { SecurityChange } from '#check/comparison.ts';
import { type Severity, severities } from '#check/severity.ts';
import type { CustomProfile } from '#decide/pod-security/custom/custom.ts';
import { kindOf } from '#judge/change-kinds.ts';
import { version } from '#judge/report.ts';
import { isEqual } from '#kube/equal.ts';
import { checks } from '#practices/index.ts';
import { CONFIG_FILE, type Config } from './config.ts';

const STRICTNESS = ['all', 'strict', 'default'];

/** @param hasChart whether the head still has a chart in that folder */
export function configChanges(
  base: Config,
  head: Config,
  hasChart: (folder: string) => boolean,
): SecurityChange[] {
  const found: SecurityChange[] = [];
  const say = (text: string, direction: SecurityChange['direction'], severity: Severity = 'high') => {
    const { id, practice } = kindOf('cicd/weakened-guard');
    found.push({
      kind: id,
      practice,
      direction,
      severity,
      side: 'head',
      object: { apiVersion: 'sallyport/v1', kind: 'Configuration', name: CONFIG_FILE },
      file: CONFIG_FILE,
      line: 1,
      column: 1,
      endLine: 1,
      endColumn: 2,
      path: '',
      text,
    });
  };
  const [was, is] = [base.profile ?? 'default', head.profile ?? 'default'];
  if (was !== is) {
    const order = (name: string) => STRICTNESS.indexOf(name);
    const worse = order(is) < 0 || order(was) < 0 || order(is) > order(was);
    say(`profile is ${is}, before ${was}`, worse ? 'worse' : 'better');
  }
  const [failedOn, failsOn] = [base.failOn ?? 'high', head.failOn ?? 'high'];
  if (failedOn !== failsOn)
    say(`failOn is ${failsOn}, before ${failedOn}`, rank(failsOn) < rank(failedOn) ? 'worse' : 'better');
  if ((base.allowUnknown === true) !== (head.allowUnknown === true))
    say(`allowUnknown is ${head.allowUnknown === true}`, head.allowUnknown === true ? 'worse' : 'better');
  for (const id of head.skip.filter(id => !base.skip.includes(id))) say(`${id} is switched off`, 'worse');
  for (const id of base.skip.filter(id => !head.skip.includes(id)))
    say(`${id} is no longer switched off`, 'better');
  for (const id of base.enable.filter(id => !head.enable.includes(id) && !head.skip.includes(id)))
    say(`${id} is no longer switched on`, 'worse', 'medium');
  for (const pattern of head.ignore.filter(one => !base.ignore.includes(one)))
    say(`"${pattern}" is ignored`, 'worse');
  for (const pattern of base.ignore.filter(one => !head.ignore.includes(one)))
    say(`"${pattern}" is no longer ignored`, 'better');
  for (const id of new Set([...Object.keys(base.severities), ...Object.keys(head.severities)])) {
    const usual = checks.find(check => idOf(check) === id)?.severity;
    const [before, after] = [base.severities[id] ?? usual, head.severities[id] ?? usual];
    if (before === undefined || after === undefined || before === after) continue;
    const worse = severities.indexOf(after) > severities.indexOf(before);
    say(`${id} has severity ${after}, before ${before}`, worse ? 'worse' : 'better', 'medium');
  }
  for (const id of new Set([...Object.keys(base.options), ...Object.keys(head.options)]))
    if (!isEqual(base.options[id], head.options[id])) say(`the options of ${id} changed`, 'worse', 'medium');
  // What is not pinned is the installed version, and no pin runs checks that are not there yet.
  const runs = (pin: string | undefined) => (pin !== undefined && isOlder(pin, version) ? pin : version);
  const [oldChecks, newChecks] = [runs(base.checksVersion), runs(head.checksVersion)];
  if (oldChecks !== newChecks)
    say(
      `the checks of ${head.checksVersion ?? 'the installed version'} are run, before ${base.checksVersion ?? 'the installed version'}`,
      isOlder(newChecks, oldChecks) ? 'worse' : 'better',
      'medium',
    );
  const [old, now] = [base.exceptionRules, head.exceptionRules];
  for (const id of old.nonBypassable.filter(one => !now.nonBypassable.includes(one)))
    say(`${id} may be excepted now`, 'worse');
  if (old.expiry === 'required' && now.expiry !== 'required') say('exceptions need no end any more', 'worse');
  if ((now.maxDays ?? Infinity) > (old.maxDays ?? Infinity)) say('exceptions may hold for longer', 'worse');
  const [profiles, own] = [base.podSecurityProfiles ?? [], head.podSecurityProfiles ?? []];
  for (const { name } of profiles.filter(one => !own.some(({ name }) => name === one.name)))
    say(`pod security profile "${name}" is gone`, 'worse');
  for (const profile of own) {
    const before = profiles.find(({ name }) => name === profile.name);
    if (before === undefined)
      say(
        `pod security profile "${profile.name}" is new, over ${profile.extends}: ${profile.reason}`,
        'worse',
        'medium',
      );
    else {
      const changed = changedIn(before, profile);
      if (changed.length > 0)
        say(`pod security profile "${profile.name}" changed in ${changed.join(', ')}`, 'worse', 'medium');
    }
  }
  const order = (list: typeof own) =>
    list
      .map(({ name }) => name)
      .filter(name => both.has(name))
      .join(' ');
  const both = new Set(own.map(({ name }) => name).filter(name => profiles.some(one => one.name === name)));
  if (order(own) !== order(profiles))
    say('pod security profiles are asked in another order', 'worse', 'medium');
  if (base.baseline !== head.baseline && head.baseline !== undefined)
    say(`the baseline is ${head.baseline}, before ${base.baseline ?? 'none'}`, 'worse', 'medium');
  for (const { path, environments } of base.charts ?? []) {
    if (environments === undefined || !hasChart(path)) continue;
    const left = new Set(
      (head.charts ?? []).flatMap(one => (one.path === path ? [...(one.environments?.keys() ?? [])] : [])),
    );
    for (const name of environments.keys())
      if (!left.has(name))
        say(`chart ${path === '' ? '.' : path} is no longer judged as it is installed in ${name}`, 'worse');
  }
  return found;
}

/** Nothing stated is the newest there is. */
function isOlder(one: string, other: string): boolean {
  const [a, b] = [one, other].map(text => text.split('.').map(Number));
  const at = a!.findIndex((part, i) => part !== b![i]);
  return at >= 0 && a![at]! < b![at]!;
}

/** The stricter, the higher. */
function rank(failOn: Severity | 'never'): number {
  return failOn === 'never' ? -1 : severities.indexOf(failOn);
}

/** The words of a profile that say something else than before; its reasons may. */
function changedIn(before: CustomProfile, now: CustomProfile): string[] {
  const parts = ({ extends: level, version, scope, spec }: CustomProfile) =>
    new Map(
      Object.entries({ extends: level, version, scope, ...spec }).map(([key, one]) => [
        key,
        JSON.stringify(one),
      ]),
    );
  const [old, own] = [parts(before), parts(now)];
  return [...new Set([...old.keys(), ...own.keys()])].filter(key => old.get(key) !== own.get(key));
}
