/** Pods that do not keep the profile that their own team wrote for them. */
import type { Change } from '#check/change.ts';
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { type CustomProfile, judgePod, type ProfileBreach } from '#decide/pod-security/custom/custom.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'custom-profile',
  title: 'Pod breaks the profile of its team',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1611')],
  why: 'Somebody decided what these pods may do and wrote down why; what goes beyond it was not decided by anybody.',
  remediation:
    'Bring the field in line with the profile, or change the profile in sallyport.yaml, with a reason.',
  options: {
    profiles: {
      type: 'objects',
      key: 'podSecurityProfiles',
      description: 'The profiles, in the order in which they are asked: the first whose scope fits judges.',
      default: [],
    },
  },

  subject: 'pod',
  looksAt: [
    '/Namespace',
    'security-profiles-operator.x-k8s.io/SeccompProfile',
    'security-profiles-operator.x-k8s.io/AppArmorProfile',
    'security-profiles-operator.x-k8s.io/SelinuxProfile',
    'security-profiles-operator.x-k8s.io/RawSelinuxProfile',
  ],
  evaluate(pod, { world, options }) {
    const profiles = options['profiles'] as readonly CustomProfile[];
    if (profiles.length === 0) return notApplicable('there is no profile of your own');
    const judged = judgePod(world, pod, profiles);
    if (judged.is === 'none') return notApplicable('no profile is for this pod');
    if (judged.is === 'unknown') return unknown(judged.because);
    const { profile, breaches, unknowns } = judged;
    if (breaches.length > 0) return fail({ profile, breaches }, ...breaches.map(({ path }) => path));
    return unknowns.length === 0 ? pass : unknown(`profile "${profile.name}": ${unknowns.join('; ')}`);
  },
  message: ({ profile: { name, reason, extends: level }, breaches }) =>
    `breaks profile "${name}" (${reason}): ${[...Map.groupBy(breaches, ({ field }) => field)]
      .map(([field, of]) => `${field === 'extends' ? level : field}: ${details(of)}`)
      .join('; ')}`,

  fix: {
    title: 'Do as the profile demands',
    kind: 'review',
    changes: ({ breaches }) =>
      breaches.flatMap(({ path, mend }): Change[] =>
        mend === undefined
          ? []
          : mend.value === undefined
            ? [{ op: 'remove', path }]
            : [{ op: 'set', path, value: mend.value }],
      ),
  },

  examples: {
    options: {
      profiles: [
        {
          name: 'log-shipper',
          reason: 'ships the logs of the node',
          extends: 'restricted',
          version: 'latest',
          minor: 37,
          scope: { serviceAccounts: ['shipper'] },
          spec: {
            allowedHostPaths: [{ pathPrefix: '/var/log', readOnly: true }],
            readOnlyRootFilesystem: true,
          },
        },
      ],
    },
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shipper, namespace: logging }
      spec:
        serviceAccountName: shipper
        securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
        containers:
          - name: shipper
            image: shipper:1.4.2
            securityContext:
              allowPrivilegeEscalation: false
              capabilities: { drop: [ALL] }
            volumeMounts: [{ name: logs, mountPath: /logs }]
        volumes: [{ name: logs, hostPath: { path: /var/log } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shipper, namespace: logging }
      spec:
        serviceAccountName: shipper
        securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
        containers:
          - name: shipper
            image: shipper:1.4.2
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities: { drop: [ALL] }
            volumeMounts: [{ name: logs, mountPath: /logs, readOnly: true }]
        volumes: [{ name: logs, hostPath: { path: /var/log } }]
      `,
    ],
  },
});

/** Each thing once, with the containers of which it is said. */
function details(breaches: readonly ProfileBreach[]): string {
  return [...Map.groupBy(breaches, ({ detail }) => detail)]
    .map(([detail, of]) => {
      const names = of.flatMap(({ field, container }) =>
        // The standards name the containers themselves.
        container === undefined || field === 'extends' ? [] : [`"${container}"`],
      );
      const who = [...new Set(names)];
      return who.length === 0
        ? detail
        : `container${who.length === 1 ? '' : 's'} ${who.join(', ')}: ${detail}`;
    })
    .join(', ');
}
