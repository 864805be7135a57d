/** Proxies that take plain text. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, type Path, valueAt } from '#kube/objects.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'mtls-not-strict',
  title: 'Mutual TLS is not required',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K07'), mitre('T1557'), nsa('encryption')],
  why: 'Plain text is taken too: it can be read on the way, and whoever sends it has no identity, so that rules which deny by identity do not hold.',
  remediation: 'Set STRICT, when sallyport mesh connections shows no plain text caller any more.',

  subject: 'object',
  kinds: ['security.istio.io/PeerAuthentication'],
  evaluate({ object }) {
    const found: { mode: string; path: Path }[] = [];
    const look = (path: Path): void => {
      const mode = valueAt(object, path);
      if (mode === 'PERMISSIVE' || mode === 'DISABLE') found.push({ mode, path });
    };
    look(['spec', 'mtls', 'mode']);
    const ports = valueAt(object, ['spec', 'portLevelMtls']);
    if (isRecord(ports)) for (const port of Object.keys(ports)) look(['spec', 'portLevelMtls', port, 'mode']);
    return found.length === 0
      ? pass
      : fail(
          found.map(({ mode }) => mode),
          ...found.map(({ path }) => path),
        );
  },
  severityOf: modes => (modes.includes('DISABLE') ? 'high' : 'medium'),
  message: modes => `mode is ${[...new Set(modes)].join(' and ')}`,
  fix: {
    title: 'Require mutual TLS',
    kind: 'review',
    changes: (_, at) => at.map(path => ({ op: 'set', path, value: 'STRICT' })),
  },
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { mtls: { mode: PERMISSIVE } }
      `,
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, mtls: { mode: STRICT }, portLevelMtls: { 8080: { mode: DISABLE } } }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { mtls: { mode: STRICT } }
      `,
    ],
  },
});
