/** Windows containers run by an administrator. */
import { defineCheck } from '#check/check.ts';
import { nsa } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'windows-administrator',
  title: 'Windows container runs as administrator',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [nsa('non-root containers')],
  why: 'ContainerAdministrator may change everything in the container and on volumes.',
  remediation: 'Set windowsOptions.runAsUserName to ContainerUser.',

  subject: 'container',
  evaluate({ container, pod }) {
    const own = container.securityContext?.windowsOptions?.runAsUserName;
    const name = own ?? pod.spec.securityContext?.windowsOptions?.runAsUserName;
    if (name === undefined || !/^(?:.*\\\\)?(?:ContainerAdministrator|Administrator|SYSTEM)$/i.test(name))
      return pass;
    return fail({ name }, ['securityContext', 'windowsOptions', 'runAsUserName']);
  },
  message: ({ name }) => `runAsUserName is ${name}`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        os: { name: windows }
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { windowsOptions: { runAsUserName: ContainerAdministrator } } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        os: { name: windows }
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { windowsOptions: { runAsUserName: ContainerUser } } }]
      `,
    ],
  },
});
