/** SELinux levels by which containers of different owners reach each other's files. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import {
  confinementOf,
  contextOf,
  dominates,
  holdsEverything,
  parseRange,
} from '#decide/pod-security/profiles/selinux.ts';
import { nameOf } from '#kube/objects.ts';
import { hasSelinuxOptions, labelledPods, levelsOf } from '../selinux.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'selinux-shared-level',
  title: 'SELinux level that reaches the files of others',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [mitre('T1611')],
  why: 'The categories of the level are what keeps containers apart on one node: with the same ones, or with all of them, a container that breaks out reads the files of the other.',
  remediation:
    'Leave the level out, so that the runtime picks one, or give each owner categories of its own: s0:c123,c456.',

  subject: 'pod',
  looksAt: ['everything'],
  evaluate(pod, { world }) {
    if (!hasSelinuxOptions(pod)) return pass;
    const found = levelsOf(pod).flatMap(({ value, path }) => {
      const range = parseRange(value);
      if (typeof range === 'string') return [];
      // Levels keep nothing from an unconfined type, which has a check of its own.
      const isKept = pod.containers.some(container => {
        const { level, type } = contextOf(container);
        return (
          level?.value === value && (type === undefined || confinementOf(type.value).is !== 'unconfined')
        );
      });
      if (!isKept) return [];
      if (holdsEverything(range))
        return [
          { path, text: `level ${value} holds every category: it reaches the files of every container` },
        ];
      if (range.high.categories === 0n)
        return [
          { path, text: `level ${value} has no category: every container of the node reaches its files` },
        ];
      const others = world.fact(labelledPods).filter(
        other =>
          other.object !== pod.object &&
          other.namespace !== pod.namespace &&
          // The same workload in several namespaces has the same owner.
          !(other.object.kind === pod.object.kind && nameOf(other.object) === nameOf(pod.object)) &&
          other.range.high.categories !== 0n &&
          dominates(range.high, other.range.high),
      );
      if (others.length === 0) return [];
      const [{ object, namespace, level }] = others as [(typeof others)[0]];
      const who = `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${nameOf(object)}`;
      return [
        {
          path,
          text: `level ${value} reaches the files of ${who}${level === value ? ', which has the same' : `, whose level is ${level}`}${others.length > 1 ? `, and of ${others.length - 1} more` : ''}`,
        },
      ];
    });
    return found.length === 0 ? pass : fail(found, ...found.map(({ path }) => path));
  },
  message: found => found.map(({ text }) => text).join('; '),

  fix: {
    title: 'Let the runtime pick the level',
    kind: 'review',
    changes: found => found.map(({ path }) => ({ op: 'remove', path })),
  },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c123,c456" } }
        containers: [{ name: web, image: "web:1.4.2" }]
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: bank, namespace: bank }
      spec:
        securityContext: { seLinuxOptions: { type: container_t, level: "s0:c123" } }
        containers: [{ name: bank, image: "bank:1.4.2" }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: backup }
      spec:
        securityContext: { seLinuxOptions: { level: "s0-s0:c0.c1023" } }
        containers: [{ name: backup, image: "backup:1.4.2" }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: cache }
      spec:
        securityContext: { seLinuxOptions: { level: s0 } }
        containers: [{ name: cache, image: "cache:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c123,c456" } }
        containers: [{ name: web, image: "web:1.4.2" }]
      ---
      # In one namespace a level is shared on purpose.
      apiVersion: v1
      kind: Pod
      metadata: { name: worker, namespace: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c123,c456" } }
        containers: [{ name: worker, image: "worker:1.4.2" }]
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: bank, namespace: bank }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c123,c789" } }
        containers: [{ name: bank, image: "bank:1.4.2" }]
      `,
    ],
  },
});
