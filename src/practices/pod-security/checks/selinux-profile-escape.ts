/** Profiles of SELinux that give the node away. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { lintSelinux } from '#decide/pod-security/profiles/lint-selinux.ts';
import { readSelinux } from '#decide/pod-security/profiles/read-selinux.ts';
import type { Path } from '#kube/objects.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'selinux-profile-escape',
  title: 'SELinux profile has a way out',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1611')],
  why: 'A type that changes what the node runs, becomes an unconfined one, or loads code into the kernel confines nothing.',
  remediation:
    'Allow the types that the program needs by name, such as container_file_t and var_log_t; profile derive finds them in the audit log.',

  subject: 'object',
  kinds: [
    'security-profiles-operator.x-k8s.io/SelinuxProfile',
    'security-profiles-operator.x-k8s.io/RawSelinuxProfile',
  ],
  evaluate({ object }) {
    const { policy } = readSelinux(object, () => undefined);
    // Permissive mode is said by profile-not-enforced.
    const found = lintSelinux({ ...policy, permissive: false }).filter(({ severity }) => severity === 'high');
    if (found.length === 0) return pass;
    const at: Path = object.kind === 'SelinuxProfile' ? ['spec', 'allow'] : ['spec', 'policy'];
    return fail([...new Set(found.map(({ message }) => message))], at);
  },
  message: found =>
    `it ${found.length > 3 ? `${found.slice(0, 3).join('; ')}; and ${found.length - 3} more` : found.join('; ')}`,

  examples: {
    bad: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SelinuxProfile
      metadata: { name: web }
      spec:
        allow:
          var_log_t: { file: [read, open] }
          container_var_run_t: { sock_file: [write] }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: RawSelinuxProfile
      metadata: { name: web }
      spec:
        policy: |
          (blockinherit container)
          (allow process spc_t (process (transition)))
      `,
    ],
    good: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SelinuxProfile
      metadata: { name: web }
      spec:
        inherit: [{ name: container }]
        allow:
          var_log_t: { dir: [open, read, search], file: [read, open, append] }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: RawSelinuxProfile
      metadata: { name: web }
      spec:
        policy: |
          (blockinherit container)
          (allow process var_log_t (file (read open)))
      `,
    ],
  },
});
