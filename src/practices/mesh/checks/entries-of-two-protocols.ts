/**
 * Hosts that are described twice. Source: istio
 * pkg/config/analysis/analyzers/serviceentry/conflictingserviceentries.go (IST0177).
 */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { itemsOf } from '../facts.ts';
import { named, othersOf, SERVICE_ENTRY, scopesOf, textsAt } from '../istio.ts';

function* portsOf(object: KubeObject): Generator<{ at: string; protocol: string }> {
  for (const host of textsAt(object, ['spec', 'hosts']))
    for (const port of itemsOf(valueAt(object, ['spec', 'ports'])))
      yield {
        at: `${host}:${String(valueAt(port, ['number']))}`,
        protocol: String(valueAt(port, ['protocol']) ?? '').toUpperCase(),
      };
}

const entries = (world: World) =>
  othersOf(world, SERVICE_ENTRY, object => [...portsOf(object)].map(({ at }) => at));

function meet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.has('*') || b.has('*') || [...a].some(one => b.has(one));
}

export default defineCheck({
  practice: 'mesh',
  name: 'entries-of-two-protocols',
  title: 'Two ServiceEntries give one port two protocols',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'One of them wins, and which one may change with any push: TLS is then handled as plain HTTP, or the other way.',
  remediation: 'State one protocol for the host and port, or export the entries to different namespaces.',

  subject: 'object',
  kinds: [SERVICE_ENTRY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const scopes = scopesOf(object);
    for (const { at, protocol } of portsOf(object))
      for (const other of world.fact(entries).get(at) ?? [])
        if (
          meet(scopes, scopesOf(other)) &&
          [...portsOf(other)].some(one => one.at === at && one.protocol !== protocol)
        )
          return fail({ at, other: named(other) }, ['spec', 'ports']);
    return pass;
  },
  message: ({ at, other }) => `${at} has another protocol in ${other}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: { name: api, namespace: shop }
      spec: { hosts: [api.example.com], ports: [{ number: 8443, name: https, protocol: HTTPS }, { number: 8443, name: http, protocol: HTTP }], resolution: DNS }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: { name: api, namespace: shop }
      spec: { hosts: [api.example.com], exportTo: ["."], ports: [{ number: 8443, name: https, protocol: HTTPS }], resolution: DNS }
      ---
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: { name: api, namespace: bank }
      spec: { hosts: [api.example.com], exportTo: ["."], ports: [{ number: 8443, name: http, protocol: HTTP }], resolution: DNS }
      `,
    ],
  },
});
