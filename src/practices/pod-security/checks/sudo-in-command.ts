/** Commands that make themselves root. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'sudo-in-command',
  title: 'sudo in a command',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1548')],
  why: 'A container whose own command needs sudo lets anyone in it become root.',
  remediation:
    'Build the image so that its user may do what it has to, and set allowPrivilegeEscalation to false.',

  subject: 'container',
  evaluate({ container: { command, args } }) {
    for (const [field, list] of [
      ['command', command],
      ['args', args],
    ] as const) {
      const index = (list ?? []).findIndex(text => /(?:^|[\s;&|(/])sudo(?:\s|$)/.test(text));
      if (index >= 0) return fail({ field }, [field, index]);
    }
    return pass;
  },
  message: ({ field }) => `${field} calls sudo`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", command: [sh, -c, "sudo nginx"] }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", command: [nginx, -g, "daemon off;"] }]
      `,
    ],
  },
});
