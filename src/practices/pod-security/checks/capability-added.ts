/** Capabilities beyond those that runtimes grant by themselves. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, pss } from '#check/frameworks.ts';
import { notApplicable } from '#check/verdict.ts';
import { capabilityName, DANGERS } from '../capabilities.ts';
import { detailOf, isAsked, removeAllAndEmpty, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'capability-added',
  title: 'Capability added beyond the default set',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), cis('5.2.9'), mitre('T1611')],
  why: 'Each capability beyond the default set is a piece of root on the node.',
  remediation: 'Remove the capability, or run the part that needs it elsewhere.',

  subject: 'pod',
  looksAt: [],
  evaluate(pod, context) {
    const verdict = standard(pod, 'baseline', 'capabilities_baseline');
    return verdict.is === 'fail' &&
      isAsked(context, 'dangerous-capability') &&
      verdict.evidence.violations.every(
        ({ value }) => DANGERS[capabilityName(String(value))] !== undefined,
      ) &&
      !pod.containers.some(({ container }) => container.securityContext?.privileged === true)
      ? notApplicable('dangerous-capability says what each of them gives')
      : verdict;
  },
  message: detailOf,

  fix: { title: 'Take the capability away', kind: 'review', changes: removeAllAndEmpty },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { capabilities: { add: [NET_ADMIN] } } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { capabilities: { add: [NET_BIND_SERVICE] } } }]
      `,
    ],
  },
});
