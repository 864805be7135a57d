/**
 * Ports that are taken of every address. Source: istio pkg/config/analysis/analyzers/serviceentry/protocoladdresses.go
 * (IST0134).
 */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, meshSettings, verdictOf } from '../facts.ts';
import { SERVICE_ENTRY } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'entry-without-address',
  title: 'ServiceEntry has a TCP port and no address',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'TCP carries no host name: without an address the proxy takes every connection to the port for this host, wherever it goes.',
  remediation: 'State addresses, or the protocol where it is HTTP or TLS, or let Istio allocate addresses.',

  subject: 'object',
  kinds: [SERVICE_ENTRY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const has = (path: readonly string[]): boolean => itemsOf(valueAt(object, path)).length > 0;
    if (has(['spec', 'addresses']) || has(['status', 'addresses'])) return notApplicable('it has an address');
    const found = itemsOf(valueAt(object, ['spec', 'ports'])).flatMap((port, index) => {
      const protocol = String(valueAt(port, ['protocol']) ?? '').toUpperCase();
      return protocol === '' || protocol === 'TCP'
        ? [{ what: String(valueAt(port, ['number'])), path: ['spec', 'ports', index] }]
        : [];
    });
    if (found.length > 0 && meshSettings(world).allocatesAddresses)
      return notApplicable('Istio allocates its address');
    return verdictOf(found);
  },
  message: ports => `port ${[...new Set(ports)].join(', ')} is TCP, and it has no addresses`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: { name: database, namespace: shop }
      spec: { hosts: [database.example.com], ports: [{ number: 5432, name: tcp, protocol: TCP }], resolution: DNS }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: { name: database, namespace: shop }
      spec: { hosts: [database.example.com], addresses: [192.0.2.7], ports: [{ number: 5432, name: tcp, protocol: TCP }], resolution: DNS }
      `,
      `
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: { name: api, namespace: shop }
      spec: { hosts: [api.example.com], ports: [{ number: 443, name: tls, protocol: TLS }], resolution: DNS }
      `,
    ],
  },
});
