/** Retries that never come to pass. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/** A duration as Go writes it; undefined for anything else. */
function seconds(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0);
}

export default defineCheck({
  practice: 'mesh',
  name: 'retries-beyond-timeout',
  title: 'Retries take longer than the timeout',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The timeout of the route ends the request before the last tries: they only add load to a server that is slow already.',
  remediation: 'Make attempts times perTryTimeout less than the timeout.',

  subject: 'object',
  kinds: ['networking.istio.io/VirtualService'],
  evaluate({ object }) {
    const late: Path[] = [];
    for (const [index, route] of itemsOf(valueAt(object, ['spec', 'http'])).entries()) {
      const attempts = valueAt(route, ['retries', 'attempts']);
      const perTry = seconds(valueAt(route, ['retries', 'perTryTimeout']));
      const timeout = seconds(valueAt(route, ['timeout']));
      if (typeof attempts !== 'number' || perTry === undefined || timeout === undefined || timeout === 0)
        continue;
      // The first try is not among the attempts.
      if ((attempts + 1) * perTry > timeout) late.push(['spec', 'http', index, 'retries']);
    }
    return late.length === 0 ? pass : fail({}, ...late);
  },
  message: () => 'all tries together take longer than the timeout of the route',
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }], timeout: 2s, retries: { attempts: 3, perTryTimeout: 1s } }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }], timeout: 5s, retries: { attempts: 3, perTryTimeout: 1s } }] }
      `,
    ],
  },
});
