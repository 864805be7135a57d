/** Peers that say nothing beside one that says all. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, type Path, valueAt } from '#kube/objects.ts';
import { itemsOf, rulesOf } from '../facts.ts';

const empty = (selector: unknown): boolean =>
  isRecord(selector) &&
  Object.values(selector).every(part => part === null || Object.keys(part as object).length === 0);

function isEverybody(peer: unknown): boolean {
  const pods = valueAt(peer, ['podSelector']);
  return empty(valueAt(peer, ['namespaceSelector'])) && (pods === undefined || pods === null || empty(pods));
}

export default defineCheck({
  practice: 'mesh',
  name: 'peer-beside-everybody',
  title: 'Peer beside another one that is every pod',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K07'), mitre('T1046')],
  why: 'Peers are joined by OR: where one is every pod of every namespace, those beside it restrict nothing.',
  remediation: 'Put both selectors into one peer: remove the second dash.',

  subject: 'object',
  kinds: ['networking.k8s.io/NetworkPolicy'],
  evaluate({ object }) {
    const found: Path[] = [];
    for (const [direction, field] of [
      ['ingress', 'from'],
      ['egress', 'to'],
    ] as const)
      for (const { rule, path } of rulesOf(object, direction)) {
        const peers = itemsOf(valueAt(rule, [field]));
        const everybody = peers.findIndex(isEverybody);
        // Addresses are another matter: every pod, and some hosts outside, is a list that makes sense.
        const narrowed = peers.some(peer => !isEverybody(peer) && valueAt(peer, ['ipBlock']) === undefined);
        if (everybody >= 0 && narrowed) found.push([...path, field, everybody]);
      }
    return found.length === 0 ? pass : fail({}, ...found);
  },
  message: () => 'one peer is every pod of every namespace: those beside it restrict nothing',
  examples: {
    bad: [
      `
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: { name: db, namespace: shop }
      spec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], ingress: [{ from: [{ namespaceSelector: {} }, { podSelector: { matchLabels: { app: web } } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: { name: db, namespace: shop }
      spec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: web } } }] }] }
      `,
      `
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: { name: db, namespace: shop }
      spec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }] }] }
      `,
    ],
  },
});
