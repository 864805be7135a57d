/** Volumes that two containers mount with labels of which only one can hold. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { fileConflict, labellingOf } from '#decide/pod-security/profiles/selinux-volumes.ts';
import { nameOf } from '#kube/objects.ts';
import { claimFacts, claimUses, hasSelinuxOptions } from '../selinux.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'selinux-volume-conflict',
  title: 'Volume shared with different SELinux levels',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict', 'reliability'],
  frameworks: [],
  why: 'The files of a volume have one label: the container that comes second takes them from the first, or does not start. The usual repair in haste is an unconfined type.',
  remediation:
    'Give all that share the volume the same seLinuxOptions.level, or mount it once and share it by other means.',

  subject: 'pod',
  looksAt: ['everything'],
  evaluate(pod, { world }) {
    const claims = (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }, index) =>
      persistentVolumeClaim?.claimName === undefined
        ? []
        : [{ index, claim: persistentVolumeClaim.claimName }],
    );
    if (claims.length === 0) return pass;
    const found = claims.flatMap(({ index, claim }) => {
      const uses = world.fact(claimUses).get(`${pod.namespace ?? ''}/${claim}`) ?? [];
      const own = uses.find(use => use.pod === pod && use.volume === index);
      if (own === undefined) return [];
      const path = ['spec', 'volumes', index, 'persistentVolumeClaim', 'claimName'];
      const facts = claimFacts(world, pod.namespace, claim);
      const changePolicy = pod.spec.securityContext?.seLinuxChangePolicy;
      const labelling = labellingOf({
        minor: world.kubernetesMinor,
        ...facts,
        ...(changePolicy === undefined ? {} : { changePolicy }),
        hasLabel: hasSelinuxOptions(pod),
      });
      const result =
        labelling === 'mount'
          ? 'the second does not start on the node of the first'
          : labelling === 'recursive'
            ? 'who starts second takes the files from the first'
            : 'who starts second takes the files from the first, or does not start where the driver mounts with a label';
      const inside = own.contexts.some((one, i) =>
        own.contexts.slice(i + 1).some(other => fileConflict(one, other) !== undefined),
      );
      if (inside)
        return [
          {
            path,
            isStated: true,
            text: `containers of the pod mount claim "${claim}" with different SELinux levels: only one of them can read it`,
          },
        ];
      // One pod at a time: no other can be there.
      if (facts.accessModes?.length === 1 && facts.accessModes[0] === 'ReadWriteOncePod') return [];
      for (const use of uses.slice(0, uses.indexOf(own))) {
        if (use.pod.object === pod.object) continue;
        const conflicts = use.contexts.flatMap(one => own.contexts.map(other => fileConflict(one, other)));
        const isStated = conflicts.includes('stated');
        if (!isStated && !conflicts.includes('random')) continue;
        const who = `${use.pod.object.kind} ${nameOf(use.pod.object)}`;
        return [
          {
            path,
            isStated,
            text: `claim "${claim}" is shared with ${who}, ${isStated ? 'with another SELinux level' : 'and only one of the two states a SELinux level'}: ${result}`,
          },
        ];
      }
      return [];
    });
    return found.length === 0 ? pass : fail(found, ...found.map(({ path }) => path));
  },
  severityOf: found => (found.some(({ isStated }) => isStated) ? 'medium' : 'low'),
  message: found => found.map(({ text }) => text).join('; '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c1,c2" } }
        containers: [{ name: web, image: "web:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }]
        volumes: [{ name: data, persistentVolumeClaim: { claimName: uploads } }]
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: worker, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c3,c4" } }
        containers: [{ name: worker, image: "worker:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }]
        volumes: [{ name: data, persistentVolumeClaim: { claimName: uploads } }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop }
      spec:
        containers:
        - { name: web, image: "web:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }
        - name: log
          image: log:1.4.2
          volumeMounts: [{ name: data, mountPath: /data }]
          securityContext: { seLinuxOptions: { level: "s0:c1,c2" } }
        volumes: [{ name: data, persistentVolumeClaim: { claimName: uploads } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c1,c2" } }
        containers: [{ name: web, image: "web:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }]
        volumes: [{ name: data, persistentVolumeClaim: { claimName: uploads } }]
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: worker, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c2,c1" } }
        containers: [{ name: worker, image: "worker:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }]
        volumes: [{ name: data, persistentVolumeClaim: { claimName: uploads } }]
      `,
      `
      # ReadWriteOncePod: one pod at a time.
      apiVersion: v1
      kind: PersistentVolumeClaim
      metadata: { name: uploads, namespace: shop }
      spec: { accessModes: [ReadWriteOncePod] }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c1,c2" } }
        containers: [{ name: web, image: "web:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }]
        volumes: [{ name: data, persistentVolumeClaim: { claimName: uploads } }]
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: worker, namespace: shop }
      spec:
        containers: [{ name: worker, image: "worker:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }]
        volumes: [{ name: data, persistentVolumeClaim: { claimName: uploads } }]
      `,
    ],
  },
});
