/** How fast 100 PodSecurityPolicies are asked about 1,000 pods: generated, the same ones every time. */
import { applyPolicy, PreparedPod } from '../src/decide/pod-security/policy/apply.ts';

let state = 20261125;
/** A small generator with a fixed seed. */
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % below;
}
const pick = <Item>(list: readonly Item[]): Item => list[random(list.length)]!;
const some = <Item>(list: readonly Item[]): Item[] => list.filter(() => random(2) === 0);

const CAPABILITIES = ['NET_ADMIN', 'SYS_ADMIN', 'CHOWN', 'KILL', 'ALL'];
const ids = () => pick([{ rule: 'RunAsAny' }, { rule: 'MustRunAs', ranges: [{ min: 1, max: 2000 }] }]);
const policies = Array.from({ length: 100 }, (_, i) => ({
  metadata: { name: `policy-${i}` },
  spec: {
    privileged: random(2) === 0,
    allowPrivilegeEscalation: random(2) === 0,
    requiredDropCapabilities: some(CAPABILITIES),
    allowedCapabilities: some(CAPABILITIES),
    volumes: some(['configMap', 'secret', 'hostPath', 'emptyDir', 'projected']),
    allowedHostPaths: [{ pathPrefix: '/var/log', readOnly: random(2) === 0 }],
    hostNetwork: random(2) === 0,
    runAsUser: ids(),
    seLinux: { rule: 'RunAsAny' },
    supplementalGroups: ids(),
    fsGroup: ids(),
    readOnlyRootFilesystem: random(2) === 0,
  },
}));
const pods = Array.from({ length: 1000 }, () => ({
  metadata: { name: 'web', annotations: { team: 'shop' } },
  spec: {
    hostNetwork: random(4) === 0,
    securityContext: random(2) === 0 ? {} : { runAsUser: random(3000), fsGroup: random(3000) },
    volumes: [
      { name: 'config', configMap: { name: 'config' } },
      { name: 'logs', hostPath: { path: pick(['/var/log', '/etc']) } },
    ],
    containers: Array.from({ length: 1 + random(3) }, (_, i) => ({
      name: `c${i}`,
      image: 'example.com/web:1',
      ports: [{ containerPort: 8080 }],
      volumeMounts: [{ name: 'logs', mountPath: '/logs', readOnly: random(2) === 0 }],
      securityContext: { privileged: random(9) === 0, capabilities: { add: some(CAPABILITIES) } },
    })),
  },
}));

for (let round = 0; round < 3; round++) {
  const start = performance.now();
  let admitted = 0;
  for (const pod of pods) {
    const prepared = new PreparedPod(pod);
    for (const policy of policies) if (applyPolicy(policy, prepared).admitted) admitted++;
  }
  console.log(`100,000 decisions: ${(performance.now() - start).toFixed(0)} ms (${admitted} admitted)`);
}
