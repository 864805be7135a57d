/**
 * How long it takes to write the least policies for 300 workloads in 12 namespaces and to prove them, in every form; and
 * to read a log of flows. The relation itself is in bench/network.ts.
 */
import { declaredNeeds } from '../src/advise/intent.ts';
import { advisePolicies, type Form } from '../src/advise/mesh-forms.ts';
import { createNetwork } from '../src/decide/network/door.ts';
import type { KubeObject } from '../src/kube/objects.ts';
import { FlowReader } from '../src/sources/flows/flows.ts';

const [WORKLOADS, NAMESPACES, LINES] = [300, 12, 200_000];

const objects: KubeObject[] = Array.from({ length: NAMESPACES }, (_, i) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: `ns-${i}` },
}));
for (let i = 0; i < WORKLOADS; i++) {
  const [name, namespace] = [`app-${i}`, `ns-${i % NAMESPACES}`];
  const env = [7, 31, 101, 211].map(step => {
    const other = (i * 3 + step) % WORKLOADS;
    return { name: `URL_${step}`, value: `http://app-${other}.ns-${other % NAMESPACES}.svc:80` };
  });
  const ports = [{ containerPort: 8080 }, { containerPort: 9090 }];
  objects.push(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'app:1', ports, env }] },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  );
}

const needs = declaredNeeds(objects, createNetwork(objects).exposure().exposures).intents.map(
  ({ need }) => need,
);
for (const forms of [['network-policy'], ['istio'], ['linkerd'], ['network-policy', 'istio']] as Form[][]) {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const { policies, unmet, remaining, stages } = advisePolicies(objects, needs, {
    forms,
    network: { ipBlocksMatchPods: false },
  });
  const used = process.cpuUsage(cpu);
  const broken = stages.reduce((sum, stage) => sum + stage.unmet.length, 0);
  console.log(
    `${forms.join(' and ')}: ${(performance.now() - start).toFixed(0)} ms (${((used.user + used.system) / 1000).toFixed(0)} ms of a processor; ${needs.length} needs, ${policies.length} objects, ${unmet.length} unmet, ${remaining.length} remaining, ${broken} broken on the way)`,
  );
  if (unmet.length + remaining.length + broken > 0) process.exitCode = 1;
}

const lines = Array.from({ length: LINES }, (_, i) =>
  JSON.stringify({
    flow: {
      verdict: 'FORWARDED',
      l4: { TCP: { source_port: 40_000, destination_port: 8080 } },
      IP: { source: `10.0.${i % 256}.1`, destination: '10.1.0.2' },
      source: { namespace: 'shop', pod_name: `web-${i % 5000}`, labels: ['k8s:app=web', 'k8s:tier=front'] },
      destination: { namespace: 'shop', pod_name: 'api-1', labels: ['k8s:app=api'] },
    },
  }),
);
const bytes = lines.reduce((sum, { length }) => sum + length + 1, 0);
const start = performance.now();
const reader = new FlowReader();
for (const line of lines) reader.line(line);
const seconds = (performance.now() - start) / 1000;
console.log(
  `${LINES} lines of Hubble: ${(seconds * 1000).toFixed(0)} ms (${(bytes / 2 ** 20 / seconds).toFixed(0)} MB/s; ${reader.done().flows.length} connections)`,
);
