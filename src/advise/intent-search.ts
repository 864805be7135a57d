/** What the search for declared connections finds, and what its parts have in common. */
import type { PodEndpoint } from '#decide/network/inventory.ts';
import type { Services, Target } from '#decide/network/services.ts';
import type { Because, KubeObject } from '#kube/objects.ts';
import type { DescribedPods, Need, NeedSide } from './network-needs.ts';
import type { Workloads } from './network-workloads.ts';

export interface Intent {
  readonly need: Need;
  /** Where it was read, in words. */
  readonly why: string;
  /** What every workload needs anyway: not worth a line each. */
  readonly usual?: boolean;
}

export interface IntentOptions {
  /** Only what workloads of these namespaces send or take. */
  readonly namespaces?: readonly string[];
  /** The proxies in front, where the input does not hold them. */
  readonly ingress?: readonly DescribedPods[];
  /** Who scrapes metrics, where the input does not hold it. */
  readonly scrapers?: readonly DescribedPods[];
  /** The addresses that the API server connects from and is reached at. */
  readonly apiServers?: readonly string[];
}

/** Something that manifests name and that no need was made of. */
export interface Open extends Because {
  /** Left out: a way in, or a way out (which meshes do not restrict); or something worth knowing. */
  readonly is: 'way-in' | 'way-out' | 'remark';
}

export interface Declared {
  readonly intents: readonly Intent[];
  /** What the manifests name and the input does not hold, and what could not be told. */
  readonly open: readonly Open[];
}

/** What the parts of the search have in common. */
export interface Search {
  readonly objects: readonly KubeObject[];
  readonly services: Services;
  readonly workloads: Workloads;
  /** The endpoints that no other workload of the input makes. */
  readonly endpoints: readonly PodEndpoint[];
  readonly options: IntentOptions;
  /** The need of what a Service leads to. */
  need(from: NeedSide, target: Target): Need;
  add(need: Need, why: string, usual?: boolean): void;
  tell(open: Open): void;
}
