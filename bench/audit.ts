/**
 * How fast an audit log is read, in megabytes of CPU time a second: a log as an API server writes it, of 60 service
 * accounts with 2,500 distinct requests, repeated; the same log packed; and one as one EventList.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { learnRoles, Usage } from '../src/advise/roles.ts';
import { readAuditLogs } from '../src/sources/audit/read.ts';

/** Megabytes of the log; the first argument, if there is one. */
const MEGABYTES = Number(process.argv[2] ?? 200);

let state = 20261125;
/** A small generator with a fixed seed: the same log every time. */
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % below;
}
const pick = <Item>(list: readonly Item[]): Item => list[random(list.length)]!;
const hex = (digits: number): string =>
  Array.from({ length: digits }, () => random(16).toString(16)).join('');

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
const RESOURCES: readonly (readonly [group: string, resource: string])[] = [
  ['', 'pods'],
  ['', 'configmaps'],
  ['', 'secrets'],
  ['apps', 'deployments'],
  ['coordination.k8s.io', 'leases'],
  ['', 'events'],
  ['', 'services'],
];

const requests = Array.from({ length: 2500 }, () => {
  const [group, resource] = pick(RESOURCES);
  const verb = pick(VERBS);
  const namespace = `ns-${random(40)}`;
  const name = ['list', 'watch', 'create'].includes(verb) ? '' : `${resource}-${random(30)}`;
  return { group, resource, verb, namespace, name, account: random(60) };
});

/** With what changes from one entry to the next. */
function line(): string {
  const { group, resource, verb, namespace, name, account } = pick(requests);
  const base = `${group === '' ? '/api/v1' : `/apis/${group}/v1`}/namespaces/${namespace}/${resource}`;
  const query =
    verb === 'watch'
      ? `?allowWatchBookmarks=true&resourceVersion=${random(1e6)}&timeoutSeconds=${300 + random(300)}&watch=true`
      : verb === 'list'
        ? '?limit=500&resourceVersion=0'
        : '';
  const event = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: hex(32),
    stage: random(6) === 0 ? 'RequestReceived' : 'ResponseComplete',
    requestURI: `${base}${name === '' ? '' : `/${name}`}${query}`,
    verb,
    user: {
      username: `system:serviceaccount:ns-${account}:app`,
      uid: `uid-${account}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:ns-${account}`, 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': [`JTI=${hex(32)}`],
        'authentication.kubernetes.io/node-name': [`node-${random(50)}`],
        'authentication.kubernetes.io/pod-name': [`app-${hex(8)}`],
        'authentication.kubernetes.io/pod-uid': [hex(32)],
      },
    },
    sourceIPs: [`10.0.${random(255)}.${random(255)}`],
    userAgent: 'app/v0.0.0 (linux/amd64) kubernetes/$Format',
    objectRef: {
      resource,
      namespace,
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { apiGroup: group }),
      apiVersion: 'v1',
    },
    responseStatus: { metadata: {}, code: 200 },
    requestReceivedTimestamp: `2026-11-25T10:00:00.${100000 + random(899999)}Z`,
    stageTimestamp: `2026-11-25T10:00:00.${100000 + random(899999)}Z`,
    annotations: {
      'authorization.k8s.io/decision': random(30) === 0 ? 'forbid' : 'allow',
      'authorization.k8s.io/reason': `RBAC: allowed by RoleBinding "app/ns-${account}" of Role "app" to ServiceAccount "app/ns-${account}"`,
    },
  };
  // As Go writes it.
  return JSON.stringify(event).replaceAll('&', '\\u0026');
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  const lines = Array.from({ length: 40_000 }, line);
  const piece = Buffer.from(`${lines.join('\n')}\n`);
  const times = Math.max(1, Math.round((MEGABYTES * 1e6) / piece.length));
  const log = join(folder, 'audit.log');
  for (let i = 0; i < times; i++) writeFileSync(log, piece, { flag: i === 0 ? 'w' : 'a' });
  const packed = join(folder, 'audit.log.gz');
  writeFileSync(packed, Buffer.concat(Array.from({ length: times }, () => gzipSync(piece, { level: 1 }))));
  const list = join(folder, 'list.json');
  writeFileSync(list, '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[');
  for (let i = 0; i < times; i++)
    writeFileSync(list, `${i === 0 ? '' : ','}${lines.join(',')}`, { flag: 'a' });
  writeFileSync(list, ']}', { flag: 'a' });
  for (const [what, path] of [
    ['lines', log],
    ['lines, gzip', packed],
    ['one EventList', list],
  ] as const) {
    const usage = new Usage();
    const start = process.cpuUsage();
    const { events } = await readAuditLogs([path], event => usage.add(event));
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    const megabytes = (what === 'lines, gzip' ? times * piece.length : statSync(path).size) / 1e6;
    console.log(
      `${what}: ${megabytes.toFixed(0)} MB, ${events} entries, ${seconds.toFixed(2)} s of CPU: ${(megabytes / seconds).toFixed(0)} MB/s`,
    );
    const before = performance.now();
    const { proven } = learnRoles(usage.used);
    console.log(`  roles for ${proven} requests: ${(performance.now() - before).toFixed(0)} ms`);
  }
  console.log(`memory at most: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
