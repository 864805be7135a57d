/** The mesh of a cluster: who is let in, as which identity, encrypted or not. The door's `createMesh`. */
import { labelsOf } from '#decide/network/labels.ts';
import type { KubeObject } from '#kube/objects.ts';
import { readDocuments } from '#yaml/read.ts';
import { type Authorization, Authorizer, type MeshRequest, type PortProtocol } from './authorize.ts';
import { type MeshConfig, type MeshSettings, meshSettings } from './mesh-config.ts';
import { PeerAuthentications } from './peer-authentication.ts';
import { type AuthorizationPolicy, readPolicies } from './policies.ts';

export interface MeshOptions {
  /** Istio's configuration; left out: that of the input (ConfigMap `istio`), else Istio's defaults. */
  readonly meshConfig?: MeshConfig;
  /** Where policies hold for all namespaces; `istio-system` where neither this nor the configuration says. */
  readonly rootNamespace?: string;
  /** The proxy's version, for example `1.40.0`. */
  readonly envoy?: string;
}

export type Dataplane = 'sidecar' | 'ambient' | 'none';

/** A workload of the input, or one that is described. */
export type MeshWorkload =
  | string
  | {
      readonly namespace: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly podIP?: string;
      /** What a Service exposes; on any other port the protocol is sniffed. */
      readonly ports?: readonly { readonly port: number; readonly protocol: PortProtocol }[];
      /** `sidecar` where left out. */
      readonly dataplane?: Dataplane;
    };

export interface Mesh {
  /** Whether the proxy of a workload lets a request in. */
  authorize(query: { readonly workload: MeshWorkload; readonly request: MeshRequest }): Authorization;
  /** What was taken for granted because the input does not say it. */
  readonly assumptions: readonly string[];
}

/** A query that cannot be answered: it names what does not exist. */
export class MeshQueryError extends Error {
  override readonly name = 'MeshQueryError';
}

/** The mesh that objects describe. Objects of other kinds are ignored. */
export function createMesh(objects: readonly KubeObject[], options: MeshOptions = {}): Mesh {
  return new ClusterMesh(objects, options);
}

class ClusterMesh implements Mesh {
  readonly #settings: MeshSettings;
  readonly #authorizer: Authorizer;

  constructor(objects: readonly KubeObject[], options: MeshOptions) {
    this.#settings = meshSettings(objects, options.meshConfig, options.rootNamespace, parseYaml);
    const policies: readonly AuthorizationPolicy[] = readPolicies(objects);
    const peers = new PeerAuthentications(objects, this.#settings.rootNamespace);
    this.#authorizer = new Authorizer(objects, this.#settings, policies, peers, options.envoy);
  }

  get assumptions(): readonly string[] {
    return this.#settings.assumptions;
  }

  authorize(query: { readonly workload: MeshWorkload; readonly request: MeshRequest }): Authorization {
    const { workload, request } = query;
    if (typeof workload === 'string') throw new MeshQueryError(`there is no workload ${workload}`);
    const { dataplane = 'sidecar', ports, namespace, podIP } = workload;
    if (dataplane === 'none') return outside();
    const port = ports?.find(one => one.port === request.port);
    return this.#authorizer.authorize(
      {
        proxy: { namespace, labels: labelsOf(workload.labels) },
        ambient: dataplane === 'ambient',
        protocols: [port?.protocol ?? 'AUTO'],
        podIP,
      },
      request,
    );
  }
}

function outside(): Authorization {
  return {
    allowed: true,
    outcome: 'allowed',
    because: [{ text: 'the workload has no proxy: nothing of the mesh restricts it' }],
  };
}

function parseYaml(text: string): unknown {
  const [document] = readDocuments(text);
  return document?.is === 'value' ? document.value : undefined;
}
