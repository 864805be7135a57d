/**
 * How long the whole relation of a network takes: 1,000 workloads under 500 policies (ceiling 2 s) and 10,000 pods in
 * 200 classes (ceiling 1 s), decided and walked pair by pair.
 */
import { createNetwork } from '../src/decide/network/door.ts';
import type { KubeObject } from '../src/kube/objects.ts';

const NAMESPACES = 40;

function namespaces(): KubeObject[] {
  return Array.from({ length: NAMESPACES }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `ns-${i}`, labels: { team: `team-${i % 8}`, env: i % 2 === 0 ? 'prod' : 'dev' } },
  }));
}

function containers(): unknown[] {
  return [
    {
      name: 'app',
      image: 'app:1',
      ports: [
        { containerPort: 8080, name: 'http' },
        { containerPort: 9090, name: 'metrics' },
      ],
    },
  ];
}

function workload(i: number): KubeObject {
  const labels = { app: `app-${i}`, tier: `tier-${i % 5}` };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `app-${i}`, namespace: `ns-${i % NAMESPACES}` },
    spec: { template: { metadata: { labels }, spec: { containers: containers() } } },
  };
}

function pod(i: number, classes: number): KubeObject {
  const labels = { app: `app-${i % classes}`, tier: `tier-${i % 5}` };
  const ip = `10.${Math.floor(i / 65536)}.${Math.floor(i / 256) % 256}.${i % 256}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${i}`, namespace: `ns-${(i % classes) % NAMESPACES}`, labels },
    spec: { nodeName: `node-${i % 300}`, containers: containers() },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
  };
}

/** Each opens one app to another, to a team, to the metrics scraper, and to a network less a part of it. */
function policy(i: number, apps: number): KubeObject {
  const app = (i * 7) % apps;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy-${i}`, namespace: `ns-${app % NAMESPACES}` },
    spec: {
      podSelector: i % 10 === 0 ? {} : { matchLabels: { app: `app-${app}` } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: [{ podSelector: { matchLabels: { tier: `tier-${i % 5}` } } }], ports: [{ port: 'http' }] },
        {
          from: [{ namespaceSelector: { matchLabels: { team: `team-${i % 8}` } } }],
          ports: [{ port: 9090 }],
        },
        { from: [{ ipBlock: { cidr: `10.${i % 200}.0.0/16`, except: [`10.${i % 200}.${i % 250}.0/24`] } }] },
      ],
      egress: [
        { to: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: `app-${(i * 13) % apps}` } } }] },
        { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] } }], ports: [{ port: 443 }] },
        { ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] },
      ],
    },
  };
}

/** The hard case for rows: every policy selects half of the workloads, no two alike. */
function crossing(i: number, apps: number): KubeObject {
  const values = Array.from({ length: apps / 2 }, (_, j) => `app-${(j * 2 + ((i >> (j % 9)) & 1)) % apps}`);
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha1',
    kind: 'AdminNetworkPolicy',
    metadata: { name: `admin-${i}` },
    spec: {
      priority: i,
      subject: {
        pods: {
          namespaceSelector: {},
          podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values }] },
        },
      },
      ingress: [
        {
          action: i % 2 === 0 ? 'Allow' : 'Deny',
          from: [
            { pods: { namespaceSelector: {}, podSelector: { matchLabels: { tier: `tier-${i % 5}` } } } },
          ],
          ports: [{ portNumber: { port: 1000 + i, protocol: 'TCP' } }],
        },
      ],
    },
  };
}

const of = <Item>(count: number, make: (i: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => make(i));

function measure(name: string, objects: readonly KubeObject[], ceiling: number | undefined): void {
  const times: number[] = [];
  let shape = '';
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    const relation = createNetwork(objects, { ipBlocksMatchPods: true }).connections();
    let pairs = 0;
    for (const _ of relation.pairs()) pairs++;
    times.push(performance.now() - start);
    shape = `${relation.classes.length} classes, ${pairs} pairs`;
  }
  const median = times.sort((a, b) => a - b)[2]!;
  const limit = ceiling === undefined ? '' : `, ceiling ${ceiling} ms`;
  console.log(`${name}: ${median.toFixed(0)} ms (slowest ${times.at(-1)!.toFixed(0)}${limit}; ${shape})`);
  if (ceiling !== undefined && median > ceiling) process.exitCode = 1;
}

measure(
  '1,000 workloads × 500 policies',
  [...namespaces(), ...of(1000, workload), ...of(500, i => policy(i, 1000))],
  2000,
);
measure(
  '10,000 pods in 200 classes × 200 policies',
  [...namespaces(), ...of(10_000, i => pod(i, 200)), ...of(200, i => policy(i, 200))],
  1000,
);
measure(
  '1,000 workloads × 500 crossing admin policies',
  [...namespaces(), ...of(1000, workload), ...of(500, i => crossing(i, 1000))],
  undefined,
);
