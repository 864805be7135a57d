/** Controls on what a pod shares with its node: namespaces, paths, ports, host processes, probes of other hosts. */
import type { Path } from '#kube/objects.ts';
import type { Probe } from '#kube/pods.ts';
import {
  type Control,
  containersOf,
  joinQuoted,
  named,
  plural,
  setters,
  sortedSet,
  type Violation,
} from './check.ts';

/** Source: policy/check_hostNamespaces.go. */
export const hostNamespaces: Control = {
  id: 'hostNamespaces',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      breach({ spec }) {
        const fields = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(field => spec[field] === true);
        if (fields.length === 0) return undefined;
        return {
          reason: 'host namespaces',
          detail: fields.map(field => `${field}=true`).join(', '),
          violations: fields.map(field => ({ path: ['spec', field], value: true })),
        };
      },
    },
  ],
};

/** Source: policy/check_hostPathVolumes.go. */
export const hostPathVolumes: Control = {
  id: 'hostPathVolumes',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      breach({ spec }) {
        const names: string[] = [];
        const violations: Violation[] = [];
        (spec.volumes ?? []).forEach(({ name, hostPath }, i) => {
          if (hostPath === undefined) return;
          names.push(name ?? '');
          violations.push({ path: ['spec', 'volumes', i, 'hostPath'], value: hostPath });
        });
        if (names.length === 0) return undefined;
        return {
          reason: 'hostPath volumes',
          detail: `${plural('volume', 'volumes', names.length)} ${joinQuoted(names)}`,
          violations,
        };
      },
    },
  ],
};

/** Source: policy/check_hostPorts.go. */
export const hostPorts: Control = {
  id: 'hostPorts',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      breach(pod) {
        const names: string[] = [];
        const ports: string[] = [];
        const violations: Violation[] = [];
        for (const { container, path, name } of containersOf(pod)) {
          const before = ports.length;
          (container.ports ?? []).forEach(({ hostPort }, i) => {
            if (hostPort === undefined || hostPort === 0) return;
            ports.push(String(hostPort));
            violations.push({ path: [...path, 'ports', i, 'hostPort'], value: hostPort, container: name });
          });
          if (ports.length > before) names.push(name);
        }
        if (names.length === 0) return undefined;
        const numbers = sortedSet(ports);
        return {
          reason: 'hostPort',
          detail: `${named(names)} ${plural('uses', 'use', names.length)} ${plural('hostPort', 'hostPorts', numbers.length)} ${numbers.join(', ')}`,
          violations,
        };
      },
    },
  ],
};

/** Source: policy/check_windowsHostProcess.go. */
export const windowsHostProcess: Control = {
  id: 'windowsHostProcess',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      breach(pod) {
        const ofPod = pod.spec.securityContext?.windowsOptions?.hostProcess === true;
        const bad = containersOf(pod).filter(
          ({ container }) => container.securityContext?.windowsOptions?.hostProcess === true,
        );
        if (!ofPod && bad.length === 0) return undefined;
        const field: Path = ['securityContext', 'windowsOptions', 'hostProcess'];
        return {
          reason: 'hostProcess',
          detail: `${setters(
            ofPod,
            bad.map(({ name }) => name),
          )} must not set securityContext.windowsOptions.hostProcess=true`,
          violations: [
            ...(ofPod ? [{ path: ['spec', ...field], value: true }] : []),
            ...bad.map(({ path, name }) => ({ path: [...path, ...field], value: true, container: name })),
          ],
        };
      },
    },
  ],
};

const HANDLERS: readonly Path[] = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
];

/** Source: policy/check_hostProbesAndhostLifecycle.go. */
export const hostProbesAndHostLifecycle: Control = {
  id: 'hostProbesAndHostLifecycle',
  level: 'baseline',
  revisions: [
    {
      since: 34,
      breach(pod) {
        const names: string[] = [];
        const hosts: string[] = [];
        const violations: Violation[] = [];
        for (const { container, path, name } of containersOf(pod)) {
          const before = hosts.length;
          for (const at of HANDLERS) {
            const handler = (
              at.length === 1 ? container[at[0] as string] : container.lifecycle?.[at[1] as 'preStop']
            ) as Probe | undefined;
            for (const kind of ['httpGet', 'tcpSocket'] as const) {
              const host = handler?.[kind]?.host;
              if (host === undefined || host === '') continue;
              hosts.push(host);
              violations.push({ path: [...path, ...at, kind, 'host'], value: host, container: name });
            }
          }
          if (hosts.length > before) names.push(name);
        }
        if (hosts.length === 0) return undefined;
        const containers = sortedSet(names);
        const forbidden = sortedSet(hosts);
        return {
          reason: 'probe or lifecycle host',
          detail: `${named(containers)} ${plural('uses', 'use', containers.length)} ${plural('probe or lifecycle host', 'probe or lifecycle hosts', forbidden.length)} ${joinQuoted(forbidden)}`,
          violations,
        };
      },
    },
  ],
};
