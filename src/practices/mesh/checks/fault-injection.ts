/** Faults that were left in. */
import { defineCheck } from '#check/check.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { VIRTUAL_SERVICE } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'fault-injection',
  title: 'Route injects faults',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Requests are delayed or refused on purpose: right for an exercise, and an outage where it is forgotten.',
  remediation: 'Remove fault when the exercise is over, or match a header that only the exercise sends.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  evaluate({ object }) {
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'http'])).flatMap((route, index) => {
        const fault = valueAt(route, ['fault']);
        const matches = itemsOf(valueAt(route, ['match']));
        // Who has to send a header of his own knows what he does.
        const isExercise =
          matches.length > 0 && matches.every(match => valueAt(match, ['headers']) !== undefined);
        return fault === undefined || fault === null || isExercise
          ? []
          : [{ what: Object.keys(fault).join(' and '), path: ['spec', 'http', index, 'fault'] }];
      }),
    );
  },
  message: kinds => `it injects ${[...new Set(kinds)].join(' and ')} into the requests of everybody`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ fault: { delay: { percentage: { value: 100 }, fixedDelay: 5s } }, route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ match: [{ headers: { x-exercise: { exact: "on" } } }], fault: { delay: { percentage: { value: 100 }, fixedDelay: 5s } }, route: [{ destination: { host: web } }] }] }
      `,
    ],
  },
});
