/**
 * Injectors that take the same pods, or that nobody answers. Source: istio
 * pkg/config/analysis/analyzers/webhook/webhook.go (IST0139): the labels that decide about injection are tried in all
 * combinations, those of every revision too.
 */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, type Labels, matchesSelector } from '#kube/selectors.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { itemsOf } from '../facts.ts';
import { isWhole, WHOLE_CLUSTER } from '../istio.ts';

const KIND = 'admissionregistration.k8s.io/MutatingWebhookConfiguration';
const REVISION = 'istio.io/rev';
/** Of more revisions the combinations are too many to try. */
const MOST = 50;

interface Webhook {
  readonly object: KubeObject;
  readonly path: Path;
  readonly name: string;
  readonly selectors: readonly unknown[];
}

const SELECTORS = ['namespaceSelector', 'objectSelector'];

function* revisionsOf(object: KubeObject): Generator<string> {
  const own = valueAt(object, ['metadata', 'labels', REVISION]);
  if (typeof own === 'string') yield own;
  for (const webhook of itemsOf(valueAt(object, ['webhooks'])))
    for (const field of SELECTORS) {
      const label = valueAt(webhook, [field, 'matchLabels', REVISION]);
      if (typeof label === 'string') yield label;
      for (const one of itemsOf(valueAt(webhook, [field, 'matchExpressions'])))
        if (valueAt(one, ['key']) === REVISION)
          for (const value of itemsOf(valueAt(one, ['values']))) if (typeof value === 'string') yield value;
    }
}

function isInjector(object: KubeObject): boolean {
  return (
    !revisionsOf(object).next().done ||
    itemsOf(valueAt(object, ['webhooks'])).some(one => String(valueAt(one, ['name'])).endsWith('istio.io'))
  );
}

function combinations(key: string, values: readonly string[], revisions: readonly string[]): Labels[] {
  const base: Labels[] = [{}, ...values.map(value => ({ [key]: value }))];
  return [
    ...base,
    ...revisions.flatMap(revision => base.map(labels => ({ ...labels, [REVISION]: revision }))),
  ];
}

function takes(selector: unknown, labels: Labels): boolean {
  if (selector === undefined || selector === null) return true;
  return invalidSelector(selector) === undefined && matchesSelector(selector as LabelSelector, labels);
}

/** For each webhook, another that takes a pod which it takes too. */
const overlaps = (world: World): ReadonlyMap<string, string> => {
  const injectors = world
    .ofKind(KIND)
    .map(({ object }) => object)
    .filter(isInjector);
  const webhooks: Webhook[] = injectors.flatMap(object =>
    itemsOf(valueAt(object, ['webhooks'])).map((one, index) => ({
      object,
      path: ['webhooks', index],
      name: `${object.metadata?.name ?? ''}/${String(valueAt(one, ['name']))}`,
      selectors: SELECTORS.map(field => valueAt(one, [field])),
    })),
  );
  const found = new Map<string, string>();
  if (webhooks.length < 2) return found;
  const revisions = [...new Set(injectors.flatMap(object => [...revisionsOf(object)]))].slice(0, MOST);
  const namespaces = combinations('istio-injection', ['enabled', 'disabled'], revisions);
  const pods = combinations('sidecar.istio.io/inject', ['true', 'false'], revisions);
  for (const namespace of namespaces) {
    const here = webhooks.filter(one => takes(one.selectors[0], namespace));
    if (here.length < 2) continue;
    for (const pod of pods) {
      const both = here.filter(one => takes(one.selectors[1], pod));
      for (const one of both) {
        const other = both.find(two => two.name !== one.name);
        if (other !== undefined && !found.has(one.name)) found.set(one.name, other.name);
      }
    }
  }
  return found;
};

export default defineCheck({
  practice: 'mesh',
  name: 'injectors-overlap',
  title: 'Injector of the mesh overlaps with another, or has no service',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'A pod that two injectors take gets two proxies or that of the wrong revision; one whose service is not there stops pods from being made, or lets them start without a proxy.',
  remediation: 'Tell the selectors apart by revision, and remove the configuration of the old control plane.',
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: [KIND],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    if (!isInjector(object)) return notApplicable('it is no injector of Istio');
    const texts: string[] = [];
    const at: Path[] = [];
    for (const [index, one] of itemsOf(valueAt(object, ['webhooks'])).entries()) {
      const other = world
        .fact(overlaps)
        .get(`${object.metadata?.name ?? ''}/${String(valueAt(one, ['name']))}`);
      if (other !== undefined) {
        texts.push(`${other} takes the same pods`);
        at.push(['webhooks', index, 'namespaceSelector']);
      }
      const service = valueAt(one, ['clientConfig', 'service']);
      if (service === undefined) continue;
      const [namespace, name] = ['namespace', 'name'].map(field => String(valueAt(service, [field])));
      // A Service of the namespace shows that those of the control plane are in the input.
      const known =
        isWhole(options) ||
        world.ofKind('/Service').some(({ object: had }) => namespaceOf(had) === namespace);
      if (known && world.find('/Service', namespace, name!) === undefined) {
        texts.push(`its service ${namespace}/${name} does not exist`);
        at.push(['webhooks', index, 'clientConfig', 'service']);
      }
    }
    return texts.length === 0 ? pass : fail(texts, ...at);
  },
  message: texts => {
    const said = [...new Set(texts)];
    return `${said.slice(0, 2).join('; ')}${said.length > 2 ? `; and ${said.length - 2} more` : ''}`;
  },
  examples: {
    bad: [
      `
      apiVersion: admissionregistration.k8s.io/v1
      kind: MutatingWebhookConfiguration
      metadata: { name: istio-sidecar-injector }
      webhooks:
      - { name: namespace.sidecar-injector.istio.io, clientConfig: { service: { name: istiod, namespace: istio-system } }, namespaceSelector: { matchLabels: { istio-injection: enabled } } }
      - { name: object.sidecar-injector.istio.io, clientConfig: { service: { name: istiod, namespace: istio-system } }, objectSelector: { matchLabels: { sidecar.istio.io/inject: "true" } } }
      `,
    ],
    good: [
      `
      apiVersion: admissionregistration.k8s.io/v1
      kind: MutatingWebhookConfiguration
      metadata: { name: istio-sidecar-injector }
      webhooks:
      - { name: namespace.sidecar-injector.istio.io, clientConfig: { service: { name: istiod, namespace: istio-system } }, namespaceSelector: { matchLabels: { istio-injection: enabled } } }
      - { name: object.sidecar-injector.istio.io, clientConfig: { service: { name: istiod, namespace: istio-system } }, namespaceSelector: { matchExpressions: [{ key: istio-injection, operator: DoesNotExist }] }, objectSelector: { matchLabels: { sidecar.istio.io/inject: "true" } } }
      `,
    ],
  },
});
