/** Where a breach is, which the library does not say: checks, levels and fixes stand on these places. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatPath, valueAt } from '#kube/objects.ts';
import { evaluate } from './evaluate.ts';

/** A pod that breaks every control somewhere. */
const BAD = {
  metadata: {
    annotations: {
      'container.apparmor.security.beta.kubernetes.io/a': 'unconfined',
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
      'container.seccomp.security.alpha.kubernetes.io/a': 'unconfined',
    },
  },
  spec: {
    hostNetwork: true,
    hostPID: true,
    hostIPC: true,
    securityContext: {
      runAsNonRoot: false,
      runAsUser: 0,
      seccompProfile: { type: 'Unconfined' },
      appArmorProfile: { type: 'Unconfined' },
      seLinuxOptions: { type: 'spc_t', user: 'u', role: 'r' },
      sysctls: [{ name: 'kernel.msgmax', value: '1' }],
      windowsOptions: { hostProcess: true },
    },
    initContainers: [{ name: 'i', image: 'i' }],
    containers: [
      {
        name: 'a',
        image: 'i',
        ports: [{ containerPort: 80, hostPort: 81 }],
        lifecycle: { postStart: { httpGet: { host: 'h', port: 1 } } },
        livenessProbe: { tcpSocket: { host: 't', port: 2 } },
        securityContext: {
          privileged: true,
          allowPrivilegeEscalation: true,
          runAsNonRoot: false,
          runAsUser: 0,
          procMount: 'Unmasked',
          capabilities: { add: ['SYS_ADMIN'], drop: ['NET_RAW'] },
          seccompProfile: { type: 'Unconfined' },
          appArmorProfile: { type: 'Unconfined' },
          seLinuxOptions: { type: 'spc_t' },
          windowsOptions: { hostProcess: true },
        },
      },
    ],
    volumes: [
      { name: 'h', hostPath: { path: '/' } },
      { name: 'n', nfs: { server: 's', path: '/' } },
    ],
  },
};

/** All its breaches, over versions and both levels: control, place, value, container. */
const PLACES = [
  'allowPrivilegeEscalation spec.containers[0].securityContext.allowPrivilegeEscalation = true (a)',
  'allowPrivilegeEscalation spec.initContainers[0].securityContext.allowPrivilegeEscalation = undefined (i)',
  'appArmorProfile metadata.annotations["container.apparmor.security.beta.kubernetes.io/a"] = "unconfined"',
  'appArmorProfile spec.containers[0].securityContext.appArmorProfile.type = "Unconfined" (a)',
  'appArmorProfile spec.securityContext.appArmorProfile.type = "Unconfined"',
  'capabilities_baseline spec.containers[0].securityContext.capabilities.add[0] = "SYS_ADMIN" (a)',
  'capabilities_restricted spec.containers[0].securityContext.capabilities.add[0] = "SYS_ADMIN" (a)',
  'capabilities_restricted spec.containers[0].securityContext.capabilities.drop = ["NET_RAW"] (a)',
  'capabilities_restricted spec.initContainers[0].securityContext.capabilities.drop = undefined (i)',
  'hostNamespaces spec.hostIPC = true',
  'hostNamespaces spec.hostNetwork = true',
  'hostNamespaces spec.hostPID = true',
  'hostPathVolumes spec.volumes[0].hostPath = {"path":"/"}',
  'hostPorts spec.containers[0].ports[0].hostPort = 81 (a)',
  'hostProbesAndHostLifecycle spec.containers[0].lifecycle.postStart.httpGet.host = "h" (a)',
  'hostProbesAndHostLifecycle spec.containers[0].livenessProbe.tcpSocket.host = "t" (a)',
  'privileged spec.containers[0].securityContext.privileged = true (a)',
  'procMount spec.containers[0].securityContext.procMount = "Unmasked" (a)',
  'procMount_restricted spec.containers[0].securityContext.procMount = "Unmasked" (a)',
  'restrictedVolumes spec.volumes[0].hostPath = {"path":"/"}',
  'restrictedVolumes spec.volumes[1].nfs = {"server":"s","path":"/"}',
  'runAsNonRoot spec.containers[0].securityContext.runAsNonRoot = false (a)',
  'runAsNonRoot spec.securityContext.runAsNonRoot = false',
  'runAsUser spec.containers[0].securityContext.runAsUser = 0 (a)',
  'runAsUser spec.securityContext.runAsUser = 0',
  'seLinuxOptions spec.containers[0].securityContext.seLinuxOptions.type = "spc_t" (a)',
  'seLinuxOptions spec.securityContext.seLinuxOptions.role = "r"',
  'seLinuxOptions spec.securityContext.seLinuxOptions.type = "spc_t"',
  'seLinuxOptions spec.securityContext.seLinuxOptions.user = "u"',
  'seccompProfile_baseline metadata.annotations["container.seccomp.security.alpha.kubernetes.io/a"] = "unconfined"',
  'seccompProfile_baseline metadata.annotations["seccomp.security.alpha.kubernetes.io/pod"] = "unconfined"',
  'seccompProfile_baseline spec.containers[0].securityContext.seccompProfile.type = "Unconfined" (a)',
  'seccompProfile_baseline spec.securityContext.seccompProfile.type = "Unconfined"',
  'seccompProfile_restricted spec.containers[0].securityContext.seccompProfile.type = "Unconfined" (a)',
  'seccompProfile_restricted spec.securityContext.seccompProfile.type = "Unconfined"',
  'sysctls spec.securityContext.sysctls[0].name = "kernel.msgmax"',
  'windowsHostProcess spec.containers[0].securityContext.windowsOptions.hostProcess = true (a)',
  'windowsHostProcess spec.securityContext.windowsOptions.hostProcess = true',
];

const VERSIONS = ['v1.0', 'v1.8', 'v1.18', 'v1.19', 'v1.25', 'v1.37'];

describe('the places of breaches', () => {
  it('are these', () => {
    const seen = new Set<string>();
    for (const version of VERSIONS)
      for (const level of ['baseline', 'restricted'] as const)
        for (const { id, violations } of evaluate(BAD, { level, version }).checks)
          for (const { path, value, container } of violations)
            seen.add(
              `${id} ${formatPath(path)} = ${JSON.stringify(value)}${container === undefined ? '' : ` (${container})`}`,
            );
    assert.deepEqual([...seen].sort(), PLACES);
  });

  it('hold the value that is said, and every breach has one', () => {
    const part = fc.subarray(Object.keys(BAD.spec.containers[0]!.securityContext));
    fc.assert(
      fc.property(
        part,
        fc.subarray(Object.keys(BAD.spec)),
        fc.constantFrom(...VERSIONS),
        (own, fields, version) => {
          const container = BAD.spec.containers[0]!;
          const kept = Object.fromEntries(
            Object.entries(container.securityContext).filter(([key]) => own.includes(key)),
          );
          const pod = {
            metadata: BAD.metadata,
            spec: {
              ...Object.fromEntries(Object.entries(BAD.spec).filter(([key]) => fields.includes(key))),
              containers: [
                { ...container, securityContext: kept },
                { name: 'b', image: 'b' },
              ],
            },
          };
          for (const { allowed, violations } of evaluate(pod, {
            level: 'restricted',
            version,
            defaults: 'none',
          }).checks) {
            assert.equal(violations.length > 0, !allowed);
            for (const { path, value } of violations) assert.deepEqual(valueAt(pod, path), value);
          }
        },
      ),
      { seed: 20261125, numRuns: 300 },
    );
  });
});
