/** Connections that lead to the wrong host. Source: istio pkg/config/analysis/analyzers/gateway/certificate.go (IST0138). */
import { defineCheck } from '#check/check.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { GATEWAY, labelsAt, named, othersOf } from '../istio.ts';

/** What identifies the certificate of a server; undefined where it has none. */
function certificateOf(server: unknown): string | undefined {
  const name = valueAt(server, ['tls', 'credentialName']);
  if (typeof name === 'string' && name !== '') return `secret ${name}`;
  const [file, key] = ['serverCertificate', 'privateKey'].map(field => valueAt(server, ['tls', field]));
  return typeof file === 'string' && typeof key === 'string' && file !== '' && key !== ''
    ? `file ${file} ${key}`
    : undefined;
}

const byCertificate = (world: World) =>
  othersOf(world, GATEWAY, object =>
    itemsOf(valueAt(object, ['spec', 'servers'])).flatMap(server => certificateOf(server) ?? []),
  );

/** Whether every pod of the other is one of the first's. */
function covers(first: KubeObject, other: KubeObject): boolean {
  const theirs = labelsAt(other, ['spec', 'selector']) ?? {};
  return Object.entries(labelsAt(first, ['spec', 'selector']) ?? {}).every(
    ([key, value]) => theirs[key] === value,
  );
}

export default defineCheck({
  practice: 'mesh',
  name: 'certificate-of-several-gateways',
  title: 'One certificate serves several Gateways',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Browsers keep one HTTP/2 connection for all hosts of a certificate: requests for one Gateway arrive at the other, and get 404.',
  remediation: 'Put the hosts of one certificate into one Gateway, or give each its own certificate.',

  subject: 'object',
  kinds: [GATEWAY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'servers'])).flatMap((server, index) => {
        const certificate = certificateOf(server);
        const others = certificate === undefined ? [] : (world.fact(byCertificate).get(certificate) ?? []);
        const other = others.find(one => one !== object && covers(object, one));
        return other === undefined ? [] : [{ what: named(other), path: ['spec', 'servers', index, 'tls'] }];
      }),
    );
  },
  message: others => `Gateway ${[...new Set(others)].join(', ')} shows the same certificate`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: https, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: wildcard } }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: admin, namespace: shop }
      spec: { selector: { istio: ingressgateway, tier: internal }, servers: [{ port: { number: 443, name: https, protocol: HTTPS }, hosts: [admin.example.com], tls: { mode: SIMPLE, credentialName: wildcard } }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: https, protocol: HTTPS }, hosts: [shop.example.com, admin.example.com], tls: { mode: SIMPLE, credentialName: wildcard } }] }
      `,
    ],
  },
});
