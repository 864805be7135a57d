/** Credentials in the plain text of a pod: environment, command, arguments. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import type { Path } from '#kube/objects.ts';
import { knownFormatIn, passwordInUrl, type SecretFound, secretIn } from '../secrets.ts';

interface Leak {
  readonly where: string;
  readonly found: SecretFound;
}

/** `--db-password=x`, `--token x`: the flag names the value. */
const FLAG = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s;

function inArguments(
  list: readonly string[] | undefined,
  field: 'command' | 'args',
): { leak: Leak; at: Path }[] {
  return (list ?? []).flatMap((text, index) => {
    const [, flag, inline] = FLAG.exec(text) ?? [];
    const value = inline ?? list![index + 1];
    const named =
      flag !== undefined && value !== undefined && !value.startsWith('-') ? secretIn(flag, value) : undefined;
    const found = named ?? knownFormatIn(text) ?? passwordInUrl(text);
    if (found === undefined) return [];
    const place = named !== undefined && inline === undefined ? index + 1 : index;
    return [{ leak: { where: flag === undefined ? field : `--${flag}`, found }, at: [field, place] }];
  });
}

export default defineCheck({
  practice: 'cicd',
  name: 'literal-credential',
  title: 'Credential written into the environment or command of a container',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.4.1'), owasp('K08'), nsa('secrets'), mitre('T1552.001')],
  why: 'It is in the repository and its history, in every copy of the rendered manifest, and anyone who may read the workload reads it.',
  remediation:
    'Put it into a Secret that is not in the repository and refer to it with valueFrom.secretKeyRef, or mount it; then change the credential, for this one is known.',
  sensitive: true,

  subject: 'container',
  evaluate({ container: { env, command, args } }) {
    const found = (env ?? []).flatMap(({ name, value }, index) => {
      const secret = typeof value === 'string' ? secretIn(name ?? '', value) : undefined;
      const at: Path = ['env', index, 'value'];
      return secret === undefined ? [] : [{ leak: { where: name ?? '', found: secret }, at }];
    });
    const all = [...found, ...inArguments(command, 'command'), ...inArguments(args, 'args')];
    if (all.length === 0) return pass;
    return fail(
      all.map(({ leak }) => leak),
      ...all.map(({ at }) => at),
    );
  },
  severityOf: leaks => (leaks.some(({ found }) => found.certain) ? 'high' : 'medium'),
  message: leaks =>
    leaks
      .map(({ where, found: { what, hint } }) =>
        what.includes(`"${where}"`)
          ? `"${where}" has a literal value (${hint})`
          : `"${where}" holds ${what} (${hint})`,
      )
      .join(', '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: payments }
      spec:
        containers:
          - name: web
            image: payments:1.4.2
            env:
              - name: DATABASE_URL
                value: postgres://payments:Wn7-tulip-Ostrich@db:5432/payments
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: payments }
      spec:
        containers:
          - { name: web, image: "payments:1.4.2", args: ["--api-token", "Zx81kkP0qvB3"] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: payments }
      spec:
        containers:
          - name: web
            image: payments:1.4.2
            args: ["--token-file=/run/secrets/token", "--password=$(DB_PASSWORD)"]
            env:
              - { name: DB_PASSWORD, valueFrom: { secretKeyRef: { name: db, key: password } } }
              - { name: SECRET_NAME, value: db-credentials }
              - { name: API_KEY, value: changeme }
              - { name: TOKEN_PATH, value: /run/secrets/token }
      `,
    ],
  },
});
