/** Proxies that take plain text. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { selectedWorkloads, workloadsOf } from '../authorization.ts';
import { meshOf, networkOf, servedPorts } from '../facts.ts';

/** How many connections are asked about at most: of more than these nobody would read who it is. */
const MOST = 2_000;

/**
 * The workloads of the input that may connect to one that the object selects, and do so in plain text.
 *
 * @returns undefined where it is for no workload of the mesh that is known, or for too many
 */
function plainTextCallers(object: KubeObject, world: World): readonly string[] | undefined {
  const mesh = meshOf(world);
  const open = selectedWorkloads(object, world).flatMap(({ object: workload, id, peer }) =>
    ['sidecar', 'ambient'].includes(mesh.member(peer).dataplane)
      ? servedPorts(workload, world)
          .filter(
            port => mesh.transport({ from: { ip: '203.0.113.1' }, to: peer, port }).mode === 'plaintext',
          )
          .map(port => ({ id, peer, port }))
      : [],
  );
  const callers = workloadsOf(world);
  if (open.length === 0 || open.length * callers.length > MOST) return undefined;
  const network = networkOf(world);
  const found = new Set<string>();
  let doubtful = false;
  for (const { id, peer: to, port } of open)
    for (const { id: caller, peer: from } of callers) {
      if (caller === id || found.has(caller)) continue;
      const { mode } = mesh.transport({ from, to, port });
      if (mode !== 'plaintext' && mode !== 'unknown') continue;
      const { allowed } = network.connection({ from, to, port });
      if (mode === 'plaintext' && allowed === true) found.add(caller);
      else if (allowed !== false) doubtful = true;
    }
  // That nobody needs it is said only where it is certain.
  return found.size === 0 && doubtful ? undefined : [...found].sort();
}

export default defineCheck({
  practice: 'mesh',
  name: 'mtls-not-strict',
  title: 'Mutual TLS is not required',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K07'), mitre('T1557'), nsa('encryption')],
  why: 'Plain text is taken too: it can be read on the way, and whoever sends it has no identity, so that rules which deny by identity do not hold.',
  remediation: 'Set STRICT, when sallyport mesh connections shows no plain text caller any more.',

  subject: 'object',
  kinds: ['security.istio.io/PeerAuthentication'],
  evaluate({ object }, { world }) {
    const found: { mode: string; path: Path }[] = [];
    const look = (path: Path): void => {
      const mode = valueAt(object, path);
      if (mode === 'PERMISSIVE' || mode === 'DISABLE') found.push({ mode, path });
    };
    look(['spec', 'mtls', 'mode']);
    const ports = valueAt(object, ['spec', 'portLevelMtls']);
    if (isRecord(ports)) for (const port of Object.keys(ports)) look(['spec', 'portLevelMtls', port, 'mode']);
    if (found.length === 0) return pass;
    return fail(
      { modes: [...new Set(found.map(({ mode }) => mode))], callers: plainTextCallers(object, world) },
      ...found.map(({ path }) => path),
    );
  },
  severityOf: ({ modes }) => (modes.includes('DISABLE') ? 'high' : 'medium'),
  message: ({ modes, callers }) => `mode is ${modes.join(' and ')}${whoCalls(callers)}`,
  fix: {
    title: 'Require mutual TLS',
    kind: 'review',
    changes: (_, at) => at.map(path => ({ op: 'set', path, value: 'STRICT' })),
  },
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { mtls: { mode: PERMISSIVE } }
      `,
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, mtls: { mode: STRICT }, portLevelMtls: { 8080: { mode: DISABLE } } }
      `,
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: batch }
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] } } }
      ---
      apiVersion: batch/v1
      kind: CronJob
      metadata: { name: report, namespace: batch }
      spec: { schedule: "0 4 * * *", jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: report, image: "report:2.0.1" }] } } } } }
      ---
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: default, namespace: shop }
      spec: { mtls: { mode: PERMISSIVE } }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { mtls: { mode: STRICT } }
      `,
    ],
  },
});

function whoCalls(callers: readonly string[] | undefined): string {
  if (callers === undefined) return '';
  if (callers.length === 0) return ': no workload of the input needs plain text';
  const more = callers.length > 4 ? ` and ${callers.length - 4} more` : '';
  return `: plain text may come from ${callers.slice(0, 4).join(', ')}${more}`;
}
