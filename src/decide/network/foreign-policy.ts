/**
 * Policies of network plugins that are recognised and not evaluated: Cilium, Calico, Antrea, OVN-Kubernetes, AWS. Of the
 * pods that one may select nothing is certain in the directions that it speaks of.
 */
import { groupOf, isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { itemsOf, namespaceOf } from './inventory.ts';
import { compileSelector, MAYBE, type Selector, SelectorError } from './labels.ts';
import { type Direction, type PodsPeer, type Policy, uncertainPolicy } from './policy.ts';

interface Kind {
  readonly plugin: string;
  readonly clusterWide: boolean;
  /** The specifications of one object, each a policy of its own. */
  readonly specs: readonly Path[];
  readonly selector: Path;
  readonly directions: (spec: unknown) => readonly Direction[];
}

const SPEC: readonly Path[] = [['spec']];
const BOTH: readonly Direction[] = ['ingress', 'egress'];

const cilium = (clusterWide: boolean): Kind => ({
  plugin: 'Cilium',
  clusterWide,
  specs: [['spec'], ['specs']],
  selector: ['endpointSelector'],
  directions: spec =>
    BOTH.filter(direction =>
      [direction, `${direction}Deny`].some(field => valueAt(spec, [field]) !== undefined),
    ),
});
const calico = (clusterWide: boolean): Kind => ({
  plugin: 'Calico',
  clusterWide,
  specs: SPEC,
  selector: ['selector'],
  directions: typed,
});
const antrea = (clusterWide: boolean): Kind => ({
  plugin: 'Antrea',
  clusterWide,
  specs: SPEC,
  selector: [],
  directions: ruled,
});

const KINDS: Readonly<Record<string, Kind>> = {
  'cilium.io/CiliumNetworkPolicy': cilium(false),
  'cilium.io/CiliumClusterwideNetworkPolicy': cilium(true),
  'projectcalico.org/NetworkPolicy': calico(false),
  'projectcalico.org/GlobalNetworkPolicy': calico(true),
  'crd.projectcalico.org/NetworkPolicy': calico(false),
  'crd.projectcalico.org/GlobalNetworkPolicy': calico(true),
  'crd.antrea.io/NetworkPolicy': antrea(false),
  'crd.antrea.io/ClusterNetworkPolicy': antrea(true),
  'k8s.ovn.org/EgressFirewall': {
    plugin: 'OVN-Kubernetes',
    clusterWide: false,
    specs: SPEC,
    selector: [],
    directions: () => ['egress'],
  },
  'networking.k8s.aws/ApplicationNetworkPolicy': {
    plugin: 'AWS',
    clusterWide: false,
    specs: SPEC,
    selector: ['podSelector'],
    directions: typed,
  },
};

/** The policies of an object that a network plugin of its own reads; none for any other object. */
export function compileForeignPolicies(object: KubeObject): Policy[] {
  const key = `${groupOf(object.apiVersion)}/${object.kind}`;
  const kind = Object.hasOwn(KINDS, key) ? KINDS[key] : undefined;
  if (kind === undefined) return [];
  return kind.specs
    .flatMap(path => specsAt(object, path))
    .flatMap(([spec, path]) => {
      if (isRecord(spec) && spec['nodeSelector'] !== undefined) return [];
      const text = `policies of ${kind.plugin} are recognised, not evaluated`;
      return [
        uncertainPolicy(
          object,
          'foreign',
          subjectOf(object, spec, kind),
          { path, text },
          kind.directions(spec),
        ),
      ];
    });
}

function specsAt(object: KubeObject, path: Path): [unknown, Path][] {
  const value = valueAt(object, path);
  if (Array.isArray(value)) return value.map((spec, index) => [spec, [...path, index]]);
  return value === undefined ? [] : [[value, path]];
}

function subjectOf(object: KubeObject, spec: unknown, kind: Kind): PodsPeer {
  const pods = kind.selector.length === 0 ? undefined : plainSelector(valueAt(spec, kind.selector));
  return {
    is: 'pods',
    ...(kind.clusterWide ? { namespaces: [] } : { namespace: namespaceOf(object) }),
    ...(pods === undefined ? {} : { pods }),
    hostNetwork: MAYBE,
  };
}

/** A selector of labels and nothing else; undefined where it says more, so that it may select anything. */
function plainSelector(value: unknown): Selector | undefined {
  if (!isRecord(value)) return undefined;
  try {
    const selector = compileSelector(value);
    return selector.some(({ key }) => /[:]|^io\.kubernetes\.pod\.|^io\.cilium\./.test(key))
      ? undefined
      : selector;
  } catch (error) {
    // Cilium writes the source of a label before its key (`k8s:app`), which is no label key.
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

/** By `types`, and both where it is left out: what the defaults are depends on the rules. */
function typed(spec: unknown): readonly Direction[] {
  const types = itemsOf(valueAt(spec, ['types']) ?? valueAt(spec, ['policyTypes']));
  const named = BOTH.filter(direction =>
    types.some(type => typeof type === 'string' && type.toLowerCase() === direction),
  );
  return named.length === 0 ? BOTH : named;
}

function ruled(spec: unknown): readonly Direction[] {
  const named = BOTH.filter(direction => itemsOf(valueAt(spec, [direction])).length > 0);
  return named.length === 0 ? BOTH : named;
}
