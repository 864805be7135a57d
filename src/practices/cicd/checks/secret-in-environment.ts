/** Secrets handed over as environment variables rather than files. */
import { defineCheck } from '#check/check.ts';
import { cis, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import type { Path } from '#kube/objects.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'secret-in-environment',
  title: 'Secret handed over as an environment variable',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.4.1'), owasp('K08')],
  why: 'The environment is inherited by every child process, printed by crash reports and debug pages, and cannot be rotated without a restart.',
  remediation: 'Mount the Secret as a file and let the program read it there.',

  subject: 'container',
  evaluate({ container: { env, envFrom } }) {
    const places: { name: string; at: Path }[] = [];
    (env ?? []).forEach(({ name, valueFrom }, index) => {
      if (valueFrom?.secretKeyRef !== undefined)
        places.push({
          name: valueFrom.secretKeyRef.name ?? name ?? '',
          at: ['env', index, 'valueFrom', 'secretKeyRef'],
        });
    });
    (envFrom ?? []).forEach(({ secretRef }, index) => {
      if (secretRef !== undefined)
        places.push({ name: secretRef.name ?? '', at: ['envFrom', index, 'secretRef'] });
    });
    if (places.length === 0) return pass;
    return fail({ names: [...new Set(places.map(({ name }) => name))] }, ...places.map(({ at }) => at));
  },
  message: ({ names }) =>
    `Secret ${names.map(name => `"${name}"`).join(', ')} reaches it through the environment`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - name: web
            image: shop:1.4.2
            env: [{ name: DB_PASSWORD, valueFrom: { secretKeyRef: { name: db, key: password } } }]
            envFrom: [{ secretRef: { name: db } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - { name: web, image: "shop:1.4.2", volumeMounts: [{ name: db, mountPath: /run/secrets/db }] }
        volumes: [{ name: db, secret: { secretName: db } }]
      `,
    ],
  },
});
