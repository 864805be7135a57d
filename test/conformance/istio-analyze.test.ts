/**
 * The verdicts of istioctl analyze on its own test data. istioctl takes its input for all that the cluster holds, so
 * the checks are told the same.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { Check } from '#check/check.ts';
import type { Finding } from '#check/finding.ts';
import { asSelected, scan } from '#judge/scan.ts';
import { isRecord, type KubeObject } from '#kube/objects.ts';
import { checks } from '#practices/index.ts';
import { withShared } from '#test/shared.ts';
import { worldOf } from '#test/worlds.ts';
import { World } from '#world/world.ts';

/** The checks that say together what codes of an analyzer say. */
interface StandIn {
  readonly codes: readonly string[];
  readonly checks: readonly string[];
  /** istioctl names both sides of an overlap: ours is one finding, at the side that does not count, with the other. */
  readonly namesOther?: true;
}

const both = { namesOther: true } as const;

/** Every analyzer of the data. An analyzer that says nothing of a case is a verdict too. */
const ANALYZERS: Readonly<Record<string, readonly StandIn[]>> = {
  'authn.BlockedCIDRsAnalyzer': [{ codes: ['IST0175'], checks: ['unrestricted-key-fetch'] }],
  'authz.AuthorizationPoliciesAnalyzer': [
    { codes: ['IST0127'], checks: ['authorization-selects-nothing'] },
    { codes: ['IST0101'], checks: ['absent-source-namespace'] },
  ],
  'conditions.ConditionAnalyzer': [{ codes: ['IST0171'], checks: ['refused-by-mesh'] }],
  'deployment.ApplicationUIDAnalyzer': [{ codes: ['IST0144'], checks: ['proxy-user'] }],
  'deployment.ServiceAssociationAnalyzer': [
    { codes: ['IST0116', 'IST0137'], checks: ['ambiguous-service-port'] },
  ],
  'destinationrule.CaCertificateAnalyzer': [{ codes: ['IST0128', 'IST0129'], checks: ['unverified-server'] }],
  'destinationrule.PodNotSelectedAnalyzer': [
    { codes: ['IST0173'], checks: ['subset-selects-nothing'] },
    { codes: ['IST0174'], checks: ['route-to-absent-host'] },
  ],
  'envoyfilter.EnvoyPatchAnalyzer': [
    { codes: ['IST0151', 'IST0155'], checks: ['envoy-patch-without-priority'] },
    { codes: ['IST0152', 'IST0153', 'IST0154'], checks: ['ignored-envoy-patch'] },
  ],
  'externalcontrolplane.ExternalControlPlaneAnalyzer': [
    { codes: ['IST0163', 'IST0164'], checks: ['injector-by-address'] },
  ],
  'gateway.CertificateAnalyzer': [{ codes: ['IST0138'], checks: ['certificate-of-several-gateways'] }],
  'gateway.ConflictingGatewayAnalyzer': [{ codes: ['IST0145'], checks: ['gateways-of-one-host'], ...both }],
  'gateway.IngressGatewayPortAnalyzer': [
    { codes: ['IST0101'], checks: ['gateway-without-workload'] },
    { codes: ['IST0162'], checks: ['gateway-port-without-service'] },
  ],
  'gateway.SecretAnalyzer': [
    { codes: ['IST0101'], checks: ['gateway-secret-absent', 'gateway-without-workload'] },
  ],
  'schemaValidation.CollectionValidationAnalyzer': [
    { codes: ['IST0130', 'IST0131'], checks: ['unreachable-route'] },
  ],
  'serviceentry.ConflictingServiceEntryProtocolAnalyzer': [
    { codes: ['IST0177'], checks: ['entries-of-two-protocols'] },
  ],
  'serviceentry.ProtocolAddressesAnalyzer': [{ codes: ['IST0134'], checks: ['entry-without-address'] }],
  'sidecar.SelectorAnalyzer': [
    { codes: ['IST0110', 'IST0111'], checks: ['sidecar-overlap'], ...both },
    { codes: ['IST0101'], checks: ['sidecar-without-workload'] },
    { codes: ['IST0167'], checks: ['sidecar-in-ambient'] },
  ],
  'telemetry.ProviderAnalyzer': [{ codes: ['IST0157'], checks: ['access-log-without-provider'] }],
  'telemetry.SelectorAnalyzer': [
    { codes: ['IST0159'], checks: ['telemetry-overlap'], ...both },
    { codes: ['IST0101'], checks: ['telemetry-without-workload'] },
  ],
  'virtualservice.ConflictingMeshGatewayHostsAnalyzer': [
    { codes: ['IST0109'], checks: ['routes-of-one-host'], ...both },
  ],
  'virtualservice.DestinationHostAnalyzer': [
    { codes: ['IST0140'], checks: ['subset-lost-at-gateway'] },
    { codes: ['IST0101'], checks: ['route-to-absent-host'] },
  ],
  'virtualservice.GatewayAnalyzer': [
    { codes: ['IST0132'], checks: ['route-outside-gateway'] },
    { codes: ['IST0101', 'IST0165'], checks: ['route-of-absent-gateway'] },
  ],
  'webhook.Analyzer': [{ codes: ['IST0139'], checks: ['injectors-overlap'] }],
};

/** What no check stands for, and why. The number of these may only go down. */
const NOT_COVERED: Readonly<Record<string, string>> = {
  'injection.ImageAnalyzer':
    'IST0158, pods that run with another proxy than the injector gives today: a running cluster shows them only',
  'service.PortNameAnalyzer':
    'IST0118, ports whose protocol is found out: the checks of AuthorizationPolicies say where it matters',
  'telemetry.LightstepAnalyzer':
    'IST0002, a provider of traces that is deprecated: no question of security, and nothing breaks',
};

interface Case {
  readonly case: string;
  readonly analyzer: string;
  readonly inputs: readonly string[];
  readonly meshConfig: string | null;
  readonly expected: readonly { readonly code: string; readonly object: string }[];
}

/** Lists unfolded as kubectl does; the pods of the data that have no spec, which no API server takes, get one. */
function clusterOf(text: string): World {
  const world = worldOf(text);
  const declared = world.declared.flatMap(one => {
    const { kind, items } = one.object as unknown as { kind: string; items?: readonly KubeObject[] };
    return (kind === 'List' ? (items ?? []) : [one.object]).map(object => ({
      ...one,
      object:
        object.kind === 'Pod' && !isRecord(object['spec'])
          ? ({ ...object, spec: { containers: [] } } as KubeObject)
          : object,
    }));
  });
  return new World({ declared, kubernetesMinor: world.kubernetesMinor });
}

function findingsOf(world: World, names: readonly string[]): readonly Finding[] {
  const selected = names.map(name => {
    const check = checks.find(one => one.practice === 'mesh' && one.name === name) as Check;
    const { options } = asSelected(check);
    return {
      check,
      options: Object.hasOwn(options, 'wholeCluster') ? { ...options, wholeCluster: true } : options,
    };
  });
  const { findings, unknowns } = scan(world, selected);
  assert.deepEqual(unknowns, []);
  return findings;
}

const describe = ({ object: { kind, namespace, name } }: Finding): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

withShared('conformance/istio-analyze', path => {
  const read = (file: string): string => readFileSync(join(path, file), 'utf8');
  const cases = JSON.parse(read('index.json')) as readonly Case[];
  for (const { case: name, analyzer, inputs, meshConfig, expected } of cases) {
    const reason = NOT_COVERED[analyzer];
    it(`${analyzer}: ${name}`, reason === undefined ? {} : { skip: reason }, () => {
      const standIns = ANALYZERS[analyzer];
      assert.ok(standIns !== undefined, `no check stands for ${analyzer}`);
      for (const { code } of expected)
        assert.ok(
          standIns.some(({ codes }) => codes.includes(code)),
          code,
        );
      const config =
        meshConfig === null
          ? ''
          : `\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: istio, namespace: istio-system }\ndata: { mesh: ${JSON.stringify(read(meshConfig))} }\n`;
      const world = clusterOf(inputs.map(read).join('\n---\n') + config);
      for (const standIn of standIns) {
        const findings = findingsOf(world, standIn.checks);
        const said = new Set(findings.map(describe));
        const wanted = new Set(
          expected.filter(({ code }) => standIn.codes.includes(code)).map(({ object }) => object),
        );
        const isNamed = (object: string): boolean =>
          standIn.namesOther === true &&
          findings.some(({ message }) => message.includes(object.slice(object.indexOf(' ') + 1)));
        const checksOf = standIn.checks.join(' and ');
        assert.deepEqual(
          [...said].filter(object => !wanted.has(object)),
          [],
          `${checksOf} alone says so`,
        );
        assert.deepEqual(
          [...wanted].filter(object => !said.has(object) && !isNamed(object)),
          [],
          `istioctl alone says so, not ${checksOf}`,
        );
        assert.ok(wanted.size === 0 || said.size > 0);
      }
    });
  }

  it('covers all analyzers but those with a reason', t => {
    const all = new Set(cases.map(({ analyzer }) => analyzer));
    const open = [...all].filter(analyzer => ANALYZERS[analyzer] === undefined);
    for (const analyzer of open) t.diagnostic(`not covered: ${analyzer}: ${NOT_COVERED[analyzer]}`);
    assert.deepEqual(open.sort(), Object.keys(NOT_COVERED).sort());
    assert.ok(open.length <= 3);
  });
});
