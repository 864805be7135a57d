/** Annotations of AppArmor that the API server does not take, or not beside the fields. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { refusedAnnotations } from '#decide/pod-security/profiles/apparmor-effective.ts';
import { APPARMOR_ANNOTATION } from '#kube/pods.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'apparmor-annotation-refused',
  title: 'AppArmor annotation that keeps the pod from being made',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict', 'reliability'],
  frameworks: [],
  why: 'The API server refuses the pod, and the repair in haste is to take the profile away.',
  remediation:
    'State the profile in securityContext.appArmorProfile and remove the annotation; clusters before 1.30 know only the annotation.',

  subject: 'pod',
  looksAt: [],
  evaluate(pod, { world }) {
    const { annotations } = pod.metadata;
    if (
      annotations === undefined ||
      !Object.keys(annotations).some(key => key.startsWith(APPARMOR_ANNOTATION))
    )
      return pass;
    const containers = new Map(pod.containers.map(subject => [subject.name, subject]));
    const found = refusedAnnotations(pod, containers, world.kubernetesMinor);
    return found.length === 0 ? pass : fail(found, ...found.map(({ path }) => path));
  },
  message: found => found.map(({ text }) => text).join('; '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata:
        name: shop
        annotations: { container.apparmor.security.beta.kubernetes.io/old: localhost/web }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata:
        name: shop
        annotations: { container.apparmor.security.beta.kubernetes.io/web: unconfined }
      spec:
        containers:
          - name: web
            image: "shop:1.4.2"
            securityContext: { appArmorProfile: { type: RuntimeDefault } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata:
        name: shop
        annotations: { container.apparmor.security.beta.kubernetes.io/web: localhost/web }
      spec:
        securityContext: { appArmorProfile: { type: RuntimeDefault } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
