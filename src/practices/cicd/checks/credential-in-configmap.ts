/** Credentials in ConfigMaps, which nobody protects. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import { secretInText } from '../secrets.ts';

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
        service.slack: |
          token: $slack-token
        dex.config: |
          clientSecret: $dex.github.clientSecret
        example.yaml: |
          password: "yourPassword"
      `,
    ],
  },
});
