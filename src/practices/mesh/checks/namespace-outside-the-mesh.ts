/** Namespaces that were left out. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { rootNamespace } from '../facts.ts';

/** Namespaces of the cluster and of control planes, which are outside with reason. */
const SYSTEM =
  /^(?:kube-.*|istio-system|istio-cni|linkerd.*|local-path-storage|cert-manager|gatekeeper-system|kyverno)$/;

/** Whether pods of the namespace get a proxy, as far as its labels and annotations say. */
function isInMesh(namespace: KubeObject): boolean {
  const label = (key: string): unknown => valueAt(namespace, ['metadata', 'labels', key]);
  const linkerd = valueAt(namespace, ['metadata', 'annotations', 'linkerd.io/inject']);
  const injection = label('istio-injection');
  return (
    injection === 'enabled' ||
    (injection === undefined && typeof label('istio.io/rev') === 'string') ||
    label('istio.io/dataplane-mode') === 'ambient' ||
    linkerd === 'enabled' ||
    linkerd === 'ingress'
  );
}

const isUsed = (world: World): boolean => world.ofKind('/Namespace').some(({ object }) => isInMesh(object));

export default defineCheck({
  practice: 'mesh',
  name: 'namespace-outside-the-mesh',
  title: 'Namespace is not in the mesh, though others are',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07')],
  why: 'Its pods talk in plain text and without identity; policies of the mesh do not hold for them.',
  remediation: 'Label it for injection or ambient mode, or say why it has to be outside.',

  subject: 'object',
  kinds: ['/Namespace'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (!world.fact(isUsed)) return notApplicable('no namespace of the input is in a mesh');
    const name = object.metadata?.name ?? '';
    if (SYSTEM.test(name) || name === rootNamespace(world)) return notApplicable('it is one of the system');
    return isInMesh(object) ? pass : fail({}, ['metadata', 'name']);
  },
  message: () => 'nothing puts its pods into the mesh',
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: payments, labels: { istio-injection: disabled } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: payments, labels: { istio.io/dataplane-mode: ambient } }
      `,
    ],
  },
});
