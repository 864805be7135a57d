/** SSH servers in containers. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'ssh-server',
  title: 'SSH server in a container',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1021.004')],
  why: 'A second way in, with keys and passwords that the cluster does not know and no audit log sees.',
  remediation: 'Remove it: kubectl exec and kubectl debug are logged and authorized.',

  subject: 'container',
  evaluate({ container: { command, args, ports } }) {
    const runs = [...(command ?? []), ...(args ?? [])].some(text =>
      /(?:^|[\s;&|/])(?:sshd|dropbear)(?:\s|$)/.test(text),
    );
    if (runs)
      return fail({ what: 'an SSH server is started' }, command === undefined ? ['args'] : ['command']);
    const index = (ports ?? []).findIndex(
      ({ containerPort, protocol }) => containerPort === 22 && (protocol ?? 'TCP') === 'TCP',
    );
    return index < 0 ? pass : fail({ what: 'port 22 (SSH) is opened' }, ['ports', index, 'containerPort']);
  },
  message: ({ what }) => what,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", command: [/usr/sbin/sshd, -D] }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 22 }] }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }]
      `,
    ],
  },
});
