/** Credentials in ConfigMaps, which nobody protects. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import { isSecretName, type SecretFound, secretIn } from '../secrets.ts';

/** `key: value`, `key=value`, `"key": "value"` in the files that ConfigMaps carry. */
const ASSIGNMENT =
  /^[ \t]{0,80}(?:export[ \t]+)?["']?([A-Za-z][\w.-]{1,80})["']?[ \t]{0,20}[:=][ \t]{0,20}["']?([^"'\s#;,]{4,200})["']?[ \t]*[,;]?\r?$/gm;
const MAX_TEXT = 256 * 1024;

function secretInText(
  key: string,
  text: string,
): { readonly name: string; readonly found: SecretFound } | undefined {
  const whole = secretIn(text.includes('\n') ? '' : key, text);
  if (whole !== undefined) return { name: key, found: whole };
  if (!text.includes('\n') || text.length > MAX_TEXT) return undefined;
  for (const [, name, value] of text.matchAll(ASSIGNMENT)) {
    const found = isSecretName(name!) ? secretIn(name!, value!) : undefined;
    if (found !== undefined) return { name: `${key}: ${name}`, found };
  }
  return undefined;
}

export default defineCheck({
  practice: 'cicd',
  name: 'credential-in-configmap',
  title: 'Credential in a ConfigMap',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K08'), mitre('T1552.001')],
  why: 'ConfigMaps are readable by far more people and service accounts than Secrets, are not encrypted at rest, and this one is in the repository too.',
  remediation:
    'Move it into a Secret that is not in the repository, and change the credential, for this one is known.',
  sensitive: true,

  subject: 'object',
  kinds: ['/ConfigMap'],
  evaluate({ object }) {
    const data = object['data'];
    if (!isRecord(data)) return pass;
    const leaks = Object.entries(data).flatMap(([key, value]) => {
      const leak = typeof value === 'string' ? secretInText(key, value) : undefined;
      const at: Path = ['data', key];
      return leak === undefined ? [] : [{ ...leak, at }];
    });
    if (leaks.length === 0) return pass;
    return fail(leaks, ...leaks.map(({ at }) => at));
  },
  severityOf: leaks => (leaks.some(({ found }) => found.certain) ? 'high' : 'medium'),
  message: leaks =>
    leaks
      .map(({ name, found: { what, hint, certain } }) =>
        certain ? `"${name}" holds ${what} (${hint})` : `"${name}" has a literal value (${hint})`,
      )
      .join(', '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: payments }
      data:
        application.properties: |
          spring.datasource.username=payments
          spring.datasource.password=Wn7-tulip-Ostrich
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: payments }
      data:
        application.properties: |
          spring.datasource.username=payments
          spring.datasource.password=\${DB_PASSWORD}
          pagination.token=off
      `,
    ],
  },
});
