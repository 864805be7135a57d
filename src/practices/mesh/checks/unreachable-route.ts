/**
 * Routes behind others that take everything. Source: istio pkg/config/validation/validation.go
 * (analyzeUnreachableHTTPRules and its kin: IST0130, IST0131). Istio compares prefixes only, and takes a match without
 * a method for one of GET; here a match is covered where each of its conditions implies the earlier one's.
 */
import { defineCheck } from '#check/check.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { VIRTUAL_SERVICE } from '../istio.ts';

interface Match {
  readonly rule: number;
  readonly value: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** More are not compared: each is compared with all before it. */
const MOST = 200;

/** The same text for equal values, whatever the order of their keys; a name says nothing about traffic. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
  const keys = Object.keys(value).sort();
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}

/** Whether a text that the narrow condition takes is one that the wide one takes. */
function implies(narrow: unknown, wide: unknown, ignoreCase: boolean): boolean {
  if (canonical(narrow) === canonical(wide)) return true;
  const prefix = valueAt(wide, ['prefix']);
  const own = valueAt(narrow, ['exact']) ?? valueAt(narrow, ['prefix']);
  if (typeof prefix !== 'string' || typeof own !== 'string') return false;
  return ignoreCase ? own.toLowerCase().startsWith(prefix.toLowerCase()) : own.startsWith(prefix);
}

function impliesAll(narrow: unknown, wide: unknown): boolean {
  if (!isRecord(wide)) return true;
  return Object.entries(wide).every(
    ([key, value]) => isRecord(narrow) && Object.hasOwn(narrow, key) && implies(narrow[key], value, false),
  );
}

/** Whether every request of the later match is one of the earlier. */
function covers(wide: Match['value'], narrow: Match['value']): boolean {
  const ignoreCase = wide['ignoreUriCase'] === true;
  // What ignores case takes more than what does not.
  if (narrow['ignoreUriCase'] === true && !ignoreCase && wide['uri'] !== undefined) return false;
  return Object.entries(wide).every(([field, value]) => {
    switch (field) {
      case 'name':
      case 'statPrefix':
      case 'ignoreUriCase':
        return true;
      case 'uri':
        return narrow[field] !== undefined && implies(narrow[field], value, ignoreCase);
      case 'scheme':
      case 'method':
      case 'authority':
        return narrow[field] !== undefined && implies(narrow[field], value, false);
      case 'headers':
      case 'queryParams':
        return impliesAll(narrow[field], value);
      case 'gateways': {
        const own = itemsOf(narrow[field]);
        return own.length > 0 && own.every(one => itemsOf(value).includes(one));
      }
      default:
        return canonical(narrow[field]) === canonical(value);
    }
  });
}

/** An exact path behind a prefix of the same rule costs nothing; a prefix behind a prefix is a mistake. */
function isHarmless(earlier: Match, later: Match): boolean {
  return earlier.rule === later.rule && valueAt(later.value, ['uri', 'prefix']) === undefined;
}

function unreachable(object: KubeObject, protocol: string): { what: string; path: Path }[] {
  const found: { what: string; path: Path }[] = [];
  const seen: Match[] = [];
  const texts = new Map<string, number>();
  let open = -1;
  for (const [rule, route] of itemsOf(valueAt(object, ['spec', protocol])).entries()) {
    const path: Path = ['spec', protocol, rule];
    const matches = itemsOf(valueAt(route, ['match']));
    if (open >= 0) found.push({ what: `rule ${rule} is behind rule ${open}, which takes everything`, path });
    else if (matches.length === 0) open = rule;
    else
      for (const [index, value] of matches.entries()) {
        if (!isRecord(value)) continue;
        const { name: _, ...traffic } = value;
        const text = canonical(traffic);
        const match = { rule, value: traffic, text };
        const same = texts.get(text);
        const cover =
          protocol === 'http' && same === undefined
            ? seen.find(one => covers(one.value, traffic) && !isHarmless(one, match))?.rule
            : same;
        if (cover !== undefined)
          found.push({
            what: `match ${index} of rule ${rule} is taken by rule ${cover}`,
            path: [...path, 'match', index],
          });
        texts.set(text, same ?? rule);
        if (seen.length < MOST) seen.push(match);
      }
  }
  return found;
}

export default defineCheck({
  practice: 'mesh',
  name: 'unreachable-route',
  title: 'Route behind one that takes its requests',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Rules are tried in order: what an earlier one takes never comes to this one.',
  remediation: 'Put the narrower rule first, or remove it.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  evaluate({ object }) {
    return verdictOf(['http', 'tls', 'tcp'].flatMap(protocol => unreachable(object, protocol)));
  },
  message: rules => rules.join('; '),
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec:
        hosts: [web]
        http:
        - { match: [{ uri: { prefix: /api } }], route: [{ destination: { host: api } }] }
        - { match: [{ uri: { prefix: /api/admin }, method: { exact: POST } }], route: [{ destination: { host: admin } }] }
      `,
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec:
        hosts: [web]
        http:
        - { route: [{ destination: { host: api } }] }
        - { match: [{ uri: { prefix: /admin } }], route: [{ destination: { host: admin } }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec:
        hosts: [web]
        http:
        - { match: [{ uri: { prefix: /api/admin }, method: { exact: POST } }], route: [{ destination: { host: admin } }] }
        - { match: [{ uri: { prefix: /api }, headers: { version: { exact: "2" } } }], route: [{ destination: { host: api2 } }] }
        - { match: [{ uri: { prefix: /api } }], route: [{ destination: { host: api } }] }
      `,
    ],
  },
});
