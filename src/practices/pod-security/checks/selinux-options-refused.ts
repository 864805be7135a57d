/** SELinux options that the API server or the node does not take. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { isTakenByContainerd, parseRange } from '#decide/pod-security/profiles/selinux.ts';
import { changePolicyProblem } from '#decide/pod-security/profiles/selinux-volumes.ts';
import { hasSelinuxOptions, levelsOf } from '../selinux.ts';

const POLICY = ['spec', 'securityContext', 'seLinuxChangePolicy'];

export default defineCheck({
  practice: 'pod-security',
  name: 'selinux-options-refused',
  title: 'SELinux options that are refused or have no effect',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict', 'reliability'],
  frameworks: [],
  why: 'The container does not start, or runs without what was asked for.',
  remediation:
    'Write the level as s0:c1,c2 with categories from c0 to c1023, and seLinuxChangePolicy as the version of the cluster has it.',

  subject: 'pod',
  looksAt: [],
  evaluate(pod, { world }) {
    const policy = pod.spec.securityContext?.seLinuxChangePolicy;
    if (policy === undefined && !hasSelinuxOptions(pod)) return pass;
    const found = levelsOf(pod).flatMap(({ value, path }) => {
      const range = parseRange(value);
      if (typeof range === 'string') return [{ path, text: `level "${value}": ${range}` }];
      return isTakenByContainerd(value)
        ? []
        : [
            {
              path,
              text: `level "${value}" is refused by containerd: it takes s0, s0:c1,c2 and s0-s0:c0.c1023`,
            },
          ];
    });
    const problem = policy === undefined ? undefined : changePolicyProblem(policy, world.kubernetesMinor);
    const all = [...found, ...(problem === undefined ? [] : [{ path: POLICY, text: problem }])];
    return all.length === 0 ? pass : fail(all, ...all.map(({ path }) => path));
  },
  message: found => found.map(({ text }) => text).join('; '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c1,c1024" } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxChangePolicy: Mount }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c1,c2" }, seLinuxChangePolicy: Recursive }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
