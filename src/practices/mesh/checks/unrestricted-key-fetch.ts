/**
 * Requests that istiod makes on behalf of whoever writes a RequestAuthentication. Source: istio
 * pkg/config/analysis/analyzers/authn/blockedcidrs.go (IST0175).
 */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';
import { named } from '../istio.ts';

const VARIABLE = 'BLOCKED_CIDRS_IN_JWKS_URIS';

export default defineCheck({
  practice: 'mesh',
  name: 'unrestricted-key-fetch',
  title: 'istiod fetches keys from any address',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [mitre('T1552.005')],
  why: 'Whoever may write a RequestAuthentication makes the control plane send requests to addresses inside, such as the metadata of the cloud.',
  remediation: `Set the variable ${VARIABLE} of istiod to the ranges that hold no keys: 169.254.0.0/16, loopback and private ones.`,

  subject: 'object',
  kinds: ['apps/Deployment'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (valueAt(object, ['metadata', 'labels', 'app']) !== 'istiod') return notApplicable('it is no istiod');
    const fetching = world
      .ofKind('security.istio.io/RequestAuthentication')
      .filter(({ object: one }) =>
        itemsOf(valueAt(one, ['spec', 'jwtRules'])).some(rule => valueAt(rule, ['jwks']) === undefined),
      );
    if (fetching.length === 0) return notApplicable('no keys are fetched');
    const path = ['spec', 'template', 'spec', 'containers'];
    const isSet = itemsOf(valueAt(object, path))
      .flatMap(container => itemsOf(valueAt(container, ['env'])))
      .some(
        one =>
          valueAt(one, ['name']) === VARIABLE && (valueAt(one, ['value']) ?? valueAt(one, ['valueFrom'])),
      );
    return isSet ? pass : fail([...new Set(fetching.map(({ object: one }) => named(one)))], path);
  },
  message: names => `${VARIABLE} is not set, and keys are fetched for ${names.slice(0, 3).join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: istiod, namespace: istio-system, labels: { app: istiod } }
      spec: { selector: { matchLabels: { app: istiod } }, template: { metadata: { labels: { app: istiod } }, spec: { containers: [{ name: discovery, image: "pilot:1.30.0" }] } } }
      ---
      apiVersion: security.istio.io/v1
      kind: RequestAuthentication
      metadata: { name: web, namespace: shop }
      spec: { jwtRules: [{ issuer: "https://id.example.com", jwksUri: "https://id.example.com/keys" }] }
      `,
    ],
    good: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: istiod, namespace: istio-system, labels: { app: istiod } }
      spec: { selector: { matchLabels: { app: istiod } }, template: { metadata: { labels: { app: istiod } }, spec: { containers: [{ name: discovery, image: "pilot:1.30.0", env: [{ name: BLOCKED_CIDRS_IN_JWKS_URIS, value: "169.254.0.0/16" }] }] } } }
      ---
      apiVersion: security.istio.io/v1
      kind: RequestAuthentication
      metadata: { name: web, namespace: shop }
      spec: { jwtRules: [{ issuer: "https://id.example.com", jwksUri: "https://id.example.com/keys" }] }
      `,
    ],
  },
});
