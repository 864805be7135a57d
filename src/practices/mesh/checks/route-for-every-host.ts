/** Routes that take hosts of others. */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { textsAt, VIRTUAL_SERVICE } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'route-for-every-host',
  title: 'VirtualService takes hosts by a star',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'At a shared gateway it gets the requests of every host that nobody else has a route for, those of other teams too.',
  remediation: 'Name the hosts.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  evaluate({ object }) {
    if (itemsOf(valueAt(object, ['spec', 'gateways'])).every(one => one === 'mesh'))
      return notApplicable('it is for no gateway');
    return verdictOf(
      textsAt(object, ['spec', 'hosts']).flatMap((host, index) =>
        host.includes('*') ? [{ what: host, path: ['spec', 'hosts', index] }] : [],
      ),
    );
  },
  message: hosts => `it takes ${hosts.join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: ["*"], gateways: [edge/edge], http: [{ route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [shop.example.com], gateways: [edge/edge], http: [{ route: [{ destination: { host: web } }] }] }
      `,
    ],
  },
});
