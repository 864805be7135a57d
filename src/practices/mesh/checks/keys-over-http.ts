/** Keys of tokens that travel in plain text. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'keys-over-http',
  title: 'Keys that verify tokens are fetched in plain text',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), mitre('T1557')],
  why: 'Whoever stands on the way puts in a key of their own, and makes tokens for anybody.',
  remediation: 'Fetch the keys with https, or put them into jwks.',

  subject: 'object',
  kinds: ['security.istio.io/RequestAuthentication'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, rule] of itemsOf(valueAt(object, ['spec', 'jwtRules'])).entries())
      if (/^http:/i.test(String(valueAt(rule, ['jwksUri']) ?? '')))
        found.push({ name: String(valueAt(rule, ['issuer'])), path: ['spec', 'jwtRules', index] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: issuers => `the keys of ${issuers.join(', ')} are fetched with http`,
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: RequestAuthentication
      metadata: { name: web, namespace: shop }
      spec: { jwtRules: [{ issuer: "https://id.example.com", jwksUri: "http://id.example.com/keys" }] }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: RequestAuthentication
      metadata: { name: web, namespace: shop }
      spec: { jwtRules: [{ issuer: "https://id.example.com", jwksUri: "https://id.example.com/keys" }] }
      `,
    ],
  },
});
