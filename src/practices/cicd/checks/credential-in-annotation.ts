/** Credentials in annotations: above all in the copy of the object that kubectl leaves there. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, type Path } from '#kube/objects.ts';
import { secretIn } from '../secrets.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'credential-in-annotation',
  title: 'Credential in an annotation',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K08'), mitre('T1552.001')],
  why: 'Annotations are copied into events, audit logs and metrics, and everyone who may list the object reads them.',
  remediation:
    'Move it into a Secret and let the annotation name it; then change the credential, for this one is known.',
  sensitive: true,

  subject: 'object',
  evaluate({ object }) {
    const annotations = object.metadata?.annotations;
    if (!isRecord(annotations)) return pass;
    const leaks = Object.entries(annotations).flatMap(([key, value]) => {
      const name = key.slice(key.lastIndexOf('/') + 1);
      const found = typeof value === 'string' ? secretIn(name, value) : undefined;
      const at: Path = ['metadata', 'annotations', key];
      // A name alone proves little here: many annotations name a Secret.
      return found?.certain === true ? [{ key, found, at }] : [];
    });
    return leaks.length === 0 ? pass : fail(leaks, ...leaks.map(({ at }) => at));
  },
  message: leaks =>
    leaks.map(({ key, found: { what, hint } }) => `"${key}" holds ${what} (${hint})`).join(', '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Service
      metadata:
        name: hook
        annotations:
          example.com/target: https://deploy:Wn7-tulip-Ostrich@ci.example.com/hook
      spec: {}
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Service
      metadata:
        name: hook
        annotations:
          example.com/token-secret: ci-hook
          example.com/target: https://ci.example.com/hook
      spec: {}
      `,
    ],
  },
});
