/** Labels that do not mean what they were meant to. */
import { defineCheck } from '#check/check.ts';
import { cis, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { policyOf } from '#decide/pod-security/admission.ts';
import { metadataOf } from '#world/world.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const KNOWN = new Set(
  ['enforce', 'audit', 'warn'].flatMap(mode => [PREFIX + mode, `${PREFIX}${mode}-version`]),
);

function meaningOf(label: string): string {
  if (label.endsWith('-version')) return 'latest';
  return label.endsWith('/enforce') ? 'restricted' : 'privileged';
}

export default defineCheck({
  practice: 'pod-security',
  name: 'namespace-label-invalid',
  title: 'Pod Security label that is misspelt',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.1'), owasp('K04')],
  why: 'The API server does not complain about labels that it does not know, and a value that it does not know means something else: a wrong level to enforce is restricted, a wrong version latest, a wrong level to warn or audit nothing at all. It refuses to create such a namespace.',
  remediation:
    'Correct the label: the levels are privileged, baseline and restricted; versions are latest or v1.N.',

  subject: 'object',
  kinds: ['/Namespace'],
  evaluate({ object }) {
    const { labels } = metadataOf(object.metadata);
    const wrong = policyOf(labels).errors.map(({ label, value, problem }) => ({
      label,
      says: `"${value}" ${problem}, and means ${meaningOf(label)}`,
    }));
    const unknownKeys = Object.keys(labels ?? {}).flatMap(label => {
      if (!label.startsWith(PREFIX) || KNOWN.has(label)) return [];
      return [{ label, says: `no such label: it does nothing` }];
    });
    const all = [...wrong, ...unknownKeys];
    return all.length === 0 ? pass : fail(all, ...all.map(({ label }) => ['metadata', 'labels', label]));
  },
  message: all => all.map(({ label, says }) => `${label}: ${says}`).join('; '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
        labels:
          pod-security.kubernetes.io/enforce: restrictd
      `,
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
        labels:
          pod-security.kubernetes.io/enforced: restricted
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
        labels:
          pod-security.kubernetes.io/enforce: restricted
          pod-security.kubernetes.io/enforce-version: latest
      `,
    ],
  },
});
