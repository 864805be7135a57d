/** Projected tokens that live too long. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import type { Path } from '#kube/objects.ts';

const DAY = 86_400;

export default defineCheck({
  practice: 'authorization',
  name: 'projected-token',
  title: 'Projected service account token lives long',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [nsa('service account tokens'), mitre('T1528')],
  why: 'A token that is stolen works until it expires, and with an audience of its own it works against a system outside the cluster, which cannot know that the pod is gone.',
  remediation: 'Ask for an hour (3600 seconds) or less; the kubelet renews the token in time.',

  subject: 'pod',
  evaluate({ spec: { volumes } }) {
    const found = (volumes ?? []).flatMap(({ name, projected }, i) =>
      (projected?.sources ?? []).flatMap(({ serviceAccountToken: token }, j) => {
        const seconds = Number(token?.expirationSeconds ?? 3600);
        if (token === undefined || seconds <= DAY) return [];
        const at: Path = [
          'spec',
          'volumes',
          i,
          'projected',
          'sources',
          j,
          'serviceAccountToken',
          'expirationSeconds',
        ];
        return [{ name: name ?? '', seconds, audience: token.audience, at }];
      }),
    );
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  message: found =>
    found
      .map(
        ({ name, seconds, audience }) =>
          `the token in volume "${name}" lives ${Math.round(seconds / 3600)} hours${audience === undefined ? '' : ` (for ${audience})`}`,
      )
      .join(', '),
  fix: {
    title: 'Let tokens expire within the hour',
    kind: 'review',
    changes: found => found.map(({ at }) => ({ op: 'set', path: at, value: 3600 })),
  },
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
        volumes: [{ name: token, projected: { sources: [{ serviceAccountToken: { path: token, expirationSeconds: 604800, audience: vault } }] } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
        volumes: [{ name: token, projected: { sources: [{ serviceAccountToken: { path: token, expirationSeconds: 3600 } }] } }]
      `,
    ],
  },
});
