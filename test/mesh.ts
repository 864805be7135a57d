/** Small meshes for tests: namespaces, workloads with a Service each, and the objects of Istio and Linkerd. */
import type { KubeObject } from '#kube/objects.ts';

type Text = Readonly<Record<string, string>>;

export function namespace(name: string, labels: Text = {}, annotations: Text = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } };
}

/** A Deployment and the Service in front of its port 8080 (named `http`), as port 80. */
export function app(
  name: string,
  ns: string,
  {
    labels = {},
    annotations = {},
    account = name,
    spec = {},
    service = {},
  }: {
    labels?: Text;
    annotations?: Text;
    account?: string;
    spec?: object;
    service?: object;
  } = {},
): KubeObject[] {
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: ns },
      spec: {
        template: {
          metadata: { labels: { app: name, ...labels }, annotations },
          spec: {
            serviceAccountName: account,
            containers: [{ name: 'app', image: 'app:1', ports: [{ name: 'web', containerPort: 8080 }] }],
            ...spec,
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: ns },
      spec: {
        selector: { app: name },
        ports: [{ name: 'http', port: 80, targetPort: 'web' }],
        ...service,
      },
    },
  ];
}

export function istio(
  kind: string,
  name: string,
  ns: string,
  spec: object,
  metadata: object = {},
): KubeObject {
  const group = /^(?:DestinationRule|Sidecar|ServiceEntry|VirtualService|Gateway)$/.test(kind)
    ? 'networking.istio.io'
    : 'security.istio.io';
  return { apiVersion: `${group}/v1`, kind, metadata: { name, namespace: ns, ...metadata }, spec };
}

export function linkerd(kind: string, name: string, ns: string, spec: object, labels: Text = {}): KubeObject {
  return { apiVersion: 'policy.linkerd.io/v1beta3', kind, metadata: { name, namespace: ns, labels }, spec };
}

export const deployment = (name: string, ns: string): { workload: string } => ({
  workload: `${ns}/Deployment/${name}`,
});
