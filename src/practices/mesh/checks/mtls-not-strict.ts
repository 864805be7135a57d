/** Proxies that take plain text. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { selectedWorkloads, workloadsOf } from '../authorization.ts';
import { WEB_WITH_PORT } from '../examples.ts';
import { meshOf, networkOf, servedPorts } from '../facts.ts';

/** How many connections are asked about at most: nobody reads a list of all who come in a large cluster. */
const MOST = 25;

interface Callers {
  readonly ids: readonly string[];
  /** Not all were asked. */
  readonly more: boolean;
}

/**
 * The workloads of the input that may connect to one that the object selects, and do so in plain text.
 *
 * @returns undefined where it is for no workload of the mesh that is known, or where nobody is known to come and some
 *   may
 */
function plainTextCallers(object: KubeObject, world: World): Callers | undefined {
  const mesh = meshOf(world);
  const found = new Set<string>();
  let asked = 0;
  let isOpen = false;
  let doubtful = false;
  for (const { object: workload, id, peer: to, dataplane: proxy } of selectedWorkloads(object, world)) {
    if (proxy !== 'sidecar' && proxy !== 'ambient') continue;
    for (const port of servedPorts(workload, world)) {
      if (mesh.inbound(to, port).every(({ modes }) => modes.every(mode => mode === 'STRICT'))) continue;
      isOpen = true;
      for (const { id: caller, peer: from, dataplane } of workloadsOf(world)) {
        if (caller === id || found.has(caller)) continue;
        if (dataplane === 'unknown') {
          doubtful = true;
          continue;
        }
        if (++asked > MOST) return { ids: [...found].sort(), more: true };
        // Whoever has no proxy can send nothing else.
        const isPlain = dataplane === 'none' || mesh.transport({ from, to, port }).mode === 'plaintext';
        if (!isPlain) continue;
        const { allowed } = networkOf(world).connection({ from, to, port });
        if (allowed === true) found.add(caller);
        else if (allowed === 'unknown') doubtful = true;
      }
    }
  }
  if (!isOpen || (found.size === 0 && doubtful)) return undefined;
  return { ids: [...found].sort(), more: doubtful };
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
  looksAt: ['network'],
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
      ${WEB_WITH_PORT}
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

function whoCalls(callers: Callers | undefined): string {
  if (callers === undefined) return '';
  const { ids, more } = callers;
  if (ids.length === 0) return more ? '' : ': no workload of the input needs plain text';
  const rest =
    ids.length > 4
      ? ` and ${ids.length - 4}${more ? ' or more' : ' more'}`
      : more
        ? ', and perhaps others'
        : '';
  return `: plain text may come from ${ids.slice(0, 4).join(', ')}${rest}`;
}
