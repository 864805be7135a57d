/**
 * What API defaulting adds to a pod before admission, as far as a control of the standards asks for it.
 * Source: kubernetes pkg/apis/core/v1/defaults.go (SetDefaults_PodSpec, SetDefaults_Volume).
 */
import type { Container, Pod, Volume } from '#kube/pods.ts';

/** The pod as the API server stores it: host ports of host-network pods, and volumes without a source, filled in. */
export function withDefaults(pod: Pod): Pod {
  const { spec } = pod;
  const hostPorts = spec.hostNetwork === true;
  const bare = spec.volumes?.some(isBare) === true;
  if (!hostPorts && !bare) return pod;
  return {
    ...pod,
    spec: {
      ...spec,
      ...(bare
        ? { volumes: spec.volumes!.map(volume => (isBare(volume) ? { ...volume, emptyDir: {} } : volume)) }
        : {}),
      ...(hostPorts && spec.containers !== undefined
        ? { containers: spec.containers.map(withHostPorts) }
        : {}),
      ...(hostPorts && spec.initContainers !== undefined
        ? { initContainers: spec.initContainers.map(withHostPorts) }
        : {}),
    },
  };
}

function isBare(volume: Volume): boolean {
  for (const field in volume) if (field !== 'name') return false;
  return true;
}

function withHostPorts(container: Container): Container {
  if (container.ports === undefined) return container;
  return {
    ...container,
    ports: container.ports.map(port =>
      port.hostPort === undefined || port.hostPort === 0
        ? { ...port, hostPort: port.containerPort ?? 0 }
        : port,
    ),
  };
}
