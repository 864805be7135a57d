/** Standards of long ago. */
import { defineCheck } from '#check/check.ts';
import { cis } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { tryVersion } from '#decide/pod-security/evaluate.ts';
import { metadataOf } from '#world/world.ts';

/** Kubernetes looks after three minor releases; a fourth is given for the upgrade. */
const SUPPORTED = 4;

export default defineCheck({
  practice: 'pod-security',
  name: 'namespace-version-pinned',
  title: 'Pod Security version pinned to an old release',
  severity: 'low',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.1')],
  why: 'The controls that came since are not asked: a pinned version was meant to bridge an upgrade.',
  remediation:
    'Pin the version of the cluster, or latest. sallyport pod-security levels shows what would change.',

  subject: 'object',
  kinds: ['/Namespace'],
  looksAt: [],
  evaluate({ object }, { world }) {
    const { labels } = metadataOf(object.metadata);
    const old = ['enforce', 'audit', 'warn'].flatMap(mode => {
      const label = `pod-security.kubernetes.io/${mode}-version`;
      const version = labels?.[label];
      const minor = version === undefined || version === 'latest' ? undefined : tryVersion(version);
      return minor !== undefined && minor <= world.kubernetesMinor - SUPPORTED
        ? [{ label, version: version! }]
        : [];
    });
    return old.length === 0 ? pass : fail(old, ...old.map(({ label }) => ['metadata', 'labels', label]));
  },
  message: old =>
    old.map(({ label, version }) => `${label} is ${version}, a release without support`).join(', '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
        labels:
          pod-security.kubernetes.io/enforce: baseline
          pod-security.kubernetes.io/enforce-version: v1.24
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
        labels:
          pod-security.kubernetes.io/enforce: baseline
          pod-security.kubernetes.io/enforce-version: latest
      `,
    ],
  },
});
