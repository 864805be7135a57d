/** Ways in that are in plain text. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { coversHost } from '#decide/network/hosts.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'ingress-without-tls',
  title: 'Ingress without TLS',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K09'), mitre('T1557'), nsa('encryption')],
  why: 'Passwords, cookies and tokens of users travel in plain text, for everybody on the way to read and change.',
  remediation: 'Add spec.tls with the host and a certificate; let the controller redirect HTTP.',

  subject: 'object',
  kinds: ['networking.k8s.io/Ingress', 'extensions/Ingress'],
  evaluate({ object }) {
    const tls = itemsOf(valueAt(object, ['spec', 'tls']));
    // An entry without hosts is for all of them.
    const covered = tls.flatMap(entry => {
      const hosts = itemsOf(valueAt(entry, ['hosts'])).filter(host => typeof host === 'string');
      return hosts.length === 0 ? ['*'] : hosts;
    });
    const hosts = itemsOf(valueAt(object, ['spec', 'rules'])).map((rule, index) => ({
      host: valueAt(rule, ['host']),
      index,
    }));
    const bare = hosts.filter(
      ({ host }) =>
        !covered.some(one => one === '*' || (typeof host === 'string' && coversHost(one, host))) &&
        // Without a host the rule takes what no entry of TLS names.
        (typeof host === 'string' || tls.length === 0),
    );
    if (hosts.length === 0) return tls.length === 0 ? fail(['any host'], ['spec']) : pass;
    return bare.length === 0
      ? pass
      : fail(
          bare.map(({ host }) => (typeof host === 'string' ? host : 'any host')),
          ...bare.map(({ index }) => ['spec', 'rules', index]),
        );
  },
  message: hosts => `no TLS for ${hosts.join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: { name: web, namespace: shop }
      spec:
        rules: [{ host: shop.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
      `,
    ],
    good: [
      `
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: { name: web, namespace: shop }
      spec:
        rules: [{ host: shop.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
        tls: [{ hosts: [shop.example.com], secretName: shop-tls }]
      `,
    ],
  },
});
