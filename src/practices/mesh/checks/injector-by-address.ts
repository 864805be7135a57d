/**
 * Control planes that are reached without a name. Source: istio
 * pkg/config/analysis/analyzers/externalcontrolplane/externalcontrolplane.go (IST0163, IST0164).
 */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { parseAddress } from '#decide/network/addresses.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';

const NAMES = /^(?:istiod-default-validator$|istio-validator|istio-sidecar-injector)/;

/** What is wrong with the URL of a webhook. */
function problemOf(url: string): string | undefined {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?(?:\[([^\]]*)\]|([^:/?#]*))/i.exec(url);
  if (host === null) return 'is no URL';
  return parseAddress(host[1] ?? host[2]!) === undefined ? undefined : 'names an address, and no host';
}

export default defineCheck({
  practice: 'mesh',
  name: 'injector-by-address',
  title: 'Webhook of an external control plane has no host name',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The certificate of the control plane can hardly name an address, and when the address moves no pod gets its proxy.',
  remediation: 'Name the host of the control plane in clientConfig.url.',

  subject: 'object',
  kinds: [
    'admissionregistration.k8s.io/MutatingWebhookConfiguration',
    'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  ],
  evaluate({ object }) {
    if (!NAMES.test(object.metadata?.name ?? '')) return notApplicable('it is no webhook of Istio');
    return verdictOf(
      itemsOf(valueAt(object, ['webhooks'])).flatMap((webhook, index) => {
        const url = valueAt(webhook, ['clientConfig', 'url']);
        const path = ['webhooks', index, 'clientConfig'];
        if (typeof url === 'string') {
          const what = problemOf(url);
          return what === undefined ? [] : [{ what: `${url} ${what}`, path: [...path, 'url'] }];
        }
        return valueAt(webhook, ['clientConfig', 'service']) === undefined
          ? [{ what: 'neither a URL nor a service is stated', path }]
          : [];
      }),
    );
  },
  message: texts => texts.join('; '),
  examples: {
    bad: [
      `
      apiVersion: admissionregistration.k8s.io/v1
      kind: MutatingWebhookConfiguration
      metadata: { name: istio-sidecar-injector-external }
      webhooks: [{ name: rev.namespace.sidecar-injector.istio.io, clientConfig: { url: "https://203.0.113.7:15017/inject" } }]
      `,
    ],
    good: [
      `
      apiVersion: admissionregistration.k8s.io/v1
      kind: MutatingWebhookConfiguration
      metadata: { name: istio-sidecar-injector-external }
      webhooks: [{ name: rev.namespace.sidecar-injector.istio.io, clientConfig: { url: "https://istiod.example.com:15017/inject" } }]
      `,
    ],
  },
});
